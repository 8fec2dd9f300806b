# robion: `make help` lists the targets, `make info` the settings.
VERSION := 0.1.0
VARIANT ?= release
# Where a variant is built; may be given on the command line.
BUILD := build$(if $(filter-out release,$(VARIANT)),/$(VARIANT))
PREFIX ?= /usr/local
STUDY ?= jobs/rtog-benchmark/study.yaml
# nproc would print OMP_NUM_THREADS where that is set, as SLURM jobs and the tests do.
CORES := $(shell env -u OMP_NUM_THREADS nproc)
# The benchmark has more arms than a first look needs.
comma := ,
RUN_ARGS ?= $(if $(filter jobs/rtog-benchmark/study.yaml,$(STUDY)),--arms conventional$(comma)worst-case)
NP ?= $(shell echo $$(($(CORES) < 4 ? $(CORES) : 4)))
HDF5 ?= hdf5-openmpi
PACKAGES := PETSc $(HDF5) yaml-0.1 gsl fftw3 zlib
ifeq ($(origin CC),default)
CC := mpicc
endif
AR ?= ar
V ?= 0
Q := $(if $(filter 0,$(V)),@)
say = $(if $(filter 0,$(V)),@printf '  %-5s %s\n' $(1) $(2))

ifeq ($(filter release debug san,$(VARIANT)),)
$(error VARIANT is '$(VARIANT)', expected release, debug or san)
endif
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(CORES)
endif

# --- What the compiler is told -------------------------------------------------------------------------------------
# A variable that is worked out at its first use and kept: not while the Makefile is read, when `deps` may not have run.
once = $(eval $(1) := $$(shell $(2)))$($(1))

# The native instruction set, where the compiler knows it; PORTABLE=1 is for binaries that run on other machines too.
ARCH = $(call once,ARCH,$(if $(PORTABLE),,printf 'int f;' | $(CC) -march=native -c -x c -o /dev/null - 2>/dev/null && echo -march=native))
CFLAGS_release = -O3 $(ARCH) -fno-math-errno -fno-trapping-math
CFLAGS_debug = -Og -g3 -U_FORTIFY_SOURCE
CFLAGS_san = -O1 -g1 -U_FORTIFY_SOURCE
SANITIZE_san := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SANITIZE := $(SANITIZE_$(VARIANT))
CFLAGS ?= $(CFLAGS_$(VARIANT))

# Results are bit-identical on any number of ranks of one machine, so a value may not depend on whether the compiler put
# it into a vector loop's body or its remainder: no fast-math, and a*b + c is fused only where the source says fma().
EXACT := -fno-fast-math -ffp-contract=off
# (gcc cannot see that PetscMalloc and PetscCall set what they are given, hence no -Wmaybe-uninitialized.)
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wno-unused-parameter \
  -Wno-maybe-uninitialized
# gold, where it is, needs a quarter of the time: it does not read what the libraries depend on.
FAST_LINKER = $(call once,FAST_LINKER,printf 'int main(void) { return 0; }' | $(CC) -fuse-ld=gold -x c -o /dev/null - 2>/dev/null && echo -fuse-ld=gold)
ALL_CFLAGS = -std=gnu11 $(WARN) $(CFLAGS) $(EXACT) $(SANITIZE)
ALL_CXXFLAGS = -std=c++17 $(filter-out %-prototypes,$(WARN)) $(CFLAGS) $(EXACT) $(SANITIZE)

# matio comes by name alone: its pkg-config file would put the serial HDF5 first.
PKG_FLAGS = $(call once,PKG_FLAGS,pkg-config --cflags $(PACKAGES))
PKG_LIBS = $(call once,PKG_LIBS,pkg-config --libs $(PACKAGES))
PKG_VERSIONS = $(call once,PKG_VERSIONS,pkg-config --modversion $(PACKAGES))
CMOCKA = $(call once,CMOCKA,pkg-config --cflags --libs cmocka)
# Images in NIfTI can be read where its library is there; NIFTI_INCLUDE is the folder of nifti2_io.h.
NIFTI_INCLUDE ?= /usr/include/nifti
NIFTI = $(call once,NIFTI,printf '\043include <nifti2_io.h>\n' | $(CC) -I$(NIFTI_INCLUDE) -E -x c -o /dev/null - 2>/dev/null && echo yes)
NIFTI_LIBS = $(if $(NIFTI),-lnifti2 -lznz -lz)
# DICOM can be read and written where DCMTK and OpenJPEG are: the one file of C++. DCMTK's libraries come by name, as its pkg-config file
# asks for what nothing here needs.
ifeq ($(origin CXX),default)
CXX := g++
endif
JPEG2000 = $(call once,JPEG2000,pkg-config --cflags libopenjp2 2>/dev/null)
DICOM = $(call once,DICOM,printf '\043include <dcmtk/dcmdata/dctk.h>\n\043include <openjpeg.h>\n' | $(CXX) $(JPEG2000) -E -x c++ -o /dev/null - 2>/dev/null && echo yes)
DICOM_LIBS = $(if $(DICOM),-ldcmjpls -ldcmjpeg -ldcmimgle -ldcmdata -loflog -lofstd -lopenjp2 -lstdc++)
ALL_CPPFLAGS = -D_GNU_SOURCE -Iinclude $(CPPFLAGS) $(PKG_FLAGS:-I%=-isystem %)
ALL_LIBS = $(LDFLAGS) $(patsubst -L%,-Wl$(comma)-rpath$(comma)%,$(filter -L%,$(PKG_LIBS) -lmatio -lm)) $(PKG_LIBS) $(NIFTI_LIBS) $(DICOM_LIBS) -lmatio -lm
comma := ,

# What the program says of its own making; only one object knows it.
GIT = $(call once,GIT,GIT_OPTIONAL_LOCKS=0 git --git-dir=.git describe --always --dirty 2>/dev/null || echo unknown)
quote = '$(subst ','\'',$(1))'
define = -D$(1)=$(call quote,"$(subst ",\",$(strip $(2)))")
PROVENANCE = $(call define,ROBION_VERSION,$(VERSION)) $(call define,ROBION_GIT,$(GIT)) $(call define,ROBION_CFLAGS,$(CFLAGS) $(EXACT) $(SANITIZE))

# --- Files ---------------------------------------------------------------------------------------------------------
SOURCES := $(sort $(wildcard src/*/*.c src/*/*/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/%.o) $(BUILD)/generated/fragmentation_builtin.o $(BUILD)/generated/report_assets.o $(BUILD)/src/exchange/dicom/shim.o
LIBRARY := $(BUILD)/librobion.a
PROGRAM := $(BUILD)/robion
TEST_SOURCES := $(sort $(wildcard tests/unit/test_*.c))
ifdef search
matches = $(shell printf '%s\nsan %s\n' $(1) $(1) | grep -E -e '$(search)')
TEST_SOURCES := $(foreach t,$(TEST_SOURCES),$(if $(call matches,$(t:tests/unit/%.c=%)),$(t)))
endif
# Tests whose sanitizer build only `make san` runs say so among their first lines.
SLOW_SOURCES = $(shell grep -lE 'sanitizer: *slow' $(TEST_SOURCES) /dev/null)
BENCH_SOURCES := $(sort $(wildcard tests/bench/bench_*.c))
TESTS := $(TEST_SOURCES:tests/unit/%.c=$(BUILD)/tests/%)
QUICK_TESTS = $(filter-out $(SLOW_SOURCES:tests/unit/%.c=$(BUILD)/tests/%),$(TESTS))
BENCHES := $(BENCH_SOURCES:tests/bench/%.c=$(BUILD)/tests/%)
KEEP_PLUGINS := $(if $(SANITIZE),$(BUILD)/tests/support/keep_plugins.o)
C_FILES := $(sort $(wildcard src/*.c src/*/*.[ch] src/*/*/*.[ch] src/*/*/*.cc include/robion/*.h tests/*/*.[ch]))
SCRIPTS := $(sort .ci/run .ci/deps $(wildcard tests/*.sh tests/*/*.sh slurm/*.sh jobs/*/*.sh))

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: FORCE all tests quick-tests deps deps-build run test ranks san trials bench bench-solvers lint docs format format-check install info clean help

all: $(PROGRAM)                 ## the program, build/robion (VARIANT=release|debug|san, PORTABLE=1, V=1, BUILD=dir)
tests: $(TESTS) $(BUILD)/tests/e2e_case ## the unit test programs
quick-tests: $(QUICK_TESTS)

# --- Compile and link ----------------------------------------------------------------------------------------------
# A file that is rewritten only when its text changes, so that what depends on it is rebuilt then and only then.
stamp = @mkdir -p $(@D); printf '%s\n' $(call quote,$(1)) | cmp -s - $@ || printf '%s\n' $(call quote,$(1)) >$@

$(BUILD)/stamp/flags: FORCE | deps-build
	$(call stamp,$(CC) $(ALL_CFLAGS) $(ALL_CPPFLAGS) $(ALL_LIBS) $(PKG_VERSIONS))
$(BUILD)/stamp/provenance: FORCE | deps-build
	$(call stamp,$(PROVENANCE))
$(BUILD)/stamp/sources: FORCE
	$(call stamp,$(SOURCES))

# What the libraries' headers say, parsed once: a third of a build. ccache would not serve files that are compiled with it.
PARSED := $(if $(findstring ccache,$(CC) $(OMPI_CC)),,$(BUILD)/generated/libraries.h.gch)
# Under sanitizers a compiler takes twice as long where it optimises: that is worth it for what computes. Headers are parsed for each.
PARSED_QUICK := $(if $(SANITIZE),$(PARSED:%/libraries.h.gch=%/quick/libraries.h.gch))
$(BUILD)/generated/libraries.h.gch $(BUILD)/generated/quick/libraries.h.gch: $(BUILD)/stamp/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)printf '#include <%s>\n' petscsys.h hdf5.h math.h stdlib.h string.h unistd.h >$(@:.gch=)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_CPPFLAGS) $(LEVEL) -x c-header -c $(@:.gch=) -o $@
ifneq ($(SANITIZE),)
QUICK := $(foreach f,src/cli src/cohort src/collect src/exchange src/plan src/report src/results src/study src/yaml tests,$(BUILD)/$f/%.o)
$(QUICK) $(BUILD)/generated/quick/%.gch: LEVEL := -O0
$(QUICK): PARSED := $(PARSED_QUICK)
endif
# PETSc's header makes macros of the functions that this file defines.
$(BUILD)/src/base/guard_mpi.o: PARSED :=

$(BUILD)/%.o: %.c $(BUILD)/stamp/flags $(PARSED) $(PARSED_QUICK)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_CPPFLAGS) $(EXTRA_FLAGS) $(LEVEL) $(PARSED:%.gch=-include %) -MMD -MP -c $< -o $@

$(BUILD)/generated/%.o: $(BUILD)/generated/%.c $(BUILD)/stamp/flags
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-trigraphs -c $< -o $@

$(BUILD)/src/base/provenance.o: $(BUILD)/stamp/provenance
$(BUILD)/src/base/provenance.o: EXTRA_FLAGS = $(PROVENANCE)

$(BUILD)/src/exchange/volume/image.o $(BUILD)/src/exchange/formats.o $(BUILD)/src/exchange/dicom/shim_without.o: EXTRA_FLAGS = \
  $(if $(NIFTI),-DROBION_NIFTI -isystem $(NIFTI_INCLUDE)) $(if $(DICOM),-DROBION_DICOM)
# Empty where DCMTK is missing: shim_without.c then stands for it.
$(BUILD)/src/exchange/dicom/shim.o: src/exchange/dicom/shim.cc src/exchange/dicom/shim.h $(BUILD)/stamp/flags
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(if $(DICOM),$(CXX) $(ALL_CXXFLAGS) $(CPPFLAGS) $(JPEG2000:-I%=-isystem %) -c $<,$(CC) $(ALL_CFLAGS) -x c -c /dev/null) -o $@

# Files that the program holds, a line of the file as a line of a C string: nuclear data, and what pages of HTML need.
ASSETS := $(sort $(wildcard src/report/html/*.css src/report/html/*.js src/report/html/vendor/*.css src/report/html/vendor/*.js))
c_string = sed -e 's/[\\"]/\\&/g' -e 's/.*/  "&\\n"/' -e '1s/^/extern const char $(1)[];\nconst char $(1)[] =\n/' -e '$$s/$$/;/' $(2)
$(BUILD)/generated/fragmentation_builtin.c: configs/fragmentation.yaml
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q)$(call c_string,fragmentation_builtin,$<) >$@
$(BUILD)/generated/report_assets.c: $(ASSETS)
	$(call say,GEN,$@)
	@mkdir -p $(@D)
	$(Q){ $(foreach f,$^,$(call c_string,$(subst .,_,$(notdir $f)),$f);) } >$@

$(LIBRARY): $(OBJECTS) $(BUILD)/stamp/sources
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $(OBJECTS)

LINK = $(Q)$(CC) $(ALL_CFLAGS) $(if $(SANITIZE),-rdynamic) $(FAST_LINKER) $(filter %.o,$^) $(LIBRARY) -o $@

$(PROGRAM): $(BUILD)/src/main.o $(LIBRARY) $(KEEP_PLUGINS)
	$(call say,LINK,$@)
	$(LINK) $(ALL_LIBS)

# Tests are compiled for a quick build; what takes their time is the library.
$(BUILD)/tests/%.o: EXTRA_FLAGS = -Itests/support -O1 -DSANITIZED=$(if $(SANITIZE),1,0)
$(TEST_SOURCES:%.c=$(BUILD)/%.o): | deps
$(BUILD)/tests/test_%: $(BUILD)/tests/unit/test_%.o $(LIBRARY) $(KEEP_PLUGINS)
	$(call say,LINK,$@)
	$(LINK) $(CMOCKA) $(ALL_LIBS)

$(BUILD)/tests/e2e_case: $(BUILD)/tests/support/e2e_case.o $(LIBRARY) $(KEEP_PLUGINS)
	$(call say,LINK,$@)
	$(LINK) $(ALL_LIBS)

$(BUILD)/tests/bench_%: $(BUILD)/tests/bench/bench_%.o $(LIBRARY) $(KEEP_PLUGINS)
	$(call say,LINK,$@)
	$(LINK) $(ALL_LIBS)

-include $(patsubst %.c,$(BUILD)/%.d,src/main.c $(SOURCES) $(TEST_SOURCES) $(BENCH_SOURCES))

deps-build:
	@CC='$(CC)' sh .ci/deps $(PACKAGES) nifti dicom

deps: deps-build                ## install missing packages (Debian, Ubuntu); does nothing where all are found
	@CC='$(CC)' sh .ci/deps $(PACKAGES) nifti dicom cmocka gnuplot python pydicom nibabel teem dciodvfy h5diff slurm docs

# --- Run and check -------------------------------------------------------------------------------------------------
# Open MPI: slots are hardware threads here, and containers run as root.
MPI_ENV := OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none \
  $(if $(filter 0,$(shell id -u)),OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1)

run: $(PROGRAM)                 ## plan the benchmark on NP ranks (default: cores, at most 4), or STUDY=file.yaml RUN_ARGS=options (in the place of --arms conventional,worst-case)
	@echo 'mpirun -n $(NP) $(PROGRAM) run $(STUDY) $(RUN_ARGS)'
	@$(MPI_ENV) mpirun -n $(NP) $(PROGRAM) run $(STUDY) $(RUN_ARGS)

# What does not build counts as failed, and the tests that can be built run all the same.
test: deps                      ## every test, the sanitizer build's included; search=PATTERN for some
	@rm -f $(BUILD)/test-logs/summary.txt
	@built=yes; $(MAKE) --no-print-directory -k all tests || built=no; \
	  $(MAKE) --no-print-directory -k VARIANT=san BUILD=$(BUILD)/san quick-tests || built=no; \
	  BUILT=$$built BUILD=$(BUILD) CC='$(CC)' tests/run.sh '$(search)'

ranks: deps                     ## what runs on several ranks, on 1, 2, 3 and 4 of them (`make test`: most on 1 and 2)
	@built=yes; $(MAKE) --no-print-directory -k all tests || built=no; \
	  BUILT=$$built BUILD=$(BUILD) CC='$(CC)' tests/run.sh --ranks '$(search)'

san: deps                       ## the unit tests with address, leak and undefined-behaviour sanitizers
	@built=yes; $(MAKE) --no-print-directory -k VARIANT=san BUILD=$(BUILD)/san all tests || built=no; \
	  BUILT=$$built BUILD=$(BUILD) CC='$(CC)' tests/run.sh --san '$(search)'

# Each says its counts in its last line and what has failed before it; the numbers of trials are in their first lines.
TRIALS := $(sort $(wildcard tests/trials/*.sh))
trials: all                     ## kills, requeues, full disks, damaged files and little memory at random: an hour; search=PATTERN for some
	@failed=; for t in $(if $(search),$(foreach t,$(TRIALS),$(if $(findstring $(search),$t),$t)),$(TRIALS)); do \
	  echo "== $$t"; ROBION=$(PROGRAM) bash $$t || failed="$$failed $$t"; done; \
	  [ -z "$$failed" ] || { echo "failed:$$failed"; exit 1; }

BENCH_RANKS ?= 1 2
bench: $(BENCHES)               ## the timing programs tests/bench/bench_*.c on 1 and 2 ranks; their figures go to build/bench.csv
	@rm -f $(BUILD)/bench.csv
	@$(foreach n,$(BENCH_RANKS),$(foreach b,$(filter-out %/bench_solvers,$(BENCHES)),$(MPI_ENV) mpirun -n $n $b $(BUILD)/bench.csv || exit 1;))
	@awk -f tests/bench/slopes.awk $(BUILD)/bench.csv

bench-solvers: $(BUILD)/tests/bench_solvers ## robion's minimax solver and those of TAO on a coarse RTOG benchmark: half an hour
	@$(MPI_ENV) mpirun -n 1 $< $(BUILD)/bench-solvers.csv

# Other versions of clang-format lay out some lines otherwise.
CLANG_FORMAT = $(firstword $(foreach f,clang-format-14 clang-format,$(if $(findstring version 14.,$(shell $f --version 2>&1)),$f)))

format:                         ## lay out all C sources with clang-format 14
	$(if $(CLANG_FORMAT),$(Q)$(CLANG_FORMAT) -i $(C_FILES),@echo 'clang-format 14 is not here' && exit 1)

format-check:
	$(if $(CLANG_FORMAT),@! $(CLANG_FORMAT) --dry-run $(C_FILES) 2>&1 | sed -nE 's/^([^ :]+):[0-9].*/\1: run make format/p' | \
	  sort -u | grep .,@echo 'skipped: clang-format 14 is not here')

lint: format-check              ## formatting, cppcheck, clang-tidy and shellcheck, each where it is installed
	$(call linter,cppcheck,--quiet --std=c11 -Iinclude --enable=warning$(comma)performance$(comma)portability --inline-suppr \
	  --suppress=missingInclude --suppress=unknownMacro --suppress=invalidFunctionArg --error-exitcode=1 -j$(CORES) src)
	$(call linter,clang-tidy,--quiet $(wildcard src/*.c) $(SOURCES) -- -std=gnu11 $(ALL_CPPFLAGS) 2>/dev/null)
	$(call linter,shellcheck,-x -P SCRIPTDIR $(SCRIPTS))
linter = $(Q)if command -v $(1) >/dev/null; then $(1) $(2); else echo 'skipped: $(1) is not here'; fi

# Equations are set by MathJax, which the pages bring along: they need no network.
MATHJAX ?= /usr/share/javascript/mathjax
MATHJAX_PARTS := MathJax.js extensions jax/element jax/input/TeX jax/output/HTML-CSS fonts/HTML-CSS/TeX/woff
docs:                           ## headers, READMEs and theory as pages for a browser: build/docs/html/index.html, by doxygen
	$(Q)mkdir -p $(BUILD)/docs && cp README.md $(BUILD)/docs/overview.md
	$(Q)(cat src/Doxyfile; printf 'OUTPUT_DIRECTORY = %s\nPROJECT_NUMBER = %s\nINPUT += %s\nUSE_MDFILE_AS_MAINPAGE = %s\n%s' \
	  $(BUILD)/docs '$(VERSION)' $(BUILD)/docs/overview.md $(BUILD)/docs/overview.md \
	  '$(if $(wildcard $(MATHJAX)/MathJax.js),MATHJAX_RELPATH = mathjax)') >$(BUILD)/docs/Doxyfile
	$(Q)for part in $(MATHJAX_PARTS); do test ! -e $(MATHJAX)/$$part || { mkdir -p $(BUILD)/docs/html/mathjax/$$(dirname $$part) && \
	  cp -rL $(MATHJAX)/$$part $(BUILD)/docs/html/mathjax/$$(dirname $$part); } || exit 1; done
	$(Q)if command -v doxygen >/dev/null; then doxygen $(BUILD)/docs/Doxyfile; else echo 'skipped: doxygen is not here'; fi

# --- The rest ------------------------------------------------------------------------------------------------------
SHARE = $(DESTDIR)$(PREFIX)/share/robion
install: $(PROGRAM)             ## PREFIX (default /usr/local) and DESTDIR: program, configurations, studies and their scripts, SLURM scripts
	$(Q)install -D -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/robion
	$(Q)for f in $$(find configs slurm jobs -maxdepth 2 -type f ! -name '*.pyc'); do install -D -m 644 $$f $(SHARE)/$$f || exit 1; done
	$(Q)install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/robion $(wildcard README.md LICENSE CHANGELOG.md CITATION.cff)

info: | deps-build              ## variant, compiler, flags and versions of this build
	@printf '%-10s %s\n' version '$(VERSION) ($(GIT))' variant '$(VARIANT)' build '$(BUILD)' compiler "$$($(CC) --version | head -n 1)"
	@printf '%-10s %s\n' flags $(call quote,$(strip $(ALL_CFLAGS))) libraries "$$(echo $(join $(PACKAGES:%=%=),$(PKG_VERSIONS)))" ranks '$(NP)'

clean:                          ## remove what was built
	rm -rf $(BUILD)

help:                           ## this list
	@sed -nE 's/^([a-z-]+):[^#]*## /\1\t/p' Makefile | while IFS="$$(printf '\t')" read -r t d; do printf '  %-8s %s\n' "$$t" "$$d"; done
