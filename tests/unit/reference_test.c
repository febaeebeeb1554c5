/* SPDX-License-Identifier: Apache-2.0 */
/* DEVID KEY REFERENCE, and what is no key file at all. */
#include "support.h"

#include "keyfile.h"

#include <openssl/asn1t.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <string.h>

#define URI "tpm2:handle=0x81020000"

static void make_reference(const char *algorithm, struct devid_keyfile *file,
                           uint8_t **der, size_t *len)
{
    EVP_PKEY *pkey = software_key(algorithm);
    struct devid_error err = {0};

    memset(file, 0, sizeof(*file));
    file->format = DEVID_KEYFILE_REFERENCE;
    file->uri = OPENSSL_strdup(URI);
    file->has_public = true;
    software_public(pkey, &file->public_key);
    EVP_PKEY_free(pkey);
    assert_int_equal(devid_keyfile_encode(file, der, len, &err), DEVID_OK);
}

static void a_reference_reads_as_it_was_written(void **state)
{
    static const char *const algorithms[] = {"ec-p256", "ec-p521", "rsa-2048",
                                             "rsa-4096"};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(algorithms); i++) {
        struct devid_keyfile file;
        struct devid_keyfile again;
        struct devid_error err = {0};
        bool recognised = false;
        uint8_t *der = NULL;
        uint8_t *twice = NULL;
        size_t len = 0;
        size_t twice_len = 0;

        make_reference(algorithms[i], &file, &der, &len);
        assert_int_equal(
            devid_keyfile_parse(der, len, &recognised, &again, &err), DEVID_OK);
        assert_true(recognised);
        assert_int_equal(again.format, DEVID_KEYFILE_REFERENCE);
        assert_string_equal(again.uri, URI);
        assert_true(again.has_public);
        assert_true(devid_public_equal(&again.public_key, &file.public_key));
        assert_int_equal(devid_keyfile_encode(&again, &twice, &twice_len, &err),
                         DEVID_OK);
        assert_int_equal(twice_len, len);
        assert_memory_equal(twice, der, len);
        assert_null(again.description);
        OPENSSL_free(twice);
        OPENSSL_free(der);
        devid_keyfile_clear(&again);
        devid_keyfile_clear(&file);
    }
}

static void a_reference_keeps_its_description(void **state)
{
    struct devid_keyfile file;
    struct devid_keyfile again;
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    make_reference("ec-p256", &file, &der, &len);
    OPENSSL_free(der);
    file.description = OPENSSL_strdup("of the first batch");
    assert_int_equal(devid_keyfile_encode(&file, &der, &len, &err), DEVID_OK);
    assert_int_equal(devid_keyfile_parse(der, len, NULL, &again, &err),
                     DEVID_OK);
    assert_string_equal(again.description, "of the first batch");
    assert_string_equal(again.uri, URI);
    devid_keyfile_clear(&again);
    /* Its last byte becomes a NUL. */
    der[len - 1] = 0;
    assert_int_equal(devid_keyfile_parse(der, len, NULL, &again, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "description holds a NUL");
    OPENSSL_free(der);
    devid_keyfile_clear(&file);
}

static void a_reference_goes_through_pem(void **state)
{
    struct devid_keyfile file;
    struct devid_error err = {0};
    uint8_t *der = NULL;
    uint8_t *again = NULL;
    char *pem = NULL;
    size_t len = 0;
    size_t again_len = 0;
    size_t pem_len = 0;

    (void)state;
    make_reference("ec-p384", &file, &der, &len);
    assert_int_equal(devid_keyfile_to_pem(&file, &pem, &pem_len, &err),
                     DEVID_OK);
    assert_int_equal(strncmp(pem, "-----BEGIN DEVID KEY REFERENCE-----\n", 36),
                     0);
    assert_int_equal(
        devid_keyfile_unpem(pem, pem_len, &again, &again_len, &err), DEVID_OK);
    assert_int_equal(again_len, len);
    assert_memory_equal(again, der, len);
    OPENSSL_free(again);
    OPENSSL_free(pem);
    OPENSSL_free(der);
    devid_keyfile_clear(&file);
}

static void a_reference_without_its_parts_is_not_written(void **state)
{
    struct devid_keyfile file = {.format = DEVID_KEYFILE_REFERENCE};
    struct devid_error err = {0};
    char uri[] = URI;
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(devid_keyfile_encode(&file, &der, &len, &err),
                     DEVID_ERR_USAGE);
    file.uri = uri;
    assert_int_equal(devid_keyfile_encode(&file, &der, &len, &err),
                     DEVID_ERR_USAGE);
    expect_text(&err, "needs a URI and a public key");
    assert_null(der);
    assert_int_equal(len, 0);
}

static void a_reference_cut_anywhere_is_refused(void **state)
{
    struct devid_keyfile file;
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t whole = 0;
    size_t len;

    (void)state;
    make_reference("ec-p256", &file, &der, &whole);
    for (len = 0; len < whole; len++) {
        struct devid_keyfile cut;
        bool recognised = false;
        /* header, version INTEGER, tag and length of the URI, the URI */
        bool has_uri = len >= 2 + 3 + 2 + strlen(URI);

        assert_int_equal(devid_keyfile_parse(der, len, &recognised, &cut, &err),
                         DEVID_ERR_INPUT);
        assert_int_equal(recognised, has_uri);
        expect_text(&err, has_uri ? "the DEVID KEY REFERENCE is cut short"
                                  : "neither a TSS2 PRIVATE KEY");
    }
    OPENSSL_free(der);
    devid_keyfile_clear(&file);
}

/* Change one byte of a good reference and parse it. */
static enum devid_err parse_changed(size_t at, uint8_t byte, bool *recognised,
                                    struct devid_error *err)
{
    struct devid_keyfile file;
    struct devid_keyfile changed;
    uint8_t *der = NULL;
    size_t len = 0;
    enum devid_err e;

    make_reference("ec-p256", &file, &der, &len);
    assert_true(at < len);
    der[at] = byte;
    e = devid_keyfile_parse(der, len, recognised, &changed, err);
    OPENSSL_free(der);
    devid_keyfile_clear(&changed);
    devid_keyfile_clear(&file);
    return e;
}

static void a_reference_of_a_newer_version_is_named(void **state)
{
    struct devid_error err = {0};
    bool recognised = false;

    (void)state;
    assert_int_equal(parse_changed(4, 2, &recognised, &err), DEVID_ERR_INPUT);
    assert_true(recognised);
    expect_text(&err, "is of version 2; this devid reads version 1");
}

static void a_uri_of_somebody_else_is_not_recognised(void **state)
{
    struct devid_error err = {0};
    bool recognised = true;

    (void)state;
    assert_int_equal(parse_changed(7, 'x', &recognised, &err), DEVID_ERR_INPUT);
    assert_false(recognised);
    recognised = true;
    /* A NUL inside the URI */
    assert_int_equal(parse_changed(9, 0, &recognised, &err), DEVID_ERR_INPUT);
    assert_false(recognised);
}

static void a_key_of_a_curve_we_do_not_know_is_named(void **state)
{
    struct devid_error err = {0};
    bool recognised = false;
    /* The last byte of prime256v1's OID: header 2, version 3, URI 24, SPKI 2,
     * algorithm 2, id-ecPublicKey 9, tag and length 2, eighth byte. */
    size_t at = 2 + 3 + 2 + strlen(URI) + 2 + 2 + 9 + 2 + 7;

    (void)state;
    assert_int_equal(parse_changed(at, 1, &recognised, &err), DEVID_ERR_ALG);
    assert_true(recognised);
    expect_text(&err, "on curve prime192v1; devid knows P-256");
}

static void other_files_are_not_recognised(void **state)
{
    EVP_PKEY *pkey = software_key("ec-p256");
    struct devid_keyfile file;
    struct devid_error err = {0};
    static const uint8_t junk[][8] = {
        {0x30, 0x80, 0, 0},
        {0x30, 0x00},
        {0x31, 0x03, 0x02, 0x01, 0x01},
        {0x30, 0x06, 0x02, 0x01, 0x01, 0x0c, 0x01, 't'},
        {0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x06, 0x01},
        {0xff, 0xff, 0xff},
    };
    uint8_t *der = NULL;
    bool recognised = true;
    int len;
    size_t i;

    (void)state;
    len = i2d_PrivateKey(pkey, &der);
    assert_true(len > 0);
    assert_int_equal(
        devid_keyfile_parse(der, (size_t)len, &recognised, &file, &err),
        DEVID_ERR_INPUT);
    assert_false(recognised);
    expect_text(&err, "this is neither a TSS2 PRIVATE KEY nor a DEVID KEY "
                      "REFERENCE");
    OPENSSL_free(der);
    EVP_PKEY_free(pkey);
    for (i = 0; i < COUNT(junk); i++) {
        recognised = true;
        assert_int_equal(devid_keyfile_parse(junk[i], sizeof(junk[i]),
                                             &recognised, &file, &err),
                         DEVID_ERR_INPUT);
        assert_false(recognised);
    }
}

static void too_large_a_file_is_refused_unread(void **state)
{
    static const uint8_t large[DEVID_KEYFILE_MAX + 1];
    struct devid_keyfile file;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(
        devid_keyfile_parse(large, sizeof(large), NULL, &file, &err),
        DEVID_ERR_INPUT);
    expect_text(&err, "65537 bytes are too many for a key file");
}

/* ---- pkcs11-provider's ----------------------------------------------- */

#define PEER_MARK "PKCS#11 Provider URI v1.0"
#define PEER_URI_TEXT "pkcs11:token=factory;object=unit"

/* SEQUENCE { VisibleString, UTF8String }, all of it shorter than 128 bytes. */
static size_t make_peer(const char *mark, const char *uri, uint8_t der[128])
{
    int len = snprintf((char *)der, 128, "%c%c%c%c%s%c%c%s",
                       V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED,
                       (int)(4 + strlen(mark) + strlen(uri)),
                       V_ASN1_VISIBLESTRING, (int)strlen(mark), mark,
                       V_ASN1_UTF8STRING, (int)strlen(uri), uri);

    assert_true(len >= 1 && len <= 127);
    return (size_t)len;
}

static void a_peers_uri_is_a_reference_without_a_public_key(void **state)
{
    uint8_t der[128];
    size_t len = make_peer(PEER_MARK, PEER_URI_TEXT, der);
    struct devid_keyfile file;
    struct devid_error err = {0};
    bool recognised = false;
    uint8_t *again = NULL;
    size_t again_len = 0;

    (void)state;
    assert_true(devid_pem_label_is_key("PKCS#11 PROVIDER URI"));
    assert_int_equal(devid_keyfile_parse(der, len, &recognised, &file, &err),
                     DEVID_OK);
    assert_true(recognised);
    assert_int_equal(file.format, DEVID_KEYFILE_REFERENCE);
    assert_string_equal(file.uri, PEER_URI_TEXT);
    assert_false(file.has_public);
    /* Until the token has told its public key there is nothing to write. */
    assert_int_equal(devid_keyfile_encode(&file, &again, &again_len, &err),
                     DEVID_ERR_USAGE);
    expect_text(&err, "needs a URI and a public key");
    devid_keyfile_clear(&file);
}

static void a_peers_uri_cut_anywhere_is_refused(void **state)
{
    uint8_t der[128];
    size_t len = make_peer(PEER_MARK, PEER_URI_TEXT, der);
    struct devid_keyfile file;

    (void)state;
    for (size_t i = 0; i < len; i++) {
        struct devid_error err = {0};
        bool recognised = false;

        assert_int_equal(devid_keyfile_parse(der, i, &recognised, &file, &err),
                         DEVID_ERR_INPUT);
        /* The whole mark is there: it says what the rest was to be. */
        assert_int_equal(recognised, i >= 4 + strlen(PEER_MARK));
        if (recognised)
            expect_text(&err, "the PKCS#11 PROVIDER URI is cut short");
    }
}

static void a_peers_uri_of_another_scheme_is_refused(void **state)
{
    uint8_t der[128];
    size_t len = make_peer(PEER_MARK, "https://x", der);
    struct devid_keyfile file;
    struct devid_error err = {0};
    bool recognised = false;

    (void)state;
    assert_int_equal(devid_keyfile_parse(der, len, &recognised, &file, &err),
                     DEVID_ERR_INPUT);
    assert_true(recognised);
    expect_text(&err, "holds no URI of PKCS#11");
    len = make_peer("Somebody's URI", PEER_URI_TEXT, der);
    assert_int_equal(devid_keyfile_parse(der, len, &recognised, &file, &err),
                     DEVID_ERR_INPUT);
    assert_false(recognised);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reference_reads_as_it_was_written),
        cmocka_unit_test(a_reference_keeps_its_description),
        cmocka_unit_test(a_reference_goes_through_pem),
        cmocka_unit_test(a_reference_without_its_parts_is_not_written),
        cmocka_unit_test(a_reference_cut_anywhere_is_refused),
        cmocka_unit_test(a_reference_of_a_newer_version_is_named),
        cmocka_unit_test(a_uri_of_somebody_else_is_not_recognised),
        cmocka_unit_test(a_key_of_a_curve_we_do_not_know_is_named),
        cmocka_unit_test(other_files_are_not_recognised),
        cmocka_unit_test(too_large_a_file_is_refused_unread),
        cmocka_unit_test(a_peers_uri_is_a_reference_without_a_public_key),
        cmocka_unit_test(a_peers_uri_cut_anywhere_is_refused),
        cmocka_unit_test(a_peers_uri_of_another_scheme_is_refused),
    };

    return cmocka_run_group_tests_name("reference", tests, NULL, NULL);
}
