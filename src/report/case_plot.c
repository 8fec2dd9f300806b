/* Slices of a case with the outlines of its structures, and of its maps. */
#include "robion/case_plot.h"
#include "robion/gnuplot.h"
#include "robion/text.h"
#include <errno.h>
#include <math.h>
#include <string.h>

enum { N_PLANES = 3, MOST_MAPS = 2, PANEL_PIXELS = 520, LEGEND_PIXELS = 60 };

/* One slice: normal to `normal`, drawn with axis `across` to the right and `up` upwards. */
typedef struct Plane {
  int across, up, normal;
  const char *title, *across_name, *up_name;
  PetscBool flip; /* the axis that points down */
} Plane;
static const Plane plane[N_PLANES] = {
    {0, 1, 2, "transverse", "x left / mm", "y posterior / mm", PETSC_TRUE},
    {0, 2, 1, "coronal", "x left / mm", "z superior / mm", PETSC_FALSE},
    {1, 2, 0, "sagittal", "y posterior / mm", "z superior / mm", PETSC_FALSE},
};

static const char *const colour[] = {"#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00",
                                     "#56B4E9", "#F0E442", "#8B6914", "#FF0000", "#00C000"};

/* Voxel in the middle of the first target, or of the CT. */
static void Middle(const Case *patient, PetscInt middle[3])
{
  double sum[3] = {0}, n = 0;
  const Grid *ct = &patient->ct;
  const unsigned char *mask = NULL;
  for (PetscInt s = 0; !mask && s < patient->n_structures; s++)
    if (patient->structures[s].role == ROLE_TARGET) mask = patient->structures[s].mask;
  for (size_t v = 0; v < GridSize(ct); v++) {
    if (mask && !mask[v]) continue;
    size_t nx = (size_t)ct->n[0], ny = (size_t)ct->n[1];
    sum[0] += (double)(v % nx), sum[1] += (double)(v / nx % ny), sum[2] += (double)(v / nx / ny), n++;
  }
  for (int k = 0; k < 3; k++) middle[k] = n > 0 ? (PetscInt)lround(sum[k] / n) : ct->n[k] / 2;
}

static size_t VoxelIn(const Grid *ct, const Plane *p, const PetscInt middle[3], PetscInt a, PetscInt u)
{
  PetscInt at[3];
  at[p->across] = a, at[p->up] = u, at[p->normal] = middle[p->normal];
  return GridIndex(ct, at[0], at[1], at[2]);
}

/* Columns: the two coordinates, HU, every map. One block for each plane. */
static void WriteImages(const Case *patient, const PetscInt middle[3], FILE *out)
{
  const Grid *ct = &patient->ct;
  for (int i = 0; i < N_PLANES; i++) {
    const Plane *p = &plane[i];
    for (PetscInt u = 0; u < ct->n[p->up]; u++) {
      for (PetscInt a = 0; a < ct->n[p->across]; a++) {
        size_t v = VoxelIn(ct, p, middle, a, u);
        fprintf(out, "%.7g %.7g %d", ct->origin_mm[p->across] + a * ct->spacing_mm[p->across],
                ct->origin_mm[p->up] + u * ct->spacing_mm[p->up], patient->hu[v]);
        for (PetscInt m = 0; m < PetscMin(patient->n_maps, MOST_MAPS); m++)
          fprintf(out, patient->maps[m].value[v] == 0 ? " NaN" : " %.7g", patient->maps[m].value[v]);
        fprintf(out, "\n");
      }
      fprintf(out, "\n");
    }
    fprintf(out, "\n");
  }
}

/* Edges between voxels inside and outside, as pairs of points. One block for each structure and plane. */
static void WriteOutline(const Case *patient, const unsigned char *mask, const Plane *p, const PetscInt middle[3],
                         FILE *out)
{
  const Grid *ct = &patient->ct;
  const double da = ct->spacing_mm[p->across], du = ct->spacing_mm[p->up];
  for (PetscInt u = 0; u < ct->n[p->up]; u++)
    for (PetscInt a = 0; a < ct->n[p->across]; a++) {
      const unsigned char here = mask[VoxelIn(ct, p, middle, a, u)];
      const double x = ct->origin_mm[p->across] + a * da, y = ct->origin_mm[p->up] + u * du;
      if (a + 1 < ct->n[p->across] && mask[VoxelIn(ct, p, middle, a + 1, u)] != here)
        fprintf(out, "%.7g %.7g\n%.7g %.7g\n\n", x + 0.5 * da, y - 0.5 * du, x + 0.5 * da, y + 0.5 * du);
      if (u + 1 < ct->n[p->up] && mask[VoxelIn(ct, p, middle, a, u + 1)] != here)
        fprintf(out, "%.7g %.7g\n%.7g %.7g\n\n", x - 0.5 * da, y + 0.5 * du, x + 0.5 * da, y + 0.5 * du);
    }
  fprintf(out, "NaN NaN\n\n\n"); /* so that no block is empty */
}

static PetscErrorCode WriteData(const Case *patient, const PetscInt middle[3], const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const int descriptor = FileCreate(file);
  FILE *out = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
  if (out) {
    WriteImages(patient, middle, out);
    for (PetscInt s = 0; s < patient->n_structures; s++)
      for (int i = 0; i < N_PLANES; i++) WriteOutline(patient, patient->structures[s].mask, &plane[i], middle, out);
  }
  if (!out || (ferror(out) | fclose(out)))
    PetscCall(MistakesAdd(mistakes, ROBION_RESOURCES, "%s: cannot be written: %s", file, strerror(errno)));
  PetscFunctionReturn(0);
}

static void PlainName(const char *name, FILE *out)
{
  for (const char *c = name; *c; c++) fputc(strchr("'\"\n\\`", *c) ? '_' : *c, out);
}

/* Row 0: the CT with outlines; row 1 + m: map m. */
static void DrawRow(const Case *patient, const PetscInt middle[3], int row, FILE *out)
{
  for (int i = 0; i < N_PLANES; i++) {
    const Plane *p = &plane[i];
    const Grid *ct = &patient->ct;
    fprintf(out, "set xlabel '%s'\nset ylabel '%s'\nset yrange [] %s\n", p->across_name, p->up_name,
            p->flip ? "reverse" : "noreverse");
    fprintf(out, "set title '%s, %c = %.4g mm", p->title, "xyz"[p->normal],
            ct -> origin_mm[p->normal] + middle[p->normal] * ct -> spacing_mm[p->normal]);
    fprintf(out, row ? ": " : ": CT (HU)");
    if (row) {
      PlainName(patient->maps[row - 1].name, out);
      fprintf(out, " (");
      PlainName(patient->maps[row - 1].unit, out);
      fprintf(out, ")");
    }
    fprintf(out, "' noenhanced\nset %s\n",
            row ? "palette defined (0 '#000004', 1 '#51127c', 2 '#b73779', 3 '#fc8961', 4 '#fcfdbf')" : "palette gray");
    fprintf(out, row ? "set cbrange [0:*]\n" : "set cbrange [-200:500]\n");
    fprintf(out, "plot data index %d using 1:2:%d with image notitle", i, row + 3);
    for (PetscInt s = 0; s < patient->n_structures; s++) {
      if (row && patient->structures[s].role != ROLE_TARGET) continue;
      fprintf(out, ", data index %d using 1:2 with lines lw 1.6 lc rgb '%s' ", (int)(N_PLANES * (1 + s)) + i,
              colour[s % (PetscInt)PETSC_STATIC_ARRAY_LENGTH(colour)]);
      if (i + 1 < N_PLANES || row) {
        fprintf(out, "notitle");
        continue;
      }
      fprintf(out, "title '");
      PlainName(patient->structures[s].name, out);
      fprintf(out, "' noenhanced");
    }
    fprintf(out, "\n");
  }
}

PetscErrorCode CasePlot(const Case *patient, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Gnuplot plot;
  PetscInt middle[3], before = mistakes->n;
  const int rows = 1 + (int)PetscMin(patient->n_maps, MOST_MAPS), height = PANEL_PIXELS * rows * 4 / 5 + LEGEND_PIXELS;
  const double legend = (double)LEGEND_PIXELS / height; /* below the panels */
  if (!GnuplotOpen(file, PANEL_PIXELS * N_PLANES + 60, height, mistakes, &plot)) PetscFunctionReturn(0);
  Middle(patient, middle);
  PetscCall(WriteData(patient, middle, plot.data, mistakes));
  if (mistakes->n == before) {
    fprintf(plot.script,
            "data = '%s'\nset size ratio -1\nset tics out nomirror\n"
            "set key at screen 0.5, screen 0.01 center bottom horizontal maxrows 2 samplen 2\n"
            "set autoscale xfix\nset autoscale yfix\nset multiplot layout %d,%d scale 1,%g offset 0,%g\n",
            plot.data, rows, N_PLANES, 1 - legend, 0.3 * legend);
    for (int row = 0; row < rows; row++) DrawRow(patient, middle, row, plot.script);
    fprintf(plot.script, "unset multiplot\nunset output\n");
  }
  PetscCall(GnuplotClose(&plot, mistakes));
  PetscFunctionReturn(0);
}
