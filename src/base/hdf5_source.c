/* Reading an HDF5 file through a process of its own, which alone shows the file to HDF5 (robion/child.h says why). */
#include "hdf5_private.h"
#include "robion/text.h"
#include <stdio.h>
#include <string.h>

/* The file is there and begins as HDF5 files do: what is wrong in most cases, said without a process. */
static PetscBool LooksLikeHDF5(const char *file, Mistakes *mistakes)
{
  unsigned char magic[8] = {0};
  if (!FileIsRegular(file, mistakes)) return PETSC_FALSE;
  FILE *f = fopen(file, "rb");
  const size_t got = f ? fread(magic, 1, sizeof magic, f) : 0;
  if (f) fclose(f);
  if (got == sizeof magic && !memcmp(magic, "\211HDF\r\n\032\n", 8)) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: not an HDF5 file (wrong signature), expected HDF5", file);
  return PETSC_FALSE;
}

PetscBool H5SourceOpen(const char *file, Mistakes *mistakes, H5Source *source)
{
  PetscBool open = PETSC_FALSE;
  *source = (H5Source){.name = file, .child = {.process = -1, .socket = -1}, .n_before = mistakes->n};
  if (!LooksLikeHDF5(file, mistakes)) return PETSC_FALSE;
  (void)H5open(); /* before the fork: types have their numbers then */
  if (!ChildBegin(file, H5Answer, (void *)file, mistakes, &source->child)) return PETSC_FALSE;
  if (ChildReceive(&source->child, &open, sizeof open) && open) return PETSC_TRUE;
  if (ChildEnd(&source->child, file, mistakes))
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: HDF5 file is truncated or damaged and cannot be opened", file);
  return PETSC_FALSE;
}

PetscBool H5SourceClose(H5Source *source, Mistakes *mistakes)
{
  const PetscBool open = source->child.socket >= 0 ? PETSC_TRUE : PETSC_FALSE;
  Mistakes end = {0};
  if (ChildEnd(&source->child, source->name, &end)) return PETSC_TRUE;
  if (open) MistakesCut(mistakes, source->n_before);
  for (PetscInt i = 0; i < end.n; i++) (void)MistakesAdd(mistakes, end.item[i].exit, "%s", end.item[i].text);
  (void)MistakesClear(&end);
  return PETSC_FALSE;
}

static H5Request Request(H5Question question, const char *path, const char *attribute)
{
  H5Request request = {.question = question};
  snprintf(request.path, sizeof request.path, "%s", path);
  snprintf(request.attribute, sizeof request.attribute, "%s", attribute ? attribute : "");
  return request;
}

/* How many bytes an answer to this question may bring. */
static PetscBool IsExpected(const H5Request *request, const H5Reply *reply)
{
  const size_t most_text = (size_t)1 << 28, n = (size_t)request->n;
  switch (request->question) {
  case H5_HAS:
  case H5_SHAPE:
    return !reply->bytes ? PETSC_TRUE : PETSC_FALSE;
  case H5_ARRAY:
    if (!reply->good) return !reply->bytes ? PETSC_TRUE : PETSC_FALSE;
    for (size_t i = 0; i < n; i++)
      if (request->dims[i] && request->dims[i] != reply->shape.dims[i]) return PETSC_FALSE;
    return reply->bytes && reply->bytes == H5Elements(request->n, reply->shape.dims) * H5Tget_size(request->type)
               ? PETSC_TRUE
               : PETSC_FALSE;
  case H5_NUMBERS:
    return reply->bytes == (reply->good ? n * sizeof(double) : 0) ? PETSC_TRUE : PETSC_FALSE;
  default:
    return reply->bytes <= most_text ? PETSC_TRUE : PETSC_FALSE;
  }
}

/* Take bytes that there is no memory for. */
static PetscBool Drop(const Child *child, size_t bytes)
{
  char nowhere[4096];
  PetscBool good = PETSC_TRUE;
  for (; good && bytes; bytes -= PetscMin(bytes, sizeof nowhere))
    good = ChildReceive(child, nowhere, PetscMin(bytes, sizeof nowhere));
  return good;
}

/* Ask, and receive the data (PetscMalloc'ed, NULL if there are none). False if the answer is no, or none comes. */
static PetscBool Ask(const H5Source *source, const H5Request *request, H5Reply *reply, void *out, Mistakes *mistakes)
{
  void **data = out;
  const Child *child = &source->child;
  *data = NULL;
  if (!ChildSend(child, request, sizeof *request) || !ChildReceive(child, reply, sizeof *reply) ||
      !ChildReceiveMistakes(child, mistakes))
    return PETSC_FALSE; /* H5SourceClose says why */
  PetscBool sound = IsExpected(request, reply), room = PETSC_TRUE;
  if (sound && reply->bytes) {
    room = MistakesMalloc(reply->bytes, mistakes, data, "%s: %s", source->name, request->path);
    sound = room ? ChildReceive(child, *data, reply->bytes) : Drop(child, reply->bytes);
  }
  if (sound && room) return reply->good;
  if (!sound) ChildRefuse(child);
  (void)PetscFree(*data);
  return PETSC_FALSE;
}

PetscBool H5SourceHas(const H5Source *source, const char *path)
{
  const H5Request request = Request(H5_HAS, path, NULL);
  Mistakes none = {0};
  H5Reply reply;
  void *nothing;
  return Ask(source, &request, &reply, &nothing, &none);
}

PetscBool H5SourceShape(const H5Source *source, const char *path, const char *attribute, H5Shape *shape)
{
  const H5Request request = Request(H5_SHAPE, path, attribute);
  Mistakes none = {0};
  H5Reply reply = {.good = PETSC_FALSE};
  void *nothing;
  PetscBool there = Ask(source, &request, &reply, &nothing, &none);
  *shape = reply.shape;
  return there;
}

PetscBool H5ReadNames(const H5Source *source, const char *path, H5Names *names, Mistakes *mistakes)
{
  const H5Request request = Request(H5_NAMES, path, NULL);
  H5Reply reply;
  char *block;
  *names = (H5Names){0};
  if (!Ask(source, &request, &reply, &block, mistakes)) return PETSC_FALSE;
  for (size_t i = 0; i < reply.bytes; i++) names->n += !block[i];
  if (!names->n) return PETSC_TRUE;
  block[reply.bytes - 1] = 0;
  if (PetscMalloc1(names->n, &names->name)) return PETSC_FALSE;
  for (PetscInt i = 0; i < names->n; block += strlen(block) + 1) names->name[i++] = block;
  return PETSC_TRUE;
}

PetscErrorCode H5NamesDestroy(H5Names *names)
{
  PetscFunctionBegin;
  if (names->n) PetscCall(PetscFree(names->name[0])); /* the block that they are parts of */
  PetscCall(PetscFree(names->name));
  names->n = 0;
  PetscFunctionReturn(0);
}

PetscBool H5ReadArray(const H5Source *source, const char *path, hid_t type, int rank, hsize_t *dims, void *out,
                      Mistakes *mistakes)
{
  H5Request request = Request(H5_ARRAY, path, NULL);
  H5Reply reply;
  request.type = type;
  request.n = rank;
  memcpy(request.dims, dims, (size_t)rank * sizeof *dims);
  if (!Ask(source, &request, &reply, out, mistakes)) return PETSC_FALSE;
  memcpy(dims, reply.shape.dims, (size_t)rank * sizeof *dims);
  return PETSC_TRUE;
}

PetscBool H5ReadAttribute(const H5Source *source, const char *path, const char *attribute, int n, double *value,
                          Mistakes *mistakes)
{
  H5Request request = Request(H5_NUMBERS, path, attribute);
  H5Reply reply;
  double *found;
  request.n = n;
  if (!Ask(source, &request, &reply, &found, mistakes)) return PETSC_FALSE;
  memcpy(value, found, (size_t)n * sizeof *value);
  return PetscFree(found) ? PETSC_FALSE : PETSC_TRUE;
}

PetscBool H5ReadString(const H5Source *source, const char *path, const char *attribute, PetscBool optional, char **out,
                       Mistakes *mistakes)
{
  H5Request request = Request(H5_STRING, path, attribute);
  H5Reply reply;
  request.optional = optional;
  if (!Ask(source, &request, &reply, out, mistakes)) return PETSC_FALSE;
  if (*out) (*out)[reply.bytes - 1] = 0;
  return PETSC_TRUE;
}
