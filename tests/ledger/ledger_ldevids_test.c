/* SPDX-License-Identifier: Apache-2.0 */
/* LDevIDs in the ledger: asked for, approved, issued, renewed, revoked. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ledger_support.h"

enum {
    HOUR_MS = 3600000
};

static void fill_ldevid(struct ledger_ldevid *ldevid,
                        const struct ledger_unit *unit, int key)
{
    *ldevid = (struct ledger_ldevid){0};
    snprintf(ldevid->unit, sizeof(ldevid->unit), "%s", unit->id);
    snprintf(ldevid->key_digest, sizeof(ldevid->key_digest), "key-%d", key);
    snprintf(ldevid->subject, sizeof(ldevid->subject), "CN=%s", unit->serial);
    ldevid->request.data = OPENSSL_memdup("a request", 9);
    ldevid->request.len = 9;
}

/* Ask for one by the key of that number. */
static enum ledger_outcome ask(struct ledger *ledger,
                               const struct ledger_unit *unit, int key,
                               struct ledger_job *job)
{
    *job = (struct ledger_job){.op = LEDGER_ASK_LDEVID};
    fill_ldevid(&job->ldevid, unit, key);
    return ledger_do(ledger, job);
}

/* Issue one by that key, with that number, over at that time. */
static enum ledger_outcome issue(struct ledger *ledger,
                                 const struct ledger_unit *unit, int key,
                                 const char *number, struct ledger_job *job)
{
    int64_t not_after_ms = job->ldevid.not_after_ms;
    char renews[LEDGER_NUMBER_SIZE];

    memcpy(renews, job->ldevid.renews, sizeof(renews));
    *job = (struct ledger_job){.op = LEDGER_ISSUE_LDEVID};
    fill_ldevid(&job->ldevid, unit, key);
    memcpy(job->ldevid.renews, renews, sizeof(renews));
    snprintf(job->ldevid.number, sizeof(job->ldevid.number), "%s", number);
    job->ldevid.cert.data = OPENSSL_memdup("a certificate", 13);
    job->ldevid.cert.len = 13;
    job->ldevid.not_before_ms = 1;
    job->ldevid.not_after_ms = not_after_ms ? not_after_ms : INT64_C(1) << 50;
    return ledger_do(ledger, job);
}

static enum ledger_outcome about(struct ledger *ledger, enum ledger_op op,
                                 const struct ledger_ldevid *ldevid,
                                 struct ledger_job *job)
{
    *job = (struct ledger_job){.op = op, .reason = 1};
    if (op == LEDGER_REVOKE_LDEVID)
        memcpy(job->ldevid.number, ldevid->number, sizeof(ldevid->number));
    else
        memcpy(job->ldevid.id, ldevid->id, sizeof(ldevid->id));
    return ledger_do(ledger, job);
}

static void drop(struct ledger_job *job)
{
    ledger_ldevid_clear(&job->ldevid);
    clear(job);
}

/* A unit that has its IDevID: three entries with the batch's. */
static void make_unit(struct fixture *fixture, int number,
                      struct ledger_unit *unit)
{
    struct ledger_job job;

    make_issued(fixture->ledger, number, &job);
    *unit = job.unit;
}

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
    assert_int_equal(issue(fixture->ledger, &unit, 1, "A1", &job), LEDGER_DONE);
    assert_int_equal(job.ldevid.state, LDEVID_ISSUED);
    assert_string_equal(job.ldevid.serial, "SN-7");
    assert_string_equal(job.ldevid.station, "line-1");
    assert_true(job.ldevid.issued_ms > 0);
    assert_int_equal(issue(fixture->ledger, &unit, 1, "A2", &again),
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
    drop(&again);
    drop(&job);
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
    assert_int_equal(issue(fixture->ledger, &unit, 1, "A1", &job), LEDGER_DONE);
    drop(&job);
    strcpy(job.ldevid.renews, "A1");
    assert_int_equal(issue(fixture->ledger, &unit, 1, "A2", &job), LEDGER_DONE);
    drop(&job);
    /* The answer was lost, and the device asks as before. */
    strcpy(job.ldevid.renews, "A1");
    assert_int_equal(issue(fixture->ledger, &unit, 1, "A3", &job),
                     LEDGER_AGAIN);
    assert_string_equal(job.ldevid.number, "A2");
    drop(&job);
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
    assert_int_equal(issue(fixture->ledger, &unit, 1, "A1", &job), LEDGER_DONE);
    drop(&job);
    assert_int_equal(issue(fixture->ledger, &other, 1, "A2", &job),
                     LEDGER_DUPLICATE);
    assert_string_equal(job.column, "key");
    expect_text(&job.error, "the key in the request of unit SN-8 has an LDevID "
                            "of another unit");
    drop(&job);
    job = (struct ledger_job){.op = LEDGER_ASK_LDEVID};
    fill_ldevid(&job.ldevid, &unit, 1);
    strcpy(job.ldevid.label, "vpn");
    assert_int_equal(ledger_do(fixture->ledger, &job), LEDGER_DUPLICATE);
    assert_string_equal(job.column, "label");
    drop(&job);
    /* Nor is a number taken twice. */
    assert_int_equal(issue(fixture->ledger, &other, 2, "A1", &job),
                     LEDGER_DUPLICATE);
    assert_string_equal(job.column, "number");
    drop(&job);
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
    assert_int_equal(ask(fixture->ledger, &job.unit, 1, &asked), LEDGER_STATE);
    expect_text(&asked.error, "SN-8 is certified: it has no IDevID yet");
    drop(&asked);
    clear(&job);
    make_unit(fixture, 7, &unit);
    assert_int_equal(ask(fixture->ledger, &unit, 1, &asked), LEDGER_DONE);
    assert_int_equal(follow(fixture->ledger, LEDGER_RETIRE, &unit, &retire),
                     LEDGER_DONE);
    clear(&retire);
    assert_int_equal(
        about(fixture->ledger, LEDGER_APPROVE_LDEVID, &asked.ldevid, &job),
        LEDGER_STATE);
    expect_text(&job.error, "the unit SN-7 is retired");
    drop(&job);
    drop(&asked);
    assert_int_equal(issue(fixture->ledger, &unit, 2, "A1", &job),
                     LEDGER_STATE);
    expect_text(&job.error, "the unit SN-7 is retired");
    drop(&job);
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
    assert_int_equal(ask(fixture->ledger, &unit, 1, &job), LEDGER_AGAIN);
    assert_string_equal(job.ldevid.id, asked.ldevid.id);
    drop(&job);
    assert_int_equal(issue(fixture->ledger, &unit, 1, "A1", &job),
                     LEDGER_STATE);
    expect_text(&job.error, "the LDevID of unit SN-7 is pending");
    drop(&job);
    assert_int_equal(
        about(fixture->ledger, LEDGER_REFUSE_LDEVID, &asked.ldevid, &job),
        LEDGER_DONE);
    drop(&job);
    assert_int_equal(issue(fixture->ledger, &unit, 1, "A1", &job),
                     LEDGER_STATE);
    expect_text(&job.error, "the LDevID of unit SN-7 is refused");
    drop(&job);
    assert_int_equal(
        about(fixture->ledger, LEDGER_APPROVE_LDEVID, &asked.ldevid, &job),
        LEDGER_DONE);
    drop(&job);
    assert_int_equal(
        about(fixture->ledger, LEDGER_APPROVE_LDEVID, &asked.ldevid, &job),
        LEDGER_AGAIN);
    drop(&job);
    assert_int_equal(issue(fixture->ledger, &unit, 1, "A1", &job), LEDGER_DONE);
    assert_string_equal(job.ldevid.id, asked.ldevid.id);
    assert_int_equal(job.ldevid.asked_ms, asked.ldevid.asked_ms);
    assert_string_equal(job.ldevid.renews, "A0");
    assert_int_equal(job.ldevid.renewal, 4);
    drop(&job);
    assert_int_equal(
        about(fixture->ledger, LEDGER_REFUSE_LDEVID, &asked.ldevid, &job),
        LEDGER_STATE);
    expect_text(&job.error, "is issued: it cannot be refused");
    drop(&job);
    drop(&asked);
    ledger_unit_clear(&unit);
    expect_whole(fixture, 12);
}

/* ---- revocation -------------------------------------------------------- */

static bool take_number(void *arg, const struct ledger_revoked *revoked)
{
    strcat(strcat(arg, revoked->number), " ");
    return true;
}

static void expect_revoked(struct fixture *fixture, const char *numbers)
{
    char text[200] = "";
    struct devid_error err;

    assert_int_equal(
        ledger_revoked(fixture->ledger, 10, take_number, text, &err), DEVID_OK);
    assert_string_equal(text, numbers);
}

static void an_ldevid_is_revoked_by_itself_or_with_its_unit(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job retire = {.reason = 5};
    struct ledger_job job = {0};
    struct ledger_job first = {0};
    struct ledger_unit unit;

    make_unit(fixture, 7, &unit);
    assert_int_equal(issue(fixture->ledger, &unit, 1, "A1", &first),
                     LEDGER_DONE);
    assert_int_equal(issue(fixture->ledger, &unit, 2, "A2", &job), LEDGER_DONE);
    drop(&job);
    /* One that is over is on no list. */
    job.ldevid.not_after_ms = 2;
    assert_int_equal(issue(fixture->ledger, &unit, 3, "A3", &job), LEDGER_DONE);
    drop(&job);
    assert_int_equal(
        about(fixture->ledger, LEDGER_REVOKE_LDEVID, &first.ldevid, &job),
        LEDGER_DONE);
    drop(&job);
    expect_revoked(fixture, "A1 ");
    assert_int_equal(
        about(fixture->ledger, LEDGER_REVOKE_LDEVID, &first.ldevid, &job),
        LEDGER_AGAIN);
    drop(&job);
    strcpy(job.ldevid.renews, "A1");
    assert_int_equal(issue(fixture->ledger, &unit, 1, "A4", &job),
                     LEDGER_STATE);
    expect_text(&job.error,
                "the LDevID A1 of unit SN-7 is revoked: its key gets no other");
    drop(&job);
    expect_whole(fixture, 9);
    assert_int_equal(follow(fixture->ledger, LEDGER_RETIRE, &unit, &retire),
                     LEDGER_DONE);
    clear(&retire);
    expect_revoked(fixture, "A1 0E 0F A2 ");
    drop(&first);
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
        outcome = issue(race->ledger, &race->unit,
                        race->number * RACE_LDEVIDS + i, number, &job);
        drop(&job);
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

/* ---- pages ------------------------------------------------------------- */

struct page {
    char text[200];
    int64_t last_ms;
    char last_id[LEDGER_ID_SIZE];
    enum ldevid_list list;
    int count;
};

static bool take_row(void *arg, const struct ledger_ldevid *ldevid)
{
    struct page *page = arg;

    strcat(strcat(page->text, ldevid->key_digest), " ");
    page->last_ms =
        page->list == LDEVIDS_PENDING ? ldevid->asked_ms : ldevid->not_after_ms;
    memcpy(page->last_id, ldevid->id, sizeof(page->last_id));
    page->count++;
    return true;
}

/* All of a list, two rows at a time. */
static void expect_pages(struct fixture *fixture, struct ldevid_query query,
                         const char *keys)
{
    struct page page = {.list = query.list};
    struct devid_error err;

    query.limit = 2;
    do {
        page.count = 0;
        if (ledger_ldevids(fixture->ledger, &query, take_row, &page, &err))
            fail_msg("%s", err.text);
        assert_true(page.count <= 2);
        query.after_ms = page.last_ms;
        query.after_id = page.last_id;
    } while (page.count == 2);
    assert_string_equal(page.text, keys);
}

/* Of one unit, in the order of their numbers; some end at the same time. */
static void make_some(struct fixture *fixture, const struct ledger_unit *unit)
{
    static const int hours[] = {5, 3, 3, 3, 9};
    struct ledger_job job = {0};
    char number[8];

    for (int i = 0; i < 5; i++) {
        job.ldevid.not_after_ms = (int64_t)hours[i] * HOUR_MS;
        snprintf(number, sizeof(number), "A%d", i);
        assert_int_equal(issue(fixture->ledger, unit, i, number, &job),
                         LEDGER_DONE);
        drop(&job);
    }
}

static void what_ends_by_a_time_comes_in_pages(void **state)
{
    struct fixture *fixture = *state;
    struct ldevid_query query = {.list = LDEVIDS_ENDING,
                                 .before_ms = 6 * (int64_t)HOUR_MS};
    struct ledger_job job = {0};
    struct ledger_job retire = {.reason = 5};
    struct ledger_ldevid revoked = {.number = "A2"};
    struct ledger_unit unit;

    make_unit(fixture, 7, &unit);
    make_some(fixture, &unit);
    expect_pages(fixture, query, "key-1 key-2 key-3 key-0 ");
    query.from_ms = 4 * (int64_t)HOUR_MS;
    expect_pages(fixture, query, "key-0 ");
    query.from_ms = 0;
    /* Neither what was renewed, nor what is revoked, nor a retired unit's. */
    strcpy(job.ldevid.renews, "A1");
    assert_int_equal(issue(fixture->ledger, &unit, 1, "B1", &job), LEDGER_DONE);
    drop(&job);
    assert_int_equal(
        about(fixture->ledger, LEDGER_REVOKE_LDEVID, &revoked, &job),
        LEDGER_DONE);
    drop(&job);
    expect_pages(fixture, query, "key-3 key-0 ");
    assert_int_equal(follow(fixture->ledger, LEDGER_RETIRE, &unit, &retire),
                     LEDGER_DONE);
    clear(&retire);
    expect_pages(fixture, query, "");
    query = (struct ldevid_query){.list = LDEVIDS_OF_UNIT, .unit = unit.id};
    expect_pages(fixture, query, "key-1 key-4 key-3 key-2 key-1 key-0 ");
    ledger_unit_clear(&unit);
}

static void what_waits_for_a_person_comes_in_pages(void **state)
{
    struct fixture *fixture = *state;
    const struct ldevid_query query = {.list = LDEVIDS_PENDING};
    struct ledger_job job;
    struct ledger_job approve;
    struct ledger_unit unit;

    make_unit(fixture, 7, &unit);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(ask(fixture->ledger, &unit, i, &job), LEDGER_DONE);
        if (i == 1)
            assert_int_equal(about(fixture->ledger, LEDGER_APPROVE_LDEVID,
                                   &job.ldevid, &approve),
                             LEDGER_DONE);
        if (i == 1)
            drop(&approve);
        drop(&job);
    }
    expect_pages(fixture, query, "key-0 key-2 key-3 key-4 ");
    ledger_unit_clear(&unit);
}

/* ---- the log ----------------------------------------------------------- */

static bool take_event(void *arg, const struct ledger_entry *entry)
{
    strcat(strcat(arg, entry->event), " ");
    return true;
}

static void a_units_history_has_its_ldevids(void **state)
{
    struct fixture *fixture = *state;
    struct ledger_job job = {0};
    struct ledger_unit unit;
    struct devid_error err;
    char text[200] = "";

    make_unit(fixture, 7, &unit);
    assert_int_equal(issue(fixture->ledger, &unit, 1, "A1", &job), LEDGER_DONE);
    drop(&job);
    assert_int_equal(issue(fixture->ledger, &unit, 2, "A1", &job),
                     LEDGER_DUPLICATE);
    drop(&job);
    assert_int_equal(
        ledger_entries(fixture->ledger, "SN-7", take_event, text, &err),
        DEVID_OK);
    assert_string_equal(text, "enrol issue ldevid-issue refuse ");
    ledger_unit_clear(&unit);
}

static void what_is_changed_of_an_ldevid_is_found(void **state)
{
    static const struct {
        const char *sql;
        const char *fault;
    } changes[] = {
        {"UPDATE ldevid SET not_after_ms = not_after_ms + 1",
         "the row of an LDevID of unit SN-7 is not what entry 4 of station "
         "line-1 says"},
        {"UPDATE ldevid SET certificate = NULL",
         "the row of an LDevID of unit SN-7 is not what entry 4"},
        {"UPDATE ldevid SET revision = 2",
         "no entry speaks of the row of an LDevID of unit SN-7 as it is"},
        {"DELETE FROM ldevid",
         "entry 4 of station line-1 speaks of unit SN-7, whose row is gone"},
        {"DELETE FROM certificate WHERE number = 'A1'",
         "the certificate A1 of unit SN-7 is on the list of revoked ones, or "
         "off it, without cause"},
        {"UPDATE certificate SET expires_ms = 1 WHERE number = 'A1'",
         "the certificate A1 of unit SN-7"},
        {"UPDATE certificate SET revoked_ms = 1 WHERE number = 'A1'",
         "the certificate A1 of unit SN-7"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT(changes); i++) {
        struct ledger_job job = {0};
        struct ledger_unit unit;
        make_unit(fixture, 7, &unit);
        assert_int_equal(issue(fixture->ledger, &unit, 1, "A1", &job),
                         LEDGER_DONE);
        drop(&job);
        ledger_unit_clear(&unit);
        expect_whole(fixture, 4);
        behind(fixture, changes[i].sql);
        expect_fault(fixture, changes[i].fault);
        tear_down(state);
        set_up(state);
        fixture = *state;
    }
}

/* ---- a ledger of the version before ------------------------------------ */

static void make_old(struct fixture *fixture)
{
    ledger_close(&fixture->ledger);
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
    assert_int_equal(issue(fixture->ledger, &unit, 1, "A1", &job), LEDGER_DONE);
    drop(&job);
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
    expect_text(&err, "has tables of version 1, this program knows version 3: "
                      "devid-station serve, and each command that writes, "
                      "brings them up to it");
    reopen(fixture);
}

#define ON_A_LEDGER(test)                                                      \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

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
        ON_A_LEDGER(what_ends_by_a_time_comes_in_pages),
        ON_A_LEDGER(what_waits_for_a_person_comes_in_pages),
        ON_A_LEDGER(a_units_history_has_its_ldevids),
        ON_A_LEDGER(what_is_changed_of_an_ldevid_is_found),
        ON_A_LEDGER(an_older_ledger_is_brought_up_to_date),
        ON_A_LEDGER(who_only_reads_leaves_an_older_ledger_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
