/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of CMP over HTTP: RFC 6712. */
#ifndef DEVID_TOOLS_CMP_TRANSFER_H
#define DEVID_TOOLS_CMP_TRANSFER_H

#include <openssl/cmp.h>

#include "cmp.h"

struct cmp_transfer {
    const struct cmp_spec *spec;
    void *curl;
    enum exit_code code; /* what the last exchange came to; it has been said */
};

/* Out of memory ends the program. */
void cmp_transfer_open(struct cmp_transfer *transfer,
                       const struct cmp_spec *spec);
void cmp_transfer_close(struct cmp_transfer *transfer);

/* For OSSL_CMP_CTX_set_transfer_cb, with the transfer as its argument. */
OSSL_CMP_MSG *cmp_transfer(OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *message);

#endif
