/**
 * A plan as a page of HTML: goals, dose-volume histograms, slices, scenarios, beams, how it was found and from what.
 */
#pragma once
#include "robion/error.h"
#include "robion/plan_read.h"
#include "robion/results.h"

/** Another plan of the same case, whose doses a page shows beside its own or as a difference. */
typedef struct PlanPageOther {
  char name[256];                  /* arm and sweep point */
  char folder[PETSC_MAX_PATH_LEN]; /* of the finished plan */
} PlanPageOther;

/** Where a page comes from and goes to. */
typedef struct PlanPageSpec {
  const char *folder; /* of the finished plan */
  const char *out;    /* file to write */
  const char *home;   /* address of the study's page as seen from it, NULL: none */
  const char *files;  /* address of the plan's folder as seen from the page, NULL: its files are not linked */
  PetscInt n_other;   /* of another grid, or damaged: left out */
  const PlanPageOther *other;
} PlanPageSpec;

/** The most that volumes take on a page, bytes; beyond it they are shown by every other voxel, and the page says so. */
#define PLAN_PAGE_VOLUMES 8000000

/** And the most that tables take which can be had from the page; those that do not fit are named. */
#define PLAN_PAGE_TABLES 1000000

/** What the study's page says of a plan beside its tables. */
typedef struct PlanPageFacts {
  PetscInt n_optimize, n_evaluate; /* scenarios of the sets */
  double prescription_Gy_RBE;      /* per fraction */
  char mode[32];                   /* robust mode */
  char external[128];              /* name of the patient's outline, "": none */
  PlanCertificate certificate;
} PlanPageFacts;

/** What a row of goals.csv asks for: "D95 at least 9.5 Gy(RBE) in at least 95 % of the scenarios". */
PetscErrorCode GoalWords(Text *text, const Table *goals, PetscInt row);

/** What a certificate says, in a sentence. */
void CertificateWords(const PlanCertificate *certificate, char words[512]);

/** Write the page at once. Damaged files are mistakes (ROBION_INPUT), an unwritable page ROBION_RESOURCES. Not collective. */
PetscErrorCode PlanPageWrite(const PlanPageSpec *spec, Mistakes *mistakes, PlanPageFacts *facts);
