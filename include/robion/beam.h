/**
 * Treatment beams: IEC 61217 geometry, spots and energy layers. Step 5 of the data's way.
 *
 * Beam's-eye view (BEV) of a beam: u along IEC gantry x (patient left at gantry 0, head first supine), v along IEC gantry y
 * (superior), w along the beam direction, 0 at the isocentre. At gantry 0 the beam travels towards posterior (LPS +y).
 * patient = isocentre + R (u, w, v)^T with R = R_position R_couch R_gantry about the LPS axes; R_position is 1 for a patient who
 * lies head first supine (HFS), half a turn about z for HFP, about y for FFS, about x for FFP; a quarter about z for HFDR (down, +y,
 * becomes right, -x) and HFDL (left, +x), after half a one about y for FFDR and FFDL. A setup error shifts the patient along LPS
 * axes, however the patient lies.
 */
#pragma once
#include "robion/machine.h"
#include "robion/scenario.h"
#include "robion/spot_list.h"
#include "robion/structure.h"

/** Plates before the patient that shift the range: part of one beam's set-up. */
typedef struct RangeShifterSpec {
  double thickness_mm;    /* water-equivalent; 0: none */
  double to_isocentre_mm; /* from the side it leaves on */
} RangeShifterSpec;

typedef struct BeamSpec {
  double gantry_deg, couch_deg; /* IEC 61217 */
  RangeShifterSpec range_shifter;
  PetscBool has_isocentre; /* else: centre of mass of the target */
  double isocentre_mm[3];
  char *target, *where; /* the structure its spots cover; NULL: the prescription's or the stage's target */
} BeamSpec;

/** Where spots may lie in the isocentre plane. */
typedef enum { SPOT_GRID_SQUARE, SPOT_GRID_HEXAGONAL } SpotGrid;
extern const char *const spot_grid_names[]; /* as a study writes them, indexed by SpotGrid */
extern const PetscInt n_spot_grid_names;

/** In which scenarios the spots cover the target: those of the optimisation, no error, or all the study has for it. */
typedef enum { COVER_ROBUST, COVER_NOMINAL, COVER_SCENARIOS } SpotCover;
extern const char *const spot_cover_names[]; /* as a study writes them, indexed by SpotCover */
extern const PetscInt n_spot_cover_names;

/** Whether spots are split into sub-beams with depths of their own, of sigma / sqrt(2) or sigma / 2 in air. */
typedef enum { SPLITTING_NONE, SPLITTING_COARSE, SPLITTING_FINE } SpotSplitting;
extern const char *const spot_splitting_names[]; /* as a study writes them, indexed by SpotSplitting */
extern const PetscInt n_spot_splitting_names;

typedef struct SpotSpec {
  SpotGrid grid;
  double lateral_mm;  /* between neighbouring spots in the isocentre plane */
  double layer_mm;    /* water-equivalent spacing of energy layers ... */
  double layer_MeV_u; /* ... or, if above 0, their spacing in energy */
  double lateral_margin_mm, proximal_margin_mm, distal_margin_mm; /* around the target */
  SpotCover cover;
  SpotSplitting splitting;
} SpotSpec;

/** What a study says of its beams and their spots. */
typedef struct BeamSetSpec {
  PatientPosition position; /* POSITION_FROM_CASE: as the case says */
  PetscBool from_case;      /* beams: from-case, at the angles that the case suggests */
  PetscInt n;
  BeamSpec *beam;
  char *where;    /* "study.yaml:line:column" of the beams */
  PetscInt first; /* number of the first of them, for messages: of a part of a plan's beams */
  SpotSpec spots;
} BeamSetSpec;

/** Consecutive energy layers of one ray: spots first_spot ... first_spot + n - 1 on layers first_layer ... */
typedef struct SpotRun {
  double x_mm, y_mm; /* of the spot axis in the isocentre plane */
  PetscInt first_spot, first_layer, n;
} SpotRun;

typedef struct Beam {
  PetscInt number; /* among the plan's beams */
  double gantry_deg, couch_deg;
  PatientPosition position;
  double isocentre_mm[3];
  double u[3], v[3], w[3]; /* unit vectors of the BEV axes, LPS */
  double sad_mm;           /* <= 0: parallel */
  double range_shifter_mm; /* water-equivalent thickness; 0: none */
  double range_shifter_to_isocentre_mm;
  double range_shifter_gap_mm; /* air between it and the patient, on the axis, without errors */
  PetscInt n_layer;
  PetscInt *energy; /* [n_layer] machine energy index, ascending */
  PetscInt n_run;
  SpotRun *run; /* ordered by y, then x, then layer */
  PetscInt first_spot, n_spot;
  const char *target; /* the structure its spots cover; not owned, NULL: not known */
} Beam;

typedef struct BeamSet {
  PetscInt n_beam, n_spot;
  Beam *beam;
  PatientPosition position; /* of all beams */
  SpotSplitting splitting;
} BeamSet;

/** Set the axes of a beam from its angles and the patient's position. */
void BeamSetAxes(Beam *beam);

/** BEV coordinates (u, v, w), mm, of a patient point when the patient is shifted by shift_mm. */
static inline void BeamProject(const Beam *beam, const double point_mm[3], const double shift_mm[3], double bev_mm[3])
{
  bev_mm[0] = bev_mm[1] = bev_mm[2] = 0;
  for (int k = 0; k < 3; k++) {
    double d = point_mm[k] + shift_mm[k] - beam->isocentre_mm[k];
    bev_mm[0] += d * beam->u[k];
    bev_mm[1] += d * beam->v[k];
    bev_mm[2] += d * beam->w[k];
  }
}

/** Source position (LPS) in the frame of a patient shifted by shift_mm; for a parallel beam, a point far upstream of `point_mm`. */
void BeamSource(const Beam *beam, const double point_mm[3], const double shift_mm[3], double source_mm[3]);

/** Water-equivalent depth, mm, of a point under a setup shift: exact ray trace from the source, without range error. */
double BeamWEPL(const Beam *beam, const Case *patient, const double point_mm[3], const double shift_mm[3]);

/**
 * Water-equivalent depth, mm, that the beam has passed before the patient on the way to a point: the base data's offset, the
 * range shifter, and the air between nozzle and skin beyond that of the base data's own set-up, as matRad counts it (0.0011 mm of water per mm;
 * skin is the first stopping power above 0.05). A range error of the patient does not scale it.
 */
double BeamPassed_mm(const Beam *beam, const Machine *machine, const Case *patient, const double point_mm[3],
                     const double shift_mm[3]);

/**
 * The beam as a patient sees it in a view: the beam itself, or where the patient is turned *turned, whose axes are turned the other way
 * about its isocentre. With view->shift_mm it goes where a beam and a shift are asked for.
 */
const Beam *BeamInView(const Beam *beam, const View *view, Beam *turned);

/** The views whose depths are to be traced, as ScenarioTraces: parallel rays have the same BeamWEPL and BeamPassed_mm under all shifts. */
static inline PetscInt BeamTraces(const Beam *beam, const ScenarioSet *set, PetscInt *trace, PetscInt *view)
{
  return ScenarioTraces(set, beam->sad_mm > 0 ? PETSC_FALSE : PETSC_TRUE, trace, view);
}

/**
 * Share of the target's volume (0 to 1) that the beam's rays reach through a voxel of tissue at the border of the CT, where the
 * patient is cut off: what lies beyond is missing from their depths. Without setup errors.
 */
double BeamCutShare(const Beam *beam, const Case *patient, const Grid *grid, const Region *target);

/** Distance, mm, from the patient's surface on a beam's axis to the isocentre; minus infinity if the axis meets no patient. */
double BeamSkin_mm(const Beam *beam, const Case *patient);

/** What a case alone tells of beams. Mistakes (ROBION_INPUT): isocentre outside the CT, `from-case` without angles in the case. */
PetscErrorCode BeamSetCheckPlace(const BeamSetSpec *beams, const Case *patient, Mistakes *mistakes);

/**
 * Beams with angles, axes and isocentre (as given, else the target's centre of mass) and no spots; a warning in the log for those
 * with a BeamCutShare. Mistakes (ROBION_INPUT): those of BeamSetCheckPlace, a range shifter inside the patient. *out is set in any
 * case. Not collective.
 */
PetscErrorCode BeamSetPlace(const BeamSetSpec *beams, const Case *patient, const Machine *machine, const Grid *grid,
                            const Region *target, Mistakes *mistakes, BeamSet **out);

/**
 * Lay out spots and layers that cover `target` (fractions on `grid`) grown by the spot margins: in every scenario of `optimize`
 * or as beams->spots.cover says (COVER_SCENARIOS: those of `study`). Rays are a square or hexagonal grid about the isocentre, layers energies of the machine, a
 * step apart in depth or in energy. Mistakes (ROBION_INPUT): those of BeamSetPlace,
 * target deeper than the machine's largest range or no layer that reaches it (says depth and range). Collective on
 * `team`, whose ranks trace a part of the target each; all give the same arguments and get the same.
 */
PetscErrorCode BeamSetCreate(MPI_Comm team, const BeamSetSpec *beams, const Case *patient, const Machine *machine,
                             const Grid *grid, const Region *target, const ScenarioSet *optimize,
                             const ScenarioSpec *study, Mistakes *mistakes, BeamSet **out);

/**
 * A mistake (ROBION_INPUT) for each of the first spots whose beam is not 0 to n_beam - 1, where the spot stands; `what` says in it
 * which beams these are. Not collective.
 */
PetscErrorCode SpotListCheckBeams(const SpotList *spots, PetscInt n_beam, const char *what, Mistakes *mistakes);

/**
 * The beams of the study with exactly the spots of a foreign plan, in their order (spot_of[i]: index in the set of list entry
 * i). Energies must be the machine's within 0.05 MeV/u (else one mistake with all that are missing), positions and particles
 * within what a scanner could do; mistakes are ROBION_INPUT. Angles are the study's; the list's, where it has others, are a
 * warning. Spots diverge from one point, as the machine's sad_mm says, also where the plan's scanner has two distances.
 */
PetscErrorCode BeamSetFromSpots(const BeamSetSpec *beams, const Case *patient, const Machine *machine, const Grid *grid,
                                const Region *target, const SpotList *spots, Mistakes *mistakes, BeamSet **out,
                                PetscInt **spot_of);

/**
 * Give the machine's energies the spot sizes that a list has for them; other energies keep theirs. The dose operator takes
 * spot sizes from the machine, so an energy with two sizes is a mistake (ROBION_INPUT). Not collective.
 */
PetscErrorCode MachineSetSpotSizes(Machine *machine, const SpotList *spots, Mistakes *mistakes);

/**
 * The same beams with those of their spots and layers alone that have particles, weight[n_spot] above 0, and these weights, to be
 * freed by PetscFree: what a machine is told to deliver, and so the set that a plan read back from another system's file has.
 * Not collective.
 */
PetscErrorCode BeamSetKeepFilled(const BeamSet *beams, const Machine *machine, const double *weight, BeamSet **out,
                                 double **kept);

/** Log how many spots, rays and layers every beam has, and their energies. Not collective: the speakers of the log speak. */
void BeamSetTell(const BeamSet *beams, const Machine *machine, const Case *patient);

PetscErrorCode BeamSetDestroy(BeamSet **beams);
