#!/usr/bin/env bash
# What may be wrong with a plan unseen: structures outside the body, empty ones, patients cut off by the CT, no outline, a HU table of
# a phantom, hot spots beside targets, models that cannot be compared. Each is a line of the log, or a mistake.
# timeout: 300
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
BOX=tests/studies/e2e-box.yaml

CASE=$(dirname "$ROBION")/tests/e2e_case
for kind in good outside no-external; do "$CASE" $kind "$WORK/$kind.h5"; done
quick=(--set robust=none --set optimizer.max_iterations=2 --set optimizer.certificate_iterations=0)
dry() { mpi 1 "$ROBION" run "$BOX" --dry-run --set "cases=[{file: $WORK/$1.h5}]" "${quick[@]}" "${@:2}"; }
plan() { mpi 1 "$ROBION" run "$BOX" --results "$WORK/$2" --set "cases=[{file: $WORK/$1.h5}]" "${quick[@]}" "${@:3}"; }
says() { expect_text "warning +$1 .*$2" "${@:3}"; }
silent() { ! expect_text "$1" "${@:2}" >/dev/null; }

# --- Structures outside of the external, cropped, empty ----------------------------------------------------------------
check "what lies outside the external is said" says case 'EDGE: 13.31 of its 13.82 cm3 \(96.3 %\) lie outside .*BODY' dry outside
check "and what the dose grid does not hold" says case 'EDGE: 13.31 of its 13.82 cm3 \(96.3 %\) are not on the dose grid' dry outside
edge=(--set 'objectives.1={structure: EDGE, type: overdose, dose_Gy_RBE: 1, weight: 1}')
check "a structure that the study names is on it whole" silent 'EDGE.*not on the dose grid' dry outside "${edge[@]}"
check "but outside" says case 'EDGE: 13.31 of its 13.82 cm3 \(96.3 %\) lie outside' dry outside "${edge[@]}"
for key in objectives.1.structure prescription.target; do
  check "an empty structure as $key is a mistake" expect_exit 4 dry outside --set "$key=NOTHING"
done
goal=(--set 'goals=[{structure: NOTHING, metric: Dmax, at_most: 1}]')
check "as that of a goal, too" expect_text 'goals: structure NOTHING of case outside has no volume' dry outside "${goal[@]}"
check "before anything is planned" expect_text 'goals: structure NOTHING of case outside has no volume' \
  "$ROBION" validate "$BOX" --set "cases=[{file: $WORK/outside.h5}]" "${goal[@]}"
check "one that nobody names is said to be empty" says case 'NOTHING has no voxel: no metrics' dry outside
check "also by validate" expect_text 'EDGE: 13.31 of its 13.82 cm3' "$ROBION" validate "$BOX" --set "cases=[{file: $WORK/outside.h5}]"
check "a target that leaves the body is planned" plan outside edge --set prescription.target=EDGE --set objectives.0.structure=EDGE \
  --set 'overlap_priority=[EDGE, BODY]' --set 'machine={energies_MeV_u: [20, 60, 100, 140, 180]}'
rows() { [ "$(grep -c ",nominal,$2,rbe_weighted,D98," "$WORK/$1/metrics.csv")" = "$3" ]; }
check "with rows of all structures that have voxels" rows edge '\(BODY\|CTV\|EDGE\|DOT\)' 4
check "and none of the empty one" rows edge NOTHING 0
check "the hottest place outside all targets is told" grep -qE 'hottest 0.03 cm3 outside all targets: .* Gy\(RBE\) at .* mm.* of the prescription' \
  "$WORK/edge/log.txt"
hot_rows() { [ "$(grep -cE ",nominal,outside-targets,(rbe_weighted|physical),(D0.03cc|hot_spot_[xyz])," "$WORK/edge/metrics.csv")" = 8 ]; }
check "and a row of dose and place each" hot_rows
speck=(--set 'cases=[{phantom: water-box, ct_spacing_mm: 1.5, size_mm: [81, 81, 81], target_mm: [27, 27, 27]}]'
  --set 'structures={speck: CTV minus 12.1 mm}')
check "a structure below 0.03 cm3 is told of" expect_text 'speck has 0.027 cm3, less than 0.03 cm3: its D0.03cc is its Dmax' \
  mpi 1 "$ROBION" run "$BOX" --dry-run "${quick[@]}" "${speck[@]}"

# --- Beams through the border of the CT --------------------------------------------------------------------------------
check "a patient cut off where a beam enters" says beams 'beam 1, gantry 90 deg.*100 % of its rays to CTV enter through the border' dry good
check "once in a run of two arms" test 2 = "$(dry good --set 'arms={a: {}, b: {spots.lateral_mm: 7}}' | grep -c 'through the border')"
check "none with air around" silent 'through the border' dry outside
check "none of phantoms" silent 'warning' mpi 1 "$ROBION" run "$BOX" --dry-run "${quick[@]}"
plan good cut >/dev/null 2>&1
check "also of given spots" says beams 'gantry 0 deg.*100 % of its rays to CTV enter through the border' mpi 1 "$ROBION" evaluate \
  "$WORK/cut/cases/good/plan/plan.h5" "$BOX" -o "$WORK/cut.h5" --set "cases=[{file: $WORK/good.h5}]" "${quick[@]}"

# --- No external structure ---------------------------------------------------------------------------------------------
check "an outline is derived, and said" says case 'no structure has the role external: derived-external, 110.59 cm3' dry no-external
back=(--set 'beams=[{gantry_deg: 180}]' --set overlap_priority=[] --set 'objectives=[{structure: CTV, type: uniform, dose_Gy_RBE: 3}]')
beam_line() { dry "$@" "${back[@]}" | sed -n 's/.*beam 0, gantry/beam 0, gantry/p'; }
check "a plate beside the patient is not in the beam's way" test -n "$(beam_line outside)" -a "$(beam_line outside)" = "$(beam_line no-external)"

# --- A HU table with a phantom -----------------------------------------------------------------------------------------
deep=(--set 'machine={energies_MeV_u: [150, 200, 250, 300]}')
denser=(--set 'hlut=[[-1000, 0.001], [0, 1.2], [3000, 3]]')
"$ROBION" phantom water-box -o "$WORK/box.h5" --ct-spacing-mm 4 >/dev/null 2>&1
as_phantom() { mpi 1 "$ROBION" run "$BOX" --dry-run "${quick[@]}" "${deep[@]}" --set 'cases=[{phantom: water-box, ct_spacing_mm: 4, name: box}]' "$@" | grep ' beam 0,' | cut -d' ' -f2-; }
as_file() { dry box "${deep[@]}" "$@" | grep ' beam 0,' | cut -d' ' -f2-; }
check "a phantom is as its file" test -n "$(as_file)" -a "$(as_phantom)" = "$(as_file)"
check "also with another table" test -n "$(as_file "${denser[@]}")" -a "$(as_phantom "${denser[@]}")" = "$(as_file "${denser[@]}")"
check "which changes depths" test "$(as_phantom)" != "$(as_phantom "${denser[@]}")"
check "also in an arm" expect_text "$(as_phantom "${denser[@]}" | sed 's/.*beam 0/beam 0/; s/[(].*//')" as_phantom \
  --set 'arms={a: {}, b: {hlut: [[-1000, 0.001], [0, 1.2], [3000, 3]]}}'

# --- Models that are compared ------------------------------------------------------------------------------------------
models() { mpi 2 "$ROBION" run "$BOX" --results "$WORK/models" "${quick[@]}" --team-size 1 "$@"; }
advice() { [ "$(models "${@:2}" | grep -c 'biology .*lem1 (low-dose approximation) beside')" = "$1" ]; }
check "LEM I beside another model: advice, once" advice 1 --set 'arms={a: {}, b: {biology.model: mkm}, c: {biology.model: smk}}'
check "also where plans are judged by it" advice 1 --set 'arms={a: {}, b: {judging.biology: {model: mkm}}}'
check "none for LEM I alone, in any approach" advice 0 --set 'arms={a: {}, b: {biology.approach: full}}'
check "none for others" advice 0 --set biology.model=mkm --set 'arms={a: {}, b: {biology.model: smk}}'
