/**
 * Who is at work in a results folder: two runs that do not know of each other would take each other's files for those of dead ones.
 * Locks of fcntl: the system gives them back when their process ends, however it ends, and network file systems carry them to other
 * nodes. Part of base. Not collective: one process of a run takes the lock.
 */
#pragma once
#include "robion/error.h"

/** Locks that a run holds; -1: not held. */
typedef struct FolderLock {
  int whole, part;
} FolderLock;

/**
 * Take <folder>/.lock for a run that works on all of the study (part ""), or share it with the other jobs of an array and take
 * <folder>/.lock<part>. Held by another run: false and a mistake (ROBION_RESOURCES) that says by whom. A file system without locks
 * is told in the log, and no reason not to run.
 */
PetscBool FolderLockTake(const char *folder, const char *part, Mistakes *mistakes, FolderLock *lock);
/** Give it back. */
void FolderLockRelease(FolderLock *lock);

/**
 * Take the lock of a file, made where it is not; while another process holds it, wait up to wait_s, which the log says once ("waiting
 * for another run that <waiting_for>"). -1: not held, as it took too long or there can be no such file or lock.
 */
int FileLockWait(const char *file, double wait_s, const char *waiting_for);
/** Give it back and set it to -1; the file stays, as others may wait for it. */
void FileLockRelease(int *descriptor);
