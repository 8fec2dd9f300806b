/* What a study would take, without planning it. */
#include "cohort_private.h"

/* *most: what a job must ask for on one node for any of the plans so far, MiB. */
static PetscErrorCode DescribePlan(RunContext *run, const PlanSpec *plan, double estimate_s, Mistakes *mistakes,
                                   double *most)
{
  PetscFunctionBegin;
  PlanInputs in;
  double entries, mib = 1.0 / 1048576.0;
  PetscCall(PlanInputsCreate(&run->plan, plan, NULL, NULL, mistakes, &in));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  PetscCall(PlanCountEntries(run->plan.comm, &in, &entries));
  MemoryNeed need;
  PetscCall(PlanMemory(&run->plan, &in, entries, run->plan.size, &need));
  PetscCall(PetscPrintf(run->plan.comm, "%-24s %-16s %-20s %4d %4d %4d %7d %8d %8d %10.3g %9.0f %9.0f %10.3g\n",
                        plan->case_name, plan->arm, plan->sweep[0] ? plan->sweep : "-", (int)in.optimize->n_set,
                        (int)in.evaluate->n_set, (int)in.beams->n_beam, (int)in.beams->n_spot, (int)in.n_voxel,
                        (int)in.n_dose_voxel, entries, need.node * mib, need.rank * mib, estimate_s));
  *most = PetscMax(*most, BatchMemory_MiB(need.node, need.rank, run->plan.size));
  PetscCall(PlanInputsDestroy(&in));
  PetscFunctionReturn(0);
}

PetscErrorCode DryRun(RunContext *run, RobionExit *exit_code)
{
  PetscFunctionBegin;
  PetscInt failed = 0, n = 0;
  double most = 0;
  RobionExit first = ROBION_DONE;
  QueuePlan *costs;
  Calibration calibration;
  char basis[COST_BASIS];
  PetscBool *selected;
  PetscCall(PetscCalloc2(run->plan.study->n_plans, &costs, run->plan.study->n_plans, &selected));
  PlansSelect(run, selected);
  for (PetscInt p = 0; p < run->plan.study->n_plans; p++) n += selected[p] ? 1 : 0;
  PetscCall(CostsEstimate(run->plan.comm, run->plan.study, costs, &calibration));
  CalibrationText(&calibration, basis);
  PetscCall(
      PetscPrintf(run->plan.comm, "study %s: %d plans, %d ranks\n", run->plan.study->name, (int)n, run->plan.size));
  PetscCall(PetscPrintf(run->plan.comm, "%-24s %-16s %-20s %4s %4s %4s %7s %8s %8s %10s %9s %9s %10s\n", "case", "arm",
                        "sweep", "opt", "eval", "beam", "spots", "voxels", "dosevox", "nonzeros", "MiB/node",
                        "MiB/rank", "core s"));
  for (PetscInt p = 0; p < run->plan.study->n_plans; p++) {
    Mistakes mistakes = {0};
    if (!selected[p]) continue;
    PetscCall(DescribePlan(run, &run->plan.study->plans[p], costs[p].estimate_s, &mistakes, &most));
    if (MistakesAny(&mistakes) && !failed++) first = MistakesExit(&mistakes);
    if (run->plan.rank == 0) MistakesPrint(&mistakes);
    PetscCall(MistakesClear(&mistakes));
  }
  PetscCall(
      PetscPrintf(run->plan.comm,
                  "opt, eval: scenarios optimised and evaluated; voxels: seen by objectives; dosevox: with dose;\n"
                  "nonzeros: entries a matrix of all optimised scenarios has, four channels each;\n"
                  "MiB/node: what a node's ranks share; MiB/rank: what each has besides;\n"
                  "core s: time on one core, %s\n",
                  basis));
  if (most > 0)
    PetscCall(PetscPrintf(run->plan.comm, "sbatch: --nodes=1 --ntasks=%d --mem=%.0fM\n", run->plan.size, most));
  PetscCall(PetscFree2(costs, selected));
  *exit_code = !failed ? ROBION_DONE : failed == n ? first : ROBION_SOME_FAILED;
  PetscFunctionReturn(0);
}
