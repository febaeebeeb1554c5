/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "commands.h"
#include "object.h"
#include "open.h"

static const struct option_row options[] = {{0}};

/* The last column: what tells one object from another at a glance. */
static void append_details(json_t *row, const json_t *object)
{
    const char *members[] = {"note", "subject", "public_key_sha256"};
    const char *text = "";

    for (size_t i = 0; !*text && i < sizeof(members) / sizeof(*members); i++)
        text = report_get(object, members[i]);
    report_append_text(row, text);
}

static void print_objects(const json_t *objects)
{
    static const char *const head[] = {"URI", "TYPE", "ROLE", "ALGORITHM",
                                       "SUBJECT OR PUBLIC KEY"};
    static const char *const members[] = {"uri", "type", "role", "algorithm"};
    json_t *rows = report_array();
    json_t *row = report_array();
    const json_t *object;
    size_t i;

    for (size_t j = 0; j < sizeof(head) / sizeof(*head); j++)
        report_append_text(row, head[j]);
    report_append(rows, row);
    json_array_foreach(objects, i, object)
    {
        row = report_array();
        for (size_t j = 0; j < sizeof(members) / sizeof(*members); j++) {
            const char *text = report_get(object, members[j]);
            report_append_text(row, *text ? text : "-");
        }
        append_details(row, object);
        report_append(rows, row);
    }
    report_print_table(rows);
    json_decref(rows);
}

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
        print_objects(objects);
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
