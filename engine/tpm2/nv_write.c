/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A certificate into the TPM's non-volatile memory: the owner defines an index
 * of its size, writes it in pieces that the chip takes, and reads it back.
 */
#include "tpm2.h"

#include "../secret.h"
#include "../uri.h"

#include <string.h>

#include <openssl/crypto.h>

/* Anybody may read it, with the index's empty auth value or as the owner. */
#define CERT_ATTRIBUTES                                                        \
    (TPMA_NV_OWNERWRITE | TPMA_NV_OWNERREAD | TPMA_NV_AUTHREAD | TPMA_NV_NO_DA)

struct write_request {
    uint32_t index;
    const struct devid_cert_spec *spec;
    struct devid_secret *owner_auth; /* own; NULL: empty */
    bool defined; /* by an attempt before this one: it is ours */
};

static struct tpm2_auth owner(const struct write_request *r, const char *doing)
{
    return (struct tpm2_auth){
        .object = ESYS_TR_RH_OWNER,
        .secret = r->owner_auth,
        .what = "the owner hierarchy",
        .doing = doing,
    };
}

static enum devid_err define(struct tpm2_conn *conn,
                             const struct write_request *r, ESYS_TR *index,
                             struct devid_error *err)
{
    const TPM2B_NV_PUBLIC area = {
        .nvPublic =
            {
                .nvIndex = r->index,
                .nameAlg = TPM2_ALG_SHA256,
                .attributes = CERT_ATTRIBUTES,
                .dataSize = (UINT16)r->spec->len,
            },
    };
    const TPM2B_AUTH empty = {0};
    struct tpm2_auth auth = owner(r, "define the NV index");
    enum devid_err e = tpm2_auth_begin(conn, &auth, err);
    TSS2_RC rc;

    if (e != DEVID_OK)
        return e;
    rc = Esys_NV_DefineSpace(conn->esys, auth.object, auth.session,
                             ESYS_TR_NONE, ESYS_TR_NONE, &empty, &area, index);
    tpm2_auth_end(conn, &auth, rc);
    if (tpm2_rc_base(rc) == TPM2_RC_NV_DEFINED)
        return devid_fail(err, DEVID_ERR_EXISTS, rc,
                          "NV index 0x%08x of this TPM holds something else: "
                          "give another index, or --force to replace it",
                          r->index);
    if (tpm2_rc_base(rc) == TPM2_RC_NV_SPACE)
        return devid_fail(err, DEVID_ERR_BUSY, rc,
                          "the TPM's non-volatile memory has no room for %zu "
                          "bytes: devid list shows what is in it, devid delete "
                          "makes room (0x%x)",
                          r->spec->len, rc);
    return rc == TSS2_RC_SUCCESS ? DEVID_OK
                                 : tpm2_auth_fail(conn, &auth, rc, err);
}

static enum devid_err write_chunks(struct tpm2_conn *conn,
                                   const struct write_request *r, ESYS_TR index,
                                   struct devid_error *err)
{
    UINT16 chunk = tpm2_nv_limits(conn)->chunk;
    size_t done = 0;

    while (done < r->spec->len) {
        struct tpm2_auth auth = owner(r, "write the NV index");
        size_t left = r->spec->len - done;
        TPM2B_MAX_NV_BUFFER part = {0};
        enum devid_err e = tpm2_auth_begin(conn, &auth, err);
        TSS2_RC rc;

        if (e != DEVID_OK)
            return e;
        part.size = left < chunk ? (UINT16)left : chunk;
        memcpy(part.buffer, r->spec->der + done, part.size);
        rc = Esys_NV_Write(conn->esys, auth.object, index, auth.session,
                           ESYS_TR_NONE, ESYS_TR_NONE, &part, (UINT16)done);
        tpm2_auth_end(conn, &auth, rc);
        if (rc != TSS2_RC_SUCCESS)
            return tpm2_auth_fail(conn, &auth, rc, err);
        done += part.size;
    }
    return DEVID_OK;
}

static bool is_same(const struct write_request *r, const uint8_t *data,
                    size_t len)
{
    return len == r->spec->len && memcmp(data, r->spec->der, len) == 0;
}

/* Does the index hold what was written? */
static enum devid_err read_back(struct tpm2_conn *conn,
                                const struct write_request *r, ESYS_TR index,
                                struct devid_error *err)
{
    const TPMS_NV_PUBLIC area = {
        .attributes = CERT_ATTRIBUTES,
        .dataSize = (UINT16)r->spec->len,
    };
    uint8_t *data = OPENSSL_malloc(r->spec->len);
    enum devid_err e = data == NULL
                           ? devid_no_memory(err)
                           : tpm2_nv_read_chunks(conn, index, &area, data, err);

    if (e == DEVID_OK && !is_same(r, data, r->spec->len))
        e = devid_fail(err, DEVID_ERR_DEVICE, 0,
                       "NV index 0x%08x of this TPM holds something else than "
                       "was written to it",
                       r->index);
    OPENSSL_free(data);
    return e;
}

static enum devid_err clear_index(struct tpm2_conn *conn,
                                  const struct write_request *r,
                                  struct devid_error *err)
{
    ESYS_TR object = ESYS_TR_NONE;
    enum devid_err e = tpm2_read_handle(conn, r->index, &object, NULL, err);

    if (e == DEVID_ERR_NOT_FOUND)
        return DEVID_OK;
    if (e != DEVID_OK)
        return e;
    e = tpm2_nv_undefine(conn, object, r->owner_auth, err);
    if (e != DEVID_OK)
        (void)Esys_TR_Close(conn->esys, &object);
    return e;
}

/*
 * The index could not be defined: because it holds the certificate already
 * (*same), which then stays, or what may be replaced? Else `e` stands, as does
 * what was said of it.
 */
static enum devid_err look_again(struct tpm2_conn *conn,
                                 const struct write_request *r,
                                 enum devid_err e, bool *same,
                                 struct devid_error *err)
{
    struct devid_error why = {0};
    uint8_t *data = NULL;
    size_t len = 0;
    enum devid_err found = tpm2_nv_read(conn, r->index, &data, &len, &why);

    *same = found == DEVID_OK && is_same(r, data, len);
    OPENSSL_free(data);
    if (*same)
        return DEVID_OK;
    if (e != DEVID_ERR_EXISTS)
        return e;
    /* NOT_FOUND: it was defined and never written. */
    if (found == DEVID_ERR_NOT_FOUND || r->spec->replace || r->defined)
        return clear_index(conn, r, err);
    if (found != DEVID_OK && err != NULL)
        *err = why;
    return found != DEVID_OK ? found : e;
}

static enum devid_err check_size(struct tpm2_conn *conn,
                                 const struct write_request *r,
                                 struct devid_error *err)
{
    UINT32 max = tpm2_nv_limits(conn)->index_max;

    if (r->spec->len <= max)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "a certificate of %zu bytes is too large for this TPM: "
                      "an NV index of it holds %u at most",
                      r->spec->len, max);
}

static enum devid_err write_op(struct tpm2_conn *conn, void *arg,
                               struct devid_error *err)
{
    struct write_request *r = arg;
    ESYS_TR index = ESYS_TR_NONE;
    bool same = false;
    enum devid_err e = check_size(conn, r, err);

    if (e != DEVID_OK)
        return e;
    e = define(conn, r, &index, err);
    if (e == DEVID_ERR_EXISTS || e == DEVID_ERR_AUTH) {
        e = look_again(conn, r, e, &same, err);
        if (e != DEVID_OK || same)
            return e;
        e = define(conn, r, &index, err);
    }
    if (e != DEVID_OK)
        return e;
    r->defined = true;
    e = write_chunks(conn, r, index, err);
    if (e == DEVID_OK)
        e = read_back(conn, r, index, err);
    /* Half a certificate is worse than none. */
    if (e != DEVID_OK &&
        tpm2_nv_undefine(conn, index, r->owner_auth, NULL) == DEVID_OK)
        return e;
    (void)Esys_TR_Close(conn->esys, &index);
    return e;
}

enum devid_err tpm2_cert_write(void *state, const struct devid_cert_spec *spec,
                               struct devid_error *err)
{
    const struct tpm2_state *self = state;
    struct write_request request = {.spec = spec};
    struct devid_tpm2_uri uri;
    enum devid_err e = devid_tpm2_uri_parse(spec->uri, &uri, err);

    if (e != DEVID_OK)
        return e;
    if (uri.kind != DEVID_TPM2_NV)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "a TPM keeps a certificate at an NV index, such as "
                          "tpm2:nv=0x01c90200, not at '%.100s'",
                          spec->uri);
    if (spec->len == 0 || spec->len > UINT16_MAX)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "no certificate has %zu bytes", spec->len);
    request.index = uri.handle;
    e = devid_secret_from_setting(self->engine, "owner-auth-source",
                                  &request.owner_auth, err);
    if (e == DEVID_OK)
        e = tpm2_run(self->conn, write_op, &request, err);
    devid_secret_free(&request.owner_auth);
    return e;
}
