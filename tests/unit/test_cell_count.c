/* Maps of clonogens from diffusion images: which voxels count, holes, volumes in the wrong order. */
#include "robion/cell_count.h"
#include "robion/exchange.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "near.h"
#include "phantom_case.h"

/* A water box with a CTV of 24 mm, and a larger image of the same tissue: what one voxel of 27 mm3 holds is known. */
static const DiffusionTissue tissue = {5, 0.5, 1, 2};

typedef struct Given {
  Case *patient;
  PetscInt target;
  ADCLibrarySpec spec;
  DiffusionProtocol protocol;
  Image image;
  size_t n; /* voxels of a volume */
} Given;

static void Give(PetscInt n_volume, Given *g)
{
  *g = (Given){.image = {.grid = {{25, 25, 14}, {2, 2, 4}, {-24, -24, -26}}, .n_volume = n_volume}};
  g->patient = PhantomCase("water-box", "ct_spacing_mm: 3, size_mm: [48, 48, 48], target_mm: [24, 24, 24]");
  assert_int_equal(ADCLibrarySpecDefault(&g->spec) || DiffusionProtocolDefault(&g->protocol), 0);
  if (n_volume == 4) g->protocol = (DiffusionProtocol){20, 40, 4, {0, 0.05, 0.4, 1}};
  g->target = CaseFindStructure(g->patient, "CTV");
  g->n = GridSize(&g->image.grid);
  assert_int_equal(PetscMalloc1((size_t)n_volume * g->n, &g->image.value), 0);
  for (PetscInt k = 0; k < n_volume; k++)
    for (size_t v = 0; v < g->n; v++)
      g->image.value[(size_t)k * g->n + v] =
          (float)(n_volume == 1 ? ADCOfTissue(&tissue, &g->protocol)
                                : 700 * DiffusionSignal(&tissue, &g->protocol, g->protocol.b_ms_um2[k]));
}

static void Free(Given *g)
{
  assert_int_equal(ImageDestroy(&g->image) || CaseDestroy(&g->patient), 0);
}

/* The report of an import; text: part of the one mistake that is expected, or NULL. */
static CellCountReport Count(Given *g, const char *text)
{
  Mistakes mistakes = {0};
  CellCountReport report;
  assert_int_equal(CellCountAdd(g->patient, g->target, &g->image, 1, &g->spec, &g->protocol, &mistakes, &report), 0);
  if (!text && mistakes.n) fail_msg("%s", MistakesFirst(&mistakes));
  if (text) {
    assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
    if (!strstr(MistakesFirst(&mistakes), text)) fail_msg("%s", MistakesFirst(&mistakes));
  }
  assert_int_equal(MistakesClear(&mistakes), 0);
  return report;
}

/* Nearly uniform noise of a voxel's signal, between -1 and 1. */
static double Noise(size_t v)
{
  return sin(12.9898 * (double)v) * cos(78.233 * (double)v);
}

static void Swap(Image *image, size_t n, PetscInt a, PetscInt b)
{
  for (size_t v = 0; v < n; v++) {
    const float was = image->value[(size_t)a * n + v];
    image->value[(size_t)a * n + v] = image->value[(size_t)b * n + v];
    image->value[(size_t)b * n + v] = was;
  }
}

/* Any two volumes that change places are noticed, alike in all voxels or with noise of 10 %. */
static void VolumesOutOfOrder(void **state)
{
  for (int noisy = 0; noisy < 2; noisy++)
    for (PetscInt a = 0; a < 4; a++)
      for (PetscInt b = a; b < 4; b++) {
        Given g;
        Give(4, &g);
        for (size_t v = 0; v < 4 * g.n && noisy; v++) g.image.value[v] *= (float)(1 + 0.1 * Noise(v));
        Swap(&g.image, g.n, a, b);
        (void)Count(&g, a == b ? NULL : "are the volumes in the order of --b-s-mm2?");
        Free(&g);
      }
}

/* Signals of noise alone neither rise nor fall: that is no order. */
static void NoiseIsNoOrder(void **state)
{
  Given g;
  Give(3, &g);
  for (size_t v = 0; v < g.n; v++)
    for (size_t k = 1; k < 3; k++) g.image.value[k * g.n + v] = (float)(200 + 50 * Noise(k * g.n + v));
  (void)Count(&g, NULL);
  Free(&g);
}

/* What is not finite is refused in the structure and of no account outside it. */
static void NotFinite(void **state)
{
  const double bad[] = {NAN, INFINITY, -INFINITY};
  for (PetscInt volumes = 1; volumes <= 3; volumes += 2)
    for (int b = 0; b < 3; b++) {
      Given g;
      Give(volumes, &g);
      const CellCountReport clean = Count(&g, NULL);
      g.image.value[(size_t)(volumes - 1) * g.n] = (float)bad[b];
      const CellCountReport report = Count(&g, NULL);
      assert_double_near(report.clonogens, clean.clonogens, 0);
      g.image.value[(size_t)(volumes - 1) * g.n + GridIndex(&g.image.grid, 12, 12, 6)] = (float)bad[b];
      (void)Count(&g, "values in structure CTV are not finite");
      Free(&g);
    }
}

/* A CT voxel that the image covers in part, as it ends or has holes, holds what a whole one does; one not covered nothing. */
static void Holes(void **state)
{
  Given g;
  Give(3, &g);
  size_t whole = 0, empty = 0;
  const double expected = 0.01 * CellsOfTissue(&tissue, 27);
  for (size_t v = 0; v < g.n; v++) {
    double at[3];
    GridCentre(&g.image.grid, v, at);
    if (v % 3 == 0 || (at[0] > 0 && at[1] > 0)) g.image.value[v] = 0;
  }
  g.image.grid.n[2] = 7; /* the upper half of the box is not in the image */
  for (int k = 1; k < 3; k++)
    memmove(g.image.value + k * GridSize(&g.image.grid), g.image.value + (size_t)k * g.n,
            GridSize(&g.image.grid) * sizeof(float));
  const CellCountReport report = Count(&g, NULL);
  const float *clonogens = g.patient->maps[CaseFindMap(g.patient, MAP_CLONOGENS)].value;
  for (size_t v = 0; v < GridSize(&g.patient->ct); v++) {
    if (!g.patient->structures[g.target].mask[v]) continue;
    whole += clonogens[v] > 0;
    empty += !(clonogens[v] > 0);
    if (clonogens[v] > 0) assert_double_near((double)clonogens[v] / expected, 1, 0.005);
  }
  print_message("%zu CT voxels with clonogens, %zu without\n", whole, empty);
  assert_true(whole > 100 && empty > 100);
  assert_double_near(report.clonogens_on_ct / ((double)whole * expected), 1, 0.005);
  assert_true(report.n_left_out > 0);
  Free(&g);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(VolumesOutOfOrder), cmocka_unit_test(NoiseIsNoOrder),
                                     cmocka_unit_test(NotFinite), cmocka_unit_test(Holes)};
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
