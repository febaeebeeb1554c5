/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTML whose values cannot be markup: what %s stands for is escaped, always.
 */
#ifndef DEVID_STATION_HTML_H
#define DEVID_STATION_HTML_H

#include <stdio.h>

/* Knows %s, %d and %% alone; anything else in a format is left out. */
void html_print(FILE *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
