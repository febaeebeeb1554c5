/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "message.h"
#include "object.h"
#include "open.h"

enum {
    YES,
    FORCE
};

static const struct option_row options[] = {
    [YES] = {"yes", NULL, "do not ask", false, false},
    [FORCE] = {"force", NULL,
               "delete even what has a role of its own: SRK, EK, IDevID, IAK "
               "and their certificates",
               false, false},
    {0},
};

/* A whole line that says yes, and nothing else, is consent. */
static enum exit_code ask(const char *uri, const json_t *object)
{
    const char *role = report_get(object, "role");
    char answer[16];

    fprintf(stderr, "%s", uri);
    if (object)
        fprintf(stderr, " (%s%s%s)", report_get(object, "algorithm"),
                *role ? " " : " key", role);
    fprintf(stderr, " cannot be brought back. Type yes to delete it: ");
    if (!fgets(answer, sizeof(answer), stdin) || strcmp(answer, "yes\n") != 0)
        return fail("nothing was deleted");
    return EXIT_DONE;
}

static enum exit_code delete_object(const struct args *args,
                                    struct devid *engine, const json_t *object)
{
    const char *uri = args->operands[0];
    const char *role = report_get(object, "role");
    struct devid_error err;

    if (*role && !args_flag(args, FORCE))
        return fail("%s is the device's %s, which other programs count on; "
                    "give --force to delete it all the same",
                    uri, role);
    if (!args_flag(args, YES)) {
        enum exit_code code = ask(uri, object);
        if (code != EXIT_DONE)
            return code;
    }
    if (devid_delete(engine, uri, &err))
        return fail_engine(&err);
    return EXIT_DONE;
}

static enum exit_code check_uri(const char *uri)
{
    if (devid_is_uri(uri))
        return EXIT_DONE;
    if (access(uri, F_OK) == 0)
        return fail("%s is a file: what it holds lives in it alone, so delete "
                    "the file; for a key that stays in the device give its "
                    "URI, which 'devid show %s' prints",
                    uri, uri);
    return fail("%s is no URI, such as tpm2:handle=0x81000010; 'devid list' "
                "prints those of the device",
                uri);
}

static enum exit_code run(const struct args *args)
{
    const char *uri = args->operands[0];
    struct devid *engine = NULL;
    json_t *objects = NULL;
    enum exit_code code;

    if (!args_flag(args, YES) && !isatty(STDIN_FILENO))
        return wrong_use("delete", "--yes is missing, and there is no "
                                   "terminal to ask at");
    code = check_uri(uri);
    if (code == EXIT_DONE)
        code = engine_open_to_write(args, uri, &engine);
    if (code == EXIT_DONE && !is_token_uri(uri)) /* there are no roles there */
        code = objects_list(engine, NULL, &objects);
    if (code == EXIT_DONE)
        code = delete_object(args, engine, objects_find(objects, uri));
    json_decref(objects);
    devid_free(&engine);
    return code;
}

const struct command delete_command = {
    .name = "delete",
    .operands = "URI",
    .help = "remove a persistent key or a certificate from the device",
    .example = "  devid delete --yes tpm2:handle=0x81000010\n"
               "  devid delete 'pkcs11:token=factory;object=unit'\n",
    .options = options,
    .common = TAKES(ROW_TCTI) | TAKES(ROW_MODULE) | TAKES(ROW_AUTH_SOURCE) |
              TAKES(ROW_OWNER_AUTH_SOURCE),
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
};
