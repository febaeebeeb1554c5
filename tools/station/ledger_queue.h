/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger's inside: its queue, the one thread that writes, its connections.
 */
#ifndef DEVID_STATION_LEDGER_QUEUE_H
#define DEVID_STATION_LEDGER_QUEUE_H

#include <pthread.h>

#include "ledger_seal.h"
#include "ledger_work.h"

enum {
    LEDGER_GROUP_MAX = 256,    /* jobs of one transaction */
    LEDGER_SIGN_WAIT_MS = 20,  /* for a signature before a commit */
    LEDGER_PATIENCE_MS = 8000, /* for a database that is away */
    LEDGER_IDLE_MAX = 4,       /* connections kept for lists */
};

struct ledger {
    const struct ledger_store *store;
    char *url;
    char *station;
    unsigned lease;
    unsigned queue_max;

    pthread_mutex_t lock;
    pthread_cond_t filled;
    pthread_cond_t emptied;
    struct ledger_job *first;
    struct ledger_job *last;
    unsigned waiting;
    bool stopping;
    bool sealed; /* a signature waits to be kept */

    bool started;
    pthread_t thread;
    struct sealer *sealer; /* NULL: opened to read */

    /* The thread's alone. */
    struct ledger_db *writer;
    struct work works[LEDGER_GROUP_MAX];
    struct allotment allotments[LEDGER_GROUP_MAX];
    size_t allotment_count;
    /* The chain as the last commit left it, or would have. */
    int64_t seq;
    char head[CHAIN_HASH_SIZE];
    bool commit_sent;

    pthread_mutex_t read_lock; /* guards what follows */
    struct ledger_db *reader;
    struct ledger_db *idle[LEDGER_IDLE_MAX];
    unsigned idle_count;
};

/*
 * Do a group of jobs, all in one transaction, or where that fails one by one;
 * fills in their outcomes. With none at all only a signature is kept.
 */
void ledger_commit(struct ledger *ledger, size_t count);

/* Make sure that the station's chain is there, and sign its head. */
DEVID_CHECK enum devid_err ledger_begin_chain(struct ledger *ledger,
                                              struct devid_error *err);
/* Have the last head signed and keep that, as the ledger is closed. */
void ledger_end_chain(struct ledger *ledger);

/* One transaction with the first `count` of ledger->works: ledger_group.c. */
DEVID_CHECK enum devid_err ledger_group(struct ledger *ledger,
                                        struct work *works, size_t count,
                                        struct devid_error *err);

/*
 * Quotas are leased to stations in blocks, so that stations do not wait for
 * each other: ledger_quota.c. What the ENROLs of a group want is taken from
 * this station's lease at its begin, what they left is given back at its end.
 * It is asked for with the begin itself, in one turn to the server.
 *
 * scarce  out: the lease does not suffice for all of them
 */
DEVID_CHECK enum devid_err quota_ask(struct ledger *ledger, struct work *works,
                                     size_t count, struct devid_error *err);
DEVID_CHECK enum devid_err quota_take(struct ledger *ledger, bool *scarce,
                                      struct devid_error *err);
/*
 * In a transaction of its own: what the last quota_take found missing goes
 * into the lease, from what is left of the batch, then from the leases of other
 * stations, so that none lies idle at one that is away. The batch's row is
 * locked before any lease, and never while a group holds its own: no deadlock.
 */
DEVID_CHECK enum devid_err quota_top_up(struct ledger *ledger,
                                        struct devid_error *err);
DEVID_CHECK enum devid_err quota_give_back(struct ledger *ledger,
                                           struct devid_error *err);

/*
 * Reading: one row at most, over the connection that is kept for it, which is
 * made again, once, where it was lost since the last read; or many, over one
 * that nobody else uses meanwhile, so that no caller's function runs under a
 * lock: one that was used so before, or another.
 */
DEVID_CHECK enum devid_err ledger_read_row(struct ledger *ledger,
                                           const struct ledger_query *query,
                                           struct ledger_row *row,
                                           struct devid_error *err);
DEVID_CHECK enum devid_err ledger_read_rows(struct ledger *ledger,
                                            const struct ledger_query *query,
                                            struct devid_error *err);

#endif
