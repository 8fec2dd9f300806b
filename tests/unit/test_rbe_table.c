/* Model table with an RBE file of TRiP98: round trip of robion's own LEM I, isotopes, both approaches, mistakes. */
#include "../../src/biology/biology_private.h"
#include "biology_case.h"
#include "robion/trip98.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char file[] = "/tmp/robion-rbe-XXXXXX";
static BiologySpec lem, table;

static int SetUp(void **state)
{
  int handle = mkstemp(file);
  if (handle < 0 || close(handle) || Start(state) || BiologySpecDefault(&lem)) return 1;
  table = lem;
  table.model = "table";
  table.table = file;
  return 0;
}

static int TearDown(void **state)
{
  return unlink(file) || Stop(state);
}

static void Export(PetscInt n, const Species *species)
{
  TripRBE rbe;
  Mistakes mistakes = {0};
  assert_int_equal(TripRBEFromLEM1(&lem, n, species, &rbe), 0);
  assert_int_equal(TripRBEWrite(&rbe, file, &mistakes), 0);
  assert_int_equal(TripRBEDestroy(&rbe), 0);
  assert_int_equal(mistakes.n, 0);
}

/*
 * 80 energies over four decades, alpha and beta in between by interpolation: of single ions within 1 % above 1 MeV/u (below, their
 * range is under 0.02 mm), of a 290 MeV/u carbon field 2 Gy within 0.2 %, sqrt(beta) within 1 %.
 */
static void RoundTrip(void **state)
{
  Export(machine->n_species, machine->species);
  for (int approach = LEM_LOW_DOSE; approach <= LEM_FULL; approach++) {
    lem.approach = table.approach = (LEMApproach)approach;
    RBETable *ions;
    Mistakes mistakes = {0};
    double single = 0, field = 0, field_beta = 0, dose = 0;
    assert_int_equal(RBETableCreate(&table, machine->n_species, machine->species, &mistakes, &ions), 0);
    for (PetscInt s = 0; s < machine->n_species; s++)
      for (double e = 1; e < 1000; e *= 1.07) {
        Species ion = machine->species[s];
        IonResponse found = RBETableResponse(ions, ion.Z, ion.A, e), want = LEM1(&lem, ion.Z, ion.A, e);
        single = fmax(single, fabs(found.alpha_per_Gy / want.alpha_per_Gy - 1));
      }
    assert_int_equal(RBETableDestroy(&ions), 0);
    Biology *read = Create(&table), *own = Create(&lem);
    for (PetscInt i = 0; i < machine->n_component * machine->n_depth; i++) {
      field = fmax(field, fabs(read->alpha_per_Gy[i] / own->alpha_per_Gy[i] - 1));
      field_beta = fmax(field_beta, fabs(read->sqrt_beta_per_Gy[i] / own->sqrt_beta_per_Gy[i] - 1));
      FieldDose two = {2, 2 * read->alpha_per_Gy[i], 2 * read->sqrt_beta_per_Gy[i],
                       2 * machine->component_letd_keV_um[i]};
      double rbe = FieldRBE(&read->spec, two);
      two.alpha_dose = 2 * own->alpha_per_Gy[i];
      two.sqrt_beta_dose = 2 * own->sqrt_beta_per_Gy[i];
      dose = fmax(dose, fabs(rbe / FieldRBE(&own->spec, two) - 1));
    }
    print_message("%s: alpha of ions within %.2f %%; of the field alpha within %.2f %%, sqrt(beta) within %.2f %%, "
                  "RBE-weighted dose of 2 Gy within %.2f %%\n",
                  lem_approach_names[approach], 100 * single, 100 * field, 100 * field_beta, 100 * dose);
    assert_true(single < 0.01 && field < 0.002 && field_beta < 0.01 && dose < 0.002);
    assert_int_equal(BiologyDestroy(&read) || BiologyDestroy(&own), 0);
  }
  lem.approach = table.approach = LEM_LOW_DOSE;
}

/* At the file's energies its numbers; between them ln(alpha_D) and beta_D linear in ln(E); another isotope at the same E/u. */
static void Interpolation(void **state)
{
  const Species carbon[] = {{6, 12}, {6, 11}};
  RBETable *ions;
  Mistakes mistakes = {0};
  Export(1, carbon);
  assert_int_equal(RBETableCreate(&table, 2, carbon, &mistakes, &ions), 0);
  double e[2] = {0.1 * pow(10, 4 * 40 / 79.), 0.1 * pow(10, 4 * 41 / 79.)}, middle = sqrt(e[0] * e[1]);
  IonResponse a = LEM1(&lem, 6, 12, e[0]), b = LEM1(&lem, 6, 12, e[1]), m = RBETableResponse(ions, 6, 12, middle);
  assert_double_near(RBETableResponse(ions, 6, 12, e[0]).alpha_per_Gy / a.alpha_per_Gy, 1, 1e-12);
  assert_double_near(m.alpha_per_Gy / sqrt(a.alpha_per_Gy * b.alpha_per_Gy), 1, 1e-12);
  assert_double_near(m.beta_per_Gy2, 0.5 * (a.beta_per_Gy2 + b.beta_per_Gy2), 1e-12);
  assert_double_near(RBETableResponse(ions, 6, 12, 5000).alpha_per_Gy / LEM1(&lem, 6, 12, 1000).alpha_per_Gy, 1, 1e-12);
  assert_double_near(RBETableResponse(ions, 6, 12, 0.01).alpha_per_Gy / LEM1(&lem, 6, 12, 0.1).alpha_per_Gy, 1, 1e-12);
  for (double energy = 0.2; energy < 900; energy *= 3)
    assert_double_near(RBETableResponse(ions, 6, 11, energy).alpha_per_Gy /
                           RBETableResponse(ions, 6, 12, energy).alpha_per_Gy,
                       1, 1e-3);
  assert_int_equal(RBETableDestroy(&ions), 0);
}

static void Refuse(const BiologySpec *spec, RobionExit code, PetscInt n, const char *words)
{
  Biology *biology;
  Mistakes mistakes = {0};
  assert_int_equal(BiologyCreate(spec, machine, &mistakes, &biology), 0);
  assert_null(biology);
  assert_int_equal(mistakes.n, n);
  assert_int_equal(MistakesExit(&mistakes), code);
  if (!strstr(mistakes.item[0].text, words)) fail_msg("expected \"%s\" in: %s", words, mistakes.item[0].text);
  assert_int_equal(MistakesClear(&mistakes), 0);
}

static void WriteText(const char *text)
{
  FILE *f = fopen(file, "w");
  assert_non_null(f);
  assert_true(fputs(text, f) >= 0);
  assert_int_equal(fclose(f), 0);
}

#define HEAD "!filetype RBE\n!mean\n!alpha 0.1\n!beta 0.05\n!cut 30\n!rnucleus 5\n"

static void MistakesOfUser(void **state)
{
  BiologySpec spec = table;
  Export(machine->n_species, machine->species);
  spec.d_t_Gy = 20;
  Refuse(&spec, ROBION_INPUT, 1, "d_t (!cut) is 30, expected 20");
  spec.alpha_x_per_Gy = 0.2;
  spec.beta_x_per_Gy2 = 0.04;
  spec.r_nucleus_um = 4;
  Refuse(&spec, ROBION_INPUT, 4, "alpha_x is 0.1, expected 0.2 as in the study's biology");
  spec = table;
  spec.alpha_x_per_Gy *= 1 + 1e-5;
  Refuse(&spec, ROBION_INPUT, 1, file);
  WriteText("!filetype RBE\n!mean\n!alpha 0.1\n!beta 0.05\n!rnucleus 5\n!projectile 12C\n!rbe\n1 25\n");
  Refuse(&table, ROBION_INPUT, 1, "d_t (!cut) is 0, expected 30");
  WriteText(HEAD "!projectile 12C\n!rbe\n1 25\n10 0\n");
  BiologySpec carbon = table;
  Biology *biology;
  Mistakes mistakes = {0};
  assert_int_equal(BiologyCreate(&carbon, machine, &mistakes, &biology), 0);
  assert_null(biology);
  PetscInt missing = 0, zero = 0;
  for (PetscInt i = 0; i < mistakes.n; i++) {
    missing += strstr(mistakes.item[i].text, "no !projectile of charge") != NULL;
    zero += strstr(mistakes.item[i].text, "RBE of 12C is 0 at 10 MeV/u") != NULL;
  }
  assert_true(missing > 0 && zero > 0 && missing + zero == mistakes.n);
  assert_int_equal(MistakesClear(&mistakes), 0);
  WriteText("no table\n");
  Refuse(&table, ROBION_INPUT, 1, ":1:");
  Machine bare = *machine;
  bare.n_species = 0;
  assert_int_equal(BiologyCreate(&table, &bare, &mistakes, &biology), 0);
  assert_true(mistakes.n == 1 && strstr(mistakes.item[0].text, "model table with an RBE file needs dose spectra"));
  assert_int_equal(MistakesClear(&mistakes), 0);
}

/*
 * Two points of TRiP98's chordom02 for 12C, and the low-dose alpha and beta that TRiP98 makes of them. With its LET (791 and 134.6
 * keV/um) the step itself, within 0.3 %. With robion's LET alpha within 1 % at 12.6 MeV/u; at 0.126 MeV/u, 2 um before the end of
 * range, where robion's LET is 2.6 % higher and alpha_D is one over the dose of a hit, within 3 %.
 */
static void Chordom02(void **state)
{
  const Species carbon = {6, 12};
  const double energy[2] = {0.126, 12.6}, rbe[2] = {30.858, 15.562}, let[2] = {791, 134.6};
  const double alpha[2] = {0.615076, 1.266495}, beta[2] = {9.40e-6, 0.0170418};
  RBETable *ions;
  Mistakes mistakes = {0};
  WriteText(HEAD "!projectile 12C\n!rbe\n0.126 30.858\n12.6 15.562\n");
  assert_int_equal(RBETableCreate(&table, 1, &carbon, &mistakes, &ions), 0);
  for (int i = 0; i < 2; i++) {
    IonResponse r = RBETableResponse(ions, 6, 12, energy[i]), step = LEM1OfSlope(&table, 0.1 * rbe[i], let[i]);
    print_message("12C at %g MeV/u: alpha %.6f, with LET %.1f for %.1f %.6f (%.6f), beta %.4g %.4g (%.4g)\n", energy[i],
                  r.alpha_per_Gy, let[i], LET_keV_um(6, 12, energy[i]), step.alpha_per_Gy, alpha[i], r.beta_per_Gy2,
                  step.beta_per_Gy2, beta[i]);
    assert_double_near(step.alpha_per_Gy / alpha[i], 1, 0.003);
    assert_double_near(step.beta_per_Gy2 / beta[i], 1, 0.003);
    assert_double_near(r.alpha_per_Gy / alpha[i], 1, i ? 0.01 : 0.03);
  }
  assert_int_equal(RBETableDestroy(&ions), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(RoundTrip), cmocka_unit_test(Interpolation),
                                     cmocka_unit_test(Chordom02), cmocka_unit_test(MistakesOfUser)};
  return cmocka_run_group_tests(tests, SetUp, TearDown);
}
