#!/usr/bin/env python3
"""Published figures beside ours, as Markdown, and tcp_terciles.csv:  table.py results/chordoma-dose-painting

Needs numpy and h5py. With a sweep (sensitivity.yaml) the tables are those of its first point, and one of all points follows.
"""
import csv
import pathlib
import sys

import h5py
import numpy

# Parrella et al., phiRO (2025), Table 1, median of ten patients: uniform, escalation.
PUBLISHED = {
    ("GTV", "D95"): (73.2, 73.3), ("GTV", "D50"): (73.6, 76.0), ("GTV", "D1"): (74.5, 79.5), ("GTV", "Dmean"): (73.6, 75.8),
    ("CTV_HD-GTV", "D95"): (73.1, 72.2), ("CTV_HD-GTV", "D50"): (73.6, 73.5), ("CTV_HD-GTV", "D1"): (74.4, 76.4),
    ("CTV_HD-GTV", "Dmean"): (73.5, 73.5), ("CTV_LD-GTV", "D95"): (48.4, 47.7), ("CTV_LD-GTV", "D50"): (72.3, 72.1),
    ("CTV_LD-GTV", "D1"): (74.2, 75.8), ("CTV_LD-GTV", "Dmean"): (67.7, 67.2),
    ("GTV", "L98"): (42.8, 41.5), ("GTV", "L50"): (44.7, 44.1), ("GTV", "L1"): (53.0, 55.6),
    ("CTV_HD-GTV", "L98"): (35.8, 32.3), ("CTV_HD-GTV", "L50"): (43.3, 41.5), ("CTV_HD-GTV", "L1"): (57.0, 60.4),
    ("CTV_LD-GTV", "L98"): (30.6, 29.5), ("CTV_LD-GTV", "L50"): (42.1, 40.0), ("CTV_LD-GTV", "L1"): (64.5, 66.6),
}
GAIN = {"escalation": "+7.8", "redistribution": "+1.8 ± 1.0"}  # of TCP over uniform, percentage points
TERCILE_EDGES = 2.1e5, 3.8e5  # clonogens per 27 mm3
TERCILES = "low", "middle", "high"

results = pathlib.Path(sys.argv[1])
value, arms, sweeps, cases = {}, [], [], []
with open(results / "metrics.csv", newline="") as file:
    for r in csv.DictReader(file):
        for seen, key in ((arms, r["arm"]), (sweeps, r["sweep"]), (cases, r["case"])):
            if key not in seen:
                seen.append(key)
        value[r["arm"], r["sweep"], r["case"], r["scenario"], r["structure"], r["quantity"], r["metric"]] = float(r["value"])


def of(arm, structure, quantity, metric, scenario="nominal", sweep=sweeps[0]):
    """One value per case that has it."""
    keys = [(arm, sweep, case, scenario, structure, quantity, metric) for case in cases]
    return numpy.array([value[k] for k in keys if k in value])


def median(x):
    q = numpy.percentile(x, [50, 25, 75])
    return f"{q[0]:.1f} [{q[1]:.1f}–{q[2]:.1f}]"


def spread(x):
    return f"{x.mean():.1f} ± {x.std(ddof=1):.1f}" if len(x) > 1 else f"{x.mean():.1f}"


def gains(arm):
    """Voxel-wise gain of TCP over uniform by tercile of the cell count, percentage points: a row per case."""
    rows = []
    for case in cases:
        folders = [next((results / "cases" / case / a).rglob("plan.h5"), None) for a in ("uniform", arm)]
        if None in folders:
            continue
        with h5py.File(folders[0]) as a, h5py.File(folders[1]) as b:
            group = a["structures/GTV"]
            voxel, share = group["voxel"][:], group["fraction"][:].astype(float)
            cells = a["tcp/clonogens_nominal"][:].ravel()[voxel]
            gain = 100.0 * (b["dose/nominal/tcp"][:].ravel()[voxel].astype(float) - a["dose/nominal/tcp"][:].ravel()[voxel])
        tercile = numpy.digitize(cells, TERCILE_EDGES)
        within = [(cells > 0) & (tercile == t) for t in range(3)]
        rows.append((case, [numpy.average(gain[w], weights=share[w]) if w.any() else numpy.nan for w in within]))
    return rows


painted = [a for a in arms if a != "uniform"]
print("Course doses in Gy(RBE), LETd in keV/um: published, ours (median, quartiles)\n")
print("| | | " + " | ".join(f"{a}, published | {a}" for a in arms) + " |\n|" + " --- |" * (2 + 2 * len(arms)))
for (structure, metric), theirs in PUBLISHED.items():
    quantity = "letd" if metric[0] == "L" else "rbe_weighted_course"
    published = dict(zip(("uniform", "escalation"), theirs))
    print(f"| {structure} | {metric} | "
          + " | ".join(f"{published.get(a, '')} | {median(of(a, structure, quantity, metric))}" for a in arms) + " |")

print("\n| TCP, % | nominal cells | best cells | worst cells | worst scenario | gain, pp | published |\n|" + " --- |" * 7)
for a in arms:
    shown = [spread(of(a, "GTV", "tcp", m)) for m in ("TCP", "TCP_best", "TCP_worst")] + [spread(of(a, "GTV", "tcp", "TCP", "min"))]
    both = [c for c in cases if all((x, sweeps[0], c, "nominal", "GTV", "tcp", "TCP") in value for x in (a, "uniform"))]
    gain = numpy.array([value[a, sweeps[0], c, "nominal", "GTV", "tcp", "TCP"]
                        - value["uniform", sweeps[0], c, "nominal", "GTV", "tcp", "TCP"] for c in both])
    told = (spread(gain) if a != "uniform" and len(gain) else "", "75.5 ± 5.6" if a == "uniform" else GAIN.get(a, ""))
    print(f"| {a} | " + " | ".join(shown) + " | " + " | ".join(told) + " |")

print("\n| gain of TCP by voxel, pp | " + " | ".join(TERCILES) + " | high - low |\n|" + " --- |" * 5)
with open(results / "tcp_terciles.csv", "w", newline="") as file:
    table = csv.writer(file)
    table.writerow(("arm", "case", "tercile", "gain_pp"))
    for a in painted:
        rows = gains(a)
        for case, row in rows:
            table.writerows((a, case, name, f"{x:.6g}") for name, x in zip(TERCILES, row))
        each = numpy.array([row for _, row in rows]).reshape(-1, 3)
        difference = each[:, 2] - each[:, 0]
        shown = [spread(x[~numpy.isnan(x)]) if (~numpy.isnan(x)).any() else "" for x in (*each.T, difference)]
        print(f"| {a} | " + " | ".join(shown) + " |")

if len(sweeps) > 1:
    print("\n| TCP, % | " + " | ".join(arms) + " |\n|" + " --- |" * (1 + len(arms)))
    for sweep in sweeps:
        print(f"| {sweep} | " + " | ".join(spread(of(a, "GTV", "tcp", "TCP", sweep=sweep)) for a in arms) + " |")
