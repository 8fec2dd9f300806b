/*
 * matRad patients (`ct` and `cst` of a level-5 MAT file) -> Case.
 *
 * ct.cubeHU{1} (else ct.cube{1}, stopping power) is [y,x,z] column-major. Row i of the cell array cst: {number, name, type,
 * {1-based linear indices}, ...}.
 */
#include "matrad_private.h"
#include "robion/exchange.h"
#include "robion/log.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The cube of HU, or of stopping power; NULL after a mistake. */
static const matvar_t *FindCube(const MatRadPatient *s, PetscBool *is_rsp)
{
  const matvar_t *cube = MatlabFirst(MatlabField(s->ct, "cubeHU", 0)),
                 *scenarios = MatlabField(s->ct, "numOfCtScen", 0);
  *is_rsp = MatlabCount(cube) == 0;
  if (*is_rsp) cube = MatlabFirst(MatlabField(s->ct, "cube", 0));
  size_t n = MatlabCount(cube);
  if (!n || cube->rank > 3 || n > INT_MAX) {
    (void)MistakesAdd(s->mistakes, ROBION_INPUT,
                      "%s: ct.cubeHU and ct.cube: no cube of 1 to %d numbers found, expected one", s->file, INT_MAX);
    return NULL;
  }
  if (MatlabCount(scenarios) == 1 && MatlabElement(scenarios, 0) != 1) {
    (void)MistakesAdd(s->mistakes, ROBION_INPUT, "%s: ct.numOfCtScen: %g CT scenarios found, expected 1", s->file,
                      MatlabElement(scenarios, 0));
    return NULL;
  }
  return cube;
}

/* Index on our grid of matRad's 0-based linear index. */
static size_t Transposed(const Grid *ct, size_t linear)
{
  size_t ny = (size_t)ct->n[1], nx = (size_t)ct->n[0];
  size_t j = linear % ny, i = linear / ny % nx, k = linear / ny / nx;
  return (k * ny + j) * nx + i;
}

static PetscErrorCode TakeCT(const MatRadPatient *s, Case *patient, PetscBool *good)
{
  PetscFunctionBegin;
  PetscBool is_rsp;
  HLUT hlut;
  const matvar_t *cube = FindCube(s, &is_rsp);
  *good = cube && MatRadTakeGrid(s, cube, &patient->ct) ? PETSC_TRUE : PETSC_FALSE;
  if (!*good) PetscFunctionReturn(0);
  size_t n = GridSize(&patient->ct), bad = 0, beyond = 0;
  PetscCall(HLUTDefault(&hlut));
  const double *highest = hlut.point[hlut.n - 1];
  PetscCall(PetscMalloc1(n, &patient->hu));
  for (size_t v = 0; v < n; v++) {
    double value = MatlabElement(cube, v), hu = is_rsp && isfinite(value) ? HLUTInvert(&hlut, value) : value;
    beyond += is_rsp && value > highest[1];
    PetscBool fits = hu >= SHRT_MIN && hu <= SHRT_MAX;
    bad += !fits;
    patient->hu[Transposed(&patient->ct, v)] = fits ? (short)lround(hu) : 0;
  }
  if (bad) {
    *good = PETSC_FALSE;
    PetscCall(MistakesAdd(s->mistakes, ROBION_INPUT, "%s: ct.%s: %zu of %zu values are no numbers of a CT, expected HU",
                          s->file, is_rsp ? "cube" : "cubeHU", bad, n));
  }
  if (beyond)
    LogLine(LOG_WARNING, "import", patient->name,
            "ct.cube: %zu voxels stop more than the %g of the highest HU, %g, which they get", beyond, highest[1],
            highest[0]);
  PetscCall(PetscFree(hlut.point));
  PetscFunctionReturn(0);
}

/* How the patient lies; matRad's own phantoms do not say it. False after a mistake. */
static PetscBool TakePosition(const MatRadPatient *s, Case *patient)
{
  char text[64];
  if (!MatlabText(MatlabField(MatlabField(s->ct, "dicomInfo", 0), "PatientPosition", 0), sizeof text, text))
    return PETSC_TRUE;
  patient->position = PatientPositionFind(text);
  if (patient->position < N_PATIENT_POSITIONS) return PETSC_TRUE;
  (void)MistakesAdd(s->mistakes, ROBION_INPUT,
                    "%s: ct.dicomInfo.PatientPosition is \"%.20s\", expected " PATIENT_POSITIONS, s->file, text);
  return PETSC_FALSE;
}

/* Fill a mask from matRad's index list; false after a mistake. An empty list is an empty structure. */
static PetscBool TakeMask(const MatRadPatient *s, const Grid *ct, const char *name, const matvar_t *indices,
                          unsigned char *mask)
{
  size_t n = MatlabCount(indices);
  for (size_t v = 0; v < n; v++) {
    double index = MatlabElement(indices, v);
    if (!(index >= 1 && index <= (double)GridSize(ct) && index == floor(index))) {
      (void)MistakesAdd(s->mistakes, ROBION_INPUT,
                        "%s: cst: structure \"%s\" has voxel index %g, expected whole numbers from 1 to %zu", s->file,
                        name, index, GridSize(ct));
      return PETSC_FALSE;
    }
    mask[Transposed(ct, (size_t)index - 1)] = 1;
  }
  return PETSC_TRUE;
}

/* Add the structure of one row; rows of type IGNORED are left out as in matRad. */
static PetscErrorCode TakeRow(const MatRadPatient *s, size_t row, size_t n_rows, Case *patient, PetscBool *good)
{
  PetscFunctionBegin;
  static const char *const types[] = {"TARGET", "OAR", "EXTERNAL", "IGNORED"}; /* in the order of Role */
  enum { N_TYPES = 4, IGNORED = 3 };
  char name[MATRAD_NAME], type[64];
  PetscBool named = MatlabText(MatlabCell(s->cst, row + n_rows), sizeof name, name);
  PetscBool typed = MatlabText(MatlabCell(s->cst, row + 2 * n_rows), sizeof type, type);
  int known = 0;
  while (known < N_TYPES && strcmp(type, types[known])) known++;
  *good = PETSC_FALSE;
  if (!named || !typed || known == N_TYPES) {
    PetscCall(
        MistakesAdd(s->mistakes, ROBION_INPUT,
                    "%s: cst row %zu: name \"%s\" and type \"%s\" found, expected a name and TARGET, OAR, EXTERNAL "
                    "or IGNORED",
                    s->file, row + 1, name, type));
    PetscFunctionReturn(0);
  }
  for (char *c = name; *c; c++)
    if (*c == '/') *c = '_'; /* separates groups in case files */
  if (CaseFindStructure(patient, name) >= 0) {
    PetscCall(MistakesAdd(s->mistakes, ROBION_INPUT, "%s: cst: two structures are called \"%s\"", s->file, name));
    PetscFunctionReturn(0);
  }
  *good = PETSC_TRUE;
  if (known == IGNORED) PetscFunctionReturn(0);
  Structure *structure = &patient->structures[patient->n_structures++];
  structure->role = (Role)known;
  PetscCall(PetscStrallocpy(name, &structure->name));
  PetscCall(PetscCalloc1(GridSize(&patient->ct), &structure->mask));
  *good = TakeMask(s, &patient->ct, name, MatlabFirst(MatlabCell(s->cst, row + 3 * n_rows)), structure->mask);
  PetscFunctionReturn(0);
}

/* Older files have no type EXTERNAL: then it is the largest structure, if that is an OAR with a name for the body. */
static void GuessExternal(Case *patient)
{
  static const char *const names[] = {"body", "external", "skin"};
  size_t largest_n = 0;
  Structure *largest = NULL;
  if (CaseFindExternal(patient) >= 0) return;
  for (PetscInt s = 0; s < patient->n_structures; s++) {
    size_t n = 0;
    for (size_t v = 0; v < GridSize(&patient->ct); v++) n += patient->structures[s].mask[v];
    if (n > largest_n) largest = &patient->structures[s];
    largest_n = PetscMax(largest_n, n);
  }
  for (int i = 0; largest && i < 3; i++)
    if (largest->role == ROLE_OAR && !strcasecmp(largest->name, names[i])) largest->role = ROLE_EXTERNAL;
}

static PetscErrorCode TakeStructures(const MatRadPatient *s, Case *patient, PetscBool *good)
{
  PetscFunctionBegin;
  const matvar_t *cst = s->cst;
  *good =
      cst->class_type == MAT_C_CELL && cst->rank == 2 && cst->dims[0] > 0 && cst->dims[0] < 10000 && cst->dims[1] >= 4;
  if (!*good) {
    PetscCall(MistakesAdd(s->mistakes, ROBION_INPUT,
                          "%s: cst: not a cell array with a row of at least four cells per structure", s->file));
    PetscFunctionReturn(0);
  }
  size_t n_rows = cst->dims[0];
  PetscCall(PetscCalloc1(n_rows, &patient->structures));
  const char *external = NULL;
  for (size_t row = 0; row < n_rows && *good; row++) PetscCall(TakeRow(s, row, n_rows, patient, good));
  for (PetscInt i = 0; *good && i < patient->n_structures; i++) {
    if (patient->structures[i].role != ROLE_EXTERNAL) continue;
    if (external) {
      *good = PETSC_FALSE;
      PetscCall(MistakesAdd(s->mistakes, ROBION_INPUT, "%s: cst: \"%s\" and \"%s\" are both EXTERNAL, expected one",
                            s->file, external, patient->structures[i].name));
    }
    external = patient->structures[i].name;
  }
  if (*good && !patient->n_structures) {
    *good = PETSC_FALSE;
    PetscCall(MistakesAdd(s->mistakes, ROBION_INPUT, "%s: cst: all structures are IGNORED", s->file));
  }
  if (*good) GuessExternal(patient);
  PetscFunctionReturn(0);
}

/* A variable with all its data; NULL after a mistake. */
static matvar_t *ReadVariable(mat_t *mat, const MatRadPatient *s, const char *name)
{
  matvar_t *variable = Mat_VarRead(mat, name);
  if (!variable)
    (void)MistakesAdd(s->mistakes, ROBION_INPUT,
                      "%s: no readable variable `%s`, expected a matRad patient with ct and cst", s->file, name);
  return variable;
}

static PetscErrorCode NameCase(const char *file, Case *patient)
{
  PetscFunctionBegin;
  char text[PETSC_MAX_PATH_LEN + 32];
  const char *slash = strrchr(file, '/');
  PetscCall(PetscStrallocpy(slash ? slash + 1 : file, &patient->name));
  char *extension = strrchr(patient->name, '.');
  if (extension && extension != patient->name) *extension = 0;
  snprintf(text, sizeof text, "imported from matRad file %s", file);
  PetscCall(PetscStrallocpy(text, &patient->source));
  PetscFunctionReturn(0);
}

PetscErrorCode CaseReadMatRad(const char *file, Mistakes *mistakes, Case **out)
{
  PetscFunctionBegin;
  MatRadPatient s = {.file = file, .mistakes = mistakes};
  PetscBool good = PETSC_FALSE;
  Case *patient;
  *out = NULL;
  static const char *const names[] = {"ct", "cst"};
  mat_t *mat = MatlabOpen(file, 2, names, mistakes);
  if (!mat) PetscFunctionReturn(0);
  s.ct = ReadVariable(mat, &s, "ct");
  if (s.ct) s.cst = ReadVariable(mat, &s, "cst");
  (void)Mat_Close(mat);
  PetscCall(PetscCalloc1(1, &patient));
  if (s.ct && s.cst) {
    PetscCall(NameCase(file, patient));
    PetscCall(TakeCT(&s, patient, &good));
    if (good) good = TakePosition(&s, patient);
    if (good) PetscCall(TakeStructures(&s, patient, &good));
    if (good) PetscCall(MatRadTellLeft(&s, patient->name));
  }
  Mat_VarFree(s.ct);
  Mat_VarFree(s.cst);
  if (good)
    *out = patient;
  else
    PetscCall(CaseDestroy(&patient));
  PetscFunctionReturn(0);
}
