#!/usr/bin/env bash
# Sweeps of the evaluation, `robion collect` and `robion status` on a small cohort: nothing optimised twice, what is missing named.
# timeout: 600
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
STUDY=tests/studies/e2e-collect.yaml out=$WORK/out
plan=cases/b/robust/errors=large

# --- Points that only evaluate share an optimisation --------------------------------------------------------------------
check "a cohort with a swept evaluation" mpi 2 "$ROBION" run "$STUDY" --results "$out" --team-size 1
optimised() { # RESULTS
  grep -c 'stopped after' "$1/log.txt"
}
check "six optimisations for twelve plans" test "$(optimised "$out")" = 6
if command -v h5diff >/dev/null; then
  for case in a b c; do
    check "with the same spots in case $case" h5diff "$out/cases/$case/robust/errors="{small,large}/plan.h5 /plan
  done
else
  skip "the same spots" "no h5diff here"
fi
alone() { # what is shared is what the plan would have found alone
  mpi 1 "$ROBION" run "$STUDY" --results "$WORK/alone" --only b --set 'sweep={}' --set 'arms={}' --set robust=composite \
    --set scenarios.evaluate.setup=axes+corners --set 'scenarios.evaluate.range_percent=[-3.5, 3.5]' >"$WORK/alone.txt"
  diff <(cut -d, -f5- "$WORK/alone/cases/b/plan/metrics.csv") <(cut -d, -f5- "$out/$plan/metrics.csv")
}
check "and the metrics each would have by itself" alone

# --- Statistics -------------------------------------------------------------------------------------------------------
check "a run of several cases writes statistics.csv" test -s "$out/statistics.csv"
fields() { awk -F, 'NR == 1 { n = NF } NF != n || NF != 25 { exit 1 } END { exit NR < 100 }' "$out/statistics.csv"; }
check "with 25 fields in each row" fields
no_numbers_lost() { ! grep -niE '(^|[,: ])-?(nan|inf)' "$out/statistics.csv"; }
check "and no NaN" no_numbers_lost
row_is_right() { # the mean difference in worst D98 between the arms, worked out from metrics.csv
  awk -F, '
    FILENAME ~ /metrics/ && $5 == "min" && $6 == "CTV" && $7 == "rbe_weighted" && $8 == "D98" && $4 == "errors=large" {
      d += ($3 == "robust" ? 1 : -1) * $9 / 3; n++ }
    FILENAME ~ /statistics/ && $1 == "min" && $2 == "CTV" && $3 == "rbe_weighted" && $4 == "D98" && $6 == "robust" &&
      $7 == "errors=large" && $8 == "plain" { print n, d, $11; good = n == 6 && $10 == 3 && ($11 - d) ^ 2 < 1e-14 }
    END { exit !good }' "$out/metrics.csv" "$out/statistics.csv"
}
check "the difference between arms is that of the plans of each case" row_is_right
python=$(python_with 'h5py, numpy')
if [ -n "$python" ]; then
  check "Python reads what the tables say" "$python" tests/support/read_results.py "$out"
else
  skip "results in Python" "no python3 with numpy and h5py here"
fi
one_rank() {
  mpi 1 "$ROBION" run "$STUDY" --results "$WORK/one" >/dev/null && cmp "$WORK/one/statistics.csv" "$out/statistics.csv"
}
check "the same statistics on one rank" one_rank

# --- Collect ----------------------------------------------------------------------------------------------------------
before=$(cat "$out"/{metrics,dvh,scenarios,statistics}.csv | cksum)
rm "$out"/{metrics,dvh,scenarios,statistics}.csv
ask "$ROBION" collect "$out"
check "collect needs no launcher" ended 0
check "and makes the same tables" test "$before" = "$(cat "$out"/{metrics,dvh,scenarios,statistics}.csv | cksum)"
check "says how many plans are there" told '^study e2e-collect: 12 of 12 plans done$'
cp -r "$out" "$WORK/gaps"
rm -r "$WORK/gaps/$plan"
ask "$ROBION" collect "$WORK/gaps"
check "a plan that is missing: exit 75" ended 75
check "and named" told "^missing +$plan\$"
printf x >>"$WORK/gaps/cases/c/plain/errors=small/dvh.csv"
ask "$ROBION" collect "$WORK/gaps"
check "one whose files have changed: exit 6" ended 6
check "and named" told '^damaged +cases/c/plain/errors=small: .*checksums.txt'
check "and not in the tables" told '^study e2e-collect: 10 of 12 plans done, 1 damaged, 1 missing$'
check "--resume mends both" mpi 1 "$ROBION" run "$STUDY" --results "$WORK/gaps" --resume
check "and nothing else" test "$(grep -c '"event": "plan_done"' "$WORK/gaps/events.jsonl")" = 14
check "to the same tables" test "$before" = "$(cat "$WORK/gaps"/{metrics,dvh,scenarios,statistics}.csv | cksum)"
check "no results: exit 4" expect_exit 4 "$ROBION" collect "$WORK/nowhere"

no_places() { grep -q ',outside-targets,rbe_weighted,D0.03cc,' "$out/statistics.csv" && ! grep -q ',mm,' "$out/statistics.csv"; }
check "places of hot spots are no samples, their doses are" no_places

# --- Arrays -----------------------------------------------------------------------------------------------------------
for job in 1 2 3; do
  check "job $job of an array of 3" mpi 1 "$ROBION" run "$STUDY" --results "$WORK/array" --array "$job/3"
  [ "$job" != 1 ] || check "after the first, status knows the rest is to do" expect_text 'to do' "$ROBION" status "$WORK/array"
done
check "collect puts them together" "$ROBION" collect "$WORK/array"
check "to the same tables as one run" test "$before" = "$(cat "$WORK/array"/{metrics,dvh,scenarios,statistics}.csv | cksum)"

# --- What was asked for -------------------------------------------------------------------------------------------------
part() { mpi 1 "$ROBION" run "$STUDY" --results "$WORK/part" "$@"; }
check "one arm of two cases" part --only a,b --arms plain
check "is all that status counts" expect_text \
  '^study e2e-collect: 4 plans, 4 done; 8 more of the study not asked for \(--only, --arms\)$' "$ROBION" status "$WORK/part"
ask "$ROBION" collect "$WORK/part"
check "and collect: exit 0" ended 0
check "with the same numbers" told '^study e2e-collect: 4 of 4 plans done; 8 more of the study not asked for \(--only, --arms\)$'
rm -r "$WORK/part/cases/b/plain/errors=small"
ask "$ROBION" collect "$WORK/part"
check "one of them lost: exit 75" ended 75
check "and only that one is missing" told '^study e2e-collect: 3 of 4 plans done, 1 missing; 8 more of'
check "--resume adds what it is asked for" part --only c --resume
ask "$ROBION" collect "$WORK/part"
check "to what was asked for before" told '^study e2e-collect: 7 of 8 plans done, 1 missing; 4 more of'
check "a whole run asks for all" part --resume
check "which is all that there is" expect_text '^study e2e-collect: 12 plans, 12 done$' "$ROBION" status "$WORK/part"

# --- Some plans made anew with other settings ---------------------------------------------------------------------------
check "one arm made anew with another dose" part --set prescription.dose_Gy_RBE=2 --resume --replan --arms plain
ask "$ROBION" collect "$WORK/part"
check "collect finds the other arm foreign" ended 6
check "by name" told '^foreign +cases/a/robust/errors=small: was made with other settings$'
check "with the numbers" told '^study e2e-collect: 6 of 12 plans done, 6 foreign$'
ask "$ROBION" status "$WORK/part"
check "status says the same" told '^study e2e-collect: 12 plans, 6 done, 6 foreign$'
check "and ranks no plan of other settings" expect_exit 1 told '^robust '

# --- Submit -----------------------------------------------------------------------------------------------------------
script() { "$ROBION" submit "$STUDY" --results "$WORK/it's" --nodes 2 --array 3 --time 01:30:00 --sbatch=--partition=x --dry-run; }
check "submit --dry-run shows a script that bash can read" bash -c "$(declare -f script); $(declare -p ROBION STUDY WORK)
  script >'$WORK/submit.sh' && bash -n '$WORK/submit.sh'"
ask script
check "with what was asked for" told '^#SBATCH --array=1-3$'
check "and the time limit" told '^#SBATCH --time=1:30:00$'
check "and further options" told '^#SBATCH --partition=x$'
check "and writes nothing" test ! -e "$WORK/it's"
asked() { sed -nE "s/^$1.*--mem=([0-9]+)M.*/\\1/p"; }
same_memory() { # what the script asks for, and what the dry run says, on two ranks: within a tenth
  local script dry
  script=$("$ROBION" submit "$STUDY" --ranks-per-node 2 --dry-run | asked '#SBATCH')
  dry=$(mpi 2 "$ROBION" run "$STUDY" --dry-run | asked 'sbatch:')
  echo "submit asks for $script MiB, the dry run says $dry"
  [ "$script" -gt 0 ] && [ $((10 * script)) -gt $((9 * dry)) ] && [ $((10 * script)) -lt $((11 * dry)) ]
}
check "submit asks for the memory that --dry-run says" same_memory
check "no nodes: exit 2" expect_exit 2 "$ROBION" submit "$STUDY" --nodes 0 --dry-run

# A stand-in for sbatch tells what a job would inherit.
mkdir "$WORK/bin" && printf '#!/bin/sh\nenv | sort\n' >"$WORK/bin/sbatch" && chmod +x "$WORK/bin/sbatch"
foreign='^(PMIX|PMI|ORTE|OMPI_COMM_WORLD|OMPI_MCA_ess|OMPI_MCA_orte|OMPI_MCA_pmix|SLURM_(JOB|NTASKS|STEP|MEM|PROCID)|SLURMD)'
submits() { # PREFIX...: robion submit under it, within what looks like a step of a SLURM job
  PATH=$WORK/bin:$PATH SLURM_CONF=/x/slurm.conf SLURM_JOB_ID=9 SLURM_NTASKS=1 SLURM_STEP_ID=0 SLURM_PROCID=0 SLURM_MEM_PER_NODE=7 \
    SLURMD_NODENAME=n1 OMPI_MCA_btl_tcp_if_include=lo "$@" "$ROBION" submit "$STUDY" --results "$WORK/submitted"
}
for how in alone "under mpirun"; do
  if [ "$how" = alone ]; then ask submits; else ask submits mpirun --mca plm ^slurm --mca ras ^slurm -n 1; fi
  check "submit $how" ended 0
  check "hands on what the user has set" told '^OMPI_MCA_btl_tcp_if_include=lo$'
  check "and what SLURM needs" told '^SLURM_CONF=/x/slurm.conf$'
  check "but not whose process it is" expect_exit 1 told "$foreign"
done

# --- Status -----------------------------------------------------------------------------------------------------------
check "status of a finished run" expect_text '^study e2e-collect: 12 plans, 12 done$' "$ROBION" status "$out"
check "watched, it is told once" expect_text '^study e2e-collect: 12 plans, 12 done$' timeout 20 "$ROBION" status "$out" --watch 5
check "tells the worst case of each arm" expect_text '^robust +6 +CTV +0\.[0-9]+ +cases/[abc]/robust/errors=large$' "$ROBION" status "$out"
slow=(--set optimizer.max_iterations=1000000 --set optimizer.relative_tolerance=0 --set optimizer.window=1000000 --set optimizer.relative_gap=0
  --set optimizer.max_minutes=10)
running() { # status while a run goes on, then stop it
  mpirun -n 1 "$ROBION" run "$STUDY" --results "$WORK/live" "${slow[@]}" >"$WORK/live.txt" 2>&1 &
  local pid=$! tries=0 good=1
  until "$ROBION" status "$WORK/live" 2>/dev/null | tee "$WORK/status.txt" | grep -qE '^cases/.* [0-9]+/1000000 ' ||
    [ $((tries += 1)) -gt 200 ]; do sleep 0.2; done
  cat "$WORK/status.txt"
  grep -qE '^study e2e-collect: 12 plans, 1 running, 11 to do' "$WORK/status.txt" && good=0
  kill -USR1 "$pid"
  wait "$pid"
  return "$good"
}
check "status while a run goes on has its iteration" running
check "and after the stop says so" expect_text '1 stopped' "$ROBION" status "$WORK/live"
