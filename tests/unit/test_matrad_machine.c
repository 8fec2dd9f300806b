/* sanitizer: slow
 *
 * Import of matRad's generic carbon machine: number for number against an independent conversion; damaged files refused.
 */
#include "robion/exchange.h"
#include "robion/hdf5.h"
#include "robion/text.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base_data.h"
#include "near.h"
#include <matio.h>

#define GY_MM2 1.6021766208e-8

static char original[PETSC_MAX_PATH_LEN], converted[PETSC_MAX_PATH_LEN], damaged[64] = "/tmp/robion-test-XXXXXX";

static int SetUp(void **state)
{
  const char *reference = getenv("ROBION_REFERENCE");
  if (!reference) reference = "../shared";
  snprintf(original, sizeof original, "%s/matrad/carbon_Generic.mat", reference);
  snprintf(converted, sizeof converted, "%s/reference/matrad_carbon_generic.h5", reference);
  int descriptor = mkstemp(damaged);
  return descriptor < 0 || close(descriptor) || PetscInitializeNoArguments();
}

static int TearDown(void **state)
{
  return unlink(damaged) || PetscFinalize();
}

static Machine *Import(void)
{
  if (access(original, R_OK)) skip();
  Machine *m = NULL;
  Mistakes mistakes = {0};
  assert_int_equal(MachineReadMatRad(original, &mistakes, &m), 0);
  MistakesPrint(&mistakes);
  assert_non_null(m);
  return m;
}

/* A dataset of the conversion equals the machine's table times a factor. */
static void assert_table(const H5Source *source, const char *path, int rank, const double *found, double factor)
{
  hsize_t dims[4] = {0}, n = 1;
  double *want = NULL;
  Mistakes mistakes = {0};
  assert_true(H5ReadArray(source, path, H5T_NATIVE_DOUBLE, rank, dims, &want, &mistakes));
  for (int i = 0; i < rank; i++) n *= dims[i];
  for (hsize_t i = 0; i < n; i++)
    if (found[i] != want[i] * factor)
      fail_msg("%s, element %d: %.17g, expected %.17g", path, (int)i, found[i], want[i] * factor);
  assert_int_equal(PetscFree(want), 0);
}

static void NumberForNumber(void **state)
{
  Machine *m = Import();
  if (access(converted, R_OK)) skip();
  Mistakes mistakes = {0};
  H5Source source;
  assert_true(H5SourceOpen(converted, &mistakes, &source));
  assert_int_equal(m->n_energy, 121);
  assert_int_equal(m->n_depth, 135);
  assert_int_equal(m->n_tissue, 2);
  assert_table(&source, "/energy", 1, m->energy_MeV_u, 1);
  assert_table(&source, "/range", 1, m->csda_range_mm, 1);
  assert_table(&source, "/depth", 2, m->depth_mm, 1);
  assert_table(&source, "/idd", 2, m->idd_Gy_mm2, GY_MM2);
  assert_table(&source, "/let", 2, m->letd_keV_um, 1);
  assert_table(&source, "/sigma", 2, m->sigma_mm, 1);
  assert_table(&source, "/alpha", 3, m->alpha, 1);
  assert_table(&source, "/beta", 3, m->beta, 1);
  assert_table(&source, "/alpha_x", 1, m->alpha_x, 1);
  assert_table(&source, "/beta_x", 1, m->beta_x, 1);
  assert_true(H5SourceClose(&source, &mistakes));
  assert_int_equal(MachineDestroy(&m), 0);
}

static void HeaderAndDerived(void **state)
{
  Machine *m = Import();
  assert_string_equal(m->name, "matRad-carbon-Generic");
  assert_int_equal(strlen(m->hash), 16);
  assert_true(m->Z == 6 && m->A == 12 && m->n_component == 1 && m->n_species == 0);
  assert_double_near(m->sad_mm, 10000, 0);
  assert_double_near(m->bams_to_iso_mm, 2000, 0);
  assert_double_near(m->offset_mm, 0, 0);
  assert_double_near(m->spot_sigma_mm[0], 5.00931352, 1e-8);
  assert_double_near(2.3548 * m->spot_sigma_mm[0], 11.796, 0.001);
  /* R80 as published for this machine: 30.7 ... 271.5 mm */
  assert_double_near(m->r80_mm[0], 30.7, 0.06);
  assert_double_near(m->r80_mm[120], 271.5, 0.06);
  /* dose over depth is 0.93 (row 0) and 0.82 (row 120) of the beam's energy */
  const double fraction[2][2] = {{0, 0.93}, {120, 0.82}};
  for (int i = 0; i < 2; i++) {
    PetscInt e = (PetscInt)fraction[i][0];
    const double *z = m->depth_mm + e * m->n_depth, *dose = m->idd_Gy_mm2 + e * m->n_depth;
    double sum = 0;
    for (PetscInt d = 1; d < m->n_depth; d++) sum += 0.5 * (z[d] - z[d - 1]) * (dose[d] + dose[d - 1]);
    assert_double_near(sum / GY_MM2 * 0.1 / (12 * m->energy_MeV_u[e]), fraction[i][1], 0.006);
  }
  assert_int_equal(MachineDestroy(&m), 0);
}

/* Read, written, read again: equal, the depth dose to the last bit of a division. */
static void ThroughMatRadFile(void **state)
{
  Machine *m = Import(), *again = NULL;
  Mistakes mistakes = {0};
  const size_t n = (size_t)m->n_energy * (size_t)m->n_depth;
  m->offset_mm = 2.89; /* of a beam line, as some centres' files have it */
  assert_int_equal(MachineWriteMatRad(m, damaged, &mistakes), 0);
  assert_int_equal(MachineReadMatRad(damaged, &mistakes, &again), 0);
  assert_int_equal(mistakes.n, 0);
  assert_non_null(again);
  assert_string_equal(again->name, m->name);
  assert_true(again->n_energy == m->n_energy && again->n_depth == m->n_depth && again->n_tissue == m->n_tissue);
  assert_true(again->sad_mm == m->sad_mm && again->offset_mm == m->offset_mm &&
              again->bams_to_iso_mm == m->bams_to_iso_mm);
  assert_memory_equal(again->energy_MeV_u, m->energy_MeV_u, sizeof(double) * (size_t)m->n_energy);
  assert_memory_equal(again->csda_range_mm, m->csda_range_mm, sizeof(double) * (size_t)m->n_energy);
  assert_memory_equal(again->spot_sigma_mm, m->spot_sigma_mm, sizeof(double) * (size_t)m->n_energy);
  assert_memory_equal(again->depth_mm, m->depth_mm, sizeof(double) * n);
  assert_memory_equal(again->letd_keV_um, m->letd_keV_um, sizeof(double) * n);
  assert_memory_equal(again->sigma_mm, m->sigma_mm, sizeof(double) * n);
  assert_memory_equal(again->alpha_x, m->alpha_x, sizeof(double) * (size_t)m->n_tissue);
  assert_memory_equal(again->alpha, m->alpha, sizeof(double) * n * (size_t)m->n_tissue);
  assert_memory_equal(again->beta, m->beta, sizeof(double) * n * (size_t)m->n_tissue);
  for (size_t i = 0; i < n; i++) assert_double_near(again->idd_Gy_mm2[i], m->idd_Gy_mm2[i], 1e-15 * m->idd_Gy_mm2[i]);
  m->A = 11; /* matRad has no name for it */
  assert_int_equal(MachineWriteMatRad(m, damaged, &mistakes), 0);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesClear(&mistakes), 0);
  assert_int_equal(MachineWriteMatRad(again, "/nowhere/at/all.mat", &mistakes), 0);
  assert_int_equal(MistakesExit(&mistakes), ROBION_RESOURCES);
  assert_int_equal(MistakesClear(&mistakes), 0);
  assert_int_equal(MachineDestroy(&m), 0);
  assert_int_equal(MachineDestroy(&again), 0);
}

/* A number of machine.data(1) in the file just written. */
static double WrittenNumber(const char *name)
{
  mat_t *mat = Mat_Open(damaged, MAT_ACC_RDONLY);
  assert_non_null(mat);
  matvar_t *machine = Mat_VarRead(mat, "machine");
  assert_non_null(machine);
  matvar_t *data = Mat_VarGetStructFieldByName(machine, "data", 0);
  assert_non_null(data);
  const matvar_t *v = Mat_VarGetStructFieldByName(data, name, 0);
  assert_non_null(v);
  double number = *(const double *)v->data;
  Mat_VarFree(machine);
  assert_int_equal(Mat_Close(mat), 0);
  return number;
}

/*
 * A robion machine of its own, without the reference. matRad looks its tables up at depths + offset: water passed in the beam
 * line makes its offset negative. Of three lateral components it gets two, with the same dose and mean square offset.
 */
static void BuiltinThroughMatRadFile(void **state)
{
  Machine *m, *again;
  MachineSpec spec;
  Mistakes mistakes = {0};
  const double energy[2] = {100, 104};
  assert_int_equal(MachineSpecDefault(&spec), 0);
  spec.n_energy = 2;
  spec.energy_MeV_u = energy;
  spec.offset_mm = 2.89;
  assert_int_equal(BaseData(PETSC_COMM_SELF, &spec, &m), 0);
  assert_int_equal(MachineWriteMatRad(m, damaged, &mistakes), 0);
  assert_double_near(WrittenNumber("offset"), -2.89, 0);
  assert_int_equal(MachineReadMatRad(damaged, &mistakes, &again), 0);
  assert_int_equal(mistakes.n, 0);
  assert_true(again->n_energy == 2 && again->n_depth == m->n_depth && again->n_component == 2 && again->n_tissue == 0);
  assert_double_near(again->offset_mm, 2.89, 0);
  assert_memory_equal(again->depth_mm, m->depth_mm, sizeof(double) * 2 * (size_t)m->n_depth);
  assert_memory_equal(again->sigma_mm + 2 * m->n_depth, m->sigma_mm + 3 * m->n_depth,
                      sizeof(double) * (size_t)m->n_depth);
  for (PetscInt e = 0; e < 2; e++)
    for (PetscInt d = 0; d < m->n_depth; d++) {
      double square[2] = {0, 0};
      for (PetscInt k = 0; k < 3; k++) {
        PetscInt three = (e * 3 + k) * m->n_depth + d, two = (e * 2 + k) * m->n_depth + d;
        square[0] += m->component[three] * pow(m->sigma_mm[three], 2);
        if (k < 2) square[1] += again->component[two] * pow(again->sigma_mm[two], 2);
      }
      assert_double_near(square[1], square[0], 1e-9 * (1 + square[0]));
    }
  assert_double_near(again->r80_mm[1], m->r80_mm[1], 1e-9);
  assert_double_near(again->spot_sigma_mm[0], m->spot_sigma_mm[0], 0);
  assert_int_equal(unlink(damaged), 0);
  assert_int_equal(MachineDestroy(&m), 0);
  assert_int_equal(MachineDestroy(&again), 0);
}

/* Swap rows and columns of a matrix of doubles. */
static void Transpose(matvar_t *v)
{
  const size_t rows = v->dims[0], columns = v->dims[1];
  double *value = v->data, *old;
  assert_int_equal(PetscMalloc1(rows * columns, &old), 0);
  memcpy(old, value, rows * columns * sizeof *value);
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < columns; j++) value[i * columns + j] = old[j * rows + i];
  v->dims[0] = columns;
  v->dims[1] = rows;
  assert_int_equal(PetscFree(old), 0);
}

/* Put numbers in place of a field of structure `parent`, element 0. */
static void Replace(matvar_t *parent, const char *name, size_t rows, size_t columns, const double *value)
{
  size_t dims[2] = {rows, columns};
  matvar_t *old = Mat_VarSetStructFieldByName(
      parent, name, 0, Mat_VarCreate(NULL, MAT_C_DOUBLE, MAT_T_DOUBLE, 2, dims, (void *)value, 0));
  if (old) Mat_VarFree(old);
}

/* The file of a machine of three energies and two tissue classes, changed; NULL if it is refused with this text. */
static Machine *ImportChanged(const Machine *m, void (*change)(matvar_t *data), const char *text)
{
  Machine *again;
  Mistakes mistakes = {0};
  assert_int_equal(MachineWriteMatRad(m, damaged, &mistakes), 0);
  mat_t *mat = Mat_Open(damaged, MAT_ACC_RDONLY);
  matvar_t *machine = Mat_VarRead(mat, "machine");
  assert_non_null(machine);
  change(Mat_VarGetStructFieldByName(machine, "data", 0));
  assert_int_equal(Mat_Close(mat), 0);
  mat = Mat_CreateVer(damaged, NULL, MAT_FT_MAT5);
  assert_int_equal(Mat_VarWrite(mat, machine, MAT_COMPRESSION_NONE) || Mat_Close(mat), 0);
  Mat_VarFree(machine);
  assert_int_equal(MachineReadMatRad(damaged, &mistakes, &again), 0);
  if (!text && mistakes.n) fail_msg("%s", MistakesFirst(&mistakes));
  if (text) {
    assert_null(again);
    assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
    if (!strstr(MistakesFirst(&mistakes), text)) fail_msg("%s", MistakesFirst(&mistakes));
  }
  assert_int_equal(MistakesClear(&mistakes), 0);
  return again;
}

static void TransposeTables(matvar_t *data)
{
  static const char *const name[] = {"depths", "Z", "LET", "sigma", "alphaX", "betaX", "alpha", "beta"};
  for (size_t i = 0; i < sizeof name / sizeof *name; i++)
    for (size_t e = 0; e < data->dims[1]; e++) Transpose(Mat_VarGetStructFieldByName(data, name[i], e));
}

static void OtherClasses(matvar_t *data)
{
  *(double *)Mat_VarGetStructFieldByName(data, "betaX", 2)->data *= 2;
}

static void OtherShape(matvar_t *data)
{
  matvar_t *v = Mat_VarGetStructFieldByName(data, "beta", 1);
  v->dims[0] = 27;
  v->dims[1] = 10;
}

enum { LEFT_OUT = 5 };

/* The last numbers of a table of the second energy. */
static void LeaveOut(matvar_t *data, const char *name, size_t tissues)
{
  matvar_t *v = Mat_VarGetStructFieldByName(data, name, 1);
  double *value = v->data;
  const size_t rows = v->dims[0] - LEFT_OUT;
  for (size_t i = 0; i < tissues * rows; i++) value[i] = value[i / rows * (rows + LEFT_OUT) + i % rows];
  v->dims[0] = rows;
  v->nbytes -= LEFT_OUT * tissues * sizeof(double);
}

static void FewerDepths(matvar_t *data)
{
  LeaveOut(data, "depths", 1);
}

static void AllFewer(matvar_t *data)
{
  static const char *const name[] = {"depths", "Z", "LET", "sigma", "alpha", "beta"};
  for (int i = 0; i < 6; i++) LeaveOut(data, name[i], i < 4 ? 1 : 2);
}

/* Field `from` of every energy once more under another name, its numbers times `factor`. */
static void Repeat(matvar_t *data, const char *from, const char *to, double factor)
{
  assert_int_equal(Mat_VarAddStructField(data, to), 0);
  for (size_t e = 0; e < data->dims[1]; e++) {
    matvar_t *v = Mat_VarDuplicate(Mat_VarGetStructFieldByName(data, from, e), 1);
    for (size_t i = 0; i < v->dims[0] * v->dims[1]; i++) ((double *)v->data)[i] *= factor;
    Mat_VarSetStructFieldByName(data, to, e, v);
  }
}

static void OneMoreGaussian(matvar_t *data)
{
  Repeat(data, "sigma1", "sigma", 3);
}

static void HalfOfTwoGaussians(matvar_t *data)
{
  Repeat(data, "sigma", "sigma1", 3);
}

/* Of a file with one Gaussian and two, the two count; one with a part of two only, the one does. */
static void LateralForms(void **state)
{
  Machine *m = Import(), *two, *again;
  MachineSpec spec;
  m->n_energy = 3;
  const size_t n = (size_t)(m->n_energy * m->n_depth);
  again = ImportChanged(m, HalfOfTwoGaussians, NULL);
  assert_int_equal(again->n_component, 1);
  assert_memory_equal(again->sigma_mm, m->sigma_mm, n * sizeof(double));
  m->n_energy = 121;
  assert_int_equal(MachineDestroy(&m) || MachineDestroy(&again) || MachineSpecDefault(&spec), 0);
  spec.energy_min_MeV_u = spec.energy_max_MeV_u = 100;
  assert_int_equal(BaseData(PETSC_COMM_SELF, &spec, &two), 0);
  again = ImportChanged(two, OneMoreGaussian, NULL);
  assert_int_equal(again->n_component, 2);
  assert_memory_equal(again->sigma_mm, two->sigma_mm, (size_t)two->n_depth * sizeof(double));
  assert_int_equal(MachineDestroy(&two) || MachineDestroy(&again), 0);
}

static double focus_table[2][8];
static size_t focus_dims[2];

static void OtherFocus(matvar_t *data)
{
  matvar_t *focus = Mat_VarGetStructFieldByName(data, "initFocus", 0);
  Replace(focus, "dist", focus_dims[0], focus_dims[1], focus_table[0]);
  Replace(focus, "sigma", focus_dims[0], focus_dims[1], focus_table[1]);
}

/* Tables either way round are read alike; what does not fit together is refused. */
static void OddShapes(void **state)
{
  Machine *m = Import();
  m->n_energy = 3;
  Machine *again = ImportChanged(m, TransposeTables, NULL);
  const size_t n = (size_t)(m->n_energy * m->n_depth);
  assert_memory_equal(again->depth_mm, m->depth_mm, n * sizeof(double));
  assert_memory_equal(again->sigma_mm, m->sigma_mm, n * sizeof(double));
  assert_memory_equal(again->alpha, m->alpha, n * 2 * sizeof(double));
  assert_memory_equal(again->beta, m->beta, n * 2 * sizeof(double));
  assert_int_equal(MachineDestroy(&again), 0);
  assert_null(ImportChanged(m, OtherClasses, "machine.data(3).betaX: not the 2 numbers of the first energy"));
  assert_null(ImportChanged(m, OtherShape, "machine.data(2).beta: 27 rows found, expected one for each of 135"));
  assert_null(ImportChanged(m, FewerDepths, "machine.data(2).Z: 135 numbers found, expected 130 by the number of"));
  m->n_energy = 121;
  assert_int_equal(MachineDestroy(&m), 0);
}

static double StraightLine(const double *depth_mm, const double *table, PetscInt n, double at_mm)
{
  PetscInt d = 0;
  while (d + 2 < n && depth_mm[d + 1] <= at_mm) d++;
  return table[d] + (table[d + 1] - table[d]) * (at_mm - depth_mm[d]) / (depth_mm[d + 1] - depth_mm[d]);
}

/* An energy of fewer depths than others, as matRad's helium has them: the same straight lines up to its own last depth, and no further. */
static void UnequalDepths(void **state)
{
  Machine *m = Import();
  m->n_energy = 3;
  Machine *again = ImportChanged(m, AllFewer, NULL);
  const PetscInt nd = m->n_depth, had = nd - LEFT_OUT;
  assert_int_equal(again->n_depth, nd);
  assert_memory_equal(again->depth_mm, m->depth_mm, (size_t)nd * sizeof(double));
  assert_memory_equal(again->depth_mm + nd, m->depth_mm + nd, (size_t)(had - 1) * sizeof(double));
  assert_double_near(again->depth_mm[2 * nd - 1], m->depth_mm[nd + had - 1], 0);
  for (PetscInt d = 0; d < nd; d++) {
    const double z = again->depth_mm[nd + d], *depth = m->depth_mm + nd;
    const double dose = StraightLine(depth, m->idd_Gy_mm2 + nd, had, z);
    assert_true(d == 0 || z > again->depth_mm[nd + d - 1]);
    assert_double_near(again->idd_Gy_mm2[nd + d], dose, 1e-12 * dose);
    assert_double_near(again->letd_keV_um[nd + d], StraightLine(depth, m->letd_keV_um + nd, had, z), 1e-9);
    assert_double_near(again->sigma_mm[nd + d], StraightLine(depth, m->sigma_mm + nd, had, z), 1e-9);
    for (PetscInt t = 0; t < 2; t++) {
      const PetscInt row = (2 + t) * nd;
      assert_double_near(again->alpha[row + d], StraightLine(depth, m->alpha + row, had, z), 1e-9);
      assert_double_near(again->beta[row + d], StraightLine(depth, m->beta + row, had, z), 1e-9);
    }
  }
  m->n_energy = 121;
  assert_int_equal(MachineDestroy(&m) || MachineDestroy(&again), 0);
}

/* The width at the source's distance, 10 m, of a focus in a row or, transposed, in a column; never beyond its nodes. */
static void FocusPlaces(void **state)
{
  static const struct {
    size_t dims[2];
    double distance[8], sigma_mm[8];
    const char *refused;
  } given[] = {
      {{1, 3}, {0, 9000, 20000}, {5, 6, 17}, NULL},
      {{2, 3}, {0, 0, 9000, 9000, 20000, 20000}, {5, 8, 6, 8, 17, 8}, NULL},
      {{3, 2}, {0, 9000, 20000, 0, 9000, 20000}, {5, 6, 17, 8, 8, 8}, NULL},
      {{3, 1}, {0, 9000, 20000}, {5, 6, 17}, NULL},
      {{1, 2}, {9000, 10000}, {6, 7}, NULL},
      {{1, 2}, {10000, 11000}, {7, 6}, NULL},
      {{1, 2}, {0, 9999}, {6, 7}, "goes from 0 to 9999 mm, expected distances on both sides of meta.SAD, 10000"},
      {{1, 2}, {10001, 20000}, {6, 7}, "both sides of meta.SAD"},
      {{1, 3}, {0, 20000, 9000}, {5, 6, 7}, "do not ascend"},
      {{1, 1}, {10000}, {6}, "dist has 1 numbers"}};
  Machine *m = Import();
  m->n_energy = 1;
  for (size_t i = 0; i < sizeof given / sizeof *given; i++) {
    memcpy(focus_table[0], given[i].distance, sizeof *focus_table);
    memcpy(focus_table[1], given[i].sigma_mm, sizeof *focus_table);
    memcpy(focus_dims, given[i].dims, sizeof focus_dims);
    Machine *again = ImportChanged(m, OtherFocus, given[i].refused);
    if (again) assert_double_near(again->spot_sigma_mm[0], 7, 1e-12);
    assert_int_equal(MachineDestroy(&again), 0);
  }
  m->n_energy = 121;
  assert_int_equal(MachineDestroy(&m), 0);
}

/* Written in robion's own format and read back. */
static void ThroughOwnFile(void **state)
{
  Machine *m = Import(), *again = NULL;
  Mistakes mistakes = {0};
  assert_int_equal(MachineWrite(m, damaged, &mistakes), 0);
  assert_int_equal(MachineRead(damaged, &mistakes, &again), 0);
  assert_int_equal(mistakes.n, 0);
  assert_memory_equal(m->alpha, again->alpha, sizeof(double) * 121 * 135 * 2);
  assert_memory_equal(m->idd_Gy_mm2, again->idd_Gy_mm2, sizeof(double) * 121 * 135);
  assert_null(again->dose_share);
  assert_int_equal(MachineDestroy(&m), 0);
  assert_int_equal(MachineDestroy(&again), 0);
}

static void WriteBytes(const char *bytes, size_t length)
{
  FILE *f = fopen(damaged, "wb");
  assert_non_null(f);
  assert_int_equal(fwrite(bytes, 1, length, f), length);
  fclose(f);
}

static void assert_refused(const char *bytes, size_t length)
{
  WriteBytes(bytes, length);
  Machine *m = NULL;
  Mistakes mistakes = {0};
  assert_int_equal(MachineReadMatRad(damaged, &mistakes, &m), 0);
  assert_null(m);
  assert_true(mistakes.n > 0);
  assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
  assert_non_null(strstr(mistakes.item[0].text, damaged));
  assert_non_null(strstr(mistakes.item[0].text, ": byte "));
  MistakesClear(&mistakes);
}

static void Damaged(void **state)
{
  if (access(original, R_OK)) skip();
  Mistakes mistakes = {0};
  char *bytes;
  size_t length;
  assert_true(FileRead(original, &bytes, &length, &mistakes));
  for (size_t i = 0; i < 8; i++) assert_refused(bytes, length * i / 8);
  assert_refused(bytes, 60);
  assert_refused(bytes, 200);
  char text[200]; /* long enough for a header, but none */
  memset(text, 'x', sizeof text);
  assert_refused(text, sizeof text);
  for (size_t i = 3; i < 20; i += 3) { /* one bit anywhere in what is compressed */
    bytes[length * i / 20] ^= 4;
    assert_refused(bytes, length);
    bytes[length * i / 20] ^= 4;
  }
  assert_int_equal(PetscFree(bytes), 0);
}

/* Damage where nothing is compressed is not always seen, but never more than a mistake. */
static void DamagedUncompressed(void **state)
{
  Machine *m;
  MachineSpec spec;
  Mistakes mistakes = {0};
  char *bytes;
  size_t length, refused = 0, n = 0;
  assert_int_equal(MachineSpecDefault(&spec), 0);
  spec.energy_min_MeV_u = spec.energy_max_MeV_u = 80;
  assert_int_equal(BaseData(PETSC_COMM_SELF, &spec, &m), 0);
  assert_int_equal(MachineWriteMatRad(m, damaged, &mistakes), 0);
  assert_int_equal(MachineDestroy(&m), 0);
  assert_true(FileRead(damaged, &bytes, &length, &mistakes));
  for (size_t at = 124; at < length; at += at < 2500 ? 41 : 2503, n++) {
    const char whole = bytes[at];
    bytes[at] = (char)(n % 3 == 0 ? 0xff : n % 3 == 1 ? 0 : whole ^ 0x21);
    WriteBytes(bytes, length);
    assert_int_equal(MachineReadMatRad(damaged, &mistakes, &m), 0);
    assert_true(m ? mistakes.n == 0 : mistakes.n >= 1);
    refused += m ? 0 : 1;
    assert_int_equal(MachineDestroy(&m) || MistakesClear(&mistakes), 0);
    bytes[at] = whole;
  }
  print_message("%zu of %zu damaged files refused\n", refused, n);
  assert_true(refused > 10);
  assert_int_equal(PetscFree(bytes), 0);
}

/* A MAT file of another kind, and none. */
static void Foreign(void **state)
{
  char other[PETSC_MAX_PATH_LEN];
  Machine *m = NULL;
  Mistakes mistakes = {0};
  assert_int_equal(MachineReadMatRad("/no/such/file.mat", &mistakes, &m), 0);
  assert_true(!m && mistakes.n == 1);
  MistakesClear(&mistakes);
  snprintf(other, sizeof other, "%.*s/BOXPHANTOM.mat", (int)(strrchr(original, '/') - original), original);
  if (access(other, R_OK)) skip();
  assert_int_equal(MachineReadMatRad(other, &mistakes, &m), 0);
  assert_true(!m && mistakes.n == 1);
  assert_non_null(strstr(mistakes.item[0].text, "machine"));
  MistakesClear(&mistakes);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(NumberForNumber),     cmocka_unit_test(HeaderAndDerived),
                                     cmocka_unit_test(ThroughMatRadFile),   cmocka_unit_test(BuiltinThroughMatRadFile),
                                     cmocka_unit_test(ThroughOwnFile),      cmocka_unit_test(Damaged),
                                     cmocka_unit_test(DamagedUncompressed), cmocka_unit_test(Foreign),
                                     cmocka_unit_test(OddShapes),           cmocka_unit_test(UnequalDepths),
                                     cmocka_unit_test(FocusPlaces),         cmocka_unit_test(LateralForms)};
  return cmocka_run_group_tests(tests, SetUp, TearDown);
}
