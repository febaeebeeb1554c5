/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"
#include "backend.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

/* In a page that parents and children share. */
struct shared {
    atomic_bool refused;
    atomic_bool good;
    atomic_int turn; /* the process that has it; 0: nobody */
};

struct devid_secret {
    uint8_t *page; /* private: a child wipes its own copy alone */
    struct shared *shared;
    size_t len;
};

#define PAGE_SIZE 4096u /* at least DEVID_SECRET_MAX; mmap rounds up */
#define TURN_WAIT_NS 1000000L

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
    self->shared = map_page(MAP_SHARED);
    if (self->page == NULL || self->shared == NULL) {
        devid_secret_free(&self);
        return devid_no_memory(err);
    }
    /* Both may be denied to a user; the secret is no less right for it. */
    (void)mlock(self->page, PAGE_SIZE);
    (void)madvise(self->page, PAGE_SIZE, MADV_DONTDUMP);
    atomic_init(&self->shared->refused, false);
    atomic_init(&self->shared->good, false);
    atomic_init(&self->shared->turn, 0);
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
    if (self->shared != NULL)
        (void)munmap(self->shared, PAGE_SIZE);
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
    atomic_store(&secret->shared->refused, true);
    atomic_store(&secret->shared->turn, 0);
}

bool devid_secret_is_refused(const struct devid_secret *secret)
{
    return atomic_load(&secret->shared->refused);
}

/* The turn of a process that is gone is nobody's. */
static void end_dead_turn(struct shared *shared)
{
    int owner = atomic_load(&shared->turn);

    if (owner != 0 && kill(owner, 0) != 0 && errno == ESRCH)
        (void)atomic_compare_exchange_strong(&shared->turn, &owner, 0);
}

enum devid_secret_turn devid_secret_begin(struct devid_secret *secret)
{
    struct shared *shared = secret->shared;
    const struct timespec wait = {.tv_nsec = TURN_WAIT_NS};

    for (;;) {
        int nobody = 0;

        if (atomic_load(&shared->refused))
            return DEVID_SECRET_REFUSED;
        if (atomic_load(&shared->good))
            return DEVID_SECRET_GOOD;
        if (atomic_compare_exchange_strong(&shared->turn, &nobody,
                                           (int)getpid())) {
            /* It may have been refused between the look and the turn. */
            if (!atomic_load(&shared->refused))
                return DEVID_SECRET_TRY;
            atomic_store(&shared->turn, 0);
            return DEVID_SECRET_REFUSED;
        }
        end_dead_turn(shared);
        (void)nanosleep(&wait, NULL); /* shorter by a signal: no harm */
    }
}

void devid_secret_end(struct devid_secret *secret, bool good)
{
    if (good)
        atomic_store(&secret->shared->good, true);
    atomic_store(&secret->shared->turn, 0);
}
