/* The one logger of a process: lines for people, events and status for programs, clocks. */
#include "robion/log.h"
#include "robion/provenance.h"
#include "robion/text.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
  PetscBool open, speaks, to_error;
  int verbosity, text, events; /* file descriptors, -1 when closed */
  char progress[256];          /* the line below the log, "" if there is none */
} logger = {PETSC_FALSE, PETSC_FALSE, PETSC_FALSE, 1, -1, -1, ""};

enum { SAID_MOST = 4096 };

/* Hashes of the lines that LogLineOnce has said; when there is no more place, lines are said again. */
static struct {
  int n;
  uint64_t hash[SAID_MOST];
} said;

static const char *const level_names[] = {"error", "warning", "info", "detail"};

static int OpenForAppending(const char *folder, const char *stem, const char *part, const char *ending,
                            Mistakes *mistakes)
{
  char file[PETSC_MAX_PATH_LEN];
  snprintf(file, sizeof file, "%s/%s%s.%s", folder, stem, part, ending);
  int descriptor = open(file, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0666);
  if (descriptor < 0)
    (void)MistakesAdd(mistakes, ROBION_RESOURCES, "%s: cannot be written: %s", file,
                      errno == ELOOP ? "a symbolic link, which is not followed" : strerror(errno));
  return descriptor;
}

PetscErrorCode LogOpen(MPI_Comm comm, const char *folder, const char *part, int verbosity, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscMPIInt rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(LogClose());
  logger.open = PETSC_TRUE;
  logger.speaks = rank == 0 ? PETSC_TRUE : PETSC_FALSE;
  logger.verbosity = verbosity;
  Mistakes found = {0};
  if (logger.speaks) {
    logger.text = OpenForAppending(folder, "log", part, "txt", &found);
    logger.events = OpenForAppending(folder, "events", part, "jsonl", &found);
  }
  PetscCall(MistakesShare(comm, &found));
  PetscCall(MistakesMove(&found, ROBION_DONE, mistakes));
  PetscFunctionReturn(0);
}

PetscErrorCode LogClose(void)
{
  PetscFunctionBegin;
  LogProgress("%s", "");
  if (logger.text >= 0) close(logger.text);
  if (logger.events >= 0) close(logger.events);
  logger.text = logger.events = -1;
  logger.open = logger.speaks = PETSC_FALSE;
  logger.verbosity = 1;
  said.n = 0;
  PetscFunctionReturn(0);
}

/* Before LogOpen rank 0 of the world speaks, and so does a process without MPI. */
static PetscBool Speaks(void)
{
  int initialized = 0, finalized = 0, rank = 0;
  if (logger.open) return logger.speaks;
  MPI_Initialized(&initialized);
  MPI_Finalized(&finalized);
  if (initialized && !finalized) MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank == 0 ? PETSC_TRUE : PETSC_FALSE;
}

/* One write per line, so that lines of several speakers do not mix. Failing is no reason to stop a run. */
static void Append(int descriptor, const char *line, size_t length)
{
  if (descriptor >= 0 && write(descriptor, line, length) < 0) return;
}

/* What /proc says of the process that started this one; "" where it says nothing. */
static void ReadParent(const char *what, PetscBool is_link, char *text, size_t size)
{
  char name[64];
  ssize_t n = -1;
  snprintf(name, sizeof name, "/proc/%ld/%s", (long)getppid(), what);
  if (is_link)
    n = readlink(name, text, size - 1);
  else {
    int descriptor = open(name, O_RDONLY);
    if (descriptor >= 0) n = read(descriptor, text, size - 1);
    if (descriptor >= 0) close(descriptor);
  }
  text[PetscMax(n, 0)] = 0;
}

PetscBool StartedByLauncher(void)
{
  static const char *const launcher[] = {"mpirun", "mpiexec", "orterun", "orted", "prte", "slurmstepd", "hydra"};
  char parent[64];
  ReadParent("comm", PETSC_FALSE, parent, sizeof parent);
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(launcher); i++)
    if (!strncmp(parent, launcher[i], strlen(launcher[i]))) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* Open MPI gives its ranks a terminal of its own making, whatever mpirun's output is: then the launcher's output counts. */
static PetscBool IsTerminal(void)
{
  char output[64];
  if (!isatty(STDOUT_FILENO)) return PETSC_FALSE;
  if (!StartedByLauncher()) return PETSC_TRUE;
  ReadParent("fd/1", PETSC_TRUE, output, sizeof output);
  return !strncmp(output, "/dev/pts", 8) || !strncmp(output, "/dev/tty", 8) ? PETSC_TRUE : PETSC_FALSE;
}

/* Asked once; the first speaker of a run is rank 0 of the world, and only it may draw. */
static PetscBool SomebodyWatches(void)
{
  static int answer = -1;
  int initialized = 0, finalized = 0, rank = 0;
  if (answer < 0) {
    MPI_Initialized(&initialized);
    MPI_Finalized(&finalized);
    if (initialized && !finalized) MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    answer = rank == 0 && IsTerminal();
  }
  return answer ? PETSC_TRUE : PETSC_FALSE;
}

static void ProgressHide(void)
{
  if (logger.progress[0]) fputs("\r\033[K", stdout);
}

static void ProgressShow(void)
{
  if (logger.progress[0]) fputs(logger.progress, stdout);
}

static PetscBool IsNews(const char *topic, const char *patient, const char *message)
{
  const char *const part[] = {topic, patient ? patient : "-", message};
  uint64_t hash = HASH_START;
  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(part); i++) hash = HashBytes(hash, part[i], strlen(part[i]) + 1);
  for (int i = 0; i < said.n; i++)
    if (said.hash[i] == hash) return PETSC_FALSE;
  if (said.n < SAID_MOST) said.hash[said.n++] = hash;
  return PETSC_TRUE;
}

static void Say(PetscBool once, LogLevel level, const char *topic, const char *patient, const char *format,
                va_list arguments)
{
  char message[2048], line[2304], clock[16] = "";
  if (!Speaks()) return;
  TextPrintV(message, sizeof message, format, arguments);
  if (once && !IsNews(topic, patient, message)) return;
  time_t now = time(NULL);
  struct tm parts;
  if (localtime_r(&now, &parts)) strftime(clock, sizeof clock, "%H:%M:%S", &parts);
  int length = snprintf(line, sizeof line - 1, "%s %-7s %-9.32s %-16.64s  %s", clock, level_names[level], topic,
                        patient ? patient : "-", message);
  length = PetscMin(length, (int)sizeof line - 2);
  TextRemoveControls(line);
  line[length] = '\n';
  line[length + 1] = 0;
  if ((int)level <= PetscMax((int)LOG_INFO, logger.verbosity + 1)) Append(logger.text, line, (size_t)length + 1);
  if ((int)level > logger.verbosity + 1) return;
  ProgressHide();
  fputs(line, logger.to_error ? stderr : stdout);
  ProgressShow();
  fflush(stdout);
}

void LogLine(LogLevel level, const char *topic, const char *patient, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  Say(PETSC_FALSE, level, topic, patient, format, arguments);
  va_end(arguments);
}

void LogLineOnce(LogLevel level, const char *topic, const char *patient, const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  Say(PETSC_TRUE, level, topic, patient, format, arguments);
  va_end(arguments);
}

PetscErrorCode LogMistakes(LogLevel level, const char *stage, const char *patient, Mistakes *mistakes)
{
  PetscFunctionBegin;
  for (PetscInt i = 0; i < mistakes->n; i++) LogLine(level, stage, patient, "%s", mistakes->item[i].text);
  PetscCall(MistakesClear(mistakes));
  PetscFunctionReturn(0);
}

void LogToStandardError(void)
{
  logger.to_error = PETSC_TRUE;
}

/* Seconds of a phase before its first line; later lines come after a share of the time that it has taken. */
static const double PHASE_SILENT_S = 5, PHASE_SILENT_SHARE = 0.1;
/* Less of the whole tells nothing of the time left. */
static const double PHASE_LEAST_DONE = 0.01;

Phase PhaseBegin(const char *topic, const char *patient, const char *what)
{
  const double now = TimeSteady();
  return (Phase){topic, patient, what, now, now};
}

void PhaseTell(Phase *phase, double done, double total)
{
  char left[32];
  if (!phase || !(done > PHASE_LEAST_DONE * total) || !(total > done)) return;
  const double now = TimeSteady(), took = now - phase->begun;
  if (now - phase->told < PetscMax(PHASE_SILENT_S, PHASE_SILENT_SHARE * took)) return;
  phase->told = now;
  DurationText(took * (total - done) / done, left);
  LogLine(LOG_INFO, phase->topic, phase->patient, "%s: %.0f %%, about %s left", phase->what, 100 * done / total, left);
}

void LogProgress(const char *format, ...)
{
  char line[sizeof logger.progress];
  va_list arguments;
  va_start(arguments, format);
  TextPrintV(line, sizeof line, format, arguments);
  va_end(arguments);
  TextRemoveControls(line);
  if (!SomebodyWatches()) return;
  ProgressHide();
  memcpy(logger.progress, line, sizeof line);
  ProgressShow();
  fflush(stdout);
}

/* Append the value of one conversion; *format stands behind the '%' and is moved behind the conversion. */
static PetscErrorCode AddValue(Text *text, const char **format, va_list arguments)
{
  PetscFunctionBegin;
  const char *c = *format;
  int longs = 0;
  PetscBool size = PETSC_FALSE;
  for (; *c == 'l' || *c == 'z'; c++) {
    if (*c == 'z')
      size = PETSC_TRUE;
    else
      longs++;
  }
  if (*c == 's')
    PetscCall(TextAddJSON(text, va_arg(arguments, const char *)));
  else if (*c == 'g')
    PetscCall(TextAddJSONNumber(text, va_arg(arguments, double)));
  else if (size)
    PetscCall(TextAdd(text, "%zu", va_arg(arguments, size_t)));
  else if (longs == 2)
    PetscCall(TextAdd(text, "%lld", va_arg(arguments, long long)));
  else if (longs == 1)
    PetscCall(TextAdd(text, "%ld", va_arg(arguments, long)));
  else
    PetscCall(TextAdd(text, "%d", va_arg(arguments, int)));
  *format = *c ? c + 1 : c;
  PetscFunctionReturn(0);
}

static PetscErrorCode AddEvent(Text *text, const char *kind, const char *format, va_list arguments)
{
  PetscFunctionBegin;
  char stamp[32];
  TimeText(TimeNow(), stamp);
  PetscCall(TextAdd(text, "{\"time\": \"%s\", \"event\": ", stamp));
  PetscCall(TextAddJSON(text, kind));
  for (const char *c = format; *c;) {
    if (*c == ' ') {
      c++;
      continue;
    }
    const char *percent = strstr(c, "=%");
    PetscCheck(percent, PETSC_COMM_SELF, PETSC_ERR_ARG_WRONG, "event format \"%s\" is not key=%%conversion", format);
    PetscCall(TextAdd(text, ", \"%.*s\": ", (int)(percent - c), c));
    c = percent + 2;
    PetscCall(AddValue(text, &c, arguments));
  }
  PetscCall(TextAdd(text, "}\n"));
  PetscFunctionReturn(0);
}

void LogEvent(const char *kind, const char *format, ...)
{
  if (logger.events < 0) return;
  Text text = {0};
  va_list arguments;
  va_start(arguments, format);
  if (!AddEvent(&text, kind, format, arguments)) Append(logger.events, text.data, text.length);
  va_end(arguments);
  (void)TextDestroy(&text);
}

double TimeNow(void)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double TimeSteady(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void TimeText(double unix_time, char text[32])
{
  time_t seconds = (time_t)unix_time;
  struct tm parts;
  text[0] = 0;
  if (gmtime_r(&seconds, &parts)) strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

void DurationText(double seconds, char text[32])
{
  if (!isfinite(seconds) || seconds < 0 || seconds > 1e10) {
    snprintf(text, 32, "unknown");
    return;
  }
  long long s = llround(seconds), minutes = llround(seconds / 60), hours = llround(seconds / 3600);
  if (s < 60)
    snprintf(text, 32, "%lld s", s);
  else if (s < 3600)
    snprintf(text, 32, "%lld min %02lld s", s / 60, s % 60);
  else if (minutes < 24 * 60)
    snprintf(text, 32, "%lld h %02lld min", minutes / 60, minutes % 60);
  else
    snprintf(text, 32, "%lld d %02lld h", hours / 24, hours % 24);
}

void TimeLeftText(double elapsed, PetscInt done, PetscInt total, char text[32])
{
  DurationText(done > 0 ? elapsed / (double)done * (double)(total - done) : (double)NAN, text);
}
