#!/usr/bin/env bash
# Studies of jobs/ have no mistakes, and the tables of range-margins-head are right for hand-made results.
# timeout: 120
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
for study in jobs/*/*.yaml; do
  if grep -q 'file: patients/' "$study"; then continue; fi # those of patients that are not there
  coarse=() # which is quicker, for the patients that say nothing of it
  patient=0
  while read -r kind; do
    case $kind in
      *head-neck) coarse+=(--set "cases.$patient.ct_spacing_mm=3") ;;
      *chordoma | *liver) coarse+=(--set "cases.$patient.ct_spacing_mm=4") ;;
    esac
    patient=$((patient + 1))
  done < <(grep -o '{phantom: [^,}]*' "$study")
  check "validate $study" expect_text 'plans, no mistakes' "$ROBION" validate "$study" "${coarse[@]}"
done

# Two patients; P02 has no plans of the controls. Worst cases are ten times the medians.
python=$(python_with 'h5py, numpy, matplotlib')
if [ -n "$python" ]; then
  metric() { echo "s,$1,$2,,$3,OpticNrv_R,outcome,NTCP-right,$4,%"; }
  share() { echo "s,$1,$2,,$3,rbe_weighted,$4,fraction,share,at least,95,$5,%,1,at most,2.46,Gy(RBE)"; }
  results() {
    echo study,case,arm,sweep,scenario,structure,quantity,metric,value,unit
    while read -r case arm ntcp; do
      metric "$case" "$arm" nominal 1
      metric "$case" "$arm" median "$ntcp"
      metric "$case" "$arm" max "${ntcp}0"
    done <<<$'P01 12C 10\nP01 11C 2\nP01 12C-no-margin 4\nP01 11C-margin 8\nP01 11C-left-0.5 2\nP01 11C-left-1 4\nP01 11C-left-2 6
P01 11C-left-3.5 12\nP02 12C 20\nP02 11C 30'
  }
  goals() {
    echo study,case,arm,sweep,structure,quantity,metric,per,scenario,relation,limit,value,unit,met,each_relation,each_limit,each_unit
    for arm in 12C 11C; do
      share P01 $arm CTV D95 100
      share P02 $arm CTV D95 90
      for nerve in OpticNrv_R OpticNrv_L; do share P01 $arm $nerve D0.03cc 49 && share P02 $arm $nerve D0.03cc 50; done
    done
  }
  mkdir "$WORK/results"
  results >"$WORK/results/metrics.csv"
  goals >"$WORK/results/goals.csv"
  ask "$python" jobs/range-margins-head/table.py "$WORK/results" -o "$WORK"
  check "tables of margins" ended 0
  check "with the plans that there are" told '^Plans of 15 patients: 12C 2, 11C 2, 12C-no-margin 1,'
  check "targets that miss 95/95/95" told '^\| 12C \| 2 \| 90 \| P02 \(90\) \|$'
  check "nerves over their limit in more than half of the scenarios" told '^\| 12C \| 8 of 15 \| 1 of 2 \|$'
  check "medians over the pairs" told '^\| NTCP right, median .* \| 2 \| 15 \| 16 \| 1 of 2 \| - \|$'
  check "relative risks" told '^\| P02 \| 1; 1.5 \| - \|$'
  check "the margin's part of the gain" told '^\| NTCP right, median .* \| 1 \| 10 \| 4 \| 8 \| 2 \| 75 \|$'
  check "what is kept under errors that are left" told \
    '^\| NTCP right, median .* \| 1 \| 10 \| 2 \(100\) \| 2 \(100\) \| 4 \(75\) \| 6 \(50\) \| 12 \(-25\) \|$'
  for picture in nerves left; do check "picture $picture" test -s "$WORK/$picture.png"; done
else
  skip "tables of margins" "no python3 with numpy, h5py and matplotlib here"
fi
