/* The built-in phantoms and digital patients as case files and pictures. */
#include "robion/cli.h"
#include "robion/case_plot.h"
#include "robion/text.h"
#include <limits.h>
#include <math.h>
#include <string.h>

/* The options' texts. */
typedef struct Wanted {
  const char *out, *plot, *seed, *spacing;
  PetscBool heterogeneous;
} Wanted;

static PetscErrorCode TakeNumber(const char *option, const char *text, double least, double most, Mistakes *mistakes,
                                 double *number)
{
  PetscFunctionBegin;
  if (!text) PetscFunctionReturn(0);
  if (!TextParseNumber(text, number) || *number < least || *number > most)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "option %s is %s, expected a number from %g to %g", option,
                          text, least, most));
  PetscFunctionReturn(0);
}

static PetscErrorCode MakeSpec(const char *kind, const Wanted *wanted, Mistakes *mistakes, PhantomSpec *spec)
{
  PetscFunctionBegin;
  double seed = 0, spacing = 0;
  PetscCall(TakeNumber("--seed", wanted->seed, 1, 1e9, mistakes, &seed));
  PetscCall(TakeNumber("--ct-spacing-mm", wanted->spacing, 0.25, 10, mistakes, &spacing));
  if (seed != floor(seed))
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "option --seed is %s, expected a whole number", wanted->seed));
  if (wanted->seed && strcmp(kind, "chordoma"))
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "option --seed is for phantom chordoma, found %s", kind));
  if (wanted->heterogeneous && strcmp(kind, "rtog"))
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "option --heterogeneous is for phantom rtog, found %s", kind));
  *spec = (PhantomSpec){
      .kind = kind, .ct_spacing_mm = spacing, .heterogeneous = wanted->heterogeneous, .seed = (PetscInt)seed};
  PetscFunctionReturn(0);
}

/* One line for each structure and map. */
static void PrintCase(const Case *patient, const char *file)
{
  const Grid *ct = &patient->ct;
  printf("%s: %s, %d x %d x %d voxels\n", file, patient->source, (int)ct->n[0], (int)ct->n[1], (int)ct->n[2]);
  for (PetscInt s = 0; s < patient->n_structures; s++) {
    size_t n = 0;
    for (size_t v = 0; v < GridSize(ct); v++) n += patient->structures[s].mask[v];
    printf("  %-10s %10.1f cm3\n", patient->structures[s].name, (double)n * GridVoxelVolume_cm3(ct));
  }
  for (PetscInt m = 0; m < patient->n_maps; m++) printf("  map %s, %s\n", patient->maps[m].name, patient->maps[m].unit);
}

static PetscErrorCode RunPhantom(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *kind;
  char name[64], file[80];
  Wanted wanted = {NULL, NULL, NULL, NULL, PETSC_FALSE};
  PhantomSpec spec;
  Case *patient = NULL;
  const Option option[] = {{.name = "-o", .value = &wanted.out},
                           {.name = "--plot", .value = &wanted.plot},
                           {.name = "--seed", .value = &wanted.seed},
                           {.name = "--ct-spacing-mm", .value = &wanted.spacing},
                           {.name = "--heterogeneous", .flag = &wanted.heterogeneous}};
  PetscCall(
      ParseArguments(arguments, PETSC_STATIC_ARRAY_LENGTH(option), option, 1, 1, verb_phantom.usage, &kind, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(MakeSpec(kind, &wanted, mistakes, &spec));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  if (wanted.seed)
    snprintf(name, sizeof name, "%.20s-%d", kind, (int)spec.seed);
  else
    snprintf(name, sizeof name, "%.20s", kind);
  PetscCall(CaseBuildPhantom(&spec, name, mistakes, &patient));
  for (PetscInt i = 0; i < mistakes->n; i++) mistakes->item[i].exit = ROBION_COMMAND_LINE;
  if (!patient) PetscFunctionReturn(0);
  snprintf(file, sizeof file, "%s.h5", name);
  PetscCall(CaseWrite(patient, wanted.out ? wanted.out : file, mistakes));
  if (wanted.plot && !MistakesAny(mistakes)) PetscCall(CasePlot(patient, wanted.plot, mistakes));
  if (!MistakesAny(mistakes)) PrintCase(patient, wanted.out ? wanted.out : file);
  PetscCall(CaseDestroy(&patient));
  *exit_code = MistakesExit(mistakes);
  PetscFunctionReturn(0);
}

const Verb verb_phantom = {
    .name = "phantom",
    .usage = "phantom KIND [-o CASE.h5] [--seed N] [--ct-spacing-mm S] [--heterogeneous] "
             "[--plot PICTURE.png]",
    .purpose = "write a built-in phantom (water-box, rtog, donut) or digital patient (chordoma) as a case",
    .run = RunPhantom};
