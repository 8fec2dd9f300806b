/* Where beams come from: axes, isocentre, source and range shifter about one patient. */
#include "beam_private.h"
#include <math.h>

static void TargetCentre(const Grid *grid, const Region *target, double centre_mm[3])
{
  double mass = 0, p[3];
  centre_mm[0] = centre_mm[1] = centre_mm[2] = 0;
  for (PetscInt i = 0; i < target->n; i++) {
    GridCentre(grid, (size_t)target->voxel[i], p);
    mass += target->fraction[i];
    for (int k = 0; k < 3; k++) centre_mm[k] += target->fraction[i] * p[k];
  }
  for (int k = 0; k < 3; k++) centre_mm[k] /= mass;
}

static PetscBool InsideGrid(const Grid *grid, const double p[3])
{
  for (int k = 0; k < 3; k++) {
    double cell = (p[k] - grid->origin_mm[k]) / grid->spacing_mm[k];
    if (cell < -0.5 || cell > (double)grid->n[k] - 0.5) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Distance from a point to the farthest corner of a grid. */
static double FarthestCorner_mm(const Grid *grid, const double point_mm[3])
{
  double sum = 0;
  for (int k = 0; k < 3; k++) {
    double low = grid->origin_mm[k] - 0.5 * grid->spacing_mm[k], high = low + grid->n[k] * grid->spacing_mm[k];
    double far = PetscMax(fabs(low - point_mm[k]), fabs(high - point_mm[k]));
    sum += far * far;
  }
  return sqrt(sum);
}

/* A diverging beam's source must stay outside the CT, which setup errors shift by up to 100 mm along each axis. */
static PetscErrorCode CheckSource(const Beam *beam, const Case *patient, const char *where, PetscInt b,
                                  Mistakes *mistakes)
{
  PetscFunctionBegin;
  const double least_mm = FarthestCorner_mm(&patient->ct, beam->isocentre_mm) + 100 * sqrt(3);
  if (beam->sad_mm > 0 && beam->sad_mm < least_mm)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: beam %d: sad_mm of the machine is %g, expected 0 or at least %.0f to keep the source "
                          "outside the CT of case %s",
                          where, (int)b, beam->sad_mm, ceil(least_mm), patient->name));
  PetscFunctionReturn(0);
}

/* Before the patient's surface; the gap between them is that on the axis. */
static PetscErrorCode PlaceRangeShifter(const RangeShifterSpec *spec, const Case *patient, const char *where,
                                        PetscInt b, Mistakes *mistakes, Beam *beam)
{
  PetscFunctionBegin;
  beam->range_shifter_mm = spec->thickness_mm;
  beam->range_shifter_to_isocentre_mm = spec->to_isocentre_mm;
  if (spec->thickness_mm <= 0) PetscFunctionReturn(0);
  const double skin_mm = PetscMax(0, BeamSkin_mm(beam, patient));
  beam->range_shifter_gap_mm = spec->to_isocentre_mm - skin_mm;
  if (beam->range_shifter_gap_mm < 0)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: beam %d: range_shifter.to_isocentre_mm is %g, expected at least %.1f, the distance from "
                          "the isocentre to the surface of case %s",
                          where, (int)b, spec->to_isocentre_mm, skin_mm, patient->name));
  PetscFunctionReturn(0);
}

PetscErrorCode BeamSetCheckPlace(const BeamSetSpec *beams, const Case *patient, Mistakes *mistakes)
{
  PetscFunctionBegin;
  if (beams->from_case && !patient->n_beam_angles)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: beams: from-case, but case %s holds no beam_gantry_deg",
                          beams->where, patient->name));
  for (PetscInt b = 0; !beams->from_case && b < beams->n; b++) {
    const double *isocentre_mm = beams->beam[b].isocentre_mm;
    if (!beams->beam[b].has_isocentre || InsideGrid(&patient->ct, isocentre_mm)) continue;
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: beam %d: isocentre (%g, %g, %g) mm lies outside the CT of case %s", beams->where,
                          (int)(beams->first + b), isocentre_mm[0], isocentre_mm[1], isocentre_mm[2], patient->name));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode BeamSetPlace(const BeamSetSpec *beams, const Case *patient, const Machine *machine, const Grid *grid,
                            const Region *target, Mistakes *mistakes, BeamSet **out)
{
  PetscFunctionBegin;
  BeamSet *set;
  double centre_mm[3];
  PetscCall(PetscNew(&set));
  *out = set;
  TargetCentre(grid, target, centre_mm);
  set->splitting = beams->spots.splitting;
  set->position = beams->position == POSITION_FROM_CASE ? patient->position : beams->position;
  set->n_beam = beams->from_case ? patient->n_beam_angles : beams->n;
  PetscCall(BeamSetCheckPlace(beams, patient, mistakes));
  PetscCall(PetscCalloc1(set->n_beam, &set->beam));
  for (PetscInt b = 0; b < set->n_beam; b++) {
    const BeamSpec *spec = beams->from_case ? NULL : &beams->beam[b];
    Beam *beam = &set->beam[b];
    beam->number = beams->first + b;
    beam->gantry_deg = spec ? spec->gantry_deg : patient->beam_gantry_deg[b];
    beam->couch_deg = spec ? spec->couch_deg : 0;
    beam->position = set->position;
    beam->sad_mm = machine->sad_mm;
    beam->target = spec ? spec->target : NULL;
    PetscCall(PetscArraycpy(beam->isocentre_mm, spec && spec->has_isocentre ? spec->isocentre_mm : centre_mm, 3));
    BeamSetAxes(beam);
    PetscCall(CheckSource(beam, patient, beams->where, beams->first + b, mistakes));
    if (spec)
      PetscCall(PlaceRangeShifter(&spec->range_shifter, patient, beams->where, beams->first + b, mistakes, beam));
    if (!MistakesAny(mistakes)) BeamWarnCut(beam, beams->first + b, patient, grid, target);
  }
  PetscFunctionReturn(0);
}
