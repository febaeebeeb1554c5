/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "keyfile.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OTHER                                                                  \
    "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"                        \
    "-----END EC PARAMETERS-----\n"
#define BROKEN                                                                 \
    "-----BEGIN CERTIFICATE-----\nnot base64 !!\n"                             \
    "-----END CERTIFICATE-----\n"

/* The DER of tss2/plain.pem, which each good text must give. */
static uint8_t *plain_der(size_t *len)
{
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t text_len = 0;
    char *text = read_fixture("tss2/plain.pem", &text_len);

    assert_int_equal(devid_keyfile_unpem(text, text_len, &der, len, &err),
                     DEVID_OK);
    free(text);
    return der;
}

/* Decode head + plain.pem + tail, with line ends of a kind. */
static void expect_plain(const char *head, const char *tail, bool crlf)
{
    struct devid_error err = {0};
    size_t want_len = 0;
    uint8_t *want = plain_der(&want_len);
    char text[8192];
    char crlf_text[8192];
    uint8_t *der = NULL;
    size_t len = 0;
    size_t n = 0;
    char *pem = read_fixture("tss2/plain.pem", &len);
    const char *p;

    (void)snprintf(text, sizeof(text), "%s%s%s", head, pem, tail);
    for (p = text; *p != '\0'; p++) {
        if (*p == '\n' && crlf)
            crlf_text[n++] = '\r';
        crlf_text[n++] = *p;
    }
    assert_int_equal(devid_keyfile_unpem(crlf_text, n, &der, &len, &err),
                     DEVID_OK);
    assert_int_equal(len, want_len);
    assert_memory_equal(der, want, len);
    OPENSSL_free(der);
    OPENSSL_free(want);
    free(pem);
}

static void our_block_is_found_among_others(void **state)
{
    (void)state;
    expect_plain("", "", false);
    expect_plain("Key of pump 7\n\n", "", false);
    expect_plain(OTHER, OTHER, false);
    expect_plain(BROKEN, "", false);
    expect_plain("# -----BEGIN TSS2 PRIVATE KEY----- is below\n", "", false);
    expect_plain("-----BEGIN nothing\n", "-----BEGIN", false);
}

static void windows_line_ends_are_read(void **state)
{
    (void)state;
    expect_plain("", "", true);
    expect_plain(OTHER, OTHER, true);
}

static void the_first_of_two_blocks_is_taken(void **state)
{
    size_t len = 0;
    char *auth = read_fixture("tss2/auth.pem", &len);

    (void)state;
    expect_plain("", auth, false);
    free(auth);
}

static void bad_texts_are_refused_with_line_or_label(void **state)
{
    static const struct {
        const char *text;
        const char *sentence;
    } rows[] = {
        {"", "the key file is empty"},
        {OTHER, "holds a PEM block 'EC PARAMETERS', but no 'TSS2 PRIVATE KEY' "
                "and no 'DEVID KEY REFERENCE'"},
        {BROKEN OTHER, "holds a PEM block 'CERTIFICATE', but no"},
        {"-----BEGIN TSS2 PRIVATE KEY-----\n",
         "the TSS2 PRIVATE KEY that begins at line 1 is cut short or garbled"},
        {OTHER "-----BEGIN TSS2 PRIVATE KEY-----\nMIGB\n",
         "the TSS2 PRIVATE KEY that begins at line 4 is cut short"},
        {"\n\n-----BEGIN DEVID KEY REFERENCE-----\n@@@@\n"
         "-----END DEVID KEY REFERENCE-----\n",
         "the DEVID KEY REFERENCE that begins at line 3 is cut short"},
        {"-----BEGIN TSS2 PRIVATE KEY-----\nMIGB\n"
         "-----END EC PRIVATE KEY-----\n",
         "begins at line 1 is cut short or garbled"},
        {"-----BEGIN TSS2 PRIVATE KEY-----\n"
         "-----END TSS2 PRIVATE KEY-----\n",
         "begins at line 1 is cut short or garbled"},
        {"-----BEGIN TSS2 PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
         "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\nMIGB\n"
         "-----END TSS2 PRIVATE KEY-----\n",
         "begins at line 1 has PEM headers"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        struct devid_error err = {0};
        uint8_t *der = NULL;
        size_t len = 1;

        assert_int_equal(devid_keyfile_unpem(rows[i].text, strlen(rows[i].text),
                                             &der, &len, &err),
                         DEVID_ERR_INPUT);
        expect_text(&err, rows[i].sentence);
        assert_null(der);
        assert_int_equal(len, 0);
    }
}

static void der_passes_as_it_is(void **state)
{
    struct devid_error err = {0};
    size_t want_len = 0;
    uint8_t *want = plain_der(&want_len);
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(
        devid_keyfile_unpem((const char *)want, want_len, &der, &len, &err),
        DEVID_OK);
    assert_int_equal(len, want_len);
    assert_memory_equal(der, want, len);
    OPENSSL_free(der);
    OPENSSL_free(want);
}

static void too_long_a_text_is_refused_unread(void **state)
{
    static char text[DEVID_KEYFILE_MAX + 1];
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(devid_keyfile_unpem(text, sizeof(text), &der, &len, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err,
                "65537 bytes are too many for a key file (65536 at most)");
}

static void labels_of_ours_are_known(void **state)
{
    (void)state;
    assert_true(devid_pem_label_is_key("TSS2 PRIVATE KEY"));
    assert_true(devid_pem_label_is_key("DEVID KEY REFERENCE"));
    assert_false(devid_pem_label_is_key("PRIVATE KEY"));
    assert_false(devid_pem_label_is_key("TSS2 PRIVATE KEY "));
    assert_false(devid_pem_label_is_key(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_block_is_found_among_others),
        cmocka_unit_test(windows_line_ends_are_read),
        cmocka_unit_test(the_first_of_two_blocks_is_taken),
        cmocka_unit_test(bad_texts_are_refused_with_line_or_label),
        cmocka_unit_test(der_passes_as_it_is),
        cmocka_unit_test(too_long_a_text_is_refused_unread),
        cmocka_unit_test(labels_of_ours_are_known),
    };

    return cmocka_run_group_tests_name("pem", tests, NULL, NULL);
}
