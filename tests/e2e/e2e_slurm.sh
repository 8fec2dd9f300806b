#!/usr/bin/env bash
# The templates in slurm/ under a real SLURM of two nodes on this machine: bits, time limit and requeue, cancelling, an array.
# timeout: 1000, cores: 0
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
# shellcheck source=tests/support/slurm_cluster.sh
. tests/support/slurm_cluster.sh
export ROBION
STUDY=tests/studies/e2e-collect.yaml

missing=$(cluster_missing)
if [ -n "$missing" ]; then
  skip "SLURM" "$missing"
  exit 0
fi
trap 'status=$?; cluster_stop; (exit $status); finish' EXIT
begun=$(date +%s)
cluster_start "$WORK/slurm" >"$WORK/start.txt" 2>&1
started=$?
ready() { cat "$WORK/start.txt" && test "$started" = 0; }
check "munged, slurmctld and two slurmd start" ready
[ "$started" = 0 ] || exit 1

# Virtual nodes share one host: what goes through shared memory between "nodes" would collide.
export OMPI_MCA_btl=self,tcp OMPI_MCA_btl_tcp_if_include=lo
options=(--parsable --mem-per-cpu=500M --output="$WORK/job-%j.log")

state_of() { scontrol show job "$1" 2>/dev/null | sed -nE 's/.*JobState=([A-Z_]+).*/\1/p' | sort -u | tr '\n' ' '; }
await() { # JOB SECONDS: until all of it has ended; prints its state
  local tries=0
  until ! state_of "$1" | grep -qE 'PENDING|RUNNING|COMPLETING|CONFIGURING|REQUEUED'; do
    [ $((tries += 1)) -lt $((2 * $2)) ] || break
    sleep 0.5
  done
  state_of "$1"
}
completes() { # JOB SECONDS
  local state
  state=$(await "$1" "$2")
  [ "$state" = "COMPLETED " ] && return
  echo "job $1: $state"
  squeue
  grep -w "JobId=$1" "$WORK/slurm/log/slurmctld.log"
  tail -n 20 "$WORK/job-$1.log"
  return 1
}
same_tables() { # RESULTS
  local table
  for table in metrics dvh scenarios statistics; do cmp "$WORK/direct/$table.csv" "$1/$table.csv" || return 1; done
}
OMPI_MCA_btl=self,vader check "a direct run" mpi 2 "$ROBION" run "$STUDY" --results "$WORK/direct"

# --- Single node, several nodes, array: all at once, as far as there are CPUs ---------------------------------------------
single=$(sbatch "${options[@]}" --ntasks=2 slurm/single-node.sh "$STUDY" --results "$WORK/single")
multi=$(sbatch "${options[@]}" --nodes=2 --ntasks-per-node=1 slurm/multi-node.sh "$STUDY" --results "$WORK/multi")
array=$(sbatch "${options[@]}" --array=1-3 --ntasks=1 slurm/array.sh "$STUDY" --results "$WORK/array")
# Submitted from within an MPI job that seems to be a step of a SLURM job of other tasks and memory.
submitted=$(SLURM_JOB_ID=99 SLURM_NTASKS=64 SLURM_STEP_NUM_TASKS=64 SLURM_PROCID=3 SLURM_MEM_PER_NODE=100 SLURM_TRES_PER_TASK=cpu:32 \
  mpirun --mca ras ^slurm --mca plm ^slurm -n 1 "$ROBION" submit "$STUDY" --ranks-per-node 2 --results "$WORK/submit's results" --sbatch=--output="$WORK/submitted.log" |
  sed -n 's/^Submitted batch job //p')
check "single-node.sh ends well" completes "$single" 120
check "with the bits of the direct run" same_tables "$WORK/single"
check "multi-node.sh on two nodes ends well" completes "$multi" 120
check "with the bits of the direct run" same_tables "$WORK/multi"
check "array.sh with three jobs ends well" completes "$array" 120
check "robion collect finds it complete" "$ROBION" collect "$WORK/array"
check "with the bits of the direct run" same_tables "$WORK/array"

check "what robion submit has sent ends well" completes "$submitted" 120
check "with the bits of the direct run" same_tables "$WORK/submit's results"

# --- Time limit ------------------------------------------------------------------------------------------------------
# Six plans of seven seconds whatever the machine. SLURM looks every 30 s who has less than 50 s of his minute left: the signal
# comes when one to five of them are done.
timed=(--set optimizer.max_iterations=1000000 --set optimizer.relative_tolerance=0 --set optimizer.window=1000000 --set optimizer.relative_gap=0
  --set optimizer.max_minutes=0.115 --set 'sweep={}')
endless=("${timed[@]}" --set optimizer.max_minutes=30)
limited=$(sbatch "${options[@]}" --ntasks=1 --time=1 --signal=USR1@50 slurm/requeue.sh "$STUDY" --results "$WORK/limited" \
  "${timed[@]}")
cancelled=$(sbatch "${options[@]}" --ntasks=1 slurm/single-node.sh "$STUDY" --results "$WORK/cancelled" "${endless[@]}")
killed=$(sbatch "${options[@]}" --ntasks=1 slurm/single-node.sh "$STUDY" --results "$WORK/killed")

iterates() { # RESULTS: wait until the log has an iteration
  local tries=0
  until grep -qs ' iteration ' "$1/log.txt"; do [ $((tries += 1)) -lt 300 ] && sleep 0.1 || return 1; done
}
check "a job is at work" iterates "$WORK/killed"
check "and is put back into the queue by the administrator" scontrol requeue "$killed"
check "another is at work" iterates "$WORK/cancelled"
check "and cancelled" scancel "$cancelled"
is_cancelled() { await "$cancelled" 30 | grep -q CANCELLED; }
check "which ends it" is_cancelled
tidy() { ! find "$1" -name '*.tmp*' | grep .; }
check "without temporary files" tidy "$WORK/cancelled"
check "robion status tells where it stopped" expect_text '^study e2e-collect: .* 1 (stopped|running)' "$ROBION" status \
  "$WORK/cancelled"

restarts() { scontrol show job "$1" | sed -nE 's/.*Restarts=([0-9]+).*/\1/p'; }
# SLURM lets a job that was put back wait for two minutes; here it waits some seconds from when it is back, once each time. Not less:
# started in the second in which its credential was revoked it is "non-startable", and fails.
declare -A hastened
hasten() { # JOB
  local now
  [ "$(state_of "$1")" = "PENDING " ] || return 0
  now=$(restarts "$1")
  [ "$now" -gt "${hastened[$1]:-0}" ] && scontrol update jobid="$1" StartTime=now+3 2>/dev/null && hastened[$1]=$now
}
until_done() { # JOB SECONDS
  local tries=0
  while state_of "$1" | grep -qE 'PENDING|RUNNING|COMPLETING|REQUEUED' && [ $((tries += 1)) -lt "$2" ]; do
    hasten "$1"
    sleep 1
  done
  completes "$1" 1
}
check "the job put back ends well" until_done "$killed" 300
check "having been started again" test "$(restarts "$killed")" -ge 1
same_but_interrupted() { # the plan at work went on from its checkpoint, and another has its spots; the rest has the same bits
  local folder differ=0
  for folder in "$WORK"/direct/cases/*/*/*/; do
    cmp -s "$folder/metrics.csv" "$WORK/killed/cases/${folder#"$WORK"/direct/cases/}/metrics.csv" || differ=$((differ + 1))
  done
  echo "$differ plans differ"
  [ "$differ" -le $((2 * $(grep -c 'going on from' "$WORK/killed/log.txt"))) ] && "$ROBION" collect "$WORK/killed"
}
check "complete, and with the bits of the direct run but for what went on from a checkpoint" same_but_interrupted
check "the job at its time limit ends well" until_done "$limited" 400
check "having been put back by itself" test "$(restarts "$limited")" -ge 1
done_once() {
  test "$(grep -c '"event": "plan_done"' "$WORK/limited/events.jsonl")" = 6 &&
    expect_text '^study e2e-collect: 6 of 6 plans done$' "$ROBION" collect "$WORK/limited"
}
check "every plan done, and once" done_once
echo "# $(($(date +%s) - begun)) s, restarts: $(restarts "$limited") at the time limit, $(restarts "$killed") by hand"
