/* From a study's estimate to a script for SLURM. */
#include "robion/batch.h"
#include "cohort_private.h"
#include "robion/plan.h"
#include "robion/log.h"
#include <math.h>

/* Estimates are no measurements: ask for more. */
static const double LEAST_TIME_FACTOR = 2, MEMORY_FACTOR = 1.33, LIBRARIES_MIB = 64; /* the latter: of each rank */
static const double SHORTEST_S = 1800, LONGEST_S = 86400, WARNING_S = 300;

/* What a plan takes once it is laid out; of one that cannot be, the estimate stands: it fails at once. */
static PetscErrorCode MeasureMemory(MPI_Comm comm, const Study *study, PetscInt p, PetscInt ranks, StudyCost *cost)
{
  PetscFunctionBegin;
  PlanContext context;
  PlanInputs in;
  Mistakes mistakes = {0};
  PetscCall(PlanContextCreate(comm, 0, NULL, study, ".", &context));
  PetscCall(PlanInputsCreate(&context, &study->plans[p], NULL, NULL, &mistakes, &in));
  if (!MistakesAny(&mistakes)) {
    MemoryNeed need;
    double entries;
    PetscCall(PlanCountEntries(comm, &in, &entries));
    PetscCall(PlanMemory(&context, &in, entries, ranks, &need));
    cost->bytes = need.node;
    cost->own_bytes = need.rank;
    PetscCall(PlanInputsDestroy(&in));
  }
  PetscCall(MistakesClear(&mistakes));
  PetscCall(PlanContextDestroy(&context));
  PetscFunctionReturn(0);
}

PetscErrorCode StudyEstimate(MPI_Comm comm, const Study *study, PetscInt ranks_per_node, StudyCost *cost)
{
  PetscFunctionBegin;
  PetscInt largest = 0;
  QueuePlan *plan;
  Calibration calibration;
  *cost = (StudyCost){0};
  PetscCall(PetscCalloc1(study->n_plans, &plan));
  PetscCall(CostsEstimate(comm, study, plan, &calibration));
  cost->time_factor = PetscMax(LEAST_TIME_FACTOR, calibration.spread);
  CalibrationText(&calibration, cost->basis);
  for (PetscInt p = 0; p < study->n_plans; p++) {
    cost->core_seconds += plan[p].estimate_s;
    cost->longest_s = PetscMax(cost->longest_s, plan[p].estimate_s);
    if (plan[p].bytes > cost->bytes) {
      cost->bytes = plan[p].bytes;
      cost->own_bytes = plan[p].own_bytes;
      largest = p;
    }
  }
  PetscCall(PetscFree(plan));
  cost->bytes = PetscMax(0, cost->bytes - cost->own_bytes);
  PetscCall(MeasureMemory(comm, study, largest, ranks_per_node, cost));
  PetscFunctionReturn(0);
}

double BatchExpected_s(const BatchJob *job, const StudyCost *cost)
{
  const double teams = (double)(job->nodes * PetscMax(1, job->array_jobs)), speed = TeamSpeed(job->ranks_per_node);
  return PetscMax(cost->core_seconds / teams, cost->longest_s) / speed;
}

double BatchMemory_MiB(double node_bytes, double rank_bytes, PetscInt ranks)
{
  return ceil(MEMORY_FACTOR * (node_bytes + (double)ranks * rank_bytes) / 1048576.0 + (double)ranks * LIBRARIES_MIB);
}

/* Of the largest plan on a node of the job. */
static double NodeBytes(const BatchJob *job, const StudyCost *cost)
{
  return cost->bytes + (double)job->ranks_per_node * cost->own_bytes;
}

/* 'text', safe from the shell. */
static PetscErrorCode AddQuoted(Text *script, const char *text)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(script, "'"));
  for (; *text; text++) {
    if (*text == '\'')
      PetscCall(TextAdd(script, "'\\''"));
    else
      PetscCall(TextAdd(script, "%c", *text));
  }
  PetscCall(TextAdd(script, "'"));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddResources(const BatchJob *job, const StudyCost *cost, Text *script)
{
  PetscFunctionBegin;
  double limit_s = job->limit_s;
  if (limit_s <= 0) limit_s = PetscMin(LONGEST_S, PetscMax(SHORTEST_S, cost->time_factor * BatchExpected_s(job, cost)));
  const long minutes = (long)ceil(limit_s / 60);
  const long warning = (long)PetscMin(WARNING_S, limit_s / 4);
  PetscCall(TextAdd(script, "#SBATCH --job-name=%s\n#SBATCH --nodes=%d\n#SBATCH --ntasks-per-node=%d\n", job->name,
                    (int)job->nodes, (int)job->ranks_per_node));
  PetscCall(TextAdd(script, "#SBATCH --mem=%ldM\n#SBATCH --time=%ld:%02ld:00\n#SBATCH --signal=USR1@%ld\n",
                    (long)BatchMemory_MiB(cost->bytes, cost->own_bytes, job->ranks_per_node), minutes / 60,
                    minutes % 60, warning));
  if (job->array_jobs) PetscCall(TextAdd(script, "#SBATCH --array=1-%d\n", (int)job->array_jobs));
  PetscCall(TextAdd(script, "#SBATCH --requeue\n#SBATCH --output=%s-%s.log\n#SBATCH --open-mode=append\n", job->name,
                    job->array_jobs ? "%A-%a" : "%j"));
  for (PetscInt i = 0; i < job->n_sbatch; i++) PetscCall(TextAdd(script, "#SBATCH %s\n", job->sbatch[i]));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddEstimate(const BatchJob *job, const StudyCost *cost, Text *script)
{
  PetscFunctionBegin;
  char all[32], longest[32], expected[32];
  DurationText(cost->core_seconds, all);
  DurationText(cost->longest_s, longest);
  DurationText(BatchExpected_s(job, cost), expected);
  PetscCall(TextAdd(
      script,
      "# Estimate: %s of one core for all plans, %s for the longest; %.1f GiB for the largest on a node; about\n"
      "# %s for %s, %s.\n# Asked for are %.2g times that, %g times the memory and some for libraries.\n",
      all, longest, NodeBytes(job, cost) / 1073741824.0, expected, job->array_jobs ? "each job" : "the job",
      cost->basis, cost->time_factor, MEMORY_FACTOR));
  PetscFunctionReturn(0);
}

PetscErrorCode BatchScript(const BatchJob *job, const StudyCost *cost, Text *script)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(script, "#!/usr/bin/env bash\n"));
  PetscCall(AddResources(job, cost, script));
  PetscCall(AddEstimate(job, cost, script));
  PetscCall(TextAdd(script, "set -eu\nexport SLURM_MPI_TYPE=\"${SLURM_MPI_TYPE:-pmix}\"\n"));
  if (job->nodes > 1)
    PetscCall(TextAdd(script, "# Debian's Open MPI switches off one-sided communication over TCP.\n"
                              "if grep -qsE '^osc *= *\\^.*pt2pt' /etc/openmpi/openmpi-mca-params.conf; then\n"
                              "  export OMPI_MCA_osc=\"${OMPI_MCA_osc:-^ucx}\"\nfi\n"));
  PetscCall(TextAdd(script, "set -- run "));
  PetscCall(AddQuoted(script, job->study));
  PetscCall(TextAdd(script, " --results "));
  PetscCall(AddQuoted(script, job->results));
  for (PetscInt i = 0; i < job->n_set; i++) {
    PetscCall(TextAdd(script, " --set "));
    PetscCall(AddQuoted(script, job->set[i]));
  }
  if (job->array_jobs) PetscCall(TextAdd(script, " --array \"$SLURM_ARRAY_TASK_ID/%d\"", (int)job->array_jobs));
  PetscCall(TextAdd(script, "\nif [ \"${SLURM_RESTART_COUNT:-0}\" -gt 0 ]; then\n  set -- \"$@\" --resume\nfi\n"
                            "status=0\nsrun "));
  PetscCall(AddQuoted(script, job->program));
  PetscCall(TextAdd(script, " \"$@\" || status=$?\n"
                            "# Stopped with a checkpoint: once more.\n"
                            "if [ \"$status\" = 75 ] && [ \"${SLURM_RESTART_COUNT:-0}\" -lt 100 ]; then\n"
                            "  scontrol requeue \"$SLURM_JOB_ID\"\nfi\nexit \"$status\"\n"));
  PetscFunctionReturn(0);
}
