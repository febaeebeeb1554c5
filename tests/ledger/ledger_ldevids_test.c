/* SPDX-License-Identifier: Apache-2.0 */
/* LDevIDs in the ledger: asked for, approved, issued, renewed, revoked. */
#include "ledger_ldevid_support.h"

#include <pthread.h>
#include <string.h>

/* ---- issuing ----------------------------------------------------------- */

static void an_ldevid_is_issued_once_for_its_key(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job job = {0};
    struct ledger_job again = {0};
    struct ledger_ldevid found;
    struct ledger_unit unit;
    struct devid_error err;

    make_unit(fixture, 7, &unit);
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 1, "A1", &job),
                     LEDGER_DONE);
    assert_int_equal(job.ldevid.state, LDEVID_ISSUED);
    assert_string_equal(job.ldevid.serial, "SN-7");
    assert_string_equal(job.ldevid.station, "line-1");
    assert_true(job.ldevid.issued_ms > 0);
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 1, "A2", &again),
                     LEDGER_AGAIN);
    assert_string_equal(again.ldevid.number, "A1");
    assert_int_equal(again.ldevid.cert.len, 13);
    assert_int_equal(ledger_find_ldevid(fixture->ledger, LDEVID_BY_NUMBER, "A1",
                                        &found, &err),
                     DEVID_OK);
    assert_string_equal(found.id, job.ldevid.id);
    assert_string_equal(found.subject, "CN=SN-7");
    assert_int_equal(found.request.len, 9);
    ledger_ldevid_clear(&found);
    assert_int_equal(ledger_find_ldevid(fixture->ledger, LDEVID_BY_NUMBER, "A2",
                                        &found, &err),
                     DEVID_ERR_NOT_FOUND);
    expect_text(&err, "there is no LDevID A2 in the ledger");
    drop_ldevid(&again);
    drop_ldevid(&job);
    ledger_unit_clear(&unit);
    expect_whole(fixture, 5);
}

static void a_renewal_follows_the_one_before_by_the_same_key(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job job = {0};
    struct ledger_ldevid found;
    struct ledger_unit unit;
    struct devid_error err;

    make_unit(fixture, 7, &unit);
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 1, "A1", &job),
                     LEDGER_DONE);
    drop_ldevid(&job);
    strcpy(job.ldevid.renews, "A1");
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 1, "A2", &job),
                     LEDGER_DONE);
    drop_ldevid(&job);
    /* The answer was lost, and the device asks as before. */
    strcpy(job.ldevid.renews, "A1");
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 1, "A3", &job),
                     LEDGER_AGAIN);
    assert_string_equal(job.ldevid.number, "A2");
    drop_ldevid(&job);
    assert_int_equal(
        ledger_newest_ldevid(fixture->ledger, unit.id, "", &found, &err),
        DEVID_OK);
    assert_string_equal(found.number, "A2");
    ledger_ldevid_clear(&found);
    assert_int_equal(
        ledger_newest_ldevid(fixture->ledger, unit.id, "vpn", &found, &err),
        DEVID_ERR_NOT_FOUND);
    ledger_unit_clear(&unit);
    expect_whole(fixture, 6);
}

static void a_key_is_one_units_and_one_labels(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job job = {0};
    struct ledger_unit unit;
    struct ledger_unit other;

    make_unit(fixture, 7, &unit);
    make_unit(fixture, 8, &other);
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 1, "A1", &job),
                     LEDGER_DONE);
    drop_ldevid(&job);
    assert_int_equal(issue_ldevid(fixture->ledger, &other, 1, "A2", &job),
                     LEDGER_DUPLICATE);
    assert_string_equal(job.column, "key");
    expect_text(&job.error, "the key in the request of unit SN-8 has an LDevID "
                            "of another unit");
    drop_ldevid(&job);
    job = (struct ledger_job){.op = LEDGER_ASK_LDEVID};
    fill_ldevid(&job.ldevid, &unit, 1);
    strcpy(job.ldevid.label, "vpn");
    assert_int_equal(ledger_do(fixture->ledger, &job), LEDGER_DUPLICATE);
    assert_string_equal(job.column, "label");
    drop_ldevid(&job);
    /* Nor is a number taken twice. */
    assert_int_equal(issue_ldevid(fixture->ledger, &other, 2, "A1", &job),
                     LEDGER_DUPLICATE);
    assert_string_equal(job.column, "number");
    drop_ldevid(&job);
    ledger_unit_clear(&unit);
    ledger_unit_clear(&other);
    expect_whole(fixture, 9);
}

static void a_unit_without_an_idevid_or_retired_gets_none(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job job = {0};
    struct ledger_job retire = {.reason = 5};
    struct ledger_job asked;
    struct ledger_unit unit;

    assert_int_equal(enrol(fixture->ledger, 8, &job), LEDGER_DONE);
    assert_int_equal(ask_ldevid(fixture->ledger, &job.unit, 1, &asked),
                     LEDGER_STATE);
    expect_text(&asked.error, "SN-8 is certified: it has no IDevID yet");
    drop_ldevid(&asked);
    clear(&job);
    make_unit(fixture, 7, &unit);
    assert_int_equal(ask_ldevid(fixture->ledger, &unit, 1, &asked),
                     LEDGER_DONE);
    assert_int_equal(follow(fixture->ledger, LEDGER_RETIRE, &unit, &retire),
                     LEDGER_DONE);
    clear(&retire);
    assert_int_equal(decide_ldevid(fixture->ledger, LEDGER_APPROVE_LDEVID,
                                   &asked.ldevid, &job),
                     LEDGER_STATE);
    expect_text(&job.error, "the unit SN-7 is retired");
    drop_ldevid(&job);
    drop_ldevid(&asked);
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 2, "A1", &job),
                     LEDGER_STATE);
    expect_text(&job.error, "the unit SN-7 is retired");
    drop_ldevid(&job);
    ledger_unit_clear(&unit);
    expect_whole(fixture, 9);
}

/* ---- approval ---------------------------------------------------------- */

static void what_waits_is_issued_once_a_person_has_approved_it(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job asked = {.op = LEDGER_ASK_LDEVID};
    struct ledger_job job = {0};
    struct ledger_unit unit;

    make_unit(fixture, 7, &unit);
    fill_ldevid(&asked.ldevid, &unit, 1);
    strcpy(asked.ldevid.renews, "A0");
    asked.ldevid.renewal = 4;
    assert_int_equal(ledger_do(fixture->ledger, &asked), LEDGER_DONE);
    assert_int_equal(asked.ldevid.state, LDEVID_PENDING);
    assert_int_equal(ask_ldevid(fixture->ledger, &unit, 1, &job), LEDGER_AGAIN);
    assert_string_equal(job.ldevid.id, asked.ldevid.id);
    drop_ldevid(&job);
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 1, "A1", &job),
                     LEDGER_STATE);
    expect_text(&job.error, "the LDevID of unit SN-7 is pending");
    drop_ldevid(&job);
    assert_int_equal(decide_ldevid(fixture->ledger, LEDGER_REFUSE_LDEVID,
                                   &asked.ldevid, &job),
                     LEDGER_DONE);
    drop_ldevid(&job);
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 1, "A1", &job),
                     LEDGER_STATE);
    expect_text(&job.error, "the LDevID of unit SN-7 is refused");
    drop_ldevid(&job);
    assert_int_equal(decide_ldevid(fixture->ledger, LEDGER_APPROVE_LDEVID,
                                   &asked.ldevid, &job),
                     LEDGER_DONE);
    drop_ldevid(&job);
    assert_int_equal(decide_ldevid(fixture->ledger, LEDGER_APPROVE_LDEVID,
                                   &asked.ldevid, &job),
                     LEDGER_AGAIN);
    drop_ldevid(&job);
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 1, "A1", &job),
                     LEDGER_DONE);
    assert_string_equal(job.ldevid.id, asked.ldevid.id);
    assert_int_equal(job.ldevid.asked_ms, asked.ldevid.asked_ms);
    assert_string_equal(job.ldevid.renews, "A0");
    assert_int_equal(job.ldevid.renewal, 4);
    drop_ldevid(&job);
    assert_int_equal(decide_ldevid(fixture->ledger, LEDGER_REFUSE_LDEVID,
                                   &asked.ldevid, &job),
                     LEDGER_STATE);
    expect_text(&job.error, "is issued: it cannot be refused");
    drop_ldevid(&job);
    drop_ldevid(&asked);
    ledger_unit_clear(&unit);
    expect_whole(fixture, 12);
}

/* ---- revocation -------------------------------------------------------- */

static void an_ldevid_is_revoked_by_itself_or_with_its_unit(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job retire = {.reason = 5};
    struct ledger_job job = {0};
    struct ledger_job first = {0};
    struct ledger_unit unit;

    make_unit(fixture, 7, &unit);
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 1, "A1", &first),
                     LEDGER_DONE);
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 2, "A2", &job),
                     LEDGER_DONE);
    drop_ldevid(&job);
    /* One that is over is on no list. */
    job.ldevid.not_after_ms = 2;
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 3, "A3", &job),
                     LEDGER_DONE);
    drop_ldevid(&job);
    assert_int_equal(decide_ldevid(fixture->ledger, LEDGER_REVOKE_LDEVID,
                                   &first.ldevid, &job),
                     LEDGER_DONE);
    drop_ldevid(&job);
    expect_revoked(fixture, "A1 ");
    assert_int_equal(decide_ldevid(fixture->ledger, LEDGER_REVOKE_LDEVID,
                                   &first.ldevid, &job),
                     LEDGER_AGAIN);
    drop_ldevid(&job);
    strcpy(job.ldevid.renews, "A1");
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 1, "A4", &job),
                     LEDGER_STATE);
    expect_text(&job.error,
                "the LDevID A1 of unit SN-7 is revoked: its key gets no other");
    drop_ldevid(&job);
    expect_whole(fixture, 9);
    assert_int_equal(follow(fixture->ledger, LEDGER_RETIRE, &unit, &retire),
                     LEDGER_DONE);
    clear(&retire);
    expect_revoked(fixture, "A1 0E 0F A2 ");
    drop_ldevid(&first);
    ledger_unit_clear(&unit);
    expect_whole(fixture, 10);
}

/* ---- two stations at once ---------------------------------------------- */

enum {
    RACES = 12,
    RACE_LDEVIDS = 6
};

struct race {
    struct ledger *ledger;
    struct ledger_unit unit;
    int number;
};

static void *issue_some(void *arg)
{
    const struct race *race = arg;
    char number[16];

    for (int i = 0; i < RACE_LDEVIDS; i++) {
        struct ledger_job job = {0};
        enum ledger_outcome outcome;
        snprintf(number, sizeof(number), "%02dA%d", race->number, i);
        outcome = issue_ldevid(race->ledger, &race->unit,
                               race->number * RACE_LDEVIDS + i, number, &job);
        drop_ldevid(&job);
        if (outcome != LEDGER_DONE)
            break;
    }
    return NULL;
}

/* Whatever was issued before the unit was retired is revoked with it: verify
 * holds certificates against their units' states. */
static void nothing_is_issued_to_a_unit_that_is_being_retired(void **state)
{
    struct fixture *fixture = *state;
    struct ledger *other = open_station(fixture, "line-2", NULL);
    struct ledger_verdict verdict;
    struct devid_error err;

    for (int i = 0; i < RACES; i++) {
        struct race race = {.ledger = other, .number = i};
        struct ledger_job retire = {.reason = 5};
        pthread_t thread;
        make_unit(fixture, i, &race.unit);
        assert_int_equal(pthread_create(&thread, NULL, issue_some, &race), 0);
        assert_int_equal(
            follow(fixture->ledger, LEDGER_RETIRE, &race.unit, &retire),
            LEDGER_DONE);
        clear(&retire);
        pthread_join(thread, NULL);
        ledger_unit_clear(&race.unit);
    }
    ledger_close(&other);
    if (ledger_verify(fixture->ledger, key_of, fixture, &verdict, &err))
        fail_msg("%s", err.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_LEDGER(an_ldevid_is_issued_once_for_its_key),
        ON_A_LEDGER(a_renewal_follows_the_one_before_by_the_same_key),
        ON_A_LEDGER(a_key_is_one_units_and_one_labels),
        ON_A_LEDGER(a_unit_without_an_idevid_or_retired_gets_none),
        ON_A_LEDGER(what_waits_is_issued_once_a_person_has_approved_it),
        ON_A_LEDGER(an_ldevid_is_revoked_by_itself_or_with_its_unit),
        ON_A_LEDGER(nothing_is_issued_to_a_unit_that_is_being_retired),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
