/* Where an optimisation begins: equal particles in all spots. */
#include "plan_private.h"
#include "robion/log.h"
#include <string.h>

/*
 * The term whose mean sets the scale of the start of a stage (or COURSE_MEAN: of stages without a term of their own): the first
 * one that wants dose on the stage's target, else on the prescription's, else anywhere; -1: none.
 */
static PetscInt ScalingTerm(const PlanInputs *in, PetscInt stage)
{
  const Settings *settings = in->settings;
  const char *own = stage >= 0 && in->course.n ? settings->course.stages[stage].target : settings->target;
  const char *const target[] = {own, settings->target, NULL};
  for (int pass = 0; pass < 3; pass++)
    for (PetscInt t = 0; t < in->n_term; t++) {
      const ObjectiveSpec *objective = &settings->objectives[in->objective[t]];
      if (in->term[t].stage != stage || !in->term[t].type->wants_dose || !(in->term[t].goal > 0)) continue;
      if (!QuantityAddsUp(in->term[t].quantity)) continue;
      if (!target[pass] || !strcmp(objective->structure, target[pass])) return t;
    }
  return -1;
}

/* Equal particles in some spots, scaled until the mean of a term meets its goal (term -1: the first one's, or the prescription). */
static PetscErrorCode ScaleWeights(Problem problem, const PlanInputs *in, PetscInt term, const PetscBool *chosen,
                                   double *weight)
{
  PetscFunctionBegin;
  const PetscInt t = PetscMax(term, 0);
  const double goal = in->term[t].goal > 0 ? in->term[t].goal : in->settings->prescription_Gy_RBE;
  double scale = 1e5, mean;
  for (int step = 0; step < 12; step++) {
    for (PetscInt j = 0; j < in->n_sought; j++)
      if (chosen[j]) weight[j] = scale;
    PetscCall(ProblemTermMean(problem, t, weight, &mean));
    if (!(mean > 0)) break;
    scale *= PetscMin(100, PetscMax(0.01, goal / mean));
  }
  for (PetscInt j = 0; j < in->n_sought; j++)
    if (chosen[j]) weight[j] = scale;
  PetscFunctionReturn(0);
}

/* Every stage with a term of its own is scaled by that, the others together by one of the course. */
static PetscErrorCode StartWeights(Problem problem, const PlanInputs *in, double *weight)
{
  PetscFunctionBegin;
  const PetscInt n_stage = PetscMax(in->course.n, 1);
  const PetscInt first = in->course.n ? in->course.stage[in->n_fixed].first_spot : 0;
  PetscBool *chosen, *left, any = PETSC_FALSE;
  PetscCall(PetscCalloc2(in->n_sought, &chosen, in->n_sought, &left));
  for (PetscInt j = 0; j < in->n_sought; j++) weight[j] = 0;
  for (PetscInt k = in->n_fixed; k < n_stage; k++) {
    const PetscInt term = ScalingTerm(in, k), begin = in->course.n ? in->course.stage[k].first_spot - first : 0,
                   end = in->course.n ? begin + in->course.stage[k].n_spot : in->n_sought;
    PetscBool *mark = term >= 0 ? chosen : left;
    for (PetscInt j = 0; j < in->n_sought; j++) chosen[j] = PETSC_FALSE;
    for (PetscInt j = begin; j < end; j++) mark[j] = PETSC_TRUE;
    if (term >= 0)
      PetscCall(ScaleWeights(problem, in, term, chosen, weight));
    else
      any = PETSC_TRUE;
  }
  if (any) PetscCall(ScaleWeights(problem, in, ScalingTerm(in, in->course.n ? COURSE_MEAN : 0), left, weight));
  PetscCall(PetscFree2(chosen, left));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanProblemStart(MPI_Comm comm, const PlanInputs *in, const ProblemSpec *spec, double *build_s,
                                Problem *problem, double **start)
{
  PetscFunctionBegin;
  const double begun = TimeSteady();
  PetscCall(ProblemCreate(comm, spec, problem));
  PetscCall(PetscMalloc1(in->n_sought, start));
  PetscCall(StartWeights(*problem, in, *start));
  *build_s += TimeSteady() - begun;
  PetscFunctionReturn(0);
}
