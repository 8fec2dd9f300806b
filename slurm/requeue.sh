#!/usr/bin/env bash
#SBATCH --job-name=robion
#SBATCH --nodes=1
#SBATCH --ntasks=16
#SBATCH --mem-per-cpu=2G
#SBATCH --time=04:00:00
#SBATCH --signal=USR1@300
#SBATCH --requeue
#SBATCH --output=robion-%j.log
#SBATCH --open-mode=append
# One study until it is done, however often the time limit strikes:
#   sbatch slurm/requeue.sh STUDY.yaml [OPTIONS of robion run]
# Five minutes before the limit SLURM sends SIGUSR1; robion saves a checkpoint and ends with 75, and the job goes back into
# the queue, where it resumes. A short --time gets through busy queues sooner.
set -eu
: "${1:?usage: sbatch slurm/requeue.sh STUDY.yaml [OPTIONS of robion run]}"
most_restarts=100 # something is wrong with a study that needs more

# Modules, as for the build:         module load openmpi petsc hdf5 gsl
# Or a container with robion in it:  robion=(apptainer exec --bind "$PWD" robion.sif robion)
robion=("${ROBION:-build/robion}")

# Open MPI starts under srun through PMIx; a site that has set another default keeps it.
export SLURM_MPI_TYPE="${SLURM_MPI_TYPE:-pmix}"

if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
  set -- "$@" --resume
fi

status=0
srun "${robion[@]}" run "$@" || status=$?
if [ "$status" = 75 ] && [ "${SLURM_RESTART_COUNT:-0}" -lt "$most_restarts" ]; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
