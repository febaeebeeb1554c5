/* SPDX-License-Identifier: Apache-2.0 */
#include "signer.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "input.h"
#include "message.h"
#include "open.h"
#include "secret_input.h"

/* ---- public keys ---- */

static enum exit_code take_public(const char *path, EVP_PKEY *pkey,
                                  struct devid_public *pub)
{
    struct devid_error err;

    return devid_public_from_pkey(pkey, pub, &err) ? fail_about(path, &err)
                                                   : EXIT_DONE;
}

enum exit_code signer_public(const char *path, struct devid_public *pub)
{
    EVP_PKEY *pkey = NULL;
    char *text = NULL;
    BIO *bio = NULL;
    size_t len = 0;
    enum exit_code code = input_read(path, &text, &len);

    if (code == EXIT_DONE) {
        bio = BIO_new_mem_buf(text, (int)len);
        if (!bio)
            die_no_memory();
        pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
        if (pkey)
            code = take_public(path, pkey, pub);
        else
            code = fail("%s holds no public key in PEM; openssl pkey -in "
                        "signer.pem -pubout writes the one of a private key",
                        path);
    }
    EVP_PKEY_free(pkey);
    BIO_free(bio);
    OPENSSL_clear_free(text, len);
    ERR_clear_error();
    return code;
}

/* ---- software keys ---- */

/* `vsecret` is what was read already; no terminal is asked a second time. */
static int give_passphrase(char *buf, int size, int rwflag, void *vsecret)
{
    const struct secret *secret = vsecret;

    (void)rwflag;
    if (secret->len > (size_t)size)
        return -1;
    memcpy(buf, secret->data, secret->len);
    return (int)secret->len;
}

static bool is_encrypted(const char *text)
{
    return strstr(text, "BEGIN ENCRYPTED PRIVATE KEY") ||
           strstr(text, "Proc-Type: 4,ENCRYPTED");
}

enum exit_code signer_read_software(const char *option, const char *source,
                                    const char *path, const char *text,
                                    EVP_PKEY **pkey)
{
    struct secret secret = {0};
    enum exit_code code = EXIT_DONE;
    char what[256];
    BIO *bio;

    *pkey = NULL;
    snprintf(what, sizeof(what), "passphrase of %.200s", path);
    if (is_encrypted(text))
        code = secret_read(&secret, option, source ? source : "prompt", what,
                           false);
    if (code != EXIT_DONE)
        return code;
    bio = BIO_new_mem_buf(text, -1);
    if (!bio)
        die_no_memory();
    *pkey = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &secret);
    BIO_free(bio);
    secret_wipe(&secret);
    ERR_clear_error();
    if (*pkey)
        return EXIT_DONE;
    if (is_encrypted(text))
        return fail("%s is not opened by the passphrase that was given", path);
    return fail("%s holds no private key in PEM that OpenSSL can read", path);
}

static enum devid_err sign_software(const struct signer *signer,
                                    const struct devid_tbs *tbs,
                                    struct devid_sig *sig)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(signer->software, NULL);
    const EVP_MD *md = EVP_get_digestbynid(tbs->hash->nid);
    enum devid_err e = DEVID_ERR_SYSTEM;
    uint8_t data[2 * DEVID_SIG_MAX];
    size_t len = sizeof(data);

    if (ctx && md && EVP_PKEY_sign_init(ctx) > 0 &&
        EVP_PKEY_CTX_set_signature_md(ctx, md) > 0 &&
        (tbs->scheme != DEVID_RSA_PKCS1 ||
         EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0) &&
        EVP_PKEY_sign(ctx, data, &len, tbs->digest, tbs->digest_len) > 0)
        e = DEVID_OK;
    EVP_PKEY_CTX_free(ctx);
    if (e == DEVID_OK && tbs->scheme == DEVID_ECDSA)
        return devid_ecdsa_from_der(data, len, signer->pub.coordinate_len, sig,
                                    NULL);
    if (e == DEVID_OK && len <= sizeof(sig->data)) {
        memcpy(sig->data, data, len);
        sig->len = len;
    }
    return e;
}

/* ---- either ---- */

enum devid_err signer_sign(void *arg, const struct devid_tbs *tbs,
                           struct devid_sig *sig, struct devid_error *err)
{
    const struct signer *signer = arg;
    enum devid_err e;

    if (signer->device)
        return devid_key_sign(signer->device, tbs, sig, err);
    e = sign_software(signer, tbs, sig);
    ERR_clear_error();
    if (e && err)
        *err = (struct devid_error){
            .text = "OpenSSL does not sign with the policy's signer's key"};
    return e;
}

/* Does the first PEM block belong to the engine? */
static bool is_device_key(const char *text)
{
    static const char begin[] = "-----BEGIN ";
    const char *at = strstr(text, begin);
    char label[64];

    if (!at)
        return false;
    at += strlen(begin);
    snprintf(label, sizeof(label), "%.*s", (int)strcspn(at, "-\r\n"), at);
    return devid_pem_label_is_key(label);
}

static enum exit_code open_device(const struct args *args, const char *name,
                                  struct signer *signer)
{
    enum exit_code code =
        engine_open_key(args, name, &signer->engine, &signer->device);

    if (code == EXIT_DONE)
        signer->pub = *devid_key_public(signer->device);
    return code;
}

enum exit_code signer_open(const struct args *args, const char *file_or_uri,
                           struct signer *signer)
{
    char *text = NULL;
    size_t len = 0;
    enum exit_code code;

    *signer = (struct signer){0};
    if (devid_is_uri(file_or_uri))
        return open_device(args, file_or_uri, signer);
    code = input_read_key(file_or_uri, &text, &len);
    if (code == EXIT_DONE && is_device_key(text)) {
        code = open_device(args, file_or_uri, signer);
    } else if (code == EXIT_DONE) {
        code = signer_read_software("auth-source",
                                    args_text(args, ROW_AUTH_SOURCE),
                                    file_or_uri, text, &signer->software);
        if (code == EXIT_DONE)
            code = take_public(file_or_uri, signer->software, &signer->pub);
    }
    input_free_key(&text);
    return code;
}

void signer_close(struct signer *signer)
{
    EVP_PKEY_free(signer->software);
    devid_key_free(&signer->device);
    devid_free(&signer->engine);
    *signer = (struct signer){0};
}
