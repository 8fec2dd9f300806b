/*
 * From the lattice of a series to a grid along the patient's axes.
 *
 * With m_a the step of a voxel along axis a of the lattice, a voxel's place is x = o + sum_a v_a m_a. Where each m_a is along an axis
 * of the patient, voxels only change their order. Where two of them are (gantry tilt: the rows and the table's way; the columns
 * lean), the grid takes the components of the m_a along their axes as its spacing: then two of the three indices v_a are whole
 * numbers, a voxel's volume stays what it was, and each takes the value of the nearest one, at most half a gap away. Linear
 * interpolation there would smear HU through the slices: a plastic skull above 300 HU lost 7 % of its volume.
 */
#include "dicom_private.h"
#include <math.h>
#include <string.h>

#define PARALLEL 1e-3 /* rad: an axis that is so near to one of the patient's is along it */

typedef struct Steps {
  double m[3][3]; /* of axis a: mm along k */
  int along[3];   /* axis of the patient that axis a is nearest to, all different */
  int n_parallel;
} Steps;

static double Length(const double a[3])
{
  return sqrt(a[0] * a[0] + a[1] * a[1] + a[2] * a[2]);
}

/* The order of axes that agrees best. */
static void FindOrder(Steps *s)
{
  static const int order[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  double best = -1;
  for (int o = 0; o < 6; o++) {
    double sum = 0;
    for (int a = 0; a < 3; a++) sum += fabs(s->m[a][order[o][a]]) / Length(s->m[a]);
    if (sum <= best + 1e-9) continue;
    best = sum;
    memcpy(s->along, order[o], sizeof s->along);
  }
  for (int a = 0; a < 3; a++)
    if (fabs(s->m[a][s->along[a]]) >= Length(s->m[a]) * (1 - PARALLEL * PARALLEL / 2)) s->n_parallel++;
}

/* Columns of a 3 x 3 matrix -> its inverse; 0 if it has none. */
static void Invert(const double m[3][3], double inverse[3][3])
{
  double determinant = 0;
  for (int k = 0; k < 3; k++) {
    const double *b = m[(k + 1) % 3], *c = m[(k + 2) % 3];
    for (int i = 0; i < 3; i++) inverse[k][i] = b[(i + 1) % 3] * c[(i + 2) % 3] - b[(i + 2) % 3] * c[(i + 1) % 3];
  }
  for (int i = 0; i < 3; i++) determinant += m[0][i] * inverse[0][i];
  for (int k = 0; k < 9; k++) inverse[k / 3][k % 3] = determinant != 0 ? inverse[k / 3][k % 3] / determinant : 0;
}

/* The box of all voxel centres, from whole steps of the grid before or after the lattice's origin. */
static void FindBox(const DicomLattice *lattice, const Steps *s, DicomPlacing *p)
{
  const double whole = 1e-6;
  for (int a = 0; a < 3; a++) {
    const int k = s->along[a];
    const double step = fabs(p->kind == PLACING_OBLIQUE ? Length(s->m[a]) : s->m[a][k]);
    double low = 0, high = 0;
    for (int b = 0; b < 3; b++) {
      const double reach = s->m[b][k] * (p->from.n[b] - 1);
      if (p->kind <= PLACING_TURNED && b != a) continue;
      low += PetscMin(0, reach);
      high += PetscMax(0, reach);
    }
    const double first = floor(low / step + whole);
    p->to.spacing_mm[k] = step;
    p->to.origin_mm[k] = lattice->origin_mm[k] + (p->kind <= PLACING_TURNED ? low : first * step);
    p->to.n[k] = p->kind <= PLACING_TURNED ? p->from.n[a] : (PetscInt)(ceil(high / step - whole) - first) + 1;
  }
}

/* The two ways from the patient to the lattice. */
static void FindMatrices(const DicomLattice *lattice, const Steps *s, DicomPlacing *p)
{
  double m[3][3], inverse[3][3];
  memcpy(m, s->m, sizeof m);
  for (int a = 0; a < 3 && p->kind <= PLACING_TURNED; a++) /* what is nearly along an axis counts as along it */
    for (int k = 0; k < 3; k++)
      if (k != s->along[a]) m[a][k] = 0;
  Invert(m, inverse);
  for (int a = 0; a < 3; a++) {
    p->index[a][3] = p->point[a][3] = 0;
    for (int k = 0; k < 3; k++) {
      p->index[a][k] = inverse[a][k] * p->to.spacing_mm[k];
      p->index[a][3] += inverse[a][k] * (p->to.origin_mm[k] - lattice->origin_mm[k]);
      p->point[a][k] = inverse[a][k] * p->from.spacing_mm[a];
      p->point[a][3] -= p->point[a][k] * lattice->origin_mm[k];
    }
  }
}

void DicomPlacingMake(const DicomLattice *lattice, DicomPlacing *p)
{
  Steps s = {.n_parallel = 0};
  *p = (DicomPlacing){.kind = PLACING_OBLIQUE};
  for (int a = 0; a < 3; a++) {
    for (int k = 0; k < 3; k++) s.m[a][k] = lattice->axis[a][k] * (a == 2 ? lattice->gap_mm : 1);
    p->from.n[a] = lattice->n[a];
    p->from.spacing_mm[a] = a == 2 ? lattice->gap_mm : Length(s.m[a]);
  }
  if (!lattice->even) p->from.n[2] = (PetscInt)floor(lattice->p_mm[lattice->n[2] - 1] / lattice->gap_mm + 1e-6) + 1;
  FindOrder(&s);
  if (s.n_parallel == 3)
    p->kind = s.along[2] == 2 ? PLACING_DIRECT : PLACING_TURNED;
  else if (s.n_parallel == 2)
    p->kind = PLACING_SHEARED;
  FindBox(lattice, &s, p);
  FindMatrices(lattice, &s, p);
}

/* The index of `from` of a voxel of `to`. */
static void FromIndex(const DicomPlacing *p, const PetscInt at[3], double v[3])
{
  for (int a = 0; a < 3; a++)
    v[a] = p->index[a][0] * at[0] + p->index[a][1] * at[1] + p->index[a][2] * at[2] + p->index[a][3];
}

/* Linear between the eight voxels around; false outside of the voxels' centres. */
static PetscBool Interpolate(const Grid *g, const float *value, const double v[3], float *out)
{
  PetscInt low[3], high[3];
  double part[3], sum = 0;
  for (int a = 0; a < 3; a++) {
    const double whole = round(v[a]), x = fabs(v[a] - whole) < 1e-5 ? whole : v[a];
    if (!(x >= 0 && x <= g->n[a] - 1)) return PETSC_FALSE;
    low[a] = (PetscInt)x;
    part[a] = x - low[a];
    high[a] = part[a] > 0 ? low[a] + 1 : low[a];
  }
  for (int c = 0; c < 8; c++) {
    double weight = 1;
    PetscInt at[3];
    for (int a = 0; a < 3; a++) {
      at[a] = c >> a & 1 ? high[a] : low[a];
      weight *= c >> a & 1 ? part[a] : 1 - part[a];
    }
    if (weight > 0) sum += weight * (double)value[GridIndex(g, at[0], at[1], at[2])];
  }
  *out = (float)sum;
  return PETSC_TRUE;
}

/* Whether the grids have the same voxels in the same order. */
static PetscBool IsSame(const DicomPlacing *p)
{
  for (int a = 0; a < 3; a++)
    for (int k = 0; k < 4; k++)
      if (fabs(p->index[a][k] - (a == k)) > 1e-9) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* The voxel that holds a place; false outside of all. */
static PetscBool Nearest(const Grid *g, const double v[3], size_t *voxel)
{
  PetscInt at[3];
  for (int a = 0; a < 3; a++) {
    at[a] = (PetscInt)floor(v[a] + 0.5 + 1e-9);
    if (at[a] < 0 || at[a] >= g->n[a]) return PETSC_FALSE;
  }
  *voxel = GridIndex(g, at[0], at[1], at[2]);
  return PETSC_TRUE;
}

PetscErrorCode DicomPlacingValues(const DicomPlacing *p, float outside, float **value)
{
  PetscFunctionBegin;
  float *to;
  size_t v = 0;
  if (p->kind <= PLACING_TURNED && IsSame(p)) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(GridSize(&p->to), &to));
  for (PetscInt k = 0; k < p->to.n[2]; k++)
    for (PetscInt j = 0; j < p->to.n[1]; j++)
      for (PetscInt i = 0; i < p->to.n[0]; i++, v++) {
        double at[3];
        size_t near;
        FromIndex(p, (const PetscInt[]){i, j, k}, at);
        if (p->kind == PLACING_OBLIQUE) {
          if (!Interpolate(&p->from, *value, at, &to[v])) to[v] = outside;
        } else
          to[v] = Nearest(&p->from, at, &near) ? (*value)[near] : outside;
      }
  PetscCall(PetscFree(*value));
  *value = to;
  PetscFunctionReturn(0);
}

PetscErrorCode DicomPlacingMask(const DicomPlacing *p, unsigned char **mask)
{
  PetscFunctionBegin;
  unsigned char *to;
  size_t v = 0;
  PetscCall(PetscCalloc1(GridSize(&p->to), &to));
  for (PetscInt k = 0; k < p->to.n[2]; k++)
    for (PetscInt j = 0; j < p->to.n[1]; j++)
      for (PetscInt i = 0; i < p->to.n[0]; i++, v++) {
        double at[3];
        size_t near;
        FromIndex(p, (const PetscInt[]){i, j, k}, at);
        if (Nearest(&p->from, at, &near)) to[v] = (*mask)[near];
      }
  PetscCall(PetscFree(*mask));
  *mask = to;
  PetscFunctionReturn(0);
}
