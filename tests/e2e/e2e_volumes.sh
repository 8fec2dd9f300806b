#!/usr/bin/env bash
# `robion export nifti|nrrd|mha|xdmf`: the programs that these are for read the same grid and values.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
check "a plan on a grid of unequal axes" "$ROBION" run tests/studies/e2e-box.yaml --results "$WORK/run" --set optimizer.max_iterations=1 \
  --set 'cases=[{phantom: water-box, name: box, ct_spacing_mm: 4, size_mm: [88, 80, 72], target_mm: [24, 24, 24]}]'
plan=$WORK/run/cases/box/plan/plan.h5
for format in nifti:nii nrrd:nrrd mha:mha; do
  check "${format%:*}" "$ROBION" export "${format%:*}" "$plan" -o "$WORK/v.${format#*:}" --volume nominal/physical
done
check "xdmf" "$ROBION" export xdmf "$plan" -o "$WORK/run/cases/box/plan/plan.xdmf"

# read_by KIND WHAT MODULES FILE...: skipped where the reader is missing.
read_by() {
  local python
  python=$(python_with "h5py, numpy$3")
  if [ -z "$python" ]; then
    skip "$2" "no Python with h5py, numpy$3 here"
  else
    check "$2" "$python" tests/support/read_volumes.py "$1" "$plan" dose/nominal/physical "${@:4}"
  fi
}
read_by nibabel "nibabel reads the NIfTI" ', nibabel' "$WORK/v.nii"
read_by vtk "VTK reads the MetaImage" ', vtkmodules.vtkIOImage' "$WORK/v.mha"
read_by xdmf "the XDMF leads to the doses" '' "$WORK/run/cases/box/plan/plan.xdmf"
if command -v teem-unu >/dev/null; then
  check "teem takes the NRRD" teem-unu save -f nrrd -i "$WORK/v.nrrd" -o "$WORK/again.nhdr"
  read_by teem "and has its grid and voxels" '' "$WORK/again.nhdr" "$WORK/again.raw"
else
  skip "teem reads the NRRD" "teem-apps are not here"
fi
