/*
 * Range shift between two maps.
 *
 * Both are summed up in columns along the beam, each voxel shared by the two steps it lies between; along the axes of the grid that is
 * exact. In the falloff of the reference A, the shift s is what makes sum (B(x + s) - A(x))^2 least over x of all columns. For a
 * small error of B that is s = sum A' dB / sum A'^2, whence its variance, sum A'^2 (var A + var B) / (sum A'^2)^2.
 */
#include "robion/range_shift.h"
#include <gsl/gsl_errno.h>
#include <gsl/gsl_min.h>
#include <gsl/gsl_spline.h>
#include <math.h>
#include <string.h>

#define EDGE 0.5
#define FALLOFF_FROM 0.8
#define FALLOFF_TO 0.2
#define LEAST_COLUMN_MM 5.0
#define VOXELS_PER_COLUMN 2.5 /* at least, each way: then no part of one is empty */
enum { POINTS_PER_STEP = 4, MOST_REFINEMENTS = 60 };

void ShiftSpecDefault(ShiftSpec *spec)
{
  *spec = (ShiftSpec){.threshold = 0.3, .largest_mm = 20};
}

/* Columns of a beam: where they are, and what a map has in them. */
typedef struct Frame {
  const Beam *beam;
  PetscInt n[3];
  double first_mm[3], step_mm[3]; /* middles of the first: u, v, w */
} Frame;

typedef struct Columns {
  const Frame *frame;
  double *mean, *variance; /* [v][u][w] */
  gsl_spline *spline;      /* of the column that was taken last */
  gsl_interp_accel *place;
} Columns;

static size_t FrameSize(const Frame *frame)
{
  return (size_t)frame->n[0] * (size_t)frame->n[1] * (size_t)frame->n[2];
}

static void Project(const Beam *beam, const Grid *grid, size_t v, double bev_mm[3])
{
  static const double no_shift[3];
  double point_mm[3];
  GridCentre(grid, v, point_mm);
  BeamProject(beam, point_mm, no_shift, bev_mm);
}

/* Columns that take all voxels of a grid; along the beam they begin at one of them. */
static Frame FrameOf(const Beam *beam, const Grid *grid, double column_mm)
{
  Frame frame = {.beam = beam};
  double low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY}, bev_mm[3];
  for (int corner = 0; corner < 8; corner++) {
    const PetscInt at[3] = {corner & 1 ? grid->n[0] - 1 : 0, corner & 2 ? grid->n[1] - 1 : 0,
                            corner & 4 ? grid->n[2] - 1 : 0};
    Project(beam, grid, GridIndex(grid, at[0], at[1], at[2]), bev_mm);
    for (int k = 0; k < 3; k++) {
      low[k] = PetscMin(low[k], bev_mm[k]);
      high[k] = PetscMax(high[k], bev_mm[k]);
    }
  }
  for (int k = 0; k < 3; k++) {
    frame.step_mm[k] = k < 2 ? column_mm : INFINITY;
    for (int a = 0; a < 3 && k == 2; a++) frame.step_mm[k] = PetscMin(frame.step_mm[k], grid->spacing_mm[a]);
    frame.first_mm[k] = k < 2 ? frame.step_mm[k] * floor(low[k] / frame.step_mm[k] + 0.5) : low[k];
    frame.n[k] = (PetscInt)((high[k] - frame.first_mm[k]) / frame.step_mm[k] + 1e-6) + 2;
  }
  return frame;
}

/* Index of a voxel's column, the lower of its two steps and the share of the higher; false outside. */
static PetscBool Place(const Frame *frame, const double bev_mm[3], size_t *at, double *share)
{
  double t[3];
  for (int k = 0; k < 3; k++) t[k] = (bev_mm[k] - frame->first_mm[k]) / frame->step_mm[k] + (k < 2 ? 0.5 : 1e-9);
  for (int k = 0; k < 3; k++)
    if (!(t[k] >= 0 && t[k] < (double)(frame->n[k] - (k < 2 ? 0 : 1)))) return PETSC_FALSE;
  *share = t[2] - floor(t[2]);
  *at = ((size_t)t[1] * (size_t)frame->n[0] + (size_t)t[0]) * (size_t)frame->n[2] + (size_t)t[2];
  return PETSC_TRUE;
}

/* Means of a map over the parts of columns, and their variance by its counts. */
static PetscErrorCode ColumnsCreate(const Frame *frame, const ShiftMap *map, Columns *columns)
{
  PetscFunctionBegin;
  const size_t size = FrameSize(frame);
  double *volume;
  *columns = (Columns){.frame = frame};
  PetscCall(PetscCalloc2(size, &columns->mean, size, &columns->variance));
  PetscCall(PetscCalloc1(size, &volume));
  for (size_t v = 0; v < GridSize(map->grid); v++) {
    double bev_mm[3], share;
    size_t at;
    Project(frame->beam, map->grid, v, bev_mm);
    if (!Place(frame, bev_mm, &at, &share)) continue;
    for (int k = 0; k < 2; k++) {
      const double part = k ? share : 1 - share, value = (double)map->value[v];
      volume[at + (size_t)k] += part;
      columns->mean[at + (size_t)k] += part * value;
      columns->variance[at + (size_t)k] += part * value * map->per_count; /* with what both steps share of a count */
    }
  }
  for (size_t i = 0; i < size; i++) {
    if (!(volume[i] > 1e-6)) continue;
    columns->mean[i] /= volume[i];
    columns->variance[i] /= volume[i] * volume[i];
  }
  PetscCall(PetscFree(volume));
  columns->spline = gsl_spline_alloc(gsl_interp_cspline, (size_t)frame->n[2]);
  columns->place = gsl_interp_accel_alloc();
  PetscFunctionReturn(0);
}

static PetscErrorCode ColumnsDestroy(Columns *columns)
{
  PetscFunctionBegin;
  if (columns->spline) gsl_spline_free(columns->spline);
  if (columns->place) gsl_interp_accel_free(columns->place);
  PetscCall(PetscFree2(columns->mean, columns->variance));
  PetscFunctionReturn(0);
}

/* Put a spline through column c. w_mm: of all its parts. */
static void Take(Columns *columns, PetscInt c, const double *w_mm)
{
  gsl_spline_init(columns->spline, w_mm, columns->mean + (size_t)c * (size_t)columns->frame->n[2],
                  (size_t)columns->frame->n[2]);
  gsl_interp_accel_reset(columns->place);
}

/* Of the column that was taken; 0 outside of it. */
static double At(const Columns *columns, double w_mm)
{
  const gsl_interp *range = columns->spline->interp;
  return w_mm >= range->xmin && w_mm <= range->xmax ? gsl_spline_eval(columns->spline, w_mm, columns->place) : 0;
}

static double SlopeAt(const Columns *columns, double w_mm)
{
  const gsl_interp *range = columns->spline->interp;
  return w_mm >= range->xmin && w_mm <= range->xmax ? gsl_spline_eval_deriv(columns->spline, w_mm, columns->place) : 0;
}

static double HighestOf(const Columns *columns, PetscInt c)
{
  const PetscInt n = columns->frame->n[2];
  double highest = 0;
  for (PetscInt i = 0; i < n; i++) highest = PetscMax(highest, columns->mean[c * n + i]);
  return highest;
}

/* Where the column that was taken falls through a level for the last time; NaN if it does not. */
static double Distal_mm(const Columns *columns, double level)
{
  const Frame *frame = columns->frame;
  const double step_mm = frame->step_mm[2] / 8, first_mm = frame->first_mm[2];
  for (PetscInt i = 8 * (frame->n[2] - 1); i-- > 0;) {
    double low = first_mm + (double)i * step_mm, high = low + step_mm;
    if (!(At(columns, low) >= level && At(columns, high) < level)) continue;
    for (int k = 0; k < 40; k++) {
      const double middle = 0.5 * (low + high);
      if (At(columns, middle) >= level)
        low = middle;
      else
        high = middle;
    }
    return 0.5 * (low + high);
  }
  return NAN;
}

/* The falloff of one column of the reference: points, what they are and how steep, and the noise of both maps there. */
typedef struct Falloff {
  PetscInt column, n;
  double edge_mm, *w_mm, *value, *slope, *variance;
} Falloff;

/* What is looked for, and in what. */
typedef struct Search {
  const ShiftSpec *spec;
  Frame frame;
  double *w_mm; /* [frame.n[2]] */
  Columns reference, other;
  PetscInt n;
  Falloff *falloff;
  PetscInt only; /* a single falloff, or -1: all */
} Search;

/* Noise of one point of a spline: as that of the part it lies in, of which there are POINTS_PER_STEP points. */
static double NoiseAt(const Columns *columns, PetscInt c, double w_mm)
{
  const Frame *frame = columns->frame;
  const double t = (w_mm - frame->first_mm[2]) / frame->step_mm[2] + 0.5;
  if (!(t >= 0 && t < (double)frame->n[2])) return 0;
  return POINTS_PER_STEP * columns->variance[c * frame->n[2] + (PetscInt)t];
}

/* Take the falloff of column c if it has one. */
static PetscErrorCode FalloffCreate(Search *search, PetscInt c, double highest)
{
  PetscFunctionBegin;
  Columns *a = &search->reference, *b = &search->other;
  const double top = HighestOf(a, c), step_mm = search->frame.step_mm[2];
  Falloff *f = &search->falloff[search->n];
  if (!(top > 0 && top >= search->spec->threshold * highest)) PetscFunctionReturn(0);
  Take(a, c, search->w_mm);
  const double from_mm = Distal_mm(a, FALLOFF_FROM * top) - step_mm, to_mm = Distal_mm(a, FALLOFF_TO * top) + step_mm;
  const double edge_mm = Distal_mm(a, EDGE * top);
  if (!(from_mm < edge_mm && edge_mm < to_mm)) PetscFunctionReturn(0);
  *f = (Falloff){.column = c, .n = 2 + (PetscInt)((to_mm - from_mm) / step_mm * POINTS_PER_STEP), .edge_mm = edge_mm};
  PetscCall(PetscMalloc4(f->n, &f->w_mm, f->n, &f->value, f->n, &f->slope, f->n, &f->variance));
  for (PetscInt i = 0; i < f->n; i++) {
    f->w_mm[i] = from_mm + (to_mm - from_mm) * (double)i / (double)(f->n - 1);
    f->value[i] = At(a, f->w_mm[i]);
    f->slope[i] = SlopeAt(a, f->w_mm[i]);
    f->variance[i] = NoiseAt(a, c, f->w_mm[i]) + NoiseAt(b, c, f->w_mm[i]);
  }
  search->n++;
  PetscFunctionReturn(0);
}

/* Sum of squares at a shift. */
static double Misfit(double shift_mm, void *context)
{
  Search *search = context;
  double sum = 0;
  for (PetscInt k = 0; k < search->n; k++) {
    const Falloff *f = &search->falloff[k];
    if (search->only >= 0 && search->only != k) continue;
    Take(&search->other, f->column, search->w_mm);
    for (PetscInt i = 0; i < f->n; i++) sum += pow(At(&search->other, f->w_mm[i] + shift_mm) - f->value[i], 2);
  }
  return sum;
}

/* The least of all on a grid of shifts, then of its neighbourhood. */
static double BestShift_mm(Search *search, PetscInt only)
{
  const double step_mm = 0.5 * search->frame.step_mm[2];
  const PetscInt n = (PetscInt)ceil(search->spec->largest_mm / step_mm);
  double best = 0, least = INFINITY;
  search->only = only;
  for (PetscInt i = -n; i <= n; i++) {
    const double misfit = Misfit((double)i * step_mm, search);
    if (misfit < least) best = (double)i * step_mm, least = misfit;
  }
  gsl_function function = {.function = Misfit, .params = search};
  gsl_error_handler_t *handler =
      gsl_set_error_handler_off(); /* it would abort where the least is at the end of the grid */
  gsl_min_fminimizer *minimizer = gsl_min_fminimizer_alloc(gsl_min_fminimizer_brent);
  if (!gsl_min_fminimizer_set_with_values(minimizer, &function, best, least, best - step_mm,
                                          Misfit(best - step_mm, search), best + step_mm,
                                          Misfit(best + step_mm, search))) {
    for (int i = 0; i < MOST_REFINEMENTS; i++) {
      gsl_min_fminimizer_iterate(minimizer);
      if (gsl_min_fminimizer_x_upper(minimizer) - gsl_min_fminimizer_x_lower(minimizer) < 1e-4) break;
    }
    best = gsl_min_fminimizer_x_minimum(minimizer);
  }
  gsl_min_fminimizer_free(minimizer);
  (void)gsl_set_error_handler(handler);
  return best;
}

/* Sums over a falloff of A'^2 and of A'^2 times the noise. */
static void Information(const Falloff *f, double *slope2, double *noise)
{
  for (PetscInt i = 0; i < f->n; i++) {
    *slope2 += f->slope[i] * f->slope[i];
    *noise += f->slope[i] * f->slope[i] * f->variance[i];
  }
}

/*
 * Shift of the distal place where a column's dose falls through half of the reference's maximum; NaN without a falloff. Physical dose
 * sinks towards the far end of a spread-out peak: 80 % of its maximum can lie in the middle of that.
 */
static double DoseShift_mm(Columns dose[2], PetscInt c, const double *w_mm)
{
  const double level = EDGE * HighestOf(&dose[0], c);
  double edge_mm[2];
  for (int k = 0; k < 2; k++) {
    Take(&dose[k], c, w_mm);
    edge_mm[k] = Distal_mm(&dose[k], level);
  }
  return edge_mm[1] - edge_mm[0];
}

/* What each column says, and all together. */
static PetscErrorCode Conclude(Search *search, Columns *dose, RangeShift *out)
{
  PetscFunctionBegin;
  double slope2 = 0, noise = 0, dose_weight = 0, dose_sum = 0;
  const Frame *frame = &search->frame;
  for (PetscInt k = 0; k < search->n; k++) Information(&search->falloff[k], &slope2, &noise);
  PetscCall(PetscMalloc1(search->n, &out->column));
  for (PetscInt k = 0; k < search->n; k++) {
    const Falloff *f = &search->falloff[k];
    ShiftColumn *column = &out->column[out->n++];
    double own2 = 0, own_noise = 0;
    Information(f, &own2, &own_noise);
    *column = (ShiftColumn){.u_mm = frame->first_mm[0] + f->column % frame->n[0] * frame->step_mm[0],
                            .v_mm = frame->first_mm[1] + f->column / frame->n[0] * frame->step_mm[1],
                            .edge_mm = f->edge_mm,
                            .shift_mm = BestShift_mm(search, k),
                            .deviation_mm = sqrt(own_noise) / own2,
                            .weight = own2 / slope2,
                            .dose_shift_mm = dose ? DoseShift_mm(dose, f->column, search->w_mm) : NAN};
    if (isnan(column->dose_shift_mm)) continue;
    dose_weight += column->weight;
    dose_sum += column->weight * column->dose_shift_mm;
  }
  out->shift_mm = BestShift_mm(search, -1);
  out->deviation_mm = sqrt(noise) / slope2;
  out->dose_shift_mm = dose_weight > 0 ? dose_sum / dose_weight : NAN;
  PetscFunctionReturn(0);
}

static PetscErrorCode SearchDestroy(Search *search)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < search->n; k++) {
    Falloff *f = &search->falloff[k];
    PetscCall(PetscFree4(f->w_mm, f->value, f->slope, f->variance));
  }
  PetscCall(PetscFree(search->falloff));
  PetscCall(PetscFree(search->w_mm));
  PetscCall(ColumnsDestroy(&search->reference));
  PetscCall(ColumnsDestroy(&search->other));
  PetscFunctionReturn(0);
}

static double ColumnWidth_mm(const ShiftSpec *spec, const Grid *grid)
{
  double least_mm = 0;
  for (int k = 0; k < 3; k++) least_mm = PetscMax(least_mm, VOXELS_PER_COLUMN * grid->spacing_mm[k]);
  return PetscMax(least_mm, spec->column_mm > 0 ? spec->column_mm : LEAST_COLUMN_MM);
}

PetscErrorCode RangeShiftFind(const Beam *beam, const ShiftSpec *spec, const ShiftMap *reference, const ShiftMap *other,
                              const ShiftMap *dose, const ShiftMap *other_dose, RangeShift *out)
{
  PetscFunctionBegin;
  Search search = {.spec = spec, .frame = FrameOf(beam, reference->grid, ColumnWidth_mm(spec, reference->grid))};
  const PetscInt n_column = search.frame.n[0] * search.frame.n[1];
  Columns doses[2] = {{0}};
  double highest = 0;
  *out = (RangeShift){.shift_mm = NAN, .deviation_mm = NAN, .dose_shift_mm = NAN};
  PetscCall(PetscMalloc1(search.frame.n[2], &search.w_mm));
  for (PetscInt i = 0; i < search.frame.n[2]; i++)
    search.w_mm[i] = search.frame.first_mm[2] + (double)i * search.frame.step_mm[2];
  PetscCall(ColumnsCreate(&search.frame, reference, &search.reference));
  PetscCall(ColumnsCreate(&search.frame, other, &search.other));
  for (int k = 0; k < 2 && dose; k++) PetscCall(ColumnsCreate(&search.frame, k ? other_dose : dose, &doses[k]));
  PetscCall(PetscCalloc1(n_column, &search.falloff));
  for (PetscInt c = 0; c < n_column; c++) highest = PetscMax(highest, HighestOf(&search.reference, c));
  for (PetscInt c = 0; c < n_column; c++) PetscCall(FalloffCreate(&search, c, highest));
  if (search.n) PetscCall(Conclude(&search, dose ? doses : NULL, out));
  for (int k = 0; k < 2; k++) PetscCall(ColumnsDestroy(&doses[k]));
  PetscCall(SearchDestroy(&search));
  PetscFunctionReturn(0);
}

PetscErrorCode RangeShiftDestroy(RangeShift *shift)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(shift->column));
  shift->n = 0;
  PetscFunctionReturn(0);
}
