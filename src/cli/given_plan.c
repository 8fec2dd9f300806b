/* What the verbs share that work on one plan of a study and on spots made elsewhere. */
#include "robion/cli.h"
#include "robion/format.h"
#include "robion/text.h"
#include <string.h>

/* On rank 0. */
static PetscErrorCode ReadSpots(const char *file, const char *ions_per_mu, Mistakes *mistakes, SpotList *spots)
{
  PetscFunctionBegin;
  PetscCall((*FormatOfFile(file, FORMAT_READ_SPOTS)->read_spots)(file, mistakes, spots));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  if (!spots->monitor_units && ions_per_mu)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--ions-per-mu: %s counts ions", file));
  else if (spots->monitor_units && !ions_per_mu)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: counts monitor units, expected ions (NP): evaluate takes a table of ions per MU with "
                          "--ions-per-mu",
                          file));
  else if (spots->monitor_units)
    PetscCall(SpotListFromMonitorUnits(spots, ions_per_mu, mistakes));
  PetscFunctionReturn(0);
}

PetscErrorCode SpotListRead(const char *file, const char *ions_per_mu, Mistakes *mistakes, SpotList *spots)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(PetscArrayzero(spots, 1));
  if (rank == 0) PetscCall(ReadSpots(file, ions_per_mu, mistakes, spots));
  PetscCall(MistakesShare(PETSC_COMM_WORLD, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(SpotListBroadcast(PETSC_COMM_WORLD, 0, spots));
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsCheckFrame(const Settings *settings, const char *file, const char *frame_of_reference_uid,
                                  Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  DicomOrigin *origin = NULL;
  const char *case_file = settings->patient.file, *own;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0 && case_file && *frame_of_reference_uid) PetscCall(DicomOriginRead(case_file, mistakes, &origin));
  own = origin ? origin->frame_of_reference_uid : "";
  if (*own && strcmp(own, frame_of_reference_uid))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: is of another CT: its frame of reference is not that of %s",
                          file, case_file));
  PetscCall(DicomOriginDestroy(&origin));
  PetscCall(MistakesShare(PETSC_COMM_WORLD, mistakes));
  PetscFunctionReturn(0);
}

/* What a plan.h5 says it is; all "" of other files. */
typedef struct PlanNames {
  char name[3][512]; /* case, arm, sweep point */
} PlanNames;

static PetscErrorCode ReadNames(const char *file, Mistakes *mistakes, PlanNames *names)
{
  PetscFunctionBegin;
  static const PlanText text[] = {PLAN_CASE, PLAN_ARM, PLAN_SWEEP};
  PetscMPIInt rank;
  PlanReader reader;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(PetscArrayzero(names, 1));
  if (rank == 0 && file && TextHasEnding(file, ".h5") && PlanReaderOpen(file, mistakes, &reader)) {
    for (int i = 0; i < 3; i++) {
      char *found = NULL;
      if (PlanReadText(&reader, text[i], mistakes, &found))
        snprintf(names->name[i], sizeof names->name[i], "%s", found);
      PetscCall(PetscFree(found));
    }
    (void)PlanReaderClose(&reader, mistakes);
  }
  PetscCallMPI(MPI_Bcast(names, (PetscMPIInt)sizeof *names, MPI_BYTE, 0, PETSC_COMM_WORLD));
  PetscCall(MistakesShare(PETSC_COMM_WORLD, mistakes));
  PetscFunctionReturn(0);
}

/* Plans of the study that fit n names, NULL: any; the first of them in *first. */
static PetscInt CountPlans(const Study *study, const char *const name[3], const PlanSpec **first)
{
  PetscInt n = 0;
  *first = NULL;
  for (PetscInt p = 0; p < study->n_plans; p++) {
    const PlanSpec *plan = &study->plans[p];
    const char *const own[3] = {plan->case_name, plan->arm, plan->sweep};
    PetscBool fits = PETSC_TRUE;
    for (int i = 0; i < 3; i++)
      if (name[i] && strcmp(name[i], own[i])) fits = PETSC_FALSE;
    if (fits && !n++) *first = plan;
  }
  return n;
}

PetscErrorCode StudyChoosePlan(const Study *study, const char *file, const PlanChoice *choice, Mistakes *mistakes,
                               const PlanSpec **out)
{
  PetscFunctionBegin;
  static const char *const option[] = {"--case", "--arm", "--sweep"};
  const char *const chosen[3] = {choice->case_name, choice->arm, choice->sweep};
  PlanNames names;
  const PlanSpec *own;
  PetscCall(ReadNames(file, mistakes, &names));
  const char *const said[3] = {names.name[0], names.name[1], names.name[2]};
  const PetscBool known = *said[0] ? PETSC_TRUE : PETSC_FALSE;
  const PetscInt n = CountPlans(study, chosen, out);
  if (known && CountPlans(study, said, &own)) {
    for (int i = 0; i < 3; i++)
      if (chosen[i] && strcmp(chosen[i], said[i]))
        PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "%s %s: %s was made with %s", option[i], chosen[i], file,
                              *said[i] ? said[i] : "no sweep"));
    *out = own;
  } else if (!n)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "the study has no plan of case %s, arm %s, sweep point %s",
                          chosen[0] ? chosen[0] : "any", chosen[1] ? chosen[1] : "any", chosen[2] ? chosen[2] : "any"));
  else if (known && n > 1)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                          "%s is of case %s, arm %s%s%s, which the study does not have: choose one of its plans with "
                          "--case, --arm and --sweep",
                          file, said[0], said[1], *said[2] ? ", sweep point " : "", said[2]));
  if (MistakesAny(mistakes)) *out = NULL;
  PetscFunctionReturn(0);
}
