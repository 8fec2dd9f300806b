/* The order in which plans are handed out, and what comes of it. */
#include "cohort_private.h"
#include "robion/provenance.h"
#include <math.h>
#include <string.h>

/* Share of a plan's work that its ranks do one after the other or all alike (Amdahl): assumed, for choosing teams. */
static const double SERIAL_SHARE = 0.05;

double TeamSpeed(PetscInt size)
{
  return 1 / (SERIAL_SHARE + (1 - SERIAL_SHARE) / (double)size);
}

/* Keep the smallest on top: team k's time moves down to where both below it are later. */
static void SiftDown(PetscInt n, double *free_at, PetscInt k)
{
  for (PetscInt child; (child = 2 * k + 1) < n; k = child) {
    if (child + 1 < n && free_at[child + 1] < free_at[child]) child++;
    if (free_at[k] <= free_at[child]) return;
    double later = free_at[k];
    free_at[k] = free_at[child];
    free_at[child] = later;
  }
}

PetscErrorCode ScheduleMakespan(PetscInt n, const double *expected_s, const double *took_s, PetscInt n_teams,
                                double *makespan_s)
{
  PetscFunctionBegin;
  double *key, *free_at;
  PetscInt *order;
  PetscCheck(n_teams > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "%d teams, expected at least one", (int)n_teams);
  PetscCall(PetscMalloc2(n, &key, n, &order));
  PetscCall(PetscCalloc1(n_teams, &free_at));
  for (PetscInt i = 0; i < n; i++) {
    key[i] = -expected_s[i];
    order[i] = i;
  }
  PetscCall(PetscSortRealWithArrayInt(n, key, order));
  *makespan_s = 0;
  for (PetscInt i = 0; i < n; i++) {
    free_at[0] += took_s[order[i]];
    *makespan_s = PetscMax(*makespan_s, free_at[0]);
    SiftDown(n_teams, free_at, 0);
  }
  PetscCall(PetscFree2(key, order));
  PetscCall(PetscFree(free_at));
  PetscFunctionReturn(0);
}

/* The first of the plans that need something of each other: the whole optimisation or a stage. */
static PetscInt Leader(const PlanSpec *plan)
{
  return plan->stage_hash[0] ? plan->stage_from[0] : plan->optimized_by;
}

PetscErrorCode ArrayShare(const Study *study, PetscInt n_jobs, PetscInt *job)
{
  PetscFunctionBegin;
  double *key;
  PetscInt *order;
  PetscCall(PetscMalloc2(study->n_plans, &key, study->n_plans, &order));
  for (PetscInt p = 0; p < study->n_plans; p++) {
    const char *folder = study->plans[p].folder;
    key[p] = ldexp((double)(HashBytes(HASH_START, folder, strlen(folder)) >> 11), -53);
    order[p] = p;
  }
  PetscCall(PetscSortRealWithArrayInt(study->n_plans, key, order));
  for (PetscInt i = 0, k = 0; i < study->n_plans; i++)
    if (Leader(&study->plans[order[i]]) == order[i]) job[order[i]] = k++ % n_jobs + 1;
  for (PetscInt p = 0; p < study->n_plans; p++) job[p] = job[Leader(&study->plans[p])];
  PetscCall(PetscFree2(key, order));
  PetscFunctionReturn(0);
}

PetscErrorCode CostsRefine(const Study *study, const QueuePlan *plan, const double *measured_s, double *expected_s)
{
  PetscFunctionBegin;
  double *measured, *estimated, all_measured = 0, all_estimated = 0;
  PetscCall(PetscCalloc2(study->n_plans, &measured, study->n_plans, &estimated)); /* by arm */
  for (PetscInt p = 0; p < study->n_plans; p++) {
    if (!(measured_s[p] > 0 && plan[p].estimate_s > 0)) continue;
    measured[plan[p].arm] += measured_s[p];
    estimated[plan[p].arm] += plan[p].estimate_s;
    all_measured += measured_s[p];
    all_estimated += plan[p].estimate_s;
  }
  const double all = all_estimated > 0 ? all_measured / all_estimated : 1;
  for (PetscInt p = 0; p < study->n_plans; p++) {
    const PetscInt arm = plan[p].arm;
    const double ratio = estimated[arm] > 0 ? measured[arm] / estimated[arm] : all;
    expected_s[p] = measured_s[p] > 0 ? measured_s[p] : plan[p].estimate_s * ratio;
  }
  PetscCall(PetscFree2(measured, estimated));
  PetscFunctionReturn(0);
}
