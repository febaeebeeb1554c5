/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVID_EC_GENERATOR_H
#define DEVID_EC_GENERATOR_H

#include "devid.h"

/*
 * The generator of a curve, as if it were somebody's public key: a key that
 * agrees with it on a secret gives its own public key's x coordinate.
 * Returns DEVID_OK, DEVID_ERR_SYSTEM. Source: FIPS 186-4, D.1.2.
 */
DEVID_CHECK enum devid_err devid_ec_generator(const struct devid_algorithm *alg,
                                              struct devid_public *generator,
                                              struct devid_error *err);

#endif
