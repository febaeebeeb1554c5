/* SPDX-License-Identifier: Apache-2.0 */
/* Public areas of TPM objects. Pure: no device. */
#include "public.h"

#include "../algorithm.h"
#include "../backend.h"
#include "../numbers.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <tss2/tss2_mu.h>

#define RSA_DEFAULT_EXPONENT 65537u
/* TPM_ECC_CURVE_25519 of the TCG Algorithm Registry 1.34, which tss2 lacks; the
 * TPM says whether it has it. */
#define ECC_CURVE_25519 0x0040

static const struct curve {
    TPMI_ECC_CURVE id;
    const char *algorithm;
} curves[] = {
    {TPM2_ECC_NIST_P256, "ec-p256"},
    {TPM2_ECC_NIST_P384, "ec-p384"},
    {TPM2_ECC_NIST_P521, "ec-p521"},
};

static const struct {
    const char *name;
    TPMI_ALG_HASH id;
} hashes[] = {
    {"SHA1", TPM2_ALG_SHA1},
    {"SHA2-256", TPM2_ALG_SHA256},
    {"SHA2-384", TPM2_ALG_SHA384},
    {"SHA2-512", TPM2_ALG_SHA512},
};

const struct devid_hash *tpm2_hash_from_id(TPM2_ALG_ID id)
{
    for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
        if (hashes[i].id == id)
            return devid_hash_by_name(hashes[i].name);
    }
    return NULL;
}

TPMI_ALG_HASH tpm2_hash_id(const struct devid_hash *hash)
{
    for (size_t i = 0; hash != NULL && i < sizeof(hashes) / sizeof(hashes[0]);
         i++) {
        if (devid_hash_by_name(hashes[i].name) == hash)
            return hashes[i].id;
    }
    return TPM2_ALG_NULL;
}

static const struct devid_algorithm *curve_from_id(TPMI_ECC_CURVE id)
{
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (curves[i].id == id)
            return devid_algorithm_by_name(curves[i].algorithm);
    }
    return NULL;
}

bool tpm2_put_coordinate(const BYTE *from, size_t from_len, uint8_t *to,
                         size_t len)
{
    while (from_len > len && *from == 0) {
        from++;
        from_len--;
    }
    if (from_len > len)
        return false;
    memset(to, 0, len - from_len);
    memcpy(to + len - from_len, from, from_len);
    return true;
}

void tpm2_put_padded(const BYTE *from, size_t from_len, uint8_t *to, size_t len)
{
    size_t n = from_len < len ? from_len : len;

    memset(to, 0, len - n);
    memcpy(to + len - n, from + from_len - n, n);
}

static enum devid_err ecc_public(const TPMT_PUBLIC *tpm,
                                 struct devid_public *pub,
                                 struct devid_error *err)
{
    TPMI_ECC_CURVE id = tpm->parameters.eccDetail.curveID;
    const TPMS_ECC_POINT *point = &tpm->unique.ecc;

    pub->type = DEVID_KEY_EC;
    pub->alg = curve_from_id(id);
    if (pub->alg == NULL) {
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the key is on TPM curve 0x%x, which TLS does not "
                          "use: devid takes P-256, P-384 and P-521",
                          id);
    }
    pub->bits = pub->alg->bits;
    pub->coordinate_len = pub->alg->coordinate_len;
    if (!tpm2_put_coordinate(point->x.buffer, point->x.size, pub->x,
                             pub->coordinate_len) ||
        !tpm2_put_coordinate(point->y.buffer, point->y.size, pub->y,
                             pub->coordinate_len)) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the key's public point is longer than its curve "
                          "%s",
                          pub->alg->curve);
    }
    return DEVID_OK;
}

/*
 * A key whose scheme is RSAPSS is of a type of its own, and bound to a hash.
 * Not a restricted one: it signs what the TPM made, and its certificates are
 * the attester's to shape.
 */
static enum devid_err rsa_type(const TPMT_PUBLIC *tpm, struct devid_public *pub,
                               struct devid_error *err)
{
    const TPMT_RSA_SCHEME *scheme = &tpm->parameters.rsaDetail.scheme;

    pub->type = DEVID_KEY_RSA;
    if (scheme->scheme != TPM2_ALG_RSAPSS ||
        (tpm->objectAttributes & TPMA_OBJECT_RESTRICTED) != 0)
        return DEVID_OK;
    pub->type = DEVID_KEY_RSA_PSS;
    pub->hash = tpm2_hash_from_id(scheme->details.rsapss.hashAlg);
    if (pub->hash == NULL)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the RSA-PSS key is bound to a hash (0x%x) that "
                          "devid does not know",
                          scheme->details.rsapss.hashAlg);
    pub->salt_len = pub->hash->len;
    return DEVID_OK;
}

static enum devid_err rsa_public(const TPMT_PUBLIC *tpm,
                                 struct devid_public *pub,
                                 struct devid_error *err)
{
    const TPM2B_PUBLIC_KEY_RSA *modulus = &tpm->unique.rsa;
    UINT32 exponent = tpm->parameters.rsaDetail.exponent;
    enum devid_err e = rsa_type(tpm, pub, err);

    if (e != DEVID_OK)
        return e;
    pub->bits = tpm->parameters.rsaDetail.keyBits;
    pub->coordinate_len = modulus->size;
    if (modulus->size == 0 || modulus->size > sizeof(pub->modulus) ||
        modulus->size * 8u != pub->bits) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the key's modulus has %u bytes where RSA-%u takes "
                          "%u",
                          modulus->size, pub->bits, pub->bits / 8);
    }
    pub->alg = devid_algorithm_find(pub->type, pub->bits);
    pub->exponent = exponent == 0 ? RSA_DEFAULT_EXPONENT : exponent;
    memcpy(pub->modulus, modulus->buffer, modulus->size);
    return DEVID_OK;
}

enum devid_err tpm2_public_to_devid(const TPMT_PUBLIC *tpm,
                                    struct devid_public *pub,
                                    struct devid_error *err)
{
    enum devid_err e;

    memset(pub, 0, sizeof(*pub));
    if (tpm->type == TPM2_ALG_ECC)
        e = ecc_public(tpm, pub, err);
    else if (tpm->type == TPM2_ALG_RSA)
        e = rsa_public(tpm, pub, err);
    else
        e = devid_fail(err, DEVID_ERR_ALG, 0,
                       "the TPM object is of type 0x%x: neither an EC nor an "
                       "RSA key",
                       tpm->type);
    return e != DEVID_OK ? e : devid_numbers_check(pub, err);
}

TPMI_ECC_CURVE tpm2_curve_of(const struct devid_algorithm *alg)
{
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (devid_algorithm_by_name(curves[i].algorithm) == alg)
            return curves[i].id;
    }
    return alg->type == DEVID_KEY_ED25519 ? ECC_CURVE_25519 : TPM2_ECC_NONE;
}

void tpm2_public_from_devid(const struct devid_public *pub, TPMT_PUBLIC *tpm)
{
    if (pub->type == DEVID_KEY_EC) {
        TPMS_ECC_PARMS *ecc = &tpm->parameters.eccDetail;
        TPMS_ECC_POINT *point = &tpm->unique.ecc;

        tpm->type = TPM2_ALG_ECC;
        ecc->symmetric.algorithm = TPM2_ALG_NULL;
        ecc->scheme.scheme = TPM2_ALG_NULL;
        ecc->curveID = tpm2_curve_of(pub->alg);
        ecc->kdf.scheme = TPM2_ALG_NULL;
        point->x.size = (UINT16)pub->coordinate_len;
        memcpy(point->x.buffer, pub->x, pub->coordinate_len);
        point->y.size = (UINT16)pub->coordinate_len;
        memcpy(point->y.buffer, pub->y, pub->coordinate_len);
    } else {
        TPMS_RSA_PARMS *rsa = &tpm->parameters.rsaDetail;

        tpm->type = TPM2_ALG_RSA;
        rsa->symmetric.algorithm = TPM2_ALG_NULL;
        rsa->scheme.scheme = TPM2_ALG_NULL;
        rsa->keyBits = (TPMI_RSA_KEY_BITS)pub->bits;
        rsa->exponent =
            pub->exponent == RSA_DEFAULT_EXPONENT ? 0 : pub->exponent;
        tpm->unique.rsa.size = (UINT16)pub->coordinate_len;
        memcpy(tpm->unique.rsa.buffer, pub->modulus, pub->coordinate_len);
    }
}

void tpm2_public_limits(const TPMT_PUBLIC *tpm, struct devid_key_limits *limits)
{
    TPMA_OBJECT a = tpm->objectAttributes;

    limits->sign = (a & TPMA_OBJECT_SIGN_ENCRYPT) != 0;
    limits->decrypt = (a & TPMA_OBJECT_DECRYPT) != 0;
    limits->restricted = (a & TPMA_OBJECT_RESTRICTED) != 0;
    /* A policy stands in the way only where the auth value is no way in. */
    limits->has_policy =
        tpm->authPolicy.size != 0 && (a & TPMA_OBJECT_USERWITHAUTH) == 0;
}

void tpm2_public_words(const TPMT_PUBLIC *tpm, char *text, size_t size)
{
    static const struct {
        TPMA_OBJECT bit;
        const char *word;
    } words[] = {
        {TPMA_OBJECT_FIXEDTPM, "fixedTPM"},
        {TPMA_OBJECT_FIXEDPARENT, "fixedParent"},
        {TPMA_OBJECT_SENSITIVEDATAORIGIN, "sensitiveDataOrigin"},
        {TPMA_OBJECT_USERWITHAUTH, "userWithAuth"},
        {TPMA_OBJECT_ADMINWITHPOLICY, "adminWithPolicy"},
        {TPMA_OBJECT_NODA, "noDA"},
        {TPMA_OBJECT_RESTRICTED, "restricted"},
        {TPMA_OBJECT_DECRYPT, "decrypt"},
        {TPMA_OBJECT_SIGN_ENCRYPT, "sign"},
        {TPMA_OBJECT_STCLEAR, "stClear"},
        {TPMA_OBJECT_ENCRYPTEDDUPLICATION, "encryptedDuplication"},
    };
    size_t used = 0;

    *text = '\0';
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if ((tpm->objectAttributes & words[i].bit) == 0)
            continue;
        int n = snprintf(text + used, size - used, "%s%s", used ? ", " : "",
                         words[i].word);
        if (n < 0 || (size_t)n >= size - used)
            return;
        used += (size_t)n;
    }
}

enum devid_err tpm2_public_name(const TPMT_PUBLIC *tpm, OSSL_LIB_CTX *libctx,
                                TPM2B_NAME *name, struct devid_error *err)
{
    const struct devid_hash *hash = tpm2_hash_from_id(tpm->nameAlg);
    uint8_t area[sizeof(*tpm)];
    size_t area_len = 0;
    size_t digest_len = 0;
    int ok;

    if (hash == NULL) {
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the key's name algorithm 0x%x is not known",
                          tpm->nameAlg);
    }
    if (Tss2_MU_TPMT_PUBLIC_Marshal(tpm, area, sizeof(area), &area_len) != 0)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the key's public area does not encode");
    ERR_set_mark();
    ok = EVP_Q_digest(libctx, hash->name, "provider!=devid", area, area_len,
                      name->name + 2, &digest_len);
    ERR_pop_to_mark();
    if (ok != 1)
        return devid_fail(err, DEVID_ERR_SYSTEM, 0,
                          "OpenSSL does not compute %s", hash->name);
    name->name[0] = (BYTE)(tpm->nameAlg >> 8);
    name->name[1] = (BYTE)tpm->nameAlg;
    name->size = (UINT16)(digest_len + 2);
    return DEVID_OK;
}
