/**
 * From diffusion MRI to cells. Part of step 2.
 *
 * A voxel is a fraction f of spherical cells of radius R, in which water diffuses with D_i behind impermeable walls, and the
 * space between them with the hindered D_0 / (1 + f/2) (Maxwell):
 *
 *     S(b)/S(0) = f S_sphere(R, D_i, delta, Delta, b) + (1 - f) exp(-b D_0 / (1 + f/2))
 *     cells per voxel = f V / (4/3 pi R^3),  clonogens = clonogenic fraction x cells
 *
 * S_sphere is the Gaussian phase approximation (Murday and Cotts, J Chem Phys 48:4938, 1968; Balinov et al., J Magn Reson A 104:17,
 * 1993). The clinical ADC is the least-squares slope of ln S over the b-values. Units: um, ms, um2/ms (= 1e-3 mm2/s), ms/um2
 * (= 1000 s/mm2).
 */
#pragma once
#include "robion/error.h"

enum { ADC_MOST_B = 32 };

/** Pulsed gradients: their duration, their distance, and the b-values they are given with (ascending). */
typedef struct DiffusionProtocol {
  double delta_ms, Delta_ms;
  PetscInt n_b;
  double b_ms_um2[ADC_MOST_B];
} DiffusionProtocol;

/** A tissue of the forward model. */
typedef struct DiffusionTissue {
  double radius_um, fraction; /* R, f */
  double Di_um2_ms, D0_um2_ms;
} DiffusionTissue;

/**
 * Signal of water in spheres, relative to b = 0, by the Gaussian phase approximation. Of its series 12 terms are summed: good to
 * 1e-4 of -ln S up to 12 um, to 0.3 % up to 50 um; not for spheres of hundreds of um.
 */
double SphereSignal(double radius_um, double D_um2_ms, double delta_ms, double Delta_ms, double b_ms_um2);

/** S(b)/S(0) of a tissue. */
double DiffusionSignal(const DiffusionTissue *tissue, const DiffusionProtocol *protocol, double b_ms_um2);

/** What a tissue is made of, as the derivatives by it are counted. */
enum { TISSUE_FRACTION, TISSUE_RADIUS, TISSUE_DI, TISSUE_D0, N_TISSUE };

/** -ln S(b)/S(0) of a tissue with cells, and its derivatives, for every b-value of the protocol. */
void DiffusionAttenuations(const DiffusionTissue *tissue, const DiffusionProtocol *protocol, double *minus_ln,
                           double (*slope)[N_TISSUE]);

/** Least-squares slope of -ln signal over the protocol's b-values, um2/ms. Signals must be above 0. */
double ADCOfSignals(const DiffusionProtocol *protocol, const double *signal);

/** The ADC of a tissue under a protocol, um2/ms. */
double ADCOfTissue(const DiffusionTissue *tissue, const DiffusionProtocol *protocol);

/** Cells in a voxel of so many mm3. */
double CellsOfTissue(const DiffusionTissue *tissue, double volume_mm3);

/**
 * The library's axes and the prior. One ADC fixes little but f: what it leaves open is decided by normal priors of R, D_i and D_0
 * (f: flat).
 */
typedef struct ADCLibrarySpec {
  double radius_um[2], fraction[2], Di_um2_ms[2],
      D0_um2_ms[2]; /* lowest, highest; default 3-12, 0.2-0.75, 0.8-1.2, 1.6-2.4 */
  double radius_prior_um[2], Di_prior_um2_ms[2],
      D0_prior_um2_ms[2];     /* mean, SD; default 5 +- 0.5, 1 +- 0.1, 2 +- 0.2 */
  double adc_sd_um2_ms;       /* of a measured ADC; default 0.02 */
  double clonogenic_fraction; /* default 0.01 */
} ADCLibrarySpec;

PetscErrorCode ADCLibrarySpecDefault(ADCLibrarySpec *spec);
PetscErrorCode DiffusionProtocolDefault(DiffusionProtocol *protocol); /* b = 0, 0.4, 1 ms/um2; delta 20, Delta 40 ms */

/** Ranges and numbers that cannot be, one mistake each (ROBION_COMMAND_LINE). */
PetscErrorCode ADCCheck(const ADCLibrarySpec *spec, const DiffusionProtocol *protocol, Mistakes *mistakes);

typedef struct ADCLibrary_private *ADCLibrary;

/** Compute the tissues at which searches start. Not collective. */
PetscErrorCode ADCLibraryCreate(const ADCLibrarySpec *spec, const DiffusionProtocol *protocol, ADCLibrary *library);
PetscErrorCode ADCLibraryDestroy(ADCLibrary *library);

/** What a voxel's measurement matches best. */
typedef struct ADCMatch {
  DiffusionTissue tissue;
  double adc_um2_ms;  /* of the library's tissue */
  double rmse_um2_ms; /* measured minus library: of the ADC, or root mean square over the b-values */
} ADCMatch;

/**
 * The tissue of greatest posterior for a measured ADC, to 1e-6 of its number of cells; RMSE is the difference that is left. Some
 * 30 us.
 */
ADCMatch ADCMatchADC(ADCLibrary library, double adc_um2_ms);

/**
 * The same for signals at all b-values of the protocol, the first of which is the reference: the apparent coefficients
 * ln(S_0/S_k)/(b_k - b_0) are matched, and RMSE is over them. Signals must be above 0.
 */
ADCMatch ADCMatchSignals(ADCLibrary library, const double *signal);

/**
 * How sure a number of cells is (Parrella et al.): with g = exp(-rmse^2 / 2 sigma^2), sigma the SD of the RMSE over the
 * fitting set, the fewest cells are (0.5 + 0.5 g) N and the most (1.5 - 0.5 g) N.
 */
typedef enum { CELLS_NOMINAL, CELLS_BEST, CELLS_WORST, N_CELL_CASES } CellCase;
double CellCaseWeight(CellCase which, double rmse_um2_ms, double sigma_um2_ms);
