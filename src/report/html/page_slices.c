/* Slices of a plan's page: three pictures through the middle of the target. */
#include "page_private.h"
#include <math.h>
#include <string.h>

enum { N_PLANES = 3, PICTURE_PIXELS = 380 };

/* One slice: across to the right, down from the top of the picture. */
static const struct {
  int across, down, normal;
  PetscBool flip; /* the axis points up */
  const char *name, *sides;
} plane[N_PLANES] = {{0, 1, 2, PETSC_FALSE, "transverse", "patient left is right, anterior is up"},
                     {0, 2, 1, PETSC_TRUE, "coronal", "patient left is right, superior is up"},
                     {1, 2, 0, PETSC_TRUE, "sagittal", "posterior is right, superior is up"}};

/* From blue over green to red, value 0 to 1; as in plan.js. */
static void WashColour(double value, double rgb[3])
{
  static const double stop[][3] = {{30, 60, 170},  {0, 150, 200},  {30, 170, 60},
                                   {240, 220, 40}, {240, 130, 20}, {200, 20, 20}};
  const int n = PETSC_STATIC_ARRAY_LENGTH(stop) - 1, i = PetscMin((int)(value * n), n - 1);
  const double share = value * n - i;
  for (int k = 0; k < 3; k++) rgb[k] = stop[i][k] + share * (stop[i + 1][k] - stop[i][k]);
}

/* Grey CT under dose from 10 % of the prescription on. */
static void Paint(const unsigned char *ct, const ByteVolume *dose, double prescription, size_t v, unsigned char *rgb)
{
  const double grey = ct ? PetscMin(PetscMax(((double)ct[v] - 60) / 90, 0), 1) * 255 : 40;
  const double part = dose ? (double)dose->byte[v] * dose->scale / prescription : 0;
  double wash[3] = {0};
  WashColour(PetscMin(part / 1.1, 1), wash);
  for (int k = 0; k < 3; k++) rgb[k] = (unsigned char)(part >= 0.1 ? 0.5 * grey + 0.5 * wash[k] : grey);
}

static PetscBool Inside(const PageStructure *s, const Grid *grid, const PetscInt at[3])
{
  return s->share[GridIndex(grid, at[0], at[1], at[2])] >= 0.5F ? PETSC_TRUE : PETSC_FALSE;
}

/* The outline's colour where a voxel of a structure borders on one outside of it, at the pixel's side of the voxel. */
static void Outline(const PlanPage *page, int p, const PetscInt at[3], const double within[2], unsigned char *rgb)
{
  const double width = 0.3; /* of a voxel */
  for (PetscInt s = 0; s < page->n_structure; s++) {
    const PageStructure *structure = &page->structure[s];
    unsigned red, green, blue;
    PetscBool edge = PETSC_FALSE;
    if (!structure->share || !Inside(structure, &page->grid, at)) continue;
    for (int side = 0; side < 4 && !edge; side++) {
      const int axis = side < 2 ? plane[p].across : plane[p].down, step = side % 2 ? 1 : -1;
      const double place = within[side / 2];
      PetscInt other[3] = {at[0], at[1], at[2]};
      if (step > 0 ? place < 1 - width : place > width) continue;
      other[axis] += step;
      if (other[axis] < 0 || other[axis] >= page->grid.n[axis] || !Inside(structure, &page->grid, other))
        edge = PETSC_TRUE;
    }
    if (!edge || sscanf(structure->colour, "#%2x%2x%2x", &red, &green, &blue) != 3) continue;
    rgb[0] = (unsigned char)red, rgb[1] = (unsigned char)green, rgb[2] = (unsigned char)blue;
  }
}

/* Doses that have a line, in percent of the prescription, and its colour; as in plan.js. */
static const struct {
  double percent;
  unsigned char rgb[3];
} isodose[] = {{95, {255, 255, 255}}, {50, {200, 200, 200}}};

/* Dose at a place of a slice, in voxels from the grid's corner, over the prescription: bilinear between centres. */
static double PartAt(const Grid *grid, const ByteVolume *dose, int p, const PetscInt at[3], const double place[2],
                     double prescription)
{
  const int axis[2] = {plane[p].across, plane[p].down};
  PetscInt low[2], high[2], corner[3] = {at[0], at[1], at[2]};
  double share[2], sum = 0;
  for (int k = 0; k < 2; k++) {
    const double centre = PetscMin(PetscMax(place[k] - 0.5, 0), (double)grid->n[axis[k]] - 1);
    low[k] = (PetscInt)centre;
    high[k] = PetscMin(low[k] + 1, grid->n[axis[k]] - 1);
    share[k] = centre - (double)low[k];
  }
  for (int c = 0; c < 4; c++) {
    corner[axis[0]] = c % 2 ? high[0] : low[0];
    corner[axis[1]] = c / 2 ? high[1] : low[1];
    sum += (c % 2 ? share[0] : 1 - share[0]) * (c / 2 ? share[1] : 1 - share[1]) *
           dose->byte[GridIndex(grid, corner[0], corner[1], corner[2])];
  }
  return sum * dose->scale / prescription;
}

/* The line's colour where the dose crosses a level between this pixel and the next, right or below; step: of a pixel, in voxels. */
static void Isodose(const PlanPage *page, const ByteVolume *dose, int p, const PetscInt at[3], const double place[2],
                    const double step[2], unsigned char *rgb)
{
  const double prescription = page->number[PLAN_PRESCRIPTION_Gy_RBE];
  const double right[2] = {place[0] + step[0], place[1]}, below[2] = {place[0], place[1] + step[1]};
  const double here = PartAt(&page->grid, dose, p, at, place, prescription),
               beside = PartAt(&page->grid, dose, p, at, right, prescription),
               under = PartAt(&page->grid, dose, p, at, below, prescription);
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(isodose); k++) {
    const double level = isodose[k].percent / 100;
    if ((here < level) != (beside < level) || (here < level) != (under < level)) memcpy(rgb, isodose[k].rgb, 3);
  }
}

static PetscErrorCode AddPicture(PlanPage *page, const PageVolumes *volumes, int p)
{
  PetscFunctionBegin;
  const Grid *grid = &page->grid;
  const int a = plane[p].across, d = plane[p].down;
  const double across_mm = (double)grid->n[a] * grid->spacing_mm[a], down_mm = (double)grid->n[d] * grid->spacing_mm[d];
  double most_mm = 0; /* all slices in one scale */
  for (int k = 0; k < 3; k++) most_mm = PetscMax(most_mm, (double)grid->n[k] * grid->spacing_mm[k]);
  const double pixel_mm = most_mm / PICTURE_PIXELS;
  const PetscInt width = (PetscInt)(across_mm / pixel_mm), height = (PetscInt)(down_mm / pixel_mm);
  const unsigned char *ct = volumes->n && !strcmp(volumes->item[0].name, "ct") ? volumes->item[0].byte : NULL;
  const ByteVolume *dose = volumes->n > (ct != NULL) ? &volumes->item[ct != NULL] : NULL;
  unsigned char *rgb;
  char alternative[256];
  PetscCall(PetscMalloc1(3 * width * height, &rgb));
  for (PetscInt y = 0; y < height; y++)
    for (PetscInt x = 0; x < width; x++) {
      const double place[2] = {((double)x + 0.5) * pixel_mm / grid->spacing_mm[a],
                               ((double)(plane[p].flip ? height - 1 - y : y) + 0.5) * pixel_mm / grid->spacing_mm[d]};
      PetscInt at[3];
      at[a] = PetscMin((PetscInt)place[0], grid->n[a] - 1);
      at[d] = PetscMin((PetscInt)place[1], grid->n[d] - 1);
      at[plane[p].normal] = volumes->middle[plane[p].normal];
      unsigned char *pixel = rgb + 3 * (y * width + x);
      Paint(ct, dose, page->number[PLAN_PRESCRIPTION_Gy_RBE], GridIndex(grid, at[0], at[1], at[2]), pixel);
      if (dose)
        Isodose(page, dose, p, at, place,
                (const double[2]){pixel_mm / grid->spacing_mm[a], pixel_mm / grid->spacing_mm[d]}, pixel);
      Outline(page, p, at, (const double[2]){place[0] - floor(place[0]), place[1] - floor(place[1])}, pixel);
    }
  snprintf(alternative, sizeof alternative,
           "%s slice through the middle of the target with RBE-weighted dose, isodoses and outlines; %s", plane[p].name,
           plane[p].sides);
  PetscCall(TextAdd(&page->text, "<figure data-plane='%d'>", p));
  PetscCall(HTMLPicture(&page->text, width, height, rgb, alternative));
  PetscCall(TextAdd(&page->text, "<figcaption>%s, %.0f × %.0f mm; %s</figcaption></figure>\n", plane[p].name, across_mm,
                    down_mm, plane[p].sides));
  PetscCall(PetscFree(rgb));
  PetscFunctionReturn(0);
}

/* The wash's colours with doses, and the structures' outlines. */
static PetscErrorCode AddLegend(PlanPage *page)
{
  PetscFunctionBegin;
  const double prescription = page->number[PLAN_PRESCRIPTION_Gy_RBE];
  PetscCall(TextAdd(&page->text, "<ul class='legend' id='wash-legend'>"));
  for (int k = 1; k <= 11; k += k < 9 ? 2 : 1) {
    double rgb[3];
    WashColour(0.1 * k / 1.1, rgb);
    PetscCall(TextAdd(&page->text,
                      "<li><span class='swatch' style='background:rgb(%.0f,%.0f,%.0f)'></span>%d %%, %.3g Gy(RBE)</li>",
                      rgb[0], rgb[1], rgb[2], 10 * k, 0.1 * k * prescription));
  }
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(isodose); k++)
    PetscCall(TextAdd(&page->text,
                      "<li><span class='swatch line' style='background:rgb(%d,%d,%d)'></span>line: %g %%</li>",
                      isodose[k].rgb[0], isodose[k].rgb[1], isodose[k].rgb[2], isodose[k].percent));
  PetscCall(TextAdd(&page->text, "</ul>\n<ul class='legend' id='outlines'>"));
  for (PetscInt s = 0; s < page->n_structure; s++) {
    PetscCall(
        TextAdd(&page->text, "<li><span class='swatch' style='background:%s'></span>", page->structure[s].colour));
    PetscCall(HTMLText(&page->text, page->structure[s].on_file.name));
    const double volume_cm3 = page->structure[s].on_file.volume_cm3;
    PetscCall(TextAdd(&page->text, volume_cm3 < 1000 ? ", %.4g cm³</li>" : ", %.0f cm³</li>", volume_cm3));
  }
  PetscCall(TextAdd(&page->text, "</ul>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode PageSlices(PlanPage *page)
{
  PetscFunctionBegin;
  PageVolumes volumes;
  PetscCall(HTMLSection(&page->text, "slices", "Slices"));
  PetscCall(PageVolumesCreate(page, &volumes));
  PetscCall(TextAdd(&page->text, "<div id='viewer'></div>\n<div class='slices'>\n"));
  for (int p = 0; p < N_PLANES && !MistakesAny(page->mistakes); p++) PetscCall(AddPicture(page, &volumes, p));
  PetscCall(TextAdd(&page->text, "</div>\n"));
  PetscCall(AddLegend(page));
  PetscCall(PageVolumesAdd(page, &volumes));
  PetscCall(HTMLSectionEnd(&page->text));
  PetscCall(PageVolumesDestroy(&volumes));
  PetscFunctionReturn(0);
}
