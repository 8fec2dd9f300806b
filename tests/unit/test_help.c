/* The command line: help tells every option of every verb with its default, and parsing takes the same tables. */
#include "robion/cli.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* What is printed; free() it. */
static char *Help(const Verb *verb, const char *command)
{
  char *text = NULL;
  size_t length;
  FILE *out = open_memstream(&text, &length);
  if (verb)
    VerbPrintHelp(verb, command, out);
  else
    VerbsPrintHelp(out);
  fclose(out);
  return text;
}

/* The line of help on an option says what it is and what it is by default. */
static void CheckOption(const char *help, const Option *option)
{
  char start[64];
  snprintf(start, sizeof start, "\n  %s ", option->name);
  const char *line = strstr(help, start), *end = line ? strchr(line + 1, '\n') : NULL;
  if (!line || !end) fail_msg("%s: not in the help", option->name);
  const char *standard = strstr(line, "; default ");
  if (!option->help || !*option->help || !standard || standard > end || standard[10] == '\n')
    fail_msg("%s: no meaning or default: %.*s", option->name, (int)(end - line), line);
  const int kinds =
      (option->flag != NULL) + (option->value != NULL) + (option->number != NULL) + (option->list != NULL);
  if (kinds != 1 || (option->flag != NULL) != !option->argument) fail_msg("%s: not one kind of option", option->name);
}

static void EveryOptionIsTold(void **state)
{
  char *all = Help(NULL, NULL);
  PetscInt n = 0;
  for (PetscInt v = 0; v < n_verbs; v++) {
    char *whole = Help(verbs[v], NULL);
    for (PetscInt c = 0; c < verbs[v]->n_command; c++) {
      const Command *command = &verbs[v]->command[c];
      char *help = Help(verbs[v], command->name), usage[128];
      snprintf(usage, sizeof usage, "robion %s%s%s%s%s", verbs[v]->name, command->name ? " " : "",
               command->name ? command->name : "", *command->operands ? " " : "", command->operands);
      if (!strstr(all, usage) || !strstr(help, usage)) fail_msg("no usage: %s", usage);
      assert_non_null(strstr(all, command->purpose));
      for (PetscInt i = 0; i < command->n_option; i++, n++) {
        CheckOption(help, &command->option[i]);
        CheckOption(whole, &command->option[i]);
      }
      free(help);
    }
    free(whole);
  }
  assert_true(n > 60);
  free(all);
}

/* An option of one command is not told of another. */
static void CommandsAreTold(void **state)
{
  Mistakes mistakes = {0};
  const Verb *verb = VerbFind("basedata", &mistakes);
  char *show = Help(verb, "show"), *unknown = Help(verb, "nosuch");
  assert_non_null(strstr(show, "--curves"));
  assert_null(strstr(show, "--ripple-sigma-mm"));
  assert_non_null(strstr(unknown, "--ripple-sigma-mm"));
  free(show);
  free(unknown);
}

/* Each option of a table is taken; one that is not there is refused with the nearest. */
enum { MOST_OPERANDS = 64 };

static void EveryOptionIsTaken(void **state)
{
  for (PetscInt v = 0; v < n_verbs; v++)
    for (PetscInt c = 0; c < verbs[v]->n_command; c++) {
      Command command = verbs[v]->command[c];
      assert_true(command.most <= MOST_OPERANDS);
      command.least = 0;
      for (PetscInt i = 0; i < command.n_option; i++) {
        const Option *option = &command.option[i];
        char value[32], *argv[] = {(char *)option->name, value};
        const Arguments arguments = {.argc = option->argument ? 2 : 1, .argv = argv};
        const char *operand[MOST_OPERANDS] = {NULL};
        Mistakes mistakes = {0};
        snprintf(value, sizeof value, "%.10g", option->most > 0 ? option->most : 7);
        assert_int_equal(ArgumentsParse(&arguments, verbs[v], &command, operand, &mistakes), 0);
        if (MistakesAny(&mistakes)) fail_msg("%s", MistakesFirst(&mistakes));
        if (option->value) assert_string_equal(*option->value, value);
        if (option->number) assert_true(*option->number == strtod(value, NULL));
        if (option->flag) assert_true(*option->flag);
        if (option->list) assert_string_equal(option->list->text[option->list->n - 1], value);
        argv[0] = (char *)"--nosuch-option";
        assert_int_equal(ArgumentsParse(&arguments, verbs[v], &command, operand, &mistakes), 0);
        assert_int_equal(MistakesExit(&mistakes), ROBION_COMMAND_LINE);
        assert_int_equal(MistakesClear(&mistakes), 0);
      }
    }
}

static void NumbersKeepTheirBounds(void **state)
{
  for (PetscInt v = 0; v < n_verbs; v++)
    for (PetscInt c = 0; c < verbs[v]->n_command; c++)
      for (PetscInt i = 0; i < verbs[v]->command[c].n_option; i++) {
        const Option *option = &verbs[v]->command[c].option[i];
        Command command = verbs[v]->command[c];
        if (!option->number) continue;
        char beyond[32], *argv[] = {(char *)option->name, beyond};
        const Arguments arguments = {.argc = 2, .argv = argv};
        const char *operand[MOST_OPERANDS] = {NULL};
        Mistakes mistakes = {0};
        command.least = 0;
        snprintf(beyond, sizeof beyond, option->most > 0 ? "%.10g" : "much", 1.1 * option->most);
        assert_int_equal(ArgumentsParse(&arguments, verbs[v], &command, operand, &mistakes), 0);
        assert_int_equal(MistakesExit(&mistakes), ROBION_COMMAND_LINE);
        assert_non_null(strstr(MistakesFirst(&mistakes), option->name));
        assert_int_equal(MistakesClear(&mistakes), 0);
      }
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(EveryOptionIsTold), cmocka_unit_test(CommandsAreTold),
                                     cmocka_unit_test(EveryOptionIsTaken), cmocka_unit_test(NumbersKeepTheirBounds)};
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
