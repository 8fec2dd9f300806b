#!/usr/bin/env python3
"""The table of README.md from a results folder:  table.py results/rtog-benchmark"""
import csv
import pathlib
import sys

# Yagi et al., PLOS ONE 18(7):e0288545 (2023), Table 3: nominal, max, min, index, relative to the prescription.
YAGI = {
    ("rtog-homogeneous", "conventional"): ((0.89, 0.96, 0.82, 0.15), (1.11, 1.24, 0.93, 0.31)),
    ("rtog-homogeneous", "worst-case"): ((0.94, 0.96, 0.92, 0.04), (0.94, 1.01, 0.88, 0.12)),
    ("rtog-heterogeneous", "conventional"): ((0.97, 0.98, 0.84, 0.14), (0.99, 1.17, 0.92, 0.26)),
    ("rtog-heterogeneous", "worst-case"): ((0.96, 0.97, 0.93, 0.04), (0.90, 0.99, 0.85, 0.13)),
}
PRESCRIPTION = 4.8  # Gy(RBE) per fraction

value = {}
with open(pathlib.Path(sys.argv[1]) / "metrics.csv", newline="") as file:
    for r in csv.DictReader(file):
        if r["quantity"] == "rbe_weighted":
            value[r["case"], r["arm"], r["structure"], r["metric"], r["scenario"]] = float(r["value"]) / PRESCRIPTION

print("| phantom, arm | metric | nominal | max | min | index |\n| --- | --- | --- | --- | --- | --- |")
for (case, arm), published in YAGI.items():
    for (structure, metric), theirs in zip((("CTV", "D98"), ("OAR", "Dmax")), published):
        ours = [value[case, arm, structure, metric, s] for s in ("nominal", "max", "min", "index")]
        cells = (f"{a:.2f} \\| {b:.2f}" for a, b in zip(ours, theirs))
        print(f"| {case.removeprefix('rtog-')}, {arm} | {structure} {metric} | {' | '.join(cells)} |")
