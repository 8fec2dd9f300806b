/**
 * Built-in phantoms and digital patients. A file each in src/patient/phantom/, with keys of its own; studies, `robion phantom` and
 * configs/reference.yaml know them from there. Part of step 2. Nothing is collective.
 */
#pragma once
#include "robion/case.h"
#include "robion/schema.h"

typedef struct Phantom {
  /* Its name, a line about it, and its keys with their defaults, read into `size` bytes that begin with the CT spacing. */
  SchemaKey keys;
  /* Fill an empty case, but for its name; `keys` as read. Mistakes (ROBION_STUDY) begin with the name. */
  PetscErrorCode (*build)(const void *keys, Mistakes *mistakes, Case *patient);
} Phantom;

/** Their names, and in the same order their keys. */
extern const char *const phantom_names[];
extern const SchemaKey *const phantom_keys[];
extern const PetscInt n_phantom_names;

/** "rtog", "rtog or donut": the phantoms that have a key. */
Line PhantomsWithKey(const char *key);

/**
 * A phantom with these keys, "ct_spacing_mm: 2, seed: 3" (YAML without braces; "": all as usual). What is wrong goes to mistakes
 * (ROBION_STUDY), and spec->keys is NULL.
 */
PetscErrorCode PhantomSpecRead(const char *kind, const char *keys, Mistakes *mistakes, PhantomSpec *spec);
PetscErrorCode PhantomSpecDestroy(PhantomSpec *spec);

/** Compute a phantom: hu, rsp and masks filled. An unknown kind or impossible sizes go to mistakes (ROBION_STUDY). */
PetscErrorCode CaseBuildPhantom(const PhantomSpec *spec, const char *name, Mistakes *mistakes, Case **out);
