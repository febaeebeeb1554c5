/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_line.h"

#include "as_file.h"
#include "body.h"
#include "fuzz.h"
#include "ocsp.h"

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char conf[] = "[station]\nname = line-1\noperators = operators\n"
                           "[ca]\nkey = ca.key\nocsp_url = http://a/ocsp\n"
                           "crl_url = http://a/{shard}.crl\n"
                           "[policy]\nallow_pkcs10 = yes\n"
                           "[est]\nusers = users\ncsrattrs = id-ecPublicKey\n"
                           "[est.manual]\napproval = manual\n";

static struct fake_line line;
static char ledger_dir[] = "/tmp/devid-fuzz-line.XXXXXX";

/* ---- keys and certificates --------------------------------------------------
 */

/* Always the same, so that requests may name what it signed: RFC 5915. */
static EVP_PKEY *ca_key(void)
{
    static const uint8_t head[] = {0x30, 0x31, 2, 1, 1, 4, 0x20};
    static const uint8_t tail[] = {0xa0, 0x0a, 6,    8, 0x2a, 0x86,
                                   0x48, 0xce, 0x3d, 3, 1,    7};
    uint8_t der[sizeof(head) + 32 + sizeof(tail)];
    const uint8_t *at = der;
    EVP_PKEY *key;

    memset(der, 7, sizeof(der));
    memcpy(der, head, sizeof(head));
    memcpy(der + sizeof(head) + 32, tail, sizeof(tail));
    key = d2i_PrivateKey(EVP_PKEY_EC, NULL, &at, sizeof(der));
    must(key != NULL);
    return key;
}

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension;
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    must(extension != NULL && X509_add_ext(cert, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static X509 *self_signed(EVP_PKEY *key, const char *name, bool is_ca)
{
    X509 *cert = X509_new();

    must(cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1);
    must(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN",
                                    MBSTRING_ASC, (const unsigned char *)name,
                                    -1, -1, 0) == 1);
    must(X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1);
    must(X509_gmtime_adj(X509_getm_notBefore(cert), -3600) != NULL);
    must(X509_gmtime_adj(X509_getm_notAfter(cert), 1L << 30) != NULL);
    must(X509_set_pubkey(cert, key) == 1);
    add_extension(cert, NID_basic_constraints,
                  is_ca ? "critical,CA:TRUE" : "CA:FALSE");
    add_extension(cert, NID_subject_key_identifier, "hash");
    if (is_ca)
        add_extension(cert, NID_key_usage, "critical,keyCertSign,cRLSign");
    must(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static void write_operators(void)
{
    BIO *bio = BIO_new(BIO_s_mem());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    char *text = NULL;
    long len;

    line.operator_cert = self_signed(key, "operator", false);
    must(bio != NULL && PEM_write_bio_X509(bio, line.operator_cert) == 1);
    len = BIO_get_mem_data(bio, &text);
    (void)fuzz_as_folder(1, "operators", (const uint8_t *)text, (size_t)len);
    BIO_free(bio);
    EVP_PKEY_free(key);
}

/* ---- the context ------------------------------------------------------------
 */

static enum exit_code load(const struct args *args)
{
    return config_load(args, &line.context.config);
}

static void read_config(void)
{
    static const struct option_row none[] = {{0}};
    static const struct command command = {
        .name = "fuzz", .options = none, .common = TAKES(ROW_DIR), .run = load};
    char words[][8] = {"fuzz", "--dir"};
    char dir[256];
    char *argv[] = {words[0], words[1], dir, NULL};
    struct args args;

    (void)fuzz_as_folder(2, "users", (const uint8_t *)LINE_USER "\n",
                         sizeof(LINE_USER));
    (void)snprintf(
        dir, sizeof(dir), "%s",
        fuzz_as_folder(0, STATION_CONF, (const uint8_t *)conf, strlen(conf)));
    must(args_parse(&command, 3, argv, &args) == ARGS_RUN);
    must(load(&args) == EXIT_DONE);
    args_clear(&args);
}

static void make_ca(struct context *context)
{
    struct devid_issuer_spec spec = {.shards = context->config.crl_shards};
    unsigned char *der = NULL;
    int len;

    context->ca_key = ca_key();
    context->chain_key = ca_key();
    context->ca = self_signed(context->ca_key, "CA", true);
    context->chain = sk_X509_new_null();
    must(context->chain != NULL &&
         sk_X509_push(context->chain, context->ca) == 1);
    len = i2d_X509(context->ca, &der);
    must(len > 0);
    spec.ca = (struct devid_bytes){der, (size_t)len};
    spec.key = context->ca_key;
    spec.crl_url = context->config.crl_url;
    spec.ocsp_url = context->config.ocsp_url;
    must(devid_issuer_new(&spec, &context->issuer, NULL) == DEVID_OK);
    context->ocsp = ocsp_new(context->ca_key, context->ca, true);
    must(context->ocsp != NULL);
    OPENSSL_free(der);
}

/* ---- the ledger -------------------------------------------------------------
 */

static void remove_ledger(void)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[64];

    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        (void)snprintf(path, sizeof(path), "%s/db%s", ledger_dir, ends[i]);
        (void)unlink(path);
    }
}

static void close_all(void)
{
    fleet_close(&line.fleet);
    ledger_unit_clear(&line.unit);
    ledger_ldevid_clear(&line.ldevid);
    ledger_close(&line.context.ledger);
    remove_ledger();
}

static void at_exit(void)
{
    close_all();
    (void)rmdir(ledger_dir);
}

static void open_ledger(void)
{
    char path[64];
    const struct ledger_spec spec = {.url = path,
                                     .station = "line-1",
                                     .key = line.context.chain_key,
                                     .create = true};
    struct ledger_job job = {.op = LEDGER_OPEN_BATCH};

    (void)snprintf(path, sizeof(path), "%s/db", ledger_dir);
    must(ledger_open(&spec, &line.context.ledger, NULL) == DEVID_OK);
    memcpy(job.batch.name, "B1", sizeof("B1"));
    memcpy(job.batch.product, "M1", sizeof("M1"));
    sha256_hex(LINE_TOKEN, strlen(LINE_TOKEN), job.batch.token_digest);
    job.batch.quota = 1000000;
    must(ledger_do(line.context.ledger, &job) == LEDGER_DONE);
}

/* ---- the unit ---------------------------------------------------------------
 */

/* A PKCS#10 of a key that is forgotten, in base64; by malloc. */
static char *new_request(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509_REQ *req = X509_REQ_new();
    unsigned char *der = NULL;
    char *text;
    int len;

    must(key != NULL && req != NULL && X509_REQ_set_pubkey(req, key) == 1);
    must(X509_REQ_sign(req, key, EVP_sha256()) > 0);
    len = i2d_X509_REQ(req, &der);
    must(len > 0);
    text = malloc((size_t)len * 2);
    must(text != NULL);
    (void)EVP_EncodeBlock((unsigned char *)text, der, len);
    OPENSSL_free(der);
    X509_REQ_free(req);
    EVP_PKEY_free(key);
    return text;
}

static void enrol(void)
{
    char *request = new_request();
    json_t *body = json_pack("{s:s,s:s,s:s}", "serial", LINE_SERIAL, "model",
                             "M1", "pkcs10", request);
    char *text = json_dumps(body, 0);
    struct exchange x = {
        .context = &line.context, .next = exchange_units, .batch = "B1"};

    must(text != NULL);
    x.body = (struct devid_bytes){(const uint8_t *)text, strlen(text)};
    exchange_drive(&x);
    must(x.status == 201);
    exchange_clear(&x);
    free(text);
    json_decref(body);
    free(request);
    must(ledger_find(line.context.ledger, UNIT_BY_SERIAL, LINE_SERIAL,
                     &line.unit, NULL) == DEVID_OK);
}

static void ask_ldevid(const char *label, int status)
{
    char *request = new_request();
    struct exchange x = {.context = &line.context, .next = exchange_est};

    (void)snprintf(x.label, sizeof(x.label), "%s", label);
    x.client_cert = (struct devid_bytes){line.unit.idevid_cert.data,
                                         line.unit.idevid_cert.len};
    x.body = (struct devid_bytes){(const uint8_t *)request, strlen(request)};
    exchange_drive(&x);
    must(x.status == status);
    (void)snprintf(line.pending, sizeof(line.pending), "%s", x.job.ldevid.id);
    exchange_clear(&x);
    free(request);
}

static void begin_once(void)
{
    static int begun;

    if (begun)
        return;
    begun = 1;
    write_operators();
    read_config();
    make_ca(&line.context);
    must(mkdtemp(ledger_dir) != NULL && atexit(at_exit) == 0);
}

struct fake_line *fake_line_begin(void)
{
    begin_once();
    close_all();
    open_ledger();
    must(fleet_open(&line.context, &line.fleet) == EXIT_DONE);
    enrol();
    ask_ldevid("", 200);
    must(ledger_newest_ldevid(line.context.ledger, line.unit.id, "",
                              &line.ldevid, NULL) == DEVID_OK);
    ask_ldevid("manual", 202);
    return &line;
}
