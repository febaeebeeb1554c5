/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key at work. Whatever a key is used for goes through here: it is loaded,
 * its use is authorised, the command is sent, and what is loaded is let go.
 */
#include "tpm2.h"

bool tpm2_key_may(const struct tpm2_key *key, TPMA_OBJECT attribute)
{
    return (key->tpm_public.publicArea.objectAttributes & attribute) != 0;
}

static enum devid_err use_failed(struct tpm2_conn *conn,
                                 const struct tpm2_use *use,
                                 const struct tpm2_auth *auth, TSS2_RC rc,
                                 struct devid_error *err)
{
    enum devid_err e = DEVID_OK;

    if (use->refused != NULL)
        e = use->refused(use->arg, rc, err);
    if (e != DEVID_OK)
        return e;
    if (tpm2_rc_action(rc) != TPM2_ACTION_FAIL)
        return tpm2_fail(err, rc, use->doing);
    return tpm2_auth_fail(conn, auth, rc, err);
}

/* With the key's handle at hand. */
static enum devid_err use_acquired(struct tpm2_conn *conn,
                                   const struct tpm2_use *use,
                                   struct devid_error *err)
{
    struct tpm2_auth auth = {
        .object = use->key->handle,
        .secret = use->key->auth,
        .key = use->key,
        .encrypt_answer = use->secret,
        .what = "this key",
        .doing = use->doing,
    };
    enum devid_err e;
    TSS2_RC rc;

    if (tpm2_key_may(use->key, TPMA_OBJECT_RESTRICTED))
        return devid_fail_restricted(err);
    e = use->plan(use->arg, err);
    if (e == DEVID_OK)
        e = tpm2_auth_begin(conn, &auth, err);
    if (e != DEVID_OK)
        return e;
    rc = use->command(use->arg, conn->esys, auth.session);
    tpm2_auth_end(conn, &auth, rc);
    return rc == TSS2_RC_SUCCESS ? DEVID_OK
                                 : use_failed(conn, use, &auth, rc, err);
}

static enum devid_err use_op(struct tpm2_conn *conn, void *arg,
                             struct devid_error *err)
{
    const struct tpm2_use *use = arg;
    bool flush = false;
    enum devid_err e = tpm2_key_acquire(conn, use->key, &flush, err);

    if (e != DEVID_OK)
        return e;
    e = use_acquired(conn, use, err);
    tpm2_key_release(conn, use->key, flush);
    return e;
}

enum devid_err tpm2_key_use(struct tpm2_use *use, struct devid_error *err)
{
    enum devid_err e = tpm2_auth_check(use->key->auth, "this key", err);

    return e != DEVID_OK ? e : tpm2_run(use->key->conn, use_op, use, err);
}
