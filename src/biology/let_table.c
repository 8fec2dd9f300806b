/*
 * Mixed beam model (Kanai et al., Radiat Res 147:78, 1997): alpha and beta of an ion are functions of its LET alone.
 */
#include "biology_private.h"
#include "robion/text.h"
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

/* The three numbers of a line, cut up in place. */
static PetscBool LineNumbers(char *line, double number[3])
{
  for (int k = 0; k < 3; k++) {
    char *comma = strchr(line, ',');
    if ((comma != NULL) != (k < 2)) return PETSC_FALSE;
    if (comma) *comma = 0;
    char *end = line + strcspn(line, "\r");
    *end = 0;
    if (!TextParseNumber(line, &number[k])) return PETSC_FALSE;
    if (comma) line = comma + 1;
  }
  return PETSC_TRUE;
}

/* One row more, or a mistake. */
static PetscErrorCode TableAdd(const char *file, PetscInt line_number, char *line, LETTable *t, Mistakes *mistakes)
{
  PetscFunctionBegin;
  double row[3];
  char shown[64];
  snprintf(shown, sizeof shown, "%.60s", line);
  TextRemoveControls(shown);
  PetscBool good = LineNumbers(line, row) && row[0] >= 0 && row[1] > 0 && row[2] >= 0 ? PETSC_TRUE : PETSC_FALSE;
  if (!good)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s:%d: found \"%s\", expected three numbers %s: LET of 0 or more, alpha above 0, beta of 0 "
                          "or more",
                          file, (int)line_number, shown, TABLE_HEADER));
  else if (t->n && row[0] <= t->let_keV_um[t->n - 1])
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s:%d: found LET %g after %g keV/um, expected ascending LET", file,
                          (int)line_number, row[0], t->let_keV_um[t->n - 1]));
  else {
    t->let_keV_um[t->n] = row[0];
    t->alpha_per_Gy[t->n] = row[1];
    t->beta_per_Gy2[t->n++] = row[2];
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode TableParse(const char *file, char *content, Mistakes *mistakes, LETTable *t)
{
  PetscFunctionBegin;
  PetscInt number = 1;
  t->n = 0;
  for (char *line = content, *next; line; line = next, number++) {
    next = strchr(line, '\n');
    if (next) *next++ = 0;
    if (number == 1) {
      line[strcspn(line, "\r")] = 0;
      if (!strcmp(line, TABLE_HEADER)) continue;
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s:1: found another header, expected %s", file, TABLE_HEADER));
      PetscFunctionReturn(0);
    }
    if (line[strspn(line, " \t\r")]) PetscCall(TableAdd(file, number, line, t, mistakes));
  }
  if (!MistakesAny(mistakes) && t->n < 2)
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: found %d rows, expected at least 2", file, (int)t->n));
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
  char *content;
  size_t length;
  PetscInt lines = 1, before = mistakes->n;
  if (!FileRead(spec->table, &content, &length, mistakes)) PetscFunctionReturn(0);
  for (size_t i = 0; i < length; i++) lines += content[i] == '\n';
  PetscCall(TableAllocate(lines, out));
  PetscCall(TableParse(spec->table, content, mistakes, *out));
  PetscCall(PetscFree(content));
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
