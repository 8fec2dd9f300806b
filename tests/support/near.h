/* Doubles compared as doubles: cmocka's assert_float_equal takes floats, so that it sees no difference below 1e-7 of the values. */
#pragma once
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/* Fails, telling both values, unless found and expected differ by at most tolerance (absolute; 0: equal); NaN fails. */
#define assert_double_near(found, expected, tolerance)                                                                 \
  AssertDoubleNear(found, expected, tolerance, #found, __FILE__, __LINE__)

static inline void AssertDoubleNear(double found, double expected, double tolerance, const char *what, const char *file,
                                    int line)
{
  if (fabs(found - expected) <= tolerance) return;
  print_error("%s: found %.17g, expected %.17g, off by %.3g, tolerance %.3g\n", what, found, expected, found - expected,
              tolerance);
  _fail(file, line);
}
