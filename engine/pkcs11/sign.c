/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures. A token's own PSS takes hashes and salts as it likes; what it
 * refuses is padded in software over CKM_RSA_X_509.
 */
#include "pkcs11.h"

#include "../emsa.h"

#include <string.h>

#define DATA_MAX DEVID_MODULUS_MAX

struct sign_request {
    struct p11_key *key;
    const struct devid_tbs *tbs;
    struct devid_sig *sig;
    CK_MECHANISM mechanism;
    CK_RSA_PKCS_PSS_PARAMS pss;
    uint8_t data[DATA_MAX];
    size_t len;
};

/* ---- what to ask for (pure) ------------------------------------------ */

static const struct pss_hash {
    const char *name;
    CK_MECHANISM_TYPE hash;
    CK_RSA_PKCS_MGF_TYPE mgf;
} pss_hashes[] = {
    {"SHA1", CKM_SHA_1, CKG_MGF1_SHA1},
    {"SHA2-224", CKM_SHA224, CKG_MGF1_SHA224},
    {"SHA2-256", CKM_SHA256, CKG_MGF1_SHA256},
    {"SHA2-384", CKM_SHA384, CKG_MGF1_SHA384},
    {"SHA2-512", CKM_SHA512, CKG_MGF1_SHA512},
};

static const struct pss_hash *pss_hash_of(const struct devid_hash *hash)
{
    for (size_t i = 0; i < sizeof(pss_hashes) / sizeof(pss_hashes[0]); i++) {
        if (strcmp(pss_hashes[i].name, hash->name) == 0)
            return &pss_hashes[i];
    }
    return NULL;
}

static bool plan_pss(struct sign_request *r)
{
    const struct devid_tbs *tbs = r->tbs;
    const struct pss_hash *hash = pss_hash_of(tbs->hash);
    const struct pss_hash *mgf =
        tbs->mgf1 != NULL ? pss_hash_of(tbs->mgf1) : hash;

    if (hash == NULL || mgf == NULL)
        return false;
    r->pss.hashAlg = hash->hash;
    r->pss.mgf = mgf->mgf;
    r->pss.sLen = tbs->salt_len;
    r->mechanism.mechanism = CKM_RSA_PKCS_PSS;
    r->mechanism.pParameter = &r->pss;
    r->mechanism.ulParameterLen = sizeof(r->pss);
    memcpy(r->data, tbs->digest, tbs->digest_len);
    r->len = tbs->digest_len;
    return true;
}

/* The padded block, for a token that only takes powers. */
static enum devid_err plan_raw(struct sign_request *r, struct devid_error *err)
{
    const struct devid_public *pub = &r->key->pub;

    r->mechanism.mechanism = CKM_RSA_X_509;
    r->mechanism.pParameter = NULL;
    r->mechanism.ulParameterLen = 0;
    r->len = pub->coordinate_len;
    return devid_emsa_pss(r->key->libctx, r->tbs, NULL, pub->bits, r->data,
                          err);
}

static enum devid_err plan_ecdsa(struct sign_request *r,
                                 struct devid_error *err)
{
    uint8_t fitted[64];

    r->mechanism.mechanism = CKM_ECDSA;
    if (!devid_ecdsa_fit_digest(r->tbs->digest, r->tbs->digest_len,
                                r->key->pub.coordinate_len, fitted, &r->len))
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "devid signs digests of up to 64 bytes, not of %zu",
                          r->tbs->digest_len);
    memcpy(r->data, fitted, r->len);
    return DEVID_OK;
}

static enum devid_err plan_pkcs1(struct sign_request *r,
                                 struct devid_error *err)
{
    const struct devid_tbs *tbs = r->tbs;
    size_t room = r->key->pub.coordinate_len - 11; /* RFC 8017, 9.2 */

    r->mechanism.mechanism = CKM_RSA_PKCS;
    if (tbs->hash != NULL)
        return devid_digest_info(tbs, r->data, &r->len, err);
    if (tbs->digest_len > room)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "%zu bytes are too many for RSA PKCS#1 with this "
                          "key: %zu at most",
                          tbs->digest_len, room);
    memcpy(r->data, tbs->digest, tbs->digest_len);
    r->len = tbs->digest_len;
    return DEVID_OK;
}

static enum devid_err plan(struct sign_request *r, bool no_pss,
                           struct devid_error *err)
{
    switch (r->tbs->scheme) {
    case DEVID_ECDSA:
        return plan_ecdsa(r, err);
    case DEVID_RSA_PKCS1:
        return plan_pkcs1(r, err);
    case DEVID_RSA_PSS:
        break;
    }
    return !no_pss && plan_pss(r) ? DEVID_OK : plan_raw(r, err);
}

/* ---- on the token ---------------------------------------------------- */

/* Some tokens have PSS, but not with every hash, MGF or salt. */
static bool lacks_pss(const struct sign_request *r, CK_RV rv)
{
    return r->mechanism.mechanism == CKM_RSA_PKCS_PSS &&
           (rv == CKR_MECHANISM_INVALID || rv == CKR_MECHANISM_PARAM_INVALID ||
            rv == CKR_ARGUMENTS_BAD || rv == CKR_FUNCTION_NOT_SUPPORTED);
}

/* A token without the mechanism is not asked for it again. */
static void remember(struct p11_key *key, CK_RV rv)
{
    if (rv == CKR_MECHANISM_INVALID || rv == CKR_FUNCTION_NOT_SUPPORTED)
        atomic_store(&key->no_pss, true);
}

static CK_RV begin(struct p11_session *session, CK_OBJECT_HANDLE handle,
                   struct sign_request *r)
{
    return session->f->C_SignInit(session->handle, &r->mechanism, handle);
}

static enum devid_err sign_init(struct p11_session *session,
                                CK_OBJECT_HANDLE handle, struct sign_request *r,
                                struct devid_error *err)
{
    CK_RV rv = begin(session, handle, r);

    if (lacks_pss(r, rv)) {
        enum devid_err e = plan_raw(r, err);

        if (e != DEVID_OK)
            return e;
        remember(r->key, rv);
        rv = begin(session, handle, r);
    }
    return rv == CKR_OK ? DEVID_OK : p11_fail(err, rv, "begin to sign");
}

static enum devid_err check_length(const struct sign_request *r, CK_ULONG len,
                                   struct devid_error *err)
{
    const struct devid_public *pub = &r->key->pub;
    size_t wanted = devid_signature_len(pub);

    if (len == wanted)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_WRONG_KEY, 0,
                      "the key at '%.300s' is another than the one that this "
                      "file was made for: it signs with %lu bytes, not %zu",
                      r->key->text, len, wanted);
}

/*
 * What a URI leads to may be another key: the first signature after each find
 * is held against the public key that the file has.
 */
static enum devid_err prove(struct p11_session *session,
                            const struct sign_request *r,
                            struct devid_error *err)
{
    struct p11_key *key = r->key;
    enum devid_err e;
    bool proven;

    pthread_mutex_lock(&key->lock);
    proven = key->proven == session->contact;
    pthread_mutex_unlock(&key->lock);
    if (proven)
        return DEVID_OK;
    e = devid_verify(&key->pub, key->libctx, r->tbs, r->sig, err);
    if (e == DEVID_ERR_WRONG_KEY)
        return devid_fail(err, e, 0,
                          "the key at '%.300s' is another than the one that "
                          "this file was made for: its signature does not fit "
                          "the file's public key",
                          key->text);
    if (e == DEVID_OK) {
        pthread_mutex_lock(&key->lock);
        key->proven = session->contact;
        pthread_mutex_unlock(&key->lock);
    }
    /* A hash that OpenSSL lacks proves nothing; the next signature may. */
    return e == DEVID_ERR_ALG ? DEVID_OK : e;
}

static enum devid_err sign_op(struct p11_session *session, void *arg,
                              struct devid_error *err)
{
    struct sign_request *r = arg;
    CK_ULONG len = sizeof(r->sig->data);
    CK_OBJECT_HANDLE handle = 0;
    bool each_time = false;
    enum devid_err e =
        p11_key_handle(r->key, session, &handle, &each_time, err);
    CK_RV rv;

    if (e == DEVID_OK)
        e = sign_init(session, handle, r, err);
    if (e == DEVID_OK && each_time)
        e = p11_login_for_key(session, err);
    if (e != DEVID_OK)
        return e;
    rv = session->f->C_Sign(session->handle, r->data, r->len, r->sig->data,
                            &len);
    if (rv != CKR_OK)
        return p11_fail(err, rv, "sign");
    e = check_length(r, len, err);
    if (e != DEVID_OK)
        return e;
    r->sig->len = len;
    return prove(session, r, err);
}

enum devid_err p11_sign(void *key, const struct devid_tbs *tbs,
                        struct devid_sig *sig, struct devid_error *err)
{
    struct sign_request r = {.key = key, .tbs = tbs, .sig = sig};
    struct p11_key *k = key;
    enum devid_err e = plan(&r, atomic_load(&k->no_pss), err);

    return e != DEVID_OK ? e : p11_run(k->token, P11_USE, sign_op, &r, err);
}
