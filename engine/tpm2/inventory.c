/* SPDX-License-Identifier: Apache-2.0 */
/* What the TPM holds: persistent keys and certificates. */
#include "tpm2.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

/* Names of handles and indices, as the TCG's registry has them. */
static const struct role {
    uint32_t first;
    uint32_t last;
    const char *name;
} roles[] = {
    {TPM2_SRK_HANDLE, TPM2_SRK_HANDLE, "SRK"},
    {0x81010000, 0x8101ffff, "EK"},
    {TPM2_IDEVID_HANDLE, TPM2_IDEVID_HANDLE, "IDevID"},
    {TPM2_IAK_HANDLE, TPM2_IAK_HANDLE, "IAK"},
    {0x01c00002, 0x01c0001e, "EK certificate"},
    {0x01c00100, 0x01c001ff, "EK certificate chain"},
    {0x01c90000, 0x01c90000, "IDevID certificate"},
    {0x01c90100, 0x01c90100, "IAK certificate"},
    {0x01c90200, 0x01c90200, "IDevID certificate"},
};

/* The TCG's ranges of NV indices for certificates. */
#define NV_EK_FIRST 0x01c00000u
#define NV_EK_LAST 0x01c0ffffu
#define NV_DEVID_FIRST 0x01c90000u
#define NV_DEVID_LAST 0x01c9ffffu

const char *tpm2_role_of(uint32_t handle)
{
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (handle >= roles[i].first && handle <= roles[i].last)
            return roles[i].name;
    }
    return NULL;
}

/* ---- handles: one operation, so that no callback runs under the lock - */

struct handles_request {
    UINT32 first;
    TPML_HANDLE handles;
};

static enum devid_err handles_op(struct tpm2_conn *conn, void *arg,
                                 struct devid_error *err)
{
    struct handles_request *request = arg;
    TPMS_CAPABILITY_DATA *data = NULL;
    enum devid_err e = tpm2_capability(conn, TPM2_CAP_HANDLES, request->first,
                                       TPM2_MAX_CAP_HANDLES, &data, err);

    if (e != DEVID_OK)
        return e;
    request->handles = data->data.handles;
    Esys_Free(data);
    return DEVID_OK;
}

static enum devid_err list_key(const struct tpm2_state *self, uint32_t handle,
                               devid_object_fn *fn, void *arg,
                               struct devid_error *err)
{
    TPM2B_PUBLIC found = {0};
    struct devid_object object = {.type = DEVID_OBJECT_KEY};
    struct devid_error why = {0};
    TPM2B_NAME name = {0};
    enum devid_err e = tpm2_read_public_at(self->conn, handle, &found, err);

    if (e != DEVID_OK)
        return e == DEVID_ERR_NOT_FOUND ? DEVID_OK : e; /* gone meanwhile */
    (void)snprintf(object.uri, sizeof(object.uri), "tpm2:handle=0x%08x",
                   handle);
    object.role = tpm2_role_of(handle);
    tpm2_public_words(&found.publicArea, object.attributes,
                      sizeof(object.attributes));
    if (tpm2_public_name(&found.publicArea, devid_libctx(self->engine), &name,
                         NULL) == DEVID_OK)
        tpm2_name_hex(&name, object.name, sizeof(object.name));
    object.has_public =
        tpm2_public_to_devid(&found.publicArea, &object.public_key, &why) ==
        DEVID_OK;
    if (!object.has_public)
        (void)snprintf(object.note, sizeof(object.note), "%.150s", why.text);
    return fn(&object, arg, err);
}

static enum devid_err list_cert(void *state, uint32_t index,
                                devid_object_fn *fn, void *arg,
                                struct devid_error *err)
{
    struct devid_object object = {.type = DEVID_OBJECT_CERT};
    struct devid_error why = {0};
    uint8_t *der = NULL;
    enum devid_err e;

    (void)snprintf(object.uri, sizeof(object.uri), "tpm2:nv=0x%08x", index);
    object.role = tpm2_role_of(index);
    e = tpm2_cert_read(state, object.uri, &der, &object.der_len, &why);
    object.der = der;
    if (e != DEVID_OK) {
        object.der_len = 0;
        (void)snprintf(object.note, sizeof(object.note), "%.150s", why.text);
    }
    e = fn(&object, arg, err);
    OPENSSL_free(der);
    return e;
}

static bool holds_certificate(uint32_t index)
{
    return (index >= NV_EK_FIRST && index <= NV_EK_LAST) ||
           (index >= NV_DEVID_FIRST && index <= NV_DEVID_LAST);
}

enum devid_err tpm2_list(void *state, const char *device, devid_object_fn *fn,
                         void *arg, struct devid_error *err)
{
    const struct tpm2_state *self = state;
    struct handles_request keys = {.first = TPM2_PERSISTENT_MIN};
    struct handles_request indices = {.first = TPM2_NV_INDEX_MIN};
    enum devid_err e = tpm2_run(self->conn, handles_op, &keys, err);

    (void)device; /* the one that the TCTI names */
    for (UINT32 i = 0; e == DEVID_OK && i < keys.handles.count; i++)
        e = list_key(self, keys.handles.handle[i], fn, arg, err);
    if (e == DEVID_OK)
        e = tpm2_run(self->conn, handles_op, &indices, err);
    for (UINT32 i = 0; e == DEVID_OK && i < indices.handles.count; i++) {
        if (holds_certificate(indices.handles.handle[i]))
            e = list_cert(state, indices.handles.handle[i], fn, arg, err);
    }
    return e;
}
