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

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_LEDGER(a_locked_unit_that_was_cleared_is_tested_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
