/*
 * What a seed draws of a head: sizes, eyes, optic nerves, sinuses and the tumour. Numbers are means or ranges of measured
 * adults. Head 138 to 146 mm wide, maxillary sinuses 26 x 34 to 37 x 31 to 35 mm: doi 10.2478/aoj-2025-0008. Eyes of 7.5 g: ICRP 89.
 * Sinuses, cm3: maxillary 12.8 (PMID 28341352) to 15.7 (BMC Med Imaging 11:8, 2011), sphenoid 4.0 +- 2.0, frontal 2.9 +- 2.6 (the
 * first). Where nothing is named they are common knowledge.
 *
 * Optic nerve: 25 to 33 mm in the orbit with some slack, 6 to 11 mm in the canal of 3.6 x 4.8 mm, about 10 mm to the chiasm; 3 to 4 mm
 * thick, 0.6 cm3 or with its sheath, as contours have it, 1.0 (texts of ophthalmic anatomy). Chiasm: 11.1 to 16.9, mean 13.6 mm wide
 * (Mncube, Goodier, S Afr J Rad 23:a1772, 2019; their SD is 1.2, ours 1.5), 3.5 high (Parravano et al., J Comput Assist Tomogr
 * 17:688, 1993). The nerve is laid from the chiasm to the eye, so that the skull base follows from the drawn lengths.
 *
 * Tumour: sinonasal adenoid cystic carcinomas begin in the maxillary sinus (47 %), the nasal cavity (30 %) or elsewhere (Lupinetti et
 * al., Cancer 110:2726, 2007). CTV volumes of seeds 1 to 15 are those of Sokol et al. (arXiv 2210.04684, Table I), of others log-normal
 * with the same mean and spread. The CTV grows around the site, less into the brain and an orbit that is not invaded, and along the
 * second branch of the trigeminal nerve through the foramen rotundum to the cavernous sinus, as such tumours spread. Nothing of it
 * looks at the optic nerves: how they lie to the CTV is what the seed brings.
 */
#include "head_neck_private.h"
#include <math.h>

enum { STREAM_HEAD, STREAM_SINUSES, STREAM_SITE, STREAM_SHAPE };

static const double acc_ctv_cm3[] = {340.4, 336.7, 199.9, 206.8, 245.6, 53.4,  350.2, 747.9,
                                     316.9, 351.0, 201.0, 343.3, 462.3, 294.9, 215.5};
enum { N_TABLE = PETSC_STATIC_ARRAY_LENGTH(acc_ctv_cm3) };

static const double usual_length_mm = 188, usual_chiasm_y_mm = -22.7;
static const double eye_radius_mm = 12, eye_behind_glabella_mm = 20, nerve_medial_mm = 3;
static const double slack = 0.95; /* straight length of the nerve in the orbit, of its length */
static const double sheath_mm = 2.6, canal_mm = 2.1, intracranial_mm = 2.2; /* radii of the nerve */

static void TubeAdd(Tube *tube, double x, double y, double z, double radius_mm)
{
  const double point[4] = {x, y, z, radius_mm};
  for (int k = 0; k < 4; k++) tube->point[tube->n][k] = point[k];
  tube->n++;
}

/* Lengths of the nerve's parts and the chiasm, the same on both sides. */
typedef struct NervePath {
  double orbital_mm, canal_mm, intracranial_mm;
  double exit_mm[3], orbit_apex_mm[3], canal_end_mm[3], horn_mm[3]; /* of the left side */
} NervePath;

/*
 * From the chiasm's horn forwards, outwards and down through the canal to the orbit's apex; the chiasm lies as far behind the eye as
 * the nerve is long.
 */
static void LayNerves(CounterRandom *random, HeadNeck *p, const double eye_mm[3], NervePath *n)
{
  static const double inside[3] = {0.55, -0.80, -0.24}, canal[3] = {0.5, -0.85, -0.17}; /* forwards, unit vectors */
  n->orbital_mm = DrawBetween(random, 25, 33);
  n->canal_mm = DrawBetween(random, 6, 11);
  n->intracranial_mm = DrawBetween(random, 9, 11);
  const double straight = slack * n->orbital_mm, half_width = 0.5 * DrawAround(random, 13.6, 1.5, 11.1, 16.9);
  n->exit_mm[0] = eye_mm[0] - nerve_medial_mm;
  n->exit_mm[1] = eye_mm[1] + sqrt(eye_radius_mm * eye_radius_mm - nerve_medial_mm * nerve_medial_mm);
  n->exit_mm[2] = eye_mm[2];
  n->horn_mm[0] = half_width - intracranial_mm, n->horn_mm[1] = 0, n->horn_mm[2] = 10;
  for (int k = 0; k < 3; k++) {
    n->canal_end_mm[k] = n->horn_mm[k] + n->intracranial_mm * inside[k];
    n->orbit_apex_mm[k] = n->canal_end_mm[k] + n->canal_mm * canal[k];
  }
  const double x = n->exit_mm[0] - n->orbit_apex_mm[0], z = n->exit_mm[2] - n->orbit_apex_mm[2];
  const double moved = n->exit_mm[1] + sqrt(straight * straight - x * x - z * z) - n->orbit_apex_mm[1];
  n->horn_mm[1] += moved, n->canal_end_mm[1] += moved, n->orbit_apex_mm[1] += moved;
  for (int k = 0; k < 3; k++) p->chiasm_mm[k] = (const double[3]){0, n->horn_mm[1] + 2.5, n->horn_mm[2]}[k];
  for (int k = 0; k < 3; k++) p->chiasm_half_mm[k] = (const double[3]){half_width, 4, 1.75}[k];
}

/* In the orbit it sags by a half wave of its length. */
static void AddNerve(const NervePath *n, HeadSide *side)
{
  enum { PARTS = 6 };
  const double straight = slack * n->orbital_mm;
  const double sag_mm = 2 / PETSC_PI * sqrt(straight * (n->orbital_mm - straight));
  for (int i = 0; i <= PARTS; i++) {
    const double t = (double)i / PARTS, down = sag_mm * sin(PETSC_PI * t);
    double at[3];
    for (int k = 0; k < 3; k++) at[k] = n->exit_mm[k] + t * (n->orbit_apex_mm[k] - n->exit_mm[k]);
    TubeAdd(&side->nerve, side->sign * (at[0] + 0.5 * down), at[1], at[2] - 0.87 * down,
            i < PARTS ? sheath_mm : canal_mm);
  }
  TubeAdd(&side->nerve, side->sign * n->canal_end_mm[0], n->canal_end_mm[1], n->canal_end_mm[2], intracranial_mm);
  TubeAdd(&side->nerve, side->sign * n->horn_mm[0], n->horn_mm[1], n->horn_mm[2], intracranial_mm);
}

/* A cone around the eye, 30 cm3, to the optic canal. */
static void AddOrbit(const NervePath *n, HeadSide *side)
{
  enum { PARTS = 6 };
  const double rim[3] = {side->eye_mm[0] + side->sign * 1.5, side->eye_mm[1] - 6, side->eye_mm[2] - 0.5};
  const double apex[3] = {side->sign * n->orbit_apex_mm[0], n->orbit_apex_mm[1], n->orbit_apex_mm[2]};
  for (int i = 0; i <= PARTS; i++) {
    const double t = (double)i / PARTS;
    TubeAdd(&side->orbit, rim[0] + t * (apex[0] - rim[0]), rim[1] + t * (apex[1] - rim[1]),
            rim[2] + t * (apex[2] - rim[2]), 3.5 + 14.5 * pow(1 - t, 0.75));
  }
}

/* Half axes of an ellipsoid of that volume, in these proportions. */
static void SizeEllipsoid(double cm3, const double proportion[3], double half_mm[3])
{
  const double scale = RadiusOfVolume_mm(cm3) / cbrt(proportion[0] * proportion[1] * proportion[2]);
  for (int k = 0; k < 3; k++) half_mm[k] = scale * proportion[k];
}

static void DrawSinuses(PetscInt seed, HeadNeck *p)
{
  static const double maxillary[3] = {13, 17.75, 16.5}, sphenoid[3] = {12, 10.5, 8}, frontal[3] = {11, 4.5, 8};
  CounterRandom random = {.seed = (uint64_t)seed, .stream = STREAM_SINUSES};
  const double frontal_cm3 = DrawAround(&random, 2.9, 2.6, 0.5, 6.5);
  SizeEllipsoid(DrawAround(&random, 4, 2, 1.5, 7), sphenoid, p->sphenoid_half_mm);
  p->sphenoid_mm[1] = p->base_y_mm - 31;
  p->sphenoid_mm[2] = 3 - p->sphenoid_half_mm[2];
  for (int s = 0; s < N_SIDES; s++) {
    HeadSide *side = &p->side[s];
    SizeEllipsoid(DrawBetween(&random, 12.8, 15.7), maxillary, side->maxillary_half_mm);
    SizeEllipsoid(0.5 * frontal_cm3, frontal, side->frontal_half_mm);
    side->maxillary_mm[0] = side->sign * 29.5;
    side->maxillary_mm[1] = p->face_y_mm - 54;
    side->maxillary_mm[2] = -18 - side->maxillary_half_mm[2];
    side->frontal_mm[0] = side->sign * (0.8 + side->frontal_half_mm[0]);
    side->frontal_mm[1] = p->face_y_mm - 86.5 + side->frontal_half_mm[1];
    side->frontal_mm[2] = 15 + side->frontal_half_mm[2];
  }
}

/* Where the tumour begins, in a head of usual length on the left side, and how often. */
typedef struct Site {
  double share, x, y, z, jitter_mm;
} Site;
static const Site site[] = {{0.47, 29, -54, -32, 6}, /* maxillary sinus */
                            {0.30, 8, -56, -26, 5},  /* nasal cavity */
                            {0.11, 6, -58, 0, 4},    /* ethmoid cells */
                            {0.12, 8, -30, -20, 5}}; /* sphenoid sinus, nasopharynx */

/* Large tumours have grown backwards and down. */
static void PlaceTumour(PetscInt seed, HeadNeck *p)
{
  CounterRandom random = {.seed = (uint64_t)seed, .stream = STREAM_SITE};
  double share = CounterRandomUniform(&random);
  size_t at = 0;
  while (at + 1 < PETSC_STATIC_ARRAY_LENGTH(site) && share > site[at].share) share -= site[at++].share;
  p->tumour_side = CounterRandomUniform(&random) < 0.5 ? RIGHT : LEFT;
  p->orbit_invaded = CounterRandomUniform(&random) < 0.4 ? PETSC_TRUE : PETSC_FALSE;
  const double sign = p->side[p->tumour_side].sign, grown = PetscMax(0, p->tumour.radius_mm - 25);
  const double begin[3] = {sign * site[at].x, site[at].y + p->face_y_mm + 0.35 * grown, site[at].z - 0.25 * grown};
  for (int k = 0; k < 3; k++)
    p->tumour.centre_mm[k] = begin[k] + DrawAround(&random, 0, 0.5, -1, 1) * site[at].jitter_mm;
  TubeAdd(&p->spread, p->tumour.centre_mm[0], p->tumour.centre_mm[1], p->tumour.centre_mm[2], 7);
  TubeAdd(&p->spread, sign * 19, p->base_y_mm - 30, -10, 7); /* pterygopalatine fossa, foramen rotundum */
  TubeAdd(&p->spread, sign * 15, p->base_y_mm - 15, -1, 7);  /* cavernous sinus */
}

static void DrawTumour(PetscInt seed, HeadNeck *p)
{
  CounterRandom random = {.seed = (uint64_t)seed, .stream = STREAM_SHAPE};
  const double drawn_cm3 = DrawVolume_cm3(N_TABLE, acc_ctv_cm3, &random);
  p->ctv_cm3 = seed <= N_TABLE ? acc_ctv_cm3[seed - 1] : drawn_cm3;
  p->gtv_cm3 = p->ctv_cm3 * DrawBetween(&random, 0.25, 0.5);
  p->tumour.radius_mm = RadiusOfVolume_mm(p->ctv_cm3);
  BlobDraw(&random, &p->tumour);
  PlaceTumour(seed, p);
}

void HeadNeckDraw(PetscInt seed, HeadNeck *p)
{
  CounterRandom random = {.seed = (uint64_t)seed, .stream = STREAM_HEAD};
  NervePath path;
  *p = (HeadNeck){.width_mm = DrawBetween(&random, 138, 146)};
  p->length_mm = DrawBetween(&random, 180, 195);
  p->skull_mm = DrawBetween(&random, 6, 8);
  p->face_y_mm = 0.5 * (usual_length_mm - p->length_mm);
  const double eye_mm[3] = {0.5 * DrawBetween(&random, 62, 64), -0.5 * p->length_mm + eye_behind_glabella_mm, 0};
  LayNerves(&random, p, eye_mm, &path);
  p->base_y_mm = p->chiasm_mm[1] - usual_chiasm_y_mm;
  for (int s = 0; s < N_SIDES; s++) {
    HeadSide *side = &p->side[s];
    side->sign = s == LEFT ? 1 : -1;
    for (int k = 0; k < 3; k++) side->eye_mm[k] = side->lens_mm[k] = (k ? 1 : side->sign) * eye_mm[k];
    side->lens_mm[1] -= 7;
    AddNerve(&path, side);
    AddOrbit(&path, side);
  }
  DrawSinuses(seed, p);
  DrawTumour(seed, p);
}
