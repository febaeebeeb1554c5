/* SPDX-License-Identifier: Apache-2.0 */
/* Units in the ledger: enrolled once, never twice, and how far they come. */
#include <string.h>

#include "ledger_support.h"

static void a_unit_is_enrolled_and_found_by_each_of_its_names(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_unit found;
    struct devid_error err;
    struct ledger_job job;

    assert_int_equal(enrol(fixture->ledger, 7, &job), LEDGER_DONE);
    assert_int_equal(strlen(job.unit.id), LEDGER_ID_SIZE - 1);
    const char *const names[] = {
        [UNIT_BY_ID] = job.unit.id,
        [UNIT_BY_SERIAL] = "SN-7",
        [UNIT_BY_EK] = job.unit.ek_digest,
        [UNIT_BY_IAK] = job.unit.iak_name,
        [UNIT_BY_IDEVID] = job.unit.idevid_name,
        [UNIT_BY_MAC] = "02:00:00:00:00:07",
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(ledger_find(fixture->ledger, (enum unit_key)i,
                                     names[i], &found, &err),
                         DEVID_OK);
        assert_string_equal(found.serial, "SN-7");
        assert_string_equal(found.operator_name, "J\xc3\xb8rgen");
        assert_string_equal(found.station, "line-1");
        assert_int_equal(found.state, UNIT_CERTIFIED);
        assert_int_equal(found.generation, 1);
        assert_int_equal(found.ek_cert.len, 7);
        assert_memory_equal(found.ek_cert.data, "an EK's", 7);
        ledger_unit_clear(&found);
    }
    clear(&job);
    assert_int_equal(
        ledger_find(fixture->ledger, UNIT_BY_SERIAL, "SN-8", &found, &err),
        DEVID_ERR_NOT_FOUND);
    expect_text(&err, "there is no unit SN-8");
    assert_int_equal(used_of(fixture->ledger, "B1"), 1);
}

/* Enrol unit 7 with a challenge of its own. */
static enum ledger_outcome challenge(struct fixture *fixture, char digit,
                                     int64_t expires_ms, struct ledger_job *job)
{
    *job = (struct ledger_job){.op = LEDGER_ENROL};
    fill_unit(&job->unit, 7);
    memset(job->unit.challenge_digest, digit, 64);
    memset(job->unit.challenge.data, digit, job->unit.challenge.len);
    job->unit.challenge_expires_ms = expires_ms;
    return ledger_do(fixture->ledger, job);
}

static void expect_challenge(const struct ledger_job *job, char digit,
                             int64_t expires_ms)
{
    assert_int_equal(job->unit.challenge_digest[0], digit);
    assert_int_equal(job->unit.challenge.len, strlen("challenge 7"));
    assert_int_equal(job->unit.challenge.data[0], digit);
    assert_int_equal(job->unit.challenge_expires_ms, expires_ms);
}

static void a_repeated_request_comes_to_the_same_unit(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job first;
    struct ledger_job again;

    assert_int_equal(enrol(fixture->ledger, 7, &first), LEDGER_DONE);
    assert_int_equal(challenge(fixture, 'a', 2, &again), LEDGER_AGAIN);
    assert_string_equal(again.unit.id, first.unit.id);
    assert_int_equal(used_of(fixture->ledger, "B1"), 1);
    clear(&first);
    clear(&again);
    expect_whole(fixture, 3);
}

static void a_challenge_stays_as_long_as_it_is_open(void **state)
{
    const int64_t later = INT64_MAX / 2;
    struct fixture *fixture = *state;
    struct ledger_job job;

    assert_int_equal(challenge(fixture, 'a', 2, &job), LEDGER_DONE);
    clear(&job);
    assert_int_equal(challenge(fixture, 'b', later, &job), LEDGER_AGAIN);
    expect_challenge(&job, 'b', later);
    clear(&job);
    assert_int_equal(challenge(fixture, 'c', later + 1, &job), LEDGER_AGAIN);
    expect_challenge(&job, 'b', later + 1);
    clear(&job);
    assert_int_equal(challenge(fixture, 'd', 2, &job), LEDGER_AGAIN);
    expect_challenge(&job, 'b', later + 1);
    clear(&job);
    expect_whole(fixture, 5);
}

/* Each of the five names, of unit 7, in the place of unit 8's. */
static void a_duplicate_is_refused_with_the_row_it_collides_with(void **state)
{
    static const struct {
        size_t offset, size;
        const char *column, *what;
    } names[] = {
        {offsetof(struct ledger_unit, serial), LEDGER_TEXT_SIZE, "serial",
         "the serial number of unit SN-7 is that of unit SN-7"},
        {offsetof(struct ledger_unit, ek_digest), DEVID_EK_DIGEST_SIZE, "ek",
         "the endorsement key of unit SN-8 is that of unit SN-7"},
        {offsetof(struct ledger_unit, iak_name), LEDGER_NAME_SIZE, "iak",
         "the attestation key (IAK) of unit SN-8 is that of unit SN-7"},
        {offsetof(struct ledger_unit, idevid_name), LEDGER_NAME_SIZE, "idevid",
         "the IDevID key of unit SN-8 is that of unit SN-7"},
        {offsetof(struct ledger_unit, mac), LEDGER_TEXT_SIZE, "mac",
         "the MAC address of unit SN-8 is that of unit SN-7"},
    };
    struct fixture *fixture = *state;
    struct ledger_unit other;
    struct ledger_job job;

    assert_int_equal(enrol(fixture->ledger, 7, &job), LEDGER_DONE);
    clear(&job);
    fill_unit(&other, 7);
    for (size_t i = 0; i < COUNT(names); i++) {
        job = (struct ledger_job){.op = LEDGER_ENROL};
        fill_unit(&job.unit, 8);
        memcpy((char *)&job.unit + names[i].offset,
               (char *)&other + names[i].offset, names[i].size);
        assert_int_equal(ledger_do(fixture->ledger, &job), LEDGER_DUPLICATE);
        assert_string_equal(job.column, names[i].column);
        assert_string_equal(job.unit.serial, "SN-7");
        expect_text(&job.error, names[i].what);
        clear(&job);
    }
    ledger_unit_clear(&other);
    assert_int_equal(used_of(fixture->ledger, "B1"), 1);
    assert_int_equal(enrol(fixture->ledger, 8, &job), LEDGER_DONE);
    clear(&job);
    expect_whole(fixture, 8);
}

static void units_without_a_tpm_or_mac_do_not_collide_in_nothing(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 1; i <= 2; i++) {
        struct ledger_job job = {.op = LEDGER_ENROL};
        fill_unit(&job.unit, i);
        job.unit.mac[0] = '\0';
        job.unit.ek_digest[0] = '\0';
        job.unit.iak_name[0] = '\0';
        assert_int_equal(ledger_do(fixture->ledger, &job), LEDGER_DONE);
        clear(&job);
    }
    expect_whole(fixture, 3);
}

static void what_no_database_would_take_is_refused_alone(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job job = {.op = LEDGER_ENROL};

    fill_unit(&job.unit, 7);
    job.unit.serial[0] = '\xff';
    assert_int_equal(ledger_do(fixture->ledger, &job), LEDGER_FAILED);
    expect_text(&job.error, "not UTF-8");
    clear(&job);
    /* In the log it stands all the same. */
    job = (struct ledger_job){.op = LEDGER_REFUSE, .detail = "bad \xff\x1b[1m"};
    memcpy(job.unit.serial, "\xffX", 3);
    assert_int_equal(ledger_do(fixture->ledger, &job), LEDGER_DONE);
    expect_whole(fixture, 2);
}

/* ---- how far it comes -------------------------------------------------- */

static void a_unit_gets_its_certificates_once(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job job;
    struct ledger_job again = {0};
    size_t len;

    make_issued(fixture->ledger, 7, &job);
    assert_int_equal(job.unit.state, UNIT_ISSUED);
    len = job.unit.idevid_cert.len;
    make_cert(&again.unit.idevid_cert, 999);
    assert_int_equal(follow(fixture->ledger, LEDGER_ISSUE, &job.unit, &again),
                     LEDGER_AGAIN);
    assert_int_equal(again.unit.idevid_cert.len, len);
    assert_memory_equal(again.unit.idevid_cert.data, job.unit.idevid_cert.data,
                        len);
    clear(&again);
    clear(&job);
    expect_whole(fixture, 4);
}

static void a_certificates_number_is_never_taken_twice(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job first;
    struct ledger_job second;
    struct ledger_job issue = {0};

    make_issued(fixture->ledger, 7, &first);
    assert_int_equal(enrol_activated(fixture->ledger, 8, &second), LEDGER_DONE);
    make_cert(&issue.unit.idevid_cert, 14);
    assert_int_equal(
        follow(fixture->ledger, LEDGER_ISSUE, &second.unit, &issue),
        LEDGER_DUPLICATE);
    assert_string_equal(issue.column, "number");
    expect_text(&issue.error, "0E, which another certificate has already");
    clear(&issue);
    clear(&second);
    clear(&first);
    expect_whole(fixture, 5);
}

static void a_unit_that_answered_no_challenge_gets_no_certificates(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job job;
    struct ledger_job issue = {0};

    assert_int_equal(enrol(fixture->ledger, 7, &job), LEDGER_DONE);
    make_cert(&issue.unit.idevid_cert, 14);
    assert_int_equal(follow(fixture->ledger, LEDGER_ISSUE, &job.unit, &issue),
                     LEDGER_STATE);
    expect_text(&issue.error, "SN-7 is certified: it cannot be issued");
    assert_int_equal(issue.unit.idevid_cert.len, 0);
    clear(&issue);
    clear(&job);
    expect_whole(fixture, 3);
}

static void states_go_forward_only(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job job;
    struct ledger_job go = {.unit.state = UNIT_INSTALLED};

    assert_int_equal(enrol(fixture->ledger, 7, &job), LEDGER_DONE);
    assert_int_equal(follow(fixture->ledger, LEDGER_ADVANCE, &job.unit, &go),
                     LEDGER_STATE);
    expect_text(&go.error, "SN-7 is certified: it cannot be installed");
    clear(&job);
    clear(&go);
    make_issued(fixture->ledger, 8, &job);
    go = (struct ledger_job){.unit.state = UNIT_TESTED};
    assert_int_equal(follow(fixture->ledger, LEDGER_ADVANCE, &job.unit, &go),
                     LEDGER_DONE);
    assert_int_equal(go.unit.state, UNIT_TESTED);
    clear(&go);
    go = (struct ledger_job){.unit.state = UNIT_INSTALLED};
    go.unit.escrow.data = OPENSSL_memdup("secret", 6);
    go.unit.escrow.len = 6;
    assert_int_equal(follow(fixture->ledger, LEDGER_ADVANCE, &job.unit, &go),
                     LEDGER_AGAIN);
    assert_int_equal(go.unit.state, UNIT_TESTED);
    assert_int_equal(go.unit.escrow.len, 6);
    clear(&go);
    clear(&job);
    expect_whole(fixture, 7);
}

/* ---- lists ------------------------------------------------------------- */

static bool take_serial(void *arg, const struct ledger_unit *unit)
{
    char *text = arg;

    strcat(strcat(text, unit->serial), " ");
    return strcmp(unit->serial, "SN-3") != 0;
}

static void units_are_listed_in_their_order_and_as_asked(void **state)
{
    const enum unit_state issued = UNIT_ISSUED;
    const struct ledger_filter filter = {.batch = "B1", .state = &issued};
    const struct ledger_filter none = {.model = "M9"};
    struct fixture *fixture = *state;
    struct devid_error err;
    struct ledger_job job;
    char text[100] = "";

    for (int i = 5; i > 2; i--) {
        assert_int_equal(enrol(fixture->ledger, i, &job), LEDGER_DONE);
        clear(&job);
    }
    make_issued(fixture->ledger, 1, &job);
    clear(&job);
    assert_int_equal(
        ledger_units(fixture->ledger, NULL, take_serial, text, &err), DEVID_OK);
    assert_string_equal(text, "SN-5 SN-4 SN-3 ");
    text[0] = '\0';
    assert_int_equal(
        ledger_units(fixture->ledger, &filter, take_serial, text, &err),
        DEVID_OK);
    assert_string_equal(text, "SN-1 ");
    text[0] = '\0';
    assert_int_equal(
        ledger_units(fixture->ledger, &none, take_serial, text, &err),
        DEVID_OK);
    assert_string_equal(text, "");
}

static bool take_event(void *arg, const struct ledger_entry *entry)
{
    char *text = arg;

    strcat(strcat(strcat(text, entry->event), ": "), entry->detail);
    strcat(text, "\n");
    return true;
}

static void a_units_history_has_what_was_refused_of_it(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job refuse = {.op = LEDGER_REFUSE,
                                .detail = "the EK certificate expired"};
    struct ledger_job job;
    struct devid_error err;
    char text[1000] = "";

    strcpy(refuse.unit.serial, "SN-7");
    assert_int_equal(ledger_do(fixture->ledger, &refuse), LEDGER_DONE);
    make_issued(fixture->ledger, 7, &job);
    clear(&job);
    assert_int_equal(enrol(fixture->ledger, 8, &job), LEDGER_DONE);
    clear(&job);
    assert_int_equal(
        ledger_entries(fixture->ledger, "SN-7", take_event, text, &err),
        DEVID_OK);
    assert_string_equal(
        text, "refuse: the EK certificate expired\nenrol: \nissue: 0E 0F\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_LEDGER(a_unit_is_enrolled_and_found_by_each_of_its_names),
        ON_A_LEDGER(a_repeated_request_comes_to_the_same_unit),
        ON_A_LEDGER(a_challenge_stays_as_long_as_it_is_open),
        ON_A_LEDGER(a_duplicate_is_refused_with_the_row_it_collides_with),
        ON_A_LEDGER(units_without_a_tpm_or_mac_do_not_collide_in_nothing),
        ON_A_LEDGER(what_no_database_would_take_is_refused_alone),
        ON_A_LEDGER(a_unit_gets_its_certificates_once),
        ON_A_LEDGER(a_certificates_number_is_never_taken_twice),
        ON_A_LEDGER(a_unit_that_answered_no_challenge_gets_no_certificates),
        ON_A_LEDGER(states_go_forward_only),
        ON_A_LEDGER(units_are_listed_in_their_order_and_as_asked),
        ON_A_LEDGER(a_units_history_has_what_was_refused_of_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
