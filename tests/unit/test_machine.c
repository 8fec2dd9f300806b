/* The machine object: layout, checks, rank independence, printing.   ranks: 1 2  sanitizer: slow */
#include "machine_case.h"
#include <math.h>
#include <string.h>

static Machine *machine;
static PetscMPIInt rank, size;

/* Four energies, built by all ranks together. */
static int SetUp(void **state)
{
  if (PetscInitializeNoArguments()) return 1;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  MachineSpec spec;
  if (MachineSpecDefault(&spec)) return 1;
  spec.energy_min_MeV_u = 120;
  spec.energy_max_MeV_u = 240;
  spec.range_step_mm = 30;
  return MachineBuild(PETSC_COMM_WORLD, &spec, &machine);
}

static int TearDown(void **state)
{
  return MachineDestroy(&machine) || PetscFinalize();
}

static void Layout(void **state)
{
  Mistakes mistakes = {0};
  assert_int_equal(MachineCheck(machine, "built", &mistakes), 0);
  MistakesPrint(&mistakes);
  assert_int_equal(mistakes.n, 0);
  assert_int_equal(machine->n_energy, 4);
  assert_double_near(machine->energy_MeV_u[0], 120, 0);
  assert_double_near(machine->energy_MeV_u[3], 240, 0);
  assert_double_near(machine->spot_sigma_mm[2], 3.39728, 1e-5);
  double step = machine->csda_range_mm[1] - machine->csda_range_mm[0];
  assert_true(step > 20 && step <= 30);
  for (PetscInt e = 0; e < 4; e++) {
    const double *z = machine->depth_mm + e * machine->n_depth, last = z[machine->n_depth - 1],
                 range = machine->csda_range_mm[e];
    if (e) assert_double_near(range - machine->csda_range_mm[e - 1], step, 1e-4);
    assert_true(z[0] == 0 && last >= 1.4 * range && last <= range + 150);
    for (PetscInt d = 1; d < machine->n_depth; d++)
      if (fabs(z[d] - range) < 5 && fabs(z[d - 1] - range) < 5) assert_true(z[d] - z[d - 1] <= 0.2500001);
  }
}

/* The same bits from one rank alone, the last, as from all of them. */
static void RankIndependent(void **state)
{
  MachineSpec spec;
  Machine *given = NULL;
  assert_int_equal(MachineSpecDefault(&spec), 0);
  spec.energy_min_MeV_u = 120;
  spec.energy_max_MeV_u = 240;
  spec.range_step_mm = 30;
  if (rank == size - 1) assert_int_equal(MachineBuild(PETSC_COMM_SELF, &spec, &given), 0);
  assert_int_equal(MachineBroadcast(PETSC_COMM_WORLD, size - 1, &given), 0);
  assert_same_machine(machine, given);
  assert_int_equal(MachineDestroy(&given), 0);
  assert_int_equal(MachineBroadcast(PETSC_COMM_WORLD, 0, &given), 0); /* nothing to give */
  assert_null(given);
}

/* The ends of what a spec may ask for give sound tables too. The ranks take turns. */
static void Extremes(void **state)
{
  const double extreme[][3] = {{1, 0.8, 0}, {12, 0, 0}, {1000, 0, 0.001}, {200, 20, 0.02}};
  for (int i = rank; i < 4; i += size) {
    MachineSpec spec;
    Machine *m = NULL;
    Mistakes mistakes = {0};
    assert_int_equal(MachineSpecDefault(&spec), 0);
    spec.energy_min_MeV_u = spec.energy_max_MeV_u = extreme[i][0];
    spec.ripple_sigma_mm = extreme[i][1];
    spec.momentum_spread = extreme[i][2];
    assert_int_equal(MachineSpecCheck(&spec, "spec", &mistakes), 0);
    assert_int_equal(MachineBuild(PETSC_COMM_SELF, &spec, &m), 0);
    assert_int_equal(MachineCheck(m, "extreme", &mistakes), 0);
    MistakesPrint(&mistakes);
    assert_int_equal(mistakes.n, 0);
    assert_int_equal(MachineDestroy(&m), 0);
  }
}

static void R80(void **state)
{
  double depth[6] = {0, 10, 20, 30, 40, 50}, idd[6] = {1, 2, 10, 6, 2, 1}, r80;
  Machine plain = {.n_energy = 1, .n_depth = 6, .depth_mm = depth, .idd_Gy_mm2 = idd, .r80_mm = &r80};
  assert_int_equal(MachineComputeR80(&plain), 0);
  assert_double_near(r80, 25, 1e-12);
  idd[3] = idd[4] = idd[5] = 9;
  assert_int_equal(MachineComputeR80(&plain), 0);
  assert_double_near(r80, 50, 0);
}

/* One broken number at a time: exactly one mistake, which names the table. */
static void BrokenTables(void **state)
{
  struct {
    double *place, bad;
    const char *named;
  } broken[] = {{machine->idd_Gy_mm2 + 7, NAN, "/idd"},
                {machine->letd_keV_um + 3, -1, "/letd"},
                {machine->depth_mm + 9, 0, "/depth"},
                {machine->depth_mm, 0.1, "/depth"},
                {machine->energy_MeV_u + 1, 1000, "/energy"},
                {machine->component + 5, 0.5, "/component"},
                {machine->spot_sigma_mm, INFINITY, "/spot_sigma"},
                {machine->bin_edge_MeV_u + 4, 1e-4, "/spectra/bin_edge"}};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
    Mistakes mistakes = {0};
    double good = *broken[i].place;
    *broken[i].place = broken[i].bad;
    assert_int_equal(MachineCheck(machine, "FILE", &mistakes), 0);
    *broken[i].place = good;
    assert_int_equal(mistakes.n, 1);
    assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
    assert_true(!strncmp(mistakes.item[0].text, "FILE: ", 6) && strstr(mistakes.item[0].text, broken[i].named));
    MistakesClear(&mistakes);
  }
  Mistakes mistakes = {0};
  PetscInt place = 0;
  while (machine->dose_share[place] < 0.1f) place++;
  float good = machine->dose_share[place];
  machine->dose_share[place] = 0;
  assert_int_equal(MachineCheck(machine, "FILE", &mistakes), 0);
  machine->dose_share[place] = good;
  assert_int_equal(mistakes.n, 1);
  assert_non_null(strstr(mistakes.item[0].text, "dose_share"));
  MistakesClear(&mistakes);
}

static void SpecMistakes(void **state)
{
  MachineSpec spec;
  Mistakes mistakes = {0};
  char first[17], second[17];
  assert_int_equal(MachineSpecDefault(&spec), 0);
  assert_int_equal(MachineSpecCheck(&spec, "study.yaml: machine", &mistakes), 0);
  assert_int_equal(mistakes.n, 0);
  MachineSpecHash(&spec, first);
  MachineSpecHash(&spec, second);
  assert_string_equal(first, second);
  spec.ripple_sigma_mm += 1e-9;
  MachineSpecHash(&spec, second);
  assert_string_not_equal(first, second);
  spec.ion = "12c";
  spec.energy_min_MeV_u = 500;
  spec.range_step_mm = NAN;
  spec.momentum_spread = -0.1;
  assert_int_equal(MachineSpecCheck(&spec, "study.yaml: machine", &mistakes), 0);
  assert_int_equal(mistakes.n, 4); /* ion, order of energies, step, momentum spread */
  assert_non_null(strstr(mistakes.item[0].text, "did you mean 12C?"));
  MistakesClear(&mistakes);
}

/* The columns that scripts read. */
static void ShowCSV(void **state)
{
  char text[8192] = "";
  FILE *out = fmemopen(text, sizeof text, "w");
  assert_int_equal(MachineShow(machine, PETSC_TRUE, out), 0);
  fclose(out);
  char *line = strtok(text, "\n");
  assert_string_equal(line, "energy_MeV_u,csda_range_mm,r80_mm,entrance_MeV_cm2_g,peak_MeV_cm2_g,letd_entrance_keV_um");
  int rows = 0;
  double v[6];
  while ((line = strtok(NULL, "\n"))) {
    assert_int_equal(sscanf(line, "%lf,%lf,%lf,%lf,%lf,%lf", v, v + 1, v + 2, v + 3, v + 4, v + 5), 6);
    assert_double_near(v[3], StoppingPower_MeV_cm2_g(6, 12, v[0]), 0.01 * v[3]);
    rows++;
  }
  assert_int_equal(rows, 4);
  assert_double_near(v[0], 240, 1e-9);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Layout),       cmocka_unit_test(RankIndependent),
                                     cmocka_unit_test(Extremes),     cmocka_unit_test(R80),
                                     cmocka_unit_test(BrokenTables), cmocka_unit_test(SpecMistakes),
                                     cmocka_unit_test(ShowCSV)};
  return cmocka_run_group_tests(tests, SetUp, TearDown);
}
