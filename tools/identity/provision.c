/* SPDX-License-Identifier: Apache-2.0 */
#include "provision.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "exits.h"
#include "label.h"
#include "message.h"
#include "open.h"
#include "report.h"
#include "secret_input.h"
#include "token_key.h"

static const struct option_row options[PROVISION_END + 1] = {
    [PROVISION_STATION] = {"station", "URL",
                           "the line's station, https://HOST:PORT", true,
                           false},
    [PROVISION_SERIAL] = {"serial", "TEXT", "the product's serial number", true,
                          false},
    [PROVISION_MODEL] = {"model", "TEXT", "the product's model", true, false},
    [PROVISION_TOKEN] = {"token-source", "SOURCE",
                         "where the batch's token is: file:PATH, env:NAME or "
                         "prompt",
                         true, false},
    [PROVISION_CA] = {"ca", "FILE",
                      "certificates in PEM that vouch for the station; the "
                      "default is what OpenSSL trusts",
                      false, false},
    [PROVISION_FINGERPRINT] = {"station-fingerprint", "HASH",
                               "the SHA-256 of the station's own TLS "
                               "certificate, in hex, in place of any CA",
                               false, false},
    [PROVISION_OPERATOR] = {"operator", "NAME",
                            "who is at the line, for the record", false, false},
    [PROVISION_MAC] = {"mac", "ADDRESS", "a MAC address, for the record", false,
                       false},
    [PROVISION_ALGORITHM] = {"algorithm", "NAME",
                             "of the IAK and the IDevID: ec-p256 (the "
                             "default), ec-p384, ec-p521, rsa-2048, rsa-3072 "
                             "or rsa-4096",
                             false, false},
    [PROVISION_EK] = {"ek", "EK",
                      "which endorsement key: its algorithm, or its handle, "
                      "such as 0x81010001; the default is the first that has "
                      "a certificate",
                      false, false},
    [PROVISION_DIR] =
        {"dir", "DIRECTORY",
         "the folder of the identity; the default is " KEEP_FOLDER, false,
         false},
    [PROVISION_NV] = {"nv", "MODE",
                      "required, the default, or optional: where the TPM has "
                      "no room for the certificates they stay on disk alone",
                      false, false},
    [PROVISION_LABEL] = {"label", "FILE",
                         "write a label: text, JSON or a QR code, as the "
                         "name's end says: .txt, .json, .png or .svg",
                         false, true},
    [PROVISION_LOCK] = {"lock", NULL,
                        "at the end set the TPM's authorisations, which the "
                        "station keeps in escrow",
                        false, false},
    [PROVISION_NEW_OWNER] = {"new-owner", NULL,
                             "a unit that was retired begins a new life", false,
                             false},
    [PROVISION_TIMEOUT] = {"timeout", "SECONDS",
                           "how long one request to the station is tried; the "
                           "default is 60",
                           false, false},
    {0},
};

/* ---- the command line -------------------------------------------------------
 */

static enum exit_code read_options(struct provision *p)
{
    const char *nv = args_text(p->args, PROVISION_NV);
    const char *dir = args_text(p->args, PROVISION_DIR);

    p->keep.folder = dir != NULL ? dir : KEEP_FOLDER;
    p->keep.replace_ours = args_flag(p->args, PROVISION_NEW_OWNER);
    p->keep.nv_optional = nv != NULL && strcmp(nv, "optional") == 0;
    if (nv != NULL && !p->keep.nv_optional && strcmp(nv, "required") != 0)
        return wrong_use("provision", "--nv is required or optional, not '%s'",
                         nv);
    return EXIT_DONE;
}

static enum exit_code check_labels(const struct provision *p)
{
    const char **paths = args_list(p->args, PROVISION_LABEL);
    enum exit_code code = EXIT_DONE;

    for (int i = 0; code == EXIT_DONE && paths[i] != NULL; i++) {
        if (!label_kind_is_known(paths[i]))
            code = wrong_use("provision",
                             "a label is a file whose name ends in .txt, "
                             ".json, .png or .svg, not '%s'",
                             paths[i]);
    }
    free(paths);
    return code;
}

/* What only a TPM has. */
static enum exit_code check_device(const struct provision *p)
{
    if (!is_token_uri(args_text(p->args, ROW_DEVICE)))
        return EXIT_DONE;
    if (args_flag(p->args, PROVISION_LOCK) || args_flag(p->args, PROVISION_EK))
        return wrong_use("provision", "--lock and --ek are for a TPM; a "
                                      "token has PINs: see devid token");
    return token_check_pin(p->args);
}

static enum exit_code read_command_line(struct provision *p)
{
    const struct where_options where = {
        .url = args_text(p->args, PROVISION_STATION),
        .ca = args_text(p->args, PROVISION_CA),
        .fingerprint = args_text(p->args, PROVISION_FINGERPRINT),
        .timeout = args_text(p->args, PROVISION_TIMEOUT),
    };
    enum exit_code code = read_options(p);

    if (code == EXIT_DONE)
        code = where_read("provision", &where, &p->where);
    if (code == EXIT_DONE)
        code = check_device(p);
    if (code == EXIT_DONE)
        code = check_labels(p);
    return code;
}

static enum exit_code give_token(struct provision *p)
{
    struct secret secret = {0};
    enum exit_code code = secret_read(&secret, "token-source",
                                      args_text(p->args, PROVISION_TOKEN),
                                      "batch's token", false);

    if (code == EXIT_DONE) {
        secret.data[secret.len] = '\0';
        if (secret.len == 0 || strpbrk(secret.data, " \t\r\n") != NULL ||
            strlen(secret.data) != secret.len)
            code = fail("the batch's token has no characters, or white space "
                        "in it: it is one word on one line");
        else
            http_set_token(p->http, secret.data);
    }
    secret_wipe(&secret);
    return code;
}

void provision_hang_up(struct provision *p)
{
    if (p->http != NULL)
        (void)snprintf(p->refusal, sizeof(p->refusal), "%s",
                       http_refusal(p->http));
    http_close(&p->http);
}

/* ---- steps that every device takes ------------------------------------------
 */

static enum exit_code look(struct provision *p)
{
    enum exit_code code = http_open(&p->where.spec, &p->http);

    if (code == EXIT_DONE)
        code = give_token(p);
    if (code != EXIT_DONE)
        return code;
    progress_step(&p->progress, "station");
    code = line_look(p->http, &p->station);
    if (code == EXIT_DONE)
        code = provision_lock_possible(p);
    if (code == EXIT_DONE)
        progress_done(&p->progress, "%s", p->station.name);
    return code;
}

/* Whom the station named when it was asked issued them. */
static enum exit_code check_issuer(const struct provision *p)
{
    const STACK_OF(X509) *said = p->station.ca;
    const STACK_OF(X509) *given = p->certificates.ca;
    int count = sk_X509_num(said);

    if (count == sk_X509_num(given) &&
        X509_cmp(sk_X509_value(said, count - 1),
                 sk_X509_value(given, count - 1)) == 0)
        return EXIT_DONE;
    return fail_with(EXIT_UNTRUSTED,
                     "the station gives certificates of another CA than it "
                     "said that it is: nothing of it was kept");
}

enum exit_code provision_check(struct provision *p, bool has_iak)
{
    const struct certificates_owner owner = {
        .idevid = &p->idevid,
        .iak = has_iak ? &p->iak : NULL,
        .serial = args_text(p->args, PROVISION_SERIAL),
    };
    enum exit_code code = certificates_check(&p->certificates, &owner);

    return code == EXIT_DONE ? check_issuer(p) : code;
}

void provision_set_id(struct provision *p, const struct devid_public *pub)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    uint8_t *spki = NULL;
    size_t len = 0;

    if (devid_public_to_spki(pub, &spki, &len, NULL) != DEVID_OK ||
        EVP_Q_digest(NULL, "SHA256", NULL, spki, len, digest, &len) != 1 ||
        OPENSSL_buf2hexstr_ex(p->id, sizeof(p->id), NULL, digest, len, '\0') !=
            1)
        die_no_memory();
    for (char *c = p->id; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    OPENSSL_free(spki);
}

static json_t *describe_unit(const struct provision *p)
{
    json_t *unit = report_new();

    report_text(unit, "unit", p->unit.id);
    report_text(unit, "serial", args_text(p->args, PROVISION_SERIAL));
    report_text(unit, "model", args_text(p->args, PROVISION_MODEL));
    report_text(unit, "id", p->id);
    report_text(unit, "station", p->where.spec.url);
    report_flag(unit, "attested", p->unit.attested);
    return unit;
}

enum exit_code provision_folder(struct provision *p,
                                const struct devid_key *key)
{
    json_t *unit = describe_unit(p);
    bool changed = false;
    enum exit_code code;

    progress_step(&p->progress, "disk");
    code = keep_on_disk(key, &p->keep, &p->certificates, unit, &changed);
    json_decref(unit);
    if (code == EXIT_DONE)
        progress_done(&p->progress, "%s %s", p->keep.folder,
                      changed ? "is written" : "has it already");
    return code;
}

enum exit_code provision_label(struct provision *p)
{
    const char **paths = args_list(p->args, PROVISION_LABEL);
    json_t *unit = describe_unit(p);
    enum exit_code code = EXIT_DONE;

    for (int i = 0; code == EXIT_DONE && paths[i] != NULL; i++) {
        progress_step(&p->progress, "label");
        code = label_write(paths[i], unit);
        if (code == EXIT_DONE)
            progress_done(&p->progress, "%s", paths[i]);
    }
    json_decref(unit);
    free(paths);
    return code;
}

static enum exit_code provision(struct provision *p)
{
    const char *device = args_text(p->args, ROW_DEVICE);
    enum exit_code code = look(p);

    if (code == EXIT_DONE)
        code = engine_open_to_write(p->args, device, &p->engine);
    if (code == EXIT_DONE)
        code = is_token_uri(device) ? provision_token(p) : provision_tpm(p);
    if (code == EXIT_DONE)
        code = provision_end(p);
    return code;
}

static enum exit_code run(const struct args *args)
{
    struct provision p = {.args = args};
    enum exit_code code = read_command_line(&p);

    if (code == EXIT_DONE) {
        progress_start(&p.progress, args_flag(args, ROW_JSON));
        code = provision(&p);
        provision_hang_up(&p);
        code = progress_end(&p.progress, code, p.refusal, describe_unit(&p));
    }
    http_close(&p.http);
    line_station_clear(&p.station);
    line_unit_clear(&p.unit);
    certificates_clear(&p.certificates);
    devid_lock_free(&p.lock);
    devid_identity_free(&p.identity);
    devid_free(&p.engine);
    where_clear(&p.where);
    return code;
}

const struct command provision_command = {
    .name = "provision",
    .operands = "",
    .help = "give the device its identity, at a factory line's station",
    .example = "  devid provision --station https://station:8443 --ca ca.pem "
               "\\\n      --serial SN123 --model Gate --token-source "
               "file:/run/batch.token\n",
    .options = options,
    .common = TAKES(ROW_DEVICE) | TAKES(ROW_TCTI) | TAKES(ROW_MODULE) |
              TAKES(ROW_AUTH_SOURCE) | TAKES(ROW_OWNER_AUTH_SOURCE) |
              TAKES(ROW_ENDORSEMENT_AUTH_SOURCE) | TAKES(ROW_JSON),
    .exits = provision_exits,
    .run = run,
};
