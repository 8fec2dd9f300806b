# shellcheck shell=bash
# For tests/trials/*.sh: trials that are many, each of which is counted. Source this, try what is to hold, and conclude.
#
#   . "$(dirname "$0")/../support/trials.sh"
#   for ...; do try "a limit of $kib KiB" limited "$kib"; done
#   conclude "memory limits" "$ended_5 with 5"
#
# The working folder is the repository's root. $WORK is an own temporary folder, removed at the end.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/support/mpi-env.sh
. tests/support/mpi-env.sh
ROBION=${ROBION:-build/robion}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/robion-trials.XXXXXX") || exit 1
trap 'rm -rf "$WORK"' EXIT
export ROBION_CACHE=${ROBION_CACHE:-${ROBION_TEST_CACHE:-$WORK/base-data}}
mpi_alone "$WORK/mpi"


trials=0 good=0

# try NAME COMMAND...: counted as good where the command ends with 0; else it is named, with the end of $WORK/out.
try() {
  trials=$((trials + 1))
  if "${@:2}"; then
    good=$((good + 1))
  else
    echo "$1: FAILED"
    tail -n 12 "$WORK/out" 2>/dev/null | sed 's/^/  | /'
  fi
}

# conclude WHAT [MORE]: the counts, and whether all were good: the last command.
conclude() {
  echo "$1: $trials trials, $good ok, $((trials - good)) failed${2:+; $2}"
  [ "$trials" -gt 0 ] && [ "$good" = "$trials" ]
}

# Whether two results folders hold the same, but for the clock.
same() { # FOLDER FOLDER
  local file
  for file in metrics.csv dvh.csv scenarios.csv; do cmp "$1/$file" "$2/$file" >>"$WORK/out" 2>&1 || return 1; done
  while IFS= read -r file; do
    h5diff --exclude-path /provenance --exclude-path /timing "$1/$file" "$2/$file" >>"$WORK/out" 2>&1 || return 1
  done < <(cd "$1" && find . -name plan.h5)
}

# Six small plans, one per case.
SHORT=$WORK/short.yaml
sed '/^sweep:/,$d; /^  voxelwise:/d; /^  composite:/d' tests/studies/e2e-cohort.yaml >"$SHORT"
run_short() { # FOLDER OPTIONS...: its code; what it says goes to $WORK/out
  timeout -k 5 120 mpirun -n 2 "$ROBION" run "$SHORT" --results "$1" --team-size 1 "${@:2}" >"$WORK/out" 2>&1
}
undisturbed() { # makes $WORK/whole, and says how many ms that took
  local start
  start=$(date +%s%N)
  run_short "$WORK/whole" || { cat "$WORK/out" && exit 1; }
  took_ms=$((($(date +%s%N) - start) / 1000000))
}

# Wait for a moment drawn over the time of an undisturbed run, or the end of a process.
wait_at_random() { # PID
  local until=$(($(date +%s%N) / 1000000 + RANDOM * took_ms / 32768))
  while kill -0 "$1" 2>/dev/null && [ $(($(date +%s%N) / 1000000)) -lt "$until" ]; do sleep 0.02; done
}

# Change bytes of a file at random.
damage() { # FILE BYTES
  local size i
  size=$(stat -c %s "$1")
  for ((i = 0; i < $2; i++)); do
    # shellcheck disable=SC2059 # a byte in octal
    printf "\\$(printf %03o $((RANDOM % 256)))" | dd of="$1" bs=1 seek=$(((RANDOM * 32768 + RANDOM) % size)) conv=notrunc status=none
  done
}
