/* The file formats: one row each. */
#include "robion/format.h"
#include "robion/dicom.h"
#include "robion/text.h"
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#ifdef ROBION_NIFTI
#define NIFTI_NEEDS NULL
#else
#define NIFTI_NEEDS "libnifti2 for reading"
#endif
#ifdef ROBION_DICOM
#define DICOM_NEEDS NULL
#else
#define DICOM_NEEDS "DCMTK and OpenJPEG (Debian: libdcmtk-dev, libopenjp2-7-dev)"
#endif

const char *const format_task_names[N_FORMAT_TASKS] = {[FORMAT_READ_CASE] = "reads cases",
                                                       [FORMAT_READ_MACHINE] = "reads base data",
                                                       [FORMAT_WRITE_MACHINE] = "writes base data",
                                                       [FORMAT_READ_SPOTS] = "reads spots",
                                                       [FORMAT_READ_IMAGE] = "reads images",
                                                       [FORMAT_READ_DOSE] = "reads doses",
                                                       [FORMAT_WRITE_VOLUME] = "writes volumes of plans",
                                                       [FORMAT_WRITE_PLAN] = "writes plans"};

/* DICOM files have "DICM" behind 128 bytes, and often no ending. */
static PetscBool BeginsAsDicom(const char *path)
{
  char magic[132] = "";
  struct stat facts;
  FILE *file = stat(path, &facts) || !S_ISREG(facts.st_mode) ? NULL : fopen(path, "rb");
  if (!file) return PETSC_FALSE;
  const size_t n = fread(magic, 1, sizeof magic, file);
  fclose(file);
  return n == sizeof magic && !memcmp(magic + 128, "DICM", 4) ? PETSC_TRUE : PETSC_FALSE;
}

static PetscErrorCode ReadMatRadMachine(const char *file, const TripMachineSpec *spec, Mistakes *mistakes,
                                        Machine **out)
{
  return MachineReadMatRad(file, mistakes, out);
}

static PetscErrorCode WriteMatRadMachine(const Machine *machine, const BiologySpec *rbe, const char *file,
                                         Mistakes *mistakes)
{
  return MachineWriteMatRad(machine, file, mistakes);
}

const FileFormat file_formats[] = {
    {.name = "matrad",
     .meaning = "matRad patients and machines (MAT-files of level 5)",
     .ending = {".mat"},
     .read_case = CaseReadMatRad,
     .read_machine = ReadMatRadMachine,
     .write_machine = WriteMatRadMachine},
    {.name = "csv", .meaning = "spots, a line each", .ending = {".csv", "*"}, .read_spots = SpotListReadCSV},
    {.name = "trip98",
     .meaning = "TRiP98: folders of .ddd, .spc, .sis and .rbe, raster-scan plans .rst",
     .ending = {".ddd", ".rst", "/", "*"},
     .leaves_beam_open = PETSC_TRUE,
     .read_machine = MachineReadTrip,
     .write_machine = MachineWriteTrip,
     .read_spots = SpotListReadRaster,
     .write_plan = PlanWriteTrip},
    {.name = "dicom",
     .meaning = "DICOM RT: folders of CT, structure sets, ion plans and doses; MR images",
     .ending = {".dcm", "/"},
     .begins = BeginsAsDicom,
     .needs = DICOM_NEEDS,
     .read_case = CaseReadDicom,
     .read_spots = SpotListReadDicom,
     .read_image = ImageReadDicom,
     .read_dose = ForeignDoseReadDicom,
     .write_with_case = PlanWriteDicom},
    {.name = "nifti",
     .meaning = "NIfTI-1",
     .ending = {".nii", ".nii.gz", ".hdr"},
     .needs = NIFTI_NEEDS,
     .read_image = ImageReadNIfTI,
     .write_volume = VolumeWriteNIfTI},
    {.name = "nrrd", .meaning = "NRRD (3D Slicer)", .ending = {".nrrd"}, .write_volume = VolumeWriteNRRD},
    {.name = "mha", .meaning = "MetaImage (ITK, VTK)", .ending = {".mha"}, .write_volume = VolumeWriteMetaImage},
    {.name = "xdmf", .meaning = "XDMF beside plan.h5 (ParaView)", .ending = {".xdmf"}, .write_plan = PlanWriteXDMF},
    {.name = "robion",
     .meaning = "robion's own plan.h5, and images as HDF5",
     .ending = {".h5", "*"},
     .read_spots = PlanReadSpots,
     .read_image = ImageReadHDF5}};
const PetscInt n_file_formats = PETSC_STATIC_ARRAY_LENGTH(file_formats);

PetscBool FormatDoes(const FileFormat *f, FormatTask task)
{
  const PetscBool does[N_FORMAT_TASKS] = {
      [FORMAT_READ_CASE] = !!f->read_case,         [FORMAT_READ_MACHINE] = !!f->read_machine,
      [FORMAT_WRITE_MACHINE] = !!f->write_machine, [FORMAT_READ_SPOTS] = !!f->read_spots,
      [FORMAT_READ_IMAGE] = !!f->read_image,       [FORMAT_READ_DOSE] = !!f->read_dose,
      [FORMAT_WRITE_VOLUME] = !!f->write_volume,   [FORMAT_WRITE_PLAN] = f->write_plan || f->write_with_case};
  return does[task];
}

PetscBool FormatIsFolder(const FileFormat *format)
{
  for (int i = 0; i < FORMAT_ENDINGS && format->ending[i]; i++)
    if (!strcmp(format->ending[i], "/")) return PETSC_TRUE;
  return PETSC_FALSE;
}

static PetscBool IsFolder(const char *path)
{
  struct stat facts;
  return !stat(path, &facts) && S_ISDIR(facts.st_mode) ? PETSC_TRUE : PETSC_FALSE;
}

/* How a format comes by a file: by its ending, by how it begins, as one that no other claims. */
typedef enum { BY_ENDING, BY_BEGINNING, AS_ANY, N_CLAIMS } Claim;

static PetscBool HasItsEnding(const FileFormat *format, const char *path)
{
  for (int i = 0; i < FORMAT_ENDINGS && format->ending[i]; i++)
    if (TextHasEnding(path, format->ending[i])) return PETSC_TRUE; /* "*" and "/" end no name */
  return PETSC_FALSE;
}

/* Whether a file of the folder is one of the format's, by its ending or by how it begins. */
static PetscBool HoldsOne(const FileFormat *format, const char *folder, Claim how)
{
  char path[PETSC_MAX_PATH_LEN];
  PetscBool holds = PETSC_FALSE;
  DIR *open = opendir(folder);
  for (struct dirent *entry; open && !holds && (entry = readdir(open));) {
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    holds = how == BY_ENDING ? HasItsEnding(format, path) : format->begins && (*format->begins)(path);
  }
  if (open) closedir(open);
  return holds;
}

static PetscBool Claims(const FileFormat *format, const char *path, Claim how)
{
  if (IsFolder(path)) return FormatIsFolder(format) && (how == AS_ANY || HoldsOne(format, path, how));
  if (how == BY_BEGINNING) return format->begins ? (*format->begins)(path) : PETSC_FALSE;
  if (how == BY_ENDING) return HasItsEnding(format, path);
  for (int i = 0; i < FORMAT_ENDINGS && format->ending[i]; i++)
    if (!strcmp(format->ending[i], "*")) return PETSC_TRUE;
  return PETSC_FALSE;
}

const FileFormat *FormatOfFile(const char *path, FormatTask task)
{
  for (Claim how = 0; how < N_CLAIMS; how++)
    for (PetscInt i = 0; i < n_file_formats; i++)
      if (FormatDoes(&file_formats[i], task) && Claims(&file_formats[i], path, how)) return &file_formats[i];
  return NULL;
}

const FileFormat *FormatFind(const char *name, PetscInt n, const FormatTask task[], Mistakes *mistakes)
{
  const char *known[PETSC_STATIC_ARRAY_LENGTH(file_formats)];
  PetscInt n_known = 0;
  Text list = {0};
  for (PetscInt i = 0; i < n_file_formats; i++) {
    PetscBool fits = PETSC_FALSE;
    for (PetscInt t = 0; t < n; t++)
      if (FormatDoes(&file_formats[i], task[t])) fits = PETSC_TRUE;
    if (!fits) continue;
    if (!strcmp(file_formats[i].name, name)) {
      (void)TextDestroy(&list);
      return &file_formats[i];
    }
    (void)TextAdd(&list, "%s%s", n_known ? ", " : "", file_formats[i].name);
    known[n_known++] = file_formats[i].name;
  }
  (void)MistakesAdd(mistakes, ROBION_COMMAND_LINE, "unknown format %s%s, expected one of %s", name,
                    SuggestName(" (", name, n_known, known).text, list.data);
  (void)TextDestroy(&list);
  return NULL;
}

PetscBool ImageRead(const char *file, Mistakes *mistakes, Image *image)
{
  return (*FormatOfFile(file, FORMAT_READ_IMAGE)->read_image)(file, mistakes, image);
}

void FormatsPrint(FILE *out)
{
  for (PetscInt i = 0; i < n_file_formats; i++) {
    const FileFormat *f = &file_formats[i];
    PetscInt n = 0;
    fprintf(out, "%-8s %s:", f->name, f->meaning);
    for (FormatTask task = 0; task < N_FORMAT_TASKS; task++)
      if (FormatDoes(f, task)) fprintf(out, "%s %s", n++ ? "," : "", format_task_names[task]);
    fprintf(out, "%s%s\n", f->needs ? "; missing in this build: " : "", f->needs ? f->needs : "");
  }
}
