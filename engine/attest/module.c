/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TPM's name in certificates: HardwareModuleName (RFC 4108, 5) and
 * PermanentIdentifier (RFC 4043, 2), as the TCG fills them in.
 */
#include "issuer.h"

#include "attest_internal.h"

#include "../backend.h"
#include "../extensions.h"
#include "../libcrypto.h"

#include <openssl/asn1t.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OID_HARDWARE_MODULE_NAME "1.3.6.1.5.5.7.8.4"
#define OID_PERMANENT_IDENTIFIER "1.3.6.1.5.5.7.8.3"
#define OID_TPM_2_0 "2.23.133.1.2"
#define OID_TPM_MANUFACTURER "2.23.133.2.1"
#define OID_EK_PERM_ID_SHA256 "2.23.133.12.1"
#define MANUFACTURER_LEN 11 /* "id:53544D20" */

typedef struct {
    ASN1_OBJECT *type;
    ASN1_OCTET_STRING *serial;
} HARDWARE_MODULE_NAME;

typedef struct {
    ASN1_UTF8STRING *value;
    ASN1_OBJECT *assigner;
} PERMANENT_IDENTIFIER;

/* clang-format off */
ASN1_SEQUENCE(HARDWARE_MODULE_NAME) = {
    ASN1_SIMPLE(HARDWARE_MODULE_NAME, type, ASN1_OBJECT),
    ASN1_SIMPLE(HARDWARE_MODULE_NAME, serial, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END(HARDWARE_MODULE_NAME)

ASN1_SEQUENCE(PERMANENT_IDENTIFIER) = {
    ASN1_SIMPLE(PERMANENT_IDENTIFIER, value, ASN1_UTF8STRING),
    ASN1_SIMPLE(PERMANENT_IDENTIFIER, assigner, ASN1_OBJECT),
} static_ASN1_SEQUENCE_END(PERMANENT_IDENTIFIER)
            /* clang-format on */

            /* ---- out of an EK's certificate
               ---------------------------------------- */

            /* The value of tpmManufacturer in a directoryName, or NULL. */
            static const ASN1_STRING
            * manufacturer_in(const X509_NAME *name)
{
    ASN1_OBJECT *wanted = OBJ_txt2obj(OID_TPM_MANUFACTURER, 1);
    int at = wanted == NULL ? -1 : X509_NAME_get_index_by_OBJ(name, wanted, -1);

    ASN1_OBJECT_free(wanted);
    return at < 0 ? NULL
                  : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
}

/* "id:53544D20" as "STM "; where that is no text, the digits. */
static bool read_manufacturer(const ASN1_STRING *id, char out[9])
{
    const char *text = (const char *)ASN1_STRING_get0_data(id);
    unsigned long value;
    char digits[9];
    bool printable = true;

    if (ASN1_STRING_length(id) != MANUFACTURER_LEN ||
        memcmp(text, "id:", 3) != 0)
        return false;
    memcpy(digits, text + 3, 8);
    digits[8] = '\0';
    if (strspn(digits, "0123456789abcdefABCDEF") != 8)
        return false;
    value = strtoul(digits, NULL, 16);
    while (value != 0 && (value & 0xff) == 0)
        value >>= 8; /* "IBM" and a NUL */
    memset(out, 0, 9);
    for (int shift = 24, n = 0; shift >= 0; shift -= 8) {
        char c = (char)(value >> shift);

        if (n == 0 && c == '\0')
            continue;
        printable = printable && c >= 0x20 && c < 0x7f;
        out[n++] = c;
    }
    if (!printable || out[0] == '\0')
        memcpy(out, digits, sizeof(digits));
    return true;
}

static bool find_manufacturer(const X509 *cert, char out[9])
{
    GENERAL_NAMES *names =
        X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool found = false;

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        const ASN1_STRING *id = name->type == GEN_DIRNAME
                                    ? manufacturer_in(name->d.directoryName)
                                    : NULL;

        found = id != NULL && read_manufacturer(id, out);
    }
    GENERAL_NAMES_free(names);
    return found;
}

static bool put_serial(X509 *cert, const char *manufacturer, char *out,
                       size_t size)
{
    const ASN1_OCTET_STRING *aki = X509_get0_authority_key_id(cert);
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    char *digits = number == NULL ? NULL : BN_bn2hex(number);
    int n = digits == NULL ? -1 : snprintf(out, size, "%s:", manufacturer);

    for (int i = 0; aki != NULL && n > 0 && i < ASN1_STRING_length(aki); i++) {
        if ((size_t)n < size)
            n += snprintf(out + n, size - (size_t)n, "%02X",
                          ASN1_STRING_get0_data(aki)[i]);
    }
    if (n > 0 && (size_t)n < size)
        n += snprintf(out + n, size - (size_t)n, ":%s", digits);
    OPENSSL_free(digits);
    BN_free(number);
    return n > 0 && (size_t)n < size;
}

enum devid_err attest_module(X509 *cert, struct devid_bytes der,
                             OSSL_LIB_CTX *libctx,
                             struct devid_hw_module *module,
                             struct devid_error *err)
{
    const struct devid_hash *hash = devid_hash_by_name("SHA2-256");
    uint8_t digest[EVP_MAX_MD_SIZE];
    char manufacturer[9];
    enum devid_err e;

    if (!find_manufacturer(cert, manufacturer)) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the EK certificate does not name the TPM's maker: "
                          "its subjectAltName lacks tpmManufacturer "
                          "(" OID_TPM_MANUFACTURER ") such as id:53544D20");
    }
    if (!put_serial(cert, manufacturer, module->serial,
                    sizeof(module->serial))) {
        module->serial[0] = '\0';
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the EK certificate's serial number or authority "
                          "key id is too long for a hardware serial number");
    }
    e = attest_digest(hash, libctx, der, digest, err);
    for (size_t i = 0; e == DEVID_OK && i < hash->len; i++)
        (void)snprintf(module->ek_digest + 2 * i, 3, "%02x", digest[i]);
    return e;
}

enum devid_err devid_hw_module_from_ek(struct devid_bytes ek_cert,
                                       OSSL_LIB_CTX *libctx,
                                       struct devid_hw_module *module,
                                       struct devid_error *err)
{
    const unsigned char *p = ek_cert.data;
    X509 *cert = NULL;
    enum devid_err e;

    memset(module, 0, sizeof(*module));
    devid_quiet_begin();
    if (ek_cert.len <= UINT16_MAX)
        cert = d2i_X509(NULL, &p, (long)ek_cert.len);
    e = cert == NULL ? devid_fail(err, DEVID_ERR_INPUT, 0,
                                  "the EK certificate (%zu bytes) is no X.509 "
                                  "certificate",
                                  ek_cert.len)
                     : attest_module(cert, ek_cert, libctx, module, err);
    X509_free(cert);
    devid_quiet_end();
    return e;
}

/* ---- into a certificate ------------------------------------------------ */

/* An otherName of type `oid` around a structure; takes nothing over. */
static GENERAL_NAME *other_name(const char *oid, const void *value,
                                const ASN1_ITEM *item)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
    ASN1_TYPE *any = ASN1_TYPE_new();
    ASN1_STRING *der = ASN1_item_pack((void *)(uintptr_t)value, item, NULL);

    if (any != NULL && der != NULL) {
        ASN1_TYPE_set(any, V_ASN1_SEQUENCE, der);
        der = NULL;
        if (name != NULL && type != NULL &&
            GENERAL_NAME_set0_othername(name, type, any) == 1)
            return name;
    }
    ASN1_STRING_free(der);
    ASN1_TYPE_free(any);
    ASN1_OBJECT_free(type);
    GENERAL_NAME_free(name);
    return NULL;
}

static GENERAL_NAME *hardware_module_name(const char *serial)
{
    HARDWARE_MODULE_NAME value = {
        .type = OBJ_txt2obj(OID_TPM_2_0, 1),
        .serial = ASN1_OCTET_STRING_new(),
    };
    GENERAL_NAME *name = NULL;

    if (value.type != NULL && value.serial != NULL &&
        ASN1_STRING_set(value.serial, serial, -1) == 1)
        name = other_name(OID_HARDWARE_MODULE_NAME, &value,
                          ASN1_ITEM_rptr(HARDWARE_MODULE_NAME));
    ASN1_OBJECT_free(value.type);
    ASN1_OCTET_STRING_free(value.serial);
    return name;
}

static GENERAL_NAME *permanent_identifier(const char *ek_digest)
{
    PERMANENT_IDENTIFIER value = {
        .value = ASN1_UTF8STRING_new(),
        .assigner = OBJ_txt2obj(OID_EK_PERM_ID_SHA256, 1),
    };
    GENERAL_NAME *name = NULL;

    if (value.value != NULL && value.assigner != NULL &&
        ASN1_STRING_set(value.value, ek_digest, -1) == 1)
        name = other_name(OID_PERMANENT_IDENTIFIER, &value,
                          ASN1_ITEM_rptr(PERMANENT_IDENTIFIER));
    ASN1_UTF8STRING_free(value.value);
    ASN1_OBJECT_free(value.assigner);
    return name;
}

static bool push(GENERAL_NAMES *names, GENERAL_NAME *name)
{
    if (name != NULL && sk_GENERAL_NAME_push(names, name) > 0)
        return true;
    GENERAL_NAME_free(name);
    return false;
}

static enum devid_err push_sans(GENERAL_NAMES *names, const char *const *sans,
                                struct devid_error *err)
{
    GENERAL_NAME *name = NULL;
    enum devid_err e = DEVID_OK;

    for (; e == DEVID_OK && sans != NULL && *sans != NULL; sans++) {
        e = devid_san_parse(*sans, &name, err);
        if (e == DEVID_OK && !push(names, name))
            e = devid_no_memory(err);
    }
    return e;
}

enum devid_err issuer_san(const struct devid_hw_module *module,
                          const char *const *sans, X509_EXTENSION **ext,
                          struct devid_error *err)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    enum devid_err e = DEVID_OK;

    *ext = NULL;
    if (names == NULL ||
        (module != NULL &&
         !push(names, hardware_module_name(module->serial))) ||
        (module != NULL && module->ek_digest[0] != '\0' &&
         !push(names, permanent_identifier(module->ek_digest))))
        e = devid_no_memory(err);
    if (e == DEVID_OK)
        e = push_sans(names, sans, err);
    if (e == DEVID_OK && sk_GENERAL_NAME_num(names) > 0) {
        *ext = X509V3_EXT_i2d(NID_subject_alt_name, 0, names);
        if (*ext == NULL)
            e = devid_no_memory(err);
    }
    GENERAL_NAMES_free(names);
    return e;
}
