/* SPDX-License-Identifier: Apache-2.0 */
/* One list of revoked certificates, made and signed. */
#ifndef DEVID_STATION_CRL_SIGN_H
#define DEVID_STATION_CRL_SIGN_H

#include "crl.h"

#define CRL_NUMBER_SIZE 65

/* A certificate that is revoked. */
struct entry {
    char number[CRL_NUMBER_SIZE]; /* in hex */
    unsigned shard;
    int reason;
    int64_t revoked_ms;
};

/*
 * The list of one shard, of these entries, all of which are its. NULL: memory,
 * or the CA's key, which has left its reason with libcrypto.
 */
X509_CRL *crl_sign(const struct context *context, const struct entry *entries,
                   size_t count, unsigned shard);

#endif
