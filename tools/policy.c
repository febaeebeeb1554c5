/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "commands.h"
#include "message.h"
#include "open.h"
#include "output.h"
#include "signer.h"

enum {
    PCR,
    KEY,
    IN,
    NAME
};

static const struct option_row sign_options[] = {
    [PCR] = {"pcr", "PCRS",
             "the PCRs of the TPM, such as sha256:0,7: the key may be used "
             "while they have their values of now, or those with the digest "
             "behind =",
             true, false},
    [KEY] = {"key", "KEY",
             "the private key that signs: a PEM file of OpenSSL's, or the file "
             "or URI of a key in a device",
             true, false},
    [IN] = {"in", "FILE", "the key file that is to have the policy", true,
            false},
    [NAME] = {"name", "TEXT",
              "the policy's name, for people; replaces the key's signed "
              "policy of that name",
              false, false},
    {0},
};

static enum exit_code sign_policy(const struct args *args,
                                  struct signer *signer,
                                  const struct devid_key *key,
                                  const struct output *out)
{
    const struct devid_policy_spec spec = {
        .pcrs = args_text(args, PCR),
        .name = args_text(args, NAME),
        .signer = &signer->pub,
        .sign = signer_sign,
        .arg = signer,
    };
    struct devid_key *with = NULL;
    struct devid_error err;
    enum exit_code code;

    if (devid_key_add_policy(key, &spec, &with, &err))
        return fail_engine(&err);
    code = output_write_key(out, with);
    devid_key_free(&with);
    return code;
}

static enum exit_code run_sign(const struct args *args)
{
    const char *in = args_text(args, IN);
    const char *path = args_text(args, ROW_OUT);
    /* What was in the file stays in it, so that it is not lost. */
    bool force = args_flag(args, ROW_FORCE) || strcmp(in, path) == 0;
    struct devid *engine = NULL;
    struct devid_key *key = NULL;
    struct signer signer = {0};
    struct devid_error err;
    struct output out;
    enum exit_code code = output_open(&out, path, force);

    if (code != EXIT_DONE)
        return code;
    code = engine_open(args, NULL, &engine);
    if (code == EXIT_DONE && devid_key_open(engine, in, &key, &err))
        code = fail_engine(&err);
    if (code == EXIT_DONE)
        code = signer_open(args, args_text(args, KEY), &signer);
    if (code == EXIT_DONE)
        code = sign_policy(args, &signer, key, &out);
    signer_close(&signer);
    devid_key_free(&key);
    devid_free(&engine);
    output_close(&out);
    return code;
}

static const struct command sign_action = {
    .name = "policy sign",
    .operands = "",
    .help = "add a boot state, signed, to those that a key obeys",
    .example = "  devid policy sign --pcr sha256:0,7 --key signer.pem "
               "--in key.pem --out key.pem\n"
               "  devid policy sign --pcr sha256:0,7=$(sha256sum <pcrs.bin | "
               "cut -c 1-64) \\\n"
               "      --name 'firmware 2.1' --key signer.pem --in key.pem "
               "--out key.pem\n",
    .options = sign_options,
    .common = TAKES(ROW_TCTI) | TAKES(ROW_MODULE) | TAKES(ROW_AUTH_SOURCE) |
              TAKES(ROW_OUT) | TAKES(ROW_FORCE),
    .run = run_sign,
};

static const struct command *const actions[] = {&sign_action, NULL};

const struct command policy_command = {
    .name = "policy",
    .operands = "",
    .help = "sign what a key obeys: the boot states in which it may be used",
    .example = "  devid policy sign --pcr sha256:0,7 --key signer.pem "
               "--in key.pem --out key.pem\n",
    .actions = actions,
};
