/* The stages of a plan: their beams and models, and one stage at a time of those planned one after the other. */
#include "plan_private.h"
#include "robion/log.h"

/* Given spots of a stage, whose beams are those from `first` on in the list: spot_of[i] is as counted from the stage's first spot. */
static PetscErrorCode GivenBeams(const BeamSetSpec *own, const PlanInputs *in, const Region *target,
                                 const SpotList *spots, PetscInt first, Mistakes *mistakes, BeamSet **beams,
                                 PetscInt *spot_of)
{
  PetscFunctionBegin;
  const PetscInt n_beam = own->from_case ? in->patient->n_beam_angles : own->n;
  SpotList part;
  PetscInt *entry, *place;
  PetscCall(SpotListOfBeams(spots, first, n_beam, &part, &entry));
  PetscCall(BeamSetFromSpots(own, in->patient, in->machine, &in->grid, target, &part, mistakes, beams, &place));
  if (*beams) {
    for (PetscInt i = 0; i < part.n; i++) spot_of[entry[i]] = in->beams->n_spot + place[i];
    PetscCall(PetscFree(place));
  }
  PetscCall(PetscFree(entry));
  PetscCall(SpotListDestroy(&part));
  PetscFunctionReturn(0);
}

/* The beams of a stage, laid out to its own target or with the given spots. */
static PetscErrorCode StageBeams(MPI_Comm team, const StageSpec *stage, const PlanInputs *in, const SpotList *spots,
                                 PetscInt first, Mistakes *mistakes, BeamSet **beams, PetscInt *spot_of)
{
  PetscFunctionBegin;
  BeamSetSpec own = in->settings->beams;
  Region target;
  if (stage->n_beams) {
    own.from_case = PETSC_FALSE;
    own.n = stage->n_beams;
    own.beam = stage->beams;
    own.where = stage->where;
  }
  *beams = NULL;
  PetscCall(StructureToGrid(in->patient, CaseFindStructure(in->patient, stage->target), &in->grid, &target));
  if (!target.n)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: stages: structure %s of case %s has no volume", stage->where,
                          stage->target, in->patient->name));
  else if (spots)
    PetscCall(GivenBeams(&own, in, &target, spots, first, mistakes, beams, spot_of));
  else
    PetscCall(BeamSetCreate(team, &own, in->patient, in->machine, &in->grid, &target, in->optimize,
                            &in->settings->optimize, mistakes, beams));
  PetscCall(RegionDestroy(&target));
  PetscFunctionReturn(0);
}

/* Move the beams of a set to the end of another, their spots behind those that are there. */
static PetscErrorCode AppendBeams(BeamSet **from, BeamSet *to)
{
  PetscFunctionBegin;
  BeamSet *added = *from;
  PetscCall(PetscRealloc((size_t)(to->n_beam + added->n_beam) * sizeof *to->beam, &to->beam));
  for (PetscInt b = 0; b < added->n_beam; b++) {
    Beam *beam = &added->beam[b];
    beam->first_spot += to->n_spot;
    for (PetscInt r = 0; r < beam->n_run; r++) beam->run[r].first_spot += to->n_spot;
    to->beam[to->n_beam + b] = *beam;
  }
  to->n_beam += added->n_beam;
  to->n_spot += added->n_spot;
  to->position = added->position;
  PetscCall(PetscFree(added->beam));
  PetscCall(PetscFree(*from));
  PetscFunctionReturn(0);
}

PetscErrorCode CourseCreate(MPI_Comm team, const SpotList *spots, PetscInt **spot_of, Mistakes *mistakes,
                            PlanInputs *in)
{
  PetscFunctionBegin;
  const CourseSpec *spec = &in->settings->course;
  PetscInt first[STAGES_MOST + 1] = {0};
  PetscCall(PetscNew(&in->beams));
  if (spots) PetscCall(PetscCalloc1(spots->n, spot_of));
  for (PetscInt k = 0; k < spec->n_stages && !MistakesAny(mistakes); k++) {
    BeamSet *own;
    PetscCall(StageBeams(team, &spec->stages[k], in, spots, first[k], mistakes, &own, spots ? *spot_of : NULL));
    if (own) PetscCall(AppendBeams(&own, in->beams));
    first[k + 1] = in->beams->n_beam;
  }
  if (spots && !MistakesAny(mistakes))
    PetscCall(SpotListCheckBeams(spots, in->beams->n_beam, "the beams of the study's stages", mistakes));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  in->course = (Course){.accumulation = spec->accumulation, .alpha_beta_Gy = spec->alpha_beta_Gy};
  for (PetscInt k = 0; k < spec->n_stages; k++) {
    const StageSpec *stage = &spec->stages[k];
    CourseStage *made = CourseAddStage(&in->course, stage->name, (double)stage->fractions, in->beams, first[k],
                                       first[k + 1] - first[k]);
    PetscCall(DoseModelCreate(in->patient, in->machine, &in->tissues, &made->beams, in->settings->dropped_dose_fraction,
                              &made->model));
    LogLine(LOG_INFO, "beams", in->patient->name, "stage %s: beams %d to %d, %d spots, %d fractions to %s", stage->name,
            (int)first[k], (int)first[k + 1] - 1, (int)made->n_spot, (int)stage->fractions, stage->target);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CourseDestroy(Course *course)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < course->n; k++) PetscCall(DoseModelDestroy(&course->stage[k].model));
  course->n = 0;
  PetscFunctionReturn(0);
}

/* A term of the plan with voxels of its own, as grid indices again. */
static PetscErrorCode CopyTerm(const PlanInputs *in, PetscInt t, PlanInputs *part)
{
  PetscFunctionBegin;
  Term *term = &part->term[part->n_term];
  *term = in->term[t];
  PetscCall(PetscMalloc1(term->n, &term->voxel));
  for (PetscInt i = 0; i < term->n; i++) term->voxel[i] = in->voxel[in->term[t].voxel[i]];
  part->objective[part->n_term++] = in->objective[t];
  PetscFunctionReturn(0);
}

PetscErrorCode CoursePartCreate(const PlanInputs *in, PetscInt stage, const double *weight, PlanInputs *part)
{
  PetscFunctionBegin;
  const PetscBool last = stage == in->course.n - 1 ? PETSC_TRUE : PETSC_FALSE;
  *part = *in;
  part->course = CourseUpTo(&in->course, stage + 1);
  part->n_fixed = stage;
  part->fixed = weight;
  part->n_sought = in->course.stage[stage].n_spot;
  part->n_term = 0;
  PetscCall(PetscMalloc2(in->n_term, &part->term, in->n_term, &part->objective));
  for (PetscInt t = 0; t < in->n_term; t++)
    if (in->term[t].stage == stage || (last && in->term[t].stage == COURSE_MEAN)) PetscCall(CopyTerm(in, t, part));
  PetscCall(TermsIndex(part));
  PetscFunctionReturn(0);
}

PetscErrorCode CoursePartDestroy(PlanInputs *part)
{
  PetscFunctionBegin;
  for (PetscInt t = 0; t < part->n_term; t++) PetscCall(PetscFree(part->term[t].voxel));
  PetscCall(PetscFree2(part->term, part->objective));
  PetscCall(PetscFree(part->voxel));
  PetscFunctionReturn(0);
}
