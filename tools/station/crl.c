/* SPDX-License-Identifier: Apache-2.0 */
#include "crl_sign.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exchange.h"
#include "keys.h"
#include "message.h"

enum {
    LOOK_S = 5 /* for what other stations on the ledger have revoked */
};

struct shard {
    struct crl_list *list;
    uint64_t mark; /* of what is on it */
    int64_t made_ms;
};

struct crl {
    const struct context *context;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the lists, wanted and ending */
    pthread_cond_t change;
    bool wanted;
    bool ending;
    unsigned count;
    struct shard shards[];
};

struct entries {
    const struct context *context;
    struct entry *all;
    size_t count;
    size_t room;
};

/* ---- lists ------------------------------------------------------------- */

void crl_list_free(struct crl_list *list)
{
    if (list && atomic_fetch_sub(&list->refs, 1) == 1)
        free(list);
}

struct crl_list *crl_get(struct crl *crl, unsigned long number)
{
    struct crl_list *list = NULL;

    if (number >= crl->count)
        return NULL;
    pthread_mutex_lock(&crl->lock);
    list = crl->shards[number].list;
    if (list)
        atomic_fetch_add(&list->refs, 1);
    pthread_mutex_unlock(&crl->lock);
    return list;
}

static bool set_list(struct crl *crl, unsigned number, X509_CRL *made)
{
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(made, &der);
    struct crl_list *list =
        len > 0 ? malloc(sizeof(*list) + (size_t)len) : NULL;
    struct crl_list *old;

    if (list) {
        atomic_init(&list->refs, 1);
        list->len = (size_t)len;
        memcpy(list->der, der, (size_t)len);
        pthread_mutex_lock(&crl->lock);
        old = crl->shards[number].list;
        crl->shards[number].list = list;
        pthread_mutex_unlock(&crl->lock);
        crl_list_free(old);
    }
    OPENSSL_free(der);
    return list != NULL;
}

/* ---- what is revoked --------------------------------------------------- */

static bool keep(void *arg, const struct ledger_revoked *revoked)
{
    struct entries *entries = arg;
    struct entry *entry;

    if (entries->count == entries->room) {
        size_t room = entries->room ? 2 * entries->room : 64;
        void *more = realloc(entries->all, room * sizeof(*entries->all));
        if (!more)
            die_no_memory();
        entries->all = more;
        entries->room = room;
    }
    entry = &entries->all[entries->count++];
    *entry = (struct entry){
        .shard = exchange_shard(entries->context, revoked->unit),
        .reason = revoked->reason,
        .revoked_ms = revoked->revoked_ms,
    };
    snprintf(entry->number, sizeof(entry->number), "%s", revoked->number);
    return true;
}

/* Sums do not depend on the order; the count keeps "none" apart from zero. */
static uint64_t mark_of(const struct entries *entries, unsigned shard)
{
    uint64_t mark = 0;

    for (size_t i = 0; i < entries->count; i++) {
        uint64_t hash = 14695981039346656037U;
        if (entries->all[i].shard != shard)
            continue;
        for (const char *c = entries->all[i].number; *c; c++)
            hash = (hash ^ (unsigned char)*c) * 1099511628211U;
        mark += hash;
    }
    return mark;
}

static bool make_list(struct crl *crl, const struct entries *entries,
                      unsigned shard)
{
    X509_CRL *list =
        crl_sign(crl->context, entries->all, entries->count, shard);
    bool ok = list && set_list(crl, shard, list);

    if (ok) {
        crl->shards[shard].made_ms = now_ms();
        crl->shards[shard].mark = mark_of(entries, shard);
    }
    X509_CRL_free(list);
    return ok;
}

/* ---- when -------------------------------------------------------------- */

static bool is_due(const struct crl *crl, const struct entries *entries,
                   unsigned shard)
{
    const struct shard *s = &crl->shards[shard];
    int64_t half = (int64_t)crl->context->config.crl_hours * 3600 * 1000 / 2;

    return !s->list || now_ms() - s->made_ms > half ||
           mark_of(entries, shard) != s->mark;
}

/* Only the thread, and crl_open before it, makes lists. */
static enum exit_code make_due(struct crl *crl)
{
    struct entries entries = {.context = crl->context};
    struct devid_error err = {0};
    enum exit_code code = EXIT_DONE;
    char reason[512];

    if (ledger_revoked(crl->context->ledger, keep, &entries, &err) != DEVID_OK)
        code = fail_engine(&err);
    for (unsigned i = 0; code == EXIT_DONE && i < crl->count; i++) {
        if (is_due(crl, &entries, i) && !make_list(crl, &entries, i))
            code = fail("the list of revoked certificates %u cannot be made%s",
                        i, keys_reason(reason, sizeof(reason)));
    }
    free(entries.all);
    return code;
}

static void *run(void *arg)
{
    struct crl *crl = arg;
    struct timespec until;

    pthread_mutex_lock(&crl->lock);
    while (!crl->ending) {
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += LOOK_S;
        while (!crl->ending && !crl->wanted &&
               pthread_cond_timedwait(&crl->change, &crl->lock, &until) !=
                   ETIMEDOUT) {
        }
        crl->wanted = false;
        if (crl->ending)
            break;
        pthread_mutex_unlock(&crl->lock);
        (void)make_due(crl); /* said; tried again */
        pthread_mutex_lock(&crl->lock);
    }
    pthread_mutex_unlock(&crl->lock);
    return NULL;
}

enum exit_code crl_open(const struct context *context, struct crl **out)
{
    unsigned count = context->config.crl_shards;
    struct crl *crl = calloc(1, sizeof(*crl) + count * sizeof(crl->shards[0]));
    enum exit_code code;

    if (!crl)
        die_no_memory();
    *out = crl;
    crl->context = context;
    crl->count = count;
    pthread_mutex_init(&crl->lock, NULL);
    pthread_cond_init(&crl->change, NULL);
    code = make_due(crl);
    if (code == EXIT_DONE && pthread_create(&crl->thread, NULL, run, crl))
        code = fail("a thread for revocation lists cannot be started");
    if (code != EXIT_DONE)
        crl->thread = 0;
    return code;
}

void crl_renew(struct crl *crl)
{
    pthread_mutex_lock(&crl->lock);
    crl->wanted = true;
    pthread_cond_signal(&crl->change);
    pthread_mutex_unlock(&crl->lock);
}

void crl_close(struct crl **out)
{
    struct crl *crl = *out;

    if (!crl)
        return;
    if (crl->thread) {
        pthread_mutex_lock(&crl->lock);
        crl->ending = true;
        pthread_cond_signal(&crl->change);
        pthread_mutex_unlock(&crl->lock);
        pthread_join(crl->thread, NULL);
    }
    for (unsigned i = 0; i < crl->count; i++)
        crl_list_free(crl->shards[i].list);
    pthread_cond_destroy(&crl->change);
    pthread_mutex_destroy(&crl->lock);
    free(crl);
    *out = NULL;
}
