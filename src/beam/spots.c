/* Spot and energy-layer layout: which (ray, layer) pairs are needed to cover the target in every optimised scenario. */
#include "beam_private.h"
#include "robion/log.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const spot_grid_names[] = {"square", "hexagonal"};
const PetscInt n_spot_grid_names = PETSC_STATIC_ARRAY_LENGTH(spot_grid_names);
const char *const spot_cover_names[] = {"robust", "nominal", "scenarios"};
const PetscInt n_spot_cover_names = PETSC_STATIC_ARRAY_LENGTH(spot_cover_names);
const char *const spot_splitting_names[] = {"none", "coarse", "fine"};
const PetscInt n_spot_splitting_names = PETSC_STATIC_ARRAY_LENGTH(spot_splitting_names);

/* One target voxel as a beam sees it in one setup: position in the isocentre plane and water-equivalent depth. */
typedef struct Sighting {
  double x_mm, y_mm;
  double depth_mm, passed_mm; /* in the patient, without range error; before it */
} Sighting;

/*
 * Rays of the grid that can see the target, and the layers each of them needs. Row iy0 + j lies at y = (iy0 + j) * row_mm, its
 * rays at x = (ix0 + i) * lateral_mm, and half a spacing further in every second row of a hexagonal grid.
 */
typedef struct RayMap {
  SpotGrid grid;
  double lateral_mm, row_mm;
  PetscInt nx, ny, ix0, iy0;
  PetscInt n_layer;
  unsigned char *needed; /* [ny][nx][n_layer] */
} RayMap;

typedef struct TargetDepth {
  double wepl_mm, passed_mm;
} TargetDepth;

/* Depths of the target's voxels in every view that is to be traced, a part on each rank of the team. */
static PetscErrorCode TraceTarget(MPI_Comm team, const Beam *beam, const Case *patient, const Machine *machine,
                                  const Grid *grid, const Region *target, const ScenarioSet *set, TargetDepth *depth)
{
  PetscFunctionBegin;
  PetscInt *seen;
  PetscCall(PetscMalloc1(set->n_view, &seen));
  const PetscInt n = BeamTraces(beam, set, NULL, seen) * target->n;
  PetscMPIInt rank, size, *count, *first;
  PetscCallMPI(MPI_Comm_rank(team, &rank));
  PetscCallMPI(MPI_Comm_size(team, &size));
  PetscCall(PetscMalloc2(size, &count, size + 1, &first));
  for (PetscMPIInt r = 0; r <= size; r++) first[r] = (PetscMPIInt)(2 * ((PetscInt64)n * r / size));
  for (PetscMPIInt r = 0; r < size; r++) count[r] = first[r + 1] - first[r];
  for (PetscInt at = first[rank] / 2; at < first[rank + 1] / 2; at++) {
    const View *view = &set->view[seen[at / target->n]];
    Beam turned;
    const Beam *from = BeamInView(beam, view, &turned);
    Case there;
    const Case *seen_patient = CaseInPhase(patient, view->phase, &there);
    double centre[3], p[3];
    GridCentre(grid, (size_t)target->voxel[at % target->n], centre);
    CasePlaceInPhase(patient, view->phase, centre, p);
    depth[at].wepl_mm = BeamWEPL(from, seen_patient, p, view->shift_mm);
    depth[at].passed_mm = BeamPassed_mm(from, machine, seen_patient, p, view->shift_mm);
  }
  PetscCallMPI(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, depth, count, first, MPI_DOUBLE, team));
  PetscCall(PetscFree2(count, first));
  PetscCall(PetscFree(seen));
  PetscFunctionReturn(0);
}

/* Every (target voxel, view) of a beam; range errors are applied by the caller. */
static PetscErrorCode SightTarget(MPI_Comm team, const Beam *beam, const Case *patient, const Machine *machine,
                                  const Grid *grid, const Region *target, const ScenarioSet *set, Sighting **out)
{
  PetscFunctionBegin;
  TargetDepth *depth;
  PetscInt *trace;
  PetscCall(PetscMalloc1(set->n_view, &trace));
  const PetscInt n_trace = BeamTraces(beam, set, trace, NULL);
  PetscCall(PetscMalloc1((size_t)n_trace * (size_t)target->n, &depth));
  PetscCall(TraceTarget(team, beam, patient, machine, grid, target, set, depth));
  PetscCall(PetscMalloc1((size_t)set->n_view * (size_t)target->n, out));
  Sighting *s = *out;
  for (PetscInt k = 0; k < set->n_view; k++) {
    Beam turned;
    const Beam *from = BeamInView(beam, &set->view[k], &turned);
    for (PetscInt i = 0; i < target->n; i++, s++) {
      const TargetDepth *d = &depth[(size_t)trace[k] * (size_t)target->n + (size_t)i];
      double centre[3], p[3], bev[3];
      GridCentre(grid, (size_t)target->voxel[i], centre);
      CasePlaceInPhase(patient, set->view[k].phase, centre, p);
      BeamProject(from, p, set->view[k].shift_mm, bev);
      double magnification = beam->sad_mm > 0 ? beam->sad_mm / (beam->sad_mm + bev[2]) : 1;
      s->x_mm = bev[0] * magnification;
      s->y_mm = bev[1] * magnification;
      s->depth_mm = d->wepl_mm;
      s->passed_mm = d->passed_mm;
    }
  }
  PetscCall(PetscFree(trace));
  PetscCall(PetscFree(depth));
  PetscFunctionReturn(0);
}

/* The factor on a beam's WEPL of the largest and smallest range error in a view's scenarios. */
static void RangeFactors(const ScenarioSet *set, PetscInt view, PetscInt beam, double *smallest, double *largest)
{
  *smallest = INFINITY;
  *largest = 0;
  for (PetscInt s = 0; s < set->n_of_phase; s++) {
    if (set->of_phase[s].view != view) continue;
    double factor = SumsRangeFactor(set, s, beam);
    *smallest = PetscMin(*smallest, factor);
    *largest = PetscMax(*largest, factor);
  }
}

/* What a row of rays is shifted by along x, in spacings. */
static double RowShift(const RayMap *map, PetscInt j)
{
  return map->grid == SPOT_GRID_HEXAGONAL && j % 2 ? 0.5 : 0;
}

/* Mark the layers whose span meets one sighting's depth interval on all rays near it. */
static void MarkSighting(const Sighting *s, double shallow_mm, double deep_mm, double margin_mm, const LayerSpan *layer,
                         RayMap *map)
{
  PetscInt first = 0, last = map->n_layer;
  while (first < last && layer[first].to_mm < shallow_mm) first++;
  while (last > first && layer[last - 1].from_mm > deep_mm) last--;
  if (first == last) return;
  PetscInt j0 = (PetscInt)ceil((s->y_mm - margin_mm) / map->row_mm),
           j1 = (PetscInt)floor((s->y_mm + margin_mm) / map->row_mm);
  for (PetscInt j = j0; j <= j1; j++) {
    double dy = j * map->row_mm - s->y_mm, dx = sqrt(PetscMax(0, margin_mm * margin_mm - dy * dy));
    PetscInt i0 = (PetscInt)ceil((s->x_mm - dx) / map->lateral_mm - RowShift(map, j)),
             i1 = (PetscInt)floor((s->x_mm + dx) / map->lateral_mm - RowShift(map, j));
    for (PetscInt i = i0; i <= i1; i++) {
      size_t ray = (size_t)(j - map->iy0) * (size_t)map->nx + (size_t)(i - map->ix0);
      memset(map->needed + ray * (size_t)map->n_layer + first, 1, (size_t)(last - first));
    }
  }
}

static PetscErrorCode MapCreate(const Sighting *s, size_t n, const SpotSpec *spec, double margin_mm, PetscInt n_layer,
                                RayMap *map)
{
  PetscFunctionBegin;
  double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
  for (size_t i = 0; i < n; i++) {
    x0 = PetscMin(x0, s[i].x_mm), x1 = PetscMax(x1, s[i].x_mm);
    y0 = PetscMin(y0, s[i].y_mm), y1 = PetscMax(y1, s[i].y_mm);
  }
  map->grid = spec->grid;
  map->lateral_mm = spec->lateral_mm;
  map->row_mm = spec->grid == SPOT_GRID_HEXAGONAL ? spec->lateral_mm * sqrt(0.75) : spec->lateral_mm;
  map->ix0 = (PetscInt)floor((x0 - margin_mm) / map->lateral_mm - 0.5);
  map->iy0 = (PetscInt)floor((y0 - margin_mm) / map->row_mm);
  map->nx = (PetscInt)ceil((x1 + margin_mm) / map->lateral_mm) - map->ix0 + 1;
  map->ny = (PetscInt)ceil((y1 + margin_mm) / map->row_mm) - map->iy0 + 1;
  map->n_layer = n_layer;
  PetscCall(PetscCalloc1((size_t)map->nx * (size_t)map->ny * (size_t)n_layer, &map->needed));
  PetscFunctionReturn(0);
}

/* Turn the marks into runs of consecutive layers, rays by y then x. */
static PetscErrorCode CollectRuns(const RayMap *map, PetscInt first_spot, Beam *beam)
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
        beam->run[beam->n_run++] = (SpotRun){.x_mm = (map->ix0 + i + RowShift(map, map->iy0 + j)) * map->lateral_mm,
                                             .y_mm = (map->iy0 + j) * map->row_mm,
                                             .first_spot = first_spot + beam->n_spot,
                                             .first_layer = l,
                                             .n = end - l};
        beam->n_spot += end - l;
        l = end;
      }
    }
  PetscFunctionReturn(0);
}

/* Leave out layers without spots, so that a plan read back from its spots has the same layers. */
static PetscErrorCode DropEmptyLayers(Beam *beam)
{
  PetscFunctionBegin;
  PetscInt *layer_of, n = 0; /* new index of each layer */
  PetscCall(PetscCalloc1(beam->n_layer, &layer_of));
  for (PetscInt r = 0; r < beam->n_run; r++)
    for (PetscInt l = 0; l < beam->run[r].n; l++) layer_of[beam->run[r].first_layer + l] = 1;
  for (PetscInt l = 0; l < beam->n_layer; l++) {
    if (!layer_of[l]) continue;
    layer_of[l] = n;
    beam->energy[n++] = beam->energy[l];
  }
  beam->n_layer = n;
  for (PetscInt r = 0; r < beam->n_run; r++) beam->run[r].first_layer = layer_of[beam->run[r].first_layer];
  PetscCall(PetscFree(layer_of));
  PetscFunctionReturn(0);
}

/* Shallowest and deepest water-equivalent depth of the target over all scenarios. */
static void DepthSpan(const Sighting *s, const ScenarioSet *set, PetscInt beam, PetscInt n_target, double *shallow_mm,
                      double *deep_mm)
{
  *shallow_mm = INFINITY;
  *deep_mm = 0;
  for (PetscInt k = 0; k < set->n_view; k++) {
    double smallest, largest;
    RangeFactors(set, k, beam, &smallest, &largest);
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
  const ScenarioSums *sums = &set->sums[set->scenario[0].sums];
  const Sighting *nominal = s + (size_t)set->of_phase[sums->first].view * (size_t)target->n;
  double shallow = 0, volume = 0;
  for (PetscInt i = 0; i < target->n; i++) {
    volume += target->fraction[i];
    if (nominal[i].depth_mm + nominal[i].passed_mm < machine->r80_mm[0]) shallow += target->fraction[i];
  }
  if (shallow > 0)
    LogLine(LOG_WARNING, "beams", patient->name,
            "beam %d: %.1f %% of %s lies shallower than the shortest range, %.1f mm (machine.energy_min_MeV_u, "
            "range_shifter)",
            (int)index, 100 * shallow / volume, target->name, machine->r80_mm[0]);
}

/* Mark everything that the target needs in all scenarios. */
static void MarkTarget(const Sighting *sighting, PetscInt n_target, const ScenarioSet *set, PetscInt beam,
                       const SpotSpec *spots, double lateral_margin_mm, const LayerSpan *layer, RayMap *map)
{
  for (PetscInt k = 0; k < set->n_view; k++) {
    double smallest, largest;
    RangeFactors(set, k, beam, &smallest, &largest);
    for (PetscInt i = 0; i < n_target; i++) {
      const Sighting *s = &sighting[(size_t)k * (size_t)n_target + (size_t)i];
      MarkSighting(s, s->depth_mm * smallest + s->passed_mm - spots->proximal_margin_mm,
                   s->depth_mm * largest + s->passed_mm + spots->distal_margin_mm, lateral_margin_mm, layer, map);
    }
  }
}

static PetscErrorCode LayOutBeam(MPI_Comm team, const BeamSetSpec *beams, const Case *patient, const Machine *machine,
                                 const Grid *grid, const Region *target, const ScenarioSet *set, PetscInt index,
                                 PetscInt first_spot, Mistakes *mistakes, Beam *beam)
{
  PetscFunctionBegin;
  const SpotSpec *spots = &beams->spots;
  const double lateral_margin_mm = spots->lateral_margin_mm + 0.5 * grid->spacing_mm[0];
  const double largest_mm = machine->r80_mm[machine->n_energy - 1];
  Sighting *sighting;
  LayerSpan *layer;
  RayMap map = {0};
  double shallow_mm, deep_mm;
  PetscCall(SightTarget(team, beam, patient, machine, grid, target, set, &sighting));
  DepthSpan(sighting, set, beam->number, target->n, &shallow_mm, &deep_mm);
  if (deep_mm > largest_mm) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: beam %d (gantry %g deg) cannot reach %s of case %s: its water-equivalent depth is up to "
                          "%.1f mm, the largest range of machine %s is %.1f mm",
                          beams->where, (int)(beams->first + index), beam->gantry_deg, target->name, patient->name,
                          deep_mm, machine->name, largest_mm));
    PetscCall(PetscFree(sighting));
    PetscFunctionReturn(0);
  }
  WarnShallow(machine, patient, target, set, sighting, beams->first + index);
  PetscCall(LayersChoose(machine, spots, shallow_mm, deep_mm, beam, &layer));
  PetscCall(
      MapCreate(sighting, (size_t)set->n_view * (size_t)target->n, spots, lateral_margin_mm, beam->n_layer, &map));
  MarkTarget(sighting, target->n, set, beam->number, spots, lateral_margin_mm, layer, &map);
  PetscCall(CollectRuns(&map, first_spot, beam));
  PetscCall(DropEmptyLayers(beam));
  PetscCall(PetscFree(map.needed));
  PetscCall(PetscFree(layer));
  PetscCall(PetscFree(sighting));
  PetscFunctionReturn(0);
}

/* The scenarios in which spots are to cover the target, if they are not those of the optimisation; else NULL. */
static PetscErrorCode CoverScenarios(SpotCover cover, const ScenarioSpec *study, ScenarioSet **own)
{
  PetscFunctionBegin;
  double zero = 0;
  ScenarioSpec nominal = {.n_range = 1, .range_percent = &zero, .setup = SETUP_NONE};
  *own = NULL;
  if (cover == COVER_NOMINAL) PetscCall(ScenarioSetCreate(&nominal, own));
  if (cover == COVER_SCENARIOS) PetscCall(ScenarioSetCreate(study, own));
  PetscFunctionReturn(0);
}

PetscErrorCode BeamSetCreate(MPI_Comm team, const BeamSetSpec *beams, const Case *patient, const Machine *machine,
                             const Grid *grid, const Region *target, const ScenarioSet *optimize,
                             const ScenarioSpec *study, Mistakes *mistakes, BeamSet **out)
{
  PetscFunctionBegin;
  BeamSet *set;
  ScenarioSet *own;
  PetscInt before = mistakes->n;
  *out = NULL;
  PetscCall(BeamSetPlace(beams, patient, machine, grid, target, mistakes, &set));
  PetscCall(CoverScenarios(beams->spots.cover, study, &own));
  for (PetscInt b = 0; b < set->n_beam && mistakes->n == before; b++) {
    PetscCall(LayOutBeam(team, beams, patient, machine, grid, target, own ? own : optimize, b, set->n_spot, mistakes,
                         &set->beam[b]));
    set->n_spot += set->beam[b].n_spot;
  }
  PetscCall(ScenarioSetDestroy(&own));
  if (mistakes->n == before && set->n_spot == 0)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: no spot of machine %s reaches %s of case %s (smallest range %.1f mm)", beams->where,
                          machine->name, target->name, patient->name, machine->r80_mm[0]));
  if (mistakes->n > before) PetscCall(BeamSetDestroy(&set));
  *out = set;
  PetscFunctionReturn(0);
}

/* Tell the spots, rays and layers of a beam. */
static void TellBeam(const Beam *beam, PetscInt index, const Machine *machine, const Case *patient)
{
  PetscInt rays = 0;
  for (PetscInt r = 0; r < beam->n_run; r++) {
    const SpotRun *run = &beam->run[r];
    if (!r || run->x_mm != run[-1].x_mm || run->y_mm != run[-1].y_mm) rays++;
  }
  if (!beam->n_layer) return;
  const PetscInt low = beam->energy[0], high = beam->energy[beam->n_layer - 1];
  LogLine(LOG_INFO, "beams", patient->name,
          "beam %d, gantry %g deg, couch %g deg: %d spots on %d rays and %d layers, %.1f to %.1f MeV/u (R80 %.1f to "
          "%.1f mm)",
          (int)index, beam->gantry_deg, beam->couch_deg, (int)beam->n_spot, (int)rays, (int)beam->n_layer,
          machine->energy_MeV_u[low], machine->energy_MeV_u[high], machine->r80_mm[low], machine->r80_mm[high]);
}

void BeamSetTell(const BeamSet *beams, const Machine *machine, const Case *patient)
{
  for (PetscInt b = 0; b < beams->n_beam; b++) TellBeam(&beams->beam[b], b, machine, patient);
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
