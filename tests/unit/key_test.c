/* SPDX-License-Identifier: Apache-2.0 */
/* Signing with a key: what key.c promises, over the fake. */
#include "fake_engine.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEXT "to be signed"
#define THREADS 8

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
                   "an RSA PKCS#1 signature asked of an EC key, which signs "
                   "ECDSA alone");
    tbs = tbs_of(DEVID_RSA_PSS, "SHA256", digest);
    expect_refused(ec, &tbs, DEVID_ERR_USAGE,
                   "an RSA-PSS signature asked of an EC key");
    tbs = tbs_of(DEVID_ECDSA, "SHA256", digest);
    expect_refused(rsa, &tbs, DEVID_ERR_USAGE,
                   "an ECDSA signature asked of an RSA key, which signs RSA "
                   "PKCS#1 and RSA-PSS");
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

static void an_rsa_pss_key_signs_pss_alone(void **state)
{
    struct devid_key *bound = new_key("rsa-pss-2048");
    struct devid_key *free_one = new_key("rsa-pss-3072");
    uint8_t digest[64];
    struct devid_tbs tbs = tbs_of(DEVID_RSA_PKCS1, "SHA256", digest);

    (void)state;
    expect_refused(free_one, &tbs, DEVID_ERR_USAGE,
                   "an RSA PKCS#1 signature asked of an RSA-PSS key, which "
                   "signs RSA-PSS alone");
    tbs.hash = NULL; /* raw: padded as it is */
    expect_refused(bound, &tbs, DEVID_ERR_USAGE, "which signs RSA-PSS alone");
    tbs = tbs_of(DEVID_RSA_PSS, "SHA384", digest);
    expect_refused(bound, &tbs, DEVID_ERR_ALG,
                   "bound to the hash SHA2-256, for MGF1 too");
    tbs = tbs_of(DEVID_RSA_PSS, "SHA256", digest);
    tbs.mgf1 = devid_hash_by_name("SHA1");
    tbs.salt_len = 32;
    expect_refused(bound, &tbs, DEVID_ERR_ALG, "for MGF1 too");
    tbs.mgf1 = NULL;
    tbs.salt_len = 31;
    expect_refused(bound, &tbs, DEVID_ERR_ALG,
                   "bound to salts of 32 bytes at least, and 31 are asked for");
    devid_key_free(&free_one);
    devid_key_free(&bound);
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

static void a_wrong_signature_never_leaves_where_it_matters(void **state)
{
    static const struct {
        const char *algorithm;
        enum devid_scheme scheme;
        bool doubtful;
        const char *setting;
        bool checked;
    } rows[] = {
        {"rsa-2048", DEVID_RSA_PKCS1, false, "auto", true},
        {"rsa-2048", DEVID_RSA_PSS, false, "auto", true},
        {"rsa-pss-2048", DEVID_RSA_PSS, false, "auto", true},
        {"ec-p256", DEVID_ECDSA, true, "auto", true},
        {"ec-p256", DEVID_ECDSA, false, "always", true},
        {"ec-p256", DEVID_ECDSA, false, "auto", false},
    };
    struct devid_error err = {0};
    uint8_t digest[64];
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        struct devid_tbs tbs = tbs_of(rows[i].scheme, "SHA256", digest);
        struct devid_sig sig;
        struct devid_key *key;

        assert_int_equal(
            devid_set(engine, "check-signatures", rows[i].setting, &err),
            DEVID_OK);
        key = new_key(rows[i].algorithm);
        unsigned before = fake_calls().sign;
        fake_spoil(1, rows[i].doubtful);
        assert_int_equal(devid_key_sign(key, &tbs, &sig, &err), DEVID_OK);
        assert_int_equal(devid_verify(devid_key_public(key), NULL, &tbs, &sig,
                                      NULL) == DEVID_OK,
                         rows[i].checked);
        assert_int_equal(fake_calls().sign - before, rows[i].checked ? 2 : 1);
        fake_spoil(2, rows[i].doubtful);
        if (rows[i].checked) {
            assert_int_equal(devid_key_sign(key, &tbs, &sig, &err),
                             DEVID_ERR_WRONG_KEY);
            expect_text(&err, "signed twice, and neither signature fits");
            assert_int_equal(sig.len, 0);
        }
        fake_spoil(0, false);
        devid_key_free(&key);
    }
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
    FAKE_TEST(a_signature_costs_one_call_and_verifies),
    FAKE_TEST(what_makes_no_sense_is_refused_before_the_device),
    FAKE_TEST(an_rsa_pss_key_signs_pss_alone),
    FAKE_TEST(what_a_key_may_not_do_is_refused_before_the_device),
    FAKE_TEST(a_devices_answer_reaches_the_caller_unchanged),
    FAKE_TEST(a_wrong_signature_never_leaves_where_it_matters),
    FAKE_TEST(a_failure_without_an_error_to_write_to_is_a_failure_still),
    FAKE_TEST(references_are_counted),
    FAKE_TEST(threads_share_a_key),
    FAKE_TEST(a_child_uses_its_parents_key),
};

int main(void)
{
    return cmocka_run_group_tests_name("key", tests, NULL, NULL);
}
