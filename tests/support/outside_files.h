/* A small sound file of every kind that is read through a process of its own, and its reader: what tests and fuzzing damage. */
#pragma once
#include "../../src/cli/evaluate_gamma.h"
#include "../../src/plan/plan_private.h"
#include "base_data.h"
#include "fake_plan.h"
#include "robion/hdf5.h"
#include "robion/format.h"
#include "robion/phantom.h"
#include "robion/plan_read.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Write a file of the kind in a folder; read it: whether it was taken, and what was wrong. They end the program where a call fails. */
typedef struct OutsideFile {
  const char *kind, *name;
  void (*write)(const char *folder);
  PetscBool (*read)(const char *folder, Mistakes *mistakes);
  PetscBool sealed; /* robion's own, H5SealHolds */
  PetscBool silent; /* a bad file is no mistake: it is made anew */
} OutsideFile;

static inline void Sure(int wrong)
{
  if (wrong) abort();
}

static inline const char *OutsidePath(const char *folder, const char *name)
{
  static char path[PETSC_MAX_PATH_LEN];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static inline void WriteOutsideCase(const char *folder)
{
  Mistakes mistakes = {0};
  Case *patient;
  float *map;
  PhantomSpec box;
  Sure(PhantomSpecRead("water-box", "ct_spacing_mm: 5, size_mm: [50, 50, 50], target_mm: [20, 20, 20]", &mistakes,
                       &box));
  Sure(CaseBuildPhantom(&box, "box", &mistakes, &patient) || PhantomSpecDestroy(&box));
  const size_t n = GridSize(&patient->ct);
  Sure(PetscMalloc1(n, &map) || PetscMalloc1(2, &patient->beam_gantry_deg));
  for (size_t v = 0; v < n; v++) map[v] = (float)(v % 7);
  patient->n_beam_angles = 2;
  patient->beam_gantry_deg[0] = 0;
  patient->beam_gantry_deg[1] = 90;
  Sure(CaseAddMap(patient, "suv", "1", map));
  Sure(CaseWrite(patient, OutsidePath(folder, "case.h5"), &mistakes) || mistakes.n || CaseDestroy(&patient));
}

static inline PetscBool ReadOutsideCase(const char *folder, Mistakes *mistakes)
{
  Case *patient;
  Sure(CaseLoad(OutsidePath(folder, "case.h5"), mistakes, &patient));
  const PetscBool taken = patient ? PETSC_TRUE : PETSC_FALSE;
  Sure(CaseDestroy(&patient));
  return taken;
}

static inline void WriteOutsideMachine(const char *folder)
{
  static Machine *machine; /* made once */
  Mistakes mistakes = {0};
  MachineSpec spec;
  if (!machine) {
    Sure(MachineSpecDefault(&spec));
    spec.energy_min_MeV_u = spec.energy_max_MeV_u = 80;
    Sure(BaseData(PETSC_COMM_SELF, &spec, &machine));
  }
  Sure(MachineWrite(machine, OutsidePath(folder, "machine.h5"), &mistakes) || mistakes.n);
}

static inline PetscBool ReadOutsideMachine(const char *folder, Mistakes *mistakes)
{
  Machine *machine;
  Sure(MachineRead(OutsidePath(folder, "machine.h5"), mistakes, &machine));
  const PetscBool taken = machine ? PETSC_TRUE : PETSC_FALSE;
  Sure(MachineDestroy(&machine));
  return taken;
}

static inline void WriteOutsidePlan(const char *folder)
{
  Mistakes mistakes = {0};
  FakePlan *fake = FakePlanCreate(9);
  FILE *table;
  fake->beam[1].n = 1; /* a beam without spots is refused */
  Sure(PlanFileWrite(PETSC_COMM_SELF, &fake->result, folder, &mistakes) || mistakes.n);
  for (int i = 0; i < 4; i++) {
    static const char *const name[] = {"metrics.csv", "dvh.csv", "scenarios.csv", "checksums.txt"};
    table = fopen(OutsidePath(folder, name[i]), "w");
    Sure(!table || fclose(table));
  }
  FakePlanDestroy(fake);
}

/* As --resume and `robion evaluate` do. */
static inline PetscBool ReadOutsidePlan(const char *folder, Mistakes *mistakes)
{
  SpotList spots = {0};
  char reason[PLAN_REASON];
  const PlanState state =
      PlanInspect(folder, (PlanSettings){"robion: 1\nname: fake\n", SettingsUpdate}, LOOK_SETTINGS, reason);
  if (state == PLAN_DAMAGED) Sure(MistakesAdd(mistakes, ROBION_INPUT, "%s", reason));
  Sure(PlanReadSpots(OutsidePath(folder, "plan.h5"), mistakes, &spots));
  const PetscBool taken = state != PLAN_ABSENT && state != PLAN_DAMAGED && spots.n > 0 ? PETSC_TRUE : PETSC_FALSE;
  Sure(SpotListDestroy(&spots));
  return taken;
}

static inline PetscBool ReadOutsideReference(const char *folder, Mistakes *mistakes)
{
  GammaCheck check = {.file = OutsidePath(folder, "plan.h5")};
  Sure(GammaCheckPrepare(&check, mistakes));
  const PetscBool taken = mistakes->n ? PETSC_FALSE : PETSC_TRUE;
  Sure(GammaCheckDestroy(&check));
  return taken;
}

enum { OUTSIDE_SPOTS = 100 };

static inline void WriteOutsideCheckpoint(const char *folder)
{
  Mistakes mistakes = {0};
  SolveState state = {0};
  double value[OUTSIDE_SPOTS];
  for (int j = 0; j < OUTSIDE_SPOTS; j++) value[j] = 1e6 * j;
  for (PetscInt i = 0; i < n_solve_state_names; i++)
    Sure(SolveStateAdd(&state, solve_state_names[i], strcmp(solve_state_names[i], "variable") ? 3 : OUTSIDE_SPOTS,
                       value));
  Sure(!CheckpointWrite(folder, "study", "", &state, &mistakes) || SolveStateDestroy(&state));
  unlink(OutsidePath(folder, "checkpoint-previous.h5"));
}

static inline PetscBool ReadOutsideCheckpoint(const char *folder, Mistakes *mistakes)
{
  SolveState state;
  const PetscBool taken = CheckpointRead(folder, "study", "", OUTSIDE_SPOTS, &state, mistakes);
  Sure(SolveStateDestroy(&state));
  return taken;
}

static const CourseStage outside_stage = {.name = (char *)"low", .n_spot = OUTSIDE_SPOTS};

static inline void WriteOutsideStage(const char *folder)
{
  Mistakes mistakes = {0};
  double weight[OUTSIDE_SPOTS];
  for (int j = 0; j < OUTSIDE_SPOTS; j++) weight[j] = 1e6 * j;
  Sure(!StageFileWrite(folder, "study", &outside_stage, weight, &mistakes));
}

static inline PetscBool ReadOutsideStage(const char *folder, Mistakes *mistakes)
{
  double weight[OUTSIDE_SPOTS];
  return StageFileRead(folder, "study", &outside_stage, weight);
}

static inline void WriteOutsideImage(const char *folder)
{
  Mistakes mistakes = {0};
  H5Sink sink;
  const hsize_t dims[4] = {2, 8, 9, 10};
  const double spacing[3] = {1, 2, 3}, origin[3] = {-5, 0, 7};
  float value[2 * 8 * 9 * 10];
  for (int v = 0; v < 2 * 8 * 9 * 10; v++) value[v] = (float)v;
  Sure(!H5SinkOpen(OutsidePath(folder, "image.h5"), &mistakes, &sink));
  H5WriteArray(&sink, "/image", H5T_NATIVE_FLOAT, 4, dims, value, "1", NULL);
  H5WriteDoubles(&sink, "/image", "spacing_mm", 3, spacing);
  H5WriteDoubles(&sink, "/image", "origin_mm", 3, origin);
  Sure(!H5SinkClose(&sink, &mistakes));
}

static inline PetscBool ReadOutsideFile(const char *file, Mistakes *mistakes)
{
  Image image;
  const PetscBool taken = ImageRead(file, mistakes, &image);
  Sure(ImageDestroy(&image));
  return taken;
}

static inline PetscBool ReadOutsideImage(const char *folder, Mistakes *mistakes)
{
  return ReadOutsideFile(OutsidePath(folder, "image.h5"), mistakes);
}

/* NIfTI-1 of float32 with an extension, from the format's definition: header of 348 bytes, extension from 352, data at 384. */
static inline void WriteOutsideNIfTI(const char *folder)
{
  unsigned char header[384] = {0};
  const int32_t size = 348, extension[2] = {32, 6};
  const int16_t dim[8] = {3, 4, 5, 6, 1, 1, 1, 1}, type = 16, bits = 32, form = 1;
  const float pixdim[8] = {1, 2, 2, 2, 1, 1, 1, 1}, offset = 384, slope = 2;
  const float affine[3][4] = {{2, 0, 0, -7}, {0, 2, 0, 11}, {0, 0, 2, -20}};
  float value[120];
  for (int v = 0; v < 120; v++) value[v] = (float)v;
  memcpy(header, &size, 4);
  memcpy(header + 40, dim, sizeof dim);
  memcpy(header + 70, &type, 2);
  memcpy(header + 72, &bits, 2);
  memcpy(header + 76, pixdim, sizeof pixdim);
  memcpy(header + 108, &offset, 4);
  memcpy(header + 112, &slope, 4);
  header[123] = 2;
  memcpy(header + 254, &form, 2);
  memcpy(header + 280, affine, sizeof affine);
  memcpy(header + 344, "n+1", 4);
  header[348] = 1;
  memcpy(header + 352, extension, sizeof extension);
  FILE *out = fopen(OutsidePath(folder, "image.nii"), "wb");
  Sure(!out || fwrite(header, 1, sizeof header, out) < sizeof header ||
       fwrite(value, 1, sizeof value, out) < sizeof value || fclose(out));
}

static inline PetscBool ReadOutsideNIfTI(const char *folder, Mistakes *mistakes)
{
  return ReadOutsideFile(OutsidePath(folder, "image.nii"), mistakes);
}

static const OutsideFile outside_files[] = {
    {"case", "case.h5", WriteOutsideCase, ReadOutsideCase, PETSC_FALSE, PETSC_FALSE},
    {"machine", "machine.h5", WriteOutsideMachine, ReadOutsideMachine, PETSC_FALSE, PETSC_FALSE},
    {"plan", "plan.h5", WriteOutsidePlan, ReadOutsidePlan, PETSC_FALSE, PETSC_FALSE},
    {"reference", "plan.h5", WriteOutsidePlan, ReadOutsideReference, PETSC_FALSE, PETSC_FALSE},
    {"checkpoint", "checkpoint.h5", WriteOutsideCheckpoint, ReadOutsideCheckpoint, PETSC_TRUE, PETSC_FALSE},
    {"stage", "stage-low.h5", WriteOutsideStage, ReadOutsideStage, PETSC_TRUE, PETSC_TRUE},
    {"image", "image.h5", WriteOutsideImage, ReadOutsideImage, PETSC_FALSE, PETSC_FALSE},
    {"nifti", "image.nii", WriteOutsideNIfTI, ReadOutsideNIfTI, PETSC_FALSE, PETSC_FALSE},
};
enum { OUTSIDE_FILES = sizeof outside_files / sizeof *outside_files };
