# Seven depth doses of 12C, robion's (lines) and matRad's generic machine (points):  gnuplot -e "folder = 'DIR'" depth-dose.gp
set terminal pngcairo enhanced size 1500,1100 font ',12'
set output folder.'/depth-dose.png'
set datafile separator ','
ours = folder.'/seven.csv'
theirs = folder.'/matrad.csv'
offset = 2.89 # mm of water passed before depth 0 of matRad's machine
energies = '115.23 150.71 200.61 250.51 299.33 349.91 398.84'
of(i) = abs(column('energy_MeV_u') - real(word(energies, i))) < 0.02
colours = '#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #000000'
do for [i=1:7] { set linetype i lc rgb word(colours, i) }
set grid lc rgb '#dddddd'
set xlabel 'depth in water / mm'
set ylabel 'MeV cm^2/g per particle'
set format y '%g'
set key top right samplen 2
set multiplot layout 2,1 title 'Laterally integrated physical dose: lines robion, points matRad carbon Generic'
set xrange [0:400]
plot for [i=1:7] ours using (of(i) ? column('depth_mm') - offset : NaN):'idd_MeV_cm2_g' with lines lw 1.5 lc i \
       title word(energies, i).' MeV/u', \
     for [i=1:7] theirs using (of(i) ? column('depth_mm') : NaN):'idd_MeV_cm2_g' with points pt 6 ps 0.6 lc i notitle
set logscale y
set yrange [4:1200]
plot for [i=1:7] ours using (of(i) ? column('depth_mm') - offset : NaN):'idd_MeV_cm2_g' with lines lw 1.5 lc i notitle, \
     for [i=1:7] theirs using (of(i) ? column('depth_mm') : NaN):'idd_MeV_cm2_g' with points pt 6 ps 0.6 lc i notitle
unset multiplot
