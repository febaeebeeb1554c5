/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key at work. Signing and decrypting are the same two calls by other names:
 * the key is found, its use is authorised, the token answers, and the first
 * answer after each find is held against the public key that the file has,
 * because what a URI leads to may be another key.
 */
#include "use.h"

static CK_RV begin(const struct p11_session *session, struct p11_use *use,
                   CK_OBJECT_HANDLE handle)
{
    CK_FUNCTION_LIST *f = session->f;

    return (use->decrypt ? f->C_DecryptInit : f->C_SignInit)(
        session->handle, &use->mechanism, handle);
}

static enum devid_err begin_somehow(const struct p11_session *session,
                                    struct p11_use *use,
                                    CK_OBJECT_HANDLE handle,
                                    struct devid_error *err)
{
    CK_RV rv = begin(session, use, handle);

    while (rv != CKR_OK) {
        enum devid_err e = use->instead(use, rv, err);

        if (e != DEVID_OK)
            return e;
        rv = begin(session, use, handle);
    }
    return DEVID_OK;
}

static CK_RV finish(const struct p11_session *session, struct p11_use *use)
{
    CK_FUNCTION_LIST *f = session->f;
    /* The module takes a pointer to what it does not change. */
    CK_BYTE *in = (CK_BYTE *)(uintptr_t)use->in;

    use->out_len = DEVID_MODULUS_MAX;
    return (use->decrypt ? f->C_Decrypt : f->C_Sign)(
        session->handle, in, use->in_len, use->out, &use->out_len);
}

static enum devid_err another_key(const struct p11_key *key, const char *how,
                                  struct devid_error *err)
{
    return devid_fail(err, DEVID_ERR_WRONG_KEY, 0,
                      "the key at '%.300s' is another than the one that this "
                      "file was made for: %s the file's public key",
                      key->text, how);
}

bool p11_key_is_proven(struct p11_key *key, const struct p11_session *session)
{
    bool proven;

    pthread_mutex_lock(&key->lock);
    proven = key->proven == session->contact;
    pthread_mutex_unlock(&key->lock);
    return proven;
}

enum devid_err p11_key_prove(struct p11_key *key,
                             const struct p11_session *session,
                             const struct p11_proof *proof,
                             struct devid_error *err)
{
    enum devid_err e;

    if (p11_key_is_proven(key, session))
        return DEVID_OK;
    e = proof->prove(proof->arg, err);
    if (e == DEVID_ERR_WRONG_KEY)
        return another_key(key, proof->wrong, err);
    if (e == DEVID_OK) {
        pthread_mutex_lock(&key->lock);
        key->proven = session->contact;
        pthread_mutex_unlock(&key->lock);
    }
    /* What OpenSSL cannot verify proves nothing; the next answer may. */
    return e == DEVID_ERR_ALG ? DEVID_OK : e;
}

static enum devid_err use_op(struct p11_session *session, void *arg,
                             struct devid_error *err)
{
    struct p11_use *use = arg;
    CK_OBJECT_HANDLE handle = 0;
    bool each_time = false;
    enum devid_err e =
        p11_key_handle(use->key, session, &handle, &each_time, err);
    CK_RV rv;

    if (e == DEVID_OK)
        e = begin_somehow(session, use, handle, err);
    if (e == DEVID_OK && each_time)
        e = p11_login_for_key(session, err);
    if (e != DEVID_OK)
        return e;
    rv = finish(session, use);
    if (rv != CKR_OK && use->is_answer != NULL && use->is_answer(use, rv))
        return DEVID_OK;
    if (rv != CKR_OK || use->out_len > DEVID_MODULUS_MAX) {
        e = rv != CKR_OK ? p11_fail(err, rv, use->doing)
                         : p11_fail_excess(err, use->out_len, DEVID_MODULUS_MAX,
                                           "bytes");
        use->out_len = 0;
        return e;
    }
    return p11_key_prove(use->key, session, &use->proof, err);
}

enum devid_err p11_key_use(struct p11_use *use, struct devid_error *err)
{
    return p11_run(use->key->token, P11_USE, use_op, use, err);
}

bool p11_lacks_mechanism(CK_RV rv)
{
    return rv == CKR_MECHANISM_INVALID || rv == CKR_MECHANISM_PARAM_INVALID ||
           rv == CKR_ARGUMENTS_BAD || rv == CKR_FUNCTION_NOT_SUPPORTED;
}
