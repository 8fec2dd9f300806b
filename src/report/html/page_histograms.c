/* Dose-volume and LET-volume histograms of a plan's page: charts, and the same numbers for scripts. */
#include "page_private.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The bands of one quantity: a series for each structure that dvh.csv has, curves one behind the other. */
typedef struct Bands {
  PetscInt n;
  ChartSeries *series;
  double *number; /* owns all curves: 4 per row of the table */
  double most;    /* where the last curve has fallen to nothing */
} Bands;

static PetscErrorCode ReadBands(const PlanPage *page, const char *quantity, Bands *bands)
{
  PetscFunctionBegin;
  const Table *dvh = &page->table[PLAN_DVH];
  const PetscInt column[4] = {DVH_DOSE, DVH_NOMINAL, DVH_LOWEST, DVH_HIGHEST}, rows = dvh->n_rows;
  *bands = (Bands){0};
  PetscCall(PetscMalloc1(4 * PetscMax(rows, 1), &bands->number));
  PetscCall(PetscCalloc1(PetscMax(page->n_structure, 1), &bands->series));
  for (PetscInt row = 0; row < rows; row++) {
    const char *const name = Cell(dvh, row, DVH_STRUCTURE);
    const PageStructure *s = PageStructureFind(page, name);
    if (!s || strcmp(Cell(dvh, row, DVH_QUANTITY), quantity)) continue;
    ChartSeries *series = bands->n ? &bands->series[bands->n - 1] : NULL;
    if (!series || strcmp(series->name, name)) {
      series = &bands->series[bands->n++];
      *series = (ChartSeries){name,
                              s->colour,
                              0,
                              bands->number + row,
                              bands->number + rows + row,
                              bands->number + 2 * rows + row,
                              bands->number + 3 * rows + row};
    }
    for (int c = 0; c < 4; c++) bands->number[c * rows + row] = strtod(Cell(dvh, row, column[c]), NULL);
    if (bands->number[3 * rows + row] > 0.01) bands->most = PetscMax(bands->most, bands->number[row]);
    series->n++;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode AddNumbers(Text *json, const char *key, PetscInt n, const double *value)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(json, ",\"%s\":[", key));
  for (PetscInt i = 0; i < n; i++) PetscCall(TextAdd(json, "%s%.6g", i ? "," : "", value[i]));
  PetscCall(TextAdd(json, "]"));
  PetscFunctionReturn(0);
}

/* Histograms of single scenarios, steps of 1/600 %, in an element that "scenarios" of the series names; none: NULL. */
static PetscErrorCode AddScenarios(PlanPage *page, Quantity q, const char *id, PetscInt k, const Bands *bands,
                                   Text *json)
{
  PetscFunctionBegin;
  PetscInt n_scenario, n;
  float *percent;
  unsigned char *bytes;
  char element[96];
  size_t length;
  const ChartSeries *series = &bands->series[k];
  if (PlanReadScenarioDVHs(&page->plan, series->name, q, page->mistakes, &n_scenario, &n, &percent) && n == series->n) {
    PetscCall(PetscMalloc1(2 * n_scenario * n, &bytes));
    for (PetscInt i = 0; i < n_scenario * n; i++) {
      const long value = lround(600 * (double)PetscMin(PetscMax(percent[i], 0), 100));
      bytes[2 * i] = (unsigned char)(value & 255), bytes[2 * i + 1] = (unsigned char)(value >> 8);
    }
    snprintf(element, sizeof element, "%s-%d", id, (int)k);
    PetscCall(HTMLBytes(&page->text, element, bytes, (size_t)(2 * n_scenario * n), &length));
    PetscCall(TextAdd(json, ",\"scenarios\":\"%s\"", element));
    PetscCall(PetscFree(bytes));
  }
  PetscCall(PetscFree(percent));
  PetscFunctionReturn(0);
}

/* {"label": ..., "series": [{"name": ..., "colour": ..., "x": [...], "y": ..., "low": ..., "high": ...}]} */
static PetscErrorCode AddData(PlanPage *page, Quantity q, const char *id, const char *label, const Bands *bands)
{
  PetscFunctionBegin;
  Text json = {0};
  PetscCall(TextAdd(&json, "{\"label\":"));
  PetscCall(TextAddJSON(&json, label));
  PetscCall(TextAdd(&json, ",\"series\":["));
  for (PetscInt i = 0; i < bands->n; i++) {
    const ChartSeries *s = &bands->series[i];
    PetscCall(TextAdd(&json, "%s{\"name\":", i ? "," : ""));
    PetscCall(TextAddJSON(&json, s->name));
    PetscCall(TextAdd(&json, ",\"colour\":\"%s\"", s->colour));
    PetscCall(AddNumbers(&json, "x", s->n, s->x));
    PetscCall(AddNumbers(&json, "y", s->n, s->y));
    PetscCall(AddNumbers(&json, "low", s->n, s->low));
    PetscCall(AddNumbers(&json, "high", s->n, s->high));
    PetscCall(AddScenarios(page, q, id, i, bands, &json));
    PetscCall(TextAdd(&json, "}"));
  }
  PetscCall(TextAdd(&json, "]}"));
  PetscCall(HTMLData(&page->text, id, json.data));
  PetscCall(TextDestroy(&json));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddQuantity(PlanPage *page, Quantity q)
{
  PetscFunctionBegin;
  Bands bands;
  char title[256], id[64], label[200];
  const QuantityRow *row = &quantities[q];
  PetscCall(ReadBands(page, row->name, &bands));
  snprintf(id, sizeof id, "dvh-%s", row->name);
  snprintf(
      title, sizeof title,
      "Volume that has at least so much %s: nominal scenario, bands from the lowest to the highest of all scenarios",
      row->meaning);
  snprintf(label, sizeof label, "%s / %s", row->meaning, row->unit);
  if (bands.n && bands.most > 0) {
    const Chart chart = {.title = title,
                         .x_label = label,
                         .y_label = "volume / %",
                         .x_most = 1.02 * bands.most,
                         .y_most = 100,
                         .n = bands.n,
                         .series = bands.series};
    PetscCall(TextAdd(&page->text, "<div class='dvh' data-of='%s'>\n", id));
    PetscCall(HTMLChart(&page->text, &chart));
    PetscCall(TextAdd(&page->text, "</div>\n"));
    PetscCall(AddData(page, q, id, label, &bands));
  }
  PetscCall(PetscFree(bands.number));
  PetscCall(PetscFree(bands.series));
  PetscFunctionReturn(0);
}

PetscErrorCode PageHistograms(PlanPage *page)
{
  PetscFunctionBegin;
  PetscCall(HTMLSection(&page->text, "histograms", "Dose-volume and LET-volume histograms"));
  if (PageNominalApart(page))
    PetscCall(TextAdd(&page->text, "<p>The nominal scenario is none of those of the evaluation: its line can lie "
                                   "outside of their band.</p>\n"));
  for (Quantity q = 0; q < n_quantities; q++) PetscCall(AddQuantity(page, q));
  PetscCall(HTMLSectionEnd(&page->text));
  PetscFunctionReturn(0);
}
