/*
 * One HDF5 file by all ranks, so that it is whole or not there. The same calls run three times: to measure (how many bytes at
 * most, every number finite) before anything is created, to write into space that is reserved, and to read back what was written
 * and compare it. Only then does the file get its name. All ranks agree on every failure before they act on it.
 */
#include "shared_file.h"
#include "robion/memory.h"
#include "robion/text.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Arrays above this are cut into chunks of about CHUNK_BYTES and compressed. */
enum { PLAIN_BYTES = 1024, CHUNK_BYTES = 1 << 18, GZIP_LEVEL = 4 };
/* Room for an object's header, its link, its attributes and the index of its chunks, per object and per chunk. */
enum { OBJECT_BYTES = 8192, CHUNK_INDEX_BYTES = 256, FILE_BYTES = 65536 };
/* What HDF5 and MPI take beside as much as the file has. */
enum { WRITING_BYTES = 32 << 20 };

PetscErrorCode SharedFileMeasure(MPI_Comm comm, SharedFile *file)
{
  PetscFunctionBegin;
  memset(file, 0, sizeof *file);
  file->comm = comm;
  PetscCallMPI(MPI_Comm_rank(comm, &file->rank));
  PetscCallMPI(MPI_Comm_size(comm, &file->size));
  file->pass = PASS_MEASURE;
  file->bytes = FILE_BYTES;
  file->sink.id = -1;
  PetscFunctionReturn(0);
}

/* Make `reason` (an errno, 0 for none) of rank 0 or of any other rank known to all. */
static PetscErrorCode AgreeOn(const SharedFile *file, int *reason)
{
  PetscFunctionBegin;
  int mine = *reason;
  PetscCallMPI(MPI_Allreduce(&mine, reason, 1, MPI_INT, MPI_MAX, file->comm));
  PetscFunctionReturn(0);
}

/*
 * Take the blocks now: a disk that fills up in the middle of a collective write leaves some ranks waiting for others for
 * ever, or the data is lost without a word. posix_fallocate writes to every block where the file system cannot reserve, and
 * fsync brings out what a network file system or a quota only finds then. Returns an errno.
 */
static int ReserveSpace(const char *name, size_t bytes, PetscBool create)
{
  struct rlimit limit;
  int reason = 0, descriptor = create ? FileCreate(name) : open(name, O_RDWR);
  if (descriptor < 0) return errno;
  if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur != RLIM_INFINITY && (size_t)limit.rlim_cur < bytes)
    reason = EFBIG;
  if (!reason) reason = posix_fallocate(descriptor, 0, (off_t)bytes);
  if (!reason && fsync(descriptor)) reason = errno;
  if (close(descriptor) && !reason) reason = errno;
  return reason;
}

static hid_t CreateTogether(const SharedFile *file)
{
  hid_t id = -1, create = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
  H5E_BEGIN_TRY
  {
    H5Pset_obj_track_times(create, 0);
    H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_V110);
    H5Pset_fapl_mpio(access, file->comm, MPI_INFO_NULL);
    H5Pset_all_coll_metadata_ops(access, 1);
    H5Pset_coll_metadata_write(access, 1);
    id = H5Fcreate(file->sink.temporary, H5F_ACC_TRUNC, create, access);
    H5Pclose(create);
    H5Pclose(access);
  }
  H5E_END_TRY
  return id;
}

static PetscErrorCode GiveUp(SharedFile *file, int reason, Mistakes *mistakes)
{
  PetscFunctionBegin;
  if (file->rank == 0) unlink(file->sink.temporary);
  PetscCall(MistakesAdd(mistakes, ROBION_RESOURCES, "%s: cannot be written: %s", file->sink.name,
                        reason ? strerror(reason) : "disk full or not writable"));
  PetscCall(PetscFree(file->sink.name));
  PetscCall(PetscFree(file->sink.temporary));
  PetscFunctionReturn(0);
}

PetscErrorCode SharedFileOpen(SharedFile *file, const char *name, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char temporary[PETSC_MAX_PATH_LEN];
  int reason = 0;
  PetscCall(MemoryRoom(file->comm, file->bytes + WRITING_BYTES)); /* without it HDF5 would fail on some ranks alone */
  file->pass = PASS_WRITE;
  snprintf(temporary, sizeof temporary, "%s.tmp", name);
  PetscCall(PetscStrallocpy(name, &file->sink.name));
  PetscCall(PetscStrallocpy(temporary, &file->sink.temporary));
  if (file->rank == 0) reason = ReserveSpace(temporary, file->bytes, PETSC_TRUE);
  PetscCall(AgreeOn(file, &reason));
  if (!reason) {
    file->sink.id = CreateTogether(file);
    if (file->sink.id < 0) reason = EIO;
    PetscCall(AgreeOn(file, &reason));
    /* HDF5 has cut the file to nothing, which gave the blocks back. */
    if (!reason && file->rank == 0) reason = ReserveSpace(temporary, file->bytes, PETSC_FALSE);
    PetscCall(AgreeOn(file, &reason));
    if (reason && file->sink.id >= 0) {
      H5E_BEGIN_TRY
      {
        H5Fclose(file->sink.id);
      }
      H5E_END_TRY
      file->sink.id = -1;
    }
  }
  if (reason) PetscCall(GiveUp(file, reason, mistakes));
  PetscFunctionReturn(0);
}

/* Every rank must leave a dataset with the same opinion, or the next collective call would be missing some. */
static PetscErrorCode AgreeOnFailure(SharedFile *file)
{
  PetscFunctionBegin;
  int failed = file->sink.failed;
  PetscCall(AgreeOn(file, &failed));
  file->sink.failed = failed ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckFinite(const char *path, hid_t type, size_t n, const void *data)
{
  PetscFunctionBegin;
  PetscBool is_float = H5Tequal(type, H5T_NATIVE_FLOAT) > 0 ? PETSC_TRUE : PETSC_FALSE;
  if (!is_float && H5Tequal(type, H5T_NATIVE_DOUBLE) <= 0) PetscFunctionReturn(0);
  for (size_t i = 0; i < n; i++) {
    double value = is_float ? (double)((const float *)data)[i] : ((const double *)data)[i];
    PetscCheck(isfinite(value), PETSC_COMM_SELF, PETSC_ERR_FP, "%s: element %zu is %g, only finite numbers are written",
               path, i, value);
  }
  PetscFunctionReturn(0);
}

/* The selection of this rank in the dataset: whole chunks, so that no two ranks share one. */
static void SelectShare(const SharedFile *file, hid_t space, int rank, const hsize_t *dims, hsize_t chunk_rows)
{
  hsize_t chunks = (dims[0] + chunk_rows - 1) / chunk_rows, start[8] = {0}, count[8];
  hsize_t first = chunks * (hsize_t)file->rank / (hsize_t)file->size * chunk_rows;
  hsize_t last = PetscMin(dims[0], chunks * (hsize_t)(file->rank + 1) / (hsize_t)file->size * chunk_rows);
  if (first >= last) {
    H5Sselect_none(space);
    return;
  }
  memcpy(count, dims, (size_t)rank * sizeof *count);
  start[0] = first;
  count[0] = last - first;
  H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
}

static herr_t WriteShare(const SharedFile *file, const char *path, hid_t type, int rank, const hsize_t *dims,
                         size_t row_bytes, const void *data)
{
  hsize_t rows = PetscMax((hsize_t)1, dims[0]);
  hid_t links = H5Pcreate(H5P_LINK_CREATE), create = H5Pcreate(H5P_DATASET_CREATE),
        transfer = H5Pcreate(H5P_DATASET_XFER);
  H5Pset_create_intermediate_group(links, 1);
  H5Pset_obj_track_times(create, 0);
  H5Pset_dxpl_mpio(transfer, H5FD_MPIO_COLLECTIVE);
  if (dims[0] * row_bytes > PLAIN_BYTES) {
    hsize_t chunk[8];
    memcpy(chunk, dims, (size_t)rank * sizeof *chunk);
    rows = chunk[0] = PetscMin(dims[0], PetscMax((hsize_t)1, CHUNK_BYTES / row_bytes));
    H5Pset_chunk(create, rank, chunk);
    H5Pset_shuffle(create);
    H5Pset_deflate(create, GZIP_LEVEL);
  }
  hid_t space = H5Screate_simple(rank, dims, NULL);
  hid_t set = H5Dcreate2(file->sink.id, path, type, space, links, create, H5P_DEFAULT);
  SelectShare(file, space, rank, dims, rows);
  herr_t status = set < 0 ? -1 : 0;
  if (!status && dims[0] > 0)
    status = H5Dwrite(set, type, space, space, transfer, data); /* HDF5 cannot write nothing */
  if (set >= 0 && H5Dclose(set) < 0) status = -1;
  H5Sclose(space);
  H5Pclose(links);
  H5Pclose(create);
  H5Pclose(transfer);
  return status;
}

/* Compare what is on disk with what should be: all of it, as a lost chunk is zeros or does not decompress. */
static PetscErrorCode VerifyArray(SharedFile *file, const char *path, hid_t type, size_t bytes, const void *data)
{
  PetscFunctionBegin;
  if (!bytes) PetscFunctionReturn(0);
  char *found;
  PetscCall(PetscMalloc1(bytes, &found));
  H5E_BEGIN_TRY
  {
    hid_t set = H5Dopen2(file->sink.id, path, H5P_DEFAULT);
    herr_t status = set < 0 ? -1 : H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, found);
    if (status < 0 || memcmp(found, data, bytes)) file->sink.failed = PETSC_TRUE;
    if (set >= 0) H5Dclose(set);
  }
  H5E_END_TRY
  PetscCall(PetscFree(found));
  PetscFunctionReturn(0);
}

PetscErrorCode SharedFileArray(SharedFile *file, const char *path, hid_t type, int rank, const hsize_t *dims,
                               const void *data, const char *unit, const char *long_name)
{
  PetscFunctionBegin;
  size_t row_bytes = H5Tget_size(type), bytes;
  for (int i = 1; i < rank; i++) row_bytes *= (size_t)dims[i];
  bytes = row_bytes * (size_t)dims[0];
  if (file->pass == PASS_MEASURE) {
    PetscCall(CheckFinite(path, type, bytes / H5Tget_size(type), data));
    file->bytes += bytes + bytes / 256 + OBJECT_BYTES +
                   CHUNK_INDEX_BYTES * (bytes / CHUNK_BYTES + dims[0] / (1 + CHUNK_BYTES / row_bytes));
    PetscFunctionReturn(0);
  }
  if (file->sink.failed) PetscFunctionReturn(0);
  if (file->pass == PASS_VERIFY) {
    if (file->rank == 0) PetscCall(VerifyArray(file, path, type, bytes, data));
    PetscFunctionReturn(0);
  }
  H5E_BEGIN_TRY
  {
    if (WriteShare(file, path, type, rank, dims, row_bytes, data) < 0) file->sink.failed = PETSC_TRUE;
  }
  H5E_END_TRY
  PetscCall(AgreeOnFailure(file));
  H5WriteString(&file->sink, path, "unit", unit);
  H5WriteString(&file->sink, path, "long_name", long_name);
  PetscCall(AgreeOnFailure(file));
  PetscFunctionReturn(0);
}

PetscErrorCode SharedFileStrings(SharedFile *file, const char *path, PetscInt n, const char *const *strings,
                                 const char *long_name)
{
  PetscFunctionBegin;
  size_t width = 1;
  char *block;
  hsize_t dims = (hsize_t)n;
  for (PetscInt i = 0; i < n; i++) width = PetscMax(width, strlen(strings[i]));
  PetscCall(PetscCalloc1((size_t)n * width + 1, &block));
  for (PetscInt i = 0; i < n; i++) memcpy(block + (size_t)i * width, strings[i], strlen(strings[i]));
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, width);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  H5Tset_cset(type, H5T_CSET_UTF8);
  PetscCall(SharedFileArray(file, path, type, 1, &dims, block, "text", long_name));
  H5Tclose(type);
  PetscCall(PetscFree(block));
  PetscFunctionReturn(0);
}

PetscErrorCode SharedFileGroup(SharedFile *file, const char *path)
{
  PetscFunctionBegin;
  if (file->pass == PASS_MEASURE) {
    file->bytes += OBJECT_BYTES;
    PetscFunctionReturn(0);
  }
  if (file->pass == PASS_VERIFY) PetscFunctionReturn(0);
  H5WriteGroup(&file->sink, path);
  PetscCall(AgreeOnFailure(file));
  PetscFunctionReturn(0);
}

PetscErrorCode SharedFileString(SharedFile *file, const char *path, const char *attribute, const char *text)
{
  PetscFunctionBegin;
  if (file->pass == PASS_MEASURE) {
    file->bytes += strlen(text) + strlen(attribute) + CHUNK_INDEX_BYTES;
    PetscFunctionReturn(0);
  }
  if (file->pass == PASS_WRITE) H5WriteString(&file->sink, path, attribute, text);
  PetscFunctionReturn(0);
}

PetscErrorCode SharedFileDoubles(SharedFile *file, const char *path, const char *attribute, int n, const double *value)
{
  PetscFunctionBegin;
  if (file->pass == PASS_MEASURE) {
    for (int i = 0; i < n; i++)
      PetscCheck(isfinite(value[i]), PETSC_COMM_SELF, PETSC_ERR_FP,
                 "%s: attribute %s is %g, only finite numbers are written", path, attribute, value[i]);
    file->bytes += (size_t)n * sizeof *value + CHUNK_INDEX_BYTES;
    PetscFunctionReturn(0);
  }
  if (file->pass == PASS_WRITE) H5WriteDoubles(&file->sink, path, attribute, n, value);
  PetscFunctionReturn(0);
}

/* Give back what is left of the reserved blocks, make the bytes durable, give the file its name. Returns an errno. */
static int Finish(const H5Sink *sink)
{
  struct stat facts;
  int descriptor = open(sink->temporary, O_RDWR);
  if (descriptor < 0) return errno;
  int reason = fstat(descriptor, &facts) || ftruncate(descriptor, facts.st_size) || fsync(descriptor) ? errno : 0;
  if (close(descriptor) && !reason) reason = errno;
  if (!reason && FilePut(sink->temporary, sink->name)) reason = errno;
  return reason;
}

/*
 * HDF5 cannot forget a file without writing what it still holds of it, and a file it could not close makes it crash when the
 * program ends. On a full disk cutting the file to nothing gives the room for those last bytes.
 */
static PetscErrorCode CloseWritten(SharedFile *file)
{
  PetscFunctionBegin;
  /* Asking again for the space finds a disk that has become full, before HDF5 writes its last bytes together. */
  if (file->rank == 0 && ReserveSpace(file->sink.temporary, file->bytes, PETSC_FALSE)) file->sink.failed = PETSC_TRUE;
  PetscCall(AgreeOnFailure(file));
  if (file->sink.failed) {
    if (file->rank == 0 && truncate(file->sink.temporary, 0)) unlink(file->sink.temporary);
    PetscCallMPI(MPI_Barrier(file->comm));
  }
  H5E_BEGIN_TRY
  {
    if (H5Fclose(file->sink.id) < 0) file->sink.failed = PETSC_TRUE;
  }
  H5E_END_TRY
  file->sink.id = -1;
  PetscCall(AgreeOnFailure(file));
  PetscFunctionReturn(0);
}

PetscErrorCode SharedFileColumn(SharedFile *file, const char *folder, const char *name, PetscInt n, const double *data,
                                const char *unit, const char *long_name)
{
  PetscFunctionBegin;
  char path[512];
  hsize_t dims = (hsize_t)n;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  PetscCall(SharedFileArray(file, path, H5T_NATIVE_DOUBLE, 1, &dims, data, unit, long_name));
  PetscFunctionReturn(0);
}

PetscErrorCode SharedFileNumber(SharedFile *file, const char *path, const char *attribute, double value)
{
  PetscFunctionBegin;
  PetscCall(SharedFileDoubles(file, path, attribute, 1, &value));
  PetscFunctionReturn(0);
}

PetscErrorCode SharedFileReopen(SharedFile *file)
{
  PetscFunctionBegin;
  file->pass = PASS_VERIFY;
  PetscCall(AgreeOnFailure(file));
  PetscCall(CloseWritten(file));
  if (file->rank == 0 && !file->sink.failed) {
    H5E_BEGIN_TRY
    {
      file->sink.id = H5Fopen(file->sink.temporary, H5F_ACC_RDONLY, H5P_DEFAULT);
    }
    H5E_END_TRY
    if (file->sink.id < 0) file->sink.failed = PETSC_TRUE;
  }
  PetscCall(AgreeOnFailure(file));
  PetscFunctionReturn(0);
}

PetscErrorCode SharedFileClose(SharedFile *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  int reason;
  if (file->sink.id >= 0) H5Fclose(file->sink.id);
  file->sink.id = -1;
  PetscCall(AgreeOnFailure(file));
  reason = file->sink.failed ? EIO : 0;
  if (!reason && file->rank == 0) reason = Finish(&file->sink);
  PetscCall(AgreeOn(file, &reason));
  if (reason) PetscCall(GiveUp(file, file->sink.failed ? 0 : reason, mistakes));
  PetscCall(PetscFree(file->sink.name));
  PetscCall(PetscFree(file->sink.temporary));
  PetscFunctionReturn(0);
}
