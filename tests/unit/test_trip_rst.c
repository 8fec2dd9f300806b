/* Raster-scan plans of TRiP98: two published ones, an own one, wrong ones. */
#include "test_trip.h"

#define HEAD                                                                                                           \
  "rstfile 20030630\nsistable 19981218\npatient_id a b\nmachine# 0\nprojectile 12C\ncharge 6\nmass 12\ngantryangle "   \
  "0\n"                                                                                                                \
  "couchangle -90\nstereotacticcoordinates \nbolus 0\nripplefilter 3 mm RIFI\n"
#define SLICES                                                                                                         \
  "#submachines 2\n#particles 100 300 650.5\nsubmachine# 91 229.76 2 3.7\n#particles 100 250.5 350.5\nstepsize 2 "     \
  "2\n"                                                                                                                \
  "#points 2\n-2 4 100\n0.5 4 250.5\nsubmachine# 94 233.42 1 3.6\n#particles 300 300 300\nstepsize 2 3\n#points 1\n1 " \
  "1 300\n"

READER(ReadOne, TripRaster)

static void Reference(const char *name, char path[PETSC_MAX_PATH_LEN])
{
  const char *reference = getenv("ROBION_REFERENCE");
  snprintf(path, PETSC_MAX_PATH_LEN, "%s/trip98/%s", reference ? reference : "../shared", name);
  if (access(path, R_OK)) skip();
}

static void CarbonPlan(void **state)
{
  char path[PETSC_MAX_PATH_LEN];
  Reference("tst003012.rst", path);
  TripRaster r, s;
  Mistakes mistakes = {0};
  assert_int_equal(TripRasterRead(path, &mistakes, &r), 0);
  assert_none(&mistakes);
  assert_true(r.n == 17 && r.charge == 6 && r.mass == 12 && r.gantry_deg == 0 && r.couch_deg == -90);
  assert_string_equal(r.ripple_filter, "3 mm RIFI");
  assert_double_near(r.slice[0].energy_MeV_u, 229.76, 0);
  assert_double_near(r.slice[16].energy_MeV_u, 283.76, 0);
  double total = 0;
  PetscInt n = 0;
  for (int i = 0; i < 17; i++) {
    assert_true(r.slice[i].step_x_mm == 2 && r.slice[i].step_y_mm == 2 && r.slice[i].n == 779);
    for (PetscInt p = 0; p < r.slice[i].n; p++) total += r.slice[i].point[p].particles;
    n += r.slice[i].n;
  }
  assert_int_equal(n, 13243);
  assert_double_near(total, 1.97079e9, 0.00001e9);
  print_message("17 energies, %d points, %.6g particles, header %.6g\n", (int)n, total, r.total);
  assert_int_equal(TripRasterWrite(&r, file, &mistakes), 0);
  assert_int_equal(TripRasterRead(file, &mistakes, &s), 0);
  assert_int_equal(TripRasterWrite(&s, again, &mistakes), 0);
  assert_none(&mistakes);
  assert_same_files(file, again);
  for (int i = 0; i < 17; i++)
    assert_memory_equal(r.slice[i].point, s.slice[i].point, sizeof *r.slice[i].point * (size_t)r.slice[i].n);
  assert_int_equal(TripRasterDestroy(&r), 0);
  assert_int_equal(TripRasterDestroy(&s), 0);
}

static void ProtonPlan(void **state)
{
  char path[PETSC_MAX_PATH_LEN];
  Reference("tst003001.rst", path);
  SpotList spots;
  Mistakes mistakes = {0};
  assert_int_equal(SpotListReadRaster(path, &mistakes, &spots), 0);
  assert_none(&mistakes);
  double total = 0;
  for (PetscInt i = 0; i < spots.n; i++) total += spots.particles[i];
  assert_double_near(total, 3.57576e10, 1e-5 * 3.57576e10);
  assert_true(spots.beam[spots.n - 1] == 0 && spots.x_mm[0] == 24 && spots.y_mm[0] == 27);
  assert_true(spots.ion.Z == 1 && spots.ion.A == 1 && spots.any_energy);
  assert_double_near(spots.energy_MeV_u[0], 120.2, 0);
  print_message("%d spots, %.6g particles\n", (int)spots.n, total);
  assert_int_equal(SpotListDestroy(&spots), 0);
}

static void OwnPlan(void **state)
{
  TripRaster r;
  SpotList spots;
  Mistakes mistakes = {0};
  WriteBytes(file, HEAD SLICES, strlen(HEAD SLICES));
  assert_int_equal(SpotListReadRaster(file, &mistakes, &spots), 0);
  assert_none(&mistakes);
  assert_int_equal(spots.n, 3);
  assert_double_near(spots.x_mm[1], -4, 0);
  assert_double_near(spots.y_mm[1], 0.5, 0);
  assert_double_near(spots.energy_MeV_u[2], 233.42, 0);
  assert_double_near(spots.spot_fwhm_mm[1], 3.7, 0);
  assert_double_near(spots.spot_fwhm_mm[2], 3.6, 0);
  assert_true(spots.line[1] == 15 && spots.line[2] == 21);
  assert_string_equal(spots.file, file);
  assert_true(spots.n_angles == 1 && spots.angles[0].gantry_deg == 90 && spots.angles[0].couch_deg == 0);
  assert_string_equal(spots.beam_file[0], file);
  assert_int_equal(SpotListDestroy(&spots), 0);
  assert_int_equal(TripRasterRead(file, &mistakes, &r), 0);
  assert_string_equal(r.patient, "a b");
  r.slice[1].point[0].particles = 1. / 3;
  assert_int_equal(TripRasterSum(&r), 0);
  assert_double_near(r.least, 1. / 3, 0);
  assert_double_near(r.total, 350.5 + 1. / 3, 1e-12);
  assert_int_equal(TripRasterWrite(&r, again, &mistakes), 0);
  assert_int_equal(TripRasterDestroy(&r), 0);
  assert_int_equal(TripRasterRead(again, &mistakes, &r), 0);
  assert_none(&mistakes);
  assert_double_near(r.slice[1].point[0].particles, 1. / 3, 0);
  assert_int_equal(r.slice[1].energy_index, 94);
  assert_int_equal(TripRasterDestroy(&r), 0);
}

static void WriteBeam(const char *beams, const char *name, const char *text)
{
  char path[PETSC_MAX_PATH_LEN];
  snprintf(path, sizeof path, "%s/%s", beams, name);
  WriteBytes(path, text, strlen(text));
}

static void ExpectMistake(const char *beams, const char *text)
{
  SpotList spots;
  Mistakes mistakes = {0};
  assert_int_equal(SpotListReadRaster(beams, &mistakes, &spots), 0);
  if (mistakes.n != 1 || !strstr(MistakesFirst(&mistakes), text))
    fail_msg("%d mistakes, first %s, expected %s", (int)mistakes.n, MistakesFirst(&mistakes), text);
  assert_int_equal(MistakesClear(&mistakes) || SpotListDestroy(&spots), 0);
}

/* A folder is a plan of a beam per file, beam_2 before beam_10; parts of the list keep angles and files of their beams. */
static void FolderOfBeams(void **state)
{
  char beams[] = "/tmp/robion-rst-XXXXXX", name[PETSC_MAX_PATH_LEN];
  const char *const turned =
      "rstfile 20030630\nsistable 19981218\npatient_id a b\nmachine# 0\nprojectile 12C\ncharge 6\nmass 12\n"
      "gantryangle 90\ncouchangle -90\nstereotacticcoordinates \nbolus 0\nripplefilter 0\n" SLICES;
  SpotList spots, part;
  PetscInt *entry;
  Mistakes mistakes = {0};
  assert_non_null(mkdtemp(beams));
  ExpectMistake(beams, "no .rst file in this folder");
  WriteBeam(beams, "beam_10.rst", turned);
  WriteBeam(beams, "beam_2.rst", HEAD SLICES);
  WriteBeam(beams, "12C.sis", "no plan");
  assert_int_equal(SpotListReadRaster(beams, &mistakes, &spots), 0);
  assert_none(&mistakes);
  assert_true(spots.n == 6 && spots.n_angles == 2 && spots.n_beam_files == 2);
  assert_true(spots.beam[0] == 0 && spots.beam[2] == 0 && spots.beam[3] == 1 && spots.beam[5] == 1);
  assert_true(spots.angles[0].gantry_deg == 90 && spots.angles[1].gantry_deg == 180);
  snprintf(name, sizeof name, "%s/beam_10.rst", beams);
  assert_string_equal(spots.beam_file[1], name);
  assert_int_equal(SpotListOfBeams(&spots, 1, 1, &part, &entry), 0);
  assert_true(part.n == 3 && part.beam[0] == 0 && part.n_angles == 1 && part.angles[0].gantry_deg == 180);
  assert_string_equal(part.beam_file[0], name);
  assert_int_equal(PetscFree(entry) || SpotListDestroy(&part) || SpotListDestroy(&spots), 0);
  char *other = strdup(turned);
  memcpy(strstr(other, "mass 12"), "mass 11", 7);
  WriteBeam(beams, "beam_10.rst", other);
  ExpectMistake(beams, "beam_10.rst: ions of charge 6 and mass 11, expected 6 and 12");
  free(other);
  WriteBeam(beams, "beam_10.rst", "nothing");
  ExpectMistake(beams, "beam_10.rst");
  const char *const left[] = {"beam_10.rst", "beam_2.rst", "12C.sis"};
  for (int i = 0; i < 3; i++) {
    snprintf(name, sizeof name, "%s/%s", beams, left[i]);
    assert_int_equal(unlink(name), 0);
  }
  assert_int_equal(rmdir(beams), 0);
}

static void WrongPlans(void **state)
{
  Refuse(ReadOne, "", ":1: \"\" found, expected rstfile");
  Refuse(ReadOne, "beam,x_mm\n", ":1: \"beam,x_mm\" found");
  Refuse(ReadOne, HEAD, ":12: the file ends here, expected #submachines");
  Refuse(ReadOne, HEAD "#submachines -1\n", ":13: #submachines is \"-1\"");
  Refuse(ReadOne, HEAD "#submachines 2.5\n", ":13: #submachines is \"2.5\"");
  Refuse(ReadOne, HEAD "#submachines 1\n#particles 1 1 1\nsubmachine# 1 0 1 3\n", ":15: energy is \"0\"");
#define SLICE HEAD "#submachines 1\n#particles 1 1 1\nsubmachine# 1 200 1 3\n#particles 1 1 1\nstepsize 2 2\n"
  Refuse(ReadOne, SLICE "#points 100000000\n0 0 1\n", ":19: the file ends here, 1 points found, expected 100000000");
  Refuse(ReadOne, SLICE "#points 1\n0 inf 1\n", ":19: y is \"inf\"");
  Refuse(ReadOne, SLICE "#points 1\n0 0 -1\n", ":19: particles is \"-1\"");
  Refuse(ReadOne, SLICE "#points 1\n0 0 2\n", ":19: minimum of the particles is 2");
  Refuse(ReadOne, SLICE "#points 1\n0 0 1 7\n", ":19: \"7\" found");
  Refuse(ReadOne, SLICE "#points 1\n0 0 1\n0 0 1\n",
         ":20: \"0 0 1\" found, expected the end of the file after 1 submachines");
  Refuse(ReadOne,
         HEAD
         "#submachines 1\n#particles 1 1 9\nsubmachine# 1 200 1 3\n#particles 1 1 1\nstepsize 2 2\n#points 1\n0 0 1\n",
         ":19: sum of the particles is 1 in");
}

/* Sums of numbers as they were; points as they are written, with two decimals, none, five digits. A wrong sum is still found. */
static void RoundedPoints(void **state)
{
  static const char *const format[] = {"%.2f", "%.0f", "%.4e", "%.10g"};
  const double particles[] = {1234.56789, 98765.4321, 2.345678, 10000000.4};
  char text[2048], line[64];
  for (int f = 0; f < 4; f++)
    for (int wrong = 0; wrong < 2; wrong++) {
      double total = 0;
      for (int i = 0; i < 4; i++) total += particles[i];
      snprintf(text, sizeof text,
               HEAD
               "#submachines 1\n#particles %.10E %.10E %.10E\nsubmachine# 1 200 1 3\n#particles %.10E %.10E %.10E\n"
               "stepsize 2 2\n#points 4\n",
               particles[2], particles[3], total + 4e3 * wrong, particles[2], particles[3], total + 4e3 * wrong);
      for (int i = 0; i < 4; i++) {
        snprintf(line, sizeof line, format[f], particles[i]);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d 0 %s\n", 3 * i, line);
      }
      if (wrong) {
        Refuse(ReadOne, text, "sum of the particles is 1010");
        continue;
      }
      Mistakes mistakes = {0};
      WriteBytes(file, text, strlen(text));
      assert_true(ReadOne(file, &mistakes));
      assert_none(&mistakes);
    }
}

/* A layer without points has no least particles; some files count it as one of 0. */
static void EmptyLayers(void **state)
{
#define FULL "submachine# 1 200 1 3\n#particles 5 7 12\nstepsize 2 2\n#points 2\n0 0 5\n2 0 7\n"
#define EMPTY "submachine# 2 210 1 3\n#particles 0 0 0\nstepsize 2 2\n#points 0\n"
  static const char *const good[] = {HEAD "#submachines 2\n#particles 5 7 12\n" FULL EMPTY,
                                     HEAD "#submachines 2\n#particles 5 7 12\n" EMPTY FULL,
                                     HEAD "#submachines 3\n#particles 0 7 12\n" EMPTY FULL EMPTY};
  Mistakes mistakes = {0};
  SpotList spots;
  for (int i = 0; i < 3; i++) {
    WriteBytes(file, good[i], strlen(good[i]));
    assert_int_equal(SpotListReadRaster(file, &mistakes, &spots), 0);
    assert_none(&mistakes);
    assert_true(spots.n == 2 && spots.particles[0] == 5 && spots.energy_MeV_u[1] == 200);
    assert_int_equal(SpotListDestroy(&spots), 0);
  }
  const char *none = HEAD "#submachines 1\n#particles 0 0 0\n" EMPTY;
  WriteBytes(file, none, strlen(none));
  assert_int_equal(SpotListReadRaster(file, &mistakes, &spots), 0);
  assert_one(&mistakes, "no points, expected at least one");
  Refuse(ReadOne, HEAD "#submachines 1\n#particles 0 7 12\n" FULL, "minimum of the particles is 5");
  Refuse(ReadOne,
         HEAD "#submachines 1\n#particles 0 0 9\nsubmachine# 2 210 1 3\n#particles 0 0 9\nstepsize 2 2\n#points 0\n",
         "sum of the particles is 0");
}

/* Lines ended as on other systems, and a byte order mark. */
static void LineEnds(void **state)
{
  static const char *const end[] = {"\r\n", "\r"};
  for (int kind = 0; kind < 4; kind++) {
    SpotList spots;
    Text text = {0};
    Mistakes mistakes = {0};
    if (kind & 2) assert_int_equal(TextAdd(&text, "\357\273\277"), 0);
    for (const char *c = HEAD SLICES; *c; c++)
      assert_int_equal(*c == '\n' ? TextAdd(&text, "%s", end[kind & 1]) : TextAdd(&text, "%c", *c), 0);
    WriteBytes(file, text.data, text.length);
    assert_int_equal(SpotListReadRaster(file, &mistakes, &spots), 0);
    assert_none(&mistakes);
    assert_true(spots.n == 3 && spots.line[1] == 15 && spots.line[2] == 21 && spots.particles[1] == 250.5);
    assert_int_equal(SpotListDestroy(&spots) || TextDestroy(&text), 0);
  }
}

static void Damaged(void **state)
{
  WriteBytes(again, HEAD SLICES, strlen(HEAD SLICES));
  /* only the last line break may be missing; what follows "1 1 300" cut to "1 1 30" is found by the sums */
  assert_int_equal(Damage(ReadOne, again, 1, "/file:"), 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(CarbonPlan),    cmocka_unit_test(ProtonPlan),  cmocka_unit_test(OwnPlan),
      cmocka_unit_test(FolderOfBeams), cmocka_unit_test(WrongPlans),  cmocka_unit_test(Damaged),
      cmocka_unit_test(RoundedPoints), cmocka_unit_test(EmptyLayers), cmocka_unit_test(LineEnds)};
  return cmocka_run_group_tests(tests, SetUp, TearDown);
}
