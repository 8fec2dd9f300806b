/*
 * Parts of the importer of DICOM. Files are looked at in a process of their own (apart.c), which gives plain structs back: one
 * DicomHead per file and one DicomImage per slice (survey.c). Images that lie on one lattice are a DicomSeries (series.c).
 */
#pragma once
#include "robion/case.h"
#include "robion/dicom.h"
#include "robion/text.h"
#include "shim.h"

/* --- apart.c */

/* The process that looks at files. It begins with the first of them, and anew after one that it does not survive. */
typedef struct DicomReader DicomReader;

/* What is wanted of a file: frames of pictures of a size, or all of it. */
typedef struct DicomWish {
  long rows, columns;
  PetscInt n;
  const PetscInt *frame;
} DicomWish;

/*
 * What is to be had from a file: `look` puts it into `found`, in the other process; false and a message (without the file's name) if the
 * file has it not. `send` and `receive` bring it over to the context, false ends it; `receive` trusts nothing that it is told. What is
 * found and the context are of the same type, of `size` bytes, all 0 at first; `clear` frees what they hold.
 */
typedef struct DicomErrand {
  size_t size;
  bool (*look)(DicomItem set, const DicomWish *wish, void *found, char message[DICOM_MESSAGE]);
  PetscBool (*send)(const Child *child, void *found);
  PetscBool (*receive)(const Child *child, void *context);
  PetscErrorCode (*clear)(void *found);
} DicomErrand;

PetscErrorCode DicomReaderCreate(DicomReader **reader);
PetscErrorCode DicomReaderDestroy(DicomReader **reader);
/* Run an errand; false and one mistake (ROBION_INPUT, "PATH: ...") if it failed, whatever the file did. Not collective. */
PetscBool DicomRun(DicomReader *reader, const char *path, const DicomErrand *errand, const DicomWish *wish,
                   void *context, Mistakes *mistakes);

/* --- survey.c */

enum { MOST_FRAMES = 100000 };

/* A slice: a file, or a frame of one. */
typedef struct DicomImage {
  PetscInt file, frame;
  double position_mm[3];          /* centre of its first pixel */
  double direction[2][3];         /* along which columns follow each other, rows follow each other */
  double spacing_mm[2];           /* of columns, of rows */
  double slope, intercept;        /* what makes values of what is stored */
  double b_s_mm2;                 /* of diffusion; NAN: not said */
  PetscInt acquisition, temporal; /* what may tell slices of one place apart */
} DicomImage;

typedef struct DicomHead {
  char sop_class_uid[DICOM_TEXT], sop_instance_uid[DICOM_TEXT], modality[DICOM_TEXT], image_type[2 * DICOM_TEXT];
  char study_uid[DICOM_TEXT], series_uid[DICOM_TEXT], frame_of_reference_uid[DICOM_TEXT], description[DICOM_TEXT];
  char manufacturer[DICOM_TEXT], model[DICOM_TEXT], kernel[DICOM_TEXT], position[DICOM_TEXT], patient_id[DICOM_TEXT];
  char referenced_series_uid[DICOM_TEXT];                                        /* of a structure set */
  char dose_type[DICOM_TEXT], dose_unit[DICOM_TEXT], dose_summation[DICOM_TEXT]; /* of a dose */
  double kvp;
  PetscInt series_number;
  PetscBool padded; /* values from padding[0] to padding[1] are no patient */
  double padding[2];
  DicomPixels pixels; /* rows 0: none that can be read, see `lacks` */
  char lacks[DICOM_MESSAGE];
  PetscInt n_images; /* slices with a place */
} DicomHead;

typedef struct DicomFound {
  char *path;
  DicomHead head;
} DicomFound;

/* All files of some folders. */
typedef struct DicomSurvey {
  PetscInt n_files, n_images, room_files, room_images;
  DicomFound *file; /* those that are DICOM */
  DicomImage *image;
  Mistakes ignored;    /* the others, and why */
  DicomReader *reader; /* for what else is wanted of them */
} DicomSurvey;

/* Look through folders and files; a mistake (ROBION_INPUT) for a path that is not there. */
PetscErrorCode DicomSurveyMake(PetscInt n, const char *const *path, DicomSurvey *survey, Mistakes *mistakes);
PetscErrorCode DicomSurveyDestroy(DicomSurvey *survey);
/* The only file of that modality; -1 after a mistake, which calls them `plural` and names the first. */
PetscInt DicomOnly(const char *path, const DicomSurvey *survey, const char *modality, const char *plural,
                   Mistakes *mistakes);
/* Whether a file is of a kind: the modality, and not a picture of where other slices are. */
PetscBool DicomIsSlice(const DicomHead *head, const char *modality);

/* --- series.c */

/* Images of one series, size and orientation. */
typedef struct DicomSeries {
  PetscInt n, room, *image; /* into the survey */
  const DicomHead *head;    /* of the first */
} DicomSeries;

typedef struct DicomSeriesList {
  PetscInt n;
  DicomSeries *series;
} DicomSeriesList;

/* The series of a modality, in the order of their first files. */
PetscErrorCode DicomSeriesFind(const DicomSurvey *survey, const char *modality, DicomSeriesList *list);
PetscErrorCode DicomSeriesDestroy(DicomSeriesList *list);

/* --- lattice.c */

/*
 * Where the pixels of a series are: pixel (i, j) of the slice at place p (mm along the normal, from the first slice) has its centre at
 * origin + i*axis[0] + j*axis[1] + p*axis[2]. axis[2] is not along the normal where the gantry was tilted.
 */
typedef struct DicomLattice {
  PetscInt n[3];                   /* columns, rows, slices */
  double origin_mm[3], axis[3][3]; /* axis: mm per column, per row, per mm of p */
  double *p_mm;                    /* of the slices, ascending from 0 */
  PetscInt *image;                 /* of each slice, into the survey */
  double gap_mm;                   /* between slices; the least one if they are not even */
  PetscBool even;
  PetscInt n_twice, (*twice)[2]; /* slice, and another image of its place */
} DicomLattice;

/* False after mistakes (ROBION_INPUT) that begin with `where`: slices that make no volume, even if it is not an even one. */
PetscBool DicomLatticeFind(const DicomSurvey *survey, const DicomSeries *series, const char *where, Mistakes *mistakes,
                           DicomLattice *lattice);
/* Where the gaps are that differ from most, as text. */
void DicomLatticeGaps(const DicomSurvey *survey, const DicomLattice *lattice, char *text, size_t size);
PetscErrorCode DicomLatticeDestroy(DicomLattice *lattice);

/* --- placing.c */

/* How a lattice becomes a grid along the patient's axes. */
typedef enum {
  PLACING_DIRECT,  /* its slices are transversal: at most rows or columns run the other way */
  PLACING_TURNED,  /* its axes are the patient's in another order */
  PLACING_SHEARED, /* two of its axes are the patient's: the nearest voxel along one of them */
  PLACING_OBLIQUE  /* linear interpolation along all */
} PlacingKind;

typedef struct DicomPlacing {
  PlacingKind kind;
  Grid from;          /* columns, rows, slices at equal gaps; the first voxel is at (0, 0, 0) */
  Grid to;            /* LPS */
  double index[3][4]; /* voxel of `to`, 1 -> voxel of `from`, not rounded */
  double point[3][4]; /* place in the patient, 1 -> place on `from`, mm */
} DicomPlacing;

void DicomPlacingMake(const DicomLattice *lattice, DicomPlacing *placing);
/* Bring an array (PetscMalloc'ed) from one grid to the other, `outside` where the lattice does not reach. */
PetscErrorCode DicomPlacingValues(const DicomPlacing *placing, float outside, float **value);
/* The same with the nearest voxel, 0 beyond them. */
PetscErrorCode DicomPlacingMask(const DicomPlacing *placing, unsigned char **mask);

/* --- slices.c */

/*
 * The rescaled values of a lattice on the placing's grid `from` (PetscMalloc'ed): linear between slices where these are uneven, `padding`
 * where the file says that there is no patient (counted). Slices that are there twice must be equal. False after mistakes.
 */
PetscBool DicomSlicesRead(const DicomSurvey *survey, const DicomLattice *lattice, const Grid *from, double padding,
                          size_t *n_padded, Mistakes *mistakes, float **value);

/* --- volume.c */

/*
 * The values of a series on a grid of its own (PetscMalloc'ed), linear between voxels where it does not lie along the patient's
 * axes, `outside` beyond it and in padding. Uneven slices are refused unless `resample`. False after mistakes.
 */
PetscBool DicomVolumeRead(const DicomSurvey *survey, const DicomSeries *series, PetscBool resample, double outside,
                          Mistakes *mistakes, Grid *grid, float **value);

/* --- rois.c */

typedef struct DicomROI {
  char name[DICOM_TEXT], interpreted_type[DICOM_TEXT], frame_of_reference_uid[DICOM_TEXT];
  PetscInt number;
  PetscInt n_other; /* contours that are no closed planes */
  PetscInt n_torn;  /* whose coordinates are no numbers in threes */
  Contours contours;
} DicomROI;

typedef struct DicomROIs {
  PetscInt n;
  DicomROI *roi;
} DicomROIs;

/* What the other process does of it, for fuzzing. */
bool DicomROIsLook(DicomItem set, const DicomWish *all, void *found, char message[DICOM_MESSAGE]);
PetscBool DicomROIsRead(DicomReader *reader, const char *path, Mistakes *mistakes, DicomROIs *rois);
PetscErrorCode DicomROIsDestroy(DicomROIs *rois);

/* --- rows.c */

/* What was found, by row of the table: a CT series, a structure set, a dose, or something that is ignored. */
typedef enum { ROW_CT, ROW_STRUCTURES, ROW_DOSE, ROW_IGNORED } DicomRowKind;

typedef struct DicomRow {
  DicomRowKind kind;
  PetscInt file;             /* the first one */
  const DicomSeries *series; /* of a CT */
  PetscInt n;                /* files or slices */
  char why[DICOM_MESSAGE];   /* it is ignored or not taken, or what there is to say of it */
  PetscBool taken;
} DicomRow;

typedef struct DicomRows {
  PetscInt n;
  DicomRow *row;
  const DicomSurvey *survey;
} DicomRows;

PetscErrorCode DicomRowsMake(const DicomSurvey *survey, const DicomSeriesList *ct, DicomRows *rows);
PetscErrorCode DicomRowsDestroy(DicomRows *rows);
/* The table of all rows and of the files that are no DICOM. */
PetscErrorCode DicomRowsPrint(const DicomRows *rows, Text *table);
/*
 * The row of a kind that the user means by its number or UID (NULL: not said); NULL and a mistake (ROBION_COMMAND_LINE, beginning with
 * the option) if there is none.
 */
DicomRow *DicomRowsFind(const DicomRows *rows, DicomRowKind kind, const char *option, const char *said,
                        Mistakes *mistakes);
/*
 * The CT and the structure set (NULL: none) to take: those that were said; else the CT that a structure set refers to, or that has
 * its frame of reference, or the only one. False after a mistake (ROBION_INPUT: no CT; ROBION_COMMAND_LINE: which one?).
 */
PetscBool DicomRowsChoose(const DicomRows *rows, const DicomImportSpec *spec, Mistakes *mistakes, DicomRow **ct,
                          DicomRow **structures);

/* --- structures.c */

/* Give the case the structures of a file, and /dicom their contours; a line of the table each. False after mistakes. */
PetscBool DicomStructuresTake(const DicomImportSpec *spec, const DicomSurvey *survey, PetscInt file,
                              const DicomPlacing *placing, Case *patient, Text *table, Mistakes *mistakes);

/* --- dose.c */

/* Give the case a map of a dose, brought to the CT's grid; a line of the table. False after mistakes. */
PetscBool DicomDoseTake(const DicomImportSpec *spec, const DicomSurvey *survey, PetscInt file, Case *patient,
                        Text *table, Mistakes *mistakes);

/* --- scanner.c */

/* Give the case the table of its scanner, or warn in the table of what was found that there is none. False after mistakes. */
PetscBool DicomHLUTTake(const char *folder, const DicomHead *head, Case *patient, Text *told, Mistakes *mistakes);
