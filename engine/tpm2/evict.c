/* SPDX-License-Identifier: Apache-2.0 */
/* Persistent handles: put an object there, take one away. */
#include "tpm2.h"

#include "../secret.h"
#include "../uri.h"

static enum devid_err evict(struct tpm2_conn *conn, ESYS_TR object,
                            uint32_t handle, struct tpm2_auth *auth,
                            ESYS_TR *made, struct devid_error *err)
{
    enum devid_err e;
    TSS2_RC rc;

    auth->object = handle >= TPM2_PERSISTENT_PLATFORM ? ESYS_TR_RH_PLATFORM
                                                      : ESYS_TR_RH_OWNER;
    auth->what = "the hierarchy of the persistent handle";
    e = tpm2_auth_begin(conn, auth, err);
    if (e != DEVID_OK)
        return e;
    rc = Esys_EvictControl(conn->esys, auth->object, object, auth->session,
                           ESYS_TR_NONE, ESYS_TR_NONE, handle, made);
    tpm2_auth_end(conn, auth, rc);
    return rc == TSS2_RC_SUCCESS ? DEVID_OK
                                 : tpm2_auth_fail(conn, auth, rc, err);
}

enum devid_err tpm2_evict(struct tpm2_conn *conn, ESYS_TR object,
                          uint32_t handle, struct devid_secret *secret,
                          const char *doing, struct devid_error *err)
{
    struct tpm2_auth auth = {.secret = secret, .doing = doing};
    ESYS_TR made = ESYS_TR_NONE;
    enum devid_err e = evict(conn, object, handle, &auth, &made, err);

    if (made != ESYS_TR_NONE)
        (void)Esys_TR_Close(conn->esys, &made);
    return e;
}

enum devid_err tpm2_persist(struct tpm2_conn *conn, ESYS_TR object,
                            uint32_t handle, struct devid_secret *secret,
                            ESYS_TR *made, struct devid_error *err)
{
    struct tpm2_auth auth = {
        .secret = secret,
        .doing = "make a key persistent",
    };

    *made = ESYS_TR_NONE;
    return evict(conn, object, handle, &auth, made, err);
}

struct remove_request {
    struct devid_tpm2_uri uri;
    struct devid_secret *owner_auth; /* own; NULL: empty */
    bool lost; /* the answer to an attempt, which may have done it */
};

enum devid_err tpm2_nv_undefine(struct tpm2_conn *conn, ESYS_TR index,
                                struct devid_secret *secret,
                                struct devid_error *err)
{
    struct tpm2_auth auth = {
        .object = ESYS_TR_RH_OWNER,
        .secret = secret,
        .what = "the owner hierarchy",
        .doing = "free the NV index",
    };
    enum devid_err e = tpm2_auth_begin(conn, &auth, err);
    TSS2_RC rc;

    if (e != DEVID_OK)
        return e;
    rc = Esys_NV_UndefineSpace(conn->esys, auth.object, index, auth.session,
                               ESYS_TR_NONE, ESYS_TR_NONE);
    tpm2_auth_end(conn, &auth, rc);
    return rc == TSS2_RC_SUCCESS ? DEVID_OK
                                 : tpm2_auth_fail(conn, &auth, rc, err);
}

static enum devid_err remove_op(struct tpm2_conn *conn, void *arg,
                                struct devid_error *err)
{
    struct remove_request *r = arg;
    ESYS_TR object = ESYS_TR_NONE;
    enum devid_err e =
        tpm2_read_handle(conn, r->uri.handle, &object, NULL, err);

    if (e == DEVID_ERR_NOT_FOUND && r->lost)
        return DEVID_OK;
    if (e != DEVID_OK)
        return e;
    if (r->uri.kind == DEVID_TPM2_KEY)
        e = tpm2_evict(conn, object, r->uri.handle, r->owner_auth,
                       "evict the key", err);
    else
        e = tpm2_nv_undefine(conn, object, r->owner_auth, err);
    r->lost = e != DEVID_OK && tpm2_rc_base(err->device_rc) == 0;
    if (e != DEVID_OK)
        (void)Esys_TR_Close(conn->esys, &object);
    return e;
}

enum devid_err tpm2_remove(void *state, const char *uri,
                           struct devid_error *err)
{
    const struct tpm2_state *self = state;
    struct remove_request request = {0};
    enum devid_err e = devid_tpm2_uri_parse(uri, &request.uri, err);

    if (e != DEVID_OK)
        return e;
    if (request.uri.kind == DEVID_TPM2_DEVICE)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "'%.100s' names the whole device: name a key "
                          "(tpm2:handle=0x81...) or a certificate "
                          "(tpm2:nv=0x01...)",
                          uri);
    e = devid_secret_from_setting(self->engine, "owner-auth-source",
                                  &request.owner_auth, err);
    if (e == DEVID_OK)
        e = tpm2_run(self->conn, remove_op, &request, err);
    devid_secret_free(&request.owner_auth);
    return e;
}
