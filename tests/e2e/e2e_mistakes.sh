#!/usr/bin/env bash
# What users get wrong: the exit code, the line that says so, nothing left under a final name, and never a traceback.
# timeout: 600
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
BOX=tests/studies/e2e-box.yaml

# refuses NAME CODE PATTERN COMMAND...: ends with this code and a line of this pattern, no traceback, and leaves no plan
# or table with rows below $WORK/out.
refuses() {
  local name=$1 code=$2 pattern=$3
  shift 3
  check "$name" refused "$code" "$pattern" "$@"
}
refused() {
  local code=$1 pattern=$2 status=0 output
  shift 2
  output=$("$@" 2>&1) || status=$?
  printf '%s\n' "$output"
  [ "$status" = "$code" ] || { echo "exit code $status, expected $code" && return 1; }
  grep -qE -e "$pattern" <<<"$output" || { echo "not found: $pattern" && return 1; }
  ! grep -E 'PETSC ERROR|Segmentation|MPI_ABORT|HDF5-DIAG' <<<"$output" || return 1
  ! find "$WORK/out" \( -name 'plan.h5' -o -name '*.tmp*' -o -name '*.work' \) 2>/dev/null | grep . || return 1
  ! awk 'FNR > 1 { print FILENAME ": " $0; exit }' /dev/null "$WORK"/out/*.csv 2>/dev/null | grep . || return 1
  rm -rf "$WORK/out"
}
run() { timeout 200 "$ROBION" run "$@" --results "$WORK/out"; } # a hang is no refusal
mpi() {
  local ranks=$1
  shift
  if [ "$ranks" = 1 ]; then timeout 200 "$@"; else mpirun --timeout 200 -n "$ranks" "$@"; fi
}
run_with() { timeout 200 "$ROBION" run "$BOX" --results "$WORK/out" -- "$@"; }
run_on() { local ranks=$1 && shift && mpi "$ranks" "$ROBION" run "$@" --results "$WORK/out"; }

# --- Command line ----------------------------------------------------------------------------------------------------
refuses "an unknown verb" 2 '^robion: unknown verb validat, did you mean validate\?' "$ROBION" validat "$BOX"
refuses "an unknown option" 2 '^robion: unknown option --resum, did you mean --resume\?' run "$BOX" --resum
unknown_alone() { [ "$(run "$BOX" --resuls 1 2>&1)" = "robion: unknown option --resuls, did you mean --results? (PETSc options go after --)" ]; }
check "one that has a value is one mistake, told in one line" unknown_alone
refuses "an option without its value" 2 '^robion: option --only needs a value' run "$BOX" --only
refuses "a verb without its study" 2 '^robion: missing operand; usage: robion validate' "$ROBION" validate
refuses "one study too many" 2 '^robion: unexpected operand' run "$BOX" "$BOX"
check "the reference study is valid as it is" expect_text 'configs/reference.yaml: [0-9]* plans, no mistakes' \
  "$ROBION" validate configs/reference.yaml
refuses "structures that some of several phantoms lack" 4 "configs/reference.yaml:.*case chordoma has no structure CTV, did you mean GTV" \
  "$ROBION" validate configs/reference.yaml --set 'cases=[{phantom: rtog}, {phantom: chordoma}]'
for limit in 1h 00:00:00 00:99:00 -1:00:00 1 '' 00:00:01x; do
  refuses "time limit '$limit'" 2 '^robion: (--time-limit: found .*expected HH:MM:SS|option --time-limit needs)' run "$BOX" \
    --time-limit "$limit"
done
refuses "larger teams than there are ranks" 2 '^robion: --team-size: found 99, expected at most 2, the ranks of this run' run_on 2 \
  "$BOX" --team-size 99
refuses "--set without a value" 2 '^robion: --set spots: found no =, expected path=value' run "$BOX" --set spots
refuses "--set of an unknown key" 3 '^robion: --set spots.layer=2: spots.layer: unknown key, did you mean spots.layer_mm\?' \
  run "$BOX" --set spots.layer=2
refuses "four SLURM tasks that MPI knows nothing of" 2 '^robion: SLURM allocated 4 tasks, but MPI has one rank' \
  env SLURM_NTASKS=4 "$ROBION" run "$BOX" --results "$WORK/out"
refuses "four srun tasks that MPI knows nothing of" 2 '^robion: srun started 4 tasks, but MPI sees one rank each' \
  env SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=4 "$ROBION" run "$BOX" --results "$WORK/out"
refuses "mistakes on four ranks are told once" 2 '^robion: unknown option --resum' run_on 4 "$BOX" --resum
once() { [ "$(mpi 4 "$ROBION" run "$BOX" --resum 2>&1 | grep -c '^robion: unknown')" = 1 ]; }
check "and no more than once" once

# Options of PETSc's own: what it refuses, or cannot plan with, before anything is written.
while IFS='|' read -r option pattern; do
  # shellcheck disable=SC2086
  refuses "PETSc options $option" 2 "^robion: PETSc .*\(?(options )?\(?after --\): $pattern" run_with $option
done <<'END'
-tao_type nope|Unable to find requested Tao type nope
-tao_type nls|TaoSetHessian
-tao_type pounders|this Tao type is for sums of parts
-tao_type admm|this Tao type is for sums of parts
-tao_max_it abc|Input string abc has no integer value
-tao_type blmvm -tao_ls_type nope|Unable to find requested TaoLineSearch type nope
-options_file nowhere.txt|Unable to open options file nowhere.txt
END
refuses "a PETSc option that is wrong on two ranks, told once" 2 '^robion: PETSc options' mpi 2 "$ROBION" run "$BOX" \
  --results "$WORK/out" -- -tao_type nope

# What only a plan saw, told by validate.
validate() { "$ROBION" validate tests/studies/least.yaml "$@"; }
refuses "activity of a scenario that there is not" 3 'activity.scenarios: scenarios.evaluate has no x\+9' \
  validate --set 'activity={scenarios: [nominal, x+9]}'
refuses "a phantom's beams from the case" 4 'beams: from-case, but case water-box holds no' validate --set beams=from-case
refuses "an isocentre far off" 4 'beam 1: isocentre \(0, 0, 4000\) mm lies outside' \
  validate --set 'beams=[{gantry_deg: 0}, {gantry_deg: 0, isocentre_mm: [0, 0, 4000]}]'
refuses "a range shifter that nothing passes" 4 'thickness_mm is 200, expected less than [0-9.]+, the range of 12C at 150 MeV/u' \
  validate --set machine.energy_max_MeV_u=150 --set 'beams=[{gantry_deg: 0, range_shifter: {thickness_mm: 200, to_isocentre_mm: 400}}]'
check "one that the highest energy passes" validate --set machine.energy_max_MeV_u=400 \
  --set 'beams=[{gantry_deg: 0, range_shifter: {thickness_mm: 200, to_isocentre_mm: 400}}]'
refuses "names that become the same in plan.h5" 4 'structures "\." and "_" of case water-box would both be _ in plan.h5' \
  validate --set 'structures={".": "CTV plus 2 mm", "_": "CTV plus 3 mm"}'
check "each of them alone" validate --set 'structures={".": "CTV plus 2 mm", "..": "CTV plus 3 mm", "__": "CTV plus 4 mm"}'

# --- Study file ------------------------------------------------------------------------------------------------------
refuses "no study file" 3 '^robion: nowhere.yaml: cannot be read: No such file' run nowhere.yaml
refuses "no study file, on two ranks" 3 '^robion: nowhere.yaml: cannot be read: No such file' run_on 2 nowhere.yaml
refuses "a folder as study" 3 '^robion: tests: ' "$ROBION" validate tests
printf 'robion: 1\nname: [x\n' >"$WORK/open.yaml"
refuses "a bracket never closed" 3 "^robion: $WORK/open.yaml:[23]:[0-9]+: " "$ROBION" validate "$WORK/open.yaml"
: >"$WORK/empty.yaml"
refuses "an empty study" 3 "^robion: $WORK/empty.yaml" "$ROBION" validate "$WORK/empty.yaml"
head -c 3000 /dev/urandom >"$WORK/random.yaml"
refuses "noise as study" 3 "^robion: $WORK/random.yaml" "$ROBION" validate "$WORK/random.yaml"
planted=tests/studies/e2e-mistakes.yaml
refuses "thirteen planted mistakes" 3 "^robion: $planted:" "$ROBION" validate "$planted"
ask "$ROBION" validate "$planted"
for mistake in '1:9: robion: found 2, expected 1' \
  '4:89: cases.0.target_mm: found a list of 2, expected a list of 3' \
  '5:10: machine: ion "12Q" is unknown, .* [(]did you mean 12C' \
  '6:24: biology.alpha_x: unknown key, did you mean alpha_x_per_Gy' \
  '7:29: prescription.dose_Gy_RBE: found 3 Gy, expected a number' \
  '7:46: prescription.fractions: found 0, expected ' \
  '7:15: prescription.target: missing' \
  '8:26: beams.1.gantry_deg: missing' \
  '9:15: dose_grid_mm: found 0, expected ' \
  '10:31: scenarios.optimize.setup: found axes without setup_mm' \
  '12:28: objectives.0.type: found unifrom, .* did you mean uniform' \
  '12:61: objectives.0.weight: found -1, expected ' \
  '14:9: sweep.spots.layer: unknown key, did you mean'; do
  check "planted: $mistake" told "^robion: $planted:$mistake"
done

# --- Cases -----------------------------------------------------------------------------------------------------------
CASE=$(dirname "$ROBION")/tests/e2e_case
for kind in good flat no-ct bad-role nan-map; do "$CASE" $kind "$WORK/$kind.h5"; done
head -c 3000 "$WORK/good.h5" >"$WORK/truncated.h5"
with() { run "$BOX" --set "cases=[{file: $WORK/$1.h5}]" "${@:2}"; }
refuses "a case file with a flat CT" 4 "$WORK/flat.h5: /ct/hu: has 2 dimensions, expected 3" with flat
refuses "one without CT" 4 "$WORK/no-ct.h5: /ct/hu: missing" with no-ct
refuses "one with an unknown role" 4 "$WORK/bad-role.h5: /structures/CTV: role is \"traget\".*did you mean target" with bad-role
refuses "one with NaN in a map" 4 "$WORK/nan-map.h5: /maps/suv: 1 of 8000 values are not finite" with nan-map
refuses "a truncated one" 4 "$WORK/truncated.h5: HDF5 file is truncated" with truncated
refuses "a target without volume" 4 'prescription.target: structure NOTHING of case good has no volume' \
  with good --set prescription.target=NOTHING
refuses "an objective without volume" 4 'objectives: structure NOTHING of case good has no volume' \
  with good --set objectives.0.structure=NOTHING
check "a target at the rim of the CT is planned" mpi 2 "$ROBION" run "$BOX" --results "$WORK/rim" \
  --set "cases=[{file: $WORK/good.h5}]" --set prescription.target=EDGE --set objectives.0.structure=EDGE \
  --set 'overlap_priority=[EDGE, BODY]' --set robust=voxelwise --set 'machine={energies_MeV_u: [80, 200]}' \
  --set optimizer.max_iterations=1
check "a target of one voxel is planned" mpi 4 "$ROBION" run "$BOX" --results "$WORK/dot" \
  --set "cases=[{file: $WORK/good.h5}]" --set prescription.target=DOT --set 'objectives=[{structure: DOT, type: uniform,
    dose_Gy_RBE: 3}]' --set overlap_priority=[] --set robust=composite --set optimizer.max_iterations=1

# One bad case among three.
check "one bad case among three: exit 6" expect_exit 6 mpi 2 "$ROBION" run "$BOX" --results "$WORK/three" \
  --set optimizer.max_iterations=1 \
  --set "cases=[{file: $WORK/good.h5, name: first}, {file: $WORK/nan-map.h5, name: second}, {phantom: water-box,
    name: third, ct_spacing_mm: 4, size_mm: [80, 80, 80], target_mm: [24, 24, 24]}]"
check "the first is planned" test -s "$WORK/three/cases/first/plan/plan.h5"
check "the third is planned" test -s "$WORK/three/cases/third/plan/plan.h5"
check "the second is not" test ! -e "$WORK/three/cases/second/plan/plan.h5"
check "its status says why" grep -q 'suv: 1 of 8000 values are not finite' "$WORK/three/cases/second/plan/status.json"
one_line() { [ "$(grep -c " error .*$WORK/nan-map.h5: /maps/suv" "$WORK/three/log.txt")" = 1 ]; }
check "one line names file and reason" one_line
two_cases() { [ "$(cut -d, -f2 "$WORK/three/metrics.csv" | sort -u | paste -sd,)" = case,first,third ]; }
check "the tables hold the other two" two_cases
echo 'no case' >"$WORK/text.h5"
refuses "a case file that is none" 4 "$WORK/text.h5: not an HDF5 file" run "$BOX" --set "cases=[{file: $WORK/text.h5}]"
refuses "a missing case file" 4 "$WORK/none.h5: cannot be opened: No such file" run_on 2 "$BOX" \
  --set "cases=[{file: $WORK/none.h5}]"
refuses "a missing case file, validated" 4 "case file $WORK/none.h5 does not exist" "$ROBION" validate "$BOX" \
  --set "cases=[{file: $WORK/none.h5}]"
sed -e 's/structure: BODY/structure: BODDY/' -e 's/target: CTV/target: CTX/' "$BOX" >"$WORK/names.yaml"
refuses "a structure the case lacks" 4 "$WORK/names.yaml:[0-9]+:[0-9]+: objectives: case box has no structure BODDY, did you \
mean BODY\?" run "$WORK/names.yaml"
refuses "a target the case lacks" 4 "$WORK/names.yaml:7:[0-9]+: prescription.target: case box has no structure CTX, did you \
mean CTV\?" "$ROBION" validate "$WORK/names.yaml"
refuses "an isocentre outside the CT" 4 'beam 0: isocentre \(500, 0, 0\) mm lies outside the CT of case box' run "$BOX" \
  --set 'beams=[{gantry_deg: 0, isocentre_mm: [500, 0, 0]}]'
refuses "beams too weak for the depth" 4 'beam 0 \(gantry 0 deg\) cannot reach CTV of case box: .* range of machine builtin-12C' \
  run_on 2 "$BOX" --set 'machine={energies_MeV_u: [100]}'

refuses "a source inside the patient" 4 'beam 0: sad_mm of the machine is 50, expected 0 or at least' run "$BOX" \
  --set 'machine={energies_MeV_u: [100], sad_mm: 50}'
refuses "a dose grid without end" 4 'dose_grid_mm: 0.5 mm makes 1.8.*e\+10 voxels of case water-box' run "$BOX" --dry-run \
  --set 'cases=[{phantom: water-box, ct_spacing_mm: 10, size_mm: [1300, 1300, 1300]}]' --set dose_grid_mm=0.5
refuses "a case name that is no folder" 3 'cases.0.name: found my case, expected a name that can be a folder' run "$BOX" \
  --set 'cases.0.name=my case'
check "fewer voxels than four ranks take" mpi 4 "$ROBION" run "$BOX" --results "$WORK/few" --set dose_grid_mm=20 \
  --set robust=voxelwise --set optimizer.max_iterations=1

# --- Base data -------------------------------------------------------------------------------------------------------
check "base data of 11C" "$ROBION" basedata build --ion 11C --out "$WORK/11C.h5" --energy-max-MeV-u 80
head -c 5000 "$WORK/11C.h5" >"$WORK/11C-truncated.h5"
refuses "base data of another ion" 4 "machine.base_data: $WORK/11C.h5 holds 11C, expected 12C" run_on 2 "$BOX" \
  --set "machine.base_data=$WORK/11C.h5"
refuses "truncated base data" 4 "$WORK/11C-truncated.h5: HDF5 file is truncated" run "$BOX" \
  --set "machine.base_data=$WORK/11C-truncated.h5"
refuses "missing base data" 4 "$WORK/none.h5: cannot be opened" run "$BOX" --set "machine.base_data=$WORK/none.h5"

quick=(--set 'machine={energies_MeV_u: [100,155]}' --set optimizer.max_iterations=1) # few energies: they are made each time
check "base data are cached" env ROBION_CACHE="$WORK/cache" "$ROBION" run "$BOX" --results "$WORK/cached" "${quick[@]}"
for file in "$WORK"/cache/12C-*.h5; do truncate -s 4000 "$file"; done
check "a damaged cache is built again" expect_text 'cache ignored and built again' env ROBION_CACHE="$WORK/cache" \
  "$ROBION" run "$BOX" --results "$WORK/built-again" "${quick[@]}"
check "with the same result" cmp "$WORK/cached/metrics.csv" "$WORK/built-again/metrics.csv"
two_at_once() { # with the same empty cache
  local first
  for first in 1 2; do
    ROBION_CACHE="$WORK/shared" "$ROBION" run "$BOX" --results "$WORK/at-once-$first" "${quick[@]}" >"$WORK/at-once-$first.log" 2>&1 &
  done
  wait
  [ "$(cat "$WORK"/at-once-?.log | grep -c 'base data .* are computed, in')" = 1 ] && cmp "$WORK/cached/metrics.csv" "$WORK/at-once-1/metrics.csv" &&
    cmp "$WORK/cached/metrics.csv" "$WORK/at-once-2/metrics.csv"
}
check "of two runs that begin together one makes the base data" two_at_once
check "a cache that cannot be made is told and does not matter" expect_text 'base data not cached: /proc/nothing' env \
  ROBION_CACHE=/proc/nothing "$ROBION" run "$BOX" --results "$WORK/uncached" "${quick[@]}"
check "with the same result" cmp "$WORK/cached/metrics.csv" "$WORK/uncached/metrics.csv"
check "a closed pipe does not end a run" bash -c "ROBION_CACHE='$WORK/cache' '$ROBION' run '$BOX' --results '$WORK/pipe' \
  ${quick[*]@Q} | head -n 1 && cmp '$WORK/cached/metrics.csv' '$WORK/pipe/metrics.csv'"

# --- Lists of spots --------------------------------------------------------------------------------------------------
evaluate() { # LINES...: on $ranks ranks
  printf '%s\n' "$@" >"$WORK/spots.csv"
  mkdir -p "$WORK/out"
  mpi "$ranks" "$ROBION" evaluate "$WORK/spots.csv" "$BOX" -o "$WORK/out/plan.h5" "${machine[@]}"
}
machine=() ranks=2
header=beam,x_mm,y_mm,energy_MeV_u,particles
refuses "a list of spots with another header" 4 "$WORK/spots.csv:1: header is \"beam,x,y,energy,n\", expected \"$header\"" \
  evaluate beam,x,y,energy,n 0,0,0,180,1e6
ranks=1
refuses "negative particles" 4 "$WORK/spots.csv:3: particles is \"-5\", expected a number of at least 0" \
  evaluate $header 0,0,0,180,1e6 0,0,0,180,-5
refuses "NaN particles" 4 "$WORK/spots.csv:2: particles is \"nan\", expected a finite number" evaluate $header 0,0,0,180,nan
refuses "an energy no machine has" 4 "$WORK/spots.csv: energy_MeV_u is 5000, expected 1 to 1000" \
  evaluate $header 0,0,0,180,1e6 0,0,0,5000,1e6
check "base data of one energy" "$ROBION" basedata build --out "$WORK/12C.h5" --energy-min-MeV-u 180 --energy-max-MeV-u 180
machine=(--set "machine.base_data=$WORK/12C.h5")
refuses "energies that base data lack" 4 \
  "$WORK/spots.csv:4: machine builtin-12C .180 to 180 MeV/u. lacks 2 of the 3 energies of the plan: 170.5, 179 MeV/u" \
  evaluate $header 0,0,0,180,1e6 '' 0,0,0,179,1e6 0,0,0,170.5,1e6
machine=()
refuses "a beam the study lacks" 4 "$WORK/spots.csv:3: beam 2, expected 0 to 1" evaluate $header 0,0,0,180,1e6 2,0,0,180,1e6
refuses "a list of spots without spots" 4 "$WORK/spots.csv: no spots" evaluate $header
refuses "a plan that is none" 4 "$WORK/text.h5: not an HDF5 file" "$ROBION" evaluate "$WORK/text.h5" "$BOX" -o "$WORK/out/x.h5"
refuses "a plan that is not there" 4 "$WORK/none.csv: cannot be read" "$ROBION" evaluate "$WORK/none.csv" "$BOX" -o "$WORK/out/x.h5"

# --- Places to write -------------------------------------------------------------------------------------------------
touch "$WORK/file"
refuses "a file in place of the results folder" 5 "$WORK/file: exists but is not a folder" mpi 2 "$ROBION" run "$BOX" \
  --results "$WORK/file"
refuses "a results folder that cannot be made" 5 'folder cannot be made' "$ROBION" run "$BOX" --results /proc/nonexistent
mkdir "$WORK/small"
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=500k none "$WORK/small" 2>/dev/null; then
  # shellcheck disable=SC2064 # the folder of now
  trap "umount '$WORK/small'; finish" EXIT
  refuses "a full disk" 5 'plan.h5: cannot be written: No space left on device' mpi 3 "$ROBION" run "$BOX" \
    --results "$WORK/small/results"
  no_plan() { ! find "$WORK/small" -name plan.h5 -o -name '*.tmp*' | grep .; }
  check "leaves no plan.h5 and nothing temporary" no_plan
else
  skip "a full disk" "needs root and a tmpfs"
fi
