/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "commands.h"
#include "describe.h"
#include "message.h"
#include "open.h"
#include "output.h"
#include "secret_input.h"
#include "signer.h"

enum {
    ALGORITHM,
    PARENT,
    PERSIST,
    DECRYPT,
    DICTIONARY_ATTACK,
    PCR,
    POLICY_AUTHORIZE,
    LABEL,
    ALLOW_EXTRACTABLE,
    HASH
};

static const struct option_row options[] = {
    [ALGORITHM] = {"algorithm", "NAME",
                   "ec-p256 (the default), ec-p384, ec-p521, rsa-2048, "
                   "rsa-3072, rsa-4096, rsa-pss-2048, rsa-pss-3072, "
                   "rsa-pss-4096 or ed25519, as far as the device has them",
                   false, false},
    [PARENT] = {"parent", "PARENT",
                "what the key is made under: a persistent handle, owner, "
                "endorsement, platform or null; the default is 0x81000001 "
                "where it exists, else owner",
                false, false},
    [PERSIST] = {"persist", "HANDLE",
                 "keep the key in the TPM, at this persistent handle, such as "
                 "0x81000010; the file is a reference to it",
                 false, false},
    [DECRYPT] = {"decrypt", NULL,
                 "let the key decrypt (RSA) or agree on secrets (EC) as well",
                 false, false},
    [DICTIONARY_ATTACK] = {"dictionary-attack", NULL,
                           "let wrong authorisations of this key count "
                           "towards the TPM's lockout",
                           false, false},
    [PCR] =
        {"pcr", "PCRS",
         "let it sign only while these PCRs of the TPM have their values of "
         "now, such as sha256:0,7; behind = may stand the digest of others",
         false, false},
    [POLICY_AUTHORIZE] =
        {"policy-authorize", "FILE",
         "let it sign only as policies say that the owner of this public key "
         "signs (devid policy sign): so it survives an update of firmware",
         false, false},
    [LABEL] = {"label", "NAME",
               "on a token: the key's label there; the default is devid", false,
               false},
    [ALLOW_EXTRACTABLE] = {"allow-extractable", NULL,
                           "on a token: keep the key even where the token "
                           "says that it may leave it",
                           false, false},
    [HASH] = {"hash", "NAME",
              "RSA-PSS: the hash that the key is bound to, SHA256 (the "
              "default), SHA384 or SHA512",
              false, false},
    {0},
};

/* Write the key's file; nothing stays in the device where that fails. */
static enum exit_code write_key_file(struct devid *engine,
                                     const struct devid_key *key,
                                     const struct output *out)
{
    struct devid_key_info info;
    struct devid_error err;
    enum exit_code code = output_write_key(out, key);

    if (code == EXIT_DONE)
        return code;
    devid_key_info(key, &info);
    if (*info.uri && devid_delete(engine, info.uri, &err))
        fail("the new key could not be removed again: %s", err.text);
    return code;
}

static void print_key(const char *path, const struct devid_key *key)
{
    json_t *report = report_new();

    report_text(report, "type", "key");
    report_text(report, "source", path);
    describe_key(report, key);
    report_print_json(report);
    json_decref(report);
}

static enum exit_code make_key(const struct args *args, struct devid *engine,
                               const struct secret *auth,
                               const struct output *out)
{
    const char *signer_path = args_text(args, POLICY_AUTHORIZE);
    struct devid_public signer;
    const char *algorithm = args_text(args, ALGORITHM);
    const struct devid_key_spec spec = {
        .device = args_text(args, ROW_DEVICE),
        .algorithm = algorithm ? algorithm : "ec-p256",
        .parent = args_text(args, PARENT),
        .persist = args_text(args, PERSIST),
        .label = args_text(args, LABEL),
        .hash = args_text(args, HASH),
        .decrypt = args_flag(args, DECRYPT),
        .dictionary_attack_protected = args_flag(args, DICTIONARY_ATTACK),
        .allow_extractable = args_flag(args, ALLOW_EXTRACTABLE),
        .pcrs = args_text(args, PCR),
        .policy_signer = signer_path ? &signer : NULL,
        .auth = auth->data,
        .auth_len = auth->len,
    };
    struct devid_key *key = NULL;
    struct devid_error err;
    enum exit_code code;

    if (signer_path && signer_public(signer_path, &signer) != EXIT_DONE)
        return EXIT_FAILED;
    if (devid_key_create(engine, &spec, &key, &err))
        return fail_engine(&err);
    code = write_key_file(engine, key, out);
    if (code == EXIT_DONE && args_flag(args, ROW_JSON))
        print_key(out->path, key);
    devid_key_free(&key);
    return code;
}

static enum exit_code run(const struct args *args)
{
    const char *path = args_text(args, ROW_OUT);
    const char *auth_source = args_text(args, ROW_AUTH_SOURCE);
    struct devid *engine = NULL;
    struct secret auth = {0};
    struct output out;
    enum exit_code code;

    if (args_flag(args, ROW_JSON) && strcmp(path, "-") == 0)
        return wrong_use("keygen", "--json and --out - would both write to "
                                   "standard output");
    code = output_open(&out, path, args_flag(args, ROW_FORCE));
    if (code != EXIT_DONE)
        return code;
    if (auth_source && !is_token_uri(args_text(args, ROW_DEVICE)))
        code = secret_read(&auth, "auth-source", auth_source,
                           "new key's authorisation value", true);
    if (code == EXIT_DONE)
        code = engine_open_to_write(args, args_text(args, ROW_DEVICE), &engine);
    if (code == EXIT_DONE)
        code = make_key(args, engine, &auth, &out);
    secret_wipe(&auth);
    devid_free(&engine);
    output_close(&out);
    return code;
}

const struct command keygen_command = {
    .name = "keygen",
    .operands = "",
    .help = "make a key in the device and write its key file",
    .example = "  devid keygen --out key.pem\n"
               "  devid keygen --algorithm rsa-2048 --persist 0x81000010 "
               "--out key.pem\n"
               "  devid keygen --pcr sha256:0,7 --out key.pem\n"
               "  devid keygen --device pkcs11:token=factory --label unit "
               "--out key.pem\n"
               "  devid keygen --algorithm rsa-pss-2048 --out key.pem\n",
    .options = options,
    .common = TAKES(ROW_DEVICE) | TAKES(ROW_TCTI) | TAKES(ROW_MODULE) |
              TAKES(ROW_AUTH_SOURCE) | TAKES(ROW_PARENT_AUTH_SOURCE) |
              TAKES(ROW_OWNER_AUTH_SOURCE) | TAKES(ROW_OUT) | TAKES(ROW_FORCE) |
              TAKES(ROW_JSON),
    .run = run,
};
