/**
 * What tissue is made of, as positron emitters and their range want to know it. Part of step 2.
 */
#pragma once
#include "robion/case.h"

/** Nuclei that positron emitters are made of. */
enum { NUCLEI_CARBON, NUCLEI_NITROGEN, NUCLEI_OXYGEN, N_NUCLEI };

/** What a CT is taken for: tissue by its HU, or one material whose density follows the stopping power. */
typedef enum { COMPOSITION_TISSUE, COMPOSITION_WATER, COMPOSITION_PMMA } Composition;
extern const char *const composition_names[]; /* as a study writes them, indexed by Composition */
extern const PetscInt n_composition_names;

typedef struct Matter {
  double density_g_cm3, nuclei_1e22_cm3[N_NUCLEI];
  double rsp, hu; /* stopping power relative to water, and HU */
} Matter;

/**
 * Tissue of a HU: 24 sections of composition and 5 of density by Schneider, Bortfeld, Schlegel, PMB 45:459 (2000); beyond its ends
 * the last section's. rsp and hu of the result are not set.
 */
Matter MatterOfHU(double hu);

/**
 * Volume means over n voxels (indices into grid) of a case with stopping powers; what lies outside the external structure or the
 * CT is air. Not collective.
 */
PetscErrorCode CaseMatter(const Case *patient, Composition composition, const Grid *grid, PetscInt n,
                          const PetscInt *voxel, Matter *matter);
