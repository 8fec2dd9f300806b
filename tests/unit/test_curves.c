/* Base data as curves: the numbers of the machine under the right names, and only those that it has. */
#include "base_data.h"
#include "machine_case.h"
#include "robion/curves.h"
#include "robion/text.h"
#include <math.h>
#include <string.h>
#include <unistd.h>

enum { MOST_COLUMNS = 40 };
static char file[] = "/tmp/robion-curves-XXXXXX";

typedef struct Table {
  char *text;
  PetscInt n_column, n_row;
  char *name[MOST_COLUMNS];
  double *value; /* [row][MOST_COLUMNS] */
} Table;

static Table ReadBack(void)
{
  Table t = {0};
  Mistakes mistakes = {0};
  size_t length;
  assert_true(FileRead(file, &t.text, &length, &mistakes));
  for (size_t i = 0; i < length; i++) t.n_row += t.text[i] == '\n';
  t.n_row--; /* the header */
  assert_int_equal(PetscCalloc1(t.n_row * MOST_COLUMNS, &t.value), 0);
  char *rest = t.text, *line = strsep(&rest, "\n");
  while ((t.name[t.n_column] = strsep(&line, ","))) assert_true(++t.n_column < MOST_COLUMNS);
  for (PetscInt r = 0; r < t.n_row; r++) {
    PetscInt c = 0;
    line = strsep(&rest, "\n");
    for (char *cell; (cell = strsep(&line, ",")); c++)
      assert_true(TextParseNumber(cell, &t.value[r * MOST_COLUMNS + c]));
    assert_int_equal(c, t.n_column);
  }
  return t;
}

static PetscInt ColumnOf(const Table *t, const char *name)
{
  for (PetscInt c = 0; c < t->n_column; c++)
    if (!strcmp(t->name[c], name)) return c;
  return -1;
}

static double At(const Table *t, PetscInt row, const char *name)
{
  PetscInt c = ColumnOf(t, name);
  if (c < 0) fail_msg("no column %s", name);
  return t->value[row * MOST_COLUMNS + c];
}

static void TableFree(Table *t)
{
  assert_int_equal(PetscFree(t->text) || PetscFree(t->value), 0);
}

static Machine *Build(void)
{
  MachineSpec spec;
  Machine *m;
  const double energy[2] = {110, 120};
  assert_int_equal(MachineSpecDefault(&spec), 0);
  spec.n_energy = 2;
  spec.energy_MeV_u = energy;
  assert_int_equal(BaseData(PETSC_COMM_SELF, &spec, &m), 0);
  return m;
}

static void assert_near(double found, double want)
{
  if (fabs(found - want) > 1e-5 * fabs(want) + 1e-12) fail_msg("found %.8g, expected %.8g", found, want);
}

static void EveryNumber(void **state)
{
  Machine *m = Build();
  Biology *biology;
  BiologySpec spec;
  Mistakes mistakes = {0};
  const PetscInt energy[2] = {1, 0};
  assert_int_equal(BiologySpecPreset("lem1", NULL, &spec), 0);
  assert_int_equal(BiologyCreate(&spec, m, &mistakes, &biology), 0);
  assert_int_equal(CurvesWrite(m, biology, 2, energy, file, &mistakes), 0);
  assert_int_equal(mistakes.n, 0);
  Table t = ReadBack();
  assert_int_equal(t.n_row, 2 * m->n_depth);
  for (PetscInt r = 0; r < t.n_row; r++) {
    const PetscInt e = r < m->n_depth ? 1 : 0, d = r % m->n_depth, node = e * m->n_depth + d;
    double parts = At(&t, r, "idd_recoils_MeV_cm2_g"), alpha = 0, sqrt_beta = 0;
    for (PetscInt Z = 1; Z <= 6; Z++) {
      char name[32];
      snprintf(name, sizeof name, "idd_Z%d_MeV_cm2_g", (int)Z);
      parts += At(&t, r, name);
    }
    for (PetscInt k = 0; k < 3; k++) {
      PetscInt at = (e * 3 + k) * m->n_depth + d;
      alpha += m->component[at] * biology->alpha_per_Gy[at];
      sqrt_beta += m->component[at] * biology->sqrt_beta_per_Gy[at];
    }
    assert_near(At(&t, r, "energy_MeV_u"), m->energy_MeV_u[e]);
    assert_near(At(&t, r, "depth_mm"), m->depth_mm[node]);
    assert_near(At(&t, r, "idd_Gy_mm2"), m->idd_Gy_mm2[node]);
    assert_double_near(parts / At(&t, r, "idd_MeV_cm2_g"), 1, 1e-3); /* shares have 12 bits */
    assert_near(At(&t, r, "letd_keV_um"), m->letd_keV_um[node]);
    assert_near(At(&t, r, "letd_primaries_keV_um"), MachineLETd_keV_um(m, e, d, MACHINE_LET_PRIMARIES));
    assert_near(At(&t, r, "letd_heavy_keV_um"), MachineLETd_keV_um(m, e, d, MACHINE_LET_HEAVY));
    assert_near(At(&t, r, "alpha_per_Gy"), alpha);
    assert_near(At(&t, r, "beta_per_Gy2"), sqrt_beta * sqrt_beta);
    assert_near(At(&t, r, "share_3"), m->component[(e * 3 + 2) * m->n_depth + d]);
    assert_near(At(&t, r, "sigma_2_mm"), m->sigma_mm[(e * 3 + 1) * m->n_depth + d]);
    assert_near(At(&t, r, "stopped_Z6_A11_per_mm"),
                (double)m->emitter_stopped_per_mm[e * m->n_emitter * m->n_depth + d]);
  }
  TableFree(&t);
  assert_int_equal(BiologyDestroy(&biology) || MachineDestroy(&m), 0);
}

/* An imported machine has no spectra and no emitters: no columns that would say 0 of what is not known. */
static void OnlyWhatThereIs(void **state)
{
  Machine *m = Build();
  Mistakes mistakes = {0};
  const PetscInt energy = 0, n_species = m->n_species, n_emitter = m->n_emitter;
  m->n_species = m->n_emitter = 0;
  assert_int_equal(CurvesWrite(m, NULL, 1, &energy, file, &mistakes), 0);
  assert_int_equal(mistakes.n, 0);
  Table t = ReadBack();
  assert_int_equal(t.n_row, m->n_depth);
  static const char *const missing[] = {"idd_Z6_MeV_cm2_g", "idd_recoils_MeV_cm2_g", "letd_heavy_keV_um",
                                        "alpha_per_Gy", "stopped_Z6_A11_per_mm"};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(missing); i++) assert_int_equal(ColumnOf(&t, missing[i]), -1);
  assert_int_equal(t.n_column, 5 + 2 * m->n_component);
  TableFree(&t);
  assert_int_equal(CurvesWrite(m, NULL, 1, &energy, "/nowhere/at/all.csv", &mistakes), 0);
  assert_int_equal(MistakesExit(&mistakes), ROBION_RESOURCES);
  MistakesClear(&mistakes);
  m->n_species = n_species;
  m->n_emitter = n_emitter;
  assert_int_equal(MachineDestroy(&m), 0);
}

/* A picture is whole, has its panels, and takes no orders from the names in a file. */
static void Picture(void **state)
{
  char picture[64], harm[64], name[256], *text;
  size_t length;
  Mistakes mistakes = {0};
  const PetscInt energy[2] = {0, 1};
  Machine *m = Build();
  assert_int_equal(CurvesPlot(m, NULL, 2, energy, "picture.jpg", &mistakes), 0);
  assert_int_equal(MistakesExit(&mistakes), ROBION_COMMAND_LINE);
  MistakesClear(&mistakes);
  snprintf(picture, sizeof picture, "%s.svg", file);
  snprintf(harm, sizeof harm, "%s.harm", file);
  snprintf(name, sizeof name, "m'; system('touch %s'); set title \"`touch %s`\"", harm, harm);
  assert_int_equal(PetscFree(m->name), 0);
  assert_int_equal(PetscStrallocpy(name, &m->name), 0);
  assert_int_equal(CurvesPlot(m, NULL, 2, energy, picture, &mistakes), 0);
  assert_int_equal(MachineDestroy(&m), 0);
  if (mistakes.n && strstr(mistakes.item[0].text, "no program gnuplot")) {
    MistakesClear(&mistakes);
    skip();
  }
  MistakesPrint(&mistakes);
  assert_int_equal(mistakes.n, 0);
  assert_true(FileRead(picture, &text, &length, &mistakes));
  for (const char *const *title = (const char *const[]){"Physical dose by charge", "Positron emitters", "</svg>", NULL};
       *title; title++)
    assert_non_null(strstr(text, *title));
  assert_int_equal(PetscFree(text) || unlink(picture), 0);
  assert_int_equal(access(harm, F_OK), -1);
}

static int Start(void **state)
{
  int handle = mkstemp(file);
  return handle < 0 || close(handle) || PetscInitializeNoArguments();
}

static int Stop(void **state)
{
  return unlink(file) || PetscFinalize();
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(EveryNumber), cmocka_unit_test(OnlyWhatThereIs),
                                     cmocka_unit_test(Picture)};
  return cmocka_run_group_tests(tests, Start, Stop);
}
