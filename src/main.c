/* robion: one YAML study in, a cohort of robust carbon-ion plans out. */
#include "robion/cli.h"
#include "robion/log.h"
#include <signal.h>
#include <string.h>

static const Verb *const verbs[] = {&verb_run,    &verb_validate, &verb_evaluate, &verb_basedata,
                                    &verb_import, &verb_phantom,  &verb_fit_tcp,  &verb_collect,
                                    &verb_status, &verb_submit,   &verb_matrix,   &verb_info};

static void PrintHelp(FILE *out)
{
  fprintf(out, "robion: robust carbon-ion treatment planning for clusters\n\nusage:\n");
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(verbs); i++)
    fprintf(out, "  robion %s\n      %s\n", verbs[i]->usage, verbs[i]->purpose);
  fprintf(out, "  robion --help | --version\n\n"
               "exit codes: 0 done, 1 internal error, 2 command line, 3 study file, 4 input data, 5 resources,\n"
               "  6 finished but some plans failed, 75 stopped after a checkpoint (run again with --resume)\n");
}

static const Verb *FindVerb(const char *name, Mistakes *mistakes)
{
  const char *names[PETSC_STATIC_ARRAY_LENGTH(verbs)];
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(verbs); i++) {
    names[i] = verbs[i]->name;
    if (!strcmp(name, names[i])) return verbs[i];
  }
  const char *nearest = NearestName(name, PETSC_STATIC_ARRAY_LENGTH(verbs), names);
  (void)MistakesAdd(mistakes, ROBION_COMMAND_LINE, "unknown verb %s%s%s%s; see robion --help", name,
                    nearest ? ", did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
  return NULL;
}

/* Everything after "--" belongs to PETSc. */
static Arguments SplitArguments(int argc, char **argv)
{
  int end = 2;
  while (end < argc && strcmp(argv[end], "--")) end++;
  Arguments arguments = {.argc = end - 2, .argv = argv + 2, .all_argc = argc, .all_argv = argv};
  arguments.petsc_argc = end < argc ? argc - end : 1;
  arguments.petsc_argv = end < argc ? argv + end : argv;
  return arguments;
}

/* PETSc options that no rank has asked for are likely misspelt. (Only the first rank of a team runs TAO.) Collective. */
static PetscErrorCode ReportUnusedOptions(PetscMPIInt rank)
{
  PetscFunctionBegin;
  PetscInt n;
  char **names, **values, name[256];
  PetscCall(PetscOptionsLeftGet(NULL, &n, &names, &values));
  PetscInt n_first = n;
  PetscCallMPI(MPI_Bcast(&n_first, 1, MPIU_INT, 0, PETSC_COMM_WORLD));
  for (PetscInt i = 0; i < n_first; i++) {
    PetscBool used;
    int any;
    snprintf(name, sizeof name, "%s", rank == 0 ? names[i] : "");
    PetscCallMPI(MPI_Bcast(name, sizeof name, MPI_CHAR, 0, PETSC_COMM_WORLD));
    PetscCall(PetscOptionsUsed(NULL, name, &used));
    any = used ? 1 : 0;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &any, 1, MPI_INT, MPI_MAX, PETSC_COMM_WORLD));
    if (rank == 0 && !any)
      fprintf(stderr, "robion: PETSc option -%s%s%s was not used\n", names[i], values[i] ? " " : "",
              values[i] ? values[i] : "");
  }
  PetscCall(PetscOptionsLeftRestore(NULL, &n, &names, &values));
  PetscFunctionReturn(0);
}

/* MPI and PETSc around a verb that needs them. A verb's error is too little memory, or a bug; PETSc has told which. */
static RobionExit RunParallel(const Verb *verb, Arguments *arguments, Mistakes *mistakes)
{
  RobionExit exit_code = ROBION_INTERNAL;
  PetscMPIInt rank;
  if (PetscInitialize(&arguments->petsc_argc, &arguments->petsc_argv, NULL, NULL)) return ROBION_INTERNAL;
  signal(SIGPIPE, SIG_IGN); /* a reader that went away (| head) is no crash */
  PetscErrorCode error = (*verb->run)(arguments, mistakes, &exit_code);
  if (error) MPI_Abort(PETSC_COMM_WORLD, error == PETSC_ERR_MEM ? ROBION_RESOURCES : ROBION_INTERNAL);
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (MistakesAny(mistakes)) exit_code = MistakesExit(mistakes);
  if (rank == 0) MistakesPrint(mistakes);
  int clean = !MistakesAny(mistakes);
  MPI_Allreduce(MPI_IN_PLACE, &clean, 1, MPI_INT, MPI_MIN, PETSC_COMM_WORLD);
  if (clean) PetscCallAbort(PETSC_COMM_WORLD, ReportUnusedOptions(rank));
  PetscCallAbort(PETSC_COMM_WORLD, MistakesClear(mistakes));
  return PetscFinalize() ? ROBION_INTERNAL : exit_code;
}

int main(int argc, char **argv)
{
  Mistakes mistakes = {0};
  RobionExit exit_code = ROBION_INTERNAL;
  Provenance provenance;
  if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
    PrintHelp(argc < 2 ? stderr : stdout);
    return argc < 2 ? ROBION_COMMAND_LINE : ROBION_DONE;
  }
  if (!strcmp(argv[1], "--version")) {
    ProvenanceBuild(&provenance);
    printf("robion %s (%s)\n", provenance.version, provenance.git);
    return ROBION_DONE;
  }
  const Verb *verb = FindVerb(argv[1], &mistakes);
  if (verb && argc == 3 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h"))) {
    printf("usage: robion %s\n  %s\n", verb->usage, verb->purpose);
    return ROBION_DONE;
  }
  Arguments arguments = SplitArguments(argc, argv);
  if (verb && verb->parallel) return (int)RunParallel(verb, &arguments, &mistakes);
  const PetscErrorCode error = verb ? (*verb->run)(&arguments, &mistakes, &exit_code) : 0;
  if (error) { /* PETSc, which was not begun, has told nothing */
    const char *text = NULL;
    PetscErrorMessage(error, &text, NULL);
    fprintf(stderr, "robion: internal error in %s: %s\n", verb->name, text ? text : "unknown");
    return error == PETSC_ERR_MEM ? ROBION_RESOURCES : ROBION_INTERNAL;
  }
  if (MistakesAny(&mistakes)) exit_code = MistakesExit(&mistakes);
  MistakesPrint(&mistakes);
  (void)MistakesClear(&mistakes);
  return (int)exit_code;
}
