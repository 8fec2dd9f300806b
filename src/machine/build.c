/*
 * Base data from first principles: the transport of every energy, dealt to the ranks.
 */
#include "machine_private.h"
#include "robion/provenance.h"
#include <math.h>
#include <string.h>

#define FWHM_PER_SIGMA 2.354820045
#define ENERGY_BINS 60
#define LOWEST_BIN_MEV_U 0.1
#define BIN_HEADROOM 1.5 /* highest bin edge over the highest energy: room for fast light fragments */
#define SMALLEST_SHARE 1e-7

PetscErrorCode MachineSpecHash(const MachineSpec *spec, char hex[17])
{
  PetscFunctionBegin;
  const double number[] = {MACHINE_TABLE_VERSION, spec->energy_min_MeV_u, spec->energy_max_MeV_u, spec->range_step_mm,
                           spec->ripple_sigma_mm, spec->momentum_spread,  spec->spot_fwhm_mm,     spec->sad_mm};
  char text[512];
  int used = snprintf(text, sizeof text, "%s", spec->ion ? spec->ion : "");
  for (size_t i = 0; i < sizeof number / sizeof *number; i++)
    used += snprintf(text + used, sizeof text - (size_t)used, ",%.17g", number[i] + 0.0);
  snprintf(hex, 17, "%016llx", (unsigned long long)HashBytes(HASH_START, text, strlen(text)));
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

/* All rows of energy e. */
static PetscErrorCode BuildEnergy(const MachineSpec *spec, Machine *m, PetscInt e)
{
  PetscFunctionBegin;
  Species p = {m->Z, m->A};
  PetscInt row = e * m->n_depth, per_node = m->n_species * m->n_bin;
  double range = m->csda_range_mm[e];
  LayoutDepths(range, m->n_depth, m->depth_mm + row);
  TransportInput input = {.projectile = p,
                          .energy_MeV_u = m->energy_MeV_u[e],
                          .range_sigma_mm = RangeSpread_mm(spec, p, m->energy_MeV_u[e]),
                          .n_depth = m->n_depth,
                          .depth_mm = m->depth_mm + row,
                          .n_bin = m->n_bin,
                          .bin_edge_MeV_u = m->bin_edge_MeV_u};
  TransportField field;
  PetscCall(TransportRun(&input, &field));
  for (PetscInt d = 0; d < m->n_depth; d++) {
    m->idd_Gy_mm2[row + d] = GY_MM2_PER_MEV_CM2_G * field.dose_MeV_cm2_g[d];
    m->letd_keV_um[row + d] = field.letd_keV_um[d];
    m->sigma_mm[row + d] = LateralSigma_mm(p, range, m->depth_mm[row + d]);
    m->component[row + d] = 1;
    FillShares(per_node, field.spectrum + d * per_node, m->dose_share + (size_t)(row + d) * (size_t)per_node);
  }
  PetscCall(TransportFieldDestroy(&field));
  PetscFunctionReturn(0);
}

/* Everything that needs no transport. */
static PetscErrorCode BuildFrame(const MachineSpec *spec, Machine *m)
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
  m->n_component = 1;
  m->n_species = TransportSpecies(p, species);
  m->n_bin = ENERGY_BINS;
  m->sad_mm = spec->sad_mm;
  PetscCall(MachineAllocate(m));
  PetscCall(PetscArraycpy(m->energy_MeV_u, energy, m->n_energy));
  PetscCall(PetscArraycpy(m->csda_range_mm, range, m->n_energy));
  PetscCall(PetscArraycpy(m->species, species, m->n_species));
  for (PetscInt e = 0; e < m->n_energy; e++) m->spot_sigma_mm[e] = spec->spot_fwhm_mm / FWHM_PER_SIGMA;
  double width = log(BIN_HEADROOM * spec->energy_max_MeV_u / LOWEST_BIN_MEV_U) / ENERGY_BINS;
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
  PetscCall(PetscSNPrintf(
      text, sizeof text,
      "robion 1-D transport in water, tables %d: %s %g to %g MeV/u, range step %g mm, ripple sigma %g mm, "
      "momentum spread %g, spot FWHM %g mm",
      MACHINE_TABLE_VERSION, spec->ion, spec->energy_min_MeV_u, spec->energy_max_MeV_u, spec->range_step_mm,
      spec->ripple_sigma_mm, spec->momentum_spread, spec->spot_fwhm_mm));
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
  Machine *m;
  PetscCall(PetscNew(&m));
  PetscCall(BuildFrame(spec, m));
  PetscCall(BuildNames(spec, m));
  PetscInt first = BlockStart(m->n_energy, size, rank), end = BlockStart(m->n_energy, size, rank + 1);
  for (PetscInt e = first; e < end; e++) PetscCall(BuildEnergy(spec, m, e));
  PetscCall(GatherRows(comm, m));
  PetscCall(MachineComputeR80(m));
  *out = m;
  PetscFunctionReturn(0);
}
