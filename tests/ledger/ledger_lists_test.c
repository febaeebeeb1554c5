/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists and figures of units by state and batch, which follow what is done with
 * them; and what a step costs the database for it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ledger_pages.h"
#include "ledger_support.h"

enum {
    STATES = UNIT_RETIRED + 1,
    STATS_WAIT_MS = 60000
};

/* ---- what is seen of it ------------------------------------------------ */

struct seen {
    char text[1024]; /* "SN-1 SN-2 " */
    char serial[LEDGER_TEXT_SIZE];
    char batch[LEDGER_TEXT_SIZE];
};

static bool see_unit(void *arg, const struct ledger_unit *unit)
{
    struct seen *seen = arg;
    size_t len = strlen(seen->text);

    snprintf(seen->text + len, sizeof(seen->text) - len, "%s ", unit->serial);
    snprintf(seen->serial, sizeof(seen->serial), "%s", unit->serial);
    snprintf(seen->batch, sizeof(seen->batch), "%s", unit->batch);
    return true;
}

/* A list in pages of two is that; NULL: any state, "": any batch. */
static void expect_list(const struct fixture *fixture, const char *batch,
                        const enum unit_state *state, const char *expected)
{
    struct seen seen = {{0}, {0}, {0}};
    struct ledger_unit_page page = {.prefix = "", .after = "", .limit = 2};
    struct devid_error err;
    size_t before;

    page.batch = batch;
    page.state = state;
    page.after_batch = "";
    do {
        before = strlen(seen.text);
        assert_int_equal(
            ledger_unit_page(fixture->ledger, &page, see_unit, &seen, &err),
            DEVID_OK);
        page.after = seen.serial;
        page.after_batch = seen.batch;
    } while (strlen(seen.text) > before);
    assert_string_equal(seen.text, expected);
}

static void expect_state(const struct fixture *fixture, enum unit_state state,
                         const char *expected)
{
    expect_list(fixture, "", &state, expected);
    expect_list(fixture, "B1", &state, expected);
}

static bool see_tally(void *arg, const struct ledger_tally *tally)
{
    char *text = arg;
    size_t len = strlen(text);

    snprintf(text + len, 256 - len, "%s %s %d, ", tally->batch,
             unit_state_name(tally->state), (int)tally->count);
    return true;
}

static void expect_tallies(const struct fixture *fixture, const char *expected)
{
    char text[256] = "";
    struct devid_error err;

    assert_int_equal(ledger_tallies(fixture->ledger, see_tally, text, &err),
                     DEVID_OK);
    assert_string_equal(text, expected);
}

/* ---- what is done with it ---------------------------------------------- */

/* Enrol a unit in that state into a batch. */
static void add(struct fixture *fixture, int number, enum unit_state state,
                const char *batch)
{
    struct ledger_job job = {.op = LEDGER_ENROL};

    fill_unit(&job.unit, number);
    job.unit.state = state;
    snprintf(job.unit.batch, sizeof(job.unit.batch), "%s", batch);
    assert_int_equal(ledger_do(fixture->ledger, &job), LEDGER_DONE);
    clear(&job);
}

static void step(struct fixture *fixture, const struct ledger_unit *unit,
                 enum ledger_op op, enum unit_state state)
{
    struct ledger_job job = {.unit = {.state = state}};

    if (op == LEDGER_ISSUE) {
        make_cert(&job.unit.idevid_cert, 2 * (int)unit->enrolled_ms);
        make_cert(&job.unit.iak_cert, 2 * (int)unit->enrolled_ms + 1);
    }
    if (state == UNIT_LOCKED)
        make_cert(&job.unit.escrow, 1); /* so many bytes */
    assert_int_equal(follow(fixture->ledger, op, unit, &job), LEDGER_DONE);
    assert_int_equal(job.unit.state, state);
    clear(&job);
}

/* From a request without proofs to the unit's end: each state there is. */
static void live(struct fixture *fixture, int number,
                 void (*each)(struct fixture *fixture, enum unit_state state))
{
    struct ledger_unit unit = {.enrolled_ms = number};
    struct ledger_unit found;
    struct devid_error err;
    char serial[32];

    add(fixture, number, UNIT_SEEN, "B1");
    each(fixture, UNIT_SEEN);
    snprintf(serial, sizeof(serial), "SN-%d", number);
    assert_int_equal(
        ledger_find(fixture->ledger, UNIT_BY_SERIAL, serial, &found, &err),
        DEVID_OK);
    snprintf(unit.id, sizeof(unit.id), "%s", found.id);
    ledger_unit_clear(&found);
    for (unsigned at = UNIT_SEEN + 1; at < STATES; at++) {
        enum unit_state state = (enum unit_state)at;
        enum ledger_op op = state == UNIT_ISSUED    ? LEDGER_ISSUE
                            : state == UNIT_RETIRED ? LEDGER_RETIRE
                                                    : LEDGER_ADVANCE;
        step(fixture, &unit, op, state);
        each(fixture, state);
    }
}

/* ---- lists ------------------------------------------------------------- */

static void is_listed_there_alone(struct fixture *fixture,
                                  enum unit_state state)
{
    char tally[64];

    for (unsigned at = 0; at < STATES; at++)
        expect_state(fixture, (enum unit_state)at, at == state ? "SN-7 " : "");
    expect_list(fixture, "B1", NULL, "SN-7 ");
    expect_list(fixture, "", NULL, "SN-7 ");
    snprintf(tally, sizeof(tally), "B1 %s 1, ", unit_state_name(state));
    expect_tallies(fixture, tally);
}

static void a_unit_is_listed_and_counted_in_each_state(void **state)
{
    struct fixture *fixture = *state;

    live(fixture, 7, is_listed_there_alone);
    expect_whole(fixture, 10);
}

static void a_list_goes_on_from_batch_to_batch(void **state)
{
    static const enum unit_state certified = UNIT_CERTIFIED;
    static const enum unit_state seen = UNIT_SEEN;
    struct fixture *fixture = *state;

    open_batch(fixture->ledger, "A9", 10);
    for (int number = 1; number <= 5; number++)
        add(fixture, number, UNIT_CERTIFIED, number % 2 ? "B1" : "A9");
    add(fixture, 6, UNIT_SEEN, "A9");
    expect_list(fixture, "", &certified, "SN-2 SN-4 SN-1 SN-3 SN-5 ");
    expect_list(fixture, "A9", &certified, "SN-2 SN-4 ");
    expect_list(fixture, "A9", NULL, "SN-2 SN-4 SN-6 ");
    expect_list(fixture, "B1", &seen, "");
    expect_list(fixture, "", NULL, "SN-1 SN-2 SN-3 SN-4 SN-5 SN-6 ");
}

static void a_new_owners_unit_changes_its_batch(void **state)
{
    static const enum unit_state retired = UNIT_RETIRED;
    static const enum unit_state seen = UNIT_SEEN;
    struct fixture *fixture = *state;
    struct ledger_job job = {.op = LEDGER_RETIRE};
    struct ledger_job again = {.op = LEDGER_ENROL, .new_owner = true};

    open_batch(fixture->ledger, "A9", 10);
    add(fixture, 7, UNIT_CERTIFIED, "B1");
    snprintf(job.unit.serial, sizeof(job.unit.serial), "SN-7");
    assert_int_equal(ledger_do(fixture->ledger, &job), LEDGER_DONE);
    clear(&job);
    expect_list(fixture, "B1", &retired, "SN-7 ");
    fill_unit(&again.unit, 7);
    again.unit.state = UNIT_SEEN;
    strcpy(again.unit.batch, "A9");
    assert_int_equal(ledger_do(fixture->ledger, &again), LEDGER_DONE);
    clear(&again);
    expect_list(fixture, "", &retired, "");
    expect_list(fixture, "A9", &seen, "SN-7 ");
    expect_list(fixture, "B1", NULL, "");
    expect_whole(fixture, 5);
}

static void a_list_that_was_changed_is_found(void **state)
{
    struct fixture *fixture = *state;

    add(fixture, 7, UNIT_CERTIFIED, "B1");
    behind(fixture, "UPDATE unit_state SET state = 'retired'");
    expect_fault(fixture, "unit SN-7 is not among those of its state");
    behind(fixture, "UPDATE unit_state SET state = 'certified'");
    expect_whole(fixture, 2);
    behind(fixture, "INSERT INTO unit_state (state, batch, serial) "
                    "VALUES ('retired', 'B1', 'SN-7')");
    expect_fault(fixture, "unit SN-7 is not among those of its state");
}

static void units_of_an_older_ledger_are_listed(void **state)
{
    static const enum unit_state certified = UNIT_CERTIFIED;
    struct fixture *fixture = *state;

    add(fixture, 7, UNIT_CERTIFIED, "B1");
    ledger_close(&fixture->ledger);
    make_version_3(fixture);
    reopen(fixture);
    expect_state(fixture, UNIT_CERTIFIED, "SN-7 ");
    add(fixture, 8, UNIT_CERTIFIED, "B1");
    expect_list(fixture, "", &certified, "SN-7 SN-8 ");
    expect_tallies(fixture, "B1 certified 2, ");
    expect_whole(fixture, 3);
}

/* ---- what a step costs ------------------------------------------------- */

static void needs_nothing(struct fixture *fixture, enum unit_state state)
{
    (void)fixture;
    (void)state;
}

/* PostgreSQL counts when a connection ends, a moment later. */
static void steps_write_no_index_of_the_unit(void **state)
{
    enum {
        UNITS = 24
    };
    struct fixture *fixture = *state;
    const char *updates = "SELECT n_tup_upd FROM pg_stat_user_tables "
                          "WHERE relname = 'unit'";
    const int64_t steps = (int64_t)UNITS * (STATES - 1);

    if (fixture->directory)
        skip(); /* SQLite does not say */
    for (int number = 1; number <= UNITS; number++)
        live(fixture, number, needs_nothing);
    ledger_close(&fixture->ledger);
    for (int ms = 0; ms < STATS_WAIT_MS && number_of(fixture, updates) < steps;
         ms += 20)
        usleep(20000);
    assert_int_equal(number_of(fixture, updates), steps);
    assert_int_equal(number_of(fixture, "SELECT n_tup_hot_upd "
                                        "FROM pg_stat_user_tables "
                                        "WHERE relname = 'unit'"),
                     steps);
    reopen(fixture);
}

#define ON_A_LEDGER(test)                                                      \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_A_LEDGER(a_unit_is_listed_and_counted_in_each_state),
        ON_A_LEDGER(a_list_goes_on_from_batch_to_batch),
        ON_A_LEDGER(a_new_owners_unit_changes_its_batch),
        ON_A_LEDGER(a_list_that_was_changed_is_found),
        ON_A_LEDGER(units_of_an_older_ledger_are_listed),
        ON_A_LEDGER(steps_write_no_index_of_the_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
