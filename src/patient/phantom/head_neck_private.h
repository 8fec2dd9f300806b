/*
 * The digital head with an adenoid cystic carcinoma: one patient of a cohort, drawn by its seed. Lengths in mm, LPS (x left, y posterior,
 * z superior), supine; the origin lies between the eyes' height and the middle of the head.
 */
#pragma once
#include "phantom_private.h"

enum { RIGHT, LEFT, N_SIDES };

typedef struct HeadSide {
  double sign; /* of x */
  double eye_mm[3], lens_mm[3];
  Tube orbit;                                   /* from its rim to the optic canal, the eye in it */
  Tube nerve;                                   /* from the eye through orbit and canal to the chiasm */
  double maxillary_mm[3], maxillary_half_mm[3]; /* sinus */
  double frontal_mm[3], frontal_half_mm[3];     /* lobe of the sinus */
} HeadSide;

/* What the seed draws of one patient. */
typedef struct HeadNeck {
  double width_mm, length_mm, skull_mm; /* of the head; thickness of the skull */
  double face_y_mm; /* the face, and what lies in it, is moved so far along y from a head of 188 mm */
  double base_y_mm; /* and the skull base with the brainstem, which follow the chiasm */
  HeadSide side[N_SIDES];
  double chiasm_mm[3], chiasm_half_mm[3];
  double sphenoid_mm[3], sphenoid_half_mm[3];
  double ctv_cm3, gtv_cm3;
  PetscInt tumour_side;
  PetscBool orbit_invaded; /* on the tumour's side */
  Blob tumour;
  Tube spread; /* along the second branch of the trigeminal nerve to the cavernous sinus */
} HeadNeck;

void HeadNeckDraw(PetscInt seed, HeadNeck *patient);

/* --- where a place lies (head_neck_parts.c) --- */

/* `shrunk_mm` beneath the skin. */
PetscBool InHead(const HeadNeck *p, const double x[3], double shrunk_mm);
/* What holds the brain. */
PetscBool InCranialCavity(const HeadNeck *p, const double x[3]);
/* With the brain stem of the neck: brainstem and cord, `more_mm` around them. */
PetscBool InBrainstem(const HeadNeck *p, const double x[3], double more_mm);
PetscBool InCervicalCanal(const HeadNeck *p, const double x[3], double more_mm);
/* The orbit of that side, its wall of 2 mm included. */
PetscBool InOrbit(const HeadNeck *p, PetscInt side, const double x[3]);
/* 0: none; a maxillary, sphenoid or frontal sinus, or the ethmoid cells. */
typedef enum { NO_SINUS, SINUS, ETHMOID_CELLS } Sinus;
Sinus SinusAt(const HeadNeck *p, const double x[3]);
/* Nose and throat: 0 none, else air or what lies in it. */
typedef enum { NO_AIRWAY, AIRWAY, TURBINATE } Airway;
Airway AirwayAt(const HeadNeck *p, const double x[3]);
/* HU of the bone there; 0: none. */
int BoneAt(const HeadNeck *p, const double x[3]);
