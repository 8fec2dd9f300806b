/* Depths: traced once where rays are parallel, ray by ray elsewhere; shared by operators and by ranks.  ranks: 1 2 */
#include "tiny_plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

enum { ROWS = 300, FIRST = 700, MOST_SCENARIOS = 15 };

/* A tiny plan in a patient without any symmetry, so that a ray that is not a voxel's own has another depth. */
static void Create(TinyPlan *p, double sad_mm)
{
  uint64_t seed = 17;
  assert_int_equal(TinyPlanCreate(p, 2, sad_mm), 0);
  for (size_t v = 0; v < GridSize(&p->patient.ct); v++) p->patient.rsp[v] = (float)(0.3 + TinyRandom(&seed));
  p->machine.bams_to_iso_mm = sad_mm / 2; /* air counts where the source has a distance */
  assert_int_equal(p->set->n, MOST_SCENARIOS);
}

/* In every setup the depth is that of a trace of the voxel's own ray, to the last bit. */
static void OfEveryRay(void **state)
{
  static const double sad_mm[] = {0, 700};
  for (int i = 0; i < 2; i++) {
    TinyPlan p;
    Influence influence;
    PetscInt differ = 0;
    Create(&p, sad_mm[i]);
    assert_int_equal(InfluenceCreate(p.model, INFLUENCE_STREAMED, p.set, &p.grid, ROWS, p.voxel + FIRST, &influence),
                     0);
    for (PetscInt k = 0; k < p.set->n_view; k++)
      for (PetscInt b = 0; b < p.beams->n_beam; b++)
        for (PetscInt v = 0; v < ROWS; v++) {
          const Beam *beam = &p.beams->beam[b];
          const double *shift_mm = p.set->view[k].shift_mm;
          double point_mm[3];
          GridCentre(&p.grid, (size_t)p.voxel[FIRST + v], point_mm);
          const double want = BeamWEPL(beam, &p.patient, point_mm, shift_mm) +
                              BeamPassed_mm(beam, &p.machine, &p.patient, point_mm, shift_mm);
          const double found = InfluenceDepth(influence, k, b, v);
          assert_memory_equal(&found, &want, sizeof found);
          if (found != InfluenceDepth(influence, 0, b, v)) differ++;
        }
    assert_int_equal(differ > 0, sad_mm[i] > 0); /* else any setup would do */
    assert_int_equal(InfluenceDestroy(&influence), 0);
    assert_int_equal(TinyPlanDestroy(&p), 0);
  }
}

/* Operators that share depths, slice by slice of the scenarios, give what one operator of all gives, to the last bit. */
static void SharedBySlices(void **state)
{
  static const double sad_mm[] = {0, 700};
  static const PetscInt size[] = {1, 4, MOST_SCENARIOS};
  static double want[ROWS * N_CHANNELS], found[MOST_SCENARIOS * ROWS * N_CHANNELS];
  for (int i = 0; i < 4; i++) { /* both distances, streamed and factored */
    TinyPlan p;
    Influence whole;
    Factored factored = NULL;
    Depths depths;
    double *x;
    uint64_t seed = 3;
    Create(&p, sad_mm[i % 2]);
    const FactoredVoxels voxels = {p.set, &p.grid, p.n_voxel, p.voxel};
    assert_int_equal(PetscMalloc1(p.beams->n_spot, &x), 0);
    for (PetscInt j = 0; j < p.beams->n_spot; j++) x[j] = 1e5 * TinyRandom(&seed);
    if (i < 2) {
      assert_int_equal(FactoredCreate(PETSC_COMM_WORLD, p.model, &voxels, PETSC_FALSE, &factored), 0);
      assert_int_equal(FactoredSetWeights(factored, x), 0);
      assert_int_equal(InfluenceCreateFactored(factored, p.set, &p.grid, ROWS, p.voxel + FIRST, &whole), 0);
    } else
      assert_int_equal(InfluenceCreate(p.model, INFLUENCE_STREAMED, p.set, &p.grid, ROWS, p.voxel + FIRST, &whole), 0);
    assert_int_equal(DepthsCreate(p.model, &p.grid, ROWS, p.voxel + FIRST, &depths), 0);
    for (int k = 0; k < 3; k++)
      for (PetscInt first = 0; first < p.set->n; first += size[k]) {
        ScenarioSet *slice;
        Influence part;
        const PetscInt n = PetscMin(size[k], p.set->n - first);
        assert_int_equal(ScenarioSetSlice(p.set, first, n, &slice), 0);
        assert_int_equal(InfluenceCreateAtDepths(depths, factored, slice, &part), 0);
        assert_int_equal(InfluenceApplyAll(part, NULL, x, found), 0);
        for (PetscInt s = 0; s < n; s++) {
          assert_int_equal(InfluenceApply(whole, first + s, x, want), 0);
          assert_true(want[0] > 0 || want[(ROWS / 2) * N_CHANNELS] > 0);
          assert_memory_equal(found + s * ROWS * N_CHANNELS, want, sizeof want);
        }
        assert_int_equal(InfluenceDestroy(&part), 0);
        assert_int_equal(ScenarioSetDestroy(&slice), 0);
      }
    assert_int_equal(DepthsDestroy(&depths), 0);
    assert_int_equal(InfluenceDestroy(&whole), 0);
    assert_int_equal(FactoredDestroy(&factored), 0);
    assert_int_equal(PetscFree(x), 0);
    assert_int_equal(TinyPlanDestroy(&p), 0);
  }
}

/* A team that shares the traces of a target lays out the spots of a rank alone. */
static void SharedByRanks(void **state)
{
  static const double sad_mm[] = {0, 700};
  for (int i = 0; i < 2; i++) {
    TinyPlan p;
    BeamSet *set[2];
    Create(&p, sad_mm[i]);
    for (int k = 0; k < 2; k++) {
      Mistakes mistakes = {0};
      assert_int_equal(BeamSetCreate(k ? PETSC_COMM_WORLD : PETSC_COMM_SELF, &p.spec, &p.patient, &p.machine, &p.grid,
                                     &p.target, p.set, NULL, &mistakes, &set[k]),
                       0);
      assert_int_equal(mistakes.n, 0);
    }
    assert_int_equal(set[0]->n_spot, set[1]->n_spot);
    for (PetscInt b = 0; b < p.beams->n_beam; b++) {
      const Beam *one = &set[0]->beam[b], *team = &set[1]->beam[b];
      assert_int_equal(one->n_run, team->n_run);
      for (PetscInt r = 0; r < one->n_run; r++) {
        const SpotRun *a = &one->run[r], *c = &team->run[r];
        assert_true(a->x_mm == c->x_mm && a->y_mm == c->y_mm);
        assert_true(a->first_spot == c->first_spot && a->first_layer == c->first_layer && a->n == c->n);
      }
      assert_int_equal(one->n_layer, team->n_layer);
      assert_memory_equal(one->energy, team->energy, (size_t)one->n_layer * sizeof *one->energy);
    }
    assert_int_equal(BeamSetDestroy(&set[0]), 0);
    assert_int_equal(BeamSetDestroy(&set[1]), 0);
    assert_int_equal(TinyPlanDestroy(&p), 0);
  }
}

/* Sub-beams that a team has traced together, for one set and then for another, give the doses of those that a rank traces alone. */
static void SubBeamsOfATeam(void **state)
{
  enum { VOXELS = 40 };
  double want[MOST_SCENARIOS][VOXELS * N_CHANNELS], found[VOXELS * N_CHANNELS], *x;
  PetscInt voxel[VOXELS];
  uint64_t seed = 3;
  ScenarioSet *half;
  TinyPlan p;
  Create(&p, 0);
  for (PetscInt i = 0; i < VOXELS; i++) voxel[i] = FIRST + 7 * i;
  p.beams->splitting = SPLITTING_COARSE;
  assert_int_equal(PetscMalloc1(p.beams->n_spot, &x), 0);
  for (PetscInt j = 0; j < p.beams->n_spot; j++) x[j] = 1e6 * TinyRandom(&seed);
  assert_int_equal(ScenarioSetSlice(p.set, 3, 4, &half), 0);
  for (int together = 0; together < 2; together++) {
    Influence influence;
    assert_int_equal(DoseModelDestroy(&p.model), 0);
    assert_int_equal(DoseModelCreate(&p.patient, &p.machine, &p.tissues, p.beams, 1e-3, &p.model), 0);
    assert_true(DoseModelIsSplit(p.model));
    for (int k = 0; k < (together ? 3 : 1); k++) { /* all, some, all again */
      const ScenarioSet *set = k % 2 ? half : p.set;
      if (together) assert_int_equal(DoseModelTrace(PETSC_COMM_WORLD, p.model, set), 0);
      assert_int_equal(InfluenceCreate(p.model, INFLUENCE_STREAMED, set, &p.grid, VOXELS, voxel, &influence), 0);
      for (PetscInt s = 0; s < set->n; s++) {
        double *here = together ? found : want[s];
        assert_int_equal(InfluenceApply(influence, s, x, here), 0);
        if (together) assert_memory_equal(found, want[k % 2 ? s + 3 : s], sizeof found);
      }
      assert_int_equal(InfluenceDestroy(&influence), 0);
    }
  }
  assert_true(memcmp(want[1], want[2], sizeof want[1]) != 0 && want[1][0] > 0);
  assert_int_equal(ScenarioSetDestroy(&half) || PetscFree(x) || TinyPlanDestroy(&p), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(OfEveryRay), cmocka_unit_test(SharedBySlices),
                                     cmocka_unit_test(SharedByRanks), cmocka_unit_test(SubBeamsOfATeam)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
