/*
 * Fuzzing of contours with libFuzzer; no part of the test suite:
 *
 *   OMPI_CC=clang mpicc -g -O1 -std=gnu11 -fsanitize=fuzzer,address,undefined -Iinclude $(pkg-config --cflags PETSc) \
 *     tests/fuzz/fuzz_contours.c tests/support/keep_plugins.c src/patient/contours*.c $(pkg-config --libs PETSc) -lm -o build/fuzz_contours
 *   mkdir -p build/corpus_contours && OMPI_MCA_opal_signal= build/fuzz_contours -max_len=4096 -max_total_time=1800 build/corpus_contours
 *
 * Any rings become a mask, whose voxels are counted right; neither the order of the rings nor their direction matters; the outlines of
 * the mask make the same mask again, unless its slices are all apart, without anything else that a user would be told of.
 */
#include "robion/contours.h"
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define Sure(wrong)                                                                                                    \
  do {                                                                                                                 \
    if (wrong) {                                                                                                       \
      fprintf(stderr, "line %d: " #wrong "\n", __LINE__);                                                              \
      abort();                                                                                                         \
    }                                                                                                                  \
  } while (0)

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
  return PetscInitializeNoArguments() ? 1 : 0;
}

/* What is left of the input. */
typedef struct Bytes {
  const uint8_t *at;
  size_t n;
} Bytes;

static int Take(Bytes *b)
{
  if (!b->n) return 0;
  b->n--;
  return *b->at++;
}

/* A coordinate: on a lattice of half voxels, as text has it, or any bits. */
static double TakePlace(Bytes *b, int kind)
{
  double any = 0;
  if (kind < 2) return 0.5 * (Take(b) % 40) - 2;
  if (kind == 2) return (Take(b) + 256 * Take(b)) * 1e-3 - 20;
  for (size_t k = 0; k < sizeof any; k++) ((uint8_t *)&any)[k] = (uint8_t)Take(b);
  return any;
}

static void TakeRing(Bytes *b, Contours *contours)
{
  double point[64][3];
  const int n = Take(b) % 64, kind = Take(b) % 4;
  const double z = TakePlace(b, Take(b) % 4);
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < 2; k++) point[i][k] = TakePlace(b, kind);
    point[i][2] = kind == 3 ? TakePlace(b, 3) : z;
  }
  Sure(ContoursAddRing(contours, n, (const double(*)[3])point));
}

/* The rings from the last to the first, each run backwards. */
static void Reverse(const Contours *from, Contours *to)
{
  PetscInt end = from->n_points;
  for (PetscInt r = from->n_rings; r-- > 0; end -= from->ring_points[r]) {
    double point[64][3];
    const PetscInt n = from->ring_points[r];
    for (PetscInt i = 0; i < n; i++) memcpy(point[i], from->point_mm[end - 1 - i], sizeof *point);
    Sure(ContoursAddRing(to, n, (const double(*)[3])point));
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  Bytes b = {data, size};
  const Grid grid = {{1 + Take(&b) % 17, 1 + Take(&b) % 13, 1 + Take(&b) % 6},
                     {Take(&b) % 2 ? 1 : 0.9765625, 1, Take(&b) % 2 ? 1 : 2.5},
                     {Take(&b) % 2 ? 0 : -0.123456, 0, 0}};
  const size_t n = GridSize(&grid);
  unsigned char *mask = malloc(n), *other = malloc(n);
  Contours contours = {0}, reversed = {0}, traced;
  ContourCounts counts, again;
  for (int r = 0; r < 40 && b.n; r++) TakeRing(&b, &contours);
  memset(mask, 77, n);
  Sure(ContoursToMask(&grid, &contours, mask, &counts));
  size_t voxels = 0;
  for (size_t v = 0; v < n; v++) {
    Sure(mask[v] > 1);
    voxels += mask[v];
  }
  Sure(voxels != counts.voxels || counts.rings != contours.n_rings);
  Reverse(&contours, &reversed);
  Sure(ContoursToMask(&grid, &reversed, other, &again));
  Sure(memcmp(mask, other, n) || memcmp(&counts, &again, sizeof counts));
  Sure(ContoursOfMask(&grid, mask, &traced));
  Sure(ContoursToMask(&grid, &traced, other, &again));
  Sure(memcmp(mask, other, n) && !again.between);
  Sure(again.few_points || again.crossed || again.merged_slices || again.cut || again.tiny);
  Sure(ContoursDestroy(&contours) || ContoursDestroy(&reversed) || ContoursDestroy(&traced));
  free(mask);
  free(other);
  return 0;
}
