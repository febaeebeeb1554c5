/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"
#include "backend.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/crypto.h>

struct devid_secret {
    uint8_t *page;        /* private: a child wipes its own copy alone */
    atomic_bool *refused; /* shared with parents and children */
    size_t len;
};

#define PAGE_SIZE 4096u /* at least DEVID_SECRET_MAX; mmap rounds up */

static void *map_page(int sharing)
{
    void *page = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
                      sharing | MAP_ANONYMOUS, -1, 0);

    return page == MAP_FAILED ? NULL : page;
}

enum devid_err devid_secret_new(const void *data, size_t len,
                                struct devid_secret **secret,
                                struct devid_error *err)
{
    struct devid_secret *self;

    *secret = NULL;
    if (len > DEVID_SECRET_MAX) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the secret is longer than %d bytes",
                          DEVID_SECRET_MAX);
    }
    self = OPENSSL_zalloc(sizeof(*self));
    if (self == NULL)
        return devid_no_memory(err);
    self->page = map_page(MAP_PRIVATE);
    self->refused = map_page(MAP_SHARED);
    if (self->page == NULL || self->refused == NULL) {
        devid_secret_free(&self);
        return devid_no_memory(err);
    }
    /* Both may be denied to a user; the secret is no less right for it. */
    (void)mlock(self->page, PAGE_SIZE);
    (void)madvise(self->page, PAGE_SIZE, MADV_DONTDUMP);
    atomic_init(self->refused, false);
    if (len > 0)
        memcpy(self->page, data, len);
    self->len = len;
    *secret = self;
    return DEVID_OK;
}

void devid_secret_free(struct devid_secret **secret)
{
    struct devid_secret *self = *secret;

    *secret = NULL;
    if (self == NULL)
        return;
    if (self->page != NULL) {
        OPENSSL_cleanse(self->page, PAGE_SIZE);
        (void)munmap(self->page, PAGE_SIZE);
    }
    if (self->refused != NULL)
        (void)munmap(self->refused, PAGE_SIZE);
    OPENSSL_free(self);
}

const uint8_t *devid_secret_data(const struct devid_secret *secret)
{
    return secret->page;
}

size_t devid_secret_len(const struct devid_secret *secret)
{
    return secret->len;
}

void devid_secret_refuse(struct devid_secret *secret)
{
    atomic_store(secret->refused, true);
}

bool devid_secret_is_refused(const struct devid_secret *secret)
{
    return atomic_load(secret->refused);
}
