# How times grow: of a bench.csv, slopes of log(value) against the log of scenarios, spots, voxels and ranks, between two lines of the same
# measure in which nothing else differs by more than a tenth. 1: in proportion.
BEGIN { FS = ","; split("1 4 5 6", column, " "); name[1] = "ranks"; name[4] = "scenarios"; name[5] = "spots"; name[6] = "voxels" }
function near(a, b) { return a == b || (a > 0 && b > 0 && a / b < 1.1 && b / a < 1.1) }
$7 ~ /_(wall|cpu)$/ { n++; for (i = 1; i <= 8; i++) field[n, i] = $i }
END {
  printf "%-24s %-14s %-10s %-10s %9s %9s  %6s\n", "measure", "plan", "operator", "against", "from", "to", "slope"
  for (a = 1; a <= n; a++)
    for (b = 1; b <= n; b++) {
      if (a == b || field[a, 2] != field[b, 2] || field[a, 3] != field[b, 3] || field[a, 7] != field[b, 7]) continue
      differs = 0
      for (c = 1; c <= 4; c++)
        if (!near(field[a, column[c]], field[b, column[c]])) { differs++; at = column[c] }
      if (differs == 1 && field[a, at] + 0 < field[b, at] + 0 && field[a, 8] > 0 && field[b, 8] > 0)
        printf "%-24s %-14s %-10s %-10s %9d %9d  %6.2f\n", field[a, 7], field[a, 2], field[a, 3], name[at], field[a, at], field[b, at],
          log(field[b, 8] / field[a, 8]) / log(field[b, at] / field[a, at])
    }
}
