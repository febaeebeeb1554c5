/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hashes of the audit log: what an entry's is made of, what vouches for a
 * row, what is signed of a head.
 */
#ifndef DEVID_STATION_LEDGER_CHAIN_H
#define DEVID_STATION_LEDGER_CHAIN_H

#include "ledger_store.h"

#define CHAIN_HASH_SIZE 65 /* sha256 in hex */
/* What the first entry of a chain follows. */
#define CHAIN_GENESIS                                                          \
    "0000000000000000000000000000000000000000000000000000000000000000"
#define CHAIN_SIGNATURE_MAX 1024

/* An entry's values in the order of its columns, the hash last. */
enum {
    ENTRY_STATION,
    ENTRY_SEQ,
    ENTRY_TIME,
    ENTRY_EVENT,
    ENTRY_SUBJECT,  /* a unit's id, "batch:NAME", or "" */
    ENTRY_REVISION, /* of the subject's row after it; 0: the row is as before */
    ENTRY_SERIAL,
    ENTRY_PEER,
    ENTRY_DETAIL,
    ENTRY_ROW_DIGEST, /* of the subject's row after it; or "" */
    ENTRY_HASH,
    ENTRY_VALUES,
};

/* What vouches for a row: sha256 of its values in hex. False: libcrypto. */
bool chain_row_digest(const struct ledger_value *values, size_t count,
                      char hash[CHAIN_HASH_SIZE]);
/* An entry's hash, from that of the one before it. */
bool chain_entry_hash(const char *before,
                      const struct ledger_value values[ENTRY_VALUES],
                      char hash[CHAIN_HASH_SIZE]);

/* A head, and the station's signature on it. */
struct chain_seal {
    const char *station; /* borrowed */
    int64_t seq;
    char head[CHAIN_HASH_SIZE];
    int64_t time_ms;
    uint8_t signature[CHAIN_SIGNATURE_MAX];
    size_t len;
};
DEVID_CHECK enum devid_err chain_sign(EVP_PKEY *key, struct chain_seal *seal,
                                      struct devid_error *err);
bool chain_verify(EVP_PKEY *key, const struct chain_seal *seal);

#endif
