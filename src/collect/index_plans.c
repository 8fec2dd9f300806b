/* What has become of each plan, and how many goals each arm meets. */
#include "index_private.h"

static PetscErrorCode AddPlanRow(StudyPage *page, PetscInt p)
{
  PetscFunctionBegin;
  const PlanSpec *plan = &page->study->plans[p];
  const PlanNews *news = &page->news[p];
  const Table *goals = &page->goals[p];
  const PetscInt met = GoalTableMet(goals);
  PetscCall(TextAdd(&page->text, "<tr>"));
  PetscCall(HTMLElement(&page->text, "td", NULL, plan->case_name));
  PetscCall(HTMLElement(&page->text, "td", NULL, plan->arm));
  PetscCall(HTMLElement(&page->text, "td", NULL, plan->sweep));
  if (IndexHasPage(page, p)) {
    PetscCall(TextAdd(&page->text, "<td><a href='"));
    PetscCall(HTMLText(&page->text, plan->folder));
    PetscCall(TextAdd(&page->text, ".html'>done</a></td><td class='number'>%.4g</td>", news->seconds));
    if (goals->n_rows)
      PetscCall(TextAdd(&page->text, "<td class='number %s'>%d of %d</td>", met == goals->n_rows ? "met" : "missed",
                        (int)met, (int)goals->n_rows));
    else
      PetscCall(TextAdd(&page->text, "<td>no goals</td>"));
    PetscCall(TextAdd(&page->text, "<td></td></tr>\n"));
    PetscFunctionReturn(0);
  }
  PetscCall(
      HTMLElement(&page->text, "td", news->condition == CONDITION_FAILED || page->error[p] ? "class='missed'" : NULL,
                  page->error[p] ? plan_condition_names[CONDITION_DAMAGED] : plan_condition_names[news->condition]));
  PetscCall(TextAdd(&page->text, "<td class='number'>%.4g</td><td></td>", news->seconds));
  PetscCall(HTMLElement(&page->text, "td", NULL, page->error[p] ? page->error[p] : news->reason));
  PetscCall(TextAdd(&page->text, "</tr>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode IndexPlans(StudyPage *page)
{
  PetscFunctionBegin;
  static const char *const columns[] = {"Case", "Arm", "Sweep", "State", "Seconds", "Goals met", "Why not"};
  const PetscInt n = page->study->n_plans;
  PetscInt unasked = InventoryCount(n, page->news, CONDITION_UNASKED), done = 0;
  for (PetscInt p = 0; p < n; p++) done += IndexHasPage(page, p);
  PetscCall(HTMLSection(&page->text, "plans", "Plans"));
  PetscCall(TextAdd(&page->text, "<p class='verdict %s'>%d of %d plans are done</p>\n",
                    done + unasked == n ? "met" : "missed", (int)done, (int)(n - unasked)));
  PetscCall(HTMLTable(&page->text, "Every plan, with a link to its page", PETSC_STATIC_ARRAY_LENGTH(columns), columns));
  for (PetscInt p = 0; p < n; p++)
    if (page->news[p].condition != CONDITION_UNASKED) PetscCall(AddPlanRow(page, p));
  PetscCall(HTMLTableEnd(&page->text));
  if (unasked)
    PetscCall(
        TextAdd(&page->text, "<p>%d more plans of the study were not asked for (--only, --arms).</p>\n", (int)unasked));
  PetscCall(HTMLSectionEnd(&page->text));
  PetscFunctionReturn(0);
}

/* Each goal by its words, and in how many plans of each variant it is met. */
PetscErrorCode IndexGoals(StudyPage *page)
{
  PetscFunctionBegin;
  static const char *const columns[] = {"Arm", "Goals met", "Plans that meet all of theirs"};
  PetscInt n_goal = 0;
  for (PetscInt p = 0; p < page->study->n_plans; p++) n_goal += page->goals[p].n_rows;
  if (!n_goal) PetscFunctionReturn(0);
  PetscCall(HTMLSection(&page->text, "goals", "Goals"));
  PetscCall(HTMLTable(&page->text, "Goals met by the plans of each arm", PETSC_STATIC_ARRAY_LENGTH(columns), columns));
  for (PetscInt k = 0; k < page->n_variant; k++) {
    PetscInt met = 0, all = 0, whole = 0, plans = 0;
    for (PetscInt p = 0; p < page->study->n_plans; p++) {
      const Table *goals = &page->goals[p];
      if (!IndexHasPage(page, p) || !IndexSameVariant(&page->study->plans[p], &page->study->plans[page->variant[k]]))
        continue;
      const PetscInt own = GoalTableMet(goals);
      met += own, all += goals->n_rows, whole += own == goals->n_rows, plans++;
    }
    PetscCall(TextAdd(&page->text, "<tr>"));
    PetscCall(HTMLElement(&page->text, "th", "scope='row'", page->variant_name[k].data));
    PetscCall(TextAdd(&page->text, "<td class='number'>%d of %d</td><td class='number'>%d of %d</td></tr>\n", (int)met,
                      (int)all, (int)whole, (int)plans));
  }
  PetscCall(HTMLTableEnd(&page->text));
  PetscCall(HTMLSectionEnd(&page->text));
  PetscFunctionReturn(0);
}
