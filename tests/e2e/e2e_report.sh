#!/usr/bin/env bash
# `robion report`: pages whose numbers are those of the tables, letter by letter, and which a browser shows without the network.
# The browser needs node, Debian's chromium and two packages of npm:  npm install --prefix build playwright-core axe-core
# timeout: 300
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
out=$WORK/out pages=$WORK/pages
goals='[{structure: CTV, metric: D95, at_least: 95, of: prescription, scenario: worst}, {structure: CTV, metric: D2, at_most: 3.3},
  {structure: CTV, metric: D95, at_least: 90, of: prescription, scenario: {at_least_percent: 95}}]'

check "a study of two cases, two arms and a sweep" mpi 1 "$ROBION" run tests/studies/e2e-collect.yaml --results "$out" --only a,b \
  --set 'sweep={}' --set 'sweep.scenarios.evaluate.setup_mm=[2, 4]' --set "goals=$goals" --set 'activity.scenarios=[nominal]'
check "its pages" "$ROBION" report "$out" -o "$pages"
plan=cases/a/robust/scenarios.evaluate.setup_mm=4
page=$pages/$plan.html
check "one for the study" test -s "$pages/index.html"
check "and one for each plan" test -s "$page" -a -s "$pages/cases/b/plain/scenarios.evaluate.setup_mm=2.html"
loads() { ! grep -oE "(src|href)='[a-z]+:[^']*'" "$page" | grep -v "='data:"; }
check "that loads nothing" loads
allows() { grep -q "Content-Security-Policy' content=\"default-src 'none'; img-src data:;" "$page"; }
check "and may not" allows
check "of less than 10 MB" test "$(wc -c <"$page")" -lt 10000000
check "the other arm's doses are on it" grep -q '"plan":"plain, scenarios.evaluate.setup_mm=4"' "$page"
check "results that are not there" expect_exit 4 "$ROBION" report "$WORK/none"

modules=${NODE_MODULES:-${BUILD:-build}/node_modules}
browser=$(command -v chromium || command -v chromium-browser)
python=$(python_with 'h5py, numpy')
if ! command -v node >/dev/null || [ -z "$browser" ] || [ ! -d "$modules/playwright-core" ] || [ ! -d "$modules/axe-core" ]; then
  skip "pages in a browser" "no node, chromium, playwright-core and axe-core in $modules here"
elif [ -z "$python" ]; then
  skip "pages in a browser" "no python3 with numpy and h5py here"
else
  "$python" tests/support/plan_bytes.py "$out/$plan/plan.h5" >"$WORK/bytes.json"
  node tests/support/report.js "$(realpath "$modules")" "$browser" "$page" "$out/$plan" "$WORK/bytes.json" "$pages/index.html" "$out" \
    >"$WORK/browser.txt" 2>&1
  told_good() { # WHAT: the line of browser.txt that begins with it says "good"
    grep -F "$1: " "$WORK/browser.txt" || { tail -n 5 "$WORK/browser.txt" && return 1; }
    grep -qxF "$1: good" "$WORK/browser.txt"
  }
  while IFS= read -r what; do
    check "browser: $what" told_good "$what"
  done < <(node tests/support/report.js --list)
fi
