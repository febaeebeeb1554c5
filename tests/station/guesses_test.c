/* SPDX-License-Identifier: Apache-2.0 */
/* The brake on who guesses secrets, by a clock of its own. */
#include "guesses.h"
#include "support.h"

#include <stdio.h>

#define NOW_MS 1000000

static struct guesses *guesses;

static int set_up(void **state)
{
    (void)state;
    guesses = guesses_new();
    return guesses ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    guesses_free(&guesses);
    assert_null(guesses);
    return 0;
}

static void guess(const char *peer, unsigned count, int64_t now_ms)
{
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(guesses_wait(guesses, peer, now_ms), 0);
        guesses_wrong(guesses, peer, now_ms);
    }
}

static void after_ten_wrong_ones_an_address_waits_ten_seconds(void **state)
{
    (void)state;
    guess("192.0.2.1", 10, NOW_MS);
    assert_int_equal(guesses_wait(guesses, "192.0.2.1", NOW_MS), 10);
    assert_int_equal(guesses_wait(guesses, "192.0.2.1", NOW_MS + 9001), 1);
    assert_int_equal(guesses_wait(guesses, "192.0.2.1", NOW_MS + 10000), 0);
}

static void then_it_has_one_each_ten_seconds(void **state)
{
    (void)state;
    guess("192.0.2.1", 10, NOW_MS);
    for (unsigned i = 1; i <= 5; i++) {
        guess("192.0.2.1", 1, NOW_MS + i * 10000);
        assert_int_equal(guesses_wait(guesses, "192.0.2.1", NOW_MS + i * 10000),
                         10);
    }
}

static void after_a_hundred_seconds_all_is_forgotten(void **state)
{
    (void)state;
    guess("192.0.2.1", 10, NOW_MS);
    guess("192.0.2.1", 10, NOW_MS + 100000);
    assert_int_equal(guesses_wait(guesses, "192.0.2.1", NOW_MS + 100000), 10);
}

static void another_address_does_not_wait(void **state)
{
    (void)state;
    guess("192.0.2.1", 10, NOW_MS);
    assert_int_equal(guesses_wait(guesses, "192.0.2.2", NOW_MS), 0);
    assert_int_equal(guesses_wait(guesses, "2001:db8::1", NOW_MS), 0);
}

static void of_ipv6_a_network_is_one_client(void **state)
{
    (void)state;
    guess("2001:db8:1:2::1", 5, NOW_MS);
    guess("2001:db8:1:2:ffff::9", 5, NOW_MS);
    assert_int_equal(guesses_wait(guesses, "2001:db8:1:2::3", NOW_MS), 10);
    assert_int_equal(guesses_wait(guesses, "2001:db8:1:3::1", NOW_MS), 0);
}

static void an_address_is_the_same_in_either_form(void **state)
{
    (void)state;
    guess("192.0.2.1", 10, NOW_MS);
    assert_int_equal(guesses_wait(guesses, "::ffff:192.0.2.1", NOW_MS), 10);
    guess("fe80::1%eth0", 10, NOW_MS);
    assert_int_equal(guesses_wait(guesses, "fe80::1", NOW_MS), 10);
}

static void what_is_no_address_waits_too(void **state)
{
    (void)state;
    guess(NULL, 5, NOW_MS);
    guess("no address at all, and longer than any that there is", 5, NOW_MS);
    assert_int_equal(guesses_wait(guesses, "", NOW_MS), 10);
}

static void
more_addresses_than_there_is_room_for_push_out_the_least(void **state)
{
    char peer[32];

    (void)state;
    guess("192.0.2.1", 10, NOW_MS);
    for (unsigned i = 0; i < 2 * GUESSES_ADDRESSES; i++) {
        snprintf(peer, sizeof(peer), "10.0.%u.%u", i / 256, i % 256);
        guesses_wrong(guesses, peer, NOW_MS);
    }
    assert_int_equal(guesses_wait(guesses, "192.0.2.1", NOW_MS), 10);
}

static void without_a_brake_nobody_waits(void **state)
{
    (void)state;
    guesses_wrong(NULL, "192.0.2.1", NOW_MS);
    assert_int_equal(guesses_wait(NULL, "192.0.2.1", NOW_MS), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(after_ten_wrong_ones_an_address_waits_ten_seconds),
        TEST(then_it_has_one_each_ten_seconds),
        TEST(after_a_hundred_seconds_all_is_forgotten),
        TEST(another_address_does_not_wait),
        TEST(of_ipv6_a_network_is_one_client),
        TEST(an_address_is_the_same_in_either_form),
        TEST(what_is_no_address_waits_too),
        TEST(more_addresses_than_there_is_room_for_push_out_the_least),
        TEST(without_a_brake_nobody_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
