/*
 * Cases with settings of their own, arms and sweeps: which plans a study asks for, and whether each of them makes sense. What a plan
 * is made by is the study, with what its case sets put over it, then its arm, then its point of the sweep.
 */
#include "robion/provenance.h"
#include "schema_private.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* More plans than this in one study are a slip of a sweep. */
enum { MOST_PLANS = SWEEP_MOST_POINTS };

/* The arms and the sweep of a tree; whatever is malformed is left out. */
typedef struct Design {
  Pool pool;
  PetscInt n_arms; /* 0: none asked for */
  const NodeEntry **arm;
  PetscInt n_keys, n_points; /* n_points is 1 without a sweep */
  const NodeEntry **key;     /* of the sweep, as written */
  Node **axis;               /* [n_keys] its points: label -> what it sets */
  PetscInt n_cases;
  Node **of_case; /* [n_cases] settings of cases that have any of their own */
  double n_plans; /* may be larger than any integer */
} Design;

/* What a case sets, or NULL. */
static Node *CaseSettings(const Node *one)
{
  Node *set = one->kind == NODE_MAPPING ? NodeGet(one, "set") : NULL;
  return set && set->kind == NODE_MAPPING && set->n ? set : NULL;
}

/* `check` takes the mistakes of the sweep. */
static PetscErrorCode DesignCreate(Check *check, const Node *root, Design *design)
{
  PetscFunctionBegin;
  const Node *arms = NodeGet(root, "arms"), *sweep = NodeGet(root, "sweep"), *cases = NodeGet(root, "cases");
  PetscInt n_arms = arms && arms->kind == NODE_MAPPING ? arms->n : 0,
           n_keys = sweep && sweep->kind == NODE_MAPPING ? sweep->n : 0,
           n_cases = cases && cases->kind == NODE_SEQUENCE ? cases->n : 0;
  *design = (Design){.n_points = 1};
  PetscCall(PoolCreate(&design->pool));
  PetscCall(PetscMalloc1(n_arms, &design->arm));
  PetscCall(PetscMalloc2(n_keys, &design->key, n_keys, &design->axis));
  PetscCall(PetscMalloc1(n_cases, &design->of_case));
  for (PetscInt i = 0; i < n_cases; i++)
    if (CaseSettings(cases->entry[i].value)) design->of_case[design->n_cases++] = CaseSettings(cases->entry[i].value);
  for (PetscInt i = 0; i < n_arms; i++)
    if (arms->entry[i].value->kind == NODE_MAPPING) design->arm[design->n_arms++] = &arms->entry[i];
  double points = 1;
  for (PetscInt i = 0; i < n_keys; i++) {
    Node *axis;
    PetscCall(SweepExpand(check, design->pool, &sweep->entry[i], &axis));
    if (!axis->n) continue;
    design->key[design->n_keys] = &sweep->entry[i];
    design->axis[design->n_keys++] = axis;
    points *= (double)axis->n;
  }
  design->n_plans = points * PetscMax(design->n_arms, 1) * (cases && cases->kind == NODE_SEQUENCE ? cases->n : 1);
  if (design->n_plans <= MOST_PLANS) design->n_points = (PetscInt)points;
  PetscFunctionReturn(0);
}

static PetscErrorCode DesignDestroy(Design *design)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(design->arm));
  PetscCall(PetscFree(design->of_case));
  PetscCall(PetscFree2(design->key, design->axis));
  PetscCall(PetscSegBufferDestroy(&design->pool));
  PetscFunctionReturn(0);
}

/* The label and values a sweep key has at a point; the last key varies fastest. */
static const NodeEntry *PointValue(const Design *design, PetscInt point, PetscInt key)
{
  for (PetscInt k = design->n_keys - 1; k > key; k--) point /= design->axis[k]->n;
  return &design->axis[key]->entry[point % design->axis[key]->n];
}

/* "biology.alpha_x_per_Gy=0.1,spots.layer_mm=2"; caller frees. */
static PetscErrorCode PointLabel(const Design *design, PetscInt point, char **label)
{
  PetscFunctionBegin;
  PetscSegBuffer text;
  char *to;
  PetscCall(PetscSegBufferCreate(1, 256, &text));
  for (PetscInt k = 0; k < design->n_keys; k++) {
    const char *part[] = {k ? "," : "", PointValue(design, point, k)->key};
    for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(part); i++) {
      PetscCall(PetscSegBufferGet(text, strlen(part[i]), &to));
      memcpy(to, part[i], strlen(part[i]));
    }
  }
  PetscCall(PetscSegBufferGet(text, 1, &to));
  *to = 0;
  PetscCall(PetscSegBufferExtractAlloc(text, label));
  PetscCall(PetscSegBufferDestroy(&text));
  PetscFunctionReturn(0);
}

/* Where a point stands on each axis. An axis that has another name than the one key it sets is no axis of numbers. */
static PetscErrorCode PointPlaces(const Design *design, PetscInt point, PlanSpec *plan)
{
  PetscFunctionBegin;
  plan->n_place = design->n_keys;
  PetscCall(PetscCalloc1(design->n_keys, &plan->place));
  for (PetscInt k = 0; k < design->n_keys; k++) {
    const NodeEntry *at = PointValue(design, point, k);
    const NodeEntry *set = at->value->n == 1 ? &at->value->entry[0] : NULL;
    SweepPlace *place = &plan->place[k];
    PetscCall(PetscStrallocpy(design->key[k]->key, &place->axis));
    PetscCall(PetscStrallocpy(at->key, &place->label));
    if (!set || strcmp(set->key, place->axis) || !NodeNumber(set->value, &place->value)) place->value = NAN;
  }
  PetscFunctionReturn(0);
}

/* Put the keys of a mapping, of an arm or a case, over the tree. */
static PetscErrorCode ApplyKeys(Check *check, Pool pool, const char *prefix, const Node *keys, Node *root)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < keys->n; i++) {
    const NodeEntry *entry = &keys->entry[i];
    Override override = {entry->key, prefix, entry->place, entry->value, PETSC_TRUE};
    override.place.override = PETSC_TRUE;
    PetscCall(OverrideApply(check, pool, root, &override));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ApplyCase(Check *check, Pool pool, const Node *cases, PetscInt c, Node *root)
{
  PetscFunctionBegin;
  const Node *set = CaseSettings(cases->entry[c].value);
  const Line prefix = PathJoin(PathJoinIndex("cases", c).text, "set");
  if (set) PetscCall(ApplyKeys(check, pool, prefix.text, set, root));
  PetscFunctionReturn(0);
}

/* Put a sweep point's values over the tree. */
static PetscErrorCode ApplyPoint(Check *check, Pool pool, const Design *design, PetscInt point, Node *root)
{
  PetscFunctionBegin;
  for (PetscInt k = 0; k < design->n_keys; k++) {
    const Node *settings = PointValue(design, point, k)->value;
    for (PetscInt i = 0; i < settings->n; i++) {
      const NodeEntry *entry = &settings->entry[i];
      Override override = {entry->key, "sweep", entry->place, entry->value, PETSC_TRUE};
      override.place.override = PETSC_TRUE;
      PetscCall(OverrideApply(check, pool, root, &override));
    }
  }
  PetscFunctionReturn(0);
}

/* The settings of a case (negative: none), arm (NULL: none) and sweep point (negative: none), not yet complete. */
static PetscErrorCode MakePlanTree(Check *check, Pool pool, const Node *root, const Design *design, PetscInt c,
                                   const NodeEntry *arm, PetscInt point, Node **out)
{
  PetscFunctionBegin;
  PetscCall(NodeCreate(pool, NODE_MAPPING, root->place, out));
  for (PetscInt i = 0; i < root->n; i++) {
    const NodeEntry *entry = &root->entry[i];
    PetscBool shared = strcmp(entry->key, "cases") ? PETSC_FALSE : PETSC_TRUE; /* no plan changes it */
    Node *copy = entry->value;
    if (!strcmp(entry->key, "arms") || !strcmp(entry->key, "sweep")) continue;
    if (!shared) PetscCall(NodeCopy(pool, entry->value, PETSC_FALSE, &copy));
    PetscCall(NodeAppend(pool, *out, entry->key, entry->place, copy));
  }
  if (c >= 0) PetscCall(ApplyCase(check, pool, NodeGet(root, "cases"), c, *out));
  if (arm) PetscCall(ApplyKeys(check, pool, PathJoin("arms", arm->key).text, arm->value, *out));
  if (point >= 0) PetscCall(ApplyPoint(check, pool, design, point, *out));
  const Node *objectives = NodeGet(*out, "objectives");
  for (PetscInt i = 0; objectives && objectives->kind == NODE_SEQUENCE && i < objectives->n; i++)
    PetscCall(ObjectiveRetype(objectives->entry[i].value));
  PetscFunctionReturn(0);
}

/* Check a plan's settings as a whole, its cases excepted: they are as the study has them. */
static PetscErrorCode CheckPlan(Check *check, const Node *root, const Design *design, PetscInt c, const NodeEntry *arm,
                                PetscInt point)
{
  PetscFunctionBegin;
  Pool pool;
  Node *plan;
  PetscCall(PoolCreate(&pool));
  PetscCall(MakePlanTree(check, pool, root, design, c, arm, point, &plan));
  NodeEntry *cases = NodeFind(plan, "cases");
  if (cases && cases->value->kind == NODE_SEQUENCE && cases->value->n) {
    Node *one;
    PetscCall(NodeCreate(pool, NODE_SEQUENCE, cases->value->place, &one));
    PetscCall(NodeAppend(pool, one, NULL, cases->value->entry[0].place, cases->value->entry[0].value));
    cases->value = one;
  }
  PetscCall(SchemaCheck(check, &schema_study, plan, ""));
  PetscCall(PetscSegBufferDestroy(&pool));
  PetscFunctionReturn(0);
}

static PetscErrorCode CopyMistakes(const Mistakes *from, Mistakes *to)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < from->n; i++) PetscCall(MistakesAdd(to, from->item[i].exit, "%s", from->item[i].text));
  PetscFunctionReturn(0);
}

/* "case P03, arm tight, sweep point ...": what of these there is; `point` NULL: none. */
static void LabelOf(const Node *root, PetscInt c, const NodeEntry *arm, const char *point, char label[2048])
{
  const char *const name = c >= 0 ? CaseName(NodeGet(root, "cases")->entry[c].value).text : "";
  snprintf(label, 2048, "%s%.400s%s%s%s%s%s%.300s", c >= 0 ? "case " : "", name, c >= 0 && (arm || point) ? ", " : "",
           arm ? "arm " : "", arm ? LineShown(arm->key).text : "", arm && point ? ", " : "",
           point ? "sweep point " : "", point ? point : "");
}

/*
 * Check an arm (NULL: the study has none), then every sweep point on top of it, of a case with settings of its own (negative: of all
 * others). `seen`: what has been told, to which is added.
 */
static PetscErrorCode CheckArm(const Node *root, const Design *design, PetscInt c, const NodeEntry *arm, Mistakes *seen,
                               Mistakes *mistakes)
{
  PetscFunctionBegin;
  char label[2048];
  Check check = {.mistakes = mistakes, .root = &schema_study, .seen = seen, .label = label};
  if (arm) {
    check.place = arm->place;
    LabelOf(root, c, arm, NULL, label);
    PetscCall(CheckPlan(&check, root, design, c, arm, -1));
  }
  for (PetscInt p = 0; p < design->n_points && design->n_keys; p++) {
    char *point;
    PetscCall(PointLabel(design, p, &point));
    check.place = NodeFind(root, "sweep")->place;
    LabelOf(root, c, arm, point, label);
    PetscCall(PetscFree(point));
    PetscCall(CheckPlan(&check, root, design, c, arm, p));
  }
  PetscFunctionReturn(0);
}

/* Check a case with settings of its own (negative: all others), then every arm; what is told of any goes to `told`, unless NULL. */
static PetscErrorCode CheckCase(const Node *root, const Design *design, PetscInt c, const Mistakes *base,
                                Mistakes *told, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Mistakes of_case = {0};
  char label[2048];
  Check check = {.mistakes = mistakes, .root = &schema_study, .seen = &of_case, .label = label};
  PetscCall(CopyMistakes(base, &of_case));
  if (c >= 0) {
    check.place = NodeGet(root, "cases")->entry[c].place;
    LabelOf(root, c, NULL, NULL, label);
    PetscCall(CheckPlan(&check, root, design, c, NULL, -1));
  }
  for (PetscInt a = 0; a < PetscMax(design->n_arms, 1); a++) {
    Mistakes of_arm = {0};
    PetscCall(CopyMistakes(&of_case, &of_arm));
    PetscCall(CheckArm(root, design, c, design->n_arms ? design->arm[a] : NULL, &of_arm, mistakes));
    if (told) PetscCall(CopyMistakes(&of_arm, told));
    PetscCall(MistakesClear(&of_arm));
  }
  PetscCall(MistakesClear(&of_case));
  PetscFunctionReturn(0);
}

PetscErrorCode PlansCheck(const Node *root, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Design design;
  Mistakes base = {0}, told = {0};
  Check check = {.mistakes = mistakes, .root = &schema_study};
  PetscCall(CopyMistakes(mistakes, &base));
  PetscCall(DesignCreate(&check, root, &design));
  const NodeEntry *sweep = NodeFind(root, "sweep"), *many = sweep ? sweep : NodeFind(root, "cases");
  if (design.n_plans > MOST_PLANS)
    PetscCall(CheckAdd(&check, many->place, many->key,
                       "found %.0f plans (cases x arms x sweep points), expected at most %d", design.n_plans,
                       (int)MOST_PLANS));
  PetscCall(SweepCheck(&check, design.n_keys, design.key, design.axis));
  const Node *cases = NodeGet(root, "cases");
  const PetscInt n_cases = cases && cases->kind == NODE_SEQUENCE ? cases->n : 0;
  PetscCall(CheckCase(root, &design, -1, &base, &told, mistakes));
  for (PetscInt c = 0; c < n_cases; c++)
    if (CaseSettings(cases->entry[c].value)) PetscCall(CheckCase(root, &design, c, &told, NULL, mistakes));
  PetscCall(MistakesClear(&told));
  PetscCall(MistakesClear(&base));
  PetscCall(DesignDestroy(&design));
  PetscFunctionReturn(0);
}

/* "cases/<case>/<arm>[/<sweep point>]". A label that had to be changed gets a hash, so that no two become the same. */
static PetscErrorCode MakeFolder(PlanSpec *plan)
{
  PetscFunctionBegin;
  char safe[160], folder[512];
  PetscBool changed = strlen(plan->sweep) < sizeof safe - 10 ? PETSC_FALSE : PETSC_TRUE;
  snprintf(safe, sizeof safe - 10, "%s", plan->sweep);
  LabelMakeSafe(safe);
  if (strncmp(safe, plan->sweep, strlen(safe))) changed = PETSC_TRUE;
  if (changed) {
    size_t used = strlen(safe);
    unsigned hash = (unsigned)HashBytes(HASH_START, plan->sweep, strlen(plan->sweep));
    snprintf(safe + used, sizeof safe - used, "_%08x", hash);
  }
  snprintf(folder, sizeof folder, "cases/%s/%s%s%s", plan->case_name, plan->arm, *safe ? "/" : "", safe);
  PetscCall(PetscStrallocpy(folder, &plan->folder));
  PetscFunctionReturn(0);
}

/* The plan of a case from a complete tree that may have several; its settings are of this case alone, which sets nothing more. */
static PetscErrorCode MakePlan(Pool pool, const Node *complete, PetscInt c, const char *file, PlanSpec *plan)
{
  PetscFunctionBegin;
  Node *root, *list, *one;
  const NodeEntry *entry = &NodeGet(complete, "cases")->entry[c];
  PetscCall(NodeCreate(pool, NODE_MAPPING, complete->place, &root));
  for (PetscInt i = 0; i < complete->n; i++)
    PetscCall(NodeAppend(pool, root, complete->entry[i].key, complete->entry[i].place, complete->entry[i].value));
  PetscCall(NodeCreate(pool, NODE_MAPPING, entry->value->place, &one));
  for (PetscInt i = 0; i < entry->value->n; i++)
    if (strcmp(entry->value->entry[i].key, "set"))
      PetscCall(NodeAppend(pool, one, entry->value->entry[i].key, entry->value->entry[i].place,
                           entry->value->entry[i].value));
  PetscCall(NodeCreate(pool, NODE_SEQUENCE, NodeGet(complete, "cases")->place, &list));
  PetscCall(NodeAppend(pool, list, NULL, entry->place, one));
  NodeFind(root, "cases")->value = list;
  plan->case_index = c;
  PetscCall(SettingsCreate(root, file, &plan->settings));
  PetscCall(PetscStrallocpy(plan->settings.patient.name, &plan->case_name));
  PetscCall(YamlWrite(root, &plan->yaml));
  PetscFunctionReturn(0);
}

/* Whether a dotted path is `key`, above or below it. */
static PetscBool Touches(const char *path, const char *key)
{
  const size_t n = PetscMin(strlen(path), strlen(key));
  return !strncmp(path, key, n) && (!path[n] || path[n] == '.') && (!key[n] || key[n] == '.') ? PETSC_TRUE
                                                                                              : PETSC_FALSE;
}

static PetscBool AnyTouches(const Node *overrides, const char *key)
{
  for (PetscInt i = 0; i < overrides->n; i++)
    if (Touches(overrides->entry[i].key, key)) return PETSC_TRUE;
  return PETSC_FALSE;
}

static PetscBool SweepTouches(const Design *design, const char *key)
{
  for (PetscInt k = 0; k < design->n_keys; k++)
    for (PetscInt i = 0; i < design->axis[k]->n; i++)
      if (AnyTouches(design->axis[k]->entry[i].value, key)) return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscErrorCode PlansChange(const Node *root, const char *key, PetscBool *changes)
{
  PetscFunctionBegin;
  Design design;
  Mistakes none = {0};
  Check check = {.mistakes = &none, .root = &schema_study};
  PetscCall(DesignCreate(&check, root, &design));
  *changes = SweepTouches(&design, key);
  for (PetscInt a = 0; a < design.n_arms; a++)
    if (AnyTouches(design.arm[a]->value, key)) *changes = PETSC_TRUE;
  for (PetscInt c = 0; c < design.n_cases; c++)
    if (AnyTouches(design.of_case[c], key)) *changes = PETSC_TRUE;
  PetscCall(DesignDestroy(&design));
  PetscCall(MistakesClear(&none));
  PetscFunctionReturn(0);
}

/* What an arm or case says of a path goes, what it says of all around it stays before the value that wins. */
static PetscErrorCode KeysYield(Pool pool, Node *keys, const Override *set)
{
  PetscFunctionBegin;
  const size_t length = strlen(set->path);
  PetscInt n = 0;
  if (!AnyTouches(keys, set->path)) PetscFunctionReturn(0);
  for (PetscInt i = 0; i < keys->n; i++)
    if (strlen(keys->entry[i].key) < length || !Touches(keys->entry[i].key, set->path))
      keys->entry[n++] = keys->entry[i];
  keys->n = n;
  Node *value;
  PetscCall(NodeCopy(pool, set->value, PETSC_FALSE, &value));
  PetscCall(NodeAppend(pool, keys, set->path, set->place, value));
  PetscFunctionReturn(0);
}

PetscErrorCode PlansYield(Check *check, Pool pool, Node *root, const Override *set)
{
  PetscFunctionBegin;
  Design design;
  Mistakes none = {0};
  Check quiet = {.mistakes = &none, .root = &schema_study};
  if (set->value->kind == NODE_MAPPING && set->value->n) { /* merged key by key, as over the study itself */
    for (PetscInt i = 0; i < set->value->n; i++) {
      Override one = *set;
      PetscCall(PoolText(pool, PathJoin(set->path, set->value->entry[i].key).text,
                         strlen(set->path) + 1 + strlen(set->value->entry[i].key), &one.path));
      one.value = set->value->entry[i].value;
      PetscCall(PlansYield(check, pool, root, &one));
    }
    PetscFunctionReturn(0);
  }
  PetscCall(DesignCreate(&quiet, root, &design));
  if (SweepTouches(&design, set->path))
    PetscCall(CheckAdd(check, set->place, set->path,
                       "the sweep sets this, too, and would undo it: change the sweep, or take it out with sweep={}"));
  else {
    for (PetscInt a = 0; a < design.n_arms; a++) PetscCall(KeysYield(pool, design.arm[a]->value, set));
    for (PetscInt c = 0; c < design.n_cases; c++) PetscCall(KeysYield(pool, design.of_case[c], set));
  }
  PetscCall(DesignDestroy(&design));
  PetscCall(MistakesClear(&none));
  PetscFunctionReturn(0);
}

/*
 * One plan of each case for an arm and sweep point; `first` is the plan of case 0, `stride` plans lie between cases. Cases without
 * settings of their own have one tree for all of them, and the hashes of what shapes their plans.
 */
static PetscErrorCode MakePlans(Check *check, const Node *root, const Design *design, const NodeEntry *arm,
                                PetscInt point, PetscInt stride, const char *file, PlanSpec *first)
{
  PetscFunctionBegin;
  const Node *cases = NodeGet(root, "cases");
  const PlanSpec *alike = NULL;
  Node *common = NULL;
  Pool pool;
  PetscCall(PoolCreate(&pool));
  for (PetscInt c = 0; c < cases->n; c++) {
    PlanSpec *plan = first + c * stride;
    const PetscBool own = CaseSettings(cases->entry[c].value) ? PETSC_TRUE : PETSC_FALSE;
    Node *complete = own ? NULL : common, *tree;
    if (!complete) {
      PetscCall(MakePlanTree(check, pool, root, design, c, arm, point, &tree));
      PetscCall(StudyComplete(pool, tree, &complete));
      if (!own) common = complete;
    }
    PetscCall(MakePlan(pool, complete, c, file, plan));
    PetscCall(PetscStrallocpy(arm ? arm->key : "plan", &plan->arm));
    PetscCall(PointLabel(design, point, &plan->sweep));
    PetscCall(PointPlaces(design, point, plan));
    PetscCall(MakeFolder(plan));
    if (own || !alike)
      PetscCall(PlanHash(pool, complete, plan));
    else
      PlanHashCopy(alike, plan);
    if (!own) alike = plan;
  }
  PetscCall(PetscSegBufferDestroy(&pool));
  PetscFunctionReturn(0);
}

PetscErrorCode PlansCreate(const Node *root, Study *study)
{
  PetscFunctionBegin;
  Design design;
  Mistakes none = {0};
  Check check = {.mistakes = &none, .root = &schema_study};
  PetscCall(DesignCreate(&check, root, &design));
  PetscInt n_arms = PetscMax(design.n_arms, 1), stride = n_arms * design.n_points;
  study->n_plans = stride * NodeGet(root, "cases")->n;
  PetscCall(PetscCalloc1(study->n_plans, &study->plans));
  for (PetscInt i = 0; i < stride; i++)
    PetscCall(MakePlans(&check, root, &design, design.n_arms ? design.arm[i / design.n_points] : NULL,
                        i % design.n_points, stride, study->file, &study->plans[i]));
  PlansFindShared(study, stride);
  PetscCheck(!MistakesAny(&none), PETSC_COMM_SELF, PETSC_ERR_PLIB, "mistake in a checked study: %s",
             MistakesFirst(&none));
  PetscCall(DesignDestroy(&design));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanDestroy(PlanSpec *plan)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(plan->case_name));
  PetscCall(PetscFree(plan->arm));
  PetscCall(PetscFree(plan->sweep));
  for (PetscInt k = 0; k < plan->n_place; k++) {
    PetscCall(PetscFree(plan->place[k].axis));
    PetscCall(PetscFree(plan->place[k].label));
  }
  PetscCall(PetscFree(plan->place));
  PetscCall(PetscFree(plan->folder));
  PetscCall(PetscFree(plan->yaml));
  PetscCall(SettingsDestroy(&plan->settings));
  PetscFunctionReturn(0);
}
