/* A verb that needs neither MPI nor PETSc begun: nobody else would tell of its errors. */
#include "robion/cli.h"
#include "robion/failure.h"
#include <stdio.h>

RobionExit VerbRunSerial(const Verb *verb, Arguments *arguments, Mistakes *mistakes)
{
  RobionExit exit_code = ROBION_INTERNAL;
  Failure failure = {.memory = PETSC_FALSE};
  if (PetscPushErrorHandler(FailureNote, &failure)) return ROBION_INTERNAL;
  const PetscErrorCode error = (*verb->run)(arguments, mistakes, &exit_code);
  (void)PetscPopErrorHandler();
  if (!error) return exit_code;
  if (failure.memory)
    fprintf(stderr, "robion: %s\n", failure.text);
  else
    fprintf(stderr, "robion: internal error in %s: %s\n", verb->name, *failure.text ? failure.text : "unknown");
  return failure.memory ? ROBION_RESOURCES : ROBION_INTERNAL;
}
