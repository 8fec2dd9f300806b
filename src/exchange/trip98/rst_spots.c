/* Raster-scan plans of TRiP98, a file or a folder with a file per beam -> a list of spots. */
#include "robion/log.h"
#include "trip_private.h"
#include <math.h>
#include <string.h>
#include <sys/stat.h>

/* 0 to 360, but not 360. */
static double FullAngle_deg(double angle_deg)
{
  double turns = angle_deg / 360;
  return 360 * (turns - floor(turns));
}

/* Room for so many beams and spots. */
static PetscErrorCode Allocate(PetscInt n_beam, PetscInt n, SpotList *out)
{
  PetscFunctionBegin;
  PetscCall(SpotListResize(out, n));
  PetscCall(PetscMalloc1(n, &out->spot_fwhm_mm));
  PetscCall(PetscMalloc1(n, &out->line));
  PetscCall(PetscMalloc1(n_beam, &out->angles));
  PetscCall(PetscCalloc1(n_beam, &out->beam_file));
  out->n_angles = out->n_beam_files = n_beam;
  out->any_energy = PETSC_TRUE;
  PetscFunctionReturn(0);
}

/* Up is -x at a gantry of 90 degrees. */
static void AddSpot(PetscInt beam, const TripRasterSlice *slice, const TripRasterPoint *point, SpotList *out)
{
  const PetscInt i = out->n++;
  out->beam[i] = beam;
  out->x_mm[i] = 0 - point->y_mm; /* not -0 */
  out->y_mm[i] = point->x_mm;
  out->energy_MeV_u[i] = slice->energy_MeV_u;
  out->particles[i] = point->particles;
  out->spot_fwhm_mm[i] = slice->focus_fwhm_mm;
  out->line[i] = slice->line;
}

static PetscErrorCode AddBeam(PetscInt beam, const char *file, const TripRaster *raster, SpotList *out)
{
  PetscFunctionBegin;
  out->angles[beam] = (SpotAngles){.gantry_deg = FullAngle_deg(raster->gantry_deg + 90),
                                   .couch_deg = FullAngle_deg(-90 - raster->couch_deg)};
  PetscCall(PetscStrallocpy(file, &out->beam_file[beam]));
  if (*raster->bolus && strcmp(raster->bolus, "0"))
    LogLine(LOG_WARNING, "beams", NULL, "%s: bolus %s of the plan is not applied, expected in machine.offset_mm", file,
            raster->bolus);
  for (PetscInt s = 0; s < raster->n; s++)
    for (PetscInt i = 0; i < raster->slice[s].n; i++) AddSpot(beam, &raster->slice[s], &raster->slice[s].point[i], out);
  PetscFunctionReturn(0);
}

static PetscInt PointCount(const TripRaster *raster)
{
  PetscInt n = 0;
  for (PetscInt s = 0; s < raster->n; s++) n += raster->slice[s].n;
  return n;
}

static Species IonOf(const TripRaster *raster)
{
  return (Species){(PetscInt)lround(raster->charge), (PetscInt)lround(raster->mass)};
}

/* All files, one mistake for each that cannot be read, has no points or another ion than the first. */
static PetscErrorCode ReadAll(const TripFiles *files, Mistakes *mistakes, TripRaster *raster)
{
  PetscFunctionBegin;
  for (PetscInt b = 0; b < files->n; b++) {
    const PetscInt before = mistakes->n;
    PetscCall(TripRasterRead(files->path[b], mistakes, &raster[b]));
    if (mistakes->n > before) continue;
    const Species ion = IonOf(&raster[b]), first = IonOf(&raster[0]);
    if (!PointCount(&raster[b]))
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: no points, expected at least one", files->path[b]));
    else if (raster[0].n && (ion.Z != first.Z || ion.A != first.A))
      PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: ions of charge %d and mass %d, expected %d and %d as in %s",
                            files->path[b], (int)ion.Z, (int)ion.A, (int)first.Z, (int)first.A, files->path[0]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadFiles(const char *path, const TripFiles *files, Mistakes *mistakes, SpotList *out)
{
  PetscFunctionBegin;
  TripRaster *raster;
  PetscInt n = 0;
  const PetscInt before = mistakes->n;
  PetscCall(PetscCalloc1(files->n, &raster));
  PetscCall(ReadAll(files, mistakes, raster));
  for (PetscInt b = 0; b < files->n; b++) n += PointCount(&raster[b]);
  if (mistakes->n == before) {
    PetscCall(Allocate(files->n, n, out));
    PetscCall(PetscStrallocpy(path, &out->file));
    out->ion = IonOf(&raster[0]);
    for (PetscInt b = 0; b < files->n; b++) PetscCall(AddBeam(b, files->path[b], &raster[b], out));
  }
  for (PetscInt b = 0; b < files->n; b++) PetscCall(TripRasterDestroy(&raster[b]));
  PetscCall(PetscFree(raster));
  PetscFunctionReturn(0);
}

PetscErrorCode SpotListReadRaster(const char *path, Mistakes *mistakes, SpotList *out)
{
  PetscFunctionBegin;
  struct stat facts;
  TripFiles files;
  const PetscBool folder = !stat(path, &facts) && S_ISDIR(facts.st_mode) ? PETSC_TRUE : PETSC_FALSE;
  *out = (SpotList){0};
  if (folder)
    PetscCall(TripFilesFind(path, ".rst", &files));
  else
    PetscCall(TripFilesOne(path, &files));
  if (files.n)
    PetscCall(ReadFiles(path, &files, mistakes, out));
  else
    PetscCall(MistakesAdd(mistakes, ROBION_INPUT, "%s: no .rst file in this folder", path));
  for (PetscInt b = 0; folder && b < out->n_angles; b++)
    LogLine(LOG_INFO, "beams", NULL, "beam %d: %s, gantry %g deg, couch %g deg", (int)b, files.path[b],
            out->angles[b].gantry_deg, out->angles[b].couch_deg);
  PetscCall(TripFilesDestroy(&files));
  PetscFunctionReturn(0);
}
