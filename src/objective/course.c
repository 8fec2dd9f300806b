/* Doses of several stages added up to that of a mean fraction. */
#include "robion/course.h"
#include "robion/eqd2.h"
#include "robion/objective.h"
#include <math.h>

const char *const accumulation_names[] = {"gy_rbe", "eqd2"};
const PetscInt n_accumulation_names = PETSC_STATIC_ARRAY_LENGTH(accumulation_names);

CourseStage *CourseAddStage(Course *course, const char *name, double fractions, const BeamSet *beams,
                            PetscInt first_beam, PetscInt n_beam)
{
  CourseStage *stage = &course->stage[course->n++];
  const Beam *last = &beams->beam[first_beam + n_beam - 1];
  *stage = (CourseStage){.name = name, .fractions = fractions, .first_beam = first_beam, .n_beam = n_beam};
  stage->first_spot = beams->beam[first_beam].first_spot;
  stage->n_spot = last->first_spot + last->n_spot - stage->first_spot;
  stage->beams = (BeamSet){.n_beam = n_beam,
                           .n_spot = stage->first_spot + stage->n_spot,
                           .beam = beams->beam + first_beam,
                           .position = beams->position,
                           .splitting = beams->splitting};
  course->fractions += fractions;
  return stage;
}

Course CourseUpTo(const Course *course, PetscInt n)
{
  Course out = *course;
  out.n = n;
  out.fractions = 0;
  for (PetscInt k = 0; k < n; k++) out.fractions += course->stage[k].fractions;
  return out;
}

double CourseFraction(const Course *course, const double *dose_Gy_RBE, double *derivative)
{
  const double n = course->fractions, a = course->alpha_beta_Gy;
  double sum = 0;
  for (PetscInt k = 0; k < course->n; k++) {
    const double d = dose_Gy_RBE[k], n_k = course->stage[k].fractions;
    sum += course->accumulation == ACCUMULATE_EQD2 ? n_k * d * (d + a) : n_k * d;
    if (derivative) derivative[k] = course->accumulation == ACCUMULATE_EQD2 ? n_k * (2 * d + a) : n_k;
  }
  if (course->accumulation == ACCUMULATE_GY_RBE) {
    for (PetscInt k = 0; derivative && k < course->n; k++) derivative[k] /= n;
    return sum / n;
  }
  const double root = sqrt(a * a + 4 * sum / n); /* = 2 d + a */
  for (PetscInt k = 0; derivative && k < course->n; k++) derivative[k] /= n * root;
  return 2 * sum / (n * (a + root)); /* (root - a) / 2 without its cancellation */
}

Quantity CourseDose(const Course *course)
{
  return course->accumulation == ACCUMULATE_EQD2 ? QUANTITY_COURSE_EQD2 : QUANTITY_COURSE;
}

double CourseTotal(const Course *course, double fraction_Gy_RBE)
{
  const FractionationSpec spec = FractionationLQ(course->alpha_beta_Gy);
  return course->accumulation == ACCUMULATE_EQD2 ? EQD2_Gy(&spec, course->fractions, fraction_Gy_RBE, NULL)
                                                 : course->fractions * fraction_Gy_RBE;
}

/* Quantities that add up fraction by fraction, or as the course says. */
static double AddUp(const Course *course, const BiologySpec *biology, Quantity quantity,
                    const double *const channels[STAGES_MOST], double derivative[][N_CHANNELS])
{
  double value[STAGES_MOST], factor[STAGES_MOST], sum = 0;
  for (PetscInt k = 0; k < course->n; k++) {
    value[k] = quantities[quantity].of_channels(biology, channels[k], derivative ? derivative[k] : NULL);
    factor[k] = course->stage[k].fractions / course->fractions;
    sum += factor[k] * value[k];
  }
  if (quantities[quantity].stages == STAGES_ACCUMULATE) sum = CourseFraction(course, value, factor);
  for (PetscInt k = 0; derivative && k < course->n; k++)
    for (int c = 0; c < N_CHANNELS; c++) derivative[k][c] *= factor[k];
  return sum;
}

/* A ratio of channels that add up fraction by fraction. */
static double Ratio(const Course *course, const BiologySpec *biology, Quantity quantity,
                    const double *const channels[STAGES_MOST], double derivative[][N_CHANNELS])
{
  double sum[N_CHANNELS] = {0}, of_sum[N_CHANNELS];
  for (PetscInt k = 0; k < course->n; k++)
    for (int c = 0; c < N_CHANNELS; c++) sum[c] += course->stage[k].fractions * channels[k][c];
  const double value = quantities[quantity].of_channels(biology, sum, of_sum);
  for (PetscInt k = 0; derivative && k < course->n; k++)
    for (int c = 0; c < N_CHANNELS; c++) derivative[k][c] = course->stage[k].fractions * of_sum[c];
  return value;
}

double CourseQuantity(const Course *course, const BiologySpec *biology, Quantity quantity,
                      const double *const channels[STAGES_MOST], double derivative[][N_CHANNELS])
{
  return (quantities[quantity].stages == STAGES_RATIO ? Ratio : AddUp)(course, biology, quantity, channels, derivative);
}
