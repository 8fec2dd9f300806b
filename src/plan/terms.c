/* Objectives of a study as terms on the voxels of one plan. */
#include "plan_private.h"
#include "robion/map.h"
#include <math.h>

/* The voxels of a region and their parts of its volume. */
static PetscErrorCode TakeVoxels(const Region *region, Term *term)
{
  PetscFunctionBegin;
  double volume = 0;
  term->n = region->n;
  PetscCall(PetscMalloc1(region->n, &term->voxel));
  PetscCall(PetscMalloc1(region->n, &term->share));
  for (PetscInt i = 0; i < region->n; i++) volume += region->fraction[i];
  for (PetscInt i = 0; i < region->n; i++) {
    term->voxel[i] = region->voxel[i];
    term->share[i] = region->fraction[i] / volume;
  }
  PetscFunctionReturn(0);
}

/* The map that an objective takes its goals from, or -1 after a mistake. */
static PetscErrorCode FindGoalMap(const Case *patient, const ObjectiveSpec *objective, Mistakes *mistakes,
                                  PetscInt *map)
{
  PetscFunctionBegin;
  const char **names,
      *wanted = strcmp(objective->type, "tcp") ? quantities[objective->quantity].unit : MAP_CLONOGENS_UNIT;
  *map = CaseFindMap(patient, objective->map);
  if (*map < 0) {
    PetscCall(PetscMalloc1(patient->n_maps, &names));
    for (PetscInt m = 0; m < patient->n_maps; m++) names[m] = patient->maps[m].name;
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: objectives: case %s has no map %s%s", objective->where,
                          patient->name, objective->map,
                          SuggestName(", ", objective->map, patient->n_maps, names).text));
    PetscCall(PetscFree(names));
  } else if (strcmp(patient->maps[*map].unit, wanted)) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: objectives: map %s of case %s is in %s, expected %s",
                          objective->where, objective->map, patient->name, patient->maps[*map].unit, wanted));
    *map = -1;
  }
  PetscFunctionReturn(0);
}

/* Goals from a map; the term's own is their mean, which scales the start. */
static PetscErrorCode GoalsFromMap(const PlanInputs *in, const ObjectiveSpec *objective, Mistakes *mistakes, Term *term)
{
  PetscFunctionBegin;
  PetscInt map;
  double *value, least = INFINITY;
  PetscCall(FindGoalMap(in->patient, objective, mistakes, &map));
  if (map < 0) PetscFunctionReturn(0);
  PetscCall(CaseMapToGrid(in->patient, map, &in->grid, &value));
  PetscCall(PetscMalloc1(term->n, &term->goal_of_voxel));
  term->goal = 0;
  for (PetscInt i = 0; i < term->n; i++) {
    least = PetscMin(least, value[term->voxel[i]]);
    term->goal_of_voxel[i] = objective->map_scale * value[term->voxel[i]];
    term->goal += term->share[i] * term->goal_of_voxel[i];
  }
  if (least <= 0)
    PetscCall(MistakesAdd(
        mistakes, ROBION_INPUT,
        "%s: objectives: map %s of case %s has %g %s in structure %s, expected values above 0 in all of it",
        objective->where, objective->map, in->patient->name, least, in->patient->maps[map].unit, objective->structure));
  PetscCall(PetscFree(value));
  PetscFunctionReturn(0);
}

/* Clonogens per 27 mm3 of a TCP's voxels, counted over the volume that has any, in the place of goals; voxels may have none. */
static PetscErrorCode Clonogens(const PlanInputs *in, const ObjectiveSpec *objective, Mistakes *mistakes, Term *term)
{
  PetscFunctionBegin;
  const double per_reference = TCP_REFERENCE_MM3 * objective->map_scale;
  PetscInt map;
  double *count, sum = 0;
  PetscCall(FindGoalMap(in->patient, objective, mistakes, &map));
  if (map < 0) PetscFunctionReturn(0);
  PetscCall(CaseClonogens(in->patient, map, objective->cells, &in->grid, &count));
  PetscCall(PetscMalloc1(term->n, &term->goal_of_voxel));
  for (PetscInt i = 0; i < term->n; i++) {
    term->goal_of_voxel[i] = per_reference * count[term->voxel[i]];
    sum += term->goal_of_voxel[i];
  }
  if (!(sum > 0))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: objectives: map %s of case %s has no clonogens in structure %s, expected some",
                          objective->where, objective->map, in->patient->name, objective->structure));
  PetscCall(PetscFree(count));
  PetscFunctionReturn(0);
}

/* Goals that fall linearly from the objective's own, at the surface of another structure, to a share of it. */
static PetscErrorCode GoalsByDistance(const PlanInputs *in, const ObjectiveSpec *objective, Term *term)
{
  PetscFunctionBegin;
  const PetscInt from = CaseFindStructure(in->patient, objective->from);
  const ObjectiveParameters *p = &objective->parameters;
  const double half_step_mm = 0.5 * in->grid.spacing_mm[0];
  unsigned char *mask;
  float *distance_mm;
  Region source;
  PetscCall(StructureToGrid(in->patient, from, &in->grid, &source));
  PetscCall(PetscCalloc1(GridSize(&in->grid), &mask));
  PetscCall(PetscMalloc1(GridSize(&in->grid), &distance_mm));
  (void)RegionMark(&source, 1, mask);
  PetscCall(DistanceToMask(&in->grid, mask, distance_mm));
  PetscCall(PetscMalloc1(term->n, &term->goal_of_voxel));
  for (PetscInt i = 0; i < term->n; i++) {
    const double away_mm = PetscMax(0, (double)distance_mm[term->voxel[i]] - half_step_mm);
    const double fallen = PetscMin(1, away_mm / p->distance_mm);
    term->goal_of_voxel[i] = objective->goal * (1 - (1 - p->low) * fallen);
  }
  PetscCall(PetscFree(mask));
  PetscCall(PetscFree(distance_mm));
  PetscCall(RegionDestroy(&source));
  PetscFunctionReturn(0);
}

/* Worst cases on effect: goals of RBE-weighted dose as effects of the structure's tissue. */
static void GoalsToEffect(const BiologySpec *biology, Term *term)
{
  term->quantity = QUANTITY_EFFECT;
  term->goal = PhotonEffect(biology, term->goal);
  for (PetscInt i = 0; i < term->n && term->goal_of_voxel; i++)
    term->goal_of_voxel[i] = PhotonEffect(biology, term->goal_of_voxel[i]);
}

/* One objective as a term whose voxels are still grid indices. */
static PetscErrorCode MakeTerm(const PlanInputs *in, const ObjectiveSpec *objective, const Region *region,
                               Mistakes *mistakes, Term *term)
{
  PetscFunctionBegin;
  const Settings *settings = in->settings;
  const PetscBool effect = objective->mode == ROBUST_VOXELWISE && settings->robust.on_effect && !objective->hard;
  term->type = ObjectiveTypeFind(objective->type);
  PetscCheck(term->type, PETSC_COMM_SELF, PETSC_ERR_ARG_UNKNOWN_TYPE, "objective type %s passed the schema",
             objective->type);
  term->quantity = objective->quantity;
  term->goal = objective->goal;
  term->parameters = objective->parameters;
  term->weight = objective->weight;
  term->mode = objective->mode;
  term->worst_fraction = objective->worst_fraction;
  term->stage = objective->stage;
  term->hard = objective->hard;
  term->bound = objective->goal;
  PetscCall(TakeVoxels(region, term));
  if (term->type->keys & KEY_TCP)
    PetscCall(Clonogens(in, objective, mistakes, term));
  else if (objective->map)
    PetscCall(GoalsFromMap(in, objective, mistakes, term));
  if (objective->from) PetscCall(GoalsByDistance(in, objective, term));
  if (term->hard) PetscCall(ConstraintPrepare(term));
  if (effect && term->quantity == QUANTITY_RBE_WEIGHTED && term->type->keys & KEY_GOAL)
    GoalsToEffect(TissueOfStructure(settings, objective->structure), term);
  PetscFunctionReturn(0);
}

/* Positions ascend as regions are in the order of the list. */
PetscErrorCode TermsIndex(PlanInputs *in)
{
  PetscFunctionBegin;
  unsigned char *mark;
  PetscInt *position;
  PetscCall(PetscCalloc1(GridSize(&in->grid), &mark));
  for (PetscInt t = 0; t < in->n_term; t++)
    for (PetscInt i = 0; i < in->term[t].n; i++) mark[in->term[t].voxel[i]] = 1;
  PetscCall(PlanCollectMarked(&in->grid, mark, &in->n_voxel, &in->voxel));
  PetscCall(PetscMalloc1(GridSize(&in->grid), &position));
  for (PetscInt v = 0; v < in->n_voxel; v++) position[in->voxel[v]] = v;
  for (PetscInt t = 0; t < in->n_term; t++)
    for (PetscInt i = 0; i < in->term[t].n; i++) in->term[t].voxel[i] = position[in->term[t].voxel[i]];
  PetscCall(PetscFree(position));
  PetscCall(PetscFree(mark));
  PetscFunctionReturn(0);
}

PetscErrorCode TermsCreate(Mistakes *mistakes, PlanInputs *in)
{
  PetscFunctionBegin;
  const Settings *settings = in->settings;
  PetscCall(PetscCalloc1(settings->n_objectives, &in->term));
  PetscCall(PetscMalloc1(settings->n_objectives, &in->objective));
  for (PetscInt o = 0; o < settings->n_objectives; o++) in->objective[o] = o;
  for (PetscInt o = 0; o < settings->n_objectives; o++) {
    const ObjectiveSpec *objective = &settings->objectives[o];
    PetscInt index = CaseFindStructure(in->patient, objective->structure);
    Region region = {0};
    PetscCall(StructureToGridWithPriority(in->patient, index, settings->n_priority,
                                          (const char *const *)settings->priority, &in->grid, &region));
    PetscCall(GridOrderCompact(&in->grid, region.n, region.voxel, region.fraction));
    if (region.n)
      PetscCall(MakeTerm(in, objective, &region, mistakes, &in->term[in->n_term++]));
    else
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: structure %s of case %s has no volume on the dose grid%s",
                            objective->where, objective->hard ? "constraints" : "objectives", objective->structure,
                            in->patient->name, settings->n_priority ? " after overlap_priority" : ""));
    PetscCall(RegionDestroy(&region));
  }
  if (!MistakesAny(mistakes)) PetscCall(TermsIndex(in));
  PetscFunctionReturn(0);
}
