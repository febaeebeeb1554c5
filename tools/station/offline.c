/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Without a network: a request comes in on a stick, the challenge and the
 * certificates go out on one. The same exchanges as the server's, by an
 * operator who needs no token.
 */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "commands.h"
#include "exchange.h"
#include "input.h"
#include "message.h"
#include "output.h"

/* ---- a request's file ------------------------------------------------------
 */

struct file {
    char *data; /* as it was read */
    size_t len;
    uint8_t *der; /* PKCS#10; NULL: it is a TCG's request */
    int der_len;
    struct devid_tcg_csr csr; /* borrows from data */
};

static void close_file(struct file *file)
{
    OPENSSL_clear_free(file->data, file->len);
    OPENSSL_free(file->der);
    *file = (struct file){0};
}

/* PKCS#10 in PEM or DER, as DER. */
static void find_pkcs10(struct file *file)
{
    const unsigned char *p = (const unsigned char *)file->data;
    BIO *bio = BIO_new_mem_buf(file->data, (int)file->len);
    X509_REQ *req = bio ? PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL) : NULL;

    if (!req)
        req = d2i_X509_REQ(NULL, &p, (long)file->len);
    file->der_len = req ? i2d_X509_REQ(req, &file->der) : 0;
    X509_REQ_free(req);
    BIO_free(bio);
    ERR_clear_error();
}

static enum exit_code open_file(const char *path, struct file *file)
{
    struct devid_error err = {0};
    struct devid_bytes bytes;
    enum exit_code code;

    *file = (struct file){0};
    code = input_read(path, &file->data, &file->len);
    if (code != EXIT_DONE)
        return code;
    find_pkcs10(file);
    if (file->der)
        return EXIT_DONE;
    bytes = (struct devid_bytes){(const uint8_t *)file->data, file->len};
    if (devid_tcg_csr_decode(bytes, NULL, &file->csr, &err) == DEVID_OK)
        return EXIT_DONE;
    close_file(file);
    return fail("%s is neither what devid request writes, nor a PKCS#10 "
                "request: %.600s",
                path, err.text);
}

static json_t *text_of(struct devid_bytes bytes, const char *given)
{
    return given ? json_string(given)
                 : json_stringn((const char *)bytes.data, bytes.len);
}

/* What the request would be as the body of POST /v1/units. */
static char *body_of(const struct file *file, const char *serial,
                     const char *model)
{
    json_t *body = json_object();
    char *text = NULL;

    if (json_object_set_new(body, "serial",
                            text_of(file->csr.prodSerial, serial)) == 0 &&
        json_object_set_new(body, "model",
                            text_of(file->csr.prodModel, model)) == 0 &&
        json_object_set_new(body, file->der ? "pkcs10" : "request",
                            file->der
                                ? body_base64(file->der, (size_t)file->der_len)
                                : body_base64(file->data, file->len)) == 0)
        text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

/* ---- exchanges --------------------------------------------------------------
 */

/* Its refusal is the program's. */
static enum exit_code drive(struct exchange *x)
{
    x->peer = "offline";
    x->job.peer = x->peer;
    exchange_drive(x);
    return x->status / 100 == 2 ? EXIT_DONE : fail("%s", x->message);
}

static enum exit_code post_units(struct exchange *x, const struct file *file,
                                 const char *serial, const char *model)
{
    char *body = body_of(file, serial, model);
    enum exit_code code;

    if (!body)
        return fail("the request's serial number or model is no UTF-8");
    x->next = exchange_units;
    x->body = (struct devid_bytes){(const uint8_t *)body, strlen(body)};
    code = drive(x);
    free(body);
    return code;
}

static const char *answer_text(const struct exchange *x, const char *name)
{
    const char *text = json_string_value(json_object_get(x->answer, name));

    return text ? text : "";
}

/* A base64 member of the answer; OPENSSL_free. */
static uint8_t *answer_bytes(const struct exchange *x, const char *name,
                             size_t *len)
{
    struct {
        struct devid_bytes bytes;
    } out = {{0}};
    const struct body_member members[] = {
        {"bytes", BODY_BYTES, true, 0},
        {NULL, BODY_FLAG, false, 0},
    };
    json_t *one = json_pack("{s:s}", "bytes", answer_text(x, name));
    char *text = one ? json_dumps(one, JSON_COMPACT) : NULL;
    uint8_t *copy = NULL;

    *len = 0;
    if (text && body_parse(text, strlen(text), members, &out, NULL) == DEVID_OK)
        copy = OPENSSL_memdup(out.bytes.data, out.bytes.len);
    if (copy)
        *len = out.bytes.len;
    body_clear(members, &out);
    free(text);
    json_decref(one);
    return copy;
}

static enum exit_code find_unit(const struct context *context,
                                const char *serial, struct ledger_unit *unit)
{
    struct devid_error err = {0};
    enum devid_err e =
        ledger_find(context->ledger, UNIT_BY_SERIAL, serial, unit, &err);

    if (e == DEVID_ERR_NOT_FOUND)
        return fail("there is no unit %s; devid-station import makes it of its "
                    "request",
                    serial);
    return e == DEVID_OK ? EXIT_DONE : fail_engine(&err);
}

/* ---- import -----------------------------------------------------------------
 */

enum {
    IMPORT_IN,
    IMPORT_BATCH,
    IMPORT_SERIAL,
    IMPORT_MODEL
};

static const struct option_row import_options[] = {
    [IMPORT_IN] = {"in", "FILE",
                   "what devid request, or for a token devid csr, has written",
                   true, false},
    [IMPORT_BATCH] = {"batch", "NAME", "the batch that the unit is of", true,
                      false},
    [IMPORT_SERIAL] = {"serial", "TEXT",
                       "the unit's serial number, where the request does not "
                       "say it",
                       false, false},
    [IMPORT_MODEL] = {"model", "TEXT", "its model, likewise", false, false},
    {0},
};

static enum exit_code import(const struct args *args,
                             const struct context *context,
                             const struct file *file)
{
    struct exchange x = {.context = context,
                         .batch = args_text(args, IMPORT_BATCH)};
    const char *serial = args_text(args, IMPORT_SERIAL);
    const char *model = args_text(args, IMPORT_MODEL);
    enum exit_code code;

    if (file->der && (!serial || !model))
        return wrong_use("import", "a PKCS#10 request does not say what it is "
                                   "of: give --serial and --model");
    code = post_units(&x, file, serial, model);
    if (code == EXIT_DONE)
        printf("%s %s: %s\n", x.status == 201 ? "new unit" : "unit", x.serial,
               answer_text(&x, "state"));
    exchange_clear(&x);
    return code;
}

static enum exit_code run_import(const struct args *args)
{
    struct context context;
    struct file file = {0};
    enum exit_code code = context_open(args, &context);

    if (code != EXIT_DONE)
        return code;
    code = open_file(args_text(args, IMPORT_IN), &file);
    if (code == EXIT_DONE)
        code = import(args, &context, &file);
    close_file(&file);
    context_close(&context);
    return code;
}

const struct command import_command = {
    .name = "import",
    .operands = "",
    .help = "take a unit's request from a file",
    .example = "  devid-station import --dir line --batch spring --in "
               "unit.req\n",
    .options = import_options,
    .common = TAKES(ROW_DIR),
    .run = run_import,
};

/* ---- challenge
 * --------------------------------------------------------------- */

enum {
    CHALLENGE_IN,
    CHALLENGE_HOURS,
};

enum {
    HOURS_DEFAULT = 24,
    HOURS_MAX = 24 * 365
};

static const struct option_row challenge_options[] = {
    [CHALLENGE_IN] = {"in", "FILE", "the request that was imported", true,
                      false},
    [CHALLENGE_HOURS] = {"hours", "NUMBER",
                         "for how long it may be answered; the default is 24",
                         false, false},
    {0},
};

static enum exit_code read_hours(const struct args *args, unsigned *seconds)
{
    const char *text = args_text(args, CHALLENGE_HOURS);
    char *end = NULL;
    unsigned long hours = HOURS_DEFAULT;

    if (text) {
        hours = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;
        if (!end || *end != '\0' || hours < 1 || hours > HOURS_MAX)
            return wrong_use("challenge",
                             "--hours is a number from 1 to %d, not %s",
                             (int)HOURS_MAX, text);
    }
    *seconds = (unsigned)hours * 3600;
    return EXIT_DONE;
}

/* The request made again is the same unit's, with a new challenge. */
static enum exit_code challenge(const struct context *context,
                                const struct file *file, unsigned seconds,
                                const struct output *out)
{
    struct exchange x = {.context = context, .challenge_seconds = seconds};
    struct ledger_unit unit = {0};
    char serial[LEDGER_TEXT_SIZE];
    uint8_t *data = NULL;
    size_t len = 0;
    enum exit_code code;

    if (file->der)
        return fail("a PKCS#10 request is not challenged: its certificate is "
                    "there once it is imported");
    snprintf(serial, sizeof(serial), "%.*s", (int)file->csr.prodSerial.len,
             (const char *)file->csr.prodSerial.data);
    code = find_unit(context, serial, &unit);
    x.batch = unit.batch;
    if (code == EXIT_DONE)
        code = post_units(&x, file, NULL, NULL);
    if (code == EXIT_DONE) {
        data = answer_bytes(&x, "challenge", &len);
        code = output_write(out, data, len);
    }
    OPENSSL_free(data);
    exchange_clear(&x);
    ledger_unit_clear(&unit);
    return code;
}

static enum exit_code run_challenge(const struct args *args)
{
    struct context context;
    struct file file = {0};
    struct output out;
    unsigned seconds = 0;
    enum exit_code code = read_hours(args, &seconds);

    if (code == EXIT_DONE)
        code = output_open(&out, args_text(args, ROW_OUT),
                           args_flag(args, ROW_FORCE));
    if (code != EXIT_DONE)
        return code;
    code = context_open(args, &context);
    if (code == EXIT_DONE) {
        code = open_file(args_text(args, CHALLENGE_IN), &file);
        if (code == EXIT_DONE)
            code = challenge(&context, &file, seconds, &out);
        close_file(&file);
        context_close(&context);
    }
    output_close(&out);
    return code;
}

const struct command challenge_command = {
    .name = "challenge",
    .operands = "",
    .help = "write the challenge that only the unit's TPM can answer",
    .example = "  devid-station challenge --dir line --in unit.req --out "
               "unit.challenge\n",
    .options = challenge_options,
    .common = TAKES(ROW_OUT) | TAKES(ROW_FORCE) | TAKES(ROW_DIR),
    .run = run_challenge,
};

/* ---- issue
 * -------------------------------------------------------------------- */

enum {
    ISSUE_SERIAL,
    ISSUE_ANSWER,
    ISSUE_IDEVID,
    ISSUE_IAK
};

static const struct option_row issue_options[] = {
    [ISSUE_SERIAL] = {"serial", "TEXT", "the unit's serial number", true,
                      false},
    [ISSUE_ANSWER] = {"answer", "FILE",
                      "what devid activate has written; not for a unit without "
                      "a TPM",
                      false, false},
    [ISSUE_IDEVID] = {"idevid", "FILE",
                      "where its IDevID certificate goes, in PEM", true, false},
    [ISSUE_IAK] = {"iak", "FILE", "and that of its IAK", false, false},
    {0},
};

static enum exit_code write_cert(const struct args *args, int row,
                                 const struct ledger_blob *der)
{
    const char *path = args_text(args, row);
    const unsigned char *p = der->data;
    struct output out;
    X509 *cert = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len;
    enum exit_code code = EXIT_DONE;

    if (path && der->len > 0) {
        cert = d2i_X509(NULL, &p, (long)der->len);
        code = output_open(&out, path, args_flag(args, ROW_FORCE));
        if (code == EXIT_DONE) {
            if (!bio || !cert || PEM_write_bio_X509(bio, cert) != 1)
                die_no_memory();
            len = BIO_get_mem_data(bio, &text);
            code = output_write(&out, text, (size_t)len);
            output_close(&out);
        }
    }
    X509_free(cert);
    BIO_free(bio);
    return code;
}

/* The unit as the ledger has it once the answer was taken. */
static enum exit_code post_answer(struct exchange *x, const char *path)
{
    char *data = NULL;
    size_t len = 0;
    enum exit_code code = input_read(path, &data, &len);
    json_t *body = NULL;
    char *text = NULL;

    if (code != EXIT_DONE)
        return code;
    if (len > 0 && len <= 4096)
        body = json_pack("{s:o}", "answer", body_base64(data, len));
    text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    if (text) {
        x->next = exchange_activate;
        x->body = (struct devid_bytes){(const uint8_t *)text, strlen(text)};
        code = drive(x);
    } else {
        code = fail("%s is not what devid activate writes", path);
    }
    free(text);
    json_decref(body);
    OPENSSL_clear_free(data, len);
    return code;
}

static enum exit_code issue(const struct args *args,
                            const struct context *context)
{
    const char *serial = args_text(args, ISSUE_SERIAL);
    const char *answer = args_text(args, ISSUE_ANSWER);
    struct exchange x = {.context = context};
    struct ledger_unit unit = {0};
    enum exit_code code = find_unit(context, serial, &unit);

    if (code == EXIT_DONE && !answer && unit.attested)
        code = fail("the unit %s has a TPM: its answer to the challenge is "
                    "wanted, by --answer",
                    serial);
    if (code == EXIT_DONE && answer) {
        snprintf(x.unit_id, sizeof(x.unit_id), "%s", unit.id);
        ledger_unit_clear(&unit);
        code = post_answer(&x, answer);
    }
    if (code == EXIT_DONE)
        code = write_cert(args, ISSUE_IDEVID,
                          answer ? &x.job.unit.idevid_cert : &unit.idevid_cert);
    if (code == EXIT_DONE && answer)
        code = write_cert(args, ISSUE_IAK, &x.job.unit.iak_cert);
    exchange_clear(&x);
    ledger_unit_clear(&unit);
    return code;
}

static enum exit_code run_issue(const struct args *args)
{
    struct context context;
    enum exit_code code = context_open(args, &context);

    if (code != EXIT_DONE)
        return code;
    code = issue(args, &context);
    context_close(&context);
    return code;
}

const struct command issue_command = {
    .name = "issue",
    .operands = "",
    .help = "take the answer, and write the unit's certificates",
    .example = "  devid-station issue --dir line --serial 4711 --answer "
               "unit.answer \\\n      --idevid idevid.pem --iak iak.pem\n",
    .options = issue_options,
    .common = TAKES(ROW_FORCE) | TAKES(ROW_DIR),
    .run = run_issue,
};
