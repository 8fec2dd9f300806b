/* Writing spectra of TRiP98 (.spc), in either byte order. */
#include "trip_private.h"
#include <string.h>

enum { HEADER_TEXT = 80 };

typedef struct Writer {
  unsigned char *bytes;
  size_t length, capacity;
  PetscBool big_endian;
} Writer;

static PetscErrorCode Put(Writer *w, const void *data, size_t n)
{
  PetscFunctionBegin;
  if (w->length + n > w->capacity) {
    w->capacity = 2 * w->capacity + n + 4096;
    PetscCall(PetscRealloc(w->capacity, &w->bytes));
  }
  PetscCall(PetscMemcpy(w->bytes + w->length, data, n));
  w->length += n;
  PetscFunctionReturn(0);
}

static PetscErrorCode PutWhole(Writer *w, uint64_t value, int bytes)
{
  PetscFunctionBegin;
  unsigned char b[8];
  for (int i = 0; i < bytes; i++) b[i] = (unsigned char)(value >> (8 * (w->big_endian ? bytes - 1 - i : i)));
  PetscCall(Put(w, b, (size_t)bytes));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutTag(Writer *w, uint32_t tag, size_t size)
{
  PetscFunctionBegin;
  PetscCheck(size <= UINT32_MAX, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "tag %d of %zu bytes", (int)tag, size);
  PetscCall(PutWhole(w, tag, 4));
  PetscCall(PutWhole(w, size, 4));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutReals(Writer *w, uint32_t tag, PetscInt n, const double *value)
{
  PetscFunctionBegin;
  PetscCall(PutTag(w, tag, 8 * (size_t)n));
  for (PetscInt i = 0; i < n; i++) {
    uint64_t bits;
    memcpy(&bits, &value[i], sizeof bits);
    PetscCall(PutWhole(w, bits, 8));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode PutCount(Writer *w, uint32_t tag, PetscInt value)
{
  PetscFunctionBegin;
  PetscCall(PutTag(w, tag, 8));
  PetscCall(PutWhole(w, (uint64_t)value, 8));
  PetscFunctionReturn(0);
}

/* A text with its zeros up to `size`, or up to the next 8-byte boundary if size is 0. */
static PetscErrorCode PutText(Writer *w, uint32_t tag, const char *text, size_t size)
{
  PetscFunctionBegin;
  char padded[TRIP_NAME_LENGTH + 8] = "";
  size_t n = strlen(text);
  if (!size) size = n / 8 * 8 + 8;
  PetscCall(PutTag(w, tag, size));
  memcpy(padded, text, PetscMin(n, size - 1));
  PetscCall(Put(w, padded, size));
  PetscFunctionReturn(0);
}

/* The first species above `s` in its depth that has the same edges, or -1. */
static PetscInt SameEdges(const TripSpectraDepth *depth, PetscInt s)
{
  const TripSpectrum *spectrum = depth->spectrum;
  for (PetscInt i = 0; i < s; i++)
    if (spectrum[i].n == spectrum[s].n &&
        !memcmp(spectrum[i].edge_MeV_u, spectrum[s].edge_MeV_u, sizeof(double) * ((size_t)spectrum[s].n + 1)))
      return i;
  return -1;
}

static PetscErrorCode PutSpectrum(Writer *w, const TripSpectraDepth *depth, PetscInt k)
{
  PetscFunctionBegin;
  const TripSpectrum *s = &depth->spectrum[k];
  const double nuclide[] = {(double)s->species.Z, (double)s->species.A};
  PetscInt same = SameEdges(depth, k);
  PetscCall(PutTag(w, TAG_SPECIES, 24));
  for (int i = 0; i < 2; i++) {
    uint64_t bits;
    memcpy(&bits, &nuclide[i], sizeof bits);
    PetscCall(PutWhole(w, bits, 8));
  }
  PetscCall(PutWhole(w, (uint64_t)s->species.Z, 4));
  PetscCall(PutWhole(w, (uint64_t)s->species.A, 4));
  PetscCall(PutReals(w, TAG_CUMULATIVE, 1, &s->cumulative));
  PetscCall(PutCount(w, TAG_RESERVED, 0));
  PetscCall(PutCount(w, TAG_BINS, s->n));
  if (same < 0)
    PetscCall(PutReals(w, TAG_EDGES, s->n + 1, s->edge_MeV_u));
  else
    PetscCall(PutCount(w, TAG_EDGES_OF, same));
  PetscCall(PutReals(w, TAG_HISTOGRAM, s->n, s->dN_dE));
  PetscCall(PutReals(w, TAG_RUNNING_SUM, s->n + 1, s->running));
  PetscFunctionReturn(0);
}

PetscErrorCode TripSpectraWrite(const TripSpectra *spectra, PetscBool big_endian, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Writer w = {.big_endian = big_endian};
  PetscCall(PutText(&w, TAG_FILETYPE, big_endian ? "SPCM" : "SPCI", HEADER_TEXT));
  PetscCall(PutText(&w, TAG_VERSION, *spectra->version ? spectra->version : "19980704", HEADER_TEXT));
  PetscCall(PutText(&w, TAG_DATE, spectra->date, HEADER_TEXT));
  PetscCall(PutText(&w, TAG_TARGET, spectra->target, 0));
  PetscCall(PutText(&w, TAG_PROJECTILE, spectra->projectile, 0));
  PetscCall(PutReals(&w, TAG_ENERGY, 1, &spectra->energy_MeV_u));
  PetscCall(PutReals(&w, TAG_PEAK, 1, &spectra->peak_g_cm2));
  PetscCall(PutReals(&w, TAG_NORM, 1, &spectra->norm));
  PetscCall(PutCount(&w, TAG_DEPTHS, spectra->n));
  for (const TripSpectraDepth *d = spectra->depth; d < spectra->depth + spectra->n; d++) {
    PetscCall(PutReals(&w, TAG_DEPTH, 1, &d->z_g_cm2));
    PetscCall(PutReals(&w, TAG_DEPTH_NORM, 1, &d->norm));
    PetscCall(PutCount(&w, TAG_SPECIES_COUNT, d->n));
    for (PetscInt k = 0; k < d->n; k++) PetscCall(PutSpectrum(&w, d, k));
  }
  (void)FileReplace(file, (const char *)w.bytes, w.length, mistakes);
  PetscCall(PetscFree(w.bytes));
  PetscFunctionReturn(0);
}
