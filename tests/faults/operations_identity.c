/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TPM's identity, as devid provision makes, proves and locks it. Each is made
 * again, after a fault, on what is there by then: it is the same identity.
 */
#include "operations_identity.h"
#include "raw.h"

#include "attest.h"
#include "lock.h"
#include "secret.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHALLENGE "what only this TPM reads"
#define NONCE_AT 2u /* behind the size of a TPM2B */
/* TPM 2.0 Part 2, 11.3.4: ECDSA with SHA-256, on P-256: r and s, each sized. */
#define SIGNATURE_LEN 72u
#define COORDINATE_LEN 32u

/* What the device says of itself where nothing is in its way. */
static struct known {
    bool there;
    uint8_t *keys; /* the public areas of IAK and IDevID */
    size_t len;
    struct devid_public iak;
    struct devid_public idevid;
    struct devid_credential challenge;
} known;

static struct devid_identity_request last; /* of the trial's last request */
/* What the trial's last lock has set, or was about to. */
static char values[RAW_VALUES][RAW_VALUE_SIZE];

static struct devid_identity *open_identity(struct trial *t)
{
    const struct devid_identity_spec spec = {.ek = "0x81010001"};
    struct devid_identity *identity = NULL;
    struct devid_error err = {0};

    must(devid_identity_open(t->engine, &spec, &identity, &err), &err,
         "the identity");
    return identity;
}

/* The trial's result, of two pieces. */
static void put_result(struct trial *t, const struct devid_field *first,
                       const struct devid_field *second)
{
    t->der_len = first->len + second->len;
    t->der = OPENSSL_malloc(t->der_len);
    if (t->der == NULL || t->der_len == 0)
        exit(EXIT_FAILURE);
    memcpy(t->der, first->data, first->len);
    if (second->len > 0)
        memcpy(t->der + first->len, second->data, second->len);
}

static bool is_signed(const struct devid_public *by,
                      const struct devid_field *data,
                      const struct devid_field *signature)
{
    const struct devid_hash *hash = devid_hash_by_name("SHA256");
    struct devid_sig sig = {.len = (size_t)2 * COORDINATE_LEN};
    uint8_t digest[EVP_MAX_MD_SIZE];
    struct devid_tbs tbs = {
        .scheme = DEVID_ECDSA,
        .hash = hash,
        .digest = digest,
        .digest_len = hash->len,
    };

    if (signature->len != SIGNATURE_LEN ||
        EVP_Digest(data->data, data->len, digest, NULL, EVP_sha256(), NULL) !=
            1)
        return false;
    memcpy(sig.data, signature->data + 6, COORDINATE_LEN);
    memcpy(sig.data + COORDINATE_LEN,
           signature->data + SIGNATURE_LEN - COORDINATE_LEN, COORDINATE_LEN);
    return devid_verify(by, NULL, &tbs, &sig, NULL) == DEVID_OK;
}

/* ---- asked for, and certified ---------------------------------------- */

static enum devid_err run_request(struct trial *t, struct devid_error *err)
{
    struct devid_identity *identity = open_identity(t);
    enum devid_err e;

    devid_identity_request_clear(&last);
    e = devid_identity_request(identity, &last, err);
    if (e == DEVID_OK)
        put_result(t, &last.attestPub, &last.signingPub);
    devid_identity_free(&identity);
    return e;
}

static bool right_request(struct trial *t)
{
    return t->der_len == known.len &&
           memcmp(t->der, known.keys, known.len) == 0 &&
           is_signed(&known.iak, &last.atCertifyInfo, &last.atCertifyInfoSig) &&
           is_signed(&known.iak, &last.sgnCertifyInfo, &last.sgnCertifyInfoSig);
}

static void make_challenge(void)
{
    const struct devid_bytes secret = {(const uint8_t *)CHALLENGE,
                                       strlen(CHALLENGE)};
    struct devid_tpm_name name = {.len = NONCE_AT + 32,
                                  .data = {0x00, 0x0b}}; /* SHA-256 */
    const struct devid_challenge challenge = {
        .ek = &last.ek, .name = &name, .secret = secret};
    struct devid_error err = {0};

    if (EVP_Digest(last.attestPub.data, last.attestPub.len,
                   name.data + NONCE_AT, NULL, EVP_sha256(), NULL) != 1)
        exit(EXIT_FAILURE);
    must(devid_make_credential(&challenge, &known.challenge, &err), &err,
         "the challenge");
}

/* IAK and IDevID are there. */
static void prepare_there(struct trial *t)
{
    struct devid_error err = {0};

    must(run_request(t, &err), &err, t->op->name);
    if (!known.there) {
        known.there = true;
        known.keys = t->der;
        known.len = t->der_len;
        t->der = NULL;
        known.iak = last.iak;
        known.idevid = last.idevid;
        make_challenge();
    }
    trial_forget(t);
    devid_shutdown();
}

static void take_away(const struct trial *t, const char *uri)
{
    struct devid_error err = {0};
    enum devid_err e = devid_delete(t->engine, uri, &err);

    if (e != DEVID_ERR_NOT_FOUND)
        must(e, &err, uri);
}

/* As its maker delivers it, but for the EK, which stays. */
static void prepare_new(struct trial *t)
{
    if (!known.there)
        prepare_there(t);
    take_away(t, DEVID_IAK_URI);
    take_away(t, DEVID_IDEVID_URI);
    devid_shutdown();
}

static void end_request(struct trial *t)
{
    (void)t;
    devid_identity_request_clear(&last);
}

/* ---- in use ---------------------------------------------------------- */

static enum devid_err run_sign(struct trial *t, struct devid_error *err)
{
    const struct devid_hash *hash = devid_hash_by_name("SHA256");
    struct devid_identity *identity = open_identity(t);
    const struct devid_field none = {0};
    struct devid_field signature = {0};
    uint8_t digest[64];
    enum devid_err e;

    digest_text(hash, CHALLENGE, digest);
    e = devid_identity_sign(identity, hash, digest, &signature, err);
    if (e == DEVID_OK)
        put_result(t, &signature, &none);
    devid_field_free(&signature);
    devid_identity_free(&identity);
    return e;
}

static bool right_sign(struct trial *t)
{
    const struct devid_field data = {(uint8_t *)(uintptr_t)CHALLENGE,
                                     strlen(CHALLENGE)};
    const struct devid_field signature = {t->der, t->der_len};

    return is_signed(&known.idevid, &data, &signature);
}

static enum devid_err run_activate(struct trial *t, struct devid_error *err)
{
    const struct devid_activation challenge = {
        .credential = known.challenge.id_object + NONCE_AT,
        .credential_len = known.challenge.id_object_len - NONCE_AT,
        .secret = known.challenge.secret + NONCE_AT,
        .secret_len = known.challenge.secret_len - NONCE_AT,
    };
    struct devid_identity *identity = open_identity(t);
    const struct devid_field none = {0};
    struct devid_field answer = {0};
    enum devid_err e =
        devid_identity_activate(identity, &challenge, &answer, err);

    if (e == DEVID_OK)
        put_result(t, &answer, &none);
    devid_field_free(&answer);
    devid_identity_free(&identity);
    return e;
}

static bool right_activate(struct trial *t)
{
    return t->der_len == strlen(CHALLENGE) &&
           memcmp(t->der, CHALLENGE, t->der_len) == 0;
}

/* ---- locked ---------------------------------------------------------- */

static void keep_values(const struct devid_lock *lock)
{
    for (unsigned i = 0; i < DEVID_LOCK_COUNT; i++) {
        const struct devid_secret *value = lock->values[i];

        if ((devid_lock_values(lock) & 1u << i) != 0)
            (void)snprintf(values[i], sizeof(values[i]), "%.*s",
                           (int)devid_secret_len(value),
                           (const char *)devid_secret_data(value));
    }
}

static enum devid_err run_lock(struct trial *t, struct devid_error *err)
{
    struct devid_identity *identity = open_identity(t);
    struct devid_lock *lock = NULL;
    enum devid_err e = devid_lock_begin(identity, &lock, err);

    if (e == DEVID_OK) {
        keep_values(lock);
        e = devid_lock_apply(identity, lock, err);
    }
    devid_lock_free(&lock);
    devid_identity_free(&identity);
    return e;
}

/* All three are set, and what they came from is gone; that the values are those
   that it said is seen where they are taken away again. */
static bool right_lock(struct trial *t)
{
    (void)t;
    return raw_authorisations() == DEVID_LOCK_ALL && !raw_has(RAW_SEED_INDEX);
}

static void unlock(struct trial *t)
{
    (void)t;
    raw_unlock(values);
}

const struct operation identity_operations[] = {
    {"request", .trusts = true, .tpm = true, .prepare = prepare_new,
     .run = run_request, .right = right_request, .end = end_request},
    {"request-again", .trusts = true, .tpm = true, .prepare = prepare_there,
     .run = run_request, .right = right_request, .end = end_request},
    {"identity-sign", .trusts = true, .tpm = true, .prepare = prepare_there,
     .run = run_sign, .right = right_sign, .end = end_request},
    {"activate", .trusts = true, .tpm = true, .prepare = prepare_there,
     .run = run_activate, .right = right_activate, .end = end_request},
    {"lock", .trusts = true, .tpm = true, .prepare = unlock, .run = run_lock,
     .right = right_lock, .end = unlock},
    {.name = NULL},
};

void identity_free(void)
{
    OPENSSL_free(known.keys);
    known.keys = NULL;
}
