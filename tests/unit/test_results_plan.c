/* plan.h5: content, same bytes on any number of ranks, disk full, numbers that are none.  ranks: 1 2 */
#include "fake_plan.h"
#include "robion/plan_read.h"
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>
#include "near.h"

static char folder[64], file[PETSC_MAX_PATH_LEN];
static PetscMPIInt rank, size;

/* On all ranks, while none makes or removes files: neither those of what was done before nor of what comes next. */
static PetscBool Exists(const char *name)
{
  char path[128];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  MPI_Barrier(PETSC_COMM_WORLD);
  const PetscBool found = access(path, F_OK) ? PETSC_FALSE : PETSC_TRUE;
  MPI_Barrier(PETSC_COMM_WORLD);
  return found;
}

static void Write(const FakePlan *fake)
{
  Mistakes mistakes = {0};
  assert_int_equal(PlanFileWrite(PETSC_COMM_WORLD, &fake->result, folder, &mistakes), 0);
  if (MistakesAny(&mistakes)) fail_msg("%s", mistakes.item[0].text);
  assert_false(Exists("plan.h5.tmp"));
}

static void CheckString(const H5Source *source, const char *path, const char *attribute, const char *expected)
{
  Mistakes mistakes = {0};
  char *found = NULL;
  if (!H5ReadString(source, path, attribute, PETSC_FALSE, &found, &mistakes)) fail_msg("%s", mistakes.item[0].text);
  assert_string_equal(found, expected);
  PetscFree(found);
}

static void Content(void **state)
{
  FakePlan *fake = FakePlanCreate(9);
  Mistakes mistakes = {0};
  H5Source source;
  Write(fake);
  if (rank == 0) {
    const PetscInt n = FakeMetricCount();
    hsize_t cube[3] = {9, 5, 7}, spots[1] = {FAKE_SPOTS}, voxels[1] = {6}, band[1] = {FAKE_BAND},
            rows[1] = {(FAKE_SCENARIOS + SCENARIO_STATISTICS) * (hsize_t)n};
    float *dose;
    double *number, value[3];
    int *voxel;
    assert_true(H5SourceOpen(file, &mistakes, &source));
    CheckString(&source, "/", "format", "robion-plan");
    CheckString(&source, "/", "arm", "worst, \"case\"");
    CheckString(&source, "/provenance", "input_0_case", "p01.h5");
    for (Quantity q = 0; q < n_quantities; q++) {
      char path[64];
      snprintf(path, sizeof path, "/dose/nominal/%s", quantities[q].name);
      assert_true(H5ReadArray(&source, path, H5T_NATIVE_FLOAT, 3, cube, &dose, &mistakes));
      assert_memory_equal(dose, fake->dose[q], 9 * 5 * 7 * sizeof(float));
      CheckString(&source, path, "unit", quantities[q].unit);
      PetscFree(dose);
    }
    CheckString(&source, "/dose/robust/min", "long_name",
                "RBE-weighted dose per fraction, lowest over the evaluation scenarios, voxel by voxel");
    assert_true(H5ReadArray(&source, "/plan/beam_0/particles", H5T_NATIVE_DOUBLE, 1, spots, &number, &mistakes));
    assert_memory_equal(number, fake->beam[0].particles, FAKE_SPOTS * sizeof(double));
    PetscFree(number);
    assert_true(H5SourceHas(&source, "/plan/beam_1/particles"));
    assert_true(H5ReadAttribute(&source, "/plan/beam_1", "gantry_deg", 1, value, &mistakes));
    assert_double_near(value[0], 270, 0);
    assert_true(H5ReadAttribute(&source, "/plan/beam_0", "range_shifter_mm", 1, value, &mistakes));
    assert_double_near(value[0], 30, 0);
    CheckString(&source, "/plan", "patient_position", "FFP");
    assert_true(H5ReadArray(&source, "/structures/Cord, left/voxel", H5T_NATIVE_INT, 1, voxels, &voxel, &mistakes));
    assert_int_equal(voxel[5], 22);
    PetscFree(voxel);
    CheckString(&source, "/structures/CTV", "role", "target");
    assert_true(H5ReadArray(&source, "/dvh/CTV/rbe_weighted/nominal", H5T_NATIVE_DOUBLE, 1, band, &number, &mistakes));
    assert_memory_equal(number, fake->band[0].nominal, FAKE_BAND * sizeof(double));
    PetscFree(number);
    assert_true(H5ReadArray(&source, "/metrics/value", H5T_NATIVE_DOUBLE, 1, rows, &number, &mistakes));
    assert_double_near(number[n], fake->metrics[1].item[0].value, 0);
    assert_double_near(number[7 * n - 1], fake->statistics[3].item[n - 1].value, 0);
    PetscFree(number);
    assert_true(H5ReadAttribute(&source, "/timing", "optimize_seconds", 1, value, &mistakes));
    assert_double_near(value[0], 12.5, 0);
    assert_true(H5ReadAttribute(&source, "/timing", "seconds", 1, value, &mistakes));
    assert_double_near(value[0], 75, 0);
    assert_true(H5SourceClose(&source, &mistakes));
    assert_false(MistakesAny(&mistakes));
  }
  FakePlanDestroy(fake);
}

/* What the one reader gives is what was written, spots, doses, texts and numbers. */
static void ReadBack(void **state)
{
  FakePlan *fake = FakePlanCreate(9);
  Mistakes mistakes = {0};
  fake->result.spots.n_beam = 1; /* the other has no spots */
  Write(fake);
  if (rank == 0) {
    const char *const text[N_PLAN_TEXTS] = {[PLAN_STUDY] = "fake",
                                            [PLAN_CASE] = "P01",
                                            [PLAN_ARM] = "worst, \"case\"",
                                            [PLAN_SWEEP] = "spots.layer_mm=2",
                                            [PLAN_ION] = "12C",
                                            [PLAN_TARGET] = "CTV",
                                            [PLAN_POSITION] = "FFP",
                                            [PLAN_MODE] = "composite",
                                            [PLAN_STOPPED] = "converged"};
    const double number[N_PLAN_NUMBERS] = {10, 4, 2.5, 2, 75, 1, 3, 12.5, 58.5, 1536, 4};
    const float *const of_set[N_PLAN_DOSES] = {NULL, fake->result.robust_min, fake->result.robust_max,
                                               fake->result.robust_sd};
    PlanReader reader;
    SpotList spots;
    Grid grid;
    float *dose;
    assert_true(PlanReaderOpen(file, &mistakes, &reader) && PlanReadGrid(&reader, &mistakes, &grid));
    for (int t = 0; t < N_PLAN_TEXTS; t++) {
      char *found;
      assert_true(PlanReadText(&reader, (PlanText)t, &mistakes, &found));
      if (text[t]) assert_string_equal(found, text[t]);
      if (t == PLAN_SETTINGS_HASH) assert_int_equal(strspn(found, "0123456789abcdef"), 16);
      PetscFree(found);
    }
    for (int i = 0; i < N_PLAN_NUMBERS; i++) {
      double found;
      assert_true(PlanReadNumber(&reader, (PlanNumber)i, &mistakes, &found) && found == number[i]);
    }
    PlanHistory history;
    PlanCertificate certificate;
    assert_true(PlanReadHistory(&reader, &mistakes, &history) && history.n == 2);
    assert_true(history.iteration[1] == 2 && history.objective[0] == 3.5 && history.gradient_norm[1] == 0.25);
    assert_int_equal(PlanHistoryDestroy(&history), 0);
    assert_true(PlanReadCertificate(&reader, &mistakes, &certificate));
    assert_string_equal(certificate.kind, "none"); /* known, no bound: the flag "bounded" is not set */
    for (Quantity q = 0; q < n_quantities; q++) {
      assert_true(PlanHasDose(&reader, PLAN_NOMINAL, q));
      assert_true(PlanReadDose(&reader, PLAN_NOMINAL, q, &mistakes, &grid, &dose));
      assert_memory_equal(dose, fake->dose[q], 9 * 5 * 7 * sizeof(float));
      PetscFree(dose);
    }
    for (int set = PLAN_LOWEST; set < N_PLAN_DOSES; set++) {
      assert_true(PlanReadDose(&reader, (PlanDoses)set, QUANTITY_RBE_WEIGHTED, &mistakes, &grid, &dose));
      assert_memory_equal(dose, of_set[set], 9 * 5 * 7 * sizeof(float));
      PetscFree(dose);
    }
    assert_memory_equal(&grid, &fake->result.grid, sizeof grid);
    BeamOnFile beam;
    assert_true(PlanReadBeam(&reader, 0, &mistakes, &beam));
    assert_true(beam.range_shifter_mm == 30 && beam.range_shifter_to_isocentre_mm == 250 && !beam.stage);
    assert_int_equal(BeamOnFileDestroy(&beam), 0);
    assert_true(PlanReaderClose(&reader, &mistakes));
    assert_int_equal(PlanReadSpots(file, &mistakes, &spots), 0);
    assert_int_equal(spots.n, FAKE_SPOTS);
    assert_memory_equal(spots.x_mm, fake->beam[0].x_mm, FAKE_SPOTS * sizeof(double));
    assert_memory_equal(spots.y_mm, fake->beam[0].y_mm, FAKE_SPOTS * sizeof(double));
    assert_memory_equal(spots.energy_MeV_u, fake->beam[0].energy_MeV_u, FAKE_SPOTS * sizeof(double));
    assert_memory_equal(spots.particles, fake->beam[0].particles, FAKE_SPOTS * sizeof(double));
    assert_int_equal(SpotListDestroy(&spots), 0);
    assert_false(MistakesAny(&mistakes));
  }
  FakePlanDestroy(fake);
}

/* Doses and DVHs of single scenarios, by their ids, whatever these hold; none where there are none. */
static void ScenariosRead(void **state)
{
  FakePlan *fake = FakePlanCreate(9);
  Mistakes mistakes = {0};
  snprintf(fake->scenario[2].id, sizeof fake->scenario[2].id, "a/b <i>");
  for (int i = 0; i < FAKE_BAND; i++) fake->band[1].scenario[2 * FAKE_BAND + i] = 99 - (float)i;
  Write(fake);
  if (rank == 0) {
    PlanReader reader;
    Grid grid;
    PetscInt n_scenario, n;
    unsigned char *value;
    float *percent;
    double step;
    assert_true(PlanReaderOpen(file, &mistakes, &reader) && PlanReadGrid(&reader, &mistakes, &grid));
    assert_false(PlanHasScenarioDose(&reader, "nominal"));
    for (int i = 0; i < 2; i++) {
      const char *id = fake->scenario[1 + i].id;
      assert_true(PlanHasScenarioDose(&reader, id));
      assert_true(PlanReadScenarioDose(&reader, id, &mistakes, &grid, &step, &value));
      assert_true(step == fake->scenario_dose[i].step_Gy_RBE);
      assert_memory_equal(value, fake->scenario_dose[i].value, 9 * 5 * 7);
      PetscFree(value);
    }
    assert_memory_equal(&grid, &fake->result.grid, sizeof grid);
    for (int i = 0; i < 2; i++) {
      const DVHBand *band = &fake->band[i];
      assert_true(
          PlanReadScenarioDVHs(&reader, band->structure, QUANTITY_RBE_WEIGHTED, &mistakes, &n_scenario, &n, &percent));
      assert_true(n_scenario == FAKE_SCENARIOS && n == FAKE_BAND);
      assert_memory_equal(percent, band->scenario, sizeof(float) * FAKE_SCENARIOS * FAKE_BAND);
      PetscFree(percent);
    }
    assert_false(PlanReadScenarioDVHs(&reader, "CTV", QUANTITY_PHYSICAL, &mistakes, &n_scenario, &n, &percent));
    assert_false(MistakesAny(&mistakes));
    assert_false(PlanReadScenarioDose(&reader, "nominal", &mistakes, &grid, &step, &value));
    assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
    assert_int_equal(MistakesClear(&mistakes), 0);
    assert_true(PlanReaderClose(&reader, &mistakes));
  }
  FakePlanDestroy(fake);
}

/* Where there are several tissues a reader can tell which of them RBE and survival refer to; else nothing is written. */
static void TissuesTold(void **state)
{
  FakePlan *fake = FakePlanCreate(9);
  Mistakes mistakes = {0};
  H5Source source;
  Write(fake);
  if (rank == 0) {
    hsize_t cube[3] = {9, 5, 7};
    unsigned char *tissue;
    double alpha[2];
    assert_true(H5SourceOpen(file, &mistakes, &source));
    assert_true(H5ReadArray(&source, "/tissue", H5T_NATIVE_UCHAR, 3, cube, &tissue, &mistakes));
    assert_memory_equal(tissue, fake->tissues.of_voxel, 9 * 5 * 7);
    PetscFree(tissue);
    CheckString(&source, "/tissue", "tissue_0", "lem1: all other voxels");
    CheckString(&source, "/tissue", "tissue_1", "lem1: Cord, left");
    assert_true(H5ReadAttribute(&source, "/tissue", "alpha_x_per_Gy", 2, alpha, &mistakes));
    assert_double_near(alpha[0], 0.1, 0);
    assert_double_near(alpha[1], 0.5, 0);
    assert_true(H5SourceClose(&source, &mistakes));
  }
  Tissues one = fake->tissues;
  one.n = 1;
  one.of_voxel = NULL;
  fake->result.tissues = &one;
  Write(fake);
  if (rank == 0) {
    assert_true(H5SourceOpen(file, &mistakes, &source));
    assert_false(H5SourceHas(&source, "/tissue"));
    assert_true(H5SourceClose(&source, &mistakes));
    assert_false(MistakesAny(&mistakes));
  }
  FakePlanDestroy(fake);
}

static char *Slurp(size_t *length)
{
  char *bytes;
  Mistakes mistakes = {0};
  if (!FileRead(file, &bytes, length, &mistakes)) fail_msg("%s", mistakes.item[0].text);
  return bytes;
}

/* Chunks beyond one per rank, a last chunk that is not full, ranks with nothing: always the bytes of one rank. */
static void SameBytes(void **state)
{
  const PetscInt slices[] = {1, 9, 9011}; /* five chunks of floats */
  for (int i = 0; i < 3; i++) {
    FakePlan *fake = FakePlanCreate(slices[i]);
    char *alone = NULL;
    size_t length = 0;
    for (PetscMPIInt n = 1; n <= size; n++) {
      MPI_Comm team;
      assert_int_equal(MPI_Comm_split(PETSC_COMM_WORLD, rank < n ? 0 : MPI_UNDEFINED, rank, &team), 0);
      if (rank < n) {
        Mistakes mistakes = {0};
        assert_int_equal(PlanFileWrite(team, &fake->result, folder, &mistakes), 0);
        assert_false(MistakesAny(&mistakes));
        MPI_Comm_free(&team);
      }
      if (rank == 0) {
        size_t now;
        char *bytes = Slurp(&now);
        if (alone) assert_int_equal(now, length);
        if (alone) assert_memory_equal(bytes, alone, length);
        PetscFree(alone);
        alone = bytes;
        length = now;
      }
    }
    PetscFree(alone);
    FakePlanDestroy(fake);
  }
}

/* What differs between two runs stands behind everything else: only the attributes at the end of the file change. */
static void RunFactsApart(void **state)
{
  FakePlan *fake = FakePlanCreate(9);
  Mistakes mistakes = {0};
  H5Source source;
  float *dose;
  hsize_t cube[3] = {0};
  strcpy(fake->provenance.command, "another, much longer command line with many options and a different time");
  fake->time[0].seconds = 99;
  Write(fake);
  if (rank == 0) {
    assert_true(H5SourceOpen(file, &mistakes, &source));
    CheckString(&source, "/provenance", "command", fake->provenance.command);
    assert_true(H5ReadArray(&source, "/dose/nominal/letd", H5T_NATIVE_FLOAT, 3, cube, &dose, &mistakes));
    assert_memory_equal(dose, fake->dose[QUANTITY_LETD], 9 * 5 * 7 * sizeof(float));
    PetscFree(dose);
    assert_true(H5SourceClose(&source, &mistakes));
  }
  FakePlanDestroy(fake);
}

/* Too little room: the same mistake on every rank, nothing new on disk, the plan of before untouched. */
static void DiskFull(void **state)
{
  FakePlan *small = FakePlanCreate(9), *large = FakePlanCreate(4000);
  Mistakes mistakes = {0};
  struct rlimit before, limit;
  size_t length = 0, now = 0;
  char *bytes = NULL, *after;
  Write(small);
  if (rank == 0) bytes = Slurp(&length);
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &before);
  limit = before;
  limit.rlim_cur = 1 << 20;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
  assert_int_equal(PlanFileWrite(PETSC_COMM_WORLD, &large->result, folder, &mistakes), 0);
  setrlimit(RLIMIT_FSIZE, &before);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), ROBION_RESOURCES);
  assert_non_null(strstr(mistakes.item[0].text, "plan.h5: cannot be written: File too large"));
  assert_false(Exists("plan.h5.tmp"));
  if (rank == 0) {
    after = Slurp(&now);
    assert_int_equal(now, length);
    assert_memory_equal(after, bytes, length);
    PetscFree(after);
    PetscFree(bytes);
  }
  MistakesClear(&mistakes);
  assert_int_equal(PlanFileWrite(PETSC_COMM_WORLD, &small->result, "/nonexistent/folder", &mistakes), 0);
  assert_int_equal(MistakesExit(&mistakes), ROBION_RESOURCES);
  MistakesClear(&mistakes);
  FakePlanDestroy(small);
  FakePlanDestroy(large);
}

static char last_error[512];
static PetscErrorCode KeepError(MPI_Comm comm, int line, const char *function, const char *source, PetscErrorCode code,
                                PetscErrorType type, const char *message, void *context)
{
  if (type == PETSC_ERROR_INITIAL) snprintf(last_error, sizeof last_error, "%s", message);
  return code;
}

static void RefusesNaN(void **state)
{
  FakePlan *fake = FakePlanCreate(9);
  Mistakes mistakes = {0};
  fake->dose[QUANTITY_LETD][8] = NAN;
  MPI_Barrier(PETSC_COMM_WORLD);
  if (rank == 0) unlink(file);
  MPI_Barrier(PETSC_COMM_WORLD);
  PetscPushErrorHandler(KeepError, NULL);
  assert_int_not_equal(PlanFileWrite(PETSC_COMM_WORLD, &fake->result, folder, &mistakes), 0);
  PetscPopErrorHandler();
  assert_non_null(strstr(last_error, "/dose/nominal/letd: element 8 is nan"));
  assert_false(Exists("plan.h5"));
  assert_false(Exists("plan.h5.tmp"));
  FakePlanDestroy(fake);
}

/* Stands for a robion with one key more, whose default is 1. */
static PetscErrorCode AddKey(const char *stored, char **today)
{
  PetscFunctionBegin;
  const size_t n = strlen(stored) + 16;
  PetscCall(PetscMalloc1(n, today));
  PetscCall(PetscSNPrintf(*today, n, "%snew_key: 1\n", stored));
  PetscFunctionReturn(0);
}

static PetscErrorCode KnowNothing(const char *stored, char **today)
{
  PetscFunctionBegin;
  *today = NULL;
  PetscFunctionReturn(0);
}

static void States(void **state)
{
  FakePlan *fake = FakePlanCreate(9);
  Mistakes mistakes = {0};
  Write(fake);
  if (rank == 0) {
    const PlanSettings settings = {fake->result.yaml, KnowNothing}, other = {"robion: 1\nname: other\n", KnowNothing};
    PlanSettings grown = {.update = AddKey};
    char reason[PLAN_REASON], table[PETSC_MAX_PATH_LEN], *more;
    FILE *f;
    assert_int_equal(AddKey(settings.yaml, &more), 0);
    grown.yaml = more;
    assert_int_equal(PlanInspect(folder, settings, LOOK_CONTENT, reason), PLAN_ABSENT); /* no tables yet */
    assert_true(PlanTablesWrite(&fake->result, folder, &mistakes));
    assert_int_equal(PlanInspect(folder, settings, LOOK_SETTINGS, reason),
                     PLAN_ABSENT); /* no checksums yet: interrupted */
    assert_string_equal(reason, "");
    assert_true(PlanChecksumsWrite(folder, &mistakes));
    for (int look = LOOK_SETTINGS; look <= LOOK_INPUTS; look++) {
      assert_int_equal(PlanInspect(folder, settings, (PlanLook)look, reason), PLAN_FINISHED);
      assert_string_equal(reason, "");
      assert_int_equal(PlanInspect(folder, other, (PlanLook)look, reason), PLAN_OTHER_SETTINGS);
      assert_string_equal(reason, "was made with other settings");
      assert_int_equal(PlanInspect(folder, grown, (PlanLook)look, reason), PLAN_FINISHED);
      grown.update = KnowNothing;
      assert_int_equal(PlanInspect(folder, grown, (PlanLook)look, reason), PLAN_OTHER_SETTINGS);
      grown.update = AddKey;
    }
    PlanFilePath(folder, PLAN_DVH, table);
    assert_non_null(f = fopen(table, "a"));
    fputs("x", f);
    fclose(f);
    assert_int_equal(PlanInspect(folder, settings, LOOK_SETTINGS, reason), PLAN_FINISHED); /* nobody looked */
    assert_int_equal(PlanInspect(folder, settings, LOOK_CONTENT, reason), PLAN_DAMAGED);
    assert_non_null(strstr(reason, "checksums.txt: does not fit the files beside it"));
    assert_int_equal(truncate(file, 1000), 0);
    assert_int_equal(PlanInspect(folder, settings, LOOK_SETTINGS, reason), PLAN_DAMAGED);
    assert_non_null(strstr(reason, "plan.h5: "));
    assert_false(MistakesAny(&mistakes));
    PlanFilesRemove(folder);
    assert_int_equal(PetscFree(more), 0);
  }
  FakePlanDestroy(fake);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(Content),     cmocka_unit_test(ReadBack),   cmocka_unit_test(ScenariosRead),
      cmocka_unit_test(TissuesTold), cmocka_unit_test(SameBytes),  cmocka_unit_test(RunFactsApart),
      cmocka_unit_test(DiskFull),    cmocka_unit_test(RefusesNaN), cmocka_unit_test(States)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  snprintf(folder, sizeof folder, "/tmp/robion_test_plan_XXXXXX");
  if (rank == 0 && !mkdtemp(folder)) return 1;
  if (MPI_Bcast(folder, (int)sizeof folder, MPI_CHAR, 0, PETSC_COMM_WORLD)) return 1;
  snprintf(file, sizeof file, "%s/plan.h5", folder);
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  if (rank == 0) rmdir(folder);
  PetscFinalize();
  return failures;
}
