/*
 * Particle spectra of TRiP98 -> dose shares and LETd of a Machine, and back. A particle of energy E at a depth gives the dose
 * S(E) per unit fluence, S the mass stopping power of water.
 */
#include "robion/remap.h"
#include "trip_private.h"
#include <math.h>
#include <string.h>

#define ENERGY_TOLERANCE 0.005 /* MeV/u: names and headers of the files have two decimals */

/* What one species with given bins does: the last one is kept, since most spectra of a file share their bins. */
typedef struct BinMap {
  const TripSpectrum *of; /* NULL: none yet */
  Remap remap;            /* to the machine's bins */
  double *stopping;       /* [of->n] mean of S over the bin */
} BinMap;

/* Dose of one depth, per primary. */
typedef struct Field {
  double *dose_MeV_cm2_g; /* [s][b] */
  double dose_times_letd; /* MeV cm2/g keV/um */
} Field;

static PetscErrorCode BinMapDestroy(BinMap *map)
{
  PetscFunctionBegin;
  if (map->of) PetscCall(RemapDestroy(&map->remap));
  PetscCall(PetscFree(map->stopping));
  map->of = NULL;
  PetscFunctionReturn(0);
}

/* Three points of Gauss and Legendre: S falls fast in the lowest bins. */
static double MeanStopping(Species s, double from_MeV_u, double to_MeV_u)
{
  static const double node[] = {-0.7745966692414834, 0, 0.7745966692414834}, weight[] = {5. / 18, 8. / 18, 5. / 18};
  double sum = 0;
  for (int i = 0; i < 3; i++)
    sum += weight[i] *
           StoppingPower_MeV_cm2_g(s.Z, s.A, 0.5 * (from_MeV_u + to_MeV_u) + 0.5 * node[i] * (to_MeV_u - from_MeV_u));
  return sum;
}

static PetscErrorCode BinMapSet(const Machine *m, const TripSpectrum *s, BinMap *map)
{
  PetscFunctionBegin;
  PetscBool same_edges =
      map->of && map->of->n == s->n && !memcmp(map->of->edge_MeV_u, s->edge_MeV_u, sizeof(double) * ((size_t)s->n + 1))
          ? PETSC_TRUE
          : PETSC_FALSE;
  if (!same_edges) {
    PetscCall(BinMapDestroy(map));
    PetscCall(RemapSpectrum(s->n, s->edge_MeV_u, m->n_bin, m->bin_edge_MeV_u, &map->remap));
    PetscCall(PetscMalloc1(s->n, &map->stopping));
  }
  if (!same_edges || map->of->species.Z != s->species.Z)
    for (PetscInt i = 0; i < s->n; i++)
      map->stopping[i] = MeanStopping(s->species, s->edge_MeV_u[i], s->edge_MeV_u[i + 1]);
  map->of = s;
  PetscFunctionReturn(0);
}

static PetscInt FindSpecies(const Machine *m, Species species)
{
  for (PetscInt s = 0; s < m->n_species; s++)
    if (m->species[s].Z == species.Z && m->species[s].A == species.A) return s;
  return -1;
}

/* Dose by species and machine bin at one depth of the spectra. */
static PetscErrorCode FieldFill(const Machine *m, const TripSpectraDepth *depth, BinMap *map, Field *field)
{
  PetscFunctionBegin;
  PetscCall(PetscArrayzero(field->dose_MeV_cm2_g, m->n_species * m->n_bin));
  field->dose_times_letd = 0;
  for (PetscInt k = 0; k < depth->n; k++) {
    const TripSpectrum *s = &depth->spectrum[k];
    double *dose = field->dose_MeV_cm2_g + FindSpecies(m, s->species) * m->n_bin;
    PetscCall(BinMapSet(m, s, map));
    for (PetscInt i = 0; i < s->n; i++) {
      double share = s->dN_dE[i] * (s->edge_MeV_u[i + 1] - s->edge_MeV_u[i]) * map->stopping[i];
      field->dose_times_letd += share * map->stopping[i] / MM_PER_G_CM2;
      for (PetscInt j = map->remap.start[i]; j < map->remap.start[i + 1]; j++)
        dose[map->remap.target[j]] += share * map->remap.weight[j];
    }
  }
  PetscFunctionReturn(0);
}

/* Shares and LETd of one node, t of the way from field a to field b; false if neither holds any particle. */
static PetscBool NodeFill(Machine *m, PetscInt node, const Field *a, const Field *b, double t)
{
  PetscInt per_node = m->n_species * m->n_bin;
  float *share = m->dose_share + (size_t)node * (size_t)per_node;
  double sum = 0, letd = (1 - t) * a->dose_times_letd + t * b->dose_times_letd;
  for (PetscInt k = 0; k < per_node; k++) sum += (1 - t) * a->dose_MeV_cm2_g[k] + t * b->dose_MeV_cm2_g[k];
  if (!(sum > 0)) return PETSC_FALSE;
  for (PetscInt k = 0; k < per_node; k++)
    share[k] = (float)(((1 - t) * a->dose_MeV_cm2_g[k] + t * b->dose_MeV_cm2_g[k]) / sum);
  m->letd_keV_um[node] = letd / sum;
  return PETSC_TRUE;
}

/* A node behind the last particles has the shares of the one before it. */
static PetscBool NodeCopy(Machine *m, PetscInt node, PetscInt first)
{
  size_t per_node = (size_t)m->n_species * (size_t)m->n_bin;
  if (node == first) return m->idd_Gy_mm2[node] > 0 ? PETSC_FALSE : PETSC_TRUE;
  memcpy(m->dose_share + (size_t)node * per_node, m->dose_share + (size_t)(node - 1) * per_node,
         per_node * sizeof(float));
  m->letd_keV_um[node] = m->letd_keV_um[node - 1];
  return PETSC_TRUE;
}

/* All nodes of energy e, walking down the spectra's depths with two fields. */
static PetscErrorCode EnergyFill(Machine *m, PetscInt e, const TripSpectra *spectra, PetscBool *good)
{
  PetscFunctionBegin;
  Field field[2];
  BinMap map = {0};
  PetscInt at = 0; /* field[0] is of depth `at`, field[1] of the next one */
  for (int i = 0; i < 2; i++) {
    PetscCall(PetscMalloc1(m->n_species * m->n_bin, &field[i].dose_MeV_cm2_g));
    PetscCall(FieldFill(m, &spectra->depth[PetscMin(i, spectra->n - 1)], &map, &field[i]));
  }
  *good = PETSC_TRUE;
  for (PetscInt i = 0; *good && i < m->n_depth; i++) {
    PetscInt node = e * m->n_depth + i;
    double z = m->depth_mm[node] / MM_PER_G_CM2;
    while (at + 2 < spectra->n && spectra->depth[at + 1].z_g_cm2 < z) {
      Field upper = field[0];
      field[0] = field[1];
      field[1] = upper;
      at++;
      PetscCall(FieldFill(m, &spectra->depth[at + 1], &map, &field[1]));
    }
    double a = spectra->depth[at].z_g_cm2, b = spectra->depth[PetscMin(at + 1, spectra->n - 1)].z_g_cm2;
    double t = b > a ? PetscClipInterval((z - a) / (b - a), 0.0, 1.0) : 0;
    if (!NodeFill(m, node, &field[0], &field[1], t)) *good = NodeCopy(m, node, e * m->n_depth);
  }
  PetscCall(BinMapDestroy(&map));
  for (int i = 0; i < 2; i++) PetscCall(PetscFree(field[i].dose_MeV_cm2_g));
  PetscFunctionReturn(0);
}

PetscErrorCode MachineSetTripSpectra(Machine *m, const TripSpectra *spectra, const char *where, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscInt best = 0;
  PetscBool good;
  for (PetscInt e = 1; e < m->n_energy; e++)
    if (fabs(m->energy_MeV_u[e] - spectra->energy_MeV_u) < fabs(m->energy_MeV_u[best] - spectra->energy_MeV_u))
      best = e;
  if (fabs(m->energy_MeV_u[best] - spectra->energy_MeV_u) > ENERGY_TOLERANCE) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: spectra of %g MeV/u, but no depth dose of that energy; the nearest is %g", where,
                          spectra->energy_MeV_u, m->energy_MeV_u[best]));
    PetscFunctionReturn(0);
  }
  for (const TripSpectraDepth *d = spectra->depth; d < spectra->depth + spectra->n; d++)
    for (PetscInt k = 0; k < d->n; k++)
      PetscCheck(FindSpecies(m, d->spectrum[k].species) >= 0, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG,
                 "%s: species Z = %d, A = %d is none of the machine's", where, (int)d->spectrum[k].species.Z,
                 (int)d->spectrum[k].species.A);
  PetscCall(EnergyFill(m, best, spectra, &good));
  if (!good)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: no particles at the first depth, where the depth dose is above 0", where));
  PetscFunctionReturn(0);
}

/* --- back --- */

/* One species at one node. Dose share -> particles through S at the bin's centre. */
static PetscErrorCode SpectrumOf(const Machine *m, PetscInt node, PetscInt s, double *so_far, TripSpectrum *out)
{
  PetscFunctionBegin;
  const float *share = m->dose_share + ((size_t)node * (size_t)m->n_species + (size_t)s) * (size_t)m->n_bin;
  double dose = m->idd_Gy_mm2[node] / GY_MM2_PER_MEV_CM2_G;
  *out = (TripSpectrum){.species = m->species[s], .n = m->n_bin};
  PetscCall(PetscMalloc1(out->n + 1, &out->edge_MeV_u));
  PetscCall(PetscMalloc1(out->n, &out->dN_dE));
  PetscCall(PetscCalloc1(out->n + 1, &out->running));
  PetscCall(PetscArraycpy(out->edge_MeV_u, m->bin_edge_MeV_u, out->n + 1));
  for (PetscInt b = 0; b < out->n; b++) {
    double low = m->bin_edge_MeV_u[b], high = m->bin_edge_MeV_u[b + 1];
    double particles =
        (double)share[b] * dose / StoppingPower_MeV_cm2_g(m->species[s].Z, m->species[s].A, sqrt(low * high));
    out->dN_dE[b] = particles / (high - low);
    out->running[b + 1] = out->running[b] + particles;
  }
  *so_far += out->running[out->n];
  out->cumulative = *so_far;
  PetscFunctionReturn(0);
}

PetscErrorCode MachineToTripSpectra(const Machine *m, PetscInt energy, Mistakes *mistakes, TripSpectra *out)
{
  PetscFunctionBegin;
  *out = (TripSpectra){0};
  if (!m->n_species) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "machine %s has no spectra", m->name));
    PetscFunctionReturn(0);
  }
  TripName nuclide;
  SpeciesName((Species){m->Z, m->A}, nuclide);
  PetscCall(PetscSNPrintf(out->projectile, sizeof out->projectile, "%s%d", nuclide, (int)m->Z));
  TripNameSet(out->target, "H2O");
  TripNameSet(out->version, "19980704");
  out->energy_MeV_u = m->energy_MeV_u[energy];
  out->norm = 1;
  out->n = m->n_depth;
  PetscCall(PetscCalloc1(out->n, &out->depth));
  const double *idd = m->idd_Gy_mm2 + energy * m->n_depth;
  PetscInt peak = 0;
  for (PetscInt d = 0; d < m->n_depth; d++) {
    TripSpectraDepth *depth = &out->depth[d];
    double so_far = 0;
    if (idd[d] > idd[peak]) peak = d;
    *depth = (TripSpectraDepth){.z_g_cm2 = m->depth_mm[energy * m->n_depth + d] / MM_PER_G_CM2, .norm = 1};
    PetscCall(PetscCalloc1(m->n_species, &depth->spectrum));
    for (; depth->n < m->n_species; depth->n++)
      PetscCall(SpectrumOf(m, energy * m->n_depth + d, depth->n, &so_far, &depth->spectrum[depth->n]));
  }
  out->peak_g_cm2 = out->depth[peak].z_g_cm2;
  PetscFunctionReturn(0);
}
