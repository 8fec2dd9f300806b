#!/usr/bin/env python3
"""The table of README.md from a results folder (needs numpy and h5py):  table.py results/hsg-survival [-o FOLDER]

With -o also survival.png, its bars (needs matplotlib).
"""
import argparse
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import robion

# Yagi et al., PLOS ONE 18(7):e0288545 (2023): survival in flasks 1 to 5, %, as calculated, and as measured.
YAGI = {
    "worst-case": {"calculated": (9.2, 9.7, 10.2, 8.9, 52.0), "measured": (23.0, 26.9, 31.5, 25.7, 55.6)},
    "single-field-uniform": {"measured": (22.7, 24.6, 28.8, 23.0, 24.4)},
}
OURS = (("RBE-weighted dose, Gy(RBE)", "nominal", "rbe_weighted", "Dmean", "{:.2f}"),
        ("physical dose, Gy", "nominal", "physical", "Dmean", "{:.2f}"),
        ("survival, %", "nominal", "survival", "Smean", "{:.1f}"),
        ("survival, %: lowest scenario", "min", "survival", "Smean", "{:.1f}"),
        ("survival, %: highest scenario", "max", "survival", "Smean", "{:.1f}"))
FLASKS = [f"Flask{i}" for i in range(1, 6)]



def table(values):
    robion.heading("arm, quantity", *FLASKS)
    for arm, published in YAGI.items():
        ours = values["donut", arm, ""]
        for what, scenario, quantity, metric, form in OURS:
            robion.row(f"{arm}: {what}", *(form.format(ours[scenario, flask, quantity, metric]) for flask in FLASKS))
        for how, survival in published.items():
            robion.row(f"{arm}: survival, %, {how} by Yagi et al.", *(f"{s:.1f}" for s in survival))


def bars(values, folder):
    """Survival in the flasks, a panel per arm: measured, calculated by the publication, ours with the range over the scenarios."""
    import drawing

    shades = dict(zip(("measured", "calculated", "ours"), ("#999999", "#56B4E9", "#D55E00")))
    names = {"measured": "measured, Yagi et al.", "calculated": "calculated, Yagi et al.", "ours": "ours; whiskers: lowest to highest scenario"}
    legend = {names[how]: {"color": shade, "linewidth": 6} for how, shade in shades.items()}
    figure, axes = drawing.panels(1, len(YAGI), 4.2, 3, "Survival of HSG cells after one fraction", legend, sharey=True)
    for a, (arm, published) in zip(axes[0], YAGI.items()):
        nominal, lowest, highest = ([values["donut", arm, ""][s, flask, "survival", "Smean"] for flask in FLASKS] for s in ("nominal", "min", "max"))
        shown = {**published, "ours": nominal}
        for n, how in enumerate(how for how in shades if how in shown):
            at = [i + 0.27 * (n - (len(shown) - 1) / 2) for i in range(len(FLASKS))]
            a.bar(at, shown[how], 0.25, color=shades[how])
        a.vlines(at, [min(x) for x in zip(lowest, nominal)], [max(x) for x in zip(highest, nominal)], color="black", linewidth=1.2)
        a.set_xticks(range(len(FLASKS)), FLASKS)
        a.set(title=arm, ylabel="survival, %")
        a.grid(axis="y")
        a.label_outer()
    return drawing.save(figure, folder, "survival", "png")


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("results")
parser.add_argument("-o", "--output", type=pathlib.Path)
arguments = parser.parse_args()
values_of = robion.Results(arguments.results).values
table(values_of)
if arguments.output:
    bars(values_of, arguments.output)
