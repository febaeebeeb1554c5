/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger as a whole: opened and closed, its queue and the thread of it.
 */
#include "ledger.h"

#include <openssl/crypto.h>
#include <string.h>

#include "ledger_queue.h"

enum {
    QUEUE_MAX = 4096,
    LEASE = 64,
};

/* ---- the thread -------------------------------------------------------- */

/* A signature came when no commit waited for it. */
static void on_sealed(void *arg)
{
    struct ledger *ledger = arg;

    pthread_mutex_lock(&ledger->lock);
    ledger->sealed = true;
    pthread_cond_signal(&ledger->filled);
    pthread_mutex_unlock(&ledger->lock);
}

/* Take what waits; false: the ledger is being closed, and nothing does. */
static bool take_group(struct ledger *ledger, size_t *count)
{
    bool go_on;

    *count = 0;
    pthread_mutex_lock(&ledger->lock);
    while (!ledger->first && !ledger->stopping && !ledger->sealed)
        pthread_cond_wait(&ledger->filled, &ledger->lock);
    while (ledger->first && *count < LEDGER_GROUP_MAX) {
        struct ledger_job *job = ledger->first;
        ledger->first = job->next;
        ledger->waiting--;
        ledger->works[*count] =
            (struct work){.job = job, .station = ledger->station};
        *count += 1;
    }
    if (!ledger->first)
        ledger->last = NULL;
    go_on = *count > 0 || !ledger->stopping;
    ledger->sealed = false;
    pthread_cond_broadcast(&ledger->emptied);
    pthread_mutex_unlock(&ledger->lock);
    return go_on;
}

/* The thread of the queue. */
static void *ledger_write_queue(void *arg)
{
    struct ledger *ledger = arg;
    size_t count;

    while (take_group(ledger, &count)) {
        if (count == 0 && !sealer_has(ledger->sealer))
            continue;
        ledger_commit(ledger, count);
        for (size_t i = 0; i < count; i++) {
            struct ledger_job *job = ledger->works[i].job;
            work_hand_over(&ledger->works[i]);
            work_clear(&ledger->works[i]);
            job->done(job);
        }
    }
    ledger_end_chain(ledger);
    return NULL;
}

/* ---- jobs -------------------------------------------------------------- */

/* Under the lock. */
static void append(struct ledger *ledger, struct ledger_job *job)
{
    job->next = NULL;
    if (ledger->last)
        ledger->last->next = job;
    else
        ledger->first = job;
    ledger->last = job;
    ledger->waiting++;
    pthread_cond_signal(&ledger->filled);
}

bool ledger_submit(struct ledger *ledger, struct ledger_job *job)
{
    bool room;

    pthread_mutex_lock(&ledger->lock);
    room = ledger->started && ledger->waiting < ledger->queue_max;
    if (room)
        append(ledger, job);
    pthread_mutex_unlock(&ledger->lock);
    return room;
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
};

static void wake(struct ledger_job *job)
{
    struct waiter *waiter = job->arg;

    pthread_mutex_lock(&waiter->lock);
    waiter->done = true;
    pthread_cond_signal(&waiter->changed);
    pthread_mutex_unlock(&waiter->lock);
}

enum ledger_outcome ledger_do(struct ledger *ledger, struct ledger_job *job)
{
    struct waiter waiter = {.done = false};

    if (!ledger->started) {
        ledger_fail(&job->error, DEVID_ERR_USAGE,
                    "the ledger was opened to be read alone");
        return job->outcome = LEDGER_FAILED;
    }
    pthread_mutex_init(&waiter.lock, NULL);
    pthread_cond_init(&waiter.changed, NULL);
    job->done = wake;
    job->arg = &waiter;
    pthread_mutex_lock(&ledger->lock);
    while (ledger->waiting >= ledger->queue_max)
        pthread_cond_wait(&ledger->emptied, &ledger->lock);
    append(ledger, job);
    pthread_mutex_unlock(&ledger->lock);

    pthread_mutex_lock(&waiter.lock);
    while (!waiter.done)
        pthread_cond_wait(&waiter.changed, &waiter.lock);
    pthread_mutex_unlock(&waiter.lock);
    pthread_cond_destroy(&waiter.changed);
    pthread_mutex_destroy(&waiter.lock);
    return job->outcome;
}

enum devid_err ledger_signing(struct ledger *ledger, struct devid_error *err)
{
    return ledger->sealer ? sealer_error(ledger->sealer, err) : DEVID_OK;
}

/* ---- opening ----------------------------------------------------------- */

static const struct ledger_store *store_of(const char *url)
{
    static const char *const schemes[] = {"postgresql://", "postgres://"};

    for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
        if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
            return &ledger_postgres;
    }
    return &ledger_sqlite;
}

static struct ledger *ledger_new(const struct ledger_spec *spec)
{
    struct ledger *ledger = OPENSSL_zalloc(sizeof(*ledger));

    if (!ledger)
        return NULL;
    pthread_mutex_init(&ledger->lock, NULL);
    pthread_mutex_init(&ledger->read_lock, NULL);
    pthread_cond_init(&ledger->filled, NULL);
    pthread_cond_init(&ledger->emptied, NULL);
    ledger->store = store_of(spec->url);
    ledger->url = OPENSSL_strdup(spec->url);
    ledger->station = OPENSSL_strdup(spec->station ? spec->station : "");
    ledger->lease = spec->lease ? spec->lease : LEASE;
    ledger->queue_max = spec->queue_max ? spec->queue_max : QUEUE_MAX;
    if (!ledger->url || !ledger->station)
        ledger_close(&ledger);
    return ledger;
}

static enum devid_err start_writing(struct ledger *ledger,
                                    const struct ledger_spec *spec,
                                    struct devid_error *err)
{
    enum devid_err code;

    if (!*ledger->station || strlen(ledger->station) >= LEDGER_TEXT_SIZE)
        return ledger_fail(err, DEVID_ERR_INPUT,
                           "who writes to a ledger needs a station's name of "
                           "at most %d bytes",
                           LEDGER_TEXT_SIZE - 1);
    code = ledger->store->open(spec->url, spec->create, &ledger->writer, err);
    if (code == DEVID_OK)
        code = sealer_new(spec->key, ledger->station, on_sealed, ledger,
                          &ledger->sealer, err);
    if (code == DEVID_OK)
        code = ledger_begin_chain(ledger, err);
    if (code != DEVID_OK)
        return code;
    ledger->started =
        pthread_create(&ledger->thread, NULL, ledger_write_queue, ledger) == 0;
    return ledger->started ? DEVID_OK
                           : ledger_fail(err, DEVID_ERR_SYSTEM,
                                         "the ledger's thread cannot be "
                                         "started");
}

enum devid_err ledger_open(const struct ledger_spec *spec, struct ledger **out,
                           struct devid_error *err)
{
    struct ledger *ledger = ledger_new(spec);
    enum devid_err code = DEVID_OK;

    *out = NULL;
    if (!ledger)
        return ledger_no_memory(err);
    if (spec->key)
        code = start_writing(ledger, spec, err);
    if (code == DEVID_OK)
        code = ledger->store->open(spec->url, false, &ledger->reader, err);
    if (code == DEVID_OK)
        *out = ledger;
    else
        ledger_close(&ledger);
    return code;
}

void ledger_close(struct ledger **out)
{
    struct ledger *ledger = *out;

    *out = NULL;
    if (!ledger)
        return;
    if (ledger->started) {
        pthread_mutex_lock(&ledger->lock);
        ledger->stopping = true;
        pthread_cond_signal(&ledger->filled);
        pthread_mutex_unlock(&ledger->lock);
        pthread_join(ledger->thread, NULL);
    }
    sealer_free(&ledger->sealer);
    ledger->store->close(ledger->writer);
    ledger->store->close(ledger->reader);
    while (ledger->idle_count > 0)
        ledger->store->close(ledger->idle[--ledger->idle_count]);
    pthread_cond_destroy(&ledger->emptied);
    pthread_cond_destroy(&ledger->filled);
    pthread_mutex_destroy(&ledger->read_lock);
    pthread_mutex_destroy(&ledger->lock);
    OPENSSL_free(ledger->station);
    OPENSSL_free(ledger->url);
    OPENSSL_free(ledger);
}
