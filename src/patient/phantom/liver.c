/*
 * liver: the digital patient number `seed` of a cohort with tumours of the liver, that stands in for that of Sokol et al. (arXiv
 * 2210.04684), which is not public: a schematic torso, supine (External; Lungs, Heart, Stomach, Spleen, Kidneys, Duodenum, Bowel,
 * SpinalCord, Spine, Ribs, Skin, the outer 3 mm) around a liver of the drawn volume, with one to three irregular CTVs in it that
 * hold a GTV each. CTV and GTV are all of them; of several, CTV1, GTV1, ... are one each. liver_draw.c says what is drawn and from
 * which numbers. The same seed gives the same patient on any number of ranks, and its shapes do not depend on the CT spacing
 * but for the voxels. Lungs go on beyond the CT. It breathes, if that is asked for: displacements in closed form (LiverMoving).
 */
#include "liver_private.h"
#include <stdio.h>
#include <string.h>

enum {
  EXTERNAL,
  GTV,
  CTV,
  LIVER,
  LUNG_R,
  LUNG_L,
  HEART,
  STOMACH,
  SPLEEN,
  DUODENUM,
  KIDNEY_R,
  KIDNEY_L,
  BOWEL,
  CORD,
  SPINE,
  RIBS,
  N_ORGANS
};
static const Organ organ[N_ORGANS] = {[EXTERNAL] = {"External", ROLE_EXTERNAL},
                                      [GTV] = {"GTV", ROLE_TARGET},
                                      [CTV] = {"CTV", ROLE_TARGET},
                                      [LIVER] = {"Liver", ROLE_OAR},
                                      [LUNG_R] = {"Lung_R", ROLE_OAR},
                                      [LUNG_L] = {"Lung_L", ROLE_OAR},
                                      [HEART] = {"Heart", ROLE_OAR},
                                      [STOMACH] = {"Stomach", ROLE_OAR},
                                      [SPLEEN] = {"Spleen", ROLE_OAR},
                                      [DUODENUM] = {"Duodenum", ROLE_OAR},
                                      [KIDNEY_R] = {"Kidney_R", ROLE_OAR},
                                      [KIDNEY_L] = {"Kidney_L", ROLE_OAR},
                                      [BOWEL] = {"Bowel", ROLE_OAR},
                                      [CORD] = {"SpinalCord", ROLE_OAR},
                                      [SPINE] = {"Spine", ROLE_OAR},
                                      [RIBS] = {"Ribs", ROLE_OAR}};

/* By the default HLUT stopping powers of 0.258 (lung), 0.968 (fat), 1.042 (muscle, kidney), 1.051 (liver, blood). */
enum {
  HU_AIR = -1000,
  HU_GAS = -850,
  HU_LUNG = -753,
  HU_FAT = -70,
  HU_FLUID = 10,
  HU_BOWEL = 25,
  HU_CORD = 39,
  HU_TUMOUR = 40,
  HU_MUSCLE = 44,
  HU_LIVER = 54
};
static const double subcutaneous_mm = 13;

/* Which of the organs a place outside the liver belongs to. */
static void Classify(const LiverPatient *p, const double x[3], unsigned char in[N_ORGANS])
{
  in[CORD] = InSpinalCord(x);
  in[SPINE] = SpineAt(x) != 0;
  in[RIBS] = !in[SPINE] && RibAt(p, x);
  if (in[CORD] || in[SPINE] || in[RIBS] || !InTrunkCavity(p, x)) return;
  for (int left = 0; left < 2; left++)
    if ((in[left ? KIDNEY_L : KIDNEY_R] = InKidney(left, x)) || (in[left ? LUNG_L : LUNG_R] = InLung(p, left, x)))
      return;
  if ((in[HEART] = InHeart(x)) || (in[STOMACH] = InStomach(x)) || (in[SPLEEN] = InSpleen(p, x))) return;
  if (!(in[DUODENUM] = InDuodenum(x))) in[BOWEL] = InBowel(p, x);
}

static int Hounsfield(const LiverPatient *p, const double x[3], const unsigned char in[N_ORGANS])
{
  if (!in[EXTERNAL]) return HU_AIR;
  if (in[GTV]) return HU_TUMOUR;
  if (in[LIVER] || in[HEART] || in[SPLEEN]) return HU_LIVER;
  if (in[SPINE]) return SpineAt(x);
  if (in[RIBS]) return RibAt(p, x);
  if (in[CORD]) return HU_CORD;
  if (in[LUNG_L] || in[LUNG_R]) return HU_LUNG;
  if (in[STOMACH]) return InStomachGas(p, x) ? HU_GAS : HU_BOWEL;
  if (in[DUODENUM] || in[BOWEL]) return HU_BOWEL;
  if (InSpinalCanal(x)) return HU_FLUID;
  if (in[KIDNEY_L] || in[KIDNEY_R]) return HU_MUSCLE;
  return !InTorso(p, x, subcutaneous_mm) || InAbdomen(p, x) ? HU_FAT : HU_MUSCLE;
}

static void FillVoxels(const LiverPatient *p, Case *patient)
{
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    double x[3];
    unsigned char in[N_ORGANS] = {0};
    GridCentre(&patient->ct, v, x);
    for (int s = GTV; s <= LIVER; s++) in[s] = patient->structures[s].mask[v];
    in[EXTERNAL] = InTorso(p, x, 0);
    if (in[EXTERNAL] && !in[LIVER]) Classify(p, x, in);
    for (int s = 0; s < N_ORGANS; s++) patient->structures[s].mask[v] = in[s];
    patient->hu[v] = (short)Hounsfield(p, x, in);
  }
}

static double TargetLevel(const void *target, const double x[3], double most)
{
  return BlobLevel_mm(target, x, most);
}

/* One CTV and its GTV in what `free` has of the liver, which they then leave. */
static PetscErrorCode GrowTarget(const LiverPatient *p, PetscInt t, unsigned char *free, unsigned char *ctv,
                                 unsigned char *gtv, const Grid *ct)
{
  PetscFunctionBegin;
  const Growth in_liver = {TargetLevel, &p->target[t], free}, in_ctv = {TargetLevel, &p->target[t], ctv};
  PetscCall(GrowVolume(&in_liver, ct, p->ctv_cm3[t], ctv, NULL));
  PetscCall(GrowVolume(&in_ctv, ct, p->gtv_cm3[t], gtv, NULL));
  for (size_t v = 0; v < GridSize(ct); v++) free[v] &= !ctv[v];
  PetscFunctionReturn(0);
}

/* Of several targets each has structures of its own behind the organs. */
static PetscErrorCode GrowTargets(const LiverPatient *p, Case *patient)
{
  PetscFunctionBegin;
  const size_t n = GridSize(&patient->ct);
  unsigned char *free;
  PetscCall(PetscMalloc1(n, &free));
  PetscCall(PetscArraycpy(free, patient->structures[LIVER].mask, n));
  for (PetscInt t = 0; t < p->n_targets; t++) {
    Structure *own = p->n_targets > 1 ? &patient->structures[N_ORGANS + 2 * t] : &patient->structures[GTV];
    PetscCall(GrowTarget(p, t, free, own[1].mask, own[0].mask, &patient->ct));
    for (int s = 0; s < 2 && p->n_targets > 1; s++)
      for (size_t v = 0; v < n; v++) patient->structures[GTV + s].mask[v] |= own[s].mask[v];
  }
  PetscCall(PetscFree(free));
  PetscFunctionReturn(0);
}

/* The organs, and of several targets their names. */
static PetscErrorCode AddOrgans(const LiverPatient *p, Case *patient)
{
  PetscFunctionBegin;
  static const char *const target_name[MOST_TARGETS][2] = {{"GTV1", "CTV1"}, {"GTV2", "CTV2"}, {"GTV3", "CTV3"}};
  Organ all[N_ORGANS + 2 * MOST_TARGETS];
  PetscInt n = N_ORGANS;
  PetscCall(PetscArraycpy(all, organ, N_ORGANS));
  for (PetscInt t = 0; t < p->n_targets && p->n_targets > 1; t++)
    for (int s = 0; s < 2; s++) all[n++] = (Organ){target_name[t][s], ROLE_TARGET};
  PetscCall(CaseAddOrgans(n, all, patient));
  PetscFunctionReturn(0);
}

typedef struct LiverKeys {
  Seeded seeded;
  BreathingKeys breathing;
} LiverKeys;
static const SchemaKey keys[] = {CT_SPACING(Seeded, "3", 4), SEED, BREATHING(LiverKeys)};

static PetscErrorCode Build(const void *of, Mistakes *mistakes, Case *patient)
{
  PetscFunctionBegin;
  const LiverKeys *all = of;
  const Seeded *wanted = &all->seeded;
  LiverPatient drawn;
  PetscCall(CaseSetSource("liver", wanted, patient));
  LiverPatientDraw(wanted->seed, &drawn);
  const double x = 165 * drawn.size + 9, y = 110 * drawn.size + 9;
  LayOutGrid((const double[3]){-x, -y, -132}, (const double[3]){x, y, 204}, wanted->ct_spacing_mm, &patient->ct);
  if (!GridFits(&patient->ct, PATIENT_BYTES_PER_VOXEL + BreathingBytes(&all->breathing), patient->name, mistakes))
    PetscFunctionReturn(0);
  PetscCall(AddOrgans(&drawn, patient));
  PetscCall(GrowVolume(&(const Growth){LiverLevel, &drawn, NULL}, &patient->ct, drawn.liver_cm3,
                       patient->structures[LIVER].mask, NULL));
  PetscCall(GrowTargets(&drawn, patient));
  FillVoxels(&drawn, patient);
  PetscCall(CaseAddSkin(mistakes, patient));
  PetscCall(CaseBreathe(&all->breathing, LiverMoving, &drawn, patient));
  PetscCall(CaseSetDefaultRSP(patient));
  PetscFunctionReturn(0);
}

const Phantom phantom_liver = {.keys = {"liver", TYPE_MAPPING, CHILDREN(keys), .size = sizeof(LiverKeys),
                                        .doc = "a digital patient with tumours of the liver"},
                               .build = Build};
