#!/usr/bin/env bash
# `robion evaluate` and `matrix` judge a plan.h5 as what it is: by its own arm and sweep point.
# timeout: 200
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
cat - tests/studies/e2e-box.yaml >"$WORK/study.yaml" <<'YAML'
arms: {first: {robust: none}, second: {robust: composite, scenarios.evaluate.setup_mm: 1}}
sweep: {biology.alpha_x_per_Gy: [0.1, 0.2]}
YAML
STUDY=$WORK/study.yaml
check "two arms at two points" "$ROBION" run "$STUDY" --results "$WORK/run" --set optimizer.max_iterations=2
again() { # ARM POINT: the metrics of the run and of its plan evaluated, told apart by nothing but the study's order
  local plan=$WORK/run/cases/box/$1/biology.alpha_x_per_Gy=$2
  "$ROBION" evaluate "$plan/plan.h5" "$STUDY" -o "$WORK/again.h5" --set optimizer.max_iterations=2 &&
    cmp "$plan/metrics.csv" "$WORK/again.metrics.csv"
}
for arm in first second; do
  for alpha in 0.1 0.2; do check "$arm at $alpha is judged as itself" again $arm $alpha; done
done
last=$WORK/run/cases/box/second/biology.alpha_x_per_Gy=0.2/plan.h5
judge() { "$ROBION" evaluate "$last" "$STUDY" -o "$WORK/judged.h5" "$@"; }
check "another arm contradicts it" expect_exit 2 judge --arm first
check "and is named" expect_text '--arm first: .*plan.h5 was made with second' judge --arm first
check "so is another point" expect_text '--sweep biology.alpha_x_per_Gy=0.1: .* was made with biology.alpha_x_per_Gy=0.2' \
  judge --sweep biology.alpha_x_per_Gy=0.1
check "its own names do not" judge --arm second --sweep biology.alpha_x_per_Gy=0.2
renamed() { "$ROBION" evaluate "$last" "$WORK/renamed.yaml" -o "$WORK/renamed.h5" "$@"; }
sed -e 's/first:/plain:/' -e 's/second:/worst:/' "$STUDY" >"$WORK/renamed.yaml"
check "a study without its arm wants a choice" expect_text 'arm second, sweep point .*which the study does not have: choose' renamed
check "and takes one" renamed --arm worst --sweep biology.alpha_x_per_Gy=0.1
check "the matrix of the plan says its arm and point" expect_text \
  'arm second, sweep point biology.alpha_x_per_Gy=0.2' "$ROBION" matrix "$STUDY" --plan "$last" -o "$WORK/m.h5" --set robust=none

# --- Planned by a wrong table of stopping powers, delivered to the true patient ------------------------------------------
BOX=tests/studies/e2e-box.yaml
plan=$WORK/plan.h5
check "a plan by stopping powers that are 3.5 % too high" "$ROBION" run "$BOX" --results "$WORK/scaled" --set hlut_scale_percent=3.5 \
  --set 'scenarios={}' --set optimizer.max_iterations=2
cp "$WORK/scaled/cases/box/plan/plan.h5" "$plan"
"$ROBION" phantom water-box --size-mm 80,80,80 --target-mm 24,24,24 --ct-spacing-mm 4 -o "$WORK/box.h5" >/dev/null
delivered() { # NAME OPTION...: metrics of the plan, nominal or of the one range error that is evaluated
  local name=$1
  shift
  "$ROBION" evaluate "$plan" "$BOX" -o "$WORK/$name.h5" --set 'scenarios={}' "$@" >/dev/null || return
  grep -E ',(BODY|CTV|External),(physical|rbe_weighted),' "$WORK/$name.metrics.csv" | grep -v hot_spot
}
nominal() { delivered "$@" | grep ',nominal,'; }
error() { delivered "$@" | grep ',median,' | sed 's/,median,/,nominal,/'; }
# A range error also scales 12 mm of air before the box, 0.0004 mm of water in all: 5e-5 of the dose where it falls.
near() { # A B: tables of the same metrics that agree within 1e-4
  paste -d, <(printf '%s\n' "$1") <(printf '%s\n' "$2") | awk -F, '$6 $7 $8 != $16 $17 $18 || ($9 - $19) ^ 2 > (1e-4 * $9) ^ 2 { print; bad = 1 }
    END { exit bad || NR < 16 }'
}
check "its own metrics are those of its own stopping powers" cmp <(nominal own --set hlut_scale_percent=3.5) \
  <(grep -E ',nominal,(BODY|CTV),(physical|rbe_weighted),' "$WORK/scaled/metrics.csv" | grep -v hot_spot)
check "a scale of 0 is none" cmp <(nominal zero --set hlut_scale_percent=0) <(nominal none)
differs() { ! near "$(nominal none)" "$(nominal own --set hlut_scale_percent=3.5)"; }
check "one of 3.5 % is some" differs
check "it is a range error" near "$(error error --set 'scenarios.evaluate={range_percent: [3.5]}')" \
  "$(nominal own --set hlut_scale_percent=3.5)"
check "also in a case file" near "$(nominal file --set hlut_scale_percent=3.5 --set "cases=[{file: $WORK/box.h5, name: box}]")" \
  "$(nominal own --set hlut_scale_percent=3.5)"
check "a scale by half is refused" expect_text 'hlut_scale_percent: found -50, expected a number above -50 and below 50' \
  "$ROBION" validate "$BOX" --set hlut_scale_percent=-50
python=$(python_with 'h5py, numpy')
if [ -n "$python" ]; then
  printf 'beam,x_mm,y_mm,energy_MeV_u,particles\n0,0,0,180,1e7\n' >"$WORK/spot.csv"
  r80() { # SCALE: where the dose of one spot falls to 80 % of its peak, mm behind the surface
    "$ROBION" evaluate "$WORK/spot.csv" "$BOX" -o "$WORK/spot.h5" --set "hlut_scale_percent=$1" --set dose_grid_mm=0.5 \
      --set 'cases=[{phantom: water-box, ct_spacing_mm: 4, size_mm: [24, 80, 24], target_mm: [8, 8, 8]}]' --set 'scenarios={}' >/dev/null || return
    "$python" -c '
import sys, h5py, numpy
with h5py.File(sys.argv[1]) as f:
    depth, dose = f["grid/y_mm"][:] + 40, f["dose/nominal/physical"][:].sum((0, 2))
    at = dose.argmax() + numpy.argmax(dose[dose.argmax():] < 0.8 * dose.max())
    print(numpy.interp(-0.8 * dose.max(), -dose[at - 1:at + 1], depth[at - 1:at + 1]))' "$WORK/spot.h5"
  }
  shifts() {
    local r80 at
    r80=$(r80 0) || return
    for scale in -3.5 1 3.5; do
      at=$(r80 "$scale") || return
      echo "R80 at $r80 mm, with a scale of $scale % at $at mm"
      awk -v a="$r80" -v b="$at" -v s="$scale" 'BEGIN { d = a / (1 + s / 100) - b; exit !(a > 60 && d < 0.05 && d > -0.05) }' || return
    done
  }
  check "R80 comes nearer by what the stopping powers are higher" shifts
else
  skip "R80 under a scale" "no python3 with numpy and h5py here"
fi

# --- Spots without particles: what is delivered is the plan ---------------------------------------------------------------
header=beam,x_mm,y_mm,energy_MeV_u,particles
filled=(0,-6,0,150,2e7 0,0,0,150,1e7 0,0,0,160,3e7 0,6,6,160,2e7 1,0,0,140,2e7 1,0,6,140,1e7 1,0,6,170,1e7 1,9,0,180,1e7)
# Of energies that others have: base data of a list are those of its energies, be they used or not.
empty=(0,-40,0,140,0 0,0,0,180,0 0,0,0,170,0 0,30,35,150,0 1,0,0,180,0 1,0,3,140,0 1,-25,6,170,0 1,0,6,150,0)
printf '%s\n' $header "${filled[@]}" >"$WORK/filled.csv"
printf '%s\n' $header "${empty[@]}" "${filled[@]}" >"$WORK/all.csv"
printf '%s\n' $header "${filled[@]:1}" >"$WORK/first.csv"
of_list() { # NAME OPTION...: its metrics
  "$ROBION" evaluate "$WORK/$1.csv" "$BOX" -o "$WORK/list.h5" \
    --set results.beam_doses=physical "${@:2}" >/dev/null && cat "$WORK/list.metrics.csv"
}
empty_say_nothing() { of_list filled "$@" >"$WORK/filled.txt" && cmp <(of_list all "$@") "$WORK/filled.txt"; }
check "spots without particles leave every digit" empty_say_nothing
check "also where spots are split" empty_say_nothing --set spots.splitting=coarse
check "and at a finite source distance" empty_say_nothing --set machine.sad_mm=6000
check "spots with particles do not" expect_exit 1 cmp <(of_list first) "$WORK/filled.txt"
