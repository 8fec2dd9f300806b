/* RBE tables of TRiP98 (.rbe): "!keyword value" lines; below each !projectile and !rbe, a row of energy and RBE per point. */
#include "robion/rbe_file.h"
#include <string.h>
#include <strings.h>

enum { MOST_TABLES = 3 };
static const char *const kinds[MOST_TABLES] = {"mean", "min", "max"};

PetscErrorCode TripRBEDestroy(TripRBE *rbe)
{
  PetscFunctionBegin;
  for (PetscInt t = 0; t < rbe->n; t++) {
    for (PetscInt i = 0; i < rbe->table[t].n; i++) PetscCall(PetscFree(rbe->table[t].ion[i].point));
    PetscCall(PetscFree(rbe->table[t].ion));
  }
  PetscCall(PetscFree(rbe->table));
  *rbe = (TripRBE){0};
  PetscFunctionReturn(0);
}

/* Where the reader is. */
typedef struct Place {
  TripLines lines;
  TripRBE *rbe;
  TripRBETable *table; /* NULL before the first one */
  TripRBEIon *ion;     /* NULL before the first one of a table */
  enum { NO_DATA, RBE_DATA, FOREIGN_DATA } data;
} Place;

/* The last ion has points. */
static PetscBool FinishIon(const Place *p)
{
  if (!p->ion || p->ion->n) return PETSC_TRUE;
  return TripComplain(&p->lines, "projectile %s has no energies", p->ion->projectile);
}

static PetscBool FinishTable(const Place *p)
{
  const TripRBETable *t = p->table;
  if (!t) return PETSC_TRUE;
  if (!FinishIon(p)) return PETSC_FALSE;
  if (!(t->alpha_x_per_Gy > 0)) return TripComplain(&p->lines, "!alpha is missing in table !%s", t->kind);
  return t->n ? PETSC_TRUE : TripComplain(&p->lines, "no !projectile in table !%s", t->kind);
}

static PetscErrorCode StartTable(Place *p, const char *kind, PetscBool *good)
{
  PetscFunctionBegin;
  *good = FinishTable(p);
  for (PetscInt t = 0; *good && t < p->rbe->n; t++)
    if (!strcmp(p->rbe->table[t].kind, kind)) *good = TripComplain(&p->lines, "second table !%s", kind);
  if (!*good) PetscFunctionReturn(0);
  if (!p->rbe->table) PetscCall(PetscCalloc1(MOST_TABLES, &p->rbe->table));
  p->table = &p->rbe->table[p->rbe->n++];
  p->ion = NULL;
  TripNameSet(p->table->kind, kind);
  PetscFunctionReturn(0);
}

static PetscErrorCode StartIon(Place *p, const char *name, PetscBool *good)
{
  PetscFunctionBegin;
  TripRBEIon ion = {0};
  TripNameSet(ion.projectile, name);
  *good = FinishIon(p);
  if (*good && !TripNuclide(ion.projectile, &ion.species))
    *good = TripComplain(&p->lines, "projectile is \"%.40s\", expected a nuclide such as 12C", name);
  if (!*good) PetscFunctionReturn(0);
  PetscCall(TripGrow(p->table->n, sizeof *p->ion, &p->table->ion));
  p->ion = &p->table->ion[p->table->n++];
  *p->ion = ion;
  PetscFunctionReturn(0);
}

/* The known numbers of a table; *known false if `keyword` is none of them. */
static PetscBool ReadNumber(const Place *p, const char *keyword, const char *value, PetscBool *known)
{
  const struct {
    const char *name;
    double *number, highest;
  } numbers[] = {{"!alpha", &p->table->alpha_x_per_Gy, 1e3},
                 {"!beta", &p->table->beta_x_per_Gy2, 1e3},
                 {"!cut", &p->table->cut_Gy, 1e4},
                 {"!rnucleus", &p->table->nucleus_radius_um, 1e3}};
  *known = PETSC_TRUE;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(numbers); i++)
    if (!strcasecmp(keyword, numbers[i].name))
      return TripNumber(&p->lines, keyword, value, 0, numbers[i].highest, numbers[i].number);
  *known = PETSC_FALSE;
  return PETSC_TRUE;
}

static PetscErrorCode ReadKeyword(Place *p, char *line, PetscBool *good)
{
  PetscFunctionBegin;
  const char *keyword = TripWord(&line);
  PetscBool known = PETSC_FALSE;
  *good = PETSC_TRUE;
  p->data = NO_DATA;
  for (int k = 0; k < MOST_TABLES; k++)
    if (!strcasecmp(keyword + 1, kinds[k])) {
      PetscCall(StartTable(p, kinds[k], good));
      PetscFunctionReturn(0);
    }
  if (!strcasecmp(keyword, "!filetype")) {
    if (strcasecmp(line, "RBE")) *good = TripComplain(&p->lines, "file type is \"%.40s\", expected RBE", line);
  } else if (!strcasecmp(keyword, "!celltype")) {
    TripNameSet(p->rbe->cell_type, line);
  } else if (strcasecmp(keyword, "!fileversion") && strcasecmp(keyword, "!filedate")) {
    if (!p->table) PetscCall(StartTable(p, kinds[0], good)); /* files of one table may leave !mean out */
    if (*good) *good = ReadNumber(p, keyword, line, &known);
    if (!*good || known) PetscFunctionReturn(0);
    p->data = FOREIGN_DATA;
    if (!strcasecmp(keyword, "!projectile")) {
      p->data = NO_DATA;
      PetscCall(StartIon(p, line, good));
    } else if (!strcasecmp(keyword, "!rbe")) {
      p->data = RBE_DATA;
      if (!p->ion) *good = TripComplain(&p->lines, "!rbe without a !projectile above it");
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadPoint(Place *p, char *line, PetscBool *good)
{
  PetscFunctionBegin;
  TripRBEPoint point;
  TripRBEIon *ion = p->ion;
  *good = TripNumber(&p->lines, "energy", TripWord(&line), 0, 1e4, &point.energy_MeV_u) &&
                  TripNumber(&p->lines, "RBE", TripWord(&line), 0, 1e4, &point.rbe) && TripLineEnd(&p->lines, line)
              ? PETSC_TRUE
              : PETSC_FALSE;
  if (*good && ion->n && !(point.energy_MeV_u > ion->point[ion->n - 1].energy_MeV_u))
    *good = TripComplain(&p->lines, "energy %g follows %g, expected ascending energies", point.energy_MeV_u,
                         ion->point[ion->n - 1].energy_MeV_u);
  if (!*good) PetscFunctionReturn(0);
  PetscCall(TripGrow(ion->n, sizeof point, &ion->point));
  ion->point[ion->n++] = point;
  PetscFunctionReturn(0);
}

PetscErrorCode TripRBEParse(const char *file, char *content, size_t length, Mistakes *mistakes, TripRBE *out)
{
  PetscFunctionBegin;
  Place p = {.rbe = out};
  *out = (TripRBE){0};
  PetscBool good = TripLinesStart(file, content, length, mistakes, &p.lines);
  for (char *line; good && (line = TripLinesNext(&p.lines, '#'));) {
    if (*line == '!')
      PetscCall(ReadKeyword(&p, line, &good));
    else if (p.data == RBE_DATA)
      PetscCall(ReadPoint(&p, line, &good));
    else if (p.data == NO_DATA)
      good = TripComplain(&p.lines, "\"%.40s\" found, expected a keyword such as !projectile", line);
  }
  if (good && !p.table) good = TripComplain(&p.lines, "no RBE table found");
  if (good) good = FinishTable(&p);
  if (!good) PetscCall(TripRBEDestroy(out));
  PetscFunctionReturn(0);
}

PetscErrorCode TripRBERead(const char *file, Mistakes *mistakes, TripRBE *out)
{
  PetscFunctionBegin;
  char *content;
  size_t length;
  *out = (TripRBE){0};
  if (!FileRead(file, &content, &length, mistakes)) PetscFunctionReturn(0);
  PetscCall(TripRBEParse(file, content, length, mistakes, out));
  PetscCall(PetscFree(content));
  PetscFunctionReturn(0);
}

PetscErrorCode TripRBEWrite(const TripRBE *rbe, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Text text = {0};
  PetscCall(TextAdd(&text, "!filetype    RBE\n!fileversion 19980407\n!celltype    %s\n", rbe->cell_type));
  for (const TripRBETable *t = rbe->table; t < rbe->table + rbe->n; t++) {
    PetscCall(TextAdd(&text, "!%s\n", t->kind));
    PetscCall(TripAddLine(&text, "!alpha", 1, &t->alpha_x_per_Gy));
    PetscCall(TripAddLine(&text, "!beta", 1, &t->beta_x_per_Gy2));
    PetscCall(TripAddLine(&text, "!cut", 1, &t->cut_Gy));
    PetscCall(TripAddLine(&text, "!rnucleus", 1, &t->nucleus_radius_um));
    for (const TripRBEIon *ion = t->ion; ion < t->ion + t->n; ion++) {
      PetscCall(TextAdd(&text, "!projectile %s\n# E/(MeV/u) RBE\n!rbe\n", ion->projectile));
      for (PetscInt i = 0; i < ion->n; i++)
        PetscCall(TripAddLine(&text, "", 2, (const double[]){ion->point[i].energy_MeV_u, ion->point[i].rbe}));
    }
  }
  PetscCall(TripTextWrite(&text, file, mistakes));
  PetscFunctionReturn(0);
}
