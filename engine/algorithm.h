/* SPDX-License-Identifier: Apache-2.0 */
/* The table of algorithms, as the engine's own files look things up in it. */
#ifndef DEVID_ALGORITHM_H
#define DEVID_ALGORITHM_H

#include "devid.h"

/* The row for a type and its size in bits; NULL where there is none. */
const struct devid_algorithm *devid_algorithm_find(enum devid_key_type type,
                                                   unsigned bits);

#endif
