/*
 * head-neck: the digital patient number `seed` of a cohort with adenoid cystic carcinoma of the sinuses and nose, that stands in for
 * that of Sokol et al. (arXiv 2210.04684), which is not public: a schematic head and neck, supine (External; Brain, Brainstem, Skull with
 * jaws and vertebrae, Sinuses, Skin, the outer 3 mm) around eyes, lenses, optic nerves and chiasm of measured size and place, and
 * an irregular CTV with the GTV in it. head_neck_draw.c says what is drawn and from which numbers. Organs keep what the CTV takes of
 * them, but for eyes, brainstem, spinal canal and skin (5 mm), where it ends; the GTV is solid, also in a sinus. The same seed gives
 * the same patient on any number of ranks, and its shapes do not depend on the CT spacing but for the voxels.
 */
#include "head_neck_private.h"
#include <math.h>
#include <string.h>

enum {
  EXTERNAL,
  GTV,
  CTV,
  BRAIN,
  BRAINSTEM,
  CHIASM,
  NERVE,
  EYE = NERVE + N_SIDES,
  LENS = EYE + N_SIDES,
  SKULL = LENS + N_SIDES,
  SINUSES,
  N_ORGANS
};
static const Organ organ[N_ORGANS] = {[EXTERNAL] = {"External", ROLE_EXTERNAL},
                                      [GTV] = {"GTV", ROLE_TARGET},
                                      [CTV] = {"CTV", ROLE_TARGET},
                                      [BRAIN] = {"Brain", ROLE_OAR},
                                      [BRAINSTEM] = {"Brainstem", ROLE_OAR},
                                      [CHIASM] = {"OpticChiasm", ROLE_OAR},
                                      [NERVE + RIGHT] = {"OpticNrv_R", ROLE_OAR},
                                      [NERVE + LEFT] = {"OpticNrv_L", ROLE_OAR},
                                      [EYE + RIGHT] = {"Eye_R", ROLE_OAR},
                                      [EYE + LEFT] = {"Eye_L", ROLE_OAR},
                                      [LENS + RIGHT] = {"Lens_R", ROLE_OAR},
                                      [LENS + LEFT] = {"Lens_L", ROLE_OAR},
                                      [SKULL] = {"Skull", ROLE_OAR},
                                      [SINUSES] = {"Sinuses", ROLE_OAR}};

/* By the default HLUT fat has a stopping power of 0.968, brain 1.037, muscle 1.042. */
enum { HU_AIR = -1000, HU_ETHMOID = -700, HU_FAT = -70, HU_VITREOUS = 10, HU_BRAIN = 39, HU_MUSCLE = 44, HU_LENS = 60 };
static const double eye_mm[3] = {12, 12, 12}, lens_mm[3] = {4.8, 2.2, 4.8};
static const double subcutaneous_mm = 5, ctv_to_skin_mm = 5, ctv_to_brainstem_mm = 2;
static const double into_brain = 1.8, into_orbit = 1.5; /* the CTV reaches so much less far there */

static PetscBool InEye(const HeadNeck *p, int side, const double x[3], double more_mm)
{
  return EllipsoidLevel(p->side[side].eye_mm, eye_mm, more_mm, x) <= 1;
}

/* Relative to the tumour's surface, where it can reach. */
static double TumourLevel(const void *of, const double x[3], double most)
{
  const HeadNeck *p = of;
  double reach = 1;
  if (!InHead(p, x, ctv_to_skin_mm)) return PETSC_INFINITY;
  if (InBrainstem(p, x, ctv_to_brainstem_mm) || InCervicalCanal(p, x, ctv_to_brainstem_mm)) return PETSC_INFINITY;
  for (int s = 0; s < N_SIDES; s++) {
    if (InEye(p, s, x, 1)) return PETSC_INFINITY;
    if (InOrbit(p, s, x) && !(p->orbit_invaded && s == p->tumour_side)) reach = 1 / into_orbit;
  }
  if (InCranialCavity(p, x)) reach = 1 / into_brain;
  reach *= p->tumour.radius_mm;
  return BlobLevel_mm(&p->tumour, x, most * reach) / reach;
}

/* With the spread along the nerve. */
static double CTVLevel(const void *of, const double x[3], double most)
{
  const HeadNeck *p = of;
  const double level = TumourLevel(of, x, most), radius_mm = p->spread.point[0][3];
  const double lower_mm = (PetscMin(level, most) - 1) * radius_mm + 1e-6; /* the tube alone tells, where it is nearer */
  if (level == PETSC_INFINITY || !TubeReaches(&p->spread, x, lower_mm)) return level;
  return PetscMin(level, 1 + TubeDistance_mm(&p->spread, x) / radius_mm);
}

/* Which of the organs a place belongs to, but for the tumour. */
static void Classify(const HeadNeck *p, const double x[3], unsigned char in[N_ORGANS])
{
  memset(in, 0, N_ORGANS);
  in[EXTERNAL] = InHead(p, x, 0);
  if (!in[EXTERNAL]) return;
  for (int s = 0; s < N_SIDES; s++) {
    in[EYE + s] = InEye(p, s, x, 0);
    in[LENS + s] = EllipsoidLevel(p->side[s].lens_mm, lens_mm, 0, x) <= 1;
    if (in[EYE + s]) return;
  }
  const double z = (x[2] - p->chiasm_mm[2]) / p->chiasm_half_mm[2];
  in[CHIASM] = fabs(z) <= 1 && pow((x[0] - p->chiasm_mm[0]) / p->chiasm_half_mm[0], 2) +
                                       pow((x[1] - p->chiasm_mm[1]) / p->chiasm_half_mm[1], 2) <=
                                   1;
  if (in[CHIASM]) return;
  for (int s = 0; s < N_SIDES; s++)
    if ((in[NERVE + s] = TubeReaches(&p->side[s].nerve, x, 0))) return;
  in[BRAINSTEM] = InBrainstem(p, x, 0);
  in[BRAIN] = !in[BRAINSTEM] && InCranialCavity(p, x);
  if (in[BRAINSTEM] || in[BRAIN]) return;
  in[SINUSES] = SinusAt(p, x) != NO_SINUS;
  in[SKULL] = !in[SINUSES] && AirwayAt(p, x) != AIRWAY && BoneAt(p, x);
}

static int Hounsfield(const HeadNeck *p, const double x[3], const unsigned char in[N_ORGANS])
{
  if (!in[EXTERNAL]) return HU_AIR;
  if (in[LENS + RIGHT] || in[LENS + LEFT]) return HU_LENS;
  if (in[EYE + RIGHT] || in[EYE + LEFT]) return HU_VITREOUS;
  if (in[BRAIN] || in[BRAINSTEM] || in[CHIASM] || in[NERVE + RIGHT] || in[NERVE + LEFT]) return HU_BRAIN;
  if (in[SKULL]) return BoneAt(p, x);
  if (in[GTV]) return HU_MUSCLE;
  if (in[SINUSES]) return SinusAt(p, x) == ETHMOID_CELLS ? HU_ETHMOID : HU_AIR;
  if (InOrbit(p, RIGHT, x) || InOrbit(p, LEFT, x)) return HU_FAT;
  if (AirwayAt(p, x) == AIRWAY) return HU_AIR;
  return InHead(p, x, subcutaneous_mm) ? HU_MUSCLE : HU_FAT;
}

static void FillVoxels(const HeadNeck *p, Case *patient)
{
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    double x[3];
    unsigned char in[N_ORGANS];
    GridCentre(&patient->ct, v, x);
    Classify(p, x, in);
    for (int s = GTV; s <= CTV; s++) in[s] = patient->structures[s].mask[v];
    for (int s = 0; s < N_ORGANS; s++) patient->structures[s].mask[v] = in[s];
    patient->hu[v] = (short)Hounsfield(p, x, in);
  }
}

static const SchemaKey keys[] = {CT_SPACING(Seeded, "2", 3), SEED};

static PetscErrorCode Build(const void *of, Mistakes *mistakes, Case *patient)
{
  PetscFunctionBegin;
  const Seeded *wanted = of;
  HeadNeck drawn;
  PetscCall(CaseSetSource("head-neck", wanted, patient));
  HeadNeckDraw(wanted->seed, &drawn);
  const double x = 0.5 * drawn.width_mm + 9, y = 0.5 * drawn.length_mm + 9, nose_mm = 22;
  LayOutGrid((const double[3]){-x, -y - nose_mm, -114}, (const double[3]){x, y, 124}, wanted->ct_spacing_mm,
             &patient->ct);
  if (!GridFits(&patient->ct, PATIENT_BYTES_PER_VOXEL, patient->name, mistakes)) PetscFunctionReturn(0);
  PetscCall(CaseAddOrgans(N_ORGANS, organ, patient));
  const Growth ctv = {CTVLevel, &drawn, NULL}, gtv = {TumourLevel, &drawn, patient->structures[CTV].mask};
  PetscCall(GrowVolume(&ctv, &patient->ct, drawn.ctv_cm3, patient->structures[CTV].mask, NULL));
  PetscCall(GrowVolume(&gtv, &patient->ct, drawn.gtv_cm3, patient->structures[GTV].mask, NULL));
  FillVoxels(&drawn, patient);
  PetscCall(CaseAddSkin(mistakes, patient));
  PetscCall(CaseSetDefaultRSP(patient));
  PetscFunctionReturn(0);
}

const Phantom phantom_head_neck = {.keys = {"head-neck", TYPE_MAPPING, CHILDREN(keys), .size = sizeof(Seeded),
                                            .doc = "a digital patient with adenoid cystic carcinoma"},
                                   .build = Build};
