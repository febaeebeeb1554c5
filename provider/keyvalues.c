/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A public key as libcrypto's parameters: one list of values, for questions
 * (get_params) and for public exports alike.
 */
#include "prov.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/param_build.h>
#include <openssl/params.h>

#include <string.h>

#define VALUES_MAX 12
#define POINT_MAX (1 + 2 * DEVID_COORDINATE_MAX)
#define ECDSA_INTEGER_HEADER 2 /* tag and length of r, of s */

enum shape {
    SHAPE_INT,
    SHAPE_TEXT,
    SHAPE_BYTES,
    SHAPE_BIG, /* bytes, big endian, for a BIGNUM */
};

struct value {
    const char *name;
    enum shape shape;
    int selection; /* exported with it; 0: only on question */
    int number;
    const char *text;
    const uint8_t *bytes;
    size_t len;
};

struct values {
    struct value row[VALUES_MAX];
    size_t count;
    uint8_t point[POINT_MAX];
    uint8_t exponent[sizeof(uint32_t)];
};

/* ---- sizes ----------------------------------------------------------- */

size_t prov_signature_size(const struct devid_public *pub)
{
    size_t integers;

    if (pub->type != DEVID_KEY_EC)
        return devid_signature_len(pub);
    /* A leading zero byte where the top bit may be set: not on P-521. */
    integers = 2 * (ECDSA_INTEGER_HEADER + (size_t)pub->bits / 8 + 1);
    return (integers < 128 ? 2 : 3) + integers;
}

static int security_bits(const struct devid_public *pub)
{
    return pub->alg != NULL ? (int)pub->alg->security_bits
                            : BN_security_bits((int)pub->bits, -1);
}

/* ---- the list -------------------------------------------------------- */

static void add_int(struct values *v, const char *name, int number,
                    int selection)
{
    v->row[v->count++] = (struct value){.name = name,
                                        .shape = SHAPE_INT,
                                        .selection = selection,
                                        .number = number};
}

static void add_text(struct values *v, const char *name, const char *text,
                     int selection)
{
    v->row[v->count++] = (struct value){.name = name,
                                        .shape = SHAPE_TEXT,
                                        .selection = selection,
                                        .text = text};
}

static void add_bytes(struct values *v, const char *name, enum shape shape,
                      int selection, const uint8_t *bytes, size_t len)
{
    v->row[v->count++] = (struct value){.name = name,
                                        .shape = shape,
                                        .selection = selection,
                                        .bytes = bytes,
                                        .len = len};
}

static size_t encode_point(const struct devid_public *pub, uint8_t *point)
{
    point[0] = 0x04; /* SEC 1, 2.3.3: uncompressed */
    memcpy(point + 1, pub->x, pub->coordinate_len);
    memcpy(point + 1 + pub->coordinate_len, pub->y, pub->coordinate_len);
    return 1 + 2 * pub->coordinate_len;
}

static void list_ec(const struct devid_public *pub, bool has_point,
                    struct values *v)
{
    size_t len;

    add_text(v, OSSL_PKEY_PARAM_GROUP_NAME, pub->alg->group,
             OSSL_KEYMGMT_SELECT_DOMAIN_PARAMETERS);
    add_text(v, OSSL_PKEY_PARAM_EC_ENCODING, OSSL_PKEY_EC_ENCODING_GROUP, 0);
    add_text(v, OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
             OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED, 0);
    if (!has_point)
        return;
    len = encode_point(pub, v->point);
    add_bytes(v, OSSL_PKEY_PARAM_PUB_KEY, SHAPE_BYTES,
              OSSL_KEYMGMT_SELECT_PUBLIC_KEY, v->point, len);
    add_bytes(v, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, SHAPE_BYTES, 0, v->point,
              len);
    add_bytes(v, OSSL_PKEY_PARAM_EC_PUB_X, SHAPE_BIG, 0, pub->x,
              pub->coordinate_len);
    add_bytes(v, OSSL_PKEY_PARAM_EC_PUB_Y, SHAPE_BIG, 0, pub->y,
              pub->coordinate_len);
}

static void list_rsa(const struct devid_public *pub, struct values *v)
{
    for (size_t i = 0; i < sizeof(v->exponent); i++)
        v->exponent[i] =
            (uint8_t)(pub->exponent >> (8 * (sizeof(v->exponent) - 1 - i)));
    add_bytes(v, OSSL_PKEY_PARAM_RSA_N, SHAPE_BIG,
              OSSL_KEYMGMT_SELECT_PUBLIC_KEY, pub->modulus,
              pub->coordinate_len);
    add_bytes(v, OSSL_PKEY_PARAM_RSA_E, SHAPE_BIG,
              OSSL_KEYMGMT_SELECT_PUBLIC_KEY, v->exponent, sizeof(v->exponent));
}

/* What an RSA-PSS key is bound to. */
static void list_pss(const struct devid_public *pub, struct values *v)
{
    const int selection = OSSL_KEYMGMT_SELECT_OTHER_PARAMETERS;

    if (pub->hash == NULL)
        return;
    add_text(v, OSSL_PKEY_PARAM_RSA_DIGEST, pub->hash->name, selection);
    add_text(v, OSSL_PKEY_PARAM_MGF1_DIGEST, pub->hash->name, selection);
    add_int(v, OSSL_PKEY_PARAM_RSA_PSS_SALTLEN, (int)pub->salt_len, selection);
}

/* Where there is but one hash, or none, libcrypto must not take another. */
static void list_digest(const struct devid_public *pub, struct values *v)
{
    if (pub->type == DEVID_KEY_ED25519)
        add_text(v, OSSL_PKEY_PARAM_MANDATORY_DIGEST, "", 0);
    else if (pub->hash != NULL)
        add_text(v, OSSL_PKEY_PARAM_MANDATORY_DIGEST, pub->hash->name, 0);
    else
        add_text(v, OSSL_PKEY_PARAM_DEFAULT_DIGEST, "SHA256", 0);
}

/* False: raised. */
static bool list_values(const struct prov_key *key, struct values *v)
{
    const struct devid_public *pub =
        key->key != NULL ? devid_key_public(key->key) : key->peer;

    v->count = 0;
    if (pub == NULL) {
        prov_raise(key->ctx, DEVID_ERR_USAGE, "this key is empty");
        return false;
    }
    add_int(v, OSSL_PKEY_PARAM_BITS, (int)pub->bits, 0);
    add_int(v, OSSL_PKEY_PARAM_SECURITY_BITS, security_bits(pub), 0);
    add_int(v, OSSL_PKEY_PARAM_MAX_SIZE, (int)prov_signature_size(pub), 0);
    list_digest(pub, v);
    switch (pub->type) {
    case DEVID_KEY_EC:
        list_ec(pub, key->key != NULL || key->has_point, v);
        break;
    case DEVID_KEY_RSA:
        list_rsa(pub, v);
        break;
    case DEVID_KEY_RSA_PSS:
        list_pss(pub, v);
        list_rsa(pub, v);
        break;
    case DEVID_KEY_ED25519:
        add_bytes(v, OSSL_PKEY_PARAM_PUB_KEY, SHAPE_BYTES,
                  OSSL_KEYMGMT_SELECT_PUBLIC_KEY, pub->x, pub->coordinate_len);
        add_bytes(v, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, SHAPE_BYTES, 0, pub->x,
                  pub->coordinate_len);
        break;
    }
    return true;
}

/* ---- questions ------------------------------------------------------- */

static int answer(const struct value *v, OSSL_PARAM *p)
{
    BIGNUM *bn;
    int ok = 0;

    switch (v->shape) {
    case SHAPE_INT:
        return OSSL_PARAM_set_int(p, v->number);
    case SHAPE_TEXT:
        return OSSL_PARAM_set_utf8_string(p, v->text);
    case SHAPE_BYTES:
        return OSSL_PARAM_set_octet_string(p, v->bytes, v->len);
    case SHAPE_BIG:
        bn = BN_bin2bn(v->bytes, (int)v->len, NULL);
        ok = bn != NULL && OSSL_PARAM_set_BN(p, bn) == 1;
        BN_free(bn);
        return ok;
    }
    return ok;
}

int prov_key_get_params(const struct prov_key *key, OSSL_PARAM params[])
{
    struct values v;

    if (!list_values(key, &v))
        return 0; /* list_values raised */
    for (size_t i = 0; i < v.count; i++) {
        OSSL_PARAM *p = OSSL_PARAM_locate(params, v.row[i].name);

        if (p != NULL && answer(&v.row[i], p) != 1)
            return 0; /* libcrypto already raised */
    }
    return 1;
}

#define COMMON_PARAMS                                                          \
    OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),                                \
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),                   \
        OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),                        \
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0)

#define PSS_PARAMS                                                             \
    OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_RSA_DIGEST, NULL, 0),               \
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MGF1_DIGEST, NULL, 0),          \
        OSSL_PARAM_int(OSSL_PKEY_PARAM_RSA_PSS_SALTLEN, NULL)

const OSSL_PARAM *prov_key_gettable(enum devid_key_type type)
{
    static const OSSL_PARAM ec[] = {
        COMMON_PARAMS,
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, NULL, 0),
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, NULL,
                               0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_X, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_EC_PUB_Y, NULL, 0),
        OSSL_PARAM_END,
    };
    static const OSSL_PARAM rsa[] = {
        COMMON_PARAMS,
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_END,
    };
    static const OSSL_PARAM ed25519[] = {
        COMMON_PARAMS,
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_END,
    };
    static const OSSL_PARAM rsa_pss[] = {
        COMMON_PARAMS,
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
        PSS_PARAMS,
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_END,
    };

    switch (type) {
    case DEVID_KEY_EC:
        return ec;
    case DEVID_KEY_RSA:
        return rsa;
    case DEVID_KEY_RSA_PSS:
        return rsa_pss;
    case DEVID_KEY_ED25519:
        break;
    }
    return ed25519;
}

/* ---- exports --------------------------------------------------------- */

static int push(OSSL_PARAM_BLD *bld, const struct value *v, BIGNUM **kept)
{
    switch (v->shape) {
    case SHAPE_INT:
        return OSSL_PARAM_BLD_push_int(bld, v->name, v->number);
    case SHAPE_TEXT:
        return OSSL_PARAM_BLD_push_utf8_string(bld, v->name, v->text, 0);
    case SHAPE_BYTES:
        return OSSL_PARAM_BLD_push_octet_string(bld, v->name, v->bytes, v->len);
    case SHAPE_BIG:
        /* The builder borrows it until OSSL_PARAM_BLD_to_param(). */
        *kept = BN_bin2bn(v->bytes, (int)v->len, NULL);
        return *kept != NULL && OSSL_PARAM_BLD_push_BN(bld, v->name, *kept);
    }
    return 0;
}

static OSSL_PARAM *build(const struct values *v, int selection)
{
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    BIGNUM *kept[VALUES_MAX] = {NULL};
    OSSL_PARAM *params = NULL;
    bool ok = bld != NULL;

    for (size_t i = 0; ok && i < v->count; i++) {
        if ((v->row[i].selection & selection) != 0)
            ok = push(bld, &v->row[i], &kept[i]) == 1;
    }
    if (ok)
        params = OSSL_PARAM_BLD_to_param(bld);
    OSSL_PARAM_BLD_free(bld);
    for (size_t i = 0; i < v->count; i++)
        BN_free(kept[i]);
    return params;
}

int prov_key_export(const struct prov_key *key, int selection,
                    OSSL_CALLBACK *callback, void *arg)
{
    OSSL_PARAM *params;
    struct values v;
    int ok;

    if (!list_values(key, &v))
        return 0; /* list_values raised */
    params = build(&v, selection);
    if (params == NULL)
        return 0; /* libcrypto already raised */
    ok = callback(params, arg);
    OSSL_PARAM_free(params);
    return ok;
}

const OSSL_PARAM *prov_key_export_types(enum devid_key_type type, int selection)
{
    static const OSSL_PARAM ec_group[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_END,
    };
    static const OSSL_PARAM ec_public[] = {
        OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_END,
    };
    static const OSSL_PARAM rsa_public[] = {
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_END,
    };
    static const OSSL_PARAM rsa_pss_public[] = {
        PSS_PARAMS,
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
        OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
        OSSL_PARAM_END,
    };
    static const OSSL_PARAM ed25519_public[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
        OSSL_PARAM_END,
    };
    static const OSSL_PARAM nothing[] = {OSSL_PARAM_END};
    bool public = (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0;

    if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0)
        return NULL; /* no such export: keymgmt.c raises when asked for it */
    switch (type) {
    case DEVID_KEY_EC:
        return public ? ec_public : ec_group;
    case DEVID_KEY_RSA:
        return public ? rsa_public : nothing;
    case DEVID_KEY_RSA_PSS:
        return public ? rsa_pss_public : nothing;
    case DEVID_KEY_ED25519:
        break;
    }
    return public ? ed25519_public : nothing;
}
