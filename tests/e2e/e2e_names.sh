#!/usr/bin/env bash
# Names of cases and structures are text wherever they go: never markup, a formula or a command.
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
cat - tests/studies/e2e-box.yaml >"$WORK/study.yaml" <<'YAML'
structures:
  "<script>alert(1)<b>": CTV plus 4 mm
  "=cmd| calc!A0": CTV plus 6 mm
  "Größe <b>&amp;": CTV plus 8 mm
  "`touch hacked` $(touch hacked)": CTV plus 10 mm
YAML
sed -i -e 's/name: box/name: "=cmd,+1"/' -e 's/^overlap_priority.*//' "$WORK/study.yaml"
# A structure counts where the study speaks of it.
cat >>"$WORK/study.yaml" <<'YAML'
goals:
  - {structure: "<script>alert(1)<b>", metric: Dmean, at_least: 1}
  - {structure: "=cmd| calc!A0", metric: Dmean, at_least: 1}
  - {structure: "Größe <b>&amp;", metric: Dmean, at_least: 1}
  - {structure: "`touch hacked` $(touch hacked)", metric: Dmean, at_least: 1}
YAML
run() { "$ROBION" run "$WORK/study.yaml" --results "$WORK/run" --set optimizer.max_iterations=1 >/dev/null; }
check "a study of such names" run
check "has its pages" "$ROBION" report "$WORK/run"
pages=("$WORK"/run/report/index.html "$WORK"/run/report/cases/*/*.html)
none() { ! grep -qF -- "$1" "${@:2}"; }
for page in "${pages[@]}"; do
  check "no markup of a name on ${page##*/}" none '<script>alert' "$page"
  check "none on ${page##*/}" none 'Größe <b>' "$page"
done
check "the name is there as text" grep -qF '&lt;script&gt;alert(1)&lt;b&gt;' "${pages[1]}"
check "so is the other" grep -qF 'Größe &lt;b&gt;&amp;amp;' "${pages[1]}"
tables=("$WORK"/run/*.csv "$WORK"/run/cases/*/plan/*.csv)
formula() { ! grep -nE '(^|,)"?[=@]|(^|,)"?[-+][^0-9.]' "${tables[@]}"; }
check "no field of a table is a formula" formula
check "names of such kind stand behind an apostrophe" grep -q "'=cmd| calc!A0" "$WORK/run/metrics.csv"
check "that of the case too" grep -q "\"'=cmd,+1\"" "$WORK/run/metrics.csv"
check "the tables are read again" "$ROBION" collect "$WORK/run"
python=$(python_with 'h5py, numpy')
if [ -n "$python" ]; then
  names() {
    "$python" - "$WORK/run" <<'PY'
import sys
sys.path.append("jobs")
import robion
rows = list(robion.rows(sys.argv[1] + "/metrics.csv"))
assert {r["case"] for r in rows} == {"=cmd,+1"}
assert {"=cmd| calc!A0", "<script>alert(1)<b>", "Größe <b>&amp;"} <= {r["structure"] for r in rows}
PY
  }
  check "also by jobs/robion.py" names
else
  skip "names in Python" "no python3 with numpy and h5py here"
fi
check "nothing was run" test ! -e hacked
