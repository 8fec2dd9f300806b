/*
 * Cell lines: what is known of them, for each model.
 */
#include "biology_private.h"
#include <math.h>
#include <string.h>

#define PURE_LQ_D_T_GY 1000       /* above any dose of a fraction: the photon curve has no straight end */
#define CLINICAL_DOSE_GY_RBE 5.88 /* mixed beam model: gives 10 % survival (Yagi et al., PLoS One 18:e0288545, 2023) */

const char *const cell_line_names[] = {"chordoma", "alpha-beta-10", "hsg", "hsg-2010",
                                       "hsg-2015", "hsg-2018",      "v79", "v79-2018"};
const PetscInt n_cell_line_names = PETSC_STATIC_ARRAY_LENGTH(cell_line_names);

/* Cells as the microdosimetric models see them; r_domain 0: not known. */
typedef struct DomainCells {
  double alpha0_per_Gy, beta0_per_Gy2, r_domain_um, r_nucleus_um, z0_Gy;
} DomainCells;

typedef struct CellLine {
  double alpha_x_per_Gy, beta_x_per_Gy2;
  double clinical_factor; /* of mkm and mixed-beam; 0: none of its own */
  DomainCells mkm, smk;
} CellLine;

/* In the order of cell_line_names. */
static const CellLine cell_lines[] = {
    /* Parrella et al., phiRO 2025; as in TRiP98's chordom02 */
    {.alpha_x_per_Gy = 0.1, .beta_x_per_Gy2 = 0.05},
    /* the second tissue class of matRad's generic carbon data */
    {.alpha_x_per_Gy = 0.5, .beta_x_per_Gy2 = 0.05},
    /* X rays of the mixed beam model, 10 % survival at 4.04 Gy; Inaniwa & Kanematsu, PMB 63:095011, 2018 */
    {.alpha_x_per_Gy = 0.331,
     .beta_x_per_Gy2 = 0.0593,
     .mkm = {0.150, 0.0593, 0.29, 3.9, 0},
     .smk = {0.174, 0.0568, 0.28, 8.1, 66}},
    /* X rays: Furusawa et al., Radiat Res 154:485, 2000; Inaniwa et al., PMB 55:6721, 2010 */
    {.alpha_x_per_Gy = 0.313, .beta_x_per_Gy2 = 0.0615, .mkm = {0.172, 0.0615, 0.32, 3.9, 0}},
    /* reference: carbon ions of 80 keV/um, not photons; Inaniwa et al., PMB 60:3271, 2015 */
    {.alpha_x_per_Gy = 0.764, .beta_x_per_Gy2 = 0.0615, .clinical_factor = 2.41, .mkm = {0.172, 0.0615, 0.32, 3.9, 0}},
    /* as hsg */
    {.alpha_x_per_Gy = 0.331,
     .beta_x_per_Gy2 = 0.0593,
     .mkm = {0.150, 0.0593, 0.29, 3.9, 0},
     .smk = {0.174, 0.0568, 0.28, 8.1, 66}},
    /* X rays: Furusawa et al. 2000; Inaniwa & Kanematsu 2018 */
    {.alpha_x_per_Gy = 0.184, .beta_x_per_Gy2 = 0.020, .mkm = {0.136, 0.020, 0.24, 3.6, 0}},
    /* as v79 */
    {.alpha_x_per_Gy = 0.184, .beta_x_per_Gy2 = 0.020, .mkm = {0.136, 0.020, 0.24, 3.6, 0}},
};

/* So that CLINICAL_DOSE_GY_RBE has the effect of the photon dose with 10 % survival: 1.46 for HSG (Kanai et al., Int J Radiat
   Oncol Biol Phys 44:201, 1999). */
static double MixedBeamFactor(double alpha, double beta)
{
  double effect = log(10.0), dose = 2.0 * effect / (alpha + sqrt(alpha * alpha + 4.0 * beta * effect));
  return CLINICAL_DOSE_GY_RBE / dose;
}

PetscErrorCode BiologySpecPreset(const char *model_name, const char *cell_line, BiologySpec *spec)
{
  PetscFunctionBegin;
  const BiologyModel *model = BiologyModelFind(model_name);
  PetscInt i = 0;
  PetscCheck(model, PETSC_COMM_SELF, PETSC_ERR_ARG_UNKNOWN_TYPE, "biology model %s", model_name ? model_name : "NULL");
  if (!cell_line) cell_line = model->cell_line;
  while (i < n_cell_line_names && strcmp(cell_line_names[i], cell_line)) i++;
  PetscCheck(i < n_cell_line_names, PETSC_COMM_SELF, PETSC_ERR_ARG_UNKNOWN_TYPE, "cell line %s", cell_line);
  const CellLine *cells = &cell_lines[i];
  const DomainCells *domain = strcmp(model->name, "smk") ? &cells->mkm : &cells->smk;
  PetscBool mixed_beam = strcmp(model->name, "mixed-beam") ? PETSC_FALSE : PETSC_TRUE;
  *spec = (BiologySpec){.model = model->name,
                        .cell_line = cell_line_names[i],
                        .alpha_x_per_Gy = cells->alpha_x_per_Gy,
                        .beta_x_per_Gy2 = cells->beta_x_per_Gy2,
                        .d_t_Gy = model->has_transition ? 30 : PURE_LQ_D_T_GY,
                        .r_nucleus_um = model->has_domains && domain->r_nucleus_um > 0 ? domain->r_nucleus_um : 5,
                        .alpha0_per_Gy = domain->alpha0_per_Gy,
                        .beta0_per_Gy2 = domain->beta0_per_Gy2,
                        .r_domain_um = domain->r_domain_um,
                        .z0_Gy = domain->z0_Gy,
                        .rbe = 1,
                        .averaging = AVERAGE_SQRT_BETA,
                        .clinical_factor = 1};
  if (mixed_beam) spec->clinical_factor = MixedBeamFactor(spec->alpha_x_per_Gy, spec->beta_x_per_Gy2);
  if (model->has_domains && cells->clinical_factor > 0) spec->clinical_factor = cells->clinical_factor;
  PetscFunctionReturn(0);
}

PetscBool BiologySpecKnowsCells(const BiologySpec *spec)
{
  const BiologyModel *model = BiologyModelFind(spec->model);
  if (!model || !model->has_domains || (model->has_let_table && spec->table)) return PETSC_TRUE;
  return spec->r_domain_um > 0 && spec->beta0_per_Gy2 > 0 ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode BiologySpecDefault(BiologySpec *spec)
{
  PetscFunctionBegin;
  PetscCall(BiologySpecPreset("lem1", NULL, spec));
  PetscFunctionReturn(0);
}
