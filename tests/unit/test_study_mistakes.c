/* Every kind of mistake in a study file, one at a time, with its exact line and column. */
#include "test_study.h"

typedef struct Slip {
  int line;                /* of tests/studies/good.yaml that is replaced */
  const char *replacement; /* NULL: the line is left out */
  const char *mistake;     /* after "study.yaml:" */
} Slip;

static void AssertSlips(size_t n, const Slip *slip)
{
  for (size_t i = 0; i < n; i++) {
    char expected[1024];
    snprintf(expected, sizeof expected, "study.yaml:%s", slip[i].mistake);
    AssertMistake(STUDIES "good.yaml", slip[i].line, slip[i].replacement, expected);
  }
}
#define ASSERT_SLIPS(slips) AssertSlips(PETSC_STATIC_ARRAY_LENGTH(slips), slips)

static void TestKeys(void **state)
{
  static const Slip slips[] = {
      {12, "spots: {latral_mm: 3}", "12:9: spots.latral_mm: unknown key, did you mean lateral_mm?"},
      {12, "spots: {lateral_cm: 3}", "12:9: spots.lateral_cm: unknown key, did you mean lateral_mm?"},
      {12, "spots: {lateral_inches: 3}", "12:9: spots.lateral_inches: unknown key, did you mean lateral_mm?"},
      {12, "spots: {lateral: 3}", "12:9: spots.lateral: unknown key, did you mean lateral_mm?"},
      {12, "spots: {Layer_mm: 3}", "12:9: spots.Layer_mm: unknown key, did you mean layer_mm?"},
      {12, "spots: {qqqqqqqqqq: 3}",
       "12:9: spots.qqqqqqqqqq: unknown key, expected one of lateral_mm, layer_mm, grid, layer_MeV_u, margin_mm, "
       "lateral_margin_mm, "
       "proximal_margin_mm, distal_margin_mm, cover, splitting"},
      {12, "layer_mm: 3", "12:1: layer_mm: unknown key, did you mean spots.layer_mm?"},
      {12, "spots: {dose_grid_mm: 3}",
       "12:9: spots.dose_grid_mm: unknown key, did you mean dose_grid_mm at the top level?"},
      {11, "dose_grid_cm: 0.3", "11:1: dose_grid_cm: unknown key, did you mean dose_grid_mm?"},
      {21, "  - {structure: OAR, type: mean, dose_cGy: 1}",
       "21:34: objectives.1.dose_cGy: unknown key, did you mean dose_Gy?"},
      {9, "prescription: {dose_Gy: 3, target: CTV}",
       "9:16: prescription.dose_Gy: unknown key, did you mean dose_Gy_RBE?"},
      {12, "spots: {layer_mm: 3, layer_mm: 3}", "12:22: layer_mm: found twice, first in line 12, expected once"},
      {11, "dose_grid_mm: 3\nname: again", "12:1: name: found twice, first in line 2, expected once"},
      {2, NULL,
       "1:1: name: missing, expected name of the study and its results folder: a name that can be a folder (up to "
       "100 letters, digits, . _ - + = ,)"},
      {9, "prescription: {dose_Gy_RBE: 3}",
       "9:15: prescription.target: missing, expected the structure the dose is prescribed to"},
      {10, "beams: [{couch_deg: 0}]",
       "10:9: beams.0.gantry_deg: missing, expected IEC 61217 gantry angle: a number from 0 to below 360 (deg)"},
      {1, NULL, "1:1: robion: missing, expected the format version of the study file (robion: 1): a whole number"},
      {1, "robion: 2", "1:9: robion: found 2, expected 1 (the format version this robion reads)"},
      {1, "robion: 1.5", "1:9: robion: found 1.5, expected a whole number"},
  };
  ASSERT_SLIPS(slips);
}

static void TestConstraints(void **state)
{
  static const Slip slips[] = {
      {12, "constraints: [{structure: CTV, type: mean-equal}]",
       "12:15: constraints.0: found no bound, expected one of dose_Gy_RBE, dose_Gy and percent"},
      {12, "constraints: [{structure: CTV, type: mean-equal, percent: 100, scenarios: all}]",
       "12:75: constraints.0.scenarios: found all with type mean-equal, expected nominal"},
      {12, "constraints: [{structure: CTV, type: max-dvh, percent: 100}]",
       "12:15: constraints.0: found max-dvh without volume_percent"},
  };
  ASSERT_SLIPS(slips);
}

static void TestNumbers(void **state)
{
  static const Slip slips[] = {
      {11, "dose_grid_mm: -3", "11:15: dose_grid_mm: found -3, expected a number above 0 (mm)"},
      {11, "dose_grid_mm: 0", "11:15: dose_grid_mm: found 0, expected a number above 0 (mm)"},
      {11, "dose_grid_mm: 0.1", "11:15: dose_grid_mm: found 0.1, expected a number from 0.5 to 20 (mm)"},
      {11, "dose_grid_mm: .nan", "11:15: dose_grid_mm: found .nan, expected a number from 0.5 to 20 (mm)"},
      {11, "dose_grid_mm: nan", "11:15: dose_grid_mm: found nan, expected a number from 0.5 to 20 (mm)"},
      {11, "dose_grid_mm: .inf", "11:15: dose_grid_mm: found .inf, expected a number from 0.5 to 20 (mm)"},
      {11, "dose_grid_mm: 1e999", "11:15: dose_grid_mm: found 1e999, expected a number from 0.5 to 20 (mm)"},
      {11, "dose_grid_mm: 0x3", "11:15: dose_grid_mm: found 0x3, expected a number from 0.5 to 20 (mm)"},
      {11, "dose_grid_mm: three", "11:15: dose_grid_mm: found three, expected a number from 0.5 to 20 (mm)"},
      {11, "dose_grid_mm:", "11:14: dose_grid_mm: found nothing, expected a number from 0.5 to 20 (mm)"},
      {11, "dose_grid_mm: \"3\"",
       "11:15: dose_grid_mm: found \"3\", expected a number from 0.5 to 20 (mm) without quotes"},
      {11, "dose_grid_mm: 4 mm",
       "11:15: dose_grid_mm: found 4 mm, expected a number from 0.5 to 20 (mm): the unit is in the key's name, leave "
       "it out"},
      {11, "dose_grid_mm: \"0.4 cm\"",
       "11:15: dose_grid_mm: found \"0.4 cm\", expected a number from 0.5 to 20 (mm): the unit "
       "is in the key's name, leave it out"},
      {8, "biology: {alpha_x_per_Gy: 0.1 1/Gy}",
       "8:27: biology.alpha_x_per_Gy: found 0.1 1/Gy, expected a number above 0 and "
       "up to 10 (1/Gy): the unit is in the key's name, leave it out"},
      {13, "dropped_dose_fraction: 1 %",
       "13:24: dropped_dose_fraction: found 1 %, expected a number from 0 to 0.1: it has no unit"},
      {9, "prescription: {dose_Gy_RBE: 3, fractions: 2.5, target: CTV}",
       "9:43: prescription.fractions: found 2.5, expected a whole number from 1 to 100"},
      {9, "prescription: {dose_Gy_RBE: 3, fractions: 0, target: CTV}",
       "9:43: prescription.fractions: found 0, expected a whole number from 1 to 100"},
      {10, "beams: [{gantry_deg: 360}]",
       "10:22: beams.0.gantry_deg: found 360, expected a number from 0 to below 360 (deg); use 0"},
      {10, "beams: [{gantry_deg: -1}]",
       "10:22: beams.0.gantry_deg: found -1, expected a number from 0 to below 360 (deg)"},
      {10, "beams: [{gantry_deg: 1, couch_deg: 361}]",
       "10:36: beams.0.couch_deg: found 361, expected a number from -180 to 360 (deg)"},
      {17, "  optimize: {range_percent: [-50]}",
       "17:30: scenarios.optimize.range_percent.0: found -50, expected a number above -50 and below 50 (percent)"},
      {20, "  - {structure: CTV, type: uniform, dose_Gy_RBE: 3, weight: 0}",
       "20:61: objectives.0.weight: found 0, expected a number above 0"},
      {21, "  - {structure: OAR, type: mean, dose_Gy: 1, robust: no}",
       "21:54: objectives.1.robust: found no, expected true, false, none, expected, composite, voxelwise, "
       "objectivewise, "
       "cvar or probabilistic"},
  };
  ASSERT_SLIPS(slips);
}

static void TestShapes(void **state)
{
  static const Slip slips[] = {
      {12, "spots: 4", "12:8: spots: found 4, expected a mapping (key: value)"},
      {12, "spots: [4]", "12:8: spots: found a list, expected a mapping (key: value)"},
      {11, "dose_grid_mm: [3]", "11:15: dose_grid_mm: found a list, expected a number from 0.5 to 20 (mm)"},
      {17, "  optimize: {range_percent: 3.5}",
       "17:29: scenarios.optimize.range_percent: found 3.5, expected a list of numbers (percent)"},
      {18, "  evaluate: {range_percent: []}",
       "18:29: scenarios.evaluate.range_percent: found an empty list, expected a list of numbers (percent)"},
      {18, "  evaluate: {setup: axes, setup_mm: [1, 2]}",
       "18:37: scenarios.evaluate.setup_mm: found a list of 2, expected a "
       "number from 0 to 100 (mm), or a list of 3 numbers (mm)"},
      {10, "beams: []", "10:8: beams: found an empty list, expected from-case, or a list of mappings (key: value)"},
      {10, "beams: from_case",
       "10:8: beams: found from_case, expected from-case, or a list of mappings (key: value); did you mean from-case?"},
      {22, "robust: voxel-wise",
       "22:9: robust: found voxel-wise, expected none, expected, composite, voxelwise, objectivewise, cvar or "
       "probabilistic, or a mapping "
       "(key: value); did you mean voxelwise?"},
      {22, "robust: {on: dose}",
       "22:9: robust.mode: missing, expected how scenarios are combined: none, expected, composite, voxelwise, "
       "objectivewise, cvar or probabilistic"},
      {7, "machine: {base_data: ''}", "7:22: machine.base_data: found \"\", expected text"},
      {9, "prescription: {dose_Gy_RBE: 3, target: \"a\\tb\"}",
       "9:40: prescription.target: found \"a b\", expected text"},
      {24, "arms: {a: 1}", "24:11: arms.a: found 1, expected a mapping (key: value)"},
      {25, "sweep: {spots.layer_mm: 2}",
       "25:25: sweep.spots.layer_mm: found 2, expected a list of values, or a mapping (key: value)"},
      {25, "sweep: {spots.layer_mm: []}",
       "25:25: sweep.spots.layer_mm: found an empty list, expected a list of values, or a mapping (key: value)"},
  };
  ASSERT_SLIPS(slips);
}

static void TestNames(void **state)
{
#define LABEL "a name that can be a folder (up to 100 letters, digits, . _ - + = ,)"
  static const Slip slips[] = {
      {2, "name: a/b", "2:7: name: found a/b, expected " LABEL},
      {2, "name: ..", "2:7: name: found .., expected " LABEL},
      {4, "  - {phantom: rtog, name: ''}", "4:27: cases.0.name: found \"\", expected " LABEL},
      {5, "  - {file: b.h5, name: plain}",
       "5:24: cases.1.name: found plain again, expected every case to have a name of its "
       "own"},
      {5, "  - {file: plain.h5}",
       "5:5: cases.1.name: found plain again, expected every case to have a name of its own"},
      {24, "arms: {a/b: {}}", "24:8: arms: found \"a/b\", expected " LABEL},
      {24, "arms: {a: {}, a: {}}", "24:15: a: found twice, first in line 24, expected once"},
      {14, "structures: {a/b: CTV plus 2 mm}",
       "14:14: structures: found \"a/b\", expected a structure name of up to 100 characters without / or quotes"},
      {14, "structures: {PTV: CTV plus 2 mm, PTV: CTV plus 3 mm}",
       "14:34: PTV: found twice, first in line 14, expected once"},
      {15, "overlap_priority: [CTV, OAR, CTV]", "15:30: overlap_priority.2: found CTV again, expected it once"},
  };
  ASSERT_SLIPS(slips);
}

static void TestRules(void **state)
{
  static const Slip slips[] = {
      {5, "  - {}", "5:5: cases.1: found neither phantom nor file, expected one of them"},
      {5, "  - {phantom: rtog, file: b.h5}", "5:5: cases.1: found both phantom and file, expected one of them"},
      {5, "  - {file: b.h5, ct_spacing_mm: 2}",
       "5:18: cases.1.ct_spacing_mm: found beside a case file, expected only with a phantom"},
      {5, "  - {phantom: rtog, size_mm: [1, 1, 1]}",
       "5:21: cases.1.size_mm: found with phantom rtog, expected only with phantom water-box"},
      {6, "hlut: [[0, 1], [0, 1.1]]", "6:17: hlut.1: found 0 HU after 0, expected ascending HU"},
      {6, "hlut: [[0, 1], [1, -1]]", "6:20: hlut.1: found a relative stopping power of -1, expected 0 or more"},
      {6, "hlut: [[0, 1]]", "6:7: hlut: found a list of 1, expected a list of at least 2 lists"},
      {6, "hlut_scale_percent: 50",
       "6:21: hlut_scale_percent: found 50, expected a number above -50 and below 50 (percent)"},
      {6, "hlut_scale_percent: low",
       "6:21: hlut_scale_percent: found low, expected a number above -50 and below 50 (percent)"},
      {8, "biology: {model: table}",
       "8:18: biology.model: found table with builtin base data, expected machine.base_data to be "
       "a file with alpha and beta tables, or biology.table an .rbe file"},
      {8, "biology: {tissues: [{structures: [OAR]}, {structures: [CTV, OAR]}]}",
       "8:61: biology.tissues.1.structures: found OAR again, expected every structure to be of one tissue"},
      {8, "biology: {model: mkm, tissues: [{structures: [OAR], cell_line: chordoma}]}",
       "8:64: biology.tissues.0.cell_line: found chordoma with model mkm, expected hsg, or r_domain_um and "
       "beta0_per_Gy2 "
       "above 0"},
      {8, "biology: {tissues: [{cell_line: hsg}]}",
       "8:21: biology.tissues.0.structures: missing, expected structures of this tissue: a list of names"},
      {8, "biology: {model: smk, cell_line: v79}",
       "8:34: biology.cell_line: found v79 with model smk, expected hsg, or r_domain_um and beta0_per_Gy2 above 0"},
      {8, "biology: {model: mkmm}",
       "8:18: biology.model: found mkmm, expected lem1, mkm, smk, mixed-beam, constant or table; did you mean mkm?"},
      {17, "  optimize: {setup: axes}",
       "17:21: scenarios.optimize.setup: found axes without setup_mm, expected setup_mm too"},
      {17, "  optimize: {setup: corners, setup_mm: 0}",
       "17:40: scenarios.optimize.setup_mm: found 0 with setup: corners, expected a number above 0 (mm)"},
      {17, "  optimize: {range_percent: [1], setup: list}",
       "17:41: scenarios.optimize.setup: found list without shifts_mm, expected shifts_mm too"},
      {18, "  evaluate: {setup_mm: 2}",
       "18:24: scenarios.evaluate.setup_mm: found without setup, expected setup: axes, corners, axes+corners, cross, "
       "grid "
       "or random too"},
      {18, "  evaluate: {setup: random, setup_mm: 2}",
       "18:21: scenarios.evaluate.setup: found random without number, expected number too"},
      {18, "  evaluate: {setup: random, number: 5, setup_mm: 0}",
       "18:50: scenarios.evaluate.setup_mm: found 0 without range_sigma_percent, expected one of them above 0"},
      {18, "  evaluate: {setup: axes, setup_mm: 2, seed: 5}",
       "18:40: scenarios.evaluate.seed: found without setup: random, expected it only with that"},
      {18, "  evaluate: {shifts_mm: [[1, 2, 3]]}",
       "18:25: scenarios.evaluate.shifts_mm: found without setup, expected setup: list too"},
      {18, "  evaluate: {range_percent: [1, 2, 1.0]}",
       "18:36: scenarios.evaluate.range_percent.2: found 1 again, expected it once"},
      {18, "  evaluate: {range_percent: [1, 2], range_per_beam: both}",
       "18:53: scenarios.evaluate.range_per_beam: found both, expected true or false"},
      {18, "  evaluate: {biology: [nominal, hihg]}\n  biology: [{name: high, alpha_factor: 2}]",
       "18:33: scenarios.evaluate.biology.1: found hihg, expected nominal or a name of scenarios.biology, did you mean "
       "high?"},
      {18, "  evaluate: {plus: [{biology: [high]}]}",
       "18:32: scenarios.evaluate.plus.0.biology.0: found high, expected nominal or a name of scenarios.biology"},
      {18, "  biology: [{name: nominal, alpha_factor: 2}]",
       "18:20: scenarios.biology.0.name: found nominal, which is biology itself, expected another name"},
      {18, "  biology: [{name: high}]",
       "18:13: scenarios.biology.0: found neither factor nor model, expected alpha_factor, beta_factor or model"},
      {18, "  biology: [{name: high, alpha_factor: 2, cell_line: hsg}]",
       "18:43: scenarios.biology.0.cell_line: found without model, expected it only with that"},
      {18, "  biology: [{name: high, model: smk, cell_line: v79}]",
       "18:49: scenarios.biology.0.cell_line: found v79 with model smk, expected hsg, or r_domain_um and beta0_per_Gy2 "
       "above 0"},
      {18, "  biology: [{name: a, beta_factor: 2}, {name: a, alpha_factor: 0.5}]",
       "18:47: scenarios.biology.1.name: found a again, expected it once"},
      {18, "  biology: [{name: a, structure: OAR, beta_factor: 2}]",
       "18:34: scenarios.biology.0.structure: found OAR, expected a structure of biology.tissues"},
      {18, "  evaluate: {setup: axes, setup_mm: 2, alpha_sigma_percent: 5}",
       "18:40: scenarios.evaluate.alpha_sigma_percent: found without setup: random, expected it only with that"},
      {18, "  evaluate: {plus: [{setup: axes}]}",
       "18:29: scenarios.evaluate.plus.0.setup: found axes without setup_mm, expected setup_mm too"},
      {18, "  evaluate: {setup: list, shifts_mm: [[1, 0, 0], [1, 0, 0.0]]}",
       "18:50: scenarios.evaluate.shifts_mm.1: found 1, 0, 0 again, expected it once"},
      {20, "  - {structure: CTV, type: uniform, dose_Gy_RBE: 3, dose_Gy: 3}",
       "20:5: objectives.0: found both dose_Gy_RBE and dose_Gy, expected one of them"},
      {20, "  - {structure: CTV, type: uniform}",
       "20:5: objectives.0: found no goal, expected dose_Gy_RBE (RBE-weighted), dose_Gy (physical), effect, let_keV_um "
       "or "
       "map (voxel by voxel)"},
      {20, "  - {structure: CTV, type: uniform, dose_Gy_RBE: 3, volume_percent: 5}",
       "20:53: objectives.0.volume_percent: found with type uniform, which does not take it"},
      {20, "  - {structure: CTV, type: min-dvh, dose_Gy_RBE: 3}",
       "20:5: objectives.0: found no volume_percent, expected it with type min-dvh"},
      {20, "  - {structure: CTV, type: min-let, dose_Gy: 3, let_keV_um: 30}",
       "20:37: objectives.0.dose_Gy: found with type min-let, expected let_keV_um"},
      {20, "  - {structure: CTV, type: ntcp, a: -2, m: 0.1, td50_Gy: 50, alpha_beta_Gy: 2}",
       "20:37: objectives.0.a: found -2 with type ntcp, expected a number above 0"},
      {20, "  - {structure: CTV, type: ntcp, model: mayo, a: 2}",
       "20:47: objectives.0.a: found with model mayo, which has numbers of its own"},
      {20, "  - {structure: CTV, type: ntcp, a: 2, m: 0.1, alpha_beta_Gy: 2}",
       "20:5: objectives.0: found no td50_Gy, expected it with type ntcp, or a model with numbers of its own"},
      {20, "  - {structure: CTV, type: ntcp, a: 2, m: 0.1, td50_Gy: 50}",
       "20:5: objectives.0: found no alpha_beta_Gy, expected it or fractionation with type ntcp"},
      {20, "  - {structure: CTV, type: ntcp, model: mayo, alpha_beta_Gy: 2, fractionation: {alpha_beta_Gy: 2}}",
       "20:5: objectives.0: found both fractionation and alpha_beta_Gy, expected one of them"},
      {20, "  - {structure: CTV, type: ntcp, model: burman, fractionation: {alpha_beta_Gy: 2, d_t_Gy: 5}}",
       "20:64: objectives.0.fractionation: found d_t_Gy alone, expected both or none of d_t_Gy and gamma_over_alpha"},
      {20, "  - {structure: CTV, type: ntcp, model: tcp}",
       "20:41: objectives.0.model: found tcp, expected lkb, mayo, burman, dawson, el-naqa-i, el-naqa-ii, pursley-i or "
       "pursley-ii"},
      {20, "  - {structure: CTV, type: mean-linear, model: mayo}",
       "20:41: objectives.0.model: found with type mean-linear, which does not take it"},
      {23, "outcomes: [{name: a, structure: CTV, model: mayo, m: 2}]",
       "23:51: outcomes.0.m: found with model mayo, which does not take it"},
      {23, "outcomes: [{name: a, structure: CTV, model: lkb, m: 2, td50_Gy: 3, fractionation: {alpha_beta_Gy: 2}}]",
       "23:12: outcomes.0: found neither a nor n, expected one of a and n"},
      {23, "outcomes: [{name: a, structure: CTV, model: lkb, a: 1, m: 2, td50_Gy: 3}]",
       "23:12: outcomes.0: found no fractionation, expected it with model lkb"},
      {23, "outcomes: [{name: a, structure: CTV, model: mayo}, {name: a, structure: CTV, model: burman}]",
       "23:59: outcomes.1.name: found a again, expected every outcome to have a name of its own"},
      {23, "outcomes: [{name: more-than-twenty-eight-letters, structure: CTV, model: mayo}]",
       "23:19: outcomes.0.name: found 30 characters, expected at most 28"},
      {23, "outcomes: [{name: a, structure: CTV, model: maya}]",
       "23:45: outcomes.0.model: found maya, expected lkb, mayo, burman, dawson, el-naqa-i, el-naqa-ii, pursley-i, "
       "pursley-ii or tcp; did you mean mayo?"},
      {20, "  - {structure: CTV, type: max-geud, dose_Gy: 2, a: 0}",
       "20:53: objectives.0.a: found 0 with type max-geud, expected any number but 0"},
      {20, "  - {structure: CTV, type: maximum, dose_Gy: 0}",
       "20:46: objectives.0.dose_Gy: found 0 with type maximum, expected a number above 0"},
      {20, "  - {structure: CTV, type: uniform, dose_Gy: 2, quantity: physical}",
       "20:49: objectives.0.quantity: found with type uniform, expected the goal's key alone"},
      {20, "  - {structure: CTV, type: uniform, let_keV_um: 40, per: course}",
       "20:58: objectives.0.per: found course with let_keV_um, expected fraction: LET is the same in every one"},
      {17, "  optimize: {range_percent: [0]}",
       "22:1: robust: found voxelwise with the nominal scenario alone, expected "
       "scenarios.optimize to hold more"},
  };
  ASSERT_SLIPS(slips);
}

/* The machine and structure modules word their own mistakes: only the place is checked here. */
static void TestOtherModules(void **state)
{
  static const Slip slips[] = {
      {7, "machine: {energy_min_MeV_u: 300, energy_max_MeV_u: 100}", "study.yaml:7:10: machine"},
      {7, "machine: {ion: 99Xx}", "study.yaml:7:10: machine"},
      {14, "structures: {PTV: CTV foo}", "study.yaml:14:19: structures.PTV"},
  };
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(slips); i++) {
    Mistakes mistakes = {0};
    char *text = StudyText(STUDIES "good.yaml", slips[i].line, slips[i].replacement);
    assert_null(ParseText(text, 0, NULL, &mistakes));
    assert_int_equal(mistakes.n, 1);
    assert_memory_equal(mistakes.item[0].text, slips[i].mistake, strlen(slips[i].mistake));
    assert_int_equal(mistakes.item[0].exit, ROBION_STUDY);
    assert_int_equal(MistakesClear(&mistakes), 0);
    assert_int_equal(PetscFree(text), 0);
  }
}

static void TestTenAtOnce(void **state)
{
  static const char *const expected[] = {
      "study.yaml:2:7: name: found ten mistakes, expected " LABEL,
      "study.yaml:5:15: cases.1.phantom: found rtgo, expected water-box, rtog, donut, chordoma, head-neck or liver; "
      "did you "
      "mean rtog?",
      "study.yaml:6:27: cases.2.name: found one again, expected every case to have a name of its own",
      "study.yaml:7:29: prescription.dose_Gy_RBE: found 3 Gy, expected a number above 0 and up to 100 (Gy(RBE)): the "
      "unit is "
      "in the key's name, leave it out",
      "study.yaml:7:15: prescription.target: missing, expected the structure the dose is prescribed to",
      "study.yaml:8:22: beams.0.gantry_deg: found 360, expected a number from 0 to below 360 (deg); use 0",
      "study.yaml:9:15: dose_grid_mm: found -3, expected a number above 0 (mm)",
      "study.yaml:10:9: spots.lateral_cm: unknown key, did you mean lateral_mm?",
      "study.yaml:12:29: scenarios.optimize.range_percent: found 3.5, expected a list of numbers (percent)",
      "study.yaml:14:50: objectives.0.dose_Gy_RBE: found .nan, expected a number from 0 to 1000 (Gy(RBE))",
      "study.yaml:15:9: robust: found voxel-wise, expected none, expected, composite, voxelwise, objectivewise, cvar "
      "or probabilistic, or a mapping (key: "
      "value); "
      "did you mean voxelwise?"};
  Mistakes mistakes = {0};
  char *text = StudyText(STUDIES "ten_mistakes.yaml", 0, NULL);
  assert_null(ParseText(text, 0, NULL, &mistakes));
  AssertMistakes(&mistakes, PETSC_STATIC_ARRAY_LENGTH(expected), expected);
  assert_int_equal(MistakesClear(&mistakes), 0);
  assert_int_equal(PetscFree(text), 0);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(TestKeys),         cmocka_unit_test(TestConstraints), cmocka_unit_test(TestNumbers),
      cmocka_unit_test(TestShapes),       cmocka_unit_test(TestNames),       cmocka_unit_test(TestRules),
      cmocka_unit_test(TestOtherModules), cmocka_unit_test(TestTenAtOnce),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
