/* Memory that the ranks of a node share. */
#pragma once
#include <petscsys.h>

/* As much on the node's first rank, or on each; of several pages, if the system has them, huge ones. Collective on `node`. */
PetscErrorCode NodeMemoryCreate(MPI_Comm node, size_t bytes, PetscBool of_each, MPI_Win *window);
/* Where a rank's part is seen here; aligned for vectors. */
PetscErrorCode NodeMemoryGet(MPI_Win window, PetscMPIInt rank, void **out);
/* Wait until all ranks of the node have written what they share in n windows. Collective on `node`. */
PetscErrorCode NodeMemoryMeet(MPI_Comm node, int n, MPI_Win *window);
/* Collective on the node. */
PetscErrorCode NodeMemoryDestroy(MPI_Win *window);
