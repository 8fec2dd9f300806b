/* Shared by the files of beams: surface, layout of spots and of layers. */
#pragma once
#include "robion/beam.h"

/* The patient's surface on a ray is where the stopping power is first above this. */
#define SKIN_RSP 0.05

/* A line of the log where the patient is cut off by the CT's border on rays of the beam to its target. Not collective. */
void BeamWarnCut(const Beam *beam, PetscInt index, const Case *patient, const Grid *grid, const Region *target);

/* Depths of peaks that a layer stands for. */
typedef struct LayerSpan {
  double from_mm, to_mm;
} LayerSpan;

/*
 * Energies of the machine that reach from the proximal margin before the shallowest to the distal margin behind the deepest
 * water-equivalent depth, a step apart; ascending. The caller frees their spans.
 */
PetscErrorCode LayersChoose(const Machine *machine, const SpotSpec *spots, double shallow_mm, double deep_mm,
                            Beam *beam, LayerSpan **span);

/* A spot on its way into a beam. */
typedef struct PlacedSpot {
  PetscInt entry, energy; /* index where it comes from; machine energy */
  double x_mm, y_mm;
} PlacedSpot;

/*
 * Give a beam without spots these n, sorted by y, x and energy; spot_of[entry] becomes their index in the set, from first_spot
 * on. Not collective.
 */
PetscErrorCode BeamFill(const Machine *machine, PetscInt n, const PlacedSpot *spot, PetscInt first_spot, Beam *beam,
                        PetscInt *spot_of);
