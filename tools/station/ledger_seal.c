/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger_seal.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct sealer {
    EVP_PKEY *key;
    char *station;
    void (*ready)(void *arg);
    void *arg;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool started;
    bool stopping;
    /* What is to be signed next, what is being signed, what is signed. */
    bool wanted;
    bool working;
    bool done;
    bool void_work; /* what is being signed is of no use any more */
    struct chain_seal next;
    struct chain_seal made;
    enum devid_err code;
    struct devid_error err;
};

/* Sign `seal`, which is the thread's own; called without the lock. */
static void keep_result(struct sealer *sealer, const struct chain_seal *seal,
                        enum devid_err code, const struct devid_error *err)
{
    sealer->working = false;
    sealer->code = code;
    if (code != DEVID_OK)
        sealer->err = *err;
    if (code != DEVID_OK || sealer->void_work)
        return;
    sealer->made = *seal;
    sealer->done = true;
}

static void *seal_heads(void *arg)
{
    struct sealer *sealer = arg;
    struct devid_error err;

    pthread_mutex_lock(&sealer->lock);
    for (;;) {
        struct chain_seal seal;
        enum devid_err code;
        bool has;
        while (!sealer->wanted && !sealer->stopping)
            pthread_cond_wait(&sealer->changed, &sealer->lock);
        if (!sealer->wanted)
            break;
        seal = sealer->next;
        sealer->wanted = false;
        sealer->working = true;
        sealer->void_work = false;
        pthread_mutex_unlock(&sealer->lock);
        code = chain_sign(sealer->key, &seal, &err);
        pthread_mutex_lock(&sealer->lock);
        keep_result(sealer, &seal, code, &err);
        has = sealer->done;
        pthread_cond_broadcast(&sealer->changed);
        pthread_mutex_unlock(&sealer->lock);
        if (has)
            sealer->ready(sealer->arg);
        pthread_mutex_lock(&sealer->lock);
    }
    pthread_mutex_unlock(&sealer->lock);
    return NULL;
}

enum devid_err sealer_new(EVP_PKEY *key, const char *station,
                          void (*ready)(void *arg), void *arg,
                          struct sealer **out, struct devid_error *err)
{
    struct sealer *sealer = OPENSSL_zalloc(sizeof(*sealer));
    pthread_condattr_t attributes;

    *out = NULL;
    if (!sealer || !(sealer->station = OPENSSL_strdup(station))) {
        OPENSSL_free(sealer);
        return ledger_no_memory(err);
    }
    EVP_PKEY_up_ref(key);
    sealer->key = key;
    sealer->ready = ready;
    sealer->arg = arg;
    pthread_mutex_init(&sealer->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&sealer->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    sealer->started =
        pthread_create(&sealer->thread, NULL, seal_heads, sealer) == 0;
    if (!sealer->started) {
        sealer_free(&sealer);
        return ledger_fail(err, DEVID_ERR_SYSTEM,
                           "no thread can be started that signs the log");
    }
    *out = sealer;
    return DEVID_OK;
}

void sealer_free(struct sealer **out)
{
    struct sealer *sealer = *out;

    *out = NULL;
    if (!sealer)
        return;
    pthread_mutex_lock(&sealer->lock);
    sealer->stopping = true;
    sealer->wanted = false;
    pthread_cond_broadcast(&sealer->changed);
    pthread_mutex_unlock(&sealer->lock);
    if (sealer->started)
        pthread_join(sealer->thread, NULL);
    pthread_cond_destroy(&sealer->changed);
    pthread_mutex_destroy(&sealer->lock);
    EVP_PKEY_free(sealer->key);
    OPENSSL_free(sealer->station);
    OPENSSL_free(sealer);
}

bool sealer_busy(struct sealer *sealer)
{
    bool busy;

    pthread_mutex_lock(&sealer->lock);
    busy = sealer->wanted || sealer->working;
    pthread_mutex_unlock(&sealer->lock);
    return busy;
}

void sealer_ask(struct sealer *sealer, int64_t seq, const char *head)
{
    pthread_mutex_lock(&sealer->lock);
    sealer->next.station = sealer->station;
    sealer->next.seq = seq;
    snprintf(sealer->next.head, sizeof(sealer->next.head), "%s", head);
    sealer->wanted = true;
    pthread_cond_broadcast(&sealer->changed);
    pthread_mutex_unlock(&sealer->lock);
}

void sealer_wait(struct sealer *sealer, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000 * 1000000);
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&sealer->lock);
    while (sealer->wanted || sealer->working) {
        if (pthread_cond_timedwait(&sealer->changed, &sealer->lock, &until))
            break;
    }
    pthread_mutex_unlock(&sealer->lock);
}

bool sealer_take(struct sealer *sealer, struct chain_seal *seal)
{
    bool done;

    pthread_mutex_lock(&sealer->lock);
    done = sealer->done;
    if (done)
        *seal = sealer->made;
    sealer->done = false;
    pthread_mutex_unlock(&sealer->lock);
    return done;
}

bool sealer_has(struct sealer *sealer)
{
    bool done;

    pthread_mutex_lock(&sealer->lock);
    done = sealer->done;
    pthread_mutex_unlock(&sealer->lock);
    return done;
}

void sealer_void(struct sealer *sealer)
{
    pthread_mutex_lock(&sealer->lock);
    sealer->wanted = false;
    sealer->done = false;
    sealer->void_work = true;
    pthread_mutex_unlock(&sealer->lock);
}

enum devid_err sealer_error(struct sealer *sealer, struct devid_error *err)
{
    enum devid_err code;

    pthread_mutex_lock(&sealer->lock);
    code = sealer->code;
    if (code != DEVID_OK && err)
        *err = sealer->err;
    pthread_mutex_unlock(&sealer->lock);
    return code;
}
