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

/* The plans that a dose is of, or the beam of one of them. */
static void PutPlans(const DicomExport *x, DicomItem set, PetscInt beam)
{
  DicomPutString(set, DOSE_SUMMATION_TYPE, beam >= 0 ? "BEAM" : x->n_stages > 1 ? "MULTI_PLAN" : "PLAN");
  for (PetscInt s = 0; s < x->n_stages; s++) {
    const StagePlan *stage = &x->stage[s];
    if (beam >= 0 && (beam < stage->first || beam >= stage->end)) continue;
    const DicomItem plan = DicomAppendItem(set, REFERENCED_RT_PLAN_SEQUENCE);
    DicomRefer(plan, RT_ION_PLAN_STORAGE, stage->plan.uid);
    if (beam < 0) continue;
    const DicomItem group = DicomAppendItem(plan, REFERENCED_FRACTION_GROUP_SEQUENCE);
    const DicomItem item = DicomAppendItem(group, REFERENCED_BEAM_SEQUENCE);
    DicomPutInteger(item, REFERENCED_BEAM_NUMBER, (long)DicomBeamNumber(stage, beam));
    DicomPutInteger(group, REFERENCED_FRACTION_GROUP_NUMBER, 1);
  }
}

/* beam < 0: of all beams. */
static PetscErrorCode WriteDose(const DicomExport *x, const DoseFile *of, PetscInt beam, int series, const Grid *grid,
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
  DicomPutString(set, TISSUE_HETEROGENEITY_CORRECTION, "IMAGE");
  PutPlans(x, set, beam);
  PutGrid(set, grid);
  PetscCall(PutOffsets(set, grid));
  PetscCall(PutValues(set, n, factor, value));
  DicomEnd(x, &file, of->file, mistakes);
  PetscFunctionReturn(0);
}

/* One file for each beam that plan.h5 has the dose of, named by its stage and number there. */
static PetscErrorCode WriteBeamDoses(const DicomExport *x, Grid *grid, Mistakes *mistakes)
{
  PetscFunctionBegin;
  for (PetscInt s = 0; s < x->n_stages; s++)
    for (PetscInt b = x->stage[s].first; b < x->stage[s].end; b++) {
      const StagePlan *stage = &x->stage[s];
      const int number = (int)DicomBeamNumber(stage, b);
      char file[DICOM_FILE], comment[48];
      float *value;
      if (MistakesAny(mistakes) || !PlanHasBeamDose(x->plan, b)) PetscFunctionReturn(0);
      DicomFileName(file, "RD", stage->name, number);
      snprintf(comment, sizeof comment, "physical dose of beam %d, Gy", number);
      const DoseFile of = {file, PLAN_NOMINAL, QUANTITY_PHYSICAL, "PHYSICAL", "GY", comment, PETSC_TRUE};
      if (PlanReadBeamDose(x->plan, b, mistakes, grid, &value))
        PetscCall(WriteDose(x, &of, b, 40 + (int)b, grid, value, mistakes));
      PetscCall(PetscFree(value));
    }
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
      PetscCall(WriteDose(x, of, -1, 20 + (int)i, &grid, value, mistakes));
    PetscCall(PetscFree(value));
  }
  PetscCall(WriteBeamDoses(x, &grid, mistakes));
  PetscFunctionReturn(0);
}
