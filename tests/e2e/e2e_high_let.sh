#!/usr/bin/env bash
# Dose above an LET threshold as a quantity of plans.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
cat >"$WORK/let.yaml" <<'YAML'
robion: 1
name: let
cases: [{phantom: rtog, ct_spacing_mm: 4}]
biology: {model: mixed-beam}
machine: {energy_min_MeV_u: 150, energy_max_MeV_u: 310, range_step_mm: 12}
prescription: {dose_Gy_RBE: 4.8, fractions: 2, target: CTV}
beams: [{gantry_deg: 90}, {gantry_deg: 180}]
dose_grid_mm: 6
spots: {lateral_mm: 8, layer_mm: 12}
objectives: [{structure: CTV, type: uniform, dose_Gy_RBE: 4.8, weight: 100}]
optimizer: {max_iterations: 2, certificate_iterations: 0}
scenarios:
  evaluate: {range_percent: [0, 3], setup: list, shifts_mm: [[0, 0, 0], [0, 5, 0]]}
YAML
let() { # FOLDER THRESHOLD [KEY=VALUE...]: a plan of that threshold
  "$ROBION" run "$WORK/let.yaml" --results "$WORK/$1" --set "results.high_let_keV_um=$2" "${@:3}"
}
plan() { echo "$WORK/$1/cases/rtog/plan"; }
check "a plan without a threshold" let none 0
for threshold in 0.001 30 50; do check "a plan of $threshold keV/um" let "$threshold" "$threshold"; done
check "two ranks" mpi 2 "$ROBION" run "$WORK/let.yaml" --results "$WORK/two" --set results.high_let_keV_um=50
check "give the same metrics" cmp "$(plan 50)/metrics.csv" "$(plan two)/metrics.csv"
check "and histograms" cmp "$(plan 50)/dvh.csv" "$(plan two)/dvh.csv"
check "without one there is none" expect_exit 1 grep -q high_let "$(plan none)/metrics.csv" "$(plan none)/dvh.csv"
check "a course" let course 0.001 --set 'stages=[{name: a, target: CTV, fractions: 1}, {name: b, target: CTV, fractions: 1, beams: [{gantry_deg: 0}]}]'
check "sub-beams" let fine 0.001 --set spots.splitting=coarse
check "another model of the cells besides" let models 0.001 --set 'scenarios.biology=[{name: other, model: mkm}]' \
  --set 'scenarios.evaluate.biology=[nominal, other]'
check "breathing" let breathing 0.001 --set 'cases=[{phantom: liver, name: rtog, ct_spacing_mm: 4, breathing_mm: 10, phases: 2}]' \
  --set scenarios.evaluate.motion=accumulate --set dose_grid_mm=8 --set 'beams=[{gantry_deg: 270}]'
check "evaluated anew with another threshold" "$ROBION" evaluate "$(plan none)/plan.h5" "$WORK/let.yaml" -o "$WORK/again.h5" \
  --set results.high_let_keV_um=50
check "it is the same" diff <(grep ,high_let, "$WORK/again.metrics.csv" | cut -d, -f5-) <(grep ,high_let, "$(plan 50)/metrics.csv" | cut -d, -f5-)
cat >"$WORK/look.py" <<'PY'
import csv, sys, h5py, numpy
work = sys.argv[1]
path = lambda plan: work + "/" + plan + "/cases/rtog/plan/"
def metrics(plan, quantity):
    return {(r["scenario"], r["structure"], r["metric"]): float(r["value"]) for r in csv.DictReader(open(path(plan) + "metrics.csv"))
            if r["quantity"] == quantity and r["metric"].startswith("D") and r["metric"] != "D0.03cc"}
for plan in ("0.001", "course", "fine", "models", "breathing"):  # all dose is above nothing
    high, physical = metrics(plan, "high_let"), metrics(plan, "physical")
    most = max(physical.values())
    assert len(high) > 100 and set(high) <= set(physical)
    assert max(abs(high[k] - physical[k]) for k in high) < 1e-5 * most, plan
low, high, all_dose = (metrics(*p) for p in (("30", "high_let"), ("50", "high_let"), ("50", "physical")))
assert all(high[k] < low[k] <= all_dose[k] for k in high if k[0] not in ("index",) and k[2] in ("Dmean", "D50") and k[1] in ("CTV", "OAR"))
with h5py.File(path("50") + "plan.h5") as f:
    dose, physical = f["dose/nominal/high_let"][:], f["dose/nominal/physical"][:]
    voxel, share = f["structures/CTV/voxel"][:], f["structures/CTV/fraction"][:].astype(float)
    axis, curve = f["dvh/CTV/high_let/axis"][:], f["dvh/CTV/high_let/nominal"][:]
assert dose.min() >= 0 and (dose <= physical + 1e-5 * physical.max()).all()
dose = dose.ravel()[voxel]
mean = (dose * share).sum() / share.sum()
assert abs(mean - high["nominal", "CTV", "Dmean"]) < 1e-5 * mean, mean
by_hand = numpy.array([100 * share[dose >= a].sum() / share.sum() for a in axis])
assert abs(by_hand - curve).max() < 1.5 and curve[0] > 99.9 and curve[-1] < 0.1, abs(by_hand - curve).max()  # counted in bins of dose
PY
python=$(python_with 'h5py, numpy')
agree="doses, metrics and histograms agree"
if [ -n "$python" ]; then check "$agree" "$python" "$WORK/look.py" "$WORK"; else skip "$agree" "no python with h5py"; fi
