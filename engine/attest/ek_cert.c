/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An EK's certificate: what it says of itself.
 * Source: TCG EK Credential Profile 2.5, section 3.
 */
#include "attest_internal.h"

#include "../libcrypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <string.h>

#define OID_EK_CERTIFICATE "2.23.133.8.1"

/* Its key is not decoded where there is a trust: check_key does that. */
static enum devid_attest_reason parse(struct devid_bytes nv,
                                      const struct devid_attest_policy *policy,
                                      X509 **cert,
                                      struct devid_attest_verdict *verdict)
{
    OSSL_LIB_CTX *libctx =
        policy->trust != NULL ? policy->trust->bare : policy->libctx;
    const unsigned char *p;

    *cert = NULL;
    if (nv.len == 0)
        return attest_refuse(verdict, DEVID_ATTEST_EK_MISSING,
                             "there is no EK certificate: nobody vouches for "
                             "this TPM");
    if (devid_ek_unwrap(nv, &verdict->ek_cert, &verdict->error) != DEVID_OK)
        return verdict->reason = DEVID_ATTEST_EK_MALFORMED;
    *cert = X509_new_ex(libctx, DEVID_PROPQ);
    if (*cert == NULL)
        return attest_undecided(verdict);
    p = verdict->ek_cert.data;
    /* Where it fails, libcrypto frees it and sets NULL. */
    if (d2i_X509(cert, &p, (long)verdict->ek_cert.len) == NULL) {
        return attest_refuse(verdict, DEVID_ATTEST_EK_MALFORMED,
                             "the EK certificate at offset %zu is no X.509 "
                             "certificate, though a SEQUENCE of %zu bytes",
                             (size_t)(verdict->ek_cert.data - nv.data),
                             verdict->ek_cert.len);
    }
    return DEVID_ATTEST_TRUSTED;
}

/*
 * The certificate's SubjectPublicKeyInfo. One for RSAES-OAEP holds an ordinary
 * RSAPublicKey, which nothing takes under that name.
 */
static int spki_of(const X509 *cert, uint8_t **der)
{
    const X509_PUBKEY *spki = X509_get_X509_PUBKEY(cert);
    X509_PUBKEY *plain = NULL;
    ASN1_OBJECT *oid = NULL;
    const unsigned char *key = NULL;
    uint8_t *copy = NULL;
    int key_len = 0;
    int len = -1;

    *der = NULL;
    if (X509_PUBKEY_get0_param(&oid, &key, &key_len, NULL, spki) != 1)
        return -1;
    if (OBJ_obj2nid(oid) != NID_rsaesOaep)
        return i2d_X509_PUBKEY(spki, der);
    plain = X509_PUBKEY_new();
    copy = OPENSSL_memdup(key, (size_t)key_len);
    if (plain != NULL && copy != NULL &&
        X509_PUBKEY_set0_param(plain, OBJ_nid2obj(NID_rsaEncryption),
                               V_ASN1_NULL, NULL, copy, key_len) == 1) {
        copy = NULL; /* plain's */
        len = i2d_X509_PUBKEY(plain, der);
    }
    OPENSSL_free(copy);
    X509_PUBKEY_free(plain);
    return len;
}

static bool digest_hex(const uint8_t *data, size_t len, OSSL_LIB_CTX *libctx,
                       char hex[DEVID_EK_DIGEST_SIZE])
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    const struct devid_hash *hash = devid_hash_by_name("SHA2-256");
    const struct devid_bytes bytes = {data, len};

    if (attest_digest(hash, libctx, bytes, digest, NULL) != DEVID_OK)
        return false;
    for (size_t i = 0; i < hash->len; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return true;
}

static enum devid_attest_reason check_spki(struct devid_bytes spki,
                                           OSSL_LIB_CTX *libctx,
                                           struct devid_attest_verdict *verdict)
{
    struct devid_public *ek = &verdict->ek;
    struct devid_error err = {0};

    if (devid_public_from_spki(spki.data, spki.len, ek, &err) != DEVID_OK) {
        return attest_refuse(verdict, DEVID_ATTEST_EK_KEY,
                             "the EK's public key does not serve: %.500s",
                             err.text);
    }
    if (!digest_hex(spki.data, spki.len, libctx, verdict->ek_digest))
        return attest_undecided(verdict);
    if (attest_ek_kind(ek, &err) == NULL)
        return attest_refuse(verdict, DEVID_ATTEST_EK_KEY, "%.600s", err.text);
    if (devid_key_kind(ek->type)->is_rsa &&
        devid_roca_fingerprint(ek->modulus, ek->coordinate_len)) {
        return attest_refuse(verdict, DEVID_ATTEST_EK_ROCA,
                             "the EK can be computed from its public key "
                             "(CVE-2017-15361, \"ROCA\"): update the TPM's "
                             "firmware and have it make a new EK");
    }
    return DEVID_ATTEST_TRUSTED;
}

static enum devid_attest_reason check_key(const X509 *cert,
                                          OSSL_LIB_CTX *libctx,
                                          struct devid_attest_verdict *verdict)
{
    uint8_t *der = NULL;
    int len = spki_of(cert, &der);
    enum devid_attest_reason r;

    if (len <= 0)
        return attest_undecided(verdict);
    r = check_spki((struct devid_bytes){der, (size_t)len}, libctx, verdict);
    OPENSSL_free(der);
    return r;
}

/* Whether the extended key usages name the EK's; -1 where there are none. */
static int has_ek_usage(const X509 *cert)
{
    EXTENDED_KEY_USAGE *usages =
        X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
    ASN1_OBJECT *wanted = OBJ_txt2obj(OID_EK_CERTIFICATE, 1);
    int found = usages == NULL ? -1 : 0;

    for (int i = 0; i < sk_ASN1_OBJECT_num(usages); i++) {
        if (OBJ_cmp(sk_ASN1_OBJECT_value(usages, i), wanted) == 0)
            found = 1;
    }
    EXTENDED_KEY_USAGE_free(usages);
    ASN1_OBJECT_free(wanted);
    return found;
}

static enum devid_attest_reason
check_purpose(X509 *cert, const struct devid_attest_policy *policy,
              struct devid_attest_verdict *verdict)
{
    uint32_t flags = X509_get_extension_flags(cert);
    int usage = has_ek_usage(cert);

    if ((flags & EXFLAG_INVALID) != 0)
        return attest_refuse(verdict, DEVID_ATTEST_EK_MALFORMED,
                             "an extension of the EK certificate is malformed");
    if ((flags & EXFLAG_CA) != 0)
        return attest_refuse(verdict, DEVID_ATTEST_EK_PURPOSE,
                             "the EK certificate is that of a CA");
    if (usage == 0 || (usage < 0 && !policy->allow_no_eku)) {
        return attest_refuse(verdict, DEVID_ATTEST_EK_PURPOSE,
                             "the EK certificate %s: its extended key usage "
                             "must hold " OID_EK_CERTIFICATE,
                             usage < 0 ? "does not say what it is for"
                                       : "is for something else");
    }
    if ((flags & EXFLAG_CRITICAL) != 0)
        return attest_refuse(verdict, DEVID_ATTEST_EK_CRITICAL_EXTENSION,
                             "the EK certificate has a critical extension "
                             "that is not known here");
    return DEVID_ATTEST_TRUSTED;
}

static enum devid_attest_reason
check_list(const struct devid_attest_policy *policy,
           struct devid_attest_verdict *verdict)
{
    if (policy->ek_allowed == NULL ||
        policy->ek_allowed(policy->arg, verdict->ek_digest))
        return DEVID_ATTEST_TRUSTED;
    return attest_refuse(verdict, DEVID_ATTEST_EK_NOT_ALLOWED,
                         "the EK with the digest %s is not on the list of "
                         "those allowed",
                         verdict->ek_digest);
}

static bool list_suffices(const struct devid_attest_policy *policy)
{
    return policy->ek_allowed != NULL && policy->trust == NULL;
}

/* An EK without a certificate, which a list must vouch for. */
static enum devid_attest_reason
verify_public(const struct devid_attest_policy *policy,
              struct devid_attest_verdict *verdict)
{
    enum devid_attest_reason r =
        check_spki(policy->ek_public, policy->libctx, verdict);

    return r == DEVID_ATTEST_TRUSTED ? check_list(policy, verdict) : r;
}

static enum devid_attest_reason verify(X509 *cert,
                                       const struct devid_attest_policy *policy,
                                       struct devid_attest_verdict *verdict)
{
    enum devid_attest_reason r = check_key(cert, policy->libctx, verdict);

    if (r == DEVID_ATTEST_TRUSTED)
        r = check_list(policy, verdict);
    if (r == DEVID_ATTEST_TRUSTED)
        r = check_purpose(cert, policy, verdict);
    if (r == DEVID_ATTEST_TRUSTED && !list_suffices(policy))
        r = attest_chain_verify(cert, policy, verdict);
    return r;
}

enum devid_attest_reason
devid_ek_verify(struct devid_bytes nv, const struct devid_attest_policy *policy,
                struct devid_attest_verdict *verdict)
{
    X509 *cert = NULL;
    enum devid_attest_reason r;

    memset(verdict, 0, sizeof(*verdict));
    devid_quiet_begin();
    if (nv.len == 0 && policy->ek_public.len > 0 &&
        policy->ek_allowed != NULL) {
        r = verify_public(policy, verdict);
    } else {
        r = parse(nv, policy, &cert, verdict);
        if (r == DEVID_ATTEST_TRUSTED)
            r = verify(cert, policy, verdict);
        if (r == DEVID_ATTEST_TRUSTED &&
            attest_module(cert, verdict->ek_cert, policy->libctx,
                          &verdict->module, NULL) != DEVID_OK)
            verdict->module.serial[0] = '\0'; /* for others to mind */
    }
    X509_free(cert);
    devid_quiet_end();
    if (r == DEVID_ATTEST_TRUSTED)
        memset(&verdict->error, 0, sizeof(verdict->error));
    verdict->reason = r;
    return r;
}
