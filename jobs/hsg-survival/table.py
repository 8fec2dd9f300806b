#!/usr/bin/env python3
"""The table of README.md from a results folder (needs numpy and h5py):  table.py results/hsg-survival"""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import robion

# Yagi et al., PLOS ONE 18(7):e0288545 (2023): survival in flasks 1 to 5, %, as calculated, and as measured.
YAGI = {
    "worst-case": {"calculated": (9.2, 9.7, 10.2, 8.9, 52.0), "measured": (23.0, 26.9, 31.5, 25.7, 55.6)},
    "single-field-uniform": {"measured": (22.7, 24.6, 28.8, 23.0, 24.4)},
}
OURS = (("RBE-weighted dose, Gy(RBE)", "nominal", "rbe_weighted", "Dmean", "{:.2f}"),
        ("physical dose, Gy", "nominal", "physical", "Dmean", "{:.2f}"),
        ("survival, %", "nominal", "survival", "Smean", "{:.1f}"),
        ("survival, %: lowest scenario", "min", "survival", "Smean", "{:.1f}"),
        ("survival, %: highest scenario", "max", "survival", "Smean", "{:.1f}"))
FLASKS = [f"Flask{i}" for i in range(1, 6)]

values = robion.Results(sys.argv[1]).values
robion.heading("arm, quantity", *FLASKS)
for arm, published in YAGI.items():
    ours = values["donut", arm, ""]
    for what, scenario, quantity, metric, form in OURS:
        robion.row(f"{arm}: {what}", *(form.format(ours[scenario, flask, quantity, metric]) for flask in FLASKS))
    for how, survival in published.items():
        robion.row(f"{arm}: survival, %, {how} by Yagi et al.", *(f"{s:.1f}" for s in survival))
