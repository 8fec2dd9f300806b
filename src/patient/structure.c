/* Structures derived from others: margins, booleans, rings. */
#include "structure_private.h"
#include <string.h>

/* Distances that should be equal to a margin may miss it by rounding. */
static const double rounding_mm = 1e-5;

/* The structure of that name if it can be used: mistakes (ROBION_INPUT) if it is not in the case or has no voxel. */
static PetscErrorCode FindUsable(const Case *patient, const char *name, const char *expression, const char *where,
                                 Mistakes *mistakes, const Structure **found)
{
  PetscFunctionBegin;
  PetscInt s = CaseFindStructure(patient, name);
  *found = NULL;
  if (s < 0) {
    const char **names;
    PetscCall(PetscMalloc1((size_t)patient->n_structures, &names));
    for (PetscInt i = 0; i < patient->n_structures; i++) names[i] = patient->structures[i].name;
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: \"%s\": case %s has no structure \"%s\"%s", where, expression,
                          patient->name, name, SuggestName(" (", name, patient->n_structures, names).text));
    PetscCall(PetscFree(names));
  } else if (!memchr(patient->structures[s].mask, 1, GridSize(&patient->ct))) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: \"%s\": structure \"%s\" of case %s is empty", where, expression,
                          name, patient->name));
  } else
    *found = &patient->structures[s];
  PetscFunctionReturn(0);
}

/* mask = from < distance from the surface of A <= to; A itself belongs to it if from < 0. */
static PetscErrorCode WithinDistance(const Case *patient, const unsigned char *a, double from_mm, double to_mm,
                                     unsigned char *mask)
{
  PetscFunctionBegin;
  float *distance_mm;
  size_t n = GridSize(&patient->ct);
  PetscInt external = CaseFindExternal(patient);
  PetscCall(PetscMalloc1(n, &distance_mm));
  PetscCall(DistanceToSurface(&patient->ct, a, distance_mm));
  for (size_t v = 0; v < n; v++)
    mask[v] = distance_mm[v] > from_mm + (from_mm > 0 ? rounding_mm : 0) && distance_mm[v] <= to_mm + rounding_mm;
  if (external >= 0)
    for (size_t v = 0; v < n; v++) mask[v] &= patient->structures[external].mask[v];
  PetscCall(PetscFree(distance_mm));
  PetscFunctionReturn(0);
}

/* What is left of A farther than the distance from the surface of its complement. The edge of the CT is no surface. */
static PetscErrorCode Contract(const Grid *ct, const unsigned char *a, double distance_mm, unsigned char *mask)
{
  PetscFunctionBegin;
  float *depth_mm;
  size_t n = GridSize(ct);
  PetscCall(PetscMalloc1(n, &depth_mm));
  for (size_t v = 0; v < n; v++) mask[v] = !a[v];
  PetscCall(DistanceToSurface(ct, mask, depth_mm));
  for (size_t v = 0; v < n; v++) mask[v] = depth_mm[v] > distance_mm + rounding_mm;
  PetscCall(PetscFree(depth_mm));
  PetscFunctionReturn(0);
}

static PetscErrorCode FillMask(const Case *patient, const Expression *e, const unsigned char *a, const unsigned char *b,
                               unsigned char *mask)
{
  PetscFunctionBegin;
  size_t n = GridSize(&patient->ct);
  const PetscBool two = e->operation == SUBTRACT || e->operation == INTERSECT || e->operation == UNITE;
  PetscCheck(b || !two, PETSC_COMM_SELF, PETSC_ERR_PLIB, "operation %d without its second structure",
             (int)e->operation);
  switch (e->operation) {
  case EXPAND:
    PetscCall(WithinDistance(patient, a, -1, e->to_mm, mask));
    for (size_t v = 0; v < n; v++) mask[v] |= a[v]; /* also where A itself leaves the external */
    break;
  case RING:
    PetscCall(WithinDistance(patient, a, e->from_mm, e->to_mm, mask));
    break;
  case CONTRACT:
    PetscCall(Contract(&patient->ct, a, e->to_mm, mask));
    break;
  case SUBTRACT:
    for (size_t v = 0; v < n; v++) mask[v] = a[v] & !b[v];
    break;
  case INTERSECT:
    for (size_t v = 0; v < n; v++) mask[v] = a[v] & b[v];
    break;
  case UNITE:
    for (size_t v = 0; v < n; v++) mask[v] = a[v] | b[v];
    break;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode StructureAdd(Case *patient, const char *name, Role role, unsigned char *mask)
{
  PetscFunctionBegin;
  PetscCall(PetscRealloc((size_t)(patient->n_structures + 1) * sizeof *patient->structures, &patient->structures));
  Structure *added = &patient->structures[patient->n_structures++];
  PetscCall(PetscStrallocpy(name, &added->name));
  added->role = role;
  added->mask = mask;
  PetscFunctionReturn(0);
}

PetscErrorCode StructureDerive(Case *patient, const char *name, const char *expression, const char *where,
                               Mistakes *mistakes)
{
  PetscFunctionBegin;
  Expression e;
  PetscBool good;
  const Structure *a = NULL, *b = NULL;
  PetscCall(ExpressionParse(expression, where, mistakes, &e, &good));
  if (good && CaseFindStructure(patient, name) >= 0) {
    PetscCall(MistakesAdd(mistakes, ROBION_STUDY, "%s: case %s already has a structure \"%s\", expected a new name",
                          where, patient->name, name));
    good = PETSC_FALSE;
  }
  if (good) {
    PetscCall(FindUsable(patient, e.a, expression, where, mistakes, &a));
    if (e.b) PetscCall(FindUsable(patient, e.b, expression, where, mistakes, &b));
    good = a && (b || !e.b) ? PETSC_TRUE : PETSC_FALSE;
  }
  if (good) {
    unsigned char *mask;
    Role role = e.operation == RING || a->role == ROLE_EXTERNAL ? ROLE_OAR : a->role;
    PetscCall(PetscMalloc1(GridSize(&patient->ct), &mask));
    PetscCall(FillMask(patient, &e, a->mask, b ? b->mask : NULL, mask));
    if (memchr(mask, 1, GridSize(&patient->ct)))
      PetscCall(StructureAdd(patient, name, role, mask));
    else {
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: structure \"%s\" = \"%s\" has no voxel in case %s", where,
                            name, expression, patient->name));
      PetscCall(PetscFree(mask));
    }
  }
  PetscCall(ExpressionDestroy(&e));
  PetscFunctionReturn(0);
}
