/**
 * The tree that a YAML file is read into, edited as and written from. Nodes live in a pool that is freed as a whole, so that
 * trees may share branches and nothing has to be destroyed one by one.
 */
#pragma once
#include "robion/error.h"

typedef PetscSegBuffer Pool;

/* Where something was written. line 0: the source says it all (a command line override). */
typedef struct Place {
  const char *source;
  PetscInt line, column; /* from 1 */
  PetscBool override;    /* written in an arm or a sweep, not in the study's own settings */
} Place;

typedef enum { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING } NodeKind;

typedef struct Node Node;

typedef struct NodeEntry {
  const char *key; /* NULL in a sequence */
  Place place;     /* of the key; of the value in a sequence */
  Node *value;
} NodeEntry;

struct Node {
  NodeKind kind;
  const char *text; /* of a scalar */
  PetscBool quoted; /* anything but a plain scalar */
  Place place;
  PetscInt n, capacity;
  NodeEntry *entry;
};

/* Text for a message, returned by value to be used as `PlaceText(p).text` inside one. */
typedef struct Line {
  char text[768];
} Line;

PetscErrorCode PoolCreate(Pool *pool);
PetscErrorCode PoolText(Pool pool, const char *text, size_t length, const char **out);

PetscErrorCode NodeCreate(Pool pool, NodeKind kind, Place place, Node **out);
PetscErrorCode NodeCreateScalar(Pool pool, const char *text, PetscBool quoted, Place place, Node **out);
/* Append an entry; key NULL in a sequence. The key's text is not copied. */
PetscErrorCode NodeAppend(Pool pool, Node *node, const char *key, Place place, Node *value);
/* A copy of the whole branch; with `override` its places are marked as those of an arm or sweep. */
PetscErrorCode NodeCopy(Pool pool, const Node *node, PetscBool override, Node **out);
/* Entry of a mapping by key, or NULL (also if node is NULL or no mapping). */
NodeEntry *NodeFind(const Node *node, const char *key);
/* Value of a mapping by key, or NULL. */
Node *NodeGet(const Node *node, const char *key);
/*
 * Put a copy of `value` at `key`: a mapping over a mapping is merged key by key, everything else is replaced; a new key is
 * appended.
 */
PetscErrorCode NodeMerge(Pool pool, Node *mapping, const char *key, Place place, const Node *value, PetscBool override);
/* The same for an entry that exists already. */
PetscErrorCode NodeMergeEntry(Pool pool, NodeEntry *entry, Place place, const Node *value, PetscBool override);
/* True for a plain ~, null or empty scalar. */
PetscBool NodeIsNull(const Node *node);
/* Levels of collections below and including node: 0 for a scalar. */
PetscInt NodeHeight(const Node *node);

/* "study.yaml:12:3", or the source alone. */
Line PlaceText(Place place);
/* What was found, for a message: a scalar's text, "nothing", "a list" or "a mapping". */
Line NodeShown(const Node *node);
/* A user's text made fit for one line of a message: printable, shortened. */
Line LineShown(const char *text);
/* "spots.lateral_mm"; base may be "". */
Line PathJoin(const char *base, const char *name);
Line PathJoinIndex(const char *base, PetscInt index);

/*
 * Read one YAML document. Mistakes (exit code as given): bad syntax, several documents, nothing at all, repeated keys, tags,
 * aliases that contain themselves or grow without end. *out is NULL if there is no tree to go on with.
 * `place` names the source; its line is 0 if lines and columns mean nothing to the user.
 */
PetscErrorCode YamlRead(Pool pool, const char *text, size_t length, Place place, RobionExit exit_code,
                        Mistakes *mistakes, Node **out);
/* Write block style YAML text (caller frees with PetscFree); the same tree always gives the same text. */
PetscErrorCode YamlWrite(const Node *root, char **out);
/* The same on one line in flow style, without a newline. */
PetscErrorCode YamlWriteLine(const Node *root, char **out);

/* A key that two texts differ in, and its values on one line each, shortened; "not there" where a text does not have it. */
typedef struct Difference {
  Line key, before, now;
} Difference;
/*
 * The differences of two YAML texts: *n of them, the first `most` in out. Lists of one length are compared item by item. A text that
 * cannot be read, or is NULL, is as if nothing were in it.
 */
PetscErrorCode YamlDifferences(const char *before, const char *now, PetscInt most, Difference *out, PetscInt *n);
