/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A group of jobs through whatever the database does: locks, errors of one job
 * that must not take the others with it, a connection that is lost before,
 * while or after the commit.
 */
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ledger_queue.h"

enum {
    BUSY_TRIES_MAX = 20,
    PAUSE_MS = 20,
    RECONNECT_MS = 200,
    LAST_SIGNATURE_MS = 10000,
};

/* About so long: racing stations must not meet again. */
static void pause_about(int64_t ms)
{
    uint8_t random = 0;
    struct timespec pause = {0};

    (void)RAND_bytes(&random, sizeof(random));
    pause.tv_nsec = (long)((ms / 2 + ms * random / 256) * 1000000);
    nanosleep(&pause, NULL);
}

/* ---- a connection that is lost ----------------------------------------- */

static enum devid_err connect_again(struct ledger *ledger, int64_t until,
                                    struct devid_error *err)
{
    enum devid_err code;

    for (;;) {
        code = ledger->store->reconnect(ledger->writer, err);
        if (code == DEVID_OK || ledger_ticks_ms() >= until)
            return code;
        pause_about(RECONNECT_MS);
    }
}

/*
 * Whether the commit that the connection was lost over is there: whether the
 * chain has its last entry. Who locks the chain's row waits for the server to
 * be done with the lost connection.
 */
static enum devid_err find_commit(struct ledger *ledger, int64_t seq,
                                  const char *head, bool *landed,
                                  struct devid_error *err)
{
    const struct ledger_value values[] = {
        value_text(ledger->station),
        value_number(seq),
    };
    struct ledger_db *db = ledger->writer;
    struct ledger_row row = {0};
    enum devid_err code = db_run(db, STMT_BEGIN, NULL, 0, NULL, err);

    if (code == DEVID_OK)
        code = db_run(db, STMT_LOCK_CHAIN, values, 1, NULL, err);
    if (code == DEVID_OK)
        code = db_run(db, STMT_GET_ENTRY, values, 2, &row, err);
    if (code == DEVID_OK)
        *landed = row.found && strcmp(row_text(&row, 0), head) == 0;
    ledger_row_clear(&row);
    db->store->abandon(db);
    return code;
}

/* ---- a transaction, until it is there or cannot be --------------------- */

struct attempt {
    int64_t until;
    bool in_doubt; /* COMMIT was sent and not answered; of this head: */
    int64_t seq;
    char head[CHAIN_HASH_SIZE];
};

static enum devid_err recover(struct ledger *ledger, struct attempt *attempt,
                              bool *landed, struct devid_error *err)
{
    enum devid_err code;

    *landed = false;
    do {
        code = connect_again(ledger, attempt->until, err);
        if (code == DEVID_OK && attempt->in_doubt)
            code =
                find_commit(ledger, attempt->seq, attempt->head, landed, err);
    } while (code != DEVID_OK && ledger_ticks_ms() < attempt->until);
    if (code == DEVID_OK)
        attempt->in_doubt = false;
    return code;
}

static void note_doubt(const struct ledger *ledger, size_t count,
                       struct attempt *attempt)
{
    if (!ledger->commit_sent || count == 0)
        return;
    attempt->in_doubt = true;
    attempt->seq = ledger->seq;
    memcpy(attempt->head, ledger->head, sizeof(attempt->head));
}

static enum devid_err attempt_group(struct ledger *ledger, struct work *works,
                                    size_t count, struct attempt *attempt,
                                    struct devid_error *err)
{
    enum devid_err code;
    bool landed = false;

    for (int tries = 0;; tries++) {
        code = ledger_group(ledger, works, count, err);
        if (code == DEVID_OK)
            return DEVID_OK;
        sealer_void(ledger->sealer);
        ledger->store->abandon(ledger->writer);
        if (ledger->store->lost(ledger->writer)) {
            note_doubt(ledger, count, attempt);
            if (recover(ledger, attempt, &landed, err) != DEVID_OK)
                return code;
            if (landed)
                return DEVID_OK;
        } else if (code != DEVID_ERR_BUSY || count > 1 ||
                   tries == BUSY_TRIES_MAX) {
            return code;
        } else {
            pause_about(PAUSE_MS);
        }
        if (tries > BUSY_TRIES_MAX || ledger_ticks_ms() >= attempt->until)
            return code;
    }
}

/* ---- groups ------------------------------------------------------------ */

static void fail_all(struct work *works, size_t count, bool in_doubt,
                     const struct devid_error *err)
{
    for (size_t i = 0; i < count; i++) {
        work_clear(&works[i]);
        works[i].outcome = LEDGER_FAILED;
        ledger_fail(&works[i].error, DEVID_ERR_SYSTEM, "%.500s; %s", err->text,
                    in_doubt ? "whether this was recorded is not known: ask "
                               "again"
                             : "nothing of this was recorded");
    }
}

enum fate {
    SETTLED,  /* committed; or failed, where it was one alone */
    TOGETHER, /* it failed, and any of them may be to blame */
    AWAY,     /* the database is; all of them have failed */
};

static enum fate commit_some(struct ledger *ledger, struct work *works,
                             size_t count)
{
    struct attempt attempt = {.until = ledger_ticks_ms() + LEDGER_PATIENCE_MS};
    struct devid_error err = {0};
    enum devid_err code = attempt_group(ledger, works, count, &attempt, &err);
    bool lost = ledger->store->lost(ledger->writer);

    if (code == DEVID_OK)
        return SETTLED;
    if (!lost && count > 1)
        return TOGETHER;
    fail_all(works, count, attempt.in_doubt, &err);
    return lost ? AWAY : SETTLED;
}

void ledger_commit(struct ledger *ledger, size_t count)
{
    struct work *works = ledger->works;
    enum fate fate = commit_some(ledger, works, count);

    /* The others go without the one that is to blame. */
    for (size_t i = 0; fate == TOGETHER && i < count; i++) {
        if (commit_some(ledger, works + i, 1) != AWAY)
            continue;
        const struct devid_error away = works[i].error;
        fail_all(works + i + 1, count - i - 1, false, &away);
        break;
    }
}

/* ---- the ends of the chain --------------------------------------------- */

/* Sign the chain's head as it is, and keep that. */
static enum devid_err seal_now(struct ledger *ledger, struct devid_error *err)
{
    const struct ledger_value station = value_text(ledger->station);
    struct ledger_db *db = ledger->writer;
    struct chain_seal seal;
    struct ledger_row row = {0};
    enum devid_err code = db_run(db, STMT_LOCK_CHAIN, &station, 1, &row, err);

    if (code == DEVID_OK)
        sealer_ask(ledger->sealer, row_number(&row, 0), row_text(&row, 1));
    ledger_row_clear(&row);
    if (code != DEVID_OK)
        return code;
    sealer_wait(ledger->sealer, LAST_SIGNATURE_MS);
    if (sealer_error(ledger->sealer, err))
        return DEVID_ERR_DEVICE;
    if (!sealer_take(ledger->sealer, &seal))
        return ledger_fail(err, DEVID_ERR_BUSY,
                           "the station's key has not signed the head of its "
                           "audit log within %d seconds",
                           LAST_SIGNATURE_MS / 1000);
    const struct ledger_value values[] = {
        station,
        value_number(seal.seq),
        value_text(seal.head),
        value_blob(seal.signature, seal.len),
        value_number(seal.time_ms),
    };
    return db_run(db, STMT_SEAL_CHAIN, values, 5, NULL, err);
}

enum devid_err ledger_begin_chain(struct ledger *ledger,
                                  struct devid_error *err)
{
    const struct ledger_value values[] = {
        value_text(ledger->station),
        value_text(CHAIN_GENESIS),
    };
    enum devid_err code =
        db_run(ledger->writer, STMT_NEW_CHAIN, values, 2, NULL, err);

    return code == DEVID_OK ? seal_now(ledger, err) : code;
}

void ledger_end_chain(struct ledger *ledger)
{
    struct devid_error err;

    /* What is not sealed is sealed when the ledger is opened again. */
    if (seal_now(ledger, &err))
        ledger->store->abandon(ledger->writer);
}
