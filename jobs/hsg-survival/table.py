#!/usr/bin/env python3
"""The table of README.md from a results folder:  table.py results/hsg-survival"""
import csv
import pathlib
import sys

# Yagi et al., PLOS ONE 18(7):e0288545 (2023): survival in flasks 1 to 5, %, as calculated, and as measured.
YAGI = {
    "worst-case": ((9.2, 9.7, 10.2, 8.9, 52.0), (23.0, 26.9, 31.5, 25.7, 55.6)),
    "single-field-uniform": (None, (22.7, 24.6, 28.8, 23.0, 24.4)),
}

value = {}
with open(pathlib.Path(sys.argv[1]) / "metrics.csv", newline="") as file:
    for r in csv.DictReader(file):
        value[r["arm"], r["structure"], r["quantity"], r["metric"], r["scenario"]] = float(r["value"])


def row(name, numbers, form):
    print(f"| {name} | {' | '.join(form.format(n) for n in numbers)} |")


print("| arm, quantity | " + " | ".join(f"Flask{i}" for i in range(1, 6)) + " |")
print("| --- | --- | --- | --- | --- | --- |")
for arm, (calculated, measured) in YAGI.items():
    for what, quantity, metric, form in (("RBE-weighted dose, Gy(RBE)", "rbe_weighted", "Dmean", "{:.2f}"),
                                         ("physical dose, Gy", "physical", "Dmean", "{:.2f}"),
                                         ("survival, %", "survival", "Smean", "{:.1f}"),
                                         ("survival, %: lowest scenario", "survival", "Smean", "{:.1f}"),
                                         ("survival, %: highest scenario", "survival", "Smean", "{:.1f}")):
        scenario = "min" if "lowest" in what else "max" if "highest" in what else "nominal"
        row(f"{arm}: {what}", (value[arm, f"Flask{i}", quantity, metric, scenario] for i in range(1, 6)), form)
    if calculated:
        row(f"{arm}: survival, %, calculated by Yagi et al.", calculated, "{:.1f}")
    row(f"{arm}: survival, %, measured by Yagi et al.", measured, "{:.1f}")
