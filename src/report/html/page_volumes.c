/*
 * All volumes of a plan's page as bytes for scripts. A byte stands for 1/255 of the volume's maximum; HU for 10 each from -1000 on.
 */
#include "page_private.h"
#include <math.h>
#include <string.h>

enum { MOST_OTHER = 4, MOST_STRIDE = 8 };

static PetscErrorCode AddCT(PlanPage *page, PageVolumes *volumes)
{
  PetscFunctionBegin;
  short *hu;
  ByteVolume *v = &volumes->item[volumes->n];
  if (!PlanReadCT(&page->plan, page->mistakes, &page->grid, &hu)) PetscFunctionReturn(0);
  *v = (ByteVolume){.name = "ct", .unit = "HU", .label = "CT", .scale = 10};
  PetscCall(PetscMalloc1(GridSize(&page->grid), &v->byte));
  for (size_t i = 0; i < GridSize(&page->grid); i++)
    v->byte[i] = (unsigned char)PetscMin(PetscMax((hu[i] + 1000) / 10, 0), 255);
  PetscCall(PetscFree(hu));
  volumes->n++;
  PetscFunctionReturn(0);
}

/* Where the wash ends: doses a little above the prescription, others where a hundredth of their voxels is beyond. */
static double FullScale(const PlanPage *page, const ByteVolume *v, size_t n, const float *value, double most)
{
  enum { STEPS = 1000 };
  size_t count[STEPS + 1] = {0}, all = 0, above = 0;
  if (!strcmp(v->unit, quantities[QUANTITY_RBE_WEIGHTED].unit) && !v->spread)
    return 1.1 * page->number[PLAN_PRESCRIPTION_Gy_RBE];
  for (size_t i = 0; i < n && most > 0; i++)
    if (value[i] > 0) count[(size_t)(STEPS * (double)value[i] / most)]++, all++;
  int k = STEPS;
  while (k > 0 && (above += count[k]) < all / 100) k--;
  return k > 0 ? most * (k + 1) / STEPS : most;
}

/* A volume as bytes; `value` is freed. */
static PetscErrorCode Keep(const PlanPage *page, float *value, ByteVolume kept, PageVolumes *volumes)
{
  PetscFunctionBegin;
  const size_t n = GridSize(&page->grid);
  double most = 0;
  for (size_t i = 0; i < n; i++) most = PetscMax(most, (double)value[i]);
  kept.scale = most / 255;
  kept.full = FullScale(page, &kept, n, value, most);
  PetscCall(PetscMalloc1(n, &kept.byte));
  for (size_t i = 0; i < n; i++)
    kept.byte[i] = (unsigned char)(most > 0 ? lround(PetscMax((double)value[i], 0) / kept.scale) : 0);
  PetscCall(PetscFree(value));
  volumes->item[volumes->n++] = kept;
  PetscFunctionReturn(0);
}

/* What doses over the scenarios are called; the nominal ones by their quantity. */
static const char *const dose_names[N_PLAN_DOSES] = {
    [PLAN_NOMINAL] = "rbe_weighted",
    [PLAN_LOWEST] = "lowest of all scenarios",
    [PLAN_HIGHEST] = "highest of all scenarios",
    [PLAN_SD] = "standard deviation over all scenarios",
};

static PetscErrorCode AddDose(PlanPage *page, PlanDoses doses, Quantity q, PageVolumes *volumes)
{
  PetscFunctionBegin;
  float *dose;
  ByteVolume v = {.name = doses == PLAN_NOMINAL ? quantities[q].name : dose_names[doses],
                  .unit = quantities[q].unit,
                  .spread = doses == PLAN_SD ? PETSC_TRUE : PETSC_FALSE};
  snprintf(v.label, sizeof v.label, "%.80s, %.80s", quantities[q].meaning,
           doses == PLAN_NOMINAL ? "nominal" : dose_names[doses]);
  if (volumes->n == PAGE_VOLUMES_MOST || !PlanHasDose(&page->plan, doses, q)) PetscFunctionReturn(0);
  if (PlanReadDose(&page->plan, doses, q, page->mistakes, &page->grid, &dose)) PetscCall(Keep(page, dose, v, volumes));
  PetscFunctionReturn(0);
}

/* Positron emitters of the nominal scenario, and what a scanner sees of them. */
static PetscErrorCode AddActivity(PlanPage *page, PageVolumes *volumes)
{
  PetscFunctionBegin;
  static const struct {
    const char *kind, *label;
  } kinds[] = {{ACTIVITY_NUCLEI, "%.40s nuclei at rest per fraction, nominal"},
               {ACTIVITY_IMAGE, "decays in the window %.80s as the scanner sees them, nominal"}};
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(kinds); k++) {
    H5Names names;
    PetscCall(PlanActivityNames(&page->plan, "nominal", kinds[k].kind, page->mistakes, &names));
    for (PetscInt i = 0; i < names.n && volumes->n < PAGE_VOLUMES_MOST; i++) {
      ByteVolume v = {.name = kinds[k].kind, .unit = "1/mm3", .spare = PETSC_TRUE};
      char map[PLAN_PATH];
      float *value;
      snprintf(map, sizeof map, "%s/%s", kinds[k].kind, names.name[i]);
      snprintf(v.label, sizeof v.label, kinds[k].label, names.name[i]);
      if (PlanReadActivity(&page->plan, "nominal", map, page->mistakes, &page->grid, &value))
        PetscCall(Keep(page, value, v, volumes));
    }
    PetscCall(H5NamesDestroy(&names));
  }
  PetscFunctionReturn(0);
}

/* The doses of single scenarios that plan.h5 has. */
static PetscErrorCode AddScenarioDoses(PlanPage *page, PageVolumes *volumes)
{
  PetscFunctionBegin;
  const Table *scenarios = &page->table[PLAN_SCENARIOS];
  const QuantityRow *dose = &quantities[QUANTITY_RBE_WEIGHTED];
  for (PetscInt row = 0; row < scenarios->n_rows && volumes->n < PAGE_VOLUMES_MOST; row++) {
    const char *const id = Cell(scenarios, row, SCENARIO_ID);
    ByteVolume *v = &volumes->item[volumes->n];
    if (strcmp(Cell(scenarios, row, SCENARIO_SET), "evaluate") || !PlanHasScenarioDose(&page->plan, id)) continue;
    *v = (ByteVolume){.name = "scenario", .unit = dose->unit, .scenario = id, .spare = PETSC_TRUE};
    v->full = FullScale(page, v, 0, NULL, 0);
    snprintf(v->label, sizeof v->label, "%.80s, scenario %.80s", dose->meaning, id);
    if (PlanReadScenarioDose(&page->plan, id, page->mistakes, &page->grid, &v->scale, &v->byte)) volumes->n++;
  }
  PetscFunctionReturn(0);
}

static PetscBool SameGrid(const Grid *a, const Grid *b)
{
  for (int k = 0; k < 3; k++)
    if (a->n[k] != b->n[k] || fabs(a->spacing_mm[k] - b->spacing_mm[k]) > 1e-9 ||
        fabs(a->origin_mm[k] - b->origin_mm[k]) > 1e-6)
      return PETSC_FALSE;
  return PETSC_TRUE;
}

/* Those doses of another plan. What is wrong with it its own page tells. */
static PetscErrorCode AddOther(PlanPage *page, const PlanPageOther *other, PageVolumes *volumes)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN];
  const char *const unit = quantities[QUANTITY_RBE_WEIGHTED].unit;
  Mistakes unheard = {0};
  PlanReader plan;
  PlanFilePath(other->folder, PLAN_H5, file);
  if (PlanReaderOpen(file, &unheard, &plan)) {
    for (int k = 0; k < N_PLAN_DOSES && volumes->n < PAGE_VOLUMES_MOST; k++) {
      Grid grid;
      float *dose = NULL;
      if (!PlanHasDose(&plan, (PlanDoses)k, QUANTITY_RBE_WEIGHTED) || !PlanReadGrid(&plan, &unheard, &grid) ||
          !PlanReadDose(&plan, (PlanDoses)k, QUANTITY_RBE_WEIGHTED, &unheard, &grid, &dose))
        continue;
      if (SameGrid(&grid, &page->grid))
        PetscCall(Keep(page, dose,
                       (ByteVolume){.name = dose_names[k], .unit = unit, .plan = other->name, .spare = PETSC_TRUE},
                       volumes));
      else
        PetscCall(PetscFree(dose));
    }
    (void)PlanReaderClose(&plan, &unheard);
  }
  PetscCall(MistakesClear(&unheard));
  PetscFunctionReturn(0);
}

/* The middle of the target, else of the grid. */
static void FindMiddle(const PlanPage *page, PetscInt middle[3])
{
  const PageStructure *target = PageStructureFind(page, page->word[PLAN_TARGET]);
  const Grid *grid = &page->grid;
  double sum[4] = {0};
  for (size_t v = 0; target && target->share && v < GridSize(grid); v++) {
    const size_t nx = (size_t)grid->n[0], ny = (size_t)grid->n[1];
    const double share = (double)target->share[v];
    sum[0] += share * (double)(v % nx), sum[1] += share * (double)(v / nx % ny),
        sum[2] += share * (double)(v / nx / ny);
    sum[3] += share;
  }
  for (int a = 0; a < 3; a++) middle[a] = sum[3] > 0 ? (PetscInt)lround(sum[a] / sum[3]) : grid->n[a] / 2;
}

PetscErrorCode PageVolumesCreate(PlanPage *page, PageVolumes *volumes)
{
  PetscFunctionBegin;
  *volumes = (PageVolumes){.stride = 1};
  PetscCall(AddCT(page, volumes));
  for (Quantity q = 0; q < n_quantities; q++) PetscCall(AddDose(page, PLAN_NOMINAL, q, volumes));
  for (int d = PLAN_LOWEST; d < N_PLAN_DOSES; d++)
    PetscCall(AddDose(page, (PlanDoses)d, QUANTITY_RBE_WEIGHTED, volumes));
  PetscCall(AddActivity(page, volumes));
  PetscCall(AddScenarioDoses(page, volumes));
  for (PetscInt i = 0; i < PetscMin(page->spec->n_other, MOST_OTHER); i++)
    PetscCall(AddOther(page, &page->spec->other[i], volumes));
  FindMiddle(page, volumes->middle);
  PetscFunctionReturn(0);
}

PetscErrorCode PageVolumesDestroy(PageVolumes *volumes)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < volumes->n; i++) PetscCall(PetscFree(volumes->item[i].byte));
  PetscFunctionReturn(0);
}

/* Every stride-th voxel along each axis. */
static PetscErrorCode Thin(const Grid *grid, PetscInt stride, const unsigned char *byte, unsigned char **out, size_t *n)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc1(GridSize(grid), out));
  *n = 0;
  for (PetscInt k = 0; k < grid->n[2]; k += stride)
    for (PetscInt j = 0; j < grid->n[1]; j += stride)
      for (PetscInt i = 0; i < grid->n[0]; i += stride) (*out)[(*n)++] = byte[GridIndex(grid, i, j, k)];
  PetscFunctionReturn(0);
}

/* Elements of all volumes, one of each; the bytes that they take. */
static PetscErrorCode MakeElements(const PlanPage *page, const PageVolumes *volumes, Text *element, size_t *total)
{
  PetscFunctionBegin;
  char id[32];
  unsigned char *byte;
  size_t n, length;
  for (PetscInt i = 0; i < volumes->n; i++) {
    PetscCall(Thin(&page->grid, volumes->stride, volumes->item[i].byte, &byte, &n));
    snprintf(id, sizeof id, "volume-%d", (int)i);
    PetscCall(TextDestroy(&element[i]));
    PetscCall(HTMLBytes(&element[i], id, byte, n, &length));
    *total += length;
    PetscCall(PetscFree(byte));
  }
  PetscFunctionReturn(0);
}

/* Masks of structures, each an element of its own. */
static PetscErrorCode AddMasks(PlanPage *page, PetscInt stride, Text *text)
{
  PetscFunctionBegin;
  char id[32];
  unsigned char *byte, *mask;
  size_t n, length;
  PetscCall(PetscMalloc1(GridSize(&page->grid), &mask));
  for (PetscInt s = 0; s < page->n_structure; s++) {
    const float *share = page->structure[s].share;
    for (size_t v = 0; share && v < GridSize(&page->grid); v++) mask[v] = share[v] >= 0.5F;
    if (!share) continue;
    PetscCall(Thin(&page->grid, stride, mask, &byte, &n));
    snprintf(id, sizeof id, "mask-%d", (int)s);
    PetscCall(HTMLBytes(text, id, byte, n, &length));
    PetscCall(PetscFree(byte));
  }
  PetscCall(PetscFree(mask));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddDescription(PlanPage *page, const PageVolumes *volumes)
{
  PetscFunctionBegin;
  const Grid *grid = &page->grid;
  Text json = {0};
  PetscCall(TextAdd(&json,
                    "{\"n\":[%d,%d,%d],\"spacing_mm\":[%g,%g,%g],\"origin_mm\":[%g,%g,%g],\"middle\":[%d,%d,%d],"
                    "\"prescription\":%.6g,\"volumes\":[",
                    (int)((grid->n[0] + volumes->stride - 1) / volumes->stride),
                    (int)((grid->n[1] + volumes->stride - 1) / volumes->stride),
                    (int)((grid->n[2] + volumes->stride - 1) / volumes->stride),
                    (double)volumes->stride * grid->spacing_mm[0], (double)volumes->stride * grid->spacing_mm[1],
                    (double)volumes->stride * grid->spacing_mm[2], grid->origin_mm[0], grid->origin_mm[1],
                    grid->origin_mm[2], (int)(volumes->middle[0] / volumes->stride),
                    (int)(volumes->middle[1] / volumes->stride), (int)(volumes->middle[2] / volumes->stride),
                    page->number[PLAN_PRESCRIPTION_Gy_RBE]));
  for (PetscInt i = 0; i < volumes->n; i++) {
    const ByteVolume *v = &volumes->item[i];
    PetscCall(TextAdd(&json, "%s{\"name\":\"%s\",\"unit\":\"%s\",\"scale\":%.9g,\"full\":%.6g,\"spread\":%s,\"label\":",
                      i ? "," : "", v->name, v->unit, v->scale, v->full, v->spread ? "true" : "false"));
    PetscCall(TextAddJSON(&json, v->label));
    PetscCall(TextAdd(&json, ",\"plan\":"));
    PetscCall(TextAddJSON(&json, v->plan));
    PetscCall(TextAdd(&json, ",\"scenario\":"));
    PetscCall(TextAddJSON(&json, v->scenario));
    PetscCall(TextAdd(&json, "}"));
  }
  PetscCall(TextAdd(&json, "],\"structures\":["));
  for (PetscInt s = 0; s < page->n_structure; s++) {
    PetscCall(TextAdd(&json, "%s{\"colour\":\"%s\",\"name\":", s ? "," : "", page->structure[s].colour));
    PetscCall(TextAddJSON(&json, page->structure[s].on_file.name));
    PetscCall(TextAdd(&json, "}"));
  }
  PetscCall(TextAdd(&json, "]}"));
  PetscCall(HTMLData(&page->text, "volumes", json.data));
  PetscCall(TextDestroy(&json));
  PetscFunctionReturn(0);
}

/* Leave out from the end what can be spared, then every other voxel, until the volumes are small enough. */
PetscErrorCode PageVolumesAdd(PlanPage *page, PageVolumes *volumes)
{
  PetscFunctionBegin;
  Text element[PAGE_VOLUMES_MOST] = {{0}}, masks = {0};
  const PetscInt all = volumes->n;
  PetscCall(TextAdd(&masks, "%s", ""));
  for (volumes->stride = 1;; volumes->stride++) {
    size_t total = 0;
    masks.length = 0;
    PetscCall(AddMasks(page, volumes->stride, &masks));
    PetscCall(MakeElements(page, volumes, element, &total));
    total += masks.length;
    while (total > PLAN_PAGE_VOLUMES && volumes->n && volumes->item[volumes->n - 1].spare) {
      total -= element[--volumes->n].length;
      PetscCall(PetscFree(volumes->item[volumes->n].byte));
    }
    if (total <= PLAN_PAGE_VOLUMES || volumes->stride == MOST_STRIDE) break;
  }
  for (PetscInt i = 0; i < volumes->n; i++) PetscCall(TextAdd(&page->text, "%s", element[i].data));
  for (PetscInt i = 0; i < all; i++) PetscCall(TextDestroy(&element[i]));
  PetscCall(TextAdd(&page->text, "%s", masks.data));
  PetscCall(TextDestroy(&masks));
  if (volumes->n < all)
    PetscCall(TextAdd(&page->text, "<p>To keep this page small it does not have all volumes of other plans, single "
                                   "scenarios and activity.</p>\n"));
  if (volumes->stride > 1)
    PetscCall(TextAdd(&page->text,
                      "<p>To keep this page small the slices below have every %d. voxel along each axis.</p>\n",
                      (int)volumes->stride));
  PetscCall(AddDescription(page, volumes));
  PetscFunctionReturn(0);
}
