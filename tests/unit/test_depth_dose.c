/*
 * Absolute depth doses of 12C against matRad's generic carbon machine, whose depth 0 lies behind 2.89 mm of beam line with a
 * ripple filter of the same kind; and the fragments of each charge just before the peak.
 * sanitizer: slow
 */
#include "../../src/machine/machine_private.h"
#include "base_data.h"
#include "reference.h"

static Fragmentation nuclear;

enum { ENERGIES = 7 };
static const double nominal_MeV_u[ENERGIES] = {115, 151, 201, 251, 299, 350, 399};
static const double offset_mm = 2.89;

typedef struct DepthDose {
  PetscInt n;
  const double *depth_mm, *dose;
  double scale, shift_mm; /* to MeV cm2/g, and from the axis of depth_mm */
} DepthDose;

static double At(const DepthDose *c, double depth_mm)
{
  PetscInt d = 0;
  double z = depth_mm - c->shift_mm;
  while (d + 2 < c->n && c->depth_mm[d + 1] < z) d++;
  double t = (z - c->depth_mm[d]) / (c->depth_mm[d + 1] - c->depth_mm[d]);
  return c->scale * ((1 - t) * c->dose[d] + t * c->dose[d + 1]);
}

static PetscInt PeakOf(const DepthDose *c)
{
  PetscInt peak = 0;
  for (PetscInt d = 0; d < c->n; d++)
    if (c->dose[d] > c->dose[peak]) peak = d;
  return peak;
}

/* Depth behind the peak at which the dose has fallen to a share of it. */
static double Distal_mm(const DepthDose *c, double share)
{
  PetscInt d = PeakOf(c);
  double level = share * c->dose[d];
  while (c->dose[d + 1] >= level) d++;
  double t = (c->dose[d] - level) / (c->dose[d] - c->dose[d + 1]);
  return c->shift_mm + c->depth_mm[d] + t * (c->depth_mm[d + 1] - c->depth_mm[d]);
}

/* One of ours over theirs at a depth beyond which their table goes on; 1 else. */
static double Ratio(const DepthDose *ours, const DepthDose *theirs, double depth_mm)
{
  return depth_mm < theirs->shift_mm + theirs->depth_mm[theirs->n - 1] ? At(ours, depth_mm) / At(theirs, depth_mm) : 1;
}

static void Hold(double energy_MeV_u, const char *what, double found, double expected, double tolerance, int *failures)
{
  if (fabs(found - expected) <= tolerance) return;
  print_error("%g MeV/u: %s is %.3f, expected %g +- %g\n", energy_MeV_u, what, found, expected, tolerance);
  ++*failures;
}

/* R80 0.5 mm, half of it 4 %, peak 6 %, distal falloff 0.4 mm, tail 20 %. */
static void Compare(double energy_MeV_u, const DepthDose *ours, const DepthDose *theirs, int *failures)
{
  double r80 = Distal_mm(theirs, 0.8), dr = Distal_mm(ours, 0.8) - r80;
  double falloff = Distal_mm(ours, 0.2) - Distal_mm(ours, 0.8), theirs_falloff = Distal_mm(theirs, 0.2) - r80;
  double entrance = Ratio(ours, theirs, theirs->shift_mm), plateau = Ratio(ours, theirs, 0.5 * r80);
  double peak = ours->scale * ours->dose[PeakOf(ours)] / (theirs->scale * theirs->dose[PeakOf(theirs)]);
  double near = Ratio(ours, theirs, r80 + 10), far = Ratio(ours, theirs, r80 + 50);
  print_message("%9.2f %7.2f %6.2f %8.3f %7.3f %6.3f %6.2f (%4.2f) %6.3f %6.3f\n", energy_MeV_u, r80, dr, entrance,
                plateau, peak, falloff, theirs_falloff, near, far);
  Hold(energy_MeV_u, "R80 over theirs, mm,", dr, 0, 0.5, failures);
  Hold(energy_MeV_u, "dose at half range over theirs", plateau, 1, 0.04, failures);
  Hold(energy_MeV_u, "peak over theirs", peak, 1, 0.06, failures);
  Hold(energy_MeV_u, "distal falloff, mm,", falloff, theirs_falloff, 0.4, failures);
  Hold(energy_MeV_u, "dose 10 mm behind R80 over theirs", near, 1, 0.20, failures);
  Hold(energy_MeV_u, "dose 50 mm behind R80 over theirs", far, 1, 0.20, failures);
}

static PetscInt Nearest(PetscInt n, const double *energy, double wanted)
{
  PetscInt best = 0;
  for (PetscInt i = 1; i < n; i++)
    if (fabs(energy[i] - wanted) < fabs(energy[best] - wanted)) best = i;
  return best;
}

static void MatRadDepthDose(void **state)
{
  enum { THEIR_ENERGIES = 121, THEIR_DEPTHS = 135 };
  char path[PETSC_MAX_PATH_LEN];
  H5Source source = ReferenceOpen("reference/matrad_carbon_generic.h5", path);
  double *energy = ReferenceArray(&source, "", "energy", 1, THEIR_ENERGIES), chosen[ENERGIES];
  double *depth = ReferenceArray(&source, "", "depth", 2, THEIR_ENERGIES * THEIR_DEPTHS);
  double *idd = ReferenceArray(&source, "", "idd", 2, THEIR_ENERGIES * THEIR_DEPTHS);
  PetscInt row[ENERGIES];
  MachineSpec spec;
  Machine *m;
  int failures = 0;
  for (int e = 0; e < ENERGIES; e++) {
    row[e] = Nearest(THEIR_ENERGIES, energy, nominal_MeV_u[e]);
    chosen[e] = energy[row[e]];
  }
  assert_int_equal(MachineSpecDefault(&spec), 0);
  spec.n_energy = ENERGIES;
  spec.energy_MeV_u = chosen;
  assert_int_equal(BaseData(PETSC_COMM_SELF, &spec, &m), 0);
  print_message(
      "    MeV/u     R80     dR80 entrance plateau  peak  80-20 (theirs)  +10 mm  +50 mm   (ours/theirs, mm)\n");
  for (int e = 0; e < ENERGIES; e++) {
    const DepthDose ours = {m->n_depth, m->depth_mm + e * m->n_depth, m->idd_Gy_mm2 + e * m->n_depth,
                            1 / GY_MM2_PER_MEV_CM2_G, -offset_mm};
    const DepthDose theirs = {THEIR_DEPTHS, depth + row[e] * THEIR_DEPTHS, idd + row[e] * THEIR_DEPTHS, 1, 0};
    Compare(chosen[e], &ours, &theirs, &failures);
  }
  assert_int_equal(MachineDestroy(&m), 0);
  ReferenceClose(&source);
  assert_int_equal(PetscFree(energy) || PetscFree(depth) || PetscFree(idd), 0);
  assert_int_equal(failures, 0);
}

/*
 * Ions of each charge per primary, 3 sigma of range before its end. Carbon of any mass: 0.63 to 0.72 at 200 MeV/u, 0.26 to
 * 0.34 at 400 (Haettner et al. 2006, Schardt et al. 2010); the others within a factor of two of a calculation with the
 * same approximations but other yields.
 */
static void FluenceBeforePeak(void **state)
{
  const double energy[2] = {200, 400}, carbon[2][2] = {{0.63, 0.72}, {0.26, 0.34}};
  const double expected[2][6] = {{0, 0.36, 0.34, 0.04, 0.03, 0.08}, {0, 0.88, 0.66, 0.07, 0.05, 0.11}};
  MachineSpec spec;
  assert_int_equal(MachineSpecDefault(&spec), 0);
  for (int i = 0; i < 2; i++) {
    double range = CSDARange_mm(6, 12, energy[i]), sigma = RangeSpread_mm(&spec, (Species){6, 12}, energy[i]);
    double depth = range - 3 * sigma, edge[31], share[7];
    for (int b = 0; b <= 30; b++) edge[b] = 0.1 * pow(5000, b / 30.0);
    TransportInput input = {&nuclear, {6, 12}, energy[i], sigma, 1, &depth, 30, edge, 0, NULL};
    TransportField field;
    assert_int_equal(TransportRun(&input, &field), 0);
    for (PetscInt Z = 1; Z <= 6; Z++) share[Z] = TransportFluenceOfCharge(&field, 0, Z);
    print_message("%g MeV/u: H %.2f He %.2f Li %.3f Be %.3f B %.3f C %.3f\n", energy[i], share[1], share[2], share[3],
                  share[4], share[5], share[6]);
    assert_true(share[6] > carbon[i][0] && share[6] < carbon[i][1]);
    for (int Z = 1; Z <= 5; Z++) assert_true(share[Z] > 0.5 * expected[i][Z] && share[Z] < 2 * expected[i][Z]);
    assert_int_equal(TransportFieldDestroy(&field), 0);
  }
}

static int Start(void **state)
{
  if (FragmentationLoad(NULL, &nuclear)) return 1;
  return PetscInitializeNoArguments();
}

static int Stop(void **state)
{
  return PetscFinalize();
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(MatRadDepthDose), cmocka_unit_test(FluenceBeforePeak)};
  return cmocka_run_group_tests(tests, Start, Stop);
}
