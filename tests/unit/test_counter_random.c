/* Counter-based random numbers: published vectors, moments, independence of the order. */
#include "robion/counter_random.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "near.h"

/* Known answers that come with Random123 1.14 (kat_vectors), philox4x32 with 10 rounds. */
static void KnownAnswers(void **state)
{
  const struct {
    uint32_t counter[4], key[2], out[4];
  } vector[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(vector); i++) {
    uint32_t out[4];
    Philox4x32(vector[i].counter, vector[i].key, out);
    assert_memory_equal(out, vector[i].out, sizeof out);
  }
}

static void Moments(void **state)
{
  enum { N = 200000 };
  CounterRandom uniform = {.seed = 1}, normal = {.seed = 1, .stream = 1};
  double mean = 0, square = 0, fourth = 0;
  for (int i = 0; i < N; i++) {
    double u = CounterRandomUniform(&uniform), z = CounterRandomNormal(&normal);
    assert_true(u > 0 && u < 1);
    mean += u / N;
    square += z * z / N;
    fourth += z * z * z * z / N;
  }
  assert_double_near(mean, 0.5, 5 * sqrt(1.0 / 12 / N));
  assert_double_near(square, 1, 5 * sqrt(2.0 / N));
  assert_double_near(fourth, 3, 5 * sqrt(96.0 / N));
}

static void AnyOrder(void **state)
{
  CounterRandom random = {.seed = 7, .stream = 3};
  double forward[10];
  for (int i = 0; i < 10; i++) forward[i] = CounterRandomUniform(&random);
  for (int i = 9; i >= 0; i--) {
    CounterRandom at = {.seed = 7, .stream = 3, .counter = (uint32_t)i};
    assert_true(CounterRandomUniform(&at) == forward[i]);
  }
  CounterRandom other = {.seed = 8, .stream = 3}, stream = {.seed = 7, .stream = 4};
  assert_true(CounterRandomUniform(&other) != forward[0] && CounterRandomUniform(&stream) != forward[0]);
}

static void Indices(void **state)
{
  CounterRandom random = {.seed = 5};
  int count[7] = {0};
  for (int i = 0; i < 70000; i++) count[CounterRandomIndex(&random, 7)]++;
  for (int i = 0; i < 7; i++) assert_double_near(count[i], 10000, 5 * sqrt(70000 * 6 / 49.0));
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(KnownAnswers), cmocka_unit_test(Moments),
                                     cmocka_unit_test(AnyOrder), cmocka_unit_test(Indices)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
