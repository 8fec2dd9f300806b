/* Shared by the guard and the MPI calls that ask it. Free of PETSc, whose headers redefine names of MPI functions. */
#pragma once
#include <mpi.h>

/* Whether all ranks of a communicator go on: MPI_SUCCESS, or MPI_ERR_OTHER. Others than guarded ones always do. */
int GuardAsk(MPI_Comm comm);

/* Watch a communicator that came out of a guarded one; stop watching. Collective on `made`. */
int GuardWatch(MPI_Comm parent, MPI_Comm made);
int GuardForget(MPI_Comm comm);

/* The same for windows. */
void GuardWatchWindow(MPI_Comm comm, MPI_Win window);
int GuardAskWindow(MPI_Win window);
void GuardForgetWindow(MPI_Win window);
