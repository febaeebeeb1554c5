/* SPDX-License-Identifier: Apache-2.0 */
/* TSS2 PRIVATE KEY: the files of tests/data/tss2, which make-tss2 writes. */
#include "support.h"

#include "keyfile.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWNER 0x40000001U
#define TEXT_MAX 256

/* Parse a fixture; the DER, if asked for, is the caller's. */
static enum devid_err parse(const char *name, bool *recognised,
                            struct devid_keyfile *file, struct devid_error *err)
{
    char path[TEXT_MAX];
    uint8_t *der = NULL;
    size_t der_len = 0;
    size_t len = 0;
    char *text;
    enum devid_err e;

    (void)snprintf(path, sizeof(path), "tss2/%s.pem", name);
    text = read_fixture(path, &len);
    assert_int_equal(devid_keyfile_unpem(text, len, &der, &der_len, err),
                     DEVID_OK);
    e = devid_keyfile_parse(der, der_len, recognised, file, err);
    OPENSSL_free(der);
    free(text);
    return e;
}

static void well_formed_files_are_read(void **state)
{
    static const struct {
        const char *name;
        uint32_t parent;
        bool empty_auth;
        bool has_policy;
        bool rsa_parent;
        const char *description;
    } rows[] = {
        {"plain", OWNER, true, false, false, NULL},
        {"auth", OWNER, false, false, false, NULL},
        {"auth-said", OWNER, false, false, false, NULL},
        {"persistent-parent", 0x81000001, true, false, false, NULL},
        {"negative-parent", 0x81000001, true, false, false, NULL},
        {"zero-parent", OWNER, true, false, false, NULL},
        {"policy", OWNER, true, true, false, NULL},
        {"auth-policy", OWNER, true, true, false, NULL},
        {"secret", OWNER, true, false, false, NULL},
        {"everything", OWNER, true, true, true, "pump house"},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        struct devid_keyfile file;
        struct devid_error err = {0};
        bool recognised = false;

        assert_int_equal(parse(rows[i].name, &recognised, &file, &err),
                         DEVID_OK);
        assert_true(recognised);
        assert_int_equal(file.format, DEVID_KEYFILE_TSS2);
        assert_int_equal(file.parent, rows[i].parent);
        assert_int_equal(file.empty_auth, rows[i].empty_auth);
        assert_int_equal(file.has_policy, rows[i].has_policy);
        assert_int_equal(file.rsa_parent, rows[i].rsa_parent);
        if (rows[i].description == NULL)
            assert_null(file.description);
        else
            assert_string_equal(file.description, rows[i].description);
        assert_int_equal(file.tpm_public_len, 88);
        assert_int_equal(file.tpm_private_len, 18);
        assert_int_equal(file.tpm_public[1], 86);
        assert_int_equal(file.tpm_private[17], 15);
        devid_keyfile_clear(&file);
    }
}

static void unusable_files_are_refused_with_a_reason(void **state)
{
    static const struct {
        const char *name;
        const char *sentence;
        enum devid_err code;
        bool recognised;
    } rows[] = {
        {"transient-parent", "parent 0x80000000 is neither a persistent handle",
         DEVID_ERR_INPUT, true},
        {"wide-parent", "parent is no number of 32 bits", DEVID_ERR_INPUT,
         true},
        {"sealed", "sealed data, which is no key", DEVID_ERR_ALG, true},
        {"other-oid", "neither a TSS2 PRIVATE KEY nor a DEVID KEY REFERENCE",
         DEVID_ERR_INPUT, false},
        {"short-public", "public area does not have the length that it states",
         DEVID_ERR_INPUT, true},
        {"long-private", "private area does not have the length that it states",
         DEVID_ERR_INPUT, true},
        {"empty-private",
         "private area does not have the length that it states",
         DEVID_ERR_INPUT, true},
        {"no-private", "the TSS2 PRIVATE KEY is cut short or garbled",
         DEVID_ERR_INPUT, true},
        {"surplus", "the TSS2 PRIVATE KEY is cut short or garbled",
         DEVID_ERR_INPUT, true},
    };
    static const struct devid_keyfile zero;
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        struct devid_keyfile file;
        struct devid_error err = {0};
        bool recognised = !rows[i].recognised;

        assert_int_equal(parse(rows[i].name, &recognised, &file, &err),
                         rows[i].code);
        expect_text(&err, rows[i].sentence);
        assert_int_equal(err.device_rc, 0);
        assert_int_equal(recognised, rows[i].recognised);
        assert_memory_equal(&file, &zero, sizeof(file));
    }
}

static void what_was_read_is_written_back_byte_for_byte(void **state)
{
    static const char *const names[] = {"plain", "negative-parent",
                                        "everything", "auth"};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(names); i++) {
        struct devid_keyfile file;
        struct devid_error err = {0};
        uint8_t *der = NULL;
        char *pem = NULL;
        char *text;
        char path[TEXT_MAX];
        size_t len = 0;
        size_t text_len = 0;

        assert_int_equal(parse(names[i], NULL, &file, &err), DEVID_OK);
        assert_int_equal(devid_keyfile_encode(&file, &der, &len, &err),
                         DEVID_OK);
        assert_int_equal(len, file.der_len);
        assert_memory_equal(der, file.der, len);
        assert_int_equal(devid_keyfile_to_pem(&file, &pem, &len, &err),
                         DEVID_OK);
        (void)snprintf(path, sizeof(path), "tss2/%s.pem", names[i]);
        text = read_fixture(path, &text_len);
        assert_string_equal(pem, text);
        assert_int_equal(len, text_len);
        free(text);
        OPENSSL_free(pem);
        OPENSSL_free(der);
        devid_keyfile_clear(&file);
    }
}

/* Parse, forget the DER, write anew. */
static void write_anew(const char *name, struct devid_keyfile *file,
                       uint8_t **der, size_t *len)
{
    struct devid_error err = {0};

    assert_int_equal(parse(name, NULL, file, &err), DEVID_OK);
    OPENSSL_free(file->der);
    file->der = NULL;
    assert_int_equal(devid_keyfile_encode(file, der, len, &err), DEVID_OK);
}

static void a_new_file_reads_as_its_fields(void **state)
{
    static const char *const names[] = {"plain",           "auth",
                                        "auth-said",       "persistent-parent",
                                        "negative-parent", "zero-parent"};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(names); i++) {
        struct devid_keyfile file;
        struct devid_keyfile again;
        struct devid_error err = {0};
        uint8_t *der = NULL;
        size_t len = 0;

        write_anew(names[i], &file, &der, &len);
        assert_int_equal(devid_keyfile_parse(der, len, NULL, &again, &err),
                         DEVID_OK);
        assert_int_equal(again.parent, file.parent);
        assert_int_equal(again.empty_auth, file.empty_auth);
        assert_false(again.has_policy);
        assert_false(again.rsa_parent);
        assert_memory_equal(again.tpm_public, file.tpm_public, 88);
        assert_memory_equal(again.tpm_private, file.tpm_private, 18);
        OPENSSL_free(der);
        devid_keyfile_clear(&again);
        devid_keyfile_clear(&file);
    }
}

static void a_negative_parent_is_written_as_a_positive_one(void **state)
{
    struct devid_keyfile file;
    uint8_t *der = NULL;
    size_t len = 0;
    struct devid_keyfile good;
    struct devid_error err = {0};

    (void)state;
    write_anew("negative-parent", &file, &der, &len);
    assert_int_equal(parse("persistent-parent", NULL, &good, &err), DEVID_OK);
    assert_int_equal(len, good.der_len);
    assert_memory_equal(der, good.der, len);
    OPENSSL_free(der);
    devid_keyfile_clear(&file);
    devid_keyfile_clear(&good);
}

static void an_auth_value_is_said_so_that_no_reader_guesses(void **state)
{
    struct devid_keyfile file;
    struct devid_keyfile said;
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    write_anew("auth", &file, &der, &len);
    assert_int_equal(parse("auth-said", NULL, &said, &err), DEVID_OK);
    assert_int_equal(len, said.der_len);
    assert_memory_equal(der, said.der, len);
    OPENSSL_free(der);
    devid_keyfile_clear(&file);
    devid_keyfile_clear(&said);
}

static void description_and_policies_survive(void **state)
{
    struct devid_keyfile file;
    struct devid_keyfile again;
    struct devid_error err = {0};
    uint8_t *der = NULL;
    size_t len = 0;

    (void)state;
    assert_int_equal(parse("everything", NULL, &file, &err), DEVID_OK);
    OPENSSL_free(file.der);
    file.der = NULL;
    assert_int_equal(devid_keyfile_encode(&file, &der, &len, &err), DEVID_OK);
    assert_int_equal(devid_keyfile_parse(der, len, NULL, &again, &err),
                     DEVID_OK);
    assert_string_equal(again.description, "pump house");
    assert_true(again.has_policy);
    assert_int_equal(again.policy.count, 1);
    assert_int_equal(again.policy.commands[0].code, 0x16B);
    assert_int_equal(again.policy.commands[0].len, 1);
    assert_int_equal(again.signed_policies.count, 1);
    assert_string_equal(again.signed_policies.items[0].name, "weekdays");
    assert_int_equal(again.signed_policies.items[0].count, 1);
    assert_true(again.rsa_parent);
    OPENSSL_free(der);
    devid_keyfile_clear(&again);
    devid_keyfile_clear(&file);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    struct devid_keyfile file;
    struct devid_error err = {0};
    size_t len;

    (void)state;
    assert_int_equal(parse("everything", NULL, &file, &err), DEVID_OK);
    for (len = 0; len < file.der_len; len++) {
        struct devid_keyfile cut;
        bool recognised = false;

        assert_int_equal(
            devid_keyfile_parse(file.der, len, &recognised, &cut, &err),
            DEVID_ERR_INPUT);
        /* Header and OID take eleven bytes. */
        assert_int_equal(recognised, len >= 11);
        expect_text(&err, len >= 11 ? "cut short or garbled" : "neither a");
    }
    devid_keyfile_clear(&file);
}

static void bytes_behind_a_file_are_refused(void **state)
{
    struct devid_keyfile file;
    struct devid_keyfile longer;
    struct devid_error err = {0};
    uint8_t der[4096] = {0};

    (void)state;
    assert_int_equal(parse("plain", NULL, &file, &err), DEVID_OK);
    memcpy(der, file.der, file.der_len);
    assert_int_equal(
        devid_keyfile_parse(der, file.der_len + 3, NULL, &longer, &err),
        DEVID_ERR_INPUT);
    expect_text(&err, "the TSS2 PRIVATE KEY is followed by 3 bytes");
    devid_keyfile_clear(&file);
}

static void clearing_twice_does_no_harm(void **state)
{
    struct devid_keyfile file;
    struct devid_error err = {0};

    (void)state;
    assert_int_equal(parse("everything", NULL, &file, &err), DEVID_OK);
    devid_keyfile_clear(&file);
    devid_keyfile_clear(&file);
    devid_keyfile_clear(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_files_are_read),
        cmocka_unit_test(unusable_files_are_refused_with_a_reason),
        cmocka_unit_test(what_was_read_is_written_back_byte_for_byte),
        cmocka_unit_test(a_new_file_reads_as_its_fields),
        cmocka_unit_test(a_negative_parent_is_written_as_a_positive_one),
        cmocka_unit_test(an_auth_value_is_said_so_that_no_reader_guesses),
        cmocka_unit_test(description_and_policies_survive),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(bytes_behind_a_file_are_refused),
        cmocka_unit_test(clearing_twice_does_no_harm),
    };

    return cmocka_run_group_tests_name("keyfile", tests, NULL, NULL);
}
