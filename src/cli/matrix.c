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

static struct {
  const char *out, *plan;
  PlanChoice choice;
  OptionList set;
} given = {.out = "matrix.h5"};

static const Option matrix_options[] = {{"-o", "FILE.h5", "file of the matrices", .value = &given.out},
                                        {"--plan", "PLAN", "take the spots of this plan.h5, .rst or CSV",
                                         "those that a run would lay out", .value = &given.plan},
                                        OPTION_CHOICE("--case", "NAME", "case", given.choice.case_name),
                                        OPTION_CHOICE("--arm", "NAME", "arm", given.choice.arm),
                                        OPTION_CHOICE("--sweep", "POINT", "sweep point", given.choice.sweep),
                                        OPTION_SET(given.set)};

static const Command command_matrix = {
    .operands = "STUDY.yaml",
    .purpose = "write the dose operator as sparse matrices, for the voxels of objectives and the optimised scenarios",
    .least = 1,
    .most = 1,
    .n_option = PETSC_STATIC_ARRAY_LENGTH(matrix_options),
    .option = matrix_options};

static PetscErrorCode Matrix(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *operand[1];
  Study *study = NULL;
  const PlanSpec *plan = NULL;
  SpotList spots = {0};
  PetscCall(ArgumentsParse(arguments, &verb_matrix, &command_matrix, operand, mistakes));
  if (!MistakesAny(mistakes))
    PetscCall(StudyLoadAll(PETSC_COMM_WORLD, operand[0], given.set.n, given.set.text, mistakes, &study));
  if (study) PetscCall(StudyChoosePlan(study, given.plan, &given.choice, mistakes, &plan));
  if (plan && given.plan) PetscCall(SpotListRead(given.plan, NULL, mistakes, &spots));
  if (plan && !MistakesAny(mistakes))
    PetscCall(Write(arguments, study, plan, given.plan ? &spots : NULL, given.out, mistakes));
  if (plan && !MistakesAny(mistakes))
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s: case %s, arm %s%s%s\n", given.out, plan->case_name, plan->arm,
                          *plan->sweep ? ", sweep point " : "", plan->sweep));
  PetscCall(SpotListDestroy(&spots));
  PetscCall(StudyDestroy(&study));
  *exit_code = MistakesExit(mistakes);
  PetscFunctionReturn(0);
}

const Verb verb_matrix = {
    .name = "matrix", .parallel = PETSC_TRUE, .run = Matrix, .n_command = 1, .command = &command_matrix};
