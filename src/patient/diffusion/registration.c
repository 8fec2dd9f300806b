/*
 * Images on the CT by a rigid transform.
 *
 * ITK writes what it found as a list of parameters, whose meaning depends on the name of the transform (ITK Software Guide 4,
 * section 3.9): three angles and a translation, a versor and a translation, a matrix and a translation; the centre that they
 * turn about is fixed. All are brought into matrix and offset, and must keep distances.
 */
#include "robion/registration.h"
#include "robion/text.h"
#include <math.h>
#include <string.h>

#define MOST_STRETCH 1e-3
enum { MOST_NUMBERS = 16 };

/* What a file of ITK says of one transform. */
typedef struct ITKTransform {
  char type[64];
  PetscInt n_transform, n, n_fixed;
  double parameter[MOST_NUMBERS], fixed[MOST_NUMBERS];
} ITKTransform;

/* All numbers of a line; -1 if it holds something else, or more of them. */
static PetscInt TakeNumbers(char *line, double *number)
{
  PetscInt n = 0;
  char *rest = NULL;
  for (char *word = strtok_r(line, " \t,;", &rest); word; word = strtok_r(NULL, " \t,;", &rest))
    if (n == MOST_NUMBERS || !TextParseNumber(word, &number[n++])) return -1;
  return n;
}

static void Multiply(double a[3][3], double b[3][3], double out[3][3])
{
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++) out[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j] + a[i][2] * b[2][j];
}

/* A turn about one of the axes. */
static void Turn(int axis, double angle_rad, double out[3][3])
{
  const int b = (axis + 1) % 3, c = (axis + 2) % 3;
  memset(out, 0, 9 * sizeof(double));
  out[axis][axis] = 1;
  out[b][b] = out[c][c] = cos(angle_rad);
  out[c][b] = sin(angle_rad);
  out[b][c] = -out[c][b];
}

/* Z X Y, or where the fourth fixed parameter says so Z Y X. */
static void OfEuler(const ITKTransform *itk, double matrix[3][3])
{
  double turn[3][3][3], two[3][3];
  const int last = itk->n_fixed > 3 && itk->fixed[3] != 0 ? 0 : 1;
  for (int axis = 0; axis < 3; axis++) Turn(axis, itk->parameter[axis], turn[axis]);
  Multiply(turn[2], turn[1 - last], two);
  Multiply(two, turn[last], matrix);
}

static void OfVersor(const ITKTransform *itk, double matrix[3][3])
{
  const double x = itk->parameter[0], y = itk->parameter[1], z = itk->parameter[2];
  const double w = sqrt(PetscMax(0, 1 - x * x - y * y - z * z));
  const double rows[3][3] = {{1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)},
                             {2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)},
                             {2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)}};
  memcpy(matrix, rows, sizeof rows);
}

static void OfMatrix(const ITKTransform *itk, double matrix[3][3])
{
  memcpy(matrix, itk->parameter, 9 * sizeof(double));
}

static void OfNothing(const ITKTransform *itk, double matrix[3][3])
{
  Turn(0, 0, matrix);
}

/* The transforms that can be rigid: the translation is the last three of so many parameters. */
static const struct {
  const char *name;
  PetscInt n;
  void (*matrix)(const ITKTransform *itk, double matrix[3][3]);
} itk_types[] = {{"Euler3DTransform", 6, OfEuler},
                 {"VersorRigid3DTransform", 6, OfVersor},
                 {"AffineTransform", 12, OfMatrix},
                 {"MatrixOffsetTransformBase", 12, OfMatrix},
                 {"TranslationTransform", 3, OfNothing}};

/* Name of the transform before "_double_3_3". */
static PetscBool FromITK(const ITKTransform *itk, RigidTransform *t)
{
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(itk_types); i++) {
    const size_t length = strlen(itk_types[i].name);
    if (strncmp(itk->type, itk_types[i].name, length) || itk->type[length] != '_' || itk->n != itk_types[i].n) continue;
    if (strcmp(itk->type + length, "_double_3_3") && strcmp(itk->type + length, "_float_3_3")) continue;
    (*itk_types[i].matrix)(itk, t->matrix);
    for (int k = 0; k < 3; k++) {
      t->offset_mm[k] = itk->parameter[itk->n - 3 + k] + itk->fixed[k];
      for (int j = 0; j < 3; j++) t->offset_mm[k] -= t->matrix[k][j] * itk->fixed[j];
    }
    return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

static PetscBool Refuse(const char *file, Mistakes *mistakes, const char *found)
{
  (void)MistakesAdd(mistakes, ROBION_INPUT,
                    "%s: %s, expected 16 numbers (rows of a 4 x 4 matrix) or one rigid transform as ITK writes it: "
                    "Euler3DTransform, VersorRigid3DTransform, AffineTransform, TranslationTransform",
                    file, found);
  return PETSC_FALSE;
}

static PetscBool ReadITK(const char *file, char *text, Mistakes *mistakes, RigidTransform *t)
{
  ITKTransform itk = {.type = ""};
  char *rest = NULL, found[128];
  for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    char *value = strchr(line, ':');
    if (line[0] == '#' || !value) continue;
    *value++ = 0;
    if (!strcmp(TextTrim(line), "Transform")) {
      snprintf(itk.type, sizeof itk.type, "%s", TextTrim(value));
      itk.n_transform++;
    }
    if (!strcmp(line, "Parameters")) itk.n = TakeNumbers(value, itk.parameter);
    if (!strcmp(line, "FixedParameters")) itk.n_fixed = TakeNumbers(value, itk.fixed);
  }
  TextRemoveControls(itk.type);
  snprintf(found, sizeof found, "transform '%s' of %d parameters", itk.type, (int)PetscMax(0, itk.n));
  if (itk.n_transform != 1) snprintf(found, sizeof found, "%d transforms", (int)itk.n_transform);
  if (itk.n_transform != 1 || itk.n < 0 || itk.n_fixed < 0 || !FromITK(&itk, t)) return Refuse(file, mistakes, found);
  return PETSC_TRUE;
}

static PetscBool ReadRows(const char *file, char *text, Mistakes *mistakes, RigidTransform *t)
{
  double number[MOST_NUMBERS];
  for (char *at = text; *at; at++)
    if (*at == '\n') *at = ' ';
  const PetscInt n = TakeNumbers(text, number);
  if (n != MOST_NUMBERS) return Refuse(file, mistakes, n < 0 ? "neither numbers nor a file of ITK" : "fewer numbers");
  if (number[12] != 0 || number[13] != 0 || number[14] != 0 || number[15] != 1)
    return Refuse(file, mistakes, "a matrix whose last row is not 0 0 0 1");
  for (int k = 0; k < 3; k++) {
    memcpy(t->matrix[k], number + 4 * k, 3 * sizeof(double));
    t->offset_mm[k] = number[4 * k + 3];
  }
  return PETSC_TRUE;
}

/* Lengths, angles and handedness stay. */
static PetscBool CheckRigid(const char *file, const RigidTransform *t, Mistakes *mistakes)
{
  double worst = 0;
  const double(*m)[3] = t->matrix;
  for (int i = 0; i < 3; i++)
    for (int j = 0; j < 3; j++)
      worst = PetscMax(worst, fabs(m[0][i] * m[0][j] + m[1][i] * m[1][j] + m[2][i] * m[2][j] - (i == j)));
  const double volume = m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
                        m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
                        m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
  if (worst <= MOST_STRETCH && volume > 0) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT,
                    "%s: the transform %s (volumes times %.4g), expected a rigid one: cells are counted per volume",
                    file, volume < 0 ? "mirrors" : "scales or shears", volume);
  return PETSC_FALSE;
}

PetscBool RigidTransformRead(const char *file, Mistakes *mistakes, RigidTransform *t)
{
  char *text = NULL;
  size_t length;
  if (!FileRead(file, &text, &length, mistakes)) return PETSC_FALSE;
  length = TextUnify(text, length);
  const PetscBool whole = strlen(text) == length ? PETSC_TRUE : PETSC_FALSE;
  PetscBool ok = whole ? (strstr(text, "#Insight Transform File") ? ReadITK : ReadRows)(file, text, mistakes, t)
                       : Refuse(file, mistakes, "a file that is no text");
  if (ok) ok = CheckRigid(file, t, mistakes);
  (void)PetscFree(text);
  return ok;
}

static void Apply(const RigidTransform *t, const double from_mm[3], double to_mm[3])
{
  for (int k = 0; k < 3; k++)
    to_mm[k] =
        t->matrix[k][0] * from_mm[0] + t->matrix[k][1] * from_mm[1] + t->matrix[k][2] * from_mm[2] + t->offset_mm[k];
}

/* The other way, by the transposed matrix. */
static void ApplyBack(const RigidTransform *t, const double from_mm[3], double to_mm[3])
{
  const double d[3] = {from_mm[0] - t->offset_mm[0], from_mm[1] - t->offset_mm[1], from_mm[2] - t->offset_mm[2]};
  for (int k = 0; k < 3; k++) to_mm[k] = t->matrix[0][k] * d[0] + t->matrix[1][k] * d[1] + t->matrix[2][k] * d[2];
}

/* Voxels of the image's size along the axes of the CT that cover what both show; false if that is nothing. */
static PetscBool CommonGrid(const RigidTransform *t, const Grid *image, const Grid *frame, Grid *common)
{
  double low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY};
  for (int corner = 0; corner < 8; corner++) {
    double at[3], point[3];
    for (int k = 0; k < 3; k++)
      at[k] = image->origin_mm[k] + image->spacing_mm[k] * (corner >> k & 1 ? image->n[k] - 0.5 : -0.5);
    ApplyBack(t, at, point);
    for (int k = 0; k < 3; k++) {
      low[k] = PetscMin(low[k], point[k]);
      high[k] = PetscMax(high[k], point[k]);
    }
  }
  for (int k = 0; k < 3; k++) {
    const double edge = frame->origin_mm[k] - 0.5 * frame->spacing_mm[k];
    low[k] = PetscMax(low[k], edge);
    high[k] = PetscMin(high[k], edge + (double)frame->n[k] * frame->spacing_mm[k]);
    if (!(high[k] > low[k])) return PETSC_FALSE;
    common->spacing_mm[k] = image->spacing_mm[k];
    common->n[k] = (PetscInt)ceil((high[k] - low[k]) / image->spacing_mm[k] - 1e-9);
    common->origin_mm[k] = low[k] + 0.5 * image->spacing_mm[k];
  }
  return PETSC_TRUE;
}

/* Trilinear; 0 beyond the middles of the outermost voxels and beside voxels without a signal. */
static double Interpolate(const Grid *grid, const float *value, const double point_mm[3])
{
  PetscInt first[3];
  double share[3], sum = 0;
  for (int k = 0; k < 3; k++) {
    double at = (point_mm[k] - grid->origin_mm[k]) / grid->spacing_mm[k];
    if (fabs(at - round(at)) < 1e-9) at = round(at);
    if (!(at >= 0 && at <= (double)(grid->n[k] - 1))) return 0;
    first[k] = PetscMin((PetscInt)at, PetscMax(grid->n[k] - 2, 0));
    share[k] = at - (double)first[k];
  }
  for (int corner = 0; corner < 8; corner++) {
    double part = 1;
    PetscInt at[3];
    for (int k = 0; k < 3; k++) {
      at[k] = first[k] + (corner >> k & 1);
      part *= corner >> k & 1 ? share[k] : 1 - share[k];
    }
    if (!(part > 0)) continue;
    const double one = (double)value[GridIndex(grid, at[0], at[1], at[2])];
    if (one <= 0) return 0;
    sum += part * one;
  }
  return sum;
}

PetscErrorCode ImageRegister(const RigidTransform *t, const Grid *frame, Mistakes *mistakes, Image *image)
{
  PetscFunctionBegin;
  Image out = {.n_volume = image->n_volume, .b_s_mm2 = image->b_s_mm2};
  if (!CommonGrid(t, &image->grid, frame, &out.grid)) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "nothing of the image lies on the CT after its transform, expected some: "
                          "is it of the other direction (from CT to image is expected)?"));
    PetscFunctionReturn(0);
  }
  const size_t n = GridSize(&out.grid), own = GridSize(&image->grid);
  PetscCall(PetscMalloc1((size_t)out.n_volume * n, &out.value));
  for (size_t v = 0; v < n; v++) {
    double point_mm[3], there_mm[3];
    GridCentre(&out.grid, v, point_mm);
    Apply(t, point_mm, there_mm);
    for (PetscInt k = 0; k < out.n_volume; k++)
      out.value[(size_t)k * n + v] = (float)Interpolate(&image->grid, image->value + (size_t)k * own, there_mm);
  }
  PetscCall(PetscFree(image->value));
  *image = out;
  PetscFunctionReturn(0);
}
