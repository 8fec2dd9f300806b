/*
 * Sweep curves of a study's page: what goals, targets and outcomes come to against what a sweep varies. An axis of the sweep has a
 * curve for each arm at each point of the other axes. Of several cases the median, with a band from quartile to quartile: what
 * statistics.csv has.
 */
#include "index_private.h"
#include "robion/statistics.h"
#include <math.h>
#include <string.h>

/* More than this, and values of an axis in these proportions are points side by side. */
static const double widest = 30;

/* An axis of the sweep: its points that have plans, and the curves over it. */
typedef struct Axis {
  PetscInt k; /* of PlanSpec.place */
  PetscInt n_point, *point;
  PetscInt n_curve, *curve; /* a plan of each */
  const char **name;        /* [n_point] of points, without that of the axis */
  double *x;                /* [n_point] where they are */
  PetscBool numbers;
  Text *label; /* [n_curve] of curves */
} Axis;

static PetscBool SamePlace(const PlanSpec *a, const PlanSpec *b, PetscInt k)
{
  return strcmp(a->place[k].label, b->place[k].label) ? PETSC_FALSE : PETSC_TRUE;
}

/* The same arm at the same points of all axes but this one. */
static PetscBool SameCurve(const PlanSpec *a, const PlanSpec *b, PetscInt k)
{
  for (PetscInt other = 0; other < a->n_place; other++)
    if (other != k && !SamePlace(a, b, other)) return PETSC_FALSE;
  return strcmp(a->arm, b->arm) ? PETSC_FALSE : PETSC_TRUE;
}

static const char *PointName(const SweepPlace *place)
{
  const size_t length = strlen(place->axis);
  return strncmp(place->label, place->axis, length) || place->label[length] != '=' ? place->label
                                                                                   : place->label + length + 1;
}

/* Numbers to scale where that shows them, else points side by side, in the order of the study. */
static void PlacePoints(const PlanSpec *plans, Axis *axis)
{
  double low = INFINITY, high = 0;
  axis->numbers = PETSC_TRUE;
  for (PetscInt i = 0; i < axis->n_point; i++) {
    const SweepPlace *place = &plans[axis->point[i]].place[axis->k];
    axis->name[i] = PointName(place);
    axis->x[i] = place->value;
    if (isnan(place->value)) axis->numbers = PETSC_FALSE;
    if (place->value != 0) low = PetscMin(low, fabs(place->value)), high = PetscMax(high, fabs(place->value));
  }
  if (high > widest * low) axis->numbers = PETSC_FALSE;
  for (PetscInt i = 0; !axis->numbers && i < axis->n_point; i++) axis->x[i] = (double)i;
}

static PetscErrorCode LabelCurves(const PlanSpec *plans, Axis *axis)
{
  PetscFunctionBegin;
  for (PetscInt c = 0; c < axis->n_curve; c++) {
    const PlanSpec *plan = &plans[axis->curve[c]];
    PetscCall(TextAdd(&axis->label[c], "%s", plan->arm));
    for (PetscInt other = 0; other < plan->n_place; other++)
      if (other != axis->k) PetscCall(TextAdd(&axis->label[c], ", %s", plan->place[other].label));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode AxisCreate(const StudyPage *page, PetscInt k, Axis *axis)
{
  PetscFunctionBegin;
  const PlanSpec *plans = page->study->plans;
  *axis = (Axis){.k = k};
  PetscCall(PetscMalloc4(page->n_variant, &axis->point, page->n_variant, &axis->curve, page->n_variant, &axis->name,
                         page->n_variant, &axis->x));
  PetscCall(PetscCalloc1(page->n_variant, &axis->label));
  for (PetscInt v = 0; v < page->n_variant; v++) {
    const PlanSpec *plan = &plans[page->variant[v]];
    PetscInt i = 0, c = 0;
    while (i < axis->n_point && !SamePlace(plan, &plans[axis->point[i]], k)) i++;
    while (c < axis->n_curve && !SameCurve(plan, &plans[axis->curve[c]], k)) c++;
    if (i == axis->n_point) axis->point[axis->n_point++] = page->variant[v];
    if (c == axis->n_curve) axis->curve[axis->n_curve++] = page->variant[v];
  }
  PlacePoints(plans, axis);
  PetscCall(LabelCurves(plans, axis));
  PetscFunctionReturn(0);
}

static PetscErrorCode AxisDestroy(Axis *axis)
{
  PetscFunctionBegin;
  for (PetscInt c = 0; c < axis->n_curve; c++) PetscCall(TextDestroy(&axis->label[c]));
  PetscCall(PetscFree(axis->label));
  PetscCall(PetscFree4(axis->point, axis->curve, axis->name, axis->x));
  PetscFunctionReturn(0);
}

/* What a topic comes to on a curve at a point: d.n cases, 0: there is no such plan. */
static PetscErrorCode Describe(const StudyPage *page, const Topic *topic, const Axis *axis, PetscInt c, PetscInt i,
                               Description *d)
{
  PetscFunctionBegin;
  const PetscInt n_plans = page->study->n_plans;
  const PlanSpec *plans = page->study->plans;
  double *value;
  PetscInt *of;
  *d = (Description){0};
  PetscCall(PetscMalloc2(n_plans, &value, n_plans, &of));
  for (PetscInt v = 0; v < page->n_variant; v++) {
    const PlanSpec *plan = &plans[page->variant[v]];
    if (!SamePlace(plan, &plans[axis->point[i]], axis->k) || !SameCurve(plan, &plans[axis->curve[c]], axis->k))
      continue;
    const PetscInt n = IndexValues(page, topic, plan, value, of);
    if (n) PetscCall(DescriptionOf(n, value, d));
  }
  PetscCall(PetscFree2(value, of));
  PetscFunctionReturn(0);
}

/* The numbers of the curves, as they stand in the tables of the plans or in statistics.csv. */
static PetscErrorCode AddTable(StudyPage *page, const char *title, const Axis *axis, const Description *d)
{
  PetscFunctionBegin;
  const char **column;
  Text caption = {0};
  PetscCall(PetscMalloc1(axis->n_curve + 1, &column));
  column[0] = page->study->plans[axis->point[0]].place[axis->k].axis;
  for (PetscInt c = 0; c < axis->n_curve; c++) column[c + 1] = axis->label[c].data;
  PetscCall(TextAdd(&caption, "%s; of several cases the median", title));
  PetscCall(HTMLTable(&page->text, caption.data, axis->n_curve + 1, column));
  for (PetscInt i = 0; i < axis->n_point; i++) {
    PetscCall(TextAdd(&page->text, "<tr>"));
    PetscCall(HTMLElement(&page->text, "th", "scope='row'", axis->name[i]));
    for (PetscInt c = 0; c < axis->n_curve; c++) {
      const Description *of = &d[c * axis->n_point + i];
      PetscCall(TextAdd(&page->text, of->n ? "<td class='number'>%.9g</td>" : "<td></td>", of->median));
    }
    PetscCall(TextAdd(&page->text, "</tr>\n"));
  }
  PetscCall(HTMLTableEnd(&page->text));
  PetscCall(PetscFree(column));
  PetscCall(TextDestroy(&caption));
  PetscFunctionReturn(0);
}

/* Curves of the points that there are, from low x to high. */
static PetscErrorCode FillSeries(const Axis *axis, const Description *d, double *number, ChartSeries *series)
{
  PetscFunctionBegin;
  const PetscInt n = axis->n_point;
  PetscInt *order;
  double *key;
  PetscCall(PetscMalloc2(n, &order, n, &key));
  for (PetscInt i = 0; i < n; i++) order[i] = i, key[i] = axis->x[i];
  PetscCall(PetscSortRealWithArrayInt(n, key, order));
  for (PetscInt c = 0; c < axis->n_curve; c++) {
    double *x = number + 4 * c * n, *y = x + n, *low = y + n, *high = low + n;
    PetscInt used = 0, most = 0;
    for (PetscInt i = 0; i < n; i++) {
      const Description *of = &d[c * n + order[i]];
      if (!of->n) continue;
      x[used] = axis->x[order[i]], y[used] = of->median, low[used] = of->q1, high[used++] = of->q3;
      most = PetscMax(most, of->n);
    }
    const PetscBool band = most > 1 ? PETSC_TRUE : PETSC_FALSE;
    series[c] = (ChartSeries){axis->label[c].data, ReportColour(c), used, x, y, band ? low : NULL, band ? high : NULL};
  }
  PetscCall(PetscFree2(order, key));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddCurves(StudyPage *page, const char *title, const Axis *axis, const Description *d)
{
  PetscFunctionBegin;
  const PetscInt n = axis->n_point;
  double *number, low = INFINITY, high = -INFINITY, x_low = INFINITY, x_high = -INFINITY, x[2], y[2];
  ChartSeries *series;
  PetscCall(PetscMalloc2(4 * n * axis->n_curve, &number, axis->n_curve, &series));
  PetscCall(FillSeries(axis, d, number, series));
  for (PetscInt i = 0; i < n * axis->n_curve; i++)
    if (d[i].n) low = PetscMin(low, d[i].q1), high = PetscMax(high, d[i].q3);
  for (PetscInt i = 0; i < n; i++) x_low = PetscMin(x_low, axis->x[i]), x_high = PetscMax(x_high, axis->x[i]);
  ChartRange(x_low, x_high, x);
  ChartRange(low, high, y);
  if (high >= low)
    PetscCall(HTMLChart(&page->text, &(Chart){.title = title,
                                              .x_label = page->study->plans[axis->point[0]].place[axis->k].axis,
                                              .y_label = title,
                                              .x_least = x[0],
                                              .x_most = x[1],
                                              .y_least = y[0],
                                              .y_most = y[1],
                                              .points = PETSC_TRUE,
                                              .n_x = axis->numbers ? 0 : n,
                                              .x_name = axis->name,
                                              .n = axis->n_curve,
                                              .series = series}));
  PetscCall(PetscFree2(number, series));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddTopicCurves(StudyPage *page, const Topic *topic, const Axis *axis)
{
  PetscFunctionBegin;
  Description *d;
  Text title = {0};
  PetscCall(PetscMalloc1(axis->n_point * axis->n_curve, &d));
  for (PetscInt c = 0; c < axis->n_curve; c++)
    for (PetscInt i = 0; i < axis->n_point; i++)
      PetscCall(Describe(page, topic, axis, c, i, &d[c * axis->n_point + i]));
  PetscCall(IndexAddTopic(&title, topic));
  PetscCall(AddCurves(page, title.data, axis, d));
  PetscCall(TextAdd(&page->text, "<details><summary>Values of the curves</summary>\n"));
  PetscCall(AddTable(page, title.data, axis, d));
  PetscCall(TextAdd(&page->text, "</details>\n"));
  PetscCall(TextDestroy(&title));
  PetscCall(PetscFree(d));
  PetscFunctionReturn(0);
}

PetscErrorCode IndexSweep(StudyPage *page)
{
  PetscFunctionBegin;
  const PetscInt n_axis = page->n_variant ? page->study->plans[0].n_place : 0;
  if (!n_axis) PetscFunctionReturn(0);
  PetscCall(HTMLSection(&page->text, "sweep", "Sweep curves"));
  PetscCall(TextAdd(&page->text,
                    "<p>The same numbers against what the sweep varies, a curve for each arm; of several cases their "
                    "median, with a band from quartile to quartile.</p>\n"));
  for (PetscInt k = 0; k < n_axis; k++) {
    Axis axis;
    PetscCall(AxisCreate(page, k, &axis));
    if (axis.n_point > 1) {
      PetscCall(HTMLElement(&page->text, "h3", NULL, page->study->plans[0].place[k].axis));
      for (PetscInt i = 0; i < page->n_topic; i++) PetscCall(AddTopicCurves(page, &page->topic[i], &axis));
    }
    PetscCall(AxisDestroy(&axis));
  }
  PetscCall(HTMLSectionEnd(&page->text));
  PetscFunctionReturn(0);
}
