/**
 * Files of TRiP98 (GSI): base data, biology tables and raster-scan plans, each with reader and writer.
 *
 * Formats as in the TRiP98 documentation (bio.gsi.de/DOCS/TRiP98); Kraemer et al., Phys Med Biol 45:3299 (2000). Readers give
 * an empty result after one mistake (ROBION_INPUT) that names the line, or the byte offset in binary files. Writers replace the
 * file at once; a failure is a ROBION_RESOURCES mistake. What is written reads back number for number. Nothing here is
 * collective. Lengths in g/cm2 are those of unit-density water: 1 g/cm2 is 10 mm.
 */
#pragma once
#include "robion/machine.h"
#include "robion/plan_read.h"
#include "robion/rbe_file.h"
#include "robion/spot_list.h"

/* --- .ddd: depth dose of one energy --- */

/** One depth. The lateral Gaussians add in quadrature to the width of the beam. */
typedef struct TripDepth {
  double z_g_cm2, dose_MeV_cm2_g; /* per primary, laterally integrated */
  double fwhm1_g_cm2;             /* narrow Gaussian */
  double factor;                  /* share of the wide Gaussian in the dose, 0..1 */
  double fwhm2_g_cm2;             /* wide Gaussian */
} TripDepth;

/** Units of lengths in a .ddd file. */
typedef enum { TRIP_UNSAID, TRIP_G_CM2, TRIP_MM, N_TRIP_UNITS } TripUnit;

typedef struct TripDepthDose {
  TripName projectile, material;
  Species species; /* of the projectile */
  double energy_MeV_u, density_g_cm3;
  PetscBool lateral;   /* the file has the three lateral columns; else they are 0 */
  TripUnit width_unit; /* of these in the file, as it says; unsaid: taken as g/cm2 */
  PetscInt n;
  TripDepth *depth; /* ascending */
} TripDepthDose;

/**
 * Rows hold depth and dose, with one more number (FWHM1) or three. A line that names the columns, as a comment or not, may say mm or cm
 * (of water) in place of g/cm**2 of depth and widths: `z[mm]`, `FWHM1 [mm]`. Line ends and byte order mark of any system.
 */
PetscErrorCode TripDepthDoseRead(const char *file, Mistakes *mistakes, TripDepthDose *out);
PetscErrorCode TripDepthDoseWrite(const TripDepthDose *table, const char *file, Mistakes *mistakes);
PetscErrorCode TripDepthDoseDestroy(TripDepthDose *table);

/* --- .spc: energy spectra of all fragments against depth, of one beam energy --- */

typedef struct TripSpectrum {
  Species species;
  double cumulative;  /* tag 14: particles of all species so far */
  PetscInt n;         /* energy bins */
  double *edge_MeV_u; /* [n + 1] ascending */
  double *dN_dE;      /* [n] particles per primary and MeV/u */
  double *running;    /* [n + 1] running sum of particles */
} TripSpectrum;

typedef struct TripSpectraDepth {
  double z_g_cm2, norm;
  PetscInt n;
  TripSpectrum *spectrum; /* [n] species */
} TripSpectraDepth;

typedef struct TripSpectra {
  TripName version, date, target, projectile;
  double energy_MeV_u, peak_g_cm2, norm;
  PetscInt n;
  TripSpectraDepth *depth; /* ascending */
} TripSpectra;

/** Either byte order, which the file tells (SPCM or SPCI). */
PetscErrorCode TripSpectraRead(const char *file, Mistakes *mistakes, TripSpectra *out);
PetscErrorCode TripSpectraWrite(const TripSpectra *spectra, PetscBool big_endian, const char *file, Mistakes *mistakes);
PetscErrorCode TripSpectraDestroy(TripSpectra *spectra);

/* --- base data as a whole --- */

/** What the files of base data do not say. */
typedef struct TripMachineSpec {
  double
      spot_fwhm_mm; /* in air at the isocentre, for every energy; <= 0: the first focus of the folder's .sis, else built-in's */
  double offset_mm; /* water-equivalent depth passed before the patient (`offh2o` of TRiP98's scancap) */
  double sad_mm;    /* <= 0: parallel */
} TripMachineSpec;

/**
 * Depth doses (in any order) -> Machine. Tables of equal length keep their nodes, shorter ones are given further nodes on
 * their straight lines. Double Gaussians become two lateral components. With n_species > 0 there is room for spectra of these
 * species; without, LETd is 0 and only biology models of tables can be used. `where` begins the mistakes.
 */
PetscErrorCode MachineFromTrip(const TripMachineSpec *spec, PetscInt n_dose, const TripDepthDose *dose,
                               PetscInt n_species, const Species *species, const char *where, Mistakes *mistakes,
                               Machine **out);

/**
 * Fill dose shares and LETd of the energy that the spectra are of, weighting particles with robion's stopping power; between
 * their depths doses are linear. All species must be the machine's. One mistake if the machine has no such energy (within
 * 0.005 MeV/u), or there is dose but no particle at the first depth; behind the last particles the shares stay as they were.
 */
PetscErrorCode MachineSetTripSpectra(Machine *machine, const TripSpectra *spectra, const char *where,
                                     Mistakes *mistakes);

/**
 * The .ddd files of a folder, or one .ddd file -> Machine; with spectra if a folder has .spc files, then one for every energy.
 *
 * They must be of water (H2O, 1 g/cm3 within 5 %), and their R80 that of the energy within 3 % and 4 mm. Some generators write widths
 * in another unit than they say: where what is said gives less than 0.4 or more than 5 times the scattering of the projectile at
 * the peak, and the other unit does not, the other is taken; where both do, they are refused. Which was taken is a line of the log.
 * Widths of beams are those of a .sis file in the folder (at most one; linear between its energies) where spec leaves them open.
 */
PetscErrorCode MachineReadTrip(const char *path, const TripMachineSpec *spec, Mistakes *mistakes, Machine **out);

/** Depth dose of one energy. All lateral components but the first become the second Gaussian: their share and mean variance. */
PetscErrorCode MachineToTripDepthDose(const Machine *machine, PetscInt energy, TripDepthDose *out);
/** Spectra of one energy at its depth nodes; machines without spectra are refused (ROBION_INPUT). */
PetscErrorCode MachineToTripSpectra(const Machine *machine, PetscInt energy, Mistakes *mistakes, TripSpectra *out);

/* --- .sis: what the accelerator offers --- */

typedef struct TripBeamTable {
  TripName projectile;
  double file_version, table_version; /* sisfile (0 if not given), sistable */
  double charge, mass;                /* 0 if not given */
  PetscInt n, n_focus, n_intensity;
  double *energy_MeV_u;  /* [n] ascending; the first is a dummy of 0 in files of the accelerator, which count from 1 */
  double *focus_fwhm_mm; /* [n][n_focus] */
  double *intensity;     /* [n][n_intensity] particles per spill */
} TripBeamTable;

/** Checksums (esum, fsum, isum), where the file has them, must agree. */
PetscErrorCode TripBeamTableRead(const char *file, Mistakes *mistakes, TripBeamTable *out);
PetscErrorCode TripBeamTableWrite(const TripBeamTable *table, const char *file, Mistakes *mistakes);
PetscErrorCode TripBeamTableDestroy(TripBeamTable *table);

/**
 * RBE of these ions by LEM I (model lem1), at 80 energies between 0.1 and 1000 MeV/u in equal steps of ln(E): what others need to
 * plan with robion's biology, and what BiologySpec.table reads.
 */
PetscErrorCode TripRBEFromLEM1(const BiologySpec *spec, PetscInt n_species, const Species *species, TripRBE *out);

/* --- .rst: raster-scan plan of one field --- */

typedef struct TripRasterPoint {
  double x_mm, y_mm, particles;
} TripRasterPoint;

typedef struct TripRasterSlice {
  PetscInt energy_index, focus_index; /* of the accelerator's table, from 1 */
  double energy_MeV_u, focus_fwhm_mm;
  double step_x_mm, step_y_mm;
  double least, most, total; /* particles, as the header of the slice says */
  PetscInt n;
  TripRasterPoint *point;
  PetscInt line; /* of its submachine# in the file it was read from, for messages */
} TripRasterSlice;

typedef struct TripRaster {
  TripName version, sistable, patient, machine, projectile, bolus, ripple_filter;
  double charge, mass, gantry_deg, couch_deg;
  double least, most, total;
  PetscInt n;
  TripRasterSlice *slice;
} TripRaster;

/** The particle sums in the headers must agree with the points, to the digits that both are written with; a slice may have none. */
PetscErrorCode TripRasterRead(const char *file, Mistakes *mistakes, TripRaster *out);
PetscErrorCode TripRasterWrite(const TripRaster *raster, const char *file, Mistakes *mistakes);
PetscErrorCode TripRasterDestroy(TripRaster *raster);
/** Bring the particle sums of all headers up to date with the points. */
PetscErrorCode TripRasterSum(TripRaster *raster);

/**
 * The spots of a raster-scan file as those of the study's first beam, or of a folder's .rst files, sorted by name as `ls -v` does, as those of its
 * beams, with ion, energies and spot sizes (focus) of the files.
 * TRiP98's angles and axes, those of a fixed horizontal beam with x level and y up, are turned into IEC 61217: gantry + 90
 * deg, -90 deg - couch, (x, y) -> (-y, x), as pytrip does. The file does not say how far the two scanner magnets are;
 * TRiP98's classical dose algorithm takes the beam as parallel. A bolus is a warning: it is for machine.offset_mm, as ripple
 * filter and beam line are for the machine's other keys.
 */
PetscErrorCode SpotListReadRaster(const char *path, Mistakes *mistakes, SpotList *out);

/* --- all files of a machine, and of a plan --- */

/**
 * The folder `path` with a .ddd file and, where the machine has spectra, a .spc file per energy, the widths of its spots as ION.sis and
 * the RBE of its ions by LEM I as CELLS.rbe. What the files cannot say is a line of the log.
 */
PetscErrorCode MachineWriteTrip(const Machine *machine, const BiologySpec *rbe, const char *path, Mistakes *mistakes);

/**
 * The folder `path` with a raster-scan plan beam_N.rst per beam, energies counted as in its ION.sis, which has the widths of the spots.
 * Axes and angles are turned as SpotListReadRaster turns them back. Range shifters are left behind, as a line of the log.
 */
PetscErrorCode PlanWriteTrip(const PlanReader *plan, const char *plan_file, const char *path, Mistakes *mistakes);
