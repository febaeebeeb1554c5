/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_TOOLS_PNG_H
#define DEVID_TOOLS_PNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is there ink at this point? */
typedef bool png_pixel_fn(const void *arg, unsigned x, unsigned y);

/*
 * A square image in black and white, without compression; OPENSSL_malloc. Out
 * of memory ends the program. Source: RFC 2083; RFC 1950; RFC 1951, 3.2.4.
 */
uint8_t *png_encode(unsigned width, png_pixel_fn *pixel, const void *arg,
                    size_t *len);

#endif
