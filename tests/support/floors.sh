#!/usr/bin/env bash
# Whether the floors of the house are kept:  tests/support/floors.sh BUILD     (src/floors.txt has their order)
# Looks at what every source file includes and at which symbols its object takes from others. Prints a line for each call or
# include that goes up, each private header that leaves its folder, and each folder or header that floors.txt does not know;
# ends with 1 if there is any.
set -u
BUILD=${1:-build}
found=$(
  {
    grep -v '^#' src/floors.txt | awk '{ print "floor", $1; for (i = 2; i <= NF; i++) print "header", $i, $1 }'
    for header in include/robion/*.h; do echo "is-header $(basename "$header" .h)"; done
    for folder in src/*/; do echo "is-folder $(basename "$folder")"; done
    grep -HE '^ *# *include +"' include/robion/*.h | sed -E 's%^include/robion/([^:]*)\.h:.*"(.*)".*%include-header \1 \2%'
    find src -name '*.[ch]' -exec grep -HE '^ *# *include +"' {} + | sed -E 's%^([^:]*):.*"(.*)".*%include-source \1 \2%'
    find src -name '*.c' | sed "s%^\\(.*\\)\\.c%$BUILD/\\1.o%" | xargs nm -g -P -A |
      awk -v skip="$((${#BUILD} + 2))" '{ file = substr($1, skip); sub(/\.o:$/, ".c", file); print ($3 == "U" ? "takes" : "gives"), file, $2 }'
  } | awk '
    function folder(file,  part) { return split(file, part, "/") < 3 ? "the top" : part[2] }
    function level(name) { return name == "the top" ? 1000 : order[name] }
    $1 == "floor" { order[$2] = ++floors }
    $1 == "header" { if ($2 in owner) print "floors.txt has " $2 ".h twice"; owner[$2] = $3 }
    $1 == "is-header" { is_header[$2] = 1; if (!($2 in owner)) print "include/robion/" $2 ".h: floors.txt does not say whose it is" }
    $1 == "is-folder" && !($2 in order) { print "src/" $2 ": floors.txt does not say which floor it is" }
    function above(who, from, what, to) {
      if (level(to) > level(from)) print who ": " what " of " to ", a floor above " from
    }
    $1 == "include-header" { name = $3; sub(/^robion\//, "", name); sub(/\.h$/, "", name)
      above("include/robion/" $2 ".h", owner[$2], "includes " $3, owner[name]) }
    $1 == "include-source" {
      if ($3 ~ /^robion\//) { name = $3; sub(/^robion\//, "", name); sub(/\.h$/, "", name)
        above($2, folder($2), "includes " $3, owner[name]) }
      else if ($3 ~ /\//) print $2 ": includes " $3 ", a private header of another folder"
    }
    $1 == "gives" { home[$3] = $2 }
    $1 == "takes" { n++; taker[n] = $2; symbol[n] = $3 }
    END {
      for (name in owner) if (!(name in is_header)) print "floors.txt: there is no include/robion/" name ".h"
      for (i = 1; i <= n; i++) if (symbol[i] in home)
        above(taker[i], folder(taker[i]), "calls " symbol[i], folder(home[symbol[i]]))
      if (!n) print "no objects below the build folder"
    }' | sort -u
)
[ -z "$found" ] || { printf '%s\n' "$found" && exit 1; }
