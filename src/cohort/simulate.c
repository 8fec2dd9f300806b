/* What a study would take on other numbers of nodes, from estimated or measured times, without planning it. */
#include "cohort_private.h"
#include "robion/gnuplot.h"
#include "robion/text.h"

/* Times of the plans that are left, one node each. */
typedef struct Simulation {
  PetscInt n, n_measured;
  double *expected_s, *order_blind, sum_s, longest_s;
} Simulation;

static PetscErrorCode SimulationCreate(const RunContext *run, const QueuePlan *plan, Simulation *simulation)
{
  PetscFunctionBegin;
  const PetscInt n = run->plan.study->n_plans;
  double *measured;
  *simulation = (Simulation){.n = 0};
  PetscCall(PetscMalloc2(n, &simulation->expected_s, n, &simulation->order_blind));
  PetscCall(PetscMalloc1(n, &measured));
  for (PetscInt p = 0; p < n; p++) measured[p] = plan[p].measured_s;
  PetscCall(CostsRefine(run->plan.study, plan, measured, simulation->expected_s));
  PetscCall(PetscFree(measured));
  for (PetscInt p = 0; p < n; p++) {
    if (plan[p].left == LEFT_OUT) continue;
    const double takes = simulation->expected_s[p];
    if (plan[p].measured_s > 0) simulation->n_measured++;
    simulation->order_blind[simulation->n] = -(double)simulation->n; /* as the study lists them */
    simulation->expected_s[simulation->n++] = takes;
    simulation->sum_s += takes;
    simulation->longest_s = PetscMax(simulation->longest_s, takes);
  }
  PetscFunctionReturn(0);
}

/* One line per number of nodes. */
static PetscErrorCode SimulationText(const Simulation *simulation, PetscInt n_nodes, const PetscInt *nodes, Text *text)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(
      text, "nodes,makespan_s,ideal_s,efficiency_percent,study_order_makespan_s,study_order_efficiency_percent\n"));
  for (PetscInt i = 0; i < n_nodes; i++) {
    double sorted, blind;
    const double ideal = simulation->sum_s / (double)nodes[i];
    PetscCall(ScheduleMakespan(simulation->n, simulation->expected_s, simulation->expected_s, nodes[i], &sorted));
    PetscCall(ScheduleMakespan(simulation->n, simulation->order_blind, simulation->expected_s, nodes[i], &blind));
    PetscCall(TextAdd(text, "%d,%.6g,%.6g,%.2f,%.6g,%.2f\n", (int)nodes[i], sorted, ideal, 100 * ideal / sorted, blind,
                      100 * ideal / blind));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Draw(const char *folder, const char *title, const Text *table, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char picture[PETSC_MAX_PATH_LEN];
  Gnuplot plot;
  snprintf(picture, sizeof picture, "%s/simulation.svg", folder);
  if (!GnuplotOpen(picture, 760, 480, mistakes, &plot)) PetscFunctionReturn(0);
  (void)FileReplace(plot.data, table->data, table->length, mistakes);
  fprintf(
      plot.script,
      "set datafile separator ','\nset title \"%s\" noenhanced\nset logscale x 2\nset xlabel 'nodes'\n"
      "set ylabel 'efficiency (%%)'\nset yrange [0:105]\nset grid\nset key bottom left\n"
      "plot '%s' skip 1 using 1:4 with linespoints lw 2 pt 7 ps 0.5 title 'longest plan first', "
      "'' skip 1 using 1:6 with linespoints lw 1.5 pt 6 ps 0.5 title 'in the order of the study', 90 dt 2 notitle\n",
      title, plot.data);
  PetscCall(GnuplotClose(&plot, mistakes));
  PetscFunctionReturn(0);
}

static PetscErrorCode Write(const RunContext *run, const Simulation *simulation, const Text *text, Mistakes *mistakes)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN], title[256];
  snprintf(file, sizeof file, "%s/simulation.csv", run->options->draw);
  snprintf(title, sizeof title, "%.100s: %d plans, %.3g h on one node", run->plan.study->name, (int)simulation->n,
           simulation->sum_s / 3600);
  if (FolderMake(run->options->draw, mistakes) && FileReplace(file, text->data, text->length, mistakes))
    PetscCall(Draw(run->options->draw, title, text, mistakes));
  PetscFunctionReturn(0);
}

PetscErrorCode Simulate(RunContext *run, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  QueuePlan *plan;
  Simulation simulation;
  Text text = {0};
  Calibration calibration;
  PetscCall(PetscMalloc1(run->plan.study->n_plans, &plan));
  PetscCall(SurveyPlans(run, plan, mistakes));
  PetscCall(CostsEstimate(run->plan.comm, run->plan.study, plan, &calibration));
  PetscCall(SimulationCreate(run, plan, &simulation));
  PetscCall(SimulationText(&simulation, run->options->n_simulate, run->options->simulate, &text));
  PetscCall(PetscPrintf(run->plan.comm,
                        "%s: %d plans, one node plans one at a time; times measured for %d, estimated for the others\n"
                        "sum %.6g s, longest plan %.6g s; ideal: sum / nodes\n%s",
                        run->plan.study->name, (int)simulation.n, (int)simulation.n_measured, simulation.sum_s,
                        simulation.longest_s, text.data));
  if (run->plan.rank == 0 && run->options->draw) PetscCall(Write(run, &simulation, &text, mistakes));
  *exit_code = ROBION_DONE;
  PetscCall(TextDestroy(&text));
  PetscCall(PetscFree2(simulation.expected_s, simulation.order_blind));
  PetscCall(PetscFree(plan));
  PetscFunctionReturn(0);
}
