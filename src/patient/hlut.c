/* Hounsfield units to relative stopping power and back. */
#include "robion/case.h"

/* matRad's default table for particles (e0404/matRad, matRad_default.hlut), piecewise linear. */
static const double default_point[][2] = {{-1024, 0.001}, {-999, 0.001}, {-90, 0.95},  {-45, 0.99},
                                          {0, 1},         {100, 1.095},  {350, 1.199}, {3000, 2.505}};
enum { N_DEFAULT = PETSC_STATIC_ARRAY_LENGTH(default_point) };

PetscErrorCode HLUTDefault(HLUT *hlut)
{
  PetscFunctionBegin;
  hlut->n = N_DEFAULT;
  PetscCall(PetscMalloc1(N_DEFAULT, &hlut->point));
  PetscCall(PetscArraycpy(hlut->point, default_point, N_DEFAULT));
  PetscFunctionReturn(0);
}

PetscBool HLUTIsDefault(const HLUT *hlut)
{
  PetscBool same = hlut->n == N_DEFAULT ? PETSC_TRUE : PETSC_FALSE;
  for (PetscInt i = 0; same && i < N_DEFAULT; i++)
    for (int k = 0; k < 2; k++)
      if (hlut->point[i][k] != default_point[i][k]) same = PETSC_FALSE;
  return same;
}

/* On the line from point i to the next: column 1 - from at a value of column from. */
static double Between(const HLUT *hlut, PetscInt i, int from, double value)
{
  const double *a = hlut->point[i], *b = hlut->point[i + 1];
  double share = (value - a[from]) / (b[from] - a[from]);
  return a[1 - from] + share * (b[1 - from] - a[1 - from]);
}

double HLUTEvaluate(const HLUT *hlut, double hu)
{
  if (hu <= hlut->point[0][0]) return hlut->point[0][1];
  for (PetscInt i = 1; i < hlut->n; i++)
    if (hu <= hlut->point[i][0]) return Between(hlut, i - 1, 0, hu);
  return hlut->point[hlut->n - 1][1];
}

double HLUTInvert(const HLUT *hlut, double rsp)
{
  PetscInt i = hlut->n - 1;
  if (rsp < hlut->point[0][1]) return hlut->point[0][0];
  if (rsp >= hlut->point[i][1]) return hlut->point[i][0];
  while (rsp < hlut->point[i][1]) i--;
  return Between(hlut, i, 1, rsp);
}
