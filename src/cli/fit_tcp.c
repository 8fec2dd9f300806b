/* fit-tcp: parameters of the TCP model from a table of patients. */
#include "robion/cli.h"
#include "robion/map.h"
#include "robion/results.h"
#include "robion/tcp_fit.h"
#include "robion/text.h"
#include <math.h>
#include <string.h>

#define FIT_HEADER "patient,case,dose,control,set"
enum { FIT_PATIENT, FIT_CASE, FIT_DOSE, FIT_CONTROL, FIT_SET };
static const double bin_ln = 0.02, bin_Gy = 0.1; /* voxels this near to each other are taken as one */

static struct {
  const char *structure, *link;
  TCPSpec spec;
  double bootstrap, seed;
} given = {.structure = "GTV", .bootstrap = 500, .seed = 1};

static void FitPresets(void)
{
  (void)TCPSpecDefault(&given.spec);
  given.link = tcp_link_names[given.spec.link];
}

static const Option fit_options[] = {
    {"--structure", "NAME", "the structure whose clonogens count", .value = &given.structure},
    {"--link", "power|logarithm", "how control goes with the number of clonogens", .value = &given.link},
    {"--alpha-beta-Gy", "X", "alpha/beta", .number = &given.spec.alpha_beta_Gy, .least = 0.1, .most = 100},
    {"--fractions", "N", "of the course", .number = &given.spec.fractions, .least = 1, .most = 100},
    {"--bootstrap", "N", "samples of the patients for the intervals", .number = &given.bootstrap, .least = 2,
     .most = 100000},
    {"--seed", "N", "of these samples", .number = &given.seed, .least = 1, .most = 1e9}};

static const Command command_fit = {.operands = "PATIENTS.csv",
                                    .purpose =
                                        "fit the TCP model to patients: a table " FIT_HEADER
                                        " (case file with clonogens; course dose in Gy(RBE) or map; yes, no; fit, "
                                        "test)",
                                    .least = 1,
                                    .most = 1,
                                    .n_option = PETSC_STATIC_ARRAY_LENGTH(fit_options),
                                    .option = fit_options,
                                    .presets = FitPresets};

/* A word of the table as a flag; a mistake if it is neither. */
static PetscErrorCode TakeWord(const char *where, const char *found, const char *yes, const char *no,
                               Mistakes *mistakes, PetscBool *flag)
{
  PetscFunctionBegin;
  *flag = strcmp(found, yes) ? PETSC_FALSE : PETSC_TRUE;
  if (!*flag && strcmp(found, no))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: found %s, expected %s or %s", where, found, yes, no));
  PetscFunctionReturn(0);
}

/* A voxel for the fit. */
typedef struct Voxel {
  double ln, dose;
} Voxel;

static PetscInt Bin(double value, double width)
{
  return (PetscInt)floor(value / width);
}

static int BinOrder(const void *left, const void *right)
{
  const Voxel *a = left, *b = right;
  PetscInt d = Bin(a->ln, bin_ln) - Bin(b->ln, bin_ln);
  if (!d) d = Bin(a->dose, bin_Gy) - Bin(b->dose, bin_Gy);
  if (d) return d < 0 ? -1 : 1;
  if (a->ln != b->ln) return a->ln < b->ln ? -1 : 1;
  return a->dose < b->dose ? -1 : a->dose > b->dose;
}

/* Voxels of the same bins as one, with the mean of their ln N and dose; n_all: voxels of the structure. */
static PetscErrorCode Bundle(PetscInt n_all, PetscInt n, Voxel *voxel, TCPPatient *patient)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc3(n, &patient->share, n, &patient->clonogens, n, &patient->dose_Gy_RBE));
  qsort(voxel, (size_t)n, sizeof *voxel, BinOrder);
  for (PetscInt first = 0, next; first < n; first = next) {
    double ln = 0, dose = 0;
    for (next = first; next < n && Bin(voxel[next].ln, bin_ln) == Bin(voxel[first].ln, bin_ln) &&
                       Bin(voxel[next].dose, bin_Gy) == Bin(voxel[first].dose, bin_Gy);
         next++) {
      ln += voxel[next].ln;
      dose += voxel[next].dose;
    }
    patient->share[patient->n] = (double)(next - first) / n_all;
    patient->clonogens[patient->n] = exp(ln / (next - first));
    patient->dose_Gy_RBE[patient->n++] = dose / (next - first);
  }
  PetscFunctionReturn(0);
}

/* The dose of a patient: one number, or a map of the case. NULL: `uniform` counts. */
static PetscErrorCode FindDose(const Case *patient, const char *where, const char *text, Mistakes *mistakes,
                               double *uniform, const float **map)
{
  PetscFunctionBegin;
  *map = NULL;
  if (TextParseNumber(text, uniform)) {
    if (*uniform < 0 || *uniform > 1000)
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: dose %g, expected 0 to 1000 Gy(RBE)", where, *uniform));
    PetscFunctionReturn(0);
  }
  const PetscInt m = CaseFindMap(patient, text);
  if (m < 0)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: dose %s is neither a number nor a map of case %s", where, text,
                          patient->name));
  else if (strcmp(patient->maps[m].unit, "Gy(RBE)"))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: map %s of case %s is in %s, expected Gy(RBE)", where, text,
                          patient->name, patient->maps[m].unit));
  else
    *map = patient->maps[m].value;
  PetscFunctionReturn(0);
}

/* Voxels of the structure; those without clonogens have no survival, but their part of its volume, as in a plan's TCP. */
static PetscErrorCode TakeVoxels(const Case *patient, const char *where, const char *structure, const char *dose,
                                 Mistakes *mistakes, TCPPatient *out)
{
  PetscFunctionBegin;
  const PetscInt s = CaseFindStructure(patient, structure), m = CaseFindMap(patient, MAP_CLONOGENS);
  const PetscInt before = mistakes->n;
  double uniform = 0;
  const float *map = NULL;
  Voxel *voxel;
  PetscInt n_all = 0, n = 0;
  if (s < 0)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: case %s has no structure %s", where, patient->name, structure));
  if (m < 0)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: case %s has no map " MAP_CLONOGENS, where, patient->name));
  PetscCall(FindDose(patient, where, dose, mistakes, &uniform, &map));
  if (mistakes->n > before) PetscFunctionReturn(0);
  const double per_27mm3 = TCP_REFERENCE_MM3 * 1e-3 / GridVoxelVolume_cm3(&patient->ct);
  PetscCall(PetscMalloc1(GridSize(&patient->ct), &voxel));
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    n_all += patient->structures[s].mask[v];
    if (patient->structures[s].mask[v] && patient->maps[m].value[v] > 0)
      voxel[n++] = (Voxel){log(patient->maps[m].value[v] * per_27mm3), map ? (double)map[v] : uniform};
  }
  if (n_all - n > TCP_MOST_EMPTY * n_all)
    printf("%s: warning: %.1f %% of %s hold no clonogens and count as controlled\n", where, 100.0 * (n_all - n) / n_all,
           structure);
  if (n)
    PetscCall(Bundle(n_all, n, voxel, out));
  else
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: structure %s of case %s has no clonogens", where, structure,
                          patient->name));
  PetscCall(PetscFree(voxel));
  PetscFunctionReturn(0);
}

/* One row: its case is read, taken from and forgotten. A case's path is relative to the table. */
static PetscErrorCode TakeRow(const char *table, PetscInt row, char *const *field, const char *structure,
                              Mistakes *mistakes, TCPPatient *out)
{
  PetscFunctionBegin;
  char where[PETSC_MAX_PATH_LEN], path[PETSC_MAX_PATH_LEN];
  const char *slash = strrchr(table, '/');
  Case *patient;
  snprintf(where, sizeof where, "%s:%d", table, (int)row + 2);
  if (slash && field[FIT_CASE][0] != '/')
    snprintf(path, sizeof path, "%.*s/%s", (int)(slash - table), table, field[FIT_CASE]);
  else
    snprintf(path, sizeof path, "%s", field[FIT_CASE]);
  PetscCall(TakeWord(where, field[FIT_CONTROL], "yes", "no", mistakes, &out->control));
  PetscCall(TakeWord(where, field[FIT_SET], "test", "fit", mistakes, &out->held_out));
  PetscCall(CaseLoad(path, mistakes, &patient));
  if (patient) PetscCall(TakeVoxels(patient, where, structure, field[FIT_DOSE], mistakes, out));
  PetscCall(CaseDestroy(&patient));
  PetscFunctionReturn(0);
}

/* Nothing can be told apart where outcomes are all alike. */
static PetscBool IsOneOutcome(const TCPQuality *q)
{
  return q->n_control == 0 || q->n_control == q->n ? PETSC_TRUE : PETSC_FALSE;
}

static void PrintQuality(const char *what, const TCPQuality *q)
{
  char auc[32] = "not defined";
  if (!IsOneOutcome(q)) snprintf(auc, sizeof auc, "%.3f", q->auc);
  printf("%s: %d patients, %d controlled; AUC %s, predicted minus observed control %+.3f, Brier score %.3f\n", what,
         (int)q->n, (int)q->n_control, auc, q->expected, q->brier);
}

/* A fit that is worse than one TCP for everyone has found nothing. */
static void WarnOfBadFit(const TCPQuality *fitted)
{
  const double rate = (double)fitted->n_control / (double)fitted->n;
  if (IsOneOutcome(fitted))
    printf("  warning: all outcomes are alike, and the parameters hardly more than the start's\n");
  else if (fitted->brier > 1.001 * rate * (1 - rate))
    printf("  warning: no better than the same TCP for everyone; are doses Gy(RBE) of the whole course?\n");
}

/* Of kappa and alpha; ln A has none of its own. */
static PetscBool AtBound(int parameter, double value)
{
  const double *bounds = tcp_fit_bounds[parameter], near = 1e-3 * (bounds[1] - bounds[0]);
  if (parameter == TCP_LN_A) return PETSC_FALSE;
  return value < bounds[0] + near || value > bounds[1] - near ? PETSC_TRUE : PETSC_FALSE;
}

static void PrintFit(const TCPFit *fit, PetscInt n_bootstrap)
{
  printf("TCP = exp(-S), S = exp(ln_a + %s - alpha D - alpha D^2 / (n alpha/beta)), alpha/beta %g Gy, n %g\n",
         fit->spec.link == TCP_LINK_POWER ? "kappa ln N" : "ln ln(1 + N / N0)", fit->spec.alpha_beta_Gy,
         fit->spec.fractions);
  for (int k = 0; k < N_TCP_FITTED; k++)
    if (k != TCP_KAPPA || fit->spec.link == TCP_LINK_POWER)
      printf("%-14s %10.5g  (%.5g to %.5g)%s\n", tcp_fitted_names[k], fit->parameter[k].value, fit->parameter[k].low,
             fit->parameter[k].high, AtBound(k, fit->parameter[k].value) ? "  at the edge of what is tried" : "");
  PrintQuality("fitted", &fit->fitted);
  WarnOfBadFit(&fit->fitted);
  if (fit->held_out.n) PrintQuality("held out", &fit->held_out);
  const TCPQuality *judged = fit->held_out.n ? &fit->held_out : &fit->fitted;
  char auc[64] = "not defined";
  if (!IsOneOutcome(judged))
    snprintf(auc, sizeof auc, "%.3f (%.3f to %.3f)", fit->auc.value, fit->auc.low, fit->auc.high);
  printf("%s: AUC %s, predicted minus observed control %+.3f (%+.3f to %+.3f)\n",
         fit->held_out.n ? "held out" : "fitted", auc, fit->expected.value, fit->expected.low, fit->expected.high);
  printf("intervals: 95 %%, %d bootstrap samples of the patients\n", (int)n_bootstrap);
}

static PetscErrorCode TakeLink(Mistakes *mistakes)
{
  PetscFunctionBegin;
  for (PetscInt l = 0; l < N_TCP_LINKS; l++)
    if (!strcmp(given.link, tcp_link_names[l])) given.spec.link = (TCPLink)l;
  if (strcmp(given.link, tcp_link_names[given.spec.link]))
    PetscCall(
        MistakesAdd(mistakes, ROBION_COMMAND_LINE, "option --link is %s, expected power or logarithm", given.link));
  PetscFunctionReturn(0);
}

static PetscErrorCode FitTable(const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Table table = {0};
  TCPPatient *patient;
  TCPFit fit;
  PetscInt fitted = 0;
  PetscCall(TakeLink(mistakes));
  if (MistakesAny(mistakes) || !TableRead(file, FIT_HEADER, mistakes, &table)) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1(table.n_rows, &patient));
  for (PetscInt row = 0; row < table.n_rows; row++) {
    PetscCall(TakeRow(file, row, &table.field[row * table.n_columns], given.structure, mistakes, &patient[row]));
    fitted += !patient[row].held_out;
  }
  if (!MistakesAny(mistakes) && fitted < 2 * N_TCP_FITTED)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %d patients of set fit, expected at least %d", file, (int)fitted,
                          2 * N_TCP_FITTED));
  if (!MistakesAny(mistakes)) {
    PetscCall(TCPFitAll(table.n_rows, patient, &given.spec, (PetscInt)given.bootstrap, (PetscInt)given.seed, &fit));
    PrintFit(&fit, (PetscInt)given.bootstrap);
  }
  for (PetscInt row = 0; row < table.n_rows; row++)
    PetscCall(PetscFree3(patient[row].share, patient[row].clonogens, patient[row].dose_Gy_RBE));
  PetscCall(PetscFree(patient));
  PetscCall(TableDestroy(&table));
  PetscFunctionReturn(0);
}

static PetscErrorCode RunFit(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *file;
  PetscCall(ArgumentsParse(arguments, &verb_fit_tcp, &command_fit, &file, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(FitTable(file, mistakes));
  *exit_code = MistakesExit(mistakes);
  PetscFunctionReturn(0);
}

const Verb verb_fit_tcp = {.name = "fit-tcp", .run = RunFit, .n_command = 1, .command = &command_fit};
