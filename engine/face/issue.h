/* SPDX-License-Identifier: Apache-2.0 */
/* Part of attest.h, which is what others include. Challenges and certificates.
 */
#ifndef DEVID_FACE_ISSUE_H
#define DEVID_FACE_ISSUE_H

#include "verdict.h"

/* ---- the challenge ----------------------------------------------------- */

/* Templates of the EK profile: an EK's certificate does not say of which. */
enum devid_ek_range {
    DEVID_EK_LOW,  /* L-1, L-2: RSA-2048 and P-256 */
    DEVID_EK_HIGH, /* H-1 to H-7: those, P-384, P-521, RSA-3072, RSA-4096 */
};

#define DEVID_TPM_AREA_MAX 1024 /* bytes of a TPMT_PUBLIC */

struct devid_ek_area {
    struct devid_tpm_name name;
    size_t len;
    uint8_t data[DEVID_TPM_AREA_MAX]; /* TPMT_PUBLIC */
};

/*
 * The public area of an EK, and so its Name, from its public key and the range
 * that its TPM makes EKs by.
 *
 * Returns DEVID_OK; DEVID_ERR_ALG (there is no template for such a key),
 * _SYSTEM. Source: TCG EK Credential Profile 2.5, B.3 and B.4.
 */
DEVID_CHECK enum devid_err devid_ek_public_area(const struct devid_public *ek,
                                                enum devid_ek_range range,
                                                OSSL_LIB_CTX *libctx,
                                                struct devid_ek_area *area,
                                                struct devid_error *err);

struct devid_challenge {
    const struct devid_public *ek;     /* of the TPM that shall answer */
    const struct devid_tpm_name *name; /* of the key that shall be in it */
    struct devid_bytes secret; /* to come back: up to the bytes of the EK's
                                  nameAlg; 32 always fit */
    OSSL_LIB_CTX *libctx;      /* borrowed, may be NULL */
};

/* What TPM2_ActivateCredential takes, as it goes over the wire. */
struct devid_credential {
    size_t id_object_len;
    uint8_t id_object[136]; /* TPM2B_ID_OBJECT */
    size_t secret_len;
    uint8_t secret[514]; /* TPM2B_ENCRYPTED_SECRET */
};

/*
 * TPM2_MakeCredential without a TPM: only the TPM of the EK can read the
 * secret, and only where it holds a key of that Name.
 *
 * Returns DEVID_OK; DEVID_ERR_USAGE (a secret or Name of no such length), _ALG
 * (there is no template for such an EK), _INPUT (a point that is not on its
 * curve), _SYSTEM. Cost: one RSA encryption, or two multiplications.
 * Source: TPM 2.0 Part 1, 24 and B.10.4, C.6.4; Part 3, TPM2_MakeCredential.
 */
DEVID_CHECK enum devid_err
devid_make_credential(const struct devid_challenge *challenge,
                      struct devid_credential *credential,
                      struct devid_error *err);

/* ---- certificates ------------------------------------------------------ */

/*
 * From an EK's certificate (DER, as devid_attest_verdict has it).
 *
 * Returns DEVID_OK; DEVID_ERR_INPUT (no certificate, or it does not name the
 * TPM's maker), _SYSTEM. Source: TCG, TPM 2.0 Keys for Device Identity and
 * Attestation 1.0, 8.1.
 */
DEVID_CHECK enum devid_err
devid_hw_module_from_ek(struct devid_bytes ek_cert, OSSL_LIB_CTX *libctx,
                        struct devid_hw_module *module,
                        struct devid_error *err);

#define DEVID_SHARDS_MAX 4096

struct devid_issuer_spec {
    struct devid_bytes ca; /* its certificate, DER; borrowed for the call */
    EVP_PKEY *key;         /* its key, of any provider; a reference is kept */
    const char *subject;   /* "/O=Acme", before the serialNumber; or NULL */
    const char *crl_url;   /* "http://ca.example/{shard}.crl"; or NULL */
    unsigned shards;       /* lists of revoked certificates; 0: one */
    const char *ocsp_url;  /* where its certificates' state is asked; or NULL */
    OSSL_LIB_CTX *libctx;  /* borrowed, may be NULL */
};

struct devid_issuer;

/*
 * Make an issuer: what its certificates share is checked and encoded here.
 * Any number of threads may use it.
 *
 * Returns DEVID_OK; DEVID_ERR_INPUT (the certificate is no CA's, the subject
 * or URL is malformed), _WRONG_KEY (the key is not the certificate's), _ALG (no
 * hash fits the key), _SYSTEM.
 */
DEVID_CHECK enum devid_err
devid_issuer_new(const struct devid_issuer_spec *spec,
                 struct devid_issuer **issuer, struct devid_error *err);
void devid_issuer_free(struct devid_issuer **issuer);

enum devid_cert_kind {
    DEVID_CERT_IDEVID,
    DEVID_CERT_IAK,
    DEVID_CERT_ASSERTED, /* no TPM vouches for the key: the policy says that it
                            is "asserted by the operator" */
    DEVID_CERT_LDEVID,   /* named as the IDevID `like` is; it ends */
};

struct devid_issue {
    enum devid_cert_kind kind;
    const struct devid_public *pub; /* borrowed, as all of these */
    const char *serial;             /* the product's: serialNumber */
    struct devid_bytes like; /* LDEVID: a certificate in DER, whose subject and
                                subjectAltName it has; none of serial, module,
                                subject and sans counts then */
    const struct devid_hw_module *module; /* of the TPM that holds the key;
                                             ASSERTED: NULL */
    const char *subject;     /* in place of the issuer's; NULL: that */
    const char *const *sans; /* more names, as devid_csr_spec has them; NULL:
                                none */
    unsigned shard;          /* below shards */
    int64_t not_before;      /* since 1970; 0: the clock's now */
    int64_t not_after;       /* 0: never */
};

#define DEVID_SERIAL_NUMBER_LEN 20

struct devid_issued {
    uint8_t number[DEVID_SERIAL_NUMBER_LEN]; /* random */
    uint8_t *der;                            /* OPENSSL_malloc */
    size_t len;
};

/*
 * Issue a certificate. One that never expires has 99991231235959Z as notAfter.
 *
 * Returns DEVID_OK; DEVID_ERR_INPUT (a serial that a PrintableString does not
 * take, a malformed subject or name, no such shard, `like` is none), or what
 * the key's provider says, _DEVICE. Cost: one signature. Source: TCG, TPM 2.0
 * Keys for Device Identity and Attestation 1.0, 8; IEEE 802.1AR-2018, 8; RFC
 * 5280, 4.
 */
DEVID_CHECK enum devid_err devid_issuer_issue(const struct devid_issuer *issuer,
                                              const struct devid_issue *issue,
                                              struct devid_issued *issued,
                                              struct devid_error *err);

#endif
