/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection a process to each TPM, and what happens when it breaks,
 * when the TPM is busy, and when the process forks.
 *
 * A fork in the middle of a command would leave the child a half-read
 * socket, so the fork waits for the command (prepare) and the child forgets
 * the connection (child): it never speaks on it and opens its own on need.
 */
#include "tpm2.h"

#include "../libcrypto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#define DEFAULT_TCTI "device:/dev/tpmrm0"
#define DEFAULT_LOCK_TIMEOUT_MS 10000u
#define WAIT_MIN_MS 2u
#define WAIT_MAX_MS 50u
/* Where all slots stay taken for between half of this and all of it, and for
   so many tries, what is in them is taken for orphaned. A slow TPM that works
   off a queue answers fewer tries in that time, one that is stuck does not. */
#define REAP_AFTER_MS 2000u
#define REAP_AFTER_TRIES 20u
/* A session that was put aside and has an owner is used within this. */
#define PARKED_MS 1000u
/* A thread that gets no turn for so long stands still: OpenSSL's generator,
   asked for by the one whose turn it is, may be waiting for this one. */
#define TURN_MAX_S 60
/* So often others may flush what an operation on a bare TPM has loaded. */
#define RELOADS_MAX 8u

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static struct tpm2_conn *registry;
static pthread_once_t fork_handlers = PTHREAD_ONCE_INIT;
/* The connection that this thread works on: a TCTI may fork while it opens. */
static _Thread_local const struct tpm2_conn *held;

/* ---- fork ------------------------------------------------------------ */

static void before_fork(void)
{
    pthread_mutex_lock(&registry_lock);
    for (struct tpm2_conn *c = registry; c != NULL; c = c->next) {
        if (c != held)
            pthread_mutex_lock(&c->lock);
    }
}

static void after_fork_in_parent(void)
{
    for (struct tpm2_conn *c = registry; c != NULL; c = c->next) {
        if (c != held)
            pthread_mutex_unlock(&c->lock);
    }
    pthread_mutex_unlock(&registry_lock);
}

/* The parent's link is not ours to speak on, nor to end politely. */
static void abandon(struct tpm2_conn *conn)
{
    for (size_t i = 0; i < conn->fd_count; i++)
        (void)close(conn->fds[i]);
    conn->fd_count = 0;
    if (conn->esys != NULL) {
        conn->abandoned = conn->esys;
        conn->stranded = conn->uses_glib;
    }
    conn->esys = NULL;
    conn->tcti_ctx = NULL;
    conn->instance++;
    conn->loaded = NULL;
    conn->owed_count = 0; /* the parent's, as is what went astray */
    conn->orphaned = false;
}

static void after_fork_in_child(void)
{
    for (struct tpm2_conn *c = registry; c != NULL; c = c->next) {
        if (c->shared == NULL)
            abandon(c);
        if (c != held)
            pthread_mutex_unlock(&c->lock);
    }
    pthread_mutex_unlock(&registry_lock);
}

static void install_fork_handlers(void)
{
    /* Fails only without memory; then a fork behaves as without us. */
    (void)pthread_atfork(before_fork, after_fork_in_parent,
                         after_fork_in_child);
}

/* ---- the registry ---------------------------------------------------- */

void tpm2_disconnect(struct tpm2_conn *conn)
{
    conn->loaded = NULL;
    conn->session = ESYS_TR_NONE;
    tpm2_tcti_close(conn);
    tpm2_forget_link(conn);
}

static void conn_free(struct tpm2_conn *conn)
{
    tpm2_early_free(conn);
    tpm2_salt_clear(conn);
    pthread_mutex_destroy(&conn->lock);
    OPENSSL_free(conn->tcti);
    OPENSSL_free(conn->sharing);
    OPENSSL_free(conn->parent_name);
    OPENSSL_free(conn);
}

static struct tpm2_conn *conn_new(const struct devid *engine, const char *tcti,
                                  const char *sharing)
{
    const char *lock_timeout_s = devid_get(engine, "lock-timeout");
    const char *name = devid_get(engine, "tpm2-parent-name");
    struct tpm2_conn *conn = OPENSSL_zalloc(sizeof(*conn));

    if (conn == NULL)
        return NULL;
    if (pthread_mutex_init(&conn->lock, NULL) != 0) {
        OPENSSL_free(conn);
        return NULL;
    }
    conn->tcti = OPENSSL_strdup(tcti);
    conn->sharing = OPENSSL_strdup(sharing);
    conn->parent_name = OPENSSL_strdup(name != NULL ? name : "");
    if (conn->tcti == NULL || conn->sharing == NULL ||
        conn->parent_name == NULL ||
        (devid_is(engine, "tpm2-open", "early") && !tpm2_early_init(conn))) {
        conn_free(conn);
        return NULL;
    }
    conn->lock_timeout_ms = DEFAULT_LOCK_TIMEOUT_MS;
    if (lock_timeout_s != NULL) /* engine.c has checked its range */
        conn->lock_timeout_ms =
            (unsigned)strtoul(lock_timeout_s, NULL, 10) * 1000u;
    conn->session = ESYS_TR_NONE;
    tpm2_tcti_classify(conn);
    return conn;
}

/* Is it a connection of these settings? */
static bool serves(const struct tpm2_conn *conn, const struct devid *engine,
                   const char *tcti, const char *sharing)
{
    const char *name = devid_get(engine, "tpm2-parent-name");

    return strcmp(conn->tcti, tcti) == 0 &&
           strcmp(conn->sharing, sharing) == 0 &&
           (conn->shared != NULL) == devid_is(engine, "tpm2-open", "early") &&
           strcmp(conn->parent_name, name != NULL ? name : "") == 0;
}

enum devid_err tpm2_conn_get(const struct devid *engine,
                             struct tpm2_conn **conn, struct devid_error *err)
{
    const char *tcti = devid_get(engine, "tcti");
    const char *sharing = devid_get(engine, "tpm2-sharing");
    struct tpm2_conn *c;

    if (tcti == NULL)
        tcti = DEFAULT_TCTI;
    if (sharing == NULL)
        sharing = "auto";
    (void)pthread_once(&fork_handlers, install_fork_handlers);
    pthread_mutex_lock(&registry_lock);
    for (c = registry; c != NULL && !serves(c, engine, tcti, sharing);)
        c = c->next;
    if (c == NULL) {
        c = conn_new(engine, tcti, sharing);
        if (c != NULL) {
            c->next = registry;
            registry = c;
        }
    }
    if (c != NULL)
        c->refs++;
    pthread_mutex_unlock(&registry_lock);
    *conn = c;
    return c != NULL ? DEVID_OK : devid_no_memory(err);
}

void tpm2_conn_put(struct tpm2_conn **conn)
{
    struct tpm2_conn *c = *conn;
    bool last = false;

    *conn = NULL;
    pthread_mutex_lock(&registry_lock);
    if (--c->refs == 0) {
        struct tpm2_conn **link = &registry;

        while (*link != c)
            link = &(*link)->next;
        *link = c->next;
        last = true;
    }
    pthread_mutex_unlock(&registry_lock);
    if (!last)
        return;
    if (!c->has_rm)
        tpm2_flush_all(c);
    tpm2_disconnect(c);
    /* The TCTI's library stays mapped: GLib's threads may run in it. */
    conn_free(c);
}

void tpm2_conn_preload(struct tpm2_conn *conn)
{
    pthread_mutex_lock(&conn->lock);
    tpm2_tcti_preload(conn);
    pthread_mutex_unlock(&conn->lock);
}

void tpm2_shutdown(void)
{
    pthread_mutex_lock(&registry_lock);
    for (struct tpm2_conn *c = registry; c != NULL; c = c->next) {
        pthread_mutex_lock(&c->lock);
        /* A resource manager flushes what a closed connection leaves. */
        if (!c->has_rm)
            tpm2_flush_all(c);
        tpm2_disconnect(c);
        pthread_mutex_unlock(&c->lock);
    }
    pthread_mutex_unlock(&registry_lock);
}

/* ---- running an operation -------------------------------------------- */

struct retry {
    uint64_t start_ms;
    uint64_t reap_at_ms;
    unsigned tries; /* since the last reaping */
    unsigned wait_ms;
    unsigned reconnects;
};

static uint64_t reap_at_ms(const struct tpm2_conn *conn)
{
    unsigned after_ms = conn->lock_timeout_ms < REAP_AFTER_MS
                            ? conn->lock_timeout_ms
                            : REAP_AFTER_MS;

    return devid_now_ms() + devid_jittered_us(after_ms) / 1000u;
}

static void reap_where_due(struct tpm2_conn *conn, TSS2_RC rc,
                           struct retry *retry)
{
    if (++retry->tries < REAP_AFTER_TRIES ||
        devid_now_ms() < retry->reap_at_ms || conn->esys == NULL ||
        (conn->has_rm && conn->shared == NULL))
        return;
    tpm2_early_lock(conn);
    tpm2_reap(conn, rc);
    tpm2_early_unlock(conn);
    conn->parked_at_ms = devid_now_ms();
    retry->reap_at_ms = reap_at_ms(conn);
    retry->tries = 0;
}

static unsigned reconnects_max(const struct tpm2_conn *conn, TSS2_RC rc)
{
    return tpm2_rc_base(rc) != 0 && !conn->managed ? RELOADS_MAX : 1;
}

/* May the failed attempt be made again? Prepares it where so. */
static bool again(struct tpm2_conn *conn, TSS2_RC rc, struct retry *retry)
{
    switch (tpm2_rc_action(rc)) {
    case TPM2_ACTION_FAIL:
        return false;
    case TPM2_ACTION_RECONNECT:
        conn->orphaned |= tpm2_rc_base(rc) == 0;
        if (conn->shared != NULL)
            tpm2_early_renew(conn);
        else
            tpm2_disconnect(conn);
        conn->generation++;
        return retry->reconnects++ < reconnects_max(conn, rc);
    case TPM2_ACTION_WAIT:
        break;
    }
    if (devid_now_ms() - retry->start_ms >= conn->lock_timeout_ms)
        return false;
    reap_where_due(conn, rc, retry);
    if (conn->exclusive)
        tpm2_disconnect(conn);
    devid_sleep_jittered(retry->wait_ms);
    if (retry->wait_ms < WAIT_MAX_MS)
        retry->wait_ms *= 2;
    return true;
}

/* A device for one client is busy until the other is done: wait our turn. */
static TSS2_RC connect_link(struct tpm2_conn *conn, uint64_t start_ms)
{
    TSS2_RC rc = tpm2_tcti_open(conn);

    while (rc != TSS2_RC_SUCCESS && conn->exclusive && conn->library != NULL &&
           errno == EBUSY &&
           devid_now_ms() - start_ms < conn->lock_timeout_ms) {
        devid_sleep_jittered(WAIT_MAX_MS);
        rc = tpm2_tcti_open(conn);
    }
    return rc;
}

static enum devid_err attempt(struct tpm2_conn *conn, tpm2_op *op, void *arg,
                              const struct retry *retry,
                              struct devid_error *err)
{
    TSS2_RC rc;

    err->device_rc = 0;
    if (conn->esys == NULL) {
        rc = connect_link(conn, retry->start_ms);
        if (rc != TSS2_RC_SUCCESS)
            return tpm2_tcti_fail(conn, rc, err);
    }
    return op(conn, arg, err);
}

static bool take_turn(struct tpm2_conn *conn)
{
    const uint64_t end_ms =
        devid_now_ms() + TURN_MAX_S * UINT64_C(1000) + conn->lock_timeout_ms;
    struct timespec until;
    int rc;

    /* A second at a time: the clock that it goes by may be set meanwhile. */
    do {
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        rc = pthread_mutex_timedlock(&conn->lock, &until);
    } while (rc == ETIMEDOUT && devid_now_ms() < end_ms);
    return rc == 0;
}

enum devid_err tpm2_run(struct tpm2_conn *conn, tpm2_op *op, void *arg,
                        struct devid_error *err)
{
    struct retry retry = {
        .start_ms = devid_now_ms(),
        .reap_at_ms = reap_at_ms(conn),
        .wait_ms = WAIT_MIN_MS,
    };
    struct devid_error local = {0};
    enum devid_err e;

    if (err == NULL)
        err = &local;
    if (held == conn)
        return op(conn, arg, err);
    if (!take_turn(conn))
        return devid_fail(err, DEVID_ERR_BUSY, 0,
                          "no turn at the TPM in more than %d s: other threads "
                          "of this program do not let go of it",
                          TURN_MAX_S);
    held = conn;
    /* ESYS salts sessions by libcrypto, and leaves its errors in the queue. */
    devid_quiet_begin();
    tpm2_settle(conn);
    do {
        tpm2_early_lock(conn);
        e = attempt(conn, op, arg, &retry, err);
        tpm2_early_unlock(conn);
        /* What an operation understood (_NOT_FOUND, ...) is its answer. */
    } while ((e == DEVID_ERR_DEVICE || e == DEVID_ERR_BUSY) &&
             again(conn, err->device_rc, &retry));
    if (conn->parked_count > 0 &&
        devid_now_ms() - conn->parked_at_ms >= PARKED_MS)
        tpm2_unpark(conn);
    tpm2_settle(conn);
    if (conn->exclusive)
        tpm2_disconnect(conn);
    devid_quiet_end();
    held = NULL;
    pthread_mutex_unlock(&conn->lock);
    return e;
}
