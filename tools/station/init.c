/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attest.h"
#include "commands.h"
#include "config.h"
#include "init.h"
#include "keys.h"
#include "ledger.h"
#include "message.h"

static const struct option_row options[] = {
    [NAME] = {"name", "NAME", "the station's name, such as line-1", true,
              false},
    [CA_KEY] = {"ca-key", "KEY",
                "the key of the CA that there is, as a file or URI; the "
                "default is a new one, in software",
                false, false},
    [CA_CERT] = {"ca-cert", "FILE", "and its certificate", false, false},
    [CA_DEVICE] = {"ca-device", "URI",
                   "make the CA's key in this device: tpm2:, or a token's, "
                   "such as pkcs11:token=factory",
                   false, false},
    [HOST] = {"host", "HOST",
              "a name or address by which devices reach the station; the "
              "default is this machine's name, and localhost",
              false, true},
    [PORT] = {"port", "NUMBER", "where it listens; the default is 8443", false,
              false},
    [ESCROW] = {"escrow-cert", "FILE",
                "the certificate to whose key devices' authorisation values "
                "are wrapped",
                false, false},
    [LEDGER] = {"ledger", "URL",
                "postgresql://..., for several stations on one ledger; the "
                "default is a file in the folder",
                false, false},
    {0},
};

/* ---- the CA ------------------------------------------------------------ */

static char *absolute(const char *path)
{
    char here[4096];

    if (!getcwd(here, sizeof(here)))
        die_no_memory();
    return config_path(here, path);
}

static enum exit_code make_in_device(const struct plan *plan, const char *uri)
{
    const struct devid_key_spec spec = {
        .device = uri,
        .algorithm = "ec-p256",
        .label = args_text(plan->args, NAME),
    };
    struct devid *engine = NULL;
    struct devid_key *key = NULL;
    struct devid_error err;
    char *pem = NULL;
    size_t len = 0;
    enum exit_code code;

    if (devid_new(NULL, &engine, &err) != DEVID_OK ||
        devid_key_create(engine, &spec, &key, &err) != DEVID_OK ||
        devid_key_to_pem(key, &pem, &len, &err) != DEVID_OK)
        code = fail_engine(&err);
    else
        code = init_write(plan->dir, "ca.key", pem, len);
    OPENSSL_free(pem);
    devid_key_free(&key);
    devid_free(&engine);
    return code;
}

/* An issuer is made of it, to see that one can be. */
static enum exit_code check_ca(const struct authority *ca, const char *path)
{
    struct devid_issuer *issuer = NULL;
    struct devid_error err = {0};
    unsigned char *der = NULL;
    int len = i2d_X509(ca->cert, &der);
    const struct devid_issuer_spec spec = {
        .ca = {der, len > 0 ? (size_t)len : 0},
        .key = ca->key,
    };
    enum devid_err e = devid_issuer_new(&spec, &issuer, &err);

    devid_issuer_free(&issuer);
    OPENSSL_free(der);
    return e == DEVID_OK ? EXIT_DONE : fail_about(path, &err);
}

static enum exit_code take_ca(struct plan *plan)
{
    const char *key = args_text(plan->args, CA_KEY);
    const char *cert = args_text(plan->args, CA_CERT);
    STACK_OF(X509) *certs = NULL;
    enum exit_code code;

    plan->ca_key = devid_is_uri(key) ? OPENSSL_strdup(key) : absolute(key);
    plan->ca_cert = absolute(cert);
    code = keys_private(plan->ca_key, &plan->ca.key);
    if (code == EXIT_DONE)
        code = keys_certificates(plan->ca_cert, &certs);
    if (code == EXIT_DONE) {
        plan->ca.cert = sk_X509_shift(certs);
        code = check_ca(&plan->ca, cert);
    }
    sk_X509_pop_free(certs, X509_free);
    return code;
}

static enum exit_code make_ca(struct plan *plan)
{
    const char *device = args_text(plan->args, CA_DEVICE);
    enum exit_code code;

    plan->ca_key = config_path(plan->dir, "ca.key");
    plan->ca_cert = config_path(plan->dir, "ca.pem");
    code = device ? make_in_device(plan, device)
                  : init_make_key(plan->dir, "ca.key", &plan->ca.key);
    if (code == EXIT_DONE && device)
        code = keys_private(plan->ca_key, &plan->ca.key);
    if (code == EXIT_DONE)
        code = authority_make(args_text(plan->args, NAME), plan->ca.key,
                              &plan->ca.cert);
    if (code == EXIT_DONE)
        code = init_write_cert(plan->dir, "ca.pem", plan->ca.cert);
    return code;
}

/* ---- the server -------------------------------------------------------- */

static enum exit_code make_server(const struct plan *plan)
{
    const char **hosts = init_hosts(plan->args);
    EVP_PKEY *key = NULL;
    X509 *cert = NULL;
    enum exit_code code = init_make_key(plan->dir, "server.key", &key);

    if (code == EXIT_DONE)
        code = authority_serve(&plan->ca, key, hosts, &cert);
    if (code == EXIT_DONE)
        code = init_write_cert(plan->dir, "server.pem", cert);
    X509_free(cert);
    EVP_PKEY_free(key);
    free(hosts);
    return code;
}

static enum exit_code make_chain(const struct plan *plan)
{
    EVP_PKEY *key = NULL;
    enum exit_code code = init_make_key(plan->dir, "chain.key", &key);

    if (code == EXIT_DONE)
        code = init_write_public(plan->dir, "chain.pub", key);
    EVP_PKEY_free(key);
    return code;
}

static enum exit_code make_ledger(const struct plan *plan)
{
    const char *url = args_text(plan->args, LEDGER);
    char *file = config_path(plan->dir, "ledger.db");
    char *chain = config_path(plan->dir, "chain.key");
    struct ledger *ledger = NULL;
    struct devid_error err = {0};
    struct ledger_spec spec = {
        .url = url ? url : file,
        .station = args_text(plan->args, NAME),
        .create = true,
    };
    EVP_PKEY *key = NULL;
    enum exit_code code = keys_private(chain, &key);

    spec.key = key;
    if (code == EXIT_DONE && ledger_open(&spec, &ledger, &err) != DEVID_OK)
        code = fail_engine(&err);
    ledger_close(&ledger);
    EVP_PKEY_free(key);
    OPENSSL_free(file);
    OPENSSL_free(chain);
    return code;
}

static enum exit_code copy_escrow(const struct plan *plan)
{
    const char *path = args_text(plan->args, ESCROW);
    STACK_OF(X509) *certs = NULL;
    enum exit_code code;

    if (!path)
        return EXIT_DONE;
    code = keys_certificates(path, &certs);
    if (code == EXIT_DONE)
        code =
            init_write_cert(plan->dir, "escrow.pem", sk_X509_value(certs, 0));
    sk_X509_pop_free(certs, X509_free);
    return code;
}

/* ---- the command ------------------------------------------------------- */

static enum exit_code check_port(const struct args *args)
{
    const char *text = args_text(args, PORT);
    char *end = NULL;
    unsigned long port;

    if (!text)
        return EXIT_DONE;
    port = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
    if (port >= 1 && port <= 65535 && *end == '\0')
        return EXIT_DONE;
    return wrong_use("init", "--port is a number from 1 to 65535, not %s",
                     text);
}

static enum exit_code check_use(const struct args *args)
{
    const char *source = args_text(args, ROW_AUTH_SOURCE);

    if (args_flag(args, CA_KEY) != args_flag(args, CA_CERT))
        return wrong_use("init", "--ca-key and --ca-cert come together");
    if (args_flag(args, CA_KEY) && args_flag(args, CA_DEVICE))
        return wrong_use("init", "--ca-key is a key that there is, --ca-device "
                                 "makes one: give one of them");
    if (source && strncmp(source, "file:", 5) != 0 &&
        strncmp(source, "env:", 4) != 0)
        return wrong_use("init", "--auth-source is file:PATH or env:NAME: the "
                                 "station asks nobody");
    return check_port(args);
}

/* An empty folder may be there already: systemd makes it. */
static enum exit_code make_folder(const char *dir)
{
    DIR *folder;
    const struct dirent *entry;
    int count = 0;

    if (mkdir(dir, 0700) && errno != EEXIST)
        return fail("%s cannot be made: %s", dir, strerror(errno));
    folder = opendir(dir);
    if (!folder)
        return fail("%s cannot be read: %s", dir, strerror(errno));
    while ((entry = readdir(folder)) != NULL)
        count +=
            strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    if (count > 0)
        return fail("%s is not empty: a station, or what an init has left that "
                    "broke off, is not made anew; name another folder",
                    dir);
    return chmod(dir, 0700) ? fail("%s cannot be made its owner's alone: %s",
                                   dir, strerror(errno))
                            : EXIT_DONE;
}

static enum exit_code make_all(struct plan *plan)
{
    char *vendors = config_path(plan->dir, "vendors");
    enum exit_code code = make_folder(plan->dir);

    if (code == EXIT_DONE && mkdir(vendors, 0700))
        code = fail("%s cannot be made: %s", vendors, strerror(errno));
    if (code == EXIT_DONE)
        code = args_flag(plan->args, CA_KEY) ? take_ca(plan) : make_ca(plan);
    if (code == EXIT_DONE)
        code = make_server(plan);
    if (code == EXIT_DONE)
        code = make_chain(plan);
    if (code == EXIT_DONE)
        code = copy_escrow(plan);
    if (code == EXIT_DONE)
        code = make_ledger(plan);
    /* The last: with it the folder is a station. */
    if (code == EXIT_DONE)
        code = init_write_conf(plan);
    OPENSSL_free(vendors);
    return code;
}

static void say_what_next(const struct plan *plan)
{
    const char *dir = args_text(plan->args, ROW_DIR);
    const char *option = dir ? " --dir " : "";

    dir = dir ? dir : "";
    printf("The station %s is in %s. Now:\n"
           "  put the certificates of your TPMs' makers into %s/vendors\n"
           "  devid-station batch open%s%s --name BATCH --product MODEL "
           "--count 1000 --token-out BATCH.token\n"
           "  devid-station serve%s%s\n"
           "Devices know it by %s\n",
           args_text(plan->args, NAME), plan->dir, plan->dir, option, dir,
           option, dir, plan->ca_cert);
}

static enum exit_code run(const struct args *args)
{
    struct plan plan = {.args = args};
    struct config_pair settings[] = {
        {"tcti", args_text(args, ROW_TCTI)},
        {"pkcs11-module", args_text(args, ROW_MODULE)},
        {"pin-source", args_text(args, ROW_AUTH_SOURCE)},
    };
    struct config_pair given[4] = {{NULL, NULL}};
    enum exit_code code = check_use(args);
    int count = 0;

    if (code != EXIT_DONE)
        return code;
    for (int i = 0; i < 3; i++) {
        if (settings[i].value)
            given[count++] = settings[i];
    }
    plan.dir = absolute(config_dir(args));
    code = keys_begin(given);
    if (code == EXIT_DONE)
        code = make_all(&plan);
    if (code == EXIT_DONE)
        say_what_next(&plan);
    X509_free(plan.ca.cert);
    EVP_PKEY_free(plan.ca.key);
    OPENSSL_free(plan.dir);
    OPENSSL_free(plan.ca_key);
    OPENSSL_free(plan.ca_cert);
    return code;
}

const struct command init_command = {
    .name = "init",
    .operands = "",
    .help = "make a station: its folder, keys, certificates and settings",
    .example = "  devid-station init --dir line --name line-1 --host "
               "line-1.factory.example\n",
    .options = options,
    .common = TAKES(ROW_DIR) | TAKES(ROW_TCTI) | TAKES(ROW_MODULE) |
              TAKES(ROW_AUTH_SOURCE),
    .run = run,
};
