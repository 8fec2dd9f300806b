/* Reading spectra of TRiP98 (.spc), in either byte order. */
#include "trip_private.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum { MOST_SPECIES = 256, MOST_BINS = 1000000 };
#define LARGEST 1e18

PetscErrorCode TripSpectraDestroy(TripSpectra *spectra)
{
  PetscFunctionBegin;
  for (PetscInt d = 0; d < spectra->n; d++) {
    for (PetscInt k = 0; k < spectra->depth[d].n; k++) {
      TripSpectrum *s = &spectra->depth[d].spectrum[k];
      PetscCall(PetscFree(s->edge_MeV_u));
      PetscCall(PetscFree(s->dN_dE));
      PetscCall(PetscFree(s->running));
    }
    PetscCall(PetscFree(spectra->depth[d].spectrum));
  }
  PetscCall(PetscFree(spectra->depth));
  *spectra = (TripSpectra){0};
  PetscFunctionReturn(0);
}

/* Where the reader is. data, size and at describe the tag last read. */
typedef struct Reader {
  const char *file;
  const unsigned char *bytes;
  size_t length, next; /* next: offset of the next tag */
  size_t at;           /* offset of the data */
  uint32_t size;       /* bytes of the data */
  PetscBool big_endian;
  Mistakes *mistakes;
  const TripSpectrum *edges_of[MOST_SPECIES]; /* the last spectrum of that number in its depth */
} Reader;

static PetscBool Complain(const Reader *r, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static PetscBool Complain(const Reader *r, size_t offset, const char *format, ...)
{
  char text[256];
  va_list arguments;
  va_start(arguments, format);
  TextPrintV(text, sizeof text, format, arguments);
  va_end(arguments);
  TextRemoveControls(text);
  (void)MistakesAdd(r->mistakes, ROBION_INPUT, "%s: byte %zu: %s", r->file, offset, text);
  return PETSC_FALSE;
}

static uint64_t Whole(const Reader *r, size_t offset, int bytes)
{
  uint64_t value = 0;
  for (int i = 0; i < bytes; i++)
    value |= (uint64_t)r->bytes[offset + (size_t)i] << (8 * (r->big_endian ? bytes - 1 - i : i));
  return value;
}

static double Real(const Reader *r, size_t offset)
{
  uint64_t bits = Whole(r, offset, 8);
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Number of the next tag, 0 at the end of the file or if what is left is too short for a tag. */
static uint32_t Peek(const Reader *r)
{
  return r->length - r->next >= 8 ? (uint32_t)Whole(r, r->next, 4) : 0;
}

/* Go to the data of the next tag, which must be this one, with lowest..highest bytes of data. */
static PetscBool Take(Reader *r, uint32_t tag, uint64_t lowest, uint64_t highest)
{
  if (r->length - r->next < 8) return Complain(r, r->next, "the file ends here, expected tag %" PRIu32, tag);
  uint32_t found = (uint32_t)Whole(r, r->next, 4);
  if (found != tag) return Complain(r, r->next, "tag %" PRIu32 " found, expected %" PRIu32, found, tag);
  r->size = (uint32_t)Whole(r, r->next + 4, 4);
  if (r->size < lowest || r->size > highest)
    return Complain(r, r->next + 4, "tag %" PRIu32 " has %" PRIu32 " bytes, expected %" PRIu64 " to %" PRIu64, tag,
                    r->size, lowest, highest);
  r->at = r->next + 8;
  if (r->size > r->length - r->at)
    return Complain(r, r->at, "tag %" PRIu32 " has %" PRIu32 " bytes, but the file only %zu more", tag, r->size,
                    r->length - r->at);
  r->next = PetscMin(r->length, r->at + ((size_t)r->size + 7) / 8 * 8);
  return PETSC_TRUE;
}

static PetscBool TakeText(Reader *r, uint32_t tag, TripName name)
{
  char text[TRIP_NAME_LENGTH] = "";
  if (!Take(r, tag, 1, 4096)) return PETSC_FALSE;
  memcpy(text, r->bytes + r->at, PetscMin((size_t)r->size, sizeof text - 1));
  TripNameSet(name, text);
  return PETSC_TRUE;
}

static PetscBool TakeReal(Reader *r, uint32_t tag, double lowest, double highest, double *value)
{
  if (!Take(r, tag, 8, 8)) return PETSC_FALSE;
  *value = Real(r, r->at);
  if (*value >= lowest && *value <= highest) return PETSC_TRUE;
  return Complain(r, r->at, "tag %" PRIu32 " holds %g, expected %g to %g", tag, *value, lowest, highest);
}

static PetscBool TakeWhole(Reader *r, uint32_t tag, uint64_t lowest, uint64_t highest, PetscInt *value)
{
  if (!Take(r, tag, 8, 8)) return PETSC_FALSE;
  uint64_t found = Whole(r, r->at, 8);
  *value = (PetscInt)PetscMin(found, highest);
  if (found >= lowest && found <= highest) return PETSC_TRUE;
  return Complain(r, r->at, "tag %" PRIu32 " holds %" PRIu64 ", expected %" PRIu64 " to %" PRIu64, tag, found, lowest,
                  highest);
}

/* n numbers of 0..highest; memory is taken only once the file is known to hold them. */
static PetscErrorCode TakeReals(Reader *r, uint32_t tag, PetscInt n, double highest, double **value, PetscBool *good)
{
  PetscFunctionBegin;
  *good = Take(r, tag, 8 * (uint64_t)n, 8 * (uint64_t)n);
  if (!*good) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(n, value));
  for (PetscInt i = 0; *good && i < n; i++) {
    (*value)[i] = Real(r, r->at + 8 * (size_t)i);
    if (!((*value)[i] >= 0 && (*value)[i] <= highest))
      *good = Complain(r, r->at + 8 * (size_t)i, "number %d of tag %" PRIu32 " is %g, expected 0 to %g", (int)i, tag,
                       (*value)[i], highest);
  }
  PetscFunctionReturn(0);
}

/* Charge and mass numbers, stored as doubles first. */
static PetscBool TakeSpecies(Reader *r, Species *species)
{
  if (!Take(r, TAG_SPECIES, 16, 64)) return PETSC_FALSE;
  double Z = Real(r, r->at), A = Real(r, r->at + 8);
  if (!(Z >= 1 && Z <= 120 && A >= Z && A <= 300 && Z == floor(Z) && A == floor(A)))
    return Complain(r, r->at, "species of Z = %g, A = %g, expected a nuclide", Z, A);
  *species = (Species){(PetscInt)Z, (PetscInt)A};
  return PETSC_TRUE;
}

static PetscErrorCode TakeEdges(Reader *r, TripSpectrum *s, PetscBool *good)
{
  PetscFunctionBegin;
  PetscInt from;
  if (Peek(r) != TAG_EDGES_OF) {
    PetscCall(TakeReals(r, TAG_EDGES, s->n + 1, 1e5, &s->edge_MeV_u, good));
    for (PetscInt i = 1; *good && i <= s->n; i++)
      if (!(s->edge_MeV_u[i] > s->edge_MeV_u[i - 1]))
        *good = Complain(r, r->at + 8 * (size_t)i, "edge %d is %g after %g, expected ascending edges", (int)i,
                         s->edge_MeV_u[i], s->edge_MeV_u[i - 1]);
    PetscFunctionReturn(0);
  }
  *good = TakeWhole(r, TAG_EDGES_OF, 0, MOST_SPECIES - 1, &from);
  if (!*good) PetscFunctionReturn(0);
  if (!r->edges_of[from] || r->edges_of[from]->n != s->n) {
    *good = Complain(r, r->at, "edges of species %d, which has not come before with %d bins", (int)from, (int)s->n);
    PetscFunctionReturn(0);
  }
  /* The histogram must be there too, or a short file could ask for much memory. */
  if ((r->length - r->next) / 8 < (size_t)s->n) {
    *good = Complain(r, r->next, "the file ends before the %d bins of tag %d", (int)s->n, TAG_HISTOGRAM);
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc1(s->n + 1, &s->edge_MeV_u));
  PetscCall(PetscArraycpy(s->edge_MeV_u, r->edges_of[from]->edge_MeV_u, s->n + 1));
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeSpectrum(Reader *r, TripSpectrum *s, PetscBool *good)
{
  PetscFunctionBegin;
  *good = TakeSpecies(r, &s->species) && TakeReal(r, TAG_CUMULATIVE, 0, LARGEST, &s->cumulative) &&
                  Take(r, TAG_RESERVED, 8, 8) && TakeWhole(r, TAG_BINS, 1, MOST_BINS, &s->n)
              ? PETSC_TRUE
              : PETSC_FALSE;
  if (*good) PetscCall(TakeEdges(r, s, good));
  if (*good) PetscCall(TakeReals(r, TAG_HISTOGRAM, s->n, LARGEST, &s->dN_dE, good));
  if (*good) PetscCall(TakeReals(r, TAG_RUNNING_SUM, s->n + 1, LARGEST, &s->running, good));
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeDepth(Reader *r, TripSpectraDepth *depth, PetscBool *good)
{
  PetscFunctionBegin;
  PetscInt n;
  *good = TakeReal(r, TAG_DEPTH, 0, 1e4, &depth->z_g_cm2) && TakeReal(r, TAG_DEPTH_NORM, 0, LARGEST, &depth->norm) &&
                  TakeWhole(r, TAG_SPECIES_COUNT, 1, MOST_SPECIES, &n)
              ? PETSC_TRUE
              : PETSC_FALSE;
  if (!*good) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1(n, &depth->spectrum));
  for (; *good && depth->n < n; depth->n++) {
    PetscCall(TakeSpectrum(r, &depth->spectrum[depth->n], good));
    if (*good) r->edges_of[depth->n] = &depth->spectrum[depth->n];
  }
  PetscFunctionReturn(0);
}

/* The byte order, from the first word of the file type; then the tags 1 to 9. */
static PetscBool TakeHeader(Reader *r, TripSpectra *out, PetscInt *n_depth)
{
  TripName type;
  if (r->length < 12 || (memcmp(r->bytes + 8, "SPCM", 4) && memcmp(r->bytes + 8, "SPCI", 4)))
    return Complain(r, 8, "no SPCM or SPCI found, expected spectra of TRiP98");
  r->big_endian = r->bytes[11] == 'M' ? PETSC_TRUE : PETSC_FALSE;
  return TakeText(r, TAG_FILETYPE, type) && TakeText(r, TAG_VERSION, out->version) &&
                 TakeText(r, TAG_DATE, out->date) && TakeText(r, TAG_TARGET, out->target) &&
                 TakeText(r, TAG_PROJECTILE, out->projectile) &&
                 TakeReal(r, TAG_ENERGY, 1e-3, 1e4, &out->energy_MeV_u) &&
                 TakeReal(r, TAG_PEAK, 0, 1e4, &out->peak_g_cm2) && TakeReal(r, TAG_NORM, 0, LARGEST, &out->norm) &&
                 TakeWhole(r, TAG_DEPTHS, 1, 100000, n_depth)
             ? PETSC_TRUE
             : PETSC_FALSE;
}

PetscErrorCode TripSpectraParse(const char *file, char *content, size_t length, Mistakes *mistakes, TripSpectra *out)
{
  PetscFunctionBegin;
  Reader r = {.file = file, .bytes = (const unsigned char *)content, .length = length, .mistakes = mistakes};
  PetscInt n = 0;
  *out = (TripSpectra){0};
  PetscBool good = TakeHeader(&r, out, &n);
  for (PetscInt d = 0; good && d < n; d++) {
    PetscCall(TripGrow(d, sizeof *out->depth, &out->depth));
    out->depth[d] = (TripSpectraDepth){0};
    out->n++;
    size_t begin = r.next;
    PetscCall(TakeDepth(&r, &out->depth[d], &good));
    if (good && d && !(out->depth[d].z_g_cm2 > out->depth[d - 1].z_g_cm2))
      good = Complain(&r, begin, "depth %g follows %g, expected ascending depths", out->depth[d].z_g_cm2,
                      out->depth[d - 1].z_g_cm2);
  }
  if (good && r.next < length) good = Complain(&r, r.next, "%zu bytes behind the last depth", length - r.next);
  if (!good) PetscCall(TripSpectraDestroy(out));
  PetscFunctionReturn(0);
}

PetscErrorCode TripSpectraRead(const char *file, Mistakes *mistakes, TripSpectra *out)
{
  PetscFunctionBegin;
  char *content;
  size_t length;
  *out = (TripSpectra){0};
  if (!FileRead(file, &content, &length, mistakes)) PetscFunctionReturn(0);
  PetscCall(TripSpectraParse(file, content, length, mistakes, out));
  PetscCall(PetscFree(content));
  PetscFunctionReturn(0);
}
