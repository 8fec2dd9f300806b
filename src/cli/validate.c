/* `robion validate`: every mistake of a study, its cases and names at once. */
#include "robion/cli.h"
#include "robion/phantom.h"
#include <string.h>
#include <unistd.h>

/* Whether two plans start from the same case with the same derived structures. */
static PetscBool SameCase(const PlanSpec *a, const PlanSpec *b)
{
  if (a->case_index != b->case_index || a->settings.n_derived != b->settings.n_derived) return PETSC_FALSE;
  for (PetscInt i = 0; i < a->settings.n_derived; i++) {
    const DerivedStructure *p = &a->settings.derived[i], *q = &b->settings.derived[i];
    if (strcmp(p->name, q->name) || strcmp(p->expression, q->expression)) return PETSC_FALSE;
  }
  return PETSC_TRUE;
}

/* Files, and the structure names of every plan; a case is read once for all plans that see it alike. */
static PetscErrorCode CheckStudy(const Study *study, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Case *patient = NULL;
  PetscCall(StudyCheckFiles(study, mistakes));
  for (PetscInt p = 0; p < study->n_plans; p++) {
    const PlanSpec *plan = &study->plans[p];
    if (p > 0 && SameCase(plan, plan - 1)) {
      if (patient) PetscCall(PlanCheckNames(&plan->settings, patient, mistakes));
    } else {
      PetscCall(CaseDestroy(&patient));
      if (!plan->settings.patient.file || !access(plan->settings.patient.file, F_OK))
        PetscCall(PlanReadCase(&plan->settings, mistakes, &patient));
      if (patient) PlanTellCase(patient);
    }
    if (patient) PetscCall(PlanCheckSettings(&plan->settings, patient, mistakes));
  }
  PetscCall(CaseDestroy(&patient));
  PetscFunctionReturn(0);
}

/* Whether the study derives this structure itself. */
static PetscBool IsDerived(const StudyMentions *mentions, const char *name)
{
  for (PetscInt i = 0; i < mentions->n; i++)
    if (mentions->item[i].kind == MENTION_DERIVED && !strcmp(mentions->item[i].text, name)) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* One case of a study that cannot be planned yet: does it exist, and does it hold the structures that are asked for? */
static PetscErrorCode CheckMentionedCase(const StudyMentions *mentions, const Mention *named, Mistakes *mistakes)
{
  PetscFunctionBegin;
  Case *patient = NULL;
  const PhantomSpec phantom = {.kind = named->text};
  if (named->kind == MENTION_PHANTOM) {
    Mistakes of_phantom = {0}; /* an unknown kind is told already */
    PetscCall(CaseBuildPhantom(&phantom, named->text, &of_phantom, &patient));
    PetscCall(MistakesClear(&of_phantom));
  } else {
    const PetscInt before = mistakes->n;
    PetscCall(StudyCheckFile(named->where, "case file", named->text, mistakes));
    if (mistakes->n == before) PetscCall(CaseLoad(named->text, mistakes, &patient));
  }
  for (PetscInt i = 0; patient && i < mentions->n; i++) {
    const Mention *m = &mentions->item[i];
    if (m->kind == MENTION_STRUCTURE && !IsDerived(mentions, m->text))
      PetscCall(PlanCheckName(patient, m->text, m->where, m->key, mistakes));
  }
  PetscCall(CaseDestroy(&patient));
  PetscFunctionReturn(0);
}

/* What can be said of cases and names although the study has mistakes. */
static PetscErrorCode CheckMentions(const char *file, PetscInt n_set, const char *const *set, Mistakes *mistakes)
{
  PetscFunctionBegin;
  StudyMentions mentions;
  PetscCall(StudyMentionsRead(file, n_set, set, &mentions));
  for (PetscInt i = 0; i < mentions.n; i++)
    if (mentions.item[i].kind == MENTION_CASE_FILE || mentions.item[i].kind == MENTION_PHANTOM)
      PetscCall(CheckMentionedCase(&mentions, &mentions.item[i], mistakes));
  PetscCall(StudyMentionsDestroy(&mentions));
  PetscFunctionReturn(0);
}

static struct {
  OptionList set;
} given;
static const Option validate_options[] = {OPTION_SET(given.set)};
static const Command command_validate = {.operands = "STUDY.yaml",
                                         .purpose = "report every mistake of a study at once; needs no MPI launcher",
                                         .least = 1,
                                         .most = 1,
                                         .n_option = PETSC_STATIC_ARRAY_LENGTH(validate_options),
                                         .option = validate_options};

static PetscErrorCode Validate(const Arguments *arguments, Mistakes *mistakes, RobionExit *exit_code)
{
  PetscFunctionBegin;
  const char *file;
  Study *study = NULL;
  PetscCall(ArgumentsParse(arguments, &verb_validate, &command_validate, &file, mistakes));
  if (!MistakesAny(mistakes)) PetscCall(StudyLoad(file, given.set.n, given.set.text, mistakes, &study));
  if (study)
    PetscCall(CheckStudy(study, mistakes));
  else if (MistakesExit(mistakes) == ROBION_STUDY)
    PetscCall(CheckMentions(file, given.set.n, given.set.text, mistakes));
  if (study && !MistakesAny(mistakes)) printf("%s: %d plans, no mistakes\n", file, (int)study->n_plans);
  PetscCall(StudyDestroy(&study));
  *exit_code = MistakesExit(mistakes);
  PetscFunctionReturn(0);
}

const Verb verb_validate = {.name = "validate", .run = Validate, .n_command = 1, .command = &command_validate};
