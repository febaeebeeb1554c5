/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys: open, describe. With sign.c, decrypt.c and key_make.c the only callers
 * of a back end.
 */
#include "key.h"
#include "algorithm.h"
#include "engine.h"
#include "secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

OSSL_LIB_CTX *devid_key_libctx(const struct devid_key *key)
{
    return devid_libctx(key->engine);
}

struct devid_key *devid_key_up_ref(struct devid_key *key)
{
    atomic_fetch_add(&key->refs, 1);
    return key;
}

void devid_key_free(struct devid_key **key)
{
    struct devid_key *self = *key;

    *key = NULL;
    if (self == NULL || atomic_fetch_sub(&self->refs, 1) > 1)
        return;
    if (self->private_key != NULL)
        self->be->key_free(&self->private_key);
    EVP_PKEY_free(atomic_load(&self->verifier));
    devid_keyfile_clear(&self->file);
    devid_free(&self->engine);
    OPENSSL_clear_free(self, sizeof(*self));
}

enum devid_err devid_key_from_keyfile(struct devid *engine,
                                      struct devid_keyfile *file,
                                      struct devid_key **key,
                                      struct devid_error *err)
{
    const char *uri =
        file->format == DEVID_KEYFILE_REFERENCE ? file->uri : NULL;
    struct devid_key *self = OPENSSL_zalloc(sizeof(*self));
    void *state = NULL;
    enum devid_err e;

    if (self == NULL) {
        devid_keyfile_clear(file);
        return devid_no_memory(err);
    }
    if (file->importable) {
        devid_keyfile_clear(file);
        OPENSSL_free(self);
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the TSS2 PRIVATE KEY is an importable one, still "
                          "wrapped for a TPM: devid convert has that TPM "
                          "import it, and writes the key file to use");
    }
    atomic_init(&self->refs, 1);
    atomic_init(&self->verifier, NULL);
    self->engine = devid_up_ref(engine);
    self->check_always = devid_is(engine, "check-signatures", "always");
    self->file = *file;
    memset(file, 0, sizeof(*file));

    /* A TSS2 file names no device: it belongs to the first back end. */
    e = devid_backend_for(engine, uri, &self->be, &state, err);
    if (e == DEVID_OK)
        e = self->be->key_open(state, &self->file, &self->private_key,
                               &self->pub, &self->limits, err);
    if (e == DEVID_OK && self->pub.type == DEVID_KEY_RSA)
        e = devid_eme_new_secret(devid_libctx(engine), self->eme_secret, err);
    if (e != DEVID_OK) {
        devid_key_free(&self);
        return e;
    }
    if (uri != NULL && !self->file.has_public) {
        self->file.public_key = self->pub; /* so that it is written down */
        self->file.has_public = true;
    }
    *key = self;
    return DEVID_OK;
}

enum devid_err devid_key_from_der(struct devid *engine, const uint8_t *der,
                                  size_t len, bool *recognised,
                                  struct devid_key **key,
                                  struct devid_error *err)
{
    struct devid_keyfile file = {0};
    enum devid_err e;

    *key = NULL;
    e = devid_keyfile_parse(der, len, recognised, &file, err);
    if (e != DEVID_OK)
        return e;
    return devid_key_from_keyfile(engine, &file, key, err);
}

enum devid_err devid_key_from_pem(struct devid *engine, const char *text,
                                  size_t len, struct devid_key **key,
                                  struct devid_error *err)
{
    uint8_t *der = NULL;
    size_t der_len = 0;
    enum devid_err e;

    *key = NULL;
    e = devid_keyfile_unpem(text, len, &der, &der_len, err);
    if (e != DEVID_OK)
        return e;
    e = devid_key_from_der(engine, der, der_len, NULL, key, err);
    OPENSSL_free(der);
    return e;
}

enum devid_err devid_key_from_uri(struct devid *engine, const char *uri,
                                  struct devid_key **key,
                                  struct devid_error *err)
{
    const struct devid_backend *be = NULL;
    struct devid_keyfile file = {0};
    void *state = NULL;
    enum devid_err e;

    *key = NULL;
    e = devid_backend_for(engine, uri, &be, &state, err);
    if (e != DEVID_OK)
        return e;
    e = be->key_find(state, uri, &file, err);
    if (e != DEVID_OK) {
        devid_keyfile_clear(&file);
        return e;
    }
    return devid_key_from_keyfile(engine, &file, key, err);
}

static enum devid_err read_file(const char *path, char **text, size_t *len,
                                struct devid_error *err)
{
    FILE *f = fopen(path, "rbe");
    char *buf;
    enum devid_err e = DEVID_OK;

    if (f == NULL) {
        return devid_fail(
            err, errno == ENOENT ? DEVID_ERR_NOT_FOUND : DEVID_ERR_SYSTEM, 0,
            "cannot read the key file '%.300s': %s", path, strerror(errno));
    }
    buf = OPENSSL_malloc(DEVID_KEYFILE_MAX + 1);
    if (buf == NULL) {
        e = devid_no_memory(err);
        goto out;
    }
    *len = fread(buf, 1, DEVID_KEYFILE_MAX + 1, f);
    if (ferror(f) != 0) {
        e = devid_fail(err, DEVID_ERR_SYSTEM, 0,
                       "cannot read the key file '%.300s': %s", path,
                       strerror(errno));
    } else if (*len > DEVID_KEYFILE_MAX) {
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "'%.300s' is larger than %d bytes: no key file is", path,
                       DEVID_KEYFILE_MAX);
    }
    if (e == DEVID_OK) {
        *text = buf;
        buf = NULL;
    }
out:
    OPENSSL_free(buf);
    (void)fclose(f); /* read only: nothing to lose */
    return e;
}

enum devid_err devid_key_open(struct devid *engine, const char *file_or_uri,
                              struct devid_key **key, struct devid_error *err)
{
    struct devid_error why = {0};
    char *text = NULL;
    size_t len = 0;
    enum devid_err e;

    *key = NULL;
    if (devid_is_uri(file_or_uri))
        return devid_key_from_uri(engine, file_or_uri, key, err);
    e = read_file(file_or_uri, &text, &len, err);
    if (e != DEVID_OK)
        return e;
    e = devid_key_from_pem(engine, text, len, key, &why);
    if (e != DEVID_OK)
        (void)devid_fail(err, e, why.device_rc, "%.300s: %s", file_or_uri,
                         why.text);
    OPENSSL_clear_free(text, DEVID_KEYFILE_MAX + 1);
    return e;
}

bool devid_key_wants_auth(const struct devid_key *key)
{
    return key->limits.needs_auth;
}

enum devid_err devid_key_set_auth(struct devid_key *key, const void *value,
                                  size_t len, struct devid_error *err)
{
    struct devid_secret *auth = NULL;
    enum devid_err e = devid_secret_new(value, len, &auth, err);

    if (e != DEVID_OK)
        return e;
    key->be->key_set_auth(key->private_key, auth);
    key->limits.needs_auth = false;
    return DEVID_OK;
}

const struct devid_public *devid_key_public(const struct devid_key *key)
{
    return &key->pub;
}

enum devid_err devid_key_to_der(const struct devid_key *key, uint8_t **der,
                                size_t *len, struct devid_error *err)
{
    return devid_keyfile_encode(&key->file, der, len, err);
}

enum devid_err devid_key_to_pem(const struct devid_key *key, char **text,
                                size_t *len, struct devid_error *err)
{
    return devid_keyfile_to_pem(&key->file, text, len, err);
}

enum devid_err devid_key_check_use(const struct devid_key *key,
                                   struct devid_error *err)
{
    if (key->limits.restricted)
        return devid_fail_restricted(err);
    if (key->limits.needs_auth) {
        return devid_fail(err, DEVID_ERR_AUTH, 0,
                          "this key needs its %s, and none was given: by the "
                          "program's passphrase (nginx's ssl_password_file, "
                          "curl's --pass, openssl's -passin) or the setting "
                          "%s",
                          key->be->secret, key->be->secret_setting);
    }
    return DEVID_OK;
}

void devid_key_info(const struct devid_key *key, struct devid_key_info *info)
{
    memset(info, 0, sizeof(*info));
    info->backend = key->be->name;
    info->restricted = key->limits.restricted;
    info->may_sign = key->limits.sign;
    info->may_decrypt = key->limits.decrypt;
    info->learnt_later = key->limits.learnt_later;
    info->needs_auth = key->limits.needs_auth;
    info->has_policy = key->limits.has_policy;
    if (key->file.format == DEVID_KEYFILE_TSS2) {
        info->format = DEVID_PEM_TSS2;
    } else {
        info->format = DEVID_PEM_REFERENCE;
        (void)snprintf(info->uri, sizeof(info->uri), "%s", key->file.uri);
    }
    /* A device that is not asked cannot tell; the file can. */
    if (key->file.description != NULL &&
        strcmp(key->file.description, DEVID_IMPORTED) == 0)
        info->imported = true;
    if (key->file.description != NULL)
        (void)snprintf(info->description, sizeof(info->description), "%s",
                       key->file.description);
    key->be->key_info(key->private_key, info);
}

enum devid_err devid_delete(struct devid *engine, const char *uri,
                            struct devid_error *err)
{
    const struct devid_backend *be = NULL;
    void *state = NULL;
    enum devid_err e = devid_backend_for(engine, uri, &be, &state, err);

    return e != DEVID_OK ? e : be->remove(state, uri, err);
}

enum devid_err devid_list(struct devid *engine, const char *device,
                          devid_object_fn *fn, void *arg,
                          struct devid_error *err)
{
    const struct devid_backend *be = NULL;
    void *state = NULL;
    enum devid_err e = devid_backend_for(engine, device, &be, &state, err);

    return e != DEVID_OK ? e : be->list(state, device, fn, arg, err);
}

enum devid_err devid_cert_read(struct devid *engine, const char *uri,
                               uint8_t **der, size_t *len,
                               struct devid_error *err)
{
    const struct devid_backend *be = NULL;
    void *state = NULL;
    enum devid_err e = devid_backend_for(engine, uri, &be, &state, err);

    *der = NULL;
    *len = 0;
    return e != DEVID_OK ? e : be->cert_read(state, uri, der, len, err);
}

enum devid_err devid_nv_read(struct devid *engine, const char *uri,
                             uint8_t **data, size_t *len,
                             struct devid_error *err)
{
    const struct devid_backend *be = NULL;
    void *state = NULL;
    enum devid_err e = devid_backend_for(engine, uri, &be, &state, err);

    *data = NULL;
    *len = 0;
    if (e != DEVID_OK)
        return e;
    if (be->nv_read == NULL)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "a %s has no NV indices that could be read",
                          be->name);
    return be->nv_read(state, uri, data, len, err);
}

enum devid_err devid_cert_write(struct devid *engine,
                                const struct devid_cert_spec *spec,
                                struct devid_error *err)
{
    const struct devid_backend *be = NULL;
    void *state = NULL;
    enum devid_err e = devid_backend_for(engine, spec->uri, &be, &state, err);

    if (e != DEVID_OK)
        return e;
    if (be->cert_write == NULL)
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "devid writes no certificates to a %s", be->name);
    return be->cert_write(state, spec, err);
}

enum devid_err devid_whoami(struct devid *engine, const char *device,
                            struct devid_device_info *info,
                            struct devid_error *err)
{
    const struct devid_backend *be = NULL;
    void *state = NULL;
    enum devid_err e = devid_backend_for(engine, device, &be, &state, err);

    memset(info, 0, sizeof(*info));
    return e != DEVID_OK ? e : be->whoami(state, device, info, err);
}
