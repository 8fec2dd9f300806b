/* What `--help` and `robion help` print, from the tables that arguments are parsed by. */
#include "robion/cli.h"
#include <string.h>

enum { NAMES_WIDTH = 30 };

static void PrintUsage(const Verb *verb, const Command *command, FILE *out)
{
  const char *const word[] = {command->name, command->operands, command->n_option ? "[options]" : "",
                              verb->parallel && !command->name ? "[-- PETSc options]" : ""};
  fprintf(out, "robion %s", verb->name);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(word); i++)
    if (word[i] && *word[i]) fprintf(out, " %s", word[i]);
  fprintf(out, "\n");
}

/* What an option is without being given: as its table says, or what is in its variable. */
static void PrintDefault(const Option *option, FILE *out)
{
  if (option->standard)
    fprintf(out, "%s", option->standard);
  else if (option->number)
    fprintf(out, "%.10g", *option->number);
  else if (option->value && *option->value)
    fprintf(out, "%s", *option->value);
  else
    fprintf(out, "%s", option->flag ? "off" : "none");
}

static void PrintOption(const Option *option, FILE *out)
{
  char names[64];
  snprintf(names, sizeof names, "%s%s%s", option->name, option->argument ? " " : "",
           option->argument ? option->argument : "");
  fprintf(out, "  %-*s %s; default ", NAMES_WIDTH, names, option->help);
  PrintDefault(option, out);
  fprintf(out, "%s\n", option->list ? "; may be given again" : "");
}

static void PrintCommand(const Verb *verb, const Command *command, FILE *out)
{
  fprintf(out, "usage: ");
  PrintUsage(verb, command, out);
  fprintf(out, "  %s\n", command->purpose);
  if (command->presets) command->presets();
  for (PetscInt i = 0; i < command->n_option; i++) PrintOption(&command->option[i], out);
  if (command->details) command->details(out);
}

void VerbPrintHelp(const Verb *verb, const char *name, FILE *out)
{
  PetscBool found = PETSC_FALSE;
  for (PetscInt c = 0; c < verb->n_command && name; c++)
    if (verb->command[c].name && !strcmp(verb->command[c].name, name)) found = PETSC_TRUE;
  for (PetscInt c = 0; c < verb->n_command; c++) {
    if (found && strcmp(verb->command[c].name, name)) continue;
    if (c && !found) fprintf(out, "\n");
    PrintCommand(verb, &verb->command[c], out);
  }
}

void VerbsPrintHelp(FILE *out)
{
  fprintf(out, "robion: robust carbon-ion treatment planning for clusters\n\nusage:\n");
  for (PetscInt i = 0; i < n_verbs; i++)
    for (PetscInt c = 0; c < verbs[i]->n_command; c++) {
      fprintf(out, "  ");
      PrintUsage(verbs[i], &verbs[i]->command[c], out);
      fprintf(out, "      %s\n", verbs[i]->command[c].purpose);
    }
  fprintf(out, "  robion help VERB, robion VERB --help\n      every option of a verb with its default\n"
               "  robion --help | --version\n\n"
               "exit codes: 0 done, 1 internal error, 2 command line, 3 study file, 4 input data, 5 resources,\n"
               "  6 finished but some plans failed, 75 stopped after a checkpoint (run again with --resume)\n");
}

static PetscBool IsHelp(const char *text)
{
  return !strcmp(text, "--help") || !strcmp(text, "-h") ? PETSC_TRUE : PETSC_FALSE;
}

PetscBool HelpAsked(int argc, char **argv, Mistakes *mistakes)
{
  int end = 2;
  PetscBool asked = argc > 1 && !strcmp(argv[1], "help") ? PETSC_TRUE : PETSC_FALSE;
  const int first = asked ? 2 : 1; /* where a verb may stand */
  if (argc < 2 || IsHelp(argv[1]) || (asked && (argc == 2 || IsHelp(argv[2])))) {
    VerbsPrintHelp(argc < 2 ? stderr : stdout);
    return PETSC_TRUE;
  }
  for (; end < argc && strcmp(argv[end], "--"); end++)
    if (IsHelp(argv[end])) asked = PETSC_TRUE;
  if (!asked) return PETSC_FALSE;
  const Verb *verb = VerbFind(argv[first], mistakes);
  if (verb) VerbPrintHelp(verb, first + 1 < end ? argv[first + 1] : NULL, stdout);
  return PETSC_TRUE;
}

PetscErrorCode CommandFind(const Verb *verb, Arguments *arguments, Mistakes *mistakes, const Command **out)
{
  PetscFunctionBegin;
  const char *word = arguments->argc ? arguments->argv[0] : "", **names;
  Text known = {0};
  *out = NULL;
  PetscCall(PetscMalloc1(verb->n_command, &names));
  for (PetscInt c = 0; c < verb->n_command; c++) {
    names[c] = verb->command[c].name;
    if (!strcmp(names[c], word)) *out = &verb->command[c];
    PetscCall(TextAdd(&known, "%s%s", !c ? "" : c + 1 < verb->n_command ? ", " : " or ", names[c]));
  }
  if (*out) {
    arguments->argc--;
    arguments->argv++;
  } else
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "%s: found '%s', expected %s%s", verb->name, word, known.data,
                          SuggestName("; ", word, verb->n_command, names).text));
  PetscCall(TextDestroy(&known));
  PetscCall(PetscFree(names));
  PetscFunctionReturn(0);
}
