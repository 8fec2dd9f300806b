/* The collective MPI calls of robion, which ask the guard first (see robion/guard.h). */
#include "guard.h"

/* Every call has this form. */
#define ASK_THEN(comm, call)                                                                                           \
  do {                                                                                                                 \
    int refusal = GuardAsk(comm);                                                                                      \
    return refusal ? refusal : call;                                                                                   \
  } while (0)

int MPI_Barrier(MPI_Comm comm)
{
  ASK_THEN(comm, PMPI_Barrier(comm));
}

int MPI_Bcast(void *buffer, int count, MPI_Datatype type, int root, MPI_Comm comm)
{
  ASK_THEN(comm, PMPI_Bcast(buffer, count, type, root, comm));
}

int MPI_Allreduce(const void *send, void *receive, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
  ASK_THEN(comm, PMPI_Allreduce(send, receive, count, type, op, comm));
}

int MPI_Reduce(const void *send, void *receive, int count, MPI_Datatype type, MPI_Op op, int root, MPI_Comm comm)
{
  ASK_THEN(comm, PMPI_Reduce(send, receive, count, type, op, root, comm));
}

int MPI_Exscan(const void *send, void *receive, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
  ASK_THEN(comm, PMPI_Exscan(send, receive, count, type, op, comm));
}

int MPI_Scan(const void *send, void *receive, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
  ASK_THEN(comm, PMPI_Scan(send, receive, count, type, op, comm));
}

int MPI_Gather(const void *send, int n_send, MPI_Datatype send_type, void *receive, int n_receive,
               MPI_Datatype receive_type, int root, MPI_Comm comm)
{
  ASK_THEN(comm, PMPI_Gather(send, n_send, send_type, receive, n_receive, receive_type, root, comm));
}

int MPI_Gatherv(const void *send, int n_send, MPI_Datatype send_type, void *receive, const int *n_receive,
                const int *start, MPI_Datatype receive_type, int root, MPI_Comm comm)
{
  ASK_THEN(comm, PMPI_Gatherv(send, n_send, send_type, receive, n_receive, start, receive_type, root, comm));
}

int MPI_Scatterv(const void *send, const int *n_send, const int *start, MPI_Datatype send_type, void *receive,
                 int n_receive, MPI_Datatype receive_type, int root, MPI_Comm comm)
{
  ASK_THEN(comm, PMPI_Scatterv(send, n_send, start, send_type, receive, n_receive, receive_type, root, comm));
}

int MPI_Allgather(const void *send, int n_send, MPI_Datatype send_type, void *receive, int n_receive,
                  MPI_Datatype receive_type, MPI_Comm comm)
{
  ASK_THEN(comm, PMPI_Allgather(send, n_send, send_type, receive, n_receive, receive_type, comm));
}

int MPI_Allgatherv(const void *send, int n_send, MPI_Datatype send_type, void *receive, const int *n_receive,
                   const int *start, MPI_Datatype receive_type, MPI_Comm comm)
{
  ASK_THEN(comm, PMPI_Allgatherv(send, n_send, send_type, receive, n_receive, start, receive_type, comm));
}

int MPI_Alltoall(const void *send, int n_send, MPI_Datatype send_type, void *receive, int n_receive,
                 MPI_Datatype receive_type, MPI_Comm comm)
{
  ASK_THEN(comm, PMPI_Alltoall(send, n_send, send_type, receive, n_receive, receive_type, comm));
}

int MPI_Alltoallv(const void *send, const int *n_send, const int *send_start, MPI_Datatype send_type, void *receive,
                  const int *n_receive, const int *receive_start, MPI_Datatype receive_type, MPI_Comm comm)
{
  ASK_THEN(comm,
           PMPI_Alltoallv(send, n_send, send_start, send_type, receive, n_receive, receive_start, receive_type, comm));
}

int MPI_Comm_dup(MPI_Comm comm, MPI_Comm *made)
{
  ASK_THEN(comm, PMPI_Comm_dup(comm, made)); /* HDF5 and PETSc make their own so, and handle errors on it themselves */
}

int MPI_Comm_split(MPI_Comm comm, int color, int key, MPI_Comm *made)
{
  int error = GuardAsk(comm);
  if (!error) error = PMPI_Comm_split(comm, color, key, made);
  return error ? error : GuardWatch(comm, *made);
}

int MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *made)
{
  int error = GuardAsk(comm);
  if (!error) error = PMPI_Comm_split_type(comm, type, key, info, made);
  return error ? error : GuardWatch(comm, *made);
}

int MPI_Comm_free(MPI_Comm *comm)
{
  int error = GuardAsk(*comm);
  if (!error) error = GuardForget(*comm);
  return error ? error : PMPI_Comm_free(comm);
}

int MPI_Win_allocate_shared(MPI_Aint size, int unit, MPI_Info info, MPI_Comm comm, void *base, MPI_Win *window)
{
  int error = GuardAsk(comm);
  if (!error) error = PMPI_Win_allocate_shared(size, unit, info, comm, base, window);
  if (!error) GuardWatchWindow(comm, *window);
  return error;
}

int MPI_Win_free(MPI_Win *window)
{
  int error = GuardAskWindow(*window);
  if (error) return error;
  GuardForgetWindow(*window);
  return PMPI_Win_free(window);
}
