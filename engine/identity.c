/* SPDX-License-Identifier: Apache-2.0 */
/* A device's identity: from its face to the back end that has such keys. */
#include "identity.h"
#include "engine.h"
#include "lock.h"

#include <string.h>

#include <openssl/crypto.h>

struct devid_identity {
    struct devid *engine; /* own reference */
    const struct devid_backend *be;
    void *state; /* the back end's */
};

enum devid_err devid_identity_open(struct devid *engine,
                                   const struct devid_identity_spec *spec,
                                   struct devid_identity **identity,
                                   struct devid_error *err)
{
    const char *device = spec->device != NULL ? spec->device : "tpm2:";
    struct devid_identity *self;
    const struct devid_backend *be = NULL;
    void *state = NULL;
    enum devid_err e;

    *identity = NULL;
    e = devid_backend_for(engine, device, &be, &state, err);
    if (e != DEVID_OK)
        return e;
    if (be->identity_open == NULL)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "a %s device has no endorsement key, so it cannot "
                          "prove an identity to a station: that takes a TPM "
                          "2.0 (tpm2:)",
                          be->name);
    self = OPENSSL_zalloc(sizeof(*self));
    if (self == NULL)
        return devid_no_memory(err);
    self->engine = devid_up_ref(engine);
    self->be = be;
    e = be->identity_open(state, spec, &self->state, err);
    if (e != DEVID_OK)
        devid_identity_free(&self);
    *identity = self;
    return e;
}

void devid_identity_free(struct devid_identity **identity)
{
    struct devid_identity *self = *identity;

    *identity = NULL;
    if (self == NULL)
        return;
    if (self->state != NULL)
        self->be->identity_free(&self->state);
    devid_free(&self->engine);
    OPENSSL_free(self);
}

void devid_field_free(struct devid_field *field)
{
    if (field == NULL)
        return;
    OPENSSL_clear_free(field->data, field->len);
    field->data = NULL;
    field->len = 0;
}

void devid_identity_request_clear(struct devid_identity_request *request)
{
    struct devid_field *fields[] = {
        &request->ekPub,
        &request->ekCert.bytes,
        &request->attestPub,
        &request->atCreateTkt,
        &request->creation,
        &request->atCertifyInfo,
        &request->atCertifyInfoSig,
        &request->signingPub,
        &request->sgnCertifyInfo,
        &request->sgnCertifyInfoSig,
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        devid_field_free(fields[i]);
    for (size_t i = 0; i < request->ek_chain_count; i++)
        devid_field_free(&request->ek_chain[i].bytes);
    memset(request, 0, sizeof(*request));
}

enum devid_err devid_identity_request(struct devid_identity *identity,
                                      struct devid_identity_request *request,
                                      struct devid_error *err)
{
    memset(request, 0, sizeof(*request));
    return identity->be->identity_request(identity->state, request, err);
}

enum devid_err devid_identity_sign(struct devid_identity *identity,
                                   const struct devid_hash *hash,
                                   const uint8_t *digest,
                                   struct devid_field *signature,
                                   struct devid_error *err)
{
    const struct devid_tbs tbs = {
        .hash = hash,
        .digest = digest,
        .digest_len = hash->len,
    };

    memset(signature, 0, sizeof(*signature));
    return identity->be->identity_sign(identity->state, &tbs, signature, err);
}

enum devid_err devid_identity_activate(struct devid_identity *identity,
                                       const struct devid_activation *challenge,
                                       struct devid_field *answer,
                                       struct devid_error *err)
{
    memset(answer, 0, sizeof(*answer));
    return identity->be->identity_activate(identity->state, challenge, answer,
                                           err);
}

enum devid_err devid_lock_look(struct devid_identity *identity, unsigned *set,
                               struct devid_error *err)
{
    struct devid_lock lock = {0};
    enum devid_err e = identity->be->lock_look(identity->state, &lock, err);

    *set = lock.set;
    return e;
}

enum devid_err devid_lock_begin(struct devid_identity *identity,
                                struct devid_lock **lock,
                                struct devid_error *err)
{
    enum devid_err e = devid_lock_new(lock, err);

    if (e == DEVID_OK)
        e = identity->be->lock_begin(identity->state, *lock, err);
    if (e != DEVID_OK)
        devid_lock_free(lock);
    return e;
}

enum devid_err devid_lock_apply(struct devid_identity *identity,
                                struct devid_lock *lock,
                                struct devid_error *err)
{
    return identity->be->lock_apply(identity->state, lock, err);
}

enum devid_err devid_identity_clear(struct devid_identity *identity,
                                    struct devid_error *err)
{
    return identity->be->identity_clear(identity->state, err);
}
