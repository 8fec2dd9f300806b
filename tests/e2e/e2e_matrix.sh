#!/usr/bin/env bash
# `robion matrix`: what a reader in Python makes of the file must be the doses of the plan.
# timeout: 120
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
BOX=tests/studies/e2e-box.yaml

check "a plan" "$ROBION" run "$BOX" --results "$WORK/run" --set optimizer.max_iterations=3
plan=$WORK/run/cases/box/plan/plan.h5
few=(--set robust=composite --set 'scenarios.optimize={range_percent: [-3.5, 3.5], setup: list, shifts_mm: [[0, 0, 0], [3, 0, -2]]}')
check "the matrix of its spots" "$ROBION" matrix "$BOX" --plan "$plan" "${few[@]}" -o "$WORK/matrix.h5"
check "the same on two ranks" mpi 2 "$ROBION" matrix "$BOX" --plan "$plan" "${few[@]}" -o "$WORK/again.h5"
check "byte by byte" cmp "$WORK/matrix.h5" "$WORK/again.h5"
check "without a plan: the spots that a run would lay out" "$ROBION" matrix "$BOX" -o "$WORK/laid.h5"
check "sub-beams have no matrix" expect_exit 3 "$ROBION" matrix "$BOX" -o "$WORK/no.h5" --set spots.splitting=coarse
check "and leave no file" test ! -e "$WORK/no.h5"

python=''
for candidate in "${PYTHON:-python3}" python3 /usr/bin/python3; do
  [ -n "$python" ] || ! "$candidate" -c 'import h5py, numpy' 2>/dev/null || python=$candidate
done
if [ -n "$python" ]; then
  read_it() {
    "$python" - "$WORK/matrix.h5" "$plan" <<'PYTHON'
import sys
import h5py
import numpy as np

with h5py.File(sys.argv[1]) as f, h5py.File(sys.argv[2]) as plan:
    n = len(f["voxels/index"])
    assert f["scenario_0"].attrs["id"] in (b"nominal", "nominal") and sum(k.startswith("scenario") for k in f) == 5
    total = {name: np.zeros(n) for name in ("dose", "alpha_dose", "sqrt_beta_dose")}
    for b in range(2):
        matrix, particles = f["scenario_0/beam_%d" % b], plan["plan/beam_%d/particles" % b][:]
        indptr, indices = matrix["indptr"][:], matrix["indices"][:]
        assert len(indptr) == len(particles) + 1 and (f["spots/beam"][:] == b).sum() == len(particles)
        for j in range(len(particles)):
            assert (np.diff(indices[indptr[j] : indptr[j + 1]]) > 0).all()
        weights = np.repeat(particles, np.diff(indptr))
        for name in total:
            total[name] += np.bincount(indices, weights * matrix[name][:], n)
    alpha_x, beta_x = f["tissues/alpha_x"][0], f["tissues/beta_x"][0]
    effect = total["alpha_dose"] + total["sqrt_beta_dose"] ** 2
    weighted = (np.sqrt(alpha_x**2 + 4 * beta_x * effect) - alpha_x) / (2 * beta_x)
    for name, mine in (("physical", total["dose"]), ("rbe_weighted", weighted)):
        theirs = plan["dose/nominal/" + name][:].ravel()[f["voxels/index"][:]]
        worst = abs(mine - theirs).max() / theirs.max()
        print("%s: %d voxels, largest difference %.3f %% of the maximum" % (name, n, 100 * worst))
        assert worst < 4e-3  # 0.2 % of a spot's dose are cut off in the matrix, 0.2 % the plan's doses may be off
PYTHON
  }
  check "weights times matrix are the plan's doses" read_it
  read_it | sed 's/^/# /'
  check "a plan whose beta is averaged itself" "$ROBION" evaluate "$plan" "$BOX" --set biology.averaging=beta -o "$WORK/beta.h5"
  check "and its matrix" "$ROBION" matrix "$BOX" --plan "$plan" --set biology.averaging=beta -o "$WORK/beta-matrix.h5"
  read_beta() {
    "$python" - "$WORK/beta-matrix.h5" "$WORK/beta.h5" "$WORK/matrix.h5" <<'PYTHON'
import sys
import h5py
import numpy as np

with h5py.File(sys.argv[1]) as f, h5py.File(sys.argv[2]) as plan, h5py.File(sys.argv[3]) as other:
    group, roots = f["scenario_0/beam_0"], other["scenario_0/beam_0"]
    assert set(group) == {"indptr", "indices", "dose", "alpha_dose", "beta_dose", "let_dose"}
    assert set(roots) == {"indptr", "indices", "dose", "alpha_dose", "sqrt_beta_dose", "let_dose"}
    assert group["beta_dose"].attrs["unit"] in (b"1/Gy", "1/Gy") and roots["sqrt_beta_dose"].attrs["unit"] in (b"1", "1")
    n = len(f["voxels/index"])
    total = {name: np.zeros(n) for name in ("dose", "alpha_dose", "beta_dose")}
    for b in range(2):
        matrix, particles = f["scenario_0/beam_%d" % b], plan["plan/beam_%d/particles" % b][:]
        weights = np.repeat(particles, np.diff(matrix["indptr"][:]))
        for name in total:
            total[name] += np.bincount(matrix["indices"][:], weights * matrix[name][:], n)
    alpha_x, beta_x = f["tissues/alpha_x"][0], f["tissues/beta_x"][0]
    effect = total["alpha_dose"] + total["beta_dose"] * total["dose"]
    mine = (np.sqrt(alpha_x**2 + 4 * beta_x * effect) - alpha_x) / (2 * beta_x)
    theirs = plan["dose/nominal/rbe_weighted"][:].ravel()[f["voxels/index"][:]]
    assert abs(mine - theirs).max() < 4e-3 * theirs.max()
PYTHON
  }
  check "which says beta_dose, and gives the RBE-weighted doses by it" read_beta
else
  skip "weights times matrix" "no python3 with numpy and h5py here"
fi
