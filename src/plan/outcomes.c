/* What the outcomes of a plan are judged by: the voxels of their structures, and clonogens of its case. */
#include "plan_private.h"
#include "robion/log.h"
#include "robion/map.h"

/* From this probability without any dose on, a line of the log tells of it: relative risks cannot fall below. */
static const double TOLD_WITHOUT_DOSE = 1e-3;

/* A voxel without clonogens is one without tumour; many of them may be an image that did not cover the structure. */
static void WarnOfEmpty(const PlanInputs *in, const Outcome *outcome)
{
  const Region *region = &outcome->region;
  double empty = 0, all = 0;
  for (PetscInt i = 0; i < region->n; i++) {
    all += region->fraction[i];
    if (!(outcome->clonogens[CELLS_NOMINAL][i] > 0)) empty += region->fraction[i];
  }
  if (empty > TCP_MOST_EMPTY * all)
    LogLine(LOG_WARNING, "tcp", in->patient->name, "%.1f %% of %s hold no clonogens and count as controlled",
            100 * empty / all, outcome->spec->structure);
}

/* Clonogens of the outcome's voxels; their sum is 0 where the case has none. */
static PetscErrorCode TakeClonogens(const PlanInputs *in, Outcome *outcome, double *sum)
{
  PetscFunctionBegin;
  const PetscInt map = CaseFindMap(in->patient, MAP_CLONOGENS);
  const double per_reference = TCP_REFERENCE_MM3 * outcome->spec->parameters->clonogens_share;
  *sum = 0;
  if (map < 0 || strcmp(in->patient->maps[map].unit, MAP_CLONOGENS_UNIT)) PetscFunctionReturn(0);
  if (!outcome->region.n) PetscFunctionReturn(0);
  for (int c = 0; c < N_CELL_CASES; c++) {
    double *per_mm3;
    PetscCall(CaseClonogens(in->patient, map, (CellCase)c, &in->grid, &per_mm3));
    PetscCall(PetscMalloc1(outcome->region.n, &outcome->clonogens[c]));
    for (PetscInt i = 0; i < outcome->region.n; i++) {
      outcome->clonogens[c][i] = per_reference * per_mm3[outcome->region.voxel[i]];
      *sum += outcome->clonogens[c][i];
    }
    PetscCall(PetscFree(per_mm3));
  }
  if (*sum > 0 || outcome->spec->name) WarnOfEmpty(in, outcome);
  PetscFunctionReturn(0);
}

static PetscErrorCode OutcomeCreate(const PlanInputs *in, const OutcomeSpec *spec, double *clonogens, Outcome *outcome)
{
  PetscFunctionBegin;
  *outcome = (Outcome){.spec = spec, .model = OutcomeModelFind(spec->model)};
  *clonogens = 0;
  PetscCall(StructureToGrid(in->patient, CaseFindStructure(in->patient, spec->structure), &in->grid, &outcome->region));
  if (outcome->model->kind->wants_clonogens) PetscCall(TakeClonogens(in, outcome, clonogens));
  PetscFunctionReturn(0);
}

static void TellWithoutDose(const PlanInputs *in, const Outcome *outcome)
{
  const double probability = OutcomeWithoutDose(outcome);
  if (outcome->model->kind == &outcome_complication && probability >= TOLD_WITHOUT_DOSE)
    LogLine(LOG_INFO, "outcomes", in->patient->name, "NTCP-%s is %.2f %% without any dose (model %s)",
            outcome->spec->name, 100 * probability, outcome->model->name);
}

PetscErrorCode PlanOutcomes(const PlanInputs *in, OutcomeSpec *control, OutcomeList *out)
{
  PetscFunctionBegin;
  const Settings *settings = in->settings;
  double clonogens;
  *control = (OutcomeSpec){.structure = settings->tumour.structure,
                           .where = settings->tumour.where,
                           .model = "tcp",
                           .parameters = (OutcomeParameters *)&settings->tumour.parameters};
  *out = (OutcomeList){0};
  PetscCall(PetscCalloc1(1 + settings->n_outcomes, &out->item));
  PetscCall(OutcomeCreate(in, control, &clonogens, &out->item[0]));
  if (clonogens > 0)
    out->n++;
  else
    PetscCall(OutcomeDestroy(&out->item[0]));
  for (PetscInt i = 0; i < settings->n_outcomes; i++) {
    PetscCall(OutcomeCreate(in, &settings->outcomes[i], &clonogens, &out->item[out->n]));
    TellWithoutDose(in, &out->item[out->n++]);
  }
  PetscFunctionReturn(0);
}
