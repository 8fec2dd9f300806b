#!/usr/bin/env python3
"""Doses of fields, perturbed doses and bands of histograms, per case a picture of each (needs numpy, h5py and matplotlib).

    fields.py RESULTS STUDY.yaml [--organ OAR] [-o FOLDER] [--robion build/robion]

<case>-fields: dose of each field alone and of all together, a row per arm. RBE-weighted doses are no sums of those of fields, so each
field's spots are evaluated by themselves, without errors. Columns: the fields, all of them, and the lowest dose of each voxel over the
evaluation scenarios; axial slice through the organ's centre.
<case>-physical: physical doses of the fields, whose sum the physical dose is.
<case>-perturbed: RBE-weighted dose without errors and under single ones, 3.5 % of range and 2 mm of setup.
<case>-dvh: dose-volume histograms, a column per arm: lines without errors, bands lowest to highest volume over the scenarios.
"""
import contextlib
import pathlib
import subprocess
import tempfile

import numpy

import drawing
import robion

HALF_WINDOW = 80  # shown around the target's centre, mm
LEAST = 3  # percent; what gets less is white
ERRORS = {"r-3.5": "range -3.5 %", "r+3.5": "range +3.5 %", "x+2": "2 mm to the left", "y+2": "2 mm to the back"}
ERRORS_SET = "{range_percent: [0], setup: list, shifts_mm: [[2, 0, 0], [0, 2, 0]], plus: [{range_percent: [-3.5, 3.5], setup: none}]}"
NO_ERRORS = "{range_percent: [0], setup: none}"


@contextlib.contextmanager
def evaluated(plan, arguments, spots, *settings):
    """What robion evaluate makes of spots, a table or a plan.h5, under other settings."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out.h5"
        more = [word for setting in settings for word in ("--set", setting)]
        subprocess.run([arguments.robion, "evaluate", spots, arguments.study, "--case", plan.case, "--arm", plan.arm, "-o", out, *more],
                       check=True, stdout=subprocess.DEVNULL)
        yield robion.Plan(out)


def field_alone(plan, beam, spots, arguments):
    """RBE-weighted dose of one field, percent of the prescription."""
    columns = [spots.x_mm, spots.y_mm, spots.energy_MeV_u, spots.particles]
    rows = numpy.column_stack([numpy.full(len(spots.particles), beam), *columns])[spots.particles > 0]
    with tempfile.NamedTemporaryFile(suffix=".csv") as table:
        numpy.savetxt(table.name, rows, "%d,%.17g,%.17g,%.17g,%.17g", header="beam,x_mm,y_mm,energy_MeV_u,particles", comments="")
        with evaluated(plan, arguments, table.name, f"scenarios.evaluate={NO_ERRORS}") as alone:
            return drawing.percent(alone)


def fields(plan, arguments):
    for beam, spots in enumerate(plan.beams):
        yield f"field {spots.gantry_deg:.0f}°", field_alone(plan, beam, spots, arguments)
    yield "all fields", drawing.percent(plan)
    yield "lowest of the scenarios", drawing.percent(plan, "min")


def physical(plan, arguments):
    """Percent of the mean physical dose of the target."""
    with evaluated(plan, arguments, plan.file, f"scenarios.evaluate={NO_ERRORS}", "results.beam_doses=physical") as again:
        to_percent = 100 / plan.structures["CTV"].mean(plan.dose("physical"))
        for beam, spots in enumerate(plan.beams):
            yield f"field {spots.gantry_deg:.0f}°", to_percent * again[f"dose/beams/beam_{beam}"]
        yield "all fields", to_percent * again.dose("physical")


def perturbed(plan, arguments):
    yield "no error", drawing.percent(plan)
    with evaluated(plan, arguments, plan.file, f"scenarios.evaluate={ERRORS_SET}", "results.scenario_doses=all") as again:
        for scenario, title in ERRORS.items():
            yield title, 100 / plan.prescription_Gy_RBE_per_fraction * again.scenario_dose(scenario)


PICTURES = {  # file: what its panels show and how to get them
    "fields": ("RBE-weighted dose, % of the prescription", fields),
    "physical": ("physical dose, % of the CTV's mean", physical),
    "perturbed": ("RBE-weighted dose, % of the prescription", perturbed),
}


def window(plan):
    """x low, x high, y low, y high around the middle of the target, mm."""
    _, j, i = numpy.unravel_index(plan.structures["CTV"].voxel, plan.shape)
    x, y = ((at.min() + at.max()) / 2 for at in (plan.x[i], plan.y[j]))
    return x - HALF_WINDOW, x + HALF_WINDOW, y - HALF_WINDOW, y + HALF_WINDOW


def picture(plans, label, doses, arguments):
    lines = drawing.styles(plans, ("CTV", "PTV", arguments.organ))
    rows = [list(doses(plan, arguments)) for plan in plans]
    figure, axes = drawing.panels(len(plans), len(rows[0]), 2, 2.2, f"{plans[0].case}: {label}", lines, sharex=True, sharey=True)
    for line, plan, row in zip(axes, plans, rows):
        k = plan.structures[arguments.organ].middle()
        for a, (title, dose) in zip(line, row):
            image = drawing.show(a, plan, k, numpy.ma.masked_less(dose[k], LEAST), lines, window(plan), **drawing.DOSE)
            a.set_title(title if plan is plans[0] else "")
        line[0].set_ylabel(f"{plan.arm}\n{line[0].get_ylabel()}")
    figure.colorbar(image, ax=axes, shrink=0.6, label=label)
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


def bands(plans, organ):
    lines = drawing.styles(plans, ("CTV", organ))
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
    parser.add_argument("--organ", default="OAR", help="drawn beside CTV and PTV, in the slice through its centre")
    parser.add_argument("--robion", default="build/robion", help="the program")
    arguments, by_case = drawing.parse(parser)
    for case, plans in by_case.items():
        for name, (label, doses) in PICTURES.items():
            drawing.save(picture(plans, label, doses, arguments), arguments.output, f"{case}-{name}", "png")
        drawing.save(bands(plans, arguments.organ), arguments.output, f"{case}-dvh", "png")


if __name__ == "__main__":
    main()
