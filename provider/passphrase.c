/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key's auth value, or its token's PIN, from the program that loads the key:
 * what it asks for or has at hand as the passphrase of a key file.
 */
#include "prov.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include <string.h>

/* More than any device takes; the engine says how much that is. */
#define PASSPHRASE_MAX 1024

/* How one kind of device is spoken of. */
struct words {
    const char *prompt; /* behind OpenSSL's "Enter pass phrase for" */
    const char *secret;
    const char *setting;
};

static const struct words tpm_words = {"TPM key", "its auth value",
                                       "auth-source"};
static const struct words token_words = {"token key (its PIN)",
                                         "its token's PIN", "pin-source"};

static const struct words *words_of(const struct devid_key *key)
{
    struct devid_key_info info;

    devid_key_info(key, &info);
    return strncmp(info.uri, "pkcs11:", strlen("pkcs11:")) == 0 ? &token_words
                                                                : &tpm_words;
}

/* The program's answer; false where it has none. Leaves no error behind. */
static bool ask_program(const char *prompt, OSSL_PASSPHRASE_CALLBACK *ask,
                        void *ask_arg, char *passphrase, size_t *len)
{
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PASSPHRASE_PARAM_INFO,
                                         (char *)(uintptr_t)prompt, 0),
        OSSL_PARAM_construct_end(),
    };
    bool answered;

    if (ask == NULL)
        return false;
    ERR_set_mark();
    answered = ask(passphrase, PASSPHRASE_MAX, len, params, ask_arg) == 1;
    ERR_pop_to_mark();
    return answered;
}

bool prov_ask_auth(const struct prov_ctx *ctx, struct devid_key *key,
                   OSSL_PASSPHRASE_CALLBACK *ask, void *ask_arg)
{
    char passphrase[PASSPHRASE_MAX];
    const struct words *words;
    struct devid_error err = {0};
    size_t len = 0;
    enum devid_err e;

    if (!devid_key_wants_auth(key))
        return true;
    words = words_of(key);
    if (!ask_program(words->prompt, ask, ask_arg, passphrase, &len)) {
        OPENSSL_cleanse(passphrase, sizeof(passphrase));
        prov_raise(ctx, DEVID_ERR_AUTH,
                   "this key needs %s, and the program has no passphrase for "
                   "it: give one (nginx's ssl_password_file, curl's --pass, "
                   "openssl's -passin) or set %s",
                   words->secret, words->setting);
        return false;
    }
    e = devid_key_set_auth(key, passphrase, len, &err);
    OPENSSL_cleanse(passphrase, sizeof(passphrase));
    if (e == DEVID_OK)
        return true;
    prov_raise(ctx, e, "%s", err.text);
    return false;
}
