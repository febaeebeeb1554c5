/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS in one process, both sides with a key, over P-256: what libssl asks of a
 * key in a device, and that it does not lose the group over it.
 */
#include "program.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string.h>

struct identity {
    EVP_PKEY *pkey;
    X509 *cert;
};

static struct identity identity(OSSL_LIB_CTX *ctx, EVP_PKEY *pkey)
{
    struct identity id = {.pkey = pkey, .cert = X509_new_ex(ctx, NULL)};
    X509_NAME *name = X509_NAME_new();

    assert_non_null(id.cert);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                (const unsigned char *)"unit",
                                                -1, -1, 0),
                     1);
    assert_int_equal(X509_set_version(id.cert, 2), 1);
    assert_int_equal(X509_set_subject_name(id.cert, name), 1);
    assert_int_equal(X509_set_issuer_name(id.cert, name), 1);
    assert_int_equal(X509_set_pubkey(id.cert, pkey), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(id.cert), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(id.cert), 3600));
    assert_true(
        X509_sign(id.cert, pkey,
                  EVP_PKEY_is_a(pkey, "ED25519") ? NULL : EVP_sha256()) > 0);
    X509_NAME_free(name);
    return id;
}

static void identity_free(struct identity *id)
{
    EVP_PKEY_free(id->pkey);
    X509_free(id->cert);
}

static SSL *side(OSSL_LIB_CTX *ctx, const SSL_METHOD *method, int version,
                 const struct identity *own, const struct identity *peer)
{
    char groups[] = "P-256:P-384"; /* the macro casts const away */
    SSL_CTX *ssl_ctx = SSL_CTX_new_ex(ctx, NULL, method);
    SSL *ssl;

    assert_non_null(ssl_ctx);
    assert_int_equal(SSL_CTX_set_min_proto_version(ssl_ctx, version), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(ssl_ctx, version), 1);
    /* TLS 1.2 takes certificates on the groups of this list alone. */
    assert_int_equal(SSL_CTX_set1_groups_list(ssl_ctx, groups), 1);
    assert_int_equal(SSL_CTX_use_certificate(ssl_ctx, own->cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ssl_ctx, own->pkey), 1);
    assert_int_equal(SSL_CTX_check_private_key(ssl_ctx), 1);
    assert_int_equal(
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl_ctx), peer->cert), 1);
    SSL_CTX_set_verify(ssl_ctx,
                       SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    ssl = SSL_new(ssl_ctx);
    assert_non_null(ssl);
    SSL_CTX_free(ssl_ctx);
    expect_no_error();
    return ssl;
}

static void handshake(OSSL_LIB_CTX *ctx, int version, const struct identity *s,
                      const struct identity *c)
{
    SSL *server = side(ctx, TLS_server_method(), version, s, c);
    SSL *client = side(ctx, TLS_client_method(), version, c, s);
    BIO *to_server = NULL;
    BIO *to_client = NULL;

    assert_int_equal(BIO_new_bio_pair(&to_server, 0, &to_client, 0), 1);
    SSL_set_bio(server, to_server, to_server);
    SSL_set_bio(client, to_client, to_client);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    for (int i = 0; i < 10; i++) {
        (void)SSL_do_handshake(client);
        (void)SSL_do_handshake(server);
    }
    assert_true(SSL_is_init_finished(server) && SSL_is_init_finished(client));
    assert_int_equal(SSL_get_negotiated_group(client), NID_X9_62_prime256v1);
    assert_int_equal(SSL_get_verify_result(server), X509_V_OK);
    assert_int_equal(SSL_get_verify_result(client), X509_V_OK);
    expect_no_error();
    SSL_free(server);
    SSL_free(client);
}

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void both_sides_shake_hands(struct program *program,
                                   const struct identity *s,
                                   const struct identity *c, unsigned signs)
{
    for (size_t i = 0; i < COUNT(versions); i++) {
        unsigned before = fake_calls().sign;

        handshake(program->ctx, versions[i], s, c);
        assert_int_equal(fake_calls().sign - before, signs);
    }
}

static void two_hardware_keys_cost_a_signature_each(void **state)
{
    static const char *const types[] = {"EC", "EC", "RSA", "RSA-PSS",
                                        "ED25519"};
    static const char *const sizes[] = {"P-256", "P-384", "2048", "2048", NULL};
    struct program *program = *state;

    for (size_t i = 0; i < COUNT(types); i++) {
        struct identity s = identity(
            program->ctx, device_key(program->ctx, types[i], sizes[i], NULL));
        struct identity c = identity(
            program->ctx, device_key(program->ctx, types[i], sizes[i], NULL));

        both_sides_shake_hands(program, &s, &c, 2);
        identity_free(&s);
        identity_free(&c);
    }
}

static void an_ordinary_client_meets_a_hardware_server(void **state)
{
    struct program *program = *state;
    struct identity s = identity(
        program->ctx, device_key(program->ctx, "EC", "P-256", "0x81000010"));
    struct identity c =
        identity(program->ctx, ordinary_key(program->ctx, "RSA", "2048"));

    both_sides_shake_hands(program, &s, &c, 1);
    both_sides_shake_hands(program, &c, &s, 1);
    identity_free(&s);
    identity_free(&c);
}

static void two_ordinary_keys_cost_the_device_nothing(void **state)
{
    struct program *program = *state;
    struct identity s =
        identity(program->ctx, ordinary_key(program->ctx, "EC", "P-256"));
    struct identity c =
        identity(program->ctx, ordinary_key(program->ctx, "RSA", "2048"));

    both_sides_shake_hands(program, &s, &c, 0);
    identity_free(&s);
    identity_free(&c);
}

static void a_device_that_fails_fails_the_handshake(void **state)
{
    struct program *program = *state;
    struct identity s =
        identity(program->ctx, device_key(program->ctx, "EC", "P-256", NULL));
    SSL *server =
        side(program->ctx, TLS_server_method(), TLS1_3_VERSION, &s, &s);
    SSL *client =
        side(program->ctx, TLS_client_method(), TLS1_3_VERSION, &s, &s);
    BIO *to_server = NULL;
    BIO *to_client = NULL;

    assert_int_equal(BIO_new_bio_pair(&to_server, 0, &to_client, 0), 1);
    SSL_set_bio(server, to_server, to_server);
    SSL_set_bio(client, to_client, to_client);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    fake_fail_next(DEVID_ERR_NO_DEVICE, 0, "the device is on holiday");
    (void)SSL_do_handshake(client);
    assert_int_not_equal(SSL_do_handshake(server), 1);
    expect_error("the device is on holiday");
    SSL_free(server);
    SSL_free(client);
    identity_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_BOTH_ORDERS(two_hardware_keys_cost_a_signature_each),
        IN_BOTH_ORDERS(an_ordinary_client_meets_a_hardware_server),
        IN_BOTH_ORDERS(two_ordinary_keys_cost_the_device_nothing),
        IN_BOTH_ORDERS(a_device_that_fails_fails_the_handshake),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
