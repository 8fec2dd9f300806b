#include "robion/scenario.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

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

/* The setup shifts of a spec in their fixed order: zero, axes (x-, x+, y-, ...), corners (x slowest). */
static PetscInt ExpandShifts(const ScenarioSpec *spec, double (*shift_mm)[3])
{
  PetscInt n = 0;
  if (spec->setup == SETUP_LIST) {
    for (PetscInt i = 0; i < spec->n_shift; i++) memcpy(shift_mm[n++], spec->shift_mm[i], 3 * sizeof(double));
    return n;
  }
  if (spec->setup == SETUP_NONE || spec->setup == SETUP_AXES) memset(shift_mm[n++], 0, 3 * sizeof(double));
  if (spec->setup == SETUP_AXES || spec->setup == SETUP_AXES_CORNERS)
    for (int axis = 0; axis < 3; axis++)
      for (int sign = -1; sign <= 1; sign += 2) {
        memset(shift_mm[n], 0, 3 * sizeof(double));
        shift_mm[n++][axis] = sign * spec->setup_mm[axis];
      }
  if (spec->setup == SETUP_CORNERS || spec->setup == SETUP_AXES_CORNERS)
    for (int corner = 0; corner < 8; corner++, n++)
      for (int axis = 0; axis < 3; axis++)
        shift_mm[n][axis] = ((corner >> (2 - axis)) & 1 ? 1 : -1) * spec->setup_mm[axis];
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

PetscErrorCode ScenarioSetCreate(const ScenarioSpec *spec, ScenarioSet **out)
{
  PetscFunctionBegin;
  PetscInt capacity = spec->setup == SETUP_LIST ? spec->n_shift : 14;
  double(*shift_mm)[3];
  ScenarioSet *set;
  PetscCall(PetscNew(&set));
  PetscCall(PetscMalloc1(capacity, &shift_mm));
  PetscInt n_shift = DropRepeated(ExpandShifts(spec, shift_mm), shift_mm);
  set->n_set = n_shift * spec->n_range;
  PetscCheck(set->n_set > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "scenario set is empty: %d shifts, %d ranges",
             (int)n_shift, (int)spec->n_range);
  PetscCall(PetscCalloc1(set->n_set + 1, &set->scenario));
  MakeId(&set->scenario[0]); /* the nominal row; it joins the set below if the set holds it */
  set->n = 1;
  for (PetscInt r = 0; r < spec->n_range; r++)
    for (PetscInt k = 0; k < n_shift; k++) {
      PetscBool nominal = IsNominal(spec->range_percent[r], shift_mm[k]);
      Scenario *s = &set->scenario[nominal ? 0 : set->n++];
      s->in_set = PETSC_TRUE;
      s->weight = 1.0 / (double)set->n_set;
      s->range_percent = spec->range_percent[r] == 0 ? 0 : spec->range_percent[r];
      for (int axis = 0; axis < 3; axis++) s->shift_mm[axis] = shift_mm[k][axis] == 0 ? 0 : shift_mm[k][axis];
      MakeId(s);
    }
  PetscCall(PetscFree(shift_mm));
  PetscCall(IndexSetups(set));
  *out = set;
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
