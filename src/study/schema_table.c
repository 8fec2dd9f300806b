/* Every key of a study: what it may be, and where it is kept. */
#include "schema_private.h"
#include "robion/phantom.h"

static const char *const worst_of_names[] = {"effect", "dose"};
static const PetscInt n_worst_of_names = PETSC_STATIC_ARRAY_LENGTH(worst_of_names);
static const char *const beam_source_names[] = {"from-case"};
static const PetscInt n_beam_source_names = PETSC_STATIC_ARRAY_LENGTH(beam_source_names);
static const char *const goal_scale_names[] = {"unit", "prescription"};
static const PetscInt n_goal_scale_names = PETSC_STATIC_ARRAY_LENGTH(goal_scale_names);
static const char *const goal_scenario_names[] = {"nominal", "worst"};
static const PetscInt n_goal_scenario_names = PETSC_STATIC_ARRAY_LENGTH(goal_scenario_names);
static const char *const planning_names[] = {"sequential", "together"};
static const PetscInt n_planning_names = PETSC_STATIC_ARRAY_LENGTH(planning_names);
const char *const per_names[] = {"fraction", "course"};
const PetscInt n_per_names = PETSC_STATIC_ARRAY_LENGTH(per_names);

static const SchemaKey coordinate = {"coordinate", TYPE_NUMBER, .unit = "mm", FROM(-10000, 10000),
                                     .doc = "LPS coordinate"};
static const SchemaKey shift = {"shift", TYPE_NUMBER, .unit = "mm", FROM(-100, 100), .doc = "shift along an axis"};
static const SchemaKey shift_vector = {"shift",
                                       TYPE_LIST,
                                       ITSELF(VECTOR),
                                       .min_length = 3,
                                       .max_length = 3,
                                       .element = &shift,
                                       .doc = "one shift [x, y, z]"};
static const SchemaKey shift_size = {"size", TYPE_NUMBER, .unit = "mm", FROM(0, 100), .doc = "size along an axis"};
static const SchemaKey turn = {"angle", TYPE_NUMBER, .unit = "degrees", FROM(-45, 45), .doc = "rotation about an axis"};
static const SchemaKey turn_vector = {"rotation",
                                      TYPE_LIST,
                                      ITSELF(VECTOR),
                                      .min_length = 3,
                                      .max_length = 3,
                                      .element = &turn,
                                      .doc = "one rotation about [x, y, z]"};
static const SchemaKey turn_size = {"size", TYPE_NUMBER, .unit = "degrees", FROM(0, 15), .doc = "spread about an axis"};
static const SchemaKey range_error = {"error",        TYPE_NUMBER,         ITSELF(NUMBER),          .unit = "percent",
                                      ABOVE(-50, 50), .below = PETSC_TRUE, .doc = "one range error"};

static const SchemaKey case_keys[] = {
    {"phantom", TYPE_WORD, AT(CaseSpec, phantom.kind), WHERE(CaseSpec, where), WORDS(phantom_names),
     .doc = "built-in phantom"},
    {"file", TYPE_TEXT, AT(CaseSpec, file), WHERE(CaseSpec, where), .file = PETSC_TRUE,
     .doc = "case file, relative to the study's folder"},
    {"name", TYPE_LABEL, AT(CaseSpec, name), .doc = "name in results"},
    {"set", TYPE_MAPPING, .doc = "keys of the study that are others for this case"},
};
static const SchemaKey case_item = {"case",
                                    TYPE_MAPPING,
                                    CHILDREN(case_keys),
                                    .variant = phantom_keys,
                                    .n_variant = &n_phantom_names,
                                    .chosen_by = "phantom",
                                    .variant_at = offsetof(CaseSpec, phantom.keys),
                                    .rule = RuleCase,
                                    .complete = CaseComplete,
                                    .doc = "one case"};

static const SchemaKey hlut_value = {"value", TYPE_NUMBER, FROM(-100000, 100000),
                                     .doc = "Hounsfield units or stopping power"};
static const SchemaKey hlut_row = {
    "row", TYPE_LIST, ITSELF(VECTOR), .min_length = 2, .max_length = 2, .element = &hlut_value, .doc = "[HU, RSP]"};

static const SchemaKey beam_energy = {"energy",        TYPE_NUMBER,   ITSELF(NUMBER),
                                      .unit = "MeV/u", FROM(1, 1000), .doc = "a beam energy"};

static const SchemaKey machine_keys[] = {
    {"ion", TYPE_TEXT, AT(Settings, machine.ion), PRESET, .doc = "projectile: 12C, 11C, 10C or 4He"},
    {"base_data", TYPE_TEXT, AT(Settings, base_data), WHERE(Settings, base_data_where), .file = PETSC_TRUE,
     .fallback = "builtin", .doc = "the word builtin, or a base data file"},
    {"energy_min_MeV_u", TYPE_NUMBER, AT(Settings, machine.energy_min_MeV_u), PRESET, .unit = "MeV/u", FROM(1, 1000),
     .doc = "lowest beam energy"},
    {"energy_max_MeV_u", TYPE_NUMBER, AT(Settings, machine.energy_max_MeV_u), PRESET, .unit = "MeV/u", FROM(1, 1000),
     .doc = "highest beam energy"},
    {"range_step_mm", TYPE_NUMBER, AT(Settings, machine.range_step_mm), PRESET, .unit = "mm", ABOVE(0, 50),
     .doc = "range step between beam energies"},
    {"energies_MeV_u", TYPE_LIST, LIST(Settings, machine.n_energy, machine.energy_MeV_u), .min_length = 1,
     .element = &beam_energy, .doc = "these beam energies alone"},
    {"ripple_sigma_mm", TYPE_NUMBER, AT(Settings, machine.ripple_sigma_mm), PRESET, .unit = "mm", FROM(0, 20),
     .doc = "range spread of the ripple filter"},
    {"ripple_thickness_mm", TYPE_NUMBER, AT(Settings, machine.ripple_thickness_mm), PRESET, .unit = "mm", FROM(0, 100),
     .doc = "mean water equivalent of the ripple filter"},
    {"ripple_to_isocentre_mm", TYPE_NUMBER, AT(Settings, machine.ripple_to_isocentre_mm), PRESET, .unit = "mm",
     FROM(0, 10000), .doc = "air gap behind the ripple filter"},
    {"offset_mm", TYPE_NUMBER, AT(Settings, machine.offset_mm), PRESET, .unit = "mm", FROM(0, 100),
     .doc = "water equivalent of the rest of the beam line"},
    {"momentum_spread", TYPE_NUMBER, AT(Settings, machine.momentum_spread), PRESET, FROM(0, 0.1),
     .doc = "sigma of dp/p"},
    {"momentum_spread_fwhm", TYPE_NUMBER, AT(Settings, machine.momentum_spread), .divisor = FWHM_PER_SIGMA,
     FROM(0, 0.235), .doc = "the same as full width at half maximum"},
    {"spot_fwhm_mm", TYPE_NUMBER, AT(Settings, machine.spot_fwhm_mm), PRESET, .unit = "mm", ABOVE(0, 100),
     .doc = "spot size in air at the isocentre"},
    {"sad_mm", TYPE_NUMBER, AT(Settings, machine.sad_mm), PRESET, .unit = "mm", FROM(0, 100000),
     .doc = "source-axis distance; 0: parallel"},
    {"fragmentation", TYPE_TEXT, AT(Settings, machine.fragmentation), .file = PETSC_TRUE, .fallback = "builtin",
     .doc = "the word builtin, or a file of nuclear data"},
    {"lateral_model", TYPE_WORD, AT(Settings, lateral_model), WORDS(lateral_model_names), .fallback = "full",
     .doc = "lateral components of the base data that count"},
};

/* What describes cells, kept in a BiologySpec of the struct S; the last argument says where what is left out comes from. */
#define CELL(S, spec, member, of_unit, range, meaning, ...)                                                            \
  {                                                                                                                    \
    .name = #member, .type = TYPE_NUMBER, AT(S, spec.member), .unit = of_unit, range, .doc = meaning, __VA_ARGS__      \
  }
#define CELLS(S, spec, ...)                                                                                            \
  {"cell_line", TYPE_WORD, AT(S, spec.cell_line), WORDS(cell_line_names), .doc = "cells of the other keys' defaults",  \
   __VA_ARGS__},                                                                                                       \
      CELL(S, spec, alpha_x_per_Gy, "1/Gy", ABOVE(0, 10), "photon alpha of the tissue", __VA_ARGS__),                  \
      CELL(S, spec, beta_x_per_Gy2, "1/Gy2", ABOVE(0, 10), "photon beta of the tissue", __VA_ARGS__),                  \
      CELL(S, spec, d_t_Gy, "Gy", FROM(0.1, 1000), "transition dose of the LQ-L curve", __VA_ARGS__),                  \
      CELL(S, spec, r_nucleus_um, "um", FROM(0.1, 50), "radius of the cell nucleus", __VA_ARGS__),                     \
      CELL(S, spec, alpha0_per_Gy, "1/Gy", FROM(0, 10), "mkm, smk: alpha at vanishing LET", __VA_ARGS__),              \
      CELL(S, spec, beta0_per_Gy2, "1/Gy2", FROM(0, 10), "mkm, smk: beta of the cells", __VA_ARGS__),                  \
      CELL(S, spec, r_domain_um, "um", FROM(0, 50), "mkm, smk: radius of a domain; 0: not known", __VA_ARGS__),        \
      CELL(S, spec, z0_Gy, "Gy", FROM(0, 100000), "mkm, smk: saturation; 0: from the radii", __VA_ARGS__)

static const SchemaKey structure_name = {"structure", TYPE_TEXT, ITSELF(TEXT), .doc = "name of a structure"};

static const SchemaKey tissue_keys[] = {
    {"structures", TYPE_LIST, REQUIRED, LIST(TissueSpec, n_structures, structures), WHERE(TissueSpec, where),
     .min_length = 1, .element = &structure_name, .doc = "structures of this tissue"},
    CELLS(TissueSpec, biology, PRESET),
};
const SchemaKey schema_tissue = {"tissue", TYPE_MAPPING, CHILDREN(tissue_keys), .preset = TissuePreset,
                                 .doc = "one tissue"};

/* How single ions become the response to a field, in the same way. */
#define FIELDS(S, spec, ...)                                                                                           \
  {"approach",                                                                                                         \
   TYPE_WORD,                                                                                                          \
   AT(S, spec.approach),                                                                                               \
   WORDS(lem_approach_names),                                                                                          \
   .doc = "lem1: how single hits become the effect of a dose",                                                         \
   __VA_ARGS__},                                                                                                       \
      {"rbe", TYPE_NUMBER, AT(S, spec.rbe), ABOVE(0, 100), .doc = "constant: RBE", __VA_ARGS__},                       \
      {"alpha_per_Gy", TYPE_NUMBER,  AT(S, spec.alpha_per_Gy),                                                         \
       .unit = "1/Gy", FROM(0, 100), .doc = "constant: alpha of the ions; 0: from rbe",                                \
       __VA_ARGS__},                                                                                                   \
      {"beta_per_Gy2",  TYPE_NUMBER,  AT(S, spec.beta_per_Gy2),                                                        \
       .unit = "1/Gy2", FROM(0, 100), .doc = "constant: beta of the ions",                                             \
       __VA_ARGS__},                                                                                                   \
      {"averaging",                                                                                                    \
       TYPE_WORD,                                                                                                      \
       AT(S, spec.averaging),                                                                                          \
       WORDS(beta_averaging_names),                                                                                    \
       .doc = "what is averaged over a mixed field",                                                                   \
       __VA_ARGS__},                                                                                                   \
  {                                                                                                                    \
    "clinical_factor", TYPE_NUMBER, AT(S, spec.clinical_factor), ABOVE(0, 100),                                        \
        .doc = "RBE-weighted dose per isoeffective photon dose", __VA_ARGS__                                           \
  }

static const SchemaKey biology_keys[] = {
    {"model", TYPE_WORD, AT(Settings, biology.model), PRESET, WORDS(biology_model_names), .doc = "RBE model"},
    CELLS(Settings, biology, PRESET),
    FIELDS(Settings, biology, PRESET),
    {"table", TYPE_TEXT, AT(Settings, biology.table), .file = PETSC_TRUE, .fallback = "builtin",
     .doc = "the word builtin, or mixed-beam: a file of alpha and beta by LET; table: a file of RBE by ion and energy"},
    {"tissues", TYPE_LIST, LIST(Settings, n_tissues, tissues), .max_length = TISSUES_MOST - 1,
     .element = &schema_tissue, .rule = RuleTissues, .doc = "structures whose cells respond in their own way"},
};

static const SchemaKey alternative_keys[] = {
    {"name", TYPE_LABEL, REQUIRED, AT(BiologyAlternative, name), WHERE(BiologyAlternative, where),
     .doc = "what scenarios call it"},
    {"structure", TYPE_TEXT, AT(BiologyAlternative, structure),
     .doc = "a structure of biology.tissues whose tissue it is of"},
    {"alpha_factor", TYPE_NUMBER, AT(BiologyAlternative, alpha_factor), ABOVE(0, 100), DEFAULT_IF_TAKEN("1"),
     .doc = "on alpha of the ions"},
    {"beta_factor", TYPE_NUMBER, AT(BiologyAlternative, beta_factor), FROM(0, 100), DEFAULT_IF_TAKEN("1"),
     .doc = "on beta of the ions"},
    {"model", TYPE_WORD, AT(BiologyAlternative, biology.model), GIVEN(BiologyAlternative, has_model),
     WORDS(biology_model_names), .doc = "another RBE model"},
    {"dose_Gy_RBE", TYPE_NUMBER, AT(BiologyAlternative, dose_Gy_RBE), .unit = "Gy(RBE)", ABOVE(0, 100),
     .doc = "the prescription in the model's own dose"},
    CELLS(BiologyAlternative, biology, ),
    FIELDS(BiologyAlternative, biology, ),
};
static const SchemaKey alternative_item = {"biology",
                                           TYPE_MAPPING,
                                           CHILDREN(alternative_keys),
                                           .rule = RuleAlternative,
                                           .preset = AlternativePreset,
                                           .doc = "one response of the cells"};

static const SchemaKey prescription_keys[] = {
    {"dose_Gy_RBE", TYPE_NUMBER, REQUIRED, AT(Settings, prescription_Gy_RBE), .unit = "Gy(RBE)", ABOVE(0, 100),
     .doc = "RBE-weighted dose per fraction"},
    {"fractions", TYPE_INTEGER, AT(Settings, fractions), FROM(1, 100), .fallback = "1", .doc = "number of fractions"},
    {"target", TYPE_TEXT, REQUIRED, AT(Settings, target), WHERE(Settings, target_where),
     .doc = "the structure the dose is prescribed to"},
};

static const SchemaKey range_shifter_keys[] = {
    {"thickness_mm", TYPE_NUMBER, AT(RangeShifterSpec, thickness_mm), .unit = "mm", FROM(0, 300), .fallback = "0",
     .doc = "water-equivalent thickness"},
    {"to_isocentre_mm", TYPE_NUMBER, AT(RangeShifterSpec, to_isocentre_mm), .unit = "mm", FROM(0, 10000),
     .fallback = "300", .doc = "distance from the isocentre"},
};
static const SchemaKey beam_keys[] = {
    {"gantry_deg", TYPE_NUMBER, REQUIRED, AT(BeamSpec, gantry_deg), .unit = "deg", FROM(0, 360), .below = PETSC_TRUE,
     .doc = "IEC 61217 gantry angle"},
    {"couch_deg", TYPE_NUMBER, AT(BeamSpec, couch_deg), .unit = "deg", FROM(-180, 360), .fallback = "0",
     .doc = "IEC 61217 couch angle"},
    {"isocentre_mm", TYPE_LIST, AT(BeamSpec, isocentre_mm), GIVEN(BeamSpec, has_isocentre), .min_length = 3,
     .max_length = 3, .element = &coordinate, .doc = "isocentre [x, y, z], LPS"},
    {"target", TYPE_TEXT, AT(BeamSpec, target), WHERE(BeamSpec, where), .doc = "the structure its spots cover"},
    {"range_shifter", TYPE_MAPPING, INTO(BeamSpec, range_shifter), CHILDREN(range_shifter_keys),
     .doc = "plates before the patient"},
};
static const SchemaKey beam_item = {"beam", TYPE_MAPPING, CHILDREN(beam_keys), .doc = "one beam"};

static const SchemaKey stage_keys[] = {
    {"name", TYPE_LABEL, REQUIRED, AT(StageSpec, name), .doc = "name that objectives and goals call it by"},
    {"target", TYPE_TEXT, REQUIRED, AT(StageSpec, target), WHERE(StageSpec, where),
     .doc = "the structure its spots cover"},
    {"fractions", TYPE_INTEGER, REQUIRED, AT(StageSpec, fractions), FROM(1, 100), .doc = "number of its fractions"},
    {"dose_Gy_RBE", TYPE_NUMBER, AT(StageSpec, dose_Gy_RBE), .unit = "Gy(RBE)", ABOVE(0, 100),
     .doc = "RBE-weighted dose per fraction"},
    {"beams", TYPE_LIST, LIST(StageSpec, n_beams, beams), .min_length = 1, .element = &beam_item,
     .doc = "beams of its own"},
};
static const SchemaKey stage_item = {"stage", TYPE_MAPPING, CHILDREN(stage_keys), .preset = StagePreset,
                                     .doc = "one stage of the course"};
static const SchemaKey course_keys[] = {
    {"planning", TYPE_WORD, AT(Settings, course.together), .true_if = "together", WORDS(planning_names),
     .fallback = "together", .doc = "how the stages are planned"},
    {"accumulate", TYPE_WORD, AT(Settings, course.accumulation), WORDS(accumulation_names), .fallback = "gy_rbe",
     .doc = "how their doses add up"},
    {"alpha_beta_Gy", TYPE_NUMBER, AT(Settings, course.alpha_beta_Gy), .unit = "Gy", ABOVE(0, 1000), .fallback = "2",
     .doc = "eqd2: alpha/beta"},
};

static const SchemaKey tcp_keys[] = {
    {"structure", TYPE_TEXT, AT(TumourSpec, structure), WHERE(TumourSpec, where),
     .doc = "whose control finished plans are judged by"},
    TCP_MODEL(TumourSpec, parameters.tcp., parameters.clonogens_share, TCP_DEFAULT),
};

/* What is left out is as in tcp. */
static const SchemaKey judging_tcp_keys[] = {
    TCP_MODEL(TumourSpec, parameters.tcp., parameters.clonogens_share, TCP_NO_DEFAULT)};
static const SchemaKey judging_biology_keys[] = {
    {"model", TYPE_WORD, AT(Settings, judging_biology.model), GIVEN(Settings, other_biology),
     WORDS(biology_model_names), .doc = "RBE model"},
    CELLS(Settings, judging_biology, ),
};
static const SchemaKey judging_keys[] = {
    {"tcp", TYPE_MAPPING, INTO(Settings, tumour), CHILDREN(judging_tcp_keys), .doc = "another tumour control model"},
    {"biology", TYPE_MAPPING, CHILDREN(judging_biology_keys), .rule = RuleBiology, .preset = JudgingBiologyPreset,
     .doc = "another RBE model"},
};

static const SchemaKey metric_keys[] = {
    {"structure", TYPE_TEXT, REQUIRED, AT(MetricSpec, structure), WHERE(MetricSpec, where),
     .doc = "the structure it is about"},
    {"metric", TYPE_TEXT, REQUIRED, AT(MetricSpec, name), .doc = "what is asked for"},
    {"quantity", TYPE_WORD, .word = QuantityOfGoal, .fallback = "rbe_weighted", .doc = "dose that is meant"},
    {"per", TYPE_WORD, AT(MetricSpec, course), .true_if = "course", WORDS(per_names), .fallback = "fraction",
     .doc = "what the dose is counted over"},
    OPTIONAL_KEY(MetricSpec, optional),
};
static const SchemaKey metric_item = {"metric",           TYPE_MAPPING,           CHILDREN(metric_keys),
                                      .rule = RuleMetric, .finish = MetricFinish, .doc = "one metric"};

static const SchemaKey goal_share_keys[] = {
    {"at_least_percent", TYPE_NUMBER, REQUIRED, AT(GoalSpec, least_percent), .unit = "percent", ABOVE(0, 100),
     .doc = "share of the evaluation set's scenarios in which it holds"},
};
static const SchemaKey goal_keys[] = {
    {"structure", TYPE_TEXT, REQUIRED, AT(GoalSpec, metric.structure), WHERE(GoalSpec, metric.where),
     .doc = "the structure it is about"},
    {"metric", TYPE_TEXT, REQUIRED, AT(GoalSpec, metric.name), .doc = "what is judged"},
    {"at_least", TYPE_NUMBER, AT(GoalSpec, limit), GIVEN(GoalSpec, at_least), FROM(0, 100000),
     .doc = "limit that the metric must reach"},
    {"at_most", TYPE_NUMBER, AT(GoalSpec, limit), FROM(0, 100000), .doc = "limit that the metric must not exceed"},
    {"of", TYPE_WORD, AT(GoalSpec, of_prescription), .true_if = "prescription", WORDS(goal_scale_names),
     .fallback = "unit", .doc = "what the limit is counted in"},
    {"quantity", TYPE_WORD, .word = QuantityOfGoal, .fallback = "rbe_weighted", .doc = "dose that is judged"},
    {"per", TYPE_WORD, AT(GoalSpec, metric.course), .true_if = "course", WORDS(per_names), .fallback = "fraction",
     .doc = "what the dose is counted over"},
    {"scenario", TYPE_WORD | TYPE_MAPPING, AT(GoalSpec, worst), .true_if = "worst", WORDS(goal_scenario_names),
     CHILDREN(goal_share_keys), .fallback = "nominal", .doc = "where it must hold"},
    OPTIONAL_KEY(GoalSpec, metric.optional),
};
static const SchemaKey goal_item = {"goal",           TYPE_MAPPING,         CHILDREN(goal_keys),
                                    .rule = RuleGoal, .finish = GoalFinish, .doc = "one goal"};

static const SchemaKey spot_keys[] = {
    {"lateral_mm", TYPE_NUMBER, AT(SpotSpec, lateral_mm), .unit = "mm", FROM(0.5, 50), .fallback = "4",
     .doc = "lateral spacing of spots"},
    {"layer_mm", TYPE_NUMBER, AT(SpotSpec, layer_mm), .unit = "mm", FROM(0.5, 50), .fallback = "3",
     .doc = "water-equivalent spacing of layers"},
    {"grid", TYPE_WORD, AT(SpotSpec, grid), WORDS(spot_grid_names), .fallback = "square", .doc = "pattern of spots"},
    {"layer_MeV_u", TYPE_NUMBER, AT(SpotSpec, layer_MeV_u), .unit = "MeV/u", ABOVE(0, 100),
     .doc = "layers by this energy step"},
    {"margin_mm", TYPE_NUMBER, .finish = MarginFinish, .unit = "mm", FROM(0, 50), .fallback = "4",
     .doc = "margin of spots around the target"},
    {"lateral_margin_mm", TYPE_NUMBER, AT(SpotSpec, lateral_margin_mm), .unit = "mm", FROM(0, 50),
     .doc = "margin sideways"},
    {"proximal_margin_mm", TYPE_NUMBER, AT(SpotSpec, proximal_margin_mm), .unit = "mm", FROM(0, 50),
     .doc = "margin before the target"},
    {"distal_margin_mm", TYPE_NUMBER, AT(SpotSpec, distal_margin_mm), .unit = "mm", FROM(0, 50),
     .doc = "margin behind the target"},
    {"cover", TYPE_WORD, AT(SpotSpec, cover), WORDS(spot_cover_names), .fallback = "robust",
     .doc = "scenarios the spots cover"},
    {"splitting", TYPE_WORD, AT(SpotSpec, splitting), WORDS(spot_splitting_names), .fallback = "none",
     .doc = "sub-beams of a spot"},
};

static const SchemaKey structure_expression = {"structure",
                                               TYPE_TEXT,
                                               .rule = RuleExpression,
                                               AT(DerivedStructure, expression),
                                               NAMED(DerivedStructure, name),
                                               WHERE(DerivedStructure, where),
                                               .doc = "expression such as CTV plus 2 mm"};

static const SchemaKey response_name = {"name", TYPE_LABEL, ITSELF(TEXT), .doc = "name of a response"};
static const SchemaKey phase_name = {"name", TYPE_LABEL, ITSELF(TEXT), .doc = "name of a breathing phase"};
static const SchemaKey plus_item;
static const SchemaKey scenario_keys[] = {
    {"range_percent", TYPE_LIST, LIST(ScenarioSpec, n_range, range_percent), .min_length = 1, .element = &range_error,
     .fallback = "[0]", .rule = RuleDistinct, .doc = "range errors"},
    {"range_per_beam", TYPE_FLAG, AT(ScenarioSpec, range_per_beam), .fallback = "false",
     .doc = "every beam errs by itself"},
    {"setup", TYPE_WORD, AT(ScenarioSpec, setup), WORDS(setup_pattern_names), .fallback = "none",
     .doc = "pattern of setup errors"},
    {"setup_mm", TYPE_NUMBER | TYPE_LIST, AT(ScenarioSpec, setup_mm), .unit = "mm", FROM(0, 100), .min_length = 3,
     .max_length = 3, .element = &shift_size, .doc = "size of setup errors, a number or [x, y, z]"},
    {"shifts_mm", TYPE_LIST, LIST(ScenarioSpec, n_shift, shift_mm), .min_length = 1, .element = &shift_vector,
     .rule = RuleDistinct, .doc = "setup errors one by one, for setup: list"},
    {"number", TYPE_INTEGER, AT(ScenarioSpec, n_random), FROM(1, 10000), .doc = "scenarios drawn, for setup: random"},
    {"seed", TYPE_INTEGER, AT(ScenarioSpec, seed), FROM(0, 1000000), DEFAULT_IF_TAKEN("0"),
     .doc = "where drawing starts, for setup: random"},
    {"range_sigma_percent", TYPE_NUMBER, AT(ScenarioSpec, range_sigma_percent), .unit = "percent", FROM(0, 20),
     DEFAULT_IF_TAKEN("0"), .doc = "standard deviation of range errors, for setup: random"},
    {"rotations_deg", TYPE_LIST, LIST(ScenarioSpec, n_rotation, rotation_deg), .min_length = 1, .element = &turn_vector,
     .rule = RuleDistinct, .doc = "rotations of the patient about [x, y, z], each with all other errors"},
    {"rotation_sigma_deg", TYPE_NUMBER | TYPE_LIST, AT(ScenarioSpec, rotation_sigma_deg), .unit = "degrees",
     FROM(0, 15), .min_length = 3, .max_length = 3, .element = &turn_size, DEFAULT_IF_TAKEN("0"),
     .doc = "standard deviation of rotations, a number or [x, y, z], for setup: random"},
    {"biology", TYPE_LIST, LIST(ScenarioSpec, n_biology, biology), .min_length = 1, .element = &response_name,
     .rule = RuleDistinct, .fallback = "[nominal]", .doc = "responses of scenarios.biology, or nominal"},
    {"alpha_sigma_percent", TYPE_NUMBER, AT(ScenarioSpec, alpha_sigma_percent), .unit = "percent", FROM(0, 100),
     DEFAULT_IF_TAKEN("0"), .doc = "spread of alpha, for setup: random"},
    {"beta_sigma_percent", TYPE_NUMBER, AT(ScenarioSpec, beta_sigma_percent), .unit = "percent", FROM(0, 100),
     DEFAULT_IF_TAKEN("0"), .doc = "spread of beta, for setup: random"},
    {"plus", TYPE_LIST, LIST(ScenarioSpec, n_plus, plus), .min_length = 1, .element = &plus_item,
     .doc = "sets of scenarios that come on top"},
    {"motion", TYPE_WORD, AT(ScenarioSpec, motion), WORDS(motion_names), .fallback = "none",
     .doc = "what the breathing phases of the case are"},
    {"phases", TYPE_LIST, LIST(ScenarioSpec, n_phase, phase), .min_length = 1, .element = &phase_name,
     .rule = RuleDistinct, .doc = "those phases that count (gating)"},
};
enum { OF_ALL_SETS = 3 }; /* the last keys: of a set with all that comes on top of it */
/* The keys of a set by itself. */
static const SchemaKey plus_item = {.name = "set",
                                    .type = TYPE_MAPPING,
                                    .child = scenario_keys,
                                    .n_child = PETSC_STATIC_ARRAY_LENGTH(scenario_keys) - OF_ALL_SETS,
                                    .rule = RuleScenarios,
                                    .doc = "one set of scenarios"};
static const SchemaKey scenarios_keys[] = {
    {"optimize", TYPE_MAPPING, INTO(Settings, optimize), CHILDREN(scenario_keys), .rule = RuleScenarios,
     .doc = "scenarios the plan is made for"},
    {"evaluate", TYPE_MAPPING, INTO(Settings, evaluate), CHILDREN(scenario_keys), .rule = RuleScenarios,
     .doc = "scenarios the plan is judged by"},
    {"biology", TYPE_LIST, LIST(Settings, n_alternatives, alternatives), .element = &alternative_item,
     .doc = "responses of the cells that scenarios may have"},
};

static const SchemaKey robust_keys[] = {
    {"mode", TYPE_WORD, REQUIRED, AT(RobustSpec, mode), WORDS(robust_mode_names), .fallback = "none",
     .doc = "how scenarios are combined"},
    {"on", TYPE_WORD, AT(RobustSpec, on_effect), .true_if = "effect", WORDS(worst_of_names), .fallback = "dose",
     .doc = "voxelwise: worst case of dose or of effect"},
    {"importance", TYPE_NUMBER, AT(RobustSpec, importance), ABOVE(0, 1e12), .fallback = "1",
     .doc = "voxelwise on effect: weight of the worst case; probabilistic: of the variance"},
    {"worst_fraction", TYPE_NUMBER, AT(RobustSpec, worst_fraction), ABOVE(0, 1), .fallback = "0.1",
     .doc = "cvar, percentile: share of scenarios that counts"},
};

static const SchemaKey spot_control_keys[] = {
    {"heterogeneity", TYPE_NUMBER, AT(SpotControlSpec, heterogeneity), .unit = "1/mm2", FROM(0, 1e9), .fallback = "0",
     .doc = "K0, weight of density indices"},
    {"oar_range", TYPE_NUMBER, AT(SpotControlSpec, oar_range), FROM(0, 1e9), .fallback = "0",
     .doc = "K1, weight of peaks near the structures"},
    {"oar_setup", TYPE_NUMBER, AT(SpotControlSpec, oar_setup), FROM(0, 1e9), .fallback = "0",
     .doc = "K2, weight of paths near the structures"},
    {"range_percent", TYPE_NUMBER, AT(SpotControlSpec, range_percent), .unit = "%", FROM(0, 20), .fallback = "3.5",
     .doc = "range error of the risk"},
    {"setup_mm", TYPE_NUMBER, AT(SpotControlSpec, setup_mm), .unit = "mm", FROM(0, 50), .fallback = "2",
     .doc = "setup error of the risk"},
    {"sigma_mm", TYPE_NUMBER, AT(SpotControlSpec, sigma_mm), .unit = "mm", ABOVE(0, 100), .fallback = "3",
     .doc = "distance over which risk falls"},
    {"structures", TYPE_LIST, LIST(SpotControlSpec, n_structures, structures), WHERE(SpotControlSpec, where),
     .min_length = 1, .element = &structure_name, .rule = RuleDistinct, .doc = "structures to spare"},
    {"gradient", TYPE_NUMBER, AT(SpotControlSpec, gradient), .unit = "mm2", FROM(0, 1e9), .fallback = "0",
     .doc = "G0, weight of the target's gradients of effect in each field"},
    {"gradient_distance_mm", TYPE_NUMBER, AT(SpotControlSpec, gradient_distance_mm), .unit = "mm", ABOVE(0, 100),
     .fallback = "5", .doc = "voxels whose effects are compared are no further apart"},
};

static const SchemaKey optimizer_keys[] = {
    {"max_iterations", TYPE_INTEGER, AT(OptimizerSpec, max_iterations), FROM(1, 1000000), .fallback = "300",
     .doc = "most iterations"},
    {"relative_tolerance", TYPE_NUMBER, AT(OptimizerSpec, relative_tolerance), FROM(0, 1), .below = PETSC_TRUE,
     .fallback = "1e-4", .doc = "least relative fall"},
    {"window", TYPE_INTEGER, AT(OptimizerSpec, window), FROM(1, 1000000), .fallback = "10",
     .doc = "iterations the fall is taken over"},
    {"max_minutes", TYPE_NUMBER, AT(OptimizerSpec, max_minutes), .unit = "min", FROM(0, 1000000), .fallback = "0",
     .doc = "time for one plan; 0: no limit"},
    {"relative_gap", TYPE_NUMBER, AT(OptimizerSpec, relative_gap), FROM(0, 1), .below = PETSC_TRUE, .fallback = "1e-3",
     .doc = "proven or expected distance from the optimum that is small enough"},
    {"certificate_iterations", TYPE_INTEGER, AT(OptimizerSpec, certificate_iterations), FROM(0, 1000000),
     .fallback = "50", .doc = "most iterations for the certificate"},
    {"checkpoint_minutes", TYPE_NUMBER, AT(OptimizerSpec, checkpoint_minutes), .unit = "min", FROM(0, 1000000),
     .fallback = "10", .doc = "least time between checkpoints"},
    {"constraint_tolerance_percent", TYPE_NUMBER, AT(OptimizerSpec, constraint_tolerance), PERCENT, ABOVE(0, 10),
     .fallback = "0.1", .doc = "what constraints may miss their bounds by"},
};

static const SchemaKey delivery_keys[] = {
    {"min_particles", TYPE_NUMBER, AT(DeliverySpec, min_particles), .unit = "particles", FROM(0, 1e12), .fallback = "0",
     .doc = "least particles of a spot that has any"},
    {"step_particles", TYPE_NUMBER, AT(DeliverySpec, step_particles), .unit = "particles", FROM(0, 1e12),
     .fallback = "0", .doc = "what particles of a spot are a multiple of; 0: any number"},
    {"rounds", TYPE_INTEGER, AT(DeliverySpec, rounds), FROM(0, 100), .fallback = "3",
     .doc = "rounds in which spots below the minimum are removed and the others optimised anew"},
};

static const SchemaKey scenario_id = {"scenario", TYPE_TEXT, ITSELF(TEXT), .doc = "id of a scenario, or all"};
static const SchemaKey window_keys[] = {
    {"name", TYPE_LABEL, REQUIRED, AT(ActivityWindow, name), .doc = "name in results"},
    {"from_s", TYPE_NUMBER, REQUIRED, AT(ActivityWindow, from_s), .unit = "s", FROM(-1e5, 1e6),
     .doc = "when counting begins, after the end of the irradiation"},
    {"to_s", TYPE_NUMBER, REQUIRED, AT(ActivityWindow, to_s), .unit = "s", FROM(-1e5, 1e6), .doc = "when it ends"},
};
static const SchemaKey window_item = {"window", TYPE_MAPPING, CHILDREN(window_keys), .rule = RuleWindow,
                                      .doc = "one window of time"};
static const SchemaKey activity_keys[] = {
    {"scenarios", TYPE_LIST, LIST(ActivitySpec, n_scenarios, scenarios), WHERE(ActivitySpec, where), .min_length = 1,
     .element = &scenario_id, .rule = RuleDistinct, .doc = "scenarios of scenarios.evaluate whose activity is wanted"},
    {"composition", TYPE_WORD, AT(ActivitySpec, composition), WORDS(composition_names), .fallback = "tissue",
     .doc = "what the CT is taken for"},
    {"irradiation_s", TYPE_NUMBER, AT(ActivitySpec, irradiation.duration_s), .unit = "s", ABOVE(0, 1e5),
     .fallback = "60", .doc = "how long a fraction is irradiated"},
    {"spill_s", TYPE_NUMBER, AT(ActivitySpec, irradiation.spill_s), .unit = "s", FROM(0, 1e5), .fallback = "0",
     .doc = "length of a spill; 0: no pauses"},
    {"pause_s", TYPE_NUMBER, AT(ActivitySpec, irradiation.pause_s), .unit = "s", FROM(0, 1e5), .fallback = "0",
     .doc = "pause between spills"},
    {"windows", TYPE_LIST, LIST(ActivitySpec, n_windows, windows), .element = &window_item, .rule = RuleWindows,
     .doc = "when decays are counted"},
    {"washout", TYPE_WORD, AT(ActivitySpec, washout), WORDS(washout_names), .fallback = "mizuno",
     .doc = "how blood carries emitters away"},
    {"brain", TYPE_LIST, LIST(ActivitySpec, n_brain, brain), WHERE(ActivitySpec, brain_where),
     .element = &structure_name, .rule = RuleDistinct, .doc = "structures that wash out as brain does"},
    {"scanner_fwhm_mm", TYPE_NUMBER, AT(ActivitySpec, scanner_fwhm_mm), .unit = "mm", ABOVE(0, 100), .fallback = "5",
     .doc = "blur of the scanner"},
    {"efficiency_percent", TYPE_NUMBER, AT(ActivitySpec, efficiency), PERCENT, FROM(0, 100), .fallback = "0",
     .doc = "coincidences counted per decay; 0: no counts are drawn"},
    {"seed", TYPE_INTEGER, AT(ActivitySpec, seed), FROM(0, 1000000), .fallback = "0", .doc = "where drawing starts"},
};

static const SchemaKey results_keys[] = {
    {"scenario_doses", TYPE_WORD, AT(ResultsSpec, scenario_doses), WORDS(scenario_doses_names), .fallback = "worst",
     .doc = "scenarios whose dose goes into plan.h5 beside the nominal"},
    {"beam_doses", TYPE_WORD, AT(ResultsSpec, beam_doses), WORDS(beam_doses_names), .fallback = "none",
     .doc = "doses of single beams in plan.h5"},
};

static const SchemaKey arm_overrides = {"arm", TYPE_MAPPING, .doc = "keys this arm changes"};
static const SchemaKey sweep_value = {"value", TYPE_ANY, .doc = "a value of the key"};
static const SchemaKey sweep_number = {"value", TYPE_NUMBER, .doc = "a number"};
static const SchemaKey sweep_list = {"values", TYPE_LIST, .min_length = 1, .element = &sweep_value,
                                     .doc = "values of a key"};
static const SchemaKey sweep_point = {"point", TYPE_MAPPING, .doc = "keys this point changes"};
static const SchemaKey sweep_keys[] = {
    {"range", TYPE_LIST, .min_length = 3, .max_length = 3, .element = &sweep_number, .doc = "[first, last, step]"},
    {"linspace", TYPE_LIST, .min_length = 3, .max_length = 3, .element = &sweep_number,
     .doc = "[first, last, how many], equally spaced"},
    {"logspace", TYPE_LIST, .min_length = 3, .max_length = 3, .element = &sweep_number,
     .doc = "[first, last, how many], in equal ratios"},
    {"zip", TYPE_MAPPING, .member = &sweep_list, .doc = "keys whose values go side by side"},
    {"points", TYPE_MAPPING, .member = &sweep_point, .doc = "named sets of values"},
};
static const SchemaKey sweep_values = {"values",
                                       TYPE_LIST | TYPE_MAPPING,
                                       .min_length = 1,
                                       .element = &sweep_value,
                                       CHILDREN(sweep_keys),
                                       .doc = "values of a key"};

static const SchemaKey study_keys[] = {
    {"robion", TYPE_INTEGER, REQUIRED, .rule = RuleFormatVersion,
     .doc = "the format version of the study file (robion: 1)"},
    {"name", TYPE_LABEL, REQUIRED, .doc = "name of the study and its results folder"},
    {"cases", TYPE_LIST, REQUIRED, INTO(Settings, patient), .min_length = 1, .element = &case_item, .rule = RuleCases,
     .doc = "patients and phantoms"},
    {"hlut", TYPE_LIST, LIST(Settings, hlut.n, hlut.point), .min_length = 2, .element = &hlut_row, .rule = RuleHLUT,
     .preset = HLUTPreset, .doc = "Hounsfield look-up table"},
    {"hlut_scale_percent", TYPE_NUMBER, AT(Settings, hlut_scale_percent), .unit = "percent", ABOVE(-50, 50),
     .below = PETSC_TRUE, .fallback = "0", .doc = "how much higher all stopping powers of the patient are"},
    {"machine", TYPE_MAPPING, CHILDREN(machine_keys), .rule = RuleMachine, .preset = MachinePreset,
     .doc = "ion and beam line"},
    {"biology", TYPE_MAPPING, CHILDREN(biology_keys), .rule = RuleBiology, .preset = BiologyPreset,
     .doc = "RBE model and tissue"},
    {"prescription", TYPE_MAPPING, REQUIRED, CHILDREN(prescription_keys), .doc = "dose per fraction and its target"},
    {"patient_position", TYPE_WORD, AT(Settings, beams.position), WORDS(patient_position_names),
     .fallback = "from-case", .doc = "how the patient lies on the couch"},
    {"beams", TYPE_LIST | TYPE_WORD, REQUIRED, LIST(Settings, beams.n, beams.beam), WHERE(Settings, beams.where),
     WORDS(beam_source_names), .min_length = 1, .element = &beam_item, .finish = BeamsFinish, .doc = "beam directions"},
    {"stages", TYPE_LIST, LIST(Settings, course.n_stages, course.stages), .min_length = 1, .max_length = STAGES_MOST,
     .element = &stage_item, .rule = RuleStages, .doc = "stages of the course, in their order"},
    {"course", TYPE_MAPPING, CHILDREN(course_keys), .doc = "how stages are planned and add up"},
    {"dose_grid_mm", TYPE_NUMBER, REQUIRED, AT(Settings, dose_grid_mm), .unit = "mm", FROM(0.5, 20),
     .doc = "voxel size of the dose grid"},
    {"spots", TYPE_MAPPING, INTO(Settings, beams.spots), CHILDREN(spot_keys), .doc = "spot grid"},
    {"dose_operator", TYPE_WORD, AT(Settings, dose_operator), WORDS(dose_operator_names), .fallback = "factored",
     .doc = "how the optimiser gets its doses"},
    {"dropped_dose_fraction", TYPE_NUMBER, AT(Settings, dropped_dose_fraction), FROM(0, 0.1), .fallback = "0.002",
     .doc = "dose of a spot cut off at its rim"},
    {"structures", TYPE_MAPPING, LIST(Settings, n_derived, derived), .member = &structure_expression,
     .rule = RuleStructureNames, .doc = "derived structures"},
    {"overlap_priority", TYPE_LIST, LIST(Settings, n_priority, priority), WHERE(Settings, priority_where),
     .element = &structure_name, .rule = RuleDistinct, .doc = "who owns shared voxels"},
    {"scenarios", TYPE_MAPPING, CHILDREN(scenarios_keys), .doc = "setup and range errors"},
    {"objectives", TYPE_LIST, REQUIRED, LIST(Settings, n_objectives, objectives), .min_length = 1,
     .element = &schema_objective, .doc = "what the plan is to achieve"},
    {"tcp", TYPE_MAPPING, INTO(Settings, tumour), CHILDREN(tcp_keys), .finish = TCPFinish,
     .doc = "tumour control model of tcp objectives"},
    {"constraints", TYPE_LIST, LIST(Settings, n_objectives, objectives), .element = &schema_constraint,
     .doc = "what the plan must keep"},
    {"judging", TYPE_MAPPING, CHILDREN(judging_keys), .doc = "what finished plans are judged by, and made without"},
    {"metrics", TYPE_LIST, LIST(Settings, n_metrics, metrics), .element = &metric_item,
     .doc = "what is told of finished plans beside what is told of all"},
    {"goals", TYPE_LIST, LIST(Settings, n_goals, goals), .element = &goal_item,
     .doc = "what the finished plan is to keep"},
    {"outcomes", TYPE_LIST, LIST(Settings, n_outcomes, outcomes), .element = &schema_outcome, .rule = RuleOutcomes,
     .finish = OutcomesFinish, .doc = "what finished plans lead to"},
    {"robust", TYPE_WORD | TYPE_MAPPING, INTO(Settings, robust), WORDS(robust_mode_names), .shorthand = "mode",
     CHILDREN(robust_keys), .doc = "how scenarios enter the optimisation"},
    {"spot_control", TYPE_MAPPING, INTO(Settings, spot_control), CHILDREN(spot_control_keys), .rule = RuleSpotControl,
     .doc = "what risky spots cost beside the dose"},
    {"optimizer", TYPE_MAPPING, INTO(Settings, optimizer), CHILDREN(optimizer_keys), .doc = "when to stop"},
    {"delivery", TYPE_MAPPING, INTO(Settings, delivery), CHILDREN(delivery_keys),
     .doc = "particles that spots can have"},
    {"activity", TYPE_MAPPING, INTO(Settings, activity), CHILDREN(activity_keys), .rule = RuleActivity,
     .doc = "positron emitters of the finished plan"},
    {"results", TYPE_MAPPING, INTO(Settings, results), CHILDREN(results_keys),
     .doc = "what plan.h5 holds beside what it always does"},
    {"arms", TYPE_MAPPING, .member = &arm_overrides, .rule = RuleArmNames, .doc = "variants to compare"},
    {"sweep", TYPE_MAPPING, .member = &sweep_values, .doc = "keys to vary over lists of values"},
};
const SchemaKey schema_study = {"study", TYPE_MAPPING, CHILDREN(study_keys), .rule = RuleStudy, .doc = "a study"};
