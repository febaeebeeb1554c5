/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An operator's key and certificate, and the station's list of them. The
 * certificate is signed by its own key alone: nobody takes it for a device's,
 * and it is worth what the list says.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authority.h"
#include "commands.h"
#include "config.h"
#include "keys.h"
#include "message.h"
#include "operators.h"
#include "output.h"
#include "secret_input.h"
#include "utf8.h"

enum {
    NAME,
    DAYS,
    PASSWORD
};

enum {
    DAYS_PRESET = 365,
    DAYS_MAX = 3650,
    LIST_MAX = 1024 * 1024
};

static const struct option_row options[] = {
    [NAME] = {"name", "NAME",
              "who it is, as pages and the ledger's log are to call them", true,
              false},
    [DAYS] = {"days", "NUMBER",
              "how long the certificate is valid; the default is 365", false,
              false},
    [PASSWORD] = {"password-source", "SOURCE",
                  "the password of a .p12 file: file:PATH, env:NAME or prompt, "
                  "the default",
                  false, false},
    {0},
};

/* ---- the list ---------------------------------------------------------- */

/* The file as it is; empty where there is none. */
static enum exit_code read_list(const char *path, BIO *list)
{
    FILE *file = fopen(path, "re");
    char part[4096];
    size_t len;
    bool ok = true;

    if (!file)
        return errno == ENOENT ? EXIT_DONE
                               : fail("%s: %s", path, strerror(errno));
    while (ok && (len = fread(part, 1, sizeof(part), file)) > 0)
        ok = BIO_write(list, part, (int)len) == (int)len &&
             BIO_pending(list) < LIST_MAX;
    ok = ok && !ferror(file);
    (void)fclose(file);
    return ok ? EXIT_DONE : fail("%s cannot be read, or is too large", path);
}

/* What the log calls by one name is one person. */
static enum exit_code check_unique(const char *path, BIO *list,
                                   const char *name)
{
    char *text = NULL;
    long len = BIO_get_mem_data(list, &text);
    BIO *copy = BIO_new_mem_buf(text ? text : "", (int)len);
    enum exit_code code = EXIT_DONE;
    char other[OPERATOR_NAME_SIZE];
    X509 *cert;

    if (!copy)
        die_no_memory();
    while (code == EXIT_DONE &&
           (cert = PEM_read_bio_X509(copy, NULL, NULL, NULL)) != NULL) {
        operator_name(cert, other);
        if (strcmp(other, name) == 0)
            code = fail("%s has a certificate of an operator %s already; take "
                        "it out of the file first, or use another name",
                        path, name);
        X509_free(cert);
    }
    ERR_clear_error();
    BIO_free(copy);
    return code;
}

/* The server reads the file again when it sees that it is another, as the user
 * whose folder it is. */
static enum exit_code write_list(const char *path, BIO *list, const char *name,
                                 X509 *cert)
{
    struct output out = {.directory = -1};
    enum exit_code code;
    char *text = NULL;
    long len;

    if (BIO_printf(list, "%s\n", name) <= 0 ||
        PEM_write_bio_X509(list, cert) != 1)
        die_no_memory();
    len = BIO_get_mem_data(list, &text);
    code = output_open(&out, path, true);
    out.inherit = true;
    if (code == EXIT_DONE)
        code = output_write(&out, text, (size_t)len);
    output_close(&out);
    return code;
}

/* ---- what the operator gets -------------------------------------------- */

static bool is_pkcs12(const char *path)
{
    const char *end = strrchr(path, '.');

    return end && (strcmp(end, ".p12") == 0 || strcmp(end, ".pfx") == 0);
}

static enum exit_code put_pkcs12(BIO *bio, EVP_PKEY *key, X509 *cert,
                                 const struct args *args)
{
    const char *source = args_text(args, PASSWORD);
    const char *name = args_text(args, NAME);
    struct secret password;
    PKCS12 *p12 = NULL;
    char reason[512];
    enum exit_code code =
        secret_read(&password, "password-source", source ? source : "prompt",
                    "password of the operator's file", true);

    if (code == EXIT_DONE && memchr(password.data, '\0', password.len))
        code = fail("a password has no NUL in it");
    if (code == EXIT_DONE) {
        password.data[password.len] = '\0';
        p12 =
            PKCS12_create(password.data, name, key, cert, NULL, 0, 0, 0, 0, 0);
        if (!p12 || i2d_PKCS12_bio(bio, p12) != 1)
            code = fail("the operator's file cannot be made%s",
                        keys_reason(reason, sizeof(reason)));
    }
    secret_wipe(&password);
    PKCS12_free(p12);
    return code;
}

/* Into `own`: PKCS#12 for a browser, or PEM for curl and its like. */
static enum exit_code put_own(BIO *own, EVP_PKEY *key, X509 *cert,
                              const struct args *args)
{
    if (is_pkcs12(args_text(args, ROW_OUT)))
        return put_pkcs12(own, key, cert, args);
    if (PEM_write_bio_PKCS8PrivateKey(own, key, NULL, NULL, 0, NULL, NULL) !=
            1 ||
        PEM_write_bio_X509(own, cert) != 1)
        die_no_memory();
    return EXIT_DONE;
}

static enum exit_code write_own(const struct output *out, BIO *own)
{
    char *data = NULL;
    long len = BIO_get_mem_data(own, &data);

    return output_write(out, data, (size_t)len);
}

/* ---- the command ------------------------------------------------------- */

static enum exit_code check_use(const struct args *args, long *days)
{
    const char *name = args_text(args, NAME);
    const char *text = args_text(args, DAYS);
    const char *path = args_text(args, ROW_OUT);
    char *end = NULL;

    *days = DAYS_PRESET;
    if (!*name || strlen(name) >= OPERATOR_NAME_SIZE || !utf8_is_clean(name))
        return wrong_use("operator",
                         "--name is 1 to %d bytes of UTF-8, such as Kim",
                         OPERATOR_NAME_SIZE - 1);
    if (text)
        *days = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : 0;
    if (*days < 1 || *days > DAYS_MAX || (end && *end))
        return wrong_use("operator", "--days is a number from 1 to %d, not %s",
                         DAYS_MAX, text);
    if (args_flag(args, PASSWORD) && !is_pkcs12(path))
        return wrong_use("operator", "--password-source is for a file whose "
                                     "name ends in .p12 or .pfx");
    return EXIT_DONE;
}

static enum exit_code make(const struct args *args, long days,
                           const char *list_path, const struct output *out)
{
    const char *name = args_text(args, NAME);
    BIO *list = BIO_new(BIO_s_mem());
    BIO *own = BIO_new(BIO_s_secmem());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = NULL;
    enum exit_code code;

    if (!list || !own || !key)
        die_no_memory();
    code = read_list(list_path, list);
    if (code == EXIT_DONE)
        code = check_unique(list_path, list, name);
    if (code == EXIT_DONE)
        code = authority_operator(name, key, days, &cert);
    if (code == EXIT_DONE)
        code = put_own(own, key, cert, args);
    /* First the list: it lets nobody in who did not get the key. */
    if (code == EXIT_DONE)
        code = write_list(list_path, list, name, cert);
    if (code == EXIT_DONE)
        code = write_own(out, own);
    X509_free(cert);
    EVP_PKEY_free(key);
    BIO_free(own);
    BIO_free(list);
    return code;
}

static enum exit_code run(const struct args *args)
{
    struct output out = {.directory = -1};
    struct config config;
    long days = 0;
    enum exit_code code = check_use(args, &days);

    if (code != EXIT_DONE)
        return code;
    code = config_load(args, &config);
    if (code != EXIT_DONE)
        return code;
    code = keys_begin(config.device);
    if (code == EXIT_DONE)
        code = output_open(&out, args_text(args, ROW_OUT),
                           args_flag(args, ROW_FORCE));
    if (code == EXIT_DONE)
        code = make(args, days, config.operators, &out);
    output_close(&out);
    config_clear(&config);
    return code;
}

const struct command operator_command = {
    .name = "operator",
    .operands = "",
    .help = "make the certificate of someone who may use the station's pages",
    .example = "  devid-station operator --name Kim --out kim.p12\n"
               "  devid-station operator --name Kim --out kim.pem\n",
    .options = options,
    .common = TAKES(ROW_DIR) | TAKES(ROW_OUT) | TAKES(ROW_FORCE),
    .run = run,
};
