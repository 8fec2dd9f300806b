/* Contours to masks and back. */
#include "phantom_case.h"
#include "robion/contours.h"
#include "near.h"
#include <stdlib.h>
#include <string.h>

/* 12 x 10 x 8 voxels of 1 x 1 x 2 mm; centres of the lowest at 0. */
static const Grid grid = {{12, 10, 8}, {1, 1, 2}, {0, 0, 0}};
static unsigned char mask[12 * 10 * 8];
static ContourCounts counts;

/* A rectangle around the centres x0 to x1, y0 to y1, with its edges half a voxel away. */
static void AddBox(Contours *c, double x0, double x1, double y0, double y1, double z)
{
  const double p[4][3] = {{x0 - .5, y0 - .5, z}, {x1 + .5, y0 - .5, z}, {x1 + .5, y1 + .5, z}, {x0 - .5, y1 + .5, z}};
  assert_int_equal(ContoursAddRing(c, 4, p), 0);
}

static void Fill(Contours *c)
{
  memset(mask, 77, sizeof mask);
  assert_int_equal(ContoursToMask(&grid, c, mask, &counts), 0);
  size_t n = 0;
  for (size_t v = 0; v < sizeof mask; v++) {
    assert_true(mask[v] < 2);
    n += mask[v];
  }
  assert_int_equal(counts.voxels, n);
  assert_int_equal(counts.rings, c->n_rings);
  assert_int_equal(ContoursDestroy(c), 0);
}

static int Voxels(PetscInt slice)
{
  int n = 0;
  for (int v = 0; v < 120; v++) n += mask[slice * 120 + v];
  return n;
}

static int At(PetscInt i, PetscInt j, PetscInt k)
{
  return mask[GridIndex(&grid, i, j, k)];
}

/* A ring in a ring is a hole, one in the hole an island; pieces beside each other are both taken; no order matters. */
static void EvenOdd(void **state)
{
  for (int order = 0; order < 2; order++) {
    Contours c = {0};
    if (order) AddBox(&c, 4, 5, 4, 5, 4);
    AddBox(&c, 1, 8, 1, 8, 4);
    AddBox(&c, 2, 7, 2, 7, 4);
    if (!order) AddBox(&c, 4, 5, 4, 5, 4);
    AddBox(&c, 10, 10, 0, 9, 4);
    Fill(&c);
    assert_int_equal(counts.voxels, 64 - 36 + 4 + 10);
    assert_int_equal(Voxels(2), counts.voxels);
    assert_true(At(1, 1, 2) && !At(2, 2, 2) && At(4, 4, 2) && At(10, 9, 2));
    assert_int_equal(counts.crossed + counts.merged_slices + counts.between + counts.outside + counts.cut, 0);
    assert_int_equal(counts.planes, 1);
  }
}

/* Areas of slanted rings by their centres; the same whatever way round. */
static void Slanted(void **state)
{
  const double triangle[3][3] = {{0.1, 0.1, 0}, {9.9, 0.1, 0}, {0.1, 9.9, 0}},
               back[3][3] = {{0.1, 9.9, 0}, {9.9, 0.1, 0}, {0.1, 0.1, 0}};
  for (int way = 0; way < 2; way++) {
    Contours c = {0};
    assert_int_equal(ContoursAddRing(&c, 3, way ? back : triangle), 0);
    Fill(&c);
    assert_int_equal(counts.voxels, 8 + 7 + 6 + 5 + 4 + 3 + 2 + 1); /* i + j < 10, i, j >= 1 */
  }
}

/* A hole by a slit, of which both edges are the same or a tenth of a micrometre apart. */
static void Keyhole(void **state)
{
  for (int apart = 0; apart < 2; apart++) {
    const double e = apart ? 1e-4 : 0;
    const double p[][3] = {{0.5, 0.5, 6}, {8.5, 0.5, 6}, {8.5, 8.5, 6}, {0.5, 8.5, 6}, {0.5, 0.5, 6},
                           {2.5, 3.5, 6}, {2.5, 6.5, 6}, {5.5, 6.5, 6}, {5.5, 3.5, 6}, {2.5, 3.5 - e, 6}};
    Contours c = {0};
    assert_int_equal(ContoursAddRing(&c, 10, p), 0);
    Fill(&c);
    assert_int_equal(counts.voxels, 64 - 9);
    assert_true(!At(3, 4, 3) && At(1, 1, 3) && At(2, 2, 3) && !counts.crossed);
  }
}

/* Pieces drawn over each other are joined: edges that cross, corners that cross, bars; their own hole stays. */
static void Crossing(void **state)
{
  Contours c = {0};
  AddBox(&c, 1, 5, 1, 5, 0);
  AddBox(&c, 4, 8, 4, 8, 0);
  Fill(&c);
  assert_int_equal(counts.voxels, 25 + 25 - 4);
  assert_int_equal(counts.crossed, 1);
  AddBox(&c, 1, 9, 4, 5, 0); /* a bar across another: no corner of either is inside the other */
  AddBox(&c, 4, 5, 1, 8, 0);
  AddBox(&c, 10, 11, 0, 0, 0);
  AddBox(&c, 1, 8, 1, 8, 2);
  Fill(&c);
  assert_int_equal(Voxels(0), 18 + 16 - 4 + 2);
  assert_int_equal(Voxels(1), 64);
  assert_int_equal(counts.crossed, 1);
  AddBox(&c, 0, 8, 0, 8, 0); /* a hole in the first of two */
  AddBox(&c, 1, 2, 1, 2, 0);
  AddBox(&c, 7, 11, 7, 9, 0);
  Fill(&c);
  assert_int_equal(counts.voxels, 81 - 4 + 15 - 4);
  const double steps[][3] = {{0.5, 0.5, 0}, {1.5, 0.5, 0}, {2.5, 0.5, 0}, {2.5, 1.5, 0},
                             {2.5, 2.5, 0}, {1.5, 2.5, 0}, {0.5, 2.5, 0}, {0.5, 1.5, 0}};
  double moved[8][3];
  for (int i = 0; i < 8; i++)
    for (int k = 0; k < 3; k++) moved[i][k] = steps[i][k] + (k < 2 ? 1 : 0);
  assert_int_equal(ContoursAddRing(&c, 8, steps), 0); /* along voxels, every corner given: they cross at corners only */
  assert_int_equal(ContoursAddRing(&c, 8, moved), 0);
  Fill(&c);
  assert_int_equal(counts.voxels, 4 + 4 - 1);
}

/* A common edge or corner, or an overlap by rounding, is no crossing: the hole at the rim stays one. */
static void Touching(void **state)
{
  for (int rounded = 0; rounded < 2; rounded++) {
    Contours c = {0};
    AddBox(&c, 1, 8, 1, 8, 0);
    AddBox(&c, 1 - 0.004 * rounded, 3, 3, 5, 0);
    AddBox(&c, 9, 10, 1, 3, 0);
    AddBox(&c, 9, 9, 9, 9, 0);
    Fill(&c);
    assert_int_equal(counts.crossed, 0);
    assert_int_equal(counts.voxels, 64 - 9 + 6 + 1);
  }
}

/* Planes go to the slice at most half a gap away, the middle to the lower one; beyond that they are counted. */
static void Planes(void **state)
{
  const struct {
    double z;
    PetscInt slice; /* -1: none */
  } of[] = {{4, 2},        {4.9, 2},  {5, 2},     {5.1, 3},  {4 + 1e-7, 2}, {4 - 1e-7, 2}, {5 - 1e-7, 2},
            {5 + 1e-7, 2}, {-0.9, 0}, {-1.1, -1}, {14.9, 7}, {15.1, -1},    {-300, -1},    {9e5, -1}};
  for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
    Contours c = {0};
    AddBox(&c, 1, 2, 1, 2, of[k].z);
    Fill(&c);
    if (of[k].slice < 0)
      assert_int_equal(counts.outside, 1);
    else if (Voxels(of[k].slice) != 4)
      fail_msg("plane at %g mm is not on slice %d", of[k].z, (int)of[k].slice);
    assert_int_equal(counts.voxels, of[k].slice < 0 ? 0 : 4);
    assert_int_equal(counts.planes, of[k].slice >= 0);
  }
}

/* Finer planes than slices are joined; planes on every second or third slice fill those between, far ones do not. */
static void OtherGaps(void **state)
{
  Contours c = {0};
  for (int k = 0; k < 4; k++) AddBox(&c, k, k, 1, 1, 3.5 + 0.5 * k); /* 3.5, 4, 4.5, 5 on slice 2 */
  Fill(&c);
  assert_int_equal(Voxels(2), 4);
  assert_int_equal(counts.merged_slices, 1);
  for (int k = 0; k < 3; k++) AddBox(&c, 1, 1 + k, 1, 1, 2 + 4 * k); /* on slices 1, 3, 5 */
  Fill(&c);
  const int third[8] = {1, 1, 2, 2, 3, 3, 0, 0};
  for (int k = 0; k < 8; k++) assert_int_equal(Voxels(k), third[k]);
  assert_int_equal(counts.between, 3);
  for (int k = 0; k < 2; k++) AddBox(&c, 1, 1, 1, 1, 2 + 4 * k); /* two planes may be two pieces */
  Fill(&c);
  assert_int_equal(counts.voxels, 2);
  for (int k = 0; k < 4; k++) AddBox(&c, 1, 1, 1, 1, (double[]){0, 2, 10, 12}[k]); /* so are pieces of several slices */
  Fill(&c);
  assert_int_equal(counts.voxels, 4);
  assert_int_equal(counts.between, 0);
  for (int k = 0; k < 8; k++) AddBox(&c, 1, 1, 1, 1, 2.02 * k - 0.05); /* slices' own gaps, rounded */
  Fill(&c);
  assert_int_equal(counts.voxels, 8);
  assert_int_equal(counts.between + counts.merged_slices, 0);
}

/* Rings that are none are skipped and counted, the others stay. */
static void Skipped(void **state)
{
  const double bad[][3] = {{1, 1, 4}, {2, 1, 4}, {NAN, 2, 4}, {1, 2, 4}, {1e300, 1, 4}, {1, 1, INFINITY}};
  const double steep[3][3] = {{1, 1, 4}, {5, 1, 4.2}, {5, 5, 4}},
               flat[4][3] = {{1, 1, 4}, {5, 1, 4}, {5, 1, 4}, {1, 1, 4}};
  Contours c = {0};
  AddBox(&c, 6, 7, 6, 7, 4);
  assert_int_equal(ContoursAddRing(&c, 0, NULL), 0);
  for (int n = 1; n < 7; n++) assert_int_equal(ContoursAddRing(&c, n, bad), 0); /* from 3 points: NaN */
  assert_int_equal(ContoursAddRing(&c, 3, bad + 3), 0);
  assert_int_equal(ContoursAddRing(&c, 3, steep), 0);
  assert_int_equal(ContoursAddRing(&c, 4, flat), 0); /* no area: kept, holds nothing */
  Fill(&c);
  assert_int_equal(counts.few_points, 3);
  assert_int_equal(counts.unplaceable, 5);
  assert_int_equal(counts.oblique, 1);
  assert_int_equal(counts.voxels, 4);
  assert_false(counts.tiny);
}

/* Structures below a voxel keep one; contours beyond the sides are cut off and told. */
static void TinyAndCut(void **state)
{
  Contours c = {0};
  AddBox(&c, 3.7, 2.9, 5.3, 4.7, 8); /* 0.2 mm wide, between centres */
  Fill(&c);
  assert_true(counts.tiny);
  assert_int_equal(counts.voxels, 1);
  assert_int_equal(At(3, 5, 4), 1);
  AddBox(&c, -20, -20.8, 5.3, 4.5, 8); /* beside the grid: nothing */
  Fill(&c);
  assert_int_equal(counts.voxels, 0);
  assert_false(counts.tiny);
  assert_int_equal(counts.cut, 1);
  AddBox(&c, -3, 2, -900, 900, 8);
  AddBox(&c, 9, 900, 4, 4, 8);
  AddBox(&c, 0, 11, 0, 9, 0); /* all of it, to its edges: not cut */
  Fill(&c);
  assert_int_equal(Voxels(4), 3 * 10 + 3);
  assert_int_equal(Voxels(0), 120);
  assert_int_equal(counts.cut, 2);
  Fill(&c); /* none */
  assert_int_equal(counts.voxels, 0);
}

/* Mask -> contours -> mask is the identity: for noise of every density, its nested holes and corners that touch. */
static void RoundTrip(void **state)
{
  const Grid noisy = {{23, 17, 5}, {0.9765625, 1.17, 2.5}, {-233.398446, 17.3, -768.45}};
  const size_t n = GridSize(&noisy);
  unsigned char *from = malloc(n), *to = malloc(n);
  srand(1);
  for (int trial = 0; trial < 60; trial++) {
    Contours c;
    for (size_t v = 0; v < n; v++) from[v] = rand() % 61 < trial + 1;
    assert_int_equal(ContoursOfMask(&noisy, from, &c), 0);
    for (PetscInt p = 0; p < c.n_points; p++) /* as decimal strings of 16 characters */
      for (int k = 0; k < 3; k++) c.point_mm[p][k] = round(c.point_mm[p][k] * 1e6) * 1e-6;
    assert_int_equal(ContoursToMask(&noisy, &c, to, &counts), 0);
    assert_memory_equal(from, to, n);
    assert_int_equal(counts.few_points + counts.crossed + counts.merged_slices + counts.between + counts.cut, 0);
    assert_int_equal(ContoursDestroy(&c), 0);
  }
  free(from);
  free(to);
}

/* What is traced of a frame with an island: two rings, corners only where they turn, on the voxels' edges. */
static void Traced(void **state)
{
  Contours c = {0};
  AddBox(&c, 1, 8, 1, 8, 4);
  AddBox(&c, 2, 7, 2, 7, 4);
  AddBox(&c, 4, 5, 4, 5, 4);
  Fill(&c);
  assert_int_equal(ContoursOfMask(&grid, mask, &c), 0);
  assert_int_equal(c.n_rings, 2);
  assert_int_equal(c.ring_points[0], 4 + 4 + 2); /* a keyhole leaves the frame and comes back to it */
  assert_int_equal(c.ring_points[1], 4);
  for (PetscInt p = 0; p < c.n_points; p++) {
    assert_double_near(c.point_mm[p][2], 4, 0);
    for (int k = 0; k < 2; k++) assert_double_near(c.point_mm[p][k] - floor(c.point_mm[p][k]), 0.5, 0);
  }
  assert_int_equal(ContoursDestroy(&c), 0);
}

/* The structures of a phantom, too. */
static void OfPhantom(void **state)
{
  Case *patient = PhantomCase("head-neck", "");
  unsigned char *again = malloc(GridSize(&patient->ct));
  for (PetscInt s = 0; s < patient->n_structures; s++) {
    Contours c;
    assert_int_equal(ContoursOfMask(&patient->ct, patient->structures[s].mask, &c), 0);
    assert_int_equal(ContoursToMask(&patient->ct, &c, again, &counts), 0);
    assert_memory_equal(again, patient->structures[s].mask, GridSize(&patient->ct));
    assert_int_equal(ContoursDestroy(&c), 0);
  }
  free(again);
  assert_int_equal(CaseDestroy(&patient), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(EvenOdd),   cmocka_unit_test(Slanted),  cmocka_unit_test(Keyhole),
      cmocka_unit_test(Crossing),  cmocka_unit_test(Touching), cmocka_unit_test(Planes),
      cmocka_unit_test(OtherGaps), cmocka_unit_test(Skipped),  cmocka_unit_test(TinyAndCut),
      cmocka_unit_test(RoundTrip), cmocka_unit_test(Traced),   cmocka_unit_test(OfPhantom)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
