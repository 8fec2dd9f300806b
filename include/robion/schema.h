/**
 * What a YAML file may hold: every key with its type, unit, range, default and meaning, and where its value is kept in a struct of
 * C. Checking a tree, filling in its defaults, reading it into the struct and freeing that are loops over the table of keys; what a
 * table cannot say are small functions that its rows name. Nothing is collective.
 */
#pragma once
#include "robion/yaml.h"
#include <stddef.h>

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
typedef struct SchemaReader SchemaReader;
typedef struct SchemaKey SchemaKey;

/** How a value is kept. */
typedef enum {
  STORE_NOWHERE,
  STORE_NUMBER,  /* double */
  STORE_INTEGER, /* PetscInt */
  STORE_ENUM,    /* an enum: the index of the word; a PetscBool: true or false, or whether the word is `true_if` */
  STORE_TEXT,    /* char *: a copy, owned; of a word not owned: the word itself in `words` */
  STORE_VECTOR,  /* double[max_length]: a single number fills all of it */
  STORE_BLOCK,   /* a struct, which the addresses of the keys below refer to; of a list: of its only entry */
  STORE_LIST /* PetscMalloc'ed array of `size` bytes per entry, what is there already stays in front; `count`: PetscInt */
} Storage;

/** Where a value is kept: `offset` bytes into the struct of its mapping. */
typedef struct Address {
  Storage kind;
  size_t offset;
} Address;

struct SchemaKey {
  const char *name;
  unsigned type;
  PetscBool required;
  const char *unit;       /* NULL: none */
  double min, max;        /* of a number; no range if equal */
  PetscBool above, below; /* min, max themselves are not allowed */
  const char *fallback;   /* default as YAML text; NULL: none */
  PetscBool
      conditional; /* ... of mappings that take the key alone, or a mapping: `complete` fills it in, or nothing does */
  PetscBool from_preset; /* the default is what the preset of its mapping stores at its address */
  const char *const *words;
  const PetscInt *n_words;
  const char *(*word)(
      PetscInt i);       /* in place of `words`, from a table of another module: the i-th, NULL behind the last */
  const char *shorthand; /* a bare word stands for a mapping with the word at this key */
  PetscInt min_length, max_length; /* of a list; max_length 0: any */
  const SchemaKey *element;        /* of a list */
  const SchemaKey *child;          /* of a mapping: its keys */
  PetscInt n_child;
  const SchemaKey *member; /* of a mapping with names chosen by the user: what each stands for */
  /*
   * Of a mapping that has the keys of one of several tables as well: of that whose name stands at the key `chosen_by`. They are read
   * into `size` bytes of that table's, which the void * at `variant_at` owns; nothing in there has to be freed.
   */
  const SchemaKey *const *variant;
  const PetscInt *n_variant;
  const char *chosen_by;
  size_t variant_at;
  Address at;    /* of the value */
  Address where; /* char *: "file:line:column" of the value */
  Address named; /* char *: the key, of an entry whose name the user chose */
  Address given; /* an enum: `given_as` if the key is there */
  unsigned given_as;
  size_t count, size;     /* of a list: offset of its count, bytes per entry; of a variant: bytes of its struct */
  double factor, divisor; /* of a number: what is kept is value * factor / divisor; 0: 1 */
  const char *true_if;    /* of a word that is kept as true or false */
  PetscBool file;         /* the text is a path, meant from the file's folder; the word builtin: NULL */
  /* What the fields above cannot say. Rules are called for values of the right shape. */
  PetscErrorCode (*rule)(Check *check, const SchemaKey *key, const Node *node, const char *path);
  /* Add to a mapping what it leaves out and no fallback can say. */
  PetscErrorCode (*complete)(Pool pool, Node *node);
  /*
   * Of a mapping: fill `base` with what other modules know, before its keys are read into it, or to take the defaults of its keys
   * from; memory that SchemaFree will free. Of a list: fill it with its default.
   */
  PetscErrorCode (*preset)(const SchemaReader *reader, const Node *node, void *base);
  /* Called when a value and all below it has been read into base, the struct that addresses of or, of mappings, below the key are in. */
  PetscErrorCode (*finish)(const SchemaReader *reader, const Node *node, void *base);
  const char *doc;
};

/* How tables of keys are written. */
#define CHILDREN(table) .child = table, .n_child = PETSC_STATIC_ARRAY_LENGTH(table)
#define WORDS(names) .words = names, .n_words = &n_##names
#define FROM(a, b) .min = a, .max = b
#define ABOVE(a, b) .min = a, .max = b, .above = PETSC_TRUE
#define REQUIRED .required = PETSC_TRUE
#define DEFAULT_IF_TAKEN(text) .fallback = text, .conditional = PETSC_TRUE
#define PRESET .from_preset = PETSC_TRUE
#define PERCENT .unit = "percent", .factor = 0.01 /* kept as a share */

/*
 * Where values are kept: `member` of the struct S that the mapping is read into, which may be one inside another ("machine.ion").
 * The compiler refuses a member of a type that no value can be kept in.
 */
#define MEMBER(S, member) ((S *)NULL)->member
#define ADDRESS(S, member)                                                                                               \
  {                                                                                                                      \
    _Generic(MEMBER(S, member), double : STORE_NUMBER, PetscInt : STORE_INTEGER, unsigned : STORE_ENUM,                \
             char * : STORE_TEXT, const char * : STORE_TEXT, double * : STORE_VECTOR),                                 \
        offsetof(S, member) \
  }
#define AT(S, member) .at = ADDRESS(S, member)
#define WHERE(S, member) .where = ADDRESS(S, member)
#define NAMED(S, member) .named = ADDRESS(S, member)
#define GIVEN_AS(S, member, value) .given = ADDRESS(S, member), .given_as = value
#define GIVEN(S, member) GIVEN_AS(S, member, PETSC_TRUE)
#define INTO(S, member) .at = {STORE_BLOCK, offsetof(S, member)}
#define LIST(S, n, member)                                                                                             \
  .at = {STORE_LIST, offsetof(S, member)}, .count = offsetof(S, n), .size = sizeof *MEMBER(S, member)
/* Of the entries of a list that are nothing but a number, a text, or numbers. */
#define ITSELF(kind) .at = {STORE_##kind, 0}

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
/* The key of a name in a mapping or any of its variants, or NULL. */
const SchemaKey *SchemaChild(const SchemaKey *mapping, const char *name);
/* The variant that a mapping's tree has chosen, or NULL. */
const SchemaKey *SchemaVariant(const SchemaKey *mapping, const Node *node);
/* As SchemaChild, but of several variants' keys the chosen one's. */
const SchemaKey *SchemaChildOf(const SchemaKey *mapping, const Node *node, const char *name);
/* Tell of an unknown key of a mapping and what was meant; `prefix` goes before the suggested key. */
PetscErrorCode SchemaUnknown(Check *check, Place place, const char *path, const char *prefix, const SchemaKey *mapping,
                             const char *found);
/* True if the mapping holds a key its schema does not know. */
PetscBool SchemaHasUnknown(const SchemaKey *mapping, const Node *node);
/* The key a user meant by an unknown one: other case, other unit, misspelt; or NULL. */
const char *SchemaNearest(const SchemaKey *mapping, const char *found);
/* "a number above 0 (mm)", "a list of 3 entries", "true or false", ... */
Line SchemaExpected(const SchemaKey *key);

/* The i-th word that a key may be, NULL behind the last. */
const char *SchemaWord(const SchemaKey *key, PetscInt i);

/* What hooks know of the tree that is read. */
struct SchemaReader {
  const Node *root;
  const char *file; /* whose folder paths are meant from */
  void *target;     /* the struct that the root is read into, of `size` bytes */
  size_t size;
};

/*
 * Read a value that has been checked, and all below it, into the struct that its key's address refers to, whose members are zero
 * or values read before. What is malformed here is a bug of the checks.
 */
PetscErrorCode SchemaRead(const SchemaReader *reader, const SchemaKey *key, const Node *node, void *base);
/* Read those keys of a mapping that have their default from its preset and are in `node`, which need not be of this mapping. */
PetscErrorCode SchemaReadPreset(const SchemaReader *reader, const SchemaKey *mapping, const Node *node, void *base);
/* Free what reading has allocated, and set it to NULL and 0. */
PetscErrorCode SchemaFree(const SchemaKey *key, void *base);
/*
 * Bring the reader's checked tree, of that key, into the table's order, with every default filled in; its nodes are changed. A
 * mapping that is missing is filled in too, unless it is required or holds names of the user's choice.
 */
PetscErrorCode SchemaComplete(Pool pool, const SchemaReader *reader, const SchemaKey *key, Node *root);
/* A path as a file means it: from the file's folder. Caller frees. */
PetscErrorCode FileResolvePath(const char *file, const char *path, char **out);

/* Numbers as YAML writes them; false for anything else, NaN and infinity included. */
PetscBool NodeNumber(const Node *node, double *value);
PetscBool NodeFlag(const Node *node, PetscBool *value);
/* Fit to name a folder: letters, digits and . _ - + = ,, neither . nor - in front, at most 100 characters. */
PetscBool LabelIsSafe(const char *text);
/* Replace what keeps a text from naming a folder by underscores. */
void LabelMakeSafe(char *text);
