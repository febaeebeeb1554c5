/* SPDX-License-Identifier: Apache-2.0 */
/* A private key wrapped for a parent. Pure. */
#include "adopt.h"
#include "protect.h"

#include <string.h>

#include <openssl/crypto.h>
#include <tss2/tss2_mu.h>

/* False where the parent's symmetric algorithm is another than AES-CFB. */
static bool fill_protection(const TPMT_PUBLIC *parent,
                            struct tpm2_protection *to)
{
    const TPMT_SYM_DEF_OBJECT *sym =
        parent->type == TPM2_ALG_ECC ? &parent->parameters.eccDetail.symmetric
                                     : &parent->parameters.rsaDetail.symmetric;

    to->hash = tpm2_hash_from_id(parent->nameAlg);
    to->aes_bits = sym->keyBits.aes;
    return to->hash != NULL && sym->algorithm == TPM2_ALG_AES &&
           sym->mode.aes == TPM2_ALG_CFB;
}

static enum devid_err protect(const struct tpm2_protection *to,
                              const TPM2B_SENSITIVE *sensitive,
                              TPM2B_PRIVATE *duplicate,
                              TPM2B_ENCRYPTED_SECRET *seed,
                              struct devid_error *err)
{
    uint8_t plain[sizeof(TPM2B_SENSITIVE)];
    struct tpm2_protected protected;
    size_t len = 0;
    enum devid_err e;

    if (Tss2_MU_TPM2B_SENSITIVE_Marshal(sensitive, plain, sizeof(plain),
                                        &len) != 0)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the private key does not fit a TPM's structures");
    e = tpm2_protect(to, plain, len, &protected, err);
    OPENSSL_cleanse(plain, sizeof(plain));
    if (e != DEVID_OK)
        return e;
    if (protected.len > sizeof(duplicate->buffer))
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the private key is too large for a TPM");
    duplicate->size = (UINT16) protected.len;
    memcpy(duplicate->buffer, protected.data, protected.len);
    *seed = protected.seed;
    return DEVID_OK;
}

enum devid_err tpm2_duplicate(const TPMT_PUBLIC *parent, OSSL_LIB_CTX *libctx,
                              const struct tpm2_adopt *adopt,
                              TPM2B_PRIVATE *duplicate,
                              TPM2B_ENCRYPTED_SECRET *seed,
                              struct devid_error *err)
{
    struct devid_public pub;
    TPM2B_NAME name;
    struct tpm2_protection to = {
        .pub = &pub, .use = "DUPLICATE", .name = &name, .libctx = libctx};
    enum devid_err e = tpm2_public_to_devid(parent, &pub, err);

    if (e == DEVID_OK && !fill_protection(parent, &to))
        e = devid_fail(err, DEVID_ERR_ALG, 0,
                       "the key cannot be wrapped for this parent: it must be "
                       "a storage key with AES in CFB mode, as 0x81000001 and "
                       "the hierarchies have it");
    if (e == DEVID_OK)
        e = tpm2_public_name(&adopt->pub.publicArea, libctx, &name, err);
    if (e != DEVID_OK)
        return e;
    return protect(&to, adopt->sensitive, duplicate, seed, err);
}
