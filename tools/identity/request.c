/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "line.h"
#include "message.h"
#include "open.h"
#include "output.h"
#include "steps.h"

enum {
    SERIAL,
    MODEL,
    ALGORITHM,
    EK,
    JSON,
    MAC,
    OPERATOR,
    NEW_OWNER
};

static const struct option_row options[] = {
    [SERIAL] = {"serial", "TEXT", "the product's serial number", true, false},
    [MODEL] = {"model", "TEXT", "the product's model", true, false},
    [ALGORITHM] = {"algorithm", "NAME",
                   "of the IAK and the IDevID: ec-p256 (the default), ec-p384, "
                   "ec-p521, rsa-2048, rsa-3072 or rsa-4096",
                   false, false},
    [EK] = {"ek", "EK",
            "which endorsement key: its algorithm, or its handle, such as "
            "0x81010001; the default is the first that has a certificate",
            false, false},
    [JSON] = {"json", NULL,
              "write all that a station is told by devid provision: the "
              "request, and what it has no room for",
              false, false},
    [MAC] = {"mac", "ADDRESS", "with --json: a MAC address, for the record",
             false, false},
    [OPERATOR] = {"operator", "NAME",
                  "with --json: who is at the line, for the record", false,
                  false},
    [NEW_OWNER] = {"new-owner", NULL,
                   "with --json: enrol a unit that was retired anew", false,
                   false},
    {0},
};

static enum exit_code write_json(const struct args *args,
                                 const struct step_request *request,
                                 const struct output *out)
{
    const struct line_enrolment enrolment = {
        .serial = args_text(args, SERIAL),
        .model = args_text(args, MODEL),
        .mac = args_text(args, MAC),
        .operator_name = args_text(args, OPERATOR),
        .new_owner = args_flag(args, NEW_OWNER),
        .request = request,
    };
    json_t *body = line_enrolment_body(&enrolment);
    char *text = json_dumps(body, JSON_INDENT(1));
    enum exit_code code;

    if (text == NULL)
        die_no_memory();
    code = output_write(out, text, strlen(text));
    free(text);
    json_decref(body);
    return code;
}

/* The TCG's request has no room for either. */
static void say_what_is_missing(const struct devid_identity_request *fields)
{
    if (fields->ekCert.index == 0)
        note("with --json the endorsement key itself goes along, for a station "
             "that has it on its ek_list");
    else if (fields->ek_chain_count > 0)
        note("the TPM holds the issuers of its endorsement key's certificate, "
             "too: with --json they go along");
}

static enum exit_code make_request(const struct args *args,
                                   struct devid_identity *identity,
                                   const struct output *out)
{
    struct step_request request = {0};
    struct devid_error err;
    enum exit_code code;

    if (step_request(identity, args_text(args, SERIAL), args_text(args, MODEL),
                     &request, &err)) {
        code = fail_engine(&err);
    } else if (args_flag(args, JSON)) {
        code = write_json(args, &request, out);
    } else {
        say_what_is_missing(&request.fields);
        code = output_write(out, request.der, request.len);
    }
    step_request_clear(&request);
    return code;
}

static enum exit_code run(const struct args *args)
{
    const struct devid_identity_spec spec = {
        .algorithm = args_text(args, ALGORITHM),
        .ek = args_text(args, EK),
    };
    struct devid *engine = NULL;
    struct devid_identity *identity = NULL;
    struct devid_error err;
    struct output out;
    enum exit_code code;

    if (!args_flag(args, JSON) &&
        (args_text(args, MAC) != NULL || args_text(args, OPERATOR) != NULL ||
         args_flag(args, NEW_OWNER)))
        return wrong_use("request", "--mac, --operator and --new-owner want "
                                    "--json: the TCG's request has no room for "
                                    "them");
    code =
        output_open(&out, args_text(args, ROW_OUT), args_flag(args, ROW_FORCE));
    if (code != EXIT_DONE)
        return code;
    code = engine_open(args, NULL, &engine);
    if (code == EXIT_DONE &&
        devid_identity_open(engine, &spec, &identity, &err))
        code = fail_engine(&err);
    if (code == EXIT_DONE)
        code = make_request(args, identity, &out);
    devid_identity_free(&identity);
    devid_free(&engine);
    output_close(&out);
    return code;
}

const struct command request_command = {
    .name = "request",
    .operands = "",
    .help = "ask a station for certificates of the device's TCG identity",
    .example = "  devid request --serial 4711 --model Gate --json --out "
               "unit.json\n",
    .options = options,
    .common = TAKES(ROW_TCTI) | TAKES(ROW_OWNER_AUTH_SOURCE) |
              TAKES(ROW_ENDORSEMENT_AUTH_SOURCE) | TAKES(ROW_OUT) |
              TAKES(ROW_FORCE),
    .run = run,
};
