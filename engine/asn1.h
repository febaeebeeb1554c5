/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine reads and writes in ASN.1: templates of libcrypto. */
#ifndef DEVID_ASN1_H
#define DEVID_ASN1_H

#include <openssl/asn1.h>
#include <openssl/asn1t.h>
#include <openssl/safestack.h>
#include <openssl/types.h>

/* TCG's arc for TPM key files: loadable, importable, sealed. */
#define DEVID_OID_LOADABLE "2.23.133.10.1.3"
#define DEVID_OID_IMPORTABLE "2.23.133.10.1.4"
#define DEVID_OID_SEALED "2.23.133.10.1.5"

/* TPMPolicy, one command of a policy. */
typedef struct {
    ASN1_INTEGER *code;
    ASN1_OCTET_STRING *arguments;
} TPM_POLICY;
DECLARE_ASN1_ITEM(TPM_POLICY)
DEFINE_STACK_OF(TPM_POLICY)

/* TPMAuthPolicy, a signed policy with its name. */
typedef struct {
    ASN1_UTF8STRING *name;
    STACK_OF(TPM_POLICY) * policy;
} TPM_AUTH_POLICY;
DECLARE_ASN1_ITEM(TPM_AUTH_POLICY)
DEFINE_STACK_OF(TPM_AUTH_POLICY)

/*
 * TPMKey. Source: draft-bottomley-tpm2-keys, section 3. A BOOLEAN that is
 * not there reads as -1.
 */
typedef struct {
    ASN1_OBJECT *type;
    ASN1_BOOLEAN empty_auth;
    STACK_OF(TPM_POLICY) * policy;
    ASN1_OCTET_STRING *secret;
    STACK_OF(TPM_AUTH_POLICY) * auth_policy;
    ASN1_UTF8STRING *description;
    ASN1_BOOLEAN rsa_parent;
    ASN1_INTEGER *parent;
    ASN1_OCTET_STRING *pubkey;
    ASN1_OCTET_STRING *privkey;
} TPM_KEY;
DECLARE_ASN1_ITEM(TPM_KEY)

/* DEVID KEY REFERENCE. */
typedef struct {
    ASN1_INTEGER *version;
    ASN1_UTF8STRING *uri;
    ASN1_STRING *public_key; /* DER of the SubjectPublicKeyInfo */
    ASN1_UTF8STRING *description;
} KEY_REFERENCE;
DECLARE_ASN1_ITEM(KEY_REFERENCE)

/* PKCS#11 PROVIDER URI, as pkcs11-provider writes it. */
typedef struct {
    ASN1_VISIBLESTRING *description; /* DEVID_PEER_URI_MARK */
    ASN1_UTF8STRING *uri;
} PEER_URI;
DECLARE_ASN1_ITEM(PEER_URI)

/* SubjectPublicKeyInfo. Source: RFC 5280, 4.1. */
typedef struct {
    X509_ALGOR *algorithm;
    ASN1_BIT_STRING *key;
} SPKI;
DECLARE_ASN1_ITEM(SPKI)

/* RSAPublicKey. Source: RFC 8017, A.1.1. */
typedef struct {
    ASN1_INTEGER *modulus;
    ASN1_INTEGER *exponent;
} RSA_PUBLIC;
DECLARE_ASN1_ITEM(RSA_PUBLIC)

#endif
