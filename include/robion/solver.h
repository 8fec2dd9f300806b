/**
 * Spot weights by TAO: the minimum of a problem over weights between bounds, with a certificate. Step 10 of the data's way.
 *
 * Worst cases over scenarios are made smooth by exponential multipliers: rounds of minimising
 *     max_lambda sum_s lambda_s F_s - mu sum_s lambda_s ln(lambda_s / multiplier_s)
 * after each of which the weights lambda become the multipliers. The temperature mu follows the gap between the true maximum and
 * the weighted sum of the scenarios. All plans go in rounds; between two rounds the solver's state is complete, so a run
 * that goes on from there ends with the same bits as one that was never stopped.
 */
#pragma once
#include "robion/optimize.h"

typedef struct OptimizerSpec {
  PetscInt max_iterations; /* of the TAO solver over all rounds; default 300 */
  double
      relative_tolerance; /* stop when the objective fell by less than this share over `window` iterations; default 1e-4 */
  PetscInt window;        /* default 10 */
  double max_minutes;     /* wall-clock budget of one plan; 0 (default): none */
  double
      relative_gap; /* stop when the plan is proven, or expected (Certificate), to be this close to the optimum; default 1e-3 */
  PetscInt certificate_iterations; /* most iterations for the certificate; default 50 */
  double checkpoint_minutes;       /* least time between checkpoints, and before the first; default 10 */
  double constraint_tolerance; /* constraints hold when they miss their bounds by at most this share; default 1e-3 */
} OptimizerSpec;

/** What evaluations of the objective are spent on. */
typedef enum {
  SPENT_STEP,        /* the first point tried in an iteration */
  SPENT_SEARCH,      /* further points of its line search */
  SPENT_ROUND,       /* the beginning of a round, where the smooth maximum has changed */
  SPENT_CERTIFICATE, /* the minimisation of the weighted sum of the scenarios */
  SPENT_DELIVERY,    /* spots with enough particles (delivery.h) */
  N_SPENT
} Spent;
extern const char *const spent_names[N_SPENT];

/** One line of the optimiser's history. */
typedef struct Iteration {
  PetscInt iteration, evaluations;
  double objective;     /* value of the robust objective; for worst cases the true maximum over scenarios */
  double minimised;     /* value of what TAO minimises (smooth maximum for worst cases) */
  double gradient_norm; /* projected gradient of what TAO minimises, scaled variables */
  double seconds;       /* since the start, runs that this one goes on from included */
  PetscInt worst;       /* scenario row with the largest total, -1 if the mode has none */
} Iteration;

/** How good a plan is, for those who do not want to believe. */
typedef struct Certificate {
  PetscBool known;     /* false: there is none */
  PetscBool bounded;   /* a lower bound was looked for; else least_sum, lower_bound and gap say nothing */
  double objective;    /* of the plan, unsmoothed */
  double weighted_sum; /* sum_s multiplier_s F_s at the plan, and all terms outside of worst cases */
  double
      least_sum; /* the least that its own minimisation over all weights, started from the plan, found, unless expected */
  double lower_bound; /* of the objective over all weights; by convexity where rigorous, else least_sum */
  double gap;         /* (objective - lower_bound) / objective */
  PetscBool rigorous; /* every term is convex in the weights: nothing lies below lower_bound */
  PetscBool expected; /* least_sum is what further iterations of the plan are expected to come to by those there were */
  double stationarity;       /* norm of the projected gradient of the weighted sum at the plan ... */
  double stationarity_start; /* ... and of what was minimised at the start, scaled variables */
  PetscInt n_active;         /* scenarios of the first group with a multiplier above 1 % */
} Certificate;

/** "rigorous", "local", "expected" or "none". */
const char *CertificateKind(const Certificate *certificate);

/** How well a constraint is kept. */
typedef struct ConstraintState {
  PetscInt term;    /* of the problem */
  double bound;     /* as the term's quantity */
  double worst;     /* value that is farthest on the wrong side, or nearest to it */
  double violation; /* what it misses the bound by, as share of it; 0: none */
  double missed;    /* share of the structure's volume beyond the bound (of constraints on voxels) */
  double penalty;   /* in which the augmented Lagrangian ended */
} ConstraintState;

/** One array of a solver's state. */
typedef struct StateField {
  char name[24];
  PetscInt n;
  double *value;
} StateField;

enum { MOST_STATE_FIELDS = 24 };

/** All that a solver needs to go on, as numbers; the same on any number of ranks, whole on rank 0. */
typedef struct SolveState {
  PetscInt n_field;
  StateField field[MOST_STATE_FIELDS];
} SolveState;

/** The fields of a complete state. */
extern const char *const solve_state_names[];
extern const PetscInt n_solve_state_names;

/** Add an array (copied); the field of a name, or NULL. Not collective. */
PetscErrorCode SolveStateAdd(SolveState *state, const char *name, PetscInt n, const double *value);
const StateField *SolveStateFind(const SolveState *state, const char *name);
PetscErrorCode SolveStateDestroy(SolveState *state);

/** How a plan was made deliverable (delivery.h). */
typedef struct Delivery {
  PetscBool done;   /* false: it was not asked for */
  double optimised; /* objective before, without limits on spots; Solution.objective is that of the plan as delivered */
  PetscInt rounds;  /* in which spots were removed and the others optimised anew */
  PetscInt n_before, n_after; /* spots with particles */
} Delivery;

typedef struct Solution {
  double *weight; /* [n_spot] particles per fraction, >= 0 */
  double objective;
  char reason[128];  /* why the solver stopped, for people */
  PetscBool stopped; /* by signal or time limit: `state` is where to go on */
  PetscInt n_iteration, n_evaluation, spent[N_SPENT];
  PetscInt n_history, history_capacity;
  Iteration *history;
  PetscInt n_group;        /* of terms whose worst case was looked for */
  double *multiplier;      /* [n_group][scenario rows] */
  Certificate certificate; /* with constraints: of the augmented Lagrangian at the last multipliers, never a proof */
  PetscInt n_constraint, n_round; /* rounds: how often the constraints' multipliers have moved */
  ConstraintState *constraint;
  double constraint_part; /* of `objective`: what the constraints' terms make */
  Delivery delivery;
  double seconds;
  SolveState state; /* of one that was stopped, after the last complete round; rank 0 */
} Solution;

/** Called on rank 0 after every iteration (log line, ETA). */
typedef PetscErrorCode (*SolveMonitor)(const Iteration *line, PetscInt max_iterations, void *context);
/** Called on rank 0 after every iteration of the certificate, from 0 on. */
typedef PetscErrorCode (*SolveCertifying)(PetscInt iteration, PetscInt most, void *context);
/** Called on rank 0 after a round with a complete state to write down, when checkpoint_minutes have passed since the last. */
typedef PetscErrorCode (*SolveCheckpoint)(const SolveState *state, void *context);

typedef struct SolveSpec {
  Problem problem;
  const ProblemSpec *terms; /* what the problem was made of */
  const OptimizerSpec *optimizer;
  const double *start;        /* [n_spot] particles, the same on every rank */
  const SolveState *resume;   /* go on from there, or NULL; rank 0 */
  SolveMonitor monitor;       /* NULL: none */
  SolveCertifying certifying; /* NULL: none */
  SolveCheckpoint checkpoint; /* NULL: none */
  void *context;
} SolveSpec;

/**
 * Minimise over weight >= 0 from the given start. Every rank returns the same Solution, but for its state. Stops when
 * the objective levels out (relative_tolerance over `window` iterations), when the certified gap is small enough, at
 * max_iterations, max_minutes, or when StopRequested(). With constraints (terms that are hard) between rounds their multipliers
 * move, and it goes on until these and the bounds are met to constraint_tolerance, or no longer come nearer. Collective.
 */
PetscErrorCode ProblemSolve(MPI_Comm comm, const SolveSpec *spec, Solution *solution);
PetscErrorCode SolutionDestroy(Solution *solution);

/**
 * Try the PETSc options for the solver on three variables: what TAO refuses, or cannot do with an objective and a gradient alone, is a
 * mistake (ROBION_COMMAND_LINE), the same on all ranks. Not collective.
 */
PetscErrorCode SolverCheckOptions(Mistakes *mistakes);
