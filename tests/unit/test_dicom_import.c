/* Import of DICOM: every way that slices may lie, be stored and be mixed; structures, roles, privacy. */
#include "dicom_files.h"
#include "robion/structure.h"

/* Import the test's folder; the case or NULL, and what was told. */
static Case *Import(DicomImportSpec spec, Mistakes *mistakes, Text *table)
{
  static const char *path;
  Case *patient;
  path = test_folder;
  if (!TestHasDicom()) skip();
  spec.n_path = 1;
  spec.path = &path;
  assert_int_equal(CaseImportDicom(&spec, table, mistakes, &patient), 0);
  assert_true((patient == NULL) == MistakesAny(mistakes));
  return patient;
}

/* The same, which must be taken. */
static Case *Taken(DicomImportSpec spec, const char *told)
{
  Mistakes mistakes = {0};
  Text table = {0};
  Case *patient = Import(spec, &mistakes, &table);
  if (!patient) fail_msg("%s", MistakesFirst(&mistakes));
  if (told && !strstr(table.data, told)) fail_msg("\"%s\" is not told in: %s", told, table.data);
  assert_int_equal(TextDestroy(&table), 0);
  return patient;
}

/* The same, which must be refused with a line that holds a text. */
static void Refused(DicomImportSpec spec, const char *why)
{
  Mistakes mistakes = {0};
  Text table = {0};
  Case *patient = Import(spec, &mistakes, &table);
  if (patient) fail_msg("taken: %s", table.data);
  if (!strstr(MistakesFirst(&mistakes), why)) fail_msg("\"%s\" is not in: %s", why, MistakesFirst(&mistakes));
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesClear(&mistakes), 0);
  assert_int_equal(TextDestroy(&table), 0);
}

/* Every voxel has the HU of its place. */
static void CheckHU(const Case *patient)
{
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    double x[3];
    GridCentre(&patient->ct, v, x);
    if (patient->hu[v] != lround(TestHU(x))) fail_msg("%d HU at (%g, %g, %g) mm", patient->hu[v], x[0], x[1], x[2]);
  }
}

static void CheckStructure(const Case *patient, const char *name, Role role, size_t voxels)
{
  const PetscInt s = CaseFindStructure(patient, name);
  size_t n = 0;
  if (s < 0) fail_msg("no structure %s", name);
  for (size_t v = 0; v < GridSize(&patient->ct); v++) n += patient->structures[s].mask[v];
  assert_int_equal(patient->structures[s].role, role);
  assert_int_equal(n, voxels);
}

/* All signs and orders of the axes come out along +x, +y, +z, whatever the files' names, numbers and thickness say. */
static void TestAxes(void **state)
{
  if (!TestHasDicom()) skip();
  static const double e[6][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {-1, 0, 0}, {0, -1, 0}, {0, 0, -1}};
  static const char *const positions[] = {"HFS", "HFP", "FFS", "FFP"};
  int turn = 0;
  for (int a = 0; a < 6; a++)
    for (int b = 0; b < 6; b++) {
      if (a % 3 == b % 3) continue;
      const int c = 3 - a % 3 - b % 3 + (turn % 2 ? 3 : 0);
      TestSeries s = {
          .n = 4, .origin = {-3, 1, 8}, .intercept = -1000, .is_signed = true, .position = positions[turn % 4]};
      s.spacing[0] = 1;
      s.spacing[1] = 2;
      memcpy(s.direction, e[a], sizeof e[a]);
      memcpy(s.direction + 3, e[b], sizeof e[b]);
      for (int k = 0; k < 3; k++) s.step[k] = 3 * e[c][k];
      TestClear();
      TestWriteSeries(s);
      Case *patient = Taken((DicomImportSpec){0}, NULL);
      CheckHU(patient);
      assert_true(patient->ct.spacing_mm[a % 3] == 1 && patient->ct.n[a % 3] == COLUMNS);
      assert_true(patient->ct.spacing_mm[b % 3] == 2 && patient->ct.n[b % 3] == ROWS);
      assert_true(patient->ct.spacing_mm[c % 3] == 3 && patient->ct.n[c % 3] == 4);
      assert_int_equal(patient->position, turn % 4);
      assert_int_equal(CaseDestroy(&patient), 0);
      turn++;
    }
  TestClear();
  TestWriteSeries((TestSeries){.n = 3, .position = "SITTING"});
  Refused((DicomImportSpec){0}, "PatientPosition is SITTING, expected HFS, HFP, FFS, FFP, HFDR, HFDL, FFDR or FFDL");
}

/*
 * One object that a scanner takes in every position, its rows along the room's x (from the left, seen from the feet), its columns
 * down: the same case, the position apart. In the patient those are, for each position:
 */
static void TestPositions(void **state)
{
  if (!TestHasDicom()) skip();
  static const struct {
    const char *name;
    double right[3], down[3], inwards; /* of the room, in the patient; where the table moves the slices to, along z */
  } lies[] = {{"HFS", {1, 0, 0}, {0, 1, 0}, 1},     {"HFP", {-1, 0, 0}, {0, -1, 0}, 1},
              {"FFS", {-1, 0, 0}, {0, 1, 0}, -1},   {"FFP", {1, 0, 0}, {0, -1, 0}, -1},
              {"HFDR", {0, 1, 0}, {-1, 0, 0}, 1},   {"HFDL", {0, -1, 0}, {1, 0, 0}, 1},
              {"FFDR", {0, -1, 0}, {-1, 0, 0}, -1}, {"FFDL", {0, 1, 0}, {1, 0, 0}, -1}};
  const TestROI roi = {"GTV", "GTV", NULL, 1, 3, {-2, -2}, {2, 0}, {-2, 0, 2}, NULL};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(lies); i++) {
    TestSeries s = {.n = 5, .intercept = -1000, .is_signed = true, .spacing = {2, 2}, .position = lies[i].name};
    for (int k = 0; k < 3; k++) {
      s.direction[k] = lies[i].right[k];
      s.direction[3 + k] = lies[i].down[k];
      s.origin[k] = k < 2 ? -5 * (lies[i].right[k] + lies[i].down[k]) : 2 - 4 * lies[i].inwards;
    }
    s.step[2] = 2 * lies[i].inwards;
    TestClear();
    TestWriteSeries(s);
    TestWriteSet("set.dcm", "2.25.6", "2.25.100", 1, &roi);
    Case *patient = Taken((DicomImportSpec){0}, NULL);
    CheckHU(patient);
    CheckStructure(patient, "GTV", ROLE_TARGET, 6);
    const Structure *gtv = &patient->structures[CaseFindStructure(patient, "GTV")];
    for (size_t v = 0; v < GridSize(&patient->ct); v++) {
      double x[3];
      GridCentre(&patient->ct, v, x);
      assert_int_equal(gtv->mask[v], fabs(x[0]) == 1 && x[1] == -1 && fabs(x[2]) <= 2);
    }
    assert_string_equal(patient_position_names[patient->position], lies[i].name);
    assert_int_equal(CaseDestroy(&patient), 0);
  }
}

/* Slices that are stored in other ways are the same. */
static void TestStorage(void **state)
{
  if (!TestHasDicom()) skip();
  static const char *const syntaxes[] = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2",
                                         "1.2.840.10008.1.2.1.99"};
  for (int i = 0; i < 8; i++) {
    TestSeries s = {
        .n = 3, .is_signed = i % 2, .intercept = i % 2 ? 500 : -1000, .padded = true, .syntax = syntaxes[i / 2]};
    s.origin[2] = 1;
    TestClear();
    TestWriteSeries(s);
    Case *patient = Taken((DicomImportSpec){0}, "3 pixels of padding");
    assert_int_equal(patient->hu[0], -1000);
    for (PetscInt k = 0; k < 3; k++) patient->hu[k * ROWS * COLUMNS] = (short)(300 * (1 + 2 * k));
    CheckHU(patient);
    assert_int_equal(CaseDestroy(&patient), 0);
  }
}

/* What is below every CT number is air. */
static void TestLow(void **state)
{
  if (!TestHasDicom()) skip();
  TestClear();
  TestWriteSeries((TestSeries){.n = 2, .is_signed = true, .extra = -1130});
  Case *patient = Taken((DicomImportSpec){0}, "voxels below -1024 HU: made air");
  assert_int_equal(patient->hu[0], -1000);
  assert_int_equal(patient->hu[2 * ROWS * COLUMNS - 1], lround(7.5 + 200 + 600 - 1130));
  assert_int_equal(CaseDestroy(&patient), 0);
}

/* Uneven slices are told and refused, or interpolated onto the smallest gap. */
static void TestGaps(void **state)
{
  if (!TestHasDicom()) skip();
  TestSeries first = {.n = 3, .intercept = -1000}, second = {.n = 3, .intercept = -1000, .first_number = 10};
  second.origin[2] = 8; /* 4 mm after the last one */
  TestClear();
  TestWriteSeries(first);
  TestWriteSeries(second);
  Refused((DicomImportSpec){0}, "slices are 2 mm apart, but 4 mm between z = 4.00 and 8.00 mm");
  Case *patient = Taken((DicomImportSpec){.resample = PETSC_TRUE}, "4 mm between");
  assert_int_equal(patient->ct.n[2], 7);
  CheckHU(patient);
  assert_int_equal(CaseDestroy(&patient), 0);
  second.origin[2] = 6.015; /* within 1 % */
  TestWriteSeries(second);
  patient = Taken((DicomImportSpec){0}, NULL);
  assert_int_equal(patient->ct.n[2], 6);
  assert_int_equal(CaseDestroy(&patient), 0);
  second.origin[2] = 6.05;
  TestWriteSeries(second);
  Refused((DicomImportSpec){0}, "slices are 2 mm apart, but 2.05 mm between");
}

/* A slice that is there twice: equal ones count once, others are refused. */
static void TestTwice(void **state)
{
  if (!TestHasDicom()) skip();
  TestSeries twin = {.n = 1, .first_number = 50, .intercept = -1000};
  TestClear();
  TestWriteSeries((TestSeries){.n = 4, .intercept = -1000});
  TestWriteSeries(twin);
  Case *patient = Taken((DicomImportSpec){0}, "1 slices are there twice");
  assert_int_equal(patient->ct.n[2], 4);
  CheckHU(patient);
  assert_int_equal(CaseDestroy(&patient), 0);
  twin.extra = 1;
  TestWriteSeries(twin);
  Refused((DicomImportSpec){0}, "they differ by their pixels alone");
}

/* A tilted gantry: the grid is straight, each voxel's value is one of half a gap away at most. */
static void TestTilt(void **state)
{
  if (!TestHasDicom()) skip();
  const double tilt = 0.3;
  TestSeries s = {.n = 6, .direction = {1, 0, 0, 0, cos(tilt), -sin(tilt)}, .intercept = -1000};
  TestClear();
  TestWriteSeries(s);
  Case *patient = Taken((DicomImportSpec){0}, "gantry tilt");
  size_t n = 0;
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    double x[3];
    GridCentre(&patient->ct, v, x);
    if (patient->hu[v] == -1000) continue;
    n++;
    assert_true(fabs(patient->hu[v] - TestHU(x)) <= 300 * 1.0 + 1);
  }
  assert_int_equal(n, 6 * ROWS * COLUMNS);
  assert_true(fabs(patient->ct.spacing_mm[1] - 2.5 * cos(tilt)) < 1e-6 && fabs(patient->ct.spacing_mm[2] - 2) < 1e-6);
  assert_int_equal(CaseDestroy(&patient), 0);
  s.direction[0] = cos(0.1);
  s.direction[1] = sin(0.1);
  s.direction[3] = -sin(0.1);
  s.direction[4] = cos(0.1);
  s.direction[5] = 0;
  TestClear();
  TestWriteSeries(s);
  Refused((DicomImportSpec){0}, "rows run along (0.995, 0.100, 0.000)");
  patient = Taken((DicomImportSpec){.resample = PETSC_TRUE}, "askew");
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    double x[3];
    GridCentre(&patient->ct, v, x);
    if (patient->hu[v] != -1000) assert_true(fabs(patient->hu[v] - TestHU(x)) <= 1);
  }
  assert_int_equal(CaseDestroy(&patient), 0);
}

static const TestROI rois[] = {
    {"GTV", "GTV", NULL, 7, 2, {0.7, 1.2}, {3.1, 5.1}, {2, 4}, NULL},
    {"organ/left", "ORGAN", NULL, 3, 1, {2.9, 4.9}, {20, 20}, {0}, NULL},
    {"organ/left", "", NULL, 12, 1, {-0.1, -0.1}, {0.1, 0.1}, {0}, NULL},
    {"Skin", "", NULL, 1, 3, {-1, -1}, {8, 11}, {0, 2, 4}, NULL},
    {"wire", "AVOIDANCE", "OPEN_PLANAR", 20, 1, {0, 0}, {3, 3}, {2}, NULL},
    {"elsewhere", "ORGAN", NULL, 21, 1, {0, 0}, {3, 3}, {2}, "2.25.999"},
};

/* Structures are joined by number, named, given roles and drawn; what is no volume of the CT is left out. */
static void TestStructures(void **state)
{
  if (!TestHasDicom()) skip();
  static const char *const target[] = {"organ_left #2"}, *const role[] = {"GTV=oar"}, *const wrong[] = {"GTVX"},
                           *const elsewhere[] = {"elsewhere"};
  TestClear();
  TestWriteSeries((TestSeries){.n = 4, .intercept = -1000});
  TestWriteSet("set.dcm", "2.25.6", NULL, 6, rois);
  Case *patient = Taken((DicomImportSpec){0}, "elsewhere                left out: drawn in another frame of reference");
  assert_int_equal(patient->n_structures, 4);
  CheckStructure(patient, "GTV", ROLE_TARGET, 2 * 2 * 2); /* x 1.5, 3; y 2.5, 5; z 2, 4 */
  CheckStructure(patient, "organ_left", ROLE_OAR, 4 * 3); /* x 3 to 7.5; y 5 to 10 */
  CheckStructure(patient, "organ_left #2", ROLE_OAR, 1);
  CheckStructure(patient, "Skin", ROLE_EXTERNAL, 3 * ROWS * COLUMNS);
  assert_string_equal(DicomOriginFind(patient->dicom, "organ_left")->roi_name, "organ/left");
  assert_int_equal(DicomOriginFind(patient->dicom, "organ_left")->roi_number, 3);
  assert_int_equal(patient->dicom->n_slices, 4);
  assert_string_equal(patient->dicom->sop_instance_uid[3], "2.25.100.3");
  assert_true(patient->dicom->slice_z_mm[3] == 6);
  assert_int_equal(CaseDestroy(&patient), 0);
  patient = Taken(
      (DicomImportSpec){.n_target = 1, .target = target, .n_role = 1, .role = role, .external = "organ_left"}, NULL);
  CheckStructure(patient, "GTV", ROLE_OAR, 8);
  CheckStructure(patient, "organ_left #2", ROLE_TARGET, 1);
  CheckStructure(patient, "organ_left", ROLE_EXTERNAL, 12);
  CheckStructure(patient, "Skin", ROLE_OAR, 3 * ROWS * COLUMNS);
  assert_int_equal(CaseDestroy(&patient), 0);
  Refused((DicomImportSpec){.n_target = 1, .target = wrong}, "no structure GTVX found, did you mean GTV?");
  Refused((DicomImportSpec){.n_role = 1, .role = wrong}, "option --role is GTVX");
  Refused((DicomImportSpec){.n_target = 1, .target = elsewhere},
          "option --target: structure elsewhere is left out: drawn in another frame of reference");
  Refused((DicomImportSpec){.external = "elsewhere"},
          "option --external: structure elsewhere is left out: drawn in another");
}

/* A target of which contours are left out is warned of; an organ has it in its row. */
static void TestLostContours(void **state)
{
  if (!TestHasDicom()) skip();
  static const TestROI lost[] = {{"GTV", "GTV", NULL, 7, 3, {0.7, 1.2}, {3.1, 5.1}, {2, 4, 200}, NULL},
                                 {"organ", "ORGAN", NULL, 8, 3, {0.7, 1.2}, {3.1, 5.1}, {2, 4, 200}, NULL}};
  Mistakes mistakes = {0};
  Text table = {0};
  TestClear();
  TestWriteSeries((TestSeries){.n = 4, .intercept = -1000});
  TestWriteSet("set.dcm", "2.25.6", NULL, 2, lost);
  Case *patient = Import((DicomImportSpec){0}, &mistakes, &table);
  assert_non_null(patient);
  CheckStructure(patient, "GTV", ROLE_TARGET, 8);
  assert_non_null(strstr(table.data, "warning: the target GTV lacks 1 of its 3 contours: it may be too small"));
  assert_null(strstr(table.data, "organ lacks"));
  assert_int_equal(TextDestroy(&table) || CaseDestroy(&patient), 0);
  DicomFile file;
  char message[DICOM_MESSAGE];
  assert_true(DicomOpen(TestPath("set.dcm"), &file, message));
  DicomItem drawn = DicomItemAt(DicomSet(file), DICOM(0x3006, 0x0039), 1);
  DicomPutString(DicomItemAt(drawn, DICOM(0x3006, 0x0040), 0), DICOM(0x3006, 0x0050), "1\\2\\3\\4\\5\\6\\7");
  TestWrite(file, NULL, "set.dcm");
  patient = Import((DicomImportSpec){0}, &mistakes, &table);
  assert_non_null(strstr(table.data, "1 whose coordinates are no numbers in threes left out"));
  assert_non_null(strstr(table.data, "warning: the target GTV lacks 2 of its 3 contours: it may be too small"));
  assert_int_equal(TextDestroy(&table) || CaseDestroy(&patient), 0);
}

/* Slices that run the other way, and leaning ones, take the same structures. */
static void TestStructuresTurned(void **state)
{
  if (!TestHasDicom()) skip();
  TestSeries s = {
      .n = 4, .origin = {7.5, 0, 6}, .direction = {-1, 0, 0, 0, 1, 0}, .step = {0, 0, -2}, .intercept = -1000};
  TestClear();
  TestWriteSeries(s);
  TestWriteSet("set.dcm", "2.25.6", NULL, 4, rois);
  Case *patient = Taken((DicomImportSpec){0}, NULL);
  CheckHU(patient);
  CheckStructure(patient, "GTV", ROLE_TARGET, 8);
  CheckStructure(patient, "organ_left", ROLE_OAR, 12);
  assert_string_equal(patient->dicom->sop_instance_uid[3], "2.25.100.0"); /* ascending z */
  assert_int_equal(CaseDestroy(&patient), 0);
}

/* Of several series the one is taken that the structures were drawn on; localizers never; else the user is asked. */
static void TestChoice(void **state)
{
  if (!TestHasDicom()) skip();
  TestSeries one = {.n = 3, .series = "2.25.100", .intercept = -1000}, two = {.n = 4, .series = "2.25.200"};
  two.first_number = 20;
  two.intercept = -1000;
  TestClear();
  TestWriteSeries(one);
  TestWriteSeries((TestSeries){.n = 1, .first_number = 40, .image_type = "ORIGINAL\\PRIMARY\\LOCALIZER"});
  TestWriteSeries((TestSeries){.n = 2, .first_number = 60, .series = "2.25.300", .modality = "PT"});
  FILE *text = fopen(TestPath("readme.txt"), "w");
  fprintf(text, "no DICOM\n");
  fclose(text);
  Case *patient = Taken((DicomImportSpec){0}, "readme.txt: is no DICOM file");
  assert_int_equal(patient->ct.n[2], 3);
  assert_int_equal(CaseDestroy(&patient), 0);
  TestWriteSeries(two);
  Refused((DicomImportSpec){0},
          "more than one CT series fits, expected option --series with a number of the table: 1, 2");
  Refused((DicomImportSpec){.series = "3"}, "option --series is 3, expected the number of a CT series");
  patient = Taken((DicomImportSpec){.series = "2.25.200"}, "not taken: another one is asked for (--series)");
  assert_int_equal(patient->ct.n[2], 4);
  assert_int_equal(CaseDestroy(&patient), 0);
  TestWriteSet("set.dcm", "2.25.6", "2.25.200", 1, rois);
  patient = Taken((DicomImportSpec){0}, NULL);
  assert_int_equal(patient->ct.n[2], 4);
  assert_int_equal(CaseDestroy(&patient), 0);
  two.frame = "2.25.7"; /* another frame of reference, which alone the set shares */
  TestWriteSeries(two);
  TestWriteSet("set.dcm", "2.25.7", "2.25.12345", 1, rois);
  patient = Taken((DicomImportSpec){0}, NULL);
  assert_int_equal(patient->ct.n[2], 4);
  assert_int_equal(CaseDestroy(&patient), 0);
}

static void WriteText(const char *name, const char *text)
{
  FILE *out = fopen(TestPath(name), "w");
  assert_true(out && fputs(text, out) >= 0 && !fclose(out));
}

/* The table of the scanner: the one that names most of it, none of another, and it goes with the case. */
static void TestScanner(void **state)
{
  if (!TestHasDicom()) skip();
  Mistakes mistakes = {0};
  Case *patient, *read;
  const DicomImportSpec spec = {.hlut = test_folder};
  TestClear();
  TestWriteSeries((TestSeries){.n = 4, .intercept = -1000});
  patient = Taken(spec, "warning: no table of stopping powers for acme_ct9000_120_br40.csv");
  assert_int_equal(patient->hlut.n, 0);
  assert_int_equal(CaseDestroy(&patient), 0);
  WriteText("any_any_any_any.csv", "HU,RSP\n-1000,0\n0,1\n");
  WriteText("Acme_any_120_any.csv", "HU,RSP\n-1000,0.001\n0,1\n3000,2.5\n");
  WriteText("Acme_CT 9000_140_Br40.csv", "HU,RSP\n-1000,0\n0,5\n");
  patient = Taken(spec, "stopping powers by Acme_any_120_any.csv");
  assert_int_equal(patient->hlut.n, 3);
  assert_int_equal(CaseWrite(patient, TestPath("case.h5"), &mistakes), 0);
  assert_int_equal(CaseLoad(TestPath("case.h5"), &mistakes, &read), 0);
  assert_non_null(read);
  assert_true(read->hlut.n == 3 && read->hlut.point[2][0] == 3000 && read->hlut.point[2][1] == 2.5);
  assert_int_equal(CaseDestroy(&patient), 0);
  assert_int_equal(CaseDestroy(&read), 0);
  unlink(TestPath("case.h5"));
  WriteText("Acme_CT 9000_120_Br40.csv", "HU,RSP\n-1000,0\n0,1\n0,2\n");
  Refused(spec, "row 3 is 0,2, expected ascending HU");
}

/* A dose on a grid of its own becomes a map, whatever its frames are counted from; of another frame of reference it is refused. */
static void TestDose(void **state)
{
  if (!TestHasDicom()) skip();
  static const char *const dose[] = {"2.25.88"}, *const wrong[] = {"9"};
  static const char *const frames[] = {"2.25.6", "2.25.6", "2.25.7"};
  for (int way = 0; way < 3; way++) {
    TestSeries s = TestComplete((TestSeries){.n = 4, .intercept = -1000, .origin = {0, 0, 1}});
    uint16_t pixel[4 * ROWS * COLUMNS];
    double offset[4];
    TestClear();
    TestWriteSeries(s);
    DicomFile file = TestSlice(&s, 0);
    DicomItem set = DicomSet(file);
    DicomPutString(set, DICOM(0x0008, 0x0016), DOSE_CLASS);
    DicomPutString(set, DICOM(0x0008, 0x0018), "2.25.88");
    DicomPutString(set, DICOM(0x0020, 0x0052), frames[way]);
    DicomPutString(set, DICOM(0x3004, 0x0002), "GY");
    DicomPutString(set, DICOM(0x3004, 0x0004), "EFFECTIVE");
    DicomPutString(set, DICOM(0x3004, 0x000a), "PLAN");
    DicomPutDouble(set, DICOM(0x3004, 0x000e), 0.01);
    DicomPutInteger(set, DICOM(0x0028, 0x0008), 4);
    for (int v = 0; v < 4 * ROWS * COLUMNS; v++) {
      double x[3];
      offset[v / (ROWS * COLUMNS)] = 4 * (v / (ROWS * COLUMNS)) + (way ? 1 : 0); /* from 0, or places along z */
      TestPlace(&s, v % COLUMNS, v / COLUMNS % ROWS, 2 * (v / (ROWS * COLUMNS)), x);
      pixel[v] = (uint16_t)lround(TestHU(x));
    }
    DicomPutDoubles(set, DICOM(0x3004, 0x000c), 4, offset);
    DicomPutPixels16(set, 4 * ROWS * COLUMNS, pixel);
    TestWrite(file, NULL, "dose.dcm");
    if (way == 2) {
      Refused((DicomImportSpec){.n_dose = 1, .dose = dose}, "the dose is of another frame of reference");
      Refused((DicomImportSpec){.n_dose = 1, .dose = wrong}, "option --dose is 9");
      continue;
    }
    Case *patient = Taken((DicomImportSpec){.n_dose = 1, .dose = dose}, "EFFECTIVE, PLAN");
    assert_int_equal(patient->n_maps, 1);
    assert_string_equal(patient->maps[0].unit, "Gy(RBE)");
    for (size_t v = 0; v < GridSize(&patient->ct); v++) {
      double x[3];
      GridCentre(&patient->ct, v, x);
      assert_true(fabs((double)patient->maps[0].value[v] - 0.01 * TestHU(x)) < 0.011); /* half numbers are rounded */
    }
    assert_int_equal(CaseDestroy(&patient), 0);
  }
}

/* What a clinic's folder may have wrong: one clear line each. */
static void TestWrong(void **state)
{
  if (!TestHasDicom()) skip();
  static const struct {
    DicomTag tag;
    const char *value; /* in the second slice, or in all */
    bool all;
    const char *why;
  } wrong[] = {
      {DICOM(0x0028, 0x0030), "", true,
       "no CT found that can be taken: does not say where its pixels are: no PixelSpacing"},
      {DICOM(0x0020, 0x0032), "", true, "where its pixels are: no ImagePositionPatient"},
      {DICOM(0x0020, 0x0037), "", true, "where its pixels are: no ImageOrientationPatient"},
      {DICOM(0x0028, 0x0030), "", false, "a slice is missing, or option --resample"},
      {DICOM(0x0010, 0x0020), "SOMEBODY", false, "has another PatientID than other slices of its series"},
      {DICOM(0x0028, 0x1053), "0", true, "RescaleSlope is 0, expected another number"},
      {DICOM(0x0008, 0x0008), "ORIGINAL\\PRIMARY\\LOCALIZER", true, "no CT found that can be taken: localizer"}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(wrong); i++) {
    const TestSeries s = TestComplete((TestSeries){.n = 5, .intercept = -1000});
    TestClear();
    for (int k = 0; k < s.n; k++) {
      char name[16];
      DicomFile file = TestSlice(&s, k);
      if (wrong[i].all || k == 1) DicomPutString(DicomSet(file), wrong[i].tag, wrong[i].value);
      snprintf(name, sizeof name, "%d.dcm", k);
      TestWrite(file, NULL, name);
    }
    Refused((DicomImportSpec){0}, wrong[i].why);
  }
}

/* A structure set of somebody else, of another series, of another frame of reference. */
static void TestStrangers(void **state)
{
  if (!TestHasDicom()) skip();
  const TestROI roi = {"GTV", "GTV", NULL, 1, 3, {1, 1}, {5, 5}, {0, 2, 4}, NULL};
  DicomFile file;
  char message[DICOM_MESSAGE];
  TestClear();
  TestWriteSeries((TestSeries){.n = 4, .intercept = -1000});
  TestWriteSet("set.dcm", "2.25.6", "2.25.999", 1, &roi);
  Case *patient =
      Taken((DicomImportSpec){0}, "taken: drawn on another series than the CT, placed by its frame of reference");
  assert_int_equal(CaseDestroy(&patient), 0);
  assert_true(DicomOpen(TestPath("set.dcm"), &file, message));
  DicomPutString(DicomSet(file), DICOM(0x0010, 0x0020), "SOMEBODY");
  TestWrite(file, NULL, "set.dcm");
  patient = Taken((DicomImportSpec){0}, "taken: warning: of another PatientID than the CT");
  assert_int_equal(CaseDestroy(&patient), 0);
  TestWriteSet("set.dcm", "2.25.66", "2.25.999", 1, &roi);
  patient = Taken((DicomImportSpec){0}, "not taken: of another frame of reference than the CT");
  assert_int_equal(CaseDestroy(&patient), 0);
}

static bool Holds(const char *file, const char *text)
{
  char *content;
  size_t length;
  Mistakes mistakes = {0};
  assert_true(FileRead(file, &content, &length, &mistakes));
  const bool holds = memmem(content, length, text, strlen(text)) != NULL;
  assert_int_equal(PetscFree(content), 0);
  return holds;
}

/* A case file tells nobody whose it is, and its ID only where that was asked for; it loads as it was. */
static void TestPrivacy(void **state)
{
  if (!TestHasDicom()) skip();
  TestClear();
  TestWriteSeries((TestSeries){.n = 4, .intercept = -1000});
  for (int keep = 0; keep < 2; keep++) {
    Mistakes mistakes = {0};
    Case *patient = Taken((DicomImportSpec){.keep_patient_id = keep ? PETSC_TRUE : PETSC_FALSE}, "derived-external"),
         *read;
    assert_int_equal(CaseWrite(patient, TestPath("case.h5"), &mistakes), 0);
    assert_int_equal(CaseLoad(TestPath("case.h5"), &mistakes, &read), 0);
    assert_non_null(read);
    assert_memory_equal(read->hu, patient->hu, GridSize(&read->ct) * sizeof *read->hu);
    assert_false(Holds(TestPath("case.h5"), "Secret") || Holds(TestPath("case.h5"), "19700101"));
    assert_false(Holds(TestPath("case.h5"), test_folder));
    assert_int_equal(Holds(TestPath("case.h5"), "SECRET-ID"), keep);
    assert_int_equal(CaseDestroy(&patient), 0);
    assert_int_equal(CaseDestroy(&read), 0);
    unlink(TestPath("case.h5"));
  }
}

static int Begin(void **state)
{
  return !mkdtemp(test_folder);
}

static int End(void **state)
{
  TestClear();
  return rmdir(test_folder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(TestAxes),         cmocka_unit_test(TestPositions),
                                     cmocka_unit_test(TestStorage),      cmocka_unit_test(TestLow),
                                     cmocka_unit_test(TestGaps),         cmocka_unit_test(TestTwice),
                                     cmocka_unit_test(TestTilt),         cmocka_unit_test(TestStructures),
                                     cmocka_unit_test(TestLostContours), cmocka_unit_test(TestStructuresTurned),
                                     cmocka_unit_test(TestChoice),       cmocka_unit_test(TestPrivacy),
                                     cmocka_unit_test(TestWrong),        cmocka_unit_test(TestStrangers),
                                     cmocka_unit_test(TestScanner),      cmocka_unit_test(TestDose)};
  return cmocka_run_group_tests(tests, Begin, End);
}
