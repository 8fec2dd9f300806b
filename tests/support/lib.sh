# shellcheck shell=bash
# For the end-to-end scripts tests/e2e/e2e_*.sh: source this, then one line per check. Output is TAP, which run.sh counts.
#
#   . "$(dirname "$0")/../support/lib.sh"
#   check "help needs no launcher" "$ROBION" --help
#   check "an unknown key is refused" expect_exit 3 "$ROBION" validate "$WORK/bad.yaml"
#   check "and named" expect_text "unknown key .*gantry" "$ROBION" validate "$WORK/bad.yaml"
#   check "four ranks" mpi 4 "$ROBION" run study.yaml --results "$WORK/out"
#   ask "$ROBION" collect "$WORK/out"
#   check "a plan is missing" ended 75
#   check "and named" told "^missing +cases/a"
#   skip "DICOM" "no DCMTK here"
#
# The working folder is the repository's root. $WORK is an own temporary folder, removed at the end.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
# shellcheck source=tests/support/mpi-env.sh
. tests/support/mpi-env.sh
ROBION=${ROBION:-build/robion}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/robion-test.XXXXXX") || exit 1
export ROBION_CACHE=${ROBION_TEST_CACHE:-$WORK/base-data} # what run.sh keeps for all tests
mpi_alone "$WORK/mpi"
checks=0 failures=0

# check NAME COMMAND...: passes where the command ends with 0; its output is shown where it does not.
check() {
  local name=$1 output
  shift
  checks=$((checks + 1))
  if output=$("$@" 2>&1 </dev/null); then
    echo "ok $checks - $name"
  else
    echo "not ok $checks - $name"
    printf '%s\n' "$output" "command: $*" | tail -n 40 | sed 's/^/# /'
    failures=$((failures + 1))
  fi
}

# skip NAME REASON: a check that cannot be made here, counted and shown.
skip() {
  checks=$((checks + 1))
  echo "not ok $checks # SKIP $1: $2"
}

# expect_exit CODE COMMAND...: passes where the command ends with exactly this code.
expect_exit() {
  local wanted=$1 status=0
  shift
  "$@" || status=$?
  [ "$status" = "$wanted" ] || {
    echo "exit code $status, expected $wanted"
    return 1
  }
}

# expect_text PATTERN COMMAND...: passes where the output (stdout and stderr) has the extended pattern, whatever the code.
expect_text() {
  local pattern=$1 output
  shift
  output=$("$@" 2>&1)
  grep -qE -e "$pattern" <<<"$output" || {
    printf '%s\n' "$output" "not found: $pattern"
    return 1
  }
}

# ask COMMAND...: run it once for several checks; ended CODE and told PATTERN are about the last one asked.
ask() {
  code=0
  said=$("$@" 2>&1 </dev/null) || code=$?
}
ended() { [ "$code" = "$1" ] || { printf '%s\n' "$said" "exit code $code, expected $1" && return 1; }; }
told() { grep -qE -e "$1" <<<"$said" || { printf '%s\n' "$said" "not found: $1" && return 1; }; }

# mpi RANKS COMMAND...: run it under mpirun; one rank needs none, which is quicker.
mpi() {
  local ranks=$1
  shift
  if [ "$ranks" = 1 ]; then "$@"; else mpirun -n "$ranks" "$@"; fi
}

# python_with MODULES: the first Python at hand that has them (NAME, NAME); nothing where none has.
python_with() {
  local candidate
  for candidate in "${PYTHON:-python3}" python3 /usr/bin/python3; do
    ! "$candidate" -c "import $1" 2>/dev/null || { echo "$candidate" && return; }
  done
}

finish() {
  local status=$?
  rm -rf "$WORK"
  [ "$status" = 0 ] || echo "Bail out! the script ended early with $status"
  [ "$status" != 0 ] || echo "1..$checks"
  [ "$status" = 0 ] && [ "$failures" = 0 ]
  exit
}
trap finish EXIT
