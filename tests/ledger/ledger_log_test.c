/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: whatever is changed behind it is found. */
#include <string.h>
#include <unistd.h>

#include "ledger_support.h"

/* Two units, one of which is issued: entries 2, 3 and 4, signed. */
static void fill(struct fixture *fixture)
{
    struct ledger_job job;

    assert_int_equal(enrol(fixture->ledger, 7, &job), LEDGER_DONE);
    clear(&job);
    make_issued(fixture->ledger, 8, &job);
    clear(&job);
    expect_whole(fixture, 4);
    for (int i = 0; i < 100 && unsealed(fixture, fixture->ledger) > 0; i++)
        usleep(50000);
    assert_int_equal(unsealed(fixture, fixture->ledger), 0);
}

struct change {
    const char *sql;
    const char *fault;
};

/* Each in a ledger of its own, which `fill` fills. */
static void each_is_found(void **state, void (*fill_it)(struct fixture *),
                          const struct change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fill_it(*state);
        behind(*state, changes[i].sql);
        expect_fault(*state, changes[i].fault);
        tear_down(state);
        set_up(state);
    }
}

static const struct change of_the_log[] = {
    {"UPDATE audit SET peer = 'nobody' WHERE seq = 2",
     "entry 2 of station line-1 (enrol of unit SN-7) is not as it was"},
    {"UPDATE audit SET time_ms = time_ms + 1 WHERE seq = 4",
     "entry 4 of station line-1 (issue of unit SN-8) is not as it was"},
    {"DELETE FROM audit WHERE seq = 2", "entry 2 of station line-1 is missing"},
    {"DELETE FROM audit WHERE seq = 4",
     "end with 3, but its signed head is 4: the last ones were taken"},
    {"INSERT INTO audit SELECT station, 5, time_ms, event, '', 0, serial, "
     "peer, detail, '', hash FROM audit WHERE seq = 4",
     "entry 5 of station line-1 (issue of unit SN-8) is not as it was"},
    {"INSERT INTO audit SELECT 'line-9', 1, time_ms, event, '', 0, serial, "
     "peer, detail, '', hash FROM audit WHERE seq = 4",
     "entries of station line-9, which has no chain"},
    {"UPDATE unit SET serial = 'SN-70' WHERE serial = 'SN-7'",
     "the row of unit SN-70 is not what entry 2 of station line-1 says"},
    {"UPDATE unit SET idevid_cert = NULL WHERE serial = 'SN-8'",
     "the row of unit SN-8 is not what entry 4 of station line-1 says"},
    {"UPDATE unit SET revision = 1, state = 'certified', "
     "idevid_cert = NULL, iak_cert = NULL WHERE serial = 'SN-8'",
     "the row of unit SN-8 is not what entry 3"},
    {"DELETE FROM unit WHERE serial = 'SN-7'",
     "entry 2 of station line-1 speaks of unit SN-7, whose row is gone"},
    {"UPDATE batch SET quota = 200",
     "the row of batch B1 is not what entry 1 of station line-1 says"},
    {"UPDATE certificate SET revoked_ms = 1",
     "on the list of revoked ones, or off it, without cause"},
    {"UPDATE certificate SET reason = 4 WHERE number = '10'",
     "the certificate 10 of unit SN-8 is on the list of revoked ones, or "
     "off it, without cause, or for another one"},
    {"DELETE FROM certificate WHERE number = '10'",
     "the certificate 10 was issued to unit SN-8, and is not among those "
     "that can be revoked"},
    {"DELETE FROM certificate WHERE number = '11'",
     "the certificate 11 was issued to unit SN-8"},
    {"UPDATE certificate SET number = '12' WHERE number = '10'",
     "the certificate 10 was issued to unit SN-8"},
    {"UPDATE certificate SET subject = "
     "(SELECT id FROM unit WHERE serial = 'SN-7') WHERE number = '10'",
     "the certificate 10 was issued to unit SN-8"},
    {"UPDATE certificate SET subject = 'nobody' WHERE number = '10'",
     "the certificate 10 was issued to unit SN-8"},
    {"UPDATE certificate SET generation = 2 WHERE number = '10'",
     "unit SN-8 has not as many certificates that can be revoked as were "
     "issued to it"},
    {"UPDATE certificate SET expires_ms = 1 WHERE number = '10'",
     "the certificate 10 of unit SN-8 is noted for another owner, or "
     "until another time, than it was issued"},
    {"INSERT INTO certificate (number, subject, generation, expires_ms, "
     "revoked_ms, reason) VALUES ('99', 'nobody', 1, 0, 1, 0)",
     "the certificate 99 is of a unit that is not there"},
    {"INSERT INTO certificate (number, subject, generation, expires_ms, "
     "revoked_ms, reason) SELECT '99', id, 1, 0, 0, 0 FROM unit "
     "WHERE serial = 'SN-7'",
     "unit SN-7 has not as many certificates"},
    {"INSERT INTO certificate (number, subject, generation, expires_ms, "
     "revoked_ms, reason) SELECT '99', id, 0, 0, 0, 0 FROM unit "
     "WHERE serial = 'SN-8'",
     "no entry speaks of the certificate 99 of unit SN-8"},
    {"UPDATE batch SET available = available + 1",
     "batch B1 has more left to enrol, with what stations hold of it, "
     "than its units leave of its quota of 100"},
    {"UPDATE lease SET remaining = remaining + 1",
     "batch B1 has more left to enrol"},
    {"UPDATE chain SET head = signed_head, seq = 3", "its noted head"},
    {"UPDATE chain SET signed_seq = 3",
     "entry 3 of station line-1 is not the one that was signed"},
    {"UPDATE chain SET signed_ms = 1", "was not signed by its key"},
    {"UPDATE chain SET signature = NULL", "has no signature"},
    {"DELETE FROM chain", "of station line-1, which has no chain"},
};

static void what_is_changed_is_found(void **state)
{
    each_is_found(state, fill, of_the_log, COUNT(of_the_log));
}

/* SN-8 was issued 10 and 11, was retired, and is issued 3C and 3D. */
static void fill_for_a_new_owner(struct fixture *fixture)
{
    struct ledger_job job;
    struct ledger_job retire = {.reason = 5};
    struct ledger_job again = {.op = LEDGER_ENROL, .new_owner = true};
    struct ledger_job issue = {0};

    make_issued(fixture->ledger, 8, &job);
    assert_int_equal(follow(fixture->ledger, LEDGER_RETIRE, &job.unit, &retire),
                     LEDGER_DONE);
    fill_unit(&again.unit, 8);
    again.unit.state = UNIT_ACTIVATED;
    assert_int_equal(ledger_do(fixture->ledger, &again), LEDGER_DONE);
    make_cert(&issue.unit.idevid_cert, 60);
    make_cert(&issue.unit.iak_cert, 61);
    assert_int_equal(follow(fixture->ledger, LEDGER_ISSUE, &job.unit, &issue),
                     LEDGER_DONE);
    clear(&issue);
    clear(&again);
    clear(&retire);
    clear(&job);
    expect_whole(fixture, 6);
}

static const struct change of_a_former_owner[] = {
    {"DELETE FROM certificate WHERE number = '10'",
     "the certificate 10 was issued to unit SN-8"},
    {"UPDATE certificate SET revoked_ms = 0, reason = 0 "
     "WHERE number = '10'",
     "the certificate 10 of unit SN-8 is on the list of revoked ones, or "
     "off it"},
    {"UPDATE certificate SET revoked_ms = revoked_ms + 1 "
     "WHERE number = '11'",
     "the certificate 11 of unit SN-8 is on the list"},
    {"UPDATE certificate SET reason = 4 WHERE number = '10'",
     "the certificate 10 of unit SN-8 is on the list"},
    {"UPDATE certificate SET generation = 3 - generation",
     "of unit SN-8 is noted for another owner"},
    {"UPDATE certificate SET revoked_ms = (SELECT time_ms FROM audit "
     "WHERE event = 'retire'), reason = 5 WHERE number = '3C'",
     "the certificate 3C of unit SN-8 is on the list"},
    {"INSERT INTO certificate (number, subject, generation, expires_ms, "
     "revoked_ms, reason) SELECT '99', subject, 1, 0, revoked_ms, reason "
     "FROM certificate WHERE number = '10'",
     "no entry speaks of the certificate 99 of unit SN-8"},
};

static void what_is_changed_of_a_former_owner_is_found(void **state)
{
    each_is_found(state, fill_for_a_new_owner, of_a_former_owner,
                  COUNT(of_a_former_owner));
}

/* The entries from `seq` on and all that they did, as who has the database may
 * take them away. */
static void a_dropped_tail_with_its_rows_is_found_by_the_signature(void **state)
{
    struct fixture *fixture = *state;

    fill(fixture);
    behind(fixture, "DELETE FROM audit WHERE seq > 2");
    behind(fixture, "DELETE FROM unit WHERE serial = 'SN-8'");
    behind(fixture, "DELETE FROM certificate");
    behind(fixture, "UPDATE chain SET seq = 2, "
                    "head = (SELECT hash FROM audit WHERE seq = 2)");
    expect_fault(fixture, "its signed head is 4: the last ones were taken");
}

/* A whole chain, rewritten by who knows how it is made. */
static void a_chain_made_anew_is_found_by_its_signature(void **state)
{
    struct fixture *fixture = *state;
    EVP_PKEY *own = fixture->key;

    fill(fixture);
    /* The forger's key in the place of the station's. */
    fixture->key = fixture->other_key;
    reopen(fixture);
    fixture->key = own;
    expect_fault(fixture, "at entry 4 was not signed by its key");
}

static void a_station_that_nobody_knows_is_a_fault(void **state)
{
    struct fixture *fixture = *state;
    struct ledger *other = open_station(fixture, "stranger", NULL);

    ledger_close(&other);
    expect_fault(fixture, "the key of station stranger is not known");
}

static void the_chains_of_two_stations_are_one_log(void **state)
{
    struct fixture *fixture = *state;
    struct ledger *other = open_station(fixture, "line-2", NULL);
    struct ledger_job job;
    struct ledger_job go = {.unit.state = UNIT_INSTALLED};

    make_issued(fixture->ledger, 7, &job);
    assert_int_equal(follow(other, LEDGER_ADVANCE, &job.unit, &go),
                     LEDGER_DONE);
    clear(&go);
    clear(&job);
    ledger_close(&other);
    expect_whole(fixture, 4);
    behind(fixture, "UPDATE audit SET detail = 'x' WHERE station = 'line-2'");
    expect_fault(fixture, "entry 1 of station line-2 (advance of unit SN-7)");
}

static void a_ledger_is_read_without_the_stations_key(void **state)
{
    struct fixture *fixture = *state;
    const struct ledger_spec spec = {.url = fixture->url, .station = "line-1"};
    struct ledger *reader = NULL;
    struct ledger_verdict verdict;
    struct ledger_job job = {.op = LEDGER_REFUSE};
    struct devid_error err;

    fill(fixture);
    ledger_close(&fixture->ledger);
    assert_int_equal(ledger_open(&spec, &reader, &err), DEVID_OK);
    assert_int_equal(ledger_verify(reader, key_of, fixture, &verdict, &err),
                     DEVID_OK);
    assert_int_equal(verdict.unsealed, 0);
    assert_false(ledger_submit(reader, &job));
    assert_int_equal(ledger_do(reader, &job), LEDGER_FAILED);
    expect_text(&job.error, "opened to be read alone");
    ledger_close(&reader);
}

static void tables_of_another_version_are_left_alone(void **state)
{
    struct fixture *fixture = *state;
    const struct ledger_spec spec = {
        .url = fixture->url, .station = "line-1", .key = fixture->key};
    struct ledger *ledger = NULL;
    struct devid_error err;

    ledger_close(&fixture->ledger);
    behind(fixture, "UPDATE ledger SET version = 6");
    assert_int_equal(ledger_open(&spec, &ledger, &err), DEVID_ERR_INPUT);
    assert_null(ledger);
    expect_text(&err, "has tables of version 6, this program knows version 5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_LEDGER(what_is_changed_is_found),
        ON_A_LEDGER(what_is_changed_of_a_former_owner_is_found),
        ON_A_LEDGER(a_dropped_tail_with_its_rows_is_found_by_the_signature),
        ON_A_LEDGER(a_chain_made_anew_is_found_by_its_signature),
        ON_A_LEDGER(a_station_that_nobody_knows_is_a_fault),
        ON_A_LEDGER(the_chains_of_two_stations_are_one_log),
        ON_A_LEDGER(a_ledger_is_read_without_the_stations_key),
        ON_A_LEDGER(tables_of_another_version_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
