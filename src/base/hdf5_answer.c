/*
 * The process that reads an HDF5 file for another one (see robion/child.h): it answers questions about the file until the
 * other side hangs up. Identifiers and memory that a damaged file costs go with it.
 */
#include "hdf5_private.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define H5_QUIET H5E_BEGIN_TRY

typedef struct Opened {
  const char *name;
  hid_t file;
} Opened;

PetscBool H5PathExists(hid_t file, const char *path)
{
  char part[H5_LONGEST_PATH];
  size_t length = strlen(path);
  if (!length || length >= sizeof part) return PETSC_FALSE;
  if (!strcmp(path, "/")) return PETSC_TRUE;
  htri_t exists = 1;
  H5_QUIET
  {
    for (size_t i = 1; i <= length && exists > 0; i++)
      if (path[i] == '/' || path[i] == 0) {
        memcpy(part, path, i);
        part[i] = 0;
        exists = H5Lexists(file, part, H5P_DEFAULT);
      }
  }
  H5E_END_TRY
  return exists > 0 ? PETSC_TRUE : PETSC_FALSE;
}

size_t H5Elements(int n, const hsize_t *dims)
{
  const hsize_t most = (hsize_t)1 << 36;
  hsize_t count = 1;
  for (int i = 0; i < n; i++) {
    if (!dims[i] || dims[i] > most / count) return 0;
    count *= dims[i];
  }
  return (size_t)count;
}

/* An enumeration of FALSE = 0 and TRUE = 1: how h5py stores booleans. */
static PetscBool IsBoolean(hid_t type)
{
  static const char *const names[2] = {"FALSE", "TRUE"};
  PetscBool good = H5Tget_class(type) == H5T_ENUM && H5Tget_nmembers(type) == 2 ? PETSC_TRUE : PETSC_FALSE;
  for (unsigned i = 0; good && i < 2; i++) {
    unsigned char value[16] = {0}; /* converted in place */
    int number = -1;
    hid_t whole = H5Tget_super(type);
    char *name = H5Tget_member_name(type, i);
    if (H5Tget_size(type) <= sizeof value && H5Tget_member_value(type, i, value) >= 0 &&
        H5Tconvert(whole, H5T_NATIVE_INT, 1, value, NULL, H5P_DEFAULT) >= 0)
      memcpy(&number, value, sizeof number);
    good = (number == 0 || number == 1) && name && !strcasecmp(name, names[number]) ? PETSC_TRUE : PETSC_FALSE;
    H5free_memory(name);
    H5Tclose(whole);
  }
  return good;
}

/* What a type that is no number is, for messages. */
static const char *NameOfClass(H5T_class_t class)
{
  switch (class) {
  case H5T_ENUM:
    return "an enumeration other than FALSE = 0, TRUE = 1";
  case H5T_STRING:
    return "strings";
  case H5T_BITFIELD:
    return "bit fields";
  case H5T_COMPOUND:
    return "compounds, such as complex numbers";
  default:
    return "no numbers";
  }
}

/* What a dataspace and a type say; both are closed. */
static H5Shape ShapeOf(hid_t space, hid_t type)
{
  H5Shape shape = {.there = PETSC_TRUE, .n = -1};
  H5T_class_t class = type >= 0 ? H5Tget_class(type) : H5T_NO_CLASS;
  shape.integers = class == H5T_INTEGER ? PETSC_TRUE : PETSC_FALSE;
  shape.booleans = type >= 0 ? IsBoolean(type) : PETSC_FALSE;
  shape.numbers = shape.integers || shape.booleans || class == H5T_FLOAT ? PETSC_TRUE : PETSC_FALSE;
  snprintf(shape.other, sizeof shape.other, "%s", NameOfClass(class));
  if (space >= 0) shape.n = H5Sget_simple_extent_ndims(space);
  if (shape.n > H5_MOST_DIMS) shape.n = -1;
  if (shape.n >= 0) H5Sget_simple_extent_dims(space, shape.dims, NULL);
  if (space >= 0) shape.count = H5Sget_simple_extent_npoints(space);
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  return shape;
}

static void AnswerShape(const Opened *opened, const H5Request *request, H5Reply *reply)
{
  if (*request->attribute) {
    hid_t a = H5Aopen_by_name(opened->file, request->path, request->attribute, H5P_DEFAULT, H5P_DEFAULT);
    if (a >= 0) reply->shape = ShapeOf(H5Aget_space(a), H5Aget_type(a));
  } else {
    hid_t data = H5Dopen2(opened->file, request->path, H5P_DEFAULT);
    if (data >= 0) reply->shape = ShapeOf(H5Dget_space(data), H5Dget_type(data));
  }
  reply->good = reply->shape.there;
}

typedef struct NameBlock {
  size_t length, capacity;
  char *text;
} NameBlock;

static herr_t AddName(hid_t group, const char *name, const H5L_info_t *info, void *context)
{
  NameBlock *block = context;
  const size_t more = strlen(name) + 1;
  if (block->length + more > block->capacity) {
    block->capacity = 2 * block->capacity + more + 1024;
    if (PetscRealloc(block->capacity, &block->text)) return -1;
  }
  memcpy(block->text + block->length, name, more);
  block->length += more;
  return 0;
}

/* Names one after the other, each with its zero. */
static void *AnswerNames(const Opened *opened, const H5Request *request, H5Reply *reply, Mistakes *mistakes)
{
  NameBlock block = {0};
  herr_t status = -1;
  hid_t group = H5Gopen2(opened->file, request->path, H5P_DEFAULT);
  if (group >= 0) status = H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, NULL, AddName, &block);
  reply->good = status >= 0 ? PETSC_TRUE : PETSC_FALSE;
  reply->bytes = block.length;
  if (!reply->good)
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: cannot be listed, expected a group", opened->name,
                      request->path);
  return block.text;
}

/* Whether an array is as it was asked for; its dims are completed. */
static PetscBool CheckArray(const Opened *opened, const H5Request *request, H5Shape *shape, Mistakes *mistakes)
{
  const char *name = opened->name, *path = request->path;
  PetscInt before = mistakes->n;
  if (!shape->numbers)
    (void)MistakesAdd(mistakes, ROBION_INPUT,
                      "%s: %s: not a numeric dataset: holds %s, expected integers, floating-point numbers or h5py's "
                      "booleans",
                      name, path, *shape->other ? shape->other : "what HDF5 cannot tell");
  else if (shape->n != request->n)
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: has %d dimensions, expected %d", name, path, shape->n,
                      request->n);
  else
    for (int i = 0; i < request->n && mistakes->n == before; i++)
      if (request->dims[i] > 0 && request->dims[i] != shape->dims[i])
        (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: dimension %d is %llu, expected %llu", name, path, i,
                          (unsigned long long)shape->dims[i], (unsigned long long)request->dims[i]);
      else if (!shape->dims[i])
        (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: empty, expected at least one element", name, path);
  return mistakes->n == before ? PETSC_TRUE : PETSC_FALSE;
}

/* Why a dataset that is there cannot be read. */
static void TellUnreadable(const Opened *opened, const char *path, hid_t data, Mistakes *mistakes)
{
  hid_t create = H5Dget_create_plist(data);
  for (int i = 0; i < H5Pget_nfilters(create); i++) {
    unsigned flags, about;
    size_t n = 0;
    char name[64] = "";
    const H5Z_filter_t filter = H5Pget_filter2(create, (unsigned)i, &flags, &n, NULL, sizeof name, name, &about);
    if (filter < 0 || H5Zfilter_avail(filter) > 0) continue;
    (void)MistakesAdd(mistakes, ROBION_INPUT,
                      "%s: %s: compressed by filter %d%s%.40s%s, which HDF5 lacks here: rewrite the file where it is "
                      "there, by h5repack -f GZIP=4, or in h5py with compression=\"gzip\"",
                      opened->name, path, (int)filter, *name ? " (" : "", name, *name ? ")" : "");
    return;
  }
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: cannot be read (file truncated or damaged)", opened->name, path);
}

static void *AnswerArray(const Opened *opened, const H5Request *request, H5Reply *reply, Mistakes *mistakes)
{
  void *array = NULL;
  if (!H5PathExists(opened->file, request->path)) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: missing dataset", opened->name, request->path);
    return NULL;
  }
  AnswerShape(opened, request, reply);
  reply->good = CheckArray(opened, request, &reply->shape, mistakes);
  if (!reply->good) return NULL;
  reply->good = PETSC_FALSE;
  reply->bytes = H5Elements(request->n, reply->shape.dims) * H5Tget_size(request->type);
  if (reply->bytes && !MistakesMalloc(reply->bytes, mistakes, &array, "%s: %s", opened->name, request->path))
    return NULL;
  hid_t data = H5Dopen2(opened->file, request->path, H5P_DEFAULT);
  if (array && H5Dread(data, request->type, H5S_ALL, H5S_ALL, H5P_DEFAULT, array) >= 0)
    reply->good = PETSC_TRUE;
  else
    TellUnreadable(opened, request->path, data, mistakes);
  return array;
}

static void *AnswerNumbers(const Opened *opened, const H5Request *request, H5Reply *reply, Mistakes *mistakes)
{
  double *value = NULL;
  AnswerShape(opened, request, reply);
  const H5Shape *shape = &reply->shape;
  const long long found = shape->numbers ? shape->count : 0;
  reply->good = PETSC_FALSE;
  if (!shape->there)
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: missing attribute %s", opened->name, request->path,
                      request->attribute);
  else if (found != request->n || PetscMalloc1((size_t)found, &value))
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: attribute %s has %lld numbers, expected %d", opened->name,
                      request->path, request->attribute, found, request->n);
  else {
    hid_t a = H5Aopen_by_name(opened->file, request->path, request->attribute, H5P_DEFAULT, H5P_DEFAULT);
    reply->good = H5Aread(a, H5T_NATIVE_DOUBLE, value) >= 0 ? PETSC_TRUE : PETSC_FALSE;
    reply->bytes = (size_t)found * sizeof *value;
    if (!reply->good)
      (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: attribute %s cannot be read (file truncated or damaged)",
                        opened->name, request->path, request->attribute);
  }
  return value;
}

static herr_t ReadText(hid_t object, hid_t memory, void *text)
{
  if (H5Iget_type(object) == H5I_ATTR) return H5Aread(object, memory, text);
  return H5Dread(object, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, text);
}

/* Read an open attribute or dataset of one string, of either kind, into fresh memory. */
static char *ReadString(hid_t object)
{
  const PetscBool attribute = H5Iget_type(object) == H5I_ATTR ? PETSC_TRUE : PETSC_FALSE;
  char *text = NULL;
  hid_t type = attribute ? H5Aget_type(object) : H5Dget_type(object),
        space = attribute ? H5Aget_space(object) : H5Dget_space(object);
  if (H5Tget_class(type) != H5T_STRING || H5Sget_simple_extent_npoints(space) != 1) return NULL;
  hid_t memory = H5Tcopy(H5T_C_S1);
  H5Tset_cset(memory, H5Tget_cset(type));
  if (H5Tis_variable_str(type) > 0) {
    H5Tset_size(memory, H5T_VARIABLE);
    if (ReadText(object, memory, &text) < 0) text = NULL;
  } else {
    const size_t size = H5Tget_size(type);
    if (PetscCalloc1(size + 1, &text)) return NULL;
    H5Tset_size(memory, size + 1);
    if (ReadText(object, memory, text) < 0) text = NULL;
  }
  return text;
}

static void *AnswerString(const Opened *opened, const H5Request *request, H5Reply *reply, Mistakes *mistakes)
{
  const PetscBool attribute = *request->attribute ? PETSC_TRUE : PETSC_FALSE;
  hid_t object = attribute ? H5Aopen_by_name(opened->file, request->path, request->attribute, H5P_DEFAULT, H5P_DEFAULT)
                           : H5Dopen2(opened->file, request->path, H5P_DEFAULT);
  char *text = object >= 0 ? ReadString(object) : NULL;
  reply->good = text || (object < 0 && request->optional) ? PETSC_TRUE : PETSC_FALSE;
  reply->bytes = text ? strlen(text) + 1 : 0;
  if (!reply->good)
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: %s%s%s", opened->name, request->path,
                      attribute ? "attribute " : "", request->attribute,
                      object < 0 ? " is missing" : " is not a string");
  return text;
}

static void *Answer(const Opened *opened, const H5Request *request, H5Reply *reply, Mistakes *mistakes)
{
  switch (request->question) {
  case H5_HAS:
    reply->good = H5PathExists(opened->file, request->path);
    return NULL;
  case H5_SHAPE:
    AnswerShape(opened, request, reply);
    return NULL;
  case H5_NAMES:
    return AnswerNames(opened, request, reply, mistakes);
  case H5_ARRAY:
    return AnswerArray(opened, request, reply, mistakes);
  case H5_NUMBERS:
    return AnswerNumbers(opened, request, reply, mistakes);
  default:
    return AnswerString(opened, request, reply, mistakes);
  }
}

void H5Answer(const Child *self, void *context)
{
  Opened opened = {.name = context};
  H5Request request;
  H5_QUIET
  {
    opened.file = H5Fopen(opened.name, H5F_ACC_RDONLY, H5P_DEFAULT);
    const PetscBool open = opened.file >= 0 ? PETSC_TRUE : PETSC_FALSE;
    PetscBool listens = ChildSend(self, &open, sizeof open);
    while (open && listens && ChildReceive(self, &request, sizeof request)) {
      H5Reply reply = {.good = PETSC_FALSE};
      Mistakes mistakes = {0};
      void *data = Answer(&opened, &request, &reply, &mistakes);
      if (!data || !reply.good) reply.bytes = 0;
      listens = ChildSend(self, &reply, sizeof reply) && ChildSendMistakes(self, &mistakes) &&
                        ChildSend(self, data, reply.bytes)
                    ? PETSC_TRUE
                    : PETSC_FALSE;
      if (request.question == H5_ARRAY) (void)PetscFree(data); /* what is large */
      (void)MistakesClear(&mistakes);
    }
  }
  H5E_END_TRY
}
