/* SPDX-License-Identifier: Apache-2.0 */
/* An identity's certificate against its key, the clock and its chain. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include "certificate.h"
#include "identity_check.h"
#include "message.h"
#include "report.h"

#define DAY (24LL * 60 * 60)
/* 99991231235959Z and its like: IEEE 802.1AR-2018, 8.7. */
#define NEVER 253370764800LL

static const char *date(struct doctor *doctor, json_int_t seconds)
{
    time_t at = (time_t)seconds;
    struct tm tm;
    char text[40] = "";

    if (gmtime_r(&at, &tm))
        (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm);
    return words(doctor, "%s", text);
}

/* ---- validity ------------------------------------------------------------ */

/* Renewal is due in the last third, of long lives in the last month. */
static json_int_t notice(json_int_t life)
{
    return life / 3 < 30 * DAY ? life / 3 : 30 * DAY;
}

static void judge_validity(struct doctor *doctor, const char *name,
                           const json_t *cert)
{
    json_int_t now = fact_now(doctor);
    json_int_t from = fact_number(cert, "not_before");
    json_int_t until = fact_number(cert, "not_after");

    if (until < now)
        is_bad(doctor, "identity.expired",
               words(doctor, "%s expired on %s", name, date(doctor, until)),
               "peers refuse it", "renew it: devid csr");
    else if (from > now)
        is_bad(doctor, "identity.not_yet_valid",
               words(doctor, "%s is valid from %s on, and it is %s", name,
                     date(doctor, from), date(doctor, now)),
               "peers refuse it, or this machine's clock is wrong",
               "timedatectl status");
    else if (until < NEVER && until - now < notice(until - from))
        is_warning(doctor, "identity.expires",
                   words(doctor, "%s expires on %s", name, date(doctor, until)),
                   "peers refuse it from then on", "renew it: devid csr");
    else
        is_ok(doctor, "identity.validity",
              until < NEVER ? words(doctor, "%s is valid until %s", name,
                                    date(doctor, until))
                            : words(doctor, "%s does not expire", name));
}

/* ---- chain --------------------------------------------------------------- */

static X509 *parse(const json_t *cert)
{
    size_t len = 0;
    uint8_t *der = certificate_der(cert, &len);
    const uint8_t *at = der;
    X509 *x509 = der ? d2i_X509(NULL, &at, (long)len) : NULL;

    OPENSSL_free(der);
    ERR_clear_error();
    return x509;
}

static void push(STACK_OF(X509) * stack, const json_t *list, size_t from)
{
    const json_t *cert;
    size_t i;

    json_array_foreach(list, i, cert)
    {
        X509 *x509 = i >= from ? parse(cert) : NULL;

        if (x509 && !sk_X509_push(stack, x509))
            die_no_memory();
    }
}

/* NULL: it verifies; else why not. Times are judged apart. */
static const char *verify(const json_t *identity)
{
    const json_t *own = json_object_get(identity, "cert");
    STACK_OF(X509) *others = sk_X509_new_null();
    STACK_OF(X509) *trusted = sk_X509_new_null();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_STORE *store = X509_STORE_new();
    X509 *leaf = parse(json_array_get(own, 0));
    const char *why = NULL;

    if (!others || !trusted || !ctx || !store)
        die_no_memory();
    push(others, own, 1);
    push(others, json_object_get(identity, "chain"), 0);
    push(trusted, json_object_get(identity, "ca"), 0);
    if (X509_STORE_CTX_init(ctx, store, leaf, others) != 1)
        die_no_memory();
    X509_STORE_CTX_set0_trusted_stack(ctx, trusted);
    X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_NO_CHECK_TIME |
                                      X509_V_FLAG_PARTIAL_CHAIN);
    if (!leaf || X509_verify_cert(ctx) != 1)
        why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    sk_X509_pop_free(others, X509_free);
    sk_X509_pop_free(trusted, X509_free);
    X509_free(leaf);
    ERR_clear_error();
    return why;
}

static void judge_chain(struct doctor *doctor, const json_t *identity)
{
    const json_t *own = json_array_get(json_object_get(identity, "cert"), 0);
    const char *path = report_get(identity, "path");
    const char *why;
    const json_t *cert;
    size_t i;

    json_array_foreach(json_object_get(identity, "chain"), i, cert)
    {
        /* The identity's own, which may stand there too, has been judged. */
        if (strcmp(report_get(cert, "der"), report_get(own, "der")) != 0 &&
            fact_number(cert, "not_after") < fact_now(doctor))
            judge_validity(doctor,
                           words(doctor, "%s/chain.pem: the certificate of %s",
                                 path, report_get(cert, "subject")),
                           cert);
    }
    if (json_array_size(json_object_get(identity, "ca")) == 0) {
        is_note(doctor, "identity.chain",
                words(doctor, "the chain of %s was not verified", path),
                "there is no ca.pem with the CA that it should lead to", NULL);
        return;
    }
    why = verify(identity);
    if (why)
        is_bad(doctor, "identity.chain",
               words(doctor,
                     "%s/cert.pem does not lead to ca.pem by "
                     "chain.pem: %s",
                     path, why),
               "peers that trust that CA refuse this identity",
               words(doctor,
                     "openssl verify -partial_chain -CAfile %s/ca.pem "
                     "-untrusted %s/chain.pem %s/cert.pem",
                     path, path, path));
    else
        is_ok(doctor, "identity.chain",
              words(doctor, "the chain of %s verifies", path));
}

/* ---- the rest ------------------------------------------------------------ */

static void judge_match(struct doctor *doctor, const json_t *identity,
                        const json_t *cert)
{
    const char *path = report_get(identity, "path");
    const json_t *key =
        json_object_get(json_object_get(identity, "key"), "public");

    if (!key)
        return;
    if (strcmp(report_get(key, "sha256"),
               report_get(json_object_get(cert, "public"), "sha256")) == 0)
        is_ok(doctor, "identity.match",
              words(doctor, "the key of %s is its certificate's", path));
    else
        is_bad(doctor, "identity.match",
               words(doctor,
                     "%s/cert.pem is the certificate of another key "
                     "than key.pem",
                     path),
               "no server starts with the two",
               words(doctor,
                     "devid csr --key %s/key.pem, and take the "
                     "certificate that the CA answers with",
                     path));
}

/* haproxy reads key and certificates from one file. */
static void judge_combined(struct doctor *doctor, const json_t *identity)
{
    const char *path = report_get(identity, "path");
    const json_t *own = json_object_get(identity, "cert");
    const json_t *combined = json_object_get(identity, "combined");

    if (!combined)
        return;
    if (fact_flag(identity, "combined_has_key") &&
        strcmp(report_get(json_array_get(own, 0), "der"),
               report_get(json_array_get(combined, 0), "der")) == 0)
        return;
    is_bad(doctor, "identity.combined",
           words(doctor, "%s/combined.pem is not made of key.pem and cert.pem",
                 path),
           "a server that reads it shows an old certificate, or does not start",
           words(doctor,
                 "(umask 077; cat %s/key.pem %s/cert.pem %s/chain.pem > "
                 "%s/combined.pem)",
                 path, path, path, path));
}

void judge_identity_certificate(struct doctor *doctor, const json_t *identity)
{
    const char *path = report_get(identity, "path");
    const json_t *cert = json_array_get(json_object_get(identity, "cert"), 0);

    if (!cert) {
        is_warning(
            doctor, "identity.certificate",
            words(doctor, "there is no certificate in %s/cert.pem", path),
            "servers need one beside the key",
            words(doctor, "devid csr --key %s/key.pem", path));
        return;
    }
    judge_match(doctor, identity, cert);
    judge_validity(doctor, words(doctor, "the certificate of %s", path), cert);
    judge_chain(doctor, identity);
    judge_combined(doctor, identity);
}
