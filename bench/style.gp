# SPDX-License-Identifier: Apache-2.0
# How the plots of bench/all look: colours that differ in brightness, too.
set style line 1 lc rgb "#555555" lw 2 pt 4 dt 2
set style line 2 lc rgb "#004488" lw 3 pt 7
set style line 3 lc rgb "#2a8fd0" lw 2.5 pt 5
set style line 4 lc rgb "#cc3311" lw 2 pt 9
set style line 5 lc rgb "#117733" lw 3 pt 7
set style line 6 lc rgb "#ee7733" lw 2 pt 11
set style line 7 lc rgb "#aa4499" lw 2 pt 13
set style line 8 lc rgb "#88aacc" lw 1.5 pt 6 dt 3
set style line 9 lc rgb "#88bb99" lw 1.5 pt 6 dt 3
set linetype 1 lc rgb "#004488"
set linetype 2 lc rgb "#ee7733"
set grid ytics lc rgb "#cccccc"
set border 3
set tics nomirror
set key below reverse Left samplen 2 maxcols 2 font ",11" noenhanced
set xtics nomirror
