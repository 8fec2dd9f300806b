#!/usr/bin/env python3
"""Figures of the cohort, PNG and SVG into the results' figures/ (needs numpy, h5py and matplotlib):

    figures.py results/chordoma-dose-painting [--case chordoma-6]

  table-1      doses and LETd of Table 1: published (open, black) beside ours (filled), medians and quartiles
  tcp          TCP of the arms for nominal, best and worst cell counts, and the gain over uniform
  terciles     gain of TCP over uniform by tercile of the cell count, all voxels and the patients' means
  organs       doses of organs at risk by patient, and their limits
  histograms   mean histograms of the patients, and their SD
  patients     TCP of each patient, from worst to best cell counts
  sagittal-CASE  TCP of voxels for nominal, best and worst cell counts, a column per arm
  slices-CASE  dose, LETd, TCP, cell count and gain of TCP in one axial slice, a column per arm

Plans that are missing, and figures that nothing is there for, are left out and named.
"""
import argparse
import pathlib

import numpy
from matplotlib.patches import Patch

from painting import (PUBLISHED, PUBLISHED_ARMS, PUBLISHED_CELLS, PUBLISHED_GAIN, PUBLISHED_HIGH_LESS_LOW, PUBLISHED_TCP,
                      PUBLISHED_TERCILES, TERCILE_EDGES, TERCILES, Results, quantity)
import cohort
import drawing
import slices

SOURCE = "Parrella et al. 2025, 10 patients"
THEIRS = {"facecolor": "white", "edgecolor": "#777777", "hatch": "//"}  # bars of published values
WHISKER = {"color": "black", "fmt": "none", "capsize": 3, "linewidth": 1.3}
DOTS = {"color": "black", "marker": "o", "markersize": 3.5, "markerfacecolor": "none", "linestyle": "none"}


def patients(counts):
    """"10 patients", or how many of each arm where they differ."""
    numbers = set(counts.values())
    told = str(numbers.pop()) if len(numbers) == 1 else ", ".join(f"{n} {a}" for a, n in counts.items())
    return f"{told} patient{'' if told == '1' else 's'}"


def dots(axes, at, values, **how):
    """Points side by side about a position, in the order of the cases."""
    steps = numpy.linspace(-0.1, 0.1, len(values)) if len(values) > 1 else [0.0]
    axes.plot(at + numpy.array(steps), values, **{**DOTS, **how})


def quartiles(results, arm, kind, structure, metric):
    """Median and quartiles of one cell of Table 1, or None."""
    if kind == "published":
        return PUBLISHED[structure, metric][PUBLISHED_ARMS.index(arm)]
    ours = results.of(arm, structure, quantity(metric), metric)
    return numpy.percentile(ours, [50, 25, 75]) if len(ours) else None


def table_1(results):
    """A panel per structure, doses above and LETd below."""
    counts = {a: len(results.of(a, "GTV", "rbe_weighted_course", "D50")) for a in results.arms}
    if not any(counts.values()):
        return None
    style = {}
    for n, a in enumerate(results.arms):
        common = {"marker": "so^vD"[n % 5], "markersize": 5, "capsize": 2.5, "linestyle": "none"}
        if a in PUBLISHED_ARMS:
            style[a, "published"] = {**common, "color": "black", "markerfacecolor": "none"}
        style[a, "ours"] = {**common, "color": cohort.colour(results, a)}
    structures = list(dict.fromkeys(s for s, _ in PUBLISHED))
    legend = {", ".join(source): {key: value for key, value in how.items() if key != "capsize"} for source, how in style.items()}
    title = f"Medians and quartiles; published: {SOURCE}; ours: {patients(counts)}"
    figure, axes = drawing.panels(2, len(structures), 3.2, 2.8, title, legend)
    for (line, column), a in numpy.ndenumerate(axes):
        structure, letter, label = structures[column], "DL"[line], ("course, Gy(RBE)", "LETd, keV/µm")[line]
        metrics = [m for s, m in PUBLISHED if s == structure and m[0] == letter]
        for k, (source, how) in enumerate(style.items()):
            for i, m in enumerate(metrics):
                if (q := quartiles(results, *source, structure, m)) is not None:
                    a.errorbar(i + 0.75 * ((k + 0.5) / len(style) - 0.5), q[0], [[q[0] - q[1]], [q[2] - q[0]]], **how)
        a.set(title=structure.replace("-", " - "), xlim=(-0.5, len(metrics) - 0.5), ylabel="" if column else label)
        a.set_xticks(range(len(metrics)), [m.replace("mean", " mean") for m in metrics])
        a.grid(axis="y")
    return figure


def bar(axes, at, mean, low, high, **how):
    axes.bar(at, mean, 0.32, **how)
    if low < high:
        axes.errorbar(at, mean, [[mean - low], [high - mean]], **WHISKER)


def tcp_panel(axes, results, arms):
    """TCP with its range over cell counts, published and ours."""
    told = {"ha": "center", "va": "bottom", "fontsize": 8}
    for i, a in enumerate(arms):
        mean, best, worst = (results.tcp(a, m).mean() for m in ("TCP", "TCP_best", "TCP_worst"))
        bar(axes, i + 0.19, mean, worst, best, color=cohort.colour(results, a), alpha=0.85)
        dots(axes, i + 0.19, results.tcp(a))
        axes.text(i + 0.19, 3, f"{mean:.1f}\n{worst:.1f}–{best:.1f}", color="white", **told)
        theirs = PUBLISHED_TCP[a][0] if a in PUBLISHED_TCP else None
        if a in PUBLISHED_GAIN and theirs is None:
            theirs = PUBLISHED_TCP["uniform"][0] + PUBLISHED_GAIN[a][0]
        if theirs:
            bar(axes, i - 0.19, theirs, *(theirs + step for step in PUBLISHED_CELLS), **THEIRS)
            axes.text(i - 0.19, 3, f"{theirs:.1f}", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5}, **told)
    low, high = PUBLISHED_CELLS
    axes.set(title=f"whiskers: worst to best cell counts; published {low:+} to {high:+} pp", ylim=(0, 100), ylabel="TCP, %")


def gain_panel(axes, results, arms):
    for i, a in enumerate(arms):
        ours = results.gain(a)
        mean, sd = ours.mean(), ours.std(ddof=1) if len(ours) > 1 else 0.0
        bar(axes, i + 0.19, mean, mean - sd, mean + sd, color=cohort.colour(results, a), alpha=0.85)
        dots(axes, i + 0.19, ours)
        if a in PUBLISHED_GAIN:
            mean, sd = (value or 0.0 for value in PUBLISHED_GAIN[a])
            bar(axes, i - 0.19, mean, mean - sd, mean + sd, **THEIRS)
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(title="whiskers: SD of patients", ylabel="gain of TCP over uniform, pp")


def tcp(results):
    """TCP with its range over cell counts, and beside it the gain over uniform."""
    arms = [a for a in results.arms if len(results.tcp(a))]
    if not arms:
        return None
    drawn = [(tcp_panel, arms), (gain_panel, [a for a in arms if a != "uniform" and len(results.gain(a))])]
    drawn = [(panel, of) for panel, of in drawn if of]
    counts = {a: len(results.tcp(a)) for a in arms}
    title = f"TCP of the GTV; published: {SOURCE}; ours: {patients(counts)}"
    figure, axes = drawing.panels(1, len(drawn), 4.9, 3.6, title, {
        "published, mean (redistribution: uniform + gain)": Patch(**THEIRS), "ours, mean": Patch(color=drawing.COLOURS[0]),
        "ours, patients": DOTS}, widths=[len(of) for _, of in drawn])
    for a, (panel, of) in zip(axes[0], drawn):
        panel(a, results, of)
        a.set_xticks(range(len(of)), of)
        a.grid(axis="y")
    return figure


def weighted_percentiles(values, weights, percents):
    order = numpy.argsort(values)
    share = numpy.cumsum(weights[order]) - 0.5 * weights[order]
    return numpy.interp(numpy.array(percents) / 100 * weights.sum(), share, values[order])


def tercile_panel(axes, results, arm, voxels):
    """Boxes of all voxels, the patients' means and the published means."""
    cells, gain, share = (numpy.concatenate([v[k] for v in voxels]) for k in (1, 2, 3))
    means, shade = numpy.array([m for _, m in results.tercile_gains(arm)]), cohort.colour(results, arm)
    for t, name in enumerate(TERCILES):
        within = (cells > 0) & (numpy.digitize(cells, TERCILE_EDGES) == t)
        if within.any():
            box = dict(zip(("whislo", "q1", "med", "q3", "whishi"),
                           weighted_percentiles(gain[within], share[within], (5, 25, 50, 75, 95))))
            line = {"color": shade, "linewidth": 1.3}
            axes.bxp([box], [t], [0.35], showfliers=False, patch_artist=True,
                     boxprops={"facecolor": shade + "4d", "edgecolor": shade},
                     medianprops={"color": "black", "linewidth": 2}, whiskerprops=line, capprops=line)
        dots(axes, t + 0.33, means[~numpy.isnan(means[:, t]), t], color=shade, markerfacecolor=shade)
        if name in PUBLISHED_TERCILES.get(arm, {}):
            mean, sd = PUBLISHED_TERCILES[arm][name]
            axes.errorbar(t - 0.33, mean, sd or 0.0, color="black", marker="D", markerfacecolor="none", capsize=3)
    apart = means[:, 2] - means[:, 0]
    title = f"{arm}, {patients({arm: len(voxels)})}"
    if not numpy.isnan(apart).all():
        title += f"\nhigh - low: {numpy.nanmean(apart):.1f} pp, published about {PUBLISHED_HIGH_LESS_LOW} pp"
    axes.set_title(title)


def terciles(results):
    """A panel per painted arm."""
    voxels = {arm: list(results.voxel_gains(arm)) for arm in results.painted}
    for arm in (arm for arm in voxels if not voxels[arm]):
        print(f"left out: terciles of {arm}, no patient has it and uniform with TCP")
    drawn = [arm for arm in voxels if voxels[arm]]
    if not drawn:
        return None
    figure, axes = drawing.panels(1, len(drawn), 4, 3.6, "Gain of TCP by voxel in terciles of the cell count", {
        "all voxels: quartiles, median, 5 to 95 %": Patch(facecolor="#dddddd", edgecolor="gray"),
        "means of patients": {**DOTS, "color": "gray", "markerfacecolor": "gray"},
        "published mean and SD": {"color": "black", "marker": "D", "markerfacecolor": "none"}}, sharey=True)
    low, high = (f"{e / 1e5:.1f}·10$^5$" for e in TERCILE_EDGES)
    for a, arm in zip(axes[0], drawn):
        tercile_panel(a, results, arm, voxels[arm])
        a.axhline(0, color="black", linewidth=0.8)
        a.set(xlim=(-0.6, 2.6), xlabel="clonogens per 27 mm³", ylabel="gain of TCP over uniform, pp")
        a.set_xticks(range(3), [f"{n}\n{r}" for n, r in zip(TERCILES, (f"< {low}", f"to {high}", f"> {high}"))])
        a.grid(axis="y")
        a.label_outer()
    return figure


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=pathlib.Path, help="folder of the study's results")
    parser.add_argument("--case", help="patient whose slices are drawn; default: the first that has most arms")
    arguments = parser.parse_args()
    results = Results(arguments.results)
    for line in results.left_out():
        print(f"left out: {line}")
    of_arms = [results.plans_of(arm) for arm in results.arms]
    case = arguments.case or max(results.cases, key=lambda c: sum(c in plans for plans in of_arms))
    plans = [plans[case] for plans in of_arms if case in plans]
    if not plans:
        there = sorted({c for plans in of_arms for c in plans})
        parser.error(f"{case} has no plan; patients that have: {' '.join(there)}")
    for name, make, of in (("table-1", table_1, results), ("tcp", tcp, results), ("terciles", terciles, results),
                           ("organs", cohort.organs, results), ("histograms", cohort.histograms, results),
                           ("patients", cohort.patients, results), (f"sagittal-{case}", cohort.sagittal, plans),
                           (f"slices-{case}", slices.picture, plans)):
        figure = make(of)
        if figure:
            png, _ = drawing.save(figure, arguments.results / "figures", name, "png", "svg")
            print(f"drew {png} and .svg")
        else:
            print(f"left out: {name}, no plan has what it shows")


if __name__ == "__main__":
    main()
