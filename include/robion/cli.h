/* The command line: verbs, and what they share. */
#pragma once
#include "robion/cohort.h"
#include <stdio.h>

/* Arguments of a verb, up to "--"; what follows that goes to PETSc. */
typedef struct Arguments {
  int argc; /* operands and options after the verb */
  char **argv;
  int all_argc; /* the whole command line, for provenance */
  char **all_argv;
  int petsc_argc; /* program name and PETSc options */
  char **petsc_argv;
} Arguments;

enum { LIST_LONGEST = 64 };

/* Values of an option that may be given again. */
typedef struct OptionList {
  PetscInt n;
  const char *text[LIST_LONGEST];
} OptionList;

/* One option: where its value goes, and what help says of it. A flag, a text, a number, or a list of texts that it adds to. */
typedef struct Option {
  const char *name, *argument; /* "--results", "DIR"; a flag has no argument */
  const char *help;            /* in a few words */
  const char *standard;        /* its default in words; NULL: what is in its variable */
  PetscBool *flag;
  const char **value;
  double *number, least, most; /* both 0: any number */
  OptionList *list;
  PetscBool *given; /* set where the option is; NULL: nobody asks */
} Option;

/* Rows that several tables have. */
#define OPTION_SET(variable)                                                                                           \
  {                                                                                                                    \
    "--set", "KEY=VALUE", "a key of the study, over what the file and its arms say", .list = &(variable)               \
  }
#define OPTION_CHOICE(option, argument_, which, variable)                                                              \
  {                                                                                                                    \
    option, argument_, which " of the study", "that of a given plan.h5, else the first", .value = &(variable)          \
  }

/* A verb, or one of several words that may follow it: its operands and options. */
typedef struct Command {
  const char *name;     /* "build" of "basedata build"; NULL: the verb has none */
  const char *operands; /* "STUDY.yaml" */
  const char *purpose;
  int least, most; /* operands */
  PetscInt n_option;
  const Option *option;
  void (*presets)(void);      /* puts defaults that are computed into the variables; NULL: they are there */
  void (*details)(FILE *out); /* what help prints below the options; NULL: nothing */
} Command;

typedef struct Verb {
  const char *name;
  PetscBool parallel; /* needs MPI and PETSc started */
  PetscErrorCode (*run)(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code);
  PetscInt n_command;
  const Command *command;
} Verb;
extern const Verb *const verbs[];
extern const PetscInt n_verbs;

/* What `robion --help` prints. */
void VerbsPrintHelp(FILE *out);
/* All options of a verb, or of one of its commands (NULL or unknown: of all), with their defaults. */
void VerbPrintHelp(const Verb *verb, const char *command, FILE *out);
/* Whether a command line asks for help, which is then given; a mistake (ROBION_COMMAND_LINE) if it is for an unknown verb. */
PetscBool HelpAsked(int argc, char **argv, Mistakes *mistakes);
/* The verb of a name, or NULL and a mistake (ROBION_COMMAND_LINE) with the nearest one. */
const Verb *VerbFind(const char *name, Mistakes *mistakes);
/* The command that the first argument names, which is taken away; NULL and a mistake (ROBION_COMMAND_LINE) if there is none. */
PetscErrorCode CommandFind(const Verb *verb, Arguments *arguments, Mistakes *mistakes, const Command **command);
/* Run a verb with MPI and PETSc. Its own error is too little memory, or a bug: then all ranks end; PETSc has told which. */
RobionExit VerbRunParallel(const Verb *verb, Arguments *arguments, Mistakes *mistakes);
/* Run a verb without; its own error is told. */
RobionExit VerbRunSerial(const Verb *verb, Arguments *arguments, Mistakes *mistakes);

/*
 * The spots of a plan.h5, an RT Ion Plan, a raster-scan plan of TRiP98 or a spot CSV, on every rank; monitor units are turned into ions by
 * a table (SpotListFromMonitorUnits), or refused if that is NULL.
 */
PetscErrorCode SpotListRead(const char *file, const char *ions_per_mu, Mistakes *mistakes, SpotList *spots);
/* A mistake (ROBION_INPUT) if a file's frame of reference, as rank 0 has it, is not that of the case, where both say one. Collective. */
PetscErrorCode SettingsCheckFrame(const Settings *settings, const char *file, const char *frame_of_reference_uid,
                                  Mistakes *mistakes);

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
    verb_collect, verb_status, verb_submit, verb_matrix, verb_export, verb_shift, verb_info, verb_show, verb_report;

/*
 * Sort arguments into options and operands (at most `most`, at least `least` of the command; in order, NULL where there is none).
 * Unknown options (with the nearest known), missing and wrong values and wrong numbers of operands are mistakes (ROBION_COMMAND_LINE).
 */
PetscErrorCode ArgumentsParse(const Arguments *arguments, const Verb *verb, const Command *command,
                              const char **operand, Mistakes *mistakes);

/*
 * The number that was given as an option, from least to most (infinite: any), or *value as it is where text is NULL. Anything else is a
 * mistake (ROBION_COMMAND_LINE).
 */
PetscErrorCode OptionNumber(const char *option, const char *text, double least, double most, Mistakes *mistakes,
                            double *value);

/* "HH:MM:SS" in seconds, or -1. */
double DurationParse(const char *text);
