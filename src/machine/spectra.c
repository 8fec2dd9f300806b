/*
 * What the spectra of a machine say of its field: LET of groups of ions, dose by charge, fluence by energy.
 */
#include "machine_private.h"
#include <math.h>

/* First element of the spectrum of species s at a node. */
static const float *SpectrumOf(const Machine *m, PetscInt e, PetscInt d, PetscInt s)
{
  size_t node = (size_t)e * (size_t)m->n_depth + (size_t)d;
  return m->dose_share + (node * (size_t)m->n_species + (size_t)s) * (size_t)m->n_bin;
}

/* Share of species s in the dose of all ions at a node. */
static double ShareOf(const Machine *m, PetscInt e, PetscInt d, PetscInt s)
{
  const float *share = SpectrumOf(m, e, d, s);
  double sum = 0;
  for (PetscInt b = 0; b < m->n_bin; b++) sum += (double)share[b];
  return sum;
}

static PetscBool InGroup(const Machine *m, Species s, MachineLETGroup group)
{
  if (group == MACHINE_LET_PRIMARIES) return s.Z == m->Z && s.A == m->A ? PETSC_TRUE : PETSC_FALSE;
  return group == MACHINE_LET_ALL || s.Z >= 3 ? PETSC_TRUE : PETSC_FALSE;
}

double MachineLETd_keV_um(const Machine *m, PetscInt e, PetscInt d, MachineLETGroup group)
{
  double dose = 0, dose_let = 0;
  PetscInt node = e * m->n_depth + d;
  if (!m->n_species) return group == MACHINE_LET_ALL ? m->letd_keV_um[node] : 0;
  for (PetscInt s = 0; s < m->n_species; s++) {
    if (!InGroup(m, m->species[s], group)) continue;
    double share = ShareOf(m, e, d, s);
    dose += share;
    dose_let += share * (double)m->species_letd_keV_um[node * m->n_species + s];
  }
  return dose > 0 ? dose_let / dose : 0;
}

double MachineDoseOfCharge_Gy_mm2(const Machine *m, PetscInt e, PetscInt d, PetscInt Z)
{
  double share = 0;
  PetscInt node = e * m->n_depth + d;
  for (PetscInt s = 0; s < m->n_species; s++)
    if (m->species[s].Z == Z) share += ShareOf(m, e, d, s);
  return m->idd_Gy_mm2[node] * (1 - m->recoil[node]) * share;
}

void MachineFluenceSpectrum(const Machine *m, PetscInt e, PetscInt d, PetscInt s, double per_MeV_u[])
{
  const float *share = SpectrumOf(m, e, d, s);
  const double *edge = m->bin_edge_MeV_u;
  double sum = 0, fluence = (double)m->species_fluence[(e * m->n_depth + d) * m->n_species + s];
  for (PetscInt b = 0; b < m->n_bin; b++) {
    per_MeV_u[b] =
        (double)share[b] / StoppingPower_MeV_cm2_g(m->species[s].Z, m->species[s].A, sqrt(edge[b] * edge[b + 1]));
    sum += per_MeV_u[b];
  }
  for (PetscInt b = 0; b < m->n_bin; b++) per_MeV_u[b] *= sum > 0 ? fluence / (sum * (edge[b + 1] - edge[b])) : 0;
}
