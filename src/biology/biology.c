/*
 * The models of radiation response, and alpha and sqrt(beta) of a machine's field by each of them.
 */
#include "biology_private.h"
#include <math.h>
#include <string.h>

#define SAME_TISSUE 1e-6 /* relative, between a study's and a machine's photon parameters */

const char *const beta_averaging_names[] = {"sqrt-beta", "beta"};
const PetscInt n_beta_averaging_names = PETSC_STATIC_ARRAY_LENGTH(beta_averaging_names);
const char *const lem_approach_names[] = {"low-dose", "full"};
const PetscInt n_lem_approach_names = PETSC_STATIC_ARRAY_LENGTH(lem_approach_names);

static PetscErrorCode CheckPositive(const char *key, double value, PetscBool zero_allowed, Mistakes *mistakes)
{
  PetscFunctionBegin;
  if (!(value > 0 || (zero_allowed && value == 0)) || !isfinite(value))
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY, "biology: %s is %g, expected a positive number", key, value));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckModelName(const char *found, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char known[256] = "";
  for (PetscInt i = 0; i < n_biology_model_names; i++) {
    size_t used = strlen(known);
    const char *separator = i == 0 ? "" : i + 1 == n_biology_model_names ? " or " : ", ";
    snprintf(known + used, sizeof known - used, "%s%s", separator, biology_model_names[i]);
  }
  PetscCall(MistakesAdd(mistakes, ROBION_STUDY, "biology: model \"%s\" is unknown, expected %s%s", found, known,
                        SuggestName(" (", found, n_biology_model_names, biology_model_names).text));
  PetscFunctionReturn(0);
}

static PetscErrorCode SpecCheck(const BiologySpec *spec, const BiologyModel *model, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscCall(CheckPositive("alpha_x", spec->alpha_x_per_Gy, PETSC_FALSE, mistakes));
  PetscCall(CheckPositive("beta_x", spec->beta_x_per_Gy2, PETSC_TRUE, mistakes));
  PetscCall(CheckPositive("d_t", spec->d_t_Gy, PETSC_FALSE, mistakes));
  PetscCall(CheckPositive("r_nucleus", spec->r_nucleus_um, PETSC_FALSE, mistakes));
  PetscCall(CheckPositive("clinical_factor", spec->clinical_factor, PETSC_FALSE, mistakes));
  PetscCall(CheckPositive("rbe", spec->rbe, PETSC_FALSE, mistakes));
  PetscCall(CheckPositive("alpha", spec->alpha_per_Gy, PETSC_TRUE, mistakes));
  PetscCall(CheckPositive("beta", spec->beta_per_Gy2, PETSC_TRUE, mistakes));
  PetscCall(CheckPositive("alpha0", spec->alpha0_per_Gy, PETSC_TRUE, mistakes));
  PetscCall(CheckPositive("beta0", spec->beta0_per_Gy2, PETSC_TRUE, mistakes));
  PetscCall(CheckPositive("r_domain", spec->r_domain_um, PETSC_TRUE, mistakes));
  PetscCall(CheckPositive("z0", spec->z0_Gy, PETSC_TRUE, mistakes));
  if (!model)
    PetscCall(CheckModelName(spec->model ? spec->model : "", mistakes));
  else if (!BiologySpecKnowsCells(spec))
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY,
                          "biology: model %s knows no parameters of cell line %s, expected hsg, or r_domain and beta0 "
                          "above 0",
                          model->name, spec->cell_line ? spec->cell_line : "(none)"));
  else if (spec->approach == LEM_FULL && !(model->has_approach && (spec->table || !model->has_rbe_file)))
    PetscCall(
        MistakesAdd(mistakes, ROBION_STUDY,
                    "biology: model %s has no approach full, expected approach low-dose, model lem1, or model table "
                    "with an RBE file",
                    model->name));
  PetscFunctionReturn(0);
}

/* The channel of beta: the mean that the averaging rule forms. */
static double BetaChannel(const BiologySpec *spec, double beta_per_Gy2)
{
  return spec->averaging == AVERAGE_BETA ? beta_per_Gy2 : sqrt(beta_per_Gy2);
}

/* Fixed alpha and beta, or those that give every dose below D_t the same RBE. */
static PetscErrorCode FillConstant(const BiologyModel *model, const Machine *m, Mistakes *mistakes, Biology *biology)
{
  PetscFunctionBegin;
  const BiologySpec *spec = &biology->spec;
  PetscBool fixed = spec->alpha_per_Gy > 0 ? PETSC_TRUE : PETSC_FALSE;
  double alpha = fixed ? spec->alpha_per_Gy : spec->rbe * spec->alpha_x_per_Gy;
  double beta = fixed ? spec->beta_per_Gy2 : spec->rbe * spec->rbe * spec->beta_x_per_Gy2;
  for (PetscInt i = 0; i < m->n_energy * m->n_component * m->n_depth; i++) {
    biology->alpha_per_Gy[i] = alpha;
    biology->sqrt_beta_per_Gy[i] = BetaChannel(spec, beta);
  }
  PetscFunctionReturn(0);
}

/* alpha and the beta channel of every species and energy bin. */
static PetscErrorCode RespondAll(const BiologyModel *model, const BiologySpec *spec, const Machine *m,
                                 Mistakes *mistakes, double *alpha, double *beta_channel)
{
  PetscFunctionBegin;
  ResponseTables tables = {0};
  PetscInt before = mistakes->n;
  if (model->has_let_table) PetscCall(LETTableCreate(spec, mistakes, &tables.by_let));
  if (model->has_rbe_file) PetscCall(RBETableCreate(spec, m->n_species, m->species, mistakes, &tables.by_energy));
  if (mistakes->n > before) PetscFunctionReturn(0);
  for (PetscInt s = 0; s < m->n_species; s++)
    for (PetscInt b = 0; b < m->n_bin; b++) {
      double energy = sqrt(m->bin_edge_MeV_u[b] * m->bin_edge_MeV_u[b + 1]);
      IonResponse r = (*model->response)(spec, &tables, m->species[s].Z, m->species[s].A, energy);
      PetscCheck(isfinite(r.alpha_per_Gy) && r.beta_per_Gy2 >= 0, PETSC_COMM_SELF, PETSC_ERR_FP,
                 "model %s: alpha %g, beta %g of ion (%d, %d) at %g MeV/u", model->name, r.alpha_per_Gy, r.beta_per_Gy2,
                 (int)m->species[s].Z, (int)m->species[s].A, energy);
      alpha[s * m->n_bin + b] = r.alpha_per_Gy;
      beta_channel[s * m->n_bin + b] = BetaChannel(spec, r.beta_per_Gy2);
    }
  PetscCall(LETTableDestroy(&tables.by_let));
  PetscCall(RBETableDestroy(&tables.by_energy));
  PetscFunctionReturn(0);
}

/* Dose and dose-weighted alpha and beta channel of ions. */
typedef struct Response {
  double dose, alpha, beta;
} Response;

static void ResponseAdd(double dose, double alpha, double beta, Response *sum)
{
  sum->dose += dose;
  sum->alpha += dose * alpha;
  sum->beta += dose * beta;
}

/* What the ions of component k do at one node of the machine; of every component with k < 0. */
static Response IonsOf(const Machine *m, PetscInt e, PetscInt k, PetscInt d, const double *alpha,
                       const double *beta_channel)
{
  const float *share = m->dose_share + (size_t)(e * m->n_depth + d) * (size_t)m->n_species * (size_t)m->n_bin;
  Response sum = {0};
  for (PetscInt s = 0; s < m->n_species; s++) {
    if (k >= 0 && m->species_component[s] >= 0 && m->species_component[s] != k) continue;
    for (PetscInt i = s * m->n_bin; i < (s + 1) * m->n_bin; i++)
      ResponseAdd((double)share[i], alpha[i], beta_channel[i], &sum);
  }
  return sum;
}

/* Whether components at a node have dose of recoils; of a single one that is the whole field, which needs no mean beside its own. */
static PetscBool HasRecoils(const Machine *m, PetscInt e, PetscInt d)
{
  return m->n_component > 1 && m->recoil[e * m->n_depth + d] > 0 ? PETSC_TRUE : PETSC_FALSE;
}

/*
 * Means over the dose of one lateral component at one node of the machine; false if it has no dose there. Recoils of the
 * target, whose spectra are not followed, act as the mean of the field's ions (`all`), so that the components together do as well.
 */
static PetscBool FillNode(const Machine *m, PetscInt e, PetscInt k, PetscInt d, const double *alpha,
                          const double *beta_channel, const Response *all, Biology *biology)
{
  Response own = IonsOf(m, e, k, d, alpha, beta_channel);
  PetscInt to = (e * m->n_component + k) * m->n_depth + d;
  if (HasRecoils(m, e, d)) {
    double share = m->component[to] * all->dose / (1 - m->recoil[e * m->n_depth + d]) - own.dose;
    if (share > 0) ResponseAdd(share, all->alpha / all->dose, all->beta / all->dose, &own);
  }
  PetscBool any = own.dose > 0 ? PETSC_TRUE : PETSC_FALSE;
  biology->alpha_per_Gy[to] = any ? own.alpha / own.dose : biology->spec.alpha_x_per_Gy;
  biology->sqrt_beta_per_Gy[to] = any ? own.beta / own.dose : BetaChannel(&biology->spec, biology->spec.beta_x_per_Gy2);
  return any;
}

/* All depths of one component; where it has no dose, the nearest node before that has (at the entrance: behind). */
static void FillComponent(const Machine *m, PetscInt e, PetscInt k, const double *alpha, const double *beta_channel,
                          const Response *all, Biology *biology)
{
  double *a = biology->alpha_per_Gy + (e * m->n_component + k) * m->n_depth;
  double *b = biology->sqrt_beta_per_Gy + (e * m->n_component + k) * m->n_depth;
  PetscInt first = -1;
  for (PetscInt d = 0; d < m->n_depth; d++) {
    if (FillNode(m, e, k, d, alpha, beta_channel, &all[d], biology)) {
      if (first < 0) first = d;
    } else if (first >= 0) {
      a[d] = a[d - 1];
      b[d] = b[d - 1];
    }
  }
  for (PetscInt d = 0; d < first; d++) {
    a[d] = a[first];
    b[d] = b[first];
  }
}

/* The expansion of the stochastic model is one in the nucleus's specific energy: of a small nucleus it makes no sense. */
static PetscErrorCode CheckMeans(const BiologyModel *model, const Machine *m, const Biology *biology,
                                 Mistakes *mistakes)
{
  PetscFunctionBegin;
  double least = 0;
  for (PetscInt i = 0; i < m->n_energy * m->n_component * m->n_depth; i++)
    least = PetscMin(least, biology->alpha_per_Gy[i]);
  if (least < 0)
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY,
                          "biology: model %s gives a mean alpha of %.3g per Gy, expected none below 0: r_nucleus_um of "
                          "%g is too small for it",
                          model->name, least, biology->spec.r_nucleus_um));
  PetscFunctionReturn(0);
}

/* Dose-weighted means of what each species and energy bin does. */
static PetscErrorCode FillMeans(const Machine *m, const double *alpha, const double *beta_channel, Biology *biology)
{
  PetscFunctionBegin;
  Response *all; /* [depth] of one energy */
  PetscCall(PetscMalloc1(m->n_depth, &all));
  for (PetscInt e = 0; e < m->n_energy; e++) {
    for (PetscInt d = 0; d < m->n_depth; d++)
      if (HasRecoils(m, e, d)) all[d] = IonsOf(m, e, -1, d, alpha, beta_channel);
    for (PetscInt k = 0; k < m->n_component; k++) FillComponent(m, e, k, alpha, beta_channel, all, biology);
  }
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/*
 * Dose-weighted means over species and energies: of alpha and sqrt(beta) (Zaider & Rossi, Radiat Res 83:732, 1980), or of alpha
 * and beta (Yagi et al., PLoS One 18:e0288545, 2023).
 */
static PetscErrorCode FillFromSpectra(const BiologyModel *model, const Machine *m, Mistakes *mistakes, Biology *biology)
{
  PetscFunctionBegin;
  PetscInt per_node = m->n_species * m->n_bin, before = mistakes->n;
  double *alpha, *beta_channel;
  if (!m->n_species) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "biology: model %s%s needs dose spectra, but machine \"%s\" has none; expected built-in base "
                          "data or model table%s",
                          model->name, model->has_rbe_file ? " with an RBE file" : "", m->name ? m->name : "?",
                          model->has_rbe_file ? " without a file" : ""));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc2(per_node, &alpha, per_node, &beta_channel));
  PetscCall(RespondAll(model, &biology->spec, m, mistakes, alpha, beta_channel));
  if (mistakes->n == before) {
    PetscCall(FillMeans(m, alpha, beta_channel, biology));
    PetscCall(CheckMeans(model, m, biology, mistakes));
  }
  PetscCall(PetscFree2(alpha, beta_channel));
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

static PetscErrorCode FillFromTable(const BiologyModel *model, const Machine *m, Mistakes *mistakes, Biology *biology)
{
  PetscFunctionBegin;
  PetscInt tissue;
  if (biology->spec.table) {
    PetscCall(FillFromSpectra(model, m, mistakes, biology));
    PetscFunctionReturn(0);
  }
  PetscCall(FindTissue(&biology->spec, m, mistakes, &tissue));
  if (tissue < 0) PetscFunctionReturn(0);
  for (PetscInt e = 0; e < m->n_energy; e++)
    for (PetscInt d = 0; d < m->n_depth; d++) {
      PetscInt from = (e * m->n_tissue + tissue) * m->n_depth + d;
      for (PetscInt k = 0; k < m->n_component; k++) {
        PetscInt to = (e * m->n_component + k) * m->n_depth + d;
        biology->alpha_per_Gy[to] = m->alpha[from];
        biology->sqrt_beta_per_Gy[to] = BetaChannel(&biology->spec, m->beta[from]);
      }
    }
  PetscFunctionReturn(0);
}

static IonResponse RespondLEM1(const BiologySpec *spec, const ResponseTables *tables, PetscInt Z, PetscInt A,
                               double energy)
{
  return LEM1(spec, Z, A, energy);
}

static IonResponse RespondMKM(const BiologySpec *spec, const ResponseTables *tables, PetscInt Z, PetscInt A,
                              double energy)
{
  return MKM(spec, Z, A, energy);
}

static IonResponse RespondSMK(const BiologySpec *spec, const ResponseTables *tables, PetscInt Z, PetscInt A,
                              double energy)
{
  return SMKExpansion(spec, SMK(spec, Z, A, energy), SpecificEnergy_Gy(Z, A, energy, spec->r_nucleus_um, 0));
}

static IonResponse RespondByLET(const BiologySpec *spec, const ResponseTables *tables, PetscInt Z, PetscInt A,
                                double energy)
{
  return LETTableResponse(spec, tables->by_let, LET_keV_um(Z, A, energy));
}

static IonResponse RespondByRBE(const BiologySpec *spec, const ResponseTables *tables, PetscInt Z, PetscInt A,
                                double energy)
{
  return RBETableResponse(tables->by_energy, Z, A, energy);
}

const char *const biology_model_names[] = {"lem1", "mkm", "smk", "mixed-beam", "constant", "table"};
const PetscInt n_biology_model_names = PETSC_STATIC_ARRAY_LENGTH(biology_model_names);

/* In the order of biology_model_names. */
static const BiologyModel models[] = {
    {"lem1", "chordoma", .has_transition = PETSC_TRUE, .has_approach = PETSC_TRUE, .response = RespondLEM1,
     .fill = FillFromSpectra},
    {"mkm", "hsg", .has_domains = PETSC_TRUE, .response = RespondMKM, .fill = FillFromSpectra},
    {"smk", "hsg", .has_domains = PETSC_TRUE, .response = RespondSMK, .fill = FillFromSpectra},
    {"mixed-beam", "hsg", .has_domains = PETSC_TRUE, .has_let_table = PETSC_TRUE, .response = RespondByLET,
     .fill = FillFromSpectra},
    {"constant", "chordoma", .fill = FillConstant},
    {"table", "chordoma", .has_transition = PETSC_TRUE, .has_approach = PETSC_TRUE, .has_rbe_file = PETSC_TRUE,
     .response = RespondByRBE, .fill = FillFromTable},
};

const BiologyModel *BiologyModelFind(const char *name)
{
  for (size_t i = 0; name && i < PETSC_STATIC_ARRAY_LENGTH(models); i++)
    if (!strcmp(name, models[i].name)) return &models[i];
  return NULL;
}

/* A biology whose tables are still to be filled; the caller's strings may go. */
static PetscErrorCode FrameCreate(const BiologySpec *spec, const Machine *machine, Biology **out)
{
  PetscFunctionBegin;
  const PetscInt n = machine->n_energy * machine->n_component * machine->n_depth;
  PetscCall(PetscNew(out));
  (*out)->spec = *spec;
  (*out)->spec.model = BiologyModelFind(spec->model)->name;
  (*out)->spec.cell_line = (*out)->spec.table = NULL;
  PetscCall(PetscMalloc1(n, &(*out)->alpha_per_Gy));
  PetscCall(PetscMalloc1(n, &(*out)->sqrt_beta_per_Gy));
  PetscFunctionReturn(0);
}

PetscErrorCode BiologyCreate(const BiologySpec *spec, const Machine *machine, Mistakes *mistakes, Biology **out)
{
  PetscFunctionBegin;
  *out = NULL;
  const BiologyModel *model = BiologyModelFind(spec->model);
  const PetscInt before = mistakes->n;
  PetscCall(SpecCheck(spec, model, mistakes));
  if (mistakes->n > before) PetscFunctionReturn(0);
  PetscCall(FrameCreate(spec, machine, out));
  (*out)->spec.table = spec->table; /* while it is read */
  PetscCall((*model->fill)(model, machine, mistakes, *out));
  (*out)->spec.table = NULL;
  if (mistakes->n > before) PetscCall(BiologyDestroy(out));
  PetscFunctionReturn(0);
}

/* Give what rank 0 has made, or its mistakes, to all ranks. */
static PetscErrorCode ShareTables(MPI_Comm team, const BiologySpec *spec, const Machine *machine, Mistakes *mistakes,
                                  Biology **out)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  const PetscMPIInt n = (PetscMPIInt)(machine->n_energy * machine->n_component * machine->n_depth);
  PetscCallMPI(MPI_Comm_rank(team, &rank));
  PetscCall(MistakesShare(team, mistakes));
  if (MistakesAny(mistakes)) {
    PetscCall(BiologyDestroy(out));
    PetscFunctionReturn(0);
  }
  if (rank) PetscCall(FrameCreate(spec, machine, out));
  PetscCallMPI(MPI_Bcast((*out)->alpha_per_Gy, n, MPI_DOUBLE, 0, team));
  PetscCallMPI(MPI_Bcast((*out)->sqrt_beta_per_Gy, n, MPI_DOUBLE, 0, team));
  PetscFunctionReturn(0);
}

PetscErrorCode BiologyCreateTogether(MPI_Comm team, const BiologySpec *spec, const Machine *machine, Mistakes *mistakes,
                                     Biology **out)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  *out = NULL;
  PetscCallMPI(MPI_Comm_rank(team, &rank));
  if (rank == 0) PetscCall(BiologyCreate(spec, machine, mistakes, out));
  PetscCall(ShareTables(team, spec, machine, mistakes, out));
  PetscFunctionReturn(0);
}

/* How much of a bin's dose lies above the threshold, by its part of the dose that is split between neighbouring bin centres. */
static double ShareAboveLET(const Machine *m, Species species, PetscInt bin, double let_keV_um)
{
  enum { EACH_SIDE = 10 };
  const double *edge = m->bin_edge_MeV_u, centre = sqrt(edge[bin] * edge[bin + 1]), ratio = edge[bin + 1] / edge[bin];
  double above = 0, all = 0;
  for (int i = 1 - EACH_SIDE; i < EACH_SIDE; i++) {
    const double weight = 1 - fabs((double)i) / EACH_SIDE;
    all += weight;
    if (LET_keV_um(species.Z, species.A, centre * pow(ratio, (double)i / EACH_SIDE)) >= let_keV_um) above += weight;
  }
  return above / all;
}

static PetscErrorCode AboveLETCreate(const BiologySpec *spec, const Machine *m, double let_keV_um, const char *where,
                                     Mistakes *mistakes, Biology **out)
{
  PetscFunctionBegin;
  double *share, *none;
  if (!m->n_species) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: needs dose spectra, but machine \"%s\" has none; expected built-in base data", where,
                          m->name ? m->name : "?"));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc1(m->n_species * m->n_bin, &share));
  PetscCall(PetscCalloc1(m->n_species * m->n_bin, &none));
  for (PetscInt s = 0; s < m->n_species; s++)
    for (PetscInt b = 0; b < m->n_bin; b++) share[s * m->n_bin + b] = ShareAboveLET(m, m->species[s], b, let_keV_um);
  PetscCall(FrameCreate(spec, m, out));
  PetscCall(FillMeans(m, share, none, *out));
  PetscCall(PetscFree(share));
  PetscCall(PetscFree(none));
  PetscFunctionReturn(0);
}

PetscErrorCode BiologyAboveLET(MPI_Comm team, const BiologySpec *spec, const Machine *machine, double let_keV_um,
                               const char *where, Mistakes *mistakes, Biology **out)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  *out = NULL;
  PetscCallMPI(MPI_Comm_rank(team, &rank));
  if (rank == 0) PetscCall(AboveLETCreate(spec, machine, let_keV_um, where, mistakes, out));
  PetscCall(ShareTables(team, spec, machine, mistakes, out));
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
