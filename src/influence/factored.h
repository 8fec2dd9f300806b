/*
 * The dose operator without a matrix.
 *
 * With every voxel on its own ray's water-equivalent depth, the dose of a beam is a function of three coordinates, (u, v) in
 * the isocentre plane and depth z, that no scenario changes: scenarios only look it up at other places. That function is
 * built once per evaluation on planes of constant z, in lateral Fourier space, where every Gaussian is a factor
 * exp(-sigma^2 q^2 / 2), however wide it is and wherever its spot lies:
 *     F_c(q, z) = sum_{l,k} a_{c,l,k}(z) exp(-sigma_{l,k}(z)^2 q^2 / 2) W_l(q),   W_l(q) = sum_{j on l} w_j exp(-i q x_j)
 * over layers l and lateral components k. What the planes hold are coefficients of cubic B-splines in all three coordinates, so
 * that a voxel takes 4 x 4 x 4 taps of its channels side by side. In depth, a_{c,l,k} is a spline fitted to the tables, and the
 * sigma of a plane is such that a sigma^2 is one too. The transpose goes the same way back.
 * What voxels scatter is added up as integers, so that bits depend neither on the order nor on the ranks.
 *
 * In a divergent beam sigma is scaled to the isocentre plane by the magnification at the distance where water of that depth
 * would lie; the voxel's own magnification scales its dose.
 */
#pragma once
#include "depth_spline.h"
#include <complex.h>
#include <fftw3.h>

/* The largest cotangent counts 2^SCATTER_BITS units: 2^15 such can be added up in 63 bits. */
enum { SCATTER_BITS = 48 };

/*
 * Modes of a Gaussian are kept up to this (sigma q)^2, where it is 3e-5: so much of a single spot's peak is missing without the rest. A
 * part that is small beside the largest of its layer is cut off earlier, where as much is missing of that one's peak, if the edge of
 * a broad field, whose dose goes with the laterally integrated one, misses no more than ten times as much.
 */
#define LARGEST_MODE2 20.8

/*
 * A layer's profile over depth is a sum of splines on ever more knots, each only where the coarser ones do not do: a plane of level
 * 0 has parts of layers that end nearby, and takes the rest from few planes of coarser levels, in Fourier space.
 */
enum { DEPTH_LEVELS = 3 };

/* Lateral component of a layer in one plane. */
typedef struct FieldPart {
  PetscInt layer;
  double sigma2_mm2; /* in the isocentre plane */
  double largest_q2; /* of the modes that are kept, per mm2 */
} FieldPart;

/* What voxels look up of a plane: coefficients u_low ... u_end - 1 along u, and so on. */
typedef struct PlaneBox {
  int32_t u_low, u_end, v_low, v_end;
} PlaneBox;

typedef struct FactoredBeam {
  PetscInt nu, nv;     /* spline coefficients of a plane, periodic in u and v; v is the faster index */
  double u0_mm, v0_mm; /* of the first one */
  /* Planes of level 0, which voxels look up, then those of coarser levels, which are refined into the level before. */
  PetscInt nz; /* of level 0: coefficients of its spline over depth */
  PetscInt level_start[DEPTH_LEVELS + 1];
  DepthSpline depth[DEPTH_LEVELS];
  int32_t *coarse;      /* [plane] the first of the four planes of the next level that it takes part of */
  Four *refine;         /* [plane] and their factors */
  PlaneBox *box;        /* [plane of level 0] elsewhere nothing is computed */
  double last_mm;       /* of all tables */
  PetscInt *part_start; /* [plane of any level] */
  FieldPart *part;      /* those of plane i: part_start[i] ... part_start[i + 1] - 1 */
  double *amplitude;    /* [part][group][channel] laterally integrated, per particle */

  /* Lateral modes: q_u = mode * dq_u for the signed mode of index 0 ... nu - 1, q_v = 0 ... (n_mode_v - 1) dq_v. */
  double dq_u, dq_v;
  PetscInt n_mode_v, row; /* row: n_mode_v rounded up to FOUR */
  PetscInt *n_mode;       /* [nu] modes along v that are kept with this mode along u */
  double *filter_u, *filter_v;

  PetscInt n_line; /* spots of equal y */
  PetscInt *line_start;
  double complex *phase_u, *phase_v; /* [n_run][nu], [n_line][row] exp(-i q x) */

  fftw_plan u_to_space, v_to_space, v_to_modes, u_to_modes; /* the same on every rank */

  size_t plane;  /* Fours of one plane */
  size_t volume; /* of one tissue */
  size_t at;     /* where the beam's volumes begin: [tissue][z][u][v] */
} FactoredBeam;

/*
 * Neighbouring planes of a beam for which voxels scatter at a time, of all tissues. Every rank has a sum of its own of them: slab after slab
 * they need little memory, at the price of a look at every voxel's depth for each.
 */
typedef struct Slab {
  PetscInt beam, first, end; /* planes of level 0 */
  double low_mm, high_mm;    /* depths between which voxels have a part in them */
} Slab;

/* A slab's planes: as many as have FACTORED_SLAB_BYTES, within these numbers. */
enum { SLAB_PLANES_LEAST = 8, SLAB_PLANES_MOST = 40 };

struct Factored_s {
  struct DoseModel_s *model, own_model; /* with those groups alone that the set's scenarios look at */
  MPI_Comm team, node;
  PetscMPIInt node_rank, node_size;
  PetscBool one_node; /* the team's ranks are all on one */
  PetscBool gradients;
  double step_mm; /* between spline coefficients */
  FactoredBeam *beam;
  size_t n_volume;          /* Fours of all beams */
  size_t n_slab_volume;     /* of the largest slab; 0 without gradients */
  PetscInt n_slab, slab_at; /* the latter: that voxels scatter into now; -1: none yet */
  Slab *slab;
  MPI_Win window[4];
  /* shared by the ranks of a node */
  Four *volume;
  double *spectrum; /* of the spots of one beam: [mode u][layer][re, im][row] */
  double
      *adjoint; /* planes of one beam, without gradients coarser ones: [mode u][tissue][plane][channel][re, im][row] */
  int64_t *
      *scattered; /* [rank of the node] what its voxels scatter, [tissue][plane of a slab][u][v]; own writing only */
  /* of this rank */
  double unit[N_CHANNELS];
  double *gradient; /* [n_spot] the caller's */
  Four *work;       /* one plane in Fourier space: [mode v][mode u] two complex numbers, of two channels each */
};

/* Planes, modes and parts of beam b; step_mm is set. */
PetscErrorCode FactoredBeamCreate(struct Factored_s *f, const FactoredVoxels *voxels, PetscInt b);
PetscErrorCode FactoredBeamDestroy(FactoredBeam *beam);

static inline PetscInt PlaneCount(const FactoredBeam *beam)
{
  return beam->level_start[DEPTH_LEVELS];
}

/* Planes of a beam that are kept in Fourier space begin with this one. */
static inline PetscInt FirstKept(const struct Factored_s *f, const FactoredBeam *beam)
{
  return f->gradients ? 0 : beam->nz;
}

/* Whether voxels look a plane up, or it is of a coarser level. */
static inline PetscBool IsLookedUp(const FactoredBeam *beam, PetscInt plane)
{
  return plane >= beam->nz || beam->box[plane].u_low < beam->box[plane].u_end ? PETSC_TRUE : PETSC_FALSE;
}

/* Where a plane of a tissue begins in a slab, in Fours. */
static inline size_t SlabPlane(const struct Factored_s *f, const Slab *slab, PetscInt tissue, PetscInt plane)
{
  return ((size_t)tissue * (size_t)(slab->end - slab->first) + (size_t)(plane - slab->first)) *
         f->beam[slab->beam].plane;
}

/* The parts of all planes of a beam whose splines over depth are there. Not collective. */
PetscErrorCode FactoredCreateParts(const struct DoseModel_s *model, PetscInt b, FactoredBeam *beam);
/* The distance from the spots, mm in the isocentre plane, where no layer has more than the dropped part of its dose left. */
PetscErrorCode FactoredReach(const struct DoseModel_s *model, PetscInt b, const FactoredBeam *beam, double *reach_mm);

/*
 * The volumes of beam b from spot weights. The way back: the planes of a slab from what was scattered, and once all planes are there the
 * gradient of the beam's spots. Collective on the node.
 */
PetscErrorCode FieldForward(struct Factored_s *f, PetscInt b, const double *weight);
/* Its additions and multiplications, without those of FFTs and factors. Not collective. */
double FieldOperations(const struct Factored_s *f, PetscInt b);
PetscErrorCode FieldBackwardSlab(struct Factored_s *f, const Slab *slab);
PetscErrorCode FieldBackward(struct Factored_s *f, PetscInt b, double *gradient);

/* FFTs of all beams; then f->work into a plane in space, and back: the lines along v that the box has, others as if they were 0. Not collective but for the first, on the node. */
PetscErrorCode FactoredCreateTransforms(struct Factored_s *f);
void FactoredDestroyTransforms(FactoredBeam *beam);
void PlaneToSpace(struct Factored_s *f, const FactoredBeam *beam, const PlaneBox *box, Four *space);
void PlaneToModes(struct Factored_s *f, const FactoredBeam *beam, const PlaneBox *box, Four *space);

/* Grow the boxes of the planes of beam b so that they hold what an operator's voxels look up (sampled.c). Not collective. */
void InfluenceGrowBoxes(Influence influence, PetscInt b, PlaneBox *box);

/* Wait until all ranks of the node have written what they share. */
PetscErrorCode FactoredMeet(struct Factored_s *f);
