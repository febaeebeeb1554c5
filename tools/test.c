/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "describe.h"
#include "message.h"
#include "open.h"
#include "other_use.h"
#include "sigalgs.h"

enum {
    REPEAT
};

enum {
    REPEAT_DEFAULT = 3,
    REPEAT_MAX = 1000
};

static const struct option_row options[] = {
    [REPEAT] = {"repeat", "COUNT",
                "sign this often with each scheme, and give the median time; "
                "1 to 1000, the default is 3",
                false, false},
    {0},
};

/* What one scheme did. */
struct outcome {
    bool works;
    long sign_us; /* medians, microseconds */
    long verify_us;
    struct devid_error err;
};

/* A test of one key. */
struct test {
    struct devid *engine;
    struct devid_key *key;
    int repeat;
    json_t *schemes;
    json_t *advice;
    char working[256]; /* names for SignatureAlgorithms, by colons */
    bool all_work;
    bool tls13_works;
    long slowest_us;
    const char *other_use; /* "decrypts"; NULL: there is none */
    bool other_works;
};

static long microseconds_since(const struct timespec *start)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long)(now.tv_sec - start->tv_sec) * 1000000 +
           (now.tv_nsec - start->tv_nsec) / 1000;
}

static int compare_longs(const void *a, const void *b)
{
    const long *left = a;
    const long *right = b;

    return (*left > *right) - (*left < *right);
}

static long median(long *values, int count)
{
    qsort(values, (size_t)count, sizeof(*values), compare_longs);
    return values[count / 2];
}

/*
 * Sign and verify once. What is not the scheme's own fault, such as a device
 * that cannot be reached, is told from it by the caller.
 */
static enum devid_err try_once(struct test *test, const struct devid_tbs *tbs,
                               long *sign_us, long *verify_us,
                               struct devid_error *err)
{
    struct devid_sig sig;
    struct timespec start;
    enum devid_err result;

    clock_gettime(CLOCK_MONOTONIC, &start);
    result = devid_key_sign(test->key, tbs, &sig, err);
    *sign_us = microseconds_since(&start);
    if (result)
        return result;
    clock_gettime(CLOCK_MONOTONIC, &start);
    result = devid_verify(devid_key_public(test->key),
                          devid_libctx(test->engine), tbs, &sig, err);
    *verify_us = microseconds_since(&start);
    return result;
}

static enum devid_err try_sigalg(struct test *test, const struct sigalg *sigalg,
                                 struct outcome *outcome)
{
    static const char message[] = "devid test";
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct devid_tbs tbs = {
        .scheme = sigalg->scheme,
        .hash = devid_hash_by_name(sigalg->hash),
        .digest = sigalg->hash ? digest : (const uint8_t *)message,
        .digest_len = sizeof(message),
    };
    long sign_us[REPEAT_MAX];
    long verify_us[REPEAT_MAX];
    enum devid_err result = DEVID_OK;

    *outcome = (struct outcome){0};
    if (sigalg->hash &&
        !EVP_Q_digest(NULL, sigalg->hash, NULL, message, sizeof(message),
                      digest, &tbs.digest_len)) {
        snprintf(outcome->err.text, sizeof(outcome->err.text),
                 "OpenSSL has no %s", sigalg->hash);
        return DEVID_ERR_ALG;
    }
    tbs.salt_len = sigalg->scheme == DEVID_RSA_PSS ? tbs.digest_len : 0;
    for (int i = 0; i < test->repeat && result == DEVID_OK; i++)
        result =
            try_once(test, &tbs, &sign_us[i], &verify_us[i], &outcome->err);
    outcome->works = result == DEVID_OK;
    if (outcome->works) {
        outcome->sign_us = median(sign_us, test->repeat);
        outcome->verify_us = median(verify_us, test->repeat);
    }
    return result;
}

static void advise(struct test *test, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void advise(struct test *test, const char *format, ...)
{
    char text[DEVID_ERROR_TEXT_SIZE + 128];
    va_list values;

    va_start(values, format);
    /* What is too long is cut; the engine's sentences are not. */
    (void)vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    report_append_text(test->advice, text);
}

static void note_outcome(struct test *test, const struct sigalg *sigalg,
                         const struct outcome *outcome)
{
    const struct devid_public *pub = devid_key_public(test->key);
    json_t *row = report_new();
    size_t used = strlen(test->working);

    report_text(row, "name", sigalg->name);
    report_words(row, "tls_versions",
                 sigalg_in_tls13(sigalg, pub) ? "1.2, 1.3" : "1.2");
    report_flag(row, "works", outcome->works);
    if (outcome->works) {
        report_number(row, "sign_us", outcome->sign_us);
        report_number(row, "verify_us", outcome->verify_us);
        snprintf(test->working + used, sizeof(test->working) - used, "%s%s",
                 used ? ":" : "", sigalg->openssl);
        if (outcome->sign_us > test->slowest_us)
            test->slowest_us = outcome->sign_us;
    } else {
        report_text(row, "error", outcome->err.text);
        advise(test, "Avoid %s: %s.", sigalg->name, outcome->err.text);
        test->all_work = false;
        if (sigalg_needed_by_tls13(sigalg, pub))
            test->tls13_works = false;
    }
    report_append(test->schemes, row);
}

/* These say something of one scheme; all others end the test. */
static bool is_of_the_scheme(enum devid_err result)
{
    return result == DEVID_OK || result == DEVID_ERR_ALG ||
           result == DEVID_ERR_USAGE || result == DEVID_ERR_DEVICE;
}

static enum exit_code try_all(struct test *test)
{
    const struct devid_public *pub = devid_key_public(test->key);
    struct devid_error last = {0};

    for (const struct sigalg *sigalg = sigalgs; sigalg->name; sigalg++) {
        struct outcome outcome;
        if (!sigalg_fits(sigalg, pub))
            continue;
        if (!is_of_the_scheme(try_sigalg(test, sigalg, &outcome)))
            return fail_engine(&outcome.err);
        if (!outcome.works && !*test->working)
            last = outcome.err;
        note_outcome(test, sigalg, &outcome);
    }
    /* The same is wrong with all of them: not worth a table. */
    if (!*test->working)
        return fail_engine(&last);
    return EXIT_DONE;
}

static void advise_on_the_whole(struct test *test)
{
    if (test->all_work)
        advise(test, "This key signs whatever TLS 1.2 and 1.3 may ask for.");
    else if (*test->working)
        advise(test,
               "Allow only what works, in nginx by "
               "\"ssl_conf_command SignatureAlgorithms %s;\".",
               test->working);
    if (!test->tls13_works)
        advise(test, "Without TLS 1.3: it needs a signature that this key "
                     "does not make.");
    if (test->slowest_us > 0)
        advise(test,
               "A signature takes up to %ld microseconds: at most %ld full "
               "handshakes a second.",
               test->slowest_us, 1000000 / test->slowest_us);
}

/* What a key may do beside signing is told, not needed. */
static void try_other_use(struct test *test)
{
    enum devid_key_type type = devid_key_public(test->key)->type;
    const struct other_use *use = other_use_of(type);
    struct devid_error err = {0};

    if (!use)
        return;
    test->other_use = use->name;
    test->other_works = use->once(test->key, &err) == DEVID_OK;
    if (type == DEVID_KEY_RSA && test->other_works)
        advise(test, "It decrypts as well: CMS, and RSA key exchange of TLS "
                     "1.2 where that is allowed.");
    else if (type == DEVID_KEY_RSA)
        advise(test,
               "Leave out the TLS 1.2 ciphers with RSA key exchange (kRSA), "
               "which would have it decrypt: %s.",
               err.text);
    else if (test->other_works)
        advise(test, "It agrees on secrets as well (ECDH): CMS to an EC "
                     "recipient. TLS has no need of that.");
}

static void append_number(json_t *row, const json_t *value)
{
    char text[32] = "-";

    if (value)
        snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT,
                 json_integer_value(value));
    report_append_text(row, text);
}

static void print_text(const struct test *test)
{
    static const char *const head[] = {"SCHEME", "TLS", "WORKS", "SIGN (us)",
                                       "VERIFY (us)"};
    json_t *rows = report_array();
    json_t *row = report_array();
    const json_t *value;
    size_t i;

    for (i = 0; i < sizeof(head) / sizeof(*head); i++)
        report_append_text(row, head[i]);
    report_append(rows, row);
    json_array_foreach(test->schemes, i, value)
    {
        bool works = json_is_true(json_object_get(value, "works"));
        size_t versions =
            json_array_size(json_object_get(value, "tls_versions"));
        row = report_array();
        report_append_text(row, report_get(value, "name"));
        report_append_text(row, versions > 1 ? "1.2, 1.3" : "1.2");
        report_append_text(row, works ? "yes" : "no");
        append_number(row, json_object_get(value, "sign_us"));
        append_number(row, json_object_get(value, "verify_us"));
        report_append(rows, row);
    }
    report_print_table(rows);
    putchar('\n');
    json_array_foreach(test->advice, i, value) puts(json_string_value(value));
    json_decref(rows);
}

static void print_json(const struct args *args, const struct test *test)
{
    json_t *report = report_new();

    report_text(report, "source", args->operands[0]);
    describe_public(report, devid_key_public(test->key));
    report_flag(report, "all_work", test->all_work);
    report_flag(report, "tls13_works", test->tls13_works);
    report_text(report, "signature_algorithms", test->working);
    if (test->other_use)
        report_flag(report, test->other_use, test->other_works);
    report_value(report, "schemes", json_incref(test->schemes));
    report_value(report, "advice", json_incref(test->advice));
    report_print_json(report);
    json_decref(report);
}

static enum exit_code run_test(const struct args *args, struct test *test)
{
    enum exit_code code = try_all(test);

    if (code != EXIT_DONE)
        return code;
    advise_on_the_whole(test);
    try_other_use(test);
    if (args_flag(args, ROW_JSON))
        print_json(args, test);
    else
        print_text(test);
    return test->tls13_works ? EXIT_DONE : EXIT_FAILED;
}

static enum exit_code run(const struct args *args)
{
    const char *repeat = args_text(args, REPEAT);
    char *end = NULL;
    long count = repeat ? strtol(repeat, &end, 10) : REPEAT_DEFAULT;
    struct test test = {.all_work = true, .tls13_works = true};
    enum exit_code code;

    if (repeat && (*end || end == repeat || count < 1 || count > REPEAT_MAX))
        return wrong_use("test", "--repeat is a number from 1 to %d, not %s",
                         (int)REPEAT_MAX, repeat);
    test.repeat = (int)count;
    code = engine_open_key(args, args->operands[0], &test.engine, &test.key);
    if (code != EXIT_DONE)
        return code;
    test.schemes = report_array();
    test.advice = report_array();
    code = run_test(args, &test);
    json_decref(test.schemes);
    json_decref(test.advice);
    devid_key_free(&test.key);
    devid_free(&test.engine);
    return code;
}

static const struct exit_row exits[] = {
    {EXIT_DONE, "every scheme that TLS 1.3 needs for this key works"},
    {EXIT_FAILED, "one does not, or the key cannot be used at all"},
    {0},
};

const struct command test_command = {
    .name = "test",
    .operands = "KEY",
    .help = "try every signature that TLS may ask the key for",
    .example = "  devid test key.pem\n"
               "  devid test --json tpm2:handle=0x81000010\n",
    .options = options,
    .common = TAKES(ROW_TCTI) | TAKES(ROW_MODULE) | TAKES(ROW_AUTH_SOURCE) |
              TAKES(ROW_PARENT_AUTH_SOURCE) | TAKES(ROW_JSON),
    .operands_min = 1,
    .operands_max = 1,
    .exits = exits,
    .run = run,
};
