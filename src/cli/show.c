/* `robion show`: what a file of robion holds. */
#include "show.h"
#include "robion/plan_read.h"
#include <limits.h>
#include <math.h>
#include <string.h>

static void ShowGrid(const Grid *grid, FILE *out)
{
  fprintf(out, "%d x %d x %d voxels of %g x %g x %g mm, the first at (%g, %g, %g) mm\n", (int)grid->n[0],
          (int)grid->n[1], (int)grid->n[2], grid->spacing_mm[0], grid->spacing_mm[1], grid->spacing_mm[2],
          grid->origin_mm[0], grid->origin_mm[1], grid->origin_mm[2]);
}

static void ShowMap(const BiologyMap *map, size_t n, FILE *out)
{
  float least = INFINITY, most = -INFINITY;
  for (size_t v = 0; v < n; v++) {
    least = PetscMin(least, map->value[v]);
    most = PetscMax(most, map->value[v]);
  }
  fprintf(out, "map        %s, %g to %g %s\n", map->name, (double)least, (double)most, map->unit);
}

static void ShowPhase(const CasePhase *phase, size_t n, FILE *out)
{
  double farthest_mm = 0;
  for (size_t v = 0; v < n; v++)
    farthest_mm = PetscMax(
        farthest_mm, hypot(hypot((double)phase->displacement_mm[3 * v], (double)phase->displacement_mm[3 * v + 1]),
                           (double)phase->displacement_mm[3 * v + 2]));
  fprintf(out, "phase      %s, weight %g, up to %.2f mm\n", phase->name, phase->weight, farthest_mm);
}

void CaseShow(const Case *patient, FILE *out)
{
  const Grid *ct = &patient->ct;
  const size_t n = GridSize(ct);
  short least = SHRT_MAX, most = SHRT_MIN;
  for (size_t v = 0; v < n; v++) {
    least = PetscMin(least, patient->hu[v]);
    most = PetscMax(most, patient->hu[v]);
  }
  fprintf(out, "CT         ");
  ShowGrid(ct, out);
  fprintf(out, "HU         %d to %d\nposition   %s\n", (int)least, (int)most,
          patient_position_names[patient->position]);
  if (patient->n_beam_angles) fprintf(out, "gantry     ");
  for (PetscInt b = 0; b < patient->n_beam_angles; b++)
    fprintf(out, "%s%g%s", b ? ", " : "", patient->beam_gantry_deg[b], b + 1 < patient->n_beam_angles ? "" : " deg\n");
  for (PetscInt s = 0; s < patient->n_structures; s++)
    fprintf(out, "structure  %-20s %-8s %12.2f cm3\n", patient->structures[s].name,
            role_names[patient->structures[s].role], StructureVolume_cm3(patient, s));
  for (PetscInt m = 0; m < patient->n_maps; m++) ShowMap(&patient->maps[m], n, out);
  for (PetscInt i = 0; i < patient->n_phases; i++) ShowPhase(&patient->phases[i], n, out);
}

static PetscErrorCode ShowCase(const char *file, FILE *out, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Case *patient = NULL;
  PetscCall(CaseLoad(file, mistakes, &patient));
  if (patient) {
    fprintf(out, "%s: case\n", file);
    CaseShow(patient, out);
  }
  PetscCall(CaseDestroy(&patient));
  PetscFunctionReturn(0);
}

static PetscErrorCode ShowMachine(const char *file, FILE *out, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Machine *machine = NULL;
  PetscCall(MachineRead(file, mistakes, &machine));
  if (machine) {
    fprintf(out, "%s: base data\nmodels   %s\n", file,
            machine->n_species  ? "RBE of all biology models, from the spectra of all species"
            : machine->n_tissue ? "RBE by the file's own tables alone"
                                : "no RBE: physical dose alone");
    PetscCall(MachineShow(machine, PETSC_FALSE, out));
  }
  PetscCall(MachineDestroy(&machine));
  PetscFunctionReturn(0);
}

/* Names of a plan, of which the sweep point may be empty. */
static PetscErrorCode ShowNames(const PlanReader *plan, FILE *out, Mistakes *mistakes)
{
  PetscFunctionBegin;
  static const struct {
    PlanText text;
    const char *label;
  } line[] = {{PLAN_STUDY, "study"}, {PLAN_CASE, "case"}, {PLAN_ARM, "arm"}, {PLAN_SWEEP, "sweep"}, {PLAN_ION, "ion"}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(line); i++) {
    char *text;
    if (!PlanReadText(plan, line[i].text, mistakes, &text)) break;
    if (*text) fprintf(out, "%-10s %s\n", line[i].label, text);
    PetscCall(PetscFree(text));
  }
  PetscFunctionReturn(0);
}

/* Doses by name, structures with role and volume. */
static PetscErrorCode ShowVolumes(const PlanReader *plan, FILE *out, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PlanVolumes volumes;
  PetscCall(PlanVolumeNames(plan, mistakes, &volumes));
  for (PetscInt v = 0; v < volumes.n; v++) {
    const char *name = volumes.name[v];
    double cm3 = 0;
    char path[512], *role = NULL;
    snprintf(path, sizeof path, "/%s", name);
    if (strncmp(name, PLAN_STRUCTURES, strlen(PLAN_STRUCTURES)))
      fprintf(out, "dose       %s\n", name);
    else if (H5ReadAttribute(&plan->source, path, "volume_cm3", 1, &cm3, mistakes) &&
             H5ReadString(&plan->source, path, "role", PETSC_FALSE, &role, mistakes))
      fprintf(out, "structure  %-20s %-8s %12.2f cm3\n", name + strlen(PLAN_STRUCTURES), role, cm3);
    PetscCall(PetscFree(role));
  }
  PetscCall(PlanVolumesDestroy(&volumes));
  PetscFunctionReturn(0);
}

/* Grid with the shape of its doses, and beams. */
static PetscErrorCode ShowGeometry(const PlanReader *plan, FILE *out, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Grid grid;
  BeamOnFile beam;
  H5Shape shape;
  if (!PlanReadGrid(plan, mistakes, &grid)) PetscFunctionReturn(0);
  if (H5SourceShape(&plan->source, "/dose/nominal/physical", NULL, &shape) && shape.n == 3)
    for (int a = 0; a < 3; a++) grid.n[a] = (PetscInt)shape.dims[2 - a];
  fprintf(out, "grid       ");
  ShowGrid(&grid, out);
  for (PetscInt b = 0; PlanReadBeam(plan, b, mistakes, &beam); b++) {
    double particles = 0;
    for (PetscInt i = 0; i < beam.n; i++) particles += beam.particles[i];
    fprintf(out, "beam       gantry %g deg, couch %g deg: %d spots, %.4g ions per fraction\n", beam.gantry_deg,
            beam.couch_deg, (int)beam.n, particles);
    PetscCall(BeamOnFileDestroy(&beam));
  }
  PetscCall(BeamOnFileDestroy(&beam));
  PetscFunctionReturn(0);
}

/* How many scenarios and metrics there are, what the optimisation came to, and the files it was made from. */
static PetscErrorCode ShowMaking(const PlanReader *plan, FILE *out, Mistakes *mistakes)
{
  PetscFunctionBegin;
  static const struct {
    const char *path, *label, *what;
  } list[] = {{"/optimizer/scenarios/id", "scenarios", "optimised"},
              {"/scenarios/id", "scenarios", "evaluated"},
              {"/metrics/value", "metrics", "rows"}};
  double objective, iterations, seconds;
  InputFile input;
  H5Shape shape;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(list); i++)
    if (H5SourceShape(&plan->source, list[i].path, NULL, &shape))
      fprintf(out, "%-10s %lld %s\n", list[i].label, shape.count, list[i].what);
  if (PlanReadNumber(plan, PLAN_OBJECTIVE, mistakes, &objective) &&
      PlanReadNumber(plan, PLAN_ITERATIONS, mistakes, &iterations) &&
      PlanReadNumber(plan, PLAN_SECONDS, mistakes, &seconds))
    fprintf(out, "optimizer  objective %.8g after %g iterations; the plan took %.1f s\n", objective, iterations,
            seconds);
  for (PetscInt i = 0; PlanReadInput(plan, i, mistakes, &input); i++)
    fprintf(out, "input      %s %s, fnv1a64 %s\n", input.kind, input.path, input.hash);
  PetscFunctionReturn(0);
}

static PetscErrorCode ShowPlan(const char *file, FILE *out, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PlanReader plan;
  if (!PlanReaderOpen(file, mistakes, &plan)) PetscFunctionReturn(0);
  fprintf(out, "%s: plan\n", file);
  PetscCall(ShowNames(&plan, out, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(ShowGeometry(&plan, out, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(ShowVolumes(&plan, out, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(ShowMaking(&plan, out, mistakes));
  (void)PlanReaderClose(&plan, mistakes);
  PetscFunctionReturn(0);
}

/* Kinds of files, by what only they have. */
static const struct {
  const char *path, *name;
  PetscErrorCode (*show)(const char *file, FILE *out, Mistakes *mistakes);
} kinds[] = {{"/ct/hu", "case (/ct/hu)", ShowCase},
             {"/plan/beam_0", "plan (/plan/beam_0)", ShowPlan},
             {"/idd", "base data (/idd)", ShowMachine}};

static PetscErrorCode Show(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code);

static const Command command_show = {
    .operands = "FILE", .purpose = "what a case, plan.h5 or base data file holds", .least = 1, .most = 1};
const Verb verb_show = {.name = "show", .run = Show, .n_command = 1, .command = &command_show};

static PetscErrorCode Show(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *file;
  int kind = -1;
  H5Source source;
  Text expected = {0};
  PetscCall(ArgumentsParse(arguments, &verb_show, &command_show, &file, mistakes));
  if (MistakesAny(mistakes) || !H5SourceOpen(file, mistakes, &source)) PetscFunctionReturn(0);
  for (int k = 0; k < (int)PETSC_STATIC_ARRAY_LENGTH(kinds); k++) {
    if (kind < 0 && H5SourceHas(&source, kinds[k].path)) kind = k;
    PetscCall(TextAdd(&expected, "%s%s", k ? ", " : "", kinds[k].name));
  }
  if (H5SourceClose(&source, mistakes) && kind < 0)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: HDF5, but none of %s", file, expected.data));
  PetscCall(TextDestroy(&expected));
  if (kind >= 0) PetscCall((*kinds[kind].show)(file, stdout, mistakes));
  *exit_code = MistakesExit(mistakes);
  PetscFunctionReturn(0);
}
