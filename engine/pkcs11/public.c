/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys out of attributes. */
#include "pkcs11.h"

#include "../algorithm.h"
#include "../numbers.h"

#include <string.h>

#define OCTET_STRING 0x04
#define UNCOMPRESSED 0x04

/* CKA_EC_PARAMS of the curves that we know: the DER of an OID (RFC 5480, RFC
 * 8410), which we write; or of a name (PKCS#11 v3.0, 2.3.10), which we read. */
static const struct curve {
    const char *algorithm;
    size_t len;
    uint8_t oid[16];
} curves[] = {
    {"ec-p256",
     10,
     {0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}},
    {"ec-p384", 7, {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22}},
    {"ec-p521", 7, {0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23}},
    {"ed25519", 5, {0x06, 0x03, 0x2b, 0x65, 0x70}},
    {"ed25519",
     14,
     {0x13, 0x0c, 'e', 'd', 'w', 'a', 'r', 'd', 's', '2', '5', '5', '1', '9'}},
};

#define N_CURVES (sizeof(curves) / sizeof(curves[0]))

const uint8_t *p11_curve_params(const struct devid_algorithm *alg, size_t *len)
{
    for (size_t i = 0; i < N_CURVES; i++) {
        if (strcmp(curves[i].algorithm, alg->name) == 0) {
            *len = curves[i].len;
            return curves[i].oid;
        }
    }
    return NULL;
}

static const struct devid_algorithm *curve_of(const struct p11_object *object)
{
    for (size_t i = 0; i < N_CURVES; i++) {
        if (object->params_len == curves[i].len &&
            memcmp(object->params, curves[i].oid, curves[i].len) == 0)
            return devid_algorithm_by_name(curves[i].algorithm);
    }
    return NULL;
}

/* PKCS#11 wants the point in an OCTET STRING; some tokens leave that out. */
static const uint8_t *point_of(const struct p11_object *object, size_t wanted)
{
    const uint8_t *p = object->point;
    size_t len = object->point_len;

    if (len == wanted)
        return p;
    if (len > 3 && p[0] == OCTET_STRING && p[1] == len - 2) {
        p += 2;
        len -= 2;
    } else if (len > 3 && p[0] == OCTET_STRING && p[1] == 0x81 &&
               p[2] == len - 3) {
        p += 3;
        len -= 3;
    }
    return len == wanted ? p : NULL;
}

static enum devid_err ec_public(const struct p11_object *object,
                                struct devid_public *pub,
                                struct devid_error *err)
{
    const struct devid_algorithm *alg = curve_of(object);
    const uint8_t *point;

    if (alg == NULL || alg->type != DEVID_KEY_EC)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the token's EC key '%.40s' is on a curve that devid "
                          "does not know, or that has no name: it knows P-256, "
                          "P-384 and P-521",
                          object->label);
    point = point_of(object, 1 + 2 * alg->coordinate_len);
    if (point == NULL || *point++ != UNCOMPRESSED)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the public key of the token's EC key '%.40s' is no "
                          "uncompressed point",
                          object->label);
    pub->type = DEVID_KEY_EC;
    pub->alg = alg;
    pub->bits = alg->bits;
    pub->coordinate_len = alg->coordinate_len;
    memcpy(pub->x, point, pub->coordinate_len);
    memcpy(pub->y, point + pub->coordinate_len, pub->coordinate_len);
    return DEVID_OK;
}

static enum devid_err ed25519_public(const struct p11_object *object,
                                     struct devid_public *pub,
                                     struct devid_error *err)
{
    const struct devid_algorithm *alg = curve_of(object);
    const uint8_t *point = NULL;

    if (alg != NULL && alg->type == DEVID_KEY_ED25519)
        point = point_of(object, alg->coordinate_len);
    if (point == NULL)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the token's Edwards key '%.40s' is none of 32 bytes "
                          "on edwards25519: devid knows Ed25519",
                          object->label);
    pub->type = DEVID_KEY_ED25519;
    pub->alg = alg;
    pub->bits = alg->bits;
    pub->coordinate_len = alg->coordinate_len;
    memcpy(pub->x, point, pub->coordinate_len);
    return DEVID_OK;
}

/* Tokens may put zeros before a number. */
static const uint8_t *trim(const uint8_t *number, size_t *len)
{
    while (*len > 0 && *number == 0) {
        number++;
        (*len)--;
    }
    return number;
}

static enum devid_err rsa_public(const struct p11_object *object,
                                 struct devid_public *pub,
                                 struct devid_error *err)
{
    size_t len = object->modulus_len;
    size_t exponent_len = object->exponent_len;
    const uint8_t *modulus = trim(object->modulus, &len);
    const uint8_t *exponent = trim(object->exponent, &exponent_len);
    unsigned top = 8;

    if (len == 0 || exponent_len == 0 || exponent_len > 4)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the token's RSA key '%.40s' has no modulus, or a "
                          "public exponent over 32 bits",
                          object->label);
    while ((modulus[0] >> (top - 1)) == 0)
        top--;
    pub->type = DEVID_KEY_RSA;
    pub->bits = (unsigned)(len - 1) * 8 + top;
    pub->alg = devid_algorithm_find(DEVID_KEY_RSA, pub->bits);
    pub->coordinate_len = len;
    memcpy(pub->modulus, modulus, len);
    for (size_t i = 0; i < exponent_len; i++)
        pub->exponent = pub->exponent << 8 | exponent[i];
    return DEVID_OK;
}

enum devid_err p11_object_public(const struct p11_object *object,
                                 struct devid_public *pub,
                                 struct devid_error *err)
{
    enum devid_err e;

    memset(pub, 0, sizeof(*pub));
    switch (object->type) {
    case CKK_EC:
        e = ec_public(object, pub, err);
        break;
    case CKK_RSA:
        e = rsa_public(object, pub, err);
        break;
    case CKK_EC_EDWARDS:
        e = ed25519_public(object, pub, err);
        break;
    default: /* not an enum */
        e = devid_fail(err, DEVID_ERR_ALG, 0,
                       "the token's key '%.40s' is of a type (0x%lx) that "
                       "devid does not use: it uses EC, RSA and Ed25519",
                       object->label, object->type);
    }
    return e != DEVID_OK ? e : devid_numbers_check(pub, err);
}

enum devid_err p11_public_of(struct p11_session *session,
                             const struct p11_object *private_key,
                             struct devid_public *pub, struct devid_error *err)
{
    struct p11_query query = {.class = CKO_PUBLIC_KEY,
                              .id = private_key->id,
                              .id_len = private_key->id_len};
    CK_OBJECT_HANDLE found[2];
    struct p11_object object;
    CK_ULONG count = 0;
    enum devid_err e;

    /* An RSA key has all of it; some tokens give an EC key its point. */
    if (private_key->modulus_len > 0 || private_key->point_len > 0) {
        e = p11_object_public(private_key, pub, NULL);
        if (e == DEVID_OK)
            return e;
    }
    if (private_key->id_len == 0) {
        query.id = NULL;
        query.label = private_key->label;
        query.label_len = strlen(private_key->label);
    }
    e = p11_find(session, &query, found, 2, &count, err);
    if (e != DEVID_OK)
        return e;
    if (count != 1)
        return devid_fail(err, DEVID_ERR_NOT_FOUND, 0,
                          "the token has the private key '%.40s', but %s "
                          "public key with the same id",
                          private_key->label,
                          count == 0 ? "no" : "more than one");
    e = p11_object_read(session, found[0], &object, err);
    return e != DEVID_OK ? e : p11_object_public(&object, pub, err);
}
