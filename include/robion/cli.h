/* The command line: verbs, and what they share. */
#pragma once
#include "robion/cohort.h"

/* Arguments of a verb, up to "--"; what follows that goes to PETSc. */
typedef struct Arguments {
  int argc; /* operands and options after the verb */
  char **argv;
  int all_argc; /* the whole command line, for provenance */
  char **all_argv;
  int petsc_argc; /* program name and PETSc options */
  char **petsc_argv;
} Arguments;

typedef struct Verb {
  const char *name, *usage, *purpose;
  PetscBool parallel; /* needs MPI and PETSc started */
  PetscErrorCode (*run)(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code);
  void (*details)(FILE *out); /* what its own --help prints below usage and purpose; NULL: nothing */
} Verb;

/* What `robion --help` prints. */
void VerbsPrintHelp(FILE *out);
/* The verb of a name, or NULL and a mistake (ROBION_COMMAND_LINE) with the nearest one. */
const Verb *VerbFind(const char *name, Mistakes *mistakes);
/* Run a verb with MPI and PETSc. Its own error is too little memory, or a bug: then all ranks end; PETSc has told which. */
RobionExit VerbRunParallel(const Verb *verb, Arguments *arguments, Mistakes *mistakes);
/* Run a verb without; its own error is told. */
RobionExit VerbRunSerial(const Verb *verb, Arguments *arguments, Mistakes *mistakes);

/* The spots of a plan.h5, a raster-scan plan of TRiP98 or a spot CSV, on every rank. */
PetscErrorCode ReadSpots(const char *file, Mistakes *mistakes, SpotList *spots);

/* Which plan of a study is meant: names given on the command line, NULL: not given. */
typedef struct PlanChoice {
  const char *case_name, *arm, *sweep;
} PlanChoice;

/*
 * The plan of the study that given spots are to be judged as. Those of a plan.h5 (`file`; NULL or another kind: nothing is known of
 * them) are of its own case, arm and sweep point; a choice that contradicts them, and a study that does not have them without a
 * choice of one plan, are mistakes (ROBION_COMMAND_LINE). Else the first plan that the choice leaves. Collective.
 */
PetscErrorCode StudyChoosePlan(const Study *study, const char *file, const PlanChoice *choice, Mistakes *mistakes,
                               const PlanSpec **out);

extern const Verb verb_run, verb_validate, verb_evaluate, verb_basedata, verb_import, verb_phantom, verb_fit_tcp,
    verb_collect, verb_status, verb_submit, verb_matrix, verb_export, verb_shift, verb_info;

/* One option of a verb: takes a value unless `flag` is set. A repeated option collects into `list`. */
typedef struct Option {
  const char *name;
  PetscBool *flag;
  const char **value;
  PetscInt *n_list;
  const char **list; /* at most LIST_LONGEST */
} Option;

enum { LIST_LONGEST = 64 };

/*
 * Sort arguments into options and operands (at most `most`, at least `least`; in order). Unknown options (with the nearest known),
 * missing values and wrong numbers of operands are mistakes (ROBION_COMMAND_LINE).
 */
PetscErrorCode ParseArguments(const Arguments *arguments, PetscInt n_option, const Option *option, int least, int most,
                              const char *usage, const char **operand, Mistakes *mistakes);

/*
 * The number that was given as an option, from least to most (infinite: any), or *value as it is where text is NULL. Anything else is a
 * mistake (ROBION_COMMAND_LINE).
 */
PetscErrorCode OptionNumber(const char *option, const char *text, double least, double most, Mistakes *mistakes,
                            double *value);

/* "HH:MM:SS" in seconds, or -1. */
double ParseDuration(const char *text);
