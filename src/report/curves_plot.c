/* Base data over depth as panels of a picture. */
#include "robion/curves.h"
#include "robion/gnuplot.h"
#include <ctype.h>
#include <string.h>

#define WIDTH 1500
#define ROW_HEIGHT 400
enum { MOST_LINES = 8, MOST_PANELS = 8 };

/* A curve of one column of the CSV. */
typedef struct Line {
  char column[32], name[48];
} Line;

/* Either one line for each energy, or several lines for the middle energy. */
typedef struct Panel {
  char title[200];
  const char *unit, *scale;
  PetscBool all_energies;
  int n;
  Line line[MOST_LINES];
} Panel;

typedef struct Panels {
  const Machine *machine;
  double middle_MeV_u, r80_mm;
  int n;
  Panel panel[MOST_PANELS];
} Panels;

static Panel *Add(Panels *p, PetscBool all_energies, const char *unit, const char *scale, const char *title)
{
  Panel *panel = &p->panel[p->n++];
  *panel = (Panel){.unit = unit, .scale = scale, .all_energies = all_energies};
  if (all_energies)
    snprintf(panel->title, sizeof panel->title, "%s", title);
  else
    snprintf(panel->title, sizeof panel->title, "%s, %.1f MeV/u", title, p->middle_MeV_u);
  return panel;
}

static void AddLine(Panel *panel, const char *column, const char *name)
{
  Line *line = &panel->line[panel->n++];
  snprintf(line->column, sizeof line->column, "%s", column);
  snprintf(line->name, sizeof line->name, "%s", name);
}

static void AddDose(Panels *p)
{
  const Machine *m = p->machine;
  const char *unit = "MeV cm^2/g per particle";
  AddLine(Add(p, PETSC_TRUE, unit, "", "Physical dose, laterally integrated"), "idd_MeV_cm2_g", "");
  if (!m->n_species) return;
  Panel *split = Add(p, PETSC_FALSE, unit, "set logscale y; set yrange [0.1:*]", "Physical dose by charge");
  AddLine(split, "idd_MeV_cm2_g", "all");
  for (PetscInt Z = PetscMin(m->Z, 6); Z >= 1; Z--) {
    char column[32];
    snprintf(column, sizeof column, "idd_Z%d_MeV_cm2_g", (int)Z);
    AddLine(split, column, ElementSymbol(Z));
  }
  AddLine(split, "idd_recoils_MeV_cm2_g", "target recoils");
}

static void AddLET(Panels *p)
{
  const char *unit = "keV/{/Symbol m}m", *scale = "set logscale y; set yrange [1:*]";
  AddLine(Add(p, PETSC_TRUE, unit, scale, "Dose-averaged LET in water, all ions"), "letd_keV_um", "");
  if (!p->machine->n_species) return;
  Panel *groups = Add(p, PETSC_FALSE, unit, scale, "Dose-averaged LET by group of ions");
  AddLine(groups, "letd_keV_um", "all, Z {/Symbol \\263} 1");
  AddLine(groups, "letd_primaries_keV_um", "primaries");
  AddLine(groups, "letd_heavy_keV_um", "Z {/Symbol \\263} 3");
}

static void AddBiology(Panels *p, const BiologySpec *spec)
{
  char title[200];
  snprintf(title, sizeof title, "{/Symbol a} of the field, model %s ({/Symbol a}_x = %g/Gy, {/Symbol b}_x = %g/Gy^2)",
           spec->model, spec->alpha_x_per_Gy, spec->beta_x_per_Gy2);
  AddLine(Add(p, PETSC_TRUE, "1/Gy", "set yrange [0:*]", title), "alpha_per_Gy", "");
  snprintf(title, sizeof title, "{/Symbol b} of the field, model %s", spec->model);
  AddLine(Add(p, PETSC_TRUE, "1/Gy^2", "set yrange [0:*]", title), "beta_per_Gy2", "");
}

static void AddLateral(Panels *p)
{
  const Machine *m = p->machine;
  const PetscBool own = m->n_species && m->species_component[0] >= 0 ? PETSC_TRUE : PETSC_FALSE;
  const char *const part[LATERAL_COMPONENTS] = {"primaries", "fragments Z {/Symbol \\263} 3",
                                                "fragments Z {/Symbol \\243} 2"};
  Panel *panel = Add(p, m->n_component == 1 ? PETSC_TRUE : PETSC_FALSE, "mm", "", "Lateral {/Symbol s} in water");
  for (PetscInt k = 0; k < PetscMin(m->n_component, MOST_LINES); k++) {
    char column[32], name[48];
    snprintf(column, sizeof column, "sigma_%d_mm", (int)k + 1);
    snprintf(name, sizeof name, "component %d", (int)k + 1);
    AddLine(panel, column, own ? part[k] : name);
  }
}

static void AddEmitters(Panels *p)
{
  const Machine *m = p->machine;
  if (!m->n_emitter) return;
  Panel *panel =
      Add(p, PETSC_FALSE, "1/mm per particle", "set logscale y; set yrange [1e-6:*]", "Positron emitters at rest");
  for (PetscInt i = 0; i < PetscMin(m->n_emitter, MOST_LINES); i++) {
    char column[32], name[48];
    snprintf(column, sizeof column, "stopped_Z%d_A%d_per_mm", (int)m->emitter[i].Z, (int)m->emitter[i].A);
    snprintf(name, sizeof name, "^{%d}%s", (int)m->emitter[i].A, ElementSymbol(m->emitter[i].Z));
    AddLine(panel, column, name);
  }
}

static void Draw(const Panels *p, const Panel *panel, FILE *out)
{
  fprintf(out, "set title \"%s\"\nset ylabel \"%s\"\n%s\n", panel->title, panel->unit, panel->scale);
  if (panel->all_energies) {
    fprintf(out,
            "plot for [i=1:words(energies)] data using (of(word(energies, i))):'%s' with lines lw 2 lc i title "
            "sprintf('%%.1f MeV/u', real(word(energies, i)))\n",
            panel->line[0].column);
  } else {
    fprintf(out, "set arrow 1 from first %g, graph 0 to first %g, graph 1 nohead dt 3 lc rgb '#888888'\nplot ",
            p->r80_mm, p->r80_mm);
    for (int k = 0; k < panel->n; k++)
      fprintf(out,
              "data using (of(middle)):(column('%s') > 0 ? column('%s') : NaN) with lines lw 2 lc %d title \"%s\", ",
              panel->line[k].column, panel->line[k].column, k + 1, panel->line[k].name);
    fprintf(out, "NaN with lines dt 3 lc rgb '#888888' title 'R_{80}'\nunset arrow 1\n");
  }
  fprintf(out, "set yrange [*:*]\nunset logscale y\n");
}

static void DrawAll(const Panels *p, PetscInt n_energy, const PetscInt *energy, const char *data, FILE *out)
{
  static const char *const colour[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                       "#E69F00", "#56B4E9", "#000000", "#8B6914"}; /* Okabe & Ito */
  fprintf(out, "set datafile separator ','\ndata = '%s'\nenergies = '", data);
  for (PetscInt i = 0; i < n_energy; i++) fprintf(out, "%s%.6g", i ? " " : "", p->machine->energy_MeV_u[energy[i]]);
  fprintf(out, "'\nmiddle = '%.6g'\n", p->middle_MeV_u);
  fprintf(out, "of(energy) = column('energy_MeV_u') == real(energy) ? column('depth_mm') : NaN\n");
  for (int i = 0; i < 8; i++) fprintf(out, "set linetype %d lc rgb '%s'\n", i + 1, colour[i]);
  fprintf(out, "set linetype cycle 8\nset xlabel 'depth in water / mm'\nset grid lc rgb '#dddddd'\n"
               "set key outside right top samplen 2 spacing 1.1\nset format y '%%g'\nset lmargin 10\nset rmargin 21\n");
  fprintf(out, "set multiplot layout %d,2 title '", (p->n + 1) / 2);
  for (const char *c = p->machine->name ? p->machine->name : "base data"; *c; c++)
    if (isalnum((unsigned char)*c) || strchr(" -_.,:+()", *c)) fputc(*c, out); /* a name from a file is no command */
  fprintf(out, "' noenhanced\n");
  for (int i = 0; i < p->n; i++) Draw(p, &p->panel[i], out);
  fprintf(out, "unset multiplot\nunset output\n");
}

PetscErrorCode CurvesPlot(const Machine *m, const Biology *biology, PetscInt n_energy, const PetscInt *energy,
                          const char *file, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Gnuplot plot;
  const PetscInt middle = energy[n_energy / 2], before = mistakes->n;
  Panels panels = {.machine = m, .middle_MeV_u = m->energy_MeV_u[middle], .r80_mm = m->r80_mm[middle]};
  AddDose(&panels);
  AddLET(&panels);
  if (biology) AddBiology(&panels, &biology->spec);
  AddLateral(&panels);
  AddEmitters(&panels);
  if (!GnuplotOpen(file, WIDTH, ROW_HEIGHT * ((panels.n + 1) / 2) + 40, mistakes, &plot)) PetscFunctionReturn(0);
  PetscCall(CurvesWrite(m, biology, n_energy, energy, plot.data, mistakes));
  if (mistakes->n == before) DrawAll(&panels, n_energy, energy, plot.data, plot.script);
  PetscCall(GnuplotClose(&plot, mistakes));
  PetscFunctionReturn(0);
}
