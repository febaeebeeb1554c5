/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of an identity: its configuration, its state, when it is due.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#undef fail /* message.h has its own */

#include "identities.h"
#include "message.h"

#define DAY INT64_C(86400)

static char root[] = "/tmp/devid-identities.XXXXXX";

static void path_of(char path[256], const char *end)
{
    (void)snprintf(path, 256, "%s/unit%s", root, end);
}

static void write_conf(const char *text)
{
    char path[256];
    FILE *file;

    path_of(path, ".conf");
    file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0644), 0);
}

static void expect_wrong(const char *conf, const char *sentence)
{
    struct identity identity;

    write_conf(conf);
    assert_int_equal(identity_load(root, "unit", &identity), EXIT_FAILED);
    assert_non_null(strstr(last_failure(), sentence));
}

static void a_configuration_comes_back_as_it_was_written(void **state)
{
    struct identity out;
    struct identity in;

    (void)state;
    identity_init(&out, root, "unit");
    identity_set(&out.conf.protocol, "est");
    identity_set(&out.conf.url, "https://ca/.well-known/est");
    identity_set(&out.conf.subject, "/O=A \"B\" #1/CN=$5 \\ x's");
    identity_set(&out.conf.after, "systemctl reload nginx; echo `date` > $x");
    out.conf.same_key = true;
    assert_int_equal(identity_conf_write(&out), EXIT_DONE);
    assert_int_equal(identity_load(root, "unit", &in), EXIT_DONE);
    assert_string_equal(in.conf.url, out.conf.url);
    assert_string_equal(in.conf.subject, out.conf.subject);
    assert_string_equal(in.conf.after, out.conf.after);
    assert_true(in.conf.same_key);
    assert_null(in.conf.label);
    identity_clear(&in);
    identity_clear(&out);
}

static void a_mistake_is_told_with_its_line(void **state)
{
    (void)state;
    expect_wrong("protocol = est\n# x\nurll = https://ca\n",
                 "line 3: there is no setting urll; did you mean url?");
    expect_wrong("protocol = est\nurl = https://a\n\n  url= https://b\n",
                 "line 4: url is given a second time, after line 2");
    expect_wrong("protocol = est\n[est]\nurl = https://a\n",
                 "has a section [est]");
    expect_wrong("protocol = est\nurl = https://a\nsame-key = maybe\n",
                 "line 3: same-key is yes or no, not 'maybe'");
    expect_wrong("protocol = est\nurl = https://a/$b\n",
                 "line 2 (variable has no value)");
    expect_wrong("protocol = scep\nurl = https://a\n",
                 "has no protocol: that is est or cmp");
    expect_wrong("protocol = est\nurl = http://a\n", "begins with https://");
    expect_wrong("protocol = est\nurl = https://a\nuser = u\n",
                 "has no secret-source");
    expect_wrong("protocol = est\nurl = https://a\n"
                 "device = pkcs11:token=a?pin-value=1\n",
                 "pin-source=file:PATH");
}

static void who_else_may_write_it_makes_it_refused(void **state)
{
    struct identity identity;
    char path[256];

    (void)state;
    write_conf("protocol = est\nurl = https://a\nafter = true\n");
    path_of(path, ".conf");
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(identity_load(root, "unit", &identity), EXIT_FAILED);
    assert_non_null(strstr(last_failure(), "may be written by others"));
}

static void a_state_comes_back_as_it_was_written(void **state)
{
    struct identity out;
    struct identity in;

    (void)state;
    write_conf("protocol = est\nurl = https://a\n");
    identity_init(&out, root, "unit");
    out.state.last_attempt = 1700000000;
    out.state.next_renewal = 253402300799;
    out.state.hook_pending = true;
    identity_set(&out.state.last_error, "the CA \"x\" fails");
    identity_set(&out.state.pending_key, "-----BEGIN X-----\nA\n");
    assert_int_equal(identity_state_write(&out), EXIT_DONE);
    assert_int_equal(identity_load(root, "unit", &in), EXIT_DONE);
    assert_int_equal(in.state.last_attempt, 1700000000);
    assert_int_equal(in.state.next_renewal, 253402300799);
    assert_int_equal(in.state.last_success, 0);
    assert_true(in.state.hook_pending);
    assert_string_equal(in.state.last_error, out.state.last_error);
    assert_string_equal(in.state.pending_key, out.state.pending_key);
    assert_null(in.state.retired);
    identity_clear(&in);
    identity_clear(&out);
}

static void one_is_at_work_on_it_at_a_time(void **state)
{
    struct identity first;
    struct identity second;

    (void)state;
    identity_init(&first, root, "unit");
    identity_init(&second, root, "unit");
    assert_int_equal(identity_lock(&first), EXIT_DONE);
    assert_int_equal(identity_lock(&second), EXIT_FAILED);
    assert_non_null(strstr(last_failure(), "another devid is at work"));
    identity_clear(&first);
    identity_clear(&second);
    identity_init(&second, root, "unit");
    assert_int_equal(identity_lock(&second), EXIT_DONE);
    identity_clear(&second);
}

static void names_are_listed_and_checked(void **state)
{
    char **names = NULL;

    (void)state;
    write_conf("x");
    assert_int_equal(identities_names(root, &names), EXIT_DONE);
    assert_string_equal(names[0], "unit");
    assert_null(names[1]);
    identities_free_names(names);
    assert_int_equal(identities_names("/nowhere", &names), EXIT_DONE);
    assert_null(names[0]);
    identities_free_names(names);
    assert_int_equal(identity_check_name("nginx_2-a"), EXIT_DONE);
    assert_int_equal(identity_check_name("unit.1"), EXIT_WRONG_USE);
    assert_int_equal(identity_check_name("../unit"), EXIT_WRONG_USE);
    assert_int_equal(identity_check_name(""), EXIT_WRONG_USE);
}

static void it_is_due_at_two_thirds_less_a_device_s_own_share(void **state)
{
    const struct identity_validity v = {.not_before = 1000 * DAY,
                                        .not_after = 1090 * DAY};
    int64_t earliest = v.not_after;
    int64_t latest = 0;
    char id[16];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t due;

        (void)snprintf(id, sizeof(id), "%d", i);
        due = identity_due(&v, id);
        assert_int_equal(due, identity_due(&v, id));
        if (due < earliest)
            earliest = due;
        if (due > latest)
            latest = due;
    }
    assert_in_range(earliest, 1052 * DAY + DAY / 2, 1053 * DAY);
    assert_in_range(latest, 1059 * DAY, 1060 * DAY);
}

static int make_root(void **state)
{
    (void)state;
    return mkdtemp(root) == NULL;
}

static int remove_root(void **state)
{
    static const char *const ends[] = {".conf", ".state", ".lock"};
    char path[256];

    (void)state;
    for (int i = 0; i < 3; i++) {
        path_of(path, ends[i]);
        (void)unlink(path);
    }
    return rmdir(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_configuration_comes_back_as_it_was_written),
        cmocka_unit_test(a_mistake_is_told_with_its_line),
        cmocka_unit_test(who_else_may_write_it_makes_it_refused),
        cmocka_unit_test(a_state_comes_back_as_it_was_written),
        cmocka_unit_test(one_is_at_work_on_it_at_a_time),
        cmocka_unit_test(names_are_listed_and_checked),
        cmocka_unit_test(it_is_due_at_two_thirds_less_a_device_s_own_share),
    };

    return cmocka_run_group_tests(tests, make_root, remove_root);
}
