/* The values of slices: read file by file in another process, rescaled slice by slice, brought to even gaps. */
#include "dicom_private.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Frames of one file, and what becomes of each. */
typedef struct Frames {
  DicomWish wish;
  DicomItem set; /* in the other process */
  DicomPixels pixels;
  PetscErrorCode (*take)(PetscInt i, double *stored, void *context); /* frame i */
  void *context;
  char failed[DICOM_MESSAGE]; /* a frame that cannot be read */
} Frames;

static size_t FrameSize(const DicomWish *wish)
{
  return (size_t)wish->rows * (size_t)wish->columns;
}

static bool LookFrames(DicomItem set, const DicomWish *wish, void *found, char message[DICOM_MESSAGE])
{
  Frames *frames = found;
  frames->wish = *wish;
  frames->set = set;
  if (!DicomPixelsDescribe(set, &frames->pixels, message)) return false;
  if (frames->pixels.rows == wish->rows && frames->pixels.columns == wish->columns) return true;
  snprintf(message, DICOM_MESSAGE, "has changed while it was read");
  return false;
}

/* A frame: whether it is good, and its values or the message, which ends it. */
static PetscBool SendFrame(const Child *child, const Frames *frames, PetscInt i, double *value, bool *good)
{
  const size_t n = FrameSize(&frames->wish);
  char message[DICOM_MESSAGE];
  *good = DicomPixelsFrame(frames->set, &frames->pixels, frames->wish.frame[i], value, message);
  if (!ChildSend(child, good, sizeof *good)) return PETSC_FALSE;
  return *good ? ChildSend(child, value, n * sizeof *value) : ChildSend(child, message, sizeof message);
}

static PetscBool SendFrames(const Child *child, void *found)
{
  const Frames *frames = found;
  PetscBool fine = PETSC_TRUE;
  bool good = true;
  double *value;
  if (PetscMalloc1(FrameSize(&frames->wish), &value)) return PETSC_FALSE;
  for (PetscInt i = 0; fine && good && i < frames->wish.n; i++) fine = SendFrame(child, frames, i, value, &good);
  (void)PetscFree(value);
  return fine;
}

static PetscBool ReceiveFrames(const Child *child, void *context)
{
  Frames *frames = context;
  const size_t n = FrameSize(&frames->wish);
  PetscBool fine = PETSC_TRUE;
  double *value;
  if (PetscMalloc1(n, &value)) return PETSC_FALSE;
  for (PetscInt i = 0; fine && i < frames->wish.n; i++) {
    char good;
    fine = ChildReceive(child, &good, 1);
    if (fine && good != 1) {
      fine = ChildReceive(child, frames->failed, sizeof frames->failed);
      frames->failed[DICOM_MESSAGE - 1] = 0;
      TextRemoveControls(frames->failed);
      break;
    }
    if (fine) fine = ChildReceive(child, value, n * sizeof *value);
    if (fine && (*frames->take)(i, value, frames->context)) fine = PETSC_FALSE;
  }
  (void)PetscFree(value);
  return fine;
}

static PetscErrorCode ClearFrames(void *found)
{
  Frames *frames = found;
  *frames->failed = 0;
  return 0;
}

static PetscBool ReadFrames(const DicomSurvey *survey, PetscInt n, const PetscInt *image,
                            PetscErrorCode (*take)(PetscInt i, double *stored, void *context), void *context,
                            Mistakes *mistakes)
{
  static const DicomErrand errand = {sizeof(Frames), LookFrames, SendFrames, ReceiveFrames, ClearFrames};
  const DicomFound *file = &survey->file[survey->image[image[0]].file];
  PetscInt *frame;
  if (PetscMalloc1(n, &frame)) return PETSC_FALSE;
  for (PetscInt i = 0; i < n; i++) frame[i] = survey->image[image[i]].frame;
  Frames frames = {
      .wish = {file->head.pixels.rows, file->head.pixels.columns, n, frame}, .take = take, .context = context};
  PetscBool good = DicomRun(survey->reader, file->path, &errand, &frames.wish, &frames, mistakes);
  if (*frames.failed) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: %s", file->path, frames.failed);
    good = PETSC_FALSE;
  }
  (void)PetscFree(frame);
  return good;
}

/* Where frames of a file go. */
typedef struct Stack {
  const DicomSurvey *survey;
  const DicomLattice *lattice;
  const PetscInt *slice, *image; /* of each frame of the file */
  double padding;
  size_t n_padded_file, n_padded, size; /* in this file, in those before */
  float *value;                         /* [slice][pixel] */
  PetscBool differs;                    /* of CompareSlice */
} Stack;

static void Rescale(const Stack *stack, PetscInt image, const double *stored, size_t *n_padded, float *value)
{
  const DicomImage *scale = &stack->survey->image[image];
  const DicomHead *head = &stack->survey->file[scale->file].head;
  for (size_t v = 0; v < stack->size; v++) {
    const PetscBool padded =
        head->padded && stored[v] >= head->padding[0] && stored[v] <= head->padding[1] ? PETSC_TRUE : PETSC_FALSE;
    *n_padded += padded;
    value[v] = (float)(padded || !isfinite(stored[v]) ? stack->padding : scale->slope * stored[v] + scale->intercept);
  }
}

static PetscErrorCode TakeSlice(PetscInt i, double *stored, void *context)
{
  Stack *stack = context;
  if (i == 0) stack->n_padded_file = 0;
  Rescale(stack, stack->image[i], stored, &stack->n_padded_file, stack->value + (size_t)stack->slice[i] * stack->size);
  return 0;
}

/* What tells two images of one place apart, for a message. */
static void Difference(const DicomSurvey *survey, PetscInt a, PetscInt b, char *text, size_t size)
{
  const DicomImage *one = &survey->image[a], *other = &survey->image[b];
  const DicomHead *head = &survey->file[one->file].head, *twin = &survey->file[other->file].head;
  if (one->acquisition != other->acquisition)
    snprintf(text, size, "AcquisitionNumber %d and %d", (int)one->acquisition, (int)other->acquisition);
  else if (isfinite(one->b_s_mm2) && isfinite(other->b_s_mm2) && one->b_s_mm2 != other->b_s_mm2)
    snprintf(text, size, "b-value %g and %g s/mm2", one->b_s_mm2, other->b_s_mm2);
  else if (one->temporal != other->temporal)
    snprintf(text, size, "TemporalPositionIndex %d and %d", (int)one->temporal, (int)other->temporal);
  else if (strcmp(head->kernel, twin->kernel))
    snprintf(text, size, "ConvolutionKernel %s and %s", head->kernel, twin->kernel);
  else if (strcmp(head->image_type, twin->image_type))
    snprintf(text, size, "ImageType %s and %s", head->image_type, twin->image_type);
  else
    snprintf(text, size, "their pixels alone");
}

/* Another image of a slice's place: the same pixels, or a mistake. */
static PetscErrorCode CompareSlice(PetscInt i, double *stored, void *context)
{
  PetscFunctionBegin;
  Stack *stack = context;
  float *twin;
  size_t none = 0;
  PetscCall(PetscMalloc1(stack->size, &twin));
  Rescale(stack, stack->image[i], stored, &none, twin);
  if (memcmp(twin, stack->value + (size_t)stack->slice[i] * stack->size, stack->size * sizeof *twin))
    stack->differs = PETSC_TRUE;
  PetscCall(PetscFree(twin));
  PetscFunctionReturn(0);
}

/* Slices that are there twice are equal. */
static PetscBool CheckTwice(const Stack *all, Mistakes *mistakes)
{
  const DicomLattice *lattice = all->lattice;
  for (PetscInt t = 0; t < lattice->n_twice; t++) {
    const PetscInt first = lattice->image[lattice->twice[t][0]], other = lattice->twice[t][1];
    const DicomImage *image = &all->survey->image[other];
    char difference[320];
    Stack one = *all;
    one.slice = &lattice->twice[t][0];
    one.image = &other;
    if (!ReadFrames(all->survey, 1, &other, CompareSlice, &one, mistakes)) return PETSC_FALSE;
    if (!one.differs) continue;
    Difference(all->survey, first, other, difference, sizeof difference);
    (void)MistakesAdd(
        mistakes, ROBION_INPUT,
        "%s: has a slice at (%g, %g, %g) mm that another file of its series has otherwise; they differ by "
        "%s: give one of them alone",
        all->survey->file[image->file].path, image->position_mm[0], image->position_mm[1], image->position_mm[2],
        difference);
    return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

typedef struct Order {
  PetscInt file, frame, slice, image;
} Order;

static int CompareOrders(const void *a, const void *b)
{
  const Order *x = a, *y = b;
  return x->file != y->file ? (x->file > y->file) - (x->file < y->file) : (x->frame > y->frame) - (x->frame < y->frame);
}

/* File by file. */
static PetscBool ReadStack(Stack *stack, Mistakes *mistakes)
{
  const DicomLattice *lattice = stack->lattice;
  const PetscInt n = lattice->n[2];
  PetscInt *slice, *image;
  Order *order;
  PetscBool good = PETSC_TRUE;
  if (PetscMalloc3(n, &order, n, &slice, n, &image)) return PETSC_FALSE;
  for (PetscInt s = 0; s < n; s++) {
    const DicomImage *of = &stack->survey->image[lattice->image[s]];
    order[s] = (Order){of->file, of->frame, s, lattice->image[s]};
  }
  qsort(order, (size_t)n, sizeof *order, CompareOrders);
  for (PetscInt s = 0; s < n; s++) {
    slice[s] = order[s].slice;
    image[s] = order[s].image;
  }
  for (PetscInt s = 0, m; good && s < n; s += m) {
    for (m = 1; s + m < n && order[s + m].file == order[s].file; m++) continue;
    stack->slice = slice + s;
    stack->image = image + s;
    good = ReadFrames(stack->survey, m, image + s, TakeSlice, stack, mistakes);
    stack->n_padded += stack->n_padded_file;
  }
  (void)PetscFree3(order, slice, image);
  return good;
}

/* Linear between slices, at equal gaps. */
static PetscErrorCode Even(const DicomLattice *lattice, const Grid *from, float **value)
{
  PetscFunctionBegin;
  const size_t size = (size_t)from->n[0] * (size_t)from->n[1];
  float *even;
  PetscInt s = 0;
  PetscCall(PetscMalloc1(GridSize(from), &even));
  for (PetscInt k = 0; k < from->n[2]; k++) {
    const double p = k * from->spacing_mm[2];
    while (s + 2 < lattice->n[2] && lattice->p_mm[s + 1] <= p) s++;
    const double part = fmin(1, (p - lattice->p_mm[s]) / (lattice->p_mm[s + 1] - lattice->p_mm[s]));
    const float *low = *value + (size_t)s * size, *high = low + size;
    for (size_t v = 0; v < size; v++)
      even[(size_t)k * size + v] = (float)((1 - part) * (double)low[v] + part * (double)high[v]);
  }
  PetscCall(PetscFree(*value));
  *value = even;
  PetscFunctionReturn(0);
}

PetscBool DicomSlicesRead(const DicomSurvey *survey, const DicomLattice *lattice, const Grid *from, double padding,
                          size_t *n_padded, Mistakes *mistakes, float **value)
{
  Stack stack = {.survey = survey, .lattice = lattice, .padding = padding};
  stack.size = (size_t)from->n[0] * (size_t)from->n[1];
  *value = NULL;
  if (!MistakesMalloc(stack.size * (size_t)lattice->n[2] * sizeof **value, mistakes, &stack.value, "the slices"))
    return PETSC_FALSE;
  PetscBool good = ReadStack(&stack, mistakes) && CheckTwice(&stack, mistakes) ? PETSC_TRUE : PETSC_FALSE;
  if (good && !lattice->even && Even(lattice, from, &stack.value)) good = PETSC_FALSE;
  *n_padded = stack.n_padded;
  *value = stack.value;
  return good;
}
