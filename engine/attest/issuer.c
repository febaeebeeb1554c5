/* SPDX-License-Identifier: Apache-2.0 */
/* What the certificates of one CA share, checked and encoded once. */
#include "issuer.h"

#include "../backend.h"
#include "../libcrypto.h"
#include "../subject.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include <stdio.h>
#include <string.h>

#define SHARD "{shard}"
#define URL_MAX 1024

/* The profile, as OpenSSL's own words for extensions. */
static const struct {
    int nid;
    const char *value;
    bool of[ISSUER_KINDS]; /* IDevID, IAK, asserted, LDevID */
} profile[] = {
    {NID_basic_constraints, "critical,CA:FALSE", {true, true, true, true}},
    {NID_key_usage, "critical,digitalSignature", {true, true, true, true}},
    {NID_ext_key_usage,
     "2.23.133.8.3",
     {false, true, false, false}}, /* tcg-kp-AIK */
};

/*
 * verifiedTPMResidency, with verifiedTPMFixed or verifiedTPMRestricted; of a
 * key that nobody verified, any policy, and a notice in words; of an LDevID,
 * nothing: where its key is, its device alone knows.
 */
static const struct {
    const char *oid[2];
    const char *notice;
} policies[ISSUER_KINDS] = {
    {{"2.23.133.11.1.1", "2.23.133.11.1.2"}, NULL},
    {{"2.23.133.11.1.1", "2.23.133.11.1.3"}, NULL},
    {{"2.5.29.32.0", NULL}, "asserted by the operator"},
    {{NULL, NULL}, NULL},
};

/* explicitText, of which a user notice may be made: RFC 5280, 4.2.1.4. */
static bool push_notice(POLICYINFO *policy, const char *text)
{
    POLICYQUALINFO *info = POLICYQUALINFO_new();
    USERNOTICE *notice = USERNOTICE_new();

    if (policy->qualifiers == NULL)
        policy->qualifiers = sk_POLICYQUALINFO_new_null();
    if (info != NULL && notice != NULL) {
        notice->exptext = ASN1_UTF8STRING_new();
        info->pqualid = OBJ_nid2obj(NID_id_qt_unotice);
        info->d.usernotice = notice;
        if (notice->exptext != NULL &&
            ASN1_STRING_set(notice->exptext, text, -1) == 1 &&
            sk_POLICYQUALINFO_push(policy->qualifiers, info) > 0)
            return true;
        notice = NULL; /* info's */
    }
    USERNOTICE_free(notice);
    POLICYQUALINFO_free(info);
    return false;
}

static bool push_policy(CERTIFICATEPOLICIES *list, const char *oid,
                        const char *notice)
{
    POLICYINFO *policy = POLICYINFO_new();

    if (policy == NULL)
        return false;
    ASN1_OBJECT_free(policy->policyid);
    policy->policyid = OBJ_txt2obj(oid, 1);
    if (policy->policyid != NULL &&
        (notice == NULL || push_notice(policy, notice)) &&
        sk_POLICYINFO_push(list, policy) > 0)
        return true;
    POLICYINFO_free(policy);
    return false;
}

static X509_EXTENSION *policies_of(int kind)
{
    CERTIFICATEPOLICIES *list = CERTIFICATEPOLICIES_new();
    const char *const *oid = policies[kind].oid;
    X509_EXTENSION *ext = NULL;

    if (list != NULL && push_policy(list, oid[0], policies[kind].notice) &&
        (oid[1] == NULL || push_policy(list, oid[1], NULL)))
        ext = X509V3_EXT_i2d(NID_certificate_policies, 0, list);
    CERTIFICATEPOLICIES_free(list);
    return ext;
}

static X509_EXTENSION *key_id(X509 *ca)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(ca);
    AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();
    X509_EXTENSION *ext = NULL;

    if (id != NULL && aki != NULL) {
        aki->keyid = ASN1_OCTET_STRING_dup(id);
        if (aki->keyid != NULL)
            ext = X509V3_EXT_i2d(NID_authority_key_identifier, 0, aki);
    }
    AUTHORITY_KEYID_free(aki);
    return ext;
}

/* Takes `ext` over. */
static bool push(STACK_OF(X509_EXTENSION) * exts, X509_EXTENSION *ext)
{
    if (ext != NULL && sk_X509_EXTENSION_push(exts, ext) > 0)
        return true;
    X509_EXTENSION_free(ext);
    return false;
}

/* authorityInfoAccess: where the state of a certificate is asked. */
static X509_EXTENSION *ocsp_extension(const char *url)
{
    ACCESS_DESCRIPTION *access = ACCESS_DESCRIPTION_new();
    AUTHORITY_INFO_ACCESS *list = AUTHORITY_INFO_ACCESS_new();
    ASN1_IA5STRING *uri = ASN1_IA5STRING_new();
    X509_EXTENSION *ext = NULL;

    if (access != NULL && list != NULL && uri != NULL &&
        ASN1_STRING_set(uri, url, -1) == 1) {
        ASN1_OBJECT_free(access->method);
        access->method = OBJ_nid2obj(NID_ad_OCSP);
        GENERAL_NAME_set0_value(access->location, GEN_URI, uri);
        uri = NULL;
        if (sk_ACCESS_DESCRIPTION_push(list, access) > 0) {
            access = NULL;
            ext = X509V3_EXT_i2d(NID_info_access, 0, list);
        }
    }
    ASN1_IA5STRING_free(uri);
    ACCESS_DESCRIPTION_free(access);
    AUTHORITY_INFO_ACCESS_free(list);
    return ext;
}

static enum devid_err encode_profile(struct devid_issuer *issuer, X509 *ca,
                                     const char *ocsp, struct devid_error *err)
{
    for (int kind = 0; kind < ISSUER_KINDS; kind++) {
        STACK_OF(X509_EXTENSION) *exts = sk_X509_EXTENSION_new_null();

        issuer->fixed[kind] = exts;
        if (exts == NULL || !push(exts, key_id(ca)) ||
            (policies[kind].oid[0] != NULL && !push(exts, policies_of(kind))) ||
            (ocsp != NULL && !push(exts, ocsp_extension(ocsp))))
            return devid_no_memory(err);
        for (size_t i = 0; i < sizeof(profile) / sizeof(profile[0]); i++) {
            if (profile[i].of[kind] &&
                !push(exts, X509V3_EXT_conf_nid(NULL, NULL, profile[i].nid,
                                                profile[i].value)))
                return devid_no_memory(err);
        }
    }
    return DEVID_OK;
}

/* ---- lists of revoked certificates ------------------------------------- */

static X509_EXTENSION *crl_extension(const char *url)
{
    CRL_DIST_POINTS *points = CRL_DIST_POINTS_new();
    DIST_POINT *point = DIST_POINT_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *uri = ASN1_IA5STRING_new();
    X509_EXTENSION *ext = NULL;

    if (points == NULL || point == NULL || name == NULL || uri == NULL ||
        ASN1_STRING_set(uri, url, -1) != 1)
        goto out;
    GENERAL_NAME_set0_value(name, GEN_URI, uri);
    uri = NULL;
    point->distpoint = DIST_POINT_NAME_new();
    if (point->distpoint == NULL)
        goto out;
    point->distpoint->type = 0;
    point->distpoint->name.fullname = sk_GENERAL_NAME_new_null();
    if (sk_GENERAL_NAME_push(point->distpoint->name.fullname, name) <= 0)
        goto out;
    name = NULL;
    if (sk_DIST_POINT_push(points, point) <= 0)
        goto out;
    point = NULL;
    ext = X509V3_EXT_i2d(NID_crl_distribution_points, 0, points);
out:
    ASN1_IA5STRING_free(uri);
    GENERAL_NAME_free(name);
    DIST_POINT_free(point);
    CRL_DIST_POINTS_free(points);
    return ext;
}

static bool is_url(const char *url)
{
    const char *p;

    for (p = url; *p > ' ' && *p < 0x7f; p++) {
    }
    return *p == '\0' && p - url <= URL_MAX && strstr(url, "://") != NULL;
}

static enum devid_err check_url(const char *url, unsigned shards,
                                struct devid_error *err)
{
    if (!is_url(url)) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "'%.100s' is no URL for a list of revoked "
                          "certificates: ASCII without spaces is wanted, such "
                          "as http://ca.example/" SHARD ".crl",
                          url);
    }
    if (shards > DEVID_SHARDS_MAX ||
        (shards > 1 && strstr(url, SHARD) == NULL)) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "%u lists of revoked certificates need " SHARD
                          " in their URL '%.100s', and %d are the most",
                          shards, url, DEVID_SHARDS_MAX);
    }
    return DEVID_OK;
}

static X509_EXTENSION *crl_of_shard(const char *url, unsigned shard)
{
    const char *mark = strstr(url, SHARD);
    char text[URL_MAX + 16];

    if (mark == NULL)
        return crl_extension(url);
    (void)snprintf(text, sizeof(text), "%.*s%u%s", (int)(mark - url), url,
                   shard, mark + sizeof(SHARD) - 1);
    return crl_extension(text);
}

static enum devid_err encode_crls(struct devid_issuer *issuer, const char *url,
                                  unsigned shards, struct devid_error *err)
{
    enum devid_err e = check_url(url, shards, err);

    if (e != DEVID_OK)
        return e;
    issuer->shards = shards == 0 ? 1 : shards;
    issuer->crl = OPENSSL_zalloc(issuer->shards * sizeof(X509_EXTENSION *));
    for (unsigned i = 0; issuer->crl != NULL && i < issuer->shards; i++) {
        issuer->crl[i] = crl_of_shard(url, i);
        if (issuer->crl[i] == NULL)
            return devid_no_memory(err);
    }
    return issuer->crl != NULL ? DEVID_OK : devid_no_memory(err);
}

/* ---- the CA ------------------------------------------------------------ */

static enum devid_err check_ca(X509 *ca, EVP_PKEY *key, struct devid_error *err)
{
    if (X509_check_ca(ca) == 0 ||
        (X509_get_key_usage(ca) & KU_KEY_CERT_SIGN) == 0) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the issuer's certificate may not issue others: "
                          "basicConstraints with CA:TRUE and the key usage "
                          "keyCertSign are wanted");
    }
    if (X509_get0_subject_key_id(ca) == NULL) {
        return devid_fail(err, DEVID_ERR_INPUT, 0,
                          "the issuer's certificate has no "
                          "subjectKeyIdentifier for others to name it by");
    }
    if (EVP_PKEY_eq(X509_get0_pubkey(ca), key) != 1) {
        return devid_fail(err, DEVID_ERR_WRONG_KEY, 0,
                          "the issuer's key does not belong to its "
                          "certificate");
    }
    return DEVID_OK;
}

/* As strong as the key; a key with a hash of its own (Ed25519) has none. */
static enum devid_err pick_hash(struct devid_issuer *issuer,
                                struct devid_error *err)
{
    int bits = EVP_PKEY_get_security_bits(issuer->key);
    const char *name = bits >= 256   ? "SHA2-512"
                       : bits >= 192 ? "SHA2-384"
                                     : "SHA2-256";
    char mandatory[64] = "";

    if (EVP_PKEY_get_default_digest_name(issuer->key, mandatory,
                                         sizeof(mandatory)) == 2) {
        if (strcmp(mandatory, "UNDEF") == 0)
            return DEVID_OK;
        name = mandatory;
    }
    issuer->md = EVP_MD_fetch(issuer->libctx, name, DEVID_PROPQ);
    return issuer->md != NULL
               ? DEVID_OK
               : devid_fail(err, DEVID_ERR_ALG, 0,
                            "no provider of OpenSSL offers the hash %s that "
                            "fits the issuer's key",
                            name);
}

static enum devid_err fill(struct devid_issuer *issuer,
                           const struct devid_issuer_spec *spec, X509 *ca,
                           struct devid_error *err)
{
    enum devid_err e = check_ca(ca, spec->key, err);

    if (e != DEVID_OK)
        return e;
    issuer->libctx = spec->libctx;
    issuer->key = spec->key;
    if (EVP_PKEY_up_ref(spec->key) != 1) {
        issuer->key = NULL;
        return devid_no_memory(err);
    }
    issuer->name = X509_NAME_dup(X509_get_subject_name(ca));
    if (issuer->name == NULL)
        return devid_no_memory(err);
    e = devid_subject_parse(spec->subject, &issuer->subject, err);
    /* Encoded now, and so never written to by two threads. */
    if (e == DEVID_OK && i2d_X509_NAME(issuer->subject, NULL) <= 0)
        e = devid_no_memory(err);
    if (e == DEVID_OK)
        e = pick_hash(issuer, err);
    if (e == DEVID_OK && spec->ocsp_url != NULL && !is_url(spec->ocsp_url))
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "'%.100s' is no URL to ask for certificates' state: "
                       "ASCII without spaces is wanted, such as "
                       "http://ca.example/ocsp",
                       spec->ocsp_url);
    if (e == DEVID_OK)
        e = encode_profile(issuer, ca, spec->ocsp_url, err);
    if (e == DEVID_OK && spec->crl_url != NULL)
        e = encode_crls(issuer, spec->crl_url, spec->shards, err);
    return e;
}

enum devid_err devid_issuer_new(const struct devid_issuer_spec *spec,
                                struct devid_issuer **issuer,
                                struct devid_error *err)
{
    const unsigned char *p = spec->ca.data;
    X509 *ca = X509_new_ex(spec->libctx, DEVID_PROPQ);
    enum devid_err e;

    *issuer = OPENSSL_zalloc(sizeof(**issuer));
    if (ca == NULL || *issuer == NULL) {
        X509_free(ca);
        devid_issuer_free(issuer);
        return devid_no_memory(err);
    }
    devid_quiet_begin();
    if (spec->ca.len > INT32_MAX ||
        d2i_X509(&ca, &p, (long)spec->ca.len) == NULL)
        e = devid_fail(err, DEVID_ERR_INPUT, 0,
                       "the issuer's certificate (%zu bytes) is no DER of an "
                       "X.509 certificate",
                       spec->ca.len);
    else
        e = fill(*issuer, spec, ca, err);
    X509_free(ca);
    devid_quiet_end();
    if (e != DEVID_OK)
        devid_issuer_free(issuer);
    return e;
}

void devid_issuer_free(struct devid_issuer **issuer)
{
    struct devid_issuer *i = *issuer;

    if (i == NULL)
        return;
    for (int kind = 0; kind < ISSUER_KINDS; kind++)
        sk_X509_EXTENSION_pop_free(i->fixed[kind], X509_EXTENSION_free);
    for (unsigned n = 0; i->crl != NULL && n < i->shards; n++)
        X509_EXTENSION_free(i->crl[n]);
    OPENSSL_free(i->crl);
    X509_NAME_free(i->name);
    X509_NAME_free(i->subject);
    EVP_MD_free(i->md);
    EVP_PKEY_free(i->key);
    OPENSSL_free(i);
    *issuer = NULL;
}
