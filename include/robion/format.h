/**
 * The file formats of other programs, and robion's own as others may write them: one row each, with what it reads and writes. The
 * verbs import, export, basedata and evaluate go through these rows; a new format is a row of formats.c and its functions.
 */
#pragma once
#include "robion/exchange.h"
#include "robion/plan_read.h"
#include "robion/trip98.h"

/** What can be done with a format. */
typedef enum {
  FORMAT_READ_CASE,    /* a patient */
  FORMAT_READ_MACHINE, /* base data */
  FORMAT_WRITE_MACHINE,
  FORMAT_READ_SPOTS,   /* the spots of a plan */
  FORMAT_READ_IMAGE,   /* an image on a grid of its own */
  FORMAT_READ_DOSE,    /* a dose to compare with */
  FORMAT_WRITE_VOLUME, /* one volume of a plan */
  FORMAT_WRITE_PLAN,   /* a plan as a whole */
  N_FORMAT_TASKS
} FormatTask;
extern const char *const format_task_names[N_FORMAT_TASKS]; /* for people: "reads cases", ... */

enum { FORMAT_ENDINGS = 4 };

typedef struct FileFormat {
  const char *name, *meaning;         /* on the command line; for people */
  const char *ending[FORMAT_ENDINGS]; /* of file names: ".mat"; "/": folders; "*": names that no other row has */
  const char *needs;                  /* library that is missing in this build; NULL: nothing */
  PetscBool leaves_beam_open; /* read_machine asks spec for the width of beams and the depth before the patient */
  /* Each NULL: cannot. Mistakes are ROBION_INPUT (reading) and ROBION_RESOURCES (writing). Not collective. */
  PetscErrorCode (*read_case)(const char *file, Mistakes *mistakes, Case **out);
  PetscErrorCode (*read_machine)(const char *path, const TripMachineSpec *spec, Mistakes *mistakes, Machine **out);
  PetscErrorCode (*write_machine)(const Machine *machine, const BiologySpec *rbe, const char *path, Mistakes *mistakes);
  PetscErrorCode (*read_spots)(const char *file, Mistakes *mistakes, SpotList *spots);
  PetscBool (*read_image)(const char *file, Mistakes *mistakes, Image *image);
  PetscBool (*read_dose)(const char *path, Mistakes *mistakes, ForeignDose *dose);
  PetscErrorCode (*write_volume)(const Volume *volume, const char *file, Mistakes *mistakes);
  PetscErrorCode (*write_plan)(const PlanReader *plan, const char *plan_file, const char *path, Mistakes *mistakes);
  PetscErrorCode (*write_with_case)(const PlanReader *plan, const PlanExtras *extras, const char *path,
                                    Mistakes *mistakes);
} FileFormat;

extern const FileFormat file_formats[];
extern const PetscInt n_file_formats;

PetscBool FormatDoes(const FileFormat *format, FormatTask task);
/** Whether it is a folder of files. */
PetscBool FormatIsFolder(const FileFormat *format);
/** The format of a file by its name, among those that do this; NULL if none. */
const FileFormat *FormatOfFile(const char *path, FormatTask task);
/** The format of this name that does one of n tasks; NULL and a mistake (ROBION_COMMAND_LINE) that lists those which do. */
const FileFormat *FormatFind(const char *name, PetscInt n, const FormatTask task[], Mistakes *mistakes);
/** Read an image of whatever format it is, as ImageReadNIfTI and ImageReadHDF5 (exchange.h) do. */
PetscBool ImageRead(const char *file, Mistakes *mistakes, Image *image);
/** One line per format: name, endings, what it reads and writes, what it lacks here. */
void FormatsPrint(FILE *out);
