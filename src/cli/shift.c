/* `robion shift`: what two maps of activity tell of the range, and what became of the dose. */
#include "robion/cli.h"
#include "robion/log.h"
#include "robion/plan_read.h"
#include "robion/range_shift.h"
#include "robion/text.h"
#include <math.h>
#include <string.h>

/* A map in a plan file, as the command line names it, and what is read of it. */
typedef struct MapOnFile {
  const char *file, *scenario, *name;
  Grid grid;
  float *value, *dose;
  double per_count; /* decays per mm3 of one count; 0: no counts */
  char own_name[PLAN_PATH];
} MapOnFile;

/* Without a name: the image of the first window, else all 11C. */
static void DefaultName(const PlanReader *reader, Mistakes *mistakes, MapOnFile *map)
{
  char path[PLAN_PATH];
  H5Names names = {0};
  PlanActivityPath(map->scenario, ACTIVITY_IMAGE, path);
  snprintf(map->own_name, sizeof map->own_name, ACTIVITY_NUCLEI "/11C");
  if (H5SourceHas(&reader->source, path) && H5ReadNames(&reader->source, path, &names, mistakes) && names.n)
    snprintf(map->own_name, sizeof map->own_name, ACTIVITY_IMAGE "/%s", names.name[0]);
  (void)H5NamesDestroy(&names);
  map->name = map->own_name;
}

/* Counts as the decays per mm3 that they stand for. */
static PetscBool ReadCounts(const PlanReader *reader, Mistakes *mistakes, MapOnFile *map)
{
  double efficiency;
  if (strncmp(map->name, ACTIVITY_COUNTS "/", strlen(ACTIVITY_COUNTS "/"))) return PETSC_TRUE;
  if (!H5ReadAttribute(&reader->source, GROUP_ACTIVITY, ACTIVITY_EFFICIENCY, 1, &efficiency, mistakes))
    return PETSC_FALSE;
  if (!(efficiency > 0)) {
    (void)MistakesAdd(mistakes, ROBION_INPUT,
                      "%s: " GROUP_ACTIVITY ": attribute " ACTIVITY_EFFICIENCY " is %g, expected a number above 0",
                      map->file, efficiency);
    return PETSC_FALSE;
  }
  map->per_count = 1 / (efficiency * 1e3 * GridVoxelVolume_cm3(&map->grid));
  for (size_t v = 0; v < GridSize(&map->grid); v++) map->value[v] = (float)((double)map->value[v] * map->per_count);
  return PETSC_TRUE;
}

static PetscErrorCode ReadMap(const PlanReader *reader, Mistakes *mistakes, MapOnFile *map)
{
  PetscFunctionBegin;
  char path[PLAN_PATH];
  if (!map->name) DefaultName(reader, mistakes, map);
  PlanActivityPath(map->scenario, map->name, path);
  if (!H5SourceHas(&reader->source, path))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: %s: missing, expected a map of activity (key activity of the study, and its scenarios)",
                          map->file, path));
  if (MistakesAny(mistakes) || !PlanReadGrid(reader, mistakes, &map->grid)) PetscFunctionReturn(0);
  if (PlanReadActivity(reader, map->scenario, map->name, mistakes, &map->grid, &map->value) &&
      ReadCounts(reader, mistakes, map))
    (void)PlanReadActivity(reader, map->scenario, ACTIVITY_PHYSICAL, mistakes, &map->grid, &map->dose);
  PetscFunctionReturn(0);
}

/* The axes of a beam of the reference's plan. */
static PetscErrorCode ReadBeam(const PlanReader *reader, PetscInt index, Mistakes *mistakes, const char *file,
                               Beam *beam)
{
  PetscFunctionBegin;
  BeamOnFile on_file;
  char *position = NULL;
  const PetscBool there = PlanReadBeam(reader, index, mistakes, &on_file);
  *beam = (Beam){.gantry_deg = on_file.gantry_deg, .couch_deg = on_file.couch_deg};
  PetscCall(PetscArraycpy(beam->isocentre_mm, on_file.isocentre_mm, 3));
  PetscCall(BeamOnFileDestroy(&on_file));
  if (!there && !MistakesAny(mistakes))
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--beam %d: %s has no such beam", (int)index, file));
  (void)H5ReadString(&reader->source, "/plan", "patient_position", PETSC_TRUE, &position, mistakes);
  if (position && PatientPositionFind(position) < N_PATIENT_POSITIONS) beam->position = PatientPositionFind(position);
  PetscCall(PetscFree(position));
  BeamSetAxes(beam);
  PetscFunctionReturn(0);
}

/* One row per column. */
static PetscErrorCode WriteColumns(const RangeShift *shift, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Text text = {0};
  PetscCall(TextAdd(&text, "u_mm,v_mm,edge_mm,shift_mm,deviation_mm,weight,dose_shift_mm\n"));
  for (PetscInt i = 0; i < shift->n; i++) {
    const ShiftColumn *c = &shift->column[i];
    PetscCall(TextAdd(&text, "%.6g,%.6g,%.6g,%.6g,%.6g,%.6g,", c->u_mm, c->v_mm, c->edge_mm, c->shift_mm,
                      c->deviation_mm, c->weight));
    if (!isnan(c->dose_shift_mm)) PetscCall(TextAdd(&text, "%.6g", c->dose_shift_mm));
    PetscCall(TextAdd(&text, "\n"));
  }
  (void)FileReplace(file, text.data, text.length, mistakes);
  PetscCall(TextDestroy(&text));
  PetscFunctionReturn(0);
}

static void Tell(const MapOnFile map[2], const RangeShift *shift)
{
  printf("reference  %s, %s, %s\nother      %s, %s, %s\n", map[0].file, map[0].scenario, map[0].name, map[1].file,
         map[1].scenario, map[1].name);
  printf("activity   %+.3f mm, standard deviation from counts %.3f mm, distal 50 %% of %d columns\n", shift->shift_mm,
         shift->deviation_mm, (int)shift->n);
  if (!isnan(shift->dose_shift_mm))
    printf("dose       %+.3f mm, distal 50 %% of the physical dose in the same columns\n", shift->dose_shift_mm);
}

static PetscErrorCode Compare(const Beam *beam, const ShiftSpec *spec, const MapOnFile map[2], const char *out,
                              Mistakes *mistakes)
{
  PetscFunctionBegin;
  RangeShift shift;
  ShiftMap activity[2], dose[2];
  for (int k = 0; k < 2; k++) {
    activity[k] = (ShiftMap){&map[k].grid, map[k].value, map[k].per_count};
    dose[k] = (ShiftMap){&map[k].grid, map[k].dose, 0};
  }
  PetscCall(RangeShiftFind(beam, spec, &activity[0], &activity[1], &dose[0], &dose[1], &shift));
  if (!shift.n)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s of scenario %s falls off in no column along the beam",
                          map[0].file, map[0].name, map[0].scenario));
  if (shift.n && out) PetscCall(WriteColumns(&shift, out, mistakes));
  if (!MistakesAny(mistakes)) Tell(map, &shift);
  PetscCall(RangeShiftDestroy(&shift));
  PetscFunctionReturn(0);
}

/* What of the reference's file and the other's is needed. */
static PetscErrorCode ReadBoth(MapOnFile map[2], PetscInt index, Mistakes *mistakes, Beam *beam)
{
  PetscFunctionBegin;
  for (int k = 0; k < 2 && !MistakesAny(mistakes); k++) {
    PlanReader reader;
    if (!PlanReaderOpen(map[k].file, mistakes, &reader)) break;
    PetscCall(ReadMap(&reader, mistakes, &map[k]));
    if (k == 0 && !MistakesAny(mistakes)) PetscCall(ReadBeam(&reader, index, mistakes, map[k].file, beam));
    (void)PlanReaderClose(&reader, mistakes);
    if (k == 0 && !map[1].name) map[1].name = map[0].name;
  }
  PetscFunctionReturn(0);
}

static struct {
  const char *out, *scenario[2], *map[2];
  double beam, column_mm;
} given = {.scenario = {"nominal", NULL}};

static const Option shift_options[] = {
    {"--scenario", "ID", "scenario of the reference", .value = &given.scenario[0]},
    {"--other-scenario", "ID", "scenario of the other map", "as --scenario", .value = &given.scenario[1]},
    {"--map", "NAME", "map of the reference, by its path in the file behind the scenario",
     "image of the first window, else all 11C", .value = &given.map[0]},
    {"--other-map", "NAME", "the other map", "as --map", .value = &given.map[1]},
    {"--beam", "N", "beam of the reference's plan along which is looked", .number = &given.beam, .least = 0,
     .most = 1000},
    {"--column-mm", "MM", "side of the columns", "5 mm, at least 2.5 voxels", .number = &given.column_mm, .least = 0.1,
     .most = 1000},
    {"-o", "COLUMNS.csv", "write the shift of every column", "nothing is written", .value = &given.out}};

static const Command command_shift = {
    .operands = "REFERENCE.h5 [OTHER.h5]",
    .purpose = "shift along the beam between two maps of activity, its standard deviation from counts, and of the dose",
    .least = 1,
    .most = 2,
    .n_option = PETSC_STATIC_ARRAY_LENGTH(shift_options),
    .option = shift_options};

static PetscErrorCode Shift(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *operand[2];
  ShiftSpec spec;
  Beam beam;
  PetscCall(ArgumentsParse(arguments, &verb_shift, &command_shift, operand, mistakes));
  ShiftSpecDefault(&spec);
  spec.column_mm = given.column_mm;
  MapOnFile map[2] = {{.scenario = given.scenario[0], .name = given.map[0], .file = operand[0]},
                      {.scenario = given.scenario[1] ? given.scenario[1] : given.scenario[0],
                       .name = given.map[1],
                       .file = operand[1] ? operand[1] : operand[0]}};
  if (!MistakesAny(mistakes)) PetscCall(ReadBoth(map, (PetscInt)given.beam, mistakes, &beam));
  if (!MistakesAny(mistakes)) PetscCall(Compare(&beam, &spec, map, given.out, mistakes));
  for (int k = 0; k < 2; k++) {
    PetscCall(PetscFree(map[k].value));
    PetscCall(PetscFree(map[k].dose));
  }
  *exit_code = MistakesExit(mistakes);
  PetscFunctionReturn(0);
}

const Verb verb_shift = {.name = "shift", .run = Shift, .n_command = 1, .command = &command_shift};
