/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Public keys as SubjectPublicKeyInfo.
 *
 * Coding by templates and not by d2i_PUBKEY, which would fetch decoders: this
 * runs inside a provider's decoder.
 */
#include "spki.h"
#include "algid.h"
#include "algorithm.h"
#include "asn1.h"
#include "backend.h"
#include "libcrypto.h"
#include "numbers.h"

#include <openssl/bn.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include <string.h>

#define UNCOMPRESSED 0x04
/* RSA-4096 takes 550 bytes. */
#define SPKI_MAX 2048

static ASN1_INTEGER *integer_from_bytes(const uint8_t *data, size_t len)
{
    BIGNUM *n = BN_bin2bn(data, (int)len, NULL);
    ASN1_INTEGER *i = n == NULL ? NULL : BN_to_ASN1_INTEGER(n, NULL);

    BN_free(n);
    return i;
}

/* RSAPublicKey; *der is OPENSSL_malloc'ed; 0 on failure. */
static int put_rsa(const struct devid_public *pub, uint8_t **der)
{
    RSA_PUBLIC rsa = {0};
    int len = 0;

    rsa.modulus = integer_from_bytes(pub->modulus, pub->coordinate_len);
    rsa.exponent = ASN1_INTEGER_new();
    if (rsa.modulus != NULL && rsa.exponent != NULL &&
        ASN1_INTEGER_set_uint64(rsa.exponent, pub->exponent) == 1)
        len = ASN1_item_i2d((const ASN1_VALUE *)&rsa, der,
                            ASN1_ITEM_rptr(RSA_PUBLIC));
    ASN1_INTEGER_free(rsa.modulus);
    ASN1_INTEGER_free(rsa.exponent);
    return len > 0 ? len : 0;
}

static int put_ec(const struct devid_public *pub, uint8_t **der)
{
    *der = OPENSSL_malloc(DEVID_POINT_MAX);
    return *der == NULL ? 0 : (int)devid_point_put(pub, *der);
}

/* Can these numbers be coded at all? Guards the buffers below. */
static bool is_sane(const struct devid_public *pub)
{
    if (!devid_key_kind(pub->type)->is_rsa)
        return pub->alg != NULL &&
               pub->coordinate_len == pub->alg->coordinate_len;
    return pub->coordinate_len > 0 && pub->coordinate_len <= DEVID_MODULUS_MAX;
}

/* A public key in the parts of its SubjectPublicKeyInfo. */
struct parts {
    int nid;
    int param_type; /* V_ASN1_: of the algorithm's parameters */
    void *param;    /* own; objects of the table need not be freed */
    uint8_t *key;   /* own */
    int key_len;    /* 0: libcrypto failed */
};

static void put_parts(const struct devid_public *pub, struct parts *parts)
{
    switch (pub->type) {
    case DEVID_KEY_EC:
        parts->nid = NID_X9_62_id_ecPublicKey;
        parts->param_type = V_ASN1_OBJECT;
        parts->param = OBJ_nid2obj(OBJ_sn2nid(pub->alg->group));
        parts->key_len = put_ec(pub, &parts->key);
        return;
    case DEVID_KEY_RSA:
        parts->nid = NID_rsaEncryption;
        parts->param_type = V_ASN1_NULL;
        break;
    case DEVID_KEY_RSA_PSS:
        parts->nid = NID_rsassaPss;
        parts->param_type = V_ASN1_UNDEF;
        if (pub->hash == NULL)
            break;
        parts->param_type = V_ASN1_SEQUENCE;
        parts->param = devid_pss_put(pub->hash, pub->hash, pub->salt_len);
        if (parts->param == NULL)
            return;
        break;
    case DEVID_KEY_ED25519: /* RFC 8410, 4 */
        parts->nid = NID_ED25519;
        parts->param_type = V_ASN1_UNDEF;
        parts->key = OPENSSL_memdup(pub->x, pub->coordinate_len);
        parts->key_len = parts->key == NULL ? 0 : (int)pub->coordinate_len;
        return;
    }
    parts->key_len = put_rsa(pub, &parts->key);
}

enum devid_err devid_public_put(const struct devid_public *pub,
                                X509_PUBKEY *out, struct devid_error *err)
{
    struct parts parts = {0};
    bool ok;

    devid_quiet_begin();
    if (is_sane(pub))
        put_parts(pub, &parts);
    ok = parts.key_len > 0 &&
         X509_PUBKEY_set0_param(out, OBJ_nid2obj(parts.nid), parts.param_type,
                                parts.param, parts.key, parts.key_len) == 1;
    if (!ok) {
        OPENSSL_free(parts.key);
        if (parts.param_type == V_ASN1_SEQUENCE)
            ASN1_STRING_free(parts.param);
    }
    devid_quiet_end();
    return ok ? DEVID_OK
              : devid_fail(err, DEVID_ERR_SYSTEM, 0,
                           "the public key cannot be encoded");
}

enum devid_err devid_public_to_spki(const struct devid_public *pub,
                                    uint8_t **der, size_t *len,
                                    struct devid_error *err)
{
    X509_PUBKEY *spki = X509_PUBKEY_new();
    enum devid_err e;
    int n;

    *der = NULL;
    *len = 0;
    if (spki == NULL)
        return devid_no_memory(err);
    e = devid_public_put(pub, spki, err);
    if (e == DEVID_OK) {
        n = i2d_X509_PUBKEY(spki, der);
        if (n <= 0)
            e = devid_no_memory(err);
        else
            *len = (size_t)n;
    }
    X509_PUBKEY_free(spki);
    return e;
}

static enum devid_err get_curve(const X509_ALGOR *algorithm,
                                struct devid_public *pub,
                                struct devid_error *err)
{
    const struct devid_algorithm *a;
    const void *param = NULL;
    char name[64] = "";
    int type = V_ASN1_UNDEF;

    X509_ALGOR_get0(NULL, &type, &param, algorithm);
    if (type != V_ASN1_OBJECT) {
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the EC public key has explicit curve parameters; "
                          "devid takes a named curve: P-256, P-384 or P-521");
    }
    (void)OBJ_obj2txt(name, sizeof(name), param, 0);
    a = devid_algorithm_by_name(OBJ_nid2sn(OBJ_obj2nid(param)));
    if (a == NULL || a->type != DEVID_KEY_EC) {
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the EC public key is on curve %s; devid knows "
                          "P-256, P-384 and P-521",
                          name);
    }
    pub->alg = a;
    pub->bits = a->bits;
    pub->coordinate_len = a->coordinate_len;
    return DEVID_OK;
}

static enum devid_err get_ec(const SPKI *spki, struct devid_public *pub,
                             struct devid_error *err)
{
    const uint8_t *point = ASN1_STRING_get0_data(spki->key);
    size_t len = (size_t)ASN1_STRING_length(spki->key);
    enum devid_err e = get_curve(spki->algorithm, pub, err);

    if (e != DEVID_OK)
        return e;
    if (len == 1 + pub->coordinate_len && (point[0] == 2 || point[0] == 3)) {
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the EC public key is a compressed point; write it "
                          "uncompressed (openssl pkey -ec_conv_form "
                          "uncompressed)");
    }
    if (len != 1 + 2 * pub->coordinate_len || point[0] != UNCOMPRESSED) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the EC public key has %zu bytes where a point on "
                          "%s takes %zu, of which the first is 4",
                          len, pub->alg->curve, 1 + 2 * pub->coordinate_len);
    }
    memcpy(pub->x, point + 1, pub->coordinate_len);
    memcpy(pub->y, point + 1 + pub->coordinate_len, pub->coordinate_len);
    return DEVID_OK;
}

static enum devid_err get_ed25519(const SPKI *spki, struct devid_public *pub,
                                  struct devid_error *err)
{
    int len = ASN1_STRING_length(spki->key);
    int type = V_ASN1_UNDEF;

    pub->alg = devid_algorithm_by_name("ed25519");
    pub->bits = pub->alg->bits;
    pub->coordinate_len = pub->alg->coordinate_len;
    X509_ALGOR_get0(NULL, &type, NULL, spki->algorithm);
    if (type != V_ASN1_UNDEF || (size_t)len != pub->coordinate_len)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the Ed25519 public key has %d bytes%s; it takes "
                          "%zu, and no parameters",
                          len, type != V_ASN1_UNDEF ? " and parameters" : "",
                          pub->coordinate_len);
    memcpy(pub->x, ASN1_STRING_get0_data(spki->key), pub->coordinate_len);
    return DEVID_OK;
}

/* The numbers, with the limits that struct devid_public and sense set. */
static enum devid_err get_rsa_numbers(const RSA_PUBLIC *rsa,
                                      struct devid_public *pub,
                                      struct devid_error *err)
{
    BIGNUM *n = ASN1_INTEGER_to_BN(rsa->modulus, NULL);
    uint64_t exponent = 0;
    enum devid_err e = DEVID_OK;
    int bits = n == NULL || BN_is_negative(n) ? 0 : BN_num_bits(n);

    pub->bits = (unsigned)bits;
    if (bits == 0 || bits > 8 * DEVID_MODULUS_MAX) {
        e = devid_numbers_check(pub, err);
    } else if (ASN1_INTEGER_get_uint64(&exponent, rsa->exponent) != 1 ||
               exponent < 3 || exponent > UINT32_MAX || exponent % 2 == 0) {
        e = devid_fail(err, DEVID_ERR_ALG, 0,
                       "the RSA exponent is not an odd number from 3 to "
                       "4294967295; it is 65537 in nearly every key");
    } else {
        pub->coordinate_len = (size_t)BN_num_bytes(n);
        pub->alg = devid_algorithm_find(pub->type, pub->bits);
        pub->exponent = (uint32_t)exponent;
        (void)BN_bn2bin(n, pub->modulus); /* fits: bits is checked */
    }
    BN_free(n);
    return e;
}

static enum devid_err get_rsa(const SPKI *spki, struct devid_public *pub,
                              struct devid_error *err)
{
    const uint8_t *der = ASN1_STRING_get0_data(spki->key);
    const uint8_t *p = der;
    long len = ASN1_STRING_length(spki->key);
    ASN1_VALUE *rsa = ASN1_item_d2i(NULL, &p, len, ASN1_ITEM_rptr(RSA_PUBLIC));
    enum devid_err e;

    if (rsa == NULL || p != der + len) {
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "the public key says RSA but holds no RSAPublicKey");
    } else {
        e = get_rsa_numbers((const RSA_PUBLIC *)rsa, pub, err);
    }
    ASN1_item_free(rsa, ASN1_ITEM_rptr(RSA_PUBLIC));
    return e;
}

static enum devid_err get_spki(const SPKI *spki, struct devid_public *pub,
                               struct devid_error *err)
{
    const ASN1_OBJECT *oid = NULL;
    char name[64] = "";
    enum devid_err e;

    X509_ALGOR_get0(&oid, NULL, NULL, spki->algorithm);
    switch (OBJ_obj2nid(oid)) {
    case NID_X9_62_id_ecPublicKey:
        pub->type = DEVID_KEY_EC;
        return get_ec(spki, pub, err);
    case NID_rsaEncryption:
        pub->type = DEVID_KEY_RSA;
        return get_rsa(spki, pub, err);
    case NID_rsassaPss:
        pub->type = DEVID_KEY_RSA_PSS;
        e = devid_pss_get(spki->algorithm, pub, err);
        return e != DEVID_OK ? e : get_rsa(spki, pub, err);
    case NID_ED25519:
        pub->type = DEVID_KEY_ED25519;
        return get_ed25519(spki, pub, err);
    default:
        (void)OBJ_obj2txt(name, sizeof(name), oid, 0);
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the public key is of type %s; devid takes EC, RSA "
                          "(rsaEncryption), RSA-PSS (rsassaPss) and Ed25519",
                          name);
    }
}

enum devid_err devid_public_from_spki(const uint8_t *der, size_t len,
                                      struct devid_public *pub,
                                      struct devid_error *err)
{
    const uint8_t *p = der;
    ASN1_VALUE *spki = NULL;
    enum devid_err e;

    memset(pub, 0, sizeof(*pub));
    devid_quiet_begin();
    if (len <= SPKI_MAX)
        spki = ASN1_item_d2i(NULL, &p, (long)len, ASN1_ITEM_rptr(SPKI));
    if (spki == NULL || p != der + len) {
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "the public key is no SubjectPublicKeyInfo: the DER is "
                       "cut short, garbled or followed by other bytes");
    } else {
        e = get_spki((const SPKI *)spki, pub, err);
        if (e == DEVID_OK)
            e = devid_numbers_check(pub, err);
    }
    ASN1_item_free(spki, ASN1_ITEM_rptr(SPKI));
    devid_quiet_end();
    if (e != DEVID_OK)
        memset(pub, 0, sizeof(*pub));
    return e;
}
