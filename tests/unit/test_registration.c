/* Rigid transforms as people have them, and images brought onto the CT by them. */
#include "robion/registration.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "near.h"

static char file[] = "/tmp/robion-transform.XXXXXX";

static void Write(const char *text)
{
  FILE *out = fopen(file, "w");
  assert_non_null(out);
  fputs(text, out);
  assert_int_equal(fclose(out), 0);
}

static RigidTransform Read(const char *text)
{
  RigidTransform t;
  Mistakes mistakes = {0};
  Write(text);
  if (!RigidTransformRead(file, &mistakes, &t)) fail_msg("%s", MistakesFirst(&mistakes));
  return t;
}

#define ITK(type, parameters, fixed)                                                                                   \
  "#Insight Transform File V1.0\n#Transform 0\nTransform: " type "_double_3_3\nParameters: " parameters                \
  "\nFixedParameters: " fixed "\n"

/* Each way to write a turn of 90 degrees about z through (10, 20, 30) and a shift by (1, 2, 3): (11, 20, 30) goes to (11, 23, 33). */
static void AllWaysAreOne(void **state)
{
  const char *const text[] = {"0 -1 0 31\n1 0 0 12\n0 0 1 3\n0 0 0 1\n",
                              "0,-1,0,31;1,0,0,12;0,0,1,3;0,0,0,1",
                              "\xef\xbb\xbf"
                              "0 -1 0 31\r\n1 0 0 12\r\n0 0 1 3\r\n0 0 0 1\r\n",
                              ITK("Euler3DTransform", "0 0 1.5707963267948966 1 2 3", "10 20 30"),
                              ITK("Euler3DTransform", "0 0 1.5707963267948966 1 2 3", "10 20 30 1"),
                              ITK("VersorRigid3DTransform", "0 0 0.70710678118654752 1 2 3", "10 20 30"),
                              ITK("AffineTransform", "0 -1 0 1 0 0 0 0 1 1 2 3", "10 20 30"),
                              ITK("MatrixOffsetTransformBase", "0 -1 0 1 0 0 0 0 1 1 2 3", "10 20 30")};
  const double expected[3][3] = {{0, -1, 0}, {1, 0, 0}, {0, 0, 1}}, offset[3] = {31, 12, 3};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(text); i++) {
    const RigidTransform t = Read(text[i]);
    for (int k = 0; k < 3; k++) {
      for (int j = 0; j < 3; j++) assert_double_near(t.matrix[k][j], expected[k][j], 1e-12);
      assert_double_near(t.offset_mm[k], offset[k], 1e-10);
    }
  }
  const RigidTransform moved = Read(ITK("TranslationTransform", "1 -2 3", ""));
  for (int k = 0; k < 3; k++) assert_double_near(moved.offset_mm[k], ((double[]){1, -2, 3})[k], 0);
}

/* Angles about x, y, z do not commute: ITK turns about y first, then x, then z, or as its flag says about x, y, z. */
static void EulerAnglesHaveAnOrder(void **state)
{
  const double c = cos(0.3), s = sin(0.3), cy = cos(-0.2), sy = sin(-0.2);
  const RigidTransform zxy = Read(ITK("Euler3DTransform", "0.3 -0.2 0 0 0 0", "0 0 0"));
  const RigidTransform zyx = Read(ITK("Euler3DTransform", "0.3 -0.2 0 0 0 0", "0 0 0 1"));
  const double x_of_y[3] = {cy, s * sy, -c * sy}, y_of_x[3] = {cy, 0, -sy}; /* where the axis x goes */
  for (int k = 0; k < 3; k++) {
    assert_double_near(zxy.matrix[k][0], x_of_y[k], 1e-12);
    assert_double_near(zyx.matrix[k][0], y_of_x[k], 1e-12);
  }
}

static void WhatIsNotRigidIsRefused(void **state)
{
  const struct {
    const char *text, *says;
  } of[] = {
      {"1 0 0 0 0 1 0 0 0 0 1 0", "fewer numbers"},
      {"1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1 7", "neither numbers"},
      {"one 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1", "neither numbers"},
      {"nan 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1", "neither numbers"},
      {"", "fewer numbers"},
      {"1 0 0 0 0 1 0 0 0 0 1 0 5 6 7 1", "last row"},
      {"1.01 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1", "scales or shears"},
      {"1 0.01 0 0 0 1 0 0 0 0 1 0 0 0 0 1", "scales or shears"},
      {"-1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1", "mirrors"},
      {"0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1", "scales or shears"},
      {ITK("BSplineTransform", "1 2 3", "0 0 0"), "'BSplineTransform_double_3_3' of 3 parameters"},
      {ITK("Euler3DTransform", "1 2 3", "0 0 0"), "of 3 parameters"},
      {ITK("AffineTransform", "1 0 0 0 1 0 0 0 2 0 0 0", "0 0 0"), "scales or shears"},
      {ITK("Euler3DTransform", "0 0 0 0 0 0", "0 0 0") "Transform: TranslationTransform_double_3_3\n", "2 transforms"},
      {"#Insight Transform File V1.0\n", "0 transforms"}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(of); i++) {
    Mistakes mistakes = {0};
    RigidTransform t;
    Write(of[i].text);
    assert_false(RigidTransformRead(file, &mistakes, &t));
    assert_int_equal(mistakes.n, 1);
    assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
    if (!strstr(MistakesFirst(&mistakes), of[i].says)) fail_msg("%s: %s", of[i].says, MistakesFirst(&mistakes));
    assert_int_equal(MistakesClear(&mistakes), 0);
  }
}

/* A hill that is known in the frame of the CT. */
static double Hill(const double ct_mm[3])
{
  const double d[3] = {ct_mm[0] - 5, ct_mm[1] + 8, ct_mm[2] - 3};
  return 100 + 900 * exp(-(d[0] * d[0] / 2 + d[1] * d[1] / 3 + d[2] * d[2]) / 200);
}

/* The image of it by a scanner whose frame is turned and shifted. */
static Image ScanOf(const RigidTransform *t)
{
  Image image = {.grid = {{50, 46, 40}, {2, 2, 2}, {-30, -20, -60}}, .n_volume = 2};
  const size_t n = GridSize(&image.grid);
  assert_int_equal(PetscMalloc1(2 * n, &image.value), 0);
  for (size_t v = 0; v < n; v++) {
    double at[3], ct[3] = {0, 0, 0};
    GridCentre(&image.grid, v, at);
    for (int k = 0; k < 3; k++)
      for (int j = 0; j < 3; j++) ct[k] += t->matrix[j][k] * (at[j] - t->offset_mm[j]);
    image.value[v] = (float)Hill(ct);
    image.value[n + v] = (float)(0.5 * Hill(ct));
  }
  return image;
}

static void ImagesComeBack(void **state)
{
  const char *const text[] = {"1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1",
                              ITK("Euler3DTransform", "0.2 -0.1 0.4 12 7 -15", "3 4 5"),
                              "0 -1 0 31\n1 0 0 12\n0 0 1 -23\n0 0 0 1\n"};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(text); i++) {
    const RigidTransform t = Read(text[i]);
    const Grid ct = {{60, 60, 60}, {3, 3, 3}, {-85, -90, -80}};
    Mistakes mistakes = {0};
    Image image = ScanOf(&t);
    assert_int_equal(ImageRegister(&t, &ct, &mistakes, &image), 0);
    assert_int_equal(mistakes.n, 0);
    assert_int_equal(image.n_volume, 2);
    const size_t n = GridSize(&image.grid);
    size_t seen = 0;
    double worst = 0;
    for (size_t v = 0; v < n; v++) {
      double point[3];
      GridCentre(&image.grid, v, point);
      if (image.value[v] == 0) continue;
      seen++;
      worst = PetscMax(worst, fabs(image.value[v] - Hill(point)));
      assert_double_near(image.value[n + v], 0.5 * (double)image.value[v], 1e-3);
    }
    print_message("%zu of %zu voxels, off by at most %.2f of 1000\n", seen, n, worst);
    assert_true(seen > 50000);
    assert_true(worst <
                12); /* what trilinear means lose of such a hill: curvature 4.5 per mm2 times (2 mm)^2 / 8 each way */
    assert_int_equal(PetscFree(image.value), 0);
  }
}

static void NothingIsLeft(void **state)
{
  const RigidTransform t = Read("1 0 0 1000 0 1 0 0 0 0 1 0 0 0 0 1");
  const Grid ct = {{60, 60, 60}, {3, 3, 3}, {-85, -90, -80}};
  Mistakes mistakes = {0};
  Image image = {.grid = {{2, 2, 2}, {2, 2, 2}, {0, 0, 0}}, .n_volume = 1};
  assert_int_equal(PetscCalloc1(8, &image.value), 0);
  assert_int_equal(ImageRegister(&t, &ct, &mistakes, &image), 0);
  assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
  assert_int_equal(MistakesClear(&mistakes), 0);
  assert_int_equal(PetscFree(image.value), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(AllWaysAreOne), cmocka_unit_test(EulerAnglesHaveAnOrder),
                                     cmocka_unit_test(WhatIsNotRigidIsRefused), cmocka_unit_test(ImagesComeBack),
                                     cmocka_unit_test(NothingIsLeft)};
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  if (close(mkstemp(file))) return 1;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  unlink(file);
  PetscCall(PetscFinalize());
  return failed;
}
