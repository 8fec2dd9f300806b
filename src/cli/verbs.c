/* The verbs by name. */
#include "robion/cli.h"
#include <string.h>

const Verb *const verbs[] = {&verb_run,     &verb_validate, &verb_evaluate, &verb_basedata, &verb_import, &verb_phantom,
                             &verb_fit_tcp, &verb_collect,  &verb_status,   &verb_submit,   &verb_matrix, &verb_export,
                             &verb_shift,   &verb_show,     &verb_report,   &verb_info};
const PetscInt n_verbs = PETSC_STATIC_ARRAY_LENGTH(verbs);

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
