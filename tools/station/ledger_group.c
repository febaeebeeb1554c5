/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One transaction: its jobs, their entries in the chain, its signature.
 */
#include <stdio.h>
#include <string.h>

#include "ledger_queue.h"

enum {
    TOP_UPS_MAX = 2 /* another station may be faster to take what there is */
};

static enum devid_err send_begin(struct ledger *ledger, struct work *works,
                                 size_t count, struct devid_error *err)
{
    const struct ledger_value station = value_text(ledger->station);
    struct ledger_db *db = ledger->writer;
    enum devid_err code = db->store->send(db, STMT_BEGIN, NULL, 0, err);

    if (code == DEVID_OK)
        code = db->store->send(db, STMT_LOCK_CHAIN, &station, 1, err);
    return code == DEVID_OK ? quota_ask(ledger, works, count, err) : code;
}

static enum devid_err take_chain(struct ledger *ledger, struct devid_error *err)
{
    struct ledger_row row = {0};
    enum devid_err code = ledger->store->receive(ledger->writer, &row, err);

    if (code == DEVID_OK && !row.found)
        code = ledger_fail(err, DEVID_ERR_SYSTEM,
                           "the chain of station %s is gone from the ledger's "
                           "audit log",
                           ledger->station);
    if (code == DEVID_OK) {
        ledger->seq = row_number(&row, 0);
        row_copy_text(&row, 1, ledger->head, sizeof(ledger->head));
    }
    ledger_row_clear(&row);
    return code;
}

static enum devid_err begin(struct ledger *ledger, struct work *works,
                            size_t count, bool *scarce, struct devid_error *err)
{
    int64_t none;
    enum devid_err code = send_begin(ledger, works, count, err);

    if (code == DEVID_OK)
        code = db_receive_number(ledger->writer, &none, err);
    if (code == DEVID_OK)
        code = take_chain(ledger, err);
    return code == DEVID_OK ? quota_take(ledger, scarce, err) : code;
}

/* ---- jobs -------------------------------------------------------------- */

static enum devid_err take_answer(struct ledger *ledger, struct work *work,
                                  struct devid_error *err)
{
    struct ledger_row row = {0};
    enum devid_err code = ledger->store->receive(ledger->writer, &row, err);

    if (code == DEVID_OK)
        code = work->take(work, &row, err);
    ledger_row_clear(&row);
    return code;
}

/* All of them a step at a time, until each is at its end. */
static enum devid_err run_works(struct ledger *ledger, struct work *works,
                                size_t count, struct devid_error *err)
{
    bool asked[LEDGER_GROUP_MAX];
    bool any = true;
    enum devid_err code = DEVID_OK;

    for (size_t i = 0; i < count; i++) {
        work_clear(&works[i]);
        work_begin(&works[i]);
    }
    while (any && code == DEVID_OK) {
        any = false;
        for (size_t i = 0; code == DEVID_OK && i < count; i++) {
            asked[i] = works[i].send != NULL;
            any = any || asked[i];
            if (asked[i])
                code = works[i].send(&works[i], ledger->writer, err);
        }
        for (size_t i = 0; code == DEVID_OK && i < count; i++) {
            if (asked[i])
                code = take_answer(ledger, &works[i], err);
        }
    }
    return code;
}

/* Where a quota does not suffice for all, each must see what is left of it
 * after the one before. */
static enum devid_err run_all(struct ledger *ledger, struct work *works,
                              size_t count, bool scarce,
                              struct devid_error *err)
{
    size_t step = scarce ? 1 : count;
    enum devid_err code = DEVID_OK;

    for (size_t i = 0; code == DEVID_OK && i < count; i += step)
        code = run_works(ledger, works + i, step, err);
    return code;
}

/* ---- the chain --------------------------------------------------------- */

static enum devid_err send_entry(struct ledger *ledger, const struct work *work,
                                 struct devid_error *err)
{
    struct ledger_value values[ENTRY_VALUES];
    struct entry_texts texts;

    work_entry(work, ledger->seq + 1, &texts, values);
    if (!chain_entry_hash(ledger->head, values, texts.hash))
        return ledger_no_memory(err);
    values[ENTRY_HASH] = value_text(texts.hash);
    ledger->seq++;
    memcpy(ledger->head, texts.hash, sizeof(ledger->head));
    return ledger->store->send(ledger->writer, STMT_PUT_ENTRY, values,
                               ENTRY_VALUES, err);
}

static enum devid_err send_chain(struct ledger *ledger, struct devid_error *err)
{
    const struct ledger_value values[] = {
        value_text(ledger->station),
        value_number(ledger->seq),
        value_text(ledger->head),
    };

    return ledger->store->send(ledger->writer, STMT_PUT_CHAIN, values, 3, err);
}

static enum devid_err send_seal(struct ledger *ledger,
                                const struct chain_seal *seal,
                                struct devid_error *err)
{
    const struct ledger_value values[] = {
        value_text(ledger->station), value_number(seal->seq),
        value_text(seal->head),      value_blob(seal->signature, seal->len),
        value_number(seal->time_ms),
    };

    return ledger->store->send(ledger->writer, STMT_SEAL_CHAIN, values, 5, err);
}

/* What was sent beside the entries: the chain, a signature, the commit. */
static enum devid_err send_end(struct ledger *ledger, size_t entries,
                               size_t *sent, struct devid_error *err)
{
    struct sealer *sealer = ledger->sealer;
    struct chain_seal seal;
    enum devid_err code = DEVID_OK;
    bool idle = !sealer_busy(sealer);

    if (entries > 0) {
        sealer_ask(sealer, ledger->seq, ledger->head);
        code = send_chain(ledger, err);
        *sent += 1;
        /* One that signs an older head just now is a slow one. */
        if (idle)
            sealer_wait(sealer, LEDGER_SIGN_WAIT_MS);
    }
    if (code == DEVID_OK && sealer_take(sealer, &seal)) {
        code = send_seal(ledger, &seal, err);
        *sent += 1;
    }
    if (code != DEVID_OK)
        return code;
    ledger->commit_sent = true;
    *sent += 1;
    return ledger->store->send(ledger->writer, STMT_COMMIT, NULL, 0, err);
}

/* What failed is nothing that the log could hold. */
static bool has_entry(const struct work *work)
{
    return work->outcome != LEDGER_FAILED;
}

static enum devid_err end(struct ledger *ledger, struct work *works,
                          size_t count, struct devid_error *err)
{
    enum devid_err code = DEVID_OK;
    size_t sent = 0;
    int64_t none;

    for (size_t i = 0; code == DEVID_OK && i < count; i++) {
        if (!has_entry(&works[i]))
            continue;
        code = send_entry(ledger, &works[i], err);
        sent++;
    }
    if (code == DEVID_OK)
        code = send_end(ledger, sent, &sent, err);
    for (; code == DEVID_OK && sent > 0; sent--)
        code = db_receive_number(ledger->writer, &none, err);
    return code;
}

/* Begin, with what the jobs may enrol; what is missing of it this station
 * gets for itself before. */
static enum devid_err begin_with_quota(struct ledger *ledger,
                                       struct work *works, size_t count,
                                       bool *scarce, struct devid_error *err)
{
    enum devid_err code;

    for (int tries = 0;; tries++) {
        code = begin(ledger, works, count, scarce, err);
        if (code != DEVID_OK || !*scarce || tries == TOP_UPS_MAX)
            return code;
        ledger->store->abandon(ledger->writer);
        code = quota_top_up(ledger, err);
        if (code != DEVID_OK)
            return code;
    }
}

enum devid_err ledger_group(struct ledger *ledger, struct work *works,
                            size_t count, struct devid_error *err)
{
    bool scarce = false;
    enum devid_err code;

    ledger->commit_sent = false;
    code = begin_with_quota(ledger, works, count, &scarce, err);
    if (code == DEVID_OK)
        code = run_all(ledger, works, count, scarce, err);
    if (code == DEVID_OK)
        code = quota_give_back(ledger, err);
    if (code == DEVID_OK)
        code = end(ledger, works, count, err);
    return code;
}
