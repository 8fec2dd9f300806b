/*
 * The file of nuclear data (configs/fragmentation.yaml, which the program holds, or a user's own): reading and checking.
 */
#include "machine_private.h"
#include "robion/provenance.h"
#include "robion/schema.h"
#include "robion/text.h"
#include <math.h>
#include <string.h>

#define SHARE_ROUNDING 1e-6
#define LEAST_CHECKED_MEV_U 20

/* "11C" -> species; false if it is no nuclide up to oxygen. */
static PetscBool Nuclide(const char *name, Species *out)
{
  return SpeciesFind(name, out) && out->Z <= 8 && out->A < 100 ? PETSC_TRUE : PETSC_FALSE;
}

/* Where a daughter is counted: the followed nuclide of its charge with the nearest mass; -1 if none is. */
static int FollowedAs(Species s)
{
  int best = -1;
  for (int y = 1; y < YIELD_SPECIES; y++)
    if (yield_species[y].Z == s.Z &&
        (best < 0 || PetscAbsInt(yield_species[y].A - s.A) < PetscAbsInt(yield_species[best].A - s.A)))
      best = y;
  return best;
}

/* --- rules of the schema --- */

/* Keys of a mapping are nuclides of charge least..most that transport follows. */
static PetscErrorCode RuleCharges(Check *check, const Node *node, const char *path, PetscInt least, PetscInt most)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < node->n; i++) {
    Species s;
    if (!Nuclide(node->entry[i].key, &s) || s.Z < least || s.Z > most || FollowedAs(s) < 0)
      PetscCall(CheckAdd(check, node->entry[i].place, path,
                         "found %s, expected a nuclide of charge %" PetscInt_FMT " to %" PetscInt_FMT ", as 7Li or 4He",
                         LineShown(node->entry[i].key).text, least, most));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode RuleHeavy(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  PetscCall(RuleCharges(check, node, path, 3, 5));
  PetscFunctionReturn(0);
}

static PetscErrorCode RuleLight(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  PetscCall(RuleCharges(check, node, path, 1, 2));
  PetscFunctionReturn(0);
}

/* Isotope shares add up to 1. */
static PetscErrorCode RuleShares(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  double sum = 0, share;
  PetscCall(RuleCharges(check, node, path, 1, 2));
  for (PetscInt i = 0; i < node->n; i++) {
    if (!NodeNumber(node->entry[i].value, &share)) PetscFunctionReturn(0);
    sum += share;
  }
  if (fabs(sum - 1) > SHARE_ROUNDING)
    PetscCall(CheckAdd(check, node->place, path, "shares add up to %.6g, expected 1", sum));
  PetscFunctionReturn(0);
}

/* Keys are nuclides up to oxygen. */
static PetscErrorCode RuleEmitters(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  Species s;
  for (PetscInt i = 0; i < node->n; i++)
    if (i >= MOST_EMITTERS || !Nuclide(node->entry[i].key, &s))
      PetscCall(CheckAdd(check, node->entry[i].place, path, "found %s, expected at most %d nuclides, as 11C or 15O",
                         LineShown(node->entry[i].key).text, (int)MOST_EMITTERS));
  PetscFunctionReturn(0);
}

/* Energies of a curve ascend. */
static PetscErrorCode RuleCurve(Check *check, const SchemaKey *key, const Node *node, const char *path)
{
  PetscFunctionBegin;
  double before = -1, energy;
  for (PetscInt i = 0; i < node->n; i++) {
    const Node *point = node->entry[i].value;
    if (point->kind != NODE_SEQUENCE || point->n != 2 || !NodeNumber(point->entry[0].value, &energy))
      PetscFunctionReturn(0);
    if (energy <= before)
      PetscCall(CheckAdd(check, point->place, path, "found %g MeV per nucleon after %g, expected ascending energies",
                         energy, before));
    before = energy;
  }
  PetscFunctionReturn(0);
}

/* --- schema --- */

static const SchemaKey coordinate = {"coordinate", TYPE_NUMBER, .min = 0, .max = 1e5, .doc = "energy or value"};
static const SchemaKey point = {
    "point", TYPE_LIST, .min_length = 2, .max_length = 2, .element = &coordinate, .doc = "[MeV per nucleon, value]"};
#define CURVE(name, what)                                                                                              \
  {                                                                                                                    \
    name, TYPE_LIST, REQUIRED, .min_length = 1, .max_length = CURVE_POINTS, .element = &point, .rule = RuleCurve,      \
                               .doc = what                                                                             \
  }
static const SchemaKey curve = CURVE("curve", "[[MeV per nucleon, value], ...]");
static const SchemaKey section = {"section", TYPE_NUMBER, .unit = "mb",
                                  .min = 0,  .max = 2000, .doc = "cross section of one nuclide"};
static const SchemaKey number = {"number", TYPE_NUMBER, .min = 0, .max = 12, .doc = "nuclides per reaction"};

#define SOURCE                                                                                                         \
  {                                                                                                                    \
    "source", TYPE_TEXT, REQUIRED, .doc = "author, journal, year"                                                      \
  }
static const SchemaKey heavy_keys[] = {
    {"mb", TYPE_MAPPING, REQUIRED, .member = &section, .rule = RuleHeavy, .doc = "partial cross sections"}, SOURCE};
static const SchemaKey ratio_keys[] = {
    {"value", TYPE_NUMBER, REQUIRED, .min = 0.5, .max = 2, .doc = "cross section on oxygen over that on carbon"},
    SOURCE};
static const SchemaKey projectile_keys[] = {
    {"reference_MeV_u", TYPE_NUMBER, REQUIRED, .unit = "MeV/u", .min = 50, .max = 1000, .doc = "energy of the values"},
    {"hydrogen", TYPE_MAPPING, REQUIRED, CHILDREN(heavy_keys), .doc = "12C on hydrogen"},
    {"carbon", TYPE_MAPPING, REQUIRED, CHILDREN(heavy_keys), .doc = "12C on carbon"},
    {"oxygen_per_carbon", TYPE_MAPPING, REQUIRED, CHILDREN(ratio_keys), .doc = "oxygen from carbon"}};
static const SchemaKey element_keys[] = {
    {"per_reaction", TYPE_NUMBER, REQUIRED, .min = 0, .max = 6, .doc = "multiplicity"},
    {"isotopes", TYPE_MAPPING, REQUIRED, .member = &number, .rule = RuleShares, .doc = "shares of the isotopes"},
    SOURCE};
static const SchemaKey light_keys[] = {
    {"helium", TYPE_MAPPING, REQUIRED, CHILDREN(element_keys), .doc = "helium from 12C"},
    {"hydrogen", TYPE_MAPPING, REQUIRED, CHILDREN(element_keys), .doc = "hydrogen from 12C"}};
static const SchemaKey breakup_keys[] = {
    {"per_reaction", TYPE_MAPPING, REQUIRED, .member = &number, .rule = RuleLight, .doc = "fragments of helium"},
    SOURCE};
static const SchemaKey target_keys[] = {CURVE("MeV", "energy left by target fragments"), SOURCE};
static const SchemaKey total_keys[] = {
    {"of_tripathi", TYPE_NUMBER, REQUIRED, .min = 0.5, .max = 1.5, .doc = "cross section over Tripathi's"}, SOURCE};
static const SchemaKey protons_keys[] = {
    {"heavy", TYPE_NUMBER, REQUIRED, .min = 0, .max = 8, .doc = "by projectiles of charge 3 and more"},
    {"helium", TYPE_NUMBER, REQUIRED, .min = 0, .max = 8, .doc = "by helium"},
    {"hydrogen", TYPE_NUMBER, REQUIRED, .min = 0, .max = 8, .doc = "by hydrogen, and by neutrons"}};
static const SchemaKey share_keys[] = {
    {"heavy", TYPE_NUMBER, REQUIRED, .min = 0.2, .max = 0.5, .doc = "by projectiles of charge 3 and more"},
    {"helium", TYPE_NUMBER, REQUIRED, .min = 0.2, .max = 0.5, .doc = "by helium"},
    {"hydrogen", TYPE_NUMBER, REQUIRED, .min = 0.2, .max = 0.5, .doc = "by hydrogen, and by neutrons"}};
static const SchemaKey knocked_keys[] = {
    {"protons_per_reaction", TYPE_MAPPING, REQUIRED, CHILDREN(protons_keys), .doc = "and as many neutrons"},
    {"energy_share", TYPE_MAPPING, REQUIRED, CHILDREN(share_keys), .doc = "mean energy over projectile's per nucleon"},
    SOURCE};
static const SchemaKey spread_keys[] = {
    {"MeV_c", TYPE_NUMBER, REQUIRED, .unit = "MeV/c", .min = 0, .max = 300, .doc = "Goldhaber's sigma_0"},
    {"orbital_MeV_c", TYPE_NUMBER, REQUIRED, .unit = "MeV/c", .min = 0, .max = 1000,
     .doc = "transverse, of the whole projectile"},
    {"orbital_reference_MeV_u", TYPE_NUMBER, REQUIRED, .unit = "MeV/u", .min = 20, .max = 1000,
     .doc = "energy of that"},
    {"slowing_MeV_c", TYPE_NUMBER, REQUIRED, .unit = "MeV/c", .min = 0, .max = 20, .doc = "lost per nucleon removed"},
    {"slowing_reference_MeV_u", TYPE_NUMBER, REQUIRED, .unit = "MeV/u", .min = 100, .max = 1000,
     .doc = "energy of that"},
    SOURCE};
static const SchemaKey proton_keys[] = {
    {"mb", TYPE_MAPPING, REQUIRED, .member = &curve, .rule = RuleEmitters, .doc = "curves of the emitters"}, SOURCE};
static const SchemaKey ion_keys[] = {
    {"mb", TYPE_MAPPING, REQUIRED, .member = &section, .rule = RuleEmitters, .doc = "values of the emitters"}, SOURCE};
static const SchemaKey nucleus_keys[] = {
    {"protons", TYPE_MAPPING, REQUIRED, CHILDREN(proton_keys), .doc = "emitters made by protons"},
    {"ions", TYPE_MAPPING, REQUIRED, CHILDREN(ion_keys), .doc = "emitters made by heavier ions"}};

static const char *const version_names[] = {"2"};
static const PetscInt n_version_names = 1;
static const SchemaKey file_keys[] = {
    {"robion_fragmentation", TYPE_WORD, REQUIRED, .words = version_names, .n_words = &n_version_names,
     .doc = "version of the format"},
    {"projectile_fragments", TYPE_MAPPING, REQUIRED, CHILDREN(projectile_keys), .doc = "nuclides of charge 3 to 6"},
    {"light_fragments", TYPE_MAPPING, REQUIRED, CHILDREN(light_keys), .doc = "nuclides of charge 1 and 2"},
    {"helium_breakup", TYPE_MAPPING, REQUIRED, CHILDREN(breakup_keys), .doc = "what helium breaks up into"},
    {"reaction_cross_section", TYPE_MAPPING, REQUIRED, CHILDREN(total_keys), .doc = "total of ions on water"},
    {"knocked_out_nucleons", TYPE_MAPPING, REQUIRED, CHILDREN(knocked_keys),
     .doc = "nucleons of the zone of collision"},
    {"target_energy", TYPE_MAPPING, REQUIRED, CHILDREN(target_keys), .doc = "energy left by target fragments"},
    {"momentum_spread", TYPE_MAPPING, REQUIRED, CHILDREN(spread_keys), .doc = "momentum of fragments"},
    {"emitters_from_carbon", TYPE_MAPPING, REQUIRED, CHILDREN(nucleus_keys), .doc = "positron emitters of the target"},
    {"emitters_from_nitrogen", TYPE_MAPPING, REQUIRED, CHILDREN(nucleus_keys),
     .doc = "positron emitters of the target"},
    {"emitters_from_oxygen", TYPE_MAPPING, REQUIRED, CHILDREN(nucleus_keys), .doc = "positron emitters of the target"}};
static const SchemaKey file_schema = {"file", TYPE_MAPPING, CHILDREN(file_keys), .doc = "fragmentation data"};

/* --- reading a file that fits the schema --- */

static double NumberAt(const Node *node, const char *key)
{
  double value = 0;
  const Node *at = NodeGet(node, key);
  return at && NodeNumber(at, &value) ? value : 0;
}

static Curve CurveOf(const Node *list)
{
  Curve out = {.n = list->n};
  for (PetscInt i = 0; i < list->n; i++) {
    (void)NodeNumber(list->entry[i].value->entry[0].value, &out.energy_MeV_u[i]);
    (void)NodeNumber(list->entry[i].value->entry[1].value, &out.value[i]);
  }
  return out;
}

/* Add the numbers of a mapping of nuclides, times `factor`, to the daughters they are counted as. */
static void AddNuclides(const Node *mapping, double factor, double yield[YIELD_SPECIES])
{
  for (PetscInt i = 0; i < mapping->n; i++) {
    Species s = {0};
    double value = 0;
    (void)Nuclide(mapping->entry[i].key, &s);
    (void)NodeNumber(mapping->entry[i].value, &value);
    yield[FollowedAs(s)] += factor * value;
  }
}

static void ReadYields(const Node *root, Fragmentation *f)
{
  const Node *heavy = NodeGet(root, "projectile_fragments"), *light = NodeGet(root, "light_fragments");
  f->reference_MeV_u = NumberAt(heavy, "reference_MeV_u");
  f->hydrogen_total_mb = ReactionCrossSection_mb(6, 12, 1, 1, f->reference_MeV_u);
  f->oxygen_total_mb = ReactionCrossSection_mb(6, 12, 8, 16, f->reference_MeV_u);
  f->oxygen_per_carbon = NumberAt(NodeGet(heavy, "oxygen_per_carbon"), "value");
  AddNuclides(NodeGet(NodeGet(heavy, "hydrogen"), "mb"), 1, f->hydrogen_mb);
  AddNuclides(NodeGet(NodeGet(heavy, "carbon"), "mb"), f->oxygen_per_carbon, f->oxygen_mb);
  for (PetscInt i = 0; i < light->n; i++) {
    const Node *element = light->entry[i].value;
    AddNuclides(NodeGet(element, "isotopes"), NumberAt(element, "per_reaction"), f->light_yield);
  }
  AddNuclides(NodeGet(NodeGet(root, "helium_breakup"), "per_reaction"), 1, f->helium_yield);
}

static void ReadKnockedOut(const Node *node, Fragmentation *f)
{
  static const char *const group[KNOCK_FREE] = {"heavy", "helium", "hydrogen"};
  for (int i = 0; i < KNOCK_FREE; i++)
    f->knocked[i] = (Knocked){.protons = NumberAt(NodeGet(node, "protons_per_reaction"), group[i]),
                              .energy_share = NumberAt(NodeGet(node, "energy_share"), group[i])};
  for (int i = 0; i < KNOCK_FREE; i++) f->knocked[i].fall = KnockedOutFall(f->knocked[i].energy_share);
}

static void ReadEmitters(const Node *nucleus, EmitterTable *table)
{
  const Node *proton = NodeGet(NodeGet(nucleus, "protons"), "mb"), *ion = NodeGet(NodeGet(nucleus, "ions"), "mb");
  for (PetscInt i = 0; i < proton->n; i++) {
    EmitterData *e = &table->emitter[table->n++];
    (void)Nuclide(proton->entry[i].key, &e->species);
    e->proton_mb = CurveOf(proton->entry[i].value);
    e->ion_mb = NumberAt(ion, proton->entry[i].key);
  }
}

/* Charge, mass and energy that leave a reaction are those of the parent at most, at any energy. */
static PetscErrorCode CheckKept(Check *check, Place place, const char *path, const Fragmentation *f, Species parent)
{
  PetscFunctionBegin;
  double charge = 0, mass = 0;
  ReactionLeaves leaves;
  const Knocked *knocked = &f->knocked[KnockGroupOf(parent)];
  for (double energy = LEAST_CHECKED_MEV_U; energy < 1000; energy *= 1.2) {
    ReactionLeavesOf(f, parent, energy, &leaves);
    if (parent.Z > 2) CarbonYields(f, energy, leaves.yield);
    YieldSums(leaves.yield, &charge, &mass);
    mass += 2 * knocked->protons * knocked->energy_share;
    if (charge <= (double)parent.Z + 1e-9 && mass <= (double)parent.A + 1e-9) continue;
    PetscCall(CheckAdd(
        check, place, path,
        "a reaction at %.0f MeV/u sets free charge %.3f and mass number %.3f (knocked-out nucleons counted by their "
        "energy), expected at most %" PetscInt_FMT " and %" PetscInt_FMT,
        energy, charge, mass, parent.Z, parent.A));
    break;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadRoot(Check *check, const Node *root, Fragmentation *f)
{
  PetscFunctionBegin;
  PetscCall(SchemaCheck(check, &file_schema, root, ""));
  if (MistakesAny(check->mistakes)) PetscFunctionReturn(0);
  const Node *spread = NodeGet(root, "momentum_spread");
  f->of_tripathi = NumberAt(NodeGet(root, "reaction_cross_section"), "of_tripathi");
  ReadYields(root, f);
  ReadKnockedOut(NodeGet(root, "knocked_out_nucleons"), f);
  ReadEmitters(NodeGet(root, "emitters_from_carbon"), &f->from[EMISSION_OF_CARBON]);
  ReadEmitters(NodeGet(root, "emitters_from_nitrogen"), &f->from[EMISSION_OF_NITROGEN]);
  ReadEmitters(NodeGet(root, "emitters_from_oxygen"), &f->from[EMISSION_OF_OXYGEN]);
  f->momentum_MeV_c = NumberAt(spread, "MeV_c");
  f->orbital_MeV_c = NumberAt(spread, "orbital_MeV_c");
  f->orbital_reference_MeV_u = NumberAt(spread, "orbital_reference_MeV_u");
  f->slowing_MeV_c = NumberAt(spread, "slowing_MeV_c");
  f->slowing_reference_MeV_u = NumberAt(spread, "slowing_reference_MeV_u");
  f->target_energy_MeV = CurveOf(NodeGet(NodeGet(root, "target_energy"), "MeV"));
  PetscCall(CheckKept(check, NodeGet(root, "light_fragments")->place, "light_fragments", f, (Species){6, 12}));
  PetscCall(CheckKept(check, NodeGet(root, "helium_breakup")->place, "helium_breakup", f, (Species){2, 4}));
  PetscCall(CheckKept(check, NodeGet(root, "knocked_out_nucleons")->place, "knocked_out_nucleons", f, (Species){1, 1}));
  PetscFunctionReturn(0);
}

PetscErrorCode FragmentationRead(const char *file, Mistakes *mistakes, Fragmentation *out)
{
  PetscFunctionBegin;
  Pool pool;
  Node *root = NULL;
  char *own = NULL;
  const char *text = fragmentation_builtin;
  Mistakes found = {0};
  *out = (Fragmentation){0};
  if (file) {
    size_t length;
    if (!FileRead(file, &own, &length, mistakes)) PetscFunctionReturn(0);
    text = own;
  }
  Place place = {.source = file ? file : "configs/fragmentation.yaml", .line = 1, .column = 1};
  Check check = {.mistakes = &found, .place = place};
  PetscCall(PoolCreate(&pool));
  PetscCall(YamlRead(pool, text, strlen(text), place, ROBION_INPUT, &found, &root));
  if (root && !MistakesAny(&found)) PetscCall(ReadRoot(&check, root, out));
  out->hash = HashBytes(HASH_START, text, strlen(text));
  PetscCall(MistakesMove(&found, ROBION_INPUT, mistakes));
  PetscCall(PetscSegBufferDestroy(&pool));
  PetscCall(PetscFree(own));
  PetscFunctionReturn(0);
}

PetscErrorCode FragmentationLoad(const char *file, Fragmentation *out)
{
  PetscFunctionBegin;
  Mistakes mistakes = {0};
  PetscCall(FragmentationRead(file, &mistakes, out));
  PetscCheck(!MistakesAny(&mistakes), PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED, "%s", MistakesFirst(&mistakes));
  PetscFunctionReturn(0);
}
