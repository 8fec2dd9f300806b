/* Rules of clinical goals. */
#include "schema_private.h"
#include <string.h>

static PetscBool Is(const Node *node, const char *word)
{
  return node && node->kind == NODE_SCALAR && !strcmp(node->text, word) ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode RuleGoal(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  const Node *metric = NodeGet(node, "metric"), *quantity = NodeGet(node, "quantity"), *of = NodeGet(node, "of"),
             *per = NodeGet(node, "per");
  const PetscBool low = NodeGet(node, "at_least") ? PETSC_TRUE : PETSC_FALSE,
                  high = NodeGet(node, "at_most") ? PETSC_TRUE : PETSC_FALSE;
  if (SchemaHasUnknown(key, node) || !metric || metric->kind != NODE_SCALAR) PetscFunctionReturn(0);
  if (low == high)
    PetscCall(CheckAdd(check, node->place, path, "found %s, expected one of at_least and at_most",
                       low ? "both at_least and at_most" : "no limit"));
  const PetscBool dose = metric->text[0] == 'D' ? PETSC_TRUE : PETSC_FALSE;
  if (!dose && Is(of, "prescription"))
    PetscCall(CheckAdd(check, of->place, PathJoin(path, "of").text,
                       "found prescription with %s, expected a metric of dose", metric->text));
  if (!dose && Is(per, "course"))
    PetscCall(CheckAdd(check, per->place, PathJoin(path, "per").text, "found course with %s, expected a metric of dose",
                       metric->text));
  const Quantity named = quantity && quantity->kind == NODE_SCALAR ? QuantityFind(quantity->text) : -1;
  if (named >= 0 && named != QUANTITY_RBE_WEIGHTED &&
      (!QuantityFindMetric(named, metric->text) || Is(of, "prescription")))
    PetscCall(CheckAdd(check, quantity->place, PathJoin(path, "quantity").text,
                       "found %s with %s%s, expected rbe_weighted", quantity->text, metric->text,
                       dose ? " of the prescription" : ""));
  PetscFunctionReturn(0);
}
