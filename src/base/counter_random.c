/* Random numbers as a function of seed, stream and counter: Philox4x32-10, whose rounds are in the paper the header cites. */
#include "robion/counter_random.h"
#include <gsl/gsl_cdf.h>

void Philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
  uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]}, k[2] = {key[0], key[1]};
  for (int round = 0; round < 10; round++) {
    const uint64_t first = (uint64_t)0xD2511F53u * c[0], second = (uint64_t)0xCD9E8D57u * c[2];
    const uint32_t next[4] = {(uint32_t)(second >> 32) ^ c[1] ^ k[0], (uint32_t)second,
                              (uint32_t)(first >> 32) ^ c[3] ^ k[1], (uint32_t)first};
    for (int i = 0; i < 4; i++) c[i] = next[i];
    k[0] += 0x9E3779B9u;
    k[1] += 0xBB67AE85u;
  }
  for (int i = 0; i < 4; i++) out[i] = c[i];
}

double CounterRandomUniform(CounterRandom *random)
{
  uint32_t word[4];
  const uint32_t counter[4] = {random->counter++, random->stream, 0, 0};
  const uint32_t key[2] = {(uint32_t)random->seed, (uint32_t)(random->seed >> 32)};
  Philox4x32(counter, key, word);
  const uint64_t bits = ((uint64_t)word[0] << 20) | (word[1] >> 12);
  return ((double)bits + 0.5) * 0x1p-52;
}

double CounterRandomNormal(CounterRandom *random)
{
  return gsl_cdf_ugaussian_Pinv(CounterRandomUniform(random));
}

PetscInt CounterRandomIndex(CounterRandom *random, PetscInt n)
{
  const PetscInt index = (PetscInt)(CounterRandomUniform(random) * n);
  return PetscMin(index, n - 1);
}
