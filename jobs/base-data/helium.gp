# Reaction cross sections of 4He beside measurements (gnuplot -e "folder='FOLDER'" helium.gp): FOLDER/helium.txt, with target, MeV/u, ours,
# theirs and their error in mb, becomes FOLDER/helium.png.
set terminal pngcairo size 800,550 font ",11"
set output folder."/helium.png"
table = folder."/helium.txt"
targets = "H2O O C H"
colours = "#0072B2 #D55E00 #009E73 #CC79A7"
set xlabel "energy, MeV/u"
set ylabel "reaction cross section of 4He, mb"
set xrange [50:280]
set yrange [0:1000]
set grid
set key right top
set title "points: Horst et al. 2017, 2019; lines and crosses: robion"
plot for [i = 1:4] table using (strcol(1) eq word(targets, i) ? $2 : NaN):4:5 with yerrorbars pointtype 7 \
       linecolor rgb word(colours, i) title word(targets, i), \
     for [i = 1:4] table using (strcol(1) eq word(targets, i) ? $2 : NaN):3 with linespoints pointtype 2 linewidth 1.5 \
       linecolor rgb word(colours, i) notitle
