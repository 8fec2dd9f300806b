/* Rules of the activity of positron emitters. */
#include "schema_private.h"
#include <string.h>

PetscErrorCode RuleWindow(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  const Node *from = NodeGet(node, "from_s"), *to = NodeGet(node, "to_s");
  double from_s, to_s;
  if (from && to && NodeNumber(from, &from_s) && NodeNumber(to, &to_s) && to_s <= from_s)
    PetscCall(CheckAdd(check, to->place, PathJoin(path, "to_s").text, "found %g, expected more than from_s, %g", to_s,
                       from_s));
  PetscFunctionReturn(0);
}

/* Windows have names of their own. */
PetscErrorCode RuleWindows(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < node->n; i++)
    for (PetscInt j = 0; j < i; j++) {
      const Node *one = NodeGet(node->entry[i].value, "name"), *other = NodeGet(node->entry[j].value, "name");
      if (one && other && one->kind == NODE_SCALAR && other->kind == NODE_SCALAR && !strcmp(one->text, other->text))
        PetscCall(CheckAdd(check, one->place, path, "found %s twice, expected names of their own",
                           LineShown(one->text).text));
    }
  PetscFunctionReturn(0);
}

/* Spills have pauses, and pauses spills. */
PetscErrorCode RuleActivity(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  const Node *spill = NodeGet(node, "spill_s"), *pause = NodeGet(node, "pause_s");
  double spill_s = 0, pause_s = 0;
  if (spill && !NodeNumber(spill, &spill_s)) PetscFunctionReturn(0);
  if (pause && !NodeNumber(pause, &pause_s)) PetscFunctionReturn(0);
  if ((spill_s > 0) != (pause_s > 0))
    PetscCall(CheckAdd(check, node->place, path, "found spill_s %g and pause_s %g, expected both 0 or both above 0",
                       spill_s, pause_s));
  PetscFunctionReturn(0);
}
