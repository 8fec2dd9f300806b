/* A run of a study from beginning to end: folder, survey, teams, plans, tables, exit code. */
#include "cohort_private.h"
#include "robion/collect.h"
#include "robion/log.h"
#include "robion/status.h"
#include "robion/stop.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What an option names must be one of the names that plans have. */
static PetscErrorCode CheckNamed(const char *option, PetscInt n, char *const *named, PetscInt n_plans,
                                 const char *const *names, Mistakes *mistakes)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++) {
    PetscBool known = PETSC_FALSE;
    for (PetscInt p = 0; p < n_plans; p++)
      if (!strcmp(named[i], names[p])) known = PETSC_TRUE;
    if (known) continue;
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "%s: the study has no %s %s%s", option,
                          strcmp(option, "--only") ? "arm" : "case", named[i],
                          SuggestName(", ", named[i], n_plans, names).text));
  }
  PetscFunctionReturn(0);
}

/* --only must name cases of the study, --arms its arms. */
static PetscErrorCode CheckSelection(const Study *study, const RunOptions *options, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const char **names, **arms;
  PetscCall(PetscMalloc2(study->n_plans, &names, study->n_plans, &arms));
  for (PetscInt p = 0; p < study->n_plans; p++) {
    names[p] = study->plans[p].case_name;
    arms[p] = study->plans[p].arm;
  }
  PetscCall(CheckNamed("--only", options->n_only, options->only, study->n_plans, names, mistakes));
  PetscCall(CheckNamed("--arms", options->n_arms, options->arms, study->n_plans, arms, mistakes));
  PetscCall(PetscFree2(names, arms));
  PetscFunctionReturn(0);
}

/* With --private nobody but the owner gets at the results. */
static PetscErrorCode ClosePrivate(RunContext *run, Mistakes *mistakes)
{
  PetscFunctionBegin;
  if (!run->options->owner_only) PetscFunctionReturn(0);
  umask(077);
  if (run->plan.rank == 0 && chmod(run->plan.results, 0700))
    PetscCall(MistakesAdd(mistakes, ROBION_RESOURCES, "%s: is not yours to make private", run->plan.results));
  PetscFunctionReturn(0);
}

/* A file `stop` ends a run. One that is still there would end this one at once, and a job that is queued again for ever. */
static PetscErrorCode WatchStopFile(RunContext *run, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN];
  snprintf(file, sizeof file, "%s/stop", run->plan.results);
  if (run->plan.rank == 0 && !access(file, F_OK))
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "%s: asks runs to stop: remove it first", file));
  PetscCall(StopWatchFile(file));
  PetscFunctionReturn(0);
}

/* The folder, which is then this run's alone; mistakes on all ranks. */
static PetscErrorCode OpenResults(RunContext *run, Mistakes *mistakes)
{
  PetscFunctionBegin;
  if (run->options->array_jobs) snprintf(run->part, sizeof run->part, "-%d", (int)run->options->array_job);
  if (run->options->owner_only) umask(077);
  PetscBool good = run->plan.rank == 0 && FolderMake(run->plan.results, mistakes) ? PETSC_TRUE : PETSC_FALSE;
  if (good) good = FolderLockTake(run->plan.results, run->part, mistakes, &run->lock);
  if (good) PetscCall(ClosePrivate(run, mistakes));
  PetscCall(WatchStopFile(run, mistakes));
  PetscCall(MistakesShare(run->plan.comm, mistakes));
  PetscFunctionReturn(0);
}

/* Plans that the user asks for; a run that goes on adds them to those of the runs before. */
static PetscErrorCode WriteAsked(const RunContext *run, PetscBool goes_on, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const Study *study = run->plan.study;
  PetscBool *asked;
  PetscCall(PetscCalloc1(study->n_plans, &asked));
  if (goes_on) PetscCall(AskedRead(run->plan.results, study, asked));
  PlansSelect(run, asked);
  PetscCall(AskedWrite(run->plan.results, study, asked, mistakes));
  PetscCall(PetscFree(asked));
  PetscFunctionReturn(0);
}

/* What is to be made: plans, effective study, and provenance with the files it is made from; mistakes on all ranks. */
static PetscErrorCode WriteIntent(const RunContext *run, const QueuePlan *plan, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN];
  const char *results = run->plan.results, *yaml = run->plan.study->yaml;
  PetscInt n;
  InputFile *input;
  PetscCall(RunInputFiles(run, plan, &n, &input));
  PetscCall(PetscSNPrintf(file, sizeof file, "%s/study.yaml", results));
  if (run->plan.rank == 0)
    PetscCall(WriteAsked(run, run->options->resume && !access(file, F_OK) ? PETSC_TRUE : PETSC_FALSE, mistakes));
  if (run->plan.rank == 0 && !MistakesAny(mistakes) && FileReplace(file, yaml, strlen(yaml), mistakes))
    (void)ProvenanceWriteJSON(&run->plan.provenance, n, input, results, run->part, mistakes);
  PetscCall(PetscFree(input));
  PetscCall(MistakesShare(run->plan.comm, mistakes));
  PetscFunctionReturn(0);
}

/* Built-in base data take minutes: all ranks make what teams of a few would each make for themselves, for the cache. */
static PetscErrorCode WarmMachines(RunContext *run, const QueuePlan *plan)
{
  PetscFunctionBegin;
  char hash[17], before[17] = "";
  for (PetscInt p = 0; p < run->plan.study->n_plans; p++) {
    const Settings *settings = &run->plan.study->plans[p].settings;
    Mistakes refused = {0};
    if (!PlanIsLeft(&plan[p]) || settings->base_data) continue;
    PetscCall(MachineSpecCheck(&settings->machine, settings->base_data_where, &refused));
    if (!MistakesAny(&refused)) {
      PetscCall(MachineSpecHash(&settings->machine, hash));
      Machine *machine = NULL;
      if (strcmp(hash, before)) PetscCall(MachineBuiltin(run->plan.comm, &settings->machine, &machine));
      PetscCall(MachineDestroy(&machine));
      memcpy(before, hash, sizeof before);
    }
    PetscCall(MistakesClear(&refused));
  }
  PetscFunctionReturn(0);
}

/* Tables of all finished plans, and the summary people read. Jobs of an array leave both to `robion collect`. */
static PetscErrorCode Conclude(RunContext *run, Tally *tally)
{
  PetscFunctionBegin;
  if (run->plan.rank == 0 && !run->options->array_jobs) {
    const Study *study = run->plan.study;
    Mistakes mistakes = {0};
    PetscBool *done;
    PetscCall(PetscMalloc1(study->n_plans, &done));
    for (PetscInt p = 0; p < study->n_plans; p++) {
      char folder[PETSC_MAX_PATH_LEN], reason[PLAN_REASON];
      PlanFolder(run, &study->plans[p], folder);
      const PlanState state = PlanInspect(folder, PlanSettingsOf(&study->plans[p]), LOOK_SETTINGS, reason);
      done[p] = state == PLAN_FINISHED ? PETSC_TRUE : PETSC_FALSE;
      if (state == PLAN_DAMAGED) PetscCall(MistakesAdd(&mistakes, ROBION_INPUT, "%s", reason));
    }
    PetscCall(ResultsConclude(stdout, run->plan.results, study, done, &mistakes));
    if (MistakesCallFor(&mistakes, ROBION_RESOURCES)) tally->resources = PETSC_TRUE;
    PetscCall(LogMistakes(LOG_ERROR, "tables", NULL, &mistakes));
    PetscCall(PetscFree(done));
  }
  PetscCallMPI(MPI_Bcast(tally, (PetscMPIInt)sizeof *tally, MPI_BYTE, 0, run->plan.comm));
  PetscFunctionReturn(0);
}

static RobionExit ExitOf(const Tally *tally)
{
  if (tally->stopped) return ROBION_STOPPED;
  if (tally->resources) return ROBION_RESOURCES;
  if (!tally->failed) return ROBION_DONE;
  return tally->done + tally->skipped ? ROBION_SOME_FAILED : tally->first_failure;
}

/* Status of the whole study; one that cannot be written is only a warning. */
static PetscErrorCode WriteStatus(const RunContext *run, RunState state, const char *message, double started,
                                  double seconds)
{
  PetscFunctionBegin;
  if (run->plan.rank) PetscFunctionReturn(0);
  Mistakes mistakes = {0};
  RunStatus status = {.state = state,
                      .message = message,
                      .started = started,
                      .seconds = seconds,
                      .ranks = run->plan.size,
                      .part = run->part};
  status.ended = state == STATE_RUNNING ? 0 : TimeNow();
  (void)StatusWrite(run->plan.results, &status, &mistakes);
  PetscCall(LogMistakes(LOG_WARNING, "status", NULL, &mistakes));
  PetscFunctionReturn(0);
}

/* Say how the run ended. */
static PetscErrorCode Report(const RunContext *run, const Tally *tally, double started, double seconds,
                             RobionExit exit_code)
{
  PetscFunctionBegin;
  char took[32], message[160];
  if (run->plan.rank) PetscFunctionReturn(0); /* other teams have spoken for themselves */
  DurationText(seconds, took);
  snprintf(message, sizeof message, "%d plans done, %d skipped, %d failed, %d stopped in %s", (int)tally->done,
           (int)tally->skipped, (int)tally->failed, (int)tally->stopped, took);
  LogProgress("%s", "");
  LogLine(LOG_INFO, "study", NULL, "%s; results in %s; exit %d", message, run->plan.results, (int)exit_code);
  LogEvent("study_end", "done=%d skipped=%d failed=%d stopped=%d seconds=%g exit=%d", (int)tally->done,
           (int)tally->skipped, (int)tally->failed, (int)tally->stopped, seconds, (int)exit_code);
  const RunState state = tally->stopped ? STATE_STOPPED : tally->failed || tally->resources ? STATE_FAILED : STATE_DONE;
  PetscCall(WriteStatus(run, state, message, started, seconds));
  PetscFunctionReturn(0);
}

/* One log per node: several nodes cannot append to one file safely. */
static PetscErrorCode OpenLog(const RunContext *run, const Team *team, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char part[sizeof run->part + 24];
  snprintf(part, sizeof part, "%s", run->part);
  if (team->node) snprintf(part, sizeof part, "%s-node%d", run->part, (int)team->node);
  PetscCall(LogOpen(team->comm, run->plan.results, part, 1, mistakes));
  PetscCall(MistakesShare(run->plan.comm, mistakes));
  PetscFunctionReturn(0);
}

static PetscErrorCode RunTeams(RunContext *run, QueuePlan *plan, const Team *team, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const double started = TimeNow(), begun = TimeSteady();
  Tally tally = {0};
  PetscCall(WriteStatus(run, STATE_RUNNING, NULL, started, 0));
  if (run->plan.rank == 0) PetscCall(StudyTellModels(run->plan.study));
  PetscCall(QueueWork(run, plan, team, &tally));
  PetscCall(Conclude(run, &tally));
  *exit_code = ExitOf(&tally);
  PetscCall(Report(run, &tally, started, TimeSteady() - begun, *exit_code));
  PetscFunctionReturn(0);
}

/* Estimate, form teams, plan. */
static PetscErrorCode WorkOnPlans(RunContext *run, QueuePlan *plan, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  Team team;
  PetscCall(CostsEstimate(run->plan.comm, run->plan.study, plan, &run->calibration));
  PetscCall(TeamCreate(run, plan, &team));
  PetscCall(OpenLog(run, &team, mistakes));
  if (!MistakesAny(mistakes)) {
    if (team.n_teams > 1) PetscCall(WarmMachines(run, plan));
    PetscCall(RunTeams(run, plan, &team, exit_code));
  }
  PetscCall(LogClose());
  PetscCall(TeamDestroy(&team));
  PetscFunctionReturn(0);
}

/* Open the folder, look what is left to do, do it. */
static PetscErrorCode RunPlans(RunContext *run, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  QueuePlan *plan;
  if (run->options->team_size > run->plan.size)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                          "--team-size: found %d, expected at most %d, the ranks of this run",
                          (int)run->options->team_size, (int)run->plan.size));
  else
    PetscCall(OpenResults(run, mistakes));
  if (!MistakesAny(mistakes)) {
    PetscCall(PetscMalloc1(run->plan.study->n_plans, &plan));
    PetscCall(SurveyPlans(run, plan, mistakes));
    if (!MistakesAny(mistakes)) PetscCall(WriteIntent(run, plan, mistakes));
    if (!MistakesAny(mistakes)) PetscCall(WorkOnPlans(run, plan, mistakes, exit_code));
    PetscCall(PetscFree(plan));
  }
  PetscCall(StopWatchFile(NULL));
  PetscFunctionReturn(0);
}

PetscErrorCode StudyRun(MPI_Comm comm, int argc, char **argv, const Study *study, const RunOptions *options,
                        RobionExit *exit_code)
{
  PetscFunctionBegin;
  RunContext run = {.options = options, .lock = {-1, -1}};
  Mistakes mistakes = {0};
  PetscCall(PlanContextCreate(comm, argc, argv, study, options->results, &run.plan));
  run.plan.resume = options->resume;
  PetscCall(CheckSelection(study, options, &mistakes));
  const PetscBool good = MistakesAny(&mistakes) ? PETSC_FALSE : PETSC_TRUE;
  if (good && options->n_simulate)
    PetscCall(Simulate(&run, &mistakes, exit_code));
  else if (good && options->dry_run)
    PetscCall(DryRun(&run, exit_code));
  else if (good)
    PetscCall(RunPlans(&run, &mistakes, exit_code));
  FolderLockRelease(&run.lock);
  PetscCall(MistakesShare(comm, &mistakes));
  if (MistakesAny(&mistakes)) *exit_code = MistakesExit(&mistakes);
  if (run.plan.rank == 0) MistakesPrint(&mistakes);
  PetscCall(PlanContextDestroy(&run.plan));
  PetscCall(MistakesClear(&mistakes));
  PetscFunctionReturn(0);
}
