/**
 * Random numbers that are a function of a seed, a stream and a counter, so that they do not depend on who asks first or on
 * which rank: Philox4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC11, 2011). Part of base.
 */
#pragma once
#include <petscsys.h>

/** Where a sequence of random numbers is: the `counter`-th of stream `stream` of `seed` comes next. */
typedef struct CounterRandom {
  uint64_t seed;
  uint32_t stream;
  uint32_t counter;
} CounterRandom;

/** The four 32-bit words of Philox4x32-10 for a 128-bit counter and a 64-bit key. */
void Philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/** The next number, uniform in (0, 1), with 52 bits. */
double CounterRandomUniform(CounterRandom *random);
/** The next number, from the standard normal distribution (by its inverse). */
double CounterRandomNormal(CounterRandom *random);
/** The next whole number from 0 to n - 1. */
PetscInt CounterRandomIndex(CounterRandom *random, PetscInt n);
