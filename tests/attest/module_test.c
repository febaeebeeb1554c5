/* SPDX-License-Identifier: Apache-2.0 */
/* The name that certificates give a TPM, from that of its EK. */
#include "authority.h"

#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

static void expect_module(const char *id, const char *serial)
{
    EVP_PKEY *key = software_key("ec-p256");
    struct devid_hw_module found;
    struct devid_error err = {0};
    struct devid_bytes der = {NULL, 0};
    struct cert_spec ca = {
        .name = "Vendor", .key = key, .basic = "CA:TRUE", .key_id = true};
    struct cert_spec spec = {.name = "EK",
                             .key = key,
                             .issuer_key = key,
                             .key_id = true,
                             .tpm_manufacturer = id};
    uint8_t *data;
    X509 *cert;

    spec.issuer = make_cert(&ca);
    cert = make_cert(&spec);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 0x01ab), 1);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    data = cert_der(cert, 0, 0, &der.len);
    der.data = data;
    if (serial == NULL) {
        assert_int_equal(devid_hw_module_from_ek(der, NULL, &found, &err),
                         DEVID_ERR_INPUT);
        expect_text(&err, "does not name the TPM's maker");
    } else {
        assert_int_equal(devid_hw_module_from_ek(der, NULL, &found, &err),
                         DEVID_OK);
        assert_memory_equal(found.serial, serial, strlen(serial));
        assert_int_equal(strlen(found.serial), strlen(serial) + 1 + 40 + 5);
        assert_string_equal(found.serial + strlen(found.serial) - 5, ":01AB");
        assert_int_equal(strlen(found.ek_digest), 64);
    }
    X509_free(spec.issuer);
    X509_free(cert);
    EVP_PKEY_free(key);
    free(data);
}

static void a_tpm_is_named_by_its_maker_and_its_ek_s_certificate(void **state)
{
    (void)state;
    expect_module("id:53544D20", "STM ");
    expect_module("id:49424D00", "IBM");
    expect_module("id:00001014", "00001014");
    expect_module("53544D20", NULL);
    expect_module("id:5354zz20", NULL);
    expect_module(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tpm_is_named_by_its_maker_and_its_ek_s_certificate),
    };

    return cmocka_run_group_tests_name("module", tests, NULL, NULL);
}
