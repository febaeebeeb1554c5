/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policies of the TCG's templates, computed as a TPM computes them, so
 * that no table of digests need be believed.
 * Source: TCG, TPM 2.0 Keys for Device Identity and Attestation 1.0, 7.3.4;
 * TCG EK Credential Profile 2.5, B.6; TPM 2.0 Part 3, TPM2_Policy*.
 */
#include "attest_internal.h"

#include "../backend.h"

#include <tss2/tss2_mu.h>

#include <string.h>

/* Written once by policy, read by anybody; as both documents define it. */
#define POLICY_INDEX_ATTRIBUTES 0x220f1008U
#define BRANCHES_MAX 4

struct maker {
    const struct devid_hash *hash;
    TPMI_ALG_HASH id;
    OSSL_LIB_CTX *libctx;
    struct devid_error *err;
};

static size_t put_u32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
    return 4;
}

/* H(old || command || arguments); `old` NULL: zeros. */
static enum devid_err extend(const struct maker *m, const TPM2B_DIGEST *old,
                             TPM2_CC command, struct devid_bytes arguments,
                             TPM2B_DIGEST *out)
{
    uint8_t data[sizeof(out->buffer) * (1 + BRANCHES_MAX) + 4] = {0};
    size_t len = m->hash->len;

    if (old != NULL)
        memcpy(data, old->buffer, len);
    len += put_u32(data + len, command);
    memcpy(data + len, arguments.data, arguments.len);
    out->size = (UINT16)m->hash->len;
    return attest_digest(m->hash, m->libctx,
                         (struct devid_bytes){data, len + arguments.len},
                         out->buffer, m->err);
}

/* PolicySecret(TPM_RH_ENDORSEMENT) with an empty policyRef, hashed behind. */
static enum devid_err policy_secret(const struct maker *m, TPM2B_DIGEST *out)
{
    uint8_t name[4];
    const struct devid_bytes argument = {name,
                                         put_u32(name, TPM2_RH_ENDORSEMENT)};
    TPM2B_DIGEST first;
    enum devid_err e = extend(m, NULL, TPM2_CC_PolicySecret, argument, &first);

    if (e != DEVID_OK)
        return e;
    out->size = first.size;
    return attest_digest(m->hash, m->libctx,
                         (struct devid_bytes){first.buffer, first.size},
                         out->buffer, m->err);
}

static enum devid_err policy_command(const struct maker *m,
                                     const TPM2B_DIGEST *old, TPM2_CC command,
                                     TPM2B_DIGEST *out)
{
    uint8_t code[4];
    const struct devid_bytes argument = {code, put_u32(code, command)};

    return extend(m, old, TPM2_CC_PolicyCommandCode, argument, out);
}

/* PolicyAuthorizeNV(index), by the Name that the index must have. */
static enum devid_err policy_authorize_nv(const struct maker *m,
                                          TPM2_HANDLE index,
                                          const TPM2B_DIGEST *secret,
                                          TPM2B_DIGEST *out)
{
    const TPMS_NV_PUBLIC area = {
        .nvIndex = index,
        .nameAlg = m->id,
        .attributes = POLICY_INDEX_ATTRIBUTES,
        .authPolicy = *secret,
        .dataSize = (UINT16)(2 + m->hash->len), /* a TPMT_HA */
    };
    uint8_t data[sizeof(area)];
    uint8_t name[2 + sizeof(secret->buffer)] = {(uint8_t)(m->id >> 8),
                                                (uint8_t)m->id};
    size_t len = 0;
    enum devid_err e;

    if (Tss2_MU_TPMS_NV_PUBLIC_Marshal(&area, data, sizeof(data), &len) != 0)
        return devid_no_memory(m->err);
    e = attest_digest(m->hash, m->libctx, (struct devid_bytes){data, len},
                      name + 2, m->err);
    if (e != DEVID_OK)
        return e;
    return extend(m, NULL, TPM2_CC_PolicyAuthorizeNV,
                  (struct devid_bytes){name, 2 + m->hash->len}, out);
}

static enum devid_err policy_or(const struct maker *m,
                                const TPM2B_DIGEST *branches, size_t count,
                                TPM2B_DIGEST *out)
{
    uint8_t all[sizeof(out->buffer) * BRANCHES_MAX];

    for (size_t i = 0; i < count; i++)
        memcpy(all + i * m->hash->len, branches[i].buffer, m->hash->len);
    return extend(m, NULL, TPM2_CC_PolicyOR,
                  (struct devid_bytes){all, count * m->hash->len}, out);
}

/* Ours alone, and an index through which another policy may be let in. */
static enum devid_err make(const struct maker *m, TPM2_HANDLE index, bool signs,
                           TPM2B_DIGEST *out)
{
    TPM2B_DIGEST branch[BRANCHES_MAX];
    size_t n = 1;
    enum devid_err e = policy_secret(m, &branch[0]);

    if (e == DEVID_OK && index == 0) {
        *out = branch[0];
        return e;
    }
    if (e == DEVID_OK && signs) {
        e = policy_command(m, &branch[0], TPM2_CC_Certify, &branch[1]);
        if (e == DEVID_OK)
            e = policy_command(m, &branch[0], TPM2_CC_ActivateCredential,
                               &branch[2]);
        n = 3;
    }
    if (e == DEVID_OK)
        e = policy_authorize_nv(m, index, &branch[0], &branch[n]);
    return e == DEVID_OK ? policy_or(m, branch, n + 1, out) : e;
}

enum devid_err attest_policy_digest(enum attest_policy which,
                                    const struct devid_hash *hash,
                                    OSSL_LIB_CTX *libctx, TPM2B_DIGEST *digest,
                                    struct devid_error *err)
{
    static const struct {
        TPM2_HANDLE index; /* for SHA-256; SHA-384 and SHA-512 behind it */
        bool signs;
    } rows[] = {
        [ATTEST_POLICY_EK_LOW] = {0, false},
        [ATTEST_POLICY_EK_HIGH] = {0x01c07f01, false},
        [ATTEST_POLICY_IDEVID] = {0x01c90010, true},
        [ATTEST_POLICY_IAK] = {0x01c90018, true},
    };
    const struct maker m = {hash, tpm2_hash_id(hash), libctx, err};
    TPM2_HANDLE index = rows[which].index;

    memset(digest, 0, sizeof(*digest));
    if (m.id != TPM2_ALG_SHA256 && m.id != TPM2_ALG_SHA384 &&
        m.id != TPM2_ALG_SHA512) {
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the TCG's templates have SHA-256, SHA-384 or "
                          "SHA-512, not %s",
                          hash != NULL ? hash->name : "another hash");
    }
    if (index != 0)
        index += (TPM2_HANDLE)(m.id - TPM2_ALG_SHA256);
    return make(&m, index, rows[which].signs, digest);
}
