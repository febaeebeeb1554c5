/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies: what a key file says of them taken apart, the digest that they
 * lead to, and their execution in a policy session.
 *
 * Where key files differ from TPM 2.0 Part 3 in how they write a command down
 * the code says so; openssl_tpm2_engine's files are the model.
 */
#ifndef DEVID_TPM2_POLICY_H
#define DEVID_TPM2_POLICY_H

#include "tpm2.h"

/* One command; `u` as its code says. */
struct tpm2_policy_step {
    TPM2_CC code;
    union {
        struct {
            TPML_PCR_SELECTION selection;
            TPM2B_DIGEST digest; /* of the values, one after the other */
        } pcr;
        struct {
            TPM2B_PUBLIC key;
            TPM2B_NAME name; /* of key */
            TPM2B_NONCE ref;
            TPMT_SIGNATURE signature; /* sigAlg TPM_ALG_NULL: none */
        } authorize;
        struct {
            uint32_t handle; /* 0: not known */
            TPM2B_NAME name;
            TPM2B_NONCE ref;
        } secret;
        TPML_DIGEST any_of;
        TPM2_CC command;
        struct {
            TPM2B_OPERAND operand;
            UINT16 offset;
            TPM2_EO operation;
        } timer;
    } u;
};

/* A policy in the making: its hash, and where it stands. */
struct tpm2_policy_digest {
    TPMI_ALG_HASH hash; /* the key's name algorithm */
    OSSL_LIB_CTX *libctx;
    TPM2B_DIGEST value;
};

/* ---- policy_decode.c (pure) ------------------------------------------ */

/*
 * Take one command of a key file apart. `digest` tells the hash and the
 * library context. _ALG (a command that is not known, by its code), _INPUT.
 */
DEVID_CHECK enum devid_err
tpm2_policy_decode(const struct devid_policy_command *command,
                   const struct tpm2_policy_digest *digest,
                   struct tpm2_policy_step *step, struct devid_error *err);

/*
 * Put a step down as key files have it, at the policy's end: PolicyPCR,
 * PolicyAuthorize and PolicyAuthValue alone. _SYSTEM.
 */
DEVID_CHECK enum devid_err
tpm2_policy_encode(const struct tpm2_policy_step *step,
                   struct devid_policy *policy, struct devid_error *err);

/* ---- policy_digest.c (pure) ------------------------------------------ */

/* Nothing executed yet: zeros. _ALG for a hash that is not known. */
DEVID_CHECK enum devid_err
tpm2_policy_digest_start(struct tpm2_policy_digest *digest, TPMI_ALG_HASH hash,
                         OSSL_LIB_CTX *libctx, struct devid_error *err);
/*
 * What a TPM makes of the digest by executing the step. _INPUT: PolicyOR
 * without this digest among its own.
 * Source: TPM 2.0 Part 3, chapter 23.
 */
DEVID_CHECK enum devid_err
tpm2_policy_digest_step(struct tpm2_policy_digest *digest,
                        const struct tpm2_policy_step *step,
                        struct devid_error *err);
/* What PolicyAuthorize's signer signs: the digest so far, and the reference. */
DEVID_CHECK enum devid_err
tpm2_policy_to_sign(const struct tpm2_policy_digest *digest,
                    const TPM2B_NONCE *ref, TPM2B_DIGEST *to_sign,
                    struct devid_error *err);

/* ---- pcr.c ----------------------------------------------------------- */

#define TPM2_PCR_WORDS_SIZE 160

/*
 * "sha256:0,7", several banks "sha1:0+sha256:7"; behind "=" the digest of the
 * values in hex, or "current". *current: no digest was given.
 */
DEVID_CHECK enum devid_err tpm2_pcr_parse(const char *text,
                                          TPML_PCR_SELECTION *selection,
                                          TPM2B_DIGEST *digest, bool *current,
                                          struct devid_error *err);
void tpm2_pcr_words(const TPML_PCR_SELECTION *selection,
                    char words[TPM2_PCR_WORDS_SIZE]);
/* How many PCRs it names. */
unsigned tpm2_pcr_count(const TPML_PCR_SELECTION *selection);
/*
 * The digest of the values as they are. _ALG: a bank that the TPM lacks.
 * Costs a PCR_Read for up to eight values.
 */
DEVID_CHECK enum devid_err tpm2_pcr_read(struct tpm2_conn *conn,
                                         const TPML_PCR_SELECTION *selection,
                                         const struct tpm2_policy_digest *how,
                                         TPM2B_DIGEST *digest,
                                         struct devid_error *err);

/* ---- policy_make.c --------------------------------------------------- */

struct tpm2_create;

/* Is what a new key is to be bound to possible? Asks no TPM. */
DEVID_CHECK enum devid_err tpm2_policy_check(const struct devid_key_spec *spec,
                                             struct devid_error *err);
/* The new key's policy and its digest, where it is to have one. */
DEVID_CHECK enum devid_err tpm2_policy_make(struct tpm2_conn *conn,
                                            struct tpm2_create *create,
                                            struct devid_error *err);

/* ---- policy_words.c (pure) ------------------------------------------- */

/* "PCRs sha256:0,7, auth value"; a command that is not known by its code. */
void tpm2_policy_words(const struct tpm2_key *key, char *words, size_t size);

/* ---- policy_run.c ---------------------------------------------------- */

/* A policy in execution. */
struct tpm2_policy_run {
    struct tpm2_conn *conn;
    struct tpm2_key *key;
    struct tpm2_auth *auth;
    ESYS_TR session;
    struct tpm2_policy_digest digest; /* as the session's own */
    bool uses_auth;                   /* PolicyAuthValue was executed */
    size_t branch;                    /* of the signed policies: at work */
};

/* True where the first command is PolicyAuthorize: signed policies do it. */
static inline bool tpm2_policy_is_signed(const struct devid_keyfile *file)
{
    return file->policy.count > 0 &&
           file->policy.commands[0].code == TPM2_CC_PolicyAuthorize;
}

/* Execute a command; says which condition does not hold. */
DEVID_CHECK enum devid_err
tpm2_policy_step(struct tpm2_policy_run *run,
                 const struct devid_policy_command *command,
                 struct devid_error *err);

/* ---- policy.c -------------------------------------------------------- */

/* True where only a policy session authorises this key. */
bool tpm2_policy_needed(const struct tpm2_key *key);
/*
 * A session that satisfies the policy of auth->key; auth->secret is used
 * where the policy says. Fails with a sentence that says which condition does
 * not hold; no session is left then.
 */
DEVID_CHECK enum devid_err tpm2_policy_begin(struct tpm2_conn *conn,
                                             struct tpm2_auth *auth,
                                             struct devid_error *err);

#endif
