/* From spot weights to a plan's files. */
#include "plan_private.h"
#include "robion/log.h"
#include "robion/memory.h"
#include <string.h>

/* Mean target dose below this share of the prescription: the plan has failed. */
static const double LEAST_TARGET_SHARE = 0.01;

/* Spots beam by beam in the order of the weights. */
static PetscErrorCode SpotsCreate(const PlanInputs *in, const double *weight, PlanSpots *spots)
{
  PetscFunctionBegin;
  spots->n_beam = in->beams->n_beam;
  spots->position = in->beams->position;
  PetscCall(PetscCalloc1(spots->n_beam, &spots->beam));
  for (PetscInt b = 0; b < spots->n_beam; b++) {
    const Beam *beam = &in->beams->beam[b];
    PlanBeam *out = &spots->beam[b];
    out->gantry_deg = beam->gantry_deg;
    out->couch_deg = beam->couch_deg;
    out->range_shifter_mm = beam->range_shifter_mm;
    out->range_shifter_to_isocentre_mm = beam->range_shifter_mm > 0 ? beam->range_shifter_to_isocentre_mm : 0;
    PetscCall(PetscArraycpy(out->isocentre_mm, beam->isocentre_mm, 3));
    out->target = beam->target;
    out->n = beam->n_spot;
    PetscCall(PetscMalloc5(out->n, &out->x_mm, out->n, &out->y_mm, out->n, &out->energy_MeV_u, out->n, &out->particles,
                           out->n, &out->spot_fwhm_mm));
    for (PetscInt r = 0; r < beam->n_run; r++)
      for (PetscInt i = 0; i < beam->run[r].n; i++) {
        PetscInt at = beam->run[r].first_spot - beam->first_spot + i, e = beam->energy[beam->run[r].first_layer + i];
        out->x_mm[at] = beam->run[r].x_mm;
        out->y_mm[at] = beam->run[r].y_mm;
        out->energy_MeV_u[at] = in->machine->energy_MeV_u[e];
        out->spot_fwhm_mm[at] = FWHM_PER_SIGMA * in->machine->spot_sigma_mm[e];
        out->particles[at] = weight[beam->first_spot + at];
      }
  }
  PetscFunctionReturn(0);
}

/* Which stage each beam is of. */
static void NameStages(const Course *course, PlanSpots *spots)
{
  for (PetscInt k = 0; k < course->n; k++)
    for (PetscInt b = 0; b < course->stage[k].n_beam; b++) {
      PlanBeam *beam = &spots->beam[course->stage[k].first_beam + b];
      beam->stage = course->stage[k].name;
      beam->stage_fractions = course->stage[k].fractions;
    }
}

static PetscErrorCode SpotsDestroy(PlanSpots *spots)
{
  PetscFunctionBegin;
  for (PetscInt b = 0; b < spots->n_beam; b++) {
    PlanBeam *beam = &spots->beam[b];
    PetscCall(PetscFree5(beam->x_mm, beam->y_mm, beam->energy_MeV_u, beam->particles, beam->spot_fwhm_mm));
  }
  PetscCall(PetscFree(spots->beam));
  PetscFunctionReturn(0);
}

/* Structures of each tissue by name, for readers. */
static PetscErrorCode NameTissues(const Settings *settings, Text text[TISSUES_MOST], const char *name[TISSUES_MOST])
{
  PetscFunctionBegin;
  PetscCall(TextAdd(&text[0], "all other voxels"));
  name[0] = text[0].data;
  for (PetscInt t = 0; t < settings->n_tissues; t++) {
    const TissueSpec *tissue = &settings->tissues[t];
    for (PetscInt s = 0; s < tissue->n_structures; s++)
      PetscCall(TextAdd(&text[1 + t], "%s%s", s ? ", " : "", tissue->structures[s]));
    name[1 + t] = text[1 + t].data;
  }
  PetscFunctionReturn(0);
}

/* RBE-weighted dose per fraction that doses are judged by: of a course that of its mean fraction, if all stages meet theirs. */
static double Prescription(const PlanInputs *in)
{
  double dose_Gy_RBE[STAGES_MOST];
  if (!in->course.n) return in->settings->prescription_Gy_RBE;
  for (PetscInt k = 0; k < in->course.n; k++) dose_Gy_RBE[k] = in->settings->course.stages[k].dose_Gy_RBE;
  return CourseFraction(&in->course, dose_Gy_RBE, NULL);
}

static void TakeDoses(const DoseSet *doses, PlanResult *result)
{
  for (Quantity q = 0; q < n_quantities; q++) result->nominal[q] = doses->nominal[q];
  result->robust_min = doses->rbe_min;
  result->robust_max = doses->rbe_max;
  result->robust_sd = doses->rbe_sd;
  result->n_bands = doses->n_band;
  result->bands = doses->band;
  result->metrics = doses->metrics;
  result->statistics = doses->statistics;
}

static PetscErrorCode ReportOf(const Solution *solution, const Settings *settings, OptimizerReport *report,
                               IterationRecord **history, ConstraintReport **constraint)
{
  PetscFunctionBegin;
  *history = NULL;
  *constraint = NULL;
  report->mode = solution ? robust_mode_names[settings->robust.mode] : "none";
  report->reason = solution ? solution->reason : "given plan, not optimised";
  if (!solution) PetscFunctionReturn(0);
  report->iterations = solution->n_iteration;
  report->evaluations = solution->n_evaluation;
  report->objective = solution->objective;
  report->n_history = solution->n_history;
  report->certificate = solution->certificate;
  report->n_spent = N_SPENT;
  report->spent_names = spent_names;
  report->spent = solution->spent;
  report->n_group = solution->n_group;
  report->multiplier = solution->multiplier;
  PetscCall(ConstraintsReport(settings, solution, constraint));
  report->n_constraint = solution->n_constraint;
  report->n_round = solution->n_round;
  report->constraint = *constraint;
  report->constraint_part = solution->constraint_part;
  report->delivery = solution->delivery;
  report->delivery_limits = settings->delivery;
  PetscCall(PetscMalloc1(solution->n_history, history));
  for (PetscInt i = 0; i < solution->n_history; i++) {
    const Iteration *line = &solution->history[i];
    (*history)[i] =
        (IterationRecord){line->iteration, line->evaluations, line->minimised, line->objective, line->gradient_norm};
  }
  report->history = *history;
  PetscFunctionReturn(0);
}

/* Files this plan was made from, for provenance. */
static PetscErrorCode HashInputs(PlanContext *context, const Settings *settings, Mistakes *mistakes, PetscInt *n,
                                 InputFile **input)
{
  PetscFunctionBegin;
  PetscCall(PlanInputFiles(context->study, settings, n, input));
  for (PetscInt i = 0; i < *n; i++) PetscCall(InputFileHash(context->comm, mistakes, &(*input)[i]));
  PetscFunctionReturn(0);
}

/* Sum over ranks of the largest memory each has used. */
static PetscErrorCode TeamMemory_MiB(MPI_Comm comm, double *total)
{
  PetscFunctionBegin;
  double mine = PeakMemory_MiB();
  PetscCallMPI(MPI_Allreduce(&mine, total, 1, MPI_DOUBLE, MPI_SUM, comm));
  PetscFunctionReturn(0);
}

/* A plan that leaves its target without dose is no result; one that covers less than half of it deserves a warning. */
static PetscErrorCode CheckTarget(const PlanResult *result, Mistakes *mistakes)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < result->metrics[0].n; i++) {
    const Metric *m = &result->metrics[0].item[i];
    if (m->quantity != QUANTITY_RBE_WEIGHTED || strcmp(m->structure, result->target)) continue;
    if (!strcmp(m->name, "Dmean") && m->value < LEAST_TARGET_SHARE * result->prescription_Gy_RBE)
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                            "case %s, arm %s: %s gets a mean dose of %.3g Gy(RBE), expected something near %.3g: check "
                            "objectives and weights",
                            result->patient, result->arm, result->target, m->value, result->prescription_Gy_RBE));
    else if (!strcmp(m->name, "V95") && m->value < 50)
      LogLine(LOG_WARNING, "plan", result->patient, "%s  only %.1f %% of %s gets 95 %% of the prescription",
              result->arm, m->value, result->target);
  }
  PetscFunctionReturn(0);
}

static void TellGoal(const PlanResult *result, const Goal *g)
{
  const char *per = g->course ? "per course" : "per fraction", *verdict = g->met ? "met" : "missed";
  const LogLevel level = g->met ? LOG_INFO : LOG_WARNING;
  if (g->share)
    LogLine(level, "goals", result->patient, "%s  %-6s  %s %s %s %.5g %s %s in %.5g %% of the scenarios: %s %.5g %%",
            result->arm, verdict, g->structure, g->metric, GoalRelation(&g->each), g->each.limit, g->each.unit, per,
            g->value, GoalRelation(&g->bound), g->bound.limit);
  else
    LogLine(level, "goals", result->patient, "%s  %-6s  %s %s %.5g %s %s, %s: %s %.5g", result->arm, verdict,
            g->structure, g->metric, g->value, g->bound.unit, per, g->scenario, GoalRelation(&g->bound),
            g->bound.limit);
}

/* Pass or fail of every goal, told where it is missed. */
static PetscErrorCode Judge(const PlanInputs *in, const DoseSet *doses, PlanResult *result, Goal *goal,
                            Mistakes *mistakes)
{
  PetscFunctionBegin;
  const Settings *settings = in->settings;
  const GoalBasis basis = {.prescription_Gy_RBE = Prescription(in),
                           .fractions = (double)settings->fractions,
                           .course = in->course.n ? &in->course : NULL,
                           .set = in->evaluate,
                           .metrics = doses->metrics,
                           .statistics = doses->statistics};
  PetscInt met = 0;
  PetscCall(GoalsJudge(&basis, settings->n_goals, settings->goals, mistakes, goal));
  result->n_goals = settings->n_goals;
  result->goals = goal;
  if (!settings->n_goals || MistakesAny(mistakes)) PetscFunctionReturn(0);
  for (PetscInt i = 0; i < settings->n_goals; i++) {
    const Goal *g = &goal[i];
    if (g->met) met++;
    TellGoal(result, g);
  }
  LogLine(LOG_INFO, "goals", result->patient, "%s  %d of %d met", result->arm, (int)met, (int)settings->n_goals);
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteFiles(PlanContext *context, const PlanResult *result, const char *folder, Mistakes *mistakes)
{
  PetscFunctionBegin;
  if (context->rank == 0) (void)PlanTablesWrite(result, folder, mistakes);
  PetscCall(MistakesShare(context->comm, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(PlanFileWrite(context->comm, result, folder, mistakes));
  if (MistakesAny(mistakes) && context->rank == 0) PlanFilesRemove(folder); /* no tables without their plan */
  PetscFunctionReturn(0);
}

DoseSpec PlanDoseSpec(const PlanInputs *in, const double *weight)
{
  return (DoseSpec){.model = in->model,
                    .course = in->course.n ? &in->course : NULL,
                    .tissues = &in->tissues,
                    .set = in->evaluate,
                    .grid = &in->grid,
                    .n = in->n_dose_voxel,
                    .voxel = in->dose_voxel,
                    .weight = weight,
                    .n_region = in->n_region,
                    .region = in->region,
                    .outside = &in->outside,
                    .prescription_Gy_RBE = in->settings->prescription_Gy_RBE};
}

/* What a PlanResult points to beside the plan's inputs. */
typedef struct Parts {
  OutcomeSpec control; /* of the tumour */
  OutcomeList outcomes;
  MetricRequestList request;
  DoseSet doses;
  ScenarioDose *scenario_doses; /* [result->n_scenario_doses] */
  float **beam_doses;           /* [result->spots.n_beam]; NULL: not kept */
  ActivitySet activity;
  PetscInt n_kept, *kept; /* scenarios whose physical dose goes with it */
  InputFile *input;
  IterationRecord *history;
  ConstraintReport *constraint;
  short *hu; /* of the patient on the grid */
  Goal *goal;
  Text tissue_text[TISSUES_MOST];
  const char *tissue_name[TISSUES_MOST];
  StageTime time[N_STAGES];
} Parts;

/* Doses that are kept beside those of all plans. */
static PetscErrorCode KeepDoses(MPI_Comm comm, const WeightedPlan *plan, Parts *parts, PlanResult *result)
{
  PetscFunctionBegin;
  const PlanInputs *in = plan->inputs;
  const DoseSpec spec = PlanDoseSpec(in, plan->weight);
  PetscCall(PlanScenarioDoses(comm, plan, result, &result->n_scenario_doses, &parts->scenario_doses));
  result->scenario_doses = parts->scenario_doses;
  if (in->settings->results.beam_doses == BEAM_DOSES_PHYSICAL)
    PetscCall(BeamDosesCreate(comm, &spec, in->beams, &parts->beam_doses));
  result->beam_doses = parts->beam_doses;
  PetscFunctionReturn(0);
}

/* Metrics that the study asks for, and those that its goals look at. */
static PetscErrorCode RequestMetrics(const PlanInputs *in, MetricRequestList *request)
{
  PetscFunctionBegin;
  const Settings *settings = in->settings;
  const Course *course = in->course.n ? &in->course : NULL;
  const double fractions = (double)settings->fractions;
  for (PetscInt i = 0; i < settings->n_metrics; i++)
    PetscCall(MetricRequestAdd(&settings->metrics[i], fractions, course, request));
  for (PetscInt i = 0; i < settings->n_goals; i++) {
    const MetricSpec *metric = &settings->goals[i].metric;
    if (!QuantityFindMetric(metric->quantity, metric->name))
      PetscCall(MetricRequestAdd(metric, fractions, course, request));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ComputeDoses(MPI_Comm comm, const WeightedPlan *plan, Parts *parts, PlanResult *result)
{
  PetscFunctionBegin;
  const PlanInputs *in = plan->inputs;
  const double *seconds = plan->stage_seconds;
  Phase phase = PhaseBegin("evaluate", plan->spec->case_name, "doses of all scenarios");
  LogLine(LOG_INFO, "evaluate", plan->spec->case_name, "%s  doses of %d scenarios at %d voxels", plan->spec->arm,
          (int)in->evaluate->n, (int)in->n_dose_voxel);
  PetscCall(PlanOutcomes(plan->inputs, &parts->control, &parts->outcomes));
  result->outcomes = parts->outcomes;
  PetscCall(RequestMetrics(plan->inputs, &parts->request));
  PetscCall(PlanActivityRows(plan->inputs, &parts->n_kept, &parts->kept));
  DoseSpec spec = PlanDoseSpec(plan->inputs, plan->weight);
  spec.outcomes = parts->outcomes;
  spec.request = parts->request;
  spec.n_kept = parts->n_kept;
  spec.kept = parts->kept;
  spec.phase = &phase;
  PetscCall(DoseSetCreate(comm, &spec, &parts->doses));
  TakeDoses(&parts->doses, result);
  PetscCall(PlanActivity(comm, plan->inputs, plan->weight, &parts->doses, &parts->activity));
  result->activity = &parts->activity;
  parts->time[STAGE_PREPARE] = (StageTime){"prepare", seconds[STAGE_PREPARE]};
  parts->time[STAGE_BUILD] = (StageTime){"build", seconds[STAGE_BUILD]};
  parts->time[STAGE_OPTIMIZE] = (StageTime){"optimize", seconds[STAGE_OPTIMIZE]};
  parts->time[STAGE_EVALUATE] = (StageTime){"evaluate", TimeSteady() - phase.begun};
  LogLine(LOG_INFO, "evaluate", plan->spec->case_name, "%s  doses and metrics took %.1f s; files are written",
          plan->spec->arm, parts->time[STAGE_EVALUATE].seconds);
  result->n_times = N_STAGES;
  result->times = parts->time;
  PetscFunctionReturn(0);
}

/* What was planned: settings, patient, spots, tissues and machine. */
static PetscErrorCode DescribePlan(const WeightedPlan *plan, Parts *parts, PlanResult *result)
{
  PetscFunctionBegin;
  const PlanInputs *in = plan->inputs;
  const Settings *settings = in->settings;
  result->patient = plan->spec->case_name;
  result->arm = plan->spec->arm;
  result->sweep = plan->spec->sweep;
  result->yaml = plan->spec->yaml;
  result->prescription_Gy_RBE = Prescription(in);
  result->fractions = settings->fractions;
  result->target = settings->target;
  result->spot_control = SpotControlText(settings);
  result->grid = in->grid;
  PetscCall(CaseHUToGrid(in->patient, &in->grid, &parts->hu));
  result->hu = parts->hu;
  result->n_regions = in->n_region;
  result->regions = in->region;
  result->optimize = in->optimize;
  result->evaluate = in->evaluate;
  PetscCall(SpotsCreate(in, plan->weight, &result->spots));
  NameStages(&in->course, &result->spots);
  PetscCall(NameTissues(settings, parts->tissue_text, parts->tissue_name));
  result->tissues = &in->tissues;
  result->tissue_structures = parts->tissue_name;
  result->machine_name = in->machine->name;
  result->machine_hash = in->machine->hash;
  result->ion = settings->machine.ion;
  PetscFunctionReturn(0);
}

/* How it was planned: optimiser, memory and files. */
static PetscErrorCode DescribeMaking(PlanContext *context, const WeightedPlan *plan, Mistakes *mistakes, Parts *parts,
                                     PlanResult *result)
{
  PetscFunctionBegin;
  const Settings *settings = plan->inputs->settings;
  PetscCall(ReportOf(plan->solution, settings, &result->optimizer, &parts->history, &parts->constraint));
  PetscCall(TeamMemory_MiB(context->comm, &result->peak_memory_MiB));
  PetscCall(HashInputs(context, settings, mistakes, &result->n_inputs, &parts->input));
  result->study = context->study->name;
  result->provenance = &context->provenance;
  result->inputs = parts->input;
  PetscFunctionReturn(0);
}

static PetscErrorCode PartsDestroy(Parts *parts, const PlanResult *result)
{
  PetscFunctionBegin;
  for (PetscInt t = 0; t < TISSUES_MOST; t++) PetscCall(TextDestroy(&parts->tissue_text[t]));
  PetscCall(ActivitySetDestroy(&parts->activity));
  PetscCall(PetscFree(parts->hu));
  PetscCall(ScenarioDosesDestroy(result->n_scenario_doses, &parts->scenario_doses));
  PetscCall(BeamDosesDestroy(result->spots.n_beam, &parts->beam_doses));
  PetscCall(PetscFree(parts->kept));
  PetscCall(PetscFree(parts->goal));
  PetscCall(PetscFree(parts->input));
  PetscCall(PetscFree(parts->history));
  PetscCall(PetscFree(parts->constraint));
  PetscCall(DoseSetDestroy(&parts->doses));
  PetscCall(OutcomeListDestroy(&parts->outcomes));
  PetscCall(PetscFree(parts->request.item));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanEvaluateAndWrite(PlanContext *context, const WeightedPlan *plan, const char *folder,
                                    Mistakes *mistakes)
{
  PetscFunctionBegin;
  Parts parts = {0};
  PlanResult result = {0};
  Delivered delivered;
  PetscCall(PlanDeliveredCreate(plan, &delivered));
  PetscCall(ComputeDoses(context->comm, &delivered.plan, &parts, &result));
  PetscCall(DescribePlan(plan, &parts, &result));
  PetscCall(DescribeMaking(context, plan, mistakes, &parts, &result));
  PetscCall(PetscCalloc1(plan->inputs->settings->n_goals, &parts.goal));
  PetscCall(Judge(plan->inputs, &parts.doses, &result, parts.goal, mistakes));
  if (plan->solution) PetscCall(CheckTarget(&result, mistakes));
  PlanTellHotSpot(&result);
  if (!MistakesAny(mistakes)) PetscCall(KeepDoses(context->comm, &delivered.plan, &parts, &result));
  PetscCall(PlanDeliveredDestroy(&delivered));
  if (!MistakesAny(mistakes)) PetscCall(WriteFiles(context, &result, folder, mistakes));
  PetscCall(SpotsDestroy(&result.spots));
  PetscCall(PartsDestroy(&parts, &result));
  PetscFunctionReturn(0);
}
