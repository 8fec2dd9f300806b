/* Spectra of TRiP98: files in both byte orders, damaged ones, and base data of a machine out and in again. */
#include "base_data.h"
#include "test_trip.h"

static double edges[] = {0, 0.5, 2, 300}, other_edges[] = {1, 400};
static double carbon[] = {0, 1. / 3, 0.003}, proton[] = {1e-3, 2e-3, 1e-5}, running[] = {0, 0, 0.5, 1.394},
              helium[] = {1e-4}, helium_running[] = {0, 0.04};
static TripSpectrum first[] = {
    {.species = {6, 12}, .cumulative = 1.4, .n = 3, .edge_MeV_u = edges, .dN_dE = carbon, .running = running},
    {.species = {1, 1}, .cumulative = 1.5, .n = 3, .edge_MeV_u = edges, .dN_dE = proton, .running = running},
    {.species = {2, 4},
     .cumulative = 1.6,
     .n = 1,
     .edge_MeV_u = other_edges,
     .dN_dE = helium,
     .running = helium_running}};
static TripSpectraDepth depths[] = {{.z_g_cm2 = 0, .norm = 1, .n = 3, .spectrum = first},
                                    {.z_g_cm2 = 2.5, .norm = 1, .n = 2, .spectrum = first}};
static TripSpectra small = {.version = "19980704",
                            .date = "Mon Jan  1 00:00:00 2001",
                            .target = "H2O",
                            .projectile = "12C6",
                            .energy_MeV_u = 280,
                            .peak_g_cm2 = 15.0773,
                            .norm = 1,
                            .n = 2,
                            .depth = depths};

READER(ReadOne, TripSpectra)

static void assert_same_spectra(const TripSpectra *a, const TripSpectra *b)
{
  assert_int_equal(a->n, b->n);
  assert_string_equal(a->date, b->date);
  assert_string_equal(a->target, b->target);
  assert_string_equal(a->projectile, b->projectile);
  assert_true(a->energy_MeV_u == b->energy_MeV_u && a->peak_g_cm2 == b->peak_g_cm2 && a->norm == b->norm);
  for (PetscInt d = 0; d < a->n; d++) {
    assert_true(a->depth[d].n == b->depth[d].n && a->depth[d].z_g_cm2 == b->depth[d].z_g_cm2);
    for (PetscInt k = 0; k < a->depth[d].n; k++) {
      const TripSpectrum *s = &a->depth[d].spectrum[k], *t = &b->depth[d].spectrum[k];
      size_t n = sizeof(double) * (size_t)s->n;
      assert_true(s->n == t->n && s->species.Z == t->species.Z && s->species.A == t->species.A);
      assert_true(s->cumulative == t->cumulative);
      assert_memory_equal(s->edge_MeV_u, t->edge_MeV_u, n + sizeof(double));
      assert_memory_equal(s->dN_dE, t->dN_dE, n);
      assert_memory_equal(s->running, t->running, n + sizeof(double));
    }
  }
}

static void BothByteOrders(void **state)
{
  for (int big = 0; big < 2; big++) {
    TripSpectra s;
    Mistakes mistakes = {0};
    size_t length;
    assert_int_equal(TripSpectraWrite(&small, big ? PETSC_TRUE : PETSC_FALSE, file, &mistakes), 0);
    char *bytes = ReadBytes(file, &length);
    const char tag[2][8] = {{1, 0, 0, 0, 80, 0, 0, 0}, {0, 0, 0, 1, 0, 0, 0, 80}};
    assert_memory_equal(bytes, tag[big], 8);
    assert_memory_equal(bytes + 8, big ? "SPCM" : "SPCI", 4);
    assert_int_equal(length % 8, 0);
    assert_int_equal(PetscFree(bytes), 0);
    assert_int_equal(TripSpectraRead(file, &mistakes, &s), 0);
    assert_none(&mistakes);
    assert_same_spectra(&small, &s);
    assert_int_equal(TripSpectraWrite(&s, big ? PETSC_TRUE : PETSC_FALSE, again, &mistakes), 0);
    assert_same_files(file, again);
    assert_int_equal(TripSpectraDestroy(&s), 0);
  }
}

static void Damaged(void **state)
{
  Mistakes mistakes = {0};
  for (int big = 0; big < 2; big++) {
    assert_int_equal(TripSpectraWrite(&small, big ? PETSC_TRUE : PETSC_FALSE, again, &mistakes), 0);
    assert_int_equal(Damage(ReadOne, again, 1, "/file: byte "), 0);
  }
}

/* Put 8 bytes of a little-endian whole number at an offset of the written file, and read it. */
static void RefusePatched(size_t offset, int64_t value, int bytes, const char *mistake)
{
  Mistakes mistakes = {0};
  size_t length;
  assert_int_equal(TripSpectraWrite(&small, PETSC_FALSE, file, &mistakes), 0);
  char *content = ReadBytes(file, &length);
  assert_true(offset + (size_t)bytes <= length);
  for (int i = 0; i < bytes; i++) content[offset + (size_t)i] = (char)((uint64_t)value >> 8 * i);
  WriteBytes(file, content, length);
  assert_int_equal(PetscFree(content), 0);
  assert_false(ReadOne(file, &mistakes));
  assert_one(&mistakes, mistake);
}

static void Wrong(void **state)
{
  /* 3 texts of 88 bytes, 2 of 16, 3 numbers of 16: the count of depths is at 264 + 32 + 48 + 8 */
  const size_t n_depth = 352, first_depth = 360, n_bin = first_depth + 48 + 32 + 16 + 16 + 8;
  RefusePatched(n_depth, 1000000, 8, "byte 352: tag 9 holds 1000000, expected 1 to 100000");
  RefusePatched(n_depth, 99999, 8, "the file ends here, expected tag 10");
  RefusePatched(first_depth, 12, 4, "byte 360: tag 12 found, expected 10");
  RefusePatched(first_depth + 4, 0x7fffffff, 4, "byte 364: tag 10 has 2147483647 bytes");
  RefusePatched(first_depth + 8, 0x7ff8000000000000, 8, "byte 368: tag 10 holds nan");
  RefusePatched(n_bin, 900000, 8, "tag 17 has 32 bytes, expected 7200008");
  RefusePatched(n_bin, -1, 8, "tag 16 holds 18446744073709551615");
  RefusePatched(n_bin + 8 + 8 + 8, 0, 8, "edge 1 is 0 after 0, expected ascending edges");
}

/* Header of a published file of 280 MeV/u: mean energy 277.407 MeV/u at its first depth, mean dE/dx 131.461 MeV cm2/g. */
static void PublishedStopping(void **state)
{
  double S = StoppingPower_MeV_cm2_g(6, 12, 277.407);
  print_message("S(277.407 MeV/u) %.3f MeV cm2/g, published 131.461\n", S);
  assert_double_near(S, 131.461, 0.015 * 131.461);
}

static Machine *Build(void)
{
  Machine *m;
  MachineSpec spec;
  assert_int_equal(MachineSpecDefault(&spec), 0);
  spec.energy_min_MeV_u = 100;
  spec.energy_max_MeV_u = 130;
  spec.range_step_mm = 8;
  assert_int_equal(BaseData(PETSC_COMM_SELF, &spec, &m), 0);
  return m;
}

static void FileOf(char name[160], PetscInt e, const char *extension)
{
  snprintf(name, 160, "%s/12C.H2O.%d%s", folder, (int)e, extension);
}

/* A machine written as a folder of .ddd and .spc files and imported again. */
static void WholeMachine(void **state)
{
  Machine *m = Build(), *r;
  Mistakes mistakes = {0};
  char name[160];
  double worst_letd = 0, worst_share = 0;
  for (PetscInt e = 0; e < m->n_energy; e++) {
    TripDepthDose dose;
    TripSpectra spectra;
    assert_int_equal(MachineToTripDepthDose(m, e, &dose), 0);
    assert_int_equal(MachineToTripSpectra(m, e, &mistakes, &spectra), 0);
    /* one primary enters; what robion leaves to recoils makes it a little more here */
    assert_double_near(spectra.depth[0].spectrum[0].running[m->n_bin], 1, 0.05);
    FileOf(name, m->n_energy - e, ".ddd");
    assert_int_equal(TripDepthDoseWrite(&dose, name, &mistakes), 0);
    FileOf(name, e, ".SPC");
    assert_int_equal(TripSpectraWrite(&spectra, PETSC_TRUE, name, &mistakes), 0);
    assert_int_equal(TripDepthDoseDestroy(&dose), 0);
    assert_int_equal(TripSpectraDestroy(&spectra), 0);
  }
  const TripMachineSpec spec = {.spot_fwhm_mm = 8};
  assert_int_equal(MachineReadTrip(folder, &spec, &mistakes, &r), 0);
  assert_none(&mistakes);
  assert_true(r->n_energy == m->n_energy && r->n_depth == m->n_depth && r->n_species == m->n_species);
  assert_memory_equal(r->energy_MeV_u, m->energy_MeV_u, sizeof(double) * (size_t)m->n_energy);
  for (PetscInt i = 0; i < m->n_energy * m->n_depth; i++) {
    assert_double_near(r->depth_mm[i], m->depth_mm[i], 1e-12 * m->depth_mm[i]);
    assert_double_near(r->idd_Gy_mm2[i], m->idd_Gy_mm2[i], 1e-14 * m->idd_Gy_mm2[i]);
    PetscInt e = i / m->n_depth, d = i % m->n_depth;
    double written = m->sigma_mm[e * m->n_component * m->n_depth + d]; /* the first of three Gaussians, of two read */
    assert_double_near(r->sigma_mm[e * r->n_component * m->n_depth + d], written, 1e-12);
    worst_letd = PetscMax(worst_letd, fabs(r->letd_keV_um[i] / m->letd_keV_um[i] - 1));
    for (PetscInt s = 0; s < m->n_species; s++) {
      double a = 0, b = 0;
      for (PetscInt k = 0; k < m->n_bin; k++) {
        a += m->dose_share[(i * m->n_species + s) * m->n_bin + k];
        b += r->dose_share[(i * m->n_species + s) * m->n_bin + k];
      }
      worst_share = PetscMax(worst_share, fabs(a - b));
    }
  }
  print_message("%d energies, %d depths: LETd within %.2g, species' dose shares within %.2g\n", (int)m->n_energy,
                (int)m->n_depth, worst_letd, worst_share);
  /* histograms in bins of 15 % and numbers at their centres are the same thing to second order in the bin width */
  assert_true(worst_letd < 0.02);
  assert_true(worst_share < 0.01);
  assert_int_equal(MachineDestroy(&r), 0);
  FileOf(name, 0, ".SPC");
  assert_int_equal(unlink(name), 0);
  assert_int_equal(MachineReadTrip(folder, &spec, &mistakes, &r), 0);
  assert_null(r);
  assert_one(&mistakes, "expected one of each per energy");
  for (PetscInt e = 0; e < m->n_energy; e++) {
    FileOf(name, m->n_energy - e, ".ddd");
    assert_int_equal(unlink(name), 0);
    FileOf(name, e, ".SPC");
    if (e) assert_int_equal(unlink(name), 0);
  }
  assert_int_equal(MachineReadTrip(folder, &spec, &mistakes, &r), 0);
  assert_one(&mistakes, "no .ddd file in this folder");
  assert_int_equal(MachineDestroy(&m), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(BothByteOrders), cmocka_unit_test(Damaged),
                                     cmocka_unit_test(Wrong), cmocka_unit_test(PublishedStopping),
                                     cmocka_unit_test(WholeMachine)};
  return cmocka_run_group_tests(tests, SetUp, TearDown);
}
