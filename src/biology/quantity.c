/* The table of quantities, and the functions that compute them in a voxel. */
#include "robion/quantity.h"
#include <string.h>

Channel ChannelOf(BetaAveraging averaging, int channel)
{
  static const Channel of_beta = {"beta_dose", "1/Gy", "beta times dose per ion"};
  static const Channel table[N_CHANNELS] = {
      [CHANNEL_DOSE] = {"dose", "Gy", "physical dose per ion"},
      [CHANNEL_ALPHA] = {"alpha_dose", "1", "alpha times dose per ion"},
      [CHANNEL_SQRT_BETA] = {"sqrt_beta_dose", "1", "square root of beta times dose per ion"},
      [CHANNEL_LET] = {"let_dose", "Gy keV/um", "LET times dose per ion"}};
  return averaging == AVERAGE_BETA && channel == CHANNEL_SQRT_BETA ? of_beta : table[channel];
}

static double Physical(const BiologySpec *biology, const double *channels, double *derivative)
{
  for (int c = 0; c < N_CHANNELS && derivative; c++) derivative[c] = c == CHANNEL_DOSE ? 1 : 0;
  return channels[CHANNEL_DOSE];
}

/* In channels that the responses of BiologyAboveLET make, CHANNEL_ALPHA is this dose. */
static double HighLET(const BiologySpec *biology, const double *channels, double *derivative)
{
  for (int c = 0; c < N_CHANNELS && derivative; c++) derivative[c] = c == CHANNEL_ALPHA ? 1 : 0;
  return PetscMax(0.0, channels[CHANNEL_ALPHA]);
}

/* Without dose it is 0 and so is its derivative. */
/* Where next to no dose is, the transforms' rounding can leave less than nothing of a channel. */
static double LETd(const BiologySpec *biology, const double *channels, double *derivative)
{
  const double dose = channels[CHANNEL_DOSE], let = channels[CHANNEL_LET];
  const PetscBool some = dose > 0 && let > 0 ? PETSC_TRUE : PETSC_FALSE;
  for (int c = 0; c < N_CHANNELS && derivative; c++) derivative[c] = 0;
  if (derivative && some) {
    derivative[CHANNEL_DOSE] = -(let / dose) / dose;
    derivative[CHANNEL_LET] = 1 / dose;
  }
  return some ? let / dose : 0;
}

static double Effect(const BiologySpec *biology, const double *channels, double *derivative)
{
  const FieldDose field = {channels[CHANNEL_DOSE], channels[CHANNEL_ALPHA], channels[CHANNEL_SQRT_BETA],
                           channels[CHANNEL_LET]};
  FieldDose gradient;
  const double value = FieldEffect(biology, field, derivative ? &gradient : NULL);
  if (derivative) {
    derivative[CHANNEL_DOSE] = gradient.dose_Gy;
    derivative[CHANNEL_ALPHA] = gradient.alpha_dose;
    derivative[CHANNEL_SQRT_BETA] = gradient.sqrt_beta_dose;
    derivative[CHANNEL_LET] = gradient.let_dose;
  }
  return value;
}

static double RBEWeighted(const BiologySpec *biology, const double *channels, double *derivative)
{
  double slope, value = RBEWeightedDose(biology, Effect(biology, channels, derivative), derivative ? &slope : NULL);
  for (int c = 0; c < N_CHANNELS && derivative; c++) derivative[c] *= slope;
  return value;
}

/* Of the field, clinical RBE if there is a clinical factor; 0 without dose. */
static double RBE(const BiologySpec *biology, const double *value)
{
  return value[QUANTITY_PHYSICAL] > 0 ? value[QUANTITY_RBE_WEIGHTED] / value[QUANTITY_PHYSICAL] : 0;
}

/* The effect is that of the RBE-weighted dose in the voxel's tissue. */
static double Survival(const BiologySpec *biology, const double *value)
{
  const double dose = value[QUANTITY_RBE_WEIGHTED];
  return dose > 0 ? SurvivalFraction(PhotonEffect(biology, dose)) : 1;
}

#define METRICS(table) .metric = table, .n_metric = PETSC_STATIC_ARRAY_LENGTH(table)
#define DOSE_METRICS                                                                                                   \
  {"D98", METRIC_AT_VOLUME, 98}, {"D95", METRIC_AT_VOLUME, 95}, {"D50", METRIC_AT_VOLUME, 50},                         \
      {"D2", METRIC_AT_VOLUME, 2}, {"D1", METRIC_AT_VOLUME, 1}, {"Dmax", METRIC_MAX, 0},                               \
      {"D0.03cc", METRIC_AT_SMALL_VOLUME, NEAR_MAXIMUM_cm3},                                                           \
  {                                                                                                                    \
    "Dmean", METRIC_MEAN, 0                                                                                            \
  }
static const QuantityMetric dose_metrics[] = {DOSE_METRICS};
static const QuantityMetric target_metrics[] = {DOSE_METRICS, {"V95", METRIC_COVERAGE, 0.95}};
static const QuantityMetric let_metrics[] = {{"L98", METRIC_AT_VOLUME, 98},
                                             {"L50", METRIC_AT_VOLUME, 50},
                                             {"L1", METRIC_AT_VOLUME, 1},
                                             {"Lmean", METRIC_MEAN, 0}};
static const QuantityMetric rbe_metrics[] = {{"RBE98", METRIC_AT_VOLUME, 98},
                                             {"RBE50", METRIC_AT_VOLUME, 50},
                                             {"RBE2", METRIC_AT_VOLUME, 2},
                                             {"RBEmean", METRIC_MEAN_RBE, 0}};
static const QuantityMetric survival_metrics[] = {{"Smean", METRIC_SHARE_MEAN, 0}, {"Smax", METRIC_SHARE_MAX, 0}};

/* Metrics in tables, and names in messages, come in this order. */
const QuantityRow quantities[] = {
    [QUANTITY_RBE_WEIGHTED] = {.name = "rbe_weighted",
                               .unit = "Gy(RBE)",
                               .meaning = "RBE-weighted dose per fraction",
                               .of_channels = RBEWeighted,
                               .stages = STAGES_ACCUMULATE,
                               .dvh = {151, 1.5, PETSC_TRUE},
                               METRICS(target_metrics),
                               .judged = PETSC_TRUE,
                               .goal_key = "dose_Gy_RBE",
                               .goal_note = "RBE-weighted"},
    [QUANTITY_PHYSICAL] = {.name = "physical",
                           .unit = "Gy",
                           .meaning = "physical dose per fraction",
                           .of_channels = Physical,
                           .stages = STAGES_ADD,
                           .linear = PETSC_TRUE,
                           METRICS(dose_metrics),
                           .judged = PETSC_TRUE,
                           .goal_key = "dose_Gy",
                           .goal_note = "physical"},
    [QUANTITY_EFFECT] = {.name = "effect",
                         .unit = "1",
                         .meaning = "biological effect per fraction",
                         .kept = KEPT_NEVER,
                         .of_channels = Effect,
                         .stages = STAGES_ADD,
                         .goal_key = "effect"},
    [QUANTITY_LETD] = {.name = "letd",
                       .unit = "keV/um",
                       .meaning = "dose-averaged LET",
                       .of_channels = LETd,
                       .stages = STAGES_RATIO,
                       .dvh = {201, 200, PETSC_FALSE},
                       METRICS(let_metrics),
                       .where_dosed = PETSC_TRUE,
                       .judged = PETSC_TRUE,
                       .goal_key = "let_keV_um"},
    [QUANTITY_RBE] = {.name = "rbe",
                      .unit = "1",
                      .meaning = "RBE (RBE-weighted over physical dose)",
                      .of_quantities = RBE,
                      METRICS(rbe_metrics),
                      .where_dosed = PETSC_TRUE},
    [QUANTITY_SURVIVAL] = {.name = "survival",
                           .unit = "1",
                           .meaning = "share of cells that survive one fraction",
                           .of_quantities = Survival,
                           METRICS(survival_metrics)},
    [QUANTITY_COURSE] = {.name = "rbe_weighted_course",
                         .unit = "Gy(RBE)",
                         .meaning = "RBE-weighted dose of the course",
                         .kept = KEPT_OF_COURSE,
                         METRICS(dose_metrics)},
    [QUANTITY_COURSE_EQD2] = {.name = "eqd2_course",
                              .unit = "Gy(RBE)",
                              .meaning = "RBE-weighted dose of the course in fractions of 2 Gy (EQD2)",
                              .kept = KEPT_OF_COURSE,
                              METRICS(dose_metrics)},
    [QUANTITY_TCP] = {.name = "tcp",
                      .unit = "1",
                      .meaning = "tumour control probability of the voxel",
                      .kept = KEPT_OF_CLONOGENS},
    [QUANTITY_PHYSICAL_COURSE] = {.name = "physical_course",
                                  .unit = "Gy",
                                  .meaning = "physical dose of the course",
                                  .kept = KEPT_NEVER},
    [QUANTITY_OUTCOME] = {.name = "outcome",
                          .unit = "1",
                          .meaning = "what the dose of the course leads to",
                          .kept = KEPT_NEVER},
    [QUANTITY_HIGH_LET] = {.name = "high_let",
                           .unit = "Gy",
                           .meaning = "physical dose per fraction of ions above the LET threshold",
                           .kept = KEPT_OF_HIGH_LET,
                           .of_channels = HighLET,
                           .stages = STAGES_ADD,
                           .linear = PETSC_TRUE,
                           .dvh = {151, 1.5, PETSC_TRUE},
                           METRICS(dose_metrics)},
};
const Quantity n_quantities = PETSC_STATIC_ARRAY_LENGTH(quantities);

_Static_assert(PETSC_STATIC_ARRAY_LENGTH(quantities) <= QUANTITIES_MOST, "arrays have room for all quantities");

Quantity QuantityFind(const char *name)
{
  for (Quantity q = 0; q < n_quantities; q++)
    if (!strcmp(name, quantities[q].name)) return q;
  return -1;
}

const QuantityMetric *QuantityFindMetric(Quantity quantity, const char *metric)
{
  const QuantityRow *row = &quantities[quantity];
  for (PetscInt m = 0; m < row->n_metric; m++)
    if (!strcmp(metric, row->metric[m].name)) return &row->metric[m];
  return NULL;
}

const char *QuantityMetricUnit(Quantity quantity, const QuantityMetric *metric)
{
  return metric->rule >= METRIC_COVERAGE ? "%" : quantities[quantity].unit;
}

const char *QuantityOfObjective(PetscInt i)
{
  for (Quantity q = 0; q < n_quantities; q++)
    if (quantities[q].goal_key && i-- == 0) return quantities[q].name;
  return NULL;
}

const char *QuantityOfGoal(PetscInt i)
{
  for (Quantity q = 0; q < n_quantities; q++)
    if (quantities[q].judged && QuantityIsDose(q) && i-- == 0) return quantities[q].name;
  return NULL;
}

Quantity QuantityJudged(Quantity named, const char *metric)
{
  if (QuantityFindMetric(named, metric)) return named;
  for (Quantity q = 0; q < n_quantities; q++)
    if (quantities[q].judged && QuantityFindMetric(q, metric)) return q;
  return -1;
}
