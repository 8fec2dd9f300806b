/**
 * The dose operator of scenarios: spot weights -> dose, alpha*dose, sqrt(beta)*dose and LET*dose of voxels, and its exact
 * transpose. Step 7 of the data's way.
 *
 * Entry of spot j (beam b, energy E) and voxel i, with water-equivalent depth z of the voxel's own ray and lateral offset
 * rho from the spot axis in BEV:
 *     D_ij = IDD_E(z) * sum_m w_m,E(z) G(rho; sigma_m),  sigma_m^2 = sigma_spot,E^2 + sigma_m,E(z)^2      [Gy per particle]
 * each component m cut off at the radius outside which it has its part, 1 / n_component, of `dropped_dose_fraction` of the
 * spot's dose at that depth; what is inside is scaled up so that the laterally integrated dose stays IDD. In the other
 * channels each component counts with its own alpha_m,E(z), sqrt(beta)_m,E(z) of the voxel's tissue and LET_m,E(z).
 * A scenario shifts the patient against the beams (new rays, new rho) and scales z by its range error, or by one of each beam. What
 * follows from these, the operator's sums, is the same for all scenarios that share a ScenarioSums (scenario.h): `sums` counts those.
 *
 * An `Influence` holds the rows of one block of voxels, all sums of a set, all spots. Rows never cross ranks: whoever holds a
 * block computes its dose completely, so doses do not depend on the number of ranks.
 */
#pragma once
#include "robion/beam.h"
#include "robion/quantity.h"
#include <stdint.h>

/** How the optimiser gets its doses: looked up in the beams' dose volumes, or from stored rows (see influence.h). */
typedef enum { OPERATOR_FACTORED, OPERATOR_ASSEMBLED } DoseOperator;
extern const char *const dose_operator_names[]; /* as a study writes them, indexed by DoseOperator */
extern const PetscInt n_dose_operator_names;

/** What a stored entry costs with its share of indices and channel factors, for estimates. */
#define INFLUENCE_BYTES_PER_ENTRY 5.0

/** What each rank takes at most for cotangents on their way through a factored operator, unless its planes are very large. */
#define FACTORED_SLAB_BYTES ((size_t)64 << 20)

typedef struct DoseModel_s *DoseModel;
typedef struct Influence_s *Influence;

/** Prepare look-up tables of all beams and layers. The arguments must outlive the model. Not collective. */
PetscErrorCode DoseModelCreate(const Case *patient, const Machine *machine, const Tissues *tissues,
                               const BeamSet *beams, double dropped_dose_fraction, DoseModel *model);
/**
 * A model of positron emitters at rest instead of doses, for the factored operator: of each emitter of the machine, a group, the
 * channels are its sources (EMISSION_...): per particle, mm2 and mm of water-equivalent depth what stops, per particle, mm2,
 * mm and 1e22 nuclei/cm3 what is made of target nuclei. It has no tissues, and spots are not split in it. Not collective.
 */
PetscErrorCode EmissionModelCreate(const Case *patient, const Machine *machine, const BeamSet *beams,
                                   double dropped_dose_fraction, DoseModel *model);
PetscErrorCode DoseModelDestroy(DoseModel *model);
/** Whether the beams ask for sub-beams: then InfluenceCreate makes an operator of these whatever the type, and there is no factored. */
PetscBool DoseModelIsSplit(DoseModel model);
/**
 * Trace the sub-beams of such a model for the views of a set, a part on each rank of a node, whose ranks share them; what was so traced of
 * other views is forgotten, and no operator may need it any more. Operators of views that were not traced here trace their own. Nothing
 * for other models. From then on DoseModelDestroy is collective, too. Collective on `team`.
 */
PetscErrorCode DoseModelTrace(MPI_Comm team, DoseModel model, const ScenarioSet *set);

typedef struct Factored_s *Factored;

/** The voxels that a factored operator will be asked for, all of them on every rank, and in which scenarios. */
typedef struct FactoredVoxels {
  const ScenarioSet *set;
  const Grid *grid;
  PetscInt n;
  const PetscInt *voxel; /* indices into grid */
} FactoredVoxels;

/**
 * The factored operator of a model: doses without a matrix (src/influence/factored.h). After FactoredSetWeights, the influences
 * made of it give the doses of those weights. For a gradient: FactoredBeginGradient with the largest magnitude of any
 * cotangent to come; then, as long as FactoredNextSlab says that there is one, InfluenceApplyTranspose of all blocks and sums
 * on every rank, the same each time. Doses are
 * those of rows without a cut-off within 0.2 % of the maximum. One that makes no `gradients` needs less memory; bits do not depend on the number of ranks. The model must
 * outlive it. All collective on `team`.
 */
PetscErrorCode FactoredCreate(MPI_Comm team, DoseModel model, const FactoredVoxels *voxels, PetscBool gradients,
                              Factored *factored);
/** Doses of these weights from now on; [n_spot], the same on every rank. */
PetscErrorCode FactoredSetWeights(Factored factored, const double *weight);
/**
 * A bound of a channel anywhere, in the voxels of a group (a tissue, or an emitter); what is below 1e-5 of it is noise of the
 * transforms. Collective on each node.
 */
PetscErrorCode FactoredGetLargest(Factored factored, PetscInt group, int channel, double *bound);
PetscErrorCode FactoredBeginGradient(Factored factored, const double largest_cotangent[N_CHANNELS], double *gradient);
/** The next part of the dose volumes to take cotangents; if there is none, gradient[j] of all spots is complete on every rank. */
PetscErrorCode FactoredNextSlab(Factored factored, PetscBool *there);
/** Bytes shared by the ranks of a node, and held by this rank besides once it made a gradient. Not collective. */
PetscErrorCode FactoredGetSize(Factored factored, size_t *shared_bytes, size_t *own_bytes);
/** What FactoredGetSize would say of such an operator, without the memory. Collective on `team`. */
PetscErrorCode FactoredMeasure(MPI_Comm team, DoseModel model, const FactoredVoxels *voxels, PetscBool gradients,
                               size_t *shared_bytes, size_t *own_bytes);
/** Floating-point operations of FactoredSetWeights, and bytes that it writes at least; of the node together. Not collective. */
PetscErrorCode FactoredGetWork(Factored factored, double *operations, double *bytes);
PetscErrorCode FactoredDestroy(Factored *factored);

typedef enum {
  INFLUENCE_ASSEMBLED, /* entries stored: fast, about 4.6 bytes each for four channels */
  INFLUENCE_STREAMED,  /* entries computed anew at each application: no memory, the same bits */
  INFLUENCE_FACTORED   /* looked up in a factored operator; weights and gradient go through that */
} InfluenceType;

/**
 * Operator of n voxels (indices into grid) in the scenarios of set. Traces every voxel's rays, once for all views where rays are
 * parallel, else for each; for INFLUENCE_ASSEMBLED builds all entries. Not collective.
 */
PetscErrorCode InfluenceCreate(DoseModel model, InfluenceType type, const ScenarioSet *set, const Grid *grid,
                               PetscInt n, const PetscInt *voxel, Influence *out);

/** The same for voxels that look their doses up; the operator must outlive it, weight and gradient arguments are ignored. */
PetscErrorCode InfluenceCreateFactored(Factored factored, const ScenarioSet *set, const Grid *grid, PetscInt n,
                                       const PetscInt *voxel, Influence *out);

typedef struct Depths_s *Depths;

/**
 * Depths of n voxels (indices into grid) for all beams of a model, for operators that look at the same voxels in one scenario set
 * after the other: they share the depths where rays are parallel, else each traces its own. Arguments must outlive it. Not collective.
 */
PetscErrorCode DepthsCreate(DoseModel model, const Grid *grid, PetscInt n, const PetscInt *voxel, Depths *depths);
PetscErrorCode DepthsDestroy(Depths *depths);

/** Operator of the voxels of `depths`, which must outlive it; streamed if `factored` is NULL, else looked up in that. Not collective. */
PetscErrorCode InfluenceCreateAtDepths(Depths depths, Factored factored, const ScenarioSet *set, Influence *out);

/**
 * From now on nobody but these n operators, and those of the team's other ranks, looks doses up in `factored`, which made them: what lies
 * where none of their voxels look is no longer computed. Same bits. Collective on the team.
 */
PetscErrorCode FactoredRestrict(Factored factored, PetscInt n, const Influence *influence);

/** channels[v*N_CHANNELS + c] = sum_j entry(v, j, c) weight[j] of one of the set's sums; weight in particles, [n_spot]. Not collective. */
PetscErrorCode InfluenceApply(Influence influence, PetscInt sums, const double *weight, double *channels);
/**
 * The same of all sums of the set, or of those that are `used` (NULL: all; of others channels are left as they are, or 0):
 * channels[(sums*n + v)*N_CHANNELS + c]. Faster than one after the other. Not collective.
 */
PetscErrorCode InfluenceApplyAll(Influence influence, const PetscBool *used, const double *weight, double *channels);

/** gradient[j] += sum_{v,c} entry(v, j, c) cotangent[v*N_CHANNELS + c]: the transpose of InfluenceApply. Not collective. */
PetscErrorCode InfluenceApplyTranspose(Influence influence, PetscInt sums, const double *cotangent, double *gradient);

/** Stored entries (of one component each, serving four channels) and bytes held. */
PetscErrorCode InfluenceGetSize(Influence influence, size_t *entries, size_t *bytes);

/** Entries that the nominal scenario of n voxels has: the estimate of `--dry-run`. Not collective. */
PetscErrorCode InfluenceCountEntries(DoseModel model, const Grid *grid, PetscInt n, const PetscInt *voxel,
                                     size_t *entries);

/** One beam's operator of one of the sums by columns (CSC): rows are the operator's voxels, columns the beam's spots. */
typedef struct InfluenceMatrix {
  PetscInt n_row, n_column;
  int64_t *start;           /* [n_column + 1] */
  int32_t *row;             /* [start[n_column]] ascending in each column; NULL: more than most_bytes */
  float *value[N_CHANNELS]; /* Gy, 1, 1, Gy keV/um per particle; lateral components added up */
  double bytes;             /* of rows and values */
} InfluenceMatrix;

/** The matrix of an assembled or streamed operator, if it takes no more than most_bytes (0: any). Not collective. */
PetscErrorCode InfluenceGetMatrix(Influence influence, PetscInt sums, PetscInt beam, double most_bytes,
                                  InfluenceMatrix *out);
PetscErrorCode InfluenceMatrixDestroy(InfluenceMatrix *matrix);

/** Water-equivalent depth, mm, of local voxel v for a beam and view (without range error; machine offsets included). */
double InfluenceDepth(Influence influence, PetscInt view, PetscInt beam, PetscInt v);

/**
 * Channels of all emitters of one of the sums, of a factored operator of emitters: means over each voxel's extent along the beams, in
 * which it has rsp[v] times the stopping power of water. Peaks are narrower than voxels: values at their centres would not add
 * up to what there is. channels[(emitter*n + v)*N_EMISSIONS + c]. Not collective.
 */
PetscErrorCode InfluenceApplyEmitters(Influence influence, PetscInt sums, const double *rsp, double *channels);

PetscErrorCode InfluenceDestroy(Influence *influence);
