/* SPDX-License-Identifier: Apache-2.0 */
/* Versions, compared. Pure. */
#ifndef DEVID_DOCTOR_VERSION_H
#define DEVID_DOCTOR_VERSION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Below, equal, above: <0, 0, >0. "7.62" is 7.62.0.0. */
int version_compare(const char *a, const char *b);
/* "73.4" is the beginning of "73.4.17568.4452". */
bool version_begins(const char *version, const char *part);
/*
 * Ranges {"from", "below"} and {"is"}: a version in any of them. Both ends of
 * a range may be left out.
 */
bool version_in(const char *version, const json_t *ranges);

/* Of Debian's packages: deb-version(7). */
int deb_version_compare(const char *a, const char *b);
/* "0.9.2" of "1:0.9.2-3.1+deb12u1", into `text`. */
void deb_version_upstream(const char *version, char *text, size_t size);

/*
 * TPM_PT_FIRMWARE_VERSION_1 and _2 as the vendor writes them: `widths` says how
 * many bits each number has, from the top; [16, 16, 16, 16] where it is NULL.
 */
void firmware_version(uint32_t v1, uint32_t v2, const json_t *widths,
                      char *text, size_t size);

#endif
