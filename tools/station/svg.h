/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plots, as SVG that stands in a page: colours are the style sheet's, by class,
 * and the numbers stand in a table beside it, for who does not see it.
 */
#ifndef DEVID_STATION_SVG_H
#define DEVID_STATION_SVG_H

#include <stddef.h>
#include <stdio.h>

#define SVG_LABEL_SIZE 32

/* Bars side by side. */
struct svg_bars {
    const char *id;    /* of this plot in its page */
    const char *title; /* what is shown, in a few words */
    const char *what;  /* one of the things counted, and many: "unit" */
    const char *many;
    const char *head; /* of the table's first column */
    const unsigned *values;
    size_t count;
    unsigned label_each; /* a label below each so many bars */
    /* Bar `at`: in words, for the table; short, for below it. */
    void (*name)(size_t at, const void *arg, char text[SVG_LABEL_SIZE]);
    void (*label)(size_t at, const void *arg, char text[SVG_LABEL_SIZE]);
    const void *arg;
    size_t marked; /* bars from the first on that are drawn as late */
};
void svg_bars(FILE *out, const struct svg_bars *bars);

#endif
