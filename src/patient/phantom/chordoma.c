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
#include "phantom_private.h"
#include "robion/structure.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXTERNAL, GTV, SACRUM, RECTUM, SIGMA, BOWEL, NERVES, N_OWN };
static const char *const own_name[N_OWN] = {"External", "GTV", "Sacrum", "Rectum", "Sigma", "Bowel", "Nerves"};
static const Role own_role[N_OWN] = {ROLE_EXTERNAL, ROLE_TARGET, ROLE_OAR, ROLE_OAR, ROLE_OAR, ROLE_OAR, ROLE_OAR};

enum { HU_AIR = -1000, HU_GAS = -850, HU_FAT = -95, HU_SOFT = 15, HU_ORGAN = 25, HU_MUSCLE = 50, HU_TUMOUR = 40 };
enum { HU_SACRUM = 280, HU_FEMUR = 350, HU_ILIUM = 420 };
static const double fat_mm = 16, gtv_to_skin_mm = 5;
static const double farthest_radii = 2.5; /* the GTV's surface is nearer than that, and need not be looked for beyond */

/* A tube's position at some height: centre and radius. */
typedef struct Tube {
  double x, y, radius;
} Tube;

static double Square(double x)
{
  return x * x;
}

/* 1 on the surface of the pelvis shrunk by some mm. */
static double BodyLevel(const Chordoma *p, const double x[3], double shrunk_mm)
{
  const double a = 180 * p->size - shrunk_mm, b = 114 * p->size - shrunk_mm;
  return pow(fabs(x[0]) / a, 2.4) + pow(fabs(x[1]) / b, 2.4);
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

/*
 * Distance from the place the GTV grows from, relative to its irregular surface: the GTV is where this is smallest.
 */
static double GTVLevel(const Chordoma *p, const double x[3])
{
  double d[3], length = 0;
  for (int k = 0; k < 3; k++) {
    d[k] = (x[k] - p->gtv_centre_mm[k]) / p->gtv_axis[k];
    length += d[k] * d[k];
  }
  length = sqrt(length);
  if (length == 0 || length > farthest_radii * p->gtv_radius_mm) return length;
  for (int k = 0; k < 3; k++) d[k] /= length;
  return length / PetscClipInterval(1 + 0.17 * RandomFieldAt(&p->shape, d), 0.6, 1.5);
}

typedef struct Candidate {
  float level;
  size_t voxel;
} Candidate;

static int NearerFirst(const void *left, const void *right)
{
  const Candidate *a = left, *b = right;
  if (a->level != b->level) return a->level < b->level ? -1 : 1;
  return a->voxel < b->voxel ? -1 : a->voxel > b->voxel;
}

/* The GTV is made of as many voxels as fill its volume, those of the lowest level. `rim`: level relative to the last of them. */
static PetscErrorCode GrowGTV(const Chordoma *p, const Grid *ct, unsigned char *gtv, float *rim)
{
  PetscFunctionBegin;
  Candidate *candidate;
  size_t n = GridSize(ct), count = 0, wanted = (size_t)lround(p->gtv_cm3 / GridVoxelVolume_cm3(ct));
  PetscCall(PetscMalloc1(n, &candidate));
  for (size_t v = 0; v < n; v++) {
    double x[3];
    GridCentre(ct, v, x);
    rim[v] = 0;
    if (BodyLevel(p, x, gtv_to_skin_mm) <= 1) candidate[count++] = (Candidate){(float)GTVLevel(p, x), v};
  }
  qsort(candidate, count, sizeof *candidate, NearerFirst);
  wanted = PetscClipInterval(wanted, 1, count);
  for (size_t i = 0; i < wanted; i++) {
    gtv[candidate[i].voxel] = 1;
    rim[candidate[i].voxel] = candidate[i].level / candidate[wanted - 1].level;
  }
  PetscCall(PetscFree(candidate));
  PetscFunctionReturn(0);
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
static Tube RectumAt(const Chordoma *p, double z, double front)
{
  const double s = p->size, radius = 15 * s;
  double y = PetscMin(SacrumY(p, z) - 38 * s, front - radius - 3);
  return (Tube){0, PetscMax(y, -70 * s), radius};
}

/* The sigma goes on from the rectum's top to the left and up. */
static Tube SigmaAt(const Chordoma *p, double z, double front)
{
  const double s = p->size, t = PetscClipInterval((z - 25 * s) / (50 * s), 0, 1), radius = 16 * s;
  double y = PetscMin(5 * s - 35 * s * t, front - radius - 3);
  return (Tube){75 * s * t, PetscMax(y, -75 * s), radius};
}

static PetscBool InTube(Tube tube, const double x[3])
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
  in[EXTERNAL] = BodyLevel(p, x, 0) <= 1;
  in[GTV] = tumour;
  in[SACRUM] = InSacrum(p, x);
  if (in[GTV] || in[SACRUM] || InIlium(p, x) || InFemur(p, x)) return;
  in[NERVES] = InNerves(p, x);
  if (in[NERVES]) return;
  in[RECTUM] = x[2] >= -80 * s && x[2] <= 25 * s && InTube(RectumAt(p, x[2], front), x);
  in[SIGMA] = !in[RECTUM] && x[2] > 25 * s && x[2] <= 75 * s && InTube(SigmaAt(p, x[2], front), x);
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
    Tube rectum = RectumAt(p, x[2], front);
    if (Square(x[0]) + Square(x[1] - rectum.y - 4) + Square(x[2] + 20) <= Square(8)) return HU_GAS;
  }
  if (in[RECTUM] || in[SIGMA] || in[BOWEL] || in[NERVES]) return HU_ORGAN;
  if (BodyLevel(p, x, fat_mm * p->size) > 1) return HU_FAT;
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

static PetscErrorCode RemoveStructure(Case *patient, const char *name)
{
  PetscFunctionBegin;
  PetscInt s = CaseFindStructure(patient, name);
  PetscCall(PetscFree(patient->structures[s].name));
  PetscCall(PetscFree(patient->structures[s].mask));
  patient->n_structures--;
  PetscCall(PetscArraymove(&patient->structures[s], &patient->structures[s + 1], patient->n_structures - s));
  PetscFunctionReturn(0);
}

/* Margins of the tumour, which end at organs and skin, and the skin itself. */
static PetscErrorCode AddDerived(Case *patient, Mistakes *mistakes)
{
  PetscFunctionBegin;
  static const char *const derived[][2] = {{"Inside", "External minus 3 mm"},
                                           {"Skin", "External minus Inside"},
                                           {"CTV_HD", "GTV plus 6 mm"},
                                           {"CTV_LD", "GTV plus 18 mm"}};
  static const char *const barrier[] = {"Rectum", "Sigma", "Bowel", "Skin"};
  const PetscInt before = mistakes->n; /* of other cases */
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(derived); i++)
    PetscCall(StructureDerive(patient, derived[i][0], derived[i][1], patient->name, mistakes));
  PetscCheck(mistakes->n == before, PETSC_COMM_SELF, PETSC_ERR_PLIB, "%s", mistakes->item[before].text);
  PetscCall(RemoveStructure(patient, "Inside"));
  for (size_t b = 0; b < PETSC_STATIC_ARRAY_LENGTH(barrier); b++) {
    const unsigned char *organ = patient->structures[CaseFindStructure(patient, barrier[b])].mask;
    for (int target = 0; target < 2; target++) {
      unsigned char *ctv = patient->structures[CaseFindStructure(patient, target ? "CTV_LD" : "CTV_HD")].mask;
      for (size_t v = 0; v < GridSize(&patient->ct); v++) ctv[v] &= !organ[v];
    }
  }
  PetscFunctionReturn(0);
}

/* Air around the pelvis; along z it goes on to the edge, 60 mm or more beyond the tumour. */
static void LayOutGrid(const Chordoma *p, double spacing_mm, Grid *ct)
{
  const double half[3] = {180 * p->size + 9, 114 * p->size + 9, PetscMax(96, 1.5 * p->gtv_radius_mm + 60)};
  for (int k = 0; k < 3; k++) {
    ct->n[k] = 2 * (PetscInt)ceil(half[k] / spacing_mm);
    ct->spacing_mm[k] = spacing_mm;
    ct->origin_mm[k] = -0.5 * (ct->n[k] - 1) * spacing_mm;
  }
}

typedef struct Keys {
  double ct_spacing_mm;
  PetscInt seed;
} Keys;

static const SchemaKey keys[] = {
    CT_SPACING(Keys, "3", 6),
    {"seed", TYPE_INTEGER, AT(Keys, seed), FROM(1, 1000000000), .fallback = "1", .doc = "which patient of the cohort"},
};

static PetscErrorCode Build(const void *of, Mistakes *mistakes, Case *patient)
{
  PetscFunctionBegin;
  const Keys *wanted = of;
  Chordoma drawn;
  HLUT hlut;
  float *rim;
  double *front;
  char text[128];
  snprintf(text, sizeof text, "phantom chordoma, seed %d, CT voxels of %g mm", (int)wanted->seed,
           wanted->ct_spacing_mm);
  PetscCall(PetscStrallocpy(text, &patient->source));
  ChordomaDraw(wanted->seed, &drawn);
  LayOutGrid(&drawn, wanted->ct_spacing_mm, &patient->ct);
  size_t n = GridSize(&patient->ct);
  patient->position = POSITION_HFP;
  patient->n_structures = N_OWN;
  PetscCall(PetscCalloc1(N_OWN, &patient->structures));
  for (int s = 0; s < N_OWN; s++) {
    patient->structures[s].role = own_role[s];
    PetscCall(PetscStrallocpy(own_name[s], &patient->structures[s].name));
    PetscCall(PetscCalloc1(n, &patient->structures[s].mask));
  }
  PetscCall(PetscMalloc1(n, &patient->hu));
  PetscCall(PetscMalloc1(n, &rim));
  PetscCall(PetscMalloc1(patient->ct.n[2], &front));
  PetscCall(GrowGTV(&drawn, &patient->ct, patient->structures[GTV].mask, rim));
  PetscCall(FindFront(&patient->ct, patient->structures[GTV].mask, front));
  PetscCall(FillVoxels(&drawn, front, patient));
  PetscCall(ChordomaAddMaps(&drawn, patient->structures[GTV].mask, rim, patient));
  PetscCall(AddDerived(patient, mistakes));
  PetscCall(HLUTDefault(&hlut));
  PetscCall(CaseSetRSP(patient, &hlut));
  PetscCall(PetscFree(hlut.point));
  PetscCall(PetscFree(rim));
  PetscCall(PetscFree(front));
  PetscFunctionReturn(0);
}

const Phantom phantom_chordoma = {.keys = {"chordoma", TYPE_MAPPING, CHILDREN(keys), .size = sizeof(Keys),
                                           .doc = "a digital patient with sacral chordoma"},
                                  .build = Build};
