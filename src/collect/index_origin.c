/* Which robion made the study's plans, where and how: what provenance.json tells of the last run. */
#include "index_private.h"
#include "robion/json.h"
#include "robion/text.h"
#include <unistd.h>

static PetscErrorCode AddRun(StudyPage *page, const char *json)
{
  PetscFunctionBegin;
  char version[64], commit[64], host[128], started[32], command[4096];
  double ranks;
  Text run = {0};
  (void)JSONFindString(json, "version", sizeof version, version);
  (void)JSONFindString(json, "git", sizeof commit, commit);
  (void)JSONFindString(json, "host", sizeof host, host);
  (void)JSONFindString(json, "started", sizeof started, started);
  (void)JSONFindString(json, "command", sizeof command, command);
  (void)JSONFindNumber(json, "ranks", &ranks);
  PetscCall(TextAdd(&run, "The last run began at %s: robion %s (commit %s), %g rank%s, host %s,", started, version,
                    commit, ranks, ranks == 1 ? "" : "s", host));
  PetscCall(HTMLElement(&page->text, "p", NULL, run.data));
  PetscCall(HTMLElement(&page->text, "pre", "tabindex='0'", command));
  PetscCall(TextDestroy(&run));
  PetscFunctionReturn(0);
}

/* The file as it is. */
static PetscErrorCode AddWhole(StudyPage *page, char *json)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(&page->text, "<details><summary>provenance.json: libraries, and the input files with the hash of "
                                 "their content</summary>\n"));
  PetscCall(HTMLLines(&page->text, json));
  PetscCall(TextAdd(&page->text, "</details>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode IndexOrigin(StudyPage *page)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN], *json;
  size_t length;
  Mistakes unread = {0};
  PetscCall(PetscSNPrintf(file, sizeof file, "%s/provenance.json", page->results));
  if (!access(file, F_OK) && FileRead(file, &json, &length, &unread)) {
    PetscCall(HTMLSection(&page->text, "origin", "Where it comes from"));
    PetscCall(AddRun(page, json));
    PetscCall(AddWhole(page, json));
    PetscCall(HTMLSectionEnd(&page->text));
    PetscCall(PetscFree(json));
  }
  PetscCall(MistakesClear(&unread));
  PetscFunctionReturn(0);
}
