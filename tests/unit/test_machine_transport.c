/* Depth dose, LET and fragments of the one-dimensional transport against published depth doses and yields.
 * sanitizer: slow timeout: 300 */
#include "../../src/machine/machine_private.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base_data.h"
#include "near.h"

static Fragmentation nuclear;

#define GY_MM2 1.6021766208e-8

/* The default machine at one energy. */
static Machine *OneEnergy(const char *ion, double energy_MeV_u)
{
  MachineSpec spec;
  Machine *m = NULL;
  assert_int_equal(MachineSpecDefault(&spec), 0);
  spec.ion = ion;
  spec.energy_min_MeV_u = spec.energy_max_MeV_u = energy_MeV_u;
  assert_int_equal(BaseData(PETSC_COMM_SELF, &spec, &m), 0);
  assert_int_equal(m->n_energy, 1);
  return m;
}

static double At(const Machine *m, const double *table, double depth_mm)
{
  PetscInt d = 0;
  while (d + 2 < m->n_depth && m->depth_mm[d + 1] < depth_mm) d++;
  double t = (depth_mm - m->depth_mm[d]) / (m->depth_mm[d + 1] - m->depth_mm[d]);
  return (1 - t) * table[d] + t * table[d + 1];
}

static PetscInt PeakOf(const Machine *m)
{
  PetscInt peak = 0;
  for (PetscInt d = 0; d < m->n_depth; d++)
    if (m->idd_Gy_mm2[d] > m->idd_Gy_mm2[peak]) peak = d;
  return peak;
}

/*
 * Absolute depth doses of matRad's generic carbon machine, MeV cm2/g per primary. Its depth 0 lies behind 2.89 mm of beam line.
 * Tolerances: entrance 4.5 %, half and nine tenths of R80 6.5 %, peak 10 %, R80 0.6 mm, 10 mm behind R80 20 %, 50 mm 10 %,
 * 100 mm 15 %.
 */
static void MatRadDepthDose(void **state)
{
  const double table[7][9] = {{115.23, 30.7, 251.6, 315.2, 622.5, 974.2, 14.9, 0, 0},
                              {150.71, 50.9, 200.7, 249.4, 466.1, 893.0, 24.0, 0, 0},
                              {200.61, 85.0, 161.3, 194.6, 342.5, 768.9, 33.4, 14.2, 0},
                              {250.51, 125.2, 138.8, 160.5, 265.2, 642.4, 39.9, 19.9, 12.7},
                              {299.33, 169.1, 124.3, 137.5, 212.2, 526.3, 44.0, 25.2, 17.3},
                              {349.91, 219.4, 113.6, 119.3, 171.4, 418.0, 46.1, 30.9, 21.3},
                              {398.84, 271.5, 106.0, 105.8, 141.2, 329.7, 46.6, 34.6, 24.9}};
  print_message("ours/matRad:  E    R80-R80 entrance  R/2  0.9R  peak  +10   +50  +100\n");
  for (int i = 0; i < 7; i++) {
    const double *row = table[i], offset = 2.89, r80 = row[1];
    Machine *m = OneEnergy("12C", row[0]);
    const double depth[6] = {0, r80 / 2, 0.9 * r80, r80 + 10, r80 + 50, r80 + 100};
    const double tolerance[6] = {0.045, 0.065, 0.065, 0.20, 0.10, 0.15};
    double ratio[6], peak = m->idd_Gy_mm2[PeakOf(m)] / GY_MM2 / row[5];
    for (int k = 0; k < 6; k++) {
      double want = row[k < 3 ? 2 + k : 3 + k];
      ratio[k] = want > 0 ? At(m, m->idd_Gy_mm2, depth[k] + offset) / GY_MM2 / want : 1;
      if (fabs(ratio[k] - 1) > tolerance[k])
        fail_msg("%g MeV/u, depth %g mm: %g of matRad's dose", row[0], depth[k], ratio[k]);
    }
    print_message("%17.2f %6.2f  %6.3f %6.3f %5.3f %5.3f %5.3f %5.3f %5.3f\n", row[0], m->r80_mm[0] - offset - r80,
                  ratio[0], ratio[1], ratio[2], peak, ratio[3], ratio[4], ratio[5]);
    assert_double_near(peak, 1, 0.10);
    assert_double_near(m->r80_mm[0] - offset, r80, 0.6);
    assert_int_equal(MachineDestroy(&m), 0);
  }
}

/* R80 is the mean range; the dose adds up to less than the beam's energy, the rest leaves with neutrons and deep protons. */
static void RangeAndEnergyBalance(void **state)
{
  double before = 1;
  for (double energy = 80; energy < 441; energy += 90) {
    Machine *m = OneEnergy("12C", energy);
    double sum = 0;
    for (PetscInt d = 1; d < m->n_depth; d++)
      sum += 0.5 * (m->depth_mm[d] - m->depth_mm[d - 1]) * (m->idd_Gy_mm2[d] + m->idd_Gy_mm2[d - 1]);
    double fraction = sum / GY_MM2 * 0.1 / (12 * energy); /* MeV cm2/g over mm of unit density is 0.1 MeV */
    print_message("%g MeV/u: R80 - range %.3f mm, %.3f of the beam energy is dose\n", energy,
                  m->r80_mm[0] - m->csda_range_mm[0], fraction);
    assert_double_near(m->r80_mm[0], m->csda_range_mm[0], 0.3);
    assert_true(fraction < before && fraction > 0.68);
    before = fraction;
    assert_int_equal(MachineDestroy(&m), 0);
  }
}

/* LETd starts at the stopping power's and rises up to the peak; sanity bands behind it. */
static void LETWithDepth(void **state)
{
  for (double energy = 80; energy < 441; energy += 90) {
    Machine *m = OneEnergy("12C", energy);
    PetscInt peak = PeakOf(m);
    assert_double_near(m->letd_keV_um[0] / LET_keV_um(6, 12, energy), 1, 0.04);
    double least_rise = INFINITY; /* between nodes, over LETd */
    for (PetscInt d = 1; d <= peak; d++)
      least_rise = PetscMin(least_rise, m->letd_keV_um[d] / m->letd_keV_um[d - 1] - 1);
    print_message(
        "%g MeV/u: entrance LETd over LET %.5f; up to the peak the least step between depths is %+.1e of LETd\n",
        energy, m->letd_keV_um[0] / LET_keV_um(6, 12, energy), least_rise);
    /* from 400 MeV/u light fragments first pull it down by less than 0.1 % */
    for (PetscInt d = 1; d <= peak; d++)
      assert_true(m->letd_keV_um[d] > (energy < 400 ? 1 : 0.999) * m->letd_keV_um[d - 1]);
    assert_in_range((uintmax_t)m->letd_keV_um[peak], 90, 300);
    double tail = At(m, m->letd_keV_um, m->r80_mm[0] + 30);
    assert_true(tail > 3 && tail < 60);
    assert_int_equal(MachineDestroy(&m), 0);
  }
}

/* Carbon of any mass left just before the peak (3 sigma of range): Haettner et al. 2006, Schardt et al. 2010. */
static void CarbonSurvival(void **state)
{
  const double gate[2][3] = {{200, 0.63, 0.72}, {400, 0.26, 0.34}};
  MachineSpec spec;
  assert_int_equal(MachineSpecDefault(&spec), 0);
  for (int i = 0; i < 2; i++) {
    double range = CSDARange_mm(6, 12, gate[i][0]), sigma = RangeSpread_mm(&spec, (Species){6, 12}, gate[i][0]);
    double depth = range - 3 * sigma, edge[31];
    for (int b = 0; b <= 30; b++) edge[b] = 0.1 * pow(5000, b / 30.0);
    TransportInput input = {&nuclear, {6, 12}, gate[i][0], sigma, 1, &depth, 30, edge, 3.4, NULL};
    TransportField field;
    assert_int_equal(TransportRun(&input, &field), 0);
    double share[7];
    for (PetscInt Z = 1; Z <= 6; Z++) share[Z] = TransportFluenceOfCharge(&field, 0, Z);
    print_message("%g MeV/u, %.1f mm: H %.2f He %.2f Li %.3f Be %.3f B %.3f C %.3f\n", gate[i][0], depth, share[1],
                  share[2], share[3], share[4], share[5], share[6]);
    assert_true(share[6] > gate[i][1] && share[6] < gate[i][2]);
    assert_true(share[5] > 0.02 && share[5] < 0.15 && share[2] > 0.2 && share[1] > 0.25);
    assert_int_equal(TransportFieldDestroy(&field), 0);
  }
}

/* Nodes may lie on the boundaries of steps, as that at the range does: fragments are counted there too. */
static void NoNodeIsMissed(void **state)
{
  for (double energy = 80; energy < 441; energy += 45) {
    Machine *m = OneEnergy("12C", energy);
    for (PetscInt d = 1; d + 1 < m->n_depth && m->depth_mm[d + 1] < 1.1 * m->csda_range_mm[0]; d++) {
      const float *here = m->species_fluence + d * m->n_species;
      for (PetscInt s = 3; s < m->n_species; s++) {
        double before = (double)here[s - m->n_species], behind = (double)here[s + m->n_species];
        if ((double)here[s] < 0.95 * PetscMin(before, behind))
          fail_msg("%g MeV/u, %g mm: %g of species %d, %g before and %g behind", energy, m->depth_mm[d],
                   (double)here[s], (int)s, before, behind);
      }
    }
    assert_int_equal(MachineDestroy(&m), 0);
  }
}

/* The yields keep less charge than the parent has, and no daughter is heavier. */
static void Yields(void **state)
{
  for (int p = 0; p < YIELD_SPECIES; p++) {
    double charge = 0, mass = 0;
    ReactionLeaves leaves;
    ReactionLeavesOf(&nuclear, yield_species[p], 250, &leaves);
    const double *yield = leaves.yield;
    for (int s = 0; s < YIELD_SPECIES; s++) {
      assert_true(yield[s] >= 0 && (yield[s] == 0 || yield_species[s].A < yield_species[p].A));
      charge += yield[s] * (double)yield_species[s].Z;
      mass += yield[s] * (double)yield_species[s].A;
    }
    assert_true(charge <= (double)yield_species[p].Z && mass < (double)yield_species[p].A);
  }
}

/* All terms of the budget but `left_out` add up to the beam's at each depth; the largest difference over the beam's. */
static double Unclosed(const Budget *budget, BudgetQuantity quantity, int left_out)
{
  double most = 0;
  for (PetscInt d = 0; d < budget->n_depth; d++) {
    const double sum =
        BudgetSum(budget, d, quantity) - (left_out < BUDGET_TERMS ? budget->at[d].term[quantity][left_out] : 0);
    most = PetscMax(most, fabs(sum / budget->begun[quantity] - 1));
  }
  return most;
}

/* Energy and charge are where the budget says, within 0.2 % of the beam's at any depth; leaving out a term would be noticed. */
static void BudgetCloses(void **state)
{
  static const double closed = 0.002;
  MachineSpec spec;
  assert_int_equal(MachineSpecDefault(&spec), 0);
  for (double energy = 100; energy < 401; energy *= 2) {
    Budget budget;
    assert_int_equal(BudgetOf(&spec, energy, &budget), 0);
    for (int q = 0; q < BUDGET_QUANTITIES; q++) {
      print_message("%g MeV/u, %s: closes within %.3f %%; without a term:", energy, q ? "charge" : "energy",
                    100 * Unclosed(&budget, (BudgetQuantity)q, BUDGET_TERMS));
      for (int k = 0; k < BUDGET_TERMS; k++)
        print_message(" %s %.2f", budget_terms[k], 100 * Unclosed(&budget, (BudgetQuantity)q, k));
      print_message("\n");
    }
    for (PetscInt d = 1; d < budget.n_depth;
         d++) /* what reactions keep, none gives back: no daughter has more than its parents */
      assert_true(budget.at[d].term[BUDGET_ENERGY][BUDGET_REACTIONS] >=
                  budget.at[d - 1].term[BUDGET_ENERGY][BUDGET_REACTIONS] - 1e-5 * budget.begun[BUDGET_ENERGY]);
    assert_true(Unclosed(&budget, BUDGET_ENERGY, BUDGET_TERMS) < closed);
    assert_true(Unclosed(&budget, BUDGET_CHARGE, BUDGET_TERMS) < closed);
    /* less is cut off, and no neutron or proton of the target has charge of the beam */
    for (int k = 0; k < BUDGET_TERMS && energy > 300; k++) {
      const PetscBool charged =
          k < BUDGET_RECOILS || k == BUDGET_CARRIED || k == BUDGET_REACTIONS ? PETSC_TRUE : PETSC_FALSE;
      assert_true(k == BUDGET_CUT || Unclosed(&budget, BUDGET_ENERGY, k) > closed);
      assert_true(!charged || Unclosed(&budget, BUDGET_CHARGE, k) > closed);
    }
    assert_int_equal(BudgetDestroy(&budget), 0);
  }
}

/* 11C: same shape at 0.9176 of the range, fewer reactions. */
static void Carbon11(void **state)
{
  Machine *a = OneEnergy("12C", 250), *b = OneEnergy("11C", 250);
  assert_int_equal(b->A, 11);
  assert_double_near(b->r80_mm[0] / a->r80_mm[0], 0.9176, 0.002);
  assert_double_near(b->letd_keV_um[0] / a->letd_keV_um[0], 1, 0.003);
  assert_true(b->n_species < a->n_species);
  assert_int_equal(MachineDestroy(&a), 0);
  assert_int_equal(MachineDestroy(&b), 0);
}

/*
 * 4He: range over that of 12C at the same velocity as mass over charge squared, 3.002, but for terms of higher order; scattering of half a
 * proton's; of 220 MeV/u 0.45 to 0.38 reach the peak, as far as cross sections in water of 800 to 970 mb (Horst 2019, 213 to 71 MeV/u) let.
 */
static void Helium4(void **state)
{
  const Species helium = {2, 4};
  for (double energy = 50; energy < 221; energy += 85) {
    Machine *m = OneEnergy("4He", energy);
    const double range = m->csda_range_mm[0];
    Budget budget;
    MachineSpec spec;
    assert_int_equal(m->A, 4);
    assert_int_equal(m->n_species, 5);
    assert_double_near(m->r80_mm[0], range, 0.3);
    assert_double_near(range / CSDARange_mm(6, 12, energy), 3.002, 0.02);
    assert_double_near(m->letd_keV_um[0] / LET_keV_um(2, 4, energy), 1, 0.005);
    assert_double_near(LateralSigma_mm(helium, range, range) / LateralSigma_mm((Species){1, 1}, range, range), 0.5,
                       0.01);
    const double left = (double)m->species_fluence[(PetscInt)(0.9 * (double)PeakOf(m)) * m->n_species];
    assert_int_equal(MachineSpecDefault(&spec), 0);
    spec.ion = "4He";
    assert_int_equal(BudgetOf(&spec, energy, &budget), 0);
    print_message(
        "4He %g MeV/u: range %.2f mm, R80 %.2f, %.2f of it left before the peak; energy closes within %.3f %%\n",
        energy, range, m->r80_mm[0], left, 100 * Unclosed(&budget, BUDGET_ENERGY, BUDGET_TERMS));
    assert_true(Unclosed(&budget, BUDGET_ENERGY, BUDGET_TERMS) < 0.002);
    assert_true(Unclosed(&budget, BUDGET_CHARGE, BUDGET_TERMS) < 0.002);
    assert_true(energy < 220 || (left > 0.38 && left < 0.45));
    assert_int_equal(BudgetDestroy(&budget) || MachineDestroy(&m), 0);
  }
}

/* Kanematsu's closed form: 0.62 % of the range at its end, then on at the slope reached. */
static void LateralSpread(void **state)
{
  Species carbon = {6, 12};
  assert_double_near(LateralSigma_mm(carbon, 85, 0), 0, 1e-12);
  assert_double_near(LateralSigma_mm(carbon, 85, 85) / 85, 0.0062, 0.0001);
  const double matrad[][2] = {{31, 0.17}, {51, 0.29}, {85, 0.48}, {125, 0.71}, {169, 0.94}, {219, 1.19}, {271, 1.44}};
  for (int i = 0; i < 7; i++)
    assert_double_near(LateralSigma_mm(carbon, matrad[i][0], matrad[i][0]) / matrad[i][1], 1, 0.2);
  double before = 0;
  for (double z = 1; z < 200; z += 1) {
    double sigma = LateralSigma_mm(carbon, 100, z);
    assert_true(sigma > before);
    if (z > 102) assert_double_near(sigma - before, 0.01237, 1e-4);
    before = sigma;
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
  const struct CMUnitTest tests[] = {cmocka_unit_test(MatRadDepthDose), cmocka_unit_test(RangeAndEnergyBalance),
                                     cmocka_unit_test(LETWithDepth),    cmocka_unit_test(CarbonSurvival),
                                     cmocka_unit_test(NoNodeIsMissed),  cmocka_unit_test(Yields),
                                     cmocka_unit_test(BudgetCloses),    cmocka_unit_test(Carbon11),
                                     cmocka_unit_test(Helium4),         cmocka_unit_test(LateralSpread)};
  return cmocka_run_group_tests(tests, Start, Stop);
}
