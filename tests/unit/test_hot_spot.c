/* The hottest place outside of all targets: dose, place and distances by hand, and against a search of all voxels. */
#include "robion/evaluate.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "near.h"

enum { N = 10, SIZE = N * N * N };

static const Grid grid = {{N, N, N}, {3, 3, 3}, {-10, 0, 100}}; /* voxels of 0.027 cm3 */
static float dose[2][SIZE];
static const float *const doses[QUANTITIES_MOST] = {dose[0], dose[1]};
static PetscInt voxel[4][SIZE];
static float fraction[4][SIZE];
static char name[4][16] = {OUTSIDE_TARGETS, "BODY", "CTV", "Cord"};
static Region region[4];

/* Region r becomes the voxels of a box, all of them whole. */
static void Fill(int r, Role role, int x0, int x1, int y0, int y1, int z0, int z1)
{
  region[r] = (Region){.name = name[r], .role = role, .voxel = voxel[r], .fraction = fraction[r]};
  for (int k = z0; k <= z1; k++)
    for (int j = y0; j <= y1; j++)
      for (int i = x0; i <= x1; i++) {
        voxel[r][region[r].n] = (PetscInt)GridIndex(&grid, i, j, k);
        fraction[r][region[r].n++] = 1;
      }
}

static double Find(const MetricList *list, const char *structure, Quantity quantity, const char *metric)
{
  for (PetscInt i = 0; i < list->n; i++)
    if (list->item[i].quantity == quantity && !strcmp(list->item[i].name, metric) &&
        !strcmp(list->item[i].structure, structure))
      return list->item[i].value;
  fail_msg("no %s of %s", metric, structure);
  return 0;
}

static void SetUp(MetricList *list)
{
  *list = (MetricList){0};
  memset(dose, 0, sizeof dose);
  Fill(0, ROLE_EXTERNAL, 0, 9, 0, 9, 0, 4);
  Fill(1, ROLE_EXTERNAL, 0, 9, 0, 9, 0, 9);
  Fill(2, ROLE_TARGET, 2, 4, 2, 4, 5, 7);
  Fill(3, ROLE_OAR, 8, 9, 2, 4, 2, 2);
}

/* The two doses have their hot spots at different places; what is hot inside the target does not count. */
static void ByHand(void **state)
{
  MetricList list;
  SetUp(&list);
  dose[QUANTITY_RBE_WEIGHTED][GridIndex(&grid, 3, 3, 6)] = 9;
  dose[QUANTITY_RBE_WEIGHTED][GridIndex(&grid, 8, 3, 2)] = 5;
  dose[QUANTITY_RBE_WEIGHTED][GridIndex(&grid, 0, 0, 0)] = 3;
  dose[QUANTITY_PHYSICAL][GridIndex(&grid, 6, 7, 4)] = 2;
  assert_int_equal(MetricsOfHotSpot(&region[0], 3, region + 1, &grid, doses, &list), 0);
  assert_int_equal(list.n, 2 * (1 + 3 + 2)); /* the external has no distance */
  const double weighted_mm[3] = {14, 9, 106}, physical_mm[3] = {8, 21, 112};
  for (int k = 0; k < 3; k++) {
    assert_double_near(Find(&list, OUTSIDE_TARGETS, QUANTITY_RBE_WEIGHTED, hot_spot_place_names[k]), weighted_mm[k],
                       1e-12);
    assert_double_near(Find(&list, OUTSIDE_TARGETS, QUANTITY_PHYSICAL, hot_spot_place_names[k]), physical_mm[k], 1e-12);
  }
  /* 0.03 of 13.5 cm3 are one voxel, 0.027 cm3, and a ninth of the step to the next */
  assert_double_near(Find(&list, OUTSIDE_TARGETS, QUANTITY_RBE_WEIGHTED, "D0.03cc"), 5 - 2.0 / 9, 1e-6);
  assert_double_near(Find(&list, OUTSIDE_TARGETS, QUANTITY_PHYSICAL, "D0.03cc"), 2 - 2.0 / 9, 1e-6);
  assert_double_near(Find(&list, "Cord", QUANTITY_RBE_WEIGHTED, HOT_SPOT_DISTANCE), 0, 0);
  /* four voxels along x and three along z: 10.5 and 7.5 mm from the centre to the walls */
  assert_double_near(Find(&list, "CTV", QUANTITY_RBE_WEIGHTED, HOT_SPOT_DISTANCE), hypot(10.5, 7.5), 1e-9);
  assert_double_near(Find(&list, "CTV", QUANTITY_PHYSICAL, HOT_SPOT_DISTANCE), sqrt(4.5 * 4.5 + 7.5 * 7.5 + 1.5 * 1.5),
                     1e-9);
  for (PetscInt i = 0; i < list.n; i++)
    assert_string_equal(list.item[i].unit, strcmp(list.item[i].name, "D0.03cc")             ? "mm"
                                           : list.item[i].quantity == QUANTITY_RBE_WEIGHTED ? "Gy(RBE)"
                                                                                            : "Gy");
  MetricListDestroy(&list);
}

/* Any doses: the place has the highest of them, the first of equals; D0.03cc is no higher, and no lower than the next ones. */
static void AnyDoses(void **state)
{
  unsigned seed = 5;
  for (int trial = 0; trial < 50; trial++) {
    MetricList list;
    SetUp(&list);
    for (int v = 0; v < SIZE; v++)
      for (int q = 0; q < 2; q++) {
        seed = seed * 1664525u + 1013904223u;
        dose[q][v] = (float)(seed >> 20) / (trial % 2 ? 1 : 256);
        if (trial % 2 == 0) dose[q][v] = floorf(dose[q][v]);
      }
    for (PetscInt i = 0; i < region[0].n; i++) fraction[0][i] = i % 3 ? 1 : 0.01f;
    assert_int_equal(MetricsOfHotSpot(&region[0], 3, region + 1, &grid, doses, &list), 0);
    for (int q = 0; q < 2; q++) {
      double place_mm[3], highest = -1;
      PetscInt hottest = -1;
      for (PetscInt i = 0; i < region[0].n; i++)
        if ((double)dose[q][voxel[0][i]] > highest) highest = (double)dose[q][hottest = voxel[0][i]];
      GridCentre(&grid, (size_t)hottest, place_mm);
      for (int k = 0; k < 3; k++)
        assert_double_near(Find(&list, OUTSIDE_TARGETS, (Quantity)q, hot_spot_place_names[k]), place_mm[k], 0);
      assert_true(Find(&list, OUTSIDE_TARGETS, (Quantity)q, "D0.03cc") <= highest);
    }
    MetricListDestroy(&list);
  }
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(ByHand), cmocka_unit_test(AnyDoses)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
