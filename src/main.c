/* robion: one YAML study in, a cohort of robust carbon-ion plans out. */
#include "robion/cli.h"
#include <string.h>

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

int main(int argc, char **argv)
{
  Mistakes mistakes = {0};
  RobionExit exit_code = ROBION_INTERNAL;
  Provenance provenance;
  if (HelpAsked(argc, argv, &mistakes)) {
    MistakesPrint(&mistakes);
    exit_code = argc < 2 ? ROBION_COMMAND_LINE : MistakesExit(&mistakes);
    (void)MistakesClear(&mistakes);
    return (int)exit_code;
  }
  if (!strcmp(argv[1], "--version")) {
    ProvenanceBuild(&provenance);
    printf("robion %s (%s)\n", provenance.version, provenance.git);
    return ROBION_DONE;
  }
  const Verb *verb = VerbFind(argv[1], &mistakes);
  Arguments arguments = SplitArguments(argc, argv);
  if (verb && verb->parallel) return (int)VerbRunParallel(verb, &arguments, &mistakes);
  if (verb) exit_code = VerbRunSerial(verb, &arguments, &mistakes);
  if (MistakesAny(&mistakes)) exit_code = MistakesExit(&mistakes);
  MistakesPrint(&mistakes);
  (void)MistakesClear(&mistakes);
  return (int)exit_code;
}
