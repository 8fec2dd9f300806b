/* What the readers and writers of TRiP98 files share. */
#pragma once
#include "robion/trip98.h"
#include "robion/trip_text.h"

#define MM_PER_G_CM2 10.0 /* unit-density water */

/* Readers of a file's content, which is taken apart in place. *out is zeroed first. */
PetscErrorCode TripDepthDoseParse(const char *file, char *content, size_t length, Mistakes *mistakes,
                                  TripDepthDose *out);
PetscErrorCode TripSpectraParse(const char *file, char *content, size_t length, Mistakes *mistakes, TripSpectra *out);
PetscErrorCode TripBeamTableParse(const char *file, char *content, size_t length, Mistakes *mistakes,
                                  TripBeamTable *out);
PetscErrorCode TripRasterParse(const char *file, char *content, size_t length, Mistakes *mistakes, TripRaster *out);

/* Files by their paths, as `ls -v` sorts them. */
typedef struct TripFiles {
  PetscInt n;
  char **path;
} TripFiles;
/* The files of a folder with that ending; one file alone. To be destroyed. */
PetscErrorCode TripFilesFind(const char *folder, const char *ending, TripFiles *files);
PetscErrorCode TripFilesOne(const char *path, TripFiles *files);
PetscErrorCode TripFilesDestroy(TripFiles *files);

/* How many energies have widths in which unit: as they say, in the other one, or none. */
typedef struct TripWidths {
  PetscInt n_as_said[N_TRIP_UNITS], n_changed[N_TRIP_UNITS], n_none;
} TripWidths;

/* Depth dose in water; false after a mistake. */
PetscBool TripCheckWater(const char *file, const TripDepthDose *dose, Mistakes *mistakes);
/* Bring widths to g/cm2 that are in another unit than they say, and count what was found; false after a mistake: they fit neither. */
PetscBool TripSettleWidths(const char *file, TripDepthDose *dose, TripWidths *widths, Mistakes *mistakes);
/* Tell which units were taken. */
void TripTellWidths(const char *path, const TripWidths *widths);
/* Ranges are those of the energies: a mistake for each that is not. */
PetscErrorCode TripCheckRanges(const Machine *machine, const char *path, Mistakes *mistakes);

/*
 * Tags of .spc files: number and length in bytes (4 bytes each), then the data, all on 8-byte boundaries. The header has tags 1
 * to 9, then each depth 10 to 12, then each species in it 13 to 20.
 */
enum {
  TAG_FILETYPE = 1,
  TAG_VERSION,
  TAG_DATE,
  TAG_TARGET,
  TAG_PROJECTILE,
  TAG_ENERGY,
  TAG_PEAK,
  TAG_NORM,
  TAG_DEPTHS,
  TAG_DEPTH,
  TAG_DEPTH_NORM,
  TAG_SPECIES_COUNT,
  TAG_SPECIES,
  TAG_CUMULATIVE,
  TAG_RESERVED,
  TAG_BINS,
  TAG_EDGES,
  TAG_EDGES_OF, /* instead of TAG_EDGES: the edges of another species */
  TAG_HISTOGRAM,
  TAG_RUNNING_SUM
};
