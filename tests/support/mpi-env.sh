# shellcheck shell=sh
# Settings of Open MPI for tests on one machine; sourced by run.sh and lib.sh, harmless with any other MPI.
if [ "$(id -u)" = 0 ]; then # containers
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
export OMPI_MCA_rmaps_base_oversubscribe=1      # more ranks than cores: results must not depend on them
export OMPI_MCA_mpi_yield_when_idle=1           # ... and waiting ranks must not hold a core
export OMPI_MCA_hwloc_base_binding_policy=none  # programs tested side by side would share core 0
export OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,vader # no network: quicker to start
export OMPI_MCA_btl_vader_single_copy_mechanism=none # needs ptrace, which containers refuse
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

# One program alone, without mpirun, starts no daemon beside it, which takes half of its time to start. Two at the same time need
# folders of their own.
mpi_alone() { # FOLDER
  export OMPI_MCA_ess_singleton_isolated=1 OMPI_MCA_orte_tmpdir_base="$1"
}
