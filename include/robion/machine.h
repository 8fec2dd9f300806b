/**
 * Base data of one ion: what a mono-energetic pencil beam does in water. Step 3 of the data's way.
 *
 * Tables are per energy e on depth nodes d of their own (mm of water, ascending, the first is 0), linear in between;
 * array index [e*n_depth + d] and, with lateral component k, [(e*n_component + k)*n_depth + d]. Beyond the last node: 0.
 */
#pragma once
#include "robion/error.h"
#include "robion/ion.h"

/** Laterally integrated dose of one particle: Gy mm2 per MeV cm2/g. */
#define GY_MM2_PER_MEV_CM2_G 1.6021766208e-8

/** FWHM of a Gaussian in units of its sigma: 2 sqrt(2 ln 2). */
#define FWHM_PER_SIGMA 2.3548200450309493

/** Lateral components a machine may have; more are a mistake (MachineCheck). */
enum { MACHINE_MOST_COMPONENTS = 8 };

/** Lateral components of built-in base data, each with its own LET, alpha and beta (Inaniwa & Kanematsu, PMB 60:437, 2015). */
enum { LATERAL_PRIMARIES, LATERAL_HEAVY, LATERAL_LIGHT, LATERAL_COMPONENTS }; /* fragments of Z >= 3, of Z <= 2 */

/** Where positron emitters come from: the beam and its fragments that come to rest, and nuclei of the target. */
enum { EMISSION_STOPPED, EMISSION_OF_CARBON, EMISSION_OF_NITROGEN, EMISSION_OF_OXYGEN, N_EMISSIONS };

/** Oxygen nuclei in water, 1e22/cm3. */
#define WATER_OXYGEN_1E22_CM3 3.343

/** Lateral dose of a spot: every component of the base data, or all dose in the first one's Gaussian. */
typedef enum { LATERAL_MODEL_FULL, LATERAL_MODEL_SINGLE } LateralModel;
extern const char *const lateral_model_names[]; /* as a study writes them, indexed by LateralModel */
extern const PetscInt n_lateral_model_names;

typedef struct Machine {
  char *name;    /* "builtin-12C", or the name in an imported file */
  char *source;  /* how it was made, for provenance */
  char *hash;    /* hexadecimal, of the inputs it was made from */
  PetscInt Z, A; /* projectile */
  PetscInt n_energy, n_depth, n_component;
  double *energy_MeV_u;  /* ascending */
  double *csda_range_mm; /* csda range in water */
  double *r80_mm;        /* distal 80 % of the peak of idd */
  double *spot_sigma_mm; /* lateral sigma in air at the isocentre */
  double *depth_mm;      /* [e][d] */
  double *idd_Gy_mm2;    /* [e][d] laterally integrated physical dose per particle */
  double *recoil;        /* [e][d] share of idd left by recoils of the target, no species' dose; 0 in imported data */
  double *letd_keV_um;   /* [e][d] dose-averaged LET of the mixed field */
  double *sigma_mm;      /* [e][k][d] lateral sigma in water of component k, added in quadrature to spot_sigma_mm */
  double *component;     /* [e][k][d] share of component k in idd, sums to 1 over k */
  /* [e][k][d] dose-averaged LET of component k; letd where components are only a shape. Dose of recoils counts with letd, so
     that the mean over the components is letd. */
  double *component_letd_keV_um;
  double sad_mm;         /* source-axis distance; infinite (parallel beam) if <= 0 */
  double offset_mm;      /* water-equivalent depth already passed in the beam line; added to every depth */
  double bams_to_iso_mm; /* end of the beam line to the isocentre, for the air offset; 0 if unknown or in vacuum */

  /*
   * Dose spectra of the field: share of the dose at a depth from species s with energy in bin b; NULL in imported data.
   * Bins are equal in ln(E). An energy between two bin centres (in ln E) is split between both, so that sums of a smooth
   * function taken at the bin centres sqrt(edge[b] edge[b+1]) are accurate to second order. Recoils of the target are left out.
   */
  PetscInt n_species, n_bin;
  Species *species;
  double *bin_edge_MeV_u;     /* n_bin + 1, ascending */
  float *dose_share;          /* [e][d][s][b], sums to 1 over s, b where idd > 0 */
  int *species_component;     /* [s] lateral component a species belongs to; -1: to none, components are only a shape */
  float *species_fluence;     /* [e][d][s] particles through a plane at depth d per primary */
  float *species_letd_keV_um; /* [e][d][s] dose-averaged LET of one species; 0 where it has no dose */

  /* Positron emitters per primary; n_emitter 0 in imported data. */
  PetscInt n_emitter;
  Species *emitter;
  double *emitter_half_life_s; /* [m] */
  float *emitter_made_per_mm; /* [e][m][d] nuclides made per mm of depth, those of the beam itself counted at depth 0 */
  float *emitter_stopped_per_mm; /* [e][m][d] nuclides that come to rest per mm of depth */
  /*
   * [e][m*N_EMISSIONS + c][k][d] the same apart by source c and lateral component k, for matter other than water: those of
   * EMISSION_STOPPED per mm of water-equivalent depth, those made of target nuclei per mm of way and 1e22 such nuclei/cm3.
   */
  float *emission;

  /* alpha, beta tables of imported machines, by tissue class; n_tissue 0 in built-in data. */
  PetscInt n_tissue;
  double *alpha_x, *beta_x; /* [t] 1/Gy, 1/Gy2 */
  double *alpha, *beta;     /* [e][t][d] 1/Gy, 1/Gy2 */
} Machine;

/** What the built-in transport is asked for. */
typedef struct MachineSpec {
  const char *ion;                           /* "12C", "11C", "10C" or "4He" */
  double energy_min_MeV_u, energy_max_MeV_u; /* default 80, 440 */
  double range_step_mm;                      /* step of csda range between energies; default 2 */
  PetscInt n_energy;                         /* these energies, ascending, instead of the three numbers above; */
  const double *energy_MeV_u;                /* default none */
  double ripple_sigma_mm;                    /* Gaussian range spread of the ripple filter (water) */
  double ripple_thickness_mm;                /* its mean water-equivalent thickness, part of what the beam has passed */
  double ripple_to_isocentre_mm;             /* air gap in which its scattering widens the spot */
  double momentum_spread;                    /* sigma of dp/p */
  double offset_mm;          /* water-equivalent depth passed in the beam line besides the ripple filter */
  double spot_fwhm_mm;       /* in air at the isocentre, without what the ripple filter scatters; default 8 */
  double sad_mm;             /* default 0: parallel */
  const char *fragmentation; /* file of nuclear data, as configs/fragmentation.yaml; default NULL: the program's own */
} MachineSpec;

/** Fill a spec with the defaults of the built-in machine. */
PetscErrorCode MachineSpecDefault(MachineSpec *spec);

/**
 * Check a spec (known ion, ordered positive energies in 1..1000, ...): mistakes are ROBION_INPUT, prefixed with `where`; those
 * of a file of nuclear data name the file, line and column.
 */
PetscErrorCode MachineSpecCheck(const MachineSpec *spec, const char *where, Mistakes *mistakes);

/** Whether built-in base data of a spec (which may be a bad one: no) have all of these energies, within 1e-3 MeV/u. Not collective. */
PetscErrorCode MachineSpecHasEnergies(const MachineSpec *spec, PetscInt n, const double *energy_MeV_u, PetscBool *has);

/** Compute base data from first principles; energies are dealt to the ranks of comm, every rank gets all. Collective. */
PetscErrorCode MachineBuild(MPI_Comm comm, const MachineSpec *spec, Machine **out);

/** Hash of everything a built machine depends on (spec, nuclear data, code version of the tables). hex: at least 17 chars. */
PetscErrorCode MachineSpecHash(const MachineSpec *spec, char hex[17]);

/**
 * The built-in machine from its cache, or built and cached. Cache file: $ROBION_CACHE or $XDG_CACHE_HOME/robion or
 * $HOME/.cache/robion, else build/; `<ion>-<hash>.h5`, temporary name then rename; a damaged or foreign file there is
 * rebuilt. A cache that cannot be written is a warning, not an error. Collective.
 */
PetscErrorCode MachineBuiltin(MPI_Comm comm, const MachineSpec *spec, Machine **out);

/** Read a base data file written by MachineWrite. Not collective. Mistakes are ROBION_INPUT and name the file. */
PetscErrorCode MachineRead(const char *file, Mistakes *mistakes, Machine **out);

/** Write HDF5 (temporary name, fsync, rename). Not collective. */
PetscErrorCode MachineWrite(const Machine *machine, const char *file, Mistakes *mistakes);

/** Physical sanity of every table (finite, ascending depths, shares sum to one, idd >= 0 ...); mistakes name table and row. */
PetscErrorCode MachineCheck(const Machine *machine, const char *where, Mistakes *mistakes);

/** Allocate and zero every table of a machine whose counts (n_energy ... n_tissue) are set; for importers. */
PetscErrorCode MachineAllocate(Machine *machine);

/**
 * Say that the lateral components are only a shape of the whole field, and derive what follows: the components' LET is letd,
 * species belong to none; fluence and LETd of each species from the dose spectra, taken at bin centres. For importers.
 */
PetscErrorCode MachineDeriveSpecies(Machine *machine);

/** Put all dose into the first lateral component, with the LET of the whole field: one Gaussian per spot. */
PetscErrorCode MachineMergeComponents(Machine *machine);

/** Give the memory of the dose spectra back, most of what a machine takes; no biology can be made of it here from then on. */
PetscErrorCode MachineDropSpectra(Machine *machine);

/** Give the root's machine (or its NULL) to all ranks. Collective. */
PetscErrorCode MachineBroadcast(MPI_Comm comm, PetscMPIInt root, Machine **machine);
PetscErrorCode MachineDestroy(Machine **machine);

/** Fill r80_mm (distal 80 % of the maximum, linear interpolation) from depth and idd. */
PetscErrorCode MachineComputeR80(Machine *machine);

/**
 * Print the machine. csv false: aligned table with header for people; true: the columns
 * energy_MeV_u,csda_range_mm,r80_mm,entrance_MeV_cm2_g,peak_MeV_cm2_g,letd_entrance_keV_um.
 */
PetscErrorCode MachineShow(const Machine *machine, PetscBool csv, FILE *out);

/**
 * Transport the energies energy_MeV_u of a checked spec and print where the beam's energy and charge are over depth, per primary.
 * csv false: two tables an energy, in percent of the beam's; true: every depth of the base data, in MeV and elementary charges.
 * Energy: deposited by primaries, by fragments by element, by recoils of the target and by its protons; carried by charged ions and by
 * neutrons; kept by reactions (binding, excitation, gammas); cut off by the transport's grids. Charge of the projectile and its fragments:
 * come to rest, carried, handed to no fragment (knocked-out protons count as the target's), cut off. Not collective.
 */
PetscErrorCode MachineBudgetShow(const MachineSpec *spec, PetscBool csv, FILE *out);

/* --- before the patient (lateral.c) --- */
/**
 * What a range shifter and the air behind it add to the squared lateral sigma, mm2, of energy e's components at a depth (mm of
 * water, beam line and range shifter included), beyond what as much water without a gap does: Fermi-Eyges moments of the primaries
 * when they leave it, which drift over the gap; gap_mm is from there to the patient. Not collective.
 */
double MachineRangeShifterSpread2_mm2(const Machine *machine, PetscInt e, double thickness_mm, double gap_mm,
                                      double depth_mm);

/* --- the field by charge, species and energy (spectra.c) --- */
/** Which ions a dose-averaged LET counts; recoils of the target never. */
typedef enum {
  MACHINE_LET_ALL,
  MACHINE_LET_PRIMARIES,
  MACHINE_LET_HEAVY
} MachineLETGroup; /* Z >= 1; the beam's; Z >= 3 */

/**
 * Dose-averaged LET, keV/um, of a group of ions at depth node d of energy e; 0 where the group has no dose. Without spectra (some
 * imported data) MACHINE_LET_ALL is letd_keV_um and the other groups are 0. Not collective.
 */
double MachineLETd_keV_um(const Machine *machine, PetscInt e, PetscInt d, MachineLETGroup group);

/**
 * Part of idd, Gy mm2 per primary, from ions of charge Z at depth node d of energy e; summed over Z, what is missing to idd
 * is left by recoils of the target. 0 without spectra. Not collective.
 */
double MachineDoseOfCharge_Gy_mm2(const Machine *machine, PetscInt e, PetscInt d, PetscInt Z);

/**
 * Spectral fluence of species s at depth node d of energy e: per_MeV_u[n_bin], particles through a plane per primary and
 * MeV/u, mean over each bin; its integral is species_fluence. From the dose spectrum, stopping power taken at bin centres.
 * Needs spectra. Not collective.
 */
void MachineFluenceSpectrum(const Machine *machine, PetscInt e, PetscInt d, PetscInt s, double per_MeV_u[]);

/* --- stopping power (stopping.c) --- */
/** Electronic mass stopping power of water, MeV cm2/g, for an ion (Z, A) at E MeV/u. Bethe with Barkas effective charge. */
double StoppingPower_MeV_cm2_g(PetscInt Z, PetscInt A, double energy_MeV_u);
/** Unrestricted LET in unit-density water, keV/um (a tenth of the above). */
double LET_keV_um(PetscInt Z, PetscInt A, double energy_MeV_u);
/** CSDA range in water, mm. */
double CSDARange_mm(PetscInt Z, PetscInt A, double energy_MeV_u);
/** Inverse of CSDARange_mm. */
double EnergyOfRange_MeV_u(PetscInt Z, PetscInt A, double range_mm);

/* --- lateral spread (lateral.c) --- */
/** Lateral sigma by multiple scattering in water at a depth, mm, of an ion with the given range; closed form (Kanematsu). */
double LateralSigma_mm(Species projectile, double range_mm, double depth_mm);

/* --- nuclear (nuclear.c) --- */
/** Tripathi reaction cross section of projectile (Z,A) on target (Z,A) at E MeV/u, mb. Tripathi, NASA TP-3621; light-system form on 1H. */
double ReactionCrossSection_mb(PetscInt Zp, PetscInt Ap, PetscInt Zt, PetscInt At, double energy_MeV_u);
/** Macroscopic reaction cross section in water, 1/mm. */
double ReactionCrossSectionWater_per_mm(PetscInt Z, PetscInt A, double energy_MeV_u);
