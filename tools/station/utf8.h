/* SPDX-License-Identifier: Apache-2.0 */
/* Text from outside: what of it is UTF-8, and can be shown. */
#ifndef DEVID_STATION_UTF8_H
#define DEVID_STATION_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character that begins here; 0: not UTF-8, or a control. */
size_t utf8_len(const unsigned char *at);

/* Is all of it such? */
bool utf8_is_clean(const char *text);

#endif
