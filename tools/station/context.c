/* SPDX-License-Identifier: Apache-2.0 */
#include "context.h"

#include <openssl/crypto.h>
#include <string.h>

#include "guesses.h"
#include "keys.h"
#include "message.h"
#include "ocsp.h"

/* The setting's own certificates count for nothing without one in it. */
static enum exit_code read_vendors(struct context *context)
{
    const struct config *config = &context->config;
    struct devid_trust_count count;
    struct devid_error err = {0};
    enum exit_code code = EXIT_DONE;
    enum devid_err e;

    if (config->ek_list)
        code = ek_list_read(config->ek_list, &context->eks);
    if (code != EXIT_DONE)
        return code;
    if (devid_trust_new(NULL, &context->trust, &err) != DEVID_OK)
        return fail_engine(&err);
    e = devid_trust_add(context->trust, config->vendors, &count, &err);
    if (e == DEVID_OK && count.roots > 0)
        return EXIT_DONE;
    devid_trust_free(&context->trust);
    if (context->eks)
        return EXIT_DONE;
    note("no TPM will be trusted: %s",
         e != DEVID_OK ? err.text
                       : "among the vendors' certificates there is no root");
    return EXIT_DONE;
}

static enum exit_code make_issuer(struct context *context)
{
    const struct config *config = &context->config;
    bool is_template = config->subject && strchr(config->subject, '{');
    struct devid_error err = {0};
    unsigned char *der = NULL;
    int len = i2d_X509(context->ca, &der);
    struct devid_issuer_spec spec = {
        .ca = {der, len > 0 ? (size_t)len : 0},
        .key = context->ca_key,
        .subject = is_template ? NULL : config->subject,
        .crl_url = config->crl_url,
        .ocsp_url = config->ocsp_url,
        .shards = config->crl_shards,
    };
    enum devid_err e = devid_issuer_new(&spec, &context->issuer, &err);

    OPENSSL_free(der);
    return e == DEVID_OK ? EXIT_DONE : fail_about(config->ca_cert, &err);
}

static enum exit_code read_ca(struct context *context)
{
    const struct config *config = &context->config;
    STACK_OF(X509) *above = NULL;
    enum exit_code code = keys_private(config->ca_key, &context->ca_key);

    if (code == EXIT_DONE)
        code = keys_certificates(config->ca_cert, &context->chain);
    if (code != EXIT_DONE)
        return code;
    context->ca = sk_X509_value(context->chain, 0);
    if (config->ca_chain)
        code = keys_certificates(config->ca_chain, &above);
    while (sk_X509_num(above) > 0) {
        if (sk_X509_push(context->chain, sk_X509_shift(above)) <= 0)
            die_no_memory();
    }
    sk_X509_free(above);
    return code == EXIT_DONE ? make_issuer(context) : code;
}

static enum exit_code read_escrow(struct context *context)
{
    STACK_OF(X509) *certs = NULL;
    enum exit_code code;

    if (!context->config.escrow_cert)
        return EXIT_DONE;
    code = keys_certificates(context->config.escrow_cert, &certs);
    if (code == EXIT_DONE)
        context->escrow = sk_X509_shift(certs);
    sk_X509_pop_free(certs, X509_free);
    return code;
}

static enum exit_code open_ledger(struct context *context)
{
    const struct config *config = &context->config;
    struct devid_error err = {0};
    struct ledger_spec spec = {
        .url = config->ledger,
        .station = config->name,
        .create = true, /* and bring older tables up to date */
    };
    enum exit_code code = keys_private(config->chain_key, &context->chain_key);

    if (code != EXIT_DONE)
        return code;
    spec.key = context->chain_key;
    return ledger_open(&spec, &context->ledger, &err) == DEVID_OK
               ? EXIT_DONE
               : fail_engine(&err);
}

enum exit_code context_open(const struct args *args, struct context *context)
{
    enum exit_code code;

    *context = (struct context){0};
    code = config_load(args, &context->config);
    if (code == EXIT_DONE)
        code = keys_begin(context->config.device);
    if (code == EXIT_DONE)
        code = read_ca(context);
    if (code == EXIT_DONE)
        code = read_escrow(context);
    if (code == EXIT_DONE)
        code = read_vendors(context);
    if (code == EXIT_DONE)
        code = open_ledger(context);
    context->guesses = guesses_new();
    if (!context->guesses)
        die_no_memory();
    if (code != EXIT_DONE)
        context_close(context);
    return code;
}

void context_close(struct context *context)
{
    ledger_close(&context->ledger);
    devid_trust_free(&context->trust);
    ek_list_free(&context->eks);
    devid_issuer_free(&context->issuer);
    EVP_PKEY_free(context->ca_key);
    ocsp_free(&context->ocsp);
    guesses_free(&context->guesses);
    EVP_PKEY_free(context->chain_key);
    sk_X509_pop_free(context->chain, X509_free);
    X509_free(context->escrow);
    config_clear(&context->config);
    *context = (struct context){0};
}

static bool allowed(void *arg, const char *digest)
{
    return ek_list_has(arg, digest);
}

struct devid_attest_policy context_policy(const struct context *context)
{
    const struct config *config = &context->config;

    return (struct devid_attest_policy){
        .trust = context->trust,
        .allow_sha1 = config->allow_sha1,
        .allow_expired = config->allow_expired,
        .allow_no_eku = config->allow_no_eku,
        .allow_no_iak_proof = config->allow_no_iak_proof,
        .allow_other_templates = config->allow_other_templates,
        .ek_allowed = context->eks ? allowed : NULL,
        .arg = context->eks,
    };
}
