#!/usr/bin/env python3
"""jobs/robion.py against what the program wrote itself:  read_results.py RESULTS   with all plans of its study

Plans, tables and statistics are found as they are, and doses with structures give the metrics of metrics.csv again.
"""
import pathlib
import shutil
import sys
import tempfile

import h5py
import numpy

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "jobs"))
import robion

DIGITS = 1e-7  # of the tables, relative
FLOATS = 1e-6  # doses are stored as 32-bit floats


def near(a, b, tolerance):
    return abs(a - b) <= tolerance * max(abs(a), abs(b), 1e-3)


def metrics_of(structure, values):
    """Mean and maximum; the latter of voxels with at least half their volume inside."""
    of, inner = structure.of(values), structure.fraction >= 0.5
    return {"mean": structure.mean(values), "max": (of[inner] if inner.any() else of).max()}


def check_plan(plan, told):
    assert plan.metrics.keys() == told.keys(), (plan.file, set(plan.metrics) ^ set(told))
    for key, value in told.items():
        assert near(plan.metrics[key], value, DIGITS), (plan.file, key, plan.metrics[key], value)
    compared = 0
    for name, structure in plan.structures.items():
        assert structure.inside().shape == plan.dose().shape == plan.shape
        assert numpy.array_equal(structure.inside(structure.middle()), structure.inside()[structure.middle()])
        assert near(structure.inside().sum() * numpy.prod(plan["grid"].spacing_mm) / 1000, structure.volume_cm3, FLOATS), name
        for quantity in ("physical", "rbe_weighted", "rbe_weighted_course", "eqd2_course"):
            if f"dose/nominal/{quantity}" not in plan:
                continue
            for statistic, ours in metrics_of(structure, plan.dose(quantity)).items():
                theirs = told["nominal", name, quantity, f"D{statistic}"]
                assert near(ours, theirs, FLOATS), (plan.file, name, quantity, statistic, ours, theirs)
                compared += 1
        dvh = plan.dvh(name)
        i = len(dvh.axis) // 2
        dose = structure.of(plan.dose())
        reached = 100 * structure.fraction[dose >= dvh.axis[i]].sum() / structure.fraction.sum()
        assert near(dvh.nominal[i], reached, 1e-4) and dvh.min[i] <= dvh.max[i], (plan.file, name, dvh.nominal[i], reached)
    assert compared >= 4 * len(plan.structures), compared
    low, high = plan.dose(scenarios="min"), plan.dose(scenarios="max")
    assert (low <= high).all() and (low < high).any()
    roles = [robion.ROLES.index(s.role) for s in plan.structures.values()]
    sizes = [s.volume_cm3 for s in plan.structures.values() if s.role == "target"]
    assert roles == sorted(roles) and sizes == sorted(sizes) and plan.structures[plan.target].role == "target"
    assert all(len(b.x_mm) == len(b.particles) and b.particles.sum() > 0 for b in plan.beams)


def check_many_beams(plan):
    """Twelve beams keep their order."""
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(shutil.copy(plan.file, folder))
        with h5py.File(copy, "a") as f:
            for i in range(len(plan.beams), 12):
                f.copy("plan/beam_0", f"plan/beam_{i}")
            for name, beam in f["plan"].items():
                beam.attrs["gantry_deg"] = float(name.removeprefix("beam_"))
        assert [beam.gantry_deg for beam in robion.Plan(copy).beams] == list(range(12))


def main():
    results = robion.Results(sys.argv[1])
    wanted = {(case, arm, sweep) for case in results.cases for arm in results.arms for sweep in results.sweeps}
    assert wanted == set(results.plans) == set(results.values) and list(results.plans) == list(results.values)
    for key, plan in results.plans.items():
        assert key == (plan.case, plan.arm, plan.sweep) and results.plan(*key) is plan
        check_plan(plan, results.values[key])
    check_many_beams(plan)
    case, arm, sweep = next(iter(wanted))
    assert set(results.plans_of(arm)) == set(results.cases)
    assert results.plan(case, arm).sweep == results.sweeps[0]
    for goal in results.goals:
        value = results.by_case(goal["arm"], goal["structure"], goal["quantity"], goal["metric"], goal["scenario"],
                                goal["sweep"])[goal["case"]] if goal["per"] == "fraction" else goal["value"]
        assert near(value, goal["value"], DIGITS), goal
        assert goal["met"] == (value >= goal["limit"] if goal["relation"] == "at least" else value <= goal["limit"]), goal
    described = 0
    for row in results.statistics if len(results.cases) > 1 else ():
        if not row["versus_arm"]:
            of = results.of(row["arm"], row["structure"], row["quantity"], row["metric"], row["scenario"], row["sweep"])
            assert row["n"] == len(of) and near(of.mean(), row["mean"], FLOATS) and near(of.max(), row["max"], FLOATS), row
            described += 1
    assert described > 0 or len(results.cases) == 1
    print(f"{len(results.plans)} plans, {len(results.goals)} goals, {described} rows of statistics")


if __name__ == "__main__":
    main()
