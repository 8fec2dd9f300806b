/* Phantoms that are more than a few shapes. */
#pragma once
#include "robion/case.h"

/* Fill an empty case (name and source are set) with the digital patient of this seed and CT spacing. */
PetscErrorCode ChordomaBuild(const PhantomSpec *spec, Mistakes *mistakes, Case *patient);
