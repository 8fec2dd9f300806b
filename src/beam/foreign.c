/* Spots that come from elsewhere: any positions, energies and spot sizes that the machine is given for them. */
#include "beam_private.h"
#include "robion/log.h"
#include "robion/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BAD_SPOTS = 100, MOST_NAMED_ENERGIES = 100 };
static const double FARTHEST_SPOT_MM = 1000, MOST_PARTICLES = 1e15; /* far beyond any scanner and fraction */

static int CompareSpots(const void *a, const void *b)
{
  const PlacedSpot *p = a, *q = b;
  if (p->y_mm != q->y_mm) return p->y_mm < q->y_mm ? -1 : 1;
  if (p->x_mm != q->x_mm) return p->x_mm < q->x_mm ? -1 : 1;
  if (p->energy != q->energy) return p->energy < q->energy ? -1 : 1;
  return (p->entry > q->entry) - (p->entry < q->entry);
}

typedef struct SpotPlace {
  char text[PETSC_MAX_PATH_LEN];
} SpotPlace;

/* Where a spot of the list stands, as messages name it. */
static SpotPlace PlaceOf(const SpotList *list, PetscInt i)
{
  SpotPlace place;
  const char *file = list->n_beam_files ? list->beam_file[list->beam[i]] : list->file;
  if (file && list->line)
    snprintf(place.text, sizeof place.text, "%s:%d", file, (int)list->line[i]);
  else
    snprintf(place.text, sizeof place.text, "spot %d", (int)i + 1);
  return place;
}

/* Machine energy within 0.05 MeV/u of the wanted one, or -1. */
static PetscInt FindEnergy(const Machine *machine, double energy_MeV_u)
{
  PetscInt best = 0;
  for (PetscInt e = 1; e < machine->n_energy; e++)
    if (fabs(machine->energy_MeV_u[e] - energy_MeV_u) < fabs(machine->energy_MeV_u[best] - energy_MeV_u)) best = e;
  return fabs(machine->energy_MeV_u[best] - energy_MeV_u) <= 0.05 ? best : -1;
}

/* One mistake that lists the energies the machine lacks, at the first spot that has one of them. */
static PetscErrorCode CheckEnergies(const Machine *machine, const SpotList *list, Mistakes *mistakes)
{
  PetscFunctionBegin;
  double *energy;
  PetscInt n, missing = 0, first = 0;
  Text names = {0};
  PetscCall(SpotListEnergies(list, &n, &energy));
  for (PetscInt k = 0; k < n; k++) {
    if (FindEnergy(machine, energy[k]) >= 0) continue;
    if (missing++ < MOST_NAMED_ENERGIES) PetscCall(TextAdd(&names, "%s%g", missing > 1 ? ", " : "", energy[k]));
  }
  if (missing) {
    while (FindEnergy(machine, list->energy_MeV_u[first]) >= 0) first++;
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: machine %s (%g to %g MeV/u) lacks %d of the %d energies of the plan: %s%s MeV/u",
                          PlaceOf(list, first).text, machine->name, machine->energy_MeV_u[0],
                          machine->energy_MeV_u[machine->n_energy - 1], (int)missing, (int)n, names.data,
                          missing > MOST_NAMED_ENERGIES ? " ..." : ""));
  }
  PetscCall(PetscFree(names.data));
  PetscCall(PetscFree(energy));
  PetscFunctionReturn(0);
}

PetscErrorCode MachineSetSpotSizes(Machine *machine, const SpotList *list, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const double fwhm_per_sigma = 2 * sqrt(2 * M_LN2);
  PetscInt *seen, before = mistakes->n; /* list entry + 1 that an energy has its size from */
  if (!list->spot_fwhm_mm) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1(machine->n_energy, &seen));
  for (PetscInt i = 0; i < list->n && mistakes->n == before; i++) {
    PetscInt e = FindEnergy(machine, list->energy_MeV_u[i]);
    if (e < 0 || !(list->spot_fwhm_mm[i] > 0)) continue;
    PetscInt first = seen[e] ? seen[e] - 1 : i;
    if (list->spot_fwhm_mm[i] != list->spot_fwhm_mm[first])
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: spots of %g MeV/u are %g mm wide, expected %g mm as in %s",
                            PlaceOf(list, i).text, list->energy_MeV_u[i], list->spot_fwhm_mm[i],
                            list->spot_fwhm_mm[first], PlaceOf(list, first).text));
    seen[e] = first + 1;
    machine->spot_sigma_mm[e] = list->spot_fwhm_mm[i] / fwhm_per_sigma;
  }
  PetscCall(PetscFree(seen));
  PetscFunctionReturn(0);
}

static PetscBool SameAngle(double a_deg, double b_deg)
{
  return fabs(sin((a_deg - b_deg) * PETSC_PI / 360)) < 1e-5 ? PETSC_TRUE : PETSC_FALSE;
}

/* Other angles than a beam of the plan was made for may be meant. */
static void WarnAngles(PetscInt b, const Beam *beam, const SpotList *list)
{
  const SpotAngles *of = &list->angles[b];
  if (SameAngle(beam->gantry_deg, of->gantry_deg) && SameAngle(beam->couch_deg, of->couch_deg)) return;
  LogLine(LOG_WARNING, "beams", NULL,
          "%s was made for gantry %g deg, couch %g deg; the study's beam %d has gantry %g deg, couch %g deg",
          list->n_beam_files ? list->beam_file[b] : "the plan", of->gantry_deg, of->couch_deg, (int)b, beam->gantry_deg,
          beam->couch_deg);
}

/* Whether a beam lies as in the plan: angles within 1e-3 deg, places within 0.01 mm. */
static PetscBool SamePlace(const Beam *beam, const SpotBeam *place)
{
  const double near_mm = 0.01;
  for (int k = 0; k < 3; k++)
    if (!(fabs(beam->isocentre_mm[k] - place->isocentre_mm[k]) <= near_mm)) return PETSC_FALSE;
  return SameAngle(beam->gantry_deg, place->gantry_deg) && SameAngle(beam->couch_deg, place->couch_deg) &&
                 fabs(beam->range_shifter_mm - place->range_shifter_mm) <= near_mm &&
                 (!(place->range_shifter_mm > 0) ||
                  fabs(beam->range_shifter_to_isocentre_mm - place->range_shifter_to_isocentre_mm) <= near_mm)
             ? PETSC_TRUE
             : PETSC_FALSE;
}

/* A plan that says where its beams are is for a study that has them there; what it should say is told as a study writes it. */
static PetscErrorCode CheckPlaces(const BeamSetSpec *beams, const Machine *machine, const BeamSet *set,
                                  const SpotList *list, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const char *file = list->file ? list->file : "the plan"; /* rank 0 knows */
  for (PetscInt b = 0; b < PetscMin(set->n_beam, list->n_places); b++) {
    const SpotBeam *p = &list->place[b];
    const char *position = patient_position_names[set->position];
    char shifter[96] = "";
    if (p->range_shifter_mm > 0)
      snprintf(shifter, sizeof shifter, ", range_shifter: {thickness_mm: %.10g, to_isocentre_mm: %.10g}",
               p->range_shifter_mm, p->range_shifter_to_isocentre_mm);
    if (!SamePlace(&set->beam[b], p))
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                            "%s: beam %d of the study lies elsewhere than the plan's, expected {gantry_deg: %.10g, "
                            "couch_deg: %.10g, isocentre_mm: [%.10g, %.10g, %.10g]%s}",
                            file, (int)(beams->first + b), p->gantry_deg, p->couch_deg, p->isocentre_mm[0],
                            p->isocentre_mm[1], p->isocentre_mm[2], shifter));
    if (*p->position && strcmp(p->position, position))
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: the patient lies %s, expected %s as the case or study says",
                            file, p->position, position));
    if (fabs(p->sad_mm[0] - machine->sad_mm) > 1 || fabs(p->sad_mm[1] - machine->sad_mm) > 1)
      LogLine(LOG_WARNING, "beams", NULL,
              "%s: beam %d comes from %g and %g mm away (x, y; 0: parallel), in the base data from %g mm", file,
              (int)(beams->first + b), p->sad_mm[0], p->sad_mm[1], machine->sad_mm);
  }
  PetscFunctionReturn(0);
}

/* Spots that no machine can deliver are slips of units; they would also overflow the look-up of spots and the doses. */
static PetscErrorCode CheckSpot(const SpotList *list, PetscInt i, Mistakes *mistakes)
{
  PetscFunctionBegin;
  if (!(fabs(list->x_mm[i]) <= FARTHEST_SPOT_MM && fabs(list->y_mm[i]) <= FARTHEST_SPOT_MM))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: position is (%g, %g) mm, expected at most %g mm from the axis",
                          PlaceOf(list, i).text, list->x_mm[i], list->y_mm[i], FARTHEST_SPOT_MM));
  if (!(list->particles[i] >= 0 && list->particles[i] <= MOST_PARTICLES))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %g particles, expected 0 to %g", PlaceOf(list, i).text,
                          list->particles[i], MOST_PARTICLES));
  PetscFunctionReturn(0);
}

/* The spots of one beam, sorted by place and energy. */
static PetscErrorCode SelectSpots(const Machine *machine, const SpotList *list, PetscInt beam, Mistakes *mistakes,
                                  PetscInt *n, PlacedSpot **out)
{
  PetscFunctionBegin;
  *n = 0;
  PetscCall(PetscMalloc1(list->n, out));
  const PetscInt most = mistakes->n + MOST_BAD_SPOTS;
  for (PetscInt i = 0; i < list->n && mistakes->n < most; i++) {
    if (list->beam[i] != beam) continue;
    PetscCall(CheckSpot(list, i, mistakes));
    (*out)[(*n)++] = (PlacedSpot){i, FindEnergy(machine, list->energy_MeV_u[i]), list->x_mm[i], list->y_mm[i]};
  }
  qsort(*out, (size_t)*n, sizeof **out, CompareSpots);
  PetscFunctionReturn(0);
}

PetscErrorCode SpotListCheckBeams(const SpotList *spots, PetscInt n_beam, const char *what, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const PetscInt most = mistakes->n + MOST_BAD_SPOTS;
  const PetscInt told = PetscMax(spots->n_places, spots->n_angles > 1 ? spots->n_angles : 0);
  if (told && told != n_beam) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %d beams, expected %d (%s)",
                          spots->file ? spots->file : "the plan", (int)told, (int)n_beam, what));
    PetscFunctionReturn(0);
  }
  for (PetscInt i = 0; i < spots->n && mistakes->n < most; i++)
    if (spots->beam[i] < 0 || spots->beam[i] >= n_beam)
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: beam %d, expected 0 to %d (%s)", PlaceOf(spots, i).text,
                            (int)spots->beam[i], (int)n_beam - 1, what));
  PetscFunctionReturn(0);
}

PetscErrorCode BeamSetFromSpots(const BeamSetSpec *beams, const Case *patient, const Machine *machine, const Grid *grid,
                                const Region *target, const SpotList *spots, Mistakes *mistakes, BeamSet **out,
                                PetscInt **spot_of)
{
  PetscFunctionBegin;
  BeamSet *set;
  PetscInt before = mistakes->n;
  *out = NULL;
  PetscCall(BeamSetPlace(beams, patient, machine, grid, target, mistakes, &set));
  PetscCall(CheckEnergies(machine, spots, mistakes));
  PetscCall(CheckPlaces(beams, machine, set, spots, mistakes));
  PetscCall(PetscMalloc1(spots->n, spot_of));
  PetscCall(SpotListCheckBeams(spots, set->n_beam, "the study's beams", mistakes));
  for (PetscInt b = 0; b < set->n_beam && mistakes->n == before; b++) {
    PlacedSpot *spot;
    PetscInt n;
    PetscCall(SelectSpots(machine, spots, b, mistakes, &n, &spot));
    if (mistakes->n == before) PetscCall(BeamFill(machine, n, spot, set->n_spot, &set->beam[b], *spot_of));
    set->n_spot += n;
    PetscCall(PetscFree(spot));
  }
  if (mistakes->n > before) {
    PetscCall(BeamSetDestroy(&set));
    PetscCall(PetscFree(*spot_of));
  } else
    for (PetscInt b = 0; b < PetscMin(set->n_beam, spots->n_angles); b++) WarnAngles(b, &set->beam[b], spots);
  *out = set;
  PetscFunctionReturn(0);
}
