/* Rules of clinical goals and of metrics by request. */
#include "schema_private.h"
#include "robion/text.h"
#include <stdio.h>
#include <string.h>

static PetscBool Is(const Node *node, const char *word)
{
  return node && node->kind == NODE_SCALAR && !strcmp(node->text, word) ? PETSC_TRUE : PETSC_FALSE;
}

/* Whether a metric is counted in doses, so that those of a course are others than those of a fraction. */
static PetscBool HasCourse(const char *name)
{
  MetricForm form;
  return *name == 'D' || (MetricFormRead(name, &form) && form.absolute) ? PETSC_TRUE : PETSC_FALSE;
}

/* Whether it can be of that quantity: volumes at a share of the prescription are of the RBE-weighted dose alone. */
static PetscBool HasQuantity(const char *name, Quantity quantity)
{
  MetricForm form;
  if (quantity == QUANTITY_RBE_WEIGHTED || QuantityFindMetric(quantity, name)) return PETSC_TRUE;
  return MetricFormRead(name, &form) && (form.question != ASK_VOLUME || form.absolute) ? PETSC_TRUE : PETSC_FALSE;
}

/* What dose and what fractions a metric is of. */
static PetscErrorCode CheckMetric(Check *check, const Node *node, const char *name, const char *path)
{
  PetscFunctionBegin;
  const Node *quantity = NodeGet(node, "quantity"), *of = NodeGet(node, "of"), *per = NodeGet(node, "per");
  const PetscBool percent = Is(of, "prescription");
  if (Is(per, "course") && !HasCourse(name))
    PetscCall(CheckAdd(check, per->place, PathJoin(path, "per").text, "found course with %s, expected a metric of dose",
                       name));
  const Quantity named = quantity && quantity->kind == NODE_SCALAR ? QuantityFind(quantity->text) : -1;
  if (named >= 0 && named != QUANTITY_RBE_WEIGHTED && (percent || !HasQuantity(name, named)))
    PetscCall(CheckAdd(check, quantity->place, PathJoin(path, "quantity").text,
                       "found %s with %s%s, expected rbe_weighted", quantity->text, name,
                       *name == 'D' ? " of the prescription" : ""));
  PetscFunctionReturn(0);
}

PetscErrorCode RuleMetric(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  const Node *name = NodeGet(node, "metric");
  MetricForm form;
  if (SchemaHasUnknown(key, node) || !name || name->kind != NODE_SCALAR) PetscFunctionReturn(0);
  if (MetricFormRead(name->text, &form))
    PetscCall(CheckMetric(check, node, name->text, path));
  else
    PetscCall(CheckAdd(check, name->place, PathJoin(path, "metric").text, "found %s, expected one as %s",
                       NodeShown(name).text, METRIC_FORMS));
  PetscFunctionReturn(0);
}

PetscErrorCode RuleGoal(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  const Node *name = NodeGet(node, "metric"), *of = NodeGet(node, "of");
  const PetscBool low = NodeGet(node, "at_least") ? PETSC_TRUE : PETSC_FALSE,
                  high = NodeGet(node, "at_most") ? PETSC_TRUE : PETSC_FALSE;
  if (SchemaHasUnknown(key, node) || !name || name->kind != NODE_SCALAR) PetscFunctionReturn(0);
  if (low == high)
    PetscCall(CheckAdd(check, node->place, path, "found %s, expected one of at_least and at_most",
                       low ? "both at_least and at_most" : "no limit"));
  if (*name->text != 'D' && Is(of, "prescription"))
    PetscCall(CheckAdd(check, of->place, PathJoin(path, "of").text,
                       "found prescription with %s, expected a metric of dose", name->text));
  PetscCall(CheckMetric(check, node, name->text, path));
  PetscFunctionReturn(0);
}

/* Whether an outcome of the study has a row of this name; then also of which structure. */
static PetscBool FindOutcome(const Node *outcome, const char *row, const char **structure)
{
  const Node *name = NodeGet(outcome, "name"), *model = NodeGet(outcome, "model"), *of = NodeGet(outcome, "structure");
  if (!name || name->kind != NODE_SCALAR || !model || model->kind != NODE_SCALAR || !of || of->kind != NODE_SCALAR)
    return PETSC_FALSE;
  const OutcomeModel *found = OutcomeModelFind(model->text);
  for (PetscInt v = 0; found && v < found->kind->n_value; v++) {
    char text[128];
    snprintf(text, sizeof text, "%s-%s", found->kind->value[v].name, name->text);
    *structure = of->text;
    if (!strcmp(text, row)) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* Names of goals' metrics: those that every plan has and that are judged, forms of request, rows of the study's outcomes. */
PetscErrorCode CheckGoals(Check *check, const Node *root)
{
  PetscFunctionBegin;
  const Node *goals = NodeGet(root, "goals"), *outcomes = NodeGet(root, "outcomes");
  MetricForm form;
  for (PetscInt g = 0; goals && goals->kind == NODE_SEQUENCE && g < goals->n; g++) {
    const Node *goal = goals->entry[g].value, *name = NodeGet(goal, "metric"), *structure = NodeGet(goal, "structure");
    const Line path = PathJoinIndex("goals", g);
    const char *expected = NULL;
    PetscInt o = 0;
    if (!name || name->kind != NODE_SCALAR || MetricFormRead(name->text, &form)) continue;
    if (QuantityJudged(QUANTITY_RBE_WEIGHTED, name->text) >= 0) continue;
    const PetscInt n = outcomes && outcomes->kind == NODE_SEQUENCE ? outcomes->n : 0;
    while (o < n && !FindOutcome(outcomes->entry[o].value, name->text, &expected)) o++;
    if (o == n)
      PetscCall(
          CheckAdd(check, name->place, PathJoin(path.text, "metric").text,
                   "found %s, expected one as %s, L98, L50, L1, Lmean, or of the study's outcomes one as NTCP-name",
                   NodeShown(name).text, METRIC_FORMS));
    else if (structure && structure->kind == NODE_SCALAR && strcmp(structure->text, expected))
      PetscCall(CheckAdd(check, structure->place, PathJoin(path.text, "structure").text,
                         "found %s with %s, expected the structure of that outcome, %s", NodeShown(structure).text,
                         name->text, LineShown(expected).text));
  }
  PetscFunctionReturn(0);
}
