/* SPDX-License-Identifier: Apache-2.0 */
/* The endorsement key: which of them, where it is, its certificates. */
#include "identity.h"

#include <string.h>

#define EK_CHAIN_FIRST 0x01c00100u
#define EK_CHAIN_LAST 0x01c001ffu

static bool is_wanted(const struct tpm2_identity *id,
                      const struct tpm2_ek_kind *kind)
{
    return id->ek_alg == NULL ||
           devid_algorithm_by_name(kind->algorithm) == id->ek_alg;
}

/* Take the key at a handle where it is an EK of that kind. */
static enum devid_err take(struct tpm2_conn *conn, struct tpm2_identity *id,
                           const struct tpm2_ek_kind *kind, uint32_t handle,
                           struct devid_error *err)
{
    struct tpm2_held held = {.handle = handle, .object = ESYS_TR_NONE};
    TPM2B_PUBLIC template;
    enum devid_err e = tpm2_template_ek(kind, id->libctx, &template, err);

    if (e == DEVID_OK)
        e = tpm2_held_open(conn, &held, err);
    if (e != DEVID_OK)
        return e;
    if (tpm2_template_matches(&template, &held.pub)) {
        id->ek = held;
        id->ek_kind = kind;
        return DEVID_OK;
    }
    (void)Esys_TR_Close(conn->esys, &held.object);
    return devid_fail(err, DEVID_ERR_NOT_FOUND, 0,
                      "handle 0x%08x of this TPM holds no EK of kind %s",
                      handle, kind->name);
}

/* Is there a persistent one of the kind? _NOT_FOUND where not. */
static enum devid_err find(struct tpm2_conn *conn, struct tpm2_identity *id,
                           const struct tpm2_inventory *inventory,
                           const struct tpm2_ek_kind *kind,
                           struct devid_error *err)
{
    const uint32_t handles[] = {kind->handle, kind->other_handle};
    enum devid_err e = DEVID_ERR_NOT_FOUND;

    for (size_t i = 0; e == DEVID_ERR_NOT_FOUND && i < 2; i++) {
        if (tpm2_inventory_has(&inventory->persistent, handles[i]))
            e = take(conn, id, kind, handles[i], err);
    }
    return e;
}

/*
 * The first persistent one of the wanted kinds. *certified: the first kind
 * that has a certificate, and then only such kinds count.
 */
static enum devid_err find_any(struct tpm2_conn *conn, struct tpm2_identity *id,
                               const struct tpm2_inventory *inventory,
                               const struct tpm2_ek_kind **certified,
                               struct devid_error *err)
{
    enum devid_err e = DEVID_ERR_NOT_FOUND;

    *certified = NULL;
    for (const struct tpm2_ek_kind *k = tpm2_ek_kinds;
         e == DEVID_ERR_NOT_FOUND && k->name != NULL; k++) {
        if (!is_wanted(id, k) ||
            !tpm2_inventory_has(&inventory->indices, k->cert_index))
            continue;
        if (*certified == NULL)
            *certified = k;
        e = find(conn, id, inventory, k, err);
    }
    for (const struct tpm2_ek_kind *k = tpm2_ek_kinds;
         e == DEVID_ERR_NOT_FOUND && *certified == NULL && k->name != NULL;
         k++) {
        if (is_wanted(id, k))
            e = find(conn, id, inventory, k, err);
    }
    return e;
}

static const struct tpm2_ek_kind *first_wanted(const struct tpm2_identity *id)
{
    const struct tpm2_ek_kind *k = tpm2_ek_kinds;

    while (k->name != NULL && !is_wanted(id, k))
        k++;
    return k; /* open() has refused an algorithm without a kind */
}

static enum devid_err make_ek(struct tpm2_conn *conn, struct tpm2_identity *id,
                              const struct tpm2_inventory *inventory,
                              const struct tpm2_ek_kind *kind,
                              struct devid_error *err)
{
    struct tpm2_held held = {.handle = kind->handle, .object = ESYS_TR_NONE};
    struct tpm2_made made = {.object = ESYS_TR_NONE};
    TPM2B_PUBLIC template;
    enum devid_err e;

    if (tpm2_inventory_has(&inventory->persistent, held.handle))
        held.handle = kind->other_handle;
    if (held.handle == 0 ||
        tpm2_inventory_has(&inventory->persistent, held.handle))
        return devid_fail(err, DEVID_ERR_WRONG_KEY, 0,
                          "handle 0x%08x of this TPM holds something else than "
                          "its EK of kind %s, which belongs there: see devid "
                          "list, free it with devid delete, or name another "
                          "EK",
                          kind->handle, kind->name);
    e = tpm2_template_ek(kind, id->libctx, &template, err);
    if (e == DEVID_OK)
        e = tpm2_primary_make(conn, id, &template, &made, err);
    if (e == DEVID_OK)
        e = tpm2_primary_keep(conn, id, &made, &held, err);
    tpm2_primary_flush(conn, &made);
    if (e != DEVID_OK)
        return e;
    id->ek = held;
    id->ek_kind = kind;
    return DEVID_OK;
}

/* The one at the handle that was asked for, of whatever kind. */
static enum devid_err open_asked(struct tpm2_conn *conn,
                                 struct tpm2_identity *id,
                                 struct devid_error *err)
{
    TPM2B_PUBLIC template;
    enum devid_err e = tpm2_held_open(conn, &id->ek, err);

    for (const struct tpm2_ek_kind *k = tpm2_ek_kinds;
         e == DEVID_OK && k->name != NULL; k++) {
        e = tpm2_template_ek(k, id->libctx, &template, err);
        if (e == DEVID_OK && tpm2_template_matches(&template, &id->ek.pub)) {
            id->ek_kind = k;
            return DEVID_OK;
        }
    }
    if (e != DEVID_OK)
        return e;
    id->ek.known = false;
    (void)Esys_TR_Close(conn->esys, &id->ek.object);
    return devid_fail(err, DEVID_ERR_WRONG_KEY, 0,
                      "the key at handle 0x%08x of this TPM is no EK: it was "
                      "not made from any of the TCG's templates",
                      id->ek.handle);
}

enum devid_err tpm2_ek_open(struct tpm2_conn *conn, struct tpm2_identity *id,
                            const struct tpm2_inventory *inventory, bool make,
                            struct devid_error *err)
{
    const struct tpm2_ek_kind *certified = NULL;
    enum devid_err e;

    if (id->ek_kind != NULL)
        return tpm2_held_open(conn, &id->ek, err);
    if (id->ek.handle != 0)
        return open_asked(conn, id, err);
    e = find_any(conn, id, inventory, &certified, err);
    if (e != DEVID_ERR_NOT_FOUND)
        return e;
    if (!make)
        return devid_fail(err, e, 0,
                          "this TPM has no endorsement key at its handle: "
                          "the request for an identity makes one");
    return make_ek(conn, id, inventory,
                   certified != NULL ? certified : first_wanted(id), err);
}

static enum devid_err read_cert(struct tpm2_conn *conn, uint32_t index,
                                struct devid_nv_field *field,
                                struct devid_error *err)
{
    field->index = index;
    return tpm2_nv_read(conn, index, &field->bytes.data, &field->bytes.len,
                        err);
}

enum devid_err tpm2_ek_certs(struct tpm2_conn *conn,
                             const struct tpm2_identity *id,
                             const struct tpm2_inventory *inventory,
                             struct devid_identity_request *request,
                             struct devid_error *err)
{
    const TPML_HANDLE *indices = &inventory->indices;
    enum devid_err e = DEVID_OK;

    if (tpm2_inventory_has(indices, id->ek_kind->cert_index))
        e = read_cert(conn, id->ek_kind->cert_index, &request->ekCert, err);
    for (UINT32 i = 0; e == DEVID_OK && i < indices->count &&
                       request->ek_chain_count < DEVID_EK_CHAIN_MAX;
         i++) {
        if (indices->handle[i] < EK_CHAIN_FIRST ||
            indices->handle[i] > EK_CHAIN_LAST)
            continue;
        e = read_cert(conn, indices->handle[i],
                      &request->ek_chain[request->ek_chain_count], err);
        if (e == DEVID_OK)
            request->ek_chain_count++;
    }
    return e;
}
