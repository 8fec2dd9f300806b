/* ranks: 1 2
 *
 * Case files: what is written comes back, on every rank too; every kind of damage gives one clear mistake.
 */
#include "robion/case.h"
#include "robion/hdf5.h"
#include "robion/map.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "near.h"

enum { NX = 4, NY = 3, NZ = 2, N = NX * NY * NZ };
static char file[256];
static short hu[N];
static unsigned char body[N], tumour[N];
static float cells[N];

static int SetUp(void **state)
{
  const char *folder = getenv("TMPDIR");
  snprintf(file, sizeof file, "%s/robion-case-%ld.h5", folder ? folder : "/tmp", (long)getpid());
  for (int v = 0; v < N; v++) {
    hu[v] = (short)(100 * v - 1000);
    body[v] = v > 2;
    tumour[v] = v % 5 == 4;
    cells[v] = 0.5f * (float)v;
  }
  return 0;
}

static int TearDown(void **state)
{
  unlink(file);
  return 0;
}

static void WriteSmallCase(void)
{
  Structure structures[] = {{"BODY", ROLE_EXTERNAL, body}, {"GTV", ROLE_TARGET, tumour}};
  BiologyMap map = {"cells", "1/mm3", cells};
  double angles[] = {130, 200, 275};
  Case patient = {.name = "small", .source = "test", .hu = hu, .n_structures = 2, .structures = structures};
  patient.position = POSITION_FFP;
  patient.ct = (Grid){{NX, NY, NZ}, {1, 2, 3.5}, {-10, 20, -30.25}};
  patient.n_maps = 1;
  patient.maps = &map;
  patient.n_beam_angles = 3;
  patient.beam_gantry_deg = angles;
  Mistakes mistakes = {0};
  assert_int_equal(CaseWrite(&patient, file, &mistakes), 0);
  assert_false(MistakesAny(&mistakes));
}

static void ExpectSmallCase(const Case *patient)
{
  assert_non_null(patient);
  const double spacing[] = {1, 2, 3.5}, origin[] = {-10, 20, -30.25}, angles[] = {130, 200, 275};
  const PetscInt n[] = {NX, NY, NZ};
  assert_memory_equal(patient->ct.n, n, sizeof n);
  assert_memory_equal(patient->ct.spacing_mm, spacing, sizeof spacing);
  assert_memory_equal(patient->ct.origin_mm, origin, sizeof origin);
  assert_memory_equal(patient->hu, hu, sizeof hu);
  assert_int_equal(patient->n_beam_angles, 3);
  assert_memory_equal(patient->beam_gantry_deg, angles, sizeof angles);
  assert_int_equal(patient->position, POSITION_FFP);
  assert_int_equal(patient->n_structures, 2);
  assert_int_equal(CaseFindStructure(patient, "GTV"), 1);
  assert_int_equal(CaseFindStructure(patient, "gtv"), -1);
  assert_int_equal(CaseFindExternal(patient), 0);
  assert_int_equal(patient->structures[1].role, ROLE_TARGET);
  assert_memory_equal(patient->structures[0].mask, body, sizeof body);
  assert_memory_equal(patient->structures[1].mask, tumour, sizeof tumour);
  assert_int_equal(patient->n_maps, 1);
  assert_string_equal(patient->maps[0].name, "cells");
  assert_string_equal(patient->maps[0].unit, "1/mm3");
  assert_memory_equal(patient->maps[0].value, cells, sizeof cells);
}

/* What one rank writes into a voxel the others of its node see: there is one copy. Nobody does so but this test. */
static void ExpectOneCopy(const Case *patient)
{
  PetscMPIInt rank, size;
  MPI_Comm node;
  MPI_Comm_split_type(PETSC_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
  MPI_Comm_rank(node, &rank);
  MPI_Comm_size(node, &size);
  for (PetscMPIInt r = 0; r < size; r++) {
    if (rank == r) patient->hu[0] = (short)(hu[0] + 1 + r), patient->structures[0].mask[0] = (unsigned char)(2 + r);
    MPI_Win_sync(patient->copies.window);
    MPI_Barrier(node);
    MPI_Win_sync(patient->copies.window);
    assert_int_equal(patient->hu[0], hu[0] + 1 + r);
    assert_int_equal(patient->structures[0].mask[0], 2 + r);
    MPI_Barrier(node);
  }
  MPI_Comm_free(&node);
}

static void ComesBackOnEveryRank(void **state)
{
  PetscMPIInt rank, size;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  PetscMPIInt root = size - 1;
  Mistakes mistakes = {0};
  Case *patient = NULL;
  if (rank == root) {
    WriteSmallCase();
    assert_int_equal(CaseLoad(file, &mistakes, &patient), 0);
    assert_false(MistakesAny(&mistakes));
  }
  assert_int_equal(CaseBroadcast(PETSC_COMM_WORLD, root, &patient), 0);
  ExpectSmallCase(patient);
  assert_null(patient->rsp);
  assert_int_equal(CaseDestroy(&patient), 0);
  HLUT hlut;
  assert_int_equal(HLUTDefault(&hlut), 0);
  if (rank == root) {
    assert_int_equal(CaseLoad(file, &mistakes, &patient), 0);
    assert_int_equal(CaseSetRSP(patient, &hlut), 0);
  }
  assert_int_equal(CaseBroadcast(PETSC_COMM_WORLD, root, &patient), 0);
  ExpectSmallCase(patient);
  ExpectOneCopy(patient);
  for (int v = 0; v < N; v++)
    assert_double_near(patient->rsp[v], body[v] ? (float)HLUTEvaluate(&hlut, hu[v]) : (float)RSP_AIR, 0);
  assert_int_equal(CaseDestroy(&patient), 0);
  assert_null(patient);
  assert_int_equal(CaseBroadcast(PETSC_COMM_WORLD, root, &patient), 0); /* nothing on root: nothing anywhere */
  assert_null(patient);
  assert_int_equal(PetscFree(hlut.point), 0);
}

/* Maps come into a copy of the file; what robion does not know, the provenance and the permissions stay. */
static void MapsAreAdded(void **state)
{
  static const char *const names[] = {"cells", "adc_rmse"};
  char copy[sizeof file + 5], *source_text = NULL;
  struct stat status;
  Mistakes mistakes = {0};
  Case *patient, *again;
  H5Sink sink;
  H5Source source;
  float *changed[2];
  PetscMPIInt rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (rank) return;
  snprintf(copy, sizeof copy, "%s.copy", file);
  WriteSmallCase();
  assert_true(H5SinkExtend(file, file, &mistakes, &sink));
  H5WriteString(&sink, "/structures/GTV", "origin", "drawn");
  assert_true(H5SinkClose(&sink, &mistakes));
  assert_int_equal(chmod(file, 0600), 0);
  assert_int_equal(CaseLoad(file, &mistakes, &patient), 0);
  for (int m = 0; m < 2; m++) {
    assert_int_equal(PetscMalloc1(N, &changed[m]), 0);
    for (int v = 0; v < N; v++) changed[m][v] = (float)(m + 1) * cells[v];
    assert_int_equal(CaseAddMap(patient, names[m], "1/mm3", changed[m]), 0);
  }
  assert_int_equal(CaseFileWithMaps(patient, file, copy, 2, names, &mistakes), 0);
  assert_int_equal(CaseLoad(copy, &mistakes, &again), 0);
  assert_false(MistakesAny(&mistakes));
  assert_int_equal(again->n_maps, 2);
  for (int m = 0; m < 2; m++)
    assert_memory_equal(again->maps[CaseFindMap(again, names[m])].value, changed[m], N * sizeof(float));
  assert_true(H5SourceOpen(copy, &mistakes, &source));
  assert_true(H5ReadString(&source, "/structures/GTV", "origin", PETSC_FALSE, &source_text, &mistakes));
  assert_string_equal(source_text, "drawn");
  assert_true(H5SourceClose(&source, &mistakes));
  assert_true(!stat(copy, &status) && (status.st_mode & 0777) == 0600 && !unlink(copy));
  assert_int_equal(PetscFree(source_text) || CaseDestroy(&patient) || CaseDestroy(&again), 0);
}

/* Reading the file must fail with one mistake that holds the text. */
static void ExpectMistake(const char *text)
{
  Mistakes mistakes = {0};
  Case *patient;
  assert_int_equal(CaseLoad(file, &mistakes, &patient), 0);
  assert_null(patient);
  if (mistakes.n != 1) MistakesPrint(&mistakes);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
  if (!strstr(mistakes.item[0].text, text)) fail_msg("\"%s\" lacks \"%s\"", mistakes.item[0].text, text);
  assert_non_null(strstr(mistakes.item[0].text, file));
  assert_int_equal(MistakesClear(&mistakes), 0);
}

static hid_t OpenForDamage(void)
{
  WriteSmallCase();
  hid_t h = H5Fopen(file, H5F_ACC_RDWR, H5P_DEFAULT);
  assert_true(h >= 0);
  return h;
}

static void Delete(const char *path, const char *text)
{
  hid_t h = OpenForDamage();
  assert_true(H5Ldelete(h, path, H5P_DEFAULT) >= 0);
  H5Fclose(h);
  ExpectMistake(text);
}

static void DeleteAttribute(const char *path, const char *attribute, const char *text)
{
  hid_t h = OpenForDamage();
  assert_true(H5Adelete_by_name(h, path, attribute, H5P_DEFAULT) >= 0);
  H5Fclose(h);
  ExpectMistake(text);
}

static void Overwrite(const char *path, hid_t type, const void *data, const char *text)
{
  hid_t h = OpenForDamage(), set = H5Dopen2(h, path, H5P_DEFAULT);
  assert_true(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
  H5Dclose(set);
  H5Fclose(h);
  ExpectMistake(text);
}

/* Put another dataset in the place of one, with the attributes a structure needs. */
static void Replace(const char *path, hid_t type, int rank, const hsize_t *dims, const void *data, const char *text)
{
  hid_t h = OpenForDamage();
  assert_true(H5Ldelete(h, path, H5P_DEFAULT) >= 0);
  H5Sink sink = {.name = file, .id = h};
  H5WriteArray(&sink, path, type, rank, dims, data, "1", NULL);
  H5WriteString(&sink, path, "role", "target");
  H5Fclose(h);
  ExpectMistake(text);
}

static void SetNumbers(const char *path, const char *attribute, const double value[3], const char *text)
{
  hid_t h = OpenForDamage();
  H5Sink sink = {.name = file, .id = h};
  assert_true(H5Adelete_by_name(h, path, attribute, H5P_DEFAULT) >= 0);
  H5WriteDoubles(&sink, path, attribute, 3, value);
  H5Fclose(h);
  ExpectMistake(text);
}

static void SetPosition(const char *position, const char *text)
{
  WriteSmallCase();
  hid_t id = H5Fopen(file, H5F_ACC_RDWR, H5P_DEFAULT);
  H5Adelete(id, "patient_position");
  H5Fclose(id);
  H5Sink sink = {0};
  Mistakes mistakes = {0};
  assert_true(H5SinkExtend(file, file, &mistakes, &sink));
  H5WriteString(&sink, "/", "patient_position", position);
  assert_true(H5SinkClose(&sink, &mistakes));
  ExpectMistake(text);
}

static void SetRole(const char *role, const char *text)
{
  hid_t h = OpenForDamage();
  H5Sink sink = {.name = file, .id = h};
  assert_true(H5Adelete_by_name(h, "/structures/GTV", "role", H5P_DEFAULT) >= 0);
  H5WriteString(&sink, "/structures/GTV", "role", role);
  H5Fclose(h);
  ExpectMistake(text);
}

static void MissingParts(void **state)
{
  Delete("/ct", "/ct/hu: missing dataset");
  Delete("/ct/hu", "/ct/hu: missing dataset");
  Delete("/structures", "no structures");
  DeleteAttribute("/ct/hu", "spacing_mm", "missing attribute spacing_mm");
  DeleteAttribute("/ct/hu", "origin_mm", "missing attribute origin_mm");
  DeleteAttribute("/structures/GTV", "role", "attribute role is missing");
  DeleteAttribute("/maps/cells", "unit", "attribute unit is missing");
}

static void WrongParts(void **state)
{
  const hsize_t good[] = {NZ, NY, NX}, turned[] = {NX, NY, NZ}, flat[] = {N};
  unsigned char label[N] = {0};
  label[7] = 2;
  float hole[N] = {0};
  hole[3] = NAN;
  int metal[N] = {0};
  metal[5] = 70000;
  Overwrite("/structures/GTV", H5T_NATIVE_UCHAR, label, "1 voxels hold a value of 2, expected 0 or 1");
  Overwrite("/maps/cells", H5T_NATIVE_FLOAT, hole, "1 of 24 values are not finite");
  Replace("/structures/GTV", H5T_NATIVE_UCHAR, 3, turned, label, "dimension 0 is 4, expected 2");
  Replace("/structures/GTV", H5T_NATIVE_UCHAR, 1, flat, label, "has 1 dimensions, expected 3");
  Replace("/structures/GTV", H5T_NATIVE_FLOAT, 3, good, hole, "floating-point numbers, expected integers");
  Replace("/structures", H5T_NATIVE_FLOAT, 3, good, hole, "/structures: cannot be listed, expected a group");
  Replace("/maps/cells", H5T_NATIVE_FLOAT, 1, flat, cells, "has 1 dimensions");
  Replace("/ct/hu", H5T_NATIVE_FLOAT, 3, good, hole, "/ct/hu: holds floating-point numbers");
  Replace("/ct/hu", H5T_NATIVE_INT, 3, good, metal, "/ct/hu: has a value of 70000");
  SetNumbers("/ct/hu", "spacing_mm", (double[]){1, -1, 1}, "spacing_mm[1] is -1, expected a number from 0.01 to 1000");
  SetNumbers("/ct/hu", "spacing_mm", (double[]){1, 1, NAN}, "spacing_mm[2] is nan");
  SetNumbers("/ct/hu", "origin_mm", (double[]){INFINITY, 1, 1}, "origin_mm[0] is inf");
  static const struct {
    double number;
    const char *spacing, *origin; /* the mistake, or NULL */
  } odd[] = {{0, "spacing_mm[0] is 0", NULL},
             {1e-300, "spacing_mm[0] is 1e-300", NULL},
             {0.009, "spacing_mm[0] is 0.009", NULL},
             {0.2, "is 0.8 mm long along x, expected 1 to 4000 mm", NULL},
             {1001, "spacing_mm[0] is 1001", NULL},
             {1e7, "spacing_mm[0] is 1e+07", "origin_mm[0] is 1e+07"},
             {-1e7, "spacing_mm[0] is", "origin_mm[0] is -1e+07, expected a number from -1e+06 to 1e+06"},
             {1e300, "spacing_mm[0] is 1e+300", "origin_mm[0] is 1e+300"}};
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    SetNumbers("/ct/hu", "spacing_mm", (double[]){odd[i].number, 2, 3}, odd[i].spacing);
    if (odd[i].origin) SetNumbers("/ct/hu", "origin_mm", (double[]){odd[i].number, 0, 0}, odd[i].origin);
  }
  SetNumbers("/", "beam_gantry_deg", (double[]){10, NAN, 1}, "beam_gantry_deg[1] is nan");
  SetPosition("LFS", "patient_position is \"LFS\", expected HFS, HFP, FFS, FFP, HFDR, HFDL, FFDR or FFDL");
  SetRole("tagret", "role is \"tagret\", expected target, oar or external (did you mean target?)");
  SetRole("external", "BODY and GTV both have role external");
}

static void NotACaseFile(void **state)
{
  unlink(file);
  ExpectMistake("No such file");
  FILE *f = fopen(file, "w");
  fputs("not a case", f);
  fclose(f);
  ExpectMistake("not an HDF5 file");
  WriteSmallCase();
  assert_int_equal(truncate(file, 3000), 0);
  ExpectMistake("truncated");
}

/* An enumeration of two names; `swapped`: the first is 1. */
static hid_t Enumeration(hid_t whole, const char *first, const char *second, int swapped)
{
  const int value[2] = {swapped, 1 - swapped};
  hid_t type = H5Tenum_create(whole);
  for (int i = 0; i < 2; i++) {
    int number = value[i];
    assert_true(H5Tconvert(H5T_NATIVE_INT, whole, 1, &number, NULL, H5P_DEFAULT) >= 0);
    assert_true(H5Tenum_insert(type, i ? second : first, &number) >= 0);
  }
  return type;
}

/* h5py's booleans are masks; other enumerations are none, and Hounsfield units are no booleans. */
static void Booleans(void **state)
{
  const hsize_t dims[] = {NZ, NY, NX};
  signed char small[N];
  int large[N];
  for (int v = 0; v < N; v++) large[v] = small[v] = (signed char)tumour[v];
  hid_t h5py = Enumeration(H5T_STD_I8LE, "FALSE", "TRUE", 0), wide = Enumeration(H5T_NATIVE_INT, "False", "True", 0),
        swapped = Enumeration(H5T_STD_I8LE, "FALSE", "TRUE", 1), other = Enumeration(H5T_STD_I8LE, "OFF", "ON", 0);
  for (int i = 0; i < 2; i++) {
    hid_t h = OpenForDamage();
    assert_true(H5Ldelete(h, "/structures/GTV", H5P_DEFAULT) >= 0);
    H5Sink sink = {.name = file, .id = h};
    H5WriteArray(&sink, "/structures/GTV", i ? wide : h5py, 3, dims, i ? (void *)large : small, NULL, NULL);
    H5WriteString(&sink, "/structures/GTV", "role", "target");
    H5Fclose(h);
    Mistakes mistakes = {0};
    Case *patient;
    assert_int_equal(CaseLoad(file, &mistakes, &patient), 0);
    assert_false(MistakesAny(&mistakes));
    ExpectSmallCase(patient);
    assert_int_equal(CaseDestroy(&patient), 0);
  }
  Replace("/structures/GTV", swapped, 3, dims, small, "holds an enumeration other than FALSE = 0, TRUE = 1");
  Replace("/structures/GTV", other, 3, dims, small, "/structures/GTV: not a numeric dataset: holds an enumeration");
  Replace("/ct/hu", h5py, 3, dims, small, "/ct/hu: holds booleans, expected integers");
  H5Tclose(h5py);
  H5Tclose(wide);
  H5Tclose(swapped);
  H5Tclose(other);
}

/* What is neither 0 nor 1 is refused whatever it is stored in. */
static void OtherValues(void **state)
{
  const hsize_t dims[] = {NZ, NY, NX};
  for (int i = 0; i < 8; i++) {
    static const long long value[8] = {-1, -128, 255, 256, 65536, -65536, 1LL << 32, INT64_MIN};
    long long wide[N] = {0};
    signed char narrow[N] = {0};
    wide[3] = value[i];
    narrow[3] = (signed char)value[i];
    Replace("/structures/GTV", H5T_NATIVE_LLONG, 3, dims, wide, "/structures/GTV: 1 voxels hold a value of");
    if (i < 2)
      Replace("/structures/GTV", H5T_NATIVE_SCHAR, 3, dims, narrow, "/structures/GTV: 1 voxels hold a value of -1");
  }
}

static size_t PassOn(unsigned flags, size_t n, const unsigned values[], size_t bytes, size_t *size, void **data)
{
  return bytes;
}

/* A filter that is not there is told as that, not as damage. */
static void MissingFilter(void **state)
{
  const H5Z_class2_t filter = {
      H5Z_CLASS_T_VERS, 32000, 1, 1, "lzf", NULL, NULL, PassOn}; /* h5py's, which HDF5 does not have */
  const hsize_t dims[] = {NZ, NY, NX};
  assert_true(H5Zregister(&filter) >= 0);
  hid_t h = OpenForDamage(), create = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(3, dims, NULL);
  assert_true(H5Ldelete(h, "/structures/GTV", H5P_DEFAULT) >= 0);
  assert_true(H5Pset_chunk(create, 3, dims) >= 0 && H5Pset_filter(create, 32000, H5Z_FLAG_OPTIONAL, 0, NULL) >= 0);
  hid_t set = H5Dcreate2(h, "/structures/GTV", H5T_NATIVE_UCHAR, space, H5P_DEFAULT, create, H5P_DEFAULT);
  assert_true(H5Dwrite(set, H5T_NATIVE_UCHAR, H5S_ALL, H5S_ALL, H5P_DEFAULT, tumour) >= 0);
  H5Dclose(set);
  H5Sclose(space);
  H5Pclose(create);
  H5Sink sink = {.name = file, .id = h};
  H5WriteString(&sink, "/structures/GTV", "role", "target");
  H5Fclose(h);
  assert_true(H5Zunregister(32000) >= 0);
  ExpectMistake(
      "/structures/GTV: compressed by filter 32000 (lzf), which HDF5 lacks here: rewrite the file where it is "
      "there, by h5repack");
}

/* Integers of another width and one value in the header only are no mistakes. */
static void OtherWidths(void **state)
{
  const hsize_t dims[] = {NZ, NY, NX};
  long long wide[N];
  for (int v = 0; v < N; v++) wide[v] = hu[v];
  hid_t h = OpenForDamage();
  assert_true(H5Ldelete(h, "/ct/hu", H5P_DEFAULT) >= 0);
  H5Sink sink = {.name = file, .id = h};
  H5WriteArray(&sink, "/ct/hu", H5T_NATIVE_LLONG, 3, dims, wide, NULL, NULL);
  H5WriteDoubles(&sink, "/ct/hu", "spacing_mm", 3, (double[]){1, 2, 3.5});
  H5WriteDoubles(&sink, "/ct/hu", "origin_mm", 3, (double[]){-10, 20, -30.25});
  H5Fclose(h);
  Mistakes mistakes = {0};
  Case *patient;
  assert_int_equal(CaseLoad(file, &mistakes, &patient), 0);
  assert_false(MistakesAny(&mistakes));
  ExpectSmallCase(patient);
  assert_int_equal(CaseDestroy(&patient), 0);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ComesBackOnEveryRank),
      cmocka_unit_test(MapsAreAdded),
      cmocka_unit_test(MissingParts),
      cmocka_unit_test(WrongParts),
      cmocka_unit_test(NotACaseFile),
      cmocka_unit_test(OtherWidths),
      cmocka_unit_test(Booleans),
      cmocka_unit_test(OtherValues),
      cmocka_unit_test(MissingFilter),
  };
  int failures = cmocka_run_group_tests(tests, SetUp, TearDown);
  return PetscFinalize() ? 1 : failures;
}
