/**
 * Ions by charge and mass number, and their names. Part of base.
 */
#pragma once
#include <petscsys.h>

typedef struct Species {
  PetscInt Z, A;
} Species;

/** Symbol of the element of a charge, "n" of charge 0; "?" beyond neon. */
const char *ElementSymbol(PetscInt Z);
/** The commonest isotope of the element whose symbol these `length` characters are, from H to Ne; false if they are none. */
PetscBool ElementFind(const char *symbol, size_t length, Species *commonest);

/** "12C". */
void SpeciesName(Species species, char name[16]);
/** The nuclide of a name as "12C", H to Ne, of a mass that is at least its charge; false if it is none. */
PetscBool SpeciesFind(const char *name, Species *species);
