/*
 * The digital chordoma cohort: volumes, terciles and spread of the cell counts, TCP under uniform dose, anatomy, repeatability.
 * timeout: 120, sanitizer: slow
 */
#include "phantom_case.h"
#include "robion/map.h"
#include "robion/tcp.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "near.h"

enum { COHORT = 10 };
static const double spacing_mm = 6;

/* What a patient has: ln N of 27 mm3 in every GTV voxel, its mean and TCP under 73.6 Gy(RBE). */
typedef struct Cells {
  double volume_cm3, mean_ln, tcp_percent;
} Cells;

typedef struct VoxelPool {
  size_t n, capacity;
  double *ln;
} VoxelPool;

static Cells CountCells(const Case *patient, VoxelPool *pool)
{
  TCPSpec tcp;
  const unsigned char *gtv = PhantomMask(patient, "GTV");
  const float *clonogens = patient->maps[CaseFindMap(patient, MAP_CLONOGENS)].value;
  const double per_27mm3 = 27e-3 / GridVoxelVolume_cm3(&patient->ct);
  double sum = 0, survival = 0;
  size_t n = 0;
  assert_int_equal(TCPSpecDefault(&tcp), 0);
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    assert_true(gtv[v] ? clonogens[v] > 0 : clonogens[v] == 0);
    if (!gtv[v]) continue;
    if (pool->n == pool->capacity) {
      pool->capacity = pool->capacity ? 2 * pool->capacity : 4096;
      assert_int_equal(PetscRealloc(pool->capacity * sizeof *pool->ln, &pool->ln), 0);
    }
    pool->ln[pool->n++] = log(clonogens[v] * per_27mm3);
    sum += log(clonogens[v] * per_27mm3);
    survival += TCPSurvival(&tcp, clonogens[v] * per_27mm3, 73.6, NULL);
    n++;
  }
  return (Cells){(double)n * GridVoxelVolume_cm3(&patient->ct), sum / (double)n,
                 100 * TCPOfSurvival(survival / (double)n)};
}

static int Ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

typedef struct Spread {
  double mean, sd;
} Spread;

static Spread SpreadOf(PetscInt n, const double *x)
{
  Spread s = {0, 0};
  for (PetscInt i = 0; i < n; i++) s.mean += x[i] / n;
  for (PetscInt i = 0; i < n; i++) s.sd += (x[i] - s.mean) * (x[i] - s.mean) / (n - 1);
  s.sd = sqrt(s.sd);
  return s;
}

/* Terciles of all patients' voxels, every patient counting the same. */
static void Terciles(PetscInt n_patients, const VoxelPool *of_patient, double tercile[2])
{
  enum { PER_PATIENT = 2000 };
  double *all;
  assert_int_equal(PetscMalloc1(n_patients * PER_PATIENT, &all), 0);
  for (PetscInt p = 0; p < n_patients; p++) {
    qsort(of_patient[p].ln, of_patient[p].n, sizeof(double), Ascending);
    for (int i = 0; i < PER_PATIENT; i++)
      all[p * PER_PATIENT + i] = of_patient[p].ln[(size_t)((i + 0.5) / PER_PATIENT * (double)of_patient[p].n)];
  }
  qsort(all, (size_t)(n_patients * PER_PATIENT), sizeof(double), Ascending);
  tercile[0] = exp(all[n_patients * PER_PATIENT / 3]);
  tercile[1] = exp(all[2 * n_patients * PER_PATIENT / 3]);
  assert_int_equal(PetscFree(all), 0);
}

/* Ten consecutive seeds are like the published population. */
static void CheckCohort(PetscInt first)
{
  VoxelPool pool[COHORT] = {{0}};
  double volume[COHORT], mean_ln[COHORT], tcp[COHORT], tercile[2];
  for (PetscInt p = 0; p < COHORT; p++) {
    Case *patient = PhantomPatient("chordoma", first + p, spacing_mm);
    Cells cells = CountCells(patient, &pool[p]);
    volume[p] = cells.volume_cm3, mean_ln[p] = cells.mean_ln, tcp[p] = cells.tcp_percent;
    print_message("seed %d: GTV %.0f cm3, mean ln N %.3f, uniform TCP %.1f %%\n", (int)(first + p), volume[p],
                  mean_ln[p], tcp[p]);
    assert_true(volume[p] >= 49 && volume[p] <= 1271);
    assert_int_equal(CaseDestroy(&patient), 0);
  }
  Terciles(COHORT, pool, tercile);
  Spread ln = SpreadOf(COHORT, mean_ln), percent = SpreadOf(COHORT, tcp);
  print_message("terciles %.3g and %.3g (2.1e5, 3.8e5); mean ln N %.3f (12.561), between patients SD %.3f (0.357); "
                "uniform TCP %.1f +- %.1f %% (75.5 +- 5.6)\n",
                tercile[0], tercile[1], ln.mean, ln.sd, percent.mean, percent.sd);
  assert_double_near(tercile[0] / 2.1e5, 1, 0.1);
  assert_double_near(tercile[1] / 3.8e5, 1, 0.1);
  assert_double_near(ln.mean, 12.561, 0.1);
  assert_double_near(ln.sd, 0.357, 0.1);
  assert_double_near(percent.mean, 75.5, 3);
  assert_double_near(percent.sd, 5.6, 2);
  for (PetscInt p = 0; p < COHORT; p++) assert_int_equal(PetscFree(pool[p].ln), 0);
}

static void Cohort(void **state)
{
  CheckCohort(1);
}

static void AnotherCohort(void **state)
{
  CheckCohort(101);
}

/* Structures lie where they should, whatever the tumour. */
static void Anatomy(void **state)
{
  static const char *const apart[][2] = {
      {"GTV", "Rectum"},    {"GTV", "Sigma"},     {"GTV", "Bowel"},     {"GTV", "Nerves"},    {"GTV", "Skin"},
      {"CTV_LD", "Rectum"}, {"CTV_HD", "Rectum"}, {"CTV_LD", "Bowel"},  {"CTV_LD", "Skin"},   {"Rectum", "Sigma"},
      {"Rectum", "Bowel"},  {"Sigma", "Bowel"},   {"Sacrum", "Rectum"}, {"Nerves", "Sacrum"}, {"Nerves", "Rectum"}};
  static const char *const within[][2] = {{"GTV", "CTV_HD"},      {"CTV_HD", "CTV_LD"},  {"CTV_LD", "External"},
                                          {"Rectum", "External"}, {"Bowel", "External"}, {"Skin", "External"}};
  for (PetscInt seed = 1; seed <= 10; seed++) {
    Case *patient = PhantomPatient("chordoma", seed, spacing_mm);
    PhantomCheckPlaces(patient, PETSC_STATIC_ARRAY_LENGTH(apart), apart, PETSC_STATIC_ARRAY_LENGTH(within), within);
    for (PetscInt s = 0; s < patient->n_structures; s++)
      if (PhantomVolume_cm3(patient, patient->structures[s].name) < 5)
        fail_msg("seed %d: %s of %g cm3", (int)seed, patient->structures[s].name,
                 PhantomVolume_cm3(patient, patient->structures[s].name));
    assert_true(PhantomVolume_cm3(patient, "Rectum") > 20 && PhantomVolume_cm3(patient, "Rectum") < 120);
    assert_int_equal(patient->position, POSITION_HFP);
    assert_int_equal(CaseDestroy(&patient), 0);
  }
}

/* The same seed gives the same bits; a finer CT the same tumour and cells. */
static void Repeatable(void **state)
{
  VoxelPool pool[3] = {{0}};
  Case *first = PhantomPatient("chordoma", 3, spacing_mm), *again = PhantomPatient("chordoma", 3, spacing_mm),
       *fine = PhantomPatient("chordoma", 3, 3), *other = PhantomPatient("chordoma", 4, spacing_mm);
  size_t n = GridSize(&first->ct);
  assert_memory_equal(first->hu, again->hu, n * sizeof *first->hu);
  for (int m = 0; m < 2; m++) assert_memory_equal(first->maps[m].value, again->maps[m].value, n * sizeof(float));
  Cells coarse_cells = CountCells(first, &pool[0]), fine_cells = CountCells(fine, &pool[1]),
        other_cells = CountCells(other, &pool[2]);
  assert_double_near(coarse_cells.volume_cm3 / fine_cells.volume_cm3, 1, 0.01);
  assert_double_near(coarse_cells.mean_ln, fine_cells.mean_ln, 1e-4);
  assert_double_near(coarse_cells.tcp_percent, fine_cells.tcp_percent, 0.3);
  assert_true(fabs(coarse_cells.volume_cm3 / other_cells.volume_cm3 - 1) > 0.02);
  for (int i = 0; i < 3; i++) assert_int_equal(PetscFree(pool[i].ln), 0);
  assert_int_equal(CaseDestroy(&first) || CaseDestroy(&again) || CaseDestroy(&fine) || CaseDestroy(&other), 0);
}

/* Neighbouring voxels have similar counts, voxels three correlation lengths apart have not. */
static void Smooth(void **state)
{
  Case *patient = PhantomPatient("chordoma", 2, 3);
  const Grid *ct = &patient->ct;
  const unsigned char *gtv = PhantomMask(patient, "GTV");
  const float *clonogens = patient->maps[CaseFindMap(patient, MAP_CLONOGENS)].value;
  double difference[2] = {0}, count[2] = {0};
  const PetscInt step[2] = {1, 9};
  for (PetscInt k = 0; k < ct->n[2]; k++)
    for (PetscInt j = 0; j < ct->n[1]; j++)
      for (PetscInt i = 0; i + 9 < ct->n[0]; i++)
        for (int d = 0; d < 2; d++) {
          size_t a = GridIndex(ct, i, j, k), b = GridIndex(ct, i + step[d], j, k);
          if (!gtv[a] || !gtv[b]) continue;
          double ln = log(clonogens[a] / clonogens[b]);
          difference[d] += ln * ln;
          count[d]++;
        }
  double near = sqrt(difference[0] / count[0]), far = sqrt(difference[1] / count[1]);
  print_message("RMS difference of ln N: %.3f at 3 mm, %.3f at 27 mm\n", near, far);
  assert_true(near < 0.3 && far > 0.5);
  assert_int_equal(CaseDestroy(&patient), 0);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(Cohort), cmocka_unit_test(AnotherCohort),
                                     cmocka_unit_test(Anatomy), cmocka_unit_test(Repeatable), cmocka_unit_test(Smooth)};
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
