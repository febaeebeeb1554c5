/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures. What the TPM does itself it does (TPM2_Sign); what it lacks (a
 * hash, a PSS salt length) is padded in software over TPM2_RSA_Decrypt
 * without a scheme, where the key's attributes allow that.
 */
#include "tpm2.h"

#include "../emsa.h"

#include <string.h>

#include <openssl/crypto.h>

struct sign_request {
    struct tpm2_key *key;
    const struct devid_tbs *tbs;
    struct devid_sig *sig;
    TPM2B_DIGEST digest;
    TPMT_SIG_SCHEME scheme;
    bool raw; /* RSA_Decrypt of `block` */
    TPM2B_PUBLIC_KEY_RSA block;
};

/* ---- what to ask for (pure) ------------------------------------------ */

static TPMI_ALG_HASH hash_of_length(size_t len)
{
    switch (len) {
    case 32:
        return TPM2_ALG_SHA256;
    case 48:
        return TPM2_ALG_SHA384;
    case 64:
        return TPM2_ALG_SHA512;
    default: /* devid_ecdsa_fit_digest makes no other */
        return TPM2_ALG_NULL;
    }
}

static enum devid_err plan_ecdsa(struct sign_request *r,
                                 struct devid_error *err)
{
    size_t len = 0;

    if (!devid_ecdsa_fit_digest(r->tbs->digest, r->tbs->digest_len,
                                r->key->pub.coordinate_len, r->digest.buffer,
                                &len))
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "a TPM signs digests of up to 64 bytes, not of %zu",
                          r->tbs->digest_len);
    r->digest.size = (UINT16)len;
    r->scheme.scheme = TPM2_ALG_ECDSA;
    r->scheme.details.ecdsa.hashAlg = hash_of_length(len);
    return DEVID_OK;
}

/* What the key may do; known since it was acquired. */
static bool may(const struct tpm2_key *key, TPMA_OBJECT attribute)
{
    return (key->tpm_public.publicArea.objectAttributes & attribute) != 0;
}

/* True where TPM2_Sign itself can pad as asked. */
static bool plan_rsa(struct sign_request *r)
{
    const struct devid_tbs *tbs = r->tbs;
    TPMI_ALG_HASH hash = tpm2_hash_id(tbs->hash);

    /* openssl_tpm2_engine makes RSA keys that may decrypt only. */
    if (hash == TPM2_ALG_NULL || !may(r->key, TPMA_OBJECT_SIGN_ENCRYPT))
        return false;
    if (tbs->scheme == DEVID_RSA_PSS &&
        (tbs->salt_len != tbs->digest_len ||
         (tbs->mgf1 != NULL && tbs->mgf1 != tbs->hash) ||
         (r->key->pss_checked && !r->key->pss_salt_is_digest)))
        return false;
    r->digest.size = (UINT16)tbs->digest_len;
    memcpy(r->digest.buffer, tbs->digest, tbs->digest_len);
    r->scheme.scheme =
        tbs->scheme == DEVID_RSA_PSS ? TPM2_ALG_RSAPSS : TPM2_ALG_RSASSA;
    r->scheme.details.any.hashAlg = hash;
    return true;
}

static enum devid_err plan_raw(struct sign_request *r, struct devid_error *err)
{
    const struct devid_public *pub = &r->key->pub;
    const struct devid_tbs *tbs = r->tbs;
    const char *hash = tbs->hash != NULL ? tbs->hash->name : "unnamed hash";
    enum devid_err e;

    if (pub->type == DEVID_KEY_RSA_PSS)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the TPM cannot pad RSA-PSS with %s and a salt of "
                          "%zu bytes by itself, and lets no RSA-PSS key "
                          "decrypt, so that devid could: take an RSA key "
                          "(devid keygen --algorithm rsa-%u --decrypt)",
                          hash, tbs->salt_len, pub->bits);
    if (!may(r->key, TPMA_OBJECT_DECRYPT)) {
        return devid_fail(
            err, DEVID_ERR_ALG, 0,
            "the TPM cannot pad %s with %s%s by itself, and this key may not "
            "decrypt, so that devid could: make it with devid keygen "
            "--decrypt, or let the program use another signature algorithm",
            tbs->scheme == DEVID_RSA_PSS ? "RSA-PSS" : "RSA PKCS#1", hash,
            tbs->scheme == DEVID_RSA_PSS ? " and this salt length" : "");
    }
    if (tbs->scheme == DEVID_RSA_PSS)
        e = devid_emsa_pss(r->key->libctx, tbs, NULL, pub->bits,
                           r->block.buffer, err);
    else
        e = devid_emsa_pkcs1(tbs, pub->bits, r->block.buffer, err);
    r->block.size = (UINT16)pub->coordinate_len;
    r->raw = true;
    return e;
}

/* ---- on the wire ----------------------------------------------------- */

static void put_padded(const BYTE *from, size_t from_len, uint8_t *to,
                       size_t len)
{
    size_t n = from_len < len ? from_len : len;

    memset(to, 0, len - n);
    memcpy(to + len - n, from + from_len - n, n);
}

static enum devid_err take_signature(const struct sign_request *r,
                                     const TPMT_SIGNATURE *s,
                                     struct devid_error *err)
{
    size_t len = r->key->pub.coordinate_len;
    const TPMS_SIGNATURE_ECC *ecc = &s->signature.ecdsa;
    const TPM2B_PUBLIC_KEY_RSA *rsa = &s->signature.rsassa.sig;

    /* RSASSA and RSAPSS answer in structures of the same shape. */
    if (s->sigAlg == TPM2_ALG_ECDSA && ecc->signatureR.size <= len &&
        ecc->signatureS.size <= len) {
        put_padded(ecc->signatureR.buffer, ecc->signatureR.size, r->sig->data,
                   len);
        put_padded(ecc->signatureS.buffer, ecc->signatureS.size,
                   r->sig->data + len, len);
        r->sig->len = 2 * len;
        return DEVID_OK;
    }
    if (s->sigAlg == r->scheme.scheme && s->sigAlg != TPM2_ALG_ECDSA &&
        rsa->size == len) {
        memcpy(r->sig->data, rsa->buffer, len);
        r->sig->len = len;
        return DEVID_OK;
    }
    return devid_fail(err, DEVID_ERR_DEVICE, 0,
                      "the TPM answered with a signature of another kind "
                      "(0x%x) than was asked for (0x%x)",
                      s->sigAlg, r->scheme.scheme);
}

static enum devid_err sign_failed(struct tpm2_conn *conn,
                                  const struct sign_request *r,
                                  const struct tpm2_auth *auth, TSS2_RC rc,
                                  struct devid_error *err)
{
    if (tpm2_rc_action(rc) != TPM2_ACTION_FAIL)
        return tpm2_fail(err, rc, auth->doing);
    switch (tpm2_rc_base(rc)) {
    case TPM2_RC_SCHEME:
    case TPM2_RC_HASH:
    case TPM2_RC_VALUE:
    case TPM2_RC_SIZE:
        return devid_fail(err, DEVID_ERR_ALG, rc,
                          "the TPM does not sign %s with this key: it lacks "
                          "the hash, or the key is fixed to another scheme "
                          "(0x%x); devid test shows what it signs",
                          r->tbs->hash != NULL ? r->tbs->hash->name : "this",
                          rc);
    default: /* not an enum */
        return tpm2_auth_fail(conn, auth, rc, err);
    }
}

static enum devid_err sign_with_tpm(struct tpm2_conn *conn,
                                    struct sign_request *r,
                                    struct tpm2_auth *auth,
                                    struct devid_error *err)
{
    TPMT_TK_HASHCHECK ticket = {.tag = TPM2_ST_HASHCHECK,
                                .hierarchy = TPM2_RH_NULL};
    TPMT_SIGNATURE *signature = NULL;
    enum devid_err e;
    TSS2_RC rc;

    rc = Esys_Sign(conn->esys, r->key->handle, auth->session, ESYS_TR_NONE,
                   ESYS_TR_NONE, &r->digest, &r->scheme, &ticket, &signature);
    tpm2_auth_end(conn, auth, rc);
    if (rc != TSS2_RC_SUCCESS)
        return sign_failed(conn, r, auth, rc, err);
    e = take_signature(r, signature, err);
    Esys_Free(signature);
    return e;
}

static enum devid_err sign_raw(struct tpm2_conn *conn, struct sign_request *r,
                               struct tpm2_auth *auth, struct devid_error *err)
{
    TPMT_RSA_DECRYPT scheme = {.scheme = TPM2_ALG_NULL};
    TPM2B_DATA label = {0};
    TPM2B_PUBLIC_KEY_RSA *out = NULL;
    size_t len = r->key->pub.coordinate_len;
    TSS2_RC rc;

    rc = Esys_RSA_Decrypt(conn->esys, r->key->handle, auth->session,
                          ESYS_TR_NONE, ESYS_TR_NONE, &r->block, &scheme,
                          &label, &out);
    tpm2_auth_end(conn, auth, rc);
    if (rc != TSS2_RC_SUCCESS)
        return sign_failed(conn, r, auth, rc, err);
    put_padded(out->buffer, out->size, r->sig->data, len);
    r->sig->len = len;
    Esys_Free(out);
    return DEVID_OK;
}

/* The command or commands, with the key's handle at hand. */
static enum devid_err sign_acquired(struct tpm2_conn *conn,
                                    struct sign_request *r,
                                    struct devid_error *err)
{
    struct tpm2_auth auth = {
        .object = r->key->handle,
        .secret = r->key->auth,
        .what = "this key",
        .doing = "sign",
    };
    bool by_tpm = r->tbs->scheme == DEVID_ECDSA || plan_rsa(r);
    enum devid_err e;

    if (may(r->key, TPMA_OBJECT_RESTRICTED))
        return devid_fail_restricted(err);
    e = by_tpm ? DEVID_OK : plan_raw(r, err);
    if (e == DEVID_OK)
        e = tpm2_auth_begin(conn, &auth, err);
    if (e != DEVID_OK)
        return e;
    return by_tpm ? sign_with_tpm(conn, r, &auth, err)
                  : sign_raw(conn, r, &auth, err);
}

static enum devid_err sign_op(struct tpm2_conn *conn, void *arg,
                              struct devid_error *err)
{
    struct sign_request *r = arg;
    bool flush = false;
    enum devid_err e = tpm2_key_acquire(conn, r->key, &flush, err);

    if (e != DEVID_OK)
        return e;
    e = sign_acquired(conn, r, err);
    tpm2_key_release(conn, r->key, flush);
    return e;
}

static bool pss_is_proven(struct tpm2_key *key)
{
    bool proven;

    pthread_mutex_lock(&key->conn->lock);
    proven = key->pss_checked && key->pss_salt_is_digest;
    pthread_mutex_unlock(&key->conn->lock);
    return proven;
}

/*
 * TPMs before revision 1.38 salt PSS with all the room there is, and TLS
 * takes only a salt as long as the digest. One look, in software, tells. A
 * TPM that lacks PSS, or a key fixed to another scheme, says so.
 */
static bool pss_needs_padding(const struct sign_request *r, enum devid_err e,
                              const struct devid_error *err)
{
    struct tpm2_key *key = r->key;
    bool wrong;

    if (r->tbs->scheme != DEVID_RSA_PSS || r->raw || pss_is_proven(key))
        return false;
    if (e == DEVID_OK)
        wrong = devid_verify(&key->pub, key->libctx, r->tbs, r->sig, NULL) !=
                DEVID_OK;
    else if (tpm2_rc_base(err->device_rc) == TPM2_RC_SCHEME)
        wrong = true;
    else
        return false;
    pthread_mutex_lock(&key->conn->lock);
    key->pss_checked = true;
    key->pss_salt_is_digest = !wrong;
    pthread_mutex_unlock(&key->conn->lock);
    return wrong;
}

enum devid_err tpm2_sign(void *key, const struct devid_tbs *tbs,
                         struct devid_sig *sig, struct devid_error *err)
{
    struct sign_request request = {.key = key, .tbs = tbs, .sig = sig};
    struct devid_error local = {0};
    enum devid_err e;

    if (err == NULL)
        err = &local;
    e = tpm2_auth_check(request.key->auth, "this key", err);
    if (e == DEVID_OK && tbs->scheme == DEVID_ECDSA)
        e = plan_ecdsa(&request, err);
    if (e == DEVID_OK)
        e = tpm2_run(request.key->conn, sign_op, &request, err);
    if (pss_needs_padding(&request, e, err))
        e = tpm2_run(request.key->conn, sign_op, &request, err);
    return e;
}
