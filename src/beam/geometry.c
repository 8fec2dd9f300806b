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

void BeamSetAxes(Beam *beam)
{
  /* Half a turn of a patient who lies otherwise than head first supine: about z (HFP), y (FFS), x (FFP). */
  static const double lie[N_PATIENT_POSITIONS][3] = {{1, 1, 1}, {-1, -1, 1}, {-1, 1, -1}, {1, -1, -1}};
  double sg, cg, sc, cc;
  SinCosDegrees(beam->gantry_deg, &sg, &cg);
  SinCosDegrees(beam->couch_deg, &sc, &cc);
  /* R_gantry = [[c,-s,0],[s,c,0],[0,0,1]], R_couch = [[c,0,s],[0,1,0],[-s,0,c]]; u, w, v are the images of x, y, z. */
  const double u[3] = {cc * cg, sg, -sc * cg}, w[3] = {-cc * sg, cg, sc * sg}, v[3] = {sc, 0, cc};
  for (int k = 0; k < 3; k++) {
    beam->u[k] = lie[beam->position][k] * u[k];
    beam->v[k] = lie[beam->position][k] * v[k];
    beam->w[k] = lie[beam->position][k] * w[k];
  }
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
