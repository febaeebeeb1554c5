/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>

#include "commands.h"
#include "input.h"
#include "message.h"
#include "open.h"
#include "output.h"
#include "steps.h"

enum {
    CHALLENGE,
    EK
};

static const struct option_row options[] = {
    [CHALLENGE] = {"challenge", "FILE",
                   "the station's challenge, as tpm2_makecredential writes it",
                   true, false},
    [EK] = {"ek", "EK",
            "which endorsement key it was made for: its algorithm, or its "
            "handle, such as 0x81010001; the default is the first that has a "
            "certificate",
            false, false},
    {0},
};

static enum exit_code answer_challenge(const struct args *args,
                                       struct devid *engine,
                                       const struct devid_activation *challenge,
                                       const struct output *out)
{
    const struct devid_identity_spec spec = {.ek = args_text(args, EK)};
    struct devid_identity *identity = NULL;
    struct devid_field answer = {0};
    struct devid_error err;
    enum devid_err e = devid_identity_open(engine, &spec, &identity, &err);
    enum exit_code code;

    if (e == DEVID_OK)
        e = devid_identity_activate(identity, challenge, &answer, &err);
    code = e == DEVID_OK ? output_write(out, answer.data, answer.len)
                         : fail_engine(&err);
    devid_field_free(&answer);
    devid_identity_free(&identity);
    return code;
}

static enum exit_code run(const struct args *args)
{
    const char *path = args_text(args, CHALLENGE);
    struct devid_activation challenge = {0};
    struct devid *engine = NULL;
    struct output out;
    char *file = NULL;
    size_t len = 0;
    enum exit_code code =
        output_open(&out, args_text(args, ROW_OUT), args_flag(args, ROW_FORCE));

    if (code != EXIT_DONE)
        return code;
    code = input_read(path, &file, &len);
    if (code == EXIT_DONE &&
        !step_challenge_parse((const uint8_t *)file, len, &challenge))
        code = fail("%s is no challenge: it must be a credential blob as "
                    "tpm2_makecredential writes it, and whole",
                    path);
    if (code == EXIT_DONE)
        code = engine_open(args, NULL, &engine);
    if (code == EXIT_DONE)
        code = answer_challenge(args, engine, &challenge, &out);
    OPENSSL_clear_free(file, len);
    devid_free(&engine);
    output_close(&out);
    return code;
}

const struct command activate_command = {
    .name = "activate",
    .operands = "",
    .help = "answer a station's challenge, which only this TPM can",
    .example =
        "  devid activate --challenge unit.challenge --out unit.answer\n",
    .options = options,
    .common = TAKES(ROW_TCTI) | TAKES(ROW_ENDORSEMENT_AUTH_SOURCE) |
              TAKES(ROW_OUT) | TAKES(ROW_FORCE),
    .run = run,
};
