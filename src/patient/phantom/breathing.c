/* Phantoms that breathe: displacements in closed form, and the CT of each phase, which is the phantom's displaced by them. */
#include "phantom_private.h"
#include <math.h>

/* Of the way from end-exhale to end-inhale: cos^6, longer at the exhale. */
static double Inhaled(PetscInt phase, PetscInt n)
{
  return pow(sin(PETSC_PI * (double)phase / (double)n), 6);
}

static double LowestMove_mm(const BreathingKeys *keys, PetscInt phase)
{
  return keys->baseline_mm + keys->amplitude_mm * Inhaled(phase, keys->n_phases);
}

static double HUAt(const Case *patient, const double x_mm[3])
{
  size_t voxel[8];
  double weight[8], sum = 0;
  GridCorners(&patient->ct, x_mm, voxel, weight);
  for (int i = 0; i < 8; i++) sum += weight[i] * patient->hu[voxel[i]];
  return sum;
}

/* Where what is at y in a phase is in the CT: x + u(x) = y. */
static void Origin(Moving *moving, const void *of, double move_mm, const double y_mm[3], double x_mm[3])
{
  enum { ROUNDS = 100 };
  double moved[3], change = 1;
  for (int k = 0; k < 3; k++) x_mm[k] = y_mm[k];
  for (int i = 0; i < ROUNDS && change > 1e-4; i++) {
    change = 0;
    (*moving)(of, x_mm, moved);
    for (int k = 0; k < 3; k++) {
      const double next = y_mm[k] - move_mm * moved[k];
      change = PetscMax(change, fabs(next - x_mm[k]));
      x_mm[k] = next;
    }
  }
}

static PetscErrorCode MakePhase(const BreathingKeys *keys, Moving *moving, const void *of, const Case *patient,
                                PetscInt p, CasePhase *phase)
{
  PetscFunctionBegin;
  const double move_mm = LowestMove_mm(keys, p);
  const size_t n = GridSize(&patient->ct);
  char name[16];
  PetscCall(PetscSNPrintf(name, sizeof name, "p%02d", (int)p));
  PetscCall(PetscStrallocpy(name, &phase->name));
  phase->weight = 1.0 / (double)keys->n_phases;
  PetscCall(PetscMalloc1(n, &phase->hu));
  PetscCall(PetscMalloc1(3 * n, &phase->displacement_mm));
  for (size_t v = 0; v < n; v++) {
    double centre_mm[3], moved[3], origin_mm[3];
    GridCentre(&patient->ct, v, centre_mm);
    (*moving)(of, centre_mm, moved);
    for (int k = 0; k < 3; k++) phase->displacement_mm[3 * v + (size_t)k] = (float)(move_mm * moved[k]);
    Origin(moving, of, move_mm, centre_mm, origin_mm);
    phase->hu[v] = (short)lround(HUAt(patient, origin_mm));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode CaseBreathe(const BreathingKeys *keys, Moving *moving, const void *of, Case *patient)
{
  PetscFunctionBegin;
  if (keys->amplitude_mm == 0 && keys->baseline_mm == 0) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1(keys->n_phases, &patient->phases));
  for (patient->n_phases = 0; patient->n_phases < keys->n_phases; patient->n_phases++)
    PetscCall(MakePhase(keys, moving, of, patient, patient->n_phases, &patient->phases[patient->n_phases]));
  PetscFunctionReturn(0);
}

size_t BreathingBytes(const BreathingKeys *keys)
{
  if (keys->amplitude_mm == 0 && keys->baseline_mm == 0) return 0;
  return (size_t)keys->n_phases * (sizeof(short) + 4 * sizeof(float));
}
