/*
 * Breathing: a CT of each phase, and a displacement that says where in it a voxel of the planning CT lies. Doses are computed at
 * voxels of the planning CT: seen in a phase they lie where the displacement moves them, and rays meet the CT of that phase.
 */
#include "robion/case.h"
#include <math.h>

static const double LEAST_DETERMINANT =
    0.05; /* of the derivative: tissue that is pressed to a twentieth of its volume */

const Case *CaseInPhase(const Case *patient, PetscInt phase, Case *there)
{
  if (!phase) return patient;
  *there = *patient;
  there->hu = patient->phases[phase - 1].hu;
  there->rsp = patient->phases[phase - 1].rsp;
  return there;
}

void CasePlaceInPhase(const Case *patient, PetscInt phase, const double point_mm[3], double there_mm[3])
{
  size_t voxel[8];
  double weight[8];
  for (int k = 0; k < 3; k++) there_mm[k] = point_mm[k];
  if (!phase) return;
  GridCorners(&patient->ct, point_mm, voxel, weight);
  const float *displacement_mm = patient->phases[phase - 1].displacement_mm;
  for (int i = 0; i < 8; i++)
    for (int k = 0; k < 3; k++) there_mm[k] += weight[i] * (double)displacement_mm[3 * voxel[i] + (size_t)k];
}

/* Derivative of component c of a displacement along axis k at voxel i, between its neighbours. */
static double Derivative(const Grid *ct, const float *displacement_mm, const PetscInt i[3], int c, int k)
{
  const PetscInt low = PetscMax(i[k] - 1, 0), high = PetscMin(i[k] + 1, ct->n[k] - 1);
  size_t at[2];
  if (low == high) return 0;
  for (int side = 0; side < 2; side++) {
    PetscInt place[3] = {i[0], i[1], i[2]};
    place[k] = side ? high : low;
    at[side] = ((size_t)place[2] * (size_t)ct->n[1] + (size_t)place[1]) * (size_t)ct->n[0] + (size_t)place[0];
  }
  return ((double)displacement_mm[3 * at[1] + (size_t)c] - displacement_mm[3 * at[0] + (size_t)c]) /
         ((double)(high - low) * ct->spacing_mm[k]);
}

static double Determinant(const Grid *ct, const float *displacement_mm, size_t v)
{
  const size_t nx = (size_t)ct->n[0], ny = (size_t)ct->n[1];
  const PetscInt i[3] = {(PetscInt)(v % nx), (PetscInt)(v / nx % ny), (PetscInt)(v / nx / ny)};
  double d[3][3];
  for (int c = 0; c < 3; c++)
    for (int k = 0; k < 3; k++) d[c][k] = Derivative(ct, displacement_mm, i, c, k) + (c == k);
  return d[0][0] * (d[1][1] * d[2][2] - d[1][2] * d[2][1]) - d[0][1] * (d[1][0] * d[2][2] - d[1][2] * d[2][0]) +
         d[0][2] * (d[1][0] * d[2][1] - d[1][1] * d[2][0]);
}

PetscErrorCode CasePhaseCheck(const Grid *ct, const CasePhase *phase, const char *where, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const size_t n = GridSize(ct);
  size_t infinite = 0, beyond = 0, folded = 0;
  double farthest_mm = 0, least = 1;
  for (int k = 0; k < 3; k++) farthest_mm = PetscMax(farthest_mm, (double)ct->n[k] * ct->spacing_mm[k]);
  for (size_t i = 0; i < 3 * n; i++) {
    if (!isfinite(phase->displacement_mm[i])) infinite++;
    if (fabs((double)phase->displacement_mm[i]) > farthest_mm) beyond++;
  }
  if (infinite || beyond) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s/displacement_mm: %zu of %zu values are %s, expected at most %g mm, the length of the CT",
                          where, infinite ? infinite : beyond, 3 * n, infinite ? "not finite" : "larger", farthest_mm));
    PetscFunctionReturn(0);
  }
  for (size_t v = 0; v < n; v++) {
    const double determinant = Determinant(ct, phase->displacement_mm, v);
    least = PetscMin(least, determinant);
    folded += determinant < LEAST_DETERMINANT;
  }
  if (folded)
    PetscCall(
        MistakesAdd(mistakes, ROBION_INPUT,
                    "%s/displacement_mm: folds tissue at %zu of %zu voxels (determinant of its derivative down to "
                    "%.3g), expected a smooth field in mm, [z][y][x] of (x, y, z)",
                    where, folded, n, least));
  PetscFunctionReturn(0);
}
