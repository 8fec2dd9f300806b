/* Built-in phantoms against closed forms; symmetry; what cannot be built. */
#include "phantom_case.h"
#include "near.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    Case *patient = PhantomCase("rtog", fine ? "ct_spacing_mm: 0.8" : "");
    assert_double_near(PhantomVolume_cm3(patient, "BODY"), body, 0.001 * body);
    assert_double_near(PhantomVolume_cm3(patient, "CTV"), target, 0.01 * target);
    assert_double_near(PhantomVolume_cm3(patient, "OAR"), organ, 0.01 * organ);
    assert_int_equal(CaseDestroy(&patient), 0);
  }
}

/* The opening is posterior (+y): fields from anterior, left and right meet the target before the organ. */
static void RTOGPlaces(void **state)
{
  Case *patient = PhantomCase("rtog", "");
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
  Case *patient = PhantomCase("rtog", "heterogeneous: true");
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
  Case *patient = PhantomCase("donut", "");
  size_t wrong = 0;
  assert_double_near(PhantomVolume_cm3(patient, "BODY"), body, 0.001 * body);
  assert_double_near(PhantomVolume_cm3(patient, "CTV"), ring, 0.002 * ring);
  assert_double_near(PhantomVolume_cm3(patient, "Hole"), PETSC_PI * 12.5 * 12.5 * 100e-3, 0.01 * ring);
  for (PetscInt s = 3; s < 8; s++) {
    assert_double_near(PhantomVolume_cm3(patient, patient->structures[s].name), flask, 0.03 * flask);
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
  Case *patient = PhantomCase("water-box", "");
  assert_double_near(PhantomVolume_cm3(patient, "BODY"), 8000, 1e-9);
  assert_double_near(PhantomVolume_cm3(patient, "CTV"), 26 * 26 * 26 * 8e-3, 1e-9); /* 50 mm: centres at -25 ... 25 */
  for (int k = 0; k < 3; k++) assert_int_equal(patient->ct.n[k], 110);
  assert_int_equal(CaseDestroy(&patient), 0);
  patient = PhantomCase("water-box", "ct_spacing_mm: 1, size_mm: [60, 80, 100], target_mm: [10, 20, 30]");
  assert_double_near(PhantomVolume_cm3(patient, "BODY"), 480, 1e-9);
  assert_double_near(PhantomVolume_cm3(patient, "CTV"), 6, 1e-9);
  assert_int_equal(CaseDestroy(&patient), 0);
}

/* Every mask is its own mirror image, at a spacing that divides nothing too. */
static void Symmetry(void **state)
{
  const char *const spacing[] = {"ct_spacing_mm: 1", "ct_spacing_mm: 2.7", "ct_spacing_mm: 10"};
  for (int i = 0; i < 3; i++) {
    Case *patient = PhantomCase("rtog", spacing[i]);
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

static void Refuse(const char *kind, const char *keys, const char *text)
{
  Mistakes mistakes = {0};
  PhantomSpec spec;
  Case *patient = NULL;
  assert_int_equal(PhantomSpecRead(kind, keys, &mistakes, &spec), 0);
  if (spec.keys) assert_int_equal(CaseBuildPhantom(&spec, "here", &mistakes, &patient), 0);
  assert_null(patient);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), ROBION_STUDY);
  if (!strstr(mistakes.item[0].text, text)) fail_msg("found %s, expected %s", mistakes.item[0].text, text);
  assert_int_equal(MistakesClear(&mistakes) || PhantomSpecDestroy(&spec), 0);
}

static void ImpossibleOnes(void **state)
{
  Refuse("rtogg", "", "rtogg: unknown phantom \"rtogg\", expected water-box, ");
  Refuse("rtogg", "", "(did you mean rtog?)");
  Refuse("rtog", "ct_spacing_mm: -1", "phantom rtog: ct_spacing_mm: found -1, expected a number above 0 (mm)");
  Refuse("rtog", "ct_spacing_mm: .nan", "found .nan, expected a number from 0.25 to 10 (mm)");
  Refuse("rtog", "ct_spacing_mm: 11", "from 0.25 to 10");
  Refuse("rtog", "heterogenous: true", "unknown key, did you mean heterogeneous?");
  Refuse("rtog", "seed: 1", "unknown key, expected one of ct_spacing_mm, heterogeneous");
  Refuse("chordoma", "seed: 0", "seed: found 0, expected a whole number from 1 to 1000000000");
  Refuse("donut", "ct_spacing_mm: [", "phantom donut: ");
  Refuse("water-box", "size_mm: [40, 200, 200]", "here: along x the target is 50 mm in a box of 40 mm");
  Refuse("water-box", "target_mm: [50, 50, 1]", "along z the target is 1 mm");
  Refuse("water-box", "size_mm: [1, 2]", "size_mm: found a list of 2, expected a list of 3 numbers (mm)");
  Refuse("water-box", "ct_spacing_mm: 0.25, size_mm: [2000, 2000, 2000]", "voxels allowed");
}

/* The registry: a phantom's name is the same everywhere, every key has a default, the CT spacing is the first and may be its most. */
static void EveryPhantom(void **state)
{
  for (PetscInt p = 0; p < n_phantom_names; p++) {
    const SchemaKey *keys = phantom_keys[p];
    assert_string_equal(keys->name, phantom_names[p]);
    assert_non_null(keys->doc);
    assert_string_equal(keys->child[0].name, "ct_spacing_mm");
    assert_int_equal(keys->child[0].at.offset, 0);
    for (PetscInt i = 0; i < keys->n_child; i++) assert_non_null(keys->child[i].fallback);
    char coarsest[64], source[64];
    snprintf(coarsest, sizeof coarsest, "ct_spacing_mm: %g", keys->child[0].max);
    Case *patient = PhantomCase(phantom_names[p], coarsest);
    snprintf(source, sizeof source, "phantom %s, ", phantom_names[p]);
    assert_memory_equal(patient->source, source, strlen(source));
    assert_true(CaseFindExternal(patient) >= 0);
    assert_true(patient->ct.spacing_mm[0] == keys->child[0].max);
    assert_int_equal(CaseDestroy(&patient), 0);
  }
  Mistakes mistakes = {0};
  Case *usual, *said = PhantomCase("water-box", "ct_spacing_mm: 2, size_mm: [200, 200, 200], target_mm: [50, 50, 50]");
  const PhantomSpec none = {.kind = "water-box"};
  assert_int_equal(CaseBuildPhantom(&none, "usual", &mistakes, &usual), 0);
  assert_string_equal(usual->source, said->source);
  assert_int_equal(CaseDestroy(&usual) || CaseDestroy(&said), 0);
  assert_memory_equal(PhantomsWithKey("ct_spacing_mm").text, "water-box or rtog", 17);
  assert_string_equal(PhantomsWithKey("seed").text, "chordoma or head-neck or liver");
  assert_string_equal(PhantomsWithKey("name").text, "");
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(RTOGVolumes),    cmocka_unit_test(RTOGPlaces),   cmocka_unit_test(InsertsAreBesideTheTarget),
      cmocka_unit_test(Donut),          cmocka_unit_test(WaterBox),     cmocka_unit_test(Symmetry),
      cmocka_unit_test(ImpossibleOnes), cmocka_unit_test(EveryPhantom),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
