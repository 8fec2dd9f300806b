#!/usr/bin/env python3
"""The table of README.md from a results folder (needs numpy and h5py):  table.py results/robust-modes"""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import robion

# The worst of a dose that must be reached is the lowest, else the highest.
WORST = {("CTV", "D98"): "min", ("CTV", "D2"): "max", ("Skin", "Dmax"): "max", ("Bone", "Dmax"): "max"}

results = robion.Results(sys.argv[1])
robion.heading("arm", *map(" ".join, WORST), "iterations", "evaluations", "s", "GiB", "gap %")
for key, values in results.values.items():
    plan = results.plans[key]
    doses = [[values[s, structure, "rbe_weighted", metric] for s in ("nominal", worst)]
             for (structure, metric), worst in WORST.items()]
    optimizer, timing, certificate = plan["optimizer"], plan["timing"], plan["optimizer/certificate"]
    robion.row(plan.arm, *("{:.2f} \\| {:.2f}".format(*both) for both in doses), f"{optimizer.iterations:.0f}",
               f"{optimizer.evaluations:.0f}", f"{timing.seconds:.0f}", f"{timing.peak_memory_MiB / 1024:.2f}",
               f"{100 * certificate.gap:.2f}")
