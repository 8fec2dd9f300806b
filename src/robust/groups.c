/* Worst cases over scenarios: groups of terms, their smooth and their true maximum. */
#include "robion/robust.h"
#include <math.h>

PetscErrorCode RobustGroupsCreate(PetscInt n_term, const Term *term, RobustGroups *groups)
{
  PetscFunctionBegin;
  groups->n = 0;
  PetscCall(PetscMalloc3(n_term, &groups->of_term, n_term, &groups->mode, n_term, &groups->fraction));
  for (PetscInt t = 0; t < n_term; t++) {
    const RobustModeType *type = RobustModeFind(term[t].mode);
    groups->of_term[t] = -1;
    if (type->slot_weight) continue;
    PetscInt g = 0;
    while (g < groups->n && (type->own_group || groups->mode[g] != term[t].mode)) g++;
    if (g == groups->n) {
      groups->fraction[g] = type->own_group ? term[t].worst_fraction : 0;
      groups->mode[groups->n++] = term[t].mode;
    }
    groups->of_term[t] = g;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode RobustGroupsDestroy(RobustGroups *groups)
{
  PetscFunctionBegin;
  PetscCall(PetscFree3(groups->of_term, groups->mode, groups->fraction));
  groups->n = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode RobustTotals(const RobustTable *table, double *total)
{
  PetscFunctionBegin;
  const PetscInt n = table->set->n, n_slot = RobustSlots(table->set);
  PetscCall(PetscArrayzero(total, table->groups->n * n));
  for (PetscInt t = 0; t < table->n_term; t++)
    for (PetscInt s = 0; s < n && table->groups->of_term[t] >= 0; s++)
      total[table->groups->of_term[t] * n + s] += table->value[t * n_slot + s];
  PetscFunctionReturn(0);
}

/*
 * lambda_s = min(cap_s, c w_s) with w_s = multiplier_s exp(F_s / mu). c is raised until the sum is 1; a row that reached its
 * cap stays there, for c only grows.
 */
static double Waterfill(PetscInt n, const double *w, const double *cap, double *lambda)
{
  double c = 0;
  PetscBool again = PETSC_TRUE;
  for (PetscInt s = 0; s < n; s++) lambda[s] = -1; /* not at its cap */
  while (again) {
    double left = 1, sum = 0;
    again = PETSC_FALSE;
    for (PetscInt s = 0; s < n; s++)
      if (lambda[s] < 0)
        sum += w[s];
      else
        left -= lambda[s];
    c = sum > 0 ? PetscMax(0, left) / sum : 0;
    for (PetscInt s = 0; s < n; s++)
      if (lambda[s] < 0 && c * w[s] >= cap[s] && cap[s] < 1) {
        lambda[s] = cap[s];
        again = PETSC_TRUE;
      }
  }
  for (PetscInt s = 0; s < n; s++)
    if (lambda[s] < 0) lambda[s] = c * w[s];
  return c;
}

double RobustSmoothMax(PetscInt n, const double *total, const double *cap, double mu, const double *multiplier,
                       double *lambda)
{
  double highest = -INFINITY, value = 0, w[n];
  for (PetscInt s = 0; s < n; s++)
    if (multiplier[s] > 0 && cap[s] > 0) highest = PetscMax(highest, total[s]);
  for (PetscInt s = 0; s < n; s++)
    w[s] = multiplier[s] > 0 && cap[s] > 0 ? multiplier[s] * exp((total[s] - highest) / mu) : 0;
  const double c = Waterfill(n, w, cap, lambda);
  for (PetscInt s = 0; s < n; s++) {
    if (!(lambda[s] > 0)) continue;
    if (isinf(mu))
      value += lambda[s] * total[s];
    else if (lambda[s] < c * w[s] || !(c > 0)) /* at its cap */
      value += lambda[s] * (total[s] - mu * log(lambda[s] / multiplier[s]));
    else
      value += lambda[s] * (highest - mu * log(c));
  }
  return value;
}

PetscErrorCode RobustHardMax(PetscInt n, const double *total, const double *cap, double *value)
{
  PetscFunctionBegin;
  double left = 1;
  PetscBool *taken;
  PetscCall(PetscCalloc1(n, &taken));
  *value = 0;
  for (PetscInt k = 0; k < n && left > 0; k++) {
    PetscInt highest = -1;
    for (PetscInt s = 0; s < n; s++)
      if (!taken[s] && cap[s] > 0 && (highest < 0 || total[s] > total[highest])) highest = s;
    if (highest < 0) break;
    const double part = PetscMin(left, cap[highest]);
    taken[highest] = PETSC_TRUE;
    *value += part * total[highest];
    left -= part;
  }
  PetscCall(PetscFree(taken));
  PetscFunctionReturn(0);
}
