/*
 * RT Ion Plans of other systems, read by a process of its own (robion/child.h). What they have in common, and what they leave
 * out, as files of Eclipse, RayStation and OpenTPS show: layers are pairs of control points, the second without weights, or single
 * points; cumulative weights may be missing; what does not change is said once.
 */
#include "robion/child.h"
#include "robion/exchange.h"
#include "robion/text.h"
#include "dicom_private.h"
#include "tags.h"
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_BEAMS = 1000, MOST_SPOTS = 50000000 };
static const double WEIGHT_TOLERANCE = 1e-5, PARALLEL_FROM_MM = 1e6, MOST_MEMORY = 4e9;

/* What is read. */
typedef struct Reading {
  const char *file;
  Mistakes *mistakes;
  SpotList *spots;
  PetscInt room;
  long number; /* of the beam, as the file counts */
} Reading;

/* One mistake about a beam, or with number < 0 the file. */
static PetscBool Refuse(const Reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static PetscBool Refuse(const Reading *r, const char *format, ...)
{
  char text[256], beam[32] = "";
  va_list arguments;
  va_start(arguments, format);
  TextPrintV(text, sizeof text, format, arguments);
  va_end(arguments);
  if (r->number >= 0) snprintf(beam, sizeof beam, "beam %ld: ", r->number);
  (void)MistakesAdd(r->mistakes, ROBION_INPUT, "%s: %s%s", r->file, beam, text);
  return PETSC_FALSE;
}

/* A number that has to be there. */
static PetscBool Need(const Reading *r, DicomItem item, DicomTag tag, const char *name, double *value)
{
  return DicomDouble(item, tag, 0, value) ? PETSC_TRUE : Refuse(r, "%s is missing, or no number", name);
}

/* What a control point says of the beam's place; what it does not say stays. */
static PetscBool TakePlace(const Reading *r, DicomItem point, SpotBeam *place)
{
  double pitch_deg = 0, roll_deg = 0;
  (void)DicomDouble(point, GANTRY_ANGLE, 0, &place->gantry_deg);
  (void)DicomDouble(point, PATIENT_SUPPORT_ANGLE, 0, &place->couch_deg);
  (void)DicomDouble(point, TABLE_TOP_PITCH_ANGLE, 0, &pitch_deg);
  (void)DicomDouble(point, TABLE_TOP_ROLL_ANGLE, 0, &roll_deg);
  for (int k = 0; k < 3; k++) (void)DicomDouble(point, ISOCENTER_POSITION, k, &place->isocentre_mm[k]);
  if (fabs(pitch_deg) < 1e-3 && fabs(roll_deg) < 1e-3) return PETSC_TRUE;
  return Refuse(r, "the table is tilted (pitch %g, roll %g deg), expected it level", pitch_deg, roll_deg);
}

/* The range shifters that a control point puts in, as one. */
static PetscBool TakeShifters(const Reading *r, DicomItem point, PetscBool first, SpotBeam *place)
{
  const long n = DicomCount(point, RANGE_SHIFTER_SETTINGS_SEQUENCE);
  double sum_mm = 0, nearest_mm = 0;
  for (long i = 0; i < n; i++) {
    const DicomItem item = DicomItemAt(point, RANGE_SHIFTER_SETTINGS_SEQUENCE, i);
    char setting[32];
    double mm = 0, away_mm = 0;
    if (DicomString(item, RANGE_SHIFTER_SETTING, 0, setting, sizeof setting) && !strcmp(setting, "OUT")) continue;
    if (!Need(r, item, RANGE_SHIFTER_WATER_EQUIVALENT_THICKNESS, "RangeShifterWaterEquivalentThickness", &mm) ||
        !Need(r, item, ISOCENTER_TO_RANGE_SHIFTER_DISTANCE, "IsocenterToRangeShifterDistance", &away_mm))
      return PETSC_FALSE;
    nearest_mm = sum_mm > 0 ? fmin(nearest_mm, away_mm) : away_mm;
    sum_mm += mm;
  }
  if (first) {
    place->range_shifter_mm = sum_mm;
    place->range_shifter_to_isocentre_mm = nearest_mm;
  } else if (n > 0 && fabs(sum_mm - place->range_shifter_mm) > 1e-3)
    return Refuse(r, "the range shifter changes from %g to %g mm, expected the same in all layers",
                  place->range_shifter_mm, sum_mm);
  return PETSC_TRUE;
}

/* Numbers of a control point, n of them; false if it has another number. */
static PetscErrorCode ReadColumn(DicomItem item, DicomTag tag, PetscInt n, double **value, PetscBool *good)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc1(n, value));
  *good =
      DicomCount(item, tag) == n && DicomDoubles(item, tag, (size_t)n, *value) == (size_t)n ? PETSC_TRUE : PETSC_FALSE;
  PetscFunctionReturn(0);
}

/* A layer. */
typedef struct Layer {
  double energy_MeV_u, fwhm_mm; /* 0: not said */
  PetscInt n;
  double *place_mm; /* x, y of each spot */
  double *weight;
} Layer;

/* Room for n more spots; the list is as long as all before. */
static PetscErrorCode MakeRoom(Reading *r, PetscInt n)
{
  PetscFunctionBegin;
  if (r->spots->n + n <= r->room) PetscFunctionReturn(0);
  r->room = 2 * (r->spots->n + n);
  PetscCall(SpotListResize(r->spots, r->room));
  PetscCall(PetscRealloc((size_t)r->room * sizeof *r->spots->spot_fwhm_mm, &r->spots->spot_fwhm_mm));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddLayer(Reading *r, const Layer *layer, PetscInt beam, double *sum)
{
  PetscFunctionBegin;
  SpotList *s = r->spots;
  PetscCall(MakeRoom(r, layer->n));
  for (PetscInt i = 0; i < layer->n; i++) {
    s->beam[s->n] = beam;
    s->x_mm[s->n] = layer->place_mm[2 * i];
    s->y_mm[s->n] = layer->place_mm[2 * i + 1];
    s->energy_MeV_u[s->n] = layer->energy_MeV_u;
    s->spot_fwhm_mm[s->n] = layer->fwhm_mm;
    s->particles[s->n++] = layer->weight[i];
    *sum += layer->weight[i];
  }
  PetscFunctionReturn(0);
}

/* The energy and spot size that hold from a control point on. */
static void TakeBeam(DicomItem point, Layer *layer)
{
  double fwhm_mm[2] = {0, 0};
  (void)DicomDouble(point, NOMINAL_BEAM_ENERGY, 0, &layer->energy_MeV_u);
  const size_t n = DicomDoubles(point, SCANNING_SPOT_SIZE, 2, fwhm_mm);
  if (n == 1) fwhm_mm[1] = fwhm_mm[0];
  if (n > 0) layer->fwhm_mm = fwhm_mm[0] > 0 && fwhm_mm[1] > 0 ? sqrt(fwhm_mm[0] * fwhm_mm[1]) : 0;
}

static PetscBool CheckLayer(const Reading *r, const Layer *layer)
{
  for (PetscInt i = 0; i < layer->n; i++)
    if (layer->weight[i] < 0) return Refuse(r, "the weight of a spot is %g, expected at least 0", layer->weight[i]);
  if (!(layer->energy_MeV_u > 0)) return Refuse(r, "NominalBeamEnergy is missing, or not above 0");
  return PETSC_TRUE;
}

/* The spots of a control point, if it has any weight. */
static PetscErrorCode ReadPoint(Reading *r, DicomItem point, PetscInt beam, Layer *layer, double *sum, PetscBool *good)
{
  PetscFunctionBegin;
  const long n = DicomCount(point, SCAN_SPOT_METERSET_WEIGHTS);
  double all = 0;
  PetscBool there;
  TakeBeam(point, layer);
  if (n < 1) PetscFunctionReturn(0);
  if (n > MOST_SPOTS - r->spots->n) {
    *good = Refuse(r, "more than %d spots", MOST_SPOTS);
    PetscFunctionReturn(0);
  }
  PetscCall(PetscFree(layer->weight));
  layer->n = (PetscInt)n;
  PetscCall(ReadColumn(point, SCAN_SPOT_METERSET_WEIGHTS, layer->n, &layer->weight, &there));
  if (!there) *good = Refuse(r, "ScanSpotMetersetWeights are no numbers");
  for (PetscInt i = 0; there && i < layer->n; i++) all += fabs(layer->weight[i]);
  if (!*good || all == 0) PetscFunctionReturn(0);
  PetscCall(PetscFree(layer->place_mm));
  PetscCall(ReadColumn(point, SCAN_SPOT_POSITION_MAP, 2 * layer->n, &layer->place_mm, &there));
  if (!there)
    *good = Refuse(r, "ScanSpotPositionMap has %ld numbers, expected %ld for %ld weights",
                   DicomCount(point, SCAN_SPOT_POSITION_MAP), 2 * n, n);
  else
    *good = CheckLayer(r, layer);
  if (*good) PetscCall(AddLayer(r, layer, beam, sum));
  PetscFunctionReturn(0);
}

/* Weights of a beam's spots become its meterset. */
static PetscBool ScaleWeights(Reading *r, DicomItem beam, PetscInt from, double sum, double meterset)
{
  double final = sum;
  (void)DicomDouble(beam, FINAL_CUMULATIVE_METERSET_WEIGHT, 0, &final);
  if (!(sum > 0)) return Refuse(r, "no spot has a weight");
  if (fabs(final - sum) > WEIGHT_TOLERANCE * sum)
    return Refuse(r, "weights add up to %.10g, expected FinalCumulativeMetersetWeight, %.10g", sum, final);
  for (PetscInt i = from; i < r->spots->n; i++) r->spots->particles[i] *= meterset / final;
  return PETSC_TRUE;
}

static PetscErrorCode ReadPoints(Reading *r, DicomItem beam, double meterset, PetscBool *good)
{
  PetscFunctionBegin;
  SpotList *s = r->spots;
  SpotBeam *place = &s->place[s->n_places];
  const PetscInt from = s->n;
  const long n = DicomCount(beam, ION_CONTROL_POINT_SEQUENCE);
  Layer layer = {0};
  double sum = 0;
  for (long i = 0; i < n && *good; i++) {
    const DicomItem point = DicomItemAt(beam, ION_CONTROL_POINT_SEQUENCE, i);
    *good = TakePlace(r, point, place) && TakeShifters(r, point, i ? PETSC_FALSE : PETSC_TRUE, place) ? PETSC_TRUE
                                                                                                      : PETSC_FALSE;
    if (*good) PetscCall(ReadPoint(r, point, s->n_places, &layer, &sum, good));
  }
  PetscCall(PetscFree(layer.place_mm));
  PetscCall(PetscFree(layer.weight));
  if (*good) *good = ScaleWeights(r, beam, from, sum, meterset);
  s->n_places++;
  PetscFunctionReturn(0);
}

/* A word that an attribute has; "" if it is not there. */
static const char *Word(DicomItem item, DicomTag tag, char word[32])
{
  (void)DicomString(item, tag, 0, word, 32);
  return word;
}

/* Ions that are scanned, all beams the same. */
static PetscBool CheckKind(Reading *r, DicomItem beam)
{
  char word[32];
  double mass = 0, charge = 0;
  const char *radiation = Word(beam, RADIATION_TYPE, word);
  if (strcmp(radiation, "ION"))
    return Refuse(r, "RadiationType is %s, expected ION: robion plans carbon ions and has no base data of others",
                  *radiation ? radiation : "missing");
  const char *mode = Word(beam, SCAN_MODE, word);
  if (strcmp(mode, "MODULATED") && strcmp(mode, "MODULATED_SPEC"))
    return Refuse(r, "ScanMode is %s, expected MODULATED: spots with weights of their own", *mode ? mode : "missing");
  if (!Need(r, beam, RADIATION_MASS_NUMBER, "RadiationMassNumber", &mass) ||
      !Need(r, beam, RADIATION_ATOMIC_NUMBER, "RadiationAtomicNumber", &charge))
    return PETSC_FALSE;
  const Species ion = {(PetscInt)charge, (PetscInt)mass};
  if (r->spots->ion.Z && (ion.Z != r->spots->ion.Z || ion.A != r->spots->ion.A))
    return Refuse(r, "another ion than in the beams before (Z %d, A %d)", (int)ion.Z, (int)ion.A);
  if (ion.Z < 1 || ion.A < ion.Z) return Refuse(r, "Z %g, A %g is no ion", charge, mass);
  r->spots->ion = ion;
  return PETSC_TRUE;
}

/* What the meterset of a beam counts; all beams the same. */
static PetscBool CheckUnit(Reading *r, DicomItem beam)
{
  char word[32];
  const char *unit = Word(beam, PRIMARY_DOSIMETER_UNIT, word);
  const PetscBool monitor_units = !strcmp(unit, "MU") ? PETSC_TRUE : PETSC_FALSE;
  if (!monitor_units && strcmp(unit, "NP"))
    return Refuse(r, "PrimaryDosimeterUnit is %s, expected NP or MU", *unit ? unit : "missing");
  if (r->spots->n_places && monitor_units != r->spots->monitor_units)
    return Refuse(r, "PrimaryDosimeterUnit is %s, in the beams before it is another", unit);
  r->spots->monitor_units = monitor_units;
  return PETSC_TRUE;
}

/* The meterset of a beam in a fraction; false (without a mistake) if no fraction has it. */
static PetscBool FindMeterset(DicomItem group, long number, double *meterset)
{
  const long n = DicomCount(group, REFERENCED_BEAM_SEQUENCE);
  for (long i = 0; i < n; i++) {
    const DicomItem item = DicomItemAt(group, REFERENCED_BEAM_SEQUENCE, i);
    long referred;
    if (!DicomInteger(item, REFERENCED_BEAM_NUMBER, 0, &referred) || referred != number) continue;
    return DicomDouble(item, BEAM_METERSET, 0, meterset) && *meterset > 0 ? PETSC_TRUE : PETSC_FALSE;
  }
  return PETSC_FALSE;
}

static PetscErrorCode ReadBeam(Reading *r, DicomItem group, DicomItem beam, PetscBool *good)
{
  PetscFunctionBegin;
  SpotBeam *place = &r->spots->place[r->spots->n_places];
  char word[32];
  double meterset;
  const char *delivery = Word(beam, TREATMENT_DELIVERY_TYPE, word);
  if (*delivery && strcmp(delivery, "TREATMENT")) PetscFunctionReturn(0); /* images for the set-up */
  if (!DicomInteger(beam, BEAM_NUMBER, 0, &r->number)) {
    r->number = -1;
    *good = Refuse(r, "a beam has no BeamNumber");
  } else if (!CheckKind(r, beam) || !CheckUnit(r, beam))
    *good = PETSC_FALSE;
  else if (!FindMeterset(group, r->number, &meterset))
    *good = Refuse(r, "the fraction group gives it no BeamMeterset above 0");
  if (!*good) PetscFunctionReturn(0);
  for (int k = 0; k < 2; k++) {
    (void)DicomDouble(beam, VIRTUAL_SOURCE_AXIS_DISTANCES, k, &place->sad_mm[k]);
    if (place->sad_mm[k] >= PARALLEL_FROM_MM) place->sad_mm[k] = 0;
  }
  PetscCall(ReadPoints(r, beam, meterset, good));
  PetscFunctionReturn(0);
}

/* That it is an ion plan of one fraction group. */
static PetscBool CheckPlan(const Reading *r, DicomItem set)
{
  char uid[DICOM_MESSAGE];
  const long groups = DicomCount(set, FRACTION_GROUP_SEQUENCE), beams = DicomCount(set, ION_BEAM_SEQUENCE);
  (void)DicomString(set, SOP_CLASS_UID, 0, uid, sizeof uid);
  if (strcmp(uid, RT_ION_PLAN_STORAGE))
    return Refuse(r, "is an object of SOP class %.64s, expected an RT Ion Plan (" RT_ION_PLAN_STORAGE ")", uid);
  if (groups != 1) return Refuse(r, "%ld fraction groups, expected one", PetscMax(0, groups));
  if (beams < 1 || beams > MOST_BEAMS) return Refuse(r, "%ld beams, expected 1 to %d", PetscMax(0, beams), MOST_BEAMS);
  return PETSC_TRUE;
}

static PetscErrorCode ReadPlan(Reading *r, DicomItem set, PetscBool *good)
{
  PetscFunctionBegin;
  char position[8] = "";
  SpotList *s = r->spots;
  r->number = -1;
  *good = CheckPlan(r, set);
  if (!*good) PetscFunctionReturn(0);
  const long n = DicomCount(set, ION_BEAM_SEQUENCE);
  (void)DicomString(set, FRAME_OF_REFERENCE_UID, 0, s->frame_of_reference_uid, sizeof s->frame_of_reference_uid);
  const DicomItem group = DicomItemAt(set, FRACTION_GROUP_SEQUENCE, 0);
  (void)DicomString(DicomItemAt(set, PATIENT_SETUP_SEQUENCE, 0), PATIENT_POSITION, 0, position, sizeof position);
  PetscCall(PetscCalloc1(n, &s->place));
  for (long b = 0; b < n && *good; b++) PetscCall(ReadBeam(r, group, DicomItemAt(set, ION_BEAM_SEQUENCE, b), good));
  for (PetscInt b = 0; b < s->n_places; b++) memcpy(s->place[b].position, position, sizeof position);
  r->number = -1;
  if (*good && !s->n) *good = Refuse(r, "no beam for treatment");
  PetscFunctionReturn(0);
}

/* In the other process. */
static PetscErrorCode ReadApart(const char *file, Mistakes *mistakes, SpotList *spots, PetscBool *good)
{
  PetscFunctionBegin;
  DicomFile dicom;
  char message[DICOM_MESSAGE];
  Reading reading = {.file = file, .mistakes = mistakes, .spots = spots, .number = -1};
  DicomLimitMemory((size_t)MOST_MEMORY);
  *good = DicomOpen(file, &dicom, message) ? PETSC_TRUE : Refuse(&reading, "%s", message);
  if (*good) PetscCall(ReadPlan(&reading, DicomSet(dicom), good));
  if (dicom) DicomClose(&dicom);
  PetscFunctionReturn(0);
}

/* The columns of a list, in the order they are sent. */
enum { N_COLUMNS = 5 };
static void Columns(const SpotList *s, double *column[N_COLUMNS])
{
  double *const all[N_COLUMNS] = {s->x_mm, s->y_mm, s->energy_MeV_u, s->particles, s->spot_fwhm_mm};
  memcpy(column, all, sizeof all);
}

static void SendPlan(const Child *self, void *context)
{
  Mistakes mistakes = {0};
  SpotList s = {0};
  PetscBool good = PETSC_FALSE;
  double *column[N_COLUMNS];
  if (ReadApart(context, &mistakes, &s, &good)) return;
  Columns(&s, column);
  PetscBool sent = ChildSend(self, &good, sizeof good) && ChildSendMistakes(self, &mistakes) && good &&
                           ChildSend(self, &s, sizeof s) && ChildSend(self, s.beam, (size_t)s.n * sizeof *s.beam) &&
                           ChildSend(self, s.place, (size_t)s.n_places * sizeof *s.place)
                       ? PETSC_TRUE
                       : PETSC_FALSE;
  for (int c = 0; c < N_COLUMNS && sent; c++) sent = ChildSend(self, column[c], (size_t)s.n * sizeof *column[c]);
}

static PetscErrorCode ReceivePlan(const Child *child, Mistakes *mistakes, SpotList *out, PetscBool *good)
{
  PetscFunctionBegin;
  SpotList sent;
  double *column[N_COLUMNS];
  if (!ChildReceive(child, good, sizeof *good)) *good = PETSC_FALSE;
  if (!ChildReceiveMistakes(child, mistakes) || !*good || !ChildReceive(child, &sent, sizeof sent) || sent.n < 1 ||
      sent.n > MOST_SPOTS || sent.n_places < 1 || sent.n_places > MOST_BEAMS) {
    *good = PETSC_FALSE;
    PetscFunctionReturn(0);
  }
  PetscCall(SpotListResize(out, sent.n));
  PetscCall(PetscMalloc1(sent.n, &out->spot_fwhm_mm));
  PetscCall(PetscMalloc1(sent.n_places, &out->place));
  out->n = sent.n;
  out->n_places = sent.n_places;
  out->ion = sent.ion;
  out->monitor_units = sent.monitor_units;
  memcpy(out->frame_of_reference_uid, sent.frame_of_reference_uid, sizeof out->frame_of_reference_uid - 1);
  Columns(out, column);
  *good = ChildReceive(child, out->beam, (size_t)out->n * sizeof *out->beam) &&
                  ChildReceive(child, out->place, (size_t)out->n_places * sizeof *out->place)
              ? PETSC_TRUE
              : PETSC_FALSE;
  for (int c = 0; c < N_COLUMNS && *good; c++)
    *good = ChildReceive(child, column[c], (size_t)out->n * sizeof *column[c]);
  PetscFunctionReturn(0);
}

/* The file itself, or the only plan of a folder; false after a mistake. */
static PetscBool FindPlan(const char *path, char file[PETSC_MAX_PATH_LEN], Mistakes *mistakes)
{
  struct stat facts;
  DicomSurvey survey;
  snprintf(file, PETSC_MAX_PATH_LEN, "%s", path);
  if (stat(path, &facts) || !S_ISDIR(facts.st_mode)) return FileIsRegular(path, mistakes);
  const PetscInt before = mistakes->n;
  if (DicomSurveyMake(1, &path, &survey, mistakes)) return PETSC_FALSE;
  const PetscInt only = mistakes->n > before ? -1 : DicomOnly(path, &survey, "RTPLAN", "RT Plans", mistakes);
  if (only >= 0) snprintf(file, PETSC_MAX_PATH_LEN, "%s", survey.file[only].path);
  (void)DicomSurveyDestroy(&survey);
  return only >= 0 ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode SpotListReadDicom(const char *path, Mistakes *mistakes, SpotList *out)
{
  PetscFunctionBegin;
  Child child;
  char file[PETSC_MAX_PATH_LEN];
  PetscBool good = PETSC_FALSE;
  PetscCall(PetscArrayzero(out, 1));
  DicomStart();
  if (!FindPlan(path, file, mistakes) || !ChildBegin(file, SendPlan, file, mistakes, &child)) PetscFunctionReturn(0);
  PetscCall(ReceivePlan(&child, mistakes, out, &good));
  if (!ChildEnd(&child, file, mistakes)) good = PETSC_FALSE;
  if (!good && !MistakesAny(mistakes))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: cannot be read as DICOM", file));
  if (!good)
    PetscCall(SpotListDestroy(out));
  else
    PetscCall(PetscStrallocpy(file, &out->file));
  out->any_energy = PETSC_TRUE;
  PetscFunctionReturn(0);
}
