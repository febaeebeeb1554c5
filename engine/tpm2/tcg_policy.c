/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The digests of the TCG's policies. Pure: what a TPM would compute, by the
 * rules of TPM 2.0 Part 3, chapter 23.
 */
#include "tcg.h"

#include <string.h>

#include <openssl/evp.h>
#include <tss2/tss2_mu.h>

/* Where PolicyAuthorizeNV looks: indices that need not exist. */
static const struct hash_row {
    TPMI_ALG_HASH id;
    const char *name; /* OpenSSL's */
    UINT16 len;
    TPMI_RH_NV_INDEX idevid;
    TPMI_RH_NV_INDEX iak;
    TPMI_RH_NV_INDEX ek;
} hash_rows[] = {
    {TPM2_ALG_SHA256, "SHA2-256", 32, 0x01c90010, 0x01c90018, 0x01c07f01},
    {TPM2_ALG_SHA384, "SHA2-384", 48, 0x01c90011, 0x01c90019, 0x01c07f02},
    {TPM2_ALG_SHA512, "SHA2-512", 64, 0x01c90012, 0x01c9001a, 0x01c07f03},
};

#define HASH_ROWS (sizeof(hash_rows) / sizeof(hash_rows[0]))

#define NV_POLICY_ATTRIBUTES                                                   \
    (TPMA_NV_POLICYWRITE | TPMA_NV_WRITEALL | TPMA_NV_PPREAD |                 \
     TPMA_NV_OWNERREAD | TPMA_NV_AUTHREAD | TPMA_NV_POLICYREAD |               \
     TPMA_NV_NO_DA | TPMA_NV_WRITTEN)

/* A digest in the making; `ok` is false once something failed. */
struct sum {
    const struct hash_row *hash;
    OSSL_LIB_CTX *libctx;
    bool ok;
};

static const struct hash_row *find_hash(TPMI_ALG_HASH id)
{
    for (size_t i = 0; i < HASH_ROWS; i++) {
        if (hash_rows[i].id == id)
            return &hash_rows[i];
    }
    return NULL;
}

static enum devid_err no_hash(TPMI_ALG_HASH id, struct devid_error *err)
{
    return devid_fail(err, DEVID_ERR_ALG, 0,
                      "the TCG has laid down no identity key with name "
                      "algorithm 0x%x",
                      id);
}

static enum devid_err result(const struct sum *s, struct devid_error *err)
{
    return s->ok ? DEVID_OK
                 : devid_fail(err, DEVID_ERR_SYSTEM, 0,
                              "OpenSSL does not compute %s", s->hash->name);
}

/* The longest: PolicyOR of four digests of SHA-512. */
struct input {
    uint8_t data[8 * 64];
    size_t len;
};

static void add(struct input *in, const void *data, size_t len)
{
    memcpy(in->data + in->len, data, len);
    in->len += len;
}

static void add_word(struct input *in, uint32_t word)
{
    const uint8_t be[4] = {(uint8_t)(word >> 24), (uint8_t)(word >> 16),
                           (uint8_t)(word >> 8), (uint8_t)word};

    add(in, be, sizeof(be));
}

static void add_digest(struct input *in, const TPM2B_DIGEST *digest)
{
    add(in, digest->buffer, digest->size);
}

static TPM2B_DIGEST finish(struct sum *s, const struct input *in)
{
    TPM2B_DIGEST out = {.size = s->hash->len};
    size_t len = 0;

    s->ok = s->ok && EVP_Q_digest(s->libctx, s->hash->name, "provider!=devid",
                                  in->data, in->len, out.buffer, &len) == 1;
    return out;
}

static TPM2B_DIGEST policy_secret(struct sum *s)
{
    const TPM2B_DIGEST zeros = {.size = s->hash->len};
    struct input in = {.len = 0};
    struct input again = {.len = 0};
    TPM2B_DIGEST half;

    add_digest(&in, &zeros);
    add_word(&in, TPM2_CC_PolicySecret);
    add_word(&in, TPM2_RH_ENDORSEMENT);
    half = finish(s, &in);
    add_digest(&again, &half); /* and an empty policyRef */
    return finish(s, &again);
}

static TPM2B_DIGEST policy_command(struct sum *s, const TPM2B_DIGEST *before,
                                   TPM2_CC command)
{
    struct input in = {.len = 0};

    add_digest(&in, before);
    add_word(&in, TPM2_CC_PolicyCommandCode);
    add_word(&in, command);
    return finish(s, &in);
}

static TPM2B_DIGEST policy_authorize_nv(struct sum *s, TPMI_RH_NV_INDEX index,
                                        const TPM2B_DIGEST *secret)
{
    const TPM2B_DIGEST zeros = {.size = s->hash->len};
    const TPMS_NV_PUBLIC area = {
        .nvIndex = index,
        .nameAlg = s->hash->id,
        .attributes = NV_POLICY_ATTRIBUTES,
        .authPolicy = *secret,
        .dataSize = (UINT16)(s->hash->len + 2), /* TPMT_HA */
    };
    const uint8_t alg[2] = {(uint8_t)(s->hash->id >> 8), (uint8_t)s->hash->id};
    struct input public_area = {.len = 0};
    struct input in = {.len = 0};
    TPM2B_DIGEST name;

    s->ok = s->ok && Tss2_MU_TPMS_NV_PUBLIC_Marshal(
                         &area, public_area.data, sizeof(public_area.data),
                         &public_area.len) == TSS2_RC_SUCCESS;
    name = finish(s, &public_area);
    add_digest(&in, &zeros);
    add_word(&in, TPM2_CC_PolicyAuthorizeNV);
    add(&in, alg, sizeof(alg));
    add_digest(&in, &name);
    return finish(s, &in);
}

static TPM2B_DIGEST policy_or(struct sum *s, const TPML_DIGEST *branches)
{
    const TPM2B_DIGEST zeros = {.size = s->hash->len};
    struct input in = {.len = 0};

    add_digest(&in, &zeros);
    add_word(&in, TPM2_CC_PolicyOR);
    for (UINT32 i = 0; i < branches->count; i++)
        add_digest(&in, &branches->digests[i]);
    return finish(s, &in);
}

static TPMI_RH_NV_INDEX index_of(enum tpm2_role role,
                                 const struct hash_row *hash)
{
    switch (role) {
    case TPM2_ROLE_IDEVID:
        return hash->idevid;
    case TPM2_ROLE_IAK:
        return hash->iak;
    case TPM2_ROLE_EK:
        break;
    }
    return hash->ek;
}

static void push(TPML_DIGEST *list, TPM2B_DIGEST digest)
{
    list->digests[list->count++] = digest;
}

enum devid_err tpm2_tcg_policy(enum tpm2_role role, bool low,
                               OSSL_LIB_CTX *libctx,
                               struct tpm2_tcg_policy *policy,
                               struct devid_error *err)
{
    struct sum s = {
        .hash = find_hash(policy->hash),
        .libctx = libctx,
        .ok = true,
    };
    TPML_DIGEST *branches = &policy->branches;
    const TPM2B_DIGEST *secret = &branches->digests[TPM2_BRANCH_SECRET];

    if (s.hash == NULL)
        return no_hash(policy->hash, err);
    branches->count = 0;
    push(branches, policy_secret(&s));
    if (role != TPM2_ROLE_EK) {
        push(branches, policy_command(&s, secret, TPM2_CC_Certify));
        push(branches, policy_command(&s, secret, TPM2_CC_ActivateCredential));
    }
    if (low) {
        policy->digest = *secret;
    } else {
        push(branches, policy_authorize_nv(&s, index_of(role, s.hash), secret));
        policy->digest = policy_or(&s, branches);
    }
    return result(&s, err);
}

enum devid_err tpm2_qualified_name(const TPM2B_PUBLIC *pub,
                                   OSSL_LIB_CTX *libctx, TPM2B_NAME *name,
                                   struct devid_error *err)
{
    struct sum s = {
        .hash = find_hash(pub->publicArea.nameAlg),
        .libctx = libctx,
        .ok = true,
    };
    struct input in = {.len = 0};
    TPM2B_NAME own;
    TPM2B_DIGEST digest;
    enum devid_err e;

    if (s.hash == NULL)
        return no_hash(pub->publicArea.nameAlg, err);
    e = tpm2_public_name(&pub->publicArea, libctx, &own, err);
    if (e != DEVID_OK)
        return e;
    add_word(&in, TPM2_RH_ENDORSEMENT); /* the hierarchy's is its handle */
    add(&in, own.name, own.size);
    digest = finish(&s, &in);
    memcpy(name->name, own.name, 2); /* the algorithm */
    memcpy(name->name + 2, digest.buffer, digest.size);
    name->size = (UINT16)(2 + digest.size);
    return result(&s, err);
}
