/* A phantom for a test. */
#pragma once
#include "robion/phantom.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* Built with these keys ("" for none), as a study would have them: "ct_spacing_mm: 2, heterogeneous: true". */
static inline Case *PhantomCase(const char *kind, const char *keys)
{
  Mistakes mistakes = {0};
  PhantomSpec spec;
  Case *patient = NULL;
  assert_int_equal(PhantomSpecRead(kind, keys, &mistakes, &spec), 0);
  if (spec.keys) assert_int_equal(CaseBuildPhantom(&spec, kind, &mistakes, &patient), 0);
  assert_int_equal(PhantomSpecDestroy(&spec), 0);
  MistakesPrint(&mistakes);
  assert_int_equal(mistakes.n, 0);
  assert_non_null(patient);
  return patient;
}
