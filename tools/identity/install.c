/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <string.h>

#include "commands.h"
#include "exits.h"
#include "identity.h"
#include "input.h"
#include "keep.h"
#include "message.h"
#include "open.h"
#include "report.h"
#include "steps.h"

enum {
    IN,
    SERIAL,
    KEY,
    DIR,
    NV,
    NEW_OWNER
};

static const struct option_row options[] = {
    [IN] = {"in", "FILE",
            "the certificates: what the station answered, in JSON, or all in "
            "one file in PEM",
            true, false},
    [SERIAL] = {"serial", "TEXT",
                "the product's serial number, which they must have", false,
                false},
    [KEY] = {"key", "KEY",
             "without a TPM: the token's key, its file or its URI", false,
             false},
    [DIR] = {"dir", "DIRECTORY",
             "the folder of the identity; the default is " KEEP_FOLDER, false,
             false},
    [NV] = {"nv", "MODE",
            "required, the default, or optional: where the TPM has no room "
            "for the certificates they stay on disk alone",
            false, false},
    [NEW_OWNER] = {"new-owner", NULL,
                   "replace certificates of this device's keys that another "
                   "station gave",
                   false, false},
    {0},
};

struct install {
    const struct args *args;
    struct keep_spec keep;
    struct devid *engine;
    struct devid_key *idevid;
    struct devid_key *iak; /* NULL: a device without a TPM */
    struct certificates certificates;
    json_t *unit; /* what is known of it */
};

static enum exit_code read_options(struct install *in)
{
    const char *nv = args_text(in->args, NV);
    const char *dir = args_text(in->args, DIR);

    in->keep.folder = dir != NULL ? dir : KEEP_FOLDER;
    in->keep.replace_ours = args_flag(in->args, NEW_OWNER);
    in->keep.nv_optional = nv != NULL && strcmp(nv, "optional") == 0;
    if (nv != NULL && !in->keep.nv_optional && strcmp(nv, "required") != 0)
        return wrong_use("install", "--nv is required or optional, not '%s'",
                         nv);
    return EXIT_DONE;
}

static enum exit_code open_keys(struct install *in)
{
    const char *token = args_text(in->args, KEY);
    struct devid_error err;
    enum exit_code code;
    enum devid_err e;

    if (token != NULL)
        return engine_open_key(in->args, token, &in->engine, &in->idevid);
    code = engine_open(in->args, NULL, &in->engine);
    if (code != EXIT_DONE)
        return code;
    e = devid_key_from_uri(in->engine, DEVID_IDEVID_URI, &in->idevid, &err);
    if (e == DEVID_OK)
        e = devid_key_from_uri(in->engine, DEVID_IAK_URI, &in->iak, &err);
    return e == DEVID_OK ? EXIT_DONE : step_fail(e, &err);
}

/* What the file says of the unit is kept, where it says it. */
static void describe_unit(struct install *in, const json_t *answer)
{
    in->unit = report_new();
    report_text(in->unit, "unit", report_get(answer, "unit"));
    report_text(in->unit, "serial", args_text(in->args, SERIAL));
}

static enum exit_code read_certificates(struct install *in,
                                        const struct certificates_owner *owner)
{
    const char *path = args_text(in->args, IN);
    json_t *answer = NULL;
    char *text = NULL;
    size_t len = 0;
    enum exit_code code = input_read(path, &text, &len);

    if (code != EXIT_DONE)
        return code;
    answer = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    describe_unit(in, answer);
    if (json_is_object(answer))
        code = certificates_from_json(path, answer, &in->certificates);
    else
        code = certificates_from_pem(path, text, owner, &in->certificates);
    json_decref(answer);
    OPENSSL_clear_free(text, len);
    return code == EXIT_DONE ? certificates_check(&in->certificates, owner)
                             : code;
}

static enum exit_code install(struct install *in)
{
    struct certificates_owner owner = {0};
    enum exit_code code = open_keys(in);
    bool changed = false;
    bool in_nv = false;

    if (code != EXIT_DONE)
        return code;
    owner.idevid = devid_key_public(in->idevid);
    owner.iak = in->iak != NULL ? devid_key_public(in->iak) : NULL;
    owner.serial = args_text(in->args, SERIAL);
    code = read_certificates(in, &owner);
    if (code != EXIT_DONE)
        return code;
    if (in->iak != NULL)
        code = keep_in_nv(in->engine, &in->keep, &in->certificates, &owner,
                          &in_nv);
    else
        code = keep_on_token(in->engine, in->idevid, &in->keep,
                             in->certificates.idevid);
    if (code == EXIT_DONE)
        code = keep_on_disk(in->idevid, &in->keep, &in->certificates, in->unit,
                            &changed);
    return code;
}

static enum exit_code run(const struct args *args)
{
    struct install in = {.args = args};
    enum exit_code code = read_options(&in);

    if (code == EXIT_DONE)
        code = install(&in);
    certificates_clear(&in.certificates);
    json_decref(in.unit);
    devid_key_free(&in.idevid);
    devid_key_free(&in.iak);
    devid_free(&in.engine);
    return code;
}

const struct command install_command = {
    .name = "install",
    .operands = "",
    .help = "keep the certificates that a station gave the device",
    .example = "  devid install --in certificates.json --serial SN123\n",
    .options = options,
    .common = TAKES(ROW_TCTI) | TAKES(ROW_MODULE) | TAKES(ROW_AUTH_SOURCE) |
              TAKES(ROW_OWNER_AUTH_SOURCE),
    .exits = install_exits,
    .run = run,
};
