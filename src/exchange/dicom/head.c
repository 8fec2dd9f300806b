/*
 * What a DICOM file is and where its slices lie, told by the process that reads it. Enhanced files have one data set per frame in
 * functional groups, which may leave to a shared group what all frames have in common.
 */
#include "dicom_private.h"
#include "head.h"
#include "tags.h"
#include <limits.h>
#include <math.h>
#include <string.h>

static const struct {
  DicomTag tag;
  size_t offset;
} texts[] = {{SOP_CLASS_UID, offsetof(DicomHead, sop_class_uid)},
             {SOP_INSTANCE_UID, offsetof(DicomHead, sop_instance_uid)},
             {MODALITY, offsetof(DicomHead, modality)},
             {STUDY_INSTANCE_UID, offsetof(DicomHead, study_uid)},
             {SERIES_INSTANCE_UID, offsetof(DicomHead, series_uid)},
             {FRAME_OF_REFERENCE_UID, offsetof(DicomHead, frame_of_reference_uid)},
             {SERIES_DESCRIPTION, offsetof(DicomHead, description)},
             {MANUFACTURER, offsetof(DicomHead, manufacturer)},
             {MANUFACTURER_MODEL_NAME, offsetof(DicomHead, model)},
             {CONVOLUTION_KERNEL, offsetof(DicomHead, kernel)},
             {PATIENT_POSITION, offsetof(DicomHead, position)},
             {PATIENT_ID, offsetof(DicomHead, patient_id)},
             {DOSE_TYPE, offsetof(DicomHead, dose_type)},
             {DOSE_UNITS, offsetof(DicomHead, dose_unit)},
             {DOSE_SUMMATION_TYPE, offsetof(DicomHead, dose_summation)}};

/* What a file is follows from its class; some programs leave another modality in it. */
static const struct {
  const char *sop_class_uid, *modality;
} classes[] = {{"1.2.840.10008.5.1.4.1.1.481.2", "RTDOSE"},
               {"1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT"},
               {"1.2.840.10008.5.1.4.1.1.481.5", "RTPLAN"},
               {"1.2.840.10008.5.1.4.1.1.481.8", "RTPLAN"},
               {"1.2.840.10008.1.3.10", "DICOMDIR"}};

static PetscInt IntegerOr(DicomItem item, DicomTag tag, PetscInt standard)
{
  long value;
  return DicomInteger(item, tag, 0, &value) && value >= INT_MIN && value <= INT_MAX ? (PetscInt)value : standard;
}

/* Something of a frame: in its own group, the shared one, or the data set itself. */
static DicomItem Group(DicomItem set, PetscInt frame, DicomTag macro)
{
  DicomItem own = DicomItemAt(DicomItemAt(set, PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE, frame), macro, 0);
  if (!own.at) own = DicomItemAt(DicomItemAt(set, SHARED_FUNCTIONAL_GROUPS_SEQUENCE, 0), macro, 0);
  return own.at ? own : set;
}

/* The b-value that makers have tags of their own for. */
static double PrivateB(DicomItem set)
{
  static const struct {
    const char *creator;
    DicomTag owner, tag;
  } makers[] = {{"SIEMENS MR HEADER", DICOM(0x0019, 0x0010), DICOM(0x0019, 0x100c)},
                {"GEMS_PARM_01", DICOM(0x0043, 0x0010), DICOM(0x0043, 0x1039)},
                {"Philips Imaging DD 001", DICOM(0x2001, 0x0010), DICOM(0x2001, 0x1003)},
                {"Image Private Header", DICOM(0x0065, 0x0010), DICOM(0x0065, 0x1009)}};
  const double million = 1e9; /* what GE adds to mark b-values */
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(makers); i++) {
    char creator[DICOM_TEXT], text[32] = "";
    double b = NAN;
    if (!DicomString(set, makers[i].owner, 0, creator, sizeof creator) || strcmp(creator, makers[i].creator)) continue;
    if (!DicomDouble(set, makers[i].tag, 0, &b)) { /* of unknown type: its bytes are the text */
      (void)DicomBytes(set, makers[i].tag, sizeof text - 1, (unsigned char *)text);
      text[strcspn(text, "\\ ")] = 0;
      if (!TextParseNumber(text, &b)) continue;
    }
    return b >= million ? fmod(b, million) : b;
  }
  return NAN;
}

static double BValue(DicomItem set, PetscInt frame)
{
  double b;
  if (DicomDouble(Group(set, frame, MR_DIFFUSION_SEQUENCE), DIFFUSION_B_VALUE, 0, &b)) return b;
  return PrivateB(set);
}

/* The place, size and scale of a frame; false if it has no place. */
static PetscBool TakeImage(DicomItem set, PetscInt frame, DicomImage *image)
{
  double spacing[2];
  DicomItem value = Group(set, frame, PIXEL_VALUE_TRANSFORMATION_SEQUENCE),
            content = Group(set, frame, FRAME_CONTENT_SEQUENCE);
  *image = (DicomImage){.frame = frame, .slope = 1, .b_s_mm2 = BValue(set, frame)};
  image->acquisition = IntegerOr(set, ACQUISITION_NUMBER, -1);
  image->temporal = IntegerOr(content, TEMPORAL_POSITION_INDEX, IntegerOr(set, TEMPORAL_POSITION_IDENTIFIER, -1));
  (void)DicomDouble(value, RESCALE_SLOPE, 0, &image->slope);
  (void)DicomDouble(value, RESCALE_INTERCEPT, 0, &image->intercept);
  if (DicomDoubles(Group(set, frame, PLANE_POSITION_SEQUENCE), IMAGE_POSITION_PATIENT, 3, image->position_mm) < 3 ||
      DicomDoubles(Group(set, frame, PLANE_ORIENTATION_SEQUENCE), IMAGE_ORIENTATION_PATIENT, 6, image->direction[0]) <
          6 ||
      DicomDoubles(Group(set, frame, PIXEL_MEASURES_SEQUENCE), PIXEL_SPACING, 2, spacing) < 2)
    return PETSC_FALSE;
  image->spacing_mm[0] = spacing[1];
  image->spacing_mm[1] = spacing[0];
  return PETSC_TRUE;
}

/*
 * Frames of a dose lie along the normal, by offsets that begin with 0 or with the place of the first. Their unit is that of the
 * scaling.
 */
static PetscErrorCode PlaceDose(DicomItem set, PetscInt n, DicomImage *image)
{
  PetscFunctionBegin;
  double *offset, scaling;
  PetscCall(PetscCalloc1(n, &offset));
  const size_t known = DicomDoubles(set, GRID_FRAME_OFFSET_VECTOR, (size_t)n, offset);
  if (!DicomDouble(set, DOSE_GRID_SCALING, 0, &scaling)) scaling = NAN;
  for (PetscInt f = 0; f < n; f++) {
    const double *a = image[f].direction[0], *b = image[f].direction[1];
    image[f].intercept = 0;
    image[f].slope = n > 1 && (size_t)n != known ? NAN : scaling; /* of no use */
    for (int k = 0; k < 3; k++)
      image[f].position_mm[k] +=
          (offset[f] - offset[0]) * (a[(k + 1) % 3] * b[(k + 2) % 3] - a[(k + 2) % 3] * b[(k + 1) % 3]);
  }
  PetscCall(PetscFree(offset));
  PetscFunctionReturn(0);
}

/* A value of the pixels' own type, whichever the file gives it in. */
static double AsStored(const DicomPixels *pixels, double value)
{
  const double range = ldexp(1, pixels->bits_allocated);
  if (pixels->is_signed && value >= range / 2) return value - range;
  if (!pixels->is_signed && value < 0) return value + range;
  return value;
}

static void TakePadding(DicomItem set, DicomHead *head)
{
  double limit;
  if (!DicomDouble(set, PIXEL_PADDING_VALUE, 0, &head->padding[0])) return;
  if (!DicomDouble(set, PIXEL_PADDING_RANGE_LIMIT, 0, &limit)) limit = head->padding[0];
  head->padding[0] = AsStored(&head->pixels, head->padding[0]);
  limit = AsStored(&head->pixels, limit);
  head->padding[1] = PetscMax(head->padding[0], limit);
  head->padding[0] = PetscMin(head->padding[0], limit);
  head->padded = PETSC_TRUE;
}

static void TakeTexts(DicomItem set, DicomHead *head)
{
  char part[DICOM_TEXT];
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(texts); i++)
    (void)DicomString(set, texts[i].tag, 0, (char *)head + texts[i].offset, DICOM_TEXT);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(classes); i++)
    if (!strcmp(head->sop_class_uid, classes[i].sop_class_uid))
      snprintf(head->modality, DICOM_TEXT, "%s", classes[i].modality);
  for (long i = 0; i < 8 && DicomString(set, IMAGE_TYPE, i, part, sizeof part); i++) {
    const size_t length = strlen(head->image_type);
    snprintf(head->image_type + length, sizeof head->image_type - length, "%s%s", i ? "\\" : "", part);
  }
}

/* The series that a structure set was drawn on. */
static void TakeReferenced(DicomItem set, DicomHead *head)
{
  DicomItem study =
      DicomItemAt(DicomItemAt(set, REFERENCED_FRAME_OF_REFERENCE_SEQUENCE, 0), RT_REFERENCED_STUDY_SEQUENCE, 0);
  (void)DicomString(DicomItemAt(study, RT_REFERENCED_SERIES_SEQUENCE, 0), SERIES_INSTANCE_UID, 0,
                    head->referenced_series_uid, DICOM_TEXT);
  if (!*head->frame_of_reference_uid)
    (void)DicomString(DicomItemAt(set, REFERENCED_FRAME_OF_REFERENCE_SEQUENCE, 0), FRAME_OF_REFERENCE_UID, 0,
                      head->frame_of_reference_uid, DICOM_TEXT);
}

bool DicomHeadLook(DicomItem set, const DicomWish *all, void *found, char message[DICOM_MESSAGE])
{
  DicomHeadErrand *errand = found;
  DicomHead *head = &errand->head;
  TakeTexts(set, head);
  TakeReferenced(set, head);
  (void)DicomDouble(set, KVP, 0, &head->kvp);
  head->series_number = IntegerOr(set, SERIES_NUMBER, -1);
  if (!DicomPixelsDescribe(set, &head->pixels, head->lacks)) {
    head->pixels.rows = 0;
    return true;
  }
  TakePadding(set, head);
  if (head->pixels.frames > MOST_FRAMES) return true;
  if (PetscMalloc1(head->pixels.frames, &errand->image)) return false;
  for (PetscInt frame = 0; frame < head->pixels.frames; frame++)
    if (TakeImage(set, frame, &errand->image[head->n_images])) head->n_images++;
  return strcmp(head->modality, "RTDOSE") || !PlaceDose(set, head->n_images, errand->image);
}

static PetscBool Send(const Child *child, void *found)
{
  const DicomHeadErrand *errand = found;
  return ChildSend(child, &errand->head, sizeof errand->head) &&
                 ChildSend(child, errand->image, (size_t)errand->head.n_images * sizeof *errand->image)
             ? PETSC_TRUE
             : PETSC_FALSE;
}

/* Texts end where they have to and hold nothing that a terminal obeys. */
static void Tame(DicomHead *head)
{
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(texts); i++) {
    char *text = (char *)head + texts[i].offset;
    text[DICOM_TEXT - 1] = 0;
    TextRemoveControls(text);
  }
  head->image_type[sizeof head->image_type - 1] = head->lacks[DICOM_MESSAGE - 1] = 0;
  head->referenced_series_uid[DICOM_TEXT - 1] = 0;
  TextRemoveControls(head->image_type);
  TextRemoveControls(head->lacks);
}

static PetscBool Sensible(const DicomImage *image)
{
  const double numbers[] = {image->position_mm[0], image->position_mm[1], image->position_mm[2], image->slope,
                            image->intercept};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(numbers); i++)
    if (!(fabs(numbers[i]) < 1e9)) return PETSC_FALSE;
  for (int a = 0; a < 2; a++) {
    const double *d = image->direction[a];
    if (!(fabs(d[0] * d[0] + d[1] * d[1] + d[2] * d[2] - 1) < 1e-3)) return PETSC_FALSE;
    if (!(image->spacing_mm[a] > 0 && image->spacing_mm[a] < 1e6)) return PETSC_FALSE;
  }
  return fabs(image->direction[0][0] * image->direction[1][0] + image->direction[0][1] * image->direction[1][1] +
              image->direction[0][2] * image->direction[1][2]) < 1e-3
             ? PETSC_TRUE
             : PETSC_FALSE;
}

static PetscBool Receive(const Child *child, void *context)
{
  DicomHeadErrand *errand = context;
  DicomHead *head = &errand->head;
  PetscInt n = 0;
  if (!ChildReceive(child, head, sizeof *head) || head->n_images < 0 || head->n_images > MOST_FRAMES)
    return PETSC_FALSE;
  Tame(head);
  if (PetscMalloc1(head->n_images, &errand->image) ||
      !ChildReceive(child, errand->image, (size_t)head->n_images * sizeof *errand->image))
    return PETSC_FALSE;
  for (PetscInt i = 0; i < head->n_images; i++)
    if (Sensible(&errand->image[i])) errand->image[n++] = errand->image[i];
  head->n_images = n;
  return PETSC_TRUE;
}

static PetscErrorCode Clear(void *found)
{
  DicomHeadErrand *errand = found;
  return PetscFree(errand->image);
}

const DicomErrand dicom_head_errand = {sizeof(DicomHeadErrand), DicomHeadLook, Send, Receive, Clear};
