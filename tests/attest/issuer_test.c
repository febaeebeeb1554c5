/* SPDX-License-Identifier: Apache-2.0 */
/* What an issuer refuses to be, and to issue. */
#include "factory.h"

#include <stdlib.h>

static void expect_no_issuer(const struct devid_issuer_spec *spec,
                             enum devid_err code, const char *text)
{
    struct devid_issuer *issuer = NULL;
    struct devid_error err = {0};

    assert_int_equal(devid_issuer_new(spec, &issuer, &err), code);
    expect_text(&err, text);
    assert_null(issuer);
}

static void an_issuer_that_could_issue_nothing_good_is_refused(void **state)
{
    struct devid_issuer_spec spec;
    struct factory f;
    uint8_t *der;
    X509 *bad;

    (void)state;
    open_factory(&f, "ec-p256");
    spec = f.spec;
    spec.ca.len--;
    expect_no_issuer(&spec, DEVID_ERR_INPUT, "is no DER of an X.509");
    spec = f.spec;
    spec.subject = "O=Acme";
    expect_no_issuer(&spec, DEVID_ERR_INPUT, "does not begin with a '/'");
    spec = f.spec;
    spec.crl_url = "http://ca.example/list.crl";
    expect_no_issuer(&spec, DEVID_ERR_INPUT, "16 lists of revoked");
    spec.crl_url = "a list";
    expect_no_issuer(&spec, DEVID_ERR_INPUT, "'a list' is no URL");
    spec = f.spec;
    spec.key = software_key("ec-p384");
    expect_no_issuer(&spec, DEVID_ERR_WRONG_KEY,
                     "does not belong to its certificate");
    EVP_PKEY_free(spec.key);
    spec = f.spec;
    bad = make_ca(f.key, "digitalSignature");
    der = cert_der(bad, 0, 0, &spec.ca.len);
    spec.ca.data = der;
    expect_no_issuer(&spec, DEVID_ERR_INPUT, "may not issue others");
    X509_free(bad);
    free(der);
    close_factory(&f);
}

static void serials_and_shards_that_do_not_go_in_are_refused(void **state)
{
    struct devid_issue what = {
        .serial = "SN_1", .module = &factory_module, .not_before = NOW};
    struct devid_issued issued;
    struct devid_error err = {0};
    struct factory f;

    (void)state;
    open_factory(&f, "ec-p256");
    what.pub = &f.pub;
    assert_int_equal(devid_issuer_issue(f.issuer, &what, &issued, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "the serial number 'SN_1' does not go into");
    what.serial = "";
    assert_int_equal(devid_issuer_issue(f.issuer, &what, &issued, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "the serial number '' does not go into");
    what.serial = "SN-1";
    what.shard = 16;
    assert_int_equal(devid_issuer_issue(f.issuer, &what, &issued, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "no list of revoked certificates 16: they are numbered "
                      "from 0 to 15");
    assert_null(issued.der);
    close_factory(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_issuer_that_could_issue_nothing_good_is_refused),
        cmocka_unit_test(serials_and_shards_that_do_not_go_in_are_refused),
    };

    return cmocka_run_group_tests_name("issuer", tests, NULL, NULL);
}
