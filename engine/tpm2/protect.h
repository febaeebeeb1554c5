/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What only one key of one TPM can open: an imported key on its way
 * (TPM2_Import), a credential (TPM2_ActivateCredential). Pure.
 */
#ifndef DEVID_TPM2_PROTECT_H
#define DEVID_TPM2_PROTECT_H

#include "public.h"

/* Who shall open it, a storage key or an EK, and for what. */
struct tpm2_protection {
    const struct devid_public *pub;
    const struct devid_hash *hash; /* its nameAlg */
    unsigned aes_bits;             /* of its symmetric algorithm, AES in CFB */
    const char *use;               /* "DUPLICATE", "IDENTITY" */
    const TPM2B_NAME *name;        /* of the object that it belongs to */
    OSSL_LIB_CTX *libctx;
};

/* What it is protected by, and tells the recipient how to open it. */
struct tpm2_seed {
    uint8_t value[64]; /* secret; as long as the hash */
    TPM2B_ENCRYPTED_SECRET encrypted;
};

/*
 * Make a seed that the recipient alone can tell from what is encrypted.
 *
 * Returns DEVID_OK; DEVID_ERR_INPUT (a point that is not on its curve),
 * _SYSTEM. Cost: one RSA encryption, or two multiplications.
 * Source: TPM 2.0 Part 1, B.4, B.10.4 (RSA), C.6.3, C.6.4 (ECC), 11.4.10.3
 * (KDFe).
 */
DEVID_CHECK enum devid_err tpm2_seed_make(const struct tpm2_protection *to,
                                          struct tpm2_seed *seed,
                                          struct devid_error *err);

struct tpm2_protected {
    size_t len;
    uint8_t data[sizeof(TPM2B_DIGEST) + sizeof(TPM2B_SENSITIVE)];
    TPM2B_ENCRYPTED_SECRET seed;
};

/*
 * Encrypt, and bind to the Name.
 *
 * plain  a TPM2B as it goes over the wire, no longer than a TPM2B_SENSITIVE
 * out    TPM2B_DIGEST of an HMAC, and what is encrypted
 *
 * Returns DEVID_OK; as tpm2_seed_make().
 * Source: TPM 2.0 Part 1, 23.3.2 and 24.4; 11.4.10.2 (KDFa).
 */
DEVID_CHECK enum devid_err tpm2_protect(const struct tpm2_protection *to,
                                        const uint8_t *plain, size_t plain_len,
                                        struct tpm2_protected *out,
                                        struct devid_error *err);

#endif
