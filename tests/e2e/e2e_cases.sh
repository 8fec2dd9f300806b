#!/usr/bin/env bash
# Cases with settings of their own, structures that only some of them have, fields for several targets: one cohort all the same, the
# same bits on any number of ranks.
# timeout: 300
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
STUDY=$WORK/study.yaml
cp tests/studies/e2e-cases.yaml "$STUDY" && "$(dirname "$ROBION")/tests/e2e_case" good "$WORK/edge.h5" || exit 1

check "validate" expect_text '3 plans, no mistakes' "$ROBION" validate "$STUDY"
for n in 1 2; do check "three cases on $n ranks" mpi "$n" "$ROBION" run "$STUDY" --results "$WORK/r$n"; done
for table in metrics dvh goals; do check "$table.csv is the same" cmp "$WORK/r1/$table.csv" "$WORK/r2/$table.csv"; done

value() { # CASE STRUCTURE QUANTITY METRIC, nominal
  awk -F, -v c="$1" -v s="$2" -v q="$3" -v m="$4" '$2 == c && $5 == "nominal" && $6 == s && $7 == q && $8 == m { print $9 }' \
    "$WORK/r1/metrics.csv"
}
between() { awk -v a="$1" -v low="$2" -v high="$3" 'BEGIN { print a; exit !(a != "" && a >= low && a <= high) }'; }
check "4 x 10" between "$(value one CTV rbe_weighted Dmean)" 9 11
check "6 x 7 beside it" between "$(value two CTV rbe_weighted Dmean)" 6.3 7.7
limits() { awk -F, '$5 == "CTV" { print $2, $11 }' "$WORK/r1/goals.csv" | tr '\n' ' '; }
check "each against its own prescription" test "$(limits)" = 'one 5 two 3.5 edge 5 '
check "statistics are over all of them" grep -qE '^nominal,CTV,rbe_weighted,D95,Gy\(RBE\),plan,,,,3,' "$WORK/r1/statistics.csv"

# --- Structures that only some cases have ------------------------------------------------------------------------------
check "what is optional is where its structure is" test -n "$(value edge EDGE outcome NTCP-edge)" -a \
  -n "$(value edge EDGE rbe_weighted_course D1cc)"
check "and nowhere else" test -z "$(value one EDGE outcome NTCP-edge)$(value two EDGE rbe_weighted_course D1cc)"
goals() { awk -F, -v c="$1" '$2 == c' "$WORK/r1/goals.csv" | wc -l; }
check "so are goals" test "$(goals one) $(goals two) $(goals edge)" = "1 1 2"
for what in objective outcome metric goal; do
  check "the log tells of an $what left out" grep -qE "case +one +has no EDGE: optional $what on it left out" "$WORK/r1/log.txt"
done
for key in objectives.1 outcomes.1 metrics.0 goals.0; do
  check "without optional it is a mistake of $key" expect_text "${key%.*}: case one has no structure EDGE" \
    "$ROBION" validate "$STUDY" --set "$key.optional=false"
done
check "no objective left is one, too" expect_text 'case one has none of the structures that objectives look at' \
  "$ROBION" validate "$STUDY" --set 'objectives=[{structure: EDGE, type: mean-linear, optional: true}]'

# --- A target for each field -------------------------------------------------------------------------------------------
spots() { # RESULTS CASE BEAM
  sed -nE "s/.*beams +$2 +beam $3, .*: ([0-9]+) spots on.*/\1/p" "$1/log.txt"
}
check "CTV and inner on both fields" mpi 1 "$ROBION" run "$STUDY" --results "$WORK/inner" --only two --set \
  'cases.1.set={prescription.target: inner}'
check "a field covers the target of its own" test "$(spots "$WORK/r1" two 1)" = "$(spots "$WORK/inner" two 1)"
check "the other that of the prescription" test "$(spots "$WORK/r1" two 0)" = "$(spots "$WORK/r1" one 0)"
check "which has more spots" test "$(spots "$WORK/r1" two 0)" -gt "$(spots "$WORK/r1" two 1)"
if command -v h5dump >/dev/null; then
  check "plan.h5 tells" expect_text '"inner"' h5dump -a /plan/beam_1/target "$WORK/r1/cases/two/plan/plan.h5"
else
  skip "plan.h5 tells" "no h5dump here"
fi
again() { # the plan's own spots, field by field, give its doses
  "$ROBION" evaluate "$WORK/r1/cases/two/plan/plan.h5" "$STUDY" -o "$WORK/again.h5" &&
    cmp <(cut -d, -f5- "$WORK/again.metrics.csv" | grep -v sweep) <(cut -d, -f5- "$WORK/r1/cases/two/plan/metrics.csv" | grep -v sweep)
}
check "evaluate takes the spots of both" again
check "a target that is not there" expect_text 'beams.target: case two has no structure iner, did you mean inner' \
  "$ROBION" validate "$STUDY" --set 'cases.1.set={beams.1.target: iner}'
