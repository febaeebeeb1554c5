/* SPDX-License-Identifier: Apache-2.0 */
/* What operations start from: keys, a digest, a ciphertext, a certificate. */
#include "sweep.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPERATIONS_MAX 48
#define CERT_S 3600

static struct kept {
    const struct operation *op; /* NULL: nothing yet */
    char *pem;
    char uri[DEVID_URI_SIZE];
    uint8_t *ciphertext;
    size_t ciphertext_len;
} kept[OPERATIONS_MAX];

static EVP_PKEY *software;
static uint8_t *cert_der;
static size_t cert_len;

void must(enum devid_err e, const struct devid_error *err, const char *what)
{
    if (e == DEVID_OK)
        return;
    (void)fprintf(stderr, "%s: %s\n", what, err->text);
    exit(EXIT_FAILURE);
}

EVP_PKEY *fixture_software_key(void)
{
    if (software == NULL)
        software = software_key("ec-p256");
    return software;
}

static X509 *new_cert(void)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_NAME_new();

    if (cert == NULL || name == NULL ||
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                   (const unsigned char *)"unit", -1, -1,
                                   0) != 1 ||
        ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) != 1 ||
        X509_set_subject_name(cert, name) != 1 ||
        X509_set_issuer_name(cert, name) != 1 ||
        X509_gmtime_adj(X509_getm_notBefore(cert), 0) == NULL ||
        X509_gmtime_adj(X509_getm_notAfter(cert), CERT_S) == NULL ||
        X509_set_pubkey(cert, fixture_software_key()) != 1 ||
        X509_sign(cert, fixture_software_key(), EVP_sha256()) == 0)
        exit(EXIT_FAILURE);
    X509_NAME_free(name);
    return cert;
}

const uint8_t *fixture_cert(size_t *len)
{
    X509 *made;
    int n = 0;

    if (cert_der == NULL) {
        made = new_cert();
        n = i2d_X509(made, &cert_der);
        X509_free(made);
        cert_len = n > 0 ? (size_t)n : 0;
    }
    *len = cert_len;
    return cert_der;
}

struct devid_key_spec fixture_spec(const struct trial *t, unsigned number)
{
    static struct devid_public signer;
    static char handle[16];
    static char label[16];
    struct devid_key_spec spec = {
        .device = t->stand->device,
        .algorithm = t->op->algorithm,
        .decrypt = t->op->decrypt,
    };

    (void)snprintf(handle, sizeof(handle), "0x810002%02x", number & 0xffu);
    (void)snprintf(label, sizeof(label), "sweep-%u", number);
    if (spec.device != NULL) {
        spec.label = label;
        return spec;
    }
    if (t->op->policy) {
        software_public(fixture_software_key(), &signer);
        spec.policy_signer = &signer;
    }
    spec.parent = t->op->parent;
    spec.persist = t->op->persist ? handle : NULL;
    spec.auth = t->op->auth ? FIXTURE_AUTH : NULL;
    spec.auth_len = t->op->auth ? strlen(FIXTURE_AUTH) : 0;
    return spec;
}

void fixture_numbered(const struct trial *t, unsigned number, const char *more,
                      char uri[DEVID_URI_SIZE])
{
    const char *device = t->stand->device;

    if (device == NULL)
        (void)snprintf(uri, DEVID_URI_SIZE, "tpm2:handle=0x810002%02x",
                       number & 0xffu);
    else
        (void)snprintf(uri, DEVID_URI_SIZE, "%.*s;object=sweep-%u%s%s",
                       (int)strcspn(device, "?"), device, number, more,
                       device + strcspn(device, "?"));
}

unsigned fixture_number(const struct trial *t)
{
    unsigned number = 0;

    while (kept[number].op != NULL && kept[number].op != t->op)
        number++;
    kept[number].op = t->op;
    return number;
}

static enum devid_err sign_policy(void *arg, const struct devid_tbs *tbs,
                                  struct devid_sig *sig,
                                  struct devid_error *err)
{
    (void)err;
    software_sign(arg, tbs, sig);
    return DEVID_OK;
}

enum devid_err fixture_policy(const struct devid_key *key,
                              struct devid_key **with, struct devid_error *err)
{
    struct devid_public signer;
    const struct devid_policy_spec spec = {
        .pcrs = FIXTURE_PCRS,
        .name = "sweep",
        .signer = &signer,
        .sign = sign_policy,
        .arg = fixture_software_key(),
    };

    software_public(fixture_software_key(), &signer);
    return devid_key_add_policy(key, &spec, with, err);
}

static void add_policy(struct devid_key **key)
{
    struct devid_key *with = NULL;
    struct devid_error err = {0};

    must(fixture_policy(*key, &with, &err), &err, "a signed policy");
    devid_key_free(key);
    *key = with;
}

static struct kept *kept_of(struct trial *t)
{
    const unsigned number = fixture_number(t);
    struct devid_key_spec spec = fixture_spec(t, number);
    struct devid_key *key = NULL;
    struct devid_error err = {0};
    struct kept *k = &kept[number];
    size_t len = 0;

    if (k->pem != NULL)
        return k;
    must(devid_key_create(t->engine, &spec, &key, &err), &err, t->op->name);
    if (t->op->policy)
        add_policy(&key);
    must(devid_key_to_pem(key, &k->pem, &len, &err), &err, t->op->name);
    fixture_numbered(t, number, "", k->uri);
    devid_key_free(&key);
    /* The next use is the first of this process again. */
    devid_shutdown();
    return k;
}

const char *fixture_pem(struct trial *t)
{
    return kept_of(t)->pem;
}

const char *fixture_uri(struct trial *t)
{
    return kept_of(t)->uri;
}

void fixture_tbs(const struct devid_key *key, struct devid_tbs *tbs)
{
    static uint8_t digest[64];
    const struct devid_hash *hash = devid_hash_by_name("SHA256");

    digest_text(hash, "to be signed", digest);
    *tbs = (struct devid_tbs){
        .scheme = devid_key_kind(devid_key_public(key)->type)->scheme,
        .hash = hash,
        .digest = digest,
        .digest_len = hash->len,
    };
}

void fixture_ciphertext(struct trial *t, struct devid_ciphertext *c)
{
    struct devid_plaintext plain = {.len = strlen(FIXTURE_CLEAR)};
    struct devid_plaintext sent = {0};
    struct devid_error err = {0};
    struct kept *k = kept_of(t);
    EVP_PKEY *pkey = NULL;

    *c = (struct devid_ciphertext){
        .padding = DEVID_PAD_OAEP,
        .hash = devid_hash_by_name("SHA256"),
    };
    if (k->ciphertext == NULL) {
        memcpy(plain.data, FIXTURE_CLEAR, plain.len);
        must(devid_public_to_pkey(devid_key_public(t->key), NULL, &pkey, &err),
             &err, t->op->name);
        software_encrypt(pkey, c, &plain, &sent);
        EVP_PKEY_free(pkey);
        k->ciphertext = OPENSSL_memdup(sent.data, sent.len);
        k->ciphertext_len = sent.len;
    }
    c->data = k->ciphertext;
    c->len = k->ciphertext_len;
}

void fixture_free(void)
{
    for (size_t i = 0; i < OPERATIONS_MAX; i++) {
        OPENSSL_free(kept[i].pem);
        OPENSSL_free(kept[i].ciphertext);
    }
    OPENSSL_free(cert_der);
    EVP_PKEY_free(software);
}
