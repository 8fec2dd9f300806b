/* The state of a solver on disk, and the one before it in case the last one was cut short. */
#include "robion/plan.h"
#include "robion/log.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { CHECKPOINT_VERSION = 5 }; /* of the file, and of what a solver makes of its state */

static const char *const file_name[] = {"checkpoint.h5", "checkpoint-previous.h5"};

static void CheckpointName(const char *folder, int k, char name[PETSC_MAX_PATH_LEN])
{
  snprintf(name, PETSC_MAX_PATH_LEN, "%s/%s", folder, file_name[k]);
}

static void FieldPath(const char *field, char path[64])
{
  snprintf(path, 64, "/solver/%s", field);
}

PetscBool CheckpointWrite(const char *folder, const char *yaml, const char *stage, const SolveState *state,
                          Mistakes *mistakes)
{
  char name[PETSC_MAX_PATH_LEN], previous[PETSC_MAX_PATH_LEN], path[64];
  const double version = CHECKPOINT_VERSION;
  H5Sink sink;
  CheckpointName(folder, 0, name);
  CheckpointName(folder, 1, previous);
  if (!H5SinkOpen(name, mistakes, &sink)) return PETSC_FALSE;
  sink.sealed = PETSC_TRUE;
  H5WriteGroup(&sink, "/solver");
  H5WriteString(&sink, "/solver", "settings", yaml);
  H5WriteString(&sink, "/solver", "stage", stage);
  H5WriteDoubles(&sink, "/solver", "version", 1, &version);
  for (PetscInt i = 0; i < state->n_field; i++) {
    const hsize_t n = (hsize_t)state->field[i].n;
    FieldPath(state->field[i].name, path);
    if (n) H5WriteArray(&sink, path, H5T_NATIVE_DOUBLE, 1, &n, state->field[i].value, NULL, NULL);
  }
  unlink(previous);                  /* until the new one is complete there are two names of the old one */
  if (link(name, previous)) (void)0; /* the first checkpoint, or a file system without links: then none is kept */
  return H5SinkClose(&sink, mistakes);
}

/* Every number of a state is finite, weights are not negative, and there are as many as spots. */
static PetscBool StateIsSound(const SolveState *state, PetscInt n_spot)
{
  const StateField *variable = SolveStateFind(state, "variable");
  if (!variable || variable->n != n_spot) return PETSC_FALSE;
  for (PetscInt j = 0; j < n_spot; j++)
    if (!(variable->value[j] >= 0)) return PETSC_FALSE;
  for (PetscInt i = 0; i < state->n_field; i++)
    for (PetscInt j = 0; j < state->field[i].n; j++)
      if (!isfinite(state->field[i].value[j])) return PETSC_FALSE;
  return PETSC_TRUE;
}

static PetscBool ReadFields(const H5Source *source, SolveState *state, Mistakes *mistakes)
{
  char path[64];
  for (PetscInt i = 0; i < n_solve_state_names; i++) {
    double *value = NULL;
    hsize_t n = 0;
    FieldPath(solve_state_names[i], path);
    if (H5SourceHas(source, path) && !H5ReadArray(source, path, H5T_NATIVE_DOUBLE, 1, &n, &value, mistakes))
      return PETSC_FALSE;
    if (SolveStateAdd(state, solve_state_names[i], (PetscInt)n, value) || PetscFree(value)) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* The file is of a stage: else it would lead another one astray, as that of a stage after the one to be planned. */
static PetscBool IsOfStage(const H5Source *source, const char *stage, Mistakes *mistakes)
{
  char *found = NULL;
  PetscBool good = H5ReadString(source, "/solver", "stage", PETSC_FALSE, &found, mistakes);
  if (good && strcmp(found, stage)) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: of stage \"%s\", expected \"%s\", which is to be planned; remove it",
                      source->name, found, stage);
    good = PETSC_FALSE;
  }
  (void)PetscFree(found);
  return good;
}

/* One of the two files. */
static PetscBool ReadFile(const char *name, const char *yaml, const char *stage, PetscInt n_spot, SolveState *state,
                          Mistakes *mistakes)
{
  char *settings = NULL;
  double version = 0;
  H5Source source;
  PetscBool good = H5SealHolds(name, mistakes) && H5SourceOpen(name, mistakes, &source) ? PETSC_TRUE : PETSC_FALSE;
  if (!good) return PETSC_FALSE;
  good = H5ReadString(&source, "/solver", "settings", PETSC_FALSE, &settings, mistakes) &&
                 H5ReadAttribute(&source, "/solver", "version", 1, &version, mistakes)
             ? PETSC_TRUE
             : PETSC_FALSE;
  if (good && strcmp(settings, yaml)) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: made with other settings; remove it or restore the study", name);
    good = PETSC_FALSE;
  }
  if (good && version != CHECKPOINT_VERSION) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: version %g, expected %d (another robion wrote it); remove it", name,
                      version, (int)CHECKPOINT_VERSION);
    good = PETSC_FALSE;
  }
  good = good && IsOfStage(&source, stage, mistakes) && ReadFields(&source, state, mistakes) ? PETSC_TRUE : PETSC_FALSE;
  if (!H5SourceClose(&source, mistakes)) good = PETSC_FALSE;
  if (good && !StateIsSound(state, n_spot)) {
    (void)MistakesAdd(mistakes, ROBION_INPUT,
                      "%s: /solver: expected finite numbers, weights of %" PRId64 " spots from 0", name,
                      (int64_t)n_spot);
    good = PETSC_FALSE;
  }
  if (!good) (void)SolveStateDestroy(state);
  (void)PetscFree(settings);
  return good;
}

PetscBool CheckpointRead(const char *folder, const char *yaml, const char *stage, PetscInt n_spot, SolveState *state,
                         Mistakes *mistakes)
{
  Mistakes damage = {0};
  PetscBool found = PETSC_FALSE;
  *state = (SolveState){0};
  for (int k = 0; k < 2 && !found; k++) {
    char name[PETSC_MAX_PATH_LEN];
    CheckpointName(folder, k, name);
    if (!access(name, F_OK)) found = ReadFile(name, yaml, stage, n_spot, state, &damage);
  }
  for (PetscInt i = 0; i < damage.n && found; i++)
    LogLine(LOG_WARNING, "resume", NULL, "%s: using the checkpoint before", damage.item[i].text);
  (void)(found ? MistakesClear(&damage) : MistakesMove(&damage, ROBION_INPUT, mistakes));
  return found;
}

void CheckpointSettings(const char *folder, char **yaml)
{
  Mistakes unread = {0};
  *yaml = NULL;
  for (int k = 0; k < 2 && !*yaml; k++) {
    char name[PETSC_MAX_PATH_LEN];
    H5Source source;
    CheckpointName(folder, k, name);
    if (access(name, F_OK) || !H5SealHolds(name, &unread) || !H5SourceOpen(name, &unread, &source)) continue;
    (void)H5ReadString(&source, "/solver", "settings", PETSC_FALSE, yaml, &unread);
    if (!H5SourceClose(&source, &unread)) (void)PetscFree(*yaml);
  }
  (void)MistakesClear(&unread);
}

void CheckpointRemove(const char *folder)
{
  for (int k = 0; k < 2; k++) {
    char name[PETSC_MAX_PATH_LEN];
    CheckpointName(folder, k, name);
    unlink(name);
  }
}
