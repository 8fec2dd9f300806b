#include "cli.h"
#include "robion/log.h"
#include "robion/stop.h"
#include <stdlib.h>
#include <string.h>

/* "HH:MM:SS" in seconds, or -1. */
static double ParseDuration(const char *text)
{
  unsigned hours, minutes, seconds;
  char rest;
  if (text[strspn(text, "0123456789:")]) return -1; /* %u would take signs and blanks */
  if (sscanf(text, "%6u:%2u:%2u%c", &hours, &minutes, &seconds, &rest) != 3 || minutes > 59 || seconds > 59) return -1;
  return 3600.0 * hours + 60.0 * minutes + seconds;
}

/* Ranks that silently became single processes would each plan everything. */
static PetscErrorCode CheckLauncher(Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscMPIInt size;
  const char *tasks = getenv("SLURM_NTASKS"), *step = getenv("SLURM_STEP_NUM_TASKS");
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  if (step && size == 1 && atoi(step) > 1)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                          "srun started %s tasks, but MPI sees one rank each: use srun --mpi=pmix, or mpirun", step));
  else if (!step && tasks && size == 1 && atoi(tasks) > 1)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                          "SLURM allocated %s tasks, but MPI has one rank: start with srun --mpi=pmix or mpirun",
                          tasks));
  PetscFunctionReturn(0);
}

/* Comma-separated names; arrays owned by options. */
static PetscErrorCode SplitNames(const char *text, RunOptions *options)
{
  PetscFunctionBegin;
  if (text) PetscCall(PetscStrToArray(text, ',', &options->n_only, &options->only));
  PetscFunctionReturn(0);
}

static PetscErrorCode RunLoaded(const Arguments *arguments, const Study *study, const RunOptions *given,
                                RobionExit *exit_code)
{
  PetscFunctionBegin;
  RunOptions options = *given;
  char results[PETSC_MAX_PATH_LEN];
  snprintf(results, sizeof results, "results/%s", study->name);
  if (!options.results) options.results = results;
  if (!options.dry_run) PetscCall(StopInstall(options.time_limit_s)); /* a dry run has nothing to save */
  PetscCall(RunStudy(PETSC_COMM_WORLD, arguments->all_argc, arguments->all_argv, study, &options, exit_code));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *file, *only = NULL, *limit = NULL, *set[LIST_LONGEST];
  PetscInt n_set = 0;
  RunOptions options = {0};
  Study *study = NULL;
  const Option option[] = {{.name = "--results", .value = &options.results},
                           {.name = "--resume", .flag = &options.resume},
                           {.name = "--only", .value = &only},
                           {.name = "--set", .n_list = &n_set, .list = set},
                           {.name = "--dry-run", .flag = &options.dry_run},
                           {.name = "--time-limit", .value = &limit}};
  PetscCall(
      ParseArguments(arguments, PETSC_STATIC_ARRAY_LENGTH(option), option, 1, 1, verb_run.usage, &file, mistakes));
  if (limit && (options.time_limit_s = ParseDuration(limit)) <= 0)
    PetscCall(
        MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--time-limit: found %s, expected HH:MM:SS above zero", limit));
  PetscCall(CheckLauncher(mistakes));
  PetscCall(SplitNames(only, &options));
  if (!MistakesAny(mistakes)) PetscCall(StudyLoadAll(PETSC_COMM_WORLD, file, n_set, set, mistakes, &study));
  if (study && !MistakesAny(mistakes)) PetscCall(RunLoaded(arguments, study, &options, exit_code));
  PetscCall(StudyDestroy(&study));
  PetscCall(PetscStrToArrayDestroy(options.n_only, options.only));
  PetscFunctionReturn(0);
}

const Verb verb_run = {.name = "run",
                       .usage = "run STUDY.yaml [--results DIR] [--resume] [--only CASE,...] [--set path=value]... "
                                "[--dry-run] [--time-limit HH:MM:SS] [-- PETSc options]",
                       .purpose = "plan every case, arm and sweep point of a study",
                       .parallel = PETSC_TRUE,
                       .run = Run};
