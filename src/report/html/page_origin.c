/* How a plan was found, and what it was made from. */
#include "page_private.h"
#include <math.h>
#include <string.h>

void CertificateWords(const PlanCertificate *c, char words[512])
{
  static const struct {
    const char *kind, *words;
  } known[] = {
      {"rigorous", "No plan of these spots can have an objective below %.6g: this one is at most %.3g %% from the best "
                   "(rigorous: the "
                   "problem is convex)."},
      {"local", "No plan near this one has an objective below %.6g: it is at most %.3g %% from the best near it "
                "(local: RBE-weighted "
                "dose is not convex in the particles, a better plan elsewhere cannot be excluded)."},
      {"expected", "By how the objective fell so far, more iterations would bring it to about %.6g: %.3g %% from there "
                   "(expected: an "
                   "extrapolation, no bound)."},
  };
  snprintf(words, 512, "How far this plan is from the best is not known (optimizer.certificate_iterations).");
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(known); k++)
    if (!strcmp(c->kind, known[k].kind)) snprintf(words, 512, known[k].words, c->lower_bound, 100 * c->gap);
}

static PetscErrorCode AddCertificate(PlanPage *page)
{
  PetscFunctionBegin;
  const PlanCertificate *c = &page->facts->certificate;
  char words[512];
  CertificateWords(c, words);
  PetscCall(TextAdd(&page->text, "<p id='certificate'>%s", words));
  if (c->kind[0])
    PetscCall(TextAdd(&page->text, " The norm of the projected gradient fell from %.3g to %.3g.",
                      c->stationarity_at_start, c->stationarity));
  PetscCall(TextAdd(&page->text, "</p>\n"));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddHistory(PlanPage *page)
{
  PetscFunctionBegin;
  PlanHistory history;
  double low = INFINITY, high = 0;
  if (PlanReadHistory(&page->plan, page->mistakes, &history)) {
    for (PetscInt i = 0; i < history.n; i++)
      if (history.objective[i] > 0)
        low = PetscMin(low, history.objective[i]), high = PetscMax(high, history.objective[i]);
    if (history.n > 1 && high > 0) {
      const ChartSeries series = {"objective", ReportColour(1), history.n, history.iteration, history.objective, NULL,
                                  NULL};
      const Chart chart = {.title = "Objective after each iteration, logarithmic",
                           .x_label = "iteration",
                           .y_label = "objective",
                           .x_most = history.iteration[history.n - 1],
                           .y_least = pow(10, floor(log10(low))),
                           .y_most = pow(10, ceil(log10(high))),
                           .logarithmic = PETSC_TRUE,
                           .n = 1,
                           .series = &series};
      PetscCall(HTMLChart(&page->text, &chart));
    }
  }
  PetscCall(PlanHistoryDestroy(&history));
  PetscFunctionReturn(0);
}

PetscErrorCode PageSolution(PlanPage *page)
{
  PetscFunctionBegin;
  PetscCall(HTMLSection(&page->text, "solution", "How the plan was found"));
  PetscCall(TextAdd(&page->text, "<p>Objective %.6g after %g iterations and %g evaluations, robust mode %s; stopped: ",
                    page->number[PLAN_OBJECTIVE], page->number[PLAN_ITERATIONS], page->number[PLAN_EVALUATIONS],
                    page->word[PLAN_MODE]));
  PetscCall(HTMLText(&page->text, page->word[PLAN_STOPPED]));
  PetscCall(TextAdd(&page->text, ".</p>\n"));
  PetscCall(AddCertificate(page));
  PetscCall(AddHistory(page));
  PetscCall(HTMLSectionEnd(&page->text));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddInputs(PlanPage *page)
{
  PetscFunctionBegin;
  static const char *const columns[] = {"What", "File", "FNV-1a hash of its content"};
  InputFile input;
  PetscCall(HTMLTable(&page->text, "Files that the plan was made from", PETSC_STATIC_ARRAY_LENGTH(columns), columns));
  for (PetscInt i = 0; PlanReadInput(&page->plan, i, page->mistakes, &input); i++) {
    PetscCall(TextAdd(&page->text, "<tr>"));
    PetscCall(HTMLElement(&page->text, "td", NULL, input.kind));
    PetscCall(HTMLElement(&page->text, "td", NULL, input.path));
    PetscCall(TextAdd(&page->text, "<td><code>%s</code></td></tr>\n", input.hash));
  }
  PetscCall(HTMLTableEnd(&page->text));
  PetscFunctionReturn(0);
}

/* A table of the plan within the page, as far as there is room; scripts unpack it. */
static PetscErrorCode AddTable(PlanPage *page, int which, size_t *total)
{
  PetscFunctionBegin;
  char file[PETSC_MAX_PATH_LEN], *content;
  size_t n, length;
  Text link = {0}, name = {0};
  PlanFilePath(page->spec->folder, which, file);
  if (!FileRead(file, &content, &n, page->mistakes)) PetscFunctionReturn(0);
  PetscCall(TextAdd(&name, "%s_%s%s%s_%s", page->word[PLAN_CASE], page->word[PLAN_ARM],
                    page->word[PLAN_SWEEP][0] ? "_" : "", page->word[PLAN_SWEEP], plan_files[which]));
  PetscCall(HTMLDownload(&link, name.data, plan_files[which], content, n, &length));
  *total += length;
  if (*total <= PLAN_PAGE_TABLES)
    PetscCall(TextAdd(&page->text, "<li>%s</li>\n", link.data));
  else
    PetscCall(TextAdd(&page->text, "<li>%s is too large for this page: it is in the plan's folder</li>\n",
                      plan_files[which]));
  PetscCall(TextDestroy(&link));
  PetscCall(TextDestroy(&name));
  PetscCall(PetscFree(content));
  PetscFunctionReturn(0);
}

/* The plan's tables within the page, the small ones first, and a link to plan.h5 beside it. */
static PetscErrorCode AddFiles(PlanPage *page)
{
  PetscFunctionBegin;
  size_t total = 0;
  PetscCall(HTMLElement(&page->text, "h3", "id='downloads'", "Tables of this plan"));
  PetscCall(TextAdd(&page->text, "<p>They are in this page: CSV, without scripts packed by gzip.</p>\n<ul>\n"));
  for (int which = N_PLAN_FILES - 1; which > PLAN_H5 && !MistakesAny(page->mistakes); which--)
    PetscCall(AddTable(page, which, &total));
  if (page->spec->files) {
    PetscCall(TextAdd(&page->text, "<li><a download href='"));
    PetscCall(HTMLText(&page->text, page->spec->files));
    PetscCall(TextAdd(&page->text, "/%s'>%s</a>, beside this page</li>\n", plan_files[PLAN_H5], plan_files[PLAN_H5]));
  }
  PetscCall(TextAdd(&page->text, "</ul>\n"));
  PetscFunctionReturn(0);
}

/* The run that made the plan. */
static PetscErrorCode AddRun(PlanPage *page)
{
  PetscFunctionBegin;
  Text run = {0};
  PetscCall(TextAdd(&run, "Made by robion %s (commit %s) on %s rank%s, in the run that began at %s with",
                    page->word[PLAN_VERSION], page->word[PLAN_COMMIT], page->word[PLAN_RANKS],
                    strcmp(page->word[PLAN_RANKS], "1") ? "s" : "", page->word[PLAN_STARTED]));
  PetscCall(HTMLElement(&page->text, "p", "id='run'", run.data));
  PetscCall(HTMLElement(&page->text, "pre", "tabindex='0'", page->word[PLAN_COMMAND]));
  PetscCall(TextDestroy(&run));
  PetscFunctionReturn(0);
}

PetscErrorCode PageOrigin(PlanPage *page)
{
  PetscFunctionBegin;
  const double *number = page->number;
  PetscCall(HTMLSection(&page->text, "origin", "Where it comes from"));
  PetscCall(AddRun(page));
  PetscCall(TextAdd(&page->text,
                    "<p>Settings <code>%s</code>; %.4g s (preparation %.3g, influence %.3g, optimisation %.3g, "
                    "evaluation %.3g), at most "
                    "%.4g MiB on all ranks.</p>\n",
                    page->word[PLAN_SETTINGS_HASH], number[PLAN_SECONDS], number[PLAN_PREPARE_SECONDS],
                    number[PLAN_BUILD_SECONDS], number[PLAN_OPTIMIZE_SECONDS], number[PLAN_EVALUATE_SECONDS],
                    number[PLAN_PEAK_MEMORY_MiB]));
  PetscCall(AddInputs(page));
  PetscCall(TextAdd(&page->text, "<p>To make this plan alone again, store the settings below as settings.yaml and "
                                 "run</p>\n<pre>robion run settings.yaml</pre>\n"));
  PetscCall(AddFiles(page));
  PetscCall(TextAdd(&page->text, "<details><summary>Effective settings</summary>\n"));
  PetscCall(HTMLLines(&page->text, page->word[PLAN_SETTINGS]));
  PetscCall(TextAdd(&page->text, "</details>\n"));
  PetscCall(HTMLSectionEnd(&page->text));
  PetscFunctionReturn(0);
}
