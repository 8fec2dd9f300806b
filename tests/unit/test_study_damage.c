/* Damaged studies neither crash nor hang the reader; good ones are read by every rank alike. ranks: 1 2 */
#include "test_study.h"

static PetscMPIInt rank, size;

static void ParseAnything(const char *text, size_t length)
{
  Mistakes mistakes = {0};
  Study *study;
  assert_int_equal(StudyParse(text, length, "study.yaml", 0, NULL, &mistakes, &study), 0);
  assert_true((study == NULL) == MistakesAny(&mistakes));
  for (PetscInt i = 0; i < mistakes.n; i++) assert_memory_equal(mistakes.item[i].text, "study.yaml:", 11);
  assert_int_equal(StudyDestroy(&study) || MistakesClear(&mistakes), 0);
}

/* Cut after every byte; the ranks take turns, here and below. The copy is exactly as long as the text, so that reading past it is found. */
static void TestTruncated(void **state)
{
  char *text = StudyText(STUDIES "good.yaml", 0, NULL);
  for (size_t n = (size_t)rank; n <= strlen(text); n += (size_t)size) {
    char *cut;
    assert_int_equal(PetscMalloc1(n, &cut), 0);
    if (n) memcpy(cut, text, n);
    ParseAnything(cut, n);
    assert_int_equal(PetscFree(cut), 0);
  }
  assert_int_equal(PetscFree(text), 0);
}

/* One byte changed, by a fixed sequence of changes. */
static void TestChanged(void **state)
{
  static const char bytes[] = {'\0', '\t', '\n', ' ', '"', '\'', '*', '&', '[',   ']',
                               '{',  '}',  ':',  '-', '0', 'x',  '!', '|', '\xff'};
  char *text = StudyText(STUDIES "plans.yaml", 0, NULL);
  size_t length = strlen(text);
  for (size_t i = (size_t)rank; i < length; i += (size_t)size) {
    char kept = text[i];
    text[i] = bytes[i % sizeof bytes];
    ParseAnything(text, length);
    text[i] = kept;
  }
  assert_int_equal(PetscFree(text), 0);
}

/* A study with thousands of mistakes does not print them all. */
static void TestManyMistakes(void **state)
{
  enum { N = SANITIZED ? 500 : 5000 };
  char *text;
  Mistakes mistakes = {0};
  assert_int_equal(PetscMalloc1(N * 16 + 16, &text), 0);
  *text = 0;
  char *end = text;
  for (int i = 0; i < N; i++) end += sprintf(end, "wrong%d: 1\n", i);
  assert_null(ParseText(text, 0, NULL, &mistakes));
  assert_int_equal(mistakes.n, 201);
  assert_string_equal(mistakes.item[200].text, "study.yaml: there are more mistakes");
  assert_int_equal(MistakesClear(&mistakes) || PetscFree(text), 0);
}

static void TestAllRanks(void **state)
{
  Mistakes mistakes = {0};
  Study *study;
  char hash[17] = "";
  assert_int_equal(StudyLoadAll(PETSC_COMM_WORLD, STUDIES "plans.yaml", 0, NULL, &mistakes, &study), 0);
  assert_non_null(study);
  strcpy(hash, study->hash);
  assert_int_equal(MPI_Bcast(hash, sizeof hash, MPI_CHAR, 0, PETSC_COMM_WORLD), 0);
  assert_string_equal(hash, study->hash);
  assert_int_equal(study->n_plans, 48);
  assert_int_equal(StudyDestroy(&study), 0);
  assert_int_equal(StudyLoadAll(PETSC_COMM_WORLD, STUDIES "ten_mistakes.yaml", 0, NULL, &mistakes, &study), 0);
  assert_null(study);
  assert_int_equal(mistakes.n, 11);
  assert_int_equal(MistakesClear(&mistakes), 0);
  assert_int_equal(StudyLoadAll(PETSC_COMM_WORLD, STUDIES "none.yaml", 0, NULL, &mistakes, &study), 0);
  assert_null(study);
  assert_int_equal(mistakes.n, 1);
  assert_int_equal(MistakesExit(&mistakes), ROBION_STUDY);
  assert_int_equal(MistakesClear(&mistakes), 0);
}

int main(int argc, char **argv)
{
  if (PetscInitialize(&argc, &argv, NULL, NULL)) return 1;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(TestTruncated),
      cmocka_unit_test(TestChanged),
      cmocka_unit_test(TestManyMistakes),
      cmocka_unit_test(TestAllRanks),
  };
  int failures = cmocka_run_group_tests(tests, NULL, NULL);
  return PetscFinalize() ? 1 : failures;
}
