/* Linked into the sanitizer build only: MPI's plug-ins stay loaded, so that leak reports can name the library an
 * allocation came from and tests/support/lsan.supp can tell MPI's leaks from ours. */
int dlclose(void *handle);

int dlclose(void *handle)
{
  (void)handle;
  return 0;
}
