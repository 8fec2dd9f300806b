/*
 * Which rings of a plane cross each other.
 *
 * A ring within another is a hole, one beside it another piece; both have the other's boundary wholly on one side. Two rings
 * cross if edges of them do, or if one has points (ends or middles of edges) on both sides of the other, which also finds
 * rings that cross at their corners, as outlines along voxels do. Contact and overlaps up to a tolerance do not count: drawn
 * and rounded rings that share an edge are not drawn over each other.
 */
#include "contours_private.h"
#include <math.h>

#define TOUCH_MM 0.01

/* How far p lies on the left of the line from a to b, mm. */
static double Left(const double a[2], const double b[2], const double p[2])
{
  const double dx = b[0] - a[0], dy = b[1] - a[1], length = hypot(dx, dy);
  return length > 0 ? (dx * (p[1] - a[1]) - dy * (p[0] - a[0])) / length : 0;
}

static PetscBool Opposite(double u, double v)
{
  return (u > TOUCH_MM && v < -TOUCH_MM) || (u < -TOUCH_MM && v > TOUCH_MM) ? PETSC_TRUE : PETSC_FALSE;
}

static PetscBool BoxesMeet(const double low_a[2], const double high_a[2], const double low_b[2], const double high_b[2])
{
  for (int k = 0; k < 2; k++)
    if (low_a[k] > high_b[k] || low_b[k] > high_a[k]) return PETSC_FALSE;
  return PETSC_TRUE;
}

static const double *Next(const Ring *ring, PetscInt i)
{
  return ring->point[i + 1 < ring->n ? i + 1 : 0];
}

static PetscBool EdgeMeets(const double a[2], const double b[2], const double low[2], const double high[2])
{
  const double low_edge[] = {fmin(a[0], b[0]), fmin(a[1], b[1])}, high_edge[] = {fmax(a[0], b[0]), fmax(a[1], b[1])};
  return BoxesMeet(low_edge, high_edge, low, high);
}

static PetscBool EdgesCross(const Ring *a, const Ring *b)
{
  for (PetscInt i = 0; i < a->n; i++) {
    const double *p = a->point[i], *q = Next(a, i);
    if (!EdgeMeets(p, q, b->low, b->high)) continue;
    for (PetscInt j = 0; j < b->n; j++) {
      const double *s = b->point[j], *t = Next(b, j);
      if (Opposite(Left(p, q, s), Left(p, q, t)) && Opposite(Left(s, t, p), Left(s, t, q))) return PETSC_TRUE;
    }
  }
  return PETSC_FALSE;
}

/* 1 inside of the ring, -1 outside, 0 on its edge within the tolerance. */
static int Side(const Ring *ring, const double p[2])
{
  int side = -1;
  for (int k = 0; k < 2; k++)
    if (p[k] < ring->low[k] - TOUCH_MM || p[k] > ring->high[k] + TOUCH_MM) return -1;
  for (PetscInt i = 0; i < ring->n; i++) {
    const double *a = ring->point[i], *b = Next(ring, i);
    const double dx = b[0] - a[0], dy = b[1] - a[1], square = dx * dx + dy * dy;
    const double along = square > 0 ? fmin(1, fmax(0, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / square)) : 0;
    if (hypot(a[0] + along * dx - p[0], a[1] + along * dy - p[1]) <= TOUCH_MM) return 0;
    if ((a[1] <= p[1]) != (b[1] <= p[1]) && p[0] < a[0] + (p[1] - a[1]) * dx / dy) side = -side;
  }
  return side;
}

/* Whether ring a has points on both sides of ring b. */
static PetscBool OnBothSides(const Ring *a, const Ring *b)
{
  PetscBool inside = PETSC_FALSE, outside = PETSC_FALSE;
  for (PetscInt i = 0; i < 2 * a->n; i++) {
    const double *p = a->point[i / 2], *q = Next(a, i / 2);
    const double place[2] = {i % 2 ? (p[0] + q[0]) / 2 : p[0], i % 2 ? (p[1] + q[1]) / 2 : p[1]};
    const int side = Side(b, place);
    if (side > 0) inside = PETSC_TRUE;
    if (side < 0) outside = PETSC_TRUE;
    if (inside && outside) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

static PetscInt Root(const Ring *ring, PetscInt i)
{
  while (ring[i].group != i) i = ring[i].group;
  return i;
}

PetscBool RingsGroup(PetscInt n, Ring *ring)
{
  PetscBool any = PETSC_FALSE;
  for (PetscInt i = 0; i < n; i++) {
    ring[i].group = i;
    for (PetscInt j = 0; j < i; j++) {
      const Ring *a = &ring[i], *b = &ring[j];
      if (!BoxesMeet(a->low, a->high, b->low, b->high) || Root(ring, i) == Root(ring, j)) continue;
      if (!EdgesCross(a, b) && !OnBothSides(a, b) && !OnBothSides(b, a)) continue;
      ring[Root(ring, j)].group = i;
      any = PETSC_TRUE;
    }
  }
  for (PetscInt i = 0; i < n; i++) ring[i].group = Root(ring, i);
  return any;
}
