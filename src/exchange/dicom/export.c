/*
 * A plan as DICOM files of one study: RT Structure Set, an RT Ion Plan per stage, RT Doses, and the CT where the case did not come
 * from DICOM. UIDs follow from the content, dates from the plan: the same plan gives the same files.
 */
#include "export_private.h"
#include "robion/text.h"
#include <stdlib.h>
#include <string.h>

/* Of a case that has none: all grow from its CT. */
static PetscErrorCode InventUIDs(DicomExport *x)
{
  PetscFunctionBegin;
  const Grid *ct = &x->patient->ct;
  UidHash hash = UidBegin("CT", x->text[PLAN_CASE]), of;
  UidAdd(&hash, ct->n, sizeof ct->n);
  UidAdd(&hash, ct->spacing_mm, sizeof ct->spacing_mm);
  UidAdd(&hash, ct->origin_mm, sizeof ct->origin_mm);
  UidAdd(&hash, x->patient->hu, GridSize(ct) * sizeof *x->patient->hu);
  UidText(&hash, x->ct_series_uid);
  of = UidBegin("study", x->ct_series_uid);
  UidText(&of, x->study_uid);
  of = UidBegin("frame of reference", x->ct_series_uid);
  UidText(&of, x->frame_uid);
  snprintf(x->ct_class_uid, sizeof x->ct_class_uid, CT_IMAGE_STORAGE);
  x->n_slices = ct->n[2];
  PetscCall(PetscMalloc1(x->n_slices, &x->slice_uid));
  PetscCall(PetscMalloc1(x->n_slices, &x->slice_z_mm));
  for (PetscInt k = 0; k < x->n_slices; k++) {
    of = UidBegin("slice", x->ct_series_uid);
    UidAdd(&of, &k, sizeof k);
    UidText(&of, x->slice_uid[k]);
    x->slice_z_mm[k] = ct->origin_mm[2] + (double)k * ct->spacing_mm[2];
  }
  PetscFunctionReturn(0);
}

/* Those of the clinic's images. */
static PetscErrorCode TakeUIDs(DicomExport *x)
{
  PetscFunctionBegin;
  const DicomOrigin *o = x->origin;
  memcpy(x->study_uid, o->study_uid, sizeof x->study_uid);
  memcpy(x->frame_uid, o->frame_of_reference_uid, sizeof x->frame_uid);
  memcpy(x->ct_series_uid, o->series_uid, sizeof x->ct_series_uid);
  snprintf(x->ct_class_uid, sizeof x->ct_class_uid, "%s", *o->sop_class_uid ? o->sop_class_uid : CT_IMAGE_STORAGE);
  x->n_slices = o->n_slices;
  PetscCall(PetscMalloc1(x->n_slices, &x->slice_uid));
  PetscCall(PetscMalloc1(x->n_slices, &x->slice_z_mm));
  PetscCall(PetscArraycpy(x->slice_uid, o->sop_instance_uid, x->n_slices));
  PetscCall(PetscArraycpy(x->slice_z_mm, o->slice_z_mm, x->n_slices));
  PetscFunctionReturn(0);
}

/* "2026-11-30T23:47:05Z" as DICOM writes dates and times: its digits. */
static void TakeDate(DicomExport *x)
{
  char digits[15] = "";
  size_t n = 0;
  for (const char *c = x->text[PLAN_STARTED]; *c && n < 14; c++)
    if (*c >= '0' && *c <= '9') digits[n++] = *c;
  if (n < 14) return;
  snprintf(x->date, sizeof x->date, "%.8s", digits);
  snprintf(x->time, sizeof x->time, "%.6s", digits + 8);
}

/* Beams, and the stages that they are of: neighbours in the file. */
static PetscErrorCode ReadBeams(DicomExport *x, Mistakes *mistakes)
{
  PetscFunctionBegin;
  BeamOnFile beam;
  while (PlanReadBeam(x->plan, x->n_beams, mistakes, &beam)) {
    PetscCall(PetscRealloc((size_t)(x->n_beams + 1) * sizeof *x->beam, &x->beam));
    x->beam[x->n_beams++] = beam;
  }
  PetscCall(BeamOnFileDestroy(&beam));
  for (PetscInt b = 0; b < x->n_beams; b++) {
    const char *stage = x->beam[b].stage;
    if (!b || (stage && x->beam[b - 1].stage && strcmp(stage, x->beam[b - 1].stage))) {
      PetscCall(PetscRealloc((size_t)(x->n_stages + 1) * sizeof *x->stage, &x->stage));
      x->stage[x->n_stages++] =
          (StagePlan){.name = stage, .first = b, .fractions = stage ? x->beam[b].stage_fractions : x->fractions};
    }
    x->stage[x->n_stages - 1].end = b + 1;
  }
  if (!x->n_beams && !MistakesAny(mistakes))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: no spots, expected a plan of robion", x->plan->source.name));
  PetscFunctionReturn(0);
}

static PetscBool ReadTexts(DicomExport *x, Mistakes *mistakes)
{
  for (PlanText t = 0; t < N_PLAN_TEXTS; t++)
    if (!PlanReadText(x->plan, t, mistakes, &x->text[t])) return PETSC_FALSE;
  return PlanReadNumber(x->plan, PLAN_FRACTIONS, mistakes, &x->fractions) &&
                 PlanReadNumber(x->plan, PLAN_PRESCRIPTION_Gy_RBE, mistakes, &x->prescription_Gy_RBE)
             ? PETSC_TRUE
             : PETSC_FALSE;
}

static PetscErrorCode DicomExportDestroy(DicomExport *x)
{
  PetscFunctionBegin;
  for (PlanText t = 0; t < N_PLAN_TEXTS; t++) PetscCall(PetscFree(x->text[t]));
  for (PetscInt b = 0; b < x->n_beams; b++) PetscCall(BeamOnFileDestroy(&x->beam[b]));
  PetscCall(PetscFree(x->beam));
  PetscCall(PetscFree(x->stage));
  PetscCall(PetscFree(x->slice_uid));
  PetscCall(PetscFree(x->slice_z_mm));
  PetscCall(PetscFree(x->roi_number));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanWriteDicom(const PlanReader *plan, const PlanExtras *extras, const char *folder, Mistakes *mistakes)
{
  PetscFunctionBegin;
  DicomExport x = {
      .plan = plan, .extras = extras, .patient = extras->patient, .origin = extras->origin, .folder = folder};
  if (ReadTexts(&x, mistakes)) PetscCall(ReadBeams(&x, mistakes));
  if (!MistakesAny(mistakes) && FolderMake(folder, mistakes)) {
    TakeDate(&x);
    PetscCall((x.origin ? TakeUIDs : InventUIDs)(&x));
    if (!x.origin) PetscCall(DicomExportCT(&x, mistakes));
    if (!MistakesAny(mistakes)) PetscCall(DicomExportStructures(&x, mistakes));
    if (!MistakesAny(mistakes)) PetscCall(DicomExportPlans(&x, mistakes));
    if (!MistakesAny(mistakes)) PetscCall(DicomExportDoses(&x, mistakes));
  }
  PetscCall(DicomExportDestroy(&x));
  PetscFunctionReturn(0);
}
