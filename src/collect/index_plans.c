/* What has become of each plan, and how many goals each arm meets. */
#include "index_private.h"
#include <string.h>

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

/* Whether two rows of goals.csv ask for the same. */
static PetscBool SameGoal(const Table *a, PetscInt row_a, const Table *b, PetscInt row_b)
{
  for (PetscInt c = GOAL_STRUCTURE; c <= GOAL_EACH_UNIT; c++)
    if (c != GOAL_VALUE && c != GOAL_MET &&
        strcmp(a->field[row_a * a->n_columns + c], b->field[row_b * b->n_columns + c]))
      return PETSC_FALSE;
  return PETSC_TRUE;
}

/* The first row of a plan's goals that asks for the same as that of another, or -1. */
static PetscInt FindGoal(const Table *goals, const Table *like, PetscInt like_row)
{
  for (PetscInt row = 0; row < goals->n_rows; row++)
    if (SameGoal(goals, row, like, like_row)) return row;
  return -1;
}

static PetscErrorCode AddGoalRow(StudyPage *page, const Table *like, PetscInt like_row)
{
  PetscFunctionBegin;
  char *const *const cell = like->field + like_row * like->n_columns;
  Text words = {0};
  PetscCall(TextAdd(&words, "%s ", cell[GOAL_STRUCTURE]));
  PetscCall(GoalWords(&words, like, like_row));
  PetscCall(TextAdd(&page->text, "<tr>"));
  PetscCall(HTMLElement(&page->text, "th", "scope='row'", words.data));
  PetscCall(TextDestroy(&words));
  PetscCall(HTMLElement(&page->text, "td", NULL, cell[GOAL_PER]));
  PetscCall(HTMLElement(&page->text, "td", NULL, cell[GOAL_SCENARIO]));
  for (PetscInt k = 0; k < page->n_variant; k++) {
    PetscInt met = 0, all = 0;
    for (PetscInt p = 0; p < page->study->n_plans; p++) {
      const Table *goals = &page->goals[p];
      const PetscInt row = FindGoal(goals, like, like_row);
      if (row < 0 || !IndexHasPage(page, p) ||
          !IndexSameVariant(&page->study->plans[p], &page->study->plans[page->variant[k]]))
        continue;
      met += goals->field[row * goals->n_columns + GOAL_MET][0] == '1', all++;
    }
    if (all)
      PetscCall(TextAdd(&page->text, "<td class='number %s'>%d of %d</td>", met == all ? "met" : "missed", (int)met,
                        (int)all));
    else
      PetscCall(TextAdd(&page->text, "<td></td>"));
  }
  PetscCall(TextAdd(&page->text, "</tr>\n"));
  PetscFunctionReturn(0);
}

/* Each goal a row, each variant a column: in how many plans it is met. */
static PetscErrorCode AddGoalTable(StudyPage *page)
{
  PetscFunctionBegin;
  const char **column;
  PetscCall(PetscMalloc1(page->n_variant + 3, &column));
  column[0] = "Goal", column[1] = "Per", column[2] = "Judged in";
  for (PetscInt k = 0; k < page->n_variant; k++) column[k + 3] = page->variant_name[k].data;
  PetscCall(HTMLTable(&page->text, "In how many plans each goal is met", page->n_variant + 3, column));
  for (PetscInt p = 0; p < page->study->n_plans; p++)
    for (PetscInt row = 0; row < page->goals[p].n_rows; row++) {
      PetscInt before = 0;
      while (before < p && FindGoal(&page->goals[before], &page->goals[p], row) < 0) before++;
      if (before == p && FindGoal(&page->goals[p], &page->goals[p], row) == row)
        PetscCall(AddGoalRow(page, &page->goals[p], row));
    }
  PetscCall(HTMLTableEnd(&page->text));
  PetscCall(PetscFree(column));
  PetscFunctionReturn(0);
}

/* How many goals each variant meets, and which. */
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
  PetscCall(AddGoalTable(page));
  PetscCall(HTMLSectionEnd(&page->text));
  PetscFunctionReturn(0);
}
