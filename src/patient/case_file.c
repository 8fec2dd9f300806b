/* Case files: CT, structures and maps of one patient in HDF5. */
#include "robion/case.h"
#include "robion/hdf5.h"
#include "robion/map.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { MOST_BEAMS = 1000 };
const char *const role_names[N_ROLES] = {"target", "oar", "external"};

/* True if the dataset, when there is one, holds integers (or booleans) and fewer voxels than a PetscInt counts. */
static PetscErrorCode CheckIntegers(const H5Source *source, const char *path, PetscBool booleans, Mistakes *mistakes,
                                    PetscBool *good)
{
  PetscFunctionBegin;
  H5Shape shape;
  *good = PETSC_TRUE;
  if (!H5SourceShape(source, path, NULL, &shape)) PetscFunctionReturn(0);
  if (shape.numbers && !shape.integers && !(booleans && shape.booleans)) {
    *good = PETSC_FALSE;
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: holds %s, expected integers", source->name, path,
                          shape.booleans ? "booleans" : "floating-point numbers"));
  } else if (shape.count > INT_MAX) {
    *good = PETSC_FALSE;
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: has %lld voxels, expected at most %d", source->name, path,
                          shape.count, INT_MAX));
  }
  PetscFunctionReturn(0);
}

/* The grid of the CT, whose size is known. */
static PetscBool ReadGeometry(const H5Source *source, Grid *ct, Mistakes *mistakes)
{
  char where[PETSC_MAX_PATH_LEN];
  const PetscBool spaced = H5ReadAttribute(source, "/ct/hu", "spacing_mm", 3, ct->spacing_mm, mistakes);
  const PetscBool placed = H5ReadAttribute(source, "/ct/hu", "origin_mm", 3, ct->origin_mm, mistakes);
  snprintf(where, sizeof where, "%s: /ct/hu", source->name);
  return spaced && placed && GridCheck(ct, where, mistakes) ? PETSC_TRUE : PETSC_FALSE;
}

/* Hounsfield units of a dataset; dims are its sizes, those that are not 0 as expected. */
static PetscErrorCode ReadHU(const H5Source *source, const char *path, hsize_t dims[3], Mistakes *mistakes, short **out,
                             PetscBool *good)
{
  PetscFunctionBegin;
  int *hu = NULL;
  PetscCall(CheckIntegers(source, path, PETSC_FALSE, mistakes, good));
  if (*good) *good = H5ReadArray(source, path, H5T_NATIVE_INT, 3, dims, &hu, mistakes);
  if (!*good) PetscFunctionReturn(0);
  const size_t n = (size_t)(dims[0] * dims[1] * dims[2]);
  PetscCall(PetscMalloc1(n, out));
  for (size_t v = 0; v < n; v++) {
    if (hu[v] < SHRT_MIN || hu[v] > SHRT_MAX) {
      *good = PETSC_FALSE;
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: has a value of %d, expected %d to %d", source->name, path,
                            hu[v], SHRT_MIN, SHRT_MAX));
      break;
    }
    (*out)[v] = (short)hu[v];
  }
  PetscCall(PetscFree(hu));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadCT(const H5Source *source, Case *patient, Mistakes *mistakes, PetscBool *good)
{
  PetscFunctionBegin;
  hsize_t dims[3] = {0};
  PetscCall(ReadHU(source, "/ct/hu", dims, mistakes, &patient->hu, good));
  for (int k = 0; k < 3; k++) patient->ct.n[k] = (PetscInt)dims[2 - k];
  if (*good) *good = ReadGeometry(source, &patient->ct, mistakes);
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadRole(const H5Source *source, const char *path, Role *role, Mistakes *mistakes,
                               PetscBool *good)
{
  PetscFunctionBegin;
  char *text;
  *good = H5ReadString(source, path, "role", PETSC_FALSE, &text, mistakes);
  if (!*good) PetscFunctionReturn(0);
  *good = PETSC_FALSE;
  for (int r = 0; r < N_ROLES; r++)
    if (!strcmp(text, role_names[r])) {
      *role = (Role)r;
      *good = PETSC_TRUE;
    }
  if (!*good) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: role is \"%s\", expected target, oar or external%s",
                          source->name, path, text, SuggestName(" (", text, N_ROLES, role_names).text));
  }
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

/* Shape of an array on the CT grid, as HDF5 counts it. */
static void CTShape(const Grid *ct, hsize_t dims[3])
{
  for (int k = 0; k < 3; k++) dims[k] = (hsize_t)ct->n[2 - k];
}

static PetscErrorCode ReadStructure(const H5Source *source, const char *path, const Grid *ct, Structure *structure,
                                    Mistakes *mistakes, PetscBool *good)
{
  PetscFunctionBegin;
  hsize_t dims[3];
  CTShape(ct, dims);
  short *value = NULL; /* a byte has no room to tell what is negative */
  PetscCall(CheckIntegers(source, path, PETSC_TRUE, mistakes, good));
  if (*good) *good = H5ReadArray(source, path, H5T_NATIVE_SHORT, 3, dims, &value, mistakes);
  if (*good) PetscCall(ReadRole(source, path, &structure->role, mistakes, good));
  size_t bad = 0, first = 0;
  if (*good) PetscCall(PetscMalloc1(GridSize(ct), &structure->mask));
  for (size_t v = 0; *good && v < GridSize(ct); v++) {
    if ((value[v] < 0 || value[v] > 1) && !bad++) first = v;
    structure->mask[v] = value[v] != 0;
  }
  if (bad) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: %zu voxels hold %s %d, expected 0 or 1", source->name, path,
                          bad, bad > 1 ? "values such as" : "a value of", value[first]));
    *good = PETSC_FALSE;
  }
  PetscCall(PetscFree(value));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadStructures(const H5Source *source, Case *patient, Mistakes *mistakes, PetscBool *good)
{
  PetscFunctionBegin;
  H5Names names = {0};
  *good = PETSC_TRUE;
  if (H5SourceHas(source, "/structures")) *good = H5ReadNames(source, "/structures", &names, mistakes);
  if (*good && !names.n) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: /structures: no structures found, expected at least one",
                          source->name));
    *good = PETSC_FALSE;
  }
  PetscCall(PetscCalloc1((size_t)names.n, &patient->structures));
  const char *external = NULL;
  for (PetscInt s = 0; s < names.n; s++) {
    Structure *structure = &patient->structures[patient->n_structures++];
    char path[1024];
    PetscBool fine;
    PetscCall(PetscSNPrintf(path, sizeof path, "/structures/%s", names.name[s]));
    PetscCall(PetscStrallocpy(names.name[s], &structure->name));
    PetscCall(ReadStructure(source, path, &patient->ct, structure, mistakes, &fine));
    if (fine && structure->role == ROLE_EXTERNAL) {
      if (external) {
        PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                              "%s: /structures: %s and %s both have role external, expected at most one", source->name,
                              external, structure->name));
        fine = PETSC_FALSE;
      }
      external = structure->name;
    }
    if (!fine) *good = PETSC_FALSE;
  }
  PetscCall(H5NamesDestroy(&names));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadMaps(const H5Source *source, Case *patient, Mistakes *mistakes, PetscBool *good)
{
  PetscFunctionBegin;
  H5Names names = {0};
  *good = PETSC_TRUE;
  if (H5SourceHas(source, "/maps")) *good = H5ReadNames(source, "/maps", &names, mistakes);
  PetscCall(PetscCalloc1((size_t)names.n, &patient->maps));
  for (PetscInt m = 0; m < names.n; m++) {
    BiologyMap *map = &patient->maps[patient->n_maps++];
    char path[1024];
    hsize_t dims[3];
    CTShape(&patient->ct, dims);
    PetscCall(PetscSNPrintf(path, sizeof path, "/maps/%s", names.name[m]));
    PetscCall(PetscStrallocpy(names.name[m], &map->name));
    PetscBool fine = H5ReadArray(source, path, H5T_NATIVE_FLOAT, 3, dims, &map->value, mistakes);
    if (fine) fine = H5ReadString(source, path, "unit", PETSC_FALSE, &map->unit, mistakes);
    size_t bad = 0;
    for (size_t v = 0; fine && v < GridSize(&patient->ct); v++) bad += !isfinite(map->value[v]);
    if (bad)
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: %zu of %zu values are not finite, expected numbers",
                            source->name, path, bad, GridSize(&patient->ct)));
    if (!fine || bad) *good = PETSC_FALSE;
  }
  PetscCall(H5NamesDestroy(&names));
  PetscFunctionReturn(0);
}

/* One phase: its CT, where the patient's voxels lie in it, and its share of the time, 1 if it says none. */
static PetscErrorCode ReadPhase(const H5Source *source, const char *path, const Grid *ct, CasePhase *phase,
                                Mistakes *mistakes, PetscBool *good)
{
  PetscFunctionBegin;
  char part[1024], where[PETSC_MAX_PATH_LEN];
  hsize_t dims[4] = {0, 0, 0, 3};
  H5Shape shape;
  const PetscInt before = mistakes->n;
  phase->weight = 1;
  CTShape(ct, dims);
  PetscCall(PetscSNPrintf(part, sizeof part, "%s/hu", path));
  PetscCall(ReadHU(source, part, dims, mistakes, &phase->hu, good));
  PetscCall(PetscSNPrintf(part, sizeof part, "%s/displacement_mm", path));
  if (*good) *good = H5ReadArray(source, part, H5T_NATIVE_FLOAT, 4, dims, &phase->displacement_mm, mistakes);
  if (H5SourceShape(source, path, "weight", &shape))
    *good = *good && H5ReadAttribute(source, path, "weight", 1, &phase->weight, mistakes);
  if (*good && !(phase->weight > 0 && phase->weight < 1e6))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: %s: weight is %g, expected a share of the time above 0",
                          source->name, path, phase->weight));
  PetscCall(PetscSNPrintf(where, sizeof where, "%s: %s", source->name, path));
  if (*good) PetscCall(CasePhaseCheck(ct, phase, where, mistakes));
  if (mistakes->n > before) *good = PETSC_FALSE;
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadPhases(const H5Source *source, Case *patient, Mistakes *mistakes, PetscBool *good)
{
  PetscFunctionBegin;
  H5Names names = {0};
  *good = PETSC_TRUE;
  if (H5SourceHas(source, "/phases")) *good = H5ReadNames(source, "/phases", &names, mistakes);
  PetscCall(PetscCalloc1((size_t)names.n, &patient->phases));
  for (PetscInt i = 0; i < names.n; i++) {
    CasePhase *phase = &patient->phases[patient->n_phases++];
    char path[1024];
    PetscBool fine;
    PetscCall(PetscSNPrintf(path, sizeof path, "/phases/%s", names.name[i]));
    PetscCall(PetscStrallocpy(names.name[i], &phase->name));
    PetscCall(ReadPhase(source, path, &patient->ct, phase, mistakes, &fine));
    if (!fine) *good = PETSC_FALSE;
  }
  PetscCall(H5NamesDestroy(&names));
  PetscFunctionReturn(0);
}

/* Optional root attribute beam_gantry_deg of any length. */
static PetscErrorCode ReadBeamAngles(const H5Source *source, Case *patient, Mistakes *mistakes, PetscBool *good)
{
  PetscFunctionBegin;
  H5Shape shape;
  long long count = H5SourceShape(source, "/", "beam_gantry_deg", &shape) ? shape.count : 0;
  *good = PETSC_TRUE;
  if (count <= 0) PetscFunctionReturn(0);
  if (count > MOST_BEAMS) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: beam_gantry_deg has %lld numbers, expected at most %d",
                          source->name, count, (int)MOST_BEAMS));
    *good = PETSC_FALSE;
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc1((size_t)count, &patient->beam_gantry_deg));
  *good = H5ReadAttribute(source, "/", "beam_gantry_deg", (int)count, patient->beam_gantry_deg, mistakes);
  if (*good) patient->n_beam_angles = (PetscInt)count;
  for (PetscInt i = 0; *good && i < patient->n_beam_angles; i++)
    if (!isfinite(patient->beam_gantry_deg[i])) {
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: beam_gantry_deg[%d] is %g, expected a finite angle",
                            source->name, (int)i, patient->beam_gantry_deg[i]));
      *good = PETSC_FALSE;
    }
  PetscFunctionReturn(0);
}

const char *const patient_position_names[] = {"HFS", "HFP", "FFS", "FFP", "HFDR", "HFDL", "FFDR", "FFDL", "from-case"};
const PetscInt n_patient_position_names = PETSC_STATIC_ARRAY_LENGTH(patient_position_names);

PatientPosition PatientPositionFind(const char *name)
{
  int position = 0;
  while (position < N_PATIENT_POSITIONS && strcasecmp(name, patient_position_names[position])) position++;
  return (PatientPosition)position;
}

/* Optional root attribute patient_position. */
static PetscErrorCode ReadPosition(const H5Source *source, Case *patient, Mistakes *mistakes, PetscBool *good)
{
  PetscFunctionBegin;
  char *text;
  *good = H5ReadString(source, "/", "patient_position", PETSC_TRUE, &text, mistakes);
  if (!*good || !text) PetscFunctionReturn(0);
  patient->position = PatientPositionFind(text);
  if (patient->position == N_PATIENT_POSITIONS) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: patient_position is \"%.20s\", expected " PATIENT_POSITIONS,
                          source->name, text));
    *good = PETSC_FALSE;
  }
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

/* Optional dataset /ct/hlut: rows of HU, ascending, and stopping power. */
static PetscErrorCode ReadHLUT(const H5Source *source, HLUT *hlut, Mistakes *mistakes, PetscBool *good)
{
  PetscFunctionBegin;
  hsize_t dims[2] = {0, 2};
  *good = PETSC_TRUE;
  if (!H5SourceHas(source, "/ct/hlut")) PetscFunctionReturn(0);
  *good = H5ReadArray(source, "/ct/hlut", H5T_NATIVE_DOUBLE, 2, dims, &hlut->point, mistakes);
  if (!*good) PetscFunctionReturn(0);
  hlut->n = (PetscInt)PetscMin(dims[0], (hsize_t)INT_MAX);
  if (hlut->n < 2) *good = PETSC_FALSE;
  for (PetscInt i = 0; i < hlut->n; i++)
    if (!(isfinite(hlut->point[i][0]) && isfinite(hlut->point[i][1]) && hlut->point[i][1] >= 0) ||
        (i && hlut->point[i][0] <= hlut->point[i - 1][0]))
      *good = PETSC_FALSE;
  if (!*good)
    PetscCall(
        MistakesAdd(mistakes, ROBION_INPUT,
                    "%s: /ct/hlut: found %d rows, expected two and more of ascending HU and stopping powers from 0",
                    source->name, (int)hlut->n));
  PetscFunctionReturn(0);
}

PetscErrorCode CaseLoad(const char *file, Mistakes *mistakes, Case **out)
{
  PetscFunctionBegin;
  H5Source source;
  Case *patient;
  *out = NULL;
  if (!H5SourceOpen(file, mistakes, &source)) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1(1, &patient));
  const char *slash = strrchr(file, '/');
  PetscCall(PetscStrallocpy(slash ? slash + 1 : file, &patient->name));
  char *extension = strrchr(patient->name, '.');
  if (extension && extension != patient->name) *extension = 0;
  PetscCall(PetscStrallocpy(file, &patient->source));
  PetscBool good, part[6] = {PETSC_TRUE, PETSC_TRUE, PETSC_TRUE, PETSC_TRUE, PETSC_TRUE, PETSC_TRUE};
  PetscCall(ReadCT(&source, patient, mistakes, &good));
  if (good) { /* the masks and maps have the shape of the CT */
    PetscCall(ReadStructures(&source, patient, mistakes, &part[0]));
    PetscCall(ReadMaps(&source, patient, mistakes, &part[1]));
    PetscCall(ReadBeamAngles(&source, patient, mistakes, &part[2]));
    PetscCall(ReadPosition(&source, patient, mistakes, &part[3]));
    PetscCall(ReadHLUT(&source, &patient->hlut, mistakes, &part[4]));
    PetscCall(ReadPhases(&source, patient, mistakes, &part[5]));
  }
  if (!H5SourceClose(&source, mistakes)) good = PETSC_FALSE;
  if (good && part[0] && part[1] && part[2] && part[3] && part[4] && part[5])
    *out = patient;
  else
    PetscCall(CaseDestroy(&patient));
  PetscFunctionReturn(0);
}

/* A map, in place of one of its name. */
static void WriteMap(H5Sink *sink, const Case *patient, PetscInt map)
{
  const BiologyMap *m = &patient->maps[map];
  hsize_t dims[3];
  char path[1024];
  snprintf(path, sizeof path, "/maps/%s", m->name);
  CTShape(&patient->ct, dims);
  H5Remove(sink, path);
  H5WriteArray(sink, path, H5T_NATIVE_FLOAT, 3, dims, m->value, m->unit, NULL);
}

static void WritePhase(H5Sink *sink, const Case *patient, const CasePhase *phase)
{
  hsize_t dims[4] = {0, 0, 0, 3};
  char group[1024], path[1024 + 32];
  CTShape(&patient->ct, dims);
  snprintf(group, sizeof group, "/phases/%s", phase->name);
  snprintf(path, sizeof path, "%s/hu", group);
  H5WriteArray(sink, path, H5T_NATIVE_SHORT, 3, dims, phase->hu, "HU", "CT of the phase");
  snprintf(path, sizeof path, "%s/displacement_mm", group);
  H5WriteArray(sink, path, H5T_NATIVE_FLOAT, 4, dims, phase->displacement_mm, "mm",
               "where in the phase a voxel of /ct/hu lies, less where it is there; LPS");
  H5WriteDoubles(sink, group, "weight", 1, &phase->weight);
}

PetscErrorCode CaseWrite(const Case *patient, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  H5Sink sink;
  hsize_t dims[3];
  char path[1024];
  if (!H5SinkOpen(file, mistakes, &sink)) PetscFunctionReturn(0);
  CTShape(&patient->ct, dims);
  H5WriteString(&sink, "/", "name", patient->name);
  H5WriteString(&sink, "/", "source", patient->source);
  if (patient->n_beam_angles)
    H5WriteDoubles(&sink, "/", "beam_gantry_deg", (int)patient->n_beam_angles, patient->beam_gantry_deg);
  H5WriteString(&sink, "/", "patient_position", patient_position_names[patient->position]);
  H5WriteArray(&sink, "/ct/hu", H5T_NATIVE_SHORT, 3, dims, patient->hu, "HU", "CT, patient coordinates DICOM LPS");
  H5WriteDoubles(&sink, "/ct/hu", "spacing_mm", 3, patient->ct.spacing_mm);
  H5WriteDoubles(&sink, "/ct/hu", "origin_mm", 3, patient->ct.origin_mm);
  for (PetscInt s = 0; s < patient->n_structures; s++) {
    const Structure *structure = &patient->structures[s];
    PetscCall(PetscSNPrintf(path, sizeof path, "/structures/%s", structure->name));
    H5WriteArray(&sink, path, H5T_NATIVE_UCHAR, 3, dims, structure->mask, NULL, NULL);
    H5WriteString(&sink, path, "role", role_names[structure->role]);
  }
  for (PetscInt m = 0; m < patient->n_maps; m++) WriteMap(&sink, patient, m);
  for (PetscInt i = 0; i < patient->n_phases; i++) WritePhase(&sink, patient, &patient->phases[i]);
  const hsize_t rows[2] = {(hsize_t)patient->hlut.n, 2};
  if (patient->hlut.n)
    H5WriteArray(&sink, "/ct/hlut", H5T_NATIVE_DOUBLE, 2, rows, patient->hlut.point, NULL, "HU, RSP");
  if (patient->dicom) DicomOriginWrite(patient->dicom, &sink);
  (void)H5SinkClose(&sink, mistakes);
  PetscFunctionReturn(0);
}

typedef struct Addition {
  const Case *patient;
  const char *from, *file;
  PetscInt n;
  const char *const *names;
} Addition;

/* HDF5 opens a file from outside here, so another process does it and gives back its mistakes. */
static void AddMaps(const Child *self, void *context)
{
  const Addition *addition = context;
  Mistakes mistakes = {0};
  H5Sink sink;
  if (H5SinkExtend(addition->from, addition->file, &mistakes, &sink)) {
    for (PetscInt i = 0; i < addition->n; i++) {
      const PetscInt map = CaseFindMap(addition->patient, addition->names[i]);
      if (map >= 0) WriteMap(&sink, addition->patient, map);
    }
    (void)H5SinkClose(&sink, &mistakes);
  }
  (void)ChildSendMistakes(self, &mistakes);
}

PetscErrorCode CaseFileWithMaps(const Case *patient, const char *from, const char *file, PetscInt n,
                                const char *const *names, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Addition addition = {patient, from, file, n, names};
  Child child;
  if (!ChildBegin(from, AddMaps, &addition, mistakes, &child)) PetscFunctionReturn(0);
  (void)ChildReceiveMistakes(&child, mistakes);
  if (!ChildEnd(&child, from, mistakes)) H5SinkForget(file, child.process);
  PetscFunctionReturn(0);
}
