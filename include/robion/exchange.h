/**
 * Adapters into robion's own formats.
 */
#pragma once
#include "robion/case.h"
#include "robion/dicom_origin.h"
#include "robion/image.h"
#include "robion/machine.h"
#include "robion/plan_read.h"
#include "robion/quantity.h"

/**
 * matRad patient (`ct`, `cst` structs in a level-5 MAT file) -> Case. Column-major [y,x,z] cubes are transposed to [z,y,x];
 * cst rows give name (UTF-8), TARGET/OAR/EXTERNAL and 1-based linear indices; without world axes the origin is
 * ct.dicomInfo.ImagePositionPatient, else -spacing*n/2, as in matRad. cubeHU, or cube (RSP, then stored as HU through the inverse
 * default table). The position is ct.dicomInfo.PatientPosition, without that HFS. Files without a type EXTERNAL: the largest
 * structure becomes it if it is an OAR called body, external or skin. A / in a name becomes _. What a case file has no place for (rows
 * of type IGNORED, another HLUT than robion's, tissues, priorities, objectives) is a line of the log each. Mistakes: ROBION_INPUT.
 */
PetscErrorCode CaseReadMatRad(const char *file, Mistakes *mistakes, Case **out);

/**
 * matRad machine file (`machine` struct) -> Machine. idd converted to Gy mm2 per particle; one or two lateral Gaussians; matRad's
 * offset, added to the depths of its tables, is the negative of robion's. alpha, beta and initFocus may be transposed; of
 * several foci the first is taken, at the SAD, which its distances must enclose. Mistakes: ROBION_INPUT.
 */
PetscErrorCode MachineReadMatRad(const char *file, Mistakes *mistakes, Machine **out);

/**
 * Machine -> matRad machine file (level 5): meta and data with energy, range, peakPos, offset, depths, Z, LET,
 * initFocus, sigma or sigma1, sigma2, weight, and alphaX, betaX, alpha, beta where the machine has tissue tables. Of more than two
 * lateral components matRad's second Gaussian stands for all but the first, with their share and mean square offset; a parallel
 * beam gets a source at 10 km. What MachineReadMatRad reads back is equal but for the
 * last bit of the depth dose. Temporary name, then rename. Mistakes: ROBION_INPUT (a projectile matRad has no name for),
 * ROBION_RESOURCES. Not collective.
 */
PetscErrorCode MachineWriteMatRad(const Machine *machine, const char *file, Mistakes *mistakes);

/**
 * Read an image. NIfTI (.nii, .nii.gz, .hdr): the affine matrix (sform, else qform) is turned from RAS to LPS; axes may be in any order
 * and direction, but must be the patient's within 0.1 %: an oblique image is to be resampled first. HDF5: a dataset /image of
 * shape [z][y][x] or [volume][z][y][x] with attributes spacing_mm and origin_mm as /ct/hu of a case. Values may be NAN (the library
 * of NIfTI makes them 0). Everything that is wrong is a mistake (ROBION_INPUT); false then. ImageDestroy in either case. Not
 * collective. Which of them a file is: FormatOfFile (format.h).
 */
PetscBool ImageReadNIfTI(const char *file, Mistakes *mistakes, Image *image);
PetscBool ImageReadHDF5(const char *file, Mistakes *mistakes, Image *image);
/**
 * A folder (or file) of one MR series: an ADC map, or diffusion-weighted volumes, whose b-values are the standard's or those that
 * Siemens, GE, Philips and United Imaging have tags of their own for. What lies askew is interpolated; beyond it values are NAN.
 */
PetscBool ImageReadDicom(const char *path, Mistakes *mistakes, Image *image);
PetscErrorCode ImageDestroy(Image *image);

/**
 * Write one volume, as floats that are not compressed, in mm along the patient's axes (LPS; NIfTI says the same in RAS). Its name,
 * meaning and unit are said where the format has room for them. Temporary name, then rename. Mistakes: ROBION_RESOURCES, and
 * ROBION_COMMAND_LINE for volumes that the format has no room for. Not collective.
 */
PetscErrorCode VolumeWriteNIfTI(const Volume *volume, const char *file, Mistakes *mistakes);
PetscErrorCode VolumeWriteNRRD(const Volume *volume, const char *file, Mistakes *mistakes);
PetscErrorCode VolumeWriteMetaImage(const Volume *volume, const char *file, Mistakes *mistakes);

/**
 * A small file that tells viewers where in plan.h5 all doses are. It names plan.h5 alone if it comes to lie beside it, so that both
 * can be moved together, else by its whole path. Mistakes as above, and the reader's. Not collective.
 */
PetscErrorCode PlanWriteXDMF(const PlanReader *plan, const char *plan_file, const char *path, Mistakes *mistakes);

/** What plan.h5 does not hold of a plan, for formats that want its patient. */
typedef struct PlanExtras {
  const Case *patient;       /* CT and all structures */
  const DicomOrigin *origin; /* where the case came from; NULL: not from DICOM */
  double ripple_mm,
      ripple_to_isocentre_mm; /* mean water-equivalent thickness of the ripple filter, 0: none; its distance */
  double sad_mm;              /* 0: parallel */
  PetscBool letd;             /* wanted too */
} PlanExtras;

/**
 * The folder `path` with RS.dcm (structures: original contours where the case has them, else the edges of their voxels), RN.dcm (RT
 * Ion Plan; of courses in stages one RN_STAGE.dcm each), RD_*.dcm (doses of all fractions: RBE-weighted, physical, lowest and
 * highest over the evaluation scenarios, LETd if wanted) and, where the case did not come from DICOM, its CT as CT_*.dcm. Plans are
 * marked as research and unapproved. UIDs follow from the content, so the same plan gives the same files. Mistakes: the
 * reader's, and ROBION_RESOURCES. Not collective.
 */
PetscErrorCode PlanWriteDicom(const PlanReader *plan, const PlanExtras *extras, const char *path, Mistakes *mistakes);

/**
 * The spots of an RT Ion Plan of ions, a file or the only RT Plan of a folder: its treatment beams in their order, with their places, energies (MeV/u) and spot sizes. Ions per
 * fraction where the plan counts particles (NP), else spots->monitor_units is set. Control points without weights carry nothing;
 * what a point does not say holds on from the one before it. Refused as one mistake (ROBION_INPUT) each: other objects, protons and
 * mixed ions, beams that are not scanned spot by spot, several fraction groups, range shifters that change within a beam, tilted
 * tables, weights that do not add up to their sum within 1e-5, damage. Not collective.
 */
PetscErrorCode SpotListReadDicom(const char *path, Mistakes *mistakes, SpotList *spots);

/** A dose that another program has computed. */
typedef struct ForeignDose {
  Grid grid;
  float *value; /* PetscMalloc'ed, in the quantity's unit */
  Quantity quantity;
  PetscBool of_all_fractions;              /* false: of one */
  PetscBool of_one_plan;                   /* of a course in stages it is one stage's */
  char told[256];                          /* what the file says it is, for people */
  char frame_of_reference_uid[DICOM_TEXT]; /* "": not known */
} ForeignDose;

/**
 * An RT Dose, a file or the only one in a folder, on its own grid along the patient's axes. EFFECTIVE is RBE-weighted, PHYSICAL
 * physical; PLAN and MULTI_PLAN are of all fractions, FRACTION and FRACTION_SESSION of one. Refused (ROBION_INPUT, one line): other
 * types, units and summations, as those of single beams, and damage. False then; ForeignDoseDestroy in either case. Not collective.
 */
PetscBool ForeignDoseReadDicom(const char *path, Mistakes *mistakes, ForeignDose *dose);
PetscErrorCode ForeignDoseDestroy(ForeignDose *dose);
