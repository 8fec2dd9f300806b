/* Rules of outcomes, which tie their list together. */
#include "schema_private.h"
#include <string.h>

PetscErrorCode RuleOutcomes(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < node->n; i++) {
    const Node *name = NodeGet(node->entry[i].value, "name");
    for (PetscInt k = 0; name && name->kind == NODE_SCALAR && k < i; k++) {
      const Node *other = NodeGet(node->entry[k].value, "name");
      if (!other || other->kind != NODE_SCALAR || strcmp(name->text, other->text)) continue;
      PetscCall(CheckAdd(check, name->place, PathJoin(PathJoinIndex(path, i).text, "name").text,
                         "found %s again, expected every outcome to have a name of its own", NodeShown(name).text));
      break;
    }
  }
  PetscFunctionReturn(0);
}
