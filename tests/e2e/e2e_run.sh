#!/usr/bin/env bash
# `robion run` from the study to the tables: the same bits on any number of ranks, every file, resume, stop, sweeps.
# timeout: 600, ranks: 1 2
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
ARMS=tests/studies/e2e-arms.yaml BOX=tests/studies/e2e-box.yaml COUNTS=tests/studies/e2e-counts.yaml
arms="conventional voxelwise composite expected"

# --- Any number of ranks ---------------------------------------------------------------------------------------------
several=${ROBION_TEST_RANKS:-1 2}
for n in $several; do
  check "four robust modes on $n ranks" mpi "$n" "$ROBION" run "$ARMS" --results "$WORK/r$n"
done
for n in ${several#1 }; do
  for table in metrics dvh scenarios goals; do
    check "$table.csv of $n ranks is that of one" cmp "$WORK/r1/$table.csv" "$WORK/r$n/$table.csv"
  done
  for arm in $arms; do
    if command -v h5diff >/dev/null; then
      check "plan.h5 of $arm on $n ranks is that of one, but for provenance and timing" h5diff \
        --exclude-path /provenance --exclude-path /timing {"$WORK/r1","$WORK/r$n"}"/cases/box/$arm/plan.h5"
    else
      skip "plan.h5 of $arm on $n ranks" "no h5diff here"
    fi
  done
done

# --- What a run leaves -----------------------------------------------------------------------------------------------
for file in study.yaml provenance.json log.txt events.jsonl status.json metrics.csv dvh.csv scenarios.csv \
  cases/box/{conventional,voxelwise,composite,expected}/plan.h5; do
  check "$file is there" test -s "$WORK/r2/$file"
done
no_leftovers() { ! find "$1" -name '*.tmp*' -o -name '*.work' -o -name 'checkpoint.h5' | grep .; }
check "no temporary files and no checkpoints stay" no_leftovers "$WORK/r2"
check "status.json says done" grep -q '"state": "done"' "$WORK/r2/status.json"
check "every event is one JSON object" awk '!/^\{.*\}$/ { exit 1 } END { exit NR == 0 }' "$WORK/r2/events.jsonl"
no_controls() { ! LC_ALL=C grep -n '[[:cntrl:]]' "$1"; }
check "the log has no control characters" no_controls "$WORK/r2/log.txt"
check "the effective study is a study with the same hash" expect_text 'no mistakes' "$ROBION" validate "$WORK/r2/study.yaml"
no_numbers_lost() { ! grep -niE '(^|[,: ])-?(nan|inf)' "$WORK"/r2/*.csv "$WORK/r2/events.jsonl"; }
check "no table holds NaN or infinity" no_numbers_lost
tidy() { awk -F, 'NR == 1 { n = NF } NF != n || NF != 10 { exit 1 }' "$WORK/r2/metrics.csv"; }
check "metrics.csv has ten columns in every row" tidy

# One number per plan (4), scenario (3 x 7) or statistic (4), and structure (CTV, BODY).
rows_of() { # QUANTITY METRIC UNIT
  awk -F, -v q="$1" -v m="$2" -v u="$3" '$7 == q && $8 == m { n++; if ($10 != u) exit 1 } END { print n " rows"; exit n != 4 * 27 * 2 }' \
    "$WORK/r2/metrics.csv"
}
for name in RBEmean RBE98 RBE50 RBE2; do check "metrics.csv has $name" rows_of rbe "$name" 1; done
for name in Smean Smax; do check "metrics.csv has $name" rows_of survival "$name" %; done
asked_for() { # STRUCTURE QUANTITY METRIC UNIT
  awk -F, -v s="$1" -v q="$2" -v m="$3" -v u="$4" '$6 == s && $7 == q && $8 == m && $10 == u { n++ } END { print n " rows"; exit n != 4 * 27 }' \
    "$WORK/r2/metrics.csv"
}
check "metrics.csv has what was asked for" asked_for BODY rbe_weighted DC100cc 'Gy(RBE)'
check "in cm3" asked_for BODY physical V1Gy_cc cm3
check "and by a goal" asked_for BODY rbe_weighted V2Gy %
for row in "BODY NTCP-failure %" "BODY gEUD-failure Gy(RBE)" "CTV NTCP-own %" "CTV gEUD-own Gy(RBE)"; do
  read -r structure name unit <<<"$row"
  check "and $name" asked_for "$structure" outcome "$name" "$unit"
done
shares() { # the share of the 21 scenarios that keep the limit, from metrics.csv, is the value of the goal
  awk -F, 'FNR == NR { if ($5 !~ /^(min|max|median|p5|p95|index)$/) {
      if ($6 == "CTV" && $7 == "rbe_weighted" && $8 == "D95") good[$3, "D95"] += $9 >= 2.4
      if ($6 == "BODY" && $8 == "V2Gy") good[$3, "V2Gy"] += $9 <= 20 } next }
    $9 == "share" { n++; share = 100 * good[$3, $7] / 21; print $3, $7, $12, share, $14, $15, $16, $17
      if (($12 - share) ^ 2 > 1e-10 || $14 != ($12 >= $11) || $13 != "%" || $10 != "at least") exit 1
      if ($7 == "D95" && ($15 != "at least" || ($16 - 2.4) ^ 2 > 1e-12 || $17 != "Gy(RBE)")) exit 1 }
    END { exit n != 8 }' "$WORK/r2/metrics.csv" "$WORK/r2/goals.csv"
}
check "goals are told by their share of the scenarios" shares
check "in the log" grep -qE 'CTV D95 at least 2.4 Gy\(RBE\) per fraction in [0-9.]+ % of the scenarios: at least 95 %' "$WORK/r2/log.txt"
rbe_is_ratio_of_doses() {
  awk -F, '$8 == "Dmean" { dose[$7, $3, $5, $6] = $9 }
    $8 == "RBEmean" && $5 !~ /^(min|max|median|p5|p95|index)$/ {
      n++; ratio = dose["rbe_weighted", $3, $5, $6] / dose["physical", $3, $5, $6]
      if (!($9 > 1 && $9 < 8 && ($9 - ratio) ^ 2 < 1e-12)) { print $0 ", expected " ratio; exit 1 } }
    END { exit !n }' "$WORK/r2/metrics.csv"
}
check "RBEmean is mean RBE-weighted over mean physical dose" rbe_is_ratio_of_doses
cells_die_in_the_target() { # at 3 Gy(RBE) exp(-0.1 3 - 0.05 9) = 47 % of the default tissue's cells survive
  awk -F, '$5 == "nominal" && $8 == "Smean" {
      if ($6 == "CTV" && !($9 > 40 && $9 < 55) || $6 == "BODY" && !($9 > 55 && $9 < 100)) { print; exit 1 } n++ }
    END { exit n != 8 }' "$WORK/r2/metrics.csv"
}
check "Smean is that of the prescription in the target, higher around it" cells_die_in_the_target

metric() { # RESULTS ARM SCENARIO STRUCTURE QUANTITY METRIC
  awk -F, -v arm="$2" -v sc="$3" -v st="$4" -v q="$5" -v m="$6" \
    '$3 == arm && $5 == sc && $6 == st && $7 == q && $8 == m { print $9; found = 1 } END { exit !found }' "$1/metrics.csv"
}
worst_D98_rises() { # ARM
  local conventional robust
  conventional=$(metric "$WORK/r2" conventional min CTV rbe_weighted D98) || return 1
  robust=$(metric "$WORK/r2" "$1" min CTV rbe_weighted D98) || return 1
  echo "worst D98: conventional $conventional Gy(RBE), $1 $robust Gy(RBE)"
  awk -v a="$conventional" -v b="$robust" 'BEGIN { exit !(a > 0 && b > a) }'
}
check "voxelwise beats conventional in the worst case's D98" worst_D98_rises voxelwise
check "composite beats conventional in the worst case's D98" worst_D98_rises composite
min_is_least() {
  awk -F, '$6 == "CTV" && $7 == "rbe_weighted" && $8 == "D98" {
      if ($5 == "min") least[$3] = $9
      else if ($5 !~ /^(max|median|index)$/ && (!($3 in seen) || $9 < seen[$3])) seen[$3] = $9 }
    END { for (arm in least) { n++; if (least[arm] != seen[arm]) exit 1 } exit n != 4 }' "$WORK/r2/metrics.csv"
}
check "scenario min is the least of all scenarios" min_is_least

phases() { # every phase of each of the four plans says that it begins
  local phase
  for phase in 'build .*dose operator of' 'optimize .*iteration ' 'certify .*distance from the optimum: at most' 'evaluate .*doses of [0-9]+ scenarios at' \
    'evaluate .*doses and metrics took .* files are written'; do
    [ "$(grep -cE "$phase" "$WORK/r2/log.txt")" -ge 4 ] || { echo "$phase" && return 1; }
  done
}
check "the log tells every phase" phases
check "and at the start how long the study may take" grep -qE 'plan 1 of 4, [0-9]+ (s|min).* left for the study' "$WORK/r2/log.txt"

# --- Resume, --only, --set -------------------------------------------------------------------------------------------
plan=$WORK/r2/cases/box/composite/plan.h5
cp -p "$plan" "$WORK/before.h5" && touch -r "$plan" "$WORK/stamp"
tables_before=$(cat "$WORK/r2/"{metrics,dvh,scenarios}.csv | cksum)
rm "$WORK/r2/cases/box/voxelwise/plan.h5"
check "--resume skips the plans that are finished" expect_text '3 skipped, 0 failed' mpi 2 "$ROBION" run "$ARMS" \
  --results "$WORK/r2" --resume
untouched() { cmp "$plan" "$WORK/before.h5" && ! [ "$plan" -nt "$WORK/stamp" ] && ! [ "$plan" -ot "$WORK/stamp" ]; }
check "and leaves them untouched" untouched
check "and plans the missing one again" test -s "$WORK/r2/cases/box/voxelwise/plan.h5"
check "with the same tables" test "$tables_before" = "$(cat "$WORK/r2/"{metrics,dvh,scenarios}.csv | cksum)"
damaged_plan_is_redone() {
  truncate -s 2000 "$plan" && expect_text "1 plans done, 3 skipped" mpi 1 "$ROBION" run "$ARMS" --results "$WORK/r2" --resume
}
check "a damaged plan is noticed and planned anew" damaged_plan_is_redone
resume_otherwise() { mpi 2 "$ROBION" run "$ARMS" --results "$WORK/r2" --resume --set optimizer.max_iterations=2 "$@"; }
study_before=$(cksum <"$WORK/r2/study.yaml")
ask resume_otherwise
check "--resume with other settings is refused" ended 2
check "and told by key, with what was and is, and how many plans" told \
  '--resume: .*/cases/box/[a-z]+ \(and 3 other plans\) was made with other settings: optimizer.max_iterations was [0-9]+, now 2; run with'
check "touching nothing" test "$study_before$tables_before" = \
  "$(cksum <"$WORK/r2/study.yaml")$(cat "$WORK/r2/"{metrics,dvh,scenarios}.csv | cksum)"
check "with --replan they are made anew" expect_text '4 plans done, 0 skipped' resume_otherwise --replan
check "and are then kept" expect_text '0 plans done, 4 skipped' resume_otherwise
check "--replan without --resume: exit 2" expect_exit 2 mpi 1 "$ROBION" run "$ARMS" --results "$WORK/r2" --replan

# --- Scenario counts, sweeps -----------------------------------------------------------------------------------------
check "a study of two cases, four arms, two sweep points" mpi 2 "$ROBION" run "$COUNTS" --results "$WORK/counts" --only box
check "--only leaves out the other case" test ! -e "$WORK/counts/cases/flat"
for n in 7 14 21 28; do
  for point in 4 8; do
    folder=$WORK/counts/cases/box/s$n/spots.layer_mm=$point
    check "$n evaluation scenarios, layers of $point mm" test "$n" = \
      "$(grep -cE '^evaluate,([^,]*,){6}1,' "$folder/scenarios.csv")"
  done
done
check "two cases can be named" expect_text '8 plans done, 8 skipped' mpi 1 "$ROBION" run "$COUNTS" --results "$WORK/counts" \
  --only flat,box --resume
ask mpi 1 "$ROBION" run "$COUNTS" --results "$WORK/none" --only bxo
check "an unknown case is refused" ended 2
check "and the nearest named" told 'no case bxo, did you mean box'

two_arms() { mpi 1 "$ROBION" run "$ARMS" --results "$WORK/arms" --arms "$1" \
  --set "optimizer={max_iterations: 2, certificate_iterations: 0}"; }
check "two arms of four" expect_text '2 plans done' two_arms conventional,composite
check "leave out the others" test ! -e "$WORK/arms/cases/box/voxelwise"
check "an unknown arm is refused, the nearest named" expect_text 'no arm composit, did you mean composite' two_arms composit

# --- In-field gradients ----------------------------------------------------------------------------------------------
gradient() { mpi 1 "$ROBION" run "$BOX" --results "$WORK/gradient" --set "spot_control={$1}" \
  --set "optimizer={max_iterations: 3, certificate_iterations: 0}"; }
check "in-field gradients of a target's fields" expect_text 'in-field gradients of 2 fields in 216 voxels within 5 mm' \
  gradient 'gradient: 100'
check "a distance without neighbours is refused" expect_text 'gradient_distance_mm: found 3, expected at least dose_grid_mm, 4' \
  gradient 'gradient: 100, gradient_distance_mm: 3'

# --- Dry run ---------------------------------------------------------------------------------------------------------
dry() { mpi 2 "$ROBION" run "$ARMS" --results "$WORK/dry" --dry-run --set 'cases.0.name=dry' "$@"; }
ask dry --arms composite
check "a dry run tells the plans that --arms asks for alone" told '^study e2e-arms: 1 plans'
other_arms() { grep -cE '^dry +(conventional|voxelwise|expected)' <<<"$said"; }
check "and no others" expect_text '^0$' other_arms
ask dry
check "--dry-run tells nonzeros and memory" told 'nonzeros +MiB/node +MiB/rank'
check "--dry-run takes --set" told '^dry +voxelwise +- +14 +21 +2 +[1-9][0-9]+ '
check "and writes nothing" test ! -e "$WORK/dry"

# --- Stopping --------------------------------------------------------------------------------------------------------
# Three seconds per plan whatever the machine: no tolerance, no end of iterations.
slow=(--set optimizer.max_iterations=1000000 --set optimizer.relative_tolerance=0 --set optimizer.window=1000000 --set optimizer.relative_gap=0
  --set optimizer.max_minutes=0.05 --set robust=voxelwise)
stopped_tidily() { # RESULTS
  test -s "$1/cases/box/plan/checkpoint.h5" && test ! -e "$1/cases/box/plan/plan.h5" &&
    grep -q '"state": "stopped"' "$1/status.json" && ! find "$1" -name '*.tmp*' | grep .
}
check "--time-limit stops with 75" expect_exit 75 mpi 2 "$ROBION" run "$BOX" --results "$WORK/limit" "${slow[@]}" \
  --time-limit 00:00:02
check "leaving a checkpoint and no plan" stopped_tidily "$WORK/limit"
ask mpi 2 "$ROBION" run "$BOX" --results "$WORK/limit" --resume
check "going on from a checkpoint with a forgotten --set is refused" ended 2
check "by key" told "other settings: .*; optimizer.max_iterations was 1000000, now 8; "
check "a resumed run finishes" mpi 1 "$ROBION" run "$BOX" --results "$WORK/limit" "${slow[@]}" --resume
check "with a plan and without the checkpoint" bash -c \
  "test -s '$WORK/limit/cases/box/plan/plan.h5' && test ! -e '$WORK/limit/cases/box/plan/checkpoint.h5'"
check "and says that it went on from the checkpoint" grep -q checkpoint "$WORK/limit/log.txt"

interrupt() { # RESULTS SIGNAL: send it once iterations are under way, return mpirun's exit code
  mpirun -n 2 "$ROBION" run "$BOX" --results "$1" "${slow[@]}" >"$1.out" 2>&1 &
  local pid=$! tries=0
  until grep -q ' iteration ' "$1/log.txt" 2>/dev/null || [ $((tries += 1)) -gt 300 ]; do sleep 0.1; done
  kill -"$2" "$pid"
  wait "$pid"
}
check "SIGUSR1 to mpirun stops with 75" expect_exit 75 interrupt "$WORK/usr1" USR1
check "leaving a checkpoint and no plan" stopped_tidily "$WORK/usr1"
