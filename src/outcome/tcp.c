/* Tumour control probability from clonogens and dose. */
#include "robion/tcp.h"
#include <math.h>

const char *const tcp_link_names[] = {"power", "logarithm"};
const PetscInt n_tcp_link_names = N_TCP_LINKS;

PetscErrorCode TCPSpecDefault(TCPSpec *spec)
{
  PetscFunctionBegin;
  *spec = (TCPSpec){.link = TCP_LINK_POWER,
                    .ln_a = -3.643,
                    .kappa = 0.74,
                    .n0_clonogens = 2.852e5,
                    .alpha_per_Gy = 0.029,
                    .alpha_beta_Gy = 2,
                    .fractions = 16};
  PetscFunctionReturn(0);
}

PetscErrorCode TCPSpecCheck(const TCPSpec *spec, const char *where, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const struct {
    const char *name;
    double value, least, most;
  } range[] = {{"ln_a", spec->ln_a, -100, 100},
               {"kappa", spec->kappa, 0, 10},
               {"n0_clonogens", spec->n0_clonogens, 1e-6, 1e15},
               {"alpha_per_Gy", spec->alpha_per_Gy, 0, 10},
               {"alpha_beta_Gy", spec->alpha_beta_Gy, 1e-3, 1e6},
               {"fractions", spec->fractions, 1, 1000}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(range); i++)
    if (!(range[i].value >= range[i].least && range[i].value <= range[i].most))
      PetscCall(MistakesAdd(mistakes, ROBION_STUDY, "%s: %s is %g, expected %g to %g", where, range[i].name,
                            range[i].value, range[i].least, range[i].most));
  PetscFunctionReturn(0);
}

/* L(N). */
static double Link(const TCPSpec *spec, double clonogens)
{
  if (clonogens <= 0) return 0;
  return spec->link == TCP_LINK_POWER ? pow(clonogens, spec->kappa) : log1p(clonogens / spec->n0_clonogens);
}

double TCPSurvival(const TCPSpec *spec, double clonogens, double dose_Gy_RBE, double *slope)
{
  const double beta = spec->alpha_per_Gy / spec->alpha_beta_Gy, per_fraction = dose_Gy_RBE / spec->fractions;
  double survival =
      Link(spec, clonogens) * exp(spec->ln_a - spec->alpha_per_Gy * dose_Gy_RBE - beta * dose_Gy_RBE * per_fraction);
  if (slope) *slope = -survival * (spec->alpha_per_Gy + 2 * beta * per_fraction);
  return survival;
}

double TCPOfSurvival(double survival)
{
  return exp(-survival);
}

double TCPRegionSurvival(const TCPSpec *spec, PetscInt n, const double *share, const double *clonogens,
                         const double *dose_Gy_RBE)
{
  double sum = 0;
  for (PetscInt i = 0; i < n; i++) sum += share[i] * TCPSurvival(spec, clonogens[i], dose_Gy_RBE[i], NULL);
  return sum;
}
