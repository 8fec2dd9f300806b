/* Mixed beam model: photon reference and clinical factor, tables by LET. */
#include "../src/biology/biology_private.h"
#include "biology_case.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

/* HSG X rays: 10 % survival at 4.03 Gy, clinical factor 1.46 (Kanai et al. 1999). */
static void PhotonReference(void **state)
{
  BiologySpec photons = hsg;
  photons.clinical_factor = 1;
  double d10 = RBEWeightedDose(&photons, log(10), NULL);
  print_message("photon D10 %.4f Gy (4.03), clinical factor %.4f (1.46)\n", d10, hsg.clinical_factor);
  assert_float_equal(d10, 4.03, 0.01);
  assert_float_equal(hsg.clinical_factor, 1.46, 0.005);
  assert_float_equal(SurvivalFraction(PhotonEffect(&photons, 4.03)), 0.1, 0.001);
  for (double dose = 0.01; dose < 100; dose *= 1.7)
    assert_float_equal(RBEWeightedDose(&hsg, PhotonEffect(&hsg, dose), NULL) / dose, 1, 1e-12);
}

/* 5.88 Gy(RBE) leaves 10 % of the cells wherever it is given: in a 290 MeV/u beam at LETd 30, 50 and 80 keV/um. */
static void ClinicalDose(void **state)
{
  Biology *biology = Create(&hsg);
  PetscInt d = 0;
  for (int i = 0; i < 3; i++) {
    const double letd = (double[]){30, 50, 80}[i];
    while (machine->letd_keV_um[d] < letd) d++;
    double alpha = biology->alpha_per_Gy[d], root_beta = biology->sqrt_beta_per_Gy[d], low = 0, high = 10;
    FieldDose field = {0};
    for (int k = 0; k < 60; k++) {
      double dose = 0.5 * (low + high);
      field = (FieldDose){.dose_Gy = dose, .alpha_dose = alpha * dose, .sqrt_beta_dose = root_beta * dose};
      *(RBEWeightedDose(&hsg, FieldEffect(&hsg, field, NULL), NULL) < 5.88 ? &low : &high) = dose;
    }
    double survival = SurvivalFraction(FieldEffect(&hsg, field, NULL));
    print_message("LETd %.1f keV/um: 5.88 Gy(RBE) are %.3f Gy, survival %.4f (0.10), clinical RBE %.2f\n",
                  machine->letd_keV_um[d], field.dose_Gy, survival, FieldRBE(&hsg, field));
    assert_float_equal(survival, 0.1, 0.005);
    assert_float_equal(FieldRBE(&hsg, field), 5.88 / field.dose_Gy, 1e-9);
  }
  assert_float_equal(FieldRBE(&hsg, (FieldDose){0}), 0, 0);
  assert_int_equal(BiologyDestroy(&biology), 0);
}

/* The built-in table is the modified MKM for 12C; other ions respond as carbon of the same LET. */
static void CarbonTable(void **state)
{
  LETTable *table;
  Mistakes mistakes = {0};
  assert_int_equal(LETTableCreate(&hsg, &mistakes, &table), 0);
  for (double energy = 0.4; energy < 900; energy *= 1.3) {
    IonResponse r = LETTableResponse(&hsg, table, LET_keV_um(6, 12, energy)), mkm = MKM(&hsg, 6, 12, energy);
    assert_float_equal(r.alpha_per_Gy / mkm.alpha_per_Gy, 1, 0.002);
    assert_float_equal(r.beta_per_Gy2, 0.0593, 1e-12);
  }
  assert_float_equal(LETTableResponse(&hsg, table, 0).alpha_per_Gy, 0.150, 1e-12);
  assert_true(LETTableResponse(&hsg, table, 1e4).alpha_per_Gy == table->alpha_per_Gy[table->n - 1]);
  assert_int_equal(LETTableDestroy(&table), 0);
}

/* A user's table; its text must be refused with `words` if those are given. */
static void TableFile(const char *text, const char *words)
{
  char file[] = "/tmp/robion-let-XXXXXX";
  int handle = mkstemp(file);
  assert_true(handle >= 0 && write(handle, text, strlen(text)) == (ssize_t)strlen(text) && !close(handle));
  BiologySpec spec = hsg;
  Biology *biology;
  Mistakes mistakes = {0};
  spec.table = file;
  assert_int_equal(BiologyCreate(&spec, machine, &mistakes, &biology), 0);
  unlink(file);
  assert_int_equal(mistakes.n, words ? 1 : 0);
  if (words) {
    assert_null(biology);
    assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
    if (!strstr(mistakes.item[0].text, words)) fail_msg("expected \"%s\" in: %s", words, mistakes.item[0].text);
    assert_int_equal(MistakesClear(&mistakes), 0);
    return;
  }
  /* alpha = 0.2 + 0.01 LET up to 1000 keV/um: the mean over the components is that of LETd */
  for (PetscInt d = 0; d < machine->n_depth; d++) {
    double alpha = 0;
    for (PetscInt k = d; k < machine->n_component * machine->n_depth; k += machine->n_depth) {
      alpha += machine->component[k] * biology->alpha_per_Gy[k];
      assert_float_equal(biology->sqrt_beta_per_Gy[k], 0.2, 1e-12);
    }
    if (machine->idd_Gy_mm2[d] > 0) assert_float_equal(alpha / (0.2 + 0.01 * machine->letd_keV_um[d]), 1, 0.02);
  }
  assert_int_equal(BiologyDestroy(&biology), 0);
}

#define HEADER "LET_keV_um,alpha_per_Gy,beta_per_Gy2\n"

static void UserTable(void **state)
{
  TableFile(HEADER "0,0.2,0.04\r\n500,5.2,0.04\n\n1000,10.2,0.04", NULL);
  TableFile("LET,alpha,beta\n0,1,1\n", ":1: found another header");
  TableFile(HEADER "0,0.2,0.04\n", "found 1 rows");
  TableFile(HEADER "0,0.2,0.04\n10,0.3\n20,0.4,0.04\n", ":3: found \"10,0.3\"");
  TableFile(HEADER "0,0.2,0.04\n10,nan,0.04\n20,0.4,0.04\n", ":3: found \"10,nan,0.04\"");
  TableFile(HEADER "0,0.2,0.04\n10,0,0.04\n20,0.4,0.04\n", "alpha above 0");
  TableFile(HEADER "0,0.2,0.04\n20,0.3,0.04\n20,0.4,0.04\n", ":4: found LET 20 after 20");
  TableFile("", "expected LET_keV_um,alpha_per_Gy,beta_per_Gy2");
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(PhotonReference), cmocka_unit_test(ClinicalDose),
                                     cmocka_unit_test(CarbonTable), cmocka_unit_test(UserTable)};
  return cmocka_run_group_tests(tests, Start, Stop);
}
