#!/usr/bin/env python3
"""The tables of README.md from a results folder (needs numpy and h5py):  table.py results/liver-motion"""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import robion

PRESCRIPTION = 10  # Gy(RBE) per fraction

results = robion.Results(sys.argv[1])
robion.heading("patient, arm", "CTV V95, %: no error", "worst of 21", "CTV D98: no error", "worst", "CTV D2: no error", "worst", "Liver-GTV Dmean, Gy(RBE)")
for case in results.cases:
    for arm in results.arms:
        values = results.values.get((case, arm, ""))
        if not values:
            continue
        ctv = {(m, s): values[s, "CTV", "rbe_weighted", m] for m in ("V95", "D98", "D2") for s in ("nominal", "min", "max")}
        robion.row(f"{case}, {arm}", *(f"{ctv['V95', s]:.1f}" for s in ("nominal", "min")), *(f"{ctv['D98', s] / PRESCRIPTION:.3f}" for s in ("nominal", "min")),
                   *(f"{ctv['D2', s] / PRESCRIPTION:.3f}" for s in ("nominal", "max")), f"{values['nominal', 'Liver-GTV', 'rbe_weighted', 'Dmean']:.2f}")
