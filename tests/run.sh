#!/usr/bin/env bash
# Run the tests and count them:  tests/run.sh [--san | --ranks] [PATTERN]     (normally through `make test`)
#
# Unit tests are the cmocka programs $BUILD/tests/test_*, end-to-end tests the scripts tests/e2e/e2e_*.sh; both speak TAP.
# A comment among the first lines of a test's source says how it wants to be run:
#   ranks: 1 2            with each of these rank counts (default 1), more than one under mpirun
#   timeout: 300          seconds until it counts as hung (default 120; three times that with sanitizers)
#   sanitizer: slow       only --san runs its sanitizer build
#   cores: 0              mostly waits: it begins first and others run beside it (one end-to-end test)
# The sanitizer builds in $BUILD/san have one run each with the fewest ranks; with --san they alone are run. With --ranks what
# names rank counts is run, with each from 1 to 4. tests/times.csv says what takes longest: it begins first.
# PATTERN is an extended regular expression: the tests whose names (without the rank count) have it are run.
# A test passes where every rank says so; one that its program announced but never reached has failed.
# Last line: N passed, N failed[, N skipped]. The logs stay in $BUILD/test-logs, with times.csv: the seconds of every test, of
# a clock and of processors (what daemons spent that a script started is not in them). tests/times.csv is such a file.
set -u
if [ "${1:-}" = --rank ]; then # what mpirun starts: each rank's output goes to a file of its own
  exec "$3" >"$2.${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}" 2>&1
fi

cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/support/mpi-env.sh
. tests/support/mpi-env.sh
BUILD=${BUILD:-build}
JOBS=${JOBS:-$(env -u OMP_NUM_THREADS nproc)} # which mpi-env.sh has set to 1, and nproc would print
export CMOCKA_MESSAGE_OUTPUT=TAP ROBION="$BUILD/robion"
export UBSAN_OPTIONS=print_stacktrace=1 LSAN_OPTIONS=suppressions=$PWD/tests/support/lsan.supp:print_suppressions=0

what=all
case ${1:-} in --san | --ranks) what=${1#--} && shift ;; esac
pattern=${1:-}
logs=$BUILD/test-logs
mkdir -p "$logs" && rm -rf "${logs:?}"/*
echo 'test,ranks,wall_s,user_s,system_s' >"$logs/times.csv"
temporary=$(mktemp -d "${TMPDIR:-/tmp}/robion.XXXXXX") || exit 1
trap 'rm -rf "$temporary"' EXIT
passed=0 failed=0 skipped=0
# Base data that one test has had made are there for all, until the code that makes them changes.
objects=$(cat "$BUILD"/src/machine/*.o "$BUILD"/san/src/machine/*.o 2>/dev/null | sha256sum | cut -c 1-16)
mkdir -p "$BUILD/test-cache/$objects" && find "$BUILD/test-cache" -mindepth 1 -maxdepth 1 ! -name "$objects" -exec rm -r {} +
ROBION_TEST_CACHE=$(realpath "$BUILD/test-cache/$objects")
export ROBION_TEST_CACHE

# The value of a `KEY: value` comment.
wish() { # FILE KEY DEFAULT
  local found
  found=$(head -n 30 "$1" | sed -nE "s%.*\b$2: *([0-9 ]*[0-9]|slow).*%\1%p" | head -n 1)
  echo "${found:-$3}"
}

# Count TAP: the log of rank 0, then those of the other ranks. Prints: passed failed skipped.
# A plan line begins a group of tests (cmocka) or ends the only one (tests/support/lib.sh).
tap_count() { # LOG...
  awk '
    FNR == 1 { rank++; group = 0 }
    /^1\.\.[0-9]+$/ { group++; split($0, plan, /\.\./); if (rank == 1) announced += plan[2] }
    /^ok [0-9]+/ && rank == 1 { good[group, $2] = 1 }
    /^not ok [0-9]+ # SKIP/ { if (rank == 1) skip[group, $3] = 1; next }
    /^not ok [0-9]+/ && $3 > 0 { bad[group, $3] = 1 }
    END {
      for (t in good) if (!(t in bad)) p++
      for (t in skip) if (!(t in bad)) s++
      for (t in bad) f++
      if (p + s + f < announced) f = announced - p - s
      print p + 0, f + 0, s + 0
    }' "$@"
}

# Run a command of a test, its output to LOG, and note its times.
timed() { # LOG NAME RANKS SECONDS COMMAND...
  local TIMEFORMAT="$2,$3,%3R,%3U,%3S"
  { time timeout -k 5 "$4" "${@:5}" >"$1" 2>&1 </dev/null; } 2>>"$logs/times.csv"
}

# Leave one test's result, and what it said if that was not all good, for the main loop to print.
report() { # LOG TITLE STATUS SECONDS
  local log=$1 title=$2 status=$3 seconds=$4 p=0 f=0 s=0 mark=ok note=''
  shopt -s nullglob
  local files=("$log".[0-9]*)
  [ "${#files[@]}" = 0 ] || read -r p f s < <(tap_count "${files[@]}")
  case $status in
    0) [ $((p + f + s)) != 0 ] || { f=1 && note='no test reported'; } ;;
    124 | 137) f=$((f ? f : 1)) note='hung' ;;
    *) [ "$f" != 0 ] || { f=1 && note="exit code $status"; } ;;
  esac
  [ "$f" = 0 ] || mark=FAIL
  {
    printf '%-4s  %-44s %3d passed' "$mark" "$title" "$p"
    [ "$f" = 0 ] || printf ', %d failed' "$f"
    [ "$s" = 0 ] || printf ', %d skipped' "$s"
    printf '  %ss%s\n' "$seconds" "${note:+  ($note)}"
    grep -hE '^not ok [0-9]+ # SKIP' "${files[@]}" /dev/null | sort -u | sed -E 's/^not ok [0-9]+ # SKIP/      skipped:/'
    if [ "$f" != 0 ]; then
      for file in "$log" "${files[@]}" "$log".named.*; do
        [ ! -s "$file" ] || { echo "      --- $file" && tail -n 60 "$file" | sed 's/^/      | /'; }
      done
    fi
  } >"$log.text"
  echo "$p $f $s" >"$log.part" && mv "$log.part" "$log.count" # last: the text is complete
}

run_unit() { # PROGRAM SOURCE TITLE SLOWER RANKS
  local program=$1 source=$2 title=$3 slower=$4 ranks=$5 name log seconds start=$SECONDS status=0 launcher=()
  name=${title// /-} log=$logs/$name-$ranks
  mpi_alone "$temporary/$name"
  [ "$ranks" = 1 ] || title="$title on $ranks ranks" launcher=(mpirun -n "$ranks") # it doubles the time to start
  seconds=$(($(wish "$source" timeout 120) * slower))
  if [ -x "$program" ]; then
    # shellcheck disable=SC2094 # the ranks write to $log.0, $log.1 ...
    timed "$log" "$name" "$ranks" "$seconds" "${launcher[@]}" tests/run.sh --rank "$log" "$program" || status=$?
    if [ "$slower" != 1 ] && [ "$status" != 0 ]; then # what a sanitizer has found, once more with the names of functions
      ASAN_OPTIONS=$ASAN_OPTIONS:symbolize=1 timeout -k 5 "$seconds" "${launcher[@]}" tests/run.sh --rank "$log.named" "$program" \
        >/dev/null 2>&1 </dev/null
    fi
  else
    echo "$program was not built" >"$log" && status=127
  fi
  report "$log" "$title" "$status" $((SECONDS - start))
}

# One after the other, since a test may write a file under the same name on any number of ranks.
run_on_ranks() { # PROGRAM SOURCE TITLE SLOWER RANKS...
  local n
  for n in "${@:5}"; do run_unit "$1" "$2" "$3" "$4" "$n"; done
}

run_script() { # SCRIPT TITLE
  local log=$logs/$2 start=$SECONDS status=0
  ROBION_TEST_RANKS=$(ranks_of "$1") timed "$log.0" "$2" 1 "$(wish "$1" timeout 120)" bash "$1" || status=$?
  report "$log" "$2" "$status" $((SECONDS - start))
}

check_format() { # TITLE
  local log=$logs/$1 start=$SECONDS
  if ! MAKEFLAGS='' timed "$log" "$1" 1 120 make -s format-check; then
    echo "not ok 1 - $1" >"$log.0"
  elif ! sed -n 's/^skipped:/not ok 1 # SKIP/p' "$log" | grep . >"$log.0"; then
    echo "ok 1 - $1" >"$log.0"
  fi
  report "$log" "$1" 0 $((SECONDS - start))
}

# Print the results that have come in and add them up.
collect() {
  local count text p f s
  for count in "$logs"/*.count; do
    [ -e "$count" ] || continue
    read -r p f s <"$count"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    text=${count%.count}.text
    cat "$text"
    rm -f "$count" "$text"
  done
}

# Start a job once there is room for it. $beside is the job that mostly waits, while it is there.
running=0 beside=''
full() {
  local jobs=$JOBS
  [ -z "$beside" ] || ! kill -0 "$beside" 2>/dev/null || jobs=$((jobs + 1))
  [ "$running" -ge "$jobs" ]
}
start() { # COMMAND...
  while full; do
    wait -n
    running=$((running - 1))
    collect
  done
  "$@" &
  running=$((running + 1))
}

# What is wanted of the kinds script, unit, san and format, a line each: KIND NAME SOURCE; first what takes longest, so that
# nothing is waited for alone at the end.
queue() {
  local source name
  for source in tests/e2e/e2e_*.sh tests/unit/test_*.c Makefile; do
    name=$(basename "${source%.*}")
    [ "$what" != ranks ] || [ -n "$(wish "$source" ranks '')" ] || continue
    case $source in
      Makefile) [ "$what" != all ] || echo "format format $source" ;;
      *.sh) [ "$what" = san ] || echo "script $name $source" ;;
      *)
        [ "$what" = san ] || echo "unit $name $source"
        [ "$what" = ranks ] || { [ "$what" = all ] && [ "$(wish "$source" sanitizer quick)" = slow ]; } ||
          echo "san san-$name $source"
        ;;
    esac
  done | longest_first
}

longest_first() {
  local kind name source
  while read -r kind name source; do
    [[ ${name/#san-/san } =~ $pattern ]] || continue
    [ "$(wish "$source" cores 1)" = 0 ] && echo "1000000 $kind $name $source" && continue
    echo "$(awk -F, -v name="$name" '$1 == name { t += $4 + $5 } END { print t ? t : 1000 }' tests/times.csv) $kind $name $source"
  done | sort -k1,1nr -k3 | cut -d ' ' -f 2-
}

ranks_of() { # SOURCE
  if [ "$what" = ranks ]; then echo 1 2 3 4; else wish "$1" ranks 1; fi
}

start_one() { # KIND NAME SOURCE
  # shellcheck disable=SC2046 # a list
  case $1 in
    script) start run_script "$3" "$2" ;;
    unit) start run_on_ranks "$BUILD/tests/$2" "$3" "$2" 1 $(ranks_of "$3") ;;
    san) start run_on_ranks "$BUILD/san/tests/${2#san-}" "$3" "${2/-/ }" 3 "$(ranks_of "$3" | tr -s ' ' '\n' | sort -n | head -n 1)" ;;
    format) start check_format "$2" ;;
  esac
  [ "$(wish "$3" cores 1)" != 0 ] || beside=$!
}

# Names of functions are looked up for what fails only: they take half of a short test's time, since MPI's leaks have some, too.
# Leaks are looked for where that is possible (it needs ptrace) and where MPI keeps its plug-ins loaded. Stacks are followed by
# frame pointers, in a fifth of the time; of a leak that ends in a library without them fast_unwind_on_malloc=0 tells the caller.
sanitizer_options() {
  local probe=$logs/leak-probe
  export ASAN_OPTIONS=detect_leaks=1:symbolize=0
  echo 'int main(void) { return 0; }' | ${CC:-cc} -fsanitize=address -x c -o "$probe" - 2>/dev/null
  "$probe" >/dev/null 2>&1 || {
    ASAN_OPTIONS=detect_leaks=0:symbolize=0
    echo "skip  leaks: the leak checker cannot work here"
  }
}

if [ "${BUILT:-yes}" != yes ]; then # whatever still stands there from an earlier build
  echo "FAIL  build: see the compiler's messages above" && failed=1
fi
[ "$what" = ranks ] || sanitizer_options
mapfile -t tests < <(queue)
# The base data of the boxes, by all cores together: scripts that begin side by side would each make them.
if [[ " ${tests[*]}" == *' script '* ]]; then
  ROBION_CACHE=$ROBION_TEST_CACHE mpirun -n "$JOBS" "$ROBION" run tests/studies/e2e-box.yaml --dry-run >/dev/null 2>&1
fi
for test in "${tests[@]}"; do
  # shellcheck disable=SC2086 # three words
  start_one $test
done
wait
collect
[ $((passed + failed + skipped)) != 0 ] || echo "no test's name matches: $pattern"
awk -F, 'FNR > 1 { t[$1 ~ /^e2e/ ? "end-to-end" : $1 ~ /^san/ ? "sanitizer" : "unit"] += $4 + $5 }
  END { for (kind in t) printf "%s%s %.0f", n++ ? ", " : "seconds of processors: ", kind, t[kind]; if (n) print "" }' "$logs/times.csv"
printf '%d passed, %d failed%s\n' "$passed" "$failed" "$([ "$skipped" = 0 ] || echo ", $skipped skipped")" |
  tee "$logs/summary.txt"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
