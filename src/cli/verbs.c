/* The verbs by name, and the help that lists them. */
#include "robion/cli.h"
#include <string.h>

static const Verb *const verbs[] = {&verb_run,     &verb_validate, &verb_evaluate, &verb_basedata, &verb_import,
                                    &verb_phantom, &verb_fit_tcp,  &verb_collect,  &verb_status,   &verb_submit,
                                    &verb_matrix,  &verb_export,   &verb_shift,    &verb_info};

void VerbsPrintHelp(FILE *out)
{
  fprintf(out, "robion: robust carbon-ion treatment planning for clusters\n\nusage:\n");
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(verbs); i++)
    fprintf(out, "  robion %s\n      %s\n", verbs[i]->usage, verbs[i]->purpose);
  fprintf(out, "  robion --help | --version\n\n"
               "exit codes: 0 done, 1 internal error, 2 command line, 3 study file, 4 input data, 5 resources,\n"
               "  6 finished but some plans failed, 75 stopped after a checkpoint (run again with --resume)\n");
}

const Verb *VerbFind(const char *name, Mistakes *mistakes)
{
  const char *names[PETSC_STATIC_ARRAY_LENGTH(verbs)];
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(verbs); i++) {
    names[i] = verbs[i]->name;
    if (!strcmp(name, names[i])) return verbs[i];
  }
  (void)MistakesAdd(mistakes, ROBION_COMMAND_LINE, "unknown verb %s%s; see robion --help", name,
                    SuggestName(", ", name, PETSC_STATIC_ARRAY_LENGTH(verbs), names).text);
  return NULL;
}
