/*
 * Looking at DICOM files of others in a process of its own, one for file after file: forking takes longer than reading a slice, the
 * longer the more memory this process holds. A file that the process does not survive costs that file alone: the next one begins a
 * new process. What dies of a file may die of what files before have done to it, so it counts only once a new process dies of it too.
 */
#include "dicom_private.h"
#include <string.h>
#include <sys/stat.h>

/* What a file may make of itself in memory: DCMTK allocates what lengths promise. */
#define MEMORY_LEAST ((size_t)1 << 31)
#define MEMORY_PER_BYTE 64

struct DicomReader {
  PetscBool runs;
  Child child;
};

/* What goes to the other process, which has been forked from this one; the wish's frames follow. */
typedef struct Request {
  const DicomErrand *errand;
  DicomWish wish;
  char path[PETSC_MAX_PATH_LEN];
} Request;

static void Limit(const char *path)
{
  struct stat facts;
  DicomLimitMemory(MEMORY_LEAST + (stat(path, &facts) ? 0 : MEMORY_PER_BYTE * (size_t)facts.st_size));
  ChildAllow(path);
}

/* Sends whether the file has it, and it, or the message. False ends the process. */
static PetscBool Answer(const Child *self, const Request *request)
{
  const DicomErrand *errand = request->errand;
  char message[DICOM_MESSAGE] = "";
  DicomFile file;
  void *found;
  Limit(request->path);
  if (PetscCalloc(errand->size, &found)) return PETSC_FALSE;
  bool good = DicomOpen(request->path, &file, message);
  if (good) good = (*errand->look)(DicomSet(file), &request->wish, found, message);
  const PetscBool sent = ChildSend(self, &good, sizeof good) &&
                                 (good ? (*errand->send)(self, found) : ChildSend(self, message, sizeof message)) &&
                                 !(*errand->clear)(found) && !PetscFree(found)
                             ? PETSC_TRUE
                             : PETSC_FALSE;
  if (file) DicomClose(&file);
  return sent;
}

static void Serve(const Child *self, void *context)
{
  Request request;
  PetscBool good = PETSC_TRUE;
  while (good && ChildReceive(self, &request, sizeof request)) {
    PetscInt *frame;
    const size_t n = (size_t)request.wish.n;
    if (PetscMalloc1(n, &frame)) return;
    request.wish.frame = frame;
    good = ChildReceive(self, frame, n * sizeof *frame) && Answer(self, &request) && !PetscFree(frame) ? PETSC_TRUE
                                                                                                       : PETSC_FALSE;
  }
}

PetscErrorCode DicomReaderCreate(DicomReader **reader)
{
  return PetscCalloc1(1, reader);
}

/* The process has ended, or now does. */
static PetscBool End(DicomReader *reader, const char *path, Mistakes *mistakes)
{
  const PetscBool fine = !reader->runs || ChildEnd(&reader->child, path, mistakes) ? PETSC_TRUE : PETSC_FALSE;
  reader->runs = PETSC_FALSE;
  return fine;
}

PetscErrorCode DicomReaderDestroy(DicomReader **reader)
{
  PetscFunctionBegin;
  Mistakes none = {0};
  if (*reader) (void)End(*reader, "", &none);
  PetscCall(MistakesClear(&none));
  PetscCall(PetscFree(*reader));
  PetscFunctionReturn(0);
}

typedef enum { TOLD, HAD, BROKEN } Outcome; /* a mistake, all of it, an answer that is none or not whole */

static Outcome Ask(const Child *child, const Request *request, void *context, Mistakes *mistakes)
{
  char good, message[DICOM_MESSAGE];
  const DicomWish *wish = &request->wish;
  if (!ChildSend(child, request, sizeof *request) ||
      !ChildSend(child, wish->frame, (size_t)wish->n * sizeof *wish->frame) || !ChildReceive(child, &good, 1))
    return BROKEN;
  if (good == 1) {
    if ((*request->errand->receive)(child, context)) return HAD;
    ChildRefuse(child);
    return BROKEN;
  }
  if (!ChildReceive(child, message, sizeof message)) return BROKEN;
  message[DICOM_MESSAGE - 1] = 0;
  TextRemoveControls(message);
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s", request->path, message);
  return TOLD;
}

/* Ask the process that runs, or a new one; BROKEN after a mistake. */
static Outcome Try(DicomReader *reader, const Request *request, void *context, Mistakes *mistakes)
{
  const char *path = request->path;
  DicomStart();
  if (!reader->runs && !ChildBegin(path, Serve, NULL, mistakes, &reader->child)) return TOLD;
  reader->runs = PETSC_TRUE;
  const Outcome outcome = Ask(&reader->child, request, context, mistakes);
  if (outcome == BROKEN && End(reader, path, mistakes))
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: damaged: what was read of it makes no sense", path);
  return outcome;
}

PetscBool DicomRun(DicomReader *reader, const char *path, const DicomErrand *errand, const DicomWish *wish,
                   void *context, Mistakes *mistakes)
{
  static const DicomWish all = {.n = 0};
  Request request = {.errand = errand, .wish = wish ? *wish : all};
  const PetscInt before = mistakes->n;
  const PetscBool used = reader->runs;
  if (!FileIsRegular(path, mistakes)) return PETSC_FALSE;
  snprintf(request.path, sizeof request.path, "%s", path);
  Outcome outcome = Try(reader, &request, context, mistakes);
  if (outcome == BROKEN && used) {
    MistakesCut(mistakes, before);
    if ((*errand->clear)(context)) return PETSC_FALSE;
    outcome = Try(reader, &request, context, mistakes);
  }
  return outcome == HAD ? PETSC_TRUE : PETSC_FALSE;
}
