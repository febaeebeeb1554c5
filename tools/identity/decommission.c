/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "commands.h"
#include "decommission_objects.h"
#include "exits.h"
#include "folder.h"
#include "handshake.h"
#include "keep.h"
#include "line.h"
#include "message.h"
#include "open.h"
#include "progress.h"
#include "report.h"
#include "token_key.h"
#include "where.h"

enum {
    STATION,
    CA,
    FINGERPRINT,
    REASON,
    OFFLINE,
    CLEAR,
    DIR,
    TIMEOUT,
    LOCKOUT_AUTH_SOURCE
};

static const struct option_row options[] = {
    [STATION] = {"station", "URL",
                 "the station, https://HOST:PORT; the default is the one that "
                 "gave the identity",
                 false, false},
    [CA] = {"ca", "FILE",
            "certificates in PEM that vouch for the station; the default is "
            "what OpenSSL trusts",
            false, false},
    [FINGERPRINT] = {"station-fingerprint", "HASH",
                     "the SHA-256 of the station's own TLS certificate, in "
                     "hex, in place of any CA",
                     false, false},
    [REASON] = {"reason", "WORD",
                "cessation, the default, compromise, affiliation, superseded "
                "or unspecified",
                false, false},
    [OFFLINE] = {"offline", NULL,
                 "without the station, whose record stays as it is", false,
                 false},
    [CLEAR] = {"clear", NULL,
               "clear the TPM at the end: all that its owner has in it is gone",
               false, false},
    [DIR] = {"dir", "DIRECTORY",
             "the folder of the identity; the default is " KEEP_FOLDER, false,
             false},
    [TIMEOUT] = {"timeout", "SECONDS",
                 "how long one request to the station is tried; the default is "
                 "60",
                 false, false},
    [LOCKOUT_AUTH_SOURCE] = {"lockout-auth-source", "SOURCE",
                             "where that of the lockout hierarchy is, for "
                             "--clear: file:PATH or env:NAME",
                             false, false},
    {0},
};

struct decommission {
    const struct args *args;
    struct progress progress;
    struct objects objects;
    const char *folder;
    json_t *unit; /* what the folder says of it; NULL: nothing */
    struct where where;
    struct devid *engine;
    char refusal[HTTP_CODE_SIZE];
};

/* What only a TPM has. */
static enum exit_code check_device(const struct decommission *d)
{
    if (!d->objects.on_token)
        return EXIT_DONE;
    if (args_flag(d->args, CLEAR) || args_flag(d->args, LOCKOUT_AUTH_SOURCE))
        return wrong_use("decommission",
                         "--clear and --lockout-auth-source are for a TPM; the "
                         "identity of %s is on a token",
                         d->folder);
    return token_check_pin(d->args);
}

static enum exit_code read_command_line(struct decommission *d)
{
    const char *dir = args_text(d->args, DIR);
    enum exit_code code;
    struct where_options where = {
        .url = args_text(d->args, STATION),
        .ca = args_text(d->args, CA),
        .fingerprint = args_text(d->args, FINGERPRINT),
        .timeout = args_text(d->args, TIMEOUT),
    };

    d->folder = dir != NULL ? dir : KEEP_FOLDER;
    d->unit = keep_read_unit(d->folder);
    code = objects_find_out(d->args, d->folder, &d->objects);
    if (code == EXIT_DONE)
        code = check_device(d);
    if (code != EXIT_DONE)
        return code;
    if (args_flag(d->args, OFFLINE) || d->unit == NULL)
        return EXIT_DONE;
    if (where.url == NULL)
        where.url = report_get(d->unit, "station");
    return where_read("decommission", &where, &d->where);
}

static enum exit_code open_engine(struct decommission *d)
{
    const char *lockout = args_text(d->args, LOCKOUT_AUTH_SOURCE);
    struct devid_error err;
    enum exit_code code = engine_open(d->args, d->objects.key, &d->engine);

    if (code == EXIT_DONE && lockout != NULL &&
        devid_set(d->engine, "lockout-auth-source", lockout, &err))
        code = fail_engine(&err);
    return code;
}

/* ---- at the station -------------------------------------------------------
 */

/*
 * The key goes after the station has been told: without it, it was. That of
 * another folder would have the station revoke what another key is used by.
 */
static enum exit_code look_for_key(struct decommission *d, bool *there)
{
    const struct objects *objects = &d->objects;
    struct devid_key *key = NULL;
    struct devid_error err;
    enum devid_err e = devid_key_from_uri(d->engine, objects->key, &key, &err);
    bool other = e == DEVID_OK && objects->has_folder &&
                 !devid_public_equal(devid_key_public(key), &objects->folders);

    devid_key_free(&key);
    *there = e == DEVID_OK;
    if (other)
        return fail("the folder %s is of another key than the device's "
                    "identity: --dir names another folder, --offline goes on "
                    "without the station",
                    d->folder);
    return e == DEVID_OK || e == DEVID_ERR_NOT_FOUND ? EXIT_DONE
                                                     : step_fail(e, &err);
}

static enum exit_code tell(struct decommission *d)
{
    const char *reason = args_text(d->args, REASON);
    struct handshake handshake;
    struct http *http = NULL;
    enum exit_code code = handshake_open(d->args, d->folder, &handshake);

    if (code == EXIT_DONE)
        code = http_open(&d->where.spec, &http);
    if (code == EXIT_DONE) {
        http_set_identity(http, &handshake.identity);
        code = line_retire(http, report_get(d->unit, "unit"),
                           reason != NULL ? reason : "cessation");
        (void)snprintf(d->refusal, sizeof(d->refusal), "%s",
                       http_refusal(http));
    }
    http_close(&http);
    handshake_close(&handshake);
    return code;
}

static enum exit_code retire(struct decommission *d)
{
    enum exit_code code;
    bool there = false;

    if (args_flag(d->args, OFFLINE))
        return EXIT_DONE;
    progress_step(&d->progress, "retire");
    code = look_for_key(d, &there);
    if (code != EXIT_DONE)
        return code;
    if (!there) {
        progress_done(&d->progress, "the key is gone: it was told before");
        return EXIT_DONE;
    }
    if (d->unit == NULL || *report_get(d->unit, "unit") == '\0')
        return fail("the folder %s does not say what the station calls this "
                    "unit, so it cannot be told: --dir names another folder, "
                    "--offline goes on without the station",
                    d->folder);
    devid_shutdown(); /* the device may admit one program at a time */
    code = tell(d);
    if (code == EXIT_DONE)
        progress_done(&d->progress, "the station has revoked its certificates");
    return code;
}

/* ---- in the device ---------------------------------------------------------
 */

static enum exit_code remove_all(struct decommission *d)
{
    struct devid_error err;

    progress_step(&d->progress, "device");
    for (size_t i = 0; i < d->objects.count; i++) {
        enum devid_err e = devid_delete(d->engine, d->objects.uris[i], &err);

        if (e != DEVID_OK && e != DEVID_ERR_NOT_FOUND)
            return step_fail(e, &err);
    }
    progress_done(&d->progress, "%s",
                  d->objects.on_token
                      ? "IDevID and its certificate are gone"
                      : "IDevID, IAK and their certificates are gone");
    return EXIT_DONE;
}

static enum exit_code clear(struct decommission *d)
{
    const struct devid_identity_spec spec = {0};
    struct devid_identity *identity = NULL;
    struct devid_error err;
    enum devid_err e;

    if (!args_flag(d->args, CLEAR))
        return EXIT_DONE;
    progress_step(&d->progress, "clear");
    e = devid_identity_open(d->engine, &spec, &identity, &err);
    if (e == DEVID_OK)
        e = devid_identity_clear(identity, &err);
    devid_identity_free(&identity);
    if (e != DEVID_OK)
        return step_fail(e, &err);
    progress_done(&d->progress, "the TPM is as its maker delivers it");
    return EXIT_DONE;
}

static enum exit_code remove_folder(struct decommission *d)
{
    enum exit_code code;

    progress_step(&d->progress, "disk");
    code = folder_remove(d->folder);
    if (code == EXIT_DONE)
        progress_done(&d->progress, "%s is gone", d->folder);
    return code;
}

/* TPM2_Clear takes all that the steps before it would need authorisation for.
 */
static enum exit_code decommission(struct decommission *d)
{
    enum exit_code code = open_engine(d);

    if (code == EXIT_DONE)
        code = retire(d);
    if (code == EXIT_DONE)
        code = args_flag(d->args, CLEAR) ? clear(d) : remove_all(d);
    if (code == EXIT_DONE)
        code = remove_folder(d);
    return code;
}

static enum exit_code run(const struct args *args)
{
    struct decommission d = {.args = args};
    enum exit_code code = read_command_line(&d);

    if (code == EXIT_DONE) {
        progress_start(&d.progress, args_flag(args, ROW_JSON));
        code = decommission(&d);
        code = progress_end(&d.progress, code, d.refusal, json_incref(d.unit));
    }
    json_decref(d.unit);
    devid_free(&d.engine);
    where_clear(&d.where);
    return code;
}

const struct command decommission_command = {
    .name = "decommission",
    .operands = "",
    .help = "end the device's identity, here and at its station",
    .example = "  devid decommission --ca line.pem\n",
    .options = options,
    .common = TAKES(ROW_DEVICE) | TAKES(ROW_TCTI) | TAKES(ROW_MODULE) |
              TAKES(ROW_AUTH_SOURCE) | TAKES(ROW_OWNER_AUTH_SOURCE) |
              TAKES(ROW_JSON),
    .exits = decommission_exits,
    .run = run,
};
