/* SPDX-License-Identifier: Apache-2.0 */
#include "extensions.h"
#include "backend.h"
#include "libcrypto.h"

#include <openssl/objects.h>

#include <string.h>

/* A name and what it stands for: a bit of KeyUsage, a NID of an EKU. */
struct usage {
    const char *name;
    int value;
};

/* RFC 5280, 4.2.1.3 */
static const struct usage key_usages[] = {
    {"digitalSignature", 0},
    {"nonRepudiation", 1},
    {"contentCommitment", 1},
    {"keyEncipherment", 2},
    {"dataEncipherment", 3},
    {"keyAgreement", 4},
    {"keyCertSign", 5},
    {"cRLSign", 6},
    {"encipherOnly", 7},
    {"decipherOnly", 8},
    {NULL, 0},
};

/* RFC 5280, 4.2.1.12; others by their OIDs. */
static const struct usage ext_key_usages[] = {
    {"serverAuth", NID_server_auth},
    {"clientAuth", NID_client_auth},
    {"codeSigning", NID_code_sign},
    {"emailProtection", NID_email_protect},
    {"timeStamping", NID_time_stamp},
    {"OCSPSigning", NID_OCSP_sign},
    {"ipsecIKE", NID_ipsec_IKE},
    {"anyExtendedKeyUsage", NID_anyExtendedKeyUsage},
    {NULL, 0},
};

static const struct usage *find_usage(const struct usage *table,
                                      const char *name)
{
    for (; table->name != NULL; table++) {
        if (strcmp(table->name, name) == 0)
            return table;
    }
    return NULL;
}

/*
 * Take the next of a list "a, b,c". False at its end; an item that is empty
 * or too long comes out empty.
 */
static bool next_item(const char **list, char item[128])
{
    const char *p = *list;
    size_t len;

    if (p == NULL)
        return false;
    len = strcspn(p, ",");
    *list = p[len] == ',' ? p + len + 1 : NULL;
    while (len > 0 && *p == ' ') {
        p++;
        len--;
    }
    while (len > 0 && p[len - 1] == ' ')
        len--;
    if (len >= 128)
        len = 0;
    memcpy(item, p, len);
    item[len] = '\0';
    return true;
}

static enum devid_err make_key_usage(const char *list, ASN1_BIT_STRING *bits,
                                     struct devid_error *err)
{
    const char *p = list;
    char item[128];

    while (next_item(&p, item)) {
        const struct usage *u = find_usage(key_usages, item);

        if (u == NULL) {
            return devid_fail(err, DEVID_ERR_INPUT, 0,
                              "'%s' in the key usage '%.100s' is not known: "
                              "digitalSignature, nonRepudiation, "
                              "keyEncipherment, dataEncipherment, "
                              "keyAgreement, keyCertSign, cRLSign, "
                              "encipherOnly and decipherOnly are, with commas "
                              "between them",
                              item, list);
        }
        if (ASN1_BIT_STRING_set_bit(bits, u->value, 1) != 1)
            return devid_no_memory(err);
    }
    return DEVID_OK;
}

/* A dotted OID, or NULL. */
static ASN1_OBJECT *ext_key_usage_of(const char *name)
{
    const struct usage *u = find_usage(ext_key_usages, name);

    return u != NULL ? OBJ_nid2obj(u->value) : OBJ_txt2obj(name, 1);
}

static enum devid_err make_ext_key_usage(const char *list,
                                         EXTENDED_KEY_USAGE *usages,
                                         struct devid_error *err)
{
    const char *p = list;
    char item[128];

    while (next_item(&p, item)) {
        ASN1_OBJECT *oid = ext_key_usage_of(item);

        if (oid == NULL) {
            return devid_fail(err, DEVID_ERR_INPUT, 0,
                              "'%s' in the extended key usage '%.100s' is not "
                              "known: serverAuth, clientAuth, codeSigning, "
                              "emailProtection, timeStamping, OCSPSigning, "
                              "ipsecIKE, anyExtendedKeyUsage and dotted OIDs "
                              "are, with commas between them",
                              item, list);
        }
        if (sk_ASN1_OBJECT_push(usages, oid) <= 0) {
            ASN1_OBJECT_free(oid);
            return devid_no_memory(err);
        }
    }
    return DEVID_OK;
}

static enum devid_err make_sans(const char *const *sans, GENERAL_NAMES *names,
                                struct devid_error *err)
{
    for (; *sans != NULL; sans++) {
        GENERAL_NAME *name = NULL;
        enum devid_err e = devid_san_parse(*sans, &name, err);

        if (e != DEVID_OK)
            return e;
        if (sk_GENERAL_NAME_push(names, name) <= 0) {
            GENERAL_NAME_free(name);
            return devid_no_memory(err);
        }
    }
    return DEVID_OK;
}

static enum devid_err add(STACK_OF(X509_EXTENSION) * *exts, int nid,
                          void *value, bool critical, struct devid_error *err)
{
    return X509V3_add1_i2d(exts, nid, value, critical ? 1 : 0,
                           X509V3_ADD_DEFAULT) == 1
               ? DEVID_OK
               : devid_no_memory(err);
}

static enum devid_err add_key_usage(STACK_OF(X509_EXTENSION) * *exts,
                                    const char *list, struct devid_error *err)
{
    ASN1_BIT_STRING *bits = ASN1_BIT_STRING_new();
    enum devid_err e;

    if (bits == NULL)
        return devid_no_memory(err);
    e = make_key_usage(list, bits, err);
    if (e == DEVID_OK)
        e = add(exts, NID_key_usage, bits, true, err);
    ASN1_BIT_STRING_free(bits);
    return e;
}

static enum devid_err add_ext_key_usage(STACK_OF(X509_EXTENSION) * *exts,
                                        const char *list,
                                        struct devid_error *err)
{
    EXTENDED_KEY_USAGE *usages = EXTENDED_KEY_USAGE_new();
    enum devid_err e;

    if (usages == NULL)
        return devid_no_memory(err);
    e = make_ext_key_usage(list, usages, err);
    if (e == DEVID_OK)
        e = add(exts, NID_ext_key_usage, usages, false, err);
    EXTENDED_KEY_USAGE_free(usages);
    return e;
}

static enum devid_err add_sans(STACK_OF(X509_EXTENSION) * *exts,
                               const char *const *sans, bool critical,
                               struct devid_error *err)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    enum devid_err e;

    if (names == NULL)
        return devid_no_memory(err);
    e = make_sans(sans, names, err);
    if (e == DEVID_OK)
        e = add(exts, NID_subject_alt_name, names, critical, err);
    GENERAL_NAMES_free(names);
    return e;
}

/* Those of a certificate, byte for byte. */
static enum devid_err copy_sans(STACK_OF(X509_EXTENSION) * *exts,
                                const X509 *cert, struct devid_error *err)
{
    int at = X509_get_ext_by_NID(cert, NID_subject_alt_name, -1);

    return at < 0 || X509v3_add_ext(exts, X509_get_ext(cert, at), -1) != NULL
               ? DEVID_OK
               : devid_no_memory(err);
}

bool devid_extensions_name(const struct devid_csr_spec *spec)
{
    if (spec->like != NULL)
        return X509_get_ext_by_NID(spec->like, NID_subject_alt_name, -1) >= 0;
    return spec->sans != NULL && spec->sans[0] != NULL;
}

enum devid_err devid_extensions_make(const struct devid_csr_spec *spec,
                                     bool san_critical,
                                     STACK_OF(X509_EXTENSION) * *exts,
                                     struct devid_error *err)
{
    enum devid_err e = DEVID_OK;

    *exts = NULL;
    devid_quiet_begin();
    if (spec->key_usage != NULL)
        e = add_key_usage(exts, spec->key_usage, err);
    if (e == DEVID_OK && spec->ext_key_usage != NULL)
        e = add_ext_key_usage(exts, spec->ext_key_usage, err);
    if (e == DEVID_OK && spec->like != NULL)
        e = copy_sans(exts, spec->like, err);
    else if (e == DEVID_OK && devid_extensions_name(spec))
        e = add_sans(exts, spec->sans, san_critical, err);
    devid_quiet_end();
    if (e != DEVID_OK) {
        sk_X509_EXTENSION_pop_free(*exts, X509_EXTENSION_free);
        *exts = NULL;
    }
    return e;
}
