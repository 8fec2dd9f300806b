/*
 * Where a place lies in the digital torso: ovals, ellipsoids and tubes of the sizes of adults (ICRP 89: kidneys 155 g each, heart with
 * blood 840 or 620 g, stomach 400 or 370 g, spleen 150 or 130 g). The diaphragm is two domes; the liver lies beneath the right one
 * and in what ribs, diaphragm, stomach, kidney and bowel leave it.
 */
#include "liver_private.h"
#include <math.h>

static const double ribs_mm[2] = {20, 28}; /* beneath the skin */
static const double cavity_mm = 31, diaphragm_mm = 4;
enum { HU_CARTILAGE = 120, HU_DISC = 80, HU_VERTEBRA = 250, HU_RIB = 450, HU_ARCH = 600 };

PetscBool InTorso(const LiverPatient *p, const double x[3], double shrunk_mm)
{
  return InOval(165 * p->size - shrunk_mm, 110 * p->size - shrunk_mm, x[0], x[1]);
}

PetscBool InTrunkCavity(const LiverPatient *p, const double x[3])
{
  return InTorso(p, x, cavity_mm);
}

/* Height of the diaphragm: the right dome is higher than the left one, the heart lies on the middle. */
static double DiaphragmZ(const double x[3])
{
  static const double dome[][4] = {{90, -66, 78, 84}, {76, 64, 74, 84}, {66, 6, 66, 84}}; /* height, x, half axes */
  double z = -PETSC_INFINITY;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(dome); i++)
    z = PetscMax(z,
                 dome[i][0] - 78 * Square(Square((x[0] - dome[i][1]) / dome[i][2]) + Square((x[1] - 2) / dome[i][3])));
  return z;
}

PetscBool InAbdomen(const LiverPatient *p, const double x[3])
{
  return InTrunkCavity(p, x) && x[2] < DiaphragmZ(x);
}

/* --- bone --- */

PetscBool InSpinalCord(const double x[3])
{
  return Square(x[0]) + Square(x[1] - 71) <= Square(5);
}

PetscBool InSpinalCanal(const double x[3])
{
  return Square(x[0]) + Square(x[1] - 71) <= Square(8.5);
}

/* Bodies of 28 mm and discs of 8 mm, arches, transverse and spinous processes. */
int SpineAt(const double x[3])
{
  const double body = Square(x[0] / 21) + Square((x[1] - 46) / 16.5), high = x[2] - 36 * floor(x[2] / 36);
  const double canal = Square(x[0]) + Square(x[1] - 71);
  if (canal <= Square(8.5)) return 0;
  if (body <= 1) return high < 8 ? HU_DISC : body > 0.8 ? HU_ARCH : HU_VERTEBRA;
  if (canal <= Square(14)) return HU_ARCH;
  if (high < 14) return 0;
  if (fabs(x[0]) < 3.5 && x[1] > 84 && x[1] < 98) return HU_ARCH;
  return fabs(x[0]) < 38 && fabs(x[1] - 72 - 0.2 * fabs(x[0])) < 5 ? HU_ARCH : 0;
}

/* Bands that fall forwards, down to the costal margin; cartilage and breastbone in front. */
int RibAt(const LiverPatient *p, const double x[3])
{
  const double pitch_mm = 28, band_mm = 12, s = p->size, along = x[2] - 0.3 * x[1];
  const double margin_z = -82 + 125 * PetscClipInterval(-x[1] / (95 * s), 0, 1);
  if (!InTorso(p, x, ribs_mm[0]) || InTorso(p, x, ribs_mm[1]) || x[2] < margin_z) return 0;
  if (x[1] < 0 && fabs(x[0]) < 17 && x[2] > 55) return HU_RIB; /* breastbone */
  if (along - pitch_mm * floor(along / pitch_mm) > band_mm || fabs(x[0]) < 40 * (x[1] > 0)) return 0;
  return x[1] < -55 * s && fabs(x[0]) < 85 * s ? HU_CARTILAGE : HU_RIB;
}

/* --- organs --- */

PetscBool InHeart(const double x[3])
{
  return EllipsoidLevel((const double[3]){16, -24, 132}, (const double[3]){56, 47, 64}, 0, x) <= 1;
}

/* What lies between the lungs, from the spine to the heart. */
static PetscBool InMediastinum(const double x[3])
{
  return fabs(x[0] - 2) < 20 + 4 * (x[1] < -20);
}

PetscBool InLung(const LiverPatient *p, PetscBool left, const double x[3])
{
  return (x[0] > 2) == left && x[2] > DiaphragmZ(x) && InTrunkCavity(p, x) && !InHeart(x) && !InMediastinum(x) &&
         !SpineAt(x);
}

PetscBool InStomach(const double x[3])
{
  static const Tube stomach = {6,
                               {{74, 22, 40, 29},
                                {72, 0, 22, 33},
                                {68, -22, -6, 28},
                                {50, -38, -30, 21},
                                {24, -40, -38, 17},
                                {2, -34, -34, 13}}};
  return TubeReaches(&stomach, x, 0);
}

/* It rises to the front. */
PetscBool InStomachGas(const LiverPatient *p, const double x[3])
{
  return p->gas && InStomach(x) &&
         EllipsoidLevel((const double[3]){68, -34, 6}, (const double[3]){24, 16, 28}, 0, x) <= 1;
}

PetscBool InDuodenum(const double x[3])
{
  static const Tube duodenum = {7,
                                {{-2, -32, -36, 13},
                                 {-24, -20, -34, 13},
                                 {-36, 0, -44, 13},
                                 {-38, 8, -66, 13},
                                 {-30, 12, -90, 13},
                                 {-4, 14, -96, 13},
                                 {26, 8, -84, 12}}};
  return !InStomach(x) && TubeReaches(&duodenum, x, 0);
}

PetscBool InKidney(PetscBool left, const double x[3])
{
  return EllipsoidLevel((const double[3]){left ? 60 : -62, 46, left ? -38 : -58}, (const double[3]){26, 25, 55}, 0,
                        x) <= 1;
}

PetscBool InSpleen(const LiverPatient *p, const double x[3])
{
  return !InStomach(x) &&
         EllipsoidLevel((const double[3]){103 * p->size, 38, 20}, (const double[3]){24, 36, 52}, 0, x) <= 1;
}

/* What is left in front and beneath. */
PetscBool InBowel(const LiverPatient *p, const double x[3])
{
  return x[2] < -8 && x[1] < 18 && InTrunkCavity(p, x) && InOval(118 * p->size, 80 * p->size, x[0], x[1]) &&
         !InStomach(x) && !InDuodenum(x);
}

/*
 * An ellipsoid under the dome, cut by the plane of its lower side, which rises to the left: cranio-caudal 15 to 17.5 cm, transverse
 * 20 to 22.5, anterior-posterior 10 to 12.5 for 1281 cm3.
 */
double LiverLevel(const void *patient, const double x[3], double most)
{
  const LiverPatient *p = patient;
  const double round = EllipsoidLevel((const double[3]){-32, -8, 4}, (const double[3]){124, 58, 93}, 0, x);
  const double lower_z = -88 + 0.56 * (x[0] + 130) + 0.15 * (x[1] + 8), cut = 1 + (lower_z - x[2]) / 60;
  if (x[2] > DiaphragmZ(x) - diaphragm_mm || !InTrunkCavity(p, x) || InHeart(x) || InStomach(x)) return PETSC_INFINITY;
  if (InKidney(PETSC_FALSE, x) || InDuodenum(x) || InSpleen(p, x)) return PETSC_INFINITY;
  if (x[0] > -26 && x[1] > 18 - 0.35 * (x[0] + 26)) return PETSC_INFINITY; /* vessels, spine, left behind the stomach */
  return PetscMax(sqrt(round), cut);
}

/* --- breathing --- */

/* 0 up to 0, 1 from 1 on, smooth. */
static double Rise(double t)
{
  t = PetscClipInterval(t, 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

/*
 * Most below the dome of the diaphragm, less towards the apex of the lung and the pelvis, nothing at ribs and spine: within 12 (front) to
 * 20 mm (sides) of the ribs tissue shears instead of sliding. Downwards, and away from the walls 0.15 of it forwards.
 */
void LiverMoving(const void *patient, const double x[3], double moved[3])
{
  static const double dome_z = 80, up_mm = 60, down_mm = 140, wall[2] = {0.35, 0.15}, spine_mm[2] = {24, 30};
  const LiverPatient *p = patient;
  const double half[2] = {165 * p->size - cavity_mm, 110 * p->size - cavity_mm};
  const double radius = pow(pow(fabs(x[0]) / half[0], 2.4) + pow(fabs(x[1]) / half[1], 2.4), 1 / 2.4);
  const double spine = hypot(x[0], x[1] - 55);
  const double height = exp(-Square((x[2] - dome_z) / (x[2] > dome_z ? up_mm : down_mm)));
  const double free = height * Rise((spine - spine_mm[0]) / spine_mm[1]);
  moved[0] = 0;
  moved[1] = -0.15 * free * Rise((1 - radius) / wall[0]);
  moved[2] = -free * Rise((1 - radius) / wall[1]);
}
