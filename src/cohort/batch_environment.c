/*
 * What a job inherits from the process that submits it. sbatch hands its whole environment on, so that the variables by which MPI,
 * PMIx and SLURM tell a process which one it is would tell the job that it is another: one that is over by then, of other tasks and
 * memory. What the user has set stays.
 */
#include "robion/batch.h"
#include <string.h>

/* The longest that a name begins with counts; names without any are handed on. */
static const struct {
  const char *prefix;
  PetscBool inherited;
} rules[] = {{"PMIX_", PETSC_FALSE},
             {"PMI_", PETSC_FALSE},
             {"PMI2_", PETSC_FALSE},
             {"ORTE_", PETSC_FALSE},
             {"PRTE_", PETSC_FALSE},
             {"HYDI_", PETSC_FALSE},
             {"OMPI_", PETSC_FALSE},
             {"OMPI_ALLOW_RUN_AS_ROOT", PETSC_TRUE},
             {"OMPI_MCA_", PETSC_TRUE}, /* settings, but for those that mpirun and MPI_Init make */
             {"OMPI_MCA_ess", PETSC_FALSE},
             {"OMPI_MCA_orte_", PETSC_FALSE},
             {"OMPI_MCA_pmix", PETSC_FALSE},
             {"OMPI_MCA_initial_wdir", PETSC_FALSE},
             {"OMPI_MCA_mpi_oversubscribe", PETSC_FALSE},
             {"OMPI_MCA_shmem_RUNTIME_", PETSC_FALSE},
             {"SLURM_", PETSC_FALSE},
             {"SLURMD_", PETSC_FALSE},
             {"SLURM_CLUSTERS", PETSC_TRUE}, /* what sbatch and srun read themselves */
             {"SLURM_CONF", PETSC_TRUE},
             {"SLURM_MPI_TYPE", PETSC_TRUE}};

PetscBool BatchInherits(const char *variable)
{
  size_t longest = 0;
  PetscBool inherited = PETSC_TRUE;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(rules); i++) {
    const size_t length = strlen(rules[i].prefix);
    if (length <= longest || strncmp(variable, rules[i].prefix, length)) continue;
    longest = length;
    inherited = rules[i].inherited;
  }
  return inherited;
}
