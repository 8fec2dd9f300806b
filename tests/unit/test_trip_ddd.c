/* Depth doses of TRiP98: files, machines made of them, and files made of machines. */
#include "test_trip.h"

#define HEAD "!filetype    ddd\n!projectile 12C\n# comment\n!material H2O\n!density 1\n!energy 200.5\n"
#define FWHM_PER_SIGMA 2.3548200450309493

READER(ReadOne, TripDepthDose)

static void Read(const char *text, TripDepthDose *out)
{
  Mistakes mistakes = {0};
  WriteBytes(file, text, strlen(text));
  assert_int_equal(TripDepthDoseRead(file, &mistakes, out), 0);
  assert_none(&mistakes);
}

static void GoodFiles(void **state)
{
  TripDepthDose d;
  Read(HEAD "!ddd\n0 158.5 .1 0.25 0.5\r\n\n 1e1\t1.7e-3 0.2 0 1\n", &d);
  assert_true(d.n == 2 && d.lateral && d.species.Z == 6 && d.species.A == 12);
  assert_string_equal(d.material, "H2O");
  assert_double_near(d.energy_MeV_u, 200.5, 0);
  assert_double_near(d.depth[1].z_g_cm2, 10, 0);
  assert_double_near(d.depth[1].dose_MeV_cm2_g, 1.7e-3, 0);
  assert_double_near(d.depth[0].factor, 0.25, 0);
  assert_int_equal(TripDepthDoseDestroy(&d), 0);
  Read(HEAD "# z FWHM1[mm] factor FWHM2[mm]\n!ddd\n0 1 3 0 4\n1 1 5 0 4\n", &d);
  assert_double_near(d.depth[1].fwhm1_g_cm2, 0.5, 1e-15);
  assert_int_equal(TripDepthDoseDestroy(&d), 0);
  /* only a comment names the columns; names lose blanks and control characters at their ends */
  Read("!projectile 12C\n!material FWHM1[mm]\2 \3\n!energy 90\n!ddd\n0 1 3 0 4\n1 1 5 0 4\n", &d);
  assert_double_near(d.depth[1].fwhm1_g_cm2, 5, 0);
  assert_string_equal(d.material, "FWHM1[mm]");
  assert_int_equal(TripDepthDoseDestroy(&d), 0);
  Read(HEAD "!ddd\n0 1 0.3\n1 1 0.5\n", &d);
  assert_true(d.lateral && d.depth[1].fwhm1_g_cm2 == 0.5 && d.depth[1].factor == 0);
  assert_int_equal(TripDepthDoseDestroy(&d), 0);
  Read("!projectile C\n!energy 90\n!ddd\n0 1\n1 1\n", &d);
  assert_true(!d.lateral && d.species.A == 12);
  assert_int_equal(TripDepthDoseDestroy(&d), 0);
}

static void BadFiles(void **state)
{
  Refuse(ReadOne, "", ":1: the file ends without the line !ddd");
  Refuse(ReadOne, HEAD "!ddd\n0 1\n1 nan\n", ":9: dose is \"nan\"");
  Refuse(ReadOne, HEAD "!ddd\n0 1\n1 -2\n", ":9: dose is \"-2\"");
  Refuse(ReadOne, HEAD "!ddd\n0 1\n1 1e999\n", ":9: dose is \"1e999\"");
  Refuse(ReadOne, HEAD "!ddd\n0 1\n1 2 3\n", ":9: 3 numbers found, expected 2");
  Refuse(ReadOne, HEAD "!ddd\n0 1 2 0\n", ":8: 4 numbers found, expected 2, 3 or 5");
  Refuse(ReadOne, HEAD "!ddd\n0 1 1 0 1\n1 2 1 1.5 1\n", ":9: factor is \"1.5\"");
  Refuse(ReadOne, HEAD "!ddd\n1 1\n1 2\n", ":9: depth 1 follows 1");
  Refuse(ReadOne, HEAD "!ddd\n1 1\n2 2 3 0 5 6\n", ":9: \"6\" found, expected the end of the line");
  Refuse(ReadOne, HEAD "!ddd\n1 1\n", ":8: 1 depths found");
  Refuse(ReadOne, "!filetype spc\n", ":1: file type is \"spc\"");
  Refuse(ReadOne, "!projectile Xx\n", ":1: projectile is \"Xx\"");
  Refuse(ReadOne, "!energy 200\n!ddd\n0 1\n1 1\n", ":2: !projectile is missing");
  Refuse(ReadOne, "!projectile 12C\n!energy -4\n", ":2: energy is \"-4\"");
  WriteBytes(file, HEAD "!ddd\n0 1\n\0 1\n", strlen(HEAD) + 14);
  Mistakes mistakes = {0};
  assert_false(ReadOne(file, &mistakes));
  assert_one(&mistakes, ":9: a zero byte");
}

static void Damaged(void **state)
{
  const char *text = HEAD "!ddd\n0 158.5 .1 0.25 0.5\n3.5 160 .1 0.25 0.5\n1e1 1.7e-3 0.2 0 1\n";
  WriteBytes(again, text, strlen(text));
  (void)Damage(ReadOne, again, 1, "/file:");
}

/* Numbers that need all their digits, and a locale with a comma. */
static void ThroughFile(void **state)
{
  TripDepth depth[] = {{0, 1. / 3, 0.1 + 0.2, 1e-17, 5e-324}, {M_PI, 12345678.9, 1e-5, 1, 9007199254740993.}};
  TripDepthDose d = {.energy_MeV_u = 270.55, .density_g_cm3 = 1, .lateral = PETSC_TRUE, .n = 2, .depth = depth}, r;
  Mistakes mistakes = {0};
  snprintf(d.projectile, sizeof d.projectile, "12C");
  depth[1].fwhm2_g_cm2 = 9999.0000000000018;
  PetscBool comma = UseDecimalComma();
  assert_int_equal(TripDepthDoseWrite(&d, file, &mistakes), 0);
  assert_int_equal(TripDepthDoseRead(file, &mistakes, &r), 0);
  setlocale(LC_NUMERIC, "C");
  assert_none(&mistakes);
  assert_true(r.n == 2 && r.energy_MeV_u == 270.55);
  assert_memory_equal(r.depth, depth, sizeof depth);
  assert_int_equal(TripDepthDoseWrite(&r, again, &mistakes), 0);
  assert_same_files(file, again);
  assert_int_equal(TripDepthDoseDestroy(&r), 0);
  if (!comma) print_message("no locale with a decimal comma here: written in the C locale\n");
}

/* Tables of 3 nodes, of 2 that do not begin at 0, and of 2; one with two Gaussians. */
static void ToMachine(void **state)
{
  TripDepth a[] = {{0, 250, 0, 0, 0}, {4, 900, 0.2, 0.25, 1}, {5, 0, 0.3, 0.5, 2}};
  TripDepth b[] = {{0.5, 160, 0, 0, 0}, {9, 0, 0.4, 0, 0}}, c[] = {{0, 190, 0, 0, 0}, {6, 70, 0.4, 0, 0}};
  TripDepthDose dose[] = {
      {.species = {6, 12}, .energy_MeV_u = 200, .lateral = PETSC_TRUE, .n = 2, .depth = b},
      {.species = {6, 12}, .energy_MeV_u = 100, .lateral = PETSC_TRUE, .n = 3, .depth = a},
      {.species = {6, 12}, .energy_MeV_u = 150, .n = 2, .depth = c},
  };
  const TripMachineSpec spec = {.spot_fwhm_mm = 8, .offset_mm = 1.709, .sad_mm = 0};
  Mistakes mistakes = {0};
  Machine *m;
  assert_int_equal(MachineFromTrip(&spec, 3, dose, 0, NULL, "here", &mistakes, &m), 0);
  assert_int_equal(MachineCheck(m, "here", &mistakes), 0);
  assert_none(&mistakes);
  assert_true(m->n_energy == 3 && m->n_depth == 3 && m->n_component == 2 && m->n_species == 0 && m->Z == 6);
  assert_string_equal(m->name, "trip98-12C");
  assert_double_near(m->energy_MeV_u[2], 200, 0);
  assert_double_near(m->spot_sigma_mm[1], 8 / FWHM_PER_SIGMA, 1e-12);
  const double depth[] = {0, 40, 50, 0, 30, 60, 0, 5, 90}, idd[] = {250, 900, 0, 190, 130, 70, 160, 160, 0};
  for (int i = 0; i < 9; i++) {
    assert_double_near(m->depth_mm[i], depth[i], 1e-12);
    assert_double_near(m->idd_Gy_mm2[i] / GY_MM2_PER_MEV_CM2_G, idd[i], 1e-12);
  }
  assert_double_near(m->sigma_mm[1], 2 / FWHM_PER_SIGMA, 1e-12);
  assert_double_near(m->sigma_mm[3 + 1], 10 / FWHM_PER_SIGMA, 1e-12);
  assert_double_near(m->component[1], 0.75, 0);
  assert_double_near(m->component[3 + 1], 0.25, 0);
  assert_double_near(m->r80_mm[0], 42, 1e-9); /* from 900 at 40 mm straight to 0 at 50 mm */
  TripDepthDose back;
  assert_int_equal(MachineToTripDepthDose(m, 0, &back), 0);
  for (int i = 0; i < 3; i++) {
    assert_double_near(back.depth[i].dose_MeV_cm2_g, a[i].dose_MeV_cm2_g, 1e-12);
    assert_double_near(back.depth[i].fwhm2_g_cm2, a[i].fwhm2_g_cm2, 1e-12);
    assert_double_near(back.depth[i].factor, a[i].factor, 1e-15);
  }
  assert_int_equal(TripDepthDoseDestroy(&back), 0);
  const double unit[] = {0.1, 1 / 900.0, GY_MM2_PER_MEV_CM2_G, 12}; /* MeV/mm, of the maximum, Gy mm2, per nucleon */
  for (size_t u = 0; u < PETSC_STATIC_ARRAY_LENGTH(unit); u++) {
    for (int i = 0; i < 9; i++) m->idd_Gy_mm2[i] = GY_MM2_PER_MEV_CM2_G * idd[i] * unit[u];
    assert_int_equal(MachineCheck(m, "here", &mistakes), 0);
    assert_one(&mistakes, "expected the stopping power");
  }
  assert_int_equal(MachineDestroy(&m), 0);
  dose[2].energy_MeV_u = 100;
  assert_int_equal(MachineFromTrip(&spec, 3, dose, 0, NULL, "here", &mistakes, &m), 0);
  assert_null(m);
  assert_one(&mistakes, "here: two depth doses of 100 MeV/u");
  dose[2].species.A = 11;
  assert_int_equal(MachineFromTrip(&spec, 3, dose, 0, NULL, "here", &mistakes, &m), 0);
  assert_one(&mistakes, "expected one");
}

/* A table of carbon as scattering in water makes it, written in one way or another. */
typedef struct Way {
  const char *columns;             /* the line that names them, NULL: none */
  double depth_scale, width_scale; /* of numbers in g/cm2 */
  const char *energy, *more, *eol; /* NULL: 160, none, \n */
  PetscBool below, marked;         /* the line stands below !ddd; the file begins with a byte order mark */
  const char *refused;             /* part of the mistake, or NULL */
} Way;

static void Append(Text *text, const Way *w, const char *line)
{
  assert_int_equal(TextAdd(text, "%s%s", line, w->eol ? w->eol : "\n"), 0);
}

/* Depths up to the range, where all dose is, and one behind. */
static void WriteWay(const Way *w)
{
  const double range_mm = CSDARange_mm(6, 12, 160);
  Text text = {0};
  char line[128];
  if (w->marked) assert_int_equal(TextAdd(&text, "\357\273\277"), 0);
  Append(&text, w, "!filetype ddd");
  Append(&text, w, "!projectile 12C");
  if (w->more) Append(&text, w, w->more);
  snprintf(line, sizeof line, "!energy %s", w->energy ? w->energy : "160");
  Append(&text, w, line);
  if (w->columns && !w->below) Append(&text, w, w->columns);
  Append(&text, w, "!ddd");
  if (w->columns && w->below) Append(&text, w, w->columns);
  for (int i = 0; i <= 21; i++) {
    const double z_mm = range_mm * (i < 21 ? i / 20.0 : 1.01);
    const double fwhm = FWHM_PER_SIGMA * LateralSigma_mm((Species){6, 12}, range_mm, z_mm) / 10 * w->width_scale;
    snprintf(line, sizeof line, "%.12g %d %.12g 0.1 %.12g", z_mm / 10 * w->depth_scale,
             i < 20    ? 186
             : i == 20 ? 930
                       : 0,
             fwhm, 3 * fwhm);
    Append(&text, w, line);
  }
  WriteBytes(file, text.data, text.length);
  assert_int_equal(TextDestroy(&text), 0);
}

#define DOSE "dE/dz[MeV/(g/cm**2)] "
static const char right[] = "# z[g/cm**2] " DOSE "FWHM1[g/cm**2] factor FWHM2[g/cm**2]",
                  right_mm[] = "# z[g/cm**2] " DOSE "FWHM1[mm] factor FWHM2[mm]";

#define WAY(names, depth, width, ...)                                                                                  \
  {                                                                                                                    \
    .columns = (names), .depth_scale = (depth), .width_scale = (width), __VA_ARGS__                                    \
  }

/* Widths and depths are the same however they are written, and what cannot be is refused. */
static void Ways(void **state)
{
  static const Way way[] = {
      WAY(right, 1, 1),
      WAY(right_mm, 1, 10),
      WAY("#z[g/cm**2] " DOSE "FWHM1 [mm] factor FWHM2 [mm]", 1, 10),
      WAY("# z[g/cm**2] " DOSE "fwhm1[mm] factor fwhm2[mm]", 1, 10),
      WAY("# z[g/cm**2] " DOSE "FWHM1(MM) factor FWHM2(MM)", 1, 10),
      WAY("# z[cm] " DOSE "FWHM1[cm] factor FWHM2[cm]", 1, 1),
      WAY("# z[g/cm^2] " DOSE "FWHM1[g/cm^2] factor FWHM2[g/cm^2]", 1, 1),
      WAY("# z[mm] " DOSE "FWHM1[mm] factor FWHM2[mm]", 10, 10),
      WAY("# depth [mm] " DOSE "FWHM1[g/cm2] factor FWHM2[g/cm2]", 10, 1),
      WAY(right, 1, 10),   /* said to be in g/cm2 */
      WAY(right_mm, 1, 1), /* said to be in mm */
      WAY(NULL, 1, 1),
      WAY(NULL, 1, 10),
      WAY(right + 2, 1, 1), /* no comment */
      WAY(right_mm + 2, 1, 10),
      WAY(right + 2, 1, 1, .below = PETSC_TRUE),
      WAY(right_mm, 1, 10, .below = PETSC_TRUE),
      WAY(right_mm, 1, 10, .eol = "\r\n"),
      WAY(right_mm, 1, 10, .eol = "\r"),
      WAY(right_mm + 2, 1, 10, .eol = "\r", .marked = PETSC_TRUE),
      WAY(right, 1, 1, .eol = "\r\n", .marked = PETSC_TRUE),
      WAY(right, 1, 1, .energy = "162"),
      WAY(right, 1, 1, .more = "!density 0.998"),
      WAY(right, 1, 1, .more = "!material Water"),
      WAY(right, 1, 100, .refused = "FWHM1 at the peak is 100 times"),
      WAY(right_mm, 1, 0.1, .refused = "FWHM1 at the peak is 0.01 times"),
      WAY(right, 1, 1, .energy = "170", .refused = "R80 is 59."),
      WAY(right, 1, 1, .energy = "300", .refused = "at 300 MeV/u, expected 172"),
      WAY(right, 1, 1, .energy = "1920", .refused = "are !energy in MeV/u and depths in g/cm2?"),
      WAY(right, 10, 1, .refused = "R80 is 59"), /* not said to be in mm */
      WAY(right, 1, 1, .more = "!density 1.18", .refused = "!density is 1.18 g/cm3, expected that of water, 1"),
      WAY(right, 1, 1, .more = "!material PMMA", .refused = "!material is \"PMMA\", expected H2O"),
      WAY("# z[g/cm**2] " DOSE "FWHM1[inch] factor FWHM2[inch]", 1, 1,
          .refused = "FWHM1 is in \"inch\", expected mm, cm")};
  const TripMachineSpec spec = {.spot_fwhm_mm = 8};
  for (size_t i = 0; i < sizeof way / sizeof *way; i++) {
    Machine *m;
    Mistakes mistakes = {0};
    WriteWay(&way[i]);
    assert_int_equal(MachineReadTrip(file, &spec, &mistakes, &m), 0);
    if (way[i].refused) {
      assert_null(m);
      assert_one(&mistakes, way[i].refused);
      continue;
    }
    assert_none(&mistakes);
    const double range_mm = CSDARange_mm(6, 12, 160);
    for (PetscInt d = 1; d <= 20; d++) {
      const double sigma_mm = LateralSigma_mm((Species){6, 12}, range_mm, range_mm * d / 20.0);
      assert_double_near(m->depth_mm[d] / (range_mm * d / 20.0), 1, 1e-9);
      assert_double_near(m->sigma_mm[d] / sigma_mm, 1, 1e-9);
      assert_double_near(m->sigma_mm[m->n_depth + d] / sigma_mm, 3, 1e-9);
    }
    assert_int_equal(MachineDestroy(&m), 0);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(GoodFiles), cmocka_unit_test(BadFiles),
                                     cmocka_unit_test(Damaged),   cmocka_unit_test(ThroughFile),
                                     cmocka_unit_test(ToMachine), cmocka_unit_test(Ways)};
  return cmocka_run_group_tests(tests, SetUp, TearDown);
}
