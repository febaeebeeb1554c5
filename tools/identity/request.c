/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "message.h"
#include "open.h"
#include "output.h"
#include "steps.h"

enum {
    SERIAL,
    MODEL,
    ALGORITHM,
    EK
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
    {0},
};

static enum exit_code make_request(const struct args *args,
                                   struct devid_identity *identity,
                                   const struct output *out)
{
    struct step_request request = {0};
    struct devid_error err;
    enum exit_code code;

    if (step_request(identity, args_text(args, SERIAL), args_text(args, MODEL),
                     &request, &err))
        code = fail_engine(&err);
    else
        code = output_write(out, request.der, request.len);
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
    enum exit_code code =
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
    .example = "  devid request --serial 4711 --model Gate --out unit.req\n",
    .options = options,
    .common = TAKES(ROW_TCTI) | TAKES(ROW_OWNER_AUTH_SOURCE) |
              TAKES(ROW_ENDORSEMENT_AUTH_SOURCE) | TAKES(ROW_OUT) |
              TAKES(ROW_FORCE),
    .run = run,
};
