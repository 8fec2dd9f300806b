/**
 * Inside machine/: the fragment yields, the one-dimensional transport and the layout of the tables.
 */
#pragma once
#include "robion/machine.h"
#include "robion/remap.h"

/* Change when any table or formula below changes: cached machines of an older version are then not found. */
#define MACHINE_TABLE_VERSION 12

#define ATOMIC_MASS_MEV 931.494 /* energy of one u */

enum { YIELD_SPECIES = 14 };
/* The species that transport follows, heaviest first. */
extern const Species yield_species[YIELD_SPECIES];

/* The nuclear data of transport (configs/fragmentation.yaml). */
enum { CURVE_POINTS = 32, MOST_EMITTERS = 8 };
typedef struct Curve {
  PetscInt n;
  double energy_MeV_u[CURVE_POINTS], value[CURVE_POINTS]; /* linear in between, constant beyond */
} Curve;
typedef struct EmitterData {
  Species species;
  Curve proton_mb;
  double ion_mb;
} EmitterData;
/* What is made of a kind of target nuclei. */
typedef struct EmitterTable {
  PetscInt n;
  EmitterData emitter[MOST_EMITTERS];
} EmitterTable;
/* Nucleons that a collision throws out of the zone where projectile and target overlap, by what collides: ions of charge 3 and more,
   helium, hydrogen (and neutrons) with a nucleus; a neutron with a proton of water. */
typedef enum { KNOCK_HEAVY, KNOCK_HELIUM, KNOCK_HYDROGEN, KNOCK_FREE, KNOCK_GROUPS } KnockGroup;
typedef struct Knocked {
  double protons, energy_share; /* per reaction; mean energy over the projectile's per nucleon */
  double fall;                  /* energies over that fall off as exp(-fall x) up to 1 */
} Knocked;
typedef struct Fragmentation {
  uint64_t hash;                      /* of the text */
  double hydrogen_mb[YIELD_SPECIES];  /* 12C on 1H, at reference_MeV_u */
  double oxygen_mb[YIELD_SPECIES];    /* 12C on 16O, at reference_MeV_u */
  double light_yield[YIELD_SPECIES];  /* of 12C, per reaction */
  double helium_yield[YIELD_SPECIES]; /* of helium, per reaction */
  double reference_MeV_u, momentum_MeV_c, of_tripathi;
  double hydrogen_total_mb, oxygen_total_mb;     /* Tripathi's there, of 12C */
  double orbital_MeV_c, orbital_reference_MeV_u; /* transverse, at this energy */
  double slowing_MeV_c, slowing_reference_MeV_u; /* along the beam per nucleon removed, at this energy */
  double oxygen_per_carbon;
  Knocked knocked[KNOCK_FREE];
  Curve target_energy_MeV;
  EmitterTable from[N_EMISSIONS]; /* of EMISSION_STOPPED: none */
} Fragmentation;
/* The text of configs/fragmentation.yaml, of which the Makefile makes a C file. */
extern const char fragmentation_builtin[];
/*
 * Read and check a file of nuclear data, NULL: the one in the program; its mistakes are ROBION_INPUT and say file:line:column. Not
 * collective.
 */
PetscErrorCode FragmentationRead(const char *file, Mistakes *mistakes, Fragmentation *out);
/* The same for who has checked before (MachineSpecCheck tells mistakes): a file with mistakes is an error. Not collective. */
PetscErrorCode FragmentationLoad(const char *file, Fragmentation *out);

/* Neutrons, which carry on about what ions hand to no charged daughter. */
static const Species neutron = {0, 1};
/* What one inelastic reaction in water leaves of `parent`, on average. */
typedef struct ReactionLeaves {
  double yield[YIELD_SPECIES]; /* daughters, index into yield_species */
  double local_MeV;            /* left on the spot by fragments of the target */
  double neutrons;             /* of the parent's velocity: they have the energy that nothing else has */
} ReactionLeaves;
void ReactionLeavesOf(const Fragmentation *nuclear, Species parent, double energy_MeV_u, ReactionLeaves *out);
/* Daughters of a reaction of 12C as the file has them, whether or not there is enough of it. */
void CarbonYields(const Fragmentation *nuclear, double energy_MeV_u, double yield[YIELD_SPECIES]);
/* Macroscopic cross section, 1/mm, of one given per molecule of water. */
double WaterMolecules_per_mm(double mb);
/*
 * Positron emitters made of target nuclei (one of EMISSION_OF_...) by inelastic reactions of a projectile, per mm and 1e22
 * nuclei/cm3; 0 for other nuclides.
 */
double EmitterFromTarget_per_mm(const Fragmentation *nuclear, int target, Species projectile, double energy_MeV_u,
                                Species emitter);

/* Share of ions per mm that inelastic reactions in water take from their species. */
double ReactionLoss_per_mm(const Fragmentation *nuclear, Species parent, double energy_MeV_u);
/* Equally likely classes of energy in which daughters are born: fragments of the projectile, knocked-out nucleons. */
enum { FRAGMENT_CLASSES = 5, KNOCK_CLASSES = 6 };
/* The group that a parent's collisions with nuclei belong to. */
KnockGroup KnockGroupOf(Species parent);
/* Protons, and as many neutrons, knocked out per collision of a group; their energy (lowest: end 0, highest: end 1) and mean square
   angle in a plane, in one of the classes. */
/* The fall of energies with this mean. */
double KnockedOutFall(double energy_share);
double KnockedOutProtons(const Fragmentation *nuclear, KnockGroup group);
double KnockedOutEnergy_MeV(const Fragmentation *nuclear, KnockGroup group, int class, int end, double parent_MeV_u);
double KnockedOutAngle2(const Fragmentation *nuclear, KnockGroup group, int class);
/* Share of a neutron's collisions in water that are with protons. */
double NeutronOnProtonShare(double energy_MeV);
/* Cross section of free neutrons on protons, mb. */
double NeutronProton_mb(double energy_MeV);
/* Charge and mass number of all daughters together. */
void YieldSums(const double yield[YIELD_SPECIES], double *charge, double *mass);

/* Positron emitters followed; half-lives in s. */
enum { EMITTERS = 4 };
extern const Species emitters[EMITTERS];
extern const double emitter_half_life_s[EMITTERS];

/* The lateral component of built-in base data that a species' dose and emitters belong to. */
int LateralComponentOf(Species projectile, Species species);

/* Index in emitters, or -1. */
int EmitterOf(Species species);
/* The depths nearer to node d than to any other. */
void DepthCell(PetscInt n_depth, const double *depth_mm, PetscInt d, double *from_mm, double *to_mm);
/* Density per mm at depth nodes, mean over their cells, of what was counted in equal steps; the trapezoidal sum over the nodes
   is what was counted up to the last one. */
PetscErrorCode DepthDensity(PetscInt n_step, double step_mm, const double *count, PetscInt n_depth,
                            const double *depth_mm, double *per_mm);

/* A number of ions, and sums over them of transverse moments per projected plane: angle squared, angle times offset, offset
   squared (Fermi-Eyges). */
typedef struct Moments {
  double number, angle2, mixed_mm, offset2_mm2;
} Moments;

/* The same per ion, gained by multiple scattering. */
typedef struct Scattering {
  double angle2, mixed_mm, offset2_mm2;
} Scattering;

/* While an ion slows from one residual range in water to another that is not 0. */
Scattering ScatteringBetween(Species species, double from_mm, double to_mm);
static inline void MomentsAdd(Moments *to, double weight, const Moments *from)
{
  to->number += weight * from->number;
  to->angle2 += weight * from->angle2;
  to->mixed_mm += weight * from->mixed_mm;
  to->offset2_mm2 += weight * from->offset2_mm2;
}

/* Turn the ions by an angle of this mean square at a point that lies `ahead_mm` before them. */
static inline void MomentsKick(Moments *ions, double angle2, double ahead_mm)
{
  ions->angle2 += ions->number * angle2;
  ions->mixed_mm -= ions->number * angle2 * ahead_mm;
  ions->offset2_mm2 += ions->number * angle2 * ahead_mm * ahead_mm;
}

/* Go on by a length and scatter on the way. */
static inline void MomentsDrift(Moments *ions, double length_mm, const Scattering *on_the_way)
{
  ions->offset2_mm2 +=
      length_mm * (2 * ions->mixed_mm + length_mm * ions->angle2) + ions->number * on_the_way->offset2_mm2;
  ions->mixed_mm += length_mm * ions->angle2 + ions->number * on_the_way->mixed_mm;
  ions->angle2 += ions->number * on_the_way->angle2;
}

/* Sigma of one component of a fragment's momentum in the parent's frame, MeV/c: sigma^2 = sigma_0^2 F (A - F)/(A - 1)
   (Goldhaber, Phys Lett B 53:306, 1974); A is the projectile's also where a fragment reacts. That of a transverse component has more:
   the nucleus met deflects the whole projectile before it breaks up, which a fragment shares by F (F - 1)/(A (A - 1)) (Van Bibber et
   al., Phys Rev Lett 43:840, 1979); the impulse is a force times the time of the passage and so goes with 1/velocity. */
double FragmentSpread_MeV_c(const Fragmentation *nuclear, Species projectile, Species daughter);
/*
 * Share of the parent's velocity that a fragment lacks on average. Morrissey, PRC 39:460 (1989): in the projectile's frame the momentum
 * -slowing_MeV_c (A - F) (gamma + 1)/(beta gamma); that share at slowing_reference_MeV_u is taken at all energies, and for helium and
 * hydrogen that of 6Li.
 */
double FragmentSlowing(const Fragmentation *nuclear, Species projectile, Species daughter);
/* Mean square angle to the parent's direction of a fragment born with this energy. */
double FragmentAngle2(const Fragmentation *nuclear, Species projectile, Species daughter, double energy_MeV_u);

/* The two logarithmic bins next to an energy, and the share of the upper one. */
void SpectrumPlace(PetscInt n_bin, const double *bin_edge_MeV_u, double energy_MeV_u, PetscInt *lower,
                   double *upper_share);

/*
 * Where a beam's energy and charge are up to a depth, per primary. Energy: deposited by primaries, by fragments of charge 1 to 6, by
 * recoils, by protons of the target; carried by charged ions; by neutrons; kept by reactions (binding, excitation, gammas); cut off by
 * grids. Charge of the projectile and its fragments: come to rest, by the same; carried; handed to no fragment (knocked-out protons count as the target's); cut off.
 */
typedef enum { BUDGET_ENERGY, BUDGET_CHARGE, BUDGET_QUANTITIES } BudgetQuantity; /* MeV, elementary charges */
enum {
  BUDGET_PRIMARIES,
  BUDGET_OF_CHARGE = 0, /* plus 1 to 6 */
  BUDGET_RECOILS = 7,
  BUDGET_PROTONS,
  BUDGET_CARRIED,
  BUDGET_NEUTRONS,
  BUDGET_REACTIONS,
  BUDGET_CUT,
  BUDGET_TERMS
};
extern const char *const budget_terms[BUDGET_TERMS];
typedef struct BudgetNode {
  double term[BUDGET_QUANTITIES][BUDGET_TERMS];
} BudgetNode;
typedef struct Budget {
  PetscInt n_depth;
  double begun[BUDGET_QUANTITIES]; /* of the beam */
  double *depth_mm;
  BudgetNode *at; /* [d] */
} Budget;
/* The budget of one energy of a checked spec, at the depths that its base data have. Not collective. */
PetscErrorCode BudgetOf(const MachineSpec *spec, double energy_MeV_u, Budget *budget);
/* All terms together at depth node d: the beam's, if nothing is forgotten. */
double BudgetSum(const Budget *budget, PetscInt d, BudgetQuantity quantity);
PetscErrorCode BudgetDestroy(Budget *budget);

/* One mono-energetic beam and the depths to score it at. */
typedef struct TransportInput {
  const Fragmentation *nuclear;
  Species projectile;
  double energy_MeV_u;
  double range_sigma_mm; /* Gaussian spread of the initial range */
  PetscInt n_depth;
  const double *depth_mm; /* ascending */
  PetscInt n_bin;
  const double *bin_edge_MeV_u;
  double spot_sigma_mm; /* of the beam, where its lateral spread matters */
  Budget *budget;       /* to be filled, or NULL */
} TransportInput;

/* What it leaves at each depth, per primary. */
typedef struct TransportField {
  PetscInt n_species;
  Species species[YIELD_SPECIES];
  double *dose_MeV_cm2_g; /* [d] */
  double *letd_keV_um;    /* [d] charged projectiles and fragments; recoils of the target left out */
  double *fluence;        /* [d][s] */
  double *species_dose;   /* [d][s] MeV cm2/g */
  double *species_recoil; /* [d][s] MeV cm2/g left by recoils of the target where ions of the species react */
  double *species_letd;   /* [d][s] keV/um */
  /* [d][s] square of the lateral sigma of the dose: of the Gaussian that, folded with the spot, has the same dose on its
     axis. For a wide spot that is the mean square offset per projected plane; few ions far off do not widen it. */
  double *species_sigma2_mm2;
  double *target_dose;            /* [d] MeV cm2/g of protons knocked out of the target */
  double *target_on_axis;         /* [d] the same over spot sigma^2 + theirs */
  double *spectrum;               /* [d][s][b] dose, MeV cm2/g */
  double *emitter_made_per_mm;    /* [m][d]; an emitter's beam is made at depth 0, within the first node's cell */
  double *emitter_stopped_per_mm; /* [m][d] */
  double *emission;               /* [m*N_EMISSIONS + c][component][d], as in Machine */
} TransportField;

/* Species followed for a projectile: itself first, then every lighter one. Returns their number. */
PetscInt TransportSpecies(Species projectile, Species species[YIELD_SPECIES]);
/* The most energy with which a daughter of an ion of this energy is born. */
double TransportFastest_MeV_u(const Fragmentation *nuclear, Species projectile, Species daughter, double energy_MeV_u);
PetscErrorCode TransportRun(const TransportInput *input, TransportField *field);
/* Ions of charge Z per primary at depth node d: what a charge-changing cross section experiment counts. */
double TransportFluenceOfCharge(const TransportField *field, PetscInt d, PetscInt Z);
PetscErrorCode TransportFieldDestroy(TransportField *field);

/* Energies of a spec: equal steps of range not above range_step_mm from the lowest to the highest. PetscMalloc'ed. */
PetscErrorCode LayoutEnergies(const MachineSpec *spec, Species projectile, PetscInt *n, double **energy_MeV_u);
/* Number of depth nodes that the longest of the ranges needs. */
PetscInt LayoutDepthCount(PetscInt n_energy, const double *range_mm);
/* Depth nodes of one energy, dense around the end of the range. */
void LayoutDepths(double range_mm, PetscInt n_depth, double *depth_mm);

/* Sigma of the range spread of one energy, mm: straggling, ripple filter and momentum spread in quadrature. */
double RangeSpread_mm(const MachineSpec *spec, Species projectile, double energy_MeV_u);
/* Spot sigma in air at the isocentre, widened by the ripple filter's scattering over the gap behind it. */
double SpotSigma_mm(const MachineSpec *spec, Species projectile, double range_mm);
/* What that gap adds to the square of sigma at a depth of the tables: 2 (depth behind the beam line) times the covariance of
   angle and offset. The rest of the filter's part is in LateralSigma_mm, since the filter is part of the depth. */
double GapSpread2_mm2(const MachineSpec *spec, Species projectile, double range_mm, double depth_mm);

/* Nuclear mass in u; the mass number for nuclides that transport does not meet. */
double NuclearMass_u(PetscInt Z, PetscInt A);

/* Ions that base data can be built for. */
enum { N_BUILTIN_IONS = 4 };
extern const char *const builtin_ions[N_BUILTIN_IONS];
/* "12C" -> species; false if it is none of them. */
PetscBool SpeciesOfIon(const char *ion, Species *species);

/* Dimensions of a table. */
typedef enum {
  DIM_ENERGY,
  DIM_DEPTH,
  DIM_COMPONENT,
  DIM_SPECIES,
  DIM_BIN,
  DIM_EDGE,
  DIM_TISSUE,
  DIM_EMITTER,
  DIM_EMISSION,
  DIM_PAIR,
  DIM_COUNT
} Dim;
typedef enum { TABLE_DOUBLE, TABLE_FLOAT, TABLE_INT } TableType;

/* One array of a Machine: where it is, its shape, how a file describes it. */
typedef struct MachineTable {
  const char *path, *unit, *long_name;
  size_t offset; /* of the pointer in Machine */
  TableType type;
  double lowest, highest; /* generous physical bounds of an element; not for TABLE_INT */
  int rank;
  Dim dim[4];
} MachineTable;

enum { MACHINE_TABLES = 26 };
extern const MachineTable machine_tables[MACHINE_TABLES];

/* Length of a dimension in this machine. */
PetscInt MachineDim(const Machine *machine, Dim dim);
/* Number of elements of a table in this machine (0: the machine has no such table), and the address of its pointer. */
size_t MachineTableSize(const Machine *machine, const MachineTable *table);
void **MachineTableData(Machine *machine, const MachineTable *table);
/* Bytes of one element. */
size_t MachineTableElement(const MachineTable *table);
