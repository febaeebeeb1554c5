/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret under an EK that only a TPM with a key of a certain Name gives up.
 * Source: TPM 2.0 Part 1, 24.
 */
#include "attest_internal.h"

#include "../backend.h"
#include "../tpm2/protect.h"

#include <openssl/crypto.h>

#include <string.h>

static size_t put_sized(uint8_t *out, const uint8_t *data, size_t len)
{
    out[0] = (uint8_t)(len >> 8);
    out[1] = (uint8_t)len;
    memcpy(out + 2, data, len);
    return 2 + len;
}

static enum devid_err make(const struct tpm2_protection *ek,
                           struct devid_bytes secret,
                           struct devid_credential *out,
                           struct devid_error *err)
{
    struct tpm2_protected protected;
    uint8_t plain[2 + 64];
    enum devid_err e = tpm2_protect(
        ek, plain, put_sized(plain, secret.data, secret.len), &protected, err);

    OPENSSL_cleanse(plain, sizeof(plain));
    if (e == DEVID_OK && (protected.len + 2 > sizeof(out->id_object) ||
                          protected.seed.size + 2U > sizeof(out->secret)))
        e = devid_fail(err, DEVID_ERR_ALG, 0, "the EK is larger than any");
    if (e != DEVID_OK)
        return e;
    out->id_object_len =
        put_sized(out->id_object, protected.data, protected.len);
    out->secret_len =
        put_sized(out->secret, protected.seed.secret, protected.seed.size);
    return DEVID_OK;
}

enum devid_err devid_make_credential(const struct devid_challenge *challenge,
                                     struct devid_credential *credential,
                                     struct devid_error *err)
{
    const struct tpm2_ek_kind *kind = attest_ek_kind(challenge->ek, err);
    TPM2B_NAME name = {0};
    struct tpm2_protection ek = {.pub = challenge->ek,
                                 .use = "IDENTITY",
                                 .name = &name,
                                 .libctx = challenge->libctx};
    size_t name_len = challenge->name->len;

    memset(credential, 0, sizeof(*credential));
    if (kind == NULL)
        return DEVID_ERR_ALG;
    ek.hash = tpm2_hash_from_id(kind->hash);
    ek.aes_bits = tpm2_ek_aes_bits(kind);
    if (challenge->secret.len == 0 || challenge->secret.len > ek.hash->len) {
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "the secret has %zu bytes: 1 to %zu go into a "
                          "credential for this EK",
                          challenge->secret.len, ek.hash->len);
    }
    if (name_len < 2 || name_len > sizeof(challenge->name->data)) {
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "the Name has %zu bytes: a hash's id and its digest "
                          "are wanted",
                          name_len);
    }
    name.size = (UINT16)name_len;
    memcpy(name.name, challenge->name->data, name_len);
    return make(&ek, challenge->secret, credential, err);
}
