/**
 * Ions by charge and mass number. Part of base.
 */
#pragma once
#include <petscsys.h>

typedef struct Species {
  PetscInt Z, A;
} Species;
