/**
 * What a YAML file may hold: every key with its type, unit, range, default and meaning, and the check of a tree against it.
 * Nothing is collective.
 */
#pragma once
#include "robion/yaml.h"

/* Shapes a value may have; one scalar shape, a list and a mapping may be combined. */
enum {
  TYPE_NUMBER = 1,
  TYPE_INTEGER = 2,
  TYPE_FLAG = 4,   /* true or false */
  TYPE_WORD = 8,   /* one of `words` */
  TYPE_LABEL = 16, /* names a folder */
  TYPE_TEXT = 32,  /* any text that is not empty */
  TYPE_LIST = 64,
  TYPE_MAPPING = 128,
  TYPE_ANY = 256 /* checked where it is used: the values of arms and sweeps */
};

typedef struct Check Check;
typedef struct SchemaKey SchemaKey;

struct SchemaKey {
  const char *name;
  unsigned type;
  PetscBool required;
  const char *unit;       /* NULL: none */
  double min, max;        /* of a number; no range if equal */
  PetscBool above, below; /* min, max themselves are not allowed */
  const char *fallback;   /* default as YAML text; NULL: none, or taken from another module (schema_default.c) */
  const char *const *words;
  const PetscInt *n_words;
  const char *shorthand;           /* a bare word stands for a mapping with the word at this key */
  PetscInt min_length, max_length; /* of a list; max_length 0: any */
  const SchemaKey *element;        /* of a list */
  const SchemaKey *child;          /* of a mapping: its keys */
  PetscInt n_child;
  const SchemaKey *member; /* of a mapping with names chosen by the user: what each stands for */
  /* What the fields above cannot say; called for values of the right shape. */
  PetscErrorCode (*rule)(Check *check, const SchemaKey *key, const Node *node, const char *path);
  const char *doc;
};

/* How tables of keys are written. */
#define CHILDREN(table) .child = table, .n_child = PETSC_STATIC_ARRAY_LENGTH(table)
#define WORDS(names) .words = names, .n_words = &n_##names
#define FROM(a, b) .min = a, .max = b
#define ABOVE(a, b) .min = a, .max = b, .above = PETSC_TRUE
#define REQUIRED .required = PETSC_TRUE

/* One pass over a tree. A pass over an arm or sweep point tells only what the passes in `seen` have not told. */
struct Check {
  Mistakes *mistakes;
  Mistakes *seen;        /* NULL: the study itself is checked */
  Place place;           /* of the arm or sweep, for mistakes at places outside of it */
  const char *label;     /* "arm worst-case" */
  const SchemaKey *root; /* below which an unknown key may have been meant elsewhere; NULL: nowhere */
};

/* Add "place: path: text"; path may be "". */
PetscErrorCode CheckAdd(Check *check, Place place, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Check a value and all below it against its key. */
PetscErrorCode SchemaCheck(Check *check, const SchemaKey *key, const Node *node, const char *path);
/* The key of a name in a mapping, or NULL. */
const SchemaKey *SchemaChild(const SchemaKey *mapping, const char *name);
/* Tell of an unknown key of a mapping and what was meant; `prefix` goes before the suggested key. */
PetscErrorCode SchemaUnknown(Check *check, Place place, const char *path, const char *prefix, const SchemaKey *mapping,
                             const char *found);
/* True if the mapping holds a key its schema does not know. */
PetscBool SchemaHasUnknown(const SchemaKey *mapping, const Node *node);
/* The key a user meant by an unknown one: other case, other unit, misspelt; or NULL. */
const char *SchemaNearest(const SchemaKey *mapping, const char *found);
/* "a number above 0 (mm)", "a list of 3 entries", "true or false", ... */
Line SchemaExpected(const SchemaKey *key);

/* Numbers as YAML writes them; false for anything else, NaN and infinity included. */
PetscBool NodeNumber(const Node *node, double *value);
PetscBool NodeFlag(const Node *node, PetscBool *value);
/* Fit to name a folder: letters, digits and . _ - + = ,, neither . nor - in front, at most 100 characters. */
PetscBool LabelIsSafe(const char *text);
/* Replace what keeps a text from naming a folder by underscores. */
void LabelMakeSafe(char *text);
