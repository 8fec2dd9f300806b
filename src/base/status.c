/* status.json, written and read. */
#include "robion/status.h"
#include "robion/json.h"
#include "robion/log.h"
#include "robion/text.h"
#include <string.h>
#include <unistd.h>

const char *const run_state_names[N_STATES] = {"running", "done", "failed", "stopped"};

static PetscErrorCode StatusText(const RunStatus *status, Text *text)
{
  PetscFunctionBegin;
  char started[32], ended[32] = "";
  double last = status->ended > 0 ? status->ended : TimeNow();
  TimeText(status->started, started);
  if (status->ended > 0) TimeText(status->ended, ended);
  const char *key[] = {"state", "plan", "case", "arm", "sweep", "message", "started", "ended"};
  const char *value[] = {run_state_names[status->state],
                         status->plan,
                         status->patient,
                         status->arm,
                         status->sweep,
                         status->message,
                         started,
                         status->ended > 0 ? ended : NULL};
  for (size_t i = 0; i < sizeof key / sizeof *key; i++) {
    PetscCall(TextAdd(text, "%s\"%s\": ", i ? ",\n  " : "{\n  ", key[i]));
    PetscCall(TextAddJSON(text, value[i]));
  }
  if (status->ranks > 0) PetscCall(TextAdd(text, ",\n  \"ranks\": %d", (int)status->ranks));
  PetscCall(TextAdd(text, ",\n  \"seconds\": %.3f\n}\n",
                    status->seconds > 0 ? status->seconds : PetscMax(0.0, last - status->started)));
  PetscFunctionReturn(0);
}

PetscBool StatusWrite(const char *folder, const RunStatus *status, Mistakes *mistakes)
{
  char file[PETSC_MAX_PATH_LEN];
  Text text = {0};
  snprintf(file, sizeof file, "%s/status%s.json", folder, status->part ? status->part : "");
  PetscBool good = StatusText(status, &text) ? PETSC_FALSE : FileReplace(file, text.data, text.length, mistakes);
  (void)TextDestroy(&text);
  return good;
}

PetscErrorCode StatusRead(const char *folder, PlanStatus *status)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN], state[16], *text;
  double ranks;
  size_t length;
  Mistakes unread = {0};
  *status = (PlanStatus){.ranks = 1};
  snprintf(file, sizeof file, "%s/status.json", folder);
  if (!access(file, F_OK) && FileRead(file, &text, &length, &unread)) {
    (void)JSONFindString(text, "state", sizeof state, state);
    for (int s = 0; s < N_STATES; s++)
      if (!strcmp(state, run_state_names[s])) *status = (PlanStatus){PETSC_TRUE, (RunState)s, "", 0, 1};
    if (status->there) {
      (void)JSONFindString(text, "message", sizeof status->message, status->message);
      (void)JSONFindNumber(text, "seconds", &status->seconds);
      if (JSONFindNumber(text, "ranks", &ranks) && ranks >= 1) status->ranks = (PetscInt)ranks;
    }
    PetscCall(PetscFree(text));
  }
  PetscCall(MistakesClear(&unread));
  PetscFunctionReturn(0);
}
