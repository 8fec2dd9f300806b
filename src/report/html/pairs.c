/* Paired values of groups as SVG. */
#include "robion/html.h"
#include "robion/statistics.h"
#include <math.h>

enum { WIDTH = 760, HEIGHT = 260, LEFT = 72, RIGHT = 16, TOP = 12, BOTTOM = 40, BOX = 44 };

typedef struct Frame {
  double low, high;
  PetscInt n_group;
} Frame;

static double DownOf(const Frame *frame, double value)
{
  return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (value - frame->low) / (frame->high - frame->low);
}

static double AcrossOf(const Frame *frame, PetscInt group)
{
  return LEFT + (WIDTH - LEFT - RIGHT) * ((double)group + 0.5) / (double)frame->n_group;
}

/* A little more than the values need. */
static PetscBool FrameOf(const HTMLPairs *pairs, Frame *frame)
{
  *frame = (Frame){INFINITY, -INFINITY, pairs->n_group};
  for (PetscInt k = 0; k < pairs->n_group; k++)
    for (PetscInt i = 0; i < pairs->n[k]; i++) {
      frame->low = PetscMin(frame->low, pairs->value[k * pairs->stride + i]);
      frame->high = PetscMax(frame->high, pairs->value[k * pairs->stride + i]);
    }
  if (!(frame->high >= frame->low)) return PETSC_FALSE;
  const double more =
      frame->high > frame->low ? 0.05 * (frame->high - frame->low) : PetscMax(1e-6, 0.05 * fabs(frame->high));
  frame->low -= more;
  frame->high += more;
  return PETSC_TRUE;
}

static PetscErrorCode AddTicks(Text *page, const Frame *frame)
{
  PetscFunctionBegin;
  const double rough = (frame->high - frame->low) / 5, power = pow(10, floor(log10(rough)));
  const double step = power * (rough / power > 5 ? 10 : rough / power > 2 ? 5 : rough / power > 1 ? 2 : 1);
  for (double value = step * ceil(frame->low / step); value <= frame->high; value += step)
    PetscCall(TextAdd(
        page,
        "<line class='grid' x1='%d' x2='%d' y1='%.1f' y2='%.1f'/><text x='%d' y='%.1f' text-anchor='end'>%.6g</text>\n",
        LEFT, WIDTH - RIGHT, DownOf(frame, value), DownOf(frame, value), LEFT - 6, DownOf(frame, value) + 4,
        fabs(value) < 1e-9 * step ? 0 : value));
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
  PetscCall(TextAdd(page, "<text x='%.1f' y='%d' text-anchor='middle'>", across, HEIGHT - BOTTOM + 18));
  PetscCall(HTMLText(page, pairs->name[k]));
  PetscCall(TextAdd(page, " (%d)</text>", (int)pairs->n[k]));
  if (!pairs->n[k]) PetscFunctionReturn(0);
  PetscCall(DescriptionOf(pairs->n[k], value, &d));
  PetscCall(TextAdd(page,
                    "<rect x='%.1f' y='%.1f' width='%d' height='%.1f' fill='%s' fill-opacity='0.25' stroke='%s'/>",
                    across - BOX / 2, DownOf(frame, d.q3), BOX, PetscMax(DownOf(frame, d.q1) - DownOf(frame, d.q3), 1),
                    ReportColour(k), ReportColour(k)));
  PetscCall(TextAdd(page, "<line x1='%.1f' x2='%.1f' y1='%.1f' y2='%.1f' stroke='%s' stroke-width='2.5'/>\n",
                    across - BOX / 2, across + BOX / 2, DownOf(frame, d.median), DownOf(frame, d.median),
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
  PetscCall(TextAdd(page, "</figcaption><svg viewBox='0 0 %d %d' role='img' aria-label='", WIDTH, HEIGHT));
  PetscCall(HTMLText(page, pairs->title));
  PetscCall(TextAdd(page, "'>\n"));
  PetscCall(AddTicks(page, &frame));
  for (PetscInt k = 0; k < pairs->n_group; k++) PetscCall(AddLines(page, &frame, pairs, k));
  for (PetscInt k = 0; k < pairs->n_group; k++) PetscCall(AddGroup(page, &frame, pairs, k));
  PetscCall(TextAdd(page, "</svg></figure>\n"));
  PetscFunctionReturn(0);
}
