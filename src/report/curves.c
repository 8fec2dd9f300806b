/* Base data over depth as CSV. */
#include "robion/curves.h"
#include "robion/text.h"
#include <stdio.h>
#include <stdlib.h>

static void WriteHeader(const Machine *m, const Biology *biology, FILE *out)
{
  fprintf(out, "energy_MeV_u,depth_mm,idd_Gy_mm2,idd_MeV_cm2_g,letd_keV_um");
  if (m->n_species) {
    for (PetscInt Z = 1; Z <= m->Z; Z++) fprintf(out, ",idd_Z%d_MeV_cm2_g", (int)Z);
    fprintf(out, ",idd_recoils_MeV_cm2_g,letd_primaries_keV_um,letd_heavy_keV_um");
  }
  if (biology) fprintf(out, ",alpha_per_Gy,beta_per_Gy2");
  for (PetscInt k = 1; k <= m->n_component; k++) fprintf(out, ",share_%d,sigma_%d_mm", (int)k, (int)k);
  for (PetscInt i = 0; i < m->n_emitter; i++)
    fprintf(out, ",made_Z%d_A%d_per_mm,stopped_Z%d_A%d_per_mm", (int)m->emitter[i].Z, (int)m->emitter[i].A,
            (int)m->emitter[i].Z, (int)m->emitter[i].A);
  fprintf(out, "\n");
}

static void WriteBiology(const Machine *m, const Biology *biology, PetscInt e, PetscInt d, FILE *out)
{
  double alpha = 0, channel = 0;
  for (PetscInt k = 0; k < m->n_component; k++) {
    PetscInt at = (e * m->n_component + k) * m->n_depth + d;
    alpha += m->component[at] * biology->alpha_per_Gy[at];
    channel += m->component[at] * biology->sqrt_beta_per_Gy[at];
  }
  fprintf(out, ",%.6g,%.6g", alpha, biology->spec.averaging == AVERAGE_BETA ? channel : channel * channel);
}

static void WriteNode(const Machine *m, const Biology *biology, PetscInt e, PetscInt d, FILE *out)
{
  const PetscInt node = e * m->n_depth + d;
  const double dose = m->idd_Gy_mm2[node] / GY_MM2_PER_MEV_CM2_G;
  fprintf(out, "%.6g,%.6g,%.6g,%.6g,%.6g", m->energy_MeV_u[e], m->depth_mm[node], m->idd_Gy_mm2[node], dose,
          m->letd_keV_um[node]);
  if (m->n_species) {
    for (PetscInt Z = 1; Z <= m->Z; Z++)
      fprintf(out, ",%.6g", MachineDoseOfCharge_Gy_mm2(m, e, d, Z) / GY_MM2_PER_MEV_CM2_G);
    fprintf(out, ",%.6g,%.6g,%.6g", m->recoil[node] * dose, MachineLETd_keV_um(m, e, d, MACHINE_LET_PRIMARIES),
            MachineLETd_keV_um(m, e, d, MACHINE_LET_HEAVY));
  }
  if (biology) WriteBiology(m, biology, e, d, out);
  for (PetscInt k = 0; k < m->n_component; k++) {
    PetscInt at = (e * m->n_component + k) * m->n_depth + d;
    fprintf(out, ",%.6g,%.6g", m->component[at], m->sigma_mm[at]);
  }
  for (PetscInt i = 0; i < m->n_emitter; i++) {
    PetscInt at = (e * m->n_emitter + i) * m->n_depth + d;
    fprintf(out, ",%.6g,%.6g", (double)m->emitter_made_per_mm[at], (double)m->emitter_stopped_per_mm[at]);
  }
  fprintf(out, "\n");
}

PetscErrorCode CurvesWrite(const Machine *m, const Biology *biology, PetscInt n_energy, const PetscInt *energy,
                           const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  PetscCheck(out, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for the curves of %s", file);
  WriteHeader(m, biology, out);
  for (PetscInt i = 0; i < n_energy; i++)
    for (PetscInt d = 0; d < m->n_depth; d++) WriteNode(m, biology, energy[i], d, out);
  PetscCheck(!fclose(out), PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for the curves of %s", file);
  (void)FileReplace(file, text, length, mistakes);
  free(text);
  PetscFunctionReturn(0);
}
