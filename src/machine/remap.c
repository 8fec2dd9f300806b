/*
 * Conservative maps between histograms, stored by rows.
 */
#include "machine_private.h"
#include <math.h>

static PetscErrorCode RemapAllocate(PetscInt n_row, PetscInt n_entry, Remap *map)
{
  PetscFunctionBegin;
  map->n_row = n_row;
  PetscCall(PetscCalloc3(n_row + 1, &map->start, n_entry, &map->target, n_entry, &map->weight));
  PetscFunctionReturn(0);
}

PetscErrorCode RemapDestroy(Remap *map)
{
  PetscFunctionBegin;
  PetscCall(PetscFree3(map->start, map->target, map->weight));
  PetscFunctionReturn(0);
}

static PetscInt BinOf(double position, PetscInt n)
{
  return (PetscInt)PetscClipInterval(floor(position), 0.0, (double)(n - 1));
}

PetscErrorCode RemapOverlap(PetscInt n_row, const double *edge, PetscInt n_target, double step, Remap *map)
{
  PetscFunctionBegin;
  PetscInt n_entry = 0;
  for (PetscInt i = 0; i < n_row; i++)
    n_entry += BinOf(edge[i + 1] / step, n_target) - BinOf(edge[i] / step, n_target) + 1;
  PetscCall(RemapAllocate(n_row, n_entry, map));
  for (PetscInt i = 0, k = 0; i < n_row; i++) {
    double a = edge[i] / step, b = edge[i + 1] / step;
    PetscInt first = BinOf(a, n_target), last = BinOf(b, n_target);
    for (PetscInt t = first; t <= last; t++, k++) {
      double from = PetscMax(a, (double)t), to = t == n_target - 1 ? b : PetscMin(b, (double)(t + 1));
      map->target[k] = t;
      map->weight[k] = PetscMax(0.0, to - from) / (b - a);
    }
    map->start[i + 1] = k;
  }
  PetscFunctionReturn(0);
}

void SpectrumPlace(PetscInt n_bin, const double *bin_edge_MeV_u, double energy_MeV_u, PetscInt *lower,
                   double *upper_share)
{
  double width = log(bin_edge_MeV_u[n_bin] / bin_edge_MeV_u[0]) / (double)n_bin;
  double position = log(energy_MeV_u / bin_edge_MeV_u[0]) / width - 0.5;
  position = PetscClipInterval(position, 0.0, (double)(n_bin - 1));
  *lower = PetscMin((PetscInt)position, n_bin - 2);
  *upper_share = position - (double)*lower;
}

/* Pieces that the interval a..b is cut into so that each is short in ln(E). */
static PetscInt Pieces(double a, double b, double lowest)
{
  return PetscMin(200, 1 + (PetscInt)(log(PetscMax(b, lowest) / PetscMax(a, lowest)) / 0.05));
}

PetscErrorCode RemapSpectrum(PetscInt n_row, const double *edge_MeV_u, PetscInt n_bin, const double *bin_edge_MeV_u,
                             Remap *map)
{
  PetscFunctionBegin;
  double *share, lowest = bin_edge_MeV_u[0];
  PetscCall(PetscMalloc1(n_bin, &share));
  PetscInt capacity = 0;
  for (PetscInt i = 0; i < n_row; i++)
    capacity += PetscMin(n_bin, 2 * Pieces(edge_MeV_u[i], edge_MeV_u[i + 1], lowest));
  PetscCall(RemapAllocate(n_row, capacity, map));
  for (PetscInt i = 0, k = 0; i < n_row; i++) {
    double a = edge_MeV_u[i], b = edge_MeV_u[i + 1];
    PetscInt n_piece = Pieces(a, b, lowest);
    double ratio = pow(PetscMax(b, lowest) / PetscMax(a, lowest), 1.0 / (double)n_piece), from = a;
    PetscCall(PetscArrayzero(share, n_bin));
    for (PetscInt p = 1; p <= n_piece; p++) {
      double to = p == n_piece ? b : PetscMax(a, lowest) * pow(ratio, (double)p), upper;
      PetscInt lower;
      SpectrumPlace(n_bin, bin_edge_MeV_u, PetscMax(0.5 * (from + to), lowest), &lower, &upper);
      share[lower] += (1 - upper) * (to - from) / (b - a);
      share[lower + 1] += upper * (to - from) / (b - a);
      from = to;
    }
    for (PetscInt t = 0; t < n_bin; t++)
      if (share[t] > 0) {
        map->target[k] = t;
        map->weight[k++] = share[t];
      }
    map->start[i + 1] = k;
  }
  PetscCall(PetscFree(share));
  PetscFunctionReturn(0);
}
