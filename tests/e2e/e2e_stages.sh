#!/usr/bin/env bash
# A course in stages from the study to plan.h5: at once and one after the other, the same bits on two ranks. A first stage that
# arms have in common is planned once.
# timeout: 600
# shellcheck source=tests/support/lib.sh
. "$(dirname "$0")/../support/lib.sh"
STUDY=tests/studies/e2e-stages.yaml few=--set=optimizer.max_iterations=12

sequential='course: {planning: sequential, accumulate: eqd2, alpha_beta_Gy: 2}'
harder="arms.harder={$sequential, objectives.2.weight: 60}"

for n in 1 2; do
  check "three arms on $n ranks" mpi "$n" "$ROBION" run "$STUDY" "$few" --set "$harder" --team-size 1 --results "$WORK/r$n"
done
for table in metrics dvh; do check "$table.csv is the same" cmp "$WORK/r1/$table.csv" "$WORK/r2/$table.csv"; done

value() { # ARM STRUCTURE QUANTITY METRIC, nominal
  awk -F, -v a="$1" -v s="$2" -v q="$3" -v m="$4" '$3 == a && $5 == "nominal" && $6 == s && $7 == q && $8 == m { print $9 }' \
    "$WORK/r1/metrics.csv"
}
near() { awk -v a="$1" -v b="$2" -v t="$3" 'BEGIN { print a, b; exit !(a != "" && b != "" && (a - b) ^ 2 <= t ^ 2) }'; }
product() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.10g", a * b }'; }
check "the course is five mean fractions" near "$(value together CTV rbe_weighted_course D50)" \
  "$(product 5 "$(value together CTV rbe_weighted D50)")" 1e-5
check "all of it reaches the boost's target" near "$(value together inner rbe_weighted_course Dmean)" 20 1
mean_of() { value sequential inner rbe_weighted D50; }
check "and as EQD2, alpha/beta 2 Gy" near "$(value sequential inner eqd2_course D50)" \
  "$(awk -v d="$(mean_of)" 'BEGIN { printf "%.10g", 5 * d * (d + 2) / 4 }')" 1e-3
check "an arm tells its course in one way" test -z "$(value together CTV eqd2_course D50)$(value sequential CTV rbe_weighted_course D50)"

if command -v h5dump >/dev/null; then
  for beam in 0:wide:3 1:wide:3 2:boost:2; do
    IFS=: read -r b stage fractions <<<"$beam"
    group=/plan/beam_$b
    check "beam $b is of stage $stage" expect_text "\"$stage\"" h5dump -a "$group/stage" "$WORK/r1/cases/water-box/sequential/plan.h5"
    check "with $fractions fractions" expect_text ": $fractions\$" h5dump -a "$group/stage_fractions" \
      "$WORK/r1/cases/water-box/sequential/plan.h5"
  done
else
  skip "attributes of beams" "no h5dump here"
fi

goals() { # ARM: 1 or 0 per goal
  awk -F, -v a="$1" '$3 == a { printf "%s", $14 }' "$WORK/r1/goals.csv"
}
for arm in together sequential; do check "goals met and missed, $arm" test "$(goals "$arm")" = 1101; done
check "the same on two ranks" cmp "$WORK/r1/goals.csv" "$WORK/r2/goals.csv"
check "half of the course" grep -qE '^e2e-stages,water-box,together,,CTV,rbe_weighted_course,D95,course,nominal,at least,10,' "$WORK/r1/goals.csv"
check "half of it as EQD2 of 5 x 4 Gy(RBE)" grep -qE ',sequential,,CTV,eqd2_course,D95,course,nominal,at least,15,' "$WORK/r1/goals.csv"
check "the worst of the set" grep -qE ',inner,rbe_weighted,D98,fraction,min,at least,0.4,' "$WORK/r1/goals.csv"
check "the log tells" grep -q 'goals .*3 of 4 met' "$WORK/r1/log.txt"

# Tables and figures of the study of dose painting, of a course made to look like it: structures of its names and cell counts.
python=$(python_with 'h5py, numpy') drawing=$(python_with 'h5py, matplotlib')
painting=jobs/chordoma-dose-painting
painted_cohort() { # FOLDER
  mkdir -p "$1"/cases/{box/uniform,box/escalation,other/uniform} &&
    "$python" - "$WORK/r1" "$1" <<'PYTHON'
import csv, pathlib, shutil, sys
import h5py, numpy as np

source, out = map(pathlib.Path, sys.argv[1:])
for arm, tcp in (("uniform", 0.7), ("escalation", 0.8)):
    file = out / "cases/box" / arm / "plan.h5"
    shutil.copy(source / "cases/water-box/together/plan.h5", file)
    with h5py.File(file, "a") as f:
        f.attrs["arm"], f.attrs["case"] = arm, "box"
        for name, of in (("GTV", "inner"), ("CTV_HD", "CTV"), ("CTV_LD", "CTV")):
            f["structures"][name] = f["structures"][of]
        dose = f["dose/nominal/rbe_weighted_course"][:]
        cells = np.full(dose.shape, 1e5) * (1 + np.arange(dose.size).reshape(dose.shape) % 8)
        for name, factor in (("nominal", 1), ("best", 0.8), ("worst", 1.2)):
            f[f"tcp/clonogens_{name}"] = factor * cells
        f["tcp"].attrs.update({"link": b"power", "kappa": 0.74})
        f["dose/nominal/tcp"] = np.full(dose.shape, tcp)
for table in ("metrics", "goals"):
    with open(source / f"{table}.csv", newline="") as lines, open(out / f"{table}.csv", "w", newline="") as written:
        read, rows = csv.DictReader(lines), []
        rows = [{**r, "case": "box", "arm": arm, "structure": r["structure"].replace("inner", "GTV")}
                for r in read if r["arm"] == "together" for arm in ("uniform", "escalation")]
        if table == "metrics":
            rows += [{**r, "quantity": "tcp", "metric": metric, "value": tcp, "unit": "%"} for r in rows
                     if (r["scenario"], r["structure"], r["quantity"], r["metric"]) == ("nominal", "GTV", "letd", "L50")
                     for metric, tcp in (("TCP", 70 + 10 * (r["arm"] != "uniform")), ("TCP_best", 84), ("TCP_worst", 66))]
        csv.writer(written).writerow(read.fieldnames)
        csv.DictWriter(written, read.fieldnames).writerows(rows)
PYTHON
}
installed=$WORK/installed/share/robion/jobs
install() { # with the program as it is, whatever built it
  env -u MAKEFLAGS -u MAKELEVEL make -s -o "$ROBION" PROGRAM="$ROBION" PREFIX= DESTDIR="$WORK/installed" install
}
tables() { "$python" "$painting/table.py" "$WORK/painted" | tee "$WORK/tables.md"; }
if [ -n "$python" ]; then
  check "Python reads what the tables say" "$python" tests/support/read_results.py "$WORK/r1"
  check "a cohort of painted doses" painted_cohort "$WORK/painted"
  check "as tables, with the gain of TCP" expect_text '\| escalation \| 80.0 .* 10.0 \| \+7.8 \|' tables
  check "and goals that patients meet" grep -q 'GTV Dmean of the course.*| 0/1, ' "$WORK/tables.md"
  check "none of a folder without results" expect_text 'has no metrics.csv: give' "$python" "$painting/table.py" "$WORK"
  check "install the studies' scripts" install
  check "which print the same tables there" cmp <("$python" "$installed/chordoma-dose-painting/table.py" "$WORK/painted") "$WORK/tables.md"
else
  skip "tables of dose painting" "no python3 with numpy and h5py here"
fi
if [ -n "$drawing" ]; then
  check "figures, without the plan that is missing" expect_text 'left out: other, no plan: escalation, uniform' "$drawing" "$painting/figures.py" "$WORK/painted"
  png_and_svg() { head -c 4 "$WORK/painted/figures/$1.png" | grep -q PNG && grep -q '</svg>' "$WORK/painted/figures/$1.svg"; }
  for figure in table-1 tcp terciles histograms patients sagittal-box slices-box; do check "draw $figure" png_and_svg "$figure"; done
else
  skip "figures of dose painting" "no python3 with h5py and matplotlib here"
fi

stages_planned() { grep -cE 'optimize .* harder  stage (wide|boost)$' "$WORK/$1/log.txt"; }
check "a stage in common is taken over" grep -q 'harder  stage wide is that of sequential' "$WORK/r1/log.txt"
check "and only the other planned" test "$(stages_planned r1)" = 1
check "an arm alone" "$ROBION" run "$STUDY" "$few" --set arms={} --set "$harder" --results "$WORK/alone"
check "plans both stages" test "$(stages_planned alone)" = 2
check "to the same bits" cmp <(grep ,harder, "$WORK/r2/metrics.csv") <(grep ,harder, "$WORK/alone/metrics.csv")

no_stage_files() { ! find "$WORK" -name 'stage-*.h5' | grep .; }
check "no files of single stages stay" no_stage_files
check "a stage's target that is not there" expect_text 'stages: case water-box has no structure iner, did you mean inner\?' \
  "$ROBION" run "$STUDY" --set stages.1.target=iner --results "$WORK/bad"

# A plan in stages evaluated again: its own spots give its own tables.
check "a plan's own spots" "$ROBION" evaluate "$WORK/r1/cases/water-box/sequential/plan.h5" "$STUDY" "$few" \
  --set "$harder" --arm sequential -o "$WORK/again.h5"
check "give its metrics to the bit" cmp <(grep ,sequential, "$WORK/r1/metrics.csv") <(grep ,sequential, "$WORK/again.metrics.csv")
split_in_depth() { # doses of the same spots, each split into sub-beams, are others
  "$ROBION" evaluate "$WORK/r1/cases/water-box/sequential/plan.h5" "$STUDY" "$few" --set "$harder" --set spots.splitting=coarse \
    --arm sequential -o "$WORK/split.h5" && ! cmp -s "$WORK/again.metrics.csv" "$WORK/split.metrics.csv"
}
check "spots of stages are split, too" split_in_depth
printf 'beam,x_mm,y_mm,energy_MeV_u,particles\n3,0,0,150,1e6\n' >"$WORK/spots.csv"
check "spots of a beam too many" expect_text 'beam 3, expected 0 to 2 \(the beams of the study.s stages;' "$ROBION" evaluate \
  "$WORK/spots.csv" "$STUDY" --arm sequential -o "$WORK/out.h5"
