/* SPDX-License-Identifier: Apache-2.0 */
#include "secret.h"
#include "backend.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include <openssl/crypto.h>

/* In a page that parents and children share. */
struct shared {
    atomic_bool refused;
    atomic_bool good;
    /*
     * Robust: the kernel ends the turn of a process with the process, where
     * its parent has not waited for it yet as well, and whatever number the
     * next process gets.
     */
    pthread_mutex_t turn;
};

struct devid_secret {
    void *page; /* private: a child wipes its own copy alone */
    struct shared *shared;
    size_t len;
};

#define PAGE_SIZE 4096u /* at least DEVID_SECRET_MAX; mmap rounds up */

static void *map(size_t size, int sharing)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        sharing | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

void *devid_locked_new(size_t size)
{
    void *memory = map(size, MAP_PRIVATE);

    if (memory == NULL)
        return NULL;
    /* Both may be denied to a user; the secret is no less right for it. */
    (void)mlock(memory, size);
    (void)madvise(memory, size, MADV_DONTDUMP);
    return memory;
}

void devid_locked_free(void **memory, size_t size)
{
    if (*memory == NULL)
        return;
    OPENSSL_cleanse(*memory, size);
    (void)munmap(*memory, size);
    *memory = NULL;
}

static bool init_turn(pthread_mutex_t *turn)
{
    pthread_mutexattr_t attributes;
    bool ok;

    if (pthread_mutexattr_init(&attributes) != 0)
        return false;
    ok = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) ==
             0 &&
         pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0 &&
         pthread_mutex_init(turn, &attributes) == 0;
    (void)pthread_mutexattr_destroy(&attributes); /* of no memory of its own */
    return ok;
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
    self->page = devid_locked_new(PAGE_SIZE);
    self->shared = map(PAGE_SIZE, MAP_SHARED);
    if (self->page == NULL || self->shared == NULL ||
        !init_turn(&self->shared->turn)) {
        devid_secret_free(&self);
        return devid_no_memory(err);
    }
    atomic_init(&self->shared->refused, false);
    atomic_init(&self->shared->good, false);
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
    devid_locked_free(&self->page, PAGE_SIZE);
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

bool devid_secret_is_refused(const struct devid_secret *secret)
{
    return atomic_load(&secret->shared->refused);
}

/* ---- taking turns ---------------------------------------------------- */

/* Whose turn this thread has; it asks one device at a time. */
static _Thread_local const struct shared *mine;

/* What is known is set before, so that who comes next sees it. */
static void end_turn(struct shared *shared)
{
    if (mine != shared)
        return;
    mine = NULL;
    (void)pthread_mutex_unlock(&shared->turn);
}

/* DEVID_SECRET_TRY: nobody knows yet. */
static enum devid_secret_turn known(const struct shared *shared)
{
    if (atomic_load(&shared->refused))
        return DEVID_SECRET_REFUSED;
    return atomic_load(&shared->good) ? DEVID_SECRET_GOOD : DEVID_SECRET_TRY;
}

enum devid_secret_turn devid_secret_begin(struct devid_secret *secret)
{
    struct shared *shared = secret->shared;
    enum devid_secret_turn turn = known(shared);

    if (turn != DEVID_SECRET_TRY)
        return turn;
    /* Who died with the turn learnt nothing: it is as if it had not begun. */
    if (pthread_mutex_lock(&shared->turn) == EOWNERDEAD)
        (void)pthread_mutex_consistent(&shared->turn);
    mine = shared;
    turn = known(shared);
    if (turn != DEVID_SECRET_TRY)
        end_turn(shared);
    return turn;
}

void devid_secret_end(struct devid_secret *secret, bool good)
{
    if (good)
        atomic_store(&secret->shared->good, true);
    end_turn(secret->shared);
}

void devid_secret_refuse(struct devid_secret *secret)
{
    atomic_store(&secret->shared->refused, true);
    end_turn(secret->shared);
}
