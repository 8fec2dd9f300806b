/**
 * Where a result comes from: the program, its libraries, the command, the machine it ran on, and the files it read.
 * Part of base.
 */
#pragma once
#include "robion/hdf5.h"
#include <stdint.h>
#include <stdio.h>

/** Facts of one run; plain data, may be copied by assignment. */
typedef struct Provenance {
  char version[32], git[64]; /* of robion; git: describe --dirty of the checkout it was built from */
  char compiler[96], flags[512];
  char petsc[48], mpi[96], hdf5[32], libyaml[32], gsl[32]; /* as loaded at run time */
  char command[4096];
  char host[256], job[64]; /* of rank 0; job: the SLURM job id, "" outside SLURM */
  char started[32];        /* ISO 8601, UTC */
  char study_hash[17];
  PetscMPIInt ranks;
} Provenance;

/** What a file is to a plan. */
typedef enum {
  INPUT_STUDY,
  INPUT_CASE,
  INPUT_BASE_DATA,
  INPUT_FRAGMENTATION,
  INPUT_RBE_TABLE,
  N_INPUT_KINDS
} InputKind;
extern const char
    *const input_kind_names[N_INPUT_KINDS]; /* "study", "case", "base_data", "fragmentation", "rbe_table" */

/** A file the run read. */
typedef struct InputFile {
  char kind[24]; /* of input_kind_names */
  char path[PETSC_MAX_PATH_LEN];
  char hash[17];   /* FNV-1a 64 of its bytes, hexadecimal; "": it could not be read */
  long long bytes; /* it has */
} InputFile;

/** Version and libraries only: needs neither PETSc nor MPI to be initialised. */
void ProvenanceBuild(Provenance *provenance);

/** Everything; equal on every rank (rank 0's facts). study_hash may be NULL. Collective. */
PetscErrorCode ProvenanceFill(MPI_Comm comm, int argc, char *const *argv, const char *study_hash,
                              Provenance *provenance);

/** Go on with an FNV-1a 64 hash over more bytes; start with hash = HASH_START. */
#define HASH_START UINT64_C(0xcbf29ce484222325)
uint64_t HashBytes(uint64_t hash, const void *bytes, size_t n);

/** Whether a file, which can be read, has another content than when it was an input. Not collective. */
PetscBool InputFileChanged(const InputFile *input);

/** Fill in hash and size of a file of which the path is known. One that cannot be read is a mistake (ROBION_INPUT). Not collective. */
PetscBool InputFileRead(InputFile *input, Mistakes *mistakes);
/** The same on rank 0, which tells all ranks. Collective. */
PetscErrorCode InputFileHash(MPI_Comm comm, Mistakes *mistakes, InputFile *input);

/** Write <folder>/provenance<part>.json (temporary name, then rename; part as for LogOpen). Not collective. */
PetscBool ProvenanceWriteJSON(const Provenance *provenance, PetscInt n_inputs, const InputFile *inputs,
                              const char *folder, const char *part, Mistakes *mistakes);

/** Write everything as string attributes of the group /provenance of an open file (by all ranks if it is a parallel one). */
void ProvenanceWriteHDF5(const Provenance *provenance, PetscInt n_inputs, const InputFile *inputs, H5Sink *sink);

/** Version, build and libraries, one aligned line each (`robion info`). */
void ProvenancePrint(const Provenance *provenance, FILE *out);
