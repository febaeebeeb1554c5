/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The responder's key and certificate: made where they are not there, the
 * certificate also where half of its time is over.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "authority.h"
#include "init.h"
#include "keys.h"
#include "message.h"
#include "ocsp.h"
#include "ocsp_open.h"
#include "output.h"

enum {
    LEFT_DAYS_MIN = AUTHORITY_OCSP_DAYS / 2
};

static enum exit_code open_key(const struct config *config, EVP_PKEY **key)
{
    if (!devid_is_uri(config->ocsp_key) && access(config->ocsp_key, F_OK))
        return init_make_key(config->dir, config->ocsp_key, key);
    return keys_private(config->ocsp_key, key);
}

static bool lasts(const X509 *cert)
{
    int days = 0;
    int seconds = 0;

    return ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)) ==
               1 &&
           days >= LEFT_DAYS_MIN;
}

/* Of this key, by this CA, for OCSP, and for some time yet. */
static bool serves(const struct context *context, X509 *cert, EVP_PKEY *key)
{
    bool ok = EVP_PKEY_eq(X509_get0_pubkey(cert), key) == 1 &&
              X509_check_issued(context->ca, cert) == X509_V_OK &&
              X509_verify(cert, X509_get0_pubkey(context->ca)) == 1 &&
              (X509_get_extended_key_usage(cert) & XKU_OCSP_SIGN) &&
              lasts(cert);

    ERR_clear_error();
    return ok;
}

static enum exit_code write_cert(const char *path, X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    struct output out;
    char *text = NULL;
    long len;
    enum exit_code code;

    if (!bio || PEM_write_bio_X509(bio, cert) != 1)
        die_no_memory();
    len = BIO_get_mem_data(bio, &text);
    code = output_open(&out, path, true);
    if (code == EXIT_DONE) {
        code = output_write(&out, text, (size_t)len);
        output_close(&out);
    }
    BIO_free(bio);
    return code;
}

static enum exit_code open_cert(const struct context *context, EVP_PKEY *key,
                                X509 **cert)
{
    const struct config *config = &context->config;
    const struct authority ca = {context->ca, context->ca_key};
    STACK_OF(X509) *certs = NULL;
    enum exit_code code = EXIT_DONE;

    if (access(config->ocsp_cert, F_OK) == 0)
        code = keys_certificates(config->ocsp_cert, &certs);
    if (code != EXIT_DONE)
        return code;
    if (certs && serves(context, sk_X509_value(certs, 0), key))
        *cert = sk_X509_shift(certs);
    sk_X509_pop_free(certs, X509_free);
    if (*cert)
        return EXIT_DONE;
    code = authority_ocsp(&ca, key, config->name, cert);
    return code == EXIT_DONE ? write_cert(config->ocsp_cert, *cert) : code;
}

enum exit_code ocsp_open(struct context *context)
{
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    enum exit_code code;

    if (!context->config.ocsp_url)
        return EXIT_DONE;
    code = open_key(&context->config, &key);
    if (code == EXIT_DONE)
        code = open_cert(context, key, &cert);
    if (code == EXIT_DONE)
        context->ocsp = ocsp_new(key, cert, keys_in_hardware(key));
    if (code == EXIT_DONE && !context->ocsp)
        die_no_memory();
    EVP_PKEY_free(key);
    X509_free(cert);
    return code;
}

enum exit_code ocsp_refresh(const struct context *context)
{
    struct ocsp *ocsp = context->ocsp;
    X509 *cert = ocsp ? ocsp_cert(ocsp) : NULL;
    bool due = cert && !lasts(cert);
    enum exit_code code;

    X509_free(cert);
    if (!due)
        return EXIT_DONE;
    cert = NULL;
    code = open_cert(context, ocsp_key(ocsp), &cert);
    /* One that could not be written serves until the station ends. */
    if (cert) {
        ocsp_set_cert(ocsp, cert);
        note("the OCSP responder has another certificate");
    } else {
        note("the OCSP responder keeps the certificate that it has");
    }
    return code;
}
