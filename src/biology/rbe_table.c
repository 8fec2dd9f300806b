/*
 * RBE tables of TRiP98: LEM I's initial slope alpha_z of an ion against energy, tabulated by others.
 */
#include "biology_private.h"
#include "robion/rbe_file.h"
#include <gsl/gsl_interp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAME_PARAMETER 1e-6 /* relative, between study and file */

typedef struct IonTable {
  Species species;
  PetscInt n;
  double *ln_energy, *ln_alpha, *beta;
} IonTable;

struct RBETable {
  double alpha_x_per_Gy;
  PetscInt n;
  IonTable *ion;
};

PetscErrorCode RBETableDestroy(RBETable **table)
{
  PetscFunctionBegin;
  if (!*table) PetscFunctionReturn(0);
  for (PetscInt i = 0; i < (*table)->n; i++) {
    IonTable *ion = &(*table)->ion[i];
    PetscCall(PetscFree3(ion->ln_energy, ion->ln_alpha, ion->beta));
  }
  PetscCall(PetscFree((*table)->ion));
  PetscCall(PetscFree(*table));
  PetscFunctionReturn(0);
}

/* The mean RBE; the first table if none is called so. */
static const TripRBETable *MeanTable(const TripRBE *file)
{
  for (PetscInt t = 0; t < file->n; t++)
    if (!strcmp(file->table[t].kind, "mean")) return &file->table[t];
  return file->table;
}

static PetscErrorCode CheckParameters(const BiologySpec *spec, const TripRBETable *t, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const struct {
    const char *name;
    double study, file;
  } parameter[] = {{"alpha_x", spec->alpha_x_per_Gy, t->alpha_x_per_Gy},
                   {"beta_x", spec->beta_x_per_Gy2, t->beta_x_per_Gy2},
                   {"d_t (!cut)", spec->d_t_Gy, t->cut_Gy},
                   {"r_nucleus", spec->r_nucleus_um, t->nucleus_radius_um}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(parameter); i++)
    if (!(fabs(parameter[i].study - parameter[i].file) <= SAME_PARAMETER * parameter[i].study))
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s is %g, expected %g as in the study's biology", spec->table,
                            parameter[i].name, parameter[i].file, parameter[i].study));
  PetscFunctionReturn(0);
}

/* The file's ion of this charge with the nearest mass number, the first of two; NULL: none. */
static const TripRBEIon *NearestIsotope(const TripRBETable *t, Species species)
{
  const TripRBEIon *found = NULL;
  for (const TripRBEIon *ion = t->ion; ion < t->ion + t->n; ion++)
    if (ion->species.Z == species.Z &&
        (!found || abs((int)(ion->species.A - species.A)) < abs((int)(found->species.A - species.A))))
      found = ion;
  return found;
}

static PetscErrorCode IonCreate(const BiologySpec *spec, const TripRBETable *t, Species species, Mistakes *mistakes,
                                IonTable *out)
{
  PetscFunctionBegin;
  const TripRBEIon *from = NearestIsotope(t, species);
  *out = (IonTable){.species = species};
  if (!from) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: no !projectile of charge %d, expected one for every ion of the machine's spectra",
                          spec->table, (int)species.Z));
    PetscFunctionReturn(0);
  }
  out->n = from->n;
  PetscCall(PetscMalloc3(from->n, &out->ln_energy, from->n, &out->ln_alpha, from->n, &out->beta));
  for (PetscInt i = 0; i < from->n; i++) {
    double energy = from->point[i].energy_MeV_u, rbe = from->point[i].rbe;
    if (!(energy > 0 && rbe > 0)) {
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: RBE of %s is %g at %g MeV/u, expected both above 0",
                            spec->table, from->projectile, rbe, energy));
      PetscFunctionReturn(0);
    }
    IonResponse r = LEM1OfSlope(spec, rbe * spec->alpha_x_per_Gy, LET_keV_um(species.Z, species.A, energy));
    out->ln_energy[i] = log(energy);
    out->ln_alpha[i] = log(r.alpha_per_Gy);
    out->beta[i] = r.beta_per_Gy2;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode RBETableCreate(const BiologySpec *spec, PetscInt n_species, const Species *species, Mistakes *mistakes,
                              RBETable **out)
{
  PetscFunctionBegin;
  TripRBE file;
  PetscInt before = mistakes->n;
  *out = NULL;
  PetscCall(TripRBERead(spec->table, mistakes, &file));
  if (mistakes->n > before) PetscFunctionReturn(0);
  const TripRBETable *mean = MeanTable(&file);
  PetscCall(CheckParameters(spec, mean, mistakes));
  if (mistakes->n == before) {
    PetscCall(PetscNew(out));
    (*out)->alpha_x_per_Gy = spec->alpha_x_per_Gy;
    (*out)->n = n_species;
    PetscCall(PetscCalloc1(n_species, &(*out)->ion));
    for (PetscInt s = 0; s < n_species; s++) PetscCall(IonCreate(spec, mean, species[s], mistakes, &(*out)->ion[s]));
  }
  PetscCall(TripRBEDestroy(&file));
  if (mistakes->n > before) PetscCall(RBETableDestroy(out));
  PetscFunctionReturn(0);
}

IonResponse RBETableResponse(const RBETable *table, PetscInt Z, PetscInt A, double energy_MeV_u)
{
  const IonTable *ion = table->ion;
  while (ion->species.Z != Z || ion->species.A != A) ion++;
  size_t last = (size_t)ion->n - 1;
  double x = PetscClipInterval(log(energy_MeV_u), ion->ln_energy[0], ion->ln_energy[last]), w = 0;
  size_t i = last ? gsl_interp_bsearch(ion->ln_energy, x, 0, last) : 0, next = PetscMin(i + 1, last);
  if (next > i) w = (x - ion->ln_energy[i]) / (ion->ln_energy[next] - ion->ln_energy[i]);
  double alpha = exp((1.0 - w) * ion->ln_alpha[i] + w * ion->ln_alpha[next]);
  return (IonResponse){alpha / table->alpha_x_per_Gy, alpha, (1.0 - w) * ion->beta[i] + w * ion->beta[next]};
}
