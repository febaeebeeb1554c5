/* SPDX-License-Identifier: Apache-2.0 */
/* Settings, from the environment and from callers; the choice of a back end. */
#include "fake_backend.h"
#include "support.h"

#include "engine.h"

#include <stdlib.h>
#include <string.h>

static struct devid *new_engine(void)
{
    struct devid *engine = NULL;
    struct devid_error err = {0};

    fake_reset();
    assert_int_equal(devid_new_with(NULL, fake_backends, &engine, &err),
                     DEVID_OK);
    return engine;
}

/* No variable of ours; each test sets what it is about. */
static int clear_environment(void **state)
{
    const struct devid_setting *s;

    (void)state;
    for (s = devid_settings(); s->name != NULL; s++) {
        if (unsetenv(s->env) != 0)
            return -1;
    }
    return unsetenv("TPM2TOOLS_TCTI");
}

static void every_setting_has_a_name_a_variable_and_a_line_of_help(void **state)
{
    const struct devid_setting *s;

    (void)state;
    assert_non_null(devid_settings()->name);
    for (s = devid_settings(); s->name != NULL; s++) {
        assert_int_equal(strncmp(s->env, "DEVID_", 6), 0);
        assert_true(strlen(s->help) > 10);
    }
}

static void a_new_engine_opens_nothing_and_knows_nothing(void **state)
{
    struct devid *engine = new_engine();
    const struct devid_setting *s;

    (void)state;
    for (s = devid_settings(); s->name != NULL; s++)
        assert_null(devid_get(engine, s->name));
    assert_null(devid_get(engine, "no such setting"));
    assert_int_equal(fake_calls().open, 0);
    devid_free(&engine);
    assert_null(engine);
    devid_free(&engine);
}

static void a_caller_sets_and_sets_again(void **state)
{
    struct devid *engine = new_engine();
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(devid_set(engine, "tcti", "swtpm:port=1", &err), DEVID_OK);
    assert_int_equal(devid_set(engine, "tcti", "swtpm:port=2", &err), DEVID_OK);
    assert_string_equal(devid_get(engine, "tcti"), "swtpm:port=2");
    devid_free(&engine);
}

static void the_environment_wins_over_a_caller(void **state)
{
    struct devid *engine;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(setenv("DEVID_TCTI", "swtpm:port=1", 1), 0);
    assert_int_equal(setenv("TPM2TOOLS_TCTI", "swtpm:port=3", 1), 0);
    engine = new_engine();
    assert_int_equal(devid_set(engine, "tcti", "swtpm:port=2", &err), DEVID_OK);
    assert_string_equal(devid_get(engine, "tcti"), "swtpm:port=1");
    /* What loses is checked all the same. */
    assert_int_equal(devid_set(engine, "tcti", "", &err), DEVID_ERR_INPUT);
    devid_free(&engine);
}

static void a_caller_wins_over_the_variable_of_the_tpm_tools(void **state)
{
    struct devid *engine;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(setenv("TPM2TOOLS_TCTI", "swtpm:port=3", 1), 0);
    engine = new_engine();
    assert_string_equal(devid_get(engine, "tcti"), "swtpm:port=3");
    assert_int_equal(devid_set(engine, "tcti", "swtpm:port=2", &err), DEVID_OK);
    assert_string_equal(devid_get(engine, "tcti"), "swtpm:port=2");
    devid_free(&engine);
}

static void the_environment_is_read_once(void **state)
{
    struct devid *engine;

    (void)state;
    assert_int_equal(setenv("DEVID_TPM2_SHARING", "bare", 1), 0);
    engine = new_engine();
    assert_int_equal(setenv("DEVID_TPM2_SHARING", "managed", 1), 0);
    assert_string_equal(devid_get(engine, "tpm2-sharing"), "bare");
    devid_free(&engine);
}

static const struct {
    const char *name;
    const char *value;
    const char *sentence; /* NULL: good */
} values[] = {
    {"tcti", "device:/dev/tpmrm0", NULL},
    {"tcti", "", "is empty: give a TCTI string such as device:/dev/tpmrm0"},
    {"tpm2-sharing", "auto", NULL},
    {"tpm2-sharing", "managed", NULL},
    {"tpm2-sharing", "bare", NULL},
    {"tpm2-sharing", "Bare", "is 'Bare': it must be auto, managed or bare"},
    {"tpm2-open", "early", NULL},
    {"tpm2-open", "late", NULL},
    {"tpm2-open", "", "is '': it must be early or late"},
    {"pin-program", "yes", NULL},
    {"pin-program", "no", NULL},
    {"pin-program", "true", "is 'true': it must be yes or no"},
    {"pkcs11-copy-keys", "yes", NULL},
    {"pkcs11-copy-keys", "no", NULL},
    {"pkcs11-copy-keys", "1", "is '1': it must be yes or no"},
    {"check-signatures", "auto", NULL},
    {"check-signatures", "always", NULL},
    {"check-signatures", "never", "is 'never': it must be auto or always"},
    {"lock-timeout", "0", NULL},
    {"lock-timeout", "3600", NULL},
    {"lock-timeout", "3601", "is '3601': it must be a number of seconds from"},
    {"lock-timeout", "99999999999999999999", "from 0 to 3600"},
    {"lock-timeout", "-1", "from 0 to 3600"},
    {"lock-timeout", "5s", "from 0 to 3600"},
    {"lock-timeout", " 5", "from 0 to 3600"},
    {"lock-timeout", "", "from 0 to 3600"},
    {"auth-source", "file:/run/pin", NULL},
    {"auth-source", "env:PIN", NULL},
    {"auth-source", "file:", "must be file:PATH or env:NAME"},
    {"auth-source", "hunter2", "the secret itself never stands there"},
};

static const struct devid_setting *setting(const char *name)
{
    const struct devid_setting *s = devid_settings();

    while (strcmp(s->name, name) != 0)
        s++;
    return s;
}

static void a_bad_value_from_a_caller_is_named(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(values); i++) {
        struct devid *engine = new_engine();
        struct devid_error err = {0};
        enum devid_err e =
            devid_set(engine, values[i].name, values[i].value, &err);

        if (values[i].sentence == NULL) {
            assert_int_equal(e, DEVID_OK);
            assert_string_equal(devid_get(engine, values[i].name),
                                values[i].value);
        } else {
            assert_int_equal(e, DEVID_ERR_INPUT);
            expect_text(&err, values[i].name);
            expect_text(&err, values[i].sentence);
            assert_null(strstr(err.text, "hunter2"));
            assert_null(devid_get(engine, values[i].name));
        }
        devid_free(&engine);
    }
}

static void a_bad_value_from_the_environment_names_its_variable(void **state)
{
    size_t i;

    for (i = 0; i < COUNT(values); i++) {
        const char *env = setting(values[i].name)->env;
        struct devid *engine = NULL;
        struct devid_error err = {0};
        enum devid_err e;

        assert_int_equal(clear_environment(state), 0);
        assert_int_equal(setenv(env, values[i].value, 1), 0);
        e = devid_new_with(NULL, fake_backends, &engine, &err);
        if (values[i].sentence == NULL) {
            assert_int_equal(e, DEVID_OK);
        } else {
            assert_int_equal(e, DEVID_ERR_INPUT);
            expect_text(&err, env);
            expect_text(&err, values[i].sentence);
            assert_null(strstr(err.text, "hunter2"));
            assert_null(engine);
        }
        devid_free(&engine);
    }
}

static void an_unknown_setting_is_refused_with_those_there_are(void **state)
{
    struct devid *engine = new_engine();
    const struct devid_setting *s;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(devid_set(engine, "tctii", "x", &err), DEVID_ERR_INPUT);
    expect_text(&err, "there is no setting 'tctii'");
    for (s = devid_settings(); s->name != NULL; s++)
        expect_text(&err, s->name);
    devid_free(&engine);
}

static void a_back_end_is_chosen_by_scheme_and_opened_once(void **state)
{
    static const char *const uris[] = {NULL, "tpm2:", "handle:0x81000001"};
    struct devid *engine = new_engine();
    const struct devid_backend *be = NULL;
    void *memory = NULL;
    struct devid_error err = {0};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(uris); i++) {
        assert_int_equal(devid_backend_for(engine, uris[i], &be, &memory, &err),
                         DEVID_OK);
        assert_ptr_equal(be, fake_backends[0]);
    }
    assert_int_equal(fake_calls().open, 1);
    assert_int_equal(devid_backend_for(engine, "tpm2", &be, &memory, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "'tpm2' does not start with a scheme that devid knows "
                      "(tpm2:, handle:)");
    devid_free(&engine);
    assert_int_equal(fake_calls().close, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, clear_environment)
        TEST(every_setting_has_a_name_a_variable_and_a_line_of_help),
        TEST(a_new_engine_opens_nothing_and_knows_nothing),
        TEST(a_caller_sets_and_sets_again),
        TEST(the_environment_wins_over_a_caller),
        TEST(a_caller_wins_over_the_variable_of_the_tpm_tools),
        TEST(the_environment_is_read_once),
        TEST(a_bad_value_from_a_caller_is_named),
        TEST(a_bad_value_from_the_environment_names_its_variable),
        TEST(an_unknown_setting_is_refused_with_those_there_are),
        TEST(a_back_end_is_chosen_by_scheme_and_opened_once),
#undef TEST
    };

    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
