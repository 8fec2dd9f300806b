/*
 * Constraints as terms of the problem. The augmented Lagrangian of a bound c(x) <= 0 with penalty r and multiplier r u is
 * r/2 max(0, c + u)^2 (Rockafellar 1973): the usual squared excess over a goal that lies u below the bound. So a constraint is an
 * overdose, underdose or mean term whose goals the solver moves: voxel by voxel, or one for the structure's mean. A point of
 * the dose-volume histogram is no smooth function of the doses; its goal is moved in the same way by D_v, as a shifted penalty
 * (Powell 1969), which where it comes to rest keeps the bound.
 */
#include "problem_private.h"

PetscInt ConstraintSize(const Term *term)
{
  return term->type == &objective_overdose || term->type == &objective_underdose ? term->n : 1;
}

PetscErrorCode ConstraintPrepare(Term *term)
{
  PetscFunctionBegin;
  if (ConstraintSize(term) != term->n || term->goal_of_voxel) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(term->n, &term->goal_of_voxel));
  for (PetscInt i = 0; i < term->n; i++) term->goal_of_voxel[i] = term->bound;
  PetscFunctionReturn(0);
}

PetscErrorCode ProblemGetConstraints(Problem p, PetscInt *n, PetscInt *n_multiplier)
{
  PetscFunctionBegin;
  *n = *n_multiplier = 0;
  for (PetscInt t = 0; t < p->spec.n_term; t++) {
    if (!p->spec.term[t].hard) continue;
    (*n)++;
    *n_multiplier += ConstraintSize(&p->spec.term[t]);
  }
  PetscFunctionReturn(0);
}

/* +1: at most the bound; -1: at least. */
static double Side(const Term *term)
{
  return term->type == &objective_underdose ? -1 : 1;
}

PetscErrorCode ConstraintsShift(Problem p)
{
  PetscFunctionBegin;
  const double *penalty = p->penalty, *shift = p->shift;
  PetscCallMPI(MPI_Bcast(p->penalty, (PetscMPIInt)p->n_hard, MPI_DOUBLE, 0, p->comm));
  PetscCallMPI(MPI_Bcast(p->shift, (PetscMPIInt)p->n_multiplier, MPI_DOUBLE, 0, p->comm));
  for (PetscInt t = 0; t < p->spec.n_term; t++) {
    Term *term = &p->spec.term[t];
    if (!term->hard) continue;
    term->weight = *penalty++;
    if (term->goal_of_voxel)
      for (PetscInt i = 0; i < term->n; i++) term->goal_of_voxel[i] = term->bound - Side(term) * shift[i];
    else
      term->goal = term->bound - shift[0];
    shift += ConstraintSize(term);
  }
  PetscFunctionReturn(0);
}

/* Where a hard term's distribution is: over the worst values of all scenarios, or the nominal ones. */
static PetscInt HardSlot(Problem p, const Term *term)
{
  if (term->mode == ROBUST_NONE) return SLOT_NOMINAL;
  return p->spec.set->n + (Side(term) < 0 ? EXTRA_LOW : EXTRA_HIGH);
}

PetscErrorCode ConstraintsMeasure(Problem p)
{
  PetscFunctionBegin;
  double *excess = p->excess;
  for (PetscInt t = 0; t < p->spec.n_term; t++) {
    const Term *term = &p->spec.term[t];
    if (!term->hard) continue;
    const PetscInt slot = HardSlot(p, term), at = t * p->n_slot + slot, size = ConstraintSize(term);
    PetscCall(PetscArrayzero(excess, size));
    if (!term->goal_of_voxel && p->rank == 0)
      excess[0] = (term->type == &objective_max_dvh ? p->landmark[at].value : p->inner[at]) - term->bound;
    for (PetscInt k = 0; k < p->n_local && term->goal_of_voxel; k++) {
      const TermPart *part = &p->block[k].part[t];
      for (PetscInt i = part->begin; i < part->end; i++)
        excess[i] = Side(term) * (SlotValue(part, p->spec.set->n, slot, i - part->begin) - term->bound);
    }
    excess += size;
  }
  /* Each entry has one owner and zeros elsewhere: this sum is exact in any order. */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, p->excess, (PetscMPIInt)p->n_multiplier, MPI_DOUBLE, MPI_SUM, p->comm));
  PetscFunctionReturn(0);
}

double ConstraintsPart(Problem p)
{
  double sum = 0;
  for (PetscInt t = 0; t < p->spec.n_term; t++)
    if (p->spec.term[t].hard) sum += p->value[t * p->n_slot + HardSlot(p, &p->spec.term[t])];
  return sum;
}
