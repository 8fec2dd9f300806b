/*
 * Specific energy of a cylinder (domain, nucleus) from the Kiefer-Chatterjee track.
 *
 * The radial dose is constant in a core and K/r^2 in the penumbra around it (Kiefer & Straaten, PMB 31:1201, 1986; Chatterjee &
 * Schaefer, Radiat Environ Biophys 13:215, 1976; as used by Inaniwa et al., PMB 55:6721, 2010). The integral of 1/r^2 over a disc
 * has a closed form; only where core or rim of the penumbra cut the disc does it take a quadrature.
 */
#include "biology_private.h"
#include <gsl/gsl_integration.h>
#include <math.h>

#define ATOMIC_MASS_MEV 931.494
#define CORE_RADIUS_UM 0.0116     /* x beta */
#define PENUMBRA_RADIUS_UM 0.0616 /* x (E in MeV/u)^1.7 */
#define PENUMBRA_GY_UM2 1.25e-4   /* K = 1.25e-4 (Z_eff/beta)^2 */
#define BARKAS 125.0              /* Z_eff = Z (1 - exp(-125 beta Z^(-2/3))) */
#define RIM_POINTS 16             /* Gauss-Legendre points where the disc is cut */
#define TOLERANCE 1e-5            /* relative, of the integral over tracks */
#define INTERVALS 200             /* most intervals of the adaptive quadrature */

typedef struct Track {
  double let_Gy_um2; /* LET over density */
  double core_um, penumbra_um;
  double core_Gy, penumbra_Gy_um2; /* dose in the core; K */
} Track;

/* A cylinder in the way of tracks. */
typedef struct Target {
  Track track;
  double radius_um, z0_Gy;
  PetscBool logarithmic; /* the integration variable is the distance's logarithm */
  const gsl_integration_glfixed_table *rim;
} Target;

static Track TrackMake(PetscInt Z, PetscInt A, double energy_MeV_u)
{
  double gamma = 1.0 + energy_MeV_u / ATOMIC_MASS_MEV, beta = sqrt((gamma - 1.0) * (gamma + 1.0)) / gamma;
  double charge = -(double)Z * expm1(-BARKAS * beta / cbrt((double)(Z * Z)));
  Track t = {.let_Gy_um2 = GY_UM2_PER_KEV_UM * LET_keV_um(Z, A, energy_MeV_u),
             .core_um = CORE_RADIUS_UM * beta,
             .penumbra_um = PENUMBRA_RADIUS_UM * pow(energy_MeV_u, 1.7),
             .penumbra_Gy_um2 = PENUMBRA_GY_UM2 * charge * charge / (beta * beta)};
  t.penumbra_um = PetscMax(t.penumbra_um, t.core_um);
  /* Slow ions: the penumbra may not hold more than there is. */
  double ln = log(t.penumbra_um / t.core_um);
  if (ln > 0) t.penumbra_Gy_um2 = PetscMin(t.penumbra_Gy_um2, t.let_Gy_um2 / (2.0 * M_PI * ln));
  t.core_Gy = (t.let_Gy_um2 - 2.0 * M_PI * t.penumbra_Gy_um2 * ln) / (M_PI * t.core_um * t.core_um);
  return t;
}

/* Area common to two discs of radii a and c, their centres a distance apart. */
static double CommonArea(double a, double c, double distance)
{
  double least = PetscMin(a, c);
  if (distance >= a + c) return 0;
  if (distance <= fabs(a - c)) return M_PI * least * least;
  double x = ((distance - a) * (distance + a) + c * c) / (2.0 * distance); /* chord, from the centre of c */
  double y = ((distance - c) * (distance + c) + a * a) / (2.0 * distance), h = c * c - x * x;
  return c * c * acos(PetscClipInterval(x / c, -1.0, 1.0)) + a * a * acos(PetscClipInterval(y / a, -1.0, 1.0)) -
         distance * sqrt(PetscMax(h, 0.0));
}

/* Integral of 1/r^2 over the part of the disc at lo < r < hi from the track, where circles around the track cross its rim. */
static double CutRing(const Target *target, double distance, double lo, double hi)
{
  double mid = 0.5 * log(lo * hi), half = 0.5 * log(hi / lo), sum = 0, a = target->radius_um;
  for (size_t i = 0; i < RIM_POINTS; i++) {
    double t, weight; /* ln r = mid + half sin t takes the square roots at both ends away */
    gsl_integration_glfixed_point(-0.5 * M_PI, 0.5 * M_PI, i, &t, &weight, target->rim);
    double r = exp(mid + half * sin(t)), cosine = ((r - a) * (r + a) + distance * distance) / (2.0 * r * distance);
    sum += weight * half * cos(t) * 2.0 * acos(PetscClipInterval(cosine, -1.0, 1.0));
  }
  return sum;
}

/* Integral of 1/r^2 over the disc between core and penumbra radius. */
static double PenumbraIntegral(const Target *target, double distance)
{
  const Track *t = &target->track;
  double a = target->radius_um, near = fabs(a - distance), far = a + distance, sum = 0;
  if (near >= t->core_um && far <= t->penumbra_um) {
    double power = near * far; /* |a^2 - distance^2| */
    return distance < a ? M_PI * log(power / (t->core_um * t->core_um)) : M_PI * log(distance * distance / power);
  }
  if (distance < a && near > t->core_um) sum = 2.0 * M_PI * log(PetscMin(near, t->penumbra_um) / t->core_um);
  double lo = PetscMax(near, t->core_um), hi = PetscMin(far, t->penumbra_um);
  return hi > lo ? sum + CutRing(target, distance, lo, hi) : sum;
}

static double TargetDose(const Target *target, double distance)
{
  const Track *t = &target->track;
  double a = target->radius_um;
  double energy =
      t->core_Gy * CommonArea(a, t->core_um, distance) + t->penumbra_Gy_um2 * PenumbraIntegral(target, distance);
  return energy / (M_PI * a * a);
}

/* z^2 b, or z'^2 b with z'^2 = z0^2 (1 - exp(-z^2/z0^2)). */
static double SquaredDose(double variable, void *context)
{
  const Target *target = context;
  double distance = target->logarithmic ? exp(variable) : variable, z = TargetDose(target, distance),
         z0 = target->z0_Gy;
  double squared = z0 > 0 ? -z0 * z0 * expm1(-z * z / (z0 * z0)) : z * z;
  return squared * distance * (target->logarithmic ? distance : 1.0);
}

static int Ascending(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Integral of SquaredDose over all distances, piecewise between the distances at which a circle touches the rim. */
static double IntegrateSquaredDose(Target *target)
{
  const Track *t = &target->track;
  double a = target->radius_um, sum = 0;
  double edge[] = {0, fabs(a - t->core_um), a, a + t->core_um, fabs(a - t->penumbra_um), a + t->penumbra_um};
  const size_t n = PETSC_STATIC_ARRAY_LENGTH(edge);
  gsl_integration_cquad_workspace *workspace = gsl_integration_cquad_workspace_alloc(INTERVALS);
  gsl_function function = {SquaredDose, target};
  qsort(edge, n, sizeof *edge, Ascending);
  for (size_t i = 0; i + 1 < n; i++) {
    double part, lo = edge[i], hi = edge[i + 1];
    if (!(hi - lo > 1e-12 * hi)) continue;
    target->logarithmic = lo > 0 ? PETSC_TRUE : PETSC_FALSE;
    if (lo > 0) lo = log(lo), hi = log(hi);
    /* The pieces from within come first and hold most: the rest need not be better than the sum. */
    gsl_integration_cquad(&function, lo, hi, TOLERANCE * sum, TOLERANCE, workspace, &part, NULL, NULL);
    sum += part;
  }
  gsl_integration_cquad_workspace_free(workspace);
  return sum;
}

double SpecificEnergy_Gy(PetscInt Z, PetscInt A, double energy_MeV_u, double radius_um, double z0_Gy)
{
  gsl_integration_glfixed_table *rim = gsl_integration_glfixed_table_alloc(RIM_POINTS);
  Target target = {.track = TrackMake(Z, A, energy_MeV_u), .radius_um = radius_um, .z0_Gy = z0_Gy, .rim = rim};
  /* The integral of z 2 pi b over all distances is LET/density, whatever the radius. */
  double mean = IntegrateSquaredDose(&target) * 2.0 * M_PI / target.track.let_Gy_um2;
  gsl_integration_glfixed_table_free(rim);
  return mean;
}

double TrackDose_Gy(PetscInt Z, PetscInt A, double energy_MeV_u, double radius_um, double distance_um)
{
  gsl_integration_glfixed_table *rim = gsl_integration_glfixed_table_alloc(RIM_POINTS);
  Target target = {.track = TrackMake(Z, A, energy_MeV_u), .radius_um = radius_um, .rim = rim};
  double dose = TargetDose(&target, distance_um);
  gsl_integration_glfixed_table_free(rim);
  return dose;
}
