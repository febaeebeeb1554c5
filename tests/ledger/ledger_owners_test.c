/* SPDX-License-Identifier: Apache-2.0 */
/* Units that are retired, and enrolled for a new owner. */
#include <string.h>

#include "ledger_support.h"

static bool count_revoked(void *arg, const struct ledger_revoked *revoked)
{
    int *count = arg;

    assert_int_equal(revoked->reason, 5);
    *count += 1;
    return true;
}

static void a_retired_unit_is_revoked_and_enrolled_for_a_new_owner(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job job;
    struct ledger_job retire = {.reason = 5};
    struct ledger_job again = {.op = LEDGER_ENROL, .new_owner = true};
    struct devid_error err;
    int count = 0;

    make_issued(fixture->ledger, 7, &job);
    assert_int_equal(follow(fixture->ledger, LEDGER_RETIRE, &job.unit, &retire),
                     LEDGER_DONE);
    clear(&retire);
    assert_int_equal(
        ledger_revoked(fixture->ledger, 0, count_revoked, &count, &err),
        DEVID_OK);
    assert_int_equal(count, 2);
    clear(&job);
    assert_int_equal(enrol(fixture->ledger, 7, &job), LEDGER_STATE);
    expect_text(&job.error, "for a new owner alone");
    clear(&job);
    fill_unit(&again.unit, 7);
    memset(again.unit.idevid_name, 'b', 64);
    assert_int_equal(ledger_do(fixture->ledger, &again), LEDGER_DONE);
    assert_int_equal(again.unit.generation, 2);
    assert_int_equal(again.unit.idevid_cert.len, 0);
    assert_int_equal(used_of(fixture->ledger, "B1"), 2);
    clear(&again);
    expect_whole(fixture, 6);
}

/* Each of them read the row before the unit was retired. */
static void what_a_former_owner_began_does_not_reach_the_next(void **state)
{
    static const enum ledger_op ops[] = {LEDGER_ADVANCE, LEDGER_ISSUE,
                                         LEDGER_RETIRE};
    struct fixture *fixture = *state;
    struct ledger_job job;
    struct ledger_job retire = {.reason = 5};
    struct ledger_job again = {.op = LEDGER_ENROL, .new_owner = true};
    struct ledger_unit found;
    struct devid_error err;

    assert_int_equal(enrol_activated(fixture->ledger, 7, &job), LEDGER_DONE);
    assert_int_equal(follow(fixture->ledger, LEDGER_RETIRE, &job.unit, &retire),
                     LEDGER_DONE);
    clear(&retire);
    fill_unit(&again.unit, 7);
    assert_int_equal(ledger_do(fixture->ledger, &again), LEDGER_DONE);
    clear(&again);
    for (size_t i = 0; i < COUNT(ops); i++) {
        struct ledger_job late = {.unit = {.generation = job.unit.generation,
                                           .state = UNIT_ACTIVATED}};
        make_cert(&late.unit.idevid_cert, 14);
        assert_int_equal(follow(fixture->ledger, ops[i], &job.unit, &late),
                         LEDGER_STATE);
        expect_text(&late.error, "SN-7 was enrolled for a new owner meanwhile");
        clear(&late);
    }
    assert_int_equal(
        ledger_find(fixture->ledger, UNIT_BY_SERIAL, "SN-7", &found, &err),
        DEVID_OK);
    assert_int_equal(found.state, UNIT_CERTIFIED);
    assert_int_equal(found.idevid_cert.len, 0);
    ledger_unit_clear(&found);
    clear(&job);
    expect_whole(fixture, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_LEDGER(a_retired_unit_is_revoked_and_enrolled_for_a_new_owner),
        ON_A_LEDGER(what_a_former_owner_began_does_not_reach_the_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
