/*
 * Checks: what a user asks for (MachineSpec), and what a base data file holds (Machine).
 */
#include "machine_private.h"
#include <math.h>

#define SHARE_TOLERANCE 1e-3 /* shares are stored in single precision, rounded to 12 bits */

PetscErrorCode MachineSpecDefault(MachineSpec *spec)
{
  PetscFunctionBegin;
  /* With straggling, this ripple gives 12C the distal falloff (80 to 20 %) of a clinical line with ripple filter within
     0.05 mm: 1.2 mm at 115 MeV/u, 1.3 mm at 200, 2.2 mm at 400. No momentum spread is needed then; 0.01 alone would stand for a strong one. */
  *spec = (MachineSpec){.ion = "12C",
                        .energy_min_MeV_u = 80,
                        .energy_max_MeV_u = 440,
                        .range_step_mm = 2,
                        .ripple_sigma_mm = 0.85,
                        .momentum_spread = 0,
                        .spot_fwhm_mm = 8,
                        .sad_mm = 0};
  PetscFunctionReturn(0);
}

/* A number of the spec outside lowest..highest (or not a number). */
static PetscErrorCode CheckNumber(const char *where, const char *key, double value, double lowest, double highest,
                                  Mistakes *mistakes)
{
  PetscFunctionBegin;
  if (!(value >= lowest && value <= highest))
    PetscCall(
        MistakesAdd(mistakes, ROBION_INPUT, "%s: %s is %g, expected %g to %g", where, key, value, lowest, highest));
  PetscFunctionReturn(0);
}

/* Strictly ascending. */
static PetscErrorCode CheckAscending(const char *where, const char *what, PetscInt n, const double *value,
                                     Mistakes *mistakes)
{
  PetscFunctionBegin;
  for (PetscInt i = 1; i < n; i++)
    if (!(value[i] > value[i - 1])) {
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                            "%s: %s: element %" PetscInt_FMT " is %g after %g, expected ascending", where, what, i,
                            value[i], value[i - 1]));
      break;
    }
  PetscFunctionReturn(0);
}

PetscErrorCode MachineSpecCheck(const MachineSpec *spec, const char *where, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Species species;
  if (!SpeciesOfIon(spec->ion, &species)) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: ion \"%s\" is unknown, expected 12C, 11C, 10C or 4He%s", where,
                          spec->ion ? spec->ion : "",
                          SuggestName(" (", spec->ion ? spec->ion : "", N_BUILTIN_IONS, builtin_ions).text));
  }
  PetscCall(CheckNumber(where, "energy_min_MeV_u", spec->energy_min_MeV_u, 1, 1000, mistakes));
  PetscCall(CheckNumber(where, "energy_max_MeV_u", spec->energy_max_MeV_u, 1, 1000, mistakes));
  if (spec->energy_max_MeV_u < spec->energy_min_MeV_u)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: energy_max_MeV_u is %g, expected at least energy_min_MeV_u = %g",
                          where, spec->energy_max_MeV_u, spec->energy_min_MeV_u));
  PetscCall(CheckNumber(where, "range_step_mm", spec->range_step_mm, 0.2, 100, mistakes));
  PetscCall(CheckNumber(where, "ripple_sigma_mm", spec->ripple_sigma_mm, 0, 20, mistakes));
  PetscCall(CheckNumber(where, "ripple_thickness_mm", spec->ripple_thickness_mm, 0, 100, mistakes));
  PetscCall(CheckNumber(where, "ripple_to_isocentre_mm", spec->ripple_to_isocentre_mm, 0, 1e4, mistakes));
  PetscCall(CheckNumber(where, "offset_mm", spec->offset_mm, 0, 100, mistakes));
  for (PetscInt e = 0; e < spec->n_energy; e++)
    PetscCall(CheckNumber(where, "energy_MeV_u", spec->energy_MeV_u[e], 1, 1000, mistakes));
  PetscCall(CheckAscending(where, "energy_MeV_u", spec->n_energy, spec->energy_MeV_u, mistakes));
  PetscCall(CheckNumber(where, "momentum_spread", spec->momentum_spread, 0, 0.1, mistakes));
  PetscCall(CheckNumber(where, "spot_fwhm_mm", spec->spot_fwhm_mm, 0.1, 100, mistakes));
  PetscCall(CheckNumber(where, "sad_mm", spec->sad_mm, 0, 1e6, mistakes));
  Fragmentation data;
  if (spec->fragmentation) PetscCall(FragmentationRead(spec->fragmentation, mistakes, &data));
  PetscFunctionReturn(0);
}

/* Every element of a table of doubles or floats inside lowest..highest; one mistake for the first that is not. */
static PetscErrorCode CheckTable(const Machine *m, const char *where, const MachineTable *table, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const double lowest = table->lowest, highest = table->highest;
  size_t n = MachineTableSize(m, table), per_energy = n / (size_t)PetscMax(1, m->n_energy);
  const void *data = *MachineTableData((Machine *)m, table);
  for (size_t i = 0; i < n; i++) {
    double value = table->type == TABLE_FLOAT ? (double)((const float *)data)[i] : ((const double *)data)[i];
    if (value >= lowest && value <= highest) continue;
    if (table->dim[0] == DIM_ENERGY)
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: element %zu of energy %zu is %g, expected %g to %g", where,
                            table->path, i % per_energy, i / per_energy, value, lowest, highest));
    else
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: element %zu is %g, expected %g to %g", where, table->path,
                            i, value, lowest, highest));
    break;
  }
  PetscFunctionReturn(0);
}

/* Depth nodes start at 0 and ascend, and some dose is there. */
static PetscErrorCode CheckDepths(const Machine *m, const char *where, Mistakes *mistakes)
{
  PetscFunctionBegin;
  for (PetscInt e = 0; e < m->n_energy; e++) {
    const double *depth = m->depth_mm + e * m->n_depth, *idd = m->idd_Gy_mm2 + e * m->n_depth;
    char what[64];
    PetscCall(PetscSNPrintf(what, sizeof what, "/depth of energy %" PetscInt_FMT, e));
    PetscCall(CheckAscending(where, what, m->n_depth, depth, mistakes));
    if (depth[0] != 0)
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s starts at %g mm, expected 0", where, what, depth[0]));
    double most = 0;
    for (PetscInt d = 0; d < m->n_depth; d++) most = PetscMax(most, idd[d]);
    if (!(most > 0))
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: /idd of energy %" PetscInt_FMT " is 0 everywhere", where, e));
  }
  PetscFunctionReturn(0);
}

/* Lateral components sum to 1 at every depth. */
static PetscErrorCode CheckComponents(const Machine *m, const char *where, Mistakes *mistakes)
{
  PetscFunctionBegin;
  for (PetscInt e = 0; e < m->n_energy; e++)
    for (PetscInt d = 0; d < m->n_depth; d++) {
      double sum = 0;
      for (PetscInt k = 0; k < m->n_component; k++) sum += m->component[(e * m->n_component + k) * m->n_depth + d];
      if (fabs(sum - 1) <= 1e-6) continue;
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                            "%s: /component of energy %" PetscInt_FMT ", node %" PetscInt_FMT " sums to %g, expected 1",
                            where, e, d, sum));
      PetscFunctionReturn(0);
    }
  PetscFunctionReturn(0);
}

/* Dose shares sum to 1 wherever there is dose. */
static PetscErrorCode CheckShares(const Machine *m, const char *where, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscInt per_node = m->n_species * m->n_bin;
  for (PetscInt i = 0; i < m->n_energy * m->n_depth; i++) {
    double sum = 0;
    for (PetscInt k = 0; k < per_node; k++) sum += m->dose_share[(size_t)i * (size_t)per_node + (size_t)k];
    if (!(m->idd_Gy_mm2[i] > 0) || fabs(sum - 1) <= SHARE_TOLERANCE) continue;
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: /spectra/dose_share of energy %" PetscInt_FMT ", node %" PetscInt_FMT
                          " sums to %g, expected 1",
                          where, i / m->n_depth, i % m->n_depth, sum));
    break;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckSpecies(const Machine *m, const char *where, Mistakes *mistakes)
{
  PetscFunctionBegin;
  for (PetscInt s = 0; s < m->n_species; s++)
    if (m->species[s].Z < 1 || m->species[s].A < m->species[s].Z || m->species[s].A > 300)
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                            "%s: /spectra/species: row %" PetscInt_FMT " is Z = %" PetscInt_FMT ", A = %" PetscInt_FMT
                            ", expected a nuclide",
                            where, s, m->species[s].Z, m->species[s].A));
  for (PetscInt s = 0; s < m->n_species; s++)
    if (m->species_component[s] < -1 || m->species_component[s] >= m->n_component)
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                            "%s: /spectra/component: row %" PetscInt_FMT " is %d, expected -1 to %" PetscInt_FMT, where,
                            s, m->species_component[s], m->n_component - 1));
  PetscCall(CheckAscending(where, "/spectra/bin_edge", m->n_bin ? m->n_bin + 1 : 0, m->bin_edge_MeV_u, mistakes));
  PetscFunctionReturn(0);
}

/* Depth doses in another unit, or normalised, are far from the stopping power where the beam enters. */
static PetscErrorCode CheckDoseUnit(const Machine *m, const char *where, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const double least = 0.5, most = 2; /* fragments and ripple filters change the entrance by a few per cent */
  for (PetscInt e = 0; e < m->n_energy; e++) {
    const double residual = CSDARange_mm(m->Z, m->A, m->energy_MeV_u[e]) - m->depth_mm[e * m->n_depth];
    if (residual < 10) continue; /* the spread of the range reaches the entrance */
    const double stopping = StoppingPower_MeV_cm2_g(m->Z, m->A, EnergyOfRange_MeV_u(m->Z, m->A, residual));
    const double found = m->idd_Gy_mm2[e * m->n_depth] / GY_MM2_PER_MEV_CM2_G;
    if (found >= least * stopping && found <= most * stopping) continue;
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: depth dose at the entrance is %.4g MeV cm2/g at %g MeV/u, expected the stopping power, "
                          "%.4g, within a factor 2: is it in MeV cm2/g per primary, laterally integrated?",
                          where, found, m->energy_MeV_u[e], stopping));
    break;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode MachineCheck(const Machine *m, const char *where, Mistakes *mistakes)
{
  PetscFunctionBegin;
  if (m->n_energy < 1 || m->n_depth < 2 || m->n_component < 1) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: %" PetscInt_FMT " energies, %" PetscInt_FMT " depths, %" PetscInt_FMT
                          " lateral components, expected at least 1, 2, 1",
                          where, m->n_energy, m->n_depth, m->n_component));
    PetscFunctionReturn(0);
  }
  if (m->n_component > MACHINE_MOST_COMPONENTS)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %" PetscInt_FMT " lateral components, expected at most %d",
                          where, m->n_component, (int)MACHINE_MOST_COMPONENTS));
  if (m->Z < 1 || m->A < m->Z || m->A > 300)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: projectile Z = %" PetscInt_FMT ", A = %" PetscInt_FMT ", expected a nuclide", where,
                          m->Z, m->A));
  PetscInt before = mistakes->n;
  for (int i = 0; i < MACHINE_TABLES; i++)
    if (machine_tables[i].type != TABLE_INT) PetscCall(CheckTable(m, where, &machine_tables[i], mistakes));
  if (mistakes->n > before) PetscFunctionReturn(0);
  PetscCall(CheckAscending(where, "/energy", m->n_energy, m->energy_MeV_u, mistakes));
  PetscCall(CheckDepths(m, where, mistakes));
  PetscCall(CheckComponents(m, where, mistakes));
  PetscCall(CheckSpecies(m, where, mistakes));
  if (m->n_species) PetscCall(CheckShares(m, where, mistakes));
  if (mistakes->n == before) PetscCall(CheckDoseUnit(m, where, mistakes));
  PetscFunctionReturn(0);
}
