/* Arms and sweeps: which plans a study asks for, and whether each of them makes sense. */
#include "robion/provenance.h"
#include "schema_private.h"
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
  double n_plans;            /* may be larger than any integer */
} Design;

/* `check` takes the mistakes of the sweep. */
static PetscErrorCode DesignCreate(Check *check, const Node *root, Design *design)
{
  PetscFunctionBegin;
  const Node *arms = NodeGet(root, "arms"), *sweep = NodeGet(root, "sweep"), *cases = NodeGet(root, "cases");
  PetscInt n_arms = arms && arms->kind == NODE_MAPPING ? arms->n : 0,
           n_keys = sweep && sweep->kind == NODE_MAPPING ? sweep->n : 0;
  *design = (Design){.n_points = 1};
  PetscCall(PoolCreate(&design->pool));
  PetscCall(PetscMalloc1(n_arms, &design->arm));
  PetscCall(PetscMalloc2(n_keys, &design->key, n_keys, &design->axis));
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

/* Put an arm's keys over the tree. */
static PetscErrorCode ApplyArm(Check *check, Pool pool, const NodeEntry *arm, Node *root)
{
  PetscFunctionBegin;
  Line prefix = PathJoin("arms", arm->key);
  for (PetscInt i = 0; i < arm->value->n; i++) {
    const NodeEntry *entry = &arm->value->entry[i];
    Override override = {entry->key, prefix.text, entry->place, entry->value, PETSC_TRUE};
    override.place.override = PETSC_TRUE;
    PetscCall(OverrideApply(check, pool, root, &override));
  }
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

/* The settings of an arm (NULL: none) and sweep point (negative: none), not yet complete. */
static PetscErrorCode MakePlanTree(Check *check, Pool pool, const Node *root, const Design *design,
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
  if (arm) PetscCall(ApplyArm(check, pool, arm, *out));
  if (point >= 0) PetscCall(ApplyPoint(check, pool, design, point, *out));
  const Node *objectives = NodeGet(*out, "objectives");
  for (PetscInt i = 0; objectives && objectives->kind == NODE_SEQUENCE && i < objectives->n; i++)
    PetscCall(ObjectiveRetype(objectives->entry[i].value));
  PetscFunctionReturn(0);
}

/* Check a plan's settings as a whole, its cases excepted: they are as the study has them. */
static PetscErrorCode CheckPlan(Check *check, const Node *root, const Design *design, const NodeEntry *arm,
                                PetscInt point)
{
  PetscFunctionBegin;
  Pool pool;
  Node *plan;
  PetscCall(PoolCreate(&pool));
  PetscCall(MakePlanTree(check, pool, root, design, arm, point, &plan));
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

/* Check an arm (NULL: the study has none), then every sweep point on top of it. */
static PetscErrorCode CheckArm(const Node *root, const Design *design, const NodeEntry *arm, const Mistakes *base,
                               Mistakes *mistakes)
{
  PetscFunctionBegin;
  Mistakes seen = {0};
  char label[1536];
  Check check = {.mistakes = mistakes, .root = &schema_study, .seen = &seen, .label = label};
  PetscCall(CopyMistakes(base, &seen));
  if (arm) {
    check.place = arm->place;
    snprintf(label, sizeof label, "arm %s", LineShown(arm->key).text);
    PetscCall(CheckPlan(&check, root, design, arm, -1));
  }
  for (PetscInt p = 0; p < design->n_points && design->n_keys; p++) {
    char *point;
    PetscCall(PointLabel(design, p, &point));
    check.place = NodeFind(root, "sweep")->place;
    snprintf(label, sizeof label, "%s%s%ssweep point %.300s", arm ? "arm " : "", arm ? LineShown(arm->key).text : "",
             arm ? ", " : "", point);
    PetscCall(PetscFree(point));
    PetscCall(CheckPlan(&check, root, design, arm, p));
  }
  PetscCall(MistakesClear(&seen));
  PetscFunctionReturn(0);
}

PetscErrorCode PlansCheck(const Node *root, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Design design;
  Mistakes base = {0};
  Check check = {.mistakes = mistakes, .root = &schema_study};
  PetscCall(CopyMistakes(mistakes, &base));
  PetscCall(DesignCreate(&check, root, &design));
  const NodeEntry *sweep = NodeFind(root, "sweep"), *many = sweep ? sweep : NodeFind(root, "cases");
  if (design.n_plans > MOST_PLANS)
    PetscCall(CheckAdd(&check, many->place, many->key,
                       "found %.0f plans (cases x arms x sweep points), expected at most %d", design.n_plans,
                       (int)MOST_PLANS));
  PetscCall(SweepCheck(&check, design.n_keys, design.key, design.axis));
  for (PetscInt a = 0; a < design.n_arms; a++) PetscCall(CheckArm(root, &design, design.arm[a], &base, mistakes));
  if (!design.n_arms) PetscCall(CheckArm(root, &design, NULL, &base, mistakes));
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

/* One plan of each case for an arm and sweep point; `first` is the plan of case 0, `stride` plans lie between cases. */
static PetscErrorCode MakePlans(Pool pool, const Node *complete, const NodeEntry *arm, const char *sweep,
                                PetscInt stride, const char *file, PlanSpec *first)
{
  PetscFunctionBegin;
  Node *root, *one;
  const Node *cases = NodeGet(complete, "cases");
  PetscCall(NodeCreate(pool, NODE_MAPPING, complete->place, &root));
  for (PetscInt i = 0; i < complete->n; i++)
    PetscCall(NodeAppend(pool, root, complete->entry[i].key, complete->entry[i].place, complete->entry[i].value));
  PetscCall(NodeCreate(pool, NODE_SEQUENCE, cases->place, &one));
  PetscCall(NodeAppend(pool, one, NULL, cases->place, NULL));
  NodeFind(root, "cases")->value = one;
  for (PetscInt c = 0; c < cases->n; c++) {
    PlanSpec *plan = first + c * stride;
    one->entry[0] = cases->entry[c];
    plan->case_index = c;
    PetscCall(SettingsCreate(root, file, &plan->settings));
    PetscCall(PetscStrallocpy(plan->settings.patient.name, &plan->case_name));
    PetscCall(PetscStrallocpy(arm ? arm->key : "plan", &plan->arm));
    PetscCall(PetscStrallocpy(sweep, &plan->sweep));
    PetscCall(YamlWrite(root, &plan->yaml));
    PetscCall(MakeFolder(plan));
  }
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
  PetscCall(DesignDestroy(&design));
  PetscCall(MistakesClear(&none));
  PetscFunctionReturn(0);
}

/* What an arm says of a path goes, what it says of all around it stays before the value that wins. */
static PetscErrorCode ArmYield(Pool pool, Node *arm, const Override *set)
{
  PetscFunctionBegin;
  const size_t length = strlen(set->path);
  PetscInt n = 0;
  if (!AnyTouches(arm, set->path)) PetscFunctionReturn(0);
  for (PetscInt i = 0; i < arm->n; i++)
    if (strlen(arm->entry[i].key) < length || !Touches(arm->entry[i].key, set->path)) arm->entry[n++] = arm->entry[i];
  arm->n = n;
  Node *value;
  PetscCall(NodeCopy(pool, set->value, PETSC_FALSE, &value));
  PetscCall(NodeAppend(pool, arm, set->path, set->place, value));
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
  else
    for (PetscInt a = 0; a < design.n_arms; a++) PetscCall(ArmYield(pool, design.arm[a]->value, set));
  PetscCall(DesignDestroy(&design));
  PetscCall(MistakesClear(&none));
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
  for (PetscInt i = 0; i < stride; i++) {
    const NodeEntry *arm = design.n_arms ? design.arm[i / design.n_points] : NULL;
    PetscInt point = i % design.n_points;
    Pool pool;
    Node *plan, *complete;
    char *label;
    PetscCall(PoolCreate(&pool));
    PetscCall(PointLabel(&design, point, &label));
    PetscCall(MakePlanTree(&check, pool, root, &design, arm, point, &plan));
    PetscCall(StudyComplete(pool, plan, &complete));
    PetscCall(MakePlans(pool, complete, arm, label, stride, study->file, &study->plans[i]));
    PetscCall(PlanHash(pool, complete, &study->plans[i]));
    PetscCall(PetscFree(label));
    PetscCall(PetscSegBufferDestroy(&pool));
  }
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
  PetscCall(PetscFree(plan->folder));
  PetscCall(PetscFree(plan->yaml));
  PetscCall(SettingsDestroy(&plan->settings));
  PetscFunctionReturn(0);
}
