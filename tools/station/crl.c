/* SPDX-License-Identifier: Apache-2.0 */
#include "crl.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exchange.h"
#include "keys.h"
#include "message.h"

enum {
    LOOK_S = 5, /* for what other stations on the ledger have revoked */
    NUMBER_SIZE = 65,
    URL_SIZE = 1100
};

/* A certificate that is revoked. */
struct entry {
    char number[NUMBER_SIZE]; /* in hex */
    unsigned shard;
    int reason;
    int64_t revoked_ms;
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

/* ---- lists ------------------------------------------------------------------
 */

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

/* ---- what is revoked --------------------------------------------------------
 */

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

/* ---- making one -------------------------------------------------------------
 */

static bool put_time(X509_REVOKED *revoked, int64_t ms)
{
    ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)(ms / 1000));
    bool ok = at && X509_REVOKED_set_revocationDate(revoked, at) == 1;

    ASN1_TIME_free(at);
    return ok;
}

/* "unspecified" is said by leaving it out: RFC 5280, 5.3.1. */
static bool put_reason(X509_REVOKED *revoked, int reason)
{
    ASN1_ENUMERATED *value;
    bool ok;

    if (reason == 0)
        return true;
    value = ASN1_ENUMERATED_new();
    ok = value && ASN1_ENUMERATED_set(value, reason) == 1 &&
         X509_REVOKED_add1_ext_i2d(revoked, NID_crl_reason, value, 0, 0) == 1;
    ASN1_ENUMERATED_free(value);
    return ok;
}

static bool put_entry(X509_CRL *list, const struct entry *entry)
{
    X509_REVOKED *revoked = X509_REVOKED_new();
    BIGNUM *number = NULL;
    ASN1_INTEGER *serial = NULL;
    bool ok = revoked && BN_hex2bn(&number, entry->number) > 0;

    if (ok)
        serial = BN_to_ASN1_INTEGER(number, NULL);
    ok = serial && X509_REVOKED_set_serialNumber(revoked, serial) == 1 &&
         put_time(revoked, entry->revoked_ms) &&
         put_reason(revoked, entry->reason) &&
         X509_CRL_add0_revoked(list, revoked) == 1;
    if (!ok)
        X509_REVOKED_free(revoked);
    ASN1_INTEGER_free(serial);
    BN_free(number);
    return ok;
}

static bool put_key_id(X509_CRL *list, X509 *ca)
{
    AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
    bool ok = false;

    if (id) {
        id->keyid = ASN1_OCTET_STRING_dup(X509_get0_subject_key_id(ca));
        ok = id->keyid &&
             X509_CRL_add1_ext_i2d(list, NID_authority_key_identifier, id, 0,
                                   0) == 1;
    }
    AUTHORITY_KEYID_free(id);
    return ok;
}

/* Later lists have higher numbers, also those of another station. */
static bool put_number(X509_CRL *list, int64_t now)
{
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    bool ok = number && ASN1_INTEGER_set_int64(number, now) == 1 &&
              X509_CRL_add1_ext_i2d(list, NID_crl_number, number, 0, 0) == 1;

    ASN1_INTEGER_free(number);
    return ok;
}

static void url_of(const char *template, unsigned shard, char url[URL_SIZE])
{
    static const char mark[] = "{shard}";
    const char *at = strstr(template, mark);

    if (at)
        snprintf(url, URL_SIZE, "%.*s%u%s", (int)(at - template), template,
                 shard, at + sizeof(mark) - 1);
    else
        snprintf(url, URL_SIZE, "%s", template);
}

/* One list of several says for which certificates it is: RFC 5280, 5.2.5. */
static bool put_point(X509_CRL *list, const struct context *context,
                      unsigned shard)
{
    ISSUING_DIST_POINT *point = ISSUING_DIST_POINT_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *uri = ASN1_IA5STRING_new();
    char url[URL_SIZE];
    bool ok = point && name && uri;

    url_of(context->config.crl_url, shard, url);
    if (ok)
        point->distpoint = DIST_POINT_NAME_new();
    ok = ok && point->distpoint && ASN1_STRING_set(uri, url, -1) == 1;
    if (ok) {
        GENERAL_NAME_set0_value(name, GEN_URI, uri);
        uri = NULL;
        point->distpoint->type = 0;
        point->distpoint->name.fullname = sk_GENERAL_NAME_new_null();
        ok = sk_GENERAL_NAME_push(point->distpoint->name.fullname, name) > 0;
        name = ok ? NULL : name;
    }
    ok = ok && X509_CRL_add1_ext_i2d(list, NID_issuing_distribution_point,
                                     point, 1, 0) == 1;
    ASN1_IA5STRING_free(uri);
    GENERAL_NAME_free(name);
    ISSUING_DIST_POINT_free(point);
    return ok;
}

static bool put_dates(X509_CRL *list, int64_t now, unsigned hours)
{
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(now / 1000));
    ASN1_TIME *to =
        ASN1_TIME_set(NULL, (time_t)(now / 1000) + (time_t)hours * 3600);
    bool ok = from && to && X509_CRL_set1_lastUpdate(list, from) == 1 &&
              X509_CRL_set1_nextUpdate(list, to) == 1;

    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    return ok;
}

static bool sign_list(X509_CRL *list, EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = keys_signer(key);
    bool ok =
        ctx && X509_CRL_sort(list) == 1 && X509_CRL_sign_ctx(list, ctx) > 0;

    EVP_MD_CTX_free(ctx);
    return ok;
}

static bool make_list(struct crl *crl, const struct entries *entries,
                      unsigned shard)
{
    const struct context *context = crl->context;
    X509_CRL *list = X509_CRL_new();
    int64_t now = now_ms();
    bool ok = list && X509_CRL_set_version(list, X509_CRL_VERSION_2) == 1 &&
              X509_CRL_set_issuer_name(
                  list, X509_get_subject_name(context->ca)) == 1 &&
              put_dates(list, now, context->config.crl_hours) &&
              put_key_id(list, context->ca) && put_number(list, now) &&
              (crl->count == 1 || !context->config.crl_url ||
               put_point(list, context, shard));

    for (size_t i = 0; ok && i < entries->count; i++) {
        if (entries->all[i].shard == shard)
            ok = put_entry(list, &entries->all[i]);
    }
    ok = ok && sign_list(list, context->ca_key) && set_list(crl, shard, list);
    if (ok) {
        crl->shards[shard].made_ms = now;
        crl->shards[shard].mark = mark_of(entries, shard);
    }
    X509_CRL_free(list);
    return ok;
}

/* ---- when -------------------------------------------------------------------
 */

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
