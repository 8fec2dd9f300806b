/* alpha and sqrt(beta) of a machine's field: published means of the mixed field, the table model, mistakes. */
#include "robion/biology.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "base_data.h"
#include "near.h"

static Machine *OneEnergy(double energy_MeV_u)
{
  MachineSpec spec;
  Machine *m = NULL;
  assert_int_equal(MachineSpecDefault(&spec), 0);
  spec.energy_min_MeV_u = spec.energy_max_MeV_u = energy_MeV_u;
  assert_int_equal(BaseData(PETSC_COMM_SELF, &spec, &m), 0);
  return m;
}

static Biology *Chordoma(const Machine *m)
{
  BiologySpec spec;
  Biology *biology = NULL;
  Mistakes mistakes = {0};
  assert_int_equal(BiologySpecDefault(&spec), 0);
  assert_int_equal(BiologyCreate(&spec, m, &mistakes, &biology), 0);
  assert_int_equal(mistakes.n, 0);
  assert_non_null(biology);
  return biology;
}

static double At(const Machine *m, const double *table, double depth_mm)
{
  PetscInt d = 0;
  while (d + 2 < m->n_depth && m->depth_mm[d + 1] < depth_mm) d++;
  double t = (depth_mm - m->depth_mm[d]) / (m->depth_mm[d + 1] - m->depth_mm[d]);
  return (1 - t) * table[d] + t * table[d + 1];
}

/* TRiP98, chordom02: a 280 MeV/u beam, 277.4 MeV/u on average at the surface, within 1 %. The energy bins may not show. */
static void Entrance(void **state)
{
  for (double energy = 277.407; energy < 330; energy += 7.3) {
    Machine *m = OneEnergy(energy);
    Biology *biology = Chordoma(m);
    double alpha = biology->alpha_per_Gy[0], beta = pow(biology->sqrt_beta_per_Gy[0], 2);
    BiologySpec spec = biology->spec;
    if (energy < 278) {
      print_message("277.4 MeV/u at the surface: alpha %.4f (0.5165), beta %.5f (0.04240)\n", alpha, beta);
      assert_double_near(alpha / 0.5165, 1, 0.01);
      assert_double_near(beta / 0.0423958, 1, 0.01);
    }
    IonResponse pure = LEM1(&spec, 6, 12, energy);
    assert_double_near(alpha / pure.alpha_per_Gy, 1, 0.003);
    assert_double_near(beta / pure.beta_per_Gy2, 1, 0.003);
    assert_int_equal(BiologyDestroy(&biology), 0);
    assert_null(biology);
    assert_int_equal(MachineDestroy(&m), 0);
  }
}

/* Mean over the lateral components, weighted by the dose of their ions: without recoils of the target, as TRiP98 has it. */
static double FieldAt(const Machine *m, const double *value, double depth)
{
  double sum = 0;
  PetscInt d = 0;
  while (m->depth_mm[d + 1] < depth) d++;
  for (PetscInt s = 0; s < m->n_species; s++)
    for (PetscInt b = 0; b < m->n_bin; b++)
      sum += (double)m->dose_share[(d * m->n_species + s) * m->n_bin + b] *
             At(m, value + m->species_component[s] * m->n_depth, depth);
  return sum;
}

/*
 * TRiP98: 200 MeV/u, 58 mm behind the peak, alpha 0.621, sqrt(beta) 0.2009, dose 11.48 MeV cm2/g, LETd 9.9 keV/um. Only light
 * fragments are left there: alpha and sqrt(beta) within 4 %, dose and LETd within 30 %.
 */
static void BehindThePeak(void **state)
{
  Machine *m = OneEnergy(200);
  Biology *biology = Chordoma(m);
  double depth = m->r80_mm[0] + 57.5, alpha = FieldAt(m, biology->alpha_per_Gy, depth);
  double root_beta = FieldAt(m, biology->sqrt_beta_per_Gy, depth), dose = At(m, m->idd_Gy_mm2, depth) / 1.6021766208e-8;
  double let = At(m, m->letd_keV_um, depth);
  print_message(
      "58 mm behind the peak: alpha %.3f (0.621), sqrt(beta) %.4f (0.2009), dose %.2f (11.48), LETd %.1f (9.9)\n",
      alpha, root_beta, dose, let);
  assert_double_near(alpha / 0.621, 1, 0.04);
  assert_double_near(root_beta / 0.2009, 1, 0.04);
  assert_double_near(dose / 11.48, 1, 0.3);
  assert_double_near(let / 9.9, 1, 0.3);
  /* rises towards the end of range, where RBE at low dose is that of slow carbon ions */
  double plateau = FieldAt(m, biology->alpha_per_Gy, 40), peak = FieldAt(m, biology->alpha_per_Gy, m->r80_mm[0] - 1);
  assert_true(plateau > biology->alpha_per_Gy[0] && peak > 1.6 * plateau && peak < 1.3);
  for (PetscInt d = 0; d < m->n_component * m->n_depth; d++) {
    assert_true(biology->alpha_per_Gy[d] > 0.1 && biology->alpha_per_Gy[d] < 1.35);
    assert_true(biology->sqrt_beta_per_Gy[d] >= 0 && biology->sqrt_beta_per_Gy[d] <= sqrt(0.05));
  }
  assert_int_equal(BiologyDestroy(&biology), 0);
  assert_int_equal(MachineDestroy(&m), 0);
}

/* Rank 0 has the dose spectra; the others, who have none, get the same bits, and its mistakes. */
static void TogetherOnATeam(void **state)
{
  PetscMPIInt rank;
  BiologySpec spec;
  Biology *one = NULL;
  Mistakes mistakes = {0};
  Machine *m = OneEnergy(200);
  const size_t n = (size_t)(m->n_energy * m->n_component * m->n_depth);
  Biology *own = Chordoma(m);
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  assert_int_equal(BiologySpecDefault(&spec), 0);
  if (rank) assert_int_equal(MachineDropSpectra(m), 0);
  assert_int_equal(BiologyCreateTogether(PETSC_COMM_WORLD, &spec, m, &mistakes, &one), 0);
  assert_int_equal(mistakes.n, 0);
  assert_memory_equal(one->alpha_per_Gy, own->alpha_per_Gy, n * sizeof(double));
  assert_memory_equal(one->sqrt_beta_per_Gy, own->sqrt_beta_per_Gy, n * sizeof(double));
  assert_string_equal(one->spec.model, own->spec.model);
  assert_double_near(one->spec.d_t_Gy, own->spec.d_t_Gy, 0);
  assert_int_equal(BiologyDestroy(&one), 0);
  spec.model = "lem2";
  assert_int_equal(BiologyCreateTogether(PETSC_COMM_WORLD, &spec, m, &mistakes, &one), 0);
  assert_null(one);
  assert_int_equal(MistakesExit(&mistakes), ROBION_STUDY);
  MistakesClear(&mistakes);
  assert_int_equal(BiologyDestroy(&own), 0);
  assert_int_equal(MachineDestroy(&m), 0);
}

/* The dose of ions from an LET on, by a sum over the spectra that cuts bins at their middle. */
static double Above(const Machine *m, PetscInt d, double let_keV_um, double *in_bin)
{
  double sum = 0, all = 0;
  *in_bin = 0;
  for (PetscInt s = 0; s < m->n_species; s++)
    for (PetscInt b = 0; b < m->n_bin; b++) {
      const double *edge = m->bin_edge_MeV_u, share = (double)m->dose_share[(d * m->n_species + s) * m->n_bin + b];
      const Species ion = m->species[s];
      const double ratio = edge[b + 1] / edge[b], centre = sqrt(edge[b] * edge[b + 1]),
                   slow = LET_keV_um(ion.Z, ion.A, centre / ratio), fast = LET_keV_um(ion.Z, ion.A, centre * ratio);
      all += share;
      if (LET_keV_um(ion.Z, ion.A, centre) >= let_keV_um) sum += share;
      if ((slow >= let_keV_um) != (fast >= let_keV_um)) *in_bin += share;
    }
  *in_bin /= all;
  return sum / all;
}

/* The share of dose above an LET: all from 0 on, none above what ions have, less the higher; as the spectra say; one for all ranks. */
static void AboveLET(void **state)
{
  static const double threshold[] = {0, 10, 12, 30, 50, 100, 200, 2000};
  enum { N = 8 };
  PetscMPIInt rank;
  BiologySpec spec;
  Mistakes mistakes = {0};
  Biology *above[N], *none;
  Machine *m = OneEnergy(200), *whole = OneEnergy(200);
  const PetscInt K = m->n_component, D = m->n_depth;
  PetscInt peak = 0, compared = 0;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  assert_int_equal(BiologySpecDefault(&spec), 0);
  if (rank) assert_int_equal(MachineDropSpectra(m), 0);
  for (int i = 0; i < N; i++)
    assert_int_equal(BiologyAboveLET(PETSC_COMM_WORLD, &spec, m, threshold[i], "here", &mistakes, &above[i]), 0);
  assert_false(MistakesAny(&mistakes));
  while (m->depth_mm[peak] < m->r80_mm[0]) peak++;
  for (PetscInt d = 0; d < D; d++) {
    double before = 1;
    for (int i = 0; i < N; i++) {
      double mean = 0, in_bin;
      for (PetscInt k = 0; k < K; k++) {
        const double share = above[i]->alpha_per_Gy[k * D + d];
        assert_true(share >= 0 && share <= 1 + 1e-12 && above[i]->sqrt_beta_per_Gy[k * D + d] >= 0);
        mean += m->component[k * D + d] * share;
      }
      const double want = Above(whole, d, threshold[i], &in_bin);
      if (m->idd_Gy_mm2[d] > 0.01 * m->idd_Gy_mm2[peak]) {
        assert_double_near(mean, want, in_bin + 1e-5);
        compared += in_bin < 0.5 && want > 0.01 && want < 0.99;
      }
      assert_true(mean <= before + 1e-12);
      before = mean;
      if (i == 0 && m->idd_Gy_mm2[d] > 0) assert_double_near(mean, 1, 1e-9);
      if (i == N - 1 && d < peak) assert_double_near(mean, 0, 1e-9);
    }
  }
  assert_true(compared > 100);
  print_message("200 MeV/u: %.3f of the dose above 50 keV/um at the surface, %.3f at R80\n", above[4]->alpha_per_Gy[0],
                above[4]->alpha_per_Gy[peak]);
  assert_true(above[4]->alpha_per_Gy[0] < 0.05 && above[4]->alpha_per_Gy[peak] > 0.95);
  m->n_species = 0; /* as of imported data */
  assert_int_equal(BiologyAboveLET(PETSC_COMM_WORLD, &spec, m, 50, "here", &mistakes, &none), 0);
  assert_null(none);
  assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
  assert_non_null(strstr(MistakesFirst(&mistakes), "here: needs dose spectra"));
  assert_int_equal(MistakesClear(&mistakes), 0);
  for (int i = 0; i < N; i++) assert_int_equal(BiologyDestroy(&above[i]), 0);
  assert_int_equal(MachineDestroy(&m) || MachineDestroy(&whole), 0);
}

/* A machine of two energies, two depths and two tissue classes. */
static double alpha_x[2] = {0.1, 0.5}, beta_x[2] = {0.05, 0.05};
static double alpha[8] = {1, 2, 3, 4, 5, 6, 7, 8}, beta[8] = {0.01, 0.04, 0.09, 0.16, 0.25, 0.36, 0.49, 0.64};
static Machine table = {.name = "tabulated",
                        .n_energy = 2,
                        .n_depth = 2,
                        .n_component = 1,
                        .n_tissue = 2,
                        .alpha_x = alpha_x,
                        .beta_x = beta_x,
                        .alpha = alpha,
                        .beta = beta};

static void TableModel(void **state)
{
  BiologySpec spec;
  Biology *biology = NULL;
  Mistakes mistakes = {0};
  assert_int_equal(BiologySpecDefault(&spec), 0);
  spec.model = "table";
  spec.alpha_x_per_Gy = 0.5;
  assert_int_equal(BiologyCreate(&spec, &table, &mistakes, &biology), 0);
  assert_non_null(biology);
  const double want[4] = {3, 4, 7, 8}, want_root[4] = {0.3, 0.4, 0.7, 0.8};
  for (int i = 0; i < 4; i++) {
    assert_double_near(biology->alpha_per_Gy[i], want[i], 0);
    assert_double_near(biology->sqrt_beta_per_Gy[i], want_root[i], 1e-15);
  }
  assert_int_equal(BiologyDestroy(&biology), 0);
}

static void assert_mistake(const BiologySpec *spec, RobionExit exit_code, const char *words)
{
  Biology *biology = NULL;
  Mistakes mistakes = {0};
  assert_int_equal(BiologyCreate(spec, &table, &mistakes, &biology), 0);
  assert_null(biology);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), exit_code);
  if (!strstr(mistakes.item[0].text, words)) fail_msg("expected \"%s\" in: %s", words, mistakes.item[0].text);
  MistakesClear(&mistakes);
}

static void MistakesOfUser(void **state)
{
  BiologySpec good, spec;
  assert_int_equal(BiologySpecDefault(&good), 0);
  spec = good;
  assert_mistake(&spec, ROBION_INPUT, "needs dose spectra");
  spec.model = "lem2";
  assert_mistake(&spec, ROBION_STUDY, "did you mean lem1?");
  spec = good;
  spec.model = "table";
  spec.beta_x_per_Gy2 = 0.06;
  assert_mistake(&spec, ROBION_INPUT, "expected one of (0.1, 0.05) (0.5, 0.05)");
  spec = good;
  spec.model = "table";
  spec.d_t_Gy = NAN;
  assert_mistake(&spec, ROBION_STUDY, "d_t is nan");
}

static int Start(void **state)
{
  return PetscInitializeNoArguments();
}

static int Stop(void **state)
{
  return PetscFinalize();
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Entrance),        cmocka_unit_test(BehindThePeak),
                                     cmocka_unit_test(TogetherOnATeam), cmocka_unit_test(AboveLET),
                                     cmocka_unit_test(TableModel),      cmocka_unit_test(MistakesOfUser)};
  return cmocka_run_group_tests(tests, Start, Stop);
}
