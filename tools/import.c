/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "input.h"
#include "message.h"
#include "open.h"
#include "output.h"
#include "secret_input.h"
#include "signer.h"

enum {
    IN,
    PASSPHRASE,
    PARENT,
    DECRYPT,
    DICTIONARY_ATTACK,
    LABEL
};

static const struct option_row options[] = {
    [IN] = {"in", "FILE", "the software key, in PEM", true, false},
    [PASSPHRASE] = {"passphrase-source", "SOURCE",
                    "where the passphrase of that file is: file:PATH, env:NAME "
                    "or prompt",
                    false, false},
    [PARENT] = {"parent", "PARENT",
                "what the key is imported under: a persistent handle, owner, "
                "endorsement, platform or null; the default is 0x81000001 "
                "where it exists, else owner",
                false, false},
    [DECRYPT] = {"decrypt", NULL, "RSA: let the key decrypt as well", false,
                 false},
    [DICTIONARY_ATTACK] = {"dictionary-attack", NULL,
                           "let wrong authorisations of this key count "
                           "towards the TPM's lockout",
                           false, false},
    [LABEL] = {"label", "NAME",
               "on a token: the key's label there; the default is devid", false,
               false},
    {0},
};

static enum exit_code read_software(const struct args *args, EVP_PKEY **pkey)
{
    const char *path = args_text(args, IN);
    char *text = NULL;
    size_t len = 0;
    enum exit_code code = input_read_key(path, &text, &len);

    if (code == EXIT_DONE)
        code = signer_read_software(
            "passphrase-source", args_text(args, PASSPHRASE), path, text, pkey);
    input_free_key(&text);
    return code;
}

static enum exit_code import_key(const struct args *args, struct devid *engine,
                                 const EVP_PKEY *pkey,
                                 const struct secret *auth,
                                 const struct output *out)
{
    const struct devid_key_spec spec = {
        .device = args_text(args, ROW_DEVICE),
        .parent = args_text(args, PARENT),
        .label = args_text(args, LABEL),
        .decrypt = args_flag(args, DECRYPT),
        .dictionary_attack_protected = args_flag(args, DICTIONARY_ATTACK),
        .auth = auth->data,
        .auth_len = auth->len,
    };
    struct devid_key_info info;
    struct devid_key *key = NULL;
    struct devid_error err;
    enum exit_code code;

    if (devid_key_import(engine, &spec, pkey, &key, &err))
        return fail_engine(&err);
    code = output_write_key(out, key);
    devid_key_info(key, &info);
    if (code != EXIT_DONE && *info.uri && devid_delete(engine, info.uri, &err))
        fail("the imported key could not be removed again: %s", err.text);
    devid_key_free(&key);
    return code;
}

static enum exit_code run(const struct args *args)
{
    const char *auth_source = args_text(args, ROW_AUTH_SOURCE);
    struct devid *engine = NULL;
    struct secret auth = {0};
    EVP_PKEY *pkey = NULL;
    struct output out;
    enum exit_code code =
        output_open(&out, args_text(args, ROW_OUT), args_flag(args, ROW_FORCE));

    if (code != EXIT_DONE)
        return code;
    code = read_software(args, &pkey);
    if (code == EXIT_DONE && auth_source &&
        !is_token_uri(args_text(args, ROW_DEVICE)))
        code = secret_read(&auth, "auth-source", auth_source,
                           "key's authorisation value in the TPM", true);
    if (code == EXIT_DONE)
        code = engine_open_to_write(args, args_text(args, ROW_DEVICE), &engine);
    if (code == EXIT_DONE)
        code = import_key(args, engine, pkey, &auth, &out);
    secret_wipe(&auth);
    EVP_PKEY_free(pkey);
    devid_free(&engine);
    output_close(&out);
    return code;
}

const struct command import_command = {
    .name = "import",
    .operands = "",
    .help = "bring a software key into a device",
    .example = "  devid import --in old.key --out key.pem\n"
               "  devid import --in old.key --device pkcs11:token=factory "
               "--label old --out key.pem\n",
    .options = options,
    .common = TAKES(ROW_DEVICE) | TAKES(ROW_TCTI) | TAKES(ROW_MODULE) |
              TAKES(ROW_AUTH_SOURCE) | TAKES(ROW_PARENT_AUTH_SOURCE) |
              TAKES(ROW_OUT) | TAKES(ROW_FORCE),
    .run = run,
};
