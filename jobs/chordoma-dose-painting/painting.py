"""What table.py and figures.py have in common: the published figures, and a results folder's plans and metrics."""
import csv
import pathlib

import h5py
import numpy

# Parrella et al., phiRO (2025), Table 1, of ten patients: median, quartiles of uniform and escalation.
PUBLISHED_ARMS = "uniform", "escalation"
PUBLISHED = {
    ("GTV", "D95"): ((73.2, 73.1, 73.3), (73.3, 72.3, 74.0)),
    ("GTV", "D50"): ((73.6, 73.6, 73.7), (76.0, 75.7, 76.2)),
    ("GTV", "D1"): ((74.5, 74.4, 74.6), (79.5, 78.2, 79.6)),
    ("GTV", "Dmean"): ((73.6, 73.6, 73.6), (75.8, 75.8, 75.9)),
    ("CTV_HD-GTV", "D95"): ((73.1, 72.9, 73.2), (72.2, 72.0, 72.5)),
    ("CTV_HD-GTV", "D50"): ((73.6, 73.6, 73.7), (73.5, 73.5, 73.6)),
    ("CTV_HD-GTV", "D1"): ((74.4, 74.2, 74.5), (76.4, 76.2, 76.6)),
    ("CTV_HD-GTV", "Dmean"): ((73.5, 73.4, 73.5), (73.5, 73.4, 73.8)),
    ("CTV_LD-GTV", "D95"): ((48.4, 44.0, 54.3), (47.7, 44.0, 52.4)),
    ("CTV_LD-GTV", "D50"): ((72.3, 70.9, 72.8), (72.1, 71.6, 72.4)),
    ("CTV_LD-GTV", "D1"): ((74.2, 74.1, 74.2), (75.8, 75.6, 76.1)),
    ("CTV_LD-GTV", "Dmean"): ((67.7, 65.8, 69.1), (67.2, 65.4, 69.2)),
    ("GTV", "L98"): ((42.8, 42.7, 43.2), (41.5, 39.4, 41.7)),
    ("GTV", "L50"): ((44.7, 44.1, 45.2), (44.1, 42.9, 45.8)),
    ("GTV", "L1"): ((53.0, 52.5, 55.1), (55.6, 50.3, 60.5)),
    ("CTV_HD-GTV", "L98"): ((35.8, 32.9, 39.6), (32.3, 31.2, 36.1)),
    ("CTV_HD-GTV", "L50"): ((43.3, 42.9, 44.3), (41.5, 41.3, 43.9)),
    ("CTV_HD-GTV", "L1"): ((57.0, 54.8, 59.3), (60.4, 55.9, 64.4)),
    ("CTV_LD-GTV", "L98"): ((30.6, 30.2, 35.6), (29.5, 28.2, 32.9)),
    ("CTV_LD-GTV", "L50"): ((42.1, 40.2, 44.2), (40.0, 39.1, 43.3)),
    ("CTV_LD-GTV", "L1"): ((64.5, 62.5, 66.9), (66.6, 65.0, 68.9)),
}
PUBLISHED_TCP = {"uniform": (75.5, 5.6), "escalation": (83.3, 3.9)}  # percent, mean and SD
PUBLISHED_GAIN = {"escalation": (7.8, None), "redistribution": (1.8, 1.0)}  # of TCP over uniform, percentage points
PUBLISHED_CELLS = -3, 5  # of TCP for the worst and best cell counts, percentage points
PUBLISHED_TERCILES = {"redistribution": {"low": (-5.0, None), "high": (8.4, 2.3)}}  # gain by voxel, percentage points
PUBLISHED_HIGH_LESS_LOW = 13
TERCILE_EDGES = 2.1e5, 3.8e5  # clonogens per 27 mm3
TERCILES = "low", "middle", "high"
WINDOW = 95, 110  # percent of the prescription that voxels of a painted GTV may get


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def rows(file):
    with open(file, newline="") as lines:
        yield from csv.DictReader(lines)


def quantity(metric):
    return "letd" if metric[0] == "L" else "rbe_weighted_course"


class Results:
    """Metrics and plans of a results folder; of a sweep those of its first point, if not said otherwise."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        if not (self.folder / "metrics.csv").exists():
            raise SystemExit(f"{folder} has no metrics.csv: give a study's results folder; of a run that was cut short "
                             "robion collect merges the tables")
        self.value, self.arms, self.sweeps, self.cases = {}, [], [], []
        for r in rows(self.folder / "metrics.csv"):
            for seen, key in ((self.arms, r["arm"]), (self.sweeps, r["sweep"]), (self.cases, r["case"])):
                if key not in seen:
                    seen.append(key)
            self.value[r["arm"], r["sweep"], r["case"], r["scenario"], r["structure"], r["quantity"], r["metric"]] = \
                float(r["value"])
        self.painted = [a for a in self.arms if a != "uniform"]
        self.plans = {}
        for file in sorted(self.folder.glob("cases/*/*/**/plan.h5")):
            case, arm = file.relative_to(self.folder / "cases").parts[:2]
            with h5py.File(file) as plan:
                if text(plan.attrs["sweep"]) == self.sweeps[0]:
                    self.plans[case, arm] = file

    def left_out(self):
        """A line for each patient that lacks plans which others have, or whose plans are not in metrics.csv."""
        begun = {f.relative_to(self.folder / "cases").parts for f in self.folder.glob("cases/*/*")}
        told = {(arm, case) for arm, _, case, *_ in self.value}
        for case in sorted({c for c, _ in begun}):
            none = [a for a in sorted({a for _, a in begun}) if (case, a) not in self.plans]
            new = [a for c, a in sorted(self.plans) if c == case and (a, case) not in told]
            if none:
                yield f"{case}, no plan: {', '.join(none)}"
            if new:
                yield f"{case}, not in metrics.csv, which robion collect writes anew: {', '.join(new)}"

    def of(self, arm, structure, quantity, metric, scenario="nominal", sweep=None, cases=None):
        """One value per case that has it."""
        sweep = self.sweeps[0] if sweep is None else sweep
        keys = [(arm, sweep, c, scenario, structure, quantity, metric) for c in (self.cases if cases is None else cases)]
        return numpy.array([self.value[k] for k in keys if k in self.value])

    def gain(self, arm):
        """TCP over that of uniform, percentage points: one value per case that has both."""
        both = [c for c in self.cases if all(len(self.of(a, "GTV", "tcp", "TCP", cases=[c])) for a in ("uniform", arm))]
        return self.of(arm, "GTV", "tcp", "TCP", cases=both) - self.of("uniform", "GTV", "tcp", "TCP", cases=both)

    def voxel_gains(self, arm):
        """Of each case that has both plans: clonogens, gain of TCP over uniform (percentage points) and share of each voxel."""
        for case in self.cases:
            if not {(case, "uniform"), (case, arm)} <= set(self.plans):
                continue
            with h5py.File(self.plans[case, "uniform"]) as a, h5py.File(self.plans[case, arm]) as b:
                if "tcp" not in a or "tcp" not in b:
                    continue
                voxel, share = a["structures/GTV/voxel"][:], a["structures/GTV/fraction"][:].astype(float)
                tcp = [100.0 * f["dose/nominal/tcp"][:].ravel()[voxel].astype(float) for f in (a, b)]
                yield case, a["tcp/clonogens_nominal"][:].ravel()[voxel], tcp[1] - tcp[0], share

    def tercile_gains(self, arm):
        """Mean voxel-wise gain by tercile of the cell count, percentage points: case and three values per case."""
        for case, cells, gain, share in self.voxel_gains(arm):
            within = [(cells > 0) & (numpy.digitize(cells, TERCILE_EDGES) == t) for t in range(3)]
            yield case, [numpy.average(gain[w], weights=share[w]) if w.any() else numpy.nan for w in within]
