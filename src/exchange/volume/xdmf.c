/* XDMF (www.xdmf.org): what viewers need to know to read the doses of plan.h5 where they are. Axes are named z, y, x. */
#include "robion/exchange.h"
#include "robion/text.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The path of plan.h5 as it is from the folder of the new file: its name if both are in one, else the whole path. */
static PetscErrorCode PathFrom(const char *path, const char *plan_file, char found[PETSC_MAX_PATH_LEN])
{
  PetscFunctionBegin;
  const char *slash = strrchr(path, '/'), *name = strrchr(plan_file, '/');
  char folder[PETSC_MAX_PATH_LEN], of_plan[PETSC_MAX_PATH_LEN], *whole = realpath(plan_file, NULL), *there = NULL;
  PetscCall(PetscSNPrintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path + 1) : 1, slash ? path : "."));
  there = realpath(folder, NULL);
  PetscCall(PetscStrncpy(of_plan, whole ? whole : plan_file, sizeof of_plan));
  if (strrchr(of_plan, '/')) *strrchr(of_plan, '/') = 0;
  if (there && !strcmp(there, of_plan))
    PetscCall(PetscStrncpy(found, name ? name + 1 : plan_file, PETSC_MAX_PATH_LEN));
  else
    PetscCall(PetscStrncpy(found, whole ? whole : plan_file, PETSC_MAX_PATH_LEN));
  free(whole);
  free(there);
  PetscFunctionReturn(0);
}

static PetscErrorCode AddEscaped(Text *text, const char *raw)
{
  PetscFunctionBegin;
  for (const char *c = raw; *c; c++) switch (*c) {
    case '&':
      PetscCall(TextAdd(text, "&amp;"));
      break;
    case '<':
      PetscCall(TextAdd(text, "&lt;"));
      break;
    case '"':
      PetscCall(TextAdd(text, "&quot;"));
      break;
    default:
      PetscCall(TextAdd(text, "%c", *c));
    }
  PetscFunctionReturn(0);
}

static PetscErrorCode AddGrid(const Grid *g, Text *text)
{
  PetscFunctionBegin;
  PetscCall(TextAdd(
      text, "<?xml version=\"1.0\" ?>\n<Xdmf Version=\"3.0\">\n<Domain>\n<Grid Name=\"plan\" GridType=\"Uniform\">\n"));
  PetscCall(TextAdd(text, "<Topology TopologyType=\"3DCoRectMesh\" Dimensions=\"%d %d %d\"/>\n", (int)g->n[2] + 1,
                    (int)g->n[1] + 1, (int)g->n[0] + 1));
  PetscCall(TextAdd(text,
                    "<Geometry GeometryType=\"ORIGIN_DXDYDZ\">\n<DataItem Dimensions=\"3\" Format=\"XML\">%.12g %.12g "
                    "%.12g</DataItem>\n",
                    g->origin_mm[2] - 0.5 * g->spacing_mm[2], g->origin_mm[1] - 0.5 * g->spacing_mm[1],
                    g->origin_mm[0] - 0.5 * g->spacing_mm[0]));
  PetscCall(TextAdd(text, "<DataItem Dimensions=\"3\" Format=\"XML\">%.12g %.12g %.12g</DataItem>\n</Geometry>\n",
                    g->spacing_mm[2], g->spacing_mm[1], g->spacing_mm[0]));
  PetscFunctionReturn(0);
}

static PetscErrorCode AddVolume(const Volume *v, const char *plan, Text *text)
{
  PetscFunctionBegin;
  const Grid *g = &v->grid;
  char path[64];
  PlanVolumePath(v->name, path);
  PetscCall(TextAdd(text, "<Attribute Name=\"%s, %s\" AttributeType=\"Scalar\" Center=\"Cell\">\n", v->name, v->unit));
  PetscCall(TextAdd(text, "<DataItem Dimensions=\"%d %d %d\" NumberType=\"Float\" Precision=\"4\" Format=\"HDF\">",
                    (int)g->n[2], (int)g->n[1], (int)g->n[0]));
  PetscCall(AddEscaped(text, plan));
  PetscCall(TextAdd(text, ":%s</DataItem>\n</Attribute>\n", path));
  PetscFunctionReturn(0);
}

PetscErrorCode PlanWriteXDMF(const PlanReader *plan, const char *plan_file, const char *path, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PlanVolumes names;
  Text text = {0};
  char relative[PETSC_MAX_PATH_LEN], in_plan[64];
  const PetscInt before = mistakes->n;
  PetscCall(PathFrom(path, plan_file, relative));
  PetscCall(PlanVolumeNames(plan, mistakes, &names));
  for (PetscInt i = 0; i < names.n && mistakes->n == before; i++) {
    Volume volume;
    PlanVolumePath(names.name[i], in_plan);
    if (!*in_plan) continue;
    if (PlanReadVolume(plan, names.name[i], mistakes, &volume)) {
      if (!text.length) PetscCall(AddGrid(&volume.grid, &text));
      PetscCall(AddVolume(&volume, relative, &text));
    }
    PetscCall(VolumeDestroy(&volume));
  }
  PetscCall(TextAdd(&text, "</Grid>\n</Domain>\n</Xdmf>\n"));
  if (mistakes->n == before) (void)FileReplace(path, text.data, text.length, mistakes);
  PetscCall(TextDestroy(&text));
  PetscCall(PlanVolumesDestroy(&names));
  PetscFunctionReturn(0);
}
