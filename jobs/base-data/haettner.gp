# 12C of 400 MeV/u in water beside Haettner's measurements (gnuplot -e "folder='FOLDER'" haettner.gp): FOLDER/haettner.txt, with what,
# of which element, where, ours and theirs, becomes FOLDER/haettner.png.
set terminal pngcairo size 1500,500 font ",11"
set output folder."/haettner.png"
table = folder."/haettner.txt"
elements = "H He Li Be B"
colours = "#0072B2 #D55E00 #009E73 #CC79A7 #E69F00"
of(what, element, column) = strcol(1) eq what && strcol(2) eq element ? column : NaN
set grid
set multiplot layout 1,3 title "points: Haettner et al. 2006, 2013; lines: robion"
set logscale y
set format y "%g"
set xlabel "depth in water, mm"
set ylabel "ions per primary, within 10 degrees"
set yrange [0.001:1]
set key bottom left
plot for [i = 1:5] table using 3:(of("yields", word(elements, i), $5)) pointtype 7 linecolor rgb word(colours, i) \
       title word(elements, i), \
     for [i = 1:5] table using (of("yields", word(elements, i), $3)):4 with lines linewidth 1.5 \
       linecolor rgb word(colours, i) notitle
set xlabel "angle behind 159 mm, degrees"
set ylabel "ions per primary and steradian"
set xrange [0:10.5]
set yrange [0.02:60]
set key top right
plot for [i = 1:5] table using 3:(of("angles159", word(elements, i), $5)) pointtype 7 linecolor rgb word(colours, i) \
       title word(elements, i), \
     for [i = 1:5] table using (of("angles159", word(elements, i), $3)):4 with lines linewidth 1.5 \
       linecolor rgb word(colours, i) notitle
unset logscale
set xrange [0:350]
set xlabel "depth in water, mm"
set ylabel "depth dose, in units of the measurement"
set yrange [0:2.6]
set key top left
plot table using 3:(of("dose", "C", $5)):(0.037) with yerrorbars pointtype 7 linecolor rgb "#0072B2" title "12C, 400 MeV/u", \
     for [behind = 0:1] table using (($3 > 275) == behind ? of("dose", "C", $3) : NaN):4 with lines linewidth 1.5 \
       linecolor rgb "#0072B2" notitle
unset multiplot
