/* LETd of groups of ions, dose by charge, fluence by energy, as the tables of a machine give them. */
#include "base_data.h"
#include "machine_case.h"
#include "robion/biology.h"
#include <math.h>

static const double energy[7] = {115.23, 150.71, 200.61, 250.51, 299.33, 349.91, 398.84};
static Machine *machine[7];

static int Start(void **state)
{
  MachineSpec spec;
  if (PetscInitializeNoArguments() || MachineSpecDefault(&spec)) return 1;
  for (int i = 0; i < 7; i++) {
    spec.energy_min_MeV_u = spec.energy_max_MeV_u = energy[i];
    if (BaseData(PETSC_COMM_SELF, &spec, &machine[i])) return 1;
  }
  return 0;
}

static int Stop(void **state)
{
  for (int i = 0; i < 7; i++)
    if (MachineDestroy(&machine[i])) return 1;
  return PetscFinalize();
}

static PetscInt PeakOf(const Machine *m)
{
  PetscInt peak = 0;
  for (PetscInt d = 0; d < m->n_depth; d++)
    if (m->idd_Gy_mm2[d] > m->idd_Gy_mm2[peak]) peak = d;
  return peak;
}

/* At the entrance within 4 % of the stopping power's, and rising from node to node up to the peak. */
static void RisingLET(void **state)
{
  PetscInt falling = 0;
  print_message("LETd keV/um:  entrance (stopping power)   at the peak: all, primaries, Z >= 3\n");
  for (int i = 0; i < 7; i++) {
    const Machine *m = machine[i];
    PetscInt peak = PeakOf(m), falls = 0;
    double entrance = MachineLETd_keV_um(m, 0, 0, MACHINE_LET_ALL), let = LET_keV_um(6, 12, energy[i]), least = 0;
    for (PetscInt d = 1; d <= peak; d++) {
      double rise = m->letd_keV_um[d] / m->letd_keV_um[d - 1] - 1;
      falls += rise <= 0;
      least = PetscMin(least, rise);
    }
    print_message("%3g MeV/u: %6.2f (%5.2f) %12.1f %6.1f %6.1f   nodes where it falls: %d, by %.1e at most\n",
                  energy[i], entrance, let, MachineLETd_keV_um(m, 0, peak, MACHINE_LET_ALL),
                  MachineLETd_keV_um(m, 0, peak, MACHINE_LET_PRIMARIES),
                  MachineLETd_keV_um(m, 0, peak, MACHINE_LET_HEAVY), (int)falls, -least);
    assert_double_near(entrance / let, 1, 0.04);
    assert_double_near(MachineLETd_keV_um(m, 0, 0, MACHINE_LET_PRIMARIES) / let, 1, 0.04);
    falling += falls > 0;
  }
  assert_int_equal(falling, 0);
}

/* All ions give the machine's own LETd; primaries have more than the mixed field, and are gone behind their range. */
static void Groups(void **state)
{
  for (int i = 0; i < 7; i++) {
    const Machine *m = machine[i];
    for (PetscInt d = 0; d < m->n_depth; d++) {
      double all = MachineLETd_keV_um(m, 0, d, MACHINE_LET_ALL), heavy = MachineLETd_keV_um(m, 0, d, MACHINE_LET_HEAVY);
      assert_double_near(all / m->letd_keV_um[d], 1, 2e-3);
      if (heavy > 0) assert_true(heavy > all - 0.01 * all);
    }
    PetscInt last = m->n_depth - 1;
    assert_double_near(MachineLETd_keV_um(m, 0, last, MACHINE_LET_PRIMARIES), 0, 0);
    assert_double_near(MachineLETd_keV_um(m, 0, 0, MACHINE_LET_PRIMARIES), m->component_letd_keV_um[0], 2e-3 * 50);
  }
}

/* Charges add up to the dose less the recoils, target protons among them; the components say the same. */
static void DoseOfCharge(void **state)
{
  const Machine *m = machine[4];
  for (PetscInt d = 0; d < m->n_depth; d++) {
    double sum = 0, light = 0, idd = m->idd_Gy_mm2[d];
    for (PetscInt Z = 1; Z <= 6; Z++) sum += MachineDoseOfCharge_Gy_mm2(m, 0, d, Z);
    for (PetscInt Z = 1; Z <= 2; Z++) light += MachineDoseOfCharge_Gy_mm2(m, 0, d, Z);
    assert_double_near(sum / idd, 1 - m->recoil[d], 1e-3);
    /* at great depths half of what is left are knocked-out protons, many made by neutrons */
    const double most = m->depth_mm[d] < m->csda_range_mm[0] ? 0.2 : 0.5;
    assert_true(m->recoil[d] > 0 && m->recoil[d] < most);
    double with_recoils = m->component[LATERAL_LIGHT * m->n_depth + d];
    assert_true(light / idd <= with_recoils + 1e-3 && light / idd > with_recoils - m->recoil[d] - 1e-3);
  }
  assert_double_near(MachineDoseOfCharge_Gy_mm2(m, 0, 0, 7), 0, 0);
}

/* The spectral fluence adds up to the fluence; at the entrance it is the beam. */
static void Fluence(void **state)
{
  double per_MeV_u[200];
  for (int i = 0; i < 7; i += 3) {
    const Machine *m = machine[i];
    assert_in_range(m->n_bin, 1, 200);
    for (PetscInt d = 0; d < m->n_depth; d += 9)
      for (PetscInt s = 0; s < m->n_species; s++) {
        double sum = 0, fluence = (double)m->species_fluence[d * m->n_species + s];
        MachineFluenceSpectrum(m, 0, d, s, per_MeV_u);
        for (PetscInt b = 0; b < m->n_bin; b++) sum += per_MeV_u[b] * (m->bin_edge_MeV_u[b + 1] - m->bin_edge_MeV_u[b]);
        if (sum > 0) assert_double_near(sum / fluence, 1, 1e-9);
      }
    MachineFluenceSpectrum(m, 0, 0, 0, per_MeV_u);
    double mean = 0;
    for (PetscInt b = 0; b < m->n_bin; b++)
      mean += per_MeV_u[b] * (m->bin_edge_MeV_u[b + 1] - m->bin_edge_MeV_u[b]) *
              sqrt(m->bin_edge_MeV_u[b] * m->bin_edge_MeV_u[b + 1]);
    assert_double_near(mean / energy[i], 1, 0.01);
  }
}

/* Recoils of the target act as the field does: all components together have its LETd, and alpha and sqrt(beta) of all ions. */
static void RecoilsAsTheField(void **state)
{
  BiologySpec spec;
  Biology *apart, *together;
  Mistakes mistakes = {0};
  Machine *m = machine[6];
  const PetscInt D = m->n_depth;
  for (int i = 0; i < 7; i++)
    for (PetscInt d = 0; d < machine[i]->n_depth; d++) {
      double letd = 0;
      for (PetscInt k = d; k < machine[i]->n_component * machine[i]->n_depth; k += machine[i]->n_depth)
        letd += machine[i]->component[k] * machine[i]->component_letd_keV_um[k];
      assert_double_near(letd / machine[i]->letd_keV_um[d], 1, 1e-9);
    }
  double *share;
  assert_int_equal(PetscMalloc1(m->n_component * D, &share), 0);
  assert_int_equal(PetscArraycpy(share, m->component, m->n_component * D), 0);
  assert_int_equal(BiologySpecPreset("mkm", "hsg", &spec) || BiologyCreate(&spec, m, &mistakes, &apart), 0);
  PetscInt n_component = m->n_component;
  assert_int_equal(MachineMergeComponents(m) || BiologyCreate(&spec, m, &mistakes, &together), 0);
  for (PetscInt d = 0; d < D; d++) {
    double alpha = 0, sqrt_beta = 0;
    for (PetscInt k = d; k < n_component * D; k += D) {
      alpha += share[k] * apart->alpha_per_Gy[k];
      sqrt_beta += share[k] * apart->sqrt_beta_per_Gy[k];
    }
    assert_double_near(alpha / together->alpha_per_Gy[d], 1, 5e-4);
    assert_double_near(sqrt_beta / together->sqrt_beta_per_Gy[d], 1, 5e-4);
  }
  assert_int_equal(BiologyDestroy(&apart) || BiologyDestroy(&together) || PetscFree(share), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(RisingLET), cmocka_unit_test(Groups),
                                     cmocka_unit_test(DoseOfCharge), cmocka_unit_test(Fluence),
                                     cmocka_unit_test(RecoilsAsTheField)};
  return cmocka_run_group_tests(tests, Start, Stop);
}
