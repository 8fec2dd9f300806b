#!/usr/bin/env python3
"""Pictures of plans: the pieces that the studies' scripts draw with, and a script (needs numpy, h5py and matplotlib):

    plot.py RESULTS [-o FOLDER] [--ct CASE.h5] [--structures CTV,OAR] [--format png]

For each case two pictures, a column per plan:
  <case>-dose: RBE-weighted dose in the axial slice through the target's centre, without errors above, lowest over the
               evaluation scenarios voxel by voxel below; contours of the structures; white line: 95 %.
  <case>-dvh:  dose-volume histograms: lines without errors, bands lowest to highest volume over the evaluation scenarios.
--ct puts the CT of a case file behind the dose. A structure has one colour in all panels of a picture.
"""
import argparse
import itertools
import pathlib

import h5py
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy
from matplotlib.lines import Line2D

import robion

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "black"]  # of arms, or whatever is compared
ORGANS = "magenta", "saddlebrown", "darkorange", "#00a000", "deepskyblue", "#7a5cff", "#b8860b", "crimson", "teal", "#888888"
LINES = {"target": [{"color": colour, "linestyle": dashes, "linewidth": 1.5}
                    for colour in ("black", "dimgray") for dashes in ("solid", "dashed", "dashdot", "dotted")],
         "oar": [{"color": colour, "linewidth": 1.3} for colour in ORGANS],
         "external": [{"color": "gray", "linewidth": 0.9}]}
DOSE = {"cmap": "turbo", "vmin": 0, "vmax": 115}  # percent of the prescription
LEAST = 5  # percent; no colour for less
ISODOSE = {"color": "white", "linewidth": 1.2}  # 95 %

plt.rcParams.update({"font.size": 9, "axes.titlesize": 10, "figure.titlesize": 11, "axes.grid": False, "grid.color": "#cccccc",
                     "grid.linewidth": 0.6, "axes.axisbelow": True, "svg.hashsalt": "robion", "svg.fonttype": "none"})


def styles(plans, names=None, k=None):
    """
    Lines of structures, by name and in their order: targets black, organs coloured. Of names these alone, in this order; of an
    axial slice k what it meets.
    """
    found = {s.name: s for plan in plans for s in plan.structures.values()}
    if names is None:
        names = [s.name for s in sorted(found.values(), key=robion.Structure.order)]
    lines, of_role = {}, {role: itertools.cycle(lines) for role, lines in LINES.items()}
    for name in (name for name in names if name in found):
        lines[name] = next(of_role[found[name].role])
    return {name: line for name, line in lines.items() if k is None or found[name].inside(k).max() > 0.5}


def contour(axes, plan, plane, level, line):
    axes.contour(plan.x, plan.y, plane, [level], colors=line["color"], linewidths=line["linewidth"],
                 linestyles=line.get("linestyle", "solid"))


def show_ct(axes, file, z):
    with h5py.File(file) as f:
        ct = f["ct/hu"]
        (dx, dy, dz), (x, y, z0) = ct.attrs["spacing_mm"], ct.attrs["origin_mm"]
        k = min(max(int(round((z - z0) / dz)), 0), ct.shape[0] - 1)
        _, ny, nx = ct.shape
        axes.imshow(ct[k], cmap="gray", vmin=-200, vmax=400,
                    extent=(x - dx / 2, x + (nx - 0.5) * dx, y + (ny - 0.5) * dy, y - dy / 2))


def show(axes, plan, k, plane, lines, window=None, **how):
    """
    An image [y, x] in axial slice k with contours, seen from the feet, in the room: a prone patient's back is up and left on the
    left. Window: x low, x high, y low, y high in mm.
    """
    half = (plan.x[1] - plan.x[0]) / 2
    extent = plan.x[0] - half, plan.x[-1] + half, plan.y[-1] + half, plan.y[0] - half
    image = axes.imshow(plane, extent=extent, interpolation="none", **how)
    for name, line in reversed(lines.items()):  # targets above all
        if name in plan.structures and (inside := plan.structures[name].inside(k)).max() > 0.5:
            contour(axes, plan, inside, 0.5, line)
    x0, x1, y0, y1 = window or (*extent[:2], *extent[:1:-1])
    prone = plan.patient_position.endswith("P")
    axes.set(xlim=(x1, x0) if prone else (x0, x1), ylim=(y0, y1) if prone else (y1, y0), aspect="equal",
             xlabel="left ← x, mm → right" if prone else "right ← x, mm → left",
             ylabel="anterior ← y, mm → posterior" if prone else "posterior ← y, mm → anterior")
    axes.label_outer()
    return image


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


def panels(rows, columns, width, height, title, legend, margin=0.9, widths=None, **more):
    """
    A figure of panels of this size in inches (their columns as wide as widths say), its title, and below one legend: lines by
    name, or artists.
    """
    entries = [Line2D([], [], **entry) if isinstance(entry, dict) else entry for entry in legend.values()]
    across = columns * width + margin
    per_row = max(1, min(len(legend), int(across / (0.7 + 0.075 * max(map(len, legend), default=0)))))
    below = 0.1 + 0.22 * -(-len(legend) // per_row)
    down = rows * height + 0.5 + 0.2 * title.count("\n") + below
    figure, axes = plt.subplots(rows, columns, figsize=(across, down), squeeze=False, layout="constrained",
                                gridspec_kw={"width_ratios": widths}, **more)
    figure.get_layout_engine().set(rect=(0, below / down, 1, 1 - below / down))
    figure.suptitle(title)
    figure.legend(entries, legend, loc="lower center", ncol=per_row, frameon=False)
    return figure, axes


def save(figure, folder, name, *formats):
    """Into files, whose paths it gives back."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{name}.{form}" for form in formats]
    for file in files:
        figure.savefig(file, dpi=110, metadata={"Date": None} if file.suffix == ".svg" else None)
    plt.close(figure)
    return files


def percent(plan, scenarios="nominal"):
    return 100 / plan.prescription_Gy_RBE_per_fraction * plan.dose(scenarios=scenarios)


def dose_picture(plans, lines, ct):
    k = plans[0].structures[plans[0].target].middle()
    height = 0.6 + 3 * len(plans[0].y) / len(plans[0].x)
    figure, axes = panels(2, len(plans), 3.3, height, f"{plans[0].case}, z = {round(plans[0].z[k])} mm",
                          {**lines, "95 % of the prescription": {**ISODOSE, "color": "silver"}})
    for column, plan in enumerate(plans):
        k = plan.structures[plan.target].middle()
        for a, (scenarios, title) in zip(axes[:, column], (("nominal", "nominal"), ("min", "lowest over scenarios"))):
            if ct:
                show_ct(a, ct, plan.z[k])
            dose = percent(plan, scenarios)[k]
            image = show(a, plan, k, numpy.ma.masked_less(dose, LEAST), lines, **DOSE, alpha=0.7 if ct else 1)
            contour(a, plan, dose, 95, ISODOSE)
            a.set_title(f"{plan.arm} {plan.sweep}".strip() + f"\n{title}")
    figure.colorbar(image, ax=axes, shrink=0.6, label="RBE-weighted dose, % of the prescription")
    return figure


def dvh_picture(plans, lines):
    n = int(plans[0]["scenarios"].in_set.sum())
    title = f"{plans[0].case}: lines without errors, bands over the {n} scenarios"
    figure, axes = panels(1, len(plans), 3.6, 3.3, title, lines)
    for a, plan in zip(axes[0], plans):
        show_dvh(a, plan, lines)
        a.set_title(f"{plan.arm} {plan.sweep}".strip())
    return figure


def parser_of(doc):
    """The command line of a script that draws plans; the script may add to it."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=pathlib.Path, help="folder of a study's results")
    parser.add_argument("-o", "--output", type=pathlib.Path, default=pathlib.Path("."), help="folder for the pictures")
    return parser


def parse(parser):
    """What was given, and the plans of each case."""
    arguments, by_case = parser.parse_args(), {}
    for plan in robion.Results(arguments.results).plans.values():
        by_case.setdefault(plan.case, []).append(plan)
    if not by_case:
        parser.error(f"no cases/*/plan.h5 in {arguments.results}")
    return arguments, by_case


def main():
    parser = parser_of(__doc__)
    parser.add_argument("--ct", type=pathlib.Path, help="case file whose CT is drawn behind the dose")
    parser.add_argument("--structures", type=lambda names: names.split(","), help="those that are drawn; default: all")
    parser.add_argument("--format", default="png", help="png, pdf, svg")
    arguments, by_case = parse(parser)
    for case, plans in by_case.items():
        lines = styles(plans, arguments.structures)
        inner = {name: line for name, line in lines.items() if line not in LINES["external"]}
        for kind, figure in (("dose", dose_picture(plans, lines, arguments.ct)), ("dvh", dvh_picture(plans, inner))):
            print(*save(figure, arguments.output, f"{case}-{kind}", arguments.format))


if __name__ == "__main__":
    main()
