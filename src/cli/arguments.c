/* Options and operands of a verb, by its table. */
#include "robion/cli.h"
#include "robion/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static const Option *FindOption(PetscInt n, const Option *option, const char *text, size_t length)
{
  for (PetscInt i = 0; i < n; i++)
    if (strlen(option[i].name) == length && !strncmp(option[i].name, text, length)) return &option[i];
  return NULL;
}

static PetscErrorCode UnknownOption(PetscInt n, const Option *option, const char *text, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const char **names;
  PetscCall(PetscMalloc1(n + 1, &names));
  for (PetscInt i = 0; i < n; i++) names[i] = option[i].name;
  PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "unknown option %s%s (PETSc options go after --)", text,
                        SuggestName(", ", text, n, names).text));
  PetscCall(PetscFree(names));
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeValue(const Option *option, const char *value, Mistakes *mistakes)
{
  PetscFunctionBegin;
  if (!value || !value[0])
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "option %s needs a value", option->name));
  else if (option->value)
    *option->value = value;
  else if (option->number) {
    const PetscBool any = option->least == 0 && option->most == 0 ? PETSC_TRUE : PETSC_FALSE;
    PetscCall(OptionNumber(option->name, value, any ? -INFINITY : option->least, any ? INFINITY : option->most,
                           mistakes, option->number));
  } else if (option->list->n < LIST_LONGEST)
    option->list->text[option->list->n++] = value;
  else
    PetscCall(
        MistakesAdd(mistakes, ROBION_COMMAND_LINE, "option %s given more than %d times", option->name, LIST_LONGEST));
  PetscFunctionReturn(0);
}

/* Take one option, with its value as "--name value" or "--name=value". *at moves over a value. *unknown is set of one that is not. */
static PetscErrorCode TakeOption(const Arguments *arguments, PetscInt n, const Option *option, int *at,
                                 PetscBool *unknown, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const char *text = arguments->argv[*at], *equals = strchr(text, '=');
  const Option *found = FindOption(n, option, text, equals ? (size_t)(equals - text) : strlen(text));
  if (!found) {
    PetscCall(UnknownOption(n, option, text, mistakes));
    *unknown = PETSC_TRUE;
    PetscFunctionReturn(0);
  }
  if (found->given) *found->given = PETSC_TRUE;
  if (found->flag) {
    if (equals)
      PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "option %s takes no value, found %s", found->name, text));
    *found->flag = PETSC_TRUE;
    PetscFunctionReturn(0);
  }
  const char *next = *at + 1 < arguments->argc ? arguments->argv[*at + 1] : NULL;
  if (next && !strncmp(next, "--", 2)) next = NULL; /* the next option, not a value */
  if (!equals && next) ++*at;
  PetscCall(TakeValue(found, equals ? equals + 1 : next, mistakes));
  PetscFunctionReturn(0);
}

PetscErrorCode ArgumentsParse(const Arguments *arguments, const Verb *verb, const Command *command,
                              const char **operand, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char usage[256];
  int n = 0;
  PetscBool unknown = PETSC_FALSE; /* an option: what follows may be its value, so operands are not counted */
  snprintf(usage, sizeof usage, "usage: robion %s%s%s %s [options], see robion %s --help", verb->name,
           command->name ? " " : "", command->name ? command->name : "", command->operands, verb->name);
  if (command->presets) command->presets();
  for (int i = 0; i < command->most; i++) operand[i] = NULL;
  for (int i = 0; i < arguments->argc; i++) {
    const char *text = arguments->argv[i];
    if (text[0] == '-' && text[1])
      PetscCall(TakeOption(arguments, command->n_option, command->option, &i, &unknown, mistakes));
    else if (n < command->most)
      operand[n++] = text;
    else if (!unknown)
      PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "unexpected operand %s; %s", text, usage));
  }
  if (n < command->least && !unknown)
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "missing operand; %s", usage));
  PetscFunctionReturn(0);
}

PetscErrorCode OptionNumber(const char *option, const char *text, double least, double most, Mistakes *mistakes,
                            double *value)
{
  PetscFunctionBegin;
  char range[64] = "";
  double number;
  if (!text) PetscFunctionReturn(0);
  if (TextParseNumber(text, &number) && number >= least && number <= most) {
    *value = number;
    PetscFunctionReturn(0);
  }
  if (isfinite(least)) snprintf(range, sizeof range, " from %.10g to %.10g", least, most);
  PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "option %s is %s, expected a number%s", option, text, range));
  PetscFunctionReturn(0);
}

double DurationParse(const char *text)
{
  unsigned hours, minutes, seconds;
  char rest;
  if (text[strspn(text, "0123456789:")]) return -1; /* %u would take signs and blanks */
  if (sscanf(text, "%6u:%2u:%2u%c", &hours, &minutes, &seconds, &rest) != 3 || minutes > 59 || seconds > 59) return -1;
  return 3600.0 * hours + 60.0 * minutes + seconds;
}
