/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decryption: TPM2_RSA_Decrypt without a scheme, so that padding is removed in
 * software, in constant time, with any hash and label. A key that is fixed to
 * a scheme decrypts with that one alone, and the TPM removes the padding.
 */
#include "tpm2.h"

#include <string.h>

#include <openssl/crypto.h>

struct decrypt_request {
    struct tpm2_key *key;
    const struct devid_ciphertext *c;
    struct devid_block *block;
    TPMT_RSA_DECRYPT scheme;
    TPM2B_DATA label;
};

/* ---- what to ask for (pure) ------------------------------------------ */

static const char *scheme_name(TPMI_ALG_RSA_SCHEME scheme)
{
    switch (scheme) {
    case TPM2_ALG_RSAES:
        return "RSAES (PKCS#1 v1.5)";
    case TPM2_ALG_OAEP:
        return "OAEP with one hash";
    default: /* not an enum */
        return "a signature scheme";
    }
}

/* The TPM takes a label with the zero byte at its end, and hashes that too. */
static bool plan_oaep(struct decrypt_request *r, TPMI_ALG_HASH hash)
{
    const struct devid_ciphertext *c = r->c;

    if (c->padding != DEVID_PAD_OAEP || tpm2_hash_id(c->hash) != hash ||
        (c->mgf1 != NULL && c->mgf1 != c->hash) ||
        c->label_len > sizeof(r->label.buffer) ||
        (c->label_len > 0 && c->label[c->label_len - 1] != 0))
        return false;
    r->label.size = (UINT16)c->label_len;
    if (c->label_len > 0)
        memcpy(r->label.buffer, c->label, c->label_len);
    r->scheme.details.oaep.hashAlg = hash;
    return true;
}

static bool plan_fixed(struct decrypt_request *r, const TPMT_RSA_SCHEME *fixed)
{
    r->scheme.scheme = fixed->scheme;
    if (fixed->scheme == TPM2_ALG_OAEP)
        return plan_oaep(r, fixed->details.oaep.hashAlg);
    return fixed->scheme == TPM2_ALG_RSAES &&
           (r->c->padding == DEVID_PAD_PKCS1 || r->c->padding == DEVID_PAD_TLS);
}

static enum devid_err decrypt_plan(void *arg, struct devid_error *err)
{
    struct decrypt_request *r = arg;
    const TPMT_RSA_SCHEME *fixed =
        &r->key->tpm_public.publicArea.parameters.rsaDetail.scheme;

    if (!tpm2_key_may(r->key, TPMA_OBJECT_DECRYPT))
        return devid_fail_signs_only(err, 0);
    r->scheme.scheme = TPM2_ALG_NULL;
    if (fixed->scheme == TPM2_ALG_NULL || plan_fixed(r, fixed))
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_ALG, 0,
                      "this key is fixed to %s, and decrypts nothing else: "
                      "make one without a scheme, as devid keygen --decrypt "
                      "does",
                      scheme_name(fixed->scheme));
}

/* ---- on the wire ----------------------------------------------------- */

static TSS2_RC decrypt_command(void *arg, ESYS_CONTEXT *esys, ESYS_TR session)
{
    struct decrypt_request *r = arg;
    TPM2B_PUBLIC_KEY_RSA in = {.size = (UINT16)r->c->len};
    TPM2B_PUBLIC_KEY_RSA *out = NULL;
    TSS2_RC rc;

    memcpy(in.buffer, r->c->data, r->c->len);
    rc = Esys_RSA_Decrypt(esys, r->key->handle, session, ESYS_TR_NONE,
                          ESYS_TR_NONE, &in, &r->scheme, &r->label, &out);
    if (rc != TSS2_RC_SUCCESS)
        return rc;
    if (r->scheme.scheme == TPM2_ALG_NULL) {
        r->block->state = DEVID_BLOCK_PADDED;
        r->block->len = r->c->len;
        tpm2_put_padded(out->buffer, out->size, r->block->data, r->block->len);
    } else {
        r->block->state = DEVID_BLOCK_MESSAGE;
        r->block->len = out->size;
        memcpy(r->block->data, out->buffer, out->size);
    }
    OPENSSL_cleanse(out, sizeof(*out));
    Esys_Free(out);
    return rc;
}

/*
 * The padding is not what it should be: TPM 2.0 Part 3, TPM2_RSA_Decrypt.
 * libtpms says TPM_RC_FAILURE of it, and goes on well.
 */
static enum devid_err decrypt_refused(void *arg, TSS2_RC rc,
                                      struct devid_error *err)
{
    struct decrypt_request *r = arg;
    TSS2_RC base = tpm2_rc_base(rc);

    if (r->scheme.scheme == TPM2_ALG_NULL ||
        (base != TPM2_RC_VALUE && base != TPM2_RC_FAILURE))
        return DEVID_OK;
    r->block->state = DEVID_BLOCK_REJECTED;
    /* Not with its code, which elsewhere means a handle that is gone. */
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "the TPM finds no padding of this kind");
}

enum devid_err tpm2_decrypt(void *key, const struct devid_ciphertext *c,
                            struct devid_block *block, struct devid_error *err)
{
    struct decrypt_request r = {.key = key, .c = c, .block = block};
    struct tpm2_use use = {.key = key,
                           .doing = "decrypt",
                           .secret = true,
                           .arg = &r,
                           .plan = decrypt_plan,
                           .command = decrypt_command,
                           .refused = decrypt_refused};
    enum devid_err e = tpm2_key_use(&use, err);

    return block->state == DEVID_BLOCK_REJECTED ? DEVID_OK : e;
}
