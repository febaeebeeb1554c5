/* SPDX-License-Identifier: Apache-2.0 */
/* The files that init makes. */
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "init.h"
#include "message.h"
#include "output.h"

/* ---- files in the folder ----------------------------------------------- */

enum exit_code init_write(const char *dir, const char *name, const void *data,
                          size_t len)
{
    char *path = config_path(dir, name);
    struct output out;
    enum exit_code code = output_open(&out, path, false);

    if (code == EXIT_DONE) {
        code = output_write(&out, data, len);
        output_close(&out);
    }
    OPENSSL_free(path);
    return code;
}

static enum exit_code write_bio(const char *dir, const char *name, BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);
    enum exit_code code = init_write(dir, name, data, (size_t)len);

    BIO_free(bio);
    return code;
}

static BIO *new_memory(void)
{
    BIO *bio = BIO_new(BIO_s_secmem());

    if (!bio)
        die_no_memory();
    return bio;
}

enum exit_code init_write_cert(const char *dir, const char *name, X509 *cert)
{
    BIO *bio = new_memory();

    if (PEM_write_bio_X509(bio, cert) != 1)
        die_no_memory();
    return write_bio(dir, name, bio);
}

enum exit_code init_make_key(const char *dir, const char *name, EVP_PKEY **key)
{
    BIO *bio = new_memory();

    *key = EVP_EC_gen("P-256");
    if (!*key || PEM_write_bio_PKCS8PrivateKey(bio, *key, NULL, NULL, 0, NULL,
                                               NULL) != 1) {
        BIO_free(bio);
        return fail("OpenSSL makes no key on P-256");
    }
    return write_bio(dir, name, bio);
}

/* Where others look for what verifies this station's part of the log. */
enum exit_code init_write_public(const char *dir, const char *name,
                                 EVP_PKEY *key)
{
    BIO *bio = new_memory();

    if (PEM_write_bio_PUBKEY(bio, key) != 1)
        die_no_memory();
    return write_bio(dir, name, bio);
}

const char **init_hosts(const struct args *args)
{
    static char name[256];
    const char **hosts = args_list(args, HOST);

    if (hosts[0])
        return hosts;
    free(hosts);
    hosts = calloc(3, sizeof(*hosts));
    if (!hosts)
        die_no_memory();
    if (gethostname(name, sizeof(name) - 1) == 0 && *name)
        hosts[0] = name;
    hosts[hosts[0] ? 1 : 0] = "localhost";
    return hosts;
}

/* ---- station.conf ------------------------------------------------------ */

/* A value may hold what the file's syntax takes for its own. */
static void put(BIO *bio, const char *name, const char *value)
{
    BIO_printf(bio, "%s = ", name);
    for (; *value; value++)
        BIO_printf(bio, "%s%c", strchr("\\$#\"'`", *value) ? "\\" : "", *value);
    BIO_printf(bio, "\n");
}

static void put_device(BIO *bio, const struct plan *plan)
{
    const char *tcti = args_text(plan->args, ROW_TCTI);
    const char *module = args_text(plan->args, ROW_MODULE);
    const char *pin = args_text(plan->args, ROW_AUTH_SOURCE);

    BIO_printf(bio, "\n[device]\n");
    if (tcti)
        put(bio, "tcti", tcti);
    if (module)
        put(bio, "pkcs11-module", module);
    if (pin)
        put(bio, "pin-source", pin);
}

enum exit_code init_write_conf(const struct plan *plan)
{
    const char **hosts = init_hosts(plan->args);
    const char *port = args_text(plan->args, PORT);
    const char *ledger = args_text(plan->args, LEDGER);
    bool bracket = strchr(hosts[0], ':') != NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    char url[512];

    if (!bio)
        die_no_memory();
    port = port ? port : "8443";
    snprintf(url, sizeof(url), "https://%s%.300s%s:%.5s/v1/crl/{shard}.crl",
             bracket ? "[" : "", hosts[0], bracket ? "]" : "", port);
    BIO_printf(bio, "# devid-station(8) has all settings. Files are in this "
                    "folder.\n\n[station]\n");
    put(bio, "name", args_text(plan->args, NAME));
    put(bio, "ledger", ledger ? ledger : "ledger.db");
    BIO_printf(bio, "chain_key = chain.key\nvendors = vendors\n\n[ca]\n");
    put(bio, "key", args_flag(plan->args, CA_KEY) ? plan->ca_key : "ca.key");
    put(bio, "certificate",
        args_flag(plan->args, CA_KEY) ? plan->ca_cert : "ca.pem");
    put(bio, "crl_url", url);
    BIO_printf(bio, "# Certificates name their list: not to be changed once "
                    "there are some.\ncrl_shards = 16\n");
    if (args_flag(plan->args, ESCROW))
        put(bio, "escrow", "escrow.pem");
    BIO_printf(bio,
               "\n[server]\nport = %s\nkey = server.key\n"
               "certificate = server.pem\n\n"
               "# LDevIDs for units that have their IDevID, by EST.\n"
               "[est]\nlifetime = 7d\n\n"
               "[policy]\nchallenge_seconds = 300\n",
               port);
    put_device(bio, plan);
    free(hosts);
    return write_bio(plan->dir, STATION_CONF, bio);
}
