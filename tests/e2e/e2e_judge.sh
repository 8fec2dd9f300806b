#!/usr/bin/env bash
# `robion evaluate` and `matrix` judge a plan.h5 as what it is: by its own arm and sweep point.
# timeout: 200
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
cat - tests/studies/e2e-box.yaml >"$WORK/study.yaml" <<'YAML'
arms: {first: {robust: none}, second: {robust: composite, scenarios.evaluate.setup_mm: 1}}
sweep: {biology.alpha_x_per_Gy: [0.1, 0.2]}
YAML
STUDY=$WORK/study.yaml
check "two arms at two points" "$ROBION" run "$STUDY" --results "$WORK/run" --set optimizer.max_iterations=2
again() { # ARM POINT: the metrics of the run and of its plan evaluated, told apart by nothing but the study's order
  local plan=$WORK/run/cases/box/$1/biology.alpha_x_per_Gy=$2
  "$ROBION" evaluate "$plan/plan.h5" "$STUDY" -o "$WORK/again.h5" --set optimizer.max_iterations=2 &&
    cmp "$plan/metrics.csv" "$WORK/again.metrics.csv"
}
for arm in first second; do
  for alpha in 0.1 0.2; do check "$arm at $alpha is judged as itself" again $arm $alpha; done
done
last=$WORK/run/cases/box/second/biology.alpha_x_per_Gy=0.2/plan.h5
judge() { "$ROBION" evaluate "$last" "$STUDY" -o "$WORK/judged.h5" "$@"; }
check "another arm contradicts it" expect_exit 2 judge --arm first
check "and is named" expect_text '--arm first: .*plan.h5 was made with second' judge --arm first
check "so is another point" expect_text '--sweep biology.alpha_x_per_Gy=0.1: .* was made with biology.alpha_x_per_Gy=0.2' \
  judge --sweep biology.alpha_x_per_Gy=0.1
check "its own names do not" judge --arm second --sweep biology.alpha_x_per_Gy=0.2
renamed() { "$ROBION" evaluate "$last" "$WORK/renamed.yaml" -o "$WORK/renamed.h5" "$@"; }
sed -e 's/first:/plain:/' -e 's/second:/worst:/' "$STUDY" >"$WORK/renamed.yaml"
check "a study without its arm wants a choice" expect_text 'arm second, sweep point .*which the study does not have: choose' renamed
check "and takes one" renamed --arm worst --sweep biology.alpha_x_per_Gy=0.1
check "the matrix of the plan says its arm and point" expect_text \
  'arm second, sweep point biology.alpha_x_per_Gy=0.2' "$ROBION" matrix "$STUDY" --plan "$last" -o "$WORK/m.h5" --set robust=none
