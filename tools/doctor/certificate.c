/* SPDX-License-Identifier: Apache-2.0 */
#include "certificate.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "attest.h"
#include "message.h"
#include "report.h"

static void put_name(json_t *report, const char *member, const X509_NAME *name)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;

    if (!out || X509_NAME_print_ex(out, name, 0, XN_FLAG_RFC2253) < 0 ||
        BIO_write(out, "", 1) != 1)
        die_no_memory();
    len = BIO_get_mem_data(out, &text);
    if (len > 1)
        report_text(report, member, text);
    BIO_free(out);
}

static void put_time(json_t *report, const char *member, const ASN1_TIME *time)
{
    struct tm tm;

    if (ASN1_TIME_to_tm(time, &tm) == 1)
        report_number(report, member, (json_int_t)timegm(&tm));
}

/*
 * Not by X509_get0_pubkey: OpenSSL 3.0 takes no key for RSAES-OAEP, as those of
 * some vendors' EK certificates are. That of an EK is what its verification
 * says that it is, whatever else comes of it.
 */
static bool public_of(X509 *cert, struct devid_bytes der,
                      struct devid_public *pub)
{
    const struct devid_attest_policy policy = {0};
    struct devid_attest_verdict verdict;
    uint8_t *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
    bool ok = len > 0 &&
              devid_public_from_spki(spki, (size_t)len, pub, NULL) == DEVID_OK;

    OPENSSL_free(spki);
    if (ok)
        return true;
    ok = devid_ek_verify(der, &policy, &verdict) != DEVID_ATTEST_EK_MALFORMED &&
         verdict.ek.bits > 0;
    *pub = verdict.ek;
    return ok;
}

static void describe(json_t *report, X509 *cert)
{
    struct devid_public pub;
    uint8_t *der = NULL;
    int len = i2d_X509(cert, &der);

    put_name(report, "subject", X509_get_subject_name(cert));
    put_name(report, "issuer", X509_get_issuer_name(cert));
    put_time(report, "not_before", X509_get0_notBefore(cert));
    put_time(report, "not_after", X509_get0_notAfter(cert));
    if (len > 0 &&
        public_of(cert, (struct devid_bytes){der, (size_t)len}, &pub))
        report_value(report, "public", look_at_public(&pub));
    if (len > 0)
        put_hex(report, "der", der, (size_t)len);
    OPENSSL_free(der);
}

void look_at_certificate(json_t *report, const uint8_t *der, size_t len)
{
    X509 *cert = d2i_X509(NULL, &der, (long)len);

    if (cert)
        describe(report, cert);
    else
        report_text(report, "error", "it is no certificate in DER");
    X509_free(cert);
    ERR_clear_error();
}

void look_at_more_certificates(json_t *list, const uint8_t *der, size_t len)
{
    const uint8_t *end = der + len;
    X509 *cert;

    while (der < end && (cert = d2i_X509(NULL, &der, end - der)) != NULL) {
        json_t *report = report_new();

        describe(report, cert);
        report_append(list, report);
        X509_free(cert);
    }
    ERR_clear_error();
}

json_t *look_at_certificates(const char *pem)
{
    json_t *list = report_array();
    BIO *in = BIO_new_mem_buf(pem, -1);
    X509 *cert;

    while (in && (cert = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
        json_t *report = report_new();

        describe(report, cert);
        report_append(list, report);
        X509_free(cert);
    }
    BIO_free(in);
    ERR_clear_error();
    return list;
}

uint8_t *certificate_der(const json_t *cert, size_t *len)
{
    long found = 0;
    uint8_t *der = OPENSSL_hexstr2buf(report_get(cert, "der"), &found);

    *len = (size_t)found;
    ERR_clear_error();
    return der;
}
