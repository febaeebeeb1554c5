/* SPDX-License-Identifier: Apache-2.0 */
/* A request for an LDevID: PKCS#10 in base64, and what is to hold of it. */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "body.h"
#include "est.h"

/* RFC 5272 as RFC 6402 has it: a request that asks for another name. */
#define CHANGE_SUBJECT_NAME "1.3.6.1.5.5.7.7.36"

/* ---- the body ---------------------------------------------------------- */

/* Lines of any length, ended in any way: RFC 8951, section 3. */
static bool unwrap(struct devid_bytes body, uint8_t **der, size_t *len)
{
    char *text = OPENSSL_malloc(body.len + 1);
    size_t count = 0;
    bool ok;

    if (!text)
        return false;
    for (size_t i = 0; i < body.len; i++) {
        const uint8_t c = body.data[i];
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            text[count++] = (char)c;
    }
    text[count] = '\0';
    ok = body_unbase64(text, count, der, len);
    OPENSSL_free(text);
    return ok;
}

static const char *take_key(struct est_request *request)
{
    uint8_t *spki = NULL;
    int n = i2d_X509_PUBKEY(X509_REQ_get_X509_PUBKEY(request->req), &spki);
    const char *why = NULL;

    if (n <= 0 || devid_public_from_spki(spki, (size_t)n, &request->pub,
                                         NULL) != DEVID_OK)
        why = "the key in the request is none that an LDevID may have";
    else if (devid_public_weakness(&request->pub))
        why = "the RSA key in the request is weak: shorter than 2048 bits, or "
              "of a generator with CVE-2017-15361 (\"ROCA\")";
    else
        sha256_hex(spki, (size_t)n, request->key_digest);
    OPENSSL_free(spki);
    return why;
}

void est_serial_of(const X509_NAME *name, char serial[LEDGER_TEXT_SIZE])
{
    X509_NAME *own = (X509_NAME *)(uintptr_t)name; /* OpenSSL 3 wants it so */
    bool ok = X509_NAME_get_text_by_NID(own, NID_serialNumber, serial,
                                        LEDGER_TEXT_SIZE) >= 0;

    /* Anybody may write anything there, and a database would mind. */
    for (const char *c = serial; ok && *c; c++)
        ok = *c >= ' ' && *c <= '~';
    if (!ok)
        *serial = '\0';
}

static const char *parse(struct est_request *request)
{
    const unsigned char *p = request->der;

    request->req = d2i_X509_REQ(NULL, &p, (long)request->der_len);
    if (!request->req || p != request->der + request->der_len)
        return "the body is no request in PKCS#10, or has something behind it";
    est_serial_of(X509_REQ_get_subject_name(request->req), request->serial);
    if (X509_REQ_verify(request->req, X509_REQ_get0_pubkey(request->req)) != 1)
        return "the signature of the request is not by its key";
    return take_key(request);
}

const char *est_request_open(struct devid_bytes body,
                             struct est_request *request)
{
    const char *why = "the body is no request in base64";

    *request = (struct est_request){0};
    if (unwrap(body, &request->der, &request->der_len))
        why = parse(request);
    ERR_clear_error();
    return why;
}

void est_request_clear(struct est_request *request)
{
    X509_REQ_free(request->req);
    OPENSSL_free(request->der);
    *request = (struct est_request){0};
}

/* ---- names ------------------------------------------------------------- */

static bool same_san(X509_EXTENSION *asked, X509 *cert)
{
    int at = X509_get_ext_by_NID(cert, NID_subject_alt_name, -1);

    return at >= 0 && ASN1_OCTET_STRING_cmp(
                          X509_EXTENSION_get_data(asked),
                          X509_EXTENSION_get_data(X509_get_ext(cert, at))) == 0;
}

/* None at all is well: the LDevID has that of the IDevID. */
static bool san_fits(X509_REQ *req, X509 *cert)
{
    STACK_OF(X509_EXTENSION) *asked = X509_REQ_get_extensions(req);
    int at = X509v3_get_ext_by_NID(asked, NID_subject_alt_name, -1);
    bool ok = at < 0 || same_san(X509v3_get_ext(asked, at), cert);

    sk_X509_EXTENSION_pop_free(asked, X509_EXTENSION_free);
    return ok;
}

static bool changes_name(X509_REQ *req)
{
    ASN1_OBJECT *object = OBJ_txt2obj(CHANGE_SUBJECT_NAME, 1);
    bool found = object && X509_REQ_get_attr_by_OBJ(req, object, -1) >= 0;

    ASN1_OBJECT_free(object);
    return found;
}

const char *est_check_names(const struct est_request *request,
                            struct devid_bytes der, bool exactly)
{
    const X509_NAME *subject = X509_REQ_get_subject_name(request->req);
    const unsigned char *p = der.data;
    X509 *cert = d2i_X509(NULL, &p, (long)der.len);
    bool empty = X509_NAME_entry_count(subject) == 0;
    const char *why = NULL;

    if (!cert)
        why = "the certificate of the unit cannot be read";
    else if ((!empty || exactly) &&
             X509_NAME_cmp(subject, X509_get_subject_name(cert)) != 0)
        why = exactly ? "the subject of the request is not that of the "
                        "certificate that is to be renewed"
                      : "the subject of the request is neither empty nor that "
                        "of the unit's IDevID";
    else if (!san_fits(request->req, cert))
        why = "the subjectAltName of the request is not that of the unit's "
              "certificate";
    else if (changes_name(request->req))
        why = "the request asks for another name (ChangeSubjectName), which "
              "this station does not give";
    X509_free(cert);
    ERR_clear_error();
    return why;
}

/* ---- the connection ---------------------------------------------------- */

const char *est_check_binding(const struct est_request *request,
                              struct devid_bytes unique)
{
    int at =
        X509_REQ_get_attr_by_NID(request->req, NID_pkcs9_challengePassword, -1);
    const X509_ATTRIBUTE *attribute =
        at >= 0 ? X509_REQ_get_attr(request->req, at) : NULL;
    const ASN1_TYPE *said =
        X509_ATTRIBUTE_get0_type((X509_ATTRIBUTE *)(uintptr_t)attribute, 0);
    unsigned char text[4 * ((EVP_MAX_MD_SIZE + 2) / 3) + 1];
    int len;

    /* TLS 1.3 has no tls-unique: what stands there is something else. */
    if (at < 0 || unique.len == 0 || unique.len > EVP_MAX_MD_SIZE)
        return NULL;
    len = EVP_EncodeBlock(text, unique.data, (int)unique.len);
    if (said && ASN1_TYPE_get(said) != V_ASN1_BOOLEAN &&
        ASN1_STRING_length(said->value.asn1_string) == len &&
        CRYPTO_memcmp(ASN1_STRING_get0_data(said->value.asn1_string), text,
                      (size_t)len) == 0)
        return NULL;
    return "the request was made for another connection: its challengePassword "
           "is not this one's tls-unique";
}
