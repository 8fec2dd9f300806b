/*
 * Gamma by distances from simplexes (Ju et al., Med Phys 35:879, 2008): space in units of the distance criterion and dose in
 * units of the dose criterion make four dimensions, in which the evaluated dose is a surface of tetrahedra and gamma the
 * distance of a reference point from it.
 */
#include "robion/gamma.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIM = 4, CORNERS = 8, BLOCK = 256 }; /* BLOCK: neighbouring voxels dealt to a rank at a time */

/* A cell of the evaluated grid relative to the one a point lies in. */
typedef struct Step {
  PetscInt cell[3];
  double least2; /* no point of it is nearer to any point of that cell; squared, distance criteria */
} Step;

typedef struct Search {
  const GammaSpec *spec;
  const Grid *reference_grid, *grid; /* grid: of the evaluated dose */
  const float *reference, *dose;
  double maximum, threshold;
  PetscInt cells[3];
  double edge[3]; /* of a cell, in distance criteria */
  PetscInt n_step;
  Step *step; /* nearest first */
} Search;

void GammaSpecDefault(GammaSpec *spec)
{
  *spec = (GammaSpec){.dose_percent = 3, .distance_mm = 2, .threshold_percent = 10, .largest = 2};
}

static double Dot(const double a[DIM], const double b[DIM])
{
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2] + a[3] * b[3];
}

/*
 * Barycentric coordinates of the origin's projection on the space that n + 1 points span: solves G t = -e.v0 with the Gram matrix
 * of the edges e by elimination (G is positive definite). False where they span less than n dimensions.
 */
static PetscBool Project(int n, const double v[][DIM], double weight[DIM])
{
  double e[3][DIM], g[3][DIM] = {{0}};
  for (int i = 0; i < n; i++)
    for (int c = 0; c < DIM; c++) e[i][c] = v[i + 1][c] - v[0][c];
  for (int i = 0; i < n; i++) {
    for (int j = 0; j < n; j++) g[i][j] = Dot(e[i], e[j]);
    g[i][n] = -Dot(e[i], v[0]);
  }
  for (int k = 0; k < n; k++) {
    if (!(g[k][k] > 1e-12 * Dot(e[k], e[k]))) return PETSC_FALSE;
    for (int i = k + 1; i < n; i++) {
      const double factor = g[i][k] / g[k][k];
      for (int j = k; j <= n; j++) g[i][j] -= factor * g[k][j];
    }
  }
  weight[0] = 1;
  for (int k = n - 1; k >= 0; k--) {
    double sum = g[k][n];
    for (int j = k + 1; j < n; j++) sum -= g[k][j] * weight[j + 1];
    weight[k + 1] = sum / g[k][k];
    weight[0] -= weight[k + 1];
  }
  return PETSC_TRUE;
}

/*
 * Squared distance of the origin from the simplex of n + 1 points, n <= 3. Where the projection falls outside, the nearest point
 * lies on a face opposite to a point of negative weight; that of a flat simplex may lie on any face.
 */
static double SimplexDistance2(int n, const double v[][DIM])
{
  double weight[DIM], nearest[DIM] = {0}, least = INFINITY, face[DIM - 1][DIM];
  PetscBool inside = PETSC_TRUE;
  if (n == 0) return Dot(v[0], v[0]);
  if (!Project(n, v, weight))
    for (int i = 0; i <= n; i++) weight[i] = -1;
  for (int i = 0; i <= n; i++) {
    if (weight[i] < 0) inside = PETSC_FALSE;
    for (int c = 0; c < DIM; c++) nearest[c] += weight[i] * v[i][c];
  }
  if (inside) return Dot(nearest, nearest);
  for (int i = 0; i <= n; i++) {
    if (weight[i] >= 0) continue;
    memcpy(face, v, (size_t)i * sizeof *v);
    memcpy(face + i, v + i + 1, (size_t)(n - i) * sizeof *v);
    least = fmin(least, SimplexDistance2(n - 1, face));
  }
  return least;
}

/*
 * The same for a cell with its lower corner at `low` (relative to the point, distance criteria) and doses relative to the
 * point's at its corners (bits 0, 1, 2 of the index: upper in x, y, z): least of six tetrahedra from corner 0 to corner 7, one for
 * each order in which a path takes the axes. The pieces of neighbouring cells fit together.
 */
static double CellDistance2(const Search *search, const double low[3], const double dose[CORNERS])
{
  static const int path[6][2] = {{1, 3}, {1, 5}, {2, 3}, {2, 6}, {4, 5}, {4, 6}};
  double corner[CORNERS][DIM], tetrahedron[DIM][DIM], least = INFINITY;
  for (int k = 0; k < CORNERS; k++) {
    for (int a = 0; a < 3; a++) corner[k][a] = low[a] + (k >> a & 1) * search->edge[a];
    corner[k][3] = dose[k];
  }
  memcpy(tetrahedron[0], corner[0], sizeof *corner);
  memcpy(tetrahedron[3], corner[7], sizeof *corner);
  for (int t = 0; t < 6; t++) {
    memcpy(tetrahedron[1], corner[path[t][0]], sizeof *corner);
    memcpy(tetrahedron[2], corner[path[t][1]], sizeof *corner);
    least = fmin(least, SimplexDistance2(3, tetrahedron));
  }
  return least;
}

/* Doses at the corners of a cell relative to `from`, in dose criteria; the square of their smallest difference is returned. */
static double CornerDoses(const Search *search, const PetscInt cell[3], double from, double criterion,
                          double dose[CORNERS])
{
  const Grid *grid = search->grid;
  double lowest = INFINITY, highest = -INFINITY;
  for (int k = 0; k < CORNERS; k++) {
    PetscInt at[3];
    for (int a = 0; a < 3; a++) at[a] = PetscMin(cell[a] + (k >> a & 1), grid->n[a] - 1);
    dose[k] = ((double)search->dose[GridIndex(grid, at[0], at[1], at[2])] - from) / criterion;
    lowest = fmin(lowest, dose[k]);
    highest = fmax(highest, dose[k]);
  }
  const double gap = fmax(0, fmax(lowest, -highest));
  return gap * gap;
}

/* Squared distance of the origin from a box. */
static double BoxDistance2(const double low[3], const double edge[3])
{
  double sum = 0;
  for (int a = 0; a < 3; a++) {
    double gap = fmax(0, fmax(low[a], -(low[a] + edge[a])));
    sum += gap * gap;
  }
  return sum;
}

/* Gamma at a place of the evaluated grid (in its voxels, inside) with this reference dose. */
static double GammaAt(const Search *search, const double place[3], double reference)
{
  const GammaSpec *spec = search->spec;
  const double criterion = 0.01 * spec->dose_percent * (spec->local ? reference : search->maximum);
  double best2 = spec->largest * spec->largest, low[3], dose[CORNERS];
  PetscInt home[3], cell[3];
  for (int a = 0; a < 3; a++) home[a] = PetscMin((PetscInt)place[a], search->cells[a] - 1);
  for (PetscInt s = 0; s < search->n_step && search->step[s].least2 < best2; s++) {
    PetscBool exists = PETSC_TRUE;
    for (int a = 0; a < 3; a++) {
      cell[a] = home[a] + search->step[s].cell[a];
      if (cell[a] < 0 || cell[a] >= search->cells[a]) exists = PETSC_FALSE;
      low[a] = ((double)cell[a] - place[a]) * search->grid->spacing_mm[a] / spec->distance_mm;
    }
    const double apart2 = BoxDistance2(low, search->edge);
    if (!exists || apart2 >= best2) continue;
    if (apart2 + CornerDoses(search, cell, reference, criterion, dose) >= best2) continue;
    best2 = fmin(best2, CellDistance2(search, low, dose));
  }
  return sqrt(best2);
}

/* Where the centre of a reference voxel lies in the evaluated grid; false outside of its voxel centres. */
static PetscBool PlaceOf(const Search *search, size_t voxel, double place[3])
{
  const double rounding = 1e-6; /* of grids that agree but for the last digits */
  double centre_mm[3];
  PetscBool inside = PETSC_TRUE;
  GridCentre(search->reference_grid, voxel, centre_mm);
  for (int a = 0; a < 3; a++) {
    const double last = (double)(search->grid->n[a] - 1);
    place[a] = (centre_mm[a] - search->grid->origin_mm[a]) / search->grid->spacing_mm[a];
    if (!(place[a] >= -rounding && place[a] <= last + rounding)) inside = PETSC_FALSE;
    place[a] = PetscClipInterval(place[a], 0.0, last);
  }
  return inside;
}

static int CompareSteps(const void *a, const void *b)
{
  const Step *x = a, *y = b;
  if (x->least2 != y->least2) return x->least2 < y->least2 ? -1 : 1;
  for (int k = 2; k >= 0; k--)
    if (x->cell[k] != y->cell[k]) return x->cell[k] < y->cell[k] ? -1 : 1;
  return 0;
}

/* All cells within the search radius of any point of a cell, nearest first. */
static PetscErrorCode CreateSteps(Search *search)
{
  PetscFunctionBegin;
  PetscInt reach[3], all = 1, n = 0;
  for (int a = 0; a < 3; a++) {
    const double cells = ceil(search->spec->largest / search->edge[a]);
    reach[a] = (PetscInt)PetscMin(cells, (double)search->cells[a]);
    all *= 2 * reach[a] + 1;
  }
  PetscCall(PetscMalloc1(all, &search->step));
  for (PetscInt k = -reach[2]; k <= reach[2]; k++)
    for (PetscInt j = -reach[1]; j <= reach[1]; j++)
      for (PetscInt i = -reach[0]; i <= reach[0]; i++) {
        Step *step = &search->step[n];
        *step = (Step){.cell = {i, j, k}};
        for (int a = 0; a < 3; a++) {
          double gap = (double)PetscMax(0, PetscAbsInt(step->cell[a]) - 1) * search->edge[a];
          step->least2 += gap * gap;
        }
        if (step->least2 < search->spec->largest * search->spec->largest) n++;
      }
  search->n_step = n;
  qsort(search->step, (size_t)n, sizeof *search->step, CompareSteps);
  PetscFunctionReturn(0);
}

/* Maximum, threshold and voxels to compare, by ascending index; those outside are counted. */
static PetscErrorCode ChooseVoxels(Search *search, PetscInt **voxel, GammaResult *out)
{
  PetscFunctionBegin;
  const size_t size = GridSize(search->reference_grid);
  double place[3];
  for (size_t v = 0; v < size; v++) search->maximum = fmax(search->maximum, (double)search->reference[v]);
  search->threshold = 0.01 * search->spec->threshold_percent * search->maximum;
  out->reference_maximum = search->maximum;
  PetscCall(PetscMalloc1(size, voxel));
  for (size_t v = 0; v < size; v++) {
    const double dose = (double)search->reference[v];
    if (!(dose > 0 && dose >= search->threshold)) continue;
    if (PlaceOf(search, v, place))
      (*voxel)[out->n_compared++] = (PetscInt)v;
    else
      out->n_outside++;
  }
  PetscFunctionReturn(0);
}

/* Gamma of this rank's blocks; 0 elsewhere, so that the sum over ranks is exact. */
static void CompareBlocks(const Search *search, PetscMPIInt rank, PetscMPIInt ranks, PetscInt n, const PetscInt *voxel,
                          float *gamma)
{
  double place[3];
  for (PetscInt first = rank * BLOCK; first < n; first += ranks * BLOCK)
    for (PetscInt i = first; i < PetscMin(first + BLOCK, n); i++) {
      (void)PlaceOf(search, (size_t)voxel[i], place);
      gamma[i] = (float)GammaAt(search, place, (double)search->reference[voxel[i]]);
    }
}

/* From the voxels compared to the volume and its figures. */
static PetscErrorCode Summarise(size_t size, const PetscInt *voxel, const float *gamma, GammaResult *out)
{
  PetscFunctionBegin;
  double sum = 0;
  PetscCall(PetscMalloc1(size, &out->gamma));
  for (size_t v = 0; v < size; v++) out->gamma[v] = GAMMA_NONE;
  for (PetscInt i = 0; i < out->n_compared; i++) {
    out->gamma[voxel[i]] = gamma[i];
    out->n_passed += gamma[i] <= 1;
    out->highest = fmax(out->highest, (double)gamma[i]);
    sum += (double)gamma[i];
  }
  if (!out->n_compared) PetscFunctionReturn(0);
  out->mean = sum / (double)out->n_compared;
  out->pass_percent = 100.0 * (double)out->n_passed / (double)out->n_compared;
  PetscFunctionReturn(0);
}

PetscErrorCode GammaAnalyse(MPI_Comm comm, const GammaSpec *spec, const Grid *reference_grid, const float *reference,
                            const Grid *evaluated_grid, const float *evaluated, GammaResult *out)
{
  PetscFunctionBegin;
  PetscMPIInt rank, ranks;
  PetscInt *voxel;
  float *gamma;
  Search search = {.spec = spec,
                   .reference_grid = reference_grid,
                   .grid = evaluated_grid,
                   .reference = reference,
                   .dose = evaluated};
  PetscCheck(spec->dose_percent > 0 && spec->distance_mm > 0 && spec->largest >= 1, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "gamma of %g %%, %g mm, up to %g: expected criteria above 0, largest gamma at least 1", spec->dose_percent,
             spec->distance_mm, spec->largest);
  PetscCall(PetscArrayzero(out, 1));
  for (int a = 0; a < 3; a++) {
    search.cells[a] = PetscMax(1, evaluated_grid->n[a] - 1);
    search.edge[a] = evaluated_grid->n[a] > 1 ? evaluated_grid->spacing_mm[a] / spec->distance_mm : 0;
  }
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &ranks));
  PetscCall(CreateSteps(&search));
  PetscCall(ChooseVoxels(&search, &voxel, out));
  PetscCall(PetscCalloc1(out->n_compared, &gamma));
  CompareBlocks(&search, rank, ranks, out->n_compared, voxel, gamma);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, gamma, (PetscMPIInt)out->n_compared, MPI_FLOAT, MPI_SUM, comm));
  PetscCall(Summarise(GridSize(reference_grid), voxel, gamma, out));
  PetscCall(PetscFree(gamma));
  PetscCall(PetscFree(voxel));
  PetscCall(PetscFree(search.step));
  PetscFunctionReturn(0);
}

PetscErrorCode GammaResultDestroy(GammaResult *result)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(result->gamma));
  PetscFunctionReturn(0);
}
