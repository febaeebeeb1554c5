/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "commands.h"
#include "input.h"
#include "message.h"
#include "offline.h"
#include "output.h"

enum {
    ISSUE_SERIAL,
    ISSUE_ANSWER,
    ISSUE_IDEVID,
    ISSUE_IAK,
    ISSUE_CERTIFICATES
};

static const struct option_row issue_options[] = {
    [ISSUE_SERIAL] = {"serial", "TEXT", "the unit's serial number", true,
                      false},
    [ISSUE_ANSWER] = {"answer", "FILE",
                      "what devid activate has written; not for a unit without "
                      "a TPM",
                      false, false},
    [ISSUE_IDEVID] = {"idevid", "FILE",
                      "where its IDevID certificate goes, in PEM", false,
                      false},
    [ISSUE_IAK] = {"iak", "FILE", "and that of its IAK", false, false},
    [ISSUE_CERTIFICATES] = {"certificates", "FILE",
                            "where both and the CA's go, in JSON, as devid "
                            "install takes them",
                            false, false},
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
        code = offline_drive(x);
    } else {
        code = fail("%s is not what devid activate writes", path);
    }
    free(text);
    json_decref(body);
    OPENSSL_clear_free(data, len);
    return code;
}

/* The answer, as a server gives it. */
static enum exit_code write_answer(const struct args *args,
                                   const struct exchange *x)
{
    const char *path = args_text(args, ISSUE_CERTIFICATES);
    struct output out;
    char *text;
    enum exit_code code;

    if (!path)
        return EXIT_DONE;
    code = output_open(&out, path, args_flag(args, ROW_FORCE));
    if (code != EXIT_DONE)
        return code;
    text = json_dumps(x->answer, JSON_INDENT(1));
    if (!text)
        die_no_memory();
    code = output_write(&out, text, strlen(text));
    output_close(&out);
    free(text);
    return code;
}

static enum exit_code write_all(const struct args *args,
                                const struct exchange *x)
{
    const struct ledger_unit *unit = &x->job.unit;
    enum exit_code code = write_cert(args, ISSUE_IDEVID, &unit->idevid_cert);

    if (code == EXIT_DONE)
        code = write_cert(args, ISSUE_IAK, &unit->iak_cert);
    return code == EXIT_DONE ? write_answer(args, x) : code;
}

/* The unit in the exchange has its certificates then, and an answer. */
static enum exit_code issue(const struct args *args, struct exchange *x)
{
    const char *serial = args_text(args, ISSUE_SERIAL);
    const char *answer = args_text(args, ISSUE_ANSWER);
    struct ledger_unit *unit = &x->job.unit;
    enum exit_code code = offline_find(x->context, serial, unit);

    if (code != EXIT_DONE)
        return code;
    if (!answer && unit->attested)
        return fail("the unit %s has a TPM: its answer to the challenge is "
                    "wanted, by --answer",
                    serial);
    /* The station was stopped between the two that import does. */
    if (!unit->attested && unit->idevid_cert.len == 0)
        return fail("the unit %s has no certificate yet: give its request to "
                    "devid-station import again",
                    serial);
    if (!answer) {
        (void)exchange_answer_issued(x);
        return x->answer ? EXIT_DONE : fail("out of memory");
    }
    snprintf(x->unit_id, sizeof(x->unit_id), "%s", unit->id);
    ledger_unit_clear(unit);
    return post_answer(x, answer);
}

static enum exit_code run_issue(const struct args *args)
{
    struct context context;
    struct exchange x = {.context = &context};
    enum exit_code code;

    if (!args_text(args, ISSUE_IDEVID) && !args_text(args, ISSUE_CERTIFICATES))
        return wrong_use("issue", "--idevid FILE or --certificates FILE is "
                                  "wanted: where they go");
    code = context_open(args, &context);
    if (code != EXIT_DONE)
        return code;
    code = issue(args, &x);
    if (code == EXIT_DONE)
        code = write_all(args, &x);
    exchange_clear(&x);
    context_close(&context);
    return code;
}

const struct command issue_command = {
    .name = "issue",
    .operands = "",
    .help = "take the answer, and write the unit's certificates",
    .example = "  devid-station issue --dir line --serial 4711 --answer "
               "unit.answer \\\n      --certificates unit.json\n",
    .options = issue_options,
    .common = TAKES(ROW_FORCE) | TAKES(ROW_DIR),
    .run = run_issue,
};
