/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTML whose values cannot be markup: what %s stands for is escaped, always.
 */
#ifndef DEVID_STATION_HTML_H
#define DEVID_STATION_HTML_H

#include <stdio.h>

/*
 * As printf, with %s, %c, %%, %d, %u (and %ld, %lld, %lu, %llu, %zu), and %f
 * with a digit for its places, %.1f. A value is right in text, and in an
 * attribute between quotes; in a URL only html_query is. Bytes that are no
 * UTF-8, controls and what turns the direction of text come out as U+FFFD.
 * Anything else in a format is left out.
 */
void html_print(FILE *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A value in a URL's query: percent-encoded but for letters, digits, - . _ ~ */
void html_query(FILE *out, const char *value);

#endif
