/* SPDX-License-Identifier: Apache-2.0 */
#include "handshake.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "paths.h"

/*
 * Once devid is loaded by name OpenSSL no longer loads this one by itself, so
 * it stays until the program's end.
 */
static OSSL_PROVIDER *default_provider;

/* The provider has settings of its own, from the environment. */
static void give_settings(const struct args *args)
{
    static const struct {
        int row;
        const char *variable;
    } rows[] = {
        {ROW_TCTI, "DEVID_TCTI"},
        {ROW_MODULE, "DEVID_PKCS11_MODULE"},
        {ROW_AUTH_SOURCE, "DEVID_PIN_SOURCE"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const char *value = args_text(args, rows[i].row);

        if (value != NULL && setenv(rows[i].variable, value, 1) != 0)
            die_no_memory();
    }
}

const char *handshake_says(void)
{
    const char *data = NULL;
    int flags = 0;
    unsigned long e = ERR_peek_last_error_all(NULL, NULL, NULL, &data, &flags);
    const char *reason = ERR_reason_error_string(e);

    if ((flags & ERR_TXT_STRING) != 0 && data != NULL && *data != '\0')
        return data;
    return reason != NULL ? reason : "OpenSSL does not say why";
}

static enum exit_code load_provider(struct handshake *handshake)
{
    char path[PATH_MAX];
    char *name;
    enum exit_code code = path_of_module(path);

    if (code != EXIT_DONE)
        return code;
    name = strrchr(path, '/');
    *name = '\0'; /* an absolute path */
    if (default_provider == NULL)
        default_provider = OSSL_PROVIDER_load(NULL, "default");
    if (default_provider != NULL &&
        OSSL_PROVIDER_set_default_search_path(NULL, path) == 1)
        handshake->provider = OSSL_PROVIDER_load(NULL, "devid");
    if (handshake->provider != NULL)
        return EXIT_DONE;
    return fail("the provider devid does not load from %s: %s", path,
                handshake_says());
}

static BIO *open_file(const char *folder, const char *name)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= PATH_MAX)
        return NULL;
    return BIO_new_file(path, "r");
}

static void read_chain(BIO *bio, struct http_identity *identity)
{
    X509 *cert;

    identity->cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    identity->chain = sk_X509_new_null();
    if (identity->chain == NULL)
        die_no_memory();
    while ((cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        if (sk_X509_push(identity->chain, cert) == 0)
            die_no_memory();
    }
    ERR_clear_error(); /* the end of the file */
}

/* Takes both over; NULL: it could not be opened. */
static enum exit_code open_from(const struct args *args, const char *name,
                                BIO *key, BIO *chain,
                                struct handshake *handshake)
{
    struct http_identity *identity = &handshake->identity;
    enum exit_code code;

    memset(handshake, 0, sizeof(*handshake));
    give_settings(args);
    code = load_provider(handshake);
    if (code == EXIT_DONE && chain != NULL)
        read_chain(chain, identity);
    if (code == EXIT_DONE && key != NULL)
        identity->key = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
    if (code == EXIT_DONE && (identity->key == NULL || identity->cert == NULL))
        code = fail("the identity in %s cannot be read: %s", name,
                    identity->cert == NULL ? "chain.pem is no certificate"
                                           : handshake_says());
    ERR_clear_error();
    BIO_free(key);
    BIO_free(chain);
    return code;
}

enum exit_code handshake_open(const struct args *args, const char *folder,
                              struct handshake *handshake)
{
    return open_from(args, folder, open_file(folder, "key.pem"),
                     open_file(folder, "chain.pem"), handshake);
}

enum exit_code handshake_open_pem(const struct args *args, const char *name,
                                  const char *key, const char *chain,
                                  struct handshake *handshake)
{
    return open_from(args, name, BIO_new_mem_buf(key, -1),
                     BIO_new_mem_buf(chain, -1), handshake);
}

enum exit_code handshake_open_key(const struct args *args, const char *name,
                                  const char *key, struct handshake *handshake)
{
    BIO *bio = BIO_new_mem_buf(key, -1);
    enum exit_code code;

    memset(handshake, 0, sizeof(*handshake));
    give_settings(args);
    code = load_provider(handshake);
    if (code == EXIT_DONE) {
        handshake->identity.key =
            PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        if (handshake->identity.key == NULL)
            code = fail("%s cannot be read: %s", name, handshake_says());
    }
    ERR_clear_error();
    BIO_free(bio);
    return code;
}

void handshake_close(struct handshake *handshake)
{
    EVP_PKEY_free(handshake->identity.key);
    X509_free(handshake->identity.cert);
    sk_X509_pop_free(handshake->identity.chain, X509_free);
    if (handshake->provider != NULL)
        (void)OSSL_PROVIDER_unload(handshake->provider);
    memset(handshake, 0, sizeof(*handshake));
}

void handshake_finish(void)
{
    if (default_provider != NULL)
        (void)OSSL_PROVIDER_unload(default_provider);
    default_provider = NULL;
}
