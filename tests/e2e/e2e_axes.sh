#!/usr/bin/env bash
# Plans whose scenarios have every axis: ids, tables and plan.h5, the same bits on two ranks, and after a stop.
# timeout: 300
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
cp tests/studies/e2e-box.yaml "$WORK/study.yaml"
python=$(python_with 'h5py, numpy')
sets='{optimize: {range_percent: [-3.5, 3.5], range_per_beam: true, plus: [{setup: axes, setup_mm: 3}, {biology: [low, mkm]}]},
  evaluate: {range_percent: [0], setup: random, number: 5, setup_mm: 2, range_sigma_percent: 2, range_per_beam: true,
    alpha_sigma_percent: 10, beta_sigma_percent: 20,
    plus: [{range_percent: [-3.5, 3.5], range_per_beam: true, biology: [nominal, low, mkm]}]},
  biology: [{name: low, alpha_factor: 0.8}, {name: mkm, model: mkm, dose_Gy_RBE: 2.5, beta_factor: 0.9}]}'
plan() { echo "$WORK/$1/cases/box/plan"; }
run() { # NAME RANKS OPTION...
  local name=$1 ranks=$2
  shift 2
  mpi "$ranks" "$ROBION" run "$WORK/study.yaml" --results "$WORK/$name" --set robust=voxelwise \
    --set optimizer.max_iterations=3 --set "scenarios=$sets" "$@"
}
check "a run" run one 1
check "a run of two ranks" run two 2
for file in metrics dvh scenarios; do
  check "has the same $file" cmp "$(plan one)/$file.csv" "$(plan two)/$file.csv"
done
has() { grep -qE "$1" "$(plan one)/scenarios.csv" || { cat "$(plan one)/scenarios.csv" && return 1; }; }
check "two beams apart" has '^optimize,r0-3.5_r1\+3.5,0,0,0,0,[0-9.]+,1,-3.5 3.5'
check "two beams alike" has '^optimize,r-3.5,0,0,0,-3.5,[0-9.]+,1,'
check "shifts on top" has '^optimize,y\+3,0,3,0,0,'
check "a response" has '^optimize,bio-low,0,0,0,0,[0-9.]+,1,,low,0.8,1,0,0,0,$'
check "another model in a range error" has '^evaluate,r0-3.5_r1\+3.5_bio-mkm,0,0,0,0,[0-9.]+,1,-3.5 3.5,mkm,1,0.9,0,0,0,$'
check "drawn responses" has '^evaluate,random-2,.*,nominal,[0-9.]+,[0-9.]+,0,0,0,$'
check "drawn for each beam" has '^evaluate,random-5,[-0-9.e]+,[-0-9.e]+,[-0-9.e]+,[-0-9.e]+,[0-9.]+,1,[-0-9.]+ [-0-9.]+'
cat >"$WORK/look.py" <<'PY'
import sys, h5py, numpy
plan = h5py.File(sys.argv[1])
ids = [i.decode() for i in plan["scenarios/id"]]
ranges, one = plan["scenarios/range_percent_of_beams"][:], plan["scenarios/range_percent"][:]
assert ranges.shape == (len(ids), 2)
assert list(ranges[ids.index("r0-3.5_r1+3.5")]) == [-3.5, 3.5] and one[ids.index("r0-3.5_r1+3.5")] == 0
assert numpy.allclose(ranges.mean(1), one)
assert (ranges[:, 0] == ranges[:, 1]).sum() == 1 + 2 * 3 # nominal, and both alike with each response
PY
if [ -n "$python" ]; then check "plan.h5 tells the same" "$python" "$WORK/look.py" "$(plan one)/plan.h5"; else skip "plan.h5" "no python with h5py"; fi
long=(--set optimizer.max_iterations=60 --set optimizer.relative_tolerance=0 --set optimizer.relative_gap=0)
interrupt() { # stop it once iterations are under way
  run cut 1 "${long[@]}" >"$WORK/cut.out" 2>&1 &
  local pid=$! tries=0
  until [ "$(grep -c ' iteration ' "$WORK/cut/log.txt" 2>/dev/null)" -gt 3 ] || [ $((tries += 1)) -gt 600 ]; do sleep 0.05; done
  touch "$WORK/cut/stop"
  local code=0
  wait "$pid" || code=$?
  rm "$WORK/cut/stop"
  return $code
}
check "a longer run" run whole 1 "${long[@]}"
check "stops" expect_exit 75 interrupt
check "and goes on" run cut 1 "${long[@]}" --resume
check "to the same plan" cmp "$(plan whole)/metrics.csv" "$(plan cut)/metrics.csv"
check "percentiles of metrics" grep -q ",p95,CTV,rbe_weighted,D98," "$(plan one)/metrics.csv"
check "a report" "$ROBION" report "$WORK/one"
check "evaluates in an activity of one range alone" expect_text 'activity.scenarios: found r[^ ]*, whose beams have range errors of their own' \
  run no 1 --set 'activity={scenarios: [all], windows: [{name: a, from_s: 0, to_s: 60}]}'
check "too many are refused" expect_text 'scenarios.evaluate: found up to [0-9]+ scenarios, expected at most 20000' \
  "$ROBION" validate "$WORK/study.yaml" --set 'scenarios.evaluate={range_percent: [-40,-30,-20,-10,-5,-4,-3,-2,-1,0,1,2,3,4,5,10,20,30,40], range_per_beam: true, setup: grid, setup_mm: 2, plus: [{range_percent: [-41,-31,-21,-11,-6,-4.5,-3.5,-2.5,-1.5,0.5,1.5,2.5,3.5,4.5,5.5,10.5,20.5,30.5,40.5], range_per_beam: true, setup: grid, setup_mm: 3}, {range_percent: [7,8], setup: grid, setup_mm: 8}, {range_percent: [-42,-32,-22,-12,-7,-4.7,-3.7,-2.7], range_per_beam: true, setup: grid, setup_mm: 5}]}'
