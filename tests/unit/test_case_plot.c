/* Pictures of cases: whatever a structure or a map is called, gnuplot is told it as text. */
#include "phantom_case.h"
#include "robion/case_plot.h"
#include "robion/text.h"
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/robion-plot-XXXXXX";

static PetscBool HaveGnuplot(void)
{
  return system("command -v gnuplot >/dev/null") == 0 ? PETSC_TRUE : PETSC_FALSE;
}

static void Names(void **state)
{
  static const char *const names[] = {"'; system('touch made'); '",
                                      "`touch made`",
                                      "a\"b",
                                      "x\\ny",
                                      "=cmd|' /C calc'!A0",
                                      "<script>alert(1)</script>",
                                      "a_{b}^c",
                                      "Zielvolumen \xc3\xa4\xc3\xb6"};
  if (!HaveGnuplot()) skip();
  assert_int_equal(chdir(folder), 0);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(names); i++) {
    Case *patient = PhantomCase("water-box", "ct_spacing_mm: 10");
    Mistakes mistakes = {0};
    char *text;
    size_t length;
    assert_int_equal(PetscFree(patient->structures[0].name), 0);
    assert_int_equal(PetscStrallocpy(names[i], &patient->structures[0].name), 0);
    assert_int_equal(CasePlot(patient, "case.svg", &mistakes), 0);
    assert_false(MistakesAny(&mistakes));
    assert_true(FileRead("case.svg", &text, &length, &mistakes));
    assert_null(strstr(text, "<script>")); /* in an SVG it would run */
    assert_int_equal(PetscFree(text), 0);
    assert_int_equal(access("made", F_OK), -1);
    assert_int_equal(unlink("case.svg"), 0);
    assert_int_equal(CaseDestroy(&patient), 0);
  }
  assert_int_equal(chdir("/"), 0);
  assert_int_equal(rmdir(folder), 0); /* nothing else was left */
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Names)};
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  if (!mkdtemp(folder)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscCall(PetscFinalize());
  return failed;
}
