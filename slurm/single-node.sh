#!/usr/bin/env bash
#SBATCH --job-name=robion
#SBATCH --nodes=1
#SBATCH --ntasks=4
#SBATCH --mem-per-cpu=2G
#SBATCH --time=01:00:00
#SBATCH --signal=USR1@120
#SBATCH --output=robion-%j.log
#SBATCH --open-mode=append
# One study on one node:  sbatch slurm/single-node.sh STUDY.yaml [OPTIONS of robion run]
# Submit from the folder that holds build/robion; options of sbatch before the script's name override those above.
set -eu
: "${1:?usage: sbatch slurm/single-node.sh STUDY.yaml [OPTIONS of robion run]}"

# Modules, as for the build:         module load openmpi petsc hdf5 gsl
# Or a container with robion in it:  robion=(apptainer exec --bind "$PWD" robion.sif robion)
robion=("${ROBION:-build/robion}")

# Open MPI starts under srun through PMIx; a site that has set another default keeps it.
export SLURM_MPI_TYPE="${SLURM_MPI_TYPE:-pmix}"

# A job that SLURM has put back into the queue goes on where it stopped.
if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
  set -- "$@" --resume
fi

exec srun "${robion[@]}" run "$@"
