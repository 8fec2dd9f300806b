/**
 * One plan: what it is made of, making it, judging and writing it. Last step but the report. All functions are collective on the
 * communicator of the context, which is the team that plans, unless they say otherwise. A plan's bits do not depend on its team.
 */
#pragma once
#include "robion/doses.h"
#include "robion/results.h"
#include "robion/solver.h"
#include "robion/study.h"

/** What is shared by all plans that a team makes. */
typedef struct PlanContext {
  MPI_Comm comm;                 /* of the team that plans */
  PetscMPIInt rank, size, nodes; /* of comm; nodes: those its ranks are on */
  const Study *study;
  PetscBool resume; /* go on from checkpoints */
  Provenance provenance;
  const char *results; /* folder */
  double memory_bytes; /* that a plan may take on all ranks of comm together; 0: not known */
  Machine *machine;    /* of the last plan, kept for the next one with the same base data */
  char *machine_key;
} PlanContext;

/** A context of all ranks of comm for one study; no machine is kept, memory not known. Collective. */
PetscErrorCode PlanContextCreate(MPI_Comm comm, int argc, char **argv, const Study *study, const char *results,
                                 PlanContext *context);
PetscErrorCode PlanContextDestroy(PlanContext *context);

/** Everything a plan is computed from, ready on every rank. */
typedef struct PlanInputs {
  const Settings *settings; /* without what is optional and of structures that the case lacks: kept */
  Settings *kept;
  Case *patient;
  const Machine *machine; /* owned by the context */
  Tissues tissues;
  Grid grid;
  PetscInt n_region; /* all structures of the case and the derived ones that touch the dose grid */
  Region *region;
  Region target;  /* the prescription's target, for spots */
  Region outside; /* the external structure's voxels that no target touches; n = 0: none, or there is no external */
  ScenarioSet *optimize, *evaluate;
  BeamSet *beams;             /* of all stages, one stage after the other */
  DoseModel model;            /* of all of them */
  Course course;              /* n = 0: no stages */
  PetscInt n_sought, n_fixed; /* spots whose weights are sought; stages before them that have the weights fixed[...] */
  const double *fixed;
  PetscInt n_voxel; /* voxels that objectives look at, neighbours together */
  PetscInt *voxel;
  PetscInt n_term;
  Term *term;
  PetscInt *objective;   /* [n_term] of the settings that each term is made of */
  PetscInt n_dose_voxel; /* voxels that doses are computed for: external structure and all regions */
  PetscInt *dose_voxel;
} PlanInputs;

/**
 * Load or build everything for one plan. Mistakes (equal on all ranks) name files and places in the study; then the inputs
 * are empty. `spots` (may be NULL) replaces the spot layout; spot_of as in BeamSetFromSpots. Collective.
 */
PetscErrorCode PlanInputsCreate(PlanContext *context, const PlanSpec *plan, const SpotList *spots, PetscInt **spot_of,
                                Mistakes *mistakes, PlanInputs *inputs);
PetscErrorCode PlanInputsDestroy(PlanInputs *inputs);

/** The settings of a plan, as PlanInspect takes them. */
static inline PlanSettings PlanSettingsOf(const PlanSpec *plan)
{
  return (PlanSettings){plan->yaml, SettingsUpdate};
}

/**
 * The files a plan is made from, each once, the study's first; hashes and sizes are still empty. PetscFree. Not collective.
 */
PetscErrorCode PlanInputFiles(const Study *study, const Settings *settings, PetscInt *n, InputFile **input);

/**
 * Load or build the case of a plan: an external structure derived if there is none, stopping power set (of a phantom by the
 * study's hlut, unless that is the default table, by which its HU were made) and scaled, name as the study has it, structures derived,
 * names checked (PlanCheckNames). NULL after mistakes. Not collective.
 */
PetscErrorCode PlanReadCase(const Settings *settings, Mistakes *mistakes, Case **patient);

/** Add a mistake (ROBION_INPUT, with the nearest name) if the case has no structure of that name. Not collective. */
PetscErrorCode PlanCheckName(const Case *patient, const char *name, const char *where, const char *key,
                             Mistakes *mistakes);

/**
 * Check that every structure the plan names is in the case, and has voxels if doses in it are wanted, limited or judged
 * (ROBION_INPUT). Not collective.
 */
PetscErrorCode PlanCheckNames(const Settings *settings, const Case *patient, Mistakes *mistakes);

/**
 * Check what only a plan would see else, before there are base data (ROBION_STUDY, ROBION_INPUT): scenarios of activity that there are
 * not, beams `from-case` without angles there, isocentres outside the CT, range shifters that nothing passes. Not
 * collective.
 */
PetscErrorCode PlanCheckSettings(const Settings *settings, const Case *patient, Mistakes *mistakes);

/** Tell a plan's scenario sets what the plan knows of their axes: how many beams and tissues there are, what responses. Not collective. */
PetscErrorCode PlanSetAxes(const Case *patient, Settings *settings);
PetscErrorCode PlanDropAxes(Settings *settings);

/**
 * Lines of the log, once in a run: an external structure that had to be derived, structures without voxels or outside of the
 * external. Not collective.
 */
void PlanTellCase(const Case *patient);

/**
 * Advice where a study has plans of LEM I in its low-dose approximation beside those of other models: a line of the log. Not
 * collective.
 */
PetscErrorCode StudyTellModels(const Study *study);

/** The case of a plan with its stopping power and derived structures, on rank 0's files; checks structure names. Collective. */
PetscErrorCode PlanLoadCase(MPI_Comm comm, const Settings *settings, Mistakes *mistakes, Case **patient);

/**
 * Write the dose operator of the optimised scenarios for the voxels of objectives: HDF5, one sparse matrix (CSC: indptr, indices,
 * four channels) per scenario and beam, with spots, voxels and grid. A matrix larger than most_bytes (0: any) is a mistake
 * (ROBION_RESOURCES). Not collective.
 */
PetscErrorCode PlanWriteMatrix(const PlanInputs *inputs, double most_bytes, const char *file, Mistakes *mistakes);

/** The optimisation problem of a plan's inputs; spot costs are added by who has some. Not collective. */
ProblemSpec PlanProblem(const PlanInputs *inputs, InfluenceType type);

/** Doses of the plan's weights [n_spot] in the evaluation's scenarios; outcomes and metrics by request are for the caller. Not collective. */
DoseSpec PlanDoseSpec(const PlanInputs *inputs, const double *weight);

/** Operator entries over all scenario rows of the optimisation, from a count in the nominal one. Collective. */
PetscErrorCode PlanCountEntries(MPI_Comm comm, const PlanInputs *inputs, double *entries);

/** Bytes that a plan takes: on each node once, whatever ranks it has there, and of each rank besides. */
typedef struct MemoryNeed {
  double node, rank;
} MemoryNeed;

/**
 * The more of optimisation and evaluation, and what is in use, on a team of so many ranks. `entries` of an assembled operator. The same on
 * all ranks. Collective.
 */
PetscErrorCode PlanMemory(PlanContext *context, const PlanInputs *in, double entries, PetscInt ranks, MemoryNeed *need);

/** Optimise, evaluate and write one plan to `folder`. *stopped: a stop was requested and a checkpoint written. Collective. */
PetscErrorCode PlanMake(PlanContext *context, const PlanSpec *plan, const char *folder, Mistakes *mistakes,
                        PetscBool *stopped);

/** Stages of a plan whose wall-clock times are reported. */
enum { STAGE_PREPARE, STAGE_BUILD, STAGE_OPTIMIZE, STAGE_EVALUATE, N_STAGES };

/** A plan whose weights are found or given. Nothing is owned. */
typedef struct WeightedPlan {
  const PlanSpec *spec;
  const PlanInputs *inputs;
  const Solution *solution;    /* NULL: not optimised here */
  const double *weight;        /* [n_spot] */
  const double *stage_seconds; /* [N_STAGES] of what came before the evaluation */
} WeightedPlan;

/** Compute all doses of a plan, judge them, and write tables and plan.h5 to `folder`. Collective. */
PetscErrorCode PlanEvaluateAndWrite(PlanContext *context, const WeightedPlan *plan, const char *folder,
                                    Mistakes *mistakes);

/**
 * Write <folder>/checkpoint.h5: the state of a solver between two of its stages, and the settings, the stage of the course (""
 * without any) and the version it belongs to. Temporary name, fsync, rename; the one before stays as checkpoint-previous.h5. The
 * solver calls for it after a stage when optimizer.checkpoint_minutes have gone by since the last one, and PlanMake when a plan
 * was stopped. Not collective.
 */
PetscBool CheckpointWrite(const char *folder, const char *yaml, const char *stage, const SolveState *state,
                          Mistakes *mistakes);
/**
 * Read it back; if it is damaged, the one before. False if there is none, or (with a mistake, ROBION_INPUT) if none can be read or
 * it is of other settings, another stage, another version of robion or another number of spots. Not collective.
 */
PetscBool CheckpointRead(const char *folder, const char *yaml, const char *stage, PetscInt n_spot, SolveState *state,
                         Mistakes *mistakes);
/** The settings a checkpoint belongs to, PetscFree; NULL: there is none that can be read. Not collective. */
void CheckpointSettings(const char *folder, char **yaml);
/** Remove both, as far as they are there. Not collective. */
void CheckpointRemove(const char *folder);
