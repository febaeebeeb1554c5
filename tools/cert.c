/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "commands.h"
#include "devid.h"
#include "input.h"
#include "message.h"
#include "open.h"
#include "output.h"
#include "place.h"

/* The rows that both actions have come first, in one order. */
enum {
    KEY,
    NV,
    CERT,
    FORCE
};

#define KEY_ROW                                                                \
    {                                                                          \
        "key", "KEY", "the key: its file, or its URI", true, false             \
    }
#define NV_ROW                                                                 \
    {                                                                          \
        "nv", "INDEX",                                                         \
            "for a TPM key: the NV index of the certificate, such as "         \
            "0x01c90200; a token has it beside its key",                       \
            false, false                                                       \
    }

/* ---- certificates ---------------------------------------------------- */

/* Is it the key's? Compares public keys. */
static enum exit_code check_match(X509 *cert, const char *name,
                                  const struct devid_key *key)
{
    struct devid_public pub;
    uint8_t *spki = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
    bool same =
        len > 0 &&
        devid_public_from_spki(spki, (size_t)len, &pub, NULL) == DEVID_OK &&
        devid_public_equal(&pub, devid_key_public(key));

    OPENSSL_free(spki);
    if (same)
        return EXIT_DONE;
    return fail("the certificate %s belongs to another key", name);
}

/* The first certificate of a PEM file, or that of a DER file. */
static enum exit_code read_cert(const char *path, X509 **cert)
{
    char *data = NULL;
    size_t len = 0;
    enum exit_code code = input_read(path, &data, &len);
    const unsigned char *der = (const unsigned char *)data;
    BIO *bio = NULL;

    if (code != EXIT_DONE)
        return code;
    bio = BIO_new_mem_buf(data, (int)len);
    if (!bio)
        die_no_memory();
    *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (!*cert)
        *cert = d2i_X509(NULL, &der, (long)len);
    BIO_free(bio);
    OPENSSL_clear_free(data, len);
    ERR_clear_error();
    return *cert ? EXIT_DONE : fail("%s holds no certificate", path);
}

/* ---- put ------------------------------------------------------------- */

static const struct option_row put_options[] = {
    [KEY] = KEY_ROW,
    [NV] = NV_ROW,
    [CERT] = {"cert", "FILE",
              "the certificate, in PEM, where the first one counts, or in DER",
              true, false},
    [FORCE] = {"force", NULL, "replace another certificate that is there",
               false, false},
    {0},
};

static enum exit_code put_cert(const struct args *args, struct devid *engine,
                               const struct devid_key *key, X509 *cert)
{
    char uri[PLACE_SIZE];
    struct devid_cert_spec spec = {.uri = uri,
                                   .replace = args_flag(args, FORCE)};
    struct devid_error err;
    uint8_t *der = NULL;
    enum exit_code code = check_match(cert, args_text(args, CERT), key);
    int len;

    if (code == EXIT_DONE)
        code = place_to_write(args->command, key, args_text(args, NV), uri);
    if (code != EXIT_DONE)
        return code;
    len = i2d_X509(cert, &der);
    if (len <= 0)
        die_no_memory();
    spec.der = der;
    spec.len = (size_t)len;
    if (devid_cert_write(engine, &spec, &err))
        code = fail_engine(&err);
    OPENSSL_free(der);
    return code;
}

static enum exit_code run_put(const struct args *args)
{
    struct devid *engine = NULL;
    struct devid_key *key = NULL;
    X509 *cert = NULL;
    enum exit_code code = read_cert(args_text(args, CERT), &cert);

    if (code == EXIT_DONE)
        code = engine_open_key(args, args_text(args, KEY), &engine, &key);
    if (code == EXIT_DONE)
        code = put_cert(args, engine, key, cert);
    X509_free(cert);
    devid_key_free(&key);
    devid_free(&engine);
    return code;
}

static const struct command put_action = {
    .name = "cert put",
    .operands = "",
    .help = "write the key's certificate into the device",
    .example = "  devid cert put --key key.pem --cert cert.pem "
               "--nv 0x01c90200\n"
               "  devid cert put --key token-key.pem --cert cert.pem\n",
    .options = put_options,
    .common = TAKES(ROW_TCTI) | TAKES(ROW_MODULE) | TAKES(ROW_AUTH_SOURCE) |
              TAKES(ROW_OWNER_AUTH_SOURCE),
    .run = run_put,
};

/* ---- get ------------------------------------------------------------- */

static const struct option_row get_options[] = {
    [KEY] = KEY_ROW,
    [NV] = NV_ROW,
    {0},
};

static enum exit_code write_cert(const struct output *out, X509 *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());
    enum exit_code code;
    char *text = NULL;
    long len;

    if (!bio || !PEM_write_bio_X509(bio, cert))
        die_no_memory();
    len = BIO_get_mem_data(bio, &text);
    code = output_write(out, text, (size_t)len);
    BIO_free(bio);
    return code;
}

static enum exit_code get_cert(const struct args *args, struct devid *engine,
                               const struct devid_key *key,
                               const struct output *out)
{
    char uri[PLACE_SIZE];
    struct devid_error err;
    uint8_t *der = NULL;
    const unsigned char *at;
    size_t len = 0;
    X509 *cert;
    enum exit_code code =
        place_to_read(args->command, key, args_text(args, NV), uri);

    if (code != EXIT_DONE)
        return code;
    if (devid_cert_read(engine, uri, &der, &len, &err))
        return fail_engine(&err);
    at = der;
    cert = d2i_X509(NULL, &at, (long)len);
    OPENSSL_free(der);
    ERR_clear_error();
    if (!cert)
        return fail("%s holds no certificate that OpenSSL can read", uri);
    code = check_match(cert, uri, key);
    if (code == EXIT_DONE)
        code = write_cert(out, cert);
    X509_free(cert);
    return code;
}

static enum exit_code run_get(const struct args *args)
{
    struct devid *engine = NULL;
    struct devid_key *key = NULL;
    struct output out;
    enum exit_code code =
        output_open(&out, args_text(args, ROW_OUT), args_flag(args, ROW_FORCE));

    if (code != EXIT_DONE)
        return code;
    code = engine_open_key(args, args_text(args, KEY), &engine, &key);
    if (code == EXIT_DONE)
        code = get_cert(args, engine, key, &out);
    devid_key_free(&key);
    devid_free(&engine);
    output_close(&out);
    return code;
}

static const struct command get_action = {
    .name = "cert get",
    .operands = "",
    .help = "read the key's certificate out of the device",
    .example = "  devid cert get --key key.pem --nv 0x01c90200 --out cert.pem\n"
               "  devid cert get --key token-key.pem --out cert.pem\n",
    .options = get_options,
    .common = TAKES(ROW_TCTI) | TAKES(ROW_MODULE) | TAKES(ROW_AUTH_SOURCE) |
              TAKES(ROW_OUT) | TAKES(ROW_FORCE),
    .run = run_get,
};

/* ---------------------------------------------------------------------- */

static const struct command *const actions[] = {&put_action, &get_action, NULL};

const struct command cert_command = {
    .name = "cert",
    .operands = "",
    .help = "keep the key's certificate in the device, beside the key",
    .example = "  devid cert put --key key.pem --cert cert.pem "
               "--nv 0x01c90200\n",
    .actions = actions,
};
