/* Spot and energy-layer layout: which (ray, layer) pairs are needed to cover the target in every optimised scenario. */
#include "robion/beam.h"
#include "robion/log.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One target voxel as a beam sees it in one setup: position in the isocentre plane and water-equivalent depth. */
typedef struct Sighting {
  double x_mm, y_mm;
  double depth_mm, passed_mm; /* in the patient, without range error; before it */
} Sighting;

/* Rays of the square grid that can see the target, and the layers each of them needs. */
typedef struct RayMap {
  PetscInt nx, ny, ix0, iy0; /* rays (ix0 + i) * lateral, (iy0 + j) * lateral */
  PetscInt n_layer;
  unsigned char *needed; /* [ny][nx][n_layer] */
} RayMap;

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

PetscErrorCode BeamSetPlace(const Settings *settings, const Case *patient, const Machine *machine, const Grid *grid,
                            const Region *target, Mistakes *mistakes, BeamSet **out)
{
  PetscFunctionBegin;
  BeamSet *set;
  double centre_mm[3];
  PetscCall(PetscNew(&set));
  *out = set;
  TargetCentre(grid, target, centre_mm);
  set->n_beam = settings->beams_from_case ? patient->n_beam_angles : settings->n_beams;
  if (!set->n_beam)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: beams: from-case, but case %s holds no beam_gantry_deg",
                          settings->beams_where, patient->name));
  PetscCall(PetscCalloc1(set->n_beam, &set->beam));
  for (PetscInt b = 0; b < set->n_beam; b++) {
    const BeamSpec *spec = settings->beams_from_case ? NULL : &settings->beams[b];
    Beam *beam = &set->beam[b];
    beam->gantry_deg = spec ? spec->gantry_deg : patient->beam_gantry_deg[b];
    beam->couch_deg = spec ? spec->couch_deg : 0;
    beam->sad_mm = machine->sad_mm;
    PetscCall(PetscArraycpy(beam->isocentre_mm, spec && spec->has_isocentre ? spec->isocentre_mm : centre_mm, 3));
    BeamSetAxes(beam);
    if (!InsideGrid(&patient->ct, beam->isocentre_mm))
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                            "%s: beam %d: isocentre (%g, %g, %g) mm lies outside the CT of case %s",
                            settings->beams_where, (int)b, beam->isocentre_mm[0], beam->isocentre_mm[1],
                            beam->isocentre_mm[2], patient->name));
    PetscCall(CheckSource(beam, patient, settings->beams_where, b, mistakes));
  }
  PetscFunctionReturn(0);
}

/* Every (target voxel, setup) of a beam; range errors are applied by the caller. */
static PetscErrorCode SightTarget(const Beam *beam, const Case *patient, const Machine *machine, const Grid *grid,
                                  const Region *target, const ScenarioSet *set, Sighting **out)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc1((size_t)set->n_setup * (size_t)target->n, out));
  Sighting *s = *out;
  for (PetscInt k = 0; k < set->n_setup; k++)
    for (PetscInt i = 0; i < target->n; i++, s++) {
      double p[3], bev[3];
      GridCentre(grid, (size_t)target->voxel[i], p);
      BeamProject(beam, p, set->setup_mm[k], bev);
      double magnification = beam->sad_mm > 0 ? beam->sad_mm / (beam->sad_mm + bev[2]) : 1;
      s->x_mm = bev[0] * magnification;
      s->y_mm = bev[1] * magnification;
      s->depth_mm = BeamWEPL(beam, patient, p, set->setup_mm[k]);
      s->passed_mm = BeamPassed_mm(beam, machine, patient, p, set->setup_mm[k]);
    }
  PetscFunctionReturn(0);
}

/* The factor on WEPL of the largest and smallest range error in a setup's scenarios. */
static void RangeFactors(const ScenarioSet *set, PetscInt setup, double *smallest, double *largest)
{
  *smallest = INFINITY;
  *largest = 0;
  for (PetscInt s = 0; s < set->n; s++) {
    if (set->setup_of[s] != setup) continue;
    double factor = 1 + set->scenario[s].range_percent / 100;
    *smallest = PetscMin(*smallest, factor);
    *largest = PetscMax(*largest, factor);
  }
}

/* Machine energies whose R80 step through [shallow, deep] by layer_mm, from the deepest up; stored ascending. */
static PetscErrorCode ChooseLayers(const Machine *machine, double shallow_mm, double deep_mm, double layer_mm,
                                   Beam *beam)
{
  PetscFunctionBegin;
  PetscInt last = machine->n_energy - 1, n = 0;
  PetscInt *energy;
  while (last > 0 && machine->r80_mm[last - 1] >= deep_mm) last--;
  PetscCall(PetscMalloc1(machine->n_energy, &energy));
  energy[n++] = last;
  for (PetscInt e = last - 1; e >= 0; e--) {
    if (machine->r80_mm[energy[n - 1]] <= shallow_mm) break;
    double wanted = machine->r80_mm[last] - n * layer_mm;
    PetscBool nearest =
        e == 0 || fabs(machine->r80_mm[e] - wanted) <= fabs(machine->r80_mm[e - 1] - wanted) ? PETSC_TRUE : PETSC_FALSE;
    if (nearest && machine->r80_mm[e] <= wanted + 0.5 * layer_mm) energy[n++] = e;
  }
  beam->n_layer = n;
  PetscCall(PetscMalloc1(n, &beam->energy));
  for (PetscInt l = 0; l < n; l++) beam->energy[l] = energy[n - 1 - l];
  PetscCall(PetscFree(energy));
  PetscFunctionReturn(0);
}

/* Mark the layers that put their peak within `reach` of one sighting's depth interval on all rays near it. */
static void MarkSighting(const Sighting *s, double shallow_mm, double deep_mm, double lateral_mm, double margin_mm,
                         const double *layer_r80_mm, RayMap *map)
{
  PetscInt first = 0, last = map->n_layer;
  while (first < last && layer_r80_mm[first] < shallow_mm) first++;
  while (last > first && layer_r80_mm[last - 1] > deep_mm) last--;
  if (first == last) return;
  PetscInt j0 = (PetscInt)ceil((s->y_mm - margin_mm) / lateral_mm),
           j1 = (PetscInt)floor((s->y_mm + margin_mm) / lateral_mm);
  for (PetscInt j = j0; j <= j1; j++) {
    double dy = j * lateral_mm - s->y_mm, dx = sqrt(PetscMax(0, margin_mm * margin_mm - dy * dy));
    PetscInt i0 = (PetscInt)ceil((s->x_mm - dx) / lateral_mm), i1 = (PetscInt)floor((s->x_mm + dx) / lateral_mm);
    for (PetscInt i = i0; i <= i1; i++) {
      size_t ray = (size_t)(j - map->iy0) * (size_t)map->nx + (size_t)(i - map->ix0);
      memset(map->needed + ray * (size_t)map->n_layer + first, 1, (size_t)(last - first));
    }
  }
}

static PetscErrorCode MapCreate(const Sighting *s, size_t n, double lateral_mm, double margin_mm, PetscInt n_layer,
                                RayMap *map)
{
  PetscFunctionBegin;
  double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
  for (size_t i = 0; i < n; i++) {
    x0 = PetscMin(x0, s[i].x_mm), x1 = PetscMax(x1, s[i].x_mm);
    y0 = PetscMin(y0, s[i].y_mm), y1 = PetscMax(y1, s[i].y_mm);
  }
  map->ix0 = (PetscInt)floor((x0 - margin_mm) / lateral_mm);
  map->iy0 = (PetscInt)floor((y0 - margin_mm) / lateral_mm);
  map->nx = (PetscInt)ceil((x1 + margin_mm) / lateral_mm) - map->ix0 + 1;
  map->ny = (PetscInt)ceil((y1 + margin_mm) / lateral_mm) - map->iy0 + 1;
  map->n_layer = n_layer;
  PetscCall(PetscCalloc1((size_t)map->nx * (size_t)map->ny * (size_t)n_layer, &map->needed));
  PetscFunctionReturn(0);
}

/* Turn the marks into runs of consecutive layers, rays by y then x. */
static PetscErrorCode CollectRuns(const RayMap *map, double lateral_mm, PetscInt first_spot, Beam *beam)
{
  PetscFunctionBegin;
  PetscInt capacity = 0;
  beam->n_run = beam->n_spot = 0;
  beam->first_spot = first_spot;
  for (PetscInt j = 0; j < map->ny; j++)
    for (PetscInt i = 0; i < map->nx; i++) {
      const unsigned char *needed = map->needed + ((size_t)j * (size_t)map->nx + (size_t)i) * (size_t)map->n_layer;
      for (PetscInt l = 0; l < map->n_layer; l++) {
        if (!needed[l]) continue;
        PetscInt end = l;
        while (end < map->n_layer && needed[end]) end++;
        if (beam->n_run == capacity) {
          capacity = capacity ? 2 * capacity : 256;
          PetscCall(PetscRealloc((size_t)capacity * sizeof *beam->run, &beam->run));
        }
        beam->run[beam->n_run++] = (SpotRun){.x_mm = (map->ix0 + i) * lateral_mm,
                                             .y_mm = (map->iy0 + j) * lateral_mm,
                                             .first_spot = first_spot + beam->n_spot,
                                             .first_layer = l,
                                             .n = end - l};
        beam->n_spot += end - l;
        l = end;
      }
    }
  PetscFunctionReturn(0);
}

/* Shallowest and deepest water-equivalent depth of the target over all scenarios. */
static void DepthSpan(const Sighting *s, const ScenarioSet *set, PetscInt n_target, double *shallow_mm, double *deep_mm)
{
  *shallow_mm = INFINITY;
  *deep_mm = 0;
  for (PetscInt k = 0; k < set->n_setup; k++) {
    double smallest, largest;
    RangeFactors(set, k, &smallest, &largest);
    for (PetscInt i = 0; i < n_target; i++, s++) {
      *shallow_mm = PetscMin(*shallow_mm, s->depth_mm * smallest + s->passed_mm);
      *deep_mm = PetscMax(*deep_mm, s->depth_mm * largest + s->passed_mm);
    }
  }
}

/* Tell when part of the target lies before the machine's shortest range: no peak can be put there. */
static void WarnShallow(const Machine *machine, const Case *patient, const Region *target, const ScenarioSet *set,
                        const Sighting *s, PetscInt index)
{
  const Sighting *nominal = s + (size_t)set->setup_of[0] * (size_t)target->n;
  double shallow = 0, volume = 0;
  for (PetscInt i = 0; i < target->n; i++) {
    volume += target->fraction[i];
    if (nominal[i].depth_mm + nominal[i].passed_mm < machine->r80_mm[0]) shallow += target->fraction[i];
  }
  if (shallow > 0)
    LogLine(LOG_WARNING, "beams", patient->name,
            "beam %d: %.1f %% of %s lies shallower than the shortest range, %.1f mm (machine.energy_min_MeV_u)",
            (int)index, 100 * shallow / volume, target->name, machine->r80_mm[0]);
}

static PetscErrorCode LayOutBeam(const Settings *settings, const Case *patient, const Machine *machine,
                                 const Grid *grid, const Region *target, const ScenarioSet *set, PetscInt index,
                                 PetscInt first_spot, Mistakes *mistakes, Beam *beam)
{
  PetscFunctionBegin;
  const SpotSpec *spots = &settings->spots;
  const double lateral_margin_mm = spots->margin_mm + 0.5 * grid->spacing_mm[0];
  const double depth_margin_mm = spots->margin_mm + 0.5 * spots->layer_mm;
  Sighting *sighting;
  RayMap map = {0};
  double shallow_mm, deep_mm, *r80_mm;
  PetscCall(SightTarget(beam, patient, machine, grid, target, set, &sighting));
  DepthSpan(sighting, set, target->n, &shallow_mm, &deep_mm);
  if (deep_mm > machine->r80_mm[machine->n_energy - 1]) {
    PetscCall(
        MistakesAdd(mistakes, ROBION_INPUT,
                    "%s: beam %d (gantry %g deg) cannot reach %s of case %s: its water-equivalent depth is up to %.1f "
                    "mm, the largest range of machine %s is %.1f mm",
                    settings->beams_where, (int)index, beam->gantry_deg, settings->target, patient->name, deep_mm,
                    machine->name, machine->r80_mm[machine->n_energy - 1]));
    PetscCall(PetscFree(sighting));
    PetscFunctionReturn(0);
  }
  WarnShallow(machine, patient, target, set, sighting, index);
  PetscCall(ChooseLayers(machine, shallow_mm - depth_margin_mm, deep_mm + spots->margin_mm, spots->layer_mm, beam));
  PetscCall(PetscMalloc1(beam->n_layer, &r80_mm));
  for (PetscInt l = 0; l < beam->n_layer; l++) r80_mm[l] = machine->r80_mm[beam->energy[l]];
  size_t n = (size_t)set->n_setup * (size_t)target->n;
  PetscCall(MapCreate(sighting, n, spots->lateral_mm, lateral_margin_mm, beam->n_layer, &map));
  for (PetscInt k = 0; k < set->n_setup; k++) {
    double smallest, largest;
    RangeFactors(set, k, &smallest, &largest);
    for (PetscInt i = 0; i < target->n; i++) {
      const Sighting *s = &sighting[(size_t)k * (size_t)target->n + (size_t)i];
      MarkSighting(s, s->depth_mm * smallest + s->passed_mm - depth_margin_mm,
                   s->depth_mm * largest + s->passed_mm + depth_margin_mm, spots->lateral_mm, lateral_margin_mm, r80_mm,
                   &map);
    }
  }
  PetscCall(CollectRuns(&map, spots->lateral_mm, first_spot, beam));
  PetscCall(PetscFree(map.needed));
  PetscCall(PetscFree(r80_mm));
  PetscCall(PetscFree(sighting));
  PetscFunctionReturn(0);
}

PetscErrorCode BeamSetCreate(const Settings *settings, const Case *patient, const Machine *machine, const Grid *grid,
                             const Region *target, const ScenarioSet *optimize, Mistakes *mistakes, BeamSet **out)
{
  PetscFunctionBegin;
  BeamSet *set;
  PetscInt before = mistakes->n;
  *out = NULL;
  PetscCall(BeamSetPlace(settings, patient, machine, grid, target, mistakes, &set));
  for (PetscInt b = 0; b < set->n_beam && mistakes->n == before; b++) {
    PetscCall(LayOutBeam(settings, patient, machine, grid, target, optimize, b, set->n_spot, mistakes, &set->beam[b]));
    set->n_spot += set->beam[b].n_spot;
  }
  if (mistakes->n == before && set->n_spot == 0)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: no spot of machine %s reaches %s of case %s (smallest range %.1f mm)",
                          settings->beams_where, machine->name, settings->target, patient->name, machine->r80_mm[0]));
  if (mistakes->n > before) PetscCall(BeamSetDestroy(&set));
  *out = set;
  PetscFunctionReturn(0);
}

PetscErrorCode BeamSetDestroy(BeamSet **beams)
{
  PetscFunctionBegin;
  if (*beams) {
    for (PetscInt b = 0; b < (*beams)->n_beam; b++) {
      PetscCall(PetscFree((*beams)->beam[b].energy));
      PetscCall(PetscFree((*beams)->beam[b].run));
    }
    PetscCall(PetscFree((*beams)->beam));
    PetscCall(PetscFree(*beams));
  }
  PetscFunctionReturn(0);
}
