#!/usr/bin/env python3
"""Figures of the cohort, PNG and SVG into the results' figures/ (needs numpy, h5py and gnuplot):

    figures.py results/chordoma-dose-painting [--case chordoma-6]

  table-1      doses and LETd of Table 1: published (open, black) beside ours (filled), medians and quartiles
  tcp          TCP of the arms for nominal, best and worst cell counts, and the gain over uniform
  terciles     gain of TCP over uniform by tercile of the cell count, all voxels and the patients' means
  slices-CASE  dose, LETd, TCP, cell count and gain of TCP in one axial slice, a column per arm

Plans that are missing, and figures that nothing is there for, are left out and named.
"""
import argparse
import pathlib
import shutil

import numpy

import slices
from gnuplot import block, draw, key, place
from painting import (PUBLISHED, PUBLISHED_ARMS, PUBLISHED_CELLS, PUBLISHED_GAIN, PUBLISHED_HIGH_LESS_LOW, PUBLISHED_TCP,
                      PUBLISHED_TERCILES, TERCILE_EDGES, TERCILES, Results, quantity)

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]  # of arms
SOURCE = "Parrella et al. 2025, 10 patients"
THEIRS = "fs pattern 4 border lc rgb 'black' lc rgb '#777777'"  # bars of published values
COMMON = """set grid ytics lc rgb '#cccccc' lw 0.7
set border lw 0.8
set tics nomirror out scale 0.6
set style fill solid 0.85 border lc rgb '#333333'
set bars 0.7
set title offset 0,-0.5
unset key
"""


def colour(results, arm):
    return COLOURS[results.arms.index(arm) % len(COLOURS)]


def patients(counts):
    """"10 patients", or how many of each arm where they differ."""
    numbers = set(counts.values())
    told = str(numbers.pop()) if len(numbers) == 1 else ", ".join(f"{n} {a}" for a, n in counts.items())
    return f"{told} patient{'' if told == '1' else 's'}"


def spread_out(at, values):
    """Points side by side about a position, in the order of the cases."""
    steps = numpy.linspace(-0.1, 0.1, len(values)) if len(values) > 1 else [0.0]
    return [(at + float(s), float(v)) for s, v in zip(steps, values)]


def quartiles(results, arm, kind, structure, metric):
    """Median and quartiles of one cell of Table 1, or None."""
    if kind == "published":
        return PUBLISHED[structure, metric][PUBLISHED_ARMS.index(arm)]
    ours = results.of(arm, structure, quantity(metric), metric)
    return [float(q) for q in numpy.percentile(ours, [50, 25, 75])] if len(ours) else None


def table_1(results):
    """A panel per structure, doses above and LETd below."""
    counts = {a: len(results.of(a, "GTV", "rbe_weighted_course", "D50")) for a in results.arms}
    if not any(counts.values()):
        return None
    sources = [(a, kind) for a in results.arms for kind in ("published", "ours") if kind == "ours" or a in PUBLISHED_ARMS]
    style = {(a, kind): "yerrorbars pt {} ps 0.8 lw 1.3 lc rgb '{}'".format(
        4 + 2 * (results.arms.index(a) % 5) + (kind == "ours"), "black" if kind == "published" else colour(results, a))
        for a, kind in sources}
    size, data, panels = (1000, 700), "", ""
    for line, (letter, label) in enumerate((("D", "course, Gy(RBE)"), ("L", "LETd, keV/{/Symbol m}m"))):
        for s, structure in enumerate(dict.fromkeys(s for s, _ in PUBLISHED)):
            metrics = [m for st, m in PUBLISHED if st == structure and m[0] == letter]
            plots = []
            for k, source in enumerate(sources):
                cells = [(i, quartiles(results, *source, structure, m)) for i, m in enumerate(metrics)]
                rows = [(i + 0.75 * ((k + 0.5) / len(sources) - 0.5), *q) for i, q in cells if q is not None]
                if rows:
                    data += block(f"t{line}{s}{k}", rows)
                    plots.append(f"$t{line}{s}{k} with {style[source]}")
            tics = ", ".join(f"'{m.replace('mean', ' mean')}' {i}" for i, m in enumerate(metrics))
            panels += (place(size, 65 + 318 * s, 390 - 300 * line, 265, 235)
                       + f"set title '{structure.replace('-', ' - ')}' noenhanced\nset xtics ({tics})\n"
                       f"set xrange [-0.5:{len(metrics) - 0.5}]\nset ylabel '{'' if s else label}'\nplot {', '.join(plots)}\n")
    legend = [(style[source], ", ".join(source)) for source in sources]
    return size, (COMMON + data + f'set multiplot title "Medians and quartiles; published: {SOURCE}; ours: {patients(counts)}"\n'
                  + panels + key(size, legend, 12) + "unset multiplot\n")


def tcp_data(results, arms):
    """Bars and points of the figure of TCP, by name of their data block; positions count arms, of gains painted ones."""
    data = {name: [] for name in ("published", "ours", "dots", "published_gain", "gain", "gain_dots")}
    for i, a in enumerate(arms):
        each = results.of(a, "GTV", "tcp", "TCP")
        best, worst = (results.of(a, "GTV", "tcp", m).mean() for m in ("TCP_best", "TCP_worst"))
        shade = int(colour(results, a)[1:], 16)
        data["ours"].append((i + 0.19, each.mean(), worst, best, shade))
        data["dots"] += spread_out(i + 0.19, each)
        gain, gain_sd = PUBLISHED_GAIN.get(a, (None, None))
        mean = PUBLISHED_TCP[a][0] if a in PUBLISHED_TCP else gain and PUBLISHED_TCP["uniform"][0] + gain
        if mean:
            data["published"].append((i - 0.19, mean, mean + PUBLISHED_CELLS[0], mean + PUBLISHED_CELLS[1]))
        ours = results.gain(a) if a != "uniform" else []
        if len(ours):
            at = arms.index(a) - ("uniform" in arms)
            data["gain"].append((at + 0.19, ours.mean(), float(ours.std(ddof=1)) if len(ours) > 1 else 0.0, shade))
            data["gain_dots"] += spread_out(at + 0.19, ours)
            if gain:
                data["published_gain"].append((at - 0.19, gain, gain_sd or 0.0))
    return data


def bars(data, theirs, ours, dots, whisker):
    """Bars with whiskers, published and ours, and the patients' points."""
    line = "with vectors heads size screen 0.004,90 lw 1.6 lc rgb 'black'"
    plots = [f"${theirs} using 1:2 with boxes {THEIRS}", f"'' using {whisker} {line}"] if data[theirs] else []
    plots += [f"${ours} using 1:2:{len(data[ours][0])} with boxes lc rgb variable", f"'' using {whisker} {line}",
              f"${dots} using 1:2 with points pt 6 ps 0.5 lc rgb 'black'"]
    return plots


def tcp(results):
    """TCP with its range over cell counts, and beside it the gain over uniform."""
    arms = [a for a in results.arms if len(results.of(a, "GTV", "tcp", "TCP"))]
    if not arms:
        return None
    data, size = tcp_data(results, arms), (1000, 470)
    painted = [a for a in arms if a != "uniform"]
    names = lambda of: ", ".join(f"'{a}' {i}" for i, a in enumerate(of))
    low, high = PUBLISHED_CELLS
    told = "with labels offset 0,0.7 font ',8.5'"
    plots = bars(data, "published", "ours", "dots", "1:3:(0):($4-$3)")
    plots += [f"$published using 1:4:(sprintf('%.1f', $2)) {told}"] if data["published"] else []
    plots += [f"$ours using 1:4:(sprintf('%.1f (%.1f to %.1f)', $2, $3, $4)) {told}"]
    counts = {a: len(results.of(a, "GTV", "tcp", "TCP")) for a in arms}
    script = (COMMON + "".join(block(*d) for d in data.items() if d[1]) + "set boxwidth 0.32\n"
              f"set multiplot title 'TCP of the GTV; published: {SOURCE}; ours: {patients(counts)}'\n"
              + place(size, 75, 90, 550 if data["gain"] else 900, 310)
              + f"set xtics ({names(arms)}) noenhanced\nset xrange [-0.5:{len(arms) - 0.5}]; set yrange [0:100]\n"
              f"set ylabel 'TCP, %'\nset title 'whiskers: worst to best cell counts; published {low:+} to {high:+} pp'\n"
              f"plot {', '.join(plots)}\n")
    if data["gain"]:
        script += (place(size, 700, 90, 280, 310) + f"set xtics ({names(painted)}) noenhanced\n"
                   f"set xrange [-0.5:{len(painted) - 0.5}]; set yrange [*:*]; set xzeroaxis lt -1; set offsets 0, 0, 0.5, 0\n"
                   "set ylabel 'gain of TCP over uniform, pp'\nset title 'whiskers: SD of patients'\n"
                   f"plot {', '.join(bars(data, 'published_gain', 'gain', 'gain_dots', '1:($2-$3):(0):(2*$3)'))}\n")
    legend = [(f"boxes {THEIRS}", "published, mean (redistribution: uniform + gain)"),
              ("boxes lc rgb '#0072B2'", "ours, mean"), ("points pt 6 ps 0.5 lc rgb 'black'", "ours, patients")]
    return size, script + key(size, legend, 20) + "unset multiplot\n"


def weighted_percentiles(values, weights, percents):
    order = numpy.argsort(values)
    share = numpy.cumsum(weights[order]) - 0.5 * weights[order]
    return [float(v) for v in numpy.interp(numpy.array(percents) / 100 * weights.sum(), share, values[order])]


def tercile_data(results, arm):
    """Boxes of all voxels, the patients' means and the published means, and what to say above; None without TCP."""
    voxels = list(results.voxel_gains(arm))
    if not voxels:
        print(f"left out: terciles of {arm}, no patient has it and uniform with TCP")
        return None
    cells, gain, share = (numpy.concatenate([v[k] for v in voxels]) for k in (1, 2, 3))
    means = numpy.array([m for _, m in results.tercile_gains(arm)])
    boxes, dots, published = [], [], []
    for t, name in enumerate(TERCILES):
        within = (cells > 0) & (numpy.digitize(cells, TERCILE_EDGES) == t)
        if within.any():
            boxes.append((t, *weighted_percentiles(gain[within], share[within], (5, 25, 50, 75, 95))))
        dots += spread_out(t + 0.33, means[~numpy.isnan(means[:, t]), t])
        if name in PUBLISHED_TERCILES.get(arm, {}):
            mean, sd = PUBLISHED_TERCILES[arm][name]
            published.append((t - 0.33, mean, sd or 0.0))
    apart = means[:, 2] - means[:, 0]
    told = f"{arm}, {patients({arm: len(voxels)})}"
    if not numpy.isnan(apart).all():
        told += f"\\n{{/*0.9 high - low: {numpy.nanmean(apart):.1f} pp, published about {PUBLISHED_HIGH_LESS_LOW} pp}}"
    return boxes, dots, published, told


def terciles(results):
    """A panel per painted arm."""
    drawn = [(a, d) for a, d in ((a, tercile_data(results, a)) for a in results.painted) if d]
    if not drawn:
        return None
    size, data, panels = (70 + 410 * len(drawn), 520), "", ""
    values = [v for _, (boxes, dots, published, _) in drawn for v in
              (*(x for b in boxes for x in (b[1], b[5])), *(d[1] for d in dots),
               *(p[1] + s * p[2] for p in published for s in (-1, 1)))]
    for n, (a, (boxes, dots, published, told)) in enumerate(drawn):
        data += block(f"box{n}", boxes) + block(f"dots{n}", dots)
        shade = colour(results, a)
        plots = [f"$box{n} using 1:3:2:6:5 with candlesticks lc rgb '{shade}' lw 1.4 fs solid 0.3 border lc "
                 f"rgb '{shade}' whiskerbars 0.5",
                 "'' using ($1-0.175):4:(0.35):(0) with vectors nohead lw 2.5 lc rgb 'black'",
                 f"$dots{n} using 1:2 with points pt 7 ps 0.6 lc rgb '{shade}'"]
        if published:
            data += block(f"published{n}", published)
            plots.append(f"$published{n} using 1:2:3 with yerrorbars pt 12 ps 1.3 lw 1.6 lc rgb 'black'")
        panels += (place(size, 70 + 410 * n, 130, 370, 310)
                   + f'set title "{told}"\nset ylabel "{"" if n else "gain of TCP over uniform, pp"}"\nplot {", ".join(plots)}\n')
    low, high = (f"{e / 1e5:.1f}·10^5" for e in TERCILE_EDGES)
    ranges = f"< {low}", f"to {high}", f"> {high}"
    tics = ", ".join(f'"{n}\\n{{/*0.85 {r}}}" {i}' for i, (n, r) in enumerate(zip(TERCILES, ranges)))
    legend = [("boxes lc rgb '#999999' fs solid 0.3 border lc rgb '#999999'", "all voxels: quartiles, median, 5 to 95 %"),
              ("points pt 7 ps 0.6 lc rgb '#999999'", "means of patients"),
              ("yerrorbars pt 12 ps 1.3 lw 1.6 lc rgb 'black'", "published mean and SD")]
    return size, (COMMON + data + "set multiplot title 'Gain of TCP by voxel in terciles of the cell count'\n"
                  f"set xtics ({tics})\nset xrange [-0.6:2.6]; set yrange [{min(values) - 1:.0f}:{max(values) + 1:.0f}]\n"
                  "set xzeroaxis lt -1; set boxwidth 0.35\nset xlabel 'clonogens per 27 mm^3' offset 0,-1\n" + panels
                  + key(size, legend, 12) + "unset multiplot\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=pathlib.Path, help="folder of the study's results")
    parser.add_argument("--case", help="patient whose slices are drawn; default: the first that has most arms")
    arguments = parser.parse_args()
    if not shutil.which("gnuplot"):
        parser.error("gnuplot, which draws, is not there")
    results = Results(arguments.results)
    for line in results.left_out():
        print(f"left out: {line}")
    case = arguments.case or max(results.cases, key=lambda c: sum((c, a) in results.plans for a in results.arms))
    arms = [a for a in results.arms if (case, a) in results.plans]
    if not arms:
        parser.error(f"{case} has no plan; patients that have: {' '.join(sorted({c for c, _ in results.plans}))}")
    folder = arguments.results / "figures"
    folder.mkdir(exist_ok=True)
    for name, make, of in (("table-1", table_1, results), ("tcp", tcp, results), ("terciles", terciles, results),
                           (f"slices-{case}", slices.script, [results.plans[case, a] for a in arms])):
        figure = make(of)
        if figure:
            draw(folder, name, *figure)
        else:
            print(f"left out: {name}, no plan has what it shows")


if __name__ == "__main__":
    main()
