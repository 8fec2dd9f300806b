/* A verb that needs MPI and PETSc, with both around it. */
#include "robion/cli.h"
#include "robion/failure.h"
#include <signal.h>

/* PETSc options that no rank has asked for are likely misspelt. Collective. */
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

RobionExit VerbRunParallel(const Verb *verb, Arguments *arguments, Mistakes *mistakes)
{
  RobionExit exit_code = ROBION_INTERNAL;
  PetscMPIInt rank;
  if (PetscInitialize(&arguments->petsc_argc, &arguments->petsc_argv, NULL, NULL)) return ROBION_INTERNAL;
  signal(SIGPIPE, SIG_IGN); /* a reader that went away (| head) is no crash */
  signal(SIGXFSZ, SIG_IGN); /* nor is a file that may not grow (ulimit -f): its writing fails */
  Failure failure = {.memory = PETSC_FALSE};
  if (PetscPushErrorHandler(FailureNote, &failure)) return ROBION_INTERNAL;
  PetscErrorCode error = (*verb->run)(arguments, mistakes, &exit_code);
  if (error && failure.memory) fprintf(stderr, "robion: %s\n", failure.text);
  if (error) MPI_Abort(PETSC_COMM_WORLD, failure.memory ? ROBION_RESOURCES : ROBION_INTERNAL);
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (MistakesAny(mistakes)) exit_code = MistakesExit(mistakes);
  if (rank == 0) MistakesPrint(mistakes);
  int clean = !MistakesAny(mistakes);
  MPI_Allreduce(MPI_IN_PLACE, &clean, 1, MPI_INT, MPI_MIN, PETSC_COMM_WORLD);
  if (clean) PetscCallAbort(PETSC_COMM_WORLD, ReportUnusedOptions(rank));
  PetscCallAbort(PETSC_COMM_WORLD, MistakesClear(mistakes));
  return PetscFinalize() ? ROBION_INTERNAL : exit_code;
}
