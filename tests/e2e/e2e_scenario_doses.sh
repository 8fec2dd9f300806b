#!/usr/bin/env bash
# Doses of single scenarios in plan.h5 as `results.scenario_doses` asks, and the DVHs of all: of a run and of `evaluate`.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
cat - tests/studies/e2e-box.yaml >"$WORK/study.yaml" <<'YAML'
goals:
  - {structure: CTV, metric: D98, at_least: 2.5, scenario: worst}
  - {structure: CTV, metric: D98, at_least: 2.5}
  - {structure: BODY, metric: Dmean, at_most: 2}
YAML
python=$(python_with 'h5py, numpy')
if [ -z "$python" ]; then
  skip "doses of scenarios" "no python with h5py and numpy"
  exit
fi
run() { # NAME RANKS OPTION...
  local name=$1 ranks=$2
  shift 2
  mpi "$ranks" "$ROBION" run "$WORK/study.yaml" --results "$WORK/$name" --set optimizer.max_iterations=2 "$@" >/dev/null
}
plan() { echo "$WORK/$1/cases/box/plan/plan.h5"; }
cat >"$WORK/look.py" <<'PY'
import sys, h5py, numpy
plan, asked = h5py.File(sys.argv[1]), sys.argv[2]
ids = [i.decode() for i in plan["scenarios/id"]]
in_set = plan["scenarios/in_set"][:].astype(bool)
m = {k: plan["metrics/" + k][:] for k in ("scenario", "structure", "quantity", "metric", "value")}
def worst(structure, metric, least):  # of the rows of metrics
    of = [m["value"][(m["scenario"] == i.encode()) & (m["structure"] == structure) & (m["quantity"] == b"rbe_weighted")
                     & (m["metric"] == metric)][0] if k else numpy.nan for i, k in zip(ids, in_set)]
    return ids[int((numpy.nanargmin if least else numpy.nanargmax)(of))]
goals = [worst(b"CTV", b"D98", True)] * 2 + [worst(b"BODY", b"Dmean", False)]
assert [g.decode() for g in plan["goals/worst_scenario"]] == goals, (goals, list(plan["goals/worst_scenario"]))
kept = plan.get("dose/scenarios", {})
text = lambda a: a.decode() if isinstance(a, bytes) else a
want = {"none": set(), "worst": set(goals) - {ids[0]}, "all": set(ids[1:])}[asked]
assert {text(d.attrs["scenario"]) for d in kept.values()} == want, (set(kept), want)
low, high = plan["dose/robust/min"][:], plan["dose/robust/max"][:]
for d in kept.values():
    step, i = d.attrs["step_Gy_RBE"], text(d.attrs["scenario"]).encode()
    dose = step * d[:].astype(float)
    assert d.dtype == numpy.uint8 and d[:].max() == 255
    assert (dose <= high + 0.5001 * step).all() and (dose >= low - 0.5001 * step).all()
    for name in ("CTV", "BODY"):
        s = plan["structures"][name]
        mean = (dose.flat[s["voxel"][:]] * s["fraction"][:]).sum() / s["fraction"][:].sum()
        told = m["value"][(m["scenario"] == i) & (m["structure"] == name.encode()) & (m["quantity"] == b"rbe_weighted")
                          & (m["metric"] == b"Dmean")][0]
        assert abs(mean - told) < 0.5 * step, (i, name, mean, told, step)
if asked == "all":  # the spread of all doses of the set, of which the nominal one is not kept again
    doses = [plan["dose/nominal/rbe_weighted"][:].astype(float)] if in_set[0] else []
    doses += [d.attrs["step_Gy_RBE"] * d[:].astype(float) for d in kept.values() if in_set[ids.index(text(d.attrs["scenario"]))]]
    step = max(d.attrs["step_Gy_RBE"] for d in kept.values())
    assert len(doses) == in_set.sum() > 2
    assert abs(plan["dose/robust/sd"][:] - numpy.std(doses, 0)).max() < step and plan["dose/robust/sd"][:].max() > 5 * step
for name in ("CTV", "BODY"):
    for q, of in plan["dvh"][name].items():
        curves = of["scenarios"][:]
        assert curves.dtype == numpy.float32 and curves.shape == (len(ids), len(of["axis"]))
        assert numpy.array_equal(curves[0], of["nominal"][:].astype("f4"))
        assert numpy.array_equal(curves[in_set].min(0), of["min"][:].astype("f4"))
        assert numpy.array_equal(curves[in_set].max(0), of["max"][:].astype("f4"))
PY
look() { "$python" "$WORK/look.py" "$@"; }
check "a run" run one 1
check "keeps the worst scenarios of its goals" look "$(plan one)" worst
for asked in all none; do
  check "a run with $asked" run $asked 1 --set results.scenario_doses=$asked
  check "keeps $asked" look "$(plan $asked)" $asked
done
same() { # all but the facts of the run
  "$python" - "$@" <<'PY'
import sys, h5py
a, b = map(h5py.File, sys.argv[1:])
names = []
a.visit(names.append)
for n in names:
    if isinstance(a[n], h5py.Dataset) and not n.startswith("provenance"):
        assert a[n][()].tobytes() == b[n][()].tobytes(), n
    elif n.startswith("dose") and isinstance(a[n], h5py.Dataset):
        assert dict(a[n].attrs) == dict(b[n].attrs), n
PY
}
check "a run of two ranks" run two 2 --set results.scenario_doses=all
check "has the same bits" same "$(plan all)" "$(plan two)"
evaluated() { "$ROBION" evaluate "$(plan none)" "$WORK/study.yaml" -o "$WORK/again.h5" --set optimizer.max_iterations=2 >/dev/null; }
check "a plan evaluated" evaluated
check "keeps what its study asks for" look "$WORK/again.h5" worst
check "an unknown word is refused" expect_text 'results.scenario_doses: .*expected none, worst or all' \
  "$ROBION" validate "$WORK/study.yaml" --set results.scenario_doses=some
