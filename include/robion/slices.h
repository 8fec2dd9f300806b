/**
 * A vector in slices, one per rank, and sums over it that do not depend on the number of ranks. Part of base.
 *
 * The vector is cut into blocks of SLICE_BLOCK entries, and every rank owns whole blocks, one behind the other. A sum is taken
 * over each block by the rank that owns it, and over the blocks in their order by all ranks: the same additions, whoever
 * does them.
 */
#pragma once
#include <petscsys.h>

enum { SLICE_BLOCK = 256 };

typedef struct Slices {
  MPI_Comm comm;
  PetscMPIInt rank, size;
  PetscInt n, first, n_own;           /* entries of the vector; [first, first + n_own) are this rank's */
  PetscMPIInt *start, *count;         /* [size] the same of every rank */
  PetscMPIInt *block_start, *n_block; /* [size] in blocks */
} Slices;

/** Deal n entries to the ranks of comm: evenly, or all of them to rank 0. Collective. */
PetscErrorCode SlicesCreate(MPI_Comm comm, PetscInt n, PetscBool on_first, Slices *slices);
PetscErrorCode SlicesDestroy(Slices *slices);

/** Two slices of n_own entries whose products are added up; b NULL: a itself is. */
typedef struct Factors {
  const double *a, *b;
} Factors;

/** sum[i] = sum_j mask[j] a[j] b[j] of m pairs; mask [n_own] or NULL. Every rank gets the same bits. Collective. */
PetscErrorCode SlicesDots(const Slices *slices, PetscInt m, const Factors *factors, const double *mask, double *sum);
/** One such sum, without a mask. */
PetscErrorCode SlicesDot(const Slices *slices, const double *a, const double *b, double *sum);

/** whole[n] on every rank from all slices. Collective. */
PetscErrorCode SlicesGather(const Slices *slices, const double *own, double *whole);
/** Rows of such vectors, own[rows][n_own], to whole[rows][n] on rank 0 (NULL elsewhere); and back. Collective. */
PetscErrorCode SlicesCollect(const Slices *slices, PetscInt rows, const double *own, double *whole);
PetscErrorCode SlicesDeal(const Slices *slices, PetscInt rows, const double *whole, double *own);
