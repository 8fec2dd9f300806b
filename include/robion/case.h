/**
 * One patient or phantom: CT as relative stopping power, structures, biological maps. Step 2 of the data's way.
 *
 * A case is built whole on one rank (`CaseLoad`, `CaseBuildPhantom`) and then given to all ranks (`CaseBroadcast`).
 * Structures are binary masks on the CT grid; on the dose grid they become voxel fractions (`StructureToGrid`).
 */
#pragma once
#include "robion/dicom_origin.h"
#include "robion/error.h"
#include "robion/grid.h"
#include "robion/node_memory.h"

typedef enum { ROLE_TARGET, ROLE_OAR, ROLE_EXTERNAL, N_ROLES } Role;
extern const char *const role_names[N_ROLES]; /* as files write them */

typedef struct Structure {
  char *name;
  Role role;
  unsigned char *mask; /* CT grid, 0 or 1 */
} Structure;

typedef struct BiologyMap {
  char *name, *unit;
  float *value; /* CT grid */
} BiologyMap;

/** The patient at one moment of breathing. */
typedef struct CasePhase {
  char *name;
  double weight;          /* share of the time, above 0 */
  short *hu;              /* CT grid */
  float *rsp;             /* filled with the case's */
  float *displacement_mm; /* [voxel of the CT][3], LPS: where in this phase what the CT has here is, less here */
} CasePhase;

/** How the patient lies on the couch, as DICOM says it (0018,5100): head or feet first; supine, prone, or on the right or left side. */
typedef enum {
  POSITION_HFS,
  POSITION_HFP,
  POSITION_FFS,
  POSITION_FFP,
  POSITION_HFDR,
  POSITION_HFDL,
  POSITION_FFDR,
  POSITION_FFDL,
  N_PATIENT_POSITIONS,
  POSITION_FROM_CASE = N_PATIENT_POSITIONS /* of a study alone: as its case says */
} PatientPosition;
extern const char *const patient_position_names[]; /* "HFS", ..., "from-case", indexed by PatientPosition */
extern const PetscInt n_patient_position_names;
#define PATIENT_POSITIONS "HFS, HFP, FFS, FFP, HFDR, HFDL, FFDR or FFDL" /* for messages */
/** The position of a name, in upper or lower case; N_PATIENT_POSITIONS if it is none. */
PatientPosition PatientPositionFind(const char *name);

/** A piecewise-linear table HU -> RSP, ascending in HU; constant beyond its ends. */
typedef struct HLUT {
  PetscInt n;
  double (*point)[2]; /* HU, RSP */
} HLUT;

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
  PetscInt n_phases; /* of breathing; 0: the patient lies still */
  CasePhase *phases;
  PetscInt n_beam_angles; /* suggested gantry angles of the file (0 if none) */
  double *beam_gantry_deg;
  PatientPosition position; /* root attribute patient_position of the file; without: head first supine */
  HLUT hlut;                /* dataset /ct/hlut of the file: of the scanner, for studies that say none; n = 0: none */
  DicomOrigin *dicom; /* NULL, or what the importer of DICOM leaves for CaseWrite; read apart by DicomOriginRead */
  NodeCopies copies;  /* of a case that has been broadcast: what holds hu, rsp, masks, maps and phases */
} Case;

/** Relative stopping power of air, used everywhere outside the external structure. */
#define RSP_AIR 0.001

/** The default table: matRad's generic HU->RSP points (physics: piecewise linear between 8 nodes). Caller frees the points. */
PetscErrorCode HLUTDefault(HLUT *hlut);
/** Whether the points are those of the default table. */
PetscBool HLUTIsDefault(const HLUT *hlut);
double HLUTEvaluate(const HLUT *hlut, double hu);
/** The HU of a stopping power, for an ascending table; where it is flat the end of the higher HU, beyond its ends its ends. */
double HLUTInvert(const HLUT *hlut, double rsp);

/**
 * Read a case file (HDF5: /ct/hu, /structures/<name>, /maps/<name>, /phases/<name>). Not collective.
 * Masks are integers 0 and 1 or h5py's booleans. Every problem of the file (missing, not HDF5, truncated, compressed by a filter
 * that HDF5 lacks here, wrong shape or type, no structures, missing attributes, NaN in maps, a grid that GridCheck refuses) is added
 * to `mistakes` as ROBION_INPUT with the file name; then *out is NULL.
 */
PetscErrorCode CaseLoad(const char *file, Mistakes *mistakes, Case **out);

/** Write a case file in the same layout (used by the importers). Temporary name, then rename. Not collective. */
PetscErrorCode CaseWrite(const Case *patient, const char *file, Mistakes *mistakes);

/** Write a copy of the case file `from` with these maps of the case added or replaced; everything else in it stays. Not collective. */
PetscErrorCode CaseFileWithMaps(const Case *patient, const char *from, const char *file, PetscInt n,
                                const char *const *names, Mistakes *mistakes);

/** A built-in phantom (phantom.h) and the values of its keys. */
typedef struct PhantomSpec {
  const char *kind; /* a name of phantom_names */
  void *keys;       /* owned, as the phantom's file has them; NULL: all as usual */
} PhantomSpec;

/** What a study says of a case. */
typedef struct CaseSpec {
  char *name;          /* as results name it; default: phantom kind, or file name without .h5 */
  char *file;          /* case file, relative to the study file's folder; NULL for a phantom */
  PhantomSpec phantom; /* phantom.kind NULL for a file */
  char *where;         /* "study.yaml:line:column" */
} CaseSpec;

/**
 * The case in a phase, 1 to n_phases: as a ray meets it then, with the stopping powers of that moment in *there; 0, the reference: the
 * case itself. Structures and maps are those of the reference. Not collective.
 */
const Case *CaseInPhase(const Case *patient, PetscInt phase, Case *there);

/** Where a point of the CT is in a phase: moved by the displacement, linear between the centres of voxels. Not collective. */
void CasePlaceInPhase(const Case *patient, PetscInt phase, const double point_mm[3], double there_mm[3]);

/**
 * Mistakes (ROBION_INPUT, after `where`) of a phase whose numbers are all there: a displacement that is not finite or farther than the CT
 * is large, or that folds tissue (the determinant of its derivative below 0.05). Not collective.
 */
PetscErrorCode CasePhaseCheck(const Grid *ct, const CasePhase *phase, const char *where, Mistakes *mistakes);

/** Fill rsp from hu with the table; voxels outside the external structure (if there is one) become RSP_AIR. Not collective. */
PetscErrorCode CaseSetRSP(Case *patient, const HLUT *hlut);

/** Multiply rsp by 1 + percent / 100 (0: the same bits); outside the external structure it becomes RSP_AIR. Not collective. */
PetscErrorCode CaseScaleRSP(Case *patient, double percent);

/** Set rsp to RSP_AIR outside the external structure, leaving it unchanged inside. */
PetscErrorCode CaseClearOutside(Case *patient);

/** Index of a structure by exact name, or -1. */
PetscInt CaseFindStructure(const Case *patient, const char *name);

/** Index of the external structure, or -1; a case has at most one. */
PetscInt CaseFindExternal(const Case *patient);

/**
 * Give the case of rank `root` (NULL there: NULL everywhere) to every rank of comm. What is on the CT grid (hu, rsp, masks, maps) is there
 * once per node and only read from then on, root's too; the rest each rank has for itself. Collective, and so is destroying it.
 */
PetscErrorCode CaseBroadcast(MPI_Comm comm, PetscMPIInt root, Case **patient);

/** Collective on the ranks of a case that has been broadcast. */
PetscErrorCode CaseDestroy(Case **patient);
