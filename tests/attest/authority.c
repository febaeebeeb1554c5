/* SPDX-License-Identifier: Apache-2.0 */
#include "authority.h"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY (24L * 3600)

static void add_ext(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *ext;

    if (value == NULL)
        return;
    ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    assert_non_null(ext);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

static void add_critical(X509 *cert, const char *oid)
{
    ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *ext;

    assert_int_equal(ASN1_OCTET_STRING_set(value, (const uint8_t *)"\x05\0", 2),
                     1);
    ext = X509_EXTENSION_create_by_OBJ(NULL, type, 1, value);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(type);
}

/* The same RSAPublicKey under another algorithm's name. */
static void say_oaep(X509 *cert)
{
    X509_PUBKEY *spki = (X509_PUBKEY *)(uintptr_t)X509_get_X509_PUBKEY(cert);
    const unsigned char *key = NULL;
    unsigned char *copy;
    int len = 0;

    assert_int_equal(X509_PUBKEY_get0_param(NULL, &key, &len, NULL, spki), 1);
    copy = OPENSSL_memdup(key, (size_t)len);
    assert_int_equal(X509_PUBKEY_set0_param(spki, OBJ_nid2obj(NID_rsaesOaep),
                                            V_ASN1_NULL, NULL, copy, len),
                     1);
}

static void set_name(X509_NAME *name, const char *cn)
{
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                                (const unsigned char *)cn, -1,
                                                -1, 0),
                     1);
}

/* As the EK profile has it: a directoryName with one attribute. */
static void add_manufacturer(X509 *cert, const char *id)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    X509_NAME *dir = X509_NAME_new();

    assert_int_equal(
        X509_NAME_add_entry_by_txt(dir, "2.23.133.2.1", MBSTRING_UTF8,
                                   (const unsigned char *)id, -1, -1, 0),
        1);
    GENERAL_NAME_set0_value(name, GEN_DIRNAME, dir);
    assert_true(sk_GENERAL_NAME_push(names, name) > 0);
    assert_int_equal(X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 1, 0),
                     1);
    GENERAL_NAMES_free(names);
}

static void add_constraint(X509 *cert, const char *cn)
{
    NAME_CONSTRAINTS *names = NAME_CONSTRAINTS_new();
    GENERAL_SUBTREE *tree = GENERAL_SUBTREE_new();
    X509_NAME *dir = X509_NAME_new();

    set_name(dir, cn);
    GENERAL_NAME_set0_value(tree->base, GEN_DIRNAME, dir);
    names->permittedSubtrees = sk_GENERAL_SUBTREE_new_null();
    assert_true(sk_GENERAL_SUBTREE_push(names->permittedSubtrees, tree) > 0);
    assert_int_equal(X509_add1_ext_i2d(cert, NID_name_constraints, names, 1, 0),
                     1);
    NAME_CONSTRAINTS_free(names);
}

static void add_key_ids(X509 *cert, X509 *issuer)
{
    static const uint8_t id[20] = {1, 2, 3};
    ASN1_OCTET_STRING *own = ASN1_OCTET_STRING_new();
    AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();

    assert_int_equal(ASN1_OCTET_STRING_set(own, id, sizeof(id)), 1);
    assert_int_equal(
        X509_add1_ext_i2d(cert, NID_subject_key_identifier, own, 0, 0), 1);
    if (issuer != NULL) {
        aki->keyid = own;
        assert_int_equal(
            X509_add1_ext_i2d(cert, NID_authority_key_identifier, aki, 0, 0),
            1);
        own = NULL;
    }
    AUTHORITY_KEYID_free(aki);
    ASN1_OCTET_STRING_free(own);
}

X509 *make_cert(const struct cert_spec *spec)
{
    static long serial = 1;
    EVP_PKEY *signer = spec->issuer_key != NULL ? spec->issuer_key : spec->key;
    const char *digest = spec->digest != NULL ? spec->digest : "SHA256";
    long from = DAY * (spec->not_before != 0 ? spec->not_before : -10);
    long to = DAY * (spec->not_after != 0 ? spec->not_after : 1000);
    X509 *cert = X509_new();
    X509_NAME *name = X509_NAME_new();

    set_name(name, spec->name);
    assert_int_equal(X509_set_subject_name(cert, name), 1);
    assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++),
                     1);
    assert_non_null(ASN1_TIME_adj(X509_getm_notBefore(cert), NOW, 0, from));
    assert_non_null(ASN1_TIME_adj(X509_getm_notAfter(cert), NOW, 0, to));
    assert_int_equal(
        X509_set_issuer_name(cert, spec->issuer != NULL
                                       ? X509_get_subject_name(spec->issuer)
                                       : name),
        1);
    X509_NAME_free(name);
    assert_int_equal(X509_set_pubkey(cert, spec->key), 1);
    if (spec->oaep)
        say_oaep(cert);
    add_ext(cert, NID_basic_constraints, spec->basic);
    add_ext(cert, NID_key_usage, spec->key_usage);
    add_ext(cert, NID_ext_key_usage, spec->usage);
    if (spec->key_id)
        add_key_ids(cert, spec->issuer);
    if (spec->names != NULL)
        add_constraint(cert, spec->names);
    if (spec->tpm_manufacturer != NULL)
        add_manufacturer(cert, spec->tpm_manufacturer);
    if (spec->critical != NULL)
        add_critical(cert, spec->critical);
    assert_true(X509_sign(cert, signer, EVP_get_digestbyname(digest)) > 0);
    return cert;
}

uint8_t *cert_der(X509 *cert, size_t before, size_t after, size_t *len)
{
    int n = i2d_X509(cert, NULL);
    uint8_t *der;
    uint8_t *p;

    assert_true(n > 0);
    *len = before + (size_t)n + after;
    der = calloc(1, *len);
    assert_non_null(der);
    p = der + before;
    assert_int_equal(i2d_X509(cert, &p), n);
    return der;
}

void append_pem(const char *path, X509 *cert)
{
    FILE *f = fopen(path, "ae");

    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, cert), 1);
    assert_int_equal(fclose(f), 0);
}

void write_der(const char *path, X509 *cert)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_int_equal(i2d_X509_fp(f, cert), 1);
    assert_int_equal(fclose(f), 0);
}

void make_folder(char path[64])
{
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(path, 64, "%.30s/devid-test.XXXXXX",
                   tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(path));
}

void remove_folder(const char *path)
{
    const struct dirent *entry;
    char name[512];
    DIR *dir = opendir(path);

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        (void)unlink(name); /* "." and ".." stay */
    }
    assert_int_equal(closedir(dir), 0);
    assert_int_equal(rmdir(path), 0);
}

void expect_ek(struct devid_bytes nv, struct devid_attest_policy policy,
               enum devid_attest_reason reason, const char *text)
{
    struct devid_attest_verdict verdict;

    policy.now = policy.now != 0 ? policy.now : NOW;
    if (devid_ek_verify(nv, &policy, &verdict) != reason)
        print_error("%s: %s\n", devid_attest_reason_name(verdict.reason),
                    verdict.error.text);
    assert_int_equal(verdict.reason, reason);
    if (reason != DEVID_ATTEST_TRUSTED)
        expect_text(&verdict.error, text);
    else
        assert_string_equal(verdict.error.text, "");
}

bool trust_peers(struct devid_trust **trust, const char *const *names)
{
    const char *dir = getenv("DEVID_PEER_DATA");
    struct devid_error err = {0};
    char path[1024];
    enum devid_err e = DEVID_OK;

    assert_int_equal(devid_trust_new(NULL, trust, &err), DEVID_OK);
    for (; *names != NULL && e == DEVID_OK; names++) {
        (void)snprintf(path, sizeof(path), "%s/%s", dir != NULL ? dir : "",
                       *names);
        e = devid_trust_add(*trust, path, NULL, &err);
        if (e != DEVID_OK)
            print_message("%s\n", err.text);
    }
    if (e != DEVID_OK)
        devid_trust_free(trust);
    return e == DEVID_OK;
}

BIGNUM *weak_number(unsigned long exponent)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *m = BN_new();
    BIGNUM *n = BN_new();
    BIGNUM *g = BN_new();
    BIGNUM *a = BN_new();

    assert_true(ctx != NULL && m != NULL && n != NULL && g != NULL);
    assert_int_equal(BN_set_word(m, 2), 1);
    for (BN_ULONG p = 3; p <= 167; p += 2) {
        BN_ULONG d = 3;

        while (d * d <= p && p % d != 0)
            d += 2;
        if (d * d > p)
            assert_int_equal(BN_mul_word(m, p), 1);
    }
    assert_int_equal(BN_set_word(g, 65537), 1);
    do {
        assert_int_equal(BN_set_word(a, exponent), 1);
        assert_int_equal(BN_mod_exp(n, g, a, m, ctx), 1);
        assert_int_equal(BN_rand(a, 2048 - BN_num_bits(m), 0, 0), 1);
        assert_int_equal(BN_mul(a, a, m, ctx), 1);
        assert_int_equal(BN_add(n, n, a), 1);
    } while (BN_num_bits(n) != 2048);
    BN_free(m);
    BN_free(g);
    BN_free(a);
    BN_CTX_free(ctx);
    return n;
}
