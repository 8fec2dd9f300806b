#!/usr/bin/env bash
# Bytes changed at random in one file of a cohort: a case, base data, cached base data, a finished plan, a checkpoint. The run ends
# with 0, 4 or 6 within its time, never of a crash; what the file does not belong to is planned, and to the same bits.
#
#   tests/trials/damage.sh [TRIALS [SEED]]      default: 40 1, the kinds in turn
# shellcheck source=tests/support/trials.sh
. "$(dirname "$0")/../support/trials.sh"
number=${1:-40} RANDOM=${2:-1}
kinds=(case base-data cache plan checkpoint)
refused=0

# Three cases from files, and base data from one.
for k in 1 2 3; do
  "$ROBION" phantom water-box --ct-spacing-mm 4 --size-mm 60,60,60 --target-mm "16,16,$((12 + 4 * k))" \
    -o "$WORK/p$k.h5" >>"$WORK/out" 2>&1 || { cat "$WORK/out" && exit 1; }
done
sed '/phantom: water-box, name: p[3456]/d; s/{phantom: water-box, name: \(p.\).*/{file: \1.h5}/' "$SHORT" >"$WORK/study.yaml"
sed -i 's/^  - {file: p2.h5}/&\n  - {file: p3.h5}/' "$WORK/study.yaml"
# Few energies: they are made again where the cache is damaged.
export ROBION_CACHE=$WORK/base-data
sed -i 's/^machine: .*/machine: {energy_min_MeV_u: 90, energy_max_MeV_u: 130, range_step_mm: 8}/' "$WORK/study.yaml"
"$ROBION" basedata build --energy-min-MeV-u 90 --energy-max-MeV-u 130 --range-step-mm 8 --out "$WORK/machine.h5" >>"$WORK/out" 2>&1 || { cat "$WORK/out" && exit 1; }
sed 's/^machine: .*/machine: {base_data: machine.h5}/' "$WORK/study.yaml" >"$WORK/imported.yaml"
run() { # STUDY FOLDER OPTIONS...
  timeout -k 5 100 mpirun -n 2 "$ROBION" run "$1" --results "$2" --team-size 1 "${@:3}" >"$WORK/out" 2>&1
}
run "$WORK/study.yaml" "$WORK/whole" || { cat "$WORK/out" && exit 1; }
endless=(--set optimizer.max_iterations=1000000 --set optimizer.relative_tolerance=0 --set optimizer.window=1000000 --set optimizer.relative_gap=0)
run "$WORK/study.yaml" "$WORK/stopped" --time-limit 0:00:03 "${endless[@]}"

# The plans of these cases have the bits of the undisturbed run.
healthy() { # CASE...
  local name
  for name in "$@"; do
    h5diff --exclude-path /provenance --exclude-path /timing "$WORK/whole/cases/$name/conventional/plan.h5" \
      "$WORK/r/cases/$name/conventional/plan.h5" >>"$WORK/out" 2>&1 || { echo "$name differs" >>"$WORK/out" && return 1; }
  done
}
ends_with() { # CODES COMMAND...
  local code=0
  "${@:2}" || code=$?
  [ "$code" = 0 ] || refused=$((refused + 1))
  case " $1 " in *" $code "*) ! grep -q 'PETSC ERROR\|internal error' "$WORK/out" ;; *) false ;; esac || { echo "exit code $code, expected one of $1" >>"$WORK/out" && return 1; }
}

damaged() { # KIND BYTES
  local file=$WORK/kept-file
  rm -rf "$WORK/r" "$WORK/cache"
  case $1 in
    case)
      cp "$WORK/p2.h5" "$file" && damage "$WORK/p2.h5" "$2"
      ends_with "0 6" run "$WORK/study.yaml" "$WORK/r" && healthy p1 p3
      set -- $?
      cp "$file" "$WORK/p2.h5"
      return "$1"
      ;;
    base-data)
      cp "$WORK/machine.h5" "$file" && damage "$WORK/machine.h5" "$2"
      ends_with "0 4" run "$WORK/imported.yaml" "$WORK/r"
      set -- $?
      cp "$file" "$WORK/machine.h5"
      return "$1"
      ;;
    cache)
      cp -r "$ROBION_CACHE" "$WORK/cache"
      for file in "$WORK"/cache/*.h5; do damage "$file" "$2"; done
      ROBION_CACHE=$WORK/cache ends_with 0 run "$WORK/study.yaml" "$WORK/r" && healthy p1 p2 p3
      ;;
    plan)
      cp -r "$WORK/whole" "$WORK/r" && damage "$WORK/r/cases/p2/conventional/plan.h5" "$2"
      ends_with "0 6" run "$WORK/study.yaml" "$WORK/r" --resume && healthy p1 p3
      ;;
    checkpoint)
      cp -r "$WORK/stopped" "$WORK/r"
      while IFS= read -r file; do damage "$file" "$2"; done < <(find "$WORK/r" -name 'checkpoint*.h5')
      ends_with "0 75" run "$WORK/study.yaml" "$WORK/r" --resume --time-limit 0:00:02 "${endless[@]}"
      ;;
  esac
}

for ((i = 1; i <= number; i++)); do
  kind=${kinds[$(((i - 1) % ${#kinds[@]}))]} bytes=$((1 << RANDOM % 7))
  try "trial $i: $bytes bytes of the $kind" damaged "$kind" "$bytes"
done
conclude "damaged files" "$refused not taken"
