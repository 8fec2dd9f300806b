#!/usr/bin/env bash
# Plans as DICOM: `robion export dicom`, read by others and by robion itself, and `robion evaluate RN.dcm`.
# timeout: 600
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
BOX=tests/studies/e2e-box.yaml
if "$ROBION" info | grep -q '^dicom .*missing in this build'; then
  check "a build without DCMTK says what is missing" expect_text 'dicom: missing in this build: DCMTK' \
    "$ROBION" export dicom no.h5
  skip "plans as DICOM" "robion was built without DCMTK"
  exit
fi

# --- Out: one plan with range shifter, ripple filter and couch, of a phantom -----------------------------------------------
settings=(--set 'beams=[{gantry_deg: 0}, {gantry_deg: 90, couch_deg: 20, range_shifter: {thickness_mm: 10, to_isocentre_mm: 120}}]'
  --set machine.ripple_thickness_mm=1 --set machine.range_step_mm=8 --set prescription.fractions=5 --set optimizer.max_iterations=3 --set results.beam_doses=physical)
check "a plan" "$ROBION" run "$BOX" --results "$WORK/run" "${settings[@]}"
plan=$WORK/run/cases/box/plan/plan.h5
set=$WORK/set
check "its export" "$ROBION" export dicom "$plan" -o "$set" --letd
check "a plan, structures, seven doses and the CT" test "$(cd "$set" && ls RN.dcm RS.dcm RD_*.dcm CT_*.dcm | wc -l)" = 35
check "the same again" "$ROBION" export dicom "$plan" -o "$WORK/again" --letd
check "is the same, byte for byte" diff -r "$set" "$WORK/again"
check "LETd is for who asks" "$ROBION" export dicom "$plan" -o "$WORK/plain"
check "only" test ! -e "$WORK/plain/RD_letd.dcm" -a -e "$WORK/plain/RD_lowest.dcm"
check "other formats have no LETd of their own" expect_exit 2 "$ROBION" export nrrd "$plan" --letd
check "a phantom has no case file" expect_text '^robion: --case .*: the plan is of a phantom' "$ROBION" export dicom "$plan" --case a.h5 -o "$WORK/x"
mkdir "$WORK/links"
for name in RN.dcm RS.dcm.tmp RD_physical.dcm.tmp CT_0001.dcm.tmp; do
  echo "not ours" >"$WORK/links/$name.victim"
  ln -s "$WORK/links/$name.victim" "$WORK/links/$name"
done
check "links that others have put there" "$ROBION" export dicom "$plan" -o "$WORK/links" --letd
check "are not followed" test "$(cat "$WORK"/links/*.victim | grep -c '^not ours$')" = 4
rm "$WORK"/links/*.victim
check "and go" diff -r "$set" "$WORK/links"
check "an unwritable place" expect_exit 5 "$ROBION" export dicom "$plan" -o /dev/null/x
check "a file that is no plan" expect_exit 4 "$ROBION" export dicom "$BOX" -o "$WORK/x"

if command -v dciodvfy >/dev/null; then
  sound() { # FILE...: no error but one that its authors report for every modulated plan, clinical ones too
    local file errors
    for file; do
      errors=$(dciodvfy "$file" 2>&1 | grep '^Error' | grep -v 'Missing attribute Type 1C Conditional Element=<ModulatedScanModeType>')
      [ -z "$errors" ] || { echo "$file: $errors" && return 1; }
    done
  }
  check "dciodvfy finds no error" sound "$set"/R*.dcm "$set/CT_0001.dcm" "$set/CT_0026.dcm"
else
  skip "dciodvfy finds no error" "dicom3tools are not here"
fi
python=$(python_with 'h5py, numpy, pydicom')
if [ -n "$python" ]; then
  dicom_set() { "$python" tests/support/dicom_set.py "$@"; }
  check "pydicom reads the plan back" dicom_set plan "$plan" "$set/RN.dcm"
  check "and the doses" dicom_set doses "$plan" "$set"
  check "and those of the beams" dicom_set beams "$plan" "$set"
else
  skip "the set read back" "no Python with h5py and pydicom here"
fi

# --- Back: the plan recalculated, the patient imported ---------------------------------------------------------------------
again() { # PLAN OPTION...: under the plan's study
  local file=$1
  shift
  "$ROBION" evaluate "$file" "$BOX" -o "$WORK/out.h5" "${settings[@]}" "$@"
}
check "the ion plan recalculated" again "$set/RN.dcm"
check "the CT and structures imported" "$ROBION" import dicom "$set" -o "$WORK/case.h5"
check "on two ranks" mpi 2 "$ROBION" evaluate "$set/RN.dcm" "$BOX" -o "$WORK/two.h5" "${settings[@]}"
check "the same doses of beams" h5diff "$WORK/out.h5" "$WORK/two.h5" /dose/beams
check "which are volumes of their own" "$ROBION" export nrrd "$plan" --volume beams/beam_1 -o "$WORK/beam.nrrd"
if [ -n "$python" ]; then
  check "spots of one beam" dicom_set alone "$plan" 1 "$WORK/only.h5"
  check "alone" "$ROBION" evaluate "$WORK/only.h5" "$BOX" -o "$WORK/alone.h5" "${settings[@]}"
  check "make its dose" dicom_set same_dose "$WORK/alone.h5" dose/nominal/physical "$plan" dose/beams/beam_1
  check "gives the plan's metrics" dicom_set metrics "$WORK/run/cases/box/plan/metrics.csv" "$WORK/out.metrics.csv" 1e-6
  check "the phantom" "$ROBION" phantom water-box -o "$WORK/box.h5" --size-mm '80, 80, 80' --ct-spacing-mm 4 --target-mm '24, 24, 24'
  check "is the case that was imported" dicom_set cases "$WORK/box.h5" "$WORK/case.h5"
fi

# --- RT Dose as reference of a gamma analysis ---------------------------------------------------------------------------------
passes='100\.00 % of [1-9][0-9]* voxels pass; gamma: mean 0\.00[0-9], highest 0\.0'
for kind in rbe_weighted physical; do
  ask again "$set/RN.dcm" --gamma "$set/RD_$kind.dcm"
  check "$kind dose agrees with its RT Dose" told "^$kind +$passes"
  check "whose five fractions are told: $kind" told 'RD_.*\.dcm \((EFFECTIVE|PHYSICAL), GY, PLAN: of all fractions, divided by 5\), evaluated'
done
ask again "$set/RN.dcm" --gamma "$set/RD_physical.dcm" --set prescription.fractions=6
check "another number of fractions" ended 0
check "is another dose" expect_exit 1 told "^physical +100\.00 %"
two_ranks() { mpi 2 "$ROBION" evaluate "$set/RN.dcm" "$BOX" -o "$WORK/out.h5" "${settings[@]}" --gamma "$set/RD_physical.dcm"; }
check "the same on two ranks" expect_text "^physical +$passes" two_ranks
check "one dose of a folder has to be meant" expect_text '7 RT Doses found, expected one: give its file: RD_.*, RD_rbe_weighted\.dcm' again "$set/RN.dcm" --gamma "$set"
again_of_doses() { mkdir -p "$WORK/none" && cp "$set/RD_physical.dcm" "$WORK/none" && again "$WORK/none"; }
check "the plan of a folder is found" expect_text "^physical +$passes" again "$set" --gamma "$set/RD_physical.dcm"
mkdir "$WORK/plans" && cp "$set/RN.dcm" "$WORK/plans/one.dcm" && cp "$set/RN.dcm" "$WORK/plans/two.dcm"
check "one of several has to be meant" expect_text 'plans: 2 RT Plans found, expected one: give its file: one\.dcm, two\.dcm$' again "$WORK/plans"
many() { mkdir -p "$WORK/many" && for n in 1 2 3 4 5 6 7 8 9 10; do cp "$set/RN.dcm" "$WORK/many/p$((n + 10))" || return; done; again "$WORK/many"; }
check "the first of many are named" expect_text 'many: 10 RT Plans found, .*: p11, .*, p18, \.\.\.$' many
check "none is told" expect_text 'none: 0 RT Plans found, expected one: give its file$' again_of_doses
cp "$set/RN.dcm" "$WORK/RN.1.2.3"
cp "$set/RD_physical.dcm" "$WORK/RD.1.2.3"
check "files without an ending are known by how they begin" expect_text "^physical +$passes" again "$WORK/RN.1.2.3" --gamma "$WORK/RD.1.2.3"
check "LETd is no dose" expect_text 'RD_letd\.dcm: DoseUnits is RELATIVE, expected GY' again "$set/RN.dcm" --gamma "$set/RD_letd.dcm"
check "a plan is no dose" expect_exit 4 again "$set/RN.dcm" --gamma "$set/RN.dcm"
if [ -n "$python" ]; then
  changed() { # TYPE OF SUM NAME=VALUE...: the RBE-weighted dose as another
    dicom_set change "$set/RD_rbe_weighted.dcm" "$WORK/changed.dcm" "DoseSummationType=$1" "${@:2}" &&
      again "$set/RN.dcm" --gamma "$WORK/changed.dcm"
  }
  step=$("$python" -c 'import pydicom, sys; print(f"{float(pydicom.dcmread(sys.argv[1]).DoseGridScaling) / 5:.10g}")' "$set/RD_rbe_weighted.dcm")
  check "the dose of one fraction" expect_text "^rbe_weighted +$passes" changed FRACTION "DoseGridScaling=$step"
  check "of several plans" expect_text "^rbe_weighted +$passes" changed MULTI_PLAN
  check "of a beam: refused" expect_text 'DoseSummationType is BEAM, expected PLAN, MULTI_PLAN or FRACTION' changed BEAM
  check "of none: refused" expect_text 'DoseSummationType is missing, expected' changed ''
  check "an error is no dose" expect_text 'is a dose of type ERROR in GY, expected EFFECTIVE or PHYSICAL' changed PLAN DoseType=ERROR
fi

# --- A case from DICOM: its own images, UIDs and contours go out again -------------------------------------------------------
sed -e "s|{phantom: water-box.*}|{file: $WORK/case.h5, name: box}|" "$BOX" >"$WORK/study.yaml"
check "a plan for it" "$ROBION" run "$WORK/study.yaml" --results "$WORK/own" --set optimizer.max_iterations=1
own=$WORK/own/cases/box/plan/plan.h5
check "its export" "$ROBION" export dicom "$own" -o "$WORK/back"
if [ -n "$python" ]; then
  strange() {
    dicom_set change "$WORK/back/RD_physical.dcm" "$WORK/strange.dcm" FrameOfReferenceUID=2.25.1 || return
      "$ROBION" evaluate "$own" "$WORK/study.yaml" -o "$WORK/out.h5" --gamma "$WORK/strange.dcm"
  }
  other_ct() {
    dicom_set change "$WORK/back/RN.dcm" "$WORK/other-ct.dcm" FrameOfReferenceUID=2.25.1 || return
    "$ROBION" evaluate "$WORK/other-ct.dcm" "$WORK/study.yaml" -o "$WORK/out.h5"
  }
  check "a plan for another CT is refused" expect_text 'other-ct.dcm: is of another CT: its frame of reference is not that of .*case.h5' other_ct
  check "as a mistake of the input" expect_exit 4 other_ct
  check "that for its own is not" "$ROBION" evaluate "$WORK/back/RN.dcm" "$WORK/study.yaml" -o "$WORK/out.h5"
  check "a dose of another frame of reference is refused" expect_text 'is of another CT: its frame of reference is not that of' strange
fi
check "beams have no doses unless they are asked for" test -z "$(find "$WORK/back" -name '*beam*')"
check "has no images of its own" test ! -e "$WORK/back/CT_0001.dcm"
cp "$set"/CT_*.dcm "$WORK/back"
check "and fits to those it came from" "$ROBION" import dicom "$WORK/back" -o "$WORK/case2.h5"
mv "$WORK/case.h5" "$WORK/moved.h5"
check "a case file that is elsewhere now" expect_exit 4 "$ROBION" export dicom "$own" -o "$WORK/x"
check "can be named" "$ROBION" export dicom "$own" -o "$WORK/back2" --case "$WORK/moved.h5"
cp "$WORK/box.h5" "$WORK/case.h5"
check "one with another content is refused" expect_text 'has another content than when the plan was made' "$ROBION" export dicom "$own" -o "$WORK/x"
if [ -n "$python" ]; then
  check "structures are the same after import, export, import" dicom_set cases "$WORK/moved.h5" "$WORK/case2.h5"
  contours() { dcmdump +P ContourData +P ReferencedROINumber +P ROIName "$1/RS.dcm"; }
  check "contours are the original ones" test "$(contours "$set")" = "$(contours "$WORK/back")"
fi

# --- Plans of others ---------------------------------------------------------------------------------------------------------
if [ -n "$python" ]; then
  variant() { # KIND OPTION...
    local kind=$1
    shift
    dicom_set vary "$set/RN.dcm" "$kind" "$WORK/$kind.dcm" && again "$WORK/$kind.dcm" "$@"
  }
  check "a plan as others write it" variant other
  check "has the same doses" dicom_set metrics "$WORK/run/cases/box/plan/metrics.csv" "$WORK/out.metrics.csv" 1e-6
  printf 'energy_MeV_u,ions_per_MU\n50,10000\n100,10000\n400,10000\n' >"$WORK/ions.csv"
  check "monitor units with a table" variant mu --ions-per-mu "$WORK/ions.csv"
  check "are ions" dicom_set metrics "$WORK/run/cases/box/plan/metrics.csv" "$WORK/out.metrics.csv" 1e-6
  check "without one they are refused" expect_text 'counts monitor units, expected ions .NP.: evaluate takes a table' variant mu
  printf 'energy_MeV_u,ions_per_MU\n50,10000\n100,10000\n' >"$WORK/short.csv"
  check "a table must reach as far as the plan" expect_text 'has no ions per MU at' variant mu --ions-per-mu "$WORK/short.csv"
  check "ions need none" expect_exit 2 again "$set/RN.dcm" --ions-per-mu "$WORK/ions.csv"
  while read -r kind text; do
    ask variant "$kind"
    check "refused: $kind" told "$text"
    check "as a mistake of the input: $kind" ended 4
  done <<'KINDS'
proton beam 1: RadiationType is PROTON, expected ION
helium a plan of 4He, expected 12C
uniform beam 2: ScanMode is UNIFORM, expected MODULATED
photons is an object of SOP class 1\.2\.840\.10008\.5\.1\.4\.1\.1\.481\.5, expected an RT Ion Plan
groups 2 fraction groups, expected one
sums beam 1: weights add up to
lengths beam 1: ScanSpotPositionMap has [0-9]+ numbers, expected
no-energy beam 1: NominalBeamEnergy is missing
no-meterset beam 2: the fraction group gives it no BeamMeterset
shifter beam 1: the range shifter changes from 30 to 20 mm
tilted beam 1: the table is tilted .pitch 3, roll 0 deg.
far-energy 5000
KINDS
fi
check "a beam elsewhere is told as a study would have it" \
  expect_text 'beam 1 of the study lies elsewhere than the plan.s, expected .gantry_deg: 90, couch_deg: 20, isocentre_mm: \[0, 0, 0\], range_shifter: .thickness_mm: 10, to_isocentre_mm: 120' \
  again "$set/RN.dcm" --set beams.1.couch_deg=0
check "another position of the patient" expect_text 'the patient lies HFS, expected FFS' again "$set/RN.dcm" --set patient_position=FFS
check "a beam less" expect_text '2 beams, expected 1' "$ROBION" evaluate "$set/RN.dcm" "$BOX" -o "$WORK/out.h5" --set 'beams=[{gantry_deg: 0}]'
head -c 3000 "$set/RN.dcm" >"$WORK/cut.dcm"
check "a file that is cut off" expect_exit 4 again "$WORK/cut.dcm"
check "a dose is no plan" expect_text 'expected an RT Ion Plan' again "$set/RD_letd.dcm"

# --- A course in stages: a plan each ------------------------------------------------------------------------------------------
check "a course" "$ROBION" run tests/studies/e2e-stages.yaml --results "$WORK/course" --set optimizer.max_iterations=1 --set results.beam_doses=physical
course=$(find "$WORK/course" -name plan.h5 | sort | head -n 1)
check "its export" "$ROBION" export dicom "$course" -o "$WORK/stages"
check "a plan for each stage" test "$(cd "$WORK/stages" && ls RN_*.dcm | wc -l)" = 2
[ -z "$python" ] || check "whose doses are of both" dicom_set doses "$course" "$WORK/stages"
[ -z "$python" ] || check "those of beams of theirs" dicom_set beams "$course" "$WORK/stages"
of_course() { "$ROBION" evaluate "$course" tests/studies/e2e-stages.yaml -o "$WORK/out.h5" --gamma "$1"; }
check "which can be compared with" expect_text "^physical +$passes" of_course "$WORK/stages/RD_physical.dcm"
if [ -n "$python" ]; then
  check "a dose of one plan" dicom_set change "$WORK/stages/RD_physical.dcm" "$WORK/one.dcm" DoseSummationType=PLAN
  check "is not that of a course" expect_text 'is of one plan .*: the study.s course has 2 stages' of_course "$WORK/one.dcm"
fi

one_stage() { # STAGE OPTION...
  "$ROBION" evaluate "$WORK/stages/RN_$1.dcm" tests/studies/e2e-stages.yaml -o "$WORK/stage.h5" --arm "$(basename "$(dirname "$course")")" "${@:2}"
}
check "the plan of a stage is not that of the course" expect_text '2 beams, expected 3 .*--stage NAME' one_stage wide
for stage in wide boost; do
  check "but can be evaluated alone: $stage" one_stage "$stage" --stage "$stage"
  [ -z "$python" ] || check "with its own dose: $stage" dicom_set stage "$course" "$stage" "$WORK/stage.h5"
done
check "another stage's beams lie elsewhere" expect_exit 4 one_stage wide --stage boost
check "a stage that is not there" expect_text '--stage bost: the study has no stage of that name.*boost' one_stage boost --stage bost
check "is a mistake of the command" expect_exit 2 one_stage boost --stage bost
check "as is one of a study without" expect_exit 2 again "$set/RN.dcm" --stage boost
