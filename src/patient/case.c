/* The case object: look-up, stopping power from HU, copying to all ranks, freeing. */
#include "robion/case.h"
#include "robion/memory.h"
#include <math.h>
#include <string.h>

PetscInt CaseFindStructure(const Case *patient, const char *name)
{
  for (PetscInt s = 0; s < patient->n_structures; s++)
    if (!strcmp(patient->structures[s].name, name)) return s;
  return -1;
}

PetscInt CaseFindExternal(const Case *patient)
{
  for (PetscInt s = 0; s < patient->n_structures; s++)
    if (patient->structures[s].role == ROLE_EXTERNAL) return s;
  return -1;
}

/* Voxels of a phase that a voxel of the external structure is moved into, or next to by less than one. */
static void MarkMoved(const Case *patient, const unsigned char *inside, PetscInt phase, unsigned char *moved)
{
  const Grid *ct = &patient->ct;
  for (size_t v = 0; v < GridSize(ct); v++) {
    double centre_mm[3], there_mm[3];
    PetscInt low[3];
    if (!inside[v]) continue;
    GridCentre(ct, v, centre_mm);
    CasePlaceInPhase(patient, phase, centre_mm, there_mm);
    for (int k = 0; k < 3; k++) low[k] = (PetscInt)floor((there_mm[k] - ct->origin_mm[k]) / ct->spacing_mm[k] + 1e-6);
    for (int corner = 0; corner < 8; corner++) {
      PetscBool on = PETSC_TRUE;
      size_t at = 0;
      for (int k = 2; k >= 0; k--) {
        const PetscInt i = low[k] + (corner >> k & 1);
        if (i < 0 || i >= ct->n[k] ||
            (corner >> k & 1 && fabs(low[k] * ct->spacing_mm[k] + ct->origin_mm[k] - there_mm[k]) < 1e-3))
          on = PETSC_FALSE;
        else
          at = at * (size_t)ct->n[k] + (size_t)i;
      }
      if (on) moved[at] = 1;
    }
  }
}

PetscErrorCode CaseClearOutside(Case *patient)
{
  PetscFunctionBegin;
  const size_t n = GridSize(&patient->ct);
  PetscInt external = CaseFindExternal(patient);
  unsigned char *moved;
  if (external < 0) PetscFunctionReturn(0);
  const unsigned char *inside = patient->structures[external].mask;
  for (size_t v = 0; v < n; v++)
    if (!inside[v]) patient->rsp[v] = (float)RSP_AIR;
  PetscCall(PetscMalloc1(patient->n_phases ? n : 0, &moved));
  for (PetscInt p = 0; p < patient->n_phases; p++) {
    PetscCall(PetscArrayzero(moved, n));
    MarkMoved(patient, inside, p + 1, moved);
    for (size_t v = 0; v < n; v++)
      if (!moved[v]) patient->phases[p].rsp[v] = (float)RSP_AIR;
  }
  PetscCall(PetscFree(moved));
  PetscFunctionReturn(0);
}

PetscErrorCode CaseSetRSP(Case *patient, const HLUT *hlut)
{
  PetscFunctionBegin;
  enum { LOWEST = -32768, N_HU = 65536 };
  float *rsp_of;
  PetscCall(PetscMalloc1(N_HU, &rsp_of));
  for (int i = 0; i < N_HU; i++) {
    double rsp = HLUTEvaluate(hlut, i + LOWEST);
    PetscCheck(isfinite(rsp) && rsp >= 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
               "stopping power %g at %d HU, expected a number >= 0", rsp, i + LOWEST);
    rsp_of[i] = (float)rsp;
  }
  size_t n = GridSize(&patient->ct);
  if (!patient->rsp) PetscCall(PetscMalloc1(n, &patient->rsp));
  for (size_t v = 0; v < n; v++) patient->rsp[v] = rsp_of[patient->hu[v] - LOWEST];
  for (PetscInt p = 0; p < patient->n_phases; p++) {
    CasePhase *phase = &patient->phases[p];
    if (!phase->rsp) PetscCall(PetscMalloc1(n, &phase->rsp));
    for (size_t v = 0; v < n; v++) phase->rsp[v] = rsp_of[phase->hu[v] - LOWEST];
  }
  PetscCall(PetscFree(rsp_of));
  PetscCall(CaseClearOutside(patient));
  PetscFunctionReturn(0);
}

PetscErrorCode CaseScaleRSP(Case *patient, double percent)
{
  PetscFunctionBegin;
  const double factor = 1 + 0.01 * percent;
  for (PetscInt p = -1; p < patient->n_phases; p++) {
    float *rsp = p < 0 ? patient->rsp : patient->phases[p].rsp;
    for (size_t v = 0; v < GridSize(&patient->ct); v++) rsp[v] = (float)(factor * rsp[v]);
  }
  PetscCall(CaseClearOutside(patient));
  PetscFunctionReturn(0);
}

/* An array that may be NULL, allocated on the other ranks. `array` is the address of a pointer. */
static PetscErrorCode BroadcastArray(MPI_Comm comm, PetscMPIInt root, void *array, size_t size)
{
  PetscFunctionBegin;
  void **data = (void **)array;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  int present = rank == root && *data;
  PetscCallMPI(MPI_Bcast(&present, 1, MPI_INT, root, comm));
  if (!present) PetscFunctionReturn(0);
  if (rank != root) PetscCall(PetscMalloc(size, data));
  PetscCall(BroadcastBytes(comm, root, *data, size));
  PetscFunctionReturn(0);
}

static PetscErrorCode BroadcastString(MPI_Comm comm, PetscMPIInt root, char **string)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  unsigned long size = rank == root && *string ? strlen(*string) + 1 : 0;
  PetscCallMPI(MPI_Bcast(&size, 1, MPI_UNSIGNED_LONG, root, comm));
  PetscCall(BroadcastArray(comm, root, string, size));
  PetscFunctionReturn(0);
}

/* The voxels of a case in one copy per node; `sent` has room for a NodeArray for each of its arrays. */
static PetscErrorCode ShareVoxels(MPI_Comm comm, PetscMPIInt root, Case *p, NodeArray *sent)
{
  PetscFunctionBegin;
  const size_t n = GridSize(&p->ct);
  PetscInt n_sent = 0;
  PetscCheck(!p->copies.there, comm, PETSC_ERR_ORDER, "case %s has been broadcast already", p->name);
  sent[n_sent++] = (NodeArray){&p->hu, n * sizeof *p->hu};
  sent[n_sent++] = (NodeArray){&p->rsp, n * sizeof *p->rsp};
  for (PetscInt s = 0; s < p->n_structures; s++) sent[n_sent++] = (NodeArray){&p->structures[s].mask, n};
  for (PetscInt m = 0; m < p->n_maps; m++) sent[n_sent++] = (NodeArray){&p->maps[m].value, n * sizeof(float)};
  for (PetscInt i = 0; i < p->n_phases; i++) {
    CasePhase *phase = &p->phases[i];
    sent[n_sent++] = (NodeArray){&phase->hu, n * sizeof *phase->hu};
    sent[n_sent++] = (NodeArray){&phase->rsp, n * sizeof *phase->rsp};
    sent[n_sent++] = (NodeArray){&phase->displacement_mm, 3 * n * sizeof *phase->displacement_mm};
  }
  PetscCall(NodeCopiesCreate(comm, root, n_sent, sent, &p->copies));
  MemoryGiveBack();
  PetscFunctionReturn(0);
}

PetscErrorCode CaseBroadcast(MPI_Comm comm, PetscMPIInt root, Case **patient)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  NodeArray *sent;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank != root) *patient = NULL;
  PetscCall(BroadcastArray(comm, root, patient, sizeof **patient));
  Case *p = *patient;
  if (!p) PetscFunctionReturn(0);
  if (rank != root) { /* the pointers are those of root */
    p->name = p->source = NULL;
    p->hu = NULL;
    p->rsp = NULL;
    p->beam_gantry_deg = NULL;
    p->dicom = NULL; /* stays on root */
    p->hlut.point = NULL;
    PetscCall(PetscCalloc1((size_t)p->n_structures, &p->structures));
    PetscCall(PetscCalloc1((size_t)p->n_maps, &p->maps));
    PetscCall(PetscCalloc1((size_t)p->n_phases, &p->phases));
  }
  PetscCall(BroadcastString(comm, root, &p->name));
  PetscCall(BroadcastString(comm, root, &p->source));
  PetscCall(BroadcastArray(comm, root, &p->beam_gantry_deg, (size_t)p->n_beam_angles * sizeof *p->beam_gantry_deg));
  PetscCall(BroadcastArray(comm, root, &p->hlut.point, (size_t)p->hlut.n * sizeof *p->hlut.point));
  for (PetscInt s = 0; s < p->n_structures; s++) {
    Structure *structure = &p->structures[s];
    PetscCall(BroadcastString(comm, root, &structure->name));
    PetscCallMPI(MPI_Bcast(&structure->role, sizeof structure->role, MPI_BYTE, root, comm));
  }
  for (PetscInt m = 0; m < p->n_maps; m++) {
    PetscCall(BroadcastString(comm, root, &p->maps[m].name));
    PetscCall(BroadcastString(comm, root, &p->maps[m].unit));
  }
  for (PetscInt i = 0; i < p->n_phases; i++) {
    PetscCall(BroadcastString(comm, root, &p->phases[i].name));
    PetscCallMPI(MPI_Bcast(&p->phases[i].weight, 1, MPI_DOUBLE, root, comm));
  }
  PetscCall(PetscMalloc1(2 + p->n_structures + p->n_maps + 3 * p->n_phases, &sent));
  PetscCall(ShareVoxels(comm, root, p, sent));
  PetscCall(PetscFree(sent));
  PetscFunctionReturn(0);
}

/* The voxels, if they are this rank's own. */
static PetscErrorCode FreeVoxels(Case *p)
{
  PetscFunctionBegin;
  if (p->copies.there) PetscFunctionReturn(0);
  for (PetscInt s = 0; s < p->n_structures; s++) PetscCall(PetscFree(p->structures[s].mask));
  for (PetscInt m = 0; m < p->n_maps; m++) PetscCall(PetscFree(p->maps[m].value));
  for (PetscInt i = 0; i < p->n_phases; i++) {
    PetscCall(PetscFree(p->phases[i].hu));
    PetscCall(PetscFree(p->phases[i].rsp));
    PetscCall(PetscFree(p->phases[i].displacement_mm));
  }
  PetscCall(PetscFree(p->hu));
  PetscCall(PetscFree(p->rsp));
  PetscFunctionReturn(0);
}

PetscErrorCode CaseDestroy(Case **patient)
{
  PetscFunctionBegin;
  Case *p = *patient;
  if (!p) PetscFunctionReturn(0);
  PetscCall(FreeVoxels(p));
  PetscCall(NodeCopiesDestroy(&p->copies));
  for (PetscInt s = 0; s < p->n_structures; s++) PetscCall(PetscFree(p->structures[s].name));
  for (PetscInt m = 0; m < p->n_maps; m++) {
    PetscCall(PetscFree(p->maps[m].name));
    PetscCall(PetscFree(p->maps[m].unit));
  }
  for (PetscInt i = 0; i < p->n_phases; i++) PetscCall(PetscFree(p->phases[i].name));
  PetscCall(PetscFree(p->phases));
  PetscCall(DicomOriginDestroy(&p->dicom));
  PetscCall(PetscFree(p->hlut.point));
  PetscCall(PetscFree(p->structures));
  PetscCall(PetscFree(p->maps));
  PetscCall(PetscFree(p->name));
  PetscCall(PetscFree(p->source));
  PetscCall(PetscFree(p->beam_gantry_deg));
  PetscCall(PetscFree(*patient));
  PetscFunctionReturn(0);
}
