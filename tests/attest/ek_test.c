/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of endorsement keys, and the vendors above them. */
#include "authority.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CA "critical,CA:TRUE"

static struct vendor {
    EVP_PKEY *root_key, *int_key, *ek_key, *other_key;
    X509 *root, *intermediate;
    struct devid_trust *trust;
    struct devid_trust_count count;
    char folder[64];
} v;

static X509 *make_root(EVP_PKEY *key)
{
    return make_cert(&(struct cert_spec){
        .name = "Root", .key = key, .basic = CA, .key_usage = "keyCertSign"});
}

static struct cert_spec intermediate_spec(void)
{
    return (struct cert_spec){.name = "Intermediate",
                              .key = v.int_key,
                              .issuer = v.root,
                              .issuer_key = v.root_key,
                              .basic = "critical,CA:TRUE,pathlen:0",
                              .key_usage = "keyCertSign"};
}

static struct cert_spec ek_spec(void)
{
    return (struct cert_spec){.name = "EK",
                              .key = v.ek_key,
                              .issuer = v.intermediate,
                              .issuer_key = v.int_key,
                              .basic = "critical,CA:FALSE",
                              .key_usage = "critical,keyEncipherment",
                              .usage = EK_USAGE};
}

static int set_up(void **state)
{
    struct devid_error err = {0};
    struct cert_spec spec;
    char path[128];
    FILE *f;

    (void)state;
    v.root_key = software_key("ec-p384");
    v.int_key = software_key("rsa-3072");
    v.ek_key = software_key("rsa-2048");
    v.other_key = software_key("ec-p256");
    v.root = make_root(v.root_key);
    spec = intermediate_spec();
    v.intermediate = make_cert(&spec);
    make_folder(v.folder);
    (void)snprintf(path, sizeof(path), "%s/root.cer", v.folder);
    write_der(path, v.root);
    (void)snprintf(path, sizeof(path), "%s/bundle", v.folder);
    append_pem(path, v.root);
    append_pem(path, v.intermediate);
    (void)snprintf(path, sizeof(path), "%s/README", v.folder);
    f = fopen(path, "we");
    assert_non_null(f);
    (void)fputs("Where these come from.\n", f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(devid_trust_new(NULL, &v.trust, &err), DEVID_OK);
    assert_int_equal(devid_trust_add(v.trust, v.folder, &v.count, &err),
                     DEVID_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    remove_folder(v.folder);
    devid_trust_free(&v.trust);
    X509_free(v.root);
    X509_free(v.intermediate);
    EVP_PKEY_free(v.root_key);
    EVP_PKEY_free(v.int_key);
    EVP_PKEY_free(v.ek_key);
    EVP_PKEY_free(v.other_key);
    return 0;
}

static void expect(struct devid_bytes nv, struct devid_attest_policy policy,
                   enum devid_attest_reason reason, const char *text)
{
    policy.trust = policy.trust != NULL ? policy.trust : v.trust;
    expect_ek(nv, policy, reason, text);
}

static void expect_cert(X509 *cert, struct devid_attest_policy policy,
                        enum devid_attest_reason reason, const char *text)
{
    size_t len = 0;
    uint8_t *der = cert_der(cert, 0, 0, &len);

    expect((struct devid_bytes){der, len}, policy, reason, text);
    free(der);
    X509_free(cert);
}

static const struct devid_attest_policy strict = {0};

/* ---- wrappers and padding ---------------------------------------------- */

static void wrappers_and_padding_are_taken_off(void **state)
{
    static const uint8_t pads[] = {0x00, 0x11, 0xff};
    struct cert_spec spec = ek_spec();
    X509 *cert = make_cert(&spec);
    size_t cert_len = (size_t)i2d_X509(cert, NULL);

    (void)state;
    for (size_t i = 0; i < 9; i++) {
        const size_t wrapper = i % 3 == 0 ? 0 : i % 3 == 1 ? 5 : 7;
        const size_t counted = cert_len + (wrapper == 7 ? 2 : 0);
        const uint8_t head[] = {
            0x10, 1, 0, (uint8_t)(counted >> 8), (uint8_t)counted, 0x10, 2};
        struct devid_bytes nv = {NULL, 0};
        struct devid_bytes der;
        uint8_t *data = cert_der(cert, wrapper, 100, &nv.len);

        nv.data = data;
        memcpy(data, head, wrapper);
        memset(data + nv.len - 100, pads[i / 3], 100);
        assert_int_equal(devid_ek_unwrap(nv, &der, NULL), DEVID_OK);
        assert_ptr_equal(der.data, nv.data + wrapper);
        assert_int_equal(der.len, cert_len);
        expect(nv, strict, DEVID_ATTEST_TRUSTED, NULL);
        free(data);
    }
    X509_free(cert);
}

static void what_is_neither_certificate_nor_padding_is_refused(void **state)
{
    struct cert_spec spec = ek_spec();
    X509 *cert = make_cert(&spec);
    char text[128];
    size_t len = 0;
    uint8_t *data = cert_der(cert, 5, 100, &len);
    size_t cert_len = len - 105;

    (void)state;
    expect((struct devid_bytes){NULL, 0}, strict, DEVID_ATTEST_EK_MISSING,
           "nobody vouches for this TPM");
    /* padding that changes, and that is of another byte */
    data[len - 1] = 0x11;
    (void)snprintf(text, sizeof(text),
                   "stands 0x11 at offset %zu: only padding", len - 6);
    expect((struct devid_bytes){data + 5, len - 5}, strict,
           DEVID_ATTEST_EK_MALFORMED, text);
    memset(data + len - 100, 0x30, 100);
    (void)snprintf(text, sizeof(text), "stands 0x30 at offset %zu", cert_len);
    expect((struct devid_bytes){data + 5, len - 5}, strict,
           DEVID_ATTEST_EK_MALFORMED, text);
    /* cut short */
    expect((struct devid_bytes){data + 5, cert_len - 1}, strict,
           DEVID_ATTEST_EK_MALFORMED, "no certificate begins at offset 0");
    /* wrappers that lie */
    memcpy(data, "\x10\1\0\xff\xff", 5);
    expect((struct devid_bytes){data, len}, strict, DEVID_ATTEST_EK_MALFORMED,
           "says at offset 3 that 65535 bytes follow");
    data[3] = (uint8_t)((cert_len + 1) >> 8);
    data[4] = (uint8_t)(cert_len + 1);
    expect((struct devid_bytes){data, len}, strict, DEVID_ATTEST_EK_MALFORMED,
           "bytes where its wrapper says");
    /* a SEQUENCE that is no certificate */
    expect((struct devid_bytes){(const uint8_t *)"\x30\2\5\0", 4}, strict,
           DEVID_ATTEST_EK_MALFORMED, "is no X.509 certificate");
    X509_free(cert);
    free(data);
}

/* ---- the chain --------------------------------------------------------- */

static void a_folder_of_vendors_is_read_whatever_its_files_are_called(void **s)
{
    struct devid_error err = {0};
    struct devid_trust *trust = NULL;
    struct devid_trust_count count;
    char path[128];

    (void)s;
    assert_int_equal(v.count.roots, 1);
    assert_int_equal(v.count.intermediates, 1);
    assert_int_equal(v.count.known, 1);
    assert_int_equal(v.count.ignored, 1);
    assert_int_equal(devid_trust_new(NULL, &trust, &err), DEVID_OK);
    (void)snprintf(path, sizeof(path), "%s/README", v.folder);
    assert_int_equal(devid_trust_add(trust, path, &count, &err),
                     DEVID_ERR_INPUT);
    expect_text(&err, "there is not one certificate in");
    (void)snprintf(path, sizeof(path), "%s/nowhere", v.folder);
    assert_int_equal(devid_trust_add(trust, path, &count, &err),
                     DEVID_ERR_NOT_FOUND);
    expect_text(&err, "nowhere: No such file");
    devid_trust_free(&trust);
}

static void an_ek_of_a_vendor_is_trusted_and_named_by_its_digest(void **state)
{
    struct cert_spec spec = ek_spec();
    const struct devid_attest_policy policy = {.trust = v.trust, .now = NOW};
    struct devid_attest_verdict plain;
    struct devid_attest_verdict oaep;
    struct devid_bytes nv = {NULL, 0};
    struct devid_public pub;

    (void)state;
    software_public(v.ek_key, &pub);
    for (int i = 0; i < 2; i++) {
        struct devid_attest_verdict *verdict = i == 0 ? &plain : &oaep;
        X509 *cert;
        uint8_t *der;

        spec.oaep = i == 1;
        cert = make_cert(&spec);
        der = cert_der(cert, 0, 0, &nv.len);
        nv.data = der;
        assert_int_equal(devid_ek_verify(nv, &policy, verdict),
                         DEVID_ATTEST_TRUSTED);
        assert_true(devid_public_equal(&verdict->ek, &pub));
        assert_int_equal(strlen(verdict->ek_digest), 64);
        X509_free(cert);
        free(der);
    }
    assert_string_equal(plain.ek_digest, oaep.ek_digest);
}

static void each_break_in_the_chain_has_its_reason(void **state)
{
    const struct devid_attest_policy nobody = {.now = NOW};
    struct devid_attest_verdict verdict;
    struct cert_spec spec = ek_spec();
    struct cert_spec below = intermediate_spec();
    struct devid_bytes nv = {NULL, 0};
    X509 *stranger = make_root(v.other_key);
    X509 *cert = make_cert(&spec);
    uint8_t *der = cert_der(cert, 0, 0, &nv.len);

    (void)state;
    nv.data = der;
    assert_int_equal(devid_ek_verify(nv, &nobody, &verdict),
                     DEVID_ATTEST_EK_ISSUER_UNKNOWN);
    expect_text(&verdict.error, "issued by 'CN = Intermediate'");
    der[nv.len - 1] ^= 1;
    expect(nv, strict, DEVID_ATTEST_EK_SIGNATURE,
           "names 'CN = Intermediate', but that key did not sign it");
    free(der);
    X509_free(cert);

    spec.issuer_key = v.other_key; /* forged under the same name */
    expect_cert(make_cert(&spec), strict, DEVID_ATTEST_EK_SIGNATURE,
                "did not sign it");
    spec.issuer = stranger; /* a root of the right name, not trusted */
    expect_cert(make_cert(&spec), strict, DEVID_ATTEST_EK_SIGNATURE,
                "names 'CN = Root'");
    X509_free(stranger);
    /* issued by something that is no CA, though a vendor's */
    below.basic = "CA:FALSE";
    below.name = "Leaf";
    below.key_usage = NULL;
    stranger = make_cert(&below);
    spec = ek_spec();
    spec.issuer = stranger;
    expect_cert(make_cert(&spec), strict, DEVID_ATTEST_EK_ISSUER_UNKNOWN,
                "issued by 'CN = Leaf'");
    X509_free(stranger);
}

/* A trust of its own: the intermediate is `spec`'s, perhaps without a root. */
static void expect_under(const struct cert_spec *spec, bool with_root,
                         struct devid_attest_policy policy,
                         enum devid_attest_reason reason, const char *text)
{
    struct cert_spec leaf = ek_spec();
    struct devid_error err = {0};
    struct devid_trust *trust = NULL;
    X509 *above = make_cert(spec);
    char folder[64];
    char path[128];

    make_folder(folder);
    (void)snprintf(path, sizeof(path), "%s/pem", folder);
    append_pem(path, above);
    if (with_root)
        append_pem(path, v.root);
    append_pem(path, v.intermediate); /* the way of those that name it */
    assert_int_equal(devid_trust_new(NULL, &trust, &err), DEVID_OK);
    assert_int_equal(devid_trust_add(trust, folder, NULL, &err), DEVID_OK);
    leaf.issuer = above;
    leaf.issuer_key = spec->key;
    policy.trust = trust;
    expect_cert(make_cert(&leaf), policy, reason, text);
    devid_trust_free(&trust);
    remove_folder(folder);
    X509_free(above);
}

static void what_stands_above_must_be_allowed_to(void **state)
{
    struct cert_spec spec = intermediate_spec();

    (void)state;
    spec.name = "Above";
    spec.key = v.other_key;
    expect_under(&spec, true, strict, DEVID_ATTEST_TRUSTED, NULL);
    expect_under(&spec, false, strict, DEVID_ATTEST_EK_CHAIN,
                 "the EK's issuer 'CN = Above' leads to no root");
    spec.basic = "CA:FALSE";
    expect_under(&spec, true, strict, DEVID_ATTEST_EK_CHAIN,
                 "goes through 'CN = Above', which may not issue");
    spec.basic = CA;
    spec.key_usage = "digitalSignature";
    expect_under(&spec, true, strict, DEVID_ATTEST_EK_CHAIN,
                 "goes through 'CN = Above', which may not issue");
    spec.key_usage = "keyCertSign";
    spec.issuer = v.intermediate; /* which allows no CA below it */
    spec.issuer_key = v.int_key;
    expect_under(&spec, true, strict, DEVID_ATTEST_EK_CHAIN, "CN = ");
}

static void old_hashes_and_dates_pass_only_where_the_policy_says_so(void **s)
{
    const struct devid_attest_policy sha1 = {.allow_sha1 = true};
    const struct devid_attest_policy old = {.allow_expired = true};
    struct cert_spec above = intermediate_spec();
    struct cert_spec spec = ek_spec();

    (void)s;
    spec.digest = "SHA1";
    expect_cert(make_cert(&spec), strict, DEVID_ATTEST_EK_SHA1,
                "'CN = EK' on the EK's chain is signed over SHA1");
    expect_cert(make_cert(&spec), sha1, DEVID_ATTEST_TRUSTED, NULL);
    above.name = "Above";
    above.key = v.other_key;
    above.digest = "SHA1";
    expect_under(&above, true, old, DEVID_ATTEST_EK_SHA1, "'CN = Above'");
    expect_under(&above, true, sha1, DEVID_ATTEST_TRUSTED, NULL);

    spec = ek_spec();
    spec.not_after = -1;
    expect_cert(make_cert(&spec), sha1, DEVID_ATTEST_EK_EXPIRED,
                "'CN = EK' on the EK's chain expired on Jan 14");
    expect_cert(make_cert(&spec), old, DEVID_ATTEST_TRUSTED, NULL);
    above = intermediate_spec();
    above.name = "Above";
    above.key = v.other_key;
    above.not_after = -1;
    expect_under(&above, true, strict, DEVID_ATTEST_EK_EXPIRED, "'CN = Above'");
    expect_under(&above, true, old, DEVID_ATTEST_TRUSTED, NULL);

    spec = ek_spec();
    spec.not_before = 1;
    expect_cert(make_cert(&spec), old, DEVID_ATTEST_EK_NOT_YET_VALID,
                "not valid before Jan 16");
}

/* ---- what the certificate says of itself ------------------------------- */

static bool is_allowed(void *arg, const char *digest)
{
    return strcmp(arg, digest) == 0;
}

static void a_certificate_for_something_else_is_refused(void **state)
{
    const struct devid_attest_policy lenient = {.allow_no_eku = true};
    struct cert_spec spec = ek_spec();

    (void)state;
    spec.usage = "clientAuth";
    expect_cert(make_cert(&spec), lenient, DEVID_ATTEST_EK_PURPOSE,
                "is for something else");
    spec.usage = NULL;
    expect_cert(make_cert(&spec), strict, DEVID_ATTEST_EK_PURPOSE,
                "must hold 2.23.133.8.1");
    expect_cert(make_cert(&spec), lenient, DEVID_ATTEST_TRUSTED, NULL);
    spec.basic = CA;
    expect_cert(make_cert(&spec), lenient, DEVID_ATTEST_EK_PURPOSE,
                "is that of a CA");
    spec = ek_spec();
    spec.critical = "1.2.3.4";
    expect_cert(make_cert(&spec), lenient, DEVID_ATTEST_EK_CRITICAL_EXTENSION,
                "critical extension");
}

static void an_ek_off_the_list_is_refused(void **state)
{
    char digest[DEVID_EK_DIGEST_SIZE] = "";
    struct devid_attest_policy policy = {
        .trust = v.trust, .now = NOW, .ek_allowed = is_allowed, .arg = digest};
    struct devid_attest_verdict verdict;
    struct cert_spec spec = ek_spec();
    struct devid_bytes nv = {NULL, 0};
    X509 *cert = make_cert(&spec);
    uint8_t *der = cert_der(cert, 0, 0, &nv.len);

    (void)state;
    nv.data = der;
    assert_int_equal(devid_ek_verify(nv, &policy, &verdict),
                     DEVID_ATTEST_EK_NOT_ALLOWED);
    expect_text(&verdict.error, verdict.ek_digest);
    memcpy(digest, verdict.ek_digest, sizeof(digest));
    assert_int_equal(devid_ek_verify(nv, &policy, &verdict),
                     DEVID_ATTEST_TRUSTED);
    X509_free(cert);
    free(der);
}

static void keys_that_no_tpm_makes_are_refused(void **state)
{
    struct cert_spec spec = ek_spec();

    (void)state;
    spec.key = EVP_RSA_gen(1024);
    expect_cert(make_cert(&spec), strict, DEVID_ATTEST_EK_KEY,
                "RSA key has 1024 bits");
    EVP_PKEY_free(spec.key);
    spec.key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    expect_cert(make_cert(&spec), strict, DEVID_ATTEST_EK_KEY,
                "the public key is of type ED25519");
    EVP_PKEY_free(spec.key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrappers_and_padding_are_taken_off),
        cmocka_unit_test(what_is_neither_certificate_nor_padding_is_refused),
        cmocka_unit_test(
            a_folder_of_vendors_is_read_whatever_its_files_are_called),
        cmocka_unit_test(an_ek_of_a_vendor_is_trusted_and_named_by_its_digest),
        cmocka_unit_test(each_break_in_the_chain_has_its_reason),
        cmocka_unit_test(what_stands_above_must_be_allowed_to),
        cmocka_unit_test(
            old_hashes_and_dates_pass_only_where_the_policy_says_so),
        cmocka_unit_test(a_certificate_for_something_else_is_refused),
        cmocka_unit_test(an_ek_off_the_list_is_refused),
        cmocka_unit_test(keys_that_no_tpm_makes_are_refused),
    };

    return cmocka_run_group_tests_name("ek", tests, set_up, tear_down);
}
