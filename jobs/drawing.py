"""The pieces that the studies' scripts draw with (numpy, h5py, matplotlib); `robion report` shows any plan without them."""
import argparse
import itertools
import pathlib

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.lines import Line2D

import robion

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "black"]  # of arms, or whatever is compared
ORGANS = "magenta", "saddlebrown", "darkorange", "#00a000", "deepskyblue", "#7a5cff", "#b8860b", "crimson", "teal", "#888888"
LINES = {"target": [{"color": colour, "linestyle": dashes, "linewidth": 1.5}
                    for colour in ("black", "dimgray") for dashes in ("solid", "dashed", "dashdot", "dotted")],
         "oar": [{"color": colour, "linewidth": 1.3} for colour in ORGANS],
         "external": [{"color": "gray", "linewidth": 0.9}]}
DOSE = {"cmap": "turbo", "vmin": 0, "vmax": 115}  # percent of the prescription
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
