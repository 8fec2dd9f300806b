/* The way between patient and beam's-eye view, and the water-equivalent depth along a ray. */
#include "beam_private.h"
#include "robion/raytrace.h"
#include <math.h>

/* Exact sine and cosine at the right angles, so that such beams hit the grid without rounding noise. */
static void SinCosDegrees(double angle_deg, double *sine, double *cosine)
{
  double quarter = angle_deg / 90.0;
  if (quarter == floor(quarter)) {
    int k = ((int)quarter % 4 + 4) % 4;
    *sine = (k == 1) - (k == 3);
    *cosine = (k == 0) - (k == 2);
  } else {
    *sine = sin(angle_deg * PETSC_PI / 180.0);
    *cosine = cos(angle_deg * PETSC_PI / 180.0);
  }
}

/*
 * Turns of a patient who lies otherwise than head first supine: half ones about z (HFP), y (FFS), x (FFP); on the side a quarter about z
 * (right side down: what was down is right, -x), with half a one about y before it feet first. Axis k of the patient is `sign` times
 * axis `of` of one who lies head first supine.
 */
static const struct {
  int of[3];
  double sign[3];
} turns[N_PATIENT_POSITIONS] = {[POSITION_HFS] = {{0, 1, 2}, {1, 1, 1}},     [POSITION_HFP] = {{0, 1, 2}, {-1, -1, 1}},
                                [POSITION_FFS] = {{0, 1, 2}, {-1, 1, -1}},   [POSITION_FFP] = {{0, 1, 2}, {1, -1, -1}},
                                [POSITION_HFDR] = {{1, 0, 2}, {-1, 1, 1}},   [POSITION_HFDL] = {{1, 0, 2}, {1, -1, 1}},
                                [POSITION_FFDR] = {{1, 0, 2}, {-1, -1, -1}}, [POSITION_FFDL] = {{1, 0, 2}, {1, 1, -1}}};

static void Turn(PatientPosition position, const double supine[3], double turned[3])
{
  for (int k = 0; k < 3; k++) turned[k] = turns[position].sign[k] * supine[turns[position].of[k]];
}

void BeamSetAxes(Beam *beam)
{
  double sg, cg, sc, cc;
  SinCosDegrees(beam->gantry_deg, &sg, &cg);
  SinCosDegrees(beam->couch_deg, &sc, &cc);
  /* R_gantry = [[c,-s,0],[s,c,0],[0,0,1]], R_couch = [[c,0,s],[0,1,0],[-s,0,c]]; u, w, v are the images of x, y, z. */
  const double u[3] = {cc * cg, sg, -sc * cg}, w[3] = {-cc * sg, cg, sc * sg}, v[3] = {sc, 0, cc};
  Turn(beam->position, u, beam->u);
  Turn(beam->position, v, beam->v);
  Turn(beam->position, w, beam->w);
}

const Beam *BeamInView(const Beam *beam, const View *view, Beam *turned)
{
  if (!ViewTurned(view)) return beam;
  *turned = *beam;
  RotateBack(view->rotation_deg, beam->u, turned->u);
  RotateBack(view->rotation_deg, beam->v, turned->v);
  RotateBack(view->rotation_deg, beam->w, turned->w);
  return turned;
}

void BeamSource(const Beam *beam, const double point_mm[3], const double shift_mm[3], double source_mm[3])
{
  const double far_upstream_mm = 5000;
  for (int k = 0; k < 3; k++)
    source_mm[k] = beam->sad_mm > 0 ? beam->isocentre_mm[k] - shift_mm[k] - beam->sad_mm * beam->w[k]
                                    : point_mm[k] - far_upstream_mm * beam->w[k];
}

double BeamWEPL(const Beam *beam, const Case *patient, const double point_mm[3], const double shift_mm[3])
{
  double source_mm[3];
  BeamSource(beam, point_mm, shift_mm, source_mm);
  return RaytraceWEPL_mm(&patient->ct, patient->rsp, source_mm, point_mm);
}

double BeamPassed_mm(const Beam *beam, const Machine *machine, const Case *patient, const double point_mm[3],
                     const double shift_mm[3])
{
  const double water_per_air = 0.0011, line_mm = machine->offset_mm + beam->range_shifter_mm;
  double source_mm[3];
  if (machine->bams_to_iso_mm <= 0 || machine->sad_mm <= 0) return line_mm;
  BeamSource(beam, point_mm, shift_mm, source_mm);
  double ssd_mm = RaytraceEntry_mm(&patient->ct, patient->rsp, source_mm, point_mm, SKIN_RSP);
  if (!isfinite(ssd_mm)) return line_mm;
  return line_mm + water_per_air * (ssd_mm + machine->bams_to_iso_mm - machine->sad_mm);
}

double BeamSkin_mm(const Beam *beam, const Case *patient)
{
  const double no_shift[3] = {0}, *isocentre_mm = beam->isocentre_mm;
  double source_mm[3];
  BeamSource(beam, isocentre_mm, no_shift, source_mm);
  double to_isocentre_mm =
      hypot(hypot(isocentre_mm[0] - source_mm[0], isocentre_mm[1] - source_mm[1]), isocentre_mm[2] - source_mm[2]);
  return to_isocentre_mm - RaytraceEntry_mm(&patient->ct, patient->rsp, source_mm, isocentre_mm, SKIN_RSP);
}
