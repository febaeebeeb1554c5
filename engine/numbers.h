/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of a public key: their order in a point, and whether they are
 * any at all. */
#ifndef DEVID_NUMBERS_H
#define DEVID_NUMBERS_H

#include "devid.h"

#define DEVID_POINT_MAX (1 + 2 * DEVID_COORDINATE_MAX)
/* Smaller moduli are broken, and no TPM makes them. */
#define DEVID_RSA_BITS_MIN 1024

/* An EC key's point, uncompressed: 1 + 2 * coordinate_len bytes (SEC 1,
 * 2.3.3). Returns how many; pub->alg is not NULL. */
size_t devid_point_put(const struct devid_public *pub,
                       uint8_t point[DEVID_POINT_MAX]);

/*
 * Said when a key is loaded, and not when it signs: a point that is not on its
 * curve, a modulus that is even, too small or not as long as it is said to be.
 *
 * Returns DEVID_OK, DEVID_ERR_INPUT (damaged), _ALG (too small), _SYSTEM.
 * Cost: some 0.1 ms for an EC key; fetches nothing.
 */
DEVID_CHECK enum devid_err devid_numbers_check(const struct devid_public *pub,
                                               struct devid_error *err);

#endif
