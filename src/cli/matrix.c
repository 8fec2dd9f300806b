/* `robion matrix`: the dose operator as sparse matrices. */
#include "robion/cli.h"

/* Lay the plan out, or take the spots given, and write its matrices on rank 0. */
static PetscErrorCode Write(const Arguments *arguments, const Study *study, const PlanSpec *plan, const SpotList *spots,
                            const char *out, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PlanContext context;
  PlanInputs inputs;
  PetscInt *spot_of = NULL;
  PetscCall(PlanContextCreate(PETSC_COMM_WORLD, arguments->all_argc, arguments->all_argv, study, ".", &context));
  PetscCall(PlanInputsCreate(&context, plan, spots, &spot_of, mistakes, &inputs));
  if (!MistakesAny(mistakes)) {
    if (context.rank == 0) PetscCall(PlanWriteMatrix(&inputs, context.memory_bytes, out, mistakes));
    PetscCall(MistakesShare(context.comm, mistakes));
    PetscCall(PlanInputsDestroy(&inputs));
  }
  PetscCall(PetscFree(spot_of));
  PetscCall(PlanContextDestroy(&context));
  PetscFunctionReturn(0);
}

static PetscErrorCode Matrix(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *operand[1], *out = "matrix.h5", *given = NULL, *set[LIST_LONGEST];
  PetscInt n_set = 0;
  Study *study = NULL;
  PlanChoice choice = {0};
  const PlanSpec *plan = NULL;
  SpotList spots = {0};
  const Option option[] = {{.name = "-o", .value = &out},
                           {.name = "--plan", .value = &given},
                           {.name = "--case", .value = &choice.case_name},
                           {.name = "--arm", .value = &choice.arm},
                           {.name = "--sweep", .value = &choice.sweep},
                           {.name = "--set", .n_list = &n_set, .list = set}};
  PetscCall(
      ParseArguments(arguments, PETSC_STATIC_ARRAY_LENGTH(option), option, 1, 1, verb_matrix.usage, operand, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(StudyLoadAll(PETSC_COMM_WORLD, operand[0], n_set, set, mistakes, &study));
  if (study) PetscCall(StudyChoosePlan(study, given, &choice, mistakes, &plan));
  if (plan && given) PetscCall(ReadSpots(given, mistakes, &spots));
  if (plan && !MistakesAny(mistakes)) PetscCall(Write(arguments, study, plan, given ? &spots : NULL, out, mistakes));
  if (plan && !MistakesAny(mistakes))
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s: case %s, arm %s%s%s\n", out, plan->case_name, plan->arm,
                          *plan->sweep ? ", sweep point " : "", plan->sweep));
  PetscCall(SpotListDestroy(&spots));
  PetscCall(StudyDestroy(&study));
  *exit_code = MistakesExit(mistakes);
  PetscFunctionReturn(0);
}

const Verb verb_matrix = {
    .name = "matrix",
    .usage =
        "matrix STUDY.yaml [-o FILE.h5] [--plan PLAN] [--case NAME] [--arm NAME] [--sweep POINT] [--set path=value]...",
    .purpose = "write the dose operator as sparse matrices, for the voxels of objectives and the optimised scenarios",
    .parallel = PETSC_TRUE,
    .run = Matrix};
