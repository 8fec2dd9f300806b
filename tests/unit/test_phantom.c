/* Built-in phantoms against closed forms; symmetry; what cannot be built. */
#include "robion/case.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "near.h"

static Case *Build(PhantomSpec spec)
{
  Mistakes mistakes = {0};
  Case *patient;
  assert_int_equal(CaseBuildPhantom(&spec, "test", &mistakes, &patient), 0);
  assert_false(MistakesAny(&mistakes));
  assert_non_null(patient);
  return patient;
}

static double Volume_cm3(const Case *patient, const char *name)
{
  PetscInt s = CaseFindStructure(patient, name);
  assert_true(s >= 0);
  size_t n = 0;
  for (size_t v = 0; v < GridSize(&patient->ct); v++) n += patient->structures[s].mask[v];
  return (double)n * GridVoxelVolume_cm3(&patient->ct);
}

static size_t VoxelAt(const Case *patient, double x_mm, double y_mm, double z_mm)
{
  const double x[3] = {x_mm, y_mm, z_mm};
  PetscInt i[3];
  for (int k = 0; k < 3; k++)
    i[k] = (PetscInt)floor((x[k] - patient->ct.origin_mm[k]) / patient->ct.spacing_mm[k] + 0.5);
  return GridIndex(&patient->ct, i[0], i[1], i[2]);
}

static void RTOGVolumes(void **state)
{
  const double body = PETSC_PI * 116 * 116 * 80e-3, target = 0.75 * PETSC_PI * (40 * 40 - 18 * 18) * 40e-3;
  const double organ = PETSC_PI * 15 * 15 * 40e-3;
  for (int fine = 0; fine < 2; fine++) {
    Case *patient = Build((PhantomSpec){.kind = "rtog", .ct_spacing_mm = fine ? 0.8 : 1});
    assert_double_near(Volume_cm3(patient, "BODY"), body, 0.001 * body);
    assert_double_near(Volume_cm3(patient, "CTV"), target, 0.01 * target);
    assert_double_near(Volume_cm3(patient, "OAR"), organ, 0.01 * organ);
    assert_int_equal(CaseDestroy(&patient), 0);
  }
}

/* The opening is posterior (+y): fields from anterior, left and right meet the target before the organ. */
static void RTOGPlaces(void **state)
{
  Case *patient = Build((PhantomSpec){.kind = "rtog"});
  const unsigned char *target = patient->structures[CaseFindStructure(patient, "CTV")].mask;
  assert_true(target[VoxelAt(patient, 0, -30, 0)]);
  assert_true(target[VoxelAt(patient, 30, 0, 0)]);
  assert_true(target[VoxelAt(patient, -30, 0, 0)]);
  assert_false(target[VoxelAt(patient, 0, 30, 0)]);
  assert_false(target[VoxelAt(patient, 0, -30, 21)]);
  assert_int_equal(patient->structures[CaseFindExternal(patient)].role, ROLE_EXTERNAL);
  const unsigned char *body = patient->structures[CaseFindExternal(patient)].mask;
  const unsigned char *organ = patient->structures[CaseFindStructure(patient, "OAR")].mask;
  size_t wrong = 0;
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    wrong += (target[v] && organ[v]) || ((target[v] || organ[v]) && !body[v]);
    wrong += patient->rsp[v] != (body[v] ? 1.0f : 0.001f) || patient->hu[v] != (body[v] ? 0 : -999);
  }
  assert_int_equal(wrong, 0);
  assert_int_equal(CaseDestroy(&patient), 0);
}

static void InsertsAreBesideTheTarget(void **state)
{
  Case *patient = Build((PhantomSpec){.kind = "rtog", .heterogeneous = PETSC_TRUE});
  const unsigned char *body = patient->structures[CaseFindExternal(patient)].mask;
  size_t air = 0, bone = 0, overlap = 0;
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    if (!body[v] || patient->rsp[v] == 1.0f) continue;
    air += patient->rsp[v] == 0.001f;
    bone += patient->rsp[v] == 1.53f;
    for (PetscInt s = 0; s < patient->n_structures; s++)
      overlap += patient->structures[s].role != ROLE_EXTERNAL && patient->structures[s].mask[v];
  }
  assert_int_equal(overlap, 0);
  const double insert_mm3 = PETSC_PI * 10 * 10 * 60;
  assert_double_near((double)air, insert_mm3, 0.02 * insert_mm3);
  assert_int_equal(air, bone);
  assert_double_near(patient->rsp[VoxelAt(patient, -55, 0, 0)], 0.001f, 0); /* in the 270 degree field */
  assert_double_near(patient->rsp[VoxelAt(patient, 55, 0, 0)], 1.53f, 0);
  assert_int_equal(patient->hu[VoxelAt(patient, 55, 0, 0)], 1022);
  assert_int_equal(CaseDestroy(&patient), 0);
}

/* Ring and flasks against closed forms; the flasks lie in the ring or its hole, apart from each other. */
static void Donut(void **state)
{
  const double body = PETSC_PI * 100 * 100 * 160e-3, ring = PETSC_PI * (50 * 50 - 12.5 * 12.5) * 100e-3;
  const double flask = PETSC_PI * 8 * 8 * 40e-3;
  Case *patient = Build((PhantomSpec){.kind = "donut"});
  size_t wrong = 0;
  assert_double_near(Volume_cm3(patient, "BODY"), body, 0.001 * body);
  assert_double_near(Volume_cm3(patient, "CTV"), ring, 0.002 * ring);
  assert_double_near(Volume_cm3(patient, "Hole"), PETSC_PI * 12.5 * 12.5 * 100e-3, 0.01 * ring);
  for (PetscInt s = 3; s < 8; s++) {
    assert_double_near(Volume_cm3(patient, patient->structures[s].name), flask, 0.03 * flask);
    for (size_t v = 0; v < GridSize(&patient->ct); v++) {
      if (!patient->structures[s].mask[v]) continue;
      wrong += patient->structures[1].mask[v] != (s < 7) || patient->structures[2].mask[v] != (s == 7);
      for (PetscInt other = 3; other < s; other++) wrong += patient->structures[other].mask[v];
    }
  }
  assert_int_equal(wrong, 0);
  const char *const at[] = {"Flask1", "Flask2", "Flask3", "Flask4",
                            "Flask5"}; /* anterior, left, posterior, right, hole */
  const double x_mm[][2] = {{0, -31}, {31, 0}, {0, 31}, {-31, 0}, {0, 0}};
  for (int i = 0; i < 5; i++)
    assert_true(
        patient->structures[CaseFindStructure(patient, at[i])].mask[VoxelAt(patient, x_mm[i][0], x_mm[i][1], 0)]);
  assert_int_equal(CaseDestroy(&patient), 0);
}

static void WaterBox(void **state)
{
  Case *patient = Build((PhantomSpec){.kind = "water-box"});
  assert_double_near(Volume_cm3(patient, "BODY"), 8000, 1e-9);
  assert_double_near(Volume_cm3(patient, "CTV"), 26 * 26 * 26 * 8e-3, 1e-9); /* 50 mm: centres at -25 ... 25 */
  for (int k = 0; k < 3; k++) assert_int_equal(patient->ct.n[k], 110);
  assert_int_equal(CaseDestroy(&patient), 0);
  patient = Build(
      (PhantomSpec){.kind = "water-box", .ct_spacing_mm = 1, .size_mm = {60, 80, 100}, .target_mm = {10, 20, 30}});
  assert_double_near(Volume_cm3(patient, "BODY"), 480, 1e-9);
  assert_double_near(Volume_cm3(patient, "CTV"), 6, 1e-9);
  assert_int_equal(CaseDestroy(&patient), 0);
}

/* Every mask is its own mirror image, at a spacing that divides nothing too. */
static void Symmetry(void **state)
{
  const double spacing_mm[] = {1, 2.7, 10};
  for (int i = 0; i < 3; i++) {
    Case *patient = Build((PhantomSpec){.kind = "rtog", .ct_spacing_mm = spacing_mm[i]});
    const Grid *ct = &patient->ct;
    size_t wrong = 0;
    for (int k = 0; k < 3; k++) assert_double_near(ct->origin_mm[k], -0.5 * (ct->n[k] - 1) * ct->spacing_mm[k], 1e-12);
    for (PetscInt s = 0; s < patient->n_structures; s++)
      for (size_t v = 0; v < GridSize(ct); v++) {
        size_t nx = (size_t)ct->n[0], mirror_x = v - v % nx + (nx - 1 - v % nx);
        wrong += patient->structures[s].mask[v] != patient->structures[s].mask[mirror_x];
      }
    assert_int_equal(wrong, 0);
    assert_int_equal(CaseDestroy(&patient), 0);
  }
}

static void Refuse(PhantomSpec spec, const char *text)
{
  Mistakes mistakes = {0};
  Case *patient;
  assert_int_equal(CaseBuildPhantom(&spec, "here", &mistakes, &patient), 0);
  assert_null(patient);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), ROBION_STUDY);
  assert_non_null(strstr(mistakes.item[0].text, text));
  assert_int_equal(MistakesClear(&mistakes), 0);
}

static void ImpossibleOnes(void **state)
{
  Refuse((PhantomSpec){.kind = "rtogg"}, "did you mean rtog?");
  Refuse((PhantomSpec){.kind = "rtog", .ct_spacing_mm = -1}, "is -1 mm");
  Refuse((PhantomSpec){.kind = "rtog", .ct_spacing_mm = NAN}, "is nan mm");
  Refuse((PhantomSpec){.kind = "rtog", .ct_spacing_mm = 11}, "0.25 to 10");
  Refuse((PhantomSpec){.kind = "water-box", .size_mm = {40, 0, 0}}, "along x the target is 50 mm in a box of 40 mm");
  Refuse((PhantomSpec){.kind = "water-box", .target_mm = {0, 0, 1}}, "along z the target is 1 mm");
  Refuse((PhantomSpec){.kind = "water-box", .size_mm = {0, INFINITY, 0}}, "in a box of inf mm");
  Refuse((PhantomSpec){.kind = "water-box", .ct_spacing_mm = 0.25, .size_mm = {9e3, 9e3, 9e3}}, "voxels allowed");
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(RTOGVolumes),    cmocka_unit_test(RTOGPlaces), cmocka_unit_test(InsertsAreBesideTheTarget),
      cmocka_unit_test(Donut),          cmocka_unit_test(WaterBox),   cmocka_unit_test(Symmetry),
      cmocka_unit_test(ImpossibleOnes),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
