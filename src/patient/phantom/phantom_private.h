/* Built-in phantoms: a row here and a file each. */
#pragma once
#include "robion/counter_random.h"
#include "robion/phantom.h"

#define PHANTOMS(ROW)                                                                                                  \
  ROW("water-box", phantom_water_box)                                                                                  \
  ROW("rtog", phantom_rtog)                                                                                            \
  ROW("donut", phantom_donut)                                                                                          \
  ROW("chordoma", phantom_chordoma)                                                                                    \
  ROW("head-neck", phantom_head_neck)                                                                                  \
  ROW("liver", phantom_liver)

#define DECLARE_PHANTOM(name, object) extern const Phantom object;
PHANTOMS(DECLARE_PHANTOM)

/* The key that all phantoms have, of the struct S; `most`: the coarsest CT that still shows the phantom. */
#define CT_SPACING(S, usual, most)                                                                                     \
  {                                                                                                                    \
    .name = "ct_spacing_mm", .type = TYPE_NUMBER, AT(S, ct_spacing_mm), .unit = "mm", FROM(0.25, most),                \
    .fallback = usual, .doc = "CT voxel of the phantom"                                                                \
  }

/* --- phantoms that are a few shapes about the origin (shapes.c) --- */

enum { MOST_SHAPES = 8 };
enum { BODY, TARGET, ORGAN }; /* the first shapes, as far as a phantom has them */

/* Voxel centres on a face count as inside on every side, whatever the rounding of their coordinates. */
#define ROUNDING_MM 1e-6

/* Coordinates are relative to the centre. */
typedef struct Shapes {
  PetscInt n;
  const char *name[MOST_SHAPES];
  Role role[MOST_SHAPES];
  PetscBool (*inside)(const void *keys, PetscInt shape, const double x_mm[3]);
  double (*rsp)(const void *keys, const double x_mm[3]); /* inside BODY; NULL: water */
  double size_mm[3];                                     /* of BODY */
  PetscBool centred[3];                                  /* the origin is a voxel centre along this axis, else a wall */
  double air_mm;                                         /* around it, at least */
} Shapes;

/* Fill the case; `what`: "rtog with inserts", for its source. */
PetscErrorCode ShapesBuild(const Shapes *shapes, const char *what, double ct_spacing_mm, const void *keys,
                           Mistakes *mistakes, Case *patient);

/* Upright along z, its axis through (x, y); and a ring around the origin. */
PetscBool InCylinder(double axis_x_mm, double axis_y_mm, double radius_mm, double length_mm, const double x_mm[3]);
PetscBool InRing(double inner_mm, double outer_mm, double length_mm, const double x_mm[3]);

/* --- what digital patients are made of (anatomy.c); coordinates in mm, LPS --- */

/* Keys of cohorts: which patient. */
typedef struct Seeded {
  double ct_spacing_mm;
  PetscInt seed;
} Seeded;
#define SEED                                                                                                           \
  {                                                                                                                    \
    "seed", TYPE_INTEGER, AT(Seeded, seed), FROM(1, 1000000000), .fallback = "1",                                      \
                                                                 .doc = "which patient of the digital cohort"          \
  }
/* "phantom liver, seed 3, CT voxels of 3 mm". */
PetscErrorCode CaseSetSource(const char *kind, const Seeded *keys, Case *patient);

typedef struct Organ {
  const char *name;
  Role role;
} Organ;

/* A rounded rod along points x, y, z with a radius at each; linear in between. */
enum { MOST_POINTS = 12 };
typedef struct Tube {
  PetscInt n;
  double point[MOST_POINTS][4];
} Tube;

static inline double Square(double x)
{
  return x * x;
}

/* A superellipse, exponent 2.4. */
PetscBool InOval(double half_x_mm, double half_y_mm, double x_mm, double y_mm);
/* 1 on the surface of an ellipsoid whose half axes are `more_mm` longer; lower inside. */
double EllipsoidLevel(const double centre_mm[3], const double half_mm[3], double more_mm, const double x_mm[3]);
/* From the surface of a tube, negative inside. */
double TubeDistance_mm(const Tube *tube, const double x_mm[3]);
/* Whether that is at most further_mm, which is told quickly of places that are far from it. */
PetscBool TubeReaches(const Tube *tube, const double x_mm[3], double further_mm);
/* Linear between rows (ascending), constant beyond the ends. */
double Interpolate(PetscInt n, const double (*table)[2], double at);

/* An even number of voxels that covers the box and has its centre. */
void LayOutGrid(const double low_mm[3], const double high_mm[3], double spacing_mm, Grid *ct);
/* What a digital patient takes: CT, stopping power, distances, three maps, and some fifteen masks. */
enum { PATIENT_BYTES_PER_VOXEL = 2 + 4 + 8 + 3 * 4 + 15 };
/* Empty masks of these, and room for HU. */
PetscErrorCode CaseAddOrgans(PetscInt n, const Organ *organ, Case *patient);
PetscErrorCode CaseRemoveStructure(const char *name, Case *patient);
/* Names and expressions of structures that can always be derived. */
PetscErrorCode CaseDerive(PetscInt n, const char *const (*derived)[2], Mistakes *mistakes, Case *patient);
/* Skin: the outer 3 mm of External. */
PetscErrorCode CaseAddSkin(Mistakes *mistakes, Case *patient);
/* Stopping powers from HU by the default table. */
PetscErrorCode CaseSetDefaultRSP(Case *patient);

/* --- breathing (breathing.c) --- */

/* Keys of phantoms that breathe. */
typedef struct BreathingKeys {
  double amplitude_mm, baseline_mm; /* of the place that moves most, from end-exhale; 0: none */
  PetscInt n_phases;
} BreathingKeys;
#define BREATHING(S)                                                                                                   \
  {"breathing_mm",                                                                                                     \
   TYPE_NUMBER,                                                                                                        \
   AT(S, breathing.amplitude_mm),                                                                                      \
   .unit = "mm",                                                                                                       \
   FROM(0, 30),                                                                                                        \
   .fallback = "0",                                                                                                    \
   .doc = "way of the diaphragm from end-exhale to end-inhale; 0: the patient lies still"},                            \
      {"baseline_mm",                                                                                                  \
       TYPE_NUMBER,                                                                                                    \
       AT(S, breathing.baseline_mm),                                                                                   \
       .unit = "mm",                                                                                                   \
       FROM(-10, 10),                                                                                                  \
       .fallback = "0",                                                                                                \
       .doc = "what the diaphragm lies lower in all phases than in the CT"},                                           \
  {                                                                                                                    \
    "phases", TYPE_INTEGER, AT(S, breathing.n_phases), FROM(2, 100), .fallback = "10",                                 \
                                                                     .doc = "phases of a breath, of equal time"        \
  }

/* What moves a place of the CT when the place that moves most goes by 1. */
typedef void Moving(const void *of, const double x_mm[3], double moved[3]);

/*
 * Phases p00, p01, ... of a case that has its HU: end-exhale first, then by the even power of a sine that breathing goes by (Lujan et
 * al., Med Phys 26:715, 1999, n = 3), displaced as `moving` says and with a CT that is the case's, displaced.
 */
PetscErrorCode CaseBreathe(const BreathingKeys *keys, Moving *moving, const void *of, Case *patient);
/* What CaseBreathe takes for each voxel of the CT. */
size_t BreathingBytes(const BreathingKeys *keys);

/* --- volumes that grow from a place (growth.c) --- */

/* Smooth random number of zero mean and unit variance at every place: a sum of plane waves. */
enum { N_WAVES = 64 };
typedef struct RandomField {
  double wave[N_WAVES][3], phase[N_WAVES];
} RandomField;

/* Isotropic, with correlation exp(-r^2 / 2 length^2). */
void RandomFieldDraw(CounterRandom *random, double length, RandomField *field);
double RandomFieldAt(const RandomField *field, const double x[3]);

/* An irregular body about a centre. */
typedef struct Blob {
  double centre_mm[3];
  double axis[3];    /* relative half axes */
  double radius_mm;  /* of the sphere of its volume */
  RandomField shape; /* of its surface, over directions */
} Blob;

double RadiusOfVolume_mm(double cm3);
/* Axes and shape. */
void BlobDraw(CounterRandom *random, Blob *blob);
/* Distance from the centre, relative to the irregular surface; of what is above most_mm, anything above it. */
double BlobLevel_mm(const Blob *blob, const double x_mm[3], double most_mm);

/* Uniform; normal, what is beyond the bounds being at them. */
double DrawBetween(CounterRandom *random, double least, double most);
double DrawAround(CounterRandom *random, double mean, double sd, double least, double most);
/* Log-normal as the sample is, and within it. */
double DrawVolume_cm3(PetscInt n, const double *sample_cm3, CounterRandom *random);

/*
 * Quantile of a patient in one dimension of a Latin hypercube: the ten patients 1 to 10, 11 to 20, ... are shuffled over the ten
 * tenths of the population, and lie anywhere in theirs.
 */
double QuantileOfTen(PetscInt seed, uint32_t stream_tenths, uint32_t stream_within);

/* Where a volume grows: lowest levels first, not where the level is infinite or `within` (NULL: the whole CT) is 0. Of a level above
   `most`, nothing but that is asked. */
typedef struct Growth {
  double (*level)(const void *of, const double x_mm[3], double most);
  const void *of;
  const unsigned char *within;
} Growth;

/* Set the mask of as many voxels as fill the volume. `rim` (or NULL): there, the level relative to the last of them. */
PetscErrorCode GrowVolume(const Growth *growth, const Grid *ct, double cm3, unsigned char *mask, float *rim);
