/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decryption: the token's power alone (CKM_RSA_X_509), so that padding is
 * removed in software, in constant time, with any hash and label. A token
 * that lacks it removes the padding itself.
 */
#include "use.h"

#include "../verify.h"

#include <string.h>

struct decrypt_request {
    struct p11_use use;
    const struct devid_ciphertext *c;
    struct devid_block *block;
    CK_RSA_PKCS_OAEP_PARAMS oaep;
};

/* ---- what to ask for (pure) ------------------------------------------ */

static void plan_raw(struct decrypt_request *r)
{
    r->use.mechanism.mechanism = CKM_RSA_X_509;
    r->block->state = DEVID_BLOCK_PADDED;
}

static bool plan_oaep(struct decrypt_request *r)
{
    const struct devid_ciphertext *c = r->c;
    const struct p11_hash *hash = p11_hash_of(c->hash);
    const struct p11_hash *mgf1 = c->mgf1 != NULL ? p11_hash_of(c->mgf1) : hash;

    if (hash == NULL || mgf1 == NULL)
        return false;
    r->oaep.hashAlg = hash->hash;
    r->oaep.mgf = mgf1->mgf;
    r->oaep.source = CKZ_DATA_SPECIFIED;
    r->oaep.pSourceData = (void *)(uintptr_t)c->label;
    r->oaep.ulSourceDataLen = c->label_len;
    r->use.mechanism.mechanism = CKM_RSA_PKCS_OAEP;
    r->use.mechanism.pParameter = &r->oaep;
    r->use.mechanism.ulParameterLen = sizeof(r->oaep);
    return true;
}

/* The token's own padding; false: it has none of the kind. */
static bool plan_by_token(struct decrypt_request *r)
{
    r->block->state = DEVID_BLOCK_MESSAGE;
    switch (r->c->padding) {
    case DEVID_PAD_NONE:
        break;
    case DEVID_PAD_PKCS1:
    case DEVID_PAD_TLS:
        r->use.mechanism.mechanism = CKM_RSA_PKCS;
        return true;
    case DEVID_PAD_OAEP:
        return plan_oaep(r);
    }
    return false;
}

/* ---- on the token ---------------------------------------------------- */

static enum devid_err decrypt_instead(struct p11_use *use, CK_RV rv,
                                      struct devid_error *err)
{
    struct decrypt_request *r = use->arg;

    if (rv == CKR_KEY_FUNCTION_NOT_PERMITTED)
        return devid_fail_signs_only(err, (uint32_t)rv);
    if (use->mechanism.mechanism != CKM_RSA_X_509 || !p11_lacks_mechanism(rv))
        return p11_fail(err, rv, "begin to decrypt");
    if (!plan_by_token(r))
        return p11_fail(err, rv, "decrypt with this padding");
    atomic_store(&use->key->no_raw, true);
    return DEVID_OK;
}

/* Raised to the public exponent the block is the ciphertext again. */
static enum devid_err prove(const void *arg, struct devid_error *err)
{
    const struct decrypt_request *r = arg;

    if (r->block->state != DEVID_BLOCK_PADDED || r->use.out_len != r->c->len)
        return DEVID_ERR_ALG; /* the message alone proves nothing */
    return devid_verify_power(&r->use.key->pub, r->use.key->libctx, r->c,
                              r->block->data, err);
}

/*
 * What tokens say of a padding that they find wrong; SoftHSM a general error.
 * To try again, as after other failures, would tell by the time it takes.
 */
static bool is_rejection(struct p11_use *use, CK_RV rv)
{
    struct decrypt_request *r = use->arg;

    if (r->block->state != DEVID_BLOCK_MESSAGE ||
        (rv != CKR_ENCRYPTED_DATA_INVALID &&
         rv != CKR_ENCRYPTED_DATA_LEN_RANGE && rv != CKR_DATA_INVALID &&
         rv != CKR_FUNCTION_FAILED && rv != CKR_GENERAL_ERROR))
        return false;
    r->block->state = DEVID_BLOCK_REJECTED;
    use->out_len = 0;
    return true;
}

static void widen(struct decrypt_request *r)
{
    size_t len = r->block->len;

    if (r->block->state != DEVID_BLOCK_PADDED || len >= r->c->len)
        return;
    memmove(r->block->data + r->c->len - len, r->block->data, len);
    memset(r->block->data, 0, r->c->len - len);
    r->block->len = r->c->len;
}

enum devid_err p11_decrypt(void *key, const struct devid_ciphertext *c,
                           struct devid_block *block, struct devid_error *err)
{
    struct decrypt_request r = {.c = c, .block = block};
    enum devid_err e;

    r.use = (struct p11_use){.key = key,
                             .doing = "decrypt",
                             .decrypt = true,
                             .in = c->data,
                             .in_len = c->len,
                             .out = block->data,
                             .arg = &r,
                             .instead = decrypt_instead,
                             .is_answer = is_rejection,
                             .proof = {.prove = prove,
                                       .arg = &r,
                                       .wrong = "what it decrypts does not "
                                                "fit"}};
    plan_raw(&r);
    if (atomic_load(&r.use.key->no_raw) && !plan_by_token(&r))
        plan_raw(&r); /* to be told by the token */
    e = p11_key_use(&r.use, err);
    block->len = r.use.out_len;
    if (e == DEVID_OK)
        widen(&r);
    return e;
}
