/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_backend.h"
#include "support.h"

#include "secret.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct devid_secret *new_secret(const char *text)
{
    struct devid_secret *secret = NULL;
    struct devid_error err = {0};

    assert_int_equal(devid_secret_new(text, strlen(text), &secret, &err),
                     DEVID_OK);
    return secret;
}

static void a_secret_is_a_copy(void **state)
{
    char text[] = "hunter2";
    struct devid_secret *secret = new_secret(text);

    (void)state;
    memset(text, 0, sizeof(text));
    assert_int_equal(devid_secret_len(secret), 7);
    assert_memory_equal(devid_secret_data(secret), "hunter2", 7);
    devid_secret_free(&secret);
    assert_null(secret);
    devid_secret_free(&secret);
}

static void lengths_from_nothing_to_the_most_are_kept(void **state)
{
    static const char text[DEVID_SECRET_MAX + 1] = "x";
    struct devid_secret *secret = new_secret("");
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(devid_secret_len(secret), 0);
    devid_secret_free(&secret);
    assert_int_equal(devid_secret_new(text, DEVID_SECRET_MAX, &secret, &err),
                     DEVID_OK);
    assert_int_equal(devid_secret_len(secret), DEVID_SECRET_MAX);
    devid_secret_free(&secret);
    assert_int_equal(devid_secret_new(text, sizeof(text), &secret, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "the secret is longer than 1024 bytes");
    assert_null(secret);
}

static void a_refusal_in_a_child_is_known_to_its_parent(void **state)
{
    struct devid_secret *secret = new_secret("wrong");
    int status = -1;
    pid_t child;

    (void)state;
    assert_false(devid_secret_is_refused(secret));
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        devid_secret_refuse(secret);
        devid_secret_free(&secret);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(devid_secret_is_refused(secret));
    /* What the child wiped was its own. */
    assert_memory_equal(devid_secret_data(secret), "wrong", 5);
    devid_secret_free(&secret);
}

/* An engine whose auth-source is `source`. */
static struct devid *engine_with(const char *source)
{
    struct devid *engine = NULL;
    struct devid_error err = {0};

    assert_int_equal(devid_new_with(NULL, fake_backends, &engine, &err),
                     DEVID_OK);
    if (source != NULL)
        assert_int_equal(devid_set(engine, "auth-source", source, &err),
                         DEVID_OK);
    return engine;
}

static void expect_secret(const char *source, const char *value)
{
    struct devid *engine = engine_with(source);
    struct devid_secret *secret = NULL;
    struct devid_error err = {0};

    assert_int_equal(
        devid_secret_from_setting(engine, "auth-source", &secret, &err),
        DEVID_OK);
    assert_int_equal(devid_secret_len(secret), strlen(value));
    assert_memory_equal(devid_secret_data(secret), value, strlen(value));
    devid_secret_free(&secret);
    devid_free(&engine);
}

static void expect_none(const char *source, const char *sentence)
{
    struct devid *engine = engine_with(source);
    struct devid_secret *secret = NULL;
    struct devid_error err = {0};

    assert_int_equal(
        devid_secret_from_setting(engine, "auth-source", &secret, &err),
        DEVID_ERR_INPUT);
    expect_text(&err, sentence);
    assert_null(secret);
    devid_free(&engine);
}

static void a_file_gives_its_contents_less_a_last_line_feed(void **state)
{
    static const struct {
        const char *contents;
        const char *value;
    } rows[] = {
        {"hunter2\n", "hunter2"},
        {"hunter2", "hunter2"},
        {"a\n\n", "a\n"},
        {"", ""},
        {"\n", ""},
    };
    char path[] = "/tmp/devid-secret-XXXXXX";
    char source[64];
    int fd = mkstemp(path);
    size_t i;

    (void)state;
    assert_true(fd >= 0);
    (void)snprintf(source, sizeof(source), "file:%s", path);
    for (i = 0; i < COUNT(rows); i++) {
        ssize_t len = (ssize_t)strlen(rows[i].contents);

        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, rows[i].contents, (size_t)len, 0), len);
        expect_secret(source, rows[i].value);
    }
    assert_int_equal(close(fd), 0);
    assert_int_equal(unlink(path), 0);
    expect_none(source, "cannot be read: No such file or directory");
    expect_none("file:/dev/zero", "the secret is longer than 1024 bytes");
}

static void a_variable_is_captured_when_it_is_named(void **state)
{
    struct devid *engine;
    struct devid_secret *secret = NULL;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(setenv("DEVID_TEST_PIN", "hunter2", 1), 0);
    expect_secret("env:DEVID_TEST_PIN", "hunter2");
    engine = engine_with("env:DEVID_TEST_PIN");
    assert_int_equal(unsetenv("DEVID_TEST_PIN"), 0);
    assert_int_equal(
        devid_secret_from_setting(engine, "auth-source", &secret, &err),
        DEVID_OK);
    assert_memory_equal(devid_secret_data(secret), "hunter2", 7);
    devid_secret_free(&secret);
    devid_free(&engine);
    expect_none("env:DEVID_TEST_PIN",
                "'DEVID_TEST_PIN', was not set when the program started");
}

static void without_the_setting_there_is_no_secret(void **state)
{
    struct devid *engine = engine_with(NULL);
    struct devid_secret *secret = NULL;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(
        devid_secret_from_setting(engine, "auth-source", &secret, &err),
        DEVID_OK);
    assert_null(secret);
    devid_free(&engine);
}

/* Eight workers that start together: one asks the device, all know. */
static void a_wrong_value_is_tried_by_one_of_many_children(void **state)
{
    struct devid_secret *secret = new_secret("wrong");
    pid_t children[8];
    int tries = 0;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(children); i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            bool tried = devid_secret_begin(secret) == DEVID_SECRET_TRY;

            (void)usleep(5000); /* the device takes its time */
            if (tried)
                devid_secret_refuse(secret);
            _exit(tried ? 1 : 0);
        }
    }
    for (i = 0; i < COUNT(children); i++) {
        int status = -1;

        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        tries += WEXITSTATUS(status);
    }
    assert_int_equal(tries, 1);
    assert_true(devid_secret_is_refused(secret));
    devid_secret_free(&secret);
}

/* Nobody has waited for it: its number is still taken. */
static void the_turn_of_a_child_that_was_killed_ends(void **state)
{
    struct devid_secret *secret = new_secret("right");
    siginfo_t info;
    int status = -1;
    pid_t child = fork();

    (void)state;
    assert_true(child >= 0);
    if (child == 0)
        _exit(devid_secret_begin(secret) == DEVID_SECRET_TRY ? raise(SIGKILL)
                                                             : 1);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(info.si_status, SIGKILL);
    (void)alarm(10); /* it would wait for ever */
    assert_int_equal(devid_secret_begin(secret), DEVID_SECRET_TRY);
    (void)alarm(0);
    assert_int_equal(waitpid(child, &status, 0), child);
    devid_secret_end(secret, true);
    assert_int_equal(devid_secret_begin(secret), DEVID_SECRET_GOOD);
    devid_secret_end(secret, true);
    devid_secret_free(&secret);
}

static void *take_turn(void *arg)
{
    struct devid_secret *secret = arg;
    enum devid_secret_turn turn = devid_secret_begin(secret);

    devid_secret_end(secret, true);
    return turn == DEVID_SECRET_TRY ? secret : NULL;
}

static void
threads_that_know_do_not_end_the_turn_of_one_that_tries(void **state)
{
    pthread_t threads[8];
    int i;

    (void)state;
    (void)alarm(60); /* a turn that nobody ends would be waited for */
    for (i = 0; i < 200; i++) {
        struct devid_secret *secret = new_secret("right");
        int tries = 0;
        size_t j;

        for (j = 0; j < COUNT(threads); j++)
            assert_int_equal(
                pthread_create(&threads[j], NULL, take_turn, secret), 0);
        for (j = 0; j < COUNT(threads); j++) {
            void *tried = NULL;

            assert_int_equal(pthread_join(threads[j], &tried), 0);
            tries += tried != NULL;
        }
        assert_int_equal(tries, 1);
        devid_secret_free(&secret);
    }
    (void)alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_a_copy),
        cmocka_unit_test(lengths_from_nothing_to_the_most_are_kept),
        cmocka_unit_test(a_refusal_in_a_child_is_known_to_its_parent),
        cmocka_unit_test(a_wrong_value_is_tried_by_one_of_many_children),
        cmocka_unit_test(the_turn_of_a_child_that_was_killed_ends),
        cmocka_unit_test(
            threads_that_know_do_not_end_the_turn_of_one_that_tries),
        cmocka_unit_test(a_file_gives_its_contents_less_a_last_line_feed),
        cmocka_unit_test(a_variable_is_captured_when_it_is_named),
        cmocka_unit_test(without_the_setting_there_is_no_secret),
    };

    /* The environment must not have the setting; nothing reads it later. */
    return unsetenv("DEVID_AUTH_SOURCE") != 0
               ? 1
               : cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
