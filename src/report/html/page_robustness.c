/*
 * How much errors change a plan: of every dose metric the index, highest minus lowest value over the evaluation scenarios, as in
 * metrics.csv; of every dose-volume histogram where its band is widest and the area of the band, from dvh.csv.
 */
#include "page_private.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The band of a structure's histogram. */
typedef struct Band {
  double widest, at; /* % of the volume; at this dose */
  double area;       /* % of the volume times dose */
  const char *unit;
  PetscInt n; /* rows */
} Band;

/* By the trapezoidal rule. */
static Band MeasureBand(const Table *dvh, const char *structure)
{
  Band band = {.unit = ""};
  double before = 0, dose_before = 0;
  for (PetscInt row = 0; row < dvh->n_rows; row++) {
    if (strcmp(Cell(dvh, row, DVH_STRUCTURE), structure) ||
        strcmp(Cell(dvh, row, DVH_QUANTITY), quantities[QUANTITY_RBE_WEIGHTED].name))
      continue;
    const double dose = strtod(Cell(dvh, row, DVH_DOSE), NULL);
    const double width = strtod(Cell(dvh, row, DVH_HIGHEST), NULL) - strtod(Cell(dvh, row, DVH_LOWEST), NULL);
    if (width > band.widest) band.widest = width, band.at = dose;
    if (band.n++) band.area += 0.5 * (width + before) * (dose - dose_before);
    before = width, dose_before = dose;
    band.unit = Cell(dvh, row, DVH_UNIT);
  }
  return band;
}

static PetscErrorCode AddRow(PlanPage *page, const char *structure, PetscInt n, const char *const *metric)
{
  PetscFunctionBegin;
  const char *const quantity = quantities[QUANTITY_RBE_WEIGHTED].name;
  const PetscInt block = PageBlock(page, "index");
  const Band band = MeasureBand(&page->table[PLAN_DVH], structure);
  PetscCall(TextAdd(&page->text, "<tr>"));
  PetscCall(HTMLElement(&page->text, "th", "scope='row'", structure));
  for (PetscInt k = 0; k < n; k++)
    PetscCall(
        HTMLElement(&page->text, "td", "class='number'", PageMetric(page, block, structure, quantity, metric[k])));
  if (band.n)
    PetscCall(TextAdd(&page->text, "<td class='number'>%.1f %% at %.3g %s</td><td class='number'>%.3g</td>",
                      band.widest, band.at, band.unit, band.area / 100));
  else
    PetscCall(TextAdd(&page->text, "<td></td><td></td>"));
  PetscCall(TextAdd(&page->text, "</tr>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode PageRobustness(PlanPage *page)
{
  PetscFunctionBegin;
  const char *column[PAGE_METRICS_MOST + 3] = {"Structure"}, *const dose = quantities[QUANTITY_RBE_WEIGHTED].name;
  const PetscInt block = PageBlock(page, "index");
  PetscInt row = 0;
  PageMetricColumns of;
  PetscCall(PageMetricColumnsCreate(page, block, dose, &of));
  PetscCall(HTMLSection(&page->text, "robustness", "Robustness"));
  if (of.n) {
    for (PetscInt k = 0; k < of.n; k++) column[k + 1] = of.header[k].data;
    column[of.n + 1] = "Widest DVH band", column[of.n + 2] = "DVH band's area / Gy(RBE)";
    PetscCall(TextAdd(&page->text,
                      "<p>What errors of setup and range can change: the index of a metric is its highest minus its "
                      "lowest value over the evaluation scenarios, 0 if they change nothing. The area of a band is the "
                      "mean difference in dose between its two edges.</p>\n"));
    PetscCall(HTMLTable(&page->text, "Robustness index of RBE-weighted dose per fraction, and bands of histograms",
                        of.n + 3, column));
    for (const char *name; (name = PageMetricStructure(page, block, dose, &row));)
      PetscCall(AddRow(page, name, of.n, of.metric));
    PetscCall(HTMLTableEnd(&page->text));
  } else
    PetscCall(TextAdd(&page->text,
                      "<p>The plan was evaluated in a single scenario: nothing is known of its robustness.</p>\n"));
  PetscCall(PageMetricColumnsDestroy(&of));
  PetscCall(HTMLSectionEnd(&page->text));
  PetscFunctionReturn(0);
}
