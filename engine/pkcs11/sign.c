/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures. A token's own PSS takes hashes and salts as it likes; what it
 * refuses is padded in software over CKM_RSA_X_509.
 */
#include "use.h"

#include "../emsa.h"

#include <string.h>

struct sign_request {
    struct p11_use use;
    const struct devid_tbs *tbs;
    struct devid_sig *sig;
    CK_RSA_PKCS_PSS_PARAMS pss;
    uint8_t data[DEVID_MODULUS_MAX];
};

/* ---- what to ask for (pure) ------------------------------------------ */

static const struct p11_hash hashes[] = {
    {"SHA1", CKM_SHA_1, CKG_MGF1_SHA1},
    {"SHA2-224", CKM_SHA224, CKG_MGF1_SHA224},
    {"SHA2-256", CKM_SHA256, CKG_MGF1_SHA256},
    {"SHA2-384", CKM_SHA384, CKG_MGF1_SHA384},
    {"SHA2-512", CKM_SHA512, CKG_MGF1_SHA512},
};

const struct p11_hash *p11_hash_of(const struct devid_hash *hash)
{
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        if (strcmp(hashes[i].name, hash->name) == 0)
            return &hashes[i];
    }
    return NULL;
}

static bool plan_pss(struct sign_request *r)
{
    const struct devid_tbs *tbs = r->tbs;
    const struct p11_hash *hash = p11_hash_of(tbs->hash);
    const struct p11_hash *mgf =
        tbs->mgf1 != NULL ? p11_hash_of(tbs->mgf1) : hash;

    if (hash == NULL || mgf == NULL)
        return false;
    r->pss.hashAlg = hash->hash;
    r->pss.mgf = mgf->mgf;
    r->pss.sLen = tbs->salt_len;
    r->use.mechanism.mechanism = CKM_RSA_PKCS_PSS;
    r->use.mechanism.pParameter = &r->pss;
    r->use.mechanism.ulParameterLen = sizeof(r->pss);
    memcpy(r->data, tbs->digest, tbs->digest_len);
    r->use.in_len = tbs->digest_len;
    return true;
}

/* The padded block, for a token that only takes powers. */
static enum devid_err plan_raw(struct sign_request *r, struct devid_error *err)
{
    const struct devid_public *pub = &r->use.key->pub;

    r->use.mechanism.mechanism = CKM_RSA_X_509;
    r->use.mechanism.pParameter = NULL;
    r->use.mechanism.ulParameterLen = 0;
    r->use.in_len = pub->coordinate_len;
    return devid_emsa_pss(r->use.key->libctx, r->tbs, NULL, pub->bits, r->data,
                          err);
}

static enum devid_err plan_ecdsa(struct sign_request *r,
                                 struct devid_error *err)
{
    uint8_t fitted[64];

    r->use.mechanism.mechanism = CKM_ECDSA;
    if (!devid_ecdsa_fit_digest(r->tbs->digest, r->tbs->digest_len,
                                r->use.key->pub.coordinate_len, fitted,
                                &r->use.in_len))
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "devid signs digests of up to 64 bytes, not of %zu",
                          r->tbs->digest_len);
    memcpy(r->data, fitted, r->use.in_len);
    return DEVID_OK;
}

static enum devid_err plan_pkcs1(struct sign_request *r,
                                 struct devid_error *err)
{
    const struct devid_tbs *tbs = r->tbs;
    size_t room = r->use.key->pub.coordinate_len - 11; /* RFC 8017, 9.2 */

    r->use.mechanism.mechanism = CKM_RSA_PKCS;
    if (tbs->hash != NULL)
        return devid_digest_info(tbs, r->data, &r->use.in_len, err);
    if (tbs->digest_len > room)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "%zu bytes are too many for RSA PKCS#1 with this "
                          "key: %zu at most",
                          tbs->digest_len, room);
    memcpy(r->data, tbs->digest, tbs->digest_len);
    r->use.in_len = tbs->digest_len;
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
    case DEVID_EDDSA:
        r->use.mechanism.mechanism = CKM_EDDSA;
        r->use.in = r->tbs->digest; /* the message, of any length */
        r->use.in_len = r->tbs->digest_len;
        return DEVID_OK;
    case DEVID_RSA_PSS:
        break;
    }
    return !no_pss && plan_pss(r) ? DEVID_OK : plan_raw(r, err);
}

/* ---- on the token ---------------------------------------------------- */

/* Some tokens have PSS, but not with every hash, MGF or salt. */
static enum devid_err sign_instead(struct p11_use *use, CK_RV rv,
                                   struct devid_error *err)
{
    if (use->mechanism.mechanism != CKM_RSA_PKCS_PSS ||
        !p11_lacks_mechanism(rv))
        return p11_fail(err, rv, "begin to sign");
    /* A token without the mechanism is not asked for it again. */
    if (rv == CKR_MECHANISM_INVALID || rv == CKR_FUNCTION_NOT_SUPPORTED)
        atomic_store(&use->key->no_pss, true);
    return plan_raw(use->arg, err);
}

static enum devid_err prove(const void *arg, struct devid_error *err)
{
    const struct sign_request *r = arg;

    r->sig->len = r->use.out_len;
    return devid_verify(&r->use.key->pub, r->use.key->libctx, r->tbs, r->sig,
                        err);
}

static enum devid_err check_length(const struct sign_request *r,
                                   struct devid_error *err)
{
    const struct devid_public *pub = &r->use.key->pub;
    size_t wanted = devid_signature_len(pub);

    if (r->use.out_len == wanted)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_DEVICE, 0,
                      "the token answered with %lu bytes where a signature of "
                      "the key at '%.300s' has %zu",
                      r->use.out_len, r->use.key->text, wanted);
}

enum devid_err p11_sign(void *key, const struct devid_tbs *tbs,
                        struct devid_sig *sig, struct devid_error *err)
{
    struct sign_request r = {.tbs = tbs, .sig = sig};
    struct p11_key *k = key;
    enum devid_err e;

    r.use = (struct p11_use){.key = k,
                             .doing = "sign",
                             .in = r.data,
                             .out = sig->data,
                             .arg = &r,
                             .instead = sign_instead,
                             .proof = {.prove = prove,
                                       .arg = &r,
                                       .wrong = "its signature does not fit"}};
    e = plan(&r, atomic_load(&k->no_pss), err);
    if (e == DEVID_OK)
        e = p11_key_use(&r.use, err);
    if (e == DEVID_OK)
        e = check_length(&r, err);
    sig->len = r.use.out_len;
    return e;
}
