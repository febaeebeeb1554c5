/* SPDX-License-Identifier: Apache-2.0 */
/* What a key of a type may do beside signing. */
#ifndef DEVID_TOOL_OTHER_USE_H
#define DEVID_TOOL_OTHER_USE_H

#include "devid.h"

struct other_use {
    const char *name; /* "decrypts" */
    /* Do it once. DEVID_ERR_ALG: this key may not. */
    enum devid_err (*once)(struct devid_key *key, struct devid_error *err);
};

/* NULL: there is nothing else. */
const struct other_use *other_use_of(enum devid_key_type type);

#endif
