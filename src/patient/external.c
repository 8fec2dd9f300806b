/*
 * The patient's outline, where a case has none: what is denser than half of water, in one piece, without holes.
 *
 * A CT shows more than the patient: couch, mattress, mask. With no external structure all of it would lie in the beams' way,
 * which it does not at treatment. The largest piece of voxels above -500 HU that share faces is the patient; -500 HU is where a
 * voxel is half air and half tissue. Then the holes of each transversal slice (lungs, bowel gas) are filled: air that is cut off
 * from the slice's rim. Couches that touch the patient stay in, which only a drawn outline can mend.
 */
#include "robion/structure.h"
#include "structure_private.h"
#include <string.h>

/* Starts of rows' pieces that are still to be flooded. */
typedef struct Seeds {
  PetscInt n, capacity;
  size_t *voxel;
} Seeds;

static PetscErrorCode AddSeed(Seeds *seeds, size_t voxel)
{
  PetscFunctionBegin;
  if (seeds->n == seeds->capacity) {
    seeds->capacity = 2 * seeds->capacity + 1024;
    PetscCall(PetscRealloc((size_t)seeds->capacity * sizeof *seeds->voxel, &seeds->voxel));
  }
  seeds->voxel[seeds->n++] = voxel;
  PetscFunctionReturn(0);
}

/* One seed for every piece of `from` in the part [first, last] of a row. */
static PetscErrorCode SeedRow(const unsigned char *state, unsigned char from, size_t first, size_t last, Seeds *seeds)
{
  PetscFunctionBegin;
  for (size_t v = first; v <= last; v++)
    if (state[v] == from && (v == first || state[v - 1] != from)) PetscCall(AddSeed(seeds, v));
  PetscFunctionReturn(0);
}

/* Turn the piece of `from` (face neighbours) that holds the voxel into `to`, row by row; returns its number of voxels. */
static PetscErrorCode Flood(const PetscInt n[3], unsigned char *state, unsigned char from, unsigned char to,
                            size_t voxel, Seeds *seeds, size_t *count)
{
  PetscFunctionBegin;
  const size_t nx = (size_t)n[0], slice = nx * (size_t)n[1], all = slice * (size_t)n[2];
  *count = 0;
  PetscCall(AddSeed(seeds, voxel));
  while (seeds->n) {
    const size_t seed = seeds->voxel[--seeds->n], row = seed - seed % nx;
    size_t first = seed, last = seed;
    if (state[seed] != from) continue;
    while (first > row && state[first - 1] == from) first--;
    while (last + 1 < row + nx && state[last + 1] == from) last++;
    memset(state + first, to, last - first + 1);
    *count += last - first + 1;
    if (seed % slice >= nx) PetscCall(SeedRow(state, from, first - nx, last - nx, seeds));
    if (seed % slice < slice - nx) PetscCall(SeedRow(state, from, first + nx, last + nx, seeds));
    if (seed >= slice) PetscCall(SeedRow(state, from, first - slice, last - slice, seeds));
    if (seed + slice < all) PetscCall(SeedRow(state, from, first + slice, last + slice, seeds));
  }
  PetscFunctionReturn(0);
}

enum { AIR, TISSUE, SEEN, BODY }; /* of a voxel; while holes are filled: SEEN is air that reaches the slice's rim */

/* The largest piece of tissue becomes BODY; none: *found is false. */
static PetscErrorCode KeepLargest(const Grid *ct, unsigned char *state, Seeds *seeds, PetscBool *found)
{
  PetscFunctionBegin;
  size_t largest = 0, at = 0, count;
  for (size_t v = 0; v < GridSize(ct); v++) {
    if (state[v] != TISSUE) continue;
    PetscCall(Flood(ct->n, state, TISSUE, SEEN, v, seeds, &count));
    if (count > largest) {
      largest = count;
      at = v;
    }
  }
  *found = largest ? PETSC_TRUE : PETSC_FALSE;
  if (largest) PetscCall(Flood(ct->n, state, SEEN, BODY, at, seeds, &count));
  for (size_t v = 0; v < GridSize(ct); v++) state[v] = state[v] == BODY ? BODY : AIR;
  PetscFunctionReturn(0);
}

static PetscErrorCode FillHoles(const Grid *ct, unsigned char *state, Seeds *seeds)
{
  PetscFunctionBegin;
  const PetscInt plane[3] = {ct->n[0], ct->n[1], 1};
  const size_t size = (size_t)ct->n[0] * (size_t)ct->n[1];
  size_t count;
  for (PetscInt k = 0; k < ct->n[2]; k++) {
    unsigned char *slice = state + (size_t)k * size;
    for (size_t v = 0; v < size; v++) {
      const PetscInt i = (PetscInt)(v % (size_t)ct->n[0]), j = (PetscInt)(v / (size_t)ct->n[0]);
      const PetscBool rim = i == 0 || j == 0 || i == ct->n[0] - 1 || j == ct->n[1] - 1 ? PETSC_TRUE : PETSC_FALSE;
      if (rim && slice[v] == AIR) PetscCall(Flood(plane, slice, AIR, SEEN, v, seeds, &count));
    }
    for (size_t v = 0; v < size; v++) slice[v] = slice[v] == SEEN ? AIR : BODY;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CaseDeriveExternal(Case *patient)
{
  PetscFunctionBegin;
  const Grid *ct = &patient->ct;
  unsigned char *state;
  Seeds seeds = {0};
  PetscBool found;
  if (CaseFindExternal(patient) >= 0) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(GridSize(ct), &state));
  for (size_t v = 0; v < GridSize(ct); v++) state[v] = patient->hu[v] > EXTERNAL_THRESHOLD_HU ? TISSUE : AIR;
  PetscCall(KeepLargest(ct, state, &seeds, &found));
  if (found) {
    PetscCall(FillHoles(ct, state, &seeds));
    for (size_t v = 0; v < GridSize(ct); v++) state[v] = state[v] == BODY;
    PetscCall(StructureAdd(patient, DERIVED_EXTERNAL, ROLE_EXTERNAL, state));
  } else
    PetscCall(PetscFree(state));
  PetscCall(PetscFree(seeds.voxel));
  PetscFunctionReturn(0);
}
