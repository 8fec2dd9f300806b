#!/usr/bin/env bash
# Every line of the source on its floor: no folder calls or includes what stands above it.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

check "the floors of src/floors.txt are kept" tests/support/floors.sh "$(dirname "$ROBION")"

# A house of two floors, and one fault of each kind at a time.
house() { # a sound one
  rm -rf "$WORK/house" && mkdir -p "$WORK/house/src/ground" "$WORK/house/src/upper" "$WORK/house/include/robion" &&
    cd "$WORK/house" || return
  printf 'ground low\nupper high\n' >src/floors.txt
  printf '#pragma once\nint Low(void);\n' >include/robion/low.h
  printf '#pragma once\n#include "robion/low.h"\nint High(void);\n' >include/robion/high.h
  printf '#include "robion/low.h"\nint Low(void) { return 1; }\n' >src/ground/low.c
  printf '#include "robion/high.h"\n#include "high_private.h"\nint High(void) { return Low(); }\n' >src/upper/high.c
  echo 'enum { HIGH };' >src/upper/high_private.h
}
judge() { # compile the house and look at its floors
  local source
  for source in src/*/*.c; do
    mkdir -p "build/$(dirname "$source")" && ${CC:-cc} -Iinclude -c "$source" -o "build/${source%.c}.o" || return 2
  done
  "$OLDPWD/tests/support/floors.sh" build
}
sound() { (house && judge); }
broken() { (house && eval "$1" && judge); }

check "a sound house is one" sound
check "a call that goes up is named, with both floors" expect_text \
  '^src/ground/low.c: calls High of upper, a floor above ground$' \
  broken "printf 'int High(void);\nint Low(void) { return High(); }\n' >src/ground/low.c"
check "so is an include that goes up" expect_text \
  '^src/ground/low.c: includes robion/high.h of upper, a floor above ground$' broken "echo '#include \"robion/high.h\"' >>src/ground/low.c"
check "of a header, too" expect_text \
  '^include/robion/low.h: includes robion/high.h of upper, a floor above ground$' broken "echo '#include \"robion/high.h\"' >>include/robion/low.h"
check "a private header stays in its folder" expect_text \
  '^src/ground/low.c: includes ../upper/high_private.h, a private header of another folder$' \
  broken "echo '#include \"../upper/high_private.h\"' >>src/ground/low.c"
check "a folder without a floor is named" expect_text '^src/attic: floors.txt does not say' \
  broken "mkdir src/attic && echo 'int attic;' >src/attic/attic.c"
check "a header that is nobody's is named" expect_text '^include/robion/lost.h: floors.txt does not say' \
  broken "touch include/robion/lost.h"
check "what is broken ends with 1" expect_exit 1 broken "touch include/robion/lost.h"
