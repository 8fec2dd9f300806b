/* The outline that is derived for a case without an external structure. */
#include "robion/structure.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

enum { N = 12, SIZE = N * N * N };

static Case *Air(void)
{
  Case *patient;
  assert_int_equal(PetscCalloc1(1, &patient), 0);
  for (int k = 0; k < 3; k++) {
    patient->ct.n[k] = N;
    patient->ct.spacing_mm[k] = 2;
  }
  assert_int_equal(PetscMalloc1(SIZE, &patient->hu), 0);
  for (int v = 0; v < SIZE; v++) patient->hu[v] = -1000;
  return patient;
}

/* Fill voxels from low to high (included) in x, y, z. */
static void Fill(Case *patient, short hu, int x0, int x1, int y0, int y1, int z0, int z1)
{
  for (int k = z0; k <= z1; k++)
    for (int j = y0; j <= y1; j++)
      for (int i = x0; i <= x1; i++) patient->hu[(k * N + j) * N + i] = hu;
}

/* The derived structure's voxels are those of a box. */
static void CheckBox(Case *patient, int x0, int x1, int y0, int y1, int z0, int z1)
{
  assert_int_equal(CaseDeriveExternal(patient), 0);
  const PetscInt e = CaseFindExternal(patient);
  assert_true(e >= 0);
  assert_string_equal(patient->structures[e].name, DERIVED_EXTERNAL);
  for (int v = 0; v < SIZE; v++) {
    const int i = v % N, j = v / N % N, k = v / (N * N);
    const int inside = i >= x0 && i <= x1 && j >= y0 && j <= y1 && k >= z0 && k <= z1;
    if (patient->structures[e].mask[v] != inside) fail_msg("voxel %d %d %d is not %d", i, j, k, inside);
  }
  assert_int_equal(CaseDestroy(&patient), 0);
}

/* Beside the patient lie a couch and a wire of metal; a single air voxel keeps them apart, edges that touch do not join them. */
static void LargestPiece(void **state)
{
  Case *patient = Air();
  Fill(patient, 0, 2, 9, 2, 8, 0, N - 1);
  Fill(patient, 100, 0, N - 1, 10, 11, 0, N - 1);
  Fill(patient, 3000, 10, 10, 9, 9, 3, 3);
  Fill(patient, 3000, 1, 1, 1, 1, 0, N - 1);
  CheckBox(patient, 2, 9, 2, 8, 0, N - 1);
}

/* Lungs, a hole that is open towards the CT's end, gas that opens into the next slice, and tissue inside of a hole. */
static void HolesOfSlices(void **state)
{
  Case *patient = Air();
  Fill(patient, 0, 2, 9, 2, 9, 1, N - 1);
  Fill(patient, -800, 3, 5, 3, 8, 2, 9);
  Fill(patient, -1000, 7, 8, 4, 5, 4, N - 1);
  Fill(patient, 50, 4, 4, 5, 5, 4, 6);
  CheckBox(patient, 2, 9, 2, 9, 1, N - 1);
}

/* Cut off by the CT on several sides: the outline ends with it. Half of water is the threshold. */
static void ToTheBorder(void **state)
{
  Case *patient = Air();
  Fill(patient, EXTERNAL_THRESHOLD_HU + 1, 0, 7, 0, N - 1, 0, N - 1);
  Fill(patient, EXTERNAL_THRESHOLD_HU, 8, 8, 0, N - 1, 0, N - 1);
  CheckBox(patient, 0, 7, 0, N - 1, 0, N - 1);
  patient = Air();
  Fill(patient, 0, 0, N - 1, 0, N - 1, 0, N - 1);
  CheckBox(patient, 0, N - 1, 0, N - 1, 0, N - 1);
  patient = Air();
  Fill(patient, 0, 5, 5, 5, 5, 5, 5);
  CheckBox(patient, 5, 5, 5, 5, 5, 5);
}

/* A random blob against a plain search that grows from voxel to voxel, as seeds of every size and shape must agree. */
static void AgainstPlainSearch(void **state)
{
  unsigned seed = 11;
  for (int trial = 0; trial < 20; trial++) {
    Case *patient = Air();
    static unsigned char label[SIZE];
    int largest = 0, best = -1;
    for (int v = 0; v < SIZE; v++) {
      seed = seed * 1664525u + 1013904223u;
      if (seed >> 24 < 60u + 8u * (unsigned)trial) patient->hu[v] = 0;
    }
    int piece[SIZE], n_piece[SIZE] = {0};
    for (int v = 0; v < SIZE; v++) piece[v] = patient->hu[v] ? -1 : v;
    for (PetscBool changed = PETSC_TRUE; changed;) { /* the lowest index spreads */
      changed = PETSC_FALSE;
      for (int v = 0; v < SIZE; v++) {
        const int at[3] = {v % N, v / N % N, v / (N * N)}, step[3] = {1, N, N * N};
        for (int a = 0; a < 3; a++)
          for (int side = -1; side <= 1; side += 2) {
            if (piece[v] < 0 || at[a] + side < 0 || at[a] + side >= N || piece[v + side * step[a]] < 0) continue;
            if (piece[v + side * step[a]] >= piece[v]) continue;
            piece[v] = piece[v + side * step[a]];
            changed = PETSC_TRUE;
          }
      }
    }
    for (int v = 0; v < SIZE; v++)
      if (piece[v] >= 0 && ++n_piece[piece[v]] > largest) largest = n_piece[piece[v]];
    for (int v = SIZE - 1; v >= 0; v--)
      if (n_piece[v] == largest) best = v; /* the first of equals */
    for (int v = 0; v < SIZE; v++) label[v] = piece[v] == best;
    assert_int_equal(CaseDeriveExternal(patient), 0);
    const unsigned char *mask = patient->structures[CaseFindExternal(patient)].mask;
    for (int v = 0; v < SIZE; v++) assert_true(mask[v] >= label[v]); /* more only where holes are filled */
    for (int v = 0; v < SIZE; v++)
      if (mask[v] && !label[v]) assert_true(v % N && v % N < N - 1 && v / N % N && v / N % N < N - 1);
    assert_int_equal(CaseDestroy(&patient), 0);
  }
}

/* A case that has an external keeps it, however it looks; one without any tissue gets none. */
static void NothingToDerive(void **state)
{
  Case *patient = Air();
  assert_int_equal(CaseDeriveExternal(patient), 0);
  assert_int_equal(patient->n_structures, 0);
  Fill(patient, 0, 2, 9, 2, 8, 0, N - 1);
  assert_int_equal(PetscCalloc1(1, &patient->structures), 0);
  patient->n_structures = 1;
  assert_int_equal(PetscStrallocpy("Skin", &patient->structures[0].name), 0);
  patient->structures[0].role = ROLE_EXTERNAL;
  assert_int_equal(PetscCalloc1(SIZE, &patient->structures[0].mask), 0);
  assert_int_equal(CaseDeriveExternal(patient), 0);
  assert_int_equal(patient->n_structures, 1);
  assert_null(memchr(patient->structures[0].mask, 1, SIZE));
  assert_int_equal(CaseDestroy(&patient), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(LargestPiece), cmocka_unit_test(HolesOfSlices),
                                     cmocka_unit_test(ToTheBorder), cmocka_unit_test(AgainstPlainSearch),
                                     cmocka_unit_test(NothingToDerive)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
