/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of attestation share. */
#ifndef DEVID_ATTEST_INTERNAL_H
#define DEVID_ATTEST_INTERNAL_H

#include "../attest.h"
#include "../tpm2/tcg_template.h"

#include <openssl/x509.h>

/*
 * Write the reason against a device and its sentence:
 * `return attest_refuse(...)`.
 */
enum devid_attest_reason attest_refuse(struct devid_attest_verdict *verdict,
                                       enum devid_attest_reason reason,
                                       const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* DEVID_ATTEST_UNDECIDED: out of memory. */
enum devid_attest_reason attest_undecided(struct devid_attest_verdict *verdict);

/* ---- digest.c ---------------------------------------------------------- */

/* `digest` has room for any hash of the table. */
DEVID_CHECK enum devid_err attest_digest(const struct devid_hash *hash,
                                         OSSL_LIB_CTX *libctx,
                                         struct devid_bytes data,
                                         uint8_t *digest,
                                         struct devid_error *err);

/* ---- structures.c: TPM structures that fill their bytes exactly --------- */

/*
 * What a TPMS_ATTEST begins with; false where it is shorter. To be looked at
 * before the rest is: tpm2-tss prints what it does not like in a quote.
 */
struct attest_kind {
    TPM2_GENERATED magic;
    TPMI_ST_ATTEST type;
};
bool attest_parse_kind(struct devid_bytes in, struct attest_kind *kind);

/* `field` is the request's name for it. All return DEVID_OK or _INPUT. */
DEVID_CHECK enum devid_err attest_parse_public(struct devid_bytes in,
                                               const char *field,
                                               TPMT_PUBLIC *out,
                                               struct devid_error *err);
DEVID_CHECK enum devid_err attest_parse_attest(struct devid_bytes in,
                                               const char *field,
                                               TPMS_ATTEST *out,
                                               struct devid_error *err);
DEVID_CHECK enum devid_err attest_parse_signature(struct devid_bytes in,
                                                  const char *field,
                                                  TPMT_SIGNATURE *out,
                                                  struct devid_error *err);
DEVID_CHECK enum devid_err attest_parse_ticket(struct devid_bytes in,
                                               const char *field,
                                               TPMT_TK_CREATION *out,
                                               struct devid_error *err);
DEVID_CHECK enum devid_err attest_parse_creation(struct devid_bytes in,
                                                 const char *field,
                                                 TPMS_CREATION_DATA *out,
                                                 struct devid_error *err);

/* ---- signature.c ------------------------------------------------------- */

/*
 * Does a TPMT_SIGNATURE of `pub` over `data` verify? DEVID_OK; _INPUT (no
 * signature), _ALG (of a kind or hash that does not count), _WRONG_KEY.
 */
DEVID_CHECK enum devid_err
attest_signature_verify(const struct devid_public *pub, OSSL_LIB_CTX *libctx,
                        struct devid_bytes data,
                        const TPMT_SIGNATURE *signature,
                        struct devid_error *err);

/* ---- ek_area.c --------------------------------------------------------- */

/* The first kind of EK with such a key; NULL, and a sentence, if none is. */
const struct tpm2_ek_kind *attest_ek_kind(const struct devid_public *ek,
                                          struct devid_error *err);

/* ---- module.c ---------------------------------------------------------- */

/* devid_hw_module_from_ek() of a certificate that is decoded: `der` is its. */
DEVID_CHECK enum devid_err attest_module(X509 *cert, struct devid_bytes der,
                                         OSSL_LIB_CTX *libctx,
                                         struct devid_hw_module *module,
                                         struct devid_error *err);

/* ---- keys.c ------------------------------------------------------------ */

struct attest_key {
    OSSL_LIB_CTX *libctx; /* borrowed from the policy */
    TPMT_PUBLIC area;
    struct devid_public *pub;    /* the verdict's */
    struct devid_tpm_name *name; /* the verdict's */
    TPM2B_NAME qualified;        /* of a primary of the endorsement hierarchy */
};

DEVID_CHECK enum devid_attest_reason
attest_iak_check(struct devid_bytes area,
                 const struct devid_attest_policy *policy,
                 struct attest_key *key, struct devid_attest_verdict *verdict);
DEVID_CHECK enum devid_attest_reason attest_idevid_check(
    struct devid_bytes area, const struct devid_attest_policy *policy,
    struct attest_key *key, struct devid_attest_verdict *verdict);

/* ---- certify.c --------------------------------------------------------- */

/* What the IAK says of its own creation, and of the IDevID. */
DEVID_CHECK enum devid_attest_reason
attest_creation_check(const struct devid_attest_request *request,
                      const struct devid_attest_policy *policy,
                      const struct attest_key *iak,
                      struct devid_attest_verdict *verdict);
DEVID_CHECK enum devid_attest_reason
attest_certify_check(const struct devid_attest_request *request,
                     const struct attest_key keys[2],
                     struct devid_attest_verdict *verdict);

/* ---- trust.c ----------------------------------------------------------- */

struct devid_trust {
    OSSL_LIB_CTX *libctx; /* borrowed */
    X509_STORE *roots;
    STACK_OF(X509) * all; /* roots too */
    /* Without any algorithm. Whatever decodes a certificate also looks for a
     * decoder of its key, which takes longer than all else that is done with
     * an EK's; here there is none. */
    OSSL_LIB_CTX *bare;
    OSSL_PROVIDER *none; /* in it, so that none comes by itself */
};

/* A name in one printable line, cut where it is too long. */
void attest_name_words(const X509_NAME *name, char *text, size_t size);

/* ---- ek_chain.c -------------------------------------------------------- */

/* From an EK's certificate up to a root. */
DEVID_CHECK enum devid_attest_reason
attest_chain_verify(X509 *leaf, const struct devid_attest_policy *policy,
                    struct devid_attest_verdict *verdict);

#endif
