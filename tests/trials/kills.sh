#!/usr/bin/env bash
# SIGKILL or SIGTERM to a rank or to mpirun at random moments of a small cohort, then --resume: the results must be the bits of
# an undisturbed run, with nothing half written on the way.
#
#   tests/trials/kills.sh [KILLS [SEED [RANKS [TEAM-SIZE [OPTIONS of robion run]]]]]      default: 20 1 2 1, all cases
#
# When a rank dies, mpirun sends SIGTERM to the others: a team of its own (TEAM-SIZE below RANKS) then has a second to stop with
# a checkpoint, or to end its plan.
# Prints a line per kill and ends with 0 if all were recovered.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/support/mpi-env.sh
. tests/support/mpi-env.sh
ROBION=${ROBION:-build/robion}
STUDY=tests/studies/e2e-cohort.yaml
command -v h5diff >/dev/null || {
  echo "h5diff is not here (hdf5-tools)"
  exit 1
}
kills=${1:-20} seed=${2:-1} ranks=${3:-2} team=${4:-1}
shift $(($# < 4 ? $# : 4))
RANDOM=$seed
work=$(mktemp -d "${TMPDIR:-/tmp}/robion-kill.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
bad=0 repeated=0

run() { mpirun -n "$ranks" "$ROBION" run "$STUDY" --results "$1" --team-size "$team" "${@:2}"; } # FOLDER OPTIONS

count() { cat "$1"/events*.jsonl 2>/dev/null | grep -c "\"event\": \"$2\""; } # FOLDER KIND

# Every file with a final name is whole, as far as HDF5 and a missing line end can tell.
whole() { # FOLDER
  local file
  while IFS= read -r file; do
    case $file in
      *.h5) h5ls -r "$file" >/dev/null 2>&1 ;;
      *.csv | *.json | *checksums.txt) [ -z "$(tail -c 1 "$file")" ] ;;
    esac || {
      echo "half written: $file"
      return 1
    }
  done < <(find "$1" -type f ! -name '*.tmp*')
}

same() { # FOLDER: as the undisturbed run, and nothing else
  local file
  for file in metrics.csv dvh.csv scenarios.csv; do cmp "$work/whole/$file" "$1/$file" || return 1; done
  diff <(cd "$work/whole" && find . -type f | sort) <(cd "$1" && find . -type f | sort) || return 1
  while IFS= read -r file; do
    h5diff -r --exclude-path /provenance --exclude-path /timing "$work/whole/$file" "$1/$file" >"$work/difference" || {
      grep -B1 -A9 "[1-9][0-9]* differences found\|not comparable\|unique" "$work/difference" | head -n 40
      echo "differs: $file"
      return 1
    }
  done < <(cd "$1" && find . -name plan.h5)
}

# Ranks notice that their launcher is gone; wait for the last of them.
wait_for() { # PID...
  local pid tries
  for pid in "$@"; do
    for ((tries = 0; tries < 200; tries++)); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
  done
}

kill_once() { # NUMBER
  local folder=$work/run$1 pid victim what children delay started signal=KILL
  # not by a function: $! would be the subshell's, and its child mpirun
  mpirun -n "$ranks" "$ROBION" run "$STUDY" --results "$folder" --team-size "$team" "${@:2}" >"$folder.out" 2>&1 &
  pid=$!
  # the moment is drawn over the time that the undisturbed run took
  delay=$((RANDOM * took_ms / 32768))
  started=$(date +%s%N)
  while kill -0 "$pid" 2>/dev/null && [ $((($(date +%s%N) - started) / 1000000)) -lt "$delay" ]; do sleep 0.01; done
  mapfile -t children < <(pgrep -P "$pid")
  if [ $((RANDOM % 2)) = 0 ] || [ ${#children[@]} = 0 ]; then victim=$pid what=mpirun; else
    victim=${children[$((RANDOM % ${#children[@]}))]} what="a rank"
  fi
  [ $((RANDOM % 2)) = 0 ] || signal=TERM
  kill -s "$signal" "$victim" 2>/dev/null || what="nobody (done already)"
  { wait "$pid"; } 2>/dev/null
  wait_for "${children[@]}"
  local done_before
  done_before=$(count "$folder" plan_done)
  whole "$folder" || return 1
  run "$folder" "${@:2}" --resume >>"$folder.out" 2>&1 || {
    tail -n 5 "$folder.out"
    return 1
  }
  local again=$(($(count "$folder" plan_started) - $(count "$folder" plan_done)))
  repeated=$((repeated + again))
  same "$folder" || return 1
  printf 'kill %2d: %-4s %-22s after %5d ms, %2d plans done, %d begun again: recovered\n' "$1" "$signal" "$what" "$delay" "$done_before" "$again"
}

start=$(date +%s%N)
run "$work/whole" "$@" >"$work/whole.out" 2>&1 || {
  cat "$work/whole.out"
  exit 1
}
took_ms=$((($(date +%s%N) - start) / 1000000))
for ((k = 1; k <= kills; k++)); do
  kill_once "$k" "$@" || {
    echo "kill $k: NOT recovered"
    bad=$((bad + 1))
  }
  rm -rf "$work/run$k" "$work/run$k.out"
done
echo "kills: $kills trials, $((kills - bad)) ok, $bad failed; $repeated plans begun again, an undisturbed run took $took_ms ms"
[ "$bad" = 0 ]
