/* A verb that needs MPI and PETSc, with both around it. */
#include "robion/cli.h"
#include "robion/failure.h"
#include "robion/solver.h"
#include <signal.h>
#include <unistd.h>

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

/* Begin PETSc with the user's options; those that it does not begin with are the user's mistake. */
static RobionExit BeginPETSc(Arguments *arguments)
{
  int begun = 0, rank = 0, size = 1;
  Failure failure = {.memory = PETSC_FALSE};
  const RobionExit refused = arguments->petsc_argc > 1 ? ROBION_COMMAND_LINE : ROBION_INTERNAL;
  if (PetscPushErrorHandler(FailureKeep, &failure)) return ROBION_INTERNAL;
  if (!PetscInitialize(&arguments->petsc_argc, &arguments->petsc_argv, NULL, NULL))
    return PetscPopErrorHandler() ? ROBION_INTERNAL : ROBION_DONE;
  (void)MPI_Initialized(&begun);
  if (begun) (void)MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  if (begun) (void)MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (rank == 0) fprintf(stderr, "robion: PETSc does not begin (options after --): %s\n", failure.text);
  if (size > 1) MPI_Abort(MPI_COMM_WORLD, refused); /* others may have begun */
  if (begun) MPI_Finalize();
  return refused;
}

/* What PETSc cannot write at its end (-log_view) is told as all that cannot be written. */
static RobionExit EndPETSc(PetscMPIInt rank, RobionExit exit_code)
{
  Failure failure = {.memory = PETSC_FALSE};
  if (PetscPushErrorHandler(FailureKeep, &failure)) return ROBION_INTERNAL;
  if (!PetscFinalize()) return exit_code;
  if (rank == 0) fprintf(stderr, "robion: PETSc does not end (options after --): %s\n", failure.text);
  return ROBION_RESOURCES;
}

/* End with an error that ranks do not share. MPI_Abort itself needs memory, which a rank alone without any is not left to. */
static void EndAtOnce(const Failure *failure)
{
  PetscMPIInt size = 1;
  const RobionExit exit_code = failure->memory ? ROBION_RESOURCES : ROBION_INTERNAL;
  if (failure->memory) fprintf(stderr, "robion: %s\n", failure->text);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  fflush(NULL);
  if (size == 1 && failure->memory) _exit((int)exit_code);
  MPI_Abort(PETSC_COMM_WORLD, exit_code);
}

RobionExit VerbRunParallel(const Verb *verb, Arguments *arguments, Mistakes *mistakes)
{
  PetscMPIInt rank;
  Failure failure = {.memory = PETSC_FALSE};
  RobionExit exit_code = BeginPETSc(arguments);
  if (exit_code) return exit_code;
  exit_code = ROBION_INTERNAL;
  if (PetscPushErrorHandler(FailureNote, &failure)) return ROBION_INTERNAL;
  signal(SIGPIPE, SIG_IGN); /* a reader that went away (| head) is no crash */
  signal(SIGXFSZ, SIG_IGN); /* nor is a file that may not grow (ulimit -f): its writing fails */
  PetscErrorCode error = SolverCheckOptions(mistakes);
  if (!error && !MistakesAny(mistakes)) error = (*verb->run)(arguments, mistakes, &exit_code);
  if (error) EndAtOnce(&failure);
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (MistakesAny(mistakes)) exit_code = MistakesExit(mistakes);
  if (rank == 0) MistakesPrint(mistakes);
  int clean = !MistakesAny(mistakes);
  MPI_Allreduce(MPI_IN_PLACE, &clean, 1, MPI_INT, MPI_MIN, PETSC_COMM_WORLD);
  if (clean) PetscCallAbort(PETSC_COMM_WORLD, ReportUnusedOptions(rank));
  PetscCallAbort(PETSC_COMM_WORLD, MistakesClear(mistakes));
  return EndPETSc(rank, exit_code);
}
