/* The table of outcome models, the functions of their kinds, and the keys under which a study gives their numbers. */
#include "robion/outcome_keys.h"
#include "robion/text.h"
#include <math.h>
#include <string.h>

static double OfCourse_Gy(const OutcomeParameters *p, double dose, double *slope)
{
  return EQD2_Gy(&p->fractionation, p->fractions, dose, slope);
}

static double VoxelPower(const OutcomeParameters *p, const OutcomePoint *at, double dose, double *slope)
{
  double of_dose,
      power = GEUDPower(&p->lkb, OfCourse_Gy(p, dose, &of_dose), OfCourse_Gy(p, at->highest_Gy_RBE, NULL), slope);
  *slope *= of_dose;
  return power;
}

static double MeanGEUD(const OutcomeParameters *p, const OutcomePoint *at, double mean, double *slope)
{
  return GEUDOfMean_Gy(&p->lkb, mean, OfCourse_Gy(p, at->highest_Gy_RBE, NULL), slope);
}

static double MeanNTCP(const OutcomeParameters *p, const OutcomePoint *at, double mean, double *slope)
{
  double of_mean, ntcp = NTCP(&p->lkb, MeanGEUD(p, at, mean, &of_mean), slope);
  *slope *= of_mean;
  return ntcp;
}

/* The dose of the course is that of its mean fraction in every fraction. */
static double VoxelSurvival(const OutcomeParameters *p, const OutcomePoint *at, double dose, double *slope)
{
  const double survival = TCPSurvival(&p->tcp, at->clonogens, p->tcp.fractions * dose, slope);
  *slope *= p->tcp.fractions;
  return survival;
}

static double MeanTCP(const OutcomeParameters *p, const OutcomePoint *at, double mean, double *slope)
{
  *slope = -TCPOfSurvival(mean);
  return TCPOfSurvival(mean);
}

#define VALUES(table) .value = table, .n_value = PETSC_STATIC_ARRAY_LENGTH(table)
static const OutcomeValue complication[] = {{"NTCP", "%", 100, MeanNTCP, CELLS_NOMINAL},
                                            {"gEUD", "Gy(RBE)", 1, MeanGEUD, CELLS_NOMINAL}};
static const OutcomeValue control[] = {{"TCP", "%", 100, MeanTCP, CELLS_NOMINAL},
                                       {"TCP_best", "%", 100, MeanTCP, CELLS_BEST},
                                       {"TCP_worst", "%", 100, MeanTCP, CELLS_WORST}};
const OutcomeKind outcome_complication = {.voxel = VoxelPower, VALUES(complication)},
                  outcome_control = {.voxel = VoxelSurvival, .wants_clonogens = PETSC_TRUE, VALUES(control)};

const SchemaKey fractionation_keys[3] = {
    {"alpha_beta_Gy", TYPE_NUMBER, REQUIRED, AT(FractionationSpec, alpha_beta_Gy), .unit = "Gy", ABOVE(0, 1000),
     .doc = "alpha/beta of the EQD2"},
    {"d_t_Gy", TYPE_NUMBER, AT(FractionationSpec, d_t_Gy), .unit = "Gy", ABOVE(0, 1000),
     .doc = "dose per fraction from which the curve goes on straight"},
    {"gamma_over_alpha", TYPE_NUMBER, AT(FractionationSpec, gamma_over_alpha), ABOVE(0, 1000),
     .doc = "its slope there, relative to alpha"},
};

PetscErrorCode RuleFractionation(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  const PetscBool from = NodeGet(node, "d_t_Gy") ? PETSC_TRUE : PETSC_FALSE,
                  slope = NodeGet(node, "gamma_over_alpha") ? PETSC_TRUE : PETSC_FALSE;
  if (from != slope && !SchemaHasUnknown(key, node))
    PetscCall(CheckAdd(check, node->place, path, "found %s, expected both or none of d_t_Gy and gamma_over_alpha",
                       from ? "d_t_Gy alone" : "gamma_over_alpha alone"));
  PetscFunctionReturn(0);
}

/* Sets by name are those of Sokol et al. (11C against 12C), Table II: a = 1/n, m, TD50 in Gy. */
#define MODELS(ROW)                                                                                                    \
  ROW(LKB, "lkb", complication, numbers, "any", "as of the numbers", 0, 0, 0, NULL)                                    \
  ROW(MAYO, "mayo", complication, named, "optic nerve", "optic neuropathy", 1 / 0.25, 0.14, 72, &fractionation_optic)  \
  ROW(BURMAN, "burman", complication, named, "liver", "liver failure", 1 / 0.32, 0.15, 40, &fractionation_liver)       \
  ROW(DAWSON, "dawson", complication, named, "liver", "radiation-induced liver disease, grade 3 and above", 1 / 0.97,  \
      0.12, 39.8, &fractionation_liver)                                                                                \
  ROW(EL_NAQA_I, "el-naqa-i", complication, named, "liver", "change of ALBI or Child-Pugh score", 1, 1.47, 24.3,       \
      &fractionation_liver)                                                                                            \
  ROW(EL_NAQA_II, "el-naqa-ii", complication, named, "liver", "liver enzymes above 3 times normal", 1, 0.55, 52.6,     \
      &fractionation_liver)                                                                                            \
  ROW(PURSLEY_I, "pursley-i", complication, named, "liver", "Child-Pugh score up by 2 and more", 0.06, 0.8, 19,        \
      &fractionation_liver)                                                                                            \
  ROW(PURSLEY_II, "pursley-ii", complication, named, "liver", "ALBI grade up by 1 and more", 0.5, 1.5, 32,             \
      &fractionation_liver)                                                                                            \
  ROW(TCP, "tcp", control, tcp, "tumour", "local control", 0, 0, 0, NULL)

static PetscErrorCode FindN(const SchemaReader *reader, const Node *node, void *base);
static PetscErrorCode OutcomeFinish(const SchemaReader *reader, const Node *node, void *base);
static PetscErrorCode RuleOutcome(Check *check, const SchemaKey *key, const Node *node, const char *path);
static PetscErrorCode OutcomeComplete(Pool pool, Node *node);

#define FRACTIONATION                                                                                                  \
  {                                                                                                                    \
    "fractionation", TYPE_MAPPING, INTO(OutcomeParameters, fractionation), CHILDREN(fractionation_keys),               \
        .conditional = PETSC_TRUE, .rule = RuleFractionation, .doc = "how doses become EQD2"                           \
  }
static const SchemaKey named_keys[] = {FRACTIONATION};
static const SchemaKey numbers_keys[] = {
    {"a", TYPE_NUMBER, AT(OutcomeParameters, lkb.a), ABOVE(0, 1000), .doc = "exponent of the gEUD, 1/n"},
    {"n", TYPE_NUMBER, .finish = FindN, ABOVE(0, 1000), .doc = "volume parameter, in place of a"},
    {"m", TYPE_NUMBER, REQUIRED, AT(OutcomeParameters, lkb.m), ABOVE(0, 100), .doc = "slope parameter"},
    {"td50_Gy", TYPE_NUMBER, REQUIRED, AT(OutcomeParameters, lkb.td50_Gy), .unit = "Gy", ABOVE(0, 1000),
     .doc = "gEUD of 50 % complications"},
    FRACTIONATION,
};
static const SchemaKey tcp_keys[] = {TCP_MODEL(OutcomeParameters, tcp., clonogens_share, TCP_DEFAULT)};

#define ID_OF(id, ...) MODEL_##id,
enum { MODELS(ID_OF) N_MODELS };
#define MODEL_OF(id, name_, kind_, keys_, organ_, endpoint_, a_, m_, td50_, fractionation_)                            \
  {name_, &outcome_##kind_, organ_, endpoint_, {a_, m_, td50_}, fractionation_},
const OutcomeModel outcome_models[] = {MODELS(MODEL_OF)};
#define NAME_OF(id, name_, ...) name_,
const char *const outcome_model_names[] = {MODELS(NAME_OF)};
const PetscInt n_outcome_model_names = N_MODELS;
#define KEYS_OF(id, name_, kind_, keys_, organ_, endpoint_, ...)                                                       \
  {name_, TYPE_MAPPING, CHILDREN(keys_##_keys), .size = sizeof(OutcomeParameters), .doc = endpoint_},
static const SchemaKey model_keys[] = {MODELS(KEYS_OF)};
#define POINTER_OF(id, ...) &model_keys[MODEL_##id],
static const SchemaKey *const outcome_model_keys[] = {MODELS(POINTER_OF)};

static const SchemaKey outcome_keys[] = {
    {"name", TYPE_LABEL, REQUIRED, AT(OutcomeSpec, name), .doc = "name behind those of its rows"},
    {"structure", TYPE_TEXT, REQUIRED, AT(OutcomeSpec, structure), WHERE(OutcomeSpec, where),
     .doc = "the structure it is about"},
    {"model", TYPE_WORD, REQUIRED, AT(OutcomeSpec, model), WORDS(outcome_model_names), .doc = "model of the outcome"},
    OPTIONAL_KEY(OutcomeSpec, optional),
};
const SchemaKey schema_outcome = {"outcome",
                                  TYPE_MAPPING,
                                  CHILDREN(outcome_keys),
                                  .variant = outcome_model_keys,
                                  .n_variant = &n_outcome_model_names,
                                  .chosen_by = "model",
                                  .variant_at = offsetof(OutcomeSpec, parameters),
                                  .rule = RuleOutcome,
                                  .complete = OutcomeComplete,
                                  .finish = OutcomeFinish,
                                  .doc = "one outcome"};

const OutcomeModel *OutcomeModelFind(const char *name)
{
  for (PetscInt i = 0; i < N_MODELS; i++)
    if (!strcmp(name, outcome_models[i].name)) return &outcome_models[i];
  return NULL;
}

const char *ComplicationModel(PetscInt i)
{
  for (PetscInt k = 0; k < N_MODELS; k++)
    if (outcome_models[k].kind == &outcome_complication && i-- == 0) return outcome_models[k].name;
  return NULL;
}

static PetscErrorCode FindN(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  double n;
  PetscCheck(NodeNumber(node, &n), PETSC_COMM_SELF, PETSC_ERR_PLIB, "checked tree without the number n");
  ((OutcomeParameters *)base)->lkb.a = 1 / n;
  PetscFunctionReturn(0);
}

/* Numbers of a model that has its own. */
static PetscErrorCode OutcomeFinish(const SchemaReader *reader, const Node *node, void *base)
{
  PetscFunctionBegin;
  OutcomeSpec *outcome = base;
  const OutcomeModel *model = OutcomeModelFind(outcome->model);
  if (model->lkb.m > 0) outcome->parameters->lkb = model->lkb;
  PetscFunctionReturn(0);
}

static const OutcomeModel *ModelOf(const Node *node)
{
  const Node *name = NodeGet(node, "model");
  return name && name->kind == NODE_SCALAR ? OutcomeModelFind(name->text) : NULL;
}

static PetscErrorCode RuleOutcome(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  const OutcomeModel *model = ModelOf(node);
  const SchemaKey *own = SchemaVariant(key, node);
  const NodeEntry *name = NodeFind(node, "name"), *a = NodeFind(node, "a"), *n = NodeFind(node, "n");
  if (name && name->value->kind == NODE_SCALAR && strlen(name->value->text) > OUTCOME_NAME_MOST)
    PetscCall(CheckAdd(check, name->value->place, PathJoin(path, "name").text,
                       "found %d characters, expected at most %d", (int)strlen(name->value->text),
                       (int)OUTCOME_NAME_MOST));
  if (!model || SchemaHasUnknown(key, node)) PetscFunctionReturn(0);
  for (PetscInt i = 0; i < node->n; i++) {
    const NodeEntry *entry = &node->entry[i];
    PetscInt k = 0;
    while (k < own->n_child && strcmp(own->child[k].name, entry->key)) k++;
    if (k == own->n_child && SchemaChild(&(const SchemaKey){CHILDREN(outcome_keys)}, entry->key) == NULL)
      PetscCall(CheckAdd(check, entry->place, PathJoin(path, entry->key).text,
                         "found with model %s, which does not take it", model->name));
  }
  if (model == &outcome_models[MODEL_LKB] && !a == !n)
    PetscCall(CheckAdd(check, node->place, path, "found %s, expected one of a and n",
                       a ? "both a and n" : "neither a nor n"));
  if (model == &outcome_models[MODEL_LKB] && !NodeGet(node, "fractionation"))
    PetscCall(CheckAdd(check, node->place, path, "found no fractionation, expected it with model lkb"));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddNumber(Pool pool, const char *key, double value, Node *node)
{
  PetscFunctionBegin;
  char text[32];
  Node *number;
  PetscCall(PetscSNPrintf(text, sizeof text, "%g", value));
  PetscCall(NodeCreateScalar(pool, text, PETSC_FALSE, node->place, &number));
  PetscCall(NodeAppend(pool, node, key, node->place, number));
  PetscFunctionReturn(0);
}

PetscErrorCode FractionationComplete(Pool pool, const OutcomeModel *model, Node *node)
{
  PetscFunctionBegin;
  const FractionationSpec *usual = model->fractionation;
  Node *fractionation;
  if (!usual || NodeGet(node, "fractionation")) PetscFunctionReturn(0);
  PetscCall(NodeCreate(pool, NODE_MAPPING, node->place, &fractionation));
  PetscCall(AddNumber(pool, "alpha_beta_Gy", usual->alpha_beta_Gy, fractionation));
  if (usual->d_t_Gy > 0) {
    PetscCall(AddNumber(pool, "d_t_Gy", usual->d_t_Gy, fractionation));
    PetscCall(AddNumber(pool, "gamma_over_alpha", usual->gamma_over_alpha, fractionation));
  }
  PetscCall(NodeAppend(pool, node, "fractionation", node->place, fractionation));
  PetscFunctionReturn(0);
}

static PetscErrorCode OutcomeComplete(Pool pool, Node *node)
{
  PetscFunctionBegin;
  PetscCall(FractionationComplete(pool, ModelOf(node), node));
  PetscFunctionReturn(0);
}
