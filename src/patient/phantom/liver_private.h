/* The digital liver patient: one of a cohort, drawn by its seed. Lengths in mm, LPS, supine; the origin is in the middle of the torso. */
#pragma once
#include "phantom_private.h"

enum { MOST_TARGETS = 3 };

/* What the seed draws of one patient. */
typedef struct LiverPatient {
  double size;      /* of the torso, about 1 */
  double liver_cm3; /* with its tumours */
  PetscInt n_targets;
  double ctv_cm3[MOST_TARGETS], gtv_cm3[MOST_TARGETS];
  Blob target[MOST_TARGETS];
  PetscBool gas; /* in the stomach */
} LiverPatient;

void LiverPatientDraw(PetscInt seed, LiverPatient *patient);

/* --- where a place lies (liver_parts.c) --- */

/* `shrunk_mm` beneath the skin. */
PetscBool InTorso(const LiverPatient *p, const double x[3], double shrunk_mm);
/* Inside the ribs. */
PetscBool InTrunkCavity(const LiverPatient *p, const double x[3]);
PetscBool InAbdomen(const LiverPatient *p, const double x[3]);
/* Lowest where the liver is: it is made of the lowest levels, 1 being about its surface; infinite where it cannot be. */
double LiverLevel(const void *patient, const double x[3], double most);

PetscBool InLung(const LiverPatient *p, PetscBool left, const double x[3]);
PetscBool InHeart(const double x[3]);
PetscBool InStomach(const double x[3]);
PetscBool InStomachGas(const LiverPatient *p, const double x[3]);
PetscBool InDuodenum(const double x[3]);
PetscBool InKidney(PetscBool left, const double x[3]);
PetscBool InSpleen(const LiverPatient *p, const double x[3]);
PetscBool InBowel(const LiverPatient *p, const double x[3]);
PetscBool InSpinalCord(const double x[3]);
PetscBool InSpinalCanal(const double x[3]);
/* HU of the bone there; 0: none. */
int SpineAt(const double x[3]);
int RibAt(const LiverPatient *p, const double x[3]);

/* What breathing moves a place by when the dome of the diaphragm goes down by 1. */
void LiverMoving(const void *patient, const double x[3], double moved[3]);
