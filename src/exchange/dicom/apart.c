/* Looking at DICOM files of others in a process of its own. */
#include "dicom_private.h"
#include <string.h>
#include <sys/stat.h>

/* What a file may make of itself in memory: DCMTK allocates what lengths promise. */
#define MEMORY_LEAST ((size_t)1 << 31)
#define MEMORY_PER_BYTE 64

typedef struct Apart {
  const char *path;
  const DicomErrand *errand;
  void *context;
} Apart;

static void Limit(const char *path)
{
  struct stat facts;
  DicomLimitMemory(MEMORY_LEAST + (stat(path, &facts) ? 0 : MEMORY_PER_BYTE * (size_t)facts.st_size));
}

/* Sends whether the file has it, and it, or the message. */
static void Work(const Child *self, void *context)
{
  const Apart *apart = context;
  char message[DICOM_MESSAGE] = "";
  DicomFile file;
  Limit(apart->path);
  bool good = DicomOpen(apart->path, &file, message);
  if (good) good = (*apart->errand->look)(DicomSet(file), apart->context, message);
  if (!ChildSend(self, &good, sizeof good)) return;
  if (good)
    (void)(*apart->errand->send)(self, apart->context);
  else
    (void)ChildSend(self, message, sizeof message);
}

static PetscBool Receive(const Child *child, const Apart *apart, Mistakes *mistakes)
{
  char good, message[DICOM_MESSAGE];
  if (!ChildReceive(child, &good, 1)) return PETSC_FALSE;
  if (good == 1) {
    if ((*apart->errand->receive)(child, apart->context)) return PETSC_TRUE;
    ChildRefuse(child);
    return PETSC_FALSE;
  }
  if (!ChildReceive(child, message, sizeof message)) return PETSC_FALSE;
  message[DICOM_MESSAGE - 1] = 0;
  TextRemoveControls(message);
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s", apart->path, message);
  return PETSC_FALSE;
}

PetscBool DicomRun(const char *path, const DicomErrand *errand, void *context, Mistakes *mistakes)
{
  Apart apart = {path, errand, context};
  Child child;
  const PetscInt before = mistakes->n;
  DicomStart();
  if (!FileIsRegular(path, mistakes) || !ChildBegin(path, Work, &apart, mistakes, &child)) return PETSC_FALSE;
  const PetscBool good = Receive(&child, &apart, mistakes);
  if (mistakes->n > before) { /* it is told already */
    Mistakes none = {0};
    (void)ChildEnd(&child, path, &none);
    (void)MistakesClear(&none);
    return PETSC_FALSE;
  }
  if (ChildEnd(&child, path, mistakes) && !good && mistakes->n == before)
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: damaged: what was read of it makes no sense", path);
  return good && mistakes->n == before ? PETSC_TRUE : PETSC_FALSE;
}
