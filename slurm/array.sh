#!/usr/bin/env bash
#SBATCH --job-name=robion
#SBATCH --array=1-8
#SBATCH --nodes=1
#SBATCH --ntasks=4
#SBATCH --mem-per-cpu=2G
#SBATCH --time=04:00:00
#SBATCH --signal=USR1@300
#SBATCH --output=robion-%A-%a.log
#SBATCH --open-mode=append
# One study in many small jobs:  sbatch [--array=1-N] slurm/array.sh STUDY.yaml [OPTIONS of robion run]
# Each job of the array plans its share into the same results folder. When all are done:
#   build/robion collect results/STUDY      merges the tables, compares the arms, lists what is missing
# Jobs that were stopped or lost: submit the same line again with --resume at its end.
set -eu
: "${1:?usage: sbatch slurm/array.sh STUDY.yaml [OPTIONS of robion run]}"
: "${SLURM_ARRAY_TASK_ID:?not a job of an array: submit it with sbatch --array=1-N}"
if [ "${SLURM_ARRAY_TASK_MIN:-1}" != 1 ] && [ -z "${ROBION_ARRAY_JOBS:-}" ]; then
  echo "the array does not count from 1: sbatch --array=1-N, or say ROBION_ARRAY_JOBS=N" >&2
  exit 2
fi

# Modules, as for the build:         module load openmpi petsc hdf5 gsl
# Or a container with robion in it:  robion=(apptainer exec --bind "$PWD" robion.sif robion)
robion=("${ROBION:-build/robion}")

# Open MPI starts under srun through PMIx; a site that has set another default keeps it.
export SLURM_MPI_TYPE="${SLURM_MPI_TYPE:-pmix}"

if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
  set -- "$@" --resume
fi

# The share is that of 1 ... N: where only some jobs are submitted again (--array=3,5), say ROBION_ARRAY_JOBS=N.
exec srun "${robion[@]}" run "$@" --array "$SLURM_ARRAY_TASK_ID/${ROBION_ARRAY_JOBS:-$SLURM_ARRAY_TASK_MAX}"
