/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate onto a token, beside its key: the same id and label. */
#include "find.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>

/* More are no certificates of one key, but of keys without an id. */
#define CERTS_MAX 8

struct write_request {
    const struct p11_uri *uri;
    const struct devid_cert_spec *spec;
    X509 *cert; /* own: what spec->der holds */
};

static CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, const void *value,
                              size_t len)
{
    /* A template's values are not changed by C_CreateObject. */
    return (CK_ATTRIBUTE){type, (void *)(uintptr_t)value, (CK_ULONG)len};
}

/* The certificates beside a key: by its id, or by its label if it has none. */
static enum devid_err find_beside(struct p11_session *session,
                                  const struct p11_object *key,
                                  CK_OBJECT_HANDLE *certs, CK_ULONG *count,
                                  struct devid_error *err)
{
    const struct p11_query query = {
        .class = CKO_CERTIFICATE,
        .id = key->id_len > 0 ? key->id : NULL,
        .id_len = key->id_len,
        .label = key->id_len > 0 ? NULL : key->label,
        .label_len = key->id_len > 0 ? 0 : strlen(key->label),
    };

    return p11_find(session, &query, certs, CERTS_MAX, count, err);
}

/* Does this object hold the certificate? */
static enum devid_err is_same(struct p11_session *session,
                              const struct write_request *r,
                              CK_OBJECT_HANDLE handle, bool *same,
                              struct devid_error *err)
{
    uint8_t *value = NULL;
    size_t len = 0;
    enum devid_err e = p11_object_value(session, handle, &value, &len, err);

    *same = e == DEVID_OK && len == r->spec->len &&
            memcmp(value, r->spec->der, len) == 0;
    OPENSSL_free(value);
    return e;
}

static enum devid_err create(struct p11_session *session,
                             const struct write_request *r,
                             const struct p11_object *key,
                             CK_OBJECT_HANDLE *handle, struct devid_error *err)
{
    static const CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    static const CK_CERTIFICATE_TYPE type = CKC_X_509;
    static const CK_BBOOL yes = CK_TRUE;
    static const CK_BBOOL no = CK_FALSE;
    unsigned char *subject = NULL;
    unsigned char *issuer = NULL;
    unsigned char *serial = NULL;
    int subject_len = i2d_X509_NAME(X509_get_subject_name(r->cert), &subject);
    int issuer_len = i2d_X509_NAME(X509_get_issuer_name(r->cert), &issuer);
    int serial_len = i2d_ASN1_INTEGER(X509_get0_serialNumber(r->cert), &serial);
    enum devid_err e = DEVID_OK;

    if (subject_len < 0 || issuer_len < 0 || serial_len < 0) {
        e = devid_no_memory(err);
    } else {
        CK_ATTRIBUTE template[] = {
            attribute(CKA_CLASS, &class, sizeof(class)),
            attribute(CKA_CERTIFICATE_TYPE, &type, sizeof(type)),
            attribute(CKA_TOKEN, &yes, sizeof(yes)),
            attribute(CKA_PRIVATE, &no, sizeof(no)),
            attribute(CKA_ID, key->id, key->id_len),
            attribute(CKA_LABEL, key->label, strlen(key->label)),
            attribute(CKA_SUBJECT, subject, (size_t)subject_len),
            attribute(CKA_ISSUER, issuer, (size_t)issuer_len),
            attribute(CKA_SERIAL_NUMBER, serial, (size_t)serial_len),
            attribute(CKA_VALUE, r->spec->der, r->spec->len),
        };
        CK_RV rv = session->f->C_CreateObject(
            session->handle, template, sizeof(template) / sizeof(*template),
            handle);

        if (rv != CKR_OK)
            e = p11_fail(err, rv, "store the certificate");
    }
    OPENSSL_free(subject);
    OPENSSL_free(issuer);
    OPENSSL_free(serial);
    return e;
}

/* The new one first: where it cannot be stored the old one is still there. */
static enum devid_err replace(struct p11_session *session,
                              const struct write_request *r,
                              const struct p11_object *key,
                              const CK_OBJECT_HANDLE *old, CK_ULONG old_count,
                              struct devid_error *err)
{
    CK_OBJECT_HANDLE handle = 0;
    bool same = false;
    enum devid_err e = create(session, r, key, &handle, err);

    if (e == DEVID_OK)
        e = is_same(session, r, handle, &same, err);
    if (e != DEVID_OK)
        return e;
    if (!same) {
        (void)session->f->C_DestroyObject(session->handle, handle);
        return devid_fail(err, DEVID_ERR_DEVICE, 0,
                          "the token holds another certificate than was "
                          "stored on it");
    }
    for (CK_ULONG i = 0; i < old_count; i++) {
        CK_RV rv = session->f->C_DestroyObject(session->handle, old[i]);

        if (rv != CKR_OK)
            return p11_fail(err, rv, "remove the certificate that was there");
    }
    return DEVID_OK;
}

static enum devid_err write_op(struct p11_session *session, void *arg,
                               struct devid_error *err)
{
    const struct write_request *r = arg;
    CK_OBJECT_HANDLE old[CERTS_MAX];
    CK_OBJECT_HANDLE handle = 0;
    CK_ULONG count = 0;
    struct p11_query query;
    struct p11_object key;
    bool same = false;
    enum devid_err e;

    p11_query_from_uri(r->uri, CKO_PRIVATE_KEY, &query);
    e = p11_find_one(session, &query, r->spec->uri, &handle, err);
    if (e == DEVID_OK)
        e = p11_object_read(session, handle, &key, err);
    if (e == DEVID_OK)
        e = find_beside(session, &key, old, &count, err);
    for (CK_ULONG i = 0; e == DEVID_OK && !same && i < count; i++)
        e = is_same(session, r, old[i], &same, err);
    if (e != DEVID_OK || same)
        return e;
    if (count > 0 && !r->spec->replace)
        return devid_fail(err, DEVID_ERR_EXISTS, 0,
                          "the token has another certificate beside this key: "
                          "give --force to replace it");
    return replace(session, r, &key, old, count, err);
}

enum devid_err p11_cert_write(void *state, const struct devid_cert_spec *spec,
                              struct devid_error *err)
{
    const unsigned char *at = spec->der;
    struct p11_uri uri;
    struct write_request r = {.uri = &uri, .spec = spec};
    struct p11_token *token = NULL;
    bool ask = false;
    enum devid_err e;

    ERR_set_mark();
    r.cert = d2i_X509(NULL, &at, (long)spec->len);
    ERR_pop_to_mark();
    if (r.cert == NULL)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "this is no certificate that OpenSSL can read");
    e = p11_open_uri(state, spec->uri, &uri, &token, &ask, err);
    if (e == DEVID_OK) {
        e = p11_run(token, P11_WRITE, write_op, &r, err);
        p11_uri_clear(&uri);
    }
    X509_free(r.cert);
    return e;
}
