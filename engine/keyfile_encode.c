/* SPDX-License-Identifier: Apache-2.0 */
/* Key files out: DER. */
#include "asn1.h"
#include "backend.h"
#include "keyfile.h"
#include "libcrypto.h"
#include "policy_asn1.h"

#include <openssl/crypto.h>
#include <openssl/objects.h>

#include <string.h>

/* DER's TRUE: the template writes the byte as it stands. */
#define DER_TRUE 0xff

static int put_string(ASN1_STRING *to, const void *data, size_t len)
{
    return len <= DEVID_KEYFILE_MAX && ASN1_STRING_set(to, data, (int)len) == 1;
}

static int put_description(ASN1_UTF8STRING **to,
                           const struct devid_keyfile *file)
{
    if (file->description == NULL)
        return 1;
    *to = ASN1_UTF8STRING_new();
    return *to != NULL &&
           put_string(*to, file->description, strlen(file->description));
}

/*
 * emptyAuth is written where it is false, too: a reader of old that takes an
 * absent one for true would try to sign without the auth value.
 */
static int put_tss2(const struct devid_keyfile *file, uint8_t **der)
{
    TPM_KEY *key = (TPM_KEY *)ASN1_item_new(ASN1_ITEM_rptr(TPM_KEY));
    int len = 0;

    if (key == NULL)
        return 0;
    ASN1_OBJECT_free(key->type);
    key->type = OBJ_txt2obj(
        file->importable ? DEVID_OID_IMPORTABLE : DEVID_OID_LOADABLE, 1);
    key->empty_auth = file->empty_auth ? DER_TRUE : 0;
    key->rsa_parent = file->rsa_parent ? DER_TRUE : -1;
    if (!put_description(&key->description, file))
        goto out;
    if (file->importable) {
        key->secret = ASN1_OCTET_STRING_new();
        if (key->secret == NULL ||
            !put_string(key->secret, file->secret, file->secret_len))
            goto out;
    }
    if (key->type != NULL && devid_policy_write(file, key) &&
        ASN1_INTEGER_set_uint64(key->parent, file->parent) == 1 &&
        put_string(key->pubkey, file->tpm_public, file->tpm_public_len) &&
        put_string(key->privkey, file->tpm_private, file->tpm_private_len))
        len = ASN1_item_i2d((const ASN1_VALUE *)key, der,
                            ASN1_ITEM_rptr(TPM_KEY));
out:
    ASN1_item_free((ASN1_VALUE *)key, ASN1_ITEM_rptr(TPM_KEY));
    return len;
}

static int put_reference(const struct devid_keyfile *file, uint8_t **der)
{
    KEY_REFERENCE *ref =
        (KEY_REFERENCE *)ASN1_item_new(ASN1_ITEM_rptr(KEY_REFERENCE));
    uint8_t *spki = NULL;
    size_t spki_len = 0;
    int len = 0;

    if (ref == NULL)
        return 0;
    if (devid_public_to_spki(&file->public_key, &spki, &spki_len, NULL) ==
            DEVID_OK &&
        ASN1_INTEGER_set_int64(ref->version, 1) == 1 &&
        put_string(ref->uri, file->uri, strlen(file->uri)) &&
        put_string(ref->public_key, spki, spki_len) &&
        put_description(&ref->description, file))
        len = ASN1_item_i2d((const ASN1_VALUE *)ref, der,
                            ASN1_ITEM_rptr(KEY_REFERENCE));
    OPENSSL_free(spki);
    ASN1_item_free((ASN1_VALUE *)ref, ASN1_ITEM_rptr(KEY_REFERENCE));
    return len;
}

enum devid_err devid_keyfile_encode(const struct devid_keyfile *file,
                                    uint8_t **der, size_t *len,
                                    struct devid_error *err)
{
    int n;

    *der = NULL;
    *len = 0;
    if (file->der != NULL) {
        *der = OPENSSL_memdup(file->der, file->der_len);
        if (*der == NULL)
            return devid_no_memory(err);
        *len = file->der_len;
        return DEVID_OK;
    }
    if (file->format == DEVID_KEYFILE_REFERENCE &&
        (file->uri == NULL || !file->has_public))
        return devid_fail(err, DEVID_ERR_USAGE, 0,
                          "a DEVID KEY REFERENCE needs a URI and a public key");
    devid_quiet_begin();
    n = file->format == DEVID_KEYFILE_TSS2 ? put_tss2(file, der)
                                           : put_reference(file, der);
    devid_quiet_end();
    if (n <= 0)
        return devid_fail(err, DEVID_ERR_SYSTEM, 0,
                          "the key file cannot be encoded");
    *len = (size_t)n;
    return DEVID_OK;
}
