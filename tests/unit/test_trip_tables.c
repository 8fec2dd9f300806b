/* Accelerator tables and RBE tables of TRiP98. */
#include "test_trip.h"

#define SIS                                                                                                            \
  "* comment\nsisfile 19970801\nsistable 19981218\nprojectile 12C\ncharge 6\nmass 12\n"                                \
  "energy 0 focus 0 0 intensity 1 2 3\nenergy 88.83 focus 10 4 intensity 1e6 2e6 3e6\n"                                \
  "energy 90.52 focus 9.5 3.9 intensity 1e6 2e6 3.5e6\n"
#define SIS_SUMS "esum 179.35 fsum 19.5 7.9 isum 2000001 4000002 6500003\n"
#define RBE                                                                                                            \
  "!filetype    RBE\n!fileversion 19980407\n!celltype    own cells\n# comment\n!mean\n!alpha 0.1\n!beta 0.05\n!cut "   \
  "30\n"                                                                                                               \
  "!rnucleus 5\n!sumdoseptable\n1 2\n3 4\n!projectile 1H\n# E RBE\n!rbe\n0.1 20.5\n1 9\n100 1.1\n!projectile "         \
  "12C\n!rbe\n"                                                                                                        \
  "1 25\n200 1.5\n!min\n!alpha 0.11\n!beta 0.05\n!cut 30\n!rnucleus 5\n!projectile 12C\n!rbe\n1 20\n"

READER(ReadSIS, TripBeamTable)
READER(ReadRBE, TripRBE)

static void Accelerator(void **state)
{
  TripBeamTable t, s;
  Mistakes mistakes = {0};
  WriteBytes(file, SIS SIS_SUMS, strlen(SIS SIS_SUMS));
  assert_int_equal(TripBeamTableRead(file, &mistakes, &t), 0);
  assert_none(&mistakes);
  assert_true(t.n == 3 && t.n_focus == 2 && t.n_intensity == 3 && t.table_version == 19981218);
  assert_double_near(t.energy_MeV_u[2], 90.52, 0);
  assert_double_near(t.focus_fwhm_mm[2 * 2 + 1], 3.9, 0);
  assert_double_near(t.intensity[3 + 1], 2e6, 0);
  t.focus_fwhm_mm[2] = 1. / 3;
  assert_int_equal(TripBeamTableWrite(&t, file, &mistakes), 0);
  assert_int_equal(TripBeamTableRead(file, &mistakes, &s), 0);
  assert_int_equal(TripBeamTableWrite(&s, again, &mistakes), 0);
  assert_none(&mistakes);
  assert_memory_equal(t.energy_MeV_u, s.energy_MeV_u, 3 * sizeof(double));
  assert_memory_equal(t.focus_fwhm_mm, s.focus_fwhm_mm, 6 * sizeof(double));
  assert_memory_equal(t.intensity, s.intensity, 9 * sizeof(double));
  assert_same_files(file, again);
  assert_int_equal(TripBeamTableDestroy(&t), 0);
  assert_int_equal(TripBeamTableDestroy(&s), 0);
}

static void WrongAccelerators(void **state)
{
  Refuse(ReadSIS, "", ":1: no energy found");
  Refuse(ReadSIS, SIS, ":9: the checksums (esum ...) are missing");
  Refuse(ReadSIS, SIS "esum 180 fsum 19.5 7.9 isum 2000001 4000002 6500003\n", ":10: esum is 180, but");
  Refuse(ReadSIS, SIS "esum 179.35 fsum 19.5 8.9 isum 2000001 4000002 6500003\n", ":10: fsum is 8.9, but");
  Refuse(ReadSIS, SIS SIS_SUMS "energy 99 focus 1 1 intensity 1 1 1\n", ":11: \"energy\" found behind the checksums");
  Refuse(ReadSIS, SIS "energy 80 focus 1 1 intensity 1 1 1\n", ":10: energy 80 follows 90.52");
  Refuse(ReadSIS, SIS "energy 99 focus 1 intensity 1 1 1\n", ":10: 1 foci and 3 intensities found, expected 2 and 3");
  Refuse(ReadSIS, SIS "energy 99 focus -1 1 intensity 1 1 1\n", ":10: focus is \"-1\"");
  Refuse(ReadSIS, SIS "energy 99 focus nan 1 intensity 1 1 1\n", ":10: \"nan\" found, expected intensity");
  Refuse(ReadSIS, "energi 3\n", ":1: \"energi\" found, expected sisfile");
}

static void Cells(void **state)
{
  TripRBE t, s;
  Mistakes mistakes = {0};
  WriteBytes(file, RBE, strlen(RBE));
  assert_int_equal(TripRBERead(file, &mistakes, &t), 0);
  assert_none(&mistakes);
  assert_string_equal(t.cell_type, "own cells");
  assert_true(t.n == 2 && t.table[0].n == 2 && t.table[1].n == 1);
  assert_string_equal(t.table[1].kind, "min");
  assert_double_near(t.table[0].beta_x_per_Gy2, 0.05, 0);
  assert_double_near(t.table[0].cut_Gy, 30, 0);
  assert_double_near(t.table[1].alpha_x_per_Gy, 0.11, 0);
  assert_true(t.table[0].ion[0].n == 3 && t.table[0].ion[1].species.Z == 6);
  assert_double_near(t.table[0].ion[0].point[1].rbe, 9, 0);
  t.table[0].ion[0].point[1].rbe = 9 + 1. / 3;
  assert_int_equal(TripRBEWrite(&t, file, &mistakes), 0);
  assert_int_equal(TripRBERead(file, &mistakes, &s), 0);
  assert_int_equal(TripRBEWrite(&s, again, &mistakes), 0);
  assert_none(&mistakes);
  assert_same_files(file, again);
  for (int i = 0; i < 2; i++)
    assert_memory_equal(t.table[0].ion[i].point, s.table[0].ion[i].point,
                        sizeof(TripRBEPoint) * (size_t)t.table[0].ion[i].n);
  assert_int_equal(TripRBEDestroy(&t), 0);
  assert_int_equal(TripRBEDestroy(&s), 0);
}

static void WrongCells(void **state)
{
  Refuse(ReadRBE, "", ":1: no RBE table found");
  Refuse(ReadRBE, "!filetype ddd\n", ":1: file type is \"ddd\"");
  Refuse(ReadRBE, "!alpha 0.1\n", ":1: no !projectile in table !mean");
  Refuse(ReadRBE, "!projectile 12C\n!rbe\n1 2\n", ":3: !alpha is missing in table !mean");
  Refuse(ReadRBE, "!alpha -0.1\n", ":1: !alpha is \"-0.1\"");
  Refuse(ReadRBE, "!alpha 0.1\n!rbe\n", ":2: !rbe without a !projectile");
  Refuse(ReadRBE, "!alpha 0.1\n!projectile 99Q\n", ":2: projectile is \"99Q\"");
  Refuse(ReadRBE, "!alpha 0.1\n!projectile 12C\n!projectile 1H\n", ":3: projectile 12C has no energies");
  Refuse(ReadRBE, "!alpha 0.1\n!projectile 12C\n!rbe\n1 2\n1 3\n", ":5: energy 1 follows 1");
  Refuse(ReadRBE, "!alpha 0.1\n!projectile 12C\n!rbe\n1 nan\n", ":4: RBE is \"nan\"");
  Refuse(ReadRBE, "!alpha 0.1\n!projectile 12C\n!rbe\n1\n", ":4: RBE is \"\"");
  Refuse(ReadRBE, "!alpha 0.1\n!projectile 12C\n1 2\n", ":3: \"1 2\" found, expected a keyword");
  Refuse(ReadRBE, RBE "!mean\n", ": second table !mean");
}

static void Damaged(void **state)
{
  WriteBytes(again, SIS SIS_SUMS, strlen(SIS SIS_SUMS));
  /* cut in the sums, what is left of them is wrong or short; only the last line break may be missing, or the last digit */
  assert_true(Damage(ReadSIS, again, 1, "/file:") <= 2);
  WriteBytes(again, RBE, strlen(RBE));
  (void)Damage(ReadRBE, again, 1, "/file:");
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Accelerator), cmocka_unit_test(WrongAccelerators),
                                     cmocka_unit_test(Cells), cmocka_unit_test(WrongCells), cmocka_unit_test(Damaged)};
  return cmocka_run_group_tests(tests, SetUp, TearDown);
}
