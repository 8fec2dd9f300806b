/* /dicom of case files: what is written comes back, and what does not fit together is refused. */
#include "robion/case.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

enum { N = 8 };
static char file[64];
static short hu[N];
static unsigned char mask[N] = {1};

/* A case of two slices; its structure has `extra` points more than its rings say. */
static void WriteCase(DicomOrigin *origin, PetscInt extra)
{
  static double point[7][3] = {{0, 0, 1}, {1, 0, 1}, {1, 1, 1.5}, {-2, 0, 3}, {0, 0.1, 3}, {0, 4, 3}, {9, 9, 9}};
  static char uid[2][DICOM_TEXT] = {"1.2.3", "1.2.4"};
  static double z[2] = {-3, 0.25};
  PetscInt rings[2] = {3, 3};
  Structure structure = {"GTV", ROLE_TARGET, mask};
  DicomContours contours = {.structure = "GTV", .roi_name = "G/TV", .interpreted_type = "GTV", .roi_number = 12};
  Mistakes mistakes = {0};
  Case patient = {.name = "x", .source = "y", .hu = hu, .n_structures = 1, .structures = &structure, .dicom = origin};
  patient.ct = (Grid){{2, 2, 2}, {1, 1, 1}, {0, 0, 0}};
  contours.contours = (Contours){.n_rings = 2, .n_points = 6 + extra, .ring_points = rings, .point_mm = point};
  if (origin) {
    *origin = (DicomOrigin){.study_uid = "1.2", .model = "a \"model\" µ", .kvp = 120};
    origin->n_slices = 2;
    origin->sop_instance_uid = uid;
    origin->slice_z_mm = z;
    origin->n_structures = 1;
    origin->structure = &contours;
  }
  assert_int_equal(CaseWrite(&patient, file, &mistakes), 0);
  assert_false(MistakesAny(&mistakes));
}

static void TestComesBack(void **state)
{
  DicomOrigin written, *read;
  Mistakes mistakes = {0};
  WriteCase(&written, 0);
  assert_int_equal(DicomOriginRead(file, &mistakes, &read), 0);
  assert_false(MistakesAny(&mistakes));
  assert_string_equal(read->study_uid, "1.2");
  assert_string_equal(read->model, "a \"model\" µ");
  assert_string_equal(read->patient_id, "");
  assert_true(read->kvp == 120 && read->n_slices == 2);
  assert_memory_equal(read->sop_instance_uid, written.sop_instance_uid, 2 * sizeof *read->sop_instance_uid);
  assert_memory_equal(read->slice_z_mm, written.slice_z_mm, 2 * sizeof(double));
  const DicomContours *contours = DicomOriginFind(read, "GTV");
  assert_null(DicomOriginFind(read, "G/TV"));
  assert_non_null(contours);
  assert_string_equal(contours->roi_name, "G/TV");
  assert_true(contours->roi_number == 12 && contours->contours.n_rings == 2 && contours->contours.n_points == 6);
  assert_true(contours->contours.point_mm[2][2] == 1.5 && contours->contours.ring_points[1] == 3);
  assert_int_equal(DicomOriginDestroy(&read), 0);
}

/* No /dicom is no mistake; rings that are not those of the points are one. */
static void TestRefused(void **state)
{
  DicomOrigin written, *read;
  Mistakes mistakes = {0};
  WriteCase(NULL, 0);
  assert_int_equal(DicomOriginRead(file, &mistakes, &read), 0);
  assert_null(read);
  assert_false(MistakesAny(&mistakes));
  WriteCase(&written, 1);
  assert_int_equal(DicomOriginRead(file, &mistakes, &read), 0);
  assert_null(read);
  assert_non_null(strstr(MistakesFirst(&mistakes), "/dicom/contours/GTV: its rings have 6 points, expected the 7"));
  assert_int_equal(MistakesClear(&mistakes), 0);
}

static int Begin(void **state)
{
  return snprintf(file, sizeof file, "/tmp/robion-origin-%ld.h5", (long)getpid()) < 0;
}

static int End(void **state)
{
  return unlink(file);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(TestComesBack), cmocka_unit_test(TestRefused)};
  return cmocka_run_group_tests(tests, Begin, End);
}
