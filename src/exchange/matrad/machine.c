/*
 * matRad base data (`machine` struct of a level-5 MAT file) -> Machine.
 *
 * machine.meta: radiationMode, machine, SAD, BAMStoIsoDist; machine.data(e): energy, range, depths, Z (MeV cm2/g per primary),
 * LET, offset, initFocus, one lateral Gaussian (sigma) or two (sigma1, sigma2 and weight, the share of the second), and per
 * tissue class alphaX, betaX, alpha, beta. Energies of fewer depths than others get more of them, by their own straight lines. matRad adds offset to the depths of its
 * tables, robion what the beam has passed to the depth in the patient: one is the other's negative.
 */
#include "matrad_private.h"
#include "robion/exchange.h"
#include "robion/log.h"
#include "robion/provenance.h"
#include "robion/text.h"
#include <string.h>

/* The variable being taken apart, and where mistakes go. */
typedef struct Reader {
  const char *file;
  matvar_t *meta, *data;
  PetscInt n_energy, n_focus; /* n_focus: most foci of an energy */
  Mistakes *mistakes;
} Reader;

/* Copy n numbers of a field, times factor. where names the parent in messages. */
static PetscBool Take(Reader *r, matvar_t *parent, PetscInt e, const char *where, const char *name, size_t n,
                      double factor, double *out)
{
  const matvar_t *v = MatlabField(parent, name, (size_t)e);
  if (MatlabCount(v) == n) {
    for (size_t i = 0; i < n; i++) out[i] = factor * MatlabElement(v, i);
    return PETSC_TRUE;
  }
  (void)MistakesAdd(r->mistakes, ROBION_INPUT, "%s: %s(%d).%s: %zu numbers found, expected %zu%s", r->file, where,
                    (int)e + 1, name, MatlabCount(v), n, n > 1 ? " by the number of depths" : "");
  return PETSC_FALSE;
}

/* Numbers of depths of an energy. */
static size_t DepthsOf(const Reader *r, PetscInt e)
{
  return MatlabCount(MatlabField(r->data, "depths", (size_t)e));
}

/* Divide the last interval of a table of n numbers so that it has `more`: between depths tables are straight lines. */
static void Stretch(size_t n, size_t more, double *table)
{
  if (n == more) return;
  const double from = table[n - 2], to = table[n - 1], pieces = (double)(more - n + 1);
  for (size_t d = n - 1; d + 1 < more; d++) table[d] = from + (to - from) * (double)(d - (n - 2)) / pieces;
  table[more - 1] = to;
}

/* A table against depth, times factor. */
static PetscBool TakeDepths(Reader *r, const Machine *m, PetscInt e, const char *name, double factor, double *out)
{
  const size_t n = DepthsOf(r, e);
  if (!Take(r, r->data, e, "machine.data", name, n, factor, out)) return PETSC_FALSE;
  Stretch(n, (size_t)m->n_depth, out);
  return PETSC_TRUE;
}

/* A table against depth with a column for each tissue class, or a row where it is transposed. */
static PetscBool TakeTissues(Reader *r, const Machine *m, PetscInt e, const char *name, double *out)
{
  const size_t nd = DepthsOf(r, e), all = (size_t)m->n_depth, nt = (size_t)m->n_tissue;
  const matvar_t *v = MatlabField(r->data, name, (size_t)e);
  if (!Take(r, r->data, e, "machine.data", name, nt * nd, 1, out)) return PETSC_FALSE;
  const size_t rows = v->dims[0];
  if (rows != nd && rows != nt && nt > 1) {
    (void)MistakesAdd(r->mistakes, ROBION_INPUT,
                      "%s: machine.data(%d).%s: %zu rows found, expected one for each of %zu depths, and a column for "
                      "each of %zu tissue classes",
                      r->file, (int)e + 1, name, rows, nd, nt);
    return PETSC_FALSE;
  }
  const size_t of_class = rows == nd || nt == 1 ? nd : 1, of_depth = of_class == nd ? 1 : nt;
  for (size_t t = 0; t < nt; t++) {
    for (size_t d = 0; d < nd; d++) out[t * all + d] = MatlabElement(v, t * of_class + d * of_depth);
    Stretch(nd, all, out + t * all);
  }
  return PETSC_TRUE;
}

/* Photon alpha and beta of the tissue classes, which are the same for every energy. */
static PetscBool TakeClasses(Reader *r, Machine *m, PetscInt e)
{
  static const char *const name[2] = {"alphaX", "betaX"};
  for (int i = 0; i < 2; i++) {
    double *of_first = i ? m->beta_x : m->alpha_x;
    const matvar_t *v = MatlabField(r->data, name[i], (size_t)e);
    if (e == 0 && !Take(r, r->data, e, "machine.data", name[i], (size_t)m->n_tissue, 1, of_first)) return PETSC_FALSE;
    for (PetscInt t = 0; t < m->n_tissue; t++) {
      if (MatlabCount(v) == (size_t)m->n_tissue && MatlabElement(v, (size_t)t) == of_first[t]) continue;
      (void)MistakesAdd(r->mistakes, ROBION_INPUT,
                        "%s: machine.data(%d).%s: not the %d numbers of the first energy, expected the same tissue "
                        "classes for all",
                        r->file, (int)e + 1, name[i], (int)m->n_tissue);
      return PETSC_FALSE;
    }
  }
  return PETSC_TRUE;
}

/* A text of machine.meta, "?" if it is missing. */
static void TakeText(const Reader *r, const char *name, size_t size, char *out)
{
  if (!MatlabText(MatlabField(r->meta, name, 0), size, out)) snprintf(out, size, "?");
}

/* Projectile of meta.radiationMode. */
static PetscBool TakeProjectile(Reader *r, Machine *m)
{
  static const struct {
    const char *name;
    PetscInt Z, A;
  } known[] = {{"carbon", 6, 12}, {"protons", 1, 1}, {"helium", 2, 4}};
  char mode[64];
  TakeText(r, "radiationMode", sizeof mode, mode);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (!strcmp(mode, known[i].name)) {
      m->Z = known[i].Z;
      m->A = known[i].A;
      return PETSC_TRUE;
    }
  (void)MistakesAdd(r->mistakes, ROBION_INPUT,
                    "%s: machine.meta.radiationMode is \"%s\", expected carbon, protons or helium", r->file, mode);
  return PETSC_FALSE;
}

/* Nodes of the first focus: a row of the table, or a column of a transposed one. */
typedef struct Focus {
  const matvar_t *distance, *sigma;
  size_t n, step, foci; /* nodes; elements from one to the next; foci in the table */
} Focus;

static PetscBool IsAscending(const Focus *f)
{
  for (size_t k = 1; k < f->n; k++)
    if (!(MatlabElement(f->distance, k * f->step) > MatlabElement(f->distance, (k - 1) * f->step))) return PETSC_FALSE;
  return f->n > 1 ? PETSC_TRUE : PETSC_FALSE;
}

/* Rows of ascending distances, else columns; false after a mistake. */
static PetscBool FindFocus(Reader *r, PetscInt e, Focus *f)
{
  matvar_t *focus = MatlabField(r->data, "initFocus", (size_t)e);
  f->distance = MatlabField(focus, "dist", 0);
  f->sigma = MatlabField(focus, "sigma", 0);
  const size_t n = MatlabCount(f->distance);
  if (n < 2 || f->distance->rank != 2 || MatlabCount(f->sigma) != n || f->distance->dims[0] != f->sigma->dims[0]) {
    (void)MistakesAdd(r->mistakes, ROBION_INPUT,
                      "%s: machine.data(%d).initFocus: dist has %zu numbers and sigma %zu, expected two tables of the "
                      "same shape, of two or more",
                      r->file, (int)e + 1, n, MatlabCount(f->sigma));
    return PETSC_FALSE;
  }
  f->foci = f->step = f->distance->dims[0];
  f->n = f->distance->dims[1];
  if (IsAscending(f)) return PETSC_TRUE;
  f->n = f->distance->dims[0];
  f->foci = f->distance->dims[1];
  f->step = 1;
  if (IsAscending(f)) return PETSC_TRUE;
  (void)MistakesAdd(r->mistakes, ROBION_INPUT,
                    "%s: machine.data(%d).initFocus.dist: distances of the first focus do not ascend, expected a row "
                    "of ascending distances for each focus",
                    r->file, (int)e + 1);
  return PETSC_FALSE;
}

/* Initial sigma of the first focus at the isocentre, from its nodes against source distance. */
static PetscBool TakeSpot(Reader *r, PetscInt e, double sad_mm, double *sigma_mm)
{
  Focus f;
  size_t k = 0;
  if (!FindFocus(r, e, &f)) return PETSC_FALSE;
  const double first = MatlabElement(f.distance, 0), last = MatlabElement(f.distance, (f.n - 1) * f.step);
  if (!(sad_mm >= first && sad_mm <= last)) {
    (void)MistakesAdd(r->mistakes, ROBION_INPUT,
                      "%s: machine.data(%d).initFocus.dist goes from %g to %g mm, expected distances on both sides of "
                      "meta.SAD, %g mm",
                      r->file, (int)e + 1, first, last, sad_mm);
    return PETSC_FALSE;
  }
  r->n_focus = PetscMax(r->n_focus, (PetscInt)f.foci);
  while (k + 2 < f.n && MatlabElement(f.distance, (k + 1) * f.step) < sad_mm) k++;
  const double a = MatlabElement(f.distance, k * f.step), b = MatlabElement(f.distance, (k + 1) * f.step),
               t = (sad_mm - a) / (b - a);
  *sigma_mm = (1 - t) * MatlabElement(f.sigma, k * f.step) + t * MatlabElement(f.sigma, (k + 1) * f.step);
  return PETSC_TRUE;
}

/* One Gaussian or two. */
static PetscBool TakeLateral(Reader *r, Machine *m, PetscInt e)
{
  const size_t nd = (size_t)m->n_depth;
  double *sigma = m->sigma_mm + (size_t)e * nd * (size_t)m->n_component;
  double *share = m->component + (size_t)e * nd * (size_t)m->n_component;
  if (m->n_component == 1) {
    for (size_t d = 0; d < nd; d++) share[d] = 1;
    return TakeDepths(r, m, e, "sigma", 1, sigma);
  }
  if (!TakeDepths(r, m, e, "sigma1", 1, sigma) || !TakeDepths(r, m, e, "sigma2", 1, sigma + nd) ||
      !TakeDepths(r, m, e, "weight", 1, share + nd))
    return PETSC_FALSE;
  for (size_t d = 0; d < nd; d++) share[d] = 1 - share[nd + d];
  return PETSC_TRUE;
}

/* Number of Gaussians: two where the file has them, and what of its lateral tables is left behind is said. */
static PetscInt CountLateral(const Reader *r)
{
  PetscBool two = PETSC_TRUE;
  static const char *const needed[] = {"sigma1", "sigma2", "weight"};
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(needed); i++)
    if (!MatlabCount(MatlabField(r->data, needed[i], 0))) two = PETSC_FALSE;
  if (two && MatlabCount(MatlabField(r->data, "sigma", 0)))
    LogLine(LOG_WARNING, "import", NULL,
            "left behind: machine.data.sigma, one Gaussian; the file has two, sigma1 and sigma2, which are more exact "
            "(matRad takes the one unless its lateralModel is double or auto)");
  if (MatlabCount(MatlabField(r->data, "sigmaMulti", 0)))
    LogLine(LOG_WARNING, "import", NULL, "left behind: machine.data.sigmaMulti, weightMulti; %s taken",
            two ? "sigma1 and sigma2 are" : "sigma is");
  return two ? 2 : 1;
}

/* All tables of energy e. */
static PetscBool TakeEnergy(Reader *r, Machine *m, PetscInt e)
{
  size_t nd = (size_t)m->n_depth, nt = (size_t)m->n_tissue, row = (size_t)e * nd;
  const char *data = "machine.data";
  double offset = 0;
  PetscBool good = Take(r, r->data, e, data, "energy", 1, 1, m->energy_MeV_u + e) &&
                           Take(r, r->data, e, data, "range", 1, 1, m->csda_range_mm + e) &&
                           Take(r, r->data, e, data, "offset", 1, 1, &offset) &&
                           TakeDepths(r, m, e, "depths", 1, m->depth_mm + row) &&
                           TakeDepths(r, m, e, "Z", GY_MM2_PER_MEV_CM2_G, m->idd_Gy_mm2 + row) &&
                           TakeDepths(r, m, e, "LET", 1, m->letd_keV_um + row) && TakeLateral(r, m, e) &&
                           TakeSpot(r, e, m->sad_mm, m->spot_sigma_mm + e)
                       ? PETSC_TRUE
                       : PETSC_FALSE;
  if (good && nt)
    good = TakeClasses(r, m, e) && TakeTissues(r, m, e, "alpha", m->alpha + nt * row) &&
                   TakeTissues(r, m, e, "beta", m->beta + nt * row)
               ? PETSC_TRUE
               : PETSC_FALSE;
  if (e == 0) m->offset_mm = 0 - offset; /* no -0 */
  if (good && offset != -m->offset_mm) {
    (void)MistakesAdd(r->mistakes, ROBION_INPUT,
                      "%s: machine.data(%d).offset is %g mm, expected %g mm as for the first energy", r->file,
                      (int)e + 1, offset, 0 - m->offset_mm);
    good = PETSC_FALSE;
  }
  return good;
}

static PetscErrorCode TakeNames(const Reader *r, uint64_t hash, Machine *m)
{
  PetscFunctionBegin;
  char mode[64], name[64], description[256], created[64], text[PETSC_MAX_PATH_LEN + 512];
  TakeText(r, "radiationMode", sizeof mode, mode);
  TakeText(r, "machine", sizeof name, name);
  TakeText(r, "description", sizeof description, description);
  TakeText(r, "created_on", sizeof created, created);
  snprintf(text, sizeof text, "matRad-%s-%s", mode, name);
  PetscCall(PetscStrallocpy(text, &m->name));
  snprintf(text, sizeof text, "imported from matRad file %s: %s, created %s", r->file, description, created);
  PetscCall(PetscStrallocpy(text, &m->source));
  PetscCall(PetscMalloc1(17, &m->hash));
  snprintf(m->hash, 17, "%016llx", (unsigned long long)hash);
  PetscFunctionReturn(0);
}

/* Fill a fresh machine from the open variable; false after a mistake. */
static PetscErrorCode Convert(Reader *r, Machine *m, PetscBool *good)
{
  PetscFunctionBegin;
  *good = PETSC_FALSE;
  const size_t n_tissue = MatlabCount(MatlabField(r->data, "alphaX", 0));
  size_t n_depth = 0;
  PetscInt fewest = 0;
  for (PetscInt e = 0; e < r->n_energy; e++) {
    n_depth = PetscMax(n_depth, DepthsOf(r, e));
    if (DepthsOf(r, e) < DepthsOf(r, fewest)) fewest = e;
  }
  if (!TakeProjectile(r, m)) PetscFunctionReturn(0);
  if (!Take(r, r->meta, 0, "machine.meta", "SAD", 1, 1, &m->sad_mm)) PetscFunctionReturn(0);
  if (!Take(r, r->meta, 0, "machine.meta", "BAMStoIsoDist", 1, 1, &m->bams_to_iso_mm)) PetscFunctionReturn(0);
  if (DepthsOf(r, fewest) < 2 || n_depth > 100000 || n_tissue > 100) {
    PetscCall(MistakesAdd(r->mistakes, ROBION_INPUT,
                          "%s: machine.data(%d): %zu depths, %zu at most, and %zu tissue classes, expected 2 to "
                          "100000 and at most 100",
                          r->file, (int)fewest + 1, DepthsOf(r, fewest), n_depth, n_tissue));
    PetscFunctionReturn(0);
  }
  m->n_energy = r->n_energy;
  m->n_depth = (PetscInt)n_depth;
  m->n_component = CountLateral(r);
  m->n_tissue = (PetscInt)n_tissue;
  PetscCall(MachineAllocate(m));
  for (PetscInt e = 0; e < m->n_energy; e++)
    if (!TakeEnergy(r, m, e)) PetscFunctionReturn(0);
  PetscInt before = r->mistakes->n;
  PetscCall(MachineCheck(m, r->file, r->mistakes));
  if (r->mistakes->n > before) PetscFunctionReturn(0);
  if (r->n_focus > 1)
    LogLine(LOG_WARNING, "import", NULL, "left behind: all but the first of %d foci (machine.data.initFocus)",
            (int)r->n_focus);
  PetscCall(MachineComputeR80(m));
  PetscCall(MachineDeriveSpecies(m));
  *good = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* Open the variable `machine`; NULL after a mistake. */
static matvar_t *ReadVariable(Reader *r)
{
  static const char *const names[] = {"machine"};
  mat_t *mat = MatlabOpen(r->file, 1, names, r->mistakes);
  if (!mat) return NULL;
  matvar_t *machine = Mat_VarRead(mat, "machine");
  (void)Mat_Close(mat);
  if (!machine)
    (void)MistakesAdd(r->mistakes, ROBION_INPUT, "%s: no readable variable `machine`, expected a matRad base data file",
                      r->file);
  return machine;
}

PetscErrorCode MachineReadMatRad(const char *file, Mistakes *mistakes, Machine **out)
{
  PetscFunctionBegin;
  *out = NULL;
  char *bytes;
  size_t length;
  if (!FileRead(file, &bytes, &length, mistakes)) PetscFunctionReturn(0);
  uint64_t hash = HashBytes(HASH_START, bytes, length);
  PetscCall(PetscFree(bytes));
  Reader r = {.file = file, .mistakes = mistakes};
  matvar_t *machine = ReadVariable(&r);
  if (!machine) PetscFunctionReturn(0);
  r.meta = MatlabField(machine, "meta", 0);
  r.data = MatlabField(machine, "data", 0);
  PetscBool good = PETSC_FALSE;
  Machine *m;
  PetscCall(PetscNew(&m));
  if (r.data && r.data->class_type == MAT_C_STRUCT && r.data->rank == 2 && r.data->dims[0] * r.data->dims[1] > 0 &&
      r.data->dims[0] * r.data->dims[1] < 100000) {
    r.n_energy = (PetscInt)(r.data->dims[0] * r.data->dims[1]);
    PetscCall(Convert(&r, m, &good));
  } else {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: machine.data is no struct array, expected one element per energy", file));
  }
  if (good)
    PetscCall(TakeNames(&r, hash, m));
  else
    PetscCall(MachineDestroy(&m));
  Mat_VarFree(machine);
  *out = m;
  PetscFunctionReturn(0);
}
