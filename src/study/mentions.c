/* What a study with mistakes still says of cases and structures, so that those can be checked in the same go. */
#include "schema_private.h"
#include "robion/study.h"
#include "robion/text.h"
#include <string.h>

static PetscErrorCode AddMention(MentionKind kind, const char *key, const char *text, Place place, StudyMentions *out)
{
  PetscFunctionBegin;
  Mention *m;
  if (!text || !*text) PetscFunctionReturn(0);
  PetscCall(PetscRealloc((size_t)(out->n + 1) * sizeof *out->item, &out->item));
  m = &out->item[out->n++];
  m->kind = kind;
  m->key = key;
  PetscCall(PetscStrallocpy(text, &m->text));
  PetscCall(PetscStrallocpy(PlaceText(place).text, &m->where));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddScalar(MentionKind kind, const char *key, const Node *node, StudyMentions *out)
{
  PetscFunctionBegin;
  if (node && node->kind == NODE_SCALAR && !NodeIsNull(node))
    PetscCall(AddMention(kind, key, node->text, node->place, out));
  PetscFunctionReturn(0);
}

static PetscInt Entries(const Node *node, NodeKind kind)
{
  return node && node->kind == kind ? node->n : 0;
}

/* Lists whose entries are about a structure, which cases must have unless they are optional. */
static const char *const listed[] = {"objectives", "constraints", "goals", "metrics", "outcomes"};

static PetscErrorCode AddListed(const char *key, const Node *list, StudyMentions *out)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < Entries(list, NODE_SEQUENCE); i++) {
    const Node *one = list->entry[i].value, *optional = NodeGet(one, "optional");
    PetscBool may_lack;
    if (optional && NodeFlag(optional, &may_lack) && may_lack) continue;
    PetscCall(AddScalar(MENTION_STRUCTURE, key, NodeGet(one, "structure"), out));
    PetscCall(AddScalar(MENTION_STRUCTURE, key, NodeGet(one, "from"), out));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Collect(const Node *root, const char *study_file, StudyMentions *out)
{
  PetscFunctionBegin;
  const Node *cases = NodeGet(root, "cases"), *derived = NodeGet(root, "structures");
  const Node *priority = NodeGet(root, "overlap_priority");
  for (PetscInt i = 0; i < Entries(cases, NODE_SEQUENCE); i++) {
    const Node *one = cases->entry[i].value, *file = NodeGet(one, "file");
    if (file && file->kind == NODE_SCALAR && !NodeIsNull(file)) {
      char *path;
      PetscCall(FileResolvePath(study_file, file->text, &path));
      PetscCall(AddMention(MENTION_CASE_FILE, "cases", path, file->place, out));
      PetscCall(PetscFree(path));
    } else
      PetscCall(AddScalar(MENTION_PHANTOM, "cases", NodeGet(one, "phantom"), out));
  }
  for (PetscInt i = 0; i < Entries(derived, NODE_MAPPING); i++)
    PetscCall(AddMention(MENTION_DERIVED, "structures", derived->entry[i].key, derived->entry[i].place, out));
  PetscCall(AddScalar(MENTION_STRUCTURE, "prescription.target", NodeGet(NodeGet(root, "prescription"), "target"), out));
  const Node *beams = NodeGet(root, "beams"), *stages = NodeGet(root, "stages");
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(listed); k++)
    PetscCall(AddListed(listed[k], NodeGet(root, listed[k]), out));
  for (PetscInt i = 0; i < Entries(beams, NODE_SEQUENCE); i++)
    PetscCall(AddScalar(MENTION_STRUCTURE, "beams.target", NodeGet(beams->entry[i].value, "target"), out));
  for (PetscInt i = 0; i < Entries(stages, NODE_SEQUENCE); i++)
    PetscCall(AddScalar(MENTION_STRUCTURE, "stages", NodeGet(stages->entry[i].value, "target"), out));
  const Node *tissues = NodeGet(NodeGet(root, "biology"), "tissues");
  for (PetscInt t = 0; t < Entries(tissues, NODE_SEQUENCE); t++) {
    const Node *names = NodeGet(tissues->entry[t].value, "structures");
    for (PetscInt i = 0; i < Entries(names, NODE_SEQUENCE); i++)
      PetscCall(AddScalar(MENTION_STRUCTURE, "biology.tissues", names->entry[i].value, out));
  }
  const Node *brain = NodeGet(NodeGet(root, "activity"), "brain");
  for (PetscInt i = 0; i < Entries(brain, NODE_SEQUENCE); i++)
    PetscCall(AddScalar(MENTION_STRUCTURE, "activity.brain", brain->entry[i].value, out));
  const Node *spared = NodeGet(NodeGet(root, "spot_control"), "structures");
  for (PetscInt i = 0; i < Entries(spared, NODE_SEQUENCE); i++)
    PetscCall(AddScalar(MENTION_STRUCTURE, "spot_control.structures", spared->entry[i].value, out));
  for (PetscInt i = 0; i < Entries(priority, NODE_SEQUENCE); i++)
    PetscCall(AddScalar(MENTION_STRUCTURE, "overlap_priority", priority->entry[i].value, out));
  PetscFunctionReturn(0);
}

PetscErrorCode StudyMentionsRead(const char *file, PetscInt n_set, const char *const *set, StudyMentions *out)
{
  PetscFunctionBegin;
  Mistakes ignored = {0}; /* told already by whoever read the study */
  Pool pool;
  Node *root;
  char *text;
  size_t length;
  const Place start = {file, 1, 1, PETSC_FALSE};
  PetscCall(PetscArrayzero(out, 1));
  PetscCall(PoolCreate(&pool));
  if (FileRead(file, &text, &length, &ignored)) {
    PetscCall(YamlRead(pool, text, length, start, ROBION_STUDY, &ignored, &root));
    if (root && root->kind == NODE_MAPPING) {
      PetscCall(StudySet(pool, root, n_set, set, &ignored));
      PetscCall(Collect(root, file, out));
    }
    PetscCall(PetscFree(text));
  }
  PetscCall(PetscSegBufferDestroy(&pool));
  PetscCall(MistakesClear(&ignored));
  PetscFunctionReturn(0);
}

PetscErrorCode StudyMentionsDestroy(StudyMentions *mentions)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < mentions->n; i++) {
    PetscCall(PetscFree(mentions->item[i].text));
    PetscCall(PetscFree(mentions->item[i].where));
  }
  PetscCall(PetscFree(mentions->item));
  mentions->n = 0;
  PetscFunctionReturn(0);
}
