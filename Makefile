# robion: see `make help`.
VARIANT ?= release
V ?= 0
BUILD := build$(if $(filter-out release,$(VARIANT)),/$(VARIANT))
PACKAGES := PETSc hdf5-openmpi yaml-0.1 gsl
CC := mpicc
PKG_CFLAGS = $(shell pkg-config --cflags $(PACKAGES))
PKG_LIBS = $(shell pkg-config --libs $(PACKAGES)) -lmatio -lm

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wno-unused-parameter
CFLAGS_release := -O3 -march=native
CFLAGS_debug := -O0 -g
CFLAGS_san := -O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer
LDFLAGS_san := -fsanitize=address,undefined
CFLAGS := -std=gnu11 $(WARN) $(CFLAGS_$(VARIANT)) -Iinclude
LDFLAGS := $(LDFLAGS_$(VARIANT))

SOURCES := $(filter-out src/main.c,$(wildcard src/*/*.c))
OBJECTS := $(SOURCES:src/%.c=$(BUILD)/src/%.o)
LIBRARY := $(BUILD)/librobion.a
TESTS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/test_*.c))
Q := $(if $(filter 0,$(V)),@)

all: $(BUILD)/robion
$(BUILD)/src/%.o: src/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(PKG_CFLAGS) -MMD -MP -c $< -o $@
$(LIBRARY): $(OBJECTS)
	$(Q)rm -f $@ && ar rcs $@ $^
$(BUILD)/robion: $(BUILD)/src/main.o $(LIBRARY)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@ $(PKG_LIBS)
$(BUILD)/tests/%: tests/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(PKG_CFLAGS) -MMD -MP $(LDFLAGS) $< $(LIBRARY) -o $@ $(shell pkg-config --libs cmocka) $(PKG_LIBS)
tests: $(TESTS)
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.PHONY: all tests
