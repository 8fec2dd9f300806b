#!/usr/bin/env bash
# Every figure of README.md in this folder, and its pictures:  jobs/base-data/run.sh [FOLDER]     (default results/base-data)
#
# The figures are what the tests of base data and radiobiology print beside the published ones. Comparisons with matRad's carbon
# machine and TRiP98's plan need their files in $ROBION_REFERENCE and are left out, with a line that says so, without.
set -eu
cd "$(dirname "$0")/../.."
out=${1:-results/base-data}
robion=${ROBION:-build/robion}
reference=${ROBION_REFERENCE:-../shared}
python=${PYTHON:-python3}
energies=115.23,150.71,200.61,250.51,299.33,349.91,398.84 # of matRad's machine, near 115, 151, 201, 251, 299, 350, 399
tests='stopping nuclear yields fragments machine_transport lateral depth_dose lem averaging mkm mixed_beam rst_plan emitters trip_ddd trip_spc
  trip_tables matrad_machine'
mkdir -p "$out"

# shellcheck disable=SC2046,SC2086
make -s "$robion" $(printf 'build/tests/test_%s ' $tests)
for test in $tests; do
  echo "== $test"
  # of cmocka's own lines only what failed or was skipped, and none of the log
  { "build/tests/test_$test" 2>&1 || echo "FAILED: $test"; } | grep -v '^\[\(=\|-\| RUN\|       OK\|  PASSED\)\|^[0-9:]* info ' || true
done | tee "$out/figures.txt"

for ion in 12C 11C; do
  [ -e "$out/$ion.h5" ] || "$robion" basedata build --ion $ion --out "$out/$ion.h5"
  "$robion" basedata show "$out/$ion.h5" --csv >"$out/$ion.csv"
done
"$robion" basedata budget --energies-MeV-u 200,400 | tee -a "$out/figures.txt"
"$robion" basedata budget --energies-MeV-u 200,400 --csv >"$out/budget.csv"
sed -n 's/^4He on \(.*\), *\([0-9.]*\) MeV.u: *\([0-9]*\) mb, measured \([0-9]*\) +- \([0-9]*\),.*/\1 \2 \3 \4 \5/p' "$out/figures.txt" \
  >"$out/helium.txt"
sed -n 's/^Haettner \(.*\) at \([0-9.]*\) [a-z]*: \([0-9.]*\), measured \([0-9.]*\),.*/\1 \2 \3 \4/p' "$out/figures.txt" >"$out/haettner.txt"
command -v gnuplot >/dev/null || { echo "no gnuplot: no pictures" && exit 0; }
for ion in 12C 11C; do "$robion" basedata show "$out/$ion.h5" --plot "$out/$ion.png" >/dev/null; done
for picture in budget helium haettner; do gnuplot -e "folder='$out'" "jobs/base-data/$picture.gp"; done
[ -e "$reference/matrad/carbon_Generic.mat" ] || { echo "no $reference/matrad: no comparison of depth doses" && exit 0; }
"$python" -c 'import h5py, matplotlib' 2>/dev/null || { echo "no h5py or matplotlib: no comparison of depth doses" && exit 0; }
"$robion" basedata build --energies-MeV-u $energies --out "$out/seven.h5"
"$robion" basedata import "$reference/matrad/carbon_Generic.mat" --out "$out/matrad.h5"
for machine in seven matrad; do
  "$robion" basedata show "$out/$machine.h5" --curves "$out/$machine.csv" --energy $energies >/dev/null
done
"$python" jobs/base-data/depth-dose.py "$out"
echo "$out: figures.txt, 12C.png, 11C.png, budget.png, helium.png, haettner.png, depth-dose.png"
