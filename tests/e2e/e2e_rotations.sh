#!/usr/bin/env bash
# Rotations of the patient as scenarios.
# timeout: 300
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
# A patient who is turned about the isocentre sees beams that are turned the other way: about z the gantry, about y the couch, and
# moves by what the turned patient is moved. Inserts of air and bone tell the sides apart.
cat >"$WORK/turned.yaml" <<'YAML'
robion: 1
name: turned
cases: [{phantom: rtog, heterogeneous: true, ct_spacing_mm: 4}]
biology: {model: mixed-beam}
machine: {energy_min_MeV_u: 150, energy_max_MeV_u: 310, range_step_mm: 12}
prescription: {dose_Gy_RBE: 4.8, fractions: 1, target: CTV}
beams: [{gantry_deg: 90, isocentre_mm: [0, 0, 0]}]
dose_grid_mm: 6
spots: {lateral_mm: 8, layer_mm: 12}
objectives: [{structure: CTV, type: uniform, dose_Gy_RBE: 4.8, weight: 100}]
optimizer: {max_iterations: 2, certificate_iterations: 0}
scenarios:
  evaluate: {range_percent: [0, 3], setup: list, shifts_mm: [[0, 0, 0], [0, 5, 0]], rotations_deg: [[0, 0, 0], [0, 0, 10], [0, 7, 0]]}
YAML
check "a run with rotations" "$ROBION" run "$WORK/turned.yaml" --results "$WORK/turned"
turned=$WORK/turned/cases/rtog/plan
check "whose scenarios are told" grep -q '^evaluate,r+3_y+5_rz+10,0,5,0,3,.*,0,0,10,$' "$turned/scenarios.csv"
as_beams() { # SCENARIO KEY=VALUE...: the doses of the turned patient are those of turned beams, to a thousandth of the highest of its quantity
  local scenario=$1
  shift
  "$ROBION" evaluate "$turned/plan.h5" "$WORK/turned.yaml" -o "$WORK/beams.h5" "${@/#/--set=}" || return 1
  awk -F, -v of="$scenario" '$8 !~ /^D/ { next }
    FNR == NR { if ($5 == of) { mine[$6, $7, $8] = $9; if ($9 > most[$7]) most[$7] = $9 } next }
    $5 == "nominal" && ($6, $7, $8) in mine { n++; off = ($9 - mine[$6, $7, $8]) / most[$7]
      if (off > 1e-3 || off < -1e-3) { print $6, $7, $8, mine[$6, $7, $8], $9; bad++ } }
    END { print n " metrics"; exit bad || n < 40 }' "$turned/metrics.csv" "$WORK/beams.metrics.csv"
}
not_as_the_other_way() { ! as_beams "$@"; }
none='scenarios.evaluate={range_percent: [0], shifts_mm: [[0, 0, 0]], rotations_deg: [[0, 0, 0]]}'
for one in 'rz+10 beams.0.gantry_deg=80' 'ry+7 beams.0.couch_deg=353' \
  "y+5_rz+10 beams.0.gantry_deg=80 beams.0.isocentre_mm=[-0.8682408883346517,-4.92403876506104,0]"; do
  read -r scenario settings <<<"$one"
  read -ra settings <<<"$settings"
  check "a patient turned and moved by $scenario" as_beams "$scenario" "$none" "${settings[@]}"
done
check "turned the other way it is another one" not_as_the_other_way rz+10 "$none" beams.0.gantry_deg=100
robust='scenarios.optimize={setup: axes, setup_mm: 3, rotations_deg: [[0, 0, 0], [1, -2, 3]]}'
for ranks in 1 2; do
  check "a robust plan on $ranks ranks" mpi $ranks "$ROBION" run "$WORK/turned.yaml" --results "$WORK/robust-$ranks" --set robust=voxelwise \
    --set "$robust"
done
check "has the same bits" cmp "$WORK/robust-1/metrics.csv" "$WORK/robust-2/metrics.csv"
check "and is another one than without rotations" expect_exit 1 cmp "$WORK/robust-1/metrics.csv" "$WORK/turned/metrics.csv"
check "45 degrees are the most" expect_text 'rotations_deg.1.2: found 50, expected a number from -45 to 45' "$ROBION" validate "$WORK/turned.yaml" \
  --set 'scenarios.evaluate.rotations_deg=[[0, 0, 0], [0, 0, 50]]'
check "a spread is for what is drawn" expect_text 'rotation_sigma_deg: found without setup: random' "$ROBION" validate "$WORK/turned.yaml" \
  --set scenarios.evaluate.rotation_sigma_deg=1
sed 's/, rotations_deg: .*/}/' "$WORK/turned.yaml" >"$WORK/plain.yaml"
check "a run without rotations" "$ROBION" run "$WORK/plain.yaml" --results "$WORK/plain"
check "and one with a rotation of nothing" "$ROBION" run "$WORK/plain.yaml" --results "$WORK/none" \
  --set 'scenarios.evaluate.rotations_deg=[[0, 0, 0]]'
for file in metrics dvh scenarios; do check "have the same bits, $file" cmp "$WORK/plain/$file.csv" "$WORK/none/$file.csv"; done
