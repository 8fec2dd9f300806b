/* Shared by the layout of spots and of layers. */
#pragma once
#include "robion/beam.h"

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
