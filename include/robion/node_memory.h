/**
 * Memory that the ranks of a node share. Part of base.
 *
 * Who writes: the rank that a part belongs to, before a NodeMemoryMeet; behind it all ranks of the node may read. What is too large for
 * the node is a PETSC_ERR_MEM that says how much was asked for, on every rank (failure.h: exit 5).
 */
#pragma once
#include <petscsys.h>

/** As much on the node's first rank, or on each; of several pages, if the system has them, huge ones. Collective on `node`. */
PetscErrorCode NodeMemoryCreate(MPI_Comm node, size_t bytes, PetscBool of_each, MPI_Win *window);
/** Where a rank's part is seen here; aligned for vectors. */
PetscErrorCode NodeMemoryGet(MPI_Win window, PetscMPIInt rank, void **out);
/** Wait until all ranks of the node have written what they share in n windows. Collective on `node`. */
PetscErrorCode NodeMemoryMeet(MPI_Comm node, int n, MPI_Win *window);
/** Collective on the node. */
PetscErrorCode NodeMemoryDestroy(MPI_Win *window);

/** An array that one rank has made, and that all are to read: the address of its pointer, and its bytes there. */
typedef struct NodeArray {
  void *data; /* void **, in the way of PetscFree */
  size_t bytes;
} NodeArray;

/** One copy on each node of some arrays; all zero: of none. */
typedef struct NodeCopies {
  MPI_Comm node;
  MPI_Win window;
  PetscBool there;
} NodeCopies;

/**
 * Give n arrays of rank `root` to all ranks of comm, one copy on each node. Root's were made by PetscMalloc and are freed; behind the
 * call every rank's pointers show its node's copy (NULL where root's are), which nobody writes or frees: it goes with
 * NodeCopiesDestroy. Bytes count on root alone. Collective.
 */
PetscErrorCode NodeCopiesCreate(MPI_Comm comm, PetscMPIInt root, PetscInt n, const NodeArray *array, NodeCopies *copy);
/** The arrays are gone then. Collective on the ranks of comm; none of nothing. */
PetscErrorCode NodeCopiesDestroy(NodeCopies *copy);

/** Broadcast of any size: MPI counts are int. Collective. */
PetscErrorCode BroadcastBytes(MPI_Comm comm, PetscMPIInt root, void *data, size_t bytes);
