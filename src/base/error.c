/* Mistakes of users: a growing list of lines, shared among ranks in rank order; names near to a misspelt one. */
#include "robion/error.h"
#include "robion/memory.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

PetscErrorCode MistakesAdd(Mistakes *mistakes, RobionExit exit_code, const char *format, ...)
{
  PetscFunctionBegin;
  va_list arguments;
  va_start(arguments, format);
  char line[4096];
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  for (char *c = line; *c; c++)
    if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = ' '; /* names come from files */
  for (PetscInt i = 0; i < mistakes->n; i++)
    if (!strcmp(mistakes->item[i].text, line)) PetscFunctionReturn(0);
  if (mistakes->n == mistakes->capacity) {
    mistakes->capacity = mistakes->capacity ? 2 * mistakes->capacity : 16;
    PetscCall(PetscRealloc((size_t)mistakes->capacity * sizeof *mistakes->item, &mistakes->item));
  }
  Mistake *m = &mistakes->item[mistakes->n++];
  m->exit = exit_code;
  PetscCall(PetscStrallocpy(line, &m->text));
  PetscFunctionReturn(0);
}

/* Small arrays are not worth asking; of large ones malloc would promise more than there is. */
static PetscErrorCode TryMalloc(size_t bytes, void **memory)
{
  const size_t small = (size_t)64 << 20;
  if (bytes > small && (double)bytes > MemoryOfProcess()) return PETSC_ERR_MEM;
  (void)PetscPushErrorHandler(PetscReturnErrorHandler, NULL);
  const PetscErrorCode error = PetscMallocA(1, PETSC_FALSE, __LINE__, PETSC_FUNCTION_NAME, __FILE__, bytes, memory);
  (void)PetscPopErrorHandler();
  return error;
}

PetscBool MistakesMalloc(size_t bytes, Mistakes *mistakes, void *out, const char *format, ...)
{
  void **memory = out;
  char purpose[1024];
  va_list arguments;
  *memory = NULL;
  if (!TryMalloc(bytes, memory)) return PETSC_TRUE;
  *memory = NULL;
  va_start(arguments, format);
  vsnprintf(purpose, sizeof purpose, format, arguments);
  va_end(arguments);
  (void)MistakesAdd(mistakes, ROBION_RESOURCES, "%s: takes %.3g GiB of memory, more than there is", purpose,
                    (double)bytes / 1073741824.0);
  return PETSC_FALSE;
}

PetscBool MistakesAny(const Mistakes *mistakes)
{
  return mistakes->n > 0 ? PETSC_TRUE : PETSC_FALSE;
}

PetscBool MistakesCallFor(const Mistakes *mistakes, RobionExit exit_code)
{
  for (PetscInt i = 0; i < mistakes->n; i++)
    if (mistakes->item[i].exit == exit_code) return PETSC_TRUE;
  return PETSC_FALSE;
}

RobionExit MistakesExit(const Mistakes *mistakes)
{
  return mistakes->n ? mistakes->item[0].exit : ROBION_DONE;
}

const char *MistakesFirst(const Mistakes *mistakes)
{
  return mistakes->n && mistakes->item ? mistakes->item[0].text : "";
}

void MistakesPrint(const Mistakes *mistakes)
{
  fflush(stdout);
  for (PetscInt i = 0; i < mistakes->n; i++) fprintf(stderr, "robion: %s\n", mistakes->item[i].text);
  fflush(stderr);
}

PetscErrorCode MistakesShare(MPI_Comm comm, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscMPIInt rank, size, first;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscMPIInt mine = mistakes->n ? rank : size;
  PetscCallMPI(MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, comm));
  if (first == size) PetscFunctionReturn(0);
  PetscInt n = mistakes->n;
  PetscCallMPI(MPI_Bcast(&n, 1, MPIU_INT, first, comm));
  if (rank != first) PetscCall(MistakesClear(mistakes));
  for (PetscInt i = 0; i < n; i++) {
    char line[4096] = "";
    int exit_code = 0;
    if (rank == first) {
      snprintf(line, sizeof line, "%s", mistakes->item[i].text);
      exit_code = (int)mistakes->item[i].exit;
    }
    PetscCallMPI(MPI_Bcast(line, (PetscMPIInt)sizeof line, MPI_CHAR, first, comm));
    PetscCallMPI(MPI_Bcast(&exit_code, 1, MPI_INT, first, comm));
    if (rank != first) PetscCall(MistakesAdd(mistakes, (RobionExit)exit_code, "%s", line));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode MistakesMove(Mistakes *from, RobionExit exit_code, Mistakes *to)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < from->n; i++)
    PetscCall(MistakesAdd(to, exit_code ? exit_code : from->item[i].exit, "%s", from->item[i].text));
  PetscCall(MistakesClear(from));
  PetscFunctionReturn(0);
}

void MistakesCut(Mistakes *mistakes, PetscInt n)
{
  while (mistakes->n > n) {
    mistakes->n--;
    (void)PetscFree(mistakes->item[mistakes->n].text);
  }
}

PetscErrorCode MistakesClear(Mistakes *mistakes)
{
  PetscFunctionBegin;
  MistakesCut(mistakes, 0);
  PetscCall(PetscFree(mistakes->item));
  mistakes->capacity = 0;
  PetscFunctionReturn(0);
}

/* Levenshtein distance of two short strings. */
static PetscInt EditDistance(const char *a, const char *b)
{
  enum { LONGEST = 96 };
  size_t na = strnlen(a, LONGEST - 1), nb = strnlen(b, LONGEST - 1);
  PetscInt row[LONGEST];
  for (size_t j = 0; j <= nb; j++) row[j] = (PetscInt)j;
  for (size_t i = 1; i <= na; i++) {
    PetscInt diagonal = row[0];
    row[0] = (PetscInt)i;
    for (size_t j = 1; j <= nb; j++) {
      PetscInt substitute = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = row[j];
      row[j] = PetscMin(substitute, PetscMin(row[j], row[j - 1]) + 1);
    }
  }
  return row[nb];
}

const char *NearestName(const char *found, PetscInt n, const char *const *known)
{
  const char *best = NULL;
  PetscInt best_distance = 2 + (PetscInt)strlen(found) / 3;
  for (PetscInt i = 0; i < n; i++) {
    PetscInt distance = EditDistance(found, known[i]);
    if (distance < best_distance) {
      best_distance = distance;
      best = known[i];
    }
  }
  return best;
}

Suggestion SuggestName(const char *opening, const char *found, PetscInt n, const char *const *known)
{
  Suggestion out = {""};
  const char *nearest = NearestName(found, n, known);
  if (nearest)
    snprintf(out.text, sizeof out.text, "%sdid you mean %.100s?%s", opening, nearest, strchr(opening, '(') ? ")" : "");
  return out;
}
