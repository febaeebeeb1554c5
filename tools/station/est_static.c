/* SPDX-License-Identifier: Apache-2.0 */
/* EST's answers in PKCS#7, and those that need nobody to be known. */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <stdlib.h>
#include <string.h>

#include "est.h"

/* ---- certificates alone ------------------------------------------------ */

/* SignedData without a signer: RFC 5272, 4.1. */
static PKCS7 *certs_only(STACK_OF(X509) * certs)
{
    PKCS7 *p7 = PKCS7_new();
    bool ok = p7 && PKCS7_set_type(p7, NID_pkcs7_signed) == 1 &&
              PKCS7_content_new(p7, NID_pkcs7_data) == 1 &&
              PKCS7_set_detached(p7, 1) == 1;

    for (int i = 0; ok && i < sk_X509_num(certs); i++)
        ok = PKCS7_add_certificate(p7, sk_X509_value(certs, i)) == 1;
    if (ok)
        return p7;
    PKCS7_free(p7);
    return NULL;
}

static enum step answer_der(struct exchange *x, const char *type,
                            const uint8_t *der, size_t len)
{
    const struct devid_error err = {.text = "out of memory"};

    OPENSSL_free(x->bytes);
    x->bytes = OPENSSL_malloc((len + 2) / 3 * 4 + 2);
    if (!x->bytes)
        return exchange_fail(x, &err);
    x->bytes_len = (size_t)EVP_EncodeBlock(x->bytes, der, (int)len);
    x->bytes[x->bytes_len++] = '\n';
    x->type = type;
    x->status = 200;
    return STEP_ANSWERED;
}

enum step est_answer_certs(struct exchange *x, STACK_OF(X509) * certs)
{
    const struct devid_error err = {.text = "out of memory"};
    PKCS7 *p7 = certs_only(certs);
    unsigned char *der = NULL;
    int len = p7 ? i2d_PKCS7(p7, &der) : 0;
    enum step step;

    if (len > 0)
        step = answer_der(x, "application/pkcs7-mime; smime-type=certs-only",
                          der, (size_t)len);
    else
        step = exchange_fail(x, &err);
    OPENSSL_free(der);
    PKCS7_free(p7);
    ERR_clear_error();
    return step;
}

/* ---- GET .../cacerts --------------------------------------------------- */

bool est_has_label(struct exchange *x, enum step *step)
{
    if (config_label(&x->context->config, x->label))
        return true;
    *step = exchange_refuse(x, 404, "path",
                            "there is no label '%s' here: [est] and "
                            "[est.LABEL] in station.conf make them",
                            x->label);
    return false;
}

enum step exchange_cacerts(struct exchange *x)
{
    enum step step;

    return est_has_label(x, &step) ? est_answer_certs(x, x->context->chain)
                                   : step;
}

/* ---- GET .../csrattrs -------------------------------------------------- */

/* SEQUENCE OF AttrOrOID, of which there are OIDs alone: RFC 7030, 4.5.2. */
static int encode_attributes(const char *text, unsigned char **der)
{
    STACK_OF(ASN1_TYPE) *list = sk_ASN1_TYPE_new_null();
    char *copy = OPENSSL_strdup(text);
    char *rest = copy;
    char *name;
    int len = -1;
    bool ok = list && copy;

    while (ok && (name = strsep(&rest, ", ")) != NULL) {
        ASN1_TYPE *item = *name ? ASN1_TYPE_new() : NULL;
        if (!*name)
            continue;
        ok = item && sk_ASN1_TYPE_push(list, item) > 0;
        if (ok)
            ASN1_TYPE_set(item, V_ASN1_OBJECT, OBJ_txt2obj(name, 0));
        else
            ASN1_TYPE_free(item);
    }
    if (ok)
        len = i2d_ASN1_SEQUENCE_ANY(list, der);
    sk_ASN1_TYPE_pop_free(list, ASN1_TYPE_free);
    OPENSSL_free(copy);
    return len;
}

enum step exchange_csrattrs(struct exchange *x)
{
    const struct devid_error err = {.text = "out of memory"};
    const struct est_label *label = config_label(&x->context->config, x->label);
    unsigned char *der = NULL;
    enum step step;
    int len;

    if (!est_has_label(x, &step))
        return step;
    if (!label->csrattrs)
        return exchange_answer_nothing(x);
    len = encode_attributes(label->csrattrs, &der);
    step = len > 0 ? answer_der(x, "application/csrattrs", der, (size_t)len)
                   : exchange_fail(x, &err);
    OPENSSL_free(der);
    return step;
}
