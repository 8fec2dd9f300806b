/*
 * Mixed beam model (Kanai et al., Radiat Res 147:78, 1997): alpha and beta of an ion are functions of its LET alone.
 */
#include "biology_private.h"
#include "robion/csv.h"
#include <gsl/gsl_interp.h>
#include <math.h>
#include <string.h>

#define CARBON_NODES 160       /* of the built-in table, equal in ln(E) */
#define CARBON_FROM_MEV_U 0.35 /* LET of carbon is highest here, and falls with energy above */
#define CARBON_TO_MEV_U 1000.0
#define TABLE_HEADER "LET_keV_um,alpha_per_Gy,beta_per_Gy2"

static PetscErrorCode TableAllocate(PetscInt n, LETTable **out)
{
  PetscFunctionBegin;
  PetscCall(PetscNew(out));
  (*out)->n = n;
  PetscCall(PetscMalloc1(n, &(*out)->let_keV_um));
  PetscCall(PetscMalloc1(n, &(*out)->alpha_per_Gy));
  PetscCall(PetscMalloc1(n, &(*out)->beta_per_Gy2));
  PetscFunctionReturn(0);
}

PetscErrorCode LETTableDestroy(LETTable **table)
{
  PetscFunctionBegin;
  if (!*table) PetscFunctionReturn(0);
  PetscCall(PetscFree((*table)->let_keV_um));
  PetscCall(PetscFree((*table)->alpha_per_Gy));
  PetscCall(PetscFree((*table)->beta_per_Gy2));
  PetscCall(PetscFree(*table));
  PetscFunctionReturn(0);
}

/* alpha(LET) of 12C in the modified MKM, from alpha0 at LET 0 on. */
static PetscErrorCode TableOfCarbon(const BiologySpec *spec, LETTable **out)
{
  PetscFunctionBegin;
  PetscCall(TableAllocate(CARBON_NODES + 1, out));
  LETTable *t = *out;
  t->let_keV_um[0] = 0;
  t->alpha_per_Gy[0] = spec->alpha0_per_Gy;
  t->beta_per_Gy2[0] = spec->beta0_per_Gy2;
  for (PetscInt i = 1; i <= CARBON_NODES; i++) {
    double fraction = (double)(i - 1) / (CARBON_NODES - 1);
    double energy = CARBON_TO_MEV_U * pow(CARBON_FROM_MEV_U / CARBON_TO_MEV_U, fraction);
    IonResponse r = MKM(spec, 6, 12, energy);
    t->let_keV_um[i] = LET_keV_um(6, 12, energy);
    t->alpha_per_Gy[i] = r.alpha_per_Gy;
    t->beta_per_Gy2[i] = r.beta_per_Gy2;
    PetscCheck(t->let_keV_um[i] > t->let_keV_um[i - 1], PETSC_COMM_SELF, PETSC_ERR_PLIB,
               "LET of carbon does not fall at %g MeV/u", energy);
  }
  PetscFunctionReturn(0);
}

/* One row more, or a mistake. `shown`: the line as it was. */
static PetscErrorCode TableAdd(const CSVReader *reader, PetscInt n, char **field, const char *shown, LETTable *t,
                               Mistakes *mistakes)
{
  PetscFunctionBegin;
  double row[3];
  PetscBool good = n == 3 ? PETSC_TRUE : PETSC_FALSE;
  for (int k = 0; k < 3 && good; k++) good = TextParseNumber(TextTrim(field[k]), &row[k]);
  if (!good || !(row[0] >= 0 && row[1] > 0 && row[2] >= 0))
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s:%d: found \"%s\", expected three numbers %s: LET of 0 or more, alpha above 0, beta of 0 "
                          "or more",
                          reader->file, (int)reader->line, shown, TABLE_HEADER));
  else if (t->n && row[0] <= t->let_keV_um[t->n - 1])
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s:%d: found LET %g after %g keV/um, expected ascending LET",
                          reader->file, (int)reader->line, row[0], t->let_keV_um[t->n - 1]));
  else {
    t->let_keV_um[t->n] = row[0];
    t->alpha_per_Gy[t->n] = row[1];
    t->beta_per_Gy2[t->n++] = row[2];
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode TableParse(CSVReader *reader, Mistakes *mistakes, LETTable *t)
{
  PetscFunctionBegin;
  char shown[64], *field[3];
  t->n = 0;
  if (strcmp(CSVHeader(reader), TABLE_HEADER)) {
    PetscCall(
        MistakesAdd(mistakes, ROBION_INPUT, "%s:1: found another header, expected %s", reader->file, TABLE_HEADER));
    PetscFunctionReturn(0);
  }
  for (PetscInt n;;) {
    snprintf(shown, sizeof shown, "%.*s", (int)PetscMin(60, strcspn(reader->at, "\r\n")), reader->at);
    TextRemoveControls(shown);
    if (!(n = CSVNext(reader, 3, field))) break;
    if (n > 1 || *TextTrim(field[0])) PetscCall(TableAdd(reader, n, field, shown, t, mistakes));
  }
  if (reader->problem)
    PetscCall(
        MistakesAdd(mistakes, ROBION_INPUT, "%s:%d: the line %s", reader->file, (int)reader->line, reader->problem));
  if (!MistakesAny(mistakes) && t->n < 2)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: found %d rows, expected at least 2", reader->file, (int)t->n));
  PetscFunctionReturn(0);
}

PetscErrorCode LETTableCreate(const BiologySpec *spec, Mistakes *mistakes, LETTable **out)
{
  PetscFunctionBegin;
  *out = NULL;
  if (!spec->table) {
    PetscCall(TableOfCarbon(spec, out));
    PetscFunctionReturn(0);
  }
  CSVReader reader;
  PetscInt lines = 1, before = mistakes->n;
  if (!CSVOpen(spec->table, mistakes, &reader)) PetscFunctionReturn(0);
  for (const char *c = reader.text; *c; c++) lines += *c == '\n';
  PetscCall(TableAllocate(lines, out));
  PetscCall(TableParse(&reader, mistakes, *out));
  CSVClose(&reader);
  if (mistakes->n > before) PetscCall(LETTableDestroy(out));
  PetscFunctionReturn(0);
}

IonResponse LETTableResponse(const BiologySpec *spec, const LETTable *t, double let_keV_um)
{
  size_t n = (size_t)t->n;
  double let = PetscClipInterval(let_keV_um, t->let_keV_um[0], t->let_keV_um[n - 1]);
  size_t i = gsl_interp_bsearch(t->let_keV_um, let, 0, n - 1);
  double w = (let - t->let_keV_um[i]) / (t->let_keV_um[i + 1] - t->let_keV_um[i]);
  double alpha = (1.0 - w) * t->alpha_per_Gy[i] + w * t->alpha_per_Gy[i + 1];
  double beta = (1.0 - w) * t->beta_per_Gy2[i] + w * t->beta_per_Gy2[i + 1];
  return (IonResponse){alpha / spec->alpha_x_per_Gy, alpha, beta};
}
