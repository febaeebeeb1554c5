/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/store.h>
#include <openssl/ui.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devid.h"
#include "message.h"
#include "paths.h"

const char *keys_reason(char *text, size_t size)
{
    unsigned long code;
    const char *data = NULL;
    const char *reason;
    int flags = 0;

    code = ERR_peek_error_all(NULL, NULL, NULL, &data, &flags);
    reason = ERR_reason_error_string(code);
    *text = '\0';
    if (data && *data && (flags & ERR_TXT_STRING))
        snprintf(text, size, ": %s", data);
    else if (code && reason)
        snprintf(text, size, ": %s", reason);
    ERR_clear_error();
    return text;
}

/* ---- the provider ------------------------------------------------------ */

/* The environment is how a program gives the provider settings; a user's own
 * wins, as everywhere. */
static void export_setting(const struct config_pair *setting)
{
    for (const struct devid_setting *s = devid_settings(); s->name; s++) {
        if (strcmp(s->name, setting->name) == 0 &&
            setenv(s->env, setting->value, 0))
            die_no_memory();
    }
}

static OSSL_PROVIDER *loaded[2];

enum exit_code keys_begin(const struct config_pair *settings)
{
    char module[PATH_MAX];
    char reason[256];
    enum exit_code code = path_of_module(module);

    if (code != EXIT_DONE)
        return code;
    for (; settings && settings->name; settings++)
        export_setting(settings);
    *strrchr(module, '/') = '\0';
    loaded[0] = OSSL_PROVIDER_load(NULL, "default");
    if (!loaded[0])
        return fail("OpenSSL's own provider cannot be loaded%s",
                    keys_reason(reason, sizeof(reason)));
    if (OSSL_PROVIDER_set_default_search_path(NULL, module) == 1)
        loaded[1] = OSSL_PROVIDER_load(NULL, "devid");
    if (!loaded[1])
        return fail("the provider %s/devid.so cannot be loaded%s", module,
                    keys_reason(reason, sizeof(reason)));
    return EXIT_DONE;
}

void keys_end(void)
{
    for (int i = 0; i < 2; i++) {
        if (loaded[i])
            OSSL_PROVIDER_unload(loaded[i]);
        loaded[i] = NULL;
    }
}

bool keys_in_hardware(const EVP_PKEY *key)
{
    const OSSL_PROVIDER *provider = EVP_PKEY_get0_provider(key);

    return provider && strcmp(OSSL_PROVIDER_get0_name(provider), "devid") == 0;
}

/* ---- keys -------------------------------------------------------------- */

static EVP_PKEY *first_key(OSSL_STORE_CTX *store)
{
    EVP_PKEY *key = NULL;

    while (!key && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
            key = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
        if (!info && OSSL_STORE_error(store))
            break;
    }
    return key;
}

/* Nobody sits at a service to be asked. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)arg;
    return -1;
}

enum exit_code keys_private(const char *file_or_uri, EVP_PKEY **key)
{
    UI_METHOD *ui = UI_UTIL_wrap_read_pem_callback(no_passphrase, 0);
    OSSL_STORE_CTX *store;
    char reason[512];

    *key = NULL;
    store =
        OSSL_STORE_open_ex(file_or_uri, NULL, NULL, ui, NULL, NULL, NULL, NULL);
    if (store && OSSL_STORE_expect(store, OSSL_STORE_INFO_PKEY) == 1)
        *key = first_key(store);
    OSSL_STORE_close(store);
    UI_destroy_method(ui);
    if (!*key)
        return fail("there is no private key at %s that the station can use%s",
                    file_or_uri, keys_reason(reason, sizeof(reason)));
    ERR_clear_error();
    return EXIT_DONE;
}

EVP_MD_CTX *keys_signer(EVP_PKEY *key)
{
    char name[64] = "SHA256";
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    if (!ctx)
        die_no_memory();
    /* Ed25519 has a hash of its own, and is given none. */
    if (EVP_PKEY_get_default_digest_name(key, name, sizeof(name)) <= 0)
        snprintf(name, sizeof(name), "SHA256");
    if (EVP_DigestSignInit_ex(ctx, NULL,
                              strcmp(name, "UNDEF") == 0 ? NULL : name, NULL,
                              NULL, key, NULL) == 1)
        return ctx;
    EVP_MD_CTX_free(ctx);
    return NULL;
}

static BIO *open_pem(const char *path)
{
    BIO *bio = BIO_new_file(path, "r");

    if (!bio)
        fail("%s cannot be read", path);
    ERR_clear_error();
    return bio;
}

/* The public key in a PEM file. Prints the sentence on failure. */
static enum exit_code keys_public(const char *path, EVP_PKEY **key)
{
    BIO *bio = open_pem(path);

    *key = NULL;
    if (!bio)
        return EXIT_FAILED;
    *key = PEM_read_bio_PUBKEY(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return *key ? EXIT_DONE : fail("%s holds no public key in PEM", path);
}

EVP_PKEY *keys_of_station(const struct config *config, const char *station)
{
    const struct config_pair *pair = config->stations;
    EVP_PKEY *key = NULL;
    char *path;

    if (strcmp(station, config->name) == 0) {
        (void)keys_private(config->chain_key, &key); /* NULL says it */
        return key;
    }
    while (pair->name && strcmp(pair->name, station) != 0)
        pair++;
    if (!pair->name)
        return NULL;
    path = config_path(config->dir, pair->value);
    (void)keys_public(path, &key); /* likewise */
    OPENSSL_free(path);
    return key;
}

/* ---- certificates ------------------------------------------------------ */

enum exit_code keys_certificates(const char *path, STACK_OF(X509) * *certs)
{
    BIO *bio = open_pem(path);
    X509 *cert;

    *certs = NULL;
    if (!bio)
        return EXIT_FAILED;
    *certs = sk_X509_new_null();
    if (!*certs)
        die_no_memory();
    while ((cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL) {
        if (sk_X509_push(*certs, cert) <= 0)
            die_no_memory();
    }
    BIO_free(bio);
    ERR_clear_error();
    if (sk_X509_num(*certs) > 0)
        return EXIT_DONE;
    sk_X509_free(*certs);
    *certs = NULL;
    return fail("%s holds no certificate in PEM", path);
}
