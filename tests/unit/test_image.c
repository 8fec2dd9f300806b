/* Images on grids of their own: NIfTI in any axis order and direction, HDF5, and clonogens from them. */
#include "phantom_case.h"
#include "robion/cell_count.h"
#include "robion/format.h"
#include "robion/hdf5.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "near.h"

static char folder[] = "/tmp/robion-image.XXXXXX", path[64];

static const char *File(const char *name)
{
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

/* A little-endian NIfTI-1 file of float32, written from the format's definition: header of 348 bytes, data at 352. */
static void WriteNIfTI(const char *file, const int16_t n[4], const float affine[3][4], const float *value,
                       int16_t sform)
{
  unsigned char header[352] = {0};
  const int32_t size = 348;
  const int16_t dim[8] = {n[3] > 1 ? 4 : 3, n[0], n[1], n[2], n[3], 1, 1, 1}, type = 16, bits = 32;
  const float pixdim[8] = {1, 1, 1, 1, 1, 1, 1, 1}, offset = 352, slope = 2, inter = 1;
  const char millimetres = 2;
  memcpy(header, &size, 4);
  memcpy(header + 40, dim, sizeof dim);
  memcpy(header + 70, &type, 2);
  memcpy(header + 72, &bits, 2);
  memcpy(header + 76, pixdim, sizeof pixdim);
  memcpy(header + 108, &offset, 4);
  memcpy(header + 112, &slope, 4);
  memcpy(header + 116, &inter, 4);
  memcpy(header + 123, &millimetres, 1);
  memcpy(header + 254, &sform, 2);
  memcpy(header + 280, affine, 12 * sizeof(float));
  memcpy(header + 344, "n+1", 4);
  FILE *out = fopen(file, "wb");
  assert_non_null(out);
  fwrite(header, 1, sizeof header, out);
  fwrite(value, sizeof(float), (size_t)n[0] * (size_t)n[1] * (size_t)n[2] * (size_t)n[3], out);
  assert_int_equal(fclose(out), 0);
}

/* A file of 2 x 2 x 2 voxels of another type of 64 bits. */
static const char *Write64(const char *name, int16_t type, const void *value)
{
  const int16_t n[4] = {2, 2, 2, 1}, bits = 64;
  const float affine[3][4] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}, zero[8] = {0};
  const char *file = File(name);
  WriteNIfTI(file, n, affine, zero, 1);
  FILE *out = fopen(file, "r+b");
  assert_non_null(out);
  assert_int_equal(fseek(out, 70, SEEK_SET), 0);
  fwrite(&type, 2, 1, out);
  fwrite(&bits, 2, 1, out);
  assert_int_equal(fseek(out, 352, SEEK_SET), 0);
  fwrite(value, 8, 8, out);
  assert_int_equal(fclose(out), 0);
  return file;
}

static PetscBool HasNIfTI(void)
{
  Mistakes mistakes = {0};
  Image image;
  const int16_t n[4] = {1, 1, 1, 1};
  const float affine[3][4] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}, one = 1;
  WriteNIfTI(File("one.nii"), n, affine, &one, 1);
  PetscBool good = ImageRead(File("one.nii"), &mistakes, &image);
  if (!good) assert_non_null(strstr(MistakesFirst(&mistakes), "without the NIfTI library"));
  assert_int_equal(ImageDestroy(&image), 0);
  assert_int_equal(MistakesClear(&mistakes), 0);
  return good;
}

/* Image axes (i, j, k) along posterior->anterior, left->right and superior, in NIfTI's RAS; checked point by point. */
static void AnyAxes(void **state)
{
  if (!HasNIfTI()) skip();
  Mistakes mistakes = {0};
  Image image;
  const int16_t n[4] = {3, 2, 4, 2};
  const float affine[3][4] = {{0, 1.5F, 0, -7}, {2, 0, 0, 11}, {0, 0, 5, -20}};
  float value[48];
  for (int v = 0; v < 48; v++) value[v] = (float)v;
  WriteNIfTI(File("a.nii"), n, affine, value, 2);
  assert_true(ImageRead(File("a.nii"), &mistakes, &image));
  assert_int_equal(image.n_volume, 2);
  assert_int_equal(image.grid.n[0], 2);
  assert_int_equal(image.grid.n[1], 3);
  for (int t = 0; t < 2; t++)
    for (int k = 0; k < 4; k++)
      for (int j = 0; j < 2; j++)
        for (int i = 0; i < 3; i++) { /* LPS place of the voxel, and what the image has there */
          const double at[3] = {-(1.5 * j - 7), -(2.0 * i + 11), 5.0 * k - 20};
          PetscInt index[3];
          for (int a = 0; a < 3; a++)
            index[a] = (PetscInt)lround((at[a] - image.grid.origin_mm[a]) / image.grid.spacing_mm[a]);
          size_t v = (size_t)t * 24 + GridIndex(&image.grid, index[0], index[1], index[2]);
          assert_double_near(image.value[v], 2 * value[((t * 4 + k) * 2 + j) * 3 + i] + 1, 1e-6);
        }
  assert_int_equal(ImageDestroy(&image), 0);
}

static void Refuse(const char *file, const char *text)
{
  Mistakes mistakes = {0};
  Image image;
  assert_false(ImageRead(file, &mistakes, &image));
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
  if (!strstr(MistakesFirst(&mistakes), text)) fail_msg("%s", MistakesFirst(&mistakes));
  assert_int_equal(MistakesClear(&mistakes), 0);
  assert_int_equal(ImageDestroy(&image), 0);
}

/* Integers of 64 bits, which numpy makes by default, where a double holds them; what is no real number is refused. */
static void Wide(void **state)
{
  if (!HasNIfTI()) skip();
  Mistakes mistakes = {0};
  int64_t value[8] = {0, -5, 1250, 3, 1 << 24, 5, 6, 7};
  for (int16_t type = 1024; type <= 1280; type += 256) { /* int64, uint64 */
    Image image;
    if (type == 1280) value[1] = 5;
    assert_true(ImageRead(Write64("wide.nii", type, value), &mistakes, &image));
    for (int v = 0; v < 8; v++) { /* axes of the file are R and A, those of the image L and P */
      const int flipped = (v & 4) | (3 - (v & 3));
      assert_double_near(image.value[flipped], (float)(2 * value[v] + 1), 0);
    }
    assert_int_equal(ImageDestroy(&image), 0);
    value[7] = INT64_MAX;
    Refuse(Write64("wide.nii", type, value), "expected integers between -2^53 and 2^53");
    value[7] = 7;
  }
  Refuse(Write64("wide.nii", 32, value), "COMPLEX64"); /* pairs of floats */
}

static void Refused(void **state)
{
  Refuse(File("missing.h5"), "missing.h5");
  if (!HasNIfTI()) skip();
  const int16_t n[4] = {2, 2, 2, 1};
  const float oblique[3][4] = {{1, 0.1F, 0, 0}, {-0.1F, 1, 0, 0}, {0, 0, 1, 0}},
              straight[3][4] = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}};
  float value[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  WriteNIfTI(File("oblique.nii"), n, oblique, value, 1);
  Refuse(File("oblique.nii"), "resample the image");
  WriteNIfTI(File("nowhere.nii"), n, straight, value, 0);
  Refuse(File("nowhere.nii"), "neither sform nor qform");
  value[3] = NAN; /* the library itself makes it 0: no signal */
  WriteNIfTI(File("nan.nii"), n, straight, value, 1);
  Mistakes mistakes = {0};
  Image image;
  assert_true(ImageRead(File("nan.nii"), &mistakes, &image));
  for (int v = 0; v < 8; v++) assert_true(isfinite(image.value[v]));
  assert_int_equal(ImageDestroy(&image), 0);
  WriteNIfTI(File("short.nii"), n, straight, value, 1);
  assert_int_equal(truncate(File("short.nii"), 360), 0);
  Refuse(File("short.nii"), "truncated or damaged: its header promises 32 bytes");
  assert_int_equal(truncate(File("short.nii"), 100), 0);
  Refuse(File("short.nii"), "cannot be read as NIfTI");
}

/*
 * Signals of known tissues on 1.8 x 1.8 x 6 mm voxels become the clonogens of those tissues on 3 mm CT voxels of a phantom, counts
 * kept: uniform f = 0.5, R = 5 um is 1 % of 27 mm3 / (523.6 um3) / 2 per 27 mm3.
 */
static void ClonogensOnTheCT(void **state)
{
  Mistakes mistakes = {0};
  CellCountReport report;
  ADCLibrarySpec spec;
  DiffusionProtocol protocol;
  Image image = {.grid = {{100, 100, 30}, {1.8, 1.8, 6}, {-89, -89, -87}}, .n_volume = 3};
  const size_t n = GridSize(&image.grid);
  const DiffusionTissue tissue = {5, 0.5, 1, 2};
  Case *patient = PhantomCase("water-box", "ct_spacing_mm: 3, size_mm: [90, 90, 90], target_mm: [48, 48, 48]");
  assert_int_equal(ADCLibrarySpecDefault(&spec) || DiffusionProtocolDefault(&protocol), 0);
  assert_int_equal(PetscMalloc1(3 * n, &image.value), 0);
  for (int k = 0; k < 3; k++)
    for (size_t v = 0; v < n; v++)
      image.value[(size_t)k * n + v] = (float)(700 * DiffusionSignal(&tissue, &protocol, protocol.b_ms_um2[k]));
  const PetscInt target = CaseFindStructure(patient, "CTV");
  assert_int_equal(CellCountAdd(patient, target, &image, 1, &spec, &protocol, &mistakes, &report), 0);
  assert_false(MistakesAny(&mistakes));
  const float *clonogens = patient->maps[CaseFindMap(patient, MAP_CLONOGENS)].value;
  const double expected = 0.01 * CellsOfTissue(&tissue, 27);
  double sum = 0;
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    const unsigned char inside = patient->structures[target].mask[v];
    assert_double_near(clonogens[v] / expected, inside, 0.005);
    sum += clonogens[v];
  }
  print_message("clonogens: %.6g on the image, %.6g on the CT\n", report.clonogens, report.clonogens_on_ct);
  assert_double_near(sum / report.clonogens, 1, 1e-6);
  assert_double_near(report.rmse_sd_um2_ms, 0, 1e-4);
  assert_int_equal(report.n_left_out, 0);
  image.n_volume = 1; /* signals taken for an ADC map in a thousandth of the unit */
  assert_int_equal(CellCountAdd(patient, target, &image, 1, &spec, &protocol, &mistakes, &report), 0);
  assert_int_equal(mistakes.n, 1);
  assert_non_null(strstr(mistakes.item[0].text, "the mean ADC in CTV is 700 um2/ms, expected 0.05 to 4"));
  assert_int_equal(MistakesClear(&mistakes), 0);
  image.n_volume = 2; /* neither a map nor the protocol's images */
  assert_int_equal(CellCountAdd(patient, target, &image, 1, &spec, &protocol, &mistakes, &report), 0);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesClear(&mistakes), 0);
  assert_int_equal(ImageDestroy(&image), 0);
  assert_int_equal(CaseDestroy(&patient), 0);
}

/* A grid of other voxels over the same box. */
static Grid Over(const Grid *ct, double x_mm, double y_mm, double z_mm)
{
  Grid g = {.spacing_mm = {x_mm, y_mm, z_mm}};
  for (int k = 0; k < 3; k++) {
    g.n[k] = (PetscInt)ceil(ct->n[k] * ct->spacing_mm[k] / g.spacing_mm[k]);
    g.origin_mm[k] = ct->origin_mm[k] + (g.spacing_mm[k] - ct->spacing_mm[k]) / 2;
  }
  return g;
}

/*
 * A real CT and GTV. Its diffusion is made of its FDG uptake, on voxels of 3 x 3 x 4 mm: every clonogen of the GTV's image voxels comes onto
 * the CT, into the GTV and nowhere else, and the plan's grid of 5 mm holds the same number.
 */
static void RealPatient(void **state)
{
  const char *reference = getenv("ROBION_REFERENCE");
  char file[PETSC_MAX_PATH_LEN];
  Mistakes mistakes = {0};
  Case *patient;
  CellCountReport report;
  ADCLibrarySpec spec;
  DiffusionProtocol protocol;
  double *uptake, *count, on_ct = 0, on_grid = 0, most = 0;
  snprintf(file, sizeof file, "%s/cases/sarcoma/sts_008.h5", reference ? reference : "../shared");
  if (access(file, R_OK)) skip();
  assert_int_equal(CaseLoad(file, &mistakes, &patient), 0);
  assert_non_null(patient);
  Image image = {.grid = Over(&patient->ct, 3, 3, 4), .n_volume = 1};
  const size_t n = GridSize(&image.grid);
  const PetscInt gtv = CaseFindStructure(patient, "GTV");
  assert_int_equal(CaseMapToGrid(patient, CaseFindMap(patient, "suv"), &image.grid, &uptake), 0);
  assert_int_equal(PetscMalloc1(n, &image.value), 0);
  for (size_t v = 0; v < n; v++) most = PetscMax(most, uptake[v]);
  for (size_t v = 0; v < n; v++) image.value[v] = (float)(1.25 - 0.65 * uptake[v] / most);
  assert_int_equal(ADCLibrarySpecDefault(&spec) || DiffusionProtocolDefault(&protocol), 0);
  assert_int_equal(CellCountAdd(patient, gtv, &image, 1, &spec, &protocol, &mistakes, &report), 0);
  assert_false(MistakesAny(&mistakes));
  const PetscInt map = CaseFindMap(patient, MAP_CLONOGENS);
  const float *clonogens = patient->maps[map].value;
  for (size_t v = 0; v < GridSize(&patient->ct); v++) {
    assert_int_equal(clonogens[v] > 0, patient->structures[gtv].mask[v]);
    on_ct += clonogens[v];
  }
  const Grid plan = Over(&patient->ct, 5, 5, 5);
  assert_int_equal(CaseMapToGrid(patient, map, &plan, &count), 0);
  for (size_t v = 0; v < GridSize(&plan); v++) on_grid += count[v];
  print_message("%s: %.6g clonogens on the image, %.6g on the CT\n", patient->name, report.clonogens, on_ct);
  assert_double_near(on_ct / report.clonogens, 1, 1e-6);
  assert_double_near(on_grid / on_ct, 1, 1e-6);
  assert_int_equal(PetscFree(uptake) || PetscFree(count) || ImageDestroy(&image) || CaseDestroy(&patient), 0);
}

static void FromHDF5(void **state)
{
  Mistakes mistakes = {0};
  H5Sink sink;
  Image image;
  const hsize_t dims[4] = {2, 4, 3, 2};
  const double spacing[3] = {1, 2, 3}, origin[3] = {-5, 0, 7};
  float value[48];
  for (int v = 0; v < 48; v++) value[v] = (float)v;
  assert_true(H5SinkOpen(File("i.h5"), &mistakes, &sink));
  H5WriteArray(&sink, "/image", H5T_NATIVE_FLOAT, 4, dims, value, "1", NULL);
  H5WriteDoubles(&sink, "/image", "spacing_mm", 3, spacing);
  H5WriteDoubles(&sink, "/image", "origin_mm", 3, origin);
  assert_true(H5SinkClose(&sink, &mistakes));
  assert_true(ImageRead(File("i.h5"), &mistakes, &image));
  assert_int_equal(image.n_volume, 2);
  assert_int_equal(image.grid.n[0] == 2 && image.grid.n[1] == 3 && image.grid.n[2] == 4, 1);
  assert_double_near(image.grid.spacing_mm[2], 3, 0);
  assert_memory_equal(image.value, value, sizeof value);
  assert_int_equal(ImageDestroy(&image), 0);
}

static int Clean(void **state)
{
  static const char *const name[] = {"one.nii", "a.nii",     "oblique.nii", "nowhere.nii",
                                     "nan.nii", "short.nii", "wide.nii",    "i.h5"};
  for (size_t i = 0; i < sizeof name / sizeof *name; i++) (void)unlink(File(name[i]));
  return rmdir(folder);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL) || !mkdtemp(folder)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(AnyAxes),  cmocka_unit_test(Refused),          cmocka_unit_test(Wide),
      cmocka_unit_test(FromHDF5), cmocka_unit_test(ClonogensOnTheCT), cmocka_unit_test(RealPatient)};
  int failures = cmocka_run_group_tests(tests, NULL, Clean);
  return PetscFinalize() ? 1 : failures;
}
