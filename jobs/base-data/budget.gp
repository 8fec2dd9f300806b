# Where the energy and charge of 12C beams are over depth, stacked (gnuplot -e "folder='FOLDER'" budget.gp): FOLDER/budget.csv, as
# `robion basedata budget --csv` prints it, becomes FOLDER/budget.png.
set terminal pngcairo size 1100,800 font ",11"
set output folder."/budget.png"
set datafile separator comma
table = folder."/budget.csv"
terms = "primaries H He Li Be B C recoils target_protons carried_by_ions neutrons reactions"
colours = "#0072B2 #56B4E9 #009E73 #E69F00 #D55E00 #CC79A7 #7a5cff #444444 #999999 #eeeeee #f5e6a8 #b8860b"
array energy[2] = [200, 400]
set style fill solid 1 noborder
set key off
set yrange [0:101]
set xlabel "depth in water, mm"
set grid front
# percent of the beam's: columns 3 to 2 + k are energy, 13 further charge
stacked(first, k) = (sum [i = 0:k - 1] column(first + i))
set multiplot layout 2,2 margins 0.07,0.8,0.08,0.94 spacing 0.07,0.1
do for [row = 0:1] {
  set ylabel row ? "charge, % of the beam's" : "energy, % of the beam's"
  do for [e = 1:2] {
    beam = row ? 6 : 11.99671*energy[e]
    first = row ? 16 : 3
    set title row ? "" : sprintf("%d MeV/u", energy[e])
    if (row == 0 && e == 2) { set key outside right top invert } else { set key off }
    plot for [k = 12:1:-1] table using ($1 == energy[e] ? $2 : NaN):(100*stacked(first, k)/beam) \
      with filledcurves x1 linecolor rgb word(colours, k) title word(terms, k) noenhanced
  }
}
unset multiplot
