/*
 * chordoma: the digital patient number `seed` of a cohort with sacral chordoma, head first prone, that stands in for that of
 * Parrella et al., which is not public: a schematic pelvis (External; Sacrum, hip bones and femora; Rectum, which may hold gas; Sigma,
 * Bowel, Nerves; Skin, the outer 3 mm) with an irregular GTV of 50 to 1270 cm3 that grows from the sacrum and pushes the rectum away.
 * CTV_HD and CTV_LD are the GTV with 6 and 18 mm, ending at rectum, sigma, bowel and skin. Maps inside the GTV: clonogens (counts
 * per CT voxel; over the cohort ln N of 27 mm3 is normal with mean 12.561, SD 0.696, of which 0.357 between patients: terciles 2.1e5
 * and 3.8e5) and adc_rmse (um2/ms, the magnitude of a normal residual of SD 0.06). Volume and mean of ln N come from a Latin
 * hypercube of ten: seeds 1 to 10, 11 to 20, ... hold one patient of every tenth of the population. The same seed gives the same
 * patient on any number of ranks; its shapes and maps do not depend on the CT spacing but for the voxels.
 *
 * The pelvis is made of simple shapes. Coordinates are in mm, LPS: x left, y posterior, z superior; the origin is in its middle.
 */
#include "chordoma_private.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { EXTERNAL, GTV, SACRUM, RECTUM, SIGMA, BOWEL, NERVES, N_OWN };
static const Organ organ[N_OWN] = {{"External", ROLE_EXTERNAL}, {"GTV", ROLE_TARGET}, {"Sacrum", ROLE_OAR},
                                   {"Rectum", ROLE_OAR},        {"Sigma", ROLE_OAR},  {"Bowel", ROLE_OAR},
                                   {"Nerves", ROLE_OAR}};

enum { HU_AIR = -1000, HU_GAS = -850, HU_FAT = -95, HU_SOFT = 15, HU_ORGAN = 25, HU_MUSCLE = 50, HU_TUMOUR = 40 };
enum { HU_SACRUM = 280, HU_FEMUR = 350, HU_ILIUM = 420 };
static const double fat_mm = 16, gtv_to_skin_mm = 5;

/* A section of a tube at some height. */
typedef struct Disc {
  double x, y, radius;
} Disc;

/* The pelvis shrunk by some mm. */
static PetscBool InBody(const Chordoma *p, const double x[3], double shrunk_mm)
{
  return InOval(180 * p->size - shrunk_mm, 114 * p->size - shrunk_mm, x[0], x[1]);
}

/* Middle of the sacrum at some height: curved, most posterior at its half. */
static double SacrumY(const Chordoma *p, double z)
{
  double t = PetscClipInterval((55 * p->size - z) / (125 * p->size), 0, 1);
  return p->size * (44 + 32 * sin(PETSC_PI * t));
}

static PetscBool InSacrum(const Chordoma *p, const double x[3])
{
  double t = (55 * p->size - x[2]) / (125 * p->size);
  if (t < 0 || t > 1) return PETSC_FALSE;
  double half_width = p->size * (10 + 44 * pow(1 - t, 0.8)), half_depth = p->size * (6 + 13 * (1 - t));
  double bend = 8 * Square(x[0] / half_width); /* its sides lie anterior of its middle */
  return Square(x[0] / half_width) + Square((x[1] - SacrumY(p, x[2]) + bend) / half_depth) <= 1;
}

/* Wing of the hip bone, both sides: a plate from the sacrum to the front. */
static PetscBool InIlium(const Chordoma *p, const double x[3])
{
  const double s = p->size, along[2] = {0.66, -0.75};
  double dx = fabs(x[0]) - 92 * s, dy = x[1] - 14 * s;
  double length = dx * along[0] + dy * along[1], across = dx * along[1] - dy * along[0];
  return x[2] > -35 * s && Square(length / (56 * s)) + Square(across / (9 * s)) <= 1;
}

static PetscBool InFemur(const Chordoma *p, const double x[3])
{
  const double s = p->size;
  return Square(fabs(x[0]) - 92 * s) + Square(x[1] + 4 * s) + Square(x[2] + 78 * s) <= Square(24 * s);
}

/* Of the GTV: it is where this is smallest, and not too near to the skin. */
static double GTVLevel(const void *of, const double x[3], double most)
{
  const Chordoma *p = of;
  return InBody(p, x, gtv_to_skin_mm) ? BlobLevel_mm(&p->gtv, x, most) : PETSC_INFINITY;
}

/* Most anterior y of the GTV near the midline in every slice, given way to gradually above and below; infinite without any. */
static PetscErrorCode FindFront(const Grid *ct, const unsigned char *gtv, double *front)
{
  PetscFunctionBegin;
  const double slope = 0.8;
  const size_t slice = (size_t)ct->n[0] * (size_t)ct->n[1];
  double *own;
  PetscCall(PetscMalloc1(ct->n[2], &own));
  for (PetscInt k = 0; k < ct->n[2]; k++) front[k] = own[k] = PETSC_INFINITY;
  for (size_t v = 0; v < GridSize(ct); v++) {
    double x[3];
    if (!gtv[v]) continue;
    GridCentre(ct, v, x);
    if (fabs(x[0]) < 35) own[v / slice] = PetscMin(own[v / slice], x[1]);
  }
  for (PetscInt k = 0; k < ct->n[2]; k++)
    for (PetscInt j = 0; j < ct->n[2]; j++)
      front[k] = PetscMin(front[k], own[j] + slope * ct->spacing_mm[2] * abs((int)(k - j)));
  PetscCall(PetscFree(own));
  PetscFunctionReturn(0);
}

/* The rectum lies before the sacrum and before the tumour that pushes it away. */
static Disc RectumAt(const Chordoma *p, double z, double front)
{
  const double s = p->size, radius = 15 * s;
  double y = PetscMin(SacrumY(p, z) - 38 * s, front - radius - 3);
  return (Disc){0, PetscMax(y, -70 * s), radius};
}

/* The sigma goes on from the rectum's top to the left and up. */
static Disc SigmaAt(const Chordoma *p, double z, double front)
{
  const double s = p->size, t = PetscClipInterval((z - 25 * s) / (50 * s), 0, 1), radius = 16 * s;
  double y = PetscMin(5 * s - 35 * s * t, front - radius - 3);
  return (Disc){75 * s * t, PetscMax(y, -75 * s), radius};
}

static PetscBool InDisc(Disc tube, const double x[3])
{
  return Square(x[0] - tube.x) + Square(x[1] - tube.y) <= Square(tube.radius);
}

static PetscBool InBowel(const Chordoma *p, const double x[3])
{
  const double s = p->size;
  return x[2] > 10 * s && Square(x[0] / (105 * s)) + Square((x[1] + 38 * s) / (46 * s)) <= 1;
}

/* Roots and trunks of the sacral plexus, both sides, from the sacrum's front down and outwards. */
static PetscBool InNerves(const Chordoma *p, const double x[3])
{
  const double s = p->size, t = PetscClipInterval((45 * s - x[2]) / (115 * s), 0, 1);
  if (x[2] > 45 * s || x[2] < -70 * s) return PETSC_FALSE;
  double axis_x = s * (24 + 48 * t), axis_y = s * (32 + 18 * t);
  return Square(fabs(x[0]) - axis_x) + Square(x[1] - axis_y) <= Square(4.5 * s);
}

/* Which of the own structures a voxel belongs to; tumour and bone are no part of organs. */
static void Classify(const Chordoma *p, const double x[3], double front, PetscBool tumour, unsigned char in[N_OWN])
{
  const double s = p->size;
  memset(in, 0, N_OWN);
  in[EXTERNAL] = InBody(p, x, 0);
  in[GTV] = tumour;
  in[SACRUM] = InSacrum(p, x);
  if (in[GTV] || in[SACRUM] || InIlium(p, x) || InFemur(p, x)) return;
  in[NERVES] = InNerves(p, x);
  if (in[NERVES]) return;
  in[RECTUM] = x[2] >= -80 * s && x[2] <= 25 * s && InDisc(RectumAt(p, x[2], front), x);
  in[SIGMA] = !in[RECTUM] && x[2] > 25 * s && x[2] <= 75 * s && InDisc(SigmaAt(p, x[2], front), x);
  in[BOWEL] = !in[RECTUM] && !in[SIGMA] && InBowel(p, x);
}

static int Hounsfield(const Chordoma *p, const double x[3], double front, const unsigned char in[N_OWN])
{
  if (!in[EXTERNAL]) return HU_AIR;
  if (in[GTV]) return HU_TUMOUR;
  if (in[SACRUM]) return HU_SACRUM;
  if (InIlium(p, x)) return HU_ILIUM;
  if (InFemur(p, x)) return HU_FEMUR;
  if (in[RECTUM] && p->gas) { /* on the upper side of the prone patient */
    Disc rectum = RectumAt(p, x[2], front);
    if (Square(x[0]) + Square(x[1] - rectum.y - 4) + Square(x[2] + 20) <= Square(8)) return HU_GAS;
  }
  if (in[RECTUM] || in[SIGMA] || in[BOWEL] || in[NERVES]) return HU_ORGAN;
  if (!InBody(p, x, fat_mm * p->size)) return HU_FAT;
  return fabs(x[0]) < 75 * p->size && x[1] < 30 * p->size ? HU_SOFT : HU_MUSCLE;
}

static PetscErrorCode FillVoxels(const Chordoma *p, const double *front, Case *patient)
{
  PetscFunctionBegin;
  const size_t slice = (size_t)patient->ct.n[0] * (size_t)patient->ct.n[1];
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    double x[3], ahead = front[v / slice];
    unsigned char in[N_OWN];
    GridCentre(&patient->ct, v, x);
    Classify(p, x, ahead, patient->structures[GTV].mask[v], in);
    for (int s = 0; s < N_OWN; s++) patient->structures[s].mask[v] = in[s] && in[EXTERNAL];
    patient->hu[v] = (short)Hounsfield(p, x, ahead, in);
  }
  PetscFunctionReturn(0);
}

/* The skin, and margins of the tumour, which end at organs and skin. */
static PetscErrorCode AddDerived(Case *patient, Mistakes *mistakes)
{
  PetscFunctionBegin;
  static const char *const margin[][2] = {{"CTV_HD", "GTV plus 6 mm"}, {"CTV_LD", "GTV plus 18 mm"}};
  static const char *const barrier[] = {"Rectum", "Sigma", "Bowel", "Skin"};
  PetscCall(CaseAddSkin(mistakes, patient));
  PetscCall(CaseDerive(PETSC_STATIC_ARRAY_LENGTH(margin), margin, mistakes, patient));
  for (size_t b = 0; b < PETSC_STATIC_ARRAY_LENGTH(barrier); b++) {
    const unsigned char *end = patient->structures[CaseFindStructure(patient, barrier[b])].mask;
    for (int target = 0; target < 2; target++) {
      unsigned char *ctv = patient->structures[CaseFindStructure(patient, target ? "CTV_LD" : "CTV_HD")].mask;
      for (size_t v = 0; v < GridSize(&patient->ct); v++) ctv[v] &= !end[v];
    }
  }
  PetscFunctionReturn(0);
}

/* Air around the pelvis; along z it goes on to the edge, 60 mm or more beyond the tumour. */
static void LayOutPelvis(const Chordoma *p, double spacing_mm, Grid *ct)
{
  const double half[3] = {180 * p->size + 9, 114 * p->size + 9, PetscMax(96, 1.5 * p->gtv.radius_mm + 60)};
  LayOutGrid((const double[3]){-half[0], -half[1], -half[2]}, half, spacing_mm, ct);
}

static const SchemaKey keys[] = {CT_SPACING(Seeded, "3", 6), SEED};

static PetscErrorCode Build(const void *of, Mistakes *mistakes, Case *patient)
{
  PetscFunctionBegin;
  const Seeded *wanted = of;
  Chordoma drawn;
  float *rim;
  double *front;
  PetscCall(CaseSetSource("chordoma", wanted, patient));
  ChordomaDraw(wanted->seed, &drawn);
  LayOutPelvis(&drawn, wanted->ct_spacing_mm, &patient->ct);
  if (!GridFits(&patient->ct, PATIENT_BYTES_PER_VOXEL, patient->name, mistakes)) PetscFunctionReturn(0);
  patient->position = POSITION_HFP;
  PetscCall(CaseAddOrgans(N_OWN, organ, patient));
  PetscCall(PetscCalloc1(GridSize(&patient->ct), &rim));
  PetscCall(PetscMalloc1(patient->ct.n[2], &front));
  PetscCall(GrowVolume(&(const Growth){GTVLevel, &drawn, NULL}, &patient->ct, drawn.gtv_cm3,
                       patient->structures[GTV].mask, rim));
  PetscCall(FindFront(&patient->ct, patient->structures[GTV].mask, front));
  PetscCall(FillVoxels(&drawn, front, patient));
  PetscCall(ChordomaAddMaps(&drawn, patient->structures[GTV].mask, rim, patient));
  PetscCall(AddDerived(patient, mistakes));
  PetscCall(CaseSetDefaultRSP(patient));
  PetscCall(PetscFree(rim));
  PetscCall(PetscFree(front));
  PetscFunctionReturn(0);
}

const Phantom phantom_chordoma = {.keys = {"chordoma", TYPE_MAPPING, CHILDREN(keys), .size = sizeof(Seeded),
                                           .doc = "a digital patient with sacral chordoma"},
                                  .build = Build};
