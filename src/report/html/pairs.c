/* Paired values of groups as SVG. */
#include "robion/html.h"
#include "robion/statistics.h"
#include <math.h>
#include <string.h>

enum { WIDTH = 760, INNER = 208, LEFT = 72, RIGHT = 16, TOP = 12, BOTTOM = 40, BOX = 44, LETTER = 7 };

typedef struct Frame {
  double low, high;
  double left, bottom, box; /* pixels: edges with the names, width of a box */
  PetscBool slanted;        /* names too long to stand side by side */
  PetscInt n_group;
} Frame;

static double DownOf(const Frame *frame, double value)
{
  return TOP + INNER * (frame->high - value) / (frame->high - frame->low);
}

static double AcrossOf(const Frame *frame, PetscInt group)
{
  return frame->left + (WIDTH - frame->left - RIGHT) * ((double)group + 0.5) / (double)frame->n_group;
}

/* Long names are written upwards at 45 degrees, the first of them as far to the left as there is room. */
static void PlaceNames(const HTMLPairs *pairs, Frame *frame)
{
  double longest = 0, most = 0;
  for (PetscInt k = 0; k < pairs->n_group; k++) longest = PetscMax(longest, LETTER * (strlen(pairs->name[k]) + 5.));
  const double each = (WIDTH - LEFT - RIGHT) / (double)pairs->n_group, reach = PetscMin(longest, 420) * sqrt(0.5);
  frame->slanted = longest > each ? PETSC_TRUE : PETSC_FALSE;
  if (frame->slanted) most = reach;
  frame->left = PetscMax(LEFT, most - each / 2);
  frame->bottom = BOTTOM + PetscMax(most - 15, 0);
  frame->box = PetscMin(BOX, 0.7 * (WIDTH - frame->left - RIGHT) / (double)pairs->n_group);
}

/* A little more than the values need. */
static PetscBool FrameOf(const HTMLPairs *pairs, Frame *frame)
{
  *frame = (Frame){.low = INFINITY, .high = -INFINITY, .n_group = pairs->n_group};
  PlaceNames(pairs, frame);
  for (PetscInt k = 0; k < pairs->n_group; k++)
    for (PetscInt i = 0; i < pairs->n[k]; i++) {
      frame->low = PetscMin(frame->low, pairs->value[k * pairs->stride + i]);
      frame->high = PetscMax(frame->high, pairs->value[k * pairs->stride + i]);
    }
  if (!(frame->high >= frame->low)) return PETSC_FALSE;
  double range[2];
  ChartRange(frame->low, frame->high, range);
  frame->low = range[0];
  frame->high = range[1];
  return PETSC_TRUE;
}

static PetscErrorCode AddTicks(Text *page, const Frame *frame)
{
  PetscFunctionBegin;
  const double step = ChartStep(frame->low, frame->high, 5);
  for (double value = step * ceil(frame->low / step); value <= frame->high; value += step)
    PetscCall(TextAdd(page,
                      "<line class='grid' x1='%.1f' x2='%d' y1='%.1f' y2='%.1f'/><text x='%.1f' y='%.1f' "
                      "text-anchor='end'>%.6g</text>\n",
                      frame->left, WIDTH - RIGHT, DownOf(frame, value), DownOf(frame, value), frame->left - 6,
                      DownOf(frame, value) + 4, fabs(value) < 1e-9 * step ? 0 : value));
  PetscFunctionReturn(0);
}

/* Lines from the values of one group to those of the next of the same case. */
static PetscErrorCode AddLines(Text *page, const Frame *frame, const HTMLPairs *pairs, PetscInt k)
{
  PetscFunctionBegin;
  for (PetscInt i = 0, j = 0; k + 1 < pairs->n_group && i < pairs->n[k]; i++) {
    const PetscInt a = k * pairs->stride + i, next = (k + 1) * pairs->stride;
    while (j < pairs->n[k + 1] && pairs->of[next + j] < pairs->of[a]) j++;
    if (j == pairs->n[k + 1] || pairs->of[next + j] != pairs->of[a]) continue;
    PetscCall(TextAdd(page, "<line stroke='#888' stroke-width='0.8' x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f'/>",
                      AcrossOf(frame, k), DownOf(frame, pairs->value[a]), AcrossOf(frame, k + 1),
                      DownOf(frame, pairs->value[next + j])));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode AddGroup(Text *page, const Frame *frame, const HTMLPairs *pairs, PetscInt k)
{
  PetscFunctionBegin;
  const double *value = pairs->value + k * pairs->stride, across = AcrossOf(frame, k);
  Description d;
  PetscCall(TextAdd(page, "<text transform='translate(%.1f %d) rotate(%d)' text-anchor='%s'>", across, TOP + INNER + 18,
                    frame->slanted ? -45 : 0, frame->slanted ? "end" : "middle"));
  PetscCall(HTMLText(page, pairs->name[k]));
  PetscCall(TextAdd(page, " (%d)</text>", (int)pairs->n[k]));
  if (!pairs->n[k]) PetscFunctionReturn(0);
  PetscCall(DescriptionOf(pairs->n[k], value, &d));
  PetscCall(TextAdd(page,
                    "<rect x='%.1f' y='%.1f' width='%.1f' height='%.1f' fill='%s' fill-opacity='0.25' stroke='%s'/>",
                    across - frame->box / 2, DownOf(frame, d.q3), frame->box,
                    PetscMax(DownOf(frame, d.q1) - DownOf(frame, d.q3), 1), ReportColour(k), ReportColour(k)));
  PetscCall(TextAdd(page, "<line x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f' stroke='%s' stroke-width='2.5'/>\n",
                    across - frame->box / 2, across + frame->box / 2, DownOf(frame, d.median), DownOf(frame, d.median),
                    ReportColour(k)));
  for (PetscInt i = 0; i < pairs->n[k]; i++)
    PetscCall(TextAdd(page, "<circle cx='%.1f' cy='%.1f' r='2.6' fill='%s'><title>%.6g</title></circle>", across,
                      DownOf(frame, value[i]), ReportColour(k), value[i]));
  PetscCall(TextAdd(page, "\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode HTMLPairsPlot(Text *page, const HTMLPairs *pairs)
{
  PetscFunctionBegin;
  Frame frame;
  if (!FrameOf(pairs, &frame)) PetscFunctionReturn(0);
  PetscCall(TextAdd(page, "<figure><figcaption>"));
  PetscCall(HTMLText(page, pairs->title));
  PetscCall(TextAdd(page, "</figcaption><svg viewBox='0 0 %d %.0f' role='img' aria-label='", WIDTH,
                    TOP + INNER + frame.bottom));
  PetscCall(HTMLText(page, pairs->title));
  PetscCall(TextAdd(page, "'>\n"));
  PetscCall(AddTicks(page, &frame));
  for (PetscInt k = 0; k < pairs->n_group; k++) PetscCall(AddLines(page, &frame, pairs, k));
  for (PetscInt k = 0; k < pairs->n_group; k++) PetscCall(AddGroup(page, &frame, pairs, k));
  PetscCall(TextAdd(page, "</svg></figure>\n"));
  PetscFunctionReturn(0);
}
