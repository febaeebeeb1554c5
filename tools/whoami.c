/* SPDX-License-Identifier: Apache-2.0 */
#include "commands.h"
#include "message.h"
#include "open.h"
#include "report.h"

static const struct option_row options[] = {{0}};

static void print_device(const struct args *args,
                         const struct devid_device_info *info)
{
    json_t *report = report_new();

    report_text(report, "id", info->id);
    report_text(report, "id_source", info->id_source);
    report_text(report, "idevid", info->idevid);
    report_text(report, "device", info->device);
    report_text(report, "manufacturer", info->manufacturer);
    report_text(report, "model", info->model);
    report_text(report, "firmware", info->firmware);
    report_text(report, "specification", info->specification);
    report_flag(report, "resource_manager", info->managed);
    if (args_flag(args, ROW_JSON))
        report_print_json(report);
    else
        report_print_text(report);
    json_decref(report);
}

static enum exit_code run(const struct args *args)
{
    struct devid_device_info info;
    struct devid *engine = NULL;
    struct devid_error err;
    enum exit_code code = engine_open(args, NULL, &engine);

    if (code != EXIT_DONE)
        return code;
    if (devid_whoami(engine, args_text(args, ROW_DEVICE), &info, &err))
        code = fail_engine(&err);
    else
        print_device(args, &info);
    devid_free(&engine);
    return code;
}

const struct command whoami_command = {
    .name = "whoami",
    .operands = "",
    .help = "print who this device is: its id, and its chip",
    .example = "  devid whoami\n"
               "  devid whoami --json | jq -r .id\n",
    .options = options,
    .common = TAKES(ROW_DEVICE) | TAKES(ROW_TCTI) | TAKES(ROW_MODULE) |
              TAKES(ROW_JSON),
    .run = run,
};
