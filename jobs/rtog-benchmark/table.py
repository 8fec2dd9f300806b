#!/usr/bin/env python3
"""The tables of README.md from a results folder:  table.py results/rtog-benchmark"""
import csv
import pathlib
import sys

# Yagi et al., PLOS ONE 18(7):e0288545 (2023): nominal, max, min, index of CTV D98 and of OAR Dmax, relative to the prescription.
CONVENTIONAL = {
    "rtog-homogeneous": ((0.89, 0.96, 0.82, 0.15), (1.11, 1.24, 0.93, 0.31)),
    "rtog-heterogeneous": ((0.97, 0.98, 0.84, 0.14), (0.99, 1.17, 0.92, 0.26)),
}
YAGI = {
    "Table 2: spot control": {
        ("rtog-homogeneous", "conventional"): CONVENTIONAL["rtog-homogeneous"],
        ("rtog-homogeneous", "spot-control-heterogeneity"): ((0.98, 0.98, 0.81, 0.17), (0.96, 1.16, 0.91, 0.25)),
        ("rtog-homogeneous", "spot-control-gradient"): ((0.90, 0.94, 0.83, 0.11), (1.01, 1.15, 0.91, 0.24)),
        ("rtog-heterogeneous", "conventional"): CONVENTIONAL["rtog-heterogeneous"],
        ("rtog-heterogeneous", "spot-control-heterogeneity"): ((0.96, 0.98, 0.81, 0.18), (0.99, 1.16, 0.96, 0.20)),
        ("rtog-heterogeneous", "spot-control-gradient"): ((0.98, 0.98, 0.87, 0.11), (0.94, 1.09, 0.90, 0.19)),
    },
    "Table 3: worst case": {
        ("rtog-homogeneous", "conventional"): CONVENTIONAL["rtog-homogeneous"],
        ("rtog-homogeneous", "worst-case"): ((0.94, 0.96, 0.92, 0.04), (0.94, 1.01, 0.88, 0.12)),
        ("rtog-heterogeneous", "conventional"): CONVENTIONAL["rtog-heterogeneous"],
        ("rtog-heterogeneous", "worst-case"): ((0.96, 0.97, 0.93, 0.04), (0.90, 0.99, 0.85, 0.13)),
    },
}
PRESCRIPTION = 4.8  # Gy(RBE) per fraction

value = {}
with open(pathlib.Path(sys.argv[1]) / "metrics.csv", newline="") as file:
    for r in csv.DictReader(file):
        if r["quantity"] == "rbe_weighted":
            value[r["case"], r["arm"], r["structure"], r["metric"], r["scenario"]] = float(r["value"]) / PRESCRIPTION

for title, table in YAGI.items():
    print(f"{title}\n\n| phantom, arm | metric | nominal | max | min | index |\n| --- | --- | --- | --- | --- | --- |")
    for (case, arm), published in table.items():
        for (structure, metric), theirs in zip((("CTV", "D98"), ("OAR", "Dmax")), published):
            ours = [value.get((case, arm, structure, metric, s)) for s in ("nominal", "max", "min", "index")]
            cells = (f"{'-' if a is None else f'{a:.3f}'} \\| {b:.2f}" for a, b in zip(ours, theirs))
            print(f"| {case.removeprefix('rtog-')}, {arm} | {structure} {metric} | {' | '.join(cells)} |")
    print()
