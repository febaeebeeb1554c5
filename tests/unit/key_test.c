/* SPDX-License-Identifier: Apache-2.0 */
/* What key.c promises, over the fake. */
#include "fake_backend.h"
#include "support.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT "to be signed"
#define THREADS 8

static struct devid *engine;

static int setup(void **state)
{
    struct devid_error err = {0};

    (void)state;
    fake_reset();
    return devid_new_with(NULL, fake_backends, &engine, &err) == DEVID_OK ? 0
                                                                          : -1;
}

static int teardown(void **state)
{
    (void)state;
    devid_free(&engine);
    return 0;
}

static struct devid_key *new_key(const char *algorithm)
{
    const struct devid_key_spec spec = {.algorithm = algorithm};
    struct devid_key *key = NULL;
    struct devid_error err = {0};

    assert_int_equal(devid_key_create(engine, &spec, &key, &err), DEVID_OK);
    return key;
}

static struct devid_tbs tbs_of(enum devid_scheme scheme, const char *hash,
                               uint8_t digest[64])
{
    const struct devid_hash *h = devid_hash_by_name(hash);
    struct devid_tbs tbs = {.scheme = scheme,
                            .hash = h,
                            .salt_len = scheme == DEVID_RSA_PSS ? h->len : 0,
                            .digest = digest,
                            .digest_len = h->len};

    digest_text(h, TEXT, digest);
    return tbs;
}

static void opening_and_describing_a_key_asks_the_device_nothing(void **state)
{
    struct devid_key *key = new_key("ec-p256");
    struct devid_key *again = NULL;
    struct devid_key_info info;
    struct devid_error err = {0};
    bool recognised = false;
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(devid_key_to_der(key, &der, &len, &err), DEVID_OK);
    assert_int_equal(
        devid_key_from_der(engine, der, len, &recognised, &again, &err),
        DEVID_OK);
    assert_true(recognised);
    assert_true(
        devid_public_equal(devid_key_public(key), devid_key_public(again)));
    devid_key_info(again, &info);
    assert_string_equal(info.format, "TSS2 PRIVATE KEY");
    assert_string_equal(info.backend, "fake");
    assert_string_equal(info.uri, "");
    assert_false(info.needs_auth);
    OPENSSL_free(der);
    devid_key_free(&again);
    devid_key_free(&key);
    assert_int_equal(fake_calls().key_create, 1);
    assert_int_equal(fake_calls().key_find, 0);
    assert_int_equal(fake_calls().sign, 0);
}

static void a_signature_costs_one_call_and_verifies(void **state)
{
    struct devid_key *key = new_key("ec-p384");
    uint8_t digest[64];
    struct devid_tbs tbs = tbs_of(DEVID_ECDSA, "SHA384", digest);
    struct devid_sig sig;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(devid_key_sign(key, &tbs, &sig, &err), DEVID_OK);
    assert_int_equal(sig.len, 96);
    assert_int_equal(
        devid_verify(devid_key_public(key), NULL, &tbs, &sig, &err), DEVID_OK);
    assert_int_equal(fake_calls().sign, 1);
    devid_key_free(&key);
}

/* Sign with a spoilt request; it never reaches the device. */
static void expect_refused(struct devid_key *key, const struct devid_tbs *tbs,
                           enum devid_err code, const char *sentence)
{
    struct devid_sig sig = {.len = 77};
    struct devid_error err = {.device_rc = 1};
    unsigned before = fake_calls().sign;

    assert_int_equal(devid_key_sign(key, tbs, &sig, &err), code);
    expect_text(&err, sentence);
    assert_int_equal(err.device_rc, 0);
    assert_int_equal(sig.len, 0);
    assert_int_equal(fake_calls().sign, before);
}

static void what_makes_no_sense_is_refused_before_the_device(void **state)
{
    struct devid_key *ec = new_key("ec-p256");
    struct devid_key *rsa = new_key("rsa-2048");
    uint8_t digest[64];
    struct devid_tbs tbs;

    (void)state;
    tbs = tbs_of(DEVID_RSA_PKCS1, "SHA256", digest);
    expect_refused(ec, &tbs, DEVID_ERR_USAGE,
                   "an RSA signature asked of an EC key");
    tbs = tbs_of(DEVID_RSA_PSS, "SHA256", digest);
    expect_refused(ec, &tbs, DEVID_ERR_USAGE,
                   "an RSA signature asked of an EC key");
    tbs = tbs_of(DEVID_ECDSA, "SHA256", digest);
    expect_refused(rsa, &tbs, DEVID_ERR_USAGE,
                   "an ECDSA signature asked of an RSA key");
    tbs.digest_len = 31;
    expect_refused(ec, &tbs, DEVID_ERR_USAGE,
                   "a digest of 31 bytes is no SHA2-256 digest (32 bytes)");
    tbs.digest_len = 0;
    tbs.hash = NULL;
    expect_refused(ec, &tbs, DEVID_ERR_USAGE, "there is nothing to sign");
    tbs = tbs_of(DEVID_RSA_PSS, "SHA256", digest);
    tbs.hash = NULL;
    expect_refused(rsa, &tbs, DEVID_ERR_USAGE, "needs the name of its hash");
    devid_key_free(&rsa);
    devid_key_free(&ec);
}

static void what_a_key_may_not_do_is_refused_before_the_device(void **state)
{
    static const struct {
        struct devid_key_limits limits;
        enum devid_err code;
        const char *sentence;
    } rows[] = {
        {{.sign = true, .restricted = true},
         DEVID_ERR_ALG,
         "this is a restricted key"},
        {{.sign = false}, DEVID_ERR_ALG, "this key has no sign attribute"},
        {{.sign = true, .needs_auth = true},
         DEVID_ERR_AUTH,
         "this key needs its auth value, and none was given"},
        {{.sign = true, .has_policy = true},
         DEVID_ERR_ALG,
         "this key is bound to a policy"},
    };
    uint8_t digest[64];
    struct devid_tbs tbs = tbs_of(DEVID_ECDSA, "SHA256", digest);
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        struct devid_key *key;
        struct devid_key_info info;

        fake_set_limits(&rows[i].limits);
        key = new_key("ec-p256");
        expect_refused(key, &tbs, rows[i].code, rows[i].sentence);
        devid_key_info(key, &info);
        assert_int_equal(info.restricted, rows[i].limits.restricted);
        assert_int_equal(info.has_policy, rows[i].limits.has_policy);
        devid_key_free(&key);
    }
}

static void a_devices_answer_reaches_the_caller_unchanged(void **state)
{
    static const struct {
        enum devid_err code;
        uint32_t device_rc;
        const char *text;
    } rows[] = {
        {DEVID_ERR_LOCKED, 0x921, "the TPM is locked for ten minutes"},
        {DEVID_ERR_NO_DEVICE, 0xa000a, "no TPM at device:/dev/tpmrm0"},
        {DEVID_ERR_BUSY, 0x902, "no room in the TPM"},
    };
    struct devid_key *key = new_key("ec-p256");
    uint8_t digest[64];
    struct devid_tbs tbs = tbs_of(DEVID_ECDSA, "SHA256", digest);
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        struct devid_sig sig = {.len = 77};
        struct devid_error err = {0};

        fake_fail_next(rows[i].code, rows[i].device_rc, rows[i].text);
        assert_int_equal(devid_key_sign(key, &tbs, &sig, &err), rows[i].code);
        assert_int_equal(err.device_rc, rows[i].device_rc);
        assert_string_equal(err.text, rows[i].text);
        assert_int_equal(sig.len, 0);
    }
    devid_key_free(&key);
}

static void
a_failure_without_an_error_to_write_to_is_a_failure_still(void **state)
{
    struct devid_key *key = new_key("ec-p256");
    uint8_t digest[64];
    struct devid_tbs tbs = tbs_of(DEVID_RSA_PSS, "SHA256", digest);
    struct devid_sig sig;

    (void)state;
    assert_int_equal(devid_key_sign(key, &tbs, &sig, NULL), DEVID_ERR_USAGE);
    devid_key_free(&key);
}

static void references_are_counted(void **state)
{
    struct devid_key *key = new_key("ec-p256");
    struct devid_key *second = devid_key_up_ref(key);
    uint8_t digest[64];
    struct devid_tbs tbs = tbs_of(DEVID_ECDSA, "SHA256", digest);
    struct devid_sig sig;
    struct devid_error err = {0};

    (void)state;
    devid_key_free(&key);
    assert_null(key);
    devid_key_free(&key);
    assert_int_equal(fake_calls().key_free, 0);

    /* A key holds its engine. */
    devid_free(&engine);
    assert_int_equal(fake_calls().close, 0);
    assert_int_equal(devid_key_sign(second, &tbs, &sig, &err), DEVID_OK);
    devid_key_free(&second);
    assert_int_equal(fake_calls().key_free, 1);
    assert_int_equal(fake_calls().open, 1);
    assert_int_equal(fake_calls().close, 1);
}

static void a_key_at_a_uri_is_found_by_one_call(void **state)
{
    const struct devid_key_spec spec = {.algorithm = "ec-p256",
                                        .persist = "0x81000010"};
    struct devid_key *key = NULL;
    struct devid_key *found = NULL;
    struct devid_key_info info;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(devid_key_create(engine, &spec, &key, &err), DEVID_OK);
    assert_int_equal(devid_key_open(engine, "handle:0x81000010", &found, &err),
                     DEVID_OK);
    assert_int_equal(fake_calls().key_find, 1);
    assert_true(
        devid_public_equal(devid_key_public(key), devid_key_public(found)));
    devid_key_info(found, &info);
    assert_string_equal(info.format, "DEVID KEY REFERENCE");
    assert_string_equal(info.uri, "tpm2:handle=0x81000010");
    devid_key_free(&found);
    devid_key_free(&key);

    assert_int_equal(
        devid_key_open(engine, "tpm2:handle=0x81000011", &found, &err),
        DEVID_ERR_NOT_FOUND);
    assert_int_equal(err.device_rc, 0x18b);
    assert_null(found);
}

static void bad_key_files_give_no_key(void **state)
{
    static const struct {
        const char *name;
        enum devid_err code;
        const char *sentence;
    } rows[] = {
        {"/no/such/file.pem", DEVID_ERR_NOT_FOUND,
         "'/no/such/file.pem': No such file or directory"},
        {TEST_DATA "/tss2", DEVID_ERR_SYSTEM, "Is a directory"},
        {TEST_DATA "/tss2/no-private.pem", DEVID_ERR_INPUT,
         "/tss2/no-private.pem: the TSS2 PRIVATE KEY is cut short"},
        {TEST_DATA "/tss2/sealed.pem", DEVID_ERR_ALG, "sealed data"},
        {"/dev/null", DEVID_ERR_INPUT, "/dev/null: the key file is empty"},
        {"/dev/zero", DEVID_ERR_INPUT, "larger than 65536 bytes"},
        {"tpm2:handle=5", DEVID_ERR_INPUT, "'5' is no handle"},
        {"tpm2:nv=0x01c90200", DEVID_ERR_INPUT, "names no key"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        struct devid_error err = {0};
        struct devid_key *key = NULL;

        assert_int_equal(devid_key_open(engine, rows[i].name, &key, &err),
                         rows[i].code);
        expect_text(&err, rows[i].sentence);
        assert_null(key);
    }
    assert_int_equal(fake_calls().key_find, 0);
}

static void somebody_elses_der_is_told_from_a_broken_one_of_ours(void **state)
{
    static const uint8_t other[] = {0x30, 0x03, 0x02, 0x01, 0x00};
    struct devid_key *key = new_key("ec-p256");
    struct devid_key *none = NULL;
    struct devid_error err = {0};
    bool recognised = true;
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(devid_key_from_der(engine, other, sizeof(other),
                                        &recognised, &none, &err),
                     DEVID_ERR_INPUT);
    assert_false(recognised);
    assert_int_equal(devid_key_to_der(key, &der, &len, &err), DEVID_OK);
    assert_int_equal(
        devid_key_from_der(engine, der, len - 1, &recognised, &none, &err),
        DEVID_ERR_INPUT);
    assert_true(recognised);
    assert_null(none);
    OPENSSL_free(der);
    devid_key_free(&key);
}

struct job {
    struct devid_key *key;
    enum devid_err result;
};

static void *sign_often(void *arg)
{
    struct job *job = arg;
    uint8_t digest[64];
    struct devid_tbs tbs = tbs_of(DEVID_ECDSA, "SHA256", digest);
    struct devid_sig sig;
    int i;

    for (i = 0; i < 20 && job->result == DEVID_OK; i++)
        job->result = devid_key_sign(job->key, &tbs, &sig, NULL);
    devid_key_free(&job->key);
    return NULL;
}

static void threads_share_a_key(void **state)
{
    struct devid_key *key = new_key("ec-p256");
    pthread_t threads[THREADS];
    struct job jobs[THREADS];
    size_t i;

    (void)state;
    for (i = 0; i < THREADS; i++) {
        jobs[i].key = devid_key_up_ref(key);
        jobs[i].result = DEVID_OK;
        assert_int_equal(
            pthread_create(&threads[i], NULL, sign_often, &jobs[i]), 0);
    }
    devid_key_free(&key);
    for (i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(jobs[i].result, DEVID_OK);
    }
    assert_int_equal(fake_calls().sign, THREADS * 20);
    assert_int_equal(fake_calls().key_free, 1);
}

static void a_child_uses_its_parents_key(void **state)
{
    struct devid_key *key = new_key("ec-p256");
    uint8_t digest[64];
    struct devid_tbs tbs = tbs_of(DEVID_ECDSA, "SHA256", digest);
    struct devid_sig sig;
    int status = -1;
    pid_t child = fork();

    (void)state;
    assert_true(child >= 0);
    if (child == 0)
        _exit(devid_key_sign(key, &tbs, &sig, NULL) == DEVID_OK ? 0 : 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(devid_key_sign(key, &tbs, &sig, NULL), DEVID_OK);
    devid_key_free(&key);
}

static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    TEST(opening_and_describing_a_key_asks_the_device_nothing),
    TEST(a_signature_costs_one_call_and_verifies),
    TEST(what_makes_no_sense_is_refused_before_the_device),
    TEST(what_a_key_may_not_do_is_refused_before_the_device),
    TEST(a_devices_answer_reaches_the_caller_unchanged),
    TEST(a_failure_without_an_error_to_write_to_is_a_failure_still),
    TEST(references_are_counted),
    TEST(a_key_at_a_uri_is_found_by_one_call),
    TEST(bad_key_files_give_no_key),
    TEST(somebody_elses_der_is_told_from_a_broken_one_of_ours),
    TEST(threads_share_a_key),
    TEST(a_child_uses_its_parents_key),
#undef TEST
};

int main(void)
{
    return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
