/*
 * libyaml's document as a tree of nodes. Aliases become shared branches: an alias to a collection that is still being read would
 * contain itself and is refused, and the nodes that all branches together have are counted against a bound, as aliases to aliases
 * multiply. Depth and brackets are bounded before libyaml's own recursion sees them.
 */
#include "robion/yaml.h"
#include <string.h>
#include <yaml.h>

/* Bounds that no real study comes near: they stop aliases that multiply and files that are something else. */
enum { MOST_NODES = 50000, MOST_LEVELS = 32, MOST_BRACKETS = 1000 };

typedef struct Reader {
  Pool pool;
  Place source;
  RobionExit exit_code;
  Mistakes *mistakes;
  yaml_document_t *document;
  PetscBool *open; /* of each document node: its collection is being read, an alias to it would never end */
  PetscInt n_nodes;
} Reader;

static Place MarkPlace(const Reader *reader, yaml_mark_t mark)
{
  Place place = reader->source;
  if (place.line) {
    place.line = (PetscInt)mark.line + 1;
    place.column = (PetscInt)mark.column + 1;
  }
  return place;
}

/* Line and column of a byte offset: libyaml's reader errors (bad UTF-8, control characters) give no mark. */
static yaml_mark_t OffsetMark(const char *text, size_t length, size_t offset)
{
  yaml_mark_t mark = {0};
  for (size_t i = 0; i < PetscMin(offset, length); i++) {
    if (text[i] == '\n') {
      mark.line++;
      mark.column = 0;
    } else if (((unsigned char)text[i] & 0xC0) != 0x80)
      mark.column++;
  }
  return mark;
}

static PetscErrorCode AddSyntaxMistake(Reader *reader, const yaml_parser_t *parser, const char *text, size_t length)
{
  PetscFunctionBegin;
  PetscCheck(parser->error != YAML_MEMORY_ERROR, PETSC_COMM_SELF, PETSC_ERR_MEM, "libyaml ran out of memory");
  const char *problem = parser->problem ? parser->problem : "unreadable";
  if (parser->error == YAML_READER_ERROR) {
    Place place = MarkPlace(reader, OffsetMark(text, length, parser->problem_offset));
    PetscCall(
        MistakesAdd(reader->mistakes, reader->exit_code, "%s: not valid YAML: %s", PlaceText(place).text, problem));
    PetscFunctionReturn(0);
  }
  yaml_mark_t mark = parser->problem_mark;
  const char *hint = mark.index < length && text[mark.index] == '\t' ? " (a tab; indent with spaces)" : "";
  char context[160] = "";
  if (parser->context && reader->source.line)
    snprintf(context, sizeof context, " %.80s that starts in line %d", parser->context,
             (int)parser->context_mark.line + 1);
  PetscCall(MistakesAdd(reader->mistakes, reader->exit_code, "%s: not valid YAML: %s%s%s",
                        PlaceText(MarkPlace(reader, mark)).text, problem, context, hint));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadNode(Reader *reader, int index, PetscInt level, Node **out);

/* A key as text; NULL with a mistake if it is a collection. */
static PetscErrorCode ReadKey(Reader *reader, int index, const char **key, Place *place)
{
  PetscFunctionBegin;
  yaml_node_t *node = yaml_document_get_node(reader->document, index);
  *place = MarkPlace(reader, node->start_mark);
  *key = NULL;
  if (node->type != YAML_SCALAR_NODE) {
    PetscCall(MistakesAdd(reader->mistakes, reader->exit_code, "%s: found a list or mapping as a key, expected a word",
                          PlaceText(*place).text));
    PetscFunctionReturn(0);
  }
  PetscCall(PoolText(reader->pool, (const char *)node->data.scalar.value, node->data.scalar.length, key));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadMapping(Reader *reader, yaml_node_t *from, PetscInt level, Node *to)
{
  PetscFunctionBegin;
  for (yaml_node_pair_t *pair = from->data.mapping.pairs.start; pair < from->data.mapping.pairs.top; pair++) {
    const char *key;
    Place place;
    Node *value;
    PetscCall(ReadKey(reader, pair->key, &key, &place));
    PetscCall(ReadNode(reader, pair->value, level, &value));
    if (!key || !value) continue;
    const NodeEntry *first = NodeFind(to, key);
    if (first && !place.line)
      PetscCall(MistakesAdd(reader->mistakes, reader->exit_code, "%s: %s: found twice, expected once",
                            PlaceText(place).text, LineShown(key).text));
    else if (first)
      PetscCall(MistakesAdd(reader->mistakes, reader->exit_code, "%s: %s: found twice, first in line %d, expected once",
                            PlaceText(place).text, LineShown(key).text, (int)first->place.line));
    else
      PetscCall(NodeAppend(reader->pool, to, key, place, value));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadSequence(Reader *reader, yaml_node_t *from, PetscInt level, Node *to)
{
  PetscFunctionBegin;
  for (yaml_node_item_t *item = from->data.sequence.items.start; item < from->data.sequence.items.top; item++) {
    Node *value;
    PetscCall(ReadNode(reader, *item, level, &value));
    if (value) PetscCall(NodeAppend(reader->pool, to, NULL, value->place, value));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadScalar(Reader *reader, yaml_node_t *from, Node *to)
{
  PetscFunctionBegin;
  const char *text = (const char *)from->data.scalar.value;
  size_t length = from->data.scalar.length;
  if (strlen(text) != length)
    PetscCall(MistakesAdd(reader->mistakes, reader->exit_code, "%s: found a NUL character, expected text",
                          PlaceText(to->place).text));
  PetscCall(PoolText(reader->pool, text, length, &to->text));
  to->quoted = from->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? PETSC_FALSE : PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* Why a node cannot be read, or NULL. */
static const char *NodeTrouble(const Reader *reader, int index, const yaml_node_t *node, PetscInt level)
{
  static const char *const untagged[] = {YAML_DEFAULT_SCALAR_TAG, YAML_DEFAULT_SEQUENCE_TAG, YAML_DEFAULT_MAPPING_TAG};
  const char *expected = untagged[node->type == YAML_SCALAR_NODE ? 0 : node->type == YAML_SEQUENCE_NODE ? 1 : 2];
  if (reader->open[index]) return "found an alias inside the very value it stands for";
  if (level > MOST_LEVELS) return "nested too deeply for a study";
  if (strcmp((const char *)node->tag, expected)) return "found a tag (!...), expected a value without one";
  return NULL;
}

static PetscErrorCode ReadNode(Reader *reader, int index, PetscInt level, Node **out)
{
  PetscFunctionBegin;
  yaml_node_t *node = yaml_document_get_node(reader->document, index);
  Place place = MarkPlace(reader, node->start_mark);
  const char *trouble = NodeTrouble(reader, index, node, level);
  *out = NULL;
  if (trouble) {
    PetscCall(MistakesAdd(reader->mistakes, reader->exit_code, "%s: %s", PlaceText(place).text, trouble));
    PetscFunctionReturn(0);
  }
  if (++reader->n_nodes > MOST_NODES) PetscFunctionReturn(0); /* told once, by YamlRead */
  NodeKind kind = node->type == YAML_SCALAR_NODE     ? NODE_SCALAR
                  : node->type == YAML_SEQUENCE_NODE ? NODE_SEQUENCE
                                                     : NODE_MAPPING;
  PetscCall(NodeCreate(reader->pool, kind, place, out));
  reader->open[index] = PETSC_TRUE;
  if (kind == NODE_SCALAR)
    PetscCall(ReadScalar(reader, node, *out));
  else if (kind == NODE_SEQUENCE)
    PetscCall(ReadSequence(reader, node, level + 1, *out));
  else
    PetscCall(ReadMapping(reader, node, level + 1, *out));
  reader->open[index] = PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* The document's tree, once the parser has loaded it. */
static PetscErrorCode ReadDocument(Reader *reader, Node **out)
{
  PetscFunctionBegin;
  yaml_node_t *root = yaml_document_get_root_node(reader->document);
  if (!root) {
    PetscCall(MistakesAdd(reader->mistakes, reader->exit_code, "%s: found nothing, expected YAML",
                          PlaceText(reader->source).text));
    PetscFunctionReturn(0);
  }
  int n = (int)(reader->document->nodes.top - reader->document->nodes.start);
  PetscCall(PetscCalloc1(n + 1, &reader->open));
  PetscCall(ReadNode(reader, 1, 0, out)); /* libyaml counts nodes from 1, the root first */
  PetscCall(PetscFree(reader->open));
  if (reader->n_nodes > MOST_NODES) {
    PetscCall(MistakesAdd(reader->mistakes, reader->exit_code,
                          "%s: found more than %d values (after resolving aliases)", PlaceText(reader->source).text,
                          (int)MOST_NODES));
    *out = NULL;
  }
  PetscFunctionReturn(0);
}

/*
 * Offset of a bracket that opens more than MOST_BRACKETS at once, or length. libyaml's time goes with the square of the
 * brackets that are open, and half a minute for 100 kB of them is not an answer. Brackets in comments and quotes count too,
 * which no honest study notices.
 */
static size_t FindDeepBracket(const char *text, size_t length)
{
  PetscInt open = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '[' || text[i] == '{') open++;
    if ((text[i] == ']' || text[i] == '}') && open) open--;
    if (open > MOST_BRACKETS) return i;
  }
  return length;
}

PetscErrorCode YamlRead(Pool pool, const char *text, size_t length, Place place, RobionExit exit_code,
                        Mistakes *mistakes, Node **out)
{
  PetscFunctionBegin;
  yaml_parser_t parser;
  yaml_document_t document, second;
  Reader reader = {pool, place, exit_code, mistakes, &document, NULL, 0};
  size_t deep = FindDeepBracket(text, length);
  *out = NULL;
  if (deep < length) {
    PetscCall(MistakesAdd(mistakes, exit_code, "%s: nested too deeply for a study",
                          PlaceText(MarkPlace(&reader, OffsetMark(text, length, deep))).text));
    PetscFunctionReturn(0);
  }
  PetscCheck(yaml_parser_initialize(&parser), PETSC_COMM_SELF, PETSC_ERR_MEM, "libyaml ran out of memory");
  yaml_parser_set_input_string(&parser, (const unsigned char *)(text ? text : ""), length);
  if (!yaml_parser_load(&parser, &document)) {
    PetscCall(AddSyntaxMistake(&reader, &parser, text, length));
    yaml_parser_delete(&parser);
    PetscFunctionReturn(0);
  }
  PetscCall(ReadDocument(&reader, out));
  yaml_document_delete(&document);
  if (parser.stream_end_produced) {
    yaml_parser_delete(&parser);
    PetscFunctionReturn(0);
  }
  if (!yaml_parser_load(&parser, &second))
    PetscCall(AddSyntaxMistake(&reader, &parser, text, length));
  else {
    yaml_node_t *root = yaml_document_get_root_node(&second);
    if (root)
      PetscCall(MistakesAdd(mistakes, exit_code, "%s: found a second YAML document, expected one",
                            PlaceText(MarkPlace(&reader, root->start_mark)).text));
    yaml_document_delete(&second);
  }
  yaml_parser_delete(&parser);
  PetscFunctionReturn(0);
}
