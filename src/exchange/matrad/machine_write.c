/* Machine -> matRad base data, the counterpart of matrad_machine.c. */
#include "matrad_private.h"
#include "robion/exchange.h"
#include "robion/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PARALLEL_SAD_MM 1e7 /* matRad knows no parallel beams: their source is ten kilometres away */

static matvar_t *Numbers(size_t rows, size_t columns, const double *value)
{
  size_t dims[2] = {rows, columns};
  return Mat_VarCreate(NULL, MAT_C_DOUBLE, MAT_T_DOUBLE, 2, dims, (void *)(uintptr_t)value, 0);
}

static matvar_t *Word(const char *text)
{
  size_t dims[2] = {1, strlen(text)};
  return Mat_VarCreate(NULL, MAT_C_CHAR, MAT_T_UINT8, 2, dims, (void *)(uintptr_t)text, 0);
}

static void Set(matvar_t *parent, PetscInt e, const char *name, matvar_t *value)
{
  Mat_VarSetStructFieldByName(parent, name, (size_t)e, value);
}

static void SetNumber(matvar_t *parent, PetscInt e, const char *name, double value)
{
  Set(parent, e, name, Numbers(1, 1, &value));
}

/* matRad's names of projectiles, or NULL. */
static const char *ModeOf(const Machine *m)
{
  return m->Z == 6 && m->A == 12  ? "carbon"
         : m->Z == 1 && m->A == 1 ? "protons"
         : m->Z == 2 && m->A == 4 ? "helium"
                                  : NULL;
}

static matvar_t *MetaOf(const Machine *m)
{
  static const char *const fields[] = {"radiationMode", "machine",       "description",       "created_by",
                                       "SAD",           "BAMStoIsoDist", "LUT_bxWidthminFWHM"};
  size_t dims[2] = {1, 1};
  matvar_t *meta =
      Mat_VarCreateStruct(NULL, 2, dims, (const char **)(uintptr_t)fields, PETSC_STATIC_ARRAY_LENGTH(fields));
  const double width[4] = {0, 1e5, 8, 8}; /* matRad's least spot width by spot spacing: one for all */
  const char *mode = ModeOf(m), *name = m->name ? m->name : "robion";
  size_t prefix = strlen("matRad-") + strlen(mode) + 1;
  if (!strncmp(name, "matRad-", 7) && strlen(name) > prefix) name += prefix; /* as it was called before its import */
  Set(meta, 0, "radiationMode", Word(mode));
  Set(meta, 0, "machine", Word(name));
  Set(meta, 0, "description", Word(m->source && *m->source ? m->source : "robion"));
  Set(meta, 0, "created_by", Word("robion"));
  SetNumber(meta, 0, "SAD", m->sad_mm > 0 ? m->sad_mm : PARALLEL_SAD_MM);
  SetNumber(meta, 0, "BAMStoIsoDist", m->bams_to_iso_mm);
  Set(meta, 0, "LUT_bxWidthminFWHM", Numbers(2, 2, width));
  return meta;
}

/* One focus, as wide at any distance from the source. */
static matvar_t *FocusOf(const Machine *m, PetscInt e)
{
  static const char *const fields[] = {"dist", "sigma", "SisFWHMAtIso"};
  size_t dims[2] = {1, 1};
  const double distance[2] = {0, 2 * (m->sad_mm > 0 ? m->sad_mm : PARALLEL_SAD_MM)};
  const double sigma[2] = {m->spot_sigma_mm[e], m->spot_sigma_mm[e]}, fwhm = FWHM_PER_SIGMA * m->spot_sigma_mm[e];
  matvar_t *focus =
      Mat_VarCreateStruct(NULL, 2, dims, (const char **)(uintptr_t)fields, PETSC_STATIC_ARRAY_LENGTH(fields));
  Set(focus, 0, "dist", Numbers(1, 2, distance));
  Set(focus, 0, "sigma", Numbers(1, 2, sigma));
  Set(focus, 0, "SisFWHMAtIso", Numbers(1, 1, &fwhm));
  return focus;
}

/* One Gaussian, or two: the second stands for all further components, with their share and mean square offset. */
static PetscErrorCode SetLateral(const Machine *m, PetscInt e, matvar_t *data)
{
  PetscFunctionBegin;
  const size_t n = (size_t)m->n_depth, components = (size_t)m->n_component, first = (size_t)e * n * components;
  double *weight, *sigma;
  if (components == 1) {
    Set(data, e, "sigma", Numbers(n, 1, m->sigma_mm + first));
    PetscFunctionReturn(0);
  }
  PetscCall(PetscCalloc2(n, &weight, n, &sigma));
  for (size_t d = 0; d < n; d++) {
    double square = 0;
    for (size_t k = 1; k < components; k++) {
      const size_t at = first + k * n + d;
      weight[d] += m->component[at];
      square += m->component[at] * m->sigma_mm[at] * m->sigma_mm[at];
    }
    sigma[d] = weight[d] > 0 ? sqrt(square / weight[d]) : m->sigma_mm[first + n + d];
    if (components == 2) sigma[d] = m->sigma_mm[first + n + d]; /* to the last bit */
    weight[d] = PetscMin(1.0, weight[d]);
  }
  Set(data, e, "sigma1", Numbers(n, 1, m->sigma_mm + first));
  Set(data, e, "sigma2", Numbers(n, 1, sigma));
  Set(data, e, "weight", Numbers(n, 1, weight));
  PetscCall(PetscFree2(weight, sigma));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetEnergy(const Machine *m, PetscInt e, matvar_t *data)
{
  PetscFunctionBegin;
  const size_t n = (size_t)m->n_depth, row = (size_t)e * n, tissues = (size_t)m->n_tissue;
  double *dose;
  PetscInt peak = 0;
  PetscCall(PetscMalloc1(n, &dose));
  for (PetscInt d = 0; d < m->n_depth; d++) {
    dose[d] = m->idd_Gy_mm2[row + (size_t)d] / GY_MM2_PER_MEV_CM2_G;
    if (dose[d] > dose[peak]) peak = d;
  }
  SetNumber(data, e, "energy", m->energy_MeV_u[e]);
  SetNumber(data, e, "range", m->csda_range_mm[e]);
  SetNumber(data, e, "peakPos", m->depth_mm[row + (size_t)peak]);
  SetNumber(data, e, "offset", 0 - m->offset_mm);
  Set(data, e, "depths", Numbers(n, 1, m->depth_mm + row));
  Set(data, e, "Z", Numbers(n, 1, dose));
  Set(data, e, "LET", Numbers(n, 1, m->letd_keV_um + row));
  PetscCall(SetLateral(m, e, data));
  Set(data, e, "initFocus", FocusOf(m, e));
  if (tissues) {
    Set(data, e, "alphaX", Numbers(1, tissues, m->alpha_x));
    Set(data, e, "betaX", Numbers(1, tissues, m->beta_x));
    Set(data, e, "alpha", Numbers(n, tissues, m->alpha + row * tissues));
    Set(data, e, "beta", Numbers(n, tissues, m->beta + row * tissues));
  }
  PetscCall(PetscFree(dose));
  PetscFunctionReturn(0);
}

static PetscErrorCode MachineVariable(const Machine *m, matvar_t **out)
{
  PetscFunctionBegin;
  static const char *const parts[] = {"meta", "data"};
  static const char *const common[] = {"energy", "range", "peakPos", "offset", "depths", "Z", "LET", "initFocus"};
  static const char *const one_gaussian[] = {"sigma"}, *const two_gaussians[] = {"sigma1", "sigma2", "weight"};
  static const char *const tissue[] = {"alphaX", "betaX", "alpha", "beta"};
  const char *fields[16];
  unsigned n = 0;
  for (int i = 0; i < 8; i++) fields[n++] = common[i];
  for (int i = 0; i < (m->n_component == 1 ? 1 : 3); i++)
    fields[n++] = m->n_component == 1 ? one_gaussian[i] : two_gaussians[i];
  for (int i = 0; i < (m->n_tissue ? 4 : 0); i++) fields[n++] = tissue[i];
  size_t one[2] = {1, 1}, energies[2] = {1, (size_t)m->n_energy};
  matvar_t *data = Mat_VarCreateStruct(NULL, 2, energies, fields, n);
  for (PetscInt e = 0; e < m->n_energy; e++) PetscCall(SetEnergy(m, e, data));
  *out = Mat_VarCreateStruct("machine", 2, one, (const char **)(uintptr_t)parts, 2);
  Set(*out, 0, "meta", MetaOf(m));
  Set(*out, 0, "data", data);
  PetscFunctionReturn(0);
}

PetscErrorCode MachineWriteMatRad(const Machine *m, const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char temporary[PETSC_MAX_PATH_LEN];
  matvar_t *variable;
  if (!ModeOf(m)) {
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT,
                          "%s: projectile Z = %d, A = %d, expected one that matRad knows (12C, 1H, 4He)", file,
                          (int)m->Z, (int)m->A));
    PetscFunctionReturn(0);
  }
  snprintf(temporary, sizeof temporary, "%s.tmp", file);
  mat_t *mat = Mat_CreateVer(temporary, "MATLAB 5.0 MAT-file, matRad base data written by robion", MAT_FT_MAT5);
  PetscBool good = mat ? PETSC_TRUE : PETSC_FALSE;
  if (good) {
    PetscCall(MachineVariable(m, &variable));
    /* matio 1.5.23 writes compressed structs in structs that it cannot read */
    good = Mat_VarWrite(mat, variable, MAT_COMPRESSION_NONE) == 0 ? PETSC_TRUE : PETSC_FALSE;
    Mat_VarFree(variable);
    if (Mat_Close(mat)) good = PETSC_FALSE;
  }
  if (!good || FilePut(temporary, file)) {
    (void)unlink(temporary);
    PetscCall(MistakesAdd(mistakes, ROBION_RESOURCES, "%s: cannot be written", file));
  }
  PetscFunctionReturn(0);
}
