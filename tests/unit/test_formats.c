/* The table of file formats: which is taken for a file, and what is written of a plan reads back. */
#include "fake_plan.h"
#include "robion/format.h"
#include "robion/text.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "near.h"

static char folder[64] = "/tmp/robion_test_formats_XXXXXX", file[PETSC_MAX_PATH_LEN];
static FakePlan *fake;

static const char *In(const char *name)
{
  static char path[4][PETSC_MAX_PATH_LEN];
  static int next;
  char *to = path[next++ % 4];
  snprintf(to, PETSC_MAX_PATH_LEN, "%s/%s", folder, name);
  return to;
}

static void CheckTaken(const char *name, FormatTask task, const char *format)
{
  const FileFormat *found = FormatOfFile(name, task);
  if (!format != !found || (format && strcmp(found->name, format)))
    fail_msg("%s %s: %s, expected %s", format_task_names[task], name, found ? found->name : "none", format);
}

static void Names(void **state)
{
  CheckTaken("a.mat", FORMAT_READ_MACHINE, "matrad");
  CheckTaken("a.MAT", FORMAT_WRITE_MACHINE, "matrad");
  CheckTaken("a.ddd", FORMAT_READ_MACHINE, "trip98");
  CheckTaken(folder, FORMAT_READ_MACHINE, "trip98");
  CheckTaken("new-folder", FORMAT_WRITE_MACHINE, "trip98");
  CheckTaken("a.rst", FORMAT_READ_SPOTS, "trip98");
  CheckTaken("plan.h5", FORMAT_READ_SPOTS, "robion");
  CheckTaken("a.csv", FORMAT_READ_SPOTS, "csv");
  CheckTaken("spots", FORMAT_READ_SPOTS, "csv");
  CheckTaken("a.nii.gz", FORMAT_READ_IMAGE, "nifti");
  CheckTaken("a.h5", FORMAT_READ_IMAGE, "robion");
  CheckTaken("image", FORMAT_READ_IMAGE, "robion");
  CheckTaken("a.nrrd", FORMAT_READ_CASE, NULL);
}

/* Every row has a name of its own, an ending, and does something; every task is somebody's. */
static void Rows(void **state)
{
  PetscInt n_does[N_FORMAT_TASKS] = {0};
  for (PetscInt i = 0; i < n_file_formats; i++) {
    PetscInt n = 0;
    assert_non_null(file_formats[i].ending[0]);
    for (FormatTask task = 0; task < N_FORMAT_TASKS; task++)
      if (FormatDoes(&file_formats[i], task)) {
        n++;
        n_does[task]++;
      }
    assert_true(n > 0);
    for (PetscInt k = 0; k < i; k++) assert_string_not_equal(file_formats[i].name, file_formats[k].name);
  }
  for (FormatTask task = 0; task < N_FORMAT_TASKS; task++) assert_true(n_does[task] > 0);
  Mistakes mistakes = {0};
  const FormatTask volume = FORMAT_WRITE_VOLUME;
  assert_null(FormatFind("nifty", 1, &volume, &mistakes));
  assert_string_equal(mistakes.item[0].text,
                      "unknown format nifty (did you mean nifti?), expected one of nifti, nrrd, mha");
  assert_int_equal(MistakesClear(&mistakes), 0);
}

/* The header up to the values, as text. */
static void CheckHeader(const char *name, const char *const words[], const float *value, size_t n)
{
  char *content;
  size_t length;
  Mistakes mistakes = {0};
  assert_true(FileRead(name, &content, &length, &mistakes));
  assert_true(length > n * sizeof *value);
  assert_memory_equal(content + length - n * sizeof *value, value, n * sizeof *value);
  content[length - n * sizeof *value] = 0;
  for (int i = 0; words[i]; i++)
    if (!strstr(content, words[i])) fail_msg("%s: no \"%s\" in \"%s\"", name, words[i], content);
  assert_int_equal(PetscFree(content), 0);
}

/* Doses and structures, number for number, at their place. */
static void Volumes(void **state)
{
  static const char *const nrrd[] = {"NRRD0004\n",
                                     "space: left-posterior-superior\n",
                                     "sizes: 7 5 9\n",
                                     "space directions: (3,0,0) (0,3,0) (0,0,3)\n",
                                     "space origin: (-9,-6,1.5)\n",
                                     "endian: little\n",
                                     "unit:=Gy(RBE)\n\n",
                                     NULL};
  static const char *const mha[] = {"Offset = -9 -6 1.5\n", "ElementSpacing = 3 3 3\n", "DimSize = 7 5 9\n",
                                    "ElementType = MET_FLOAT\nElementDataFile = LOCAL\n", NULL};
  const size_t n = 7 * 5 * 9;
  Mistakes mistakes = {0};
  PlanReader plan;
  PlanVolumes names;
  Volume volume;
  assert_true(PlanReaderOpen(file, &mistakes, &plan));
  assert_int_equal(PlanVolumeNames(&plan, &mistakes, &names), 0);
  assert_int_equal(names.n, n_quantities + 3 + 2); /* lowest, highest, standard deviation; two structures */
  assert_string_equal(names.name[0], "nominal/rbe_weighted");
  assert_string_equal(names.name[names.n - 1], "structures/Cord, left");
  assert_true(PlanReadVolume(&plan, names.name[0], &mistakes, &volume));
  assert_int_equal(VolumeWriteNRRD(&volume, In("v.nrrd"), &mistakes), 0);
  assert_int_equal(VolumeWriteMetaImage(&volume, In("v.mha"), &mistakes), 0);
  CheckHeader(In("v.nrrd"), nrrd, fake->dose[QUANTITY_RBE_WEIGHTED], n);
  CheckHeader(In("v.mha"), mha, fake->dose[QUANTITY_RBE_WEIGHTED], n);
  assert_int_equal(VolumeDestroy(&volume), 0);
  for (PetscInt i = 0; i < names.n; i++) {
    Image image;
    assert_true(PlanReadVolume(&plan, names.name[i], &mistakes, &volume));
    assert_int_equal(VolumeWriteNIfTI(&volume, In("v.nii"), &mistakes), 0);
    if (!file_formats[3].needs) { /* as anybody's reader finds it */
      assert_true(ImageRead(In("v.nii"), &mistakes, &image));
      assert_memory_equal(&image.grid, &fake->result.grid, sizeof image.grid);
      assert_memory_equal(image.value, volume.value, n * sizeof(float));
      assert_int_equal(ImageDestroy(&image), 0);
    }
    assert_int_equal(VolumeDestroy(&volume), 0);
  }
  assert_int_equal(PlanVolumesDestroy(&names), 0);
  assert_true(PlanReadVolume(&plan, "structures/CTV", &mistakes, &volume));
  double sum = 0;
  for (size_t v = 0; v < n; v++) sum += (double)volume.value[v];
  assert_double_near(sum, 5.5, 1e-6);
  assert_int_equal(VolumeDestroy(&volume), 0);
  assert_false(MistakesAny(&mistakes));
  assert_false(PlanReadVolume(&plan, "nominal/lett", &mistakes, &volume));
  assert_non_null(strstr(mistakes.item[0].text, "did you mean nominal/letd?"));
  assert_int_equal(MistakesClear(&mistakes), 0);
  assert_true(PlanReaderClose(&plan, &mistakes));
}

/* All doses are named where they are, and plan.h5 by its name alone while both are in one folder. */
static void Xdmf(void **state)
{
  Mistakes mistakes = {0};
  PlanReader plan;
  char *content, text[PETSC_MAX_PATH_LEN + 64];
  size_t length;
  assert_true(PlanReaderOpen(file, &mistakes, &plan));
  assert_int_equal(PlanWriteXDMF(&plan, file, In("plan.xdmf"), &mistakes), 0);
  assert_true(FileRead(In("plan.xdmf"), &content, &length, &mistakes));
  assert_non_null(strstr(content, "Dimensions=\"10 6 8\"/>"));
  assert_non_null(strstr(content, ">0 -7.5 -10.5<"));
  for (Quantity q = 0; q < n_quantities; q++) {
    snprintf(text, sizeof text, ">plan.h5:/dose/nominal/%s<", quantities[q].name);
    assert_non_null(strstr(content, text));
  }
  assert_non_null(strstr(content, ">plan.h5:/dose/robust/max<"));
  assert_null(strstr(content, "structures"));
  assert_int_equal(PetscFree(content), 0);
  assert_int_equal(mkdir(In("else"), 0777), 0);
  assert_int_equal(PlanWriteXDMF(&plan, file, In("else/plan.xdmf"), &mistakes), 0);
  assert_true(FileRead(In("else/plan.xdmf"), &content, &length, &mistakes));
  snprintf(text, sizeof text, ">%s:/dose/robust/max<", file);
  assert_non_null(strstr(content, text));
  assert_int_equal(PetscFree(content), 0);
  assert_int_equal(unlink(In("else/plan.xdmf")) || rmdir(In("else")), 0);
  assert_true(PlanReaderClose(&plan, &mistakes));
  assert_false(MistakesAny(&mistakes));
}

/* Spots, angles, ion and widths of a plan's beam come back from TRiP98's files. */
static void Raster(void **state)
{
  Mistakes mistakes = {0};
  PlanReader plan;
  SpotList spots;
  TripBeamTable table;
  const PlanBeam *beam = &fake->beam[0];
  assert_true(PlanReaderOpen(file, &mistakes, &plan));
  assert_int_equal(PlanWriteTrip(&plan, file, In("trip98"), &mistakes), 0);
  assert_true(PlanReaderClose(&plan, &mistakes));
  assert_int_equal(SpotListReadRaster(In("trip98/beam_0.rst"), &mistakes, &spots), 0);
  if (MistakesAny(&mistakes)) fail_msg("%s", MistakesFirst(&mistakes));
  assert_int_equal(spots.n, FAKE_SPOTS);
  assert_true(spots.ion.Z == 6 && spots.ion.A == 12);
  assert_int_equal(spots.n_angles, 1);
  assert_double_near(spots.angles[0].gantry_deg, 90, 1e-12);
  assert_double_near(spots.angles[0].couch_deg, 10, 1e-12);
  for (int i = 0; i < FAKE_SPOTS; i++) { /* energies ascend in the fake as they do in the file */
    assert_double_near(spots.x_mm[i], beam->x_mm[i], 0);
    assert_double_near(spots.y_mm[i], beam->y_mm[i], 0);
    assert_double_near(spots.energy_MeV_u[i], beam->energy_MeV_u[i], 0);
    assert_double_near(spots.particles[i], beam->particles[i], 0);
    assert_double_near(spots.spot_fwhm_mm[i], beam->spot_fwhm_mm[i], 0);
  }
  assert_int_equal(TripBeamTableRead(In("trip98/12C.sis"), &mistakes, &table), 0);
  assert_int_equal(table.n, FAKE_SPOTS + 1);
  assert_double_near(table.energy_MeV_u[FAKE_SPOTS], beam->energy_MeV_u[FAKE_SPOTS - 1], 0);
  assert_double_near(table.focus_fwhm_mm[1], beam->spot_fwhm_mm[0], 0);
  assert_int_equal(TripBeamTableDestroy(&table) || SpotListDestroy(&spots), 0);
  if (MistakesAny(&mistakes)) fail_msg("%s", MistakesFirst(&mistakes));
}

static int Start(void **state)
{
  Mistakes mistakes = {0};
  if (PetscInitializeNoArguments() || !mkdtemp(folder)) return 1;
  snprintf(file, sizeof file, "%s/plan.h5", folder);
  fake = FakePlanCreate(9);
  fake->result.spots.n_beam = 1; /* the other has no spots */
  return PlanFileWrite(PETSC_COMM_WORLD, &fake->result, folder, &mistakes);
}

static int Stop(void **state)
{
  static const char *const made[] = {"v.nrrd",         "v.mha",  "v.nii",  "plan.xdmf", "trip98/beam_0.rst",
                                     "trip98/12C.sis", "trip98", "plan.h5"};
  for (size_t i = 0; i < sizeof made / sizeof *made; i++) remove(In(made[i]));
  FakePlanDestroy(fake);
  return rmdir(folder) || PetscFinalize();
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(Names), cmocka_unit_test(Rows), cmocka_unit_test(Volumes),
                                     cmocka_unit_test(Xdmf), cmocka_unit_test(Raster)};
  return cmocka_run_group_tests(tests, Start, Stop);
}
