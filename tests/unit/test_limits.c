/*
 * Every number of a study at the ends of its range, in small plans: it is refused, or the plan is made, or fails for a reason that is
 * told; none ends with an internal error. ROBION_LIMITS=n tries every value in every study below, and n times several of them
 * together.   timeout: 600  sanitizer: slow
 */
#include "../../src/study/schema_private.h"
#include "robion/cohort.h"
#include "robion/counter_random.h"
#include "robion/log.h"
#include "robion/phantom.h"
#include "robion/stop.h"
#include "robion/text.h"
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static double longest_s = 0.5; /* a plan of extreme numbers may take long: then it is stopped */

static void Sure(int wrong)
{
  if (wrong) abort();
}

static const char study_text[] =
    "robion: 1\n"
    "name: limits\n"
    "cases: [{phantom: water-box, ct_spacing_mm: 2, size_mm: [36, 36, 36], target_mm: [12, 12, 12]}]\n"
    "machine: {energies_MeV_u: [75, 90, 105]}\n"
    "biology: {model: constant}\n" /* the quickest */
    "prescription: {dose_Gy_RBE: 3, target: CTV}\n"
    "beams: [{gantry_deg: 0}]\n"
    "dose_grid_mm: 4\n"
    "spots: {lateral_mm: 6, layer_mm: 5}\n"
    "objectives: [{structure: CTV, type: uniform, dose_Gy_RBE: 3}]\n"
    "optimizer: {max_iterations: 3, certificate_iterations: 2}\n";

/* What is changed of the study before keys are varied; a key that stands in several is varied in all of them. */
typedef struct Ground {
  const char *root; /* varied is what lies below it; "": all but what is below the others */
  const char *set[4];
} Ground;

#define OBJECTIVE(more)                                                                                                \
  "objectives.0",                                                                                                      \
  {                                                                                                                    \
    "objectives=[{structure: CTV, " more "}]"                                                                          \
  }
#define BIOLOGY(more)                                                                                                  \
  "biology",                                                                                                           \
  {                                                                                                                    \
    "biology={" more "}"                                                                                               \
  }
static const Ground grounds[] = {
    {"", {NULL}},
    {"cases.0", {NULL}},
    {"cases.0",
     {"cases=[{phantom: chordoma, ct_spacing_mm: 6}]", "prescription.target=GTV", "objectives.0.structure=GTV",
      "machine.energies_MeV_u=[150, 200, 250]"}},
    {"hlut", {"hlut=[[-1000, 0.001], [0, 1], [1000, 1.5]]"}},
    {"machine", {"machine={energies_MeV_u: [100]}"}},
    {"machine", {"machine={energies_MeV_u: [100], momentum_spread_fwhm: 0.001}"}},
    {"machine", {"machine={energy_min_MeV_u: 100, energy_max_MeV_u: 101, range_step_mm: 20}"}},
    {BIOLOGY("model: smk")},
    {BIOLOGY("model: lem1")},
    {BIOLOGY("model: lem1, approach: full")},
    {BIOLOGY("model: mkm")},
    {BIOLOGY("model: mixed-beam")},
    {BIOLOGY("model: constant")},
    {BIOLOGY("model: constant, alpha_per_Gy: 0.3, beta_per_Gy2: 0.05")},
    {BIOLOGY("averaging: beta")},
    {BIOLOGY("tissues: [{structures: [CTV], alpha_x_per_Gy: 0.2}]")},
    {"beams.0", {"beams=[{gantry_deg: 0, isocentre_mm: [0, 0, 0], range_shifter: {thickness_mm: 3}}]"}},
    {"stages.0",
     {"stages=[{name: a, target: CTV, fractions: 1, beams: [{gantry_deg: 0, couch_deg: 0, isocentre_mm: [0, 0, 0], "
      "range_shifter: {thickness_mm: 3}}]}, {name: b, target: CTV, fractions: 1}]",
      "prescription.fractions=2"}},
    {"course",
     {"stages=[{name: a, target: CTV, fractions: 1}, {name: b, target: CTV, fractions: 1}]", "prescription.fractions=2",
      "course={accumulate: eqd2}"}},
    {"spots", {"spots={lateral_mm: 6, layer_MeV_u: 5}"}},
    {"spots", {NULL}},
    {"scenarios",
     {"scenarios={optimize: {range_percent: [3], setup: axes, setup_mm: 3}, evaluate: {range_percent: [3], setup: "
      "list, shifts_mm: [[1, 0, 0]], rotations_deg: [[1, 0, 0]]}}",
      "robust=composite"}},
    {"scenarios",
     {"scenarios={optimize: {setup: axes, setup_mm: [1, 2, 3]}, evaluate: {setup: random, setup_mm: [1, 2, 3], "
      "rotation_sigma_deg: [1, 2, 3], number: "
      "2, "
      "range_sigma_percent: 1}}",
      "robust=composite"}},
    {"scenarios",
     {"scenarios={optimize: {setup: random, setup_mm: 3, number: 2, range_sigma_percent: 1, rotation_sigma_deg: [1, 2, "
      "3]}}",
      "robust=expected"}},
    {"scenarios",
     {"scenarios={optimize: {setup: list, shifts_mm: [[1, 0, 0]], rotations_deg: [[1, 0, 0]]}, evaluate: {setup: axes, "
      "setup_mm: 3}}"}},
    {"scenarios.optimize.plus.0",
     {"scenarios={optimize: {plus: [{range_percent: [3], setup: axes, setup_mm: 3}]}}", "robust=expected"}},
    {"scenarios.evaluate.plus.0", {"scenarios={evaluate: {plus: [{range_percent: [3], setup: axes, setup_mm: 3}]}}"}},
    {"scenarios.optimize.plus.0",
     {"scenarios={optimize: {plus: [{setup: list, shifts_mm: [[1, 0, 0]], rotations_deg: [[1, 0, 0]]}]}}",
      "robust=expected"}},
    {"scenarios.evaluate.plus.0",
     {"scenarios={evaluate: {plus: [{setup: list, shifts_mm: [[1, 0, 0]], rotations_deg: [[1, 0, 0]]}]}}"}},
    {"scenarios.optimize.plus.0",
     {"scenarios={optimize: {plus: [{setup: random, setup_mm: [1, 2, 3], number: 2, range_sigma_percent: 1, "
      "rotation_sigma_deg: [1, 2, 3]}]}}",
      "robust=expected"}},
    {"scenarios.evaluate.plus.0",
     {"scenarios={evaluate: {plus: [{setup: random, setup_mm: [1, 2, 3], number: 2, range_sigma_percent: 1, "
      "rotation_sigma_deg: [1, 2, 3]}]}}"}},
    {"scenarios.evaluate.plus.0",
     {"scenarios={evaluate: {plus: [{setup: random, setup_mm: 1, number: 2, alpha_sigma_percent: 5, "
      "beta_sigma_percent: 5}]}}"}},
    {"scenarios.optimize.plus.0",
     {"scenarios={optimize: {plus: [{setup: random, setup_mm: 1, number: 2, alpha_sigma_percent: 5, "
      "beta_sigma_percent: 5}]}}",
      "robust=expected"}},
    {"scenarios",
     {"scenarios={optimize: {setup: random, setup_mm: 1, number: 2, alpha_sigma_percent: 5, beta_sigma_percent: 5}, "
      "evaluate: "
      "{setup: random, setup_mm: 1, number: 2, alpha_sigma_percent: 5, beta_sigma_percent: 5}}",
      "robust=expected"}},
    {"scenarios.biology.0",
     {"scenarios={evaluate: {biology: [a]}, biology: [{name: a, alpha_factor: 2, beta_factor: 0.5}]}"}},
    {"scenarios.biology.0",
     {"scenarios={evaluate: {biology: [a]}, biology: [{name: a, model: mkm, cell_line: hsg, dose_Gy_RBE: 3, "
      "alpha_x_per_Gy: 0.3, "
      "beta_x_per_Gy2: 0.06, d_t_Gy: 1000, r_nucleus_um: 3.9, alpha0_per_Gy: 0.15, beta0_per_Gy2: 0.06, r_domain_um: "
      "0.3, z0_Gy: "
      "60, rbe: 1, alpha_per_Gy: 0, beta_per_Gy2: 0, clinical_factor: 1}]}"}},
    {OBJECTIVE("type: uniform, dose_Gy_RBE: 3")},
    {OBJECTIVE("type: uniform, dose_Gy_RBE: 3, robust: percentile, worst_fraction: 0.2")},
    {OBJECTIVE("type: uniform, dose_Gy: 1")},
    {OBJECTIVE("type: underdose, effect: 1")},
    {OBJECTIVE("type: mean, dose_Gy_RBE: 3")},
    {"objectives.0",
     {"objectives=[{structure: CTV, type: mean-linear, quantity: letd}, {structure: CTV, type: uniform, dose_Gy_RBE: "
      "3}]"}},
    {OBJECTIVE("type: max-dvh, dose_Gy_RBE: 3, volume_percent: 20")},
    {OBJECTIVE("type: maximum, dose_Gy_RBE: 3")},
    {OBJECTIVE("type: minimum, dose_Gy: 3")},
    {OBJECTIVE("type: max-geud, dose_Gy_RBE: 3, a: 8")},
    {OBJECTIVE("type: min-geud, dose_Gy_RBE: 3, a: -8")},
    {"objectives.0",
     {"objectives=[{structure: CTV, type: min-let, let_keV_um: 40}, {structure: CTV, type: uniform, dose_Gy_RBE: 3}]"}},
    {"objectives.0",
     {"objectives=[{structure: BODY, type: falloff, dose_Gy_RBE: 3, from: CTV, distance_mm: 10, low_percent: 10}, "
      "{structure: CTV, type: uniform, dose_Gy_RBE: 3}]"}},
    {OBJECTIVE("type: ntcp, a: 4, m: 0.14, td50_Gy: 72, alpha_beta_Gy: 2")},
    {"tcp",
     {"cases=[{file: case.h5}]",
      "objectives=[{structure: CTV, type: tcp}, {structure: CTV, type: uniform, dose_Gy_RBE: 3, weight: 100}]"}},
    {"tcp", {"cases=[{file: case.h5}]", "tcp={structure: CTV, link: logarithm}"}},
    {"constraints.0", {"constraints=[{structure: CTV, type: mean-equal, percent: 100}]"}},
    {"constraints.0", {"constraints=[{structure: CTV, type: voxel-at-most, dose_Gy_RBE: 4}]"}},
    {"constraints.0", {"constraints=[{structure: CTV, type: voxel-at-least, dose_Gy: 1}]"}},
    {"constraints.0", {"constraints=[{structure: CTV, type: max-dvh, dose_Gy_RBE: 3, volume_percent: 30}]"}},
    {"judging", {"judging={biology: {model: mkm}}"}},
    {"judging", {"judging={tcp: {kappa: 1}}"}},
    {"goals.0", {"goals=[{structure: CTV, metric: D95, at_least: 2}]"}},
    {"goals.0", {"goals=[{structure: CTV, metric: D0.03cc, at_most: 2}]"}},
    {"robust", {"robust={mode: voxelwise, on: effect}", "scenarios={optimize: {setup: axes, setup_mm: 3}}"}},
    {"robust", {"robust={mode: probabilistic}", "scenarios={optimize: {setup: axes, setup_mm: 3}}"}},
    {"robust", {"robust={mode: cvar}", "scenarios={optimize: {setup: axes, setup_mm: 3}}"}},
    {"spot_control",
     {"spot_control={heterogeneity: 0.01, oar_range: 1, oar_setup: 1, structures: [BODY], gradient: 0.5}"}},
    {"optimizer", {NULL}},
    {"optimizer", {"constraints=[{structure: CTV, type: mean-equal, percent: 100}]"}},
    {OBJECTIVE("type: ntcp, model: burman, fractionation: {alpha_beta_Gy: 2.5, d_t_Gy: 5, gamma_over_alpha: 5}")},
    {"outcomes.0",
     {"outcomes=[{name: a, structure: CTV, model: lkb, n: 0.25, m: 0.14, td50_Gy: 72, fractionation: {alpha_beta_Gy: "
      "2.5, d_t_Gy: 5, gamma_over_alpha: 5}}]"}},
    {"outcomes.0",
     {"outcomes=[{name: a, structure: CTV, model: lkb, a: 4, m: 0.14, td50_Gy: 72, fractionation: {alpha_beta_Gy: "
      "2}}]"}},
    {"outcomes.0", {"cases=[{file: case.h5}]", "outcomes=[{name: a, structure: CTV, model: tcp}]"}},
    {"activity", {"activity={windows: [{name: after, from_s: 120, to_s: 420}]}"}},
    {"delivery", {"delivery={min_particles: 1e4, step_particles: 100}"}},
};
enum { N_GROUNDS = sizeof grounds / sizeof *grounds, MOST_KEYS = 400, MOST_VALUES = 800, MOST_SETS = 4 };

/* A key of the study, and how many plans it has been varied in; a value of one that a ground can have. */
typedef struct Key {
  char path[128];
  int planned;
} Key;
typedef struct Value {
  int key;
  char set[192]; /* path=value */
} Value;

static Key keys[MOST_KEYS];
static Value values[MOST_VALUES];
static int n_together, n_keys, n_values, n_refused, n_made, n_failed, n_wrong;
static char folder[] = "/tmp/robion-limits.XXXXXX", study_file[64], words[64];

/* --- The values ----------------------------------------------------------------------------------------------------- */

static int KeyOf(const char *path)
{
  for (int k = 0; k < n_keys; k++)
    if (!strcmp(keys[k].path, path)) return k;
  assert_true(n_keys < MOST_KEYS);
  snprintf(keys[n_keys].path, sizeof keys->path, "%s", path);
  return n_keys++;
}

static void AddValue(const char *path, double value)
{
  assert_true(n_values < MOST_VALUES);
  values[n_values].key = KeyOf(path);
  snprintf(values[n_values++].set, sizeof values->set, "%s=%.17g", path, value);
}

/* Both ends of the range; where it begins at or below 0, also a number that is next to nothing, and a small one. */
static void AddNumber(const SchemaKey *key, const char *path)
{
  if (key->min == key->max) return;
  if (!key->above) AddValue(path, key->min);
  AddValue(path, key->below ? nextafter(key->max, key->min) : key->max);
  if ((key->type & TYPE_INTEGER) || key->min > 0 || key->max <= 0) return;
  AddValue(path, 1e-300);
  AddValue(path, 1e-9);
}

/* Whether another ground varies what lies below this path. */
static PetscBool IsOfAnother(const Ground *ground, const char *path)
{
  for (int g = 0; g < N_GROUNDS && !*ground->root; g++) {
    const size_t n = strcspn(grounds[g].root, ".");
    if (n && !strncmp(path, grounds[g].root, n) && !path[n]) return PETSC_TRUE;
  }
  return !strcmp(path, "sweep") || !strcmp(path, "arms") || !strcmp(path, "robion") ? PETSC_TRUE : PETSC_FALSE;
}

static void AddBelow(const Ground *ground, const SchemaKey *key, const char *path)
{
  char below[128];
  if (IsOfAnother(ground, path)) return;
  if (key->type & (TYPE_NUMBER | TYPE_INTEGER)) AddNumber(key, path);
  for (PetscInt c = 0; (key->type & TYPE_MAPPING) && c < key->n_child; c++) {
    snprintf(below, sizeof below, "%s%s%s", path, *path ? "." : "", key->child[c].name);
    AddBelow(ground, &key->child[c], below);
  }
  if (!(key->type & TYPE_LIST) || !key->element) return;
  snprintf(below, sizeof below, "%s.0", path);
  AddBelow(ground, key->element, below);
}

/* The key of a path. */
static const SchemaKey *Find(const char *path)
{
  const SchemaKey *key = &schema_study;
  char part[64];
  for (size_t n; *path; path += n + (path[n] == '.')) {
    n = strcspn(path, ".");
    snprintf(part, sizeof part, "%.*s", (int)n, path);
    key = *part >= '0' && *part <= '9' ? key->element : SchemaChild(key, part);
    assert_non_null(key);
  }
  return key;
}

/* --- Their plans ---------------------------------------------------------------------------------------------------- */

/* The study of a ground with more keys set; NULL if it is refused. */
static Study *Parse(const Ground *ground, int n_set, const char *const *set)
{
  const char *all[2 * MOST_SETS];
  PetscInt n = 0;
  Mistakes mistakes = {0};
  Study *study;
  for (; n < MOST_SETS && ground->set[n]; n++) all[n] = ground->set[n];
  for (int i = 0; i < n_set; i++) all[n++] = set[i];
  assert_int_equal(StudyParse(study_text, strlen(study_text), study_file, n, all, &mistakes, &study), 0);
  for (PetscInt i = 0; i < mistakes.n; i++)
    if (!n_set || (mistakes.item[i].exit != ROBION_STUDY && mistakes.item[i].exit != ROBION_COMMAND_LINE))
      fail_msg("%s %s: exit %d: %s", ground->root, ground->set[0], mistakes.item[i].exit, mistakes.item[i].text);
  assert_int_equal(MistakesClear(&mistakes), 0);
  return study;
}

/* Make the plan of a study; what is said goes to a file. */
static RobionExit Run(const Study *study)
{
  char results[64], command[320], *arguments[] = {(char *)"robion", NULL};
  RobionExit exit_code = ROBION_INTERNAL;
  snprintf(results, sizeof results, "%s/results", folder);
  const RunOptions options = {.results = results, .team_size = 1};
  const int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO), to = open(words, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  fflush(NULL);
  Sure(dup2(to, STDOUT_FILENO) < 0 || dup2(to, STDERR_FILENO) < 0 || close(to) || StopInstall(longest_s));
  const PetscErrorCode error = StudyRun(PETSC_COMM_WORLD, 1, arguments, study, &options, &exit_code);
  fflush(NULL);
  Sure(dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0 || close(out) || close(err));
  snprintf(command, sizeof command, "grep -h ' error ' %s/log.txt >>%s; rm -rf %s", results, words, results);
  assert_int_equal(system(command), 0);
  return error ? ROBION_INTERNAL : exit_code;
}

/* One plan with some keys at their limits. */
static void Try(const Ground *ground, int n_set, const Value *const *value)
{
  const char *set[MOST_SETS];
  char command[128];
  for (int i = 0; i < n_set; i++) set[i] = value[i]->set;
  Study *study = Parse(ground, n_set, set);
  if (!study) {
    n_refused++;
    return;
  }
  for (int i = 0; i < n_set; i++) keys[value[i]->key].planned++;
  const double begun = TimeSteady();
  const RobionExit exit_code = Run(study);
  assert_int_equal(StudyDestroy(&study), 0);
  const PetscBool told = exit_code == ROBION_STUDY || exit_code == ROBION_INPUT || exit_code == ROBION_RESOURCES;
  n_made += exit_code == ROBION_DONE || exit_code == ROBION_STOPPED;
  n_failed += told;
  if (getenv("ROBION_LIMITS_TOLD") || !(told || exit_code == ROBION_DONE || exit_code == ROBION_STOPPED))
    print_error("%s %s, exit %d in %.1f s:", ground->root, ground->set[0] ? ground->set[0] : "", exit_code,
                TimeSteady() - begun);
  else
    return;
  for (int i = 0; i < n_set; i++) print_error(" %s", set[i]);
  print_error("\n");
  if (told || exit_code == ROBION_DONE || exit_code == ROBION_STOPPED) return;
  n_wrong++;
  snprintf(command, sizeof command, "grep -E 'ERROR: [^-]|error' %s | grep -v Configure | head -12", words);
  assert_int_equal(system(command), 0);
}

/* Put the values in another order. */
static void Shuffle(void)
{
  CounterRandom random = {.seed = 16};
  for (int v = n_values - 1; v > 0; v--) {
    const int other = CounterRandomIndex(&random, v + 1);
    const Value kept = values[v];
    values[v] = values[other];
    values[other] = kept;
  }
}

/* The ground itself makes a plan (for which there is not always the time); then its values. */
static void Enter(const Ground *ground)
{
  Study *study = Parse(ground, 0, NULL);
  const RobionExit exit_code = n_together ? Run(study) : ROBION_DONE;
  char tail[128];
  snprintf(tail, sizeof tail, "tail -n 5 %s", words);
  if (exit_code && exit_code != ROBION_STOPPED) fail_msg("%s %s: exit %d", ground->root, ground->set[0], exit_code);
  assert_int_equal(StudyDestroy(&study), 0);
  n_values = 0;
  AddBelow(ground, Find(ground->root), ground->root);
  Shuffle();
}

static void Conclude(void)
{
  print_message("%d keys: %d values refused, %d plans made, %d failed, %d wrongly\n", n_keys, n_refused, n_made,
                n_failed, n_wrong);
  assert_int_equal(n_wrong, 0);
  n_refused = n_made = n_failed = 0;
}

/* Every key in one plan, now at this limit, now at that; or at all of them in all grounds. */
static void OneByOne(void **state)
{
  const PetscBool all = n_together > 0 ? PETSC_TRUE : PETSC_FALSE;
  for (int g = 0; g < N_GROUNDS; g++) {
    Enter(&grounds[g]);
    for (int v = 0; v < n_values; v++) {
      const Value *value = &values[v];
      if (all || !keys[value->key].planned) Try(&grounds[g], 1, &value);
    }
  }
  for (int k = 0; k < n_keys; k++)
    if (!keys[k].planned) {
      print_error("%s: no value is accepted in any plan of this test\n", keys[k].path);
      n_wrong++;
    }
  Conclude();
}

/* Several at once. */
static void Together(void **state)
{
  CounterRandom random = {.seed = 5};
  for (int g = 0; g < N_GROUNDS && n_together; g++) {
    Enter(&grounds[g]);
    for (int i = 0; i < n_together; i++) {
      const Value *some[MOST_SETS];
      const int n_set = 2 + CounterRandomIndex(&random, MOST_SETS - 1);
      for (int k = 0; k < n_set; k++) some[k] = &values[CounterRandomIndex(&random, n_values)];
      Try(&grounds[g], n_set, some);
    }
  }
  Conclude();
}

/* A box that clonogens are known of. */
static void WriteCase(void)
{
  Mistakes mistakes = {0};
  PhantomSpec box;
  Case *patient;
  float *clonogens;
  char file[64];
  snprintf(file, sizeof file, "%s/case.h5", folder);
  Sure(PhantomSpecRead("water-box", "ct_spacing_mm: 2, size_mm: [36, 36, 36], target_mm: [12, 12, 12]", &mistakes,
                       &box));
  Sure(CaseBuildPhantom(&box, "box", &mistakes, &patient) || PhantomSpecDestroy(&box));
  Sure(PetscMalloc1(GridSize(&patient->ct), &clonogens));
  for (size_t v = 0; v < GridSize(&patient->ct); v++) clonogens[v] = 1e5f;
  Sure(CaseAddMap(patient, "clonogens", "1", clonogens));
  Sure(CaseWrite(patient, file, &mistakes) || mistakes.n || CaseDestroy(&patient));
}

int main(int argc, char **argv)
{
  Mistakes mistakes = {0};
  char command[64];
  if (PetscInitialize(&argc, &argv, NULL, NULL) || !mkdtemp(folder)) return 1;
  snprintf(study_file, sizeof study_file, "%s/study.yaml", folder);
  snprintf(words, sizeof words, "%s/words.txt", folder);
  setenv("ROBION_CACHE", folder, 1);
  if (getenv("ROBION_LIMITS")) n_together = atoi(getenv("ROBION_LIMITS"));
  if (n_together) longest_s = 20;
  if (!FileReplace(study_file, study_text, strlen(study_text), &mistakes)) return 1;
  WriteCase();
  const struct CMUnitTest tests[] = {cmocka_unit_test(OneByOne), cmocka_unit_test(Together)};
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  snprintf(command, sizeof command, "rm -r %s", folder);
  Sure(system(command));
  return PetscFinalize() ? 1 : failures;
}
