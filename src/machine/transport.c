/*
 * One-dimensional transport of an ion beam and all its fragments through water.
 *
 * Every species is a histogram of residual range whose bin width is the depth step, so that slowing down is an exact shift
 * by one bin (continuous slowing down, no energy straggling of fragments). In each step a share of every bin reacts
 * (Tripathi, Horst); the daughters go on with the parent's mean velocity (Kempe & Brahme, Phys Med 26:6, 2010, and the YIELD model of
 * Kraemer et al., PMB 45:3299, 2000, make the same approximations), spread by Goldhaber's momentum, and react in their turn. Every
 * reaction also knocks protons and neutrons out of where the nuclei overlap; these protons are followed on their own and count as
 * recoils of the target. Neutrons, those and the ones that keep the projectile's velocity, fly on undisturbed until they meet a nucleus
 * or a proton and set free protons in their turn. Straggling and
 * the beam's energy spread enter as a Gaussian spread of the initial range. Primaries, sharp at the end of their range, are
 * scored from that Gaussian and their survival in closed form instead of from the histogram. Every bin carries, beside its number
 * of ions, their transverse moments.
 */
#include "transport_private.h"
#include <gsl/gsl_cdf.h>
#include <math.h>

#define STEPS_PER_RANGE 250 /* dose within 0.2 % of the maximum, LETd within 1 % of the limit of small steps */
#define FINEST_STEP_MM 0.05 /* for ranges of a few mm */

PetscInt TransportSpecies(Species projectile, Species species[YIELD_SPECIES])
{
  PetscInt n = 0;
  species[n++] = projectile;
  for (int s = 0; s < YIELD_SPECIES; s++)
    if (yield_species[s].A < projectile.A && yield_species[s].Z <= projectile.Z) species[n++] = yield_species[s];
  return n;
}

/* Fill the projectile's lane with the beam. */
static void StartPrimaries(Transport *t)
{
  Lane *primary = &t->lane[0];
  double sigma = t->in->range_sigma_mm;
  primary->top = primary->n_bin;
  for (PetscInt j = 0; j < primary->n_bin; j++) {
    double a = (double)j * t->step_mm - t->range_mm, b = a + t->step_mm;
    primary->ions[j].number = gsl_cdf_gaussian_P(b, sigma) - gsl_cdf_gaussian_P(a, sigma);
    primary->local_MeV_per_mm += primary->ions[j].number * primary->lost_share[j] * primary->local_MeV[j] / t->step_mm;
  }
}

static PetscErrorCode TransportCreate(const TransportInput *in, Transport *t)
{
  PetscFunctionBegin;
  Species p = in->projectile, species[YIELD_SPECIES];
  *t = (Transport){.in = in};
  t->range_mm = CSDARange_mm(p.Z, p.A, in->energy_MeV_u);
  t->step_mm = PetscMax(FINEST_STEP_MM, t->range_mm / STEPS_PER_RANGE);
  t->n_reference = (PetscInt)ceil((t->range_mm + SIGMAS * in->range_sigma_mm) / t->step_mm);
  PetscCall(PetscCalloc3(t->n_reference + 1, &t->reference_MeV_u, t->n_reference + 1, &t->attenuation, t->n_reference,
                         &t->on_proton));
  for (PetscInt j = 0; j <= t->n_reference; j++)
    t->reference_MeV_u[j] = EnergyOfRange_MeV_u(p.Z, p.A, (double)j * t->step_mm);
  for (PetscInt j = 0; j < t->n_reference; j++) {
    double middle = EnergyOfRange_MeV_u(p.Z, p.A, ((double)j + 0.5) * t->step_mm);
    t->on_proton[j] = NeutronOnProtonShare(middle);
    t->attenuation[j + 1] = t->attenuation[j] + t->step_mm * ReactionLoss_per_mm(in->nuclear, p, middle);
  }
  t->n_step = (PetscInt)(in->depth_mm[in->n_depth - 1] / t->step_mm) + 1;
  PetscCall(PetscCalloc3(EMITTERS * t->n_step, &t->emitter_made, EMITTERS * t->n_step, &t->emitter_stopped,
                         EMITTERS * N_EMISSIONS * LATERAL_COMPONENTS * t->n_step, &t->emission));
  t->n_species = TransportSpecies(p, species);
  t->n_lane = t->n_species + 2;
  for (PetscInt s = 0; s < t->n_species; s++) PetscCall(LaneCreate(t, species[s], PETSC_FALSE, &t->lane[s]));
  PetscCall(LaneCreate(t, (Species){1, 1}, PETSC_TRUE, ProtonLane(t)));
  PetscCall(LaneCreate(t, neutron, PETSC_TRUE, NeutronLane(t)));
  StartPrimaries(t);
  if (in->budget) PetscCall(BudgetBegin(t, in->budget));
  PetscFunctionReturn(0);
}

static PetscErrorCode TransportDestroy(Transport *t)
{
  PetscFunctionBegin;
  for (PetscInt s = 0; s < t->n_lane; s++) PetscCall(LaneDestroy(&t->lane[s]));
  PetscCall(PetscFree3(t->reference_MeV_u, t->attenuation, t->on_proton));
  PetscCall(PetscFree3(t->emitter_made, t->emitter_stopped, t->emission));
  PetscFunctionReturn(0);
}

/* Take what reacts in one step out of a lane, summed on the reference grid. */
static PetscErrorCode React(Transport *t, Lane *lane)
{
  PetscFunctionBegin;
  double local_MeV = 0, energy = 0;
  const Remap *map = &lane->to_reference;
  PetscCall(PetscArrayzero(lane->lost, t->n_reference));
  for (PetscInt j = 0; j < lane->top; j++) {
    Moments lost = {0};
    MomentsAdd(&lost, lane->lost_share[j], &lane->ions[j]);
    MomentsAdd(&lane->ions[j], -1, &lost);
    local_MeV += lost.number * lane->local_MeV[j];
    energy += lost.number * lane->edge_MeV_u[j]; /* half-way */
    for (PetscInt k = map->start[j]; k < map->start[j + 1]; k++)
      MomentsAdd(&lane->lost[map->target[k]], map->weight[k], &lost);
  }
  lane->lost_top = lane->top ? map->target[map->start[lane->top] - 1] + 1 : 0;
  lane->local_MeV_per_mm = local_MeV / t->step_mm;
  lane->lost_MeV_u = energy;
  PetscFunctionReturn(0);
}

static inline double *EmissionAt(const Transport *t, int emitter, int source, int component, PetscInt step)
{
  return t->emission + ((emitter * N_EMISSIONS + source) * LATERAL_COMPONENTS + component) * t->n_step + step;
}

/* Positron emitters that a lane makes of target nuclei in one step; they stay where they are made, within 0.1 mm. */
static void ActivateTarget(Transport *t, const Lane *lane, PetscInt step)
{
  double made[EMITTERS * N_EMISSIONS] = {0};
  for (PetscInt j = 0; j < lane->top;
       j++) { /* a vector of sums at a time: one alone would wait for its last addition */
    const double present = lane->ions[j].number * (1 - 0.5 * lane->lost_share[j]);
#pragma GCC unroll 1
    for (int i = 0; i < EMITTERS * N_EMISSIONS; i++) made[i] += present * lane->target[j * EMITTERS * N_EMISSIONS + i];
  }
  for (int i = 0; i < EMITTERS * N_EMISSIONS; i++) {
    const int m = i / N_EMISSIONS, c = i % N_EMISSIONS;
    if (!t->in->nuclear->from[c].n) continue;
    *EmissionAt(t, m, c, lane->component, step) += made[i] * t->step_mm;
    if (c != EMISSION_OF_OXYGEN) continue;
    t->emitter_made[m * t->n_step + step] += WATER_OXYGEN_1E22_CM3 * made[i] * t->step_mm;
    t->emitter_stopped[m * t->n_step + step] += WATER_OXYGEN_1E22_CM3 * made[i] * t->step_mm;
  }
}

/* Where a species of the yield table is followed, or -1. */
static PetscInt LaneOf(const Transport *t, int yield_index)
{
  Species s = yield_species[yield_index];
  for (PetscInt i = 1; i < t->n_species; i++)
    if (t->lane[i].species.Z == s.Z && t->lane[i].species.A == s.A) return i;
  return -1;
}

/* Make the daughters of this step's reactions. */
static PetscErrorCode Produce(Transport *t, PetscInt step)
{
  PetscFunctionBegin;
  for (int y = 0; y < YIELD_SPECIES; y++) {
    PetscInt to = LaneOf(t, y), top = 0;
    if (to < 0) continue;
    Lane *daughter = &t->lane[to];
    PetscCall(PetscArrayzero(daughter->made, t->n_reference));
    for (PetscInt s = 0; s < to; s++) {
      const Lane *parent = &t->lane[s];
      if (parent->species.A <= daughter->species.A || parent->species.Z < daughter->species.Z) continue;
      for (PetscInt j = 0; j < parent->lost_top; j++)
        MomentsAdd(&daughter->made[j], parent->yield[j * YIELD_SPECIES + y], &parent->lost[j]);
      top = PetscMax(top, parent->lost_top);
    }
    if (daughter->emitter >= 0)
      for (PetscInt j = 0; j < top; j++)
        t->emitter_made[daughter->emitter * t->n_step + step] += daughter->made[j].number;
    PetscCall(LaneDeliver(t, top, FRAGMENT_CLASSES, daughter->fragment, daughter));
  }
  PetscFunctionReturn(0);
}

/* What this step's collisions of a group knock out of each reference bin, in both lanes. */
static PetscErrorCode KnockOut(Transport *t, KnockGroup group)
{
  PetscFunctionBegin;
  const double number = KnockedOutProtons(t->in->nuclear, group);
  Lane *lane[2] = {ProtonLane(t), NeutronLane(t)};
  Moments *made = lane[0]->made;
  PetscInt top = 0;
  PetscCall(PetscArrayzero(made, t->n_reference));
  for (PetscInt s = 0; s < t->n_lane; s++) {
    const Lane *parent = &t->lane[s];
    const PetscBool neutrons = parent->species.Z ? PETSC_FALSE : PETSC_TRUE;
    if (parent->knocks != group && !(neutrons && group == KNOCK_FREE)) continue;
    for (PetscInt j = 0; j < parent->lost_top; j++) {
      double share = !neutrons ? 1 : group == KNOCK_FREE ? t->on_proton[j] : 1 - t->on_proton[j];
      MomentsAdd(&made[j], share * number, &parent->lost[j]);
    }
    top = PetscMax(top, parent->lost_top);
  }
  PetscCall(PetscArraycpy(lane[1]->made, made, t->n_reference));
  for (int i = 0; i < 2; i++) PetscCall(LaneDeliver(t, top, KNOCK_CLASSES, lane[i]->knocked[group], lane[i]));
  PetscFunctionReturn(0);
}

/* Neutrons that go on with the velocity of what has reacted. */
static PetscErrorCode FreeTheNeutrons(Transport *t)
{
  PetscFunctionBegin;
  Lane *lane = NeutronLane(t);
  PetscInt top = 0;
  PetscCall(PetscArrayzero(lane->made, t->n_reference));
  for (PetscInt s = 0; s < t->n_lane; s++) {
    const Lane *parent = &t->lane[s];
    for (PetscInt j = 0; j < parent->lost_top; j++) MomentsAdd(&lane->made[j], parent->neutrons[j], &parent->lost[j]);
    top = PetscMax(top, parent->lost_top);
  }
  PetscCall(LaneDeliver(t, top, FRAGMENT_CLASSES, lane->fragment, lane));
  PetscFunctionReturn(0);
}

/* Neutrons only go on. */
static void Drift(const Transport *t, Lane *lane)
{
  const Scattering none = {0};
  for (PetscInt j = 0; j < lane->top; j++) MomentsDrift(&lane->ions[j], t->step_mm, &none);
}

/* Slow everything charged down by one step; what was in the first bin comes to rest. */
static void Shift(Transport *t, PetscInt step)
{
  Drift(t, NeutronLane(t));
  for (PetscInt s = 0; s <= t->n_species; s++) {
    Lane *lane = &t->lane[s];
    if (!lane->top) continue;
    if (s && lane->emitter >= 0) {
      t->emitter_stopped[lane->emitter * t->n_step + step] += lane->ions[0].number;
      *EmissionAt(t, lane->emitter, EMISSION_STOPPED, lane->component, step) += lane->ions[0].number;
    }
    for (PetscInt j = 1; j < lane->top; j++) {
      Moments ions = lane->ions[j];
      MomentsDrift(&ions, t->step_mm, &lane->scatter[j]);
      lane->ions[j - 1] = ions;
    }
    lane->ions[--lane->top] = (Moments){0};
  }
}

/* From the boundary before a step to the one behind it. */
static PetscErrorCode Step(Transport *t, PetscInt step)
{
  PetscFunctionBegin;
  for (PetscInt s = 0; s < t->n_lane; s++) {
    if (t->lane[s].species.Z) ActivateTarget(t, &t->lane[s], step);
    PetscCall(React(t, &t->lane[s]));
  }
  PetscCall(Produce(t, step));
  PetscCall(FreeTheNeutrons(t));
  for (int group = 0; group < KNOCK_GROUPS; group++) PetscCall(KnockOut(t, (KnockGroup)group));
  if (t->count) BudgetStep(t);
  Shift(t, step);
  PetscFunctionReturn(0);
}

PetscErrorCode TransportRun(const TransportInput *in, TransportField *field)
{
  PetscFunctionBegin;
  Transport t;
  PetscCall(TransportCreate(in, &t));
  PetscCall(FieldCreate(in, field));
  /* a node between steps gets both, linearly: first those up to here from the step before, then those up to the next */
  PetscInt below = ScoreNodes(&t, 0, t.step_mm, 0, field), upto = 0;
  for (PetscInt k = 1; k <= t.n_step; k++) {
    double here = (double)k * t.step_mm;
    PetscCall(Step(&t, k - 1));
    upto = ScoreNodes(&t, upto, here, here, field);
    below = ScoreNodes(&t, below, (double)(k + 1) * t.step_mm, here, field); /* the next `here`, to the last bit */
  }
  PetscCall(FieldFinish(&t, field));
  if (t.count) PetscCall(BudgetFinish(&t, field));
  PetscCall(TransportDestroy(&t));
  PetscFunctionReturn(0);
}
