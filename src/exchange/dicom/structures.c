/* Structures of a case from those of a structure set: names, roles, masks. */
#include "dicom_private.h"
#include "robion/structure.h"
#include <string.h>
#include <strings.h>

#define SMALL_CM3 0.16 /* 20 voxels of a dose grid of 2 mm */

/* One of the case-to-be; mask NULL: it is left out, and why. */
typedef struct Item {
  char *name;
  const char *why;
  Role role;
  unsigned char *mask;
  ContourCounts counts;
} Item;

static PetscBool IsTaken(PetscInt n, const Item *item, const char *name)
{
  for (PetscInt i = 0; i < n; i++)
    if (!strcmp(item[i].name, name)) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* A name that a case file can hold and no other structure has. */
static PetscErrorCode MakeName(const DicomROI *roi, PetscInt n, const Item *item, char **name)
{
  PetscFunctionBegin;
  char clean[DICOM_TEXT], unique[DICOM_TEXT + 16];
  snprintf(clean, sizeof clean, "%s", roi->name);
  for (char *c = clean; *c; c++)
    if (*c == '/') *c = '_';
  if (!*clean || !strcmp(clean, ".")) snprintf(clean, sizeof clean, "ROI %d", (int)roi->number);
  snprintf(unique, sizeof unique, "%s", clean);
  for (int count = 2; IsTaken(n, item, unique); count++) snprintf(unique, sizeof unique, "%s #%d", clean, count);
  PetscCall(PetscStrallocpy(unique, name));
  PetscFunctionReturn(0);
}

/* By the interpreted type; structures without one by names that everybody gives the same meaning. */
static Role RoleOf(const DicomROI *roi)
{
  static const char *const targets[] = {"GTV", "CTV", "PTV", "ITV"}, *const outlines[] = {"body", "external", "skin"};
  const PetscBool typed = *roi->interpreted_type ? PETSC_TRUE : PETSC_FALSE;
  const char *of = typed ? roi->interpreted_type : roi->name;
  if (typed && !strcmp(of, "EXTERNAL")) return ROLE_EXTERNAL;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(targets); i++)
    if (!strncasecmp(of, targets[i], 3)) return ROLE_TARGET;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(outlines); i++)
    if (!typed && !strcasecmp(of, outlines[i])) return ROLE_EXTERNAL;
  return ROLE_OAR;
}

/* The structure of a name that an option gives; -1 and a mistake if there is none, or one that is left out. */
static PetscInt FindNamed(PetscInt n, const Item *item, const char *option, const char *name, Mistakes *mistakes)
{
  const char **known;
  for (PetscInt i = 0; i < n; i++)
    if (item[i].mask && !strcmp(item[i].name, name)) return i;
  for (PetscInt i = 0; i < n; i++)
    if (!strcmp(item[i].name, name)) {
      (void)MistakesAdd(mistakes, ROBION_INPUT, "option %s: structure %s is left out: %s", option, name, item[i].why);
      return -1;
    }
  if (PetscMalloc1(n, &known)) return -1;
  for (PetscInt i = 0; i < n; i++) known[i] = item[i].name;
  (void)MistakesAdd(mistakes, ROBION_COMMAND_LINE, "option %s: no structure %s found%s", option, name,
                    SuggestName(", ", name, n, known).text);
  (void)PetscFree(known);
  return -1;
}

/* "NAME=oar" */
static void GiveRole(PetscInt n, Item *item, const char *text, Mistakes *mistakes)
{
  const char *equals = strrchr(text, '=');
  char name[2 * DICOM_TEXT];
  for (int r = 0; equals && r < N_ROLES; r++)
    if (!strcmp(equals + 1, role_names[r])) {
      snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
      const PetscInt i = FindNamed(n, item, "--role", name, mistakes);
      if (i >= 0) item[i].role = (Role)r;
      return;
    }
  (void)MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                    "option --role is %s, expected NAME=target, NAME=oar or NAME=external", text);
}

/* One outline stays: the one that was said, else the largest. */
static void OneExternal(PetscInt n, Item *item, PetscInt said)
{
  PetscInt best = said;
  for (PetscInt i = 0; i < n && said < 0; i++)
    if (item[i].role == ROLE_EXTERNAL && (best < 0 || item[i].counts.voxels > item[best].counts.voxels)) best = i;
  for (PetscInt i = 0; i < n; i++)
    if (item[i].role == ROLE_EXTERNAL && i != best) item[i].role = ROLE_OAR;
}

static void GiveRoles(const DicomImportSpec *spec, PetscInt n, Item *item, Mistakes *mistakes)
{
  PetscInt said = -1, i;
  for (PetscInt t = 0; t < spec->n_target; t++)
    if ((i = FindNamed(n, item, "--target", spec->target[t], mistakes)) >= 0) item[i].role = ROLE_TARGET;
  for (PetscInt r = 0; r < spec->n_role; r++) GiveRole(n, item, spec->role[r], mistakes);
  if (spec->external && (said = FindNamed(n, item, "--external", spec->external, mistakes)) >= 0)
    item[said].role = ROLE_EXTERNAL;
  OneExternal(n, item, said);
}

/* Contours as they lie on the lattice. */
static PetscErrorCode OnLattice(const DicomPlacing *p, const Contours *lps, Contours *on)
{
  PetscFunctionBegin;
  *on = (Contours){0};
  for (PetscInt r = 0, first = 0; r < lps->n_rings; first += lps->ring_points[r++])
    PetscCall(ContoursAddRing(on, lps->ring_points[r], (const double(*)[3])lps->point_mm + first));
  for (PetscInt i = 0; i < on->n_points; i++) {
    const double *x = lps->point_mm[i];
    for (int a = 0; a < 3; a++)
      on->point_mm[i][a] = p->point[a][0] * x[0] + p->point[a][1] * x[1] + p->point[a][2] * x[2] + p->point[a][3];
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode MakeMask(const DicomPlacing *p, const Contours *contours, unsigned char **mask,
                               ContourCounts *counts)
{
  PetscFunctionBegin;
  Contours on;
  const Grid *grid = p->kind == PLACING_DIRECT ? &p->to : &p->from;
  PetscCall(PetscMalloc1(GridSize(grid), mask));
  if (p->kind == PLACING_DIRECT)
    PetscCall(ContoursToMask(grid, contours, *mask, counts));
  else {
    PetscCall(OnLattice(p, contours, &on));
    PetscCall(ContoursToMask(grid, &on, *mask, counts));
    PetscCall(ContoursDestroy(&on));
    PetscCall(DicomPlacingMask(p, mask));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Remark(Text *table, PetscInt n, const char *text)
{
  return n > 0 ? TextAdd(table, "; %d %s", (int)n, text) : 0;
}

static PetscErrorCode PrintItem(const DicomROI *roi, const Item *item, const Grid *ct, Text *table)
{
  PetscFunctionBegin;
  const ContourCounts *c = &item->counts;
  size_t voxels = 0;
  for (size_t v = 0; item->mask && v < GridSize(ct); v++) voxels += item->mask[v];
  const double cm3 = (double)voxels * GridVoxelVolume_cm3(ct);
  PetscCall(
      TextAdd(table, "    %-24s %-8s %10.4g cm3, %d contours", item->name, role_names[item->role], cm3, (int)c->rings));
  if (*roi->interpreted_type) PetscCall(TextAdd(table, ", %s", roi->interpreted_type));
  PetscCall(Remark(table, c->few_points, "of fewer than 3 points left out"));
  PetscCall(Remark(table, c->unplaceable, "with coordinates that are no place left out"));
  PetscCall(Remark(table, c->oblique, "not parallel to the slices left out"));
  PetscCall(Remark(table, c->outside, "outside of the slices left out"));
  PetscCall(Remark(table, c->cut, "cut off at the edge of the image"));
  PetscCall(Remark(table, roi->n_other, "points or open lines left out"));
  PetscCall(Remark(table, roi->n_torn, "whose coordinates are no numbers in threes left out"));
  PetscCall(Remark(table, c->crossed, "planes where contours cross, which are joined"));
  PetscCall(Remark(table, c->merged_slices, "slices with several planes, which are joined"));
  PetscCall(Remark(table, c->between, "slices filled between planes"));
  if (c->tiny) PetscCall(TextAdd(table, "; smaller than a voxel"));
  if (item->mask && !c->tiny && cm3 < SMALL_CM3)
    PetscCall(TextAdd(table, "; small: fewer than 20 voxels of a 2 mm dose grid"));
  PetscCall(TextAdd(table, "\n"));
  const PetscInt lost = c->few_points + c->unplaceable + c->oblique + c->outside + roi->n_torn;
  if (lost > 0 && item->role == ROLE_TARGET)
    PetscCall(TextAdd(table, "    warning: the target %s lacks %d of its %d contours: it may be too small\n",
                      item->name, (int)lost, (int)(c->rings + roi->n_torn)));
  PetscFunctionReturn(0);
}

/* The contours go over to the case. */
static PetscErrorCode Keep(DicomOrigin *origin, DicomROI *roi, const Item *item)
{
  PetscFunctionBegin;
  DicomContours *to = &origin->structure[origin->n_structures++];
  *to = (DicomContours){.roi_number = roi->number, .contours = roi->contours};
  roi->contours = (Contours){0};
  memcpy(to->roi_name, roi->name, sizeof to->roi_name);
  memcpy(to->interpreted_type, roi->interpreted_type, sizeof to->interpreted_type);
  PetscCall(PetscStrallocpy(item->name, &to->structure));
  PetscFunctionReturn(0);
}

/* Masks of what can be one, a line of the table for what cannot. */
static PetscErrorCode MakeItems(const DicomROIs *rois, const DicomPlacing *placing, const Case *patient, Item *item,
                                Text *table)
{
  PetscFunctionBegin;
  const char *frame = patient->dicom->frame_of_reference_uid;
  for (PetscInt r = 0; r < rois->n; r++) {
    const DicomROI *roi = &rois->roi[r];
    PetscCall(MakeName(roi, r, item, &item[r].name));
    item[r].role = RoleOf(roi);
    const char *why = *frame && *roi->frame_of_reference_uid && strcmp(frame, roi->frame_of_reference_uid)
                          ? "drawn in another frame of reference than the CT's"
                      : roi->contours.n_rings ? NULL
                      : roi->n_torn           ? "the coordinates of its contours are no numbers in threes"
                      : roi->n_other          ? "points or open lines, no volume"
                                              : "no contours";
    if (!why) {
      PetscCall(MakeMask(placing, &roi->contours, &item[r].mask, &item[r].counts));
      if (item[r].counts.voxels) continue;
      PetscCall(PetscFree(item[r].mask));
      why = item[r].counts.oblique ? "its contours are not parallel to the slices"
                                   : "its contours hold no voxel of the CT";
    }
    item[r].why = why;
    PetscCall(TextAdd(table, "    %-24s left out: %s\n", item[r].name, why));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode GiveItems(DicomROIs *rois, Item *item, Case *patient, Text *table)
{
  PetscFunctionBegin;
  PetscCall(PetscCalloc1(rois->n, &patient->structures));
  PetscCall(PetscCalloc1(rois->n, &patient->dicom->structure));
  for (PetscInt r = 0; r < rois->n; r++) {
    if (!item[r].mask) continue;
    PetscCall(PrintItem(&rois->roi[r], &item[r], &patient->ct, table));
    PetscCall(Keep(patient->dicom, &rois->roi[r], &item[r]));
    patient->structures[patient->n_structures++] = (Structure){item[r].name, item[r].role, item[r].mask};
    item[r] = (Item){.name = NULL};
  }
  PetscFunctionReturn(0);
}

PetscBool DicomStructuresTake(const DicomImportSpec *spec, const DicomSurvey *survey, PetscInt file,
                              const DicomPlacing *placing, Case *patient, Text *table, Mistakes *mistakes)
{
  DicomROIs rois;
  Item *item = NULL;
  PetscBool good = DicomROIsRead(survey->reader, survey->file[file].path, mistakes, &rois);
  if (good && (PetscCalloc1(rois.n, &item) || MakeItems(&rois, placing, patient, item, table))) good = PETSC_FALSE;
  if (good) GiveRoles(spec, rois.n, item, mistakes);
  if (MistakesAny(mistakes)) good = PETSC_FALSE;
  if (good && GiveItems(&rois, item, patient, table)) good = PETSC_FALSE;
  for (PetscInt r = 0; item && r < rois.n; r++) {
    (void)PetscFree(item[r].name);
    (void)PetscFree(item[r].mask);
  }
  (void)PetscFree(item);
  (void)DicomROIsDestroy(&rois);
  return good;
}
