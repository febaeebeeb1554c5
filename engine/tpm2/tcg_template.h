/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates of the keys that the TCG has laid down for a device's identity, and
 * where they lie. Pure.
 *
 * Sources: TCG, TPM 2.0 Keys for Device Identity and Attestation 1.0, section
 * 7.3 (IDevID, IAK); TCG EK Credential Profile 2.5, annex B (EK).
 */
#ifndef DEVID_TPM2_TCG_TEMPLATE_H
#define DEVID_TPM2_TCG_TEMPLATE_H

#include "tcg_policy.h"

/* What goes into `unique` of an ECC template: makers differ. */
enum tpm2_unique {
    TPM2_UNIQUE_BOTH,   /* x and y are the word "IDEVID" or "IAK" */
    TPM2_UNIQUE_X,      /* x is the word, y is empty */
    TPM2_UNIQUE_HALVES, /* the word's first half in x, the rest in y */
    TPM2_UNIQUE_COUNT,  /* RSA: one form, the word */
};

/* An endorsement key that makers certify. */
struct tpm2_ek_kind {
    const char *name;      /* "RSA 2048 (L-1)" */
    const char *algorithm; /* of devid_algorithms() */
    TPMI_ALG_HASH hash;
    bool low; /* low range: its policy is PolicySecret, in place of auth */
    uint32_t handle;
    uint32_t other_handle; /* where it also may be; 0: nowhere */
    uint32_t cert_index;
};
/* Ended by a row without name; those of the low range come first. */
extern const struct tpm2_ek_kind tpm2_ek_kinds[];

DEVID_CHECK enum devid_err
tpm2_template_devid(enum tpm2_role role, const struct devid_algorithm *alg,
                    OSSL_LIB_CTX *libctx, TPM2B_PUBLIC *pub,
                    struct devid_error *err);
/* Put the word for a role into a template or public area. */
void tpm2_template_unique(enum tpm2_role role, enum tpm2_unique form,
                          TPM2B_PUBLIC *pub);
DEVID_CHECK enum devid_err tpm2_template_ek(const struct tpm2_ek_kind *kind,
                                            OSSL_LIB_CTX *libctx,
                                            TPM2B_PUBLIC *pub,
                                            struct devid_error *err);
unsigned tpm2_ek_aes_bits(const struct tpm2_ek_kind *kind);
/*
 * Whether a key was made from a template: all is compared but `unique`, and
 * either RSA padding will do.
 */
bool tpm2_template_matches(const TPM2B_PUBLIC *template,
                           const TPM2B_PUBLIC *found);
bool tpm2_public_same(const TPM2B_PUBLIC *a, const TPM2B_PUBLIC *b);
/* Whether it is an EK, IAK or IDevID of whatever kind. */
bool tpm2_is_identity_key(const TPM2B_PUBLIC *found, OSSL_LIB_CTX *libctx);

#endif
