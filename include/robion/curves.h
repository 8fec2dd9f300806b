/**
 * Base data as curves over depth: a table for programs, a picture for people.
 */
#pragma once
#include "robion/biology.h"

/**
 * CSV with a line per energy and depth node: depth dose (Gy mm2 and MeV cm2/g per primary) and its split by charge and recoils,
 * LETd of all ions, primaries and fragments of Z >= 3 (split and groups only where the machine has spectra), alpha and beta of
 * the field (mean over the lateral components by dose), share and sigma in water of every component, and positron emitters made
 * and stopped, where the machine has them. energy: n_energy indices. biology: NULL leaves alpha and beta out. Temporary name,
 * then rename. Mistakes: ROBION_RESOURCES. Not collective.
 */
PetscErrorCode CurvesWrite(const Machine *machine, const Biology *biology, PetscInt n_energy, const PetscInt *energy,
                           const char *file, Mistakes *mistakes);

/**
 * The same as a picture, by gnuplot: PNG or SVG, after the ending of `file`. Panels of all energies, and of what makes up the
 * field of the middle one of them: dose by charge, LETd of groups of ions, lateral components, positron emitters. Mistakes:
 * ROBION_COMMAND_LINE (another ending), ROBION_RESOURCES (no gnuplot, cannot be written). Not collective.
 */
PetscErrorCode CurvesPlot(const Machine *machine, const Biology *biology, PetscInt n_energy, const PetscInt *energy,
                          const char *file, Mistakes *mistakes);
