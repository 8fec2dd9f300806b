/* Run gnuplot on a script; the picture appears whole or not at all. */
#include "robion/gnuplot.h"
#include "robion/text.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

PetscBool GnuplotOpen(const char *file, int width, int height, Mistakes *mistakes, Gnuplot *plot)
{
  const char *dot = strrchr(file, '.');
  const char *terminal = dot && !strcasecmp(dot, ".png")   ? "pngcairo"
                         : dot && !strcasecmp(dot, ".svg") ? "svg background 'white'"
                                                           : NULL;
  *plot = (Gnuplot){.file = file};
  if (!terminal || strpbrk(file, "'\n")) {
    (void)MistakesAdd(mistakes, ROBION_COMMAND_LINE,
                      "found %s, expected the name of a picture that ends with .png or .svg", file);
    return PETSC_FALSE;
  }
  int n = snprintf(plot->data, sizeof plot->data, "%s.data.tmp", file);
  snprintf(plot->picture, sizeof plot->picture, "%s.tmp", file);
  snprintf(plot->script_name, sizeof plot->script_name, "%s.gp.tmp", file);
  const int script = n < (int)sizeof plot->data ? FileCreate(plot->script_name) : -1;
  if (script >= 0) plot->script = fdopen(script, "w");
  if (!plot->script) {
    (void)MistakesAdd(mistakes, ROBION_RESOURCES, "%s: cannot be written: %s", file, strerror(errno));
    return PETSC_FALSE;
  }
  fprintf(plot->script, "set terminal %s enhanced size %d,%d font ',11'\nset output '%s'\n", terminal, width, height,
          plot->picture);
  return PETSC_TRUE;
}

/* Its exit code; -1 if it cannot be run. */
static int RunGnuplot(char *script)
{
  char *arguments[] = {(char[]){"gnuplot"}, script, NULL};
  posix_spawn_file_actions_t quiet;
  pid_t child;
  int status = -1;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  int problem = posix_spawnp(&child, "gnuplot", &quiet, NULL, arguments, environ);
  posix_spawn_file_actions_destroy(&quiet);
  if (problem) return -1;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return WIFEXITED(status) && WEXITSTATUS(status) != 127 ? WEXITSTATUS(status) : -1;
}

PetscErrorCode GnuplotClose(Gnuplot *plot, Mistakes *mistakes)
{
  PetscFunctionBegin;
  PetscBool written = ferror(plot->script) ? PETSC_FALSE : PETSC_TRUE;
  if (fclose(plot->script)) written = PETSC_FALSE;
  int code = written ? RunGnuplot(plot->script_name) : 0;
  PetscBool good = written && !code && !FilePut(plot->picture, plot->file) ? PETSC_TRUE : PETSC_FALSE;
  if (!good)
    PetscCall(MistakesAdd(mistakes, ROBION_RESOURCES, "%s: cannot be drawn: %s", plot->file,
                          code < 0    ? "there is no program gnuplot (Debian: gnuplot-nox)"
                          : code != 0 ? "gnuplot failed"
                                      : "the folder cannot be written"));
  (void)unlink(plot->data);
  (void)unlink(plot->picture);
  (void)unlink(plot->script_name);
  PetscFunctionReturn(0);
}
