/* SPDX-License-Identifier: Apache-2.0 */
/* A software key into the TPM: it crosses wrapped for its parent. */
#include "adopt.h"

#include "../libcrypto.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

/* The digest of the name algorithm that imported keys have (SHA-256). */
#define AUTH_MAX 32

static bool is_of_a_tpm(const struct devid_public *pub)
{
    return pub->alg != NULL && pub->type != DEVID_KEY_RSA_PSS;
}

static void fill_public(const struct devid_key_spec *spec,
                        const struct devid_public *pub, TPMT_PUBLIC *area)
{
    area->nameAlg = TPM2_ALG_SHA256;
    area->objectAttributes =
        TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_SIGN_ENCRYPT;
    if (!spec->dictionary_attack_protected)
        area->objectAttributes |= TPMA_OBJECT_NODA;
    if (spec->decrypt)
        area->objectAttributes |= TPMA_OBJECT_DECRYPT;
    tpm2_public_from_devid(pub, area);
}

/* One number: EC's own, or one of RSA's primes, which gives the other. */
static bool fill_sensitive(const EVP_PKEY *pkey, const struct devid_public *pub,
                           TPMT_SENSITIVE *area)
{
    bool is_ec = pub->type == DEVID_KEY_EC;
    const char *name =
        is_ec ? OSSL_PKEY_PARAM_PRIV_KEY : OSSL_PKEY_PARAM_RSA_FACTOR1;
    size_t len = is_ec ? pub->coordinate_len : pub->coordinate_len / 2;
    BIGNUM *number = NULL;
    uint8_t *to;
    bool done;

    if (is_ec) {
        area->sensitiveType = TPM2_ALG_ECC;
        area->sensitive.ecc.size = (UINT16)len;
        to = area->sensitive.ecc.buffer;
    } else {
        area->sensitiveType = TPM2_ALG_RSA;
        area->sensitive.rsa.size = (UINT16)len;
        to = area->sensitive.rsa.buffer;
    }
    devid_quiet_begin();
    done = EVP_PKEY_get_bn_param(pkey, name, &number) == 1 &&
           BN_bn2binpad(number, to, (int)len) == (int)len;
    devid_quiet_end();
    BN_clear_free(number);
    return done;
}

static enum devid_err fill(const struct devid_key_spec *spec,
                           const EVP_PKEY *pkey, struct tpm2_adopt *adopt,
                           struct devid_error *err)
{
    TPMT_SENSITIVE *area = &adopt->sensitive->sensitiveArea;
    struct devid_public pub;
    enum devid_err e = devid_public_from_pkey(pkey, &pub, err);

    if (e != DEVID_OK)
        return e;
    if (!is_of_a_tpm(&pub))
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "a TPM imports EC keys on P-256, P-384 and P-521, "
                          "and RSA keys of 2048, 3072 and 4096 bits");
    if (spec->auth_len > AUTH_MAX)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the auth value has %zu bytes, and a TPM key takes "
                          "%d at most",
                          spec->auth_len, AUTH_MAX);
    fill_public(spec, &pub, &adopt->pub.publicArea);
    area->authValue.size = (UINT16)spec->auth_len;
    if (spec->auth_len > 0)
        memcpy(area->authValue.buffer, spec->auth, spec->auth_len);
    if (fill_sensitive(pkey, &pub, area))
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "OpenSSL does not give the key's private part: a "
                      "private key with all its numbers is needed, RSA of two "
                      "primes");
}

enum devid_err tpm2_key_import(void *state, const struct devid_key_spec *spec,
                               const EVP_PKEY *pkey, struct devid_keyfile *file,
                               struct devid_error *err)
{
    TPM2B_SENSITIVE *sensitive = OPENSSL_zalloc(sizeof(*sensitive));
    struct tpm2_adopt adopt = {.self = state, .sensitive = sensitive};
    enum devid_err e = DEVID_OK;

    if (sensitive == NULL)
        return devid_no_memory(err);
    e = fill(spec, pkey, &adopt, err);
    if (e == DEVID_OK)
        e = tpm2_adopt(&adopt, spec->parent, err);
    OPENSSL_clear_free(sensitive, sizeof(*sensitive));
    if (e == DEVID_OK)
        e = tpm2_adopt_file(&adopt, file, err);
    if (e != DEVID_OK)
        return e;
    file->empty_auth = spec->auth_len == 0;
    file->description = OPENSSL_strdup(DEVID_IMPORTED);
    return file->description == NULL ? devid_no_memory(err) : DEVID_OK;
}
