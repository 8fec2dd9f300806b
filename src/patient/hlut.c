/* Hounsfield units to relative stopping power and back. */
#include "robion/case.h"

/* matRad's default table for particles (e0404/matRad, matRad_default.hlut), piecewise linear. */
static const double default_hu[] = {-1024, -999, -90, -45, 0, 100, 350, 3000};
static const double default_rsp[] = {0.001, 0.001, 0.95, 0.99, 1, 1.095, 1.199, 2.505};
enum { N_DEFAULT = sizeof default_hu / sizeof *default_hu };

PetscErrorCode HLUTDefault(HLUT *hlut)
{
  PetscFunctionBegin;
  hlut->n = N_DEFAULT;
  PetscCall(PetscMalloc1(N_DEFAULT, &hlut->hu));
  PetscCall(PetscMalloc1(N_DEFAULT, &hlut->rsp));
  PetscCall(PetscArraycpy(hlut->hu, default_hu, N_DEFAULT));
  PetscCall(PetscArraycpy(hlut->rsp, default_rsp, N_DEFAULT));
  PetscFunctionReturn(0);
}

PetscBool HLUTIsDefault(const HLUT *hlut)
{
  for (PetscInt i = 0; i < N_DEFAULT; i++)
    if (hlut->n != N_DEFAULT || hlut->hu[i] != default_hu[i] || hlut->rsp[i] != default_rsp[i]) return PETSC_FALSE;
  return PETSC_TRUE;
}

double HLUTEvaluate(const HLUT *hlut, double hu)
{
  if (hu <= hlut->hu[0]) return hlut->rsp[0];
  for (PetscInt i = 1; i < hlut->n; i++)
    if (hu <= hlut->hu[i]) {
      double share = (hu - hlut->hu[i - 1]) / (hlut->hu[i] - hlut->hu[i - 1]);
      return hlut->rsp[i - 1] + share * (hlut->rsp[i] - hlut->rsp[i - 1]);
    }
  return hlut->rsp[hlut->n - 1];
}

double HLUTInvert(const HLUT *hlut, double rsp)
{
  PetscInt i = hlut->n - 1;
  if (rsp < hlut->rsp[0]) return hlut->hu[0];
  if (rsp >= hlut->rsp[i]) return hlut->hu[i];
  while (rsp < hlut->rsp[i]) i--;
  double share = (rsp - hlut->rsp[i]) / (hlut->rsp[i + 1] - hlut->rsp[i]);
  return hlut->hu[i] + share * (hlut->hu[i + 1] - hlut->hu[i]);
}
