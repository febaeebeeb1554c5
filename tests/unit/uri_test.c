/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include "uri.h"

static void good_uris_are_read(void **state)
{
    static const struct {
        const char *text;
        enum devid_tpm2_uri_kind kind;
        uint32_t handle;
        bool auth_required;
    } rows[] = {
        {"tpm2:", DEVID_TPM2_DEVICE, 0, false},
        {"tpm2:handle=0x81020000", DEVID_TPM2_KEY, 0x81020000, false},
        {"tpm2:handle=0X81FFFFFF", DEVID_TPM2_KEY, 0x81ffffff, false},
        {"tpm2:handle=0x81020000;auth=required", DEVID_TPM2_KEY, 0x81020000,
         true},
        {"tpm2:nv=0x01c90200", DEVID_TPM2_NV, 0x01c90200, false},
        {"tpm2:nv=0x1c90200", DEVID_TPM2_NV, 0x01c90200, false},
        {"handle:0x81000001", DEVID_TPM2_KEY, 0x81000001, false},
        {"handle:0x1c00002", DEVID_TPM2_NV, 0x01c00002, false},
    };
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(rows); i++) {
        struct devid_tpm2_uri uri;
        struct devid_error err = {0};

        assert_int_equal(devid_tpm2_uri_parse(rows[i].text, &uri, &err),
                         DEVID_OK);
        assert_int_equal(uri.kind, rows[i].kind);
        assert_int_equal(uri.handle, rows[i].handle);
        assert_int_equal(uri.auth_required, rows[i].auth_required);
        assert_true(devid_is_uri(rows[i].text));
        assert_int_equal(devid_uri_is_cert(rows[i].text),
                         rows[i].kind == DEVID_TPM2_NV);
    }
}

static const struct {
    const char *text;
    const char *sentence;
} bad_uris[] = {
    {"", "'' is no URI of a TPM"},
    {"tpm2", "'tpm2' is no URI of a TPM"},
    {"TPM2:handle=0x81000001", "is no URI of a TPM"},
    {"pkcs11:token=x", "'pkcs11:token=x' is no URI of a TPM"},
    {"tpm2:;", "empty segment at character 6"},
    {"tpm2:;handle=0x81000001", "empty segment at character 6"},
    {"tpm2:handle=0x81000001;", "empty segment at character 24"},
    {"tpm2:handle=0x81000001;;nv=0x01000000", "empty segment at character 24"},
    {"tpm2:handle=0x81000001;handle=0x81000001",
     "second object, 'handle=0x81000001', at character 24"},
    {"tpm2:handle=0x81000001;nv=0x01c90200",
     "second object, 'nv=0x01c90200', at character 24"},
    {"tpm2:handle=0x81000001;pin=1",
     "unknown attribute 'pin=1' at character 24"},
    {"tpm2:auth=required;handle=0x81000001",
     "unknown attribute 'auth=required' at character 6"},
    {"tpm2:handle=0x81000001;auth=required;auth=required",
     "unknown attribute 'auth=required' at character 38"},
    {"tpm2:handle=0x81000001;auth=none",
     "unknown attribute 'auth=none' at character 24"},
    {"tpm2:nv=0x01000000;auth=required",
     "unknown attribute 'auth=required' at character 20"},
    {"tpm2:handel=0x81000001", "unknown attribute 'handel=0x81000001'"},
    {"tpm2:Handle=0x81000001", "unknown attribute 'Handle=0x81000001'"},
    {"tpm2:handle", "unknown attribute 'handle' at character 6"},
    {"tpm2:handle=", "the URI's handle '' is no handle"},
    {"tpm2:handle=0x", "the URI's handle '0x' is no handle"},
    {"tpm2:handle=81000001", "the URI's handle '81000001' is no handle"},
    {"tpm2:handle=0x181000001", "'0x181000001' is too long for a handle"},
    {"tpm2:handle=0x000000081000001", "is too long for a handle"},
    {"tpm2:handle=0x8100000g", "no hexadecimal digit at character 10"},
    {"tpm2:handle=0x81000001 ", "is too long for a handle"},
    {"tpm2:handle=0x8100001 ", "no hexadecimal digit at character 10"},
    {"tpm2:handle=0x81000001?x", "is too long for a handle"},
    {"tpm2:handle=-0x1000001", "is no handle"},
    {"tpm2:handle=0x80000000", "a persistent handle (0x81000000 to"},
    {"tpm2:handle=0x01c90200", "a persistent handle (0x81000000 to"},
    {"tpm2:nv=0x81000001", "an NV index (0x01000000 to 0x01ffffff)"},
    {"handle:", "the URI's handle '' is no handle"},
    {"handle:0x80000000", "0x80000000 is neither a persistent handle"},
    {"handle:0x81000001?pass", "is too long for a handle"},
    {"handle:handle=0x81000001", "is no handle"},
};

static void bad_uris_are_refused_with_their_place(void **state)
{
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(bad_uris); i++) {
        struct devid_tpm2_uri uri;
        struct devid_error err = {0};

        assert_int_equal(devid_tpm2_uri_parse(bad_uris[i].text, &uri, &err),
                         DEVID_ERR_INPUT);
        expect_text(&err, bad_uris[i].sentence);
        assert_int_equal(err.device_rc, 0);
        assert_false(devid_uri_is_cert(bad_uris[i].text));
    }
}

static void file_names_are_no_uris(void **state)
{
    static const char *const names[] = {"",
                                        "key.pem",
                                        "/etc/tpm2:x",
                                        "tpm2",
                                        "./tpm2:key",
                                        "handle",
                                        "file:key.pem",
                                        "tpm:handle=1",
                                        "HANDLE:0x81000001"};
    size_t i;

    (void)state;
    for (i = 0; i < COUNT(names); i++)
        assert_false(devid_is_uri(names[i]));
}

static void handles_are_read_as_people_type_them(void **state)
{
    struct devid_error err = {0};
    uint32_t handle = 7;

    (void)state;
    assert_int_equal(
        devid_handle_parse("0x81000001", "--parent", &handle, &err), DEVID_OK);
    assert_int_equal(handle, 0x81000001);
    assert_int_equal(devid_handle_parse("0xA", "--parent", &handle, &err),
                     DEVID_OK);
    assert_int_equal(handle, 10);
    assert_int_equal(devid_handle_parse("0xffffffff", "x", &handle, &err),
                     DEVID_OK);
    assert_int_equal(handle, UINT32_MAX);
    assert_int_equal(devid_handle_parse("10", "--persist", &handle, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "--persist '10' is no handle: write it in hexadecimal "
                      "with 0x before it, such as 0x81000001");
    assert_int_equal(handle, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_uris_are_read),
        cmocka_unit_test(bad_uris_are_refused_with_their_place),
        cmocka_unit_test(file_names_are_no_uris),
        cmocka_unit_test(handles_are_read_as_people_type_them),
    };

    return cmocka_run_group_tests_name("uri", tests, NULL, NULL);
}
