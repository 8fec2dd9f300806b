/* HDF5 files written by one rank so that equal content gives equal bytes. */
#include "robion/text.h"
#include "hdf5_private.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define H5_QUIET H5E_BEGIN_TRY

static void TemporaryName(const char *file, pid_t process, char name[PETSC_MAX_PATH_LEN])
{
  snprintf(name, PETSC_MAX_PATH_LEN, "%s.tmp.%ld", file, (long)process);
}

void H5SinkForget(const char *file, pid_t process)
{
  char temporary[PETSC_MAX_PATH_LEN];
  TemporaryName(file, process, temporary);
  unlink(temporary);
}

PetscBool H5SinkOpen(const char *file, Mistakes *mistakes, H5Sink *sink)
{
  char temporary[PETSC_MAX_PATH_LEN];
  TemporaryName(file, getpid(), temporary);
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
  TemporaryName(file, getpid(), temporary);
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
  if (sink->failed || !H5PathExists(sink->id, path)) return;
  H5_QUIET
  {
    if (H5Ldelete(sink->id, path, H5P_DEFAULT) < 0) sink->failed = PETSC_TRUE;
  }
  H5E_END_TRY
}

void H5WriteGroup(H5Sink *sink, const char *path)
{
  if (sink->failed || H5PathExists(sink->id, path)) return;
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
  if (!sink->failed && sink->sealed && !H5Seal(sink->temporary)) sink->failed = PETSC_TRUE;
  if (!sink->failed && (SyncFile(sink->temporary) || FilePut(sink->temporary, sink->name))) sink->failed = PETSC_TRUE;
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
