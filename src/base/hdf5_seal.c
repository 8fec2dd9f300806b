/*
 * Files that robion writes for itself end, after what HDF5 knows of, with a seal: a word and the hash of every byte before it. HDF5
 * reads such a file as it does without, and cuts the seal off when another program writes to it.
 */
#include "hdf5_private.h"
#include "robion/provenance.h"
#include "robion/text.h"
#include <stdio.h>
#include <string.h>

#define WORD "robion-seal-"
enum { SEAL = sizeof WORD - 1 + 16 };

static void SealOf(const char *content, size_t length, char seal[SEAL + 1])
{
  snprintf(seal, SEAL + 1, WORD "%016llx", (unsigned long long)HashBytes(HASH_START, content, length));
}

PetscBool H5Seal(const char *file)
{
  char *content, seal[SEAL + 1];
  size_t length;
  Mistakes unread = {0};
  PetscBool good = FileRead(file, &content, &length, &unread);
  (void)MistakesClear(&unread);
  if (!good) return PETSC_FALSE;
  SealOf(content, length, seal);
  (void)PetscFree(content);
  FILE *f = fopen(file, "ab");
  if (f && fwrite(seal, 1, SEAL, f) < SEAL) good = PETSC_FALSE;
  return f && !fclose(f) && good ? PETSC_TRUE : PETSC_FALSE;
}

PetscBool H5SealHolds(const char *file, Mistakes *mistakes)
{
  char *content, seal[SEAL + 1];
  size_t length;
  if (!FileIsRegular(file, mistakes) || !FileRead(file, &content, &length, mistakes)) return PETSC_FALSE;
  PetscBool holds = length > SEAL ? PETSC_TRUE : PETSC_FALSE;
  if (holds) {
    SealOf(content, length - SEAL, seal);
    holds = memcmp(content + length - SEAL, seal, SEAL) ? PETSC_FALSE : PETSC_TRUE;
  }
  (void)PetscFree(content);
  if (!holds)
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: damaged or changed: no longer what this robion wrote; remove it",
                      file);
  return holds;
}
