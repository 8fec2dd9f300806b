/* HDF5 files read without trusting them and written so that equal content gives equal bytes: the shared idioms of all files. */
#include "robion/hdf5.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define H5_QUIET H5E_BEGIN_TRY

PetscBool H5SourceOpen(const char *file, Mistakes *mistakes, H5Source *source)
{
  source->name = file;
  source->id = -1;
  FILE *f = fopen(file, "rb");
  if (!f) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: cannot be opened: %s", file, strerror(errno));
    return PETSC_FALSE;
  }
  unsigned char magic[8] = {0};
  size_t got = fread(magic, 1, sizeof magic, f);
  fclose(f);
  if (got < sizeof magic || memcmp(magic, "\211HDF\r\n\032\n", 8)) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: not an HDF5 file (wrong signature), expected HDF5", file);
    return PETSC_FALSE;
  }
  H5_QUIET
  {
    source->id = H5Fopen(file, H5F_ACC_RDONLY, H5P_DEFAULT);
  }
  H5E_END_TRY
  if (source->id < 0) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: HDF5 file is truncated or damaged and cannot be opened", file);
    return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

void H5SourceClose(H5Source *source)
{
  if (source->id >= 0) H5Fclose(source->id);
  source->id = -1;
}

PetscBool H5SourceHas(const H5Source *source, const char *path)
{
  char part[1024];
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
        exists = H5Lexists(source->id, part, H5P_DEFAULT);
      }
  }
  H5E_END_TRY
  return exists > 0 ? PETSC_TRUE : PETSC_FALSE;
}

/* Open a numeric dataset of the wanted rank and check its dimensions. Returns the dataset or -1 with a mistake. */
static hid_t OpenArray(const H5Source *source, const char *path, int rank, hsize_t *dims, Mistakes *mistakes)
{
  if (!H5SourceHas(source, path)) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: missing dataset", source->name, path);
    return -1;
  }
  hid_t data = -1, space = -1, type = -1;
  int found = -1;
  hsize_t size[8] = {0};
  H5T_class_t class = H5T_NO_CLASS;
  H5_QUIET
  {
    data = H5Dopen2(source->id, path, H5P_DEFAULT);
    if (data >= 0) space = H5Dget_space(data);
    if (data >= 0) type = H5Dget_type(data);
    if (space >= 0) found = H5Sget_simple_extent_ndims(space);
    if (found >= 0 && found <= 8) H5Sget_simple_extent_dims(space, size, NULL);
    if (type >= 0) class = H5Tget_class(type);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
  }
  H5E_END_TRY
  PetscBool good = PETSC_TRUE;
  if (data < 0 || (class != H5T_INTEGER && class != H5T_FLOAT)) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: not a numeric dataset", source->name, path);
    good = PETSC_FALSE;
  } else if (found != rank) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: has %d dimensions, expected %d", source->name, path, found,
                      rank);
    good = PETSC_FALSE;
  }
  for (int i = 0; good && i < rank; i++) {
    if (dims[i] > 0 && dims[i] != size[i]) {
      (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: dimension %d is %llu, expected %llu", source->name, path, i,
                        (unsigned long long)size[i], (unsigned long long)dims[i]);
      good = PETSC_FALSE;
    } else if (size[i] == 0) {
      (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: empty, expected at least one element", source->name, path);
      good = PETSC_FALSE;
    }
    dims[i] = size[i];
  }
  if (good) return data;
  if (data >= 0) {
    H5_QUIET
    {
      H5Dclose(data);
    }
    H5E_END_TRY
  }
  return -1;
}

PetscBool H5ReadArray(const H5Source *source, const char *path, hid_t type, int rank, hsize_t *dims, void *out,
                      Mistakes *mistakes)
{
  void **array = (void **)out;
  *array = NULL;
  hid_t data = OpenArray(source, path, rank, dims, mistakes);
  if (data < 0) return PETSC_FALSE;
  size_t count = 1;
  for (int i = 0; i < rank; i++) count *= (size_t)dims[i];
  herr_t status = -1;
  if (count < ((size_t)1 << 36) &&
      !PetscMallocA(1, PETSC_FALSE, __LINE__, PETSC_FUNCTION_NAME, __FILE__, count * H5Tget_size(type), array)) {
    H5_QUIET
    {
      status = H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *array);
    }
    H5E_END_TRY
  }
  H5_QUIET
  {
    H5Dclose(data);
  }
  H5E_END_TRY
  if (status >= 0) return PETSC_TRUE;
  (void)PetscFree(*array);
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: cannot be read (file truncated or damaged)", source->name, path);
  return PETSC_FALSE;
}

PetscBool H5ReadAttribute(const H5Source *source, const char *path, const char *attribute, int n, double *value,
                          Mistakes *mistakes)
{
  hid_t a = -1;
  hssize_t count = -1;
  herr_t status = -1;
  H5_QUIET
  {
    a = H5Aopen_by_name(source->id, path, attribute, H5P_DEFAULT, H5P_DEFAULT);
    if (a >= 0) {
      hid_t space = H5Aget_space(a), type = H5Aget_type(a);
      H5T_class_t class = H5Tget_class(type);
      count = (class == H5T_INTEGER || class == H5T_FLOAT) ? H5Sget_simple_extent_npoints(space) : -2;
      if (count == n) status = H5Aread(a, H5T_NATIVE_DOUBLE, value);
      H5Sclose(space);
      H5Tclose(type);
      H5Aclose(a);
    }
  }
  H5E_END_TRY
  if (status >= 0) return PETSC_TRUE;
  if (a < 0)
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: missing attribute %s", source->name, path, attribute);
  else
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: attribute %s has %lld numbers, expected %d", source->name, path,
                      attribute, (long long)(count < 0 ? 0 : count), n);
  return PETSC_FALSE;
}

/* Read an open string attribute of either kind into fresh memory. */
static char *ReadStringAttribute(hid_t a)
{
  char *text = NULL;
  hid_t type = H5Aget_type(a), space = H5Aget_space(a);
  if (H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1) {
    hid_t memory = H5Tcopy(H5T_C_S1);
    H5Tset_cset(memory, H5Tget_cset(type));
    if (H5Tis_variable_str(type) > 0) {
      char *found = NULL;
      H5Tset_size(memory, H5T_VARIABLE);
      if (H5Aread(a, memory, &found) >= 0 && found) {
        (void)PetscStrallocpy(found, &text);
        H5free_memory(found);
      }
    } else {
      size_t size = H5Tget_size(type);
      (void)PetscCalloc1(size + 1, &text);
      H5Tset_size(memory, size + 1);
      if (H5Aread(a, memory, text) < 0) (void)PetscFree(text);
    }
    H5Tclose(memory);
  }
  H5Tclose(type);
  H5Sclose(space);
  return text;
}

PetscBool H5ReadString(const H5Source *source, const char *path, const char *attribute, PetscBool optional, char **out,
                       Mistakes *mistakes)
{
  hid_t a = -1;
  *out = NULL;
  H5_QUIET
  {
    a = H5Aopen_by_name(source->id, path, attribute, H5P_DEFAULT, H5P_DEFAULT);
    if (a >= 0) {
      *out = ReadStringAttribute(a);
      H5Aclose(a);
    }
  }
  H5E_END_TRY
  if (*out || (a < 0 && optional)) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: attribute %s %s", source->name, path, attribute,
                    a < 0 ? "is missing" : "is not a string");
  return PETSC_FALSE;
}

PetscBool H5SinkOpen(const char *file, Mistakes *mistakes, H5Sink *sink)
{
  char temporary[PETSC_MAX_PATH_LEN];
  snprintf(temporary, sizeof temporary, "%s.tmp.%ld", file, (long)getpid());
  memset(sink, 0, sizeof *sink);
  sink->id = -1;
  if (PetscStrallocpy(file, &sink->name) || PetscStrallocpy(temporary, &sink->temporary)) return PETSC_FALSE;
  hid_t create = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_obj_track_times(create, 0);
  H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_V110);
  errno = 0;
  H5_QUIET
  {
    sink->id = H5Fcreate(temporary, H5F_ACC_TRUNC, create, access);
  }
  H5E_END_TRY
  H5Pclose(create);
  H5Pclose(access);
  if (sink->id >= 0) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_RESOURCES, "%s: cannot be written: %s", file,
                    errno ? strerror(errno) : "file cannot be created");
  (void)PetscFree(sink->name);
  (void)PetscFree(sink->temporary);
  return PETSC_FALSE;
}

/* Copy a file byte by byte, with its permissions; false with errno where that fails. */
static PetscBool CopyFile(const char *from, const char *to)
{
  char buffer[65536];
  struct stat status;
  size_t n = 0;
  FILE *in = fopen(from, "rb"), *out = in ? fopen(to, "wb") : NULL;
  PetscBool good = out ? PETSC_TRUE : PETSC_FALSE;
  while (good && (n = fread(buffer, 1, sizeof buffer, in)) > 0)
    if (fwrite(buffer, 1, n, out) < n) good = PETSC_FALSE;
  if (in && ferror(in)) good = PETSC_FALSE;
  if (good && (fstat(fileno(in), &status) || fchmod(fileno(out), status.st_mode & 0777))) good = PETSC_FALSE;
  if (in) fclose(in);
  if (out && fclose(out)) good = PETSC_FALSE;
  return good;
}

PetscBool H5SinkExtend(const char *from, const char *file, Mistakes *mistakes, H5Sink *sink)
{
  char temporary[PETSC_MAX_PATH_LEN];
  snprintf(temporary, sizeof temporary, "%s.tmp.%ld", file, (long)getpid());
  memset(sink, 0, sizeof *sink);
  sink->id = -1;
  if (PetscStrallocpy(file, &sink->name) || PetscStrallocpy(temporary, &sink->temporary)) return PETSC_FALSE;
  errno = 0;
  if (CopyFile(from, temporary)) {
    H5_QUIET
    {
      sink->id = H5Fopen(temporary, H5F_ACC_RDWR, H5P_DEFAULT);
    }
    H5E_END_TRY
  }
  if (sink->id >= 0) return PETSC_TRUE;
  (void)MistakesAdd(mistakes, ROBION_RESOURCES, "%s: cannot be added to: %s", file,
                    errno ? strerror(errno) : "not an HDF5 file");
  unlink(temporary);
  (void)PetscFree(sink->name);
  (void)PetscFree(sink->temporary);
  return PETSC_FALSE;
}

void H5Remove(H5Sink *sink, const char *path)
{
  H5Source view = {sink->name, sink->id};
  if (sink->failed || !H5SourceHas(&view, path)) return;
  H5_QUIET
  {
    if (H5Ldelete(sink->id, path, H5P_DEFAULT) < 0) sink->failed = PETSC_TRUE;
  }
  H5E_END_TRY
}

void H5WriteGroup(H5Sink *sink, const char *path)
{
  H5Source view = {sink->name, sink->id};
  if (sink->failed || H5SourceHas(&view, path)) return;
  H5_QUIET
  {
    hid_t links = H5Pcreate(H5P_LINK_CREATE), create = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_obj_track_times(create, 0);
    hid_t group = H5Gcreate2(sink->id, path, links, create, H5P_DEFAULT);
    if (group < 0)
      sink->failed = PETSC_TRUE;
    else
      H5Gclose(group);
    H5Pclose(links);
    H5Pclose(create);
  }
  H5E_END_TRY
}

/* Chunk whole arrays up to 1 MiB and split the slowest dimensions beyond that. */
static void ChunkOf(int rank, const hsize_t *dims, size_t element, hsize_t *chunk)
{
  hsize_t bytes = element;
  for (int i = rank - 1; i >= 0; i--) {
    hsize_t fits = PetscMax((hsize_t)1, ((hsize_t)1 << 20) / bytes);
    chunk[i] = PetscMin(dims[i], fits);
    bytes *= chunk[i];
  }
}

void H5WriteArray(H5Sink *sink, const char *path, hid_t type, int rank, const hsize_t *dims, const void *data,
                  const char *unit, const char *long_name)
{
  if (sink->failed) return;
  H5_QUIET
  {
    hsize_t chunk[8], count = 1;
    for (int i = 0; i < rank; i++) count *= dims[i];
    hid_t links = H5Pcreate(H5P_LINK_CREATE), create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_obj_track_times(create, 0);
    if (rank > 0 && count * H5Tget_size(type) > 1024) {
      ChunkOf(rank, dims, H5Tget_size(type), chunk);
      H5Pset_chunk(create, rank, chunk);
      H5Pset_shuffle(create);
      H5Pset_deflate(create, 4);
    }
    hid_t space = rank > 0 ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
    hid_t set = H5Dcreate2(sink->id, path, type, space, links, create, H5P_DEFAULT);
    if (set < 0 || H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0) sink->failed = PETSC_TRUE;
    if (set >= 0) H5Dclose(set);
    H5Sclose(space);
    H5Pclose(links);
    H5Pclose(create);
  }
  H5E_END_TRY
  if (unit) H5WriteString(sink, path, "unit", unit);
  if (long_name) H5WriteString(sink, path, "long_name", long_name);
}

/* Write one attribute of the given type and extent. */
static void WriteAttribute(H5Sink *sink, const char *path, const char *attribute, hid_t type, hid_t space,
                           const void *data)
{
  H5_QUIET
  {
    hid_t object = H5Oopen(sink->id, path, H5P_DEFAULT);
    hid_t a = object < 0 ? -1 : H5Acreate2(object, attribute, type, space, H5P_DEFAULT, H5P_DEFAULT);
    if (a < 0 || H5Awrite(a, type, data) < 0) sink->failed = PETSC_TRUE;
    if (a >= 0) H5Aclose(a);
    if (object >= 0) H5Oclose(object);
  }
  H5E_END_TRY
}

void H5WriteString(H5Sink *sink, const char *path, const char *attribute, const char *text)
{
  if (sink->failed) return;
  hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
  H5Tset_size(type, strlen(text) + 1);
  H5Tset_cset(type, H5T_CSET_UTF8);
  WriteAttribute(sink, path, attribute, type, space, text);
  H5Tclose(type);
  H5Sclose(space);
}

void H5WriteDoubles(H5Sink *sink, const char *path, const char *attribute, int n, const double *value)
{
  if (sink->failed) return;
  hsize_t count = (hsize_t)n;
  hid_t space = H5Screate_simple(1, &count, NULL);
  WriteAttribute(sink, path, attribute, H5T_NATIVE_DOUBLE, space, value);
  H5Sclose(space);
}

/* Make the file's bytes durable before it gets its final name. */
static int SyncFile(const char *file)
{
  int descriptor = open(file, O_RDWR);
  if (descriptor < 0) return -1;
  int status = fsync(descriptor);
  return close(descriptor) ? -1 : status;
}

PetscBool H5SinkClose(H5Sink *sink, Mistakes *mistakes)
{
  if (sink->id < 0) return PETSC_FALSE;
  errno = 0;
  H5_QUIET
  {
    if (H5Fflush(sink->id, H5F_SCOPE_GLOBAL) < 0) sink->failed = PETSC_TRUE;
    if (H5Fclose(sink->id) < 0) sink->failed = PETSC_TRUE;
  }
  H5E_END_TRY
  sink->id = -1;
  if (!sink->failed && (SyncFile(sink->temporary) || rename(sink->temporary, sink->name))) sink->failed = PETSC_TRUE;
  if (sink->failed) {
    (void)MistakesAdd(mistakes, ROBION_RESOURCES, "%s: could not be written: %s", sink->name,
                      errno ? strerror(errno) : "disk full or not writable");
    unlink(sink->temporary);
  }
  PetscBool good = sink->failed ? PETSC_FALSE : PETSC_TRUE;
  (void)PetscFree(sink->name);
  (void)PetscFree(sink->temporary);
  return good;
}
