/* The metrics of a cohort as samples: for each metric one value per plan. */
#include "robion/samples.h"
#include <math.h>
#include <search.h>
#include <string.h>

static int CompareSamples(const void *a, const void *b)
{
  static const size_t field[] = {offsetof(Sample, scenario), offsetof(Sample, structure), offsetof(Sample, quantity),
                                 offsetof(Sample, metric)};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(field); i++) {
    const char *const *x = (const char *const *)((const char *)a + field[i]);
    const char *const *y = (const char *const *)((const char *)b + field[i]);
    const int order = strcmp(*x, *y);
    if (order) return order;
  }
  return 0;
}

static void KeepSample(void *sample) {}

/* Only what sums scenarios up: single ones need not be the same in all plans. */
static PetscBool IsSummary(const char *scenario)
{
  static const char *const kept[] = {"nominal", "min", "max", "median", "index"};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(kept); i++)
    if (!strcmp(scenario, kept[i])) return PETSC_TRUE;
  return PETSC_FALSE;
}

static PetscErrorCode AddSample(Samples *samples, const Sample *key, char *const *row)
{
  PetscFunctionBegin;
  Sample *fresh;
  if (samples->n == samples->capacity) {
    samples->capacity = 2 * samples->capacity + 64;
    PetscCall(PetscRealloc((size_t)samples->capacity * sizeof(Sample *), &samples->sample));
  }
  PetscCall(PetscNew(&fresh));
  PetscCall(PetscStrallocpy(key->scenario, &fresh->scenario));
  PetscCall(PetscStrallocpy(key->structure, &fresh->structure));
  PetscCall(PetscStrallocpy(key->quantity, &fresh->quantity));
  PetscCall(PetscStrallocpy(key->metric, &fresh->metric));
  PetscCall(PetscStrallocpy(row[COLUMN_UNIT], &fresh->unit));
  PetscCall(PetscMalloc1(samples->n_plans, &fresh->value));
  for (PetscInt p = 0; p < samples->n_plans; p++) fresh->value[p] = NAN;
  PetscCheck(tsearch(fresh, &samples->tree, CompareSamples), PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for samples");
  samples->sample[samples->n++] = fresh;
  PetscFunctionReturn(0);
}

PetscErrorCode SamplesAdd(Samples *samples, PetscInt plan, const Table *table)
{
  PetscFunctionBegin;
  samples->there[plan] = PETSC_TRUE;
  for (PetscInt i = 0; i < table->n_rows; i++) {
    char **row = table->field + i * table->n_columns;
    const Sample key = {.scenario = row[COLUMN_SCENARIO],
                        .structure = row[COLUMN_STRUCTURE],
                        .quantity = row[COLUMN_QUANTITY],
                        .metric = row[COLUMN_METRIC]};
    double value;
    if (!strcmp(row[COLUMN_UNIT], "mm")) continue; /* a place is no sample */
    if (!IsSummary(key.scenario) || !TextParseNumber(row[COLUMN_VALUE], &value)) continue;
    if (!tfind(&key, &samples->tree, CompareSamples)) PetscCall(AddSample(samples, &key, row));
    Sample **found = tfind(&key, &samples->tree, CompareSamples);
    (*found)->value[plan] = value;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode SamplesCreate(PetscInt n_plans, Samples *samples)
{
  PetscFunctionBegin;
  *samples = (Samples){.n_plans = n_plans};
  PetscCall(PetscCalloc1(n_plans, &samples->there));
  PetscFunctionReturn(0);
}

const Sample *SamplesFind(const Samples *samples, const char *scenario, const char *structure, const char *quantity,
                          const char *metric)
{
  const Sample key = {.scenario = (char *)scenario,
                      .structure = (char *)structure,
                      .quantity = (char *)quantity,
                      .metric = (char *)metric};
  Sample **found = tfind(&key, (void *const *)&samples->tree, CompareSamples);
  return found ? *found : NULL;
}

PetscErrorCode SamplesDestroy(Samples *samples)
{
  PetscFunctionBegin;
  tdestroy(samples->tree, KeepSample);
  for (PetscInt i = 0; i < samples->n; i++) {
    Sample *s = samples->sample[i];
    PetscCall(PetscFree(s->scenario));
    PetscCall(PetscFree(s->structure));
    PetscCall(PetscFree(s->quantity));
    PetscCall(PetscFree(s->metric));
    PetscCall(PetscFree(s->unit));
    PetscCall(PetscFree(s->value));
    PetscCall(PetscFree(s));
  }
  PetscCall(PetscFree(samples->sample));
  PetscCall(PetscFree(samples->there));
  *samples = (Samples){0};
  PetscFunctionReturn(0);
}
