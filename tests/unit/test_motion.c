/*
 * Breathing: what a phase is to the dose operator, doses accumulated over phases, phases in case files, phantoms that breathe.
 *
 * sanitizer: slow
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "phantom_case.h"
#include "tiny_plan.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static double range[] = {-3.5, 3.5};

static ScenarioSet *SetOf(Motion motion, PetscInt n_phase, ScenarioPhase *phase)
{
  ScenarioSet *set;
  const ScenarioSpec spec = {.n_range = 2,
                             .range_percent = range,
                             .setup = SETUP_AXES,
                             .setup_mm = {2, 2, 2},
                             .axes = {.n_phase = n_phase, .phase = phase},
                             .motion = motion};
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  return set;
}

static double *Weights(const TinyPlan *p)
{
  uint64_t seed = 7;
  double *x;
  assert_int_equal(PetscMalloc1(p->beams->n_spot, &x), 0);
  for (PetscInt j = 0; j < p->beams->n_spot; j++) x[j] = 1e6 * (0.5 + TinyRandom(&seed));
  return x;
}

/* Channels of all voxels in all sums of a set, by one kind of operator. */
static double *Channels(const TinyPlan *p, InfluenceType type, const ScenarioSet *set, const double *x)
{
  const FactoredVoxels voxels = {set, &p->grid, p->n_voxel, p->voxel};
  Factored factored = NULL;
  Influence influence;
  double *channels;
  assert_int_equal(PetscMalloc1(set->n_sums * p->n_voxel * N_CHANNELS, &channels), 0);
  if (type == INFLUENCE_FACTORED) {
    assert_int_equal(FactoredCreate(PETSC_COMM_SELF, p->model, &voxels, PETSC_FALSE, &factored), 0);
    assert_int_equal(FactoredSetWeights(factored, x), 0);
    assert_int_equal(InfluenceCreateFactored(factored, set, &p->grid, p->n_voxel, p->voxel, &influence), 0);
  } else
    assert_int_equal(InfluenceCreate(p->model, type, set, &p->grid, p->n_voxel, p->voxel, &influence), 0);
  assert_int_equal(InfluenceApplyAll(influence, NULL, x, channels), 0);
  assert_int_equal(InfluenceDestroy(&influence), 0);
  if (factored) assert_int_equal(FactoredDestroy(&factored), 0);
  return channels;
}

static const InfluenceType types[] = {INFLUENCE_FACTORED, INFLUENCE_ASSEMBLED, INFLUENCE_STREAMED};
enum { N_TYPES = 3 };

/* The tiny case with a phase that moves it by whole voxels, its outer layers empty so that nothing is moved out. */
static void AddRigid(Case *patient, const PetscInt by[3])
{
  const Grid *ct = &patient->ct;
  const size_t n = GridSize(ct);
  CasePhase *phase;
  assert_int_equal(PetscCalloc1(1, &patient->phases), 0);
  patient->n_phases = 1;
  phase = &patient->phases[0];
  assert_int_equal(PetscCalloc1(n, &phase->rsp) || PetscMalloc1(3 * n, &phase->displacement_mm), 0);
  for (PetscInt k = 0; k < ct->n[2]; k++)
    for (PetscInt j = 0; j < ct->n[1]; j++)
      for (PetscInt i = 0; i < ct->n[0]; i++) {
        const PetscInt at[3] = {i, j, k}, to[3] = {i + by[0], j + by[1], k + by[2]};
        const size_t v = GridIndex(ct, i, j, k);
        PetscBool inside = PETSC_TRUE;
        for (int c = 0; c < 3; c++) {
          phase->displacement_mm[3 * v + (size_t)c] = (float)((double)by[c] * ct->spacing_mm[c]);
          if (at[c] < 2 || at[c] >= ct->n[c] - 2) inside = PETSC_FALSE;
        }
        if (!inside) patient->rsp[v] = 0;
        if (inside) phase->rsp[GridIndex(ct, to[0], to[1], to[2])] = patient->rsp[v];
      }
}

/* One phase in which nothing moves gives the bits of no phase. */
static void StillPhase(void **state)
{
  TinyPlan p;
  ScenarioPhase phase[] = {{"still", 1}};
  assert_int_equal(TinyPlanCreate(&p, 2, 0), 0);
  AddRigid(&p.patient, (const PetscInt[3]){0, 0, 0});
  ScenarioSet *none = SetOf(MOTION_NONE, 1, phase), *all = SetOf(MOTION_ACCUMULATE, 1, phase);
  double *x = Weights(&p);
  assert_int_equal(none->n, all->n);
  assert_true(all->n_view == none->n_view && all->scenario[3].phase == PHASE_ALL);
  for (int t = 0; t < N_TYPES; t++) {
    double *a = Channels(&p, types[t], none, x), *b = Channels(&p, types[t], all, x);
    assert_memory_equal(a, b, (size_t)(none->n_sums * p.n_voxel) * N_CHANNELS * sizeof *a);
    assert_int_equal(PetscFree(a) || PetscFree(b), 0);
  }
  assert_int_equal(ScenarioSetDestroy(&none) || ScenarioSetDestroy(&all) || PetscFree(x), 0);
  assert_int_equal(TinyHoldBreath(&p.patient) || TinyPlanDestroy(&p), 0);
}

/* A phase that moves the whole patient is a setup error of that size. */
static void RigidPhase(void **state)
{
  TinyPlan p;
  ScenarioPhase phase[] = {{"moved", 1}};
  double shift[][3] = {{3, -3, 6}}, zero[] = {0}, most = 0, off = 0, apart = 0;
  const ScenarioSpec as_shift = {
      .n_range = 1, .range_percent = zero, .setup = SETUP_LIST, .n_shift = 1, .shift_mm = shift};
  const ScenarioSpec as_phase = {.n_range = 1,
                                 .range_percent = zero,
                                 .setup = SETUP_NONE,
                                 .axes = {.n_phase = 1, .phase = phase},
                                 .motion = MOTION_PHASES};
  ScenarioSet *shifted, *moved;
  assert_int_equal(TinyPlanCreate(&p, 2, 0), 0);
  AddRigid(&p.patient, (const PetscInt[3]){1, -1, 2});
  assert_int_equal(ScenarioSetCreate(&as_shift, &shifted) || ScenarioSetCreate(&as_phase, &moved), 0);
  assert_string_equal(moved->scenario[1].id, "phase-moved");
  double *x = Weights(&p);
  for (int t = 0; t < N_TYPES; t++) {
    double *a = Channels(&p, types[t], shifted, x), *b = Channels(&p, types[t], moved, x);
    const double *as = a + shifted->scenario[1].sums * p.n_voxel * N_CHANNELS,
                 *ap = b + moved->scenario[1].sums * p.n_voxel * N_CHANNELS, *nominal = b;
    for (PetscInt i = 0; i < p.n_voxel * N_CHANNELS; i += N_CHANNELS) {
      most = PetscMax(most, as[i]);
      off = PetscMax(off, fabs(as[i] - ap[i]));
      apart = PetscMax(apart, fabs(nominal[i] - ap[i]));
    }
    assert_int_equal(PetscFree(a) || PetscFree(b), 0);
  }
  print_message("a rigid phase against a setup error: %.2e of the maximum; against none: %.2f\n", off / most,
                apart / most);
  assert_true(off < 1e-3 * most && apart > 0.1 * most);
  assert_int_equal(ScenarioSetDestroy(&shifted) || ScenarioSetDestroy(&moved) || PetscFree(x), 0);
  assert_int_equal(TinyHoldBreath(&p.patient) || TinyPlanDestroy(&p), 0);
}

/* An accumulated dose is the mean of the phases' by their weights, and its transpose fits. */
static void Accumulated(void **state)
{
  TinyPlan p;
  ScenarioPhase phase[] = {{"in", 1}, {"out", 3}};
  assert_int_equal(TinyPlanCreate(&p, 2, 0), 0);
  assert_int_equal(TinyBreathe(&p.patient), 0);
  ScenarioSet *each = SetOf(MOTION_PHASES, 2, phase), *all = SetOf(MOTION_ACCUMULATE, 2, phase);
  double *x = Weights(&p);
  const size_t size = (size_t)p.n_voxel * N_CHANNELS;
  assert_int_equal(each->n, 1 + 2 * 14);
  assert_int_equal(all->n, 1 + 14);
  assert_int_equal(all->n_of_phase, 2 * all->n_sums);
  for (int t = 0; t < N_TYPES; t++) {
    double *a = Channels(&p, types[t], each, x), *b = Channels(&p, types[t], all, x), most = 0, off = 0;
    for (PetscInt s = 1; s < all->n; s++) { /* each range and shift: first phase, second phase */
      const Scenario *of = &each->scenario[2 * s - 1];
      assert_true(of[0].phase == 1 && of[1].phase == 2 && of[0].shift_mm[2] == all->scenario[s].shift_mm[2]);
      for (size_t i = 0; i < size; i++) {
        const double mean = 0.25 * a[(size_t)of[0].sums * size + i] + 0.75 * a[(size_t)of[1].sums * size + i];
        most = PetscMax(most, mean);
        off = PetscMax(off, fabs(mean - b[(size_t)all->scenario[s].sums * size + i]));
      }
    }
    /* the operator's planes depend a little on where all voxels of a set lie */
    assert_true(off < (types[t] == INFLUENCE_FACTORED ? 1e-4 : 1e-13) * most);
    assert_int_equal(PetscFree(a) || PetscFree(b), 0);
  }
  assert_int_equal(ScenarioSetDestroy(&each) || ScenarioSetDestroy(&all) || PetscFree(x), 0);
  assert_int_equal(TinyHoldBreath(&p.patient) || TinyPlanDestroy(&p), 0);
}

/* <A x, y> = <x, A^T y>. */
static void Adjoint(void **state)
{
  TinyPlan p;
  ScenarioPhase phase[] = {{"in", 1}, {"out", 3}};
  const double largest[N_CHANNELS] = {1, 1, 1, 1};
  double *y, *channels, *gradient, left, right;
  assert_int_equal(TinyPlanCreate(&p, 2, 0), 0);
  assert_int_equal(TinyBreathe(&p.patient), 0);
  ScenarioSet *set = SetOf(MOTION_ACCUMULATE, 2, phase);
  double *x = Weights(&p);
  const FactoredVoxels voxels = {set, &p.grid, p.n_voxel, p.voxel};
  assert_int_equal(
      PetscMalloc3(p.n_voxel * N_CHANNELS, &y, p.n_voxel * N_CHANNELS, &channels, p.beams->n_spot, &gradient), 0);
  for (int t = 0; t < N_TYPES; t++) {
    Factored factored = NULL;
    Influence influence;
    PetscBool there = PETSC_TRUE;
    left = right = 0;
    assert_int_equal(PetscArrayzero(gradient, p.beams->n_spot), 0);
    if (types[t] == INFLUENCE_FACTORED) {
      assert_int_equal(FactoredCreate(PETSC_COMM_SELF, p.model, &voxels, PETSC_TRUE, &factored), 0);
      assert_int_equal(FactoredSetWeights(factored, x), 0);
      assert_int_equal(InfluenceCreateFactored(factored, set, &p.grid, p.n_voxel, p.voxel, &influence), 0);
      assert_int_equal(FactoredBeginGradient(factored, largest, gradient), 0);
      assert_int_equal(FactoredNextSlab(factored, &there), 0);
    } else
      assert_int_equal(InfluenceCreate(p.model, types[t], set, &p.grid, p.n_voxel, p.voxel, &influence), 0);
    for (int slab = 0; there; slab++) {
      for (PetscInt s = 0; s < set->n_sums; s += 4) {
        uint64_t seed = (uint64_t)s + 3;
        for (PetscInt i = 0; i < p.n_voxel * N_CHANNELS; i++) y[i] = TinyRandom(&seed) - 0.3;
        assert_int_equal(InfluenceApply(influence, s, x, channels), 0);
        assert_int_equal(InfluenceApplyTranspose(influence, s, y, gradient), 0);
        for (PetscInt i = 0; i < p.n_voxel * N_CHANNELS && !slab; i++) left += channels[i] * y[i];
      }
      if (!factored) break;
      assert_int_equal(FactoredNextSlab(factored, &there), 0);
    }
    for (PetscInt j = 0; j < p.beams->n_spot; j++) right += x[j] * gradient[j];
    print_message("accumulated: <A x, y> = %.15g, <x, A^T y> = %.15g\n", left, right);
    assert_true(fabs(left) > 0 && fabs(left - right) <= 1e-11 * fabs(left));
    assert_int_equal(InfluenceDestroy(&influence), 0);
    if (factored) assert_int_equal(FactoredDestroy(&factored), 0);
  }
  assert_int_equal(PetscFree3(y, channels, gradient) || PetscFree(x) || ScenarioSetDestroy(&set), 0);
  assert_int_equal(TinyHoldBreath(&p.patient) || TinyPlanDestroy(&p), 0);
}

/* Those phases that are named, and drawn ones as often as they last. */
static void Chosen(void **state)
{
  ScenarioPhase phase[] = {{"a", 1}, {"b", 2}, {"c", 1}};
  char *names[] = {(char *)"c", (char *)"b"};
  double zero[] = {0};
  ScenarioSet *set;
  ScenarioSpec spec = {.n_range = 1,
                       .range_percent = zero,
                       .setup = SETUP_NONE,
                       .axes = {.n_phase = 3, .phase = phase},
                       .motion = MOTION_ACCUMULATE,
                       .n_phase = 2,
                       .phase = names};
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  assert_int_equal(set->n, 1);
  assert_string_equal(set->scenario[0].id, "nominal");
  assert_int_equal(set->n_of_phase, 2);
  assert_int_equal(set->view[set->of_phase[0].view].phase, 2);
  assert_int_equal(set->view[set->of_phase[1].view].phase, 3);
  assert_true(fabs(set->of_phase[0].weight - 2.0 / 3) < 1e-15 && fabs(set->of_phase[1].weight - 1.0 / 3) < 1e-15);
  assert_int_equal(ScenarioSetDestroy(&set), 0);
  spec.motion = MOTION_PHASES;
  spec.setup = SETUP_RANDOM;
  spec.n_random = 3000;
  spec.setup_mm[0] = 1;
  assert_int_equal(ScenarioSetCreate(&spec, &set), 0);
  PetscInt n = 0;
  for (PetscInt s = 1; s < set->n; s++) n += set->scenario[s].phase == 2;
  print_message("%d of 3000 drawn scenarios are in the phase that lasts 2/3 of the time\n", (int)n);
  assert_true(abs((int)n - 2000) < 4 * 26); /* binomial sd 25.8 */
  assert_int_equal(ScenarioSetDestroy(&set), 0);
}

/* Written and read back; what is damaged is told. */
static void Files(void **state)
{
  char file[] = "/tmp/robion-motion-XXXXXX";
  const int descriptor = mkstemp(file);
  Case *patient = PhantomCase("liver", "ct_spacing_mm: 4, breathing_mm: 20, phases: 3"), *back;
  const size_t n = GridSize(&patient->ct);
  CasePhase *phase = &patient->phases[1];
  const float kept = phase->displacement_mm[3 * (n / 2)];
  Mistakes mistakes = {0};
  assert_true(descriptor >= 0);
  close(descriptor);
  phase->weight = 0.25;
  assert_int_equal(CaseWrite(patient, file, &mistakes) || CaseLoad(file, &mistakes, &back), 0);
  assert_false(MistakesAny(&mistakes));
  assert_int_equal(back->n_phases, 3);
  assert_string_equal(back->phases[1].name, "p01");
  assert_true(back->phases[1].weight == 0.25);
  assert_memory_equal(back->phases[1].hu, phase->hu, n * sizeof *phase->hu);
  assert_memory_equal(back->phases[1].displacement_mm, phase->displacement_mm, 3 * n * sizeof(float));
  assert_int_equal(CaseDestroy(&back), 0);
  for (int damage = 0; damage < 4; damage++) {
    static const char *const told[] = {"/phases/p01/displacement_mm: 1 of ", "are larger, expected at most",
                                       "folds tissue at ", "/phases/p01: weight is 0, expected"};
    phase->displacement_mm[3 * (n / 2)] = damage == 0 ? NAN : damage == 1 ? 1e6f : damage == 2 ? 40 : kept;
    phase->weight = damage == 3 ? 0 : 1;
    assert_int_equal(CaseWrite(patient, file, &mistakes) || CaseLoad(file, &mistakes, &back), 0);
    assert_null(back);
    assert_int_equal(mistakes.n, 1);
    assert_non_null(strstr(MistakesFirst(&mistakes), told[damage]));
    assert_int_equal(MistakesClear(&mistakes), 0);
  }
  assert_int_equal(CaseDestroy(&patient), 0);
  unlink(file);
}

/* The liver goes by what is asked for, at end-inhale, and each phase's CT is the phantom's where the displacement says. */
static void BreathingLiver(void **state)
{
  Case *patient = PhantomCase("liver", "ct_spacing_mm: 4, breathing_mm: 30, phases: 4"), *still;
  const Structure *ctv = &patient->structures[CaseFindStructure(patient, "CTV")];
  const Grid *ct = &patient->ct;
  double farthest = 0, off = 0;
  size_t n = 0;
  for (PetscInt p = 0; p < patient->n_phases; p++) {
    Mistakes mistakes = {0};
    assert_int_equal(CasePhaseCheck(ct, &patient->phases[p], "liver", &mistakes), 0);
    assert_false(MistakesAny(&mistakes));
  }
  const CasePhase *rest = &patient->phases[0], *inhale = &patient->phases[2];
  assert_memory_equal(rest->hu, patient->hu, GridSize(ct) * sizeof *rest->hu);
  assert_memory_equal(rest->rsp, patient->rsp, GridSize(ct) * sizeof *rest->rsp);
  for (size_t v = 0; v < GridSize(ct); v++) {
    double x[3], there[3], weight[8], hu = 0;
    size_t voxel[8];
    farthest = PetscMax(farthest, -(double)inhale->displacement_mm[3 * v + 2]);
    if (!ctv->mask[v]) continue;
    GridCentre(ct, v, x);
    CasePlaceInPhase(patient, 3, x, there);
    GridCorners(ct, there, voxel, weight);
    for (int i = 0; i < 8; i++) hu += weight[i] * inhale->hu[voxel[i]];
    off += fabs(hu - patient->hu[v]);
    n++;
  }
  print_message("end-inhale: %.2f mm of 30; HU of the CTV where it is moved to differ by %.2f on average\n", farthest,
                off / (double)n);
  assert_true(farthest > 28 && farthest <= 30 && off < 3 * (double)n);
  still = PhantomCase("liver", "ct_spacing_mm: 4");
  assert_int_equal(still->n_phases, 0);
  assert_memory_equal(still->hu, patient->hu, GridSize(ct) * sizeof *still->hu);
  assert_int_equal(CaseDestroy(&still) || CaseDestroy(&patient), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(StillPhase),    cmocka_unit_test(RigidPhase),
                                     cmocka_unit_test(Accumulated),   cmocka_unit_test(Adjoint),
                                     cmocka_unit_test(Chosen),        cmocka_unit_test(Files),
                                     cmocka_unit_test(BreathingLiver)};
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  PetscCall(PetscFinalize());
  return failed;
}
