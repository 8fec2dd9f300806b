/* Reading a checked, complete tree into settings: one file per block of the study. What is missing here is a bug of the checks. */
#pragma once
#include "schema_private.h"

/* The value of a mapping's key: a copy of its text, a number, true or false, the index of a word among the known ones. */
PetscErrorCode SettingText(const Node *node, const char *key, char **out);
PetscErrorCode SettingNumber(const Node *node, const char *key, double *out);
PetscErrorCode SettingInteger(const Node *node, const char *key, PetscInt *out);
PetscErrorCode SettingFlag(const Node *node, const char *key, PetscBool *out);
PetscErrorCode SettingWord(const Node *node, const char *key, PetscInt n, const char *const *words, PetscInt *out);
/* Numbers of a list; a single number fills all n. */
PetscErrorCode SettingNumbers(const Node *value, PetscInt n, double *out);
/* "study.yaml:line:column" of a place. */
PetscErrorCode SettingPlace(Place place, char **out);

PetscErrorCode SettingsReadPosition(const Node *root, Settings *out);
PetscErrorCode SettingsReadBeams(const Node *node, Settings *out);
PetscErrorCode SettingsReadBeamList(const Node *node, PetscInt *n, BeamSpec **out);
/* Stages; needs prescription and objectives. */
PetscErrorCode SettingsReadCourse(const Node *root, Settings *out);
PetscErrorCode SettingsReadGoals(const Node *list, Settings *out);
PetscErrorCode SettingsDestroyGoals(Settings *settings);
PetscErrorCode SettingsDestroyCourse(CourseSpec *course);
PetscErrorCode SettingsReadSpots(const Node *node, SpotSpec *out);

PetscErrorCode SettingsReadSpotControl(const Node *node, SpotControlSpec *out);
PetscErrorCode SettingsDestroySpotControl(SpotControlSpec *spec);

/* After the robust block and the prescription, which objectives refer to. */
PetscErrorCode SettingsReadObjectives(const Node *root, Settings *out);
/* After objectives and stages. */
PetscErrorCode SettingsReadConstraints(const Node *list, Settings *out);
PetscErrorCode SettingsDestroyObjectives(Settings *settings);
