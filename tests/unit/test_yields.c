/* Nuclear data: what the program's own file says of a reaction, and what mistakes in another file are told as. */
#include "../../src/machine/machine_private.h"
#include "robion/text.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "near.h"

static Fragmentation nuclear;

#define PER_MM_OF_MB 3.343e-6 /* of a molecule of water: 3.343e22 per cm3 */

static const char own[] = "configs/fragmentation.yaml";

static double YieldOf(const double yield[YIELD_SPECIES], PetscInt Z, PetscInt A)
{
  for (int s = 0; s < YIELD_SPECIES; s++)
    if (yield_species[s].Z == Z && yield_species[s].A == A) return yield[s];
  fail();
  return 0;
}

/*
 * Cross sections in water, mb, that yields and loss give at 250 MeV/u: two of hydrogen (Webber 1990; 11C, 10C are what protons make of
 * carbon) and 1.075 of carbon (11B: Kidd 1988; the others Lindstrom 1975, Olson 1983, times 1.2; 11C, 10C: Horst 2019). At another
 * energy those of 11C follow the protons' excitation function.
 */
static void PartialCrossSections(void **state)
{
  const double table[][4] = {{6, 11, 37.5, 72.7}, {6, 10, 3.5566, 4.13}, {5, 11, 32.7, 65.6}, {4, 7, 10, 22.3},
                             {3, 6, 12.7, 36},    {3, 7, 10.6, 28.7},    {4, 9, 6.3, 19.7},   {5, 10, 17.1, 44.1}};
  const Species carbon = {6, 12};
  ReactionLeaves leaves;
  ReactionLeavesOf(&nuclear, carbon, 250, &leaves);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    double mb = 2 * table[i][2] + 1.075 * table[i][3];
    double found = YieldOf(leaves.yield, (PetscInt)table[i][0], (PetscInt)table[i][1]) *
                   ReactionLoss_per_mm(&nuclear, carbon, 250) / PER_MM_OF_MB;
    assert_double_near(found, mb, 0.002 * mb);
  }
  double mb = 2 * 61 + 1.075 * 72.7;
  ReactionLeavesOf(&nuclear, carbon, 100, &leaves);
  assert_double_near(YieldOf(leaves.yield, 6, 11) * ReactionLoss_per_mm(&nuclear, carbon, 100) / PER_MM_OF_MB, mb,
                     0.002 * mb);
}

/*
 * To boron, beryllium, lithium in water, mb, at 250 MeV/u, beside what measurements of Golovchenko (2002) and Toshito (2007) are, as
 * ratios to them told of earlier yields: 215, 86, 120, to 12 %. None of these is an input.
 */
static void ElementsInWater(void **state)
{
  const double measured[3] = {120, 86, 215};
  ReactionLeaves leaves;
  ReactionLeavesOf(&nuclear, (Species){6, 12}, 250, &leaves);
  for (int Z = 3; Z <= 5; Z++) {
    double mb = 0;
    for (int s = 0; s < YIELD_SPECIES; s++)
      if (yield_species[s].Z == Z) mb += leaves.yield[s];
    mb *= ReactionLoss_per_mm(&nuclear, (Species){6, 12}, 250) / PER_MM_OF_MB;
    print_message("12C + H2O to Z = %d: %.0f mb, measured %.0f, ratio %.3f\n", Z, mb, measured[Z - 3],
                  mb / measured[Z - 3]);
    assert_double_near(mb / measured[Z - 3], 1, 0.12);
  }
}

/* What is not neutron removal changes the charge: 1.2 to 1.3 b in water (Golovchenko 2002, Toshito 2007). */
static void ChargeChanging(void **state)
{
  ReactionLeaves leaves;
  for (double energy = 150; energy < 441; energy += 50) {
    ReactionLeavesOf(&nuclear, (Species){6, 12}, energy, &leaves);
    double changing = 1 - YieldOf(leaves.yield, 6, 11) - YieldOf(leaves.yield, 6, 10);
    double mb = changing * ReactionLoss_per_mm(&nuclear, (Species){6, 12}, energy) / PER_MM_OF_MB;
    print_message("12C + H2O, %g MeV/u: charge changing %.0f mb, measured 1200 to 1300\n", energy, mb);
    assert_true(mb > 1200 && mb < 1300);
  }
}

/* No daughter is heavier than the parent; all together have its charge at most and its energy (MeV/u: 1 to 1000), but what a proton hands
   to nothing else. */
static void Conservation(void **state)
{
  for (int p = 0; p < YIELD_SPECIES; p++)
    for (double energy = 1; energy < 1001; energy *= 2) {
      const Species parent = yield_species[p];
      const KnockGroup group = KnockGroupOf(parent);
      double charge, mass, knocked = 0;
      ReactionLeaves leaves;
      ReactionLeavesOf(&nuclear, parent, energy, &leaves);
      YieldSums(leaves.yield, &charge, &mass);
      for (int s = 0; s < YIELD_SPECIES; s++)
        assert_true(leaves.yield[s] >= 0 && (leaves.yield[s] == 0 || yield_species[s].A < parent.A));
      for (int c = 0; c < KNOCK_CLASSES; c++) {
        double from = KnockedOutEnergy_MeV(&nuclear, group, c, 0, energy);
        double to = KnockedOutEnergy_MeV(&nuclear, group, c, 1, energy);
        assert_true(from >= 0 && to > from && to <= energy * (1 + 1e-12));
        knocked += 2 * 0.5 * (from + to) / energy / KNOCK_CLASSES * KnockedOutProtons(&nuclear, group);
      }
      assert_true(charge <= (double)parent.Z + 1e-9 && leaves.neutrons >= 0 && leaves.local_MeV >= 0);
      double out = mass + knocked + leaves.neutrons + leaves.local_MeV / energy;
      assert_true(out <= (double)parent.A + 1e-9);
      if (parent.A > 1) assert_double_near(out, (double)parent.A, 1e-9);
    }
}

/* The mean of knocked-out nucleons' energies is the share asked for, over what a file may ask for. */
static void KnockedOutMean(void **state)
{
  for (double share = 0.2; share < 0.501; share += 0.05) {
    Fragmentation f = {.knocked = {{.protons = 1, .energy_share = share, .fall = KnockedOutFall(share)}}};
    double mean = 1 / f.knocked[0].fall - 1 / expm1(f.knocked[0].fall), sum = 0;
    assert_double_near(mean, share, 1e-4);
    for (int c = 0; c < KNOCK_CLASSES; c++)
      for (int end = 0; end < 2; end++) sum += 0.5 * KnockedOutEnergy_MeV(&f, KNOCK_HEAVY, c, end, 1) / KNOCK_CLASSES;
    assert_double_near(sum, share, 1e-9);
    assert_true(KnockedOutEnergy_MeV(&f, KNOCK_HEAVY, KNOCK_CLASSES - 1, 1, 1) <= 1 + 1e-12);
  }
}

/* Positron emitters of nuclei as many as water has oxygen, 1/mm. */
static double OfNuclei(int target, Species projectile, double energy_MeV_u, Species emitter)
{
  return WATER_OXYGEN_1E22_CM3 * EmitterFromTarget_per_mm(&nuclear, target, projectile, energy_MeV_u, emitter);
}

/* By interpolation in the file's tables. */
static void Emitters(void **state)
{
  const Species proton = {1, 1}, carbon = {6, 12}, o15 = {8, 15}, c11 = {6, 11}, n13 = {7, 13};
  assert_double_near(OfNuclei(EMISSION_OF_OXYGEN, proton, 200, o15) / (45 * PER_MM_OF_MB), 1, 1e-6);
  assert_double_near(OfNuclei(EMISSION_OF_OXYGEN, proton, 60, c11) / (16 * PER_MM_OF_MB), 1, 1e-6);
  assert_double_near(OfNuclei(EMISSION_OF_OXYGEN, carbon, 250, n13) / (9.6 * PER_MM_OF_MB), 1, 1e-6);
  for (int p = 0; p < YIELD_SPECIES; p++)
    for (double energy = 0.01; energy < 1000; energy *= 1.5) {
      double made = OfNuclei(EMISSION_OF_OXYGEN, yield_species[p], energy, o15);
      assert_true(made >= 0 && made < 0.1 * ReactionCrossSectionWater_per_mm(4, 9, 50));
    }
  assert_double_near(OfNuclei(EMISSION_OF_OXYGEN, proton, 15, o15), 0, 0); /* threshold 16.7 MeV */
  assert_double_near(OfNuclei(EMISSION_OF_OXYGEN, proton, 26, c11), 0, 0); /* 27.5 MeV */
  assert_double_near(OfNuclei(EMISSION_OF_OXYGEN, carbon, 200, (Species){9, 18}), 0, 0);
  assert_double_near(OfNuclei(EMISSION_OF_CARBON, carbon, 250, c11) / (72.7 * PER_MM_OF_MB), 1, 1e-6);
  assert_double_near(OfNuclei(EMISSION_OF_CARBON, proton, 100, c11) / (61 * PER_MM_OF_MB), 1, 1e-6);
  assert_double_near(OfNuclei(EMISSION_OF_CARBON, proton, 20, c11), 0, 0); /* 20.3 MeV */
  assert_double_near(OfNuclei(EMISSION_OF_CARBON, carbon, 250, o15), 0, 0);
  assert_double_near(OfNuclei(EMISSION_OF_NITROGEN, proton, 50, n13) / (11 * PER_MM_OF_MB), 1, 1e-6);
}

/* A copy of the program's own file with one piece of text replaced; returns its name. */
static const char *Changed(const char *from, const char *to)
{
  static char name[64];
  char *text, *at;
  size_t length;
  Mistakes mistakes = {0};
  assert_true(FileRead(own, &text, &length, &mistakes));
  at = strstr(text, from);
  assert_non_null(at);
  snprintf(name, sizeof name, "/tmp/robion-yields-%d.yaml", (int)getpid());
  FILE *file = fopen(name, "w");
  assert_non_null(file);
  fprintf(file, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
  fclose(file);
  assert_int_equal(PetscFree(text), 0);
  return name;
}

/* Mistakes say where, what was found and what was expected; a spec with such a file is refused. */
static void MistakesOfAFile(void **state)
{
  const char *cases[][3] = {
      {"of_tripathi: ", "of_tripahti: ", "did you mean of_tripathi?"},
      {"11B: 32.7,", "11B: -32.7,", "found -32.7, expected"},
      {"6Li: 12.7}", "7He: 12.7}", "found 7He, expected a nuclide of charge 3 to 5"},
      {"6Li: 12.7}", "11C: 12.7}", "found 11C, expected a nuclide of charge 3 to 5"},
      {"6Li: 12.7}", "6Li: 1400}", "expected at most 6 and 12"},
      {"hydrogen: 0.29}", "hydrogen: 0.5}", "expected at most 1 and 1"},
      {"4He: 0.85", "4He: 0.95", "shares add up to"},
      {"[60, 16]", "[40, 16]", "expected ascending energies"},
      {"robion_fragmentation: 2", "robion_fragmentation: 1", "expected 2"},
      {"momentum_spread:", "momentum_spread: [", "not valid YAML"},
      {"momentum_spread:\n  MeV_c: 90\n", "momentum_spread:\n", "momentum_spread.MeV_c: missing"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    MachineSpec spec;
    Mistakes mistakes = {0};
    assert_int_equal(MachineSpecDefault(&spec), 0);
    spec.fragmentation = Changed(cases[i][0], cases[i][1]);
    assert_int_equal(MachineSpecCheck(&spec, "study", &mistakes), 0);
    int line = 0, column = 0;
    char format[80];
    snprintf(format, sizeof format, "%s:%%d:%%d:", spec.fragmentation);
    if (mistakes.n < 1 || !strstr(MistakesFirst(&mistakes), cases[i][2]) ||
        sscanf(MistakesFirst(&mistakes), format, &line, &column) != 2)
      fail_msg("%s: \"%s\"", cases[i][1], MistakesFirst(&mistakes));
    assert_int_equal(MistakesExit(&mistakes), ROBION_INPUT);
    MistakesClear(&mistakes);
  }
  unlink(Changed("11C", "11C"));
}

/* Most 11C of a beam of 30 MeV/u at any depth, per primary. (Its base data are made on the spot, also by the sanitizer build.) */
static double Most11C(const MachineSpec *given)
{
  MachineSpec spec = *given;
  Machine *m;
  double most = 0;
  spec.energy_min_MeV_u = spec.energy_max_MeV_u = 30;
  assert_int_equal(MachineBuild(PETSC_COMM_SELF, &spec, &m), 0);
  for (PetscInt d = 0; d < m->n_depth; d++)
    for (PetscInt s = 0; s < m->n_species; s++)
      if (m->species[s].Z == 6 && m->species[s].A == 11)
        most = PetscMax(most, (double)m->species_fluence[d * m->n_species + s]);
  assert_int_equal(MachineDestroy(&m), 0);
  return most;
}

/* Another file gives other yields and other base data with another hash; the program's own are those of
   configs/fragmentation.yaml. */
static void AnotherFile(void **state)
{
  MachineSpec spec;
  Fragmentation changed, same;
  char first[17], other[17];
  ReactionLeaves before, after;
  assert_int_equal(MachineSpecDefault(&spec), 0);
  MachineSpecHash(&spec, first);
  ReactionLeavesOf(&nuclear, (Species){6, 12}, 250, &before);
  spec.fragmentation = Changed("11C: 72.7,", "11C: 45,");
  Mistakes mistakes = {0};
  assert_int_equal(MachineSpecCheck(&spec, "study", &mistakes), 0);
  assert_false(MistakesAny(&mistakes));
  MachineSpecHash(&spec, other);
  const double fewer = Most11C(&spec);
  assert_int_equal(FragmentationLoad(spec.fragmentation, &changed), 0);
  unlink(spec.fragmentation);
  spec.fragmentation = NULL;
  print_message("30 MeV/u: at most %.5f 11C per primary, %.5f from a file with less\n", Most11C(&spec), fewer);
  assert_true(fewer > 0 && fewer < 0.9 * Most11C(&spec));
  ReactionLeavesOf(&changed, (Species){6, 12}, 250, &after);
  assert_true(YieldOf(after.yield, 6, 11) < 0.9 * YieldOf(before.yield, 6, 11));
  assert_string_not_equal(first, other);
  assert_int_equal(FragmentationLoad("configs/fragmentation.yaml", &same), 0);
  assert_int_equal(same.hash, nuclear.hash);
  assert_memory_equal(same.oxygen_mb, nuclear.oxygen_mb, sizeof same.oxygen_mb);
}

static int Start(void **state)
{
  if (FragmentationLoad(NULL, &nuclear)) return 1;
  return PetscInitializeNoArguments();
}

static int Stop(void **state)
{
  return PetscFinalize();
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(PartialCrossSections), cmocka_unit_test(ElementsInWater),
                                     cmocka_unit_test(ChargeChanging),       cmocka_unit_test(KnockedOutMean),
                                     cmocka_unit_test(Conservation),         cmocka_unit_test(Emitters),
                                     cmocka_unit_test(MistakesOfAFile),      cmocka_unit_test(AnotherFile)};
  return cmocka_run_group_tests(tests, Start, Stop);
}
