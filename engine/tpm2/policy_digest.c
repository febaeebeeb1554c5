/* SPDX-License-Identifier: Apache-2.0 */
/* The digest that a policy leads to, as a TPM computes it. Pure. */
#include "policy.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <tss2/tss2_mu.h>

/* What is hashed: the longest is PolicyOR's eight digests. */
struct input {
    uint8_t data[1024];
    size_t len;
};

static void put(struct input *in, const void *data, size_t len)
{
    if (len > sizeof(in->data) - in->len)
        len = sizeof(in->data) - in->len; /* no caller has as much */
    memcpy(in->data + in->len, data, len);
    in->len += len;
}

static void put_number(struct input *in, uint32_t number, size_t len)
{
    uint8_t bytes[4] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16),
                        (uint8_t)(number >> 8), (uint8_t)number};

    put(in, bytes + 4 - len, len);
}

static enum devid_err hash(const struct tpm2_policy_digest *digest,
                           const struct input *in, TPM2B_DIGEST *out,
                           struct devid_error *err)
{
    const char *name = tpm2_hash_name(digest->hash);
    size_t len = 0;
    int ok = 0;

    ERR_set_mark();
    if (name != NULL)
        ok = EVP_Q_digest(digest->libctx, name, "provider!=devid", in->data,
                          in->len, out->buffer, &len);
    ERR_pop_to_mark();
    out->size = (UINT16)len;
    if (ok == 1)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_SYSTEM, 0,
                      "OpenSSL does not compute the hash 0x%x of a policy",
                      digest->hash);
}

enum devid_err tpm2_policy_digest_start(struct tpm2_policy_digest *digest,
                                        TPMI_ALG_HASH hash_alg,
                                        OSSL_LIB_CTX *libctx,
                                        struct devid_error *err)
{
    size_t len = tpm2_hash_len(hash_alg);

    memset(digest, 0, sizeof(*digest));
    digest->hash = hash_alg;
    digest->libctx = libctx;
    digest->value.size = (UINT16)len;
    if (len > 0)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_ALG, 0,
                      "the key's name algorithm 0x%x is not known", hash_alg);
}

/* The digest so far, then the command's code. */
static void begin(struct input *in, const struct tpm2_policy_digest *digest,
                  TPM2_CC code)
{
    in->len = 0;
    put(in, digest->value.buffer, digest->value.size);
    put_number(in, code, 4);
}

/* Part 3, 23.2.3: PolicyUpdate(), which hashes the reference on its own. */
static enum devid_err update_named(struct tpm2_policy_digest *digest,
                                   TPM2_CC code, const TPM2B_NAME *name,
                                   const TPM2B_NONCE *ref,
                                   struct devid_error *err)
{
    struct input in;
    enum devid_err e;

    begin(&in, digest, code);
    put(&in, name->name, name->size);
    e = hash(digest, &in, &digest->value, err);
    if (e != DEVID_OK)
        return e;
    in.len = 0;
    put(&in, digest->value.buffer, digest->value.size);
    put(&in, ref->buffer, ref->size);
    return hash(digest, &in, &digest->value, err);
}

static enum devid_err update_pcr(struct tpm2_policy_digest *digest,
                                 const struct tpm2_policy_step *step,
                                 struct devid_error *err)
{
    uint8_t selection[sizeof(TPML_PCR_SELECTION)];
    size_t len = 0;
    struct input in;

    if (Tss2_MU_TPML_PCR_SELECTION_Marshal(&step->u.pcr.selection, selection,
                                           sizeof(selection), &len) != 0)
        return devid_fail(err, DEVID_ERR_SYSTEM, 0,
                          "a selection of PCRs does not encode");
    begin(&in, digest, step->code);
    put(&in, selection, len);
    put(&in, step->u.pcr.digest.buffer, step->u.pcr.digest.size);
    return hash(digest, &in, &digest->value, err);
}

/* The one that has been reached gives way to all of them together. */
static enum devid_err update_or(struct tpm2_policy_digest *digest,
                                const TPML_DIGEST *any_of,
                                struct devid_error *err)
{
    bool found = false;
    struct input in;

    for (UINT32 i = 0; i < any_of->count; i++)
        found =
            found || (any_of->digests[i].size == digest->value.size &&
                      memcmp(any_of->digests[i].buffer, digest->value.buffer,
                             digest->value.size) == 0);
    if (!found)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the commands before PolicyOR in the key file's "
                          "policy lead to none of its %u branches",
                          any_of->count);
    memset(digest->value.buffer, 0, digest->value.size);
    begin(&in, digest, TPM2_CC_PolicyOR);
    for (UINT32 i = 0; i < any_of->count; i++)
        put(&in, any_of->digests[i].buffer, any_of->digests[i].size);
    return hash(digest, &in, &digest->value, err);
}

static enum devid_err update_timer(struct tpm2_policy_digest *digest,
                                   const struct tpm2_policy_step *step,
                                   struct devid_error *err)
{
    TPM2B_DIGEST arguments = {0};
    struct input in = {.len = 0};
    enum devid_err e;

    put(&in, step->u.timer.operand.buffer, step->u.timer.operand.size);
    put_number(&in, step->u.timer.offset, 2);
    put_number(&in, step->u.timer.operation, 2);
    e = hash(digest, &in, &arguments, err);
    if (e != DEVID_OK)
        return e;
    begin(&in, digest, step->code);
    put(&in, arguments.buffer, arguments.size);
    return hash(digest, &in, &digest->value, err);
}

enum devid_err tpm2_policy_digest_step(struct tpm2_policy_digest *digest,
                                       const struct tpm2_policy_step *step,
                                       struct devid_error *err)
{
    struct input in;

    switch (step->code) {
    case TPM2_CC_PolicyPCR:
        return update_pcr(digest, step, err);
    case TPM2_CC_PolicyAuthorize: /* whatever came before, if it was signed */
        memset(digest->value.buffer, 0, digest->value.size);
        return update_named(digest, step->code, &step->u.authorize.name,
                            &step->u.authorize.ref, err);
    case TPM2_CC_PolicySecret:
        return update_named(digest, step->code, &step->u.secret.name,
                            &step->u.secret.ref, err);
    case TPM2_CC_PolicyOR:
        return update_or(digest, &step->u.any_of, err);
    case TPM2_CC_PolicyCounterTimer:
        return update_timer(digest, step, err);
    case TPM2_CC_PolicyCommandCode:
        begin(&in, digest, step->code);
        put_number(&in, step->u.command, 4);
        return hash(digest, &in, &digest->value, err);
    default: /* not an enum: PolicyAuthValue, and PolicyPassword as it */
        begin(&in, digest, TPM2_CC_PolicyAuthValue);
        return hash(digest, &in, &digest->value, err);
    }
}

enum devid_err tpm2_policy_to_sign(const struct tpm2_policy_digest *digest,
                                   const TPM2B_NONCE *ref,
                                   TPM2B_DIGEST *to_sign,
                                   struct devid_error *err)
{
    struct input in = {.len = 0};

    put(&in, digest->value.buffer, digest->value.size);
    put(&in, ref->buffer, ref->size);
    return hash(digest, &in, to_sign, err);
}
