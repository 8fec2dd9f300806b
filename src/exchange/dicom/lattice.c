/*
 * The lattice of a series: slices sorted by their place along the normal (never by file name, instance number or slice thickness),
 * the gaps between them, and the way they are displaced against each other.
 */
#include "dicom_private.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAME_PLACE_MM 0.01 /* nearer slices are at one place */
#define EVEN_GAP 0.01      /* gaps may differ by this part */
#define EVEN_PLACE 0.1     /* and slices from where even gaps would put them by this part of one */
#define BESIDE_MM 0.1      /* slices may lie beside the line of the others */
enum { GAPS_TOLD = 4 };

typedef struct Slice {
  double p_mm;
  PetscInt image;
} Slice;

static double Dot(const double a[3], const double b[3])
{
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void Normal(const DicomImage *image, double normal[3])
{
  const double *a = image->direction[0], *b = image->direction[1];
  for (int k = 0; k < 3; k++) normal[k] = a[(k + 1) % 3] * b[(k + 2) % 3] - a[(k + 2) % 3] * b[(k + 1) % 3];
}

static int CompareSlices(const void *a, const void *b)
{
  const Slice *s = a, *t = b;
  if (s->p_mm != t->p_mm) return s->p_mm < t->p_mm ? -1 : 1;
  return (s->image > t->image) - (s->image < t->image);
}

/* The slices by place, those of one place apart. */
static PetscErrorCode Sort(const DicomSurvey *survey, const DicomSeries *series, DicomLattice *lattice)
{
  PetscFunctionBegin;
  Slice *slice;
  double normal[3];
  const size_t n = (size_t)series->n;
  Normal(&survey->image[series->image[0]], normal);
  PetscCall(PetscMalloc1(n, &slice));
  for (size_t i = 0; i < n; i++)
    slice[i] = (Slice){Dot(survey->image[series->image[i]].position_mm, normal), series->image[i]};
  qsort(slice, n, sizeof *slice, CompareSlices);
  PetscCall(PetscMalloc1(n, &lattice->p_mm));
  PetscCall(PetscMalloc1(n, &lattice->image));
  PetscCall(PetscMalloc1(n, &lattice->twice));
  for (size_t i = 0; i < n; i++) {
    const double p = slice[i].p_mm - slice[0].p_mm;
    if (i && p - lattice->p_mm[lattice->n[2] - 1] < SAME_PLACE_MM) {
      lattice->twice[lattice->n_twice][0] = lattice->n[2] - 1;
      lattice->twice[lattice->n_twice++][1] = slice[i].image;
    } else {
      lattice->p_mm[lattice->n[2]] = p;
      lattice->image[lattice->n[2]++] = slice[i].image;
    }
  }
  PetscCall(PetscFree(slice));
  PetscFunctionReturn(0);
}

static int CompareDoubles(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The gap that most slices have, and the least. */
static PetscErrorCode Gaps(const DicomLattice *lattice, double *median, double *least)
{
  PetscFunctionBegin;
  const size_t n = (size_t)lattice->n[2] - 1;
  double *gap;
  PetscCall(PetscMalloc1(n, &gap));
  for (size_t i = 0; i < n; i++) gap[i] = lattice->p_mm[i + 1] - lattice->p_mm[i];
  qsort(gap, n, sizeof *gap, CompareDoubles);
  *median = gap[(n - 1) / 2];
  *least = gap[0];
  PetscCall(PetscFree(gap));
  PetscFunctionReturn(0);
}

static PetscErrorCode JudgeGaps(DicomLattice *lattice)
{
  PetscFunctionBegin;
  const PetscInt last = lattice->n[2] - 1;
  double median;
  PetscCall(Gaps(lattice, &median, &lattice->gap_mm));
  const double mean = lattice->p_mm[last] / last;
  lattice->even = PETSC_TRUE;
  for (PetscInt i = 0; i < last; i++)
    if (fabs(lattice->p_mm[i + 1] - lattice->p_mm[i] - median) > EVEN_GAP * median ||
        fabs(lattice->p_mm[i] - i * mean) > EVEN_PLACE * mean)
      lattice->even = PETSC_FALSE;
  if (lattice->even) lattice->gap_mm = mean;
  PetscFunctionReturn(0);
}

/* The origin and axes; false after a mistake: slices that lie beside the line of the others. */
static PetscBool Axes(const DicomSurvey *survey, const char *where, Mistakes *mistakes, DicomLattice *lattice)
{
  const PetscInt last = lattice->n[2] - 1;
  const DicomImage *first = &survey->image[lattice->image[0]], *end = &survey->image[lattice->image[last]];
  for (int k = 0; k < 3; k++) {
    lattice->origin_mm[k] = first->position_mm[k];
    for (int a = 0; a < 2; a++) lattice->axis[a][k] = first->spacing_mm[a] * first->direction[a][k];
    lattice->axis[2][k] = (end->position_mm[k] - first->position_mm[k]) / lattice->p_mm[last];
  }
  for (PetscInt i = 0; i <= last; i++) {
    const DicomImage *image = &survey->image[lattice->image[i]];
    double beside[3];
    for (int k = 0; k < 3; k++)
      beside[k] = image->position_mm[k] - lattice->origin_mm[k] - lattice->p_mm[i] * lattice->axis[2][k];
    if (Dot(beside, beside) <= BESIDE_MM * BESIDE_MM) continue;
    (void)MistakesAdd(mistakes, ROBION_INPUT,
                      "%s: the slice at (%g, %g, %g) mm lies %.3g mm beside the line of the others, expected at most "
                      "%g mm",
                      where, image->position_mm[0], image->position_mm[1], image->position_mm[2],
                      sqrt(Dot(beside, beside)), BESIDE_MM);
    return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

PetscBool DicomLatticeFind(const DicomSurvey *survey, const DicomSeries *series, const char *where, Mistakes *mistakes,
                           DicomLattice *lattice)
{
  *lattice = (DicomLattice){.n = {(PetscInt)series->head->pixels.columns, (PetscInt)series->head->pixels.rows, 0}};
  if (Sort(survey, series, lattice)) return PETSC_FALSE;
  if (lattice->n[2] < 2) {
    (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: slices at %d place found, expected two and more", where,
                      (int)lattice->n[2]);
    return PETSC_FALSE;
  }
  return Axes(survey, where, mistakes, lattice) && !JudgeGaps(lattice) ? PETSC_TRUE : PETSC_FALSE;
}

void DicomLatticeGaps(const DicomSurvey *survey, const DicomLattice *lattice, char *text, size_t size)
{
  double median = 0, least;
  PetscInt n = 0;
  int along = 0;
  size_t at;
  (void)Gaps(lattice, &median, &least);
  for (int k = 1; k < 3; k++)
    if (fabs(lattice->axis[2][k]) > fabs(lattice->axis[2][along])) along = k;
  snprintf(text, size, "slices are %.4g mm apart, but", median);
  for (PetscInt i = 0; i + 1 < lattice->n[2]; i++) {
    const double gap = lattice->p_mm[i + 1] - lattice->p_mm[i];
    if (fabs(gap - median) <= EVEN_GAP * median || n++ >= GAPS_TOLD) continue;
    at = strlen(text);
    snprintf(text + at, size - at, "%s %.4g mm between %c = %.2f and %.2f mm", n > 1 ? "," : "", gap, "xyz"[along],
             survey -> image[lattice->image[i]].position_mm[along],
             survey->image[lattice->image[i + 1]].position_mm[along]);
  }
  at = strlen(text);
  if (n > GAPS_TOLD) snprintf(text + at, size - at, " and %d more", (int)n - GAPS_TOLD);
  if (!n) snprintf(text + at, size - at, " drift from even places");
}

PetscErrorCode DicomLatticeDestroy(DicomLattice *lattice)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(lattice->p_mm));
  PetscCall(PetscFree(lattice->image));
  PetscCall(PetscFree(lattice->twice));
  PetscFunctionReturn(0);
}
