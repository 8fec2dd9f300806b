/* Beams, layers and spots of a plan's page. */
#include "page_private.h"
#include <math.h>

/* The layers of a beam from the lowest energy on: spots come layer by layer or not. */
typedef struct Layers {
  PetscInt n;
  double *energy_MeV_u, *particles;
  PetscInt *spots;
} Layers;

static PetscErrorCode LayersOf(const BeamOnFile *beam, Layers *layers)
{
  PetscFunctionBegin;
  *layers = (Layers){0};
  PetscCall(PetscMalloc1(PetscMax(beam->n, 1), &layers->energy_MeV_u));
  PetscCall(PetscArraycpy(layers->energy_MeV_u, beam->energy_MeV_u, beam->n));
  PetscCall(PetscSortReal(beam->n, layers->energy_MeV_u));
  for (PetscInt i = 0; i < beam->n; i++)
    if (!i || layers->energy_MeV_u[i] != layers->energy_MeV_u[layers->n - 1])
      layers->energy_MeV_u[layers->n++] = layers->energy_MeV_u[i];
  PetscCall(PetscCalloc2(PetscMax(layers->n, 1), &layers->particles, PetscMax(layers->n, 1), &layers->spots));
  for (PetscInt i = 0; i < beam->n; i++) {
    PetscInt l = 0;
    if (!(beam->particles[i] > 0)) continue;
    while (layers->energy_MeV_u[l] != beam->energy_MeV_u[i]) l++;
    layers->particles[l] += beam->particles[i];
    layers->spots[l]++;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode LayersDestroy(Layers *layers)
{
  PetscFunctionBegin;
  PetscCall(PetscFree(layers->energy_MeV_u));
  PetscCall(PetscFree2(layers->particles, layers->spots));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddBeamRow(PlanPage *page, PetscInt b, const BeamOnFile *beam, const Layers *layers)
{
  PetscFunctionBegin;
  double particles = 0, fwhm[2] = {INFINITY, 0};
  PetscInt spots = 0, used = 0;
  for (PetscInt l = 0; l < layers->n; l++) {
    particles += layers->particles[l];
    spots += layers->spots[l];
    used += layers->spots[l] > 0;
  }
  for (PetscInt i = 0; i < beam->n; i++) {
    fwhm[0] = PetscMin(fwhm[0], beam->spot_fwhm_mm[i]);
    fwhm[1] = PetscMax(fwhm[1], beam->spot_fwhm_mm[i]);
  }
  PetscCall(TextAdd(
      &page->text,
      "<tr><th scope='row'>%d</th><td class='number'>%g</td><td class='number'>%g</td><td>%.4g, %.4g, %.4g</td>",
      (int)b, beam->gantry_deg, beam->couch_deg, beam->isocentre_mm[0], beam->isocentre_mm[1], beam->isocentre_mm[2]));
  PetscCall(TextAdd(&page->text, "<td class='number'>%g</td><td class='number'>%d</td><td class='number'>%d</td>",
                    beam->range_shifter_mm, (int)used, (int)spots));
  PetscCall(TextAdd(
      &page->text,
      "<td class='number'>%.4g – %.4g</td><td class='number'>%.3g – %.3g</td><td class='number'>%.4g</td></tr>\n",
      layers->n ? layers->energy_MeV_u[0] : 0, layers->n ? layers->energy_MeV_u[layers->n - 1] : 0,
      layers->n ? fwhm[0] : 0, fwhm[1], particles));
  PetscFunctionReturn(0);
}

/* Spots with particles, a layer after the other: [[energy, [x, y, particles, ...]], ...]. */
static PetscErrorCode AddSpots(Text *json, const BeamOnFile *beam, const Layers *layers)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(json, "["));
  for (PetscInt l = 0; l < layers->n; l++) {
    PetscInt n = 0;
    PetscCall(TextAdd(json, "%s[%.6g,[", l ? "," : "", layers->energy_MeV_u[l]));
    for (PetscInt i = 0; i < beam->n; i++)
      if (beam->energy_MeV_u[i] == layers->energy_MeV_u[l] && beam->particles[i] > 0)
        PetscCall(TextAdd(json, "%s%.4g,%.4g,%.3g", n++ ? "," : "", beam->x_mm[i], beam->y_mm[i], beam->particles[i]));
    PetscCall(TextAdd(json, "]]"));
  }
  PetscCall(TextAdd(json, "]"));
  PetscFunctionReturn(0);
}

PetscErrorCode PageBeams(PlanPage *page)
{
  PetscFunctionBegin;
  static const char *const columns[] = {
      "Beam",          "Gantry / °", "Couch / °",        "Isocentre x, y, z / mm", "Range shifter / mm",
      "Energy layers", "Spots",      "Energies / MeV/u", "Spot FWHM in air / mm",  "Ions per fraction"};
  BeamOnFile beam;
  Text json = {0};
  PetscInt b = 0;
  PetscCall(HTMLSection(&page->text, "beams", "Beams, energy layers and spots"));
  PetscCall(HTMLTable(&page->text, "Beams (IEC 61217; isocentre in DICOM LPS); spots and layers with particles",
                      PETSC_STATIC_ARRAY_LENGTH(columns), columns));
  for (; PlanReadBeam(&page->plan, b, page->mistakes, &beam); b++) {
    Layers layers;
    PetscCall(LayersOf(&beam, &layers));
    PetscCall(AddBeamRow(page, b, &beam, &layers));
    PetscCall(TextAdd(&json, b ? "," : "["));
    PetscCall(AddSpots(&json, &beam, &layers));
    PetscCall(LayersDestroy(&layers));
    PetscCall(BeamOnFileDestroy(&beam));
  }
  PetscCall(BeamOnFileDestroy(&beam));
  PetscCall(TextAdd(&json, b ? "]" : "[]"));
  PetscCall(HTMLTableEnd(&page->text));
  PetscCall(TextAdd(&page->text, "<div id='spots'></div>\n"));
  PetscCall(HTMLData(&page->text, "spot-list", json.data));
  PetscCall(HTMLSectionEnd(&page->text));
  PetscCall(TextDestroy(&json));
  PetscFunctionReturn(0);
}
