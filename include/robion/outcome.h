/**
 * Outcomes: what the dose of a course leads to in a structure, by models of complications (ntcp.h) and of tumour control (tcp.h)
 * that are registered by name, a row each in src/outcome/models.c. Part of step 5.
 *
 * Every model is a function of a mean over the structure's volume, of_mean(sum_i v_i voxel(d_i) / sum_i v_i), where d_i is the
 * RBE-weighted dose per fraction in a voxel, of a course in stages that of its mean fraction (course.h), and v_i the voxel's part of
 * the volume. Finished plans are judged, and plans optimised, by the same functions and their derivatives.
 */
#pragma once
#include "robion/eqd2.h"
#include "robion/map.h"
#include "robion/ntcp.h"
#include "robion/structure.h"
#include "robion/tcp.h"

/** Numbers of a model; each kind uses its own. */
typedef struct OutcomeParameters {
  LKBSpec lkb;                     /* complications */
  FractionationSpec fractionation; /* ... of the EQD2 that they follow */
  double fractions;                /* ... of the course */
  TCPSpec tcp;                     /* control; with fractions of its own */
  double clonogens_share;          /* ... of the map's clonogens that count */
} OutcomeParameters;

/** By what tumour control of a finished plan is judged, where the case has a map of clonogens. */
typedef struct TumourSpec {
  OutcomeParameters parameters;
  char *structure, *where; /* whose control */
} TumourSpec;

/** What a model knows of a voxel beside its dose. */
typedef struct OutcomePoint {
  double highest_Gy_RBE; /* of all voxels, per fraction: keeps powers in range, values do not depend on it */
  double clonogens;      /* per 27 mm3 */
} OutcomePoint;

/** What is averaged over the structure, of a voxel's dose per fraction, and its derivative. */
typedef double (*OutcomeVoxel)(const OutcomeParameters *p, const OutcomePoint *at, double dose_Gy_RBE, double *slope);
/** What follows from that average, and its derivative. */
typedef double (*OutcomeOfMean)(const OutcomeParameters *p, const OutcomePoint *at, double mean, double *slope);

/** A number that is told of an outcome. */
typedef struct OutcomeValue {
  const char *name, *unit;
  double scale; /* to the unit */
  OutcomeOfMean of_mean;
  CellCase cells; /* whose clonogens */
} OutcomeValue;

/** What models of a kind have in common. The first value is the outcome itself. */
typedef struct OutcomeKind {
  OutcomeVoxel voxel;
  PetscBool wants_clonogens;
  PetscInt n_value;
  const OutcomeValue *value;
} OutcomeKind;
extern const OutcomeKind outcome_complication, outcome_control;

typedef struct OutcomeModel {
  const char *name;
  const OutcomeKind *kind;
  const char *organ, *endpoint;
  LKBSpec lkb;                            /* 0: a study gives them */
  const FractionationSpec *fractionation; /* its default; NULL: a study gives it */
} OutcomeModel;

/** The registered models: "lkb" (of numbers that a study gives), "mayo", ..., "tcp". */
extern const OutcomeModel outcome_models[];
extern const char *const outcome_model_names[];
extern const PetscInt n_outcome_model_names;
/** The model of that name, or NULL. */
const OutcomeModel *OutcomeModelFind(const char *name);
/** The i-th model of complications, NULL behind the last. */
const char *ComplicationModel(PetscInt i);

/** An outcome that a study asks for. */
typedef struct OutcomeSpec {
  char *name; /* behind those of its rows; NULL: the study's tumour control, whose rows are of quantity tcp */
  char *structure, *where;
  const char *model;
  OutcomeParameters *parameters;
  PetscBool optional; /* left out where the case lacks the structure */
} OutcomeSpec;

/** An outcome of one plan. */
typedef struct Outcome {
  const OutcomeSpec *spec;
  const OutcomeModel *model;
  Region region;
  double *clonogens[N_CELL_CASES]; /* [region.n] per 27 mm3, if the model wants them */
} Outcome;

typedef struct OutcomeList {
  PetscInt n;
  Outcome *item;
} OutcomeList;

/** The values [kind->n_value] of an outcome, in their units, of RBE-weighted doses per fraction on the grid. Not collective. */
void OutcomeEvaluate(const Outcome *outcome, const float *rbe_weighted, double *value);
/** The outcome, 0 to 1, of each voxel by itself, on the grid; voxels outside of its structure are left as they are. Not collective. */
void OutcomeMap(const Outcome *outcome, const float *rbe_weighted, float *map);
/** The first value without any dose, 0 to 1. Not collective. */
double OutcomeWithoutDose(const Outcome *outcome);
PetscErrorCode OutcomeDestroy(Outcome *outcome);
PetscErrorCode OutcomeListDestroy(OutcomeList *list);
