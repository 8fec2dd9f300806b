/* `robion evaluate`: doses and metrics of given spots. */
#include "robion/cli.h"
#include "evaluate_gamma.h"
#include "robion/log.h"
#include "robion/text.h"
#include <string.h>
#include <unistd.h>

static PetscErrorCode EvaluatePlan(PlanContext *context, const PlanSpec *plan, const SpotList *spots,
                                   const char *folder, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PlanInputs inputs;
  PetscInt *spot_of = NULL;
  double *weight, stage_seconds[N_STAGES] = {0}, begun = TimeNow();
  PetscCall(PlanInputsCreate(context, plan, spots, &spot_of, mistakes, &inputs));
  if (MistakesAny(mistakes)) PetscFunctionReturn(0);
  stage_seconds[STAGE_PREPARE] = TimeNow() - begun;
  PetscCall(PetscCalloc1(inputs.beams->n_spot, &weight));
  for (PetscInt i = 0; i < spots->n; i++) weight[spot_of[i]] = spots->particles[i];
  const WeightedPlan given = {plan, &inputs, NULL, weight, stage_seconds};
  PetscCall(PlanEvaluateAndWrite(context, &given, folder, mistakes));
  PetscCall(PetscFree(weight));
  PetscCall(PetscFree(spot_of));
  PetscCall(PlanInputsDestroy(&inputs));
  PetscFunctionReturn(0);
}

/* Move plan.h5 and its tables from the work folder to the name the user gave: FILE.h5, FILE.metrics.csv, FILE.dvh.csv. */
static PetscErrorCode PlaceOutputs(const char *folder, const char *out, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const int stem = (int)strlen(out) - (TextHasEnding(out, ".h5") ? 3 : 0);
  for (int f = N_PLAN_FILES - 1; f >= 0; f--) { /* plan.h5 last */
    char from[PETSC_MAX_PATH_LEN], to[PETSC_MAX_PATH_LEN];
    PlanFilePath(folder, f, from);
    PetscCall(PetscSNPrintf(to, sizeof to, "%.*s%s%s", stem, out, f == PLAN_H5 ? "" : ".",
                            f == PLAN_H5 ? ".h5" : plan_files[f]));
    if (FilePut(from, to)) PetscCall(MistakesAdd(mistakes, ROBION_RESOURCES, "%s: cannot be written", to));
  }
  rmdir(folder);
  PetscFunctionReturn(0);
}

static PetscErrorCode Forward(const Arguments *arguments, const Study *study, const PlanSpec *plan,
                              const SpotList *spots, const char *out, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char folder[PETSC_MAX_PATH_LEN];
  PlanContext context;
  PetscCall(PlanContextCreate(PETSC_COMM_WORLD, arguments->all_argc, arguments->all_argv, study, ".", &context));
  PetscCall(PetscSNPrintf(folder, sizeof folder, "%s.work", out));
  if (context.rank == 0) (void)FolderMake(folder, mistakes);
  PetscCall(MistakesShare(context.comm, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(EvaluatePlan(&context, plan, spots, folder, mistakes));
  if (context.rank == 0) {
    if (!MistakesAny(mistakes))
      PetscCall(PlaceOutputs(folder, out, mistakes));
    else
      rmdir(folder);
  }
  PetscCall(MistakesShare(context.comm, mistakes));
  PetscCall(PlanContextDestroy(&context));
  PetscFunctionReturn(0);
}

/* The result just placed against the reference doses. */
static PetscErrorCode CompareDoses(const GammaCheck *gamma, const char *out, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char result[PETSC_MAX_PATH_LEN];
  PetscCall(PetscSNPrintf(result, sizeof result, "%s%s", out, TextHasEnding(out, ".h5") ? "" : ".h5"));
  PetscCall(GammaCheckRun(gamma, result, mistakes));
  PetscFunctionReturn(0);
}

static struct {
  const char *out, *ions_per_mu, *stage;
  PlanChoice choice;
  OptionList set;
  GammaCheck gamma;
} given = {.out = "evaluated.h5"};

static void EvaluatePresets(void)
{
  GammaSpecDefault(&given.gamma.spec);
}

static const Option evaluate_options[] = {
    {"-o", "FILE.h5", "file of the doses; tables are put beside it", .value = &given.out},
    OPTION_CHOICE("--case", "NAME", "case", given.choice.case_name),
    OPTION_CHOICE("--arm", "NAME", "arm", given.choice.arm),
    OPTION_CHOICE("--sweep", "POINT", "sweep point", given.choice.sweep),
    {"--stage", "NAME", "the plan is of this stage of the study's course alone", "all stages", .value = &given.stage},
    OPTION_SET(given.set),
    {"--ions-per-mu", "FILE.csv", "energy_MeV_u,ions_per_MU: for DICOM plans that count monitor units",
     .value = &given.ions_per_mu},
    {"--gamma", "OTHER", "compare the doses with those of this plan.h5 or RT Dose (.dcm)", .value = &given.gamma.file},
    {"--dose-percent", "P", "dose difference of the gamma analysis", .number = &given.gamma.spec.dose_percent,
     .least = 1e-3, .most = 100, .given = &given.gamma.criteria},
    {"--distance-mm", "D", "its distance", .number = &given.gamma.spec.distance_mm, .least = 1e-3, .most = 10,
     .given = &given.gamma.criteria},
    {"--threshold-percent", "P", "dose from which voxels are compared", .number = &given.gamma.spec.threshold_percent,
     .least = 0, .most = 100, .given = &given.gamma.criteria},
    {"--local", NULL, "dose difference relative to the voxel's dose", .flag = &given.gamma.local,
     .given = &given.gamma.criteria},
    {"--global", NULL, "dose difference relative to the highest dose", "on", .flag = &given.gamma.global,
     .given = &given.gamma.criteria}};

static const Command command_evaluate = {
    .operands = "PLAN STUDY.yaml",
    .purpose = "doses and metrics of given spots (plan.h5, RT Ion Plan .dcm, .rst or CSV) under a study's scenarios",
    .least = 2,
    .most = 2,
    .n_option = PETSC_STATIC_ARRAY_LENGTH(evaluate_options),
    .option = evaluate_options,
    .presets = EvaluatePresets};

/* The plan that spots are judged as: one of the study, or a stage of it alone; NULL after mistakes. */
static PetscErrorCode ChoosePlan(const char *file, const Study *study, Study **of_stage, Mistakes *mistakes,
                                 const PlanSpec **plan)
{
  PetscFunctionBegin;
  PetscCall(StudyChoosePlan(study, file, &given.choice, mistakes, plan));
  if (!*plan || !given.stage) PetscFunctionReturn(0);
  PetscCall(StudyOfStage(study, *plan, given.stage, mistakes, of_stage));
  *plan = *of_stage ? &(*of_stage)->plans[0] : NULL;
  if (*plan && study->plans[0].settings.n_goals)
    LogLine(LOG_INFO, "plan", (*plan)->case_name, "%s  stage %s alone: the goals are those of the course, not judged",
            (*plan)->arm, given.stage);
  PetscFunctionReturn(0);
}

static PetscErrorCode Evaluate(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *operand[2];
  Study *study = NULL, *of_stage = NULL;
  const PlanSpec *plan = NULL;
  SpotList spots = {0};
  PetscCall(ArgumentsParse(arguments, &verb_evaluate, &command_evaluate, operand, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(GammaCheckPrepare(&given.gamma, mistakes));
  if (!MistakesAny(mistakes))
    PetscCall(StudyLoadAll(PETSC_COMM_WORLD, operand[1], given.set.n, given.set.text, mistakes, &study));
  if (study) PetscCall(ChoosePlan(operand[0], study, &of_stage, mistakes, &plan));
  if (plan) PetscCall(GammaCheckPlan(&given.gamma, &plan->settings, mistakes));
  if (plan && !MistakesAny(mistakes)) PetscCall(SpotListRead(operand[0], given.ions_per_mu, mistakes, &spots));
  if (plan && !MistakesAny(mistakes))
    PetscCall(Forward(arguments, of_stage ? of_stage : study, plan, &spots, given.out, mistakes));
  if (plan && given.gamma.file && !MistakesAny(mistakes)) PetscCall(CompareDoses(&given.gamma, given.out, mistakes));
  if (plan && !MistakesAny(mistakes))
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s: case %s, arm %s%s%s\n", given.out, plan->case_name, plan->arm,
                          *plan->sweep ? ", sweep point " : "", plan->sweep));
  PetscCall(GammaCheckDestroy(&given.gamma));
  PetscCall(SpotListDestroy(&spots));
  PetscCall(StudyDestroy(&of_stage));
  PetscCall(StudyDestroy(&study));
  *exit_code = MistakesExit(mistakes);
  PetscFunctionReturn(0);
}

const Verb verb_evaluate = {
    .name = "evaluate", .parallel = PETSC_TRUE, .run = Evaluate, .n_command = 1, .command = &command_evaluate};
