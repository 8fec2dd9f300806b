/*
 * Fuzzing of what is made of TRiP98's spectra, with libFuzzer; no part of the test suite (see fuzz_trip.c):
 *
 *   OMPI_CC=clang mpicc -g -O1 -std=gnu11 -fsanitize=fuzzer,address,undefined -Iinclude $(pkg-config --cflags PETSc hdf5-openmpi gsl) \
 *     tests/fuzz/fuzz_trip_machine.c build/librobion.a $(pkg-config --libs PETSc hdf5-openmpi gsl) -lmatio -lm -o build/fuzz_machine
 *
 * Any spectra that can be read give a machine that passes its check, or one mistake.
 */
#include "../../src/exchange/trip98/trip_private.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SPECIES = 40 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  (void)argc, (void)argv;
  return PetscInitializeNoArguments() ? 1 : 0;
}

/* The species of all depths; -1 if there are more than fit. */
static PetscInt Collect(const TripSpectra *spectra, Species species[MOST_SPECIES])
{
  PetscInt n = 0;
  for (PetscInt d = 0; d < spectra->n; d++)
    for (PetscInt k = 0; k < spectra->depth[d].n; k++) {
      Species found = spectra->depth[d].spectrum[k].species;
      PetscInt s = 0;
      while (s < n && (species[s].Z != found.Z || species[s].A != found.A)) s++;
      if (s == MOST_SPECIES) return -1;
      species[s] = found;
      n = PetscMax(n, s + 1);
    }
  return n;
}

static void Import(const TripSpectra *spectra, PetscInt n_species, const Species *species)
{
  static const TripMachineSpec spec = {.spot_fwhm_mm = 8};
  TripDepth depth[] = {{0, 100, 0.1, 0, 0}, {1, 150, 0.1, 0.2, 1}, {8, 900, 0.2, 0.1, 1}, {12, 1e-3, 0.3, 0, 0}};
  TripDepthDose dose = {.species = {6, 12}, .energy_MeV_u = spectra->energy_MeV_u, .lateral = PETSC_TRUE, .n = 4};
  Machine *m;
  Mistakes mistakes = {0};
  dose.depth = depth;
  if (MachineFromTrip(&spec, 1, &dose, n_species, species, "fuzz", &mistakes, &m) || !m) abort();
  if (MachineSetTripSpectra(m, spectra, "fuzz", &mistakes)) abort();
  if (!mistakes.n && MachineCheck(m, "fuzz", &mistakes)) abort();
  if (mistakes.n > 1) abort();
  if (MachineDestroy(&m) || MistakesClear(&mistakes)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  Mistakes mistakes = {0};
  TripSpectra spectra;
  Species species[MOST_SPECIES];
  char *copy = malloc(size + 1);
  memcpy(copy, data, size);
  copy[size] = 0;
  if (TripSpectraParse("file", copy, size, &mistakes, &spectra)) abort();
  free(copy);
  PetscInt n = Collect(&spectra, species);
  if (n > 0 && spectra.energy_MeV_u > 50 && spectra.energy_MeV_u < 1000) Import(&spectra, n, species);
  if (TripSpectraDestroy(&spectra) || MistakesClear(&mistakes)) abort();
  return 0;
}
