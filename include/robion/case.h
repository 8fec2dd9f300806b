/**
 * One patient or phantom: CT as relative stopping power, structures, biological maps. Step 2 of the data's way.
 *
 * A case is built whole on one rank (`CaseLoad`, `CaseBuildPhantom`) and then given to all ranks (`CaseBroadcast`).
 * Structures are binary masks on the CT grid; on the dose grid they become voxel fractions (`StructureToGrid`).
 */
#pragma once
#include "robion/error.h"
#include "robion/grid.h"

typedef enum { ROLE_TARGET, ROLE_OAR, ROLE_EXTERNAL } Role;

typedef struct Structure {
  char *name;
  Role role;
  unsigned char *mask; /* CT grid, 0 or 1 */
} Structure;

typedef struct BiologyMap {
  char *name, *unit;
  float *value; /* CT grid */
} BiologyMap;

/** How the patient lies on the couch, as DICOM says it (0018,5100): head or feet first, supine or prone. */
typedef enum {
  POSITION_HFS,
  POSITION_HFP,
  POSITION_FFS,
  POSITION_FFP,
  N_PATIENT_POSITIONS,
  POSITION_FROM_CASE = N_PATIENT_POSITIONS /* of a study alone: as its case says */
} PatientPosition;
extern const char *const patient_position_names[]; /* "HFS", ..., "from-case", indexed by PatientPosition */
extern const PetscInt n_patient_position_names;

typedef struct Case {
  char *name;   /* as results name it */
  char *source; /* file path or phantom description, for provenance */
  Grid ct;
  short *hu;  /* CT grid, Hounsfield units */
  float *rsp; /* CT grid, stopping power relative to water; filled by CaseSetRSP, or by the phantom itself */
  PetscInt n_structures;
  Structure *structures;
  PetscInt n_maps;
  BiologyMap *maps;
  PetscInt n_beam_angles; /* suggested gantry angles of the file (0 if none) */
  double *beam_gantry_deg;
  PatientPosition position; /* root attribute patient_position of the file; without: head first supine */
} Case;

/** Relative stopping power of air, used everywhere outside the external structure. */
#define RSP_AIR 0.001

/** A piecewise-linear table HU -> RSP, ascending in HU; constant beyond its ends. */
typedef struct HLUT {
  PetscInt n;
  double (*point)[2]; /* HU, RSP */
} HLUT;

/** The default table: matRad's generic HU->RSP points (physics: piecewise linear between 8 nodes). Caller frees the points. */
PetscErrorCode HLUTDefault(HLUT *hlut);
/** Whether the points are those of the default table. */
PetscBool HLUTIsDefault(const HLUT *hlut);
double HLUTEvaluate(const HLUT *hlut, double hu);
/** The HU of a stopping power, for an ascending table; where it is flat the end of the higher HU, beyond its ends its ends. */
double HLUTInvert(const HLUT *hlut, double rsp);

/**
 * Read a case file (HDF5: /ct/hu, /structures/<name>, /maps/<name>). Not collective.
 * Every problem of the file (missing, not HDF5, truncated, wrong shape or type, no structures, missing attributes, NaN
 * in maps, non-positive spacing) is added to `mistakes` as ROBION_INPUT with the file name; then *out is NULL.
 */
PetscErrorCode CaseLoad(const char *file, Mistakes *mistakes, Case **out);

/** Write a case file in the same layout (used by the importers). Temporary name, then rename. Not collective. */
PetscErrorCode CaseWrite(const Case *patient, const char *file, Mistakes *mistakes);

/** Write a copy of the case file `from` with these maps of the case added or replaced; everything else in it stays. Not collective. */
PetscErrorCode CaseFileWithMaps(const Case *patient, const char *from, const char *file, PetscInt n,
                                const char *const *names, Mistakes *mistakes);

/** Description of a built-in phantom; unset fields (0) take the phantom's defaults. */
typedef struct PhantomSpec {
  const char *kind;        /* "water-box" | "rtog" | "donut" | "chordoma" */
  double ct_spacing_mm;    /* isotropic CT spacing; default 1.0 (rtog, donut), 2.0 (water-box), 3.0 (chordoma) */
  PetscBool heterogeneous; /* rtog: air (RSP 0.001) and bone (RSP 1.53) inserts beside the CTV */
  double size_mm[3];       /* water-box: outer size; default 200 x 200 x 200 */
  double target_mm[3];     /* water-box: size of the central target box; default 50 x 50 x 50 */
  PetscInt seed;           /* chordoma: which patient of the cohort, from 1; default 1 */
} PhantomSpec;

/** What a study says of a case. */
typedef struct CaseSpec {
  char *name;          /* as results name it; default: phantom kind, or file name without .h5 */
  char *file;          /* case file, relative to the study file's folder; NULL for a phantom */
  PhantomSpec phantom; /* phantom.kind NULL for a file */
  char *where;         /* "study.yaml:line:column" */
} CaseSpec;

/** Names of the built-in phantoms. */
extern const char *const phantom_names[];
extern const PetscInt n_phantom_names;

/**
 * The phantoms. All are symmetric about the origin, LPS; a voxel belongs to a shape if its centre does; hu is rsp through
 * the inverse default table.
 *
 * water-box: a box of water (BODY) in about 10 mm of air, with a centred box as CTV.
 *
 * rtog: the RTOG benchmark geometry as used by Yagi et al. (PLOS ONE 18(7):e0288545, 2023) for fields at gantry 0, 90, 270.
 * BODY: water cylinder, 232 mm in diameter and 80 mm long, axis along z, in about 8 mm of air. CTV: annulus of radii 18 to
 * 40 mm, 40 mm long, over 270 degrees, open towards posterior, so that each field meets it before the OAR. OAR: cylinder of
 * radius 15 mm, 40 mm long, on the axis. (The publication's 18, 40 mm as diameters would not hold its 30 mm OAR.)
 * heterogeneous: the publication has air (RSP 0.001) and bone (RSP 1.53) beside the CTV at places shown only in a figure.
 * Ours are cylinders of 20 mm diameter along z, 60 mm long, with axes at x = -55 mm, y = 0 (air, patient's right, in the
 * 270 degree field) and x = +55 mm, y = 0 (bone, patient's left, in the 90 degree field): 5 mm from the CTV.
 *
 * donut: the target of Yagi et al.'s cell survival experiment: a ring of 25 mm inner and 100 mm outer diameter, 100 mm long
 * (CTV) around its Hole, four flasks of cells in the ring and one in the hole. Ours: the body, a water cylinder of 200 mm diameter and 160 mm
 * length along z; the flasks, cylinders of 8 mm radius and 40 mm length, axes 31 mm anterior (Flask1), left (Flask2),
 * posterior (Flask3) and right (Flask4) of the centre, and through it (Flask5, in the hole).
 *
 * chordoma: the digital patient number `seed` of a cohort with sacral chordoma, head first prone, that stands in for that of
 * Parrella et al.: a schematic pelvis (External; Sacrum, hip bones and femora; Rectum, which may hold gas; Sigma, Bowel, Nerves;
 * Skin, the outer 3 mm) with an irregular GTV of 50 to 1270 cm3 that grows from the sacrum and pushes the rectum away. CTV_HD and
 * CTV_LD are the GTV with 6 and 18 mm, ending at rectum, sigma, bowel and skin. Maps inside the GTV: clonogens (counts per
 * CT voxel; over the cohort ln N of 27 mm3 is normal with mean 12.561, SD 0.696, of which 0.357 between patients: terciles 2.1e5 and
 * 3.8e5) and adc_rmse (um2/ms, the magnitude of a normal residual of SD 0.06). Volume and mean of ln N come from a Latin hypercube
 * of ten: seeds 1 to 10, 11 to 20, ... hold one patient of every tenth of the population. The same seed gives the same patient
 * on any number of ranks; its shapes and maps do not depend on the CT spacing but for the voxels.
 */

/** Compute a phantom: hu, rsp and masks filled. Unknown kind or impossible sizes go to mistakes (ROBION_STUDY). Not collective. */
PetscErrorCode CaseBuildPhantom(const PhantomSpec *spec, const char *name, Mistakes *mistakes, Case **out);

/** Fill rsp from hu with the table; voxels outside the external structure (if there is one) become RSP_AIR. Not collective. */
PetscErrorCode CaseSetRSP(Case *patient, const HLUT *hlut);

/** Set rsp to RSP_AIR outside the external structure, leaving it unchanged inside (phantoms). */
PetscErrorCode CaseClearOutside(Case *patient);

/** Index of a structure by exact name, or -1. */
PetscInt CaseFindStructure(const Case *patient, const char *name);

/** Index of the external structure, or -1; a case has at most one. */
PetscInt CaseFindExternal(const Case *patient);

/** Copy the case of rank `root` (NULL there: NULL everywhere) to every rank of comm, which own theirs. Collective. */
PetscErrorCode CaseBroadcast(MPI_Comm comm, PetscMPIInt root, Case **patient);

PetscErrorCode CaseDestroy(Case **patient);
