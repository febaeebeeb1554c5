/* SPDX-License-Identifier: Apache-2.0 */
#include "vendor.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <stdlib.h>

struct vendor v;

X509 *make_root(EVP_PKEY *key)
{
    return make_cert(&(struct cert_spec){
        .name = "Root", .key = key, .basic = CA, .key_usage = "keyCertSign"});
}

struct cert_spec intermediate_spec(void)
{
    return (struct cert_spec){.name = "Intermediate",
                              .key = v.int_key,
                              .issuer = v.root,
                              .issuer_key = v.root_key,
                              .basic = "critical,CA:TRUE,pathlen:0",
                              .key_usage = "keyCertSign"};
}

struct cert_spec ek_spec(void)
{
    return (struct cert_spec){.name = "EK",
                              .key = v.ek_key,
                              .issuer = v.intermediate,
                              .issuer_key = v.int_key,
                              .basic = "critical,CA:FALSE",
                              .key_usage = "critical,keyEncipherment",
                              .usage = EK_USAGE};
}

int vendor_set_up(void **state)
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

int vendor_tear_down(void **state)
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

void vendor_expect(struct devid_bytes nv, struct devid_attest_policy policy,
                   enum devid_attest_reason reason, const char *text)
{
    policy.trust = policy.trust != NULL ? policy.trust : v.trust;
    expect_ek(nv, policy, reason, text);
}

void vendor_expect_cert(X509 *cert, struct devid_attest_policy policy,
                        enum devid_attest_reason reason, const char *text)
{
    size_t len = 0;
    uint8_t *der = cert_der(cert, 0, 0, &len);

    vendor_expect((struct devid_bytes){der, len}, policy, reason, text);
    free(der);
    X509_free(cert);
}
