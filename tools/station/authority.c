/* SPDX-License-Identifier: Apache-2.0 */
#include "authority.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "devid.h"
#include "keys.h"
#include "message.h"

enum {
    NUMBER_LEN = 20,
    OWN_DAYS = 3652,
    SAN_SIZE = 4096
};

/* X.509's "no well-defined expiration date": RFC 5280, 4.1.2.5. */
#define NEVER "99991231235959Z"

static bool set_number(X509 *cert)
{
    unsigned char data[NUMBER_LEN];
    BIGNUM *number = NULL;
    bool ok = false;

    if (RAND_bytes(data, sizeof(data)) == 1) {
        data[0] = (unsigned char)((data[0] & 0x3f) | 0x40);
        number = BN_bin2bn(data, sizeof(data), NULL);
        ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    }
    BN_free(number);
    return ok;
}

/* The public half as software: OpenSSL writes it down without the device. */
static bool set_key(X509 *cert, EVP_PKEY *key)
{
    struct devid_public pub;
    EVP_PKEY *public = NULL;
    bool ok = devid_public_from_pkey(key, &pub, NULL) == DEVID_OK &&
              devid_public_to_pkey(&pub, NULL, &public, NULL) == DEVID_OK &&
              X509_set_pubkey(cert, public) == 1;

    EVP_PKEY_free(public);
    return ok;
}

static bool set_subject(X509 *cert, const char *name)
{
    X509_NAME *subject = X509_NAME_new();
    bool ok = subject &&
              X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                         (const unsigned char *)name, -1, -1,
                                         0) == 1 &&
              X509_set_subject_name(cert, subject) == 1;

    X509_NAME_free(subject);
    return ok;
}

static X509 *new_cert(const char *name, EVP_PKEY *key)
{
    X509 *cert = X509_new();

    if (!cert)
        die_no_memory();
    if (X509_set_version(cert, X509_VERSION_3) == 1 && set_number(cert) &&
        set_key(cert, key) && X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
        set_subject(cert, name))
        return cert;
    X509_free(cert);
    return NULL;
}

static bool extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509_EXTENSION *extension;
    X509V3_CTX ctx;
    bool ok;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    ok = extension && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

static enum exit_code sign(X509 *cert, EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = keys_signer(key);
    bool ok = ctx && X509_sign_ctx(cert, ctx) > 0;
    char reason[512];

    EVP_MD_CTX_free(ctx);
    return ok ? EXIT_DONE
              : fail("the CA's key does not sign%s",
                     keys_reason(reason, sizeof(reason)));
}

static enum exit_code give(X509 **cert, enum exit_code code)
{
    char reason[512];

    if (!*cert)
        return fail("a certificate cannot be made%s",
                    keys_reason(reason, sizeof(reason)));
    if (code == EXIT_DONE)
        return code;
    X509_free(*cert);
    *cert = NULL;
    return code;
}

enum exit_code authority_make(const char *name, EVP_PKEY *key, X509 **cert)
{
    char subject[80];
    X509 *ca;
    bool ok;

    snprintf(subject, sizeof(subject), "%.60s CA", name);
    *cert = ca = new_cert(subject, key);
    ok = ca && X509_set_issuer_name(ca, X509_get_subject_name(ca)) == 1 &&
         ASN1_TIME_set_string(X509_getm_notAfter(ca), NEVER) == 1 &&
         extend(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
         extend(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
         extend(ca, ca, NID_subject_key_identifier, "hash");
    if (!ok) {
        X509_free(ca);
        *cert = NULL;
    }
    return give(cert, ok ? sign(ca, key) : EXIT_FAILED);
}

/* "DNS:a,IP:::1"; false where it would be too long, or a name would be taken
 * for more than a name. */
static bool san_of(const char *const *hosts, char san[SAN_SIZE])
{
    unsigned char address[sizeof(struct in6_addr)];
    size_t len = 0;

    for (; *hosts; hosts++) {
        bool is_address = inet_pton(AF_INET, *hosts, address) == 1 ||
                          inet_pton(AF_INET6, *hosts, address) == 1;
        int n = snprintf(san + len, SAN_SIZE - len, "%s%s:%s",
                         len > 0 ? "," : "", is_address ? "IP" : "DNS", *hosts);
        if (n < 0 || (size_t)n >= SAN_SIZE - len ||
            (!is_address && strspn(*hosts, "abcdefghijklmnopqrstuvwxyz"
                                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                           "0123456789.-_*") != strlen(*hosts)))
            return false;
        len += (size_t)n;
    }
    return len > 0;
}

/* A certificate for something of the station's own. */
struct leaf {
    const char *name;
    const char *usage; /* extended key usage */
    const char *san;   /* NULL: none */
    long days;
    bool unchecked; /* OCSP's nocheck: nobody is to ask for its own state */
};

static enum exit_code make_leaf(const struct authority *ca, EVP_PKEY *key,
                                const struct leaf *leaf, X509 **cert)
{
    X509 *made = *cert = new_cert(leaf->name, key);
    X509 *issuer = ca->cert ? ca->cert : made;
    bool ok =
        made &&
        X509_set_issuer_name(made, X509_get_subject_name(issuer)) == 1 &&
        X509_gmtime_adj(X509_getm_notAfter(made), leaf->days * 86400L) &&
        extend(made, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
        extend(made, issuer, NID_key_usage, "critical,digitalSignature") &&
        extend(made, issuer, NID_ext_key_usage, leaf->usage) &&
        extend(made, issuer, NID_subject_key_identifier, "hash") &&
        (!ca->cert ||
         extend(made, issuer, NID_authority_key_identifier, "keyid")) &&
        (!leaf->san || extend(made, issuer, NID_subject_alt_name, leaf->san)) &&
        (!leaf->unchecked ||
         extend(made, issuer, NID_id_pkix_OCSP_noCheck, "yes"));

    if (!ok) {
        X509_free(made);
        *cert = NULL;
    }
    return give(cert, ok ? sign(made, ca->key) : EXIT_FAILED);
}

enum exit_code authority_serve(const struct authority *ca, EVP_PKEY *key,
                               const char *const *hosts, X509 **cert)
{
    char san[SAN_SIZE];
    char name[65];
    const struct leaf leaf = {name, "serverAuth", san, OWN_DAYS, false};

    *cert = NULL;
    if (!san_of(hosts, san))
        return fail("--host is the name or the address of this machine, as "
                    "devices will reach it, such as line-1.factory.example");
    snprintf(name, sizeof(name), "%.64s", hosts[0]);
    return make_leaf(ca, key, &leaf, cert);
}

enum exit_code authority_list(const struct authority *ca, EVP_PKEY *key,
                              const char *station, X509 **cert)
{
    char name[65];
    /* What `openssl cms -verify` wants of who signs a file; no server, and no
     * client, could be taken in by it. */
    const struct leaf leaf = {name, "emailProtection", NULL, OWN_DAYS, false};

    snprintf(name, sizeof(name), "%.50s manifests", station);
    return make_leaf(ca, key, &leaf, cert);
}

enum exit_code authority_operator(const char *name, EVP_PKEY *key, long days,
                                  X509 **cert)
{
    const struct leaf leaf = {name, "clientAuth", NULL, days, false};
    const struct authority itself = {NULL, key};

    return make_leaf(&itself, key, &leaf, cert);
}

enum exit_code authority_ocsp(const struct authority *ca, EVP_PKEY *key,
                              const char *station, X509 **cert)
{
    char name[65];
    const struct leaf leaf = {name, "OCSPSigning", NULL, AUTHORITY_OCSP_DAYS,
                              true};

    snprintf(name, sizeof(name), "%.50s OCSP", station);
    return make_leaf(ca, key, &leaf, cert);
}
