/**
 * Maps of clonogens from diffusion images. Part of step 2 (between an image and a case).
 */
#pragma once
#include "robion/adc.h"
#include "robion/image.h"
#include "robion/map.h"

/** Facts of an import, for the log. */
typedef struct CellCountReport {
  size_t n_voxel;         /* of the image, matched: those that touch the structure */
  size_t n_left_out;      /* of them without a signal that can be matched (at most 0) */
  double clonogens;       /* in the structure, on the image's grid */
  double clonogens_on_ct; /* the same, on the CT: more where the image has holes */
  double mean_adc_um2_ms; /* over the matched voxels */
  double rmse_sd_um2_ms;  /* over the matched voxels: sigma of best and worst counts */
} CellCountReport;

/**
 * Match every voxel of the image that overlaps the structure, and add the maps clonogens (counts per CT voxel; those outside the
 * structure are left out) and adc_rmse to the case. The image has one volume, an ADC map in um2/ms times 1/scale, or one for each
 * b-value of the protocol. A CT voxel's counts are the mean density of the image voxels matched in it, times its volume. Mistakes
 * (ROBION_INPUT): values in the structure that are not finite, signals that rise with b, a mean ADC that water cannot have, no
 * signal at all. Not collective.
 */
PetscErrorCode CellCountAdd(Case *patient, PetscInt structure, const Image *image, double scale,
                            const ADCLibrarySpec *spec, const DiffusionProtocol *protocol, Mistakes *mistakes,
                            CellCountReport *report);
