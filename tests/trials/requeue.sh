#!/usr/bin/env bash
# Two runs in one results folder: by turns a second one beside the first, as of a shell loop, and one that is begun the moment that
# the first was told to end, as a queue does. Whoever comes second is told of the first or goes on after it; in the end the results
# are the bits of an undisturbed run.
#
#   tests/trials/requeue.sh [TRIALS [SEED]]      default: 20 1
# shellcheck source=tests/support/trials.sh
. "$(dirname "$0")/../support/trials.sh"
number=${1:-20} RANDOM=${2:-1}
beside=0 after=0

second() { # FOLDER: told of the first, or all is done
  local code=0
  run_short "$1" --resume || code=$?
  case $code in
    0) after=$((after + 1)) ;;
    5) beside=$((beside + 1)) && grep -q 'another run is at work there' "$WORK/out" ;;
    *) echo "exit code $code" >>"$WORK/out" && return 1 ;;
  esac
}

both() { # END OR NOTHING
  local pid code=0
  rm -rf "$WORK/r"
  timeout -k 5 120 mpirun -n 2 "$ROBION" run "$SHORT" --results "$WORK/r" --team-size 1 >"$WORK/first" 2>&1 &
  pid=$!
  wait_at_random "$pid"
  [ -z "$1" ] || kill -s "$1" "$pid" 2>/dev/null
  second "$WORK/r" || return 1
  { wait "$pid"; } 2>/dev/null || code=$?
  case $1$code in 0 | 5 | TERM*) ;; *) cat "$WORK/first" >"$WORK/out" && echo "exit code $code of the first" >>"$WORK/out" && return 1 ;; esac
  run_short "$WORK/r" --resume && same "$WORK/whole" "$WORK/r"
}

undisturbed
for ((i = 1; i <= number; i++)); do
  if [ $((i % 2)) = 0 ]; then try "trial $i: a second run" both ''; else try "trial $i: a requeue" both TERM; fi
done
conclude "two runs in one folder" "the second was told of the first in $beside and went on after it in $after"
