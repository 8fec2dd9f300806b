/*
 * Where a place lies in the digital head. Outline, skull, jaws and airway are schematic: ovals, tubes and heights. The face
 * and what lies in it moves with the forehead, the skull base with the chiasm.
 */
#include "head_neck_private.h"
#include <math.h>

static const double scalp_mm = 6, floor_bone_mm = 4, wall_mm = 2, sinus_wall_mm = 3;
enum { HU_BONE = 894, HU_DENSE = 1365, HU_THIN = 600, HU_VERTEBRA = 450 }; /* stopping power 1.467, 1.699, 1.32, 1.25 */

static PetscBool InEllipse(double centre_x, double centre_y, double half_x, double half_y, const double x[3])
{
  return half_x > 0 && half_y > 0 && Square((x[0] - centre_x) / half_x) + Square((x[1] - centre_y) / half_y) <= 1;
}

/* --- outline --- */

/* The cranium is an ellipsoid; 1 on its surface. */
static double CraniumLevel(const HeadNeck *p, const double x[3], double shrunk_mm)
{
  return EllipsoidLevel((const double[3]){0, 0, 25}, (const double[3]){0.5 * p->width_mm, 0.5 * p->length_mm, 90},
                        -shrunk_mm, x);
}

/* The face from forehead to chin: half its width and its front by height. */
static PetscBool InFace(const HeadNeck *p, const double x[3], double shrunk_mm)
{
  static const double half_width[][2] = {{-110, 36}, {-95, 50}, {-60, 61}, {-25, 68}, {15, 64}};
  static const double front[][2] = {{-110, -78}, {-92, -88}, {-65, -87}, {-25, -88}, {15, -89}};
  const double back = 18, y = x[1] - p->face_y_mm, chin_z = -108 + 0.45 * PetscMax(0, y + 60);
  if (x[2] > 15 - shrunk_mm || x[2] < chin_z + shrunk_mm) return PETSC_FALSE;
  const double ahead = Interpolate(PETSC_STATIC_ARRAY_LENGTH(front), front, x[2]), half = 0.5 * (back - ahead);
  const double wide = Interpolate(PETSC_STATIC_ARRAY_LENGTH(half_width), half_width, x[2]) * p->width_mm / 142;
  return InOval(wide - shrunk_mm, half - shrunk_mm, x[0], y - ahead - half);
}

static PetscBool InNose(const HeadNeck *p, const double x[3], double shrunk_mm)
{
  static const double bridge[][2] = {{-48, 2}, {-44, 20}, {-38, 23}, {2, 0}}; /* before the face, by height */
  const double wide = Interpolate(2, (const double[][2]){{-40, 17}, {2, 7}}, x[2]) - shrunk_mm;
  double high = PETSC_INFINITY; /* here and as far below as it is shrunk */
  for (int below = 0; below < 2; below++)
    high = PetscMin(high, Interpolate(PETSC_STATIC_ARRAY_LENGTH(bridge), bridge, x[2] - below * shrunk_mm));
  if (x[2] > 2 || x[2] < -48 + shrunk_mm || fabs(x[0]) > wide) return PETSC_FALSE;
  const double y = x[1] - p->face_y_mm;
  return y < -70 && y > -88 - high * (1 - 0.6 * fabs(x[0]) / wide) + shrunk_mm;
}

PetscBool InHead(const HeadNeck *p, const double x[3], double shrunk_mm)
{
  const double lids_mm = 14; /* around the eye's centre */
  if (CraniumLevel(p, x, shrunk_mm) <= 1 || InFace(p, x, shrunk_mm) || InNose(p, x, shrunk_mm)) return PETSC_TRUE;
  if (x[2] < 0 && InEllipse(0, 14, 58 - shrunk_mm, 60 - shrunk_mm, x)) return PETSC_TRUE; /* neck */
  for (int s = 0; s < N_SIDES; s++) {
    const double radius[3] = {lids_mm, lids_mm, lids_mm};
    if (EllipsoidLevel(p->side[s].eye_mm, radius, -shrunk_mm, x) <= 1) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* --- skull and what it holds --- */

/* Upper side of the skull base: fossae in steps, lower at the sides than in the middle. */
static double FloorZ(const HeadNeck *p, const double x[3])
{
  static const double middle[][2] = {{-80, 12}, {-45, 10}, {-32, 5}, {-12, 3}, {6, -34}, {30, -40}};
  static const double lateral[][2] = {{-80, 19}, {-44, 17}, {-36, -6}, {-25, -13}, {5, -13}, {20, -36}, {30, -40}};
  const double y = x[1] - p->base_y_mm, aside = PetscClipInterval((fabs(x[0]) - 12) / 10, 0, 1);
  return (1 - aside) * Interpolate(PETSC_STATIC_ARRAY_LENGTH(middle), middle, y) +
         aside * Interpolate(PETSC_STATIC_ARRAY_LENGTH(lateral), lateral, y);
}

static PetscBool InFrontalSinus(const HeadNeck *p, const double x[3], double more_mm)
{
  for (int s = 0; s < N_SIDES; s++)
    if (EllipsoidLevel(p->side[s].frontal_mm, p->side[s].frontal_half_mm, more_mm, x) <= 1) return PETSC_TRUE;
  return PETSC_FALSE;
}

static PetscBool InMaxillarySinus(const HeadNeck *p, const double x[3], double more_mm)
{
  for (int s = 0; s < N_SIDES; s++)
    if (EllipsoidLevel(p->side[s].maxillary_mm, p->side[s].maxillary_half_mm, more_mm, x) <= 1) return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscBool InOrbit(const HeadNeck *p, PetscInt side, const double x[3])
{
  return fabs(x[2]) < 30 && TubeReaches(&p->side[side].orbit, x, wall_mm); /* the first for speed */
}

PetscBool InCranialCavity(const HeadNeck *p, const double x[3])
{
  return x[2] > FloorZ(p, x) && CraniumLevel(p, x, scalp_mm + p->skull_mm) <= 1 &&
         !InFrontalSinus(p, x, sinus_wall_mm) && !InOrbit(p, RIGHT, x) && !InOrbit(p, LEFT, x);
}

static void ToBase(const HeadNeck *p, const double x[3], double of_base[3])
{
  for (int k = 0; k < 3; k++) of_base[k] = x[k];
  of_base[1] -= p->base_y_mm;
}

/* Midbrain, pons, medulla: about 30 cm3. */
PetscBool InBrainstem(const HeadNeck *p, const double x[3], double more_mm)
{
  static const Tube brainstem = {5, {{0, 9, 8, 13}, {0, 7, -8, 15}, {0, 8, -16, 14}, {0, 14, -28, 8}, {0, 19, -42, 7}}};
  double of_base[3];
  ToBase(p, x, of_base);
  return x[2] > -42 && TubeReaches(&brainstem, of_base, more_mm);
}

PetscBool InCervicalCanal(const HeadNeck *p, const double x[3], double more_mm)
{
  static const Tube canal = {3, {{0, 19, -42, 8.5}, {0, 24, -70, 8.5}, {0, 24, -200, 8.5}}};
  double of_base[3];
  ToBase(p, x, of_base);
  return x[2] <= -42 && TubeReaches(&canal, of_base, more_mm);
}

/* --- air --- */

/* Between the orbits, beneath the brain: septa and air, drawn as their mean. */
static PetscBool InEthmoid(const HeadNeck *p, const double x[3])
{
  const double y = x[1] - p->face_y_mm;
  return fabs(x[0]) < 11 && y > -76 && x[1] < p->base_y_mm - 43 && x[2] > -9 && x[2] < FloorZ(p, x) - 2.5 &&
         !InOrbit(p, RIGHT, x) && !InOrbit(p, LEFT, x);
}

Sinus SinusAt(const HeadNeck *p, const double x[3])
{
  if (InMaxillarySinus(p, x, 0) || InFrontalSinus(p, x, 0)) return SINUS;
  if (EllipsoidLevel(p->sphenoid_mm, p->sphenoid_half_mm, 0, x) <= 1) return SINUS;
  return InEthmoid(p, x) ? ETHMOID_CELLS : NO_SINUS;
}

/* Two cavities beside the septum, with two turbinates each, open into the throat, which goes down to the neck. */
Airway AirwayAt(const HeadNeck *p, const double x[3])
{
  static const Tube throat = {4, {{0, -32, -24, 8}, {0, -18, -45, 9}, {0, -14, -80, 8}, {0, -14, -200, 8}}};
  const double y = x[1] - p->face_y_mm, aside = fabs(x[0]);
  double of_base[3];
  ToBase(p, x, of_base);
  if (TubeReaches(&throat, of_base, 0)) return AIRWAY;
  const PetscBool nose = y > -96 && x[1] < p->base_y_mm - 32 && x[2] > -47 && x[2] < -9 && aside < 13;
  if (!nose || InMaxillarySinus(p, x, wall_mm)) return NO_AIRWAY;
  if (aside < 1.2) return TURBINATE;
  if (y > -78 && Square(aside - 8) + Square(x[2] + 38) < Square(4)) return TURBINATE;
  if (y > -74 && Square(aside - 8) + Square(x[2] + 22) < Square(3.5)) return TURBINATE;
  return y < -88 && Square(aside - 6) + Square(x[2] + 40) > Square(5) ? NO_AIRWAY : AIRWAY; /* nostrils */
}

/* --- bone --- */

/* Vault and base. */
static PetscBool InCranialBone(const HeadNeck *p, const double x[3])
{
  const double y = x[1] - p->base_y_mm;
  const double floor_mm = fabs(x[0]) < 16 && y > -20 && y < 14 ? 11 : floor_bone_mm; /* the clivus is thick */
  return CraniumLevel(p, x, scalp_mm) <= 1 && x[2] > FloorZ(p, x) - floor_mm && !InCranialCavity(p, x);
}

/* The ear's bone, both sides. */
static PetscBool InPetrous(const HeadNeck *p, const double x[3])
{
  static const Tube petrous = {3, {{17, 0, -16, 6}, {38, 12, -19, 9}, {58, 20, -24, 9}}};
  const double right_too[3] = {fabs(x[0]), x[1] - p->base_y_mm, x[2]};
  return TubeReaches(&petrous, right_too, 0);
}

/* A horseshoe of teeth or jaw. */
static PetscBool InHorseshoe(double half_x, double half_y, double thick_mm, double front_y, const double x[3], double y)
{
  const double at[3] = {x[0], y, x[2]}, centre_y = front_y + half_y;
  return y < centre_y && InEllipse(0, centre_y, half_x, half_y, at) &&
         !InEllipse(0, centre_y, half_x - thick_mm, half_y - thick_mm, at);
}

static int JawAt(double y, const double x[3])
{
  static const Tube ramus = {3, {{45, -32, -85, 5}, {48, -16, -60, 5}, {50, -2, -26, 5}}};
  const double right_too[3] = {fabs(x[0]), y, x[2]}, z = x[2];
  if (z > -72 && z < -53 && InHorseshoe(29, 44, 8, -80, x, y)) return HU_DENSE; /* teeth of both jaws */
  if (z > -98 && z <= -72 && InHorseshoe(47, 52, 9, -79, x, y)) return HU_DENSE;
  if (TubeReaches(&ramus, right_too, 0)) return HU_DENSE;
  if (z > -53 && z < -49 && y > -78 && y < -34 && fabs(x[0]) < 26) return HU_BONE; /* hard palate */
  return 0;
}

static PetscBool InCheekbone(double y, const double x[3])
{
  static const Tube zygoma = {
      5, {{46, -70, -16, 5}, {52, -62, -20, 7}, {60, -48, -22, 4}, {65, -25, -21, 3}, {62, -2, -20, 4}}};
  const double right_too[3] = {fabs(x[0]), y, x[2]};
  return TubeReaches(&zygoma, right_too, 0);
}

/* Walls of orbits and sinuses, behind the orbit's rim. */
static int WallAt(const HeadNeck *p, const double x[3])
{
  const double y = x[1] - p->face_y_mm;
  if (EllipsoidLevel(p->sphenoid_mm, p->sphenoid_half_mm, sinus_wall_mm, x) <= 1 || InFrontalSinus(p, x, sinus_wall_mm))
    return HU_BONE;
  if (InMaxillarySinus(p, x, wall_mm)) return HU_THIN;
  if (y < -76) return 0;
  return InOrbit(p, RIGHT, x) || InOrbit(p, LEFT, x) ? HU_THIN : 0;
}

/* Beneath the skull: bodies, discs of 5 in 19 mm, and arches around the canal. */
static int VertebraAt(const HeadNeck *p, const double x[3])
{
  double of_base[3];
  ToBase(p, x, of_base);
  if (x[2] > -46) return 0;
  if (InEllipse(0, 6, 12, 9.5, of_base)) return fmod(-46 - x[2], 19) < 14 ? HU_VERTEBRA : 0;
  if (InCervicalCanal(p, x, 4.5) && !InCervicalCanal(p, x, 0)) return HU_VERTEBRA;
  return fabs(x[0]) < 3 && of_base[1] > 34 && of_base[1] < 50 && fmod(-46 - x[2], 19) < 12 ? HU_VERTEBRA : 0;
}

int BoneAt(const HeadNeck *p, const double x[3])
{
  const double y = x[1] - p->face_y_mm;
  const int jaw = JawAt(y, x), wall = WallAt(p, x);
  if (InPetrous(p, x)) return HU_DENSE;
  if (InCranialBone(p, x) || InCheekbone(y, x)) return HU_BONE;
  if (jaw) return jaw;
  return wall ? wall : VertebraAt(p, x);
}
