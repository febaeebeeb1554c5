/* SPDX-License-Identifier: Apache-2.0 */
/* The fake's memory, its script and its counters. */
#include "fake_device.h"
#include "support.h"

#include <openssl/evp.h>

#include <stdio.h>
#include <string.h>

struct fake_device fake_device = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .limits = {.sign = true},
    .random = -1,
};

void fake_lock(void)
{
    (void)pthread_mutex_lock(&fake_device.lock);
}

void fake_unlock(void)
{
    (void)pthread_mutex_unlock(&fake_device.lock);
}

struct fake_calls fake_calls(void)
{
    struct fake_calls copy;

    fake_lock();
    copy = fake_device.calls;
    fake_unlock();
    return copy;
}

void fake_reset(void)
{
    size_t i;

    fake_lock();
    for (i = 0; i < FAKE_SLOTS; i++)
        EVP_PKEY_free(fake_device.slots[i].pkey);
    memset(fake_device.slots, 0, sizeof(fake_device.slots));
    memset(&fake_device.calls, 0, sizeof(fake_device.calls));
    fake_device.script_len = 0;
    fake_device.spoilt = 0;
    fake_device.doubtful = false;
    fake_device.cert_len = 0;
    fake_device.random = -1;
    fake_device.limits = (struct devid_key_limits){.sign = true};
    fake_unlock();
}

void fake_fail_next(enum devid_err code, uint32_t device_rc, const char *text)
{
    fake_lock();
    assert_true(fake_device.script_len < FAKE_SCRIPT_MAX);
    fake_device.script[fake_device.script_len].code = code;
    fake_device.script[fake_device.script_len].device_rc = device_rc;
    (void)snprintf(fake_device.script[fake_device.script_len].text,
                   sizeof(fake_device.script[0].text), "%s", text);
    fake_device.script_len++;
    fake_unlock();
}

void fake_spoil(unsigned count, bool doubtful)
{
    fake_lock();
    fake_device.spoilt = count;
    fake_device.doubtful = doubtful;
    fake_unlock();
}

void fake_set_random(int value)
{
    fake_lock();
    fake_device.random = value;
    fake_unlock();
}

void fake_set_limits(const struct devid_key_limits *limits)
{
    fake_device.limits = *limits;
}

void fake_set_cert(const uint8_t *der, size_t len)
{
    assert_true(len <= sizeof(fake_device.cert));
    memcpy(fake_device.cert, der, len);
    fake_device.cert_len = len;
}

void fake_count(unsigned *call)
{
    fake_lock();
    (*call)++;
    fake_unlock();
}

enum devid_err fake_answer(unsigned *call, struct devid_error *err)
{
    struct fake_answer a = {.code = DEVID_OK};

    fake_lock();
    (*call)++;
    if (fake_device.script_len > 0) {
        a = fake_device.script[0];
        fake_device.script_len--;
        memmove(fake_device.script, fake_device.script + 1,
                fake_device.script_len * sizeof(a));
    }
    fake_unlock();
    return a.code == DEVID_OK
               ? DEVID_OK
               : devid_fail(err, a.code, a.device_rc, "%s", a.text);
}

struct fake_slot *fake_find_slot(uint32_t handle)
{
    size_t i;

    for (i = 0; i < FAKE_SLOTS; i++) {
        if (fake_device.slots[i].handle == handle)
            return &fake_device.slots[i];
    }
    return NULL;
}

enum devid_err fake_no_such_handle(uint32_t handle, struct devid_error *err)
{
    return devid_fail(err, DEVID_ERR_NOT_FOUND, 0x18b,
                      "the fake has no object at 0x%08x: devid list shows "
                      "what it has",
                      (unsigned)handle);
}
