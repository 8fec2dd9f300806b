/*
 * The solver's inside, on rank 0: one point in scaled variables, the solver of TAO's that moves it, and what is known of the
 * optimum. solve.c is the whole way, point.c evaluates, rounds.c moves, constraints.c keeps bounds, bound.c and cuts.c bound from below, certificate.c proves,
 * state.c writes it all down for a later run.
 */
#pragma once
#include "descent.h"
#include "robion/solver.h"

enum { MOST_CUTS = 100 };

/* The last linear minorants at + slope x of the objective, see cuts.c. */
typedef struct Cuts {
  PetscInt n_spot, n, n_seen;
  double *at, *slope; /* [MOST_CUTS], [MOST_CUTS][n_spot]; NULL: none are kept */
} Cuts;

/* Lower bound of the objective by convexity, see bound.c. */
typedef struct Bound {
  PetscInt n;         /* directions that limit the weights */
  double *column;     /* [n][n_spot] d (mean quantity of a term) / d (particles) */
  double *goal;       /* [n] of that term */
  double *value;      /* [n] weight that the squared excess over the goal has in the objective at least */
  double lower;       /* best lower bound so far */
  PetscBool rigorous; /* all terms convex in the weights */
  Cuts cuts;          /* of the certificate's minimisation */
} Bound;

typedef struct Solver {
  Problem problem;
  const SolveSpec *spec;
  PetscInt n_group, n_row, n_spot;
  Solution *solution;
  double start;     /* TimeSteady */
  double earlier_s; /* spent by the run that this one goes on from */

  /* the point */
  Tao tao;
  Vec x, low, high;      /* variables and their bounds */
  double *unit;          /* [n_spot] particles per unit of a variable */
  double *weight, *best; /* [n_spot] particles: last point evaluated, and the one with the lowest objective */
  double best_objective; /* unsmoothed */
  DescentHistory history;

  /* what TAO minimises */
  double *mu, *multiplier; /* [n_group], [n_group][n_row] */
  double *total, *lambda;  /* [n_group][n_row] at the last evaluation */

  /* the last evaluation, for whoever asks for it again */
  PetscBool known;
  double known_f, *known_x, *known_g; /* [n_spot] in scaled variables */

  /* constraints */
  PetscInt n_hard, n_multiplier;
  double *penalty, *residual; /* [n_hard] the latter: largest after the last round */
  double *shift, *excess;     /* [n_multiplier] in units of the quantities */
  double least_residual;      /* over all rounds */
  PetscInt idle;              /* rounds since it fell */
  PetscInt round_start;       /* line of the history at which the multipliers moved last; -1: never */
  PetscBool spent;            /* iterations or time are used up */

  /* progress */
  Spent spending;            /* what evaluations are for at the moment */
  PetscInt round_end;        /* iterations of a round */
  PetscInt round_iterations; /* of this round, -1 before its first point */
  PetscInt still;            /* rounds without progress, one after the other */
  PetscBool finished, resumed, certifying;
  double first_norm; /* of the projected gradient */
  Bound bound;
} Solver;

/* point.c */
/* Objective that TAO minimises, and its gradient, at x; both from memory if x is where it was evaluated last. */
PetscErrorCode SolverEvaluate(Solver *s, Vec x, double *f, double *gradient);
/* The variables of these particles, [n_spot]. */
PetscErrorCode SolverGoTo(Solver *s, const double *weight);
/* Tell the problem of mu and multiplier. */
PetscErrorCode SolverSetSmoothMax(Solver *s);
double SolverSeconds(const Solver *s);

/* rounds.c */
PetscErrorCode SolverCreateTao(Solver *s);
/* Rounds until the objective levels out or a limit is reached. */
PetscErrorCode SolverRun(Solver *s);
/* One run of TAO over at most this many iterations; *moved false if it could not make a step. */
PetscErrorCode SolverRunRound(Solver *s, PetscInt iterations, PetscBool *moved);
PetscErrorCode SolverFinish(Solver *s, PetscBool stopped, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* constraints.c: arrays; the first penalties; between rounds the multipliers, and whether to end; what the plan keeps. */
PetscErrorCode SolverConstraintsCreate(Solver *s);
PetscErrorCode SolverConstraintsDestroy(Solver *s);
PetscErrorCode SolverConstraintsStart(Solver *s);
PetscErrorCode SolverConstraintsRound(Solver *s);

/* bound.c */
/* Collective on all ranks, before rank 0 starts: the columns, and their sum over all terms as a measure of how spots couple. */
PetscErrorCode BoundCreate(const SolveSpec *spec, Problem problem, PetscInt n_spot, const double *weight, Bound *bound,
                           double *coupling);
PetscErrorCode BoundDestroy(Bound *bound);
/* Take in an evaluation: value of the linearised objective and gradient by particles at weight; upper bounds the optimum. */
PetscErrorCode BoundUpdate(Bound *bound, PetscInt n_spot, double value, const double *gradient, const double *weight,
                           double upper);
/* The bound by the evaluations together that have been taken in since bound->cuts were created. */
PetscErrorCode BoundCombine(Bound *bound, PetscInt n_spot, double upper);

/* cuts.c */
PetscErrorCode CutsCreate(PetscInt n_spot, Cuts *cuts);
PetscErrorCode CutsDestroy(Cuts *cuts);
/* Take in a minorant; the oldest goes when there is no room. */
PetscErrorCode CutsAdd(Cuts *cuts, double at, const double *slope);
/* The mean of the cuts, at + slope x, whose least over {x >= 0, column x <= limit} is highest; *found false without any. */
PetscErrorCode CutsCombine(const Cuts *cuts, const double *column, double limit, double *at, double *slope,
                           PetscBool *found);

/* certificate.c */
PetscErrorCode SolverCertify(Solver *s);

/* state.c */
PetscErrorCode SolverSave(Solver *s);
PetscErrorCode SolverLoad(Solver *s, const SolveState *state);
