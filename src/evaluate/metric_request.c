/* Names of metrics by request, and their answers from sorted doses. */
#include "robion/metric_request.h"
#include "robion/text.h"
#include "metrics_private.h"
#include <string.h>

/* "95" or "95%", "700cc", "20Gy": a number above 0 and what stands behind it. */
static PetscBool ReadNumber(const char *text, double *number, const char **behind)
{
  char digits[24];
  const size_t n = strspn(text, "0123456789.");
  if (!n || n >= sizeof digits) return PETSC_FALSE;
  memcpy(digits, text, n);
  digits[n] = 0;
  *behind = text + n;
  return TextParseNumber(digits, number) && *number > 0 ? PETSC_TRUE : PETSC_FALSE;
}

static PetscBool Is(const char *text, const char *a, const char *b)
{
  return !strcmp(text, a) || !strcmp(text, b) ? PETSC_TRUE : PETSC_FALSE;
}

PetscBool MetricFormRead(const char *name, MetricForm *form)
{
  const char *behind;
  *form = (MetricForm){.question = *name == 'V' ? ASK_VOLUME : name[0] && name[1] == 'C' ? ASK_COOLEST : ASK_HOTTEST};
  if (!strcmp(name, "Dmean") || !strcmp(name, "Dmax")) {
    form->question = name[2] == 'e' ? ASK_MEAN : ASK_MAX;
    return PETSC_TRUE;
  }
  if ((*name != 'D' && *name != 'V') || strlen(name) >= sizeof((Metric *)0)->name) return PETSC_FALSE;
  if (!ReadNumber(name + (form->question == ASK_COOLEST ? 2 : 1), &form->number, &behind)) return PETSC_FALSE;
  if (form->question == ASK_VOLUME) {
    form->absolute = Is(behind, "Gy", "Gy_cc");
    form->cm3 = Is(behind, "_cc", "Gy_cc");
    return form->absolute || form->cm3 || !*behind;
  }
  form->absolute = Is(behind, "cc", "cc");
  return form->absolute || (!*behind && form->number <= 100);
}

Quantity MetricRowQuantity(Quantity quantity, PetscBool of_course, const Course *course)
{
  if (!of_course) return quantity;
  if (quantity == QUANTITY_PHYSICAL) return QUANTITY_PHYSICAL_COURSE;
  return course ? CourseDose(course) : QUANTITY_COURSE;
}

PetscErrorCode MetricRequestAdd(const MetricSpec *spec, double fractions, const Course *course, MetricRequestList *list)
{
  PetscFunctionBegin;
  MetricRequest request = {.spec = spec, .of = spec->quantity, .factor = spec->course ? fractions : 1};
  request.row = MetricRowQuantity(spec->quantity, spec->course, course);
  if (!MetricFormRead(spec->name, &request.form)) PetscFunctionReturn(0);
  if (course && spec->course && quantities[spec->quantity].stages == STAGES_ACCUMULATE) {
    request.of = request.row; /* a dose of its own, not of the mean fraction */
    request.factor = 1;
  }
  if ((!spec->course || request.of == request.row) && QuantityFindMetric(request.row, spec->name))
    PetscFunctionReturn(0);
  for (PetscInt i = 0; i < list->n; i++) {
    const MetricRequest *other = &list->item[i];
    if (other->row == request.row && !strcmp(other->spec->name, spec->name) &&
        !strcmp(other->spec->structure, spec->structure))
      PetscFunctionReturn(0);
  }
  PetscCall(PetscRealloc((size_t)(list->n + 1) * sizeof *list->item, &list->item));
  list->item[list->n++] = request;
  PetscFunctionReturn(0);
}

double DVHDoseOfCoolest(const DVH *dvh, double percent)
{
  const double share = percent / 100;
  PetscInt low = 0,
           high = dvh->n - 1; /* the last one at or below which there is that much: value[0], or in (low, high] */
  while (low < high) {
    const PetscInt middle = high - (high - low) / 2;
    if (1 - dvh->cumulative[middle - 1] >= share)
      low = middle;
    else
      high = middle - 1;
  }
  if (low == dvh->n - 1) return dvh->value[low];
  const double more = low ? 1 - dvh->cumulative[low - 1] : 1, less = 1 - dvh->cumulative[low];
  const double step = PetscMin(1, (share - less) / (more - less));
  return dvh->value[low + 1] + step * (dvh->value[low] - dvh->value[low + 1]);
}

double MetricAnswer(const MetricForm *form, const DVH *dvh, double factor, double prescription)
{
  const double rounding = 1e-6; /* a structure of just this volume is not smaller */
  double dose, percent;
  switch (form->question) {
  case ASK_MEAN:
    return factor * dvh->mean;
  case ASK_MAX:
    return factor * dvh->max;
  case ASK_HOTTEST:
    return factor * (form->absolute ? DVHDoseAtVolume_cm3(dvh, form->number) : DVHDoseAtVolume(dvh, form->number));
  case ASK_COOLEST:
    percent = form->absolute ? 100 * form->number / dvh->volume_cm3 : form->number;
    return factor * (percent > 100 * (1 - rounding) ? dvh->max : DVHDoseOfCoolest(dvh, percent));
  default: /* ASK_VOLUME */
    dose = form->absolute ? form->number / factor : 0.01 * form->number * prescription;
    return DVHVolumeAtDose(dvh, dose) * (form->cm3 ? 0.01 * dvh->volume_cm3 : 1);
  }
}

static const char *UnitOf(const MetricRequest *request)
{
  if (request->form.question == ASK_VOLUME) return request->form.cm3 ? "cm3" : "%";
  return quantities[request->row].unit;
}

PetscErrorCode MetricsByRequest(const MetricRequestList *list, const Region *region, const Grid *grid,
                                const float *const dose[QUANTITIES_MOST], const DVH dvh[QUANTITIES_MOST],
                                double prescription_Gy_RBE, MetricList *out)
{
  PetscFunctionBegin;
  DVH own[QUANTITIES_MOST] = {{0}};
  for (PetscInt i = 0; i < list->n; i++) {
    const MetricRequest *request = &list->item[i];
    const Quantity q = request->of;
    if (strcmp(request->spec->structure, region->name)) continue;
    if (!dvh[q].n && !own[q].n) PetscCall(DVHCreate(region, grid, dose[q], &own[q]));
    PetscCall(
        MetricAppend(out, region->name, request->row, request->spec->name, UnitOf(request),
                     MetricAnswer(&request->form, dvh[q].n ? &dvh[q] : &own[q], request->factor, prescription_Gy_RBE)));
  }
  for (Quantity q = 0; q < n_quantities; q++) PetscCall(DVHDestroy(&own[q]));
  PetscFunctionReturn(0);
}
