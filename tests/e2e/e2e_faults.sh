#!/usr/bin/env bash
# What can go wrong with a cohort: damaged files, errors inside a plan, full and vanished disks, kills, stops, too little memory.
# timeout: 600
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
STUDY=tests/studies/e2e-cohort.yaml
one() { mpi "$1" "$ROBION" run "$STUDY" --only p1 "${@:2}"; } # six plans
SHORT=$WORK/short.yaml # one plan per case
sed '/^sweep:/,$d; /^  voxelwise:/d; /^  composite:/d' "$STUDY" >"$SHORT"

# --- Teams and jobs: the same bits -----------------------------------------------------------------------------------
check "a case on one rank" one 1 --results "$WORK/r1"
same() { # RESULTS
  local file
  for file in metrics.csv dvh.csv scenarios.csv; do cmp "$WORK/r1/$file" "$1/$file" || return 1; done
  while IFS= read -r file; do
    h5diff --exclude-path /provenance --exclude-path /timing "$WORK/r1/$file" "$1/$file" || return 1
  done < <(cd "$WORK/r1" && find . -name plan.h5)
}
same_with() { # NAME RANKS OPTIONS
  one "$2" --results "$WORK/$1" "${@:3}" && { ! command -v h5diff >/dev/null || same "$WORK/$1"; }
}
command -v h5diff >/dev/null || skip "plan.h5 of teams compared" "no h5diff here"
check "three teams of one rank have the same bits" same_with t3 3 --team-size 1
check "two teams of two ranks too" same_with t4 4 --team-size 2
check "and teams of whatever size seems best" same_with ta 3 --team-size auto
each_once() { awk -F'"' '/plan_done/ { n[$12]++ } END { for (p in n) { m++; if (n[p] != 1) exit 1 } exit m != 6 }' "$WORK/t3/events.jsonl"; }
check "no plan is made twice" each_once
for job in 1 2 3; do
  check "job $job of an array of three" one 1 --results "$WORK/array" --array "$job/3"
done
six_plans() { [ "$(find "$1" -name checksums.txt | wc -l)" = 6 ] && [ "$(find "$1" -name plan.h5 | wc -l)" = 6 ]; }
check "together they have made every plan" six_plans "$WORK/array"
check "each with a log of its own" test -s "$WORK/array/log-1.txt" -a -s "$WORK/array/events-2.jsonl" -a -s "$WORK/array/status-3.json"
array_is_whole() { one 1 --results "$WORK/array" --resume && same "$WORK/array"; }
if command -v h5diff >/dev/null; then check "and the results of one job" array_is_whole; fi

# --- Failures stay inside their plan ---------------------------------------------------------------------------------
sed 's/{phantom: water-box, name: p3.*/{file: damaged.h5, name: p3}/' "$SHORT" >"$WORK/damaged.yaml"
head -c 3000 "$WORK/r1/cases/p1/conventional/biology.alpha_x_per_Gy=0.1/plan.h5" >"$WORK/damaged.h5"
damaged() { mpi 2 "$ROBION" run "$WORK/damaged.yaml" --results "$WORK/damaged" --team-size 1 "$@"; }
check "one damaged case of six: exit 6" expect_exit 6 damaged
check "five are planned" test 5 = "$(find "$WORK/damaged" -name plan.h5 | wc -l)"
check "one line names file and reason" test 1 = "$(grep -c 'error.*damaged.h5: HDF5 file is truncated or damaged' "$WORK/damaged/log.txt")"
check "and its status too" grep -q '"message": ".*damaged.h5: HDF5 file is truncated' "$WORK/damaged/cases/p3/conventional/status.json"
check "the others are kept" expect_text '0 plans done, 5 skipped, 1 failed' damaged --resume

# An error of PETSc on all ranks of a team, deep inside of a plan: of a library that fails where the solver is given its start.
cat >"$WORK/fails.c" <<'END'
#include <petsctao.h>
PetscErrorCode TaoSetSolution(Tao tao, Vec start)
{
  SETERRQ(PetscObjectComm((PetscObject)tao), PETSC_ERR_LIB, "made to fail");
}
END
# shellcheck disable=SC2046
${CC:-mpicc} -shared -fPIC $(pkg-config --cflags PETSc) "$WORK/fails.c" -o "$WORK/fails.so"
petsc_error() { mpi 4 "$ROBION" run "$SHORT" --only p1,p2 --results "$WORK/error" --team-size 2 "$@"; }
check "two plans of which one is there already" mpi 2 "$ROBION" run "$SHORT" --only p1 --results "$WORK/error"
check "a PETSc error inside a plan: exit 6, and no hang" expect_exit 6 timeout 60 mpirun -n 4 \
  env LD_PRELOAD="$WORK/fails.so" "$ROBION" run "$SHORT" --only p1,p2 --results "$WORK/error" --team-size 2 --resume
check "named with its place" grep -q '"message": ".*made to fail (TaoSetSolution' "$WORK/error/cases/p2/conventional/status.json"
check "nothing half made stays" test ! -e "$WORK/error/cases/p2/conventional/plan.h5"
check "the next run mends it" expect_text '1 plans done, 1 skipped, 0 failed' petsc_error --resume

# --- Memory ----------------------------------------------------------------------------------------------------------
memory() { SLURM_MEM_PER_NODE=20 mpi 1 "$ROBION" run "$SHORT" --only p1 --results "$WORK/memory"; }
check "a plan that needs more than there is: exit 5" expect_exit 5 memory
check "said before it starts" grep -q 'error.*needs about .* GiB of memory, its team of 1 ranks has' "$WORK/memory/log.txt"
no_iteration() { ! grep -q '"event": "iteration"' "$WORK/memory/events.jsonl"; }
check "so that nothing was optimised" no_iteration
# A file system for shared memory that is smaller than what the ranks of a node share, as containers have it.
little() { unshare -rm sh -c 'mount -t tmpfs -o size=24m tmpfs /dev/shm && exec "$@"' sh "$@"; }
if [ -d /dev/shm ] && little true 2>/dev/null; then
  few_shared() { little mpirun -n 2 "$ROBION" run tests/studies/e2e-box.yaml --results "$WORK/shared"; }
  check "no room for what ranks share: exit 5" expect_exit 5 few_shared
  check "with both figures and the place" grep -qE 'not enough memory: .* share .* GiB more, .* /dev/shm, has .* GiB left' "$WORK/shared/log.txt"
else
  skip "ranks without room for what they share" "no /dev/shm of our own to be had here"
fi

# --- Stopping --------------------------------------------------------------------------------------------------------
# No end of iterations: every plan runs until it is stopped.
endless=(--set optimizer.max_iterations=1000000 --set optimizer.relative_tolerance=0 --set optimizer.window=1000000 --set optimizer.relative_gap=0)
stop_by_file() {
  mpirun -n 2 "$ROBION" run "$SHORT" --results "$WORK/stop" --team-size 1 "${endless[@]}" >"$WORK/stop.out" 2>&1 &
  local pid=$! tries=0
  until [ "$(grep -c ' iteration ' "$WORK/stop/log.txt" 2>/dev/null)" -gt 3 ] || [ $((tries += 1)) -gt 300 ]; do sleep 0.1; done
  touch "$WORK/stop/stop"
  wait "$pid"
}
check "a file 'stop' stops all teams with 75" expect_exit 75 stop_by_file
check "whose plans leave checkpoints" test 2 = "$(find "$WORK/stop" -name checkpoint.h5 | wc -l)"
check "a run that finds it at once says so" expect_text 'stop: asks runs to stop: remove it first' mpi 1 "$ROBION" run "$STUDY" \
  --results "$WORK/stop" --resume
slurm_end() { SLURM_JOB_END_TIME=$(($(date +%s) + 3)) mpi 1 "$ROBION" run "$SHORT" --only p1 --results "$WORK/slurm" "${endless[@]}" \
  --set dose_grid_mm=1.5; } # which takes longer than that
check "the end of the SLURM job stops with 75" expect_exit 75 slurm_end
check "and is said" grep -q 'end of the SLURM job' "$WORK/slurm/log.txt" "$WORK/slurm/events.jsonl"

# --- Disks -----------------------------------------------------------------------------------------------------------
with_tmpfs() { # OPTIONS COMMAND...: with $WORK/disk a file system of its own
  # shellcheck disable=SC2016 # for the inner shell
  unshare -m sh -c 'mkdir -p "$0" && mount -t tmpfs -o "$1" tmpfs "$0" && shift && exec "$@"' "$WORK/disk" "$@"
}
on_disk() { # OPTIONS
  with_tmpfs "$1" timeout 100 mpirun -n 2 "$ROBION" run "$SHORT" --only p1,p2 --results "$WORK/disk/r" --team-size 1
}
if with_tmpfs size=1m true 2>/dev/null; then
  ask on_disk size=200k
  check "a disk that fills up: exit 5, and no hang" ended 5
  check "is said of the file" told 'plan.h5: cannot be written: No space left on device'
  check "a disk full from the start" expect_exit 5 on_disk size=8k
  ask on_disk size=1m,ro
  check "a read-only results folder" ended 5
  check "is named with the reason" told 'disk/r: folder cannot be made: Read-only file system'
else
  skip "full and read-only disks" "no right to mount a tmpfs"
fi
vanish() {
  mpirun -n 1 "$ROBION" run "$SHORT" --results "$WORK/gone" >"$WORK/gone.out" 2>&1 &
  local pid=$! tries=0
  until grep -q ' iteration ' "$WORK/gone/log.txt" 2>/dev/null || [ $((tries += 1)) -gt 300 ]; do sleep 0.05; done
  mv "$WORK/gone" "$WORK/moved"
  wait "$pid"
}
check "a results folder that vanishes: exit 5" expect_exit 5 vanish
check "and is not made a second time" test ! -e "$WORK/gone"
check "said in so many words" grep -q 'the results folder has vanished' "$WORK/gone.out"

# --- Privacy ---------------------------------------------------------------------------------------------------------
check "--private" mpi 1 "$ROBION" run "$SHORT" --only p1 --results "$WORK/private" --private
nobody_else() { ! find "$1" -perm /077 | grep .; }
check "leaves results to their owner alone" nobody_else "$WORK/private"
outside() { expect_exit 3 mpi 1 "$ROBION" run "$STUDY" --results "$WORK/outside" --set "$1"; }
check "a study's name cannot lead out of the results" outside name=../../outside
check "nor can a case's" outside cases.0.name=../outside

# --- Logs ------------------------------------------------------------------------------------------------------------
if command -v script >/dev/null; then
  live() { script -qec "$ROBION run $SHORT --only p1,p2 --results $WORK/live" "$WORK/live.typescript" >/dev/null; }
  check "a run on a terminal" live
  check "shows where it stands below the log" grep -qE "$(printf 'plan 1 of 2, [^\r]* left for the study\r\033\\[K')" "$WORK/live.typescript"
  check "mpirun on a terminal" script -qec "mpirun -n 1 $ROBION run $SHORT --only p1,p2 --results $WORK/live2" "$WORK/live2.typescript"
  check "shows it too" grep -qE "$(printf 'plan 1 of 2, [^\r]* left for the study\r\033\\[K')" "$WORK/live2.typescript"
  check "which stays out of the log" bash -c "! LC_ALL=C grep -q '[[:cntrl:]]' '$WORK/live/log.txt'"
else
  skip "the progress line on a terminal" "no script here"
fi
no_controls() { mpi 2 "$ROBION" run "$SHORT" --only p1,p2 --results "$WORK/plain" | LC_ALL=C grep -c '[[:cntrl:]]' | grep -x 0; }
check "elsewhere there are no control characters" no_controls

# --- Kills -----------------------------------------------------------------------------------------------------------
if command -v h5diff >/dev/null; then
  check "three kills are recovered" tests/trials/kills.sh 3 7 2 2 --only p1 --set 'sweep={}'
else
  skip "kills" "no h5diff here"
fi

# --- Simulation ------------------------------------------------------------------------------------------------------
simulate=("$ROBION" run tests/studies/simulate-40x36.yaml --dry-run --simulate "1,2,4,8,16,32,64,128,256,512")
check "40 patients x 36 plans simulated" expect_text '1440 plans, one node plans one at a time' "${simulate[@]}" --results "$WORK/simulated"
efficient() { awk -F, '$1 == 64 { n++; if ($4 < 90) exit 1 } END { exit n != 1 }' "$WORK/simulated/simulation.csv"; }
check "64 nodes are used by 90 % and more" efficient
check "ten numbers of nodes" test 11 = "$(wc -l <"$WORK/simulated/simulation.csv")"
if command -v gnuplot >/dev/null; then
  check "with a picture" grep -q '<svg' "$WORK/simulated/simulation.svg"
else
  skip "the picture of a simulation" "no gnuplot here"
fi
nothing_written() { "${simulate[@]}" >/dev/null && ! [ -e results/simulate-40x36 ]; }
check "nothing is written unasked" nothing_written
