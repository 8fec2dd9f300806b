/* Dose operator without a matrix: every row is computed where it is needed, with the same arithmetic as the stored one.
 */
#include "influence_private.h"
#include <string.h>

typedef struct Streamed {
  Row row;
  double *scratch; /* [max_layer] */
} Streamed;

/* Row of a voxel, beam and component in sums. */
static void StreamRow(Influence influence, PetscInt sums, PetscInt beam, PetscInt component, PetscInt v, Row *row)
{
  size_t at = SightIndex(influence, influence->set->of_phase[sums].view, beam) + (size_t)v;
  RowBuild(influence->model, beam, component, SumsTissue(influence, sums, v), influence->bev_mm + 3 * at,
           SumsDepth_mm(influence, sums, beam, v), row);
}

static PetscErrorCode Apply_Streamed(Influence influence, PetscInt sums, const double *weight, double *channels)
{
  PetscFunctionBegin;
  Streamed *streamed = influence->data;
  memset(channels, 0, (size_t)influence->n * N_CHANNELS * sizeof *channels);
  for (PetscInt v = 0; v < influence->n; v++)
    for (PetscInt i = 0; i < PartCount(influence); i++) {
      StreamRow(influence, sums, PartBeam(influence, i), PartComponent(influence, i), v, &streamed->row);
      if (streamed->row.n_run) RowApply(&streamed->row, weight, streamed->scratch, channels + v * N_CHANNELS);
    }
  PetscFunctionReturn(0);
}

static PetscErrorCode ApplyTranspose_Streamed(Influence influence, PetscInt sums, const double *cotangent,
                                              double *gradient)
{
  PetscFunctionBegin;
  static const double zero[N_CHANNELS];
  Streamed *streamed = influence->data;
  for (PetscInt v = 0; v < influence->n; v++) {
    const double *c = cotangent + v * N_CHANNELS;
    if (!memcmp(c, zero, sizeof zero)) continue;
    for (PetscInt i = 0; i < PartCount(influence); i++) {
      StreamRow(influence, sums, PartBeam(influence, i), PartComponent(influence, i), v, &streamed->row);
      if (streamed->row.n_run) RowApplyTranspose(&streamed->row, c, streamed->scratch, gradient);
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy_Streamed(Influence influence)
{
  PetscFunctionBegin;
  Streamed *streamed = influence->data;
  PetscCall(RowDestroy(&streamed->row));
  PetscCall(PetscFree(streamed->scratch));
  PetscCall(PetscFree(influence->data));
  PetscFunctionReturn(0);
}

PetscErrorCode InfluenceCreate_Streamed(Influence influence)
{
  PetscFunctionBegin;
  Streamed *streamed;
  PetscCall(PetscNew(&streamed));
  PetscCall(RowCreate(influence->model, &streamed->row));
  PetscCall(PetscMalloc1(influence->model->max_layer, &streamed->scratch));
  influence->data = streamed;
  influence->apply = Apply_Streamed;
  influence->transpose = ApplyTranspose_Streamed;
  influence->destroy = Destroy_Streamed;
  PetscFunctionReturn(0);
}
