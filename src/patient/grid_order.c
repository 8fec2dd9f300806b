/* An order of voxels that keeps neighbours together: what looks volumes up in turn finds them in the cache. */
#include "robion/structure.h"
#include <stdint.h>
#include <stdlib.h>

typedef struct OrderedVoxel {
  uint64_t key;
  PetscInt voxel;
  float fraction;
} OrderedVoxel;

/* The bits of n with two zeros between neighbours; n below 2^21. */
static uint64_t SpreadBits(uint64_t n)
{
  n = (n | n << 32) & UINT64_C(0x1f00000000ffff);
  n = (n | n << 16) & UINT64_C(0x1f0000ff0000ff);
  n = (n | n << 8) & UINT64_C(0x100f00f00f00f00f);
  n = (n | n << 4) & UINT64_C(0x10c30c30c30c30c3);
  return (n | n << 2) & UINT64_C(0x1249249249249249);
}

static int CompareKeys(const void *a, const void *b)
{
  const OrderedVoxel *p = a, *q = b;
  return (p->key > q->key) - (p->key < q->key);
}

PetscErrorCode GridOrderCompact(const Grid *grid, PetscInt n, PetscInt *voxel, float *fraction)
{
  PetscFunctionBegin;
  OrderedVoxel *list;
  PetscCall(PetscMalloc1(n, &list));
  for (PetscInt i = 0; i < n; i++) {
    const uint64_t nx = (uint64_t)grid->n[0], ny = (uint64_t)grid->n[1], v = (uint64_t)voxel[i];
    list[i].key = SpreadBits(v % nx) | SpreadBits(v / nx % ny) << 1 | SpreadBits(v / (nx * ny)) << 2;
    list[i].voxel = voxel[i];
    list[i].fraction = fraction ? fraction[i] : 0;
  }
  qsort(list, (size_t)n, sizeof *list, CompareKeys);
  for (PetscInt i = 0; i < n; i++) {
    voxel[i] = list[i].voxel;
    if (fraction) fraction[i] = list[i].fraction;
  }
  PetscCall(PetscFree(list));
  PetscFunctionReturn(0);
}
