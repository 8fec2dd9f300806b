/**
 * Reading back what log.h writes: flat JSON objects, values that are strings, numbers or null. Part of base.
 */
#pragma once
#include <petscsys.h>

/** The string at a key, cut to `size`; false (and "") if the key is missing or is null or no string. */
PetscBool JSONFindString(const char *object, const char *key, size_t size, char *value);
/** The number at a key; false (and 0) if the key is missing or is no number. */
PetscBool JSONFindNumber(const char *object, const char *key, double *value);
