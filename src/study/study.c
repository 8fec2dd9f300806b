/*
 * A study file to a Study: YAML with --set laid over it is read by the schema into settings, once per plan, that is per case, arm and
 * sweep point. Rank 0 reads; the others parse the same text.
 */
#include "robion/study.h"
#include "robion/provenance.h"
#include "robion/text.h"
#include "schema_private.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* No study is that long; whatever is was meant for something else. */
static const size_t most_bytes = 1 << 20;

/* Whether what the biology leaves out depends on what arms or sweep change. */
static PetscErrorCode BiologyChanges(const Node *root, PetscBool *changes)
{
  PetscFunctionBegin;
  const PetscBool tissues = NodeGet(NodeGet(root, "biology"), "tissues") ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(PlansChange(root, tissues ? "biology" : "biology.model", changes));
  if (!*changes) PetscCall(PlansChange(root, "biology.cell_line", changes));
  PetscFunctionReturn(0);
}

/* The study as it is written: complete, but for what would keep the text, read again, from making the same plans. */
static PetscErrorCode WriteStudy(Pool pool, const Node *root, char **yaml)
{
  PetscFunctionBegin;
  Node *complete;
  PetscBool changes;
  PetscCall(StudyComplete(pool, root, &complete));
  PetscCall(BiologyChanges(root, &changes));
  if (changes) {
    Node *given = NodeGet(root, "biology");
    if (!given) PetscCall(NodeCreate(pool, NODE_MAPPING, root->place, &given));
    NodeFind(complete, "biology")->value = given;
  }
  PetscCall(YamlWrite(complete, yaml));
  PetscFunctionReturn(0);
}

/* Turn a tree without mistakes into a study. */
static PetscErrorCode MakeStudy(Pool pool, const Node *root, const char *file, Study **out)
{
  PetscFunctionBegin;
  Study *study;
  PetscCall(PetscNew(&study));
  PetscCall(PetscStrallocpy(NodeGet(root, "name")->text, &study->name));
  PetscCall(PetscStrallocpy(file, &study->file));
  PetscCall(WriteStudy(pool, root, &study->yaml));
  PetscCall(PetscSNPrintf(study->hash, sizeof study->hash, "%016llx",
                          (unsigned long long)HashBytes(HASH_START, study->yaml, strlen(study->yaml))));
  PetscCall(PlansCreate(root, study));
  *out = study;
  PetscFunctionReturn(0);
}

PetscErrorCode StudyParse(const char *text, size_t length, const char *file, PetscInt n_set, const char *const *set,
                          Mistakes *mistakes, Study **out)
{
  PetscFunctionBegin;
  Pool pool;
  Node *root;
  Check check = {.mistakes = mistakes, .root = &schema_study};
  const Place start = {file, 1, 1, PETSC_FALSE};
  PetscInt before = mistakes->n;
  *out = NULL;
  if (length > most_bytes) {
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY, "%s: found %zu bytes, expected a study of at most %zu", file, length,
                          most_bytes));
    PetscFunctionReturn(0);
  }
  PetscCall(PoolCreate(&pool));
  PetscCall(YamlRead(pool, text, length, start, ROBION_STUDY, mistakes, &root));
  if (root && root->kind != NODE_MAPPING) {
    PetscCall(CheckAdd(&check, root->place, "", "found %s, expected the keys of a study (robion: 1, name: ...)",
                       NodeShown(root).text));
    root = NULL;
  }
  PetscCall(StudySet(pool, root, n_set, set, mistakes));
  if (root) {
    PetscCall(SchemaCheck(&check, &schema_study, root, ""));
    PetscCall(PlansCheck(root, mistakes));
  }
  if (mistakes->n == before) PetscCall(MakeStudy(pool, root, file, out));
  PetscCall(PetscSegBufferDestroy(&pool));
  PetscFunctionReturn(0);
}

PetscErrorCode SettingsUpdate(const char *stored, char **today)
{
  PetscFunctionBegin;
  Mistakes mistakes = {0};
  Study *study;
  *today = NULL;
  PetscCall(StudyParse(stored, strlen(stored), "stored settings", 0, NULL, &mistakes, &study));
  if (study && study->n_plans == 1) PetscCall(PetscStrallocpy(study->plans[0].yaml, today));
  PetscCall(StudyDestroy(&study));
  PetscCall(MistakesClear(&mistakes));
  PetscFunctionReturn(0);
}

/* Read the file's text; NULL with a mistake that calls for the exit code of a bad study. */
static PetscErrorCode ReadText(const char *file, Mistakes *mistakes, char **text, size_t *length)
{
  PetscFunctionBegin;
  Mistakes found = {0};
  (void)FileRead(file, text, length, &found);
  PetscCall(MistakesMove(&found, ROBION_STUDY, mistakes));
  PetscFunctionReturn(0);
}

PetscErrorCode StudyLoad(const char *file, PetscInt n_set, const char *const *set, Mistakes *mistakes, Study **out)
{
  PetscFunctionBegin;
  char *text;
  size_t length;
  *out = NULL;
  PetscCall(ReadText(file, mistakes, &text, &length));
  if (text) PetscCall(StudyParse(text, length, file, n_set, set, mistakes, out));
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

/* Every rank parses the same text, which is quicker than sending what comes of it. */
PetscErrorCode StudyLoadAll(MPI_Comm comm, const char *file, PetscInt n_set, const char *const *set, Mistakes *mistakes,
                            Study **out)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  char *text = NULL;
  size_t length = 0;
  *out = NULL;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) PetscCall(ReadText(file, mistakes, &text, &length));
  unsigned long facts[2] = {text ? 1 : 0, length};
  PetscCallMPI(MPI_Bcast(facts, 2, MPI_UNSIGNED_LONG, 0, comm));
  if (facts[0] && facts[1] <= most_bytes) {
    if (rank) PetscCall(PetscMalloc1(facts[1] + 1, &text));
    PetscCallMPI(MPI_Bcast(text, (PetscMPIInt)facts[1], MPI_CHAR, 0, comm));
    PetscCall(StudyParse(text, facts[1], file, n_set, set, mistakes, out));
  } else if (rank == 0 && text)
    PetscCall(StudyParse(text, length, file, n_set, set, mistakes, out));
  PetscCall(MistakesShare(comm, mistakes));
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

PetscErrorCode StudyCheckFile(const char *where, const char *what, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  struct stat facts;
  if (stat(file, &facts))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s %s does not exist", where, what, file));
  else if (!S_ISREG(facts.st_mode))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s %s is not a file", where, what, file));
  else if (access(file, R_OK))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s %s cannot be read", where, what, file));
  PetscFunctionReturn(0);
}

PetscErrorCode StudyCheckFiles(const Study *study, Mistakes *mistakes)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < study->n_plans; i++) {
    const Settings *s = &study->plans[i].settings;
    if (s->patient.file) PetscCall(StudyCheckFile(s->patient.where, "case file", s->patient.file, mistakes));
    if (s->base_data) PetscCall(StudyCheckFile(s->base_data_where, "base data", s->base_data, mistakes));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode StudyDestroy(Study **study)
{
  PetscFunctionBegin;
  if (!*study) PetscFunctionReturn(0);
  for (PetscInt i = 0; i < (*study)->n_plans; i++) PetscCall(PlanDestroy(&(*study)->plans[i]));
  PetscCall(PetscFree((*study)->plans));
  PetscCall(PetscFree((*study)->name));
  PetscCall(PetscFree((*study)->file));
  PetscCall(PetscFree((*study)->yaml));
  PetscCall(PetscFree(*study));
  PetscFunctionReturn(0);
}
