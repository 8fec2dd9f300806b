#!/usr/bin/env bash
# A plan under limits of address space that are too small for it, by equal steps up to one that is enough: it ends with 5 and a
# figure, wherever the memory runs out, or is done.
#
#   tests/trials/memory.sh [TRIALS [RANKS [LEAST_MIB [MOST_MIB]]]]      default: 40 limits from 150 to 700 MiB, one rank
#
# A rank alone is limited, not its launcher. One that MPI does not even begin in, which is not robion's, is told in the count.
# shellcheck source=tests/support/trials.sh
. "$(dirname "$0")/../support/trials.sh"
number=${1:-40} ranks=${2:-1} least=${3:-150} most=${4:-700}
not_begun=0 refused=0
cat >"$WORK/study.yaml" <<'END'
robion: 1
name: memory
cases: [{phantom: water-box, ct_spacing_mm: 2, size_mm: [100, 100, 100], target_mm: [40, 40, 40]}]
machine: {energy_max_MeV_u: 180, range_step_mm: 4}
prescription: {dose_Gy_RBE: 3, target: CTV}
beams: [{gantry_deg: 0}, {gantry_deg: 90}]
dose_grid_mm: 2
spots: {lateral_mm: 4, layer_mm: 5}
scenarios: {optimize: {setup: axes, setup_mm: 3}}
robust: composite
objectives: [{structure: CTV, type: uniform, dose_Gy_RBE: 3}]
optimizer: {max_iterations: 2, certificate_iterations: 1}
END
"$ROBION" run "$WORK/study.yaml" --results "$WORK/whole" >/dev/null 2>&1 # with the base data

limited() { # KIB
  local code=0 launch=()
  [ "$ranks" = 1 ] || launch=(mpirun -n "$ranks")
  rm -rf "$WORK/r"
  # shellcheck disable=SC2016 # for the inner shell
  timeout -k 5 200 "${launch[@]}" sh -c 'ulimit -v "$0" && exec "$@"' "$1" \
    "$ROBION" run "$WORK/study.yaml" --results "$WORK/r" --team-size "$ranks" >"$WORK/out" 2>&1 || code=$?
  case $code in
    0) [ "$(find "$WORK/r" -name plan.h5 | wc -l)" = 1 ] ;;
    5) refused=$((refused + 1)) && grep -Eq '(error|robion:).* [0-9.e-]+ [GM]iB' "$WORK/out" && ! grep -q . <(find "$WORK/r" -name plan.h5) ;;
    *) [ ! -e "$WORK/r/log.txt" ] && ! grep -q 'PETSC ERROR' "$WORK/out" && not_begun=$((not_begun + 1)) ;;
  esac || { echo "exit code $code" >>"$WORK/out" && return 1; }
}

for ((i = 0; i < number; i++)); do
  mib=$((number > 1 ? least + i * (most - least) / (number - 1) : most))
  try "limit of $mib MiB on $ranks ranks" limited $((1024 * mib))
done
conclude "memory limits on $ranks ranks" "$refused with exit 5, $not_begun in which MPI did not begin"
