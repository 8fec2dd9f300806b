/* The verb that hands a study to SLURM. */
#include "robion/cli.h"
#include "robion/batch.h"
#include "robion/log.h"
#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* A whole number from 1 on. */
static PetscErrorCode TakeCount(const char *option, double found, Mistakes *mistakes, PetscInt *value)
{
  PetscFunctionBegin;
  *value = (PetscInt)found;
  if ((double)*value != found)
    PetscCall(
        MistakesAdd(mistakes, ROBION_COMMAND_LINE, "%s: found %g, expected a whole number from 1 on", option, found));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckSbatch(const BatchJob *job, Mistakes *mistakes)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < job->n_sbatch; i++)
    if (job->sbatch[i][0] != '-' || strpbrk(job->sbatch[i], "\n\r"))
      PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                            "--sbatch: found %s, expected an option of sbatch in one line", job->sbatch[i]));
  PetscFunctionReturn(0);
}

/* A path as a job sees it, wherever that starts. */
static PetscErrorCode Absolute(const char *path, char absolute[PETSC_MAX_PATH_LEN])
{
  PetscFunctionBegin;
  char here[PATH_MAX] = "";
  const PetscBool whole = path[0] == '/' || !getcwd(here, sizeof here) ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(PetscSNPrintf(absolute, PETSC_MAX_PATH_LEN, "%s%s%s", whole ? "" : here, whole ? "" : "/", path));
  PetscFunctionReturn(0);
}

/* This process's variables that a job may inherit. */
static PetscErrorCode JobEnvironment(char ***variables)
{
  PetscFunctionBegin;
  size_t n = 0, kept = 0;
  while (environ[n]) n++;
  PetscCall(PetscCalloc1(n + 1, variables));
  for (size_t i = 0; i < n; i++)
    if (BatchInherits(environ[i])) (*variables)[kept++] = environ[i];
  PetscFunctionReturn(0);
}

/* sbatch SCRIPT, its output on ours. */
static PetscErrorCode Send(const char *script, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char **variables;
  PetscCall(JobEnvironment(&variables));
  char *const argv[] = {(char *)"sbatch", (char *)script, NULL};
  pid_t child;
  int status = 0, error = posix_spawnp(&child, "sbatch", NULL, NULL, argv, variables);
  if (error)
    PetscCall(MistakesAdd(mistakes, ROBION_RESOURCES, "sbatch cannot be started: %s; the script is %s", strerror(error),
                          script));
  else if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status))
    PetscCall(MistakesAdd(mistakes, ROBION_RESOURCES, "sbatch refused the job; the script is %s", script));
  PetscCall(PetscFree(variables));
  PetscFunctionReturn(0);
}

/* Write the script beside the results to be, and submit it; or only show it. */
static PetscErrorCode Submit(const BatchJob *job, const StudyCost *cost, PetscBool dry_run, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN];
  Text script = {0};
  PetscCall(BatchScript(job, cost, &script));
  if (dry_run)
    fputs(script.data, stdout);
  else if (FolderMake(job->results, mistakes)) {
    PetscCall(PetscSNPrintf(file, sizeof file, "%s/submit.sh", job->results));
    if (FileReplace(file, script.data, script.length, mistakes)) PetscCall(Send(file, mistakes));
    if (!MistakesAny(mistakes) && job->array_jobs)
      printf("when all jobs are done: %s collect %s\n", job->program, job->results);
  }
  PetscCall(TextDestroy(&script));
  PetscFunctionReturn(0);
}

static PetscErrorCode SubmitLoaded(BatchJob *job, const Study *study, const char *file, const char *results,
                                   PetscBool dry_run, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char program[PETSC_MAX_PATH_LEN] = "", study_path[PETSC_MAX_PATH_LEN], folder[PETSC_MAX_PATH_LEN],
       path[PETSC_MAX_PATH_LEN];
  StudyCost cost;
  snprintf(folder, sizeof folder, "results/%s", study->name);
  PetscCall(Absolute(results ? results : folder, path));
  PetscCall(Absolute(file, study_path));
  if (readlink("/proc/self/exe", program, sizeof program - 1) < 0) snprintf(program, sizeof program, "robion");
  job->program = program;
  job->study = study_path;
  job->results = path;
  job->name = study->name;
  PetscCall(StudyCheckFiles(study, mistakes));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  PetscCall(StudyEstimate(PETSC_COMM_WORLD, study, job->ranks_per_node, &cost));
  PetscCall(Submit(job, &cost, dry_run, mistakes));
  PetscFunctionReturn(0);
}

static struct {
  const char *results, *limit;
  double nodes, ranks, array; /* array 0: a single job */
  OptionList set, sbatch;
  PetscBool dry_run;
} given = {.nodes = 1, .ranks = 8};

static const Option submit_options[] = {
    {"--results", "DIR", "folder of the results", "results/STUDY", .value = &given.results},
    {"--nodes", "N", "nodes of each job", .number = &given.nodes, .least = 1, .most = 999999},
    {"--ranks-per-node", "N", "MPI ranks on each node", .number = &given.ranks, .least = 1, .most = 999999},
    {"--time", "HH:MM:SS", "time limit of a job", "some times the estimate, half an hour to a day",
     .value = &given.limit},
    {"--array", "N", "so many jobs share the plans out", "a single job", .number = &given.array, .least = 1,
     .most = 999999},
    OPTION_SET(given.set),
    {"--sbatch", "OPTION", "a further option of sbatch, as --sbatch=--partition=NAME", .list = &given.sbatch},
    {"--dry-run", NULL, "show the script, submit nothing", .flag = &given.dry_run}};

static const Command command_submit = {.operands = "STUDY.yaml",
                                       .purpose = "write a job script from the study's estimate and give it to SLURM",
                                       .least = 1,
                                       .most = 1,
                                       .n_option = PETSC_STATIC_ARRAY_LENGTH(submit_options),
                                       .option = submit_options};

static PetscErrorCode Run(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *file;
  Study *study = NULL;
  PetscCall(ArgumentsParse(arguments, &verb_submit, &command_submit, &file, mistakes));
  LogToStandardError(); /* a script may be all that is wanted */
  BatchJob job = {.n_set = given.set.n, .set = given.set.text, .n_sbatch = given.sbatch.n, .sbatch = given.sbatch.text};
  PetscCall(TakeCount("--nodes", given.nodes, mistakes, &job.nodes));
  PetscCall(TakeCount("--ranks-per-node", given.ranks, mistakes, &job.ranks_per_node));
  PetscCall(TakeCount("--array", given.array, mistakes, &job.array_jobs));
  if (given.limit && (job.limit_s = DurationParse(given.limit)) <= 0)
    PetscCall(
        MistakesAdd(mistakes, ROBION_COMMAND_LINE, "--time: found %s, expected HH:MM:SS above zero", given.limit));
  PetscCall(CheckSbatch(&job, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(StudyLoad(file, job.n_set, job.set, mistakes, &study));
  if (study) PetscCall(SubmitLoaded(&job, study, file, given.results, given.dry_run, mistakes));
  PetscCall(StudyDestroy(&study));
  *exit_code = ROBION_DONE;
  PetscFunctionReturn(0);
}

const Verb verb_submit = {
    .name = "submit", .parallel = PETSC_TRUE, .run = Run, .n_command = 1, .command = &command_submit};
