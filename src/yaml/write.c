/* A tree as YAML text that reads back the same. */
#include "robion/yaml.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

/* Text that reads back as the same plain scalar in block and in flow style; anything else is written in double quotes. */
static PetscBool IsPlain(const char *text)
{
  const char *c = text;
  if (*c == '-' || *c == '+') c++;
  if (!isalnum((unsigned char)*c) && *c != '.') return PETSC_FALSE;
  for (; *c; c++)
    if (!isalnum((unsigned char)*c) && !strchr("._+-/%", *c)) return PETSC_FALSE;
  return PETSC_TRUE;
}

/* A key that readers of YAML 1.1, such as PyYAML, would take for true or false: quoted, it is a key for them, too. */
static PetscBool IsOldBoolean(const char *key)
{
  static const char *const spelling[] = {"on", "off", "yes", "no", "true", "false"};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(spelling); i++)
    if (!strcasecmp(key, spelling[i])) return PETSC_TRUE;
  return PETSC_FALSE;
}

static PetscErrorCode AddScalar(yaml_document_t *document, const char *text, PetscBool quoted, int *id)
{
  PetscFunctionBegin;
  yaml_scalar_style_t style = quoted || !IsPlain(text) ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE;
  *id = yaml_document_add_scalar(document, NULL, (const yaml_char_t *)text, (int)strlen(text), style);
  PetscCheck(*id, PETSC_COMM_SELF, PETSC_ERR_LIB, "libyaml refused the scalar '%s'", text);
  PetscFunctionReturn(0);
}

/* Collections of scalars, and list items up to two levels high, fit on a line. */
static PetscBool IsFlow(const Node *node, PetscBool in_sequence, PetscBool flow)
{
  return flow || NodeHeight(node) <= (in_sequence ? 2 : 1) ? PETSC_TRUE : PETSC_FALSE;
}

static PetscErrorCode AddNode(yaml_document_t *document, const Node *node, PetscBool in_sequence, PetscBool in_flow,
                              int *id)
{
  PetscFunctionBegin;
  if (node->kind == NODE_SCALAR) {
    PetscCall(AddScalar(document, node->text, node->quoted, id));
    PetscFunctionReturn(0);
  }
  PetscBool flow = IsFlow(node, in_sequence, in_flow),
            sequence = node->kind == NODE_SEQUENCE ? PETSC_TRUE : PETSC_FALSE;
  if (sequence)
    *id = yaml_document_add_sequence(document, NULL, flow ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE);
  else
    *id = yaml_document_add_mapping(document, NULL, flow ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE);
  PetscCheck(*id, PETSC_COMM_SELF, PETSC_ERR_LIB, "libyaml could not add a node");
  for (PetscInt i = 0; i < node->n; i++) {
    int key = 0, value, added;
    if (!sequence) PetscCall(AddScalar(document, node->entry[i].key, IsOldBoolean(node->entry[i].key), &key));
    PetscCall(AddNode(document, node->entry[i].value, sequence, flow, &value));
    if (sequence)
      added = yaml_document_append_sequence_item(document, *id, value);
    else
      added = yaml_document_append_mapping_pair(document, *id, key, value);
    PetscCheck(added, PETSC_COMM_SELF, PETSC_ERR_LIB, "libyaml could not append a node");
  }
  PetscFunctionReturn(0);
}

static int AppendOutput(void *buffer, unsigned char *text, size_t length)
{
  char *to;
  if (PetscSegBufferGet((PetscSegBuffer)buffer, length, &to)) return 0;
  memcpy(to, text, length);
  return 1;
}

static PetscErrorCode WriteTree(const Node *root, PetscBool flow, char **out)
{
  PetscFunctionBegin;
  PetscSegBuffer buffer;
  yaml_document_t document;
  yaml_emitter_t emitter;
  int id;
  PetscCall(PetscSegBufferCreate(1, 4096, &buffer));
  PetscCheck(yaml_document_initialize(&document, NULL, NULL, NULL, 1, 1) && yaml_emitter_initialize(&emitter),
             PETSC_COMM_SELF, PETSC_ERR_MEM, "libyaml ran out of memory");
  yaml_emitter_set_output(&emitter, AppendOutput, buffer);
  yaml_emitter_set_unicode(&emitter, 1);
  yaml_emitter_set_width(&emitter, -1);
  PetscCall(AddNode(&document, root, PETSC_FALSE, flow, &id));
  PetscCheck(yaml_emitter_dump(&emitter, &document) && yaml_emitter_close(&emitter), PETSC_COMM_SELF, PETSC_ERR_LIB,
             "libyaml could not write: %s", emitter.problem ? emitter.problem : "unknown reason");
  yaml_emitter_delete(&emitter);
  char *nul;
  PetscCall(PetscSegBufferGet(buffer, 1, &nul));
  *nul = 0;
  PetscCall(PetscSegBufferExtractAlloc(buffer, out));
  PetscCall(PetscSegBufferDestroy(&buffer));
  PetscFunctionReturn(0);
}

PetscErrorCode YamlWrite(const Node *root, char **out)
{
  PetscFunctionBegin;
  PetscCall(WriteTree(root, root->n ? PETSC_FALSE : PETSC_TRUE, out));
  PetscFunctionReturn(0);
}

PetscErrorCode YamlWriteLine(const Node *root, char **out)
{
  PetscFunctionBegin;
  PetscCall(WriteTree(root, PETSC_TRUE, out));
  size_t end = strlen(*out);
  while (end && (*out)[end - 1] == '\n') (*out)[--end] = 0;
  PetscFunctionReturn(0);
}
