/* One attempt at one plan by a team: whatever goes wrong stays inside. */
#include "cohort_private.h"
#include "robion/guard.h"
#include "robion/log.h"
#include "robion/status.h"
#include "robion/stop.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What is guarded: making the plan and nothing else. */
typedef struct Attempt {
  RunContext *run;
  const PlanSpec *plan;
  char folder[PETSC_MAX_PATH_LEN];
  double begun; /* steady clock */
  double started;
  Mistakes mistakes;
  PetscBool stopped;
} Attempt;

/* Status of a plan beside its files. */
static PetscErrorCode WriteStatus(Attempt *attempt, RunState state, const char *message, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const PlanSpec *plan = attempt->plan;
  if (attempt->run->plan.rank) PetscFunctionReturn(0);
  RunStatus status = {.state = state,
                      .message = message,
                      .started = attempt->started,
                      .plan = plan->folder,
                      .patient = plan->case_name,
                      .arm = plan->arm,
                      .sweep = plan->sweep,
                      .seconds = TimeSteady() - attempt->begun,
                      .ranks = attempt->run->plan.size};
  status.ended = state == STATE_RUNNING ? 0 : TimeNow();
  (void)StatusWrite(attempt->folder, &status, mistakes);
  PetscFunctionReturn(0);
}

/* The same when the plan is over: then a status that cannot be written is only a warning. */
static PetscErrorCode WriteLastStatus(Attempt *attempt, RunState state, const char *message)
{
  PetscFunctionBegin;
  Mistakes unwritten = {0};
  PetscCall(WriteStatus(attempt, state, message, &unwritten));
  PetscCall(LogMistakes(LOG_WARNING, "status", NULL, &unwritten));
  PetscFunctionReturn(0);
}

/* The folder that results go to must still be there: it is not made a second time. */
static PetscErrorCode CheckResults(const RunContext *run, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN];
  snprintf(file, sizeof file, "%s/study.yaml", run->plan.results);
  if (access(file, F_OK))
    PetscCall(
        MistakesAdd(mistakes, ROBION_RESOURCES, "%s: %s: the results folder has vanished", file, strerror(errno)));
  PetscFunctionReturn(0);
}

/* What an earlier run left of this plan goes before it is made anew; a checkpoint stays for --resume. */
static PetscErrorCode PrepareFolder(Attempt *attempt)
{
  PetscFunctionBegin;
  RunContext *run = attempt->run;
  if (run->plan.rank == 0) {
    PetscCall(CheckResults(run, &attempt->mistakes));
    if (!MistakesAny(&attempt->mistakes) && FolderMake(attempt->folder, &attempt->mistakes)) {
      PlanFilesRemove(attempt->folder);
      if (!run->options->resume) CheckpointRemove(attempt->folder);
      PetscCall(WriteStatus(attempt, STATE_RUNNING, NULL, &attempt->mistakes));
    }
  }
  PetscCall(MistakesShare(run->plan.comm, &attempt->mistakes));
  PetscFunctionReturn(0);
}

static PetscErrorCode Make(void *context)
{
  PetscFunctionBegin;
  Attempt *attempt = context;
  PetscCall(PlanMake(&attempt->run->plan, attempt->plan, attempt->folder, &attempt->mistakes, &attempt->stopped));
  PetscFunctionReturn(0);
}

/* Make the plan under guard; after an error the ranks may have different opinions of what is loaded. */
static PetscErrorCode MakeGuarded(Attempt *attempt)
{
  PetscFunctionBegin;
  RunContext *run = attempt->run;
  Mistakes errors = {0};
  PetscCall(GuardedRun(run->plan.comm, Make, attempt, &errors));
  if (MistakesAny(&errors)) {
    attempt->stopped = PETSC_FALSE;
    PetscCall(MistakesClear(&attempt->mistakes));
    PetscCall(MachineDestroy(&run->plan.machine));
    PetscCall(PetscFree(run->plan.machine_key));
    for (PetscInt i = 0; i < errors.n; i++)
      PetscCall(MistakesAdd(&attempt->mistakes, errors.item[i].exit, "%s: %s", attempt->folder, errors.item[i].text));
  }
  PetscCall(MistakesClear(&errors));
  PetscFunctionReturn(0);
}

/* The last file of a finished plan, with which it counts as such; then its checkpoint is of no use. */
static PetscErrorCode Seal(Attempt *attempt)
{
  PetscFunctionBegin;
  if (attempt->run->plan.rank == 0 && PlanChecksumsWrite(attempt->folder, &attempt->mistakes))
    CheckpointRemove(attempt->folder);
  PetscCall(MistakesShare(attempt->run->plan.comm, &attempt->mistakes));
  PetscFunctionReturn(0);
}

static PetscErrorCode RecordFailure(Attempt *attempt, PetscInt p, Tally *tally)
{
  PetscFunctionBegin;
  const PlanSpec *plan = attempt->plan;
  const Mistakes *mistakes = &attempt->mistakes;
  if (!tally->failed || p < tally->first_failed) {
    tally->first_failed = p;
    tally->first_failure = MistakesExit(mistakes);
  }
  tally->failed++;
  if (MistakesCallFor(mistakes, ROBION_RESOURCES)) tally->resources = PETSC_TRUE;
  for (PetscInt i = 0; i < mistakes->n; i++)
    LogLine(LOG_ERROR, "plan", plan->case_name, "%s  %s", plan->arm, mistakes->item[i].text);
  LogEvent("plan_failed", "plan=%s case=%s arm=%s sweep=%s seconds=%g message=%s", plan->folder, plan->case_name,
           plan->arm, plan->sweep, TimeSteady() - attempt->begun, MistakesFirst(mistakes));
  if (attempt->run->plan.rank == 0 && !access(attempt->folder, F_OK)) {
    PlanFilesRemove(attempt->folder);
    TemporariesRemove(attempt->folder, "");
    PetscCall(WriteLastStatus(attempt, STATE_FAILED, MistakesFirst(mistakes)));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode RecordStop(Attempt *attempt, Tally *tally)
{
  PetscFunctionBegin;
  const PlanSpec *plan = attempt->plan;
  tally->stopped++;
  LogEvent("plan_stopped", "plan=%s case=%s arm=%s sweep=%s seconds=%g reason=%s", plan->folder, plan->case_name,
           plan->arm, plan->sweep, TimeSteady() - attempt->begun, StopReason());
  PetscCall(WriteLastStatus(attempt, STATE_STOPPED, "run again with --resume"));
  PetscFunctionReturn(0);
}

static PetscErrorCode RecordDone(Attempt *attempt, Tally *tally)
{
  PetscFunctionBegin;
  const PlanSpec *plan = attempt->plan;
  const double seconds = TimeSteady() - attempt->begun;
  char took[32];
  tally->done++;
  DurationText(seconds, took);
  LogLine(LOG_INFO, "plan", plan->case_name, "%s %s done in %s", plan->arm, plan->sweep, took);
  LogEvent("plan_done", "plan=%s case=%s arm=%s sweep=%s seconds=%g ranks=%d", plan->folder, plan->case_name, plan->arm,
           plan->sweep, seconds, (int)attempt->run->plan.size);
  PetscCall(WriteLastStatus(attempt, STATE_DONE, NULL));
  PetscFunctionReturn(0);
}

/* Which plan of how many, and when all will be done as far as that is known. */
static void Announce(const PlanSpec *plan, const Standing *standing)
{
  char left[32], most[32], when[96];
  DurationText(standing->left_s / standing->spread, left);
  DurationText(standing->left_s * standing->spread, most);
  if (standing->spread > 1)
    snprintf(when, sizeof when, ", %s to %s left for the study", left, most);
  else
    snprintf(when, sizeof when, ", about %s left for the study", left);
  LogLine(LOG_INFO, "plan", plan->case_name, "%s %s plan %d of %d%s", plan->arm, plan->sweep, (int)standing->k,
          (int)standing->n, when);
  LogProgress("plan %d of %d%s", (int)standing->k, (int)standing->n, when);
}

PetscErrorCode PlanAttempt(RunContext *run, PetscInt p, const Standing *standing, Tally *tally)
{
  PetscFunctionBegin;
  const PlanSpec *plan = &run->plan.study->plans[p];
  Attempt attempt = {.run = run, .plan = plan, .begun = TimeSteady(), .started = TimeNow()};
  PlanFolder(run, plan, attempt.folder);
  Announce(plan, standing);
  LogEvent("plan_started", "plan=%s case=%s arm=%s sweep=%s ranks=%d", plan->folder, plan->case_name, plan->arm,
           plan->sweep, (int)run->plan.size);
  PetscCall(PrepareFolder(&attempt));
  if (!MistakesAny(&attempt.mistakes)) PetscCall(MakeGuarded(&attempt));
  if (!MistakesAny(&attempt.mistakes) && !attempt.stopped) PetscCall(Seal(&attempt));
  if (MistakesAny(&attempt.mistakes))
    PetscCall(RecordFailure(&attempt, p, tally));
  else if (attempt.stopped)
    PetscCall(RecordStop(&attempt, tally));
  else
    PetscCall(RecordDone(&attempt, tally));
  PetscCall(MistakesClear(&attempt.mistakes));
  PetscFunctionReturn(0);
}
