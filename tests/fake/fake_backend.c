/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_backend.h"
#include "fake_device.h"
#include "support.h"

#include "uri.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define CERT_INDEX 0x01c90200U

static enum devid_err fake_open(const struct devid *engine, void **state,
                                struct devid_error *err)
{
    (void)engine;
    (void)err;
    fake_count(&fake_device.calls.open);
    *state = &fake_device;
    return DEVID_OK;
}

static void fake_close(void **state)
{
    fake_count(&fake_device.calls.close);
    *state = NULL;
}

static enum devid_err fake_remove(void *state, const char *text,
                                  struct devid_error *err)
{
    struct devid_tpm2_uri uri;
    struct fake_slot *slot;
    enum devid_err e = devid_tpm2_uri_parse(text, &uri, err);

    (void)state;
    if (e == DEVID_OK)
        e = fake_answer(&fake_device.calls.remove, err);
    if (e != DEVID_OK)
        return e;
    fake_lock();
    slot = fake_find_slot(uri.handle);
    if (uri.handle == 0 || slot == NULL) {
        e = fake_no_such_handle(uri.handle, err);
    } else {
        EVP_PKEY_free(slot->pkey);
        memset(slot, 0, sizeof(*slot));
    }
    fake_unlock();
    return e;
}

static enum devid_err fake_list(void *state, const char *device,
                                devid_object_fn *fn, void *arg,
                                struct devid_error *err)
{
    struct devid_object object;
    size_t i;
    enum devid_err e = fake_answer(&fake_device.calls.list, err);

    (void)state;
    (void)device;
    for (i = 0; e == DEVID_OK && i < FAKE_SLOTS; i++) {
        if (fake_device.slots[i].handle == 0)
            continue;
        memset(&object, 0, sizeof(object));
        object.type = DEVID_OBJECT_KEY;
        (void)snprintf(object.uri, sizeof(object.uri), "tpm2:handle=0x%08x",
                       (unsigned)fake_device.slots[i].handle);
        software_public(fake_device.slots[i].pkey, &object.public_key);
        object.has_public = true;
        e = fn(&object, arg, err);
    }
    return e;
}

static enum devid_err fake_cert_read(void *state, const char *text,
                                     uint8_t **der, size_t *len,
                                     struct devid_error *err)
{
    struct devid_tpm2_uri uri;
    enum devid_err e = devid_tpm2_uri_parse(text, &uri, err);

    (void)state;
    if (e == DEVID_OK)
        e = fake_answer(&fake_device.calls.cert_read, err);
    if (e != DEVID_OK)
        return e;
    if (uri.handle != CERT_INDEX || fake_device.cert_len == 0)
        return fake_no_such_handle(uri.handle, err);
    *der = OPENSSL_memdup(fake_device.cert, fake_device.cert_len);
    *len = fake_device.cert_len;
    return DEVID_OK;
}

static enum devid_err fake_whoami(void *state, const char *device,
                                  struct devid_device_info *info,
                                  struct devid_error *err)
{
    enum devid_err e = fake_answer(&fake_device.calls.whoami, err);

    (void)state;
    (void)device;
    if (e != DEVID_OK)
        return e;
    (void)snprintf(info->device, sizeof(info->device), "fake");
    (void)snprintf(info->manufacturer, sizeof(info->manufacturer), "FAKE");
    memset(info->id, 'a', 64);
    (void)snprintf(info->id_source, sizeof(info->id_source), "imagination");
    return DEVID_OK;
}

/* From the system: OpenSSL's generator may be asking for its seed. */
static enum devid_err fake_random(void *state, const char *device,
                                  uint8_t *bytes, size_t len,
                                  struct devid_error *err)
{
    enum devid_err e = fake_answer(&fake_device.calls.random, err);

    (void)state;
    (void)device;
    if (e != DEVID_OK)
        return e;
    assert_int_equal(getrandom(bytes, len, 0), len);
    fake_lock();
    if (fake_device.random >= 0)
        memset(bytes, fake_device.random, len);
    fake_unlock();
    return DEVID_OK;
}

static void fake_shutdown(void)
{
}

static const char *const schemes[] = {"tpm2", "handle", NULL};

static const struct devid_backend backend = {
    .name = "fake",
    .secret = "auth value",
    .secret_setting = "auth-source",
    .schemes = schemes,
    .open = fake_open,
    .close = fake_close,
    .key_open = fake_key_open,
    .key_free = fake_key_free,
    .key_set_auth = fake_key_set_auth,
    .key_find = fake_key_find,
    .key_create = fake_key_create,
    .sign = fake_sign,
    .decrypt = fake_decrypt,
    .derive = fake_derive,
    .key_info = fake_key_info,
    .remove = fake_remove,
    .list = fake_list,
    .cert_read = fake_cert_read,
    .whoami = fake_whoami,
    .random = fake_random,
    .shutdown = fake_shutdown,
};

const struct devid_backend *const fake_backends[] = {&backend, NULL};
