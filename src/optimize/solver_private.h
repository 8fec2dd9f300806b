/*
 * The solver's inside: one point in scaled variables, the solver of TAO's that moves it, and what is known of the optimum. solve.c is the
 * whole way, point.c evaluates, rounds.c moves, constraints.c keeps bounds, bound.c and cuts.c bound from below, certificate.c proves, state.c
 * writes it all down for a later run. All ranks of the team do the same together: what there is of every spot lives in slices (n_own
 * numbers here), all else on every rank. Whether to go on, which needs the clock, is rank 0's to say (SolverAgree).
 */
#pragma once
#include "descent.h"
#include "robion/solver.h"

enum { MOST_CUTS = 100 };

/* The last linear minorants at + slope x of the objective, see cuts.c. */
typedef struct Cuts {
  const Slices *slices;
  PetscInt n, n_seen;
  double *at, *slope; /* [MOST_CUTS], [MOST_CUTS][n_own]; NULL: none are kept */
} Cuts;

/* Lower bound of the objective by convexity, see bound.c. */
typedef struct Bound {
  const Slices *slices;
  PetscInt n;         /* directions that limit the weights */
  double *column;     /* [n][n_own] d (mean quantity of a term) / d (particles) */
  double *goal;       /* [n] of that term */
  double *value;      /* [n] weight that the squared excess over the goal has in the objective at least */
  double lower;       /* best lower bound so far */
  PetscBool rigorous; /* all terms convex in the weights */
  Cuts cuts;          /* of the certificate's minimisation */
} Bound;

typedef struct Solver {
  Problem problem;
  const SolveSpec *spec;
  PetscInt n_group, n_row;
  Slices slices; /* of the spots */
  Solution *solution;
  double start;     /* TimeSteady */
  double earlier_s; /* spent by the run that this one goes on from */
  double kept_s;    /* TimeSteady when a checkpoint was kept last */

  /* the point */
  Tao tao;
  Vec x, low, high;      /* variables and their bounds */
  double *unit;          /* [n_own] particles per unit of a variable */
  double *weight, *best; /* [n_own] particles: last point evaluated, and the one with the lowest objective */
  double best_objective; /* unsmoothed */
  double *all, *slope;   /* [all spots] weights, and the gradient by them, as the problem takes and gives them */
  DescentHistory history;

  /* what TAO minimises */
  double *mu, *multiplier; /* [n_group], [n_group][n_row] */
  double *total, *lambda;  /* [n_group][n_row] at the last evaluation */

  /* the last evaluation, for whoever asks for it again */
  PetscBool known;
  double known_f, *known_x, *known_g; /* [n_own] in scaled variables */

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
  SolveState state; /* after the last complete round, arrays over the spots in slices */
} Solver;

/* point.c */
/* Objective that TAO minimises, and its gradient, at x; both from memory if x is where it was evaluated last. */
PetscErrorCode SolverEvaluate(Solver *s, Vec x, double *f, double *gradient);
/* The variables of these particles, [n_own]. */
PetscErrorCode SolverGoTo(Solver *s, const double *weight);
/* Tell the problem of mu and multiplier. */
PetscErrorCode SolverSetSmoothMax(Solver *s);
double SolverSeconds(const Solver *s);

/* rounds.c */
/* The solver of TAO's that is asked for, and the slices that suit it; then the point and its bounds. */
PetscErrorCode SolverCreateTao(MPI_Comm comm, Solver *s);
PetscErrorCode SolverSetVectors(Solver *s);
/* Rank 0's mind on whether to go on becomes everyone's; its clock, too, if asked for. */
PetscErrorCode SolverAgree(Solver *s, PetscBool *go_on, double *seconds);
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
/* The columns at these weights of all spots, and their sum over all terms as a measure of how spots couple, [n_own]. */
PetscErrorCode BoundCreate(const SolveSpec *spec, Problem problem, const Slices *slices, const double *weight,
                           Bound *bound, double *coupling);
PetscErrorCode BoundDestroy(Bound *bound);
/* Take in an evaluation: value of the linearised objective and gradient by particles at weight; upper bounds the optimum. */
PetscErrorCode BoundUpdate(Bound *bound, double value, const double *gradient, const double *weight, double upper);
/* The bound by the evaluations together that have been taken in since bound->cuts were created. */
PetscErrorCode BoundCombine(Bound *bound, double upper);

/* cuts.c */
PetscErrorCode CutsCreate(const Slices *slices, Cuts *cuts);
PetscErrorCode CutsDestroy(Cuts *cuts);
/* Take in a minorant; the oldest goes when there is no room. */
PetscErrorCode CutsAdd(Cuts *cuts, double at, const double *slope);
/* The mean of the cuts, at + slope x, whose least over {x >= 0, column x <= limit} is highest; *found false without any. */
PetscErrorCode CutsCombine(const Cuts *cuts, const double *column, double limit, double *at, double *slope,
                           PetscBool *found);

/* certificate.c */
/*
 * What further iterations will take off the objective, by its fall over the last quarter of the iterations and the one before; *known
 * false where that says nothing: where scenarios' multipliers or constraints' change what is minimised, or after few iterations. Not
 * collective; the same on every rank.
 */
double SolverExpectedFall(const Solver *s, PetscBool *known);
PetscErrorCode SolverCertify(Solver *s);

/* state.c */
/* Keep the state as it is now; then, all of it on rank 0. */
PetscErrorCode SolverSave(Solver *s);
PetscErrorCode SolverCollectState(Solver *s, SolveState *whole);
/* Go on from a state of rank 0's. */
PetscErrorCode SolverLoad(Solver *s, const SolveState *state);
