#!/usr/bin/env bash
# A full disk: a tmpfs of a random size or, where none may be mounted, files that may not grow beyond it (ulimit -f). The run ends
# with 5 and says which file, or is done; a run with room afterwards gives the bits of an undisturbed one.
#
#   tests/trials/disk.sh [TRIALS [SEED [MOST_KIB]]]      default: 20 1 1000
# shellcheck source=tests/support/trials.sh
. "$(dirname "$0")/../support/trials.sh"
number=${1:-20} RANDOM=${2:-1} most=${3:-1000}
full=0
mkdir "$WORK/disk"

on_tmpfs() { # KIB COMMAND...; what is left in it is kept
  # shellcheck disable=SC2016 # for the inner shell
  unshare -m sh -c 'mount -t tmpfs -o "size=$1k" tmpfs "$0" || exit 99; d=$0; shift; code=0; "$@" || code=$?; cp -a "$d/r" "$d.kept" 2>/dev/null; exit $code' \
    "$WORK/disk" "$@"
}
with_limit() { # KIB COMMAND...
  # shellcheck disable=SC2016 # for the inner shell
  sh -c 'ulimit -f $((2 * $0)) && exec "$@"' "$@"
}
way=on_tmpfs
on_tmpfs 64 true 2>/dev/null || way=with_limit

fill() { # KIB
  local code=0
  rm -rf "$WORK/disk/r" "$WORK/disk.kept"
  "$way" "$1" timeout -k 5 120 mpirun -n 2 "$ROBION" run "$SHORT" --results "$WORK/disk/r" --team-size 1 >"$WORK/out" 2>&1 || code=$?
  case $code in
    0) ;;
    5) full=$((full + 1)) && grep -Eq 'No space left on device|File too large' "$WORK/out" ;;
    *) echo "exit code $code" >>"$WORK/out" && return 1 ;;
  esac || return 1
  [ "$way" = with_limit ] || mv "$WORK/disk.kept" "$WORK/disk/r" 2>/dev/null
  run_short "$WORK/disk/r" --resume && same "$WORK/whole" "$WORK/disk/r"
}

undisturbed
for ((i = 1; i <= number; i++)); do
  kib=$((16 + RANDOM * most / 32768))
  try "trial $i: room for $kib KiB" fill "$kib"
done
conclude "disks that fill up ($way)" "$full with exit 5"
