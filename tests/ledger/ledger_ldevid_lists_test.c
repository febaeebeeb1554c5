/* SPDX-License-Identifier: Apache-2.0 */
/* LDevIDs in lists, in the log, and changed behind the ledger's back. */
#include "ledger_ldevid_support.h"

#include <string.h>

enum {
    HOUR_MS = 3600000
};

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
        assert_int_equal(issue_ldevid(fixture->ledger, unit, i, number, &job),
                         LEDGER_DONE);
        drop_ldevid(&job);
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
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 1, "B1", &job),
                     LEDGER_DONE);
    drop_ldevid(&job);
    assert_int_equal(
        decide_ldevid(fixture->ledger, LEDGER_REVOKE_LDEVID, &revoked, &job),
        LEDGER_DONE);
    drop_ldevid(&job);
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
        assert_int_equal(ask_ldevid(fixture->ledger, &unit, i, &job),
                         LEDGER_DONE);
        if (i == 1)
            assert_int_equal(decide_ldevid(fixture->ledger,
                                           LEDGER_APPROVE_LDEVID, &job.ldevid,
                                           &approve),
                             LEDGER_DONE);
        if (i == 1)
            drop_ldevid(&approve);
        drop_ldevid(&job);
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
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 1, "A1", &job),
                     LEDGER_DONE);
    drop_ldevid(&job);
    assert_int_equal(issue_ldevid(fixture->ledger, &unit, 2, "A1", &job),
                     LEDGER_DUPLICATE);
    drop_ldevid(&job);
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
         "the certificate A1 was issued to unit SN-7, and is not among those "
         "that can be revoked"},
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
        assert_int_equal(issue_ldevid(fixture->ledger, &unit, 1, "A1", &job),
                         LEDGER_DONE);
        drop_ldevid(&job);
        ledger_unit_clear(&unit);
        expect_whole(fixture, 4);
        behind(fixture, changes[i].sql);
        expect_fault(fixture, changes[i].fault);
        tear_down(state);
        set_up(state);
        fixture = *state;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_LEDGER(what_ends_by_a_time_comes_in_pages),
        ON_A_LEDGER(what_waits_for_a_person_comes_in_pages),
        ON_A_LEDGER(a_units_history_has_its_ldevids),
        ON_A_LEDGER(what_is_changed_of_an_ldevid_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
