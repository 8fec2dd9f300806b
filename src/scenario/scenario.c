/* Expanding what a study says of its uncertainties into scenarios. */
#include "robion/scenario.h"
#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const setup_pattern_names[] = {"none", "axes",  "corners", "axes+corners",
                                           "list", "cross", "grid",    "random"};
const PetscInt n_setup_pattern_names = PETSC_STATIC_ARRAY_LENGTH(setup_pattern_names);

/* Append "_x+2" style parts of a shift to an id of at least 64 characters. */
static void AppendShift(char *id, const double shift_mm[3])
{
  for (int axis = 0; axis < 3; axis++) {
    if (shift_mm[axis] == 0) continue;
    size_t used = strlen(id);
    snprintf(id + used, 64 - used, "%s%c%+.4g", used ? "_" : "", "xyz"[axis], shift_mm[axis]);
  }
}

static void MakeId(Scenario *s)
{
  s->id[0] = 0;
  if (s->range_percent != 0) snprintf(s->id, sizeof s->id, "r%+.4g", s->range_percent);
  AppendShift(s->id, s->shift_mm);
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

static PetscBool IsNominal(double range_percent, const double shift_mm[3])
{
  return range_percent == 0 && shift_mm[0] == 0 && shift_mm[1] == 0 && shift_mm[2] == 0 ? PETSC_TRUE : PETSC_FALSE;
}

/* Index every distinct shift once, so that range scenarios share their ray tracing. */
static PetscErrorCode IndexSetups(ScenarioSet *set)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc2(set->n, &set->setup_of, set->n, &set->setup_mm));
  for (PetscInt s = 0; s < set->n; s++) {
    PetscInt k = 0;
    while (k < set->n_setup && memcmp(set->setup_mm[k], set->scenario[s].shift_mm, sizeof set->setup_mm[k])) k++;
    if (k == set->n_setup) memcpy(set->setup_mm[set->n_setup++], set->scenario[s].shift_mm, sizeof set->setup_mm[k]);
    set->setup_of[s] = k;
  }
  PetscFunctionReturn(0);
}

/* One more scenario; the nominal one is row 0, which joins the set. */
static Scenario *Append(ScenarioSet *set, double range_percent, const double shift_mm[3])
{
  Scenario *s = &set->scenario[IsNominal(range_percent, shift_mm) ? 0 : set->n++];
  s->in_set = PETSC_TRUE;
  s->range_percent = range_percent == 0 ? 0 : range_percent;
  for (int axis = 0; axis < 3; axis++) s->shift_mm[axis] = shift_mm[axis] == 0 ? 0 : shift_mm[axis];
  MakeId(s);
  set->n_set++;
  return s;
}

/* All combinations of range errors and shifts; of a cross only those in which one of the two is nothing. */
static PetscErrorCode Combine(const ScenarioSpec *spec, ScenarioSet *set)
{
  PetscFunctionBegin;
  static const double zero[3];
  PetscInt capacity = spec->setup == SETUP_LIST ? spec->n_shift : 27;
  double(*shift_mm)[3];
  PetscCall(PetscMalloc1(capacity, &shift_mm));
  const PetscInt n_shift = DropRepeated(ExpandShifts(spec, shift_mm), shift_mm);
  PetscCall(PetscCalloc1((spec->n_range + 1) * n_shift + 1, &set->scenario));
  if (spec->setup == SETUP_CROSS) {
    for (PetscInt r = 0; r < spec->n_range; r++)
      if (spec->range_percent[r] != 0) Append(set, spec->range_percent[r], zero);
    for (PetscInt k = 0; k < n_shift; k++) Append(set, 0, shift_mm[k]);
  } else
    for (PetscInt r = 0; r < spec->n_range; r++)
      for (PetscInt k = 0; k < n_shift; k++) Append(set, spec->range_percent[r], shift_mm[k]);
  PetscCall(PetscFree(shift_mm));
  PetscFunctionReturn(0);
}

/* Drawn scenarios: range errors about the spec's in turn, shifts about none. */
static PetscErrorCode Draw(const ScenarioSpec *spec, ScenarioSet *set)
{
  PetscFunctionBegin;
  gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
  PetscCall(PetscCalloc1(spec->n_random + 1, &set->scenario));
  for (PetscInt i = 0; i < spec->n_random; i++) {
    double shift_mm[3], range_percent = spec->range_percent[i % spec->n_range];
    gsl_rng_set(random, (unsigned long)spec->seed * 1000003UL + (unsigned long)i + 1);
    for (int axis = 0; axis < 3; axis++) shift_mm[axis] = gsl_ran_gaussian_ziggurat(random, spec->setup_mm[axis]);
    range_percent += gsl_ran_gaussian_ziggurat(random, spec->range_sigma_percent);
    Scenario *s = Append(set, PetscMax(range_percent, -99), shift_mm);
    if (s != &set->scenario[0]) snprintf(s->id, sizeof s->id, "random-%d", (int)i + 1);
  }
  gsl_rng_free(random);
  PetscFunctionReturn(0);
}

PetscErrorCode ScenarioSetCreate(const ScenarioSpec *spec, ScenarioSet **out)
{
  PetscFunctionBegin;
  ScenarioSet *set;
  PetscCall(PetscNew(&set));
  set->n = 1; /* the nominal row; it joins the set if the set holds it */
  PetscCall(spec->setup == SETUP_RANDOM ? Draw(spec, set) : Combine(spec, set));
  PetscCheck(set->n_set > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "scenario set is empty: %d ranges",
             (int)spec->n_range);
  MakeId(&set->scenario[0]);
  for (PetscInt s = 0; s < set->n; s++)
    if (set->scenario[s].in_set) set->scenario[s].weight = 1.0 / (double)set->n_set;
  PetscCall(IndexSetups(set));
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
  PetscCall(PetscMalloc1(n, &slice->scenario));
  PetscCall(PetscArraycpy(slice->scenario, set->scenario + first, n));
  for (PetscInt s = 0; s < n; s++)
    if (slice->scenario[s].in_set) slice->n_set++;
  PetscCall(IndexSetups(slice));
  *out = slice;
  PetscFunctionReturn(0);
}

PetscErrorCode ScenarioSetDestroy(ScenarioSet **set)
{
  PetscFunctionBegin;
  if (*set) {
    PetscCall(PetscFree2((*set)->setup_of, (*set)->setup_mm));
    PetscCall(PetscFree((*set)->scenario));
    PetscCall(PetscFree(*set));
  }
  PetscFunctionReturn(0);
}
