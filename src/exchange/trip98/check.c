/* Whether depth doses of TRiP98 can be what they say: of water, of their energy, with widths in the unit they say. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strcasestr */
#endif
#include "robion/log.h"
#include "trip_private.h"
#include <math.h>
#include <string.h>

static const double density_tolerance = 0.05;                       /* of water's */
static const double range_tolerance = 0.03, range_tolerance_mm = 4; /* ripple filters and beam lines shorten it */
static const double least_ratio = 0.4,
                    most_ratio = 5; /* of widths at the peak to those of the projectile's scattering */

static const char *const unit_names[N_TRIP_UNITS] = {"", "g/cm2", "mm"};

PetscBool TripCheckWater(const char *file, const TripDepthDose *dose, Mistakes *mistakes)
{
  if (*dose->material && !strcasestr(dose->material, "H2O") && !strcasestr(dose->material, "water")) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: !material is \"%.40s\", expected H2O", file, dose->material);
    return PETSC_FALSE;
  }
  if (fabs(dose->density_g_cm3 - 1) <= density_tolerance) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: !density is %g g/cm3, expected that of water, 1", file,
                    dose->density_g_cm3);
  return PETSC_FALSE;
}

/*
 * The widths at the peak, less those at the first depth, in those of the projectile's scattering there; NAN where the table does not
 * tell. Fragments make the narrow Gaussian up to some 2 to 3 times as wide.
 */
static double WidthRatio(const TripDepthDose *dose)
{
  PetscInt peak = 0;
  for (PetscInt i = 1; i < dose->n; i++)
    if (dose->depth[i].dose_MeV_cm2_g > dose->depth[peak].dose_MeV_cm2_g) peak = i;
  const double range_mm = CSDARange_mm(dose->species.Z, dose->species.A, dose->energy_MeV_u);
  const double depth_mm = PetscMin(range_mm, dose->depth[peak].z_g_cm2 * MM_PER_G_CM2);
  const double wide = dose->depth[peak].fwhm1_g_cm2, first = dose->depth[0].fwhm1_g_cm2;
  if (!(wide > first) || !(depth_mm > 0)) return NAN;
  return sqrt(wide * wide - first * first) * MM_PER_G_CM2 / FWHM_PER_SIGMA /
         LateralSigma_mm(dose->species, range_mm, depth_mm);
}

static PetscBool IsLikely(double ratio)
{
  return ratio >= least_ratio && ratio <= most_ratio ? PETSC_TRUE : PETSC_FALSE;
}

PetscBool TripSettleWidths(const char *file, TripDepthDose *dose, TripWidths *widths, Mistakes *mistakes)
{
  const TripUnit said = dose->width_unit, other = said == TRIP_MM ? TRIP_G_CM2 : TRIP_MM;
  const double factor = other == TRIP_MM ? 1 / MM_PER_G_CM2 : MM_PER_G_CM2, ratio = WidthRatio(dose);
  widths->n_none += !dose->lateral;
  if (!dose->lateral) return PETSC_TRUE;
  if (isnan(ratio) || IsLikely(ratio)) {
    widths->n_as_said[said]++;
    return PETSC_TRUE;
  }
  if (!IsLikely(factor * ratio)) {
    (void)MistakesAdd(mistakes, ROBION_INPUT,
                      "%s: FWHM1 at the peak is %.3g times what scattering in water gives, taken in %s, expected %g to "
                      "%g times in g/cm2 or in mm",
                      file, ratio, said == TRIP_MM ? "mm" : "g/cm2", least_ratio, most_ratio);
    return PETSC_FALSE;
  }
  widths->n_changed[said]++;
  for (PetscInt i = 0; i < dose->n; i++) {
    dose->depth[i].fwhm1_g_cm2 *= factor;
    dose->depth[i].fwhm2_g_cm2 *= factor;
  }
  return PETSC_TRUE;
}

void TripTellWidths(const char *path, const TripWidths *w)
{
  for (int said = 0; said < N_TRIP_UNITS; said++) {
    const TripUnit taken = said == TRIP_MM ? TRIP_MM : TRIP_G_CM2, other = said == TRIP_MM ? TRIP_G_CM2 : TRIP_MM;
    if (w->n_as_said[said])
      LogLine(LOG_INFO, "import", NULL, "%s: lateral widths of %d energies taken in %s, %s", path,
              (int)w->n_as_said[said], unit_names[taken], said == TRIP_UNSAID ? "no unit being said" : "as is said");
    if (w->n_changed[said])
      LogLine(LOG_WARNING, "import", NULL,
              "%s: lateral widths of %d energies taken in %s: in %s, %s, they would not fit the scattering in water",
              path, (int)w->n_changed[said], unit_names[other], unit_names[taken],
              said == TRIP_UNSAID ? "the unit of the format" : "as is said");
  }
  if (w->n_none)
    LogLine(LOG_WARNING, "import", NULL, "%s: no lateral widths at %d energies: beams stay as narrow as in air", path,
            (int)w->n_none);
}

PetscErrorCode TripCheckRanges(const Machine *m, const char *path, Mistakes *mistakes)
{
  PetscFunctionBegin;
  for (PetscInt e = 0; e < m->n_energy; e++) {
    const double range = m->csda_range_mm[e], tolerance = range_tolerance * range + range_tolerance_mm;
    if (fabs(m->r80_mm[e] - range) <= tolerance) continue;
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: R80 is %.4g mm at %g MeV/u, expected %.4g mm within %.2g mm: are !energy in MeV/u and "
                          "depths in g/cm2?",
                          path, m->r80_mm[e], m->energy_MeV_u[e], range, tolerance));
  }
  PetscFunctionReturn(0);
}
