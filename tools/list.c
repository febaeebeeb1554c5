/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "commands.h"
#include "object.h"
#include "open.h"

static const struct option_row options[] = {{0}};

/* What tells one object from another at a glance. */
static const char *details_of(const json_t *object, char *room, size_t size)
{
    static const char *const members[] = {"note", "subject",
                                          "public_key_sha256"};
    const char *text = "";

    (void)room;
    (void)size;
    for (size_t i = 0; !*text && i < sizeof(members) / sizeof(*members); i++)
        text = report_get(object, members[i]);
    return text;
}

static const struct report_column columns[] = {
    {.head = "URI", .member = "uri"},
    {.head = "TYPE", .member = "type"},
    {.head = "ROLE", .member = "role"},
    {.head = "ALGORITHM", .member = "algorithm"},
    {.head = "SUBJECT OR PUBLIC KEY", .text = details_of},
    {0},
};

static enum exit_code run(const struct args *args)
{
    struct devid *engine = NULL;
    json_t *objects = NULL;
    enum exit_code code =
        engine_open(args, args_text(args, ROW_DEVICE), &engine);

    if (code == EXIT_DONE)
        code = objects_list(engine, args_text(args, ROW_DEVICE), &objects);
    if (code != EXIT_DONE)
        goto out;
    if (args_flag(args, ROW_JSON))
        report_print_json(objects);
    else if (json_array_size(objects) > 0)
        report_print_columns(objects, columns);
    else
        puts("The device holds no persistent key and no certificate.");

out:
    json_decref(objects);
    devid_free(&engine);
    return code;
}

const struct command list_command = {
    .name = "list",
    .operands = "",
    .help = "list the persistent keys and the certificates in the device",
    .example =
        "  devid list\n"
        "  devid list --device pkcs11:token=factory --auth-source prompt\n"
        "  devid list --json | jq -r '.[].uri'\n",
    .options = options,
    .common = TAKES(ROW_DEVICE) | TAKES(ROW_TCTI) | TAKES(ROW_MODULE) |
              TAKES(ROW_AUTH_SOURCE) | TAKES(ROW_JSON),
    .run = run,
};
