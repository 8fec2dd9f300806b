/* Lateral spread: multiple scattering in steps, the angles of fragments, components of the field, the ripple filter.
 * sanitizer: slow */
#include "base_data.h"
#include "machine_case.h"
#include <math.h>
#include <string.h>

static Fragmentation nuclear;

/* A machine of one energy. */
static Machine *OneEnergy(const MachineSpec *given, double energy_MeV_u)
{
  MachineSpec spec = *given;
  Machine *m = NULL;
  spec.energy_min_MeV_u = spec.energy_max_MeV_u = energy_MeV_u;
  assert_int_equal(BaseData(PETSC_COMM_SELF, &spec, &m), 0);
  return m;
}

static double At(const Machine *m, const double *table, double depth_mm)
{
  PetscInt d = 0;
  while (d + 2 < m->n_depth && m->depth_mm[d + 1] < depth_mm) d++;
  double t = (depth_mm - m->depth_mm[d]) / (m->depth_mm[d + 1] - m->depth_mm[d]);
  return (1 - t) * table[d] + t * table[d + 1];
}

/* Moments carried through steps of any length are Kanematsu's closed form. */
static void StepsAreExact(void **state)
{
  const Species carbon = {6, 12};
  const double range = 100;
  for (int n = 3; n < 1000; n *= 7) {
    Moments beam = {2, 0, 0, 0}; /* two ions */
    double step = 99.0 / n;
    for (int i = 0; i < n; i++) {
      Scattering on_the_way = ScatteringBetween(carbon, range - i * step, range - (i + 1) * step);
      MomentsDrift(&beam, step, &on_the_way);
    }
    assert_double_near(sqrt(beam.offset2_mm2 / 2), LateralSigma_mm(carbon, range, 99), 1e-6);
    assert_double_near(beam.angle2 / 2, ScatteringBetween(carbon, range, 1).angle2, 1e-12);
  }
}

/* An angle taken on half-way through a drift has half of it as its lever. */
static void KickHalfWay(void **state)
{
  Moments ions = {3, 0, 0, 0};
  Scattering none = {0};
  MomentsKick(&ions, 0.01, 2);
  MomentsDrift(&ions, 4, &none);
  assert_double_near(ions.angle2, 3 * 0.01, 1e-15);
  assert_double_near(ions.mixed_mm, 3 * 0.01 * 2, 1e-15);
  assert_double_near(ions.offset2_mm2, 3 * 0.01 * 4, 1e-15);
}

/* Goldhaber's angles at 400 MeV/u, mrad: hydrogen 60 to 100, and ever narrower for heavier fragments. */
static void FragmentAngles(void **state)
{
  const Species carbon = {6, 12},
                fragment[] = {{5, 11}, {5, 10}, {4, 9}, {3, 7}, {2, 4}, {2, 3}, {1, 3}, {1, 2}, {1, 1}};
  const double share[3] = {0.12, 0.28, 0.60}; /* of t, d, p in hydrogen */
  double before = 0, hydrogen2 = 0;
  for (int i = 0; i < 9; i++) {
    double mrad = 1e3 * sqrt(FragmentAngle2(&nuclear, carbon, fragment[i], 400));
    print_message("A = %2d: %5.1f mrad\n", (int)fragment[i].A, mrad);
    assert_true(mrad >= before - 1); /* 3He and 3H alike */
    before = mrad;
    if (i >= 6) hydrogen2 += share[i - 6] * mrad * mrad;
  }
  assert_true(sqrt(hydrogen2) > 60 && sqrt(hydrogen2) < 100);
  assert_double_near(FragmentAngle2(&nuclear, carbon, carbon, 400), 0, 0);
  assert_double_near(FragmentSpread_MeV_c(&nuclear, carbon, (Species){5, 11}), 90, 1e-9);
}

/* Sigma and share of the components beside the rule of thumb: primaries' sigma and 0.012 z or 0.05 z in quadrature. */
static void Components(void **state)
{
  const double energy[4] = {115.23, 200.61, 299.33, 398.84}, part[4] = {0.3, 0.6, 0.95, 1.2};
  MachineSpec spec;
  assert_int_equal(MachineSpecDefault(&spec), 0);
  print_message("MeV/u depth/R80   sigma mm: primaries  Z>=3 (rule)  Z<=2 (rule)   share: Z>=3 Z<=2\n");
  for (int i = 0; i < 4; i++) {
    Machine *m = OneEnergy(&spec, energy[i]);
    for (int j = 0; j < 4; j++) {
      double z = part[j] * m->r80_mm[0], sigma[3], share[3];
      for (int k = 0; k < 3; k++) {
        sigma[k] = At(m, m->sigma_mm + k * m->n_depth, z);
        share[k] = At(m, m->component + k * m->n_depth, z);
      }
      print_message("%5g %8.2f %15.2f %12.2f (%4.2f) %6.2f (%5.2f) %14.3f %.3f\n", energy[i], part[j], sigma[0],
                    sigma[1], hypot(sigma[0], 0.012 * z), sigma[2], hypot(sigma[0], 0.05 * z), share[1], share[2]);
      assert_true(sigma[1] > sigma[0] && sigma[2] > sigma[1]);
      if (part[j] > 1) assert_true(share[0] < 1e-3 && share[2] > 0.3);
    }
    for (PetscInt d = 0; d < m->n_depth; d++)
      assert_double_near(m->sigma_mm[d], LateralSigma_mm((Species){6, 12}, m->csda_range_mm[0], m->depth_mm[d]), 1e-9);
    assert_int_equal(MachineDestroy(&m), 0);
  }
}

/* In the first 60 mm fragments are made about evenly: their sigma is angle times depth over the root of 3, and scattering. */
static void EvenlyMade(void **state)
{
  double depth = 60, edge[31];
  for (int b = 0; b <= 30; b++) edge[b] = 0.1 * pow(10000, b / 30.0);
  TransportInput input = {&nuclear, {6, 12}, 399,  1,   1,
                          &depth,   30,      edge, 1e3, NULL}; /* so wide a spot that sigma is the rms */
  TransportField field;
  assert_int_equal(TransportRun(&input, &field), 0);
  for (PetscInt s = 1; s < field.n_species; s++) {
    double sigma = sqrt(field.species_sigma2_mm2[s]);
    /* of a beam half-way to 60 mm, less the velocity that the fragment loses as it is made */
    double energy = 360 * pow(1 - FragmentSlowing(&nuclear, (Species){6, 12}, field.species[s]), 2);
    double angle = sqrt(FragmentAngle2(&nuclear, (Species){6, 12}, field.species[s], energy));
    double want = hypot(angle * depth / sqrt(3), sqrt(field.species_sigma2_mm2[0]));
    if (field.species[s].A == 1) continue; /* some are knocked out of the target, at large angles */
    print_message("Z = %d, A = %2d: sigma %.3f mm at 60 mm, evenly made %.3f\n", (int)field.species[s].Z,
                  (int)field.species[s].A, sigma, want);
    assert_double_near(sigma / want, 1, 0.06);
  }
  assert_int_equal(TransportFieldDestroy(&field), 0);
}

/* 3 mm of water one metre before the isocentre; by hand from f = 7.69e-5 and the range. */
static void RippleFilter(void **state)
{
  MachineSpec spec, plain;
  assert_int_equal(MachineSpecDefault(&plain), 0);
  spec = plain;
  spec.ripple_thickness_mm = 3;
  spec.ripple_to_isocentre_mm = 1000;
  double before = 1e3;
  for (int i = 0; i < 3; i++) {
    double energy = (double[]){100, 200, 400}[i];
    Machine *m = OneEnergy(&spec, energy), *without = OneEnergy(&plain, energy);
    double R = m->csda_range_mm[0], f = 1e-3 * pow(6, -0.16) * pow(NuclearMass_u(6, 12) / 1.00728, -0.92);
    double angle2 = f * log(R / (R - 3)), covariance = f * (3 - (R - 3) * log(R / (R - 3)));
    double spot = sqrt(3.39728 * 3.39728 + 1e6 * angle2 + 2e3 * covariance);
    print_message("%g MeV/u: %.2f mrad, spot sigma %.3f mm instead of %.3f\n", energy, 1e3 * sqrt(angle2),
                  m->spot_sigma_mm[0], without->spot_sigma_mm[0]);
    assert_double_near(m->spot_sigma_mm[0], spot, 1e-4);
    assert_double_near(m->offset_mm, 3, 0);
    assert_true(m->spot_sigma_mm[0] < before && m->spot_sigma_mm[0] > without->spot_sigma_mm[0]);
    before = m->spot_sigma_mm[0];
    double z = 0.8 * R; /* the beam as a whole at this depth, followed from the filter through air and water */
    Moments beam = {1, 0, 0, 3.39728 * 3.39728};
    Scattering filter = ScatteringBetween((Species){6, 12}, R, R - 3), air = {0},
               water = ScatteringBetween((Species){6, 12}, R - 3, R - z);
    MomentsDrift(&beam, 3, &filter);
    MomentsDrift(&beam, 1000, &air);
    MomentsDrift(&beam, z - 3, &water);
    for (int k = 0; k < 3; k++) {
      double sigma = At(m, m->sigma_mm + k * m->n_depth, z), bare = At(without, without->sigma_mm + k * m->n_depth, z);
      if (k == 0) assert_double_near(hypot(m->spot_sigma_mm[0], sigma), sqrt(beam.offset2_mm2), 2e-3);
      /* what light fragments have beside the spot depends on its size */
      if (k < LATERAL_LIGHT)
        assert_double_near(sigma * sigma - bare * bare, 2 * (z - 3) * 1000 * angle2, 0.01 * sigma * sigma);
    }
    assert_non_null(strstr(m->source, "3 mm water at 1000 mm"));
    assert_int_equal(MachineDestroy(&m), 0);
    assert_int_equal(MachineDestroy(&without), 0);
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
  const struct CMUnitTest tests[] = {cmocka_unit_test(StepsAreExact),  cmocka_unit_test(KickHalfWay),
                                     cmocka_unit_test(FragmentAngles), cmocka_unit_test(Components),
                                     cmocka_unit_test(EvenlyMade),     cmocka_unit_test(RippleFilter)};
  return cmocka_run_group_tests(tests, Start, Stop);
}
