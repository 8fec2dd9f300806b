/* Spot lists: CSV and plan files, and what wrong ones say. */
#include "robion/plan_read.h"
#include "robion/hdf5.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "near.h"

#define HEADER "beam,x_mm,y_mm,energy_MeV_u,particles\n"
static char file[256];

static int SetUp(void **state)
{
  const char *folder = getenv("TMPDIR");
  snprintf(file, sizeof file, "%s/robion-spots-%ld", folder ? folder : "/tmp", (long)getpid());
  return 0;
}

static int TearDown(void **state)
{
  unlink(file);
  return 0;
}

static void WriteText(const char *text)
{
  FILE *f = fopen(file, "w");
  fputs(text, f);
  fclose(f);
}

static void GoodCSV(void **state)
{
  Mistakes mistakes = {0};
  SpotList spots;
  WriteText("\357\273\277beam,x_mm,y_mm,energy_MeV_u,particles\r\n0,-4.5,8,210.25,1e6\r\n\r\n 2 , 0 ,1, 399 ,0\r\n");
  assert_int_equal(SpotListReadCSV(file, &mistakes, &spots), 0);
  assert_false(MistakesAny(&mistakes));
  assert_int_equal(spots.n, 2);
  assert_int_equal(spots.beam[1], 2);
  assert_double_near(spots.x_mm[0], -4.5, 0);
  assert_double_near(spots.y_mm[0], 8, 0);
  assert_double_near(spots.energy_MeV_u[1], 399, 0);
  assert_double_near(spots.particles[0], 1e6, 0);
  assert_true(spots.any_energy && !spots.spot_fwhm_mm && !spots.n_angles && !spots.ion.Z);
  assert_int_equal(SpotListDestroy(&spots), 0);
  assert_null(spots.beam);
}

/* Lines of other systems are read and counted as ours, and a byte order mark is passed over. */
static void LineEnds(void **state)
{
  static const char *const end[] = {"\n", "\r\n", "\r"}, *const mark[] = {"", "\357\273\277"};
  for (int kind = 0; kind < 12; kind++) {
    Mistakes mistakes = {0};
    SpotList spots;
    char text[256], where[300];
    const char *e = end[kind % 3], *last = kind / 6 ? "7" : "x";
    snprintf(text, sizeof text, "%s%.*s%s0,1,2,200,5%s1,1,2,200,%s%s", mark[kind / 3 % 2], (int)strlen(HEADER) - 1,
             HEADER, e, e, last, e);
    WriteText(text);
    assert_int_equal(SpotListReadCSV(file, &mistakes, &spots), 0);
    if (kind / 6) {
      assert_false(MistakesAny(&mistakes));
      assert_true(spots.n == 2 && spots.particles[1] == 7 && spots.line[1] == 3);
    } else {
      snprintf(where, sizeof where, "%s:3: particles is \"x\"", file);
      assert_int_equal(mistakes.n, 1);
      if (strncmp(MistakesFirst(&mistakes), where, strlen(where))) fail_msg("%s", MistakesFirst(&mistakes));
    }
    assert_int_equal(MistakesClear(&mistakes) || SpotListDestroy(&spots), 0);
  }
}

static void ManySpots(void **state)
{
  Mistakes mistakes = {0};
  SpotList spots;
  FILE *f = fopen(file, "w");
  fputs(HEADER, f);
  for (int i = 0; i < 5000; i++) fprintf(f, "%d,%d,%d,200,%d\n", i % 3, i, -i, 10 * i);
  fclose(f);
  assert_int_equal(SpotListReadCSV(file, &mistakes, &spots), 0);
  assert_int_equal(spots.n, 5000);
  for (int i = 0; i < 5000; i++)
    assert_true(spots.beam[i] == i % 3 && spots.x_mm[i] == i && spots.y_mm[i] == -i && spots.particles[i] == 10.0 * i);
  assert_int_equal(SpotListDestroy(&spots), 0);
}

/* Reading the text must fail with n mistakes, the last of which holds `wanted`. */
static void Refuse(const char *text, PetscInt n, const char *wanted)
{
  Mistakes mistakes = {0};
  SpotList spots;
  WriteText(text);
  assert_int_equal(SpotListReadCSV(file, &mistakes, &spots), 0);
  assert_int_equal(spots.n, 0);
  assert_null(spots.beam);
  assert_int_equal(mistakes.n, n);
  assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
  if (!strstr(mistakes.item[n - 1].text, wanted)) fail_msg("\"%s\" lacks \"%s\"", mistakes.item[n - 1].text, wanted);
  assert_int_equal(MistakesClear(&mistakes), 0);
}

static void BadCSV(void **state)
{
  Refuse("", 1, ":1: header is \"\", expected");
  Refuse("0,1,2,200,5\n", 1, ":1: header is \"0,1,2,200,5\"");
  Refuse("beam,x,y,energy,particles\n", 1, "expected \"beam,x_mm");
  Refuse(HEADER, 1, "no spots");
  Refuse(HEADER "0,1,2,200,5\n0,1,2,200\n", 1, ":3: 4 fields found, expected 5");
  Refuse(HEADER "0,1,2,200,5,6\n", 1, ":2: 6 fields found");
  Refuse(HEADER "0.5,1,2,200,5\n", 1, ":2: beam is \"0.5\", expected a whole number");
  Refuse(HEADER "-1,1,2,200,5\n", 1, "beam is \"-1\"");
  Refuse(HEADER "0,x,2,200,5\n", 1, "x_mm is \"x\", expected a finite number");
  Refuse(HEADER "0,1,,200,5\n", 1, "y_mm is \"\"");
  Refuse(HEADER "0,1,2,-200,5\n", 1, "energy_MeV_u is \"-200\", expected a number above 0");
  Refuse(HEADER "0,1,2,200,nan\n", 1, "particles is \"nan\"");
  Refuse(HEADER "0,1,2,200,-1\n0,1,2,200,1\n0,1,2,inf,1\n", 2, ":4: energy_MeV_u is \"inf\"");
  char many[4096] = HEADER;
  for (int i = 0; i < 300; i++) strcat(many, "bad\n");
  Refuse(many, 101, "stopped reading after 100 wrong lines");
  unlink(file);
  Mistakes mistakes = {0};
  SpotList spots;
  assert_int_equal(SpotListReadCSV(file, &mistakes, &spots), 0);
  assert_non_null(strstr(mistakes.item[0].text, "No such file"));
  assert_int_equal(MistakesClear(&mistakes), 0);
}

static void WritePlan(int n_beams, hsize_t n_energies, double worst)
{
  Mistakes mistakes = {0};
  H5Sink sink;
  assert_true(H5SinkOpen(file, &mistakes, &sink));
  const double x[3] = {1, 2, 3}, particles[3] = {1e5, worst, 0};
  const hsize_t three = 3;
  H5WriteGroup(&sink, "/plan");
  for (int b = 0; b < n_beams; b++) {
    char path[64];
    const char *const names[3] = {"x_mm", "y_mm", "energy_MeV_u"};
    for (int c = 0; c < 3; c++) {
      snprintf(path, sizeof path, "/plan/beam_%d/%s", b, names[c]);
      H5WriteArray(&sink, path, H5T_NATIVE_DOUBLE, 1, c == 2 ? &n_energies : &three, x, NULL, NULL);
    }
    snprintf(path, sizeof path, "/plan/beam_%d/particles", b);
    H5WriteArray(&sink, path, H5T_NATIVE_DOUBLE, 1, &three, particles, NULL, NULL);
  }
  assert_true(H5SinkClose(&sink, &mistakes));
}

static void GoodPlan(void **state)
{
  Mistakes mistakes = {0};
  SpotList spots;
  WritePlan(2, 3, 7);
  assert_int_equal(PlanReadSpots(file, &mistakes, &spots), 0);
  assert_false(MistakesAny(&mistakes));
  assert_int_equal(spots.n, 6);
  for (int i = 0; i < 6; i++) {
    assert_int_equal(spots.beam[i], i / 3);
    assert_true(spots.energy_MeV_u[i] == i % 3 + 1);
  }
  assert_double_near(spots.particles[4], 7, 0);
  assert_false(spots.any_energy); /* a plan of robion: it was made with some machine */
  PetscInt n;
  double *energy;
  assert_int_equal(SpotListEnergies(&spots, &n, &energy), 0);
  assert_int_equal(n, 3);
  for (int e = 0; e < 3; e++) assert_true(energy[e] == e + 1);
  assert_int_equal(PetscFree(energy), 0);
  assert_int_equal(SpotListDestroy(&spots), 0);
}

static void BadPlans(void **state)
{
  const struct {
    int n_beams, n_energies;
    double worst;
    const char *text;
  } cases[] = {{0, 3, 7, "/plan/beam_0: missing group"},
               {2, 2, 7, "/plan/beam_0/energy_MeV_u: dimension 0 is 2, expected 3"},
               {1, 3, NAN, "/plan/beam_0/particles: element 1 is nan"},
               {1, 3, -1, "element 1 is -1, expected a number of at least 0"}};
  for (int c = 0; c < 4; c++) {
    Mistakes mistakes = {0};
    SpotList spots;
    WritePlan(cases[c].n_beams, (hsize_t)cases[c].n_energies, cases[c].worst);
    assert_int_equal(PlanReadSpots(file, &mistakes, &spots), 0);
    assert_int_equal(spots.n, 0);
    assert_int_equal(mistakes.n, 1);
    if (!strstr(mistakes.item[0].text, cases[c].text)) fail_msg("\"%s\"", mistakes.item[0].text);
    assert_int_equal(MistakesClear(&mistakes), 0);
  }
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(GoodCSV), cmocka_unit_test(LineEnds), cmocka_unit_test(ManySpots),
      cmocka_unit_test(BadCSV),  cmocka_unit_test(GoodPlan), cmocka_unit_test(BadPlans),
  };
  int failures = cmocka_run_group_tests(tests, SetUp, TearDown);
  return PetscFinalize() ? 1 : failures;
}
