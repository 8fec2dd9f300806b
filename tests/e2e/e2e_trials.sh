#!/usr/bin/env bash
# A few of the trials of tests/trials (`make trials` makes many): requeues, full disks, damaged files, little memory. Kills are in
# e2e_faults.sh.
# timeout: 600
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
counted() { # NAME TRIALS OPTIONS...
  expect_text "$2 trials, $2 ok, 0 failed" "tests/trials/$1.sh" "${@:2}"
}
check "too little memory ends with 5 and a figure" counted memory 6 1 160 460
if command -v h5diff >/dev/null; then
  check "two runs in one folder" counted requeue 2
  check "full disks" counted disk 2 7 300
  check "a damaged file of each kind" counted damage 5
else
  skip "trials that compare results" "no h5diff here"
fi
