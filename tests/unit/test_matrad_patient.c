/* matRad patients as other programs write them: names in any encoding, where the voxels lie, what is left behind. */
#include "robion/exchange.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "near.h"
#include <matio.h>

enum { NX = 3, NY = 2, NZ = 4, N = NX * NY * NZ };

static char file[] = "/tmp/robion-matrad.XXXXXX";

/* What a patient is written with; what is NULL or 0 is left out. */
typedef struct Patient {
  const double *axis[3], *position, *orientation, *slices, *hlut;
  size_t n_axis[3], n_position, n_slices, n_hlut;
  const char *lies;
  matvar_t *name[2];
  double alpha, priority; /* of the second structure */
  PetscBool objective;
} Patient;

static matvar_t *Numbers(size_t rows, size_t columns, const double *value)
{
  size_t dims[2] = {rows, columns};
  return Mat_VarCreate(NULL, MAT_C_DOUBLE, MAT_T_DOUBLE, 2, dims, (void *)value, 0);
}

static matvar_t *Characters(enum matio_types type, size_t n, const void *unit)
{
  size_t dims[2] = {1, n};
  return Mat_VarCreate(NULL, MAT_C_CHAR, type, 2, dims, (void *)unit, 0);
}

/* In UTF-8, of which dims counts the characters. */
static matvar_t *Word(const char *text)
{
  size_t n = 0;
  for (const char *c = text; *c; c++) n += (*c & 0xC0) != 0x80;
  return Characters(MAT_T_UTF8, n, text);
}

static void Set(matvar_t *structure, const char *field, matvar_t *value)
{
  assert_non_null(value);
  assert_int_equal(Mat_VarAddStructField(structure, field), 0);
  Mat_VarSetStructFieldByName(structure, field, 0, value);
}

static matvar_t *Struct(const char *name)
{
  const size_t dims[2] = {1, 1};
  const char *const none[] = {NULL};
  return Mat_VarCreateStruct2(name, 2, dims, none);
}

static matvar_t *WriteCT(const Patient *p)
{
  static const char *const axes[3] = {"x", "y", "z"};
  static const double size_mm[3] = {3, 2.5, 4}, hu[N] = {0};
  size_t dims[3] = {NY, NX, NZ};
  matvar_t *ct = Struct("ct"), *resolution = Struct(NULL), *dicom = Struct(NULL);
  for (int k = 0; k < 3; k++) Set(resolution, axes[k], Numbers(1, 1, &size_mm[k]));
  Set(ct, "cubeHU", Mat_VarCreate(NULL, MAT_C_DOUBLE, MAT_T_DOUBLE, 3, dims, (void *)hu, 0));
  Set(ct, "resolution", resolution);
  for (int k = 0; k < 3; k++)
    if (p->axis[k]) Set(ct, axes[k], Numbers(1, p->n_axis[k], p->axis[k]));
  if (p->hlut) Set(ct, "hlut", Numbers(p->n_hlut, 2, p->hlut));
  if (p->position) Set(dicom, "ImagePositionPatient", Numbers(p->n_position, 1, p->position));
  if (p->orientation) Set(dicom, "ImageOrientationPatient", Numbers(6, 1, p->orientation));
  if (p->slices) Set(dicom, "SlicePositions", Numbers(1, p->n_slices, p->slices));
  if (p->lies) Set(dicom, "PatientPosition", Word(p->lies));
  Set(ct, "dicomInfo", dicom);
  return ct;
}

static matvar_t *WriteCst(const Patient *p)
{
  static const double index[2][3] = {{1, 2, 3}, {2, 3, 4}}, number[2] = {0, 1};
  static const char *const type[2] = {"TARGET", "OAR"};
  size_t dims[2] = {2, 6};
  matvar_t *cell[12];
  for (int row = 0; row < 2; row++) {
    const double alpha = row ? p->alpha : 0.1, beta = 0.05, priority = row ? p->priority : 1;
    matvar_t *parameters = Struct(NULL);
    if (p->alpha > 0) Set(parameters, "alphaX", Numbers(1, 1, &alpha));
    if (p->alpha > 0) Set(parameters, "betaX", Numbers(1, 1, &beta));
    if (p->priority > 0) Set(parameters, "Priority", Numbers(1, 1, &priority));
    cell[row] = Numbers(1, 1, &number[row]);
    cell[row + 2] = p->name[row] ? p->name[row] : Word(row ? "OAR 1" : "PTV");
    cell[row + 4] = Word(type[row]);
    cell[row + 6] = Numbers(3, 1, index[row]);
    cell[row + 8] = parameters;
    cell[row + 10] = p->objective ? Struct(NULL) : Numbers(0, 0, NULL);
  }
  return Mat_VarCreate("cst", MAT_C_CELL, MAT_T_CELL, 2, dims, cell, 0);
}

static void Write(const Patient *p)
{
  mat_t *mat = Mat_CreateVer(file, NULL, MAT_FT_MAT5);
  assert_non_null(mat);
  matvar_t *variable[2] = {WriteCT(p), WriteCst(p)};
  for (int i = 0; i < 2; i++) {
    assert_int_equal(Mat_VarWrite(mat, variable[i], MAT_COMPRESSION_ZLIB), 0);
    Mat_VarFree(variable[i]);
  }
  assert_int_equal(Mat_Close(mat), 0);
}

/* Import what was written, its standard output in `said`. */
static Case *Import(const Patient *p, size_t size, char *said)
{
  Mistakes mistakes = {0};
  Case *patient;
  FILE *kept = tmpfile();
  Write(p);
  (void)fflush(stdout);
  const int out = dup(STDOUT_FILENO);
  assert_true(kept && out >= 0 && dup2(fileno(kept), STDOUT_FILENO) >= 0);
  assert_int_equal(CaseReadMatRad(file, &mistakes, &patient), 0);
  (void)fflush(stdout);
  assert_true(dup2(out, STDOUT_FILENO) >= 0 && close(out) == 0);
  rewind(kept);
  said[fread(said, 1, size - 1, kept)] = 0;
  fclose(kept);
  if (mistakes.n) fail_msg("%s", MistakesFirst(&mistakes));
  assert_non_null(patient);
  return patient;
}

static void Refuse(const Patient *p, const char *text)
{
  Mistakes mistakes = {0};
  Case *patient;
  Write(p);
  assert_int_equal(CaseReadMatRad(file, &mistakes, &patient), 0);
  assert_null(patient);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
  if (!strstr(MistakesFirst(&mistakes), text)) fail_msg("\"%s\" lacks \"%s\"", MistakesFirst(&mistakes), text);
  assert_int_equal(MistakesClear(&mistakes), 0);
}

/* The same text in every encoding; in UTF-8 two names that differ in their last letter alone. */
static void Names(void **state)
{
  static const uint16_t utf16[] = {'H', 0xFC, 'f', 't', 'e', ' ', 0x9AA8, 0xD83D, 0xDC41, ' ', 'R'};
  static const char utf8[] = "H\303\274fte \351\252\250\360\237\221\201 R",
                    other[] = "H\303\274fte \351\252\250\360\237\221\201 L";
  uint16_t octave[sizeof utf8];
  char said[4096];
  for (size_t i = 0; i < sizeof utf8; i++) octave[i] = (unsigned char)utf8[i];
  for (int kind = 0; kind < 4; kind++) {
    Patient p = {.name = {NULL, Word(other)}};
    p.name[0] = kind == 0   ? Characters(MAT_T_UTF16, 11, utf16)
                : kind == 1 ? Characters(MAT_T_UINT16, 11, utf16)
                : kind == 2 ? Characters(MAT_T_UINT16, sizeof utf8 - 1, octave)
                            : Word(utf8);
    Case *patient = Import(&p, sizeof said, said);
    assert_string_equal(patient->structures[0].name, utf8);
    assert_string_equal(patient->structures[1].name, other);
    assert_int_equal(CaseDestroy(&patient), 0);
  }
  static const uint16_t broken[] = {'a', 0xD83D, 'b', 0xDC41, ' ', ' '};
  Patient p = {.name = {Characters(MAT_T_UINT16, 6, broken), NULL}};
  Case *patient = Import(&p, sizeof said, said);
  assert_string_equal(patient->structures[0].name, "a\357\277\275b\357\277\275");
  assert_int_equal(CaseDestroy(&patient), 0);
}

/* A name that is too long ends with a whole character. */
static void LongName(void **state)
{
  char said[4096];
  uint16_t name[300];
  for (int i = 0; i < 300; i++) name[i] = 0xF6;
  Patient p = {.name = {Characters(MAT_T_UINT16, 300, name), NULL}};
  Case *patient = Import(&p, sizeof said, said);
  assert_int_equal(strlen(patient->structures[0].name), 254);
  assert_int_equal(CaseDestroy(&patient), 0);
}

static const double position[3] = {-123, 45, -678}, x[NX] = {-20, -17, -14}, y[NY] = {7, 9.5}, z[NZ] = {1, 5, 9, 13};

static void ExpectOrigin(const Patient *p, double x_mm, double y_mm, double z_mm)
{
  char said[4096];
  Case *patient = Import(p, sizeof said, said);
  assert_double_near(patient->ct.origin_mm[0], x_mm, 1e-12);
  assert_double_near(patient->ct.origin_mm[1], y_mm, 1e-12);
  assert_double_near(patient->ct.origin_mm[2], z_mm, 1e-12);
  assert_int_equal(CaseDestroy(&patient), 0);
}

/* matRad_getWorldAxes.m: axes if there are all three, else the DICOM position, else half of the cube. */
static void Origin(void **state)
{
  const double even[NZ] = {-678, -674, -670, -666}, series[6] = {0, 3, 9, 10, 11, 12};
  Patient p = {.axis = {x, y, z}, .n_axis = {NX, NY, NZ}, .position = position, .n_position = 3};
  ExpectOrigin(&p, -20, 7, 1);
  p.n_axis[2] = 0;
  ExpectOrigin(&p, -123, 45, -678);
  p.axis[2] = NULL;
  ExpectOrigin(&p, -123, 45, -678);
  p.axis[0] = p.axis[1] = NULL;
  ExpectOrigin(&p, -123, 45, -678);
  p.slices = even, p.n_slices = NZ;
  ExpectOrigin(&p, -123, 45, -678);
  p.slices = series, p.n_slices = 6; /* of the series that the cube was interpolated from */
  ExpectOrigin(&p, -123, 45, -678);
  ExpectOrigin(&(Patient){.objective = PETSC_TRUE}, -4.5, -2.5, -8);
}

static void OddPlaces(void **state)
{
  const double uneven[NZ] = {1, 5, 10, 13}, down[NZ] = {13, 9, 5, 1}, wide[NZ] = {0, 5, 10, 15}, nan[3] = {0, NAN, 0},
               oblique[6] = {0.996, 0.087, 0, -0.087, 0.996, 0}, turned[6] = {-1, 0, 0, 0, -1, 0};
  Patient p = {.axis = {x, y, uneven}, .n_axis = {NX, NY, NZ}};
  Refuse(&p, "ct.z: 4 positions from 1 to 13 mm found (the 3. is 10), expected 4 in ascending steps of 4 mm");
  p.axis[2] = down;
  Refuse(&p, "ascending steps");
  p.axis[2] = z, p.n_axis[2] = 3;
  Refuse(&p, "expected 4 in ascending steps");
  p = (Patient){.position = position, .n_position = 3, .slices = uneven, .n_slices = NZ};
  Refuse(&p, "ct.dicomInfo.SlicePositions: 4 positions from 1 to 13 mm found (the 3. is 10)");
  p.slices = wide;
  Refuse(&p, "ascending steps of 4 mm");
  p = (Patient){.position = position, .n_position = 2};
  Refuse(&p, "ct.dicomInfo.ImagePositionPatient: 2 numbers found, expected 3");
  p = (Patient){.position = nan, .n_position = 3};
  Refuse(&p, "ct.dicomInfo.ImagePositionPatient");
  p = (Patient){.axis = {x, y, z}, .n_axis = {NX, NY, NZ}, .orientation = oblique};
  Refuse(&p, "ct.dicomInfo.ImageOrientationPatient: 0.996 found in place 1");
  p.orientation = turned; /* which matRad has turned back */
  ExpectOrigin(&p, -20, 7, 1);
}

static void Position(void **state)
{
  static const struct {
    const char *text;
    PatientPosition position;
  } known[] = {{"HFS", POSITION_HFS},   {"HFP ", POSITION_HFP}, {"ffs", POSITION_FFS}, {"FFP", POSITION_FFP},
               {"HFDR", POSITION_HFDR}, {"", POSITION_HFS},     {"  ", POSITION_HFS},  {NULL, POSITION_HFS}};
  char said[4096];
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    Case *patient = Import(&(Patient){.lies = known[i].text}, sizeof said, said);
    assert_int_equal(patient->position, known[i].position);
    assert_int_equal(CaseDestroy(&patient), 0);
  }
  Refuse(&(Patient){.lies = "RFS"}, "ct.dicomInfo.PatientPosition is \"RFS\", expected HFS, HFP, FFS, FFP, HFDR,");
}

/* A line for each thing that a case file has no place for, and none where nothing is lost. */
static void LeftBehind(void **state)
{
  static const double own[] = {-1024, -999,  -90,  -45,  0, 100,   350,   3000,
                               0.001, 0.001, 0.95, 0.99, 1, 1.095, 1.199, 2.505},
                      other[] = {-1024, 0, 3000, 0, 1, 3};
  static const char *const line[] = {
      "ct.hlut: [-1024, 0], [0, 1], [3000, 3];", "alphaX, betaX (1/Gy, 1/Gy2): PTV = 0.1 0.05, OAR 1 = 0.5 0.05;",
      "priorities in overlaps: PTV = 1, OAR 1 = 2;", "objectives and constraints: PTV, OAR 1;"};
  char said[4096];
  for (int lost = -1; lost < 4; lost++) {
    const Patient p = {.hlut = lost == 0 ? other : own,
                       .n_hlut = lost == 0 ? 3 : 8,
                       .alpha = lost == 1 ? 0.5 : 0.1,
                       .priority = lost == 2 ? 2 : 1,
                       .objective = lost == 3 ? PETSC_TRUE : PETSC_FALSE};
    Case *patient = Import(&p, sizeof said, said);
    for (int i = 0; i < 4; i++)
      if (!strstr(said, line[i]) != (i != lost)) fail_msg("line %d where %d is lost: %s", i, lost, said);
    if (lost < 0) assert_string_equal(said, "");
    assert_int_equal(CaseDestroy(&patient), 0);
  }
}

static int SetUp(void **state)
{
  const int descriptor = mkstemp(file);
  return descriptor < 0 || close(descriptor) || PetscInitializeNoArguments();
}

static int TearDown(void **state)
{
  return unlink(file) || PetscFinalize();
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Names),    cmocka_unit_test(LongName),
                                     cmocka_unit_test(Origin),   cmocka_unit_test(OddPlaces),
                                     cmocka_unit_test(Position), cmocka_unit_test(LeftBehind)};
  return cmocka_run_group_tests(tests, SetUp, TearDown);
}
