/* SPDX-License-Identifier: Apache-2.0 */
/* OSSL_STORE: what a URI names, and what a device holds. */
#include "program.h"

#include <openssl/err.h>
#include <openssl/store.h>
#include <openssl/x509.h>

#include <string.h>

#define KEY_URI "tpm2:handle=0x81000010"
#define CERT_URI "tpm2:nv=0x01c90200"

static OSSL_STORE_CTX *open_store(OSSL_LIB_CTX *ctx, const char *uri,
                                  int expect)
{
    OSSL_STORE_CTX *store =
        OSSL_STORE_open_ex(uri, ctx, NULL, NULL, NULL, NULL, NULL, NULL);

    assert_non_null(store);
    if (expect != 0)
        assert_int_equal(OSSL_STORE_expect(store, expect), 1);
    return store;
}

/* The only object at a URI; NULL where there is none. */
static OSSL_STORE_INFO *load_only(OSSL_LIB_CTX *ctx, const char *uri,
                                  int expect)
{
    OSSL_STORE_CTX *store = open_store(ctx, uri, expect);
    OSSL_STORE_INFO *info = NULL;

    while (info == NULL && !OSSL_STORE_eof(store))
        info = OSSL_STORE_load(store);
    assert_true(OSSL_STORE_eof(store));
    OSSL_STORE_close(store);
    return info;
}

static void a_uri_gives_the_key(void **state)
{
    static const char *const uris[] = {KEY_URI, "handle:0x81000010"};
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", "0x81000010");

    for (size_t i = 0; i < COUNT(uris); i++) {
        OSSL_STORE_INFO *info = load_only(program->ctx, uris[i], 0);
        unsigned char *sig = NULL;
        size_t len = 0;
        EVP_PKEY *found;

        assert_non_null(info);
        assert_int_equal(OSSL_STORE_INFO_get_type(info), OSSL_STORE_INFO_PKEY);
        found = OSSL_STORE_INFO_get0_PKEY(info);
        assert_string_equal(offered_by(found), "devid");
        assert_int_equal(EVP_PKEY_eq(found, pkey), 1);
        sign_message(program->ctx, found, "SHA256", &sig, &len);
        OPENSSL_free(sig);
        OSSL_STORE_INFO_free(info);
    }
    EVP_PKEY_free(pkey);
    expect_no_error();
}

static void the_public_key_alone_is_an_ordinary_one(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "RSA", "2048", "0x81000010");
    OSSL_STORE_INFO *info =
        load_only(program->ctx, KEY_URI, OSSL_STORE_INFO_PUBKEY);

    assert_non_null(info);
    assert_int_equal(OSSL_STORE_INFO_get_type(info), OSSL_STORE_INFO_PUBKEY);
    assert_string_equal(offered_by(OSSL_STORE_INFO_get0_PUBKEY(info)),
                        "default");
    assert_int_equal(EVP_PKEY_eq(OSSL_STORE_INFO_get0_PUBKEY(info), pkey), 1);
    OSSL_STORE_INFO_free(info);
    EVP_PKEY_free(pkey);
    expect_no_error();
}

static void put_certificate(OSSL_LIB_CTX *ctx)
{
    EVP_PKEY *pkey = ordinary_key(ctx, "EC", "P-256");
    X509 *x = X509_new_ex(ctx, NULL);
    unsigned char *der = NULL;
    int len;

    assert_int_equal(X509_set_pubkey(x, pkey), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 3600));
    assert_true(X509_sign(x, pkey, EVP_sha256()) > 0);
    len = i2d_X509(x, &der);
    assert_true(len > 0);
    fake_set_cert(der, (size_t)len);
    OPENSSL_free(der);
    X509_free(x);
    EVP_PKEY_free(pkey);
}

static void a_uri_gives_the_certificate(void **state)
{
    struct program *program = *state;
    OSSL_STORE_INFO *info;

    put_certificate(program->ctx);
    info = load_only(program->ctx, CERT_URI, OSSL_STORE_INFO_CERT);
    assert_non_null(info);
    assert_int_equal(OSSL_STORE_INFO_get_type(info), OSSL_STORE_INFO_CERT);
    OSSL_STORE_INFO_free(info);
    assert_int_equal(fake_calls().cert_read, 1);
    expect_no_error();
}

static void what_is_not_expected_is_not_asked_for(void **state)
{
    struct program *program = *state;
    EVP_PKEY *pkey = device_key(program->ctx, "EC", "P-256", "0x81000010");

    assert_null(load_only(program->ctx, KEY_URI, OSSL_STORE_INFO_CERT));
    assert_null(load_only(program->ctx, CERT_URI, OSSL_STORE_INFO_PKEY));
    assert_int_equal(fake_calls().key_find, 0);
    assert_int_equal(fake_calls().cert_read, 0);
    EVP_PKEY_free(pkey);
    expect_no_error();
}

static void a_device_lists_what_it_holds(void **state)
{
    struct program *program = *state;
    EVP_PKEY *a = device_key(program->ctx, "EC", "P-256", "0x81000010");
    EVP_PKEY *b = device_key(program->ctx, "EC", "P-384", "0x81000011");
    OSSL_STORE_CTX *store = open_store(program->ctx, "tpm2:", 0);
    bool found_a = false;
    bool found_b = false;

    while (!OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        const char *name;

        assert_non_null(info);
        name = OSSL_STORE_INFO_get0_NAME(info);
        found_a = found_a || strcmp(name, KEY_URI) == 0;
        found_b = found_b || strcmp(name, "tpm2:handle=0x81000011") == 0;
        assert_non_null(OSSL_STORE_INFO_get0_NAME_description(info));
        OSSL_STORE_INFO_free(info);
    }
    assert_true(found_a && found_b);
    assert_int_equal(fake_calls().list, 1);
    OSSL_STORE_close(store);
    EVP_PKEY_free(a);
    EVP_PKEY_free(b);
    /* OpenSSL 3.5 leaves an error of its own at each name in any store. */
    ERR_clear_error();
}

static void an_empty_device_lists_nothing(void **state)
{
    struct program *program = *state;

    assert_null(load_only(program->ctx, "tpm2:", 0));
    expect_no_error();
}

static void what_is_wrong_is_said_in_a_sentence(void **state)
{
    struct program *program = *state;

    assert_null(load_only(program->ctx, KEY_URI, 0));
    expect_error("0x81000010");
    assert_null(load_only(program->ctx, CERT_URI, 0));
    expect_error("0x01c90200");
    assert_null(load_only(program->ctx, "tpm2:handle=81000010", 0));
    expect_error("81000010");
    assert_null(load_only(program->ctx, "tpm2:handel=0x81000010", 0));
    expect_error("handel");
    fake_fail_next(DEVID_ERR_NO_DEVICE, 0, "the device is on holiday");
    assert_null(load_only(program->ctx, "tpm2:", 0));
    expect_error("the device is on holiday");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH_ORDERS(a_uri_gives_the_key),
        IN_BOTH_ORDERS(the_public_key_alone_is_an_ordinary_one),
        IN_BOTH_ORDERS(a_uri_gives_the_certificate),
        IN_BOTH_ORDERS(what_is_not_expected_is_not_asked_for),
        IN_BOTH_ORDERS(a_device_lists_what_it_holds),
        IN_BOTH_ORDERS(an_empty_device_lists_nothing),
        IN_BOTH_ORDERS(what_is_wrong_is_said_in_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
