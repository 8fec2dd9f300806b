"""What robion wrote, as objects: results folders, plans, structures (numpy, h5py). drawing.py beside it has what scripts draw them with.

    import robion
    results = robion.Results("results/rtog-benchmark")
    results.of("worst-case", "CTV", "rbe_weighted", "D98", "min")   # of metrics.csv, a value per case
    plan = results.plan("rtog-homogeneous", "worst-case")           # or robion.Plan("plan.h5")
    plan.dose("letd"), plan.dose(scenarios="min")                   # arrays [z, y, x]
    plan.structures["CTV"].mean(plan.dose())
    plan.dvh("OAR").nominal, plan["timing"].seconds                 # all else in plan.h5 by its path

Scripts of a study append the folder above theirs to sys.path.
"""
import csv
import re
import pathlib
from functools import cached_property
from types import SimpleNamespace

import h5py
import numpy

ROLES = "target", "oar", "external"
NAMES = {"study", "case", "arm", "sweep", "versus_arm", "versus_sweep", "structure", "scenario", "id", "unit"}


def plain(value):
    """An attribute or dataset as text, a number, or an array of them."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, numpy.ndarray) and value.dtype.kind == "S":
        return numpy.char.decode(value)
    return value.item() if isinstance(value, numpy.ndarray) and value.size == 1 else value


def number(cell):
    """A cell of a table: a number, None where it is empty, else its text."""
    try:
        return float(cell) if cell else None
    except ValueError:
        return cell


def name(cell):
    """Names that a spreadsheet would take for a formula stand behind an apostrophe."""
    return cell[1:] if re.match(r"'+[=+\-@\t\r]", cell) else cell


def rows(file):
    """Rows of a table as dictionaries. Names stay text, also where they read as numbers."""
    with open(file, newline="") as lines:
        for row in csv.DictReader(lines):
            yield {key: name(cell) if key in NAMES else number(cell) for key, cell in row.items()}


class Structure:
    """Part of a plan's grid: `voxel`, places in an array read as one row, and the `fraction` of each that lies inside."""

    def __init__(self, plan, name, role, volume_cm3):
        self.plan, self.name, self.role, self.volume_cm3 = plan, name, role, volume_cm3

    voxel = cached_property(lambda self: self.plan[f"structures/{self.name}/voxel"])
    fraction = cached_property(lambda self: self.plan[f"structures/{self.name}/fraction"].astype(float))

    def order(self):
        """Targets from the smallest to the largest, organs by name, the external last: in all tables and pictures."""
        return ROLES.index(self.role), self.volume_cm3 if self.role == "target" else 0, self.name

    def of(self, values):
        """Of an array on the grid the values of the structure's voxels."""
        return values.ravel()[self.voxel].astype(float)

    def mean(self, values):
        return numpy.average(self.of(values), weights=self.fraction)

    def inside(self, k=slice(None)):
        """The fraction of every voxel of the grid, [z, y, x], or of axial slice k alone."""
        fraction = numpy.zeros(self.plan.shape, "f4")
        fraction.flat[self.voxel] = self.fraction
        return fraction[k]

    def middle(self):
        """The axial slice through the centre."""
        k, _, _ = numpy.unravel_index(self.voxel, self.plan.shape)
        return int(round(numpy.average(k, weights=self.fraction)))


class Plan:
    """
    One plan.h5. Its attributes are the file's (case, arm, sweep, target, fractions, prescription_Gy_RBE_per_fraction, ...);
    x, y, z are voxel centres, mm, DICOM LPS. plan[path] is a dataset, or a group's attributes and datasets by name.
    """

    def __init__(self, file):
        self.file = pathlib.Path(file)
        vars(self).update(vars(self["/"]), patient_position=self["plan"].patient_position)
        self.x, self.y, self.z = (self[f"grid/{axis}_mm"] for axis in "xyz")
        self.shape = len(self.z), len(self.y), len(self.x)

    def __getitem__(self, path):
        with h5py.File(self.file) as f:
            if isinstance(f[path], h5py.Dataset):
                return plain(f[path][()])
            of_group = {**f[path].attrs, **{name: item[()] for name, item in f[path].items() if isinstance(item, h5py.Dataset)}}
            return SimpleNamespace(**{name: plain(value) for name, value in of_group.items()})

    def __contains__(self, path):
        with h5py.File(self.file) as f:
            return path in f

    @property
    def course_Gy_RBE(self):
        """The prescription of all fractions."""
        return self.prescription_Gy_RBE_per_fraction * self.fractions

    @cached_property
    def beams(self):
        with h5py.File(self.file) as f:
            names = sorted(f["plan"], key=lambda name: (len(name), name))  # beam_2 before beam_10
        return [self[f"plan/{name}"] for name in names]

    @cached_property
    def structures(self):
        with h5py.File(self.file) as f:
            found = [Structure(self, name, *(plain(group.attrs[key]) for key in ("role", "volume_cm3")))
                     for name, group in f["structures"].items()]
        return {s.name: s for s in sorted(found, key=Structure.order)}

    def dose(self, quantity="rbe_weighted", scenarios="nominal"):
        """[z, y, x] of a quantity without errors, or RBE-weighted the "min" or "max" of each voxel over the scenarios."""
        return self[f"dose/nominal/{quantity}" if scenarios == "nominal" else f"dose/robust/{scenarios}"]

    def scenario_dose(self, scenario):
        """[z, y, x], RBE-weighted per fraction in one scenario, of those that results.scenario_doses keeps: to one part in 255."""
        with h5py.File(self.file) as f:
            kept = f["dose/scenarios"][scenario]
            return kept[()] * plain(kept.attrs["step_Gy_RBE"])

    def dvh(self, structure, quantity="rbe_weighted"):
        """axis, and the percent of the volume with at least that: nominal, and min and max over the scenarios."""
        return self[f"dvh/{structure}/{quantity}"]

    @cached_property
    def metrics(self):
        """{(scenario, structure, quantity, metric): value}"""
        table = self["metrics"]
        return dict(zip(zip(table.scenario, table.structure, table.quantity, table.metric), table.value))


class Results:
    """A study's results folder. Where a sweep's point is not said, it is the first."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    @cached_property
    def plans(self):
        """{(case, arm, sweep): plan}, in the study's order where metrics.csv tells it."""
        found = [Plan(file) for file in sorted(self.folder.glob("cases/*/*/**/plan.h5"))]
        found = {(p.case, p.arm, p.sweep): p for p in found}
        told = self.values if (self.folder / "metrics.csv").exists() else ()
        return {key: found[key] for key in (*told, *found) if key in found}

    @cached_property
    def values(self):
        """Of metrics.csv: {(case, arm, sweep): {(scenario, structure, quantity, metric): value}}, in the study's order."""
        if not (self.folder / "metrics.csv").exists():
            raise SystemExit(f"{self.folder} has no metrics.csv: give a study's results folder; of a run that was cut short "
                             "robion collect merges the tables")
        values = {}
        for r in rows(self.folder / "metrics.csv"):
            of_plan = values.setdefault((r["case"], r["arm"], r["sweep"]), {})
            of_plan[r["scenario"], r["structure"], r["quantity"], r["metric"]] = r["value"]
        return values

    cases, arms, sweeps = (cached_property(lambda self, i=i: list(dict.fromkeys(key[i] for key in self.values)))
                           for i in range(3))
    goals = cached_property(lambda self: list(rows(self.folder / "goals.csv")))
    statistics = cached_property(lambda self: list(rows(self.folder / "statistics.csv")))

    def plan(self, case, arm, sweep=None):
        return self.plans[case, arm, self.sweeps[0] if sweep is None else sweep]

    def plans_of(self, arm):
        """{case: plan}, of the cases that have it."""
        return {case: plan for (case, a, s), plan in self.plans.items() if (a, s) == (arm, self.sweeps[0])}

    def by_case(self, arm, structure, quantity, metric, scenario="nominal", sweep=None):
        """{case: value}, of the cases that have it."""
        which, sweep = (scenario, structure, quantity, metric), self.sweeps[0] if sweep is None else sweep
        return {case: of[which] for (case, a, s), of in self.values.items() if (a, s) == (arm, sweep) and which in of}

    def of(self, *which, **more):
        return numpy.array(list(self.by_case(*which, **more).values()))


def row(*cells):
    """A row of a table in Markdown."""
    print("| " + " | ".join(cells) + " |")


def heading(*names):
    row(*names)
    row(*["---"] * len(names))
