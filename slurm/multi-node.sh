#!/usr/bin/env bash
#SBATCH --job-name=robion
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=16
#SBATCH --mem-per-cpu=2G
#SBATCH --time=04:00:00
#SBATCH --signal=USR1@300
#SBATCH --output=robion-%j.log
#SBATCH --open-mode=append
# One study on several nodes:  sbatch slurm/multi-node.sh STUDY.yaml [OPTIONS of robion run]
# Each node plans one patient at a time (--team-size node, the default) and takes the next plan when it is free, so the
# results folder has to be on a file system that all nodes see.
set -eu
: "${1:?usage: sbatch slurm/multi-node.sh STUDY.yaml [OPTIONS of robion run]}"

# Modules, as for the build:         module load openmpi petsc hdf5 gsl
# Or a container with robion in it:  robion=(apptainer exec --bind "$PWD" robion.sif robion)
robion=("${ROBION:-build/robion}")

# Open MPI starts under srun through PMIx; a site that has set another default keeps it.
export SLURM_MPI_TYPE="${SLURM_MPI_TYPE:-pmix}"

# Debian's Open MPI switches off what passes the queue of plans between nodes over TCP: switch it on again.
if grep -qsE '^osc *= *\^.*pt2pt' /etc/openmpi/openmpi-mca-params.conf; then
  export OMPI_MCA_osc="${OMPI_MCA_osc:-^ucx}"
fi

# Losing a node ends the job; SLURM puts it back into the queue, and it keeps every plan that was finished.
if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ]; then
  set -- "$@" --resume
fi

exec srun "${robion[@]}" run "$@"
