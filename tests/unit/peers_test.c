/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key files that other programs wrote. They are no part of this project:
 * DEVID_PEER_DATA says where they are; without it the tests are skipped.
 */
#include "support.h"

#include "keyfile.h"

#include <openssl/crypto.h>

#include <stdio.h>
#include <stdlib.h>

#define OWNER 0x40000001U

static const struct {
    const char *name;
    enum devid_err code;
    uint32_t parent;
    bool empty_auth;
    bool has_policy;
} files[] = {
    {"engine_neg-handle.pem", DEVID_OK, 0x81000001, true, false},
    {"jejb_rsa2048_parent_40000001.pem", DEVID_OK, OWNER, true, false},
    {"go_rsa-key.tpm", DEVID_OK, OWNER, true, false},
    {"go_rsa-tpm-password.tpm", DEVID_OK, OWNER, false, false},
    {"go_p256-authvalue.tpm", DEVID_OK, OWNER, true, true},
    {"go_skey.tpm", DEVID_OK, OWNER, false, true},
    {"made/ec_p256_plain.tpm", DEVID_OK, OWNER, true, false},
    {"made/ec_p256_auth_passw0rd.tpm", DEVID_OK, OWNER, false, false},
    {"made/ec_p256_da.tpm", DEVID_OK, OWNER, true, false},
    {"made/ec_p256_parent_81000001.tpm", DEVID_OK, 0x81000001, true, false},
    {"made/ec_p256_pcrlock.tpm", DEVID_OK, OWNER, true, true},
    {"made/ec_p256_policy_bogus.tpm", DEVID_OK, OWNER, true, true},
    {"made/ec_p256_policy_secret_nv.tpm", DEVID_OK, OWNER, false, true},
    {"made/ec_p384_plain.tpm", DEVID_OK, OWNER, true, false},
    {"made/rsa2048_plain.tpm", DEVID_OK, OWNER, true, false},
    {"made/ec_p256_importable.tpm", DEVID_OK, OWNER, true, false},
    {"made/sealed.tpm", DEVID_ERR_ALG, 0, false, false},
};

static void check(const char *text, size_t len, size_t row)
{
    struct devid_keyfile file;
    struct devid_error err = {0};
    bool recognised = false;
    uint8_t *der = NULL;
    uint8_t *again = NULL;
    size_t again_len = 0;

    assert_int_equal(devid_keyfile_unpem(text, len, &der, &len, &err),
                     DEVID_OK);
    assert_int_equal(devid_keyfile_parse(der, len, &recognised, &file, &err),
                     files[row].code);
    assert_true(recognised);
    if (files[row].code == DEVID_OK) {
        assert_int_equal(file.parent, files[row].parent);
        assert_int_equal(file.empty_auth, files[row].empty_auth);
        assert_int_equal(file.has_policy, files[row].has_policy);
        assert_int_equal(devid_keyfile_encode(&file, &again, &again_len, &err),
                         DEVID_OK);
        assert_int_equal(again_len, len);
        assert_memory_equal(again, der, len);
    }
    OPENSSL_free(again);
    OPENSSL_free(der);
    devid_keyfile_clear(&file);
}

static void files_of_other_programs_are_read_and_kept_as_they_are(void **state)
{
    const char *dir = getenv("DEVID_PEER_DATA");
    char path[1024] = "";
    size_t i;

    (void)state;
    for (i = 0; dir != NULL && i < COUNT(files); i++) {
        size_t len = 0;
        char *text;

        (void)snprintf(path, sizeof(path), "%s/tss2", dir);
        text = read_file(path, files[i].name, &len);
        if (text == NULL) {
            print_message("%s/%s is not there\n", path, files[i].name);
            skip();
        }
        check(text, len, i);
        free(text);
    }
    if (dir == NULL) {
        print_message("DEVID_PEER_DATA is not set\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_other_programs_are_read_and_kept_as_they_are),
    };

    return cmocka_run_group_tests_name("peers", tests, NULL, NULL);
}
