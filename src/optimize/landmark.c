/*
 * Landmarks: what a term must know of all its voxels together. Extremes are found exactly by any order of comparing; the dose
 * that a volume gets needs all values in one place, put there in the order of the voxels whatever rank they come from.
 */
#include "problem_private.h"
#include <math.h>
#include <stdlib.h>

static LandmarkKind KindOf(Problem p, PetscInt t, PetscInt slot)
{
  const Term *term = &p->spec.term[t];
  const ObjectiveType *type = RobustSlotType(p->spec.robust, term, p->spec.set, slot);
  if (!p->slot_used[t * p->n_slot + slot] || !type || !type->landmark) return LANDMARK_NONE;
  return (*type->landmark)(&term->parameters);
}

/* Highest, or minus the lowest, value of a slot in the local blocks. */
static double LocalExtreme(Problem p, PetscInt t, PetscInt slot, double sign)
{
  double highest = -INFINITY;
  for (PetscInt k = 0; k < p->n_local; k++) {
    const TermPart *part = &p->block[k].part[t];
    for (PetscInt i = 0; i < part->end - part->begin; i++)
      highest = PetscMax(highest, sign * SlotValue(part, p->spec.set->n, slot, i));
  }
  return highest;
}

typedef struct Sample {
  double value, share;
  PetscInt index; /* makes the order of equal values that of the voxels */
} Sample;

static int HigherFirst(const void *left, const void *right)
{
  const Sample *a = left, *b = right;
  if (a->value != b->value) return a->value > b->value ? -1 : 1;
  return a->index < b->index ? -1 : 1;
}

/* D_v of n samples, and the part of those exactly at it that belongs to the hottest volume. */
static Landmark VolumeLandmark(PetscInt n, Sample *sample, double volume)
{
  double above = 0;
  qsort(sample, (size_t)n, sizeof *sample, HigherFirst);
  for (PetscInt first = 0, next; first < n; first = next) {
    double here = 0;
    for (next = first; next < n && sample[next].value == sample[first].value; next++) here += sample[next].share;
    if (above + here >= volume || next == n)
      return (Landmark){sample[first].value, PetscClipInterval((volume - above) / here, 0, 1)};
    above += here;
  }
  return (Landmark){0, 0};
}

/* All values of a slot, in the order of the term's voxels, on one rank. */
static PetscErrorCode GatherSlot(Problem p, PetscInt t, PetscInt slot, PetscMPIInt owner, double *mine, double *all)
{
  PetscFunctionBegin;
  const PetscInt n = p->spec.term[t].n;
  PetscCall(PetscArrayzero(mine, n));
  for (PetscInt k = 0; k < p->n_local; k++) {
    const TermPart *part = &p->block[k].part[t];
    for (PetscInt i = part->begin; i < part->end; i++) mine[i] = SlotValue(part, p->spec.set->n, slot, i - part->begin);
  }
  /* Each entry has one owner and zeros elsewhere: this sum is exact in any order. */
  PetscCallMPI(MPI_Reduce(mine, all, (PetscMPIInt)n, MPI_DOUBLE, MPI_SUM, owner, p->comm));
  PetscFunctionReturn(0);
}

/* Volume landmarks of a term; its slots are dealt to the ranks, which leave what they find in p->landmark. */
static PetscErrorCode FindVolumes(Problem p, PetscInt t)
{
  PetscFunctionBegin;
  const Term *term = &p->spec.term[t];
  double *mine, *all;
  Sample *sample;
  PetscCall(PetscMalloc3(term->n, &mine, term->n, &all, term->n, &sample));
  for (PetscInt slot = 0; slot < p->n_slot; slot++) {
    const PetscMPIInt owner = (PetscMPIInt)(slot % p->size);
    if (KindOf(p, t, slot) != LANDMARK_VOLUME) continue;
    PetscCall(GatherSlot(p, t, slot, owner, mine, all));
    if (p->rank != owner) continue;
    for (PetscInt i = 0; i < term->n; i++) sample[i] = (Sample){all[i], term->share[i], i};
    p->landmark[t * p->n_slot + slot] = VolumeLandmark(term->n, sample, term->parameters.volume);
  }
  PetscCall(PetscFree3(mine, all, sample));
  PetscFunctionReturn(0);
}

PetscErrorCode ProblemFindLandmarks(Problem p)
{
  PetscFunctionBegin;
  const PetscInt n = p->spec.n_term * p->n_slot;
  PetscBool extremes = PETSC_FALSE, volumes = PETSC_FALSE;
  double *sign, *highest;
  PetscCall(PetscCalloc2(n, &sign, n, &highest));
  PetscCall(PetscArrayzero(p->landmark, n));
  for (PetscInt t = 0; t < p->spec.n_term; t++) {
    PetscBool of_term = PETSC_FALSE;
    for (PetscInt slot = 0, i = t * p->n_slot; slot < p->n_slot; slot++, i++) {
      const LandmarkKind kind = KindOf(p, t, slot);
      if (kind == LANDMARK_VOLUME) of_term = volumes = PETSC_TRUE;
      if (kind != LANDMARK_HIGHEST && kind != LANDMARK_LOWEST) continue;
      extremes = PETSC_TRUE;
      sign[i] = kind == LANDMARK_HIGHEST ? 1 : -1;
      highest[i] = LocalExtreme(p, t, slot, sign[i]);
    }
    if (of_term) PetscCall(FindVolumes(p, t));
  }
  if (volumes)
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, p->landmark, (PetscMPIInt)(2 * n), MPI_DOUBLE, MPI_SUM, p->comm));
  if (extremes) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, highest, (PetscMPIInt)n, MPI_DOUBLE, MPI_MAX, p->comm));
  for (PetscInt i = 0; i < n; i++)
    if (sign[i] != 0) p->landmark[i].value = sign[i] * highest[i];
  PetscCall(PetscFree2(sign, highest));
  PetscFunctionReturn(0);
}
