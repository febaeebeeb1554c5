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
    TPMT_SIGNATURE *answer; /* own, by ESYS */
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

/* True where TPM2_Sign itself can pad as asked. */
static bool plan_rsa(struct sign_request *r)
{
    const struct devid_tbs *tbs = r->tbs;
    TPMI_ALG_HASH hash = tpm2_hash_id(tbs->hash);

    /* openssl_tpm2_engine makes RSA keys that may decrypt only. */
    if (hash == TPM2_ALG_NULL ||
        !tpm2_key_may(r->key, TPMA_OBJECT_SIGN_ENCRYPT))
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
    if (!tpm2_key_may(r->key, TPMA_OBJECT_DECRYPT)) {
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

static enum devid_err take_signature(const struct sign_request *r,
                                     const TPMT_SIGNATURE *s,
                                     struct devid_error *err)
{
    size_t len = r->key->pub.coordinate_len;
    const TPMS_SIGNATURE_ECC *ecc = &s->signature.ecdsa;
    const TPM2B_PUBLIC_KEY_RSA *rsa = &s->signature.rsassa.sig;

    /* RSASSA and RSAPSS answer in structures of the same shape. */
    /* Nothing tells whose key is at a handle that a client may flush. */
    r->sig->doubtful = !r->key->conn->managed && r->key->persistent == 0;
    if (s->sigAlg == TPM2_ALG_ECDSA && ecc->signatureR.size <= len &&
        ecc->signatureS.size <= len) {
        tpm2_put_padded(ecc->signatureR.buffer, ecc->signatureR.size,
                        r->sig->data, len);
        tpm2_put_padded(ecc->signatureS.buffer, ecc->signatureS.size,
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

static enum devid_err sign_refused(void *arg, TSS2_RC rc,
                                   struct devid_error *err)
{
    const struct sign_request *r = arg;

    if (tpm2_rc_action(rc) != TPM2_ACTION_FAIL)
        return DEVID_OK;
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
        return DEVID_OK;
    }
}

static size_t length_of_hash(TPMI_ALG_HASH hash)
{
    return hash == TPM2_ALG_SHA256   ? 32
           : hash == TPM2_ALG_SHA384 ? 48
           : hash == TPM2_ALG_SHA512 ? 64
                                     : 0;
}

/* A key that is bound to one hash signs what has the length of its digests. */
static void fit_to_key(struct sign_request *r)
{
    const TPMT_ECC_SCHEME *bound =
        &r->key->tpm_public.publicArea.parameters.eccDetail.scheme;
    size_t wanted = bound->scheme == TPM2_ALG_ECDSA
                        ? length_of_hash(bound->details.ecdsa.hashAlg)
                        : 0;
    size_t len = r->digest.size;

    if (wanted == 0 ||
        !devid_ecdsa_refit_digest(r->digest.buffer, &len,
                                  r->key->pub.coordinate_len, wanted))
        return; /* the TPM says what it does not take */
    r->digest.size = (UINT16)len;
    r->scheme.details.ecdsa.hashAlg = bound->details.ecdsa.hashAlg;
}

static enum devid_err sign_plan(void *arg, struct devid_error *err)
{
    struct sign_request *r = arg;

    if (r->tbs->scheme != DEVID_ECDSA)
        return plan_rsa(r) ? DEVID_OK : plan_raw(r, err);
    fit_to_key(r);
    return DEVID_OK;
}

static TSS2_RC sign_raw(struct sign_request *r, ESYS_CONTEXT *esys,
                        ESYS_TR session)
{
    TPMT_RSA_DECRYPT scheme = {.scheme = TPM2_ALG_NULL};
    TPM2B_DATA label = {0};
    TPM2B_PUBLIC_KEY_RSA *out = NULL;
    TSS2_RC rc =
        Esys_RSA_Decrypt(esys, r->key->handle, session, ESYS_TR_NONE,
                         ESYS_TR_NONE, &r->block, &scheme, &label, &out);

    if (rc == TSS2_RC_SUCCESS) {
        r->sig->len = r->key->pub.coordinate_len;
        tpm2_put_padded(out->buffer, out->size, r->sig->data, r->sig->len);
    }
    Esys_Free(out);
    return rc;
}

static TSS2_RC sign_command(void *arg, ESYS_CONTEXT *esys, ESYS_TR session)
{
    struct sign_request *r = arg;
    TPMT_TK_HASHCHECK ticket = {.tag = TPM2_ST_HASHCHECK,
                                .hierarchy = TPM2_RH_NULL};

    if (r->raw)
        return sign_raw(r, esys, session);
    return Esys_Sign(esys, r->key->handle, session, ESYS_TR_NONE, ESYS_TR_NONE,
                     &r->digest, &r->scheme, &ticket, &r->answer);
}

static enum devid_err sign_once(struct sign_request *r, struct devid_error *err)
{
    struct tpm2_use use = {.key = r->key,
                           .doing = "sign",
                           .arg = r,
                           .plan = sign_plan,
                           .command = sign_command,
                           .refused = sign_refused};
    enum devid_err e = tpm2_key_use(&use, err);

    if (e == DEVID_OK && !r->raw)
        e = take_signature(r, r->answer, err);
    Esys_Free(r->answer);
    r->answer = NULL;
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
    enum devid_err e = DEVID_OK;

    if (err == NULL)
        err = &local;
    if (tbs->scheme == DEVID_ECDSA)
        e = plan_ecdsa(&request, err);
    if (e == DEVID_OK)
        e = sign_once(&request, err);
    if (pss_needs_padding(&request, e, err))
        e = sign_once(&request, err);
    return e;
}
