/* RT Dose: 16 bits with a scale, since some readers fail on 32. Doses are those of all fractions. */
#include "export_private.h"
#include "robion/text.h"
#include <math.h>
#include <string.h>

/* What becomes a file. */
typedef struct DoseFile {
  const char *file;
  PlanDoses doses;
  Quantity quantity;
  const char *type, *units, *comment; /* of DICOM; comment: with the number of fractions behind it for doses */
  PetscBool dose;                     /* adds up over fractions; if not it is written on request */
} DoseFile;

static const DoseFile dose_files[] = {
    {"RD_rbe_weighted.dcm", PLAN_NOMINAL, QUANTITY_RBE_WEIGHTED, "EFFECTIVE", "GY", "RBE-weighted dose, Gy(RBE)",
     PETSC_TRUE},
    {"RD_physical.dcm", PLAN_NOMINAL, QUANTITY_PHYSICAL, "PHYSICAL", "GY", "physical dose, Gy", PETSC_TRUE},
    {"RD_lowest.dcm", PLAN_LOWEST, QUANTITY_RBE_WEIGHTED, "EFFECTIVE", "GY", "lowest of scenarios, Gy(RBE)",
     PETSC_TRUE},
    {"RD_highest.dcm", PLAN_HIGHEST, QUANTITY_RBE_WEIGHTED, "EFFECTIVE", "GY", "highest of scenarios, Gy(RBE)",
     PETSC_TRUE},
    {"RD_letd.dcm", PLAN_NOMINAL, QUANTITY_LETD, "PHYSICAL", "RELATIVE", "LETd, keV/um", PETSC_FALSE}};

/* A step with few digits of which 65535 reach the highest value. */
static double StepFor(double highest)
{
  char text[32];
  double step = 1;
  if (!(highest > 0)) return step;
  for (double aim = highest / 65535;; aim *= 1 + 1e-6) {
    snprintf(text, sizeof text, "%.6e", aim);
    if (TextParseNumber(text, &step) && step >= highest / 65535) return step;
  }
}

static void PutGrid(DicomItem set, const Grid *grid)
{
  const double spacing[] = {grid->spacing_mm[1], grid->spacing_mm[0]};
  const struct {
    DicomTag tag;
    PetscInt value;
  } number[] = {{SAMPLES_PER_PIXEL, 1}, {NUMBER_OF_FRAMES, grid->n[2]}, {ROWS, grid->n[1]},
                {COLUMNS, grid->n[0]},  {BITS_ALLOCATED, 16},           {BITS_STORED, 16},
                {HIGH_BIT, 15},         {PIXEL_REPRESENTATION, 0}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(number); i++)
    DicomPutInteger(set, number[i].tag, (long)number[i].value);
  DicomPutString(set, PHOTOMETRIC_INTERPRETATION, "MONOCHROME2");
  DicomPutDoubles(set, IMAGE_POSITION_PATIENT, 3, grid->origin_mm);
  DicomPutString(set, IMAGE_ORIENTATION_PATIENT, "1\\0\\0\\0\\1\\0");
  DicomPutDoubles(set, PIXEL_SPACING, 2, spacing);
  DicomPutDouble(set, SLICE_THICKNESS, grid->spacing_mm[2]);
  DicomPutTag(set, FRAME_INCREMENT_POINTER, GRID_FRAME_OFFSET_VECTOR);
}

static PetscErrorCode PutOffsets(DicomItem set, const Grid *grid)
{
  PetscFunctionBegin;
  double *offset;
  PetscCall(PetscMalloc1(grid->n[2], &offset));
  for (PetscInt k = 0; k < grid->n[2]; k++) offset[k] = (double)k * grid->spacing_mm[2];
  DicomPutDoubles(set, GRID_FRAME_OFFSET_VECTOR, (size_t)grid->n[2], offset);
  PetscCall(PetscFree(offset));
  PetscFunctionReturn(0);
}

/* The values in steps. */
static PetscErrorCode PutValues(DicomItem set, size_t n, double factor, const float *value)
{
  PetscFunctionBegin;
  uint16_t *level;
  double highest = 0;
  for (size_t v = 0; v < n; v++) highest = fmax(highest, factor * (double)value[v]);
  const double step = StepFor(highest);
  PetscCall(PetscMalloc1(n, &level));
  for (size_t v = 0; v < n; v++) level[v] = (uint16_t)lround(fmin(65535, fmax(0, factor * (double)value[v] / step)));
  DicomPutDouble(set, DOSE_GRID_SCALING, step);
  DicomPutPixels16(set, n, level);
  PetscCall(PetscFree(level));
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteDose(const DicomExport *x, const DoseFile *of, int series, const Grid *grid,
                                const float *value, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const size_t n = GridSize(grid);
  const double factor = of->dose ? x->fractions : 1;
  char uid[DICOM_TEXT], comment[DICOM_TEXT];
  UidHash hash = UidBegin(of->file, x->stage[0].plan.uid);
  UidAdd(&hash, value, n * sizeof *value);
  UidAdd(&hash, &factor, sizeof factor);
  UidText(&hash, uid);
  if (of->dose)
    snprintf(comment, sizeof comment, "%s, all %g fractions", of->comment, factor);
  else
    snprintf(comment, sizeof comment, "%s", of->comment);
  DicomFile file = DicomBegin(x, RT_DOSE_STORAGE, uid, "RTDOSE", series, comment, mistakes);
  if (!file) PetscFunctionReturn(0);
  const DicomItem set = DicomSet(file);
  DicomPutString(set, OPERATORS_NAME, "");
  DicomPutString(set, DOSE_UNITS, of->units);
  DicomPutString(set, DOSE_TYPE, of->type);
  DicomPutText(set, DOSE_COMMENT, 64, comment);
  DicomPutString(set, DOSE_SUMMATION_TYPE, x->n_stages > 1 ? "MULTI_PLAN" : "PLAN");
  DicomPutString(set, TISSUE_HETEROGENEITY_CORRECTION, "IMAGE");
  for (PetscInt s = 0; s < x->n_stages; s++)
    DicomRefer(DicomAppendItem(set, REFERENCED_RT_PLAN_SEQUENCE), RT_ION_PLAN_STORAGE, x->stage[s].plan.uid);
  PutGrid(set, grid);
  PetscCall(PutOffsets(set, grid));
  PetscCall(PutValues(set, n, factor, value));
  DicomEnd(x, &file, of->file, mistakes);
  PetscFunctionReturn(0);
}

PetscErrorCode DicomExportDoses(const DicomExport *x, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Grid grid;
  if (!PlanReadGrid(x->plan, mistakes, &grid)) PetscFunctionReturn(0);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(dose_files) && !MistakesAny(mistakes); i++) {
    const DoseFile *of = &dose_files[i];
    float *value;
    if (!PlanHasDose(x->plan, of->doses, of->quantity) || (!of->dose && !x->extras->letd)) continue;
    if (PlanReadDose(x->plan, of->doses, of->quantity, mistakes, &grid, &value))
      PetscCall(WriteDose(x, of, 20 + (int)i, &grid, value, mistakes));
    PetscCall(PetscFree(value));
  }
  PetscFunctionReturn(0);
}
