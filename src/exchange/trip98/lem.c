/* robion's LEM I as an RBE table of TRiP98. */
#include "trip_private.h"
#include <math.h>

enum { N_POINT = 80 };
#define FROM_MEV_U 0.1
#define TO_MEV_U 1000.0

PetscErrorCode TripRBEFromLEM1(const BiologySpec *spec, PetscInt n_species, const Species *species, TripRBE *out)
{
  PetscFunctionBegin;
  TripRBETable *t;
  *out = (TripRBE){.n = 1};
  PetscCall(PetscCalloc1(1, &out->table));
  t = out->table;
  TripNameSet(out->cell_type, spec->cell_line ? spec->cell_line : "cells");
  TripNameSet(t->kind, "mean");
  t->alpha_x_per_Gy = spec->alpha_x_per_Gy;
  t->beta_x_per_Gy2 = spec->beta_x_per_Gy2;
  t->cut_Gy = spec->d_t_Gy;
  t->nucleus_radius_um = spec->r_nucleus_um;
  t->n = n_species;
  PetscCall(PetscCalloc1(n_species, &t->ion));
  for (PetscInt s = 0; s < n_species; s++) {
    TripRBEIon *ion = &t->ion[s];
    ion->species = species[s];
    SpeciesName(species[s], ion->projectile);
    ion->n = N_POINT;
    PetscCall(PetscMalloc1(N_POINT, &ion->point));
    for (PetscInt i = 0; i < N_POINT; i++) {
      double energy = FROM_MEV_U * pow(TO_MEV_U / FROM_MEV_U, (double)i / (N_POINT - 1));
      ion->point[i] = (TripRBEPoint){energy, LEM1(spec, species[s].Z, species[s].A, energy).rbe_alpha};
    }
  }
  PetscFunctionReturn(0);
}
