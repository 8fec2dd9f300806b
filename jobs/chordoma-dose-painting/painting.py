"""What table.py and figures.py have in common: the published figures, and the gain of TCP over uniform doses."""
import pathlib
import sys

import numpy

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1]))
import robion

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
PUBLISHED_SIGNIFICANT = {("GTV", "D50"), ("GTV", "D1"), ("GTV", "Dmean"), ("GTV", "L98"), ("CTV_HD-GTV", "D95")}  # P < 0.05, Mann-Whitney
PUBLISHED_TCP = {"uniform": (75.5, 5.6), "escalation": (83.3, 3.9)}  # percent, mean and SD
PUBLISHED_GAIN = {"escalation": (7.8, None), "redistribution": (1.8, 1.0)}  # of TCP over uniform, percentage points
PUBLISHED_CELLS = -3, 5  # of TCP for the worst and best cell counts, percentage points
PUBLISHED_TERCILES = {"redistribution": {"low": (-5.0, None), "high": (8.4, 2.3)}}  # gain by voxel, percentage points
PUBLISHED_HIGH_LESS_LOW = 13
TERCILE_EDGES = 2.1e5, 3.8e5  # clonogens per 27 mm3
TERCILES = "low", "middle", "high"
WINDOW = 95, 110  # percent of the prescription that voxels of a painted GTV may get


def quantity(metric):
    return "letd" if metric[0] == "L" else "rbe_weighted_course"


class Results(robion.Results):
    @property
    def painted(self):
        return [arm for arm in self.arms if arm != "uniform"]

    def left_out(self):
        """A line for each patient that lacks plans which others have, or whose plans are not in metrics.csv."""
        begun = {folder.relative_to(self.folder / "cases").parts for folder in self.folder.glob("cases/*/*")}
        there = {(case, arm) for case, arm, sweep in self.plans if sweep == self.sweeps[0]}
        told = {key[:2] for key in self.values}
        for case in sorted({case for case, _ in begun}):
            none = [arm for arm in sorted({arm for _, arm in begun}) if (case, arm) not in there]
            new = [arm for c, arm in sorted(there) if c == case and (c, arm) not in told]
            if none:
                yield f"{case}, no plan: {', '.join(none)}"
            if new:
                yield f"{case}, not in metrics.csv, which robion collect writes anew: {', '.join(new)}"

    def tcp(self, arm, metric="TCP", scenario="nominal", sweep=None):
        return self.of(arm, "GTV", "tcp", metric, scenario, sweep)

    def gain(self, arm):
        """TCP over that of uniform, percentage points: one value per case that has both."""
        uniform, ours = (self.by_case(a, "GTV", "tcp", "TCP") for a in ("uniform", arm))
        return numpy.array([ours[case] - uniform[case] for case in uniform if case in ours])

    def voxel_gains(self, arm):
        """Of each case that has both plans: clonogens, gain of TCP over uniform (percentage points) and share of each voxel."""
        uniform, ours = self.plans_of("uniform"), self.plans_of(arm)
        for case in (case for case in self.cases if case in uniform and case in ours):
            if "tcp" in uniform[case] and "tcp" in ours[case]:
                gtv = uniform[case].structures["GTV"]
                before, after = (100.0 * gtv.of(plans[case].dose("tcp")) for plans in (uniform, ours))
                yield case, gtv.of(uniform[case]["tcp/clonogens_nominal"]), after - before, gtv.fraction

    def tercile_gains(self, arm):
        """Mean voxel-wise gain by tercile of the cell count, percentage points: case and three values per case."""
        for case, cells, gain, share in self.voxel_gains(arm):
            within = [(cells > 0) & (numpy.digitize(cells, TERCILE_EDGES) == t) for t in range(3)]
            yield case, [numpy.average(gain[w], weights=share[w]) if w.any() else numpy.nan for w in within]
