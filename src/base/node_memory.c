/*
 * MPI windows of shared memory, open for reading and writing as long as they live, and copies of arrays in them. A library that has no
 * room for a window says so by an error of its own, of which it knows no more: to a user it is memory that is missing.
 */
#include "robion/node_memory.h"
#include "robion/memory.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>

#define ALIGNMENT 64
#define GIB 1073741824.0
#define HUGE_PAGE ((uintptr_t)2 << 20)

/*
 * Ask for huge pages, as far as the system gives them for such memory: voxels look into volumes of gigabytes at random, each look
 * at another page. Without them it is only slower.
 */
static void PreferHugePages(void *memory, size_t bytes)
{
  const uintptr_t first = ((uintptr_t)memory + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1),
                  last = ((uintptr_t)memory + bytes) & ~(HUGE_PAGE - 1);
  if (last > first) (void)madvise((void *)first, last - first, MADV_HUGEPAGE);
}

/* A part of this process's memory that is a file's; libraries make files for what is shared. */
typedef struct Mapping {
  uintptr_t first, end;
  const char *folder; /* in the line */
  char line[PETSC_MAX_PATH_LEN + 128];
} Mapping;

/* The next one of /proc/self/maps; false at its end. */
static PetscBool MappingNext(FILE *maps, Mapping *mapping)
{
  while (maps && fgets(mapping->line, sizeof mapping->line, maps)) {
    char *path = strchr(mapping->line, '/'), *dash;
    if (!path) continue;
    mapping->first = (uintptr_t)strtoumax(mapping->line, &dash, 16);
    mapping->end = (uintptr_t)strtoumax(dash + 1, NULL, 16);
    mapping->folder = path;
    *strrchr(path, '/') = 0;
    return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

/* The folder of the file behind an address ("": none, as on a rank alone), and bytes of all files there that this process has in its
 * memory. */
static double FolderBehind(const void *address, char folder[PETSC_MAX_PATH_LEN])
{
  Mapping mapping;
  double bytes = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  while (!*folder && MappingNext(maps, &mapping))
    if ((uintptr_t)address >= mapping.first && (uintptr_t)address < mapping.end)
      snprintf(folder, PETSC_MAX_PATH_LEN, "%s", mapping.folder);
  if (maps) rewind(maps);
  while (*folder && MappingNext(maps, &mapping))
    if (!strcmp(mapping.folder, folder)) bytes += (double)(mapping.end - mapping.first);
  if (maps) fclose(maps);
  return bytes;
}

/*
 * Such a file is there before its pages are: if all of them outgrow their file system, the first touch of a page too many ends the
 * program (SIGBUS). /dev/shm has 64 MiB in many a container.
 */
static PetscErrorCode CheckFolder(MPI_Comm node, const void *base, double bytes)
{
  PetscFunctionBegin;
  char folder[PETSC_MAX_PATH_LEN] = "";
  struct statvfs disk;
  double room = INFINITY; /* for these bytes: what is left, and what is not promised to such files yet */
  const double promised = FolderBehind(base, folder) - bytes;
  if (*folder && !statvfs(folder, &disk) && disk.f_blocks)
    room = (double)disk.f_frsize *
           PetscMin((double)disk.f_bavail, (double)disk.f_blocks - promised / (double)disk.f_frsize);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &room, 1, MPI_DOUBLE, MPI_MIN, node));
  PetscCheck(bytes <= room, PETSC_COMM_SELF, PETSC_ERR_MEM,
             "a node's ranks share %.3g GiB more, and the file system for shared memory, %s, has %.3g GiB left",
             bytes / GIB, folder, PetscMax(0.0, room) / GIB);
  PetscFunctionReturn(0);
}

PetscErrorCode NodeMemoryCreate(MPI_Comm node, size_t bytes, PetscBool of_each, MPI_Win *window)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  char *base;
  PetscCallMPI(MPI_Comm_rank(node, &rank));
  const MPI_Aint size = of_each || rank == 0 ? (MPI_Aint)(bytes + ALIGNMENT) : 0;
  unsigned long long all = (unsigned long long)size; /* which every rank sees */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &all, 1, MPI_UNSIGNED_LONG_LONG, MPI_SUM, node));
  PetscCall(MemoryRoom(node, (size_t)all));
  const int refused = MPI_Win_allocate_shared(size, 1, MPI_INFO_NULL, node, &base, window);
  PetscCheck(!refused, PETSC_COMM_SELF, PETSC_ERR_MEM,
             "takes %.3g GiB of memory that a node's ranks share, more than there is", (double)all / GIB);
  PetscCall(CheckFolder(node, base, (double)all));
  PreferHugePages(base, (size_t)size);
  PetscCallMPI(MPI_Win_lock_all(MPI_MODE_NOCHECK, *window));
  PetscFunctionReturn(0);
}

PetscErrorCode NodeMemoryGet(MPI_Win window, PetscMPIInt rank, void **out)
{
  PetscFunctionBegin;
  char *base;
  MPI_Aint size;
  int unit;
  PetscCallMPI(MPI_Win_shared_query(window, rank, &size, &unit, &base));
  *out = base + (ALIGNMENT - (uintptr_t)base % ALIGNMENT) % ALIGNMENT;
  PetscFunctionReturn(0);
}

PetscErrorCode NodeMemoryMeet(MPI_Comm node, int n, MPI_Win *window)
{
  PetscFunctionBegin;
  for (int k = 0; k < n; k++) PetscCallMPI(MPI_Win_sync(window[k]));
  PetscCallMPI(MPI_Barrier(node));
  for (int k = 0; k < n; k++) PetscCallMPI(MPI_Win_sync(window[k]));
  PetscFunctionReturn(0);
}

PetscErrorCode NodeMemoryDestroy(MPI_Win *window)
{
  PetscFunctionBegin;
  PetscCallMPI(MPI_Win_unlock_all(*window));
  PetscCallMPI(MPI_Win_free(window));
  PetscFunctionReturn(0);
}

PetscErrorCode BroadcastBytes(MPI_Comm comm, PetscMPIInt root, void *data, size_t bytes)
{
  PetscFunctionBegin;
  const size_t part = (size_t)1 << 30;
  for (size_t at = 0; at < bytes; at += part)
    PetscCallMPI(MPI_Bcast((char *)data + at, (PetscMPIInt)PetscMin(part, bytes - at), MPI_BYTE, root, comm));
  PetscFunctionReturn(0);
}

/* Room for an array, such that the next one is aligned too. */
static size_t Room(size_t bytes)
{
  return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* The ranks of this node, and the first ranks of all nodes (elsewhere MPI_COMM_NULL); root is the first one of both. */
static PetscErrorCode SplitNodes(MPI_Comm comm, PetscMPIInt root, MPI_Comm *node, MPI_Comm *firsts)
{
  PetscFunctionBegin;
  PetscMPIInt rank, in_node;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  const int key = rank == root ? 0 : rank + 1;
  PetscCallMPI(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, key, MPI_INFO_NULL, node));
  PetscCallMPI(MPI_Comm_rank(*node, &in_node));
  PetscCallMPI(MPI_Comm_split(comm, in_node ? MPI_UNDEFINED : 0, key, firsts));
  PetscFunctionReturn(0);
}

/* Root's array to the first ranks of all nodes, at its place in the node's copy. */
static PetscErrorCode CopyArray(MPI_Comm firsts, PetscBool is_root, void **data, size_t bytes, void *place)
{
  PetscFunctionBegin;
  if (is_root) {
    memcpy(place, *data, bytes);
    PetscCall(PetscFree(*data));
  }
  if (firsts != MPI_COMM_NULL) PetscCall(BroadcastBytes(firsts, 0, place, bytes));
  PetscFunctionReturn(0);
}

PetscErrorCode NodeCopiesCreate(MPI_Comm comm, PetscMPIInt root, PetscInt n, const NodeArray *array, NodeCopies *copy)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  MPI_Comm firsts;
  unsigned long *bytes;
  size_t all = 0;
  char *memory;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscMalloc1(n, &bytes));
  for (PetscInt i = 0; i < n; i++) bytes[i] = rank == root && *(void **)array[i].data ? array[i].bytes : 0;
  PetscCallMPI(MPI_Bcast(bytes, (PetscMPIInt)n, MPI_UNSIGNED_LONG, root, comm));
  for (PetscInt i = 0; i < n; i++) all += Room(bytes[i]);
  PetscCall(SplitNodes(comm, root, &copy->node, &firsts));
  PetscCall(NodeMemoryCreate(copy->node, all, PETSC_FALSE, &copy->window));
  PetscCall(NodeMemoryGet(copy->window, 0, (void **)&memory));
  for (PetscInt i = 0; i < n; i++) {
    void **data = array[i].data;
    if (bytes[i])
      PetscCall(CopyArray(firsts, rank == root ? PETSC_TRUE : PETSC_FALSE, data, bytes[i], memory));
    else if (rank == root)
      PetscCall(PetscFree(*data));
    *data = bytes[i] ? memory : NULL;
    memory += Room(bytes[i]);
  }
  PetscCall(NodeMemoryMeet(copy->node, 1, &copy->window));
  copy->there = PETSC_TRUE;
  if (firsts != MPI_COMM_NULL) PetscCallMPI(MPI_Comm_free(&firsts));
  PetscCall(PetscFree(bytes));
  PetscFunctionReturn(0);
}

PetscErrorCode NodeCopiesDestroy(NodeCopies *copy)
{
  PetscFunctionBegin;
  if (copy->there) {
    PetscCall(NodeMemoryDestroy(&copy->window));
    PetscCallMPI(MPI_Comm_free(&copy->node));
  }
  *copy = (NodeCopies){0};
  PetscFunctionReturn(0);
}
