/**
 * A course of treatment in stages, each of equal fractions of spots of its own. Part of step 8.
 *
 * What objectives look at and results tell of a whole course is a quantity of its *mean fraction*: the one that, given in all
 * n = sum_k n_k fractions alike, adds up to the same as the stages' fractions do:
 *
 *     physical dose, effect      sum_k n_k q_k / n
 *     LETd                       sum_k n_k (LET dose)_k / sum_k n_k dose_k
 *     RBE-weighted, gy_rbe       sum_k n_k d_k / n
 *     RBE-weighted, eqd2         the d with n d (d + a) = sum_k n_k d_k (d_k + a), a = alpha/beta: it has the course's EQD2
 *
 * So goals stay per fraction, and a plan without stages is a course whose mean fraction is its fraction.
 */
#pragma once
#include "robion/influence.h"
#include "robion/objective.h"

/** How the RBE-weighted doses of a course's stages add up: as they are, or as doses in fractions of 2 Gy (course.h). */
typedef enum { ACCUMULATE_GY_RBE, ACCUMULATE_EQD2 } Accumulation;
extern const char *const accumulation_names[]; /* as a study writes them, indexed by Accumulation */
extern const PetscInt n_accumulation_names;

enum { STAGES_MOST = 8 };
/** In the place of a stage's index: the mean fraction of the course. */
#define COURSE_MEAN (-1)

/** One stage of a course: fractions with spots of their own. */
typedef struct StageSpec {
  char *name, *target, *where; /* where: of the target */
  PetscInt fractions;
  double dose_Gy_RBE; /* RBE-weighted, per fraction of the stage; the prescription's unless it says otherwise */
  PetscInt n_beams;   /* of its own; 0: the study's */
  BeamSpec *beams;
} StageSpec;

typedef struct CourseSpec {
  PetscInt n_stages; /* 0: a plan without stages */
  StageSpec *stages;
  PetscBool together; /* all stages are planned at once, else one after the other */
  Accumulation accumulation;
  double alpha_beta_Gy; /* of eqd2 */
} CourseSpec;

typedef struct CourseStage {
  const char *name;            /* not owned */
  double fractions;            /* n_k */
  PetscInt first_beam, n_beam; /* of the plan's beams */
  PetscInt first_spot, n_spot; /* of the plan's spots */
  BeamSet beams;               /* those beams alone, their spots counted as in the whole plan; owns nothing */
  DoseModel model;             /* of those beams; owned by whoever made the course */
} CourseStage;

typedef struct Course {
  PetscInt n;
  CourseStage stage[STAGES_MOST];
  Accumulation accumulation;
  double alpha_beta_Gy; /* of eqd2 */
  double fractions;     /* n: of all stages */
} Course;

/**
 * Add a stage that has the plan's beams [first_beam, first_beam + n_beam), of which there is at least one; the model is for the
 * caller to make, of stage->beams. The plan's beams must outlive the course.
 */
CourseStage *CourseAddStage(Course *course, const char *name, double fractions, const BeamSet *beams,
                            PetscInt first_beam, PetscInt n_beam);

/** The first n stages of a course. Shares the models. */
Course CourseUpTo(const Course *course, PetscInt n);

/**
 * RBE-weighted dose of the mean fraction from that of a fraction of each stage, [n], and unless NULL its derivatives, [n].
 * Not collective.
 */
double CourseFraction(const Course *course, const double *dose_Gy_RBE, double *derivative);

/** What a mean fraction's RBE-weighted dose adds up to over the course: Gy(RBE), or with eqd2 the EQD2, Gy(RBE) of 2 Gy fractions. */
double CourseTotal(const Course *course, double fraction_Gy_RBE);

/** The quantity that a course's doses are told as: QUANTITY_COURSE or QUANTITY_COURSE_EQD2. */
Quantity CourseDose(const Course *course);

/**
 * A quantity of the mean fraction in a voxel from each stage's channel sums per fraction, channels[n], and unless NULL its
 * derivatives with respect to them, derivative[n][N_CHANNELS]. Not collective.
 */
double CourseQuantity(const Course *course, const BiologySpec *biology, Quantity quantity,
                      const double *const channels[STAGES_MOST], double derivative[][N_CHANNELS]);
