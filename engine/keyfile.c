/* SPDX-License-Identifier: Apache-2.0 */
#include "keyfile.h"
#include "asn1.h"
#include "backend.h"
#include "libcrypto.h"
#include "policy_asn1.h"

#include <openssl/crypto.h>
#include <openssl/objects.h>

#include <string.h>

/* TPM 2.0 Part 2, 7.4 TPM_RH: what a primary key can be made under. */
#define RH_OWNER 0x40000001U
#define RH_NULL 0x40000007U
#define RH_ENDORSEMENT 0x4000000BU
#define RH_PLATFORM 0x4000000CU
#define HANDLE_TYPE(handle) ((handle) >> 24)
#define PERSISTENT 0x81U

#define REFERENCE_VERSION 1

#define PEER_URI_MARK "PKCS#11 Provider URI v1."

/* What the first elements of the outer SEQUENCE say. */
enum kind {
    KIND_OTHER,
    KIND_LOADABLE,
    KIND_IMPORTABLE,
    KIND_SEALED,
    KIND_REFERENCE,
    KIND_PEER_URI,
};

static enum kind kind_by_oid(const ASN1_OBJECT *oid)
{
    char text[64] = "";

    (void)OBJ_obj2txt(text, sizeof(text), oid, 1);
    if (strcmp(text, DEVID_OID_LOADABLE) == 0)
        return KIND_LOADABLE;
    if (strcmp(text, DEVID_OID_IMPORTABLE) == 0)
        return KIND_IMPORTABLE;
    if (strcmp(text, DEVID_OID_SEALED) == 0)
        return KIND_SEALED;
    return KIND_OTHER;
}

/* A string of ASN.1 as a C string, OPENSSL_malloc; NULL if it holds a NUL. */
static char *text_of(const ASN1_STRING *string)
{
    const char *data = (const char *)ASN1_STRING_get0_data(string);
    size_t len = (size_t)ASN1_STRING_length(string);

    if (len > 0 && memchr(data, '\0', len) != NULL)
        return NULL;
    return OPENSSL_strndup(len > 0 ? data : "", len);
}

static bool is_our_uri(const ASN1_UTF8STRING *string)
{
    char *text = text_of(string);
    bool ours = text != NULL && devid_is_uri(text);

    OPENSSL_free(text);
    return ours;
}

/* version INTEGER, uri UTF8String */
static enum kind kind_by_uri(const uint8_t *p, long len)
{
    const uint8_t *end = p + len;
    ASN1_INTEGER *version = d2i_ASN1_INTEGER(NULL, &p, len);
    ASN1_UTF8STRING *uri = NULL;
    enum kind kind = KIND_OTHER;

    if (version != NULL)
        uri = d2i_ASN1_UTF8STRING(NULL, &p, end - p);
    if (uri != NULL && is_our_uri(uri))
        kind = KIND_REFERENCE;
    ASN1_INTEGER_free(version);
    ASN1_UTF8STRING_free(uri);
    return kind;
}

/* description VisibleString; whatever stands behind version 1 is read. */
static enum kind kind_by_mark(const uint8_t *p, long len)
{
    ASN1_VISIBLESTRING *mark = d2i_ASN1_VISIBLESTRING(NULL, &p, len);
    char *text = mark != NULL ? text_of(mark) : NULL;
    enum kind kind = KIND_OTHER;

    if (text != NULL &&
        strncmp(text, PEER_URI_MARK, sizeof(PEER_URI_MARK) - 1) == 0)
        kind = KIND_PEER_URI;
    OPENSSL_free(text);
    ASN1_VISIBLESTRING_free(mark);
    return kind;
}

/*
 * Look at the first elements only, so that a file of ours that is cut short
 * is told from a file of somebody else.
 */
static enum kind peek(const uint8_t *der, size_t len)
{
    const uint8_t *p = der;
    ASN1_OBJECT *oid;
    enum kind kind;
    long body = 0;
    int tag = 0;
    int class = 0;

    /* The return value complains of a short body, which does not matter. */
    (void)ASN1_get_object(&p, &body, &tag, &class, (long)len);
    if (p == der || tag != V_ASN1_SEQUENCE || class != V_ASN1_UNIVERSAL)
        return KIND_OTHER;
    body = (long)len - (p - der);
    if (body > 0 && *p == V_ASN1_INTEGER)
        return kind_by_uri(p, body);
    if (body > 0 && *p == V_ASN1_VISIBLESTRING)
        return kind_by_mark(p, body);
    oid = d2i_ASN1_OBJECT(NULL, &p, body);
    if (oid == NULL)
        return KIND_OTHER;
    kind = kind_by_oid(oid);
    ASN1_OBJECT_free(oid);
    return kind;
}

/* Copy a TPM2B out of its OCTET STRING: its own size must fit. */
static enum devid_err copy_tpm2b(const ASN1_OCTET_STRING *from,
                                 const char *what, uint8_t **to, size_t *len,
                                 struct devid_error *err)
{
    const uint8_t *data = ASN1_STRING_get0_data(from);
    size_t n = (size_t)ASN1_STRING_length(from);

    if (n < 3 || ((size_t)data[0] << 8 | data[1]) != n - 2) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the key file's %s does not have the length that it "
                          "states: the file is damaged; restore it from a "
                          "backup or make a new key",
                          what);
    }
    *to = OPENSSL_memdup(data, n);
    if (*to == NULL)
        return devid_no_memory(err);
    *len = n;
    return DEVID_OK;
}

/*
 * Old writers put a handle down as a negative number (0x81000001 as
 * -0x7EFFFFFF), and tpm2-openssl writes 0 for the owner in memory of older
 * ones: both are read, and neither written.
 */
static enum devid_err get_parent(const ASN1_INTEGER *from, uint32_t *parent,
                                 struct devid_error *err)
{
    int64_t n = 0;

    if (ASN1_INTEGER_get_int64(&n, from) != 1 || n < INT32_MIN ||
        n > UINT32_MAX) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the key file's parent is no number of 32 bits");
    }
    *parent = n == 0 ? RH_OWNER : (uint32_t)n;
    if (HANDLE_TYPE(*parent) == PERSISTENT || *parent == RH_OWNER ||
        *parent == RH_NULL || *parent == RH_ENDORSEMENT ||
        *parent == RH_PLATFORM)
        return DEVID_OK;
    return devid_fail(err, DEVID_ERR_INPUT, 0,
                      "the key file's parent 0x%08x is neither a persistent "
                      "handle (0x81000000 to 0x81ffffff) nor a hierarchy",
                      (unsigned)*parent);
}

static enum devid_err copy_secret(const TPM_KEY *key,
                                  struct devid_keyfile *file,
                                  struct devid_error *err)
{
    if (key->secret == NULL) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the importable TSS2 PRIVATE KEY has no secret, by "
                          "which its parent could take it apart: the file is "
                          "damaged");
    }
    return copy_tpm2b(key->secret, "secret", &file->secret, &file->secret_len,
                      err);
}

static enum devid_err copy_description(const ASN1_UTF8STRING *from,
                                       struct devid_keyfile *file,
                                       struct devid_error *err)
{
    if (from == NULL)
        return DEVID_OK;
    file->description = text_of(from);
    if (file->description == NULL)
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the key file's description holds a NUL");
    return DEVID_OK;
}

static enum devid_err fill_tss2(const TPM_KEY *key, struct devid_keyfile *file,
                                struct devid_error *err)
{
    enum devid_err e;

    file->format = DEVID_KEYFILE_TSS2;
    file->empty_auth = key->empty_auth > 0;
    file->rsa_parent = key->rsa_parent > 0;
    file->has_policy = key->policy != NULL || key->auth_policy != NULL;
    e = copy_description(key->description, file, err);
    if (e == DEVID_OK)
        e = get_parent(key->parent, &file->parent, err);
    if (e == DEVID_OK)
        e = devid_policy_read(key, file, err);
    if (e == DEVID_OK)
        e = copy_tpm2b(key->pubkey, "public area", &file->tpm_public,
                       &file->tpm_public_len, err);
    if (e == DEVID_OK)
        e = copy_tpm2b(key->privkey, "private area", &file->tpm_private,
                       &file->tpm_private_len, err);
    if (e == DEVID_OK && file->importable)
        e = copy_secret(key, file, err);
    return e;
}

static enum devid_err fill_reference(const KEY_REFERENCE *ref,
                                     struct devid_keyfile *file,
                                     struct devid_error *err)
{
    int64_t version = 0;
    enum devid_err e;

    if (ASN1_INTEGER_get_int64(&version, ref->version) != 1 ||
        version != REFERENCE_VERSION) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the DEVID KEY REFERENCE is of version %lld; this "
                          "devid reads version %d: use a newer one",
                          (long long)version, REFERENCE_VERSION);
    }
    e = devid_public_from_spki(ASN1_STRING_get0_data(ref->public_key),
                               (size_t)ASN1_STRING_length(ref->public_key),
                               &file->public_key, err);
    if (e == DEVID_OK)
        e = copy_description(ref->description, file, err);
    if (e != DEVID_OK)
        return e;
    file->has_public = true;
    file->format = DEVID_KEYFILE_REFERENCE;
    file->uri = text_of(ref->uri);
    return file->uri == NULL ? devid_no_memory(err) : DEVID_OK;
}

static enum devid_err fill_peer_uri(const PEER_URI *peer,
                                    struct devid_keyfile *file,
                                    struct devid_error *err)
{
    if (!is_our_uri(peer->uri))
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the " DEVID_PEM_PEER_URI " holds no URI of PKCS#11");
    file->format = DEVID_KEYFILE_REFERENCE;
    file->uri = text_of(peer->uri);
    return file->uri == NULL ? devid_no_memory(err) : DEVID_OK;
}

/* How a form is decoded, and spoken of. */
static const struct form {
    const ASN1_ITEM *(*item)(void);
    const char *label;
} forms[] = {
    [KIND_LOADABLE] = {ASN1_ITEM_ref(TPM_KEY), DEVID_PEM_TSS2},
    [KIND_IMPORTABLE] = {ASN1_ITEM_ref(TPM_KEY), DEVID_PEM_TSS2},
    [KIND_REFERENCE] = {ASN1_ITEM_ref(KEY_REFERENCE), DEVID_PEM_REFERENCE},
    [KIND_PEER_URI] = {ASN1_ITEM_ref(PEER_URI), DEVID_PEM_PEER_URI},
};

static enum devid_err fill(enum kind kind, const ASN1_VALUE *value,
                           struct devid_keyfile *file, struct devid_error *err)
{
    if (kind == KIND_REFERENCE)
        return fill_reference((const KEY_REFERENCE *)value, file, err);
    if (kind == KIND_PEER_URI)
        return fill_peer_uri((const PEER_URI *)value, file, err);
    file->importable = kind == KIND_IMPORTABLE;
    return fill_tss2((const TPM_KEY *)value, file, err);
}

static enum devid_err parse_as(enum kind kind, const uint8_t *der, size_t len,
                               struct devid_keyfile *file,
                               struct devid_error *err)
{
    const ASN1_ITEM *item = forms[kind].item();
    const uint8_t *p = der;
    ASN1_VALUE *value = ASN1_item_d2i(NULL, &p, (long)len, item);
    enum devid_err e;

    if (value == NULL) {
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "the %s is cut short or garbled; restore it from a "
                       "backup or make a new key",
                       forms[kind].label);
    } else if (p != der + len) {
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "the %s is followed by %zu bytes that do not belong to "
                       "it",
                       forms[kind].label, (size_t)(der + len - p));
    } else {
        e = fill(kind, value, file, err);
    }
    ASN1_item_free(value, item);
    return e;
}

static enum devid_err parse(const uint8_t *der, size_t len, bool *recognised,
                            struct devid_keyfile *file, struct devid_error *err)
{
    enum kind kind = peek(der, len);

    *recognised = kind != KIND_OTHER;
    switch (kind) {
    case KIND_OTHER:
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "this is neither a " DEVID_PEM_TSS2
                          " nor a " DEVID_PEM_REFERENCE);
    case KIND_SEALED:
        return devid_fail(err, DEVID_ERR_ALG, 0,
                          "the TSS2 PRIVATE KEY holds sealed data, which is "
                          "no key that could sign");
    case KIND_LOADABLE:
    case KIND_IMPORTABLE:
    case KIND_REFERENCE:
    case KIND_PEER_URI:
        break;
    }
    return parse_as(kind, der, len, file, err);
}

enum devid_err devid_keyfile_parse(const uint8_t *der, size_t len,
                                   bool *recognised, struct devid_keyfile *file,
                                   struct devid_error *err)
{
    bool ours = false;
    enum devid_err e;

    memset(file, 0, sizeof(*file));
    if (recognised != NULL)
        *recognised = false;
    if (len > DEVID_KEYFILE_MAX) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "%zu bytes are too many for a key file (%d at most)",
                          len, DEVID_KEYFILE_MAX);
    }
    devid_quiet_begin();
    e = parse(der, len, &ours, file, err);
    devid_quiet_end();
    if (e == DEVID_OK &&
        (file->format == DEVID_KEYFILE_TSS2 || file->has_public)) {
        file->der = OPENSSL_memdup(der, len);
        file->der_len = len;
        if (file->der == NULL)
            e = devid_no_memory(err);
    }
    if (recognised != NULL)
        *recognised = ours;
    if (e != DEVID_OK)
        devid_keyfile_clear(file);
    return e;
}

void devid_keyfile_clear(struct devid_keyfile *file)
{
    if (file == NULL)
        return;
    OPENSSL_free(file->tpm_public);
    OPENSSL_clear_free(file->tpm_private, file->tpm_private_len);
    devid_policy_clear(&file->policy);
    devid_policies_clear(&file->signed_policies);
    OPENSSL_free(file->secret);
    OPENSSL_free(file->description);
    OPENSSL_clear_free(file->der, file->der_len);
    OPENSSL_free(file->uri);
    memset(file, 0, sizeof(*file));
}
