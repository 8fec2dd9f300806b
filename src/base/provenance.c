/* Facts of the program, its libraries and a run, in one table that JSON, HDF5 and `robion info` are written from. */
#include "robion/provenance.h"
#include "robion/log.h"
#include "robion/text.h"
#include <errno.h>
#include <gsl/gsl_version.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#ifndef ROBION_VERSION
#define ROBION_VERSION "development"
#endif
#ifndef ROBION_GIT
#define ROBION_GIT "unknown"
#endif
#ifndef ROBION_CFLAGS
#define ROBION_CFLAGS "unknown"
#endif

#ifdef __clang__
#define COMPILER "" /* its version begins with its name */
#else
#define COMPILER "gcc "
#endif

enum { N_BUILD_FACTS = 9, N_FACTS = 15 };

/* Names and values in the order people read them; the first N_BUILD_FACTS describe the program, the others the run. */
static void Facts(const Provenance *p, const char *key[N_FACTS], const char *value[N_FACTS], char ranks[16])
{
  snprintf(ranks, 16, "%d", (int)p->ranks);
  const char *const keys[N_FACTS] = {"version", "git",  "compiler", "flags",   "petsc",
                                     "mpi",     "hdf5", "libyaml",  "gsl",     "command",
                                     "host",    "job",  "ranks",    "started", "study_hash"};
  const char *const values[N_FACTS] = {p->version, p->git,  p->compiler, p->flags,   p->petsc,
                                       p->mpi,     p->hdf5, p->libyaml,  p->gsl,     p->command,
                                       p->host,    p->job,  ranks,       p->started, p->study_hash};
  memcpy(key, keys, sizeof keys);
  memcpy(value, values, sizeof values);
}

void ProvenanceBuild(Provenance *p)
{
  PetscInt major, minor, patch;
  unsigned h5[3] = {0};
  char library[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;
  memset(p, 0, sizeof *p);
  p->ranks = 1;
  snprintf(p->version, sizeof p->version, "%s", ROBION_VERSION);
  snprintf(p->git, sizeof p->git, "%s", ROBION_GIT);
  snprintf(p->compiler, sizeof p->compiler, "%s", COMPILER __VERSION__);
  snprintf(p->flags, sizeof p->flags, "%s", ROBION_CFLAGS);
  if (!PetscGetVersionNumber(&major, &minor, &patch, NULL))
    snprintf(p->petsc, sizeof p->petsc, "%d.%d.%d", (int)major, (int)minor, (int)patch);
  MPI_Get_library_version(library, &length);
  library[strcspn(library, ",\n")] = 0;
  snprintf(p->mpi, sizeof p->mpi, "%.*s", (int)sizeof p->mpi - 1, library);
  H5get_libversion(&h5[0], &h5[1], &h5[2]);
  snprintf(p->hdf5, sizeof p->hdf5, "%u.%u.%u", h5[0], h5[1], h5[2]);
  snprintf(p->libyaml, sizeof p->libyaml, "%s", yaml_get_version_string());
  snprintf(p->gsl, sizeof p->gsl, "%s", gsl_version);
}

/* The command as it could be typed again, cut where the space ends. */
static void CommandText(int argc, char *const *argv, char *out, size_t size)
{
  size_t used = 0;
  out[0] = 0;
  for (int i = 0; i < argc && used < size - 1; i++) {
    PetscBool quote = !*argv[i] || strpbrk(argv[i], " \t'\"$*;&|<>()") ? PETSC_TRUE : PETSC_FALSE;
    int length =
        snprintf(out + used, size - used, "%s%s%s%s", i ? " " : "", quote ? "'" : "", argv[i], quote ? "'" : "");
    used = PetscMin(size - 1, used + (size_t)PetscMax(0, length));
  }
  TextRemoveControls(out);
}

PetscErrorCode ProvenanceFill(MPI_Comm comm, int argc, char *const *argv, const char *study_hash, Provenance *p)
{
  PetscFunctionBegin;
  ProvenanceBuild(p);
  PetscCallMPI(MPI_Comm_size(comm, &p->ranks));
  CommandText(argc, argv, p->command, sizeof p->command);
  if (gethostname(p->host, sizeof p->host - 1)) p->host[0] = 0;
  const char *job = getenv("SLURM_JOB_ID");
  snprintf(p->job, sizeof p->job, "%s", job ? job : "");
  TimeText(TimeNow(), p->started);
  if (study_hash) snprintf(p->study_hash, sizeof p->study_hash, "%s", study_hash);
  PetscCallMPI(MPI_Bcast(p, (PetscMPIInt)sizeof *p, MPI_BYTE, 0, comm));
  PetscFunctionReturn(0);
}

/* Fowler-Noll-Vo hash, variant 1a, 64 bit: http://www.isthe.com/chongo/tech/comp/fnv */
uint64_t HashBytes(uint64_t hash, const void *bytes, size_t n)
{
  const unsigned char *c = bytes;
  for (size_t i = 0; i < n; i++) hash = (hash ^ c[i]) * UINT64_C(0x100000001b3);
  return hash;
}

PetscBool InputFileRead(InputFile *input, Mistakes *mistakes)
{
  unsigned char block[65536];
  uint64_t hash = HASH_START;
  size_t got;
  FILE *f = fopen(input->path, "rb");
  input->bytes = 0;
  while (f && (got = fread(block, 1, sizeof block, f)) > 0) {
    hash = HashBytes(hash, block, got);
    input->bytes += (long long)got;
  }
  PetscBool good = f && !ferror(f) ? PETSC_TRUE : PETSC_FALSE;
  if (!good) (void)MistakesAdd(mistakes, ROBION_INPUT, "%s: cannot be read: %s", input->path, strerror(errno));
  if (f) fclose(f);
  input->hash[0] = 0;
  if (good) snprintf(input->hash, sizeof input->hash, "%016llx", (unsigned long long)hash);
  return good;
}

const char *const input_kind_names[N_INPUT_KINDS] = {"study", "case", "base_data", "fragmentation", "rbe_table"};

PetscBool InputFileChanged(const InputFile *input)
{
  InputFile now = *input;
  Mistakes unread = {0};
  const PetscBool readable = InputFileRead(&now, &unread);
  (void)MistakesClear(&unread);
  return readable && strcmp(now.hash, input->hash) ? PETSC_TRUE : PETSC_FALSE;
}

PetscErrorCode InputFileHash(MPI_Comm comm, Mistakes *mistakes, InputFile *input)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  Mistakes found = {0};
  if (rank == 0) (void)InputFileRead(input, &found);
  PetscCallMPI(MPI_Bcast(input, (PetscMPIInt)sizeof *input, MPI_BYTE, 0, comm));
  PetscCall(MistakesShare(comm, &found));
  PetscCall(MistakesMove(&found, ROBION_DONE, mistakes));
  PetscFunctionReturn(0);
}

static PetscErrorCode ProvenanceText(const Provenance *p, PetscInt n_inputs, const InputFile *inputs, Text *text)
{
  PetscFunctionBegin;
  const char *key[N_FACTS], *value[N_FACTS];
  char ranks[16];
  Facts(p, key, value, ranks);
  PetscCall(TextAdd(text, "{\n"));
  for (int i = 0; i < N_FACTS; i++) {
    PetscCall(TextAdd(text, "  \"%s\": ", key[i]));
    if (value[i] == ranks)
      PetscCall(TextAdd(text, "%s", ranks));
    else
      PetscCall(TextAddJSON(text, value[i]));
    PetscCall(TextAdd(text, ",\n"));
  }
  PetscCall(TextAdd(text, "  \"inputs\": ["));
  for (PetscInt i = 0; i < n_inputs; i++) {
    PetscCall(TextAdd(text, "%s\n    {\"kind\": ", i ? "," : ""));
    PetscCall(TextAddJSON(text, inputs[i].kind));
    PetscCall(TextAdd(text, ", \"path\": "));
    PetscCall(TextAddJSON(text, inputs[i].path));
    if (inputs[i].hash[0])
      PetscCall(TextAdd(text, ", \"fnv1a64\": \"%s\", \"bytes\": %lld}", inputs[i].hash, inputs[i].bytes));
    else
      PetscCall(TextAdd(text, ", \"fnv1a64\": null, \"bytes\": null}"));
  }
  PetscCall(TextAdd(text, "%s]\n}\n", n_inputs ? "\n  " : ""));
  PetscFunctionReturn(0);
}

PetscBool ProvenanceWriteJSON(const Provenance *p, PetscInt n_inputs, const InputFile *inputs, const char *folder,
                              const char *part, Mistakes *mistakes)
{
  char file[PETSC_MAX_PATH_LEN];
  Text text = {0};
  snprintf(file, sizeof file, "%s/provenance%s.json", folder, part);
  PetscBool good =
      ProvenanceText(p, n_inputs, inputs, &text) ? PETSC_FALSE : FileReplace(file, text.data, text.length, mistakes);
  (void)TextDestroy(&text);
  return good;
}

void ProvenanceWriteHDF5(const Provenance *p, PetscInt n_inputs, const InputFile *inputs, H5Sink *sink)
{
  const char *key[N_FACTS], *value[N_FACTS];
  char ranks[16], name[64];
  Facts(p, key, value, ranks);
  H5WriteGroup(sink, "/provenance");
  for (int i = 0; i < N_FACTS; i++) H5WriteString(sink, "/provenance", key[i], value[i]);
  for (PetscInt i = 0; i < n_inputs; i++) {
    snprintf(name, sizeof name, "input_%d_%s", (int)i, inputs[i].kind);
    H5WriteString(sink, "/provenance", name, inputs[i].path);
    snprintf(name, sizeof name, "input_%d_fnv1a64", (int)i);
    H5WriteString(sink, "/provenance", name, inputs[i].hash);
  }
}

void ProvenancePrint(const Provenance *p, FILE *out)
{
  const char *key[N_FACTS], *value[N_FACTS];
  char ranks[16];
  Facts(p, key, value, ranks);
  for (int i = 0; i < N_BUILD_FACTS; i++) fprintf(out, "%-9s %s\n", key[i], value[i]);
}
