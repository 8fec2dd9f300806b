/* Teams at the queue of plans: each takes the longest that is left whenever it is free. */
#include "cohort_private.h"
#include "robion/log.h"
#include "robion/stop.h"
#include <string.h>

/* The queue while teams work on it. */
typedef struct Queue {
  const Study *study;
  QueuePlan *plan;
  Claims claims;
  PetscInt n; /* plans this job has to make */
  PetscMPIInt n_teams;
  long long *claim; /* [n_plans] of the table, when last read */
  double *measured_s, *expected_s;
} Queue;

/* What is known now of the time that each plan takes. */
static PetscErrorCode Expect(Queue *queue)
{
  PetscFunctionBegin;
  PetscCall(ClaimsRead(queue->claims, queue->claim));
  for (PetscInt p = 0; p < queue->study->n_plans; p++)
    queue->measured_s[p] = queue->claim[p] > CLAIM_OVER ? 1e-3 * (double)queue->claim[p] : queue->plan[p].measured_s;
  PetscCall(CostsRefine(queue->study, queue->plan, queue->measured_s, queue->expected_s));
  PetscFunctionReturn(0);
}

static PetscBool WaitsFor(const Queue *queue, PetscInt p, PetscInt by)
{
  return by != p && PlanIsLeft(&queue->plan[by]) && queue->claim[by] < CLAIM_OVER ? PETSC_TRUE : PETSC_FALSE;
}

/* A plan that shares another's optimisation, or first stages, waits until that one is over. */
static PetscBool Waits(const Queue *queue, PetscInt p)
{
  const PlanSpec *plan = &queue->study->plans[p];
  PetscBool waits = WaitsFor(queue, p, plan->optimized_by);
  for (PetscInt k = 0; k + 1 < plan->settings.course.n_stages && !waits; k++)
    waits = WaitsFor(queue, p, plan->stage_from[k]);
  return waits;
}

/* The free plan that will take longest, those that were interrupted last; -1 if none is free. */
static PetscInt Longest(const Queue *queue)
{
  PetscInt best = -1;
  for (PetscInt p = 0; p < queue->study->n_plans; p++) {
    if (queue->claim[p] != CLAIM_FREE || Waits(queue, p)) continue;
    const int better = best < 0 ? 1 : (int)queue->plan[best].left - (int)queue->plan[p].left;
    if (better > 0 || (!better && queue->expected_s[p] > queue->expected_s[best])) best = p;
  }
  return best;
}

/* How far the study is, this plan being the next, and how sure that is: its own measured times are better than those of others. */
static void Stand(const Queue *queue, const Team *team, double spread, Standing *standing)
{
  double left = 0;
  PetscBool known = PETSC_FALSE;
  *standing = (Standing){.k = 1, .n = queue->n};
  for (PetscInt p = 0; p < queue->study->n_plans; p++) {
    if (queue->measured_s[p] > 0) known = PETSC_TRUE;
    if (!PlanIsLeft(&queue->plan[p])) continue;
    if (queue->claim[p] != CLAIM_FREE) standing->k++;
    if (queue->claim[p] <= 0) left += queue->expected_s[p] * (queue->claim[p] == CLAIM_TAKEN ? 0.5 : 1);
  }
  standing->left_s = left / (queue->n_teams * TeamSpeed(team->size));
  standing->spread = known ? 1 : spread;
}

/* The next plan of a team (-1: none is left, or the run is to stop), chosen by its first rank. Collective on the team. */
static PetscErrorCode NextPlan(Queue *queue, const Team *team, double spread, PetscInt *p, Standing *standing)
{
  PetscFunctionBegin;
  PetscBool taken = PETSC_FALSE;
  *p = -1;
  if (team->rank == 0 && StopRequested())
    PetscCall(ClaimsTellStop(queue->claims));
  else if (team->rank == 0)
    do {
      PetscCall(Expect(queue));
      *p = Longest(queue);
      if (*p < 0) break;
      Stand(queue, team, spread, standing);
      PetscCall(ClaimsTake(queue->claims, *p, &taken));
    } while (!taken);
  PetscCallMPI(MPI_Bcast(p, 1, MPIU_INT, 0, team->comm));
  PetscCallMPI(MPI_Bcast(standing, (PetscMPIInt)sizeof *standing, MPI_BYTE, 0, team->comm));
  PetscFunctionReturn(0);
}

static const char *AnotherStops(void *context)
{
  PetscBool stop;
  return !ClaimsHearStop(context, &stop) && stop ? "another team stops" : NULL;
}

static PetscErrorCode Learn(const RunContext *run, PetscInt p, const QueuePlan *plan, double speed)
{
  PetscFunctionBegin;
  char folder[PETSC_MAX_PATH_LEN];
  PlanFolder(run, &run->plan.study->plans[p], folder);
  PetscCall(CalibrationLearn(plan, folder, speed));
  PetscFunctionReturn(0);
}

/* What one team does of the study. */
static PetscErrorCode RunTeam(const RunContext *world, Queue *queue, const Team *team, Tally *tally)
{
  PetscFunctionBegin;
  RunContext run = *world;
  Standing standing = {0};
  PetscInt p;
  run.plan.comm = team->comm;
  run.plan.rank = team->rank;
  run.plan.size = team->size;
  run.plan.nodes = team->nodes;
  run.plan.memory_bytes = team->memory_bytes;
  StopWatchOthers(AnotherStops, queue->claims);
  for (;;) {
    PetscCall(NextPlan(queue, team, world->calibration.spread, &p, &standing));
    if (p < 0) break;
    const double begun = TimeSteady(), speed = TeamSpeed(team->size);
    const PetscInt done = tally->done;
    PetscCall(PlanAttempt(&run, p, &standing, tally));
    if (team->rank) continue;
    PetscCall(ClaimsFinish(queue->claims, p, (TimeSteady() - begun) * speed));
    if (tally->done > done) PetscCall(Learn(&run, p, &queue->plan[p], speed));
  }
  StopWatchOthers(NULL, NULL);
  PetscCall(PlanContextDestroy(&run.plan));
  PetscFunctionReturn(0);
}

/* The sum over the teams, known to all ranks. */
static PetscErrorCode AddTallies(const RunContext *run, const Team *team, Tally *tally)
{
  PetscFunctionBegin;
  Tally *all, sum = {0};
  if (team->rank) *tally = (Tally){0}; /* the first rank has counted for its team */
  PetscCall(PetscMalloc1(run->plan.size, &all));
  PetscCallMPI(MPI_Allgather(tally, (PetscMPIInt)sizeof *tally, MPI_BYTE, all, (PetscMPIInt)sizeof *tally, MPI_BYTE,
                             run->plan.comm));
  for (PetscMPIInt r = 0; r < run->plan.size; r++) {
    if (all[r].failed && (!sum.failed || all[r].first_failed < sum.first_failed)) {
      sum.first_failed = all[r].first_failed;
      sum.first_failure = all[r].first_failure;
    }
    sum.done += all[r].done;
    sum.failed += all[r].failed;
    sum.stopped += all[r].stopped;
    if (all[r].resources) sum.resources = PETSC_TRUE;
  }
  *tally = sum;
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

static PetscErrorCode QueueCreate(RunContext *run, QueuePlan *plan, const Team *team, Queue *queue)
{
  PetscFunctionBegin;
  const PetscInt n = run->plan.study->n_plans;
  *queue = (Queue){.study = run->plan.study, .plan = plan, .n_teams = team->n_teams};
  PetscCall(PetscMalloc3(n, &queue->claim, n, &queue->measured_s, n, &queue->expected_s));
  for (PetscInt p = 0; p < n; p++) {
    const PetscBool left = PlanIsLeft(&plan[p]);
    queue->claim[p] = left ? CLAIM_FREE : CLAIM_TAKEN;
    if (left) queue->n++;
  }
  PetscCall(ClaimsCreate(run->plan.comm, n, queue->claim, &queue->claims));
  PetscFunctionReturn(0);
}

/* Wait for all teams. Plans that nobody took are those left by a stop. */
static PetscErrorCode QueueDestroy(const RunContext *run, const Team *team, Queue *queue, Tally *tally)
{
  PetscFunctionBegin;
  PetscCall(AddTallies(run, team, tally));
  PetscCall(ClaimsRead(queue->claims, queue->claim));
  for (PetscInt p = 0; p < run->plan.study->n_plans; p++) {
    if (queue->claim[p] == CLAIM_FREE) tally->stopped++;
    if (queue->plan[p].left == LEFT_FINISHED) tally->skipped++;
  }
  PetscCall(ClaimsDestroy(&queue->claims));
  PetscCall(PetscFree3(queue->claim, queue->measured_s, queue->expected_s));
  PetscFunctionReturn(0);
}

PetscErrorCode QueueWork(RunContext *run, QueuePlan *plan, const Team *team, Tally *tally)
{
  PetscFunctionBegin;
  Queue queue;
  PetscCall(QueueCreate(run, plan, team, &queue));
  LogEvent("study_start", "study=%s plans=%d to_do=%d ranks=%d teams=%d", run->plan.study->name,
           (int)run->plan.study->n_plans, (int)queue.n, (int)run->plan.size, (int)team->n_teams);
  if (run->plan.rank == 0)
    LogLine(LOG_INFO, "study", NULL, "%d of %d plans to make by %d ranks in %d teams", (int)queue.n,
            (int)run->plan.study->n_plans, (int)run->plan.size, (int)team->n_teams);
  PetscCall(RunTeam(run, &queue, team, tally));
  PetscCall(QueueDestroy(run, team, &queue, tally));
  PetscFunctionReturn(0);
}
