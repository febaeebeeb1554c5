/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers of the device that the setting random-source names. */
#include "engine.h"

#include <openssl/crypto.h>

#include <errno.h>
#include <string.h>
#include <sys/random.h>

/* Fewer may well be equal by chance. */
#define STUCK_MIN 16

/* What a broken bus, or a generator that stands still, answers. */
static bool is_stuck(const uint8_t *bytes, size_t len)
{
    return len >= STUCK_MIN && memcmp(bytes, bytes + 1, len - 1) == 0;
}

/*
 * The kernel's numbers on top: who reads along at the TPM's bus, or knows a
 * generator's weakness, still does not know the sum.
 */
static enum devid_err stir(uint8_t *bytes, size_t len, struct devid_error *err)
{
    uint8_t more[64];

    for (size_t done = 0; done < len;) {
        size_t n = len - done < sizeof(more) ? len - done : sizeof(more);

        /* Up to 256 bytes come whole: getrandom(2). */
        if (getrandom(more, n, 0) != (ssize_t)n)
            return devid_fail(err, DEVID_ERR_SYSTEM, 0,
                              "the kernel gives no random numbers: %s",
                              strerror(errno));
        for (size_t i = 0; i < n; i++)
            bytes[done + i] ^= more[i];
        done += n;
    }
    OPENSSL_cleanse(more, sizeof(more));
    return DEVID_OK;
}

enum devid_err devid_random(struct devid *engine, uint8_t *bytes, size_t len,
                            struct devid_error *err)
{
    const char *device = devid_get(engine, "random-source");
    const struct devid_backend *be = NULL;
    void *state = NULL;
    enum devid_err e;

    if (device == NULL)
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "no device is named that random numbers may come "
                          "from: set random-source to tpm2: or to a token's "
                          "URI such as pkcs11:token=factory");
    e = devid_backend_for(engine, device, &be, &state, err);
    if (e != DEVID_OK)
        return e;
    e = be->random(state, device, bytes, len, err);
    if (e == DEVID_OK && is_stuck(bytes, len))
        e = devid_fail(err, DEVID_ERR_DEVICE, 0,
                       "the %s answered %zu equal bytes where random ones were "
                       "asked for: its generator is broken, and none of them "
                       "is used",
                       be->name, len);
    if (e == DEVID_OK)
        e = stir(bytes, len, err);
    if (e != DEVID_OK)
        OPENSSL_cleanse(bytes, len);
    return e;
}
