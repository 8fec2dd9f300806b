#!/usr/bin/env python3
"""The table of README.md from a results folder:  table.py results/robust-modes"""
import csv
import pathlib
import sys

import h5py

root = pathlib.Path(sys.argv[1])
value = {}
with open(root / "metrics.csv", newline="") as file:
    for r in csv.DictReader(file):
        if r["quantity"] == "rbe_weighted":
            value[r["arm"], r["structure"], r["metric"], r["scenario"]] = float(r["value"])


def both(arm, structure, metric, worst):
    """Nominal and worst value of a metric; the worst is the lowest of a dose that must be reached, else the highest."""
    return " \\| ".join(f"{value[arm, structure, metric, s]:.2f}" for s in ("nominal", worst))


print("| arm | CTV D98 | CTV D2 | Skin Dmax | Bone Dmax | iterations | evaluations | s | GiB | gap % |")
print("| --- |" + " --- |" * 9)
for arm in dict.fromkeys(key[0] for key in value):
    (file,) = root.glob(f"cases/*/{arm}/plan.h5")
    with h5py.File(file) as plan:
        optimizer = plan["optimizer"]
        iterations, evaluations = (int(optimizer.attrs[k][0]) for k in ("iterations", "evaluations"))
        seconds, memory_MiB = (float(plan["timing"].attrs[k][0]) for k in ("seconds", "peak_memory_MiB"))
        gap = float(optimizer["certificate"].attrs["gap"][0])
    cells = [both(arm, "CTV", "D98", "min"), both(arm, "CTV", "D2", "max")]
    cells += [both(arm, oar, "Dmax", "max") for oar in ("Skin", "Bone")]
    cells += [f"{iterations}", f"{evaluations}", f"{seconds:.0f}", f"{memory_MiB / 1024:.2f}", f"{100 * gap:.2f}"]
    print(f"| {arm} | {' | '.join(cells)} |")
