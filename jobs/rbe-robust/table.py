#!/usr/bin/env python3
"""The tables of README.md from a results folder (needs numpy and h5py):  table.py results/rbe-robust"""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import robion

PRESCRIPTION = 4.8  # Gy(RBE) per fraction
SUMMARIES = {"min", "max", "median", "p5", "p95", "index", "nominal"}
RESPONSES = {"as planned": "", "alpha x 0.8": "bio-low", "alpha x 1.2": "bio-high"}
METRICS = ("CTV", "D98", min, "least"), ("CTV", "D2", max, "most"), ("OAR", "Dmax", max, "most")


def of_response(values, suffix, structure, metric):
    """The metric in every error of range and setup, under one response."""
    return [v for (s, st, q, m), v in values.items() if (st, q, m) == (structure, "rbe_weighted", metric) and s not in SUMMARIES
            and (s.endswith(suffix) if suffix else "bio-" not in s)]


results = robion.Results(sys.argv[1])
case = results.cases[0]
robion.heading("arm", "response", *(f"{s} {m}, {word}" for s, m, _, word in METRICS))
for arm in results.arms:
    values = results.values[case, arm, ""]
    for response, suffix in RESPONSES.items():
        told = (worst(of_response(values, suffix, s, m)) for s, m, worst, _ in METRICS)
        robion.row(arm, response, *(f"{x / PRESCRIPTION:.3f}" for x in told))
print()
robion.heading("arm, without errors", *(f"{s} {m}" for s, m, *_ in METRICS), "CTV LETd L50, keV/µm", "physical CTV Dmean, Gy", "rim Dmean, Gy(RBE)")
for arm in results.arms:
    values = results.values[case, arm, ""]
    told = [f"{values['nominal', s, 'rbe_weighted', m] / PRESCRIPTION:.3f}" for s, m, *_ in METRICS]
    robion.row(arm, *told, f"{values['nominal', 'CTV', 'letd', 'L50']:.1f}", f"{values['nominal', 'CTV', 'physical', 'Dmean']:.3f}",
               f"{values['nominal', 'rim', 'rbe_weighted', 'Dmean']:.2f}")
