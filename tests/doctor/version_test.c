/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of firmware and of packages, compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "version.h"

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static void numbers_are_compared_as_numbers(void **state)
{
    (void)state;
    assert_int_equal(sign(version_compare("7.9", "7.62")), -1);
    assert_int_equal(sign(version_compare("7.62", "7.62.0.0")), 0);
    assert_int_equal(sign(version_compare("7.62.3126.0", "7.62")), 1);
    assert_int_equal(sign(version_compare("133.32", "9.1")), 1);
}

static void a_version_begins_with_its_first_numbers(void **state)
{
    (void)state;
    assert_true(version_begins("73.4.17568.4452", "73.4"));
    assert_true(version_begins("73.4", "73.4"));
    assert_false(version_begins("73.40.1.1", "73.4"));
    assert_false(version_begins("73", "73.4"));
}

static void a_range_holds_its_lower_end_and_not_its_upper(void **state)
{
    json_t *range =
        json_loads("[{\"from\": \"7.0\", \"below\": \"7.62\"}]", 0, NULL);

    (void)state;
    assert_true(version_in("7.0", range));
    assert_true(version_in("7.61.2785.0", range));
    assert_false(version_in("7.62", range));
    assert_false(version_in("6.43", range));
    json_decref(range);
}

/* deb-version(7); what dpkg --compare-versions says of them. */
static void debian_versions_sort_as_dpkg_sorts_them(void **state)
{
    static const char *const rising[] = {
        "0.9.2-3.1~deb12u1", "0.9.2-3.1",    "0.9.2-3.1+deb12u1", "0.9.2-3.2",
        "0.9.10-1",          "0.10.0~rc1-1", "0.10.0-1",          "1:0.1-1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rising) / sizeof(*rising); i++) {
        for (size_t j = 0; j < sizeof(rising) / sizeof(*rising); j++)
            assert_int_equal(sign(deb_version_compare(rising[i], rising[j])),
                             (i > j) - (i < j));
    }
}

static void an_upstream_version_is_what_stands_before_the_revision(void **state)
{
    char text[32];

    (void)state;
    deb_version_upstream("1:0.9.2-3.1+deb12u1", text, sizeof(text));
    assert_string_equal(text, "0.9.2");
    deb_version_upstream("3.0.22", text, sizeof(text));
    assert_string_equal(text, "3.0.22");
}

static void firmware_is_written_as_its_vendor_writes_it(void **state)
{
    json_t *infineon = json_loads("[16, 16, 24, 8]", 0, NULL);
    char text[64];

    (void)state;
    firmware_version(0x00070055, 0x0011cb00, infineon, text, sizeof(text));
    assert_string_equal(text, "7.85.4555.0");
    firmware_version(0x00490004, 0x44a01164, NULL, text, sizeof(text));
    assert_string_equal(text, "73.4.17568.4452");
    json_decref(infineon);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_compared_as_numbers),
        cmocka_unit_test(a_version_begins_with_its_first_numbers),
        cmocka_unit_test(a_range_holds_its_lower_end_and_not_its_upper),
        cmocka_unit_test(debian_versions_sort_as_dpkg_sorts_them),
        cmocka_unit_test(
            an_upstream_version_is_what_stands_before_the_revision),
        cmocka_unit_test(firmware_is_written_as_its_vendor_writes_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
