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
  to->splitting = added->splitting;
  PetscCall(PetscFree(added->beam));
  PetscCall(PetscFree(*from));
  PetscFunctionReturn(0);
}

/* How many beams from b on have the same target: of a list of its own, or all that the case suggests. */
static PetscInt SameTarget(const BeamSetSpec *beams, PetscInt b, const char *usual, const char **target)
{
  PetscInt n = 0;
  *target = usual;
  if (beams->from_case) return beams->n;
  for (; b + n < beams->n; n++) {
    const char *own = beams->beam[b + n].target ? beams->beam[b + n].target : usual;
    if (n && strcmp(own, *target)) break;
    *target = own;
  }
  return n;
}

/* Beams of one target behind those that are there, laid out to it or with given spots. */
static PetscErrorCode AddBeams(MPI_Comm team, const BeamSetSpec *beams, const char *target, const SpotList *spots,
                               PetscInt *spot_of, Mistakes *mistakes, PlanInputs *in)
{
  PetscFunctionBegin;
  BeamSet *own = NULL;
  Region region;
  PetscCall(StructureToGrid(in->patient, CaseFindStructure(in->patient, target), &in->grid, &region));
  if (!region.n)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: beams: structure %s of case %s has no volume", beams->where,
                          target, in->patient->name));
  else if (spots)
    PetscCall(GivenBeams(beams, in, &region, spots, in->beams->n_beam, mistakes, &own, spot_of));
  else
    PetscCall(BeamSetCreate(team, beams, in->patient, in->machine, &in->grid, &region, in->optimize,
                            &in->settings->optimize, mistakes, &own));
  PetscCall(RegionDestroy(&region));
  if (own) PetscCall(AppendBeams(&own, in->beams));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanAddBeams(MPI_Comm team, const BeamSetSpec *beams, const char *usual, const SpotList *spots,
                            PetscInt *spot_of, Mistakes *mistakes, PlanInputs *in)
{
  PetscFunctionBegin;
  const PetscInt before = mistakes->n;
  PetscInt b = 0, n;
  do {
    BeamSetSpec part = *beams;
    const char *target;
    n = SameTarget(beams, b, usual, &target);
    if (!beams->from_case) {
      part.beam = beams->beam + b;
      part.n = n;
    }
    part.first = in->beams->n_beam;
    PetscCall(AddBeams(team, &part, target, spots, spot_of, mistakes, in));
    b += n;
  } while (b < beams->n && n && mistakes->n == before);
  PetscFunctionReturn(0);
}

/* The beams of a stage: the plan's, or its own. */
static PetscErrorCode StageBeams(MPI_Comm team, const StageSpec *stage, const SpotList *spots, PetscInt *spot_of,
                                 Mistakes *mistakes, PlanInputs *in)
{
  PetscFunctionBegin;
  BeamSetSpec own = in->settings->beams;
  if (stage->n_beams) {
    own.from_case = PETSC_FALSE;
    own.n = stage->n_beams;
    own.beam = stage->beams;
    own.where = stage->where;
  }
  PetscCall(PlanAddBeams(team, &own, stage->target, spots, spot_of, mistakes, in));
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
    PetscCall(StageBeams(team, &spec->stages[k], spots, spots ? *spot_of : NULL, mistakes, in));
    first[k + 1] = in->beams->n_beam;
  }
  if (spots && !MistakesAny(mistakes))
    PetscCall(SpotListCheckBeams(spots, in->beams->n_beam,
                                 "the beams of the study's stages; a plan of one of them: --stage NAME", mistakes));
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
