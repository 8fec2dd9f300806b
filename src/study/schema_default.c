#include "robion/biology.h"
#include "schema_private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEFAULTS = 128 };

struct Defaults {
  PetscInt n;
  struct {
    const SchemaKey *key;
    Node *value;
  } item[MOST_DEFAULTS];
};

static const Place nowhere;

static PetscErrorCode Add(Defaults *defaults, const SchemaKey *key, Node *value)
{
  PetscFunctionBegin;
  PetscCheck(defaults->n < MOST_DEFAULTS, PETSC_COMM_SELF, PETSC_ERR_PLIB, "more than %d defaults", (int)MOST_DEFAULTS);
  defaults->item[defaults->n].key = key;
  defaults->item[defaults->n++].value = value;
  PetscFunctionReturn(0);
}

static Node *DefaultsGet(const Defaults *defaults, const SchemaKey *key)
{
  for (PetscInt i = 0; i < defaults->n; i++)
    if (defaults->item[i].key == key) return defaults->item[i].value;
  return NULL;
}

/* The shortest text that reads back as the same number. */
static PetscErrorCode NumberNode(Pool pool, double value, Node **out)
{
  PetscFunctionBegin;
  char text[32];
  for (int digits = 6; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, value);
    if (strtod(text, NULL) == value) break;
  }
  PetscCall(NodeCreateScalar(pool, text, PETSC_FALSE, nowhere, out));
  PetscFunctionReturn(0);
}

typedef struct NumberDefault {
  const char *key;
  double value;
} NumberDefault;

static PetscErrorCode AddNumbers(Pool pool, Defaults *defaults, const SchemaKey *mapping, PetscInt n,
                                 const NumberDefault *number)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++) {
    Node *value;
    PetscCall(NumberNode(pool, number[i].value, &value));
    PetscCall(Add(defaults, SchemaChild(mapping, number[i].key), value));
  }
  PetscFunctionReturn(0);
}

/* Defaults that belong to the machine module. */
static PetscErrorCode AddMachine(Pool pool, Defaults *defaults)
{
  PetscFunctionBegin;
  MachineSpec m;
  Node *word;
  const SchemaKey *machine = SchemaChild(&schema_study, "machine");
  PetscCall(MachineSpecDefault(&m));
  const NumberDefault of_machine[] = {{"energy_min_MeV_u", m.energy_min_MeV_u},
                                      {"energy_max_MeV_u", m.energy_max_MeV_u},
                                      {"range_step_mm", m.range_step_mm},
                                      {"ripple_sigma_mm", m.ripple_sigma_mm},
                                      {"ripple_thickness_mm", m.ripple_thickness_mm},
                                      {"ripple_to_isocentre_mm", m.ripple_to_isocentre_mm},
                                      {"offset_mm", m.offset_mm},
                                      {"momentum_spread", m.momentum_spread},
                                      {"spot_fwhm_mm", m.spot_fwhm_mm},
                                      {"sad_mm", m.sad_mm}};
  PetscCall(AddNumbers(pool, defaults, machine, PETSC_STATIC_ARRAY_LENGTH(of_machine), of_machine));
  PetscCall(NodeCreateScalar(pool, m.ion, PETSC_FALSE, nowhere, &word));
  PetscCall(Add(defaults, SchemaChild(machine, "ion"), word));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddHLUT(Pool pool, Defaults *defaults)
{
  PetscFunctionBegin;
  HLUT hlut;
  Node *table, *row, *value;
  PetscCall(HLUTDefault(&hlut));
  PetscCall(NodeCreate(pool, NODE_SEQUENCE, nowhere, &table));
  for (PetscInt i = 0; i < hlut.n; i++) {
    PetscCall(NodeCreate(pool, NODE_SEQUENCE, nowhere, &row));
    PetscCall(NumberNode(pool, hlut.hu[i], &value));
    PetscCall(NodeAppend(pool, row, NULL, nowhere, value));
    PetscCall(NumberNode(pool, hlut.rsp[i], &value));
    PetscCall(NodeAppend(pool, row, NULL, nowhere, value));
    PetscCall(NodeAppend(pool, table, NULL, nowhere, row));
  }
  PetscCall(PetscFree(hlut.hu));
  PetscCall(PetscFree(hlut.rsp));
  PetscCall(Add(defaults, SchemaChild(&schema_study, "hlut"), table));
  PetscFunctionReturn(0);
}

/* Defaults the table itself gives, of a key and all below it. Keys shared by two mappings are met twice: no harm. */
static PetscErrorCode AddTable(Pool pool, Defaults *defaults, const SchemaKey *key)
{
  PetscFunctionBegin;
  if (key->fallback && !DefaultsGet(defaults, key)) {
    Node *value;
    Mistakes none = {0};
    PetscCall(YamlRead(pool, key->fallback, strlen(key->fallback), nowhere, ROBION_INTERNAL, &none, &value));
    PetscCheck(value && !MistakesAny(&none), PETSC_COMM_SELF, PETSC_ERR_PLIB, "default of %s is not YAML: %s",
               key->name, key->fallback);
    PetscCall(Add(defaults, key, value));
  }
  for (PetscInt i = 0; i < key->n_child; i++) PetscCall(AddTable(pool, defaults, &key->child[i]));
  if (key->element) PetscCall(AddTable(pool, defaults, key->element));
  PetscFunctionReturn(0);
}

PetscErrorCode DefaultsCreate(Pool pool, Defaults **out)
{
  PetscFunctionBegin;
  PetscCall(PetscNew(out));
  PetscCall(AddTable(pool, *out, &schema_study));
  PetscCall(AddMachine(pool, *out));
  PetscCall(AddHLUT(pool, *out));
  PetscFunctionReturn(0);
}

static PetscErrorCode Complete(Pool pool, const Defaults *defaults, const SchemaKey *key, Node *node, Node **out);

/* The value of a mapping's key that the study leaves out; NULL if it has no default. */
static PetscErrorCode MakeDefault(Pool pool, const Defaults *defaults, const SchemaKey *key, Place place, Node **out)
{
  PetscFunctionBegin;
  const Node *value = DefaultsGet(defaults, key);
  *out = NULL;
  if (value) {
    PetscCall(NodeCopy(pool, value, PETSC_FALSE, out));
    (*out)->place = place;
  } else if (key->n_child && !key->required) {
    Node *empty;
    PetscCall(NodeCreate(pool, NODE_MAPPING, place, &empty));
    PetscCall(Complete(pool, defaults, key, empty, out));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CompleteMapping(Pool pool, const Defaults *defaults, const SchemaKey *key, const Node *node,
                                      Node *out)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < key->n_child; i++) {
    const SchemaKey *child = &key->child[i];
    const NodeEntry *given = NodeFind(node, child->name);
    Node *value;
    if (given)
      PetscCall(Complete(pool, defaults, child, given->value, &value));
    else
      PetscCall(MakeDefault(pool, defaults, child, node->place, &value));
    if (value) PetscCall(NodeAppend(pool, out, child->name, given ? given->place : node->place, value));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Complete(Pool pool, const Defaults *defaults, const SchemaKey *key, Node *node, Node **out)
{
  PetscFunctionBegin;
  *out = node;
  if (key->shorthand && node->kind == NODE_SCALAR) {
    Node *mapping;
    PetscCall(NodeCreate(pool, NODE_MAPPING, node->place, &mapping));
    PetscCall(NodeAppend(pool, mapping, key->shorthand, node->place, node));
    PetscCall(Complete(pool, defaults, key, mapping, out));
  } else if (node->kind == NODE_MAPPING && key->n_child) {
    PetscCall(NodeCreate(pool, NODE_MAPPING, node->place, out));
    PetscCall(CompleteMapping(pool, defaults, key, node, *out));
  } else if (node->kind == NODE_SEQUENCE && key->element->n_child) {
    PetscCall(NodeCreate(pool, NODE_SEQUENCE, node->place, out));
    for (PetscInt i = 0; i < node->n; i++) {
      Node *value;
      PetscCall(Complete(pool, defaults, key->element, node->entry[i].value, &value));
      PetscCall(NodeAppend(pool, *out, NULL, node->entry[i].place, value));
    }
  }
  PetscFunctionReturn(0);
}

/* What a case leaves out: its name, and the sizes of a phantom (as PhantomSpec documents them). */
static PetscErrorCode CompleteCase(Pool pool, Node *node)
{
  PetscFunctionBegin;
  static const struct {
    const char *phantom, *key, *value;
  } fallback[] = {{"rtog", "ct_spacing_mm", "1"},
                  {"rtog", "heterogeneous", "false"},
                  {"donut", "ct_spacing_mm", "1"},
                  {"chordoma", "ct_spacing_mm", "3"},
                  {"chordoma", "seed", "1"},
                  {"water-box", "ct_spacing_mm", "2"},
                  {"water-box", "size_mm", "[200, 200, 200]"},
                  {"water-box", "target_mm", "[50, 50, 50]"}};
  const Node *phantom = NodeGet(node, "phantom");
  Node *value;
  if (!NodeGet(node, "name")) {
    PetscCall(NodeCreateScalar(pool, CaseName(node).text, PETSC_FALSE, node->place, &value));
    PetscCall(NodeAppend(pool, node, "name", node->place, value));
  }
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(fallback); i++) {
    Mistakes none = {0};
    const char *text = fallback[i].value;
    if (!phantom || strcmp(phantom->text, fallback[i].phantom) || NodeGet(node, fallback[i].key)) continue;
    PetscCall(YamlRead(pool, text, strlen(text), node->place, ROBION_INTERNAL, &none, &value));
    PetscCall(NodeAppend(pool, node, fallback[i].key, node->place, value));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CompleteWord(Pool pool, Node *node, const char *key, const char *word)
{
  PetscFunctionBegin;
  Node *value;
  if (NodeGet(node, key)) PetscFunctionReturn(0);
  PetscCall(NodeCreateScalar(pool, word, PETSC_FALSE, node->place, &value));
  PetscCall(NodeAppend(pool, node, key, node->place, value));
  PetscFunctionReturn(0);
}

/* Numbers a mapping leaves out. */
static PetscErrorCode CompleteNumbers(Pool pool, Node *node, size_t n, const NumberDefault *number)
{
  PetscFunctionBegin;
  for (size_t i = 0; i < n; i++) {
    Node *value;
    if (NodeGet(node, number[i].key)) continue;
    PetscCall(NumberNode(pool, number[i].value, &value));
    value->place = node->place;
    PetscCall(NodeAppend(pool, node, number[i].key, node->place, value));
  }
  PetscFunctionReturn(0);
}

/* What a mapping leaves out of the numbers that describe cells. */
static PetscErrorCode CompleteCells(Pool pool, const BiologySpec *b, Node *node)
{
  PetscFunctionBegin;
  const NumberDefault number[] = {{"alpha_x_per_Gy", b->alpha_x_per_Gy},
                                  {"beta_x_per_Gy2", b->beta_x_per_Gy2},
                                  {"d_t_Gy", b->d_t_Gy},
                                  {"r_nucleus_um", b->r_nucleus_um},
                                  {"alpha0_per_Gy", b->alpha0_per_Gy},
                                  {"beta0_per_Gy2", b->beta0_per_Gy2},
                                  {"r_domain_um", b->r_domain_um},
                                  {"z0_Gy", b->z0_Gy}};
  PetscCall(CompleteNumbers(pool, node, PETSC_STATIC_ARRAY_LENGTH(number), number));
  PetscFunctionReturn(0);
}

/* A tissue with a cell line has that one's numbers for the study's model, one without has the study's. */
static PetscErrorCode CompleteTissue(Pool pool, const Node *biology, Node *tissue)
{
  PetscFunctionBegin;
  BiologySpec b;
  const Node *cell_line = NodeGet(tissue, "cell_line");
  PetscCall(BiologySpecPreset(NodeGet(biology, "model")->text, cell_line ? cell_line->text : NULL, &b));
  if (!cell_line) {
    const struct {
      const char *key;
      double *value;
    } own[] = {{"alpha_x_per_Gy", &b.alpha_x_per_Gy},
               {"beta_x_per_Gy2", &b.beta_x_per_Gy2},
               {"d_t_Gy", &b.d_t_Gy},
               {"r_nucleus_um", &b.r_nucleus_um},
               {"alpha0_per_Gy", &b.alpha0_per_Gy},
               {"beta0_per_Gy2", &b.beta0_per_Gy2},
               {"r_domain_um", &b.r_domain_um},
               {"z0_Gy", &b.z0_Gy}};
    for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(own); i++)
      (void)NodeNumber(NodeGet(biology, own[i].key), own[i].value);
    PetscCall(CompleteWord(pool, tissue, "cell_line", NodeGet(biology, "cell_line")->text));
  }
  PetscCall(CompleteCells(pool, &b, tissue));
  PetscFunctionReturn(0);
}

/* What the biology leaves out: the numbers of its model for its cell line. */
static PetscErrorCode CompleteBiology(Pool pool, Node *root)
{
  PetscFunctionBegin;
  BiologySpec b;
  Node *node = NodeGet(root, "biology");
  if (!node) {
    PetscCall(NodeCreate(pool, NODE_MAPPING, root->place, &node));
    PetscCall(NodeAppend(pool, root, "biology", root->place, node));
  }
  PetscCall(BiologySpecDefault(&b));
  PetscCall(CompleteWord(pool, node, "model", b.model));
  const Node *cell_line = NodeGet(node, "cell_line");
  PetscCall(BiologySpecPreset(NodeGet(node, "model")->text, cell_line ? cell_line->text : NULL, &b));
  PetscCall(CompleteWord(pool, node, "cell_line", b.cell_line));
  PetscCall(CompleteWord(pool, node, "averaging", beta_averaging_names[b.averaging]));
  PetscCall(CompleteWord(pool, node, "approach", lem_approach_names[b.approach]));
  PetscCall(CompleteCells(pool, &b, node));
  const NumberDefault number[] = {{"rbe", b.rbe},
                                  {"alpha_per_Gy", b.alpha_per_Gy},
                                  {"beta_per_Gy2", b.beta_per_Gy2},
                                  {"clinical_factor", b.clinical_factor}};
  PetscCall(CompleteNumbers(pool, node, PETSC_STATIC_ARRAY_LENGTH(number), number));
  Node *tissues = NodeGet(node, "tissues");
  for (PetscInt t = 0; tissues && t < tissues->n; t++) PetscCall(CompleteTissue(pool, node, tissues->entry[t].value));
  PetscFunctionReturn(0);
}

PetscErrorCode StudyComplete(Pool pool, const Defaults *defaults, const Node *root, Node **out)
{
  PetscFunctionBegin;
  Node *copy;
  PetscCall(NodeCopy(pool, root, PETSC_FALSE, &copy));
  Node *cases = NodeGet(copy, "cases");
  for (PetscInt i = 0; i < cases->n; i++) PetscCall(CompleteCase(pool, cases->entry[i].value));
  PetscCall(CompleteBiology(pool, copy));
  Node *objectives = NodeGet(copy, "objectives");
  for (PetscInt i = 0; i < objectives->n; i++) PetscCall(ObjectiveComplete(pool, objectives->entry[i].value));
  PetscCall(Complete(pool, defaults, &schema_study, copy, out));
  PetscFunctionReturn(0);
}
