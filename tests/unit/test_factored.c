/*
 * The operator without a matrix against the stored rows, its transpose, and its bits on any number of ranks.
 *
 * ranks: 1 2
 * sanitizer: slow timeout: 300
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "base_data.h"
#include "tiny_plan.h"
#include <string.h>

/* The tiny phantom with real base data around its depths. */
static Machine *RealMachine(void)
{
  Machine *machine;
  MachineSpec spec;
  assert_int_equal(BaseDataSpecOfBoxes(&spec), 0);
  assert_int_equal(BaseData(PETSC_COMM_WORLD, &spec, &machine), 0);
  return machine;
}

static double Dot(size_t n, const double *a, const double *b)
{
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/* A rank's share of the voxels. */
typedef struct Share {
  PetscInt first, n;
} Share;

static Share ShareOfVoxels(const TinyPlan *p)
{
  PetscMPIInt rank, size;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  const PetscInt first = p->n_voxel * rank / size;
  return (Share){first, p->n_voxel * (rank + 1) / size - first};
}

/* Doses of a share of the voxels in scenario s. */
static void Apply(const TinyPlan *p, Share at, Factored factored, PetscInt s, const double *weight, double *channels)
{
  Influence influence;
  const PetscInt *voxel = p->voxel + at.first;
  if (factored)
    assert_int_equal(InfluenceCreateFactored(factored, p->set, &p->grid, at.n, voxel, &influence), 0);
  else
    assert_int_equal(InfluenceCreate(p->model, INFLUENCE_STREAMED, p->set, &p->grid, at.n, voxel, &influence), 0);
  assert_int_equal(InfluenceApply(influence, s, weight, channels), 0);
  assert_int_equal(InfluenceDestroy(&influence), 0);
}

/* Largest difference of a channel in the voxels of all ranks, relative to its maximum there. */
static double Difference(PetscInt n, int channel, const double *a, const double *b)
{
  double most[2] = {0}; /* value, difference */
  for (PetscInt i = channel; i < n * N_CHANNELS; i += N_CHANNELS) {
    most[0] = PetscMax(most[0], fabs(a[i]));
    most[1] = PetscMax(most[1], fabs(a[i] - b[i]));
  }
  MPI_Allreduce(MPI_IN_PLACE, most, 2, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD);
  return most[1] / most[0];
}

/* Spot weights: all random, one spot, or one layer of one ray. */
static void Weights(const TinyPlan *p, int kind, double *x)
{
  uint64_t seed = 11;
  const Beam *beam = &p->beams->beam[kind == 2 ? 2 : 0];
  const SpotRun *run = &beam->run[beam->n_run / 2];
  for (PetscInt j = 0; j < p->beams->n_spot; j++) x[j] = kind == 0 ? 1e6 * (0.5 + TinyRandom(&seed)) : 0;
  if (kind) x[run->first_spot + run->n / 2] = 1e7;
}

static void SameDosesAsTheRows(void **state)
{
  (void)state;
  static const char *const names[] = {"all spots", "one spot, gantry 0", "one spot, gantry 215, couch 20"};
  Machine *machine = RealMachine();
  for (int divergent = 0; divergent < 2; divergent++) {
    TinyPlan p;
    machine->sad_mm = divergent ? 8000 : 0;
    Factored factored;
    double *x, *rows, *looked_up;
    assert_int_equal(TinyPlanCreateWith(&p, machine, 0), 0);
    const FactoredVoxels voxels = {p.set, &p.grid, p.n_voxel, p.voxel};
    const Share mine = ShareOfVoxels(&p);
    assert_int_equal(FactoredCreate(PETSC_COMM_WORLD, p.model, &voxels, PETSC_TRUE, &factored), 0);
    assert_int_equal(PetscMalloc3(p.beams->n_spot, &x, mine.n * N_CHANNELS, &rows, mine.n * N_CHANNELS, &looked_up), 0);
    for (int kind = 0; kind < 3; kind++) {
      Weights(&p, kind, x);
      assert_int_equal(FactoredSetWeights(factored, x), 0);
      double worst[N_CHANNELS] = {0};
      for (PetscInt s = 0; s < p.set->n; s += 5) {
        Apply(&p, mine, NULL, s, x, rows);
        Apply(&p, mine, factored, s, x, looked_up);
        for (int c = 0; c < N_CHANNELS; c++) worst[c] = PetscMax(worst[c], Difference(mine.n, c, rows, looked_up));
      }
      print_message("%s, %s: dose %.4f %%, alpha %.4f %%, sqrt(beta) %.4f %%, LET %.4f %% of the maximum\n",
                    divergent ? "SAD 8 m" : "parallel", names[kind], 100 * worst[0], 100 * worst[1], 100 * worst[2],
                    100 * worst[3]);
      assert_true(worst[CHANNEL_DOSE] < 0.002);
      for (int c = 0; c < N_CHANNELS; c++) assert_true(worst[c] < 0.01);
    }
    assert_int_equal(PetscFree3(x, rows, looked_up), 0);
    assert_int_equal(FactoredDestroy(&factored), 0);
    assert_int_equal(TinyPlanDestroy(&p), 0);
  }
  assert_int_equal(MachineDestroy(&machine), 0);
}

/* Cotangents of all voxels in every fifth scenario, scattered by the rank that owns a voxel; their product with the doses. */
static double ScatterAll(const TinyPlan *p, MPI_Comm comm, Factored factored, double *gradient)
{
  PetscMPIInt rank, size;
  double *y, *channels, product = 0;
  PetscInt slabs = 0;
  const double largest[N_CHANNELS] = {0.7, 0.7, 0.7, 0.7};
  const PetscInt block = 128;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  assert_int_equal(PetscMalloc2(block * N_CHANNELS, &y, block * N_CHANNELS, &channels), 0);
  assert_int_equal(FactoredBeginGradient(factored, largest, gradient), 0);
  for (;; slabs++) {
    PetscBool there;
    assert_int_equal(FactoredNextSlab(factored, &there), 0);
    if (!there) break;
    for (PetscInt first = rank * block; first < p->n_voxel; first += size * block) {
      Influence influence;
      PetscInt n = PetscMin(block, p->n_voxel - first);
      assert_int_equal(InfluenceCreateFactored(factored, p->set, &p->grid, n, p->voxel + first, &influence), 0);
      for (PetscInt s = 0; s < p->set->n; s += 5) {
        uint64_t seed = (uint64_t)(1000 * s + first);
        for (PetscInt i = 0; i < n * N_CHANNELS; i++) y[i] = TinyRandom(&seed) - 0.3;
        assert_int_equal(InfluenceApply(influence, s, NULL, channels), 0);
        assert_int_equal(InfluenceApplyTranspose(influence, s, y, NULL), 0);
        product += slabs ? 0 : Dot((size_t)n * N_CHANNELS, channels, y);
      }
      assert_int_equal(InfluenceDestroy(&influence), 0);
    }
  }
  assert_true(slabs > p->beams->n_beam); /* some beam has several */
  assert_int_equal(PetscFree2(y, channels), 0);
  MPI_Allreduce(MPI_IN_PLACE, &product, 1, MPI_DOUBLE, MPI_SUM, comm);
  return product;
}

/* <A x, y> = <x, A^T y>, and the same bits of A^T y alone as on all ranks together. */
static void AdjointWithTheSameBits(void **state)
{
  (void)state;
  for (int components = 1; components <= 2; components++) {
    TinyPlan p;
    double *x, *together, *alone, left, right;
    Factored factored;
    assert_int_equal(TinyPlanCreate(&p, components, components == 1 ? 0 : 1000), 0);
    const PetscInt n = p.beams->n_spot;
    const FactoredVoxels voxels = {p.set, &p.grid, p.n_voxel, p.voxel};
    assert_int_equal(PetscMalloc3(n, &x, n, &together, n, &alone), 0);
    Weights(&p, 0, x);
    for (int self = 0; self < 2; self++) {
      MPI_Comm comm = self ? PETSC_COMM_SELF : PETSC_COMM_WORLD;
      assert_int_equal(FactoredCreate(comm, p.model, &voxels, PETSC_TRUE, &factored), 0);
      assert_int_equal(FactoredSetWeights(factored, x), 0);
      left = ScatterAll(&p, comm, factored, self ? alone : together);
      right = Dot((size_t)n, x, self ? alone : together);
      print_message("%d component(s): <A x, y> = %.15g, <x, A^T y> = %.15g, relative difference %.1e\n", components,
                    left, right, fabs(left / right - 1));
      assert_true(fabs(left) > 0 && fabs(left - right) <= 1e-12 * fabs(left));
      assert_int_equal(FactoredDestroy(&factored), 0);
    }
    assert_memory_equal(alone, together, (size_t)n * sizeof *alone);
    assert_int_equal(PetscFree3(x, together, alone), 0);
    assert_int_equal(TinyPlanDestroy(&p), 0);
  }
}

/* Doses of an operator's voxels in every scenario, then the gradient of cotangents there. */
static void GoBothWays(const TinyPlan *p, Factored factored, Influence influence, PetscInt n, const double *x,
                       double *channels, double *gradient)
{
  const double largest[N_CHANNELS] = {1, 1, 1, 1};
  PetscBool there;
  assert_int_equal(FactoredSetWeights(factored, x), 0);
  assert_int_equal(InfluenceApplyAll(influence, NULL, x, channels), 0);
  assert_int_equal(FactoredBeginGradient(factored, largest, gradient), 0);
  for (;;) {
    uint64_t seed = 5;
    assert_int_equal(FactoredNextSlab(factored, &there), 0);
    if (!there) break;
    for (PetscInt s = 0; s < p->set->n; s++) {
      double y[64 * N_CHANNELS];
      for (PetscInt i = 0; i < n * N_CHANNELS; i++) y[i] = TinyRandom(&seed) - 0.3;
      assert_int_equal(InfluenceApplyTranspose(influence, s, y, NULL), 0);
    }
  }
}

/* An operator that is told of the few voxels that look it up gives them the same bits, and theirs to the gradient. */
static void RestrictedToSomeVoxels(void **state)
{
  (void)state;
  enum { SOME = 64 };
  TinyPlan p;
  PetscMPIInt rank;
  double *x, *channels[2], *gradient[2];
  assert_int_equal(TinyPlanCreate(&p, 2, 0), 0);
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  const PetscInt n = PetscMin(SOME, p.n_voxel / 4), size = p.set->n * n * N_CHANNELS;
  const PetscInt *voxel = p.voxel + (rank + 1) * p.n_voxel / 6; /* each rank looks elsewhere */
  const FactoredVoxels voxels = {p.set, &p.grid, p.n_voxel, p.voxel};
  assert_int_equal(PetscMalloc1(p.beams->n_spot, &x), 0);
  Weights(&p, 0, x);
  for (int restricted = 0; restricted < 2; restricted++) {
    Factored factored;
    Influence influence;
    assert_int_equal(PetscMalloc2(size, &channels[restricted], p.beams->n_spot, &gradient[restricted]), 0);
    assert_int_equal(FactoredCreate(PETSC_COMM_WORLD, p.model, &voxels, PETSC_TRUE, &factored), 0);
    assert_int_equal(InfluenceCreateFactored(factored, p.set, &p.grid, n, voxel, &influence), 0);
    if (restricted) assert_int_equal(FactoredRestrict(factored, 1, &influence), 0);
    GoBothWays(&p, factored, influence, n, x, channels[restricted], gradient[restricted]);
    assert_int_equal(InfluenceDestroy(&influence), 0);
    assert_int_equal(FactoredDestroy(&factored), 0);
  }
  assert_true(Dot((size_t)size, channels[0], channels[0]) > 0);
  assert_memory_equal(channels[0], channels[1], (size_t)size * sizeof(double));
  assert_true(Dot((size_t)p.beams->n_spot, gradient[0], gradient[0]) > 0);
  assert_memory_equal(gradient[0], gradient[1], (size_t)p.beams->n_spot * sizeof(double));
  for (int k = 0; k < 2; k++) assert_int_equal(PetscFree2(channels[k], gradient[k]), 0);
  assert_int_equal(PetscFree(x), 0);
  assert_int_equal(TinyPlanDestroy(&p), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(SameDosesAsTheRows), cmocka_unit_test(AdjointWithTheSameBits),
                                     cmocka_unit_test(RestrictedToSomeVoxels)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() || failed;
}
