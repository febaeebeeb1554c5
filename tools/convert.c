/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <string.h>

#include "commands.h"
#include "input.h"
#include "message.h"
#include "open.h"
#include "output.h"

enum {
    IN,
    PUBLIC,
    PRIVATE,
    PARENT,
    POLICY,
    WITH_AUTH
};

static const struct option_row options[] = {
    [IN] = {"in", "THING",
            "a persistent handle, as tpm2:handle=0x81... or as the file that "
            "tpm2_readpublic -t writes; or an importable TSS2 PRIVATE KEY",
            false, false},
    [PUBLIC] = {"public", "FILE", "what tpm2_create -u wrote", false, false},
    [PRIVATE] = {"private", "FILE", "what tpm2_create -r wrote", false, false},
    [PARENT] = {"parent", "PARENT",
                "what the key was made under: a persistent handle, owner, "
                "endorsement, platform or null; the default is 0x81000001 "
                "where it exists, else owner",
                false, false},
    [POLICY] = {"policy", "FILE",
                "the policy that the key was made with: TPM commands in hex, "
                "one a line",
                false, false},
    [WITH_AUTH] = {"with-auth", NULL,
                   "the key was made with an authorisation value", false,
                   false},
    {0},
};

/* Files that are read whole; NULL where they were not named. */
struct files {
    char *in;
    size_t in_len;
    char *private_part;
    size_t private_len;
    char *policy;
    size_t policy_len;
};

static enum exit_code read_one(const char *path, char **data, size_t *len)
{
    return path ? input_read(path, data, len) : EXIT_DONE;
}

static enum exit_code read_files(const struct args *args, struct files *files)
{
    const char *in = args_text(args, IN);
    enum exit_code code =
        read_one(in ? in : args_text(args, PUBLIC), &files->in, &files->in_len);

    if (code == EXIT_DONE)
        code = read_one(args_text(args, PRIVATE), &files->private_part,
                        &files->private_len);
    if (code == EXIT_DONE)
        code = read_one(args_text(args, POLICY), &files->policy,
                        &files->policy_len);
    return code;
}

static void clear_files(struct files *files)
{
    OPENSSL_clear_free(files->in, files->in_len);
    OPENSSL_clear_free(files->private_part, files->private_len);
    OPENSSL_clear_free(files->policy, files->policy_len);
}

static enum exit_code convert(const struct args *args, struct devid *engine,
                              struct devid_key **key)
{
    const char *in = args_text(args, IN);
    struct files files = {0};
    struct devid_error err;
    enum exit_code code;

    if (in && devid_is_uri(in))
        return devid_key_from_uri(engine, in, key, &err) ? fail_engine(&err)
                                                         : EXIT_DONE;
    code = read_files(args, &files);
    if (code == EXIT_DONE) {
        const struct devid_convert_spec spec = {
            .data = (const uint8_t *)files.in,
            .len = files.in_len,
            .tpm_private = (const uint8_t *)files.private_part,
            .tpm_private_len = files.private_len,
            .parent = args_text(args, PARENT),
            .policy = files.policy,
            .has_auth = args_flag(args, WITH_AUTH),
        };
        if (devid_key_convert(engine, &spec, key, &err))
            code = fail_engine(&err);
    }
    clear_files(&files);
    return code;
}

/* Either --in, or --public and --private with what belongs to them. */
static enum exit_code check_options(const struct args *args)
{
    bool in = args_flag(args, IN);

    if (in == args_flag(args, PUBLIC) ||
        args_flag(args, PUBLIC) != args_flag(args, PRIVATE))
        return wrong_use("convert", "give --in, or --public and --private");
    if (in && (args_flag(args, POLICY) || args_flag(args, WITH_AUTH)))
        return wrong_use("convert", "--policy and --with-auth go with "
                                    "--public and --private");
    return EXIT_DONE;
}

static enum exit_code run(const struct args *args)
{
    struct devid *engine = NULL;
    struct devid_key *key = NULL;
    struct output out = {.directory = -1};
    enum exit_code code = check_options(args);

    if (code == EXIT_DONE)
        code = output_open(&out, args_text(args, ROW_OUT),
                           args_flag(args, ROW_FORCE));
    if (code != EXIT_DONE)
        return code;
    code = engine_open(args, NULL, &engine);
    if (code == EXIT_DONE)
        code = convert(args, engine, &key);
    if (code == EXIT_DONE)
        code = output_write_key(&out, key);
    devid_key_free(&key);
    devid_free(&engine);
    output_close(&out);
    return code;
}

const struct command convert_command = {
    .name = "convert",
    .operands = "",
    .help = "make a key file of a TPM key that another program has",
    .example =
        "  devid convert --public key.pub --private key.priv --out key.pem\n"
        "  devid convert --in tpm2:handle=0x81000010 --out key.pem\n",
    .options = options,
    .common = TAKES(ROW_TCTI) | TAKES(ROW_PARENT_AUTH_SOURCE) | TAKES(ROW_OUT) |
              TAKES(ROW_FORCE),
    .run = run,
};
