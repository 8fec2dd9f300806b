/* What digital patients are made of: ovals, ellipsoids and tubes; their structures, grid and skin. */
#include "phantom_private.h"
#include "robion/structure.h"
#include <math.h>
#include <stdio.h>

PetscBool InOval(double half_x_mm, double half_y_mm, double x_mm, double y_mm)
{
  const double across = fabs(x_mm) / half_x_mm, along = fabs(y_mm) / half_y_mm;
  if (across > 1 || along > 1) return PETSC_FALSE;
  return across + along <= 1 || pow(across, 2.4) + pow(along, 2.4) <= 1;
}

double EllipsoidLevel(const double centre_mm[3], const double half_mm[3], double more_mm, const double x_mm[3])
{
  double level = 0;
  for (int k = 0; k < 3; k++) level += Square((x_mm[k] - centre_mm[k]) / (half_mm[k] + more_mm));
  return level;
}

/* Distance from the surface of one segment, whose radius changes evenly from end to end. */
static double SegmentDistance_mm(const double *a, const double *b, const double x_mm[3])
{
  double along = 0, length2 = 0, apart2 = 0;
  for (int k = 0; k < 3; k++) along += (x_mm[k] - a[k]) * (b[k] - a[k]), length2 += Square(b[k] - a[k]);
  const double t = PetscClipInterval(along / length2, 0, 1);
  for (int k = 0; k < 3; k++) apart2 += Square(x_mm[k] - a[k] - t * (b[k] - a[k]));
  return sqrt(apart2) - a[3] - t * (b[3] - a[3]);
}

double TubeDistance_mm(const Tube *tube, const double x_mm[3])
{
  double least = PETSC_INFINITY;
  for (PetscInt i = 0; i + 1 < tube->n; i++)
    least = PetscMin(least, SegmentDistance_mm(tube->point[i], tube->point[i + 1], x_mm));
  return least;
}

PetscBool TubeReaches(const Tube *tube, const double x_mm[3], double further_mm)
{
  for (PetscInt i = 0; i + 1 < tube->n; i++) {
    const double *a = tube->point[i], *b = tube->point[i + 1], reach_mm = PetscMax(a[3], b[3]) + further_mm + 1e-6;
    PetscBool near = PETSC_TRUE;
    for (int k = 0; k < 3; k++)
      if (x_mm[k] < PetscMin(a[k], b[k]) - reach_mm || x_mm[k] > PetscMax(a[k], b[k]) + reach_mm) near = PETSC_FALSE;
    if (near && SegmentDistance_mm(a, b, x_mm) <= further_mm) return PETSC_TRUE;
  }
  return PETSC_FALSE;
}

double Interpolate(PetscInt n, const double (*table)[2], double at)
{
  if (at <= table[0][0]) return table[0][1];
  for (PetscInt i = 1; i < n; i++)
    if (at <= table[i][0])
      return table[i - 1][1] +
             (at - table[i - 1][0]) / (table[i][0] - table[i - 1][0]) * (table[i][1] - table[i - 1][1]);
  return table[n - 1][1];
}

PetscErrorCode CaseSetSource(const char *kind, const Seeded *keys, Case *patient)
{
  PetscFunctionBegin;
  char text[128];
  snprintf(text, sizeof text, "phantom %s, seed %d, CT voxels of %g mm", kind, (int)keys->seed, keys->ct_spacing_mm);
  PetscCall(PetscStrallocpy(text, &patient->source));
  PetscFunctionReturn(0);
}

PetscErrorCode CaseAddOrgans(PetscInt n, const Organ *organ, Case *patient)
{
  PetscFunctionBegin;
  const size_t voxels = GridSize(&patient->ct);
  PetscCall(PetscCalloc1(n, &patient->structures));
  patient->n_structures = n;
  for (PetscInt s = 0; s < n; s++) {
    patient->structures[s].role = organ[s].role;
    PetscCall(PetscStrallocpy(organ[s].name, &patient->structures[s].name));
    PetscCall(PetscCalloc1(voxels, &patient->structures[s].mask));
  }
  PetscCall(PetscMalloc1(voxels, &patient->hu));
  PetscFunctionReturn(0);
}

PetscErrorCode CaseRemoveStructure(const char *name, Case *patient)
{
  PetscFunctionBegin;
  const PetscInt s = CaseFindStructure(patient, name);
  PetscCall(PetscFree(patient->structures[s].name));
  PetscCall(PetscFree(patient->structures[s].mask));
  patient->n_structures--;
  PetscCall(PetscArraymove(&patient->structures[s], &patient->structures[s + 1], patient->n_structures - s));
  PetscFunctionReturn(0);
}

PetscErrorCode CaseDerive(PetscInt n, const char *const (*derived)[2], Mistakes *mistakes, Case *patient)
{
  PetscFunctionBegin;
  const PetscInt before = mistakes->n; /* of other cases */
  for (PetscInt i = 0; i < n; i++)
    PetscCall(StructureDerive(patient, derived[i][0], derived[i][1], patient->name, mistakes));
  PetscCheck(mistakes->n == before, PETSC_COMM_SELF, PETSC_ERR_PLIB, "%s", mistakes->item[before].text);
  PetscFunctionReturn(0);
}

PetscErrorCode CaseAddSkin(Mistakes *mistakes, Case *patient)
{
  PetscFunctionBegin;
  static const char *const derived[][2] = {{"Inside", "External minus 3 mm"}, {"Skin", "External minus Inside"}};
  PetscCall(CaseDerive(PETSC_STATIC_ARRAY_LENGTH(derived), derived, mistakes, patient));
  PetscCall(CaseRemoveStructure("Inside", patient));
  PetscFunctionReturn(0);
}

PetscErrorCode CaseSetDefaultRSP(Case *patient)
{
  PetscFunctionBegin;
  HLUT hlut;
  PetscCall(HLUTDefault(&hlut));
  PetscCall(CaseSetRSP(patient, &hlut));
  PetscCall(PetscFree(hlut.point));
  PetscFunctionReturn(0);
}

void LayOutGrid(const double low_mm[3], const double high_mm[3], double spacing_mm, Grid *ct)
{
  for (int k = 0; k < 3; k++) {
    ct->n[k] = 2 * (PetscInt)ceil(0.5 * (high_mm[k] - low_mm[k]) / spacing_mm);
    ct->spacing_mm[k] = spacing_mm;
    ct->origin_mm[k] = 0.5 * (low_mm[k] + high_mm[k]) - 0.5 * (ct->n[k] - 1) * spacing_mm;
  }
}
