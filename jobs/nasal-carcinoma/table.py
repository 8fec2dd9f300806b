#!/usr/bin/env python3
"""The table of README.md from a results folder (needs numpy and h5py):  table.py results/nasal-carcinoma"""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import robion

# Yagi et al., PLOS ONE 18(7):e0288545 (2023), Table 4: nominal, max, min, index of CTV D98 and of OAR Dmax, relative to the prescription.
YAGI = {
    "conventional": ((0.93, 0.93, 0.82, 0.12), (0.98, 1.06, 0.90, 0.15)),
    "spot-control-gradient": ((0.93, 0.93, 0.81, 0.12), (0.98, 1.02, 0.89, 0.13)),
    "worst-case": ((0.95, 0.95, 0.85, 0.10), (0.95, 0.98, 0.83, 0.15)),
}
PRESCRIPTION = 3.6  # Gy(RBE) per fraction
SCENARIOS = "nominal", "max", "min", "index"

results = robion.Results(sys.argv[1])
print("Table 4: ours | Yagi et al., relative to the prescription\n")
robion.heading("arm", "metric", *SCENARIOS)
for arm, published in YAGI.items():
    for (structure, metric), theirs in zip((("CTV", "D98"), ("OpticNrv_R", "Dmax")), published):
        ours = (results.of(arm, structure, "rbe_weighted", metric, s) for s in SCENARIOS)
        robion.row(arm, f"{structure} {metric}", *(f"{a[0] / PRESCRIPTION:.3f} \\| {b:.2f}" if len(a) else f"- \\| {b:.2f}" for a, b in zip(ours, theirs)))
