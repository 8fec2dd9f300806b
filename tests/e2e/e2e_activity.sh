#!/usr/bin/env bash
# Positron emitters of a plan: /activity in plan.h5 on any number of ranks, what is wrong with its keys, and `robion shift`.
# timeout: 200
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
cat - tests/studies/e2e-box.yaml >"$WORK/study.yaml" <<'YAML'
activity:
  scenarios: [nominal, r+3.5, r-3.5_x+3]
  windows: [{name: after, from_s: 120, to_s: 420}, {name: during, from_s: -60, to_s: 0}]
  spill_s: 2
  pause_s: 3
  brain: [CTV]
  efficiency_percent: 2
YAML
machine='machine={energy_min_MeV_u: 95, energy_max_MeV_u: 155, range_step_mm: 4, ripple_sigma_mm: 2}'
run() { # RANKS FOLDER SET...
  local ranks=$1 folder=$2
  shift 2
  mpi "$ranks" "$ROBION" run "$WORK/study.yaml" --results "$WORK/$folder" --set optimizer.max_iterations=2 \
    --set beams="[{gantry_deg: 90}]" --set "$machine" "$@"
}
check "a plan with its activity" run 1 one
check "on two ranks" run 2 two
plan=cases/box/plan/plan.h5
if command -v h5diff >/dev/null; then
  check "the same activity" h5diff "$WORK/one/$plan" "$WORK/two/$plan" /activity
  for map in nominal/nuclei/11C r+3.5/image/after r-3.5_x+3/counts/during nominal/physical; do
    check "$map is there" h5diff "$WORK/one/$plan" "$WORK/two/$plan" "/activity/$map"
  done
else
  skip "the same activity" "no h5diff here"
fi
shift_of() { "$ROBION" shift "$WORK/one/$plan" --other-scenario r+3.5 "$@"; }
near() { # activity and dose within 0.5 mm of each other, on voxels of 4 mm, and upstream
  shift_of "$@" | awk '/^activity/ { a = $2 } /^dose/ { d = $2 } END { exit !(a < -0.5 && d < -0.5 && (a - d) ^ 2 < 0.25) }'
}
check "3.5 % shift image and dose alike" near
check "and all that is at rest" near --map nuclei/11C
check "counts have a standard deviation" expect_text '^activity .* counts 0\.[0-9]*[1-9]' shift_of --other-map counts/after
check "columns are told" shift_of -o "$WORK/columns.csv"
check "one in a row" grep -qE '^-?[0-9.]+,-?[0-9.]+,' "$WORK/columns.csv"
check "no other beam" expect_exit 2 shift_of --beam 7
check "no such scenario in the file" expect_text '/activity/r-1/image/after: missing' shift_of --scenario r-1 --map image/after
check "a plan without activity" run 1 none --set activity.scenarios='[nominal]' --set activity.windows='[]'
check "has no image" expect_exit 4 "$ROBION" shift "$WORK/none/$plan" --map image/after
check "an unknown scenario is named" expect_text 'activity.scenarios: scenarios.evaluate has no r\+3, did you mean' \
  run 1 bad --set activity.scenarios='[r+3]'
check "spills want pauses" expect_text 'found spill_s 2 and pause_s 0' run 1 bad --set activity.pause_s=0
check "windows end after they begin" expect_text 'to_s: found 1, expected more than from_s, 3' \
  run 1 bad --set activity.windows='[{name: a, from_s: 3, to_s: 1}]'
check "windows have their own names" expect_text 'found a twice' \
  run 1 bad --set activity.windows='[{name: a, from_s: 3, to_s: 4}, {name: a, from_s: 5, to_s: 6}]'
check "an unknown brain is named" expect_text 'activity.brain: case box has no structure Brain' run 1 bad --set activity.brain='[Brain]'
check "fractions of a course differ" expect_text 'activity: found a plan in stages' \
  "$ROBION" run tests/studies/e2e-stages.yaml --results "$WORK/stages" --set activity.scenarios='[nominal]'
