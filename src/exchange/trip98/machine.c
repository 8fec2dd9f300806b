/* Depth doses of TRiP98 -> Machine, and back. */
#include "robion/provenance.h"
#include "trip_private.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Spectra: bins as in built-in machines, equal in ln(E), with room above the beam's energy for fast light fragments. */
enum { ENERGY_BINS = 60 };
#define LOWEST_BIN_MEV_U 0.1
#define BIN_HEADROOM 1.5
#define MOST_NODES 1e7  /* of all energies together */
#define MOST_SHARES 5e8 /* 2 GB of dose shares */

static int CompareEnergies(const void *a, const void *b)
{
  const TripDepthDose *p = *(const TripDepthDose *const *)a, *q = *(const TripDepthDose *const *)b;
  return (p->energy_MeV_u > q->energy_MeV_u) - (p->energy_MeV_u < q->energy_MeV_u);
}

/* Nodes that a table needs: its own, and one at depth 0. */
static PetscInt NodesOf(const TripDepthDose *dose)
{
  return dose->n + (dose->depth[0].z_g_cm2 > 0 ? 1 : 0);
}

/* Depth doses fit together; false after one mistake. They are ordered by energy. */
static PetscBool CheckTogether(PetscInt n, const TripDepthDose *const *dose, const char *where, Mistakes *mistakes)
{
  for (PetscInt e = 0; e < n; e++) {
    const TripDepthDose *d = dose[e], *before = e ? dose[e - 1] : d;
    if (d->species.Z != before->species.Z || d->species.A != before->species.A) {
      (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: projectile %s at %g MeV/u, but %s at %g MeV/u, expected one",
                        where, d->projectile, d->energy_MeV_u, before->projectile, before->energy_MeV_u);
      return PETSC_FALSE;
    }
    if (e && d->energy_MeV_u == before->energy_MeV_u) {
      (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: two depth doses of %g MeV/u", where, d->energy_MeV_u);
      return PETSC_FALSE;
    }
  }
  return PETSC_TRUE;
}

/* Row i of a table of n nodes: the table's own rows, one before them at depth 0, and more on the line to the last one. */
static TripDepth NodeOf(const TripDepthDose *dose, PetscInt i, PetscInt n)
{
  PetscInt lead = NodesOf(dose) - dose->n, more = n - NodesOf(dose), own = i - lead;
  TripDepth node = dose->depth[PetscClipInterval(own, 0, dose->n - 1)];
  if (own < 0) node.z_g_cm2 = 0;
  if (own < dose->n - 1) return node;
  const TripDepth *a = &dose->depth[dose->n - 2], *b = a + 1;
  double t = (double)(own - dose->n + 2) / (double)(more + 1);
  if (t >= 1) return *b;
  return (TripDepth){(1 - t) * a->z_g_cm2 + t * b->z_g_cm2, (1 - t) * a->dose_MeV_cm2_g + t * b->dose_MeV_cm2_g,
                     (1 - t) * a->fwhm1_g_cm2 + t * b->fwhm1_g_cm2, (1 - t) * a->factor + t * b->factor,
                     (1 - t) * a->fwhm2_g_cm2 + t * b->fwhm2_g_cm2};
}

static void FillEnergy(Machine *m, PetscInt e, const TripDepthDose *dose, const TripMachineSpec *spec)
{
  m->energy_MeV_u[e] = dose->energy_MeV_u;
  m->csda_range_mm[e] = CSDARange_mm(m->Z, m->A, dose->energy_MeV_u);
  m->spot_sigma_mm[e] = spec->spot_fwhm_mm / FWHM_PER_SIGMA;
  for (PetscInt i = 0; i < m->n_depth; i++) {
    TripDepth node = NodeOf(dose, i, m->n_depth);
    PetscInt d = e * m->n_depth + i, k0 = e * m->n_component * m->n_depth + i, k1 = k0 + m->n_depth;
    m->depth_mm[d] = node.z_g_cm2 * MM_PER_G_CM2;
    m->idd_Gy_mm2[d] = node.dose_MeV_cm2_g * GY_MM2_PER_MEV_CM2_G;
    m->sigma_mm[k0] = node.fwhm1_g_cm2 * MM_PER_G_CM2 / FWHM_PER_SIGMA;
    m->component[k0] = m->n_component == 2 ? 1 - node.factor : 1;
    if (m->n_component < 2) continue;
    m->sigma_mm[k1] = node.fwhm2_g_cm2 * MM_PER_G_CM2 / FWHM_PER_SIGMA;
    m->component[k1] = node.factor;
  }
}

static PetscErrorCode FillNames(Machine *m, const char *where)
{
  PetscFunctionBegin;
  TripName nuclide;
  char text[PETSC_MAX_PATH_LEN + 128];
  uint64_t hash = HASH_START;
  size_t n = (size_t)(m->n_energy * m->n_depth) * sizeof(double);
  hash = HashBytes(hash, m->energy_MeV_u, (size_t)m->n_energy * sizeof(double));
  hash = HashBytes(hash, m->spot_sigma_mm, (size_t)m->n_energy * sizeof(double));
  hash = HashBytes(hash, m->depth_mm, n);
  hash = HashBytes(hash, m->idd_Gy_mm2, n);
  hash = HashBytes(hash, m->sigma_mm, n * (size_t)m->n_component);
  hash = HashBytes(hash, m->component, n * (size_t)m->n_component);
  SpeciesName((Species){m->Z, m->A}, nuclide);
  PetscCall(PetscSNPrintf(text, sizeof text, "trip98-%s", nuclide));
  PetscCall(PetscStrallocpy(text, &m->name));
  PetscCall(
      PetscSNPrintf(text, sizeof text, "imported from TRiP98 depth doses of %s%s", where,
                    m->n_species ? " and spectra, LETd with robion's stopping power" : "; no spectra, LETd unknown"));
  PetscCall(PetscStrallocpy(text, &m->source));
  PetscCall(PetscMalloc1(17, &m->hash));
  snprintf(m->hash, 17, "%016llx", (unsigned long long)hash);
  PetscFunctionReturn(0);
}

/* Counts of a machine of these tables; false if it would not fit. */
static PetscBool SetCounts(PetscInt n_dose, const TripDepthDose *const *dose, PetscInt n_species, Machine *m)
{
  m->Z = dose[0]->species.Z;
  m->A = dose[0]->species.A;
  m->n_energy = n_dose;
  m->n_component = 1;
  m->n_species = n_species;
  m->n_bin = n_species ? ENERGY_BINS : 0;
  for (PetscInt e = 0; e < n_dose; e++) {
    m->n_depth = PetscMax(m->n_depth, NodesOf(dose[e]));
    for (PetscInt d = 0; d < dose[e]->n; d++)
      if (dose[e]->depth[d].factor > 0) m->n_component = 2;
  }
  double nodes = (double)m->n_energy * (double)m->n_depth;
  return nodes <= MOST_NODES && nodes * n_species * m->n_bin <= MOST_SHARES ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode MachineFromTrip(const TripMachineSpec *spec, PetscInt n_dose, const TripDepthDose *dose,
                               PetscInt n_species, const Species *species, const char *where, Mistakes *mistakes,
                               Machine **out)
{
  PetscFunctionBegin;
  *out = NULL;
  PetscCheck(n_dose > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "%d depth doses", (int)n_dose);
  const TripDepthDose **ordered;
  Machine *m;
  PetscCall(PetscMalloc1(n_dose, &ordered));
  PetscCall(PetscNew(&m));
  for (PetscInt e = 0; e < n_dose; e++) ordered[e] = &dose[e];
  qsort(ordered, (size_t)n_dose, sizeof *ordered, CompareEnergies); // NOLINT(bugprone-sizeof-expression): pointers
  PetscBool good = CheckTogether(n_dose, ordered, where, mistakes);
  if (good && !SetCounts(n_dose, ordered, n_species, m)) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: %d energies of up to %d depths with spectra of %d species are too large", where,
                          (int)n_dose, (int)m->n_depth, (int)n_species));
    good = PETSC_FALSE;
  }
  if (good) {
    PetscCall(MachineAllocate(m));
    for (PetscInt e = 0; e < n_dose; e++) FillEnergy(m, e, ordered[e], spec);
    m->sad_mm = spec->sad_mm;
    m->offset_mm = spec->offset_mm;
    if (n_species) PetscCall(PetscArraycpy(m->species, species, n_species));
    double width = log(BIN_HEADROOM * m->energy_MeV_u[n_dose - 1] / LOWEST_BIN_MEV_U) / ENERGY_BINS;
    for (PetscInt b = 0; n_species && b <= m->n_bin; b++)
      m->bin_edge_MeV_u[b] = LOWEST_BIN_MEV_U * exp(width * (double)b);
    PetscCall(FillNames(m, where));
    PetscCall(MachineComputeR80(m));
    PetscCall(MachineDeriveSpecies(m));
  } else {
    PetscCall(PetscFree(m));
  }
  PetscCall(PetscFree(ordered));
  *out = m;
  PetscFunctionReturn(0);
}

/* The second Gaussian of a .ddd file stands for all components but the first: their share and mean variance. */
static void MergeHalo(const Machine *m, PetscInt energy, PetscInt d, double *share, double *sigma_mm)
{
  double variance = 0;
  *share = 0;
  for (PetscInt k = 1; k < m->n_component; k++) {
    PetscInt at = (energy * m->n_component + k) * m->n_depth + d;
    *share += m->component[at];
    variance += m->component[at] * m->sigma_mm[at] * m->sigma_mm[at];
  }
  *sigma_mm = *share > 0 ? sqrt(variance / *share) : m->sigma_mm[energy * m->n_component * m->n_depth + d];
}

PetscErrorCode MachineToTripDepthDose(const Machine *m, PetscInt energy, TripDepthDose *out)
{
  PetscFunctionBegin;
  *out = (TripDepthDose){.species = {m->Z, m->A},
                         .energy_MeV_u = m->energy_MeV_u[energy],
                         .density_g_cm3 = 1,
                         .lateral = PETSC_TRUE,
                         .n = m->n_depth};
  SpeciesName(out->species, out->projectile);
  TripNameSet(out->material, "H2O");
  PetscCall(PetscMalloc1(out->n, &out->depth));
  for (PetscInt i = 0; i < out->n; i++) {
    PetscInt d = energy * m->n_depth + i;
    double halo, halo_sigma_mm;
    MergeHalo(m, energy, i, &halo, &halo_sigma_mm);
    out->depth[i] = (TripDepth){.z_g_cm2 = m->depth_mm[d] / MM_PER_G_CM2,
                                .dose_MeV_cm2_g = m->idd_Gy_mm2[d] / GY_MM2_PER_MEV_CM2_G,
                                .fwhm1_g_cm2 = m->sigma_mm[energy * m->n_component * m->n_depth + i] * FWHM_PER_SIGMA /
                                               MM_PER_G_CM2,
                                .factor = PetscMin(1.0, halo), /* shares add up to 1 within rounding */
                                .fwhm2_g_cm2 = halo_sigma_mm * FWHM_PER_SIGMA / MM_PER_G_CM2};
  }
  PetscFunctionReturn(0);
}
