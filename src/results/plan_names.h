/* Where things are in plan.h5, for those who write them and read them. */
#pragma once
#include "robion/plan_read.h"

#define GROUP_GRID "/grid" /* with the attributes: */
#define GRID_SPACING "spacing_mm"
#define GRID_ORIGIN "origin_mm"
#define GROUP_BEAM "/plan/beam_%d"    /* with the columns of a spot list */
#define BEAM_SPOT_FWHM "spot_fwhm_mm" /* a further column */
#define GROUP_STRUCTURES "/structures"
#define GROUP_OPTIMIZER "/optimizer"
#define GROUP_DVH "/dvh"
#define DVH_SCENARIOS "scenarios" /* of a structure and quantity */
#define GROUP_SCENARIO_DOSES "/dose/scenarios"
#define GROUP_BEAM_DOSES "/dose/beams" /* beam_%d in it */
#define SCENARIO_DOSE_STEP "step_Gy_RBE"
#define GROUP_HISTORY GROUP_OPTIMIZER "/history"
#define GROUP_CERTIFICATE GROUP_OPTIMIZER "/certificate"
#define DATASET_CT "/patient/hu"
#define GROUP_TIMING "/timing"
#define DATASET_SETTINGS "/provenance/settings_yaml"

/* An attribute, and what it is of; without a name the object itself. */
typedef struct PlanAttribute {
  const char *object, *name;
} PlanAttribute;

extern const PlanAttribute plan_texts[N_PLAN_TEXTS];
extern const PlanAttribute plan_numbers[N_PLAN_NUMBERS];
