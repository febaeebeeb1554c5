/* SPDX-License-Identifier: Apache-2.0 */
#include "certificates.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "base64.h"
#include "message.h"

void certificates_clear(struct certificates *certificates)
{
    X509_free(certificates->idevid);
    X509_free(certificates->iak);
    sk_X509_pop_free(certificates->ca, X509_free);
    sk_X509_pop_free(certificates->anchors, X509_free);
    memset(certificates, 0, sizeof(*certificates));
}

/* ---- out of JSON and PEM ------------------------------------------------ */

static X509 *cert_from_json(const json_t *value)
{
    const char *text = json_string_value(value);
    const unsigned char *at;
    uint8_t *der = NULL;
    X509 *cert = NULL;
    size_t len = 0;

    if (text == NULL || !base64_decode(text, &der, &len))
        return NULL;
    at = der;
    cert = d2i_X509(NULL, &at, (long)len);
    if (cert != NULL && at != der + len) {
        X509_free(cert);
        cert = NULL;
    }
    OPENSSL_free(der);
    ERR_clear_error();
    return cert;
}

STACK_OF(X509) * certificates_chain(const json_t *array)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    json_t *value;
    size_t i;

    if (chain == NULL)
        die_no_memory();
    json_array_foreach(array, i, value)
    {
        X509 *cert = cert_from_json(value);

        if (cert == NULL) {
            sk_X509_pop_free(chain, X509_free);
            return NULL;
        }
        if (sk_X509_push(chain, cert) == 0)
            die_no_memory();
    }
    if (sk_X509_num(chain) > 0)
        return chain;
    sk_X509_free(chain);
    return NULL;
}

enum exit_code certificates_from_json(const char *where, const json_t *answer,
                                      struct certificates *certificates)
{
    const json_t *iak = json_object_get(answer, "iak");

    certificates->idevid = cert_from_json(json_object_get(answer, "idevid"));
    certificates->iak = cert_from_json(iak);
    certificates->ca = certificates_chain(json_object_get(answer, "ca"));
    if (certificates->idevid != NULL && certificates->ca != NULL &&
        (iak == NULL || certificates->iak != NULL))
        return EXIT_DONE;
    return fail_with(EXIT_UNTRUSTED,
                     "%s has no certificates: idevid, iak and ca must be DER "
                     "in base64",
                     where);
}

bool certificate_has_key(X509 *cert, const struct devid_public *pub)
{
    struct devid_public found;
    uint8_t *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
    bool same =
        len > 0 &&
        devid_public_from_spki(spki, (size_t)len, &found, NULL) == DEVID_OK &&
        devid_public_equal(&found, pub);

    OPENSSL_free(spki);
    ERR_clear_error();
    return same;
}

/* Takes the certificate over. */
static void place(X509 *cert, const struct certificates_owner *owner,
                  struct certificates *certificates)
{
    if (certificates->idevid == NULL &&
        certificate_has_key(cert, owner->idevid))
        certificates->idevid = cert;
    else if (certificates->iak == NULL && owner->iak != NULL &&
             certificate_has_key(cert, owner->iak))
        certificates->iak = cert;
    else if (sk_X509_push(certificates->ca, cert) == 0)
        die_no_memory();
}

enum exit_code certificates_from_pem(const char *where, const char *text,
                                     const struct certificates_owner *owner,
                                     struct certificates *certificates)
{
    BIO *bio = BIO_new_mem_buf(text, -1);
    X509 *cert;

    certificates->ca = sk_X509_new_null();
    if (bio == NULL || certificates->ca == NULL)
        die_no_memory();
    while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
        place(cert, owner, certificates);
    BIO_free(bio);
    ERR_clear_error();
    if (certificates->idevid == NULL)
        return fail_with(EXIT_UNTRUSTED,
                         "%s holds no certificate of this device's IDevID: it "
                         "is another device's, or no certificates in PEM or "
                         "JSON",
                         where);
    if (sk_X509_num(certificates->ca) == 0)
        return fail_with(EXIT_UNTRUSTED,
                         "%s holds no certificate of the issuer", where);
    return EXIT_DONE;
}

/* ---- do they belong here? ----------------------------------------------- */

static bool has_serial(const X509 *cert, const char *serial)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_serialNumber, -1);
    const ASN1_STRING *found;

    if (at < 0)
        return false;
    found = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    return (size_t)ASN1_STRING_length(found) == strlen(serial) &&
           memcmp(ASN1_STRING_get0_data(found), serial, strlen(serial)) == 0;
}

/*
 * A chain to the last of `ca`. The device's clock may stand at 1970, so the
 * validity is for those to see to whom it shows the certificate.
 */
static const char *chain_fault(X509 *cert, STACK_OF(X509) * ca)
{
    X509 *last = sk_X509_value(ca, sk_X509_num(ca) - 1);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    const char *fault = NULL;

    if (store == NULL || ctx == NULL ||
        X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN |
                                        X509_V_FLAG_NO_CHECK_TIME) != 1 ||
        X509_STORE_add_cert(store, last) != 1 ||
        X509_STORE_CTX_init(ctx, store, cert, ca) != 1)
        die_no_memory();
    if (X509_verify_cert(ctx) != 1)
        fault = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    ERR_clear_error();
    return fault;
}

static enum exit_code check_one(X509 *cert, const char *name,
                                const struct devid_public *pub,
                                const struct certificates *certificates,
                                const char *serial)
{
    const char *fault;

    if (cert == NULL)
        return fail_with(EXIT_UNTRUSTED, "there is no certificate of the %s",
                         name);
    if (!certificate_has_key(cert, pub))
        return fail_with(EXIT_UNTRUSTED,
                         "the certificate of the %s is for another key than "
                         "this device's: nothing of it was kept",
                         name);
    if (serial != NULL && !has_serial(cert, serial))
        return fail_with(EXIT_UNTRUSTED,
                         "the certificate of the %s is not for the serial "
                         "number '%s': nothing of it was kept",
                         name, serial);
    fault = chain_fault(cert, certificates->ca);
    if (fault != NULL)
        return fail_with(EXIT_UNTRUSTED,
                         "the certificate of the %s has no chain to the "
                         "station's CA (%s): nothing of it was kept",
                         name, fault);
    return EXIT_DONE;
}

enum exit_code certificates_check(const struct certificates *certificates,
                                  const struct certificates_owner *owner)
{
    enum exit_code code = check_one(certificates->idevid, "IDevID",
                                    owner->idevid, certificates, owner->serial);

    if (code == EXIT_DONE && owner->iak != NULL)
        code = check_one(certificates->iak, "IAK", owner->iak, certificates,
                         owner->serial);
    return code;
}
