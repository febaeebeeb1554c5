/* SPDX-License-Identifier: Apache-2.0 */
#include "est_answer.h"

#include <limits.h>
#include <openssl/asn1t.h>
#include <openssl/cms.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

#include "base64.h"
#include "message.h"

bool est_decode(const char *data, size_t len, uint8_t **der, size_t *der_len)
{
    char *text = OPENSSL_malloc(len + 1);
    size_t chars = 0;
    bool ok;

    if (text == NULL)
        die_no_memory();
    for (size_t i = 0; i < len; i++) {
        if (strchr(" \t\r\n", data[i]) == NULL)
            text[chars++] = data[i];
    }
    text[chars] = '\0';
    ok = strlen(text) == chars && base64_decode(text, der, der_len);
    OPENSSL_free(text);
    if (ok || len == 0 || data[0] != (V_ASN1_CONSTRUCTED | V_ASN1_SEQUENCE))
        return ok;
    *der = OPENSSL_memdup(data, len);
    *der_len = len;
    return *der != NULL;
}

STACK_OF(X509) * est_certificates(const uint8_t *der, size_t len)
{
    const unsigned char *at = der;
    CMS_ContentInfo *cms =
        len > LONG_MAX ? NULL : d2i_CMS_ContentInfo(NULL, &at, (long)len);
    STACK_OF(X509) *certs = NULL;

    if (cms != NULL && at == der + len &&
        OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_signed)
        certs = CMS_get1_certs(cms);
    CMS_ContentInfo_free(cms);
    ERR_clear_error();
    return certs;
}

/* ---- CsrAttrs ------------------------------------------------------------ */

static const struct {
    int nid; /* of a curve; or */
    long bits;
    const char *algorithm;
} algorithms[] = {
    {NID_X9_62_prime256v1, 0, "ec-p256"}, {NID_secp384r1, 0, "ec-p384"},
    {NID_secp521r1, 0, "ec-p521"},        {NID_undef, 2048, "rsa-2048"},
    {NID_undef, 3072, "rsa-3072"},        {NID_undef, 4096, "rsa-4096"},
};

/* Its first value: id-ecPublicKey has a curve, rsaEncryption a length. */
static const char *algorithm_of(X509_ATTRIBUTE *attribute)
{
    int type = OBJ_obj2nid(X509_ATTRIBUTE_get0_object(attribute));
    const ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(attribute, 0);
    int nid = NID_undef;
    long bits = 0;

    if (value == NULL)
        return NULL;
    if (type == NID_X9_62_id_ecPublicKey && value->type == V_ASN1_OBJECT)
        nid = OBJ_obj2nid(value->value.object);
    else if (type == NID_rsaEncryption && value->type == V_ASN1_INTEGER)
        bits = ASN1_INTEGER_get(value->value.integer);
    else
        return NULL;
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++) {
        if (algorithms[i].nid == nid && algorithms[i].bits == bits)
            return algorithms[i].algorithm;
    }
    return NULL;
}

/* CsrAttrs ::= SEQUENCE SIZE (0..MAX) OF AttrOrOID: RFC 7030, 4.5.2. */
static const char *look_at(const ASN1_TYPE *item, bool *valid)
{
    X509_ATTRIBUTE *attribute;
    const unsigned char *at;
    const char *algorithm = NULL;

    if (item->type == V_ASN1_OBJECT)
        return NULL;
    *valid = item->type == V_ASN1_SEQUENCE;
    if (!*valid)
        return NULL;
    at = ASN1_STRING_get0_data(item->value.sequence);
    attribute =
        d2i_X509_ATTRIBUTE(NULL, &at, ASN1_STRING_length(item->value.sequence));
    *valid = attribute != NULL;
    if (attribute != NULL)
        algorithm = algorithm_of(attribute);
    X509_ATTRIBUTE_free(attribute);
    return algorithm;
}

const char *est_wanted_algorithm(const uint8_t *der, size_t len, bool *valid)
{
    const unsigned char *at = der;
    ASN1_SEQUENCE_ANY *items =
        len > LONG_MAX ? NULL : d2i_ASN1_SEQUENCE_ANY(NULL, &at, (long)len);
    const char *algorithm = NULL;

    *valid = items != NULL && at == der + len;
    for (int i = 0; *valid && i < sk_ASN1_TYPE_num(items); i++) {
        const char *found = look_at(sk_ASN1_TYPE_value(items, i), valid);

        if (algorithm == NULL)
            algorithm = found;
    }
    sk_ASN1_TYPE_pop_free(items, ASN1_TYPE_free);
    ERR_clear_error();
    return *valid ? algorithm : NULL;
}
