/* The built-in phantoms and digital patients as case files and pictures. */
#include "show.h"
#include "robion/case_plot.h"
#include "robion/phantom.h"
#include "robion/text.h"
#include <string.h>

/* An option for every key that a phantom has: "--ct-spacing-mm" for ct_spacing_mm. */
enum { MOST_KEYS = 32 };
typedef struct KeyOption {
  const SchemaKey *key;
  char name[32];
  const char *value;
  PetscBool flag;
} KeyOption;

/* Returns their number; keys of several phantoms are there once. */
static PetscInt ListKeys(KeyOption *out)
{
  PetscInt n = 0;
  for (PetscInt p = 0; p < n_phantom_names; p++)
    for (PetscInt i = 0; i < phantom_keys[p]->n_child && n < MOST_KEYS; i++) {
      const SchemaKey *key = &phantom_keys[p]->child[i];
      PetscInt k = 0;
      while (k < n && strcmp(out[k].key->name, key->name)) k++;
      if (k < n) continue;
      out[n] = (KeyOption){.key = key};
      snprintf(out[n].name, sizeof out[n].name, "--%s", key->name);
      for (char *c = out[n].name; (c = strchr(c, '_'));) *c = '-';
      n++;
    }
  return n;
}

/* The keys that were given, as YAML: "ct_spacing_mm: 2, size_mm: [80, 80, 80]". */
static PetscErrorCode KeysText(const char *kind, PetscInt n, const KeyOption *option, Mistakes *mistakes, Text *keys)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++) {
    const KeyOption *o = &option[i];
    const Line with = PhantomsWithKey(o->key->name);
    const PetscBool list = o->key->type & TYPE_LIST ? PETSC_TRUE : PETSC_FALSE;
    PetscBool own = PETSC_TRUE;
    if (!o->value && !o->flag) continue;
    for (PetscInt p = 0; p < n_phantom_names; p++)
      if (!strcmp(kind, phantom_names[p]) && !SchemaChild(phantom_keys[p], o->key->name)) own = PETSC_FALSE;
    if (!own)
      PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE, "option %s is for phantom %s, found %s", o->name, with.text,
                            kind));
    else
      PetscCall(TextAdd(keys, "%s%s: %s%s%s", keys->length ? ", " : "", o->key->name, list ? "[" : "",
                        o->flag ? "true" : o->value, list ? "]" : ""));
  }
  PetscFunctionReturn(0);
}

/* "rtog", or "chordoma-3" if a patient is asked for by its seed. */
static void NameCase(const char *kind, PetscInt n, const KeyOption *option, char *name, size_t size)
{
  const char *seed = NULL;
  for (PetscInt i = 0; i < n; i++)
    if (!strcmp(option[i].key->name, "seed")) seed = option[i].value;
  snprintf(name, size, "%.20s%s%.20s", kind, seed ? "-" : "", seed ? seed : "");
}

static PetscErrorCode BuildCase(const char *kind, PetscInt n, const KeyOption *option, Mistakes *mistakes,
                                Case **patient)
{
  PetscFunctionBegin;
  char name[64];
  Text keys = {0};
  PhantomSpec spec = {NULL};
  PetscCall(KeysText(kind, n, option, mistakes, &keys));
  if (!MistakesAny(mistakes)) PetscCall(PhantomSpecRead(kind, keys.data ? keys.data : "", mistakes, &spec));
  NameCase(kind, n, option, name, sizeof name);
  if (spec.keys) PetscCall(CaseBuildPhantom(&spec, name, mistakes, patient));
  PetscCall(PhantomSpecDestroy(&spec));
  PetscCall(TextDestroy(&keys));
  for (PetscInt i = 0; i < mistakes->n; i++) mistakes->item[i].exit = ROBION_COMMAND_LINE;
  PetscFunctionReturn(0);
}

/* Every phantom with its options and their defaults. */
static void PrintPhantoms(FILE *out)
{
  KeyOption option[MOST_KEYS];
  const PetscInt n = ListKeys(option);
  for (PetscInt p = 0; p < n_phantom_names; p++) {
    fprintf(out, "  %-10s %s\n", phantom_names[p], phantom_keys[p]->doc);
    for (PetscInt i = 0; i < n; i++) {
      const SchemaKey *key = SchemaChild(phantom_keys[p], option[i].key->name);
      if (key)
        fprintf(out, "      %-18s %s: %s; default %s\n", option[i].name, key->doc, SchemaExpected(key).text,
                key->fallback);
    }
  }
}

static struct {
  const char *out, *plot;
} given;

enum { N_PHANTOM_OPTIONS = 2 };
static const Option phantom_options[N_PHANTOM_OPTIONS] = {
    {"-o", "CASE.h5", "case file to write", "the phantom's name and .h5", .value = &given.out},
    {"--plot", "PICTURE.png", "draw its slices", .value = &given.plot}};

static const Command command_phantom = {.operands = "NAME",
                                        .purpose = "write a built-in phantom or digital patient as a case",
                                        .least = 1,
                                        .most = 1,
                                        .n_option = N_PHANTOM_OPTIONS,
                                        .option = phantom_options,
                                        .details = PrintPhantoms};

static PetscErrorCode RunPhantom(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *kind;
  char file[80];
  KeyOption of_key[MOST_KEYS];
  Case *patient = NULL;
  const PetscInt n_keys = ListKeys(of_key);
  Option option[MOST_KEYS + N_PHANTOM_OPTIONS];
  Command command = command_phantom; /* and the phantoms' options */
  PetscCall(PetscArraycpy(option, phantom_options, N_PHANTOM_OPTIONS));
  for (PetscInt i = 0; i < n_keys; i++) {
    option[N_PHANTOM_OPTIONS + i] = (Option){.name = of_key[i].name};
    if (of_key[i].key->type & TYPE_FLAG)
      option[N_PHANTOM_OPTIONS + i].flag = &of_key[i].flag;
    else
      option[N_PHANTOM_OPTIONS + i].value = &of_key[i].value;
  }
  command.option = option;
  command.n_option += n_keys;
  PetscCall(ArgumentsParse(arguments, &verb_phantom, &command, &kind, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(BuildCase(kind, n_keys, of_key, mistakes, &patient));
  if (!patient) PetscFunctionReturn(0);
  snprintf(file, sizeof file, "%s.h5", patient->name);
  PetscCall(CaseWrite(patient, given.out ? given.out : file, mistakes));
  if (given.plot && !MistakesAny(mistakes)) PetscCall(CasePlot(patient, given.plot, mistakes));
  if (!MistakesAny(mistakes)) {
    printf("%s: %s\n", given.out ? given.out : file, patient->source);
    CaseShow(patient, stdout);
  }
  PetscCall(CaseDestroy(&patient));
  *exit_code = MistakesExit(mistakes);
  PetscFunctionReturn(0);
}

const Verb verb_phantom = {.name = "phantom", .run = RunPhantom, .n_command = 1, .command = &command_phantom};
