/*
 * alpha and sqrt(beta) of a machine's field at every energy and depth.
 */
#include "robion/biology.h"
#include <math.h>
#include <string.h>

#define SAME_TISSUE 1e-6 /* relative, between a study's and a machine's photon parameters */

const char *const biology_model_names[] = {"lem1", "table"};
const PetscInt n_biology_model_names = 2;

PetscErrorCode BiologySpecDefault(BiologySpec *spec)
{
  PetscFunctionBegin;
  *spec =
      (BiologySpec){.model = "lem1", .alpha_x_per_Gy = 0.1, .beta_x_per_Gy2 = 0.05, .d_t_Gy = 30, .r_nucleus_um = 5};
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckPositive(const char *key, double value, PetscBool zero_allowed, Mistakes *mistakes)
{
  PetscFunctionBegin;
  if (!(value > 0 || (zero_allowed && value == 0)) || !isfinite(value))
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY, "biology: %s is %g, expected a positive number", key, value));
  PetscFunctionReturn(0);
}

static PetscErrorCode SpecCheck(const BiologySpec *spec, const Machine *machine, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const char *model = spec->model ? spec->model : "";
  PetscCall(CheckPositive("alpha_x", spec->alpha_x_per_Gy, PETSC_FALSE, mistakes));
  PetscCall(CheckPositive("beta_x", spec->beta_x_per_Gy2, PETSC_TRUE, mistakes));
  PetscCall(CheckPositive("d_t", spec->d_t_Gy, PETSC_FALSE, mistakes));
  PetscCall(CheckPositive("r_nucleus", spec->r_nucleus_um, PETSC_FALSE, mistakes));
  if (!strcmp(model, "lem1")) {
    if (!machine->n_species)
      PetscCall(
          MistakesAdd(mistakes, ROBION_INPUT,
                      "biology: model lem1 needs dose spectra, but machine \"%s\" has none; expected built-in base "
                      "data or model table",
                      machine->name ? machine->name : "?"));
  } else if (strcmp(model, "table")) {
    const char *near = NearestName(model, n_biology_model_names, biology_model_names);
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY, "biology: model \"%s\" is unknown, expected lem1 or table%s%s%s",
                          model, near ? " (did you mean " : "", near ? near : "", near ? "?)" : ""));
  }
  PetscFunctionReturn(0);
}

/* The tissue class with the study's photon parameters, or -1 and a mistake that lists the classes there are. */
static PetscErrorCode FindTissue(const BiologySpec *spec, const Machine *m, Mistakes *mistakes, PetscInt *tissue)
{
  PetscFunctionBegin;
  char known[512] = "";
  *tissue = -1;
  for (PetscInt t = 0; t < m->n_tissue; t++) {
    if (fabs(m->alpha_x[t] - spec->alpha_x_per_Gy) <= SAME_TISSUE * spec->alpha_x_per_Gy &&
        fabs(m->beta_x[t] - spec->beta_x_per_Gy2) <= SAME_TISSUE * spec->beta_x_per_Gy2) {
      *tissue = t;
      PetscFunctionReturn(0);
    }
    size_t used = strlen(known);
    snprintf(known + used, sizeof known - used, "%s(%g, %g)", used ? " " : "", m->alpha_x[t], m->beta_x[t]);
  }
  PetscCall(
      MistakesAdd(mistakes, ROBION_INPUT,
                  "biology: model table: machine \"%s\" has no tissue class with alpha_x %g 1/Gy, beta_x %g 1/Gy2; "
                  "expected one of %s",
                  m->name ? m->name : "?", spec->alpha_x_per_Gy, spec->beta_x_per_Gy2,
                  m->n_tissue ? known : "(none in this machine)"));
  PetscFunctionReturn(0);
}

static void FillFromTable(const Machine *m, PetscInt tissue, Biology *biology)
{
  for (PetscInt e = 0; e < m->n_energy; e++)
    for (PetscInt d = 0; d < m->n_depth; d++) {
      PetscInt from = (e * m->n_tissue + tissue) * m->n_depth + d, to = e * m->n_depth + d;
      biology->alpha_per_Gy[to] = m->alpha[from];
      biology->sqrt_beta_per_Gy[to] = sqrt(m->beta[from]);
    }
}

/* Zaider & Rossi (Radiat Res 83:732, 1980): dose-weighted means of alpha and sqrt(beta) over species and energies. */
static PetscErrorCode FillFromSpectra(const BiologySpec *spec, const Machine *m, Biology *biology)
{
  PetscFunctionBegin;
  PetscInt per_node = m->n_species * m->n_bin;
  double *alpha, *root_beta;
  PetscCall(PetscMalloc2(per_node, &alpha, per_node, &root_beta));
  for (PetscInt s = 0; s < m->n_species; s++)
    for (PetscInt b = 0; b < m->n_bin; b++) {
      IonResponse r =
          LEM1(spec, m->species[s].Z, m->species[s].A, sqrt(m->bin_edge_MeV_u[b] * m->bin_edge_MeV_u[b + 1]));
      alpha[s * m->n_bin + b] = r.alpha_per_Gy;
      root_beta[s * m->n_bin + b] = sqrt(r.beta_per_Gy2);
    }
  for (PetscInt i = 0; i < m->n_energy * m->n_depth; i++) {
    const float *share = m->dose_share + (size_t)i * (size_t)per_node;
    double sum = 0, sum_alpha = 0, sum_root_beta = 0;
    for (PetscInt k = 0; k < per_node; k++) {
      sum += share[k];
      sum_alpha += share[k] * alpha[k];
      sum_root_beta += share[k] * root_beta[k];
    }
    biology->alpha_per_Gy[i] = sum > 0 ? sum_alpha / sum : spec->alpha_x_per_Gy;
    biology->sqrt_beta_per_Gy[i] = sum > 0 ? sum_root_beta / sum : sqrt(spec->beta_x_per_Gy2);
  }
  PetscCall(PetscFree2(alpha, root_beta));
  PetscFunctionReturn(0);
}

PetscErrorCode BiologyCreate(const BiologySpec *spec, const Machine *machine, Mistakes *mistakes, Biology **out)
{
  PetscFunctionBegin;
  *out = NULL;
  PetscInt before = mistakes->n, tissue = -1;
  PetscCall(SpecCheck(spec, machine, mistakes));
  if (mistakes->n > before) PetscFunctionReturn(0);
  PetscBool table = strcmp(spec->model, "table") ? PETSC_FALSE : PETSC_TRUE;
  if (table) PetscCall(FindTissue(spec, machine, mistakes, &tissue));
  if (table && tissue < 0) PetscFunctionReturn(0);
  Biology *biology;
  PetscInt n = machine->n_energy * machine->n_depth;
  PetscCall(PetscNew(&biology));
  biology->spec = *spec;
  biology->spec.model = biology_model_names[table ? 1 : 0]; /* the caller's string may go */
  PetscCall(PetscMalloc1(n, &biology->alpha_per_Gy));
  PetscCall(PetscMalloc1(n, &biology->sqrt_beta_per_Gy));
  if (table)
    FillFromTable(machine, tissue, biology);
  else
    PetscCall(FillFromSpectra(spec, machine, biology));
  *out = biology;
  PetscFunctionReturn(0);
}

PetscErrorCode BiologyDestroy(Biology **biology)
{
  PetscFunctionBegin;
  if (!*biology) PetscFunctionReturn(0);
  PetscCall(PetscFree((*biology)->alpha_per_Gy));
  PetscCall(PetscFree((*biology)->sqrt_beta_per_Gy));
  PetscCall(PetscFree(*biology));
  PetscFunctionReturn(0);
}
