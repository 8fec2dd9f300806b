/*
 * Where the energy and the charge of a beam are at a depth: what transport counts on its way, one term independent of the other.
 *
 * Deposited is the tables' dose, summed over depth; carried is what the lanes hold; what reactions keep follows from cross sections'
 * tables, not from what the lanes have got. So the terms add up to the beam's only where every step of transport keeps energy and charge.
 */
#include "transport_private.h"
#include <math.h>
#include <string.h>

const char *const budget_terms[BUDGET_TERMS] = {
    "primaries",      "H",       "He",       "Li",        "Be", "B", "C", "recoils",
    "target_protons", "carried", "neutrons", "reactions", "cut"};

/* Mean energy, MeV/u, of ions spread evenly over a bin of residual range. */
static double MeanOfBin(const Lane *lane, PetscInt j)
{
  return lane->sum_MeV_u[j + 1] - lane->sum_MeV_u[j];
}

static double Mass(const Lane *lane)
{
  return NuclearMass_u(lane->species.Z, lane->species.A);
}

/* Mean energy of knocked-out nucleons over the projectile's per nucleon. */
static double KnockedShare(const Fragmentation *nuclear, int group)
{
  return group == KNOCK_FREE ? 0.5 : nuclear->knocked[group].energy_share;
}

PetscErrorCode BudgetBegin(Transport *t, Budget *budget)
{
  PetscFunctionBegin;
  const Species p = t->in->projectile;
  BudgetCount *count;
  double started = 0;
  PetscCall(PetscNew(&count));
  for (PetscInt s = 0; s < t->n_lane; s++) {
    const Lane *lane = &t->lane[s];
    PetscCall(PetscCalloc1(t->n_reference, &count->born_MeV[s]));
    for (PetscInt j = 0; j < t->n_reference && s && s != t->n_species; j++)
      count->born_MeV[s][j] = Mass(lane) * FragmentBorn_MeV_u(t->in->nuclear, p, lane->species, t->reference_MeV_u[j]);
  }
  for (PetscInt j = 0; j < t->lane[0].top; j++) started += t->lane[0].ions[j].number;
  budget->n_depth = t->in->n_depth;
  budget->begun[BUDGET_ENERGY] = Mass(&t->lane[0]) * t->in->energy_MeV_u;
  budget->begun[BUDGET_CHARGE] = (double)p.Z;
  PetscCall(PetscCalloc2(budget->n_depth, &budget->depth_mm, budget->n_depth, &budget->at));
  PetscCall(PetscArraycpy(budget->depth_mm, t->in->depth_mm, budget->n_depth));
  for (int q = 0; q < BUDGET_QUANTITIES; q++) count->sum[q][BUDGET_CUT] = (1 - started) * budget->begun[q];
  count->budget = budget;
  t->count = count;
  PetscFunctionReturn(0);
}

/* What a reaction in reference bin j hands to all that is followed, half-way through the step. */
typedef struct Handed {
  double MeV, charge;
} Handed;

static void HandOn(const Transport *t, double number, PetscInt s, PetscInt j, Handed *handed)
{
  handed->MeV += number * t->count->born_MeV[s][j];
  handed->charge += number * (double)t->lane[s].species.Z;
}

static void KnockOn(const Transport *t, double number, int group, PetscInt j, Handed *handed)
{
  const double masses = NuclearMass_u(1, 1) + NuclearMass_u(neutron.Z, neutron.A);
  handed->MeV += number * masses * KnockedShare(t->in->nuclear, group) * t->reference_MeV_u[j];
}

static Handed HandedOn(const Transport *t, const Lane *parent, PetscInt j)
{
  const double *yield = parent->yield + j * YIELD_SPECIES, on_proton = parent->species.Z ? 0 : t->on_proton[j];
  Handed handed = {0};
  HandOn(t, parent->neutrons[j], t->n_species + 1, j, &handed);
  for (PetscInt s = 1; s < t->n_species; s++)
    for (int y = 0; y < YIELD_SPECIES; y++)
      if (yield_species[y].Z == t->lane[s].species.Z && yield_species[y].A == t->lane[s].species.A)
        HandOn(t, yield[y], s, j, &handed);
  KnockOn(t, (1 - on_proton) * KnockedOutProtons(t->in->nuclear, parent->knocks), (int)parent->knocks, j, &handed);
  KnockOn(t, on_proton, KNOCK_FREE, j, &handed);
  return handed;
}

/* What this step's reactions of lane s keep, and what the grids cut off. */
static void CountReactions(const Transport *t, PetscInt s)
{
  const Lane *lane = &t->lane[s];
  const double mass = Mass(lane), charge = s < t->n_species ? (double)lane->species.Z : 0;
  double kept = 0, kept_charge = 0, cut = mass * lane->lost_MeV_u;
  for (PetscInt j = 0; j < lane->lost_top; j++) {
    const double n = lane->lost[j].number, energy = mass * t->reference_MeV_u[j];
    const Handed handed = HandedOn(t, lane, j);
    kept += n * (energy - handed.MeV);
    kept_charge += charge > 0 ? n * (charge - handed.charge) : 0;
    cut -= n * energy;
  }
  t->count->sum[BUDGET_ENERGY][BUDGET_REACTIONS] += kept - lane->local_MeV_per_mm * t->step_mm;
  t->count->sum[BUDGET_CHARGE][BUDGET_REACTIONS] += kept_charge;
  t->count->sum[BUDGET_ENERGY][BUDGET_CUT] += cut;
}

static int BudgetTermOf(const Transport *t, PetscInt s)
{
  return s ? BUDGET_OF_CHARGE + (int)t->lane[s].species.Z : BUDGET_PRIMARIES;
}

void BudgetStep(const Transport *t)
{
  for (PetscInt s = 0; s < t->n_lane; s++) {
    const Lane *lane = &t->lane[s];
    CountReactions(t, s);
    if (s < t->n_species && lane->top)
      t->count->sum[BUDGET_CHARGE][BudgetTermOf(t, s)] += (double)lane->species.Z * lane->ions[0].number;
  }
}

void BudgetCut(const Transport *t, const Lane *lane, PetscInt bin, double number)
{
  const PetscInt s = (PetscInt)(lane - t->lane);
  t->count->sum[BUDGET_ENERGY][BUDGET_CUT] += number * Mass(lane) * MeanOfBin(lane, bin);
  if (s < t->n_species) t->count->sum[BUDGET_CHARGE][BUDGET_CUT] += number * (double)lane->species.Z;
}

void BudgetScore(const Transport *t, double weight, PetscInt d)
{
  BudgetNode *node = &t->count->budget->at[d];
  for (int q = 0; q < BUDGET_QUANTITIES; q++)
    for (int k = 0; k < BUDGET_TERMS; k++) node->term[q][k] += weight * t->count->sum[q][k];
  for (PetscInt s = 0; s < t->n_lane; s++) {
    const Lane *lane = &t->lane[s];
    const int term = lane->species.Z ? BUDGET_CARRIED : BUDGET_NEUTRONS;
    for (PetscInt j = 0; j < lane->top; j++) {
      const double n = weight * lane->ions[j].number;
      node->term[BUDGET_ENERGY][term] += n * Mass(lane) * MeanOfBin(lane, j);
      if (s < t->n_species) node->term[BUDGET_CHARGE][term] += n * (double)lane->species.Z;
    }
  }
}

/* Dose of a term at node d, MeV/mm. */
static void Deposit(const Transport *t, const TransportField *field, PetscInt d, double deposit[BUDGET_TERMS])
{
  for (PetscInt s = 0; s < t->n_species; s++) {
    deposit[BudgetTermOf(t, s)] += 0.1 * field->species_dose[d * t->n_species + s];
    deposit[BUDGET_RECOILS] += 0.1 * field->species_recoil[d * t->n_species + s];
  }
  deposit[BUDGET_PROTONS] += 0.1 * field->target_dose[d];
}

PetscErrorCode BudgetFinish(Transport *t, const TransportField *field)
{
  PetscFunctionBegin;
  double sum[BUDGET_TERMS] = {0}, before[BUDGET_TERMS] = {0};
  Budget *budget = t->count->budget;
  for (PetscInt d = 0; d < budget->n_depth; d++) {
    double here[BUDGET_TERMS] = {0};
    const double length = d ? budget->depth_mm[d] - budget->depth_mm[d - 1] : 0;
    Deposit(t, field, d, here);
    for (int k = 0; k < BUDGET_TERMS; k++) {
      sum[k] += 0.5 * length * (here[k] + before[k]);
      budget->at[d].term[BUDGET_ENERGY][k] += sum[k];
      before[k] = here[k];
    }
  }
  for (PetscInt s = 0; s < t->n_lane; s++) PetscCall(PetscFree(t->count->born_MeV[s]));
  PetscCall(PetscFree(t->count));
  PetscFunctionReturn(0);
}

PetscErrorCode BudgetDestroy(Budget *budget)
{
  PetscFunctionBegin;
  PetscCall(PetscFree2(budget->depth_mm, budget->at));
  PetscFunctionReturn(0);
}

double BudgetSum(const Budget *budget, PetscInt d, BudgetQuantity quantity)
{
  double sum = 0;
  for (int k = 0; k < BUDGET_TERMS; k++) sum += budget->at[d].term[quantity][k];
  return sum;
}

PetscErrorCode BudgetOf(const MachineSpec *spec, double energy_MeV_u, Budget *budget)
{
  PetscFunctionBegin;
  enum { BINS = 2 };
  static const double edge_MeV_u[BINS + 1] = {0.1, 10, 1000};
  Species p = {0};
  Fragmentation nuclear;
  TransportField field;
  double *depth_mm;
  PetscCheck(SpeciesOfIon(spec->ion, &p), PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG, "unknown ion %s", spec->ion);
  PetscCall(FragmentationLoad(spec->fragmentation, &nuclear));
  const double range_mm = CSDARange_mm(p.Z, p.A, energy_MeV_u);
  TransportInput input = {.nuclear = &nuclear,
                          .projectile = p,
                          .energy_MeV_u = energy_MeV_u,
                          .range_sigma_mm = RangeSpread_mm(spec, p, energy_MeV_u),
                          .n_depth = LayoutDepthCount(1, &range_mm),
                          .n_bin = BINS,
                          .bin_edge_MeV_u = edge_MeV_u,
                          .spot_sigma_mm = SpotSigma_mm(spec, p, range_mm),
                          .budget = budget};
  PetscCall(PetscMalloc1(input.n_depth, &depth_mm));
  LayoutDepths(range_mm, input.n_depth, depth_mm);
  input.depth_mm = depth_mm;
  PetscCall(TransportRun(&input, &field));
  PetscCall(TransportFieldDestroy(&field));
  PetscCall(PetscFree(depth_mm));
  PetscFunctionReturn(0);
}

/* One line for people: percent of the beam's energy or charge. */
static void PrintNode(const Budget *budget, PetscInt d, BudgetQuantity q, FILE *out)
{
  fprintf(out, "%10.2f", budget->depth_mm[d]);
  for (int k = 0; k < BUDGET_TERMS; k++)
    fprintf(out, " %*.2f", (int)PetscMax(7, strlen(budget_terms[k])),
            100 * budget->at[d].term[q][k] / budget->begun[q]);
  fprintf(out, " %7.2f\n", 100 * BudgetSum(budget, d, q) / budget->begun[q]);
}

static void PrintTable(const Budget *budget, double energy_MeV_u, BudgetQuantity q, FILE *out)
{
  enum { ROWS = 16 };
  fprintf(out, "\n%s at %g MeV/u, %% of the beam's: %s\n%10s", q == BUDGET_ENERGY ? "energy" : "charge", energy_MeV_u,
          q == BUDGET_ENERGY
              ? "deposited by primaries to target_protons; carried by charged ions, by neutrons; kept by "
                "reactions; cut off"
              : "come to rest, by element; carried; handed to no fragment; cut off",
          "depth, mm");
  for (int k = 0; k < BUDGET_TERMS; k++) fprintf(out, " %7s", budget_terms[k]);
  fprintf(out, " %7s\n", "sum");
  const double last = budget->depth_mm[budget->n_depth - 1];
  for (PetscInt d = 0, row = 0; d < budget->n_depth; d++) {
    if (budget->depth_mm[d] < (1 - 1e-9) * last * (double)row / ROWS) continue;
    PrintNode(budget, d, q, out);
    while (row <= ROWS && budget->depth_mm[d] >= (1 - 1e-9) * last * (double)row / ROWS) row++;
  }
}

static void PrintCSV(const Budget *budget, double energy_MeV_u, FILE *out)
{
  for (PetscInt d = 0; d < budget->n_depth; d++) {
    fprintf(out, "%.6g,%.6g", energy_MeV_u, budget->depth_mm[d]);
    for (int q = 0; q < BUDGET_QUANTITIES; q++)
      for (int k = 0; k < BUDGET_TERMS; k++) fprintf(out, ",%.6g", budget->at[d].term[q][k]);
    fputc('\n', out);
  }
}

PetscErrorCode MachineBudgetShow(const MachineSpec *spec, PetscBool csv, FILE *out)
{
  PetscFunctionBegin;
  if (csv) {
    fprintf(out, "energy_MeV_u,depth_mm");
    for (int q = 0; q < BUDGET_QUANTITIES; q++)
      for (int k = 0; k < BUDGET_TERMS; k++)
        fprintf(out, ",%s_%s", budget_terms[k], q == BUDGET_ENERGY ? "MeV" : "charge");
    fputc('\n', out);
  }
  for (PetscInt e = 0; e < spec->n_energy; e++) {
    const double energy = spec->energy_MeV_u[e];
    Budget budget;
    PetscCall(BudgetOf(spec, energy, &budget));
    if (csv)
      PrintCSV(&budget, energy, out);
    else
      for (int q = 0; q < BUDGET_QUANTITIES; q++) PrintTable(&budget, energy, (BudgetQuantity)q, out);
    PetscCall(BudgetDestroy(&budget));
  }
  PetscFunctionReturn(0);
}
