#!/usr/bin/env python3
"""Depth doses of 12C, robion's (lines) and matRad's generic machine (points), in folder/depth-dose.png (needs matplotlib):

    depth-dose.py FOLDER    with seven.csv and matrad.csv, the curves of both
"""
import pathlib
import sys

import numpy

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import drawing

OFFSET_MM = 2.89  # of water passed before depth 0 of matRad's machine
ENERGIES = 115.23, 150.71, 200.61, 250.51, 299.33, 349.91, 398.84  # MeV/u

folder = pathlib.Path(sys.argv[1])
ours, theirs = (numpy.genfromtxt(folder / table, delimiter=",", names=True) for table in ("seven.csv", "matrad.csv"))
lines = {f"{energy} MeV/u": {"color": colour, "linewidth": 1.2} for energy, colour in zip(ENERGIES, drawing.COLOURS)}
figure, axes = drawing.panels(2, 1, 11, 4, "Laterally integrated physical dose: lines robion, points matRad carbon Generic", lines)
for a in axes.flat:
    for energy, line in zip(ENERGIES, lines.values()):
        curve, points = (table[abs(table["energy_MeV_u"] - energy) < 0.02] for table in (ours, theirs))
        a.plot(curve["depth_mm"] - OFFSET_MM, curve["idd_MeV_cm2_g"], **line)
        a.plot(points["depth_mm"], points["idd_MeV_cm2_g"], "o", color=line["color"], markersize=2.5, markerfacecolor="none")
    a.set(xlim=(0, 400), xlabel="depth in water, mm", ylabel="MeV cm²/g per particle")
    a.grid()
axes[0, 0].set_ylim(0)
axes[1, 0].set(yscale="log", ylim=(4, 1200))
drawing.save(figure, folder, "depth-dose", "png")
