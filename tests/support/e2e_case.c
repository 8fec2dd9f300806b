/*
 * Writes the case files that the end-to-end scripts feed to robion:  e2e_case KIND FILE.h5
 *
 * KIND good is a box of water of 80 mm with a target of 24 mm (CTV), a corner of it (EDGE) that touches the CT's rim, one
 * voxel (DOT) and a structure without voxels (NOTHING). The other kinds are the same with one fault; `outside` has a body of
 * 48 mm in air, which EDGE leaves, and `no-external` such a body that no structure outlines, with a plate beside it.
 */
#include "robion/hdf5.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 20, SPACING_MM = 4, N_VOXELS = N * N * N };

static short hu[N_VOXELS];
static float map[N_VOXELS];
static const hsize_t dims[3] = {N, N, N}, area[2] = {N, N *N};

/* Voxels with all three indices from `first` to `last`. */
static void WriteBox(H5Sink *sink, const char *name, const char *role, int first, int last)
{
  static unsigned char mask[N_VOXELS];
  char path[64];
  for (int v = 0; v < N_VOXELS; v++) {
    const int index[3] = {v % N, v / N % N, v / (N * N)};
    mask[v] = 1;
    for (int k = 0; k < 3; k++) mask[v] &= index[k] >= first && index[k] <= last;
  }
  snprintf(path, sizeof path, "/structures/%s", name);
  H5WriteArray(sink, path, H5T_NATIVE_UCHAR, 3, dims, mask, NULL, NULL);
  H5WriteString(sink, path, "role", role);
}

/* Air, and water from the first to the last index along x, y and z; a plate at the highest y. */
static void FillCT(int first, int last, int plate)
{
  for (int v = 0; v < N_VOXELS; v++) {
    const int at[3] = {v % N, v / N % N, v / (N * N)};
    hu[v] = at[1] >= plate ? 100 : 0;
    for (int k = 0; k < 3; k++)
      if (at[1] < plate && (at[k] < first || at[k] > last)) hu[v] = -1000;
  }
}

int main(int argc, char **argv)
{
  const double spacing_mm[3] = {SPACING_MM, SPACING_MM, SPACING_MM}, corner = -0.5 * (N - 1) * SPACING_MM;
  const double origin_mm[3] = {corner, corner, corner};
  H5Sink sink;
  Mistakes mistakes = {0};
  if (argc != 3 || !H5SinkOpen(argv[2], &mistakes, &sink)) return EXIT_FAILURE;
  const char *kind = argv[1];
  const int outside = !strcmp(kind, "outside"), outlined = strcmp(kind, "no-external");
  if (outside || !outlined) FillCT(4, 15, outlined ? N : N - 2);
  if (!strcmp(kind, "flat"))
    H5WriteArray(&sink, "/ct/hu", H5T_NATIVE_SHORT, 2, area, hu, "HU", NULL);
  else if (strcmp(kind, "no-ct"))
    H5WriteArray(&sink, "/ct/hu", H5T_NATIVE_SHORT, 3, dims, hu, "HU", NULL);
  if (strcmp(kind, "no-ct")) {
    H5WriteDoubles(&sink, "/ct/hu", "spacing_mm", 3, spacing_mm);
    H5WriteDoubles(&sink, "/ct/hu", "origin_mm", 3, origin_mm);
  }
  WriteBox(&sink, "BODY", outlined ? "external" : "oar", outside ? 4 : 0, outside ? 15 : N - 1);
  WriteBox(&sink, "CTV", !strcmp(kind, "bad-role") ? "traget" : "target", 7, 12);
  WriteBox(&sink, "EDGE", "target", 0, 5);
  WriteBox(&sink, "DOT", "target", 10, 10);
  WriteBox(&sink, "NOTHING", "oar", 1, 0);
  if (!strcmp(kind, "nan-map")) map[N_VOXELS / 2] = NAN;
  H5WriteArray(&sink, "/maps/suv", H5T_NATIVE_FLOAT, 3, dims, map, "g/ml", NULL);
  return H5SinkClose(&sink, &mistakes) ? EXIT_SUCCESS : EXIT_FAILURE;
}
