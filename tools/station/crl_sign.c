/* SPDX-License-Identifier: Apache-2.0 */
#include "crl_sign.h"

#include <openssl/crypto.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "exchange.h"
#include "keys.h"

enum {
    URL_SIZE = 1100
};

static bool put_time(X509_REVOKED *revoked, int64_t ms)
{
    ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)(ms / 1000));
    bool ok = at && X509_REVOKED_set_revocationDate(revoked, at) == 1;

    ASN1_TIME_free(at);
    return ok;
}

/* "unspecified" is said by leaving it out: RFC 5280, 5.3.1. */
static bool put_reason(X509_REVOKED *revoked, int reason)
{
    ASN1_ENUMERATED *value;
    bool ok;

    if (reason == 0)
        return true;
    value = ASN1_ENUMERATED_new();
    ok = value && ASN1_ENUMERATED_set(value, reason) == 1 &&
         X509_REVOKED_add1_ext_i2d(revoked, NID_crl_reason, value, 0, 0) == 1;
    ASN1_ENUMERATED_free(value);
    return ok;
}

static bool put_entry(X509_CRL *list, const struct entry *entry)
{
    X509_REVOKED *revoked = X509_REVOKED_new();
    BIGNUM *number = NULL;
    ASN1_INTEGER *serial = NULL;
    bool ok = revoked && BN_hex2bn(&number, entry->number) > 0;

    if (ok)
        serial = BN_to_ASN1_INTEGER(number, NULL);
    ok = serial && X509_REVOKED_set_serialNumber(revoked, serial) == 1 &&
         put_time(revoked, entry->revoked_ms) &&
         put_reason(revoked, entry->reason) &&
         X509_CRL_add0_revoked(list, revoked) == 1;
    if (!ok)
        X509_REVOKED_free(revoked);
    ASN1_INTEGER_free(serial);
    BN_free(number);
    return ok;
}

static bool put_key_id(X509_CRL *list, X509 *ca)
{
    AUTHORITY_KEYID *id = AUTHORITY_KEYID_new();
    bool ok = false;

    if (id) {
        id->keyid = ASN1_OCTET_STRING_dup(X509_get0_subject_key_id(ca));
        ok = id->keyid &&
             X509_CRL_add1_ext_i2d(list, NID_authority_key_identifier, id, 0,
                                   0) == 1;
    }
    AUTHORITY_KEYID_free(id);
    return ok;
}

/* Later lists have higher numbers, also those of another station. */
static bool put_number(X509_CRL *list, int64_t now)
{
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    bool ok = number && ASN1_INTEGER_set_int64(number, now) == 1 &&
              X509_CRL_add1_ext_i2d(list, NID_crl_number, number, 0, 0) == 1;

    ASN1_INTEGER_free(number);
    return ok;
}

static void url_of(const char *template, unsigned shard, char url[URL_SIZE])
{
    static const char mark[] = "{shard}";
    const char *at = strstr(template, mark);

    if (at)
        snprintf(url, URL_SIZE, "%.*s%u%s", (int)(at - template), template,
                 shard, at + sizeof(mark) - 1);
    else
        snprintf(url, URL_SIZE, "%s", template);
}

/* One list of several says for which certificates it is: RFC 5280, 5.2.5. */
static bool put_point(X509_CRL *list, const struct context *context,
                      unsigned shard)
{
    ISSUING_DIST_POINT *point = ISSUING_DIST_POINT_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *uri = ASN1_IA5STRING_new();
    char url[URL_SIZE];
    bool ok = point && name && uri;

    url_of(context->config.crl_url, shard, url);
    if (ok)
        point->distpoint = DIST_POINT_NAME_new();
    ok = ok && point->distpoint && ASN1_STRING_set(uri, url, -1) == 1;
    if (ok) {
        GENERAL_NAME_set0_value(name, GEN_URI, uri);
        uri = NULL;
        point->distpoint->type = 0;
        point->distpoint->name.fullname = sk_GENERAL_NAME_new_null();
        ok = sk_GENERAL_NAME_push(point->distpoint->name.fullname, name) > 0;
        name = ok ? NULL : name;
    }
    ok = ok && X509_CRL_add1_ext_i2d(list, NID_issuing_distribution_point,
                                     point, 1, 0) == 1;
    ASN1_IA5STRING_free(uri);
    GENERAL_NAME_free(name);
    ISSUING_DIST_POINT_free(point);
    return ok;
}

static bool put_dates(X509_CRL *list, int64_t now, unsigned hours)
{
    ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(now / 1000));
    ASN1_TIME *to =
        ASN1_TIME_set(NULL, (time_t)(now / 1000) + (time_t)hours * 3600);
    bool ok = from && to && X509_CRL_set1_lastUpdate(list, from) == 1 &&
              X509_CRL_set1_nextUpdate(list, to) == 1;

    ASN1_TIME_free(from);
    ASN1_TIME_free(to);
    return ok;
}

static bool sign_list(X509_CRL *list, EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = keys_signer(key);
    bool ok =
        ctx && X509_CRL_sort(list) == 1 && X509_CRL_sign_ctx(list, ctx) > 0;

    EVP_MD_CTX_free(ctx);
    return ok;
}

X509_CRL *crl_sign(const struct context *context, const struct entry *entries,
                   size_t count, unsigned shard)
{
    const struct config *config = &context->config;
    X509_CRL *list = X509_CRL_new();
    int64_t now = now_ms();
    bool ok = list && X509_CRL_set_version(list, X509_CRL_VERSION_2) == 1 &&
              X509_CRL_set_issuer_name(
                  list, X509_get_subject_name(context->ca)) == 1 &&
              put_dates(list, now, config->crl_hours) &&
              put_key_id(list, context->ca) && put_number(list, now) &&
              (config->crl_shards == 1 || !config->crl_url ||
               put_point(list, context, shard));

    for (size_t i = 0; ok && i < count; i++)
        ok = put_entry(list, &entries[i]);
    if (ok && sign_list(list, context->ca_key))
        return list;
    X509_CRL_free(list);
    return NULL;
}
