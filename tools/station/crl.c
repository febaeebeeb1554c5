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
#include "ocsp.h"

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
    /* The thread's: what the lists were made of. */
    bool read;
    uint64_t mark;
    unsigned count;
    struct shard shards[];
};

/* Of one list, in entries.all. */
struct slice {
    size_t first;
    size_t count;
    uint64_t mark; /* changes with what is in it */
};

struct entries {
    const struct context *context;
    struct slice *slices; /* one a list */
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

/* Sums do not depend on the order; a certificate's is never zero for long. */
static uint64_t hash_of(const char *number)
{
    uint64_t hash = 14695981039346656037U;

    for (; *number; number++)
        hash = (hash ^ (unsigned char)*number) * 1099511628211U;
    return hash;
}

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
    entries->slices[entry->shard].count++;
    entries->slices[entry->shard].mark += hash_of(entry->number);
    return true;
}

static int by_shard(const void *a, const void *b)
{
    const struct entry *one = a;
    const struct entry *other = b;

    return (one->shard > other->shard) - (one->shard < other->shard);
}

/* One that has expired stays on one list more: RFC 5280, 3.3. */
static enum exit_code read_revoked(const struct crl *crl,
                                   struct entries *entries)
{
    const struct context *context = crl->context;
    int64_t expired_ms =
        now_ms() - (int64_t)context->config.crl_hours * 3600 * 1000;
    struct devid_error err = {0};
    size_t first = 0;

    entries->slices = calloc(crl->count, sizeof(*entries->slices));
    if (!entries->slices)
        die_no_memory();
    if (ledger_revoked(context->ledger, expired_ms, keep, entries, &err) !=
        DEVID_OK)
        return fail_engine(&err);
    if (entries->count > 0)
        qsort(entries->all, entries->count, sizeof(*entries->all), by_shard);
    for (unsigned i = 0; i < crl->count; i++) {
        entries->slices[i].first = first;
        first += entries->slices[i].count;
    }
    return EXIT_DONE;
}

/* ---- when -------------------------------------------------------------- */

static bool is_old(const struct crl *crl, unsigned shard)
{
    const struct shard *s = &crl->shards[shard];
    int64_t half = (int64_t)crl->context->config.crl_hours * 3600 * 1000 / 2;

    return !s->list || now_ms() - s->made_ms > half;
}

static bool make_list(struct crl *crl, const struct entries *entries,
                      unsigned shard)
{
    const struct slice *slice = &entries->slices[shard];
    X509_CRL *list = crl_sign(crl->context, entries->all + slice->first,
                              slice->count, shard);
    bool ok = list && set_list(crl, shard, list);

    if (ok) {
        crl->shards[shard].made_ms = now_ms();
        crl->shards[shard].mark = slice->mark + slice->count;
    }
    X509_CRL_free(list);
    return ok;
}

/* Those that are old, or say something else now. */
static enum exit_code make_lists(struct crl *crl)
{
    struct entries entries = {.context = crl->context};
    enum exit_code code = read_revoked(crl, &entries);
    char reason[512];

    for (unsigned i = 0; code == EXIT_DONE && i < crl->count; i++) {
        const struct slice *slice = &entries.slices[i];
        bool same = crl->shards[i].mark == slice->mark + slice->count;
        if ((is_old(crl, i) || !same) && !make_list(crl, &entries, i))
            code = fail("the list of revoked certificates %u cannot be made%s",
                        i, keys_reason(reason, sizeof(reason)));
    }
    free(entries.slices);
    free(entries.all);
    return code;
}

/* Only the thread, and crl_open before it, makes lists. */
static enum exit_code make_due(struct crl *crl)
{
    const struct context *context = crl->context;
    struct devid_error err = {0};
    uint64_t mark = 0;
    bool due = !crl->read;
    enum exit_code code;

    if (ledger_revocations(context->ledger, &mark, &err) != DEVID_OK)
        return fail_engine(&err);
    if (mark != crl->mark) {
        ocsp_forget(context->ocsp);
        due = true;
    }
    for (unsigned i = 0; !due && i < crl->count; i++)
        due = is_old(crl, i);
    if (!due)
        return EXIT_DONE;
    code = make_lists(crl);
    crl->read = code == EXIT_DONE;
    crl->mark = mark;
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
