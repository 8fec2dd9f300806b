/*
 * A plan of another system, calculated forward with built-in base data: TRiP98's 12C plan of 2 Gy in a box of 50 x 50 x 54 mm
 * from 103 to 153 mm depth of water (github.com/pytrip/pytrip, TST003: 17 energies, ripple filter of 3 mm). Nothing here is
 * fitted to the plan. Its command file says 1.709 mm of water in the beam line. The filter's mean thickness follows from
 * TRiP98's base data: their 280 MeV/u beam has 277.407 MeV/u behind the filter, 2.37 mm of water less range.
 * sanitizer: slow
 */
#include "base_data.h"
#include "reference.h"
#include "phantom_case.h"
#include "robion/trip98.h"
#include <string.h>

enum { N_AXIS = 255, N_ACROSS = 81, CENTRE = 128 };
static const double BOX_MM[2] = {103, 153}, PRESCRIBED_GY = 2, BEAM_LINE_MM = 1.709;

typedef struct Forward {
  SpotList spots;
  Machine *machine;
  Case *patient;
  Biology *biology;
  Tissues tissues;
  BeamSet *beams;
  DoseModel model;
  ScenarioSet *set;
  double *weight;
} Forward;

static double FilterThickness_mm(void)
{
  return CSDARange_mm(6, 12, 280) - CSDARange_mm(6, 12, 277.407);
}

static void BuildMachine(Forward *f)
{
  MachineSpec spec;
  Mistakes mistakes = {0};
  double *energy;
  assert_int_equal(MachineSpecDefault(&spec), 0);
  assert_int_equal(SpotListEnergies(&f->spots, &spec.n_energy, &energy), 0);
  spec.energy_MeV_u = energy;
  spec.offset_mm = BEAM_LINE_MM;
  spec.ripple_thickness_mm = FilterThickness_mm();
  assert_int_equal(BaseData(PETSC_COMM_WORLD, &spec, &f->machine), 0);
  assert_int_equal(MachineSetSpotSizes(f->machine, &f->spots, &mistakes), 0);
  assert_false(MistakesAny(&mistakes));
  assert_int_equal(PetscFree(energy), 0);
}

static void Prepare(Forward *f)
{
  char path[PETSC_MAX_PATH_LEN];
  Mistakes mistakes = {0};
  BiologySpec biology;
  PetscInt *spot_of;
  memset(f, 0, sizeof *f);
  ReferencePath("trip98/tst003012.rst", path);
  if (access(path, R_OK)) skip();
  assert_int_equal(SpotListReadRaster(path, &mistakes, &f->spots), 0);
  assert_false(MistakesAny(&mistakes));
  BuildMachine(f);
  f->patient = PhantomCase("water-box", "size_mm: [256, 140, 140], target_mm: [50, 50, 54]");
  assert_int_equal(BiologySpecDefault(&biology), 0);
  biology.model = "constant";
  assert_int_equal(BiologyCreate(&biology, f->machine, &mistakes, &f->biology), 0);
  f->tissues = (Tissues){.n = 1, .biology = &f->biology};
  const SpotAngles *angles = &f->spots.angles[0];
  BeamSpec beam = {.gantry_deg = angles->gantry_deg, .couch_deg = angles->couch_deg, .has_isocentre = PETSC_TRUE};
  f->beams = ReferenceBeams(&beam, 1, f->patient, f->machine, &f->spots, &spot_of);
  assert_int_equal(PetscCalloc1(f->beams->n_spot, &f->weight), 0);
  for (PetscInt i = 0; i < f->spots.n; i++) f->weight[spot_of[i]] = f->spots.particles[i];
  assert_int_equal(PetscFree(spot_of), 0);
  f->set = ReferenceNominal();
  assert_int_equal(DoseModelCreate(f->patient, f->machine, &f->tissues, f->beams, 0.002, &f->model), 0);
}

static void Finish(Forward *f)
{
  assert_int_equal(DoseModelDestroy(&f->model), 0);
  assert_int_equal(ScenarioSetDestroy(&f->set), 0);
  assert_int_equal(BeamSetDestroy(&f->beams), 0);
  assert_int_equal(BiologyDestroy(&f->biology), 0);
  assert_int_equal(MachineDestroy(&f->machine), 0);
  assert_int_equal(CaseDestroy(&f->patient), 0);
  assert_int_equal(SpotListDestroy(&f->spots), 0);
  assert_int_equal(PetscFree(f->weight), 0);
}

/* Dose, Gy, and LETd, keV/um, at the nodes of a grid of n nodes. */
static void Calculate(const Forward *f, const Grid *grid, PetscInt n, double *dose_Gy, double *letd_keV_um)
{
  Influence influence;
  PetscInt *voxel;
  double *channels;
  assert_int_equal(PetscMalloc1(n, &voxel), 0);
  assert_int_equal(PetscMalloc1(n * N_CHANNELS, &channels), 0);
  for (PetscInt i = 0; i < n; i++) voxel[i] = i;
  assert_int_equal(InfluenceCreate(f->model, INFLUENCE_STREAMED, f->set, grid, n, voxel, &influence), 0);
  assert_int_equal(InfluenceApply(influence, 0, f->weight, channels), 0);
  for (PetscInt i = 0; i < n; i++) {
    dose_Gy[i] = channels[i * N_CHANNELS + CHANNEL_DOSE];
    letd_keV_um[i] = dose_Gy[i] > 0 ? channels[i * N_CHANNELS + CHANNEL_LET] / dose_Gy[i] : 0;
    assert_true(isfinite(dose_Gy[i]) && isfinite(letd_keV_um[i]));
  }
  assert_int_equal(InfluenceDestroy(&influence), 0);
  assert_int_equal(PetscFree(voxel), 0);
  assert_int_equal(PetscFree(channels), 0);
}

/* dose[d] at a depth of d mm, 1 <= d <= N_AXIS; the beam enters the box at x = 128 mm. */
static void CalculateAxis(const Forward *f, double dose_Gy[N_AXIS + 1], double letd_keV_um[N_AXIS + 1])
{
  double dose[N_AXIS], letd[N_AXIS];
  const Grid axis = {.n = {N_AXIS, 1, 1}, .spacing_mm = {1, 1, 1}, .origin_mm = {CENTRE - N_AXIS, 0, 0}};
  Calculate(f, &axis, N_AXIS, dose, letd);
  for (PetscInt d = 1; d <= N_AXIS; d++) {
    dose_Gy[d] = dose[N_AXIS - d];
    letd_keV_um[d] = letd[N_AXIS - d];
  }
}

/* Depth beyond the box's middle at which the dose falls to a level. */
static double DistalDepth_mm(const double dose_Gy[N_AXIS + 1], double level_Gy)
{
  PetscInt d = CENTRE;
  while (d < N_AXIS && dose_Gy[d + 1] > level_Gy) d++;
  return d + (dose_Gy[d] - level_Gy) / (dose_Gy[d] - dose_Gy[d + 1]);
}

static void PrintAxis(const double dose_Gy[N_AXIS + 1], const double letd_keV_um[N_AXIS + 1])
{
  static const int dose_at[] = {1, 50, 160, 170, 180, 200, 220}, letd_at[] = {1, 50, 110, 130, 150};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(dose_at); i++)
    print_message("depth %3d mm: dose %.4f Gy\n", dose_at[i], dose_Gy[dose_at[i]]);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(letd_at); i++)
    print_message("depth %3d mm: LETd %.2f keV/um\n", letd_at[i], letd_keV_um[letd_at[i]]);
}

/*
 * The box gets its dose and ends where it should. Base data of two systems agree within some per cent, and ranges within what
 * stopping power (1 % of 153 mm) and beam line leave open.
 */
static void DoseAlongTheAxis(void **state)
{
  Forward f;
  double dose[N_AXIS + 1], letd[N_AXIS + 1], sum = 0, least = INFINITY, most = 0, particles = 0;
  Prepare(&f);
  for (PetscInt j = 0; j < f.beams->n_spot; j++) particles += f.weight[j];
  assert_double_near(particles, 1.97079e9, 5e3); /* the header's sum, of six digits */
  const double passed = f.machine->offset_mm, deepest = f.machine->r80_mm[f.machine->n_energy - 1] - passed;
  for (PetscInt e = 0; e < f.machine->n_energy; e++)
    print_message("%.2f MeV/u: R80 %.2f mm behind %.2f mm of water, spot FWHM %.2f mm\n", f.machine->energy_MeV_u[e],
                  f.machine->r80_mm[e] - passed, passed, f.machine->spot_sigma_mm[e] * 2 * sqrt(2 * M_LN2));
  CalculateAxis(&f, dose, letd);
  PetscInt n = 0;
  for (PetscInt d = (PetscInt)BOX_MM[0]; d <= (PetscInt)BOX_MM[1]; d++, n++) {
    sum += dose[d];
    least = PetscMin(least, dose[d]);
    most = PetscMax(most, dose[d]);
  }
  const double mean = sum / n, r80 = DistalDepth_mm(dose, 0.8 * mean);
  print_message(
      "%.6g ions; dose in the box: mean %.4f, min %.4f, max %.4f Gy; R80 %.2f mm, of the highest energy %.2f\n",
      particles, mean, least, most, r80, deepest);
  print_message("depth, mm: dose, Gy:");
  for (int d = (int)BOX_MM[0]; d <= (int)BOX_MM[1] + 4; d += 5) print_message("  %d: %.3f", d, dose[d]);
  print_message("\n");
  PrintAxis(dose, letd);
  assert_double_near(mean, PRESCRIBED_GY, 0.1 * PRESCRIBED_GY);
  assert_double_near(r80, BOX_MM[1], 2);
  assert_double_near(r80, deepest, 1);
  assert_true(dose[1] < 0.7 * mean && dose[170] < 0.25 * mean && dose[220] < dose[170]);
  assert_true(letd[1] < letd[50] && letd[110] < letd[130] && letd[130] < letd[150]);
  Finish(&f);
}

/* Half width at half the dose, mm, of 81 doses 1 mm apart that begin at the centre. */
static double HalfWidth_mm(const double dose_Gy[N_ACROSS])
{
  PetscInt i = 0;
  while (i + 2 < N_ACROSS && dose_Gy[i + 1] > 0.5 * dose_Gy[0]) i++;
  return i + (dose_Gy[i] - 0.5 * dose_Gy[0]) / (dose_Gy[i] - dose_Gy[i + 1]);
}

/* The box is 50 mm along y and 54 mm along z; spots 2 mm apart reach 26 and 28 mm, which gives fields of 27 and 29 mm. */
static void FieldIsNotTurned(void **state)
{
  Forward f;
  double dose[2][N_ACROSS], letd[N_ACROSS];
  const Grid along_y = {.n = {1, N_ACROSS, 1}, .spacing_mm = {1, 1, 1}};
  const Grid along_z = {.n = {1, 1, N_ACROSS}, .spacing_mm = {1, 1, 1}};
  Prepare(&f);
  Calculate(&f, &along_y, N_ACROSS, dose[0], letd);
  Calculate(&f, &along_z, N_ACROSS, dose[1], letd);
  print_message("half widths %.2f mm along y, %.2f mm along z\n", HalfWidth_mm(dose[0]), HalfWidth_mm(dose[1]));
  assert_double_near(HalfWidth_mm(dose[0]), 27, 0.3);
  assert_double_near(HalfWidth_mm(dose[1]), 29, 0.3);
  Finish(&f);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(DoseAlongTheAxis), cmocka_unit_test(FieldIsNotTurned)};
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failed;
}
