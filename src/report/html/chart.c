/* Charts as SVG: curves with bands, axes with round numbers. */
#include "robion/html.h"
#include <math.h>

enum { WIDTH = 760, HEIGHT = 420, LEFT = 64, RIGHT = 16, TOP = 16, BOTTOM = 52, MOST_TICKS = 8 };

/* Okabe and Ito's colours, and some more that differ from them in lightness. */
const char *ReportColour(PetscInt i)
{
  static const char *const colour[] = {"#D55E00", "#0072B2", "#009E73", "#CC79A7", "#8B6914", "#3F6FB5",
                                       "#7A4FB0", "#A03020", "#00707F", "#5A7A00", "#B0307A", "#444444",
                                       "#E69F00", "#56B4E9", "#7FB800", "#F06292", "#1B4F8A", "#6D4C41",
                                       "#00B8A9", "#C0A060", "#9C5FFF", "#FF6F61", "#2E6B3E", "#8E9AAF"};
  return colour[i % (PetscInt)PETSC_STATIC_ARRAY_LENGTH(colour)];
}

double ChartStep(double low, double high, PetscInt most)
{
  const double rough = (high - low) / (double)most, power = pow(10, floor(log10(rough)));
  static const double factor[] = {1, 2, 5, 10};
  for (int k = 0; k < 3; k++)
    if (rough <= factor[k] * power * (1 + 1e-9)) return factor[k] * power;
  return 10 * power;
}

void ChartRange(double low, double high, double range[2])
{
  const double more = high > low ? 0.05 * (high - low) : PetscMax(1e-6, 0.05 * fabs(high));
  range[0] = low - more;
  range[1] = high + more;
}

static double Part(double least, double most, double value)
{
  return PetscMin(PetscMax((value - least) / (most - least), 0), 1);
}

static double AcrossOf(const Chart *chart, double x)
{
  return LEFT + (WIDTH - LEFT - RIGHT) * Part(chart->x_least, chart->x_most, x);
}

static double DownOf(const Chart *chart, double y)
{
  const double share = chart->logarithmic
                           ? Part(log(chart->y_least), log(chart->y_most), log(PetscMax(y, chart->y_least)))
                           : Part(chart->y_least, chart->y_most, y);
  return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share;
}

/* A number at a tick; what is nothing but rounding is 0. */
static double Round(double value, double step)
{
  return fabs(value) < 1e-9 * step ? 0 : value;
}

static PetscErrorCode AddTickY(Text *page, const Chart *chart, double y)
{
  PetscFunctionBegin;
  const double down = DownOf(chart, y);
  PetscCall(TextAdd(
      page,
      "<line class='grid' x1='%d' x2='%d' y1='%.1f' y2='%.1f'/><text x='%d' y='%.1f' text-anchor='end'>%.6g</text>\n",
      LEFT, WIDTH - RIGHT, down, down, LEFT - 6, down + 4, y));
  PetscFunctionReturn(0);
}

/* name NULL: the number. */
static PetscErrorCode AddTickX(Text *page, const Chart *chart, double x, const char *name)
{
  PetscFunctionBegin;
  const double across = AcrossOf(chart, x);
  PetscCall(TextAdd(page,
                    "<line class='grid' x1='%.1f' x2='%.1f' y1='%d' y2='%d'/><text x='%.1f' y='%d' "
                    "text-anchor='middle'>",
                    across, across, TOP, HEIGHT - BOTTOM, across, HEIGHT - BOTTOM + 18));
  if (name)
    PetscCall(HTMLText(page, name));
  else
    PetscCall(TextAdd(page, "%.6g", x));
  PetscCall(TextAdd(page, "</text>\n"));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddTicks(Text *page, const Chart *chart)
{
  PetscFunctionBegin;
  const double across = ChartStep(chart->x_least, chart->x_most, MOST_TICKS),
               up = ChartStep(chart->y_least, chart->y_most, MOST_TICKS);
  for (PetscInt i = 0; i < chart->n_x; i++) PetscCall(AddTickX(page, chart, (double)i, chart->x_name[i]));
  for (double k = ceil(chart->x_least / across - 1e-9); !chart->n_x && k * across <= chart->x_most + 1e-9 * across; k++)
    PetscCall(AddTickX(page, chart, Round(k * across, across), NULL));
  if (chart->logarithmic)
    for (double y = pow(10, ceil(log10(chart->y_least) - 1e-9)); y <= chart->y_most * (1 + 1e-9); y *= 10)
      PetscCall(AddTickY(page, chart, y));
  else
    for (double k = ceil(chart->y_least / up - 1e-9); k * up <= chart->y_most + 1e-9 * up; k++)
      PetscCall(AddTickY(page, chart, Round(k * up, up)));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddAxes(Text *page, const Chart *chart)
{
  PetscFunctionBegin;
  PetscCall(AddTicks(page, chart));
  PetscCall(TextAdd(page, "<text x='%d' y='%d' text-anchor='middle'>", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12));
  PetscCall(HTMLText(page, chart->x_label));
  PetscCall(TextAdd(page, "</text><text transform='translate(16 %d) rotate(-90)' text-anchor='middle'>",
                    (TOP + HEIGHT - BOTTOM) / 2));
  PetscCall(HTMLText(page, chart->y_label));
  PetscCall(TextAdd(page, "</text>\n"));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddPoints(Text *page, const Chart *chart, PetscInt n, const double *x, const double *y,
                                PetscBool back)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < n; k++) {
    const PetscInt i = back ? n - 1 - k : k;
    if (x[i] > chart->x_most + 1e-9 * fabs(chart->x_most)) continue;
    PetscCall(TextAdd(page, "%.1f,%.1f ", AcrossOf(chart, x[i]), DownOf(chart, y[i])));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode AddSeries(Text *page, const Chart *chart, const ChartSeries *s)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(page, "<g><title>"));
  PetscCall(HTMLText(page, s->name));
  PetscCall(TextAdd(page, "</title>"));
  if (s->low) {
    PetscCall(TextAdd(page, "<polygon fill='%s' fill-opacity='0.2' points='", s->colour));
    PetscCall(AddPoints(page, chart, s->n, s->x, s->high, PETSC_FALSE));
    PetscCall(AddPoints(page, chart, s->n, s->x, s->low, PETSC_TRUE));
    PetscCall(TextAdd(page, "'/>"));
  }
  PetscCall(TextAdd(page, "<polyline fill='none' stroke='%s' stroke-width='1.8' points='", s->colour));
  PetscCall(AddPoints(page, chart, s->n, s->x, s->y, PETSC_FALSE));
  PetscCall(TextAdd(page, "'/>"));
  for (PetscInt i = 0; chart->points && i < s->n; i++)
    PetscCall(TextAdd(page, "<circle cx='%.1f' cy='%.1f' r='3.2' fill='%s'><title>%.6g</title></circle>",
                      AcrossOf(chart, s->x[i]), DownOf(chart, s->y[i]), s->colour, s->y[i]));
  PetscCall(TextAdd(page, "</g>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode HTMLChart(Text *page, const Chart *chart)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(page, "<figure><svg viewBox='0 0 %d %d' role='img' aria-label='", WIDTH, HEIGHT));
  PetscCall(HTMLText(page, chart->title));
  PetscCall(TextAdd(page, "'>\n"));
  PetscCall(AddAxes(page, chart));
  for (PetscInt i = 0; i < chart->n; i++) PetscCall(AddSeries(page, chart, &chart->series[i]));
  PetscCall(TextAdd(page, "</svg>\n<figcaption>"));
  PetscCall(HTMLText(page, chart->title));
  PetscCall(TextAdd(page, "</figcaption>\n<ul class='legend'>"));
  for (PetscInt i = 0; i < chart->n; i++) {
    PetscCall(TextAdd(page, "<li><span class='swatch' style='background:%s'></span>", chart->series[i].colour));
    PetscCall(HTMLText(page, chart->series[i].name));
    PetscCall(TextAdd(page, "</li>"));
  }
  PetscCall(TextAdd(page, "</ul></figure>\n"));
  PetscFunctionReturn(0);
}
