/* SPDX-License-Identifier: Apache-2.0 */
/* The mask of RSA-PSS and OAEP. Pure. */
#ifndef DEVID_MGF1_H
#define DEVID_MGF1_H

#include "devid.h"

struct devid_mgf1 {
    EVP_MD_CTX *ctx;    /* borrowed: to work with */
    const EVP_MD *hash; /* borrowed */
};

/*
 * XOR the mask that MGF1 makes of `seed` into `data`. False where libcrypto
 * fails. Source: RFC 8017, B.2.1.
 */
DEVID_CHECK bool devid_mgf1_xor(const struct devid_mgf1 *mgf1,
                                const uint8_t *seed, size_t seed_len,
                                uint8_t *data, size_t len);

#endif
