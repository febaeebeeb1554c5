/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token's identity, as devid provision makes it: the key of a label, which is
 * taken where it is there, a request, and the certificate beside the key.
 */
#include "operations_pkcs10.h"

#include <openssl/crypto.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <string.h>

static void new_uri(const struct trial *t, const char *more,
                    char uri[DEVID_URI_SIZE])
{
    fixture_numbered(t, FIXTURE_NEW, more, uri);
}

static enum devid_err open_or_make(struct trial *t, struct devid_error *err)
{
    const struct devid_key_spec spec = fixture_spec(t, FIXTURE_NEW);
    char uri[DEVID_URI_SIZE];
    enum devid_err e;

    new_uri(t, ";type=private", uri);
    e = devid_key_from_uri(t->engine, uri, &t->key, err);
    return e == DEVID_ERR_NOT_FOUND
               ? devid_key_create(t->engine, &spec, &t->key, err)
               : e;
}

static enum devid_err run_provision(struct trial *t, struct devid_error *err)
{
    static const struct devid_csr_spec csr = {.subject = "/serialNumber=SN1"};
    char uri[DEVID_URI_SIZE];
    struct devid_cert_spec cert = {.uri = uri, .replace = true};
    enum devid_err e;

    cert.der = fixture_cert(&cert.len);
    new_uri(t, "", uri);
    devid_key_free(&t->key);
    e = open_or_make(t, err);
    if (e == DEVID_OK)
        e = devid_csr_create(t->key, &csr, &t->der, &t->der_len, err);
    if (e == DEVID_OK)
        e = devid_cert_write(t->engine, &cert, err);
    if (e != DEVID_OK)
        trial_forget(t); /* a request by itself is of no use to anybody */
    return e;
}

/* Who has logged in sees private objects, too. */
static bool is_key_of_use(struct trial *t)
{
    struct devid_tbs tbs;

    fixture_tbs(t->key, &tbs);
    return devid_key_sign(t->key, &tbs, &t->sig, NULL) == DEVID_OK;
}

/* One key, whose request it is, and one certificate. */
static bool right_provision(struct trial *t)
{
    const uint8_t *p = t->der;
    X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)t->der_len);
    const uint8_t *expected;
    uint8_t *der = NULL;
    size_t expected_len = 0;
    size_t len = 0;
    char uri[DEVID_URI_SIZE];
    bool right =
        req != NULL && X509_REQ_verify(req, X509_REQ_get0_pubkey(req)) == 1;

    expected = fixture_cert(&expected_len);
    new_uri(t, ";type=cert", uri);
    right = right &&
            devid_cert_read(t->engine, uri, &der, &len, NULL) == DEVID_OK &&
            len == expected_len && memcmp(der, expected, len) == 0;
    OPENSSL_free(der);
    X509_REQ_free(req);
    return right && is_key_of_use(t) && token_new_objects() == 3;
}

static void take_away(const struct trial *t, const char *more)
{
    struct devid_error err = {0};
    char uri[DEVID_URI_SIZE];
    enum devid_err e;

    new_uri(t, more, uri);
    e = devid_delete(t->engine, uri, &err);
    if (e != DEVID_ERR_NOT_FOUND)
        must(e, &err, uri);
}

/* As it is delivered. */
static void clean(struct trial *t)
{
    devid_key_free(&t->key);
    take_away(t, ";type=cert");
    take_away(t, "");
    devid_shutdown();
}

const struct operation pkcs10_operations[] = {
    {"provision", .algorithm = "ec-p256", .trusts = true, .prepare = clean,
     .run = run_provision, .right = right_provision, .end = clean},
    {.name = NULL},
};
