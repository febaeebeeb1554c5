/* SPDX-License-Identifier: Apache-2.0 */
/* TPM structures that need no TPM to be understood: public areas. Pure. */
#ifndef DEVID_TPM2_PUBLIC_H
#define DEVID_TPM2_PUBLIC_H

#include "../devid.h"

#include <tss2/tss2_tpm2_types.h>

struct devid_key_limits;

/*
 * A hash of the table for the TPM's id of it, NULL for one that is not there;
 * and the reverse, TPM2_ALG_NULL for one that TPMs do not have.
 */
const struct devid_hash *tpm2_hash_from_id(TPM2_ALG_ID id);
TPMI_ALG_HASH tpm2_hash_id(const struct devid_hash *hash);

/* OpenSSL's name of a hash, and its digest's bytes; NULL, 0: not known. */
static inline const char *tpm2_hash_name(TPM2_ALG_ID id)
{
    const struct devid_hash *hash = tpm2_hash_from_id(id);

    return hash != NULL ? hash->name : NULL;
}

static inline size_t tpm2_hash_len(TPM2_ALG_ID id)
{
    const struct devid_hash *hash = tpm2_hash_from_id(id);

    return hash != NULL ? hash->len : 0;
}

/* The TPM's id of a curve of the table. */
TPMI_ECC_CURVE tpm2_curve_of(const struct devid_algorithm *alg);

/*
 * The TPM may drop leading zeros; on our seams a number has none less. False
 * for one that does not fit into `len` bytes.
 */
bool tpm2_put_coordinate(const BYTE *from, size_t from_len, uint8_t *to,
                         size_t len);

DEVID_CHECK enum devid_err tpm2_public_to_devid(const TPMT_PUBLIC *tpm,
                                                struct devid_public *pub,
                                                struct devid_error *err);
/* A number as wide as its field: TPMs may leave zeros out at the beginning. */
void tpm2_put_padded(const BYTE *from, size_t from_len, uint8_t *to,
                     size_t len);
/* The reverse: type, parameters and unique; nothing else is changed. */
void tpm2_public_from_devid(const struct devid_public *pub, TPMT_PUBLIC *tpm);
void tpm2_public_limits(const TPMT_PUBLIC *tpm,
                        struct devid_key_limits *limits);
/* Attributes in words: "fixedTPM, fixedParent, ... noDA". */
void tpm2_public_words(const TPMT_PUBLIC *tpm, char *text, size_t size);
/* The Name of a public area (TPM 2.0 Part 1, 16). */
DEVID_CHECK enum devid_err tpm2_public_name(const TPMT_PUBLIC *tpm,
                                            OSSL_LIB_CTX *libctx,
                                            TPM2B_NAME *name,
                                            struct devid_error *err);

#endif
