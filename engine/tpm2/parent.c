/* SPDX-License-Identifier: Apache-2.0 */
/* The key above a key: a persistent storage key or a hierarchy's primary. */
#include "tpm2.h"

#include "../uri.h"

#include <stdio.h>
#include <string.h>

static const struct hierarchy {
    const char *name;
    uint32_t id;
    ESYS_TR handle;
} hierarchies[] = {
    {"owner", TPM2_RH_OWNER, ESYS_TR_RH_OWNER},
    {"endorsement", TPM2_RH_ENDORSEMENT, ESYS_TR_RH_ENDORSEMENT},
    {"platform", TPM2_RH_PLATFORM, ESYS_TR_RH_PLATFORM},
    {"null", TPM2_RH_NULL, ESYS_TR_RH_NULL},
};
#define HIERARCHY_COUNT (sizeof(hierarchies) / sizeof(hierarchies[0]))

static const struct hierarchy *hierarchy_by_id(uint32_t id)
{
    for (size_t i = 0; i < HIERARCHY_COUNT; i++) {
        if (hierarchies[i].id == id)
            return &hierarchies[i];
    }
    return NULL;
}

ESYS_TR tpm2_hierarchy(uint32_t parent)
{
    const struct hierarchy *h = hierarchy_by_id(parent);

    return h != NULL ? h->handle : ESYS_TR_NONE;
}

void tpm2_parent_words(uint32_t parent, char *text, size_t size)
{
    const struct hierarchy *h = hierarchy_by_id(parent);

    if (h != NULL)
        (void)snprintf(text, size, "the %s hierarchy", h->name);
    else
        (void)snprintf(text, size, "persistent handle 0x%08x", parent);
}

enum devid_err tpm2_parent_parse(const char *text, uint32_t *parent,
                                 struct devid_error *err)
{
    enum devid_err e;

    for (size_t i = 0; i < HIERARCHY_COUNT; i++) {
        if (strcmp(hierarchies[i].name, text) == 0) {
            *parent = hierarchies[i].id;
            return DEVID_OK;
        }
    }
    if (strncmp(text, "0x", 2) != 0) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "'%.64s' is no parent: give a persistent handle such "
                          "as 0x81000001, or owner, endorsement, platform or "
                          "null",
                          text);
    }
    e = devid_handle_parse(text, "the parent", parent, err);
    if (e != DEVID_OK)
        return e;
    if (hierarchy_by_id(*parent) != NULL ||
        (*parent >= TPM2_PERSISTENT_MIN && *parent <= TPM2_PERSISTENT_MAX))
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "the parent 0x%08x is no persistent handle: those run "
                      "from 0x%08x to 0x%08x",
                      *parent, TPM2_PERSISTENT_MIN, TPM2_PERSISTENT_MAX);
}

enum devid_err tpm2_primary_create(struct tpm2_conn *conn, ESYS_TR hierarchy,
                                   ESYS_TR session, ESYS_TR *handle,
                                   struct devid_error *err)
{
    TPM2B_SENSITIVE_CREATE sensitive = {0};
    TPM2B_DATA outside = {0};
    TPML_PCR_SELECTION pcrs = {0};
    TPM2B_PUBLIC template;
    TSS2_RC rc;

    tpm2_template_storage(&template);
    rc = Esys_CreatePrimary(conn->esys, hierarchy, session, ESYS_TR_NONE,
                            ESYS_TR_NONE, &sensitive, &template, &outside,
                            &pcrs, handle, NULL, NULL, NULL, NULL);
    if (rc == TSS2_RC_SUCCESS)
        return DEVID_OK;
    *handle = ESYS_TR_NONE;
    return tpm2_fail(err, rc, "make the hierarchy's primary key");
}

static enum devid_err open_parent(struct tpm2_conn *conn, uint32_t parent,
                                  struct devid_secret *secret,
                                  struct tpm2_parent *out,
                                  struct devid_error *err)
{
    const struct hierarchy *h = hierarchy_by_id(parent);
    struct tpm2_auth auth = {
        .secret = secret,
        .what = "the hierarchy of its parent",
        .doing = "make the hierarchy's primary key",
    };
    struct devid_error why = {0};
    enum devid_err e;

    out->id = parent;
    out->handle = ESYS_TR_NONE;
    out->transient = h != NULL;
    out->auth = h != NULL ? NULL : secret; /* a primary's own is empty */
    if (h == NULL)
        return tpm2_read_handle(conn, parent, &out->handle, NULL, err);
    auth.object = h->handle;
    e = tpm2_auth_begin(conn, &auth, err);
    if (e != DEVID_OK)
        return e;
    e = tpm2_primary_create(conn, h->handle, auth.session, &out->handle, &why);
    tpm2_auth_end(conn, &auth, why.device_rc);
    return e == DEVID_OK ? e : tpm2_auth_fail(conn, &auth, why.device_rc, err);
}

enum devid_err tpm2_parent_open(struct tpm2_conn *conn, uint32_t parent,
                                struct devid_secret *secret,
                                struct tpm2_parent *out,
                                struct devid_error *err)
{
    enum devid_err e = open_parent(conn, parent, secret, out, err);
    char words[64];

    if (e != DEVID_OK)
        return e;
    tpm2_parent_words(parent, words, sizeof(words));
    e = tpm2_parent_check(conn, out->handle, words, err);
    if (e != DEVID_OK)
        tpm2_parent_close(conn, out);
    return e;
}

enum devid_err tpm2_parent_open_default(struct tpm2_conn *conn,
                                        uint32_t *parent,
                                        struct devid_secret *secret,
                                        struct tpm2_parent *out,
                                        struct devid_error *err)
{
    uint32_t wanted = *parent;
    enum devid_err e;

    if (wanted == 0)
        *parent = TPM2_SRK_HANDLE;
    e = tpm2_parent_open(conn, *parent, secret, out, err);
    if (e != DEVID_ERR_NOT_FOUND)
        return e;
    if (wanted != 0)
        return devid_fail(err, e, err->device_rc,
                          "there is no parent at handle 0x%08x of this "
                          "TPM: devid list shows what there is; "
                          "--parent owner needs none",
                          wanted);
    *parent = TPM2_RH_OWNER;
    return tpm2_parent_open(conn, *parent, secret, out, err);
}

static enum devid_err load_failed(struct tpm2_conn *conn,
                                  const struct tpm2_parent *parent,
                                  const struct tpm2_auth *auth, TSS2_RC rc,
                                  struct devid_error *err)
{
    char words[64];

    tpm2_parent_words(parent->id, words, sizeof(words));
    switch (tpm2_rc_base(rc)) {
    case TPM2_RC_INTEGRITY:
    case TPM2_RC_BINDING:
    case TPM2_RC_SIZE:
        return devid_fail(err, DEVID_ERR_WRONG_KEY, rc,
                          "this key does not load under %s: it was made in "
                          "another TPM, or this TPM was cleared since, or the "
                          "key file is damaged; make a new key with devid "
                          "keygen (0x%x)",
                          words, rc);
    default: /* not an enum */
        return tpm2_auth_fail(conn, auth, rc, err);
    }
}

enum devid_err tpm2_parent_load(struct tpm2_conn *conn,
                                const struct tpm2_parent *parent,
                                const TPM2B_PRIVATE *blob,
                                const TPM2B_PUBLIC *pub, ESYS_TR *handle,
                                struct devid_error *err)
{
    struct tpm2_auth auth = {
        .object = parent->handle,
        .secret = parent->auth,
        .what = "the key's parent",
        .doing = "load the key",
    };
    enum devid_err e = tpm2_auth_begin(conn, &auth, err);
    TSS2_RC rc;

    if (e != DEVID_OK)
        return e;
    rc = Esys_Load(conn->esys, parent->handle, auth.session, ESYS_TR_NONE,
                   ESYS_TR_NONE, blob, pub, handle);
    tpm2_auth_end(conn, &auth, rc);
    if (rc == TSS2_RC_SUCCESS)
        return DEVID_OK;
    *handle = ESYS_TR_NONE;
    return load_failed(conn, parent, &auth, rc, err);
}

void tpm2_parent_close(struct tpm2_conn *conn, struct tpm2_parent *parent)
{
    if (parent->handle == ESYS_TR_NONE)
        return;
    if (parent->transient)
        tpm2_flush(conn, parent->handle);
    else
        (void)Esys_TR_Close(conn->esys, &parent->handle);
    parent->handle = ESYS_TR_NONE;
}
