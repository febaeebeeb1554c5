/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A software key onto a token, by C_CreateObject: the module sees the key,
 * which was in this process's memory anyway; it stays on the token from then
 * on, and CKA_LOCAL says that it was not made there.
 */
#include "create.h"

#include "../libcrypto.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#define NUMBERS_MAX 8

/* The numbers of a key, as PKCS#11 has them. */
struct numbers {
    uint8_t data[NUMBERS_MAX][DEVID_MODULUS_MAX];
    size_t used;
    bool complete;
};

static const struct number {
    CK_ATTRIBUTE_TYPE type;
    const char *name;
    bool is_public;
} rsa_numbers[] = {
    {CKA_MODULUS, OSSL_PKEY_PARAM_RSA_N, true},
    {CKA_PUBLIC_EXPONENT, OSSL_PKEY_PARAM_RSA_E, true},
    {CKA_PRIVATE_EXPONENT, OSSL_PKEY_PARAM_RSA_D, false},
    {CKA_PRIME_1, OSSL_PKEY_PARAM_RSA_FACTOR1, false},
    {CKA_PRIME_2, OSSL_PKEY_PARAM_RSA_FACTOR2, false},
    {CKA_EXPONENT_1, OSSL_PKEY_PARAM_RSA_EXPONENT1, false},
    {CKA_EXPONENT_2, OSSL_PKEY_PARAM_RSA_EXPONENT2, false},
    {CKA_COEFFICIENT, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, false},
};
#define N_RSA_NUMBERS (sizeof(rsa_numbers) / sizeof(rsa_numbers[0]))

/* `len` 0: as long as it is. */
static void put_number(struct p11_template *t, struct numbers *numbers,
                       const EVP_PKEY *pkey, const struct number *row,
                       size_t len)
{
    uint8_t *to = numbers->data[numbers->used++];
    BIGNUM *n = NULL;

    devid_quiet_begin();
    if (EVP_PKEY_get_bn_param(pkey, row->name, &n) == 1 && len == 0)
        len = (size_t)BN_num_bytes(n);
    if (n == NULL || len > DEVID_MODULUS_MAX ||
        BN_bn2binpad(n, to, (int)len) != (int)len)
        numbers->complete = false;
    devid_quiet_end();
    BN_clear_free(n);
    p11_put(t, row->type, to, len);
}

static void put_rsa(struct p11_template *t, struct numbers *numbers,
                    const EVP_PKEY *pkey, bool is_private)
{
    for (size_t i = 0; i < N_RSA_NUMBERS; i++) {
        if (is_private || rsa_numbers[i].is_public)
            put_number(t, numbers, pkey, &rsa_numbers[i], 0);
    }
}

/* CKA_EC_POINT is the point in an OCTET STRING (PKCS#11 v2.40, 2.3.3). */
static size_t der_point(const struct devid_public *pub, uint8_t *to)
{
    size_t len = 1 + 2 * pub->coordinate_len;
    size_t used = 0;

    to[used++] = 0x04; /* OCTET STRING */
    if (len > 0x7f)
        to[used++] = 0x81;
    to[used++] = (uint8_t)len;
    to[used++] = 0x04; /* not compressed */
    memcpy(to + used, pub->x, pub->coordinate_len);
    memcpy(to + used + pub->coordinate_len, pub->y, pub->coordinate_len);
    return used + 2 * pub->coordinate_len;
}

static CK_RV create_public(struct p11_session *session,
                           const struct p11_create *r, CK_OBJECT_HANDLE *handle)
{
    const CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    const CK_KEY_TYPE type = r->alg->type == DEVID_KEY_EC ? CKK_EC : CKK_RSA;
    uint8_t point[4 + 2 * DEVID_COORDINATE_MAX];
    struct numbers numbers = {.complete = true};
    struct p11_template t = {.count = 0};
    const uint8_t *params;
    size_t len = 0;

    p11_put(&t, CKA_CLASS, &class, sizeof(class));
    p11_put(&t, CKA_KEY_TYPE, &type, sizeof(type));
    p11_put_public(&t, r);
    params = p11_curve_params(r->alg, &len);
    if (params != NULL) {
        p11_put(&t, CKA_EC_PARAMS, params, len);
        p11_put(&t, CKA_EC_POINT, point,
                der_point(&r->file->public_key, point));
    } else {
        put_rsa(&t, &numbers, r->pkey, false);
    }
    return session->f->C_CreateObject(session->handle, t.rows, t.count, handle);
}

static CK_RV create_private(struct p11_session *session,
                            const struct p11_create *r,
                            CK_OBJECT_HANDLE *handle)
{
    static const struct number ec_number = {CKA_VALUE, OSSL_PKEY_PARAM_PRIV_KEY,
                                            false};
    const CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    const CK_KEY_TYPE type = r->alg->type == DEVID_KEY_EC ? CKK_EC : CKK_RSA;
    struct numbers numbers = {.complete = true};
    struct p11_template t = {.count = 0};
    const uint8_t *params;
    size_t len = 0;
    CK_RV rv = CKR_TEMPLATE_INCOMPLETE;

    p11_put(&t, CKA_CLASS, &class, sizeof(class));
    p11_put(&t, CKA_KEY_TYPE, &type, sizeof(type));
    p11_put_private(&t, r);
    params = p11_curve_params(r->alg, &len);
    if (params != NULL) {
        p11_put(&t, CKA_EC_PARAMS, params, len);
        put_number(&t, &numbers, r->pkey, &ec_number, r->alg->coordinate_len);
    } else {
        put_rsa(&t, &numbers, r->pkey, true);
    }
    if (numbers.complete)
        rv = session->f->C_CreateObject(session->handle, t.rows, t.count,
                                        handle);
    OPENSSL_cleanse(&numbers, sizeof(numbers));
    return rv;
}

static enum devid_err import_failed(const struct p11_session *session,
                                    const struct p11_create *r, CK_RV rv,
                                    struct devid_error *err)
{
    if (p11_rv_action(rv) != P11_ACTION_FAIL)
        return p11_fail(err, rv, "import the key");
    return devid_fail(err, DEVID_ERR_ALG, (uint32_t)rv,
                      "the token '%s' does not take this %s key from outside "
                      "(0x%lx): some take none, and want theirs to be made in "
                      "them, by devid keygen",
                      session->token->label, r->alg->name, rv);
}

static enum devid_err import_op(struct p11_session *session, void *arg,
                                struct devid_error *err)
{
    struct p11_create *r = arg;
    CK_OBJECT_HANDLE public_key = 0;
    CK_OBJECT_HANDLE private_key = 0;
    enum devid_err e;
    CK_RV rv = create_private(session, r, &private_key);

    if (rv == CKR_OK)
        rv = create_public(session, r, &public_key);
    if (rv != CKR_OK)
        return p11_create_lost(session, r, import_failed(session, r, rv, err),
                               err);
    e = p11_create_describe(session, r, public_key, err);
    return e == DEVID_OK
               ? e
               : p11_create_undo(session, public_key, private_key, e, err);
}

enum devid_err p11_key_import(void *state, const struct devid_key_spec *spec,
                              const EVP_PKEY *pkey, struct devid_keyfile *file,
                              struct devid_error *err)
{
    struct p11_create r = {.file = file, .pkey = pkey, .says_decrypt = true};
    enum devid_err e = devid_public_from_pkey(pkey, &file->public_key, err);

    if (e != DEVID_OK)
        return e;
    r.alg = file->public_key.alg;
    if (r.alg == NULL || file->public_key.type == DEVID_KEY_RSA_PSS)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "devid imports EC keys on P-256, P-384 and P-521, "
                          "and RSA keys of 2048, 3072 and 4096 bits");
    e = p11_create_run(state, spec, &r, import_op, err);
    if (e != DEVID_OK)
        return e;
    file->description = OPENSSL_strdup(DEVID_IMPORTED);
    return file->description != NULL ? DEVID_OK : devid_no_memory(err);
}
