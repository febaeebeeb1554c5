/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/crypto.h>
#include <stdio.h>

#include "commands.h"
#include "message.h"
#include "offline.h"

enum {
    IMPORT_IN,
    IMPORT_BATCH,
    IMPORT_SERIAL,
    IMPORT_MODEL
};

static const struct option_row import_options[] = {
    [IMPORT_IN] = {"in", "FILE",
                   "what devid request, or for a token devid csr, has written",
                   true, false},
    [IMPORT_BATCH] = {"batch", "NAME", "the batch that the unit is of", true,
                      false},
    [IMPORT_SERIAL] = {"serial", "TEXT",
                       "the unit's serial number, where the request does not "
                       "say it",
                       false, false},
    [IMPORT_MODEL] = {"model", "NAME", "its model, likewise", false, false},
    {0},
};

static enum exit_code import(const struct args *args,
                             const struct context *context,
                             const struct file *file)
{
    struct exchange x = {.context = context,
                         .batch = args_text(args, IMPORT_BATCH)};
    const char *serial = args_text(args, IMPORT_SERIAL);
    const char *model = args_text(args, IMPORT_MODEL);
    enum exit_code code;

    if (offline_is_asserted(file) &&
        !((serial || json_object_get(file->body, "serial")) &&
          (model || json_object_get(file->body, "model"))))
        return wrong_use("import", "a PKCS#10 request does not say what it is "
                                   "of: give --serial and --model");
    code = offline_units(&x, file, serial, model);
    if (code == EXIT_DONE)
        printf("%s %s: %s\n", x.status == 201 ? "new unit" : "unit", x.serial,
               offline_text(&x, "state"));
    exchange_clear(&x);
    return code;
}

static enum exit_code run_import(const struct args *args)
{
    struct context context;
    struct file file = {0};
    enum exit_code code = context_open(args, &context);

    if (code != EXIT_DONE)
        return code;
    code = offline_open(args_text(args, IMPORT_IN), &file);
    if (code == EXIT_DONE)
        code = import(args, &context, &file);
    offline_close(&file);
    context_close(&context);
    return code;
}

const struct command import_command = {
    .name = "import",
    .operands = "",
    .help = "take a unit's request from a file",
    .example = "  devid-station import --dir line --batch spring --in "
               "unit.req\n",
    .options = import_options,
    .common = TAKES(ROW_DIR),
    .run = run_import,
};
