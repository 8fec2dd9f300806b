/* Rays that enter a patient through the border of the CT: how many of a beam, from every side, and through what. */
#include "robion/beam.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "near.h"

enum { N = 20, SIZE = N * N * N };

static float rsp[SIZE];
static const Grid ct = {{N, N, N}, {5, 5, 5}, {-47.5, -47.5, -47.5}};

/* Stopping power of the voxels from low to high (included). */
static void Fill(double value, int x0, int x1, int y0, int y1, int z0, int z1)
{
  for (int k = z0; k <= z1; k++)
    for (int j = y0; j <= y1; j++)
      for (int i = x0; i <= x1; i++) rsp[(k * N + j) * N + i] = (float)value;
}

/* Share of the target, the central 20 mm, that a beam reaches through the border. */
static double Share(double gantry_deg, double couch_deg, double sad_mm)
{
  const Case patient = {.ct = ct, .rsp = rsp};
  const Grid grid = {{8, 8, 8}, {2.5, 2.5, 2.5}, {-8.75, -8.75, -8.75}};
  PetscInt voxel[512];
  float fraction[512];
  char name[] = "CTV";
  for (int v = 0; v < 512; v++) voxel[v] = v, fraction[v] = 1;
  const Region target = {.name = name, .n = 512, .voxel = voxel, .fraction = fraction};
  Beam beam = {.gantry_deg = gantry_deg, .couch_deg = couch_deg, .sad_mm = sad_mm};
  BeamSetAxes(&beam);
  return BeamCutShare(&beam, &patient, &grid, &target);
}

static void Body(void)
{
  Fill(RSP_AIR, 0, N - 1, 0, N - 1, 0, N - 1);
  Fill(1, 3, N - 4, 3, N - 4, 3, N - 4);
}

/* Gantry 0 enters at low y, 180 at high y, 90 at high x, 270 at low x; with the couch at 90 the beam of 90 enters at low z. */
static void FromEverySide(void **state)
{
  static const struct {
    double gantry_deg, couch_deg;
    int axis, high;
  } side[] = {{0, 0, 1, 0},   {180, 0, 1, 1},  {90, 0, 0, 1},  {270, 0, 0, 0},
              {90, 90, 2, 0}, {270, 90, 2, 1}, {33, 21, -1, 0}};
  for (int open = -1; open < 6; open++) { /* which side of the body the CT cuts off */
    for (size_t s = 0; s < sizeof side / sizeof *side - 1; s++)
      for (int diverging = 0; diverging < 2; diverging++) {
        int low[3] = {3, 3, 3}, high[3] = {N - 4, N - 4, N - 4};
        Body();
        if (open >= 0 && open % 2) high[open / 2] = N - 1;
        if (open >= 0 && !(open % 2)) low[open / 2] = 0;
        Fill(1, low[0], high[0], low[1], high[1], low[2], high[2]);
        const double expected = open >= 0 && side[s].axis == open / 2 && side[s].high == open % 2 ? 1 : 0;
        assert_double_near(Share(side[s].gantry_deg, side[s].couch_deg, diverging ? 2000 : 0), expected, 0);
      }
  }
  Body();
  assert_double_near(Share(33, 21, 0), 0, 0);
  Fill(1, 0, N - 1, 0, N - 1, 0, N - 1);
  assert_double_near(Share(33, 21, 0), 1, 0);
}

/* Half of the rays meet the part that is cut off, or a quarter; one voxel of air before the patient is enough. */
static void PartOfTheRays(void **state)
{
  Body();
  Fill(1, 3, N - 4, 0, 9, 3, 9);
  assert_double_near(Share(0, 0, 0), 0.5, 1e-12);
  Body();
  Fill(1, 3, 9, 0, 9, 3, 9);
  assert_double_near(Share(0, 0, 0), 0.25, 1e-12);
  Body();
  Fill(1, 3, N - 4, 1, 9, 3, N - 4);
  assert_double_near(Share(0, 0, 0), 0, 0);
}

/* Lung is cut off like muscle; air at the border, also that of a cavity, is not; nor is what the beam leaves through. */
static void Through(void **state)
{
  Body();
  Fill(0.25, 3, N - 4, 0, 5, 3, N - 4);
  assert_double_near(Share(0, 0, 0), 1, 0);
  Fill(RSP_AIR, 3, N - 4, 0, 1, 3, N - 4);
  assert_double_near(Share(0, 0, 0), 0, 0);
  Body();
  Fill(1, 3, N - 4, 10, N - 1, 3, N - 4);
  assert_double_near(Share(0, 0, 0), 0, 0);
  assert_double_near(Share(180, 0, 0), 1, 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(FromEverySide), cmocka_unit_test(PartOfTheRays),
                                     cmocka_unit_test(Through)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
