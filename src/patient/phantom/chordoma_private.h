/* The digital sacral chordoma: one patient of a cohort, drawn by its seed. Lengths in mm, LPS, prone patients head first. */
#pragma once
#include "robion/counter_random.h"
#include "robion/map.h"

/* Smooth random number of zero mean and unit variance at every place: a sum of plane waves. */
enum { N_WAVES = 64 };
typedef struct RandomField {
  double wave[N_WAVES][3], phase[N_WAVES];
} RandomField;

/* Streams of the seed's random numbers, one for each thing that is drawn. */
enum { STREAM_BODY, STREAM_SHAPE, STREAM_CELLS, STREAM_MISFIT, STREAM_TENTHS, STREAM_WITHIN_TENTH = STREAM_TENTHS + 2 };

/* Isotropic, with correlation exp(-r^2 / 2 length^2). */
void RandomFieldDraw(CounterRandom *random, double length, RandomField *field);
double RandomFieldAt(const RandomField *field, const double x[3]);

/* What the seed draws of one patient. */
typedef struct Chordoma {
  PetscInt seed;
  double size;              /* of the pelvis, about 1 */
  double gtv_cm3;           /* 50 to 1270 */
  double gtv_radius_mm;     /* of the sphere of that volume */
  double gtv_centre_mm[3];  /* place it grows from */
  double gtv_axis[3];       /* relative half axes */
  double ln_clonogens;      /* mean over the GTV of ln N, N per 27 mm3 */
  double within_patient_sd; /* SD of ln N over the GTV */
  RandomField shape;        /* of the GTV's surface, over directions */
  PetscBool gas;            /* in the rectum */
} Chordoma;

void ChordomaDraw(PetscInt seed, Chordoma *patient);

/*
 * Maps of clonogens and misfit inside the GTV. `rim` (CT grid) grows from 0 at the GTV's centre to 1 at its rim.
 */
PetscErrorCode ChordomaAddMaps(const Chordoma *drawn, const unsigned char *gtv, const float *rim, Case *patient);
