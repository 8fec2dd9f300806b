/* Composition and density of tissue by HU, and their means over the voxels of another grid. */
#include "robion/composition.h"
#include "overlap_private.h"

const char *const composition_names[] = {"tissue", "water", "pmma"};
const PetscInt n_composition_names = PETSC_STATIC_ARRAY_LENGTH(composition_names);

#define AVOGADRO_1E22 60.2214076 /* per mol */
#define AIR_HU (-1000)

static const double molar_mass_g[N_NUCLEI] = {12.011, 14.007, 15.999};

/* Mass shares of C, N and O from a HU on (Schneider, Bortfeld, Schlegel, PMB 45:459, 2000, as distributed with TOPAS). */
static const struct {
  double from_hu, share[N_NUCLEI];
} composition_section[] = {{-1000, {0, 0.755, 0.232}},    {-952, {0.105, 0.031, 0.749}}, {-98, {0.681, 0.002, 0.198}},
                           {-69, {0.567, 0.009, 0.308}},  {-42, {0.458, 0.015, 0.411}},  {-15, {0.356, 0.022, 0.509}},
                           {13, {0.284, 0.026, 0.578}},   {20, {0.134, 0.03, 0.723}},    {88, {0.207, 0.062, 0.622}},
                           {112, {0.455, 0.025, 0.355}},  {202, {0.423, 0.027, 0.363}},  {278, {0.391, 0.029, 0.372}},
                           {355, {0.361, 0.03, 0.38}},    {433, {0.335, 0.032, 0.387}},  {510, {0.31, 0.033, 0.394}},
                           {588, {0.287, 0.035, 0.4}},    {665, {0.265, 0.036, 0.405}},  {743, {0.246, 0.037, 0.411}},
                           {819, {0.227, 0.038, 0.416}},  {898, {0.21, 0.039, 0.42}},    {976, {0.194, 0.04, 0.425}},
                           {1052, {0.179, 0.041, 0.429}}, {1130, {0.165, 0.042, 0.432}}, {1208, {0.155, 0.042, 0.435}}};

/* Density, g/cm3, from a HU on: offset + slope (HU + shift); the same source. */
static const struct {
  double from_hu, offset, slope, shift_hu;
} density_section[] = {{-1000, 0.00121, 0.001012, 1000},
                       {-82, 0.93, 0.00098, 82},
                       {20, 1.03, 0, 0},
                       {24, 1.03, 0.001169, -24},
                       {101, 1.12, 0.000711, -101}};

Matter MatterOfHU(double hu)
{
  Matter matter = {0};
  size_t c = 0, d = 0;
  hu = PetscMax(hu, AIR_HU);
  while (c + 1 < PETSC_STATIC_ARRAY_LENGTH(composition_section) && composition_section[c + 1].from_hu <= hu) c++;
  while (d + 1 < PETSC_STATIC_ARRAY_LENGTH(density_section) && density_section[d + 1].from_hu <= hu) d++;
  matter.density_g_cm3 = density_section[d].offset + density_section[d].slope * (hu + density_section[d].shift_hu);
  for (int k = 0; k < N_NUCLEI; k++)
    matter.nuclei_1e22_cm3[k] =
        matter.density_g_cm3 * composition_section[c].share[k] * AVOGADRO_1E22 / molar_mass_g[k];
  return matter;
}

/* One material of a stopping power: water, or C5H8O2 of 1.19 g/cm3 and 1.165. */
static Matter MatterOfRSP(Composition composition, double rsp)
{
  const double share = composition == COMPOSITION_PMMA ? rsp / 1.165 : rsp;
  if (composition == COMPOSITION_PMMA)
    return (Matter){.density_g_cm3 = 1.19 * share, .nuclei_1e22_cm3 = {3.579 * share, 0, 1.432 * share}};
  return (Matter){.density_g_cm3 = share, .nuclei_1e22_cm3 = {0, 0, 3.343 * share}};
}

/* A voxel of the CT, or air for v < 0. */
static Matter MatterOfVoxel(const Case *patient, Composition composition, PetscInt v)
{
  const double rsp = v < 0 ? RSP_AIR : (double)patient->rsp[v];
  const double hu = rsp > RSP_AIR * (1 + 1e-6) && patient->hu ? patient->hu[v] : AIR_HU;
  Matter matter = composition == COMPOSITION_TISSUE ? MatterOfHU(hu) : MatterOfRSP(composition, rsp);
  matter.rsp = rsp;
  matter.hu = hu;
  return matter;
}

static void MatterAdd(Matter *sum, double weight, const Matter *one)
{
  sum->density_g_cm3 += weight * one->density_g_cm3;
  sum->rsp += weight * one->rsp;
  sum->hu += weight * one->hu;
  for (int k = 0; k < N_NUCLEI; k++) sum->nuclei_1e22_cm3[k] += weight * one->nuclei_1e22_cm3[k];
}

/* Mean over the CT's voxels that overlap one of the grid; size: of that one, in voxels of the CT. */
static Matter MeanOf(const Case *patient, Composition composition, const Overlap overlap[3], const double size[3],
                     const PetscInt at[3])
{
  Matter sum = {0};
  const Matter air = MatterOfVoxel(patient, composition, -1);
  const Grid *ct = &patient->ct;
  const double *share[3];
  PetscInt first[3], n[3];
  double inside = 0, whole = 1; /* of the voxel, in voxels of the CT */
  for (int k = 0; k < 3; k++) {
    whole *= size[k];
    first[k] = overlap[k].first[at[k]];
    n[k] = overlap[k].n[at[k]];
    share[k] = overlap[k].share + (size_t)at[k] * (size_t)overlap[k].width;
  }
  for (PetscInt c = 0; c < n[2]; c++)
    for (PetscInt b = 0; b < n[1]; b++)
      for (PetscInt a = 0; a < n[0]; a++) {
        const double weight = share[2][c] * share[1][b] * share[0][a];
        const size_t v = GridIndex(ct, first[0] + a, first[1] + b, first[2] + c);
        const Matter one = MatterOfVoxel(patient, composition, (PetscInt)v);
        MatterAdd(&sum, weight / whole, &one);
        inside += weight / whole;
      }
  MatterAdd(&sum, PetscMax(0.0, 1 - inside), &air);
  return sum;
}

PetscErrorCode CaseMatter(const Case *patient, Composition composition, const Grid *grid, PetscInt n,
                          const PetscInt *voxel, Matter *matter)
{
  PetscFunctionBegin;
  Overlap overlap[3];
  double size[3];
  for (int k = 0; k < 3; k++) {
    PetscCall(OverlapCreate(grid, &patient->ct, k, &overlap[k]));
    size[k] = grid->spacing_mm[k] / patient->ct.spacing_mm[k];
  }
  for (PetscInt i = 0; i < n; i++) {
    const PetscInt v = voxel[i], nx = grid->n[0], ny = grid->n[1];
    matter[i] = MeanOf(patient, composition, overlap, size, (PetscInt[]){v % nx, v / nx % ny, v / nx / ny});
  }
  for (int k = 0; k < 3; k++) PetscCall(OverlapDestroy(&overlap[k]));
  PetscFunctionReturn(0);
}
