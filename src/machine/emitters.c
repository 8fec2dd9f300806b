/*
 * Positron emitters that a beam makes in water, and where they come to rest.
 */
#include "machine_private.h"
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_interp.h>

const Species emitters[EMITTERS] = {{6, 11}, {6, 10}, {8, 15}, {7, 13}};
const double emitter_half_life_s[EMITTERS] = {20.36 * 60, 19.3, 122.2, 9.97 * 60}; /* ENSDF */

int LateralComponentOf(Species p, Species s)
{
  if (s.Z == p.Z && s.A == p.A) return LATERAL_PRIMARIES;
  return s.Z >= 3 ? LATERAL_HEAVY : LATERAL_LIGHT;
}

int EmitterOf(Species s)
{
  for (int m = 0; m < EMITTERS; m++)
    if (emitters[m].Z == s.Z && emitters[m].A == s.A) return m;
  return -1;
}

void DepthCell(PetscInt n_depth, const double *depth_mm, PetscInt d, double *from_mm, double *to_mm)
{
  *from_mm = d > 0 ? 0.5 * (depth_mm[d - 1] + depth_mm[d]) : depth_mm[d];
  *to_mm = d + 1 < n_depth ? 0.5 * (depth_mm[d] + depth_mm[d + 1]) : depth_mm[d];
}

PetscErrorCode DepthDensity(PetscInt n_step, double step_mm, const double *count, PetscInt n_depth,
                            const double *depth_mm, double *per_mm)
{
  PetscFunctionBegin;
  double *edge, *sum; /* counts up to a depth */
  PetscInt n = PetscMax(n_step, 2);
  PetscCall(PetscCalloc2(n + 1, &edge, n + 1, &sum));
  for (PetscInt k = 0; k < n; k++) {
    edge[k + 1] = (double)(k + 1) * step_mm;
    sum[k + 1] = sum[k] + (k < n_step ? count[k] : 0);
  }
  gsl_interp *smooth = gsl_interp_alloc(gsl_interp_steffen, (size_t)n + 1); /* monotone: no negative densities */
  gsl_interp_init(smooth, edge, sum, (size_t)n + 1);
  for (PetscInt d = 0; d < n_depth; d++) {
    double from, to;
    DepthCell(n_depth, depth_mm, d, &from, &to);
    per_mm[d] = to > from
                    ? (gsl_interp_eval(smooth, edge, sum, to, NULL) - gsl_interp_eval(smooth, edge, sum, from, NULL)) /
                          (to - from)
                    : gsl_interp_eval_deriv(smooth, edge, sum, from, NULL);
  }
  gsl_interp_free(smooth);
  PetscCall(PetscFree2(edge, sum));
  PetscFunctionReturn(0);
}
