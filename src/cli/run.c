/* `robion run`: a study, planned. */
#include "robion/cli.h"
#include "robion/log.h"
#include "robion/stop.h"
#include <stdlib.h>
#include <string.h>

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

/* Comma-separated names; the array is owned by options. */
static PetscErrorCode SplitNames(const char *text, PetscInt *n, char ***names)
{
  PetscFunctionBegin;
  if (text) PetscCall(PetscStrToArray(text, ',', n, names));
  PetscFunctionReturn(0);
}

/* "2/8": the second of eight jobs. */
static PetscErrorCode ParseArray(const char *text, RunOptions *options, Mistakes *mistakes)
{
  PetscFunctionBegin;
  int job = 0, jobs = 0;
  char rest;
  if (!text) PetscFunctionReturn(0);
  if (text[strspn(text, "0123456789/")] || sscanf(text, "%7d/%7d%c", &job, &jobs, &rest) != 2 || job < 1 || job > jobs)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                          "--array: found %s, expected JOB/JOBS with a job from 1 to the number of jobs", text));
  options->array_job = job;
  options->array_jobs = jobs;
  PetscFunctionReturn(0);
}

static PetscErrorCode ParseTeamSize(const char *text, RunOptions *options, Mistakes *mistakes)
{
  PetscFunctionBegin;
  int size = 0;
  char rest;
  options->team_size = TEAM_PER_NODE;
  if (!text || !strcmp(text, "node")) PetscFunctionReturn(0);
  if (!strcmp(text, "auto"))
    options->team_size = TEAM_AUTOMATIC;
  else if (!text[strspn(text, "0123456789")] && sscanf(text, "%7d%c", &size, &rest) == 1 && size > 0)
    options->team_size = size;
  else
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                          "--team-size: found %s, expected a number of ranks, node or auto", text));
  PetscFunctionReturn(0);
}

/* "1,2,4,8": numbers of nodes; the array is owned by options. */
static PetscErrorCode ParseNodes(const char *text, RunOptions *options, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscInt *nodes;
  char *at = (char *)text;
  if (!text) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(strlen(text) / 2 + 1, &nodes));
  options->simulate = nodes;
  for (;; at++) {
    long n = *at >= '0' && *at <= '9' ? strtol(at, &at, 10) : 0;
    if (n < 1 || n > 1000000 || (*at && *at != ',')) {
      PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                            "--simulate: found %s, expected numbers of nodes from 1 to 1000000 separated by commas",
                            text));
      break;
    }
    nodes[options->n_simulate++] = (PetscInt)n;
    if (!*at) break;
  }
  if (!options->dry_run)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--simulate needs --dry-run: nothing is planned"));
  PetscFunctionReturn(0);
}

static PetscErrorCode RunLoaded(const Arguments *arguments, const Study *study, const RunOptions *given,
                                RobionExit *exit_code)
{
  PetscFunctionBegin;
  RunOptions options = *given;
  char results[PETSC_MAX_PATH_LEN];
  snprintf(results, sizeof results, "results/%s", study->name);
  options.draw = options.results; /* a dry run leaves nothing where it was not told to */
  if (!options.results) options.results = results;
  if (!options.dry_run) PetscCall(StopInstall(options.time_limit_s)); /* a dry run has nothing to save */
  PetscCall(StudyRun(PETSC_COMM_WORLD, arguments->all_argc, arguments->all_argv, study, &options, exit_code));
  PetscFunctionReturn(0);
}

static struct {
  RunOptions run;
  const char *only, *arms, *limit, *array, *team, *nodes;
  OptionList set;
} given;

static const Option run_options[] = {
    {"--results", "DIR", "folder of the results", "results/STUDY", .value = &given.run.results},
    {"--resume", NULL, "go on: keep finished plans, take up checkpoints", .flag = &given.run.resume},
    {"--replan", NULL, "with --resume: make anew what was made with other settings", .flag = &given.run.replan},
    {"--only", "CASE,...", "cases to plan", "all", .value = &given.only},
    {"--arms", "ARM,...", "arms to plan", "all", .value = &given.arms},
    OPTION_SET(given.set),
    {"--dry-run", NULL, "tell spots, scenarios, memory and time, plan nothing", .flag = &given.run.dry_run},
    {"--simulate", "NODES,...", "with --dry-run: the time that so many nodes would take", .value = &given.nodes},
    {"--time-limit", "HH:MM:SS", "stop with a checkpoint after this time", .value = &given.limit},
    {"--team-size", "RANKS|node|auto", "ranks that plan a case together", "node: those of a node",
     .value = &given.team},
    {"--array", "JOB/JOBS", "plan this job's share of the plans", "1/1: all", .value = &given.array},
    {"--private", NULL, "results for their owner alone", .flag = &given.run.owner_only}};

static const Command command_run = {.operands = "STUDY.yaml",
                                    .purpose = "plan every case, arm and sweep point of a study",
                                    .least = 1,
                                    .most = 1,
                                    .n_option = PETSC_STATIC_ARRAY_LENGTH(run_options),
                                    .option = run_options};

static PetscErrorCode Run(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *file;
  Study *study = NULL;
  PetscCall(ArgumentsParse(arguments, &verb_run, &command_run, &file, mistakes));
  RunOptions options = given.run;
  if (given.limit && (options.time_limit_s = DurationParse(given.limit)) <= 0)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--time-limit: found %s, expected HH:MM:SS above zero",
                          given.limit));
  PetscCall(ParseArray(given.array, &options, mistakes));
  PetscCall(ParseTeamSize(given.team, &options, mistakes));
  PetscCall(ParseNodes(given.nodes, &options, mistakes));
  if (options.replan && !options.resume)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--replan needs --resume: else all plans are made anew"));
  PetscCall(CheckLauncher(mistakes));
  PetscCall(SplitNames(given.only, &options.n_only, &options.only));
  PetscCall(SplitNames(given.arms, &options.n_arms, &options.arms));
  if (!MistakesAny(mistakes))
    PetscCall(StudyLoadAll(PETSC_COMM_WORLD, file, given.set.n, given.set.text, mistakes, &study));
  if (study && !MistakesAny(mistakes)) PetscCall(RunLoaded(arguments, study, &options, exit_code));
  PetscCall(StudyDestroy(&study));
  PetscCall(PetscStrToArrayDestroy(options.n_only, options.only));
  PetscCall(PetscStrToArrayDestroy(options.n_arms, options.arms));
  PetscCall(PetscFree(options.simulate));
  PetscFunctionReturn(0);
}

const Verb verb_run = {.name = "run", .parallel = PETSC_TRUE, .run = Run, .n_command = 1, .command = &command_run};
