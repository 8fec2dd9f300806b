/* import adc: diffusion images to maps of clonogens in a case file. */
#include "import.h"
#include "robion/format.h"
#include "robion/cell_count.h"
#include "robion/registration.h"
#include "robion/text.h"
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#define S_MM2_PER_MS_UM2 1000.0

static struct {
  const char *out, *structure, *b_values, *unit, *transform;
  ADCLibrarySpec model;
  DiffusionProtocol protocol;
  PetscBool unit_given;
} given = {.structure = "GTV", .unit = "um2/ms"};

void ADCPresets(void)
{
  (void)ADCLibrarySpecDefault(&given.model);
  (void)DiffusionProtocolDefault(&given.protocol);
}

const Option adc_options[N_ADC_OPTIONS] = {
    {"-o", "OUT.h5", "file to write", "the case file", .value = &given.out},
    {"--structure", "NAME", "where cells are counted", .value = &given.structure},
    {"--b-s-mm2", "B,B,...", "b-values of the images, s/mm2, in the order of the volumes",
     "those of the DICOM files, else 0,400,1000; an ADC map has none", .value = &given.b_values},
    {"--delta-ms", "T", "length of the gradients", .number = &given.protocol.delta_ms},
    {"--Delta-ms", "T", "time between them", .number = &given.protocol.Delta_ms},
    {"--unit", "um2/ms|mm2/s|1e-6mm2/s", "of an ADC map; to be said of DICOM", .value = &given.unit,
     .given = &given.unit_given},
    {"--transform", "FILE",
     "rigid transform from points of the CT to those of the image: 4 x 4 numbers or as ITK writes it",
     "the image has the CT's frame", .value = &given.transform},
    {"--clonogenic-fraction", "F", "clonogens among the cells", .number = &given.model.clonogenic_fraction},
    {"--radius-um", "R", "radius of the cells, mean of the prior", .number = &given.model.radius_prior_um[0]},
    {"--radius-sd-um", "R", "and its standard deviation", .number = &given.model.radius_prior_um[1]}};

/* "0,400,1000" in s/mm2. */
static PetscErrorCode TakeBValues(const char *text, Mistakes *mistakes, DiffusionProtocol *protocol)
{
  PetscFunctionBegin;
  if (!text) PetscFunctionReturn(0);
  protocol->n_b = 0;
  for (const char *at = text; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
    char one[32];
    double b = 0;
    snprintf(one, sizeof one, "%.*s", (int)PetscMin(strcspn(at, ","), sizeof one - 1), at);
    if (!TextParseNumber(one, &b) || protocol->n_b == ADC_MOST_B) {
      PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                            "option --b-s-mm2 is %s, expected at most %d numbers with commas", text, (int)ADC_MOST_B));
      PetscFunctionReturn(0);
    }
    protocol->b_ms_um2[protocol->n_b++] = b / S_MM2_PER_MS_UM2;
  }
  PetscFunctionReturn(0);
}

/* From the unit of an ADC map to um2/ms. */
static PetscErrorCode TakeUnit(const char *text, Mistakes *mistakes, double *scale)
{
  PetscFunctionBegin;
  static const struct {
    const char *name;
    double scale;
  } unit[] = {{"um2/ms", 1}, {"mm2/s", 1e3}, {"1e-6mm2/s", 1e-3}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(unit); i++)
    if (!strcmp(text, unit[i].name)) {
      *scale = unit[i].scale;
      PetscFunctionReturn(0);
    }
  PetscCall(
      MistakesAdd(mistakes, ROBION_COMMAND_LINE, "option --unit is %s, expected um2/ms, mm2/s or 1e-6mm2/s", text));
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeModel(Mistakes *mistakes, double *scale)
{
  PetscFunctionBegin;
  PetscCall(TakeBValues(given.b_values, mistakes, &given.protocol));
  PetscCall(TakeUnit(given.unit, mistakes, scale));
  if (!MistakesAny(mistakes)) PetscCall(ADCCheck(&given.model, &given.protocol, mistakes));
  PetscFunctionReturn(0);
}

/* The structure that cells are counted in. */
static PetscErrorCode FindTumour(const Case *patient, const char *name, Mistakes *mistakes, PetscInt *structure)
{
  PetscFunctionBegin;
  *structure = CaseFindStructure(patient, name);
  if (*structure < 0)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "case %s has no structure %s (option --structure)",
                          patient->name, name));
  PetscFunctionReturn(0);
}

static void Print(const char *out, const Case *patient, PetscInt structure, const CellCountReport *report)
{
  const unsigned char *mask = patient->structures[structure].mask;
  const float *clonogens = patient->maps[CaseFindMap(patient, MAP_CLONOGENS)].value;
  size_t n = 0, empty = 0;
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    n += mask[v];
    empty += mask[v] && !(clonogens[v] > 0);
  }
  const double per_27mm3 = report->clonogens_on_ct / ((double)n * GridVoxelVolume_cm3(&patient->ct)) * 27e-3;
  printf("%s: %zu image voxels matched in %s, mean ADC %.4g um2/ms, SD of the misfit %.4g um2/ms\n", out,
         report->n_voxel, patient->structures[structure].name, report->mean_adc_um2_ms, report->rmse_sd_um2_ms);
  printf("  %.5g clonogens on the image's grid, %.5g on the CT, %.4g per 27 mm3\n", report->clonogens,
         report->clonogens_on_ct, per_27mm3);
  if (report->n_left_out || empty)
    printf("  warning: %zu image voxels have no signal, %zu of %zu CT voxels of the structure have no clonogens\n",
           report->n_left_out, empty, n);
}

static PetscBool IsSameFile(const char *a, const char *b)
{
  struct stat one, other;
  return !stat(a, &one) && !stat(b, &other) && one.st_dev == other.st_dev && one.st_ino == other.st_ino ? PETSC_TRUE
                                                                                                        : PETSC_FALSE;
}

/* The image on the frame of the CT, which it has if no transform is given. */
static PetscBool ReadImage(const char *file, const Grid *frame, Mistakes *mistakes, Image *image)
{
  RigidTransform transform;
  if (given.transform && !RigidTransformRead(given.transform, mistakes, &transform)) return PETSC_FALSE;
  if (!ImageRead(file, mistakes, image)) return PETSC_FALSE;
  if (given.transform) (void)ImageRegister(&transform, frame, mistakes, image);
  return MistakesAny(mistakes) ? PETSC_FALSE : PETSC_TRUE;
}

/* The b-values of the image itself, where the command line says none; and what it has to say of a DICOM map. */
static PetscErrorCode TakeImage(const Image *image, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const PetscBool dicom = !strcmp(FormatOfFile(file, FORMAT_READ_IMAGE)->name, "dicom") ? PETSC_TRUE : PETSC_FALSE;
  if (dicom && image->n_volume == 1 && !given.unit_given)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                          "%s: DICOM does not say the unit of an ADC map, expected option --unit (mostly 1e-6mm2/s)",
                          file));
  if (!image->b_s_mm2 || given.b_values) PetscFunctionReturn(0);
  given.protocol.n_b = PetscMin(image->n_volume, (PetscInt)ADC_MOST_B);
  for (PetscInt k = 0; k < given.protocol.n_b; k++) given.protocol.b_ms_um2[k] = image->b_s_mm2[k] / S_MM2_PER_MS_UM2;
  PetscCall(ADCCheck(&given.model, &given.protocol, mistakes));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddToCase(const char *const *operand, Mistakes *mistakes)
{
  PetscFunctionBegin;
  CellCountReport report;
  Case *patient = NULL;
  Image image = {.value = NULL};
  double scale = 1;
  PetscInt structure = -1;
  const char *out = given.out ? given.out : operand[0];
  static const char *const maps[] = {MAP_CLONOGENS, MAP_RMSE};
  PetscCall(TakeModel(mistakes, &scale));
  if (IsSameFile(out, operand[1]))
    PetscCall(
        MistakesAdd(mistakes, ROBION_COMMAND_LINE, "%s is the image itself, expected another file to write", out));
  if (!MistakesAny(mistakes)) PetscCall(CaseLoad(operand[0], mistakes, &patient));
  if (patient) PetscCall(FindTumour(patient, given.structure, mistakes, &structure));
  const PetscBool read =
      structure >= 0 && ReadImage(operand[1], &patient->ct, mistakes, &image) ? PETSC_TRUE : PETSC_FALSE;
  if (read) PetscCall(TakeImage(&image, operand[1], mistakes));
  if (read && !MistakesAny(mistakes))
    PetscCall(CellCountAdd(patient, structure, &image, scale, &given.model, &given.protocol, mistakes, &report));
  if (!MistakesAny(mistakes)) PetscCall(CaseFileWithMaps(patient, operand[0], out, 2, maps, mistakes));
  if (!MistakesAny(mistakes)) Print(out, patient, structure, &report);
  PetscCall(ImageDestroy(&image));
  PetscCall(CaseDestroy(&patient));
  PetscFunctionReturn(0);
}

PetscErrorCode ImportADC(const Arguments *arguments, const Command *command, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const char *operand[2];
  PetscCall(ArgumentsParse(arguments, &verb_import, command, operand, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(AddToCase(operand, mistakes));
  PetscFunctionReturn(0);
}
