/* SPDX-License-Identifier: Apache-2.0 */
/* Another certificate for the server, of the CA that issued the one before. */
#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authority.h"
#include "commands.h"
#include "config.h"
#include "keys.h"
#include "message.h"
#include "output.h"

enum {
    HOST
};

enum {
    HOSTS_MAX = 64
};

static const struct option_row options[] = {
    [HOST] = {"host", "HOST",
              "a name or an address by which devices reach this machine; the "
              "default is what the certificate has that is there",
              false, true},
    {0},
};

struct renewal {
    struct config config;
    struct authority ca;
    STACK_OF(X509) * old;
    STACK_OF(X509) * above; /* the CA's, the issuer first */
    EVP_PKEY *key;          /* the server's, which stays */
    const char **given;
    const char *hosts[HOSTS_MAX + 1];
    char *names[HOSTS_MAX]; /* OPENSSL_malloc: those out of the old one */
    size_t name_count;
};

static enum exit_code read_files(struct renewal *r)
{
    const struct config *config = &r->config;
    enum exit_code code = keys_certificates(config->server_cert, &r->old);

    if (code == EXIT_DONE)
        code = keys_certificates(config->ca_cert, &r->above);
    if (code != EXIT_DONE)
        return code;
    r->ca.cert = sk_X509_value(r->above, 0);
    if (X509_NAME_cmp(X509_get_issuer_name(sk_X509_value(r->old, 0)),
                      X509_get_subject_name(r->ca.cert)) != 0)
        return fail("the certificate in %s is not of this station's CA: it is "
                    "to be renewed where it came from",
                    config->server_cert);
    code = keys_private(config->server_key, &r->key);
    return code == EXIT_DONE ? keys_private(config->ca_key, &r->ca.key) : code;
}

static char *name_text(const GENERAL_NAME *name)
{
    char text[INET6_ADDRSTRLEN] = "";
    const ASN1_STRING *value;

    if (name->type == GEN_DNS)
        return OPENSSL_strndup(
            (const char *)ASN1_STRING_get0_data(name->d.dNSName),
            (size_t)ASN1_STRING_length(name->d.dNSName));
    if (name->type != GEN_IPADD)
        return NULL;
    value = name->d.iPAddress;
    (void)inet_ntop(ASN1_STRING_length(value) == 4 ? AF_INET : AF_INET6,
                    ASN1_STRING_get0_data(value), text, sizeof(text));
    return OPENSSL_strdup(text);
}

static void names_of_old(struct renewal *r)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(sk_X509_value(r->old, 0),
                                            NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        char *text = name_text(sk_GENERAL_NAME_value(names, i));
        if (text && r->name_count < HOSTS_MAX) {
            r->hosts[r->name_count] = text;
            r->names[r->name_count++] = text;
        } else {
            OPENSSL_free(text);
        }
    }
    GENERAL_NAMES_free(names);
}

static enum exit_code write_cert(const struct renewal *r, X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    struct output out;
    char *data = NULL;
    enum exit_code code;
    long len;

    if (!bio || PEM_write_bio_X509(bio, cert) != 1)
        die_no_memory();
    len = BIO_get_mem_data(bio, &data);
    code = output_open(&out, r->config.server_cert, true);
    if (code == EXIT_DONE) {
        out.mode = 0644; /* the server may be another user */
        code = output_write(&out, data, (size_t)len);
        output_close(&out);
    }
    BIO_free(bio);
    return code;
}

static enum exit_code renew(struct renewal *r)
{
    const char **hosts = r->hosts;
    X509 *cert = NULL;
    enum exit_code code = read_files(r);

    if (code != EXIT_DONE)
        return code;
    if (r->given[0])
        hosts = r->given;
    else
        names_of_old(r);
    code = authority_serve(&r->ca, r->key, hosts, &cert);
    if (code == EXIT_DONE)
        code = write_cert(r, cert);
    X509_free(cert);
    return code;
}

static enum exit_code run(const struct args *args)
{
    struct renewal r = {.given = args_list(args, HOST)};
    enum exit_code code = config_load(args, &r.config);

    if (code == EXIT_DONE)
        code = keys_begin(r.config.device);
    if (code == EXIT_DONE)
        code = renew(&r);
    for (size_t i = 0; i < r.name_count; i++)
        OPENSSL_free(r.names[i]);
    EVP_PKEY_free(r.ca.key);
    EVP_PKEY_free(r.key);
    sk_X509_pop_free(r.old, X509_free);
    sk_X509_pop_free(r.above, X509_free);
    config_clear(&r.config);
    free(r.given);
    return code;
}

const struct command renew_server_command = {
    .name = "renew-server",
    .operands = "",
    .help = "make another certificate for the server, which takes it up",
    .example = "  devid-station renew-server --dir line\n",
    .options = options,
    .common = TAKES(ROW_DIR),
    .run = run,
};
