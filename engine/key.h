/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine's own files may ask of a key beyond devid.h. */
#ifndef DEVID_KEY_H
#define DEVID_KEY_H

#include "devid.h"

/* The library context of the key's engine, borrowed. */
OSSL_LIB_CTX *devid_key_libctx(const struct devid_key *key);

#endif
