/* Dose operator of split spots: every sub-beam that reaches a voxel adds its dose at the depth of its own ray; nothing is stored. */
#include "splitting.h"
#include <math.h>
#include <string.h>

typedef struct Split {
  Splitting split;
  const Trace **trace; /* [view][beam] */
  Row whole, fine;
  double *scratch; /* [max_layer] */
} Split;

/* A voxel as one beam sees it in sums. */
typedef struct SplitView {
  PetscInt beam, tissue;
  const double *bev_mm;
  double depth_mm; /* of the voxel's own ray, for components that are not split */
  double factor;   /* of the range error */
  const Trace *trace;
} SplitView;

static SplitView ViewOf(Influence influence, PetscInt sums, PetscInt b, PetscInt v)
{
  const Split *own = influence->data;
  const PetscInt place = influence->set->of_phase[sums].view;
  const size_t at = SightIndex(influence, place, b) + (size_t)v;
  return (SplitView){.beam = b,
                     .tissue = SumsTissue(influence, sums, v),
                     .bev_mm = influence->bev_mm + 3 * at,
                     .depth_mm = SumsDepth_mm(influence, sums, b, v),
                     .factor = SumsFactor(influence, sums, b),
                     .trace = own->trace[place * influence->model->beams->n_beam + b]};
}

/* What a row is for: channels of a voxel from weights, or gradients from its cotangent. */
typedef struct RowUse {
  const double *weight, *fine_weight, *cotangent;
  double *channels, *gradient, *fine_gradient, *scratch;
} RowUse;

static inline void UseRow(const Row *row, PetscBool fine, const RowUse *use)
{
  if (!row->n_run) return;
  if (use->channels)
    RowApply(row, fine ? use->fine_weight : use->weight, use->scratch, use->channels);
  else
    RowApplyTranspose(row, use->cotangent, use->scratch, fine ? use->fine_gradient : use->gradient);
}

/* All sub-beams of a component near a voxel. */
static void UseSubBeams(Split *own, const SplitView *view, PetscInt component, const RowUse *use)
{
  const Splitting split = own->split;
  const Beam *fine = &split->fine.beam[view->beam];
  const Lattice *lattice = &split->lattice[view->beam];
  const double magnification = fine->sad_mm > 0 ? (fine->sad_mm + view->bev_mm[2]) / fine->sad_mm : 1;
  const double x = view->bev_mm[0] / magnification, y = view->bev_mm[1] / magnification;
  const double reach = split->fine_model->beam[view->beam].longest_reach_mm[component] / magnification;
  const PetscInt j0 = (PetscInt)PetscMax(0, ceil((y - reach - lattice->y0_mm) / lattice->pitch_mm));
  const PetscInt j1 = (PetscInt)PetscMin(lattice->ny - 1, floor((y + reach - lattice->y0_mm) / lattice->pitch_mm));
  for (PetscInt j = j0; j <= j1; j++) {
    const double dy = lattice->y0_mm + j * lattice->pitch_mm - y, dx = sqrt(PetscMax(0, reach * reach - dy * dy));
    const PetscInt i0 = (PetscInt)PetscMax(0, ceil((x - dx - lattice->x0_mm) / lattice->pitch_mm));
    const PetscInt i1 = (PetscInt)PetscMin(lattice->nx - 1, floor((x + dx - lattice->x0_mm) / lattice->pitch_mm));
    for (PetscInt i = i0; i <= i1; i++) {
      const PetscInt run = lattice->run[j * lattice->nx + i];
      if (run < 0) continue;
      const double off = lattice->x0_mm + i * lattice->pitch_mm - x;
      RowBuildOfRun(split->fine_model, view->beam, component, view->tissue, run,
                    (off * off + dy * dy) * magnification * magnification,
                    TraceDepth_mm(view->trace, run, view->bev_mm[2], view->factor), &own->fine);
      UseRow(&own->fine, PETSC_TRUE, use);
    }
  }
}

static void UseVoxel(Influence influence, PetscInt sums, PetscInt v, const RowUse *use)
{
  Split *own = influence->data;
  for (PetscInt b = 0; b < influence->model->beams->n_beam; b++) {
    if (!influence->model->beams->beam[b].n_spot) continue;
    const SplitView view = ViewOf(influence, sums, b, v);
    for (PetscInt k = 0; k < influence->model->n_component; k++)
      if (SplittingOf(own->split, b, k))
        UseSubBeams(own, &view, k, use);
      else {
        RowBuild(influence->model, b, k, view.tissue, view.bev_mm, view.depth_mm, &own->whole);
        UseRow(&own->whole, PETSC_FALSE, use);
      }
  }
}

static PetscErrorCode Apply_Split(Influence influence, PetscInt sums, const double *weight, double *channels)
{
  PetscFunctionBegin;
  Split *own = influence->data;
  PetscCall(SplittingSpread(own->split, weight));
  memset(channels, 0, (size_t)influence->n * N_CHANNELS * sizeof *channels);
  for (PetscInt v = 0; v < influence->n; v++)
    UseVoxel(influence, sums, v,
             &(RowUse){.weight = weight,
                       .fine_weight = own->split->fine_weight,
                       .channels = channels + v * N_CHANNELS,
                       .scratch = own->scratch});
  PetscFunctionReturn(0);
}

static PetscErrorCode ApplyTranspose_Split(Influence influence, PetscInt sums, const double *cotangent,
                                           double *gradient)
{
  PetscFunctionBegin;
  static const double zero[N_CHANNELS];
  Split *own = influence->data;
  double *fine_gradient = own->split->fine_gradient;
  PetscCall(PetscArrayzero(fine_gradient, own->split->fine.n_spot));
  for (PetscInt v = 0; v < influence->n; v++)
    if (memcmp(cotangent + v * N_CHANNELS, zero, sizeof zero))
      UseVoxel(influence, sums, v,
               &(RowUse){.cotangent = cotangent + v * N_CHANNELS,
                         .gradient = gradient,
                         .fine_gradient = fine_gradient,
                         .scratch = own->scratch});
  SplittingCollect(own->split, fine_gradient, gradient);
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy_Split(Influence influence)
{
  PetscFunctionBegin;
  Split *own = influence->data;
  PetscCall(RowDestroy(&own->whole));
  PetscCall(RowDestroy(&own->fine));
  PetscCall(PetscFree2(own->trace, own->scratch));
  PetscCall(PetscFree(influence->data));
  PetscFunctionReturn(0);
}

PetscErrorCode InfluenceCreate_Split(Influence influence)
{
  PetscFunctionBegin;
  const struct DoseModel_s *model = influence->model;
  const PetscInt n_beam = model->beams->n_beam;
  Split *own;
  PetscCall(PetscNew(&own));
  own->split = model->split;
  PetscCall(PetscMalloc2(influence->set->n_view * n_beam, &own->trace, model->max_layer, &own->scratch));
  for (PetscInt k = 0; k < influence->set->n_view; k++)
    for (PetscInt b = 0; b < n_beam; b++)
      PetscCall(SplittingTrace(own->split, b, &influence->set->view[k], &own->trace[k * n_beam + b]));
  PetscCall(RowCreate(model, &own->whole));
  PetscCall(RowCreate(own->split->fine_model, &own->fine));
  influence->data = own;
  influence->apply = Apply_Split;
  influence->transpose = ApplyTranspose_Split;
  influence->destroy = Destroy_Split;
  PetscFunctionReturn(0);
}
