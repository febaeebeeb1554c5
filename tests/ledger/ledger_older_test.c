/* SPDX-License-Identifier: Apache-2.0 */
/* A ledger of the version before. */
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
    expect_text(&err, "has tables of version 1, this program knows version 4: "
                      "devid-station serve, and each command that writes, "
                      "brings them up to it");
    reopen(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_LEDGER(an_older_ledger_is_brought_up_to_date),
        ON_A_LEDGER(who_only_reads_leaves_an_older_ledger_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
