/**
 * Work in a process of its own, for libraries that do not survive every file: on some damaged ones HDF5, NIfTI's library and
 * matio crash, never return, or take all memory. Part of base.
 *
 * A child is a fork. It reads the file and gives what it has found through a socket, so that this process never shows the file
 * to the library: whatever damage does to the library's memory ends with the child, and what comes back is judged like any
 * input. Reading the file again here, after a child that lived, would not be as safe: what a library reads beyond its
 * memory depends on what else lies there. A child that crashes, takes more processor time than its file can need, or is
 * killed for its memory (the kernel takes it first) is one mistake of this process.
 *
 * Limits: a child must not call MPI. Where a network writes into a rank's memory (InfiniBand), forking needs Linux 5.12 or
 * newer, which copies such pages at once, or RDMAV_FORK_SAFE=1. Not collective.
 */
#pragma once
#include "robion/error.h"
#include <sys/types.h>

/** The other process, as either side sees it. */
typedef struct Child {
  pid_t process; /* 0 in the child itself */
  int socket;
} Child;

/**
 * Begin work(self, context) in a child that ends after it, quietly: no standard error, no core, deaf to the signals that ask
 * robion to stop. The processor time it may take grows with the size of `file`. False and a mistake (ROBION_RESOURCES) where
 * no process can be made. End it with ChildEnd.
 */
PetscBool ChildBegin(const char *file, void (*work)(const Child *self, void *context), void *context,
                     Mistakes *mistakes, Child *child);

/** In a child that reads file after file: let the next one take the processor time that its size needs. */
void ChildAllow(const char *file);

/** Wait for the child's end. False and one mistake about `file` if it did not end by itself. */
PetscBool ChildEnd(Child *child, const char *file, Mistakes *mistakes);

/** Stop a child whose answers make no sense; ChildEnd then says that it failed. */
void ChildRefuse(const Child *child);

/** Send bytes to the other side or receive exactly n; false once it has ended. */
PetscBool ChildSend(const Child *child, const void *data, size_t n);
PetscBool ChildReceive(const Child *child, void *data, size_t n);

/** The same with a list of mistakes; those received are added. */
PetscBool ChildSendMistakes(const Child *child, const Mistakes *mistakes);
PetscBool ChildReceiveMistakes(const Child *child, Mistakes *mistakes);
