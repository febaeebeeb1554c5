/* SPDX-License-Identifier: Apache-2.0 */
/* The table of algorithms, as the engine's own files look things up in it. */
#ifndef DEVID_ALGORITHM_H
#define DEVID_ALGORITHM_H

#include "devid.h"

/* The row for a type and its size in bits; NULL where there is none. */
const struct devid_algorithm *devid_algorithm_find(enum devid_key_type type,
                                                   unsigned bits);

/*
 * Does a key of this type, and bound as it is, sign so at all?
 * Returns DEVID_OK, DEVID_ERR_USAGE (no key of its type does) or _ALG.
 */
DEVID_CHECK enum devid_err devid_scheme_check(const struct devid_public *pub,
                                              const struct devid_tbs *tbs,
                                              struct devid_error *err);

#endif
