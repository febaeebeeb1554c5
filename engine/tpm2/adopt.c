/* SPDX-License-Identifier: Apache-2.0 */
#include "adopt.h"

#include "../secret.h"

#include <string.h>

#include <openssl/crypto.h>
#include <tss2/tss2_mu.h>

/* ---- on the wire ----------------------------------------------------- */

static enum devid_err import_failed(struct tpm2_conn *conn,
                                    const struct tpm2_auth *auth, TSS2_RC rc,
                                    struct devid_error *err)
{
    switch (tpm2_rc_base(rc)) {
    case TPM2_RC_INTEGRITY:
    case TPM2_RC_BINDING:
    case TPM2_RC_SIZE:
    case TPM2_RC_ECC_POINT:
    case TPM2_RC_KEY:
        return devid_fail(err, DEVID_ERR_WRONG_KEY, rc,
                          "the parent does not import this key (0x%x): it was "
                          "wrapped for another parent or another TPM, or its "
                          "file is damaged",
                          rc);
    default: /* not an enum */
        return tpm2_auth_fail(conn, auth, rc, err);
    }
}

static enum devid_err import(struct tpm2_conn *conn, struct tpm2_adopt *a,
                             const struct tpm2_parent *parent,
                             struct devid_error *err)
{
    const TPMT_SYM_DEF_OBJECT no_inner = {.algorithm = TPM2_ALG_NULL};
    struct tpm2_auth auth = {
        .object = parent->handle,
        .secret = parent->auth,
        .what = "the key's parent",
        .doing = "import the key",
    };
    TPM2B_PRIVATE *out = NULL;
    TPM2B_DATA no_key = {0};
    enum devid_err e = tpm2_auth_begin(conn, &auth, err);
    TSS2_RC rc;

    if (e != DEVID_OK)
        return e;
    rc = Esys_Import(conn->esys, parent->handle, auth.session, ESYS_TR_NONE,
                     ESYS_TR_NONE, &no_key, &a->pub, &a->private_part, &a->seed,
                     &no_inner, &out);
    tpm2_auth_end(conn, &auth, rc);
    if (rc != TSS2_RC_SUCCESS)
        return import_failed(conn, &auth, rc, err);
    a->private_part = *out;
    a->wrapped = false;
    Esys_Free(out);
    return DEVID_OK;
}

static enum devid_err wrap(struct tpm2_conn *conn, struct tpm2_adopt *a,
                           const struct tpm2_parent *parent,
                           struct devid_error *err)
{
    TPM2B_PUBLIC *pub = NULL;
    enum devid_err e;
    TSS2_RC rc = Esys_ReadPublic(conn->esys, parent->handle, ESYS_TR_NONE,
                                 ESYS_TR_NONE, ESYS_TR_NONE, &pub, NULL, NULL);

    if (rc != TSS2_RC_SUCCESS)
        return tpm2_fail(err, rc, "read the public key of the key's parent");
    e = tpm2_duplicate(&pub->publicArea, devid_libctx(a->self->engine), a,
                       &a->private_part, &a->seed, err);
    Esys_Free(pub);
    a->wrapped = e == DEVID_OK;
    return e;
}

static enum devid_err adopt_op(struct tpm2_conn *conn, void *arg,
                               struct devid_error *err)
{
    struct tpm2_adopt *a = arg;
    struct tpm2_parent parent = {.handle = ESYS_TR_NONE};
    ESYS_TR loaded = ESYS_TR_NONE;
    enum devid_err e = tpm2_parent_open_default(conn, &a->parent,
                                                a->parent_auth, &parent, err);

    if (e == DEVID_OK && a->sensitive != NULL)
        e = wrap(conn, a, &parent, err);
    if (e == DEVID_OK && a->wrapped)
        e = import(conn, a, &parent, err);
    if (e == DEVID_OK)
        e = tpm2_parent_load(conn, &parent, &a->private_part, &a->pub, &loaded,
                             err);
    if (e == DEVID_OK)
        tpm2_flush(conn, loaded);
    tpm2_parent_close(conn, &parent);
    return e;
}

enum devid_err tpm2_adopt(struct tpm2_adopt *adopt, const char *parent,
                          struct devid_error *err)
{
    const struct tpm2_state *self = adopt->self;
    enum devid_err e = DEVID_OK;

    if (parent != NULL)
        e = tpm2_parent_parse(parent, &adopt->parent, err);
    if (e == DEVID_OK)
        e = devid_secret_from_setting(self->engine, "parent-auth-source",
                                      &adopt->parent_auth, err);
    if (e == DEVID_OK)
        e = tpm2_run(self->conn, adopt_op, adopt, err);
    devid_secret_free(&adopt->parent_auth);
    return e;
}

enum devid_err tpm2_adopt_file(const struct tpm2_adopt *adopt,
                               struct devid_keyfile *file,
                               struct devid_error *err)
{
    uint8_t pub[sizeof(TPM2B_PUBLIC)];
    uint8_t private_part[sizeof(TPM2B_PRIVATE)];
    size_t pub_len = 0;
    size_t private_len = 0;

    if (Tss2_MU_TPM2B_PUBLIC_Marshal(&adopt->pub, pub, sizeof(pub), &pub_len) ||
        Tss2_MU_TPM2B_PRIVATE_Marshal(&adopt->private_part, private_part,
                                      sizeof(private_part), &private_len))
        return devid_fail(err, DEVID_ERR_SYSTEM, 0, "the key does not encode");
    OPENSSL_free(file->tpm_public);
    OPENSSL_clear_free(file->tpm_private, file->tpm_private_len);
    file->format = DEVID_KEYFILE_TSS2;
    file->parent = adopt->parent;
    file->tpm_public = OPENSSL_memdup(pub, pub_len);
    file->tpm_public_len = pub_len;
    file->tpm_private = OPENSSL_memdup(private_part, private_len);
    file->tpm_private_len = private_len;
    if (file->tpm_public == NULL || file->tpm_private == NULL)
        return devid_no_memory(err);
    return DEVID_OK;
}

/* ---- what another program has ---------------------------------------- */

static enum devid_err adopt_handle(const struct tpm2_state *self,
                                   struct devid_keyfile *file,
                                   struct devid_error *err)
{
    struct devid_keyfile found = {0};
    struct devid_public expected;
    TPM2B_PUBLIC pub = {0};
    size_t offset = 0;
    enum devid_err e;

    if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(file->tpm_public, file->tpm_public_len,
                                       &offset, &pub) != 0)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the public part in the file of the handle is no "
                          "TPM2B_PUBLIC: the file is damaged");
    e = tpm2_public_to_devid(&pub.publicArea, &expected, err);
    if (e == DEVID_OK)
        e = tpm2_key_find((void *)(uintptr_t)self, file->uri, &found, err);
    if (e == DEVID_OK && !devid_public_equal(&expected, &found.public_key))
        e = devid_fail(err, DEVID_ERR_WRONG_KEY, 0,
                       "%s holds another key than when the file was written",
                       file->uri);
    devid_keyfile_clear(file);
    *file = found;
    return e;
}

static enum devid_err decode(const struct devid_keyfile *file,
                             struct tpm2_adopt *a, struct devid_error *err)
{
    size_t pub = 0;
    size_t private_part = 0;
    size_t seed = 0;

    a->parent = file->parent;
    a->wrapped = file->importable;
    if (Tss2_MU_TPM2B_PUBLIC_Unmarshal(file->tpm_public, file->tpm_public_len,
                                       &pub, &a->pub) == 0 &&
        Tss2_MU_TPM2B_PRIVATE_Unmarshal(file->tpm_private,
                                        file->tpm_private_len, &private_part,
                                        &a->private_part) == 0 &&
        pub == file->tpm_public_len && private_part == file->tpm_private_len &&
        (!file->importable ||
         Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal(
             file->secret, file->secret_len, &seed, &a->seed) == 0))
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "the key's %s is none of a TPM: the file is damaged, or "
                      "of another kind",
                      pub != file->tpm_public_len ? "public part (TPM2B_PUBLIC)"
                                                  : "private part");
}

enum devid_err tpm2_key_adopt(void *state, const char *parent,
                              struct devid_keyfile *file,
                              struct devid_error *err)
{
    struct tpm2_adopt adopt = {.self = state};
    enum devid_err e;

    if (file->format == DEVID_KEYFILE_REFERENCE)
        return adopt_handle(state, file, err);
    e = decode(file, &adopt, err);
    if (e == DEVID_OK)
        e = tpm2_adopt(&adopt, parent, err);
    if (e == DEVID_OK)
        e = tpm2_adopt_file(&adopt, file, err);
    if (e != DEVID_OK || !file->importable)
        return e;
    file->importable = false;
    if (file->description == NULL)
        file->description = OPENSSL_strdup(DEVID_IMPORTED);
    return file->description == NULL ? devid_no_memory(err) : DEVID_OK;
}
