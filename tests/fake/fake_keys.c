/* SPDX-License-Identifier: Apache-2.0 */
/* The fake's keys. */
#include "fake_device.h"
#include "support.h"

#include "secret.h"
#include "uri.h"

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <string.h>

#define OWNER 0x40000001U

/* TPM2B: a size in two bytes, then the data in two parts. */
static uint8_t *tpm2b(const void *head, size_t head_len, const uint8_t *data,
                      size_t len, size_t *out_len)
{
    size_t n = head_len + len;
    uint8_t *out = OPENSSL_malloc(n + 2);

    assert_non_null(out);
    out[0] = (uint8_t)(n >> 8);
    out[1] = (uint8_t)n;
    memcpy(out + 2, head, head_len);
    memcpy(out + 2 + head_len, data, len);
    *out_len = n + 2;
    return out;
}

/* A blob of the fake: the key in clear behind its attributes. */
static void write_blob(EVP_PKEY *pkey, const struct fake_attributes *attributes,
                       struct devid_keyfile *file)
{
    uint8_t *spki = NULL;
    uint8_t *private = NULL;
    int spki_len = i2d_PUBKEY(pkey, &spki);
    int private_len = i2d_PrivateKey(pkey, &private);

    assert_true(spki_len > 0 && private_len > 0);
    file->format = DEVID_KEYFILE_TSS2;
    file->empty_auth = attributes->auth_len == 0;
    file->parent = OWNER;
    file->tpm_public =
        tpm2b("", 0, spki, (size_t)spki_len, &file->tpm_public_len);
    file->tpm_private = tpm2b(attributes, sizeof(*attributes), private,
                              (size_t)private_len, &file->tpm_private_len);
    OPENSSL_free(spki);
    OPENSSL_clear_free(private, (size_t)private_len);
}

static enum devid_err read_blob(const struct devid_keyfile *file,
                                struct fake_key *key, struct devid_error *err)
{
    const size_t head = 2 + sizeof(key->attributes);
    const uint8_t *p = file->tpm_private + head;
    enum devid_err e = devid_public_from_spki(
        file->tpm_public + 2, file->tpm_public_len - 2, &key->pub, err);

    if (e != DEVID_OK)
        return e;
    assert_true(file->tpm_private_len > head);
    memcpy(&key->attributes, file->tpm_private + 2, sizeof(key->attributes));
    /* NULL where it is damaged: shows at first use, as with a TPM. */
    (void)ERR_set_mark();
    key->pkey =
        d2i_AutoPrivateKey(NULL, &p, (long)(file->tpm_private_len - head));
    (void)ERR_pop_to_mark();
    return DEVID_OK;
}

static enum devid_err read_reference(const struct devid_keyfile *file,
                                     struct fake_key *key, bool *needs_auth,
                                     struct devid_error *err)
{
    struct devid_tpm2_uri uri;
    enum devid_err e = devid_tpm2_uri_parse(file->uri, &uri, err);

    key->pub = file->public_key;
    key->handle = uri.handle;
    *needs_auth = uri.auth_required;
    return e;
}

void fake_key_free(void **key)
{
    struct fake_key *self = *key;

    fake_count(&fake_device.calls.key_free);
    EVP_PKEY_free(self->pkey);
    devid_secret_free(&self->auth);
    OPENSSL_free(self);
    *key = NULL;
}

void fake_key_set_auth(void *key, struct devid_secret *auth)
{
    struct fake_key *self = key;

    devid_secret_free(&self->auth);
    self->auth = auth;
}

enum devid_err fake_key_open(void *state, const struct devid_keyfile *file,
                             void **key, struct devid_public *pub,
                             struct devid_key_limits *limits,
                             struct devid_error *err)
{
    struct fake_key *self = OPENSSL_zalloc(sizeof(*self));
    bool is_blob = file->format == DEVID_KEYFILE_TSS2;
    bool needs_auth = is_blob && !file->empty_auth;
    enum devid_err e;

    (void)state;
    assert_non_null(self);
    fake_count(&fake_device.calls.key_open);
    e = is_blob ? read_blob(file, self, err)
                : read_reference(file, self, &needs_auth, err);
    if (e != DEVID_OK) {
        OPENSSL_free(self);
        return e;
    }
    *pub = self->pub;
    *limits = fake_device.limits;
    limits->decrypt = limits->decrypt || self->attributes.decrypt;
    limits->learnt_later = limits->learnt_later || !is_blob;
    limits->needs_auth = limits->needs_auth || needs_auth;
    limits->has_policy = limits->has_policy || file->has_policy;
    *key = self;
    return DEVID_OK;
}

/* Fill in a reference to what lies at a handle. */
static void write_reference(const struct fake_slot *slot,
                            struct devid_keyfile *file)
{
    char uri[64];

    (void)snprintf(uri, sizeof(uri), "tpm2:handle=0x%08x%s",
                   (unsigned)slot->handle,
                   slot->attributes.auth_len > 0 ? ";auth=required" : "");
    file->format = DEVID_KEYFILE_REFERENCE;
    file->uri = OPENSSL_strdup(uri);
    file->has_public = true;
    software_public(slot->pkey, &file->public_key);
}

enum devid_err fake_key_find(void *state, const char *text,
                             struct devid_keyfile *file,
                             struct devid_error *err)
{
    struct devid_tpm2_uri uri;
    struct fake_slot *slot;
    enum devid_err e = devid_tpm2_uri_parse(text, &uri, err);

    (void)state;
    if (e == DEVID_OK && uri.kind != DEVID_TPM2_KEY)
        e = devid_fail(err, DEVID_ERR_INPUT, 0, "'%.100s' names no key", text);
    if (e == DEVID_OK)
        e = fake_answer(&fake_device.calls.key_find, err);
    if (e != DEVID_OK)
        return e;
    fake_lock();
    slot = fake_find_slot(uri.handle);
    if (slot == NULL)
        e = fake_no_such_handle(uri.handle, err);
    else
        write_reference(slot, file);
    fake_unlock();
    return e;
}

static EVP_PKEY *new_key(const struct devid_algorithm *a)
{
    /* RSA keys take long to make, and differ no more than they need to. */
    EVP_PKEY *pkey =
        a->type == DEVID_KEY_EC ? EVP_EC_gen(a->group) : software_key(a->name);

    assert_non_null(pkey);
    return pkey;
}

static enum devid_err persist(const char *handle_text, EVP_PKEY *pkey,
                              const struct fake_attributes *attributes,
                              struct devid_keyfile *file,
                              struct devid_error *err)
{
    uint32_t handle = 0;
    struct fake_slot *slot = NULL;
    enum devid_err e = devid_handle_parse(handle_text, "persist", &handle, err);

    if (e != DEVID_OK)
        return e;
    if (handle >> 24 != 0x81)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "persist 0x%08x is no persistent handle",
                          (unsigned)handle);
    fake_lock();
    if (fake_find_slot(handle) != NULL) {
        e = devid_fail(err, DEVID_ERR_EXISTS, 0x14c,
                       "the handle 0x%08x is taken", (unsigned)handle);
    } else {
        slot = fake_find_slot(0);
        assert_non_null(slot);
        slot->handle = handle;
        slot->attributes = *attributes;
        slot->pkey = pkey;
        assert_int_equal(EVP_PKEY_up_ref(pkey), 1);
        write_reference(slot, file);
    }
    fake_unlock();
    return e;
}

/* The parents that a TPM knows; of the persistent ones, this one has none. */
static enum devid_err check_parent(const char *parent, struct devid_error *err)
{
    static const char *const names[] = {"owner", "endorsement", "platform",
                                        "null"};
    uint32_t handle = 0;
    size_t i;
    enum devid_err e;

    if (parent == NULL)
        return DEVID_OK;
    for (i = 0; i < COUNT(names); i++) {
        if (strcmp(parent, names[i]) == 0)
            return DEVID_OK;
    }
    e = devid_handle_parse(parent, "parent", &handle, err);
    return e != DEVID_OK ? e : fake_no_such_handle(handle, err);
}

enum devid_err fake_key_create(void *state, const struct devid_key_spec *spec,
                               struct devid_keyfile *file,
                               struct devid_error *err)
{
    const struct devid_algorithm *a = devid_algorithm_by_name(spec->algorithm);
    struct fake_attributes attributes = {.decrypt = spec->decrypt};
    EVP_PKEY *pkey;
    enum devid_err e;

    (void)state;
    if (a == NULL)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the fake has no '%.60s', but ec-p256 and others",
                          spec->algorithm);
    if (spec->auth_len > FAKE_AUTH_MAX)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the auth value has %zu bytes; 32 are the most",
                          spec->auth_len);
    attributes.auth_len = (uint8_t)spec->auth_len;
    if (spec->auth_len > 0)
        memcpy(attributes.auth, spec->auth, spec->auth_len);
    e = check_parent(spec->parent, err);
    if (e == DEVID_OK)
        e = fake_answer(&fake_device.calls.key_create, err);
    if (e != DEVID_OK)
        return e;
    pkey = new_key(a);
    if (spec->persist != NULL)
        e = persist(spec->persist, pkey, &attributes, file, err);
    else
        write_blob(pkey, &attributes, file);
    EVP_PKEY_free(pkey);
    return e;
}

void fake_key_info(const void *key, struct devid_key_info *info)
{
    const struct fake_key *self = key;

    (void)snprintf(info->location, sizeof(info->location), "in the %s",
                   self->handle == 0 ? "file" : "fake");
}
