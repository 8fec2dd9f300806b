/* A volume of any series, on its own grid along the patient's axes. */
#include "dicom_private.h"
#include "robion/image.h"
#include <string.h>

PetscBool DicomVolumeRead(const DicomSurvey *survey, const DicomSeries *series, PetscBool resample, double outside,
                          Mistakes *mistakes, Grid *grid, float **value)
{
  const char *where = survey->file[survey->image[series->image[0]].file].path;
  DicomLattice lattice;
  DicomPlacing placing;
  size_t n_padded = 0;
  char gaps[512];
  *value = NULL;
  PetscBool good = DicomLatticeFind(survey, series, where, mistakes, &lattice);
  if (good && !lattice.even && !resample) {
    DicomLatticeGaps(survey, &lattice, gaps, sizeof gaps);
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s, expected even gaps", where, gaps);
    good = PETSC_FALSE;
  }
  if (good) DicomPlacingMake(&lattice, &placing);
  if (good && placing.kind == PLACING_SHEARED) placing.kind = PLACING_OBLIQUE;
  if (good) good = GridCheck(&placing.to, where, mistakes) && GridFits(&placing.to, 8, where, mistakes);
  if (good) good = DicomSlicesRead(survey, &lattice, &placing.from, outside, &n_padded, mistakes, value);
  if (good && DicomPlacingValues(&placing, (float)outside, value)) good = PETSC_FALSE;
  if (good) *grid = placing.to;
  (void)DicomLatticeDestroy(&lattice);
  return good;
}
