/*
 * RT Ion Plan (PS3.3 C.8.8.25): the spots of a stage, per fraction.
 *
 * A layer is two control points at the same places: the first has the ions of its spots, the second zeros, and between them the
 * cumulative weight grows by their sum. Weights are stored as 32-bit numbers; their sums are those of what is stored. The
 * meterset is the sum of all weights, in particles (NP), so that a weight is the spot's ions.
 */
#include "export_private.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double PARALLEL_MM = 1e7; /* a source so far away makes a parallel beam */
static const FixedText no_rotation[] = {{GANTRY_ROTATION_DIRECTION, "NONE"},
                                        {BEAM_LIMITING_DEVICE_ANGLE, "0"},
                                        {BEAM_LIMITING_DEVICE_ROTATION_DIRECTION, "NONE"},
                                        {PATIENT_SUPPORT_ROTATION_DIRECTION, "NONE"},
                                        {TABLE_TOP_PITCH_ANGLE, "0"},
                                        {TABLE_TOP_PITCH_ROTATION_DIRECTION, "NONE"},
                                        {TABLE_TOP_ROLL_ANGLE, "0"},
                                        {TABLE_TOP_ROLL_ROTATION_DIRECTION, "NONE"},
                                        {GANTRY_PITCH_ANGLE, "0"},
                                        {GANTRY_PITCH_ROTATION_DIRECTION, "NONE"},
                                        {TABLE_TOP_VERTICAL_POSITION, ""},
                                        {TABLE_TOP_LONGITUDINAL_POSITION, ""},
                                        {TABLE_TOP_LATERAL_POSITION, ""},
                                        {SNOUT_POSITION, ""}};

/* A spot with ions, and its place in the beam's columns. */
typedef struct SpotOrder {
  double energy_MeV_u;
  PetscInt i;
} SpotOrder;

static int CompareSpots(const void *a, const void *b)
{
  const SpotOrder *p = a, *q = b;
  if (p->energy_MeV_u != q->energy_MeV_u) return p->energy_MeV_u > q->energy_MeV_u ? -1 : 1;
  return (p->i > q->i) - (p->i < q->i);
}

/* The weight of a spot as the file has it. */
static double Weight(const BeamOnFile *beam, PetscInt i)
{
  return (double)(float)beam->particles[i];
}

/* Layers from the deepest, spots in them as the plan has them; those without ions are no spots of a scan. A beam keeps one. */
static PetscErrorCode OrderSpots(const BeamOnFile *beam, PetscInt *n, SpotOrder **spot)
{
  PetscFunctionBegin;
  *n = 0;
  PetscCall(PetscMalloc1(beam->n, spot));
  for (PetscInt i = 0; i < beam->n; i++)
    if (Weight(beam, i) > 0) (*spot)[(*n)++] = (SpotOrder){beam->energy_MeV_u[i], i};
  if (!*n && beam->n) (*spot)[(*n)++] = (SpotOrder){beam->energy_MeV_u[0], 0};
  if (*n) qsort(*spot, (size_t)*n, sizeof **spot, CompareSpots);
  PetscFunctionReturn(0);
}

static double Meterset(const BeamOnFile *beam)
{
  double sum = 0;
  for (PetscInt i = 0; i < beam->n; i++) sum += Weight(beam, i);
  return sum;
}

/* What holds for all layers, told by the first control point. */
static void PutGeometry(const DicomExport *x, DicomItem point, const BeamOnFile *beam)
{
  DicomPutDouble(point, GANTRY_ANGLE, beam->gantry_deg);
  DicomPutDouble(point, PATIENT_SUPPORT_ANGLE, beam->couch_deg);
  DicomPutFixed(point, PETSC_STATIC_ARRAY_LENGTH(no_rotation), no_rotation);
  DicomPutDoubles(point, ISOCENTER_POSITION, 3, beam->isocentre_mm);
  if (beam->range_shifter_mm > 0) {
    const DicomItem shifter = DicomAppendItem(point, RANGE_SHIFTER_SETTINGS_SEQUENCE);
    DicomPutInteger(shifter, REFERENCED_RANGE_SHIFTER_NUMBER, 1);
    DicomPutString(shifter, RANGE_SHIFTER_SETTING, "IN");
    DicomPutDouble(shifter, ISOCENTER_TO_RANGE_SHIFTER_DISTANCE, beam->range_shifter_to_isocentre_mm);
    DicomPutDouble(shifter, RANGE_SHIFTER_WATER_EQUIVALENT_THICKNESS, beam->range_shifter_mm);
  }
  if (x->extras->ripple_mm > 0) {
    const DicomItem ripple = DicomAppendItem(point, RANGE_MODULATOR_SETTINGS_SEQUENCE);
    DicomPutInteger(ripple, REFERENCED_RANGE_MODULATOR_NUMBER, 1);
    DicomPutDouble(ripple, ISOCENTER_TO_RANGE_MODULATOR_DISTANCE, x->extras->ripple_to_isocentre_mm);
  }
}

/* One of a layer's two control points: the first has the weights, the second zeros. */
static void PutSpots(DicomItem point, const BeamOnFile *beam, PetscInt n, const SpotOrder *spot, int second,
                     double *room)
{
  const double fwhm_mm[] = {beam->spot_fwhm_mm[spot->i], beam->spot_fwhm_mm[spot->i]};
  for (PetscInt i = 0; i < n; i++) {
    room[2 * i] = beam->x_mm[spot[i].i];
    room[2 * i + 1] = beam->y_mm[spot[i].i];
  }
  DicomPutDouble(point, NOMINAL_BEAM_ENERGY, spot->energy_MeV_u);
  DicomPutString(point, SCAN_SPOT_TUNE_ID, "1");
  DicomPutInteger(point, NUMBER_OF_SCAN_SPOT_POSITIONS, (long)n);
  DicomPutDoubles(point, SCAN_SPOT_POSITION_MAP, 2 * (size_t)n, room);
  for (PetscInt i = 0; i < n; i++) room[i] = second ? 0 : Weight(beam, spot[i].i);
  DicomPutDoubles(point, SCAN_SPOT_METERSET_WEIGHTS, (size_t)n, room);
  DicomPutDoubles(point, SCANNING_SPOT_SIZE, 2, fwhm_mm);
  DicomPutInteger(point, NUMBER_OF_PAINTINGS, 1);
}

/* The control points; returns how many. */
static PetscErrorCode PutLayers(const DicomExport *x, DicomItem item, const BeamOnFile *beam, PetscInt *n_point)
{
  PetscFunctionBegin;
  PetscInt n;
  SpotOrder *spot;
  double *room, sum = 0;
  *n_point = 0;
  PetscCall(OrderSpots(beam, &n, &spot));
  PetscCall(PetscMalloc1(2 * n, &room));
  for (PetscInt first = 0, end; first < n; first = end) {
    for (end = first; end < n && spot[end].energy_MeV_u == spot[first].energy_MeV_u;) end++;
    for (int second = 0; second < 2; second++) {
      const DicomItem point = DicomAppendItem(item, ION_CONTROL_POINT_SEQUENCE);
      DicomPutInteger(point, CONTROL_POINT_INDEX, (long)*n_point);
      DicomPutDouble(point, CUMULATIVE_METERSET_WEIGHT, sum);
      if (!(*n_point)++) PutGeometry(x, point, beam);
      PutSpots(point, beam, end - first, spot + first, second, room);
      for (PetscInt i = first; i < end && !second; i++) sum += Weight(beam, spot[i].i);
    }
  }
  DicomPutDouble(item, FINAL_CUMULATIVE_METERSET_WEIGHT, sum);
  PetscCall(PetscFree(room));
  PetscCall(PetscFree(spot));
  PetscFunctionReturn(0);
}

/* Range shifter and ripple filter: what stands in the beam. */
static void PutDevices(const DicomExport *x, DicomItem item, const BeamOnFile *beam)
{
  static const FixedText none[] = {{NUMBER_OF_WEDGES, "0"},
                                   {NUMBER_OF_COMPENSATORS, "0"},
                                   {NUMBER_OF_BOLI, "0"},
                                   {NUMBER_OF_BLOCKS, "0"},
                                   {NUMBER_OF_LATERAL_SPREADING_DEVICES, "0"}};
  const PetscBool shifted = beam->range_shifter_mm > 0 ? PETSC_TRUE : PETSC_FALSE;
  const PetscBool rippled = x->extras->ripple_mm > 0 ? PETSC_TRUE : PETSC_FALSE;
  char text[DICOM_TEXT];
  DicomPutFixed(item, PETSC_STATIC_ARRAY_LENGTH(none), none);
  DicomPutInteger(item, NUMBER_OF_RANGE_SHIFTERS, shifted);
  DicomPutInteger(item, NUMBER_OF_RANGE_MODULATORS, rippled);
  if (shifted) {
    const DicomItem shifter = DicomAppendItem(item, RANGE_SHIFTER_SEQUENCE);
    DicomPutInteger(shifter, RANGE_SHIFTER_NUMBER, 1);
    snprintf(text, sizeof text, "RS %.4g mm", beam->range_shifter_mm);
    DicomPutText(shifter, RANGE_SHIFTER_ID, 16, text);
    DicomPutString(shifter, RANGE_SHIFTER_TYPE, "BINARY");
  }
  if (rippled) {
    const DicomItem ripple = DicomAppendItem(item, RANGE_MODULATOR_SEQUENCE);
    DicomPutInteger(ripple, RANGE_MODULATOR_NUMBER, 1);
    DicomPutString(ripple, RANGE_MODULATOR_ID, "ripple filter");
    DicomPutString(ripple, RANGE_MODULATOR_TYPE, "FIXED");
    snprintf(text, sizeof text, "ripple filter, mean %.4g mm of water", x->extras->ripple_mm);
    DicomPutText(ripple, RANGE_MODULATOR_DESCRIPTION, 64, text);
  }
}

static PetscErrorCode PutBeam(const DicomExport *x, DicomItem item, const BeamOnFile *beam, PetscInt number)
{
  PetscFunctionBegin;
  static const FixedText fixed[] = {{BEAM_TYPE, "STATIC"},
                                    {RADIATION_TYPE, "ION"},
                                    {SCAN_MODE, "MODULATED"},
                                    {TREATMENT_MACHINE_NAME, "robion"},
                                    {PRIMARY_DOSIMETER_UNIT, "NP"},
                                    {REFERENCED_PATIENT_SETUP_NUMBER, "1"},
                                    {TREATMENT_DELIVERY_TYPE, "TREATMENT"},
                                    {PATIENT_SUPPORT_TYPE, "TABLE"},
                                    {PATIENT_SUPPORT_ID, ""}};
  const double source_mm = x->extras->sad_mm > 0 ? x->extras->sad_mm : PARALLEL_MM,
               sources_mm[] = {source_mm, source_mm};
  char name[DICOM_TEXT];
  Species ion = {0};
  PetscInt n_point;
  (void)SpeciesFind(x->text[PLAN_ION], &ion);
  DicomPutInteger(item, BEAM_NUMBER, (long)number);
  snprintf(name, sizeof name, "beam %d, gantry %.4g, couch %.4g", (int)number, beam->gantry_deg, beam->couch_deg);
  DicomPutText(item, BEAM_NAME, 64, name);
  DicomPutFixed(item, PETSC_STATIC_ARRAY_LENGTH(fixed), fixed);
  DicomPutInteger(item, RADIATION_MASS_NUMBER, (long)ion.A);
  DicomPutInteger(item, RADIATION_ATOMIC_NUMBER, (long)ion.Z);
  DicomPutInteger(item, RADIATION_CHARGE_STATE, (long)ion.Z);
  DicomPutDoubles(item, VIRTUAL_SOURCE_AXIS_DISTANCES, 2, sources_mm);
  PutDevices(x, item, beam);
  PetscCall(PutLayers(x, item, beam, &n_point));
  DicomPutInteger(item, NUMBER_OF_CONTROL_POINTS, (long)n_point);
  PetscFunctionReturn(0);
}

/* Fractions, and the ions of each beam in one; doses of beams are shares of the prescription by ions, of which only the sum counts. */
static void PutFractions(const DicomExport *x, DicomItem set, const StagePlan *stage)
{
  const DicomItem group = DicomAppendItem(set, FRACTION_GROUP_SEQUENCE);
  double all = 0;
  for (PetscInt b = stage->first; b < stage->end; b++) all += Meterset(&x->beam[b]);
  DicomPutInteger(group, FRACTION_GROUP_NUMBER, 1);
  DicomPutInteger(group, NUMBER_OF_FRACTIONS_PLANNED, lround(stage->fractions));
  DicomPutInteger(group, NUMBER_OF_BEAMS, (long)(stage->end - stage->first));
  DicomPutInteger(group, NUMBER_OF_BRACHY_APPLICATION_SETUPS, 0);
  for (PetscInt b = stage->first; b < stage->end; b++) {
    const DicomItem item = DicomAppendItem(group, REFERENCED_BEAM_SEQUENCE);
    const double meterset = Meterset(&x->beam[b]);
    DicomPutDouble(item, BEAM_METERSET, meterset);
    DicomPutDouble(item, BEAM_DOSE, all > 0 ? x->prescription_Gy_RBE * meterset / all : 0);
    DicomPutString(item, BEAM_DOSE_MEANING, "FRACTION_LEVEL");
    DicomPutInteger(item, REFERENCED_BEAM_NUMBER, (long)DicomBeamNumber(stage, b));
  }
}

/* The prescription: all fractions of the stage to the target. */
static void PutPrescription(const DicomExport *x, DicomItem set, const StagePlan *stage)
{
  const PetscInt target = CaseFindStructure(x->patient, x->text[PLAN_TARGET]);
  if (target < 0) return;
  const DicomItem item = DicomAppendItem(set, DOSE_REFERENCE_SEQUENCE);
  DicomPutInteger(item, DOSE_REFERENCE_NUMBER, 1);
  DicomPutString(item, DOSE_REFERENCE_STRUCTURE_TYPE, "VOLUME");
  DicomPutInteger(item, REFERENCED_ROI_NUMBER, (long)x->roi_number[target]);
  DicomPutString(item, DOSE_REFERENCE_TYPE, "TARGET");
  DicomPutDouble(item, TARGET_PRESCRIPTION_DOSE, x->prescription_Gy_RBE * stage->fractions);
}

static PetscErrorCode WriteStage(const DicomExport *x, const StagePlan *stage, int series, Mistakes *mistakes)
{
  PetscFunctionBegin;
  static const FixedText fixed[] = {
      {OPERATORS_NAME, ""}, {PLAN_INTENT, "RESEARCH"}, {RT_PLAN_GEOMETRY, "PATIENT"}, {APPROVAL_STATUS, "UNAPPROVED"}};
  char name[3 * DICOM_TEXT];
  snprintf(name, sizeof name, "%s%s%s%s%s", x->text[PLAN_ARM], *x->text[PLAN_SWEEP] ? ", " : "", x->text[PLAN_SWEEP],
           stage->name ? ", " : "", stage->name ? stage->name : "");
  DicomFile file = DicomBegin(x, RT_ION_PLAN_STORAGE, stage->plan.uid, "RTPLAN", series, name, mistakes);
  if (!file) PetscFunctionReturn(0);
  const DicomItem set = DicomSet(file);
  DicomPutFixed(set, PETSC_STATIC_ARRAY_LENGTH(fixed), fixed);
  DicomPutText(set, RT_PLAN_LABEL, 16, stage->name ? stage->name : x->text[PLAN_ARM]);
  DicomPutText(set, RT_PLAN_NAME, 64, name);
  DicomPutString(set, RT_PLAN_DESCRIPTION,
                 "Research, not for clinical use. Weights are ions per fraction (NP), energies MeV per nucleon, spot "
                 "sizes FWHM in mm in air at the isocentre.");
  DicomPutString(set, RT_PLAN_DATE, x->date);
  DicomPutString(set, RT_PLAN_TIME, x->time);
  DicomRefer(DicomAppendItem(set, REFERENCED_STRUCTURE_SET_SEQUENCE), RT_STRUCTURE_SET_STORAGE, x->structures.uid);
  PutPrescription(x, set, stage);
  const DicomItem setup = DicomAppendItem(set, PATIENT_SETUP_SEQUENCE);
  DicomPutInteger(setup, PATIENT_SETUP_NUMBER, 1);
  DicomPutString(setup, PATIENT_POSITION, x->text[PLAN_POSITION]);
  PutFractions(x, set, stage);
  for (PetscInt b = stage->first; b < stage->end; b++)
    PetscCall(PutBeam(x, DicomAppendItem(set, ION_BEAM_SEQUENCE), &x->beam[b], DicomBeamNumber(stage, b)));
  DicomEnd(x, &file, stage->plan.file, mistakes);
  PetscFunctionReturn(0);
}

/* A UID of all that the plan of a stage says. */
static void NamePlan(const DicomExport *x, StagePlan *stage)
{
  UidHash hash = UidBegin("RTPLAN", x->structures.uid);
  static const PlanText text[] = {PLAN_STUDY, PLAN_CASE, PLAN_ARM, PLAN_SWEEP, PLAN_ION, PLAN_POSITION};
  const double fixed[] = {x->extras->ripple_mm, x->extras->ripple_to_isocentre_mm, x->extras->sad_mm,
                          x->prescription_Gy_RBE, stage->fractions};
  for (size_t t = 0; t < PETSC_STATIC_ARRAY_LENGTH(text); t++)
    UidAdd(&hash, x->text[text[t]], strlen(x->text[text[t]]) + 1);
  UidAdd(&hash, fixed, sizeof fixed);
  for (PetscInt b = stage->first; b < stage->end; b++) {
    const BeamOnFile *beam = &x->beam[b];
    const double place[] = {beam->gantry_deg,
                            beam->couch_deg,
                            beam->isocentre_mm[0],
                            beam->isocentre_mm[1],
                            beam->isocentre_mm[2],
                            beam->range_shifter_mm,
                            beam->range_shifter_to_isocentre_mm};
    const double *const column[] = {beam->x_mm, beam->y_mm, beam->energy_MeV_u, beam->particles, beam->spot_fwhm_mm};
    UidAdd(&hash, place, sizeof place);
    for (size_t c = 0; c < PETSC_STATIC_ARRAY_LENGTH(column); c++)
      UidAdd(&hash, column[c], (size_t)beam->n * sizeof *column[c]);
  }
  UidText(&hash, stage->plan.uid);
  DicomFileName(stage->plan.file, "RN", stage->name, 0);
}

PetscErrorCode DicomExportPlans(DicomExport *x, Mistakes *mistakes)
{
  PetscFunctionBegin;
  for (PetscInt s = 0; s < x->n_stages && !MistakesAny(mistakes); s++) {
    NamePlan(x, &x->stage[s]);
    PetscCall(WriteStage(x, &x->stage[s], 10 + (int)s, mistakes));
  }
  PetscFunctionReturn(0);
}
