#!/usr/bin/env python3
"""Doses of fields and bands of histograms, per case a picture of each (needs numpy, h5py and matplotlib).

    fields.py RESULTS STUDY.yaml [-o FOLDER] [--robion build/robion]

<case>-fields: dose of each field alone and of all together, a row per arm. RBE-weighted doses are no sums of those of fields, so each
field's spots are evaluated by themselves, without errors. Columns: the fields, all of them, and the lowest dose of each voxel over the
evaluation scenarios; axial slice through the target's centre.
<case>-dvh: dose-volume histograms, a column per arm: lines without errors, bands lowest to highest volume over the scenarios.
"""
import pathlib
import subprocess
import sys
import tempfile

import numpy

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import drawing
import robion

WINDOW = -80, 80, -80, 80  # shown, mm
LEAST = 3  # percent; what gets less is white
STRUCTURES = "CTV", "PTV", "OAR"


def field_alone(plan, beam, spots, arguments):
    """RBE-weighted dose of one field, percent of the prescription."""
    with tempfile.TemporaryDirectory() as folder:
        table, out = (pathlib.Path(folder) / name for name in ("spots.csv", "field.h5"))
        columns = [spots.x_mm, spots.y_mm, spots.energy_MeV_u, spots.particles]
        rows = numpy.column_stack([numpy.full(len(spots.particles), beam), *columns])[spots.particles > 0]
        numpy.savetxt(table, rows, "%d,%.17g,%.17g,%.17g,%.17g", header="beam,x_mm,y_mm,energy_MeV_u,particles", comments="")
        subprocess.run([arguments.robion, "evaluate", table, arguments.study, "--case", plan.case, "--arm", plan.arm, "-o", out,
                        "--set", "scenarios.evaluate={range_percent: [0], setup: none}"], check=True,
                       stdout=subprocess.DEVNULL)
        return drawing.percent(robion.Plan(out))


def doses(plan, arguments):
    for beam, spots in enumerate(plan.beams):
        yield f"field {spots.gantry_deg:.0f}°", field_alone(plan, beam, spots, arguments)
    yield "all fields", drawing.percent(plan)
    yield "lowest of the scenarios", drawing.percent(plan, "min")


def picture(plans, arguments):
    lines = drawing.styles(plans, STRUCTURES)
    columns = len(plans[0].beams) + 2
    figure, axes = drawing.panels(len(plans), columns, 2, 2.2, f"{plans[0].case}: RBE-weighted dose, % of the prescription", lines,
                               sharex=True, sharey=True)
    for line, plan in zip(axes, plans):
        k = plan.structures[plan.target].middle()
        for a, (title, dose) in zip(line, doses(plan, arguments)):
            image = drawing.show(a, plan, k, numpy.ma.masked_less(dose[k], LEAST), lines, WINDOW, **drawing.DOSE)
            a.set_title(title if plan is plans[0] else "")
        line[0].set_ylabel(f"{plan.arm}\n{line[0].get_ylabel()}")
    figure.colorbar(image, ax=axes, shrink=0.6, label="RBE-weighted dose, % of the prescription")
    return figure


def show_dvh(axes, plan, lines):
    for name, line in lines.items():
        if name in plan.structures:
            dvh = plan.dvh(name)
            dose = 100 * dvh.axis / plan.prescription_Gy_RBE_per_fraction
            axes.fill_between(dose, dvh.min, dvh.max, color=line["color"], alpha=0.25, linewidth=0)
            axes.plot(dose, dvh.nominal, **line)
    axes.axvline(95, color="gray", linestyle="dashed", linewidth=0.8)
    axes.set(xlim=(0, 130), ylim=(0, 102), xlabel="RBE-weighted dose, % of the prescription", ylabel="volume, %")
    axes.grid()
    axes.label_outer()


def bands(plans):
    lines = drawing.styles(plans, ("CTV", "OAR"))
    n = int(plans[0]["scenarios"].in_set.sum())
    title = f"{plans[0].case}: lines without errors, bands over the {n} scenarios"
    figure, axes = drawing.panels(1, len(plans), 3.6, 3.3, title, lines)
    for a, plan in zip(axes[0], plans):
        show_dvh(a, plan, lines)
        a.set_title(f"{plan.arm} {plan.sweep}".strip())
    return figure


def main():
    parser = drawing.parser_of(__doc__)
    parser.add_argument("study", type=pathlib.Path, help="the study they are of")
    parser.add_argument("--robion", default="build/robion", help="the program")
    arguments, by_case = drawing.parse(parser)
    for case, plans in by_case.items():
        drawing.save(picture(plans, arguments), arguments.output, f"{case}-fields", "png")
        drawing.save(bands(plans), arguments.output, f"{case}-dvh", "png")


if __name__ == "__main__":
    main()
