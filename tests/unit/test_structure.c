/* Derived structures: exact distances, margins of a sphere, booleans, rings, and what a wrong expression says. */
#include "phantom_case.h"
#include "robion/structure.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "near.h"

static void DistanceAgainstBruteForce(void **state)
{
  enum { NX = 9, NY = 7, NZ = 6, N = NX * NY * NZ };
  const Grid grid = {{NX, NY, NZ}, {0.977, 1.3, 3.27}, {0, 0, 0}};
  unsigned char mask[N];
  float distance[N];
  unsigned seed = 7;
  for (int sparse = 2; sparse < 200; sparse += 13) {
    int members = 0;
    for (int v = 0; v < N; v++) {
      seed = seed * 1664525u + 1013904223u;
      mask[v] = (seed >> 16) % (unsigned)sparse == 0;
      members += mask[v];
    }
    assert_true(members > 0);
    assert_int_equal(DistanceToMask(&grid, mask, distance), 0);
    for (size_t v = 0; v < N; v++) {
      double a[3], b[3], least = INFINITY;
      GridCentre(&grid, v, a);
      for (size_t w = 0; w < N; w++) {
        if (!mask[w]) continue;
        GridCentre(&grid, w, b);
        least = fmin(least, hypot(hypot(a[0] - b[0], a[1] - b[1]), a[2] - b[2]));
      }
      assert_double_near(distance[v], least, 1e-5);
    }
  }
  memset(mask, 0, sizeof mask);
  assert_int_equal(DistanceToMask(&grid, mask, distance), 0);
  for (int v = 0; v < N; v++) assert_true(isinf(distance[v]));
}

/* A case with two spheres: A of radius 20 mm at the origin, B of radius 15 mm, 18 mm beside it; BODY of radius 40 mm. */
static Case *Spheres(const double spacing_mm[3])
{
  const char *const names[] = {"BODY", "A", "B 1"};
  const double radius_mm[] = {40, 20, 15}, centre_x_mm[] = {0, 0, 18};
  const Role roles[] = {ROLE_EXTERNAL, ROLE_TARGET, ROLE_OAR};
  Case *patient;
  assert_int_equal(PetscCalloc1(1, &patient), 0);
  for (int k = 0; k < 3; k++) {
    patient->ct.n[k] = 2 * (PetscInt)ceil(42 / spacing_mm[k]);
    patient->ct.spacing_mm[k] = spacing_mm[k];
    patient->ct.origin_mm[k] = -0.5 * (patient->ct.n[k] - 1) * spacing_mm[k];
  }
  assert_int_equal(PetscStrallocpy("spheres", &patient->name), 0);
  assert_int_equal(PetscCalloc1(3, &patient->structures), 0);
  patient->n_structures = 3;
  for (int s = 0; s < 3; s++) {
    Structure *structure = &patient->structures[s];
    structure->role = roles[s];
    assert_int_equal(PetscStrallocpy(names[s], &structure->name), 0);
    assert_int_equal(PetscMalloc1(GridSize(&patient->ct), &structure->mask), 0);
    for (size_t v = 0; v < GridSize(&patient->ct); v++) {
      double x[3];
      GridCentre(&patient->ct, v, x);
      x[0] -= centre_x_mm[s];
      structure->mask[v] = x[0] * x[0] + x[1] * x[1] + x[2] * x[2] <= radius_mm[s] * radius_mm[s];
    }
  }
  return patient;
}

static const unsigned char *Derive(Case *patient, const char *name, const char *expression)
{
  Mistakes mistakes = {0};
  assert_int_equal(StructureDerive(patient, name, expression, "here", &mistakes), 0);
  MistakesPrint(&mistakes);
  assert_false(MistakesAny(&mistakes));
  PetscInt s = CaseFindStructure(patient, name);
  assert_true(s >= 0);
  return patient->structures[s].mask;
}

static double Radius_mm(const Case *patient, const char *name)
{
  const unsigned char *mask = patient->structures[CaseFindStructure(patient, name)].mask;
  size_t n = 0;
  for (size_t v = 0; v < GridSize(&patient->ct); v++) n += mask[v];
  return cbrt((double)n * GridVoxelVolume_cm3(&patient->ct) * 1e3 * 0.75 / PETSC_PI);
}

/* The volume-equivalent radius grows and shrinks by the margin within 0.3 voxel. */
static void MarginsOfASphere(void **state)
{
  const double spacings[][3] = {{1, 1, 1}, {0.977, 0.977, 3.27}, {2, 2, 2}, {3, 3, 3}};
  for (int i = 0; i < 4; i++) {
    Case *patient = Spheres(spacings[i]);
    double voxel_mm = cbrt(spacings[i][0] * spacings[i][1] * spacings[i][2]), a = Radius_mm(patient, "A");
    const double margin_mm[] = {2.5, 5, 8, 12.5};
    for (int m = 0; m < 4; m++) {
      char name[32], text[64];
      snprintf(name, sizeof name, "plus %g", margin_mm[m]);
      snprintf(text, sizeof text, "A plus %g mm", margin_mm[m]);
      Derive(patient, name, text);
      double grown = Radius_mm(patient, name) - a;
      snprintf(name, sizeof name, "minus %g", margin_mm[m]);
      snprintf(text, sizeof text, "A minus %g mm", margin_mm[m]);
      Derive(patient, name, text);
      double shrunk = a - Radius_mm(patient, name);
      assert_double_near(grown, margin_mm[m], 0.3 * voxel_mm);
      assert_double_near(shrunk, margin_mm[m], 0.3 * voxel_mm);
    }
    assert_int_equal(CaseDestroy(&patient), 0);
  }
}

/* Flat faces move by exactly the margin where it is a whole number of voxels. */
static void MarginsOfABox(void **state)
{
  Case *patient = PhantomCase("water-box", "ct_spacing_mm: 2, size_mm: [100, 100, 100], target_mm: [40, 40, 40]");
  const unsigned char *plus = Derive(patient, "plus", "CTV plus 6 mm");
  const unsigned char *minus = Derive(patient, "minus", "CTV minus 6 mm");
  const unsigned char *ring = Derive(patient, "ring", "ring 6-10 mm around CTV");
  size_t middle = GridIndex(&patient->ct, 0, patient->ct.n[1] / 2, patient->ct.n[2] / 2);
  int count[3] = {0};
  for (PetscInt i = 0; i < patient->ct.n[0]; i++) {
    count[0] += plus[middle + (size_t)i];
    count[1] += minus[middle + (size_t)i];
    count[2] += ring[middle + (size_t)i];
  }
  assert_int_equal(count[0], 26);
  assert_int_equal(count[1], 14);
  assert_int_equal(count[2], 4); /* two voxels on each side */
  assert_int_equal(CaseDestroy(&patient), 0);
}

static void Booleans(void **state)
{
  Case *patient = Spheres((double[]){2, 2, 2});
  const unsigned char *a = patient->structures[1].mask, *b = patient->structures[2].mask;
  const unsigned char *less = Derive(patient, "less", "A minus 'B 1'");
  const unsigned char *both = Derive(patient, "both", "A and 'B 1'");
  const unsigned char *either = Derive(patient, "either", "  'A'  or 'B 1' ");
  const unsigned char *shell = Derive(patient, "skin", "BODY minus less");
  size_t wrong = 0;
  for (size_t v = 0; v < GridSize(&patient->ct); v++)
    wrong += less[v] != (a[v] && !b[v]) || both[v] != (a[v] && b[v]) || either[v] != (a[v] || b[v]) || shell[v] > 1;
  assert_int_equal(wrong, 0);
  assert_int_equal(patient->structures[CaseFindStructure(patient, "less")].role, ROLE_TARGET);
  assert_int_equal(patient->structures[CaseFindStructure(patient, "skin")].role, ROLE_OAR); /* one external only */
  assert_int_equal(CaseDestroy(&patient), 0);
}

/* Rings are outside A, inside BODY, and touch without overlap. */
static void Rings(void **state)
{
  Case *patient = Spheres((double[]){1, 1, 2.5});
  const unsigned char *a = patient->structures[1].mask, *body = patient->structures[0].mask;
  const unsigned char *near = Derive(patient, "near", "ring 0-5 mm around A");
  const unsigned char *far = Derive(patient, "far", "ring 5-12.5 mm around A");
  const unsigned char *rest = Derive(patient, "rest", "ring 12.5-300 mm around A");
  size_t wrong = 0;
  for (size_t v = 0; v < GridSize(&patient->ct); v++) wrong += a[v] + near[v] + far[v] + rest[v] != body[v];
  assert_int_equal(wrong, 0);
  assert_int_equal(patient->structures[CaseFindStructure(patient, "near")].role, ROLE_OAR);
  const unsigned char *grown = Derive(patient, "grown", "A plus 5 mm");
  for (size_t v = 0; v < GridSize(&patient->ct); v++) wrong += grown[v] != (a[v] | near[v]);
  assert_int_equal(wrong, 0);
  assert_int_equal(CaseDestroy(&patient), 0);
}

/* A target that leaves the body is not cropped by its margin, which does end at the body. */
static void MarginOfWhatLeavesTheBody(void **state)
{
  Case *patient = Spheres((double[]){2, 2, 2});
  unsigned char *a = patient->structures[1].mask, *body = patient->structures[0].mask;
  size_t outside = 0;
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    double x[3];
    GridCentre(&patient->ct, v, x);
    if (x[0] > 12) body[v] = 0;
  }
  const unsigned char *grown = Derive(patient, "grown", "A plus 5 mm");
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    assert_true(grown[v] >= a[v] && grown[v] <= (a[v] | body[v]));
    outside += grown[v] && !body[v];
  }
  assert_true(outside > 0);
  assert_double_near(StructureOutside_cm3(patient, CaseFindStructure(patient, "grown")), (double)outside * 8e-3, 1e-9);
  assert_int_equal(CaseDestroy(&patient), 0);
}

static void Refuse(Case *patient, const char *name, const char *expression, RobionExit code, const char *text)
{
  Mistakes mistakes = {0};
  PetscInt before = patient ? patient->n_structures : 0;
  if (patient)
    assert_int_equal(StructureDerive(patient, name, expression, "s.yaml:3:5", &mistakes), 0);
  else
    assert_int_equal(StructureCheckExpression(expression, "s.yaml:3:5", &mistakes), 0);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), code);
  if (!strstr(mistakes.item[0].text, text)) fail_msg("\"%s\" lacks \"%s\"", mistakes.item[0].text, text);
  assert_int_equal(strncmp(mistakes.item[0].text, "s.yaml:3:5: ", 12), 0);
  assert_int_equal(MistakesClear(&mistakes), 0);
  if (patient) assert_int_equal(patient->n_structures, before);
}

static void WrongGrammar(void **state)
{
  const char *const cases[][2] = {
      {"", "is empty"},
      {"A", "expected \"A plus 5 mm\""},
      {"A plsu 5 mm", "did you mean plus?"},
      {"A plus B", "to unite two structures use or"},
      {"A plus 5", "plus needs a distance in mm"},
      {"A minus 5", "followed by mm"},
      {"A and 5 mm", "a distance goes with plus or minus"},
      {"A plus 5 cm", "followed by mm"},
      {"A plus five mm", "not a number"},
      {"A plus -5 mm", "above 0"},
      {"A plus 0 mm", "above 0"},
      {"A plus 5000 mm", "at most 1000"},
      {"A plus nan mm", "not a number"},
      {"Lt femoral head plus 5 mm", "'single quotes'"},
      {"Lt femoral head of something plus 5 mm", "'single quotes'"},
      {"'A plus 5 mm", "quote is not closed"},
      {"''  plus 5 mm", "is empty"},
      {"'A'plus 5 mm", "a blank is missing"},
      {"ring 5 mm around A", "written as 0-20"},
      {"ring 5 mm at A", "ring 0-20 mm around A"},
      {"ring 20-5 mm around A", "must ascend"},
      {"ring 5:20 mm around A", "written as 0-20"},
      {"ring a-b mm around A", "not numbers"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) Refuse(NULL, NULL, cases[i][0], ROBION_STUDY, cases[i][1]);
}

static void WrongNames(void **state)
{
  Case *patient = Spheres((double[]){3, 3, 3});
  Refuse(patient, "X", "BODI plus 5 mm", ROBION_INPUT, "has no structure \"BODI\" (did you mean BODY?)");
  Refuse(patient, "X", "A minus b", ROBION_INPUT, "has no structure \"b\"");
  Refuse(patient, "A", "A plus 5 mm", ROBION_STUDY, "already has a structure \"A\"");
  Refuse(patient, "X", "A minus 30 mm", ROBION_INPUT, "has no voxel in case spheres");
  Refuse(patient, "X", "A minus A", ROBION_INPUT, "has no voxel");
  memset(patient->structures[2].mask, 0, GridSize(&patient->ct));
  Refuse(patient, "X", "A minus 'B 1'", ROBION_INPUT, "structure \"B 1\" of case spheres is empty");
  assert_int_equal(CaseDestroy(&patient), 0);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(DistanceAgainstBruteForce),
      cmocka_unit_test(MarginsOfASphere),
      cmocka_unit_test(MarginOfWhatLeavesTheBody),
      cmocka_unit_test(MarginsOfABox),
      cmocka_unit_test(Booleans),
      cmocka_unit_test(Rings),
      cmocka_unit_test(WrongGrammar),
      cmocka_unit_test(WrongNames),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
