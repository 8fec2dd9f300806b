/* Outcomes of one plan: a mean over the structure's voxels, in their order, and what follows from it. */
#include "robion/outcome.h"

/* Of the structure's voxels that have any part of it. */
static double Highest(const Region *region, const float *dose)
{
  double highest = 0;
  for (PetscInt i = 0; i < region->n; i++) highest = PetscMax(highest, (double)dose[region->voxel[i]]);
  return highest;
}

static double Mean(const Outcome *outcome, const double *clonogens, double highest, const float *dose)
{
  const Region *region = &outcome->region;
  double sum = 0, volume = 0, slope;
  for (PetscInt i = 0; i < region->n; i++) {
    const OutcomePoint at = {highest, clonogens ? clonogens[i] : 0};
    const double part = (double)region->fraction[i];
    volume += part;
    sum +=
        part * (*outcome->model->kind->voxel)(outcome->spec->parameters, &at, (double)dose[region->voxel[i]], &slope);
  }
  return sum / volume;
}

void OutcomeEvaluate(const Outcome *outcome, const float *rbe_weighted, double *value)
{
  const OutcomeKind *kind = outcome->model->kind;
  const OutcomePoint at = {.highest_Gy_RBE = Highest(&outcome->region, rbe_weighted)};
  double mean = 0, slope;
  for (PetscInt v = 0; v < kind->n_value; v++) {
    const OutcomeValue *row = &kind->value[v];
    if (v == 0 || row->cells != row[-1].cells)
      mean = Mean(outcome, outcome->clonogens[row->cells], at.highest_Gy_RBE, rbe_weighted);
    value[v] = row->scale * (*row->of_mean)(outcome->spec->parameters, &at, mean, &slope);
  }
}

void OutcomeMap(const Outcome *outcome, const float *rbe_weighted, float *map)
{
  const OutcomeKind *kind = outcome->model->kind;
  const OutcomeParameters *p = outcome->spec->parameters;
  const Region *region = &outcome->region;
  const double *clonogens = outcome->clonogens[kind->value->cells];
  double slope;
  for (PetscInt i = 0; i < region->n; i++) {
    const double dose = (double)rbe_weighted[region->voxel[i]];
    const OutcomePoint at = {dose, clonogens ? clonogens[i] : 0};
    map[region->voxel[i]] = (float)(*kind->value->of_mean)(p, &at, (*kind->voxel)(p, &at, dose, &slope), &slope);
  }
}

double OutcomeWithoutDose(const Outcome *outcome)
{
  const OutcomeKind *kind = outcome->model->kind;
  const OutcomePoint none = {0, 0};
  double slope, mean = (*kind->voxel)(outcome->spec->parameters, &none, 0, &slope);
  return (*kind->value->of_mean)(outcome->spec->parameters, &none, mean, &slope);
}

PetscErrorCode OutcomeDestroy(Outcome *outcome)
{
  PetscFunctionBegin;
  for (int c = 0; c < N_CELL_CASES; c++) PetscCall(PetscFree(outcome->clonogens[c]));
  PetscCall(RegionDestroy(&outcome->region));
  PetscFunctionReturn(0);
}

PetscErrorCode OutcomeListDestroy(OutcomeList *list)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < list->n; i++) PetscCall(OutcomeDestroy(&list->item[i]));
  PetscCall(PetscFree(list->item));
  list->n = 0;
  PetscFunctionReturn(0);
}
