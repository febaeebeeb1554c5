/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an EK's certificate up to a vendor's root. OpenSSL 3.0 fails on a
 * certificate whose key is for RSAES-OAEP before it looks for an issuer, so the
 * EK's own signature is verified here, and libcrypto is asked about its
 * issuer's chain. Dates and hashes are looked at here as well: a policy may
 * let one pass without the other.
 */
#include "attest_internal.h"

#include "../libcrypto.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <time.h>

#define WORDS 200
#define SECURITY_BITS_MIN 112 /* RSA-2048 */

/* ---- one certificate --------------------------------------------------- */

static void time_words(const ASN1_TIME *at, char *text, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int n = 0;

    if (bio != NULL && ASN1_TIME_print(bio, at) == 1)
        n = BIO_read(bio, text, (int)size - 1);
    text[n > 0 ? n : 0] = '\0';
    BIO_free(bio);
}

/* A date that is none is neither: it has not come, and lies ahead no more. */
static bool has_come(const ASN1_TIME *at, time_t now)
{
    int order = ASN1_TIME_cmp_time_t(at, now);

    return order == -1 || order == 0;
}

static bool lies_ahead(const ASN1_TIME *at, time_t now)
{
    return ASN1_TIME_cmp_time_t(at, now) == 1;
}

static enum devid_attest_reason
check_time(const X509 *cert, const struct devid_attest_policy *policy,
           struct devid_attest_verdict *verdict)
{
    time_t now = policy->now != 0 ? (time_t)policy->now : time(NULL);
    char name[WORDS];
    char when[64];

    attest_name_words(X509_get_subject_name(cert), name, sizeof(name));
    if (!has_come(X509_get0_notBefore(cert), now)) {
        time_words(X509_get0_notBefore(cert), when, sizeof(when));
        return attest_refuse(verdict, DEVID_ATTEST_EK_NOT_YET_VALID,
                             "the certificate of '%s' on the EK's chain is "
                             "not valid before %s: is the clock right?",
                             name, when);
    }
    if (!policy->allow_expired && !lies_ahead(X509_get0_notAfter(cert), now)) {
        time_words(X509_get0_notAfter(cert), when, sizeof(when));
        return attest_refuse(verdict, DEVID_ATTEST_EK_EXPIRED,
                             "the certificate of '%s' on the EK's chain "
                             "expired on %s",
                             name, when);
    }
    return DEVID_ATTEST_TRUSTED;
}

static enum devid_attest_reason
check_hash(X509 *cert, const struct devid_attest_policy *policy,
           struct devid_attest_verdict *verdict)
{
    char name[WORDS];
    int md = NID_undef;

    if (X509_get_signature_info(cert, &md, NULL, NULL, NULL) != 1)
        md = NID_undef;
    if (md != NID_sha1 && md != NID_md5)
        return DEVID_ATTEST_TRUSTED;
    if (md == NID_sha1 && policy->allow_sha1)
        return DEVID_ATTEST_TRUSTED;
    attest_name_words(X509_get_subject_name(cert), name, sizeof(name));
    return attest_refuse(verdict, DEVID_ATTEST_EK_SHA1,
                         "the certificate of '%s' on the EK's chain is signed "
                         "over %s, which can be forged",
                         name, OBJ_nid2sn(md));
}

/* ---- the chain above --------------------------------------------------- */

/* What a CA's certificate says of those below it, the EK's among them. */
static bool names_allowed(X509 *ca, X509 *leaf)
{
    NAME_CONSTRAINTS *names =
        X509_get_ext_d2i(ca, NID_name_constraints, NULL, NULL);
    bool ok = names == NULL || NAME_CONSTRAINTS_check(leaf, names) == X509_V_OK;

    NAME_CONSTRAINTS_free(names);
    return ok;
}

/*
 * libcrypto takes the issuer for the end of a chain, so that it is a CA, and
 * that each one allows what is below it, is looked at here.
 */
static enum devid_attest_reason check_cas(X509 *leaf, STACK_OF(X509) * chain,
                                          struct devid_attest_verdict *verdict)
{
    char name[WORDS];
    long below = 0;

    for (int i = 0; i < sk_X509_num(chain); i++) {
        X509 *ca = sk_X509_value(chain, i);
        long most = X509_get_pathlen(ca);
        const char *why = NULL;

        if (X509_check_ca(ca) == 0 ||
            (X509_get_key_usage(ca) & KU_KEY_CERT_SIGN) == 0)
            why = "may not issue certificates";
        else if (most >= 0 && below > most)
            why = "allows fewer CAs below it";
        else if (!names_allowed(ca, leaf))
            why = "allows other names than the EK's";
        else if (EVP_PKEY_get_security_bits(X509_get0_pubkey(ca)) <
                 SECURITY_BITS_MIN)
            why = "has too short a key";
        if (why != NULL) {
            attest_name_words(X509_get_subject_name(ca), name, sizeof(name));
            return attest_refuse(verdict, DEVID_ATTEST_EK_CHAIN,
                                 "the EK's chain goes through '%s', which %s",
                                 name, why);
        }
        if ((X509_get_extension_flags(ca) & EXFLAG_SI) == 0)
            below++;
    }
    return DEVID_ATTEST_TRUSTED;
}

static enum devid_attest_reason
check_chain(X509 *leaf, STACK_OF(X509) * chain,
            const struct devid_attest_policy *policy,
            struct devid_attest_verdict *verdict)
{
    int count = sk_X509_num(chain);
    enum devid_attest_reason r = check_cas(leaf, chain, verdict);

    if (r == DEVID_ATTEST_TRUSTED)
        r = check_hash(leaf, policy, verdict);
    /* A root is trusted for being there, not for its own signature. */
    for (int i = 0; r == DEVID_ATTEST_TRUSTED && i < count - 1; i++)
        r = check_hash(sk_X509_value(chain, i), policy, verdict);
    if (r == DEVID_ATTEST_TRUSTED)
        r = check_time(leaf, policy, verdict);
    for (int i = 0; r == DEVID_ATTEST_TRUSTED && i < count; i++)
        r = check_time(sk_X509_value(chain, i), policy, verdict);
    return r;
}

/* A root, where the policy names one, and what may lead to it. */
struct way {
    const struct devid_attest_policy *policy;
    X509_STORE *roots;
    STACK_OF(X509) * all;
};

static enum devid_attest_reason
verify_issuer(X509 *leaf, X509 *issuer, const struct way *way,
              struct devid_attest_verdict *verdict)
{
    const struct devid_attest_policy *policy = way->policy;
    X509_STORE_CTX *ctx = X509_STORE_CTX_new_ex(policy->libctx, DEVID_PROPQ);
    enum devid_attest_reason r;
    char name[WORDS];

    if (ctx == NULL ||
        X509_STORE_CTX_init(ctx, way->roots, issuer, way->all) != 1) {
        X509_STORE_CTX_free(ctx);
        return attest_undecided(verdict);
    }
    X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_NO_CHECK_TIME);
    if (X509_verify_cert(ctx) == 1) {
        r = check_chain(leaf, X509_STORE_CTX_get0_chain(ctx), policy, verdict);
    } else {
        attest_name_words(X509_get_subject_name(issuer), name, sizeof(name));
        r = attest_refuse(
            verdict, DEVID_ATTEST_EK_CHAIN,
            "the EK's issuer '%s' leads to no root that is "
            "trusted: %s",
            name, X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    }
    X509_STORE_CTX_free(ctx);
    return r;
}

/* What is signed, as it lies in the certificate's bytes: the first SEQUENCE in
 * the whole one. */
static ASN1_TYPE *signed_part(struct devid_bytes der)
{
    const unsigned char *start = der.data;
    const unsigned char *p;
    long len = 0;
    int tag;
    int class;

    if ((ASN1_get_object(&start, &len, &tag, &class, (long)der.len) & 0x80) !=
        0)
        return NULL;
    p = start;
    return d2i_ASN1_TYPE(NULL, &p, len);
}

/* X509_verify, for a certificate that was decoded without its key, and so
 * without algorithms. */
static bool is_signed_by(const X509 *leaf, struct devid_bytes der,
                         EVP_PKEY *key, OSSL_LIB_CTX *libctx)
{
    const X509_ALGOR *alg = NULL;
    const ASN1_BIT_STRING *signature = NULL;
    ASN1_TYPE *part = signed_part(der);
    bool ok;

    X509_get0_signature(&signature, &alg, leaf);
    ok = part != NULL && X509_ALGOR_cmp(alg, X509_get0_tbs_sigalg(leaf)) == 0 &&
         ASN1_item_verify_ex(ASN1_ITEM_rptr(ASN1_ANY), alg, signature, part,
                             NULL, key, libctx, DEVID_PROPQ) == 1;
    ASN1_TYPE_free(part);
    return ok;
}

/* Several may have the issuer's name: of renewed keys, or forged. */
static enum devid_attest_reason
try_issuers(X509 *leaf, const struct way *way,
            struct devid_attest_verdict *verdict)
{
    const X509_NAME *wanted = X509_get_issuer_name(leaf);
    enum devid_attest_reason r;
    char name[WORDS];

    attest_name_words(wanted, name, sizeof(name));
    r = attest_refuse(verdict, DEVID_ATTEST_EK_ISSUER_UNKNOWN,
                      "the EK's certificate is issued by '%s', of which there "
                      "is no certificate among those of vendors",
                      name);
    for (int i = 0; i < sk_X509_num(way->all); i++) {
        X509 *issuer = sk_X509_value(way->all, i);

        if (X509_NAME_cmp(X509_get_subject_name(issuer), wanted) != 0)
            continue;
        if (is_signed_by(leaf, verdict->ek_cert, X509_get0_pubkey(issuer),
                         way->policy->libctx)) {
            r = verify_issuer(leaf, issuer, way, verdict);
            if (r == DEVID_ATTEST_TRUSTED || r == DEVID_ATTEST_UNDECIDED)
                return r;
        } else if (r == DEVID_ATTEST_EK_ISSUER_UNKNOWN) {
            r = attest_refuse(verdict, DEVID_ATTEST_EK_SIGNATURE,
                              "the EK's certificate names '%s', but that key "
                              "did not sign it",
                              name);
        }
    }
    return r;
}

/* What the device brought along, where it is a certificate at all. */
static bool push_brought(STACK_OF(X509) * all,
                         const struct devid_attest_policy *policy)
{
    for (size_t i = 0; i < policy->chain_count; i++) {
        const unsigned char *p = policy->chain[i].data;
        X509 *cert = X509_new_ex(policy->libctx, DEVID_PROPQ);

        if (cert == NULL)
            return false;
        /* Where it fails, libcrypto frees it and sets NULL. */
        if (policy->chain[i].len > INT32_MAX ||
            d2i_X509(&cert, &p, (long)policy->chain[i].len) == NULL)
            continue;
        if (sk_X509_push(all, cert) <= 0) {
            X509_free(cert);
            return false;
        }
    }
    return true;
}

enum devid_attest_reason
attest_chain_verify(X509 *leaf, const struct devid_attest_policy *policy,
                    struct devid_attest_verdict *verdict)
{
    const struct devid_trust *trust = policy->trust;
    STACK_OF(X509) *brought = NULL; /* with the vendors' */
    struct way way = {.policy = policy};
    enum devid_attest_reason r;

    devid_quiet_begin();
    way.roots = trust != NULL ? trust->roots : NULL;
    way.all = trust != NULL ? trust->all : NULL;
    if (policy->chain_count > 0)
        way.all = brought =
            trust != NULL ? X509_chain_up_ref(trust->all) : sk_X509_new_null();
    if (policy->chain_count > 0 &&
        (brought == NULL || !push_brought(brought, policy)))
        r = attest_undecided(verdict);
    else
        r = try_issuers(leaf, &way, verdict);
    sk_X509_pop_free(brought, X509_free);
    devid_quiet_end();
    return r;
}
