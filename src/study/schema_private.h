/*
 * What a study may hold: its keys, and the checks beyond each key's own range.
 */
#pragma once
#include "robion/outcome_keys.h"
#include "robion/study.h"

extern const SchemaKey schema_study, schema_tissue, schema_objective, schema_constraint;
/* What doses of objectives, constraints and goals are counted over. */
extern const char *const per_names[];
extern const PetscInt n_per_names;

/* Rules beyond one key's own range (rules.c, scenario_rules.c). */
PetscErrorCode RuleFormatVersion(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleCase(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleCases(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleHLUT(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleMachine(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleBiology(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleTissues(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleExpression(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleStructureNames(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleDistinct(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleObjective(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleScenarios(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleAlternative(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleSpotControl(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleOutcomes(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleMetric(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleGoal(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleWindow(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleWindows(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleActivity(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleStages(Check *check, const SchemaKey *key, const Node *node, const char *path);
/* Goals on outcomes against the outcomes of the study. */
PetscErrorCode CheckGoals(Check *check, const Node *root);
/* Responses of scenarios against those that the study describes, and its tissues (scenario_rules.c). */
PetscErrorCode CheckAlternatives(Check *check, const SchemaKey *key, const Node *root);
/* Stages against the rest of a study: fractions that add up, objectives for all of them. */
PetscErrorCode CheckCourse(Check *check, const Node *root);
PetscErrorCode RuleArmNames(Check *check, const SchemaKey *key, const Node *node, const char *path);
PetscErrorCode RuleStudy(Check *check, const SchemaKey *key, const Node *node, const char *path);

/*
 * An objective that an arm or sweep gives another type leaves behind the keys of the study that this one does not take, and its
 * goal if the change brings one.
 */
PetscErrorCode ObjectiveRetype(Node *objective);
/* Write out what a mapping leaves out: of an objective for its type, of a case its name and the sizes of its phantom. */
PetscErrorCode ObjectiveComplete(Pool pool, Node *objective);
PetscErrorCode CaseComplete(Pool pool, Node *node);

/* Name of a case; if it gives none, its phantom or its file without folder and .h5, made safe. "" if it has neither. */
Line CaseName(const Node *node);

/* What other modules know the defaults of (settings.c). */
PetscErrorCode HLUTPreset(const SchemaReader *reader, const Node *node, void *base);
PetscErrorCode MachinePreset(const SchemaReader *reader, const Node *node, void *base);
PetscErrorCode BiologyPreset(const SchemaReader *reader, const Node *node, void *base);
PetscErrorCode TissuePreset(const SchemaReader *reader, const Node *node, void *base);
PetscErrorCode JudgingBiologyPreset(const SchemaReader *reader, const Node *node, void *base);
PetscErrorCode AlternativePreset(const SchemaReader *reader, const Node *node, void *base);
PetscErrorCode StagePreset(const SchemaReader *reader, const Node *node, void *base);
/* What keys of several blocks make together (settings.c). */
PetscErrorCode BeamsFinish(const SchemaReader *reader, const Node *node, void *base);
PetscErrorCode MarginFinish(const SchemaReader *reader, const Node *node, void *base);
PetscErrorCode ObjectiveModeFinish(const SchemaReader *reader, const Node *node, void *base);
PetscErrorCode ObjectiveFinish(const SchemaReader *reader, const Node *node, void *base);
PetscErrorCode TCPFinish(const SchemaReader *reader, const Node *node, void *base);
PetscErrorCode OutcomesFinish(const SchemaReader *reader, const Node *node, void *base);
PetscErrorCode ConstraintFinish(const SchemaReader *reader, const Node *node, void *base);
PetscErrorCode MetricFinish(const SchemaReader *reader, const Node *node, void *base);
PetscErrorCode GoalFinish(const SchemaReader *reader, const Node *node, void *base);

/* The same study, which must be free of mistakes, in the table's order and with every default filled in. */
PetscErrorCode StudyComplete(Pool pool, const Node *root, Node **out);

/* Read a complete tree with a single case into settings; `file` roots relative paths. */
PetscErrorCode SettingsCreate(const Node *root, const char *file, Settings *settings);
PetscErrorCode SettingsDestroy(Settings *settings);

/* A value to be put at a dotted path of the tree. */
typedef struct Override {
  const char *path, *prefix; /* prefix: "arms.tight", said before the path in messages */
  Place place;               /* of the path */
  const Node *value;
  PetscBool of_plan; /* by an arm or sweep, which may not change everything */
} Override;
/*
 * Put it there: merged over a mapping, else replaced; an empty mapping empties one, but not if it is an arm's or sweep's. A
 * path that leads nowhere is a mistake.
 */
PetscErrorCode OverrideApply(Check *check, Pool pool, Node *root, const Override *override);
/* Put "path=value" texts over the study and its arms, the later over the earlier; path={} empties a mapping (sweep={}: no sweep). */
PetscErrorCode StudySet(Pool pool, Node *root, PetscInt n_set, const char *const *set, Mistakes *mistakes);

/* More points than this are a slip. */
enum { SWEEP_MOST_POINTS = 20000 };
/*
 * The points of one entry of the sweep: a mapping of labels to mappings of dotted paths to values. Empty, with a mistake unless
 * the schema tells of it, if the entry makes none.
 */
PetscErrorCode SweepExpand(Check *check, Pool pool, const NodeEntry *entry, Node **axis);
/* Points that would make the same plan twice, paths that several of the n axes set. */
PetscErrorCode SweepCheck(Check *check, PetscInt n, const NodeEntry *const *key, Node *const *axis);

/* Check arms and sweep with everything they change, when the study itself has been checked. */
PetscErrorCode PlansCheck(const Node *root, Mistakes *mistakes);
/* Whether an arm or a point of the sweep changes a dotted path of the study, something below it or all of what it is in. */
PetscErrorCode PlansChange(const Node *root, const char *key, PetscBool *changes);
/*
 * A value that the command line puts at a path of the study wins over what arms say of the same path: they take it. A sweep, whose
 * points would all become the same, is a mistake.
 */
PetscErrorCode PlansYield(Check *check, Pool pool, Node *root, const Override *set);
/* Expand a study without mistakes into its plans. */
PetscErrorCode PlansCreate(const Node *root, Study *study);
/* Hashes of what shapes a plan, and its stages, from its complete tree; needs its settings (plans_shared.c). */
PetscErrorCode PlanHash(Pool pool, const Node *complete, PlanSpec *plan);
/* The hashes of a plan whose settings differ in the case alone. */
void PlanHashCopy(const PlanSpec *from, PlanSpec *to);
/* Find the plans that share an optimisation or stages; `stride` of them are of each case. */
void PlansFindShared(Study *study, PetscInt stride);
PetscErrorCode PlanDestroy(PlanSpec *plan);
