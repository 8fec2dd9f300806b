/*
 * What one key's type and range cannot say: rules that tie the keys of a mapping or the entries of a list together. A rule
 * keeps silent about what the schema has already found wrong.
 */
#include "robion/phantom.h"
#include "robion/structure.h"
#include "schema_private.h"
#include <stdio.h>
#include <string.h>

PetscErrorCode RuleFormatVersion(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  double version;
  if (NodeNumber(node, &version) && version == (double)(long)version && version != 1)
    PetscCall(CheckAdd(check, node->place, path, "found %s, expected 1 (the format version this robion reads)",
                       NodeShown(node).text));
  PetscFunctionReturn(0);
}

Line CaseName(const Node *node)
{
  Line out = {""};
  const Node *name = NodeGet(node, "name"), *phantom = NodeGet(node, "phantom"), *file = NodeGet(node, "file");
  if (name) {
    if (name->kind == NODE_SCALAR) snprintf(out.text, sizeof out.text, "%.200s", name->text);
    return out;
  }
  const Node *seed = NodeGet(node, "seed");
  if (phantom && phantom->kind == NODE_SCALAR)
    snprintf(out.text, sizeof out.text, "%.80s%s%.20s", phantom->text, seed && seed->kind == NODE_SCALAR ? "-" : "",
             seed && seed->kind == NODE_SCALAR ? seed->text : "");
  else if (file && file->kind == NODE_SCALAR) {
    const char *slash = strrchr(file->text, '/'), *base = slash ? slash + 1 : file->text;
    size_t n = strlen(base);
    if (n > 3 && !strcmp(base + n - 3, ".h5")) n -= 3;
    snprintf(out.text, sizeof out.text, "%.*s", (int)PetscMin(n, 100), base);
  }
  LabelMakeSafe(out.text);
  return out;
}

PetscErrorCode CaseComplete(Pool pool, Node *node)
{
  PetscFunctionBegin;
  Node *value;
  if (NodeGet(node, "name")) PetscFunctionReturn(0);
  PetscCall(NodeCreateScalar(pool, CaseName(node).text, PETSC_FALSE, node->place, &value));
  PetscCall(NodeAppend(pool, node, "name", node->place, value));
  PetscFunctionReturn(0);
}

/* Whether a phantom has a key; of one that nobody knows: whether all have it. */
static PetscBool HasKey(const SchemaKey *phantom, const char *key)
{
  for (PetscInt i = 0; i < n_phantom_names; i++)
    if ((!phantom || phantom == phantom_keys[i]) && !SchemaChild(phantom_keys[i], key)) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* Keys of phantoms beside `file`, or of one phantom beside another. */
static PetscErrorCode CheckPhantomKeys(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  const Node *phantom = NodeGet(node, "phantom");
  const SchemaKey *own = SchemaVariant(key, node);
  for (PetscInt i = 0; i < node->n; i++) {
    const NodeEntry *entry = &node->entry[i];
    const Line with = PhantomsWithKey(entry->key);
    if (!*with.text) continue;
    const Line inner = PathJoin(path, entry->key);
    if (!phantom && NodeGet(node, "file"))
      PetscCall(CheckAdd(check, entry->place, inner.text, "found beside a case file, expected only with a phantom"));
    else if (phantom && phantom->kind == NODE_SCALAR && !HasKey(own, entry->key))
      PetscCall(CheckAdd(check, entry->place, inner.text, "found with phantom %s, expected only with phantom %s",
                         NodeShown(phantom).text, with.text));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode RuleCase(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  const Node *phantom = NodeGet(node, "phantom"), *file = NodeGet(node, "file");
  if (phantom && file)
    PetscCall(CheckAdd(check, node->place, path, "found both phantom and file, expected one of them"));
  else if (!phantom && !file && !SchemaHasUnknown(key, node))
    PetscCall(CheckAdd(check, node->place, path, "found neither phantom nor file, expected one of them"));
  PetscCall(CheckPhantomKeys(check, key, node, path));
  PetscFunctionReturn(0);
}

PetscErrorCode RuleCases(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  Line *name;
  PetscCall(PetscMalloc1(node->n, &name));
  for (PetscInt i = 0; i < node->n; i++) {
    const Node *one = node->entry[i].value, *given = NodeGet(one, "name");
    PetscInt k = 0;
    name[i] = CaseName(one);
    while (k < i && strcmp(name[k].text, name[i].text)) k++;
    if (k < i && *name[i].text)
      PetscCall(CheckAdd(check, given ? given->place : one->place, PathJoin(PathJoinIndex(path, i).text, "name").text,
                         "found %s again, expected every case to have a name of its own",
                         LineShown(name[i].text).text));
  }
  PetscCall(PetscFree(name));
  PetscFunctionReturn(0);
}

PetscErrorCode RuleHLUT(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  double hu, rsp, before = -PETSC_INFINITY;
  for (PetscInt i = 0; i < node->n; i++) {
    const Node *row = node->entry[i].value;
    if (row->kind != NODE_SEQUENCE || row->n != 2) continue;
    Line inner = PathJoinIndex(path, i);
    if (NodeNumber(row->entry[0].value, &hu)) {
      if (hu <= before)
        PetscCall(CheckAdd(check, row->entry[0].place, inner.text, "found %.10g HU after %.10g, expected ascending HU",
                           hu, before));
      before = hu;
    }
    if (NodeNumber(row->entry[1].value, &rsp) && rsp < 0)
      PetscCall(CheckAdd(check, row->entry[1].place, inner.text,
                         "found a relative stopping power of %.10g, expected 0 or more", rsp));
  }
  PetscFunctionReturn(0);
}

/* Whether a mapping's own values fit their keys, looked at without telling. */
static PetscErrorCode FitsSchema(const SchemaKey *key, const Node *node, PetscBool *fits)
{
  PetscFunctionBegin;
  Mistakes found = {0};
  Check quiet = {.mistakes = &found, .root = &schema_study};
  for (PetscInt i = 0; i < node->n; i++) {
    const SchemaKey *child = SchemaChild(key, node->entry[i].key);
    if (child) PetscCall(SchemaCheck(&quiet, child, node->entry[i].value, ""));
  }
  *fits = MistakesAny(&found) ? PETSC_FALSE : PETSC_TRUE;
  PetscCall(MistakesClear(&found));
  PetscFunctionReturn(0);
}

/* Keys that say the same thing in two ways, and energies out of order. */
static PetscErrorCode CheckMachineKeys(Check *check, const Node *node, const char *path)
{
  PetscFunctionBegin;
  double sigma = 0, energy, before = 0;
  const NodeEntry *fwhm = NodeFind(node, "momentum_spread_fwhm"), *list = NodeFind(node, "energies_MeV_u");
  const Node *spread = NodeGet(node, "momentum_spread");
  if (fwhm && spread && NodeNumber(spread, &sigma) && sigma != 0)
    PetscCall(CheckAdd(check, fwhm->place, PathJoin(path, "momentum_spread_fwhm").text,
                       "found beside momentum_spread, expected one of them"));
  for (PetscInt i = 0; list && i < list->value->n; i++) {
    const Node *one = list->value->entry[i].value;
    (void)NodeNumber(one, &energy);
    if (energy <= before)
      PetscCall(CheckAdd(check, one->place, PathJoin(path, "energies_MeV_u").text,
                         "found %.10g after %.10g, expected ascending energies", energy, before));
    before = energy;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode RuleMachine(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  const Node *base_data = NodeGet(node, "base_data");
  PetscBool fits = PETSC_FALSE;
  PetscCall(FitsSchema(key, node, &fits));
  if (fits) PetscCall(CheckMachineKeys(check, node, path));
  /* base data of a file bring their own energies and may hold any ion */
  if (!fits || (base_data && strcmp(base_data->text, "builtin"))) PetscFunctionReturn(0);
  Settings settings = {0};
  Mistakes found = {0};
  PetscCall(MachinePreset(NULL, node, &settings));
  PetscCall(SchemaReadPreset(NULL, key, node, &settings));
  PetscCall(MachineSpecCheck(&settings.machine, path, &found));
  for (PetscInt i = 0; i < found.n; i++) PetscCall(CheckAdd(check, node->place, "", "%s", found.item[i].text));
  PetscCall(MistakesClear(&found));
  PetscCall(SchemaFree(key, &settings));
  PetscFunctionReturn(0);
}

/* The cells of a biology or of one of its tissues, if its model knows nothing of them. */
static PetscErrorCode CheckCells(Check *check, const Node *biology, const Node *node, const char *path)
{
  PetscFunctionBegin;
  const Node *model = NodeGet(biology, "model"), *cell_line = NodeGet(node, "cell_line"),
             *table = NodeGet(biology, "table");
  const Node *r_domain = NodeGet(node, "r_domain_um"), *beta0 = NodeGet(node, "beta0_per_Gy2");
  BiologySpec spec;
  PetscCall(BiologySpecPreset(model->text, cell_line ? cell_line->text : NULL, &spec));
  if (r_domain) (void)NodeNumber(r_domain, &spec.r_domain_um);
  if (r_domain && spec.r_domain_um > 0 && spec.r_domain_um < 0.01)
    PetscCall(CheckAdd(check, r_domain->place, PathJoin(path, "r_domain_um").text,
                       "found %g, expected 0 (not known) or at least 0.01 (um)", spec.r_domain_um));
  if (beta0) (void)NodeNumber(beta0, &spec.beta0_per_Gy2);
  if (table && strcmp(table->text, "builtin")) spec.table = table->text;
  if (!BiologySpecKnowsCells(&spec))
    PetscCall(CheckAdd(check, (cell_line ? cell_line : model)->place, PathJoin(path, "cell_line").text,
                       "found %s with model %s, expected hsg, or r_domain_um and beta0_per_Gy2 above 0", spec.cell_line,
                       spec.model));
  PetscFunctionReturn(0);
}

/* A model and a cell line it knows nothing of. */
PetscErrorCode RuleBiology(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  const Node *model = NodeGet(node, "model"), *tissues = NodeGet(node, "tissues");
  PetscBool fits = PETSC_FALSE;
  PetscCall(FitsSchema(key, node, &fits));
  if (!fits || !model) PetscFunctionReturn(0);
  PetscCall(CheckCells(check, node, node, path));
  for (PetscInt t = 0; tissues && t < tissues->n; t++)
    if (NodeGet(tissues->entry[t].value, "cell_line"))
      PetscCall(
          CheckCells(check, node, tissues->entry[t].value, PathJoinIndex(PathJoin(path, "tissues").text, t).text));
  PetscFunctionReturn(0);
}

PetscErrorCode RuleTissues(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  PetscInt n = 0;
  for (PetscInt t = 0; t < node->n; t++) {
    const Node *structures = NodeGet(node->entry[t].value, "structures");
    n += structures && structures->kind == NODE_SEQUENCE ? structures->n : 0;
  }
  const Node **named;
  PetscCall(PetscMalloc1(n, &named));
  n = 0;
  for (PetscInt t = 0; t < node->n; t++) {
    const Node *structures = NodeGet(node->entry[t].value, "structures");
    for (PetscInt i = 0; structures && structures->kind == NODE_SEQUENCE && i < structures->n; i++) {
      const Node *one = structures->entry[i].value;
      if (one->kind != NODE_SCALAR) continue;
      PetscInt k = 0;
      while (k < n && strcmp(named[k]->text, one->text)) k++;
      if (k < n)
        PetscCall(CheckAdd(check, one->place, PathJoin(PathJoinIndex(path, t).text, "structures").text,
                           "found %s again, expected every structure to be of one tissue", NodeShown(one).text));
      named[n++] = one;
    }
  }
  PetscCall(PetscFree(named));
  PetscFunctionReturn(0);
}

PetscErrorCode RuleSpotControl(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  static const char *const sparing[] = {"oar_range", "oar_setup"};
  (void)key;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(sparing); i++) {
    const Node *weight = NodeGet(node, sparing[i]);
    double value;
    if (!weight || !NodeNumber(weight, &value) || value <= 0 || NodeGet(node, "structures")) continue;
    PetscCall(CheckAdd(check, weight->place, PathJoin(path, sparing[i]).text,
                       "found %s without structures, expected spot_control.structures to spare",
                       NodeShown(weight).text));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode RuleExpression(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  Mistakes found = {0};
  if (NodeIsNull(node) || !*node->text) PetscFunctionReturn(0);
  PetscCall(StructureCheckExpression(node->text, path, &found));
  for (PetscInt i = 0; i < found.n; i++) PetscCall(CheckAdd(check, node->place, "", "%s", found.item[i].text));
  PetscCall(MistakesClear(&found));
  PetscFunctionReturn(0);
}

PetscErrorCode RuleStructureNames(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < node->n; i++) {
    const char *name = node->entry[i].key;
    PetscBool bad = !*name || strlen(name) > 100 || strpbrk(name, "/'\"") ? PETSC_TRUE : PETSC_FALSE;
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
      if (*c < 0x20 || *c == 0x7F) bad = PETSC_TRUE;
    if (bad)
      PetscCall(CheckAdd(check, node->entry[i].place, path,
                         "found \"%s\", expected a structure name of up to 100 characters without / or quotes",
                         LineShown(name).text));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode RuleArmNames(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < node->n; i++)
    if (!LabelIsSafe(node->entry[i].key))
      PetscCall(CheckAdd(check, node->entry[i].place, path,
                         "found \"%s\", expected a name that can be a folder (up to 100 letters, digits, . _ - + = ,)",
                         LineShown(node->entry[i].key).text));
  PetscFunctionReturn(0);
}
