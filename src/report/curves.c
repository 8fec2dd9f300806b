/* Base data over depth as CSV, and that CSV as panels of gnuplot. */
#include "robion/curves.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static void WriteHeader(const Machine *m, const Biology *biology, FILE *out)
{
  fprintf(out, "energy_MeV_u,depth_mm,idd_Gy_mm2,idd_MeV_cm2_g");
  for (PetscInt Z = 1; Z <= m->Z; Z++) fprintf(out, ",idd_Z%d_MeV_cm2_g", (int)Z);
  fprintf(out, ",idd_recoils_MeV_cm2_g,letd_keV_um,letd_primaries_keV_um,letd_heavy_keV_um");
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
  fprintf(out, "%.6g,%.6g,%.6g,%.6g", m->energy_MeV_u[e], m->depth_mm[node], m->idd_Gy_mm2[node], dose);
  for (PetscInt Z = 1; Z <= m->Z; Z++)
    fprintf(out, ",%.6g", MachineDoseOfCharge_Gy_mm2(m, e, d, Z) / GY_MM2_PER_MEV_CM2_G);
  fprintf(out, ",%.6g", m->recoil[node] * dose);
  for (int group = MACHINE_LET_ALL; group <= MACHINE_LET_HEAVY; group++)
    fprintf(out, ",%.6g", MachineLETd_keV_um(m, e, d, (MachineLETGroup)group));
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
  char temporary[PETSC_MAX_PATH_LEN];
  snprintf(temporary, sizeof temporary, "%s.tmp", file);
  FILE *out = fopen(temporary, "w");
  PetscBool good = out ? PETSC_TRUE : PETSC_FALSE;
  if (out) {
    WriteHeader(m, biology, out);
    for (PetscInt i = 0; i < n_energy; i++)
      for (PetscInt d = 0; d < m->n_depth; d++) WriteNode(m, biology, energy[i], d, out);
    good = ferror(out) ? PETSC_FALSE : PETSC_TRUE;
    if (fclose(out)) good = PETSC_FALSE;
  }
  if (!good || rename(temporary, file)) {
    (void)unlink(temporary);
    PetscCall(MistakesAdd(mistakes, ROBION_RESOURCES, "%s: cannot be written", file));
  }
  PetscFunctionReturn(0);
}

/* One panel: a curve of a column for every energy. `more` are further columns, dashed, with their names. */
typedef struct Panel {
  const char *title, *unit, *column, *scale;
  const char *more[3], *names[4];
} Panel;

static void PlotPanel(const Panel *p, FILE *pipe)
{
  fprintf(pipe, "set title '%s'\nset ylabel '%s'\n%s\nplot ", p->title, p->unit, p->scale ? p->scale : "");
  fprintf(pipe,
          "for [i=1:words(energies)] data using (of(i)):'%s' with lines lw 2 lc i title word(energies,i).' MeV/u%s'",
          p->column, p->names[0] ? p->names[0] : "");
  for (int k = 0; k < 3 && p->more[k]; k++)
    fprintf(pipe,
            ", for [i=1:words(energies)] data using (of(i)):'%s' with lines lw 1.2 dt %d lc i title i==1 ? '%s' : ''",
            p->more[k], k + 2, p->names[k + 1]);
  fprintf(pipe, "\n%s\n", p->scale ? "set yrange [*:*]\nunset logscale y" : "");
}

static void PlotPanels(const Machine *m, const Biology *biology, FILE *pipe)
{
  const Panel dose = {"Laterally integrated physical dose per particle",
                      "MeV cm^2/g",
                      "idd_MeV_cm2_g",
                      "set logscale y\nset yrange [0.1:*]",
                      {m->n_species ? "idd_Z2_MeV_cm2_g" : NULL, "idd_Z1_MeV_cm2_g", "idd_recoils_MeV_cm2_g"},
                      {"", "of He", "of H", "of target recoils"}};
  const Panel let = {"Dose-averaged LET in water",
                     "keV/{/Symbol m}m",
                     "letd_keV_um",
                     "set logscale y",
                     {m->n_species ? "letd_primaries_keV_um" : NULL, "letd_heavy_keV_um"},
                     {"", "primaries", "Z >= 3"}};
  const Panel alpha = {"alpha of the field", "1/Gy", "alpha_per_Gy", NULL, {NULL}, {""}};
  const Panel beta = {"beta of the field", "1/Gy^2", "beta_per_Gy2", NULL, {NULL}, {""}};
  const Panel sigma = {"Lateral sigma in water",
                       "mm",
                       "sigma_1_mm",
                       NULL,
                       {m->n_component > 1 ? "sigma_2_mm" : NULL, m->n_component > 2 ? "sigma_3_mm" : NULL},
                       {m->n_component == LATERAL_COMPONENTS ? ", primaries" : "", "Z >= 3", "Z <= 2"}};
  const Panel emitters = {"Positron emitters at rest per particle",
                          "1/mm",
                          "stopped_Z6_A11_per_mm",
                          "set logscale y\nset yrange [1e-6:*]",
                          {"stopped_Z6_A10_per_mm", "stopped_Z8_A15_per_mm", "stopped_Z7_A13_per_mm"},
                          {", ^{11}C", "^{10}C", "^{15}O", "^{13}N"}};
  PlotPanel(&dose, pipe);
  PlotPanel(&let, pipe);
  if (biology) {
    PlotPanel(&alpha, pipe);
    PlotPanel(&beta, pipe);
  }
  PlotPanel(&sigma, pipe);
  if (m->n_emitter) PlotPanel(&emitters, pipe);
}

static void PlotFrame(const Machine *m, const Biology *biology, PetscInt n_energy, const PetscInt *energy,
                      const char *terminal, const char *data, const char *out, FILE *pipe)
{
  static const char *const colour[] = {"#0072B2", "#D55E00", "#009E73",
                                       "#CC79A7", "#E69F00", "#56B4E9"}; /* Okabe & Ito */
  const int rows = 1 + (biology ? 1 : 0) + 1;
  fprintf(pipe, "set terminal %s size 1500,%d\nset output '%s'\n", terminal, 440 * rows + 40, out);
  fprintf(pipe, "set datafile separator ','\ndata = '%s'\nenergies = '", data);
  for (PetscInt i = 0; i < n_energy; i++) fprintf(pipe, "%s%.6g", i ? " " : "", m->energy_MeV_u[energy[i]]);
  fprintf(pipe, "'\nof(i) = column('energy_MeV_u') == real(word(energies, i)) ? column('depth_mm') : NaN\n");
  for (int i = 0; i < 24; i++) fprintf(pipe, "set linetype %d lc rgb '%s'\n", i + 1, colour[i % 6]);
  fprintf(pipe, "set xlabel 'depth in water / mm'\nset grid lc rgb '#dddddd'\nset key outside right top samplen 2 "
                "spacing 1.1\nset format y '%%g'\n");
  fprintf(pipe, "set multiplot layout %d,2 title '%s' noenhanced\n", rows, m->name ? m->name : "base data");
  PlotPanels(m, biology, pipe);
  fprintf(pipe, "unset multiplot\nunset output\n");
}

PetscErrorCode CurvesPlot(const Machine *m, const Biology *biology, PetscInt n_energy, const PetscInt *energy,
                          const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  const char *dot = strrchr(file, '.');
  const char *terminal = dot && !strcasecmp(dot, ".png")   ? "pngcairo enhanced"
                         : dot && !strcasecmp(dot, ".svg") ? "svg enhanced background 'white'"
                                                           : NULL;
  char data[PETSC_MAX_PATH_LEN], picture[PETSC_MAX_PATH_LEN];
  if (!terminal || strchr(file, '\'')) {
    PetscCall(MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                          "--plot: found %s, expected a name that ends with .png or .svg", file));
    PetscFunctionReturn(0);
  }
  snprintf(data, sizeof data, "%s.csv.tmp", file);
  snprintf(picture, sizeof picture, "%s.tmp", file);
  PetscInt before = mistakes->n;
  PetscCall(CurvesWrite(m, biology, n_energy, energy, data, mistakes));
  if (mistakes->n > before) PetscFunctionReturn(0);
  FILE *pipe = popen("gnuplot 2>/dev/null", "w");
  PetscBool good = pipe ? PETSC_TRUE : PETSC_FALSE;
  if (pipe) {
    PlotFrame(m, biology, n_energy, energy, terminal, data, picture, pipe);
    good = pclose(pipe) == 0 && rename(picture, file) == 0 ? PETSC_TRUE : PETSC_FALSE;
  }
  (void)unlink(data);
  (void)unlink(picture);
  if (!good)
    PetscCall(MistakesAdd(mistakes, ROBION_RESOURCES,
                          "%s: cannot be drawn: is gnuplot installed and the folder writable?", file));
  PetscFunctionReturn(0);
}
