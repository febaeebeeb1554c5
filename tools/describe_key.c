/* SPDX-License-Identifier: Apache-2.0 */
#include "describe.h"

#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <stdio.h>

enum {
    NAME_SIZE = 80
};

void describe_sha256(json_t *report, const char *name, const uint8_t *data,
                     size_t len)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    char hex[2 * sizeof(digest) + 1];
    size_t digest_len = 0;

    if (!EVP_Q_digest(NULL, "SHA256", NULL, data, len, digest, &digest_len))
        return;
    for (size_t i = 0; i < digest_len; i++)
        sprintf(hex + 2 * i, "%02x", digest[i]);
    report_text(report, name, hex);
}

static void put_algorithm(json_t *report, const struct devid_public *pub)
{
    char name[NAME_SIZE];

    if (pub->alg)
        snprintf(name, sizeof(name), "%s", pub->alg->name);
    else
        snprintf(name, sizeof(name), "rsa-%s%u",
                 pub->type == DEVID_KEY_RSA_PSS ? "pss-" : "", pub->bits);
    report_text(report, "algorithm", name);
    report_number(report, "bits", pub->bits);
    if (pub->hash)
        report_text(report, "bound_to_hash", pub->hash->name);
}

/* A key type that the engine does not have, by OpenSSL's name for it. */
static void put_foreign_algorithm(json_t *report, const uint8_t *der,
                                  size_t len)
{
    X509_PUBKEY *spki = d2i_X509_PUBKEY(NULL, &der, (long)len);
    ASN1_OBJECT *oid = NULL;
    char name[NAME_SIZE];

    if (spki && X509_PUBKEY_get0_param(&oid, NULL, NULL, NULL, spki) &&
        OBJ_obj2txt(name, sizeof(name), oid, 0) > 0)
        report_text(report, "algorithm", name);
    X509_PUBKEY_free(spki);
}

void describe_spki(json_t *report, const uint8_t *der, size_t len)
{
    struct devid_public pub;

    if (devid_public_from_spki(der, len, &pub, NULL) == DEVID_OK)
        put_algorithm(report, &pub);
    else
        put_foreign_algorithm(report, der, len);
    describe_sha256(report, "public_key_sha256", der, len);
}

void describe_public(json_t *report, const struct devid_public *pub)
{
    uint8_t *der = NULL;
    size_t len = 0;

    put_algorithm(report, pub);
    if (devid_public_to_spki(pub, &der, &len, NULL) == DEVID_OK)
        describe_sha256(report, "public_key_sha256", der, len);
    OPENSSL_free(der);
}

/* Beside TPMA_OBJECT's words, which say "decrypt" of what an EC key does. */
static void put_may(json_t *report, const struct devid_key *key,
                    const struct devid_key_info *info)
{
    bool agrees = devid_key_public(key)->type == DEVID_KEY_EC;

    if (info->learnt_later)
        return;
    report_words(report, "may",
                 !info->may_decrypt ? "sign"
                 : agrees           ? "sign, derive"
                 : info->may_sign   ? "sign, decrypt"
                                    : "decrypt");
}

void describe_key(json_t *report, const struct devid_key *key)
{
    struct devid_key_info info;

    devid_key_info(key, &info);
    report_text(report, "format", info.format);
    report_text(report, "backend", info.backend);
    report_text(report, "location", info.location);
    report_text(report, "uri", info.uri);
    describe_public(report, devid_key_public(key));
    put_may(report, key, &info);
    report_words(report, "attributes", info.attributes);
    report_text(report, "name", info.name);
    report_text(report, "description", info.description);
    if (info.imported)
        report_flag(report, "imported", true);
    /* A reference says nothing of these: they are in the device. */
    if (*info.attributes) {
        report_flag(report, "needs_auth", info.needs_auth);
        report_flag(report, "has_policy", info.has_policy);
        report_text(report, "policy", info.policy);
    }
}
