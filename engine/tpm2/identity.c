/* SPDX-License-Identifier: Apache-2.0 */
/* A device's identity: open, what is at its handles, sign with the IDevID. */
#include "identity.h"

#include "../secret.h"
#include "../uri.h"

#include <string.h>

#include <openssl/crypto.h>
#include <tss2/tss2_mu.h>

/* ---- open and free --------------------------------------------------- */

static enum devid_err parse_ek(const char *text, struct tpm2_identity *id,
                               struct devid_error *err)
{
    if (strncmp(text, "0x", 2) == 0)
        return devid_handle_parse(text, "the EK", &id->ek.handle, err);
    id->ek_alg = devid_algorithm_by_name(text);
    for (const struct tpm2_ek_kind *k = tpm2_ek_kinds;
         id->ek_alg != NULL && k->name != NULL; k++) {
        if (devid_algorithm_by_name(k->algorithm) == id->ek_alg)
            return DEVID_OK;
    }
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "'%.64s' is no EK: give its persistent handle, such as "
                      "0x81010001, or one of rsa-2048, ec-p256, ec-p384, "
                      "ec-p521, rsa-3072 and rsa-4096",
                      text);
}

static enum devid_err parse_spec(const struct devid_identity_spec *spec,
                                 struct tpm2_identity *id,
                                 struct devid_error *err)
{
    if (spec->algorithm != NULL) {
        id->alg = devid_algorithm_by_name(spec->algorithm);
        if (id->alg == NULL ||
            (id->alg->type != DEVID_KEY_EC && id->alg->type != DEVID_KEY_RSA))
            return devid_fail(
                err, DEVID_ERR_INPUT, 0,
                "'%.64s' is none of the TCG's: IAK and IDevID are "
                "ec-p256, ec-p384, ec-p521, rsa-2048, rsa-3072 "
                "or rsa-4096",
                spec->algorithm);
    }
    return spec->ek != NULL ? parse_ek(spec->ek, id, err) : DEVID_OK;
}

enum devid_err tpm2_identity_open(void *state,
                                  const struct devid_identity_spec *spec,
                                  void **identity, struct devid_error *err)
{
    const struct tpm2_state *self = state;
    struct tpm2_identity *id = OPENSSL_zalloc(sizeof(*id));
    void *opened = id;
    enum devid_err e;

    if (id == NULL)
        return devid_no_memory(err);
    id->libctx = devid_libctx(self->engine);
    id->ek.object = id->iak.object = id->idevid.object = ESYS_TR_NONE;
    id->iak.handle = TPM2_IAK_HANDLE;
    id->idevid.handle = TPM2_IDEVID_HANDLE;
    e = parse_spec(spec, id, err);
    if (e == DEVID_OK)
        e = devid_secret_from_setting(self->engine, "endorsement-auth-source",
                                      &id->endorsement_auth, err);
    if (e == DEVID_OK)
        e = devid_secret_from_setting(self->engine, "owner-auth-source",
                                      &id->owner_auth, err);
    if (e == DEVID_OK)
        e = devid_secret_from_setting(self->engine, "lockout-auth-source",
                                      &id->lockout_auth, err);
    if (e == DEVID_OK)
        e = tpm2_conn_get(self->engine, &id->conn, err);
    if (e != DEVID_OK)
        tpm2_identity_free(&opened);
    *identity = opened;
    return e;
}

static void held_close(struct tpm2_conn *conn, struct tpm2_held *held)
{
    if (held->object != ESYS_TR_NONE && held->instance == conn->instance &&
        conn->esys != NULL)
        (void)Esys_TR_Close(conn->esys, &held->object);
    held->object = ESYS_TR_NONE;
}

void tpm2_identity_free(void **identity)
{
    struct tpm2_identity *id = *identity;

    *identity = NULL;
    if (id == NULL)
        return;
    if (id->conn != NULL) {
        pthread_mutex_lock(&id->conn->lock);
        held_close(id->conn, &id->ek);
        held_close(id->conn, &id->iak);
        held_close(id->conn, &id->idevid);
        pthread_mutex_unlock(&id->conn->lock);
        tpm2_conn_put(&id->conn);
    }
    devid_secret_free(&id->endorsement_auth);
    devid_secret_free(&id->owner_auth);
    devid_secret_free(&id->lockout_auth);
    OPENSSL_free(id);
}

/* ---- what the TPM has ------------------------------------------------ */

static enum devid_err read_handles(struct tpm2_conn *conn, UINT32 first,
                                   TPML_HANDLE *list, struct devid_error *err)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    enum devid_err e = tpm2_capability(conn, TPM2_CAP_HANDLES, first,
                                       TPM2_MAX_CAP_HANDLES, &data, err);

    if (e == DEVID_OK)
        *list = data->data.handles;
    Esys_Free(data);
    return e;
}

enum devid_err tpm2_inventory_read(struct tpm2_conn *conn,
                                   struct tpm2_inventory *inventory,
                                   struct devid_error *err)
{
    enum devid_err e =
        read_handles(conn, TPM2_PERSISTENT_MIN, &inventory->persistent, err);

    if (e == DEVID_OK)
        e = read_handles(conn, TPM2_NV_INDEX_MIN, &inventory->indices, err);
    return e;
}

bool tpm2_inventory_has(const TPML_HANDLE *list, uint32_t handle)
{
    for (UINT32 i = 0; i < list->count; i++) {
        if (list->handle[i] == handle)
            return true;
    }
    return false;
}

enum devid_err tpm2_held_open(struct tpm2_conn *conn, struct tpm2_held *held,
                              struct devid_error *err)
{
    TPM2B_PUBLIC found;
    enum devid_err e;

    if (held->object != ESYS_TR_NONE && held->instance == conn->instance)
        return DEVID_OK;
    e = tpm2_read_handle(conn, held->handle, &held->object, &found, err);
    if (e != DEVID_OK)
        return e;
    if (held->known && !tpm2_public_same(&held->pub, &found)) {
        (void)Esys_TR_Close(conn->esys, &held->object);
        return devid_fail(err, DEVID_ERR_WRONG_KEY, 0,
                          "handle 0x%08x of this TPM holds another key than "
                          "before: it was replaced meanwhile, or this is "
                          "another TPM",
                          held->handle);
    }
    held->pub = found;
    held->known = true;
    held->instance = conn->instance;
    return DEVID_OK;
}

/* That nothing else is taken for the key, and no second one is made. */
static enum devid_err check_template(const struct tpm2_identity *id,
                                     enum tpm2_role role,
                                     const struct tpm2_held *held,
                                     struct devid_error *err)
{
    const char *name = role == TPM2_ROLE_IAK ? "IAK" : "IDevID";
    const struct devid_algorithm *alg = id->alg;
    struct devid_public pub = {0};
    TPM2B_PUBLIC template;
    enum devid_err e;

    if (alg == NULL &&
        tpm2_public_to_devid(&held->pub.publicArea, &pub, NULL) == DEVID_OK)
        alg = pub.alg;
    if (alg == NULL)
        return devid_fail(err, DEVID_ERR_WRONG_KEY, 0,
                          "the key at handle 0x%08x of this TPM is no %s: no "
                          "template of the TCG's has its algorithm",
                          held->handle, name);
    e = tpm2_template_devid(role, alg, id->libctx, &template, err);
    if (e != DEVID_OK || tpm2_template_matches(&template, &held->pub))
        return e;
    return devid_fail(err, DEVID_ERR_WRONG_KEY, 0,
                      "the key at handle 0x%08x of this TPM is no %s %s as "
                      "the TCG's template has it: look at it with devid show "
                      "tpm2:handle=0x%08x; a device keeps its identity, so "
                      "nothing was replaced",
                      held->handle, alg->name, name, held->handle);
}

enum devid_err tpm2_devid_open(struct tpm2_conn *conn, struct tpm2_identity *id,
                               enum tpm2_role role, struct devid_error *err)
{
    struct tpm2_held *held = role == TPM2_ROLE_IAK ? &id->iak : &id->idevid;
    enum devid_err e = tpm2_held_open(conn, held, err);

    if (e == DEVID_OK)
        e = check_template(id, role, held, err);
    return e;
}

enum devid_err tpm2_field_put(struct devid_field *field, const uint8_t *data,
                              size_t len, struct devid_error *err)
{
    devid_field_free(field);
    field->data = OPENSSL_memdup(data, len);
    if (field->data == NULL)
        return devid_no_memory(err);
    field->len = len;
    return DEVID_OK;
}

/* ---- sign ------------------------------------------------------------ */

struct sign_request {
    struct tpm2_identity *id;
    TPM2B_DIGEST digest;
    TPMI_ALG_HASH hash;
    TPMT_SIGNATURE signature;
};

static enum devid_err plan(const struct sign_request *r,
                           TPMT_SIG_SCHEME *scheme, struct devid_error *err)
{
    const TPMT_PUBLIC *area = &r->id->idevid.pub.publicArea;

    scheme->scheme =
        area->type == TPM2_ALG_RSA ? TPM2_ALG_RSASSA : TPM2_ALG_ECDSA;
    scheme->details.any.hashAlg = r->hash;
    if (area->type == TPM2_ALG_RSA || r->hash == area->nameAlg)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_ALG, 0,
                      "this IDevID signs digests of %u bits alone: its "
                      "template has fixed the hash",
                      area->authPolicy.size * 8u);
}

static enum devid_err sign_op(struct tpm2_conn *conn, void *arg,
                              struct devid_error *err)
{
    const TPMT_TK_HASHCHECK ticket = {
        .tag = TPM2_ST_HASHCHECK,
        .hierarchy = TPM2_RH_NULL,
    };
    struct sign_request *r = arg;
    TPMT_SIG_SCHEME scheme = {0};
    TPMT_SIGNATURE *signature = NULL;
    enum devid_err e = tpm2_devid_open(conn, r->id, TPM2_ROLE_IDEVID, err);
    TSS2_RC rc;

    if (e == DEVID_OK)
        e = plan(r, &scheme, err);
    if (e != DEVID_OK)
        return e;
    rc = Esys_Sign(conn->esys, r->id->idevid.object, ESYS_TR_PASSWORD,
                   ESYS_TR_NONE, ESYS_TR_NONE, &r->digest, &scheme, &ticket,
                   &signature);
    if (rc != TSS2_RC_SUCCESS)
        return tpm2_fail(err, rc, "sign with the IDevID");
    r->signature = *signature;
    Esys_Free(signature);
    return DEVID_OK;
}

enum devid_err tpm2_identity_sign(void *identity, const struct devid_tbs *tbs,
                                  struct devid_field *signature,
                                  struct devid_error *err)
{
    struct sign_request request = {
        .id = identity,
        .hash = tpm2_hash_id(tbs->hash),
    };
    uint8_t data[sizeof(TPMT_SIGNATURE)];
    size_t len = 0;
    enum devid_err e;

    if (request.hash == TPM2_ALG_NULL)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "an IDevID signs digests of SHA-256, SHA-384 or "
                          "SHA-512, not of %s",
                          tbs->hash->name);
    request.digest.size = (UINT16)tbs->digest_len;
    memcpy(request.digest.buffer, tbs->digest, tbs->digest_len);
    e = tpm2_run(request.id->conn, sign_op, &request, err);
    if (e != DEVID_OK)
        return e;
    if (Tss2_MU_TPMT_SIGNATURE_Marshal(&request.signature, data, sizeof(data),
                                       &len) != TSS2_RC_SUCCESS)
        return devid_fail(err, DEVID_ERR_SYSTEM, 0,
                          "the IDevID's signature does not encode");
    return tpm2_field_put(signature, data, len, err);
}
