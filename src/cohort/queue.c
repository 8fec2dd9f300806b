/* Going through the plans of a study: folders, resume, failures, tables, exit code. */
#include "robion/cohort.h"
#include "robion/log.h"
#include "robion/report.h"
#include "robion/stop.h"
#include <string.h>
#include <unistd.h>

typedef struct Tally {
  PetscInt done, skipped, failed, stopped;
  RobionExit first_failure;
  PetscBool resources;
} Tally;

PetscErrorCode RunContextCreate(MPI_Comm comm, int argc, char **argv, const Study *study, const RunOptions *options,
                                RunContext *run)
{
  PetscFunctionBegin;
  PetscCall(PetscArrayzero(run, 1));
  run->comm = comm;
  run->study = study;
  run->options = options;
  run->results = options->results;
  PetscCallMPI(MPI_Comm_rank(comm, &run->rank));
  PetscCallMPI(MPI_Comm_size(comm, &run->size));
  PetscCall(ProvenanceFill(comm, argc, argv, study->hash, &run->provenance));
  PetscFunctionReturn(0);
}

PetscErrorCode RunContextDestroy(RunContext *run)
{
  PetscFunctionBegin;
  PetscCall(MachineDestroy(&run->machine));
  PetscCall(PetscFree(run->machine_key));
  PetscFunctionReturn(0);
}

static PetscBool Selected(const RunOptions *options, const PlanSpec *plan)
{
  if (!options->n_only) return PETSC_TRUE;
  for (PetscInt i = 0; i < options->n_only; i++)
    if (!strcmp(options->only[i], plan->case_name)) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* --only must name cases of the study. */
static PetscErrorCode CheckOnly(const Study *study, const RunOptions *options, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const char **names;
  PetscCall(PetscMalloc1(study->n_plans, &names));
  for (PetscInt p = 0; p < study->n_plans; p++) names[p] = study->plans[p].case_name;
  for (PetscInt i = 0; i < options->n_only; i++) {
    PetscBool known = PETSC_FALSE;
    for (PetscInt p = 0; p < study->n_plans; p++)
      if (!strcmp(options->only[i], names[p])) known = PETSC_TRUE;
    const char *nearest = known ? NULL : NearestName(options->only[i], study->n_plans, names);
    if (!known)
      PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--only: the study has no case %s%s%s%s", options->only[i],
                            nearest ? ", did you mean " : "", nearest ? nearest : "", nearest ? "?" : ""));
  }
  PetscCall(PetscFree(names));
  PetscFunctionReturn(0);
}

/* Folder, log, effective study and provenance; mistakes on all ranks. */
static PetscErrorCode OpenResults(RunContext *run, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN];
  PetscBool good;
  if (run->rank == 0) {
    PetscCall(PetscSNPrintf(file, sizeof file, "%s/study.yaml", run->results));
    good = FolderMake(run->results, mistakes);
    good = good && FileReplace(file, run->study->yaml, strlen(run->study->yaml), mistakes);
    if (good) (void)ProvenanceWriteJSON(&run->provenance, 0, NULL, run->results, mistakes);
  }
  PetscCall(MistakesShare(run->comm, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(LogOpen(run->comm, run->results, 1, mistakes));
  PetscFunctionReturn(0);
}

static void PlanFolder(const RunContext *run, const PlanSpec *plan, char folder[PETSC_MAX_PATH_LEN])
{
  snprintf(folder, PETSC_MAX_PATH_LEN, "%s/%s", run->results, plan->folder);
}

/* Whether a plan is finished already; damaged or foreign files are planned anew. Rank 0 looks, all know. */
static PetscErrorCode IsFinished(RunContext *run, const PlanSpec *plan, const char *folder, PetscBool *finished)
{
  PetscFunctionBegin;
  int state = PLAN_ABSENT;
  if (run->options->resume && run->rank == 0) {
    Mistakes damage = {0};
    state = (int)PlanFileState(folder, plan->yaml, &damage);
    for (PetscInt i = 0; i < damage.n; i++) LogLine(LOG_WARNING, "resume", plan->case_name, "%s", damage.item[i].text);
    if (state == PLAN_OTHER_SETTINGS)
      LogLine(LOG_WARNING, "resume", plan->case_name, "%s  was made with other settings: planned anew", plan->arm);
    PetscCall(MistakesClear(&damage));
  }
  PetscCallMPI(MPI_Bcast(&state, 1, MPI_INT, 0, run->comm));
  *finished = state == PLAN_FINISHED ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* Status of a plan beside its files; a status that cannot be written is only a warning. */
static PetscErrorCode WriteStatus(const RunContext *run, const PlanSpec *plan, const char *folder, const char *state,
                                  const char *message, double started)
{
  PetscFunctionBegin;
  if (run->rank) PetscFunctionReturn(0);
  Mistakes mistakes = {0};
  RunStatus status = {.state = state, .message = message, .started = started};
  if (plan) {
    status.plan = plan->folder;
    status.patient = plan->case_name;
    status.arm = plan->arm;
    status.sweep = plan->sweep;
  }
  status.ended = strcmp(state, "running") ? TimeNow() : 0;
  (void)StatusWrite(folder, &status, &mistakes);
  for (PetscInt i = 0; i < mistakes.n; i++) LogLine(LOG_WARNING, "status", NULL, "%s", mistakes.item[i].text);
  PetscCall(MistakesClear(&mistakes));
  PetscFunctionReturn(0);
}

/* What an earlier run left of this plan goes before it is made anew; a checkpoint stays for --resume. */
static PetscErrorCode PrepareFolder(RunContext *run, const char *folder, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN];
  if (run->rank == 0 && FolderMake(folder, mistakes)) {
    PlanFilesRemove(folder);
    PetscCall(PetscSNPrintf(file, sizeof file, "%s/checkpoint.h5", folder));
    if (!run->options->resume) unlink(file);
  }
  PetscCall(MistakesShare(run->comm, mistakes));
  PetscFunctionReturn(0);
}

static PetscErrorCode RecordFailure(RunContext *run, const PlanSpec *plan, const char *folder, double started,
                                    Mistakes *mistakes, Tally *tally)
{
  PetscFunctionBegin;
  if (!tally->failed++) tally->first_failure = MistakesExit(mistakes);
  for (PetscInt i = 0; i < mistakes->n; i++) {
    if (mistakes->item[i].exit == ROBION_RESOURCES) tally->resources = PETSC_TRUE;
    LogLine(LOG_ERROR, "plan", plan->case_name, "%s  %s", plan->arm, mistakes->item[i].text);
  }
  LogEvent("plan_failed", "case=%s arm=%s sweep=%s message=%s", plan->case_name, plan->arm, plan->sweep,
           MistakesFirst(mistakes));
  PetscCall(WriteStatus(run, plan, folder, "failed", MistakesFirst(mistakes), started));
  PetscFunctionReturn(0);
}

static PetscErrorCode RunPlan(RunContext *run, PetscInt p, Tally *tally)
{
  PetscFunctionBegin;
  const PlanSpec *plan = &run->study->plans[p];
  const double started = TimeNow();
  char folder[PETSC_MAX_PATH_LEN], file[PETSC_MAX_PATH_LEN], took[32];
  Mistakes mistakes = {0};
  PetscBool finished, stopped = PETSC_FALSE;
  PlanFolder(run, plan, folder);
  PetscCall(IsFinished(run, plan, folder, &finished));
  if (finished) {
    tally->skipped++;
    LogLine(LOG_INFO, "plan", plan->case_name, "%s  finished earlier: skipped", plan->arm);
    PetscFunctionReturn(0);
  }
  LogLine(LOG_INFO, "plan", plan->case_name, "%s %s plan %d of %d", plan->arm, plan->sweep, (int)p + 1,
          (int)run->study->n_plans);
  PetscCall(PrepareFolder(run, folder, &mistakes));
  if (!MistakesAny(&mistakes)) {
    PetscCall(WriteStatus(run, plan, folder, "running", NULL, started));
    PetscCall(PlanMake(run, plan, folder, &mistakes, &stopped));
  }
  DurationText(TimeNow() - started, took);
  if (MistakesAny(&mistakes))
    PetscCall(RecordFailure(run, plan, folder, started, &mistakes, tally));
  else if (stopped) {
    tally->stopped++;
    PetscCall(WriteStatus(run, plan, folder, "stopped", "checkpoint written: run again with --resume", started));
  } else {
    tally->done++;
    PetscCall(PetscSNPrintf(file, sizeof file, "%s/checkpoint.h5", folder));
    if (run->rank == 0) unlink(file);
    LogLine(LOG_INFO, "plan", plan->case_name, "%s  done in %s", plan->arm, took);
    LogEvent("plan_done", "case=%s arm=%s sweep=%s seconds=%g", plan->case_name, plan->arm, plan->sweep,
             TimeNow() - started);
    PetscCall(WriteStatus(run, plan, folder, "done", NULL, started));
  }
  PetscCall(MistakesClear(&mistakes));
  PetscFunctionReturn(0);
}

/* Tables of all plans that are there, and the summary people read. */
static PetscErrorCode Conclude(RunContext *run, Tally *tally)
{
  PetscFunctionBegin;
  if (run->rank == 0) {
    Mistakes mistakes = {0};
    char **folder;
    PetscCall(PetscMalloc1(run->study->n_plans, &folder));
    for (PetscInt p = 0; p < run->study->n_plans; p++) {
      char text[PETSC_MAX_PATH_LEN];
      PlanFolder(run, &run->study->plans[p], text);
      PetscCall(PetscStrallocpy(text, &folder[p]));
    }
    PetscCall(TablesMerge(run->results, run->study->n_plans, (const char *const *)folder, &mistakes));
    PetscCall(SummaryPrint(stdout, run->results, run->study, &mistakes));
    for (PetscInt i = 0; i < mistakes.n; i++) {
      LogLine(LOG_ERROR, "tables", NULL, "%s", mistakes.item[i].text);
      if (mistakes.item[i].exit == ROBION_RESOURCES) tally->resources = PETSC_TRUE;
    }
    PetscCall(MistakesClear(&mistakes));
    for (PetscInt p = 0; p < run->study->n_plans; p++) PetscCall(PetscFree(folder[p]));
    PetscCall(PetscFree(folder));
  }
  PetscCallMPI(MPI_Bcast(tally, (PetscMPIInt)sizeof *tally, MPI_BYTE, 0, run->comm));
  PetscFunctionReturn(0);
}

static RobionExit ExitOf(const Tally *tally)
{
  if (tally->stopped) return ROBION_STOPPED;
  if (tally->resources) return ROBION_RESOURCES;
  if (!tally->failed) return ROBION_DONE;
  return tally->done + tally->skipped ? ROBION_SOME_FAILED : tally->first_failure;
}

static PetscErrorCode StopWanted(const RunContext *run, PetscBool *stop)
{
  PetscFunctionBegin;
  int wanted = StopRequested();
  PetscCallMPI(MPI_Bcast(&wanted, 1, MPI_INT, 0, run->comm));
  *stop = (PetscBool)wanted;
  PetscFunctionReturn(0);
}

static PetscErrorCode RunPlans(RunContext *run, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const double started = TimeNow();
  Tally tally = {0};
  char took[32], message[160];
  PetscCall(WriteStatus(run, NULL, run->results, "running", NULL, started));
  for (PetscInt p = 0; p < run->study->n_plans; p++) {
    PetscBool stop;
    PetscCall(StopWanted(run, &stop));
    if (!Selected(run->options, &run->study->plans[p])) continue;
    if (stop)
      tally.stopped++;
    else
      PetscCall(RunPlan(run, p, &tally));
  }
  PetscCall(Conclude(run, &tally));
  *exit_code = ExitOf(&tally);
  DurationText(TimeNow() - started, took);
  snprintf(message, sizeof message, "%d plans done, %d skipped, %d failed, %d stopped in %s", (int)tally.done,
           (int)tally.skipped, (int)tally.failed, (int)tally.stopped, took);
  LogLine(LOG_INFO, "study", NULL, "%s; results in %s; exit %d", message, run->results, (int)*exit_code);
  PetscCall(WriteStatus(run, NULL, run->results,
                        tally.stopped                     ? "stopped"
                        : tally.failed || tally.resources ? "failed"
                                                          : "done",
                        message, started));
  PetscFunctionReturn(0);
}

/* Print mistakes on rank 0 and turn them into an exit code. */
static PetscErrorCode Report(const RunContext *run, const Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  if (run->rank == 0) MistakesPrint(mistakes);
  *exit_code = MistakesExit(mistakes);
  PetscFunctionReturn(0);
}

PetscErrorCode RunStudy(MPI_Comm comm, int argc, char **argv, const Study *study, const RunOptions *options,
                        RobionExit *exit_code)
{
  PetscFunctionBegin;
  RunContext run;
  Mistakes mistakes = {0};
  PetscCall(RunContextCreate(comm, argc, argv, study, options, &run));
  PetscCall(CheckOnly(study, options, &mistakes));
  if (!MistakesAny(&mistakes) && !options->dry_run) PetscCall(OpenResults(&run, &mistakes));
  if (MistakesAny(&mistakes))
    PetscCall(Report(&run, &mistakes, exit_code));
  else if (options->dry_run)
    PetscCall(DryRun(&run, exit_code));
  else
    PetscCall(RunPlans(&run, exit_code));
  PetscCall(LogClose());
  PetscCall(RunContextDestroy(&run));
  PetscCall(MistakesClear(&mistakes));
  PetscFunctionReturn(0);
}
