/* SPDX-License-Identifier: Apache-2.0 */
#include "factory.h"

#include <stdlib.h>
#include <string.h>

const struct devid_hw_module factory_module = {
    .serial = "STM :AABB:0102",
    .ek_digest =
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
};

X509 *make_ca(EVP_PKEY *key, const char *key_usage)
{
    X509 *ca = make_cert(&(struct cert_spec){.name = "Factory",
                                             .key = key,
                                             .basic = "critical,CA:TRUE",
                                             .key_usage = key_usage,
                                             .key_id = true});

    return ca;
}

void open_factory(struct factory *f, const char *algorithm)
{
    struct devid_error err = {0};

    memset(f, 0, sizeof(*f));
    f->key = software_key(algorithm);
    f->device_key = software_key("ec-p256");
    software_public(f->device_key, &f->pub);
    f->ca = make_ca(f->key, "keyCertSign,cRLSign");
    f->der = cert_der(f->ca, 0, 0, &f->spec.ca.len);
    f->spec.ca.data = f->der;
    f->spec.key = f->key;
    f->spec.subject = "/O=Acme";
    f->spec.crl_url = "http://ca.example/{shard}.crl";
    f->spec.shards = 16;
    assert_int_equal(devid_issuer_new(&f->spec, &f->issuer, &err), DEVID_OK);
}

void close_factory(struct factory *f)
{
    devid_issuer_free(&f->issuer);
    assert_null(f->issuer);
    X509_free(f->ca);
    EVP_PKEY_free(f->key);
    EVP_PKEY_free(f->device_key);
    free(f->der);
}
