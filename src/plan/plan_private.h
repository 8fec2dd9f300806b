/* Shared by the files that put one plan's inputs together. */
#pragma once
#include "robion/plan.h"
#include <string.h>

/* A structure that the study names. */
typedef struct NamedStructure {
  const char *name, *where, *key; /* where and by which key of the study; not owned */
  PetscBool filled;               /* expected to have volume */
} NamedStructure;
/* All of them, some more than once; PetscFree. */
PetscErrorCode PlanNamed(const Settings *settings, PetscInt *n, NamedStructure **named);
/* Whether all structures have places of their own in plan.h5 (PlanNamedPath). */
PetscErrorCode PlanCheckGroups(const Settings *settings, const Case *patient, Mistakes *mistakes);
/* The dose grid: it covers the external structure and all that the study names or derives. */
PetscErrorCode PlanDoseGrid(const Settings *settings, const Case *patient, Grid *grid);
/* A mistake (ROBION_INPUT) for each named structure that has none of the plan's regions. Not collective. */
PetscErrorCode PlanCheckRegions(const PlanInputs *in, Mistakes *mistakes);
/* Lines of the log on the plan's structures and its dose grid: what is cropped, what is too small. Not collective. */
void PlanTellRegions(const PlanInputs *in);

/* Mistakes in what the study wants of positron emitters: unknown scenarios, base data without them, a course. Not collective. */
/* Its scenarios that there are not. */
/* The tissue of a structure; 0: it has none of its own. */
PetscInt PlanTissueOf(const Settings *settings, const char *structure);
/* Whether any objective is to hold in more than the nominal scenario. */
PetscBool PlanIsRobust(const Settings *settings);
/* A scenario set with more rows than a slip makes: ROBION_STUDY. The axes are set. */
PetscErrorCode PlanCheckScenarios(const Settings *settings, Mistakes *mistakes);
PetscErrorCode PlanCheckActivitySettings(const Settings *settings, Mistakes *mistakes);
PetscErrorCode PlanCheckActivity(const PlanInputs *in, Mistakes *mistakes);
/* Rows of the evaluation whose activity is wanted, [*n], to be freed. Not collective. */
PetscErrorCode PlanActivityRows(const PlanInputs *in, PetscInt *n, PetscInt **row);
/* The activity of the plan's weights; its doses are those that were kept for it. Collective. */
PetscErrorCode PlanActivity(MPI_Comm comm, const PlanInputs *in, const double *weight, const DoseSet *doses,
                            ActivitySet *out);

/* A line of the log on the hottest place outside of all targets, if the plan has one. Not collective. */
void PlanTellHotSpot(const PlanResult *result);

/* Fill in->tissues from the settings; needs patient, machine and grid. After a mistake some biologies are NULL. Collective. */
PetscErrorCode TissuesCreate(MPI_Comm team, Mistakes *mistakes, PlanInputs *in);
PetscErrorCode TissuesDestroy(Tissues *tissues);

/*
 * Instead of an optimisation: the weights of the plan that has made the same one (plan->optimized_by), from its file. Not there
 * or not finished: ROBION_INPUT. Collective.
 */
PetscErrorCode PlanTakeWeights(PlanContext *context, const PlanSpec *plan, PetscInt n_spot, Mistakes *mistakes,
                               Solution *solution);

/*
 * The weights of one stage from another plan's file, where that plan is finished; else *there stays 0. `weight` is of all n_spot
 * spots. Not collective.
 */
PetscErrorCode PlanFindStage(PlanContext *context, const PlanSpec *from, PetscInt n_spot, const CourseStage *stage,
                             double *weight, int *there);

/* Optimise what is sought of the inputs: a plan, or one stage; or all stages one after the other. Collective. */
PetscErrorCode PlanOptimise(PlanContext *context, const PlanSpec *plan, const PlanInputs *in, const char *folder,
                            double stage_seconds[N_STAGES], Mistakes *mistakes, Solution *solution);
PetscErrorCode PlanOptimiseStages(PlanContext *context, const PlanSpec *plan, const PlanInputs *in, const char *folder,
                                  double stage_seconds[N_STAGES], Mistakes *mistakes, Solution *solution);

/*
 * Add beams behind in->beams, each with spots that cover its own target, or the usual one, or with those given: spot_of as
 * BeamSetFromSpots has it, [spots->n]. Collective.
 */
PetscErrorCode PlanAddBeams(MPI_Comm team, const BeamSetSpec *beams, const char *usual, const SpotList *spots,
                            PetscInt *spot_of, Mistakes *mistakes, PlanInputs *in);
/* Beams, course and their models of a plan in stages; beams have given spots, if there are any, as PlanInputsCreate takes them. */
PetscErrorCode CourseCreate(MPI_Comm team, const SpotList *spots, PetscInt **spot_of, Mistakes *mistakes,
                            PlanInputs *in);
PetscErrorCode CourseDestroy(Course *course);
/*
 * What one stage is planned from when those before have the weights [their spots]: a view of the plan's inputs with the terms
 * that count then, those of the stage and in the last one those of the course, and with their voxels alone, so that it does not
 * depend on what later stages want.
 */
PetscErrorCode CoursePartCreate(const PlanInputs *in, PetscInt stage, const double *weight, PlanInputs *part);
PetscErrorCode CoursePartDestroy(PlanInputs *part);

/*
 * The weights of a stage that is finished while others are not, in a file of the plan's folder: written, read back (false if
 * there is none of these settings), removed with those of all other stages. Not collective.
 */
PetscBool StageFileWrite(const char *folder, const char *yaml, const CourseStage *stage, const double *weight,
                         Mistakes *mistakes);
PetscBool StageFileRead(const char *folder, const char *yaml, const CourseStage *stage, double *weight);
void StageFilesRemove(const char *folder, const Course *course);

/* The biology a structure's objectives on effect are measured by. */
const BiologySpec *TissueOfStructure(const Settings *settings, const char *structure);

/* A mistake (ROBION_RESOURCES) if PlanMemory is more than the team has. Collective. */
PetscErrorCode PlanCheckMemory(PlanContext *context, const PlanSpec *plan, const PlanInputs *in, Mistakes *mistakes);

/*
 * Costs of all the plan's spots (spot_control.h), NULL if the study asks for none. A structure without volume: ROBION_INPUT. Not
 * collective.
 */
PetscErrorCode PlanSpotCosts(const PlanInputs *in, Mistakes *mistakes, double **cost);
/* Entries of the operator's rows of a list of voxels in the nominal scenario, estimated where there are many. Collective. */
PetscErrorCode PlanCountNominal(MPI_Comm comm, const PlanInputs *in, PetscInt n, const PetscInt *voxel,
                                double *entries);

/*
 * The problem of `spec`, and particles in the spots sought to begin with [n_sought]: equal in every stage, and as many as give the
 * target its dose. Adds the seconds it took to *build_s. To be freed by ProblemDestroy and PetscFree. Collective.
 */
PetscErrorCode PlanProblemStart(MPI_Comm comm, const PlanInputs *in, const ProblemSpec *spec, double *build_s,
                                Problem *problem, double **start);

/* Which formulas spot control goes by, for log and plan file; NULL without any. */
const char *SpotControlText(const Settings *settings);

/* The fields of a plan whose in-field gradients are suppressed (field_gradient.h). */
typedef struct PlanFields {
  FieldGradientSpec spec; /* n_field 0: the study does not ask for it */
  BeamSet *beams;         /* of one beam each, owned by the plan's */
  DoseModel *model;
  PetscInt *voxel;
} PlanFields;

/* A distance that reaches no neighbour: ROBION_STUDY. Not collective. */
PetscErrorCode PlanFieldsCreate(const PlanInputs *in, Mistakes *mistakes, PlanFields *out);
PetscErrorCode PlanFieldsDestroy(PlanFields *fields);

/* Fill in->term and the voxels they look at from the settings; needs patient and grid. */
PetscErrorCode TermsCreate(Mistakes *mistakes, PlanInputs *in);
/* Collect the voxels that terms look at, which are grid indices in ascending order, and turn them into positions in that list. */
PetscErrorCode TermsIndex(PlanInputs *in);

/*
 * The settings without objectives, goals, metrics and outcomes that are optional and of structures without voxels in the case; lists
 * are their own, all they point to is shared. `tell`: a line of the log for each. Not collective.
 */
PetscErrorCode PlanSettingsKeep(const Settings *settings, const Case *patient, PetscBool tell, Settings *kept);
PetscErrorCode PlanSettingsDrop(Settings *kept);

/*
 * The outcomes that a plan is judged by: control of the tumour, kept in `control`, if the case has clonogens there, and those of the
 * study. Not collective.
 */
PetscErrorCode PlanOutcomes(const PlanInputs *in, OutcomeSpec *control, OutcomeList *out);

/* How well a solution keeps its constraints, [solution->n_constraint], to be freed; the same as lines of the log. */
PetscErrorCode ConstraintsReport(const Settings *settings, const Solution *solution, ConstraintReport **out);
PetscErrorCode ConstraintsLog(const PlanSpec *plan, const Settings *settings, const Solution *solution);

/*
 * Rows of the evaluation set, ascending, whose doses are kept beside the nominal: as the study wants, at most SCENARIO_DOSES_MOST,
 * those first that are worst for a goal. To be freed. Not collective.
 */
PetscErrorCode PlanScenarioRows(const ResultsSpec *spec, const ScenarioSet *set, PetscInt n_goal, const Goal *goal,
                                PetscInt *n, PetscInt **row);
/* Their doses, when the goals are judged: [n], to be destroyed. Collective. */
PetscErrorCode PlanScenarioDoses(MPI_Comm comm, const WeightedPlan *plan, const PlanResult *result, PetscInt *n,
                                 ScenarioDose **doses);

/* Indices of the marked voxels of a grid, neighbours together. */
PetscErrorCode PlanCollectMarked(const Grid *grid, const unsigned char *mark, PetscInt *n, PetscInt **voxel);

/* A plan with its filled spots alone: inputs that share all with the plan's but beams, models and course. */
typedef struct Delivered {
  PlanInputs inputs;
  double *weight;    /* [inputs.beams->n_spot] */
  WeightedPlan plan; /* of these */
} Delivered;
/* `out` must stay where it is. Destroy is collective if spots are split. */
PetscErrorCode PlanDeliveredCreate(const WeightedPlan *plan, Delivered *out);
PetscErrorCode PlanDeliveredDestroy(Delivered *delivered);
