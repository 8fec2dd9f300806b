/*
 * The Machine object: its tables, allocation, distribution over ranks, printing.
 */
#include "machine_private.h"
#include "robion/memory.h"
#include <limits.h>
#include <math.h>
#include <stddef.h>

const char *const lateral_model_names[] = {"full", "single"};
const PetscInt n_lateral_model_names = PETSC_STATIC_ARRAY_LENGTH(lateral_model_names);

_Static_assert(sizeof(Species) == 2 * sizeof(PetscInt) && sizeof(PetscInt) == sizeof(int), "a Species is two ints");

#define AT(member) offsetof(Machine, member)
const MachineTable machine_tables[MACHINE_TABLES] = {
    {"/energy", "MeV/u", "kinetic energy per nucleon", AT(energy_MeV_u), TABLE_DOUBLE, 1e-3, 1e4, 1, {DIM_ENERGY}},
    {"/csda_range",
     "mm",
     "range in water, continuous slowing down",
     AT(csda_range_mm),
     TABLE_DOUBLE,
     1e-4,
     1e5,
     1,
     {DIM_ENERGY}},
    {"/r80", "mm", "depth of the distal 80 % of the maximum of idd", AT(r80_mm), TABLE_DOUBLE, 0, 1e5, 1, {DIM_ENERGY}},
    {"/spot_sigma",
     "mm",
     "lateral sigma in air at the isocentre",
     AT(spot_sigma_mm),
     TABLE_DOUBLE,
     1e-3,
     1e3,
     1,
     {DIM_ENERGY}},
    {"/depth", "mm", "depth nodes in water", AT(depth_mm), TABLE_DOUBLE, 0, 1e5, 2, {DIM_ENERGY, DIM_DEPTH}},
    {"/idd",
     "Gy mm2",
     "laterally integrated physical dose per particle",
     AT(idd_Gy_mm2),
     TABLE_DOUBLE,
     0,
     1,
     2,
     {DIM_ENERGY, DIM_DEPTH}},
    {"/recoil",
     "1",
     "share of idd left by recoils of the target",
     AT(recoil),
     TABLE_DOUBLE,
     0,
     1,
     2,
     {DIM_ENERGY, DIM_DEPTH}},
    {"/letd",
     "keV/um",
     "dose-averaged LET in water of the mixed field",
     AT(letd_keV_um),
     TABLE_DOUBLE,
     0,
     1e4,
     2,
     {DIM_ENERGY, DIM_DEPTH}},
    {"/sigma",
     "mm",
     "lateral sigma in water, added in quadrature to spot_sigma",
     AT(sigma_mm),
     TABLE_DOUBLE,
     0,
     1e3,
     3,
     {DIM_ENERGY, DIM_COMPONENT, DIM_DEPTH}},
    {"/component",
     "1",
     "share of the lateral component in idd",
     AT(component),
     TABLE_DOUBLE,
     0,
     1,
     3,
     {DIM_ENERGY, DIM_COMPONENT, DIM_DEPTH}},
    {"/component_letd",
     "keV/um",
     "dose-averaged LET in water of the lateral component",
     AT(component_letd_keV_um),
     TABLE_DOUBLE,
     0,
     1e4,
     3,
     {DIM_ENERGY, DIM_COMPONENT, DIM_DEPTH}},
    {"/spectra/species",
     "1",
     "charge and mass number of the species",
     AT(species),
     TABLE_INT,
     0,
     0,
     2,
     {DIM_SPECIES, DIM_PAIR}},
    {"/spectra/component",
     "1",
     "lateral component of the species, -1: none",
     AT(species_component),
     TABLE_INT,
     0,
     0,
     1,
     {DIM_SPECIES}},
    {"/spectra/bin_edge",
     "MeV/u",
     "edges of the energy bins",
     AT(bin_edge_MeV_u),
     TABLE_DOUBLE,
     1e-6,
     1e5,
     1,
     {DIM_EDGE}},
    {"/spectra/dose_share",
     "1",
     "share of the dose by species and energy bin",
     AT(dose_share),
     TABLE_FLOAT,
     0,
     1,
     4,
     {DIM_ENERGY, DIM_DEPTH, DIM_SPECIES, DIM_BIN}},
    {"/spectra/fluence",
     "1",
     "particles of the species through a plane per primary",
     AT(species_fluence),
     TABLE_FLOAT,
     0,
     1e3,
     3,
     {DIM_ENERGY, DIM_DEPTH, DIM_SPECIES}},
    {"/spectra/letd",
     "keV/um",
     "dose-averaged LET in water of the species",
     AT(species_letd_keV_um),
     TABLE_FLOAT,
     0,
     1e4,
     3,
     {DIM_ENERGY, DIM_DEPTH, DIM_SPECIES}},
    {"/emitters/nuclide",
     "1",
     "charge and mass number of the positron emitter",
     AT(emitter),
     TABLE_INT,
     0,
     0,
     2,
     {DIM_EMITTER, DIM_PAIR}},
    {"/emitters/half_life",
     "s",
     "half-life of the positron emitter",
     AT(emitter_half_life_s),
     TABLE_DOUBLE,
     1e-3,
     1e9,
     1,
     {DIM_EMITTER}},
    {"/emitters/made",
     "1/mm",
     "positron emitters made per primary and depth",
     AT(emitter_made_per_mm),
     TABLE_FLOAT,
     0,
     1e3,
     3,
     {DIM_ENERGY, DIM_EMITTER, DIM_DEPTH}},
    {"/emitters/stopped",
     "1/mm",
     "positron emitters that come to rest per primary and depth",
     AT(emitter_stopped_per_mm),
     TABLE_FLOAT,
     0,
     1e3,
     3,
     {DIM_ENERGY, DIM_EMITTER, DIM_DEPTH}},
    {"/emitters/emission",
     "1/mm, of target nuclei per 1e22/cm3",
     "positron emitters at rest per primary, by source (stopped fragments, made of C, N, O) and lateral component",
     AT(emission),
     TABLE_FLOAT,
     0,
     1e3,
     4,
     {DIM_ENERGY, DIM_EMISSION, DIM_COMPONENT, DIM_DEPTH}},
    {"/tissue/alpha_x", "1/Gy", "photon alpha of the tissue class", AT(alpha_x), TABLE_DOUBLE, 0, 100, 1, {DIM_TISSUE}},
    {"/tissue/beta_x", "1/Gy2", "photon beta of the tissue class", AT(beta_x), TABLE_DOUBLE, 0, 100, 1, {DIM_TISSUE}},
    {"/tissue/alpha",
     "1/Gy",
     "dose-averaged alpha of the field",
     AT(alpha),
     TABLE_DOUBLE,
     0,
     1000,
     3,
     {DIM_ENERGY, DIM_TISSUE, DIM_DEPTH}},
    {"/tissue/beta",
     "1/Gy2",
     "dose-averaged beta of the field",
     AT(beta),
     TABLE_DOUBLE,
     0,
     1000,
     3,
     {DIM_ENERGY, DIM_TISSUE, DIM_DEPTH}},
};

PetscInt MachineDim(const Machine *m, Dim dim)
{
  const PetscInt length[DIM_COUNT] = {m->n_energy,
                                      m->n_depth,
                                      m->n_component,
                                      m->n_species,
                                      m->n_bin,
                                      m->n_bin ? m->n_bin + 1 : 0,
                                      m->n_tissue,
                                      m->n_emitter,
                                      m->n_emitter * N_EMISSIONS,
                                      2};
  return length[dim];
}

size_t MachineTableSize(const Machine *m, const MachineTable *table)
{
  size_t n = 1;
  for (int i = 0; i < table->rank; i++) n *= (size_t)MachineDim(m, table->dim[i]);
  return n;
}

void **MachineTableData(Machine *m, const MachineTable *table)
{
  return (void **)((char *)m + table->offset);
}

size_t MachineTableElement(const MachineTable *table)
{
  static const size_t bytes[] = {sizeof(double), sizeof(float), sizeof(int)};
  return bytes[table->type];
}

PetscErrorCode MachineAllocate(Machine *m)
{
  PetscFunctionBegin;
  for (int i = 0; i < MACHINE_TABLES; i++) {
    size_t n = MachineTableSize(m, &machine_tables[i]);
    if (n)
      PetscCall(
          PetscCalloc1(n * MachineTableElement(&machine_tables[i]), (char **)MachineTableData(m, &machine_tables[i])));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode MachineDestroy(Machine **machine)
{
  PetscFunctionBegin;
  Machine *m = *machine;
  if (!m) PetscFunctionReturn(0);
  for (int i = 0; i < MACHINE_TABLES; i++) {
    void **data = MachineTableData(m, &machine_tables[i]);
    PetscCall(PetscFree(*data));
  }
  PetscCall(PetscFree(m->name));
  PetscCall(PetscFree(m->source));
  PetscCall(PetscFree(m->hash));
  PetscCall(PetscFree(*machine));
  PetscFunctionReturn(0);
}

static PetscErrorCode BroadcastText(MPI_Comm comm, PetscMPIInt root, char **text)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  size_t length = 0;
  if (rank == root && *text) PetscCall(PetscStrlen(*text, &length));
  int size = rank == root && *text ? (int)length + 1 : 0;
  PetscCallMPI(MPI_Bcast(&size, 1, MPI_INT, root, comm));
  if (rank != root && size) PetscCall(PetscMalloc1(size, text));
  if (size) PetscCallMPI(MPI_Bcast(*text, size, MPI_CHAR, root, comm));
  PetscFunctionReturn(0);
}

PetscErrorCode MachineBroadcast(MPI_Comm comm, PetscMPIInt root, Machine **machine)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  int present = rank == root && *machine;
  PetscCallMPI(MPI_Bcast(&present, 1, MPI_INT, root, comm));
  if (rank != root) *machine = NULL;
  if (!present) PetscFunctionReturn(0);
  Machine plain = {0};
  if (rank == root) plain = **machine;
  PetscCallMPI(MPI_Bcast(&plain, (int)sizeof plain, MPI_BYTE, root, comm));
  if (rank != root) {
    PetscCall(PetscNew(machine));
    **machine = plain; /* the numbers; the root's addresses mean nothing here */
    Machine *m = *machine;
    m->name = m->source = m->hash = NULL;
    for (int i = 0; i < MACHINE_TABLES; i++) *MachineTableData(m, &machine_tables[i]) = NULL;
    PetscCall(MachineAllocate(m));
  }
  PetscCall(BroadcastText(comm, root, &(*machine)->name));
  PetscCall(BroadcastText(comm, root, &(*machine)->source));
  PetscCall(BroadcastText(comm, root, &(*machine)->hash));
  for (int i = 0; i < MACHINE_TABLES; i++) {
    const MachineTable *table = &machine_tables[i];
    MPI_Datatype type = table->type == TABLE_DOUBLE ? MPI_DOUBLE : table->type == TABLE_FLOAT ? MPI_FLOAT : MPI_INT;
    size_t n = MachineTableSize(*machine, table);
    PetscCheck(n < (size_t)INT_MAX, comm, PETSC_ERR_ARG_OUTOFRANGE, "table %s has %zu elements", table->path, n);
    if (n) PetscCallMPI(MPI_Bcast(*MachineTableData(*machine, table), (int)n, type, root, comm));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode MachineComputeR80(Machine *m)
{
  PetscFunctionBegin;
  for (PetscInt e = 0; e < m->n_energy; e++) {
    const double *z = m->depth_mm + e * m->n_depth, *dose = m->idd_Gy_mm2 + e * m->n_depth;
    PetscInt peak = 0;
    for (PetscInt d = 1; d < m->n_depth; d++)
      if (dose[d] > dose[peak]) peak = d;
    double level = 0.8 * dose[peak];
    PetscInt d = peak;
    while (d + 1 < m->n_depth && dose[d + 1] >= level) d++;
    m->r80_mm[e] = d + 1 < m->n_depth ? z[d] + (z[d + 1] - z[d]) * (dose[d] - level) / (dose[d] - dose[d + 1]) : z[d];
  }
  PetscFunctionReturn(0);
}

/* Fluence and LETd of species s at node i (of all energies and depths) from its dose spectrum. */
static void DeriveSpeciesAt(Machine *m, size_t i, PetscInt s)
{
  const float *share = m->dose_share + (i * (size_t)m->n_species + (size_t)s) * (size_t)m->n_bin;
  double dose = m->idd_Gy_mm2[i] / GY_MM2_PER_MEV_CM2_G, sum = 0, fluence = 0, let = 0;
  for (PetscInt b = 0; b < m->n_bin; b++) {
    double centre = sqrt(m->bin_edge_MeV_u[b] * m->bin_edge_MeV_u[b + 1]);
    double stopping = StoppingPower_MeV_cm2_g(m->species[s].Z, m->species[s].A, centre);
    sum += (double)share[b];
    fluence += (double)share[b] * dose / stopping;
    let += (double)share[b] * 0.1 * stopping;
  }
  m->species_fluence[i * (size_t)m->n_species + (size_t)s] = (float)fluence;
  m->species_letd_keV_um[i * (size_t)m->n_species + (size_t)s] = sum > 0 ? (float)(let / sum) : 0;
}

PetscErrorCode MachineDeriveSpecies(Machine *m)
{
  PetscFunctionBegin;
  for (PetscInt s = 0; s < m->n_species; s++) {
    m->species_component[s] = -1;
    for (size_t i = 0; i < (size_t)m->n_energy * (size_t)m->n_depth; i++) DeriveSpeciesAt(m, i, s);
  }
  for (PetscInt e = 0; e < m->n_energy; e++)
    for (PetscInt k = 0; k < m->n_component; k++)
      PetscCall(PetscArraycpy(m->component_letd_keV_um + (e * m->n_component + k) * m->n_depth,
                              m->letd_keV_um + e * m->n_depth, m->n_depth));
  PetscFunctionReturn(0);
}

/* Put all components of one row of emissions into the first, at its place among rows of one component. */
static void MergeEmission(Machine *m, PetscInt row)
{
  const float *from = m->emission + row * m->n_component * m->n_depth;
  for (PetscInt d = 0; d < m->n_depth; d++) {
    float sum = 0;
    for (PetscInt k = 0; k < m->n_component; k++) sum += from[k * m->n_depth + d];
    m->emission[row * m->n_depth + d] = sum;
  }
}

PetscErrorCode MachineMergeComponents(Machine *m)
{
  PetscFunctionBegin;
  const PetscInt K = m->n_component, D = m->n_depth;
  for (PetscInt e = 0; e < m->n_energy; e++) {
    PetscCall(PetscArraymove(m->sigma_mm + e * D, m->sigma_mm + e * K * D, D));
    PetscCall(PetscArraycpy(m->component_letd_keV_um + e * D, m->letd_keV_um + e * D, D));
    for (PetscInt d = 0; d < D; d++) m->component[e * D + d] = 1;
    for (PetscInt c = 0; c < m->n_emitter * N_EMISSIONS; c++) MergeEmission(m, e * m->n_emitter * N_EMISSIONS + c);
  }
  for (PetscInt s = 0; s < m->n_species; s++) m->species_component[s] = -1;
  m->n_component = 1;
  PetscFunctionReturn(0);
}

PetscErrorCode MachineDropSpectra(Machine *m)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(m->dose_share));
  MemoryGiveBack();
  PetscFunctionReturn(0);
}

static double PeakOf(const Machine *m, PetscInt e)
{
  double peak = 0;
  for (PetscInt d = 0; d < m->n_depth; d++) peak = PetscMax(peak, m->idd_Gy_mm2[e * m->n_depth + d]);
  return peak / GY_MM2_PER_MEV_CM2_G;
}

static void ShowHeader(const Machine *m, FILE *out)
{
  fprintf(out, "machine  %s, projectile Z = %d, A = %d\n", m->name ? m->name : "?", (int)m->Z, (int)m->A);
  fprintf(out, "source   %s\n", m->source ? m->source : "?");
  fprintf(out, "hash     %s\n", m->hash ? m->hash : "?");
  fprintf(out,
          "tables   %d energies, %d depths, %d lateral components, %d species, %d energy bins, %d tissue classes\n",
          (int)m->n_energy, (int)m->n_depth, (int)m->n_component, (int)m->n_species, (int)m->n_bin, (int)m->n_tissue);
  for (PetscInt t = 0; t < m->n_tissue; t++)
    fprintf(out, "tissue   alpha_x %g 1/Gy, beta_x %g 1/Gy2\n", m->alpha_x[t], m->beta_x[t]);
  if (m->sad_mm > 0) fprintf(out, "source-axis distance %g mm\n", m->sad_mm);
  fprintf(out, "\n%12s %10s %10s %12s %12s %12s %10s\n", "energy", "range", "R80", "entrance", "peak", "LETd entr.",
          "spot sigma");
  fprintf(out, "%12s %10s %10s %12s %12s %12s %10s\n", "MeV/u", "mm", "mm", "MeV cm2/g", "MeV cm2/g", "keV/um", "mm");
}

PetscErrorCode MachineShow(const Machine *m, PetscBool csv, FILE *out)
{
  PetscFunctionBegin;
  if (csv)
    fprintf(out, "energy_MeV_u,csda_range_mm,r80_mm,entrance_MeV_cm2_g,peak_MeV_cm2_g,letd_entrance_keV_um\n");
  else
    ShowHeader(m, out);
  for (PetscInt e = 0; e < m->n_energy; e++) {
    double entrance = m->idd_Gy_mm2[e * m->n_depth] / GY_MM2_PER_MEV_CM2_G, let = m->letd_keV_um[e * m->n_depth];
    if (csv)
      fprintf(out, "%.6g,%.6g,%.6g,%.6g,%.6g,%.6g\n", m->energy_MeV_u[e], m->csda_range_mm[e], m->r80_mm[e], entrance,
              PeakOf(m, e), let);
    else
      fprintf(out, "%12.3f %10.2f %10.2f %12.2f %12.2f %12.3f %10.3f\n", m->energy_MeV_u[e], m->csda_range_mm[e],
              m->r80_mm[e], entrance, PeakOf(m, e), let, m->spot_sigma_mm[e]);
  }
  PetscFunctionReturn(0);
}
