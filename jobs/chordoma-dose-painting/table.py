#!/usr/bin/env python3
"""Published figures beside ours, as Markdown, and tcp_terciles.csv:  table.py results/chordoma-dose-painting

Needs numpy and h5py. With a sweep (sensitivity.yaml) the tables are those of its first point, and one of all points follows.
"""
import csv
import sys

import numpy

from painting import (PUBLISHED, PUBLISHED_ARMS, PUBLISHED_GAIN, PUBLISHED_SIGNIFICANT, PUBLISHED_TCP, TERCILES, WINDOW, Results, quantity,
                      robion)

SIGNIFICANT = 0.05
row = robion.row


def heading(*names):
    print()
    robion.heading(*names)


def median(x):
    if not len(x):
        return ""
    q = numpy.percentile(x, [50, 25, 75])
    return f"{q[0]:.1f} [{q[1]:.1f}–{q[2]:.1f}]"


def spread(x):
    if not len(x):
        return ""
    return f"{x.mean():.1f} ± {x.std(ddof=1):.1f}" if len(x) > 1 else f"{x.mean():.1f}"


def differing(results):
    """(arm, structure, metric) of what differs from uniform at P < 0.05 by Mann-Whitney's test, as the publication marks it."""
    if not (results.folder / "statistics.csv").exists():
        return set()
    return {(s["arm"], s["structure"], s["metric"]) for s in results.statistics
            if s["scenario"] == "nominal" and s["versus_arm"] == "uniform" and s["quantity"] == quantity(s["metric"])
            and s["mann_whitney_p"] is not None and s["mann_whitney_p"] < SIGNIFICANT}


def table_1(results):
    print("Course doses in Gy(RBE), LETd in keV/um: published, ours (median, quartiles); *: differs from uniform, P < 0.05 by Mann-Whitney's test")
    heading("", "", *(name for a in results.arms for name in (f"{a}, published", a)))
    ours_differ = differing(results)
    for (structure, metric), theirs in PUBLISHED.items():
        published = dict(zip(PUBLISHED_ARMS, ("{:.1f} [{:.1f}–{:.1f}]".format(*t) for t in theirs)))
        if (structure, metric) in PUBLISHED_SIGNIFICANT:
            published["escalation"] += "*"
        row(structure, metric, *(cell for a in results.arms for cell in (
            published.get(a, ""),
            median(results.of(a, structure, quantity(metric), metric)) + "*" * ((a, structure, metric) in ours_differ))))


def painted_doses(results):
    """Voxels of painted GTVs against their window, the worst of the patients."""
    print(f"\nVoxels of the GTV, course dose in % of the prescription; {WINDOW[0]} to {WINDOW[1]} % asked for")
    heading("arm", "patients", "coldest voxel", "hottest voxel", "mean, lowest", "mean, highest")
    for a in results.painted:
        each = []
        for case, plan in results.plans_of(a).items():
            gtv = plan.structures["GTV"]
            dose = 100 / plan.course_Gy_RBE * gtv.of(plan.dose("rbe_weighted_course"))
            each.append((dose.min(), case, dose.max(), numpy.average(dose, weights=gtv.fraction)))
        if each:
            cold, hot = min(each), max(each, key=lambda e: e[2])
            means = [e[3] for e in each]
            row(a, str(len(each)), f"{cold[0]:.2f} ({cold[1]})", f"{hot[2]:.2f} ({hot[1]})", f"{min(means):.3f}",
                f"{max(means):.3f}")


def tcp(results):
    heading("TCP, %", "nominal cells", "best cells", "worst cells", "worst scenario", "gain, pp", "published")
    for a in results.arms:
        shown = [spread(results.tcp(a, m)) for m in ("TCP", "TCP_best", "TCP_worst")]
        shown.append(spread(results.tcp(a, scenario="min")))
        if a == "uniform":
            row(a, *shown, "", "{} ± {}".format(*PUBLISHED_TCP[a]))
        else:
            mean, sd = PUBLISHED_GAIN.get(a, (None, None))
            row(a, *shown, spread(results.gain(a)), "" if mean is None else f"{mean:+}" + (f" ± {sd}" if sd else ""))


def terciles(results):
    heading("gain of TCP by voxel, pp", *TERCILES, "high - low")
    with open(results.folder / "tcp_terciles.csv", "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("arm", "case", "tercile", "gain_pp"))
        for a in results.painted:
            each = list(results.tercile_gains(a))
            for case, gains in each:
                table.writerows((a, case, name, f"{x:.6g}") for name, x in zip(TERCILES, gains) if x == x)
            gain = numpy.array([gains for _, gains in each]).reshape(-1, 3)
            row(a, *(spread(x[~numpy.isnan(x)]) for x in (*gain.T, gain[:, 2] - gain[:, 0])))


def goals(results):
    """How many patients meet each goal, and how far the worst is."""
    values = {}
    for r in results.goals:
        if r["sweep"] == results.sweeps[0]:
            course = " of the course" if r["per"] == "course" else ""
            goal = (f"{r['structure']} {r['metric']}{course}, {r['scenario']}",
                    f"{r['relation']} {r['limit']:.4g} {r['unit']}")
            values.setdefault(goal, {}).setdefault(r["arm"], []).append((r["value"], r["met"]))
    print("\nGoals: patients that meet them of all, median, worst")
    heading("goal", "limit", *results.arms)
    for (name, limit), of_arm in values.items():
        worst = min if limit.startswith("at least") else max
        cells = []
        for a in results.arms:
            each = of_arm.get(a, [])
            value = [v for v, _ in each]
            cells.append(f"{sum(met for _, met in each):.0f}/{len(each)}, {numpy.median(value):.1f}, {worst(value):.1f}"
                         if each else "")
        row(name, limit, *cells)


def organs(results):
    """Nominal metrics of organs in painted arms against uniform: those that differ by tests of the pairs, the worse first."""
    oars = {s.name for plan in results.plans.values() for s in plan.structures.values() if s.role == "oar"}
    oars.discard("rim")  # made for planning
    tests = {}
    if (results.folder / "statistics.csv").exists():  # only of more than one patient
        for r in results.statistics:
            if (r["versus_arm"] == "uniform" and r["sweep"] == r["versus_sweep"] == results.sweeps[0] and r["structure"] in oars
                    and r["scenario"] == "nominal" and r["quantity"] in ("rbe_weighted_course", "letd")
                    and r["wilcoxon_p"] is not None):
                tests.setdefault(r["arm"], []).append(r)
    else:
        print("\nno statistics.csv: tests of organs need more than one patient")
    print(f"\nOrgans against uniform, P < {SIGNIFICANT} by the exact Wilcoxon or the paired t test, of course doses and LETd; "
          "more of either is worse (the sacrum holds part of the GTV)")
    for a in results.painted:
        differ = [r for r in tests.get(a, []) if min(1 if r[p] is None else r[p] for p in ("wilcoxon_p", "t_p")) < SIGNIFICANT]
        differ.sort(key=lambda r: r["mean"] <= 0)
        worse = sum(r["mean"] > 0 for r in differ)
        print(f"\n{a}: {len(tests.get(a, []))} metrics tested, {worse} worse, {len(differ) - worse} better")
        if differ:
            heading("organ", "metric", "n", "mean difference", "median difference", "Wilcoxon P", "paired t P", "")
        for r in differ:
            row(r["structure"], r["metric"], f"{r['n']:.0f}", f"{r['mean']:+.2g} {r['unit']}", f"{r['median']:+.2g}",
                f"{r['wilcoxon_p']:.2g}", "" if r["t_p"] is None else f"{r['t_p']:.2g}",
                "worse" if r["mean"] > 0 else "better")


def sweep(results):
    heading("TCP, %", *results.arms)
    for point in results.sweeps:
        row(point, *(spread(results.tcp(a, sweep=point)) for a in results.arms))


def main():
    results = Results(sys.argv[1])
    table_1(results)
    painted_doses(results)
    tcp(results)
    terciles(results)
    goals(results)
    organs(results)
    if len(results.sweeps) > 1:
        sweep(results)
    for line in results.left_out():
        print(f"\nLeft out: {line}")


if __name__ == "__main__":
    main()
