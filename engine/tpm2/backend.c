/* SPDX-License-Identifier: Apache-2.0 */
/* The TPM back end's table. */
#include "identity.h"

#include <openssl/crypto.h>

extern const struct devid_backend devid_tpm2_backend;

static enum devid_err backend_open(const struct devid *engine, void **state,
                                   struct devid_error *err)
{
    struct tpm2_state *self = OPENSSL_zalloc(sizeof(*self));
    enum devid_err e;

    if (self == NULL)
        return devid_no_memory(err);
    self->engine = engine;
    e = tpm2_conn_get(engine, &self->conn, err);
    if (e != DEVID_OK) {
        OPENSSL_free(self);
        return e;
    }
    *state = self;
    return DEVID_OK;
}

static void backend_close(void **state)
{
    struct tpm2_state *self = *state;

    *state = NULL;
    tpm2_conn_put(&self->conn);
    OPENSSL_free(self);
}

static const char *const schemes[] = {"tpm2", "handle", NULL};

const struct devid_backend devid_tpm2_backend = {
    .name = "TPM 2.0",
    .secret = "auth value",
    .secret_setting = "auth-source",
    .schemes = schemes,
    .open = backend_open,
    .close = backend_close,
    .key_open = tpm2_key_open,
    .key_free = tpm2_key_free,
    .key_set_auth = tpm2_key_set_auth,
    .key_find = tpm2_key_find,
    .key_create = tpm2_key_create,
    .key_adopt = tpm2_key_adopt,
    .key_import = tpm2_key_import,
    .policy_sign = tpm2_policy_sign,
    .sign = tpm2_sign,
    .decrypt = tpm2_decrypt,
    .derive = tpm2_derive,
    .key_info = tpm2_key_info,
    .remove = tpm2_remove,
    .list = tpm2_list,
    .cert_read = tpm2_cert_read,
    .nv_read = tpm2_nv_bytes,
    .cert_write = tpm2_cert_write,
    .whoami = tpm2_whoami,
    .random = tpm2_random,
    .device_state = tpm2_device_state,
    .identity_open = tpm2_identity_open,
    .identity_free = tpm2_identity_free,
    .identity_request = tpm2_identity_request,
    .identity_sign = tpm2_identity_sign,
    .identity_activate = tpm2_identity_activate,
    .identity_clear = tpm2_identity_clear,
    .lock_look = tpm2_lock_look,
    .lock_begin = tpm2_lock_begin,
    .lock_apply = tpm2_lock_apply,
    .shutdown = tpm2_shutdown,
};
