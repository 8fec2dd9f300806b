/* What one plan is computed from: case, machine, biology, structures on the dose grid, scenarios, beams, terms. */
#include "plan_private.h"
#include "robion/log.h"
#include "robion/phantom.h"
#include <limits.h>
#include <math.h>
#include <string.h>

/*
 * A phantom has its stopping powers; another table than the default one, by which its HU were made, gives it others. A case may have
 * the table of its scanner, which counts where the study has the default one.
 */
static PetscErrorCode SetRSP(const Settings *settings, Case *patient, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const PetscInt external = CaseFindExternal(patient);
  if (external >= 0 && !memchr(patient->structures[external].mask, 1, GridSize(&patient->ct)))
    PetscCall(
        MistakesAdd(mistakes, ROBION_INPUT,
                    "%s: case %s: structure %s has the role external, but no voxel: expected the patient's outline",
                    settings->patient.where, settings->patient.name, patient->structures[external].name));
  PetscCall(CaseDeriveExternal(patient));
  const PetscBool own = patient->hlut.n && HLUTIsDefault(&settings->hlut) ? PETSC_TRUE : PETSC_FALSE;
  if (own)
    LogLineOnce(LOG_INFO, "case", patient->name, "stopping powers by the case's own table of %d rows (/ct/hlut)",
                (int)patient->hlut.n);
  if (settings->patient.file || !HLUTIsDefault(&settings->hlut))
    PetscCall(CaseSetRSP(patient, own ? &patient->hlut : &settings->hlut));
  PetscCall(CaseScaleRSP(patient, settings->hlut_scale_percent));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanReadCase(const Settings *settings, Mistakes *mistakes, Case **patient)
{
  PetscFunctionBegin;
  const CaseSpec *spec = &settings->patient;
  if (spec->file)
    PetscCall(CaseLoad(spec->file, mistakes, patient));
  else
    PetscCall(CaseBuildPhantom(&spec->phantom, spec->name, mistakes, patient));
  if (!*patient) PetscFunctionReturn(0);
  PetscCall(SetRSP(settings, *patient, mistakes));
  PetscCall(PetscFree((*patient)->name));
  PetscCall(PetscStrallocpy(spec->name, &(*patient)->name));
  for (PetscInt i = 0; i < settings->n_derived; i++)
    PetscCall(StructureDerive(*patient, settings->derived[i].name, settings->derived[i].expression,
                              settings->derived[i].where, mistakes));
  PetscCall(PlanCheckNames(settings, *patient, mistakes));
  PetscCall(PlanCheckGroups(settings, *patient, mistakes));
  if (MistakesAny(mistakes)) PetscCall(CaseDestroy(patient));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanLoadCase(MPI_Comm comm, const Settings *settings, Mistakes *mistakes, Case **patient)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  *patient = NULL;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) PetscCall(PlanReadCase(settings, mistakes, patient));
  PetscCall(MistakesShare(comm, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(CaseBroadcast(comm, 0, patient));
  PetscFunctionReturn(0);
}

/*
 * Built-in base data; for a plan of another system at exactly its energies, unless it says all of its beams (DICOM) and the study's
 * base data have them: then it may be robion's own that has come back.
 */
static PetscErrorCode BuildMachine(MPI_Comm comm, const Settings *settings, const SpotList *spots, Mistakes *mistakes,
                                   Machine **machine)
{
  PetscFunctionBegin;
  enum { MOST_ENERGIES = 1000 }; /* each takes about a second */
  MachineSpec spec = settings->machine;
  const char *where = settings->base_data_where;
  double *energy = NULL;
  if (spots && spots->any_energy) {
    PetscBool own = PETSC_FALSE;
    PetscInt n;
    PetscCall(SpotListEnergies(spots, &n, &energy));
    if (spots->n_places) PetscCall(MachineSpecHasEnergies(&settings->machine, n, energy, &own));
    if (own)
      PetscCall(PetscFree(energy));
    else {
      spec.n_energy = n;
      spec.energy_MeV_u = energy;
      if (spots->file) where = spots->file;
    }
  }
  if (spec.n_energy > MOST_ENERGIES)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %d different energies, expected at most %d", where,
                          (int)spec.n_energy, (int)MOST_ENERGIES));
  else
    PetscCall(MachineSpecCheck(&spec, where, mistakes));
  PetscCall(MistakesShare(comm, mistakes));
  if (energy) { /* what the study says of energies does not count, not even for the cache */
    spec.energy_min_MeV_u = energy[0];
    spec.energy_max_MeV_u = energy[spec.n_energy - 1];
  }
  if (!MistakesAny(mistakes)) PetscCall(MachineBuiltin(comm, &spec, machine));
  PetscCall(PetscFree(energy));
  PetscFunctionReturn(0);
}

/* A plan that says its ion must be for the study's. */
static PetscErrorCode CheckIon(const Settings *settings, const SpotList *spots, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char ion[16];
  if (!spots || !spots->ion.Z) PetscFunctionReturn(0);
  SpeciesName(spots->ion, ion);
  if (strcmp(ion, settings->machine.ion))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: a plan of %s, expected %s (machine.ion of the study)",
                          spots->file ? spots->file : "spots", ion, settings->machine.ion));
  PetscFunctionReturn(0);
}

static PetscErrorCode LoadMachine(MPI_Comm comm, const Settings *settings, const SpotList *spots, Mistakes *mistakes,
                                  Machine **machine)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  char ion[16];
  *machine = NULL;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(CheckIon(settings, spots, mistakes));
  PetscCall(MistakesShare(comm, mistakes));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  if (!settings->base_data) {
    PetscCall(BuildMachine(comm, settings, spots, mistakes, machine));
    PetscFunctionReturn(0);
  }
  if (rank == 0) {
    PetscCall(MachineRead(settings->base_data, mistakes, machine));
    if (*machine) {
      SpeciesName((Species){(*machine)->Z, (*machine)->A}, ion);
      PetscCall(MachineCheck(*machine, settings->base_data, mistakes));
      if (strcmp(ion, settings->machine.ion))
        PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: machine.base_data: %s holds %s, expected %s (machine.ion)",
                              settings->base_data_where, settings->base_data, ion, settings->machine.ion));
    }
  }
  PetscCall(MistakesShare(comm, mistakes));
  if (!MistakesAny(mistakes))
    PetscCall(MachineBroadcast(comm, 0, machine));
  else
    PetscCall(MachineDestroy(machine));
  PetscFunctionReturn(0);
}

/* The machine of a plan, reusing that of the plan before when it is the same; one made for a list of spots is not kept. */
static PetscErrorCode UseMachine(PlanContext *context, const Settings *settings, const SpotList *spots,
                                 Mistakes *mistakes, const Machine **machine)
{
  PetscFunctionBegin;
  char hash[17], key[PETSC_MAX_PATH_LEN + 32];
  PetscCall(MachineSpecHash(&settings->machine, hash));
  snprintf(key, sizeof key, "%s %s %d", settings->base_data ? settings->base_data : "builtin", hash,
           (int)settings->lateral_model);
  if (spots || !context->machine || strcmp(context->machine_key, key)) {
    PetscCall(MachineDestroy(&context->machine));
    PetscCall(PetscFree(context->machine_key));
    PetscCall(LoadMachine(context->comm, settings, spots, mistakes, &context->machine));
    if (context->machine && spots) PetscCall(MachineSetSpotSizes(context->machine, spots, mistakes));
    if (context->machine && settings->lateral_model == LATERAL_MODEL_SINGLE)
      PetscCall(MachineMergeComponents(context->machine));
    if (context->machine && context->rank) PetscCall(MachineDropSpectra(context->machine)); /* rank 0 makes biologies */
    PetscCall(PetscStrallocpy(spots ? "" : key, &context->machine_key));
  }
  *machine = context->machine;
  PetscFunctionReturn(0);
}

/* Structures with any volume, on the dose grid. */
static PetscErrorCode MakeRegions(PlanInputs *in)
{
  PetscFunctionBegin;
  PetscCall(PetscCalloc1(in->patient->n_structures, &in->region));
  for (PetscInt i = 0; i < in->patient->n_structures; i++) {
    Region *region = &in->region[in->n_region];
    PetscCall(StructureToGrid(in->patient, i, &in->grid, region));
    if (region->n)
      in->n_region++;
    else
      PetscCall(RegionDestroy(region));
  }
  PetscFunctionReturn(0);
}

static PetscBool IsBeamTarget(PetscInt n, const BeamSpec *beam, const char *name)
{
  for (PetscInt b = 0; b < n; b++)
    if (beam[b].target && !strcmp(name, beam[b].target)) return PETSC_TRUE;
  return PETSC_FALSE;
}

static PetscBool IsTarget(const Settings *settings, const Region *region)
{
  if (region->role != ROLE_OAR) return region->role == ROLE_TARGET ? PETSC_TRUE : PETSC_FALSE;
  if (!strcmp(region->name, settings->target)) return PETSC_TRUE;
  for (PetscInt k = 0; k < settings->course.n_stages; k++)
    if (!strcmp(region->name, settings->course.stages[k].target) ||
        IsBeamTarget(settings->course.stages[k].n_beams, settings->course.stages[k].beams, region->name))
      return PETSC_TRUE;
  if (IsBeamTarget(settings->beams.n, settings->beams.beam, region->name)) return PETSC_TRUE;
  for (PetscInt o = 0; o < settings->n_objectives; o++)
    if (!strcmp(region->name, settings->objectives[o].structure) &&
        ObjectiveTypeFind(settings->objectives[o].type)->wants_dose)
      return PETSC_TRUE;
  return PETSC_FALSE;
}

/* Where dose is wanted nowhere: the external's voxels that no target touches, by role, prescription or objective. */
static PetscErrorCode MakeOutside(PlanInputs *in)
{
  PetscFunctionBegin;
  const Region *external = NULL;
  Region *outside = &in->outside;
  unsigned char *taken;
  PetscCall(PetscCalloc1(GridSize(&in->grid), &taken));
  for (PetscInt r = 0; r < in->n_region; r++) {
    const Region *region = &in->region[r];
    if (region->role == ROLE_EXTERNAL) external = region;
    for (PetscInt i = 0; IsTarget(in->settings, region) && i < region->n; i++) taken[region->voxel[i]] = 1;
  }
  if (external) {
    outside->role = ROLE_EXTERNAL;
    PetscCall(PetscStrallocpy(OUTSIDE_TARGETS, &outside->name));
    PetscCall(PetscMalloc1(external->n, &outside->voxel));
    PetscCall(PetscMalloc1(external->n, &outside->fraction));
    for (PetscInt i = 0; i < external->n; i++) {
      if (taken[external->voxel[i]]) continue;
      outside->voxel[outside->n] = external->voxel[i];
      outside->fraction[outside->n++] = external->fraction[i];
      outside->volume_cm3 += (double)external->fraction[i] * GridVoxelVolume_cm3(&in->grid);
    }
  }
  PetscCall(PetscFree(taken));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanCollectMarked(const Grid *grid, const unsigned char *mark, PetscInt *n, PetscInt **voxel)
{
  PetscFunctionBegin;
  *n = 0;
  for (size_t i = 0; i < GridSize(grid); i++) *n += mark[i];
  PetscCall(PetscMalloc1(*n, voxel));
  *n = 0;
  for (size_t i = 0; i < GridSize(grid); i++)
    if (mark[i]) (*voxel)[(*n)++] = (PetscInt)i;
  PetscCall(GridOrderCompact(grid, *n, *voxel, NULL));
  PetscFunctionReturn(0);
}

static PetscErrorCode CollectDoseVoxels(PlanInputs *in)
{
  PetscFunctionBegin;
  unsigned char *mark;
  PetscCall(PetscCalloc1(GridSize(&in->grid), &mark));
  for (PetscInt r = 0; r < in->n_region; r++)
    for (PetscInt i = 0; i < in->region[r].n; i++) mark[in->region[r].voxel[i]] = 1;
  PetscCall(PlanCollectMarked(&in->grid, mark, &in->n_dose_voxel, &in->dose_voxel));
  PetscCall(PetscFree(mark));
  PetscFunctionReturn(0);
}

/* The prescription's target must have volume, all of it inside the CT and the external structure's air-free part. */
static PetscErrorCode MakeTarget(const Settings *settings, Mistakes *mistakes, PlanInputs *in)
{
  PetscFunctionBegin;
  PetscInt index = CaseFindStructure(in->patient, settings->target);
  PetscCall(StructureToGrid(in->patient, index, &in->grid, &in->target));
  if (!in->target.n)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: prescription.target: structure %s of case %s has no volume",
                          settings->target_where, settings->target, in->patient->name));
  PetscFunctionReturn(0);
}

/* Plans that are not robust are laid out and optimised for the nominal scenario alone, which may be accumulated over phases. */
static PetscErrorCode MakeScenarios(const Settings *settings, PlanInputs *in)
{
  PetscFunctionBegin;
  double zero = 0;
  const ScenarioSpec *spec = &settings->optimize;
  ScenarioSpec nominal = {.n_range = 1, .range_percent = &zero, .setup = SETUP_NONE, .axes = spec->axes};
  if (spec->motion == MOTION_ACCUMULATE) { /* breathing is no error */
    nominal.motion = spec->motion;
    nominal.n_phase = spec->n_phase;
    nominal.phase = spec->phase;
  }
  PetscCall(ScenarioSetCreate(PlanIsRobust(settings) ? &settings->optimize : &nominal, &in->optimize));
  PetscCall(ScenarioSetCreate(&settings->evaluate, &in->evaluate));
  in->evaluate->other_model = in->tissues.high_let;
  PetscFunctionReturn(0);
}

/* Beams of a plan whose fractions are all the same. */
static PetscErrorCode MakeFraction(MPI_Comm team, const SpotList *spots, PetscInt **spot_of, Mistakes *mistakes,
                                   PlanInputs *in)
{
  PetscFunctionBegin;
  PetscCall(PetscNew(&in->beams));
  if (spots) PetscCall(PetscCalloc1(spots->n, spot_of));
  PetscCall(
      PlanAddBeams(team, &in->settings->beams, in->settings->target, spots, spots ? *spot_of : NULL, mistakes, in));
  if (spots && !MistakesAny(mistakes))
    PetscCall(SpotListCheckBeams(spots, in->beams->n_beam, "the study's beams", mistakes));
  PetscFunctionReturn(0);
}

static PetscErrorCode MakeBeams(MPI_Comm team, const Settings *settings, const SpotList *spots, PetscInt **spot_of,
                                Mistakes *mistakes, PlanInputs *in)
{
  PetscFunctionBegin;
  PetscCall((settings->course.n_stages ? CourseCreate : MakeFraction)(team, spots, spot_of, mistakes, in));
  if (!MistakesAny(mistakes)) BeamSetTell(in->beams, in->machine, in->patient);
  in->n_sought = in->beams->n_spot;
  if (!MistakesAny(mistakes))
    PetscCall(DoseModelCreate(in->patient, in->machine, &in->tissues, in->beams, settings->dropped_dose_fraction,
                              &in->model));
  PetscFunctionReturn(0);
}

/* Voxels are counted in 32 bits. */
static PetscErrorCode CheckDoseGrid(const Settings *settings, const Case *patient, Mistakes *mistakes)
{
  PetscFunctionBegin;
  double voxels = 1;
  for (int k = 0; k < 3; k++) voxels *= ceil(patient->ct.n[k] * patient->ct.spacing_mm[k] / settings->dose_grid_mm);
  if (voxels > 0.99 * INT_MAX)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "dose_grid_mm: %g mm makes %.3g voxels of case %s, expected at most %d",
                          settings->dose_grid_mm, voxels, patient->name, INT_MAX));
  PetscFunctionReturn(0);
}

static PetscErrorCode Assemble(PlanContext *context, const SpotList *spots, PetscInt **spot_of, Mistakes *mistakes,
                               PlanInputs *in)
{
  PetscFunctionBegin;
  const Settings *settings = in->settings;
  PetscCall(PlanLoadCase(context->comm, settings, mistakes, &in->patient));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  PetscCall(PetscNew(&in->kept));
  PetscCall(PlanSettingsKeep(settings, in->patient, context->rank == 0 ? PETSC_TRUE : PETSC_FALSE, in->kept));
  PetscCall(PlanSetAxes(in->patient, in->kept));
  in->settings = settings = in->kept;
  PetscCall(PlanCheckScenarios(settings, mistakes));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  PetscCall(UseMachine(context, settings, spots, mistakes, &in->machine));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  PetscCall(CheckDoseGrid(settings, in->patient, mistakes));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  PetscCall(PlanDoseGrid(settings, in->patient, &in->grid));
  PetscCall(TissuesCreate(context->comm, mistakes, in));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  if (spots) PetscCall(MachineDropSpectra(context->machine)); /* no other plan will have this machine */
  PetscCall(MakeTarget(settings, mistakes, in));
  PetscCall(TermsCreate(mistakes, in));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  PetscCall(MakeRegions(in));
  PetscCall(PlanCheckRegions(in, mistakes));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  PetscCall(MakeOutside(in));
  if (context->rank == 0) PlanTellCase(in->patient);
  if (context->rank == 0) PlanTellRegions(in);
  PetscCall(CollectDoseVoxels(in));
  PetscCall(MakeScenarios(settings, in));
  PetscCall(PlanCheckActivity(in, mistakes));
  PetscCall(MakeBeams(context->comm, settings, spots, spot_of, mistakes, in));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanInputsCreate(PlanContext *context, const PlanSpec *plan, const SpotList *spots, PetscInt **spot_of,
                                Mistakes *mistakes, PlanInputs *inputs)
{
  PetscFunctionBegin;
  PetscCall(PetscArrayzero(inputs, 1));
  inputs->settings = &plan->settings;
  if (spots) *spot_of = NULL;
  PetscCall(Assemble(context, spots, spot_of, mistakes, inputs));
  PetscCall(MistakesShare(context->comm, mistakes));
  if (!MistakesAny(mistakes)) PetscFunctionReturn(0);
  if (spots) PetscCall(PetscFree(*spot_of));
  PetscCall(PlanInputsDestroy(inputs));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanInputsDestroy(PlanInputs *in)
{
  PetscFunctionBegin;
  PetscCall(DoseModelDestroy(&in->model));
  PetscCall(CourseDestroy(&in->course));
  PetscCall(BeamSetDestroy(&in->beams));
  PetscCall(ScenarioSetDestroy(&in->optimize));
  PetscCall(ScenarioSetDestroy(&in->evaluate));
  for (PetscInt t = 0; t < in->n_term; t++) PetscCall(TermDestroy(&in->term[t]));
  PetscCall(PetscFree(in->term));
  PetscCall(PetscFree(in->objective));
  PetscCall(PetscFree(in->voxel));
  PetscCall(PetscFree(in->dose_voxel));
  for (PetscInt r = 0; r < in->n_region; r++) PetscCall(RegionDestroy(&in->region[r]));
  PetscCall(PetscFree(in->region));
  PetscCall(RegionDestroy(&in->target));
  PetscCall(RegionDestroy(&in->outside));
  PetscCall(TissuesDestroy(&in->tissues));
  PetscCall(CaseDestroy(&in->patient));
  if (in->kept) PetscCall(PlanSettingsDrop(in->kept));
  PetscCall(PetscFree(in->kept));
  PetscCall(PetscArrayzero(in, 1));
  PetscFunctionReturn(0);
}
