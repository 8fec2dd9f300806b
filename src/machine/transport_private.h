/**
 * Inside transport: lanes of ions (lane.c), their steps through water (transport.c), what they leave at depths (transport_score.c).
 */
#pragma once
#include "machine_private.h"

#define SIGMAS 5.0 /* half width of the Gaussian of initial ranges that is followed */

/* How daughters of one class start: those of a reference bin are spread evenly over a stretch of their lane. */
typedef struct Birth {
  double *kick;      /* mean square angle, by reference bin */
  double *from, *to; /* in bins of the lane, by reference bin */
} Birth;

/* One species: histogram over residual range, and what depends on the bin only. */
typedef struct Lane {
  Species species;
  Species
      ranged; /* whose range the bins are of: the species' own; the projectile's for neutrons, which do not slow down */
  PetscInt n_bin, top; /* bins from top on are empty */
  Moments *ions;       /* per primary */
  double *lost_share;  /* reacting in one step */
  double *local_MeV;   /* left on the spot per reaction */
  double *edge_MeV_u;  /* n_bin + 1 */
  double *sum_MeV_u;   /* n_bin + 1: of the mean energies of the bins before */
  double *dose;        /* MeV cm2/g of one ion in the bin */
  double *let;         /* keV/um, dose-weighted over the bin */
  Scattering *scatter; /* in one step, leaving the bin */
  double *target; /* [bin][m*N_EMISSIONS + c] positron emitters m made of target nuclei c, 1/mm per 1e22 nuclei/cm3 */
  KnockGroup knocks;                          /* what its collisions with nuclei count as */
  double *yield;                              /* [reference bin][YIELD_SPECIES] daughters per reaction */
  double *neutrons;                           /* [reference bin] of the parent's velocity, per reaction */
  double local_MeV_per_mm;                    /* left on the spot in the last step */
  double lost_MeV_u;                          /* number times energy of what has reacted in it */
  int emitter;                                /* what it is in emitters[], or -1 */
  int component;                              /* lateral */
  Moments *rise;                              /* n_bin + 2: what is born in a bin less what is in the one before */
  PetscInt lost_top;                          /* nothing lost from there on */
  Moments *lost, *made;                       /* on the reference grid: reacted, produced */
  Birth fragment[FRAGMENT_CLASSES];           /* of the projectile */
  Birth knocked[KNOCK_GROUPS][KNOCK_CLASSES]; /* in the lanes of knocked-out protons and neutrons only */
  Remap to_reference, spectrum;
} Lane;

/* What the budget counts on the way. */
typedef struct BudgetCount {
  Budget *budget;
  double sum[BUDGET_QUANTITIES][BUDGET_TERMS]; /* up to the current depth */
  double *born_MeV[YIELD_SPECIES + 2];         /* [lane][reference bin] of one fragment, as it is born */
} BudgetCount;

typedef struct Transport {
  const TransportInput *in;
  PetscInt n_lane, n_reference;
  PetscInt
      n_species; /* lanes of projectile and fragments; behind them one of knocked-out protons and one of all neutrons */
  Lane lane[YIELD_SPECIES + 2];
  double *on_proton; /* [reference bin] share of a neutron's collisions that are with protons */
  double step_mm, range_mm;
  double *reference_MeV_u; /* edges of the projectile's own bins: the common energy grid */
  double *attenuation;     /* integral of the primaries' reaction cross section over residual range, at those edges */
  PetscInt n_step;
  double *emitter_made, *emitter_stopped; /* [m][step] */
  double *emission;                       /* [m*N_EMISSIONS + c][component][step] */
  BudgetCount *count;                     /* NULL where no budget is asked for */
} Transport;

/* Mean stopping power, MeV cm2/g, of an ion that slows from `to` to `from` (MeV/u) within length_mm of water. */
double MeanStopping(Species species, double from_MeV_u, double to_MeV_u, double length_mm);

/* A lane without ions; knocked: it takes knocked-out nucleons. */
PetscErrorCode LaneCreate(Transport *transport, Species species, PetscBool knocked, Lane *lane);
static inline Lane *ProtonLane(Transport *t)
{
  return &t->lane[t->n_species];
}
static inline Lane *NeutronLane(Transport *t)
{
  return &t->lane[t->n_species + 1];
}
PetscErrorCode LaneDestroy(Lane *lane);
/* Put daughters made on the reference grid below `top` into their lane, a class of energy at a time. */
PetscErrorCode LaneDeliver(const Transport *transport, PetscInt top, int n_class, const Birth *birth, Lane *daughter);

/* Mean energy of fragments born of ions of this energy, as LaneDeliver spreads them. */
double FragmentBorn_MeV_u(const Fragmentation *nuclear, Species projectile, Species daughter, double energy_MeV_u);

/* Count a budget from now on, after the beam has started. */
PetscErrorCode BudgetBegin(Transport *transport, Budget *budget);
/* After the reactions of a step and before ions are shifted. */
void BudgetStep(const Transport *transport);
/* Ions of a bin of this lane that are left out. */
void BudgetCut(const Transport *transport, const Lane *lane, PetscInt bin, double number);
/* Add the state at the current depth, times `weight`, to node d. */
void BudgetScore(const Transport *transport, double weight, PetscInt d);
/* Add the doses of the field to the budget and stop counting. */
PetscErrorCode BudgetFinish(Transport *transport, const TransportField *field);

PetscErrorCode FieldCreate(const TransportInput *input, TransportField *field);
/* Add fragments and recoils at the current depth to the nodes from `first` on that lie before `end_mm`; returns the first that
   does not. */
PetscInt ScoreNodes(const Transport *transport, PetscInt first, double end_mm, double here_mm, TransportField *field);
/* At the end of the run: primaries, means, emitters. */
PetscErrorCode FieldFinish(const Transport *transport, TransportField *field);
