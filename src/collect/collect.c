/* Putting the results of all jobs together and saying what is not there. */
#include "robion/collect.h"
#include "robion/report.h"
#include <string.h>

PetscErrorCode ResultsConclude(FILE *out, const char *results, const Study *study, const PetscBool *done,
                               Mistakes *mistakes)
{
  PetscFunctionBegin;
  char **folder;
  Samples samples;
  PetscCall(PetscCalloc1(study->n_plans, &folder));
  for (PetscInt p = 0; p < study->n_plans; p++) {
    char text[PETSC_MAX_PATH_LEN];
    if (!done[p]) continue;
    PetscCall(PetscSNPrintf(text, sizeof text, "%s/%s", results, study->plans[p].folder));
    PetscCall(PetscStrallocpy(text, &folder[p]));
  }
  PetscCall(SamplesCreate(study->n_plans, &samples));
  PetscCall(TablesMerge(results, study->n_plans, (const char *const *)folder, &samples, mistakes));
  PetscCall(SummaryPrint(out, results, study, &samples, mistakes));
  PetscCall(StatisticsWrite(out, results, study, &samples, mistakes));
  PetscCall(SamplesDestroy(&samples));
  for (PetscInt p = 0; p < study->n_plans; p++) PetscCall(PetscFree(folder[p]));
  PetscCall(PetscFree(folder));
  PetscFunctionReturn(0);
}

/* One line per plan that is not done, worst news first, then how many there are of each. */
static void PrintGaps(FILE *out, const Study *study, const PlanNews *news)
{
  for (PetscInt i = 0; i < N_BAD_NEWS; i++)
    for (PetscInt p = 0; p < study->n_plans; p++)
      if (news[p].condition == bad_news[i])
        fprintf(out, "%-8s %s%s%s\n", plan_condition_names[bad_news[i]], study->plans[p].folder,
                news[p].reason[0] ? ": " : "", news[p].reason);
  InventoryPrint(out, study, news);
}

static RobionExit ExitOf(PetscInt n, const PlanNews *news)
{
  if (InventoryCount(n, news, CONDITION_DONE) + InventoryCount(n, news, CONDITION_UNASKED) == n) return ROBION_DONE;
  const PetscInt bad = InventoryCount(n, news, CONDITION_FAILED) + InventoryCount(n, news, CONDITION_DAMAGED) +
                       InventoryCount(n, news, CONDITION_FOREIGN);
  return bad ? ROBION_SOME_FAILED : ROBION_STOPPED;
}

PetscErrorCode ResultsCollect(FILE *out, const char *results, const Study *study, Mistakes *mistakes,
                              RobionExit *exit_code)
{
  PetscFunctionBegin;
  PlanNews *news;
  PetscBool *done;
  PetscCall(PetscMalloc2(study->n_plans, &news, study->n_plans, &done));
  PetscCall(InventoryFill(results, study, PETSC_TRUE, news));
  for (PetscInt p = 0; p < study->n_plans; p++)
    done[p] = news[p].condition == CONDITION_DONE ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(ResultsConclude(out, results, study, done, mistakes));
  fprintf(out, "\n");
  PrintGaps(out, study, news);
  *exit_code = MistakesAny(mistakes) ? MistakesExit(mistakes) : ExitOf(study->n_plans, news);
  PetscCall(PetscFree2(news, done));
  PetscFunctionReturn(0);
}
