/**
 * Keys under which a study asks for outcomes and gives the numbers of their models (outcome.h). Not collective.
 */
#pragma once
#include "robion/outcome.h"
#include "robion/schema.h"

/** Of a FractionationSpec; d_t_Gy and gamma_over_alpha come together (RuleFractionation). */
extern const SchemaKey fractionation_keys[3];
PetscErrorCode RuleFractionation(Check *check, const SchemaKey *key, const Node *node, const char *path);
/** Add the fractionation of a model of complications to a mapping that has none, where the model brings one. */
PetscErrorCode FractionationComplete(Pool pool, const OutcomeModel *model, Node *node);

/** The key of what is left out where a case lacks its structure. */
#define OPTIONAL_KEY(S, member)                                                                                        \
  {                                                                                                                    \
    "optional", TYPE_FLAG, AT(S, member), .fallback = "false", .doc = "whether cases may lack its structure"           \
  }

/** Of an OutcomeSpec; who reads them sets the fractions. Numbers of a named model are filled in. */
extern const SchemaKey schema_outcome;
/** Longest name of an outcome. */
enum { OUTCOME_NAME_MOST = 28 };

/**
 * Keys of a model of tumour control, kept in members `in` (as "tcp.") of a struct S and their share in `kept`; DEFAULT makes a
 * default of a value, or none.
 */
#define TCP_NUMBER(S, in, member, range, meaning, ...)                                                                 \
  {                                                                                                                    \
    .name = #member, .type = TYPE_NUMBER, AT(S, in member), range, .doc = meaning, __VA_ARGS__                         \
  }
#define TCP_MODEL(S, in, kept, DEFAULT)                                                                                \
  {"clonogens_percent", TYPE_NUMBER, AT(S, kept), PERCENT, ABOVE(0, 1e6), .doc = "share of the clonogens",             \
   DEFAULT("100")},                                                                                                    \
      {"link",          TYPE_WORD, AT(S, in link), WORDS(tcp_link_names), .doc = "how survival grows with clonogens",  \
       DEFAULT("power")},                                                                                              \
      TCP_NUMBER(S, in, ln_a, FROM(-100, 100), "logarithm of the factor A", DEFAULT("-3.643")),                        \
      TCP_NUMBER(S, in, kappa, FROM(0, 10), "power: exponent of the clonogens", DEFAULT("0.74")),                      \
      TCP_NUMBER(S, in, n0_clonogens, ABOVE(0, 1e15), "logarithm: N0 per 27 mm3", DEFAULT("285200")),                  \
      TCP_NUMBER(S, in, alpha_per_Gy, FROM(0, 10), "per Gy(RBE)", .unit = "1/Gy", DEFAULT("0.029")),                   \
      TCP_NUMBER(S, in, alpha_beta_Gy, ABOVE(0, 1e6), "alpha/beta", .unit = "Gy", DEFAULT("2"))
#define TCP_DEFAULT(value) .fallback = value
#define TCP_NO_DEFAULT(value) .fallback = NULL
