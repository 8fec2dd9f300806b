#!/usr/bin/env python3
"""The tables of README.md from the results folder of study.yaml or controls.yaml (needs numpy and h5py):  table.py results/rtog-benchmark"""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import robion

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
SCENARIOS = "nominal", "max", "min", "index"
METRICS = ("CTV", "D98"), ("OAR", "Dmax")



def relative(of_plan, structure, metric):
    return [of_plan.get((s, structure, "rbe_weighted", metric)) for s in SCENARIOS]


def published(values):
    for title, table in YAGI.items():
        print(f"{title}\n")
        robion.heading("phantom, arm", "metric", *SCENARIOS)
        for (case, arm), numbers in table.items():
            for (structure, metric), theirs in zip(METRICS, numbers):
                ours = relative(values.get((case, arm, ""), {}), structure, metric)
                cells = (f"{'-' if a is None else f'{a / PRESCRIPTION:.3f}'} \\| {b:.2f}" for a, b in zip(ours, theirs))
                robion.row(f"{case.removeprefix('rtog-')}, {arm}", f"{structure} {metric}", *cells)
        print()


def controls(values):
    """A row per plan, as controls.yaml makes them."""
    robion.heading("phantom, arm", *(f"{s} {m}, {n}" for s, m in METRICS for n in ("nominal", "least" if s == "CTV" else "most", "index")))
    for (case, arm, _), of_plan in values.items():
        cells = []
        for structure, metric in METRICS:
            nominal, most, least, index = relative(of_plan, structure, metric)
            cells += [nominal, least if structure == "CTV" else most, index]
        robion.row(f"{case.removeprefix('rtog-')}, {arm}", *(f"{a / PRESCRIPTION:.3f}" for a in cells))


results = robion.Results(sys.argv[1])
of_yagi = {arm for table in YAGI.values() for _, arm in table}
(published if of_yagi.issuperset(results.arms) else controls)(results.values)
