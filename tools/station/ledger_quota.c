/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ledger_queue.h"

enum {
    GROUPS_A_BLOCK = 8 /* so that few groups have to get a new one first */
};

/* STMT_TAKE_...: the answer is how many it took. */
static enum devid_err send_take(struct ledger *ledger, enum ledger_stmt stmt,
                                const char *batch, int64_t wanted,
                                struct devid_error *err)
{
    const struct ledger_value values[] = {
        value_text(batch),
        value_number(wanted),
        value_text(ledger->station),
    };
    size_t count = stmt == STMT_TAKE_LEASE ? 3 : 2;

    return ledger->store->send(ledger->writer, stmt, values, count, err);
}

static enum devid_err take(struct ledger *ledger, enum ledger_stmt stmt,
                           const char *batch, int64_t wanted, int64_t *taken,
                           struct devid_error *err)
{
    enum devid_err code = send_take(ledger, stmt, batch, wanted, err);

    return code == DEVID_OK ? db_receive_number(ledger->writer, taken, err)
                            : code;
}

static enum devid_err give(struct ledger *ledger, const char *batch,
                           int64_t number, struct devid_error *err)
{
    const struct ledger_value values[] = {
        value_text(batch),
        value_number(number),
        value_text(ledger->station),
    };

    if (number <= 0)
        return DEVID_OK;
    return db_run(ledger->writer, STMT_GIVE_LEASE, values, 3, NULL, err);
}

/* ---- a group's --------------------------------------------------------- */

static struct allotment *allotment_of(struct ledger *ledger, const char *batch)
{
    struct allotment *allotment = ledger->allotments;

    for (size_t i = 0; i < ledger->allotment_count; i++, allotment++) {
        if (strcmp(allotment->batch, batch) == 0)
            return allotment;
    }
    *allotment = (struct allotment){.batch = batch};
    ledger->allotment_count++;
    return allotment;
}

static bool is_scarce(const struct allotment *allotment)
{
    return allotment->known && !allotment->closed &&
           allotment->left < allotment->wanted;
}

enum devid_err quota_ask(struct ledger *ledger, struct work *works,
                         size_t count, struct devid_error *err)
{
    struct ledger_db *db = ledger->writer;
    enum devid_err code = DEVID_OK;

    ledger->allotment_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (works[i].job->op != LEDGER_ENROL)
            continue;
        works[i].allotment = allotment_of(ledger, works[i].job->unit.batch);
        works[i].allotment->wanted++;
    }
    for (size_t i = 0; code == DEVID_OK && i < ledger->allotment_count; i++) {
        const struct allotment *allotment = &ledger->allotments[i];
        const struct ledger_value name = value_text(allotment->batch);
        code = db->store->send(db, STMT_GET_BATCH, &name, 1, err);
        if (code == DEVID_OK)
            code = send_take(ledger, STMT_TAKE_LEASE, allotment->batch,
                             allotment->wanted, err);
    }
    return code;
}

enum devid_err quota_take(struct ledger *ledger, bool *scarce,
                          struct devid_error *err)
{
    struct ledger_db *db = ledger->writer;
    enum devid_err code = DEVID_OK;

    *scarce = false;
    for (size_t i = 0; code == DEVID_OK && i < ledger->allotment_count; i++) {
        struct allotment *allotment = &ledger->allotments[i];
        struct ledger_row row = {0};
        code = db->store->receive(db, &row, err);
        allotment->known = row.found;
        allotment->closed = row_number(&row, 0) != 0;
        ledger_row_clear(&row);
        if (code == DEVID_OK)
            code = db_receive_number(db, &allotment->left, err);
        *scarce = *scarce || is_scarce(allotment);
    }
    return code;
}

enum devid_err quota_give_back(struct ledger *ledger, struct devid_error *err)
{
    enum devid_err code = DEVID_OK;

    for (size_t i = 0; code == DEVID_OK && i < ledger->allotment_count; i++)
        code = give(ledger, ledger->allotments[i].batch,
                    ledger->allotments[i].left, err);
    return code;
}

/* ---- a lease's --------------------------------------------------------- */

static enum devid_err collect(struct ledger *ledger,
                              const struct allotment *allotment,
                              struct devid_error *err)
{
    int64_t missing = allotment->wanted - allotment->left;
    int64_t block = allotment->wanted * GROUPS_A_BLOCK;
    const struct ledger_value name = value_text(allotment->batch);
    int64_t got = 0;
    int64_t more;
    enum devid_err code =
        db_run(ledger->writer, STMT_LOCK_BATCH, &name, 1, NULL, err);

    if (block < ledger->lease)
        block = ledger->lease;
    if (code == DEVID_OK)
        code =
            take(ledger, STMT_TAKE_BLOCK, allotment->batch, block, &got, err);
    more = got < missing;
    while (code == DEVID_OK && more > 0 && got < missing) {
        code = take(ledger, STMT_TAKE_FOREIGN, allotment->batch, missing - got,
                    &more, err);
        got += code == DEVID_OK ? more : 0;
    }
    return code == DEVID_OK ? give(ledger, allotment->batch, got, err) : code;
}

enum devid_err quota_top_up(struct ledger *ledger, struct devid_error *err)
{
    struct ledger_db *db = ledger->writer;
    enum devid_err code = db_run(db, STMT_BEGIN, NULL, 0, NULL, err);

    for (size_t i = 0; code == DEVID_OK && i < ledger->allotment_count; i++) {
        if (is_scarce(&ledger->allotments[i]))
            code = collect(ledger, &ledger->allotments[i], err);
    }
    return code == DEVID_OK ? db_run(db, STMT_COMMIT, NULL, 0, NULL, err)
                            : code;
}
