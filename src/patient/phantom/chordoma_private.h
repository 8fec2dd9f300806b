/* The digital sacral chordoma: one patient of a cohort, drawn by its seed. Lengths in mm, LPS, prone patients head first. */
#pragma once
#include "phantom_private.h"
#include "robion/map.h"

/* Streams of the seed's random numbers, one for each thing that is drawn. */
enum { STREAM_BODY, STREAM_SHAPE, STREAM_CELLS, STREAM_MISFIT, STREAM_TENTHS, STREAM_WITHIN_TENTH = STREAM_TENTHS + 2 };

/* What the seed draws of one patient. */
typedef struct Chordoma {
  PetscInt seed;
  double size;              /* of the pelvis, about 1 */
  double gtv_cm3;           /* 50 to 1270 */
  Blob gtv;                 /* and the place it grows from */
  double ln_clonogens;      /* mean over the GTV of ln N, N per 27 mm3 */
  double within_patient_sd; /* SD of ln N over the GTV */
  PetscBool gas;            /* in the rectum */
} Chordoma;

void ChordomaDraw(PetscInt seed, Chordoma *patient);

/*
 * Maps of clonogens and misfit inside the GTV. `rim` (CT grid) grows from 0 at the GTV's centre to 1 at its rim.
 */
PetscErrorCode ChordomaAddMaps(const Chordoma *drawn, const unsigned char *gtv, const float *rim, Case *patient);
