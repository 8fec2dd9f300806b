/* Complication probability of a dose distribution. */
#include "robion/ntcp.h"
#include <math.h>
#include <string.h>

const NTCPSpec ntcp_sets[] = {
    {"mayo", "optic nerve", "optic neuropathy", 1 / 0.25, 0.14, 72},
    {"burman", "liver", "liver failure", 1 / 0.32, 0.15, 40},
    {"dawson", "liver", "radiation-induced liver disease, grade 3 and above", 1 / 0.97, 0.12, 39.8},
    {"el-naqa-1", "liver", "change of ALBI or Child-Pugh score", 1, 1.47, 24.3},
    {"el-naqa-2", "liver", "liver enzymes above 3 times normal", 1, 0.55, 52.6},
    {"pursley-1", "liver", "Child-Pugh score up by 2 and more", 0.06, 0.8, 19},
    {"pursley-2", "liver", "ALBI grade up by 1 and more", 0.5, 1.5, 32},
};
const PetscInt n_ntcp_sets = PETSC_STATIC_ARRAY_LENGTH(ntcp_sets);

const NTCPSpec *NTCPFind(const char *name)
{
  for (PetscInt i = 0; i < n_ntcp_sets; i++)
    if (!strcmp(name, ntcp_sets[i].name)) return &ntcp_sets[i];
  return NULL;
}

/* Relative to the highest dose, so that no power overflows. */
double GEUD_Gy(double a, PetscInt n, const double *share, const double *dose_Gy)
{
  double highest = 0, sum = 0;
  for (PetscInt i = 0; i < n; i++) highest = PetscMax(highest, dose_Gy[i]);
  if (highest == 0) return 0;
  for (PetscInt i = 0; i < n; i++) sum += share[i] * pow(dose_Gy[i] / highest, a);
  return highest * pow(sum, 1 / a);
}

double NTCP(const NTCPSpec *spec, double geud_Gy, double *slope)
{
  const double width_Gy = spec->m * spec->td50_Gy, t = (geud_Gy - spec->td50_Gy) / width_Gy;
  if (slope) *slope = exp(-0.5 * t * t) / (sqrt(2 * PETSC_PI) * width_Gy);
  return 0.5 * erfc(-t / sqrt(2));
}
