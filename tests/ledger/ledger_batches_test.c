/* SPDX-License-Identifier: Apache-2.0 */
/* Batches in the ledger: known by their tokens, used up, closed. */
#include <string.h>

#include "ledger_support.h"

static void a_batch_gives_out_its_quota_and_not_one_more(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job job;

    for (int i = 0; i < 100; i++) {
        assert_int_equal(enrol(fixture->ledger, i, &job), LEDGER_DONE);
        clear(&job);
    }
    assert_int_equal(enrol(fixture->ledger, 100, &job), LEDGER_QUOTA);
    expect_text(&job.error, "the batch B1 is used up");
    clear(&job);
    /* What is enrolled is answered all the same. */
    assert_int_equal(enrol(fixture->ledger, 50, &job), LEDGER_AGAIN);
    clear(&job);
    assert_int_equal(used_of(fixture->ledger, "B1"), 100);
    expect_whole(fixture, 103);
}

static void a_quota_that_another_station_holds_is_not_lost(void **state)
{
    const struct ledger_spec spec = {.lease = 1000};
    struct fixture *fixture = *state;
    struct ledger *other = open_station(fixture, "line-2", &spec);
    struct ledger_job job;

    /* line-2 leases all of it and goes away. */
    assert_int_equal(enrol(other, 0, &job), LEDGER_DONE);
    clear(&job);
    ledger_close(&other);
    for (int i = 1; i < 100; i++) {
        assert_int_equal(enrol(fixture->ledger, i, &job), LEDGER_DONE);
        clear(&job);
    }
    assert_int_equal(enrol(fixture->ledger, 100, &job), LEDGER_QUOTA);
    clear(&job);
    assert_int_equal(used_of(fixture->ledger, "B1"), 100);
    expect_whole(fixture, 102);
}

static void a_closed_batch_takes_no_unit(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job close = {.op = LEDGER_CLOSE_BATCH};
    struct ledger_batch batch;
    struct devid_error err;
    struct ledger_job job;

    strcpy(close.batch.name, "B1");
    assert_int_equal(ledger_do(fixture->ledger, &close), LEDGER_DONE);
    assert_int_equal(enrol(fixture->ledger, 7, &job), LEDGER_NO_BATCH);
    expect_text(&job.error, "the batch B1 is closed");
    clear(&job);
    assert_int_equal(ledger_do(fixture->ledger, &close), LEDGER_AGAIN);
    assert_int_equal(ledger_batch(fixture->ledger, "B1", NULL, &batch, &err),
                     DEVID_OK);
    assert_true(batch.closed);
    strcpy(close.batch.name, "B9");
    assert_int_equal(ledger_do(fixture->ledger, &close), LEDGER_NO_BATCH);
    expect_text(&close.error, "there is no batch B9");
    expect_whole(fixture, 5);
}

static void a_batch_is_known_by_its_token_and_opened_once(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job job = {.op = LEDGER_OPEN_BATCH};
    struct ledger_batch batch;
    struct devid_error err;

    assert_int_equal(ledger_batch(fixture->ledger, "B1", NULL, &batch, &err),
                     DEVID_OK);
    job.batch = batch;
    assert_int_equal(ledger_do(fixture->ledger, &job), LEDGER_AGAIN);
    job.batch = batch;
    job.batch.quota = 5;
    assert_int_equal(ledger_do(fixture->ledger, &job), LEDGER_DUPLICATE);
    expect_text(&job.error, "there is a batch B1 already, of 100 units of M1");
    job.batch = batch;
    strcpy(job.batch.name, "B2");
    assert_int_equal(ledger_do(fixture->ledger, &job), LEDGER_DUPLICATE);
    assert_string_equal(job.column, "token");
    assert_int_equal(
        ledger_batch(fixture->ledger, NULL, batch.token_digest, &batch, &err),
        DEVID_OK);
    assert_string_equal(batch.name, "B1");
    assert_int_equal(ledger_batch(fixture->ledger, NULL, "00", &batch, &err),
                     DEVID_ERR_NOT_FOUND);
    expect_text(&err, "the token is that of no batch");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_LEDGER(a_batch_gives_out_its_quota_and_not_one_more),
        ON_A_LEDGER(a_quota_that_another_station_holds_is_not_lost),
        ON_A_LEDGER(a_closed_batch_takes_no_unit),
        ON_A_LEDGER(a_batch_is_known_by_its_token_and_opened_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
