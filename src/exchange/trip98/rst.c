/* Raster-scan plans of TRiP98 (.rst): a header, then per energy slice its accelerator settings and the points x, y, particles. */
#include "trip_private.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Particle numbers have six digits in the file, and so have their sums. */
#define SUM_TOLERANCE 1e-4
enum { MOST_SLICES = 100000, MOST_POINTS = 100000000 };

PetscErrorCode TripRasterDestroy(TripRaster *raster)
{
  PetscFunctionBegin;
  for (PetscInt s = 0; s < raster->n; s++) PetscCall(PetscFree(raster->slice[s].point));
  PetscCall(PetscFree(raster->slice));
  *raster = (TripRaster){0};
  PetscFunctionReturn(0);
}

/* Sums of one slice. */
static void SumSlice(const TripRasterSlice *slice, double *least, double *most, double *total)
{
  *total = 0;
  *least = *most = slice->n ? slice->point[0].particles : 0;
  for (PetscInt i = 0; i < slice->n; i++) {
    *least = PetscMin(*least, slice->point[i].particles);
    *most = PetscMax(*most, slice->point[i].particles);
    *total += slice->point[i].particles;
  }
}

/* Sums of the whole plan from what its slices say; those without points have no least. */
static void SumPlan(const TripRaster *raster, double *least, double *most, double *total)
{
  PetscBool any = PETSC_FALSE;
  *total = 0;
  *least = *most = 0;
  for (PetscInt s = 0; s < raster->n; s++) {
    const TripRasterSlice *slice = &raster->slice[s];
    if (slice->n) {
      *least = any ? PetscMin(*least, slice->least) : slice->least;
      any = PETSC_TRUE;
    }
    *most = PetscMax(*most, slice->most);
    *total += slice->total;
  }
}

/* Whether a slice has no points. */
static PetscBool HasEmpty(const TripRaster *raster)
{
  for (PetscInt s = 0; s < raster->n; s++)
    if (!raster->slice[s].n) return PETSC_TRUE;
  return PETSC_FALSE;
}

PetscErrorCode TripRasterSum(TripRaster *raster)
{
  PetscFunctionBegin;
  for (PetscInt s = 0; s < raster->n; s++) {
    TripRasterSlice *slice = &raster->slice[s];
    SumSlice(slice, &slice->least, &slice->most, &slice->total);
  }
  SumPlan(raster, &raster->least, &raster->most, &raster->total);
  PetscFunctionReturn(0);
}

/* The next line, which must begin with `keyword`; its rest, or NULL after one mistake. */
static char *Expect(TripLines *lines, const char *keyword)
{
  char *line = TripLinesNext(lines, '*');
  if (!line) {
    (void)TripComplain(lines, "the file ends here, expected %s", keyword);
    return NULL;
  }
  const char *word = TripWord(&line);
  if (!strcmp(word, keyword)) return line;
  (void)TripComplain(lines, "\"%.40s\" found, expected %s", word, keyword);
  return NULL;
}

/* n numbers and nothing else. */
static PetscBool ReadNumbers(const TripLines *lines, char *line, PetscInt n, const char *const *what,
                             const double (*bound)[2], double *value)
{
  for (PetscInt i = 0; i < n; i++)
    if (!TripNumber(lines, what[i], TripWord(&line), bound[i][0], bound[i][1], &value[i])) return PETSC_FALSE;
  return TripLineEnd(lines, line);
}

/* Least, most and sum of particles, and by how much they may be off since numbers are written with so many digits. */
typedef struct Sums {
  double value[3], rounding[3];
} Sums;

static const char *const sum_names[3] = {"minimum", "maximum", "sum"};

/* Half of what the last digit of a number counts: 0.005 of "1.23", 50 of "1.2e3"; 0 of "1e7", which is taken as exact. */
static double RoundingOf(const char *word)
{
  int decimals = 0;
  const char *at = word + strcspn(word, ".eE");
  if (*at == 'e' || *at == 'E') return 0;
  if (*at == '.')
    for (at++; *at >= '0' && *at <= '9'; at++) decimals++;
  return 0.5 * pow(10, (*at ? strtod(at + 1, NULL) : 0) - decimals);
}

static PetscBool ReadParticles(TripLines *lines, Sums *sums)
{
  char *line = Expect(lines, "#particles");
  if (!line) return PETSC_FALSE;
  for (int k = 0; k < 3; k++) {
    const char *word = TripWord(&line);
    if (!TripNumber(lines, sum_names[k], word, 0, 1e18, &sums->value[k])) return PETSC_FALSE;
    sums->rounding[k] = RoundingOf(word);
  }
  return TripLineEnd(lines, line);
}

/* One header line before #submachines; unknown ones are passed over. */
static PetscBool ReadKeyword(const TripLines *lines, const char *keyword, const char *value, TripRaster *raster)
{
  const struct {
    const char *name;
    char *text;
    double *number, lowest, highest;
  } known[] = {{"rstfile", raster->version, NULL, 0, 0},
               {"sistable", raster->sistable, NULL, 0, 0},
               {"patient_id", raster->patient, NULL, 0, 0},
               {"machine#", raster->machine, NULL, 0, 0},
               {"projectile", raster->projectile, NULL, 0, 0},
               {"bolus", raster->bolus, NULL, 0, 0},
               {"ripplefilter", raster->ripple_filter, NULL, 0, 0},
               {"charge", NULL, &raster->charge, 0, 120},
               {"mass", NULL, &raster->mass, 0, 300},
               {"gantryangle", NULL, &raster->gantry_deg, -360, 360},
               {"couchangle", NULL, &raster->couch_deg, -360, 360}};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(known); i++) {
    if (strcmp(keyword, known[i].name)) continue;
    if (known[i].number) return TripNumber(lines, keyword, value, known[i].lowest, known[i].highest, known[i].number);
    TripNameSet(known[i].text, value);
  }
  return PETSC_TRUE;
}

/* The header down to the particle sums; the number of slices to come. */
static PetscBool ReadHeader(TripLines *lines, TripRaster *raster, PetscInt *n_slice, Sums *header)
{
  char *line = TripLinesNext(lines, '*');
  const char *keyword = line ? TripWord(&line) : "";
  if (strcmp(keyword, "rstfile")) {
    lines->number = 1;
    return TripComplain(lines, "\"%.40s\" found, expected rstfile", keyword);
  }
  while (strcmp(keyword, "#submachines")) {
    if (!ReadKeyword(lines, keyword, line, raster)) return PETSC_FALSE;
    line = TripLinesNext(lines, '*');
    if (!line) return TripComplain(lines, "the file ends here, expected #submachines");
    keyword = TripWord(&line);
  }
  return TripCount(lines, "#submachines", line, 1, MOST_SLICES, n_slice) && ReadParticles(lines, header) ? PETSC_TRUE
                                                                                                         : PETSC_FALSE;
}

/* The lines of a slice above its points. */
static PetscBool ReadSliceHeader(TripLines *lines, TripRasterSlice *slice, PetscInt *n_point, Sums *header)
{
  static const char *const step_what[] = {"step in x", "step in y"};
  static const double step_bound[][2] = {{0, 1e3}, {0, 1e3}};
  double step[2];
  char *line = Expect(lines, "submachine#");
  slice->line = lines->number;
  if (!line || !TripCount(lines, "energy index", TripWord(&line), 0, 100000, &slice->energy_index) ||
      !TripNumber(lines, "energy", TripWord(&line), 1e-3, 1e4, &slice->energy_MeV_u) ||
      !TripCount(lines, "focus index", TripWord(&line), 0, 100000, &slice->focus_index) ||
      !TripNumber(lines, "focus", TripWord(&line), 0, 1e3, &slice->focus_fwhm_mm) || !TripLineEnd(lines, line))
    return PETSC_FALSE;
  if (!ReadParticles(lines, header)) return PETSC_FALSE;
  slice->least = header->value[0];
  slice->most = header->value[1];
  slice->total = header->value[2];
  line = Expect(lines, "stepsize");
  if (!line || !ReadNumbers(lines, line, 2, step_what, step_bound, step)) return PETSC_FALSE;
  slice->step_x_mm = step[0];
  slice->step_y_mm = step[1];
  line = Expect(lines, "#points");
  return line && TripCount(lines, "#points", line, 0, MOST_POINTS, n_point) ? PETSC_TRUE : PETSC_FALSE;
}

/* The header's sums are those below it, to the digits that both are written with; false after a mistake. */
static PetscBool CheckSums(const TripLines *lines, const Sums *header, const Sums *found)
{
  for (int k = 0; k < 3; k++) {
    const double off = fabs(header->value[k] - found->value[k]);
    if (off <= SUM_TOLERANCE * found->value[k] || off < header->rounding[k] + found->rounding[k]) continue;
    return TripComplain(lines, "%s of the particles is %.8g in the points above, but %.8g in their header",
                        sum_names[k], found->value[k], header->value[k]);
  }
  return PETSC_TRUE;
}

static PetscErrorCode ReadSlice(TripLines *lines, TripRasterSlice *slice, Sums *header, PetscBool *good)
{
  PetscFunctionBegin;
  static const char *const what[] = {"x", "y", "particles"};
  static const double bound[][2] = {{-1e5, 1e5}, {-1e5, 1e5}, {0, 1e18}};
  PetscInt n;
  Sums found = {{0}, {0}};
  *good = ReadSliceHeader(lines, slice, &n, header);
  for (PetscInt i = 0; *good && i < n; i++) {
    double value[3];
    char *line = TripLinesNext(lines, '*');
    const char *last = line ? strrchr(line, ' ') : NULL, *tab = line ? strrchr(line, '\t') : NULL;
    const double rounding = RoundingOf(PetscMax(last, tab) ? PetscMax(last, tab) + 1 : "");
    *good = line ? ReadNumbers(lines, line, 3, what, bound, value)
                 : TripComplain(lines, "the file ends here, %d points found, expected %d", (int)i, (int)n);
    if (!*good) PetscFunctionReturn(0);
    PetscCall(TripGrow(i, sizeof *slice->point, &slice->point));
    slice->point[i] = (TripRasterPoint){value[0], value[1], value[2]};
    slice->n++;
    found.rounding[0] = found.rounding[1] = PetscMax(found.rounding[0], rounding);
    found.rounding[2] += rounding;
  }
  if (!*good) PetscFunctionReturn(0);
  SumSlice(slice, &found.value[0], &found.value[1], &found.value[2]);
  *good = CheckSums(lines, header, &found);
  PetscFunctionReturn(0);
}

PetscErrorCode TripRasterParse(const char *file, char *content, size_t length, Mistakes *mistakes, TripRaster *out)
{
  PetscFunctionBegin;
  TripLines lines;
  PetscInt n = 0;
  Sums header, found = {{0}, {0}};
  *out = (TripRaster){0};
  PetscBool good = TripLinesStart(file, content, length, mistakes, &lines) && ReadHeader(&lines, out, &n, &header)
                       ? PETSC_TRUE
                       : PETSC_FALSE;
  for (PetscInt s = 0; good && s < n; s++) {
    Sums slice = {{0}, {0}};
    PetscCall(TripGrow(s, sizeof *out->slice, &out->slice));
    out->slice[s] = (TripRasterSlice){0};
    out->n++;
    PetscCall(ReadSlice(&lines, &out->slice[s], &slice, &good));
    found.rounding[0] = found.rounding[1] = PetscMax(found.rounding[0], PetscMax(slice.rounding[0], slice.rounding[1]));
    found.rounding[2] += slice.rounding[2];
  }
  SumPlan(out, &found.value[0], &found.value[1], &found.value[2]);
  const char *line = good ? TripLinesNext(&lines, '*') : NULL;
  if (line)
    good = TripComplain(&lines, "\"%.40s\" found, expected the end of the file after %d submachines", line, (int)n);
  if (good && header.value[0] == 0 && HasEmpty(out)) found.value[0] = 0; /* some count what is not there as 0 */
  if (good) good = CheckSums(&lines, &header, &found);
  out->least = header.value[0];
  out->most = header.value[1];
  out->total = header.value[2];
  if (!good) PetscCall(TripRasterDestroy(out));
  PetscFunctionReturn(0);
}

PetscErrorCode TripRasterRead(const char *file, Mistakes *mistakes, TripRaster *out)
{
  PetscFunctionBegin;
  char *content;
  size_t length;
  *out = (TripRaster){0};
  if (!FileRead(file, &content, &length, mistakes)) PetscFunctionReturn(0);
  PetscCall(TripRasterParse(file, content, length, mistakes, out));
  PetscCall(PetscFree(content));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddSlice(Text *text, const TripRasterSlice *s)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(text, "submachine# %d ", (int)s->energy_index));
  PetscCall(TripAddNumber(text, s->energy_MeV_u));
  PetscCall(TextAdd(text, " %d ", (int)s->focus_index));
  PetscCall(TripAddNumber(text, s->focus_fwhm_mm));
  PetscCall(TextAdd(text, "\n"));
  PetscCall(TripAddLine(text, "#particles", 3, (const double[]){s->least, s->most, s->total}));
  PetscCall(TripAddLine(text, "stepsize", 2, (const double[]){s->step_x_mm, s->step_y_mm}));
  PetscCall(TextAdd(text, "#points %d\n", (int)s->n));
  for (PetscInt i = 0; i < s->n; i++)
    PetscCall(TripAddLine(text, "", 3, (const double[]){s->point[i].x_mm, s->point[i].y_mm, s->point[i].particles}));
  PetscFunctionReturn(0);
}

PetscErrorCode TripRasterWrite(const TripRaster *raster, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Text text = {0};
  PetscCall(TextAdd(&text, "rstfile %s\nsistable %s\npatient_id %s\nmachine# %s\nprojectile %s\n", raster->version,
                    raster->sistable, raster->patient, raster->machine, raster->projectile));
  PetscCall(TripAddLine(&text, "charge", 1, &raster->charge));
  PetscCall(TripAddLine(&text, "mass", 1, &raster->mass));
  PetscCall(TripAddLine(&text, "gantryangle", 1, &raster->gantry_deg));
  PetscCall(TripAddLine(&text, "couchangle", 1, &raster->couch_deg));
  PetscCall(TextAdd(&text, "stereotacticcoordinates\nbolus %s\nripplefilter %s\n#submachines %d\n", raster->bolus,
                    raster->ripple_filter, (int)raster->n));
  PetscCall(TripAddLine(&text, "#particles", 3, (const double[]){raster->least, raster->most, raster->total}));
  for (PetscInt s = 0; s < raster->n; s++) PetscCall(AddSlice(&text, &raster->slice[s]));
  PetscCall(TripTextWrite(&text, file, mistakes));
  PetscFunctionReturn(0);
}
