/* Dividing the ranks of a run into teams. */
#include "cohort_private.h"
#include "robion/memory.h"
#include <math.h>

/* Share of a node's or process's free memory that plans may take; the rest is for the system and for what estimates miss. */
static const double MEMORY_SHARE = 0.9;

/* Which of the groups that divide the run this rank's group is, in the order of their first ranks, and how many there are. */
static PetscErrorCode CountGroups(const RunContext *run, MPI_Comm group, PetscMPIInt *index, PetscMPIInt *n)
{
  PetscFunctionBegin;
  PetscMPIInt first = run->plan.rank, *of;
  PetscCallMPI(MPI_Bcast(&first, 1, MPI_INT, 0, group));
  PetscCall(PetscMalloc1(run->plan.size, &of));
  PetscCallMPI(MPI_Allgather(&first, 1, MPI_INT, of, 1, MPI_INT, run->plan.comm));
  *index = *n = 0;
  for (PetscMPIInt r = 0; r < run->plan.size; r++) {
    if (of[r] != r) continue; /* not the first of its group */
    ++*n;
    if (r < first) ++*index;
  }
  PetscCall(PetscFree(of));
  PetscFunctionReturn(0);
}

/* The node of this rank, and what all nodes have at least. */
typedef struct Node {
  MPI_Comm comm;
  PetscMPIInt rank, size, index, n_nodes;
  PetscMPIInt least_size;
  double memory_bytes, least_memory_bytes;
} Node;

static PetscErrorCode NodeCreate(const RunContext *run, Node *node)
{
  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_split_type(run->plan.comm, MPI_COMM_TYPE_SHARED, run->plan.rank, MPI_INFO_NULL, &node->comm));
  PetscCallMPI(MPI_Comm_rank(node->comm, &node->rank));
  PetscCallMPI(MPI_Comm_size(node->comm, &node->size));
  PetscCall(CountGroups(run, node->comm, &node->index, &node->n_nodes));
  node->memory_bytes = node->rank == 0 ? MEMORY_SHARE * MemoryAvailable() : 0;
  PetscCallMPI(MPI_Bcast(&node->memory_bytes, 1, MPI_DOUBLE, 0, node->comm));
  PetscCallMPI(MPI_Allreduce(&node->memory_bytes, &node->least_memory_bytes, 1, MPI_DOUBLE, MPI_MIN, run->plan.comm));
  PetscCallMPI(MPI_Allreduce(&node->size, &node->least_size, 1, MPI_INT, MPI_MIN, run->plan.comm));
  PetscFunctionReturn(0);
}

/* What the size of teams depends on: the plans that are left, and the largest of them. */
typedef struct Pending {
  PetscInt n, units;
  double bytes, own_bytes, *expected_s;
} Pending;

static PetscErrorCode PendingCreate(const RunContext *run, const QueuePlan *plan, Pending *pending)
{
  PetscFunctionBegin;
  const PetscInt n = run->plan.study->n_plans;
  double *measured;
  PetscCall(PetscArrayzero(pending, 1));
  PetscCall(PetscMalloc1(n, &pending->expected_s));
  PetscCall(PetscMalloc1(n, &measured));
  for (PetscInt p = 0; p < n; p++) measured[p] = plan[p].measured_s;
  PetscCall(CostsRefine(run->plan.study, plan, measured, pending->expected_s));
  PetscCall(PetscFree(measured));
  for (PetscInt p = 0; p < n; p++) {
    if (!PlanIsLeft(&plan[p])) continue;
    pending->expected_s[pending->n++] = pending->expected_s[p];
    pending->units = PetscMax(pending->units, plan[p].units);
    if (plan[p].bytes <= pending->bytes) continue;
    pending->bytes = plan[p].bytes;
    pending->own_bytes = plan[p].own_bytes;
  }
  PetscFunctionReturn(0);
}

/* Whether the largest plan fits as often as a node would have teams of this size. */
static PetscBool MemoryAllows(const Pending *pending, const Node *node, PetscInt size)
{
  const PetscInt at_once = PetscMax(1, node->least_size / size);
  const double need =
      (double)at_once * (pending->bytes + (double)(PetscMin(size, node->least_size) - 1) * pending->own_bytes);
  return at_once == 1 || !(node->least_memory_bytes > 0) || need <= node->least_memory_bytes ? PETSC_TRUE : PETSC_FALSE;
}

/* One team per node; several nodes per team if there are fewer plans than nodes, several teams per node if plans are small. */
static PetscInt DefaultSize(const Pending *pending, const Node *node)
{
  PetscInt size = node->least_size;
  if (pending->n && pending->n < node->n_nodes) size *= node->n_nodes / pending->n;
  if (pending->units) size = PetscMin(size, pending->units);
  while (size < node->least_size && !MemoryAllows(pending, node, size)) size++;
  return size;
}

/* The size with which the plans would be done first, as far as the estimates tell. */
static PetscErrorCode FastestSize(const RunContext *run, const Pending *pending, const Node *node, PetscInt *size)
{
  PetscFunctionBegin;
  double shortest = INFINITY;
  const PetscInt most = PetscMax(1, pending->units ? PetscMin(run->plan.size, pending->units) : run->plan.size);
  *size = 1;
  for (PetscInt s = 1; s <= most; s += s < node->least_size ? 1 : node->least_size) {
    double takes;
    if (!MemoryAllows(pending, node, s)) continue;
    PetscCall(ScheduleMakespan(pending->n, pending->expected_s, pending->expected_s, PetscMax(1, run->plan.size / s),
                               &takes));
    takes /= TeamSpeed(s);
    if (takes < shortest) *size = s;
    shortest = PetscMin(shortest, takes);
  }
  PetscFunctionReturn(0);
}

/* Teams of one node take ranks that follow each other there; larger ones fill nodes in turn. What is left over joins the last. */
static PetscInt TeamOf(const RunContext *run, const Node *node, PetscInt size)
{
  if (size >= node->size) return PetscMin(run->plan.rank / size, PetscMax(1, run->plan.size / size) - 1);
  return node->index * run->plan.size + PetscMin(node->rank / size, node->size / size - 1);
}

static PetscErrorCode CountNodes(MPI_Comm comm, PetscMPIInt *n)
{
  PetscFunctionBegin;
  MPI_Comm node;
  PetscMPIInt rank, first;
  PetscCallMPI(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  PetscCallMPI(MPI_Comm_rank(node, &rank));
  first = rank == 0;
  PetscCallMPI(MPI_Allreduce(&first, n, 1, MPI_INT, MPI_SUM, comm));
  PetscCallMPI(MPI_Comm_free(&node));
  PetscFunctionReturn(0);
}

PetscErrorCode TeamCreate(const RunContext *run, const QueuePlan *plan, Team *team)
{
  PetscFunctionBegin;
  Node node;
  Pending pending;
  PetscInt size = run->options->team_size;
  PetscCall(NodeCreate(run, &node));
  PetscCall(PendingCreate(run, plan, &pending));
  if (size == TEAM_PER_NODE)
    size = DefaultSize(&pending, &node);
  else if (size == TEAM_AUTOMATIC)
    PetscCall(FastestSize(run, &pending, &node, &size));
  PetscCallMPI(MPI_Bcast(&size, 1, MPIU_INT, 0, run->plan.comm));
  PetscCallMPI(MPI_Comm_split(run->plan.comm, (int)TeamOf(run, &node, size), run->plan.rank, &team->comm));
  PetscCallMPI(MPI_Comm_rank(team->comm, &team->rank));
  PetscCallMPI(MPI_Comm_size(team->comm, &team->size));
  PetscCall(CountGroups(run, team->comm, &team->index, &team->n_teams));
  PetscCall(CountNodes(team->comm, &team->nodes));
  team->node = node.index;
  PetscCallMPI(MPI_Bcast(&team->node, 1, MPI_INT, 0, team->comm));
  double share = PetscMin(node.memory_bytes / node.size, MEMORY_SHARE * MemoryOfProcess());
  PetscCallMPI(MPI_Allreduce(&share, &team->memory_bytes, 1, MPI_DOUBLE, MPI_SUM, team->comm));
  PetscCall(PetscFree(pending.expected_s));
  PetscCallMPI(MPI_Comm_free(&node.comm));
  PetscFunctionReturn(0);
}

PetscErrorCode TeamDestroy(Team *team)
{
  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_free(&team->comm));
  PetscFunctionReturn(0);
}
