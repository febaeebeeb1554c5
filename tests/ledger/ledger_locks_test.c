/* SPDX-License-Identifier: Apache-2.0 */
/* Units whose TPM is locked, and the authorisations that are kept of them. */
#include "ledger_support.h"

#include <string.h>

static void a_locked_unit_that_was_cleared_is_tested_again(void **state)
{
    static const enum unit_state way[][2] = {
        /* what it says, and where it is then */
        {UNIT_LOCKED, UNIT_LOCKED}, {UNIT_INSTALLED, UNIT_LOCKED},
        {UNIT_TESTED, UNIT_TESTED}, {UNIT_INSTALLED, UNIT_TESTED},
        {UNIT_LOCKED, UNIT_LOCKED},
    };
    struct fixture *fixture = *state;
    struct ledger_job job;
    struct ledger_job go;

    make_issued(fixture->ledger, 7, &job);
    for (size_t i = 0; i < sizeof(way) / sizeof(*way); i++) {
        go = (struct ledger_job){.unit.state = way[i][0]};
        assert_int_equal(
            follow(fixture->ledger, LEDGER_ADVANCE, &job.unit, &go),
            way[i][0] == way[i][1] ? LEDGER_DONE : LEDGER_AGAIN);
        assert_int_equal(go.unit.state, way[i][1]);
        clear(&go);
    }
    /* One that was read before it was locked says nothing of a state. */
    go = (struct ledger_job){.unit.state = UNIT_TESTED};
    go.unit.escrow.data = OPENSSL_memdup("secret", 6);
    go.unit.escrow.len = 6;
    assert_int_equal(follow(fixture->ledger, LEDGER_ADVANCE, &job.unit, &go),
                     LEDGER_AGAIN);
    assert_int_equal(go.unit.state, UNIT_LOCKED);
    clear(&go);
    clear(&job);
    expect_whole(fixture, 9);
}

static void escrow(struct fixture *fixture, const struct ledger_unit *unit,
                   const char *text)
{
    struct ledger_job job = {.unit.state = UNIT_ISSUED};

    job.unit.escrow.len = strlen(text);
    job.unit.escrow.data = OPENSSL_memdup(text, job.unit.escrow.len);
    assert_int_equal(follow(fixture->ledger, LEDGER_ADVANCE, unit, &job),
                     LEDGER_AGAIN);
    clear(&job);
}

static bool add_former(void *arg, const struct ledger_escrow *former)
{
    assert_true(former->replaced_ms > 0);
    strncat(arg, (const char *)former->cms.data, former->cms.len);
    strcat(arg, " ");
    return true;
}

/* The row's and those before it, the newest first. */
static void expect_escrows(struct fixture *fixture,
                           const struct ledger_unit *unit, const char *now,
                           const char *former)
{
    struct ledger_unit found;
    struct devid_error err;
    char text[100] = "";

    assert_int_equal(
        ledger_find(fixture->ledger, UNIT_BY_ID, unit->id, &found, &err),
        DEVID_OK);
    assert_int_equal(found.escrow.len, strlen(now));
    if (found.escrow.len > 0)
        assert_memory_equal(found.escrow.data, now, found.escrow.len);
    ledger_unit_clear(&found);
    assert_int_equal(ledger_former_escrows(fixture->ledger, unit->id,
                                           add_former, text, &err),
                     DEVID_OK);
    assert_string_equal(text, former);
}

static void retire_and_enrol_anew(struct fixture *fixture, int number,
                                  const struct ledger_unit *unit)
{
    struct ledger_job job = {.reason = 5};

    assert_int_equal(follow(fixture->ledger, LEDGER_RETIRE, unit, &job),
                     LEDGER_DONE);
    clear(&job);
    job = (struct ledger_job){.op = LEDGER_ENROL, .new_owner = true};
    fill_unit(&job.unit, number);
    assert_int_equal(ledger_do(fixture->ledger, &job), LEDGER_DONE);
    clear(&job);
}

static void an_escrow_that_is_replaced_is_kept(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job other;
    struct ledger_job job;

    make_issued(fixture->ledger, 7, &job);
    make_issued(fixture->ledger, 8, &other);
    escrow(fixture, &other.unit, "others");
    expect_escrows(fixture, &job.unit, "", "");
    escrow(fixture, &job.unit, "first");
    expect_escrows(fixture, &job.unit, "first", "");
    escrow(fixture, &job.unit, "first"); /* its answer was lost */
    expect_escrows(fixture, &job.unit, "first", "");
    escrow(fixture, &job.unit, "second");
    escrow(fixture, &job.unit, "third");
    expect_escrows(fixture, &job.unit, "third", "second first ");
    retire_and_enrol_anew(fixture, 7, &job.unit);
    expect_escrows(fixture, &job.unit, "", "third second first ");
    expect_escrows(fixture, &other.unit, "others", "");
    clear(&other);
    clear(&job);
    expect_whole(fixture, 12);
}

static void an_older_ledger_keeps_them_from_now_on(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job job;

    make_issued(fixture->ledger, 7, &job);
    escrow(fixture, &job.unit, "first");
    ledger_close(&fixture->ledger);
    make_version_4(fixture);
    reopen(fixture);
    expect_escrows(fixture, &job.unit, "first", "");
    escrow(fixture, &job.unit, "second");
    expect_escrows(fixture, &job.unit, "second", "first ");
    clear(&job);
    expect_whole(fixture, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_LEDGER(a_locked_unit_that_was_cleared_is_tested_again),
        ON_A_LEDGER(an_escrow_that_is_replaced_is_kept),
        ON_A_LEDGER(an_older_ledger_keeps_them_from_now_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
