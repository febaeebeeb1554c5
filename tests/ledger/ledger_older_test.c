/* SPDX-License-Identifier: Apache-2.0 */
/* A ledger of the version before; entries as they were before. */
#include <stdio.h>
#include <string.h>

#include "ledger_chain.h"
#include "ledger_ldevid_support.h"

static void make_old(struct fixture *fixture)
{
    ledger_close(&fixture->ledger);
    make_version_3(fixture);
    behind(fixture, "DROP INDEX unit_by_serial");
    behind(fixture, "DROP INDEX unit_of_state");
    behind(fixture, "DROP INDEX unit_of_batch");
    behind(fixture, "DROP TABLE ldevid");
    behind(fixture, "ALTER TABLE certificate DROP COLUMN expires_ms");
    behind(fixture, "ALTER TABLE unit DROP COLUMN challenge");
    behind(fixture, "UPDATE ledger SET version = 1");
}

static void an_older_ledger_is_brought_up_to_date(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job retire = {.reason = 5};
    struct ledger_job job = {0};
    struct ledger_unit unit;

    make_unit(fixture, 7, &unit);
    make_old(fixture);
    reopen(fixture);
    expect_whole(fixture, 3);
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 1, "A1", &job),
                     LEDGER_DONE);
    drop_ldevid(&job);
    assert_int_equal(follow(fixture->ledger, LEDGER_RETIRE, &unit, &retire),
                     LEDGER_DONE);
    clear(&retire);
    expect_revoked(fixture, "0E 0F A1 ");
    ledger_unit_clear(&unit);
    expect_whole(fixture, 5);
}

static void who_only_reads_leaves_an_older_ledger_alone(void **state)
{
    struct fixture *fixture = *state;
    const struct ledger_spec spec = {.url = fixture->url, .station = "line-1"};
    struct ledger *reader = NULL;
    struct devid_error err;

    make_old(fixture);
    assert_int_equal(ledger_open(&spec, &reader, &err), DEVID_ERR_INPUT);
    expect_text(&err, "has tables of version 1, this program knows version 5: "
                      "devid-station serve, and each command that writes, "
                      "brings them up to it");
    reopen(fixture);
}

/* ---- entries that name no certificates --------------------------------- */

struct rewrite {
    char head[CHAIN_HASH_SIZE];
    char sql[4096];
    size_t used;
};

/* As before issue and retire said what they did; the chain fits. */
static bool forget_detail(void *arg, const struct ledger_row *row)
{
    struct rewrite *rewrite = arg;
    struct ledger_value values[ENTRY_VALUES];
    const char *event = row_text(row, ENTRY_EVENT);

    memcpy(values, row->values, sizeof(values));
    if (strcmp(event, "issue") == 0 || strcmp(event, "retire") == 0)
        values[ENTRY_DETAIL] = value_text("");
    assert_true(chain_entry_hash(rewrite->head, values, rewrite->head));
    rewrite->used += (size_t)snprintf(
        rewrite->sql + rewrite->used, sizeof(rewrite->sql) - rewrite->used,
        "UPDATE audit SET detail = '%s', hash = '%s' WHERE seq = %d;",
        (const char *)values[ENTRY_DETAIL].data, rewrite->head,
        (int)row_number(row, ENTRY_SEQ));
    return rewrite->used < sizeof(rewrite->sql);
}

static void forget_details(struct fixture *fixture)
{
    const struct ledger_store *store =
        fixture->directory ? &ledger_sqlite : &ledger_postgres;
    struct rewrite rewrite = {.head = CHAIN_GENESIS};
    const struct ledger_query query = {
        .stmt = STMT_ENTRIES, .each = forget_detail, .arg = &rewrite};
    struct ledger_db *db = NULL;
    struct devid_error err;
    char sql[200];

    ledger_close(&fixture->ledger);
    assert_int_equal(store->open(fixture->url, false, &db, &err), DEVID_OK);
    assert_int_equal(store->query(db, &query, &err), DEVID_OK);
    store->close(db);
    behind(fixture, rewrite.sql);
    snprintf(sql, sizeof(sql), "UPDATE chain SET head = '%s'", rewrite.head);
    behind(fixture, sql);
    fixture->ledger = open_station(fixture, "line-1", NULL);
}

static void entries_that_name_no_certificates_are_whole(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job retire = {.reason = 5};
    struct ledger_job again = {.op = LEDGER_ENROL, .new_owner = true};
    struct ledger_job issue = {0};
    struct ledger_unit unit;

    make_unit(fixture, 7, &unit);
    assert_int_equal(follow(fixture->ledger, LEDGER_RETIRE, &unit, &retire),
                     LEDGER_DONE);
    clear(&retire);
    fill_unit(&again.unit, 7);
    again.unit.state = UNIT_ACTIVATED;
    assert_int_equal(ledger_do(fixture->ledger, &again), LEDGER_DONE);
    clear(&again);
    make_cert(&issue.unit.idevid_cert, 60);
    assert_int_equal(follow(fixture->ledger, LEDGER_ISSUE, &unit, &issue),
                     LEDGER_DONE);
    clear(&issue);
    ledger_unit_clear(&unit);
    forget_details(fixture);
    expect_whole(fixture, 6);
    behind(fixture, "DELETE FROM certificate WHERE number = '3C'");
    expect_fault(fixture, "unit SN-7 has not as many certificates that can be "
                          "revoked as were issued to it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_LEDGER(an_older_ledger_is_brought_up_to_date),
        ON_A_LEDGER(who_only_reads_leaves_an_older_ledger_alone),
        ON_A_LEDGER(entries_that_name_no_certificates_are_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
