/* Headers of a plan's tables. */
#pragma once
#include "robion/results.h"

enum { FIRST_TABLE = PLAN_METRICS };                  /* and all plan files behind it */
extern const char *const table_headers[N_PLAN_FILES]; /* from FIRST_TABLE on */
