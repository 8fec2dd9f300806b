#!/usr/bin/env bash
# Breathing: phases as scenarios, doses accumulated over them, and what a study may get wrong.
# timeout: 400
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
"$ROBION" phantom liver --seed 5 --ct-spacing-mm 4 --breathing-mm 15 --phases 3 -o "$WORK/liver.h5" >/dev/null
check "phases are shown" expect_text '^phase      p01, weight 0.333333, up to 6\.' "$ROBION" show "$WORK/liver.h5"
cat >"$WORK/study.yaml" <<YAML
robion: 1
name: motion
cases: [{file: $WORK/liver.h5, name: liver}]
machine: {energy_min_MeV_u: 100, energy_max_MeV_u: 240, range_step_mm: 12}
biology: {model: mixed-beam}
prescription: {dose_Gy_RBE: 4, fractions: 4, target: CTV}
beams: [{gantry_deg: 330}]
dose_grid_mm: 8
spots: {lateral_mm: 8, layer_mm: 12}
scenarios:
  optimize: {range_percent: [-3.5, 3.5], motion: accumulate}
  evaluate: {range_percent: [-3.5, 0, 3.5], motion: phases}
objectives: [{structure: CTV, type: uniform, dose_Gy_RBE: 4, weight: 100}, {structure: Liver, type: mean-linear, weight: 1}]
robust: voxelwise
optimizer: {max_iterations: 4, certificate_iterations: 1}
YAML
run() { # RANKS NAME OPTION...
  mpi "$1" "$ROBION" run "$WORK/study.yaml" --results "$WORK/$2" "${@:3}"
}
for ranks in 1 2; do check "a plan of accumulated doses on $ranks ranks" run $ranks "r$ranks"; done
for file in metrics dvh scenarios goals; do check "has the same bits, $file" cmp "$WORK/r1/$file.csv" "$WORK/r2/$file.csv"; done
plan=$WORK/r1/cases/liver/plan
told() { grep -q "$1" "$plan/scenarios.csv"; }
check "it is planned on all phases at once" told '^optimize,r-3.5,.*,all$'
check "and judged in each" told '^evaluate,r+3.5_phase-p02,.*,p02$'
check "also with the patient as the CT has him" told '^evaluate,nominal,.*,0,0,0,$'
check "in 10 scenarios" test "$(grep -c ^evaluate "$plan/scenarios.csv")" = 10
mean() { # SCENARIO: mean physical dose of the CTV
  awk -F, -v of="$1" '$5 == of && $6 == "CTV" && $7 == "physical" && $8 == "Dmean" { print $9 }' "$WORK/$2metrics.csv"
}
accumulated() {
  "$ROBION" evaluate "$plan/plan.h5" "$WORK/study.yaml" -o "$WORK/all.h5" --set scenarios.evaluate.motion=accumulate \
    --set 'scenarios.evaluate.range_percent=[0]' >/dev/null || return
  awk -v all="$(mean nominal all.)" -v a="$(mean phase-p00 r1/)" -v b="$(mean phase-p01 r1/)" -v c="$(mean phase-p02 r1/)" 'BEGIN {
    print all, a, b, c; m = (a + b + c) / 3; exit !(m > 0 && (all - m) ^ 2 < (2e-4 * m) ^ 2 && (a - b) ^ 2 > (1e-3 * m) ^ 2) }'
}
check "the accumulated dose is the mean of the phases'" accumulated
differs() { ! cmp -s "$WORK/r1/metrics.csv" "$WORK/$1/metrics.csv"; }
check "as if he lay still" run 1 still --set scenarios.optimize.motion=none
check "it is another plan" differs still
check "without robustness" run 1 plain --set robust=none
check "it is planned on all phases, too" grep -q '^optimize,nominal,0,0,0,0,1,1,.*,all$' "$WORK/plain/scenarios.csv"
check "a gated beam" run 1 gated --set 'scenarios.optimize.phases=[p00]'
check "is for that phase alone" differs gated
one_phase() { run 1 one --set scenarios.optimize.motion=phases --set 'scenarios.optimize.phases=[p01]' --set 'scenarios.optimize.range_percent=[0]'; }
check "phases as scenarios of the optimisation" one_phase
check "and the nominal one beside them" test "$(grep -c ^optimize "$WORK/one/scenarios.csv")" = 2

box="cases=[{phantom: liver, seed: 5, ct_spacing_mm: 4, name: box}]"
check "a case that does not breathe" expect_text 'scenarios.optimize.motion: found accumulate, but case box has no breathing phases' \
  "$ROBION" validate "$WORK/study.yaml" --set "$box"
check "is a mistake of input" expect_exit 4 "$ROBION" validate "$WORK/study.yaml" --set "$box"
check "a phase that there is not" expect_text 'scenarios.evaluate.phases: case liver has no phase p2, did you mean p02' \
  "$ROBION" validate "$WORK/study.yaml" --set 'scenarios.evaluate.phases=[p2]'
sed 's/, motion: phases/, phases: [p00]/' "$WORK/study.yaml" >"$WORK/alone.yaml"
check "phases want a motion" expect_text 'alone.yaml:12:[0-9]*: scenarios.evaluate.phases: found without motion' "$ROBION" validate "$WORK/alone.yaml"
check "activity wants a patient who lies still" expect_text 'activity: found scenarios.evaluate.motion: phases, expected a patient who lies still' \
  "$ROBION" validate "$WORK/study.yaml" --set 'activity.scenarios=[nominal]'
check "there is no matrix of what is accumulated" expect_text 'scenarios.optimize.motion: found accumulate, expected phases' \
  "$ROBION" matrix "$WORK/study.yaml" -o "$WORK/m.h5"
