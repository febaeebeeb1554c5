/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key files: what is written down of a key. Pure: no device, no files.
 *
 * Three forms, each as DER and as PEM; the last is read and never written. As
 * PEM the first two are read under the label DEVID PRIVATE KEY as well.
 *   TSS2 PRIVATE KEY     a TPM's key blob; the ASN.1 that tpm2-openssl and
 *                        openssl_tpm2_engine share (OID 2.23.133.10.1.3)
 *   DEVID KEY REFERENCE  SEQUENCE { version INTEGER (1), uri UTF8String,
 *                        publicKey SubjectPublicKeyInfo,
 *                        description [0] EXPLICIT UTF8String OPTIONAL }
 *   PKCS#11 PROVIDER URI pkcs11-provider's: SEQUENCE { VisibleString
 *                        "PKCS#11 Provider URI v1.0", uri UTF8String }
 */
#ifndef DEVID_KEYFILE_H
#define DEVID_KEYFILE_H

#include "devid.h"
#include "policy.h"

#define DEVID_PEM_TSS2 "TSS2 PRIVATE KEY"
#define DEVID_PEM_REFERENCE "DEVID KEY REFERENCE"
/* Either of them, for programs that choose PEM blocks by their labels: some
 * take none but "... PRIVATE KEY", some have plans of their own for TSS2. */
#define DEVID_PEM_EITHER "DEVID PRIVATE KEY"
#define DEVID_PEM_PEER_URI "PKCS#11 PROVIDER URI"

/* The description in the file of a key that was not made in its device. */
#define DEVID_IMPORTED "imported, was once outside"

/* Larger input is refused unread: the largest real key file takes 3 kB. */
#define DEVID_KEYFILE_MAX 65536

enum devid_keyfile_format {
    DEVID_KEYFILE_TSS2,
    DEVID_KEYFILE_REFERENCE,
};

struct devid_keyfile {
    enum devid_keyfile_format format;

    /* TSS2 PRIVATE KEY */
    bool empty_auth;
    bool importable;     /* wrapped for a parent, which has yet to import it */
    bool has_policy;     /* a policy or authPolicy field is there */
    bool rsa_parent;     /* a hierarchy's primary is of the RSA template */
    uint32_t parent;     /* persistent handle or TPM_RH_ value */
    uint8_t *tpm_public; /* TPM2B_PUBLIC as marshalled, size field included */
    size_t tpm_public_len;
    uint8_t *tpm_private; /* TPM2B_PRIVATE as marshalled */
    size_t tpm_private_len;
    struct devid_policy policy;
    struct devid_policies signed_policies;
    uint8_t *secret; /* importable: TPM2B_ENCRYPTED_SECRET as marshalled */
    size_t secret_len;
    uint8_t *der; /* as read, kept so that it is written back unchanged;
                     NULL for a new key and a PKCS#11 PROVIDER URI */
    size_t der_len;

    /* DEVID KEY REFERENCE, as which a PKCS#11 PROVIDER URI is kept as well */
    char *uri;
    bool has_public; /* else the device is asked for it */
    struct devid_public public_key;

    char *description; /* UTF-8, or NULL; a PKCS#11 PROVIDER URI has none */
};

/*
 * Parse DER. `recognised` (may be NULL) is set once the input is certainly
 * one of these forms (the type OID, version and a uri of ours, the mark).
 * Trailing bytes are refused. On failure *file is zeroed.
 * Returns DEVID_OK, DEVID_ERR_INPUT (what is wrong and what would be right),
 * DEVID_ERR_ALG (a TSS2 type that is no key: sealed data).
 */
DEVID_CHECK enum devid_err devid_keyfile_parse(const uint8_t *der, size_t len,
                                               bool *recognised,
                                               struct devid_keyfile *file,
                                               struct devid_error *err);

/* DER of a key file, OPENSSL_malloc. */
DEVID_CHECK enum devid_err
devid_keyfile_encode(const struct devid_keyfile *file, uint8_t **der,
                     size_t *len, struct devid_error *err);

/* PEM text of a key file, NUL-ended, OPENSSL_malloc. */
DEVID_CHECK enum devid_err
devid_keyfile_to_pem(const struct devid_keyfile *file, char **text, size_t *len,
                     struct devid_error *err);

/*
 * Find and decode the first of our PEM blocks in a text; DER of the whole
 * input where it is no PEM. The result is OPENSSL_malloc'ed.
 */
DEVID_CHECK enum devid_err devid_keyfile_unpem(const char *text, size_t len,
                                               uint8_t **der, size_t *der_len,
                                               struct devid_error *err);

/* Frees what it holds and zeroes it. */
void devid_keyfile_clear(struct devid_keyfile *file);

#endif
