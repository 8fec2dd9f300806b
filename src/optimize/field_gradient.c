/* In-field gradient suppression: effects of every field alone, their differences between near voxels, and the transposed pass. */
#include "robion/exact_sum.h"
#include "robion/optimize.h"
#include <limits.h>

/* Target voxels of this rank: positions [first, first + n) of the list, and their rows in every field. */
typedef struct Part {
  PetscInt first, n;
  Influence *influence; /* [field] */
  double *channels;     /* [field][n][N_CHANNELS] of the last evaluation */
} Part;

struct FieldGradient_s {
  MPI_Comm comm;
  FieldGradientSpec spec;
  ScenarioSet *nominal;
  PetscInt n_part;
  Part *part;
  size_t *pair_start;                   /* [n_voxel + 1] */
  PetscInt *partner;                    /* positions of voxels near each voxel */
  double *rate_per_mm2;                 /* 1 / r^2 of each pair */
  double *effect, *pull;                /* [field][n_voxel], d value / d effect */
  double *cotangent;                    /* [BLOCK_VOXELS][N_CHANNELS] */
  double *part_gradient, *sum_gradient; /* [n_spot] */
  ExactSum exact;
};

/* Squared distance, mm2, of the grid's voxels by their steps along the axes. */
static double Distance2_mm2(const Grid *grid, const PetscInt step[3])
{
  double sum = 0;
  for (int k = 0; k < 3; k++) sum += (double)(step[k] * step[k]) * grid->spacing_mm[k] * grid->spacing_mm[k];
  return sum;
}

/* Append the partners of one voxel; `place` holds positions in the list, -1 elsewhere. */
static void AddPartners(FieldGradient term, const PetscInt *place, PetscInt i, const PetscInt reach[3], size_t *n)
{
  const FieldGradientSpec *spec = &term->spec;
  const PetscInt *size = spec->grid->n, voxel = spec->voxel[i];
  const PetscInt at[3] = {voxel % size[0], voxel / size[0] % size[1], voxel / (size[0] * size[1])};
  PetscInt step[3];
  for (step[2] = -reach[2]; step[2] <= reach[2]; step[2]++)
    for (step[1] = -reach[1]; step[1] <= reach[1]; step[1]++)
      for (step[0] = -reach[0]; step[0] <= reach[0]; step[0]++) {
        const double r2_mm2 = Distance2_mm2(spec->grid, step);
        PetscBool inside = r2_mm2 > 0 && r2_mm2 <= spec->distance_mm * spec->distance_mm ? PETSC_TRUE : PETSC_FALSE;
        for (int k = 0; k < 3; k++)
          if (at[k] + step[k] < 0 || at[k] + step[k] >= size[k]) inside = PETSC_FALSE;
        if (!inside) continue;
        const PetscInt other = place[voxel + step[0] + size[0] * (step[1] + size[1] * step[2])];
        if (other < 0) continue;
        if (term->partner) {
          term->partner[*n] = other;
          term->rate_per_mm2[*n] = 1 / r2_mm2;
        }
        (*n)++;
      }
}

static PetscErrorCode FindPairs(FieldGradient term)
{
  PetscFunctionBegin;
  const FieldGradientSpec *spec = &term->spec;
  PetscInt reach[3], *place;
  PetscCall(PetscMalloc1(GridSize(spec->grid), &place));
  for (size_t v = 0; v < GridSize(spec->grid); v++) place[v] = -1;
  for (PetscInt i = 0; i < spec->n_voxel; i++) place[spec->voxel[i]] = i;
  for (int k = 0; k < 3; k++) reach[k] = (PetscInt)(spec->distance_mm / spec->grid->spacing_mm[k]);
  PetscCall(PetscCalloc1(spec->n_voxel + 1, &term->pair_start));
  for (int pass = 0; pass < 2; pass++) { /* count, then fill */
    size_t n = 0;
    for (PetscInt i = 0; i < spec->n_voxel; i++) {
      term->pair_start[i] = n;
      AddPartners(term, place, i, reach, &n);
    }
    term->pair_start[spec->n_voxel] = n;
    if (pass == 0) PetscCall(PetscMalloc2(n, &term->partner, n, &term->rate_per_mm2));
  }
  PetscCall(PetscFree(place));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateParts(FieldGradient term)
{
  PetscFunctionBegin;
  const FieldGradientSpec *spec = &term->spec;
  PetscMPIInt rank, size;
  PetscCallMPI(MPI_Comm_rank(term->comm, &rank));
  PetscCallMPI(MPI_Comm_size(term->comm, &size));
  const PetscInt n_block = (spec->n_voxel + BLOCK_VOXELS - 1) / BLOCK_VOXELS;
  PetscCall(PetscCalloc1(n_block / size + 1, &term->part));
  for (PetscInt k = rank; k < n_block; k += size) {
    Part *part = &term->part[term->n_part++];
    part->first = k * BLOCK_VOXELS;
    part->n = PetscMin(BLOCK_VOXELS, spec->n_voxel - part->first);
    PetscCall(PetscCalloc1(spec->n_field, &part->influence));
    PetscCall(PetscMalloc1(spec->n_field * part->n * N_CHANNELS, &part->channels));
    for (PetscInt l = 0; l < spec->n_field; l++)
      PetscCall(InfluenceCreate(spec->field[l], INFLUENCE_ASSEMBLED, term->nominal, spec->grid, part->n,
                                spec->voxel + part->first, &part->influence[l]));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode FieldGradientCreate(MPI_Comm comm, const FieldGradientSpec *spec, FieldGradient *out)
{
  PetscFunctionBegin;
  double no_error[] = {0};
  const ScenarioSpec nominal = {.n_range = 1, .range_percent = no_error, .setup = SETUP_NONE};
  const PetscInt n = spec->n_field * spec->n_voxel;
  FieldGradient term;
  PetscCall(PetscNew(&term));
  term->comm = comm;
  term->spec = *spec;
  PetscCall(ScenarioSetCreate(&nominal, &term->nominal));
  PetscCall(FindPairs(term));
  PetscCall(CreateParts(term));
  PetscCall(PetscMalloc5(n, &term->effect, n, &term->pull, BLOCK_VOXELS * N_CHANNELS, &term->cotangent, spec->n_spot,
                         &term->part_gradient, spec->n_spot, &term->sum_gradient));
  PetscCall(ExactSumCreate(spec->n_spot, &term->exact));
  *out = term;
  PetscFunctionReturn(0);
}

static double Effect(FieldGradient term, PetscInt position, const double *channels, double *derivative)
{
  const Tissues *tissues = term->spec.tissues;
  const BiologySpec *biology = &tissues->biology[TissueOf(tissues, term->spec.voxel[position])]->spec;
  return quantities[QUANTITY_EFFECT].of_channels(biology, channels, derivative);
}

/* Effects of every field in all voxels, on all ranks. */
static PetscErrorCode Effects(FieldGradient term, const double *weight)
{
  PetscFunctionBegin;
  const FieldGradientSpec *spec = &term->spec;
  PetscCall(PetscArrayzero(term->effect, spec->n_field * spec->n_voxel));
  for (PetscInt k = 0; k < term->n_part; k++) {
    const Part *part = &term->part[k];
    for (PetscInt l = 0; l < spec->n_field; l++) {
      double *channels = part->channels + l * part->n * N_CHANNELS;
      double *effect = term->effect + l * spec->n_voxel + part->first;
      PetscCall(InfluenceApply(part->influence[l], 0, weight, channels));
      for (PetscInt v = 0; v < part->n; v++) effect[v] = Effect(term, part->first + v, channels + v * N_CHANNELS, NULL);
    }
  }
  /* Every voxel is one rank's, the others add 0. */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, term->effect, (PetscMPIInt)(spec->n_field * spec->n_voxel), MPI_DOUBLE,
                             MPI_SUM, term->comm));
  PetscFunctionReturn(0);
}

/* The sum over the pairs of a field, and what each effect contributes to its slope; every pair comes in both orders. */
static double FieldSum(FieldGradient term, PetscInt field)
{
  const PetscInt n = term->spec.n_voxel;
  const double *effect = term->effect + field * n;
  double sum = 0;
  for (PetscInt i = 0; i < n; i++) {
    double pull = 0;
    for (size_t p = term->pair_start[i]; p < term->pair_start[i + 1]; p++) {
      const double difference = effect[i] - effect[term->partner[p]];
      sum += difference * difference * term->rate_per_mm2[p];
      pull += difference * term->rate_per_mm2[p];
    }
    term->pull[field * n + i] = 4 * term->spec.weight / (double)n * pull;
  }
  return sum;
}

/* The gradient of one part's voxels through the transposed operators of all fields. */
static PetscErrorCode PartGradient(FieldGradient term, const Part *part)
{
  PetscFunctionBegin;
  PetscCall(PetscArrayzero(term->part_gradient, term->spec.n_spot));
  for (PetscInt l = 0; l < term->spec.n_field; l++) {
    const double *channels = part->channels + l * part->n * N_CHANNELS;
    for (PetscInt v = 0; v < part->n; v++) {
      const double pull = term->pull[l * term->spec.n_voxel + part->first + v];
      double *cotangent = term->cotangent + v * N_CHANNELS;
      Effect(term, part->first + v, channels + v * N_CHANNELS, cotangent);
      for (int c = 0; c < N_CHANNELS; c++) cotangent[c] *= pull;
    }
    PetscCall(InfluenceApplyTranspose(part->influence[l], 0, term->cotangent, term->part_gradient));
  }
  PetscFunctionReturn(0);
}

/* Gradient over all parts; repeated with a larger exponent when an addend did not fit the exact sum. */
static PetscErrorCode Gradient(FieldGradient term, double *gradient)
{
  PetscFunctionBegin;
  int exponent = term->exact.exponent;
  do {
    PetscCall(ExactSumReset(&term->exact, exponent));
    for (PetscInt k = 0; k < term->n_part; k++) {
      PetscCall(PartGradient(term, &term->part[k]));
      PetscCall(ExactSumAdd(&term->exact, term->part_gradient));
    }
    PetscCall(ExactSumReduce(term->comm, &term->exact));
    exponent = term->exact.overflow;
  } while (term->exact.overflow != INT_MIN);
  PetscCall(ExactSumGet(&term->exact, term->sum_gradient));
  for (PetscInt j = 0; j < term->spec.n_spot; j++) gradient[j] += term->sum_gradient[j];
  PetscFunctionReturn(0);
}

PetscErrorCode FieldGradientEvaluate(FieldGradient term, const double *weight, double *value, double *gradient)
{
  PetscFunctionBegin;
  double sum = 0;
  PetscCall(Effects(term, weight));
  for (PetscInt l = 0; l < term->spec.n_field; l++) sum += FieldSum(term, l);
  *value = term->spec.weight * sum / (double)term->spec.n_voxel;
  if (gradient) PetscCall(Gradient(term, gradient));
  PetscFunctionReturn(0);
}

PetscErrorCode FieldGradientGetSize(FieldGradient term, size_t *entries, size_t *bytes)
{
  PetscFunctionBegin;
  const size_t pairs = term->pair_start[term->spec.n_voxel];
  *entries = 0;
  *bytes = pairs * (sizeof *term->partner + sizeof *term->rate_per_mm2) +
           (size_t)(term->spec.n_field * term->spec.n_voxel) * 2 * sizeof(double);
  for (PetscInt k = 0; k < term->n_part; k++)
    for (PetscInt l = 0; l < term->spec.n_field; l++) {
      size_t more_entries, more_bytes;
      PetscCall(InfluenceGetSize(term->part[k].influence[l], &more_entries, &more_bytes));
      *entries += more_entries;
      *bytes += more_bytes + (size_t)term->part[k].n * N_CHANNELS * sizeof(double);
    }
  PetscFunctionReturn(0);
}

PetscErrorCode FieldGradientDestroy(FieldGradient *out)
{
  PetscFunctionBegin;
  FieldGradient term = *out;
  if (!term) PetscFunctionReturn(0);
  for (PetscInt k = 0; k < term->n_part; k++) {
    for (PetscInt l = 0; l < term->spec.n_field; l++) PetscCall(InfluenceDestroy(&term->part[k].influence[l]));
    PetscCall(PetscFree(term->part[k].influence));
    PetscCall(PetscFree(term->part[k].channels));
  }
  PetscCall(PetscFree(term->part));
  PetscCall(PetscFree(term->pair_start));
  PetscCall(PetscFree2(term->partner, term->rate_per_mm2));
  PetscCall(PetscFree5(term->effect, term->pull, term->cotangent, term->part_gradient, term->sum_gradient));
  PetscCall(ExactSumDestroy(&term->exact));
  PetscCall(ScenarioSetDestroy(&term->nominal));
  PetscCall(PetscFree(*out));
  PetscFunctionReturn(0);
}
