/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The identities that were issued, for who has to know them: a file of JSON
 * lines, and beside it a CMS signature of it by the station's key. The key has
 * no certificate of its own; the CA gives it one for the manifest, so that the
 * CA's certificate is all that an importer has to know.
 */
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "authority.h"
#include "commands.h"
#include "desk.h"
#include "keys.h"
#include "message.h"
#include "output.h"
#include "report.h"

enum {
    FILTER
};

static const struct option_row options[] = {
    DESK_FILTER_ROWS(FILTER),
    [FILTER + 4] = {0},
};

/* ---- lines ------------------------------------------------------------- */

struct lines {
    BIO *text; /* in memory */
    bool failed;
};

static void add_cert(json_t *report, const char *name,
                     const struct ledger_blob *der)
{
    BIO *bio = BIO_new(BIO_s_mem());
    struct desk_cert cert;
    json_t *object;
    char *pem = NULL;
    long len;

    if (der->len == 0 || !bio) {
        BIO_free(bio);
        return;
    }
    if (!PEM_write_bio(bio, PEM_STRING_X509, "", der->data, (long)der->len))
        die_no_memory();
    len = BIO_get_mem_data(bio, &pem);
    desk_cert(der, &cert);
    object = report_new();
    report_text(object, "sha256", cert.sha256);
    report_text(object, "number", cert.number);
    report_value(object, "pem", json_stringn(pem, (size_t)len));
    report_value(report, name, object);
    BIO_free(bio);
}

static bool add_unit(void *arg, const struct ledger_unit *unit)
{
    struct lines *lines = arg;
    json_t *report;
    char *text;

    /* What has no certificate, or a revoked one, is nobody's to import. */
    if (unit->idevid_cert.len == 0 || unit->state == UNIT_RETIRED)
        return true;
    report = report_new();
    report_text(report, "serial", unit->serial);
    report_text(report, "model", unit->model);
    report_text(report, "mac", unit->mac);
    report_text(report, "batch", unit->batch);
    report_flag(report, "attested", unit->attested);
    add_cert(report, "idevid", &unit->idevid_cert);
    add_cert(report, "iak", &unit->iak_cert);
    text = json_dumps(report, JSON_COMPACT);
    json_decref(report);
    lines->failed = !text || BIO_puts(lines->text, text) <= 0 ||
                    BIO_puts(lines->text, "\n") <= 0;
    free(text);
    return !lines->failed;
}

/* ---- the signature ----------------------------------------------------- */

/* What signs: the station's key with a certificate by its CA. */
static enum exit_code make_signer(const struct desk *desk, X509 **signer,
                                  STACK_OF(X509) * *chain)
{
    struct authority ca = {0};
    enum exit_code code = keys_certificates(desk->config.ca_cert, chain);

    if (code == EXIT_DONE)
        code = keys_private(desk->config.ca_key, &ca.key);
    if (code == EXIT_DONE) {
        ca.cert = sk_X509_value(*chain, 0);
        code = authority_list(&ca, desk->key, desk->config.name, signer);
    }
    EVP_PKEY_free(ca.key);
    return code;
}

static enum exit_code sign(const struct desk *desk, const struct lines *lines,
                           BIO *signature)
{
    const unsigned flags = CMS_DETACHED | CMS_BINARY | CMS_NOSMIMECAP;
    STACK_OF(X509) *chain = NULL;
    CMS_ContentInfo *cms = NULL;
    X509 *signer = NULL;
    char reason[512];
    char *text = NULL;
    long len = BIO_get_mem_data(lines->text, &text);
    BIO *content = BIO_new_mem_buf(text ? text : "", (int)len);
    enum exit_code code = make_signer(desk, &signer, &chain);

    if (code != EXIT_DONE)
        goto out;
    cms = CMS_sign(signer, desk->key, chain, content, flags);
    if (!cms || i2d_CMS_bio(signature, cms) != 1)
        code = fail("the manifest cannot be signed by the station's key%s",
                    keys_reason(reason, sizeof(reason)));

out:
    CMS_ContentInfo_free(cms);
    X509_free(signer);
    sk_X509_pop_free(chain, X509_free);
    BIO_free(content);
    return code;
}

/* ---- the whole --------------------------------------------------------- */

static enum exit_code write_bio(const struct output *out, BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);

    return output_write(out, data, (size_t)len);
}

static enum exit_code make(const struct desk *desk,
                           const struct ledger_filter *filter,
                           const struct output *out,
                           const struct output *beside)
{
    struct lines lines = {BIO_new(BIO_s_mem()), false};
    BIO *signature = BIO_new(BIO_s_mem());
    struct devid_error err;
    enum exit_code code = EXIT_DONE;

    if (!lines.text || !signature)
        die_no_memory();
    if (ledger_units(desk->ledger, filter, add_unit, &lines, &err))
        code = fail_engine(&err);
    else if (lines.failed)
        die_no_memory();
    if (code == EXIT_DONE)
        code = sign(desk, &lines, signature);
    if (code == EXIT_DONE)
        code = write_bio(out, lines.text);
    if (code == EXIT_DONE)
        code = write_bio(beside, signature);
    BIO_free(lines.text);
    BIO_free(signature);
    return code;
}

static enum exit_code run(const struct args *args)
{
    const char *path = args_text(args, ROW_OUT);
    bool force = args_flag(args, ROW_FORCE);
    struct output beside = {.directory = -1};
    struct output out = {.directory = -1};
    struct desk_filter filter;
    struct desk desk;
    char p7s[4096];
    enum exit_code code = desk_filter(args, FILTER, &filter);

    if (code != EXIT_DONE)
        return code;
    if (strcmp(path, "-") == 0)
        return wrong_use("manifest", "--out is a file: its signature stands "
                                     "beside it, with .p7s behind its name");
    if (snprintf(p7s, sizeof(p7s), "%s.p7s", path) >= (int)sizeof(p7s))
        return fail("%.100s... is too long a name", path);
    code = output_open(&out, path, force);
    if (code == EXIT_DONE)
        code = output_open(&beside, p7s, force);
    if (code == EXIT_DONE)
        code = desk_open(args, true, &desk);
    if (code == EXIT_DONE) {
        code = make(&desk, &filter.filter, &out, &beside);
        desk_close(&desk);
    }
    output_close(&beside);
    output_close(&out);
    return code;
}

const struct command manifest_command = {
    .name = "manifest",
    .operands = "",
    .help = "write a signed list of the identities that were issued",
    .example = "  devid-station manifest --batch B1 --out B1.jsonl\n"
               "  openssl cms -verify -binary -inform DER -in B1.jsonl.p7s "
               "\\\n      -content B1.jsonl -CAfile ca.pem -out /dev/null\n",
    .options = options,
    .common = TAKES(ROW_DIR) | TAKES(ROW_OUT) | TAKES(ROW_FORCE),
    .run = run,
};
