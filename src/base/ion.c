/* Names of ions. */
#include "robion/ion.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
  const char *symbol;
  PetscInt A; /* of the commonest isotope */
} element[] = {{"n", 1},  {"H", 1},  {"He", 4}, {"Li", 7}, {"Be", 9}, {"B", 11},
               {"C", 12}, {"N", 14}, {"O", 16}, {"F", 19}, {"Ne", 20}};
enum { N_ELEMENT = PETSC_STATIC_ARRAY_LENGTH(element), LONGEST_MASS = 3 };

const char *ElementSymbol(PetscInt Z)
{
  return Z >= 0 && Z < N_ELEMENT ? element[Z].symbol : "?";
}

PetscBool ElementFind(const char *symbol, size_t length, Species *commonest)
{
  for (PetscInt Z = 1; Z < N_ELEMENT; Z++)
    if (strlen(element[Z].symbol) == length && !strncmp(element[Z].symbol, symbol, length)) {
      *commonest = (Species){Z, element[Z].A};
      return PETSC_TRUE;
    }
  return PETSC_FALSE;
}

void SpeciesName(Species species, char name[16])
{
  snprintf(name, 16, "%d%s", (int)species.A, ElementSymbol(species.Z));
}

PetscBool SpeciesFind(const char *name, Species *species)
{
  const size_t digits = strspn(name, "0123456789");
  Species found;
  if (digits < 1 || digits > LONGEST_MASS || !ElementFind(name + digits, strlen(name + digits), &found))
    return PETSC_FALSE;
  *species = (Species){found.Z, (PetscInt)strtol(name, NULL, 10)};
  return species->A >= species->Z ? PETSC_TRUE : PETSC_FALSE;
}
