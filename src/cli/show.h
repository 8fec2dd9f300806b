/* What the verbs show and phantom share. */
#pragma once
#include "robion/cli.h"

/* Lines on CT, structures and maps of a case. */
void CaseShow(const Case *patient, FILE *out);
