/*
 * Masks to contours: the outlines of a slice's voxels, along their edges.
 *
 * The corners of the voxels are a lattice. Around every inside voxel run four directed edges with the voxel on their left; those
 * between two inside voxels cancel, the others join to loops: pieces counter-clockwise, holes clockwise. Where two voxels touch
 * at a corner only, a loop turns left, so the pieces stay apart (4-neighbours) and holes that meet at a corner are one. A hole is
 * joined to the loop that lies on the left of its leftmost corner, along the lattice row; that loop begins farther left, so it is
 * a piece or a hole that was joined before if holes are taken from left to right.
 */
#include "contours_private.h"
#include <stdlib.h>
#include <string.h>

/* A corner on a loop. */
typedef struct Node {
  PetscInt i, j, next;
} Node;

/* A loop by its leftmost corner, of these the lowest. */
typedef struct Loop {
  PetscInt node, i, j;
} Loop;

typedef struct Lattice {
  const Grid *grid;
  const unsigned char *slice;
  PetscInt wide, high; /* corners along x and y */
  PetscInt n_nodes, room, n_loops, room_loops;
  Node *node;
  Loop *loop;
  unsigned char *edges; /* of each corner: bit d is set while the edge that leaves it in direction d is in no loop */
  PetscInt *at;         /* of each corner: a node there, or -1 */
} Lattice;

static const int step[4][2] = {{1, 0}, {0, 1}, {-1, 0}, {0, -1}};

static PetscInt Corner(const Lattice *l, PetscInt i, PetscInt j)
{
  return j * l->wide + i;
}

static int Inside(const Lattice *l, PetscInt i, PetscInt j)
{
  return i >= 0 && j >= 0 && i < l->wide - 1 && j < l->high - 1 && l->slice[j * (l->wide - 1) + i];
}

/* The voxel at a corner's upper right (dx = dy = 0), upper left (-1, 0) and so on decides which edges leave it. */
static void SetEdges(Lattice *l)
{
  for (PetscInt j = 0; j < l->high; j++)
    for (PetscInt i = 0; i < l->wide; i++) {
      const int ne = Inside(l, i, j), nw = Inside(l, i - 1, j), sw = Inside(l, i - 1, j - 1), se = Inside(l, i, j - 1);
      l->edges[Corner(l, i, j)] = (unsigned char)((ne && !se) | (nw && !ne) << 1 | (sw && !nw) << 2 | (se && !sw) << 3);
      l->at[Corner(l, i, j)] = -1;
    }
}

static PetscErrorCode AddNode(Lattice *l, PetscInt i, PetscInt j, PetscInt next, PetscInt *node)
{
  PetscFunctionBegin;
  if (l->n_nodes == l->room) {
    l->room = 2 * l->room + 256;
    PetscCall(PetscRealloc((size_t)l->room * sizeof *l->node, &l->node));
  }
  l->node[l->n_nodes] = (Node){i, j, next};
  *node = l->n_nodes++;
  PetscFunctionReturn(0);
}

/* Follow the loop that begins at a corner; keeps its leftmost node. */
static PetscErrorCode FollowLoop(Lattice *l, PetscInt i0, PetscInt j0, int d)
{
  PetscFunctionBegin;
  PetscInt i = i0, j = j0, node, last = -1, first = l->n_nodes, left = first;
  do {
    PetscCall(AddNode(l, i, j, first, &node));
    if (last >= 0) l->node[last].next = node;
    const Node *best = &l->node[left];
    if (i < best->i || (i == best->i && j < best->j)) left = node;
    l->at[Corner(l, i, j)] = last = node;
    l->edges[Corner(l, i, j)] &= (unsigned char)~(1u << d);
    i += step[d][0];
    j += step[d][1];
    if (i == i0 && j == j0 && !(l->edges[Corner(l, i, j)] & 1u << (d + 1) % 4)) break;
    for (int turn = 1; turn >= -1; turn--)
      if (l->edges[Corner(l, i, j)] & 1u << (d + turn + 4) % 4) {
        d = (d + turn + 4) % 4;
        break;
      }
  } while (1);
  if (l->n_loops == l->room_loops) {
    l->room_loops = 2 * l->room_loops + 64;
    PetscCall(PetscRealloc((size_t)l->room_loops * sizeof *l->loop, &l->loop));
  }
  l->loop[l->n_loops++] = (Loop){left, l->node[left].i, l->node[left].j};
  PetscFunctionReturn(0);
}

/* A corner's first edge that is in no loop begins the next one. */
static PetscErrorCode FollowLoops(Lattice *l)
{
  PetscFunctionBegin;
  l->n_nodes = l->n_loops = 0;
  for (PetscInt j = 0; j < l->high; j++)
    for (PetscInt i = 0; i < l->wide; i++)
      for (int d = 0; d < 4; d++)
        if (l->edges[Corner(l, i, j)] & 1u << d) PetscCall(FollowLoop(l, i, j, d));
  PetscFunctionReturn(0);
}

/* From left to right. */
static int CompareLoops(const void *a, const void *b)
{
  const Loop *p = a, *q = b;
  return p->i != q->i ? (p->i < q->i ? -1 : 1) : p->j != q->j ? (p->j < q->j ? -1 : 1) : p->node < q->node ? -1 : 1;
}

static PetscBool IsHole(const Lattice *l, PetscInt loop)
{
  return !Inside(l, l->node[loop].i, l->node[loop].j) ? PETSC_TRUE : PETSC_FALSE;
}

/* Run from the loop on the left of a hole into it and back. */
static PetscErrorCode JoinHole(Lattice *l, PetscInt hole)
{
  PetscFunctionBegin;
  const Node h = l->node[hole];
  PetscInt i = h.i - 1, last = hole, back, again;
  while (l->at[Corner(l, i, h.j)] < 0) i--;
  const PetscInt from = l->at[Corner(l, i, h.j)];
  while (l->node[last].next != hole) last = l->node[last].next;
  PetscCall(AddNode(l, i, h.j, l->node[from].next, &again));
  PetscCall(AddNode(l, h.i, h.j, again, &back));
  l->node[last].next = back;
  l->node[from].next = hole;
  PetscFunctionReturn(0);
}

static int Sign(PetscInt a)
{
  return (a > 0) - (a < 0);
}

/* A piece's corners where it turns, as a ring of the slice at z. */
static PetscErrorCode AddPiece(const Lattice *l, PetscInt first, double z, double (*point)[3], Contours *contours)
{
  PetscFunctionBegin;
  PetscInt n = 0, c = first;
  int from[2] = {0, -1}; /* along the left side of the first corner's voxel */
  do {
    const Node *a = &l->node[c], *b = &l->node[a->next];
    const int to[2] = {Sign(b->i - a->i), Sign(b->j - a->j)};
    if (to[0] != from[0] || to[1] != from[1]) {
      const double at[2] = {(double)a->i - 0.5, (double)a->j - 0.5};
      for (int k = 0; k < 2; k++) point[n][k] = l->grid->origin_mm[k] + at[k] * l->grid->spacing_mm[k];
      point[n++][2] = z;
    }
    from[0] = to[0];
    from[1] = to[1];
    c = a->next;
  } while (c != first);
  PetscCall(ContoursAddRing(contours, n, (const double(*)[3])point));
  PetscFunctionReturn(0);
}

static PetscErrorCode TraceSlice(Lattice *l, double z, Contours *contours)
{
  PetscFunctionBegin;
  double(*point)[3];
  SetEdges(l);
  PetscCall(FollowLoops(l));
  qsort(l->loop, (size_t)l->n_loops, sizeof *l->loop, CompareLoops);
  for (PetscInt k = 0; k < l->n_loops; k++)
    if (IsHole(l, l->loop[k].node)) PetscCall(JoinHole(l, l->loop[k].node));
  PetscCall(PetscMalloc1(l->n_nodes, &point));
  for (PetscInt k = 0; k < l->n_loops; k++)
    if (!IsHole(l, l->loop[k].node)) PetscCall(AddPiece(l, l->loop[k].node, z, point, contours));
  PetscCall(PetscFree(point));
  PetscFunctionReturn(0);
}

PetscErrorCode ContoursOfMask(const Grid *grid, const unsigned char *mask, Contours *contours)
{
  PetscFunctionBegin;
  const PetscInt wide = grid->n[0] + 1, high = grid->n[1] + 1;
  const size_t slice = (size_t)grid->n[0] * (size_t)grid->n[1];
  Lattice l = {.grid = grid, .wide = wide, .high = high};
  *contours = (Contours){0};
  PetscCall(PetscMalloc2(wide * high, &l.edges, wide * high, &l.at));
  for (PetscInt k = 0; k < grid->n[2]; k++) {
    l.slice = mask + (size_t)k * slice;
    if (memchr(l.slice, 1, slice))
      PetscCall(TraceSlice(&l, grid->origin_mm[2] + (double)k * grid->spacing_mm[2], contours));
  }
  PetscCall(PetscFree2(l.edges, l.at));
  PetscCall(PetscFree(l.node));
  PetscCall(PetscFree(l.loop));
  PetscFunctionReturn(0);
}
