# Bands of dose-volume histograms, a picture per phantom and a panel per arm:
#     gnuplot -e "results = 'results/rtog-benchmark'; folder = 'DIR'" dvh.gp
set terminal pngcairo enhanced size 1500,420 font ',11'
set datafile separator ','
arms = 'conventional spot-control-heterogeneity spot-control-gradient worst-case'
structures = 'CTV OAR'
colours = '#000000 #d100d1'
prescription = 4.8
set xrange [0:130]
set yrange [0:102]
set grid lc rgb '#dddddd'
set xlabel 'RBE-weighted dose, % of the prescription'
set style fill solid 0.3 noborder
set arrow from 95, graph 0 to 95, graph 1 nohead lc rgb '#888888' dt 2
do for [phantom in 'rtog-homogeneous rtog-heterogeneous'] {
  set output folder.'/'.phantom.'-dvh.png'
  set multiplot layout 1,4 title phantom.': lines without errors, bands over the 28 scenarios' noenhanced
  do for [arm in arms] {
    rows(s) = sprintf("< awk -F, '$2 == \"%s\" && $3 == \"%s\" && $5 == \"%s\" && $6 == \"rbe_weighted\"' %s/dvh.csv", \
                      phantom, arm, s, results)
    set title arm noenhanced
    set ylabel arm eq word(arms, 1) ? 'volume, %' : ''
    set key bottom left
    plot for [i=1:2] rows(word(structures, i)) using ($7 / prescription * 100):10:11 with filledcurves lc rgb word(colours, i) notitle, \
         for [i=1:2] rows(word(structures, i)) using ($7 / prescription * 100):9 with lines lw 1.5 lc rgb word(colours, i) \
             title word(structures, i)
  }
  unset multiplot
}
