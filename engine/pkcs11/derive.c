/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key agreement: CKM_ECDH1_DERIVE makes a secret key of the session, whose
 * value is read. No answer to a peer's point says whose key gave it, so the
 * first after each find is preceded by one to the curve's generator: that
 * answer is the x coordinate of the token's own public key.
 */
#include "use.h"

#include "../ec_generator.h"

#include <string.h>

#define POINT_MAX (1 + 2 * DEVID_COORDINATE_MAX)

struct derive_request {
    struct p11_key *key;
    const struct devid_public *peer;
    struct devid_shared *shared;
    struct devid_shared own; /* what the generator gave */
};

/* The secret stays in the session, where it may be read and is destroyed. */
static CK_RV derive_object(const struct p11_session *session,
                           CK_OBJECT_HANDLE key,
                           const struct devid_public *peer,
                           CK_OBJECT_HANDLE *secret)
{
    CK_OBJECT_CLASS class = CKO_SECRET_KEY;
    CK_KEY_TYPE type = CKK_GENERIC_SECRET;
    CK_BBOOL yes = CK_TRUE;
    CK_BBOOL no = CK_FALSE;
    CK_ULONG len = peer->coordinate_len;
    CK_ATTRIBUTE rows[] = {
        {CKA_CLASS, &class, sizeof(class)},
        {CKA_KEY_TYPE, &type, sizeof(type)},
        {CKA_TOKEN, &no, sizeof(no)},
        {CKA_SENSITIVE, &no, sizeof(no)},
        {CKA_EXTRACTABLE, &yes, sizeof(yes)},
        {CKA_VALUE_LEN, &len, sizeof(len)},
    };
    uint8_t point[POINT_MAX] = {0x04}; /* SEC 1, 2.3.3: uncompressed */
    CK_ECDH1_DERIVE_PARAMS params = {
        .kdf = CKD_NULL, .ulPublicDataLen = 1 + 2 * len, .pPublicData = point};
    CK_MECHANISM mechanism = {CKM_ECDH1_DERIVE, &params, sizeof(params)};

    memcpy(point + 1, peer->x, len);
    memcpy(point + 1 + len, peer->y, len);
    return session->f->C_DeriveKey(session->handle, &mechanism, key, rows,
                                   sizeof(rows) / sizeof(rows[0]), secret);
}

static enum devid_err derive_failed(CK_RV rv, struct devid_error *err)
{
    switch (rv) {
    case CKR_KEY_FUNCTION_NOT_PERMITTED:
        return devid_fail_signs_only(err, (uint32_t)rv);
    case CKR_MECHANISM_INVALID:
    case CKR_TEMPLATE_INCONSISTENT:
    case CKR_ATTRIBUTE_VALUE_INVALID:
        return devid_fail(err, DEVID_ERR_ALG, (uint32_t)rv,
                          "the token gives no secret out that its key agreed "
                          "on (%s): it lacks CKM_ECDH1_DERIVE, or keeps such "
                          "secrets for itself",
                          p11_rv_name(rv));
    default: /* not an enum */
        return p11_fail(err, rv, "agree on a secret");
    }
}

static enum devid_err derive_once(const struct p11_session *session,
                                  CK_OBJECT_HANDLE key,
                                  const struct devid_public *peer,
                                  struct devid_shared *shared,
                                  struct devid_error *err)
{
    CK_OBJECT_HANDLE secret = 0;
    CK_ATTRIBUTE value = {CKA_VALUE, shared->data, peer->coordinate_len};
    CK_RV rv = derive_object(session, key, peer, &secret);

    if (rv != CKR_OK)
        return derive_failed(rv, err);
    rv = session->f->C_GetAttributeValue(session->handle, secret, &value, 1);
    /* If this fails it goes with the session. */
    (void)session->f->C_DestroyObject(session->handle, secret);
    if (rv != CKR_OK)
        return p11_fail(err, rv, "give out the secret that its key agreed on");
    if (value.ulValueLen == peer->coordinate_len)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_DEVICE, 0,
                      "the token answered with a secret of %lu bytes, where "
                      "the curve's have %zu",
                      value.ulValueLen, peer->coordinate_len);
}

static enum devid_err prove(const void *arg, struct devid_error *err)
{
    const struct derive_request *r = arg;
    const struct devid_public *pub = &r->key->pub;

    if (memcmp(r->own.data, pub->x, pub->coordinate_len) == 0)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_WRONG_KEY, 0,
                      "the token's public key is another");
}

static enum devid_err derive_op(struct p11_session *session, void *arg,
                                struct devid_error *err)
{
    struct derive_request *r = arg;
    const struct p11_proof proof = {
        .prove = prove, .arg = r, .wrong = "its own does not fit"};
    struct devid_public generator;
    CK_OBJECT_HANDLE handle = 0;
    bool each_time = false; /* which is of signing and decrypting */
    enum devid_err e =
        p11_key_handle(r->key, session, &handle, &each_time, err);

    if (e == DEVID_OK && !p11_key_is_proven(r->key, session)) {
        e = devid_ec_generator(r->key->pub.alg, &generator, err);
        if (e == DEVID_OK)
            e = derive_once(session, handle, &generator, &r->own, err);
        if (e == DEVID_OK)
            e = p11_key_prove(r->key, session, &proof, err);
    }
    return e != DEVID_OK
               ? e
               : derive_once(session, handle, r->peer, r->shared, err);
}

enum devid_err p11_derive(void *key, const struct devid_public *peer,
                          struct devid_shared *shared, struct devid_error *err)
{
    struct p11_key *k = key;
    struct derive_request r = {.key = k, .peer = peer, .shared = shared};

    return p11_run(k->token, P11_USE, derive_op, &r, err);
}
