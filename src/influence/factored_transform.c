/*
 * Between modes and space, one plane at a time. Channels are real: a transform of complex numbers takes two of them, as real and
 * imaginary part, so that the four channels of a place are two complex numbers that lie side by side in space as they are needed
 * there. Modes with a negative index along v follow from their mirror images. The way along u is gone only by modes along v that are kept.
 */
#include "factored.h"
#include "robion/memory.h"
#include <string.h>

/* FFTW ends the program where it has no memory of its own left to plan and transform: so many planes and bytes are more than enough. */
enum { FFT_PLANES = 4, FFT_BYTES = 32 << 20 };

/* Transforms of two complex numbers side by side, `in` and `out` apart from one element to the next. */
static PetscErrorCode CreateTransform(int n, int sign, Four *from, int in, Four *to, int out, fftw_plan *plan)
{
  PetscFunctionBegin;
  *plan = fftw_plan_many_dft(1, &n, 2, (fftw_complex *)from, NULL, 2 * in, 1, (fftw_complex *)to, NULL, 2 * out, 1,
                             sign, FFTW_ESTIMATE);
  PetscCheck(*plan, PETSC_COMM_SELF, PETSC_ERR_LIB, "no FFT of %d", n);
  PetscFunctionReturn(0);
}

PetscErrorCode FactoredCreateTransforms(struct Factored_s *f)
{
  PetscFunctionBegin;
  for (PetscInt b = 0; b < f->model->beams->n_beam; b++) {
    FactoredBeam *fb = &f->beam[b];
    if (!fb->nz) continue;
    PetscCall(MemoryRoom(f->node, FFT_PLANES * fb->plane * sizeof(Four) + FFT_BYTES));
    Four *space = fftw_malloc(fb->plane * sizeof *space);
    PetscCheck(space, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for a plane of %zu points", fb->plane);
    PetscCall(CreateTransform(fb->nu, FFTW_BACKWARD, f->work, 1, f->work, 1, &fb->u_to_space));
    PetscCall(CreateTransform(fb->nv, FFTW_BACKWARD, f->work, fb->nu, space, 1, &fb->v_to_space));
    PetscCall(CreateTransform(fb->nv, FFTW_FORWARD, space, 1, f->work, fb->nu, &fb->v_to_modes));
    PetscCall(CreateTransform(fb->nu, FFTW_FORWARD, f->work, 1, f->work, 1, &fb->u_to_modes));
    fftw_free(space);
  }
  PetscFunctionReturn(0);
}

void FactoredDestroyTransforms(FactoredBeam *fb)
{
  const fftw_plan plan[] = {fb->u_to_space, fb->v_to_space, fb->v_to_modes, fb->u_to_modes};
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(plan); k++)
    if (plan[k]) fftw_destroy_plan(plan[k]);
}

/* Along u, for all modes along v that are kept. */
static void TransformColumns(const FactoredBeam *fb, fftw_plan plan, Four *work)
{
  for (PetscInt n = 0; n < fb->nv; n++) {
    if (n >= fb->n_mode_v && n <= fb->nv - fb->n_mode_v) continue;
    fftw_complex *column = (fftw_complex *)(work + (size_t)n * (size_t)fb->nu);
    fftw_execute_dft(plan, column, column);
  }
}

void PlaneToSpace(struct Factored_s *f, const FactoredBeam *fb, const PlaneBox *box, Four *space)
{
  TransformColumns(fb, fb->u_to_space, f->work);
  for (PetscInt i = box->u_low; i < box->u_end; i++)
    fftw_execute_dft(fb->v_to_space, (fftw_complex *)(f->work + i),
                     (fftw_complex *)(space + (size_t)i * (size_t)fb->nv));
}

void PlaneToModes(struct Factored_s *f, const FactoredBeam *fb, const PlaneBox *box, Four *space)
{
  for (PetscInt n = 0; n < fb->nv; n++) {
    Four *column = f->work + (size_t)n * (size_t)fb->nu;
    memset(column, 0, (size_t)box->u_low * sizeof *column);
    memset(column + box->u_end, 0, (size_t)(fb->nu - box->u_end) * sizeof *column);
  }
  for (PetscInt i = box->u_low; i < box->u_end; i++)
    fftw_execute_dft(fb->v_to_modes, (fftw_complex *)(space + (size_t)i * (size_t)fb->nv),
                     (fftw_complex *)(f->work + i));
  TransformColumns(fb, fb->u_to_modes, f->work);
}
