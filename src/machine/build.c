/*
 * Base data from first principles: the transport of every energy, dealt to the ranks.
 */
#include "machine_private.h"
#include "robion/log.h"
#include "robion/provenance.h"
#include <math.h>
#include <string.h>

#define ENERGY_BINS 60
#define LOWEST_BIN_MEV_U 0.1
#define SMALLEST_SHARE 1e-7

PetscErrorCode MachineSpecHash(const MachineSpec *spec, char hex[17])
{
  PetscFunctionBegin;
  double number[] = {MACHINE_TABLE_VERSION,        spec->energy_min_MeV_u, spec->energy_max_MeV_u,
                     spec->range_step_mm,          spec->ripple_sigma_mm,  spec->ripple_thickness_mm,
                     spec->ripple_to_isocentre_mm, spec->momentum_spread,  spec->offset_mm,
                     spec->spot_fwhm_mm,           spec->sad_mm,           (double)spec->n_energy};
  const char *ion = spec->ion ? spec->ion : "";
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(number); i++) number[i] += 0.0; /* -0 is 0 */
  uint64_t hash = HashBytes(HASH_START, ion, strlen(ion));
  Fragmentation nuclear;
  PetscCall(FragmentationLoad(spec->fragmentation, &nuclear));
  hash = HashBytes(hash, number, sizeof number);
  hash = HashBytes(hash, &nuclear.hash, sizeof nuclear.hash);
  if (spec->n_energy) hash = HashBytes(hash, spec->energy_MeV_u, sizeof(double) * (size_t)spec->n_energy);
  snprintf(hex, 17, "%016llx", (unsigned long long)hash);
  PetscFunctionReturn(0);
}

/* Single precision rounded to 12 significant bits: a relative error of 1e-4, and files half the size. */
static float Rounded(double value)
{
  int exponent;
  double mantissa = frexp(value, &exponent);
  return (float)ldexp(rint(ldexp(mantissa, 12)), exponent - 12);
}

static void FillShares(PetscInt n, const double *spectrum, float *share)
{
  double sum = 0, kept = 0;
  for (PetscInt i = 0; i < n; i++) sum += spectrum[i];
  for (PetscInt i = 0; i < n; i++)
    if (spectrum[i] > SMALLEST_SHARE * sum) kept += spectrum[i];
  for (PetscInt i = 0; i < n; i++) share[i] = spectrum[i] > SMALLEST_SHARE * sum ? Rounded(spectrum[i] / kept) : 0;
}

/*
 * Share, LET and sigma of the lateral components at depth node d of energy e. Dose of recoils goes with the ions that
 * reacted, that of protons of the target with light fragments, both with the mean LET of the field, so that the components'
 * dose-weighted LET is the field's. Sigma keeps the dose on the axis of the spot; a component without dose has the primaries'.
 */
static void FillComponents(const MachineSpec *spec, Machine *m, PetscInt e, PetscInt d, const TransportField *field)
{
  double dose[LATERAL_COMPONENTS] = {0}, recoil[LATERAL_COMPONENTS] = {0}, dose_let[LATERAL_COMPONENTS] = {0},
         on_axis[LATERAL_COMPONENTS] = {0}, spot2 = pow(m->spot_sigma_mm[e], 2);
  for (PetscInt s = 0; s < m->n_species; s++) {
    PetscInt i = d * m->n_species + s;
    int k = m->species_component[s];
    dose[k] += field->species_dose[i];
    recoil[k] += field->species_recoil[i];
    dose_let[k] += field->species_dose[i] * field->species_letd[i];
    on_axis[k] += field->species_dose[i] / (spot2 + field->species_sigma2_mm2[i]);
  }
  recoil[LATERAL_LIGHT] += field->target_dose[d];
  double all = 0, all_recoil = 0;
  for (PetscInt k = 0; k < LATERAL_COMPONENTS; k++) {
    all += dose[k] + recoil[k];
    all_recoil += recoil[k];
  }
  double gap2 = GapSpread2_mm2(spec, (Species){m->Z, m->A}, m->csda_range_mm[e], m->depth_mm[e * m->n_depth + d]);
  m->recoil[e * m->n_depth + d] = all > 0 ? all_recoil / all : 0;
  for (PetscInt k = 0; k < LATERAL_COMPONENTS; k++) {
    PetscInt at = (e * LATERAL_COMPONENTS + k) * m->n_depth + d;
    m->component[at] = all > 0 ? (dose[k] + recoil[k]) / all : k == LATERAL_PRIMARIES;
    double own = dose[k] + recoil[k];
    m->component_letd_keV_um[at] = own > 0 ? (dose_let[k] + recoil[k] * field->letd_keV_um[d]) / own : 0;
    double own2 = field->species_sigma2_mm2[d * m->n_species];
    if (k == LATERAL_LIGHT && field->target_dose[d] > 0)
      own2 = PetscMax(0.0, (dose[k] + field->target_dose[d]) / (on_axis[k] + field->target_on_axis[d]) - spot2);
    else if (k != LATERAL_PRIMARIES && dose[k] > 0)
      own2 = PetscMax(0.0, dose[k] / on_axis[k] - spot2);
    m->sigma_mm[at] = sqrt(own2 + gap2);
  }
}

/* The rows of depth node d of energy e. */
static void FillNode(const MachineSpec *spec, Machine *m, PetscInt e, PetscInt d, const TransportField *field)
{
  PetscInt at = e * m->n_depth + d, per_node = m->n_species * m->n_bin;
  m->idd_Gy_mm2[at] = GY_MM2_PER_MEV_CM2_G * field->dose_MeV_cm2_g[d];
  m->letd_keV_um[at] = field->letd_keV_um[d];
  FillComponents(spec, m, e, d, field);
  for (PetscInt s = 0; s < m->n_species; s++) {
    m->species_fluence[at * m->n_species + s] = Rounded(field->fluence[d * m->n_species + s]);
    m->species_letd_keV_um[at * m->n_species + s] = Rounded(field->species_letd[d * m->n_species + s]);
  }
  for (PetscInt i = 0; i < m->n_emitter; i++) {
    PetscInt to = (e * m->n_emitter + i) * m->n_depth + d, from = i * m->n_depth + d;
    m->emitter_made_per_mm[to] = Rounded(field->emitter_made_per_mm[from]);
    m->emitter_stopped_per_mm[to] = Rounded(field->emitter_stopped_per_mm[from]);
  }
  const PetscInt n_emission = m->n_emitter * N_EMISSIONS * m->n_component;
  for (PetscInt i = 0; i < n_emission; i++)
    m->emission[(e * n_emission + i) * m->n_depth + d] = Rounded(field->emission[i * m->n_depth + d]);
  FillShares(per_node, field->spectrum + d * per_node, m->dose_share + (size_t)at * (size_t)per_node);
}

/* All rows of energy e. */
static PetscErrorCode BuildEnergy(const MachineSpec *spec, const Fragmentation *nuclear, Machine *m, PetscInt e)
{
  PetscFunctionBegin;
  Species p = {m->Z, m->A};
  double *depth = m->depth_mm + e * m->n_depth;
  LayoutDepths(m->csda_range_mm[e], m->n_depth, depth);
  TransportInput input = {.nuclear = nuclear,
                          .projectile = p,
                          .energy_MeV_u = m->energy_MeV_u[e],
                          .range_sigma_mm = RangeSpread_mm(spec, p, m->energy_MeV_u[e]),
                          .n_depth = m->n_depth,
                          .depth_mm = depth,
                          .n_bin = m->n_bin,
                          .bin_edge_MeV_u = m->bin_edge_MeV_u,
                          .spot_sigma_mm = m->spot_sigma_mm[e]};
  TransportField field;
  PetscCall(TransportRun(&input, &field));
  for (PetscInt d = 0; d < m->n_depth; d++) FillNode(spec, m, e, d, &field);
  PetscCall(TransportFieldDestroy(&field));
  PetscFunctionReturn(0);
}

/* Everything that needs no transport. */
static PetscErrorCode BuildFrame(const MachineSpec *spec, const Fragmentation *nuclear, Machine *m)
{
  PetscFunctionBegin;
  Species p = {0}, species[YIELD_SPECIES];
  PetscCheck(SpeciesOfIon(spec->ion, &p), PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG, "unknown ion %s", spec->ion);
  double *energy;
  PetscCall(LayoutEnergies(spec, p, &m->n_energy, &energy));
  double *range;
  PetscCall(PetscMalloc1(m->n_energy, &range));
  for (PetscInt e = 0; e < m->n_energy; e++) range[e] = CSDARange_mm(p.Z, p.A, energy[e]);
  m->Z = p.Z;
  m->A = p.A;
  m->n_depth = LayoutDepthCount(m->n_energy, range);
  m->n_component = LATERAL_COMPONENTS;
  m->n_species = TransportSpecies(p, species);
  m->n_bin = ENERGY_BINS;
  m->n_emitter = EMITTERS;
  m->sad_mm = spec->sad_mm;
  m->offset_mm = spec->offset_mm + spec->ripple_thickness_mm;
  PetscCall(MachineAllocate(m));
  PetscCall(PetscArraycpy(m->energy_MeV_u, energy, m->n_energy));
  PetscCall(PetscArraycpy(m->csda_range_mm, range, m->n_energy));
  PetscCall(PetscArraycpy(m->species, species, m->n_species));
  for (PetscInt s = 0; s < m->n_species; s++) m->species_component[s] = LateralComponentOf(p, species[s]);
  PetscCall(PetscArraycpy(m->emitter, emitters, EMITTERS));
  PetscCall(PetscArraycpy(m->emitter_half_life_s, emitter_half_life_s, EMITTERS));
  for (PetscInt e = 0; e < m->n_energy; e++) m->spot_sigma_mm[e] = SpotSigma_mm(spec, p, range[e]);
  double highest = TransportFastest_MeV_u(nuclear, p, (Species){1, 1}, m->energy_MeV_u[m->n_energy - 1]);
  double width = log(highest / LOWEST_BIN_MEV_U) / ENERGY_BINS;
  for (PetscInt b = 0; b <= m->n_bin; b++) m->bin_edge_MeV_u[b] = LOWEST_BIN_MEV_U * exp(width * (double)b);
  PetscCall(PetscFree(energy));
  PetscCall(PetscFree(range));
  PetscFunctionReturn(0);
}

static PetscErrorCode BuildNames(const MachineSpec *spec, Machine *m)
{
  PetscFunctionBegin;
  char text[512];
  PetscCall(PetscSNPrintf(text, sizeof text, "builtin-%s", spec->ion));
  PetscCall(PetscStrallocpy(text, &m->name));
  snprintf(text, sizeof text,
           "robion 1-D transport in water, tables %d: %s %g to %g MeV/u, range step %g mm, ripple sigma %g mm, "
           "ripple filter of %g mm water at %g mm from the isocentre, other beam line %g mm water, momentum spread %g, "
           "spot FWHM %g mm without the filter",
           MACHINE_TABLE_VERSION, spec->ion, spec->energy_min_MeV_u, spec->energy_max_MeV_u, spec->range_step_mm,
           spec->ripple_sigma_mm, spec->ripple_thickness_mm, spec->ripple_to_isocentre_mm, spec->offset_mm,
           spec->momentum_spread, spec->spot_fwhm_mm); /* PETSc's own would write "80." */
  PetscCall(PetscStrallocpy(text, &m->source));
  PetscCall(PetscMalloc1(17, &m->hash));
  PetscCall(MachineSpecHash(spec, m->hash));
  PetscFunctionReturn(0);
}

/* First energy of a rank's contiguous block. */
static PetscInt BlockStart(PetscInt n, PetscMPIInt size, PetscMPIInt rank)
{
  return (PetscInt)((PetscInt64)n * rank / size);
}

/* Give every rank the rows that the others computed. */
static PetscErrorCode GatherRows(MPI_Comm comm, Machine *m)
{
  PetscFunctionBegin;
  PetscMPIInt size, *count, *start;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscMalloc2(size, &count, size, &start));
  for (PetscMPIInt r = 0; r < size; r++) {
    start[r] = BlockStart(m->n_energy, size, r);
    count[r] = BlockStart(m->n_energy, size, r + 1) - start[r];
  }
  for (int i = 0; i < MACHINE_TABLES; i++) {
    const MachineTable *table = &machine_tables[i];
    size_t n = MachineTableSize(m, table);
    if (!n || table->dim[0] != DIM_ENERGY) continue;
    MPI_Datatype row;
    PetscCallMPI(MPI_Type_contiguous((int)(n / (size_t)m->n_energy * MachineTableElement(table)), MPI_BYTE, &row));
    PetscCallMPI(MPI_Type_commit(&row));
    PetscCallMPI(MPI_Allgatherv(MPI_IN_PLACE, 0, row, *MachineTableData(m, table), count, start, row, comm));
    PetscCallMPI(MPI_Type_free(&row));
  }
  PetscCall(PetscFree2(count, start));
  PetscFunctionReturn(0);
}

PetscErrorCode MachineBuild(MPI_Comm comm, const MachineSpec *spec, Machine **out)
{
  PetscFunctionBegin;
  PetscMPIInt rank, size;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  Fragmentation nuclear;
  Machine *m;
  PetscCall(PetscNew(&m));
  PetscCall(FragmentationLoad(spec->fragmentation, &nuclear));
  PetscCall(BuildFrame(spec, &nuclear, m));
  PetscCall(BuildNames(spec, m));
  PetscInt first = BlockStart(m->n_energy, size, rank), end = BlockStart(m->n_energy, size, rank + 1);
  Phase phase = PhaseBegin("machine", NULL, "base data");
  LogLine(LOG_INFO, "machine", NULL, "base data of %s at %d energies are computed, about a second each on one core",
          spec->ion, (int)m->n_energy);
  for (PetscInt e = first; e < end; e++) {
    PetscCall(BuildEnergy(spec, &nuclear, m, e));
    PhaseTell(&phase, (double)(e + 1 - first), (double)(end - first));
  }
  PetscCall(GatherRows(comm, m));
  PetscCall(MachineComputeR80(m));
  LogLine(LOG_INFO, "machine", NULL, "base data of %s are computed, in %.0f s", spec->ion, TimeSteady() - phase.begun);
  *out = m;
  PetscFunctionReturn(0);
}
