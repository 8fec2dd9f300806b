/*
 * Spots split into sub-beams, each with the water-equivalent depth of its own ray.
 *
 * A Gaussian is the convolution of two narrower ones. A spot of sigma in air is a sum of sub-beams of sigma sqrt(1 - moved) on a
 * lattice in the isocentre plane, weighted by a Gaussian of sigma sqrt(moved) (after Kanematsu et al., PMB 54:2015, 2009). The
 * lattice is common to all spots of a beam, so a sub-beam is traced once, and spots -> sub-beams is one sparse operator for all
 * scenarios. Its pitch keeps the sum within 1e-4 of the Gaussian. What scatters in water is wider by as much for every sub-beam.
 * Components that are far wider than the first, light fragments, are not split: they blur what splitting resolves.
 */
#pragma once
#include "influence_private.h"

/* Distance between samples of the depth along a sub-beam; linear in between. */
#define TRACE_MM 1.0

/* Sub-beams of one beam: lattice points, and the run of the fine beam at each that is used, else -1. */
typedef struct Lattice {
  double pitch_mm, x0_mm, y0_mm;
  PetscInt nx, ny, *run;
} Lattice;

/* Depth along all sub-beams of a beam in one view. */
typedef struct Trace {
  View view;
  double w0_mm; /* of the first sample along the beam */
  PetscInt beam, n;
  float *wepl_mm;    /* [run][n] in the patient, without range error */
  double *passed_mm; /* [run] before it */
  MPI_Win window;    /* of both, where ranks of a node share them; else MPI_WIN_NULL */
  struct Trace *next;
} Trace;

struct Splitting_s {
  const struct DoseModel_s *model; /* of the spots */
  double moved;                    /* share of a spot's variance in air that goes to the places of its sub-beams */
  BeamSet fine;                    /* sub-beams as spots, each run one ray with all layers */
  DoseModel fine_model;
  Lattice *lattice; /* [beam] */
  Trace *trace;
  double *weight, *fine_weight,
      *fine_gradient; /* the last spot weights and what they make of the sub-beams'; scratch */
};

PetscErrorCode SplittingCreate(const struct DoseModel_s *model, Splitting *out);
PetscErrorCode SplittingDestroy(Splitting *split);

/* Whether component k of beam b is split. */
PetscBool SplittingOf(Splitting split, PetscInt b, PetscInt k);

/* Trace a set's views together, for all ranks of a node, and forget what was so traced of others. Collective on the team. */
PetscErrorCode SplittingTraceTogether(Splitting split, MPI_Comm team, const ScenarioSet *set);

/* Depths in a view, traced at the first call. */
PetscErrorCode SplittingTrace(Splitting split, PetscInt b, const View *view, const Trace **out);

/* Depth of a sub-beam where it passes w along the beam; factor: 1 + range error. */
static inline double TraceDepth_mm(const Trace *trace, PetscInt run, double w_mm, double factor)
{
  const double t = PetscClipInterval((w_mm - trace->w0_mm) / TRACE_MM, 0.0, (double)(trace->n - 1));
  const PetscInt i = PetscMin((PetscInt)t, trace->n - 2);
  const float *wepl = trace->wepl_mm + (size_t)run * (size_t)trace->n + (size_t)i;
  return ((double)wepl[0] + (t - (double)i) * ((double)wepl[1] - (double)wepl[0])) * factor + trace->passed_mm[run];
}

/* Weights of the sub-beams, kept in split->fine_weight, from those of the spots; and the transpose, added to gradient. */
PetscErrorCode SplittingSpread(Splitting split, const double *weight);
void SplittingCollect(Splitting split, const double *fine_gradient, double *gradient);
