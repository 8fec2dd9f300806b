#!/usr/bin/env bash
# The results folder: one run at a time, whatever links others have put there.
# timeout: 120
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
export OMPI_MCA_ess_singleton_isolated=0 # two at the same time
BOX=tests/studies/e2e-box.yaml
OUT=$WORK/out
quick() { "$ROBION" run "$BOX" --results "$OUT" --set optimizer.max_iterations=1 "$@"; }

# A run that is at work until it is told to stop.
"$ROBION" run "$BOX" --results "$OUT" --set optimizer.max_iterations=100000 --set optimizer.relative_tolerance=0 \
  --set optimizer.relative_gap=0 >"$WORK/long.log" 2>&1 &
long=$!
holds() { grep -q "process $long" "$OUT/.lock"; }
for _ in $(seq 200); do ! holds 2>/dev/null || break; sleep 0.1; done
check "a run says who it is" holds
ask quick
check "a second run in its folder is refused" ended 5
check "and told by whom" told "$OUT: another run is at work there \(host .*, process $long, since 20"
check "with --resume, too" expect_exit 5 quick --resume
check "and as a job of an array" expect_exit 5 quick --array 1/2
check "its log is not the second's" expect_exit 1 grep -q "another run" "$OUT/log.txt"
check "looking is allowed" "$ROBION" status "$OUT"
kill -9 "$long"
wait "$long" 2>/dev/null
check "a dead run holds nothing" quick

# Two jobs of an array share the folder, the same job twice does not.
rm -rf "$OUT"
"$ROBION" run "$BOX" --results "$OUT" --array 1/2 --set optimizer.max_iterations=100000 \
  --set optimizer.relative_tolerance=0 --set optimizer.relative_gap=0 >"$WORK/long.log" 2>&1 &
long=$!
holds() { grep -q "process $long" "$OUT/.lock-1"; }
for _ in $(seq 200); do ! holds 2>/dev/null || break; sleep 0.1; done
check "another job of the array works beside it" quick --array 2/2
check "the same job does not" expect_exit 5 quick --array 1/2
check "nor does a whole run" expect_exit 5 quick
kill -9 "$long"
wait "$long" 2>/dev/null

# Links that somebody else has put into the folder lead nowhere.
rm -rf "$OUT" && mkdir -p "$OUT/cases/box/plan"
echo precious >"$WORK/precious"
for name in status.json study.yaml metrics.csv cases/box/plan/plan.h5 cases/box/plan/plan.h5.tmp cases/box/plan/metrics.csv; do
  ln -s "$WORK/precious" "$OUT/$name"
done
check "a run among links" quick
check "follows none of them" grep -qx precious "$WORK/precious"
check "and puts files in their place" test -f "$OUT/cases/box/plan/plan.h5" -a ! -L "$OUT/cases/box/plan/plan.h5"
rm -f "$OUT/log.txt" && ln -s "$WORK/precious" "$OUT/log.txt"
ask quick
check "a log that is a link is refused" ended 5
check "by name" told "log.txt: cannot be written: a symbolic link, which is not followed"
check "and not followed" grep -qx precious "$WORK/precious"

# A plan whose case or base data have changed is not a finished one.
CASE=$(dirname "$ROBION")/tests/e2e_case
for kind in good outside; do "$CASE" $kind "$WORK/$kind.h5"; done
cp "$WORK/good.h5" "$WORK/p.h5"
resume() { quick --set "cases=[{file: $WORK/p.h5, name: p}]" --set robust=none --resume "$@"; }
rm -rf "$OUT"
check "a plan of a case file" resume
check "is kept" expect_text '0 plans done, 1 skipped' resume
lists_inputs() { # provenance.json: study and case with hash and size
  cat "$OUT/provenance.json"
  grep -qE '"kind": "study", "path": ".*e2e-box.yaml", "fnv1a64": "[0-9a-f]{16}", "bytes": '"$(stat -c %s "$BOX")}" "$OUT/provenance.json" &&
    grep -qE '"kind": "case", "path": "'"$WORK/p.h5"'", "fnv1a64": "[0-9a-f]{16}", "bytes": '"$(stat -c %s "$WORK/p.h5")}" \
      "$OUT/provenance.json"
}
check "provenance.json names its files" lists_inputs
touch "$WORK/p.h5"
check "also if its file is only newer" expect_text '0 plans done, 1 skipped' resume
cp "$WORK/outside.h5" "$WORK/p.h5"
check "another content is told" expect_text "$WORK/p.h5 has changed since: planned anew" resume
check "and the plan of it kept" expect_text '0 plans done, 1 skipped' resume
mv "$WORK/p.h5" "$WORK/elsewhere.h5"
check "a plan is not thrown away because its case cannot be read" test -s "$OUT/cases/p/plan/plan.h5"
