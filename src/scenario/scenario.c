/* Expanding what a study says of its uncertainties into scenarios. */
#include "robion/scenario.h"
#include "robion/counter_random.h"
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const setup_pattern_names[] = {"none", "axes",  "corners", "axes+corners",
                                           "list", "cross", "grid",    "random"};
const PetscInt n_setup_pattern_names = PETSC_STATIC_ARRAY_LENGTH(setup_pattern_names);

const char *const motion_names[] = {"none", "phases", "accumulate"};
const PetscInt n_motion_names = PETSC_STATIC_ARRAY_LENGTH(motion_names);

/* Append the parts of an id, joined by underscores. */
static void AddToId(char id[sizeof((Scenario *)0)->id], const char *name, double value)
{
  const size_t used = strlen(id), size = sizeof((Scenario *)0)->id;
  if (value != 0) snprintf(id + used, size - used, "%s%s%+.4g", used ? "_" : "", name, value);
}

static void MakeId(const ScenarioSet *set, Scenario *s)
{
  s->id[0] = 0;
  if (!s->range_of_beam) AddToId(s->id, "r", s->range_percent);
  for (PetscInt b = 0; s->range_of_beam && b < set->n_beam; b++) {
    char name[16];
    snprintf(name, sizeof name, "r%d", (int)b);
    AddToId(s->id, name, s->range_of_beam[b]);
  }
  for (int axis = 0; axis < 3; axis++) AddToId(s->id, (const char *[]){"x", "y", "z"}[axis], s->shift_mm[axis]);
  for (int axis = 0; axis < 3; axis++) AddToId(s->id, (const char *[]){"rx", "ry", "rz"}[axis], s->rotation_deg[axis]);
  size_t used = strlen(s->id);
  if (s->phase_name[0])
    used += (size_t)snprintf(s->id + used, sizeof s->id - used, "%sphase-%.60s", used ? "_" : "", s->phase_name);
  if (strcmp(s->biology, BIOLOGY_NOMINAL) || s->factor)
    snprintf(s->id + used, sizeof s->id - used, "%sbio-%s", used ? "_" : "", s->biology);
  if (!s->id[0]) snprintf(s->id, sizeof s->id, "nominal");
}

/* Drop shifts that repeat an earlier one (a zero component of setup_mm makes such). */
static PetscInt DropRepeated(PetscInt n, double (*shift_mm)[3])
{
  PetscInt kept = 0;
  for (PetscInt i = 0; i < n; i++) {
    PetscInt k = 0;
    while (k < kept &&
           !(shift_mm[k][0] == shift_mm[i][0] && shift_mm[k][1] == shift_mm[i][1] && shift_mm[k][2] == shift_mm[i][2]))
      k++;
    if (k < kept) continue;
    memmove(shift_mm[kept++], shift_mm[i], 3 * sizeof(double));
  }
  return kept;
}

/* The setup shifts of a spec in their fixed order: zero, axes (x-, x+, y-, ...), corners and grid (x slowest). */
static PetscInt ExpandShifts(const ScenarioSpec *spec, double (*shift_mm)[3])
{
  PetscInt n = 0;
  if (spec->setup == SETUP_LIST) {
    for (PetscInt i = 0; i < spec->n_shift; i++) memcpy(shift_mm[n++], spec->shift_mm[i], 3 * sizeof(double));
    return n;
  }
  if (spec->setup == SETUP_NONE || spec->setup == SETUP_AXES || spec->setup == SETUP_CROSS)
    memset(shift_mm[n++], 0, 3 * sizeof(double));
  if (spec->setup == SETUP_AXES || spec->setup == SETUP_AXES_CORNERS || spec->setup == SETUP_CROSS)
    for (int axis = 0; axis < 3; axis++)
      for (int sign = -1; sign <= 1; sign += 2) {
        memset(shift_mm[n], 0, 3 * sizeof(double));
        shift_mm[n++][axis] = sign * spec->setup_mm[axis];
      }
  if (spec->setup == SETUP_CORNERS || spec->setup == SETUP_AXES_CORNERS)
    for (int corner = 0; corner < 8; corner++, n++)
      for (int axis = 0; axis < 3; axis++)
        shift_mm[n][axis] = ((corner >> (2 - axis)) & 1 ? 1 : -1) * spec->setup_mm[axis];
  if (spec->setup == SETUP_GRID)
    for (int point = 0; point < 27; point++, n++) {
      const int step[3] = {point / 9 - 1, point / 3 % 3 - 1, point % 3 - 1};
      for (int axis = 0; axis < 3; axis++) shift_mm[n][axis] = step[axis] * spec->setup_mm[axis];
    }
  return n;
}

/* A point of the space. */
typedef struct Point {
  const double *range_percent; /* of every beam */
  double shift_mm[3], rotation_deg[3];
  const ScenarioBiology *biology; /* NULL: the plan's own */
  const double *factor;           /* [tissue][2] drawn, on top of it; NULL: none */
  PetscInt phase;                 /* number among the set's; 0: none */
} Point;

static double Tidy(double value)
{
  return value == 0 ? 0 : value; /* no minus zero */
}

/* Range errors of a row: one if all beams have the same. */
static void SetRange(ScenarioSet *set, const double *range_percent, PetscInt row, Scenario *s)
{
  double *of_beam = set->range_of_beam + row * set->n_beam;
  PetscBool same = PETSC_TRUE;
  double sum = 0;
  for (PetscInt b = 0; b < set->n_beam; b++) {
    of_beam[b] = Tidy(range_percent[b]);
    sum += of_beam[b];
    if (of_beam[b] != of_beam[0]) same = PETSC_FALSE;
  }
  s->range_of_beam = same ? NULL : of_beam;
  s->range_percent = same ? of_beam[0] : sum / (double)set->n_beam;
}

static PetscBool SameRange(const ScenarioSet *set, const Scenario *a, const Scenario *b)
{
  PetscBool same = a->range_percent == b->range_percent && !a->range_of_beam == !b->range_of_beam;
  for (PetscInt i = 0; same && a->range_of_beam && i < set->n_beam; i++)
    if (a->range_of_beam[i] != b->range_of_beam[i]) same = PETSC_FALSE;
  return same;
}

/* Response of a row, with factors if any is not 1. */
static void SetBiology(ScenarioSet *set, const Point *point, PetscInt row, Scenario *s)
{
  const ScenarioBiology *named = point->biology;
  double *factor = set->factor ? set->factor + 2 * row * set->n_tissue : NULL;
  s->biology = named ? named->name : BIOLOGY_NOMINAL;
  s->model = named ? named->model : 0;
  for (PetscInt t = 0; factor && t < set->n_tissue; t++) {
    const PetscBool scaled = named && (named->tissue < 0 || named->tissue == t) ? PETSC_TRUE : PETSC_FALSE;
    const double here[2] = {scaled ? named->alpha_factor : 1, scaled ? sqrt(named->beta_factor) : 1};
    for (int k = 0; k < 2; k++) {
      factor[2 * t + k] = here[k] * (point->factor ? point->factor[2 * t + k] : 1);
      if (factor[2 * t + k] != 1) s->factor = factor;
    }
  }
}

/* The phase of a row: one, or where doses are accumulated all. */
static void SetPhase(const ScenarioSet *set, const Point *point, Scenario *s)
{
  const PetscBool one = point && point->phase ? PETSC_TRUE : PETSC_FALSE;
  s->phase_name = one ? set->phase[point->phase - 1].name : "";
  s->phase = one ? set->phase_number[point->phase - 1] : set->accumulates ? PHASE_ALL : PHASE_REFERENCE;
}

/*
 * One more row; the nominal one is row 0, which joins the set. A point that the set has already, as far as `known` rows tell, is
 * left out.
 */
static Scenario *Append(ScenarioSet *set, const Point *point, PetscInt known)
{
  Scenario made = {.in_set = PETSC_TRUE};
  SetRange(set, point->range_percent, set->n, &made);
  SetBiology(set, point, set->n, &made);
  SetPhase(set, point, &made);
  for (int axis = 0; axis < 3; axis++) {
    made.shift_mm[axis] = Tidy(point->shift_mm[axis]);
    made.rotation_deg[axis] = Tidy(point->rotation_deg[axis]);
  }
  MakeId(set, &made);
  PetscInt row = strcmp(made.id, "nominal") ? 1 : 0;
  while (row && row < known && strcmp(made.id, set->scenario[row].id)) row++;
  if (row && row >= known) row = set->n++;
  if (!set->scenario[row].in_set) {
    set->scenario[row] = made;
    set->n_set++;
  }
  return &set->scenario[row];
}

static PetscInt ShiftCapacity(const ScenarioSpec *spec)
{
  return spec->setup == SETUP_LIST ? spec->n_shift : 27;
}

/* Beams that have range errors of their own. */
static PetscInt OwnRanges(const ScenarioSpec *spec, const ScenarioAxes *axes)
{
  return spec->range_per_beam ? PetscMax(axes->n_beam, 1) : 1;
}

/* Responses that a set combines with its other errors. */
static PetscInt Responses(const ScenarioSpec *spec)
{
  return PetscMax(spec->n_biology, 1);
}

/* The i-th of them; NULL: the plan's own. */
static const ScenarioBiology *Response(const ScenarioSpec *spec, const ScenarioAxes *axes, PetscInt i)
{
  PetscInt k = 0;
  if (!spec->n_biology || !strcmp(spec->biology[i], BIOLOGY_NOMINAL)) return NULL;
  while (k < axes->n_biology && strcmp(axes->biology[k].name, spec->biology[i])) k++;
  return k < axes->n_biology ? &axes->biology[k] : NULL;
}

/* Rotations that a set combines with its other errors. */
static PetscInt Rotations(const ScenarioSpec *spec)
{
  return PetscMax(spec->n_rotation, 1);
}

/* The i-th of them. */
static void SetRotation(const ScenarioSpec *spec, PetscInt i, Point *point)
{
  for (int axis = 0; axis < 3; axis++) point->rotation_deg[axis] = spec->n_rotation ? spec->rotation_deg[i][axis] : 0;
}

/* Phases that a set combines with its other errors. */
static PetscInt Phases(const ScenarioSet *set)
{
  return set->accumulates ? 1 : PetscMax(set->n_phase, 1);
}

/* The i-th of them; 0: none. */
static PetscInt PhaseOf(const ScenarioSet *set, PetscInt i)
{
  return set->accumulates || !set->n_phase ? 0 : 1 + i;
}

static PetscInt CountPhases(const ScenarioSpec *spec)
{
  if (spec->motion != MOTION_PHASES) return 1;
  return PetscMax(spec->n_phase ? spec->n_phase : spec->axes.n_phase, 1);
}

static double CountPart(const ScenarioSpec *spec, const ScenarioAxes *axes)
{
  const double ranges = (double)spec->n_range, shifts = (double)ShiftCapacity(spec);
  const PetscInt own = OwnRanges(spec, axes);
  if (spec->setup == SETUP_RANDOM) return (double)spec->n_random;
  if (spec->setup == SETUP_CROSS)
    return ranges * (double)own + shifts + (double)Responses(spec) + (double)Rotations(spec);
  return pow(ranges, (double)own) * shifts * (double)Rotations(spec) * (double)Responses(spec);
}

double ScenarioCount(const ScenarioSpec *spec)
{
  double sum = 1 + CountPart(spec, &spec->axes);
  for (PetscInt i = 0; i < spec->n_plus; i++) sum += CountPart(&spec->plus[i], &spec->axes);
  return sum * (double)CountPhases(spec);
}

/* Range errors one axis at a time, each beam with its own being an axis. */
static void CrossRanges(const ScenarioSpec *spec, PetscInt n_own, PetscInt known, double *range_percent,
                        ScenarioSet *set)
{
  for (PetscInt b = 0; b < n_own; b++)
    for (PetscInt r = 0; r < spec->n_range; r++) {
      if (spec->range_percent[r] == 0) continue;
      for (PetscInt i = 0; i < set->n_beam; i++) range_percent[i] = n_own == 1 || i == b ? spec->range_percent[r] : 0;
      (void)Append(set, &(Point){.range_percent = range_percent}, known);
    }
}

/* Combination number k of range errors; the first beam's varies slowest. */
static void CombineRanges(const ScenarioSpec *spec, PetscInt n_own, PetscInt k, PetscInt n_beam, double *range_percent)
{
  for (PetscInt b = n_beam - 1; b >= 0; b--) {
    range_percent[b] = spec->range_percent[k % spec->n_range];
    if (n_own > 1) k /= spec->n_range;
  }
}

/* Rotations and other responses without any other error. */
static void CrossOthers(const ScenarioSpec *spec, const ScenarioAxes *axes, PetscInt known, const double *no_range,
                        ScenarioSet *set)
{
  for (PetscInt i = 0; i < spec->n_rotation; i++) {
    Point point = {.range_percent = no_range};
    SetRotation(spec, i, &point);
    (void)Append(set, &point, known);
  }
  for (PetscInt i = 0; i < spec->n_biology; i++) {
    const Point point = {.range_percent = no_range, .biology = Response(spec, axes, i)};
    if (point.biology) (void)Append(set, &point, known);
  }
  for (PetscInt i = 0; i < Phases(set) && PhaseOf(set, i); i++)
    (void)Append(set, &(Point){.range_percent = no_range, .phase = PhaseOf(set, i)}, known);
}

/* All rotations, phases and responses with the other errors of a point. */
static void AppendAll(const ScenarioSpec *spec, const ScenarioAxes *axes, PetscInt known, Point *point,
                      ScenarioSet *set)
{
  for (PetscInt j = 0; j < Rotations(spec); j++)
    for (PetscInt k = 0; k < Phases(set); k++)
      for (PetscInt i = 0; i < Responses(spec); i++) {
        SetRotation(spec, j, point);
        point->phase = PhaseOf(set, k);
        point->biology = Response(spec, axes, i);
        (void)Append(set, point, known);
      }
}

/* All combinations of range errors, shifts, rotations and responses; of a cross only those in which all but one are nothing. */
static PetscErrorCode Combine(const ScenarioSpec *spec, const ScenarioAxes *axes, PetscInt known, ScenarioSet *set)
{
  PetscFunctionBegin;
  const PetscInt n_own = spec->range_per_beam ? set->n_beam : 1;
  PetscInt n_range = 1;
  double(*shift_mm)[3], *range_percent;
  PetscCall(PetscMalloc1(ShiftCapacity(spec), &shift_mm));
  PetscCall(PetscCalloc1(set->n_beam, &range_percent));
  const PetscInt n_shift = DropRepeated(ExpandShifts(spec, shift_mm), shift_mm);
  if (spec->setup == SETUP_CROSS) {
    CrossRanges(spec, n_own, known, range_percent, set);
    PetscCall(PetscArrayzero(range_percent, set->n_beam));
    CrossOthers(spec, axes, known, range_percent, set);
  } else
    for (PetscInt b = 0; b < n_own; b++) n_range *= spec->n_range;
  for (PetscInt r = 0; r < n_range; r++) {
    if (spec->setup != SETUP_CROSS) CombineRanges(spec, n_own, r, set->n_beam, range_percent);
    for (PetscInt k = 0; k < n_shift; k++) {
      Point point = {.range_percent = range_percent};
      PetscCall(PetscArraycpy(point.shift_mm, shift_mm[k], 3));
      if (spec->setup == SETUP_CROSS)
        (void)Append(set, &point, known);
      else
        AppendAll(spec, axes, known, &point, set);
    }
  }
  PetscCall(PetscFree(shift_mm));
  PetscCall(PetscFree(range_percent));
  PetscFunctionReturn(0);
}

/* Axes of drawn scenarios with numbers of their own: what is drawn on one does not hang on the others. */
enum { DRAWN_RANGES, DRAWN_BIOLOGY, DRAWN_ROTATION, DRAWN_PHASE, DRAWN_AXES = 8 };

static CounterRandom DrawnOn(const ScenarioSpec *spec, PetscInt scenario, int axis)
{
  return (CounterRandom){.seed = (uint64_t)spec->seed, .stream = (uint32_t)(scenario * DRAWN_AXES + axis)};
}

/* Range errors about one of the spec's, the same for all beams or drawn for each. */
static void DrawRanges(const ScenarioSpec *spec, PetscInt i, gsl_rng *random, PetscInt n_beam, double *range_percent)
{
  const double middle = spec->range_percent[i % spec->n_range];
  CounterRandom own = DrawnOn(spec, i, DRAWN_RANGES);
  const double error = spec->range_per_beam ? 0 : gsl_ran_gaussian_ziggurat(random, spec->range_sigma_percent);
  for (PetscInt b = 0; b < n_beam; b++) {
    const double of_beam = spec->range_per_beam ? spec->range_sigma_percent * CounterRandomNormal(&own) : error;
    range_percent[b] = PetscMax(middle + of_beam, -99);
  }
}

/* Log-normal factors on alpha and the square root of beta, of each tissue by itself. */
static void DrawFactors(const ScenarioSpec *spec, PetscInt i, PetscInt n_tissue, double *factor)
{
  CounterRandom own = DrawnOn(spec, i, DRAWN_BIOLOGY);
  for (PetscInt t = 0; t < n_tissue; t++) {
    factor[2 * t] = exp(spec->alpha_sigma_percent / 100 * CounterRandomNormal(&own));
    factor[2 * t + 1] = exp(spec->beta_sigma_percent / 200 * CounterRandomNormal(&own));
  }
}

/* Rotations about those of the spec in turn. */
static void DrawRotation(const ScenarioSpec *spec, PetscInt i, Point *point)
{
  CounterRandom own = DrawnOn(spec, i, DRAWN_ROTATION);
  SetRotation(spec, i % Rotations(spec), point);
  for (int axis = 0; axis < 3; axis++)
    point->rotation_deg[axis] += spec->rotation_sigma_deg[axis] * CounterRandomNormal(&own);
}

/* A phase as often as its weight says. */
static void DrawPhase(const ScenarioSpec *spec, PetscInt i, const ScenarioSet *set, Point *point)
{
  CounterRandom own = DrawnOn(spec, i, DRAWN_PHASE);
  double rest = CounterRandomUniform(&own);
  PetscInt k = 0;
  while (k + 1 < Phases(set) && rest >= set->phase[k].weight) rest -= set->phase[k++].weight;
  point->phase = PhaseOf(set, k);
}

/*
 * Drawn scenarios: range errors about the spec's in turn, responses in turn with every range error, rotations about the spec's in turn,
 * shifts about none. They are numbered from n_drawn + 1 on.
 */
static PetscErrorCode Draw(const ScenarioSpec *spec, const ScenarioAxes *axes, PetscInt n_drawn, ScenarioSet *set)
{
  PetscFunctionBegin;
  double *range_percent, *factor;
  gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
  PetscCall(PetscMalloc2(set->n_beam, &range_percent, 2 * set->n_tissue, &factor));
  for (PetscInt i = 0; i < spec->n_random; i++) {
    Point point = {.range_percent = range_percent,
                   .biology = Response(spec, axes, i / spec->n_range % Responses(spec)),
                   .factor = spec->alpha_sigma_percent > 0 || spec->beta_sigma_percent > 0 ? factor : NULL};
    if (point.factor) DrawFactors(spec, i, set->n_tissue, factor);
    gsl_rng_set(random, (unsigned long)spec->seed * 1000003UL + (unsigned long)i + 1);
    for (int axis = 0; axis < 3; axis++) point.shift_mm[axis] = gsl_ran_gaussian_ziggurat(random, spec->setup_mm[axis]);
    DrawRotation(spec, i, &point);
    DrawPhase(spec, i, set, &point);
    DrawRanges(spec, i, random, set->n_beam, range_percent);
    Scenario *s = Append(set, &point, 0);
    if (s != &set->scenario[0]) snprintf(s->id, sizeof s->id, "random-%d", (int)(n_drawn + i) + 1);
  }
  gsl_rng_free(random);
  PetscCall(PetscFree2(range_percent, factor));
  PetscFunctionReturn(0);
}

void RotateBack(const double rotation_deg[3], const double vector[3], double back[3])
{
  memcpy(back, vector, 3 * sizeof *back);
  for (int axis = 2; axis >= 0; axis--) { /* R^T = Rx^T Ry^T Rz^T */
    const double angle = rotation_deg[axis] * PETSC_PI / 180, c = cos(angle), s = sin(angle);
    const int i = (axis + 1) % 3, j = (axis + 2) % 3;
    const double a = back[i], b = back[j];
    if (angle == 0) continue;
    back[i] = c * a + s * b;
    back[j] = c * b - s * a;
  }
}

/* Whether parallel rays take the same ways in two views. */
static PetscBool SameWays(const View *a, const View *b)
{
  return a->phase != b->phase || memcmp(a->rotation_deg, b->rotation_deg, sizeof a->rotation_deg) ? PETSC_FALSE
                                                                                                  : PETSC_TRUE;
}

PetscInt ScenarioTraces(const ScenarioSet *set, PetscBool parallel, PetscInt *trace, PetscInt *view)
{
  PetscInt n = 0, last = 0; /* the last one is looked at first */
  for (PetscInt k = 0; k < set->n_view; k++) {
    PetscInt j = parallel ? 0 : k;
    if (parallel && k && SameWays(&set->view[last], &set->view[k])) j = last;
    while (j < k && !SameWays(&set->view[j], &set->view[k])) j++;
    if (j == k && view) view[n] = k;
    if (trace) trace[k] = j == k ? n : trace[j];
    if (j == k) n++;
    last = k;
  }
  return n;
}

/* The number of a scenario's view in a phase. */
static PetscInt FindView(ScenarioSet *set, const Scenario *scenario, PetscInt phase)
{
  View view = {.phase = phase};
  PetscInt v = 0;
  memcpy(view.rotation_deg, scenario->rotation_deg, sizeof view.rotation_deg);
  RotateBack(view.rotation_deg, scenario->shift_mm, view.shift_mm);
  while (v < set->n_view && !ViewSame(&set->view[v], &view)) v++;
  if (v == set->n_view) set->view[set->n_view++] = view;
  return v;
}

/* Sums of a scenario that no one before has. */
static void AddSums(ScenarioSet *set, PetscInt row, const PetscInt *phase, PetscInt n_phase)
{
  const Scenario *scenario = &set->scenario[row];
  set->sums[set->n_sums] = (ScenarioSums){row, set->n_of_phase, n_phase};
  for (PetscInt i = 0; i < n_phase; i++)
    set->of_phase[set->n_of_phase++] = (PhaseSums){.view = FindView(set, scenario, phase[i]),
                                                   .model = scenario->model,
                                                   .row = row,
                                                   .sums = set->n_sums,
                                                   .weight = scenario->phase == PHASE_ALL ? set->phase[i].weight : 1};
  set->n_sums++;
}

/* Index every distinct view once, so that scenarios share their ray tracing; then every distinct dose. */
static PetscErrorCode IndexRows(ScenarioSet *set)
{
  PetscFunctionBegin;
  const PetscInt most = set->n * (set->accumulates ? set->n_phase : 1);
  PetscCall(PetscMalloc3(most, &set->view, set->n, &set->sums, most, &set->of_phase));
  for (PetscInt s = 0; s < set->n; s++) {
    Scenario *scenario = &set->scenario[s];
    const PetscBool all = scenario->phase == PHASE_ALL ? PETSC_TRUE : PETSC_FALSE;
    const PetscInt *phase = all ? set->phase_number : &scenario->phase, view = FindView(set, scenario, phase[0]);
    PetscInt k = 0;
    for (; k < set->n_sums; k++) {
      const PhaseSums *of = &set->of_phase[set->sums[k].first];
      if (of->view == view && of->model == scenario->model && SameRange(set, scenario, &set->scenario[of->row])) break;
    }
    if (k == set->n_sums) AddSums(set, s, phase, all ? set->n_phase : 1);
    scenario->sums = k;
  }
  PetscFunctionReturn(0);
}

/* The phases that count, their weights adding up to 1. */
static PetscErrorCode TakePhases(const ScenarioSpec *spec, ScenarioSet *set)
{
  PetscFunctionBegin;
  double sum = 0;
  if (spec->motion == MOTION_NONE) PetscFunctionReturn(0);
  PetscCall(PetscMalloc2(spec->axes.n_phase, &set->phase, spec->axes.n_phase, &set->phase_number));
  for (PetscInt i = 0; i < spec->axes.n_phase; i++) {
    PetscInt k = 0;
    while (k < spec->n_phase && strcmp(spec->phase[k], spec->axes.phase[i].name)) k++;
    if (spec->n_phase && k == spec->n_phase) continue;
    set->phase_number[set->n_phase] = 1 + i;
    set->phase[set->n_phase++] = spec->axes.phase[i];
  }
  set->accumulates = spec->motion == MOTION_ACCUMULATE && set->n_phase ? PETSC_TRUE : PETSC_FALSE;
  for (PetscInt k = 0; k < set->n_phase; k++) sum += set->phase[k].weight;
  for (PetscInt k = 0; k < set->n_phase; k++) set->phase[k].weight /= sum;
  PetscFunctionReturn(0);
}

/* Add one of the sets that a spec is made of. */
static PetscErrorCode AddPart(const ScenarioSpec *spec, const ScenarioAxes *axes, PetscBool several, PetscInt *n_drawn,
                              ScenarioSet *set)
{
  PetscFunctionBegin;
  if (spec->setup == SETUP_RANDOM)
    PetscCall(Draw(spec, axes, *n_drawn, set));
  else
    PetscCall(Combine(spec, axes, several ? set->n : 0, set));
  if (spec->setup == SETUP_RANDOM) *n_drawn += spec->n_random;
  PetscFunctionReturn(0);
}

/* Room for the rows of a spec and all that comes on top of it. */
static PetscErrorCode AllocateRows(const ScenarioSpec *spec, ScenarioSet *set)
{
  PetscFunctionBegin;
  const double most = ScenarioCount(spec);
  PetscBool scaled = PETSC_FALSE;
  PetscCheck(most < 1e8, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "%g scenarios passed the checks", most);
  set->n_tissue = PetscMax(spec->axes.n_tissue, 1);
  for (PetscInt i = -1; i < spec->n_plus; i++) {
    const ScenarioSpec *part = i < 0 ? spec : &spec->plus[i];
    set->n_beam = PetscMax(set->n_beam, OwnRanges(part, &spec->axes));
    if (part->n_biology || part->alpha_sigma_percent > 0 || part->beta_sigma_percent > 0) scaled = PETSC_TRUE;
  }
  const size_t rows = (size_t)most + 1;
  PetscCall(PetscCalloc1(rows, &set->scenario));
  PetscCall(PetscCalloc1(rows * (size_t)set->n_beam, &set->range_of_beam));
  if (scaled) PetscCall(PetscCalloc1(2 * rows * (size_t)set->n_tissue, &set->factor));
  PetscFunctionReturn(0);
}

PetscErrorCode ScenarioSetCreate(const ScenarioSpec *spec, ScenarioSet **out)
{
  PetscFunctionBegin;
  ScenarioSet *set;
  PetscInt n_drawn = 0;
  PetscCall(PetscNew(&set));
  PetscCall(AllocateRows(spec, set));
  PetscCall(TakePhases(spec, set));
  set->n = 1; /* the nominal row; it joins the set if the set holds it */
  set->scenario[0].biology = BIOLOGY_NOMINAL;
  SetPhase(set, NULL, &set->scenario[0]);
  PetscCall(AddPart(spec, &spec->axes, PETSC_FALSE, &n_drawn, set));
  for (PetscInt i = 0; i < spec->n_plus; i++)
    PetscCall(AddPart(&spec->plus[i], &spec->axes, PETSC_TRUE, &n_drawn, set));
  PetscCheck(set->n_set > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "scenario set is empty: %d ranges",
             (int)spec->n_range);
  MakeId(set, &set->scenario[0]);
  for (PetscInt s = 0; s < set->n; s++)
    if (set->scenario[s].in_set) set->scenario[s].weight = 1.0 / (double)set->n_set;
  PetscCall(IndexRows(set));
  *out = set;
  PetscFunctionReturn(0);
}

PetscErrorCode ScenarioSetSlice(const ScenarioSet *set, PetscInt first, PetscInt n, ScenarioSet **out)
{
  PetscFunctionBegin;
  ScenarioSet *slice;
  PetscCheck(first >= 0 && n > 0 && first + n <= set->n, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "rows %d to %d of %d scenarios", (int)first, (int)(first + n) - 1, (int)set->n);
  PetscCall(PetscNew(&slice));
  slice->n = n;
  slice->n_beam = set->n_beam;
  slice->n_tissue = set->n_tissue;
  slice->other_model = set->other_model;
  slice->accumulates = set->accumulates;
  slice->n_phase = set->n_phase;
  PetscCall(PetscMalloc2(set->n_phase, &slice->phase, set->n_phase, &slice->phase_number));
  PetscCall(PetscArraycpy(slice->phase, set->phase, set->n_phase));
  PetscCall(PetscArraycpy(slice->phase_number, set->phase_number, set->n_phase));
  PetscCall(PetscMalloc1(n, &slice->scenario));
  PetscCall(PetscArraycpy(slice->scenario, set->scenario + first, n));
  for (PetscInt s = 0; s < n; s++)
    if (slice->scenario[s].in_set) slice->n_set++;
  PetscCall(IndexRows(slice));
  *out = slice;
  PetscFunctionReturn(0);
}

void ScenarioSetLookUpBy(ScenarioSet *slice, PetscInt model)
{
  for (PetscInt k = 0; k < slice->n_of_phase; k++) slice->of_phase[k].model = model;
}

PetscErrorCode ScenarioSetDestroy(ScenarioSet **set)
{
  PetscFunctionBegin;
  if (*set) {
    PetscCall(PetscFree3((*set)->view, (*set)->sums, (*set)->of_phase));
    PetscCall(PetscFree2((*set)->phase, (*set)->phase_number));
    PetscCall(PetscFree((*set)->range_of_beam));
    PetscCall(PetscFree((*set)->factor));
    PetscCall(PetscFree((*set)->scenario));
    PetscCall(PetscFree(*set));
  }
  PetscFunctionReturn(0);
}
